// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim run FILE: run a scenario, once or with many seeds, and report.
 */

#include "lua/ordering.h"
#include "reports/json.h"
#include "reports/suggest.h"
#include "sim/base/assert.h"
#include "sim/cli/job.h"
#include "sim/cli/progress.h"
#include "sim/explore/ordering/ordering.h"
#include "sim/explore/read_file.h"

/* ---- running ------------------------------------------------------------- */

static struct run_options with_signals(const struct run_options *opt)
{
	struct run_options with = *opt;

	with.interrupted = &cli_interrupted;
	return with;
}

static bool run_scenario(struct run_args *args, uint64_t seed, struct run_sink *const *sinks,
			 struct run_result *result, GError **error)
{
	struct run_options opt = with_signals(&args->run);
	struct run *script = g_steal_pointer(&args->script);
	bool ok;

	opt.seed = seed;
	cli_run_active = 1;
	if (args->table)
		ok = ordering_run(&opt, args->table, sinks, result, error);
	else if (script)
		ok = script_run(script, &opt, sinks, result, error);
	else
		ok = scenario_run(&opt, sinks, result, error);
	cli_run_active = 0;
	return ok;
}

/* Without sinks, and loaded once for all seeds: several times faster. */
static bool run_seed(struct run_args *args, struct run *loaded, uint64_t seed,
		     struct run_result *result, GError **error)
{
	struct run_options opt = with_signals(&args->run);
	bool ok;

	if (args->table)
		return run_scenario(args, seed, NULL, result, error);
	opt.seed = seed;
	cli_run_active = 1;
	ok = scenario_run_again(loaded, &opt, NULL, result, error);
	cli_run_active = 0;
	return ok;
}

/* With everything recorded.  What a limit stopped is reported as far as it came. */
static int run_recorded(struct run_args *args, struct job *job, uint64_t seed)
{
	g_autoptr(GError) error = NULL;
	int code = EXIT_CLEAN, report_code;

	if (!job_open(job, &error))
		return code_of_error(error);
	sim_assert_context(job->replay);
	if (!run_scenario(args, seed, job->sinks, &job->result, &error)) {
		code = code_of_error(error);
		/* Without a first line there is nothing to report. */
		if ((code != EXIT_LIMIT && code != EXIT_INTERRUPTED) || job->tf->nr_cpus == 0)
			return code;
		if (job->result.nr_violations == 0)
			job->result.verdict = VERDICT_INCOMPLETE;
		g_clear_error(&error);
	}
	if (!job_close(job, &error))
		return code_of_error(error);
	report_code = job_report(job);
	if (seed == args->run.seed)
		note_idle_variants(args, &job->result);
	if (report_code != EXIT_CLEAN)
		return report_code;
	if (code == EXIT_INTERRUPTED)
		return code;
	return job->result.nr_violations > 0 ? EXIT_VIOLATION
	       : code != EXIT_CLEAN	     ? code
					     : code_of_verdict(job->result.verdict);
}

static int run_once(struct run_args *args, uint64_t seed)
{
	g_autofree char *base = g_path_get_basename(args->path);
	struct job job = {
		.args = args,
		.replay = run_args_replay(args, args->path, seed),
		.replay_in_dir = run_args_replay(args, base, seed),
		/* With many runs only the failing ones leave files, told apart by their seeds. */
		.tag = args->nr_runs > 1 ? g_strdup_printf(".seed-%" G_GUINT64_FORMAT, seed) : NULL,
	};
	int code = run_recorded(args, &job, seed);

	job_clear(&job);
	return code;
}

/* ---- many runs ----------------------------------------------------------- */

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

/* A failing run is repeated with everything recorded, which a deterministic run allows. */
static int show_failure(struct run_args *args, uint64_t seed)
{
	int code = run_once(args, seed);

	if (code != EXIT_CLEAN)
		return code;
	cli_error("internal error: seed %" G_GUINT64_FORMAT
		  " failed and passed when it was repeated",
		  seed);
	return EXIT_INTERNAL;
}

static int run_seeds(struct run_args *args, struct run *loaded)
{
	struct progress progress;
	uint64_t i, failed = 0, stopped = 0;
	int code;

	progress_init(&progress, args->quiet);
	for (i = 0; i < args->nr_runs && (failed == 0 || args->keep_going); i++) {
		uint64_t seed = args->run.seed + i;
		struct run_result result = {0};
		g_autoptr(GError) error = NULL;

		if (!run_seed(args, loaded, seed, &result, &error)) {
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
			code = show_failure(args, seed);
			if (code != EXIT_VIOLATION)
				return code;
		}
		if (progress_is_due(&progress))
			progress_show(&progress,
				      "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
				      " runs, %" G_GUINT64_FORMAT " failed, %.0f a second",
				      i + 1, args->nr_runs, failed,
				      (double)(i + 1) / progress_seconds(&progress));
	}
	progress_clear(&progress);
	code = put_tally(args, i, failed, stopped);
	if (code != EXIT_CLEAN)
		return code;
	if (cli_interrupted)
		return EXIT_INTERRUPTED;
	return failed > 0 ? EXIT_VIOLATION : stopped > 0 ? EXIT_LIMIT : EXIT_CLEAN;
}

static int run_many(struct run_args *args)
{
	const struct run_options opt = with_signals(&args->run);
	g_autoptr(GError) error = NULL;
	struct run *loaded;
	int code;

	if (args->table)
		return run_seeds(args, NULL);
	g_clear_pointer(&args->script, session_close);
	loaded = scenario_open(&opt, &error);
	if (!loaded)
		return code_of_error(error);
	code = run_seeds(args, loaded);
	session_close(loaded);
	return code;
}

/* ---- race tables --------------------------------------------------------- */

/* The scenario's own table.  A script without one stays open: it is run as it is. */
static char *read_own_table(struct run_args *args, GError **error)
{
	struct run *script = script_open(&args->run, error);
	char *text;

	if (!script)
		return NULL;
	text = script_ordering(script, error);
	if (text || *error)
		session_close(script);
	else
		args->script = script;
	return text;
}

/* From the file that was named, else the scenario's own unless another order was. */
static char *read_table(struct run_args *args, GError **error)
{
	static const struct file_kind kind = {.what = "race table", .max = ORDERING_BYTES_MAX};
	char *text;
	size_t size;

	if (!args->ordering)
		return args->order_given ? NULL : read_own_table(args, error);
	text = read_file(args->ordering, &kind, &size, error);
	if (!text) {
		g_prefix_error(error, "--ordering: ");
	} else if (strlen(text) < size) {
		g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_USAGE,
			    "--ordering: '%s' is no text: it has a zero byte", args->ordering);
		g_clear_pointer(&text, g_free);
	}
	return text;
}

static void remark(const char *text)
{
	cli_note(false, "%s", text);
}

static int run_in_order(struct run_args *args)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = read_table(args, &error);
	g_autofree char *own = g_strdup_printf("%s: ordering", args->path);
	const struct ordering_table table = {
		.text = text,
		.where = args->ordering ? args->ordering : own,
		.suggest = suggest,
		.remark = remark,
	};
	int code;

	if (error)
		return code_of_error(error);
	args->table = text ? &table : NULL;
	code = args->nr_runs > 1 ? run_many(args) : run_once(args, args->run.seed);
	args->table = NULL;
	return code;
}

static int run_run(const struct command *self, int argc, char **argv)
{
	struct run_args args = {0};
	int code = EXIT_CLEAN;
	const GOptionEntry more[] = {
		{"ordering", 0, 0, G_OPTION_ARG_FILENAME, &args.ordering,
		 "Untimed, in the order of the race table in FILE", "FILE"},
		G_OPTION_ENTRY_NULL,
	};

	switch (run_args_parse(self, ARGS_RUNS | ARGS_LIMITS, more, &argc, &argv, &args)) {
	case PARSED:
		if (argc != 2) {
			code = cli_usage(self,
					 argc < 2 ? "name a scenario" : "run takes one scenario");
			break;
		}
		if (args.ordering && args.order_given) {
			code = cli_usage(self, "--order and --ordering: one of them");
			break;
		}
		run_args_script(&args, argv[1]);
		code = run_in_order(&args);
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
		"With -o DIR,\nDIR/NAME.trace.jsonl, NAME.txt, NAME.html and, if the run failed, "
		"race table, kernel-style report and ledger\nare written as well; -o FILE.html or "
		"another name that says what belongs in it writes only that.\nExisting files are "
		"only replaced with --force.\n\n"
		"Examples:\n"
		"  slabsim run scenarios/demo.lua\n"
		"  slabsim run scenarios/demo.lua --order random --runs 1000 -q\n"
		"  slabsim run scenarios/demo.lua --lifecycle seed1-v4 -o out\n",
	.run = run_run,
};
