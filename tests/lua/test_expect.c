// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a scenario may expect, and what is refused.
 */

#include <check.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lua/expect.h"

Suite *suite_expect(void);

static GPtrArray *read_text(const char *text, GError **error)
{
	g_autofree char *dir = g_dir_make_tmp("slabsim-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "x.lua", NULL);
	GPtrArray *list;

	ck_assert(g_file_set_contents(path, text, -1, NULL));
	list = expectations_read(path, error);
	g_remove(path);
	g_rmdir(dir);
	return list;
}

/* The expectations of a scenario with these entries. */
static GPtrArray *read_entries(const char *entries)
{
	g_autofree char *text =
		g_strdup_printf("return scenario { options = { n = { 1, 'x' }, on = { false, 'y' },"
				" share = { 0.5, 'z' } }, tasks = {}, expect = { %s } }",
				entries);
	g_autoptr(GError) error = NULL;
	GPtrArray *list = read_text(text, &error);

	ck_assert_msg(list != NULL, "%s", error ? error->message : "");
	return list;
}

static void refused(const char *entries, const char *message)
{
	g_autofree char *text = g_strdup_printf(
		"return scenario { options = { n = { 1, 'x' } }, tasks = {}, expect = { %s } }",
		entries);
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(read_text(text, &error));
	ck_assert_msg(strstr(error->message, message), "'%s' lacks '%s'", error->message, message);
	ck_assert_msg(strstr(error->message, "x.lua:1: "), "'%s' has no line", error->message);
}

static const struct expectation *only(GPtrArray *list)
{
	ck_assert_uint_eq(list->len, 1);
	return g_ptr_array_index(list, 0);
}

/* A scenario without a word about it is a test as well. */
START_TEST(nothing_expected_means_clean)
{
	g_autoptr(GPtrArray)
		list = read_text("return scenario { lifecycle = 'seed1-v4', tasks = {} }", NULL);
	const struct expectation *e = only(list);

	ck_assert_int_eq(e->claim, CLAIM_NEVER);
	ck_assert_str_eq(e->lifecycle, "seed1-v4");
	ck_assert_ptr_null(e->checkers[0]);
	ck_assert_ptr_null(e->variants[0]);
	ck_assert_uint_eq(e->runs, 1);
	ck_assert_uint_eq(e->seed, 1);
	ck_assert_int_eq(e->order, ORDER_TIMED);
	ck_assert(!e->explored);
}
END_TEST

START_TEST(runs_are_read)
{
	g_autoptr(GPtrArray) list = read_entries(
		"{ 'v5.3', variant = { 'none', '-workfn-clobber' }, sometimes = { 'leak', 'lock' },"
		"  set = { n = 3, on = true, share = 2 }, order = 'random', seed = 7, runs = 9 }");
	const struct expectation *e = only(list);

	ck_assert_int_eq(e->claim, CLAIM_SOMETIMES);
	ck_assert_str_eq(e->checkers[0], "leak");
	ck_assert_str_eq(e->checkers[1], "lock");
	ck_assert_ptr_null(e->checkers[2]);
	ck_assert_str_eq(e->variants[0], "none");
	ck_assert_str_eq(e->variants[1], "-workfn-clobber");
	ck_assert_str_eq(e->sets[0], "n=3");
	ck_assert_str_eq(e->sets[1], "on=true");
	ck_assert_str_eq(e->sets[2], "share=2");
	ck_assert_int_eq(e->order, ORDER_RANDOM);
	ck_assert_uint_eq(e->seed, 7);
	ck_assert_uint_eq(e->runs, 9);
}
END_TEST

START_TEST(explorations_are_read)
{
	g_autoptr(GPtrArray) list = read_entries(
		"{ 'v5.3', finds = 'leak', seed = 5,"
		"  explore = { strategy = 'pct', runs = 20, max_time = 0.5, depth = 3 } },"
		"{ 'v5.3', never = '*', explore = { strategy = 'bounded', preemptions = 1 } },"
		"{ 'v5.3', always = '*', explore = {} }");
	const struct expectation *pct = g_ptr_array_index(list, 0);
	const struct expectation *bounded = g_ptr_array_index(list, 1);
	const struct expectation *plain = g_ptr_array_index(list, 2);

	ck_assert(pct->explored && bounded->explored && plain->explored);
	ck_assert_int_eq(pct->explore.strategy, STRATEGY_PCT);
	ck_assert_uint_eq(pct->explore.max_runs, 20);
	ck_assert_uint_eq(pct->explore.depth, 3);
	ck_assert_uint_eq(pct->explore.seed, 5);
	ck_assert(pct->explore.max_seconds > 0.49 && pct->explore.max_seconds < 0.51);
	ck_assert_int_eq(bounded->explore.strategy, STRATEGY_BOUNDED);
	ck_assert_uint_eq(bounded->explore.preemptions, 1);
	ck_assert_uint_eq(bounded->explore.max_runs, 0);
	ck_assert_int_eq(plain->explore.strategy, STRATEGY_AUTO);
}
END_TEST

START_TEST(files_and_reasons_are_read)
{
	g_autoptr(GPtrArray)
		list = read_entries("{ 'v5.3', golden = 'x.trace.jsonl', seed = 2 },"
				    "{ 'v5.3', replay = 'x.sched', skip = 'not yet' }");
	const struct expectation *golden = g_ptr_array_index(list, 0);
	const struct expectation *replay = g_ptr_array_index(list, 1);

	ck_assert_int_eq(golden->claim, CLAIM_GOLDEN);
	ck_assert_str_eq(golden->file, "x.trace.jsonl");
	ck_assert_uint_eq(golden->seed, 2);
	ck_assert_ptr_null(golden->skip);
	ck_assert_int_eq(replay->claim, CLAIM_REPLAY);
	ck_assert_str_eq(replay->skip, "not yet");
}
END_TEST

/* What was found and kept is a test of its own, which knows how to find it again. */
START_TEST(what_is_kept_has_to_come_back)
{
	g_autoptr(GPtrArray) list = read_entries(
		"{ 'v5.3', variant = 'none', set = { n = 2 }, finds = 'leak', keeps = 'a/b',"
		"  seed = 4, explore = { strategy = 'pct', runs = 20 } },"
		"{ 'v5.3', replay = 'x.sched', race = 'x.race.txt' }");
	const struct expectation *finds = g_ptr_array_index(list, 0);
	const struct expectation *kept = g_ptr_array_index(list, 1);
	const struct expectation *replay = g_ptr_array_index(list, 2);

	ck_assert_uint_eq(list->len, 3);
	ck_assert_int_eq(finds->claim, CLAIM_FINDS);
	ck_assert_str_eq(finds->keeps, "a/b");
	ck_assert_ptr_null(finds->file);
	ck_assert_int_eq(kept->claim, CLAIM_REPLAY);
	ck_assert_str_eq(kept->file, "a/b.sched");
	ck_assert_str_eq(kept->race, "a/b.race.txt");
	ck_assert_str_eq(kept->variants[0], "none");
	ck_assert_str_eq(kept->sets[0], "n=2");
	ck_assert_str_eq(kept->checkers[0], "leak");
	ck_assert(kept->explored);
	ck_assert_uint_eq(kept->explore.max_runs, 20);
	ck_assert_uint_eq(kept->explore.seed, 4);
	ck_assert_int_eq(replay->claim, CLAIM_REPLAY);
	ck_assert_str_eq(replay->race, "x.race.txt");
	ck_assert_ptr_null(replay->keeps);
	ck_assert(!replay->explored);
}
END_TEST

START_TEST(slips_are_named)
{
	refused("{ 'v5.4', never = '*' }", "unknown lifecycle 'v5.4'; did you mean 'v5.3'?");
	refused("{ never = '*' }", "the lifecycle: expected a string");
	refused("{ 'v5.3' }", "expected one of never, sometimes, always, finds, replay, golden");
	refused("{ 'v5.3', nevr = '*' }", "unknown field 'nevr'; did you mean 'never'?");
	refused("{ 'v5.3', 'leak', 'never' }", "write NAME = ...");
	refused("{ 'v5.3', never = 'leek' }", "unknown checker 'leek'; did you mean 'leak'?");
	refused("{ 'v5.3', never = {} }", "expected a name or several");
	refused("{ 'v5.3', never = '*', finds = '*' }", "never and finds are two expectations");
	refused("{ 'v5.3', never = '*', variant = 'clobber' }", "unknown variant 'clobber'");
	refused("{ 'v5.3', never = '*', set = { m = 1 } }", "unknown parameter 'm'");
	refused("{ 'v5.3', never = '*', set = { n = 'x' } }", "expected a whole number");
	refused("{ 'v5.3', never = '*', runs = 0 }", "runs: expected 1 to");
	refused("{ 'v5.3', never = '*', order = 'rndom' }", "did you mean 'random'?");
	refused("{ 'v5.3', never = '*', runs = 2, explore = {} }", "not with runs or order");
	refused("{ 'v5.3', never = '*', explore = { strategy = 'pc', runs = 1 } }",
		"unknown strategy 'pc'; did you mean 'pct'?");
	refused("{ 'v5.3', never = '*', explore = { max_time = 0 } }", "expected seconds");
	refused("{ 'v5.3', golden = 'x', runs = 2 }", "golden is one run");
	refused("{ 'v5.3', replay = 'x', seed = 2 }", "the schedule says set, seed and order");
	refused("{ 'v5.3', golden = '*', explore = {} }", "explore goes with never");
	refused("{ 'v5.3', finds = '*', keeps = 'x' }", "keeps goes with finds and explore");
	refused("{ 'v5.3', never = '*', keeps = 'x', explore = {} }", "keeps goes with finds");
	refused("{ 'v5.3', golden = 'x', race = 'y' }", "race is the table of a replay");
}
END_TEST

/* An exploration that nothing ends would be killed, and nobody would know why. */
START_TEST(sampling_needs_an_end)
{
	refused("{ 'v5.3', never = '*', explore = { strategy = 'pct' } }", "say runs = N");
	refused("{ 'v5.3', never = '*', explore = { strategy = 'random' } }", "say runs = N");
}
END_TEST

/* --bless writes it, and a script must not choose just any file. */
START_TEST(files_stay_beside_the_scenario)
{
	refused("{ 'v5.3', golden = '/etc/passwd' }", "a file beside the scenario");
	refused("{ 'v5.3', golden = '../x' }", "a file beside the scenario");
	refused("{ 'v5.3', golden = 'a/../../x' }", "a file beside the scenario");
	refused("{ 'v5.3', golden = '' }", "a file beside the scenario");
	refused("{ 'v5.3', replay = 'x', race = '../y' }", "a file beside the scenario");
	refused("{ 'v5.3', finds = '*', explore = {}, keeps = '/y' }",
		"a file beside the scenario");
}
END_TEST

START_TEST(broken_scripts_are_errors)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(read_text("return scenario {", &error));
	ck_assert(strstr(error->message, "x.lua:1: "));
	g_clear_error(&error);
	ck_assert_ptr_null(expectations_read("/nowhere/x.lua", &error));
	ck_assert(error != NULL);
}
END_TEST

Suite *suite_expect(void)
{
	Suite *s = suite_create("expect");
	TCase *tc = tcase_create("expect");

	tcase_add_test(tc, nothing_expected_means_clean);
	tcase_add_test(tc, runs_are_read);
	tcase_add_test(tc, explorations_are_read);
	tcase_add_test(tc, files_and_reasons_are_read);
	tcase_add_test(tc, what_is_kept_has_to_come_back);
	tcase_add_test(tc, slips_are_named);
	tcase_add_test(tc, sampling_needs_an_end);
	tcase_add_test(tc, files_stay_beside_the_scenario);
	tcase_add_test(tc, broken_scripts_are_errors);
	suite_add_tcase(s, tc);
	return s;
}
