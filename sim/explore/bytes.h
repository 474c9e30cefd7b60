/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_BYTES_H
#define SIM_EXPLORE_BYTES_H

/*
 * Writing values one after the other into a buffer, and reading them back.
 *
 * Reading past the end, or a list that is longer than what is left, yields zeros
 * and clears reader.ok: whoever reads checks it once, at the end.
 */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline void put_bytes(GByteArray *b, const void *data, size_t size)
{
	if (size > 0)
		g_byte_array_append(b, data, (guint)size);
}

static inline void put_u64(GByteArray *b, uint64_t value)
{
	put_bytes(b, &value, sizeof(value));
}

/* A list, its length first. */
static inline void put_array(GByteArray *b, const GArray *a)
{
	put_u64(b, a->len);
	put_bytes(b, a->data, (size_t)a->len * g_array_get_element_size((GArray *)a));
}

struct reader {
	const uint8_t *data;
	size_t left;
	bool ok;
};

static inline void take_bytes(struct reader *r, void *data, size_t size)
{
	if (size > r->left) {
		r->ok = false;
		r->left = 0;
		memset(data, 0, size);
		return;
	}
	/* Neither needs to be anywhere then. */
	if (size == 0)
		return;
	memcpy(data, r->data, size);
	r->data += size;
	r->left -= size;
}

static inline uint64_t take_u64(struct reader *r)
{
	uint64_t value;

	take_bytes(r, &value, sizeof(value));
	return value;
}

static inline void take_array(struct reader *r, GArray *a)
{
	uint64_t n = take_u64(r);
	size_t size = g_array_get_element_size(a);

	if (n > r->left / size) {
		r->ok = false;
		n = 0;
	}
	g_array_set_size(a, (guint)n);
	take_bytes(r, a->data, (size_t)n * size);
}

#endif /* SIM_EXPLORE_BYTES_H */
