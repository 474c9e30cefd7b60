// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small models: what each operation does, what it costs in steps, what is refused,
 * and that the checkers see it.
 */

#include <check.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lua/model.h"
#include "sim/engine/snapshot.h"

Suite *suite_model(void);

/* ---- exploring by hand: every state that a model can be in ---------------------- */

struct search {
	struct run *run;
	GHashTable *seen; /* states, as text */
	uint64_t nr_transitions, nr_ends, nr_stuck, nr_wrong;
};

static void add_locals(lua_State *L, lua_Debug *ar, GString *state)
{
	const char *name;

	for (int i = 1; (name = lua_getlocal(L, ar, i)) != NULL; i++) {
		/* Registers that no variable lives in are left over from before. */
		if (name[0] != '(' || strcmp(name, "(for state)") == 0) {
			if (lua_isinteger(L, -1))
				g_string_append_printf(state, " %lld", lua_tointeger(L, -1));
			else if (lua_isboolean(L, -1))
				g_string_append(state, lua_toboolean(L, -1) ? " t" : " f");
		}
		lua_pop(L, 1);
	}
}

/* Where each task is in its script and what its variables hold. */
static void add_tasks(struct run *run, GString *state)
{
	for (uint32_t i = 0; i < run->script->nr_tasks; i++) {
		lua_State *L = run->script->tasks[i]->L;
		lua_Debug ar;

		g_string_append_printf(state, "/%u", i);
		for (int level = 1; L && lua_getstack(L, level, &ar); level++) {
			lua_getinfo(L, "l", &ar);
			g_string_append_printf(state, " @%d", ar.currentline);
			add_locals(L, &ar, state);
		}
	}
}

/* What the cells hold that the script keeps in sim. */
static void add_cells(struct run *run, GString *state)
{
	lua_State *L = run->L;

	lua_getfield(L, LUA_REGISTRYINDEX, "sim");
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		const struct cell_handle *c = lua_touserdata(L, -1);

		if (c && c->h.kind == HANDLE_CELL)
			g_string_append_printf(state, "/%s=%lld", c->h.name, (long long)c->value.n);
	}
	lua_pop(L, 1);
}

static bool note_state(struct search *s)
{
	GString *state = g_string_new(NULL);

	add_tasks(s->run, state);
	add_cells(s->run, state);
	return g_hash_table_add(s->seen, g_string_free(state, FALSE));
}

static void search_from(struct search *s)
{
	struct world *w = s->run->w;
	uint32_t n = world_enabled(w);
	void *here;

	if (n == 0) {
		s->nr_ends++;
		s->nr_stuck += w->nr_tasks_alive > 0;
		return;
	}
	here = g_aligned_alloc(1, snapshot_size(w), 64);
	snapshot_save(w, here);
	for (uint32_t i = 0; i < n; i++) {
		ck_assert_uint_eq(world_enabled(w), n);
		ck_assert(world_take(w, w->enabled[i]));
		s->nr_transitions++;
		s->nr_wrong += s->run->checks->nr_violations > 0;
		if (note_state(s))
			search_from(s);
		snapshot_restore(w, here);
	}
	g_aligned_free(here);
}

static struct search search(const char *path, const char *const *sets)
{
	struct run_options opt = {.path = path, .seed = 1, .sets = sets, .order = ORDER_RANDOM};
	g_autoptr(GError) error = NULL;
	struct search s = {.run = session_open(&opt, NULL, &error)};

	ck_assert_msg(s.run != NULL, "%s", error ? error->message : "");
	s.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	(void)note_state(&s);
	search_from(&s);
	return s;
}

static void search_end(struct search *s)
{
	g_hash_table_destroy(s->seen);
	session_close(s->run);
}

/* The numbers that other explorers find for this model: a step here is an event there. */
START_TEST(a_model_has_the_states_of_its_events_and_no_more)
{
	static const struct {
		const char *n, *k;
		unsigned int states, transitions;
	} sizes[] = {
		{"n=1", "k=1", 64, 105},	 {"n=2", "k=1", 549, 1355},
		{"n=2", "k=2", 1892, 4899},	 {"n=3", "k=1", 4865, 16181},
		{"n=3", "k=2", 31514, 110397},	 {"n=4", "k=1", 43649, 183193},
		{"n=4", "k=2", 532416, 2357919},
	};
	const char *big = g_getenv("SLABSIM_TEST_LONG");
	const char *sets[] = {sizes[_i].n, sizes[_i].k, NULL};
	struct search s;

	if (_i > 2 && !big)
		return;
	s = search("scenarios/models/cache_shutdown.lua", sets);
	ck_assert_uint_eq(g_hash_table_size(s.seen), sizes[_i].states);
	ck_assert_uint_eq(s.nr_transitions, sizes[_i].transitions);
	ck_assert_uint_eq(s.nr_stuck, 0);
	ck_assert_uint_eq(s.nr_wrong, 0);
	search_end(&s);
}
END_TEST

/* Each bug of the model is there, the rarest one (a stale quiescent state) included. */
START_TEST(every_bug_of_the_model_can_be_reached)
{
	static const char *const bugs[] = {"bug=1", "bug=2", "bug=3"};
	const char *sets[] = {"n=2", "k=2", bugs[_i], NULL};
	struct search s = search("scenarios/models/cache_shutdown.lua", sets);

	ck_assert_uint_gt(s.nr_wrong, 0);
	search_end(&s);
}
END_TEST

/* ---- single runs ---------------------------------------------------------------- */

struct outcome {
	struct run_result result;
	GError *error;
	GString *log;	   /* the texts of t:log(), a line each */
	GString *accesses; /* "task: site object-number mode", a line each */
	uint32_t kind_count[NR_TRACE_KINDS];
};

static struct listener {
	struct run_sink sink;
	struct outcome *outcome;
} listener;

static void on_record(struct run_sink *sink, const struct trace_record *r)
{
	struct outcome *o = ((struct listener *)sink)->outcome;

	o->kind_count[r->kind]++;
	if (r->kind == TR_LOG)
		g_string_append_printf(o->log, "%s\n", r->str);
	if (r->kind == TR_ACCESS)
		g_string_append_printf(o->accesses, "%s %d %d\n", r->str, (int)oid_nr(r->obj),
				       (int)r->arg[1]);
}

static struct outcome run_text(const char *text, enum run_order order, uint64_t seed)
{
	struct run_sink *sinks[] = {&listener.sink, NULL};
	g_autofree char *dir = g_dir_make_tmp("slabsim-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "x.lua", NULL);
	struct run_options opt = {.path = path, .seed = seed, .order = order, .accesses = true};
	struct outcome o = {.log = g_string_new(NULL), .accesses = g_string_new(NULL)};

	listener.sink.record = on_record;
	listener.outcome = &o;
	ck_assert(g_file_set_contents(path, text, -1, NULL));
	(void)scenario_run(&opt, sinks, &o.result, &o.error);
	if (o.error && g_str_has_prefix(o.error->message, dir)) {
		char *rest = g_strdup(o.error->message + strlen(dir) + 1);

		g_free(o.error->message);
		o.error->message = rest;
	}
	g_remove(path);
	g_rmdir(dir);
	return o;
}

static void outcome_clear(struct outcome *o)
{
	g_clear_error(&o->error);
	g_string_free(o->log, TRUE);
	g_string_free(o->accesses, TRUE);
}

#define MODEL(setup, body)                                                                         \
	"return model { setup = function(sim, opt) " setup " end, "                                \
	"tasks = { task('a', function(t, sim, opt)\n" body "\nend) } }"

/* In time and out of it; the body has to pass, and to log the same. */
static void expect_log(const char *text, const char *log)
{
	static const enum run_order orders[] = {ORDER_TIMED, ORDER_RANDOM};

	for (size_t i = 0; i < G_N_ELEMENTS(orders); i++) {
		for (uint64_t seed = 1; seed <= 5; seed++) {
			struct outcome o = run_text(text, orders[i], seed);

			ck_assert_msg(!o.error, "%s", o.error ? o.error->message : "");
			ck_assert_str_eq(o.log->str, log);
			ck_assert_msg(o.result.verdict == VERDICT_PASS, "%s: %s",
				      o.result.violations[0].ops->name,
				      o.result.violations[0].text);
			outcome_clear(&o);
		}
	}
}

/* Some order of up to 200 makes @checker say a text that begins with @start. */
static void expect_violation(const char *text, const char *checker, const char *start)
{
	g_autofree char *last = g_strdup("no violation");

	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct outcome o = run_text(text, ORDER_RANDOM, seed);
		uint32_t n = MIN(o.result.nr_violations, VIOLATION_MAX);

		ck_assert_msg(!o.error, "%s", o.error ? o.error->message : "");
		for (uint32_t i = 0; i < n; i++) {
			const struct violation *v = &o.result.violations[i];

			g_free(last);
			last = g_strdup_printf("%s: %s", v->ops->name, v->text);
			if (strcmp(v->ops->name, checker) == 0 &&
			    g_str_has_prefix(v->text, start)) {
				outcome_clear(&o);
				return;
			}
		}
		outcome_clear(&o);
	}
	ck_abort_msg("expected %s: %s; got %s", checker, start, last);
}

static void expect_error(const char *text, const char *message)
{
	struct outcome o = run_text(text, ORDER_RANDOM, 1);

	ck_assert_msg(o.error != NULL, "no error, expected: %s", message);
	ck_assert_str_eq(o.error->message, message);
	outcome_clear(&o);
}

#define LOG_ALL                                                                                    \
	"local function log(...) local s = '' for i = 1, select('#', ...) do"                      \
	" s = s .. ' ' .. tostring((select(i, ...))) end t:log(s) end\n"

START_TEST(cells_hold_what_is_put_into_them)
{
	expect_log(MODEL("sim.c = sim:cell('c', 5) sim.p = sim:cell('p')", LOG_ALL
			 "local c, p = sim.c, sim.p\n"
			 "log(t:read_once(c), t:read_once(p), t:load(c))\n"
			 "t:write_once(c, 7) log(t:xchg(c, 8), t:read_once(c))\n"
			 "log(t:cmpxchg(c, 7, 9), t:cmpxchg(c, 8, 9), t:read_once(c))\n"
			 "log(t:atomic_add(c, -2), t:inc_not_zero(c), t:dec_and_test(c))\n"
			 "t:atomic_inc(c) t:atomic_dec(c) t:store(p, true) log(t:load(p))\n"
			 "t:store(c, 1) log(t:dec_and_test(c), t:inc_not_zero(c))\n"
			 "t:rcu_assign_pointer(p, c) log(t:rcu_dereference(p) == c)\n"
			 "t:store(c, math.maxinteger) log(t:atomic_add(c, 1) == math.mininteger)\n"
			 "t:store(c, 1) log(t:cmpxchg(c, true, 3), t:wait_until(c, 1))\n"
			 "log(t:update(c, function(v) return v + 4 end), t:load(c),\n"
			 "    t:update(c, function() end), t:load(c))"),
		   " 5 nil 5\n 7 8\n 8 8 9\n 7 true false\n true\n true false\n true\n true\n 1 1\n"
		   " 1 5 5 nil\n");
}
END_TEST

/* One step, one record: what exploring counts on. */
START_TEST(an_operation_on_a_cell_is_one_step_and_one_record)
{
	static const struct {
		const char *op, *record;
	} ops[] = {
		{"t:read_once(sim.c)", "read_once 1 0\n"},
		{"t:load(sim.c)", "load 1 0\n"},
		{"t:write_once(sim.c, 1)", "write_once 1 1\n"},
		{"t:store(sim.c, 1)", "store 1 1\n"},
		{"t:xchg(sim.c, 1)", "xchg 1 2\n"},
		{"t:cmpxchg(sim.c, 5, 1)", "cmpxchg 1 2\n"},
		{"t:cmpxchg(sim.c, 4, 1)", "cmpxchg 1 0\n"},
		{"t:atomic_add(sim.c, 1)", "atomic_add 1 2\n"},
		{"t:update(sim.c, function(v) return v end)", "update 1 2\n"},
		{"t:inc_not_zero(sim.c)", "inc_not_zero 1 2\n"},
		{"t:inc_not_zero(sim.z)", "inc_not_zero 3 0\n"},
		{"t:dec_and_test(sim.c)", "dec_and_test 1 2\n"},
		{"t:atomic_inc(sim.c)", "atomic_inc 1 3\n"},
		{"t:wait_until(sim.c, 5)", "wait_until 1 0\n"},
		{"t:wait_until(sim.c, function(v) return v > 4 end)", "wait_until 1 0\n"},
		{"t:lock(sim.m)", ""},
		{"t:trylock(sim.m)", ""},
		{"t:lock(sim.s)", ""},
		{"t:complete(sim.d)", "complete 2 2\n"},
		{"t:wake_up(sim.q)", "wake_up 3 2\n"},
		{"t:rcu_read_lock()", ""},
		{"t:kfree(sim.c)", ""},
		{"t:choice(3)", ""},
		{"t:refcount_inc(sim.r)", ""},
		{"t:refcount_inc_not_zero(sim.r)", ""},
		{"t:refcount_dec_and_test(sim.r)", ""},
		{"t:refcount_read(sim.r)", "refcount_read 2 0\n"},
	};
	g_autofree char *with = g_strdup_printf(
		MODEL("sim.c = sim:cell('c', 5) sim.d = sim:completion('d')"
		      "sim.q = sim:waitqueue('q') sim.m = sim:mutex('m') sim.s = sim:spinlock('s')"
		      "sim.r = sim:refcount('r', 2) sim.z = sim:cell('z', 0)",
		      "t:wait_until(sim.c, 5)\n%s"),
		ops[_i].op);
	const char *without =
		MODEL("sim.c = sim:cell('c', 5) sim.d = sim:completion('d')"
		      "sim.q = sim:waitqueue('q') sim.m = sim:mutex('m') sim.s = sim:spinlock('s')"
		      "sim.r = sim:refcount('r', 2) sim.z = sim:cell('z', 0)",
		      "t:wait_until(sim.c, 5)");
	g_autofree char *records = NULL;
	struct outcome o = run_text(with, ORDER_RANDOM, 1),
		       before = run_text(without, ORDER_RANDOM, 1);

	ck_assert_msg(!o.error, "%s", o.error ? o.error->message : "");
	ck_assert_uint_eq(o.result.nr_steps, before.result.nr_steps + 1);
	ck_assert_uint_eq(o.kind_count[TR_OP_BEGIN], before.kind_count[TR_OP_BEGIN]);
	/* Before the last line, the end of the task. */
	records = g_strconcat("wait_until 1 0\n", ops[_i].record, "signal.event ", NULL);
	ck_assert_msg(strstr(o.accesses->str, records) != NULL, "%s", o.accesses->str);
	outcome_clear(&o);
	outcome_clear(&before);
}
END_TEST

/* Two tasks; each body stands in a function of its own. */
#define MODEL2(setup, a, b)                                                                        \
	"return model { setup = function(sim, opt) " setup " end, tasks = {\n"                     \
	"task('a', function(t, sim, opt) " a " end),\n"                                            \
	"task('b', function(t, sim, opt) " b " end) } }"

START_TEST(a_mutex_and_a_spinlock_exclude)
{
	static const char *const kinds[] = {"sim:mutex('l')", "sim:spinlock('l')",
					    "sim:spinlock('l', { irqsafe = true })"};

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autofree char *text = g_strdup_printf(
			MODEL2("sim.l = %s sim.n = sim:cell('n', 0) sim.done = sim:cell('done', 0)",
			       "for i = 1, 3 do t:lock(sim.l) t:store(sim.n, t:load(sim.n) + 1)"
			       " t:unlock(sim.l) end t:atomic_inc(sim.done)",
			       "for i = 1, 3 do while not t:trylock(sim.l) do t:yield() end"
			       " t:store(sim.n, t:load(sim.n) + 1) t:unlock(sim.l) end"
			       " t:wait_until(sim.done, 1) t:log(tostring(t:load(sim.n)))"),
			kinds[i]);

		expect_log(text, "6\n");
	}
}
END_TEST

START_TEST(a_rwsem_lets_readers_in_together)
{
	expect_log(MODEL2("sim.s = sim:rwsem('s') sim.in_ = sim:cell('in', 0)"
			  " sim.done = sim:cell('done', 0)",
			  "t:down_read(sim.s) t:atomic_inc(sim.in_) t:wait_until(sim.in_, 2)"
			  " t:up_read(sim.s) t:down_write(sim.s) t:atomic_inc(sim.done)"
			  " t:up_write(sim.s)",
			  "t:down_read(sim.s) t:atomic_inc(sim.in_) t:wait_until(sim.in_, 2)"
			  " t:up_read(sim.s) t:wait_until(sim.done, 1) t:log('done')"),
		   "done\n");
}
END_TEST

/* Whoever waits for a cell sees every write to it: no wake-up can be lost there. */
START_TEST(waiting_for_a_cell_misses_nothing)
{
	expect_log(MODEL2("sim.c = sim:cell('c', 0)",
			  "t:wait_until(sim.c, 1) t:write_once(sim.c, 2)"
			  " t:log(tostring(t:wait_until(sim.c, function(v) return v > 2 end)))",
			  "t:write_once(sim.c, 1) t:wait_until(sim.c, 2) t:atomic_add(sim.c, 3)"),
		   "5\n");
}
END_TEST

START_TEST(wait_queues_and_completions_wake)
{
	expect_log(MODEL2("sim.f = sim:cell('f', false) sim.q = sim:waitqueue('q')"
			  " sim.d = sim:completion('d')",
			  "t:wait_event(sim.q, function() return t:read_once(sim.f) end)"
			  " t:log('woken') t:wait_for_completion(sim.d)"
			  " t:wait_for_completion(sim.d) t:log('done')",
			  "t:write_once(sim.f, true) t:wake_up(sim.q) t:complete(sim.d)"
			  " t:complete_all(sim.d)"),
		   "woken\ndone\n");
}
END_TEST

START_TEST(a_grace_period_waits_for_readers)
{
	expect_log(MODEL2("sim.p = sim:cell('p', sim:cell('old', 1))"
			  " sim.freed = sim:cell('freed', 0)",
			  "t:rcu_read_lock() t:rcu_read_lock() local o = t:rcu_dereference(sim.p)"
			  " t:rcu_read_unlock() t:assert(t:read_once(o) == 1, 'gone')"
			  " t:rcu_read_unlock()",
			  "local o = t:rcu_dereference(sim.p) t:rcu_assign_pointer(sim.p,"
			  " sim:cell('new', 1)) t:call_rcu(function(u) u:kfree(o)"
			  " u:atomic_inc(sim.freed) u:log(u:name()) end, o) t:rcu_barrier()"
			  " t:assert(t:read_once(sim.freed) == 1, 'barrier') t:synchronize_rcu()"
			  " t:kfree_rcu(t:read_once(sim.p)) t:rcu_barrier()"),
		   "b\n");
}
END_TEST

/* Without preemption a section is what lies between two context switches. */
START_TEST(a_grace_period_waits_in_every_preemption_model_and_kind_of_scenario)
{
	static const char *const kinds[] = {"model", "scenario"};
	static const char *const preempt[] = {"none", "voluntary", "full"};

	for (int i = 0; i < 6; i++) {
		g_autofree char *text = g_strdup_printf(
			"return %s { preempt = '%s', cpus = 2,\n"
			"setup = function(sim) sim.p = sim:cell('p', sim:cell('o', 0)) end,\n"
			"tasks = { task('r', { cpu = 0 }, function(t, sim) for i = 1, 5 do"
			" t:rcu_read_lock() local o = t:rcu_dereference(sim.p)"
			" if o then t:read_once(o) t:read_once(o) end"
			" t:rcu_read_unlock() end end),\n"
			"task('u', { cpu = 1 }, function(t, sim) local o = t:xchg(sim.p, nil)"
			" t:synchronize_rcu() t:kfree(o) t:log('freed') end) } }",
			kinds[i / 3], preempt[i % 3]);

		expect_log(text, "freed\n");
	}
}
END_TEST

START_TEST(work_items_run_flush_and_cancel)
{
	expect_log(MODEL("sim.n = sim:cell('n', 0) sim.wq = sim:workqueue('wq')"
			 " sim.o = sim:workqueue('o', { ordered = true })"
			 " sim.w = sim:work('item', function(t, s)"
			 " t:atomic_inc(s.n) t:log(t:name()) end)",
			 "t:log(tostring(t:flush_work(sim.w)))"
			 " t:queue_work(sim.wq, sim.w) t:flush_work(sim.w)"
			 " t:schedule_work(sim.w) t:flush_work(sim.w)"
			 " t:queue_work_on(0, sim.o, sim.w) t:flush_workqueue(sim.o)"
			 " t:log(tostring(t:read_once(sim.n)))"
			 " t:log(tostring(t:cancel_work_sync(sim.w)))"),
		   "false\nitem\nitem\nitem\n3\nfalse\n");
}
END_TEST

START_TEST(a_percpu_ref_is_released_after_its_last_reference)
{
	expect_log(MODEL("sim.d = sim:completion('d')"
			 " sim.r = sim:percpu_ref('r', function(t) t:log('released')"
			 " t:complete(sim.d) end)",
			 LOG_ALL
			 "local r = sim.r t:percpu_ref_get(r, 2) log(t:percpu_ref_tryget(r))"
			 " t:percpu_ref_kill(r, function(u) u:log('confirmed') end)"
			 " t:rcu_barrier() log(t:percpu_ref_tryget_live(r),"
			 " t:percpu_ref_tryget(r), t:percpu_ref_is_zero(r))"
			 " t:percpu_ref_put(r, 4) t:wait_for_completion(sim.d)"
			 " log(t:percpu_ref_tryget(r), t:percpu_ref_is_zero(r))"
			 " t:percpu_ref_reinit(r) log(t:percpu_ref_tryget_live(r))"
			 " t:percpu_ref_put(r) t:percpu_ref_kill(r) t:rcu_barrier()"
			 " t:wait_for_completion(sim.d) t:percpu_ref_exit(r)"),
		   " true\nconfirmed\n false true false\nreleased\n false true\n true\nreleased\n");
}
END_TEST

START_TEST(a_refcount_counts_and_does_not_come_back_from_zero)
{
	expect_log(MODEL("sim.r = sim:refcount('r') sim.two = sim:refcount('two', 2)", LOG_ALL
			 "local r, two = sim.r, sim.two\n"
			 "t:refcount_inc(r) log(t:refcount_inc_not_zero(r), t:refcount_read(r))\n"
			 "log(t:refcount_dec_and_test(r), t:refcount_dec_and_test(r))\n"
			 "log(t:refcount_dec_and_test(r), t:refcount_read(r))\n"
			 "log(t:refcount_inc_not_zero(r), t:refcount_read(r))\n"
			 "log(t:refcount_dec_and_test(two), t:refcount_dec_and_test(two))\n"
			 "t:kfree(r)"),
		   " true 3\n false false\n true 0\n false 0\n false true\n");
}
END_TEST

/* The classics need no memory management, but can have it. */
START_TEST(cells_can_be_used_beside_caches)
{
	expect_log("return scenario { setup = function(sim) sim.c = sim:cache('c')"
		   " sim.n = sim:cell('n', 0) end, tasks = { task('a', function(t, sim)"
		   " t:free(t:alloc(sim.c)) t:atomic_inc(sim.n) t:rcu_read_lock()"
		   " t:log(tostring(t:read_once(sim.n))) t:rcu_read_unlock()"
		   " t:free(t:alloc(sim.c)) end) } }",
		   "1\n");
}
END_TEST

/* ---- what the checkers see ------------------------------------------------------ */

START_TEST(checkers_see_what_models_do)
{
	static const struct {
		const char *text, *checker, *start;
	} cases[] = {
		{MODEL("sim.c = sim:cell('c', 1)", "t:kfree(sim.c) t:read_once(sim.c)"),
		 "use-after-free", "use after free of cell:1: read read_once"},
		{MODEL("sim.c = sim:cell('c', 1)", "t:kfree(sim.c) t:kfree(sim.c)"),
		 "use-after-free", "double free: cell:1"},
		{MODEL("sim.c = sim:cell('c', 1)", "t:kfree(sim.c) t:kfree_rcu(sim.c)"),
		 "use-after-free", "use after free of cell:1: call_rcu"},
		{MODEL("sim.m = sim:mutex('m')", "t:lock(sim.m)"), "lock", "lock held at exit: m"},
		{MODEL("sim.m = sim:mutex('m')", "t:unlock(sim.m)"), "lock",
		 "release of a lock that is not held: m"},
		{MODEL("sim.s = sim:rwsem('s')", "t:up_read(sim.s)"), "lock",
		 "release of a lock that is not held: s"},
		{MODEL("sim.s = sim:rwsem('s')", "t:up_write(sim.s)"), "lock",
		 "release of a lock that is not held: s"},
		{MODEL("sim.m = sim:mutex('m')", "t:lock(sim.m) t:lock(sim.m)"), "lock",
		 "recursion: task:2 takes m again"},
		{MODEL("sim.m = sim:mutex('m') sim.s = sim:spinlock('s')",
		       "t:lock(sim.s) t:lock(sim.m) t:unlock(sim.m) t:unlock(sim.s)"),
		 "lock", "sleep in atomic context: lock, holding s"},
		{MODEL("", "t:preempt_disable() t:synchronize_rcu() t:preempt_enable()"), "lock",
		 "sleep in atomic context"},
		{MODEL("", "t:rcu_read_lock()"), "lock", "rcu nesting 1 at exit"},
		{MODEL("", "t:rcu_read_unlock()"), "lock",
		 "rcu_read_unlock outside of a read section"},
		{MODEL("", "t:rcu_read_lock() t:synchronize_rcu()"), "lock",
		 "illegal context switch in RCU read-side section"},
		{MODEL2("sim.a = sim:mutex('a') sim.b = sim:mutex('b')",
			"t:lock(sim.a) t:lock(sim.b) t:unlock(sim.b) t:unlock(sim.a)",
			"t:lock(sim.b) t:lock(sim.a) t:unlock(sim.a) t:unlock(sim.b)"),
		 "lock", "order inversion: "},
		{MODEL2("sim.a = sim:mutex('a') sim.b = sim:mutex('b')",
			"t:lock(sim.a) t:lock(sim.b) t:unlock(sim.b) t:unlock(sim.a)",
			"t:lock(sim.b) t:lock(sim.a) t:unlock(sim.a) t:unlock(sim.b)"),
		 "progress", "deadlock: "},
		{MODEL2("sim.a = sim:spinlock('a') sim.b = sim:spinlock('b')",
			"t:lock(sim.a) t:lock(sim.b) t:unlock(sim.b) t:unlock(sim.a)",
			"t:lock(sim.b) t:lock(sim.a) t:unlock(sim.a) t:unlock(sim.b)"),
		 "progress", "deadlock: "},
		{MODEL("sim.l = sim:spinlock('l')",
		       "t:lock(sim.l) t:unlock(sim.l)"
		       " t:call_rcu(function(u) u:lock(sim.l) u:unlock(sim.l) end)"),
		 "lock", "irq-unsafe in softirq: l"},
		{MODEL("", "t:call_rcu(function(u) u:synchronize_rcu() end)"), "lock",
		 "sleep in atomic context: synchronize_rcu in a softirq"},
		{MODEL("sim.m = sim:mutex('m')", "t:call_rcu(function(u) u:lock(sim.m)"
						 " u:unlock(sim.m) end)"),
		 "lock", "sleep in atomic context: lock in a softirq"},
		{MODEL("sim.m = sim:mutex('m')"
		       " sim.w = sim:work('w', function(t) t:lock(sim.m) end)",
		       "t:schedule_work(sim.w)"),
		 "lock", "lock held at the end of a work item: m"},
		{MODEL("sim.c = sim:cell('c', 0)", "t:wait_until(sim.c, 1)"), "progress",
		 "lost wake-up: task:2 waits"},
		{MODEL("sim.c = sim:cell('c', 0)",
		       "t:wait_until(sim.c, function(v) return v > 0 end)"),
		 "progress", "lost wake-up: task:2 waits"},
		{MODEL("sim.d = sim:completion('d')", "t:wait_for_completion(sim.d)"), "progress",
		 "lost wake-up: task:2 waits"},
		{MODEL("sim.q = sim:waitqueue('q')", "t:prepare_to_wait(sim.q) t:schedule()"),
		 "progress", "lost wake-up: task:2 waits"},
		{MODEL("sim.r = sim:percpu_ref('r')", "t:percpu_ref_put(sim.r)"), "refcount",
		 "unbalanced put: script"},
		{MODEL("sim.r = sim:percpu_ref('r')",
		       "t:percpu_ref_kill(sim.r) t:percpu_ref_kill(sim.r)"),
		 "refcount", "killed twice"},
		{MODEL("sim.r = sim:percpu_ref('r')",
		       "t:percpu_ref_kill(sim.r) t:percpu_ref_exit(sim.r)"),
		 "refcount", "percpu_ref_exit on a ref that is still switching"},
		{MODEL("sim.r = sim:refcount('r')",
		       "t:refcount_dec_and_test(sim.r) t:refcount_dec_and_test(sim.r)"),
		 "refcount", "put after zero: script puts after the last put"},
		{MODEL("sim.r = sim:refcount('r')",
		       "t:refcount_dec_and_test(sim.r) t:refcount_inc(sim.r)"),
		 "refcount", "get on zero: 1 for script after the last put"},
		{MODEL2("sim.r = sim:refcount('r')",
			"if t:refcount_inc_not_zero(sim.r) then t:refcount_dec_and_test(sim.r) end",
			"t:refcount_dec_and_test(sim.r) t:refcount_dec_and_test(sim.r)"),
		 "refcount", "put after zero: script puts after the last put"},
		{MODEL("sim.r = sim:refcount('r')", "t:kfree(sim.r) t:refcount_inc(sim.r)"),
		 "use-after-free", "use after free of cell:1: ref_get"},
		{MODEL("sim.r = sim:refcount('r')", "t:kfree(sim.r) t:refcount_read(sim.r)"),
		 "use-after-free", "use after free of cell:1: read refcount_read"},
		{MODEL("", "t:assert(1 == 2, 'one is two')"), "assert",
		 "one is two (line 2 of the script)"},
		{MODEL("", "t:fail('never here')"), "assert", "never here (line 2 of the script)"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		expect_violation(cases[i].text, cases[i].checker, cases[i].start);
}
END_TEST

/* A deadlock is one in time as well, where tasks queue for what they wait for. */
START_TEST(a_deadlock_is_found_in_a_timed_run)
{
	struct outcome o = run_text(MODEL2("sim.a = sim:mutex('a') sim.b = sim:mutex('b')",
					   "t:lock(sim.a) t:sleep(us(9)) t:lock(sim.b)",
					   "t:lock(sim.b) t:sleep(us(9)) t:lock(sim.a)"),
				    ORDER_TIMED, 1);
	bool found = false;

	ck_assert(!o.error);
	for (uint32_t i = 0; i < o.result.nr_violations; i++)
		found |= g_str_has_prefix(o.result.violations[i].text, "deadlock: ");
	ck_assert(found);
	outcome_clear(&o);
}
END_TEST

START_TEST(an_assertion_that_holds_is_silent_and_returns_its_condition)
{
	expect_log(MODEL("", "t:log(tostring(t:assert(7, 'seven')))"), "7\n");
}
END_TEST

/* ---- what is refused ------------------------------------------------------------ */

START_TEST(mistakes_are_told_with_their_line)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{MODEL("sim.c = sim:cell('c', 1)", "t:read_onze(sim.c)"),
		 "x.lua:2: there is no operation t:read_onze; did you mean 'read_once'?"},
		{MODEL("", "t:read_once(nil)"), "x.lua:2: t:read_once: expected a cell, got nil"},
		{MODEL("", "t:read_once(t)"),
		 "x.lua:2: t:read_once: expected a cell, got task:2 a"},
		{MODEL("sim.c = sim:cell('c', 1)", "t:write_once(sim.c)"),
		 "x.lua:2: t:write_once: expected a cell and a value, got no value"},
		{MODEL("sim.c = sim:cell('c', 1)", "t:write_once(sim.c, 'one')"),
		 "x.lua:2: t:write_once: expected a whole number, true, false, nil or a cell, got "
		 "'one'"},
		{MODEL("sim.c = sim:cell('c', 1)", "t:write_once(sim.c, 1.5)"),
		 "x.lua:2: t:write_once: expected a whole number, true, false, nil or a cell, "
		 "got 1.5"},
		{MODEL("sim.c = sim:cell('c')", "t:atomic_add(sim.c, 1)"),
		 "x.lua:2: t:atomic_add: cell:1 c holds nil, not a number"},
		{MODEL("sim.c = sim:cell('c', true)", "t:dec_and_test(sim.c)"),
		 "x.lua:2: t:dec_and_test: cell:1 c holds true, not a number"},
		{MODEL("sim.c = sim:cell('c', 1)", "t:atomic_add(sim.c)"),
		 "x.lua:2: t:atomic_add: expected what to add, a whole number, got nothing"},
		{MODEL("sim.c = sim:cell('c', 1)", "t:cmpxchg(sim.c, 1)"),
		 "x.lua:2: t:cmpxchg: expected a cell, the old and the new value"},
		{MODEL("sim.c = sim:cell('c', 1)", "t:wait_until(sim.c)"),
		 "x.lua:2: t:wait_until: expected the value to wait for, or function(v) ... end "
		 "that says whether to go on"},
		{MODEL("sim.c = sim:cell('c', 1)",
		       "t:wait_until(sim.c, function(v)\nreturn t:read_once(sim.c) end)"),
		 "x.lua:3: t:read_once: a function that looks at a cell for t:wait_until or "
		 "t:update can only use the value it is given: it is no step of its own"},
		{MODEL("sim.c = sim:cell('c', 1)",
		       "t:update(sim.c, function(v)\nreturn t:read_once(sim.c) end)"),
		 "x.lua:3: t:read_once: a function that looks at a cell for t:wait_until or "
		 "t:update can only use the value it is given: it is no step of its own"},
		{MODEL("sim.c = sim:cell('c', 1)", "t:update(sim.c, function(v)\nreturn v.x end)"),
		 "x.lua:3: attempt to index a number value (local 'v')"},
		{MODEL("sim.c = sim:cell('c', 1)", "t:update(sim.c, 2)"),
		 "x.lua:2: t:update: expected function(v) ... end that returns the new value, got "
		 "2"},
		{MODEL("sim.c = sim:cell('c', 1)", "t:update(sim.c, function(v) return 'x' end)"),
		 "x.lua:2: the function of t:update: expected a whole number, true, false, nil or "
		 "a cell, got 'x'"},
		{MODEL("sim.c = sim:cell('c', 1)",
		       "t:wait_until(sim.c, function(v)\nreturn v.x end)"),
		 "x.lua:3: attempt to index a number value (local 'v')"},
		{MODEL("sim.c = sim:cell('c', 1)", "t:lock(sim.c)"),
		 "x.lua:2: t:lock: expected a mutex or spinlock, got cell:1 c"},
		{MODEL("", "t:preempt_enable()"),
		 "x.lua:2: t:preempt_enable: there is nothing to enable; call t:preempt_disable() "
		 "first"},
		{MODEL("", "t:call_rcu(1)"),
		 "x.lua:2: t:call_rcu: expected a function, got 1; write function(t) ... end"},
		{MODEL("", "t:call_rcu(function(u)\nu:sleep(1) end)"),
		 "x.lua:3: t:sleep: only a task can do this, and a runs in a softirq"},
		{MODEL("sim.w = sim:work('w', function(t)\nt:spawn('x', function() end) end)",
		       "t:schedule_work(sim.w)"),
		 "x.lua:2: t:spawn: only a task can do this, and w runs in a kworker"},
		{MODEL("", "t:call_rcu(function(u)\nerror('broken') end)"), "x.lua:3: broken"},
		{MODEL("sim.x = sim:work('w')", ""),
		 "x.lua:1: sim:work: expected a function, got nil; write function(t) ... end"},
		{MODEL("sim.x = sim:cell(1)", ""), "x.lua:1: sim:cell: expected a name, got 1"},
		{MODEL("sim.x = sim:mutex('a b')", ""),
		 "x.lua:1: sim:mutex: 'a b' is no name; use visible ASCII characters"},
		{MODEL("sim.x = sim:cel('c')", ""),
		 "x.lua:1: sim has no 'cel'; did you mean 'cell'?"},
		{MODEL("sim.x = sim:spinlock('s', { irq_safe = true })", ""),
		 "x.lua:1: sim:spinlock: unknown field 'irq_safe'; did you mean 'irqsafe'?"},
		{MODEL("sim.x = sim:workqueue('w', { max_active = 0 })", ""),
		 "x.lua:1: sim:workqueue: max_active: expected 1 to 512, got 0"},
		{MODEL("sim.x = sim:workqueue('w', { ordered = true, max_active = 2 })", ""),
		 "x.lua:1: sim:workqueue: an ordered workqueue runs one item at a time; leave "
		 "max_active out"},
		{MODEL("sim.r = sim:percpu_ref('r')", "t:percpu_ref_reinit(sim.r)"),
		 "x.lua:2: t:percpu_ref_reinit: cell:1 r is alive; it has to be killed, released "
		 "and not yet exited"},
		{MODEL("sim.r = sim:percpu_ref('r')", "t:percpu_ref_get(sim.r, 0)"),
		 "x.lua:2: t:percpu_ref_get: expected a number of references from 1 to 1073741824, "
		 "got 0"},
		{MODEL("sim.r = sim:refcount('r', 0)", ""),
		 "x.lua:1: sim:refcount: expected how many references there are at first, a whole "
		 "number from 1 to 1073741824, got 0"},
		{MODEL("sim.r = sim:refcount('r', 'one')", ""),
		 "x.lua:1: sim:refcount: expected how many references there are at first, a whole "
		 "number from 1 to 1073741824, got 'one'"},
		{MODEL("sim.c = sim:cell('c', 1)", "t:refcount_inc(sim.c)"),
		 "x.lua:2: t:refcount_inc: expected a refcount, got cell:1 c"},
		{MODEL("sim.r = sim:refcount('r')", "t:atomic_inc(sim.r)"),
		 "x.lua:2: t:atomic_inc: expected a cell, got cell:1 r"},
		{MODEL("", "t:assert(false)"),
		 "x.lua:2: t:assert: expected a text that says what is wrong, got nothing"},
		{MODEL("sim.q = sim:waitqueue('q')", "t:wait_event(sim.q, true)"),
		 "x.lua:2: t:wait_event: the condition: expected a function, got true"},
		{MODEL("sim.p = sim:waitqueue('p') sim.q = sim:waitqueue('q')",
		       "t:prepare_to_wait(sim.p) t:prepare_to_wait(sim.q)"),
		 "x.lua:2: t:prepare_to_wait: a is on another waitqueue already; call "
		 "t:finish_wait first"},
		{"return model { tasks = function() return {} end }",
		 "x.lua:1: model: with a function for tasks, say how many CPUs they need: cpus = "
		 "function(opt) return opt.n + 1 end"},
		{"return model { cpus = function() return 65 end,\ntasks = {} }",
		 "x.lua: cpus: expected 1 to 64, got 65"},
		{"local c\nreturn model { setup = function(sim) c = sim:cell('c', 1) end,\n"
		 "tasks = { task('a', function(t) c.value = 3 end) } }",
		 "x.lua:3: cell:1 c takes no fields; keep values in a local, or in sim"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		expect_error(cases[i].text, cases[i].message);
}
END_TEST

Suite *suite_model(void)
{
	Suite *s = suite_create("model");
	TCase *states = tcase_create("states");
	TCase *ops = tcase_create("operations");

	tcase_set_timeout(states, 600);
	tcase_set_timeout(ops, 60);
	tcase_add_loop_test(states, a_model_has_the_states_of_its_events_and_no_more, 0, 7);
	tcase_add_loop_test(states, every_bug_of_the_model_can_be_reached, 0, 3);
	suite_add_tcase(s, states);
	tcase_add_test(ops, cells_hold_what_is_put_into_them);
	tcase_add_loop_test(ops, an_operation_on_a_cell_is_one_step_and_one_record, 0, 24);
	tcase_add_test(ops, a_mutex_and_a_spinlock_exclude);
	tcase_add_test(ops, a_rwsem_lets_readers_in_together);
	tcase_add_test(ops, waiting_for_a_cell_misses_nothing);
	tcase_add_test(ops, wait_queues_and_completions_wake);
	tcase_add_test(ops, a_grace_period_waits_for_readers);
	tcase_add_test(ops, a_grace_period_waits_in_every_preemption_model_and_kind_of_scenario);
	tcase_add_test(ops, work_items_run_flush_and_cancel);
	tcase_add_test(ops, a_percpu_ref_is_released_after_its_last_reference);
	tcase_add_test(ops, a_refcount_counts_and_does_not_come_back_from_zero);
	tcase_add_test(ops, cells_can_be_used_beside_caches);
	tcase_add_test(ops, checkers_see_what_models_do);
	tcase_add_test(ops, a_deadlock_is_found_in_a_timed_run);
	tcase_add_test(ops, an_assertion_that_holds_is_silent_and_returns_its_condition);
	tcase_add_test(ops, mistakes_are_told_with_their_line);
	suite_add_tcase(s, ops);
	return s;
}
