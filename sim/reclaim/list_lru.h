/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_RECLAIM_LIST_LRU_H
#define SIM_RECLAIM_LIST_LRU_H

/*
 * list_lru: items in the order in which they came, one list per memcg.
 *
 * Which list an item belongs to follows from the memcg that its memory is charged to
 * and from that memcg's index: looked up anew by each operation, under the lock.  So an
 * offlining memcg only has to take its parent's index before its list is moved: whoever
 * comes later finds the parent's.
 *
 * A counter may be wrong for a moment.  Who deletes between the two steps counts down the
 * parent's list although the item is still on the child's; the move adds up the counters,
 * not the items, and then both are right.
 *
 * Upstream: mm/list_lru.c, v4.0 to v6.12.  One memory node.
 */

#include "sim/base/map.h"
#include "sim/engine/world.h"
#include "sim/kernel/lock.h"
#include "sim/kernel/rcu.h"

struct list_lru;
struct mem_cgroup;
struct object;
struct shrinker;

/* Where list_lru differs between generations. */
struct list_lru_config {
	/*
	 * One list for everybody; arrays by kmemcg_id (v4.0); rows that are made when first
	 * needed (v5.19)
	 */
	enum lru_form { LRU_GLOBAL, LRU_ARRAYS, LRU_XARRAY, NR_LRU_FORMS } form;
	bool count_locks;  /* up to v4.16: counting takes the lock, so arrays need no RCU */
	bool count_signed; /* up to v5.18: a counter below zero is returned as it is */
	bool memcg_first;  /* from v6.8: an item's memcg is looked up before the lock is taken */

	/* What went wrong, or would: sim/lifecycle/variants.def. */
	bool reparent_skip_empty;
	bool reparent_skip_unlocked;
	bool drain_before_reid;
	bool drain_recounts;
	bool slabobj_no_rcu;
	bool count_sums_lists;
	bool bit_needs_zero;
	bool bit_of_stale_memcg;
	bool alloc_stale_id;
};

/* Inside whatever is kept on a list; the memory of that is @obj. */
struct lru_item {
	struct list node; /* empty when it is on no list; list_lru.lock */
	struct object *obj;
	oid_t id; /* of @obj */
};

/* One memcg's list. */
struct list_lru_one {
	oid_t id;
	struct list items; /* lru_item.node; list_lru.lock */
	int64_t nr_items;
	struct rcu_head rcu;
};

/* Lists by kmemcg_id. */
struct lru_array {
	oid_t id;
	uint32_t size;
	struct rcu_head rcu;
	struct list_lru_one *one[];
};

struct list_lru {
	oid_t id;
	const char *name;
	struct spinlock lock;
	struct list_lru_one root; /* of the root memcg and of what nobody pays for */
	int64_t nr_items;	  /* in all lists */
	bool memcg_aware;
	int shrinker_nr;	 /* whose bit says that a list is not empty; -1 */
	struct list node;	 /* list_lrus.all */
	struct lru_array *array; /* RCU, changed under @lock; LRU_ARRAYS */
	struct spinlock xa_lock; /* LRU_XARRAY */
	struct map rows;	 /* index -> struct list_lru_one *; RCU, changed under @xa_lock */
};

/* Every memcg-aware list_lru. */
struct list_lrus {
	struct mutex mutex; /* list_lrus_mutex */
	struct list all;
	struct list_lru_one *free_ones; /* recycled, never their ids */
};

enum lru_status {
	LRU_REMOVED,	   /* the callback took the item off */
	LRU_REMOVED_RETRY, /* and dropped the lock meanwhile */
	LRU_ROTATE,	   /* to the end with it */
	LRU_SKIP,
	LRU_RETRY, /* the lock was dropped: begin again */
};

/* Called with the lock held, which it may drop and take again. */
typedef enum lru_status (*list_lru_walk_cb)(struct task *t, struct lru_item *item,
					    struct list_lru *lru, struct list_lru_one *one,
					    void *arg);

/** list_lru_init_memcg() - @shrinker: whose bits to set, may be NULL.  0 or -ENOMEM */
int list_lru_init_memcg(struct task *t, struct list_lru *lru, const char *name,
			const struct shrinker *shrinker);

/** list_lru_destroy() - nobody uses it any more; its lists should be empty */
void list_lru_destroy(struct task *t, struct list_lru *lru);

void lru_item_init(struct lru_item *item, struct object *obj);

/** list_lru_add() - to the end of the list that @item belongs to; false if it is on one */
bool list_lru_add(struct task *t, struct list_lru *lru, struct lru_item *item);

/** list_lru_del() - false if it was on none */
bool list_lru_del(struct task *t, struct list_lru *lru, struct lru_item *item);

/** list_lru_isolate_move() - from a callback: off @one, to @head unless that is NULL */
void list_lru_isolate_move(struct task *t, struct list_lru_one *one, struct lru_item *item,
			   struct list *head);

/** list_lru_count_one() - of @memcg, NULL for the root's */
int64_t list_lru_count_one(struct task *t, struct list_lru *lru, struct mem_cgroup *memcg);

/** list_lru_count_node() - of everybody */
int64_t list_lru_count_node(struct task *t, struct list_lru *lru);

/**
 * list_lru_walk_one() - show up to *@nr_to_walk items of @memcg to @isolate
 *
 * Return: how many it took off.
 */
int64_t list_lru_walk_one(struct task *t, struct list_lru *lru, struct mem_cgroup *memcg,
			  list_lru_walk_cb isolate, void *arg, int64_t *nr_to_walk);

/**
 * memcg_list_lru_alloc() - have rows for @memcg and its ancestors before it gets an item
 *
 * Return: 0 or -ENOMEM.  Nothing to do but for LRU_XARRAY.
 */
int memcg_list_lru_alloc(struct task *t, struct mem_cgroup *memcg, struct list_lru *lru);

/* How much there is: for scenarios, not for the model. */
struct list_lru_figures {
	int64_t nr_items, nr_lists;
	int64_t nr_slots; /* of the array */
	int64_t bytes;	  /* lists and array, as on a 64-bit kernel */
};

struct list_lru_figures list_lru_figures(const struct list_lru *lru);

/* ---- for sim/reclaim ---------------------------------------- */

void list_lrus_init(struct world *w, struct list_lrus *lrus);

/** memcg_update_all_list_lrus() - arrays of @size; memcg_cache_ids_sem held for writing */
int memcg_update_all_list_lrus(struct task *t, uint32_t size);

/** memcg_reparent_list_lrus() - @memcg's index was @old, its items are its parent's now */
void memcg_reparent_list_lrus(struct task *t, struct mem_cgroup *memcg, int old);

/* ---- forms: between the files of list_lru ---------------------------------------- */

/* How lists are found by index.  All but @from_idx may be NULL. */
struct lru_form_ops {
	int (*init)(struct task *t, struct list_lru *lru);
	void (*destroy)(struct task *t, struct list_lru *lru);
	/* The list of index @idx, not -1: NULL if there is none.  Locked, or in a read section */
	struct list_lru_one *(*from_idx)(struct task *t, struct list_lru *lru, int idx);
	/* list_lrus_mutex held: the list of @idx is empty and stays so */
	void (*drop)(struct task *t, struct list_lru *lru, int idx);
};

extern const struct lru_form_ops lru_arrays, lru_xarray;

/* 0 or -ENOMEM; those before it stay as they have become */
int lru_array_grow(struct task *t, struct list_lru *lru, uint32_t old_size, uint32_t size);
/* Give back the entries from @old_size on; the array stays */
void lru_array_cancel(struct task *t, struct list_lru *lru, uint32_t old_size);

/** list_lru_one_new() - NULL if memory ran out */
struct list_lru_one *list_lru_one_new(struct task *t, struct list_lru *lru, int idx,
				      const char *point);
/** list_lru_one_free() - at once, or after a grace period */
void list_lru_one_free(struct task *t, struct list_lru_one *one, bool rcu);

#endif /* SIM_RECLAIM_LIST_LRU_H */
