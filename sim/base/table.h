/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_BASE_TABLE_H
#define SIM_BASE_TABLE_H

/*
 * Table: from a number to a value of fixed size, in the arena.
 *
 * For numbers that are given out 1, 2, 3, ...: a look-up is two loads and no
 * hash.  Values lie in chunks of a few that never move, so a pointer to a value
 * stays good until its number is deleted.  A chunk comes with its first value and
 * goes with its last, so that deleted numbers, which do not come back, cost a
 * pointer per chunk.  An empty table owns no memory.
 *
 * A walk follows the numbers.
 */

#include "sim/base/arena.h"

#define TABLE_CHUNK 8u /* values; their numbers differ in the low bits only */

struct table_chunk {
	uint64_t present; /* bit per value */
	char values[];
};

struct table {
	struct arena *arena;
	struct table_chunk **chunks; /* by number / TABLE_CHUNK, NULL where nothing is */
	uint32_t nr_chunks;
	uint32_t stride; /* bytes per value */
};

/** table_init() - make @t an empty table whose values have @value_size bytes, aligned to 8 */
void table_init(struct table *t, struct arena *a, size_t value_size);

/** table_find() - the value of @nr, or NULL */
static inline void *table_find(const struct table *t, uint64_t nr)
{
	uint64_t index = nr / TABLE_CHUNK, bit = nr % TABLE_CHUNK;
	struct table_chunk *chunk;

	if (index >= t->nr_chunks)
		return NULL;
	chunk = t->chunks[index];
	if (!chunk || !(chunk->present >> bit & 1))
		return NULL;
	return chunk->values + bit * t->stride;
}

/**
 * table_add() - the value of @nr, zeroed if it is new
 *
 * Return: the value; NULL when the arena is full.
 */
void *table_add(struct table *t, uint64_t nr);

/** table_del() - forget @nr; harmless if it is not there */
void table_del(struct table *t, uint64_t nr);

/**
 * table_next() - walk all values in the order of their numbers
 * @pos: 0 to begin; afterwards one more than the number of the value returned
 *
 * Deleting the value just returned is allowed, adding is not.
 * Return: the next value, NULL at the end.
 */
void *table_next(const struct table *t, uint64_t *pos);

#endif /* SIM_BASE_TABLE_H */
