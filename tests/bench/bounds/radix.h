/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_BENCH_BOUNDS_RADIX_H
#define TESTS_BENCH_BOUNDS_RADIX_H

/* Radix heap on growing arrays; equal times keep their order without a sequence number. */

#include <stdlib.h>
#include <string.h>

#include "tests/bench/bounds/bounds.h"

struct item {
	uint64_t due;
	uint64_t id;
};

struct bucket {
	struct item *items;
	size_t len, max;
};

static struct bucket bucket[65];
static size_t first; /* of bucket 0, what was taken before */
static uint64_t base, used;

static __attribute__((noinline)) void grow(struct bucket *b)
{
	b->max = b->max ? b->max * 2 : 16;
	b->items = realloc(b->items, b->max * sizeof(*b->items));
	if (!b->items)
		abort();
}

BOUND_INLINE void put(struct item e)
{
	unsigned int i = e.due == base ? 0 : 64 - (unsigned int)__builtin_clzll(e.due ^ base);
	struct bucket *b = &bucket[i];

	if (__builtin_expect(b->len == b->max, 0))
		grow(b);
	b->items[b->len++] = e;
	if (i)
		used |= UINT64_C(1) << (i - 1);
}

BOUND_INLINE void refile(void)
{
	struct bucket *b = &bucket[__builtin_ctzll(used) + 1];
	uint64_t least = b->items[0].due;

	used &= used - 1;
	first = bucket[0].len = 0;
	for (size_t i = 1; i < b->len; i++)
		least = b->items[i].due < least ? b->items[i].due : least;
	base = least;
	for (size_t i = 0; i < b->len; i++)
		put(b->items[i]);
	b->len = 0;
}

BOUND_INLINE struct item take(void)
{
	if (first == bucket[0].len)
		refile();
	return bucket[0].items[first++];
}

static inline void radix_start(void)
{
	memset(bucket, 0, sizeof(bucket));
	first = 0;
	base = used = 0;
}

static inline void radix_drop(void)
{
	for (size_t i = 0; i < 65; i++)
		free(bucket[i].items);
}

#endif /* TESTS_BENCH_BOUNDS_RADIX_H */
