// SPDX-License-Identifier: GPL-2.0-only
/* percpu_ref: counted per CPU until the kill, released once, a grace period after it. */
#include "sim/kernel/percpu_ref.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tests/support/sim_fixture.h"

Suite *suite_percpu_ref(void);

#define SEEDS 60

static struct percpu_ref ref;
static int nr_released, nr_confirmed;
static oid_t owner;

static void on_release(struct task *t, struct percpu_ref *r)
{
	expect(r == &ref);
	nr_released++;
	mark(t, "released");
}

static void on_confirm(struct task *t, struct percpu_ref *r)
{
	expect(r == &ref && nr_released == 0);
	nr_confirmed++;
	/* Only afterwards: who exits the counter in here is warned. */
	expect(r->switching || !r->atomic || rec_first(TR_REF_KILL, owner)->arg[0]);
	mark(t, "confirmed");
	expect(!percpu_ref_tryget_live(t, r, HOLD_SCRIPT, 0));
}

static void init_ref(struct task *t, void *arg)
{
	(void)arg;
	owner = world_new_id(t->w, OBJ_CELL);
	expect(percpu_ref_init(t, &ref, owner, "test", on_release) == 0);
}

static void start(const struct sim_config *config)
{
	struct sim_config timed = *config;

	timed.untimed = false;
	sim_start_with(&timed);
	memset(&ref, 0, sizeof(ref));
	nr_released = nr_confirmed = 0;
	sim_task(0, "init", init_ref, NULL);
	sim_run();
	if (config->untimed)
		sim_untimed();
}

#define start(...) start(&(struct sim_config){__VA_ARGS__})

static void get(struct task *t)
{
	percpu_ref_get_many(t, &ref, 1, HOLD_SCRIPT, 0);
}

static void put(struct task *t)
{
	percpu_ref_put_many(t, &ref, 1, HOLD_SCRIPT, 0);
}

static void one(unsigned int cpu, void (*fn)(struct task *t, void *arg), void *arg)
{
	sim_task(cpu, "task", fn, arg);
	sim_run();
}

/* ---- life ------------------------------------------------------------------------- */

static void user(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 4; i++) {
		if (!percpu_ref_tryget(t, &ref, HOLD_SCRIPT, 0))
			continue;
		work_for(t, 200);
		expect(nr_released == 0);
		percpu_ref_get_many(t, &ref, 2, HOLD_SCRIPT, 0);
		task_sleep(t, MS);
		expect(nr_released == 0);
		percpu_ref_put_many(t, &ref, 3, HOLD_SCRIPT, 0);
		task_sleep(t, 2 * MS);
	}
}

static void killer(struct task *t, void *arg)
{
	task_sleep(t, (vtime_t)(uintptr_t)arg);
	mark(t, "kills");
	percpu_ref_kill_and_confirm(t, &ref, on_confirm);
}

static void run_crowd(uint64_t seed, int how)
{
	start(.cpus = 3, .seed = seed, .preempt = how / 2, .untimed = how % 2);
	sim.w->cost[COST_TIMESLICE] = 10 * US;
	for (unsigned int i = 0; i < 5; i++)
		sim_task(i % 3, "user", user, NULL);
	sim_task(2, "killer", killer, (void *)(1 * MS));
	sim_run();
	expect(sim.w->nr_tasks_alive == 0);
}

START_TEST(a_killed_ref_is_released_exactly_once)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		run_crowd(seed, _i);
		expect(nr_released == 1 && nr_confirmed == 1);
		expect(rec_count(TR_REF_ZERO, owner) == 1 && ref.count == 0);
		if (sim_end() > 0)
			ck_abort_msg("seed %d: %s", (int)seed, sim_violation());
	}
}
END_TEST

START_TEST(the_switch_comes_a_grace_period_after_the_kill)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		const struct rec *kill, *gp;

		run_crowd(seed, _i);
		kill = rec_first(TR_REF_KILL, owner);
		gp = rec_next(kill, TR_RCU_GP_START, 0);
		ck_order(kill, gp);
		ck_order(rec_next(gp, TR_RCU_GP_END, 0), rec_first(TR_REF_ATOMIC, owner));
		ck_order(rec_first(TR_REF_ATOMIC, owner), marked("confirmed"));
		ck_order(marked("confirmed"), marked("released"));
	}
}
END_TEST

static void get_here(struct task *t, void *arg)
{
	(void)arg;
	get(t);
}

static void put_here(struct task *t, void *arg)
{
	(void)arg;
	put(t);
}

START_TEST(a_get_on_one_cpu_and_its_put_on_another_meet)
{
	start();
	one(0, get_here, NULL);
	one(1, put_here, NULL);
	ck_assert_int_eq(ref.percpu[0], 1);
	ck_assert_int_eq(ref.percpu[1], -1);
	one(0, killer, NULL);
	ck_assert_int_eq(nr_released, 1);
}
END_TEST

static void get_kill_put(struct task *t, void *arg)
{
	get(t);
	percpu_ref_kill(t, &ref);
	put(t);
	expect(nr_released == 0 && !percpu_ref_is_zero(t, &ref));
	mark(t, arg);
}

/* The put of the base and of everything else goes to the atomic part: the bias hides its zero. */
START_TEST(the_count_is_never_zero_before_the_switch)
{
	start();
	one(0, get_kill_put, "all put");
	ck_order(marked("all put"), rec_first(TR_REF_ATOMIC, owner));
	ck_order(rec_first(TR_REF_ATOMIC, owner), marked("released"));
	ck_assert_int_eq(rec_first(TR_REF_ATOMIC, owner)->arg[0], 1);
}
END_TEST

static void kill_held(struct task *t, void *arg)
{
	(void)arg;
	get(t);
	percpu_ref_kill_and_confirm(t, &ref, on_confirm);
	task_sleep(t, 50 * MS);
	expect(nr_confirmed == 1 && nr_released == 0);
	expect(!percpu_ref_is_zero(t, &ref));
	mark(t, "last put");
	put(t);
	expect(nr_released == 1 && percpu_ref_is_zero(t, &ref));
}

START_TEST(the_last_put_after_the_switch_releases_in_place)
{
	start();
	one(0, kill_held, NULL);
	ck_order(marked("last put"), marked("released"));
	ck_assert_int_eq(marked("released")->ctx, CTX_TASK);
}
END_TEST

static void just_kill(struct task *t, void *arg)
{
	(void)arg;
	percpu_ref_kill(t, &ref);
	expect(nr_released == 0);
}

START_TEST(an_unused_ref_is_released_by_the_switch)
{
	start();
	one(0, just_kill, NULL);
	ck_assert_int_eq(nr_released, 1);
	ck_assert_int_eq(marked("released")->ctx, CTX_SOFTIRQ);
}
END_TEST

static void fill_bias(struct task *t, void *arg)
{
	(void)arg;
	percpu_ref_put_many(t, &ref, 1, HOLD_SCRIPT, 0);
	percpu_ref_kill(t, &ref);
}

START_TEST(an_unbalanced_put_is_warned_about_and_caught)
{
	start();
	one(0, fill_bias, NULL);
	ck_assert_ptr_nonnull(rec_first(TR_WARN, owner));
	ck_assert(sim_end() > 0 && sim_caught("refcount"));
}
END_TEST

/* ---- tryget ----------------------------------------------------------------------- */

static void tryget_after_kill(struct task *t, void *arg)
{
	(void)arg;
	expect(percpu_ref_tryget_live(t, &ref, HOLD_SCRIPT, 0));
	percpu_ref_kill_and_confirm(t, &ref, on_confirm);
	expect(!percpu_ref_tryget_live(t, &ref, HOLD_SCRIPT, 0));
	expect(percpu_ref_tryget(t, &ref, HOLD_SCRIPT, 0));
	task_sleep(t, 50 * MS);
	expect(nr_confirmed == 1);
	expect(!percpu_ref_tryget_live(t, &ref, HOLD_SCRIPT, 0));
	expect(percpu_ref_tryget(t, &ref, HOLD_SCRIPT, 0));
	percpu_ref_put_many(t, &ref, 2, HOLD_SCRIPT, 0);
	expect(nr_released == 0);
	put(t);
	expect(nr_released == 1);
	expect(!percpu_ref_tryget(t, &ref, HOLD_SCRIPT, 0));
	expect(!percpu_ref_tryget_live(t, &ref, HOLD_SCRIPT, 0));
	mark(t, "done");
}

START_TEST(tryget_fails_at_zero_and_tryget_live_once_killed)
{
	start();
	one(0, tryget_after_kill, NULL);
	ck_assert_ptr_nonnull(marked("done"));
	ck_assert_int_eq(rec_last(TR_REF_TRYGET, owner)->arg[0], 0);
	ck_assert_int_eq(rec_last(TR_REF_TRYGET, owner)->arg[3], 1);
}
END_TEST

static void tryget_live_often(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 30; i++) {
		if (percpu_ref_tryget_live(t, &ref, HOLD_SCRIPT, 0))
			put(t);
	}
}

/* Another CPU may not see the kill yet: that is why there is a confirmation. */
START_TEST(between_kill_and_confirm_tryget_live_may_still_succeed)
{
	bool late = false;

	for (uint64_t seed = 0; seed < 200; seed++) {
		const struct rec *r = NULL;

		start(.seed = seed, .untimed = true);
		sim_task(0, "trier", tryget_live_often, NULL);
		sim_task(1, "killer", killer, NULL);
		sim_run();
		while ((r = rec_next(r, TR_REF_TRYGET, owner)) != NULL) {
			expect(!r->arg[0] || r->seq < marked("confirmed")->seq);
			late |= r->arg[0] && r->seq > rec_first(TR_REF_KILL, owner)->seq;
		}
	}
	ck_assert(late);
}
END_TEST

/* ---- odd uses --------------------------------------------------------------------- */

static void kill_twice(struct task *t, void *arg)
{
	(void)arg;
	get(t);
	get(t);
	percpu_ref_kill(t, &ref);
	percpu_ref_kill(t, &ref);
}

START_TEST(killing_a_dead_ref_is_warned_about)
{
	start();
	one(0, kill_twice, NULL);
	ck_assert_ptr_nonnull(rec_str(NULL, TR_WARN, "percpu_ref_kill on a dead ref"));
}
END_TEST

static void resurrect(struct task *t, void *arg)
{
	(void)arg;
	get(t);
	percpu_ref_kill_and_confirm(t, &ref, on_confirm);
	task_sleep(t, 50 * MS);
	percpu_ref_resurrect(t, &ref);
	expect(percpu_ref_tryget_live(t, &ref, HOLD_SCRIPT, 0));
	put(t);
	put(t);
	expect(nr_released == 0 && !percpu_ref_is_zero(t, &ref));
	percpu_ref_kill_and_confirm(t, &ref, on_confirm);
}

START_TEST(a_resurrected_ref_counts_and_dies_like_a_new_one)
{
	start();
	one(0, resurrect, NULL);
	ck_assert_int_eq(nr_confirmed, 2);
	ck_assert_int_eq(nr_released, 1);
	ck_assert_int_eq(rec_last(TR_REF_INIT, owner)->arg[0], 2);
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

static void reinit(struct task *t, void *arg)
{
	(void)arg;
	percpu_ref_kill(t, &ref);
	task_sleep(t, 50 * MS);
	expect(nr_released == 1);
	percpu_ref_reinit(t, &ref);
	expect(percpu_ref_tryget_live(t, &ref, HOLD_SCRIPT, 0));
	put(t);
	percpu_ref_kill(t, &ref);
}

START_TEST(a_ref_at_zero_can_be_used_again)
{
	start();
	one(0, reinit, NULL);
	ck_assert_int_eq(nr_released, 2);
}
END_TEST

static void resurrect_too_soon(struct task *t, void *arg)
{
	(void)arg;
	percpu_ref_kill(t, &ref);
	percpu_ref_resurrect(t, &ref);
}

static void resurrect_alive(struct task *t, void *arg)
{
	(void)arg;
	percpu_ref_resurrect(t, &ref);
}

static void reinit_held(struct task *t, void *arg)
{
	(void)arg;
	get(t);
	percpu_ref_kill(t, &ref);
	task_sleep(t, 50 * MS);
	percpu_ref_reinit(t, &ref);
}

START_TEST(a_ref_that_is_alive_or_switching_or_held_is_not_revived)
{
	static void (*const wrong[])(struct task * t, void *arg) = {resurrect_too_soon,
								    resurrect_alive, reinit_held};

	start();
	one(0, wrong[_i], NULL);
}
END_TEST

static void exit_while_switching(struct task *t, void *arg)
{
	(void)arg;
	percpu_ref_kill(t, &ref);
	percpu_ref_exit(t, &ref);
}

/* What a264df74df38 is about: the switch runs on freed counters. */
START_TEST(freeing_a_ref_that_switches_is_caught)
{
	start();
	one(0, exit_while_switching, NULL);
	ck_assert_int_eq(rec_first(TR_REF_EXIT, owner)->arg[0], 1);
	sim_end();
	ck_assert(sim_caught("refcount"));
}
END_TEST

static void kill_and_exit(struct task *t, void *arg)
{
	(void)arg;
	percpu_ref_kill(t, &ref);
	task_sleep(t, 50 * MS);
	percpu_ref_exit(t, &ref);
}

START_TEST(freeing_a_released_ref_is_fine)
{
	start();
	one(0, kill_and_exit, NULL);
	ck_assert_int_eq(rec_first(TR_REF_EXIT, owner)->arg[0], 0);
	ck_assert_int_eq(rec_first(TR_REF_EXIT, owner)->arg[1], 0);
	ck_assert_ptr_null(ref.percpu);
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

static void init_fails(struct task *t, void *arg)
{
	struct percpu_ref other;

	(void)arg;
	expect(percpu_ref_init(t, &other, world_new_id(t->w, OBJ_CELL), "test", on_release) ==
	       -ENOMEM);
	mark(t, "failed");
}

START_TEST(init_reports_that_memory_ran_out)
{
	start();
	sim_faults(0, 1);
	one(0, init_fails, NULL);
	ck_assert_ptr_nonnull(marked("failed"));
	ck_assert_uint_eq(rec_count(TR_REF_INIT, 0), 1);
}
END_TEST

static void read_for_long(struct task *t, void *arg)
{
	(void)arg;
	rcu_read_lock(t);
	work_for(t, 10 * MS);
	mark(t, "reader ends");
	rcu_read_unlock(t);
}

static void hog(struct task *t, void *arg)
{
	(void)arg;
	work_for(t, 3 * MS);
}

/* Before v4.20 the switch uses the sched flavour: a preempted reader does not delay it. */
START_TEST(with_two_flavours_the_switch_ignores_a_preempted_reader)
{
	start(.preempt = PREEMPT_FULL, .two_flavours = _i, .exact = true);
	sim.w->cost[COST_TIMESLICE] = 20 * US;
	sim.w->cost[COST_RCU_GP_INIT] = 100 * US;
	sim.w->cost[COST_RCU_GP] = 400 * US;
	sim.w->cost[COST_RCU_NOTICE] = 10 * US;
	sim_task(0, "reader", read_for_long, NULL);
	sim_task(0, "hog", hog, NULL);
	sim_task(1, "killer", killer, NULL);
	sim_run();
	if (_i)
		ck_order(marked("confirmed"), marked("reader ends"));
	else
		ck_order(marked("reader ends"), marked("confirmed"));
}
END_TEST

static TCase *case_life(void)
{
	TCase *tc = tcase_create("life");

	tcase_add_loop_test(tc, a_killed_ref_is_released_exactly_once, 0, 6);
	tcase_add_loop_test(tc, the_switch_comes_a_grace_period_after_the_kill, 0, 6);
	tcase_add_test(tc, a_get_on_one_cpu_and_its_put_on_another_meet);
	tcase_add_test(tc, the_count_is_never_zero_before_the_switch);
	tcase_add_test(tc, the_last_put_after_the_switch_releases_in_place);
	tcase_add_test(tc, an_unused_ref_is_released_by_the_switch);
	tcase_add_test(tc, an_unbalanced_put_is_warned_about_and_caught);
	tcase_add_test(tc, tryget_fails_at_zero_and_tryget_live_once_killed);
	tcase_add_test(tc, between_kill_and_confirm_tryget_live_may_still_succeed);
	tcase_add_loop_test(tc, with_two_flavours_the_switch_ignores_a_preempted_reader, 0, 2);
	return tc;
}

static TCase *case_odd(void)
{
	TCase *tc = tcase_create("odd");

	tcase_add_test(tc, killing_a_dead_ref_is_warned_about);
	tcase_add_test(tc, a_resurrected_ref_counts_and_dies_like_a_new_one);
	tcase_add_test(tc, a_ref_at_zero_can_be_used_again);
	tcase_add_loop_test_raise_signal(
		tc, a_ref_that_is_alive_or_switching_or_held_is_not_revived, SIGABRT, 0, 3);
	tcase_add_test(tc, freeing_a_ref_that_switches_is_caught);
	tcase_add_test(tc, freeing_a_released_ref_is_fine);
	tcase_add_test(tc, init_reports_that_memory_ran_out);
	return tc;
}

Suite *suite_percpu_ref(void)
{
	Suite *s = suite_create("percpu_ref");

	suite_add_tcase(s, case_life());
	suite_add_tcase(s, case_odd());
	return s;
}
