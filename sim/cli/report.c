// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim report TRACE: a report out of a trace file, without running anything.
 */

#include "reports/counters.h"
#include "reports/ledger.h"
#include "reports/race.h"
#include "reports/states.h"
#include "reports/study.h"
#include "reports/text.h"
#include "reports/trace_reader.h"
#include "sim/cli/cli.h"
#include "sim/cli/report_exports.h"

/* What is not shown is said on standard error, where nobody pastes it from. */
static void write_race(const struct trace_file *tf, struct output *out, bool quiet)
{
	const struct trace_violation *v = trace_file_blamed(tf);
	uint64_t hidden;

	if (!v) {
		cli_note(quiet, "no violation, so there is no race to show");
		return;
	}
	hidden = race_table_write(tf, v, RACE_BY_AUTO, out);
	cli_note(quiet, "%" G_GUINT64_FORMAT " unrelated events not shown", hidden);
}

static void write_splat(const struct trace_file *tf, struct output *out, bool quiet)
{
	if (tf->violations->len == 0)
		cli_note(quiet, "no violation, so there is nothing to report");
	else
		text_splat(tf, trace_file_blamed(tf), tf->replay, out);
}

/* What the command line asks for. */
struct request {
	gboolean text, race, splat, summary, counters, states, force, verbose, quiet;
	char *ledger; /* object whose ledger is wanted */
	char *path, *color_arg;
	struct export_paths exports;
	enum color color;
};

static void request_clear(struct request *rq)
{
	g_free(rq->ledger);
	g_free(rq->path);
	g_free(rq->color_arg);
	exports_clear(&rq->exports);
}

/* How many reports in text were asked for. */
static int nr_texts(const struct request *rq)
{
	return rq->text + rq->race + rq->splat + rq->summary + rq->counters + rq->states +
	       (rq->ledger != NULL);
}

/* Exports leave out the text, unless that was asked for too. */
static bool wants_text(const struct request *rq)
{
	int to_stdout;

	return exports_count(&rq->exports, &to_stdout) == 0 || nr_texts(rq) > 0 || rq->path;
}

static enum parsed check_request(const struct command *self, struct request *rq)
{
	const char *ctf = rq->exports.path[EXPORT_CTF];
	int to_stdout;

	exports_count(&rq->exports, &to_stdout);
	if (wants_text(rq) && (!rq->path || strcmp(rq->path, "-") == 0))
		to_stdout++;
	if (nr_texts(rq) > 1)
		cli_usage(self, "--text, --race, --splat, --ledger, --counters, --states and "
				"--summary: one of them");
	else if (ctf && strcmp(ctf, "-") == 0)
		cli_usage(self, "--ctf writes a directory, which \"-\" is not");
	else if (to_stdout > 1)
		cli_usage(self, "standard output takes one report");
	else if (cli_color(rq->color_arg, &rq->color))
		return PARSED;
	return PARSED_WRONG;
}

static enum parsed parse_request(const struct command *self, struct request *rq, int *argc,
				 char ***argv)
{
	const GOptionEntry entries[] = {
		{"text", 0, 0, G_OPTION_ARG_NONE, &rq->text,
		 "Timeline and summary as text (the default)", NULL},
		{"race", 0, 0, G_OPTION_ARG_NONE, &rq->race,
		 "The race table of the first violation, as for a commit message", NULL},
		{"splat", 0, 0, G_OPTION_ARG_NONE, &rq->splat,
		 "The first violation in the shape of a kernel report", NULL},
		{"ledger", 0, 0, G_OPTION_ARG_FILENAME, &rq->ledger,
		 "Who held references to OBJ: \"cache:2\", its name, or \"violation\"", "OBJ"},
		{"counters", 0, 0, G_OPTION_ARG_NONE, &rq->counters,
		 "Caches, dying memcgs, pages, deferred work over time", NULL},
		{"summary", 0, 0, G_OPTION_ARG_NONE, &rq->summary,
		 "Verdict, lives, references at the end, without the timeline", NULL},
		{"states", 0, 0, G_OPTION_ARG_NONE, &rq->states,
		 "Caches and memcgs by state; dying memcgs by what pins them", NULL},
		{"html", 0, 0, G_OPTION_ARG_FILENAME, &rq->exports.path[EXPORT_HTML],
		 "Interactive timeline: one page for a browser", "FILE"},
		{"chrome", 0, 0, G_OPTION_ARG_FILENAME, &rq->exports.path[EXPORT_CHROME],
		 "Chrome trace events, for Perfetto, chrome://tracing, speedscope", "FILE"},
		{"perfetto", 0, 0, G_OPTION_ARG_FILENAME, &rq->exports.path[EXPORT_PERFETTO],
		 "Perfetto protobuf: also arrows, units, call stacks", "FILE"},
		{"trace-dat", 0, 0, G_OPTION_ARG_FILENAME, &rq->exports.path[EXPORT_TRACE_DAT],
		 "For trace-cmd and KernelShark", "FILE"},
		{"ctf", 0, 0, G_OPTION_ARG_FILENAME, &rq->exports.path[EXPORT_CTF],
		 "Common Trace Format, for babeltrace2 and Trace Compass", "DIR"},
		{"ftrace", 0, 0, G_OPTION_ARG_FILENAME, &rq->exports.path[EXPORT_FTRACE],
		 "Text as in tracefs, for grep", "FILE"},
		{"mermaid", 0, 0, G_OPTION_ARG_FILENAME, &rq->exports.path[EXPORT_MERMAID],
		 "Sequence diagram of the deferred work that led to the violation", "FILE"},
		{"csv", 0, 0, G_OPTION_ARG_FILENAME, &rq->exports.path[EXPORT_CSV],
		 "The counters over time, a row for each change", "FILE"},
		{"output", 'o', 0, G_OPTION_ARG_FILENAME, &rq->path,
		 "Write the report in text there, not to standard output", "FILE"},
		{"force", 0, 0, G_OPTION_ARG_NONE, &rq->force, "Replace files that exist", NULL},
		{"verbose", 'v', 0, G_OPTION_ARG_NONE, &rq->verbose,
		 "Every event: locks, read sections, references, accesses", NULL},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &rq->quiet, "No messages", NULL},
		{"color", 0, 0, G_OPTION_ARG_FILENAME, &rq->color_arg, "auto, always or never",
		 "WHEN"},
		G_OPTION_ENTRY_NULL,
	};
	enum parsed parsed = cli_parse(self, entries, argc, argv);

	if (parsed != PARSED)
		return parsed;
	if (*argc != 2) {
		cli_usage(self, *argc < 2 ? "name a trace" : "report takes one trace");
		return PARSED_WRONG;
	}
	return check_request(self, rq);
}

static void write_text(const struct trace_file *tf, const struct request *rq, oid_t counted,
		       struct output *out)
{
	struct text_options opt = {
		.verbose = rq->verbose,
		.color = !rq->path && cli_use_color(rq->color),
	};

	opt.no_timeline = rq->summary;
	if (rq->race)
		write_race(tf, out, rq->quiet);
	else if (rq->splat)
		write_splat(tf, out, rq->quiet);
	else if (rq->ledger)
		ledger_write(tf, counted, rq->verbose, out);
	else if (rq->counters)
		counters_write(tf, out);
	else if (rq->states)
		states_write(tf, out);
	else
		text_report(tf, &opt, out);
}

static oid_t find_counted(const struct trace_file *tf, const char *name, GError **error)
{
	oid_t obj;

	if (strcmp(name, "violation") != 0)
		return ledger_find(tf, name, error);
	obj = ledger_blamed(tf);
	if (obj == 0)
		g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_USAGE,
			    tf->violations->len == 0
				    ? "no violation, so no object is to blame"
				    : "the violation is about nothing that is counted");
	return obj;
}

static int write_report(const struct trace_file *tf, const struct request *rq)
{
	g_autoptr(GError) error = NULL;
	const char *path = rq->path ? rq->path : "-";
	oid_t counted = rq->ledger ? find_counted(tf, rq->ledger, &error) : 0;
	struct output *out = error ? NULL : output_open(path, rq->force, &error);
	int code;

	if (!out) {
		cli_error("%s", error->message);
		return EXIT_USAGE;
	}
	write_text(tf, rq, counted, out);
	code = cli_close(out);
	if (code == EXIT_CLEAN && strcmp(path, "-") != 0)
		cli_note(rq->quiet, "wrote %s", path);
	return code;
}

static int make_reports(const struct request *rq, const char *trace)
{
	g_autoptr(GError) error = NULL;
	struct trace_file *tf = trace_read(trace, &error);
	int code = EXIT_CLEAN;

	if (!tf) {
		cli_error("%s", error->message);
		return EXIT_USAGE;
	}
	if (!tf->ended)
		cli_note(rq->quiet, "%s is cut short after %" G_GUINT64_FORMAT " events", trace,
			 tf->nr_events);
	if (wants_text(rq))
		code = write_report(tf, rq);
	if (code == EXIT_CLEAN)
		code = exports_write(tf, &rq->exports, rq->force, rq->quiet);
	trace_file_free(tf);
	return code;
}

/* ---- studies ----------------------------------------------------------------------------- */

/* Which of the options make sense for measurements. */
static bool check_study(const struct command *self, const struct request *rq)
{
	struct export_paths others = rq->exports;
	int to_stdout;

	others.path[EXPORT_HTML] = NULL;
	if (!rq->race && !rq->splat && !rq->summary && !rq->ledger && !rq->counters &&
	    !rq->states && exports_count(&others, &to_stdout) == 0)
		return true;
	cli_usage(self, "a study is no trace: --text and --html are what there is");
	return false;
}

static int write_study(const struct study *study,
		       void (*write)(const struct study *s, struct output *o), const char *path,
		       const struct request *rq)
{
	g_autoptr(GError) error = NULL;
	struct output *out = output_open(path, rq->force, &error);
	int code;

	if (!out) {
		cli_error("%s", error->message);
		return EXIT_USAGE;
	}
	write(study, out);
	code = cli_close(out);
	if (code == EXIT_CLEAN && strcmp(path, "-") != 0)
		cli_note(rq->quiet, "wrote %s", path);
	return code;
}

static int report_study(const struct command *self, const struct request *rq, const char *path)
{
	const char *html = rq->exports.path[EXPORT_HTML];
	g_autoptr(GError) error = NULL;
	struct study *study;
	int code = EXIT_CLEAN;

	if (!check_study(self, rq))
		return EXIT_USAGE;
	study = study_read(path, &error);
	if (!study) {
		cli_error("%s", error->message);
		return EXIT_USAGE;
	}
	if (wants_text(rq))
		code = write_study(study, study_text, rq->path ? rq->path : "-", rq);
	if (code == EXIT_CLEAN && html)
		code = write_study(study, study_html, html, rq);
	study_free(study);
	return code;
}

static int run_report(const struct command *self, int argc, char **argv)
{
	struct request rq = {0};
	int code;

	switch (parse_request(self, &rq, &argc, &argv)) {
	case PARSED:
		code = g_str_has_suffix(argv[1], ".csv") ? report_study(self, &rq, argv[1])
							 : make_reports(&rq, argv[1]);
		break;
	case PARSED_HELP:
		code = EXIT_CLEAN;
		break;
	default:
		code = EXIT_USAGE;
		break;
	}
	request_clear(&rq);
	return code;
}

const struct command command_report = {
	.name = "report",
	.params = "TRACE",
	.summary = "Print a report out of a trace file (\"-\" is standard input)",
	.description = "A trace that was cut short is reported up to the cut.  The exit status "
		       "says whether the\nreport was written, not what is in it.  In place of "
		       "a FILE, \"-\" is standard output.\n\n"
		       "What a study measured, a file that ends in .csv, is reported as a table "
		       "or, with --html,\nas plots with their confidence intervals.\n\n"
		       "Examples:\n  slabsim report out/demo/demo.trace.jsonl --verbose\n"
		       "  slabsim report out/demo/demo.trace.jsonl --ledger cache:2\n"
		       "  slabsim report out/demo/demo.trace.jsonl --chrome demo.json --csv -\n"
		       "  slabsim report out/study.csv --html study.html\n",
	.run = run_report,
};
