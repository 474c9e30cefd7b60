// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kernel/workqueue.h"

#include <stdio.h>

#include "sim/kernel/kernel.h"

static struct worker_pool *pool_for(struct world *w, const struct workqueue *wq, struct cpu *cpu)
{
	return &kernel_of(w)->pools[wq->unbound ? w->config.nr_cpus : cpu->nr];
}

static struct pool_workqueue *pwq_of(struct workqueue *wq, const struct worker_pool *pool)
{
	return &wq->pwq[wq->unbound ? 0 : pool->cpu->nr];
}

/* Queueing commutes with queueing elsewhere; counting items does, flushing does not. */
static void touch_pool(struct worker_pool *pool)
{
	touch(pool->w, pool->cpu ? pool->cpu->id : UNBOUND_POOL, FIELD_POOL, ACCESS_RMW);
}

static void touch_work(struct world *w, const struct work_struct *work)
{
	touch(w, work->id, FIELD_QUEUE, ACCESS_RMW);
	if (work->of)
		touch(w, work->of, FIELD_LIFE, ACCESS_READ);
}

static void touch_count(struct workqueue *wq, enum access_mode mode)
{
	touch(wq->w, wq->id, FIELD_REF, mode);
}

/* ---- pools and workers ---------------------------------------------------------- */

static void worker_thread(struct task *t, void *arg);

static struct worker *create_worker(struct worker_pool *pool)
{
	struct world *w = pool->w;
	struct worker *worker = world_alloc(w, sizeof(*worker));
	struct cpu *cpu = pool->cpu;
	char comm[32];

	if (cpu) {
		snprintf(comm, sizeof(comm), "kworker/%u:%u", cpu->nr, pool->nr_workers);
	} else {
		cpu = &w->cpus[world_choose(w, CHOOSE_CPU, w->config.nr_cpus)];
		snprintf(comm, sizeof(comm), "kworker/u:%u", pool->nr_workers);
	}
	pool->nr_workers++;
	worker->pool = pool;
	list_init(&worker->scheduled);
	list_add(&worker->node, &pool->idle);
	worker->task = task_new(w, cpu, arena_strdup(w->arena, comm), CTX_KWORKER, STACK_LARGE,
				worker_thread, worker);
	worker->task->worker = worker;
	return worker;
}

/* Unbound pools do not manage concurrency: every item may have a worker of its own. */
static bool may_start_another(const struct worker_pool *pool)
{
	return !pool->cpu || pool->nr_running == 0;
}

static bool need_more_workers(const struct worker_pool *pool)
{
	return !list_empty(&pool->worklist) && may_start_another(pool);
}

static void kick(struct worker_pool *pool)
{
	touch_pool(pool);
	if (need_more_workers(pool))
		transition_want(&pool->dispatch, world_cost(pool->w, COST_WORK_DISPATCH));
}

static void fire_dispatch(struct event *ev)
{
	struct worker_pool *pool =
		container_of(container_of(ev, struct transition, ev), struct worker_pool, dispatch);
	struct worker *worker;

	touch_pool(pool);
	if (!need_more_workers(pool))
		return;
	worker = list_empty(&pool->idle) ? create_worker(pool)
					 : container_of(pool->idle.next, struct worker, node);
	list_move_tail(&worker->node, &pool->busy);
	worker->busy = true;
	worker->sleeping = false;
	pool->nr_running++;
	task_wake(worker->task, 0);
}

void wq_worker_sleeping(struct task *t)
{
	struct worker *worker = t->worker;

	if (!worker->busy || worker->sleeping || t->state != TASK_BLOCKED)
		return;
	worker->sleeping = true;
	worker->pool->nr_running--;
	kick(worker->pool);
}

void wq_worker_running(struct task *t)
{
	struct worker *worker = t->worker;

	if (!worker->busy || !worker->sleeping)
		return;
	touch_pool(worker->pool);
	worker->sleeping = false;
	worker->pool->nr_running++;
}

/* ---- queueing ---------------------------------------------------------------------- */

void init_work_named(struct task *t, struct work_struct *work,
		     void (*func)(struct task *t, struct work_struct *work), const char *name,
		     oid_t of)
{
	if (!work->id)
		work->id = world_new_id(t->w, OBJ_WORK);
	work->of = of;
	work->func = func;
	work->name = name;
	work->pending = false;
	work->canceling = false;
	work->last_pool = NULL;
	touch_work(t->w, work);
	list_init(&work->node);
	trace(t, WORK_INIT, .obj = work->id, .arg = {(int64_t)of}, .str = name);
}

static struct worker *find_worker_executing(struct worker_pool *pool,
					    const struct work_struct *work)
{
	touch_pool(pool);
	list_for_each(node, &pool->busy) {
		struct worker *worker = container_of(node, struct worker, node);

		if (worker->current == work && worker->current_func == work->func)
			return worker;
	}
	return NULL;
}

static void activate(struct worker_pool *pool, struct pool_workqueue *pwq, struct work_struct *work)
{
	pwq->nr_active++;
	work->active = true;
	list_add_tail(&work->node, &pool->worklist);
	kick(pool);
}

/* @work is pending by now: put it where it is to run. */
static void insert_work(struct cpu *cpu, struct workqueue *wq, struct work_struct *work)
{
	struct worker_pool *pool = pool_for(cpu->w, wq, cpu);
	struct pool_workqueue *pwq;
	struct worker *running;

	/* Still running where it was last: it has to wait there for its own end. */
	if (work->last_pool && work->last_pool != pool) {
		running = find_worker_executing(work->last_pool, work);
		if (running && running->current_wq == wq)
			pool = work->last_pool;
	}
	/* What is active, and the order of what is not, belong to the pool's lock as well. */
	touch_pool(pool);
	pwq = pwq_of(wq, pool);
	work->wq = wq;
	work->last_pool = pool;
	work->colour = wq->colour;
	work->instance++;
	touch_count(wq, ACCESS_ADD);
	wq->nr_in_flight++;
	if (pwq->nr_active < wq->max_active) {
		activate(pool, pwq, work);
	} else {
		work->active = false;
		list_add_tail(&work->node, &pwq->inactive);
	}
}

static void trace_queue(struct task *t, struct cpu *cpu, struct workqueue *wq,
			struct work_struct *work, bool queued)
{
	uint64_t seq = trace(t, QUEUE_WORK, .obj = work->id,
			     .arg = {(int64_t)wq->id, cpu->nr, queued}, .str = work->name);

	if (queued)
		work->cause = seq;
}

bool queue_work_on(struct task *t, struct cpu *cpu, struct workqueue *wq, struct work_struct *work)
{
	bool queued;

	sched_point(t, COST_ATOMIC);
	touch_work(t->w, work);
	queued = !work->pending && !work->canceling;
	trace_queue(t, cpu, wq, work, queued);
	if (!queued)
		return false;
	work->pending = true;
	insert_work(cpu, wq, work);
	return true;
}

bool queue_work(struct task *t, struct workqueue *wq, struct work_struct *work)
{
	FRAME(t);

	return queue_work_on(t, t->cpu, wq, work);
}

bool schedule_work(struct task *t, struct work_struct *work)
{
	FRAME(t);

	return queue_work_on(t, t->cpu, kernel_of(t->w)->system_wq, work);
}

/* ---- waiting ------------------------------------------------------------------------- */

struct flusher {
	struct list node;
	uint64_t colour, remaining; /* items of that colour or older not yet finished */
	struct completion done;
};

struct work_waiter {
	struct list node;
	const struct work_struct *work;
	uint64_t instance;
	struct completion done;
};

static void item_left(struct task *t, struct workqueue *wq, uint64_t colour)
{
	touch_count(wq, ACCESS_ADD);
	wq->nr_in_flight--;
	list_for_each_safe(node, next, &wq->flushers) {
		struct flusher *f = container_of(node, struct flusher, node);

		if (colour <= f->colour && --f->remaining == 0) {
			list_del(&f->node);
			complete(t, &f->done);
		}
	}
}

static void instance_left(struct task *t, struct workqueue *wq, const struct work_struct *work,
			  uint64_t instance)
{
	touch(wq->w, wq->id, FIELD_QUEUE, ACCESS_ADD);
	list_for_each_safe(node, next, &wq->waiters) {
		struct work_waiter *ww = container_of(node, struct work_waiter, node);

		if (ww->work == work && ww->instance == instance) {
			list_del(&ww->node);
			complete(t, &ww->done);
		}
	}
}

/* One place of @pwq is free: the next item that waited for it may run. */
static void put_active(struct worker_pool *pool, struct pool_workqueue *pwq)
{
	struct list *node;

	touch_pool(pool);
	pwq->nr_active--;
	node = list_pop(&pwq->inactive);
	if (node)
		activate(pool, pwq, container_of(node, struct work_struct, node));
}

void flush_workqueue(struct task *t, struct workqueue *wq)
{
	FRAME(t);
	struct flusher f;

	might_sleep(t);
	sched_point(t, COST_LOCK);
	touch_count(wq, ACCESS_RMW);
	trace(t, FLUSH_BEGIN, .obj = wq->id, .arg = {(int64_t)wq->nr_in_flight});
	if (wq->nr_in_flight > 0) {
		f.colour = wq->colour++;
		f.remaining = wq->nr_in_flight;
		init_completion(t->w, &f.done);
		list_add_tail(&f.node, &wq->flushers);
		wait_for_completion(t, &f.done, "flush_workqueue");
		touch_count(wq, ACCESS_READ);
	}
	trace(t, FLUSH_END, .obj = wq->id);
}

/* Wait for the last queueing of @work, or for the run that is under way. */
static bool wait_for_instance(struct task *t, struct work_struct *work)
{
	struct worker *running;
	struct work_waiter ww;
	struct workqueue *wq = work->wq;
	oid_t id = work->id;

	if (!work->last_pool)
		return false;
	running = find_worker_executing(work->last_pool, work);
	if (!work->pending && !running)
		return false;
	ww.work = work;
	ww.instance = work->pending ? work->instance : running->current_instance;
	init_completion(t->w, &ww.done);
	touch(t->w, wq->id, FIELD_QUEUE, ACCESS_RMW);
	list_add_tail(&ww.node, &wq->waiters);
	trace(t, FLUSH_WORK_BEGIN, .obj = id, .arg = {(int64_t)wq->id}, .str = work->name);
	wait_for_completion(t, &ww.done, "flush_work");
	/* @work may be freed memory from here on. */
	trace(t, FLUSH_WORK_END, .obj = id, .arg = {(int64_t)wq->id});
	return true;
}

bool flush_work(struct task *t, struct work_struct *work)
{
	FRAME(t);

	might_sleep(t);
	sched_point(t, COST_LOCK);
	touch_work(t->w, work);
	return wait_for_instance(t, work);
}

bool cancel_work_sync(struct task *t, struct work_struct *work)
{
	FRAME(t);
	bool was_pending;

	might_sleep(t);
	sched_point(t, COST_LOCK);
	touch_work(t->w, work);
	was_pending = work->pending;
	work->canceling = true;
	if (was_pending && !list_empty(&work->node)) {
		struct workqueue *wq = work->wq;
		struct worker_pool *pool = work->last_pool;

		list_del(&work->node);
		work->pending = false;
		if (work->active)
			put_active(pool, pwq_of(wq, pool));
		item_left(t, wq, work->colour);
		instance_left(t, wq, work, work->instance);
	}
	trace(t, WORK_CANCEL, .obj = work->id, .arg = {was_pending});
	wait_for_instance(t, work);
	touch_work(t->w, work);
	work->canceling = false;
	return was_pending;
}

/* ---- execution ------------------------------------------------------------------------- */

static void call_work(struct task *t, struct work_struct *work, const char *name)
{
	FRAME_NAMED(t, name);

	work->func(t, work);
}

static void process_one_work(struct task *t, struct worker *worker, struct work_struct *work)
{
	FRAME(t);
	struct worker_pool *pool = worker->pool;
	struct workqueue *wq = work->wq;
	struct worker *other = find_worker_executing(pool, work);
	const char *name = work->name;
	uint64_t colour = work->colour, instance = work->instance;
	oid_t id = work->id;

	touch_work(t->w, work);
	if (other) {
		list_move_tail(&work->node, &other->scheduled);
		return;
	}
	list_del(&work->node);
	worker->current = work;
	worker->current_func = work->func;
	worker->current_wq = wq;
	worker->current_instance = instance;
	kick(pool);
	work->pending = false;
	trace(t, WORK_START, .obj = id, .arg = {(int64_t)work->of, (int64_t)wq->id}, .str = name,
	      .cause = work->cause, .via = VIA_QUEUE_WORK);

	call_work(t, work, name);

	/* @work may be freed memory from here on. */
	trace(t, WORK_END, .obj = id, .arg = {(int64_t)wq->id}, .str = name);
	worker->current = NULL;
	worker->current_func = NULL;
	put_active(pool, pwq_of(wq, pool));
	item_left(t, wq, colour);
	instance_left(t, wq, work, instance);
}

/* What @worker is to do next: its leftovers, or the pool's work if nobody else is at it. */
static struct work_struct *next_item(struct worker *worker)
{
	struct worker_pool *pool = worker->pool;
	struct list *from = &worker->scheduled;

	touch_pool(pool);
	if (list_empty(from) && (!pool->cpu || pool->nr_running <= 1))
		from = &pool->worklist;
	return list_empty(from) ? NULL : container_of(from->next, struct work_struct, node);
}

static void worker_thread(struct task *t, void *arg)
{
	FRAME(t);
	struct worker *worker = arg;
	struct worker_pool *pool = worker->pool;

	for (;;) {
		while (next_item(worker)) {
			struct work_struct *work;

			sched_point(t, COST_WORK_ITEM);
			/* It may have been cancelled meanwhile. */
			work = next_item(worker);
			if (work)
				process_one_work(t, worker, work);
			cond_resched(t);
		}
		touch_pool(pool);
		worker->busy = false;
		pool->nr_running--;
		list_del(&worker->node);
		list_add(&worker->node, &pool->idle);
		task_block(t, 0, "idle");
	}
}

/* ---- rcu_work ------------------------------------------------------------------------------ */

static void rcu_work_rcufn(struct task *t, struct rcu_head *head)
{
	struct rcu_work *rwork = container_of(head, struct rcu_work, rcu);

	/* It has been pending since queue_rcu_work(). */
	sched_point(t, COST_ATOMIC);
	touch_work(t->w, &rwork->work);
	trace_queue(t, t->cpu, rwork->wq, &rwork->work, true);
	insert_work(t->cpu, rwork->wq, &rwork->work);
}

bool queue_rcu_work(struct task *t, struct workqueue *wq, struct rcu_work *rwork)
{
	FRAME(t);

	sched_point(t, COST_ATOMIC);
	touch_work(t->w, &rwork->work);
	if (rwork->work.pending)
		return false;
	rwork->work.pending = true;
	rwork->wq = wq;
	call_rcu(t, &rwork->rcu, rcu_work_rcufn, rwork->work.of);
	return true;
}

/* ---- set-up --------------------------------------------------------------------------------- */

struct workqueue *alloc_workqueue(struct world *w, const char *name, bool unbound,
				  uint32_t max_active)
{
	unsigned int nr = unbound ? 1 : w->config.nr_cpus;
	struct workqueue *wq = world_alloc(w, sizeof(*wq) + nr * sizeof(wq->pwq[0]));

	wq->id = world_new_id(w, OBJ_WQ);
	wq->w = w;
	wq->name = name;
	wq->unbound = unbound;
	wq->max_active = max_active;
	list_init(&wq->flushers);
	list_init(&wq->waiters);
	for (unsigned int i = 0; i < nr; i++)
		list_init(&wq->pwq[i].inactive);
	trace_env(w, NULL, WQ_INIT, .obj = wq->id, .arg = {max_active, unbound}, .str = name);
	return wq;
}

static void pool_init(struct world *w, struct worker_pool *pool, struct cpu *cpu)
{
	pool->w = w;
	pool->cpu = cpu;
	list_init(&pool->worklist);
	list_init(&pool->idle);
	list_init(&pool->busy);
	transition_init(&pool->dispatch, w, TRANSITION_ENV, cpu ? cpu->id : 0, "worker",
			fire_dispatch);
}

void workqueue_init(struct world *w)
{
	struct kernel *k = kernel_of(w);
	unsigned int nr_cpus = w->config.nr_cpus;

	k->pools = world_alloc(w, (nr_cpus + 1) * sizeof(*k->pools));
	for (unsigned int i = 0; i < nr_cpus; i++)
		pool_init(w, &k->pools[i], &w->cpus[i]);
	pool_init(w, &k->pools[nr_cpus], NULL);
}
