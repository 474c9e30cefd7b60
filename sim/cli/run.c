// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim run FILE: run a scenario, once or with many seeds, and report.
 */

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "reports/json.h"
#include "reports/text.h"
#include "reports/trace_writer.h"
#include "sim/base/assert.h"
#include "sim/cli/run_options.h"

/* A longer timeline would drown the verdict on a terminal. */
#define SHORT_TIMELINE 400

/* Events kept in memory for the reports: about 100 bytes each. */
#define EVENTS_KEPT 1000000
#define EVENTS_KEPT_FOR_FILE 4000000

#define PROGRESS_TERMINAL_US 200000
#define PROGRESS_LOG_US 5000000

/* One run, and where it goes. */
struct job {
	const struct run_args *args;
	uint64_t seed;
	char *replay;		      /* command line */
	char *trace_path, *text_path; /* NULL without -o */
	struct trace_writer *writer;
	struct output *text;
	struct trace_file *tf;
	struct run_result result;
};

/* ---- files --------------------------------------------------------------- */

static bool open_files(struct job *job, GError **error)
{
	const struct run_args *args = job->args;
	g_autofree char *base = g_path_get_basename(args->path);
	g_autofree char *replay = run_args_replay(args, base, job->seed);
	g_autofree char *suffix = NULL;
	g_autofree char *stem = NULL;

	if (!args->dir)
		return true;
	if (g_mkdir_with_parents(args->dir, 0777) < 0) {
		g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_OUTPUT,
			    "cannot make directory '%s': %s", args->dir, g_strerror(errno));
		return false;
	}
	/* With many runs only the failing ones leave files, told apart by their seeds. */
	suffix = args->nr_runs > 1 ? g_strdup_printf(".seed-%" G_GUINT64_FORMAT, job->seed)
				   : g_strdup("");
	stem = g_strconcat(args->dir, "/", args->name, suffix, NULL);
	job->trace_path = g_strconcat(stem, ".trace.jsonl", NULL);
	job->text_path = g_strconcat(stem, ".txt", NULL);
	job->writer = trace_writer_new(job->trace_path, args->force, replay, error);
	if (!job->writer)
		return false;
	job->text = output_open(job->text_path, args->force, error);
	return job->text != NULL;
}

static bool close_files(struct job *job, GError **error)
{
	const struct text_options opt = {.verbose = job->args->verbose, .replay = job->replay};
	struct trace_writer *writer = g_steal_pointer(&job->writer);
	struct output *text;

	if (!writer)
		return true;
	if (!trace_writer_end(writer, &job->result, error))
		return false;
	cli_note(job->args->quiet, "wrote %s", job->trace_path);
	text_report(job->tf, &opt, job->text);
	text = g_steal_pointer(&job->text);
	if (!output_close(text, error))
		return false;
	cli_note(job->args->quiet, "wrote %s", job->text_path);
	return true;
}

static void job_clear(struct job *job)
{
	sim_assert_context(NULL);
	trace_writer_discard(job->writer);
	output_discard(job->text);
	trace_file_free(job->tf);
	g_free(job->trace_path);
	g_free(job->text_path);
	g_free(job->replay);
}

/* ---- reports on standard output ------------------------------------------ */

static void put_json_violation(const struct trace_violation *v, struct output *o)
{
	output_str(o, "{\"rule\":");
	json_string(o, v->rule);
	json_key_u64(o, "seq", v->seq);
	json_key_u64(o, "t", v->t);
	json_key(o, "obj");
	json_oid(o, v->obj);
	json_key_string(o, "msg", v->msg);
	output_char(o, '}');
}

static void put_json_result(const struct job *job, struct output *o)
{
	const struct trace_file *tf = job->tf;

	output_str(o, "{\"type\":\"result\"");
	json_key_string(o, "scenario", tf->scenario);
	json_key_string(o, "design", tf->lifecycle);
	json_key(o, "variants");
	json_strings(o, (const char *const *)tf->variants->pdata);
	json_key_u64(o, "seed", tf->seed);
	json_key_string(o, "order", tf->order);
	json_key_string(o, "verdict", verdict_name(tf->verdict));
	json_key_u64(o, "t", tf->end);
	json_key_u64(o, "events", tf->nr_events);
	json_key_u64(o, "steps", tf->nr_steps);
	json_key_u64(o, "peak_bytes", job->result.peak_bytes);
	json_key(o, "violations");
	output_char(o, '[');
	for (guint i = 0; i < tf->violations->len; i++) {
		if (i > 0)
			output_char(o, ',');
		put_json_violation(&g_array_index(tf->violations, struct trace_violation, i), o);
	}
	output_char(o, ']');
	if (job->trace_path) {
		json_key_string(o, "trace", job->trace_path);
		json_key_string(o, "text", job->text_path);
	}
	json_key_string(o, "replay", job->replay);
	output_str(o, "}\n");
}

static int put_report(const struct job *job)
{
	const struct run_args *args = job->args;
	struct text_options opt = {
		.verbose = args->verbose,
		.color = cli_use_color(args->color),
		.replay = job->replay,
	};
	struct output *o = output_open("-", false, NULL);
	size_t lines;
	int code;

	if (args->json) {
		put_json_result(job, o);
		return cli_close(o);
	}
	if (args->quiet) {
		text_verdict(job->tf, opt.color, o);
		if (job->tf->violations->len > 0)
			text_splat(job->tf,
				   &g_array_index(job->tf->violations, struct trace_violation, 0),
				   job->replay, o);
		return cli_close(o);
	}
	lines = text_timeline_lines(job->tf, args->verbose);
	opt.no_timeline = lines > SHORT_TIMELINE;
	text_report(job->tf, &opt, o);
	code = cli_close(o);
	if (code == EXIT_CLEAN && opt.no_timeline)
		cli_note(false, "the timeline has %zu lines and was left out; %s %s", lines,
			 args->dir ? "it is in" : "-o DIR writes it",
			 args->dir ? job->text_path : "to a file");
	return code;
}

/* ---- running ------------------------------------------------------------- */

static int code_of_error(const GError *error)
{
	if (output_error_is_pipe(error))
		return EXIT_PIPE;
	cli_error("%s", error->message);
	if (g_error_matches(error, SLABSIM_ERROR, SLABSIM_ERROR_INTERRUPTED))
		return EXIT_INTERRUPTED;
	return g_error_matches(error, SLABSIM_ERROR, SLABSIM_ERROR_LIMIT) ? EXIT_LIMIT : EXIT_USAGE;
}

static bool run_scenario(const struct run_options *opt, struct run_sink *const *sinks,
			 struct run_result *result, GError **error)
{
	struct run_options with_signals = *opt;
	bool ok;

	with_signals.interrupted = &cli_interrupted;
	cli_run_active = 1;
	ok = scenario_run(&with_signals, sinks, result, error);
	cli_run_active = 0;
	return ok;
}

static int code_of_verdict(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return EXIT_CLEAN;
	case VERDICT_FAIL:
		return EXIT_VIOLATION;
	case VERDICT_INCOMPLETE:
		return EXIT_LIMIT;
	}
	return EXIT_INTERNAL;
}

/* With everything recorded.  What a limit stopped is reported as far as it came. */
static int run_recorded(struct job *job)
{
	struct run_options opt = job->args->run;
	struct run_sink *sinks[3] = {NULL};
	struct trace_collector collector = {0};
	g_autoptr(GError) error = NULL;
	int code = EXIT_CLEAN, report_code;

	opt.seed = job->seed;
	job->replay = run_args_replay(job->args, job->args->path, job->seed);
	job->tf = trace_file_new(job->args->dir ? EVENTS_KEPT_FOR_FILE : EVENTS_KEPT);
	trace_collector_init(&collector, job->tf);
	sinks[0] = &collector.sink;
	if (!open_files(job, &error))
		return code_of_error(error);
	if (job->writer)
		sinks[1] = trace_writer_sink(job->writer);

	sim_assert_context(job->replay);
	if (!run_scenario(&opt, sinks, &job->result, &error)) {
		code = code_of_error(error);
		/* Without a first line there is nothing to report. */
		if ((code != EXIT_LIMIT && code != EXIT_INTERRUPTED) || job->tf->nr_cpus == 0)
			return code;
		if (job->result.nr_violations == 0)
			job->result.verdict = VERDICT_INCOMPLETE;
		g_clear_error(&error);
	}
	trace_file_finish(job->tf, &job->result);
	if (!close_files(job, &error))
		return code_of_error(error);
	report_code = put_report(job);
	if (report_code != EXIT_CLEAN)
		return report_code;
	if (code == EXIT_INTERRUPTED)
		return code;
	return job->result.nr_violations > 0 ? EXIT_VIOLATION
	       : code != EXIT_CLEAN	     ? code
					     : code_of_verdict(job->result.verdict);
}

static int run_once(const struct run_args *args, uint64_t seed)
{
	struct job job = {.args = args, .seed = seed};
	int code = run_recorded(&job);

	job_clear(&job);
	return code;
}

/* ---- many runs ----------------------------------------------------------- */

struct progress {
	bool terminal, quiet;
	gint64 start, next;
};

static void progress_show(struct progress *p, uint64_t done, uint64_t total, uint64_t failed)
{
	gint64 now = g_get_monotonic_time();

	if (p->quiet || now < p->next)
		return;
	p->next = now + (p->terminal ? PROGRESS_TERMINAL_US : PROGRESS_LOG_US);
	fprintf(stderr,
		"%s%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " runs, %" G_GUINT64_FORMAT
		" failed, %.0f a second%s",
		p->terminal ? "\r\033[K" : "slabsim: ", done, total, failed,
		(double)done * 1e6 / (double)MAX(now - p->start, 1), p->terminal ? "" : "\n");
}

static void progress_clear(const struct progress *p)
{
	if (!p->quiet && p->terminal)
		fputs("\r\033[K", stderr);
}

static int put_tally(const struct run_args *args, uint64_t done, uint64_t failed, uint64_t stopped)
{
	struct output *o = output_open("-", false, NULL);
	uint64_t last = args->run.seed + done - 1;

	if (args->json) {
		output_str(o, "{\"type\":\"summary\"");
		json_key_string(o, "scenario", args->name);
		json_key_u64(o, "first_seed", args->run.seed);
		json_key_u64(o, "runs", done);
		json_key_u64(o, "failed", failed);
		json_key_u64(o, "incomplete", stopped);
		output_str(o, "}\n");
		return cli_close(o);
	}
	output_printf(o,
		      "%s: %" G_GUINT64_FORMAT " runs, seeds %" G_GUINT64_FORMAT
		      " to %" G_GUINT64_FORMAT ": %s",
		      args->name, done, args->run.seed, last, failed == 0 ? "no violation" : "");
	if (failed > 0)
		output_printf(o, "%" G_GUINT64_FORMAT " failed", failed);
	if (stopped > 0)
		output_printf(o, ", %" G_GUINT64_FORMAT " stopped by a limit", stopped);
	output_char(o, '\n');
	return cli_close(o);
}

/*
 * Runs without sinks are several times faster; the few that fail are repeated
 * with everything recorded, which a deterministic run allows.
 */
static int run_many(const struct run_args *args)
{
	struct run_sink *no_sinks[] = {NULL};
	struct progress progress = {
		.terminal = isatty(STDERR_FILENO) && g_strcmp0(g_getenv("TERM"), "dumb") != 0,
		.quiet = args->quiet,
		.start = g_get_monotonic_time(),
	};
	uint64_t i, failed = 0, stopped = 0;
	int code;

	progress.next = progress.start + PROGRESS_TERMINAL_US;
	for (i = 0; i < args->nr_runs && (failed == 0 || args->keep_going); i++) {
		struct run_options opt = args->run;
		struct run_result result = {0};
		g_autoptr(GError) error = NULL;

		opt.seed += i;
		if (!run_scenario(&opt, no_sinks, &result, &error)) {
			progress_clear(&progress);
			code = code_of_error(error);
			if (code == EXIT_INTERRUPTED)
				break;
			if (code != EXIT_LIMIT)
				return code;
			stopped++;
		}
		if (result.nr_violations > 0) {
			failed++;
			progress_clear(&progress);
			code = run_once(args, opt.seed);
			if (code == EXIT_CLEAN)
				cli_error("internal error: seed %" G_GUINT64_FORMAT " failed and "
					  "passed when it was repeated",
					  opt.seed);
			if (code != EXIT_VIOLATION)
				return code == EXIT_CLEAN ? EXIT_INTERNAL : code;
		}
		progress_show(&progress, i + 1, args->nr_runs, failed);
	}
	progress_clear(&progress);
	code = put_tally(args, i, failed, stopped);
	if (code != EXIT_CLEAN)
		return code;
	if (cli_interrupted)
		return EXIT_INTERRUPTED;
	return failed > 0 ? EXIT_VIOLATION : stopped > 0 ? EXIT_LIMIT : EXIT_CLEAN;
}

static int run_run(const struct command *self, int argc, char **argv)
{
	struct run_args args = {0};
	int code = EXIT_CLEAN;

	switch (run_args_parse(self, argc, argv, &args)) {
	case PARSED:
		code = args.nr_runs > 1 ? run_many(&args) : run_once(&args, args.run.seed);
		break;
	case PARSED_HELP:
		break;
	case PARSED_WRONG:
		code = EXIT_USAGE;
		break;
	}
	run_args_clear(&args);
	return code;
}

const struct command command_run = {
	.name = "run",
	.params = "FILE",
	.summary = "Run a scenario and check it",
	.description =
		"Prints the verdict, the timeline if it is short, and what was left at the end.  "
		"With -o DIR,\nDIR/NAME.trace.jsonl and DIR/NAME.txt are written as well; "
		"existing files are only replaced\nwith --force.\n\n"
		"Examples:\n"
		"  slabsim run scenarios/demo.lua\n"
		"  slabsim run scenarios/demo.lua --order random --runs 1000 -q\n"
		"  slabsim run scenarios/demo.lua --lifecycle seed1-v4 -o out\n",
	.run = run_run,
};
