// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim test: are scenarios as they say they are?
 */

#include "sim/cli/test.h"

#include <stdio.h>
#include <unistd.h>

#include "reports/json.h"
#include "sim/cli/run_options.h"
#include "sim/cli/scripts.h"

#define SLOW_DEFAULT "1s"
#define TIMEOUT_DEFAULT "10min"
#define JOBS_MAX 256
#define PROGRESS_US 200000

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_TAP, FORMAT_KTAP };

struct test_args {
	char **paths, **filters;
	char *jobs, *junit, *gallery, *reports, *slow, *timeout, *color; /* as typed */
	gboolean list, fail_fast, strict_traces, tap, ktap, bless, no_timing, bisect, json, force,
		quiet, verbose;
	enum format format;
	struct pool_options pool;
	struct results_options results;
};

struct session {
	const struct test_args *args;
	struct tests tests;
	struct output *out;
	gint64 start, next_progress;
	bool terminal;
	unsigned int nr_failed;
};

/* ---- the command line ---------------------------------------------------- */

static enum parsed parse_entries(const struct command *cmd, int *argc, char ***argv,
				 struct test_args *args)
{
	const GOptionEntry entries[] = {
#define FLAG(name, key, to, text) {name, key, 0, G_OPTION_ARG_NONE, to, text, NULL}
#define ARG(name, key, to, text, what)                                                             \
	{                                                                                          \
		name, key, 0, G_OPTION_ARG_FILENAME, to, text, what                                \
	}
		FLAG("list", 0, &args->list,
		     "Name the tests and run none; -v: with their commands"),
		{"filter", 'k', 0, G_OPTION_ARG_FILENAME_ARRAY, &args->filters,
		 "Only tests with TEXT in the name, or like a pattern with * and ?; repeatable",
		 "TEXT"},
		ARG("jobs", 'j', &args->jobs, "How many at a time (default: one for each CPU)",
		    "N"),
		FLAG("fail-fast", 'x', &args->fail_fast, "Stop after the first failure"),
		ARG("timeout", 0, &args->timeout, "Kill a test after this long (default 10min)",
		    "TIME"),
		ARG("slow", 0, &args->slow, "Call a test slow after this long (default 1s)",
		    "TIME"),
		ARG("junit", 0, &args->junit, "Write the results there as JUnit XML", "FILE"),
		ARG("gallery", 0, &args->gallery,
		    "Page about what is found and kept: compare it, or with --bless write it",
		    "FILE"),
		ARG("output", 'o', &args->reports,
		    "Write the reports of each test that failed to a directory in DIR", "DIR"),
		FLAG("tap", 0, &args->tap, "Print TAP version 13"),
		FLAG("ktap", 0, &args->ktap, "Print KTAP version 1, as the kernel's tests do"),
		FLAG("json", 0, &args->json, "One JSON object a line on standard output"),
		FLAG("bless", 0, &args->bless,
		     "Renew golden files and kept schedules instead of comparing"),
		FLAG("strict-traces", 0, &args->strict_traces,
		     "Fail a kept schedule also if its verdict is the same but not its trace"),
		FLAG("bisect", 0, &args->bisect,
		     "Exit with 0, 1 or, for everything else, 125: for git bisect run"),
		FLAG("no-timing", 0, &args->no_timing, "Leave out everything that tells the time"),
		FLAG("force", 'f', &args->force, "Replace files that exist"),
		FLAG("quiet", 'q', &args->quiet, "Only failures and the summary"),
		FLAG("verbose", 'v', &args->verbose, "What each test covered"),
		ARG("color", 0, &args->color, "auto, always or never", "WHEN"),
#undef FLAG
#undef ARG
		G_OPTION_ENTRY_NULL,
	};

	return cli_parse(cmd, entries, argc, argv);
}

/* Of the wall clock, which has no use for less than a microsecond. */
static bool parse_wall_time(const char *s, gint64 *us)
{
	vtime_t ns;

	if (!parse_time(s, &ns))
		return false;
	*us = (gint64)(ns / 1000);
	return *us > 0;
}

static bool check_format(const struct command *cmd, struct test_args *args)
{
	if (args->json + args->tap + args->ktap > 1) {
		cli_usage(cmd, "--json, --tap and --ktap exclude each other");
		return false;
	}
	if (args->quiet && args->verbose) {
		cli_usage(cmd, "-q and -v contradict each other");
		return false;
	}
	if (args->gallery && args->filters) {
		cli_usage(cmd, "--gallery is about all searches: leave --filter out");
		return false;
	}
	args->format = args->json   ? FORMAT_JSON
		       : args->tap  ? FORMAT_TAP
		       : args->ktap ? FORMAT_KTAP
				    : FORMAT_TEXT;
	return true;
}

static bool check_values(const struct command *cmd, struct test_args *args)
{
	uint64_t jobs = g_get_num_processors();
	enum color color;

	if (args->jobs && (!parse_u64(args->jobs, &jobs) || jobs == 0 || jobs > JOBS_MAX)) {
		cli_usage(cmd, "--jobs takes a number from 1 to %d, not '%s'", JOBS_MAX,
			  args->jobs);
		return false;
	}
	args->pool.nr_jobs = (unsigned int)MIN(jobs, JOBS_MAX);
	if (!parse_wall_time(args->timeout ? args->timeout : TIMEOUT_DEFAULT,
			     &args->pool.timeout_us)) {
		cli_usage(cmd, "--timeout takes a time like 30s or 10min, not '%s'", args->timeout);
		return false;
	}
	if (!parse_wall_time(args->slow ? args->slow : SLOW_DEFAULT, &args->pool.slow_us)) {
		cli_usage(cmd, "--slow takes a time like 500ms or 2s, not '%s'", args->slow);
		return false;
	}
	if (!cli_color(args->color, &color))
		return false;
	args->pool.fail_fast = args->fail_fast;
	args->pool.bless = args->bless;
	args->pool.strict_traces = args->strict_traces;
	args->results.timing = !args->no_timing;
	args->results.verbose = args->verbose;
	args->results.color = cli_use_color(color);
	return check_format(cmd, args);
}

static void args_clear(struct test_args *args)
{
	g_strfreev(args->paths);
	g_strfreev(args->filters);
	g_free(args->jobs);
	g_free(args->junit);
	g_free(args->gallery);
	g_free(args->reports);
	g_free(args->slow);
	g_free(args->timeout);
	g_free(args->color);
}

/* ---- finding ------------------------------------------------------------- */

static int find_tests(const struct test_args *args, struct tests *tests)
{
	g_autofree char *dir = args->paths[0] ? NULL : scripts_dir();
	char *only[] = {dir, NULL};
	g_autoptr(GError) error = NULL;

	if (!tests_find(tests, args->paths[0] ? args->paths : only, args->filters, &error)) {
		cli_error("%s", error->message);
		return EXIT_USAGE;
	}
	if (tests->all->len > 0)
		return EXIT_CLEAN;
	if (args->filters)
		cli_error("no test has a name like that; 'slabsim test --list' names them");
	else
		cli_error("there are no scenarios here");
	return EXIT_NOTHING;
}

static int list_tests(const struct test_args *args, const struct tests *tests)
{
	struct output *o = output_open("-", false, NULL);

	for (guint i = 0; i < tests->all->len; i++) {
		const struct test *t = g_ptr_array_index(tests->all, i);

		if (args->json) {
			output_str(o, "{\"name\":");
			json_string(o, t->result.name);
			json_key_string(o, "command", t->result.command);
			output_str(o, "}\n");
		} else {
			output_str(o, t->result.name);
			if (args->verbose)
				output_printf(o, "\t%s", t->result.command);
			output_char(o, '\n');
		}
	}
	return cli_close(o);
}

/* ---- while tests run ----------------------------------------------------- */

static void clear_progress(const struct session *s)
{
	if (s->terminal)
		fputs("\r\033[K", stderr);
}

static void show_progress(void *arg, unsigned int nr_ended)
{
	struct session *s = arg;
	gint64 now = g_get_monotonic_time();

	if (!s->terminal || now < s->next_progress)
		return;
	s->next_progress = now + PROGRESS_US;
	fprintf(stderr, "\r\033[K%u of %u tests, %u failed", nr_ended, s->tests.all->len,
		s->nr_failed);
}

static void test_ended(void *arg, const struct test_outcome *r)
{
	struct session *s = arg;
	const struct test_args *args = s->args;

	s->nr_failed += results_failed(r);
	if (args->format == FORMAT_JSON) {
		results_json(r, &args->results, s->out);
	} else if (args->format == FORMAT_TEXT && (!args->quiet || results_failed(r))) {
		clear_progress(s);
		results_text(r, &args->results, s->out);
	}
	/* Who waits for them wants to see them one by one. */
	output_flush(s->out, 1);
}

static void put_header(const struct session *s)
{
	unsigned int n = s->tests.all->len, m = s->tests.nr_scripts, jobs = s->args->pool.nr_jobs;

	if (s->args->format != FORMAT_TEXT || s->args->quiet)
		return;
	output_printf(s->out, "     Running %u test%s of %u scenario%s, %u job%s\n", n,
		      n == 1 ? "" : "s", m, m == 1 ? "" : "s", jobs, jobs == 1 ? "" : "s");
	output_flush(s->out, 1);
}

static void put_results(const struct session *s, double seconds)
{
	const struct results_options *opt = &s->args->results;
	const GPtrArray *results = s->tests.all;

	clear_progress(s);
	switch (s->args->format) {
	case FORMAT_TEXT:
		results_text_summary(results, seconds, opt, s->out);
		break;
	case FORMAT_JSON:
		results_json_summary(results, seconds, opt, s->out);
		break;
	case FORMAT_TAP:
		results_tap(results, opt, s->out);
		break;
	case FORMAT_KTAP:
		results_ktap(results, s->out);
		break;
	}
}

/* ---- the whole ----------------------------------------------------------- */

static int write_junit(const struct session *s)
{
	const struct test_args *args = s->args;
	g_autoptr(GError) error = NULL;
	struct output *o = output_open(args->junit, args->force, &error);

	if (o) {
		results_junit(s->tests.all, &args->results, o);
		if (output_close(o, &error)) {
			cli_note(args->quiet, "wrote %s", args->junit);
			return EXIT_CLEAN;
		}
	}
	cli_error("%s", error->message);
	return EXIT_USAGE;
}

/* Rather now than after all the tests: can what is asked for be written? */
static int try_outputs(const struct test_args *args)
{
	g_autoptr(GError) error = NULL;
	struct output *o;

	if (args->reports && g_file_test(args->reports, G_FILE_TEST_EXISTS) &&
	    !g_file_test(args->reports, G_FILE_TEST_IS_DIR)) {
		cli_error("-o %s: cannot make directory: it is a file", args->reports);
		return EXIT_USAGE;
	}
	if (args->gallery && g_file_test(args->gallery, G_FILE_TEST_IS_DIR)) {
		cli_error("--gallery %s: it is a directory; name the page", args->gallery);
		return EXIT_USAGE;
	}
	if (!args->junit)
		return EXIT_CLEAN;
	o = output_open(args->junit, args->force, &error);
	if (!o) {
		cli_error("%s", error->message);
		return EXIT_USAGE;
	}
	output_discard(o);
	return EXIT_CLEAN;
}

static int write_reports(const struct session *s)
{
	g_autoptr(GError) error = NULL;

	if (test_reports(&s->tests, s->args->reports, s->args->force, &error))
		return EXIT_CLEAN;
	cli_error("%s", error->message);
	return EXIT_USAGE;
}

static int code_of_results(const struct session *s)
{
	bool failed = false, error = false;

	if (cli_interrupted)
		return EXIT_INTERRUPTED;
	for (guint i = 0; i < s->tests.all->len; i++) {
		const struct test_outcome *r = g_ptr_array_index(s->tests.all, i);

		failed |= r->status == TEST_FAIL;
		error |= r->status == TEST_ERROR;
	}
	/* A script that this version cannot read says nothing about the version. */
	if (error && !failed && s->args->bisect)
		return EXIT_USAGE;
	return failed || error ? EXIT_VIOLATION : EXIT_CLEAN;
}

static int run_tests(struct session *s)
{
	struct pool_options pool = s->args->pool;
	int code, reports = EXIT_CLEAN;
	double seconds;

	if (try_outputs(s->args) != EXIT_CLEAN)
		return EXIT_USAGE;
	pool.ended = test_ended;
	pool.progress = show_progress;
	pool.arg = s;
	s->start = g_get_monotonic_time();
	s->terminal = !s->args->quiet && isatty(STDERR_FILENO) &&
		      g_strcmp0(g_getenv("TERM"), "dumb") != 0;
	s->out = output_open("-", false, NULL);
	put_header(s);
	tests_run(&s->tests, &pool);
	clear_progress(s);
	seconds = (double)(g_get_monotonic_time() - s->start) / 1e6;
	if (s->args->reports)
		reports = write_reports(s);
	put_results(s, seconds);
	code = cli_close(s->out);
	if (code == EXIT_CLEAN && s->args->junit)
		code = write_junit(s);
	if (code == EXIT_CLEAN)
		code = reports;
	if (code == EXIT_CLEAN)
		code = code_of_results(s);
	if (code == EXIT_CLEAN && s->args->gallery)
		code = tests_gallery(&s->tests, s->args->gallery, s->args->bless, s->args->quiet);
	return code;
}

static int test_with(const struct test_args *args)
{
	struct session s = {.args = args};
	int code = find_tests(args, &s.tests);

	if (code == EXIT_CLEAN)
		code = args->list ? list_tests(args, &s.tests) : run_tests(&s);
	tests_clear(&s.tests);
	return code;
}

static int run_test(const struct command *self, int argc, char **argv)
{
	struct test_args args = {0};
	int code = EXIT_USAGE;

	switch (parse_entries(self, &argc, &argv, &args)) {
	case PARSED:
		args.paths = g_strdupv(argv + 1);
		if (check_values(self, &args))
			code = test_with(&args);
		break;
	case PARSED_HELP:
		code = EXIT_CLEAN;
		break;
	case PARSED_WRONG:
		break;
	}
	if (args.bisect && code != EXIT_CLEAN && code != EXIT_VIOLATION)
		code = EXIT_UNTESTABLE;
	args_clear(&args);
	return code;
}

const struct command command_test = {
	.name = "test",
	.params = "[PATH...]",
	.summary = "Check that scenarios behave as they say",
	.description =
		"Runs what the expect table of each scenario below PATH (default: scenarios) asks "
		"for: a test for\neach entry.  docs/testing.md describes the entries.\n\n"
		"Examples:\n"
		"  slabsim test\n"
		"  slabsim test scenarios/lifecycle --filter ':seed1-v4' --jobs 4\n"
		"  slabsim test mine.lua --junit results.xml -o out\n"
		"  slabsim test scenarios/history --bless --gallery docs/bug-gallery.md\n"
		"  git bisect run slabsim test mine.lua --bisect\n",
	.run = run_test,
};
