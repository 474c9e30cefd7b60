// SPDX-License-Identifier: GPL-2.0-only
#include "sim/reclaim/reclaim.h"

#include "sim/reclaim/vmscan.h"

struct reclaim *reclaim_new(struct world *w, const struct reclaim_config *config)
{
	struct reclaim *r = world_alloc(w, sizeof(*r));

	r->config = *config;
	iter_init(w, &r->iter, &config->iter);
	list_lrus_init(w, &r->lrus);
	shrinkers_init(w, &r->shrinkers);
	return r;
}

/* Whoever charges pins his memcg, and so whatever is above it, in the kernel by the task's css. */
static int64_t try_to_free(struct task *t, struct mem_cgroup *memcg, int64_t nr_pages, bool may_fs)
{
	int64_t freed;

	if (!css_tryget(t, &memcg->css, HOLD_TEMP, t->id))
		return 0;
	freed = try_to_free_mem_cgroup_pages(t, memcg, nr_pages, may_fs);
	css_put(t, &memcg->css, HOLD_TEMP, t->id);
	return freed;
}

static int memcg_online(struct task *t, struct mem_cgroup *memcg)
{
	memcg->reclaim_state = world_alloc(t->w, sizeof(struct memcg_reclaim));
	iter_memcg_online(t, memcg);
	return alloc_shrinker_info(t, memcg);
}

/* It never came so far as to have what memcg_online() makes. */
static bool is_unknown(const struct mem_cgroup *memcg)
{
	return !memcg->reclaim_state;
}

static void memcg_free(struct task *t, struct mem_cgroup *memcg)
{
	if (is_unknown(memcg))
		return;
	iter_memcg_free(t, memcg);
	free_shrinker_info(t, memcg);
}

static void memcg_released(struct task *t, struct mem_cgroup *memcg)
{
	if (!is_unknown(memcg))
		iter_memcg_released(t, memcg);
}

static int grow_ids(struct task *t, uint32_t size)
{
	if (lru_config(t)->form != LRU_ARRAYS)
		return 0;
	return memcg_update_all_list_lrus(t, size);
}

static void reparent_lists(struct task *t, struct mem_cgroup *memcg, int old)
{
	memcg_reparent_list_lrus(t, memcg, old);
	reparent_shrinker_deferred(t, memcg);
}

const struct reclaim_ops reclaim_ops = {
	.try_to_free = try_to_free,
	.memcg_online = memcg_online,
	.memcg_offline = iter_memcg_offline,
	.memcg_released = memcg_released,
	.memcg_free = memcg_free,
	.grow_ids = grow_ids,
	.reparent_lists = reparent_lists,
	.lru_alloc = memcg_list_lru_alloc,
};
