// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs that are drawn over known steps are the runs that the world would have taken: as many,
 * as long, and with the same findings, to the byte.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/explore/same.h"
#include "tests/explore/session.h"
#include "tests/soak/generate.h"

Suite *suite_known(void);

#define SETS_MAX 5
#define MODEL "scenarios/models/cache_shutdown.lua"

static const struct program {
	const char *path;
	const char *sets[SETS_MAX];
	bool recalls; /* nothing but tasks with a CPU each, cells, locks and counters */
} programs[] = {
	{MODEL, {"n=2", "k=2"}, true},
	{MODEL, {"n=4", "k=3"}, true},
	{MODEL, {"n=3", "k=1", "refcount=true"}, true},
	{MODEL, {"n=2", "k=2", "bug=1"}, true},
	{MODEL, {"n=2", "k=2", "bug=2", "refcount=true"}, true},
	{MODEL, {"n=4", "k=3", "bug=3"}, true},
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
	{"tests/explore/needle.lua", {"appends=2", "choices=0"}, true},
	{"tests/explore/needle.lua", {"appends=1", "choices=1"}, false},
	/* What a run has taken before counts, and no state tells. */
	{"tests/explore/inversion.lua", {NULL}, true},
	{"tests/explore/spin.lua", {NULL}, true},
	{"scenarios/lifecycle/offline_vs_alloc.lua", {NULL}, false},
};

/* What is found late is found after much is known. */
#define NR_RUNS 1500

static const struct explore_options ways[] = {
	{.strategy = STRATEGY_RANDOM, .keep_going = true},
	{.strategy = STRATEGY_RANDOM},
	{.strategy = STRATEGY_PCT, .keep_going = true},
	{.strategy = STRATEGY_PCT, .depth = 3},
	{.strategy = STRATEGY_RANDOM, .keep_going = true, .max_steps = 17},
	{.strategy = STRATEGY_PCT, .keep_going = true, .nr_jobs = 2},
};

/* One and the same exploration; the number of steps that were recalled. */
static uint64_t check_same_runs(struct subject *s, const struct explore_options *way, uint64_t seed)
{
	struct explore_options opt = *way;
	struct explore_result with, without;
	uint64_t nr_recalled;

	opt.seed = seed;
	opt.max_runs = NR_RUNS;
	explore(s, &opt, &with);
	opt.no_memo = true;
	explore(s, &opt, &without);
	ck_assert_msg(!with.error, "%s", with.error ? with.error->message : "");
	check_same_counts(&without, &with);
	ck_assert_uint_eq(without.stats.nr_steps, with.stats.nr_steps);
	ck_assert_uint_eq(without.stats.longest, with.stats.longest);
	check_same_findings(&without, &with);
	ck_assert_uint_eq(without.stats.nr_recalled, 0);
	nr_recalled = with.stats.nr_recalled;
	explore_result_clear(&with);
	explore_result_clear(&without);
	return nr_recalled;
}

START_TEST(a_run_on_paper_is_one_of_the_world)
{
	const struct program *p = &programs[_i];
	struct run *run = open_scenario(p->path, NULL, p->sets);
	uint64_t nr_recalled = 0;

	for (size_t w = 0; w < G_N_ELEMENTS(ways); w++)
		nr_recalled += check_same_runs(session_subject(run), &ways[w], 1 + w);
	/* Of others it may, until it meets what a memo cannot hold. */
	ck_assert_msg(nr_recalled > 0 || !p->recalls, "%s recalls nothing", p->path);
	session_close(run);
}
END_TEST

/* Programs that nobody has thought of, of all kinds. */
START_TEST(generated_programs_run_alike)
{
	enum program_kind kind = (enum program_kind)(_i % NR_PROGRAM_KINDS);
	g_autofree char *text = generate(kind, 1 + (guint64)(_i / NR_PROGRAM_KINDS));
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "slabsim-known-XXXXXX", NULL);
	int fd = g_mkstemp(path);
	struct run *run;

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert(g_file_set_contents(path, text, -1, NULL));
	run = open_scenario(path, NULL, NULL);
	(void)check_same_runs(session_subject(run), &ways[0], 1);
	(void)check_same_runs(session_subject(run), &ways[2], 1);
	session_close(run);
	(void)unlink(path);
}
END_TEST

/* Nearly all steps of a model are known when there are many. */
START_TEST(few_steps_are_taken)
{
	static const char *const sets[] = {"n=4", "k=3", NULL};
	const struct explore_options opt = {.strategy = STRATEGY_PCT, .seed = 1, .max_runs = 20000};
	struct run *run = open_scenario(MODEL, NULL, sets);
	struct explore_result r;

	explore(session_subject(run), &opt, &r);
	ck_assert_uint_eq(r.stats.nr_runs, 20000);
	ck_assert_uint_gt(r.stats.nr_recalled, 50 * (r.stats.nr_steps - r.stats.nr_recalled));
	explore_result_clear(&r);
	session_close(run);
}
END_TEST

/* What tasks share behind the world's back is told, once it makes a difference. */
START_TEST(a_shared_variable_is_noticed)
{
	const struct explore_options opt = {
		.strategy = STRATEGY_RANDOM, .seed = 1, .max_runs = 1000};
	struct run *run = open_scenario("tests/explore/shared.lua", NULL, NULL);
	struct explore_result r;

	explore(session_subject(run), &opt, &r);
	ck_assert_int_eq(r.end, END_ERROR);
	ck_assert_ptr_nonnull(strstr(r.error->message, "share a Lua variable"));
	explore_result_clear(&r);
	session_close(run);
}
END_TEST

static volatile sig_atomic_t interrupted;

static void on_alarm(int nr)
{
	(void)nr;
	interrupted = 1;
}

/* Again and again, wherever it may be: mostly in the middle of a run on paper. */
START_TEST(stops_lose_nothing)
{
	static const char *const sets[] = {"n=4", "k=3", "bug=3", NULL};
	const struct itimerval every = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
	struct explore_options opt = {
		.strategy = STRATEGY_PCT, .seed = 1, .max_runs = 30000, .keep_going = true};
	struct run *run = open_scenario(MODEL, NULL, sets);
	struct explore_result whole, parts;
	uint32_t nr_stops = 0;

	explore(session_subject(run), &opt, &whole);
	opt.interrupted = &interrupted;
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &every, NULL);
	explore(session_subject(run), &opt, &parts);
	for (; parts.end == END_INTERRUPTED; nr_stops++) {
		g_autoptr(GByteArray) rest = g_steal_pointer(&parts.rest);

		explore_result_clear(&parts);
		/* So that it gets anywhere. */
		interrupted = 0;
		opt.resume = rest;
		explore(session_subject(run), &opt, &parts);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	ck_assert_uint_gt(nr_stops, 2);
	check_same_counts(&whole, &parts);
	ck_assert_uint_eq(whole.stats.nr_steps, parts.stats.nr_steps);
	ck_assert_uint_eq(whole.findings->len, parts.findings->len);
	explore_result_clear(&whole);
	explore_result_clear(&parts);
	session_close(run);
}
END_TEST

Suite *suite_known(void)
{
	Suite *s = suite_create("known");
	TCase *tc = tcase_create("known");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_run_on_paper_is_one_of_the_world, 0, (int)G_N_ELEMENTS(programs));
	tcase_add_loop_test(tc, generated_programs_run_alike, 0, 40 * NR_PROGRAM_KINDS);
	tcase_add_test(tc, few_steps_are_taken);
	tcase_add_test(tc, a_shared_variable_is_noticed);
	tcase_add_test(tc, stops_lose_nothing);
	suite_add_tcase(s, tc);
	return s;
}
