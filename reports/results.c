// SPDX-License-Identifier: GPL-2.0-only
#include "reports/results.h"

#include "reports/json.h"

#define GREEN "\033[32m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define RESET "\033[0m"

#define INDENT "             "

struct test_tally results_tally(const GPtrArray *results)
{
	struct test_tally tally = {.total = results->len};

	for (guint i = 0; i < results->len; i++) {
		const struct test_outcome *r = g_ptr_array_index(results, i);

		tally.passed += r->status == TEST_PASS;
		tally.slow += r->status == TEST_PASS && r->slow;
		tally.failed += results_failed(r);
		tally.skipped += r->status == TEST_SKIP;
		tally.not_run += r->status == TEST_NOT_RUN;
	}
	return tally;
}

char *results_suite(const struct test_outcome *r)
{
	size_t n = strcspn(r->name, "/:");

	return r->name[n] == '/' ? g_strndup(r->name, n) : g_strdup("scenarios");
}

static GPtrArray *find_suite(const GPtrArray *suites, const char *name)
{
	for (guint i = 0; i < suites->len; i++) {
		GPtrArray *suite = g_ptr_array_index(suites, i);
		g_autofree char *other = results_suite(g_ptr_array_index(suite, 0));

		if (strcmp(name, other) == 0)
			return suite;
	}
	return NULL;
}

static void free_suite(gpointer suite)
{
	g_ptr_array_unref(suite);
}

GPtrArray *results_by_suite(const GPtrArray *results)
{
	GPtrArray *suites = g_ptr_array_new_with_free_func(free_suite);

	for (guint i = 0; i < results->len; i++) {
		struct test_outcome *r = g_ptr_array_index(results, i);
		g_autofree char *name = results_suite(r);
		GPtrArray *suite = find_suite(suites, name);

		if (!suite) {
			suite = g_ptr_array_new();
			g_ptr_array_add(suites, suite);
		}
		g_ptr_array_add(suite, r);
	}
	return suites;
}

/* ---- text ---------------------------------------------------------------- */

static const char *label_of(const struct test_outcome *r, const char **color)
{
	switch (r->status) {
	case TEST_PASS:
		*color = r->slow ? YELLOW : GREEN;
		return r->slow ? "SLOW" : "PASS";
	case TEST_FAIL:
	case TEST_ERROR:
		*color = RED;
		return "FAIL";
	case TEST_SKIP:
	case TEST_NOT_RUN:
		break;
	}
	*color = YELLOW;
	return "SKIP";
}

static void put_label(const struct test_outcome *r, const struct results_options *opt,
		      struct output *o)
{
	const char *color, *label = label_of(r, &color);

	output_printf(o, "        %s%s%s", opt->color ? color : "", label, opt->color ? RESET : "");
	if (!opt->timing)
		return;
	if (r->status == TEST_SKIP)
		output_str(o, " [         ]");
	else
		output_printf(o, " [%8.3fs]", r->seconds);
}

/* @text below the name of its test; every line is indented. */
static void put_lines(const char *text, struct output *o)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (size_t i = 0; lines[i]; i++) {
		if (lines[i][0])
			output_printf(o, INDENT "%s\n", lines[i]);
	}
}

void results_text(const struct test_outcome *r, const struct results_options *opt, struct output *o)
{
	if (r->status == TEST_NOT_RUN)
		return;
	put_label(r, opt, o);
	output_printf(o, " %s\n", r->name);
	if (r->message)
		put_lines(r->message, o);
	if (r->detail && (opt->verbose || results_failed(r)))
		put_lines(r->detail, o);
	if (results_failed(r))
		output_printf(o, INDENT "%s\n", r->command);
}

static void put_tally(const struct test_tally *tally, struct output *o)
{
	unsigned int run = tally->total - tally->not_run;

	output_printf(o, "%u test%s run: %u passed", run, run == 1 ? "" : "s", tally->passed);
	if (tally->slow > 0)
		output_printf(o, " (%u slow)", tally->slow);
	output_printf(o, ", %u failed, %u skipped", tally->failed, tally->skipped);
	if (tally->not_run > 0)
		output_printf(o, "; %u not run", tally->not_run);
	output_char(o, '\n');
}

void results_text_summary(const GPtrArray *results, double seconds,
			  const struct results_options *opt, struct output *o)
{
	struct test_tally tally = results_tally(results);

	output_str(o, "------------\n     Summary ");
	if (opt->timing)
		output_printf(o, "[%8.3fs] ", seconds);
	put_tally(&tally, o);
	for (guint i = 0; i < results->len; i++) {
		const struct test_outcome *r = g_ptr_array_index(results, i);

		if (!results_failed(r))
			continue;
		put_label(r, opt, o);
		output_printf(o, " %s\n" INDENT "%s\n", r->name, r->command);
		if (r->reports)
			output_printf(o, INDENT "reports: %s\n", r->reports);
	}
}

/* ---- JSON ---------------------------------------------------------------- */

void results_json(const struct test_outcome *r, const struct results_options *opt, struct output *o)
{
	static const char *const names[] = {"pass", "fail", "error", "skip", "not run"};

	output_str(o, "{\"type\":\"test\"");
	json_key_string(o, "name", r->name);
	json_key_string(o, "status", names[r->status]);
	if (opt->timing) {
		json_key_u64(o, "us", (uint64_t)(r->seconds * 1e6));
		json_key(o, "slow");
		output_str(o, r->slow ? "true" : "false");
	}
	if (r->message)
		json_key_string(o, "message", r->message);
	if (r->detail)
		json_key_string(o, "detail", r->detail);
	json_key_string(o, "command", r->command);
	output_str(o, "}\n");
}

void results_json_summary(const GPtrArray *results, double seconds,
			  const struct results_options *opt, struct output *o)
{
	struct test_tally tally = results_tally(results);

	for (guint i = 0; i < results->len; i++) {
		const struct test_outcome *r = g_ptr_array_index(results, i);

		if (!r->reports)
			continue;
		output_str(o, "{\"type\":\"reports\"");
		json_key_string(o, "name", r->name);
		json_key_string(o, "directory", r->reports);
		output_str(o, "}\n");
	}
	output_str(o, "{\"type\":\"summary\"");
	json_key_u64(o, "tests", tally.total);
	json_key_u64(o, "passed", tally.passed);
	json_key_u64(o, "failed", tally.failed);
	json_key_u64(o, "skipped", tally.skipped);
	json_key_u64(o, "not_run", tally.not_run);
	if (opt->timing) {
		json_key_u64(o, "slow", tally.slow);
		json_key_u64(o, "us", (uint64_t)(seconds * 1e6));
	}
	output_str(o, "}\n");
}
