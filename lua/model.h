/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LUA_MODEL_H
#define LUA_MODEL_H

/*
 * Small models: shared cells, locks, RCU, work items and references of a script.
 *
 * An operation on a cell, mutex, spinlock, completion or waitqueue is one step: a
 * scheduling point, one record, the effect.  One that has to wait cannot be chosen
 * before it can go on, so neither waiting nor being woken is a step.  The rest is
 * sim/kernel itself, with the steps that it takes.
 *
 * None of them is a system call: model code is kernel code.
 */

#include "lua/run.h"
#include "sim/kernel/refcount.h"

enum value_tag { VALUE_NIL, VALUE_BOOLEAN, VALUE_INTEGER, VALUE_CELL };

/* What a cell holds.  Equal values are equal bytes. */
struct value {
	int64_t n; /* of a cell: where the registry has its handle */
	uint64_t tag;
};

struct lock_handle {
	struct handle h;
	bool spin, irqsafe;
	bool misused; /* somebody else let go of it: to the checkers the owner has it no more */
	struct task *owner;
	struct list waiters; /* timed runs only */
};

struct cell_handle {
	struct handle h;
	int ref; /* in the registry, where it stays */
	struct value value;
	struct list waiters;	/* task.wait_node, timed runs only */
	struct list conditions; /* of wait_until() that have to be looked at again */
};

struct refcount_handle {
	struct handle h;
	struct refcount count;
};

/** one_step_operation() - is @f an operation that is one step of its task? */
bool one_step_operation(lua_CFunction f);

/** is_operation_of() - does @f stand in @ops, which a row of NULL ends? */
bool is_operation_of(const luaL_Reg *ops, lua_CFunction f);

bool cell_operation(lua_CFunction f);
bool lock_operation(lua_CFunction f);
bool refcount_operation(lua_CFunction f);

/* ---- lua/model.c ------------------------------------------------------------------ */

/** model_self() - the context that an operation is called on, which must be the one that runs */
static inline struct script_task *model_self(lua_State *L, const char *op)
{
	struct run *run = run_of(L);
	struct script_task *self = lua_touserdata(L, 1);

	run->subject.nr_scripts++;
	/* The quick way for what is nearly always the case; every userdata is a handle. */
	if (self && self->h.kind == HANDLE_TASK && run->w && run->w->running == self->task &&
	    !run->script->in_function && stack_left(self->task) >= STACK_LEFT_MIN)
		return self;
	return arg_context(L, op);
}

/** model_arg() - the handle at @idx, of the kind that @op needs */
static inline void *model_arg(lua_State *L, int idx, enum handle_kind kind, const char *op)
{
	struct handle *h = lua_touserdata(L, idx);

	if (h && h->kind == kind)
		return h;
	return arg_handle(L, idx, kind, op);
}

/** maker() - the context that calls sim:@what(), to speak for what it makes */
struct task *maker(lua_State *L, const char *what);

/** arg_new_name() - what the script calls a thing that it makes, such as "rl[1]" */
const char *arg_new_name(lua_State *L, int idx, const char *what);

/** keep() - put the value on top into the registry for good; it stays on the stack */
int keep(lua_State *L);

/**
 * model_await() - a scheduling point, passed once @ready(t, @arg) holds
 * @waiters: where to queue in a timed run; model_wake() lets go on
 * @spin: keep the CPU meanwhile, as for a spinlock; interrupts always do
 */
void model_await(struct task *t, enum cost c, bool (*ready)(const struct task *t, void *arg),
		 void *arg, struct list *waiters, oid_t on, const char *why, bool spin);
void model_wake(struct task *t, struct list *waiters);

/** note_value() - @h is a cell, a lock or a refcount: all that counts of it is what it holds */
void note_value(lua_State *L, struct handle *h);

/** kernel_enter() - for what takes several steps, none of them in user mode */
bool kernel_enter(struct task *t);
void kernel_exit(struct task *t, bool was_user);

/** refuse_to_sleep() - in an interrupt: show the checkers that @op sleeps, and never come back */
void refuse_to_sleep(struct task *t, const char *op);

/* A function of the script that the kernel calls, with a thread and a "t" of its own. */
struct callback {
	struct script_task *self;
	lua_State *L;
	int self_ref, thread_ref, fn_ref;
};

/** callback_new() - for the function at @fn, called @name */
struct callback callback_new(lua_State *L, int fn, const char *name);
void callback_call(struct task *t, struct callback *cb);
void callback_free(struct callback *cb);

/** arg_function() - complain unless a function is at @idx */
void arg_function(lua_State *L, int idx, const char *op);

/* ---- the parts -------------------------------------------------------------------- */

void cells_open(lua_State *L, int core);
void locks_open(lua_State *L, int core);
void refcounts_open(lua_State *L, int core);
void tools_open(lua_State *L, int core);

/** model_add() - put @ops into core.methods.task and @makers into core */
void model_add(lua_State *L, int core, const luaL_Reg *ops, const luaL_Reg *makers);

#endif /* LUA_MODEL_H */
