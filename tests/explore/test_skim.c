// SPDX-License-Identifier: GPL-2.0-only
/*
 * A search by states recalls what steps do instead of taking them: it is the same
 * search, run for run and state for state.
 */

#include <string.h>

#include "tests/explore/same.h"
#include "tests/explore/session.h"

Suite *suite_skim(void);

#define SETS_MAX 5

static const struct program {
	const char *path;
	const char *sets[SETS_MAX];
	bool recalls; /* nothing but tasks with a CPU each, cells, locks and counters */
} programs[] = {
	{"scenarios/models/cache_shutdown.lua", {"n=2", "k=2"}, true},
	{"scenarios/models/cache_shutdown.lua", {"n=3", "k=1", "refcount=true"}, true},
	{"scenarios/models/cache_shutdown.lua", {"n=2", "k=2", "bug=1"}, true},
	{"scenarios/models/cache_shutdown.lua", {"n=2", "k=2", "bug=2", "refcount=true"}, true},
	{"scenarios/models/cache_shutdown.lua", {"n=2", "k=2", "bug=3"}, true},
	{"scenarios/models/cache_shutdown_copies.lua", {NULL}, true},
	{"scenarios/models/cache_shutdown_copies.lua", {"hasty=true"}, true},
	{"scenarios/models/lock_order.lua", {NULL}, true},
	{"scenarios/models/lost_wakeup.lua", {NULL}, true},
	{"scenarios/models/objstock_drain.lua", {NULL}, false},
	{"scenarios/models/percpu_ref_kill.lua", {NULL}, false},
	{"scenarios/models/rcu_publish.lua", {NULL}, false},
	{"scenarios/models/rstat_threshold.lua", {NULL}, true},
	{"scenarios/models/rstat_updated.lua", {NULL}, true},
	{"scenarios/models/shrinker_bit.lua", {NULL}, true},
	{"scenarios/models/store_buffer.lua", {NULL}, true},
	{"scenarios/models/trylock_backoff.lua", {NULL}, true},
	{"scenarios/models/work_requeue.lua", {NULL}, false},
	{"tests/explore/needle.lua", {"appends=1", "choices=0"}, true},
	{"tests/explore/needle.lua", {"appends=1", "choices=1"}, false},
	/* Where nothing is recalled, searches by states foresee. */
	{"scenarios/lifecycle/early_destroy.lua", {NULL}, true},
	{"scenarios/lifecycle/alias_in_use.lua", {NULL}, true},
	{"tests/explore/shared_on_cpu.lua", {NULL}, false},
};

static const struct explore_options ways[] = {
	{.strategy = STRATEGY_EXHAUSTIVE, .keep_going = true},
	{.strategy = STRATEGY_EXHAUSTIVE},
	{.strategy = STRATEGY_BOUNDED, .preemptions = 2, .keep_going = true},
	{.strategy = STRATEGY_BOUNDED, .preemptions = 3},
	{.strategy = STRATEGY_EXHAUSTIVE, .nr_jobs = 2},
	{.strategy = STRATEGY_DPOR, .keep_going = true},
	{.strategy = STRATEGY_DPOR},
	{.strategy = STRATEGY_DPOR, .max_runs = 1000, .keep_going = true, .nr_jobs = 2},
};

#define NR_WAYS G_N_ELEMENTS(ways)

static void check_recalls(const struct program *p, const struct explore_options *way,
			  bool *has_recalled)
{
	struct run *run = open_scenario(p->path, NULL, p->sets);
	struct explore_options opt = *way;
	struct explore_result with, without;

	opt.seed = 1;
	opt.no_symmetry = true;
	/* Most end long before. */
	opt.max_seconds = 60;
	explore(session_subject(run), &opt, &with);
	opt.no_memo = true;
	explore(session_subject(run), &opt, &without);
	ck_assert_msg(!with.error, "%s", with.error ? with.error->message : "");
	check_same_counts(&without, &with);
	ck_assert_uint_eq(without.stats.longest, with.stats.longest);
	check_same_findings(&without, &with);
	if (opt.strategy == STRATEGY_DPOR && with.end == END_COMPLETE)
		ck_assert_uint_eq(without.stats.nr_blocked, with.stats.nr_blocked);
	ck_assert_uint_eq(without.stats.nr_recalled, 0);
	*has_recalled |= with.stats.nr_recalled > 0;
	explore_result_clear(&with);
	explore_result_clear(&without);
	session_close(run);
}

START_TEST(recalling_is_the_same_as_taking)
{
	const struct program *p = &programs[_i];
	bool has_recalled = false;

	for (size_t w = 0; w < NR_WAYS; w++)
		check_recalls(p, &ways[w], &has_recalled);
	/* Of others it may, until it meets what a memo cannot hold. */
	ck_assert_msg(has_recalled || !p->recalls, "%s recalls nothing", p->path);
}
END_TEST

/* Nearly all steps of a model are known when there are many. */
START_TEST(few_steps_are_taken)
{
	static const char *const sets[] = {"n=4", "k=1", NULL};
	const struct explore_options opt = {.strategy = STRATEGY_EXHAUSTIVE, .seed = 1};
	struct run *run = open_scenario("scenarios/models/cache_shutdown.lua", NULL, sets);
	struct explore_result r;

	explore(session_subject(run), &opt, &r);
	ck_assert_uint_eq(r.stats.nr_states, 43649);
	ck_assert_uint_gt(r.stats.nr_recalled, 100 * (r.stats.nr_steps - r.stats.nr_recalled));
	explore_result_clear(&r);
	session_close(run);
}
END_TEST

/* What tasks share behind the world's back is told, once it makes a difference. */
START_TEST(a_shared_variable_is_noticed)
{
	const struct explore_options opt = {.strategy = STRATEGY_EXHAUSTIVE, .seed = 1};
	struct run *run = open_scenario("tests/explore/shared.lua", NULL, NULL);
	struct explore_result r;

	explore(session_subject(run), &opt, &r);
	ck_assert_int_eq(r.end, END_ERROR);
	ck_assert_ptr_nonnull(strstr(r.error->message, "share a Lua variable"));
	explore_result_clear(&r);
	session_close(run);
}
END_TEST

Suite *suite_skim(void)
{
	Suite *s = suite_create("skim");
	TCase *tc = tcase_create("skim");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, recalling_is_the_same_as_taking, 0, (int)G_N_ELEMENTS(programs));
	tcase_add_test(tc, few_steps_are_taken);
	tcase_add_test(tc, a_shared_variable_is_noticed);
	suite_add_tcase(s, tc);
	return s;
}
