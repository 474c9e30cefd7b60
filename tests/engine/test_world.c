// SPDX-License-Identifier: GPL-2.0-only
/* World: who runs when, what interrupts it, and that a run can be repeated. */
#include "sim/engine/world.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/snapshot.h"
#include "tests/support/sim_fixture.h"

Suite *suite_world(void);

/* Marks its name when it begins and when it has worked for @arg ns. */
static void busy(struct task *t, void *arg)
{
	mark(t, t->comm);
	work_for(t, (vtime_t)(uintptr_t)arg);
	mark(t, t->comm);
}

static void *ns(vtime_t n)
{
	return (void *)(uintptr_t)n;
}

static const struct rec *began(const char *comm)
{
	return marked(comm);
}

static const struct rec *ended(const char *comm)
{
	return rec_str(marked(comm), TR_LOG, comm);
}

/* ---- CPUs ------------------------------------------------------------------------- */

static void in_and_out(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		mark(t, "in");
		work_for(t, 200);
		mark(t, "out");
		task_sleep(t, 100);
	}
}

static void check_alternation(void)
{
	const struct rec *r = NULL;
	uint32_t inside = 0;

	while ((r = rec_next(r, TR_LOG, 0)) != NULL) {
		expect(inside == (strcmp(r->str, "in") == 0 ? 0 : r->task));
		inside = inside ? 0 : r->task;
	}
}

START_TEST(tasks_of_one_cpu_never_run_at_the_same_time)
{
	for (uint64_t seed = 0; seed < 100; seed++) {
		sim_start(.bare = true, .cpus = 1, .seed = seed, .untimed = _i);
		for (int i = 0; i < 3; i++)
			sim_task(0, "task", in_and_out, NULL);
		sim_run();
		check_alternation();
		expect(rec_count_str(TR_LOG, "out") == 9);
	}
}
END_TEST

static vtime_t time_of_two(unsigned int second_cpu)
{
	sim_start(.bare = true, .exact = true);
	sim_task(0, "a", busy, ns(100 * US));
	sim_task(second_cpu, "b", busy, ns(100 * US));
	sim_run();
	return sim.w->now;
}

START_TEST(tasks_of_one_cpu_share_its_time)
{
	ck_assert_uint_ge(time_of_two(0), 200 * US);
	ck_assert_uint_lt(time_of_two(1), 105 * US);
}
END_TEST

START_TEST(a_cpu_serves_its_tasks_in_the_order_of_their_wakeup)
{
	sim_start(.bare = true, .cpus = 1);
	sim_task(0, "a", busy, ns(100));
	sim_task(0, "b", busy, ns(100));
	sim_task(0, "c", busy, ns(100));
	sim_run();
	ck_order(ended("a"), began("b"));
	ck_order(ended("b"), began("c"));
}
END_TEST

static void sleeper(struct task *t, void *arg)
{
	task_sleep(t, (vtime_t)(uintptr_t)arg);
	mark(t, t->comm);
}

START_TEST(sleepers_wake_in_the_order_of_their_times)
{
	sim_start(.bare = true, .cpus = 3, .exact = true);
	sim_task(0, "long", sleeper, ns(300 * US));
	sim_task(1, "short", sleeper, ns(100 * US));
	sim_task(2, "middle", sleeper, ns(200 * US));
	sim_run();
	ck_order(marked("short"), marked("middle"));
	ck_order(marked("middle"), marked("long"));
	ck_assert_uint_ge(marked("short")->t, 100 * US);
}
END_TEST

static void block_once(struct task *t, void *arg)
{
	(void)arg;
	task_block(t, oid_make(OBJ_WAIT, 7), "test");
	mark(t, "woken");
}

static void wake_twice(struct task *t, void *arg)
{
	uint64_t cause;

	work_for(t, 10 * US);
	mark(t, "wakes");
	cause = t->w->nr_records;
	task_wake(arg, cause);
	task_wake(arg, 0);
}

START_TEST(a_wakeup_of_a_runnable_task_does_nothing)
{
	struct task *t;

	sim_start(.bare = true);
	t = sim_task(0, "sleeper", block_once, NULL);
	sim_task(1, "waker", wake_twice, t);
	sim_run();
	ck_assert_uint_eq(rec_count(TR_TASK_WAKE, t->id), 1);
	ck_assert_uint_eq(rec_count_str(TR_LOG, "woken"), 1);
	ck_assert_uint_eq(rec_first(TR_TASK_WAKE, t->id)->cause, marked("wakes")->seq);
	ck_assert_int_eq(rec_first(TR_TASK_BLOCK, t->id)->arg[0], (int64_t)oid_make(OBJ_WAIT, 7));
}
END_TEST

START_TEST(a_blocked_task_does_not_keep_the_world_running)
{
	sim_start(.bare = true);
	sim_task(0, "sleeper", block_once, NULL);
	sim_run();
	ck_assert_uint_eq(sim.w->nr_tasks_alive, 1);
	ck_assert_ptr_null(marked("woken"));
}
END_TEST

static void chain(struct task *t, void *arg)
{
	uintptr_t left = (uintptr_t)arg;

	if (left > 0)
		sim_task(0, "next", chain, (void *)(left - 1));
	work_for(t, 20);
}

START_TEST(stacks_of_ended_tasks_are_used_again)
{
	sim_start(.bare = true, .cpus = 1);
	sim_task(0, "first", chain, (void *)200);
	sim_run();
	ck_assert_uint_eq(rec_count(TR_TASK_EXIT, 0), 201);
	ck_assert_uint_le(sim.arena->stacks_used[STACK_LARGE], 4);
	ck_assert_uint_eq(sim.w->nr_tasks_alive, 0);
}
END_TEST

static void overflow(struct task *t, void *arg)
{
	(void)arg;
	*(uint64_t *)t->fiber.stack = 0;
	sched_point(t, COST_ACCESS);
	task_sleep(t, 1);
}

START_TEST(a_stack_overflow_is_noticed)
{
	sim_start(.bare = true);
	sim_task(0, "small", overflow, NULL);
	world_run(sim.w);
}
END_TEST

/* ---- preemption ------------------------------------------------------------------- */

/* How often the task that hogs the only CPU lost it while another one waited. */
static size_t preemptions(enum preempt_model model, void (*hog)(struct task *t, void *arg))
{
	sim_start(.bare = true, .cpus = 1, .preempt = model, .exact = true);
	sim.w->cost[COST_TIMESLICE] = 5 * US;
	sim_task(0, "hog", hog, ns(20 * US));
	sim_task(0, "other", busy, ns(100));
	sim_run();
	return rec_count(TR_TASK_PREEMPT, 0);
}

START_TEST(kernel_code_is_preempted_only_in_a_preemptible_kernel)
{
	ck_assert_uint_eq(preemptions(PREEMPT_NONE, busy), 0);
	ck_order(ended("hog"), began("other"));
	ck_assert_uint_eq(preemptions(PREEMPT_VOLUNTARY, busy), 0);
	ck_order(ended("hog"), began("other"));
	ck_assert_uint_ge(preemptions(PREEMPT_FULL, busy), 1);
	ck_order(ended("other"), ended("hog"));
}
END_TEST

static void may_sleep(struct task *t, void *arg)
{
	mark(t, t->comm);
	work_for(t, (vtime_t)(uintptr_t)arg);
	might_sleep(t);
	mark(t, t->comm);
}

START_TEST(might_sleep_is_a_preemption_point_of_a_voluntary_kernel)
{
	ck_assert_uint_eq(preemptions(PREEMPT_NONE, may_sleep), 0);
	ck_order(ended("hog"), began("other"));
	ck_assert_uint_eq(preemptions(PREEMPT_VOLUNTARY, may_sleep), 1);
	ck_order(ended("other"), ended("hog"));
}
END_TEST

static void resched(struct task *t, void *arg)
{
	mark(t, t->comm);
	work_for(t, (vtime_t)(uintptr_t)arg);
	cond_resched(t);
	mark(t, t->comm);
}

START_TEST(cond_resched_lets_others_run_in_a_kernel_without_preemption)
{
	ck_assert_uint_eq(preemptions(PREEMPT_NONE, resched), 1);
	ck_order(ended("other"), ended("hog"));
}
END_TEST

START_TEST(a_task_in_user_mode_is_always_preempted)
{
	sim_start(.bare = true, .cpus = 1, .exact = true);
	sim.w->cost[COST_TIMESLICE] = 5 * US;
	task_set_user(sim_task(0, "hog", busy, ns(20 * US)), true);
	sim_task(0, "other", busy, ns(100));
	sim_run();
	ck_order(ended("other"), ended("hog"));
}
END_TEST

static void unpreemptible(struct task *t, void *arg)
{
	static void (*const begin[])(struct task *) = {preempt_disable, local_irq_disable,
						       local_bh_disable};
	static void (*const end[])(struct task *) = {preempt_enable, local_irq_enable,
						     local_bh_enable};
	int kind = *(int *)arg;

	begin[kind](t);
	begin[kind](t);
	mark(t, t->comm);
	work_for(t, 20 * US);
	end[kind](t);
	work_for(t, 20);
	mark(t, t->comm);
	end[kind](t);
	mark(t, "after");
}

/* The need is remembered: leaving the outermost section is a preemption point. */
START_TEST(a_section_holds_preemption_off_until_it_ends)
{
	int kind = _i;

	sim_start(.bare = true, .cpus = 1, .preempt = PREEMPT_FULL, .exact = true);
	sim.w->cost[COST_TIMESLICE] = 5 * US;
	sim_task(0, "hog", unpreemptible, &kind);
	sim_task(0, "other", busy, ns(100));
	sim_run();
	ck_order(ended("hog"), began("other"));
	ck_order(began("other"), marked("after"));
}
END_TEST

static void (*const unbalanced[])(struct task *t) = {preempt_enable, local_irq_enable,
						     local_bh_enable};

static void end_without_begin(struct task *t, void *arg)
{
	unbalanced[(uintptr_t)arg](t);
}

START_TEST(leaving_a_section_that_was_not_entered_is_refused)
{
	sim_start(.bare = true);
	sim_task(0, "task", end_without_begin, (void *)(uintptr_t)_i);
	world_run(sim.w);
}
END_TEST

/* ---- transitions ------------------------------------------------------------------ */

static int fired[16], nr_fired;
static struct transition trs[16];

static void fire(struct event *ev)
{
	fired[nr_fired++] = (int)(container_of(ev, struct transition, ev) - trs);
}

static void post(int n, vtime_t delay)
{
	nr_fired = 0;
	for (int i = 0; i < n; i++) {
		transition_init(&trs[i], sim.w, TRANSITION_ENV, 0, "test", fire);
		transition_post(&trs[i], delay);
	}
}

START_TEST(equal_times_keep_the_order_of_posting)
{
	sim_start(.bare = true);
	post(16, 100);
	sim_run();
	ck_assert_int_eq(nr_fired, 16);
	for (int i = 0; i < 16; i++)
		ck_assert_int_eq(fired[i], i);
	ck_assert_uint_eq(sim.w->now, 100);
}
END_TEST

START_TEST(shuffled_ties_come_in_every_order)
{
	int seen = 0;

	for (uint64_t seed = 0; seed < 200; seed++) {
		sim_start(.bare = true, .seed = seed, .shuffle_ties = true);
		post(3, 100);
		sim_run();
		expect(nr_fired == 3);
		seen |= 1 << (fired[0] * 3 + fired[1]);
	}
	/* 01 02 10 12 20 21 */
	ck_assert_int_eq(seen, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7);
}
END_TEST

START_TEST(shuffling_never_moves_an_event_past_a_later_one)
{
	for (uint64_t seed = 0; seed < 50; seed++) {
		sim_start(.bare = true, .seed = seed, .shuffle_ties = true);
		post(3, 100);
		transition_init(&trs[3], sim.w, TRANSITION_ENV, 0, "test", fire);
		transition_post(&trs[3], 101);
		sim_run();
		expect(nr_fired == 4 && fired[3] == 3);
	}
}
END_TEST

START_TEST(a_cancelled_transition_does_not_happen)
{
	sim_start(.bare = true, .untimed = _i);
	post(3, 100);
	transition_cancel(&trs[1]);
	transition_cancel(&trs[1]);
	sim_run();
	ck_assert_int_eq(nr_fired, 2);
	ck_assert_int_eq(fired[0] + fired[1], 2);
	transition_cancel(&trs[0]);
}
END_TEST

START_TEST(a_transition_is_posted_once_at_a_time)
{
	sim_start(.bare = true, .untimed = _i);
	post(1, 100);
	transition_post(&trs[0], 100);
}
END_TEST

/* ---- untimed ---------------------------------------------------------------------- */

START_TEST(an_untimed_run_reaches_both_orders_of_two_steps)
{
	int seen = 0;

	for (uint64_t seed = 0; seed < 64; seed++) {
		sim_start(.bare = true, .seed = seed, .untimed = true);
		sim_task(0, "a", busy, ns(20));
		sim_task(1, "b", busy, ns(20));
		sim_run();
		seen |= began("a")->seq < began("b")->seq ? 1 : 2;
	}
	ck_assert_int_eq(seen, 3);
}
END_TEST

START_TEST(sleeping_orders_nothing_in_an_untimed_run)
{
	int seen = 0;

	for (uint64_t seed = 0; seed < 64; seed++) {
		sim_start(.bare = true, .seed = seed, .untimed = true);
		sim_task(0, "short", sleeper, ns(1));
		sim_task(1, "long", sleeper, ns(1000 * MS));
		sim_run();
		seen |= marked("short")->seq < marked("long")->seq ? 1 : 2;
	}
	ck_assert_int_eq(seen, 3);
}
END_TEST

START_TEST(an_untimed_cpu_may_pick_any_runnable_task)
{
	int seen = 0;

	for (uint64_t seed = 0; seed < 64; seed++) {
		sim_start(.bare = true, .cpus = 1, .seed = seed, .untimed = true);
		sim_task(0, "a", busy, ns(20));
		sim_task(0, "b", busy, ns(20));
		sim_task(0, "c", busy, ns(20));
		sim_run();
		seen |= began("b")->seq < began("c")->seq ? 1 : 2;
	}
	ck_assert_int_eq(seen, 3);
}
END_TEST

START_TEST(a_single_alternative_is_no_choice)
{
	sim_start(.bare = true, .cpus = 1, .untimed = true);
	ck_assert_uint_eq(world_choose(sim.w, CHOOSE_SCRIPT, 1), 0);
	ck_assert_uint_eq(sim.nr_asked[CHOOSE_SCRIPT], 0);
	ck_assert_uint_lt(world_choose(sim.w, CHOOSE_SCRIPT, 2), 2);
	ck_assert_uint_eq(sim.nr_asked[CHOOSE_SCRIPT], 1);
	sim_task(0, "only", busy, ns(1000));
	sim_run();
	ck_assert_uint_eq(sim.nr_asked[CHOOSE_STEP], 0);
}
END_TEST

START_TEST(a_world_with_something_pending_cannot_become_untimed)
{
	sim_start(.bare = true);
	post(1, 100);
	world_set_untimed(sim.w);
}
END_TEST

static void three_faults(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++)
		mark(t, fault_point(t, "test") ? "fails" : "works");
}

START_TEST(as_many_faults_are_injected_as_were_allowed)
{
	sim_start(.bare = true);
	sim_faults(1, 1);
	sim_task(0, "task", three_faults, NULL);
	sim_run();
	ck_assert_uint_eq(rec_count_str(TR_LOG, "fails"), 1);
	ck_assert_uint_eq(rec_count_str(TR_FAULT, "test"), 1);
	ck_order(marked("works"), marked("fails"));
	ck_assert_uint_eq(sim.nr_asked[CHOOSE_FAULT], 2);
}
END_TEST

/* ---- interrupts ------------------------------------------------------------------- */

static void handler(struct task *t, void *arg)
{
	mark(t, arg);
}

/* In the arena, as a snapshot demands. */
static struct irq_action *post_irq_to(void (*func)(struct task *t, void *arg), const char *name,
				      vtime_t delay)
{
	struct irq_action *irq = world_alloc(sim.w, sizeof(*irq));

	irq_post(irq, &sim.w->cpus[0], name, func, (void *)(uintptr_t)name, delay, 0);
	return irq;
}

static struct irq_action *post_irq(const char *name, vtime_t delay)
{
	return post_irq_to(handler, name, delay);
}

START_TEST(an_interrupt_runs_on_top_of_a_task)
{
	sim_start(.bare = true, .exact = true);
	post_irq("irq", 6 * US);
	sim_task(0, "task", busy, ns(10 * US));
	sim_run();
	ck_order(began("task"), rec_first(TR_IRQ_ENTRY, 0));
	ck_order(rec_first(TR_IRQ_ENTRY, 0), marked("irq"));
	ck_order(marked("irq"), rec_first(TR_IRQ_EXIT, 0));
	ck_order(rec_first(TR_IRQ_EXIT, 0), ended("task"));
	ck_assert_int_eq(marked("irq")->ctx, CTX_HARDIRQ);
	ck_assert_uint_ne(marked("irq")->task, began("task")->task);
}
END_TEST

START_TEST(an_interrupted_task_loses_exactly_the_time_of_the_interrupt)
{
	sim_start(.bare = true, .exact = true);
	post_irq("irq", 6 * US + 7);
	sim_task(0, "task", busy, ns(10 * US));
	sim_run();
	ck_assert_uint_eq(ended("task")->t - began("task")->t,
			  10 * US + cost_infos[COST_IRQ_ENTRY].ns);
}
END_TEST

START_TEST(an_interrupt_wakes_an_idle_cpu)
{
	sim_start(.bare = true, .exact = true);
	post_irq("irq", 6 * US);
	sim_run();
	ck_assert_uint_eq(marked("irq")->t, 6 * US + cost_infos[COST_IRQ_ENTRY].ns);
}
END_TEST

static void irqs_off(struct task *t, void *arg)
{
	(void)arg;
	local_irq_disable(t);
	local_irq_disable(t);
	mark(t, "off");
	work_for(t, 10 * US);
	local_irq_enable(t);
	work_for(t, 10 * US);
	mark(t, "still off");
	local_irq_enable(t);
	mark(t, "on");
}

START_TEST(interrupts_wait_for_the_outermost_local_irq_enable)
{
	sim_start(.bare = true, .exact = true, .preempt = _i);
	post_irq("first", 6 * US);
	post_irq("second", 6 * US);
	sim_task(0, "task", irqs_off, NULL);
	sim_run();
	ck_order(marked("still off"), rec_first(TR_IRQ_ENTRY, 0));
	ck_order(marked("first"), marked("second"));
	ck_order(rec_last(TR_IRQ_EXIT, 0), marked("on"));
}
END_TEST

static void posts_another(struct task *t, void *arg)
{
	post_irq("inner", 0);
	mark(t, "outer");
	work_for(t, 10 * US);
	mark(t, arg);
}

START_TEST(an_interrupt_waits_for_the_one_before)
{
	sim_start(.bare = true);
	post_irq_to(posts_another, "outer ends", 10);
	sim_run();
	ck_order(marked("outer ends"), marked("inner"));
}
END_TEST

START_TEST(an_interrupt_that_is_under_way_is_not_posted_again)
{
	struct irq_action *irq;

	sim_start(.bare = true);
	irq = post_irq("irq", 10);
	irq_post(irq, &sim.w->cpus[0], "irq", handler, "irq", 10, 0);
}
END_TEST

static void spin_once(struct task *t, void *arg)
{
	(void)arg;
	task_spin(t, 0);
	mark(t, "released");
}

static void release_it(struct task *t, void *arg)
{
	work_for(t, 20 * US);
	mark(t, "releases");
	spin_release(arg);
}

START_TEST(a_spinning_task_keeps_its_cpu_but_takes_interrupts)
{
	struct task *spinner;

	sim_start(.bare = true, .exact = true, .preempt = PREEMPT_FULL);
	sim.w->cost[COST_TIMESLICE] = 2 * US;
	spinner = sim_task(0, "spinner", spin_once, NULL);
	sim_task(0, "other", busy, ns(100));
	sim_task(1, "releaser", release_it, spinner);
	post_irq("irq", 6 * US);
	sim_run();
	ck_order(marked("irq"), marked("releases"));
	ck_order(marked("releases"), marked("released"));
	ck_order(marked("releases"), began("other"));
}
END_TEST

/* ---- softirqs --------------------------------------------------------------------- */

static bool in_softirq;

static void softirq(struct task *t)
{
	expect(!in_softirq);
	in_softirq = true;
	mark(t, "softirq");
	work_for(t, 10 * US);
	in_softirq = false;
	mark(t, "softirq ends");
}

static void start_softirqs(enum preempt_model model)
{
	sim_start(.bare = true, .exact = true, .preempt = model);
	sim.w->hooks.softirq[SOFTIRQ_RCU] = softirq;
	in_softirq = false;
}

START_TEST(softirqs_run_on_top_of_a_task)
{
	start_softirqs(_i);
	raise_softirq(&sim.w->cpus[0], SOFTIRQ_RCU, 6 * US);
	sim_task(0, "task", busy, ns(10 * US));
	sim_run();
	ck_order(began("task"), rec_first(TR_SOFTIRQ_ENTRY, 0));
	ck_order(rec_first(TR_SOFTIRQ_ENTRY, 0), marked("softirq"));
	ck_order(rec_first(TR_SOFTIRQ_EXIT, 0), ended("task"));
	ck_assert_int_eq(marked("softirq")->ctx, CTX_SOFTIRQ);
}
END_TEST

static void bh_off(struct task *t, void *arg)
{
	(void)arg;
	local_bh_disable(t);
	local_bh_disable(t);
	mark(t, "off");
	work_for(t, 10 * US);
	local_bh_enable(t);
	work_for(t, 10 * US);
	mark(t, "still off");
	local_bh_enable(t);
	mark(t, "on");
}

START_TEST(softirqs_wait_for_the_outermost_local_bh_enable)
{
	start_softirqs(_i);
	raise_softirq(&sim.w->cpus[0], SOFTIRQ_RCU, 6 * US);
	post_irq("irq", 6 * US);
	sim_task(0, "task", bh_off, NULL);
	sim_run();
	ck_order(marked("irq"), marked("still off"));
	ck_order(marked("still off"), marked("softirq"));
	ck_order(marked("softirq ends"), marked("on"));
}
END_TEST

START_TEST(softirqs_wait_for_interrupts_to_be_on)
{
	start_softirqs(_i);
	raise_softirq(&sim.w->cpus[0], SOFTIRQ_RCU, 6 * US);
	sim_task(0, "task", irqs_off, NULL);
	sim_run();
	ck_order(marked("still off"), marked("softirq"));
	ck_order(marked("softirq ends"), marked("on"));
}
END_TEST

START_TEST(a_softirq_is_interrupted_but_never_by_a_softirq)
{
	start_softirqs(PREEMPT_NONE);
	raise_softirq(&sim.w->cpus[0], SOFTIRQ_RCU, 0);
	sim_task(0, "task", busy, ns(100));
	while (!marked("softirq"))
		ck_assert(world_step(sim.w));
	raise_softirq(&sim.w->cpus[0], SOFTIRQ_RCU, 1 * US);
	post_irq("irq", 5 * US);
	sim_run();
	ck_order(marked("softirq"), marked("irq"));
	ck_order(rec_first(TR_IRQ_EXIT, 0), marked("softirq ends"));
	ck_assert_uint_eq(rec_count_str(TR_LOG, "softirq ends"), 2);
}
END_TEST

static void raises(struct task *t, void *arg)
{
	(void)arg;
	raise_softirq(t->cpu, SOFTIRQ_RCU, 0);
	work_for(t, 1 * US);
	mark(t, "raised");
}

START_TEST(a_softirq_waits_for_the_interrupt_that_raised_it)
{
	start_softirqs(PREEMPT_NONE);
	post_irq_to(raises, "irq", 10);
	sim_run();
	ck_order(rec_first(TR_IRQ_EXIT, 0), rec_first(TR_SOFTIRQ_ENTRY, 0));
}
END_TEST

/* ---- repeating a run -------------------------------------------------------------- */

static void mixed(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 5; i++) {
		work_for(t, 2 * US);
		mark(t, t->comm);
		task_sleep(t, 3 * US);
		sched_write(t, t->id, 1, "mixed.write");
	}
}

static void set_up_mixed(uint64_t seed, bool untimed)
{
	sim_start(.bare = true, .seed = seed, .untimed = untimed, .preempt = PREEMPT_FULL,
		  .accesses = true);
	sim.w->cost[COST_TIMESLICE] = 4 * US;
	sim_task(0, "a", mixed, NULL);
	sim_task(0, "b", mixed, NULL);
	sim_task(1, "c", mixed, NULL);
	post_irq("irq", 9 * US);
}

static uint64_t run_mixed(uint64_t seed, bool untimed)
{
	set_up_mixed(seed, untimed);
	sim_run();
	return rec_digest();
}

START_TEST(the_same_seed_repeats_the_run_record_by_record)
{
	for (uint64_t seed = 0; seed < 10; seed++)
		expect(run_mixed(seed, _i) == run_mixed(seed, _i));
}
END_TEST

START_TEST(another_seed_gives_another_run)
{
	for (uint64_t seed = 0; seed < 10; seed++)
		expect(run_mixed(seed, _i) != run_mixed(seed + 1, _i));
}
END_TEST

START_TEST(records_are_numbered_without_gaps)
{
	run_mixed(1, _i);
	for (size_t i = 0; i < sim.nr_recs; i++)
		expect(sim.recs[i].seq == i + 1);
	ck_assert_uint_eq(sim.nr_recs, sim.w->nr_records);
}
END_TEST

START_TEST(time_never_goes_back)
{
	run_mixed(1, _i);
	for (size_t i = 1; i < sim.nr_recs; i++)
		expect(sim.recs[i].t >= sim.recs[i - 1].t);
}
END_TEST

START_TEST(stepping_gives_the_same_records_as_running)
{
	uint64_t digest = run_mixed(3, _i), steps = sim.w->nr_steps;

	set_up_mixed(3, _i);
	for (uint64_t i = 1; world_step(sim.w); i++)
		expect(sim.w->nr_steps == i);
	ck_assert_uint_eq(sim.w->nr_steps, steps);
	ck_assert_uint_eq(rec_digest(), digest);
	ck_assert(!world_step(sim.w));
}
END_TEST

START_TEST(stepping_can_turn_into_running_at_any_point)
{
	uint64_t digest = run_mixed(3, _i), steps = sim.w->nr_steps;

	for (uint64_t n = 0; n < steps; n += 7) {
		set_up_mixed(3, _i);
		while (sim.w->nr_steps < n)
			expect(world_step(sim.w));
		sim_run();
		expect(rec_digest() == digest);
	}
}
END_TEST

START_TEST(a_restored_world_goes_on_like_the_saved_one)
{
	uint64_t digest = run_mixed(3, _i), steps = sim.w->nr_steps;

	for (uint64_t n = 0; n < steps; n += 13) {
		struct rng choices;
		size_t nr_recs;
		void *buffer;

		set_up_mixed(3, _i);
		while (sim.w->nr_steps < n)
			expect(world_step(sim.w));
		nr_recs = sim.nr_recs;
		choices = sim.choices;
		buffer = malloc(snapshot_size(sim.w));
		snapshot_save(sim.w, buffer);
		sim_run();
		expect(rec_digest() == digest);

		snapshot_restore(sim.w, buffer);
		sim.nr_recs = nr_recs;
		sim.choices = choices;
		sim_run();
		expect(rec_digest() == digest);
		free(buffer);
	}
}
END_TEST

START_TEST(costs_stay_within_their_jitter)
{
	const struct cost_info *info = &cost_infos[COST_RCU_GP];
	vtime_t lowest = VTIME_MAX, highest = 0;

	sim_start(.bare = true);
	for (int i = 0; i < 10000; i++) {
		vtime_t cost = world_cost(sim.w, COST_RCU_GP);

		lowest = cost < lowest ? cost : lowest;
		highest = cost > highest ? cost : highest;
	}
	ck_assert_uint_ge(lowest, info->ns * (100 - info->jitter) / 100);
	ck_assert_uint_le(highest, info->ns * (100 + info->jitter) / 100);
	ck_assert_uint_gt(highest - lowest, info->ns * info->jitter / 100);
}
END_TEST

/* ---- limits ----------------------------------------------------------------------- */

static void for_ever(struct task *t, void *arg)
{
	(void)arg;
	for (;;) {
		sched_point(t, COST_ACCESS);
		mark(t, "on");
	}
}

START_TEST(the_step_limit_stops_the_run)
{
	sim_start(.bare = true, .steps_max = 1000, .untimed = _i);
	sim_task(0, "task", for_ever, NULL);
	ck_assert_int_eq(world_run(sim.w), STOP_STEPS);
	ck_assert_uint_le(rec_count_str(TR_LOG, "on"), 1000);
	ck_assert_uint_ge(rec_count_str(TR_LOG, "on"), 990);
}
END_TEST

START_TEST(the_time_limit_stops_the_run)
{
	sim_start(.bare = true, .time_max = 50 * US);
	sim_task(0, "task", for_ever, NULL);
	ck_assert_int_eq(world_run(sim.w), STOP_TIME);
	ck_assert_uint_le(sim.w->now, 50 * US);
	ck_assert_uint_ge(sim.w->now, 49 * US);
}
END_TEST

START_TEST(an_event_at_the_time_limit_still_happens)
{
	sim_start(.bare = true, .time_max = 100);
	post(2, 100);
	transition_init(&trs[2], sim.w, TRANSITION_ENV, 0, "test", fire);
	transition_post(&trs[2], 101);
	ck_assert_int_eq(world_run(sim.w), STOP_TIME);
	ck_assert_int_eq(nr_fired, 2);
}
END_TEST

static void eat(struct task *t, void *arg)
{
	(void)arg;
	for (;;) {
		world_alloc(t->w, 1 << 16);
		mark(t, "ate");
	}
}

START_TEST(the_memory_limit_stops_the_run)
{
	sim_start(.bare = true, .memory = 4 << 20, .untimed = _i);
	sim_task(0, "task", eat, NULL);
	ck_assert_int_eq(world_run(sim.w), STOP_MEMORY);
	ck_assert_uint_le(rec_count_str(TR_LOG, "ate"), 64);
	ck_assert_uint_ge(rec_count_str(TR_LOG, "ate"), 32);
	ck_assert_ptr_null(rec_first(TR_TASK_EXIT, 0));
}
END_TEST

static void halt(struct task *t, void *arg)
{
	(void)arg;
	world_halt(t->w, STOP_HOST);
	world_halt(t->w, STOP_STEPS);
	mark(t, "same step");
	task_sleep(t, 1);
	mark(t, "next step");
}

START_TEST(a_halted_world_ends_its_step_and_keeps_the_first_reason)
{
	sim_start(.bare = true, .untimed = _i);
	sim_task(0, "task", halt, NULL);
	ck_assert_int_eq(world_run(sim.w), STOP_HOST);
	ck_assert_ptr_nonnull(marked("same step"));
	ck_assert_ptr_null(marked("next step"));
	ck_assert_int_eq(world_run(sim.w), STOP_HOST);
	ck_assert(!world_step(sim.w));
	ck_assert_ptr_null(marked("next step"));
}
END_TEST

START_TEST(an_arena_too_small_for_a_world_gives_none)
{
	static const struct world_config config = {.nr_cpus = 1, .steps_max = 1};
	struct arena *a = arena_map(1024);

	ck_assert_ptr_null(world_new(a, &config, NULL, NULL));
}
END_TEST

START_TEST(a_world_has_between_1_and_64_cpus)
{
	struct arena *a = arena_map(1 << 20);
	struct world_config config = {.nr_cpus = _i};

	world_new(a, &config, NULL, NULL);
}
END_TEST

static TCase *case_cpus(void)
{
	TCase *tc = tcase_create("cpus");

	tcase_add_loop_test(tc, tasks_of_one_cpu_never_run_at_the_same_time, 0, 2);
	tcase_add_test(tc, tasks_of_one_cpu_share_its_time);
	tcase_add_test(tc, a_cpu_serves_its_tasks_in_the_order_of_their_wakeup);
	tcase_add_test(tc, sleepers_wake_in_the_order_of_their_times);
	tcase_add_test(tc, a_wakeup_of_a_runnable_task_does_nothing);
	tcase_add_test(tc, a_blocked_task_does_not_keep_the_world_running);
	tcase_add_test(tc, stacks_of_ended_tasks_are_used_again);
	tcase_add_test_raise_signal(tc, a_stack_overflow_is_noticed, SIGABRT);
	return tc;
}

static TCase *case_preemption(void)
{
	TCase *tc = tcase_create("preemption");

	tcase_add_test(tc, kernel_code_is_preempted_only_in_a_preemptible_kernel);
	tcase_add_test(tc, might_sleep_is_a_preemption_point_of_a_voluntary_kernel);
	tcase_add_test(tc, cond_resched_lets_others_run_in_a_kernel_without_preemption);
	tcase_add_test(tc, a_task_in_user_mode_is_always_preempted);
	tcase_add_loop_test(tc, a_section_holds_preemption_off_until_it_ends, 0, 3);
	tcase_add_loop_test_raise_signal(tc, leaving_a_section_that_was_not_entered_is_refused,
					 SIGABRT, 0, 3);
	return tc;
}

static TCase *case_transitions(void)
{
	TCase *tc = tcase_create("transitions");

	tcase_add_test(tc, equal_times_keep_the_order_of_posting);
	tcase_add_test(tc, shuffled_ties_come_in_every_order);
	tcase_add_test(tc, shuffling_never_moves_an_event_past_a_later_one);
	tcase_add_loop_test(tc, a_cancelled_transition_does_not_happen, 0, 2);
	tcase_add_loop_test_raise_signal(tc, a_transition_is_posted_once_at_a_time, SIGABRT, 0, 2);
	tcase_add_test(tc, an_untimed_run_reaches_both_orders_of_two_steps);
	tcase_add_test(tc, sleeping_orders_nothing_in_an_untimed_run);
	tcase_add_test(tc, an_untimed_cpu_may_pick_any_runnable_task);
	tcase_add_test(tc, a_single_alternative_is_no_choice);
	tcase_add_test_raise_signal(tc, a_world_with_something_pending_cannot_become_untimed,
				    SIGABRT);
	tcase_add_test(tc, as_many_faults_are_injected_as_were_allowed);
	return tc;
}

static TCase *case_interrupts(void)
{
	TCase *tc = tcase_create("interrupts");

	tcase_add_test(tc, an_interrupt_runs_on_top_of_a_task);
	tcase_add_test(tc, an_interrupted_task_loses_exactly_the_time_of_the_interrupt);
	tcase_add_test(tc, an_interrupt_wakes_an_idle_cpu);
	tcase_add_loop_test(tc, interrupts_wait_for_the_outermost_local_irq_enable, 0, 3);
	tcase_add_test(tc, an_interrupt_waits_for_the_one_before);
	tcase_add_test_raise_signal(tc, an_interrupt_that_is_under_way_is_not_posted_again,
				    SIGABRT);
	tcase_add_test(tc, a_spinning_task_keeps_its_cpu_but_takes_interrupts);
	tcase_add_loop_test(tc, softirqs_run_on_top_of_a_task, 0, 3);
	tcase_add_loop_test(tc, softirqs_wait_for_the_outermost_local_bh_enable, 0, 3);
	tcase_add_loop_test(tc, softirqs_wait_for_interrupts_to_be_on, 0, 3);
	tcase_add_test(tc, a_softirq_is_interrupted_but_never_by_a_softirq);
	tcase_add_test(tc, a_softirq_waits_for_the_interrupt_that_raised_it);
	return tc;
}

static TCase *case_repeat(void)
{
	TCase *tc = tcase_create("repeat");

	tcase_add_loop_test(tc, the_same_seed_repeats_the_run_record_by_record, 0, 2);
	tcase_add_loop_test(tc, another_seed_gives_another_run, 0, 2);
	tcase_add_loop_test(tc, records_are_numbered_without_gaps, 0, 2);
	tcase_add_loop_test(tc, time_never_goes_back, 0, 2);
	tcase_add_loop_test(tc, stepping_gives_the_same_records_as_running, 0, 2);
	tcase_add_loop_test(tc, stepping_can_turn_into_running_at_any_point, 0, 2);
	tcase_add_loop_test(tc, a_restored_world_goes_on_like_the_saved_one, 0, 2);
	tcase_add_test(tc, costs_stay_within_their_jitter);
	return tc;
}

static TCase *case_limits(void)
{
	TCase *tc = tcase_create("limits");

	tcase_add_loop_test(tc, the_step_limit_stops_the_run, 0, 2);
	tcase_add_test(tc, the_time_limit_stops_the_run);
	tcase_add_test(tc, an_event_at_the_time_limit_still_happens);
	tcase_add_loop_test(tc, the_memory_limit_stops_the_run, 0, 2);
	tcase_add_loop_test(tc, a_halted_world_ends_its_step_and_keeps_the_first_reason, 0, 2);
	tcase_add_test(tc, an_arena_too_small_for_a_world_gives_none);
	tcase_add_loop_test_raise_signal(tc, a_world_has_between_1_and_64_cpus, SIGABRT, 0, 1);
	tcase_add_loop_test_raise_signal(tc, a_world_has_between_1_and_64_cpus, SIGABRT, 65, 66);
	return tc;
}

Suite *suite_world(void)
{
	Suite *s = suite_create("world");

	suite_add_tcase(s, case_cpus());
	suite_add_tcase(s, case_preemption());
	suite_add_tcase(s, case_transitions());
	suite_add_tcase(s, case_interrupts());
	suite_add_tcase(s, case_repeat());
	suite_add_tcase(s, case_limits());
	return s;
}
