// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim study: run a scenario for each series and value of its study table,
 * several times each, and hold its claims against the figures.
 *
 * Replication k of every series has the seed --seed + k: what series differ in
 * is then not the luck of one of them.
 */

#include <string.h>

#include "reports/metrics.h"
#include "reports/study_results.h"
#include "sim/base/assert.h"
#include "sim/cli/job.h"
#include "sim/cli/progress.h"
#include "sim/cli/workers.h"

/* Of a worker: whether the run ended, what is wrong, the values, what the run knew. */
#define ANSWER "(umsadab)"

enum run_end { RUN_CLEAN, RUN_VIOLATED, RUN_STOPPED, RUN_WRONG, RUN_DIED };

/* Of all runs together: half a gigabyte. */
#define VALUES_MAX (UINT64_C(1) << 26)

struct study_args {
	char *path, *replications, *seed, *jobs, *dir; /* as typed */
	char **sets;
	gboolean csv, force, quiet;
	struct run_args
		limits; /* of each run: only args->max_... and what run_args_limits() sets */
	uint64_t first_seed, nr_replications;
	unsigned int nr_jobs;
};

struct studying {
	const struct study_args *args;
	struct study_plan *study;
	struct study_results *results;
	char *name;
	guint nr_x; /* 1 if all values of x come from one run */
	struct progress progress;
	guint nr_items, nr_ended, nr_violated;
	bool *known;	 /* for each metric: some run had it */
	char *violation; /* what the first run that violated says, in the order of the items */
	char *violator;	 /* its command line */
	guint violator_item;
	enum run_end end; /* of the first run that could not be used; else RUN_CLEAN */
	char *error;
	guint error_item;
};

/* ---- one run ---------------------------------------------------------------- */

/* Where an item stands: series by series, x by x, replication by replication. */
struct place {
	guint series, x;
	unsigned int run;
};

static struct place place_of(const struct studying *s, guint item)
{
	unsigned int n = s->results->replications;

	return (struct place){item / n / s->nr_x, item / n % s->nr_x, item % n};
}

/* The parameters of a run; later ones win. */
static char **sets_of(const struct studying *s, struct place at)
{
	g_autoptr(GStrvBuilder) sets = g_strv_builder_new();

	g_strv_builder_addv(sets, (const char **)study_series(s->study, at.series)->sets);
	if (s->args->sets)
		g_strv_builder_addv(sets, (const char **)s->args->sets);
	if (s->study->axis == AXIS_PARAMETER)
		g_strv_builder_add(sets, s->study->x_sets[at.x]);
	return g_strv_builder_end(sets);
}

static char *command_of(const struct studying *s, struct place at)
{
	const struct study_series *series = study_series(s->study, at.series);
	g_auto(GStrv) sets = sets_of(s, at);
	GString *command = g_string_new("slabsim run");
	g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, s->args->first_seed + at.run);

	append_option(command, NULL, s->args->path);
	append_option(command, "--lifecycle", series->lifecycle);
	for (size_t i = 0; series->variants[i]; i++)
		append_option(command, "--variant", series->variants[i]);
	for (size_t i = 0; sets[i]; i++)
		append_option(command, "--set", sets[i]);
	append_option(command, "--seed", seed);
	append_option(command, "--max-steps", s->args->limits.max_steps);
	append_option(command, "--max-time", s->args->limits.max_time);
	append_option(command, "--max-memory", s->args->limits.max_memory);
	append_option(command, "--max-instructions", s->args->limits.max_instructions);
	return g_string_free(command, FALSE);
}

static GVariant *answer(enum run_end end, const char *message, const struct studying *s,
			const struct metrics *m)
{
	guint n = s->study->metrics->len, points = metrics_points(s->study);
	GVariantBuilder values, known;

	g_variant_builder_init(&values, G_VARIANT_TYPE("ad"));
	g_variant_builder_init(&known, G_VARIANT_TYPE("ab"));
	for (guint i = 0; i < n; i++) {
		for (guint p = 0; p < points; p++)
			g_variant_builder_add(&values, "d", metrics_value(m, i, p));
		g_variant_builder_add(&known, "b", metrics_known(m, i));
	}
	return g_variant_new(ANSWER, (guint32)end, message, &values, &known);
}

static GVariant *answer_error(const GError *error, const struct studying *s,
			      const struct metrics *m)
{
	bool limit = g_error_matches(error, SLABSIM_ERROR, SLABSIM_ERROR_LIMIT);

	return answer(limit ? RUN_STOPPED : RUN_WRONG, error->message, s, m);
}

static GVariant *run_measured(const struct studying *s, const struct run_options *opt,
			      struct metrics *m)
{
	struct run_sink *sinks[] = {metrics_sink(m), NULL};
	g_autofree char *message = NULL;
	g_autoptr(GError) error = NULL;
	struct run_result result;
	struct run *run = session_open(opt, sinks, &error);
	const struct violation *v;
	bool ok;

	if (!run)
		return answer_error(error, s, m);
	session_result(run, &result);
	metrics_start(m, result.end);
	ok = session_run(run, &result, &error);
	session_close(run);
	if (!ok)
		return answer_error(error, s, m);
	metrics_end(m, result.end);
	if (result.nr_violations == 0)
		return answer(RUN_CLEAN, NULL, s, m);
	v = &result.violations[0];
	message = g_strdup_printf("%s: %s", v->ops->name, v->text);
	return answer(RUN_VIOLATED, message, s, m);
}

/* In the worker. */
static GVariant *work(void *arg, guint item)
{
	const struct studying *s = arg;
	struct place at = place_of(s, item);
	const struct study_series *series = study_series(s->study, at.series);
	g_auto(GStrv) sets = sets_of(s, at);
	g_autofree char *command = command_of(s, at);
	struct run_options opt = s->args->limits.run;
	struct metrics *m = metrics_new(s->study);
	GVariant *v;

	opt.path = s->args->path;
	opt.lifecycle = series->lifecycle;
	opt.variants = (const char *const *)series->variants;
	opt.sets = (const char *const *)sets;
	opt.seed = s->args->first_seed + at.run;
	sim_assert_context(command);
	v = run_measured(s, &opt, m);
	metrics_free(m);
	return v;
}

/* ---- in the parent ---------------------------------------------------------- */

static void take_values(struct studying *s, guint item, GVariant *values, GVariant *known)
{
	struct place at = place_of(s, item);
	guint n = s->study->metrics->len, points = metrics_points(s->study);

	for (guint i = 0; i < n; i++) {
		gboolean is_known;

		g_variant_get_child(known, i, "b", &is_known);
		s->known[i] |= is_known;
		for (guint p = 0; p < points; p++) {
			double v;

			g_variant_get_child(values, i * points + p, "d", &v);
			study_results_set(s->results, i, at.series, at.x + p, at.run, v);
		}
	}
}

static void take_violation(struct studying *s, guint item, const char *message)
{
	s->nr_violated++;
	if (s->violation && s->violator_item < item)
		return;
	g_free(s->violation);
	g_free(s->violator);
	s->violation = g_strdup(message);
	s->violator = command_of(s, place_of(s, item));
	s->violator_item = item;
}

static void take_error(struct studying *s, guint item, enum run_end end, const char *message,
		       const char *log)
{
	g_autofree char *command = command_of(s, place_of(s, item));

	/* Whichever ends first: the first in the order of the items is told. */
	if (s->end != RUN_CLEAN && s->error_item < item)
		return;
	s->end = end;
	s->error_item = item;
	g_free(s->error);
	s->error = g_strdup_printf("%s\n    %s%s%s", message, command, log ? "\n" : "",
				   log ? log : "");
}

static void take_result(void *arg, guint item, const struct worker_result *r)
{
	struct studying *s = arg;
	g_autoptr(GVariant) values = NULL, known = NULL;
	const char *message;
	guint32 end;

	s->nr_ended++;
	if (r->death) {
		take_error(s, item, RUN_DIED, r->death, r->log);
		return;
	}
	g_variant_get(r->answer, "(um&s@ad@ab)", &end, &message, &values, &known);
	if (end == RUN_STOPPED || end == RUN_WRONG) {
		take_error(s, item, (enum run_end)end, message, NULL);
		return;
	}
	take_values(s, item, values, known);
	if (end == RUN_VIOLATED)
		take_violation(s, item, message);
}

static bool go_on(void *arg, guint item)
{
	const struct studying *s = arg;

	return s->end == RUN_CLEAN || item < s->error_item;
}

static void show(void *arg, guint nr_ended)
{
	struct studying *s = arg;

	if (progress_is_due(&s->progress))
		progress_show(&s->progress, "%u of %u runs", nr_ended, s->nr_items);
}

static void run_all(struct studying *s)
{
	const struct workers_options pool = {
		.nr_items = s->nr_items,
		.nr_jobs = s->args->nr_jobs,
		.answer = ANSWER,
		.work = work,
		.result = take_result,
		.ended = go_on,
		.progress = show,
		.arg = s,
	};

	progress_init(&s->progress, s->args->quiet);
	workers_run(&pool);
	progress_clear(&s->progress);
}

/* A slip of the pen in a name would otherwise be a row of zeros. */
static bool all_known(const struct studying *s)
{
	for (guint i = 0; i < s->study->metrics->len; i++) {
		const struct study_metric *m = study_metric(s->study, i);
		const struct measure *per = m->per;

		if (s->known[i])
			continue;
		cli_error(
			"%s: metric '%s': no run had a lock or measured a value called '%s'%s%s%s",
			s->args->path, m->name, m->measure.what, per && per->what ? " or '" : "",
			per && per->what ? per->what : "", per && per->what ? "'" : "");
		return false;
	}
	return true;
}

/* ---- what is said ----------------------------------------------------------- */

static const char *outcome(const struct studying *s)
{
	if (s->nr_violated > 0)
		return "INVALID";
	return s->study->claims[study_supported(s->results)] ? "NOT SUPPORTED" : "SUPPORTED";
}

static void put_text(const struct studying *s, bool tables, struct output *o)
{
	guint nr_claims = g_strv_length(s->study->claims);

	if (tables) {
		study_text_tables(s->results, o);
		output_str(o, "\nCLAIMS\n");
	}
	study_text_claims(s->results, o);
	if (s->nr_violated > 0)
		output_printf(o, "\n%u of %u runs broke an invariant; the first:\n  %s\n  %s\n",
			      s->nr_violated, s->nr_items, s->violation, s->violator);
	output_printf(o, "%s%s: %s %u of %u claim%s; %u run%s\n", tables ? "\n" : "", s->name,
		      outcome(s), study_supported(s->results), nr_claims, nr_claims == 1 ? "" : "s",
		      s->nr_items, s->nr_items == 1 ? "" : "s");
}

/* The files of -o, open from the beginning: rather fail before the runs than after. */
struct files {
	struct output *text, *csv; /* NULL without -o */
	char *text_path, *csv_path;
};

static bool files_open(const struct studying *s, struct files *f, GError **error)
{
	const char *dir = s->args->dir;

	if (!dir)
		return true;
	if (!job_make_dir(dir, error))
		return false;
	f->csv_path = g_strconcat(dir, "/", s->name, ".csv", NULL);
	f->text_path = g_strconcat(dir, "/", s->name, ".study.txt", NULL);
	f->csv = output_open(f->csv_path, s->args->force, error);
	if (f->csv)
		f->text = output_open(f->text_path, s->args->force, error);
	return f->text != NULL;
}

static bool file_close(const struct studying *s, struct output **o, const char *path,
		       GError **error)
{
	if (!output_close(g_steal_pointer(o), error))
		return false;
	cli_note(s->args->quiet, "wrote %s", path);
	return true;
}

static bool files_close(const struct studying *s, struct files *f, GError **error)
{
	if (!f->csv)
		return true;
	study_csv(s->results, f->csv);
	put_text(s, true, f->text);
	return file_close(s, &f->csv, f->csv_path, error) &&
	       file_close(s, &f->text, f->text_path, error);
}

static void files_clear(struct files *f)
{
	output_discard(f->csv);
	output_discard(f->text);
	g_free(f->csv_path);
	g_free(f->text_path);
}

static int put_results(const struct studying *s, struct files *f)
{
	g_autoptr(GError) error = NULL;
	struct output *o = output_open("-", false, NULL);
	bool good = s->nr_violated == 0 && !s->study->claims[study_supported(s->results)];
	int code;

	if (s->args->csv)
		study_csv(s->results, o);
	else
		put_text(s, !s->args->quiet, o);
	code = cli_close(o);
	if (code != EXIT_CLEAN)
		return code;
	if (!files_close(s, f, &error))
		return code_of_error(error);
	return good ? EXIT_CLEAN : EXIT_VIOLATION;
}

/* ---- the whole -------------------------------------------------------------- */

static int judge(struct studying *s)
{
	struct run_options opt = s->args->limits.run;
	g_autoptr(GError) error = NULL;

	opt.path = s->args->path;
	if (cli_interrupted) {
		cli_error("interrupted after %u of %u runs", s->nr_ended, s->nr_items);
		return EXIT_INTERRUPTED;
	}
	if (s->end != RUN_CLEAN) {
		cli_error("%s", s->error);
		return s->end == RUN_STOPPED ? EXIT_LIMIT
		       : s->end == RUN_DIED  ? EXIT_INTERNAL
					     : EXIT_USAGE;
	}
	if (!all_known(s))
		return EXIT_USAGE;
	study_results_finish(s->results);
	if (!study_judge(&opt, s->study, s->results->cells, s->results->t, s->results->verdicts,
			 &error))
		return code_of_error(error);
	return EXIT_CLEAN;
}

/* The axis gives that parameter its values. */
static bool check_sets(const struct studying *s)
{
	const char *parameter = s->study->parameter;

	for (char **set = s->args->sets; parameter && set && *set; set++) {
		size_t n = strlen(parameter);

		if (strncmp(*set, parameter, n) == 0 && (*set)[n] == '=') {
			cli_error("--set %s: the study itself goes through values of '%s'", *set,
				  parameter);
			return false;
		}
	}
	return true;
}

static bool check_size(const struct study_plan *s, unsigned int replications)
{
	uint64_t n = (uint64_t)s->series->len * s->x->len * s->metrics->len * replications;

	if (n <= VALUES_MAX)
		return true;
	cli_error("%" G_GUINT64_FORMAT " values are too many; fewer replications would do", n);
	return false;
}

static int study_with(const struct study_args *args)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *base = g_path_get_basename(args->path);
	struct studying s = {.args = args};
	struct files files = {0};
	unsigned int n;
	int code;

	s.study = study_plan_read(args->path, &error);
	if (!s.study)
		return code_of_error(error);
	s.name = g_str_has_suffix(base, ".lua") ? g_strndup(base, strlen(base) - 4)
						: g_strdup(base);
	n = args->nr_replications ? (unsigned int)args->nr_replications : s.study->replications;
	if (!check_size(s.study, n)) {
		study_plan_free(s.study);
		g_free(s.name);
		return EXIT_USAGE;
	}
	s.results = study_results_new(s.study, s.name, args->first_seed, n);
	s.known = g_new0(bool, s.study->metrics->len);
	s.nr_x = s.study->axis == AXIS_PARAMETER ? s.study->x->len : 1;
	s.nr_items = s.study->series->len * s.nr_x * n;
	if (!check_sets(&s)) {
		code = EXIT_USAGE;
	} else if (!files_open(&s, &files, &error)) {
		code = code_of_error(error);
	} else {
		run_all(&s);
		code = judge(&s);
		if (code == EXIT_CLEAN)
			code = put_results(&s, &files);
	}
	files_clear(&files);
	study_results_free(s.results);
	study_plan_free(s.study);
	g_free(s.known);
	g_free(s.name);
	g_free(s.violation);
	g_free(s.violator);
	g_free(s.error);
	return code;
}

static bool check_numbers(const struct command *cmd, struct study_args *args)
{
	uint64_t jobs = g_get_num_processors();

	args->first_seed = 1;
	if (args->seed && !parse_u64(args->seed, &args->first_seed)) {
		cli_usage(cmd, "--seed takes a number, not '%s'", args->seed);
		return false;
	}
	if (args->replications &&
	    (!parse_u64(args->replications, &args->nr_replications) || args->nr_replications == 0 ||
	     args->nr_replications > STUDY_REPLICATIONS_MAX)) {
		cli_usage(cmd, "--replications takes a number from 1 to %d, not '%s'",
			  STUDY_REPLICATIONS_MAX, args->replications);
		return false;
	}
	if (args->jobs && (!parse_u64(args->jobs, &jobs) || jobs == 0 || jobs > WORKERS_MAX)) {
		cli_usage(cmd, "--jobs takes a number from 1 to %d, not '%s'", WORKERS_MAX,
			  args->jobs);
		return false;
	}
	args->nr_jobs = (unsigned int)MIN(jobs, WORKERS_MAX);
	return true;
}

static int run_study(const struct command *self, int argc, char **argv)
{
	struct study_args args = {0};
	const GOptionEntry entries[] = {
		{"replications", 0, 0, G_OPTION_ARG_FILENAME, &args.replications,
		 "Runs with different seeds for each value (default: the study's)", "N"},
		{"seed", 0, 0, G_OPTION_ARG_FILENAME, &args.seed, "Of the first one (default 1)",
		 "N"},
		{"set", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &args.sets,
		 "Set a parameter of the scenario; repeatable", "NAME=VALUE"},
		{"jobs", 'j', 0, G_OPTION_ARG_FILENAME, &args.jobs,
		 "How many runs at a time (default: one for each CPU)", "N"},
		{"output", 'o', 0, G_OPTION_ARG_FILENAME, &args.dir,
		 "Write DIR/NAME.csv and DIR/NAME.study.txt", "DIR"},
		{"force", 'f', 0, G_OPTION_ARG_NONE, &args.force, "Replace existing files", NULL},
		{"csv", 0, 0, G_OPTION_ARG_NONE, &args.csv, "Print the CSV instead of tables",
		 NULL},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &args.quiet, "Only the claims", NULL},
		{"max-time", 0, 0, G_OPTION_ARG_FILENAME, &args.limits.max_time,
		 "Stop a run after so much virtual time: 500us, 2s", "TIME"},
		{"max-steps", 0, 0, G_OPTION_ARG_FILENAME, &args.limits.max_steps,
		 "Stop a run after so many steps", "N"},
		{"max-memory", 0, 0, G_OPTION_ARG_FILENAME, &args.limits.max_memory,
		 "Memory of the simulated world: 512M, 8G", "SIZE"},
		{"max-instructions", 0, 0, G_OPTION_ARG_FILENAME, &args.limits.max_instructions,
		 "Stop a run after so many of Lua", "N"},
		G_OPTION_ENTRY_NULL,
	};
	int code = EXIT_USAGE;

	switch (cli_parse(self, entries, &argc, &argv)) {
	case PARSED:
		if (argc != 2) {
			cli_usage(self, argc < 2 ? "name a study" : "study takes one scenario");
		} else if (check_numbers(self, &args) && run_args_limits(self, &args.limits)) {
			args.path = g_strdup(argv[1]);
			code = study_with(&args);
		}
		break;
	case PARSED_HELP:
		code = EXIT_CLEAN;
		break;
	case PARSED_WRONG:
		break;
	}
	g_free(args.path);
	g_free(args.replications);
	g_free(args.seed);
	g_free(args.jobs);
	g_free(args.dir);
	g_strfreev(args.sets);
	run_args_clear(&args.limits);
	return code;
}

const struct command command_study = {
	.name = "study",
	.params = "FILE",
	.summary = "Measure a scenario many times and test what is claimed of it",
	.description =
		"Runs what the study table of the scenario asks for: each series at each value, "
		"several times with\ndifferent seeds.  Prints a table for each metric, and whether "
		"the figures support each claim; the\nexit status is 1 if they do not.  The same "
		"seed gives the same figures, whatever --jobs says.\ndocs/studies.md describes "
		"the table.\n\n"
		"Examples:\n"
		"  slabsim study scenarios/studies/churn.lua\n"
		"  slabsim study mine.lua --replications 20 --seed 100 -o out\n",
	.run = run_study,
};
