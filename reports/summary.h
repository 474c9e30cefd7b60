/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_SUMMARY_H
#define REPORTS_SUMMARY_H

/*
 * What a run adds up to, folded record by record: the lives of caches and
 * memcgs, the references that are held, and counters over time.  Its size grows
 * with the number of caches, memcgs and slab pages, not with the trace.
 */

#include <glib.h>
#include <stdbool.h>

#include "sim/engine/trace.h"

enum life_stage {
	LIFE_CREATED,
	LIFE_ONLINE,   /* memcg online, cache found by look-ups */
	LIFE_OFFLINE,  /* memcg offline, cache deactivated */
	LIFE_KILLED,   /* base reference dropped */
	LIFE_SHUTDOWN, /* cache shut down, css released */
	LIFE_FREED,
	NR_LIFE_STAGES,
};

struct life {
	oid_t id;
	bool seen[NR_LIFE_STAGES];
	uint64_t at[NR_LIFE_STAGES];
};

/* References of one kind on one object. */
struct held {
	oid_t obj;
	enum holder holder;
	int64_t n;
	oid_t owner;	/* of the last one taken; 0 if unknown */
	uint64_t since; /* t when n left 0 */
	uint64_t seq;	/* record of the last one taken */
};

struct series_point {
	uint64_t t;
	int64_t v;
};

/* A counter over time.  Old points are merged, keeping the larger value. */
struct series {
	const char *name;
	int64_t now, peak;
	GArray *points; /* struct series_point */
};

enum series_id {
	SERIES_CACHES,
	SERIES_DYING,
	SERIES_SLAB_PAGES,
	SERIES_CALLBACKS,
	SERIES_WORKS,
	NR_SERIES,
};

/* A page counter of one memcg. */
struct usage {
	oid_t memcg;
	char *counter; /* "memory", "kmem", ... */
	struct series series;
};

struct summary {
	GPtrArray *caches, *memcgs; /* struct life, in order of creation */
	GPtrArray *held;	    /* struct held, in order of first use; n may be 0 */
	GPtrArray *usages;	    /* struct usage, in order of first charge */
	struct series series[NR_SERIES];
	uint64_t nr_gps;
	guint points_max; /* of a series; more are merged */

	GHashTable *life_by_id, *held_by_key, *usage_by_key, *slab_pages;
};

struct summary *summary_new(void);
void summary_free(struct summary *s);

/** summary_record() - fold @r in; call it for each record in order */
void summary_record(struct summary *s, const struct trace_record *r);

/** summary_life() - of a cache or memcg; NULL if the trace never created it */
const struct life *summary_life(const struct summary *s, oid_t id);

#endif /* REPORTS_SUMMARY_H */
