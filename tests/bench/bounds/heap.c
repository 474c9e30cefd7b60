// SPDX-License-Identifier: GPL-2.0-only
/*
 * 4-ary heap on (time, sequence), bottom-up: the hole sinks to a leaf along the
 * smallest children, chosen without a branch, and the last entry rises from it.
 */
#include <stdlib.h>

#include "tests/bench/bounds/bounds.h"

struct item {
	uint64_t due;
	uint64_t key; /* sequence number, then 24 bits of identity */
};

static struct item *memory, *heap;
static size_t len;
static uint64_t sequence;

BOUND_INLINE bool less(struct item a, struct item b)
{
	unsigned __int128 x = (unsigned __int128)a.due << 64 | a.key;
	unsigned __int128 y = (unsigned __int128)b.due << 64 | b.key;

	return x < y;
}

BOUND_INLINE void rise(size_t i, struct item e)
{
	for (; i && less(e, heap[(i - 1) / 4]); i = (i - 1) / 4)
		heap[i] = heap[(i - 1) / 4];
	heap[i] = e;
}

BOUND_INLINE size_t least_of_four(size_t c)
{
	size_t a = c + less(heap[c + 1], heap[c]), b = c + 2 + less(heap[c + 3], heap[c + 2]);

	return a + ((b - a) & -(size_t)less(heap[b], heap[a]));
}

BOUND_INLINE struct item take(void)
{
	struct item top = heap[0], last = heap[--len];
	size_t i = 0, c = 1;

	for (; c + 4 <= len; c = i * 4 + 1) {
		c = least_of_four(c);
		heap[i] = heap[c];
		i = c;
	}
	if (c < len) {
		size_t best = c;

		for (size_t j = c + 1; j < len; j++)
			best = less(heap[j], heap[best]) ? j : best;
		heap[i] = heap[best];
		i = best;
	}
	rise(i, last);
	return top;
}

BOUND_INLINE void put(uint64_t due, uint64_t id)
{
	rise(len++, (struct item){due, sequence++ << 24 | id});
}

static void fill(size_t n, struct rng *r, enum delays d)
{
	/* Children of a node share a cache line. */
	memory = aligned_alloc(64, (n * sizeof(*heap) + 255) & ~(size_t)63);
	if (!memory)
		abort();
	heap = memory + 3;
	len = 0;
	sequence = 0;
	for (size_t i = 0; i < n; i++)
		put(delay_draw(r, d), i);
}

BOUND_INLINE uint64_t loop(uint64_t holds, struct rng *r, enum delays d)
{
	uint64_t now = 0;

	while (holds--) {
		struct item e = take();

		now = e.due;
		put(now + delay_draw(r, d), e.key & 0xffffff);
	}
	return now;
}

static uint64_t hold(uint64_t holds, struct rng *r, enum delays d)
{
	return d == DELAYS_MIX ? loop(holds, r, DELAYS_MIX) : loop(holds, r, DELAYS_EXP);
}

static void drop(void)
{
	free(memory);
}

const struct bound bound_heap = {"4-ary heap", fill, hold, drop};
