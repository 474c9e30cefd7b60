// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks, wait queues, completions and masking for small models.
 *
 * A mutex or spinlock is free or not: who waits for it keeps no place in a queue,
 * so any of them can be next.  That allows every order that a fair lock would, and
 * more, with far fewer states.  A rwsem has to know who came first, because a
 * waiting writer keeps readers out: it is the simulated kernel's.
 */

#include "lua/model.h"
#include "sim/kernel/lock.h"

struct rwsem_handle {
	struct handle h;
	struct rw_semaphore sem;
};

struct waitqueue_handle {
	struct handle h;
	struct list sleepers; /* script_task.queued */
};

struct completion_handle {
	struct handle h;
	uint32_t done; /* UINT32_MAX: for ever */
	struct list waiters;
};

/* ---- mutex, spinlock ------------------------------------------------------------ */

static void section_begin(struct task *t, const struct lock_handle *l)
{
	if (l->irqsafe)
		local_irq_disable(t);
	if (l->spin)
		preempt_disable(t);
}

static void section_end(struct task *t, const struct lock_handle *l)
{
	if (l->spin)
		preempt_enable(t);
	if (l->irqsafe)
		local_irq_enable(t);
}

static bool is_free(const struct task *t, void *arg)
{
	(void)t;
	return !((const struct lock_handle *)arg)->owner;
}

/* The section begins with the step that takes the lock: before it, anything may still happen. */
static void lock_taken(struct task *t, struct lock_handle *l, bool try)
{
	section_begin(t, l);
	touch(t->w, l->h.id, FIELD_LOCK, ACCESS_RMW);
	l->owner = t;
	l->misused = false;
	trace(t, LOCK_ACQUIRE, .obj = l->h.id,
	      .arg = {false, t->irq_off > 0 || t->ctx == CTX_HARDIRQ,
		      t->bh_off > 0 || t->ctx == CTX_SOFTIRQ, try});
}

static int l_lock(lua_State *L)
{
	struct task *t = model_self(L, "lock")->task;
	struct lock_handle *l = model_arg(L, 2, HANDLE_LOCK, "lock");

	if (!l->spin) {
		FRAME_NAMED(t, "lock");
		might_sleep(t);
	}
	model_await(t, COST_LOCK, is_free, l, &l->waiters, l->h.id, l->spin ? "spinlock" : "mutex",
		    l->spin);
	lock_taken(t, l, false);
	return 0;
}

static int l_trylock(lua_State *L)
{
	struct task *t = model_self(L, "trylock")->task;
	struct lock_handle *l = model_arg(L, 2, HANDLE_LOCK, "trylock");
	bool ok;

	sched_point(t, COST_LOCK);
	ok = !l->owner;
	if (ok)
		lock_taken(t, l, true);
	else
		touch(t->w, l->h.id, FIELD_LOCK, ACCESS_READ);
	lua_pushboolean(L, ok);
	return 1;
}

static int l_unlock(lua_State *L)
{
	struct task *t = model_self(L, "unlock")->task;
	struct lock_handle *l = model_arg(L, 2, HANDLE_LOCK, "unlock");

	sched_point(t, COST_LOCK);
	trace(t, LOCK_RELEASE, .obj = l->h.id);
	/* A lock of somebody else stays his: the record has told the checkers. */
	if (l->owner != t) {
		touch(t->w, l->h.id, FIELD_LOCK, l->owner ? ACCESS_RMW : ACCESS_READ);
		l->misused = l->owner != NULL;
		return 0;
	}
	/* Until then it was held, whatever else happened: see order_wait_races(). */
	touch(t->w, l->h.id, FIELD_LOCK, ACCESS_WRITE);
	l->owner = NULL;
	l->misused = false;
	model_wake(t, &l->waiters);
	section_end(t, l);
	return 0;
}

static int make_lock(lua_State *L, const char *what, bool spin, bool irqsafe)
{
	struct task *t = maker(L, what);
	const char *name = arg_new_name(L, 1, what);
	struct lock_handle *l =
		handle_new(L, HANDLE_LOCK, sizeof(*l), world_new_id(t->w, OBJ_LOCK), name);

	(void)keep(L);
	note_value(L, &l->h);
	l->spin = spin;
	l->irqsafe = irqsafe;
	list_init(&l->waiters);
	trace(t, LOCK_INIT, .obj = l->h.id, .arg = {spin ? LOCK_SPIN : LOCK_MUTEX},
	      .str = l->h.name);
	return 1;
}

static int l_mutex(lua_State *L)
{
	return make_lock(L, "mutex", false, false);
}

/* core.spinlock(name, irqsafe) */
static int l_spinlock(lua_State *L)
{
	return make_lock(L, "spinlock", true, lua_toboolean(L, 2));
}

/* ---- rwsem ---------------------------------------------------------------------- */

static int l_rwsem(lua_State *L)
{
	struct task *t = maker(L, "rwsem");
	const char *name = arg_new_name(L, 1, "rwsem");
	struct rwsem_handle *s = handle_new(L, HANDLE_RWSEM, sizeof(*s), 0, name);

	(void)keep(L);
	init_rwsem(t->w, &s->sem, s->h.name);
	s->h.id = s->sem.id;
	return 1;
}

static int l_down_read(lua_State *L)
{
	struct task *t = model_self(L, "down_read")->task;
	struct rwsem_handle *s = model_arg(L, 2, HANDLE_RWSEM, "down_read");

	refuse_to_sleep(t, "down_read");
	down_read(t, &s->sem);
	return 0;
}

static int l_down_write(lua_State *L)
{
	struct task *t = model_self(L, "down_write")->task;
	struct rwsem_handle *s = model_arg(L, 2, HANDLE_RWSEM, "down_write");

	refuse_to_sleep(t, "down_write");
	down_write(t, &s->sem);
	return 0;
}

/* The semaphore does not survive being let go by who does not hold it: only the checkers see it. */
static void release_unheld(struct task *t, const struct rwsem_handle *s, bool read)
{
	sched_point(t, COST_LOCK);
	touch(t->w, s->h.id, FIELD_LOCK, ACCESS_READ);
	trace(t, LOCK_RELEASE, .obj = s->h.id, .arg = {read});
}

static int l_up_read(lua_State *L)
{
	struct task *t = model_self(L, "up_read")->task;
	struct rwsem_handle *s = model_arg(L, 2, HANDLE_RWSEM, "up_read");

	if (s->sem.nr_readers > 0)
		up_read(t, &s->sem);
	else
		release_unheld(t, s, true);
	return 0;
}

static int l_up_write(lua_State *L)
{
	struct task *t = model_self(L, "up_write")->task;
	struct rwsem_handle *s = model_arg(L, 2, HANDLE_RWSEM, "up_write");

	if (s->sem.writer == t)
		up_write(t, &s->sem);
	else
		release_unheld(t, s, false);
	return 0;
}

/* ---- wait queues ---------------------------------------------------------------- */

static bool is_awake(const struct task *t, void *arg)
{
	(void)t;
	return !((const struct script_task *)arg)->asleep;
}

static int l_prepare_to_wait(lua_State *L)
{
	struct script_task *self = model_self(L, "prepare_to_wait");
	struct waitqueue_handle *q = model_arg(L, 2, HANDLE_WAITQUEUE, "prepare_to_wait");

	if (!list_empty(&self->queued) && self->waitqueue != q->h.id)
		script_error(L,
			     "t:prepare_to_wait: %s is on another waitqueue already; call "
			     "t:finish_wait first",
			     self->h.name);
	sched_access(self->task, q->h.id, 0, ACCESS_RMW, "prepare_to_wait");
	if (list_empty(&self->queued))
		list_add_tail(&self->queued, &q->sleepers);
	self->waitqueue = q->h.id;
	self->asleep = true;
	return 0;
}

/* Returns at once if somebody called wake_up() since prepare_to_wait(). */
static int l_schedule(lua_State *L)
{
	struct script_task *self = model_self(L, "schedule");
	struct task *t = self->task;

	FRAME_NAMED(t, "schedule");
	might_sleep(t);
	model_await(t, COST_CONTEXT_SWITCH, is_awake, self, &self->schedule, self->waitqueue,
		    "schedule", false);
	if (self->waitqueue)
		trace_access(t, self->waitqueue, 0, ACCESS_READ, "schedule");
	return 0;
}

static int l_finish_wait(lua_State *L)
{
	struct script_task *self = model_self(L, "finish_wait");
	const struct waitqueue_handle *q = model_arg(L, 2, HANDLE_WAITQUEUE, "finish_wait");

	sched_access(self->task, q->h.id, 0, ACCESS_RMW, "finish_wait");
	list_del(&self->queued);
	self->asleep = false;
	return 0;
}

/* Wakes everybody, and takes them off the queue as autoremove_wake_function() does. */
static int l_wake_up(lua_State *L)
{
	struct task *t = model_self(L, "wake_up")->task;
	struct waitqueue_handle *q = model_arg(L, 2, HANDLE_WAITQUEUE, "wake_up");
	struct list *node;

	sched_access(t, q->h.id, 0, ACCESS_RMW, "wake_up");
	while ((node = list_pop(&q->sleepers)) != NULL) {
		struct script_task *sleeper = container_of(node, struct script_task, queued);

		sleeper->asleep = false;
		model_wake(t, &sleeper->schedule);
	}
	return 0;
}

static int l_waitqueue(lua_State *L)
{
	struct task *t = maker(L, "waitqueue");
	const char *name = arg_new_name(L, 1, "waitqueue");
	struct waitqueue_handle *q =
		handle_new(L, HANDLE_WAITQUEUE, sizeof(*q), world_new_id(t->w, OBJ_WAIT), name);

	(void)keep(L);
	list_init(&q->sleepers);
	trace(t, OBJ_NEW, .obj = q->h.id, .str = q->h.name);
	return 1;
}

/* ---- completions ---------------------------------------------------------------- */

static bool is_done(const struct task *t, void *arg)
{
	(void)t;
	return ((const struct completion_handle *)arg)->done > 0;
}

static int l_wait_for_completion(lua_State *L)
{
	struct task *t = model_self(L, "wait_for_completion")->task;
	struct completion_handle *c = model_arg(L, 2, HANDLE_COMPLETION, "wait_for_completion");

	FRAME_NAMED(t, "wait_for_completion");
	might_sleep(t);
	model_await(t, COST_LOCK, is_done, c, &c->waiters, c->h.id, "completion", false);
	trace_access(t, c->h.id, 0, ACCESS_RMW, "wait_for_completion");
	if (c->done != UINT32_MAX)
		c->done--;
	return 0;
}

static int l_complete(lua_State *L)
{
	struct task *t = model_self(L, "complete")->task;
	struct completion_handle *c = model_arg(L, 2, HANDLE_COMPLETION, "complete");

	sched_access(t, c->h.id, 0, ACCESS_RMW, "complete");
	if (c->done != UINT32_MAX)
		c->done++;
	model_wake(t, &c->waiters);
	return 0;
}

static int l_complete_all(lua_State *L)
{
	struct task *t = model_self(L, "complete_all")->task;
	struct completion_handle *c = model_arg(L, 2, HANDLE_COMPLETION, "complete_all");

	sched_access(t, c->h.id, 0, ACCESS_RMW, "complete_all");
	c->done = UINT32_MAX;
	model_wake(t, &c->waiters);
	return 0;
}

static int l_completion(lua_State *L)
{
	struct task *t = maker(L, "completion");
	const char *name = arg_new_name(L, 1, "completion");
	struct completion_handle *c =
		handle_new(L, HANDLE_COMPLETION, sizeof(*c), world_new_id(t->w, OBJ_WAIT), name);

	(void)keep(L);
	list_init(&c->waiters);
	trace(t, OBJ_NEW, .obj = c->h.id, .str = c->h.name);
	return 1;
}

/* ---- masking -------------------------------------------------------------------- */

/*
 * Masking is a step, or whatever could happen between the operation before it and
 * the section would be lost.  Unmasking is none: what was held back may come as
 * soon as the section's last operation is done, or later.
 */
static struct task *mask(lua_State *L, const char *op)
{
	struct task *t = model_self(L, op)->task;

	sched_point(t, COST_PERCPU);
	return t;
}

static struct task *unmask(lua_State *L, const char *op, size_t offset)
{
	struct task *t = model_self(L, op)->task;

	if (*(const uint16_t *)((const char *)t + offset) == 0)
		script_error(L, "t:%s: there is nothing to enable; call t:%.*sdisable() first", op,
			     (int)(strlen(op) - strlen("enable")), op);
	return t;
}

static int l_preempt_disable(lua_State *L)
{
	preempt_disable(mask(L, "preempt_disable"));
	return 0;
}

static int l_preempt_enable(lua_State *L)
{
	preempt_enable(unmask(L, "preempt_enable", offsetof(struct task, preempt_count)));
	return 0;
}

static int l_local_irq_disable(lua_State *L)
{
	local_irq_disable(mask(L, "local_irq_disable"));
	return 0;
}

static int l_local_irq_enable(lua_State *L)
{
	local_irq_enable(unmask(L, "local_irq_enable", offsetof(struct task, irq_off)));
	return 0;
}

static int l_local_bh_disable(lua_State *L)
{
	local_bh_disable(mask(L, "local_bh_disable"));
	return 0;
}

static int l_local_bh_enable(lua_State *L)
{
	local_bh_enable(unmask(L, "local_bh_enable", offsetof(struct task, bh_off)));
	return 0;
}

void locks_open(lua_State *L, int core)
{
	static const luaL_Reg ops[] = {
		{"complete", l_complete},
		{"complete_all", l_complete_all},
		{"down_read", l_down_read},
		{"down_write", l_down_write},
		{"finish_wait", l_finish_wait},
		{"local_bh_disable", l_local_bh_disable},
		{"local_bh_enable", l_local_bh_enable},
		{"local_irq_disable", l_local_irq_disable},
		{"local_irq_enable", l_local_irq_enable},
		{"lock", l_lock},
		{"preempt_disable", l_preempt_disable},
		{"preempt_enable", l_preempt_enable},
		{"prepare_to_wait", l_prepare_to_wait},
		{"schedule", l_schedule},
		{"trylock", l_trylock},
		{"unlock", l_unlock},
		{"up_read", l_up_read},
		{"up_write", l_up_write},
		{"wait_for_completion", l_wait_for_completion},
		{"wake_up", l_wake_up},
		{NULL, NULL},
	};
	static const luaL_Reg makers[] = {
		{"completion", l_completion}, {"mutex", l_mutex},	  {"rwsem", l_rwsem},
		{"spinlock", l_spinlock},     {"waitqueue", l_waitqueue}, {NULL, NULL},
	};

	model_add(L, core, ops, makers);
}

bool lock_operation(lua_CFunction f)
{
	return f == l_lock || f == l_unlock || f == l_trylock;
}
