// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sampling: each run is drawn afresh, independent of all others.
 *
 * PCT (Burckhardt et al., ASPLOS 2010): every process has a random priority, the
 * highest that can step does, and at d - 1 random steps the one that runs falls
 * below all others.  A failure that needs d ordering constraints is met with
 * probability 1 / (n k^(d-1)) in each run of k steps by n processes.
 */

#include "sim/explore/driver.h"

#define PROCESSES_MAX 256
#define DEPTH_MAX 8
/* Environment events that nobody waits for would starve: see pick_pct(). */
#define DEPTHS_IN_TURN 4

struct sampler {
	struct driver *d;
	struct rng rng;
	bool pct;
	/* pct */
	uint64_t keys[PROCESSES_MAX];
	uint64_t priority[PROCESSES_MAX];
	uint32_t nr_processes;
	uint32_t change_at[DEPTH_MAX]; /* steps, 1 and up */
	uint32_t nr_changes;
	uint64_t lowest; /* priority that the next fallen one gets */
	double mean_steps;
};

static uint32_t draw_inner(struct exec *x, enum choice_kind kind, uint32_t n)
{
	struct sampler *s = x->strategy;

	/* A failing allocation should not always be the first one that may fail. */
	if (kind == CHOOSE_FAULT)
		return rng_below(&s->rng, 4) == 0;
	return (uint32_t)rng_below(&s->rng, n);
}

static uint64_t *priority_of(struct sampler *s, uint64_t key)
{
	for (uint32_t i = 0; i < s->nr_processes; i++) {
		if (s->keys[i] == key)
			return &s->priority[i];
	}
	if (s->nr_processes == PROCESSES_MAX)
		return &s->priority[PROCESSES_MAX - 1];
	s->keys[s->nr_processes] = key;
	/* Above those that have fallen. */
	s->priority[s->nr_processes] = DEPTH_MAX + (rng_next(&s->rng) >> 8);
	return &s->priority[s->nr_processes++];
}

static uint32_t pick_pct(struct sampler *s)
{
	struct exec *x = s->d->x;
	uint64_t *best = NULL;
	uint32_t pick = 0;

	for (uint32_t i = 0; i < x->nr_enabled; i++) {
		uint64_t *p = priority_of(s, x->enabled[i].key);

		if (!best || *p > *best) {
			best = p;
			pick = i;
		}
	}
	for (uint32_t i = 0; i < s->nr_changes; i++) {
		if (s->change_at[i] == x->nr_steps + 1) {
			s->change_at[i] = 0;
			*best = s->lowest--;
			return pick_pct(s);
		}
	}
	return pick;
}

static void begin_pct(struct sampler *s)
{
	const struct driver *d = s->d;
	uint32_t depth = d->opt->depth;
	uint64_t k = s->mean_steps < 2 ? 64 : (uint64_t)s->mean_steps;

	if (depth == 0)
		depth = 1 + (uint32_t)(d->result->stats.nr_runs % DEPTHS_IN_TURN);
	s->nr_processes = 0;
	s->nr_changes = (depth < DEPTH_MAX ? depth : DEPTH_MAX) - 1;
	s->lowest = DEPTH_MAX - 1;
	for (uint32_t i = 0; i < s->nr_changes; i++)
		s->change_at[i] = 1 + (uint32_t)rng_below(&s->rng, k);
}

static void one_run(struct sampler *s)
{
	struct driver *d = s->d;
	struct exec *x = d->x;

	exec_restart(x);
	while (exec_look(x)) {
		uint32_t i = s->pct ? pick_pct(s) : (uint32_t)rng_below(&s->rng, x->nr_enabled);

		d->result->stats.nr_steps++;
		if (!exec_step(x, i)) {
			driver_run_stopped(d);
			d->result->stats.nr_cut++;
			return;
		}
		if (exec_violated(x)) {
			driver_run_ended(d, false);
			return;
		}
		if (x->nr_steps >= d->max_steps) {
			d->result->stats.nr_cut++;
			return;
		}
	}
	x->s->finish(x->s);
	s->mean_steps += (x->nr_steps - s->mean_steps) / 8;
	driver_run_ended(d, true);
}

void sample(struct driver *d, enum strategy strategy, double seconds)
{
	struct sampler s = {.d = d, .pct = strategy == STRATEGY_PCT};
	gint64 until = seconds > 0 ? g_get_monotonic_time() + (gint64)(seconds * 1e6) : 0;

	d->result->stats.strategy = strategy;
	rng_seed(&s.rng, d->opt->seed, strategy_infos[strategy].name);
	d->x->inner = draw_inner;
	d->x->strategy = &s;
	while (driver_may_go_on(d) && !(until && g_get_monotonic_time() >= until)) {
		if (s.pct)
			begin_pct(&s);
		one_run(&s);
	}
}
