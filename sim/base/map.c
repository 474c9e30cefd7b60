// SPDX-License-Identifier: GPL-2.0-only
#include "sim/base/map.h"

#include <string.h>

#include "sim/base/assert.h"

#define FIRST_CHUNK 8u
#define FIRST_SLOTS 16u
#define NO_KEY UINT64_MAX

/* In front of every value.  On the free list: a is NO_KEY, b the next place + 1. */
struct place {
	uint64_t a, b;
};

static struct place *place_at(const struct map *m, uint32_t index)
{
	uint32_t shifted = index + FIRST_CHUNK;
	unsigned int chunk = 31 - (unsigned int)__builtin_clz(shifted) - 3;
	size_t offset = shifted - (FIRST_CHUNK << chunk);

	return (struct place *)(m->chunks[chunk] + offset * m->stride);
}

static const struct place *place_of(const void *value)
{
	return (const struct place *)value - 1;
}

static uint32_t home_slot(const struct map *m, uint64_t a, uint64_t b)
{
	uint64_t h = a ^ (a >> 32) ^
		     (b + UINT64_C(0x165667b19e3779f9)) * UINT64_C(0xd6e8feb86659fd93);

	h *= UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32) & (m->nr_slots - 1);
}

void map_init(struct map *m, struct arena *a, size_t value_size)
{
	memset(m, 0, sizeof(*m));
	m->arena = a;
	m->stride = (uint32_t)(sizeof(struct place) + ((value_size + 7) & ~(size_t)7));
}

/* The slot that holds (@a, @b), or the empty one where it would go. */
static uint32_t find_slot(const struct map *m, uint64_t a, uint64_t b)
{
	uint32_t slot = home_slot(m, a, b);

	while (m->slots[slot]) {
		const struct place *p = place_at(m, m->slots[slot] - 1);

		if (p->a == a && p->b == b)
			break;
		slot = (slot + 1) & (m->nr_slots - 1);
	}
	return slot;
}

void *map_find(const struct map *m, uint64_t a, uint64_t b)
{
	uint32_t slot;

	if (!m->nr_slots)
		return NULL;
	slot = find_slot(m, a, b);
	return m->slots[slot] ? place_at(m, m->slots[slot] - 1) + 1 : NULL;
}

static bool grow_index(struct map *m)
{
	uint32_t *old = m->slots, nr_old = m->nr_slots;
	uint32_t nr = nr_old ? nr_old * 2 : FIRST_SLOTS;
	uint32_t *slots = arena_alloc(m->arena, nr * sizeof(*slots));

	if (!slots)
		return false;
	m->slots = slots;
	m->nr_slots = nr;
	for (uint32_t i = 0; i < nr_old; i++) {
		if (old[i]) {
			const struct place *p = place_at(m, old[i] - 1);

			slots[find_slot(m, p->a, p->b)] = old[i];
		}
	}
	if (old)
		arena_free(m->arena, old, nr_old * sizeof(*old));
	return true;
}

/* An unused place, as index + 1; 0 when the arena is full. */
static uint32_t take_place(struct map *m)
{
	uint32_t taken = m->first_free;

	if (taken) {
		m->first_free = (uint32_t)place_at(m, taken - 1)->b;
		return taken;
	}
	/* A chunk begins where index + FIRST_CHUNK is a power of two. */
	if (((m->nr_places + FIRST_CHUNK) & (m->nr_places + FIRST_CHUNK - 1)) == 0) {
		uint32_t nr = m->nr_places + FIRST_CHUNK;
		unsigned int chunk = 31 - (unsigned int)__builtin_clz(nr) - 3;

		sim_assert(chunk < MAP_NR_CHUNKS);
		m->chunks[chunk] = arena_alloc(m->arena, (size_t)nr * m->stride);
		if (!m->chunks[chunk])
			return 0;
	}
	return ++m->nr_places;
}

void *map_add(struct map *m, uint64_t a, uint64_t b)
{
	struct place *p;
	uint32_t slot, taken;

	sim_assert(a != NO_KEY);
	/* Grown before the look-up, or the slot found would move. */
	if ((uint64_t)(m->nr_live + 1) * 4 > (uint64_t)m->nr_slots * 3 && !grow_index(m))
		return NULL;
	slot = find_slot(m, a, b);
	if (m->slots[slot])
		return place_at(m, m->slots[slot] - 1) + 1;

	taken = take_place(m);
	if (!taken)
		return NULL;
	m->slots[slot] = taken;
	m->nr_live++;
	p = place_at(m, taken - 1);
	memset(p, 0, m->stride);
	p->a = a;
	p->b = b;
	return p + 1;
}

void map_del(struct map *m, uint64_t a, uint64_t b)
{
	uint32_t mask = m->nr_slots - 1, hole, next;
	struct place *p;

	if (!map_find(m, a, b))
		return;
	hole = find_slot(m, a, b);
	p = place_at(m, m->slots[hole] - 1);
	/* Equal contents give equal bytes, whatever was here before. */
	memset(p, 0, m->stride);
	p->a = NO_KEY;
	p->b = m->first_free;
	m->first_free = m->slots[hole];
	m->nr_live--;

	/* Close the gap instead of leaving a tombstone: probes stay short. */
	for (next = (hole + 1) & mask; m->slots[next]; next = (next + 1) & mask) {
		const struct place *q = place_at(m, m->slots[next] - 1);
		uint32_t home = home_slot(m, q->a, q->b);

		if (((next - home) & mask) >= ((next - hole) & mask)) {
			m->slots[hole] = m->slots[next];
			hole = next;
		}
	}
	m->slots[hole] = 0;
}

void *map_next(const struct map *m, uint32_t *pos)
{
	while (*pos < m->nr_places) {
		struct place *p = place_at(m, (*pos)++);

		if (p->a != NO_KEY)
			return p + 1;
	}
	return NULL;
}

uint64_t map_key_a(const void *value)
{
	return place_of(value)->a;
}

uint64_t map_key_b(const void *value)
{
	return place_of(value)->b;
}
