// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ladder queue (Tang, Goh, Thng 2005): an unsorted top, rungs of ever narrower
 * buckets that are linked lists, and a short sorted bottom.  Not made for many
 * equal times: all of one instant end up in the bottom.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bounds/bounds.h"

#define BOTTOM_MAX 4096
#define NR_RUNGS 10
#define SPLIT_ABOVE 48
#define NONE UINT32_MAX

struct node {
	uint64_t due;
	uint32_t next, unused;
};

struct slot {
	uint32_t head, tail, len;
};

struct rung {
	uint64_t start;
	unsigned int shift; /* log2 of a slot's width, ns */
	uint32_t current;   /* slot that is being emptied */
	size_t len, max_slots;
	struct slot *slots;
};

struct bottom_item {
	uint64_t due;
	uint64_t id;
};

static struct node *nodes;
static struct rung rungs[NR_RUNGS];
static unsigned int nr_rungs;
static struct slot top;
static uint64_t top_start, top_min, top_max;
static struct bottom_item bottom[BOTTOM_MAX]; /* latest first */
static uint32_t bottom_len;

BOUND_INLINE void slot_add(struct slot *s, uint32_t n)
{
	nodes[n].next = NONE;
	if (s->head == NONE)
		s->head = n;
	else
		nodes[s->tail].next = n;
	s->tail = n;
	s->len++;
}

BOUND_INLINE void rung_add(struct rung *r, uint32_t n)
{
	slot_add(&r->slots[(nodes[n].due - r->start) >> r->shift], n);
	r->len++;
}

static void rung_start(uint64_t from, uint64_t to, size_t len, uint32_t n)
{
	struct rung *r = &rungs[nr_rungs++];
	uint64_t span = to - from + 1;
	size_t nr_slots;

	for (r->shift = 0; span >> r->shift > 2 * len; r->shift++)
		;
	nr_slots = (span >> r->shift) + 2;
	if (nr_slots > r->max_slots) {
		free(r->slots);
		r->slots = malloc(nr_slots * sizeof(*r->slots));
		r->max_slots = nr_slots;
		if (!r->slots)
			abort();
	}
	for (size_t i = 0; i < nr_slots; i++)
		r->slots[i] = (struct slot){NONE, NONE, 0};
	r->start = from;
	r->current = 0;
	r->len = 0;
	while (n != NONE) {
		uint32_t next = nodes[n].next;

		rung_add(r, n);
		n = next;
	}
}

BOUND_INLINE void bottom_add(uint64_t due, uint32_t n)
{
	uint32_t i = bottom_len++;

	if (bottom_len > BOTTOM_MAX)
		abort();
	for (; i && bottom[i - 1].due <= due; i--)
		bottom[i] = bottom[i - 1];
	bottom[i] = (struct bottom_item){due, n};
}

BOUND_INLINE void put(uint32_t n)
{
	uint64_t due = nodes[n].due;

	if (due >= top_start) {
		slot_add(&top, n);
		top_min = due < top_min ? due : top_min;
		top_max = due > top_max ? due : top_max;
		return;
	}
	for (unsigned int i = 0; i < nr_rungs; i++) {
		struct rung *r = &rungs[i];

		if (due >= r->start + ((uint64_t)r->current << r->shift)) {
			rung_add(r, n);
			return;
		}
	}
	bottom_add(due, n);
}

static void empty_top(void)
{
	rung_start(top_min, top_max, top.len, top.head);
	top_start = top_max + 1;
	top = (struct slot){NONE, NONE, 0};
	top_min = UINT64_MAX;
	top_max = 0;
}

static void fill_bottom(void)
{
	while (nr_rungs && rungs[nr_rungs - 1].len == 0)
		nr_rungs--;
	if (!nr_rungs)
		empty_top();

	struct rung *r = &rungs[nr_rungs - 1];

	while (r->slots[r->current].head == NONE)
		r->current++;

	struct slot s = r->slots[r->current];
	uint64_t from = r->start + ((uint64_t)r->current << r->shift);

	r->slots[r->current++] = (struct slot){NONE, NONE, 0};
	r->len -= s.len;
	if (s.len > SPLIT_ABOVE && r->shift && nr_rungs < NR_RUNGS) {
		rung_start(from, from + (UINT64_C(1) << r->shift) - 1, s.len, s.head);
		return;
	}
	for (uint32_t n = s.head; n != NONE; n = nodes[n].next)
		bottom_add(nodes[n].due, n);
}

static void fill(size_t n, struct rng *r, enum delays d)
{
	nodes = malloc(n * sizeof(*nodes));
	if (!nodes)
		abort();
	memset(rungs, 0, sizeof(rungs));
	nr_rungs = 0;
	bottom_len = 0;
	top = (struct slot){NONE, NONE, 0};
	top_start = top_max = 0;
	top_min = UINT64_MAX;
	for (size_t i = 0; i < n; i++) {
		nodes[i].due = delay_draw(r, d);
		put((uint32_t)i);
	}
}

BOUND_INLINE uint64_t loop(uint64_t holds, struct rng *r, enum delays d)
{
	uint64_t now = 0;

	while (holds--) {
		uint32_t n;

		while (!bottom_len)
			fill_bottom();
		n = (uint32_t)bottom[--bottom_len].id;
		now = nodes[n].due;
		nodes[n].due += delay_draw(r, d);
		put(n);
	}
	return now;
}

static uint64_t hold(uint64_t holds, struct rng *r, enum delays d)
{
	return d == DELAYS_MIX ? loop(holds, r, DELAYS_MIX) : loop(holds, r, DELAYS_EXP);
}

static void drop(void)
{
	for (size_t i = 0; i < NR_RUNGS; i++)
		free(rungs[i].slots);
	free(nodes);
}

const struct bound bound_ladder = {"ladder queue", fill, hold, drop};
