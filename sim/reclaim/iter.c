// SPDX-License-Identifier: GPL-2.0-only
#include "sim/reclaim/iter_walk.h"

static const struct iter_ops *const designs[NR_ITER_DESIGNS] = {
	[ITER_CSS_ID] = &iter_css_id,
	[ITER_PINNED] = &iter_pinned,
	[ITER_PINNED_CLEANUP] = &iter_pinned_cleanup,
	[ITER_GLOBAL_COUNT] = &iter_global_count,
	[ITER_DEAD_COUNT] = &iter_dead_count,
	[ITER_PINNED_CMPXCHG] = &iter_pinned_cmpxchg,
	[ITER_WEAK] = &iter_weak,
	[ITER_WEAK_RETRY] = &iter_weak_retry,
};

const struct iter_ops *iter_design_ops(enum iter_design design)
{
	return designs[design];
}

void iter_init(struct world *w, struct iter *it, const struct iter_config *config)
{
	uint32_t n;

	it->config = *config;
	if (!it->config.nr_nodes)
		it->config.nr_nodes = 1;
	if (!it->config.nr_zones)
		it->config.nr_zones = 1;
	it->ops = designs[config->design];
	n = it->config.nr_nodes;
	if (config->scope == ITER_PER_ZONE_PRIORITY)
		n *= it->config.nr_zones;
	it->nr_positions = config->scope == ITER_PER_NODE ? n : n * NR_PRIORITIES;
	idr_init(w, &it->css_ids, 1, 65535);
}

/* ---- positions ---------------------------------------------------------------------- */

static uint32_t position_nr(const struct iter_config *config,
			    const struct mem_cgroup_reclaim_cookie *cookie)
{
	uint32_t nr = cookie->node;

	if (config->scope == ITER_PER_ZONE_PRIORITY)
		nr = nr * config->nr_zones + cookie->zone;
	return config->scope == ITER_PER_NODE ? nr : nr * NR_PRIORITIES + cookie->priority;
}

static void make_positions(struct task *t, struct mem_cgroup *root)
{
	struct iter *it = iter_of(t);
	struct iter_memcg *im = iter_memcg(root);

	im->positions = world_alloc(t->w, it->nr_positions * sizeof(*im->positions));
	touch(t->w, mm_of(t->w)->globals, FIELD_ITER_USED, ACCESS_WRITE);
	it->walked = true;
}

/* The one that the cookie is about, made if it is the first to be. */
static void find_position(struct task *t, struct iter_walk *walk)
{
	struct iter *it = iter_of(t);
	struct iter_memcg *im = iter_memcg(walk->root);

	touch(t->w, walk->root->css.of, FIELD_ITER_USED, ACCESS_READ);
	if (!im->positions)
		make_positions(t, walk->root);
	walk->nr = position_nr(&it->config, walk->cookie);
	walk->pos = &im->positions[walk->nr];
	if (walk->pos->used)
		return;
	touch(t->w, walk->root->css.of, FIELD_ITER_USED, ACCESS_WRITE);
	walk->pos->used = true;
	if (it->ops->locks) {
		walk->pos->lock = world_alloc(t->w, sizeof(*walk->pos->lock));
		spin_lock_init(t->w, walk->pos->lock, "iter_lock");
	}
}

/* ---- walks --------------------------------------------------------------------------- */

/* In the order of the tree, from the last one that this walk has seen. */
static struct mem_cgroup *next_in_tree(struct task *t, const struct iter_walk *walk)
{
	struct mem_cgroup *memcg;

	rcu_read_lock(t);
	memcg = iter_next_alive(t, walk->prev, walk->root);
	iter_went(t, walk, memcg, true);
	rcu_read_unlock(t);
	return memcg;
}

static struct mem_cgroup *next_alone(struct task *t, const struct iter_walk *walk)
{
	const struct iter_ops *ops = iter_of(t)->ops;

	return ops->next_alone ? ops->next_alone(t, walk) : next_in_tree(t, walk);
}

/* Without a hierarchy a memcg is all there is below it. */
static struct mem_cgroup *only_root(struct task *t, struct mem_cgroup *root,
				    struct mem_cgroup *prev)
{
	const struct iter_walk alone = {.root = root};

	if (prev)
		return NULL;
	iter_visited(t, &alone, root);
	return root;
}

struct mem_cgroup *mem_cgroup_iter(struct task *t, struct mem_cgroup *root, struct mem_cgroup *prev,
				   struct mem_cgroup_reclaim_cookie *cookie)
{
	FRAME(t);
	const struct iter *it = iter_of(t);
	struct iter_walk walk = {.root = root, .prev = prev, .cookie = cookie};
	struct mem_cgroup *memcg;

	if (it->config.no_hierarchy && !mem_cgroup_is_root(root)) {
		memcg = only_root(t, root, prev);
	} else if (cookie) {
		find_position(t, &walk);
		memcg = it->ops->next(t, &walk);
	} else {
		memcg = next_alone(t, &walk);
	}
	if (prev)
		iter_put(t, root, prev);
	/* What a design returns comes from the tree, whatever it was given. */
	/* cppcheck-suppress returnDanglingLifetime */
	return memcg;
}

void mem_cgroup_iter_break(struct task *t, struct mem_cgroup *root, struct mem_cgroup *prev)
{
	FRAME(t);

	trace(t, ITER_STOP, .obj = root->css.of, .arg = {-1}, .str = "break");
	if (prev)
		iter_put(t, root, prev);
}

/* ---- the life of a memcg --------------------------------------------------------------- */

void iter_memcg_online(struct task *t, struct mem_cgroup *memcg)
{
	const struct iter_ops *ops = iter_of(t)->ops;

	if (ops->online)
		ops->online(t, memcg);
}

/* What the removal of @memcg has cost since @before, told once it is out of the way. */
static void tell_cost(struct task *t, const struct mem_cgroup *memcg,
		      const struct iter_stats *before)
{
	struct iter_stats *now = &iter_of(t)->stats;

	iter_count(t, &now->removals, 1);
	trace(t, ITER_REMOVE, .obj = memcg->css.of,
	      .arg = {(int64_t)(now->looked_at - before->looked_at),
		      (int64_t)(now->locks - before->locks),
		      (int64_t)(now->counts - before->counts),
		      (int64_t)(now->cleared - before->cleared)});
}

static void remove_from_walks(struct task *t, struct mem_cgroup *memcg,
			      void (*hook)(struct task *t, struct mem_cgroup *memcg))
{
	struct iter *it = iter_of(t);
	struct iter_stats before = it->stats;

	if (!hook)
		return;
	/* As long as nobody has walked, there is nothing that any order could change. */
	touch(t->w, mm_of(t->w)->globals, FIELD_ITER_USED, ACCESS_READ);
	if (!it->walked)
		return;
	hook(t, memcg);
	tell_cost(t, memcg, &before);
}

void iter_memcg_offline(struct task *t, struct mem_cgroup *memcg)
{
	remove_from_walks(t, memcg, iter_of(t)->ops->offline);
}

static void forget(struct task *t, struct mem_cgroup *memcg)
{
	if (iter_of(t)->ops->forget)
		iter_of(t)->ops->forget(t, memcg);
}

void iter_memcg_released(struct task *t, struct mem_cgroup *memcg)
{
	forget(t, memcg);
	if (!iter_of(t)->config.invalidate_late)
		remove_from_walks(t, memcg, iter_of(t)->ops->released);
}

void iter_memcg_free(struct task *t, struct mem_cgroup *memcg)
{
	/* Only one that never came online has not been released. */
	forget(t, memcg);
	if (iter_of(t)->config.invalidate_late)
		remove_from_walks(t, memcg, iter_of(t)->ops->released);
}
