// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/explore.h"

#include <string.h>
#include <sys/mman.h>

#include "sim/explore/parallel/checkpoint.h"
#include "sim/explore/driver.h"
#include "sim/explore/parallel/frontier.h"
#include "sim/explore/steps/copies.h"
#include "sim/explore/steps/memo.h"

/*
 * STRATEGY_AUTO: how many steps its stages take, so that it is the same everywhere.
 * A moment of dpor, which is then done with most small models; a second or two of random
 * runs; some seconds of going through all states, where most steps are known by then; and for
 * about half a minute the hope that one order of each class of equivalent ones is all there is to
 * do.
 */
#define TRY_STEPS 60000
/* Where runs are longer than that, none of this is a moment, and few orderings there are not. */
#define TRY_STEPS_OF_RUN (TRY_STEPS / 10)
#define SAMPLING_STEPS 8000000
#define STATES_STEPS 50000000
#define REDUCTION_STEPS 5000000

/* Up to @last preemptions, or until no bound keeps anything out any more. */
static void bounded(struct driver *d, uint32_t last)
{
	struct explore_result *r = d->result;

	if (d->resume && r->stats.bound > last) {
		driver_misfit(d);
		return;
	}
	for (uint32_t bound = d->resume ? r->stats.bound : 0; bound <= last; bound++) {
		r->stats.bound = bound;
		if (!d->resume)
			r->bound_cut = false;
		frontier_search(d, STRATEGY_BOUNDED, bound, 0, NULL);
		if (d->stopped)
			return;
		r->bound_done = bound + 1;
		if (!r->bound_cut)
			return;
	}
}

/* What dpor has left over while something else is done. */
struct leftover {
	GByteArray *bytes;
	struct reader reader;
};

/* dpor, from @left on if that holds something; true if nothing else is to be done. */
static bool reduce(struct driver *d, uint64_t max_steps, struct leftover *left)
{
	g_autoptr(GByteArray) from = left->bytes;
	uint64_t nr_cut = d->result->stats.nr_cut;
	bool done;

	left->bytes = g_byte_array_new();
	left->reader = (struct reader){.data = from->data, .left = from->len, .ok = true};
	if (from->len > 0)
		d->resume = &left->reader;
	done = frontier_search(d, STRATEGY_DPOR, 0, max_steps, left->bytes);
	/* What was cut is still to be covered, if not by dpor. */
	return (done && d->result->stats.nr_cut == nr_cut) || d->stopped;
}

/* What is left of dpor comes first in what this stage needs to go on.  Return: its length. */
static guint keep_left(struct driver *d, const GByteArray *left)
{
	g_byte_array_set_size(d->rest, 0);
	put_u64(d->rest, left->len);
	put_bytes(d->rest, left->data, left->len);
	return d->rest->len;
}

/* Nothing was added to @nr bytes where nobody needs to go on. */
static void drop_left(struct driver *d, guint nr)
{
	if (d->rest->len == nr)
		g_byte_array_set_size(d->rest, 0);
}

static void sample_meanwhile(struct driver *d, const GByteArray *left)
{
	guint nr = keep_left(d, left);

	sample(d, STRATEGY_AUTO, SAMPLING_STEPS);
	drop_left(d, nr);
}

/* All states, as long as that is a matter of seconds; true if nothing else is to be done. */
static bool go_through_states(struct driver *d, const GByteArray *left)
{
	struct explore_stats *stats = &d->result->stats;
	g_autoptr(GByteArray) unused = g_byte_array_new();
	uint64_t nr_cut = stats->nr_cut;
	guint nr = keep_left(d, left);
	bool done;

	d->only_recalled = true;
	done = frontier_search(d, STRATEGY_EXHAUSTIVE, 0, STATES_STEPS, unused);
	d->only_recalled = false;
	if (d->stopped && d->result->end == END_MEMORY) {
		d->stopped = done = false;
		g_byte_array_set_size(d->rest, 0);
	}
	drop_left(d, nr);
	if (!done && !d->stopped)
		stats->nr_states = 0;
	return d->stopped || (done && stats->nr_cut == nr_cut);
}

/* What a checkpoint has of dpor while random runs are made. */
static void take_left(struct driver *d, GByteArray *left)
{
	const struct reader from = *d->resume;
	uint64_t size = take_u64(d->resume);

	if (size > d->resume->left) {
		driver_misfit(d);
		return;
	}
	g_byte_array_set_size(left, (guint)size);
	take_bytes(d->resume, left->data, size);
	/* To be told now and not when the random runs are done. */
	if (size > 0 && !frontier_fits(d, STRATEGY_DPOR, left))
		driver_misfit(d);
	else if (d->stopped)
		put_bytes(d->rest, from.data, from.left);
}

static uint32_t first_alternative(struct exec *x, enum choice_kind kind, uint32_t n)
{
	(void)x;
	(void)kind;
	(void)n;
	return 0;
}

/* One run, in which everybody has his turn, and of which nothing is known afterwards but this. */
static bool runs_are_long(struct driver *d)
{
	struct exec *x = d->x;

	x->inner = first_alternative;
	exec_restart(x);
	while (x->nr_steps < TRY_STEPS_OF_RUN) {
		if (!exec_look(x) || !exec_step(x, x->nr_steps % x->nr_enabled))
			return false;
	}
	return true;
}

static bool was_tried(const struct driver *d)
{
	const struct explore_stats *s = &d->result->stats;

	return s->stages[AUTO_TRY].nr_runs + s->stages[AUTO_TRY].nr_cut > 0;
}

/* Return: whether it was the last one. */
static bool run_stage(struct driver *d, enum auto_stage stage, struct leftover *left)
{
	switch (stage) {
	case AUTO_TRY:
		if (!d->resume && runs_are_long(d))
			return false;
		return reduce(d, TRY_STEPS, left);
	case AUTO_SAMPLE:
		if (d->resume)
			take_left(d, left->bytes);
		if (!d->stopped)
			sample_meanwhile(d, left->bytes);
		return d->stopped;
	case AUTO_STATES:
		if (d->resume)
			take_left(d, left->bytes);
		return d->stopped || (d->memo && go_through_states(d, left->bytes));
	case AUTO_REDUCE:
		if (left->bytes->len == 0 && !d->resume && was_tried(d))
			return false;
		return reduce(d, REDUCTION_STEPS, left);
	default:
		/* Where there are loops no bound is the last, but states may come to an end. */
		if (d->result->stats.nr_loops > 0)
			frontier_search(d, STRATEGY_EXHAUSTIVE, 0, 0, NULL);
		else
			bounded(d, UINT32_MAX);
		return true;
	}
}

/* One that was stopped goes on with the stage that was at work. */
static void explore_auto(struct driver *d)
{
	struct leftover left = {.bytes = g_byte_array_new()};
	struct explore_stats *stats = &d->result->stats;
	bool last = false;

	for (enum auto_stage stage = stats->stage; !last && stage < NR_AUTO_STAGES; stage++) {
		struct explore_stats before = *stats;

		stats->stage = stage;
		last = run_stage(d, stage, &left);
		stats->stages[stage].nr_runs += stats->nr_runs - before.nr_runs;
		stats->stages[stage].nr_cut += stats->nr_cut - before.nr_cut;
		stats->stages[stage].nr_recalled += stats->nr_recalled - before.nr_recalled;
	}
	g_byte_array_unref(left.bytes);
}

static void explore_by(struct driver *d, enum strategy strategy)
{
	switch (strategy) {
	case STRATEGY_RANDOM:
	case STRATEGY_PCT:
		sample(d, strategy, 0);
		break;
	case STRATEGY_BOUNDED:
		bounded(d, d->opt->preemptions);
		break;
	case STRATEGY_DPOR:
	case STRATEGY_EXHAUSTIVE:
		frontier_search(d, strategy, 0, 0, NULL);
		break;
	default:
		explore_auto(d);
	}
}

/* @from: what opt->resume holds */
static void resume(struct driver *d, struct reader *from)
{
	if (!state_read(d, from)) {
		driver_misfit(d);
		return;
	}
	d->resume = from;
	explore_by(d, d->opt->strategy);
}

/* No order of the tasks' steps can change what happened before them. */
static void keep_setup(struct driver *d)
{
	struct finding *f = g_new0(struct finding, 1);

	f->choices = g_array_copy(d->x->choices);
	f->violation = d->x->s->checks->violations[0];
	f->run = d->result->stats.nr_runs = d->result->stats.nr_failing = 1;
	g_ptr_array_add(d->result->findings, f);
	driver_stop(d, END_FOUND);
}

/* Where states are told apart and there are copies, they are one if only copies changed places. */
static bool exchange_copies(struct driver *d)
{
	struct subject *s = d->x->s;

	if (!s->nr_copies || d->opt->no_symmetry || d->opt->strategy != STRATEGY_EXHAUSTIVE ||
	    !d->memo)
		return true;
	if (!copies_are_alike(s, &d->result->error)) {
		driver_stop(d, END_ERROR);
		return false;
	}
	d->memo->copies = s;
	d->result->exchanged = true;
	return true;
}

/* A time that workers see and set; NULL if there is no memory for that. */
static volatile gint64 *shared_time(void)
{
	void *p = mmap(NULL, sizeof(gint64), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);

	return p == MAP_FAILED ? NULL : p;
}

void explore(struct subject *s, const struct explore_options *opt, struct explore_result *result)
{
	struct reader from = {.ok = true};
	struct driver d = {
		.opt = opt,
		.result = result,
		.x = exec_new(s),
		.start = g_get_monotonic_time(),
		.memo = opt->no_memo ? NULL : memo_new(),
		.max_runs = opt->max_runs,
		.max_steps = opt->max_steps ? opt->max_steps : MAX_STEPS_DEFAULT,
	};

	memset(result, 0, sizeof(*result));
	result->findings = g_ptr_array_new_with_free_func(finding_free);
	result->stats.strategy = opt->strategy;
	result->stats.share = -1;
	d.opened = d.start;
	if (opt->max_seconds > 0)
		d.deadline = d.opened + (gint64)(opt->max_seconds * 1e6);
	d.rest = g_byte_array_new();
	if (opt->resume) {
		d.loaded_at = shared_time();
		from.data = opt->resume->data;
		from.left = opt->resume->len;
	}
	exec_restart(d.x);
	if (d.x->nr_before > 0 && !opt->past_setup)
		keep_setup(&d);
	else if (!exchange_copies(&d))
		;
	else if (opt->resume)
		resume(&d, &from);
	else
		explore_by(&d, opt->strategy);
	if (!d.stopped)
		result->end = result->findings->len ? END_FOUND : END_COMPLETE;
	result->stats.seconds = driver_seconds(&d);
	if (d.rest->len > 0) {
		result->rest = state_write(&d);
		result->rest_too_large = !result->rest;
	}
	if (d.loaded_at)
		munmap((void *)d.loaded_at, sizeof(*d.loaded_at));
	g_byte_array_unref(d.rest);
	memo_free(d.memo);
	exec_free(d.x);
}
