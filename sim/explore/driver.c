// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/driver.h"

#include <string.h>

#include "sim/explore/parallel/checkpoint.h"

/* Steps between two looks at the clock: a few ms, unless a step takes long. */
#define LOOK_STEPS 512

const struct strategy_info strategy_infos[NR_STRATEGIES] = {
	[STRATEGY_AUTO] =
		{"auto",
		 "dpor, random runs, all states if that is quick, dpor for longer, bounded"},
	[STRATEGY_RANDOM] = {"random", "each step drawn from all that can come next"},
	[STRATEGY_PCT] = {"pct", "random priorities with a few changes: finds rare orders"},
	[STRATEGY_BOUNDED] = {"bounded", "every order with at most 0, 1, 2, ... preemptions"},
	[STRATEGY_DPOR] = {"dpor", "one order of each class of equivalent ones: proves"},
	[STRATEGY_EXHAUSTIVE] = {"exhaustive", "every state, by fingerprints: proves"},
};

void driver_stop(struct driver *d, enum explore_end why)
{
	if (d->stopped)
		return;
	d->stopped = true;
	d->result->end = why;
}

double driver_seconds(const struct driver *d)
{
	return (double)(g_get_monotonic_time() - d->start) / 1e6;
}

void driver_loaded(struct driver *d)
{
	if (d->loaded_at && *d->loaded_at == 0)
		*d->loaded_at = g_get_monotonic_time();
}

/*
 * Going on from a path, it takes at least one step more, however long the path takes.  Else one
 * that takes longer than the time that there is would be taken for ever, and nothing after it.
 */
static bool is_out_of_time(const struct driver *d)
{
	/* Another process may set it at any moment. */
	gint64 loaded = d->loaded_at ? *d->loaded_at : 0, late = 0;

	if (d->loaded_at && !loaded)
		return false;
	if (d->loaded_at)
		late = loaded - d->opened;
	return d->deadline && g_get_monotonic_time() >= d->deadline + late;
}

static void look_at_clock(struct driver *d)
{
	const struct explore_options *opt = d->opt;
	struct explore_stats *stats = &d->result->stats;

	d->next_look = stats->nr_steps + LOOK_STEPS;
	stats->seconds = driver_seconds(d);
	if (is_out_of_time(d))
		driver_stop(d, END_TIME);
	if (opt->progress)
		opt->progress(opt->progress_arg, stats);
}

bool driver_is_over(const struct driver *d)
{
	return d->stopped && (d->result->end == END_FOUND || d->result->end == END_ERROR);
}

bool driver_look(struct driver *d)
{
	if (driver_may_go_on(d))
		look_at_clock(d);
	return !d->stopped;
}

bool driver_may_step(struct driver *d)
{
	const struct explore_options *opt = d->opt;

	if (opt->interrupted && *opt->interrupted)
		driver_stop(d, END_INTERRUPTED);
	if (!d->stopped && d->result->stats.nr_steps >= d->next_look)
		look_at_clock(d);
	return !d->stopped;
}

bool driver_may_go_on(struct driver *d)
{
	const struct explore_stats *stats = &d->result->stats;

	if (!driver_may_step(d))
		return false;
	if (d->max_runs && stats->nr_runs + stats->nr_cut >= d->max_runs)
		driver_stop(d, END_RUNS);
	return !d->stopped;
}

bool same_finding(const struct violation *a, const struct violation *b)
{
	return a->ops == b->ops && oid_kind(a->obj) == oid_kind(b->obj) &&
	       strncmp(a->text, b->text, strcspn(a->text, ":")) == 0;
}

static void keep(struct driver *d, uint64_t run, bool at_end)
{
	const struct violation *v = exec_violation(d->x);
	struct explore_result *r = d->result;
	struct finding *f;

	for (guint i = 0; i < r->findings->len; i++) {
		f = g_ptr_array_index(r->findings, i);
		if (same_finding(&f->violation, v))
			return;
	}
	f = g_new0(struct finding, 1);
	f->choices = g_array_copy(d->x->choices);
	f->violation = *v;
	f->run = run;
	f->seconds = driver_seconds(d);
	f->nr_steps = d->x->nr_steps;
	f->at_end = at_end;
	g_ptr_array_add(r->findings, f);
}

void driver_keep(struct driver *d)
{
	if (!d->audit)
		keep(d, d->result->stats.nr_runs + 1, false);
}

void driver_run_passed(struct driver *d, uint32_t nr_steps)
{
	struct explore_stats *stats = &d->result->stats;

	stats->nr_runs++;
	if (nr_steps > stats->longest)
		stats->longest = nr_steps;
}

void driver_run_ended(struct driver *d, bool at_end)
{
	struct explore_stats *stats = &d->result->stats;

	driver_run_passed(d, d->x->nr_steps);
	if (!exec_violated(d->x))
		return;
	stats->nr_failing++;
	if (d->audit && !d->audit->keeps)
		return;
	keep(d, stats->nr_runs, at_end);
	if (!d->opt->keep_going)
		driver_stop(d, END_FOUND);
}

void driver_run_stopped(struct driver *d)
{
	GError *error = d->x->s->take_error(d->x->s);

	if (error) {
		d->result->error = error;
		driver_stop(d, END_ERROR);
	}
}

void driver_contradicted(struct driver *d)
{
	if (!d->stopped)
		g_set_error_literal(
			&d->result->error, MODEL_ERROR, 0,
			"the same steps do not always lead to the same state: do tasks share a Lua "
			"variable? What they share must be a cell, as in sim:cell(\"name\", 0)");
	driver_stop(d, END_ERROR);
}

/* Nothing that it says is to be trusted then, what was found included. */
void driver_misfit(struct driver *d)
{
	g_ptr_array_set_size(d->result->findings, 0);
	if (!d->result->error)
		g_set_error_literal(&d->result->error, CHECKPOINT_ERROR, 0,
				    "its state is not one of this exploration");
	driver_stop(d, END_ERROR);
}

/* ---- results ---------------------------------------------------------------------- */

void finding_free(void *p)
{
	struct finding *f = p;

	if (!f)
		return;
	g_array_unref(f->choices);
	g_free(f);
}

void explore_result_clear(struct explore_result *result)
{
	g_clear_pointer(&result->findings, g_ptr_array_unref);
	g_clear_error(&result->error);
	g_clear_pointer(&result->rest, g_byte_array_unref);
}
