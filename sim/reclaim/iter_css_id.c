// SPDX-License-Identifier: GPL-2.0-only
/*
 * D0: a position is a number.  Memcgs are numbered as they are made, with the lowest number that is
 * free; a walk goes through the numbers, so it sees its subtree in that order and not in the
 * tree's.
 *
 * Upstream: css_get_next() and mem_cgroup_iter(), v3.3 to v3.9.
 * Differs: a number is free again from css_released on, before the grace period, as there is
 * no memory behind it that would be freed later than the memcg.
 */

#include "sim/reclaim/iter_walk.h"

static struct mem_cgroup *css_get_next(struct task *t, int *id, const struct mem_cgroup *root)
{
	const struct idr *ids = &iter_of(t)->css_ids;

	sched_read(t, mm_of(t->w)->globals, FIELD_CSS_IDS, "css_get_next.idr");
	for (int i = *id + 1; i <= (int)ids->size; i++) {
		struct mem_cgroup *memcg = idr_find(ids, i);

		if (!memcg || !mem_cgroup_is_descendant(memcg, root))
			continue;
		*id = i;
		return memcg;
	}
	*id = 0;
	return NULL;
}

static bool can_visit(struct task *t, const struct iter_walk *walk, struct mem_cgroup *memcg)
{
	return memcg == walk->root || iter_get(t, memcg, HOLD_ITER, t->id);
}

/* Where a reference is refused the position moves on all the same, which is a step of its own. */
static struct mem_cgroup *next(struct task *t, const struct iter_walk *walk)
{
	struct mem_cgroup *found, *memcg = NULL;

	do {
		int id;

		if (iter_is_over(t, walk))
			return NULL;
		iter_load(t, walk);
		id = walk->pos->id;
		rcu_read_lock(t);
		found = css_get_next(t, &id, walk->root);
		if (found && can_visit(t, walk, found))
			memcg = found;
		rcu_read_unlock(t);
		iter_store(t, walk, found);
		walk->pos->id = id;
		/* Whoever is refused is not visited; that is no end of the tree. */
		iter_went(t, walk, memcg, !found);
		if (!found)
			iter_end_round(t, walk);
		else if (memcg)
			iter_join(t, walk);
	} while (!memcg && (found || !walk->prev));
	return memcg;
}

static struct mem_cgroup *next_alone(struct task *t, const struct iter_walk *walk)
{
	int id = walk->prev ? iter_memcg(walk->prev)->css_id : 0;
	struct mem_cgroup *found;

	rcu_read_lock(t);
	do {
		found = css_get_next(t, &id, walk->root);
	} while (found && !can_visit(t, walk, found));
	iter_went(t, walk, found, true);
	rcu_read_unlock(t);
	return found;
}

static void online(struct task *t, struct mem_cgroup *memcg)
{
	int id = idr_alloc(&iter_of(t)->css_ids, memcg);

	touch(t->w, mm_of(t->w)->globals, FIELD_CSS_IDS, ACCESS_WRITE);
	iter_memcg(memcg)->css_id = id < 0 ? 0 : id;
}

static void forget(struct task *t, struct mem_cgroup *memcg)
{
	int *id = &iter_memcg(memcg)->css_id;

	if (!*id)
		return;
	sched_write(t, mm_of(t->w)->globals, FIELD_CSS_IDS, "free_css_id.idr");
	idr_remove(&iter_of(t)->css_ids, *id);
	*id = 0;
}

const struct iter_ops iter_css_id = {
	.name = "css-id",
	.summary = "D0: a number in the order of creation (v3.3 to v3.9)",
	.guard = ITER_GUARD_NUMBER,
	.online_only = true,
	.next = next,
	.next_alone = next_alone,
	.online = online,
	.forget = forget,
};
