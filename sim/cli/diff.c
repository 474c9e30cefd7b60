// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim diff A B: where two runs part, and what came of it.
 */

#include "reports/diff.h"
#include "reports/html.h"
#include "reports/trace_reader.h"
#include "sim/cli/cli.h"

static struct trace_file *read_trace(const char *path, bool quiet)
{
	g_autoptr(GError) error = NULL;
	struct trace_file *tf = trace_read(path, &error);

	if (!tf)
		cli_error("%s", error->message);
	else if (!tf->ended)
		cli_note(quiet, "%s is cut short after %" G_GUINT64_FORMAT " events", path,
			 tf->nr_events);
	return tf;
}

struct request {
	struct diff_options opt;
	char *html; /* NULL for none */
	bool force, quiet;
};

static int write_page(const struct trace_file *a, const struct trace_file *b,
		      const struct request *rq)
{
	g_autoptr(GError) error = NULL;
	struct output *o = output_open(rq->html, rq->force, &error);
	int code;

	if (!o) {
		cli_error("%s", error->message);
		return EXIT_USAGE;
	}
	html_write_diff(a, b, &rq->opt, o);
	code = cli_close(o);
	if (code == EXIT_CLEAN && strcmp(rq->html, "-") != 0)
		cli_note(rq->quiet, "wrote %s", rq->html);
	return code;
}

/* What one of two traces was not asked to record is no difference. */
static void level(struct trace_file *a, struct trace_file *b, bool quiet)
{
	bool in_a = trace_file_has_accesses(a);

	if (in_a == trace_file_has_accesses(b))
		return;
	cli_note(quiet, "only %s records accesses: %" G_GUINT64_FORMAT " are left out",
		 in_a ? "the first trace" : "the second trace",
		 trace_file_drop_accesses(in_a ? a : b));
}

static int compare(const char *a_path, const char *b_path, const struct request *rq)
{
	/* Quiet: only the exit status tells.  A page on standard output stands there alone. */
	bool silent = rq->quiet || (rq->html && strcmp(rq->html, "-") == 0), quiet = rq->quiet;
	struct trace_file *a = read_trace(a_path, quiet);
	struct trace_file *b = a ? read_trace(b_path, quiet) : NULL;
	int code = EXIT_USAGE;

	if (a && b)
		level(a, b, quiet);
	if (a && b) {
		struct output *o = silent ? output_memory() : output_open("-", false, NULL);
		bool same = diff_write(a, b, &rq->opt, o);

		if (silent)
			output_discard(o);
		code = silent ? EXIT_CLEAN : cli_close(o);
		if (code == EXIT_CLEAN && rq->html)
			code = write_page(a, b, rq);
		if (code == EXIT_CLEAN)
			code = same ? EXIT_CLEAN : EXIT_VIOLATION;
	}
	trace_file_free(a);
	trace_file_free(b);
	return code;
}

static int run_diff(const struct command *self, int argc, char **argv)
{
	gboolean ignore_time = FALSE, verbose = FALSE, quiet = FALSE, force = FALSE;
	g_autofree char *html = NULL;
	const GOptionEntry entries[] = {
		{"ignore-time", 0, 0, G_OPTION_ARG_NONE, &ignore_time,
		 "Compare what happened and in which order, not when", NULL},
		{"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose,
		 "Compare every event, not only those that a timeline shows", NULL},
		{"html", 0, 0, G_OPTION_ARG_FILENAME, &html,
		 "Both runs on one axis: one page for a browser", "FILE"},
		{"force", 'f', 0, G_OPTION_ARG_NONE, &force, "Replace a file that exists", NULL},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "Only the exit status", NULL},
		G_OPTION_ENTRY_NULL,
	};
	struct request rq;

	switch (cli_parse(self, entries, &argc, &argv)) {
	case PARSED:
		break;
	case PARSED_HELP:
		return EXIT_CLEAN;
	case PARSED_WRONG:
		return EXIT_USAGE;
	}
	if (argc != 3)
		return cli_usage(self, "diff takes two traces");
	if (strcmp(argv[1], "-") == 0 && strcmp(argv[2], "-") == 0)
		return cli_usage(self, "only one of the traces can be standard input");
	rq = (struct request){
		.opt = {.ignore_time = ignore_time, .verbose = verbose},
		.html = html,
		.force = force,
		.quiet = quiet,
	};
	return compare(argv[1], argv[2], &rq);
}

const struct command command_diff = {
	.name = "diff",
	.params = "A B",
	.summary = "Compare two traces (\"-\" is standard input)",
	.description =
		"Prints where the runs part, both side by side from there on, the pairs of "
		"events that\ncame in another order, and the end states.  Exit status: 0 the "
		"runs are the same,\n1 they differ, 2 a trace cannot be read.\n\n"
		"Examples:\n  slabsim diff good/demo.trace.jsonl bad/demo.trace.jsonl\n"
		"  slabsim diff good/demo.trace.jsonl bad/demo.trace.jsonl --html diff.html\n",
	.run = run_diff,
};
