// SPDX-License-Identifier: GPL-2.0-only
/*
 * Told to stop, an exploration does so in the middle of a run, and whoever goes on from there
 * comes to what it would have come to: no run is lost, and none is counted twice.
 */

#include <check.h>
#include <sys/mman.h>

#include "tests/explore/same.h"
#include "tests/explore/session.h"

Suite *suite_stop(void);

#define MODEL "scenarios/models/cache_shutdown.lua"
#define NEEDLE "tests/explore/needle.lua"

/* What both the test and forked workers see. */
struct shared {
	volatile sig_atomic_t interrupted;
	volatile uint64_t nr_steps; /* roughly, where several count */
	uint64_t stop_at;	    /* 0: never */
};

static struct shared *shared;
static bool (*real_step)(struct subject *s, struct transition *tr);

/* The signal comes in the middle of a step. */
static bool step_and_count(struct subject *s, struct transition *tr)
{
	if (++shared->nr_steps == shared->stop_at)
		shared->interrupted = 1;
	return real_step(s, tr);
}

static void set_up(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
}

static void tear_down(void)
{
	munmap(shared, sizeof(*shared));
}

static struct subject *counted(struct run *run)
{
	struct subject *s = session_subject(run);

	real_step = s->step;
	s->step = step_and_count;
	return s;
}

/* Explore until step @stop_at, or to the end if that is 0. */
static void explore_until(struct subject *s, struct explore_options *opt, uint64_t stop_at,
			  struct explore_result *result)
{
	shared->nr_steps = 0;
	shared->interrupted = 0;
	shared->stop_at = stop_at;
	opt->interrupted = &shared->interrupted;
	explore(s, opt, result);
	ck_assert_msg(!result->error, "%s", result->error ? result->error->message : "");
}

/* Go on from what @result has left, until step @stop_at of what follows. */
static void go_on(struct subject *s, const struct explore_options *common, uint64_t stop_at,
		  struct explore_result *result)
{
	struct explore_options opt = *common;
	g_autoptr(GByteArray) rest = g_steal_pointer(&result->rest);

	ck_assert_uint_eq(result->end, END_INTERRUPTED);
	ck_assert_ptr_nonnull(rest);
	explore_result_clear(result);
	opt.resume = rest;
	explore_until(s, &opt, stop_at, result);
}

static bool has_finding(const struct explore_result *r, const struct finding *f)
{
	for (guint i = 0; i < r->findings->len; i++) {
		const struct finding *g = g_ptr_array_index(r->findings, i);

		if (same_finding(&f->violation, &g->violation))
			return true;
	}
	return false;
}

static void check_same(const struct explore_result *a, const struct explore_result *b)
{
	check_same_counts(a, b);
	ck_assert_uint_eq(a->stats.longest, b->stats.longest);
	ck_assert_uint_eq(a->findings->len, b->findings->len);
	for (guint i = 0; i < a->findings->len; i++)
		ck_assert(has_finding(b, g_ptr_array_index(a->findings, i)));
}

static const struct {
	const char *path;
	const char *const sets[4];
	struct explore_options opt;
	uint64_t stride; /* between two places to stop at */
} cases[] = {
	{MODEL, {"n=1", "k=1"}, {.strategy = STRATEGY_DPOR}, 1},
	{MODEL, {"n=1", "k=1"}, {.strategy = STRATEGY_EXHAUSTIVE}, 1},
	{MODEL, {"n=1", "k=1"}, {.strategy = STRATEGY_BOUNDED, .preemptions = 2}, 1},
	{MODEL, {"n=2", "k=1"}, {.strategy = STRATEGY_DPOR}, 1},
	{MODEL, {"n=2", "k=1"}, {.strategy = STRATEGY_EXHAUSTIVE}, 3},
	{MODEL, {"n=2", "k=1"}, {.strategy = STRATEGY_BOUNDED, .preemptions = 2}, 7},
	{MODEL, {"n=2", "k=1", "bug=2"}, {.strategy = STRATEGY_DPOR}, 1},
	{MODEL, {"n=2", "k=1", "bug=2"}, {.strategy = STRATEGY_EXHAUSTIVE}, 3},
	{MODEL, {"n=2", "k=1", "bug=2"}, {.strategy = STRATEGY_BOUNDED, .preemptions = 2}, 7},
	{MODEL, {"n=2", "k=1", "bug=2"}, {.strategy = STRATEGY_PCT, .max_runs = 400}, 5},
	{MODEL, {"n=2", "k=1", "bug=2"}, {.strategy = STRATEGY_RANDOM, .max_runs = 400}, 5},
	{MODEL,
	 {"n=2", "k=1", "bug=2"},
	 {.strategy = STRATEGY_PCT, .max_runs = 400, .no_memo = true},
	 43},
	{MODEL,
	 {"n=2", "k=1", "bug=2"},
	 {.strategy = STRATEGY_RANDOM, .max_runs = 400, .no_memo = true},
	 43},
	{NEEDLE, {"choices=1"}, {.strategy = STRATEGY_DPOR}, 263},
	{NEEDLE, {"choices=1"}, {.strategy = STRATEGY_EXHAUSTIVE}, 131},
	{NEEDLE, {"choices=1"}, {.strategy = STRATEGY_BOUNDED, .preemptions = 2}, 263},
	{MODEL, {"n=2", "k=1"}, {.strategy = STRATEGY_DPOR, .max_steps = 17}, 1},
	{MODEL,
	 {"n=2", "k=1"},
	 {.strategy = STRATEGY_BOUNDED, .preemptions = 1, .max_steps = 17},
	 5},
};

/* More than one process does before others are asked to help. */
static const struct {
	const char *path;
	const char *const sets[4];
	struct explore_options opt;
} large[] = {
	{MODEL, {"n=3", "k=1"}, {.strategy = STRATEGY_DPOR}},
	{MODEL, {"n=3", "k=1"}, {.strategy = STRATEGY_EXHAUSTIVE}},
	{MODEL, {"n=3", "k=1"}, {.strategy = STRATEGY_BOUNDED, .preemptions = 3}},
	{MODEL, {"n=2", "k=1", "bug=2"}, {.strategy = STRATEGY_PCT, .max_runs = 9000}},
	{MODEL, {"n=2", "k=1", "bug=2"}, {.strategy = STRATEGY_RANDOM, .max_runs = 9000}},
	{NEEDLE, {"choices=1"}, {.strategy = STRATEGY_DPOR}},
};

static struct explore_options options_of(const struct explore_options *some)
{
	struct explore_options opt = *some;

	opt.seed = 1;
	opt.keep_going = true;
	return opt;
}

/* As in sim/explore/search/search.c, where states are told apart. */
#define SNAPSHOT_EVERY 8

/* Stopped once, at each of the steps that it takes. */
START_TEST(a_stop_at_any_step_loses_nothing)
{
	struct explore_options opt = options_of(&cases[_i].opt);
	struct run *run = open_scenario(cases[_i].path, NULL, cases[_i].sets);
	struct subject *s = counted(run);
	struct explore_result whole, parts;
	uint64_t nr_steps, nr_inside = 0;

	explore_until(s, &opt, 0, &whole);
	nr_steps = shared->nr_steps;
	for (uint64_t at = 1; at < nr_steps; at += cases[_i].stride) {
		explore_until(s, &opt, at, &parts);
		/* At the end of the last run there is no more to be stopped. */
		if (parts.end != END_INTERRUPTED) {
			ck_assert_uint_gt(at + whole.stats.longest, nr_steps);
			explore_result_clear(&parts);
			continue;
		}
		/* At once, but for what has to be taken back, and once more from a snapshot. */
		ck_assert_uint_lt(shared->nr_steps, at + whole.stats.longest + SNAPSHOT_EVERY);
		nr_inside++;
		go_on(s, &opt, 0, &parts);
		check_same(&whole, &parts);
		explore_result_clear(&parts);
	}
	ck_assert_uint_gt(nr_inside, 40);
	explore_result_clear(&whole);
	session_close(run);
}
END_TEST

/* Stopped again and again, also on the way to where it was stopped before. */
START_TEST(many_stops_lose_nothing)
{
	struct explore_options opt = options_of(&cases[_i].opt);
	struct run *run = open_scenario(cases[_i].path, NULL, cases[_i].sets);
	struct subject *s = counted(run);
	struct explore_result whole, parts;
	uint64_t most;
	uint32_t nr = 0;

	explore_until(s, &opt, 0, &whole);
	most = MAX(shared->nr_steps / 16, 8 * whole.stats.longest);
	explore_until(s, &opt, 3, &parts);
	while (parts.end == END_INTERRUPTED) {
		/* Nothing is done where it does not even get there: more and more often it does. */
		go_on(s, &opt, 1 + nr * UINT64_C(997) % (most + 8 * nr), &parts);
		nr++;
	}
	ck_assert_uint_gt(nr, 1);
	check_same(&whole, &parts);
	explore_result_clear(&whole);
	explore_result_clear(&parts);
	session_close(run);
}
END_TEST

/* Where workers are told to stop, what each of them has done is kept. */
START_TEST(a_stop_of_workers_loses_nothing)
{
	struct explore_options opt = options_of(&large[_i].opt);
	struct run *run = open_scenario(large[_i].path, NULL, large[_i].sets);
	struct subject *s = counted(run);
	struct explore_result whole, parts;
	uint64_t nr_steps;

	explore_until(s, &opt, 0, &whole);
	nr_steps = shared->nr_steps;
	/* These two would do without workers. */
	opt.keep_going = large[_i].opt.strategy != STRATEGY_EXHAUSTIVE &&
			 large[_i].opt.strategy != STRATEGY_BOUNDED;
	opt.nr_jobs = 2;
	for (uint64_t at = 1; at < nr_steps; at += nr_steps / 8) {
		explore_until(s, &opt, at, &parts);
		if (parts.end == END_INTERRUPTED)
			go_on(s, &opt, nr_steps / 2, &parts);
		if (parts.end == END_INTERRUPTED)
			go_on(s, &opt, 0, &parts);
		check_same(&whole, &parts);
		explore_result_clear(&parts);
	}
	explore_result_clear(&whole);
	session_close(run);
}
END_TEST

/* Too short for the path: each time it is taken all the same, and some steps more. */
#define NO_TIME 1e-9

static bool samples(enum strategy strategy)
{
	return strategy == STRATEGY_PCT || strategy == STRATEGY_RANDOM;
}

static void go_on_for_no_time(struct subject *s, struct explore_options *opt,
			      struct explore_result *whole)
{
	struct explore_result parts;
	uint32_t nr = 0;

	opt->max_seconds = NO_TIME;
	explore_until(s, opt, 0, &parts);
	while (parts.end == END_TIME) {
		g_autoptr(GByteArray) rest = g_steal_pointer(&parts.rest);
		uint64_t nr_done = parts.stats.nr_steps;

		ck_assert_ptr_nonnull(rest);
		explore_result_clear(&parts);
		opt->resume = rest;
		explore_until(s, opt, 0, &parts);
		/* The very last step may have been what was left. */
		ck_assert(parts.stats.nr_steps > nr_done || parts.end != END_TIME);
		nr++;
	}
	ck_assert_uint_gt(nr, 1);
	check_same(whole, &parts);
	explore_result_clear(&parts);
}

START_TEST(going_on_comes_further_however_short_the_time)
{
	struct explore_options opt = options_of(&cases[_i].opt);
	struct run *run = open_scenario(cases[_i].path, NULL, cases[_i].sets);
	struct subject *s = counted(run);
	struct explore_result whole;

	explore_until(s, &opt, 0, &whole);
	if (!samples(opt.strategy))
		go_on_for_no_time(s, &opt, &whole);
	explore_result_clear(&whole);
	session_close(run);
}
END_TEST

/* What it took before does not count for what it may take now. */
START_TEST(going_on_has_no_more_time_than_it_is_given)
{
	static const char *const sets[] = {"n=4", "k=2", NULL};
	struct run *run = open_scenario("scenarios/models/cache_shutdown.lua", NULL, sets);
	struct explore_options opt = {.strategy = STRATEGY_DPOR, .seed = 1, .max_seconds = 0.3};
	struct explore_result before, after;

	explore(session_subject(run), &opt, &before);
	ck_assert_int_eq(before.end, END_TIME);
	opt.max_seconds = 1e-9;
	opt.resume = before.rest;
	explore(session_subject(run), &opt, &after);
	ck_assert_int_eq(after.end, END_TIME);
	/* In as long as before it would come as far. */
	ck_assert_uint_lt(after.stats.nr_steps - before.stats.nr_steps, 2000);
	explore_result_clear(&before);
	explore_result_clear(&after);
	session_close(run);
}
END_TEST

Suite *suite_stop(void)
{
	Suite *s = suite_create("stop");
	TCase *tc = tcase_create("steps");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, a_stop_at_any_step_loses_nothing, 0, G_N_ELEMENTS(cases));
	tcase_add_loop_test(tc, many_stops_lose_nothing, 0, G_N_ELEMENTS(cases));
	tcase_add_loop_test(tc, a_stop_of_workers_loses_nothing, 0, G_N_ELEMENTS(large));
	tcase_add_loop_test(tc, going_on_comes_further_however_short_the_time, 0,
			    G_N_ELEMENTS(cases));
	tcase_add_test(tc, going_on_has_no_more_time_than_it_is_given);
	suite_add_tcase(s, tc);
	return s;
}
