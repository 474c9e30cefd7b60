// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim explain FILE.sched: from which step on was the run lost?
 */

#include "reports/phrase.h"
#include "sim/cli/follow.h"
#include "sim/cli/job.h"
#include "sim/cli/progress.h"
#include "sim/explore/schedule/explain.h"

#define BAR 21
#define STEP_WIDTH 36
#define COMPLETIONS_DEFAULT 200
#define COMPLETIONS_MAX 1000000

struct explaining {
	struct run_args args;
	const char *sched_path;
	struct schedule *sched;
	GPtrArray *variants; /* borrowed strings, for args.run */
	struct trace_file *tf;
	GArray *last_seqs; /* uint64_t: the last event of each step */
	struct explain_options opt;
	struct explain_result result;
	struct progress progress;
};

/* ---- what to run --------------------------------------------------------------------- */

static bool check_before(const struct explaining *e)
{
	struct schedule_check check = {
		.path = e->sched_path,
		.sched = e->sched,
		.script = e->args.path,
		.name = e->args.name,
	};

	if (!check_made_for(&check))
		return false;
	if (!e->sched->checker)
		return refuse_schedule(e->sched_path,
				       "leads to no violation, so there is nothing to explain");
	return true;
}

static void set_options(struct explaining *e)
{
	struct run_options *run = &e->args.run;
	const struct schedule *s = e->sched;

	take_options(run, s);
	run->lifecycle = s->lifecycle;
	run->interrupted = NULL;
	e->variants = variants_of(s);
	run->variants = (const char *const *)e->variants->pdata;
}

/* ---- running --------------------------------------------------------------------------- */

static void note_step(struct following *f, uint32_t run, uint64_t nr_records)
{
	struct explaining *e = f->arg;

	(void)run;
	g_array_append_val(e->last_seqs, nr_records);
}

/* Once with everything recorded, so that steps can be named. */
static bool record(struct explaining *e, GError **error)
{
	struct trace_collector collector = {0};
	struct run_sink *sinks[] = {&collector.sink, NULL};
	struct run_options all = e->args.run;
	struct following f = {
		.opt = &all,
		.sched = e->sched,
		.sinks = sinks,
		.stepped = note_step,
		.arg = e,
	};
	bool ok;

	all.accesses = true;
	e->tf = trace_file_new(0);
	trace_collector_init(&collector, e->tf);
	ok = follow(&f, error);
	if (ok)
		trace_file_finish(e->tf, &f.result);
	following_clear(&f);
	return ok;
}

static void show_progress(void *arg, uint64_t nr_completions)
{
	struct explaining *e = arg;

	if (progress_is_due(&e->progress))
		progress_show(&e->progress, "%" G_GUINT64_FORMAT " completions, %.0f a second",
			      nr_completions,
			      (double)nr_completions / progress_seconds(&e->progress));
}

static bool look_into(struct explaining *e, GError **error)
{
	struct run *run = session_open(&e->args.run, NULL, error);
	bool ok;

	if (!run)
		return false;
	progress_init(&e->progress, e->args.quiet);
	e->opt.interrupted = &cli_interrupted;
	e->opt.progress = show_progress;
	e->opt.arg = e;
	cli_run_active = 1;
	ok = explain(session_subject(run), e->sched, &e->opt, &e->result, error);
	cli_run_active = 0;
	progress_clear(&e->progress);
	session_close(run);
	return ok;
}

/* ---- the report ---------------------------------------------------------------------------- */

static uint64_t last_seq(const struct explaining *e, uint32_t steps)
{
	return steps ? g_array_index(e->last_seqs, uint64_t, MIN(steps, e->last_seqs->len) - 1) : 0;
}

/* What step @steps did: of its events the last that tells something, else the last before. */
static const struct trace_record *event_of(const struct explaining *e, uint32_t steps)
{
	uint64_t before = steps ? last_seq(e, steps - 1) : 0;
	const struct trace_record *any = NULL;

	for (uint64_t seq = last_seq(e, steps); seq > 0; seq--) {
		const struct trace_record *r = trace_file_find(e->tf, seq);

		if (seq <= before && any)
			return any;
		if (r && (seq <= before || !phrase_is_noise(r)))
			return r;
		if (r && !any)
			any = r;
	}
	return any;
}

static char *text_of(const struct explaining *e, const struct trace_record *r)
{
	struct output *o;
	char *text;

	if (r->kind == TR_ACCESS && r->str)
		return g_strdup(r->str);
	o = output_memory();
	phrase_put(e->tf->names, o, r);
	text = g_strndup(o->buf, o->len);
	output_discard(o);
	return text;
}

static unsigned int percent(const struct explain_row *row)
{
	return row->nr ? (unsigned int)(100 * (uint64_t)row->failed / row->nr) : 100;
}

static void put_row(const struct explaining *e, const struct explain_row *row, struct output *o)
{
	const struct trace_record *r = event_of(e, row->steps);
	g_autofree char *text = r && row->steps > 0 ? text_of(e, r) : g_strdup("(the beginning)");
	unsigned int share = percent(row);
	int bar = (int)(share * BAR / 100);

	output_printf(o, "  %6u %8" G_GUINT64_FORMAT "  %-*.*s ", row->steps,
		      r ? r->seq : (uint64_t)0, STEP_WIDTH, STEP_WIDTH, text);
	output_pad(o, '#', bar);
	output_pad(o, '.', BAR - bar);
	output_printf(o, " %3u%%\n", share);
}

static void put_decisive(const struct explain_result *r, struct output *o)
{
	static const char *const chosen[NR_CHOICE_KINDS] = {
		[CHOOSE_STEP] = "",
		[CHOOSE_FAULT] = ", and an allocation failed on purpose",
		[CHOOSE_CPU] = ", and a work item went to another CPU than the first",
		[CHOOSE_SCRIPT] = ", and choice() did not answer 1",
	};

	if (!r->taken)
		return;
	output_printf(o, "Decisive choice: at step %u %s went on%s", r->decisive, r->taken,
		      r->chose ? chosen[r->chose_what] : "");
	for (int i = 0; r->instead && r->instead[i]; i++)
		output_printf(o, "%s%s", i ? " or " : ", instead of ", r->instead[i]);
	output_str(o, ".\n");
}

static void put_title(const struct explaining *e, struct output *o)
{
	const struct trace_violation *v = trace_file_blamed(e->tf);

	output_printf(o, "%s of ", e->sched->checker);
	if (v)
		names_put(e->tf->names, o, v->obj);
	else
		output_str(o, e->sched->object);
	output_printf(o, ": when was it lost?   %u random completions per row\n",
		      e->opt.nr_completions);
}

/* After the first that nothing escapes from, all rows are alike. */
static void put_rows(const struct explaining *e, struct output *o)
{
	const struct explain_result *r = &e->result;

	output_printf(o, "    step    event  %-*s share of runs that fail\n", STEP_WIDTH,
		      "what has just happened");
	for (guint i = 0; i < r->rows->len; i++) {
		const struct explain_row *row = &g_array_index(r->rows, struct explain_row, i);

		if (row->steps <= r->no_return || i + 1 == r->rows->len)
			put_row(e, row, o);
	}
}

static void put_text(const struct explaining *e, struct output *o)
{
	const struct explain_result *r = &e->result;

	put_title(e, o);
	put_rows(e, o);
	if (r->no_return == 0) {
		output_str(o, "It is lost from the beginning: all orderings that were tried fail "
			      "so. What is wrong is\nnot which step comes first.\n");
		return;
	}
	output_printf(o,
		      "Point of no return: step %u of %u; none of the completions from there on "
		      "escaped.\n",
		      r->no_return,
		      g_array_index(r->rows, struct explain_row, r->rows->len - 1).steps);
	put_decisive(r, o);
	if (r->passing)
		output_printf(o,
			      "Nearest passing ordering: as before, but at step %u %s goes before "
			      "%s.\n",
			      r->passing, r->passing_instead, r->passing_taken);
	else
		output_str(o, "No ordering that passes was found by one change near the end.\n");
}

static int explain_schedule(struct explaining *e, const char *script)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL;
	struct output *o;

	e->sched = schedule_read(e->sched_path, &error);
	if (!e->sched) {
		cli_error("%s", error->message);
		return EXIT_USAGE;
	}
	path = script ? g_strdup(script) : script_of(e->sched, e->sched_path);
	run_args_script(&e->args, path);
	if (!check_before(e))
		return EXIT_USAGE;
	set_options(e);
	if (!record(e, &error) || !look_into(e, &error)) {
		if (error->domain != SCHEDULE_ERROR)
			return code_of_error(error);
		cli_error("%s: %s", e->sched_path, error->message);
		return EXIT_INTERNAL;
	}
	if (e->result.rows->len == 0) {
		cli_error("interrupted before anything was known");
		return EXIT_INTERRUPTED;
	}
	o = output_open("-", false, NULL);
	put_text(e, o);
	if (cli_close(o) != EXIT_CLEAN)
		return EXIT_USAGE;
	return e->result.interrupted ? EXIT_INTERRUPTED : EXIT_CLEAN;
}

/* ---- the command line ------------------------------------------------------------------------ */

static bool check_runs(const struct command *cmd, const char *typed, struct explain_options *opt)
{
	uint64_t n = COMPLETIONS_DEFAULT;

	if (typed && (!parse_u64(typed, &n) || n == 0 || n > COMPLETIONS_MAX)) {
		cli_usage(cmd, "--runs takes a number from 1 to %d, not '%s'", COMPLETIONS_MAX,
			  typed);
		return false;
	}
	opt->nr_completions = (uint32_t)n;
	return true;
}

static int run_explain(const struct command *self, int argc, char **argv)
{
	struct explaining e = {.last_seqs = g_array_new(FALSE, FALSE, sizeof(uint64_t))};
	g_autofree char *runs = NULL, *seed = NULL;
	gboolean quiet = FALSE;
	const GOptionEntry entries[] = {
		{"runs", 'n', 0, G_OPTION_ARG_FILENAME, &runs,
		 "Random completions of each prefix (default 200)", "N"},
		{"seed", 's', 0, G_OPTION_ARG_FILENAME, &seed, "Seed of the completions", "N"},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "No progress", NULL},
		G_OPTION_ENTRY_NULL,
	};
	int code = EXIT_USAGE;

	e.opt.seed = 1;
	switch (cli_parse(self, entries, &argc, &argv)) {
	case PARSED:
		e.args.quiet = quiet;
		if (argc < 2 || argc > 3) {
			cli_usage(self, argc < 2 ? "name a schedule"
						 : "explain takes one schedule and its scenario");
		} else if (seed && !parse_u64(seed, &e.opt.seed)) {
			cli_usage(self, "--seed takes a number, not '%s'", seed);
		} else if (check_runs(self, runs, &e.opt)) {
			e.sched_path = argv[1];
			code = explain_schedule(&e, argc == 3 ? argv[2] : NULL);
		}
		break;
	case PARSED_HELP:
		code = EXIT_CLEAN;
		break;
	case PARSED_WRONG:
		break;
	}
	explain_result_clear(&e.result);
	trace_file_free(e.tf);
	schedule_free(e.sched);
	g_array_unref(e.last_seqs);
	if (e.variants)
		g_ptr_array_unref(e.variants);
	run_args_clear(&e.args);
	return code;
}

const struct command command_explain = {
	.name = "explain",
	.params = "FILE.sched [SCENARIO]",
	.summary = "Say from which step on a failing run was lost",
	.description =
		"Completes prefixes of the schedule at random and prints which share of the "
		"completions fails\nas the schedule does, the first prefix that none escaped "
		"from, the step that raised the share\nmost, and the nearest ordering that "
		"passes.\n\n"
		"Example:\n  slabsim explain out/offline_vs_alloc.sched\n",
	.run = run_explain,
};
