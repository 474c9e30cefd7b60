// SPDX-License-Identifier: GPL-2.0-only
/*
 * RCU, work items and percpu_refs for small models: the simulated kernel's own.
 */

#include "lua/model.h"
#include "sim/kernel/kernel.h"
#include "sim/kernel/percpu_ref.h"

struct workqueue_handle {
	struct handle h;
	struct workqueue *wq;
};

struct work_handle {
	struct handle h;
	struct work_struct work;
	struct callback fn;
};

struct ref_handle {
	struct handle h;
	struct percpu_ref ref;
	struct callback release, confirm; /* L is NULL: none */
};

/* ---- RCU ------------------------------------------------------------------------ */

static int l_rcu_read_lock(lua_State *L)
{
	struct task *t = model_self(L, "rcu_read_lock")->task;

	/* In a kernel without preemption a section ends when its task is back in user mode. */
	if (t->in_user)
		task_set_user(t, false);
	rcu_read_lock(t);
	return 0;
}

static int l_rcu_read_unlock(lua_State *L)
{
	struct task *t = model_self(L, "rcu_read_unlock")->task;

	if (t->rcu_nesting == 0) {
		sched_point(t, COST_PERCPU);
		trace(t, RCU_READ_UNLOCK, .obj = t->id, .arg = {-1});
		return 0;
	}
	rcu_read_unlock(t);
	if (t->rcu_nesting == 0 && t->ctx == CTX_TASK && !run_of(L)->model)
		task_set_user(t, true);
	return 0;
}

/* Where models are not, these two are system calls. */
static int l_synchronize_rcu(lua_State *L)
{
	struct task *t = model_self(L, "synchronize_rcu")->task;
	bool user = t->in_user;

	refuse_to_sleep(t, "synchronize_rcu");
	if (user)
		op_begin(t, "synchronize_rcu", 0);
	synchronize_rcu(t, RCU_NORMAL);
	if (user)
		op_end(t, "synchronize_rcu", 0);
	return 0;
}

static int l_rcu_barrier(lua_State *L)
{
	struct task *t = model_self(L, "rcu_barrier")->task;
	bool user = t->in_user;

	refuse_to_sleep(t, "rcu_barrier");
	if (user)
		op_begin(t, "rcu_barrier", 0);
	rcu_barrier(t, RCU_NORMAL);
	if (user)
		op_end(t, "rcu_barrier", 0);
	return 0;
}

struct script_head {
	struct rcu_head rcu;
	struct callback fn;
};

static void script_rcu_callback(struct task *t, struct rcu_head *head)
{
	struct script_head *sh = container_of(head, struct script_head, rcu);
	struct callback fn = sh->fn;

	world_free(t->w, sh, sizeof(*sh));
	callback_call(t, &fn);
	callback_free(&fn);
}

/* call_rcu(fn, cell or nothing): fn(t) after a grace period, in a softirq */
static int l_call_rcu(lua_State *L)
{
	struct script_task *self = model_self(L, "call_rcu");
	struct task *t = self->task;
	const struct cell_handle *of = NULL;
	struct script_head *sh;

	arg_function(L, 2, "t:call_rcu");
	if (!lua_isnoneornil(L, 3))
		of = model_arg(L, 3, HANDLE_CELL, "call_rcu");
	sh = world_alloc(t->w, sizeof(*sh));
	sh->fn = callback_new(L, 2, self->h.name);
	call_rcu_named(t, RCU_NORMAL, &sh->rcu, script_rcu_callback, sh->fn.self->h.name,
		       of ? of->h.id : 0);
	return 0;
}

/* ---- work items ----------------------------------------------------------------- */

static void script_work(struct task *t, struct work_struct *work)
{
	callback_call(t, &container_of(work, struct work_handle, work)->fn);
}

/* core.work(name, fn) */
static int l_work(lua_State *L)
{
	struct task *t = maker(L, "work");
	const char *name = arg_new_name(L, 1, "work");
	struct work_handle *w;

	arg_function(L, 2, "sim:work");
	w = handle_new(L, HANDLE_WORK, sizeof(*w), 0, name);
	(void)keep(L);
	w->fn = callback_new(L, 2, name);
	init_work_named(t, &w->work, script_work, w->h.name, 0);
	w->h.id = w->work.id;
	return 1;
}

/* core.workqueue(name, unbound, max_active): lua/lib puts the table apart */
static int l_workqueue(lua_State *L)
{
	struct task *t = maker(L, "workqueue");
	const char *name = arg_new_name(L, 1, "workqueue");
	struct workqueue_handle *q = handle_new(L, HANDLE_WORKQUEUE, sizeof(*q), 0, name);

	(void)keep(L);
	q->wq = alloc_workqueue(t->w, q->h.name, lua_toboolean(L, 2),
				(uint32_t)lua_tointeger(L, 3));
	q->h.id = q->wq->id;
	return 1;
}

/* Queue the item at @idx; returns whether it was not pending. */
static int queue(lua_State *L, const char *op, struct cpu *cpu, struct workqueue *wq, int idx)
{
	struct task *t = model_self(L, op)->task;
	struct work_handle *w = model_arg(L, idx, HANDLE_WORK, op);
	FRAME_NAMED(t, op);

	lua_pushboolean(L, queue_work_on(t, cpu, wq, &w->work));
	return 1;
}

static int l_queue_work(lua_State *L)
{
	struct cpu *cpu = model_self(L, "queue_work")->task->cpu;
	const struct workqueue_handle *q = model_arg(L, 2, HANDLE_WORKQUEUE, "queue_work");

	return queue(L, "queue_work", cpu, q->wq, 3);
}

static int l_queue_work_on(lua_State *L)
{
	struct world *w = model_self(L, "queue_work_on")->task->w;
	int64_t cpu = arg_int(L, 2, "queue_work_on", "a cpu", 0, w->config.nr_cpus - 1);
	const struct workqueue_handle *q = model_arg(L, 3, HANDLE_WORKQUEUE, "queue_work_on");

	return queue(L, "queue_work_on", &w->cpus[cpu], q->wq, 4);
}

static int l_schedule_work(lua_State *L)
{
	struct cpu *cpu = model_self(L, "schedule_work")->task->cpu;

	return queue(L, "schedule_work", cpu, kernel_of(cpu->w)->system_wq, 2);
}

static int l_flush_workqueue(lua_State *L)
{
	struct task *t = model_self(L, "flush_workqueue")->task;
	struct workqueue_handle *q = model_arg(L, 2, HANDLE_WORKQUEUE, "flush_workqueue");
	bool user;

	refuse_to_sleep(t, "flush_workqueue");
	user = kernel_enter(t);
	flush_workqueue(t, q->wq);
	kernel_exit(t, user);
	return 0;
}

static int wait_for_work(lua_State *L, const char *op,
			 bool (*wait)(struct task *t, struct work_struct *work))
{
	struct task *t = model_self(L, op)->task;
	struct work_handle *w = model_arg(L, 2, HANDLE_WORK, op);
	bool user, was;

	refuse_to_sleep(t, op);
	user = kernel_enter(t);
	was = wait(t, &w->work);
	kernel_exit(t, user);
	lua_pushboolean(L, was);
	return 1;
}

static int l_flush_work(lua_State *L)
{
	return wait_for_work(L, "flush_work", flush_work);
}

static int l_cancel_work_sync(lua_State *L)
{
	return wait_for_work(L, "cancel_work_sync", cancel_work_sync);
}

/* ---- percpu_ref ----------------------------------------------------------------- */

/* A field of a reference: whether its release is being run. */
#define FIELD_RELEASING 1

static void script_release(struct task *t, struct percpu_ref *ref)
{
	struct ref_handle *r = container_of(ref, struct ref_handle, ref);

	if (!r->release.L)
		return;
	/* A counter that is released again meanwhile finds it busy. */
	touch(t->w, r->h.id, FIELD_RELEASING, ACCESS_RMW);
	callback_call(t, &r->release);
	touch(t->w, r->h.id, FIELD_RELEASING, ACCESS_RMW);
}

static void script_confirm(struct task *t, struct percpu_ref *ref)
{
	callback_call(t, &container_of(ref, struct ref_handle, ref)->confirm);
}

/* core.percpu_ref(name, release or nil): starts with its base reference */
static int l_percpu_ref(lua_State *L)
{
	struct task *t = maker(L, "percpu_ref");
	const char *name = arg_new_name(L, 1, "percpu_ref");
	struct ref_handle *r;
	oid_t id;

	if (!lua_isnoneornil(L, 2))
		arg_function(L, 2, "sim:percpu_ref");
	id = world_new_id(t->w, OBJ_CELL);
	r = handle_new(L, HANDLE_PERCPU_REF, sizeof(*r), id, name);
	(void)keep(L);
	if (!lua_isnoneornil(L, 2))
		r->release = callback_new(L, 2, name);
	trace(t, OBJ_NEW, .obj = id, .str = r->h.name);
	if (percpu_ref_init(t, &r->ref, id, r->h.name, script_release) == 0)
		return 1;
	lua_pushnil(L);
	lua_pushstring(L, "ENOMEM");
	return 2;
}

static struct ref_handle *arg_ref(lua_State *L, const char *op, struct task **t)
{
	*t = model_self(L, op)->task;
	return model_arg(L, 2, HANDLE_PERCPU_REF, op);
}

static int64_t arg_count(lua_State *L, const char *op)
{
	return lua_isnoneornil(L, 3) ? 1 : arg_int(L, 3, op, "a number of references", 1, 1 << 30);
}

/*
 * Each begins by turning preemption or interrupts off: before that, a grace period
 * can still end.
 */
static int l_percpu_ref_get(lua_State *L)
{
	struct task *t;
	struct ref_handle *r = arg_ref(L, "percpu_ref_get", &t);
	int64_t n = arg_count(L, "percpu_ref_get");

	sched_point(t, COST_PERCPU);
	percpu_ref_get_many(t, &r->ref, n, HOLD_SCRIPT, t->id);
	return 0;
}

static int l_percpu_ref_put(lua_State *L)
{
	struct task *t;
	struct ref_handle *r = arg_ref(L, "percpu_ref_put", &t);
	int64_t n = arg_count(L, "percpu_ref_put");

	sched_point(t, COST_PERCPU);
	percpu_ref_put_many(t, &r->ref, n, HOLD_SCRIPT, t->id);
	return 0;
}

static int l_percpu_ref_tryget(lua_State *L)
{
	struct task *t;
	struct ref_handle *r = arg_ref(L, "percpu_ref_tryget", &t);

	sched_point(t, COST_PERCPU);
	lua_pushboolean(L, percpu_ref_tryget(t, &r->ref, HOLD_SCRIPT, t->id));
	return 1;
}

static int l_percpu_ref_tryget_live(lua_State *L)
{
	struct task *t;
	struct ref_handle *r = arg_ref(L, "percpu_ref_tryget_live", &t);

	sched_point(t, COST_PERCPU);
	lua_pushboolean(L, percpu_ref_tryget_live(t, &r->ref, HOLD_SCRIPT, t->id));
	return 1;
}

/* percpu_ref_kill(ref, confirm or nothing) */
static int l_percpu_ref_kill(lua_State *L)
{
	struct task *t;
	struct ref_handle *r = arg_ref(L, "percpu_ref_kill", &t);
	bool confirm = !lua_isnoneornil(L, 3);

	if (confirm) {
		arg_function(L, 3, "t:percpu_ref_kill");
		r->confirm = callback_new(L, 3, r->h.name);
	}
	sched_point(t, COST_PERCPU);
	percpu_ref_kill_and_confirm(t, &r->ref, confirm ? script_confirm : NULL);
	return 0;
}

static int l_percpu_ref_is_zero(lua_State *L)
{
	struct task *t;
	struct ref_handle *r = arg_ref(L, "percpu_ref_is_zero", &t);

	sched_point(t, COST_PERCPU);
	lua_pushboolean(L, percpu_ref_is_zero(t, &r->ref));
	return 1;
}

static int l_percpu_ref_reinit(lua_State *L)
{
	struct task *t;
	struct ref_handle *r = arg_ref(L, "percpu_ref_reinit", &t);

	if (!r->ref.percpu || !r->ref.dead || r->ref.switching || r->ref.count != 0)
		script_error(L,
			     "t:percpu_ref_reinit: %s %s; it has to be killed, released and not "
			     "yet exited",
			     handle_tostring(L, &r->h),
			     !r->ref.percpu ? "was exited"
			     : !r->ref.dead ? "is alive"
					    : "still has references");
	sched_point(t, COST_PERCPU);
	percpu_ref_reinit(t, &r->ref);
	return 0;
}

static int l_percpu_ref_exit(lua_State *L)
{
	struct task *t;
	struct ref_handle *r = arg_ref(L, "percpu_ref_exit", &t);

	percpu_ref_exit(t, &r->ref);
	return 0;
}

void tools_open(lua_State *L, int core)
{
	static const luaL_Reg ops[] = {
		{"call_rcu", l_call_rcu},
		{"cancel_work_sync", l_cancel_work_sync},
		{"flush_work", l_flush_work},
		{"flush_workqueue", l_flush_workqueue},
		{"percpu_ref_exit", l_percpu_ref_exit},
		{"percpu_ref_get", l_percpu_ref_get},
		{"percpu_ref_is_zero", l_percpu_ref_is_zero},
		{"percpu_ref_kill", l_percpu_ref_kill},
		{"percpu_ref_put", l_percpu_ref_put},
		{"percpu_ref_reinit", l_percpu_ref_reinit},
		{"percpu_ref_tryget", l_percpu_ref_tryget},
		{"percpu_ref_tryget_live", l_percpu_ref_tryget_live},
		{"queue_work", l_queue_work},
		{"queue_work_on", l_queue_work_on},
		{"rcu_barrier", l_rcu_barrier},
		{"rcu_read_lock", l_rcu_read_lock},
		{"rcu_read_unlock", l_rcu_read_unlock},
		{"schedule_work", l_schedule_work},
		{"synchronize_rcu", l_synchronize_rcu},
		{NULL, NULL},
	};
	static const luaL_Reg makers[] = {
		{"percpu_ref", l_percpu_ref},
		{"work", l_work},
		{"workqueue", l_workqueue},
		{NULL, NULL},
	};

	model_add(L, core, ops, makers);
}
