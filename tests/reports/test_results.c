// SPDX-License-Identifier: GPL-2.0-only
/*
 * Results of tests in the formats that other programs read.
 */

#include <check.h>
#include <string.h>

#include "reports/results.h"

Suite *suite_results(void);

static struct test_outcome results[] = {
	{.name = "demo:v5.3:never",
	 .command = "slabsim run demo.lua",
	 .status = TEST_PASS,
	 .seconds = 0.25,
	 .detail = "1 run"},
	{.name = "lifecycle/alias:v5.3:never-leak",
	 .command = "slabsim run alias.lua --set a='<&>'",
	 .status = TEST_FAIL,
	 .seconds = 1.5,
	 .message = "leak: \"cache\" # 1 <2>",
	 .detail = "first\nsecond \x01"},
	{.name = "lifecycle/broken",
	 .command = "slabsim run broken.lua",
	 .status = TEST_ERROR,
	 .message = "broken.lua:1: no"},
	{.name = "lifecycle/later:v5.3:never",
	 .command = "slabsim run later.lua",
	 .status = TEST_SKIP,
	 .message = "needs #hotplug"},
	{.name = "models/x:v5.3:never",
	 .command = "slabsim run x.lua",
	 .status = TEST_NOT_RUN,
	 .message = "interrupted"},
};

static GPtrArray *some(size_t n)
{
	GPtrArray *list = g_ptr_array_new();

	for (size_t i = 0; i < n; i++)
		g_ptr_array_add(list, &results[i]);
	return list;
}

static const struct results_options untimed = {.timing = false};

static void expect(struct output *o, const char *text)
{
	output_char(o, 0);
	ck_assert_str_eq(o->buf, text);
	output_discard(o);
}

START_TEST(tally_counts_each_kind)
{
	g_autoptr(GPtrArray) list = some(5);
	struct test_tally tally = results_tally(list);

	ck_assert_uint_eq(tally.total, 5);
	ck_assert_uint_eq(tally.passed, 1);
	ck_assert_uint_eq(tally.failed, 2);
	ck_assert_uint_eq(tally.skipped, 1);
	ck_assert_uint_eq(tally.not_run, 1);
}
END_TEST

START_TEST(text_repeats_what_failed)
{
	g_autoptr(GPtrArray) list = some(3);
	struct output *o = output_memory();

	for (guint i = 0; i < list->len; i++)
		results_text(g_ptr_array_index(list, i), &untimed, o);
	results_text_summary(list, 2, &untimed, o);
	expect(o, "        PASS demo:v5.3:never\n"
		  "        FAIL lifecycle/alias:v5.3:never-leak\n"
		  "             leak: \"cache\" # 1 <2>\n"
		  "             first\n"
		  "             second \x01\n"
		  "             slabsim run alias.lua --set a='<&>'\n"
		  "        FAIL lifecycle/broken\n"
		  "             broken.lua:1: no\n"
		  "             slabsim run broken.lua\n"
		  "------------\n"
		  "     Summary 3 tests run: 1 passed, 2 failed, 0 skipped\n"
		  "        FAIL lifecycle/alias:v5.3:never-leak\n"
		  "             slabsim run alias.lua --set a='<&>'\n"
		  "        FAIL lifecycle/broken\n"
		  "             slabsim run broken.lua\n");
}
END_TEST

START_TEST(text_tells_the_time)
{
	const struct results_options opt = {.timing = true, .verbose = true};
	struct test_outcome slow = results[0];
	struct output *o = output_memory();

	slow.slow = true;
	results_text(&results[0], &opt, o);
	results_text(&slow, &opt, o);
	results_text(&results[3], &opt, o);
	results_text(&results[4], &opt, o);
	expect(o, "        PASS [   0.250s] demo:v5.3:never\n"
		  "             1 run\n"
		  "        SLOW [   0.250s] demo:v5.3:never\n"
		  "             1 run\n"
		  "        SKIP [         ] lifecycle/later:v5.3:never\n"
		  "             needs #hotplug\n");
}
END_TEST

/* Names, messages and commands hold whatever a script likes. */
START_TEST(junit_is_escaped)
{
	g_autoptr(GPtrArray) list = some(4);
	struct output *o = output_memory();

	results_junit(list, &untimed, o);
	expect(o,
	       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	       "<testsuites name=\"slabsim\" tests=\"4\" failures=\"1\" errors=\"1\">\n"
	       "  <testsuite name=\"scenarios\" tests=\"1\" failures=\"0\" errors=\"0\" "
	       "skipped=\"0\">\n"
	       "    <testcase name=\"v5.3:never\" classname=\"demo\"/>\n"
	       "  </testsuite>\n"
	       "  <testsuite name=\"lifecycle\" tests=\"3\" failures=\"1\" errors=\"1\" "
	       "skipped=\"1\">\n"
	       "    <testcase name=\"v5.3:never-leak\" classname=\"lifecycle.alias\">\n"
	       "      <failure message=\"leak: &quot;cache&quot; # 1 &lt;2&gt;\" "
	       "type=\"failure\">first&#10;second ?\n"
	       "slabsim run alias.lua --set a='&lt;&amp;&gt;'\n"
	       "</failure>\n"
	       "    </testcase>\n"
	       "    <testcase name=\"load\" classname=\"lifecycle.broken\">\n"
	       "      <error message=\"broken.lua:1: no\" type=\"error\">slabsim run broken.lua\n"
	       "</error>\n"
	       "    </testcase>\n"
	       "    <testcase name=\"v5.3:never\" classname=\"lifecycle.later\">\n"
	       "      <skipped message=\"needs #hotplug\"/>\n"
	       "    </testcase>\n"
	       "  </testsuite>\n"
	       "</testsuites>\n");
}
END_TEST

START_TEST(junit_times_have_a_point_in_every_locale)
{
	const struct results_options opt = {.timing = true};
	g_autoptr(GPtrArray) list = some(1);
	struct output *o = output_memory();

	results_junit(list, &opt, o);
	output_char(o, 0);
	ck_assert(strstr(o->buf, "classname=\"demo\" time=\"0.250\"/>"));
	output_discard(o);
}
END_TEST

/* A "#" in a name or a reason would start a directive. */
START_TEST(tap_keeps_directives_to_itself)
{
	g_autoptr(GPtrArray) list = some(5);
	struct output *o = output_memory();

	results_tap(list, &untimed, o);
	expect(o, "TAP version 13\n"
		  "1..5\n"
		  "ok 1 - demo:v5.3:never\n"
		  "not ok 2 - lifecycle/alias:v5.3:never-leak\n"
		  "  ---\n"
		  "  message: \"leak: \\\"cache\\\" # 1 <2>\"\n"
		  "  severity: \"fail\"\n"
		  "  detail: \"first\\u000asecond \\u0001\"\n"
		  "  command: \"slabsim run alias.lua --set a='<&>'\"\n"
		  "  ...\n"
		  "not ok 3 - lifecycle/broken\n"
		  "  ---\n"
		  "  message: \"broken.lua:1: no\"\n"
		  "  severity: \"error\"\n"
		  "  command: \"slabsim run broken.lua\"\n"
		  "  ...\n"
		  "ok 4 - lifecycle/later:v5.3:never # SKIP needs  hotplug\n"
		  "ok 5 - models/x:v5.3:never # SKIP interrupted\n");
}
END_TEST

START_TEST(ktap_has_a_subtest_for_each_folder)
{
	g_autoptr(GPtrArray) list = some(5);
	struct output *o = output_memory();

	results_ktap(list, o);
	expect(o, "KTAP version 1\n"
		  "1..3\n"
		  "  KTAP version 1\n"
		  "  # Subtest: scenarios\n"
		  "  # module: slabsim\n"
		  "  1..1\n"
		  "  ok 1 demo:v5.3:never\n"
		  "# scenarios: pass:1 fail:0 skip:0 total:1\n"
		  "ok 1 scenarios\n"
		  "  KTAP version 1\n"
		  "  # Subtest: lifecycle\n"
		  "  # module: slabsim\n"
		  "  1..3\n"
		  "  # alias:v5.3:never-leak: leak: \"cache\"   1 <2>\n"
		  "  # alias:v5.3:never-leak: first\n"
		  "  # alias:v5.3:never-leak: second  \n"
		  "  # alias:v5.3:never-leak: slabsim run alias.lua --set a='<&>'\n"
		  "  not ok 1 alias:v5.3:never-leak\n"
		  "  # broken: broken.lua:1: no\n"
		  "  # broken: slabsim run broken.lua\n"
		  "  not ok 2 broken\n"
		  "  ok 3 later:v5.3:never # SKIP needs  hotplug\n"
		  "# lifecycle: pass:0 fail:2 skip:1 total:3\n"
		  "not ok 2 lifecycle\n"
		  "  KTAP version 1\n"
		  "  # Subtest: models\n"
		  "  # module: slabsim\n"
		  "  1..1\n"
		  "  ok 1 x:v5.3:never # SKIP interrupted\n"
		  "# models: pass:0 fail:0 skip:1 total:1\n"
		  "ok 3 models # SKIP nothing was run\n");
}
END_TEST

/* A folder may be called anything, and what follows a "#" would be a directive. */
START_TEST(ktap_suites_hold_no_directive)
{
	static struct test_outcome odd = {
		.name = "a # SKIP/x", .command = "slabsim run x.lua", .status = TEST_PASS};
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	struct output *o = output_memory();

	g_ptr_array_add(list, &odd);
	results_ktap(list, o);
	expect(o, "KTAP version 1\n"
		  "1..1\n"
		  "  KTAP version 1\n"
		  "  # Subtest: a   SKIP\n"
		  "  # module: slabsim\n"
		  "  1..1\n"
		  "  ok 1 x\n"
		  "# a   SKIP: pass:1 fail:0 skip:0 total:1\n"
		  "ok 1 a   SKIP\n");
}
END_TEST

START_TEST(json_has_an_object_a_line)
{
	g_autoptr(GPtrArray) list = some(2);
	struct output *o = output_memory();

	results_json(&results[1], &untimed, o);
	results_json_summary(list, 1, &untimed, o);
	expect(o, "{\"type\":\"test\",\"name\":\"lifecycle/alias:v5.3:never-leak\","
		  "\"status\":\"fail\",\"message\":\"leak: \\\"cache\\\" # 1 <2>\","
		  "\"detail\":\"first\\u000asecond \\u0001\","
		  "\"command\":\"slabsim run alias.lua --set a='<&>'\"}\n"
		  "{\"type\":\"summary\",\"tests\":2,\"passed\":1,\"failed\":1,\"skipped\":0,"
		  "\"not_run\":0}\n");
}
END_TEST

Suite *suite_results(void)
{
	Suite *s = suite_create("results");
	TCase *tc = tcase_create("results");

	tcase_add_test(tc, tally_counts_each_kind);
	tcase_add_test(tc, text_repeats_what_failed);
	tcase_add_test(tc, text_tells_the_time);
	tcase_add_test(tc, junit_is_escaped);
	tcase_add_test(tc, junit_times_have_a_point_in_every_locale);
	tcase_add_test(tc, tap_keeps_directives_to_itself);
	tcase_add_test(tc, ktap_has_a_subtest_for_each_folder);
	tcase_add_test(tc, ktap_suites_hold_no_directive);
	tcase_add_test(tc, json_has_an_object_a_line);
	suite_add_tcase(s, tc);
	return s;
}
