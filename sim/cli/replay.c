// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim replay FILE.sched: run a schedule again, and make sure that it is the
 * same run.
 */

#include "sim/base/assert.h"
#include "sim/cli/follow.h"
#include "sim/cli/job.h"

struct replaying {
	struct run_args args;
	struct schedule *sched;
	char *sched_path;
	const char *typed; /* the script, if it was named */
	uint64_t until;
	bool edited;	     /* followed although the script or the schedule was edited */
	GPtrArray *variants; /* borrowed strings, for args.run */
	struct job job;
};

/* ---- is it for this? ---------------------------------------------------------------------- */

static char *join(const GPtrArray *list)
{
	return list->len == 1 ? g_strdup("none") : g_strjoinv(", ", (char **)list->pdata);
}

static bool check_list(const struct replaying *r, const char *what, const GPtrArray *list,
		       char **given)
{
	g_autofree char *theirs = NULL;
	g_autofree char *ours = NULL;

	if (!given || same_names(list, (const char *const *)given))
		return true;
	theirs = join(list);
	ours = g_strjoinv(", ", given);
	return refuse_schedule(r->sched_path, "made with %s %s, not %s", what, theirs, ours);
}

static bool check_before(struct replaying *r)
{
	const struct schedule *s = r->sched;
	struct schedule_check check = {
		.path = r->sched_path,
		.sched = s,
		.script = r->args.path,
		.name = r->args.name,
		.may_force = true,
		.force = r->args.force,
		.quiet = r->args.quiet,
	};

	if (r->args.seed && r->args.run.seed != s->seed)
		return refuse_schedule(r->sched_path,
				       "made with seed %" G_GUINT64_FORMAT
				       ", not %" G_GUINT64_FORMAT,
				       s->seed, r->args.run.seed);
	if (!check_list(r, "parameters", s->sets, r->args.sets) ||
	    !check_list(r, "checkers off:", s->checks_off, r->args.checks_off) ||
	    !check_list(r, "parts left out:", s->skips, r->args.skips) || !check_made_for(&check))
		return false;
	r->edited = check.edited;
	return true;
}

/* ", but without X, and with Y": from @list to @names, both in any order. */
static char *variants_differ(const GPtrArray *list, const char *const *names)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; i + 1 < list->len; i++) {
		const char *name = g_ptr_array_index(list, i);

		if (!g_strv_contains(names, name))
			g_string_append_printf(s, "%s %s, which is off here",
					       s->len ? "," : " with", name);
	}
	for (int i = 0; names[i]; i++) {
		if (!g_strv_contains((const char *const *)list->pdata, names[i]))
			g_string_append_printf(s, "%s without %s, which is on here",
					       s->len ? "," : "", names[i]);
	}
	return g_string_free(s, FALSE);
}

/* The world is made: does it have what the schedule was made with? */
static bool check_header(struct following *f, const struct run_header *h, GError **error)
{
	const struct replaying *r = f->arg;
	const struct schedule *s = r->sched;
	g_autofree char *differ = NULL;

	if (strcmp(h->lifecycle, s->lifecycle) != 0) {
		g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_USAGE,
			    "%s: made for lifecycle %s, not %s", r->sched_path, s->lifecycle,
			    h->lifecycle);
		return false;
	}
	if (same_names(s->variants, h->variants))
		return true;
	differ = variants_differ(s->variants, h->variants);
	g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_USAGE, "%s: made%s", r->sched_path, differ);
	return false;
}

/* ---- what to run -------------------------------------------------------------------------- */

/* As it was given, next to the schedule, or from above it. */
static char *find_script(const struct replaying *r)
{
	g_autofree char *script = script_of(r->sched, r->sched_path);

	if (g_file_test(script, G_FILE_TEST_EXISTS))
		return g_steal_pointer(&script);
	cli_error("%s: its scenario '%s' is neither here nor beside nor above it; name it: "
		  "slabsim replay FILE SCENARIO",
		  r->sched_path, r->sched->script);
	return NULL;
}

static void set_options(struct replaying *r)
{
	struct run_options *run = &r->args.run;
	const struct schedule *s = r->sched;

	take_options(run, s);
	if (!run->lifecycle)
		run->lifecycle = s->lifecycle;
	if (run->variants)
		return;
	r->variants = variants_of(s);
	run->variants = (const char *const *)r->variants->pdata;
}

static void name_job(struct replaying *r)
{
	g_autofree char *base = g_path_get_basename(r->sched_path);
	GString *line = g_string_new("slabsim replay"), *in_dir = g_string_new("slabsim replay");

	append_option(line, NULL, r->sched_path);
	append_option(in_dir, NULL, base);
	/* What it took to run it: the script was named, because it is not where it was. */
	if (r->typed)
		append_option(line, NULL, r->typed);
	if (r->edited)
		g_string_append(line, " --force");
	r->job.args = &r->args;
	r->job.stem = g_str_has_suffix(base, ".sched") ? g_strndup(base, strlen(base) - 6)
						       : g_strdup(base);
	r->job.replay = g_string_free(line, FALSE);
	r->job.replay_in_dir = g_string_free(in_dir, FALSE);
}

/* ---- running ------------------------------------------------------------------------------ */

/* Is it the run that the schedule tells of?  If not, say so. */
static bool is_the_same(const struct replaying *r, const struct following *f)
{
	const struct schedule *s = r->sched;

	if (f->followed.end == FOLLOW_ASKED)
		return true;
	if (s->checker &&
	    (f->followed.end != FOLLOW_VIOLATED || !schedule_leads_to(s, &f->followed.violation)))
		return refuse_schedule(r->sched_path, "%s of %s did not come back", s->checker,
				       s->object);
	if (!s->checker && f->followed.end == FOLLOW_VIOLATED)
		return refuse_schedule(r->sched_path, "no violation was expected");
	if (r->edited || !s->trace || strcmp(s->trace, f->digest) == 0)
		return true;
	return refuse_schedule(r->sched_path,
			       "the verdict is the same, but not the trace: digest %s, not %s",
			       f->digest, s->trace);
}

/* Why it stopped, and what of it can be reported. */
static int code_of_stop(const struct replaying *r, const GError *error)
{
	if (error->domain != SCHEDULE_ERROR)
		return code_of_error(error);
	cli_error("%s: %s", r->sched_path, error->message);
	return EXIT_INTERNAL;
}

static int replay_recorded(struct replaying *r)
{
	struct following f = {
		.opt = &r->args.run,
		.sched = r->sched,
		.sinks = r->job.sinks,
		.lenient = r->edited,
		.until = r->until,
		.check = check_header,
		.arg = r,
	};
	g_autoptr(GError) error = NULL;
	struct violation found;
	bool same;
	int code;

	/* As explore writes them. */
	r->args.run.accesses |= outputs_any(&r->args.out);
	if (!job_open(&r->job, &error))
		return code_of_error(error);
	sim_assert_context(r->job.replay);
	if (!follow(&f, &error)) {
		following_clear(&f);
		return code_of_stop(r, error);
	}
	r->job.result = f.result;
	found = f.followed.violation;
	if (f.followed.end == FOLLOW_VIOLATED)
		r->job.violation = &found;
	same = is_the_same(r, &f);
	if (r->edited && f.followed.nr_skipped > 0)
		cli_note(r->args.quiet, "%s: %u steps could not be taken", r->sched_path,
			 f.followed.nr_skipped);
	following_clear(&f);
	if (!job_close(&r->job, &error))
		return code_of_error(error);
	code = job_report(&r->job);
	if (code != EXIT_CLEAN)
		return code;
	if (!same)
		return EXIT_INTERNAL;
	return r->job.result.nr_violations > 0 ? EXIT_VIOLATION : EXIT_CLEAN;
}

static int replay(struct replaying *r)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *found = NULL;
	const char *script = r->typed;

	r->sched = schedule_read(r->sched_path, &error);
	if (!r->sched) {
		cli_error("%s", error->message);
		return EXIT_USAGE;
	}
	if (!script)
		script = found = find_script(r);
	if (!script)
		return EXIT_USAGE;
	run_args_script(&r->args, script);
	if (!check_before(r))
		return EXIT_USAGE;
	set_options(r);
	name_job(r);
	return replay_recorded(r);
}

/* ---- the command line --------------------------------------------------------------------- */

static bool check_until(const struct command *cmd, const char *typed, uint64_t *until)
{
	if (!typed || (parse_u64(typed, until) && *until > 0))
		return true;
	cli_usage(cmd, "--until takes the number of an event, from 1 on, not '%s'", typed);
	return false;
}

static int run_replay(const struct command *self, int argc, char **argv)
{
	struct replaying r = {0};
	g_autofree char *until = NULL;
	gboolean text = FALSE;
	const GOptionEntry entries[] = {
		{"until", 'u', 0, G_OPTION_ARG_FILENAME, &until, "Stop after event SEQ", "SEQ"},
		{"text", 0, 0, G_OPTION_ARG_NONE, &text,
		 "Timeline and summary as text (the default)", NULL},
		G_OPTION_ENTRY_NULL,
	};
	int code = EXIT_USAGE;

	switch (run_args_parse(self, ARGS_LIMITS, entries, &argc, &argv, &r.args)) {
	case PARSED:
		if (argc < 2 || argc > 3) {
			cli_usage(self, argc < 2 ? "name a schedule"
						 : "replay takes one schedule and its scenario");
		} else if (text && r.args.json) {
			cli_usage(self, "--text and --json contradict each other");
		} else if (check_until(self, until, &r.until)) {
			r.sched_path = argv[1];
			r.typed = argc == 3 ? argv[2] : NULL;
			code = replay(&r);
		}
		break;
	case PARSED_HELP:
		code = EXIT_CLEAN;
		break;
	case PARSED_WRONG:
		break;
	}
	job_clear(&r.job);
	schedule_free(r.sched);
	if (r.variants)
		g_ptr_array_unref(r.variants);
	run_args_clear(&r.args);
	return code;
}

const struct command command_replay = {
	.name = "replay",
	.params = "FILE.sched [SCENARIO]",
	.summary = "Run a schedule again, and make sure that it is the same run",
	.description =
		"The schedule says which scenario, lifecycle, variants, parameters and seed; an\n"
		"option that says otherwise is refused.  SCENARIO is needed only where the script\n"
		"has moved.  --force also follows a schedule whose script, or which itself, was\n"
		"edited since.\n\n"
		"The exit status is that of the run: 1 if it violates as the schedule says.  It\n"
		"is 3 if the schedule cannot be followed, or leads elsewhere.\n\n"
		"Example:\n  slabsim replay out/offline_vs_alloc.sched --until 120\n",
	.run = run_replay,
};
