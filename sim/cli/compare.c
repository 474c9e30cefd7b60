// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim compare FILE: one scenario in several lifecycles, side by side.
 */

#include "reports/compare.h"

#include <string.h>

#include "sim/base/assert.h"
#include "sim/cli/job.h"
#include "sim/cli/progress.h"
#include "sim/explore/explore.h"
#include "sim/lifecycle/info.h"

#define SEARCH_MAX 1000000000

/* One of those that are compared. */
struct candidate {
	char *label;	 /* as typed */
	char *lifecycle; /* its name alone */
	char **variants; /* besides those of all */
};

struct comparing {
	struct run_args args;
	char *names; /* as typed: a,b,c */
	char *search;
	gboolean csv;
	uint64_t nr_orderings; /* to search in each; 0: do not */
	GPtrArray *candidates;
	GPtrArray *all; /* struct compared */
	struct progress progress;
};

/* ---- the command line ---------------------------------------------------- */

static void candidate_free(gpointer p)
{
	struct candidate *c = p;

	g_free(c->label);
	g_free(c->lifecycle);
	g_strfreev(c->variants);
	g_free(c);
}

/* "v5.3", or "v5.3+none+-refkill-vs-destroy" with variants of its own. */
static struct candidate *candidate_of(const char *label)
{
	struct candidate *c = g_new0(struct candidate, 1);
	size_t n = strcspn(label, "+");
	g_auto(GStrv) parts = NULL;

	c->label = g_strdup(label);
	c->lifecycle = g_strndup(label, n);
	/* With a name for each plus, if only an empty one, which is then refused. */
	parts = g_strsplit(label + n, "+", -1);
	c->variants = g_strdupv(parts[0] ? parts + 1 : parts);
	return c;
}

static bool check_candidate(const struct candidate *c)
{
	return check_lifecycle(c->lifecycle) && check_variants(c->variants);
}

static bool check_lifecycles(struct comparing *x)
{
	g_auto(GStrv) labels = x->names ? g_strsplit(x->names, ",", -1) : NULL;

	for (size_t i = 0; labels && labels[i]; i++) {
		struct candidate *c = candidate_of(labels[i]);

		g_ptr_array_add(x->candidates, c);
		if (!check_candidate(c))
			return false;
	}
	for (size_t i = 0; !labels && lifecycle_infos[i]; i++)
		g_ptr_array_add(x->candidates, candidate_of(lifecycle_infos[i]->name));
	return true;
}

static bool check_options(const struct command *cmd, struct comparing *x)
{
	if (x->args.lifecycle) {
		cli_usage(cmd, "compare takes --lifecycles a,b,c");
		return false;
	}
	if (x->csv && x->args.json) {
		cli_usage(cmd, "--csv and --json exclude each other");
		return false;
	}
	if (x->search && (!parse_u64(x->search, &x->nr_orderings) || x->nr_orderings == 0 ||
			  x->nr_orderings > SEARCH_MAX)) {
		cli_usage(cmd, "--search takes a number from 1 to %d, not '%s'", SEARCH_MAX,
			  x->search);
		return false;
	}
	return check_lifecycles(x);
}

static enum parsed parse(const struct command *cmd, int argc, char **argv, struct comparing *x)
{
	const GOptionEntry entries[] = {
		{"lifecycles", 0, 0, G_OPTION_ARG_FILENAME, &x->names,
		 "Which ones, separated by commas (default: all); each may have variants of its "
		 "own: v5.3+none",
		 "NAMES"},
		{"search", 0, 0, G_OPTION_ARG_FILENAME, &x->search,
		 "Try N random orderings as well where the run is clean", "N"},
		{"csv", 0, 0, G_OPTION_ARG_NONE, &x->csv, "CSV on standard output", NULL},
		G_OPTION_ENTRY_NULL,
	};
	enum parsed parsed = run_args_parse(cmd, ARGS_LIMITS, entries, &argc, &argv, &x->args);

	if (parsed == PARSED && argc != 2) {
		cli_usage(cmd, argc < 2 ? "name a scenario" : "compare takes one scenario");
		parsed = PARSED_WRONG;
	}
	if (parsed == PARSED && !check_options(cmd, x))
		parsed = PARSED_WRONG;
	if (parsed == PARSED)
		run_args_script(&x->args, argv[1]);
	return parsed;
}

/* ---- one lifecycle ------------------------------------------------------- */

struct figures_sink {
	struct run_sink sink; /* first: a sink is cast back to it */
	struct figures *figures;
};

static void take_record(struct run_sink *sink, const struct trace_record *r)
{
	figures_record(((struct figures_sink *)sink)->figures, r);
}

static void ignore_violation(struct run_sink *sink, const struct violation *v, unsigned int nr)
{
	(void)sink;
	(void)v;
	(void)nr;
}

static void take_result(struct compared *c, const struct job *job)
{
	const struct trace_file *tf = job->tf;

	figures_end(c->figures, tf->end);
	c->end = tf->end;
	c->nr_dying = tf->summary->series[SERIES_DYING].now;
	c->replay = g_strdup(job->replay);
	c->verdict = g_ascii_strup(verdict_name(tf->verdict), -1);
	if (tf->violations->len > 0) {
		const struct trace_violation *v = trace_file_blamed(tf);

		c->checker = g_strdup(v->rule);
		c->violation = g_strdup(v->msg);
	}
}

/* What a limit stopped is a row like others; other errors end the comparison. */
static bool run_recorded(struct job *job, struct compared *c, GError **error)
{
	struct figures_sink figures = {.sink = {NULL, take_record, ignore_violation},
				       .figures = c->figures};
	struct run_options opt = job->args->run;
	g_autoptr(GError) stopped = NULL;
	struct run_sink *sinks[G_N_ELEMENTS(job->sinks) + 1] = {&figures.sink, NULL};
	bool limit;

	if (!job_open(job, error))
		return false;
	for (int i = 0; job->sinks[i]; i++)
		sinks[i + 1] = job->sinks[i];
	opt.interrupted = &cli_interrupted;
	sim_assert_context(job->replay);
	scenario_run(&opt, sinks, &job->result, &stopped);
	limit = g_error_matches(stopped, SLABSIM_ERROR, SLABSIM_ERROR_LIMIT);
	if (stopped && (!limit || job->tf->nr_cpus == 0)) {
		g_propagate_error(error, g_steal_pointer(&stopped));
		return false;
	}
	if (limit && job->result.nr_violations == 0)
		job->result.verdict = VERDICT_INCOMPLETE;
	if (!job_close(job, error))
		return false;
	take_result(c, job);
	if (limit && !c->violation)
		c->violation = g_strdup(stopped->message);
	return true;
}

/* The timed run was clean: is there an ordering that is not? */
static bool search(struct comparing *x, const struct run_args *args, struct compared *c,
		   GError **error)
{
	const struct explore_options how = {
		.strategy = STRATEGY_PCT,
		.seed = args->run.seed,
		.max_runs = x->nr_orderings,
		.interrupted = &cli_interrupted,
	};
	struct run_options opt = args->run;
	struct explore_result result;
	struct run *run;
	bool ok;

	opt.order = ORDER_RANDOM;
	run = session_open(&opt, NULL, error);
	if (!run)
		return false;
	explore(session_subject(run), &how, &result);
	ok = !result.error;
	if (!ok) {
		g_propagate_error(error, g_steal_pointer(&result.error));
	} else if (result.findings->len > 0) {
		const struct finding *f = g_ptr_array_index(result.findings, 0);
		g_autofree char *more = g_strdup_printf(
			" --strategy pct --max-runs %" G_GUINT64_FORMAT, x->nr_orderings);

		g_free(c->verdict);
		g_free(c->replay);
		c->verdict = g_strdup("FAIL");
		c->checker = g_strdup(f->violation.ops->name);
		c->violation = g_strdup(f->violation.text);
		c->found = g_strdup_printf("in random ordering %" G_GUINT64_FORMAT, f->run);
		c->replay = run_args_explore(args, more);
	}
	explore_result_clear(&result);
	session_close(run);
	return ok;
}

/* Those of all, then its own: the later one wins. */
static GPtrArray *variants_of(const struct comparing *x, const struct candidate *candidate)
{
	GPtrArray *variants = g_ptr_array_new();

	for (size_t i = 0; x->args.variants && x->args.variants[i]; i++)
		g_ptr_array_add(variants, x->args.variants[i]);
	for (size_t i = 0; candidate->variants[i]; i++)
		g_ptr_array_add(variants, candidate->variants[i]);
	g_ptr_array_add(variants, NULL);
	return variants;
}

static bool compare_one(struct comparing *x, const struct candidate *candidate, GError **error)
{
	g_autoptr(GPtrArray) variants = variants_of(x, candidate);
	struct run_args args = x->args;
	g_autofree char *base = g_path_get_basename(args.path);
	struct compared *c = g_new0(struct compared, 1);
	struct job job = {.args = &args};
	bool ok;

	args.lifecycle = candidate->lifecycle;
	args.variants = (char **)variants->pdata;
	args.run.lifecycle = args.lifecycle;
	args.run.variants = (const char *const *)args.variants;
	job.tag = g_strconcat(".", candidate->label, NULL);
	job.replay = run_args_replay(&args, args.path, args.run.seed);
	job.replay_in_dir = run_args_replay(&args, base, args.run.seed);
	c->lifecycle = g_strdup(candidate->label);
	c->figures = figures_new();
	ok = run_recorded(&job, c, error);
	if (ok && x->nr_orderings > 0 && job.result.verdict == VERDICT_PASS)
		ok = search(x, &args, c, error);
	job_clear(&job);
	if (ok)
		g_ptr_array_add(x->all, c);
	else
		compared_free(c);
	return ok;
}

/* ---- all of them --------------------------------------------------------- */

static bool compare_all(struct comparing *x, GError **error)
{
	/* A table of the scenario's own says nothing about time. */
	struct run *script = script_open(&x->args.run, error);
	g_autofree char *table = script ? script_ordering(script, error) : NULL;
	bool ok = !*error;

	if (script)
		session_close(script);
	x->args.order_given = table != NULL;
	progress_init(&x->progress, x->args.quiet);
	for (guint i = 0; ok && i < x->candidates->len; i++) {
		const struct candidate *c = g_ptr_array_index(x->candidates, i);

		if (progress_is_due(&x->progress))
			progress_show(&x->progress, "%s, %u of %u", c->label, i + 1,
				      x->candidates->len);
		cli_run_active = 1;
		ok = compare_one(x, c, error);
		cli_run_active = 0;
	}
	progress_clear(&x->progress);
	return ok;
}

static void put_title(const struct comparing *x, struct output *o)
{
	const struct run_args *args = &x->args;

	output_printf(o, "%s: a timed run in each lifecycle, seed %" G_GUINT64_FORMAT, args->name,
		      args->run.seed);
	if (x->nr_orderings > 0)
		output_printf(o, ", then up to %" G_GUINT64_FORMAT " random orderings (pct)",
			      x->nr_orderings);
	for (size_t i = 0; args->variants && args->variants[i]; i++)
		output_printf(o, "%s%s", i ? " " : "; variants: ", args->variants[i]);
	output_str(o, "\nFigures of the timed run, without its set-up\n\n");
}

static int put_all(const struct comparing *x)
{
	struct output *o = output_open("-", false, NULL);

	if (x->csv) {
		compare_csv(x->all, o);
	} else if (x->args.json) {
		compare_json(x->all, o);
	} else {
		put_title(x, o);
		compare_text(x->all, cli_use_color(x->args.color), x->args.quiet, o);
	}
	return cli_close(o);
}

static int code_of_all(const struct comparing *x)
{
	int code = EXIT_CLEAN;

	for (guint i = 0; i < x->all->len; i++) {
		const struct compared *c = g_ptr_array_index(x->all, i);

		if (strcmp(c->verdict, "FAIL") == 0)
			return EXIT_VIOLATION;
		if (strcmp(c->verdict, "PASS") != 0)
			code = EXIT_LIMIT;
	}
	return code;
}

static int compare(struct comparing *x)
{
	g_autoptr(GError) error = NULL;
	int code = compare_all(x, &error) ? EXIT_CLEAN : code_of_error(error);

	if (code != EXIT_CLEAN && code != EXIT_INTERRUPTED)
		return code;
	if (x->all->len > 0) {
		int put = put_all(x);

		if (put != EXIT_CLEAN)
			return put;
	}
	if (code == EXIT_CLEAN && cli_interrupted)
		code = EXIT_INTERRUPTED;
	return code == EXIT_CLEAN ? code_of_all(x) : code;
}

static int run_compare(const struct command *self, int argc, char **argv)
{
	struct comparing x = {
		.candidates = g_ptr_array_new_with_free_func(candidate_free),
		.all = g_ptr_array_new_with_free_func(compared_free),
	};
	int code = EXIT_CLEAN;

	switch (parse(self, argc, argv, &x)) {
	case PARSED:
		code = compare(&x);
		break;
	case PARSED_HELP:
		break;
	case PARSED_WRONG:
		code = EXIT_USAGE;
		break;
	}
	g_ptr_array_unref(x.candidates);
	g_ptr_array_unref(x.all);
	g_free(x.names);
	g_free(x.search);
	run_args_clear(&x.args);
	return code;
}

const struct command command_compare = {
	.name = "compare",
	.params = "FILE",
	.summary = "Run a scenario in several lifecycles, side by side",
	.description =
		"Runs the scenario by virtual time in each lifecycle and prints tables: verdict "
		"and first\nviolation, cgroups that are removed and not free at the end, how long "
		"after the last removal\neverything was gone, rcu_barrier() calls, grace periods, "
		"and how long mutexes were held.  With\n-o DIR, "
		"DIR/NAME.LIFECYCLE.trace.jsonl and the other reports are written.\n"
		"docs/comparing.md says more.\n\n"
		"Examples:\n"
		"  slabsim compare scenarios/lifecycle/tree_removal.lua\n"
		"  slabsim compare mine.lua --lifecycles v4.18,v5.3,v5.8 --search 1000\n"
		"  slabsim compare mine.lua --lifecycles v5.3,v5.3+-refkill-vs-destroy\n"
		"  slabsim compare mine.lua --variant none --csv\n",
	.run = run_compare,
};
