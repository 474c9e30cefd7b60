// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sampling: each run is drawn afresh, independent of all others.
 *
 * Where what a step does is known, it is drawn on paper: known.c.
 */

#include "sim/explore/livelock.h"
#include "sim/explore/parallel/jobs.h"
#include "sim/explore/parallel/outcome.h"
#include "sim/explore/sample/sample.h"

/* STRATEGY_AUTO: each so manieth run is drawn step by step, the others are PCT's. */
#define UNIFORM_ONE_IN 8

/*
 * How long runs are is learned from the first ones.  They are drawn without knowing,
 * and by whoever begins, so that no run depends on who makes it.
 */
#define NR_LEARNING 8
#define RUNS_PER_PIECE 256
#define STEPS_UNKNOWN 64
/*
 * A run that takes so many steps, and so many times the usual, may be going round in a
 * loop.  From there on it is drawn step by step: who is starved has his turn.
 */
#define LONG_STEPS 1024
#define LONG_FACTOR 4

/* What is drawn, in pieces. */
struct sampling {
	struct driver *d;
	struct known *known; /* of a process, and used up there; may be NULL */
	enum strategy strategy;
	uint64_t max_steps;	   /* 0: no limit */
	uint64_t nr_steps;	   /* in what was taken, a start counted as SAMPLE_START */
	uint64_t mean_steps;	   /* 0: not known yet */
	uint64_t next, next_taken; /* runs that are to be handed out, and to be taken */
	uint64_t nr_before;	   /* runs that were made by other means */
};

static uint32_t draw_inner(struct exec *x, enum choice_kind kind, uint32_t n)
{
	struct sampler *s = x->strategy;

	/* A failing allocation should not always be the first one that may fail. */
	if (kind == CHOOSE_FAULT)
		return rng_below(&s->rng, 4) == 0;
	return (uint32_t)rng_below(&s->rng, n);
}

static uint32_t pick_pct(struct sampler *s)
{
	const struct exec *x = s->d->x;
	uint32_t pick, best;

	do {
		pick = best = 0;
		for (uint32_t i = 0; i < x->nr_enabled; i++) {
			uint32_t p = pct_process(&s->pct, &s->rng, x->enabled[i].key);

			if (i == 0 || s->pct.priority[p] > s->pct.priority[best]) {
				best = p;
				pick = i;
			}
		}
	} while (pct_change(&s->pct, x->nr_steps + 1, best));
	return pick;
}

/* Who comes next: as it was drawn on paper, from where that has ended on a new draw. */
static int pick(struct sampler *s)
{
	const struct exec *x = s->d->x;

	if (s->known && x->nr_steps < known_drawn(s->known))
		return known_pick(s->known, x);
	return s->is_pct ? (int)pick_pct(s) : (int)rng_below(&s->rng, x->nr_enabled);
}

/* A run that has become long: is it one that never ends?  If not, it may go on for longer. */
static bool is_over(struct sampler *s)
{
	struct driver *d = s->d;

	if (d->x->nr_steps < s->long_steps)
		return false;
	s->is_pct = false;
	s->long_steps *= LONG_FACTOR;
	if (livelock_end(d->x)) {
		driver_run_ended(d, true);
		return true;
	}
	exec_look(d->x);
	return false;
}

/* The world goes on to the next step of a run; false when nothing is left to happen. */
static bool look(struct sampler *s, const struct task *stepped)
{
	bool more = exec_look(s->d->x);

	if (s->known && !known_watch(s->known, stepped))
		driver_contradicted(s->d);
	return more;
}

/* The step that was picked as @i.  Return: false if it ends the run. */
static bool take_step(struct sampler *s, int i)
{
	struct driver *d = s->d;

	if (i < 0) {
		driver_contradicted(d);
		return false;
	}
	d->result->stats.nr_steps++;
	if (!exec_step(d->x, (uint32_t)i)) {
		driver_run_stopped(d);
		d->result->stats.nr_cut++;
		return false;
	}
	if (exec_violated(d->x)) {
		driver_run_ended(d, false);
		return false;
	}
	if (d->x->nr_steps >= d->max_steps) {
		d->result->stats.nr_cut++;
		return false;
	}
	return true;
}

/* Return: false when told to stop in the middle of it, as if it had not begun. */
static bool run_in_world(struct sampler *s)
{
	struct driver *d = s->d;
	struct exec *x = d->x;
	const struct task *stepped = NULL;

	exec_restart(x);
	while (look(s, stepped)) {
		int i;

		if (driver_is_over(d) || is_over(s))
			return true;
		i = pick(s);
		if (i >= 0)
			stepped = transition_context(x->enabled[i].tr);
		if (!take_step(s, i))
			return true;
		if (!driver_may_step(d)) {
			d->result->stats.nr_steps -= x->nr_steps;
			return false;
		}
	}
	if (driver_is_over(d))
		return true;
	x->s->finish(x->s);
	driver_run_ended(d, true);
	if (s->known)
		known_end(s->known, !exec_violated(x));
	return true;
}

/* Return: false when told to stop in the middle of it, as if it had not begun. */
static bool one_run(struct sampler *s)
{
	struct explore_stats *stats = &s->d->result->stats;
	struct known *k = s->known;

	s->long_steps = MAX(LONG_STEPS, LONG_FACTOR * s->mean_steps);
	switch (k ? known_run(k, s) : KNOWN_NOT) {
	case KNOWN_STOPPED:
		return false;
	case KNOWN_NOT:
		return run_in_world(s);
	case KNOWN_CUT:
		stats->nr_cut++;
		break;
	case KNOWN_QUIET:
		driver_run_passed(s->d, known_steps(k));
		break;
	}
	stats->nr_steps += known_steps(k);
	stats->nr_recalled += known_steps(k);
	return true;
}

/* Each run has a stream of its own. */
static void begin_run(struct sampler *s, enum strategy strategy, uint64_t nr)
{
	const struct explore_options *opt = s->d->opt;

	s->nr = nr;
	s->is_pct = strategy == STRATEGY_PCT ||
		    (strategy == STRATEGY_AUTO && nr % UNIFORM_ONE_IN != UNIFORM_ONE_IN - 1);
	rng_seed(&s->rng, s->seed + nr * UINT64_C(0x9e3779b97f4a7c15),
		 strategy_infos[strategy].name);
	if (s->is_pct)
		pct_begin(&s->pct, &s->rng, opt->depth ? opt->depth : pct_depth(nr, s->mean_steps),
			  s->mean_steps);
}

/* ---- pieces ------------------------------------------------------------------------- */

static bool next_piece(void *arg, GByteArray *piece)
{
	struct sampling *s = arg;
	uint64_t end = s->next < NR_LEARNING ? NR_LEARNING : s->next + RUNS_PER_PIECE;

	if (s->next >= NR_LEARNING && s->mean_steps == 0)
		return false;
	if (s->d->max_runs && end > s->d->max_runs - MIN(s->nr_before, s->d->max_runs))
		end = s->d->max_runs - MIN(s->nr_before, s->d->max_runs);
	if (s->next >= end)
		return false;
	put_u64(piece, s->next);
	put_u64(piece, end);
	put_u64(piece, s->mean_steps ? s->mean_steps : STEPS_UNKNOWN);
	s->next = end;
	return true;
}

static void work(void *arg, const volatile sig_atomic_t *stop, const GByteArray *piece,
		 GByteArray *result)
{
	const struct sampling *sampling = arg;
	struct reader r = {.data = piece->data, .left = piece->len, .ok = true};
	uint64_t first = take_u64(&r), nr = first, end = take_u64(&r);
	struct piece_driver p;
	struct sampler s = {
		.d = &p.d,
		.known = sampling->known,
		.seed = sampling->d->opt->seed,
		.mean_steps = take_u64(&r),
	};

	piece_begin(&p, sampling->d, stop);
	p.d.max_runs = 0;
	p.d.x->inner = draw_inner;
	p.d.x->strategy = &s;
	for (; nr < end && driver_may_go_on(&p.d); nr++) {
		begin_run(&s, sampling->strategy, nr);
		if (s.known && !known_may(s.known))
			s.known = NULL;
		if (!one_run(&s))
			break;
	}
	put_u64(result, first);
	outcome_write(&p, result);
	put_u64(result, nr);
	piece_end(&p);
}

static bool take_piece(void *arg, uint64_t nr, const GByteArray *result)
{
	struct sampling *s = arg;
	struct reader r = {.data = result->data, .left = result->len, .ok = true};
	struct outcome o;
	uint64_t nr_runs;

	(void)nr;
	/* What ran ahead of a piece that was told to stop in the middle is made again. */
	if (take_u64(&r) != s->next_taken)
		return false;
	outcome_read(&o, &r);
	s->next_taken = take_u64(&r);
	sim_assert(r.ok);
	nr_runs = o.result.stats.nr_runs + o.result.stats.nr_cut;
	s->nr_steps += o.result.stats.nr_steps + nr_runs * SAMPLE_START;
	if (s->mean_steps == 0 && s->next_taken >= NR_LEARNING)
		s->mean_steps = MAX(s->nr_steps / s->next_taken, SAMPLE_START + 2) - SAMPLE_START;
	outcome_add(s->d, &o);
	outcome_clear(&o);
	return !s->d->stopped && !(s->max_steps && s->nr_steps >= s->max_steps);
}

static bool go_on(void *arg)
{
	return driver_look(((struct sampling *)arg)->d);
}

/* ---- the whole ------------------------------------------------------------------------ */

static void sampling_init(struct sampling *s)
{
	struct driver *d = s->d;
	uint64_t nr_runs = d->result->stats.nr_runs + d->result->stats.nr_cut;

	if (d->resume) {
		s->next = s->next_taken = take_u64(d->resume);
		s->mean_steps = take_u64(d->resume);
		s->nr_steps = take_u64(d->resume);
		/* Without a mean it would wait for those to learn from, which were taken. */
		if (!d->resume->ok || d->resume->left > 0 || s->next > nr_runs ||
		    (s->next >= NR_LEARNING && s->mean_steps == 0))
			driver_misfit(d);
		d->resume = NULL;
	}
	s->nr_before = nr_runs - s->next;
	driver_loaded(d);
}

void sample(struct driver *d, enum strategy strategy, uint64_t max_steps)
{
	struct sampling s = {.d = d, .strategy = strategy, .max_steps = max_steps};
	const struct jobs jobs = {
		.nr_jobs = MAX(d->opt->nr_jobs, 1),
		.arg = &s,
		.in_worker = d->opt->in_worker,
		.next = next_piece,
		.work = work,
		.take = take_piece,
		.go_on = go_on,
	};
	g_autoptr(GError) error = NULL;

	d->result->stats.strategy = strategy;
	sampling_init(&s);
	if (!d->stopped && d->memo)
		s.known = known_new(d->x);
	if (!d->stopped && !jobs_run(&jobs, &error)) {
		d->result->error = g_steal_pointer(&error);
		driver_stop(d, END_ERROR);
	}
	known_free(s.known);
	/* A piece that ends here could not know that it is the last one. */
	(void)driver_may_go_on(d);
	if (!d->stopped || driver_is_over(d))
		return;
	put_u64(d->rest, s.next_taken);
	put_u64(d->rest, s.mean_steps);
	put_u64(d->rest, s.nr_steps);
}
