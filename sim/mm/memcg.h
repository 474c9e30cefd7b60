/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MM_MEMCG_H
#define SIM_MM_MEMCG_H

/*
 * Memory cgroups: their state and the steps of their life, which cgroup.c walks through.
 *
 * Upstream: mm/memcontrol.c, v5.3, cgroup v1 and v2 alike.
 */

#include "sim/mm/cgroup.h"
#include "sim/mm/page_counter.h"

enum kmem_state { KMEM_NONE, KMEM_ALLOCATED, KMEM_ONLINE };

/*
 * Who pays for objects.  Holds no reference on its memcg while that is online; offlining hands
 * it to the parent, so it outlives its memcg with the last object, stock or page.
 */
struct obj_cgroup {
	oid_t id;
	struct percpu_ref refcnt;
	struct mem_cgroup *memcg; /* RCU; changed under css_set_lock, or objcg_lock */
	int64_t nr_charged_bytes; /* charged, but no object's and in no stock */
	struct list node;	  /* mem_cgroup.objcg_list, once reparented */
	struct rcu_head rcu;
	bool released;
};

struct mem_cgroup {
	struct css css;
	struct mem_cgroup *parent; /* NULL for the root */
	struct page_counter memory, kmem, swap;
	int64_t high;	 /* pages of memory: who is past it reclaims on return to user mode */
	int kmemcg_id;	 /* index into the root caches' arrays; an ancestor's once offline */
	int private_id;	 /* 0 once it is given up */
	uint32_t id_ref; /* one while online, one for each page in swap */
	enum kmem_state kmem_state;
	struct list kmem_caches;       /* memcg_params.kmem_caches_node; slab_mutex */
	struct obj_cgroup *objcg;      /* RCU; NULL once offline, and for the root */
	struct obj_cgroup *orig_objcg; /* pinned until the memcg is freed */
	struct obj_cgroup *payer;      /* pays for this memcg's own memory: an ancestor's */
	struct list objcg_list;	       /* inherited ones; same lock as obj_cgroup.memcg */
	struct list children, sibling; /* memcgs, for walks under cgroup_mutex or RCU */
	int64_t lru_pages;	       /* user pages that reclaim can take */
	void *reclaim_state;	       /* sim/reclaim */
	struct memcg_stat *stat;       /* NULL unless statistics are on */
	/* Where charges pin nothing. */
	bool user_moved; /* by offline, to the parent's LRU lists */
	bool kmem_dead;	 /* it owns one css reference for as long as kernel memory is charged */
	struct mutex slab_caches_mutex; /* guards kmem_caches, where it exists */
};

static inline bool mem_cgroup_is_root(const struct mem_cgroup *memcg)
{
	return !memcg->parent;
}

/* css hooks, for cgroup.c */
struct mem_cgroup *mem_cgroup_css_alloc(struct task *t, struct cgroup *cgrp, int *err);
int mem_cgroup_css_online(struct task *t, struct mem_cgroup *memcg); /* 0 or -ENOMEM */
void mem_cgroup_css_offline(struct task *t, struct mem_cgroup *memcg);
void mem_cgroup_css_released(struct task *t, struct mem_cgroup *memcg);
void mem_cgroup_css_free(struct task *t, struct mem_cgroup *memcg);

/**
 * memcg_hotplug_cpu_dead() - @cpu, on which nothing runs, has gone away
 *
 * Its spare charges go back, and what it has counted for memory.stat.  Not undone.
 */
void memcg_hotplug_cpu_dead(struct task *t, unsigned int cpu);

/** mem_cgroup_from_task() - the memcg that @who is in; RCU read section or @who itself */
struct mem_cgroup *mem_cgroup_from_task(const struct task *who);

/** get_mem_cgroup_from_current() - the memcg of @t, with a reference (HOLD_TEMP, @owner) */
struct mem_cgroup *get_mem_cgroup_from_current(struct task *t, oid_t owner);
/** memalloc_use_memcg() - allocations of @t are charged to @memcg, which is pinned, or else NULL */
void memalloc_use_memcg(struct task *t, struct mem_cgroup *memcg);

/** mem_cgroup_reparent_charges() - user pages to the parent, until none is charged any more */
void mem_cgroup_reparent_charges(struct task *t, struct mem_cgroup *memcg);

/** mem_cgroup_move_user_pages() - those of @memcg alone, and the stocks; does not wait for more */
void mem_cgroup_move_user_pages(struct task *t, struct mem_cgroup *memcg);

/** page_counter_uncharge_own() - @n pages from @c, which its parent keeps */
void page_counter_uncharge_own(struct task *t, struct page_counter *c, int64_t n);

/** usage_changed() - charges came, went or lie elsewhere: who waits for them looks again */
void usage_changed(struct task *t);

/* What mem_cgroup_charge_user() and mem_cgroup_uncharge_user() do where charges pin nothing. */
void user_pages_added(struct task *t, struct mem_cgroup *memcg);
struct mem_cgroup *user_pages_owner(struct task *t, struct mem_cgroup *memcg, int64_t n);

/** mem_cgroup_is_descendant() - or @root itself; @memcg pinned, or in a read section */
bool mem_cgroup_is_descendant(const struct mem_cgroup *memcg, const struct mem_cgroup *root);

#endif /* SIM_MM_MEMCG_H */
