/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_BASE_HASH_H
#define SIM_BASE_HASH_H

/*
 * Digests of 64 bits, the same on every machine.
 */

#include <stddef.h>
#include <stdint.h>

/* FNV-1a: of text, and wherever a digest is written to a file. */
#define FNV_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t fnv_byte(uint64_t h, unsigned char c)
{
	return (h ^ c) * UINT64_C(0x100000001b3);
}

static inline uint64_t fnv_bytes(uint64_t h, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = fnv_byte(h, (unsigned char)s[i]);
	return h;
}

static inline uint64_t fnv_string(const char *s)
{
	uint64_t h = FNV_START;

	for (; *s; s++)
		h = fnv_byte(h, (unsigned char)*s);
	return h;
}

/**
 * hash_mix() - a digest of the digest @h and the word @x
 *
 * It is the same the other way round: for an order of two digests, mix both into a third one.
 */
static inline uint64_t hash_mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 29;
}

#endif /* SIM_BASE_HASH_H */
