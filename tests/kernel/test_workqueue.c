// SPDX-License-Identifier: GPL-2.0-only
/* Workqueues: how many items run at a time, in which order, and who waits for what. */
#include "sim/kernel/workqueue.h"

#include <string.h>

#include "sim/kernel/kernel.h"
#include "tests/support/sim_fixture.h"

Suite *suite_workqueue(void);

#define SEEDS 80
#define NR_ITEMS 8

struct item {
	struct work_struct work;
	vtime_t sleep_ns, busy_ns;
	struct workqueue *again; /* queue itself there once, at its beginning */
	int runs, running, most_running;
};

static struct item items[NR_ITEMS];
static struct workqueue *wq;
static int nr_running, most_running;

static void run_item(struct task *t, struct work_struct *work)
{
	struct item *item = container_of(work, struct item, work);

	expect(t->ctx == CTX_KWORKER);
	item->runs++;
	if (++item->running > item->most_running)
		item->most_running = item->running;
	if (++nr_running > most_running)
		most_running = nr_running;
	if (item->again) {
		expect(queue_work(t, item->again, work));
		item->again = NULL;
	}
	work_for(t, item->busy_ns ? item->busy_ns : 40);
	if (item->sleep_ns)
		task_sleep(t, item->sleep_ns);
	nr_running--;
	item->running--;
}

static void init_items(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < NR_ITEMS; i++)
		INIT_WORK(t, &items[i].work, run_item, 0);
}

static void start(const struct sim_config *config, bool unbound, uint32_t max_active)
{
	struct sim_config timed = *config;

	timed.untimed = false;
	sim_start_with(&timed);
	memset(items, 0, sizeof(items));
	nr_running = most_running = 0;
	wq = alloc_workqueue(sim.w, "test", unbound, max_active);
	sim_task(0, "init", init_items, NULL);
	sim_run();
	if (config->untimed)
		sim_untimed();
}

#define start(unbound, max_active, ...)                                                            \
	start(&(struct sim_config){__VA_ARGS__}, unbound, max_active)

static const struct rec *started(int i)
{
	return rec_first(TR_WORK_START, items[i].work.id);
}

static const struct rec *done(int i)
{
	return rec_first(TR_WORK_END, items[i].work.id);
}

static void queue_all(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < NR_ITEMS; i++)
		expect(queue_work(t, wq, &items[i].work));
}

static void queue_half(struct task *t, void *arg)
{
	for (int i = (int)(uintptr_t)arg; i < NR_ITEMS; i += 2)
		expect(queue_work(t, wq, &items[i].work));
}

static void all_sleep(vtime_t sleep_ns)
{
	for (int i = 0; i < NR_ITEMS; i++)
		items[i].sleep_ns = sleep_ns;
}

/* ---- running ---------------------------------------------------------------------- */

START_TEST(no_more_than_max_active_items_run_at_a_time)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		start(false, 3, .seed = seed, .untimed = _i);
		all_sleep(MS);
		sim_task(0, "queuer", queue_all, NULL);
		sim_run();
		expect(most_running <= 3 && rec_count(TR_WORK_END, 0) == NR_ITEMS);
		expect(_i || most_running == 3);
	}
}
END_TEST

START_TEST(max_active_counts_per_cpu)
{
	start(false, 1);
	all_sleep(MS);
	sim_task(0, "a", queue_half, (void *)0);
	sim_task(1, "b", queue_half, (void *)1);
	sim_run();
	ck_assert_int_eq(most_running, 2);
}
END_TEST

static void check_fifo(unsigned int cpu)
{
	const struct rec *queued = NULL, *begun = NULL;

	while ((queued = rec_next(queued, TR_QUEUE_WORK, 0)) != NULL) {
		if (queued->arg[1] != cpu)
			continue;
		do
			begun = rec_next(begun, TR_WORK_START, 0);
		while (begun && begun->cpu != cpu);
		expect(begun && begun->obj == queued->obj && begun->cause == queued->seq);
		expect(begun->via == VIA_QUEUE_WORK);
	}
}

START_TEST(items_of_one_cpu_start_in_the_order_of_queueing)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		start(false, _i / 2 ? 256 : 1, .seed = seed, .untimed = _i % 2);
		sim_task(0, "a", queue_half, (void *)0);
		sim_task(1, "b", queue_half, (void *)1);
		sim_run();
		check_fifo(0);
		check_fifo(1);
	}
}
END_TEST

static void queue_there(struct task *t, void *arg)
{
	(void)arg;
	expect(queue_work_on(t, &t->w->cpus[2], wq, &items[0].work));
	expect(schedule_work(t, &items[1].work));
}

START_TEST(an_item_runs_on_the_cpu_it_was_queued_on)
{
	start(false, 1, .cpus = 3);
	sim_task(1, "queuer", queue_there, NULL);
	sim_run();
	ck_assert_uint_eq(started(0)->cpu, 2);
	ck_assert_uint_eq(started(1)->cpu, 1);
	ck_assert_int_eq(started(1)->arg[1], (int64_t)kernel_of(sim.w)->system_wq->id);
	ck_assert_int_eq(started(0)->ctx, CTX_KWORKER);
}
END_TEST

START_TEST(an_ordered_queue_runs_one_item_at_a_time_in_order)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		const struct rec *queued = NULL, *begun = NULL;

		start(true, 1, .seed = seed, .untimed = _i);
		all_sleep(MS);
		sim_task(0, "a", queue_half, (void *)0);
		sim_task(1, "b", queue_half, (void *)1);
		sim_run();
		expect(most_running == 1 && rec_count(TR_WORK_END, 0) == NR_ITEMS);
		while ((queued = rec_next(queued, TR_QUEUE_WORK, 0)) != NULL) {
			begun = rec_next(begun, TR_WORK_START, 0);
			expect(begun->obj == queued->obj);
		}
	}
}
END_TEST

START_TEST(a_blocked_worker_lets_the_pool_start_another)
{
	start(false, 256, .exact = true);
	items[0].sleep_ns = 10 * MS;
	sim_task(0, "queuer", queue_all, NULL);
	sim_run();
	ck_order(started(0), started(1));
	ck_order(done(NR_ITEMS - 1), done(0));
}
END_TEST

START_TEST(a_busy_worker_does_not)
{
	start(false, 256, .exact = true, .preempt = PREEMPT_FULL);
	for (int i = 0; i < NR_ITEMS; i++)
		items[i].busy_ns = 100 * US;
	sim_task(0, "queuer", queue_all, NULL);
	sim_run();
	ck_assert_int_eq(most_running, 1);
}
END_TEST

/* Memory of an item may be gone when its function returns. */
static void overwrite(struct task *t, struct work_struct *work)
{
	(void)t;
	memset(work, 0xff, sizeof(*work));
}

static void queue_overwritten(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < NR_ITEMS; i++) {
		INIT_WORK(t, &items[i].work, overwrite, 0);
		queue_work(t, wq, &items[i].work);
	}
	flush_workqueue(t, wq);
	mark(t, "flushed");
}

START_TEST(an_item_is_not_touched_after_its_function)
{
	start(false, 1);
	sim_task(0, "queuer", queue_overwritten, NULL);
	sim_run();
	ck_assert_uint_eq(rec_count(TR_WORK_END, 0), NR_ITEMS);
	ck_assert_ptr_nonnull(marked("flushed"));
}
END_TEST

/* ---- pending ---------------------------------------------------------------------- */

static void queue_twice(struct task *t, void *arg)
{
	(void)arg;
	expect(queue_work(t, wq, &items[0].work));
	expect(!queue_work(t, wq, &items[0].work));
}

START_TEST(an_item_queued_twice_runs_once)
{
	start(false, 1, .exact = true);
	sim_task(0, "queuer", queue_twice, NULL);
	sim_run();
	ck_assert_int_eq(items[0].runs, 1);
	ck_assert_int_eq(rec_last(TR_QUEUE_WORK, 0)->arg[2], 0);
}
END_TEST

static void queue_once(struct task *t, void *arg)
{
	queue_work(t, wq, &items[(uintptr_t)arg].work);
}

START_TEST(an_item_that_queues_itself_runs_once_more)
{
	start(false, 1);
	items[0].again = wq;
	items[0].sleep_ns = MS;
	sim_task(0, "queuer", queue_once, NULL);
	sim_run();
	ck_assert_int_eq(items[0].runs, 2);
	ck_assert_int_eq(items[0].most_running, 1);
}
END_TEST

static void queue_while_it_runs(struct task *t, void *arg)
{
	(void)arg;
	while (!items[0].running)
		work_for(t, 1 * US);
	for (int i = 0; i < 3; i++)
		expect(queue_work(t, wq, &items[0].work) == (i == 0));
}

START_TEST(an_item_queued_while_it_runs_runs_exactly_once_more)
{
	start(false, 16);
	items[0].sleep_ns = MS;
	sim_task(0, "first", queue_once, NULL);
	sim_task(1, "second", queue_while_it_runs, NULL);
	sim_run();
	ck_assert_int_eq(items[0].runs, 2);
	ck_assert_int_eq(items[0].most_running, 1);
}
END_TEST

static void queue_often(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 5; i++) {
		queue_work(t, wq, &items[0].work);
		task_sleep(t, 40 * US);
	}
}

START_TEST(an_item_never_runs_twice_at_a_time_whoever_queues_it)
{
	int most_runs = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		start(false, 16, .cpus = 3, .seed = seed, .untimed = _i);
		items[0].sleep_ns = 50 * US;
		for (unsigned int i = 0; i < 3; i++)
			sim_task(i, "queuer", queue_often, NULL);
		sim_run();
		expect(items[0].most_running == 1);
		most_runs = items[0].runs > most_runs ? items[0].runs : most_runs;
	}
	ck_assert_int_gt(most_runs, 3);
}
END_TEST

static void init_again_and_queue(struct task *t, void *arg)
{
	(void)arg;
	while (!items[0].running)
		work_for(t, 1 * US);
	INIT_WORK(t, &items[0].work, run_item, 0);
	queue_work(t, wq, &items[0].work);
}

/* INIT_WORK() forgets where the item runs; the lifecycle does this before each queueing. */
START_TEST(initialising_again_loses_that_guarantee)
{
	start(false, 16);
	items[0].sleep_ns = 10 * MS;
	sim_task(0, "first", queue_once, NULL);
	sim_task(1, "second", init_again_and_queue, NULL);
	sim_run();
	ck_assert_int_eq(items[0].most_running, 2);
}
END_TEST

/* ---- flushing --------------------------------------------------------------------- */

static void queue_and_flush(struct task *t, void *arg)
{
	queue_all(t, arg);
	flush_workqueue(t, wq);
	mark(t, "flushed");
}

START_TEST(flush_workqueue_waits_for_every_item_queued_before)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		start(false, _i / 2 ? 256 : 1, .seed = seed, .untimed = _i % 2);
		all_sleep(MS);
		sim_task(0, "flusher", queue_and_flush, NULL);
		sim_run();
		for (int i = 0; i < NR_ITEMS; i++)
			ck_order(done(i), marked("flushed"));
	}
}
END_TEST

static void queue_flush_one(struct task *t, void *arg)
{
	queue_once(t, arg);
	flush_workqueue(t, wq);
	mark(t, "flushed");
}

static void queue_late(struct task *t, void *arg)
{
	while (!rec_first(TR_FLUSH_BEGIN, wq->id))
		work_for(t, 100);
	queue_once(t, arg);
}

START_TEST(flush_workqueue_does_not_wait_for_items_queued_later)
{
	start(false, 16, .exact = true);
	items[0].sleep_ns = 1 * MS;
	items[1].sleep_ns = 10 * MS;
	sim_task(0, "flusher", queue_flush_one, NULL);
	sim_task(1, "late", queue_late, (void *)1);
	sim_run();
	ck_order(rec_first(TR_FLUSH_BEGIN, wq->id), rec_first(TR_QUEUE_WORK, items[1].work.id));
	ck_order(done(0), marked("flushed"));
	ck_order(started(1), marked("flushed"));
	ck_order(marked("flushed"), done(1));
}
END_TEST

START_TEST(flush_workqueue_does_not_wait_for_what_its_items_queue)
{
	start(false, 1, .exact = true);
	items[0].again = wq;
	items[0].sleep_ns = 1 * MS;
	sim_task(0, "flusher", queue_flush_one, NULL);
	sim_run();
	ck_assert_int_eq(items[0].runs, 2);
	ck_order(done(0), marked("flushed"));
	ck_order(marked("flushed"), rec_last(TR_WORK_END, items[0].work.id));
}
END_TEST

static void flush_empty(struct task *t, void *arg)
{
	(void)arg;
	flush_workqueue(t, wq);
	expect(!flush_work(t, &items[0].work));
	mark(t, "flushed");
}

START_TEST(flushing_nothing_returns_at_once)
{
	start(false, 1);
	sim_task(0, "flusher", flush_empty, NULL);
	sim_run();
	ck_assert_ptr_nonnull(marked("flushed"));
	ck_assert_int_eq(rec_first(TR_FLUSH_BEGIN, wq->id)->arg[0], 0);
}
END_TEST

static void flush_one(struct task *t, void *arg)
{
	(void)arg;
	queue_all(t, NULL);
	expect(flush_work(t, &items[3].work));
	mark(t, "flushed");
}

START_TEST(flush_work_waits_for_one_item)
{
	start(false, 1, .exact = true);
	all_sleep(MS);
	sim_task(0, "flusher", flush_one, NULL);
	sim_run();
	ck_order(done(3), marked("flushed"));
	ck_order(marked("flushed"), done(4));
}
END_TEST

static void flush_running(struct task *t, void *arg)
{
	queue_while_it_runs(t, arg);
	expect(flush_work(t, &items[0].work));
	mark(t, "flushed");
	expect(items[0].runs == 2 && !items[0].running);
	expect(!flush_work(t, &items[0].work));
}

START_TEST(flush_work_waits_for_the_last_instance)
{
	start(false, 16);
	items[0].sleep_ns = MS;
	sim_task(0, "first", queue_once, NULL);
	sim_task(1, "second", flush_running, NULL);
	sim_run();
	ck_assert_ptr_nonnull(marked("flushed"));
}
END_TEST

static void flush_own_queue(struct task *t, struct work_struct *work)
{
	(void)work;
	flush_workqueue(t, wq);
	mark(t, "flushed");
}

static void queue_self_flusher(struct task *t, void *arg)
{
	(void)arg;
	INIT_WORK(t, &items[0].work, flush_own_queue, 0);
	queue_work(t, wq, &items[0].work);
}

START_TEST(an_item_that_flushes_its_own_queue_never_ends)
{
	start(false, 1);
	sim_task(0, "queuer", queue_self_flusher, NULL);
	sim_run();
	ck_assert_ptr_null(marked("flushed"));
	ck_assert(sim_end() > 0 && sim_caught("progress"));
}
END_TEST

/* ---- cancelling ------------------------------------------------------------------- */

static void cancel_pending(struct task *t, void *arg)
{
	uintptr_t i = (uintptr_t)arg;

	queue_all(t, NULL);
	expect(cancel_work_sync(t, &items[i].work));
	expect(!items[i].work.pending);
	flush_workqueue(t, wq);
	mark(t, "flushed");
	expect(items[i].runs == 0);
	for (int other = 0; other < NR_ITEMS; other++)
		expect(other == (int)i || items[other].runs == 1);
}

/* The first waits in the pool, the last in the queue's own list. */
START_TEST(a_cancelled_item_does_not_run_and_holds_up_nobody)
{
	start(false, 1, .exact = true);
	sim_task(0, "canceller", cancel_pending, (void *)(uintptr_t)(_i ? NR_ITEMS - 1 : 0));
	sim_run();
	ck_assert_ptr_nonnull(marked("flushed"));
	ck_assert_int_eq(rec_first(TR_WORK_CANCEL, 0)->arg[0], 1);
}
END_TEST

static void flush_then_cancelled(struct task *t, void *arg)
{
	(void)arg;
	work_for(t, 5 * US);
	expect(cancel_work_sync(t, &items[1].work));
}

static void queue_two_and_flush(struct task *t, void *arg)
{
	(void)arg;
	queue_work(t, wq, &items[0].work);
	queue_work(t, wq, &items[1].work);
	flush_workqueue(t, wq);
	mark(t, "flushed");
}

START_TEST(cancelling_releases_those_who_flush)
{
	start(false, 1, .exact = true);
	items[0].sleep_ns = MS;
	sim_task(0, "flusher", queue_two_and_flush, NULL);
	sim_task(1, "canceller", flush_then_cancelled, NULL);
	sim_run();
	ck_order(rec_first(TR_FLUSH_BEGIN, 0), rec_first(TR_WORK_CANCEL, 0));
	ck_assert_ptr_nonnull(marked("flushed"));
	ck_assert_int_eq(items[1].runs, 0);
}
END_TEST

static void cancel_running(struct task *t, void *arg)
{
	(void)arg;
	while (!items[0].running)
		work_for(t, 1 * US);
	expect(!cancel_work_sync(t, &items[0].work));
	expect(!items[0].running);
	mark(t, "cancelled");
	expect(queue_work(t, wq, &items[0].work));
}

START_TEST(cancelling_a_running_item_waits_for_its_end)
{
	start(false, 1);
	items[0].sleep_ns = MS;
	sim_task(0, "queuer", queue_once, NULL);
	sim_task(1, "canceller", cancel_running, NULL);
	sim_run();
	ck_order(done(0), marked("cancelled"));
	ck_assert_int_eq(items[0].runs, 2);
}
END_TEST

static void cancel_idle(struct task *t, void *arg)
{
	(void)arg;
	expect(!cancel_work_sync(t, &items[0].work));
	mark(t, "cancelled");
	expect(queue_work(t, wq, &items[0].work));
}

START_TEST(cancelling_an_idle_item_does_nothing)
{
	start(false, 1);
	sim_task(0, "canceller", cancel_idle, NULL);
	sim_run();
	ck_assert_ptr_nonnull(marked("cancelled"));
	ck_assert_int_eq(items[0].runs, 1);
}
END_TEST

static void cancel_requeued(struct task *t, void *arg)
{
	(void)arg;
	queue_while_it_runs(t, NULL);
	expect(cancel_work_sync(t, &items[0].work));
	expect(!items[0].running);
	mark(t, "cancelled");
}

START_TEST(cancelling_an_item_that_runs_and_waits_to_run_again_waits_for_the_run)
{
	start(false, 1);
	items[0].sleep_ns = MS;
	sim_task(0, "queuer", queue_once, NULL);
	sim_task(1, "canceller", cancel_requeued, NULL);
	sim_run();
	ck_order(done(0), marked("cancelled"));
	ck_assert_int_eq(items[0].runs, 1);
}
END_TEST

static void cancel_often(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 4; i++) {
		cancel_work_sync(t, &items[0].work);
		task_sleep(t, 30 * US);
	}
	mark(t, "cancelled");
}

static int count_with(enum trace_kind kind, int arg)
{
	int n = 0;

	for (const struct rec *r = NULL; (r = rec_next(r, kind, items[0].work.id)) != NULL;)
		n += r->arg[arg] != 0;
	return n;
}

START_TEST(every_queueing_ends_in_a_run_or_in_a_cancellation)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		start(false, 1, .seed = seed, .untimed = _i);
		items[0].sleep_ns = 20 * US;
		sim_task(0, "queuer", queue_often, NULL);
		sim_task(1, "canceller", cancel_often, NULL);
		sim_run();
		expect(marked("cancelled") && sim.w->nr_tasks_alive == 0);
		expect(items[0].most_running <= 1 && wq->nr_in_flight == 0);
		expect(items[0].runs + count_with(TR_WORK_CANCEL, 0) ==
		       count_with(TR_QUEUE_WORK, 2));
	}
}
END_TEST

/* ---- after a grace period --------------------------------------------------------- */

static struct rcu_work rwork;

static void rcu_item(struct task *t, struct work_struct *work)
{
	(void)work;
	expect(t->ctx == CTX_KWORKER);
	mark(t, "runs");
}

static void queue_rcu_twice(struct task *t, void *arg)
{
	(void)arg;
	INIT_WORK(t, &rwork.work, rcu_item, 0);
	mark(t, "queues");
	/* It stays pending: no grace period ends meanwhile. */
	rcu_read_lock(t);
	expect(queue_rcu_work(t, wq, &rwork));
	expect(!queue_rcu_work(t, wq, &rwork));
	rcu_read_unlock(t);
}

START_TEST(an_rcu_work_runs_once_after_a_grace_period)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		const struct rec *gp;

		memset(&rwork, 0, sizeof(rwork));
		start(false, 1, .seed = seed, .untimed = _i % 2, .preempt = _i / 2);
		sim_task(0, "queuer", queue_rcu_twice, NULL);
		sim_run();
		gp = rec_next(marked("queues"), TR_RCU_GP_START, 0);
		ck_order(marked("queues"), gp);
		ck_order(rec_next(gp, TR_RCU_GP_END, 0), marked("runs"));
		expect(rec_count_str(TR_LOG, "runs") == 1);
	}
}
END_TEST

static TCase *case_running(void)
{
	TCase *tc = tcase_create("running");

	tcase_add_loop_test(tc, no_more_than_max_active_items_run_at_a_time, 0, 2);
	tcase_add_test(tc, max_active_counts_per_cpu);
	tcase_add_loop_test(tc, items_of_one_cpu_start_in_the_order_of_queueing, 0, 4);
	tcase_add_test(tc, an_item_runs_on_the_cpu_it_was_queued_on);
	tcase_add_loop_test(tc, an_ordered_queue_runs_one_item_at_a_time_in_order, 0, 2);
	tcase_add_test(tc, a_blocked_worker_lets_the_pool_start_another);
	tcase_add_test(tc, a_busy_worker_does_not);
	tcase_add_test(tc, an_item_is_not_touched_after_its_function);
	tcase_add_test(tc, an_item_queued_twice_runs_once);
	tcase_add_test(tc, an_item_that_queues_itself_runs_once_more);
	tcase_add_test(tc, an_item_queued_while_it_runs_runs_exactly_once_more);
	tcase_add_loop_test(tc, an_item_never_runs_twice_at_a_time_whoever_queues_it, 0, 2);
	tcase_add_test(tc, initialising_again_loses_that_guarantee);
	tcase_add_loop_test(tc, an_rcu_work_runs_once_after_a_grace_period, 0, 6);
	return tc;
}

static TCase *case_waiting(void)
{
	TCase *tc = tcase_create("waiting");

	tcase_add_loop_test(tc, flush_workqueue_waits_for_every_item_queued_before, 0, 4);
	tcase_add_test(tc, flush_workqueue_does_not_wait_for_items_queued_later);
	tcase_add_test(tc, flush_workqueue_does_not_wait_for_what_its_items_queue);
	tcase_add_test(tc, flushing_nothing_returns_at_once);
	tcase_add_test(tc, flush_work_waits_for_one_item);
	tcase_add_test(tc, flush_work_waits_for_the_last_instance);
	tcase_add_test(tc, an_item_that_flushes_its_own_queue_never_ends);
	tcase_add_loop_test(tc, a_cancelled_item_does_not_run_and_holds_up_nobody, 0, 2);
	tcase_add_test(tc, cancelling_releases_those_who_flush);
	tcase_add_test(tc, cancelling_a_running_item_waits_for_its_end);
	tcase_add_test(tc, cancelling_an_idle_item_does_nothing);
	tcase_add_test(tc, cancelling_an_item_that_runs_and_waits_to_run_again_waits_for_the_run);
	tcase_add_loop_test(tc, every_queueing_ends_in_a_run_or_in_a_cancellation, 0, 2);
	return tc;
}

Suite *suite_workqueue(void)
{
	Suite *s = suite_create("workqueue");

	suite_add_tcase(s, case_running());
	suite_add_tcase(s, case_waiting());
	return s;
}
