/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_BASE_RNG_H
#define SIM_BASE_RNG_H

/*
 * Named random streams: xoshiro256++ seeded from (seed, name), so that one more
 * draw in one place moves no other stream.
 */

#include <stdint.h>

#include "sim/base/hash.h"

struct rng {
	uint64_t s[4];
};

static inline uint64_t rng_splitmix(uint64_t *z)
{
	uint64_t x = (*z += UINT64_C(0x9e3779b97f4a7c15));

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/** rng_seed() - start the stream called @name of the run seeded with @seed */
static inline void rng_seed(struct rng *r, uint64_t seed, const char *name)
{
	uint64_t z = fnv_string(name) ^ seed * UINT64_C(0xd6e8feb86659fd93);

	for (int i = 0; i < 4; i++)
		r->s[i] = rng_splitmix(&z);
}

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t *s = r->s, sum = s[0] + s[3];
	uint64_t result = ((sum << 23) | (sum >> 41)) + s[0], shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = (s[3] << 45) | (s[3] >> 19);
	return result;
}

/** rng_below() - uniform in [0, n), n > 0; the bias is below n / 2^64 */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)rng_next(r) * n) >> 64);
}

#endif /* SIM_BASE_RNG_H */
