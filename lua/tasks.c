// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks of a scenario: their Lua threads, how they begin and end, and what they
 * do besides calling into memory management.
 */

#include <errno.h>
#include <string.h>

#include "lua/run.h"
#include "lua/skip.h"
#include "sim/mm/perf_cgroup.h"

/* Kinds of things of a copy, one kind after the other. */
#define ROLES_MAX 65536
/* Their stacks are address space of a bounded region. */
#define TASKS_MAX 200000

/* ---- events ------------------------------------------------------------------------ */

struct event_handle *event_new(lua_State *L, const char *name)
{
	struct run *run = run_of(L);
	struct event_handle *ev =
		handle_new(L, HANDLE_EVENT, sizeof(*ev), world_new_id(run->w, OBJ_WAIT), name);

	list_init(&ev->waiters);
	return ev;
}

void event_wait(struct task *t, struct event_handle *ev)
{
	sched_read(t, ev->h.id, 0, "wait.event");
	while (!ev->set) {
		list_add_tail(&t->wait_node, &ev->waiters);
		task_block(t, ev->h.id, ev->h.name);
	}
}

static void set(struct task *t, struct event_handle *ev)
{
	struct list *node;

	ev->set = true;
	while ((node = list_pop(&ev->waiters)) != NULL)
		task_wake(container_of(node, struct task, wait_node), t->w->nr_records);
}

void event_signal(struct task *t, struct event_handle *ev)
{
	sched_write(t, ev->h.id, 0, "signal.event");
	set(t, ev);
}

static int l_event(lua_State *L)
{
	struct event_handle *ev;

	if (!run_of(L)->w)
		script_error(L, "an event can only be made in setup or in a task");
	ev = event_new(L, arg_name(L, 1, "event"));
	trace_env(run_of(L)->w, NULL, OBJ_NEW, .obj = ev->h.id, .str = ev->h.name);
	return 1;
}

static int l_wait(lua_State *L)
{
	struct task *t = arg_self(L, "wait")->task;
	struct event_handle *ev = arg_handle(L, 2, HANDLE_EVENT, "wait");

	op_begin(t, "wait", ev->h.id);
	event_wait(t, ev);
	op_end(t, "wait", 0);
	return 0;
}

static int l_signal(lua_State *L)
{
	struct task *t = arg_self(L, "signal")->task;
	struct event_handle *ev = arg_handle(L, 2, HANDLE_EVENT, "signal");

	op_begin(t, "signal", ev->h.id);
	event_signal(t, ev);
	op_end(t, "signal", 0);
	return 0;
}

/* ---- the life of a task ----------------------------------------------------------------- */

static void run_lua(struct task *t, struct script_task *self)
{
	struct run *run = run_of(self->L);
	int status;

	if (skips_task(run, self->h.name))
		return;
	/* On its stack: message handler, function, t, sim, opt. */
	task_set_user(t, !run->model);
	status = lua_pcall(self->L, 3, 0, 1);
	run->subject.nr_scripts++;
	task_set_user(t, false);
	if (status != LUA_OK) {
		script_failed(run, self->L, status);
		run_stop(run);
	}
}

static void task_ended(struct task *t, struct script_task *self)
{
	struct run *run = run_of(self->L);

	cgroup_exit(t);
	touch(t->w, t->id, FIELD_LIFE, ACCESS_WRITE);
	list_del(&self->queued);
	self->L = NULL;
	self->ended->set = true;
	event_signal(t, self->ended);
	/* From here on the collector may take what nobody else refers to. */
	luaL_unref(run->L, LUA_REGISTRYINDEX, self->ended_ref);
	luaL_unref(run->L, LUA_REGISTRYINDEX, self->thread_ref);
	luaL_unref(run->L, LUA_REGISTRYINDEX, self->self_ref);
}

/* Without a step of its own, and without forgetting anything: the order of ends leaves no trace. */
static void model_task_ended(struct task *t, struct script_task *self)
{
	list_del(&self->queued);
	self->L = NULL;
	touch(t->w, t->id, FIELD_LIFE, ACCESS_WRITE);
	trace_access(t, self->ended->h.id, 0, ACCESS_WRITE, "signal.event");
	set(t, self->ended);
}

static void script_task_main(struct task *t, void *arg)
{
	struct script_task *self = arg;
	bool model = run_of(self->L)->model;

	run_lua(t, self);
	if (model)
		model_task_ended(t, self);
	else
		task_ended(t, self);
}

struct script_task *script_task_new(lua_State *L, const char *name, unsigned int cpu, int fn)
{
	struct run *run = run_of(L);
	struct world *w = run->w;
	g_autofree char *stream = NULL;
	struct script_task *self;
	lua_State *L1;

	fn = lua_absindex(L, fn);
	if (w->nr_tasks_alive >= TASKS_MAX)
		script_error(L, "too many tasks at the same time; at most %d can be had",
			     TASKS_MAX);
	self = handle_new(L, HANDLE_TASK, sizeof(*self), 0, name);
	L1 = lua_newthread(L);
	self->thread_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_pushvalue(L, -1);
	self->self_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	self->ended = event_new(L, "task_end");
	self->ended_ref = luaL_ref(L, LUA_REGISTRYINDEX);

	lua_pushcfunction(L1, script_handler);
	lua_pushvalue(L, fn);
	lua_pushvalue(L, -2);
	lua_getfield(L, LUA_REGISTRYINDEX, "sim");
	lua_rawgeti(L, LUA_REGISTRYINDEX, run->options);
	lua_xmove(L, L1, 4);

	self->L = L1;
	list_init(&self->queued);
	list_init(&self->schedule);
	self->task = task_new(w, &w->cpus[cpu], self->h.name, CTX_TASK, STACK_LARGE,
			      script_task_main, self);
	self->h.id = self->task->id;
	stream = g_strconcat("task:", name, NULL);
	rng_seed(&self->rng, w->config.seed, stream);
	return self;
}

/* A task begins where the one that created it is. */
static void join_cgroup(struct task *child, struct cgroup *cgrp)
{
	touch(child->w, cgrp->id, FIELD_TASKS, ACCESS_ADD);
	child->cgroup = cgrp;
	cgrp->nr_tasks++;
}

/* spawn(name, cpu or nil, cgroup or nil, fn, wake): lua/lib puts the table apart */
static int l_spawn(lua_State *L)
{
	struct task *t = arg_self(L, "spawn")->task;
	const char *name = arg_name(L, 2, "spawn");
	int64_t cpu = lua_isnil(L, 3) ? t->cpu->nr
				      : arg_int(L, 3, "spawn", "cpu", 0, t->w->config.nr_cpus - 1);
	struct cgroup_handle *g = lua_isnil(L, 4) ? NULL : arg_handle(L, 4, HANDLE_CGROUP, "spawn");
	bool wake = lua_toboolean(L, 6);
	struct script_task *child;
	int err = 0;

	luaL_checktype(L, 5, LUA_TFUNCTION);
	child = script_task_new(L, name, (unsigned int)cpu, 5);
	op_begin(t, "spawn", child->h.id);
	join_cgroup(child->task, t->cgroup);
	if (g)
		touch(t->w, g->h.id, FIELD_REMOVED, ACCESS_READ);
	if (g)
		err = g->removed ? -ENODEV : cgroup_attach_task(t, child->task, g->cgrp);
	if (wake)
		task_wake(child->task, t->w->nr_records);
	op_end(t, "spawn", err);
	if (err)
		script_error(L, "t:spawn: task '%s' cannot join %s, which is removed", name,
			     handle_tostring(L, &g->h));
	return 1;
}

static int l_join(lua_State *L)
{
	struct task *t = arg_self(L, "join")->task;
	struct script_task *who = arg_handle(L, 2, HANDLE_TASK, "join");

	if (who->task == t)
		script_error(L, "t:join: %s would wait for itself", handle_tostring(L, &who->h));
	op_begin(t, "join", who->h.id);
	touch(t->w, who->h.id, FIELD_LIFE, ACCESS_READ);
	if (who->L) {
		/* Keep what we wait on: the other task lets go of it when it ends. */
		lua_rawgeti(L, LUA_REGISTRYINDEX, who->ended_ref);
		event_wait(t, lua_touserdata(L, -1));
	}
	op_end(t, "join", 0);
	return 0;
}

/* ---- time, choice, words ------------------------------------------------------------------ */

static int l_sleep(lua_State *L)
{
	struct task *t = arg_self(L, "sleep")->task;
	int64_t ns = arg_int(L, 2, "sleep", "a time in ns", 0, INT64_MAX);

	op_begin(t, "sleep", 0);
	task_sleep(t, (vtime_t)ns);
	op_end(t, "sleep", 0);
	return 0;
}

static int l_yield(lua_State *L)
{
	struct task *t = arg_self(L, "yield")->task;

	if (t->cpu->nr_queued > 0)
		t->cpu->need_resched = true;
	op_begin(t, "yield", 0);
	op_end(t, "yield", 0);
	return 0;
}

static int l_choice(lua_State *L)
{
	struct task *t = arg_context(L, "choice")->task;
	int64_t n = arg_int(L, 2, "choice", "a number of alternatives", 1, UINT32_MAX);

	/* The start of a model's task is no step, so what it does first must be one. */
	if (run_of(L)->model)
		sched_point(t, COST_ACCESS);

	lua_pushinteger(L, (lua_Integer)world_choose(t->w, CHOOSE_SCRIPT, (uint32_t)n) + 1);
	return 1;
}

static int l_random(lua_State *L)
{
	struct script_task *self = arg_context(L, "random");
	int64_t n;

	if (self->h.copy)
		script_error(L,
			     "t:random: %s is one of several copies, which must be alike; use "
			     "t:choice",
			     self->h.name);
	n = arg_int(L, 2, "random", "an upper bound", 1, INT64_MAX);
	lua_pushinteger(L, (lua_Integer)rng_below(&self->rng, (uint64_t)n) + 1);
	return 1;
}

static int l_log(lua_State *L)
{
	struct task *t = arg_context(L, "log")->task;

	if (lua_type(L, 2) != LUA_TSTRING && lua_type(L, 2) != LUA_TNUMBER)
		script_error(L, "t:log: expected a string, got %s; tostring() makes one",
			     describe(L, 2));
	trace(t, LOG, .str = lua_tostring(L, 2));
	return 0;
}

/* Like a word in the log: no step, so that measuring changes nothing. */
static int l_measure(lua_State *L)
{
	struct task *t = arg_context(L, "measure")->task;
	const char *name = arg_name(L, 2, "measure");
	int64_t value = arg_int(L, 3, "measure", "a value", INT64_MIN, INT64_MAX);

	trace(t, MEASURE, .arg = {value}, .str = name);
	return 0;
}

static int l_now(lua_State *L)
{
	struct world *w = arg_context(L, "now")->task->w;

	/* An untimed run counts steps, so the answer depends on every one of them. */
	if (w->log && !w->timed)
		w->log->overflow = true;
	lua_pushinteger(L, (lua_Integer)w->now);
	return 1;
}

/* The setup task if it is the one that runs, else nil. */
static int l_setup_task(lua_State *L)
{
	struct run *run = run_of(L);

	if (run->w && run->script->setup && run->w->running == run->script->setup)
		lua_getfield(L, LUA_REGISTRYINDEX, "setup");
	else
		lua_pushnil(L);
	return 1;
}

static int l_nr_cpus(lua_State *L)
{
	lua_pushinteger(L, run_of(L)->w->config.nr_cpus);
	return 1;
}

/* ---- set-up --------------------------------------------------------------------------------- */

/* core.start_later(task): wake it once set-up is over, in the order of these calls */
static int l_start_later(lua_State *L)
{
	struct run *run = run_of(L);
	struct script *s = run->script;

	if (s->nr_tasks == s->max_tasks) {
		uint32_t max = s->max_tasks ? s->max_tasks * 2 : 16;
		struct script_task **more = world_alloc(run->w, max * sizeof(*more));

		if (s->tasks) {
			memcpy(more, s->tasks, s->nr_tasks * sizeof(*more));
			world_free(run->w, s->tasks, s->max_tasks * sizeof(*more));
		}
		s->tasks = more;
		s->max_tasks = max;
	}
	s->tasks[s->nr_tasks++] = arg_handle(L, 1, HANDLE_TASK, "spawn");
	return 0;
}

/* core.begin_copy(first): what is made until core.end_copy() is one copy's; @first: of its kind */
static int l_begin_copy(lua_State *L)
{
	struct script *s = run_of(L)->script;

	if (s->nr_copies == COPIES_MAX)
		script_error(L, "copies: there can be %d in all", COPIES_MAX);
	s->copy = ++s->nr_copies;
	if (lua_toboolean(L, 1))
		s->first_role += ROLES_MAX;
	s->role = s->first_role;
	return 0;
}

static int l_end_copy(lua_State *L)
{
	struct script *s = run_of(L)->script;

	if (s->role - s->first_role >= ROLES_MAX)
		script_error(L, "copies: one can have %d things of its own", ROLES_MAX - 1);
	s->copy = 0;
	return 0;
}

void run_setup(struct task *t, void *arg)
{
	struct script_task *self = arg;
	struct run *run = run_of(self->L);

	lifecycle_boot(t, run->lifecycle, run->variants, run->has_reclaim ? &run->reclaim : NULL);
	run->booted = made_by_variants(run->w);
	if (run->statistics)
		memcg_stat_enable(t);
	if (run->perf_event)
		perf_event_enable(t);
	run_lua(t, self);
	run->script->setup = NULL;
	run->script->setup_done = true;
	task_ended(t, self);
}

void tasks_open(lua_State *L, int core)
{
	static const luaL_Reg ops[] = {
		{"choice", l_choice},	{"join", l_join},   {"log", l_log},
		{"measure", l_measure}, {"now", l_now},	    {"random", l_random},
		{"signal", l_signal},	{"sleep", l_sleep}, {"spawn", l_spawn},
		{"wait", l_wait},	{"yield", l_yield}, {NULL, NULL},
	};
	static const luaL_Reg functions[] = {
		{"begin_copy", l_begin_copy},
		{"end_copy", l_end_copy},
		{"event", l_event},
		{"nr_cpus", l_nr_cpus},
		{"setup_task", l_setup_task},
		{"start_later", l_start_later},
		{NULL, NULL},
	};

	luaL_setfuncs(L, functions, 0);
	lua_getfield(L, core, "methods");
	lua_getfield(L, -1, "task");
	luaL_setfuncs(L, ops, 0);
	lua_pop(L, 2);
}
