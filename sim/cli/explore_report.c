// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `slabsim explore` says on standard output.
 */

#include "lua/expect.h"
#include "reports/json.h"
#include "sim/check/ledger.h"
#include "sim/cli/coverage.h"
#include "sim/cli/exploring.h"
#include "sim/cli/test.h"

static const struct trace_violation *violation_of(const struct trace_file *tf,
						  const struct violation *v)
{
	for (guint i = 0; i < tf->violations->len; i++) {
		const struct trace_violation *t =
			&g_array_index(tf->violations, struct trace_violation, i);

		if (t->seq == v->seq && t->obj == v->obj && strcmp(t->rule, v->ops->name) == 0)
			return t;
	}
	return NULL;
}

/* ---- standard output ---------------------------------------------------------------------- */

static void put_setup(const struct exploring *e, struct output *o)
{
	if (e->nr_setup > 0)
		output_printf(o, "the set-up violates already, in every ordering: %s of %s: %s\n",
			      e->setup.ops->name, oid_str(e->setup.obj).s, e->setup.text);
}

static void put_what(const struct exploring *e, struct output *o)
{
	output_printf(o, "; %s, %s, seed %" G_GUINT64_FORMAT "\n", e->head->lifecycle,
		      strategy_infos[e->opt.strategy].name, e->opt.seed);
}

static void put_verdict(const struct exploring *e, struct output *o)
{
	g_autofree char *claim = coverage_claim(&e->opt, &e->result);
	enum covered covered = coverage(&e->opt, &e->result);

	output_printf(o, "%s: ", e->args.name);
	if (e->found->len > 0) {
		const struct found *f = g_ptr_array_index(e->found, 0);
		const struct violation *v = &f->finding->violation;

		output_printf(o, "FAIL %s of ", v->ops->name);
		names_put(f->job.tf->names, o, v->obj);
		output_printf(o, ", found in execution %" G_GUINT64_FORMAT " after %.2f s",
			      f->first->run, f->first->seconds);
		if (e->found->len > 1)
			output_printf(o, ", and %u more", e->found->len - 1);
	} else if (e->nr_setup > 0) {
		output_printf(o, "FAIL %s of %s in the set-up; nothing else in %s",
			      e->setup.ops->name, oid_str(e->setup.obj).s, claim);
	} else {
		output_printf(o, "%s no violation; covered: %s",
			      covered == COVERED_SOME ? "INCOMPLETE" : "PASS", claim);
	}
	put_what(e, o);
}

/* A run is over where it fails, and so is the exploration. */
static void put_further(const struct exploring *e, struct output *o)
{
	const struct found *f;

	if (e->found->len == 0 || e->opt.keep_going)
		return;
	f = g_ptr_array_index(e->found, 0);
	output_printf(o, "others: --keep-going goes on, --no-check %s looks past this one\n",
		      f->finding->violation.ops->name);
}

static void put_coverage(const struct exploring *e, struct output *o)
{
	g_autofree char *claim = coverage_claim(&e->opt, &e->result);
	g_autofree char *counts = coverage_counts(&e->result);
	g_autofree char *limit = coverage_limit(&e->opt, &e->result);
	g_autofree char *cut = coverage_cut(&e->opt, &e->result);
	g_autofree char *collision = coverage_collision(&e->opt, &e->result);
	g_autofree char *stages = coverage_auto(&e->result);

	if (e->opt.strategy == STRATEGY_AUTO)
		output_printf(o, "auto: %s\n", stages);
	if (e->found->len > 0)
		output_printf(o, "explored %s%s\n",
			      e->opt.keep_going ? "" : "until the first failure: ", claim);
	output_printf(o, "%s\n", counts);
	if (collision)
		output_printf(o, "%s\n", collision);
	if (limit)
		output_printf(o, "%s\n", limit);
	if (cut)
		output_printf(o, "%s\n", cut);
	put_further(e, o);
}

static void put_minimised(const struct found *f, struct output *o)
{
	const struct minimise_result *m = &f->minimise;

	if (!f->minimised) {
		output_printf(o, "not minimised: %u steps, %u preemptions\n", f->sched->nr_steps,
			      f->sched->preemptions);
		return;
	}
	output_printf(o,
		      "minimised %u -> %u steps, %u -> %u preemptions (%" G_GUINT64_FORMAT
		      " replays, %.2f s)\n",
		      m->steps_before, f->finding->nr_steps, m->preemptions_before, m->preemptions,
		      m->nr_replays, m->seconds);
	if (m->proved && m->preemptions > 0)
		output_printf(
			o,
			"no failure of this kind with fewer preemptions: all %" G_GUINT64_FORMAT
			" executions tried\n",
			m->proof_runs);
	else if (m->preemptions > 0)
		output_str(o, "there may be one with fewer preemptions: not all were tried\n");
	if (m->gave_up)
		output_printf(o, "%s: it may get shorter\n",
			      cli_interrupted ? "interrupted" : "the minimiser's limit was hit");
}

/* " jobs=0, without launcher, without user:2-4": how it differs from what was asked for. */
static char *left_out(const struct exploring *e, const struct found *f)
{
	GString *s = g_string_new(NULL);
	const char *const none[] = {NULL};
	const char *const *sets = e->args.run.sets ? e->args.run.sets : none;
	const char *const *skips = e->args.run.skips ? e->args.run.skips : none;

	for (guint i = 0; i + 1 < f->sched->sets->len; i++) {
		const char *set = g_ptr_array_index(f->sched->sets, i);

		if (!g_strv_contains(sets, set))
			g_string_append_printf(s, "%s %s", s->len ? "," : "", set);
	}
	for (guint i = 0; i + 1 < f->sched->skips->len; i++) {
		const char *skip = g_ptr_array_index(f->sched->skips, i);

		if (!g_strv_contains(skips, skip))
			g_string_append_printf(s, "%s without %s", s->len ? "," : "", skip);
	}
	return g_string_free(s, FALSE);
}

static void put_shrunk(const struct exploring *e, const struct found *f, struct output *o)
{
	g_autofree char *what = left_out(e, f);

	if (!f->shrink.done)
		return;
	if (what[0] == 0)
		output_printf(o, "shrunk: nothing in the scenario could be left out");
	else
		output_printf(o, "shrunk %u -> %u steps, %u -> %u preemptions, with%s",
			      f->shrink.steps_before, f->finding->nr_steps,
			      f->shrink.preemptions_before, f->minimise.preemptions, what);
	output_printf(o, " (%u scenarios tried, %.2f s)\n", f->shrink.nr_tries, f->shrink.seconds);
	if (f->shrink.gave_up)
		output_printf(o, "%s: more may be left out\n",
			      cli_interrupted ? "interrupted" : "the time for shrinking was over");
}

static void put_found(const struct exploring *e, const struct found *f, struct output *o)
{
	const struct trace_violation *v = violation_of(f->job.tf, &f->finding->violation);

	if (v)
		text_splat(f->job.tf, v, f->job.replay, o);
	put_minimised(f, o);
	put_shrunk(e, f, o);
	output_char(o, '\n');
	job_race(&f->job, o);
	if (!f->kept) {
		GString *steps =
			g_string_new("\nSchedule (-o DIR writes a file that replays it):\n");

		schedule_write_steps(f->sched, steps);
		output_bytes(o, steps->str, steps->len);
		g_string_free(steps, TRUE);
	}
	output_char(o, '\n');
}

static bool has_any(char **strings)
{
	return strings && strings[0];
}

/* The scenario of a bug may keep what is found with some parameters, and not without them. */
static void put_kept(const struct exploring *e, struct output *o)
{
	const struct run_args *args = &e->args;
	g_autoptr(GPtrArray) expected = NULL;

	if (e->found->len > 0 || e->nr_setup > 0 || args->lifecycle || has_any(args->variants) ||
	    has_any(args->sets))
		return;
	expected = expectations_read(args->path, NULL);
	for (guint i = 0; expected && i < expected->len; i++) {
		const struct expectation *x = g_ptr_array_index(expected, i);
		g_autofree char *command = NULL;

		if (!x->keeps)
			continue;
		command = test_command(args->path, x, x->seed, x->runs);
		output_printf(o, "the failure that is kept beside it was found by: %s\n", command);
		return;
	}
}

int explore_text(const struct exploring *e)
{
	struct output *o = output_open("-", false, NULL);

	put_verdict(e, o);
	put_setup(e, o);
	for (guint i = 0; i < e->found->len; i++)
		put_found(e, g_ptr_array_index(e->found, i), o);
	if (!e->args.quiet || e->found->len > 0)
		put_coverage(e, o);
	if (!e->args.quiet)
		put_kept(e, o);
	if (e->found->len > 0) {
		const struct found *f = g_ptr_array_index(e->found, 0);

		output_printf(o, "Replay: %s\n", f->job.replay);
	}
	return cli_close(o);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void put_json_found(const struct exploring *e, const struct found *f, struct output *o)
{
	const struct trace_violation *v = violation_of(f->job.tf, &f->finding->violation);

	output_str(o, "{\"type\":\"finding\"");
	json_key_string(o, "scenario", e->args.name);
	json_key(o, "violation");
	if (v)
		put_json_violation(v, o);
	else
		output_str(o, "null");
	json_key_u64(o, "execution", f->first->run);
	json_key_u64(o, "steps", f->sched->nr_steps);
	json_key_u64(o, "preemptions", f->sched->preemptions);
	if (f->minimised) {
		json_key_u64(o, "steps_before", f->minimise.steps_before);
		json_key_u64(o, "preemptions_before", f->minimise.preemptions_before);
		json_key_u64(o, "replays", f->minimise.nr_replays);
		json_key(o, "fewest_preemptions");
		output_str(o, f->minimise.proved ? "true" : "false");
	}
	if (f->shrink.done) {
		json_key(o, "sets");
		json_strings(o, (const char *const *)f->sched->sets->pdata);
		json_key(o, "skips");
		json_strings(o, (const char *const *)f->sched->skips->pdata);
		json_key_u64(o, "steps_before_shrinking", f->shrink.steps_before);
		json_key_u64(o, "scenarios_tried", f->shrink.nr_tries);
	}
	if (f->kept)
		json_key_string(o, "schedule", f->kept);
	put_json_files(&f->job, o);
	json_key_string(o, "replay", f->job.replay);
	output_str(o, "}\n");
}

static void put_json_summary(const struct exploring *e, struct output *o)
{
	static const char *const covered[] = {"all", "bounded", "some"};
	const struct explore_stats *s = &e->result.stats;
	g_autofree char *claim = coverage_claim(&e->opt, &e->result);
	g_autofree char *limit = coverage_limit(&e->opt, &e->result);

	output_str(o, "{\"type\":\"summary\"");
	json_key_string(o, "scenario", e->args.name);
	json_key_string(o, "design", e->head->lifecycle);
	json_key(o, "variants");
	json_strings(o, (const char *const *)e->head->variants->pdata);
	json_key_u64(o, "seed", e->opt.seed);
	json_key_string(o, "strategy", strategy_infos[e->opt.strategy].name);
	json_key_u64(o, "findings", e->found->len);
	json_key_u64(o, "setup_violations", e->nr_setup);
	json_key_string(o, "covered", covered[coverage(&e->opt, &e->result)]);
	json_key_string(o, "claim", claim);
	if (limit)
		json_key_string(o, "limit", limit);
	if (e->checkpoint_path)
		json_key_string(o, "checkpoint", e->checkpoint_path);
	json_key_u64(o, "executions", s->nr_runs);
	json_key_u64(o, "failing", s->nr_failing);
	json_key_u64(o, "states", s->nr_states);
	json_key_u64(o, "blocked", s->nr_blocked);
	json_key_u64(o, "pruned", s->nr_pruned);
	json_key_u64(o, "cut", s->nr_cut);
	json_key_u64(o, "longest", s->longest);
	json_key_u64(o, "steps", s->nr_steps);
	json_key_u64(o, "recalled", s->nr_recalled);
	output_str(o, "}\n");
}

int explore_json(const struct exploring *e)
{
	struct output *o = output_open("-", false, NULL);

	for (guint i = 0; i < e->found->len; i++)
		put_json_found(e, g_ptr_array_index(e->found, i), o);
	put_json_summary(e, o);
	return cli_close(o);
}
