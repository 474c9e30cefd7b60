/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MM_MM_H
#define SIM_MM_MM_H

/*
 * What a world has one of, memory cgroups and slab caches taken together, and
 * the seam to the lifecycle generations.
 *
 * Lock order, outermost first: cgroup_mutex, cpu_hotplug_lock, mem_hotplug_lock,
 * memcg_cache_ids_sem, slab_mutex, memcg_kmem_wq_lock or a node's list_lock.
 */

#include "sim/kernel/ida.h"
#include "sim/kernel/kernel.h"
#include "sim/mm/cgroup.h"
#include "sim/mm/memcg.h"
#include "sim/mm/slab.h"

/* Shared state that the model touches outside the primitives' own records. */
enum mm_field {
	FIELD_KMEMCG_ID,      /* mem_cgroup.kmemcg_id */
	FIELD_KMEM_STATE,     /* mem_cgroup.kmem_state */
	FIELD_ARRAY,	      /* a root cache's memcg_caches, the pointer */
	FIELD_SLOT,	      /* an entry of it */
	FIELD_CACHE_MEMCG,    /* memcg_params.memcg */
	FIELD_WORK_FN,	      /* memcg_params.work_fn */
	FIELD_DYING,	      /* memcg_params.dying */
	FIELD_PARTIAL_LIMITS, /* cpu_partial and min_partial */
	FIELD_REFCOUNT,	      /* kmem_cache.refcount */
	FIELD_LIST,	      /* slab_caches, children, kmem_caches */
	FIELD_SLAB,	      /* a slab page's freelist, inuse, frozen */
	FIELD_CPU_SLAB,	      /* a CPU's slab and freelist of a cache */
	FIELD_USAGE,	      /* page_counter.usage */
	FIELD_STOCK,	      /* a CPU's charge stock */
	FIELD_ONLINE,	      /* css flags, online_cnt */
	FIELD_PRIVATE_IDS,    /* mem_cgroup_idr */
	FIELD_TASKS,	      /* tasks of a cgroup */
	FIELD_REMOVED,	      /* scripts must not follow the cgroup or cache any more */
	NR_MM_FIELDS,
};

/* Where the generations differ.  Filled by sim/lifecycle; called by sim/mm. */
struct lifecycle_ops {
	/* memcg_kmem_get_cache(): the cache that serves an accounted allocation from @root */
	struct kmem_cache *(*get_cache)(struct task *t, struct kmem_cache *root);
	void (*put_cache)(struct task *t, struct kmem_cache *cache);
	/* 0 or -ENOMEM */
	int (*charge_slab)(struct task *t, struct kmem_cache *cache, struct slab *slab);
	void (*uncharge_slab)(struct task *t, struct kmem_cache *cache, struct slab *slab);
	/* cgroup_mutex held */
	void (*offline_kmem)(struct task *t, struct mem_cgroup *memcg);
	void (*free_kmem)(struct task *t, struct mem_cgroup *memcg);
	/* Can a new cache share @root?  slab_mutex held */
	bool (*may_merge)(struct task *t, const struct kmem_cache *root);
	/* kmem_cache_destroy() of a root cache: 0 or -EBUSY */
	int (*destroy_cache)(struct task *t, struct kmem_cache *root);
	/* first and last step in a child cache's life; init: 0 or -ENOMEM */
	int (*init_params)(struct task *t, struct kmem_cache *cache);
	void (*link_cache)(struct task *t, struct kmem_cache *cache, struct mem_cgroup *memcg);
	void (*unlink_cache)(struct task *t, struct kmem_cache *cache);
	void (*destroy_params)(struct task *t, struct kmem_cache *cache);
};

/* Where sim/mm itself differs between generations. */
struct mm_config {
	enum { KMEM_WQ_PER_CPU, KMEM_WQ_SYSTEM, KMEM_WQ_ORDERED } kmem_wq; /* creates children */
	bool offline_keeps_stock; /* up to v4.19: spare charges outlive the cgroup */
	bool sysfs_inline;	  /* up to v4.11: no work item tells user space */
	bool sysfs_del_by_work;	  /* the name of a cache goes when that work item runs */
	bool collects_retired;	  /* up to v4.10: caches are released by who shut them down */
	bool keeps_id;		  /* up to v3.19: an index lasts as long as its memcg */
	bool memcg_slab_mutex;	  /* v3.16 to v3.19: one more mutex around children */
	bool no_barrier_typesafe; /* their memory goes while RCU still frees their pages */
};

struct mm {
	struct world *w;
	const struct lifecycle_ops *ops;
	struct mm_config config;
	const void *switches; /* the generation's table row with its variants: sim/lifecycle */
	oid_t globals;	      /* names what belongs to no object */

	struct mutex cgroup_mutex, slab_mutex;
	struct mutex memcg_slab_mutex;	  /* if config says so: outside the hotplug locks */
	struct mutex percpu_charge_mutex; /* only tried: one drain of the stocks at a time */
	struct rw_semaphore mem_hotplug_lock;
	struct rw_semaphore memcg_cache_ids_sem; /* for writing: nr_cache_ids changes */
	struct spinlock memcg_kmem_wq_lock;
	struct workqueue *cgroup_destroy_wq, *memcg_kmem_cache_wq;

	struct cgroup *root;
	struct mem_cgroup *root_memcg;
	struct idr kmemcg_ids, private_ids;
	uint64_t next_serial;
	uint32_t nr_cache_ids; /* size of the root caches' arrays; memcg_cache_ids_sem */
	struct stock stocks[NR_CPUS_MAX];

	struct list slab_caches;      /* every cache, newest first; slab_mutex */
	struct list slab_root_caches; /* slab_mutex */
	struct list rcu_destroy;      /* slab_caches_to_rcu_destroy; slab_mutex */
	struct list retired;	      /* shut down, with collects_retired; slab_mutex */
	struct work_struct rcu_destroy_work;
	struct object *free_objects; /* recycled struct object, never their ids */
	struct slab *free_slabs;
};

static inline struct mm *mm_of(const struct world *w)
{
	return w->mm;
}

/**
 * mm_init() - boot: root cgroup, workqueues, locks
 * @t: any task; becomes a member of the root cgroup like every task after it
 */
void mm_init(struct task *t, const struct lifecycle_ops *ops, const void *switches,
	     const struct mm_config *config);

void get_online_cpus_mems(struct task *t);
void put_online_cpus_mems(struct task *t);

#endif /* SIM_MM_MM_H */
