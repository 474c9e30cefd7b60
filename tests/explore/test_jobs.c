// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exploring in pieces: by several processes, or some now and the rest later, it is
 * the same exploration.
 */

#include <check.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/explore/parallel/checkpoint.h"
#include "sim/explore/parallel/position.h"
#include "sim/explore/steps/memo.h"
#include "sim/explore/search/seen.h"
#include "tests/explore/same.h"
#include "tests/explore/session.h"

Suite *suite_jobs(void);

#define MODEL "scenarios/models/cache_shutdown.lua"
#define NEEDLE "tests/explore/needle.lua"

/* How large the model is: some thousand runs for dpor, some thousand states. */
static const char *const clean[] = {"n=3", "k=1", NULL};

static const enum strategy searches[] = {STRATEGY_DPOR, STRATEGY_EXHAUSTIVE, STRATEGY_BOUNDED};

/* ---- positions ------------------------------------------------------------------------------- */

struct slices {
	struct explore_options opt;
	struct explore_result result;
	struct driver d;
	uint32_t nr; /* that it took */
};

/*
 * Search in slices of @max_steps, each of which knows only where the last one stopped, and
 * what steps do.  The whole knows nothing.
 */
static void search_in_slices(struct slices *s, struct subject *subject, enum strategy strategy,
			     uint64_t max_steps)
{
	struct search_part part = {
		.strategy = strategy, .bound = 1, .seen = seen_new(), .max_steps = max_steps};

	memset(s, 0, sizeof(*s));
	s->opt = (struct explore_options){.strategy = strategy, .keep_going = true};
	s->result.findings = g_ptr_array_new_with_free_func(finding_free);
	s->d = (struct driver){.opt = &s->opt,
			       .result = &s->result,
			       .x = exec_new(subject),
			       .memo = max_steps ? memo_new() : NULL,
			       .max_steps = MAX_STEPS_DEFAULT};
	part.wakes = g_array_new(FALSE, FALSE, sizeof(struct wake));
	do {
		search_part(&s->d, &part);
		position_free(part.at);
		part.at = g_steal_pointer(&part.rest);
		s->nr++;
	} while (part.at);
	ck_assert_uint_eq(part.wakes->len, 0);
	g_array_unref(part.wakes);
	seen_free(part.seen);
	memo_free(s->d.memo);
	exec_free(s->d.x);
}

static void check_slices(const char *path, const char *const *variants, const char *const *sets,
			 enum strategy strategy)
{
	struct run *run = open_scenario(path, variants, sets);
	struct slices whole, parts;

	search_in_slices(&whole, session_subject(run), strategy, 0);
	search_in_slices(&parts, session_subject(run), strategy, 40);
	ck_assert_uint_eq(whole.nr, 1);
	ck_assert_uint_gt(parts.nr, 3);
	check_same_counts(&whole.result, &parts.result);
	ck_assert_uint_eq(whole.result.stats.nr_blocked, parts.result.stats.nr_blocked);
	ck_assert_uint_eq(whole.result.stats.longest, parts.result.stats.longest);
	check_same_findings(&whole.result, &parts.result);
	explore_result_clear(&whole.result);
	explore_result_clear(&parts.result);
	session_close(run);
}

/* A position is all that a search has to remember. */
START_TEST(a_position_is_enough_to_go_on)
{
	static const char *const buggy[] = {"bug=2", "n=2", "k=1", NULL};

	check_slices(MODEL, NULL, clean, searches[_i]);
	check_slices(MODEL, NULL, buggy, searches[_i]);
}
END_TEST

/* Allocations that may fail are choices inside a step: their variants are found again too. */
START_TEST(a_position_has_the_choices_inside_steps)
{
	static const char *const needle[] = {"choices=1", NULL};

	check_slices(NEEDLE, NULL, needle, searches[_i]);
}
END_TEST

START_TEST(a_position_that_makes_no_sense_is_refused)
{
	struct position *p = position_new();
	struct place place = {.todo = 3, .nr_enabled = 2};
	struct choice c = {.n = 2};
	GByteArray *b = g_byte_array_new();
	struct reader r;
	struct position *back;

	g_array_append_val(p->places, place);
	g_array_append_val(p->choices, c);
	position_write(p, b);
	r = (struct reader){.data = b->data, .left = b->len, .ok = true};
	back = position_read(&r);
	ck_assert_ptr_nonnull(back);
	ck_assert_uint_eq(place_at(back, 0)->todo, 3);
	position_free(back);
	for (guint cut = 1; cut < b->len; cut += 7) {
		r = (struct reader){.data = b->data, .left = b->len - cut, .ok = true};
		ck_assert_ptr_null(position_read(&r));
		ck_assert(!r.ok);
	}
	place_at(p, 0)->pick = 2;
	g_byte_array_set_size(b, 0);
	position_write(p, b);
	r = (struct reader){.data = b->data, .left = b->len, .ok = true};
	ck_assert_ptr_null(position_read(&r));
	g_byte_array_unref(b);
	position_free(p);
}
END_TEST

/* ---- jobs ------------------------------------------------------------------------------------ */

static void explore_with(struct subject *s, const struct explore_options *common, unsigned int jobs,
			 struct explore_result *result)
{
	struct explore_options opt = *common;

	opt.nr_jobs = jobs;
	explore(s, &opt, result);
	ck_assert_msg(!result->error, "%s", result->error ? result->error->message : "");
}

static void check_jobs(const char *path, const char *const *sets, const struct explore_options *opt)
{
	static const unsigned int jobs[] = {2, 3, 8};
	struct run *run = open_scenario(path, NULL, sets);
	struct subject *s = session_subject(run);
	struct explore_result one, more;

	explore_with(s, opt, 1, &one);
	for (size_t i = 0; i < G_N_ELEMENTS(jobs); i++) {
		explore_with(s, opt, jobs[i], &more);
		check_same_counts(&one, &more);
		check_same_findings(&one, &more);
		if (opt->strategy == STRATEGY_DPOR)
			ck_assert_uint_eq(one.stats.nr_blocked, more.stats.nr_blocked);
		explore_result_clear(&more);
	}
	explore_result_clear(&one);
	session_close(run);
}

static const struct explore_options ways[] = {
	{.strategy = STRATEGY_DPOR, .seed = 1},
	{.strategy = STRATEGY_EXHAUSTIVE, .seed = 1},
	{.strategy = STRATEGY_BOUNDED, .seed = 1, .preemptions = 3},
	{.strategy = STRATEGY_RANDOM, .seed = 1, .max_runs = 5000},
	{.strategy = STRATEGY_PCT, .seed = 1, .max_runs = 5000},
	{.strategy = STRATEGY_DPOR, .seed = 1, .max_runs = 2500},
	{.strategy = STRATEGY_DPOR, .seed = 1, .keep_going = true},
	{.strategy = STRATEGY_RANDOM, .seed = 3, .max_runs = 5000, .keep_going = true},
	{.strategy = STRATEGY_AUTO, .seed = 2},
};

/* It is deep in the tree, far from where a search begins, and several come near it at once. */
START_TEST(any_number_of_jobs_finds_the_same_failure)
{
	static const char *const sets[] = {"appends=3", NULL};

	check_jobs(NEEDLE, sets, &ways[_i]);
}
END_TEST

START_TEST(any_number_of_jobs_covers_the_same)
{
	check_jobs(MODEL, clean, &ways[_i]);
}
END_TEST

static void die(void)
{
	raise(SIGKILL);
}

/* Nobody waits for an answer that will not come. */
START_TEST(a_killed_worker_is_reported)
{
	static const char *const sets[] = {"n=3", "k=2", NULL};
	const struct explore_options opt = {.strategy = ways[_i].strategy,
					    .seed = 1,
					    .preemptions = 3,
					    .nr_jobs = 2,
					    .in_worker = die};
	struct run *run = open_scenario(MODEL, NULL, sets);
	struct explore_result result;

	explore(session_subject(run), &opt, &result);
	ck_assert_uint_eq(result.end, END_ERROR);
	ck_assert_ptr_nonnull(result.error);
	ck_assert_ptr_nonnull(strstr(result.error->message, "a worker was killed by SIGKILL"));
	explore_result_clear(&result);
	session_close(run);
	/* None is left behind. */
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

/* ---- stopping and going on ------------------------------------------------------------------- */

/* Explore in bites of @bite runs, each from what the last one has left. */
static uint32_t explore_in_bites(struct subject *s, const struct explore_options *common,
				 uint64_t bite, unsigned int jobs, struct explore_result *result)
{
	struct explore_options opt = *common;
	GByteArray *rest = NULL;
	uint32_t nr = 0;

	for (opt.max_runs = bite;; opt.max_runs += bite) {
		if (common->max_runs && opt.max_runs > common->max_runs)
			opt.max_runs = common->max_runs;
		opt.resume = rest;
		explore_with(s, &opt, jobs, result);
		g_clear_pointer(&rest, g_byte_array_unref);
		nr++;
		if (result->end != END_RUNS || opt.max_runs == common->max_runs)
			return nr;
		ck_assert_ptr_nonnull(result->rest);
		rest = g_steal_pointer(&result->rest);
		explore_result_clear(result);
	}
}

static void check_bites(const char *path, const char *const *sets,
			const struct explore_options *opt, uint64_t bite)
{
	struct run *run = open_scenario(path, NULL, sets);
	struct subject *s = session_subject(run);
	struct explore_result whole, bites;

	explore_with(s, opt, 1, &whole);
	for (unsigned int jobs = 1; jobs <= 2; jobs++) {
		ck_assert_uint_gt(explore_in_bites(s, opt, bite, jobs, &bites), 2);
		check_same_counts(&whole, &bites);
		explore_result_clear(&bites);
	}
	explore_result_clear(&whole);
	session_close(run);
}

START_TEST(resuming_adds_up_to_the_whole)
{
	/* Few runs of these come to their end: the others meet what is known. */
	bool few = ways[_i].strategy == STRATEGY_EXHAUSTIVE ||
		   ways[_i].strategy == STRATEGY_BOUNDED;
	static const char *const never[] = {"needle=no", "appends=2", NULL};

	check_bites(NEEDLE, never, &ways[_i],
		    few					 ? 30
		    : ways[_i].strategy == STRATEGY_DPOR ? 150
							 : 777);
}
END_TEST

/* What was found before is found, by name and by schedule, after. */
START_TEST(resuming_keeps_findings)
{
	static const char *const sets[] = {"bug=2", "n=2", "k=2", NULL};
	const struct explore_options opt = {
		.strategy = STRATEGY_DPOR, .seed = 1, .keep_going = true};
	struct run *run = open_scenario(MODEL, NULL, sets);
	struct subject *s = session_subject(run);
	struct explore_result whole, bites;

	explore_with(s, &opt, 1, &whole);
	ck_assert_uint_gt(whole.findings->len, 0);
	ck_assert_uint_gt(explore_in_bites(s, &opt, 50, 1, &bites), 2);
	check_same_counts(&whole, &bites);
	check_same_findings(&whole, &bites);
	explore_result_clear(&whole);
	explore_result_clear(&bites);
	session_close(run);
}
END_TEST

/* A limit on the memory for states stops in time, and more memory goes on. */
START_TEST(memory_for_states_is_limited)
{
	static const char *const sets[] = {"n=3", "k=2", NULL};
	struct explore_options opt = {.strategy = STRATEGY_EXHAUSTIVE,
				      .seed = 1,
				      .nr_jobs = 1 + (unsigned int)_i,
				      .max_memory = (size_t)128 << 10};
	struct run *run = open_scenario(MODEL, NULL, sets);
	struct explore_result result;
	GByteArray *rest;

	explore(session_subject(run), &opt, &result);
	ck_assert_uint_eq(result.end, END_MEMORY);
	ck_assert_uint_lt(result.stats.nr_states, 31514);
	rest = g_steal_pointer(&result.rest);
	ck_assert_ptr_nonnull(rest);
	explore_result_clear(&result);
	opt.max_memory = 0;
	opt.resume = rest;
	explore(session_subject(run), &opt, &result);
	ck_assert_uint_eq(result.end, END_COMPLETE);
	ck_assert_uint_eq(result.stats.nr_states, 31514);
	explore_result_clear(&result);
	g_byte_array_unref(rest);
	session_close(run);
}
END_TEST

/* ---- files ----------------------------------------------------------------------------------- */

static void refuses(const GByteArray *file, const char *about, const char *why)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(checkpoint_parse((const char *)file->data, file->len, about, &error));
	ck_assert_msg(strstr(error->message, why), "'%s' does not say '%s'", error->message, why);
}

START_TEST(foreign_and_damaged_checkpoints_are_refused)
{
	static const char about[] = "version 1\nlifecycle v5.3\n";
	g_autoptr(GByteArray) state = g_byte_array_new();
	g_autoptr(GByteArray) file = NULL;
	GByteArray *back;

	put_u64(state, 42);
	put_bytes(state, "\nstate 1\n", 9);
	file = checkpoint_format(about, state);
	back = checkpoint_parse((const char *)file->data, file->len, about, NULL);
	ck_assert_ptr_nonnull(back);
	ck_assert_uint_eq(back->len, state->len);
	ck_assert_mem_eq(back->data, state->data, state->len);
	g_byte_array_unref(back);

	refuses(file, "version 2\nlifecycle v5.3\n",
		"it differs in 'version': '1', and here it is '2'");
	refuses(file, "version 1\nlifecycle v5.9\n", "it differs in 'lifecycle'");
	refuses(file, "version 1\nseed 3\n", "seed");
	for (guint size = 0; size < file->len; size++) {
		GByteArray *part = g_byte_array_new();

		put_bytes(part, file->data, size);
		refuses(part, about, size < 19 ? "not a checkpoint" : "");
		g_byte_array_unref(part);
	}
	for (guint i = 0; i < file->len; i++) {
		file->data[i] ^= 1;
		refuses(file, about, "");
		file->data[i] ^= 1;
	}
}
END_TEST

/* A state that is sound as a file, but not one of this exploration. */
START_TEST(a_state_that_does_not_fit_is_refused)
{
	struct run *run = open_scenario(MODEL, NULL, clean);
	g_autoptr(GByteArray) state = g_byte_array_new();
	struct explore_options opt = {.strategy = STRATEGY_DPOR, .resume = state};
	struct explore_result result;

	put_u64(state, 42);
	explore(session_subject(run), &opt, &result);
	ck_assert_uint_eq(result.end, END_ERROR);
	ck_assert_ptr_nonnull(strstr(result.error->message, "not one of this exploration"));
	explore_result_clear(&result);
	session_close(run);
}
END_TEST

Suite *suite_jobs(void)
{
	Suite *s = suite_create("jobs");
	TCase *tc = tcase_create("jobs");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_position_is_enough_to_go_on, 0, G_N_ELEMENTS(searches));
	tcase_add_loop_test(tc, a_position_has_the_choices_inside_steps, 0, G_N_ELEMENTS(searches));
	tcase_add_test(tc, a_position_that_makes_no_sense_is_refused);
	tcase_add_loop_test(tc, any_number_of_jobs_finds_the_same_failure, 0, G_N_ELEMENTS(ways));
	tcase_add_loop_test(tc, any_number_of_jobs_covers_the_same, 0, G_N_ELEMENTS(ways) - 1);
	tcase_add_loop_test(tc, a_killed_worker_is_reported, 0, 4);
	tcase_add_loop_test(tc, resuming_adds_up_to_the_whole, 0, G_N_ELEMENTS(ways) - 1);
	tcase_add_test(tc, resuming_keeps_findings);
	tcase_add_loop_test(tc, memory_for_states_is_limited, 0, 2);
	tcase_add_test(tc, foreign_and_damaged_checkpoints_are_refused);
	tcase_add_test(tc, a_state_that_does_not_fit_is_refused);
	suite_add_tcase(s, tc);
	return s;
}
