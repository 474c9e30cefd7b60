// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a run: script, world, set-up, tasks, verdict.
 */

#include "lua/scenario.h"

#include <errno.h>
#include <string.h>

#include "lua/fields.h"
#include "lua/run.h"
#include "lua/skip.h"
#include "sim/base/assert.h"
#include "sim/engine/snapshot.h"

/* clang-format off */
G_DEFINE_QUARK(slabsim-error-quark, slabsim_error)
/* clang-format on */

#define STEPS_DEFAULT 100000000
#define TIME_DEFAULT (UINT64_C(365) * 24 * 3600 * 1000000000)
#define MEMORY_DEFAULT ((size_t)8 << 30)
#define MEMORY_MIN ((size_t)4 << 20)
#define MEMORY_MAX ((size_t)64 << 30)
#define INSTRUCTIONS_DEFAULT 500000000

/* ---- choices ----------------------------------------------------------------- */

/* An allocation that may fail does so this rarely, so that late ones have their turn. */
#define FAULT_ONE_IN 4

static uint32_t draw(struct chooser *c, struct world *w, enum choice_kind kind, uint32_t n)
{
	struct run *run = container_of(c, struct run, chooser);

	(void)w;
	if (kind == CHOOSE_FAULT)
		return rng_below(&run->choices[kind], FAULT_ONE_IN) == 0;
	return (uint32_t)rng_below(&run->choices[kind], n);
}

static void choices_seed(struct run *run, uint64_t seed)
{
	static const char *const streams[NR_CHOICE_KINDS] = {
		"choice.step",
		"choice.fault",
		"choice.cpu",
		"choice.script",
	};

	for (int i = 0; i < NR_CHOICE_KINDS; i++)
		rng_seed(&run->choices[i], seed, streams[i]);
}

/* ---- records ----------------------------------------------------------------- */

static void tell_violations(struct run *run, uint32_t before)
{
	struct checkset *checks = run->checks;

	for (uint32_t i = before; i < checks->nr_violations; i++) {
		for (size_t s = 0; !run->quiet && i < VIOLATION_MAX && run->sinks[s]; s++) {
			if (run->sinks[s]->violation)
				run->sinks[s]->violation(run->sinks[s], &checks->violations[i], i);
		}
	}
}

/* A removed cgroup can be freed at any time: its handle must not be followed any more. */
static void note_removal(struct run *run, oid_t id)
{
	struct cgroup_handle **g = map_find(&run->script->cgroups, id, 0);

	if (g)
		(*g)->removed = true;
}

static void on_record(struct trace_sink *sink, const struct trace_record *r)
{
	struct run *run = container_of(sink, struct run, trace);
	uint32_t before = run->checks->nr_violations;

	/* A checker's verdict at the end refers to the record that said it was the end. */
	if (r->kind == TR_RUN_QUIET)
		run->last = *r;
	checkset_record(run->checks, r);
	/* An access that breaks something is worth a line even when accesses are not recorded. */
	if (!run->quiet &&
	    (r->kind != TR_ACCESS || run->opt->accesses || run->checks->nr_violations != before)) {
		for (size_t i = 0; run->sinks[i]; i++)
			run->sinks[i]->record(run->sinks[i], r);
	}
	if (run->checks->nr_violations != before)
		tell_violations(run, before);
	if (r->kind == TR_CGROUP_RMDIR && r->arg[0] == 0)
		note_removal(run, r->obj);
	if (run->opt->interrupted && *run->opt->interrupted)
		world_halt(run->w, STOP_HOST);
}

/* With nobody to read them, records that no checker wants need not be made. */
static void mute_unwanted(struct run *run)
{
	const struct checkset *checks = run->checks;

	if (run->sinks[0])
		return;
	for (unsigned int k = 0; k < NR_TRACE_KINDS; k++)
		run->trace.mute[k] = checks->by_kind[k] == checks->by_kind[k + 1];
	run->trace.mute[TR_CGROUP_RMDIR] = run->trace.mute[TR_RUN_QUIET] = false;
	/* Where an interruption is noticed. */
	if (run->opt->interrupted)
		run->trace.mute[TR_OP_BEGIN] = run->trace.mute[TR_WORK_START] = false;
}

/* ---- reading the script -------------------------------------------------------- */

static void push_list(lua_State *L, const char *const *strings)
{
	lua_newtable(L);
	for (lua_Integer i = 0; strings && strings[i]; i++) {
		lua_pushstring(L, strings[i]);
		lua_rawseti(L, -2, i + 1);
	}
}

/* Protected: leaves the validated scenario in the registry. */
static int load_script(lua_State *L)
{
	struct run *run = run_of(L);

	sandbox_open(L);
	if (!script_read(L, run->opt->path))
		lua_error(L);
	lua_call(L, 0, 1);

	lua_rawgeti(L, LUA_REGISTRYINDEX, run->lib[LIB_SCENARIO]);
	lua_insert(L, -2);
	lua_call(L, 1, 1);
	run->scenario = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

/* Protected: leaves the values of its options and sim there. */
static int load_options(lua_State *L)
{
	struct run *run = run_of(L);
	const struct run_options *opt = run->opt;

	lua_rawgeti(L, LUA_REGISTRYINDEX, run->lib[LIB_OPTIONS]);
	lua_rawgeti(L, LUA_REGISTRYINDEX, run->scenario);
	push_list(L, opt->sets);
	lua_pushstring(L, opt->lifecycle);
	push_list(L, opt->variants);
	push_list(L, opt->checks_off);
	lua_call(L, 5, 2);
	lua_setfield(L, LUA_REGISTRYINDEX, "sim");
	run->options = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

/*
 * A chunk that did not compile has no frame to look at, and its message begins with
 * the shortened file name, which only Lua knows how to make.
 */
static void learn_short_src(struct run *run)
{
	g_autofree char *chunk = g_strconcat("@", run->opt->path, NULL);
	lua_Debug ar;

	if (luaL_loadbufferx(run->L, "", 0, chunk, "t") == LUA_OK) {
		lua_getinfo(run->L, ">S", &ar);
		g_free(run->short_src);
		run->short_src = g_strdup(ar.short_src);
	} else {
		lua_pop(run->L, 1);
	}
}

static bool load(struct run *run, lua_CFunction part)
{
	lua_State *L = run->L;
	int status;

	lua_pushcfunction(L, script_handler);
	lua_pushcfunction(L, part);
	status = lua_pcall(L, 0, 0, -2);
	if (status != LUA_OK)
		script_failed(run, L, status);
	lua_settop(L, 0);
	return status == LUA_OK;
}

/* ---- from the validated scenario to the world ------------------------------------ */

/* "NAME" on, "-NAME" off, "none" all off; later ones win. */
static variant_set apply_variant(variant_set variants, const char *name)
{
	bool off = name[0] == '-';
	variant_set bit;

	if (strcmp(name, "none") == 0)
		return 0;
	bit = variant_bit(variant_index(name + off));
	return off ? variants & ~bit : variants | bit;
}

/*
 * A model has those that it asks for.  With what its lifecycle has by itself, a new bug of that
 * would make another run of every model, and their schedules would be for something else.
 */
static void read_variants(struct run *run, lua_State *L)
{
	const char **names = run->variant_names;
	size_t n = 0;

	run->variants = run->model ? 0 : lifecycle_variants(run->lifecycle, run->has_reclaim);
	lua_getfield(L, -1, "variants");
	for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++) {
		run->variants = apply_variant(run->variants, lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
	for (int i = 0; variant_infos[i]; i++) {
		if (run->variants & variant_bit(i))
			names[n++] = variant_infos[i]->name;
	}
	for (size_t i = 1; i < n; i++) {
		for (size_t j = i; j > 0 && strcmp(names[j - 1], names[j]) > 0; j--) {
			const char *other = names[j];

			names[j] = names[j - 1];
			names[j - 1] = other;
		}
	}
}

static void read_costs(struct run *run, lua_State *L)
{
	lua_getfield(L, -1, "costs");
	for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++) {
		int64_t cost = field_int(L, "index"), jitter = field_int(L, "jitter");

		run->w->cost[cost] = (vtime_t)field_int(L, "ns");
		if (jitter >= 0)
			run->w->jitter[cost] = (uint8_t)jitter;
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
}

/* What the scenario says about reclaim; without a word the machine has none. */
static void read_reclaim(struct run *run, lua_State *L)
{
	lua_getfield(L, -1, "reclaim");
	run->has_reclaim = lua_istable(L, -1);
	if (run->has_reclaim) {
		run->reclaim.iterator = (uint32_t)field_int(L, "iterator");
		run->reclaim.nr_nodes = (uint8_t)field_int(L, "nodes");
		run->reclaim.nr_zones = (uint8_t)field_int(L, "zones");
		lua_getfield(L, -1, "hierarchy");
		run->reclaim.no_hierarchy = !lua_toboolean(L, -1);
		lua_pop(L, 1);
		lua_getfield(L, -1, "offline_at_rmdir");
		run->reclaim.offline_at_rmdir = lua_toboolean(L, -1);
		lua_pop(L, 1);
		run->reclaim.list_lru = (uint32_t)field_int(L, "list_lru");
		run->reclaim.shrinkers = (uint32_t)field_int(L, "shrinkers");
		run->reclaim.map_bits = (uint32_t)field_int(L, "map_bits");
	}
	lua_pop(L, 1);
}

static void tell_begin(struct run *run)
{
	static const char *const orders[] = {"timed", "ties", "random"};
	struct run_header header = {
		.scenario = run->name,
		.lifecycle = run->lifecycle_name,
		.variants = run->variant_names,
		.seed = run->opt->seed,
		.order = orders[run->opt->order],
		.nr_cpus = run->w->config.nr_cpus,
	};

	for (size_t i = 0; run->sinks[i]; i++) {
		if (run->sinks[i]->begin)
			run->sinks[i]->begin(run->sinks[i], &header);
	}
}

/* Everything here was validated by lua/lib. */
static bool make_world(struct run *run)
{
	lua_State *L = run->L;
	const struct run_options *opt = run->opt;
	struct world_config config = {
		.seed = opt->seed,
		.steps_max = opt->steps_max ? opt->steps_max : STEPS_DEFAULT,
		.time_max = opt->time_max ? opt->time_max : TIME_DEFAULT,
		.shuffle_ties = opt->order == ORDER_TIES,
		.count_steps = opt->order == ORDER_RANDOM,
	};
	struct kernel_config kernel;

	lua_rawgeti(L, LUA_REGISTRYINDEX, run->scenario);
	lua_getfield(L, -1, "lifecycle");
	run->lifecycle_name = lua_tostring(L, -1);
	lua_pop(L, 1);
	run->lifecycle = lifecycle_find(run->lifecycle_name);
	lua_getfield(L, -1, "model");
	run->model = lua_toboolean(L, -1);
	lua_getfield(L, -2, "statistics");
	run->statistics = lua_toboolean(L, -1);
	lua_getfield(L, -3, "perf_event");
	run->perf_event = lua_toboolean(L, -1);
	lua_pop(L, 3);
	read_reclaim(run, L);
	read_variants(run, L);
	run->faults = (uint32_t)field_int(L, "faults");
	config.no_user_mode = run->model;
	config.nr_cpus = (unsigned int)field_int(L, "cpus");
	config.preempt = (enum preempt_model)field_int(L, "preempt");

	run->checks = checkset_new(run->arena, opt->checks_off);
	if (!run->checks)
		return false;
	run->trace.record = on_record;
	mute_unwanted(run);
	run->chooser.choose = draw;
	choices_seed(run, opt->seed);
	run->w = world_new(run->arena, &config, &run->chooser, &run->trace);
	if (!run->w)
		return false;
	run->w->trace_accesses = opt->accesses;
	read_reclaim(run, L);
	read_costs(run, L);
	tell_begin(run);
	kernel = lifecycle_kernel_config(run->lifecycle);
	kernel_init(run->w, &kernel);
	return true;
}

/* ---- running --------------------------------------------------------------------- */

/* Protected: the task that boots the kernel and calls the scenario's setup. */
static int make_setup_task(lua_State *L)
{
	struct run *run = run_of(L);
	struct script_task *self;

	lua_rawgeti(L, LUA_REGISTRYINDEX, run->lib[LIB_SETUP]);
	self = script_task_new(L, "setup", 0, -1);
	self->task->fn = run_setup;
	run->script->setup = self->task;
	lua_setfield(L, LUA_REGISTRYINDEX, "setup");
	task_wake(self->task, 0);
	return 0;
}

/* Contexts that still have something to do, now that nothing is left to happen. */
static int64_t nr_stuck(const struct world *w)
{
	const struct worker_pool *pools = kernel_of(w)->pools;
	int64_t n = w->nr_tasks_alive;

	/* The unbound pool comes after those of the CPUs. */
	for (unsigned int i = 0; i <= w->config.nr_cpus; i++) {
		list_for_each(node, &pools[i].busy) {
			n++;
		}
	}
	for (unsigned int i = 0; i < w->config.nr_cpus; i++) {
		for (struct task *t = w->cpus[i].cur; t; t = t->below) {
			if (t->ctx == CTX_SOFTIRQ || t->ctx == CTX_HARDIRQ)
				n++;
		}
	}
	return n;
}

void run_quiesce(struct run *run)
{
	uint32_t before;

	world_tell_waits(run->w);
	trace_env(run->w, NULL, RUN_QUIET, .arg = {nr_stuck(run->w)});
	before = run->checks->nr_violations;
	checkset_end(run->checks, &run->last);
	tell_violations(run, before);
}

/* Untimed, a task begins where its first operation is: getting there touches nothing shared. */
static void bring_to_first_operation(struct task *t)
{
	if (!t->w->timed && t->timer.pending)
		world_take(t->w, &t->timer);
}

static void start_tasks(struct run *run)
{
	struct script *script = run->script;

	if (run->opt->order == ORDER_RANDOM)
		world_set_untimed(run->w);
	run->w->faults_left = run->faults;
	for (uint32_t i = 0; i < script->nr_tasks; i++) {
		task_wake(script->tasks[i]->task, 0);
		bring_to_first_operation(script->tasks[i]->task);
	}
}

void run_note_stop(struct run *run)
{
	const char *path = run->opt->path;
	const struct world_config *config = &run->w->config;

	switch ((enum world_stop)run->w->stop) {
	case STOP_NONE:
		if (run->checks->exhausted)
			break;
		return;
	case STOP_STEPS:
		run_fail(run, SLABSIM_ERROR_LIMIT,
			 "%s: the limit of %" G_GUINT64_FORMAT
			 " steps was hit at %" G_GUINT64_FORMAT " ns; raise it with --max-steps",
			 path, config->steps_max, run->w->now);
		return;
	case STOP_TIME:
		run_fail(run, SLABSIM_ERROR_LIMIT,
			 "%s: the limit of %" G_GUINT64_FORMAT
			 " ns of virtual time was hit; raise it with --max-time",
			 path, config->time_max);
		return;
	case STOP_MEMORY:
		break;
	case STOP_HOST:
		run_fail(run, SLABSIM_ERROR_INTERRUPTED, "interrupted");
		return;
	}
	run_fail(run, SLABSIM_ERROR_LIMIT,
		 "%s: the memory limit of %zu MiB was hit; raise it with --max-memory", path,
		 run->arena->limit >> 20);
}

/* Everything up to the first step of the scenario's tasks. */
static void set_up(struct run *run)
{
	lua_State *L = run->L;
	int status;

	lua_pushcfunction(L, make_setup_task);
	status = lua_pcall(L, 0, 0, 0);
	if (status != LUA_OK) {
		script_failed(run, L, status);
		return;
	}
	if (world_run(run->w) == STOP_NONE && run->script->setup_done) {
		if (skips_check(run))
			start_tasks(run);
	} else {
		run_note_stop(run);
	}
}

static void run_tasks(struct run *run)
{
	world_run(run->w);
	run_note_stop(run);
	if (!run->error)
		run_quiesce(run);
}

/* ---- the whole ------------------------------------------------------------------- */

uint64_t made_by_variants(const struct world *w)
{
	static const enum object_kind kinds[] = {
		OBJ_CGROUP, OBJ_MEMCG, OBJ_CACHE, OBJ_LRU, OBJ_SHRINKER, OBJ_FS,
	};
	uint64_t nr = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		nr += w->next_id[kinds[i]];
	return nr;
}

static void fill_result(const struct run *run, struct run_result *result)
{
	const struct checkset *checks = run->checks;

	memset(result, 0, sizeof(*result));
	result->verdict = VERDICT_INCOMPLETE;
	if (!run->w)
		return;
	result->nr_violations = checks->nr_violations;
	for (uint32_t i = 0; i < MIN(checks->nr_violations, VIOLATION_MAX); i++)
		result->violations[i] = checks->violations[i];
	result->nr_records = run->w->nr_records;
	result->nr_steps = run->w->nr_steps;
	result->end = run->w->now;
	result->peak_bytes = run->arena->top;
	result->variants_idle = run->model && made_by_variants(run->w) == run->booted;
	if (!run->error)
		result->verdict = checks->nr_violations ? VERDICT_FAIL : VERDICT_PASS;
}

static void seed_script(struct script *script, uint64_t seed)
{
	rng_seed(&script->rng, seed, "script");
}

static bool make_state(struct run *run)
{
	size_t limit = run->opt->memory_max ? run->opt->memory_max : MEMORY_DEFAULT;

	if (limit < MEMORY_MIN || limit > MEMORY_MAX) {
		run_fail(run, SLABSIM_ERROR_USAGE,
			 "--max-memory: expected 4 MiB to 64 GiB, got %zu bytes", limit);
		return false;
	}
	run->arena = arena_map(limit);
	if (!run->arena) {
		run_fail(run, SLABSIM_ERROR_LIMIT,
			 "cannot reserve address space for the simulated world: %s",
			 g_strerror(errno));
		return false;
	}
	run->script = arena_alloc(run->arena, sizeof(*run->script));
	seed_script(run->script, run->opt->seed);
	map_init(&run->script->values, run->arena, sizeof(struct handle *));
	map_init(&run->script->cgroups, run->arena, sizeof(struct cgroup_handle *));
	return state_new(run);
}

/* All that does not depend on parameters, lifecycle, variants and parts that are left out. */
static void read_text(struct run *run)
{
	if (!make_state(run))
		return;
	learn_short_src(run);
	(void)load(run, load_script);
}

static void read_script(struct run *run)
{
	if (skips_read(run))
		read_text(run);
	if (!run->error)
		(void)load(run, load_options);
}

/* What the compiler left over would be copied with each snapshot. */
static void tidy_heap(struct run *run)
{
	lua_gc(run->L, LUA_GCCOLLECT);
	arena_start_afresh(run->arena);
}

static void make_in_tidy_heap(struct run *run)
{
	if (!make_world(run)) {
		run->w = NULL;
		run_fail(run, SLABSIM_ERROR_LIMIT,
			 "%s: the memory limit of %zu MiB was hit; raise it with --max-memory",
			 run->opt->path, run->arena->limit >> 20);
		return;
	}
	set_up(run);
}

static void make_and_set_up(struct run *run)
{
	tidy_heap(run);
	make_in_tidy_heap(run);
}

static void open_all(struct run *run)
{
	read_script(run);
	if (!run->error)
		make_and_set_up(run);
}

/*
 * A stop outside any context comes back here; what it leaves behind is the arena's.
 * Not inlined, since setjmp() and its caller's variables do not go together.
 */
__attribute__((noinline)) static void run_protected(struct run *run, void (*fn)(struct run *run))
{
	if (setjmp(run->loading) == 0)
		fn(run);
}

/* What run_call() calls, and with what. */
struct call {
	lua_CFunction f;
	void *arg;
};

static void call_protected(struct run *run)
{
	const struct call *call = run->call;
	lua_State *L = run->L;
	int status;

	lua_pushcfunction(L, script_handler);
	lua_pushcfunction(L, call->f);
	lua_pushlightuserdata(L, call->arg);
	status = lua_pcall(L, 1, 0, -3);
	if (status != LUA_OK)
		script_failed(run, L, status);
	lua_settop(L, 0);
}

bool run_call(struct run *run, lua_CFunction f, void *arg, GError **error)
{
	struct call call = {f, arg};

	run->call = &call;
	run_protected(run, call_protected);
	run->call = NULL;
	if (!run->error)
		return true;
	g_propagate_error(error, g_steal_pointer(&run->error));
	return false;
}

static struct run_sink *const no_sinks[] = {NULL};

static struct run *run_new(const struct run_options *opt, struct run_sink *const *sinks)
{
	struct run *run = g_new0(struct run, 1);
	g_autofree char *base = g_path_get_basename(opt->path);

	run->opt = opt;
	run->sinks = sinks ? sinks : no_sinks;
	run->instructions_max = opt->instructions_max ? opt->instructions_max
						      : INSTRUCTIONS_DEFAULT;
	run->name = g_str_has_suffix(base, ".lua") ? g_strndup(base, strlen(base) - 4)
						   : g_strdup(base);
	return run;
}

/* False, with @error set, if something stopped the run; the session has no error after that. */
static bool hand_over_error(struct run *run, GError **error)
{
	bool ok = !run->error;

	if (!ok)
		g_propagate_error(error, g_steal_pointer(&run->error));
	return ok;
}

/* From where @begin begins to the end of the run. */
static bool run_from(struct run *run, void (*begin)(struct run *run), struct run_result *result,
		     GError **error)
{
	run_protected(run, begin);
	if (!run->error)
		run_protected(run, run_tasks);
	fill_result(run, result);
	return hand_over_error(run, error);
}

/* And of the session. */
static bool run_whole(struct run *run, void (*begin)(struct run *run), struct run_result *result,
		      GError **error)
{
	bool ok = run_from(run, begin, result, error);

	session_close(run);
	return ok;
}

bool scenario_run(const struct run_options *opt, struct run_sink *const *sinks,
		  struct run_result *result, GError **error)
{
	return run_whole(run_new(opt, sinks), open_all, result, error);
}

struct run *script_open(const struct run_options *opt, GError **error)
{
	struct run *run = run_new(opt, NULL);

	run_protected(run, read_script);
	if (hand_over_error(run, error))
		return run;
	session_close(run);
	return NULL;
}

bool script_run(struct run *run, const struct run_options *opt, struct run_sink *const *sinks,
		struct run_result *result, GError **error)
{
	run->opt = opt;
	run->sinks = sinks ? sinks : no_sinks;
	return run_whole(run, make_and_set_up, result, error);
}

/* What was opened is where every run of the session begins. */
static bool begin_session(struct run *run, GError **error)
{
	if (!hand_over_error(run, error))
		return false;
	control_open(run);
	arena_start_afresh(run->arena);
	run->start = g_aligned_alloc(1, snapshot_size(run->w), 64);
	snapshot_base(run->w, run->start);
	run->start_instructions = run->instructions;
	run->start_last = run->last;
	return true;
}

struct run *session_open(const struct run_options *opt, struct run_sink *const *sinks,
			 GError **error)
{
	struct run *run = run_new(opt, sinks);

	run_protected(run, open_all);
	if (begin_session(run, error))
		return run;
	session_close(run);
	return NULL;
}

/* ---- scripts that are kept ------------------------------------------------------- */

/* A script that was read: the arena's heap, and what the host has of it. */
struct kept_script {
	struct run run;
	size_t bytes;
	_Alignas(16) char heap[];
};

static void keep_script(struct run *run)
{
	const struct arena *a = run->arena;

	/* No context has run yet: all that there is lies in the heap. */
	sim_assert(a->stacks_used[STACK_SMALL] == 0);
	sim_assert(a->stacks_used[STACK_LARGE] == 0);
	run->kept = g_aligned_alloc(1, sizeof(*run->kept) + a->top, 64);
	run->kept->run = *run;
	run->kept->bytes = a->top;
	memcpy(run->kept->heap, a->base, a->top);
}

struct run *script_keep(const struct run_options *opt, GError **error)
{
	struct run *run = run_new(opt, NULL);

	run_protected(run, read_text);
	if (hand_over_error(run, error)) {
		keep_script(run);
		return run;
	}
	session_close(run);
	return NULL;
}

/* What the session had of the host. */
static void end_session(struct run *run)
{
	g_clear_pointer(&run->start, g_aligned_free);
	skips_free(run);
	g_clear_error(&run->error);
}

static void open_kept(struct run *run)
{
	if (skips_read(run) && load(run, load_options))
		make_and_set_up(run);
}

/* Everything is as it was when the script was kept. */
static void put_back(struct run *run, const struct run_options *opt, struct run_sink *const *sinks)
{
	const struct kept_script *kept = run->kept;

	end_session(run);
	*run = kept->run;
	run->opt = opt;
	run->sinks = sinks ? sinks : no_sinks;
	arena_put_back(run->arena, kept->heap, kept->bytes);
}

bool session_again(struct run *run, const struct run_options *opt, struct run_sink *const *sinks,
		   GError **error)
{
	put_back(run, opt, sinks);
	run_protected(run, open_kept);
	return begin_session(run, error);
}

static void read_with_options(struct run *run)
{
	read_text(run);
	if (!run->error && load(run, load_options))
		tidy_heap(run);
}

/* A script that draws while it is loaded is another one with each seed. */
static bool is_for_any_seed(const struct run *run)
{
	struct script undrawn;

	seed_script(&undrawn, run->opt->seed);
	return memcmp(&undrawn.rng, &run->script->rng, sizeof(undrawn.rng)) == 0;
}

struct run *scenario_open(const struct run_options *opt, GError **error)
{
	struct run *run = run_new(opt, NULL);

	run_protected(run, read_with_options);
	if (!hand_over_error(run, error)) {
		session_close(run);
		return NULL;
	}
	if (is_for_any_seed(run))
		keep_script(run);
	return run;
}

static void begin_again(struct run *run)
{
	if (skips_read(run))
		make_in_tidy_heap(run);
}

bool scenario_run_again(struct run *run, const struct run_options *opt,
			struct run_sink *const *sinks, struct run_result *result, GError **error)
{
	if (!run->kept)
		return scenario_run(opt, sinks, result, error);
	put_back(run, opt, sinks);
	seed_script(run->script, opt->seed);
	return run_from(run, begin_again, result, error);
}

bool session_run(struct run *run, struct run_result *result, GError **error)
{
	run_protected(run, run_tasks);
	fill_result(run, result);
	return hand_over_error(run, error);
}

void session_result(const struct run *run, struct run_result *result)
{
	fill_result(run, result);
}

void session_rewind(struct run *run, uint64_t seed)
{
	snapshot_restore(run->w, run->start);
	run->instructions = run->start_instructions;
	run->last = run->start_last;
	rng_seed(&run->w->cost_rng, seed, "cost");
	choices_seed(run, seed);
}

/* The Lua state and the world are dropped with the arena at the next run. */
void session_close(struct run *run)
{
	end_session(run);
	g_aligned_free(run->kept);
	g_free(run->short_src);
	g_free(run->name);
	g_free(run);
}
