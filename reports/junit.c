// SPDX-License-Identifier: GPL-2.0-only
/*
 * JUnit XML, as Jenkins' junit-10.xsd describes it.
 */

#include "reports/results.h"

/* What XML 1.0 cannot hold, not even escaped, becomes a question mark. */
static void put_escaped(struct output *o, const char *s)
{
	g_autofree char *valid = g_utf8_make_valid(s, -1);

	for (const char *c = valid; *c; c++) {
		switch (*c) {
		case '&':
			output_str(o, "&amp;");
			break;
		case '<':
			output_str(o, "&lt;");
			break;
		case '>':
			output_str(o, "&gt;");
			break;
		case '"':
			output_str(o, "&quot;");
			break;
		case '\n':
			output_str(o, "&#10;");
			break;
		case '\t':
			output_str(o, "&#9;");
			break;
		default:
			output_char(o, (unsigned char)*c < ' ' ? '?' : *c);
		}
	}
}

static void put_attribute(struct output *o, const char *name, const char *value)
{
	output_printf(o, " %s=\"", name);
	put_escaped(o, value);
	output_char(o, '"');
}

static void put_time(struct output *o, double seconds, const struct results_options *opt)
{
	char digits[G_ASCII_DTOSTR_BUF_SIZE];

	if (opt->timing)
		put_attribute(o, "time", g_ascii_formatd(digits, sizeof(digits), "%.3f", seconds));
}

static void put_counts(struct output *o, const GPtrArray *results,
		       const struct results_options *opt, bool skipped)
{
	struct test_tally tally = results_tally(results);
	unsigned int errors = 0;
	double seconds = 0;

	for (guint i = 0; i < results->len; i++) {
		const struct test_outcome *r = g_ptr_array_index(results, i);

		errors += r->status == TEST_ERROR;
		seconds += r->seconds;
	}
	output_printf(o, " tests=\"%u\" failures=\"%u\" errors=\"%u\"", tally.total,
		      tally.failed - errors, errors);
	if (skipped)
		output_printf(o, " skipped=\"%u\"", tally.skipped + tally.not_run);
	put_time(o, seconds, opt);
}

static void put_failure(const struct test_outcome *r, struct output *o)
{
	const char *element = r->status == TEST_FAIL ? "failure" : "error";

	output_printf(o, "      <%s", element);
	put_attribute(o, "message", r->message);
	put_attribute(o, "type", element);
	output_char(o, '>');
	if (r->detail) {
		put_escaped(o, r->detail);
		output_char(o, '\n');
	}
	put_escaped(o, r->command);
	if (r->reports) {
		output_str(o, "\nreports: ");
		put_escaped(o, r->reports);
	}
	output_printf(o, "\n</%s>\n", element);
}

/* lifecycle/alias:v5.3:never is the test v5.3:never of the class lifecycle.alias. */
static void put_case(const struct test_outcome *r, const struct results_options *opt,
		     struct output *o)
{
	size_t n = strcspn(r->name, ":");
	g_autofree char *class = g_strndup(r->name, n);

	g_strdelimit(class, "/", '.');
	output_str(o, "    <testcase");
	put_attribute(o, "name", r->name[n] ? r->name + n + 1 : "load");
	put_attribute(o, "classname", class);
	put_time(o, r->seconds, opt);
	if (r->status == TEST_PASS) {
		output_str(o, "/>\n");
		return;
	}
	output_str(o, ">\n");
	if (results_failed(r)) {
		put_failure(r, o);
	} else {
		output_str(o, "      <skipped");
		put_attribute(o, "message", r->message);
		output_str(o, "/>\n");
	}
	output_str(o, "    </testcase>\n");
}

static void put_suite(const char *name, const GPtrArray *results, const struct results_options *opt,
		      struct output *o)
{
	output_str(o, "  <testsuite");
	put_attribute(o, "name", name);
	put_counts(o, results, opt, true);
	output_str(o, ">\n");
	for (guint i = 0; i < results->len; i++)
		put_case(g_ptr_array_index(results, i), opt, o);
	output_str(o, "  </testsuite>\n");
}

void results_junit(const GPtrArray *results, const struct results_options *opt, struct output *o)
{
	g_autoptr(GPtrArray) suites = results_by_suite(results);

	output_str(o, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"slabsim\"");
	put_counts(o, results, opt, false);
	output_str(o, ">\n");
	for (guint i = 0; i < suites->len; i++) {
		const GPtrArray *suite = g_ptr_array_index(suites, i);
		g_autofree char *name = results_suite(g_ptr_array_index(suite, 0));

		put_suite(name, suite, opt, o);
	}
	output_str(o, "</testsuites>\n");
}
