/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_SUBJECT_H
#define SIM_EXPLORE_SUBJECT_H

/*
 * What is explored: an untimed world that can be started again and again.
 *
 * The layer that builds worlds fills this in; nothing here knows what a
 * scenario is.
 */

#include <glib.h>

#include "sim/check/checker.h"
#include "sim/engine/world.h"

/* A loop that nothing ends, and that has been gone round once. */
struct livelock {
	uint32_t nr_steps; /* of a round */
	uint64_t since;	   /* the first event of that round */
	oid_t task;	   /* the first context that stepped in it; 0: none did */
	const char *who;   /* all that did, for people */
};

/* Of all copies in a scenario. */
#define COPIES_MAX 64

/* Whose something is, if the scenario has copies that can be exchanged. */
struct copy {
	uint32_t nr;   /* from 1; 0: nobody's */
	uint32_t role; /* what its counterparts in the other copies have in common */
};

struct subject {
	struct world *w; /* at the same address in every run */
	const struct checkset *checks;
	/* So often has code of a script begun or gone on; it may look at what no step touches. */
	uint64_t nr_scripts;

	/* Back to where the tasks begin.  @chooser answers what comes up inside a step. */
	void (*restart)(struct subject *s, struct chooser *chooser, struct step_log *log);

	/* A state in the middle of a run, between two steps. */
	size_t (*save_size)(struct subject *s);
	void (*save)(struct subject *s, void *buffer);
	void (*restore)(struct subject *s, const void *buffer);

	/* Let one step happen; false when the run had to stop: error() says why. */
	bool (*step)(struct subject *s, struct transition *tr);

	/* Nothing is left to happen: let the checkers look for what must not remain. */
	void (*finish)(struct subject *s);

	/* From now on nobody but the checkers is told what happens, or, if not @quiet, again. */
	void (*keep_quiet)(struct subject *s, bool quiet);

	/* Something is left to happen, but no order of it comes to an end: tell the checkers. */
	void (*livelock)(struct subject *s, const struct livelock *loop);

	/* Why the run stopped, if it did: a limit, an error of the script; the caller's. */
	GError *(*take_error)(struct subject *s);

	/*
	 * A digest of what decides how @t goes on while it is outside the kernel, or false
	 * if there is none.  May be NULL.
	 */
	bool (*control_hash)(struct subject *s, const struct task *t, uint64_t *hash);

	/*
	 * Copies that can be exchanged.  What a copy holds of its own is the same to
	 * control_hash() in all of them.
	 */
	uint32_t nr_copies;
	struct copy (*copy_of)(struct subject *s, oid_t obj);
	bool (*refers_to_copies)(struct subject *s, const struct task *t); /* to others' */
	bool (*names_nobody)(struct subject *s, oid_t cell);		   /* what it holds */
	oid_t (*holder)(struct subject *s, oid_t lock);			   /* 0: it is free */

	/*
	 * What a field of an object holds, if all that counts of it is that and not who
	 * wrote it; and all of them.  May be NULL.
	 */
	bool (*value)(struct subject *s, oid_t obj, uint32_t field, uint64_t *value);
	void (*each_value)(struct subject *s, void *arg,
			   void (*fn)(void *arg, oid_t obj, uint32_t field, uint64_t value));
};

#endif /* SIM_EXPLORE_SUBJECT_H */
