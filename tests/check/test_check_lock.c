// SPDX-License-Identifier: GPL-2.0-only
#include "tests/check/feed.h"

Suite *suite_check_lock(void);

#define NAME "lock"

enum { MUTEX, SPIN, RWSEM };

static void init_lock(int n, int kind, const char *name)
{
	REC(LOCK_INIT, .obj = LOCK(n), .arg = {kind}, .str = name);
}

static void setup(void)
{
	feed_begin(NAME);
	init_lock(1, MUTEX, "slab_mutex");
	init_lock(2, RWSEM, "cpu_hotplug_lock");
	init_lock(3, SPIN, "memcg_kmem_wq_lock");
	init_lock(4, SPIN, "list_lock");
	init_lock(5, SPIN, "list_lock");
	init_lock(6, MUTEX, "cgroup_mutex");
}

/* In a task, with interrupts on. */
static uint64_t take(uint32_t task, int n)
{
	return REC(LOCK_ACQUIRE, .obj = LOCK(n), .task = task);
}

static void drop(uint32_t task, int n)
{
	REC(LOCK_RELEASE, .obj = LOCK(n), .task = task);
}

START_TEST(one_order_in_all_tasks_is_legal)
{
	for (uint32_t task = 1; task <= 3; task++) {
		take(task, 2);
		REC(LOCK_WAIT, .obj = LOCK(1), .arg = {0, O(TASK(9))}, .task = task);
		take(task, 1);
		drop(task, 1);
		drop(task, 2);
		REC(MIGHT_SLEEP, .obj = TASK(task), .task = task);
		REC(TASK_BLOCK, .obj = TASK(task), .task = task, .str = "sleep");
		REC(RCU_READ_LOCK, .obj = TASK(task), .arg = {1}, .task = task);
		REC(RCU_READ_UNLOCK, .obj = TASK(task), .arg = {0}, .task = task);
		REC(OP_END, .obj = TASK(task), .task = task);
		REC(TASK_EXIT, .obj = TASK(task), .task = task);
	}
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(two_locks_in_both_orders)
{
	const struct violation *v;

	take(1, 1);
	take(1, 2);
	drop(1, 2);
	drop(1, 1);
	take(2, 2);
	take(2, 1);
	v = expect_only(NAME, LOCK(1),
			"order inversion: cpu_hotplug_lock -> slab_mutex, but also "
			"slab_mutex -> cpu_hotplug_lock (seq 8)");
	ck_assert_uint_eq(v->related[0], 11);
	ck_assert_uint_eq(v->related[1], 8);
	drop(2, 1);
	take(2, 1);
	ck_assert_uint_eq(set->nr_violations, 1);
}
END_TEST

/* Nobody ever gets the second lock when it really deadlocks. */
START_TEST(order_counts_when_the_lock_is_asked_for)
{
	take(1, 1);
	take(2, 6);
	REC(LOCK_WAIT, .obj = LOCK(6), .task = 1);
	REC(LOCK_WAIT, .obj = LOCK(1), .task = 2);
	expect_only(NAME, LOCK(1), "order inversion: cgroup_mutex -> slab_mutex");
}
END_TEST

START_TEST(cycle_over_three_classes)
{
	take(1, 1);
	take(1, 2);
	drop(1, 1);
	take(1, 6);
	drop(1, 6);
	drop(1, 2);
	take(2, 6);
	take(2, 1);
	expect_only(NAME, LOCK(1), "slab_mutex -> cpu_hotplug_lock -> cgroup_mutex");
}
END_TEST

START_TEST(trylock_waits_for_nobody)
{
	take(1, 1);
	take(1, 6);
	drop(1, 6);
	drop(1, 1);
	take(2, 6);
	REC(LOCK_ACQUIRE, .obj = LOCK(1), .arg = {0, 0, 0, 1}, .task = 2);
	expect_clean();
}
END_TEST

/* An interrupt takes its locks on its own account, not on that of the task below. */
START_TEST(interrupted_tasks_locks_make_no_order)
{
	REC(LOCK_ACQUIRE, .obj = LOCK(1), .task = 1);
	REC(LOCK_ACQUIRE, .obj = LOCK(4), .arg = {0, 1, 1}, .task = 50, .ctx = CTX_SOFTIRQ);
	REC(LOCK_RELEASE, .obj = LOCK(4), .task = 50, .ctx = CTX_SOFTIRQ);
	drop(1, 1);
	REC(LOCK_ACQUIRE, .obj = LOCK(4), .arg = {0, 1, 0}, .task = 1);
	REC(LOCK_ACQUIRE, .obj = LOCK(3), .arg = {0, 1, 0}, .task = 1);
	expect_clean();
}
END_TEST

START_TEST(two_locks_of_one_class_may_nest)
{
	take(1, 4);
	take(1, 5);
	drop(1, 5);
	drop(1, 4);
	take(1, 5);
	take(1, 4);
	expect_clean();
}
END_TEST

START_TEST(same_lock_twice)
{
	uint64_t first = take(1, 1);

	REC(LOCK_WAIT, .obj = LOCK(1), .arg = {0, O(TASK(1))}, .task = 1);
	ck_assert_uint_eq(
		expect_only(NAME, LOCK(1), "recursion: task:1 takes slab_mutex")->related[0],
		first);
}
END_TEST

START_TEST(softirq_lock_taken_with_softirqs_on)
{
	const struct violation *v;
	uint64_t open = take(1, 3), inside;

	drop(1, 3);
	expect_clean();
	inside =
		REC(LOCK_ACQUIRE, .obj = LOCK(3), .arg = {0, 0, 1}, .task = 50, .ctx = CTX_SOFTIRQ);
	v = expect_only(NAME, LOCK(3), "irq-unsafe in softirq: memcg_kmem_wq_lock");
	ck_assert_uint_eq(v->related[0], inside);
	ck_assert_uint_eq(v->related[1], open);
}
END_TEST

/* The run that locks up never gets the lock in the softirq. */
START_TEST(softirq_that_waits_is_enough)
{
	take(1, 3);
	REC(LOCK_WAIT, .obj = LOCK(3), .arg = {0, O(TASK(1))}, .task = 50, .ctx = CTX_SOFTIRQ);
	expect_only(NAME, LOCK(3), "irq-unsafe in softirq");
}
END_TEST

START_TEST(hardirq_lock_taken_with_interrupts_on)
{
	REC(LOCK_ACQUIRE, .obj = LOCK(4), .arg = {0, 1, 0}, .task = 60, .ctx = CTX_HARDIRQ);
	REC(LOCK_RELEASE, .obj = LOCK(4), .task = 60, .ctx = CTX_HARDIRQ);
	REC(LOCK_ACQUIRE, .obj = LOCK(5), .arg = {0, 0, 1}, .task = 1);
	expect_only(NAME, LOCK(5), "irq-unsafe in hardirq: list_lock");
}
END_TEST

START_TEST(lock_with_interrupts_off_is_safe_everywhere)
{
	REC(LOCK_ACQUIRE, .obj = LOCK(3), .arg = {0, 1, 0}, .task = 1);
	REC(LOCK_RELEASE, .obj = LOCK(3), .task = 1);
	REC(LOCK_ACQUIRE, .obj = LOCK(3), .arg = {0, 1, 1}, .task = 50, .ctx = CTX_SOFTIRQ);
	REC(LOCK_RELEASE, .obj = LOCK(3), .task = 50, .ctx = CTX_SOFTIRQ);
	REC(LOCK_ACQUIRE, .obj = LOCK(3), .arg = {0, 1, 0}, .task = 60, .ctx = CTX_HARDIRQ);
	expect_clean();
}
END_TEST

START_TEST(bottom_halves_off_is_enough_against_softirqs)
{
	REC(LOCK_ACQUIRE, .obj = LOCK(3), .arg = {0, 0, 1}, .task = 1);
	REC(LOCK_RELEASE, .obj = LOCK(3), .task = 1);
	REC(LOCK_ACQUIRE, .obj = LOCK(3), .arg = {0, 0, 1}, .task = 50, .ctx = CTX_SOFTIRQ);
	expect_clean();
}
END_TEST

START_TEST(sleep_in_a_read_section)
{
	uint64_t section = REC(RCU_READ_LOCK, .obj = TASK(1), .arg = {1}, .task = 1);

	REC(MIGHT_SLEEP, .obj = TASK(1), .arg = {0, 1, 0}, .task = 1, .str = "mutex_lock");
	REC(TASK_BLOCK, .obj = TASK(1), .task = 1, .str = "mutex");
	ck_assert_uint_eq(expect_only(NAME, TASK(1),
				      "illegal context switch in RCU read-side section: mutex_lock")
				  ->related[0],
			  section);
}
END_TEST

/* The model says that the task is in a section, the records show none that is open. */
START_TEST(section_that_was_left_is_no_reason)
{
	REC(RCU_READ_LOCK, .obj = TASK(1), .arg = {1}, .task = 1);
	REC(RCU_READ_UNLOCK, .obj = TASK(1), .arg = {0}, .task = 1);
	REC(MIGHT_SLEEP, .obj = TASK(1), .arg = {0, 1, 0}, .task = 1, .str = "mutex_lock");
	ck_assert_uint_eq(expect_only(NAME, TASK(1), "illegal context switch")->related[0], 0);
}
END_TEST

/* Its context is forgotten, and the next one with that number starts with nothing. */
START_TEST(task_that_ends_cleanly_takes_nothing_along)
{
	REC(LOCK_INIT, .obj = LOCK(1), .str = "a");
	REC(LOCK_ACQUIRE, .obj = LOCK(1), .task = 1);
	REC(LOCK_RELEASE, .obj = LOCK(1), .task = 1);
	REC(TASK_EXIT, .obj = TASK(1), .task = 1);
	REC(TASK_EXIT, .obj = TASK(1), .task = 1);
	expect_clean();
}
END_TEST

START_TEST(sleep_with_preemption_or_interrupts_off)
{
	REC(MIGHT_SLEEP, .obj = TASK(1), .arg = {1, 0, 0}, .task = 1, .str = "down_read");
	REC(MIGHT_SLEEP, .obj = TASK(2), .arg = {0, 0, 1}, .task = 2, .str = "down_read");
	ck_assert_uint_eq(set->nr_violations, 2);
	expect(0, NAME, TASK(1), "sleep in atomic context: down_read, preempt count 1");
	expect(1, NAME, TASK(2), "interrupts off");
}
END_TEST

START_TEST(sleep_in_an_interrupt)
{
	REC(MIGHT_SLEEP, .obj = TASK(50), .task = 50, .ctx = CTX_SOFTIRQ, .str = "mutex_lock");
	expect_only(NAME, TASK(50), "mutex_lock in a softirq");
}
END_TEST

START_TEST(blocking_with_a_spinlock)
{
	uint64_t taken = take(1, 3);

	REC(TASK_BLOCK, .obj = TASK(1), .task = 1, .str = "mutex");
	ck_assert_uint_eq(expect_only(NAME, TASK(1), "holding memcg_kmem_wq_lock")->related[0],
			  taken);
}
END_TEST

START_TEST(blocking_with_a_mutex_is_legal)
{
	take(1, 1);
	REC(TASK_BLOCK, .obj = TASK(1), .task = 1, .str = "mutex");
	expect_clean();
}
END_TEST

START_TEST(read_section_open_at_return)
{
	uint64_t section = REC(RCU_READ_LOCK, .obj = TASK(1), .arg = {1}, .task = 1);

	REC(RCU_READ_LOCK, .obj = TASK(1), .arg = {2}, .task = 1);
	REC(RCU_READ_UNLOCK, .obj = TASK(1), .arg = {1}, .task = 1);
	REC(OP_END, .obj = TASK(1), .arg = {0, 0, 1}, .task = 1, .str = "alloc");
	ck_assert_uint_eq(
		expect_only(NAME, TASK(1), "rcu nesting 1 at return from alloc")->related[0],
		section);
}
END_TEST

START_TEST(preemption_off_at_return)
{
	REC(OP_END, .obj = TASK(1), .arg = {0, 2, 0}, .task = 1, .str = "free");
	expect_only(NAME, TASK(1), "preempt count 2 at return from free");
}
END_TEST

START_TEST(spinlock_held_at_return)
{
	take(1, 3);
	REC(OP_END, .obj = TASK(1), .task = 1, .str = "destroy");
	expect_only(NAME, TASK(1), "lock held at return: memcg_kmem_wq_lock");
}
END_TEST

START_TEST(exit_with_a_mutex)
{
	take(1, 1);
	REC(TASK_EXIT, .obj = TASK(1), .task = 1);
	expect_only(NAME, TASK(1), "lock held at exit: slab_mutex");
}
END_TEST

START_TEST(work_item_that_ends_with_a_lock)
{
	take(7, 1);
	REC(WORK_END, .obj = WORK(1), .task = 7, .ctx = CTX_KWORKER);
	expect_only(NAME, TASK(7), "lock held at the end of a work item: slab_mutex");
}
END_TEST

START_TEST(release_of_what_is_not_held)
{
	take(1, 1);
	drop(2, 1);
	expect_only(NAME, LOCK(1), "release of a lock that is not held: slab_mutex by task:2");
}
END_TEST

START_TEST(unlock_without_a_read_section)
{
	REC(RCU_READ_UNLOCK, .obj = TASK(1), .task = 1);
	expect_only(NAME, TASK(1), "rcu_read_unlock outside");
}
END_TEST

START_TEST(lock_without_a_name_is_a_class_of_its_own)
{
	take(1, 20);
	take(1, 21);
	drop(1, 21);
	drop(1, 20);
	take(1, 21);
	take(1, 20);
	expect_only(NAME, LOCK(20), "lock:21 -> lock:20");
}
END_TEST

/* As lockdep's assertions report it: whoever records it has looked. */
START_TEST(a_walk_that_nothing_protects)
{
	feed_begin("lock");
	REC(SUSPICIOUS_RCU, .obj = TASK(1), .str = "walk");
	expect_only("lock", TASK(1), "suspicious RCU usage: walk");
}
END_TEST

Suite *suite_check_lock(void)
{
	Suite *s = suite_create("check_lock");
	TCase *tc = tcase_create("check_lock");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, one_order_in_all_tasks_is_legal);
	tcase_add_test(tc, two_locks_in_both_orders);
	tcase_add_test(tc, order_counts_when_the_lock_is_asked_for);
	tcase_add_test(tc, cycle_over_three_classes);
	tcase_add_test(tc, trylock_waits_for_nobody);
	tcase_add_test(tc, interrupted_tasks_locks_make_no_order);
	tcase_add_test(tc, two_locks_of_one_class_may_nest);
	tcase_add_test(tc, same_lock_twice);
	tcase_add_test(tc, softirq_lock_taken_with_softirqs_on);
	tcase_add_test(tc, softirq_that_waits_is_enough);
	tcase_add_test(tc, hardirq_lock_taken_with_interrupts_on);
	tcase_add_test(tc, lock_with_interrupts_off_is_safe_everywhere);
	tcase_add_test(tc, bottom_halves_off_is_enough_against_softirqs);
	tcase_add_test(tc, sleep_in_a_read_section);
	tcase_add_test(tc, section_that_was_left_is_no_reason);
	tcase_add_test(tc, task_that_ends_cleanly_takes_nothing_along);
	tcase_add_test(tc, sleep_with_preemption_or_interrupts_off);
	tcase_add_test(tc, sleep_in_an_interrupt);
	tcase_add_test(tc, blocking_with_a_spinlock);
	tcase_add_test(tc, blocking_with_a_mutex_is_legal);
	tcase_add_test(tc, read_section_open_at_return);
	tcase_add_test(tc, preemption_off_at_return);
	tcase_add_test(tc, spinlock_held_at_return);
	tcase_add_test(tc, exit_with_a_mutex);
	tcase_add_test(tc, work_item_that_ends_with_a_lock);
	tcase_add_test(tc, release_of_what_is_not_held);
	tcase_add_test(tc, unlock_without_a_read_section);
	tcase_add_test(tc, lock_without_a_name_is_a_class_of_its_own);
	tcase_add_test(tc, a_walk_that_nothing_protects);
	suite_add_tcase(s, tc);
	return s;
}
