// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the parts of small models share: waiting, functions that the kernel calls,
 * assertions.
 */

#include "lua/model.h"

#include <string.h>

/* ---- arguments ------------------------------------------------------------------ */

struct task *maker(lua_State *L, const char *what)
{
	struct run *run = run_of(L);

	if (!run->w || !run->w->running)
		script_error(L, "sim:%s can only be called in setup or in a task", what);
	return run->w->running;
}

const char *arg_new_name(lua_State *L, int idx, const char *what)
{
	const char *s;
	size_t size;

	if (lua_type(L, idx) != LUA_TSTRING)
		script_error(L, "sim:%s: expected a name, got %s", what, describe(L, idx));
	s = lua_tolstring(L, idx, &size);
	if (size == 0 || size > 64)
		script_error(L, "sim:%s: expected a name of 1 to 64 bytes, got one of %zu", what,
			     size);
	for (size_t i = 0; i < size; i++) {
		if (!g_ascii_isgraph(s[i]))
			script_error(L, "sim:%s: '%s' is no name; use visible ASCII characters",
				     what, s);
	}
	return s;
}

int keep(lua_State *L)
{
	lua_pushvalue(L, -1);
	return luaL_ref(L, LUA_REGISTRYINDEX);
}

void arg_function(lua_State *L, int idx, const char *op)
{
	if (lua_type(L, idx) != LUA_TFUNCTION)
		script_error(L, "%s: expected a function, got %s; write function(t) ... end", op,
			     describe(L, idx));
}

/* ---- waiting -------------------------------------------------------------------- */

static bool in_interrupt(const struct task *t)
{
	return t->ctx == CTX_SOFTIRQ || t->ctx == CTX_HARDIRQ;
}

static void await_timed(struct task *t, bool (*ready)(const struct task *t, void *arg), void *arg,
			struct list *waiters, oid_t on, const char *why, bool spin)
{
	while (!ready(t, arg)) {
		if (oid_kind(on) == OBJ_LOCK)
			trace(t, LOCK_WAIT, .obj = on);
		list_add_tail(&t->wait_node, waiters);
		if (spin)
			task_spin(t, on);
		else
			task_block(t, on, why);
	}
}

/* Only without full preemption is it up to the mode whether its CPU may be in a section. */
static void set_mode(struct task *t, bool user)
{
	if (t->in_user == user)
		return;
	if (t->w->config.preempt == PREEMPT_FULL)
		t->in_user = user;
	else
		task_set_user(t, user);
}

void model_await(struct task *t, enum cost c, bool (*ready)(const struct task *t, void *arg),
		 void *arg, struct list *waiters, oid_t on, const char *why, bool spin)
{
	bool user = t->in_user;

	spin |= in_interrupt(t);
	if (t->w->timed) {
		sched_point(t, c);
		await_timed(t, ready, arg, waiters, on, why, spin);
		return;
	}
	/*
	 * It sleeps: whatever the preemption model, others can have its CPU.  In a read
	 * section that would look as if the section were over.
	 */
	set_mode(t, !spin && t->rcu_nesting == 0);
	task_await(t, c, ready, arg, waiters, on, spin && oid_kind(on) == OBJ_LOCK ? NULL : why);
	set_mode(t, user);
}

/* Whoever waited looks again; who is first is up to the world. */
void model_wake(struct task *t, struct list *waiters)
{
	struct list *node;

	while ((node = list_pop(waiters)) != NULL) {
		struct task *waiter = container_of(node, struct task, wait_node);

		if (waiter->state == TASK_SPINNING)
			spin_release(waiter);
		else
			task_wake(waiter, t->w->nr_records);
	}
}

void note_value(lua_State *L, struct handle *h)
{
	struct handle **entry = map_add(&run_of(L)->script->values, h->id, 0);

	if (entry)
		*entry = h;
}

bool is_operation_of(const luaL_Reg *ops, lua_CFunction f)
{
	while (ops->name && ops->func != f)
		ops++;
	return ops->name != NULL;
}

bool one_step_operation(lua_CFunction f)
{
	return cell_operation(f) || lock_operation(f) || refcount_operation(f);
}

bool kernel_enter(struct task *t)
{
	bool was_user = t->in_user;

	if (was_user)
		task_set_user(t, false);
	return was_user;
}

void kernel_exit(struct task *t, bool was_user)
{
	if (was_user)
		task_set_user(t, true);
}

void refuse_to_sleep(struct task *t, const char *op)
{
	FRAME_NAMED(t, op);

	if (!in_interrupt(t))
		return;
	/* An interrupt has nobody to switch to: the kernel would hang, and so does this CPU. */
	might_sleep(t);
	for (;;)
		task_spin(t, 0);
}

/* ---- functions that the kernel calls -------------------------------------------- */

struct callback callback_new(lua_State *L, int fn, const char *name)
{
	struct run *run = run_of(L);
	struct callback cb;
	g_autofree char *stream = NULL;

	fn = lua_absindex(L, fn);
	cb.self = handle_new(L, HANDLE_TASK, sizeof(*cb.self), 0, name);
	cb.self_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	cb.L = lua_newthread(L);
	cb.thread_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_pushvalue(L, fn);
	cb.fn_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	list_init(&cb.self->queued);
	list_init(&cb.self->schedule);
	stream = g_strconcat("task:", name, NULL);
	rng_seed(&cb.self->rng, run->w->config.seed, stream);
	return cb;
}

void callback_call(struct task *t, struct callback *cb)
{
	struct run *run = run_of(cb->L);
	lua_State *L = cb->L;
	int status;

	/* A counter that is released twice calls twice; its checker has seen that. */
	if (cb->self->task)
		return;
	cb->self->task = t;
	cb->self->h.id = t->id;
	lua_pushcfunction(L, script_handler);
	lua_rawgeti(L, LUA_REGISTRYINDEX, cb->fn_ref);
	lua_rawgeti(L, LUA_REGISTRYINDEX, cb->self_ref);
	lua_getfield(L, LUA_REGISTRYINDEX, "sim");
	lua_rawgeti(L, LUA_REGISTRYINDEX, run->options);
	status = lua_pcall(L, 3, 0, 1);
	run->subject.nr_scripts++;
	if (status != LUA_OK) {
		script_failed(run, L, status);
		run_stop(run);
	}
	lua_settop(L, 0);
	list_del(&cb->self->queued);
	cb->self->task = NULL;
}

void callback_free(struct callback *cb)
{
	lua_State *L = run_of(cb->L)->L;

	luaL_unref(L, LUA_REGISTRYINDEX, cb->self_ref);
	luaL_unref(L, LUA_REGISTRYINDEX, cb->thread_ref);
	luaL_unref(L, LUA_REGISTRYINDEX, cb->fn_ref);
}

/* ---- assertions ----------------------------------------------------------------- */

static const char *arg_text(lua_State *L, int idx, const char *op)
{
	if (lua_type(L, idx) != LUA_TSTRING)
		script_error(L, "t:%s: expected a text that says what is wrong, got %s", op,
			     describe(L, idx));
	return lua_tostring(L, idx);
}

static void report(lua_State *L, struct task *t, const char *text)
{
	lua_Debug ar;
	int line = 0;

	if (lua_getstack(L, 1, &ar) && lua_getinfo(L, "l", &ar) && ar.currentline > 0)
		line = ar.currentline;
	trace(t, ASSERT, .obj = t->id, .arg = {line}, .str = text);
}

/* assert(cond, text): no step; a record if it does not hold, and the task goes on */
static int l_assert(lua_State *L)
{
	struct task *t = model_self(L, "assert")->task;
	const char *text;

	luaL_checkany(L, 2);
	text = arg_text(L, 3, "assert");
	if (!lua_toboolean(L, 2))
		report(L, t, text);
	lua_settop(L, 2);
	return 1;
}

static int l_fail(lua_State *L)
{
	struct task *t = model_self(L, "fail")->task;

	report(L, t, arg_text(L, 2, "fail"));
	return 0;
}

/* ---- putting it together -------------------------------------------------------- */

void model_add(lua_State *L, int core, const luaL_Reg *ops, const luaL_Reg *makers)
{
	lua_getfield(L, core, "methods");
	lua_getfield(L, -1, "task");
	luaL_setfuncs(L, ops, 0);
	lua_pop(L, 2);
	lua_getfield(L, core, "model_operations");
	luaL_setfuncs(L, ops, 0);
	lua_pop(L, 1);
	lua_pushvalue(L, core);
	luaL_setfuncs(L, makers, 0);
	lua_pop(L, 1);
}

void model_open(lua_State *L, int core)
{
	static const luaL_Reg ops[] = {
		{"assert", l_assert},
		{"fail", l_fail},
		{NULL, NULL},
	};
	static const luaL_Reg makers[] = {{NULL, NULL}};

	lua_newtable(L);
	lua_setfield(L, core, "model_operations");
	model_add(L, core, ops, makers);
	cells_open(L, core);
	locks_open(L, core);
	refcounts_open(L, core);
	tools_open(L, core);
}
