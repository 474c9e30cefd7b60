// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kernel/lock.h"

static oid_t lock_new(struct world *w, enum lock_kind kind, const char *name)
{
	oid_t id = world_new_id(w, OBJ_LOCK);

	trace_env(w, NULL, LOCK_INIT, .obj = id, .arg = {kind}, .str = name);
	return id;
}

static void acquired(struct task *t, oid_t id, bool read, bool try)
{
	trace(t, LOCK_ACQUIRE, .obj = id,
	      .arg = {read, t->irq_off > 0 || t->ctx == CTX_HARDIRQ,
		      t->bh_off > 0 || t->ctx == CTX_SOFTIRQ, try});
}

static void waits(struct task *t, oid_t id, bool read, const struct task *owner)
{
	trace(t, LOCK_WAIT, .obj = id, .arg = {read, owner ? (int64_t)owner->id : 0});
}

static void wake_first(struct task *t, struct list *waiters)
{
	struct list *node = list_pop(waiters);

	if (node)
		task_wake(container_of(node, struct task, wait_node), t->w->nr_records);
}

void might_sleep(struct task *t)
{
	trace(t, MIGHT_SLEEP, .obj = t->id,
	      .arg = {t->preempt_count, t->rcu_nesting, t->irq_off > 0},
	      .str = t->frames ? t->frames->func : NULL);
	if (t->w->config.preempt == PREEMPT_VOLUNTARY)
		cond_resched(t);
}

/* ---- mutex ------------------------------------------------------------------ */

void mutex_init(struct world *w, struct mutex *m, const char *name)
{
	m->id = lock_new(w, LOCK_MUTEX, name);
	m->owner = NULL;
	list_init(&m->waiters);
}

void mutex_lock(struct task *t, struct mutex *m)
{
	might_sleep(t);
	sched_point(t, COST_LOCK);
	touch(t->w, m->id, FIELD_LOCK, ACCESS_RMW);
	while (m->owner) {
		waits(t, m->id, false, m->owner);
		list_add_tail(&t->wait_node, &m->waiters);
		task_block(t, m->id, "mutex");
		touch(t->w, m->id, FIELD_LOCK, ACCESS_RMW);
	}
	m->owner = t;
	acquired(t, m->id, false, false);
}

bool mutex_trylock(struct task *t, struct mutex *m)
{
	sched_point(t, COST_LOCK);
	touch(t->w, m->id, FIELD_LOCK, ACCESS_RMW);
	if (m->owner)
		return false;
	m->owner = t;
	acquired(t, m->id, false, true);
	return true;
}

void mutex_unlock(struct task *t, struct mutex *m)
{
	sched_point(t, COST_LOCK);
	touch(t->w, m->id, FIELD_LOCK, ACCESS_RMW);
	trace(t, LOCK_RELEASE, .obj = m->id);
	m->owner = NULL;
	wake_first(t, &m->waiters);
}

/* ---- spinlock --------------------------------------------------------------- */

void spin_lock_init(struct world *w, struct spinlock *l, const char *name)
{
	l->id = lock_new(w, LOCK_SPIN, name);
	l->owner = NULL;
	list_init(&l->waiters);
}

void spin_lock(struct task *t, struct spinlock *l)
{
	preempt_disable(t);
	sched_point(t, COST_LOCK);
	touch(t->w, l->id, FIELD_LOCK, ACCESS_RMW);
	if (l->owner) {
		waits(t, l->id, false, l->owner);
		list_add_tail(&t->wait_node, &l->waiters);
		task_spin(t, l->id); /* the owner hands the lock over */
	} else {
		l->owner = t;
	}
	acquired(t, l->id, false, false);
}

bool spin_trylock(struct task *t, struct spinlock *l)
{
	preempt_disable(t);
	sched_point(t, COST_LOCK);
	touch(t->w, l->id, FIELD_LOCK, ACCESS_RMW);
	if (l->owner) {
		preempt_enable(t);
		return false;
	}
	l->owner = t;
	acquired(t, l->id, false, true);
	return true;
}

void spin_unlock(struct task *t, struct spinlock *l)
{
	struct list *node;

	sched_point(t, COST_LOCK);
	touch(t->w, l->id, FIELD_LOCK, ACCESS_RMW);
	trace(t, LOCK_RELEASE, .obj = l->id);
	node = list_pop(&l->waiters);
	l->owner = node ? container_of(node, struct task, wait_node) : NULL;
	if (l->owner)
		spin_release(l->owner);
	preempt_enable(t);
}

void spin_lock_irq(struct task *t, struct spinlock *l)
{
	local_irq_disable(t);
	spin_lock(t, l);
}

void spin_unlock_irq(struct task *t, struct spinlock *l)
{
	spin_unlock(t, l);
	local_irq_enable(t);
}

/* ---- rw-semaphore ----------------------------------------------------------- */

void init_rwsem(struct world *w, struct rw_semaphore *s, const char *name)
{
	s->id = lock_new(w, LOCK_RWSEM, name);
	s->writer = NULL;
	s->nr_readers = 0;
	list_init(&s->waiters);
}

static void rwsem_wait(struct task *t, struct rw_semaphore *s, bool read)
{
	waits(t, s->id, read, s->writer);
	t->wait_arg = read;
	list_add_tail(&t->wait_node, &s->waiters);
	task_block(t, s->id, "rwsem");
}

/*
 * Hand the semaphore to the writer at the head of the queue, or to all readers before the
 * next one.
 */
static void rwsem_grant(struct task *t, struct rw_semaphore *s)
{
	while (!list_empty(&s->waiters) && !s->writer) {
		struct task *first = container_of(s->waiters.next, struct task, wait_node);

		if (first->wait_arg) {
			s->nr_readers++;
		} else {
			if (s->nr_readers > 0)
				return;
			s->writer = first;
		}
		list_del(&first->wait_node);
		task_wake(first, t->w->nr_records);
	}
}

void down_read(struct task *t, struct rw_semaphore *s)
{
	might_sleep(t);
	sched_point(t, COST_LOCK);
	touch(t->w, s->id, FIELD_LOCK, ACCESS_RMW);
	if (s->writer || !list_empty(&s->waiters))
		rwsem_wait(t, s, true);
	else
		s->nr_readers++;
	acquired(t, s->id, true, false);
}

bool down_read_trylock(struct task *t, struct rw_semaphore *s)
{
	touch(t->w, s->id, FIELD_LOCK, ACCESS_RMW);
	if (s->writer || !list_empty(&s->waiters))
		return false;
	s->nr_readers++;
	acquired(t, s->id, true, true);
	return true;
}

void up_read(struct task *t, struct rw_semaphore *s)
{
	sched_point(t, COST_LOCK);
	touch(t->w, s->id, FIELD_LOCK, ACCESS_RMW);
	trace(t, LOCK_RELEASE, .obj = s->id, .arg = {1});
	s->nr_readers--;
	rwsem_grant(t, s);
}

void down_write(struct task *t, struct rw_semaphore *s)
{
	might_sleep(t);
	sched_point(t, COST_LOCK);
	touch(t->w, s->id, FIELD_LOCK, ACCESS_RMW);
	if (s->writer || s->nr_readers > 0 || !list_empty(&s->waiters))
		rwsem_wait(t, s, false);
	else
		s->writer = t;
	acquired(t, s->id, false, false);
}

void up_write(struct task *t, struct rw_semaphore *s)
{
	sched_point(t, COST_LOCK);
	touch(t->w, s->id, FIELD_LOCK, ACCESS_RMW);
	trace(t, LOCK_RELEASE, .obj = s->id);
	s->writer = NULL;
	rwsem_grant(t, s);
}

/* ---- completion ------------------------------------------------------------- */

void init_completion(struct world *w, struct completion *c)
{
	c->id = world_new_id(w, OBJ_WAIT);
	c->done = 0;
	list_init(&c->waiters);
}

void wait_for_completion(struct task *t, struct completion *c, const char *why)
{
	might_sleep(t);
	sched_point(t, COST_LOCK);
	touch(t->w, c->id, FIELD_LOCK, ACCESS_RMW);
	while (c->done == 0) {
		list_add_tail(&t->wait_node, &c->waiters);
		task_block(t, c->id, why);
		touch(t->w, c->id, FIELD_LOCK, ACCESS_RMW);
	}
	c->done--;
}

void complete(struct task *t, struct completion *c)
{
	touch(t->w, c->id, FIELD_LOCK, ACCESS_RMW);
	c->done++;
	wake_first(t, &c->waiters);
}
