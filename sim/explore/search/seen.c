// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/search/seen.h"

#include <string.h>

#include "sim/explore/search/seen_shared.h"

/*
 * In order: a fingerprint is at home at the slot that its share of all numbers says, or stands
 * behind it where smaller ones were in the way.  So the table can be nearly full, and can grow by
 * a part of itself, in place: a search that holds millions of states has memory for little else.
 */
#define SLOTS_MIN 1024
/* Behind the last home, for those that find no room before. */
#define SLOTS_BEHIND 256
#define IS_FULL(count, nr_homes) (8 * (count) > 7 * (nr_homes))
#define GROWTH(nr_homes) ((nr_homes) / 4)

struct seen {
	guint64 *slots; /* 0: free */
	guint64 nr_homes, count;
	gsize max_bytes;	    /* 0: no limit */
	struct seen_shared *shared; /* instead of the above, if not NULL */
};

static gsize nr_slots(const struct seen *s)
{
	return s->nr_homes + SLOTS_BEHIND;
}

struct seen *seen_new(void)
{
	struct seen *s = g_new0(struct seen, 1);

	s->nr_homes = SLOTS_MIN;
	s->slots = g_new0(guint64, nr_slots(s));
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

static gsize home(const struct seen *s, guint64 fingerprint)
{
	return (gsize)(((unsigned __int128)fingerprint * s->nr_homes) >> 64);
}

/*
 * What is there moves to the end, and from there to where it is at home now: never further back
 * than it stands, since a home moves by less than the table grows.
 */
static void grow(struct seen *s)
{
	gsize before = nr_slots(s), more = GROWTH(s->nr_homes), to = 0;

	s->nr_homes += more;
	s->slots = g_renew(guint64, s->slots, nr_slots(s));
	memmove(s->slots + more, s->slots, before * sizeof(*s->slots));
	memset(s->slots, 0, more * sizeof(*s->slots));
	for (gsize from = more; from < nr_slots(s); from++) {
		guint64 fingerprint = s->slots[from];

		if (!fingerprint)
			continue;
		s->slots[from] = 0;
		to = MAX(to, home(s, fingerprint));
		s->slots[to++] = fingerprint;
	}
}

/* Let @fingerprint stand at slot @at, and all from there on one further; false: there is no room */
static gboolean squeeze_in(struct seen *s, gsize at, guint64 fingerprint)
{
	gsize end = at;

	while (end < nr_slots(s) && s->slots[end])
		end++;
	/* One always stays free: whoever looks for something ends there. */
	if (end + 1 >= nr_slots(s))
		return FALSE;
	memmove(s->slots + at + 1, s->slots + at, (end - at) * sizeof(*s->slots));
	s->slots[at] = fingerprint;
	return TRUE;
}

/* Where @fingerprint stands, or would. */
static gsize find(const struct seen *s, guint64 fingerprint)
{
	gsize at = home(s, fingerprint);

	while (s->slots[at] && s->slots[at] < fingerprint)
		at++;
	return at;
}

static gboolean insert(struct seen *s, guint64 fingerprint)
{
	for (;;) {
		gsize at = find(s, fingerprint);

		if (s->slots[at] == fingerprint)
			return FALSE;
		if (squeeze_in(s, at, fingerprint))
			return TRUE;
		grow(s);
	}
}

gboolean seen_add(struct seen *s, guint64 fingerprint)
{
	if (s->shared)
		return seen_shared_add(s->shared, fingerprint ? fingerprint : 1);
	/* 0 marks a free slot. */
	if (!insert(s, fingerprint ? fingerprint : 1))
		return FALSE;
	if (IS_FULL(++s->count, s->nr_homes))
		grow(s);
	return TRUE;
}

gboolean seen_has(const struct seen *s, guint64 fingerprint)
{
	/* 0 marks a free slot. */
	fingerprint = fingerprint ? fingerprint : 1;
	if (s->shared)
		return seen_shared_has(s->shared, fingerprint);
	return s->slots[find(s, fingerprint)] == fingerprint;
}

void seen_prefetch(const struct seen *s, guint64 fingerprint)
{
	if (s->shared)
		seen_shared_prefetch(s->shared, fingerprint);
	else
		__builtin_prefetch(&s->slots[home(s, fingerprint)]);
}

guint64 seen_count(const struct seen *s)
{
	return s->shared ? seen_shared_count(s->shared) : s->count;
}

gsize seen_bytes(const struct seen *s)
{
	return s->shared ? seen_shared_bytes(s->shared) : nr_slots(s) * sizeof(guint64);
}

gboolean seen_is_full(const struct seen *s)
{
	if (s->shared)
		return seen_shared_is_full(s->shared);
	return s->max_bytes && nr_slots(s) * sizeof(guint64) > s->max_bytes;
}

void seen_list(const struct seen *s, GArray *list)
{
	if (s->shared) {
		seen_shared_list(s->shared, list);
		return;
	}
	for (gsize i = 0; i < nr_slots(s); i++) {
		if (s->slots[i])
			g_array_append_val(list, s->slots[i]);
	}
}
