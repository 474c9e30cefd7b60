// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scenarios as users write them: what runs, what is refused, and what the message says.
 */

#include <check.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lua/scenario.h"

Suite *suite_scenario(void);

struct outcome {
	bool ok;
	struct run_result result;
	GError *error;
	GString *log; /* the texts of t:log(), a line each */
};

struct log_sink {
	struct run_sink sink;
	GString *log;
	uint64_t nr_records, last_seq;
	uint32_t kind_count[NR_TRACE_KINDS];
};

static struct log_sink listener;

static void on_record(struct run_sink *sink, const struct trace_record *r)
{
	struct log_sink *l = (struct log_sink *)sink;

	ck_assert_uint_gt(r->seq, l->last_seq);
	l->last_seq = r->seq;
	l->nr_records++;
	l->kind_count[r->kind]++;
	if (r->kind == TR_LOG)
		g_string_append_printf(l->log, "%s\n", r->str);
}

static struct outcome run_file(const char *path, struct run_options opt)
{
	struct run_sink *sinks[] = {&listener.sink, NULL};
	struct outcome o = {.log = g_string_new(NULL)};

	memset(&listener, 0, sizeof(listener));
	listener.sink.record = on_record;
	listener.log = o.log;
	opt.path = path;
	opt.seed = opt.seed ? opt.seed : 1;
	o.ok = scenario_run(&opt, sinks, &o.result, &o.error);
	ck_assert(o.ok == !o.error);
	return o;
}

static struct outcome run_text(const char *text, struct run_options opt)
{
	g_autofree char *dir = g_dir_make_tmp("slabsim-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "x.lua", NULL);
	struct outcome o;

	ck_assert(g_file_set_contents(path, text, -1, NULL));
	o = run_file(path, opt);
	if (o.error && g_str_has_prefix(o.error->message, dir)) {
		/* Messages name the script as it was given; tests only want the last part. */
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
}

static void expect_error_with(const char *text, const char *message, struct run_options opt)
{
	struct outcome o = run_text(text, opt);

	ck_assert_msg(!o.ok, "no error, expected: %s", message);
	ck_assert_str_eq(o.error->message, message);
	ck_assert_int_eq(o.result.verdict, VERDICT_INCOMPLETE);
	outcome_clear(&o);
}

static void expect_error(const char *text, const char *message)
{
	expect_error_with(text, message, (struct run_options){0});
}

static void expect_log(const char *body, const char *log)
{
	g_autofree char *text = g_strdup_printf(
		"return scenario { tasks = { task('a', {}, function(t, sim, opt) %s end) } }",
		body);
	struct outcome o = run_text(text, (struct run_options){0});

	ck_assert_msg(o.ok, "%s", o.error ? o.error->message : "");
	ck_assert_str_eq(o.log->str, log);
	outcome_clear(&o);
}

#define IN_TASK(body)                                                                              \
	"return scenario { tasks = { task('a', {}, function(t, sim, opt)\n" body "\nend) } }"
#define WITH_CACHE(body)                                                                           \
	"return scenario { setup = function(sim) sim.c = sim:cache('c') end,\n"                    \
	"tasks = { task('a', {}, function(t, sim, opt)\n" body "\nend) } }"

/* ---- what runs ------------------------------------------------------------------ */

START_TEST(a_small_scenario_passes)
{
	struct outcome o =
		run_text(WITH_CACHE("local o = t:alloc(sim.c) t:free(o)"), (struct run_options){0});

	ck_assert_msg(o.ok, "%s", o.error ? o.error->message : "");
	ck_assert_int_eq(o.result.verdict, VERDICT_PASS);
	ck_assert_uint_eq(listener.kind_count[TR_OBJECT_ALLOC], 1);
	ck_assert_uint_eq(listener.kind_count[TR_OBJECT_FREE], 1);
	ck_assert_uint_eq(listener.kind_count[TR_RUN_QUIET], 1);
	ck_assert_uint_eq(listener.kind_count[TR_ACCESS], 0);
	outcome_clear(&o);
}
END_TEST

/* Two runs of one process share the arena: nothing of the first may show in the second. */
START_TEST(a_second_run_is_the_same)
{
	const char *text =
		WITH_CACHE("t:log(math.random(1000000) .. ' ' .. t:random(1000000) .. ' '"
			   " .. t:choice(1000000) .. ' ' .. t:now())"
			   " t:free(t:alloc(sim.c)) t:log(t:now())");
	struct outcome first = run_text(text, (struct run_options){0});
	struct outcome second = run_text(text, (struct run_options){0});
	struct outcome other = run_text(text, (struct run_options){.seed = 2});

	ck_assert(first.ok && second.ok && other.ok);
	ck_assert_str_eq(first.log->str, second.log->str);
	ck_assert_uint_eq(first.result.end, second.result.end);
	ck_assert_uint_eq(first.result.nr_steps, second.result.nr_steps);
	ck_assert_str_ne(first.log->str, other.log->str);
	outcome_clear(&first);
	outcome_clear(&second);
	outcome_clear(&other);
}
END_TEST

/* A session's first run is what scenario_run() gives; later ones depend on their seed alone. */
START_TEST(a_session_can_be_run_again)
{
	const char *path = "scenarios/lifecycle/offline_vs_alloc.lua";
	static const uint64_t seeds[] = {5, 6, 5};
	struct run_options opt = {.path = path, .seed = 7, .order = ORDER_RANDOM};
	struct run_sink *sinks[] = {&listener.sink, NULL};
	g_autoptr(GString) log = g_string_new(NULL);
	struct outcome whole = run_file(path, opt);
	struct run_result result[4];
	uint64_t at_start;
	struct run *session;

	memset(&listener, 0, sizeof(listener));
	listener.sink.record = on_record;
	listener.log = log;
	session = session_open(&opt, sinks, NULL);
	ck_assert_ptr_nonnull(session);
	at_start = listener.last_seq;
	ck_assert(session_run(session, &result[0], NULL));
	for (int i = 0; i < 3; i++) {
		session_rewind(session, seeds[i]);
		listener.last_seq = at_start;
		ck_assert(session_run(session, &result[i + 1], NULL));
	}
	session_close(session);
	result[0].peak_bytes = whole.result.peak_bytes;
	ck_assert_mem_eq(&result[0], &whole.result, sizeof(result[0]));
	ck_assert_mem_eq(&result[3], &result[1], sizeof(result[1]));
	ck_assert_uint_ne(result[2].nr_steps, result[1].nr_steps);
	outcome_clear(&whole);
}
END_TEST

static struct run_result run_session(struct run *session)
{
	struct run_result result;

	ck_assert_ptr_nonnull(session);
	ck_assert(session_run(session, &result, NULL));
	result.peak_bytes = 0;
	return result;
}

static const char *const none[] = {NULL};
static const char *const clobber[] = {"workfn-clobber", NULL};
static const char *const many[] = {"objects=40", NULL};
static const char *const unknown[] = {"objets=40", NULL};
static const char *const no_admin[] = {"admin", NULL};
static const char *const nobody[] = {"nobody", NULL};

/* Whatever the sessions before it were about, or came to. */
START_TEST(a_kept_script_gives_what_one_that_is_read_does)
{
	static const struct {
		const char *lifecycle;
		const char *const *variants, *const *sets, *const *skips;
		const char *wrong;
	} cases[] = {
		{NULL, clobber, many, none, NULL},
		{"v5.9", NULL, NULL, none, NULL},
		{NULL, NULL, unknown, none,
		 "--set: unknown parameter 'objets'; did you mean 'objects'?"},
		{"v4.18", NULL, NULL, no_admin, NULL},
		{NULL, NULL, NULL, nobody,
		 "--skip: unknown task 'nobody'; there are: allocator, admin"},
		{NULL, clobber, many, none, NULL},
	};
	struct run_options opt = {.path = "scenarios/lifecycle/offline_vs_alloc.lua",
				  .seed = 7,
				  .skips = none,
				  .order = ORDER_RANDOM};
	struct run_result again[G_N_ELEMENTS(cases)], fresh;
	struct run *session = script_keep(&opt, NULL);

	ck_assert_ptr_nonnull(session);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		opt.lifecycle = cases[i].lifecycle;
		opt.variants = cases[i].variants;
		opt.sets = cases[i].sets;
		opt.skips = cases[i].skips;
		ck_assert(session_again(session, &opt, NULL, &error) == !cases[i].wrong);
		if (cases[i].wrong)
			ck_assert_str_eq(error->message, cases[i].wrong);
		else
			again[i] = run_session(session);
	}
	session_close(session);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		if (cases[i].wrong)
			continue;
		opt.lifecycle = cases[i].lifecycle;
		opt.variants = cases[i].variants;
		opt.sets = cases[i].sets;
		opt.skips = cases[i].skips;
		session = session_open(&opt, NULL, NULL);
		fresh = run_session(session);
		session_close(session);
		ck_assert_mem_eq(&again[i], &fresh, sizeof(fresh));
	}
	ck_assert_uint_ne(again[0].nr_steps, again[1].nr_steps);
	ck_assert_uint_ne(again[0].nr_steps, again[3].nr_steps);
}
END_TEST

START_TEST(a_script_that_is_wrong_is_not_kept)
{
	const struct run_options opt = {.path = "tests/scripts/none.lua", .seed = 1};
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(script_keep(&opt, &error));
	ck_assert_str_eq(error->message,
			 "tests/scripts/none.lua: cannot read the script: there is no such file");
}
END_TEST

#define SEEDS 8

struct traced {
	struct run_result result;
	uint32_t kind_count[NR_TRACE_KINDS];
	char *error;
};

static struct traced run_traced(struct run *loaded, const struct run_options *opt)
{
	struct run_sink *sinks[] = {&listener.sink, NULL};
	g_autoptr(GError) error = NULL;
	struct traced t;

	memset(&listener, 0, sizeof(listener));
	listener.sink.record = on_record;
	listener.log = g_string_new(NULL);
	if (loaded)
		scenario_run_again(loaded, opt, sinks, &t.result, &error);
	else
		scenario_run(opt, sinks, &t.result, &error);
	t.result.peak_bytes = 0;
	memcpy(t.kind_count, listener.kind_count, sizeof(t.kind_count));
	t.error = error ? g_strdup(error->message) : NULL;
	g_string_free(listener.log, TRUE);
	return t;
}

/* @varies: the seed matters, so that to forget it would be seen.  Return: how many runs fail. */
static uint32_t expect_as_fresh(bool varies, struct run_options opt)
{
	struct run *loaded = scenario_open(&opt, NULL);
	struct traced again[SEEDS];
	uint32_t nr_failing = 0, nr_like_first = 0;

	ck_assert_ptr_nonnull(loaded);
	for (opt.seed = 0; opt.seed < SEEDS; opt.seed++)
		again[opt.seed] = run_traced(loaded, &opt);
	session_close(loaded);
	for (opt.seed = 0; opt.seed < SEEDS; opt.seed++) {
		struct traced fresh = run_traced(NULL, &opt), *t = &again[opt.seed];

		ck_assert_mem_eq(&t->result, &fresh.result, sizeof(fresh.result));
		ck_assert_mem_eq(t->kind_count, fresh.kind_count, sizeof(fresh.kind_count));
		ck_assert_pstr_eq(t->error, fresh.error);
		nr_failing += fresh.result.nr_violations > 0 || fresh.error;
		nr_like_first +=
			t->result.end == again[0].result.end &&
			memcmp(t->kind_count, again[0].kind_count, sizeof(t->kind_count)) == 0;
		g_free(t->error);
		g_free(fresh.error);
	}
	ck_assert(varies == (nr_like_first < SEEDS));
	return nr_failing;
}

START_TEST(what_is_loaded_once_runs_as_if_it_were_loaded_anew)
{
	const char *path = "scenarios/lifecycle/offline_vs_alloc.lua";

	const struct run_options timed = {.path = path},
				 smaller = {.path = path, .order = ORDER_RANDOM, .skips = no_admin},
				 wrong = {.path = path, .order = ORDER_RANDOM, .variants = clobber},
				 cut = {.path = path, .order = ORDER_RANDOM, .steps_max = 150};

	ck_assert_uint_eq(expect_as_fresh(true, timed), 0);
	ck_assert_uint_eq(expect_as_fresh(false, smaller), 0);
	ck_assert_uint_gt(expect_as_fresh(true, wrong), 0);
	ck_assert_uint_gt(expect_as_fresh(true, cut), 0);
}
END_TEST

START_TEST(a_script_draws_as_it_did_when_it_was_loaded)
{
	static const char *const texts[] = {
		"return scenario { tasks = { task('a', {}, function(t)\n"
		"t:sleep(math.random(1000)) end) } }",
		/* There is nothing to keep of one that draws before it is run. */
		"local n = math.random(1000)\n"
		"return scenario { tasks = { task('a', {}, function(t) t:sleep(n) end) } }",
	};
	g_autofree char *dir = g_dir_make_tmp("slabsim-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "x.lua", NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		ck_assert(g_file_set_contents(path, texts[i], -1, NULL));
		ck_assert_uint_eq(expect_as_fresh(true, (struct run_options){.path = path}), 0);
	}
	g_remove(path);
	g_rmdir(dir);
}
END_TEST

/* A double free must reach the checkers; the model itself must not be told. */
START_TEST(a_double_free_is_a_violation)
{
	struct outcome o = run_text(WITH_CACHE("local o = t:alloc(sim.c) t:free(o) t:free(o)"),
				    (struct run_options){0});

	ck_assert_msg(o.ok, "%s", o.error ? o.error->message : "");
	ck_assert_int_eq(o.result.verdict, VERDICT_FAIL);
	ck_assert_str_eq(o.result.violations[0].ops->name, "use-after-free");
	outcome_clear(&o);
}
END_TEST

START_TEST(a_destroyed_cache_is_not_followed)
{
	struct outcome o =
		run_text(WITH_CACHE("t:destroy(sim.c) t:sleep(ms(100))"
				    " t:log(tostring(t:alloc(sim.c)))"
				    " t:shrink(sim.c) t:log(select(2, t:destroy(sim.c)))"),
			 (struct run_options){0});

	ck_assert_msg(o.ok, "%s", o.error ? o.error->message : "");
	ck_assert_str_eq(o.log->str, "nil\nEINVAL\n");
	ck_assert_int_eq(o.result.verdict, VERDICT_FAIL);
	outcome_clear(&o);
}
END_TEST

START_TEST(a_task_that_waits_for_ever_is_a_violation)
{
	struct outcome o = run_text(IN_TASK("t:wait(sim:event('never'))"), (struct run_options){0});

	ck_assert_msg(o.ok, "%s", o.error ? o.error->message : "");
	ck_assert_int_eq(o.result.verdict, VERDICT_FAIL);
	outcome_clear(&o);
}
END_TEST

START_TEST(operations_return_errors)
{
	expect_log("local a = t:mkdir('a') local b = t:mkdir('b', a)"
		   " local ok, err = t:rmdir(a) t:log(tostring(ok) .. err)"
		   " t:log(select(2, t:mkdir('a')))"
		   " t:log(tostring(t:rmdir(b)) .. tostring(t:rmdir(a)))"
		   " t:log(select(2, t:rmdir(a))) t:log(select(2, t:charge(a, 1)))"
		   " t:log(select(2, t:mkdir('c', a))) t:log(select(2, t:attach(b)))"
		   " t:log(select(2, t:rmdir(sim.root)))",
		   "falseEBUSY\nEEXIST\ntruetrue\nENODEV\nENODEV\nENODEV\nENODEV\nEBUSY\n");
}
END_TEST

START_TEST(tasks_spawn_join_and_signal)
{
	expect_log("local e = sim:event('go') sim.n = 0"
		   " local b = t:spawn('b', { cpu = 1 }, function(u)"
		   "   u:wait(e) sim.n = sim.n + 1 u:log(u:name()) end)"
		   " t:log('before') t:signal(e) t:join(b) t:join(b) t:log(tostring(sim.n))",
		   "before\nb\n1\n");
}
END_TEST

START_TEST(handles_tell_name_and_number)
{
	expect_log("local a, c = t:mkdir('a'), t:create_cache('c')"
		   " t:log(t:name() .. a:name() .. c:name()) t:log(tostring(c:id() == c.id(c)))"
		   " local o, p = t:alloc(c), t:alloc(c)"
		   " t:log(tostring(o:name()) .. p:id() - o:id())"
		   " t:log(tostring(a) == 'cgroup:' .. a:id() .. ' a' and 'same' or tostring(a))",
		   "aac\ntrue\nnil1\nsame\n");
}
END_TEST

/* Operations work from inside coroutines, which share the task's stack. */
START_TEST(coroutines_can_call_operations)
{
	expect_log("local co = coroutine.wrap(function() t:sleep(us(1)) coroutine.yield('x')"
		   " t:sleep(us(1)) return 'y' end) t:log(co()) t:sleep(1) t:log(co())",
		   "x\ny\n");
}
END_TEST

START_TEST(options_are_typed_like_their_defaults)
{
	const char *text =
		"return scenario { options = { n = { 1, '' }, f = { true, '' }, s = { 'x', '' } },"
		" tasks = { task('a', {}, function(t, sim, opt)"
		" t:log(opt.n + 1 .. ' ' .. tostring(opt.f) .. ' ' .. opt.s) end) } }";
	const char *const sets[] = {"n=0x10", "f=no", "s=a=b", NULL};
	const char *const typo[] = {"m=1", NULL}, *const wrong[] = {"n=1.5", NULL};
	struct outcome o = run_text(text, (struct run_options){.sets = sets});

	ck_assert_msg(o.ok, "%s", o.error ? o.error->message : "");
	ck_assert_str_eq(o.log->str, "17 false a=b\n");
	outcome_clear(&o);
	expect_error_with(text, "--set: unknown parameter 'm'; did you mean 'f'?",
			  (struct run_options){.sets = typo});
	expect_error_with(text, "--set n: expected a whole number, got '1.5'",
			  (struct run_options){.sets = wrong});
}
END_TEST

/* ---- what is refused ------------------------------------------------------------- */

START_TEST(errors_name_file_line_and_remedy)
{
	expect_error("\nreturn scenario { taks = {} }",
		     "x.lua:2: scenario: unknown field 'taks'; did you mean 'tasks'?");
	expect_error("return scenario {\n tasks = { tsk() } }",
		     "x.lua:2: unknown name 'tsk'; did you mean 'task'?");
	expect_error("return scenario { cpus = 65, tasks = {} }",
		     "x.lua:1: cpus: expected 1 to 64, got 65");
	expect_error("return scenario { preempt = 'ful', tasks = {} }",
		     "x.lua:1: preempt: unknown preemption model 'ful'; did you mean 'full'?");
	expect_error("return scenario { costs = { rcu_pg = 1 }, tasks = {} }",
		     "x.lua:1: costs: unknown field 'rcu_pg'; did you mean 'rcu_gp'?");
	expect_error("return scenario { costs = { timeslice = 1500 }, tasks = {} }",
		     "x.lua:1: costs.timeslice: expected more than costs.context_switch, which is "
		     "1500 ns, got 1500 ns: tasks that share a CPU would switch for ever");
	expect_error("return scenario { costs = { context_switch = { 5000000, 0 } }, tasks = {} }",
		     "x.lua:1: costs.timeslice: expected more than costs.context_switch, which is "
		     "5000000 ns, got 4000000 ns: tasks that share a CPU would switch for ever");
	expect_error(IN_TASK("t:aloc()"),
		     "x.lua:2: there is no operation t:aloc; did you mean 'alloc'?");
	expect_error(IN_TASK("t:log('a' .. t.name)"),
		     "x.lua:2: attempt to concatenate a function value (field 'name')");
	expect_error(WITH_CACHE("sim.c:free()"),
		     "x.lua:3: a cache has no 'free'; there are: id, name");
	expect_error(WITH_CACHE("t:log(sim.c[1])"), "x.lua:3: a cache is no array");
	expect_error(IN_TASK("t.name()"),
		     "x.lua:2: expected a task, cgroup, cache, cell, ..., got nothing");
	expect_error(IN_TASK("t:alloc(5)"), "x.lua:2: t:alloc: expected a cache, got 5");
	expect_error(
		IN_TASK("t.sleep(5)"),
		"x.lua:2: t:sleep: expected a task before the colon, got 5; write t:sleep(...)");
	expect_error(
		IN_TASK("t:sleep(-1)"),
		"x.lua:2: t:sleep: expected a time in ns from 0 to 9223372036854775807, got -1");
	expect_error(WITH_CACHE("t:alloc_many(sim.c, 1 << 40)"),
		     "x.lua:3: t:alloc_many: expected a number of objects from 0 to 10000000, "
		     "got 1099511627776");
	expect_error(WITH_CACHE("t:alloc(sim.d)"), "x.lua:3: sim has no 'd'; did you mean 'c'?");
	expect_error(
		"return {}",
		"x.lua: expected the script to end with: return scenario { ... }, or model { ... "
		"}; it returned a table");
	expect_error("return scenario {", "x.lua:1: unexpected symbol near <eof>");
	expect_error("local x = nil\nx.y = 1", "x.lua:2: attempt to index a nil value (local 'x')");
}
END_TEST

#define RECLAIMS(what) "return scenario { reclaim = " what ", tasks = {} }"
#define WITH_FS(body)                                                                              \
	"return scenario { reclaim = true, setup = function(sim)\n"                                \
	" sim.a = sim:cgroup('a') sim.x = sim:fs('x') end,\n"                                      \
	" tasks = { task('t', { cpu = 0 }, function(t, sim)\n" body " end) } }"

START_TEST(file_operations_return_errors)
{
	struct outcome o = run_text(
		WITH_FS("local fs = sim.x t:log(tostring(t:lookup(fs, 'n')))"
			" t:log(select(2, t:open(fs, 'n'))) t:log(select(2, t:unlink(fs, 'n')))"
			" t:log(tostring(t:create(fs, 'n'))) t:log(select(2, t:create(fs, 'n')))"
			" local f = t:open(fs, 'n') t:log(select(2, t:umount(fs))) t:close(f)"
			" t:log(tostring(t:lookup_many(fs, 'm', 3)) .. t:count_dentries(fs))"
			" t:log(select(2, t:read_shrinker(fs)))"
			" t:log(tostring(t:umount(fs))) t:log(select(2, t:umount(fs)))"
			" t:log(select(2, t:lookup(fs, 'n'))) t:log(t:lookup_many(fs, 'm', 3))"
			" t:log(select(2, t:invalidate(fs, 'n')))"),
		(struct run_options){0});

	ck_assert_msg(o.ok, "%s", o.error ? o.error->message : "");
	ck_assert_str_eq(o.log->str,
			 "false\nENOENT\nENOENT\ntrue\nEEXIST\nEBUSY\n34\nENOENT\ntrue\n"
			 "EINVAL\nENODEV\n0\nENODEV\n");
	outcome_clear(&o);
}
END_TEST

START_TEST(errors_about_files)
{
	expect_error(IN_TASK("t:mount('x')"),
		     "x.lua:2: t:mount: this machine has no reclaim; say reclaim = true in the "
		     "scenario");
	expect_error(IN_TASK("t:drop_slab()"),
		     "x.lua:2: t:drop_slab: this machine has no reclaim; say reclaim = true in the "
		     "scenario");
	expect_error(WITH_FS("t:mount('y', { bach = 1 })"),
		     "x.lua:4: mount 'y': unknown field 'bach'; did you mean 'batch'?");
	expect_error(WITH_FS("t:mount('y', { keep_files = 1 })"),
		     "x.lua:4: mount 'y': keep_files: expected true or false, got 1");
	expect_error(WITH_FS("t:lookup('x', 'n')"),
		     "x.lua:4: t:lookup: expected a file system, got 'x'");
	expect_error(WITH_FS("t:lookup(sim.x, 'a/b')"),
		     "x.lua:4: t:lookup: 'a/b' is no name; use letters, digits, '_', '-' and '.'");
	expect_error(WITH_FS("t:lookup_many(sim.x, 'n', -1)"),
		     "x.lua:4: t:lookup_many: expected a number of names from 0 to 100000000, got "
		     "-1");
	expect_error(WITH_FS("t:close(sim.x)"),
		     "x.lua:4: t:close: expected an open file, got fs:1 x");
	expect_error(WITH_FS("t:create(sim.x, 'n') local f = t:open(sim.x, 'n')"
			     " t:close(f) t:close(f)"),
		     "x.lua:4: t:close: obj:1 n is closed already");
	expect_error(WITH_FS("t:shrink_slab(sim.x)"),
		     "x.lua:4: t:shrink_slab: the cgroup: expected a cgroup, got fs:1 x");
	expect_error(WITH_FS("t:shrink_slab(sim.a, { priority = 13 })"),
		     "x.lua:4: t:shrink_slab: priority: expected 0 to 12, got 13");
	expect_error(WITH_FS("t:umount(sim.x) t:fs_figures(sim.x)"),
		     "x.lua:4: t:fs_figures: fs:1 x is unmounted");
	expect_error(RECLAIMS("{ list_lru = 'array' }"),
		     "x.lua:1: reclaim.list_lru: unknown form of list_lru 'array'; did you mean "
		     "'arrays'?");
	expect_error(RECLAIMS("{ map_bits = 0 }"),
		     "x.lua:1: reclaim.map_bits: expected 1 to 64, got 0");
}
END_TEST

#define WITH_RECLAIM(body)                                                                         \
	"return scenario { reclaim = true, setup = function(sim) sim.a = sim:cgroup('a') end,\n"   \
	" tasks = { task('t', function(t, sim)\n" body " end) } }"

START_TEST(errors_about_reclaim)
{
	expect_error(RECLAIMS("5"), "x.lua:1: reclaim: expected true, a table or a function(opt) "
				    "that returns one, got 5");
	expect_error(RECLAIMS("{ iterater = 'weak' }"),
		     "x.lua:1: reclaim: unknown field 'iterater'; did you mean 'iterator'?");
	expect_error(RECLAIMS("{ iterator = 'week' }"),
		     "x.lua:1: reclaim.iterator: unknown iterator 'week'; did you mean 'weak'?");
	expect_error(RECLAIMS("{ nodes = 9 }"), "x.lua:1: reclaim.nodes: expected 1 to 8, got 9");
	expect_error(RECLAIMS("{ hierarchy = 1 }"),
		     "x.lua:1: reclaim.hierarchy: expected true or false, got 1");
	expect_error(IN_TASK("t:kswapd(1)"),
		     "x.lua:2: t:kswapd: this machine has no reclaim; say reclaim = true in the "
		     "scenario");
	expect_error(WITH_RECLAIM("t:reclaim(sim.a)"),
		     "x.lua:3: t:reclaim: expected a number of pages, a whole number, got nothing");
	expect_error(WITH_RECLAIM("t:reclaim(sim.a, 0)"),
		     "x.lua:3: t:reclaim: expected a number of pages from 1 to 1099511627776, "
		     "got 0");
	expect_error(WITH_RECLAIM("t:iterate('a')"),
		     "x.lua:3: t:iterate: expected a cgroup, got 'a'");
	expect_error(WITH_RECLAIM("t:iterate(sim.a, { priority = 13 })"),
		     "x.lua:3: t:iterate: priority: expected 0 to 12, got 13");
	expect_error(WITH_RECLAIM("t:iterate(sim.a, { node = 1 })"),
		     "x.lua:3: t:iterate: expected a node from 0 to 0, got 1");
	expect_error(WITH_RECLAIM("t:iterate(sim.a, { share = false })"),
		     "x.lua:3: t:iterate: unknown field 'share'; did you mean 'shared'?");
	expect_error(WITH_RECLAIM("t:reclaim_figures('a')"),
		     "x.lua:3: t:reclaim_figures: expected a cgroup, got 'a'");
}
END_TEST

/* What a removed cgroup answers, and what is left of its pages. */
START_TEST(reclaim_in_a_script)
{
	struct outcome o = run_text(
		WITH_RECLAIM("t:charge(sim.a, 100) t:log(t:reclaim(sim.a, 40))"
			     " t:log(t:reclaim_figures(sim.a).pages) t:log(t:uncharge(sim.a, 100))"
			     " t:log(t:kswapd(1))"
			     " t:log(table.concat(t:iterate(sim.root), ' ')) t:rmdir(sim.a)"
			     " t:log(select(2, t:reclaim(sim.a, 1)))"
			     " t:log(select(2, t:iterate(sim.a)))"),
		(struct run_options){0});

	ck_assert_msg(o.ok, "%s", o.error ? o.error->message : "");
	ck_assert_str_eq(o.log->str, "40\n60\n60\n0\n/ a\nENODEV\nENODEV\n");
	outcome_clear(&o);
}
END_TEST

START_TEST(an_error_in_a_task_stops_the_run)
{
	struct outcome o = run_text(IN_TASK("t:log('one') error('no')"), (struct run_options){0});

	ck_assert(!o.ok);
	ck_assert(g_error_matches(o.error, SLABSIM_ERROR, SLABSIM_ERROR_USAGE));
	ck_assert_str_eq(o.error->message, "x.lua:2: no");
	ck_assert_str_eq(o.log->str, "one\n");
	ck_assert_uint_eq(listener.kind_count[TR_RUN_QUIET], 0);
	outcome_clear(&o);
}
END_TEST

/* A script may catch an error; what it was refused must not have happened. */
START_TEST(a_caught_error_leaves_the_task_usable)
{
	expect_log("t:log(tostring(pcall(t.sleep, t, -1))) t:sleep(1) t:log('on')", "false\non\n");
}
END_TEST

START_TEST(another_task_cannot_be_driven)
{
	struct outcome o = run_text(
		"return scenario { tasks = {\n"
		"task('a', {}, function(t, sim) sim.a = t end),\n"
		"task('b', {}, function(t, sim) t:join(sim:task('a')) sim.a:sleep(1) end) } }",
		(struct run_options){0});

	ck_assert(!o.ok);
	ck_assert(strstr(o.error->message, "x.lua:3: t:sleep: task:"));
	outcome_clear(&o);
}
END_TEST

/* ---- limits ------------------------------------------------------------------------ */

static void expect_limit(const char *text, struct run_options opt, const char *part)
{
	struct outcome o = run_text(text, opt);

	ck_assert(!o.ok);
	ck_assert_msg(g_error_matches(o.error, SLABSIM_ERROR, SLABSIM_ERROR_LIMIT), "%s",
		      o.error->message);
	ck_assert_msg(strstr(o.error->message, part) != NULL, "%s", o.error->message);
	outcome_clear(&o);
}

START_TEST(limits_say_how_to_raise_them)
{
	const struct run_options few = {.instructions_max = 100000};

	expect_limit("while true do end", few, "raise it with --max-instructions");
	expect_limit(IN_TASK("while true do end"), few, "x.lua:2: the script is still here");
	expect_limit(IN_TASK("while true do pcall(function() while true do end end) end"), few,
		     "--max-instructions");
	expect_limit(IN_TASK("coroutine.wrap(function() while true do end end)()"), few,
		     "--max-instructions");
	expect_limit(IN_TASK("while true do t:yield() end"),
		     (struct run_options){.steps_max = 1000}, "--max-steps");
	expect_limit(IN_TASK("t:sleep(s(2))"), (struct run_options){.time_max = 1000000000},
		     "--max-time");
	expect_limit(IN_TASK("local x = {} while true do x[#x + 1] = ('x'):rep(1000) .. #x end"),
		     (struct run_options){.memory_max = 8 << 20}, "--max-memory");
	expect_limit(WITH_CACHE("while true do t:alloc_many(sim.c, 10000) end"),
		     (struct run_options){.memory_max = 8 << 20}, "--max-memory");
	expect_limit(IN_TASK("local x = ('x'):rep(1 << 30)"), (struct run_options){0},
		     "in one piece");
}
END_TEST

START_TEST(deep_recursion_is_an_error)
{
	struct outcome o;

	o = run_text(IN_TASK("local function f(n) return 1 + f(n + 1) end f(1)"),
		     (struct run_options){0});
	ck_assert(!o.ok && strstr(o.error->message, "stack overflow"));
	outcome_clear(&o);
	o = run_text(IN_TASK("local function f(s) return (s:gsub('.', f)) end f('x')"),
		     (struct run_options){0});
	ck_assert(!o.ok && strstr(o.error->message, "stack overflow"));
	outcome_clear(&o);
	o = run_text(
		IN_TASK("local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k)"
			" return t[k + 1] end local x = t[1]"),
		(struct run_options){0});
	ck_assert(!o.ok && strstr(o.error->message, "stack overflow"));
	outcome_clear(&o);
}
END_TEST

START_TEST(an_interrupt_stops_the_run)
{
	static const volatile sig_atomic_t now = 1;
	struct outcome o =
		run_text(IN_TASK("while true do end"), (struct run_options){.interrupted = &now});

	ck_assert(g_error_matches(o.error, SLABSIM_ERROR, SLABSIM_ERROR_INTERRUPTED));
	outcome_clear(&o);
}
END_TEST

/* ---- the sandbox ---------------------------------------------------------------------- */

START_TEST(the_sandbox_has_no_way_out)
{
	static const char *const absent[] = {"os",     "io",	   "package", "debug",
					     "dofile", "loadfile", "warn",    "collectgarbage"};

	for (size_t i = 0; i < G_N_ELEMENTS(absent); i++) {
		g_autofree char *text = g_strdup_printf("local x = %s", absent[i]);
		struct outcome o = run_text(text, (struct run_options){0});

		ck_assert_msg(!o.ok, "%s", absent[i]);
		ck_assert_msg(g_str_has_prefix(o.error->message, "x.lua:1: unknown name"), "%s",
			      o.error->message);
		outcome_clear(&o);
	}
	expect_error(
		"require '../x'",
		"x.lua:1: require: '../x' is no module name; write 'name' or 'folder.name' for "
		"a file below lib/ next to the scenario");
	expect_error("setmetatable({}, { __gc = print })",
		     "x.lua:1: setmetatable: __gc is not available in scenarios");
	expect_error("return ('%p'):format({})",
		     "x.lua:1: string.format: %p is not available: an address differs from run to "
		     "run");
	expect_log("t:log(tostring(load('\\27Lua')))", "nil\n");
}
END_TEST

/* A scenario can be another one again, but for what it says itself. */
START_TEST(a_scenario_can_be_like_another)
{
	static const char base[] =
		"local a = scenario { lifecycle = 'seed1-v4', options = { n = { 3, 'x' } },"
		" tasks = { task('a', function(t, sim, opt) t:log('n is ' .. opt.n) end) },"
		" expect = { { 'v5.3', finds = 'leak' } } } ";
	g_autofree char *same = g_strconcat(base, "return scenario { like = a }", NULL);
	g_autofree char *other = g_strconcat(
		base, "return scenario { like = a, options = { n = { 4, 'x' } } }", NULL);
	g_autofree char *wrong = g_strconcat(base, "return model { like = a }", NULL);
	struct outcome o = run_text(same, (struct run_options){0});

	ck_assert(o.ok);
	ck_assert_str_eq(o.log->str, "n is 3\n");
	outcome_clear(&o);
	o = run_text(other, (struct run_options){0});
	ck_assert(o.ok);
	ck_assert_str_eq(o.log->str, "n is 4\n");
	outcome_clear(&o);
	expect_error(wrong, "x.lua:1: like: expected another model, as in like = require "
			    "\"folder.name\", got a table");
	expect_error("return scenario { like = 7 }",
		     "x.lua:1: like: expected another scenario, as in like = require "
		     "\"folder.name\", got 7");
}
END_TEST

/* Nothing that a script prints may depend on hashes or addresses. */
START_TEST(order_and_names_are_fixed)
{
	expect_log(
		"local x = { b = 1, a = 2, [10] = 3, [2] = 4, [true] = 5, [1.5] = 6 } local s = ''"
		" for k, v in pairs(x) do s = s .. tostring(k) .. '=' .. v .. ' ' end t:log(s)"
		" t:log(next(x) .. next(x, 10))",
		"1.5=6 2=4 10=3 a=2 b=1 true=5 \n1.5a\n");
	expect_log("t:log(tostring({}) .. tostring(print)) t:log(('%s'):format({}))"
		   " t:log(tostring(t))",
		   "tablefunction\ntable\ntask:2 a\n");
	expect_log("local x = {} for i = 1, 200 do x[i] = { i % 3, i } end"
		   " table.sort(x, function(a, b) return a[1] < b[1] end)"
		   " t:log(x[1][2] .. ' ' .. x[66][2] .. ' ' .. x[67][2] .. ' ' .. x[200][2])",
		   "3 198 1 200\n");
	expect_log("t:log(us(1.5) .. ' ' .. ms(2) .. ' ' .. s(1) .. ' ' .. ns(7))",
		   "1500 2000000 1000000000 7\n");
}
END_TEST

/* ---- scripts that are wrong, as files ------------------------------------------------------ */

START_TEST(no_bad_script_runs)
{
	g_autoptr(GDir) dir = g_dir_open("tests/scripts/bad", 0, NULL);
	const char *name;
	unsigned int n = 0;

	ck_assert_msg(dir != NULL, "run the tests from the root of the repository");
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename("tests/scripts/bad", name, NULL);
		struct outcome o = run_file(
			path,
			(struct run_options){.steps_max = 100000, .instructions_max = 1000000});

		ck_assert_msg(!o.ok, "%s ran", path);
		ck_assert_msg(g_str_has_prefix(o.error->message, path), "%s: %s", path,
			      o.error->message);
		outcome_clear(&o);
		n++;
	}
	ck_assert_uint_gt(n, 10);
}
END_TEST

Suite *suite_scenario(void)
{
	Suite *s = suite_create("scenario");
	TCase *runs = tcase_create("runs"), *refused = tcase_create("refused");

	tcase_add_test(runs, a_small_scenario_passes);
	tcase_add_test(runs, file_operations_return_errors);
	tcase_add_test(runs, a_second_run_is_the_same);
	tcase_add_test(runs, a_session_can_be_run_again);
	tcase_add_test(runs, a_kept_script_gives_what_one_that_is_read_does);
	tcase_add_test(runs, a_script_that_is_wrong_is_not_kept);
	tcase_add_test(runs, what_is_loaded_once_runs_as_if_it_were_loaded_anew);
	tcase_add_test(runs, a_script_draws_as_it_did_when_it_was_loaded);
	tcase_add_test(runs, a_double_free_is_a_violation);
	tcase_add_test(runs, a_destroyed_cache_is_not_followed);
	tcase_add_test(runs, a_task_that_waits_for_ever_is_a_violation);
	tcase_add_test(runs, operations_return_errors);
	tcase_add_test(runs, tasks_spawn_join_and_signal);
	tcase_add_test(runs, handles_tell_name_and_number);
	tcase_add_test(runs, coroutines_can_call_operations);
	tcase_add_test(runs, options_are_typed_like_their_defaults);
	suite_add_tcase(s, runs);

	tcase_add_test(refused, errors_name_file_line_and_remedy);
	tcase_add_test(refused, errors_about_reclaim);
	tcase_add_test(refused, errors_about_files);
	tcase_add_test(refused, reclaim_in_a_script);
	tcase_add_test(refused, an_error_in_a_task_stops_the_run);
	tcase_add_test(refused, a_caught_error_leaves_the_task_usable);
	tcase_add_test(refused, another_task_cannot_be_driven);
	tcase_add_test(refused, limits_say_how_to_raise_them);
	tcase_add_test(refused, deep_recursion_is_an_error);
	tcase_add_test(refused, an_interrupt_stops_the_run);
	tcase_add_test(refused, the_sandbox_has_no_way_out);
	tcase_add_test(refused, a_scenario_can_be_like_another);
	tcase_add_test(refused, order_and_names_are_fixed);
	tcase_add_test(refused, no_bad_script_runs);
	suite_add_tcase(s, refused);
	return s;
}
