// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim explore FILE: look for an ordering that breaks an invariant, and make it
 * as short as it gets.
 */

#include "sim/base/assert.h"
#include "sim/cli/coverage.h"
#include "sim/cli/exploring.h"
#include "sim/cli/follow.h"
#include "sim/explore/parallel/jobs.h"

#define DEFAULT_SECONDS 60
#define DEFAULT_PREEMPTIONS 2
#define PREEMPTIONS_MAX 1000
#define DEPTH_MAX 16
#define JOBS_MAX 1024
#define SEEN_MEMORY_MIN (1 << 20)

static void found_free(gpointer p)
{
	struct found *f = p;

	if (f->minimised)
		finding_free(f->finding);
	schedule_free(f->sched);
	job_clear(&f->job);
	g_free(f->kept);
	g_free(f);
}

/* ---- the command line --------------------------------------------------------------------- */

struct raw_options {
	char *strategy, *max_runs, *max_time, *preemptions, *depth, *jobs, *resume, *seen_memory;
	gboolean keep_going, no_minimise, no_symmetry, require_exhaustive, audit, shrink;
};

static bool check_number(const struct command *cmd, const char *option, const char *typed,
			 uint64_t min, uint64_t max, uint64_t *value)
{
	if (!typed || (parse_u64(typed, value) && *value >= min && *value <= max))
		return true;
	cli_usage(cmd,
		  "%s takes a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ", not '%s'",
		  option, min, max, typed);
	return false;
}

static bool check_strategy(const char *name, enum strategy *strategy)
{
	const char *names[NR_STRATEGIES + 1] = {NULL};

	for (int i = 0; i < NR_STRATEGIES; i++)
		names[i] = strategy_infos[i].name;
	if (!name)
		return true;
	if (!is_one_of("strategy", name, names))
		return false;
	for (int i = 0; i < NR_STRATEGIES; i++) {
		if (strcmp(names[i], name) == 0)
			*strategy = (enum strategy)i;
	}
	return true;
}

static bool check_time(const struct command *cmd, const char *typed, double *seconds)
{
	vtime_t ns;

	if (!typed)
		return true;
	if (!parse_time(typed, &ns) || ns == 0) {
		cli_usage(cmd, "--max-time takes a time like 500ms or 30s, not '%s'", typed);
		return false;
	}
	*seconds = (double)ns / 1e9;
	return true;
}

static bool check_jobs(const struct command *cmd, const char *typed, struct explore_options *opt)
{
	uint64_t jobs = 1;

	if (!check_number(cmd, "--jobs", typed, 1, JOBS_MAX, &jobs))
		return false;
	opt->nr_jobs = (unsigned int)jobs;
	opt->in_worker = cli_worker_signals;
	return true;
}

static bool check_memory(const struct command *cmd, const char *typed, size_t *bytes)
{
	if (!typed || (parse_size(typed, bytes) && *bytes >= SEEN_MEMORY_MIN))
		return true;
	cli_usage(cmd, "--seen-memory takes a size from 1M on, like 512M or 8G, not '%s'", typed);
	return false;
}

/* An option that would change nothing is a misunderstanding, better said than left alone. */
static bool check_use(const struct command *cmd, const struct raw_options *raw, enum strategy s)
{
	const char *name = strategy_infos[s].name;

	if (raw->preemptions && s != STRATEGY_BOUNDED)
		cli_usage(cmd, "--preemptions is for --strategy bounded; %s has no bound", name);
	else if (raw->depth && s != STRATEGY_PCT && s != STRATEGY_AUTO)
		cli_usage(cmd, "--depth is for --strategy pct and auto; %s has none", name);
	else
		return true;
	return false;
}

/* An audit is one of all strategies, by one process, which finds nothing to be kept. */
static bool check_audit(const struct command *cmd, const struct raw_options *raw,
			const struct exploring *e)
{
	const struct {
		const char *option;
		bool given;
	} useless[] = {
		{"--strategy", raw->strategy != NULL},
		{"--max-runs", raw->max_runs != NULL},
		{"--preemptions", raw->preemptions != NULL},
		{"--depth", raw->depth != NULL},
		{"--jobs", raw->jobs != NULL},
		{"--resume", raw->resume != NULL},
		{"--seen-memory", raw->seen_memory != NULL},
		{"--shrink", raw->shrink},
		{"--output", outputs_any(&e->args.out)},
	};

	for (size_t i = 0; raw->audit && i < G_N_ELEMENTS(useless); i++) {
		if (!useless[i].given)
			continue;
		cli_usage(cmd, "%s changes nothing in an audit, which compares all strategies",
			  useless[i].option);
		return false;
	}
	return true;
}

static bool check_options(const struct command *cmd, const struct raw_options *raw,
			  struct exploring *e)
{
	struct explore_options *opt = &e->opt;
	uint64_t preemptions = DEFAULT_PREEMPTIONS, depth = 0;

	if (!check_strategy(raw->strategy, &opt->strategy) ||
	    !check_number(cmd, "--max-runs", raw->max_runs, 1, UINT64_MAX, &opt->max_runs) ||
	    !check_number(cmd, "--preemptions", raw->preemptions, 0, PREEMPTIONS_MAX,
			  &preemptions) ||
	    !check_number(cmd, "--depth", raw->depth, 1, DEPTH_MAX, &depth) ||
	    !check_time(cmd, raw->max_time, &opt->max_seconds) ||
	    !check_memory(cmd, raw->seen_memory, &opt->max_memory) ||
	    !check_jobs(cmd, raw->jobs, opt))
		return false;
	if (raw->preemptions && !raw->strategy)
		opt->strategy = STRATEGY_BOUNDED;
	if (!check_audit(cmd, raw, e) || !check_use(cmd, raw, opt->strategy))
		return false;
	opt->preemptions = (uint32_t)preemptions;
	opt->depth = (uint32_t)depth;
	if (!raw->max_runs && !raw->max_time)
		opt->max_seconds = DEFAULT_SECONDS;
	opt->seed = e->args.run.seed;
	/* A run of the world is never longer than what one run may have. */
	opt->max_steps = (uint32_t)MIN(e->args.run.steps_max, UINT32_MAX);
	e->args.run.steps_max = 0;
	opt->keep_going = raw->keep_going;
	opt->no_symmetry = raw->no_symmetry;
	e->no_minimise = raw->no_minimise;
	e->audit = raw->audit;
	e->shrink = raw->shrink;
	e->require_exhaustive = raw->require_exhaustive;
	return true;
}

static char *options_typed(const struct raw_options *raw)
{
	GString *s = g_string_new(NULL);

	append_option(s, "--strategy", raw->strategy);
	append_option(s, "--max-runs", raw->max_runs);
	append_option(s, "--max-time", raw->max_time);
	append_option(s, "--preemptions", raw->preemptions);
	append_option(s, "--depth", raw->depth);
	if (raw->keep_going)
		g_string_append(s, " --keep-going");
	if (raw->no_symmetry)
		g_string_append(s, " --no-symmetry");
	if (raw->shrink)
		g_string_append(s, " --shrink");
	return g_string_free(s, FALSE);
}

static enum parsed parse(const struct command *cmd, int argc, char **argv, struct exploring *e)
{
	struct raw_options raw = {0};
	enum parsed parsed;
	const GOptionEntry entries[] = {
		{"strategy", 0, 0, G_OPTION_ARG_FILENAME, &raw.strategy,
		 "auto, random, pct, bounded, dpor or exhaustive", "NAME"},
		{"max-runs", 'n', 0, G_OPTION_ARG_FILENAME, &raw.max_runs,
		 "Stop after so many executions", "N"},
		{"max-time", 0, 0, G_OPTION_ARG_FILENAME, &raw.max_time,
		 "Stop after so long: 500ms, 30s (default 60s, without --max-runs)", "TIME"},
		{"preemptions", 0, 0, G_OPTION_ARG_FILENAME, &raw.preemptions,
		 "bounded: at most so many (default 2)", "N"},
		{"depth", 0, 0, G_OPTION_ARG_FILENAME, &raw.depth,
		 "pct: ordering constraints that a failure needs (default: 1 to 16 in turn)", "N"},
		{"keep-going", 'k', 0, G_OPTION_ARG_NONE, &raw.keep_going,
		 "Do not stop at the first failure", NULL},
		{"no-minimise", 0, 0, G_OPTION_ARG_NONE, &raw.no_minimise,
		 "Keep failures as they were found", NULL},
		{"no-symmetry", 0, 0, G_OPTION_ARG_NONE, &raw.no_symmetry,
		 "exhaustive: tell copies() apart that could be exchanged", NULL},
		{"shrink", 0, 0, G_OPTION_ARG_NONE, &raw.shrink,
		 "Leave out what a failure does not need: smaller parameters, fewer tasks and "
		 "operations",
		 NULL},
		{"require-exhaustive", 0, 0, G_OPTION_ARG_NONE, &raw.require_exhaustive,
		 "Exit with 5 if no failure was found but not every ordering was tried", NULL},
		{"jobs", 'j', 0, G_OPTION_ARG_FILENAME, &raw.jobs,
		 "Processes that work (default 1); what is found is the same", "N"},
		{"resume", 0, 0, G_OPTION_ARG_FILENAME, &raw.resume,
		 "Go on from a checkpoint that an exploration with the same options has left",
		 "FILE"},
		{"seen-memory", 0, 0, G_OPTION_ARG_FILENAME, &raw.seen_memory,
		 "bounded, exhaustive: memory for states that were seen (default 1G)", "SIZE"},
		{"audit", 0, 0, G_OPTION_ARG_NONE, &raw.audit,
		 "Compare all strategies with a full search, on this scenario", NULL},
		G_OPTION_ENTRY_NULL,
	};

	parsed = run_args_parse(cmd, ARGS_LIMITS | ARGS_SCHED, entries, &argc, &argv, &e->args);
	if (parsed == PARSED && argc != 2) {
		cli_usage(cmd, argc < 2 ? "name a scenario" : "explore takes one scenario");
		parsed = PARSED_WRONG;
	}
	if (parsed == PARSED && !check_options(cmd, &raw, e))
		parsed = PARSED_WRONG;
	if (parsed == PARSED) {
		run_args_script(&e->args, argv[1]);
		e->args.run.order = ORDER_RANDOM;
		e->options = options_typed(&raw);
		e->resume = g_steal_pointer(&raw.resume);
	}
	g_free(raw.strategy);
	g_free(raw.max_runs);
	g_free(raw.max_time);
	g_free(raw.preemptions);
	g_free(raw.depth);
	g_free(raw.jobs);
	g_free(raw.resume);
	g_free(raw.seen_memory);
	return parsed;
}

/* ---- exploring ---------------------------------------------------------------------------- */

static void show_progress(void *arg, const struct explore_stats *s)
{
	struct exploring *e = arg;
	g_autofree char *bound = NULL;
	g_autofree char *share = NULL;

	if (!progress_is_due(&e->progress))
		return;
	bound = s->strategy == STRATEGY_BOUNDED
			? g_strdup_printf(" at most %u preemptions,", s->bound)
			: g_strdup("");
	share = s->share >= 0 ? g_strdup_printf(", ~%.0f %% of all", s->share * 100) : g_strdup("");
	progress_show(&e->progress,
		      "%s:%s %" G_GUINT64_FORMAT
		      " executions, %.0f a second, longest %u steps, %" G_GUINT64_FORMAT
		      " failing%s, %.0f s",
		      s->strategy == STRATEGY_AUTO ? "random" : strategy_infos[s->strategy].name,
		      bound, s->nr_runs, (double)s->nr_runs / MAX(s->seconds, 0.001), s->longest,
		      s->nr_failing, share, progress_seconds(&e->progress));
}

/* Takes what every schedule of this scenario begins with. */
struct head_sink {
	struct run_sink sink; /* first: a sink is cast back to it */
	struct schedule *head;
};

static void take_head(struct run_sink *sink, const struct run_header *h)
{
	struct schedule *s = ((struct head_sink *)sink)->head;

	s->scenario = schedule_string(s, h->scenario);
	s->lifecycle = schedule_string(s, h->lifecycle);
	schedule_list_set(s, s->variants, h->variants);
}

static void ignore_record(struct run_sink *sink, const struct trace_record *r)
{
	(void)sink;
	(void)r;
}

static bool begin_head(struct exploring *e, GError **error)
{
	g_autofree char *digest = script_digest(e->args.path, error);
	struct schedule *s = e->head = schedule_new();

	s->version = SLABSIM_VERSION;
	s->script = schedule_string(s, e->args.path);
	s->digest = schedule_string(s, digest);
	s->seed = e->args.run.seed;
	schedule_list_set(s, s->sets, e->args.run.sets);
	schedule_list_set(s, s->checks_off, e->args.run.checks_off);
	schedule_list_set(s, s->skips, e->args.run.skips);
	return digest != NULL;
}

static void set_head(struct schedule *s, const struct schedule *head)
{
	s->version = schedule_string(s, head->version);
	s->scenario = schedule_string(s, head->scenario);
	s->script = schedule_string(s, head->script);
	s->digest = schedule_string(s, head->digest);
	s->lifecycle = schedule_string(s, head->lifecycle);
	s->seed = head->seed;
	schedule_list_set(s, s->variants, (const char *const *)head->variants->pdata);
	schedule_list_set(s, s->sets, (const char *const *)head->sets->pdata);
	schedule_list_set(s, s->checks_off, (const char *const *)head->checks_off->pdata);
	schedule_list_set(s, s->skips, (const char *const *)head->skips->pdata);
}

static void show_minimising(void *arg, uint32_t steps, uint32_t preemptions, uint64_t nr_replays)
{
	struct exploring *e = arg;

	if (progress_is_due(&e->progress))
		progress_show(&e->progress,
			      "minimising: %u steps, %u preemptions, %" G_GUINT64_FORMAT
			      " replays, %.0f s",
			      steps, preemptions, nr_replays, progress_seconds(&e->progress));
}

void found_take(const struct exploring *e, struct found *f, struct finding *finding,
		struct schedule *sched, const char *const *sets, const char *const *skips)
{
	if (f->minimised && f->finding != finding)
		finding_free(f->finding);
	f->finding = finding;
	f->minimised = finding != f->first;
	set_head(sched, e->head);
	schedule_list_set(sched, sched->sets, sets);
	schedule_list_set(sched, sched->skips, skips);
	schedule_free(f->sched);
	f->sched = sched;
	f->run = e->args.run;
	f->run.sets = (const char *const *)sched->sets->pdata;
	f->run.skips = sched->skips->len > 1 ? (const char *const *)sched->skips->pdata : NULL;
}

/* Shorten @first, and name its steps; false when it could not be repeated. */
static bool take_finding(struct exploring *e, struct subject *s, const struct finding *first,
			 GError **error)
{
	const struct minimise_options opt = {
		.proof_steps = PROOF_STEPS,
		.interrupted = &cli_interrupted,
		.progress = show_minimising,
		.arg = e,
	};
	struct found *f = g_new0(struct found, 1);
	struct schedule *sched;

	f->first = first;
	f->finding = (struct finding *)first;
	g_ptr_array_add(e->found, f);
	if (!e->no_minimise && !cli_interrupted) {
		GError *why = NULL;
		struct finding *minimal = minimise(s, first, &opt, &f->minimise, &why);

		if (why) {
			g_propagate_error(error, why);
			return false;
		}
		f->minimised = minimal != NULL;
		f->finding = minimal ? minimal : f->finding;
	}
	sched = schedule_of(s, f->finding, NULL, error);
	if (sched)
		found_take(e, f, f->finding, sched, e->args.run.sets, e->args.run.skips);
	return sched != NULL;
}

static bool explore_session(struct exploring *e, struct run *run, GError **error)
{
	struct subject *s = session_subject(run);
	struct run_result last;
	GPtrArray *findings;

	e->nr_setup = s->checks->nr_violations;
	if (e->nr_setup > 0)
		e->setup = s->checks->violations[0];
	if (!load_checkpoint(e, error))
		return false;
	e->opt.past_setup = true;
	e->opt.interrupted = &cli_interrupted;
	e->opt.progress = show_progress;
	e->opt.progress_arg = e;
	progress_init(&e->progress, e->args.quiet);
	explore(s, &e->opt, &e->result);
	progress_clear(&e->progress);
	session_result(run, &last);
	note_idle_variants(&e->args, &last);
	if (!checkpoint_fitted(e, error))
		return false;
	save_checkpoint(e);
	findings = e->result.findings;
	for (guint i = 0; i < findings->len; i++) {
		bool ok;

		progress_init(&e->progress, e->args.quiet);
		ok = take_finding(e, s, g_ptr_array_index(findings, i), error);
		progress_clear(&e->progress);
		if (!ok)
			return false;
	}
	return true;
}

/* Everything that needs the world as it is explored: no records are kept. */
static bool explore_scenario(struct exploring *e, GError **error)
{
	struct head_sink head = {.sink = {.begin = take_head, .record = ignore_record}};
	struct run_sink *sinks[] = {&head.sink, NULL};
	struct run *run;
	bool ok;

	if (!begin_head(e, error))
		return false;
	head.head = e->head;
	run = session_open(&e->args.run, sinks, error);
	if (!run)
		return false;
	/* It has seen what it is for, and would only cost time. */
	sinks[0] = NULL;
	cli_run_active = 1;
	ok = explore_session(e, run, error);
	session_close(run);
	for (guint i = 0; ok && e->shrink && i < e->found->len && !cli_interrupted; i++)
		ok = shrink_scenario(e, g_ptr_array_index(e->found, i), error);
	cli_run_active = 0;
	return ok;
}

/* ---- files -------------------------------------------------------------------------------- */

/* Before anything takes its time: can what may be found be written? */
static bool check_files(const struct exploring *e, GError **error)
{
	const struct outputs *out = &e->args.out;
	g_autofree char *checkpoint = NULL;
	struct output *o;
	bool ok;

	if (!outputs_try(out, e->args.name, "", true, e->args.force, error))
		return false;
	if (!out->dir)
		return true;
	checkpoint = g_strconcat(out->dir, "/", e->args.name, ".checkpoint", NULL);
	o = output_open(checkpoint, e->args.force || checkpoint_may_replace(e, checkpoint), error);
	ok = o != NULL;
	output_discard(o);
	return ok;
}

static bool write_file(const struct exploring *e, const char *path, struct output *o,
		       GError **error)
{
	if (!output_close(o, error))
		return false;
	cli_note(e->args.quiet, "wrote %s", path);
	return true;
}

static bool write_schedule(const struct exploring *e, const struct found *f, const char *path,
			   GError **error)
{
	struct output *o = output_open(path, e->args.force, error);
	GString *text;

	if (!o)
		return false;
	text = g_string_new(NULL);
	schedule_write(f->sched, text);
	output_bytes(o, text->str, text->len);
	g_string_free(text, TRUE);
	return write_file(e, path, o, error);
}

static bool write_schedules(const struct exploring *e, struct found *f, GError **error)
{
	for (int i = 0; i < 2; i++) {
		const char *path = f->job.path[i][OUTPUT_SCHED];

		if (path && !write_schedule(e, f, path, error))
			return false;
		if (path && !f->kept)
			f->kept = g_strdup(path);
	}
	return true;
}

/* ---- recording what was found ------------------------------------------------------------- */

static bool record_run(struct found *f, GError **error)
{
	struct run_options with_accesses = f->run;
	struct following following = {
		.opt = &with_accesses,
		.sched = f->sched,
		.sinks = f->job.sinks,
	};
	bool ok;

	/* It is short, and what its reports say of a race hangs on them. */
	with_accesses.accesses = true;
	ok = follow(&following, error);

	f->job.result = following.result;
	if (ok && (following.followed.end != FOLLOW_VIOLATED ||
		   !schedule_leads_to(f->sched, &following.followed.violation))) {
		g_set_error(error, SCHEDULE_ERROR, SCHEDULE_ERROR_LOST,
			    "what was found did not come back when it was repeated");
		ok = false;
	}
	f->sched->trace = schedule_string(f->sched, following.digest);
	following_clear(&following);
	return ok;
}

static char *replay_line(const char *sched_path)
{
	GString *s = g_string_new("slabsim replay");

	append_option(s, NULL, sched_path);
	return g_string_free(s, FALSE);
}

static void name_run(const struct exploring *e, struct found *f, guint i)
{
	g_autofree char *base = NULL, *sched = NULL;
	struct job *job = &f->job;

	job->args = &e->args;
	job->tag = i == 0 ? NULL : g_strdup_printf(".%u", i + 1);
	sched = g_strdup(f->kept);
	for (int in_dir = 1; in_dir >= 0 && !sched; in_dir--)
		sched = outputs_path(&e->args.out, OUTPUT_SCHED, in_dir, e->args.name,
				     job->tag ? job->tag : "");
	if (!sched) {
		job->replay = run_args_explore(&e->args, e->options);
		return;
	}
	base = g_path_get_basename(sched);
	job->replay = replay_line(sched);
	job->replay_in_dir = replay_line(base);
}

/* From here on a failure is our own fault, or that of a disk. */
static bool record_found(struct exploring *e, struct found *f, guint i, GError **error)
{
	struct trace_file *annotated;
	bool written;

	name_run(e, f, i);
	sim_assert_context(f->job.replay);
	/* For its comments, if there is time for that; what is reported is recorded below. */
	annotated = cli_interrupted ? NULL : annotate(f->sched, &f->run, error);
	if (!annotated && !cli_interrupted)
		return false;
	trace_file_free(annotated);
	f->job.violation = &f->finding->violation;
	if (!job_open(&f->job, error) || !record_run(f, error))
		return false;
	/* A disk too full for a page may have room for the schedule, from which all can be made. */
	written = job_close(&f->job, error);
	return write_schedules(e, f, written ? error : NULL) && written;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static int code_of_outcome(const struct exploring *e)
{
	if (e->result.end == END_INTERRUPTED || cli_interrupted)
		return EXIT_INTERRUPTED;
	if (e->found->len > 0 || e->nr_setup > 0)
		return EXIT_VIOLATION;
	if (e->result.error && e->result.error->domain == JOBS_ERROR)
		return EXIT_INTERNAL;
	if (e->result.error)
		return e->result.error->domain == MODEL_ERROR ||
				       g_error_matches(e->result.error, SLABSIM_ERROR,
						       SLABSIM_ERROR_USAGE)
			       ? EXIT_USAGE
			       : EXIT_LIMIT;
	if (e->require_exhaustive && coverage(&e->opt, &e->result) != COVERED_ALL)
		return EXIT_LIMIT;
	return EXIT_CLEAN;
}

static void forget_record(struct found *f)
{
	job_clear(&f->job);
	memset(&f->job, 0, sizeof(f->job));
}

/* Once more, for what is said on standard output. */
static bool record_without_files(struct exploring *e, struct found *f, guint i, GError **error)
{
	struct outputs out = e->args.out;
	bool ok;

	forget_record(f);
	memset(&e->args.out, 0, sizeof(e->args.out));
	ok = record_found(e, f, i, error);
	e->args.out = out;
	return ok;
}

/* What was found is said even where a file cannot be written. */
static int record_all(struct exploring *e)
{
	for (guint i = 0; i < e->found->len; i++) {
		struct found *f = g_ptr_array_index(e->found, i);
		g_autoptr(GError) error = NULL;

		if (record_found(e, f, i, &error))
			continue;
		if (outputs_any(&e->args.out) &&
		    g_error_matches(error, SLABSIM_ERROR, SLABSIM_ERROR_OUTPUT)) {
			e->unwritten = code_of_error(error);
			g_clear_error(&error);
			if (record_without_files(e, f, i, &error))
				continue;
		}
		cli_error("internal error: %s", error->message);
		return EXIT_INTERNAL;
	}
	return EXIT_CLEAN;
}

static int explore_all(struct exploring *e)
{
	g_autoptr(GError) error = NULL;
	int code;

	if (!check_files(e, &error))
		return code_of_error(error);
	if (!explore_scenario(e, &error)) {
		if (error->domain != SCHEDULE_ERROR)
			return code_of_error(error);
		cli_error("internal error: %s", error->message);
		return EXIT_INTERNAL;
	}
	if (e->result.error)
		cli_error("%s%s%s", e->result.error->domain == MODEL_ERROR ? e->args.run.path : "",
			  e->result.error->domain == MODEL_ERROR ? ": " : "",
			  e->result.error->message);
	if (e->result.error && e->found->len == 0 && e->nr_setup == 0)
		return code_of_outcome(e);
	code = record_all(e);
	if (code == EXIT_CLEAN)
		code = e->args.json ? explore_json(e) : explore_text(e);
	if (code != EXIT_CLEAN)
		return code;
	return e->unwritten != EXIT_CLEAN ? e->unwritten : code_of_outcome(e);
}

static int run_explore(const struct command *self, int argc, char **argv)
{
	struct exploring e = {.found = g_ptr_array_new_with_free_func(found_free)};
	int code = EXIT_CLEAN;

	switch (parse(self, argc, argv, &e)) {
	case PARSED:
		code = e.audit ? explore_audit(&e) : explore_all(&e);
		break;
	case PARSED_HELP:
		break;
	case PARSED_WRONG:
		code = EXIT_USAGE;
		break;
	}
	g_ptr_array_unref(e.found);
	explore_result_clear(&e.result);
	schedule_free(e.head);
	g_free(e.options);
	g_free(e.resume);
	g_free(e.checkpoint_path);
	if (e.state)
		g_byte_array_unref(e.state);
	run_args_clear(&e.args);
	return code;
}

const struct command command_explore = {
	.name = "explore",
	.params = "FILE",
	.summary = "Look for an ordering that breaks an invariant",
	.description =
		"Runs the scenario, without virtual time, in many orderings until one fails or\n"
		"all have been tried, and says what was covered.  A failure is shortened: fewest\n"
		"preemptions first, then fewest steps; --shrink also leaves out of the scenario\n"
		"what it does not need.  With -o DIR, NAME.sched,\n"
		"NAME.trace.jsonl, NAME.txt, NAME.html, NAME.race.txt and others are written\n"
		"there; slabsim replay runs NAME.sched again.  -o FILE.html or another name that\n"
		"says what belongs in it writes only that.  What a limit or Ctrl-C stops leaves\n"
		"NAME.checkpoint in DIR, and --resume goes on from it.\n\n"
		"Examples:\n"
		"  slabsim explore scenarios/lifecycle/offline_vs_alloc.lua --lifecycle seed1-v4\n"
		"  slabsim explore scenarios/models/cache_shutdown.lua --strategy dpor\n",
	.run = run_explore,
};
