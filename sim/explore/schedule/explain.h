/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_SCHEDULE_EXPLAIN_H
#define SIM_EXPLORE_SCHEDULE_EXPLAIN_H

/*
 * Explaining a failure: from which step on was it lost?
 *
 * Each prefix of the schedule is completed many times at random; the share of
 * completions that fail alike says how much that prefix has decided.  Where the
 * share jumps stands the decisive choice.
 */

#include "sim/explore/schedule/schedule.h"

#define EXPLAIN_ROWS_MAX 64

struct explain_options {
	uint64_t seed;
	uint32_t nr_completions; /* of each prefix; 0: default */
	uint32_t nr_rows;	 /* prefixes to look at, at most EXPLAIN_ROWS_MAX; 0: default */
	const volatile sig_atomic_t *interrupted; /* may be NULL */
	/* Called now and then with the number of completions so far; may be NULL. */
	void (*progress)(void *arg, uint64_t nr_completions);
	void *arg;
};

/* One prefix: the first @steps steps. */
struct explain_row {
	uint32_t steps;
	uint32_t nr, failed; /* completions that were made, and that failed alike */
	uint32_t cut;	     /* stopped at the step limit; they count as not failed */
};

struct explain_result {
	GArray *rows; /* struct explain_row, by steps; the first has none, the last has all */
	uint64_t nr_completions;
	double seconds;
	bool interrupted;
	/* No completion of this many first steps, or of more, escaped. */
	uint32_t no_return;
	/* The step, from 1, that raised the share most, and who could have come instead. */
	uint32_t decisive;
	char *taken, **instead;
	bool chose; /* something inside the decisive step was not the first alternative */
	enum choice_kind chose_what;
	/* The latest step, from 1, at which it passes if somebody else goes first; 0: none. */
	uint32_t passing;
	char *passing_taken, *passing_instead;
};

/**
 * explain() - look into the failure that @sched leads to
 * @s: to be explored; nobody else may use it meanwhile
 *
 * Return: false with @error set when the schedule does not lead to its failure here.
 */
bool explain(struct subject *s, const struct schedule *sched, const struct explain_options *opt,
	     struct explain_result *result, GError **error);
void explain_result_clear(struct explain_result *result);

#endif /* SIM_EXPLORE_SCHEDULE_EXPLAIN_H */
