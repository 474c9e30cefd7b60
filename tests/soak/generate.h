/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_SOAK_GENERATE_H
#define TESTS_SOAK_GENERATE_H

/*
 * Programs for auditing the engines: small, and different for each seed.
 *
 * Most of them break an assertion in some orders and not in others.  They are text,
 * so that one that shows a difference can be saved and replayed.
 */

#include <glib.h>

enum program_kind {
	PROGRAM_MODEL,	   /* cells, locks, RCU, work items, references */
	PROGRAM_LIFECYCLE, /* cgroups and caches */
	PROGRAM_REFCOUNT,  /* counters of references, and who gets and puts them, rightly or not */
	PROGRAM_COPIES,	   /* tasks that can be exchanged, each with a cell and a lock of its own */
	PROGRAM_CPUS,	   /* tasks, kworkers and callbacks that keep each other off a CPU */
	PROGRAM_WAITS,	   /* waitqueues, completions, events, and several who wait for one thing */
	PROGRAM_LOCKS,	   /* locks of all kinds, one inside the other, in any order */
	NR_PROGRAM_KINDS,
};

extern const char *const program_kind_names[NR_PROGRAM_KINDS];

/** generate() - the program of @seed; the caller's, as a script */
char *generate(enum program_kind kind, guint64 seed);

#endif /* TESTS_SOAK_GENERATE_H */
