// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/seen.h"

struct seen {
	guint64 *slots; /* 0: free */
	guint64 nr_slots, count;
};

struct seen *seen_new(void)
{
	struct seen *s = g_new0(struct seen, 1);

	s->nr_slots = 1 << 10;
	s->slots = g_new0(guint64, s->nr_slots);
	return s;
}

void seen_free(struct seen *s)
{
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
	/* 0 marks a free slot. */
	if (!insert(s->slots, s->nr_slots, fingerprint ? fingerprint : 1))
		return FALSE;
	if (3 * ++s->count > 2 * s->nr_slots)
		grow(s);
	return TRUE;
}

guint64 seen_count(const struct seen *s)
{
	return s->count;
}

gsize seen_bytes(const struct seen *s)
{
	return s->nr_slots * sizeof(guint64);
}
