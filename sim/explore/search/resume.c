// SPDX-License-Identifier: GPL-2.0-only
/*
 * A position is the path with what was and is to be tried at its nodes.  Whoever goes on from it
 * takes the path again, and the steps that sleep beside it for what they touch.
 */
#include "sim/explore/search/path.h"

struct position *resume_save(const struct search *s)
{
	struct position *p = position_new();

	p->first = s->first;
	p->all = s->all;
	for (guint i = 0; i < s->nodes->len; i++) {
		const struct node *n = node_at(s, i);
		const struct place place = {
			.todo = n->todo,
			.done = n->done,
			.pick = n->pick,
			.nr_enabled = n->nr_enabled,
			.choices_at = n->choices_at,
		};

		g_array_append_val(p->places, place);
	}
	g_array_append_vals(p->choices, s->script->data, s->script->len);
	return p;
}

/* The script says what @p does, but only up to @at: now up to @nr. */
static void go_on_with(struct search *s, const struct position *p, uint32_t at, uint32_t nr)
{
	g_array_set_size(s->script, at);
	if (nr > at)
		g_array_append_vals(s->script, &g_array_index(p->choices, struct choice, at),
				    nr - at);
}

/* The choice at @at; the first alternative where a list ends. */
static uint32_t pick_in(const GArray *choices, uint32_t at, uint32_t end)
{
	return at < end ? g_array_index(choices, struct choice, at).pick : 0;
}

/* Is the step in the script, from @at on, the one that @p holds up to @end? */
static bool is_at_variant(const struct search *s, const struct position *p, uint32_t at,
			  uint32_t end)
{
	for (uint32_t i = at + 1; i < MAX(s->script->len, end); i++) {
		if (pick_in(s->script, i, s->script->len) != pick_in(p->choices, i, end))
			return false;
	}
	return true;
}

/*
 * Take the step that the node on top has picked for what it touches, in all
 * variants before the one that @p holds up to @end; in all there are if @end is 0.
 */
static void take_again(struct search *s, const struct position *p, uint32_t end)
{
	struct node *n = top(s);
	uint32_t depth = s->nodes->len - 1;
	struct taken taken;

	n->wild = false;
	n->touches_at = s->touches->len;
	g_array_set_size(s->script, n->choices_at);
	if (end && is_at_variant(s, p, n->choices_at, end))
		return;
	do {
		if (s->x->nr_steps != depth || s->x->choices->len != n->choices_at)
			(void)path_go_back(s, depth, false);
		(void)step_push(s, &taken);
		step_take_back(s, n);
	} while (path_next_variant(s, n) && !(end && is_at_variant(s, p, n->choices_at, end)));
	g_array_set_size(s->script, n->choices_at);
	(void)path_go_back(s, depth, false);
}

/* Who sleeps at the node on top because it was tried there. */
static void load_sleepers(struct search *s, const struct position *p, uint64_t done)
{
	struct node *n = top(s);

	if (s->strategy != STRATEGY_DPOR)
		return;
	for (uint32_t k = 0; k < n->nr_enabled; k++) {
		if (!(done & UINT64_C(1) << k) || path_sleeps(s, n, key_at(s, n, k)))
			continue;
		n->pick = k;
		take_again(s, p, 0);
		path_put_to_sleep(s, n);
	}
}

static void load_node(struct search *s, const struct position *p, uint32_t depth)
{
	const struct place *place = place_at(p, depth);
	bool last = depth + 1 == p->places->len;
	uint32_t end = last ? p->choices->len : place_at(p, depth + 1)->choices_at;
	struct node *n;

	path_push(s);
	n = top(s);
	if (driver_is_over(s->d))
		return;
	sim_assert(n->nr_enabled == place->nr_enabled && n->choices_at == place->choices_at);
	if (depth > 0 && s->x->nr_steps % s->snapshot_every == 0 && recall_is_in_world(s))
		path_take_snapshot(s);
	load_sleepers(s, p, place->done);
	n->pick = place->pick;
	n->todo = place->todo;
	n->done = place->done;
	if (s->strategy == STRATEGY_DPOR)
		take_again(s, p, end);
	else
		n->touches_at = s->touches->len;
	go_on_with(s, p, n->choices_at, end);
}

bool resume_load(struct search *s, const struct position *p)
{
	struct taken taken;

	s->first = p->first;
	s->all = p->all;
	(void)path_look(s);
	for (uint32_t i = 0;; i++) {
		load_node(s, p, i);
		if (i + 1 == p->places->len)
			break;
		if (!driver_may_step(s->d))
			return false;
		if (!step_push(s, &taken)) {
			/* It was taken before: only what is known of it can be wrong. */
			sim_assert(driver_is_over(s->d));
			return false;
		}
		if (!search_by_history(s))
			step_note_state(s, &taken);
		if (s->strategy != STRATEGY_DPOR)
			step_note_reached(s, top(s));
		(void)path_look(s);
	}
	return s->strategy != STRATEGY_DPOR ||
	       !path_sleeps(s, top(s), key_at(s, top(s), top(s)->pick));
}
