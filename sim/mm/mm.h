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
#include "sim/mm/charge.h"
#include "sim/mm/memcg.h"
#include "sim/mm/memcg_id.h"
#include "sim/mm/memcg_stat.h"
#include "sim/mm/reclaim_ops.h"
#include "sim/mm/slab.h"
#include "sim/mm/stock.h"
#include "sim/mm/swap.h"

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
	FIELD_PARENT,	      /* mem_cgroup.parent */
	FIELD_OBJCG,	      /* mem_cgroup.objcg, or the one that a task keeps */
	FIELD_OBJCG_MEMCG,    /* obj_cgroup.memcg */
	FIELD_OBJCG_BYTES,    /* obj_cgroup.nr_charged_bytes */
	FIELD_VECTOR,	      /* a slab page's obj_cgroups */
	FIELD_PRIVATE_ID,     /* mem_cgroup.private_id */
	FIELD_STAT,	      /* memcg_stat.total; a CPU's cells are numbered */
	FIELD_CPUS_GONE,      /* mm.cpus_gone */
	FIELD_HIGH,	      /* mm.high_is_set */
	FIELD_KMEMCG_IDS,     /* memcg_cache_ida */
	FIELD_ID_REF,	      /* mem_cgroup.id_ref */
	FIELD_SWAP,	      /* swap_run.state */
	FIELD_CHILDREN,	      /* mem_cgroup.children */
	FIELD_SIBLING,	      /* mem_cgroup.sibling, css.released */
	FIELD_LRU,	      /* mem_cgroup.lru_pages */
	FIELD_CSS_IDS,	      /* the iterators' numbers of memcgs */
	FIELD_DEAD_COUNT,     /* removals: of the machine, or below a memcg */
	FIELD_ITER_USED,      /* which positions of a memcg were ever used; whether any was */
	FIELD_ITER_FIGURES,   /* counts for reports */
	FIELD_NR_PAGES,	      /* memcg_params.nr_pages */
	FIELD_DEAD,	      /* memcg_params.dead, and mem_cgroup.kmem_dead */
	FIELD_USER_PAGES,     /* a memcg's LRU lists */
	FIELD_STAT_FLUSHER,   /* mm.stat_flusher.armed */
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
	/* A child has been put into its slot; slab_mutex held.  NULL: nothing is left to do */
	void (*child_created)(struct task *t, struct kmem_cache *child);
	/* Of a memcg that keeps its index; cgroup_mutex held.  NULL: nothing happens */
	void (*css_offline)(struct task *t, struct mem_cgroup *memcg);
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

	/* Whom the object's memory is charged to, NULL for nobody; the caller keeps him alive */
	struct mem_cgroup *(*memcg_from_obj)(struct task *t, struct object *obj);

	/*
	 * Where objects are charged one by one there are no child caches: get_cache to
	 * uncharge_slab are NULL.  Where slab pages are, what follows is.
	 */
	void (*boot)(struct task *t);
	int (*online_kmem)(struct task *t, struct mem_cgroup *memcg); /* 0 or -ENOMEM */
	/*
	 * Around an allocation: false if it must fail, then without @obj being anybody's.
	 * @lru, unless NULL: whose memcg must have a list there
	 */
	bool (*alloc_begin)(struct task *t, struct kmem_cache *s, struct list_lru *lru,
			    struct obj_cgroup **objcg);
	bool (*alloc_end)(struct task *t, struct kmem_cache *s, struct list_lru *lru,
			  struct obj_cgroup *objcg, struct object *obj);
	void (*object_freed)(struct task *t, struct object *obj);
	void (*slab_freed)(struct task *t, struct slab *slab);
	/* This CPU's stock, interrupts off: the objcg that the caller has to put with them on */
	struct obj_cgroup *(*drain_obj_stock)(struct task *t, struct stock *stock);
	void (*put_drained)(struct task *t, struct stock *stock, struct obj_cgroup *objcg);
	/* Does another CPU's stock keep bytes of @root's subtree?  Inside a read section */
	bool (*obj_stock_below)(struct task *t, struct stock *stock, struct mem_cgroup *root);
	void (*task_moved)(struct task *t, struct task *who);
	void (*task_exits)(struct task *t);
};

/* Where sim/mm itself differs between generations: all zero is v5.3. */
struct mm_config {
	enum { KMEM_WQ_PER_CPU, KMEM_WQ_SYSTEM, KMEM_WQ_ORDERED } kmem_wq; /* creates children */
	int32_t charge_batch;	 /* pages charged at once, 0: 32; 64 from v6.1 */
	int32_t reclaim_retries; /* 0: 5; 16 from v5.9 */
	bool kmem_nofail;	 /* from v5.4: the kmem limit does not fail __GFP_NOFAIL */
	bool id_with_css;	 /* up to v4.6: swap pins the css, whose id is the private id */
	bool id_kept_on_failure; /* variants: see sim/lifecycle/variants.def */
	bool id_published_early, swapout_offline, stock_entry_unpinned;
	bool stat_lost, stat_flush_own_cpu, stat_flush_failed_alloc, stat_irqs_on;
	bool stat_gone_own_cpu;
	enum memcg_stat_form stats;
	bool stat_bytes;	  /* from v5.9: slab statistics are bytes */
	bool drain_unlocked;	  /* up to v5.3: stocks are looked at outside of read sections */
	bool offline_at_rmdir;	  /* up to v3.10: css_offline() is rmdir's, and waits for nobody */
	bool offline_keeps_stock; /* up to v4.19: spare charges outlive the cgroup */
	bool sysfs_inline;	  /* up to v4.11 and from v5.9: no work item tells user space */
	bool sysfs_del_by_work;	  /* the name of a cache goes when that work item runs */
	bool collects_retired;	  /* up to v4.10: caches are released by who shut them down */
	bool keeps_id;		  /* up to v3.19: an index lasts as long as its memcg */
	bool memcg_slab_mutex;	  /* v3.16 to v3.19: one more mutex around children */
	bool walks_without_rcu; /* offline relies on cgroup_mutex, which a failed creation lacks */
	bool no_barrier_typesafe; /* their memory goes while RCU still frees their pages */
	bool stock_pins_once;	  /* from v5.9: a css reference per stock, none per charged page */
	bool migration_locks;	  /* css_set_lock is modelled */
	bool release_unlocked;	  /* from v6.1: a root cache is released without slab_mutex */
	bool barrier_in_destroy;  /* v6.12: and its rcu_barrier() has no work item of its own */
	bool charges_pin_nothing; /* up to v3.18: offline moves user pages and drains the stocks */
	bool kmem_wq_late;	  /* it is created with the first memcg but the root */
	bool array_published_empty; /* slots are copied after readers can see the new array */
	bool array_freed_at_once;   /* the old one does not wait for them */
	bool array_watched;	    /* records tell who uses an array and that it was freed */
	bool kills_css_twice;	    /* nobody waits for a css that is dying, or looks */
	bool exit_wants_online;	    /* an ending task tries until its css is online */
	bool destroy_on_system_wq;  /* cgroups are destroyed on everybody's workqueue */
	bool sysfs_no_drain;	    /* removing a cache's name waits for nobody */
	bool offline_unordered;	    /* up to v4.2: parents do not wait for their children */
};

struct mm {
	struct world *w;
	const struct lifecycle_ops *ops;
	const struct reclaim_ops *reclaim; /* NULL: nothing can be reclaimed */
	void *reclaim_state;		   /* sim/reclaim */
	void *fs;			   /* sim/fs */
	struct mm_config config;
	const void *switches; /* the generation's table row with its variants: sim/lifecycle */
	oid_t globals;	      /* names what belongs to no object */

	struct mutex cgroup_mutex, slab_mutex;
	struct mutex memcg_slab_mutex;	  /* if config says so: outside the hotplug locks */
	struct mutex activate_kmem_mutex; /* v3.15: one root cache at a time ends its children */
	struct mutex percpu_charge_mutex; /* only tried: one drain of the stocks at a time */
	struct rw_semaphore mem_hotplug_lock;
	struct rw_semaphore memcg_cache_ids_sem; /* for writing: nr_cache_ids changes */
	struct spinlock memcg_kmem_wq_lock;
	struct spinlock css_set_lock, objcg_lock; /* from the objcg on */
	struct workqueue *cgroup_destroy_wq, *memcg_kmem_cache_wq;

	struct cgroup *root;
	struct mem_cgroup *root_memcg;
	struct idr kmemcg_ids, private_ids;
	uint64_t next_serial;
	uint32_t nr_cache_ids; /* size of the root caches' arrays; memcg_cache_ids_sem */
	struct stock *stocks;  /* per CPU */
	uint64_t cpus_gone;    /* memcg_hotplug_cpu_dead(), a bit each */
	bool statistics;       /* memcg_stat_enable() */
	bool high_is_set;      /* of any memcg */
	struct spinlock rstat_lock, *rstat_cpu_lock; /* the latter per CPU, with @statistics */
	struct stat_flusher stat_flusher;

	struct list slab_caches;      /* every cache, newest first; slab_mutex */
	struct list slab_root_caches; /* slab_mutex */
	struct list rcu_destroy;      /* slab_caches_to_rcu_destroy; slab_mutex */
	struct list retired;	      /* shut down, with collects_retired; slab_mutex */
	struct list offline_waiters;  /* cgroup_lock_and_drain_offline(); cgroup_mutex */
	struct list usage_waiters;    /* contexts that wait for usage_changed() */
	uint64_t usage_changes;	      /* how often it was called */
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
 * @reclaim: or NULL
 * @reclaim_state: becomes mm.reclaim_state before anything of @reclaim is called
 */
void mm_init(struct task *t, const struct lifecycle_ops *ops, const void *switches,
	     const struct mm_config *config, const struct reclaim_ops *reclaim,
	     void *reclaim_state);

/** alloc_kmem_wq() - the workqueue that creates children */
struct workqueue *alloc_kmem_wq(struct world *w, const struct mm_config *config);

void get_online_cpus_mems(struct task *t);
void put_online_cpus_mems(struct task *t);

#endif /* SIM_MM_MM_H */
