// SPDX-License-Identifier: GPL-2.0-only
/*
 * TAP version 13 (testanything.org), and KTAP version 1 as the kernel's
 * Documentation/dev-tools/ktap.rst has it.
 */

#include "reports/json.h"
#include "reports/results.h"

/* A "#" begins a directive, so it cannot stand in a name or in what follows one. */
static void put_plain(struct output *o, const char *s)
{
	for (; *s; s++)
		output_char(o, *s == '#' || (unsigned char)*s < ' ' ? ' ' : *s);
}

static void put_point(struct output *o, const struct test_outcome *r, const char *name, guint nr,
		      const char *dash)
{
	output_printf(o, "%s %u %s", results_failed(r) ? "not ok" : "ok", nr, dash);
	put_plain(o, name);
	if (r->status == TEST_SKIP || r->status == TEST_NOT_RUN) {
		output_str(o, " # SKIP ");
		put_plain(o, r->message);
	}
	output_char(o, '\n');
}

/* ---- TAP ----------------------------------------------------------------- */

static void put_yaml(struct output *o, const char *key, const char *value)
{
	output_printf(o, "  %s: ", key);
	json_string(o, value); /* YAML takes every JSON string */
	output_char(o, '\n');
}

static void put_diagnosis(const struct test_outcome *r, const struct results_options *opt,
			  struct output *o)
{
	output_str(o, "  ---\n");
	put_yaml(o, "message", r->message);
	put_yaml(o, "severity", r->status == TEST_ERROR ? "error" : "fail");
	if (r->detail)
		put_yaml(o, "detail", r->detail);
	put_yaml(o, "command", r->command);
	if (opt->timing)
		output_printf(o, "  duration_ms: %.0f\n", r->seconds * 1e3);
	output_str(o, "  ...\n");
}

void results_tap(const GPtrArray *results, const struct results_options *opt, struct output *o)
{
	output_printf(o, "TAP version 13\n1..%u\n", results->len);
	for (guint i = 0; i < results->len; i++) {
		const struct test_outcome *r = g_ptr_array_index(results, i);

		put_point(o, r, r->name, i + 1, "- ");
		if (results_failed(r)) {
			put_diagnosis(r, opt, o);
		} else if (r->status == TEST_PASS && r->message) {
			output_str(o, "# ");
			put_plain(o, r->message);
			output_char(o, '\n');
		}
	}
}

/* ---- KTAP ---------------------------------------------------------------- */

/* What came before the name of the suite, every line of it. */
static void put_comment(struct output *o, const char *name, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (size_t i = 0; lines[i]; i++) {
		if (!lines[i][0])
			continue;
		output_str(o, "  # ");
		put_plain(o, name);
		output_str(o, ": ");
		put_plain(o, lines[i]);
		output_char(o, '\n');
	}
}

static const char *name_in_suite(const struct test_outcome *r, const char *suite)
{
	size_t n = strlen(suite);

	return strncmp(r->name, suite, n) == 0 && r->name[n] == '/' ? r->name + n + 1 : r->name;
}

static void put_suite(struct output *o, const char *suite, const GPtrArray *results, guint nr)
{
	struct test_tally tally = results_tally(results);
	unsigned int skipped = tally.skipped + tally.not_run;

	output_str(o, "  KTAP version 1\n  # Subtest: ");
	put_plain(o, suite);
	output_printf(o, "\n  # module: slabsim\n  1..%u\n", results->len);
	for (guint i = 0; i < results->len; i++) {
		const struct test_outcome *r = g_ptr_array_index(results, i);
		const char *name = name_in_suite(r, suite);

		if (results_failed(r)) {
			put_comment(o, name, r->message);
			if (r->detail)
				put_comment(o, name, r->detail);
			put_comment(o, name, r->command);
		} else if (r->status == TEST_PASS && r->message) {
			put_comment(o, name, r->message);
		}
		output_str(o, "  ");
		put_point(o, r, name, i + 1, "");
	}
	output_str(o, "# ");
	put_plain(o, suite);
	output_printf(o, ": pass:%u fail:%u skip:%u total:%u\n%s %u ", tally.passed, tally.failed,
		      skipped, tally.total, tally.failed ? "not ok" : "ok", nr);
	put_plain(o, suite);
	output_printf(o, "%s\n", skipped == tally.total ? " # SKIP nothing was run" : "");
}

void results_ktap(const GPtrArray *results, struct output *o)
{
	g_autoptr(GPtrArray) suites = results_by_suite(results);

	output_printf(o, "KTAP version 1\n1..%u\n", suites->len);
	for (guint i = 0; i < suites->len; i++) {
		const GPtrArray *suite = g_ptr_array_index(suites, i);
		g_autofree char *name = results_suite(g_ptr_array_index(suite, 0));

		put_suite(o, name, suite, i + 1);
	}
}
