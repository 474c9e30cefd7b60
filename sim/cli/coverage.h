/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CLI_COVERAGE_H
#define SIM_CLI_COVERAGE_H

/*
 * What an exploration has covered, in words that claim no more than is true.
 */

#include "sim/explore/explore.h"

enum covered {
	COVERED_ALL,	 /* every ordering */
	COVERED_BOUNDED, /* every ordering with at most so many preemptions */
	COVERED_SOME,	 /* those that were run */
};

enum covered coverage(const struct explore_options *opt, const struct explore_result *r);

/** coverage_claim() - "every ordering", "every ordering with at most 2 preemptions", ... */
char *coverage_claim(const struct explore_options *opt, const struct explore_result *r);

/** coverage_counts() - "21 executions, 27 blocked, ..., longest 25 steps" */
char *coverage_counts(const struct explore_result *r);

/** coverage_collision() - how likely some states were not told apart; NULL: hardly */
char *coverage_collision(const struct explore_options *opt, const struct explore_result *r);

/** coverage_auto() - what STRATEGY_AUTO did, why, and how many executions that took */
char *coverage_auto(const struct explore_result *r);

/** coverage_limit() - which limit ended it, and how to raise it; NULL if none did */
char *coverage_limit(const struct explore_options *opt, const struct explore_result *r);

/** coverage_cut() - what runs that were cut mean; NULL if none was */
char *coverage_cut(const struct explore_options *opt, const struct explore_result *r);

#endif /* SIM_CLI_COVERAGE_H */
