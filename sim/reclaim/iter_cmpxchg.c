// SPDX-License-Identifier: GPL-2.0-only
/*
 * D5: a position holds a reference, which is put when the position moves on.  There is no lock:
 * whoever reads the position pins it, or reads again.  It keeps what D1 keeps.
 *
 * Upstream: 5ac8fb31ad2e, v3.19 to v4.3.
 */

#include "sim/reclaim/iter_walk.h"

/* Whoever moves the position may put the last reference before it could be pinned here. */
static struct mem_cgroup *pin_position(struct task *t, const struct iter_walk *walk)
{
	struct mem_cgroup *pos;

	do {
		pos = iter_load(t, walk);
	} while (pos && !css_tryget(t, &pos->css, HOLD_TEMP, t->id));
	return pos;
}

/*
 * Whoever takes the position further puts its reference.  Where that is taken only once the
 * position shows, it may be put before, and what is put is then the walk's own.
 */
static void move_position(struct task *t, const struct iter_walk *walk, struct mem_cgroup *from,
			  struct mem_cgroup *to)
{
	bool early = !iter_of(t)->config.pins_late;
	oid_t owner = walk->root->css.of;
	bool moved;

	if (to && early)
		css_get(t, &to->css, HOLD_ITER_POSITION, owner);
	moved = iter_cmpxchg(t, walk->root, walk->nr, from, to);
	iter_went(t, walk, to, moved);
	if (to && moved && !early)
		css_get(t, &to->css, HOLD_ITER_POSITION, owner);
	if (to && !moved && early)
		css_put(t, &to->css, HOLD_ITER_POSITION, owner);
	if (from && moved)
		css_put(t, &from->css, HOLD_ITER_POSITION, owner);
}

static struct mem_cgroup *step(struct task *t, const struct iter_walk *walk)
{
	struct mem_cgroup *pos = pin_position(t, walk);
	struct mem_cgroup *memcg = iter_next_alive(t, pos, walk->root);

	/* A newcomer at the end of the tree sees it from the beginning. */
	if (!memcg && !walk->prev)
		memcg = iter_next_alive(t, NULL, walk->root);
	move_position(t, walk, pos, memcg);
	if (pos)
		css_put(t, &pos->css, HOLD_TEMP, t->id);
	return iter_arrive(t, walk, memcg);
}

static struct mem_cgroup *next(struct task *t, const struct iter_walk *walk)
{
	return iter_next_unlocked(t, walk, step);
}

const struct iter_ops iter_pinned_cmpxchg = {
	.name = "pinned-cmpxchg",
	.summary = "D5: a reference, without a lock (v3.19 to v4.3)",
	.guard = ITER_GUARD_PIN,
	.exact = true,
	.next = next,
};
