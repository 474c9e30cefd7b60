// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where skimming meets the world: the search proper takes the steps of the path there, and
 * what they do is learned.
 */
#include "sim/explore/search/skim.h"

/* The step that the node on top of the search proper has picked. */
static enum stepped step_in_world(struct skim *k, struct taken *taken)
{
	struct search *s = k->s;
	struct node *n = top(s);
	uint32_t violations = s->x->s->checks->nr_violations;

	n->wild = false;
	array_cut(s->touches, n->touches_base);
	n->touches_at = n->touches_base;
	k->world = ELSEWHERE;
	if (!step_push(s, taken))
		return STEPPED_STOPPED;
	step_note_state(s, taken);
	step_note_reached(s, n);
	(void)exec_look(s->x);
	k->world = PAST_TOP;
	return s->x->s->checks->nr_violations > violations ? STEPPED_FAILED : STEPPED;
}

void skim_drop_top(struct search *s)
{
	struct node *n = top(s);

	step_take_back(s, n);
	g_array_set_size(s->x->choices, n->choices_at);
	path_pop(s);
}

/* Drop what the search proper has taken elsewhere; how many steps of the path are left? */
static uint32_t go_back(struct skim *k)
{
	struct search *s = k->s;
	uint32_t nr = 0;

	while (nr < k->plies->len && skim_ply(k, nr)->taken)
		nr++;
	while (s->nodes->len > k->base + nr + 1) {
		skim_drop_top(s);
		k->world = ELSEWHERE;
	}
	if (s->nodes->len == k->base + nr + 1) {
		if (top(s)->stepped || k->world != AT_TOP)
			k->world = ELSEWHERE;
		step_take_back(s, top(s));
	}
	if (k->world == ELSEWHERE) {
		path_note_script(s, node_at(s, k->base)->choices_at + nr);
		(void)path_go_back(s, k->base + nr, false);
	}
	return nr;
}

/* A node for @f, where the world is. */
static void push_node(struct skim *k, const struct ply *f)
{
	struct search *s = k->s;

	s->state = f->state;
	path_push(s);
	if (s->x->nr_steps % s->snapshot_every == 0)
		path_take_snapshot(s);
}

/* Does the node on top of the search proper have the alternatives that @f has? */
static bool pick_same(struct skim *k, const struct ply *f)
{
	struct node *n = top(k->s);

	if (n->nr_enabled != f->enabled.nr ||
	    key_at(k->s, n, f->pick) != skim_key(k, skim_picked(f)))
		return false;
	n->pick = f->pick;
	n->todo = f->todo;
	n->done = f->done;
	return true;
}

bool skim_get_lost(struct skim *k)
{
	driver_contradicted(k->s->d);
	return false;
}

/*
 * A step that is known happens in the world as well.
 * Return: false when the exploration has to end.
 */
static bool take_known(struct skim *k, struct ply *f)
{
	struct driver *d = k->s->d;
	struct taken taken;
	enum stepped stepped = step_in_world(k, &taken);

	if (stepped == STEPPED_STOPPED) {
		driver_run_stopped(d);
		return driver_is_over(d) ? false : skim_get_lost(k);
	}
	/* It violates on this path, though elsewhere it did not: that depends on the way. */
	if (stepped == STEPPED_FAILED && !d->audit)
		driver_run_ended(d, false);
	f->taken = true;
	return !driver_is_over(d);
}

bool skim_catch_up(struct skim *k)
{
	struct search *s = k->s;
	const struct ply *f = skim_last(k);
	uint64_t expected = k->paper.fingerprint;
	uint32_t nr = go_back(k);

	if (f->step != MEMO_NONE)
		expected ^= memo_step_at(k->paper.m, f->step)->change;
	for (uint32_t i = 0; i < k->plies->len; i++) {
		struct ply *at = skim_ply(k, i);

		if (s->nodes->len == k->base + i)
			push_node(k, at);
		if (i < nr) {
			node_at(s, k->base + i)->todo = at->todo;
			node_at(s, k->base + i)->done = at->done;
			continue;
		}
		if (!pick_same(k, at))
			return skim_get_lost(k);
		if (i + 1 < k->plies->len && !take_known(k, at))
			return false;
	}
	k->world = AT_TOP;
	path_note_script(s, s->x->choices->len);
	return order_fingerprint(s->order) == expected || skim_get_lost(k);
}

bool skim_follow(struct skim *k)
{
	if (!skim_catch_up(k) || !take_known(k, skim_last(k)))
		return false;
	return order_fingerprint(k->s->order) == k->paper.fingerprint || skim_get_lost(k);
}

/*
 * The step that the last ply has picked was taken.
 * @keep: know it from now on; else it violates, and will always be taken
 *
 * Return: false if a memo cannot hold what it did.
 */
static bool note_learned(struct skim *k, const struct taken *taken, bool keep)
{
	struct search *s = k->s;
	struct ply *f = skim_last(k);
	struct proc_list pending;
	struct effects effects;
	uint32_t step;

	if (s->x->choices->len != top(s)->choices_at + 1)
		return false;
	step = paper_learn(&k->paper, s->x, s->order, skim_picked(f), taken->t->state == TASK_DEAD,
			   keep, &effects);
	if (step == MEMO_NONE)
		return false;
	if (k->exchanges && !skim_note_copies(k, taken, &effects, step))
		return true;
	skim_apply(k, f, step);
	f->taken = true;
	paper_set_pending(&k->paper, &f->pending, skim_picked(f), &pending);
	return paper_look(&k->paper, s->x, s->order, &pending);
}

enum skimmed skim_learn(struct skim *k)
{
	struct search *s = k->s;
	struct driver *d = s->d;
	struct taken taken;
	enum stepped stepped;

	if (!skim_catch_up(k))
		return SKIMMED_END;
	stepped = step_in_world(k, &taken);
	if (stepped == STEPPED_STOPPED) {
		driver_run_stopped(d);
		d->result->stats.nr_cut++;
		return SKIMMED_END;
	}
	if (stepped == STEPPED_FAILED && !d->audit) {
		driver_run_ended(d, false);
		return SKIMMED_END;
	}
	if (!note_learned(k, &taken, stepped != STEPPED_FAILED)) {
		skim_take_back(k, skim_last(k));
		k->paper.m->unfit = true;
		k->world = ELSEWHERE;
		return SKIMMED_UNFIT;
	}
	if (driver_is_over(d))
		return SKIMMED_END;
	if (d->audit)
		step_tell(s, top(s), &taken);
	return SKIMMED;
}
