// SPDX-License-Identifier: GPL-2.0-only
#include "tests/check/feed.h"

Suite *suite_check_progress(void);

#define NAME "progress"

static void setup(void)
{
	feed_begin(NAME);
	REC(LOCK_INIT, .obj = LOCK(1), .arg = {0}, .str = "slab_mutex");
	REC(LOCK_INIT, .obj = LOCK(2), .arg = {0}, .str = "cgroup_mutex");
	REC(LOCK_INIT, .obj = LOCK(3), .arg = {1}, .str = "memcg_kmem_wq_lock");
}

static void take(uint32_t task, int n)
{
	REC(LOCK_ACQUIRE, .obj = LOCK(n), .task = task);
}

static uint64_t block(uint32_t task, oid_t on, const char *why)
{
	return REC(TASK_BLOCK, .obj = TASK(task), .arg = {O(on)}, .task = task, .str = why);
}

static uint64_t wait_lock(uint32_t task, int n, uint32_t owner)
{
	uint64_t seq = REC(LOCK_WAIT, .obj = LOCK(n), .arg = {0, O(TASK(owner))}, .task = task);

	block(task, LOCK(n), "mutex");
	return seq;
}

static void wake(uint32_t task)
{
	REC(TASK_WAKE, .obj = TASK(task));
}

static uint64_t call_rcu(int of)
{
	return REC(CALL_RCU, .obj = RCU(1), .arg = {O(CACHE(of)), 1}, .task = 1,
		   .str = "kmemcg_rcufn");
}

static uint64_t queue_work(int work)
{
	return REC(QUEUE_WORK, .obj = WORK(work), .arg = {O(WQ(1)), 0, 1}, .task = 1,
		   .str = "workfn");
}

START_TEST(run_in_which_everything_ends)
{
	take(1, 1);
	wait_lock(2, 1, 1);
	REC(LOCK_RELEASE, .obj = LOCK(1), .task = 1);
	wake(2);
	take(2, 1);
	REC(LOCK_RELEASE, .obj = LOCK(1), .task = 2);
	REC(RCU_READ_LOCK, .obj = TASK(1), .arg = {1}, .task = 1);
	call_rcu(1);
	REC(RCU_GP_START, .obj = RCU(1), .arg = {1, 1, 0});
	REC(RCU_READ_UNLOCK, .obj = TASK(1), .arg = {0}, .task = 1);
	REC(RCU_GP_END, .obj = RCU(1), .arg = {1});
	REC(RCU_CALLBACK, .obj = RCU(1), .arg = {O(CACHE(1)), 1}, .str = "kmemcg_rcufn");
	queue_work(1);
	REC(WORK_START, .obj = WORK(1), .arg = {0, O(WQ(1))}, .task = 7);
	REC(WORK_END, .obj = WORK(1), .task = 7);
	block(7, 0, "idle");
	REC(TASK_EXIT, .obj = TASK(1), .task = 1);
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(two_tasks_that_wait_for_each_other)
{
	const struct violation *v;
	uint64_t first, second;

	take(1, 1);
	take(2, 2);
	first = wait_lock(1, 2, 2);
	second = wait_lock(2, 1, 1);
	feed_end();
	v = expect_only(NAME, LOCK(2),
			"deadlock: task:1 waits for lock:2 cgroup_mutex, held by task:2; task:2 "
			"waits for lock:1 slab_mutex, held by task:1");
	ck_assert_uint_eq(v->related[0], first);
	ck_assert_uint_eq(v->related[1], second);
}
END_TEST

/* Who waits for a deadlocked task is a consequence and not a second violation. */
START_TEST(bystanders_of_a_deadlock_are_not_reported)
{
	block(5, oid_make(OBJ_WAIT, 1), "event");
	take(1, 1);
	take(2, 2);
	wait_lock(3, 1, 1);
	wait_lock(1, 2, 2);
	wait_lock(2, 1, 1);
	wait_lock(4, 2, 2);
	feed_end();
	expect_only(NAME, LOCK(2), "deadlock: task:1");
}
END_TEST

START_TEST(task_that_waits_for_itself)
{
	take(1, 1);
	wait_lock(1, 1, 1);
	feed_end();
	expect_only(NAME, LOCK(1),
		    "self-deadlock: task:1 waits for lock:1 slab_mutex, held by task:1");
}
END_TEST

START_TEST(softirq_spins_on_the_lock_of_the_task_below)
{
	REC(LOCK_ACQUIRE, .obj = LOCK(3), .task = 1, .cpu = 2);
	REC(LOCK_WAIT, .obj = LOCK(3), .arg = {0, O(TASK(1))}, .task = 50, .cpu = 2,
	    .ctx = CTX_SOFTIRQ);
	feed_end();
	expect_only(NAME, LOCK(3),
		    "self-deadlock: task:50 spins on lock:3 memcg_kmem_wq_lock, held by task:1; "
		    "task:1 can't run: cpu 2 is kept by task:50");
}
END_TEST

START_TEST(flush_with_the_mutex_that_the_work_needs)
{
	take(1, 1);
	queue_work(1);
	REC(WORK_START, .obj = WORK(1), .arg = {0, O(WQ(1))}, .task = 7);
	wait_lock(7, 1, 1);
	REC(FLUSH_BEGIN, .obj = WQ(1), .task = 1);
	block(1, oid_make(OBJ_WAIT, 1), "flush_workqueue");
	feed_end();
	expect_only(NAME, LOCK(1), "deadlock: ");
	expect(0, NAME, LOCK(1), "task:1 flushes wq:1, which runs in task:7");
}
END_TEST

static void start_work(uint32_t work, uint32_t task, uint8_t cpu)
{
	queue_work(work);
	REC(WORK_START, .obj = WORK(work), .arg = {0, O(WQ(1))}, .task = task, .cpu = cpu);
}

static void flush_work(uint32_t work, uint32_t task)
{
	REC(FLUSH_WORK_BEGIN, .obj = WORK(work), .arg = {O(WQ(1))}, .task = task);
	block(task, oid_make(OBJ_WAIT, 1), "flush_work");
}

START_TEST(flush_of_an_item_that_waits_for_the_flusher)
{
	take(1, 1);
	start_work(2, 8, 0);
	start_work(1, 7, 0);
	wait_lock(7, 1, 1);
	flush_work(1, 1);
	feed_end();
	expect_only(NAME, LOCK(1), "deadlock: ");
	expect(0, NAME, LOCK(1),
	       "task:1 flushes work:1 workfn, which runs in task:7; task:7 waits");
}
END_TEST

START_TEST(an_item_that_flushes_itself)
{
	start_work(1, 7, 0);
	flush_work(1, 7);
	feed_end();
	expect_only(NAME, TASK(7),
		    "self-deadlock: task:7 flushes work:1 workfn, which runs in task:7");
}
END_TEST

/* Two items may run on a CPU: one on the other CPU is not in the way. */
static void fill_queue(void)
{
	REC(WQ_INIT, .obj = WQ(1), .arg = {2, 0}, .str = "events");
	start_work(1, 7, 0);
	start_work(4, 9, 1);
	block(9, oid_make(OBJ_WAIT, 2), "completion");
	take(7, 1);
	queue_work(3);
	flush_work(3, 7);
}

START_TEST(flush_of_an_item_behind_those_that_wait_for_the_flusher)
{
	uint64_t flush;

	fill_queue();
	flush = feed_seq - 1;
	start_work(2, 8, 0);
	wait_lock(8, 1, 7);
	feed_end();
	expect(0, NAME, LOCK(1),
	       "task:7 flushes work:3 workfn, queued on wq:1 events behind 2 items, as many as may "
	       "run, one of them in task:8; task:8 waits for lock:1 slab_mutex, held by task:7");
	ck_assert_uint_eq(set->violations[0].related[0], flush);
}
END_TEST

START_TEST(an_item_that_has_a_place_was_never_started)
{
	fill_queue();
	feed_end();
	expect(0, NAME, WORK(3), "queued work never started: workfn");
}
END_TEST

START_TEST(lock_that_an_exited_task_took_along)
{
	take(1, 1);
	REC(TASK_EXIT, .obj = TASK(1), .task = 1);
	wait_lock(2, 1, 1);
	wait_lock(3, 1, 1);
	feed_end();
	expect_only(NAME, LOCK(1), "never let go: lock:1 slab_mutex is held by task:1");
}
END_TEST

START_TEST(reader_that_never_leaves_its_section)
{
	const struct violation *v;
	uint64_t section = REC(RCU_READ_LOCK, .obj = TASK(5), .arg = {1}, .task = 5);

	REC(RCU_READ_LOCK, .obj = TASK(5), .arg = {2}, .task = 5);
	REC(RCU_READ_UNLOCK, .obj = TASK(5), .arg = {1}, .task = 5);
	call_rcu(1);
	REC(RCU_GP_START, .obj = RCU(1), .arg = {3, 1, 0});
	REC(RCU_SYNC_BEGIN, .obj = RCU(1), .task = 1);
	block(1, oid_make(OBJ_WAIT, 1), "grace period");
	feed_end();
	v = expect_only(
		NAME, TASK(5),
		"grace period 3 waits for task:5, in a read section since seq 4, nesting 1");
	ck_assert_uint_eq(v->related[0], section);
}
END_TEST

START_TEST(reader_that_exited_in_its_section)
{
	REC(RCU_READ_LOCK, .obj = TASK(5), .arg = {1}, .task = 5);
	REC(TASK_EXIT, .obj = TASK(5), .task = 5);
	call_rcu(1);
	REC(RCU_GP_START, .obj = RCU(1), .arg = {1, 1, 0});
	feed_end();
	expect_only(NAME, TASK(5), "waits for task:5, which exited in a read section since seq 4");
}
END_TEST

/* A section that began after the grace period holds up nothing, nor one that nobody waits for. */
START_TEST(only_older_readers_and_wanted_grace_periods_count)
{
	REC(RCU_READ_LOCK, .obj = TASK(4), .arg = {1}, .task = 4);
	REC(RCU_GP_START, .obj = RCU(1), .arg = {1, 1, 0});
	REC(RCU_READ_LOCK, .obj = TASK(5), .arg = {1}, .task = 5);
	feed_end();
	expect_clean();
	call_rcu(1);
	feed_end();
	expect_only(NAME, TASK(4), "grace period 1 waits for task:4");
}
END_TEST

START_TEST(grace_period_that_a_cpu_holds_up)
{
	call_rcu(1);
	REC(RCU_GP_START, .obj = RCU(1), .arg = {1, 0, 2});
	feed_end();
	expect_only(NAME, RCU(1), "grace period 1 never ends: it waited for 0 readers and 2 CPUs");
}
END_TEST

START_TEST(nobody_left_to_wake)
{
	uint64_t since = block(1, oid_make(OBJ_WAIT, 4), "completion");

	feed_end();
	ck_assert_uint_eq(
		expect_only(NAME, TASK(1), "lost wake-up: task:1 waits since seq 4 on wait:4")
			->related[0],
		since);
}
END_TEST

START_TEST(nobody_left_to_wake_who_holds_a_lock)
{
	uint64_t behind;

	take(1, 1);
	block(1, oid_make(OBJ_WAIT, 4), "completion");
	behind = wait_lock(2, 1, 1);
	feed_end();
	ck_assert_uint_eq(expect_only(NAME, TASK(1),
				      "and nobody is left to wake it, while task:2 waits for "
				      "lock:1 slab_mutex, which it holds")
				  ->related[1],
			  behind);
}
END_TEST

START_TEST(waiter_of_a_free_lock)
{
	take(1, 1);
	wait_lock(2, 1, 1);
	REC(LOCK_RELEASE, .obj = LOCK(1), .task = 1);
	feed_end();
	expect_only(NAME, TASK(2), "lost wake-up: task:2");
}
END_TEST

/* Oldest first, for each function of each object. */
START_TEST(callback_that_never_ran)
{
	uint64_t second;

	call_rcu(1);
	second = call_rcu(1);
	call_rcu(2);
	REC(RCU_CALLBACK, .obj = RCU(1), .arg = {O(CACHE(1)), 1}, .str = "kmemcg_rcufn");
	REC(RCU_CALLBACK, .obj = RCU(1), .arg = {O(CACHE(2)), 1}, .str = "kmemcg_rcufn");
	feed_end();
	ck_assert_uint_eq(
		expect_only(NAME, CACHE(1), "RCU callback never ran: kmemcg_rcufn of cache:1")
			->related[0],
		second);
}
END_TEST

START_TEST(callbacks_of_one_object_are_told_apart_by_their_function)
{
	uint64_t left;

	REC(CALL_RCU, .obj = RCU(1), .arg = {O(CACHE(1)), 1}, .str = "first_fn");
	left = REC(CALL_RCU, .obj = RCU(1), .arg = {O(CACHE(1)), 2}, .str = "second_fn");
	REC(CALL_RCU, .obj = RCU(1), .arg = {O(CACHE(1)), 3}, .str = "third_fn");
	REC(RCU_CALLBACK, .obj = RCU(1), .arg = {O(CACHE(1)), 3}, .str = "third_fn");
	REC(RCU_CALLBACK, .obj = RCU(1), .arg = {O(CACHE(1)), 1}, .str = "first_fn");
	feed_end();
	ck_assert_uint_eq(
		expect_only(NAME, CACHE(1), "RCU callback never ran: second_fn of cache:1")
			->related[0],
		left);
}
END_TEST

START_TEST(callback_that_nobody_registered_leaves_nothing_to_run)
{
	REC(RCU_CALLBACK, .obj = RCU(1), .arg = {O(CACHE(1)), 1}, .str = "first_fn");
	REC(CALL_RCU, .obj = RCU(1), .arg = {O(CACHE(1)), 1}, .str = "first_fn");
	REC(RCU_CALLBACK, .obj = RCU(1), .arg = {O(CACHE(1)), 1}, .str = "other_fn");
	REC(RCU_CALLBACK, .obj = RCU(1), .arg = {O(CACHE(1)), 1}, .str = "first_fn");
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(work_that_never_started)
{
	uint64_t seq = queue_work(1);

	queue_work(2);
	REC(WORK_CANCEL, .obj = WORK(2), .arg = {1});
	REC(QUEUE_WORK, .obj = WORK(3), .arg = {O(WQ(1)), 0, 0}, .str = "workfn");
	REC(FLUSH_BEGIN, .obj = WQ(1), .task = 1);
	block(1, oid_make(OBJ_WAIT, 1), "flush_workqueue");
	feed_end();
	ck_assert_uint_eq(
		expect_only(NAME, WORK(1), "queued work never started: workfn")->related[0], seq);
}
END_TEST

START_TEST(work_without_a_function_is_reported_at_once)
{
	const struct violation *v;
	uint64_t queued = queue_work(1), seq;

	seq = REC(WORK_NULL, .obj = WORK(1), .arg = {O(CACHE(3))}, .str = "work_fn");
	v = expect_only(NAME, WORK(1),
			"work item with a NULL function: work:1 of cache:3, work_fn");
	ck_assert_uint_eq(v->seq, seq);
	ck_assert_uint_eq(v->related[0], queued);
}
END_TEST

START_TEST(loop_that_nothing_ends)
{
	REC(LIVELOCK, .obj = TASK(1), .arg = {2, 1}, .str = "left, right");
	expect_only(NAME, TASK(1), "livelock: nothing ends a loop of 2 steps of left, right");
}
END_TEST

Suite *suite_check_progress(void)
{
	Suite *s = suite_create("check_progress");
	TCase *tc = tcase_create("check_progress");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, run_in_which_everything_ends);
	tcase_add_test(tc, two_tasks_that_wait_for_each_other);
	tcase_add_test(tc, bystanders_of_a_deadlock_are_not_reported);
	tcase_add_test(tc, task_that_waits_for_itself);
	tcase_add_test(tc, softirq_spins_on_the_lock_of_the_task_below);
	tcase_add_test(tc, flush_with_the_mutex_that_the_work_needs);
	tcase_add_test(tc, flush_of_an_item_that_waits_for_the_flusher);
	tcase_add_test(tc, an_item_that_flushes_itself);
	tcase_add_test(tc, flush_of_an_item_behind_those_that_wait_for_the_flusher);
	tcase_add_test(tc, an_item_that_has_a_place_was_never_started);
	tcase_add_test(tc, lock_that_an_exited_task_took_along);
	tcase_add_test(tc, reader_that_never_leaves_its_section);
	tcase_add_test(tc, reader_that_exited_in_its_section);
	tcase_add_test(tc, only_older_readers_and_wanted_grace_periods_count);
	tcase_add_test(tc, grace_period_that_a_cpu_holds_up);
	tcase_add_test(tc, nobody_left_to_wake);
	tcase_add_test(tc, nobody_left_to_wake_who_holds_a_lock);
	tcase_add_test(tc, waiter_of_a_free_lock);
	tcase_add_test(tc, callback_that_never_ran);
	tcase_add_test(tc, callbacks_of_one_object_are_told_apart_by_their_function);
	tcase_add_test(tc, callback_that_nobody_registered_leaves_nothing_to_run);
	tcase_add_test(tc, work_that_never_started);
	tcase_add_test(tc, work_without_a_function_is_reported_at_once);
	tcase_add_test(tc, loop_that_nothing_ends);
	suite_add_tcase(s, tc);
	return s;
}
