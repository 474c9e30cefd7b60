// SPDX-License-Identifier: GPL-2.0-only
#include "sim/base/table.h"

#include <string.h>

#define FIRST_CHUNKS 4u

void table_init(struct table *t, struct arena *a, size_t value_size)
{
	memset(t, 0, sizeof(*t));
	t->arena = a;
	t->stride = (uint32_t)((value_size + 7) & ~(size_t)7);
}

static size_t chunk_bytes(const struct table *t)
{
	return sizeof(struct table_chunk) + (size_t)TABLE_CHUNK * t->stride;
}

/* Make the directory long enough for @index. */
static bool grow(struct table *t, uint64_t index)
{
	uint64_t nr = t->nr_chunks ? 2 * (uint64_t)t->nr_chunks : FIRST_CHUNKS;
	struct table_chunk **chunks;

	if (nr <= index)
		nr = index + 1;
	if (nr > UINT32_MAX)
		return false;
	chunks = arena_alloc(t->arena, nr * sizeof(struct table_chunk *));
	if (!chunks)
		return false;
	if (t->chunks) {
		memcpy(chunks, t->chunks, t->nr_chunks * sizeof(struct table_chunk *));
		arena_free(t->arena, t->chunks, t->nr_chunks * sizeof(struct table_chunk *));
	}
	t->chunks = chunks;
	t->nr_chunks = (uint32_t)nr;
	return true;
}

void *table_add(struct table *t, uint64_t nr)
{
	uint64_t index = nr / TABLE_CHUNK, bit = nr % TABLE_CHUNK;
	struct table_chunk *chunk;

	if (index >= t->nr_chunks && !grow(t, index))
		return NULL;
	chunk = t->chunks[index];
	if (!chunk) {
		chunk = arena_alloc(t->arena, chunk_bytes(t));
		if (!chunk)
			return NULL;
		t->chunks[index] = chunk;
	}
	chunk->present |= UINT64_C(1) << bit;
	return chunk->values + bit * t->stride;
}

void table_del(struct table *t, uint64_t nr)
{
	uint64_t bit = nr % TABLE_CHUNK;
	struct table_chunk *chunk;
	void *value = table_find(t, nr);

	if (!value)
		return;
	chunk = t->chunks[nr / TABLE_CHUNK];
	chunk->present &= ~(UINT64_C(1) << bit);
	if (chunk->present) {
		/* What is not present is zero: the number may be added again. */
		memset(value, 0, t->stride);
	} else {
		t->chunks[nr / TABLE_CHUNK] = NULL;
		arena_free(t->arena, chunk, chunk_bytes(t));
	}
}

void *table_next(const struct table *t, uint64_t *pos)
{
	uint64_t index = *pos / TABLE_CHUNK, bit = *pos % TABLE_CHUNK;

	for (; index < t->nr_chunks; index++, bit = 0) {
		struct table_chunk *chunk = t->chunks[index];
		uint64_t left = chunk ? chunk->present >> bit << bit : 0;

		if (left) {
			bit = (uint64_t)__builtin_ctzll(left);
			*pos = index * TABLE_CHUNK + bit + 1;
			return chunk->values + bit * t->stride;
		}
	}
	*pos = index * TABLE_CHUNK;
	return NULL;
}
