// SPDX-License-Identifier: GPL-2.0-only
/*
 * dpor recalls what steps do instead of taking them: it is the same search, run for run.
 * What scenarios of the repository make of that is in test_skim.c.
 */

#include <string.h>
#include <unistd.h>

#include "tests/explore/same.h"
#include "tests/explore/session.h"
#include "tests/soak/generate.h"

Suite *suite_recall(void);

/* Enough for most of the generated programs. */
#define RUNS_MAX 3000
#define SEEDS 40

static struct run *open_text(const char *text)
{
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "slabsim-recall-XXXXXX", NULL);
	int fd = g_mkstemp(path);
	struct run *run;

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert(g_file_set_contents(path, text, -1, NULL));
	run = open_scenario(path, NULL, NULL);
	(void)unlink(path);
	return run;
}

/* Return: how many steps were recalled. */
static uint64_t check_text(const char *text, bool keep_going, struct explore_result *with)
{
	struct explore_options opt = {
		.strategy = STRATEGY_DPOR,
		.seed = 1,
		.max_runs = RUNS_MAX,
		.keep_going = keep_going,
	};
	struct run *run = open_text(text);
	struct explore_result without;

	explore(session_subject(run), &opt, with);
	opt.no_memo = true;
	explore(session_subject(run), &opt, &without);
	ck_assert_msg(!with->error, "%s\n%s", with->error ? with->error->message : "", text);
	ck_assert_uint_eq(without.stats.nr_recalled, 0);
	check_same_counts(&without, with);
	ck_assert_uint_eq(without.stats.nr_blocked, with->stats.nr_blocked);
	ck_assert_uint_eq(without.stats.longest, with->stats.longest);
	check_same_findings(&without, with);
	explore_result_clear(&without);
	session_close(run);
	return with->stats.nr_recalled;
}

static uint64_t check_seed(enum program_kind kind, guint64 seed)
{
	g_autofree char *text = generate(kind, seed);
	uint64_t nr_recalled = 0;

	for (int keep_going = 0; keep_going < 2; keep_going++) {
		struct explore_result with;

		nr_recalled += check_text(text, keep_going, &with);
		explore_result_clear(&with);
	}
	return nr_recalled;
}

/*
 * In how many of them something is recalled, at least.  Cgroups and caches have work items and
 * callbacks from the first steps on, and where CPUs are shared nothing is known.
 */
static const uint32_t recalling[NR_PROGRAM_KINDS] = {
	[PROGRAM_MODEL] = SEEDS / 4, [PROGRAM_REFCOUNT] = SEEDS / 4, [PROGRAM_COPIES] = SEEDS / 4,
	[PROGRAM_WAITS] = SEEDS / 8, [PROGRAM_LOCKS] = SEEDS / 10,
};

START_TEST(recalling_is_the_same_as_taking)
{
	enum program_kind kind = (enum program_kind)_i;
	uint32_t nr_recalling = 0;

	for (guint64 seed = 1; seed <= SEEDS; seed++)
		nr_recalling += check_seed(kind, seed) > 0;
	ck_assert_uint_ge(nr_recalling, recalling[kind]);
}
END_TEST

/*
 * Whoever takes "b" before "a" does the same whether or not somebody else has taken them the other
 * way round, but the verdict is another one.
 */
static const char *const inversion =
	"return model {\n"
	"  setup = function(sim)\n"
	"    sim.x, sim.a, sim.b = sim:cell('x', 0), sim:mutex('a'), sim:mutex('b')\n"
	"  end,\n"
	"  tasks = {\n"
	"    task('writer', function(t, sim)\n"
	"      t:write_once(sim.x, 1)\n"
	"      t:lock(sim.b) t:lock(sim.a) t:unlock(sim.a) t:unlock(sim.b) end),\n"
	"    task('reader', function(t, sim)\n"
	"      if t:read_once(sim.x) == 0 then\n"
	"        t:lock(sim.a) t:lock(sim.b) t:unlock(sim.b) t:unlock(sim.a)\n"
	"      end end),\n"
	"  },\n"
	"}\n";

START_TEST(an_order_of_locks_is_no_part_of_the_state_and_counts)
{
	struct explore_result with;
	const struct finding *f;

	ck_assert_uint_gt(check_text(inversion, true, &with), 0);
	ck_assert_uint_ge(with.findings->len, 1);
	f = g_ptr_array_index(with.findings, 0);
	ck_assert_ptr_nonnull(strstr(f->violation.text, "order inversion"));
	explore_result_clear(&with);
}
END_TEST

/* Two tasks take two locks in either order: an order and its reverse are two. */
START_TEST(an_order_of_locks_is_not_its_reverse)
{
	g_autofree char *text = NULL;
	struct explore_result with;

	ck_assert(g_file_get_contents("tests/explore/inversion.lua", &text, NULL, NULL));
	ck_assert_uint_gt(check_text(text, true, &with), 0);
	ck_assert_uint_eq(with.stats.nr_failing, 6);
	explore_result_clear(&with);
}
END_TEST

/* A section that keeps interrupts out, in which a task waits: what dpor knows of turns. */
static const char *const sections =
	"return model {\n"
	"  cpus = 3,\n"
	"  setup = function(sim) sim.c, sim.l = sim:cell('c', 0), sim:spinlock('l') end,\n"
	"  tasks = {\n"
	"    task('one', { cpu = 0 }, function(t, sim)\n"
	"      t:preempt_disable() t:wait_until(sim.c, 2) t:preempt_enable() end),\n"
	"    task('two', { cpu = 1 }, function(t, sim)\n"
	"      t:lock(sim.l) t:atomic_inc(sim.c) t:unlock(sim.l) end),\n"
	"    task('three', { cpu = 2 }, function(t, sim)\n"
	"      t:local_irq_disable() t:lock(sim.l) t:atomic_inc(sim.c) t:unlock(sim.l)\n"
	"      t:local_irq_enable() t:write_once(sim.c, 0) end),\n"
	"  },\n"
	"}\n";

START_TEST(sections_are_what_they_are_in_the_world)
{
	struct explore_result with;

	ck_assert_uint_gt(check_text(sections, true, &with), 0);
	explore_result_clear(&with);
}
END_TEST

/* What tasks share behind the world's back is told, once it makes a difference. */
static const char *const shared =
	"local turns\n"
	"local function take_turns(t, sim)\n"
	"  for _ = 1, 3 do turns = turns + 1 t:write_once(sim.turn, turns > 3 and 1 or 0) end\n"
	"end\n"
	"return model {\n"
	"  setup = function(sim) turns = 0 sim.turn = sim:cell('turn', 0) end,\n"
	"  tasks = { task('one', take_turns), task('two', take_turns) },\n"
	"}\n";

START_TEST(a_shared_variable_is_noticed)
{
	const struct explore_options opt = {.strategy = STRATEGY_DPOR, .seed = 1};
	struct run *run = open_text(shared);
	struct explore_result r;

	explore(session_subject(run), &opt, &r);
	ck_assert_int_eq(r.end, END_ERROR);
	ck_assert_ptr_nonnull(strstr(r.error->message, "share a Lua variable"));
	explore_result_clear(&r);
	session_close(run);
}
END_TEST

/* Nearly all steps of a model are known when there are many. */
START_TEST(few_steps_are_taken)
{
	static const char *const sets[] = {"n=3", "k=2", NULL};
	const struct explore_options opt = {.strategy = STRATEGY_DPOR, .seed = 1};
	struct run *run = open_scenario("scenarios/models/cache_shutdown.lua", NULL, sets);
	struct explore_result r;

	explore(session_subject(run), &opt, &r);
	ck_assert_int_eq(r.end, END_COMPLETE);
	ck_assert_uint_gt(r.stats.nr_recalled, 10 * (r.stats.nr_steps - r.stats.nr_recalled));
	explore_result_clear(&r);
	session_close(run);
}
END_TEST

Suite *suite_recall(void)
{
	Suite *s = suite_create("recall");
	TCase *tc = tcase_create("recall");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, recalling_is_the_same_as_taking, 0, NR_PROGRAM_KINDS);
	tcase_add_test(tc, an_order_of_locks_is_no_part_of_the_state_and_counts);
	tcase_add_test(tc, an_order_of_locks_is_not_its_reverse);
	tcase_add_test(tc, sections_are_what_they_are_in_the_world);
	tcase_add_test(tc, a_shared_variable_is_noticed);
	tcase_add_test(tc, few_steps_are_taken);
	suite_add_tcase(s, tc);
	return s;
}
