/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_AUDIT_AUDIT_H
#define SIM_EXPLORE_AUDIT_AUDIT_H

/*
 * Auditing: do all ways to search one subject find the same?
 *
 * Each engine searches it to the end, past violations.  What it has met is
 * compared with what the engine met that leaves out least: the findings, what is
 * left in the end, and, of engines that tell states apart by their history, the
 * classes of equivalent runs.  Two checks look at single steps: whether equal
 * fingerprints are equal states (each step is taken once more when a state is met
 * again), and whether steps that are said to be independent commute.
 *
 * A difference is a fault of the engines or of the model under them, never of the
 * script.
 */

#include "sim/explore/driver.h"

/* The order in which they are trusted. */
enum audit_engine {
	AUDIT_FULL,	  /* every process at every node, nothing left out */
	AUDIT_HISTORY,	  /* until a state is met again, told by the history that led there */
	AUDIT_DPOR,	  /* STRATEGY_DPOR */
	AUDIT_DPOR_KNOWN, /* the same, with steps that are known recalled instead of taken */
	AUDIT_EXHAUSTIVE, /* STRATEGY_EXHAUSTIVE */
	AUDIT_RECALLED,	  /* the same, with steps that are known recalled instead of taken */
	AUDIT_EXCHANGED,  /* the same, and states in which copies changed places are one */
	AUDIT_BOUNDED,	  /* STRATEGY_BOUNDED, until the bound keeps nothing back */
	AUDIT_DRAWN,	  /* random runs over known steps, against those of the world */
	NR_AUDIT_ENGINES,
};

extern const char *const audit_engine_names[NR_AUDIT_ENGINES];

struct audit_options {
	double max_seconds;			  /* for all; 0: no limit */
	uint64_t max_steps;			  /* of each engine; 0: no limit */
	uint32_t max_steps_of_run;		  /* 0: default */
	enum search_defect defect;		  /* for tests: break a rule */
	uint32_t blind_to;			  /* DEFECT_BLIND: field */
	const volatile sig_atomic_t *interrupted; /* may be NULL */
	/* Called now and then; may be NULL. */
	void (*progress)(void *arg, enum audit_engine engine, const struct explore_stats *stats);
	void *progress_arg;
};

/* What one engine came to. */
struct audit_row {
	bool ran;      /* the subject has what it is about */
	bool complete; /* it came to its end: it claims to have met all there is */
	bool repeated; /* drawn: all runs were made both ways */
	bool by_history;
	bool out_of_time; /* that is why it did not */
	struct explore_stats stats;
	uint64_t nr_classes;   /* of last states, by their fingerprints */
	uint64_t nr_traces;    /* of runs, by order_trace() */
	uint64_t nr_redundant; /* runs of a class that had been run before; dpor should have none */
	uint64_t nr_ends; /* states in which nothing is left to happen, as far as can be seen */
	uint32_t nr_findings;
	uint32_t bound;	     /* bounded: the last one */
	uint32_t nr_differs; /* ways in which it differs from the reference */
};

struct audit_result {
	struct audit_row rows[NR_AUDIT_ENGINES];
	int reference;	      /* enum audit_engine; -1: none has come to its end */
	uint64_t nr_pairs;    /* of steps said to be independent that were looked at */
	uint64_t nr_again;    /* states whose steps were taken once more */
	GPtrArray *problems;  /* char *: several lines each, without a newline at the end */
	uint32_t nr_problems; /* more than are described, if there are many */
	GError *error;	      /* the script failed */
	bool interrupted;
};

/** audit() - audit @s; the result is the caller's, audit_result_clear() frees it */
void audit(struct subject *s, const struct audit_options *opt, struct audit_result *result);
void audit_result_clear(struct audit_result *result);

#endif /* SIM_EXPLORE_AUDIT_AUDIT_H */
