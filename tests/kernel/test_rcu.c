// SPDX-License-Identifier: GPL-2.0-only
/* RCU: what a grace period waits for, and when a callback runs. */
#include "sim/kernel/rcu.h"

#include <signal.h>
#include <string.h>

#include "sim/kernel/kernel.h"
#include "tests/support/sim_fixture.h"

Suite *suite_rcu(void);

#define MAX_CALLBACKS 600

struct callback {
	struct rcu_head head;
	uint64_t registered, ran; /* seq of the records */
	uint8_t cpu;
};

static struct callback callbacks[MAX_CALLBACKS];
static int nr_callbacks, nr_ran;

static void callback(struct task *t, struct rcu_head *head)
{
	struct callback *cb = container_of(head, struct callback, head);

	expect(t->ctx == CTX_SOFTIRQ && t->cpu->nr == cb->cpu && !cb->ran);
	cb->ran = t->w->nr_records;
	nr_ran++;
}

static struct callback *add_callback(struct task *t, enum rcu_flavour flavour)
{
	struct callback *cb = &callbacks[nr_callbacks++];

	expect(nr_callbacks <= MAX_CALLBACKS);
	memset(cb, 0, sizeof(*cb));
	cb->cpu = (uint8_t)t->cpu->nr;
	call_rcu_named(t, flavour, &cb->head, callback, "callback", 0);
	cb->registered = t->w->nr_records;
	return cb;
}

static oid_t normal(void)
{
	return kernel_of(sim.w)->rcu[RCU_NORMAL].id;
}

static void start(const struct sim_config *config)
{
	sim_start_with(config);
	nr_callbacks = nr_ran = 0;
}

#define start(...) start(&(struct sim_config){__VA_ARGS__})

static bool quiescent(void)
{
	const struct rcu *rcu = kernel_of(sim.w)->rcu;

	return rcu->gp_started == rcu->gp_ended && rcu->gp_seq == rcu->gp_ended;
}

/* ---- rules that hold in every run ------------------------------------------------- */

static void reader(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 4; i++) {
		rcu_read_lock(t);
		work_for(t, 200);
		rcu_read_lock(t);
		work_for(t, 100);
		rcu_read_unlock(t);
		work_for(t, 100);
		rcu_read_unlock(t);
		task_sleep(t, 2 * MS);
	}
}

static void updater(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 8; i++) {
		add_callback(t, RCU_NORMAL);
		work_for(t, 200);
		if (i % 3 == 0)
			task_sleep(t, 3 * MS);
		if (i == 5)
			synchronize_rcu(t, RCU_NORMAL);
	}
}

static void run_crowd(uint64_t seed, int how)
{
	start(.cpus = 3, .seed = seed, .preempt = how / 2, .untimed = how % 2);
	sim.w->cost[COST_TIMESLICE] = 10 * US;
	for (unsigned int i = 0; i < 4; i++) {
		sim_task(i % 3, "reader", reader, NULL);
		if (i < 3)
			sim_task(i, "updater", updater, NULL);
	}
	sim_run();
	expect(sim.w->nr_tasks_alive == 0 && nr_ran == nr_callbacks && quiescent());
}

/* Ground truth 1: not before the end of the first grace period that started afterwards. */
static void check_callback(const struct callback *cb)
{
	const struct rec *start = &sim.recs[cb->registered - 1], *end;

	expect(start->kind == TR_CALL_RCU);
	start = rec_next(start, TR_RCU_GP_START, normal());
	expect(start);
	end = rec_next(start, TR_RCU_GP_END, normal());
	expect(end && end->arg[0] == start->arg[0] && end->seq < cb->ran);
}

START_TEST(a_callback_runs_after_the_first_grace_period_that_starts_after_it)
{
	for (uint64_t seed = 0; seed < 60; seed++) {
		run_crowd(seed, _i);
		for (int i = 0; i < nr_callbacks; i++)
			check_callback(&callbacks[i]);
	}
}
END_TEST

/* Ground truth 3. */
START_TEST(callbacks_of_one_cpu_run_in_the_order_of_registration)
{
	for (uint64_t seed = 0; seed < 60; seed++) {
		run_crowd(seed, _i);
		for (int i = 0; i < nr_callbacks; i++) {
			for (int j = i + 1; j < nr_callbacks; j++) {
				const struct callback *a = &callbacks[i], *b = &callbacks[j];

				expect(a->cpu != b->cpu ||
				       (a->registered < b->registered) == (a->ran < b->ran));
			}
		}
	}
}
END_TEST

/* Ground truth 2: the global number says so last, and callbacks may be faster. */
START_TEST(the_global_number_is_advanced_last)
{
	bool overtaken = false;

	for (uint64_t seed = 0; seed < 100; seed++) {
		const struct rec *cleanup = NULL;

		run_crowd(seed, 1);
		while ((cleanup = rec_next(cleanup, TR_RCU_GP_CLEANUP, 0)) != NULL) {
			const struct rec *end = cleanup;

			while (end->kind != TR_RCU_GP_END)
				end--;
			expect(end->arg[0] == cleanup->arg[0]);
			while (++end < cleanup)
				overtaken |= end->kind == TR_RCU_CALLBACK;
		}
	}
	ck_assert(overtaken);
}
END_TEST

/* Both ends of each section against each grace period, readers that are tasks only. */
static void check_section(const struct rec *lock)
{
	const struct rec *unlock = lock, *gp = NULL;

	do
		unlock = rec_next(unlock, TR_RCU_READ_UNLOCK, lock->obj);
	while (unlock && unlock->arg[0] > 0);
	expect(unlock);
	while ((gp = rec_next(gp, TR_RCU_GP_START, normal())) != NULL) {
		const struct rec *end = rec_next(gp, TR_RCU_GP_END, normal());

		if (lock->seq < gp->seq && gp->seq < unlock->seq)
			expect(end->seq > unlock->seq);
	}
}

START_TEST(a_grace_period_outlasts_the_sections_that_were_open_when_it_started)
{
	for (uint64_t seed = 0; seed < 60; seed++) {
		run_crowd(seed, _i);
		for (const struct rec *r = NULL; (r = rec_next(r, TR_RCU_READ_LOCK, 0)) != NULL;) {
			if (r->arg[0] == 1)
				check_section(r);
		}
	}
}
END_TEST

START_TEST(grace_periods_do_not_overlap)
{
	for (uint64_t seed = 0; seed < 60; seed++) {
		int64_t last = 0, open = 0;

		run_crowd(seed, _i);
		for (size_t i = 0; i < sim.nr_recs; i++) {
			const struct rec *r = &sim.recs[i];

			if (r->kind == TR_RCU_GP_START) {
				expect(!open && r->arg[0] == last + 1);
				open = last = r->arg[0];
			} else if (r->kind == TR_RCU_GP_END) {
				expect(open == r->arg[0]);
				open = 0;
			}
		}
		expect(last > 0 && !open);
	}
}
END_TEST

/* ---- readers ---------------------------------------------------------------------- */

static void read_for(struct task *t, void *arg)
{
	rcu_read_lock(t);
	mark(t, "reader begins");
	work_for(t, (vtime_t)(uintptr_t)arg);
	mark(t, "reader ends");
	rcu_read_unlock(t);
}

static void read_in_gp(struct task *t, void *arg)
{
	while (kernel_of(t->w)->rcu[RCU_NORMAL].gp_started == 0)
		task_sleep(t, 100 * US);
	read_for(t, arg);
}

static void one_callback(struct task *t, void *arg)
{
	add_callback(t, (enum rcu_flavour)(uintptr_t)arg);
}

static void short_gps(void)
{
	sim.w->cost[COST_RCU_GP_INIT] = 10 * US;
	sim.w->cost[COST_RCU_GP] = 400 * US;
}

START_TEST(a_reader_that_began_before_the_grace_period_holds_it_up)
{
	start(.preempt = _i, .exact = true);
	short_gps();
	sim_task(0, "reader", read_for, (void *)(2 * MS));
	sim_task(1, "updater", one_callback, NULL);
	sim_run();
	ck_order(marked("reader begins"), rec_first(TR_RCU_GP_START, normal()));
	ck_order(marked("reader ends"), rec_first(TR_RCU_GP_END, normal()));
}
END_TEST

START_TEST(a_reader_that_begins_during_the_grace_period_does_not)
{
	start(.preempt = _i, .exact = true);
	short_gps();
	sim_task(0, "reader", read_in_gp, (void *)(5 * MS));
	sim_task(1, "updater", one_callback, NULL);
	sim_run();
	ck_order(rec_first(TR_RCU_GP_START, normal()), marked("reader begins"));
	ck_order(rec_first(TR_RCU_GP_END, normal()), marked("reader ends"));
	ck_assert_int_eq(nr_ran, 1);
}
END_TEST

static void read_nested(struct task *t, void *arg)
{
	rcu_read_lock(t);
	read_for(t, arg);
	work_for(t, 1 * MS);
	mark(t, "outer ends");
	rcu_read_unlock(t);
}

START_TEST(the_outermost_unlock_ends_the_section)
{
	start(.preempt = _i, .exact = true);
	short_gps();
	sim_task(0, "reader", read_nested, (void *)(1 * MS));
	sim_task(1, "updater", one_callback, NULL);
	sim_run();
	ck_order(marked("outer ends"), rec_first(TR_RCU_GP_END, normal()));
}
END_TEST

static void plain(struct task *t, void *arg)
{
	work_for(t, (vtime_t)(uintptr_t)arg);
	mark(t, t->comm);
}

/* In a preemptible kernel a reader may lose its CPU: it is still a reader. */
START_TEST(a_preempted_reader_holds_the_grace_period_up)
{
	start(.cpus = 2, .preempt = PREEMPT_FULL, .exact = true);
	short_gps();
	sim.w->cost[COST_TIMESLICE] = 50 * US;
	sim_task(0, "reader", read_for, (void *)(1 * MS));
	sim_task(0, "hog", plain, (void *)(2 * MS));
	sim_task(1, "updater", one_callback, NULL);
	sim_run();
	ck_assert_uint_gt(rec_count(TR_TASK_PREEMPT, 0), 3);
	ck_order(marked("reader ends"), rec_first(TR_RCU_GP_END, normal()));
}
END_TEST

/* Without preemption there are no readers to look for: each CPU has to switch once. */
START_TEST(without_preemption_a_grace_period_waits_for_every_busy_cpu)
{
	start(.preempt = _i, .exact = true);
	short_gps();
	sim_task(0, "busy", plain, (void *)(2 * MS));
	sim_task(1, "updater", one_callback, NULL);
	sim_run();
	if (_i == PREEMPT_FULL)
		ck_order(rec_first(TR_RCU_GP_END, normal()), marked("busy"));
	else
		ck_order(marked("busy"), rec_first(TR_RCU_GP_END, normal()));
}
END_TEST

START_TEST(a_cpu_in_user_mode_holds_no_grace_period_up)
{
	start(.exact = true);
	short_gps();
	task_set_user(sim_task(0, "user", plain, (void *)(2 * MS)), true);
	sim_task(1, "updater", one_callback, NULL);
	sim_run();
	ck_order(rec_first(TR_RCU_GP_END, normal()), marked("user"));
}
END_TEST

static void section_for(struct task *t, void *arg)
{
	static void (*const begin[])(struct task *) = {preempt_disable, local_irq_disable,
						       local_bh_disable};
	static void (*const end[])(struct task *) = {preempt_enable, local_irq_enable,
						     local_bh_enable};
	int kind = *(int *)arg;

	begin[kind](t);
	mark(t, "section begins");
	work_for(t, 2 * MS);
	mark(t, "section ends");
	end[kind](t);
	work_for(t, 2 * MS);
	mark(t, "task ends");
}

/* From v4.20 on such a section is as good as a reader's. */
START_TEST(with_one_flavour_a_masked_section_holds_the_grace_period_up)
{
	int kind = _i;

	start(.preempt = PREEMPT_FULL, .exact = true);
	short_gps();
	sim_task(0, "task", section_for, &kind);
	sim_task(1, "updater", one_callback, NULL);
	sim_run();
	ck_order(marked("section begins"), rec_first(TR_RCU_GP_START, normal()));
	ck_order(marked("section ends"), rec_first(TR_RCU_GP_END, normal()));
	ck_order(rec_first(TR_RCU_GP_END, normal()), marked("task ends"));
}
END_TEST

START_TEST(a_normal_grace_period_of_old_ignores_masked_sections)
{
	int kind = _i;

	start(.preempt = PREEMPT_FULL, .exact = true, .two_flavours = true);
	short_gps();
	sim_task(0, "task", section_for, &kind);
	sim_task(1, "updater", one_callback, (void *)RCU_NORMAL);
	sim_run();
	ck_order(rec_first(TR_RCU_GP_END, normal()), marked("section ends"));
}
END_TEST

START_TEST(a_sched_grace_period_waits_for_masked_sections)
{
	int kind = _i;
	oid_t sched;

	start(.preempt = PREEMPT_FULL, .exact = true, .two_flavours = true);
	short_gps();
	sched = kernel_of(sim.w)->rcu[RCU_SCHED].id;
	sim_task(0, "task", section_for, &kind);
	sim_task(1, "updater", one_callback, (void *)RCU_SCHED);
	sim_run();
	ck_order(marked("section ends"), rec_first(TR_RCU_GP_END, sched));
	ck_assert_ptr_null(rec_first(TR_RCU_GP_START, normal()));
}
END_TEST

START_TEST(a_sched_grace_period_does_not_wait_for_a_preempted_reader)
{
	oid_t sched;

	start(.preempt = PREEMPT_FULL, .exact = true, .two_flavours = true);
	short_gps();
	sched = kernel_of(sim.w)->rcu[RCU_SCHED].id;
	sim.w->cost[COST_TIMESLICE] = 50 * US;
	sim_task(0, "reader", read_for, (void *)(2 * MS));
	sim_task(0, "hog", plain, (void *)(2 * MS));
	sim_task(1, "updater", one_callback, (void *)RCU_SCHED);
	sim_run();
	ck_order(marked("reader begins"), rec_first(TR_RCU_GP_START, sched));
	ck_order(rec_first(TR_RCU_GP_END, sched), marked("reader ends"));
}
END_TEST

/* ---- stalls ----------------------------------------------------------------------- */

static void unbalanced(struct task *t, void *arg)
{
	(void)arg;
	rcu_read_lock(t);
	mark(t, "forgets");
}

static void synchronizer(struct task *t, void *arg)
{
	(void)arg;
	task_sleep(t, 1 * MS);
	synchronize_rcu(t, RCU_NORMAL);
	mark(t, "synchronized");
}

START_TEST(an_unbalanced_reader_stalls_the_grace_period_for_good)
{
	for (uint64_t seed = 0; seed < 30; seed++) {
		start(.seed = seed, .preempt = PREEMPT_FULL);
		sim_task(0, "reader", unbalanced, NULL);
		sim_task(1, "waiter", synchronizer, NULL);
		sim_run();
		expect(rec_count(TR_RCU_GP_START, 0) == 1 && rec_count(TR_RCU_GP_END, 0) == 0);
		expect(sim.w->nr_tasks_alive == 1 && !marked("synchronized"));
		expect(sim_end() > 0 && sim_caught("progress"));
	}
}
END_TEST

/* There the read lock counts nothing: the next context switch ends it. */
START_TEST(without_preemption_an_unbalanced_reader_stalls_nothing)
{
	start(.preempt = PREEMPT_NONE);
	sim_task(0, "reader", unbalanced, NULL);
	sim_task(1, "waiter", synchronizer, NULL);
	sim_run();
	ck_assert_ptr_nonnull(marked("synchronized"));
}
END_TEST

static void unlock_only(struct task *t, void *arg)
{
	(void)arg;
	rcu_read_unlock(t);
}

START_TEST(leaving_a_section_that_was_not_entered_is_refused)
{
	start(.preempt = _i);
	sim_task(0, "task", unlock_only, NULL);
	world_run(sim.w);
}
END_TEST

/* ---- callbacks -------------------------------------------------------------------- */

static void many_callbacks(struct task *t, void *arg)
{
	for (uintptr_t i = 0; i < (uintptr_t)arg; i++)
		add_callback(t, RCU_NORMAL);
}

/* A long list is spread over several softirqs, so that others get the CPU between them. */
START_TEST(a_softirq_runs_at_most_ten_callbacks)
{
	const struct rec *entry = NULL;
	int batches = 0;

	start(.cpus = 1);
	sim_task(0, "updater", many_callbacks, (void *)95);
	sim_run();
	while ((entry = rec_next(entry, TR_SOFTIRQ_ENTRY, 0)) != NULL) {
		const struct rec *end = rec_next(entry, TR_SOFTIRQ_EXIT, 0), *r = entry;
		int n = 0;

		while ((r = rec_next(r, TR_RCU_CALLBACK, 0)) != NULL && r < end)
			n++;
		ck_assert_int_le(n, RCU_BLIMIT);
		batches += n > 0;
	}
	ck_assert_int_eq(batches, 10);
	ck_assert_int_eq(nr_ran, 95);
}
END_TEST

static void requeue(struct task *t, struct rcu_head *head)
{
	(void)head;
	add_callback(t, RCU_NORMAL);
}

static void start_requeue(struct task *t, void *arg)
{
	call_rcu(t, arg, requeue, 0);
}

START_TEST(a_callback_registered_by_a_callback_needs_a_grace_period_of_its_own)
{
	static struct rcu_head head;

	start();
	sim_task(0, "updater", start_requeue, &head);
	sim_run();
	ck_assert_int_eq(nr_ran, 1);
	ck_assert_uint_ge(rec_count(TR_RCU_GP_END, 0), 2);
	check_callback(&callbacks[0]);
}
END_TEST

START_TEST(a_callback_is_caused_by_its_registration)
{
	start();
	sim_task(0, "updater", one_callback, NULL);
	sim_run();
	ck_assert_uint_eq(rec_first(TR_RCU_CALLBACK, 0)->cause, rec_first(TR_CALL_RCU, 0)->seq);
	ck_assert_int_eq(rec_first(TR_RCU_CALLBACK, 0)->via, VIA_CALL_RCU);
	ck_assert_str_eq(rec_first(TR_RCU_CALLBACK, 0)->str, "callback");
}
END_TEST

START_TEST(an_idle_world_has_no_grace_periods)
{
	start();
	sim_task(0, "task", plain, (void *)(2 * MS));
	sim_run();
	ck_assert_uint_eq(rec_count(TR_RCU_GP_START, 0), 0);
}
END_TEST

/* ---- waiting ---------------------------------------------------------------------- */

START_TEST(synchronize_rcu_waits_for_a_grace_period_that_starts_after_the_call)
{
	for (uint64_t seed = 0; seed < 60; seed++) {
		const struct rec *sync = NULL;

		run_crowd(seed, _i);
		while ((sync = rec_next(sync, TR_RCU_SYNC_BEGIN, 0)) != NULL) {
			const struct rec *gp = rec_next(sync, TR_RCU_GP_START, 0), *done = sync;

			do
				done = rec_next(done, TR_RCU_SYNC_END, 0);
			while (done && done->task != sync->task);
			expect(done);
			ck_order(gp, done);
			ck_order(rec_next(gp, TR_RCU_GP_END, 0), done);
		}
	}
}
END_TEST

static int ran_at_barrier_end;

static void barrier(struct task *t, void *arg)
{
	uint64_t called;

	if (arg)
		task_sleep(t, (vtime_t)(uintptr_t)arg);
	called = t->w->nr_records;
	rcu_barrier(t, RCU_NORMAL);
	mark(t, "barrier done");
	for (int i = 0; i < nr_callbacks; i++) {
		const struct callback *cb = &callbacks[i];

		expect(cb->ran || !cb->registered || cb->registered > called);
	}
	ran_at_barrier_end = nr_ran;
}

START_TEST(rcu_barrier_waits_for_the_callbacks_of_every_cpu)
{
	for (uint64_t seed = 0; seed < 100; seed++) {
		start(.cpus = 3, .seed = seed, .preempt = _i / 2, .untimed = _i % 2);
		for (unsigned int i = 1; i < 3; i++)
			sim_task(i, "updater", many_callbacks, (void *)(uintptr_t)(i * 15));
		sim_task(0, "barrier", barrier, (void *)(1 * MS));
		sim_run();
		expect(marked("barrier done") && quiescent());
	}
	if (_i % 2 == 0)
		ck_assert_int_eq(ran_at_barrier_end, 45);
}
END_TEST

START_TEST(rcu_barrier_with_nothing_queued_returns_without_a_grace_period)
{
	start(.exact = true);
	sim_task(0, "barrier", barrier, NULL);
	sim_run();
	ck_assert_uint_lt(marked("barrier done")->t, 10 * US);
	ck_assert_uint_eq(rec_count(TR_RCU_GP_START, 0), 0);
}
END_TEST

/* No CPU comes or goes while it asks them, one after the other. */
START_TEST(rcu_barrier_holds_the_hotplug_lock_while_it_asks)
{
	oid_t lock;

	start(.exact = true);
	lock = rec_str(NULL, TR_LOCK_INIT, "cpu_hotplug_lock")->obj;
	sim_task(1, "updater", one_callback, NULL);
	sim_task(0, "barrier", barrier, (void *)(1 * MS));
	sim_run();
	ck_order(rec_first(TR_RCU_BARRIER_BEGIN, 0), rec_first(TR_LOCK_ACQUIRE, lock));
	ck_order(rec_first(TR_LOCK_ACQUIRE, lock),
		 rec_str(NULL, TR_CALL_RCU, "rcu_barrier_callback"));
	ck_order(rec_str(NULL, TR_CALL_RCU, "rcu_barrier_callback"),
		 rec_first(TR_LOCK_RELEASE, lock));
	/* It does not wait under it. */
	ck_order(rec_first(TR_LOCK_RELEASE, lock), rec_first(TR_RCU_GP_END, 0));
}
END_TEST

/* It stands behind the last callback in that callback's grace period. */
START_TEST(rcu_barrier_adds_no_grace_period)
{
	start(.exact = true);
	sim_task(1, "updater", one_callback, NULL);
	sim_task(0, "barrier", barrier, (void *)(1 * MS));
	sim_run();
	ck_assert_uint_eq(rec_count(TR_RCU_GP_START, 0), 1);
	ck_order(rec_first(TR_RCU_GP_END, 0), marked("barrier done"));
}
END_TEST

START_TEST(rcu_barrier_does_not_wait_for_what_its_callbacks_register)
{
	static struct rcu_head head;

	start(.exact = true);
	sim_task(1, "updater", start_requeue, &head);
	sim_task(0, "barrier", barrier, (void *)(1 * MS));
	sim_run();
	ck_assert_int_eq(ran_at_barrier_end, 0);
	ck_assert_int_eq(nr_ran, 1);
}
END_TEST

START_TEST(barriers_of_several_tasks_all_end)
{
	for (uint64_t seed = 0; seed < 100; seed++) {
		start(.cpus = 3, .seed = seed, .preempt = _i / 2, .untimed = _i % 2);
		sim_task(0, "updater", updater, NULL);
		for (unsigned int i = 0; i < 3; i++)
			sim_task(i, "barrier", barrier, NULL);
		sim_run();
		expect(rec_count_str(TR_LOG, "barrier done") == 3);
	}
}
END_TEST

static void plain_barrier(struct task *t, void *arg)
{
	(void)arg;
	task_sleep(t, 1 * MS);
	rcu_barrier(t, RCU_NORMAL);
}

/* Neither flavour's barrier says anything about the other's callbacks. */
START_TEST(a_barrier_of_one_flavour_ignores_the_other)
{
	start(.two_flavours = true, .exact = true);
	sim_task(1, "updater", one_callback, (void *)RCU_SCHED);
	sim_task(0, "barrier", plain_barrier, NULL);
	sim_run();
	ck_order(rec_first(TR_CALL_RCU, 0), rec_first(TR_RCU_BARRIER_END, 0));
	ck_order(rec_first(TR_RCU_BARRIER_END, 0), rec_first(TR_RCU_CALLBACK, 0));
}
END_TEST

static TCase *case_rules(void)
{
	TCase *tc = tcase_create("rules");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, a_callback_runs_after_the_first_grace_period_that_starts_after_it,
			    0, 6);
	tcase_add_loop_test(tc, callbacks_of_one_cpu_run_in_the_order_of_registration, 0, 6);
	tcase_add_test(tc, the_global_number_is_advanced_last);
	tcase_add_loop_test(tc, a_grace_period_outlasts_the_sections_that_were_open_when_it_started,
			    0, 6);
	tcase_add_loop_test(tc, grace_periods_do_not_overlap, 0, 6);
	tcase_add_loop_test(tc, synchronize_rcu_waits_for_a_grace_period_that_starts_after_the_call,
			    0, 6);
	return tc;
}

static TCase *case_readers(void)
{
	TCase *tc = tcase_create("readers");

	tcase_add_loop_test(tc, a_reader_that_began_before_the_grace_period_holds_it_up, 0, 3);
	tcase_add_loop_test(tc, a_reader_that_begins_during_the_grace_period_does_not, PREEMPT_FULL,
			    PREEMPT_FULL + 1);
	tcase_add_loop_test(tc, the_outermost_unlock_ends_the_section, 0, 3);
	tcase_add_test(tc, a_preempted_reader_holds_the_grace_period_up);
	tcase_add_loop_test(tc, without_preemption_a_grace_period_waits_for_every_busy_cpu, 0, 3);
	tcase_add_test(tc, a_cpu_in_user_mode_holds_no_grace_period_up);
	tcase_add_loop_test(tc, with_one_flavour_a_masked_section_holds_the_grace_period_up, 0, 3);
	tcase_add_loop_test(tc, a_normal_grace_period_of_old_ignores_masked_sections, 0, 3);
	tcase_add_loop_test(tc, a_sched_grace_period_waits_for_masked_sections, 0, 3);
	tcase_add_test(tc, a_sched_grace_period_does_not_wait_for_a_preempted_reader);
	tcase_add_test(tc, an_unbalanced_reader_stalls_the_grace_period_for_good);
	tcase_add_test(tc, without_preemption_an_unbalanced_reader_stalls_nothing);
	tcase_add_loop_test_raise_signal(tc, leaving_a_section_that_was_not_entered_is_refused,
					 SIGABRT, 0, 3);
	return tc;
}

static TCase *case_callbacks(void)
{
	TCase *tc = tcase_create("callbacks");

	tcase_add_test(tc, a_softirq_runs_at_most_ten_callbacks);
	tcase_add_test(tc, a_callback_registered_by_a_callback_needs_a_grace_period_of_its_own);
	tcase_add_test(tc, a_callback_is_caused_by_its_registration);
	tcase_add_test(tc, an_idle_world_has_no_grace_periods);
	tcase_add_loop_test(tc, rcu_barrier_waits_for_the_callbacks_of_every_cpu, 0, 6);
	tcase_add_test(tc, rcu_barrier_with_nothing_queued_returns_without_a_grace_period);
	tcase_add_test(tc, rcu_barrier_holds_the_hotplug_lock_while_it_asks);
	tcase_add_test(tc, rcu_barrier_adds_no_grace_period);
	tcase_add_test(tc, rcu_barrier_does_not_wait_for_what_its_callbacks_register);
	tcase_add_loop_test(tc, barriers_of_several_tasks_all_end, 0, 6);
	tcase_add_test(tc, a_barrier_of_one_flavour_ignores_the_other);
	return tc;
}

Suite *suite_rcu(void)
{
	Suite *s = suite_create("rcu");

	suite_add_tcase(s, case_rules());
	suite_add_tcase(s, case_readers());
	suite_add_tcase(s, case_callbacks());
	return s;
}
