/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MM_MEMCG_H
#define SIM_MM_MEMCG_H

/*
 * Memory cgroups: counters, charging, the per-CPU stock of spare charges.
 *
 * Upstream: mm/memcontrol.c and mm/page_counter.c, v5.3, cgroup v1 and v2 alike.
 * Differs: no OOM killer; a limit that is hit fails the charge once reclaim has
 * found nothing to free and the stocks were drained.
 */

#include "sim/mm/cgroup.h"

#define MEMCG_CHARGE_BATCH 32
#define PAGE_COUNTER_MAX INT64_MAX

struct page_counter {
	oid_t memcg;
	const char *name;   /* "memory" or "kmem" */
	int64_t usage, max; /* pages */
	struct page_counter *parent;
};

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
	struct page_counter memory, kmem;
	int kmemcg_id; /* index into the root caches' arrays; an ancestor's once offline */
	int private_id;
	uint32_t id_ref;
	enum kmem_state kmem_state;
	struct list kmem_caches;       /* memcg_params.kmem_caches_node; slab_mutex */
	struct obj_cgroup *objcg;      /* RCU; NULL once offline, and for the root */
	struct obj_cgroup *orig_objcg; /* pinned until the memcg is freed */
	struct obj_cgroup *payer;      /* pays for this memcg's own memory: an ancestor's */
	struct list objcg_list;	       /* inherited ones; same lock as obj_cgroup.memcg */
	struct list children, sibling; /* memcgs, for walks under cgroup_mutex */
	void *reclaim_state;	       /* sim/reclaim */
};

/* Spare charged pages of one memcg and bytes of one objcg on one CPU; interrupts off. */
struct stock {
	struct mem_cgroup *cached;
	int64_t nr_pages;
	struct obj_cgroup *cached_objcg;
	int64_t nr_bytes;
	struct work_struct work;
	bool flushing;
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
 * memcg_reid() - give @memcg and all below it the index @id in place of @old
 *
 * Whoever looks an index up then finds the parent's lists and caches.  Read section.
 */
void memcg_reid(struct task *t, struct mem_cgroup *memcg, int old, int id);

/** mem_cgroup_from_task() - the memcg that @who is in; RCU read section or @who itself */
struct mem_cgroup *mem_cgroup_from_task(const struct task *who);

/** try_charge() - charge @n pages and take @n css references (HOLD_CHARGE): 0 or -ENOMEM */
int try_charge(struct task *t, struct mem_cgroup *memcg, int64_t n, bool may_sleep);

/** cancel_charge() - undo try_charge() */
void cancel_charge(struct task *t, struct mem_cgroup *memcg, int64_t n);

/** page_counter_try_charge() - false, with nothing charged, when @culprit is at its limit */
bool page_counter_try_charge(struct task *t, struct page_counter *c, int64_t n,
			     struct page_counter **culprit);
void page_counter_uncharge(struct task *t, struct page_counter *c, int64_t n);

/** refill_stock() - keep @n charged pages, whose css references come along if pages have any */
void refill_stock(struct task *t, struct mem_cgroup *memcg, int64_t n);

/** this_stock() - interrupts off */
struct stock *this_stock(struct task *t);
void touch_stock(struct task *t, const struct stock *stock);
bool mem_cgroup_is_descendant(const struct mem_cgroup *memcg, const struct mem_cgroup *root);
void stock_init(struct task *t, struct stock *stock);

/**
 * drain_all_stock() - give back the spare charges of @root's subtree; does not wait for
 * other CPUs
 */
void drain_all_stock(struct task *t, struct mem_cgroup *root);

/** User memory, for scenarios: each page pins the memcg until it is uncharged. */
int mem_cgroup_charge_user(struct task *t, struct mem_cgroup *memcg, int64_t n);
void mem_cgroup_uncharge_user(struct task *t, struct mem_cgroup *memcg, int64_t n);

/** mem_cgroup_set_max() - limit in pages of memory or kmem: 0 or -EBUSY */
int mem_cgroup_set_max(struct task *t, struct page_counter *c, int64_t max);

#endif /* SIM_MM_MEMCG_H */
