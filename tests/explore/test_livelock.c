// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs that go round in loops: those that nothing ends are found, others are left alone.
 */

#include <check.h>
#include <glib/gstdio.h>

#include "sim/cli/coverage.h"
#include "sim/explore/livelock.h"
#include "sim/explore/schedule/minimise.h"
#include "sim/explore/schedule/schedule.h"
#include "tests/explore/session.h"

Suite *suite_livelock(void);

#define MODEL "scenarios/models/trylock_backoff.lua"

/* A task spins; another one takes some steps, and then may end that. */
#define SPIN                                                                                       \
	"return model { options = { ends = { true, \"the flag is set\" } },"                       \
	" setup = function(sim) sim.f, sim.n = sim:cell('f', false), sim:cell('n', 0) end,"        \
	" tasks = {"                                                                               \
	"  task('spinner', function(t, sim) while not t:read_once(sim.f) do end end),"             \
	"  task('setter', function(t, sim, opt)"                                                   \
	"   t:atomic_add(sim.n, 1) t:atomic_add(sim.n, 1) t:atomic_add(sim.n, 1)"                  \
	"   if opt.ends then t:write_once(sim.f, true) end end) } }"

/* Several calls in a line, with the same words, at different places. */
#define ONE_LINE                                                                                   \
	"return model {"                                                                           \
	" setup = function(sim) sim.a, sim.b = sim:cell('a', 0), sim:cell('b', 0) end,"            \
	" tasks = { task('one', function(t, sim)"                                                  \
	" t:read_once(sim.a) t:read_once(sim.b) t:read_once(sim.a) t:read_once(sim.b)"             \
	" t:assert(false, 'it comes to this') end) } }"

static const char *const buggy[] = {"buggy=true", NULL};
static const char *const endless[] = {"ends=false", NULL};

struct script {
	char *dir, *path;
	struct run *run;
};

static struct script open_text(const char *text, const char *const *sets)
{
	struct script s = {.dir = g_dir_make_tmp("slabsim-XXXXXX", NULL)};

	s.path = g_build_filename(s.dir, "x.lua", NULL);
	ck_assert(g_file_set_contents(s.path, text, -1, NULL));
	s.run = open_scenario(s.path, NULL, sets);
	return s;
}

static void close_text(struct script *s)
{
	session_close(s->run);
	g_unlink(s->path);
	g_rmdir(s->dir);
	g_free(s->path);
	g_free(s->dir);
}

static void explore_by(struct run *run, enum strategy strategy, struct explore_options *opt,
		       struct explore_result *result)
{
	*opt = (struct explore_options){
		.strategy = strategy, .seed = 1, .preemptions = 2, .max_runs = 20000};
	explore(session_subject(run), opt, result);
	ck_assert_ptr_null(result->error);
}

static const struct finding *only_finding(const struct explore_result *result)
{
	ck_assert_uint_eq(result->findings->len, 1);
	return g_ptr_array_index(result->findings, 0);
}

static const enum strategy finders[] = {STRATEGY_RANDOM, STRATEGY_PCT, STRATEGY_BOUNDED,
					STRATEGY_EXHAUSTIVE, STRATEGY_AUTO};

START_TEST(a_loop_that_nothing_ends_is_found)
{
	struct run *run = open_scenario(MODEL, NULL, buggy);
	struct explore_options opt;
	struct explore_result result;
	const struct finding *f;

	explore_by(run, finders[_i], &opt, &result);
	f = only_finding(&result);
	ck_assert_str_eq(f->violation.ops->name, "progress");
	ck_assert_ptr_nonnull(
		strstr(f->violation.text, "livelock: nothing ends a loop of 2 steps"));
	ck_assert(f->at_end);
	explore_result_clear(&result);
	session_close(run);
}
END_TEST

START_TEST(dpor_finds_one_that_is_there_from_the_start)
{
	struct script s = open_text(SPIN, endless);
	struct explore_options opt;
	struct explore_result result;

	explore_by(s.run, STRATEGY_DPOR, &opt, &result);
	ck_assert_str_eq(only_finding(&result)->violation.text,
			 "livelock: nothing ends a loop of 1 step of spinner");
	explore_result_clear(&result);
	close_text(&s);
}
END_TEST

/* Each of the two could go on for ever, if the other one never stepped. */
START_TEST(a_loop_that_somebody_else_ends_is_none)
{
	struct run *run = open_scenario(MODEL, NULL, NULL);
	struct explore_options opt;
	struct explore_result result;

	explore_by(run, finders[_i], &opt, &result);
	ck_assert_uint_eq(result.findings->len, 0);
	if (finders[_i] == STRATEGY_EXHAUSTIVE)
		ck_assert_int_eq(coverage(&opt, &result), COVERED_ALL);
	explore_result_clear(&result);
	session_close(run);
}
END_TEST

/* dpor cannot cover all numbers of rounds, and says so; by states it is little work. */
START_TEST(auto_covers_what_dpor_cannot)
{
	struct script s = open_text(SPIN, NULL);
	struct explore_options opt;
	struct explore_result result;

	explore_by(s.run, STRATEGY_DPOR, &opt, &result);
	ck_assert_uint_eq(result.findings->len, 0);
	ck_assert_uint_gt(result.stats.nr_loops, 0);
	ck_assert_int_eq(coverage(&opt, &result), COVERED_SOME);
	explore_result_clear(&result);
	opt.strategy = STRATEGY_AUTO;
	opt.max_runs = 0;
	explore(session_subject(s.run), &opt, &result);
	ck_assert_uint_eq(result.findings->len, 0);
	ck_assert_int_eq(coverage(&opt, &result), COVERED_ALL);
	ck_assert_int_eq(result.stats.strategy, STRATEGY_EXHAUSTIVE);
	explore_result_clear(&result);
	close_text(&s);
}
END_TEST

/* Nobody set the flag and still can: as long as he can step, it is no livelock; then it is. */
START_TEST(a_run_is_lost_when_nobody_is_left)
{
	struct script s = open_text(SPIN, NULL);
	struct exec *x = exec_new(session_subject(s.run));

	exec_restart(x);
	ck_assert(!livelock_is(x));
	ck_assert(!livelock_end(x));
	ck_assert_uint_eq(x->choices->len, 0);
	ck_assert(!exec_violated(x));
	exec_look(x);
	ck_assert(livelock_spins(x, x->enabled[0].key));
	exec_look(x);
	ck_assert(!livelock_spins(x, x->enabled[1].key));
	exec_free(x);
	close_text(&s);

	s = open_text(SPIN, endless);
	x = exec_new(session_subject(s.run));
	exec_restart(x);
	ck_assert(livelock_is(x));
	ck_assert(!exec_violated(x));
	ck_assert(run_end(x));
	ck_assert(exec_violated(x));
	ck_assert_uint_eq(x->choices->len, 0);
	exec_free(x);
	close_text(&s);
}
END_TEST

/* The shortest way there: each claims, takes its lock, and finds the other's taken. */
START_TEST(a_livelock_is_minimised_and_replays)
{
	struct run *run = open_scenario(MODEL, NULL, buggy);
	struct subject *s = session_subject(run);
	const struct minimise_options how = {.proof_steps = 10000000};
	const struct follow_options as_it_says = {.lenient = _i == 1};
	struct explore_options opt;
	struct explore_result result;
	struct minimise_result m;
	struct follow_result r;
	struct finding *f;
	struct schedule *sched;

	explore_by(run, STRATEGY_RANDOM, &opt, &result);
	f = minimise(s, only_finding(&result), &how, &m, NULL);
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(f->nr_steps, 6);
	ck_assert_uint_eq(m.preemptions, 2);
	ck_assert(m.proved);
	sched = schedule_of(s, f, NULL, NULL);
	ck_assert_ptr_nonnull(sched);
	ck_assert(sched->at_end);
	schedule_follow(s, sched, &as_it_says, &r, NULL);
	ck_assert_int_eq(r.end, FOLLOW_VIOLATED);
	ck_assert(schedule_leads_to(sched, &r.violation));
	ck_assert_uint_eq(r.nr_steps, 6);
	schedule_free(sched);
	finding_free(f);
	explore_result_clear(&result);
	session_close(run);
}
END_TEST

START_TEST(calls_in_one_line_are_different_places)
{
	static const enum strategy by_states[] = {STRATEGY_EXHAUSTIVE, STRATEGY_BOUNDED};
	struct script s = open_text(ONE_LINE, NULL);
	struct explore_options opt;
	struct explore_result result;

	explore_by(s.run, by_states[_i], &opt, &result);
	ck_assert_str_eq(only_finding(&result)->violation.ops->name, "assert");
	explore_result_clear(&result);
	close_text(&s);
}
END_TEST

Suite *suite_livelock(void)
{
	Suite *s = suite_create("livelock");
	TCase *tc = tcase_create("livelock");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_loop_that_nothing_ends_is_found, 0, G_N_ELEMENTS(finders));
	tcase_add_test(tc, dpor_finds_one_that_is_there_from_the_start);
	tcase_add_loop_test(tc, a_loop_that_somebody_else_ends_is_none, 0, G_N_ELEMENTS(finders));
	tcase_add_test(tc, auto_covers_what_dpor_cannot);
	tcase_add_test(tc, a_run_is_lost_when_nobody_is_left);
	tcase_add_loop_test(tc, a_livelock_is_minimised_and_replays, 0, 2);
	tcase_add_loop_test(tc, calls_in_one_line_are_different_places, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}
