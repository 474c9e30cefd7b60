// SPDX-License-Identifier: GPL-2.0-only
/*
 * Skimming: a search by states that takes only such steps as it does not know yet.
 *
 * It goes through the tree just as descend() and climb() do, node by node in the same
 * order, but on what a memo knows: of the world there is nothing but the versions of
 * places and the points at which processes stand.  Where the memo has no answer, and at
 * the end of each run, the search proper catches up: it takes the steps of the path in
 * the world, and goes on from there.
 *
 * Catching up is also the check that the memo is right.  The state that the steps lead
 * to must have the digest that the memo has made of them.  Now and then it is done for
 * nothing but that.
 */

#include "sim/explore/search/skim.h"

/* Of many recalled steps; of the first few, some more. */
#define SAMPLE_EVERY 65536

/* ---- one step ------------------------------------------------------------------------------- */

void skim_apply(struct skim *k, struct ply *f, uint32_t step)
{
	const struct memo_step *taken = memo_step_at(k->paper.m, step);

	f->step = step;
	f->from = paper_apply(&k->paper, skim_picked(f), taken);
	if (k->exchanges)
		skim_change_copies(k, taken);
}

void skim_take_back(struct skim *k, struct ply *f)
{
	const struct memo_step *taken;

	f->taken = false;
	if (f->step == MEMO_NONE)
		return;
	taken = memo_step_at(k->paper.m, f->step);
	paper_take_back(&k->paper, skim_picked(f), taken, f->from);
	if (k->exchanges)
		skim_change_copies(k, taken);
	f->step = MEMO_NONE;
}

static int8_t find_natural(const struct skim *k, const struct ply *f)
{
	for (uint32_t i = 0; i < f->enabled.nr; i++) {
		if (skim_key(k, f->enabled.at[i]) == f->current)
			return (int8_t)i;
	}
	return -1;
}

/* The next to try at @f; false when none is left. */
static bool pick_next(struct ply *f)
{
	uint64_t left = f->todo & ~f->done;

	if (!left)
		return false;
	f->pick = (uint8_t)path_first_of(left, f->natural);
	return true;
}

/* By what the state is known that the @i-th of those enabled at @f leads to. */
static uint64_t state_after(const struct skim *k, const struct ply *f, uint32_t i,
			    uint64_t fingerprint, uint32_t *preemptions)
{
	*preemptions = f->preemptions + (f->natural >= 0 && (uint32_t)f->natural != i);
	return step_state(k->s, fingerprint, skim_key(k, f->enabled.at[i]), *preemptions);
}

/* Who goes on for free behind the step of @f, and what it cost. */
static void set_switch(const struct skim *k, const struct ply *f, struct ply *child)
{
	child->current = skim_key(k, skim_picked(f));
	child->state = state_after(k, f, f->pick, skim_fingerprint(k), &child->preemptions);
}

/*
 * Most of the time goes to finding out whether states are known, in a table that no cache holds:
 * let the memory begin with that for all that can come next.
 */
static void look_ahead(const struct skim *k, struct ply *f)
{
	for (uint32_t i = 0; i < f->enabled.nr; i++) {
		const struct memo_step *step;
		uint32_t preemptions;

		f->known[i] = paper_recall(&k->paper, f->enabled.at[i]);
		if (f->known[i] == MEMO_NONE)
			continue;
		step = memo_step_at(k->paper.m, f->known[i]);
		seen_prefetch(k->s->seen,
			      state_after(k, f, i, skim_fingerprint_after(k, step), &preemptions));
	}
}

static void push(struct skim *k, struct ply *f)
{
	f->step = MEMO_NONE;
	f->done = 0;
	f->taken = false;
	f->natural = find_natural(k, f);
	f->todo = path_alternatives(k->s, f->enabled.nr, f->natural, f->preemptions);
	(void)pick_next(f);
	look_ahead(k, f);
	k->on_path[f->state % PATH_SLOTS]++;
	g_array_append_vals(k->plies, f, 1);
}

static void pop(struct skim *k)
{
	k->on_path[skim_last(k)->state % PATH_SLOTS]--;
	g_array_set_size(k->plies, k->plies->len - 1);
}

static bool is_on_path(const struct skim *k, uint64_t state)
{
	if (k->on_path[state % PATH_SLOTS] == 0)
		return false;
	for (guint i = k->plies->len; i-- > 0;) {
		if (skim_ply(k, i)->state == state)
			return true;
	}
	return false;
}

/* The last step has led to a state that is known: see search_look_at_loop(). */
static void prune(struct skim *k, uint64_t state)
{
	k->s->d->result->stats.nr_pruned++;
	if (!is_on_path(k, state) || (!skim_last(k)->taken && !skim_follow(k)))
		return;
	search_look_at_loop(k->s);
	k->world = ELSEWHERE;
}

static void end_of_run(struct skim *k)
{
	if (!skim_last(k)->taken && !skim_follow(k))
		return;
	search_end_of_run(k->s);
	k->world = ELSEWHERE;
}

/* Who can step behind the last step, if need be by asking the world. */
static bool find_enabled(struct skim *k, struct ply *child)
{
	struct paper *p = &k->paper;

	if (paper_set_enabled(p, &child->pending, &child->enabled))
		return true;
	if (!skim_last(k)->taken && !skim_follow(k))
		return false;
	if (!paper_look(p, k->s->x, k->s->order, &child->pending))
		p->m->unfit = true;
	return paper_set_enabled(p, &child->pending, &child->enabled) || skim_get_lost(k);
}

/* The step that the last ply has picked. */
static enum skimmed take(struct skim *k)
{
	struct explore_stats *stats = &k->s->d->result->stats;
	struct ply *f = skim_last(k);
	uint32_t known = f->known[f->pick];

	/* By now it may be. */
	if (known == MEMO_NONE)
		known = paper_recall(&k->paper, skim_picked(f));
	if (known == MEMO_NONE)
		return skim_learn(k);
	stats->nr_steps++;
	stats->nr_recalled++;
	skim_apply(k, f, known);
	return !is_sample(stats->nr_recalled, SAMPLE_EVERY) || skim_follow(k) ? SKIMMED
									      : SKIMMED_END;
}

/* What the last step has led to: a ply for it, unless the run is over. */
static enum skimmed go_on(struct skim *k)
{
	struct driver *d = k->s->d;
	struct ply child;

	set_switch(k, skim_last(k), &child);
	if (!seen_add(k->s->seen, child.state)) {
		prune(k, child.state);
		return SKIMMED_END;
	}
	if (seen_is_full(k->s->seen))
		driver_stop(d, END_MEMORY);
	paper_set_pending(&k->paper, &skim_last(k)->pending, skim_picked(skim_last(k)),
			  &child.pending);
	if (!find_enabled(k, &child))
		return SKIMMED_END;
	if (child.enabled.nr == 0) {
		end_of_run(k);
		return SKIMMED_END;
	}
	if (k->base + k->plies->len >= d->max_steps) {
		d->result->stats.nr_cut++;
		return SKIMMED_END;
	}
	push(k, &child);
	return SKIMMED;
}

/* ---- down and back up ---------------------------------------------------------------------- */

/* From the last ply, whose pick is made, to the end of a run; SKIMMED: told to stop on the way. */
static enum skimmed descend(struct skim *k)
{
	enum skimmed led;

	do {
		led = take(k);
		if (led == SKIMMED)
			led = go_on(k);
	} while (led == SKIMMED && driver_may_step(k->s->d));
	return led;
}

/* To the last ply where something is left to try; false when nothing is. */
static bool climb(struct skim *k)
{
	for (;;) {
		struct ply *f = skim_last(k);
		uint32_t depth = k->base + k->plies->len - 1;

		skim_take_back(k, f);
		if (!path_is_ours(k->s, depth))
			return false;
		f->done |= UINT64_C(1) << f->pick;
		if (pick_next(f))
			return true;
		if (k->plies->len == 1)
			return false;
		pop(k);
	}
}

/* The search proper goes on from the node where it began. */
static void leave(struct skim *k)
{
	struct search *s = k->s;
	struct node *n;

	while (s->nodes->len > k->base + 1)
		skim_drop_top(s);
	n = top(s);
	step_take_back(s, n);
	g_array_set_size(s->x->choices, n->choices_at);
	n->pick = skim_last(k)->pick;
	n->done = skim_last(k)->done;
}

static bool begin(struct skim *k, struct search *s)
{
	const struct node *n = top(s);
	struct ply f = {
		.state = n->state,
		.current = n->current,
		.preemptions = n->preemptions,
	};

	k->s = s;
	k->base = s->nodes->len - 1;
	k->world = AT_TOP;
	if (!paper_begin(&k->paper, s->d->memo, s->x, s->order, &f.pending))
		return false;
	k->paper.blind = is_broken(s, DEFECT_RECALL_BLIND);
	if (!paper_set_enabled(&k->paper, &f.pending, &f.enabled) || f.enabled.nr != n->nr_enabled)
		return false;
	push(k, &f);
	skim_last(k)->todo = n->todo;
	skim_last(k)->done = n->done;
	skim_last(k)->pick = (uint8_t)n->pick;
	return true;
}

static struct skim *skim_new(void)
{
	struct skim *k = g_new0(struct skim, 1);

	k->plies = g_array_new(FALSE, FALSE, sizeof(struct ply));
	return k;
}

static void skim_free(struct skim *k)
{
	g_array_unref(k->plies);
	paper_clear(&k->paper);
	g_free(k);
}

bool skim_may(const struct search *s)
{
	const struct driver *d = s->d;

	return d->memo && !d->memo->unfit && s->strategy != STRATEGY_DPOR &&
	       s->script->len <= top(s)->choices_at;
}

/* Is the search to be left here, with more to do? */
static bool is_time(struct driver *d, uint64_t until)
{
	return !driver_may_go_on(d) || (until && driver_steps_ahead(&d->result->stats) >= until);
}

/* Down and up again until all is done, or it is time to stop; true if more is left. */
static bool skim_on(struct skim *k, uint64_t until)
{
	for (;;) {
		enum skimmed led = descend(k);

		if (led == SKIMMED_UNFIT)
			break;
		if (driver_is_over(k->s->d))
			return true;
		if (led == SKIMMED)
			break;
		if (!climb(k)) {
			leave(k);
			return false;
		}
		if (is_time(k->s->d, until))
			break;
	}
	(void)skim_catch_up(k);
	return true;
}

bool skim(struct search *s, uint64_t until)
{
	struct skim *k = skim_new();
	bool more = true;

	if (!begin(k, s))
		s->d->memo->unfit = true;
	else if (skim_begin_copies(k))
		more = skim_on(k, until);
	skim_free(k);
	return more;
}
