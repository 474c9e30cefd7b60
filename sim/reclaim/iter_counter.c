// SPDX-License-Identifier: GPL-2.0-only
/*
 * D3 and D4: a position holds no reference.  It is stored with a count of removals, and followed
 * only as long as that count has not moved; a removal between this test and the use of the
 * position cannot free it, since both are in one read section.
 *
 * D3 has one count for the machine.  D4 has one for each memcg, which the removal of any memcg
 * below it moves.  A position and its stamp are two words: in the discussion a lock kept two
 * walkers apart, and what was merged had none.
 *
 * Upstream: D3 was proposed by Johannes Weiner in February 2013; D4 is mem_cgroup_iter_load() and
 * mem_cgroup_iter_update() of 5f5781619718, v3.10 to v3.18.
 * Differs: the barriers are the order of the steps.
 */

#include "sim/reclaim/iter_walk.h"

static bool is_global(const struct task *t)
{
	return iter_of(t)->ops->guard == ITER_GUARD_GLOBAL_COUNT;
}

static uint64_t *count_of(struct task *t, struct mem_cgroup *root, oid_t *oid)
{
	if (is_global(t)) {
		*oid = mm_of(t->w)->globals;
		return &iter_of(t)->dead_count;
	}
	*oid = root->css.of;
	return &iter_memcg(root)->dead_count;
}

static uint64_t read_count(struct task *t, struct mem_cgroup *root)
{
	oid_t oid;
	const uint64_t *count = count_of(t, root, &oid);

	sched_read(t, oid, FIELD_DEAD_COUNT, "mem_cgroup_iter_load.dead_count");
	return *count;
}

/* A reference keeps the memcg for as long as the walk needs to find what follows it. */
static struct mem_cgroup *take_position(struct task *t, const struct iter_walk *walk,
					struct mem_cgroup *memcg)
{
	bool exempt = memcg == walk->root && !iter_of(t)->config.root_needs_get;

	if (!memcg || exempt || iter_get(t, memcg, HOLD_TEMP, t->id))
		return memcg;
	iter_restarted(t, walk, memcg, "it cannot be pinned");
	return NULL;
}

static void put_position(struct task *t, const struct iter_walk *walk, struct mem_cgroup *memcg)
{
	bool exempt = memcg == walk->root && !iter_of(t)->config.root_needs_get;

	if (memcg && !exempt)
		css_put(t, &memcg->css, HOLD_TEMP, t->id);
}

static struct mem_cgroup *mem_cgroup_iter_load(struct task *t, const struct iter_walk *walk,
					       uint64_t *count)
{
	FRAME(t);

	*count = read_count(t, walk->root);
	sched_read(t, walk->root->css.of, iter_field(walk->nr, ITER_STAMP),
		   "mem_cgroup_iter_load.last_dead_count");
	if (walk->pos->stamp == *count)
		return take_position(t, walk, iter_load(t, walk));
	if (walk->pos->memcg)
		iter_restarted(t, walk, walk->pos->memcg, "something was removed");
	return NULL;
}

static void store_stamp(struct task *t, const struct iter_walk *walk, uint64_t count)
{
	sched_write(t, walk->root->css.of, iter_field(walk->nr, ITER_STAMP),
		    "mem_cgroup_iter_update.last_dead_count");
	walk->pos->stamp = count;
	iter_moved(t, walk->root, walk->nr, walk->pos->memcg, count);
}

/*
 * The count that is stored is the one that was read before anything was followed: whatever has
 * been removed since makes the position worthless, as it should.
 */
static void mem_cgroup_iter_update(struct task *t, const struct iter_walk *walk,
				   struct mem_cgroup *last, struct mem_cgroup *memcg,
				   uint64_t count)
{
	FRAME(t);
	const struct iter_config *config = &iter_of(t)->config;

	put_position(t, walk, last);
	if (config->stamp_first)
		store_stamp(t, walk, count);
	iter_store(t, walk, memcg);
	iter_went(t, walk, memcg, true);
	if (config->count_read_twice)
		count = read_count(t, walk->root);
	if (!config->stamp_first)
		store_stamp(t, walk, count);
}

static struct mem_cgroup *step(struct task *t, const struct iter_walk *walk)
{
	struct mem_cgroup *last, *memcg;
	uint64_t count;

	/* Between the test of the count and the reference only the section keeps the memcg. */
	if (iter_of(t)->config.load_no_rcu)
		rcu_read_unlock(t);
	last = mem_cgroup_iter_load(t, walk, &count);
	if (iter_of(t)->config.load_no_rcu)
		rcu_read_lock(t);
	memcg = iter_next_alive(t, last, walk->root);
	mem_cgroup_iter_update(t, walk, last, memcg, count);
	return iter_arrive(t, walk, memcg);
}

static struct mem_cgroup *next_locked(struct task *t, const struct iter_walk *walk)
{
	struct mem_cgroup *memcg;

	if (iter_is_over(t, walk)) {
		iter_store(t, walk, NULL);
		return NULL;
	}
	do {
		memcg = step(t, walk);
	} while (!memcg && !walk->prev);
	return memcg;
}

static struct mem_cgroup *next(struct task *t, const struct iter_walk *walk)
{
	bool locks = !iter_of(t)->config.unlocked;
	struct mem_cgroup *memcg;

	rcu_read_lock(t);
	if (locks)
		spin_lock(t, walk->pos->lock);
	memcg = next_locked(t, walk);
	if (locks)
		spin_unlock(t, walk->pos->lock);
	rcu_read_unlock(t);
	return memcg;
}

static void count_removal(struct task *t, struct mem_cgroup *root)
{
	oid_t oid;
	uint64_t *count = count_of(t, root, &oid);

	sched_access(t, oid, FIELD_DEAD_COUNT, ACCESS_RMW, "mem_cgroup_iter_invalidate.inc");
	(*count)++;
	trace(t, ITER_COUNT, .obj = oid, .arg = {(int64_t)*count});
	iter_count(t, &iter_of(t)->stats.counts, 1);
}

static void invalidate_all(struct task *t, struct mem_cgroup *dead)
{
	FRAME(t);

	count_removal(t, dead);
}

/* Without a hierarchy only the walks of the root come by. */
static void invalidate_above(struct task *t, struct mem_cgroup *dead)
{
	FRAME(t);
	struct mem_cgroup *top = dead, *root;

	for (root = parent_mem_cgroup(t, dead); root; root = parent_mem_cgroup(t, root)) {
		count_removal(t, root);
		top = root;
	}
	if (!mem_cgroup_is_root(top))
		count_removal(t, mm_of(t->w)->root_memcg);
}

const struct iter_ops iter_global_count = {
	.name = "global-count",
	.summary = "D3: a pointer and a count of all removals (proposed in 2013)",
	.guard = ITER_GUARD_GLOBAL_COUNT,
	.locks = true,
	.exact = true,
	.online_only = true,
	.next = next,
	.offline = invalidate_all,
};

const struct iter_ops iter_dead_count = {
	.name = "dead-count",
	.summary = "D4: a pointer and a count of the removals below the root (v3.10 to v3.18)",
	.guard = ITER_GUARD_COUNT,
	.locks = true,
	.exact = true,
	.online_only = true,
	.next = next,
	.offline = invalidate_above,
};
