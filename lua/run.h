/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LUA_RUN_H
#define LUA_RUN_H

/*
 * One run of a scenario, as the files in lua/ share it.
 *
 * struct run lives on the host.  The Lua state, the handles that scripts hold and
 * struct script live in the arena, so they are restored with the world.
 *
 * A Lua error is a longjmp and runs no clean-up.  A binding therefore checks all
 * its arguments first, calls the model, and only then touches Lua again: no error
 * ever crosses a function of the model.
 */

#include <lauxlib.h>
#include <lua.h>
#include <setjmp.h>
#include <stdarg.h>

#include "lua/scenario.h"
#include "sim/explore/subject.h"
#include "sim/base/map.h"
#include "sim/lifecycle/info.h"
#include "sim/mm/mm.h"

enum handle_kind {
	HANDLE_TASK,
	HANDLE_CGROUP,
	HANDLE_CACHE,
	HANDLE_OBJECT,
	HANDLE_EVENT,
	HANDLE_SWAP,
	HANDLE_FS,
	HANDLE_FILE,
	/* lua/model.h */
	HANDLE_CELL,
	HANDLE_LOCK,
	HANDLE_RWSEM,
	HANDLE_WAITQUEUE,
	HANDLE_COMPLETION,
	HANDLE_WORK,
	HANDLE_WORKQUEUE,
	HANDLE_PERCPU_REF,
	HANDLE_REFCOUNT,
	NR_HANDLE_KINDS,
};

struct handle_kind_info {
	const char *name; /* as core.kind() says */
	const char *noun; /* as messages say */
};

extern const struct handle_kind_info handle_kinds[NR_HANDLE_KINDS];

/* What scripts hold: full userdata, each of these kinds beginning with a struct handle. */
struct handle {
	oid_t id;
	const char *name; /* in the arena; NULL for an object */
	uint8_t kind;	  /* enum handle_kind */
	/* copies() in a script: what counterparts in other copies have in common; else 0 */
	uint16_t copy;
	uint32_t role;
};

struct cgroup_handle {
	struct handle h;
	struct cgroup *cgrp;	  /* not to be followed once @removed */
	struct mem_cgroup *memcg; /* also good while @nr_pages keep it alive */
	int64_t nr_pages;	  /* user pages that the script has charged */
	bool removed;
};

struct cache_handle {
	struct handle h;
	struct kmem_cache *cache; /* not to be followed once @destroyed */
	bool destroyed;		  /* the script gave up this handle */
};

struct object_handle {
	struct handle h;
	struct object *obj; /* recycled by the allocator: compare its id */
	oid_t slab, cache;
	bool freed;
};

struct event_handle {
	struct handle h;
	struct list waiters; /* task.wait_node */
	bool set;
};

/* Also what a function that the kernel calls gets as t: then without a thread of its own. */
struct script_task {
	struct handle h;
	struct task *task;
	lua_State *L; /* its Lua thread, NULL once it has ended */
	int thread_ref, self_ref;
	struct event_handle *ended;
	int ended_ref;
	struct rng rng;
	struct list queued;   /* on a waitqueue, from prepare_to_wait() to finish_wait() */
	struct list schedule; /* task.wait_node of the task itself, while it waits in schedule() */
	oid_t waitqueue;      /* the last one */
	bool asleep;	      /* told to sleep, and not woken since */
	uint32_t nr_operations; /* so far; counted only where some may be skipped */
};

/* What a script can change besides its own Lua values; in the arena. */
struct script {
	struct rng rng;	    /* math.random() */
	struct map cgroups; /* id -> struct cgroup_handle * */
	struct map values;  /* id -> struct handle *: cells and locks, which are what they hold */
	struct script_task **tasks;
	uint32_t nr_tasks, max_tasks;
	int metatables[NR_HANDLE_KINDS]; /* references in the registry */
	struct task *setup;		 /* while it runs */
	bool setup_done;
	lua_State *conditions;	   /* thread that evaluates conditions of wait_until() */
	bool in_function;	   /* that t:update() or a condition calls */
	uint32_t nr_copies, copy;  /* that are made: in all, now */
	uint32_t role, first_role; /* the last in this copy; before the first of its kind */
};

#define NR_KNOWN 3

enum { LIB_UNKNOWN, LIB_SCENARIO, LIB_OPTIONS, LIB_SETUP, NR_LIB_FUNCTIONS };

struct run {
	const struct run_options *opt;
	struct run_sink *const *sinks;
	bool quiet;    /* the sinks are not told */
	GArray *skips; /* lua/skip.c */
	GError *error; /* why the run was stopped, if it was */

	struct arena *arena;
	struct world *w; /* NULL until the script is loaded */
	struct script *script;
	lua_State *L;
	int lib[NR_LIB_FUNCTIONS]; /* references in the registry */
	int scenario;		   /* the validated table */
	int options;		   /* values of its options */
	char *short_src;	   /* what Lua's own messages call the script */
	jmp_buf loading;	   /* where a stop goes while no context runs */
	const struct call *call;   /* of run_call() */
	uint64_t instructions, instructions_max;
	size_t refused_bytes; /* the block that Lua was not given */

	const char *lifecycle_name;
	const struct lifecycle *lifecycle;
	bool has_reclaim; /* the scenario wants reclaim, and says what it wants of it */
	struct reclaim_choice reclaim;
	variant_set variants;
	const char *variant_names[VARIANTS_MAX + 1];
	char *name;
	bool statistics, perf_event;
	bool model;	 /* made by model { }: its tasks are kernel code, their ends no steps */
	uint64_t booted; /* made_by_variants() when the kernel is up */
	uint32_t faults;

	struct checkset *checks;
	struct trace_sink trace;
	struct trace_record last;
	struct chooser chooser;
	struct rng choices[NR_CHOICE_KINDS];
	struct kept_script *kept; /* what session_again() begins with; NULL for none */
	void *start; /* snapshot of where session_rewind() goes back to; NULL until then */
	uint64_t start_instructions;
	struct trace_record start_last;
	const void *known[NR_KNOWN]; /* tables that belong to everybody and that nobody changes */
	struct subject subject;
};

/* A Lua value of more than this many bytes is refused: it would only fill the machine. */
#define SCRIPT_BLOCK_MAX ((size_t)512 << 20)

static inline struct run *run_of(lua_State *L)
{
	return *(struct run **)lua_getextraspace(L);
}

/* ---- lua/scenario.c ---------------------------------------------------------- */

/**
 * run_call() - call @f with @arg as its only argument, between runs
 *
 * Return: false with @error set when it raised an error or ran into a limit.
 */
bool run_call(struct run *run, lua_CFunction f, void *arg, GError **error);

/** run_note_stop() - turn the reason for which the world stopped into an error */
void run_note_stop(struct run *run);

/** run_quiesce() - nothing is left to happen: ask the checkers what must not remain */
void run_quiesce(struct run *run);

/* ---- lua/state.c: the Lua state, its limits, its errors --------------------- */

/** run_fail() - note why the run cannot go on; the first reason counts */
void run_fail(struct run *run, enum slabsim_error code, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

/** run_stop() - leave whatever runs, for good; run_fail() said why */
_Noreturn void run_stop(struct run *run);

/** script_error() - raise an error at the line of the script that is being run */
_Noreturn void script_error(lua_State *L, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/** script_failed() - note the error that ended a protected call with @status, and pop it */
void script_failed(struct run *run, lua_State *L, int status);

/** script_handler() - message handler: puts "file:line:" before the message */
int script_handler(lua_State *L);

/** script_read() - compile the file @path: true with the chunk pushed, else a message */
bool script_read(lua_State *L, const char *path);

#define STACK_LEFT_MIN ((size_t)48 << 10)

/** stack_left() - bytes of C stack that @t, which runs, has left; enough on the host's stack */
static inline size_t stack_left(const struct task *t)
{
	const char *here = __builtin_frame_address(0);

	if (here < t->fiber.stack || here > t->fiber.stack + t->fiber.size)
		return STACK_LEFT_MIN;
	return (size_t)(here - t->fiber.stack);
}

bool state_new(struct run *run);

/* ---- lua/control.c ---------------------------------------------------------- */

/** control_open() - once, before control_hash() is asked */
void control_open(struct run *run);

/** control_hash() - a digest of how @t goes on; false if that is not known */
bool control_hash(struct run *run, const struct task *t, uint64_t *hash);

/** control_refers_to_copies() - does that take in what another copy has of its own? */
bool control_refers_to_copies(struct run *run, const struct task *t);

/* ---- lua/sandbox.c ---------------------------------------------------------- */

/** sandbox_open() - give the state what scripts may use, and lua/lib */
void sandbox_open(lua_State *L);

/* ---- lua/handles.c ---------------------------------------------------------- */

void handles_open(lua_State *L, int core);
void *handle_new(lua_State *L, enum handle_kind kind, size_t size, oid_t id, const char *name);
/** handle_test() - the handle at @idx, or NULL if something else is there */
static inline struct handle *handle_test(lua_State *L, int idx)
{
	/* Scripts never get light userdata, which this would take for a handle. */
	return lua_touserdata(L, idx);
}
/** describe() - the value at @idx, short, for "expected ..., got ..."; pushed as well */
const char *describe(lua_State *L, int idx);
/** handle_tostring() - push "cache:3 dentry" */
const char *handle_tostring(lua_State *L, const struct handle *h);

/* ---- lua/ops_fs.c ---------------------------------------------------------------- */

void ops_fs_open(lua_State *L, int core);

struct kmem_caches_of_fs {
	struct kmem_cache *dentries, *inodes;
};

struct kmem_caches_of_fs fs_caches(const void *fs_handle);

/* ---- lua/ops.c, lua/ops_charge.c, lua/tasks.c ------------------------------------ */

void ops_open(lua_State *L, int core);
void ops_charge_open(lua_State *L, int core);
void ops_reclaim_open(lua_State *L, int core);
void tasks_open(lua_State *L, int core);

/** arg_context() - the context that an operation is called on, which must be the one that runs */
struct script_task *arg_context(lua_State *L, const char *op);
/** arg_self() - the same, and it is a task */
struct script_task *arg_self(lua_State *L, const char *op);
/** arg_reclaimer() - the same, on a machine that has reclaim */
struct task *arg_reclaimer(lua_State *L, const char *op);
void *arg_handle(lua_State *L, int idx, enum handle_kind kind, const char *op);
_Noreturn void refuse_int(lua_State *L, int idx, const char *op, const char *what, int64_t min,
			  int64_t max);

/** arg_int() - the whole number at @idx, @what, from @min to @max */
static inline int64_t arg_int(lua_State *L, int idx, const char *op, const char *what, int64_t min,
			      int64_t max)
{
	int is_int = 0;
	lua_Integer n = lua_type(L, idx) == LUA_TNUMBER ? lua_tointegerx(L, idx, &is_int) : 0;

	if (!is_int || n < min || n > max)
		refuse_int(L, idx, op, what, min, max);
	return n;
}
const char *arg_name(lua_State *L, int idx, const char *op);

void op_begin(struct task *t, const char *op, oid_t on);
void op_end(struct task *t, const char *op, int64_t result);

/** error_name() - "ENOMEM" for -ENOMEM */
const char *error_name(int err);

/** cgroup_is_removed() - whether scripts must not follow @g any more */
bool cgroup_is_removed(struct task *t, const struct cgroup_handle *g);

/** push_result() - true, or false and the name of the error */
int push_result(lua_State *L, int err);
/** push_failure() - nil and the name of the error */
int push_failure(lua_State *L, int err);

/* Beyond this, counters could overflow before any limit is hit. */
#define PAGES_MAX (INT64_C(1) << 40)

struct event_handle *event_new(lua_State *L, const char *name);
void event_wait(struct task *t, struct event_handle *ev);
void event_signal(struct task *t, struct event_handle *ev);

/** script_task_new() - a blocked task that will call the function at @fn; pushed */
struct script_task *script_task_new(lua_State *L, const char *name, unsigned int cpu, int fn);

/* ---- lua/model.c ---------------------------------------------------------------- */

void model_open(lua_State *L, int core);

/** made_by_variants() - how many objects there have been of kinds whose code has variants */
uint64_t made_by_variants(const struct world *w);

/** run_setup() - boot, set-up, and the scenario's tasks; on the setup task */
void run_setup(struct task *t, void *arg);

#endif /* LUA_RUN_H */
