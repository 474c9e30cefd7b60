/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_BENCH_BOUNDS_BOUNDS_H
#define TESTS_BENCH_BOUNDS_BOUNDS_H

/*
 * Lower bounds for an event queue: what a hold loop costs in C when the queue
 * is all there is.  No API, no cancelling, no clock checks, no event memory;
 * numbers instead of events, and each loop inlined with its queue.
 */

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/rng.h"

enum delays {
	DELAYS_EXP, /* exponential, mean 1 s */
	DELAYS_MIX, /* kernel-like: half zero, three in ten whole 4 ms ticks, the rest as above */
};

static inline uint64_t delay_exp(uint64_t bits)
{
	return (uint64_t)(-log(((double)(bits >> 11) + 0.5) * 0x1p-53) * 1e9);
}

/* @d is a constant wherever this is inlined, so that choosing costs nothing in the loop. */
static inline uint64_t delay_draw(struct rng *r, enum delays d)
{
	uint64_t bits = rng_next(r);

	if (d == DELAYS_MIX && (bits & 15) < 8)
		return 0;
	if (d == DELAYS_MIX && (bits & 15) < 13)
		return UINT64_C(4000000) * (1 + (bits >> 60));
	return delay_exp(d == DELAYS_MIX ? rng_next(r) : bits);
}

struct bound {
	const char *name;
	/* Start with @n pending, drawn from @r. */
	void (*fill)(size_t n, struct rng *r, enum delays d);
	/* Pop and post again @holds times; returns the last time popped. */
	uint64_t (*hold)(uint64_t holds, struct rng *r, enum delays d);
	void (*drop)(void);
};

/**
 * bound_tasks() - ns to resume one of @n sleeping fibers, @resumes times
 *
 * The better of a heap and a radix heap; see fibers.c.
 */
double bound_tasks(uint32_t n, uint64_t resumes);

extern const struct bound bound_heap, bound_radix, bound_ladder;

#define BOUND_INLINE static inline __attribute__((always_inline))

#endif /* TESTS_BENCH_BOUNDS_BOUNDS_H */
