/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_RECLAIM_SHRINKER_H
#define SIM_RECLAIM_SHRINKER_H

/*
 * Shrinkers: who can free kernel objects says how many there are, and frees some.
 *
 * An aware one is called for a memcg, and does so for that memcg's list alone.  From
 * v4.19 on a bit per memcg and shrinker says whether the list may have items; a shrinker
 * that finds none has the bit cleared and is asked once more, since an item may have
 * come in between.
 *
 * Upstream: mm/vmscan.c (mm/shrinker.c from v6.7), v4.0 to v6.12.  Differs: how much is
 * scanned follows the priority in all versions, as from v4.16.
 */

#include "sim/base/list.h"
#include "sim/engine/world.h"
#include "sim/kernel/ida.h"
#include "sim/kernel/lock.h"
#include "sim/kernel/rcu.h"

struct mem_cgroup;

#define DEFAULT_SEEKS 2
#define SHRINK_BATCH 128
#define DEF_PRIORITY 12

/* Where shrinkers differ between generations. */
struct shrinker_config {
	/*
	 * Without memcgs; each one for each memcg (v4.0); those whose bit is set (v4.19); the
	 * same with deferred work per memcg (v5.13)
	 */
	enum shrinker_form {
		SHRINK_GLOBAL,
		SHRINK_WALK,
		SHRINK_MAP,
		SHRINK_INFO,
		NR_SHRINKER_FORMS
	} form;
	bool global_skips_aware; /* from v4.6: the pass without a memcg leaves aware ones out */
	bool refs;		 /* from v6.7: who calls a shrinker holds a reference on it */
	bool debugfs;		 /* from v6.0: counts can be read */
	uint32_t map_bits;	 /* what bitmaps grow by; 0: 64 */

	/* What went wrong, or would: sim/lifecycle/variants.def. */
	bool bit_without_rescan;
	bool expand_copies_bits;
	bool expand_keeps_css;
	bool debugfs_under_rwsem;
};

enum { SHRINKER_MEMCG_AWARE = 1 };

/* What a count or a scan returns besides a number. */
#define SHRINK_EMPTY INT64_MIN	    /* count: nothing, for sure */
#define SHRINK_STOP (INT64_MIN + 1) /* scan: not now */

struct shrink_control {
	struct mem_cgroup *memcg; /* NULL: without memcgs */
	bool may_fs;		  /* __GFP_FS: the caller holds nothing of a file system */
	int64_t nr_to_scan, nr_scanned;
};

/* What is read while its file is open must not go away: removal waits for the readers. */
struct debugfs_file {
	oid_t id;
	bool removed;
	uint32_t nr_active;
	struct completion drained;
};

struct shrinker {
	oid_t id;
	const char *name;
	int64_t (*count_objects)(struct task *t, struct shrinker *s, struct shrink_control *sc);
	int64_t (*scan_objects)(struct task *t, struct shrinker *s, struct shrink_control *sc);
	int64_t batch; /* 0: SHRINK_BATCH */
	uint32_t seeks, flags;
	int nr;		     /* of its bit; -1 */
	int64_t nr_deferred; /* left over from all memcgs; not in SHRINK_INFO */
	struct list node;    /* shrinkers.all */
	bool registered;
	uint64_t serial;   /* in the order of registration */
	uint32_t refcount; /* shrinker_refs */
	struct completion done;
	struct rcu_head rcu;
	struct debugfs_file debugfs;
};

/* Bits @first to @first + @nr - 1 of a memcg, and its deferred work. */
struct shrinker_unit {
	oid_t id;
	uint32_t first, nr;
	uint64_t *bits;
	int64_t *nr_deferred;
};

struct shrinker_info {
	oid_t id;
	uint32_t nr_units;
	bool keeps_units; /* a larger one has taken them over */
	struct rcu_head rcu;
	struct shrinker_unit *unit[];
};

struct shrinkers {
	struct rw_semaphore rwsem; /* shrinker_rwsem; shrinker_mutex when they are counted */
	struct mutex map_mutex;	   /* memcg_shrinker_map_mutex */
	struct list all;	   /* shrinker.node, oldest first */
	struct idr ids;		   /* shrinker_idr: NULL while one is being registered */
	uint32_t nr_max;	   /* what the bitmaps have room for */
	uint64_t next_serial;
};

/**
 * prealloc_shrinker() - give @s an id and its bit, if they have bits
 *
 * Return: 0 or -ENOMEM.
 */
int prealloc_shrinker(struct task *t, struct shrinker *s);
/** free_prealloced_shrinker() - of one that will not be registered after all */
void free_prealloced_shrinker(struct task *t, struct shrinker *s);
/** register_shrinker_prepared() - from now on it is called */
void register_shrinker_prepared(struct task *t, struct shrinker *s);
/** unregister_shrinker() - once it returns nobody calls it, or will */
void unregister_shrinker(struct task *t, struct shrinker *s);

/**
 * shrink_slab() - have objects of @memcg freed
 * @memcg: of the subtree that is being reclaimed, each in turn; NULL for one more pass after
 *         all of them when the whole machine is
 * @may_fs: false in GFP_NOFS allocations, which file systems leave alone
 * @priority: DEF_PRIORITY down to 0, where everything is scanned
 *
 * Which shrinkers it calls is the generation's.  Sleeps; holds no lock of the caller's.
 *
 * Return: objects freed, or 1 where that stands for "try again".
 */
int64_t shrink_slab(struct task *t, struct mem_cgroup *memcg, bool may_fs, int priority);

/** shrinker_debugfs_count() - read the file: objects of all memcgs, -ENOENT or -ENODEV */
int64_t shrinker_debugfs_count(struct task *t, struct shrinker *s);

/* ---- for sim/reclaim ---------------------------------------- */

void shrinkers_init(struct world *w, struct shrinkers *all);

/** set_shrinker_bit() - @memcg has something for shrinker @nr, of at least 0 */
void set_shrinker_bit(struct task *t, struct mem_cgroup *memcg, int nr);

/* Bits and deferred work of a memcg: shrinker_info.c */
int alloc_shrinker_info(struct task *t, struct mem_cgroup *memcg);
void free_shrinker_info(struct task *t, struct mem_cgroup *memcg);
int expand_shrinker_info(struct task *t, uint32_t nr_max);
void reparent_shrinker_deferred(struct task *t, struct mem_cgroup *memcg);
/* In a read section, or with what keeps the info from being replaced */
struct shrinker_info *shrinker_info_of(struct task *t, struct mem_cgroup *memcg);
struct shrinker_unit *shrinker_unit_of(struct shrinker_info *info, uint32_t nr);
bool shrinker_bit_read(struct task *t, struct shrinker_unit *unit, uint32_t nr);
void shrinker_bit_write(struct task *t, struct mem_cgroup *memcg, struct shrinker_unit *unit,
			uint32_t nr, bool set);

#endif /* SIM_RECLAIM_SHRINKER_H */
