// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim diff A B: where two runs part, and what came of it.
 */

#include "reports/diff.h"
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

static int compare(const char *a_path, const char *b_path, const struct diff_options *opt,
		   bool quiet)
{
	struct trace_file *a = read_trace(a_path, quiet);
	struct trace_file *b = a ? read_trace(b_path, quiet) : NULL;
	int code = EXIT_USAGE;

	if (a && b) {
		/* Quiet: only the exit status tells. */
		struct output *o = quiet ? output_memory() : output_open("-", false, NULL);
		bool same = diff_write(a, b, opt, o);

		if (quiet)
			output_discard(o);
		code = quiet ? EXIT_CLEAN : cli_close(o);
		if (code == EXIT_CLEAN)
			code = same ? EXIT_CLEAN : EXIT_VIOLATION;
	}
	trace_file_free(a);
	trace_file_free(b);
	return code;
}

static int run_diff(const struct command *self, int argc, char **argv)
{
	gboolean ignore_time = FALSE, verbose = FALSE, quiet = FALSE;
	const GOptionEntry entries[] = {
		{"ignore-time", 0, 0, G_OPTION_ARG_NONE, &ignore_time,
		 "Compare what happened and in which order, not when", NULL},
		{"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose,
		 "Compare every event, not only those that a timeline shows", NULL},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "Only the exit status", NULL},
		G_OPTION_ENTRY_NULL,
	};
	struct diff_options opt;

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
	opt = (struct diff_options){.ignore_time = ignore_time, .verbose = verbose};
	return compare(argv[1], argv[2], &opt, quiet);
}

const struct command command_diff = {
	.name = "diff",
	.params = "A B",
	.summary = "Compare two traces (\"-\" is standard input)",
	.description =
		"Prints where the runs part, both side by side from there on, the pairs of "
		"events that\ncame in another order, and the end states.  Exit status: 0 the "
		"runs are the same,\n1 they differ, 2 a trace cannot be read.\n\n"
		"Example:\n  slabsim diff good/demo.trace.jsonl bad/demo.trace.jsonl\n",
	.run = run_diff,
};
