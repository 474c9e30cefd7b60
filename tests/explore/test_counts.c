// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many states and orderings a model has, where others counted as well: TLC and Stateright
 * the states, Nidhugg and GenMC the orderings.  One too few is something missed.
 */

#include "tests/explore/session.h"

Suite *suite_counts(void);

static const struct counted {
	const char *sets[5];
	uint64_t states, orderings; /* 0: not counted */
} models[] = {
	{{"n=1", "k=1"}, 64, 4},
	{{"n=1", "k=2"}, 0, 8},
	{{"n=2", "k=1"}, 549, 28},
	{{"n=2", "k=2"}, 1892, 385},
	{{"n=3", "k=1"}, 4865, 416},
	{{"n=2", "k=1", "refcount=true"}, 0, 15},
	{{"n=2", "k=2", "refcount=true"}, 0, 60},
	{{"n=3", "k=1", "refcount=true"}, 0, 54},
	{{"n=1", "k=1", "split=2"}, 0, 4},
	{{"n=2", "k=1", "split=2"}, 0, 32},
	{{"n=2", "k=2", "split=2"}, 0, 685},
	{{"n=3", "k=1", "split=2"}, 0, 704},
};

static struct explore_stats count(const struct counted *model, enum strategy strategy)
{
	/* With split=2, those that wait for ever fail, and are none of the orderings. */
	const struct explore_options opt = {
		.strategy = strategy, .seed = 1, .keep_going = true, .past_setup = true};
	struct run *run = open_scenario("scenarios/models/cache_shutdown.lua", NULL, model->sets);
	struct explore_result r;
	struct explore_stats stats;

	explore(session_subject(run), &opt, &r);
	ck_assert_int_eq(r.end, r.findings->len > 0 ? END_FOUND : END_COMPLETE);
	stats = r.stats;
	explore_result_clear(&r);
	session_close(run);
	return stats;
}

START_TEST(there_are_as_many_as_others_counted)
{
	const struct counted *model = &models[_i];
	struct explore_stats stats;

	if (model->states) {
		stats = count(model, STRATEGY_EXHAUSTIVE);
		ck_assert_uint_eq(stats.nr_states, model->states);
	}
	if (model->orderings) {
		stats = count(model, STRATEGY_DPOR);
		ck_assert_uint_eq(stats.nr_runs - stats.nr_failing, model->orderings);
	}
}
END_TEST

Suite *suite_counts(void)
{
	Suite *s = suite_create("counts");
	TCase *tc = tcase_create("counts");

	tcase_add_loop_test(tc, there_are_as_many_as_others_counted, 0, G_N_ELEMENTS(models));
	suite_add_tcase(s, tc);
	return s;
}
