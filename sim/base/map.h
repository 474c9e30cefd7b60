/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_BASE_MAP_H
#define SIM_BASE_MAP_H

/*
 * Map: from a key of two words to a value of fixed size, in the arena.
 *
 * Open addressing over an index; the values sit in chunks that never move, so a
 * pointer to a value stays good until its key is deleted.  All calls are O(1)
 * on average.  An empty map owns no memory.
 *
 * Walking a map follows the values' places, which depend on the calls made so
 * far and on nothing else: a walk never shows hash order.
 */

#include <stdint.h>

#include "sim/base/arena.h"

#define MAP_NR_CHUNKS 28

struct map {
	struct arena *arena;
	uint32_t *slots; /* place + 1, 0 for none */
	uint32_t nr_slots;
	uint32_t nr_live;	     /* keys in the map */
	uint32_t nr_places;	     /* places ever used, those on the free list included */
	uint32_t first_free;	     /* place + 1 */
	uint32_t stride;	     /* bytes per place: key and value */
	char *chunks[MAP_NR_CHUNKS]; /* chunk i has 8 << i places */
};

/** map_init() - make @m an empty map whose values have @value_size bytes */
void map_init(struct map *m, struct arena *a, size_t value_size);

/** map_find() - the value of (@a, @b), or NULL */
void *map_find(const struct map *m, uint64_t a, uint64_t b);

/**
 * map_add() - the value of (@a, @b), zeroed if the key is new
 * @a: anything but UINT64_MAX
 *
 * Return: the value; NULL when the arena is full.
 */
void *map_add(struct map *m, uint64_t a, uint64_t b);

/** map_del() - forget (@a, @b); harmless if it is not there */
void map_del(struct map *m, uint64_t a, uint64_t b);

/**
 * map_next() - walk all values
 * @pos: 0 to begin; the walk's own afterwards
 *
 * Deleting the value just returned is allowed, adding is not.
 * Return: the next value, NULL at the end.
 */
void *map_next(const struct map *m, uint32_t *pos);

/** map_key_a() - first word of the key that @value belongs to */
uint64_t map_key_a(const void *value);

/** map_key_b() - second word of it */
uint64_t map_key_b(const void *value);

#endif /* SIM_BASE_MAP_H */
