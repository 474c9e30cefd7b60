// SPDX-License-Identifier: GPL-2.0-only
/* Operations of charging: what they return, and what they say to arguments that make no sense. */
#include <check.h>
#include <glib/gstdio.h>

#include "lua/scenario.h"

Suite *suite_ops_charge(void);

static char *said;

static void note(struct run_sink *sink, const struct trace_record *r)
{
	(void)sink;
	if (r->kind == TR_LOG) {
		char *more = g_strdup_printf("%s%s ", said ? said : "", r->str);

		g_free(said);
		said = more;
	}
}

/* What went wrong, or NULL; the script's log is in @said. */
static char *run(const char *fields, const char *body)
{
	g_autofree char *dir = g_dir_make_tmp("slabsim-ops-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "x.lua", NULL);
	g_autofree char *text = g_strdup_printf("return scenario { %s setup = function(sim) "
						"sim.box = sim:cgroup('box') end,\n"
						"tasks = { task('a', {}, function(t, sim)\n"
						"%s\nend) } }",
						fields, body);
	struct run_sink sink = {.record = note};
	struct run_sink *const sinks[] = {&sink, NULL};
	struct run_options opt = {.path = path, .seed = 1};
	struct run_result result = {0};
	g_autoptr(GError) error = NULL;
	char *message = NULL;

	g_clear_pointer(&said, g_free);
	ck_assert(g_file_set_contents(path, text, -1, NULL));
	if (!scenario_run(&opt, sinks, &result, &error))
		message = g_strdup(strstr(error->message, "x.lua:"));
	g_remove(path);
	g_rmdir(dir);
	return message;
}

static void expect_error(const char *fields, const char *body, const char *message)
{
	g_autofree char *got = run(fields, body);

	ck_assert_msg(got != NULL, "no error, expected: %s", message);
	ck_assert_str_eq(got, message);
}

static void expect_said(const char *fields, const char *body, const char *what)
{
	g_autofree char *got = run(fields, body);

	ck_assert_msg(!got, "%s", got);
	ck_assert_str_eq(said, what);
}

START_TEST(arguments_are_checked)
{
	expect_error(
		"", "t:gfp('nofs', 'nofial')",
		"x.lua:3: t:gfp: expected 'atomic', 'nofs', 'noretry', 'nofail', 'memalloc' or "
		"'dying', got 'nofial'");
	expect_error(
		"", "t:gfp(1)",
		"x.lua:3: t:gfp: expected 'atomic', 'nofs', 'noretry', 'nofail', 'memalloc' or "
		"'dying', got 1");
	expect_error("", "t:set_max(sim.box, 1, 'swop')",
		     "x.lua:3: t:set_max: expected 'memory', 'kmem' or 'swap', got 'swop'");
	expect_error("", "t:charge(sim.box, 2) t:swap_out(sim.box, 3)",
		     "x.lua:3: t:swap_out: cgroup:2 box has 2 pages charged by t:charge, got 3");
	expect_error("", "t:evict(sim.box, 1)",
		     "x.lua:3: t:evict: cgroup:2 box has 0 pages charged by t:charge, got 1");
	expect_error("", "t:refault(65536)",
		     "x.lua:3: t:refault: expected what t:evict() returned from 0 to 65535, "
		     "got 65536");
	expect_error("", "t:swap_in(sim.box)",
		     "x.lua:3: t:swap_in: expected pages in swap, got cgroup:2 box");
	expect_error("", "t:stat(sim.box, 'user')",
		     "x.lua:3: t:stat: nothing is counted; say statistics = true in the scenario's "
		     "table");
	expect_error("statistics = true,", "t:stat(sim.box, 'users')",
		     "x.lua:3: t:stat: expected 'user' or 'slab', got 'users'");
	expect_error("", "t:cpu_dead(t:now() < 0 and 1 or 0)",
		     "x.lua:3: t:cpu_dead: task 'a' is on cpu 0");
	expect_error("", "t:cpu_dead(2)", "x.lua:3: t:cpu_dead: expected a CPU from 0 to 1, got 2");
	expect_error("statistics = 1,", "", "x.lua:1: statistics: expected true or false, got 1");
	expect_error("perf_event = 1,", "", "x.lua:1: perf_event: expected true or false, got 1");
	expect_error("perf_event = function() return 'yes' end,", "",
		     "x.lua: perf_event: expected true or false, got 'yes'");
}
END_TEST

START_TEST(results_are_returned)
{
	expect_said("",
		    "t:set_max(sim.box, 1, 'swap') t:charge(sim.box, 2)\n"
		    "print(t:swap_out(sim.box, 2))\n"
		    "local s = t:swap_out(sim.box, 1)\n"
		    "print(t:swap_in(s), t:swap_in(s))\n"
		    "print(t:swap_free(s), t:swap_free(s))\n"
		    "t:uncharge(sim.box, 1)",
		    "nil ENOMEM true false ENOENT true false ENOENT ");
	expect_said("",
		    "t:charge(sim.box, 1)\n"
		    "local shadow = t:evict(sim.box, 1)\n"
		    "print(t:refault(shadow), t:refault(0))",
		    "true false ");
	expect_said("statistics = true, lifecycle = 'v6.1',",
		    "t:charge(sim.box, 3)\n"
		    "print(t:stat(sim.box, 'user'), t:stat(sim.box, 'slab'))\n"
		    "t:uncharge(sim.box, 3) t:rmdir(sim.box)\n"
		    "print(t:stat(sim.box, 'user'))",
		    "3 0 nil ENODEV ");
	expect_said("",
		    "t:set_max(sim.box, 1) t:charge(sim.box, 1) t:gfp('nofail')\n"
		    "local a = t:charge(sim.box, 1) t:gfp()\n"
		    "print(a, t:charge(sim.box, 1))\n"
		    "t:uncharge(sim.box, 2)",
		    "true false ENOMEM ");
}
END_TEST

Suite *suite_ops_charge(void)
{
	Suite *s = suite_create("ops_charge");
	TCase *tc = tcase_create("ops_charge");

	tcase_add_test(tc, arguments_are_checked);
	tcase_add_test(tc, results_are_returned);
	suite_add_tcase(s, tc);
	return s;
}
