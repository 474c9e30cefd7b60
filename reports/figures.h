/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_FIGURES_H
#define REPORTS_FIGURES_H

/*
 * What the tasks of a run cost, folded record by record: grace periods, barriers,
 * how long mutexes were held, and how long it took until nothing was left of what
 * they removed.  What the set-up does is left out.
 */

#include <glib.h>
#include <stdbool.h>

#include "sim/engine/trace.h"

/* All mutexes of one name. */
struct held_mutex {
	char *name;
	uint64_t nr;		 /* how often one was taken */
	uint64_t longest, total; /* ns; steps if untimed */
};

struct figures {
	bool started; /* the set-up is over */
	uint64_t nr_barriers, nr_gps;
	GPtrArray *mutexes; /* struct held_mutex, in order of first use */

	bool removed; /* a cgroup or a cache was */
	uint64_t removed_at, clean_at;

	unsigned int nr_tasks;
	GHashTable *names;   /* of mutexes, by object */
	GHashTable *taken;   /* mutexes that are held: since when */
	GHashTable *begun;   /* removals that go on: since when, by task */
	GHashTable *leaving; /* memcgs and caches that are to go */
};

struct figures *figures_new(void);
void figures_free(struct figures *f);

/** figures_record() - fold @r in; call it for each record in order */
void figures_record(struct figures *f, const struct trace_record *r);

/** figures_end() - the run is over at @t: what is held still was held until then */
void figures_end(struct figures *f, uint64_t t);

/**
 * figures_clean_after() - from the last removal until all that was removed is gone
 *
 * That is: every memcg that was killed and every cache that was deactivated or shut
 * down has been freed.
 * Return: false if there was no removal, or something is left.
 */
bool figures_clean_after(const struct figures *f, uint64_t *t);

/** figures_mutex() - that of this name; NULL if none was taken */
const struct held_mutex *figures_mutex(const struct figures *f, const char *name);

#endif /* REPORTS_FIGURES_H */
