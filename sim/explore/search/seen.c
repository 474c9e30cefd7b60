// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/search/seen.h"

#include "sim/explore/search/seen_shared.h"

struct seen {
	guint64 *slots; /* 0: free */
	guint64 nr_slots, count;
	gsize max_bytes;	    /* 0: no limit */
	struct seen_shared *shared; /* instead of the above, if not NULL */
};

struct seen *seen_new(void)
{
	struct seen *s = g_new0(struct seen, 1);

	s->nr_slots = 1 << 10;
	s->slots = g_new0(guint64, s->nr_slots);
	return s;
}

struct seen *seen_new_shared(gsize max_bytes)
{
	struct seen_shared *shared = seen_shared_new(max_bytes);
	struct seen *s;

	if (!shared)
		return NULL;
	s = g_new0(struct seen, 1);
	s->shared = shared;
	return s;
}

void seen_limit(struct seen *s, gsize max_bytes)
{
	s->max_bytes = max_bytes;
}

void seen_free(struct seen *s)
{
	if (s->shared)
		seen_shared_free(s->shared);
	g_free(s->slots);
	g_free(s);
}

static gboolean insert(guint64 *slots, guint64 nr, guint64 fingerprint)
{
	guint64 i = fingerprint & (nr - 1);

	for (; slots[i]; i = (i + 1) & (nr - 1)) {
		if (slots[i] == fingerprint)
			return FALSE;
	}
	slots[i] = fingerprint;
	return TRUE;
}

static void grow(struct seen *s)
{
	guint64 nr = 2 * s->nr_slots, *slots = g_new0(guint64, nr);

	for (guint64 i = 0; i < s->nr_slots; i++) {
		if (s->slots[i])
			insert(slots, nr, s->slots[i]);
	}
	g_free(s->slots);
	s->slots = slots;
	s->nr_slots = nr;
}

gboolean seen_add(struct seen *s, guint64 fingerprint)
{
	if (s->shared)
		return seen_shared_add(s->shared, fingerprint ? fingerprint : 1);
	/* 0 marks a free slot. */
	if (!insert(s->slots, s->nr_slots, fingerprint ? fingerprint : 1))
		return FALSE;
	if (3 * ++s->count > 2 * s->nr_slots)
		grow(s);
	return TRUE;
}

void seen_prefetch(const struct seen *s, guint64 fingerprint)
{
	if (s->shared)
		seen_shared_prefetch(s->shared, fingerprint);
	else
		__builtin_prefetch(&s->slots[fingerprint & (s->nr_slots - 1)]);
}

guint64 seen_count(const struct seen *s)
{
	return s->shared ? seen_shared_count(s->shared) : s->count;
}

gsize seen_bytes(const struct seen *s)
{
	return s->shared ? seen_shared_bytes(s->shared) : s->nr_slots * sizeof(guint64);
}

gboolean seen_is_full(const struct seen *s)
{
	if (s->shared)
		return seen_shared_is_full(s->shared);
	return s->max_bytes && s->nr_slots * sizeof(guint64) > s->max_bytes;
}

void seen_list(const struct seen *s, GArray *list)
{
	if (s->shared) {
		seen_shared_list(s->shared, list);
		return;
	}
	for (guint64 i = 0; i < s->nr_slots; i++) {
		if (s->slots[i])
			g_array_append_val(list, s->slots[i]);
	}
}
