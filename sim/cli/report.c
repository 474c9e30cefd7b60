// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim report TRACE: a report out of a trace file, without running anything.
 */

#include "reports/html.h"
#include "reports/race.h"
#include "reports/text.h"
#include "reports/trace_reader.h"
#include "sim/cli/cli.h"

/* What is not shown is said on standard error, where nobody pastes it from. */
static void write_race(const struct trace_file *tf, struct output *out, bool quiet)
{
	const GArray *violations = tf->violations;
	uint64_t hidden;

	if (violations->len == 0) {
		cli_note(quiet, "no violation, so there is no race to show");
		return;
	}
	hidden = race_table_write(tf, &g_array_index(violations, struct trace_violation, 0),
				  RACE_BY_AUTO, out);
	cli_note(quiet, "%" G_GUINT64_FORMAT " unrelated events not shown", hidden);
}

enum format { FORMAT_TEXT, FORMAT_RACE, FORMAT_HTML };

static int write_report(const struct trace_file *tf, const struct text_options *opt,
			enum format format, const char *path, bool force, bool quiet)
{
	g_autoptr(GError) error = NULL;
	struct output *out = output_open(path, force, &error);
	int code;

	if (!out) {
		cli_error("%s", error->message);
		return EXIT_USAGE;
	}
	switch (format) {
	case FORMAT_TEXT:
		text_report(tf, opt, out);
		break;
	case FORMAT_RACE:
		write_race(tf, out, quiet);
		break;
	case FORMAT_HTML:
		html_write(tf, out);
		break;
	}
	code = cli_close(out);
	if (code == EXIT_CLEAN && strcmp(path, "-") != 0)
		cli_note(quiet, "wrote %s", path);
	return code;
}

static int run_report(const struct command *self, int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL, *html = NULL, *color_arg = NULL;
	gboolean text = FALSE, race = FALSE, force = FALSE, verbose = FALSE, quiet = FALSE;
	struct text_options opt = {0};
	struct trace_file *tf;
	enum color color;
	int code;
	const GOptionEntry entries[] = {
		{"text", 0, 0, G_OPTION_ARG_NONE, &text,
		 "Timeline and summary as text (the default)", NULL},
		{"race", 0, 0, G_OPTION_ARG_NONE, &race,
		 "The race table of the first violation, as for a commit message", NULL},
		{"html", 0, 0, G_OPTION_ARG_FILENAME, &html,
		 "An interactive timeline, one page for a browser, into FILE", "FILE"},
		{"output", 'o', 0, G_OPTION_ARG_FILENAME, &path,
		 "Write there, not to standard output", "FILE"},
		{"force", 0, 0, G_OPTION_ARG_NONE, &force, "Replace FILE if it exists", NULL},
		{"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose,
		 "Every event: locks, read sections, references, accesses", NULL},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "No messages", NULL},
		{"color", 0, 0, G_OPTION_ARG_FILENAME, &color_arg, "auto, always or never", "WHEN"},
		G_OPTION_ENTRY_NULL,
	};

	switch (cli_parse(self, entries, &argc, &argv)) {
	case PARSED:
		break;
	case PARSED_HELP:
		return EXIT_CLEAN;
	case PARSED_WRONG:
		return EXIT_USAGE;
	}
	if (argc != 2)
		return cli_usage(self, argc < 2 ? "which trace?" : "report takes one trace");
	if (race + text + (html != NULL) > 1)
		return cli_usage(self, "--text, --race and --html: one of them");
	if (html && path)
		return cli_usage(self, "--html names its file; -o is for the other reports");
	if (!cli_color(color_arg, &color))
		return EXIT_USAGE;
	tf = trace_read(argv[1], &error);
	if (!tf) {
		cli_error("%s", error->message);
		return EXIT_USAGE;
	}
	if (!tf->ended)
		cli_note(quiet, "%s is cut short after %" G_GUINT64_FORMAT " events", argv[1],
			 tf->nr_events);
	opt.verbose = verbose;
	opt.color = !path && cli_use_color(color);
	code = write_report(tf, &opt,
			    html   ? FORMAT_HTML
			    : race ? FORMAT_RACE
				   : FORMAT_TEXT,
			    html   ? html
			    : path ? path
				   : "-",
			    force, quiet);
	trace_file_free(tf);
	return code;
}

const struct command command_report = {
	.name = "report",
	.params = "TRACE",
	.summary = "Print a report out of a trace file (\"-\" is standard input)",
	.description = "A trace that was cut short is reported up to the cut.  The exit status "
		       "says whether the\nreport was written, not what is in it.\n\n"
		       "Examples:\n"
		       "  slabsim report out/demo/demo.trace.jsonl --verbose\n"
		       "  slabsim report out/demo/demo.trace.jsonl --html out/demo/demo.html\n",
	.run = run_report,
};
