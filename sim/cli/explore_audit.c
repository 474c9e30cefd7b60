// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim explore FILE --audit: do all engines find the same in it?
 */

#include "sim/cli/cli.h"
#include "sim/cli/exploring.h"
#include "sim/explore/audit/audit.h"

#define U64 "%" G_GUINT64_FORMAT

/* Beyond this the full search gives up: the others have to make do with each other. */
#define STEPS_MAX 20000000

static void show_progress(void *arg, enum audit_engine engine, const struct explore_stats *s)
{
	struct exploring *e = arg;

	if (progress_is_due(&e->progress))
		progress_show(&e->progress, "%s: " U64 " executions, " U64 " steps, %.0f s",
			      audit_engine_names[engine], s->nr_runs, s->nr_steps,
			      progress_seconds(&e->progress));
}

static char *verdict_of(const struct audit_result *r, int engine)
{
	const struct audit_row *row = &r->rows[engine];

	if (row->nr_differs > 0)
		return g_strdup("differs");
	if (row->repeated)
		return g_strdup("same runs");
	if (!row->complete)
		return g_strdup(row->out_of_time ? "gave up: time" : "gave up");
	if (engine == r->reference)
		return g_strdup("reference");
	return engine == AUDIT_BOUNDED ? g_strdup_printf("same, bound %u", row->bound)
				       : g_strdup("same");
}

static void put_row(struct output *o, const struct audit_result *r, int engine)
{
	const struct audit_row *row = &r->rows[engine];
	g_autofree char *verdict = verdict_of(r, engine);
	g_autofree char *states = row->stats.nr_states && engine != AUDIT_FULL
					  ? g_strdup_printf(U64, row->stats.nr_states)
					  : g_strdup("-");
	g_autofree char *ends = engine != AUDIT_DRAWN ? g_strdup_printf(U64, row->nr_ends)
						      : g_strdup("-");
	g_autofree char *classes = row->by_history ? g_strdup_printf(U64, row->nr_classes)
						   : g_strdup("-");

	output_printf(
		o, "  %-11s %11" G_GUINT64_FORMAT " %9" G_GUINT64_FORMAT " %9s %9s %10s %8u  %s\n",
		audit_engine_names[engine], row->stats.nr_runs, row->stats.nr_blocked, states,
		classes, ends, row->nr_findings, verdict);
}

static void put_problems(struct output *o, const struct audit_result *r)
{
	for (guint i = 0; i < r->problems->len; i++)
		output_printf(o, "%s\n", (const char *)g_ptr_array_index(r->problems, i));
	if (r->nr_problems > r->problems->len)
		output_printf(o, "and %u more\n", r->nr_problems - r->problems->len);
	output_printf(o, "This is a fault of slabsim, not of the scenario.  Please report it, with "
			 "the scenario,\nthe command line and this output.\n");
}

static int put_audit(const struct exploring *e, const struct audit_result *r)
{
	struct output *o = output_open("-", false, NULL);
	const struct audit_row *dpor = &r->rows[AUDIT_DPOR];
	int code;

	output_printf(o, "  %-11s %11s %9s %9s %9s %10s %8s  %s\n", "engine", "executions",
		      "blocked", "states", "classes", "end states", "findings", "verdict");
	for (int i = 0; i < NR_AUDIT_ENGINES; i++) {
		if (r->rows[i].ran)
			put_row(o, r, i);
	}
	output_printf(o,
		      "  " U64 " states met again and compared, " U64
		      " pairs of independent steps run in both orders\n",
		      r->nr_again, r->nr_pairs);
	if (dpor->nr_redundant > 0)
		output_printf(o,
			      "  dpor ran " U64 " executions of a class that it had run before\n",
			      dpor->nr_redundant);
	if (r->nr_problems > 0)
		put_problems(o, r);
	output_printf(o, "%s: %s\n", e->args.name,
		      r->nr_problems > 0 ? "DIFFERENT: the engines do not agree"
		      : r->reference < 0
			      ? "INCOMPLETE: no engine came to its end"
			      : "SAME: every engine that came to its end found the same");
	code = cli_close(o);
	if (code != EXIT_CLEAN)
		return code;
	return r->nr_problems > 0 ? EXIT_VIOLATION : r->reference < 0 ? EXIT_LIMIT : EXIT_CLEAN;
}

static int code_of_result(const struct exploring *e, const struct audit_result *r)
{
	if (r->interrupted)
		return EXIT_INTERRUPTED;
	if (r->error) {
		cli_error("%s", r->error->message);
		return g_error_matches(r->error, SLABSIM_ERROR, SLABSIM_ERROR_USAGE) ? EXIT_USAGE
										     : EXIT_LIMIT;
	}
	return put_audit(e, r);
}

int explore_audit(struct exploring *e)
{
	const struct audit_options opt = {
		.max_seconds = e->opt.max_seconds,
		.max_steps = STEPS_MAX,
		.max_steps_of_run = e->opt.max_steps,
		.interrupted = &cli_interrupted,
		.progress = show_progress,
		.progress_arg = e,
	};
	g_autoptr(GError) error = NULL;
	struct run *run = session_open(&e->args.run, NULL, &error);
	struct audit_result result;
	int code;

	if (!run)
		return code_of_error(error);
	progress_init(&e->progress, e->args.quiet);
	cli_run_active = 1;
	audit(session_subject(run), &opt, &result);
	cli_run_active = 0;
	progress_clear(&e->progress);
	session_close(run);
	code = code_of_result(e, &result);
	audit_result_clear(&result);
	return code;
}
