/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_DRIVER_H
#define SIM_EXPLORE_DRIVER_H

/*
 * What the engines share: limits, counting, and keeping what was found.
 */

#include "sim/explore/bytes.h"
#include "sim/explore/explore.h"

/* What it takes to start a run, in steps. */
#define SAMPLE_START 10

#define MAX_STEPS_DEFAULT 100000

/* A rule of the search that tests break. */
enum search_defect {
	DEFECT_NONE,
	DEFECT_BLIND,	       /* touches of one field are overlooked */
	DEFECT_NO_RACES,       /* dpor: nothing conflicts with anything */
	DEFECT_NEVER_WAKE,     /* dpor: who sleeps goes on sleeping */
	DEFECT_WAITS_AS_RACES, /* dpor: a step that waited is treated as any other */
	DEFECT_NO_SECTIONS,    /* dpor: sections and interrupts change nobody's turn on a CPU */
	DEFECT_SEES_ALL,       /* dpor: a step touches the same, whatever it sees */
	DEFECT_PRUNED_DPOR,    /* dpor: stops at known states */
	DEFECT_NO_CONTROL,     /* exhaustive: where the tasks stand is no part of the state */
	DEFECT_BOUND_KEY,      /* bounded: nor is how many preemptions are left */
	DEFECT_LAST_ADD,       /* dpor: a last addition is one like any other */
	DEFECT_UNPINNED,       /* dpor: so is the race of a get with the drop of the base */
	DEFECT_RECALL_BLIND,   /* recalled: whatever a step finds, it does what it did first */
	DEFECT_COPIES_ALIKE,   /* exchanged: all copies are as good as one, wherever they stand */
	DEFECT_NO_WATCH,       /* dpor: what somebody did where he sleeps does not come up later */
	NR_DEFECTS,
};

/* A step that a search has taken. */
struct search_step {
	uint64_t before, after; /* fingerprints */
	uint64_t process;	/* a name that unrelated steps do not change */
	uint64_t key;		/* the same on this path */
	const struct touch *touches;
	uint32_t nr_touches;
	const struct choice *choices; /* the step, then what it chose inside */
	uint32_t nr_choices;
	uint32_t preemptions;
	bool wild;
	bool again; /* taken before from a state with the same fingerprint */
};

/* What an audit wants from a search, which then goes past violations. */
struct search_audit {
	bool full;	 /* no state counts as known */
	bool by_history; /* states are told apart by what led to them, not by values */
	bool again;	 /* take each step once more where a known state is met */
	bool keeps;	 /* what is found is kept, as without an audit */
	enum search_defect defect;
	uint32_t blind_to; /* DEFECT_BLIND: field */
	/* A state is met, @again: not for the first time; what happens below it comes next. */
	void (*visit)(struct search_audit *a, uint64_t state, bool again);
	void (*leave)(struct search_audit *a);
	void (*step)(struct search_audit *a, const struct search_step *step);
	/* A run has come to its end; @trace: equivalent runs have it in common, no others do. */
	void (*end)(struct search_audit *a, uint64_t fingerprint, uint64_t trace,
		    uint32_t preemptions);
};

struct memo;

struct driver {
	const struct explore_options *opt;
	struct explore_result *result;
	struct exec *x;
	gint64 start;	 /* monotonic us; as if what it goes on from had come just before */
	gint64 opened;	 /* monotonic us */
	gint64 deadline; /* monotonic us, 0 for none */
	/*
	 * Monotonic us, shared with the workers: when the path was taken from which it goes on.
	 * Until then, 0, the time that it has does not begin.  NULL if it goes on from nowhere.
	 */
	volatile gint64 *loaded_at;
	uint64_t max_runs; /* 0: no limit */
	uint32_t max_steps;
	uint64_t next_look;	    /* step at which to look at the clock again */
	bool stopped;		    /* result->end says why */
	struct reader *resume;	    /* the engine that was stopped goes on from here; else NULL */
	GByteArray *rest;	    /* what an engine that is stopped needs to go on */
	bool only_recalled;	    /* a search gives up where it has to take most steps */
	struct memo *memo;	    /* what steps of the subject do; NULL: take them all */
	struct search_audit *audit; /* NULL unless somebody looks over the search's shoulder */
};

/** driver_stop() - end the exploration, for @why */
void driver_stop(struct driver *d, enum explore_end why);

/** driver_max_rest() - bytes that may be kept to go on from */
static inline size_t driver_max_rest(const struct driver *d)
{
	return d->opt->max_rest ? d->opt->max_rest : REST_MAX;
}

/** driver_seconds() - since the exploration began, on the clock */
double driver_seconds(const struct driver *d);

/** driver_misfit() - what it was to go on from is not about this */
void driver_misfit(struct driver *d);

/** driver_may_go_on() - between two runs, look at the limits; false when it is time to stop */
bool driver_may_go_on(struct driver *d);

/** is_sample() - is the @nr-th, from 1, of what need not be made made, to see that it is right? */
static inline bool is_sample(uint64_t nr, uint64_t every)
{
	return nr % every == 0 || (nr & (nr - 1)) == 0;
}

/** driver_may_step() - the same within a run, which does not count yet; cheap */
bool driver_may_step(struct driver *d);

/** driver_look_soon() - the last step has taken long: look at the clock before the next one */
static inline void driver_look_soon(struct driver *d)
{
	d->next_look = 0;
}

/**
 * driver_run_ended() - count the run that @d->x holds, and keep what it found
 * @at_end: nothing was left to happen
 */
void driver_run_ended(struct driver *d, bool at_end);

/** driver_run_passed() - count a run of @nr_steps that has come to its end, with nothing found */
void driver_run_passed(struct driver *d, uint32_t nr_steps);

/** driver_contradicted() - the world is not what is known of it: end the exploration */
void driver_contradicted(struct driver *d);

/** driver_keep() - the run has violated for the first time, and goes on */
void driver_keep(struct driver *d);

/** driver_run_stopped() - the run hit a limit or the script failed */
void driver_run_stopped(struct driver *d);

/** driver_loaded() - the path to go on from was taken, or there is none: now the time begins */
void driver_loaded(struct driver *d);

/** driver_look() - the same, and look at the clock in any case */
bool driver_look(struct driver *d);

/** driver_is_over() - did it stop for good?  What a limit has stopped may go on later */
bool driver_is_over(const struct driver *d);

/**
 * driver_steps_ahead() - steps but for those that were taken again
 *
 * What is to be cut off after so many is cut at the same place, however a search gets back to a
 * branch.
 */
static inline uint64_t driver_steps_ahead(const struct explore_stats *stats)
{
	return stats->nr_steps - stats->nr_again;
}

/* The engines.  Each returns with d->stopped set, or having covered all there is. */

/**
 * sample() - draw runs
 * @max_steps: about so many, a start counted as SAMPLE_START steps; 0: no limit
 */
void sample(struct driver *d, enum strategy strategy, uint64_t max_steps);

/** search() - search the tree from its root to the end, in this process */
void search(struct driver *d, enum strategy strategy, uint32_t bound);

struct position;
struct seen;

/* A part of a search, and what is left of it. */
struct search_part {
	enum strategy strategy;
	uint32_t bound;
	struct seen *seen;     /* states that were met so far */
	struct position *at;   /* where to begin, which may become @rest; NULL or empty: the root */
	uint64_t max_steps;    /* stop after so many, between two runs; 0: no limit */
	GArray *wakes;	       /* out: struct wake; may be NULL if the search owns the tree */
	struct position *rest; /* out, the caller's: where to go on; NULL if nothing is left */
};

void search_part(struct driver *d, struct search_part *part);

#endif /* SIM_EXPLORE_DRIVER_H */
