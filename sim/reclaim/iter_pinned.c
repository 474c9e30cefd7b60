// SPDX-License-Identifier: GPL-2.0-only
/*
 * D1: a position holds a reference, and has a lock.  Nobody who uses it can meet a memcg that is
 * freed; but a position that nobody uses again keeps a removed memcg, with all its parents.
 *
 * D2: the same, and the removal of a memcg looks for it in every position of every ancestor.  The
 * position then falls back to whoever stands before it in the walk.
 *
 * Upstream: "memcg: rework mem_cgroup_iter to use cgroup iterators" and "memcg: remove memcg from
 * the reclaim iterators", as posted in January 2013; not merged in this form.
 */

#include "sim/reclaim/iter_walk.h"

static void pin(struct task *t, struct mem_cgroup *root, struct mem_cgroup *memcg)
{
	if (memcg)
		css_get(t, &memcg->css, HOLD_ITER_POSITION, root->css.of);
}

static void unpin(struct task *t, struct mem_cgroup *root, struct mem_cgroup *memcg)
{
	if (memcg)
		css_put(t, &memcg->css, HOLD_ITER_POSITION, root->css.of);
}

/* The lock is held.  The old position is kept until the new one is found, which starts from it. */
static struct mem_cgroup *advance(struct task *t, const struct iter_walk *walk)
{
	struct mem_cgroup *last = iter_load(t, walk), *memcg;

	memcg = iter_next_alive(t, last, walk->root);
	unpin(t, walk->root, last);
	pin(t, walk->root, memcg);
	iter_store(t, walk, memcg);
	iter_went(t, walk, memcg, true);
	return iter_arrive(t, walk, memcg);
}

static struct mem_cgroup *next_locked(struct task *t, const struct iter_walk *walk)
{
	struct mem_cgroup *memcg;

	if (iter_is_over(t, walk)) {
		unpin(t, walk->root, iter_load(t, walk));
		iter_store(t, walk, NULL);
		return NULL;
	}
	memcg = advance(t, walk);
	/* A newcomer sees the tree from the beginning rather than nothing. */
	if (!memcg && !walk->prev)
		memcg = advance(t, walk);
	return memcg;
}

static struct mem_cgroup *next(struct task *t, const struct iter_walk *walk)
{
	struct mem_cgroup *memcg;

	rcu_read_lock(t);
	spin_lock(t, walk->pos->lock);
	memcg = next_locked(t, walk);
	spin_unlock(t, walk->pos->lock);
	rcu_read_unlock(t);
	return memcg;
}

/* ---- cleanup at offline ---------------------------------------------------------------- */

static struct mem_cgroup *last_descendant(struct mem_cgroup *memcg)
{
	while (!list_empty(&memcg->children))
		memcg = container_of(memcg->children.prev, struct mem_cgroup, sibling);
	return memcg;
}

/* cgroup_mutex held: the tree stays as it is. */
static struct mem_cgroup *before_in_walk(struct mem_cgroup *memcg)
{
	struct mem_cgroup *parent = memcg->parent;

	if (memcg->sibling.prev == &parent->children)
		return parent;
	return last_descendant(container_of(memcg->sibling.prev, struct mem_cgroup, sibling));
}

static struct mem_cgroup *alive_before(struct task *t, struct mem_cgroup *memcg,
				       struct mem_cgroup *root)
{
	do {
		sched_read(t, memcg->css.of, FIELD_SIBLING, "mem_cgroup_remove_cached.before");
		touch(t->w, memcg->parent->css.of, FIELD_CHILDREN, ACCESS_READ);
		memcg = before_in_walk(memcg);
		if (memcg == root) {
			pin(t, root, root);
			return root;
		}
	} while (!iter_get(t, memcg, HOLD_ITER_POSITION, root->css.of));
	return memcg;
}

static void step_back(struct task *t, struct mem_cgroup *root, uint32_t nr, struct mem_cgroup *dead)
{
	struct iter *it = iter_of(t);
	struct iter_walk walk = {.root = root, .pos = &iter_memcg(root)->positions[nr], .nr = nr};

	spin_lock(t, walk.pos->lock);
	if (iter_load(t, &walk) == dead) {
		/* Its own walks have nowhere to go back to. */
		iter_store(t, &walk, root == dead ? NULL : alive_before(t, dead, root));
		unpin(t, root, dead);
		iter_count(t, &it->stats.cleared, 1);
	}
	spin_unlock(t, walk.pos->lock);
}

static void mem_cgroup_remove_cached(struct task *t, struct mem_cgroup *dead)
{
	FRAME(t);

	for (struct mem_cgroup *root = dead; root; root = parent_mem_cgroup(t, root))
		iter_each_position(t, root, dead, step_back);
}

#define PINNED                                                                                     \
	.guard = ITER_GUARD_PIN, .locks = true, .exact = true, .online_only = true, .next = next

const struct iter_ops iter_pinned = {
	.name = "pinned",
	.summary = "D1: a reference, under a lock (posted in 2012)",
	PINNED,
};

const struct iter_ops iter_pinned_cleanup = {
	.name = "pinned-cleanup",
	.summary = "D2: a reference, under a lock, looked for when a memcg goes away (posted in "
		   "2013)",
	PINNED,
	.offline = mem_cgroup_remove_cached,
};
