// SPDX-License-Identifier: GPL-2.0-only
/*
 * D6 and D7: a position holds no reference.  The release of a memcg clears every position that
 * stands on it, before the grace period that ends with the free: whoever reads the position in a
 * read section can look at the memcg until he leaves.
 *
 * D6 pins the position before it looks for what follows, and a loser of the race for the next
 * one goes on with what he has.  D7 looks without a reference, and the loser looks again.
 *
 * Upstream: D6 is 6df38689e0e9, v4.4 to v6.11, with two repairs for cgroups without a hierarchy; D7
 * is v6.12.
 */

#include "sim/reclaim/iter_walk.h"

/* ---- D6 --------------------------------------------------------------------------------- */

/* A memcg that cannot be pinned is about to be cleared by its release: no need to wait for it. */
static struct mem_cgroup *pin_position(struct task *t, const struct iter_walk *walk)
{
	for (;;) {
		struct mem_cgroup *pos = iter_load(t, walk);

		if (!pos || iter_get(t, pos, HOLD_TEMP, t->id))
			return pos;
		iter_restarted(t, walk, pos, "it cannot be pinned");
		iter_cmpxchg(t, walk->root, walk->nr, pos, NULL);
	}
}

static struct mem_cgroup *step(struct task *t, const struct iter_walk *walk)
{
	struct mem_cgroup *pos = pin_position(t, walk);
	struct mem_cgroup *memcg = iter_next_alive(t, pos, walk->root);
	bool moved;

	/* A newcomer at the end of the tree sees it from the beginning. */
	if (!memcg && !walk->prev)
		memcg = iter_next_alive(t, NULL, walk->root);
	moved = iter_cmpxchg(t, walk->root, walk->nr, pos, memcg);
	iter_went(t, walk, memcg, moved);
	if (pos)
		css_put(t, &pos->css, HOLD_TEMP, t->id);
	return iter_arrive(t, walk, memcg);
}

static struct mem_cgroup *next(struct task *t, const struct iter_walk *walk)
{
	return iter_next_unlocked(t, walk, step);
}

/* ---- D7 ------------------------------------------------------------------------------------ */

/* False: somebody else has moved the position meanwhile. */
static bool try_step(struct task *t, const struct iter_walk *walk, struct mem_cgroup **memcg)
{
	struct mem_cgroup *pos = iter_load(t, walk);

	*memcg = iter_next_alive(t, pos, walk->root);
	if (!iter_cmpxchg(t, walk->root, walk->nr, pos, *memcg)) {
		if (*memcg)
			iter_put(t, walk->root, *memcg);
		*memcg = NULL;
		return false;
	}
	iter_went(t, walk, *memcg, true);
	if (*memcg)
		return true;
	iter_end_round(t, walk);
	return walk->prev != NULL;
}

static struct mem_cgroup *next_or_retry(struct task *t, const struct iter_walk *walk)
{
	struct mem_cgroup *memcg = NULL;

	rcu_read_lock(t);
	do {
		iter_join(t, walk);
	} while (!iter_is_over(t, walk) && !try_step(t, walk, &memcg));
	rcu_read_unlock(t);
	return memcg;
}

/* ---- what a release does -------------------------------------------------------------------- */

static void clear(struct task *t, struct mem_cgroup *root, uint32_t nr, struct mem_cgroup *dead)
{
	if (iter_cmpxchg(t, root, nr, dead, NULL))
		iter_count(t, &iter_of(t)->stats.cleared, 1);
}

static void invalidate_reclaim_iterators(struct task *t, struct mem_cgroup *dead)
{
	FRAME(t);
	const struct iter_config *config = &iter_of(t)->config;
	bool only_parents = config->invalidate_parents || config->invalidate_own_parents;
	struct mem_cgroup *root = config->invalidate_parents ? parent_mem_cgroup(t, dead) : dead;
	struct mem_cgroup *top = NULL;

	for (; root; root = parent_mem_cgroup(t, root)) {
		iter_each_position(t, root, dead, clear);
		top = root;
	}
	/* Without a hierarchy no parent leads to the root of all, whose walks come by. */
	if (!only_parents && !mem_cgroup_is_root(top))
		iter_each_position(t, mm_of(t->w)->root_memcg, dead, clear);
}

const struct iter_ops iter_weak = {
	.name = "weak",
	.summary = "D6: a pointer that the release clears (v4.4 to v6.11)",
	.guard = ITER_GUARD_CLEAR,
	.exact = true,
	.next = next,
	.released = invalidate_reclaim_iterators,
};

const struct iter_ops iter_weak_retry = {
	.name = "weak-retry",
	.summary = "D7: the same, and whoever loses a race looks again (v6.12)",
	.guard = ITER_GUARD_CLEAR,
	.exact = true,
	.next = next_or_retry,
	.released = invalidate_reclaim_iterators,
};
