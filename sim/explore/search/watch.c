// SPDX-License-Identifier: GPL-2.0-only
/*
 * dpor: a context that sleeps was tried before what its step has seen since, and may have touched
 * more there than here.  It stands for a race all the same, unless somebody who conflicts with
 * what it touched only there can come before it: such a one is looked for among the steps that
 * were taken, and watched for among those that are still to come.
 */
#include "sim/explore/search/path.h"

/* Does the step at @depth touch what the sleeper did, and could it have come before that? */
static bool matters(const struct search *s, const struct watch *w, uint32_t depth)
{
	uint32_t nr;
	const struct touch *step = path_step_touches(s, depth, &nr);
	const struct touch *z = &g_array_index(s->touches, struct touch, w->touches_at);

	return (node_at(s, depth)->wild || touches_conflict(z, w->nr_touches, step, nr)) &&
	       !order_before(s->order, w->depth, depth);
}

static void try_everybody(struct search *s, uint32_t depth)
{
	races_try(s, depth, all_enabled(node_at(s, depth)), 0);
}

void watch_or_try(struct search *s, uint32_t depth, const struct sleeper *z)
{
	const struct watch w = {
		.depth = depth,
		.event = order_depth(s->order) - 1,
		.touches_at = z->touches_at,
		.nr_touches = z->nr_touches,
	};
	const struct node *n = node_at(s, depth);
	bool now = z->wild;

	if ((n->todo | n->done) == all_enabled(n))
		return;
	for (uint32_t k = depth + 1; k < w.event && !now; k++)
		now = matters(s, &w, k);
	if (now)
		try_everybody(s, depth);
	else
		g_array_append_val(s->watches, w);
}

void watch_look_back(struct search *s)
{
	uint32_t last = order_depth(s->order) - 1;

	if (is_broken(s, DEFECT_NO_WATCH))
		return;
	for (guint i = 0; i < s->watches->len; i++) {
		struct watch *w = &g_array_index(s->watches, struct watch, i);

		if (w->over || w->event == last || !matters(s, w, last))
			continue;
		w->over = true;
		try_everybody(s, w->depth);
	}
}

void watch_forget(struct search *s)
{
	while (s->watches->len > 0 &&
	       g_array_index(s->watches, struct watch, s->watches->len - 1).event >=
		       order_depth(s->order))
		array_cut(s->watches, s->watches->len - 1);
}

void watch_give_up(struct search *s)
{
	for (guint i = 0; i < s->watches->len; i++) {
		const struct watch *w = &g_array_index(s->watches, struct watch, i);

		if (!w->over)
			try_everybody(s, w->depth);
	}
}
