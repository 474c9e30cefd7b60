/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MM_SLAB_H
#define SIM_MM_SLAB_H

/*
 * The slab allocator: caches, slab pages, objects.
 *
 * Upstream: mm/slab_common.c and mm/slub.c, v5.3.  One memory node; freelists
 * are counts, since which object comes next never matters to a lifecycle.
 */

#include "sim/engine/world.h"
#include "sim/kernel/kobject.h"
#include "sim/kernel/percpu_ref.h"
#include "sim/kernel/workqueue.h"

struct kmem_cache;
struct list_lru;
struct mem_cgroup;
struct obj_cgroup;

enum {
	SLAB_ACCOUNT = 1,	  /* allocations are charged to the task's memcg */
	SLAB_TYPESAFE_BY_RCU = 2, /* slab pages are freed after a grace period */
	SLAB_NO_MERGE = 4,
	SLAB_DEACTIVATED = 8,
};

enum slab_place { SLAB_NOWHERE, SLAB_CPU, SLAB_CPU_PARTIAL, SLAB_NODE_PARTIAL, SLAB_FULL };

struct slab {
	oid_t id;
	struct kmem_cache *cache;
	uint32_t objects;
	uint32_t free;		  /* on the page's own freelist */
	uint8_t place;		  /* enum slab_place; the first two kinds are "frozen" */
	uint8_t charged;	  /* pages charged */
	struct mem_cgroup *memcg; /* page->mem_cgroup, where slab pages have it */
	oid_t vector;		  /* of obj_cgroups, one per object; 0 if there is none */
	struct list node;	  /* a CPU's or the node's partial list */
	struct rcu_head rcu;
};

struct object {
	oid_t id;
	struct slab *slab;
	struct obj_cgroup *objcg; /* its entry in the page's vector */
};

struct kmem_cache_cpu {
	struct slab *slab;
	uint32_t free; /* on the CPU's own freelist, all of @slab */
	struct list partial;
	uint32_t partial_objects; /* free objects on it, as last counted */
};

struct kmem_cache_node {
	struct spinlock list_lock;
	struct list partial;
	uint32_t nr_partial;
	int64_t nr_slabs;
};

struct memcg_cache_array {
	struct rcu_head rcu;
	oid_t id;
	uint32_t size;
	struct kmem_cache *entries[];
};

/* A union upstream: a root cache has no refcnt, a child no array. */
struct memcg_cache_params {
	struct kmem_cache *root_cache; /* NULL for a root cache */
	/* root */
	struct memcg_cache_array *memcg_caches; /* RCU */
	struct list root_caches_node, children;
	bool dying;
	/* child */
	struct mem_cgroup *memcg;
	struct list children_node, kmem_caches_node;
	struct percpu_ref refcnt;
	void (*work_fn)(struct task *t, struct kmem_cache *cache);
	const char *work_fn_name;
	struct rcu_head rcu_head; /* shares its storage with work upstream */
	struct work_struct work;
	int64_t nr_pages; /* charged slab pages, where they keep the child */
	bool dead;	  /* its memcg is offline: an empty one has to go */
};

struct kmem_cache {
	oid_t id;
	const char *name;
	uint32_t object_size, size; /* bytes; size is what an object takes */
	uint32_t objects_per_slab, pages_per_slab;
	uint32_t flags;
	uint32_t cpu_partial, min_partial;
	int32_t refcount;
	struct list list;	    /* mm.slab_caches or mm.rcu_destroy */
	struct kmem_cache_cpu *cpu; /* [nr_cpus] */
	struct kmem_cache_node node;
	struct memcg_cache_params params;
	struct kobject kobj;
	struct work_struct kobj_remove_work;
	uint64_t nr_live; /* objects handed out, for reports only */
};

static inline bool is_root_cache(const struct kmem_cache *s)
{
	return !s->params.root_cache;
}

static inline struct kmem_cache *memcg_root_cache(struct kmem_cache *s)
{
	return is_root_cache(s) ? s : s->params.root_cache;
}

/**
 * kmem_cache_create() - a root cache, or an alias of an equal one
 * @name: copied
 * @object_size: bytes, 8 to 65536
 * @objects_per_slab: 0 for what fits
 *
 * Return: NULL with *@err set to -ENOMEM or -EEXIST.
 */
struct kmem_cache *kmem_cache_create(struct task *t, const char *name, uint32_t object_size,
				     uint32_t objects_per_slab, uint32_t flags, int *err);

/** create_cache() - the common part for roots and children; slab_mutex held */
struct kmem_cache *create_cache(struct task *t, const char *name, const struct kmem_cache *like,
				struct kmem_cache *root, struct mem_cgroup *memcg, int *err);

/** kmem_cache_destroy() - give up one handle: 0, or -EBUSY if objects remain */
int kmem_cache_destroy(struct task *t, struct kmem_cache *s);

/** kmem_cache_alloc() - an object, charged if the cache is accounted; NULL when memory ran out */
struct object *kmem_cache_alloc(struct task *t, struct kmem_cache *root);

/** kmem_cache_alloc_lru() - the same for an object that will be put on @lru */
struct object *kmem_cache_alloc_lru(struct task *t, struct kmem_cache *root, struct list_lru *lru);

/** kmem_cache_free() - from any context */
void kmem_cache_free(struct task *t, struct object *obj);

/** __kmem_cache_shrink() - free cached slabs; true if any slab remains.  slab_mutex held */
bool __kmem_cache_shrink(struct task *t, struct kmem_cache *s);

/** kmem_cache_shrink() - the same for a user of the cache */
void kmem_cache_shrink(struct task *t, struct kmem_cache *s);

/** new_cache_array() - @size empty slots for children of a root cache */
struct memcg_cache_array *new_cache_array(struct task *t, uint32_t size);

/**
 * slab_attr_store() - write to the cache's file "shrink" in sysfs: 0, or -ENODEV
 *
 * Where there are child caches, they are shrunk as well, with slab_mutex held.
 */
int slab_attr_store(struct task *t, struct kmem_cache *s);

/** shutdown_cache() - point of no return: 0, or -EBUSY if slabs remain.  slab_mutex held */
int shutdown_cache(struct task *t, struct kmem_cache *s);

/** take_retired() - move what was shut down and not released yet to @release; slab_mutex held */
void take_retired(struct task *t, struct list *release);

/** release_retired() - free these caches, after one rcu_barrier() at most; no lock held */
void release_retired(struct task *t, struct list *release);

/**
 * release_cache() - what is left to do of a root cache's destruction once no lock is held
 * @err: what shutdown_cache() returned
 */
void release_cache(struct task *t, struct kmem_cache *s, int err);

/**
 * sysfs_slab_remove() - tell user space, by a work item that holds a kobject reference
 *
 * Twice for a child that was empty when it was deactivated; the directory stays until shutdown.
 */
void sysfs_slab_remove(struct task *t, struct kmem_cache *s);
void slab_caches_to_rcu_destroy_workfn(struct task *t, struct work_struct *work);

#endif /* SIM_MM_SLAB_H */
