/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_EXPLORE_SESSION_H
#define TESTS_EXPLORE_SESSION_H

/* A scenario that is loaded to be explored. */

#include <check.h>

#include "lua/scenario.h"
#include "sim/explore/explore.h"

static inline struct run *open_scenario(const char *path, const char *const *variants,
					const char *const *sets)
{
	/* The session borrows it. */
	static struct run_options opt;
	g_autoptr(GError) error = NULL;
	struct run *run;

	opt = (struct run_options){.path = path,
				   .lifecycle = "v5.3",
				   .variants = variants,
				   .sets = sets,
				   .seed = 1,
				   .order = ORDER_RANDOM};
	run = session_open(&opt, NULL, &error);
	ck_assert_msg(run != NULL, "%s", error ? error->message : "");
	return run;
}

/* Explore until the first failure, which there must be. */
static inline const struct finding *find_failure(struct subject *s, enum strategy strategy,
						 uint64_t seed, struct explore_result *result)
{
	const struct explore_options opt = {
		.strategy = strategy, .seed = seed, .max_runs = 100000, .preemptions = 2};

	explore(s, &opt, result);
	ck_assert_msg(result->findings->len == 1, "nothing found");
	return g_ptr_array_index(result->findings, 0);
}

#endif /* TESTS_EXPLORE_SESSION_H */
