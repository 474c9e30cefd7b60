// SPDX-License-Identifier: GPL-2.0-only
/* Locks and completions: who gets them, in which order, and what the trace says. */
#include "sim/kernel/lock.h"

#include "tests/support/sim_fixture.h"

Suite *suite_lock(void);

#define SEEDS 150

static struct mutex mutex;
static struct spinlock spinlock;
static struct rw_semaphore rwsem;
static struct completion completion;
static int nr_inside, nr_readers_inside, most_readers;

static void start(const struct sim_config *config)
{
	sim_start_with(config);
	mutex_init(sim.w, &mutex, "mutex");
	spin_lock_init(sim.w, &spinlock, "spinlock");
	init_rwsem(sim.w, &rwsem, "rwsem");
	init_completion(sim.w, &completion);
	nr_inside = nr_readers_inside = most_readers = 0;
}

#define start(...) start(&(struct sim_config){__VA_ARGS__})

static void critical(struct task *t)
{
	expect(nr_inside++ == 0 && nr_readers_inside == 0);
	work_for(t, 100);
	expect(--nr_inside == 0 && nr_readers_inside == 0);
}

static void three_tasks(void (*fn)(struct task *t, void *arg))
{
	for (unsigned int i = 0; i < 3; i++)
		sim_task(i, "task", fn, (void *)(uintptr_t)i);
	sim_run();
	expect(sim.w->nr_tasks_alive == 0);
}

/* ---- mutex ------------------------------------------------------------------------ */

static void use_mutex(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		mutex_lock(t, &mutex);
		critical(t);
		mutex_unlock(t, &mutex);
	}
}

START_TEST(a_mutex_lets_one_task_in)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		start(.bare = true, .cpus = 3, .seed = seed, .untimed = _i);
		three_tasks(use_mutex);
		expect(rec_count(TR_LOCK_ACQUIRE, mutex.id) == 9);
		expect(rec_count(TR_LOCK_RELEASE, mutex.id) == 9);
	}
}
END_TEST

static void hold_mutex(struct task *t, void *arg)
{
	mutex_lock(t, &mutex);
	task_sleep(t, (vtime_t)(uintptr_t)arg);
	mutex_unlock(t, &mutex);
}

static void lock_later(struct task *t, void *arg)
{
	work_for(t, 10 * US);
	hold_mutex(t, arg);
	mark(t, "had it");
}

START_TEST(a_task_that_waits_for_a_mutex_says_for_whom)
{
	struct task *owner, *waiter;
	const struct rec *wait;

	start(.bare = true);
	owner = sim_task(0, "owner", hold_mutex, (void *)(100 * US));
	waiter = sim_task(1, "waiter", lock_later, NULL);
	sim_run();
	wait = rec_first(TR_LOCK_WAIT, mutex.id);
	ck_assert_ptr_nonnull(wait);
	ck_assert_int_eq(wait->arg[0], 0);
	ck_assert_int_eq(wait->arg[1], (int64_t)owner->id);
	ck_assert_uint_eq(wait->task, oid_nr(waiter->id));
	ck_assert_int_eq(rec_first(TR_TASK_BLOCK, waiter->id)->arg[0], (int64_t)mutex.id);
	ck_order(rec_first(TR_LOCK_RELEASE, mutex.id), rec_first(TR_TASK_WAKE, waiter->id));
}
END_TEST

static void try_mutex(struct task *t, void *arg)
{
	(void)arg;
	work_for(t, 10 * US);
	mark(t, mutex_trylock(t, &mutex) ? "wrong" : "held");
	task_sleep(t, 200 * US);
	mark(t, mutex_trylock(t, &mutex) ? "free" : "wrong");
	mutex_unlock(t, &mutex);
}

START_TEST(trylock_never_waits)
{
	start(.bare = true);
	sim_task(0, "owner", hold_mutex, (void *)(100 * US));
	sim_task(1, "try", try_mutex, NULL);
	sim_run();
	ck_assert_ptr_nonnull(marked("held"));
	ck_assert_ptr_nonnull(marked("free"));
	ck_assert_ptr_null(rec_first(TR_LOCK_WAIT, mutex.id));
	ck_assert_int_eq(rec_last(TR_LOCK_ACQUIRE, mutex.id)->arg[3], 1);
	ck_assert_int_eq(rec_first(TR_LOCK_ACQUIRE, mutex.id)->arg[3], 0);
}
END_TEST

/* Upstream's mutexes allow it, and some lifecycle races need it. */
START_TEST(a_latecomer_may_take_a_mutex_past_a_waiter)
{
	bool overtaken = false;

	for (uint64_t seed = 0; seed < SEEDS && !overtaken; seed++) {
		const struct rec *wait;

		start(.bare = true, .cpus = 3, .seed = seed, .untimed = true);
		three_tasks(use_mutex);
		wait = rec_first(TR_LOCK_WAIT, mutex.id);
		while (wait && !overtaken) {
			const struct rec *release = rec_next(wait, TR_LOCK_RELEASE, mutex.id);
			const struct rec *next = rec_next(release, TR_LOCK_ACQUIRE, mutex.id);

			overtaken = next->task != wait->task;
			wait = rec_next(wait, TR_LOCK_WAIT, mutex.id);
		}
	}
	ck_assert(overtaken);
}
END_TEST

/* ---- spinlock --------------------------------------------------------------------- */

static void use_spinlock(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		spin_lock(t, &spinlock);
		critical(t);
		spin_unlock(t, &spinlock);
	}
}

START_TEST(a_spinlock_lets_one_task_in)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		start(.bare = true, .cpus = 3, .seed = seed, .untimed = _i,
		      .preempt = PREEMPT_FULL);
		three_tasks(use_spinlock);
		expect(rec_count(TR_LOCK_ACQUIRE, spinlock.id) == 9);
	}
}
END_TEST

/* Like the kernel's queued spinlocks: whoever began to wait first is next. */
START_TEST(a_spinlock_is_handed_over_in_the_order_of_waiting)
{
	size_t waits = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		const struct rec *wait = NULL, *got = NULL;

		start(.bare = true, .cpus = 3, .seed = seed, .untimed = _i);
		three_tasks(use_spinlock);
		while ((wait = rec_next(wait, TR_LOCK_WAIT, spinlock.id)) != NULL) {
			const struct rec *r = got && got->seq > wait->seq ? got : wait;

			/* The next acquisition by the one who waits, not before the last one's. */
			do
				r = rec_next(r, TR_LOCK_ACQUIRE, spinlock.id);
			while (r && r->task != wait->task);
			expect(r && (!got || r->seq > got->seq));
			got = r;
			waits++;
		}
	}
	ck_assert_uint_gt(waits, 50);
}
END_TEST

static void plain_work(struct task *t, void *arg)
{
	(void)arg;
	mark(t, t->comm);
}

static void spin_long(struct task *t, void *arg)
{
	bool irq = arg;

	if (irq)
		spin_lock_irq(t, &spinlock);
	else
		spin_lock(t, &spinlock);
	mark(t, "locked");
	work_for(t, 20 * US);
	mark(t, "unlocks");
	if (irq)
		spin_unlock_irq(t, &spinlock);
	else
		spin_unlock(t, &spinlock);
	mark(t, "after");
}

START_TEST(the_holder_of_a_spinlock_is_not_preempted)
{
	start(.bare = true, .cpus = 1, .exact = true, .preempt = PREEMPT_FULL);
	sim.w->cost[COST_TIMESLICE] = 5 * US;
	sim_task(0, "holder", spin_long, NULL);
	sim_task(0, "other", plain_work, NULL);
	sim_run();
	ck_order(marked("unlocks"), marked("other"));
	ck_order(marked("other"), marked("after"));
}
END_TEST

static void on_irq(struct task *t, void *arg)
{
	(void)arg;
	mark(t, "irq");
}

START_TEST(only_the_irq_form_keeps_interrupts_out)
{
	static struct irq_action irq;

	start(.bare = true, .cpus = 1, .exact = true);
	irq = (struct irq_action){0};
	irq_post(&irq, &sim.w->cpus[0], "test", on_irq, NULL, 10 * US, 0);
	sim_task(0, "holder", spin_long, (void *)(uintptr_t)_i);
	sim_run();
	if (_i)
		ck_order(marked("unlocks"), marked("irq"));
	else
		ck_order(marked("irq"), marked("unlocks"));
	ck_order(marked("irq"), marked("after"));
	ck_assert_int_eq(rec_first(TR_LOCK_ACQUIRE, spinlock.id)->arg[1], _i);
}
END_TEST

static void lock_with_bh_off(struct task *t, void *arg)
{
	(void)arg;
	local_bh_disable(t);
	spin_lock(t, &spinlock);
	spin_unlock(t, &spinlock);
	local_bh_enable(t);
}

START_TEST(an_acquisition_says_whether_softirqs_are_off)
{
	start(.bare = true);
	sim_task(0, "task", lock_with_bh_off, NULL);
	sim_run();
	ck_assert_int_eq(rec_first(TR_LOCK_ACQUIRE, spinlock.id)->arg[1], 0);
	ck_assert_int_eq(rec_first(TR_LOCK_ACQUIRE, spinlock.id)->arg[2], 1);
}
END_TEST

/* ---- rw-semaphore ----------------------------------------------------------------- */

static void use_rwsem(struct task *t, void *arg)
{
	bool writer = (uintptr_t)arg == 0;

	for (int i = 0; i < 3; i++) {
		if (writer) {
			down_write(t, &rwsem);
			critical(t);
			up_write(t, &rwsem);
			continue;
		}
		down_read(t, &rwsem);
		expect(nr_inside == 0);
		if (++nr_readers_inside > most_readers)
			most_readers = nr_readers_inside;
		work_for(t, 100);
		expect(nr_inside == 0);
		nr_readers_inside--;
		up_read(t, &rwsem);
	}
}

START_TEST(a_rwsem_lets_in_one_writer_or_many_readers)
{
	int most = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		start(.bare = true, .cpus = 3, .seed = seed, .untimed = _i);
		three_tasks(use_rwsem);
		most = most_readers > most ? most_readers : most;
	}
	ck_assert_int_eq(most, 2);
}
END_TEST

static void read_for(struct task *t, void *arg)
{
	down_read(t, &rwsem);
	mark(t, t->comm);
	task_sleep(t, (vtime_t)(uintptr_t)arg);
	up_read(t, &rwsem);
}

static void write_soon(struct task *t, void *arg)
{
	(void)arg;
	task_sleep(t, 20 * US);
	down_write(t, &rwsem);
	mark(t, t->comm);
	task_sleep(t, 20 * US);
	mark(t, "writer ends");
	up_write(t, &rwsem);
}

static void read_later(struct task *t, void *arg)
{
	task_sleep(t, (vtime_t)(uintptr_t)arg);
	read_for(t, (void *)(100 * US));
}

START_TEST(readers_do_not_pass_a_waiting_writer)
{
	start(.bare = true, .cpus = 4, .exact = true);
	sim_task(0, "first reader", read_for, (void *)(100 * US));
	sim_task(1, "writer", write_soon, NULL);
	sim_task(2, "second reader", read_later, (void *)(40 * US));
	sim_task(3, "third reader", read_later, (void *)(50 * US));
	sim_run();
	ck_order(marked("first reader"), marked("writer"));
	ck_order(marked("writer ends"), marked("second reader"));
	ck_order(marked("writer ends"), marked("third reader"));
	/* And those two share it. */
	ck_order(marked("third reader"), rec_last(TR_LOCK_RELEASE, rwsem.id));
	ck_assert_uint_lt(marked("third reader")->t - marked("second reader")->t, 50 * US);
}
END_TEST

/* ---- completion ------------------------------------------------------------------- */

static void wait_for_it(struct task *t, void *arg)
{
	(void)arg;
	wait_for_completion(t, &completion, "test");
	mark(t, "waited");
}

static void complete_later(struct task *t, void *arg)
{
	(void)arg;
	work_for(t, 20 * US);
	mark(t, "completes");
	complete(t, &completion);
}

START_TEST(a_completion_is_waited_for)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		start(.bare = true, .seed = seed, .untimed = _i);
		sim_task(0, "waiter", wait_for_it, NULL);
		sim_task(1, "completer", complete_later, NULL);
		sim_run();
		ck_order(marked("completes"), marked("waited"));
	}
}
END_TEST

START_TEST(each_complete_lets_one_waiter_go)
{
	start(.bare = true, .cpus = 3);
	sim_task(0, "a", wait_for_it, NULL);
	sim_task(1, "b", wait_for_it, NULL);
	sim_task(2, "completer", complete_later, NULL);
	sim_run();
	ck_assert_uint_eq(rec_count_str(TR_LOG, "waited"), 1);
	ck_assert_uint_eq(sim.w->nr_tasks_alive, 1);
}
END_TEST

static void complete_first(struct task *t, void *arg)
{
	(void)arg;
	complete(t, &completion);
	wait_for_completion(t, &completion, "test");
	mark(t, "waited");
}

START_TEST(a_completion_remembers_a_complete_that_came_before)
{
	start(.bare = true);
	sim_task(0, "task", complete_first, NULL);
	sim_run();
	ck_assert_ptr_nonnull(marked("waited"));
	ck_assert_ptr_null(rec_str(NULL, TR_TASK_BLOCK, "test"));
}
END_TEST

static void complete_on_irq(struct task *t, void *arg)
{
	(void)arg;
	mark(t, "completes");
	complete(t, &completion);
}

START_TEST(an_interrupt_may_complete)
{
	static struct irq_action irq;

	start(.bare = true);
	irq = (struct irq_action){0};
	irq_post(&irq, &sim.w->cpus[0], "test", complete_on_irq, NULL, 50 * US, 0);
	sim_task(0, "waiter", wait_for_it, NULL);
	sim_run();
	ck_order(marked("completes"), marked("waited"));
}
END_TEST

static void sleepy(struct task *t, void *arg)
{
	(void)arg;
	preempt_disable(t);
	rcu_read_lock(t);
	local_irq_disable(t);
	might_sleep(t);
	local_irq_enable(t);
	rcu_read_unlock(t);
	preempt_enable(t);
	might_sleep(t);
}

/* The lock checker decides from these numbers alone. */
START_TEST(might_sleep_records_the_sections_it_is_in)
{
	const struct rec *r;

	start(.cpus = 1);
	sim_task(0, "task", sleepy, NULL);
	sim_run();
	r = rec_first(TR_MIGHT_SLEEP, 0);
	ck_assert_int_eq(r->arg[0], 1);
	ck_assert_int_eq(r->arg[1], 1);
	ck_assert_int_eq(r->arg[2], 1);
	r = rec_next(r, TR_MIGHT_SLEEP, 0);
	ck_assert_int_eq(r->arg[0] + r->arg[1] + r->arg[2], 0);
	ck_assert(sim_caught("lock"));
}
END_TEST

static TCase *case_exclusive(void)
{
	TCase *tc = tcase_create("exclusive");

	tcase_add_loop_test(tc, a_mutex_lets_one_task_in, 0, 2);
	tcase_add_test(tc, a_task_that_waits_for_a_mutex_says_for_whom);
	tcase_add_test(tc, trylock_never_waits);
	tcase_add_test(tc, a_latecomer_may_take_a_mutex_past_a_waiter);
	tcase_add_loop_test(tc, a_spinlock_lets_one_task_in, 0, 2);
	tcase_add_loop_test(tc, a_spinlock_is_handed_over_in_the_order_of_waiting, 0, 2);
	tcase_add_test(tc, the_holder_of_a_spinlock_is_not_preempted);
	tcase_add_loop_test(tc, only_the_irq_form_keeps_interrupts_out, 0, 2);
	tcase_add_test(tc, an_acquisition_says_whether_softirqs_are_off);
	return tc;
}

static TCase *case_shared(void)
{
	TCase *tc = tcase_create("shared");

	tcase_add_loop_test(tc, a_rwsem_lets_in_one_writer_or_many_readers, 0, 2);
	tcase_add_test(tc, readers_do_not_pass_a_waiting_writer);
	tcase_add_loop_test(tc, a_completion_is_waited_for, 0, 2);
	tcase_add_test(tc, each_complete_lets_one_waiter_go);
	tcase_add_test(tc, a_completion_remembers_a_complete_that_came_before);
	tcase_add_test(tc, an_interrupt_may_complete);
	tcase_add_test(tc, might_sleep_records_the_sections_it_is_in);
	return tc;
}

Suite *suite_lock(void)
{
	Suite *s = suite_create("lock");

	suite_add_tcase(s, case_exclusive());
	suite_add_tcase(s, case_shared());
	return s;
}
