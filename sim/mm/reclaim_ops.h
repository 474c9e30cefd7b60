/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MM_RECLAIM_OPS_H
#define SIM_MM_RECLAIM_OPS_H

/*
 * What memory cgroups need of reclaim, which lies above them: sim/reclaim fills it.
 *
 * A world without it (mm.reclaim is NULL) has memory that nothing can take back.
 * Each member may be NULL.  State of reclaim hangs on mm.reclaim_state and
 * mem_cgroup.reclaim_state.
 */

#include <stdbool.h>
#include <stdint.h>

struct list_lru;
struct mem_cgroup;
struct task;

struct reclaim_ops {
	/*
	 * try_to_free_mem_cgroup_pages(): take about @nr_pages from @memcg's subtree, from a
	 * charge that may sleep.  @may_fs is __GFP_FS.  Returns how many pages it freed.
	 */
	int64_t (*try_to_free)(struct task *t, struct mem_cgroup *memcg, int64_t nr_pages,
			       bool may_fs);

	/*
	 * mem_cgroup_css_online(), before anybody can find @memcg: 0 or -ENOMEM, and then
	 * memcg_free follows without an offline.  Also called for the root memcg.
	 */
	int (*memcg_online)(struct task *t, struct mem_cgroup *memcg);
	/* mem_cgroup_css_offline(), its first step; cgroup_mutex held */
	void (*memcg_offline)(struct task *t, struct mem_cgroup *memcg);
	/* css_release_work_fn(), before the grace period that ends with the free; cgroup_mutex */
	void (*memcg_released)(struct task *t, struct mem_cgroup *memcg);
	/* mem_cgroup_css_free(): also of one that never came online, then on its own */
	void (*memcg_free)(struct task *t, struct mem_cgroup *memcg);

	/*
	 * memcg_alloc_cache_id(): arrays indexed by kmemcg_id are to have @size entries, more
	 * than mm.nr_cache_ids.  memcg_cache_ids_sem held for writing.  0 or -ENOMEM: then the
	 * size stays what it was, whatever has grown already.
	 */
	int (*grow_ids)(struct task *t, uint32_t size);
	/*
	 * memcg_offline_kmem(): @memcg gives up the index @old, which nobody gets before this
	 * returns.  In place of memcg_reid(), which it calls before it moves any list.  In a
	 * read section only of its own making; cgroup_mutex held unless a css is freed that
	 * never came online.
	 */
	void (*reparent_lists)(struct task *t, struct mem_cgroup *memcg, int old);
	/* memcg_list_lru_alloc(): @memcg, pinned, is about to get an item for @lru: 0 or -ENOMEM */
	int (*lru_alloc)(struct task *t, struct mem_cgroup *memcg, struct list_lru *lru);
};

#endif /* SIM_MM_RECLAIM_OPS_H */
