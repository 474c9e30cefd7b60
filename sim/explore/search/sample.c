// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sampling: each run is drawn afresh, independent of all others.
 *
 * PCT (Burckhardt et al., ASPLOS 2010): every process has a random priority, the
 * highest that can step does, and at d - 1 random steps the one that runs falls
 * below all others.  A failure that needs d ordering constraints is met with
 * probability 1 / (n k^(d-1)) in each run of k steps by n processes.
 *
 * That is a bound from below for the worst failure.  Where runs are long, what many
 * changes do to an ordering shows more than what few do: of runs of a thousand steps
 * those with 15 changes found workfn-write-after-free twenty times as often as those
 * with up to three.  So the longer runs are, the more changes some of them get.
 */

#include "sim/explore/driver.h"
#include "sim/explore/livelock.h"
#include "sim/explore/parallel/jobs.h"
#include "sim/explore/parallel/outcome.h"

#define PROCESSES_MAX 256
#define DEPTH_MAX 16
/* STRATEGY_AUTO: each so manieth run is drawn step by step, the others are PCT's. */
#define UNIFORM_ONE_IN 8

/* Which depths have their turn in runs of that many steps and more. */
static const struct {
	uint32_t depth, min_steps;
} depths_in_turn[] = {{1, 0}, {2, 0}, {3, 0}, {4, 0}, {8, 256}, {16, 512}};

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

struct sampler {
	struct driver *d; /* of the piece */
	struct rng rng;
	bool pct;
	uint64_t seed; /* of all runs */
	uint64_t nr;   /* this run's number, from 0 */
	/* pct */
	uint64_t keys[PROCESSES_MAX];
	uint64_t priority[PROCESSES_MAX];
	uint32_t nr_processes;
	uint32_t change_at[DEPTH_MAX]; /* steps, 1 and up */
	uint32_t nr_changes;
	uint64_t lowest; /* priority that the next fallen one gets */
	uint64_t mean_steps;
	uint64_t long_steps; /* from which on this run is looked at */
};

/* What is drawn, in pieces. */
struct sampling {
	struct driver *d;
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

static uint32_t depth_in_turn(const struct sampler *s)
{
	uint32_t nr = 0;

	while (nr < G_N_ELEMENTS(depths_in_turn) && s->mean_steps >= depths_in_turn[nr].min_steps)
		nr++;
	return depths_in_turn[s->nr % nr].depth;
}

static void begin_pct(struct sampler *s)
{
	uint32_t depth = s->d->opt->depth ? s->d->opt->depth : depth_in_turn(s);

	s->nr_processes = 0;
	s->nr_changes = (depth < DEPTH_MAX ? depth : DEPTH_MAX) - 1;
	s->lowest = DEPTH_MAX - 1;
	for (uint32_t i = 0; i < s->nr_changes; i++)
		s->change_at[i] = 1 + (uint32_t)rng_below(&s->rng, s->mean_steps);
}

/* A run that has become long: is it one that never ends?  If not, it may go on for longer. */
static bool is_over(struct sampler *s)
{
	struct driver *d = s->d;

	if (d->x->nr_steps < s->long_steps)
		return false;
	s->pct = false;
	s->long_steps *= LONG_FACTOR;
	if (livelock_end(d->x)) {
		driver_run_ended(d, true);
		return true;
	}
	exec_look(d->x);
	return false;
}

/* Return: false when told to stop in the middle of it, as if it had not begun. */
static bool one_run(struct sampler *s)
{
	struct driver *d = s->d;
	struct exec *x = d->x;

	exec_restart(x);
	s->long_steps = MAX(LONG_STEPS, LONG_FACTOR * s->mean_steps);
	while (exec_look(x)) {
		uint32_t i;

		if (is_over(s))
			return true;
		i = s->pct ? pick_pct(s) : (uint32_t)rng_below(&s->rng, x->nr_enabled);
		d->result->stats.nr_steps++;
		if (!exec_step(x, i)) {
			driver_run_stopped(d);
			d->result->stats.nr_cut++;
			return true;
		}
		if (exec_violated(x)) {
			driver_run_ended(d, false);
			return true;
		}
		if (x->nr_steps >= d->max_steps) {
			d->result->stats.nr_cut++;
			return true;
		}
		if (!driver_may_step(d)) {
			d->result->stats.nr_steps -= x->nr_steps;
			return false;
		}
	}
	x->s->finish(x->s);
	driver_run_ended(d, true);
	return true;
}

/* Each run has a stream of its own. */
static void begin_run(struct sampler *s, enum strategy strategy, uint64_t nr)
{
	s->nr = nr;
	s->pct = strategy == STRATEGY_PCT ||
		 (strategy == STRATEGY_AUTO && nr % UNIFORM_ONE_IN != UNIFORM_ONE_IN - 1);
	rng_seed(&s->rng, s->seed + nr * UINT64_C(0x9e3779b97f4a7c15),
		 strategy_infos[strategy].name);
	if (s->pct)
		begin_pct(s);
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
		.seed = sampling->d->opt->seed,
		.mean_steps = take_u64(&r),
	};

	piece_begin(&p, sampling->d, stop);
	p.d.max_runs = 0;
	p.d.x->inner = draw_inner;
	p.d.x->strategy = &s;
	for (; nr < end && driver_may_go_on(&p.d); nr++) {
		begin_run(&s, sampling->strategy, nr);
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
	if (!d->stopped && !jobs_run(&jobs, &error)) {
		d->result->error = g_steal_pointer(&error);
		driver_stop(d, END_ERROR);
	}
	/* A piece that ends here could not know that it is the last one. */
	(void)driver_may_go_on(d);
	if (!d->stopped || driver_is_over(d))
		return;
	put_u64(d->rest, s.next_taken);
	put_u64(d->rest, s.mean_steps);
	put_u64(d->rest, s.nr_steps);
}
