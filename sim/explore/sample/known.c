// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs on paper: what is drawn goes over known steps.
 *
 * A run begins on paper.  Where it draws a step that is not known, or somebody waits and it is not
 * known whether for long, the world takes the run from the beginning, with what was drawn
 * so far, goes on drawing, and all that it does is learned on the way.  So is how a run
 * ends: whether a checker minds that nothing is left to happen.  The draws are the same either
 * way, and so is all that is found.
 *
 * A violation ends a run, so a step that violates is never known, and neither is such an end.
 *
 * Now and then a run that was drawn on paper is taken in the world, step by step, to see whether
 * each of them does what it is known to do.
 */

#include "sim/explore/sample/sample.h"
#include "sim/explore/steps/witness.h"

#include <string.h>

/* So much is learned and no more; from one point, so much. */
#define STEPS_MAX 65536
#define STEPS_OF_POINT_MAX 64
#define ANSWERS_MAX 65536
#define ENDS_MAX 65536
/* If of so many runs more than the half needs the world, all do from then on. */
#define WINDOW 256
/* Of so many runs on paper one is checked; of the first few, more. */
#define CHECK_EVERY 1024
/* Steps between two looks at whether to stop. */
#define LOOK_STEPS 64
/* A run with more is for the world. */
#define PICKS_MAX (1u << 20)

/* Where runs begin, but for what is 0 there. */
struct beginning {
	uint32_t points[MEMO_PROCS_MAX];
	struct proc_list pending, enabled;
};

/* How the world takes a run that was drawn on paper. */
enum watching { WATCH_NOT, WATCH_LEARN, WATCH_CHECK };

struct known {
	struct exec *x;
	struct memo *m;
	struct paper paper;
	struct witness witness;
	struct beginning root;
	struct proc_list enabled;
	struct proc_list pending;		/* in the world, where that goes on by itself */
	uint32_t pending_since[MEMO_PROCS_MAX]; /* step */
	uint64_t *waiters; /* by object: bit per process that waits for it, be it ready or not */
	uint64_t ready;	   /* bit per process: it is enabled */
	uint32_t nr_objects;
	uint64_t has_priority; /* bit per process: in this run, PCT has given it one */
	uint32_t pct_places[MEMO_PROCS_MAX];
	/* What was drawn. */
	uint8_t *picks;
	uint32_t nr_picks, max_picks;
	uint32_t nr_steps; /* of them, those that are on paper */
	enum watching watching;
	uint64_t nr_known; /* runs */
	uint32_t nr_window, nr_asked;
	bool useless;
};

/* ---- on paper ------------------------------------------------------------------------------- */

static void set_ready(struct known *k, uint32_t proc)
{
	uint32_t i = k->enabled.nr++;

	k->ready |= UINT64_C(1) << proc;
	for (; i > 0 && k->pending_since[k->enabled.at[i - 1]] > k->pending_since[proc]; i--)
		k->enabled.at[i] = k->enabled.at[i - 1];
	k->enabled.at[i] = (uint8_t)proc;
}

static void drop(struct proc_list *list, uint32_t i)
{
	list->nr--;
	for (; i < list->nr; i++)
		list->at[i] = list->at[i + 1];
}

static void set_unready(struct known *k, uint32_t proc)
{
	uint32_t i = 0;

	while (k->enabled.at[i] != proc)
		i++;
	k->ready &= ~(UINT64_C(1) << proc);
	drop(&k->enabled, i);
}

/* What one of @procs waits for has changed; false if it is not known whether they can go on. */
static bool look_again(struct known *k, uint64_t procs)
{
	for (; procs; procs &= procs - 1) {
		uint32_t proc = (uint32_t)__builtin_ctzll(procs);
		int ready = memo_ready(k->m, k->paper.points[proc], k->paper.hashes);

		if (ready < 0)
			return false;
		if (ready == (int)(k->ready >> proc & 1))
			continue;
		if (ready)
			set_ready(k, proc);
		else
			set_unready(k, proc);
	}
	return true;
}

/* @proc, which has become pending, stands at a new point. */
static bool arrive(struct known *k, uint32_t proc)
{
	const struct memo_point *point = memo_point_at(k->m, k->paper.points[proc]);

	if (!point->looked)
		return false;
	if (point->waits_for != MEMO_NONE) {
		k->waiters[point->waits_for] |= UINT64_C(1) << proc;
		return look_again(k, UINT64_C(1) << proc);
	}
	k->ready |= UINT64_C(1) << proc;
	k->enabled.at[k->enabled.nr++] = (uint8_t)proc;
	return true;
}

/* Who waits for what @step has changed. */
static uint64_t concerned(const struct known *k, const struct memo_step *step)
{
	const struct memo_use *u = memo_uses_of(k->m, step), *end = u + step->nr;
	uint64_t procs = 0;

	for (; u < end; u++) {
		if (u->change)
			procs |= k->waiters[u->object];
	}
	return procs;
}

/* The @i-th of those enabled takes @step; false if it is not known who can go on then. */
static bool take(struct known *k, uint32_t i, const struct memo_step *step)
{
	uint32_t proc = k->enabled.at[i];
	uint32_t waited_for = memo_point_at(k->m, k->paper.points[proc])->waits_for;

	drop(&k->enabled, i);
	k->ready &= ~(UINT64_C(1) << proc);
	if (waited_for != MEMO_NONE)
		k->waiters[waited_for] &= ~(UINT64_C(1) << proc);
	(void)paper_apply(&k->paper, proc, step);
	k->pending_since[proc] = MEMO_PROCS_MAX + k->nr_steps++;
	return (step->to == MEMO_NONE || arrive(k, proc)) && look_again(k, concerned(k, step));
}

/* Objects that were met since hold what they did in the beginning, and nobody waited for them. */
static void know_objects(struct known *k)
{
	paper_know_places(&k->paper, NULL);
	if (k->nr_objects == k->m->nr_objects)
		return;
	k->nr_objects = k->m->nr_objects;
	k->waiters = g_renew(uint64_t, k->waiters, k->nr_objects);
}

static void clear(uint64_t *at, uint32_t nr)
{
	/* There is no array where there is nothing in it. */
	if (nr > 0)
		memset(at, 0, nr * sizeof(*at));
}

/* Everything is where runs begin. */
static void rewind_paper(struct known *k)
{
	struct paper *p = &k->paper;

	know_objects(k);
	memcpy(p->points, k->root.points, sizeof(p->points));
	clear(p->versions, p->nr_places);
	clear(p->hashes, p->nr_objects);
	p->fingerprint = 0;
	clear(k->waiters, k->nr_objects);
	k->ready = 0;
	for (uint32_t i = 0; i < k->root.enabled.nr; i++)
		k->ready |= UINT64_C(1) << k->root.enabled.at[i];
	k->enabled = k->root.enabled;
	for (uint32_t i = 0; i < k->root.pending.nr; i++) {
		uint32_t proc = k->root.pending.at[i];
		uint32_t waits_for = memo_point_at(k->m, p->points[proc])->waits_for;

		k->pending_since[proc] = i;
		if (waits_for != MEMO_NONE)
			k->waiters[waits_for] |= UINT64_C(1) << proc;
	}
	k->nr_steps = 0;
}

/* ---- drawing -------------------------------------------------------------------------------- */

/* Where PCT has the priority of @proc, which is looked up once in a run. */
static inline uint32_t pct_place(struct known *k, struct sampler *s, uint32_t proc)
{
	if (!(k->has_priority >> proc & 1)) {
		k->has_priority |= UINT64_C(1) << proc;
		k->pct_places[proc] = pct_process(&s->pct, &s->rng, k->m->procs[proc]);
	}
	return k->pct_places[proc];
}

static uint32_t pick_pct(struct known *k, struct sampler *s)
{
	uint32_t pick, best;

	do {
		pick = best = 0;
		for (uint32_t i = 0; i < k->enabled.nr; i++) {
			uint32_t q = pct_place(k, s, k->enabled.at[i]);

			if (i == 0 || s->pct.priority[q] > s->pct.priority[best]) {
				best = q;
				pick = i;
			}
		}
	} while (pct_change(&s->pct, k->nr_steps + 1, best));
	return pick;
}

static uint32_t draw(struct known *k, struct sampler *s)
{
	if (s->is_pct)
		return pick_pct(k, s);
	return (uint32_t)rng_below(&s->rng, k->enabled.nr);
}

static void make_room(struct known *k, uint64_t nr)
{
	if (nr <= k->max_picks)
		return;
	k->max_picks = (uint32_t)nr;
	k->picks = g_renew(uint8_t, k->picks, nr);
}

static enum known_end draw_run(struct known *k, struct sampler *s)
{
	uint32_t max_steps = s->d->max_steps;

	while (k->enabled.nr > 0) {
		uint32_t i, step;

		if (k->nr_steps == s->long_steps || k->nr_picks == k->max_picks)
			return KNOWN_NOT;
		i = draw(k, s);
		k->picks[k->nr_picks++] = k->enabled.at[i];
		step = paper_recall(&k->paper, k->enabled.at[i]);
		if (step == MEMO_NONE || !take(k, i, memo_step_at(k->m, step)))
			return KNOWN_NOT;
		if (k->nr_steps >= max_steps)
			return KNOWN_CUT;
		if (k->nr_steps % LOOK_STEPS == 0 && !driver_may_step(s->d))
			return KNOWN_STOPPED;
	}
	return KNOWN_QUIET;
}

static bool is_known_end(const struct known *k)
{
	return g_hash_table_contains(k->m->clean_ends, &k->paper.fingerprint);
}

/* Most runs of late had to be taken in the world: nothing is gained. */
static void note_asked(struct known *k, bool asked)
{
	k->nr_asked += asked;
	if (++k->nr_window < WINDOW)
		return;
	k->useless |= 2 * k->nr_asked > WINDOW;
	k->nr_window = k->nr_asked = 0;
}

bool known_may(const struct known *k)
{
	return !k->useless && !k->m->unfit;
}

enum known_end known_run(struct known *k, struct sampler *s)
{
	enum known_end end;

	make_room(k, MIN(s->long_steps, PICKS_MAX));
	rewind_paper(k);
	k->nr_picks = 0;
	k->has_priority = 0;
	k->watching = WATCH_NOT;
	k->paper.blind = s->d->audit && s->d->audit->defect == DEFECT_RECALL_BLIND;
	end = draw_run(k, s);
	if (end == KNOWN_STOPPED)
		return end;
	if (end == KNOWN_QUIET && !is_known_end(k))
		end = KNOWN_NOT;
	note_asked(k, end == KNOWN_NOT);
	if (end == KNOWN_NOT) {
		k->watching = WATCH_LEARN;
	} else if (is_sample(++k->nr_known, CHECK_EVERY)) {
		rewind_paper(k);
		k->watching = WATCH_CHECK;
		end = KNOWN_NOT;
	}
	return end;
}

uint32_t known_steps(const struct known *k)
{
	return k->nr_steps;
}

uint32_t known_drawn(const struct known *k)
{
	return k->nr_picks;
}

/* ---- in the world --------------------------------------------------------------------------- */

int known_pick(const struct known *k, const struct exec *x)
{
	return exec_find(x, k->m->procs[k->picks[x->nr_steps]]);
}

static bool is_full(const struct known *k, uint32_t point)
{
	uint32_t n = 0;

	for (uint32_t i = memo_point_at(k->m, point)->step; i != MEMO_NONE;
	     i = memo_step_at(k->m, i)->next)
		n++;
	return n >= STEPS_OF_POINT_MAX || k->m->steps->len >= STEPS_MAX ||
	       k->m->answers->len >= ANSWERS_MAX;
}

/* The process that has taken the last step, which is all that this has chosen; -1: it is not. */
static int last_process(const struct known *k)
{
	const GArray *choices = k->x->choices;
	const struct choice *last = &g_array_index(choices, struct choice, choices->len - 1);

	return last->kind == CHOOSE_STEP ? (int)memo_proc(k->m, last->who) : -1;
}

/* The step that @proc has just taken was not known. */
static uint32_t learn(struct known *k, uint32_t proc, const struct task *t)
{
	struct effects effects;

	if (!witness_step(&k->witness, proc, t, &effects)) {
		k->m->unfit = true;
		return MEMO_NONE;
	}
	return memo_learn(k->m, &effects, k->paper.points[proc], t->state == TASK_DEAD, true);
}

/* Did the last step, which was @proc's, do what @step says? */
static bool did(struct known *k, uint32_t proc, const struct task *t, const struct memo_step *step)
{
	const struct memo_use *u = memo_uses_of(k->m, step);
	struct effects e;
	uint32_t to;

	if (!witness_step(&k->witness, proc, t, &e) || e.nr != step->nr)
		return false;
	for (uint32_t i = 0; i < e.nr; i++) {
		if (u[i].place != memo_place(k->m, e.places[i].obj, e.places[i].field) ||
		    u[i].before != e.places[i].before || u[i].after != e.places[i].after)
			return false;
	}
	to = t->state == TASK_DEAD ? MEMO_NONE : memo_point(k->m, proc, e.control);
	return step->to == to;
}

/* Those that are enabled on paper are so in the world, in that order. */
static bool are_enabled(const struct known *k)
{
	const struct exec *x = k->x;
	bool same = x->nr_enabled == k->enabled.nr;

	for (uint32_t i = 0; same && i < x->nr_enabled; i++)
		same = x->enabled[i].key == k->m->procs[k->enabled.at[i]];
	return same;
}

static bool check(struct known *k, const struct task *t)
{
	int proc = last_process(k);
	uint32_t i = 0, step;

	while (i < k->enabled.nr && k->enabled.at[i] != proc)
		i++;
	if (proc < 0 || i == k->enabled.nr)
		return false;
	step = paper_recall(&k->paper, (uint32_t)proc);
	return step != MEMO_NONE && did(k, (uint32_t)proc, t, memo_step_at(k->m, step)) &&
	       take(k, i, memo_step_at(k->m, step)) && are_enabled(k);
}

/* Who is pending where the paper has ended, in the order in which they became so. */
static void find_pending(struct known *k)
{
	struct proc_list *list = &k->pending;

	list->nr = 0;
	for (uint32_t i = 0; i < k->root.pending.nr; i++) {
		uint8_t proc = k->root.pending.at[i];
		uint32_t at = list->nr;

		if (k->paper.points[proc] == MEMO_NONE)
			continue;
		for (; at > 0 && k->pending_since[list->at[at - 1]] > k->pending_since[proc]; at--)
			list->at[at] = list->at[at - 1];
		list->at[at] = proc;
		list->nr++;
	}
}

/* What those who are pending wait for, and whether they must. */
static void look(struct known *k)
{
	if (!paper_fits(k->m, k->x->s->w) || !paper_look(&k->paper, k->x, NULL, &k->pending))
		k->m->unfit = true;
}

/* The world goes on where the paper has ended. */
static void follow(struct known *k, const struct task *t)
{
	const struct proc_list before = k->pending;
	int proc = last_process(k);
	uint32_t step;

	if (proc < 0) {
		k->m->unfit = true;
		return;
	}
	step = paper_recall(&k->paper, (uint32_t)proc);
	if (step == MEMO_NONE && is_full(k, k->paper.points[proc])) {
		k->watching = WATCH_NOT;
		return;
	}
	if (step == MEMO_NONE)
		step = learn(k, (uint32_t)proc, t);
	if (step == MEMO_NONE)
		return;
	(void)paper_apply(&k->paper, (uint32_t)proc, memo_step_at(k->m, step));
	paper_set_pending(&k->paper, &before, (uint32_t)proc, &k->pending);
	know_objects(k);
	look(k);
}

bool known_watch(struct known *k, const struct task *t)
{
	bool right = true;

	if (k->watching == WATCH_CHECK) {
		right = k->x->nr_steps == 0 || check(k, t);
	} else if (k->watching == WATCH_LEARN && k->x->nr_steps == k->nr_steps) {
		/* It may be just the answer to who can go on that was missing. */
		find_pending(k);
		look(k);
	} else if (k->watching == WATCH_LEARN && k->x->nr_steps > k->nr_steps) {
		follow(k, t);
	}
	witness_look(&k->witness);
	if (k->m->unfit)
		k->watching = WATCH_NOT;
	return right;
}

void known_end(struct known *k, bool clean)
{
	if (k->watching == WATCH_LEARN && clean && g_hash_table_size(k->m->clean_ends) < ENDS_MAX)
		g_hash_table_add(k->m->clean_ends,
				 g_memdup2(&k->paper.fingerprint, sizeof(uint64_t)));
}

/* ---- the whole ------------------------------------------------------------------------------ */

struct known *known_new(struct exec *x)
{
	struct known *k = g_new0(struct known, 1);

	k->x = x;
	k->m = memo_new();
	exec_restart(x);
	(void)exec_look(x);
	if (!paper_begin(&k->paper, k->m, x, NULL, &k->root.pending) ||
	    !paper_set_enabled(&k->paper, &k->root.pending, &k->root.enabled)) {
		known_free(k);
		return NULL;
	}
	memcpy(k->root.points, k->paper.points, sizeof(k->root.points));
	witness_init(&k->witness, x, &k->paper);
	return k;
}

void known_free(struct known *k)
{
	if (!k)
		return;
	witness_clear(&k->witness);
	paper_clear(&k->paper);
	memo_free(k->m);
	g_free(k->waiters);
	g_free(k->picks);
	g_free(k);
}
