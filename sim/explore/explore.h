/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_EXPLORE_H
#define SIM_EXPLORE_EXPLORE_H

/*
 * Exploring: run a subject in many orders until one breaks an invariant.
 *
 * Every strategy is one of two engines.  Sampling draws each run afresh.
 * Searching walks the tree of choices depth first and says in the end what it
 * has covered.  docs/exploring.md says which reductions they use, which may be
 * combined, and why that is sound.
 */

#include <signal.h>

#include "sim/explore/exec.h"

/* The script does what a search cannot have it do. */
#define MODEL_ERROR (g_quark_from_static_string("slabsim-model"))

enum strategy {
	STRATEGY_AUTO,	     /* tries dpor, samples, goes on with dpor, then bound by bound */
	STRATEGY_RANDOM,     /* each step drawn from all that can come next */
	STRATEGY_PCT,	     /* random priorities with a few random changes */
	STRATEGY_BOUNDED,    /* every order with at most 0, 1, 2, ... preemptions */
	STRATEGY_DPOR,	     /* one order of each class of equivalent ones */
	STRATEGY_EXHAUSTIVE, /* every state, by fingerprints */
	NR_STRATEGIES,
};

struct strategy_info {
	const char *name, *doc;
};

extern const struct strategy_info strategy_infos[NR_STRATEGIES];

/* What STRATEGY_AUTO does, one after the other, until one of them has covered all. */
enum auto_stage {
	AUTO_TRY,    /* dpor, for a moment: there may be few orderings */
	AUTO_SAMPLE, /* random runs: most failures show soon in them */
	AUTO_STATES, /* exhaustive, if it recalls most of its steps: that takes seconds */
	AUTO_REDUCE, /* dpor goes on where it was */
	AUTO_BOUND,  /* bounded, without end; exhaustive if dpor has met loops */
	NR_AUTO_STAGES,
};

struct explore_stats {
	/* at work now; STRATEGY_AUTO while that samples */
	enum strategy strategy;
	enum auto_stage stage; /* STRATEGY_AUTO */
	struct {
		uint64_t nr_runs, nr_cut, nr_recalled;
	} stages[NR_AUTO_STAGES]; /* what each of them made of these */
	uint64_t
		nr_loops; /* of nr_cut: in a loop that only somebody else ends, who came too late */
	uint64_t nr_runs; /* executions that came to an end or a finding */
	uint64_t nr_failing;  /* of them, those with a violation */
	uint64_t nr_blocked;  /* given up because they could only repeat others */
	uint64_t nr_cut;      /* stopped at the step limit, or in a loop */
	uint64_t nr_steps;    /* taken for the first time, and again to get back to a branch */
	uint64_t nr_again;    /* of nr_steps, those that were taken again */
	uint64_t nr_recalled; /* of nr_steps, those that were known and not taken in the world */
	uint64_t nr_states;   /* STRATEGY_EXHAUSTIVE: distinct ones */
	uint64_t nr_pruned;   /* branches that lead to a known state */
	uint32_t longest;     /* steps of the longest run */
	uint32_t bound;	      /* STRATEGY_BOUNDED: preemptions allowed now */
	double seconds;
	double share; /* an estimate of what is covered, 0 to 1; negative if there is none */
};

/* What a GByteArray takes, with room for what a checkpoint says about it. */
#define REST_MAX (UINT32_MAX - (1u << 20))

struct explore_options {
	enum strategy strategy;
	uint64_t seed;
	uint64_t max_runs;    /* 0: no limit */
	double max_seconds;   /* 0: no limit */
	uint32_t max_steps;   /* of one run; a run that gets there is counted as cut; 0: default */
	uint32_t preemptions; /* STRATEGY_BOUNDED: the highest bound */
	uint32_t depth;	      /* STRATEGY_PCT: priority changes + 1; 0: several in turn */
	size_t max_memory;    /* bytes for visited states; 0: default */
	bool keep_going;      /* do not stop at the first finding */
	bool no_symmetry;     /* tell copies apart that could be exchanged */
	bool no_memo;	      /* take every step in the world, even if what it does is known */
	bool past_setup;      /* go on if the set-up violates, which is else the only finding */
	unsigned int nr_jobs; /* processes that work; 0 is 1; says nothing about what is found */
	void (*in_worker)(void);  /* called first in each of them that is forked; may be NULL */
	const GByteArray *resume; /* explore_result.rest of an earlier one; may be NULL */
	size_t max_rest;	  /* bytes that explore_result.rest may have; 0: REST_MAX */
	const volatile sig_atomic_t *interrupted; /* may be NULL */
	/* Called now and then, at least every 1000 runs; may be NULL. */
	void (*progress)(void *arg, const struct explore_stats *stats);
	void *progress_arg;
};

/* Why exploring ended. */
enum explore_end {
	END_COMPLETE, /* all that the strategy covers is covered */
	END_FOUND,
	END_RUNS, /* limits */
	END_TIME,
	END_MEMORY,
	END_INTERRUPTED,
	END_ERROR, /* the script failed */
};

struct finding {
	GArray *choices;	    /* struct choice: the schedule, up to the violating step */
	struct violation violation; /* the first one of the run */
	uint64_t run;		    /* found in which run, from 1 */
	double seconds;		    /* after the start */
	uint32_t nr_steps;
	bool at_end; /* it showed only when nothing was left to happen */
};

void finding_free(void *f);

struct explore_result {
	enum explore_end end;
	struct explore_stats stats;
	GPtrArray *findings; /* struct finding: one for each checker and kind of object */
	bool exchanged;	     /* states in which copies have only changed places were one */
	bool bound_cut;	     /* STRATEGY_BOUNDED: the last bound kept something out */
	uint32_t bound_done; /* STRATEGY_BOUNDED: the highest bound that was completed + 1 */
	GError *error;	     /* END_ERROR */
	GByteArray *rest;    /* where to go on from, if a limit was hit; else NULL */
	bool rest_too_large; /* it is NULL because it would have more than max_rest */
};

/** same_finding() - does one checker blame the same kind of object alike in both? */
bool same_finding(const struct violation *a, const struct violation *b);

/** explore() - explore @s; the result is the caller's, explore_result_clear() frees it */
void explore(struct subject *s, const struct explore_options *opt, struct explore_result *result);
void explore_result_clear(struct explore_result *result);

#endif /* SIM_EXPLORE_EXPLORE_H */
