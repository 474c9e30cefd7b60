/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_RECLAIM_ITER_H
#define SIM_RECLAIM_ITER_H

/*
 * mem_cgroup_iter(): the memcgs of a subtree, one by one, for several reclaimers at once.
 *
 * The root of a walk keeps positions, one for each node, zone and priority; who walks with a
 * cookie goes on from there, so that all together see each memcg once a round.  What a position
 * is, and what becomes of it when the memcg that it stands on goes away, has been designed eight
 * times: see docs/iterators.md.  A design is a file here, or two that differ in little.
 *
 * A memcg that is returned carries a reference (HOLD_ITER, the task's), which the next call or
 * mem_cgroup_iter_break() puts.  The root of the walk does not: the caller pins that.
 *
 * Upstream: mm/memcontrol.c, v3.8 to v6.12.
 * Differs: positions of a root that nobody has walked yet are looked at in one step.
 */

#include "sim/kernel/ida.h"
#include "sim/mm/mm.h"

#define DEF_PRIORITY 12
#define NR_PRIORITIES (DEF_PRIORITY + 1)
#define ITER_NODES_MAX 8
#define ITER_ZONES_MAX 4

enum iter_design {
	ITER_CSS_ID,	     /* D0 */
	ITER_PINNED,	     /* D1 */
	ITER_PINNED_CLEANUP, /* D2 */
	ITER_GLOBAL_COUNT,   /* D3 */
	ITER_DEAD_COUNT,     /* D4 */
	ITER_PINNED_CMPXCHG, /* D5 */
	ITER_WEAK,	     /* D6 */
	ITER_WEAK_RETRY,     /* D7 */
	NR_ITER_DESIGNS,
};

/* What a position is for. */
enum iter_scope { ITER_PER_ZONE_PRIORITY, ITER_PER_NODE_PRIORITY, ITER_PER_NODE };

struct iter_config {
	enum iter_design design;
	enum iter_scope scope;
	uint8_t nr_nodes, nr_zones; /* of the machine, zones per node; 0 means 1 */
	bool no_hierarchy; /* cgroup v1 without use_hierarchy: only the root has a subtree */

	/* What went wrong, or would. */
	bool invalidate_parents; /* invalidation starts at the parent, and ends with the parents */
	bool invalidate_own_parents; /* it starts at the memcg itself, and ends with the parents */
	bool invalidate_late;	     /* it comes with the free, a grace period too late */
	bool count_read_twice;	     /* the counter is read again for the stamp */
	bool load_no_rcu;	     /* it is tested outside of a read section */
	bool pins_late;		     /* D5: the position's reference is taken once it shows */
	bool unlocked;	     /* D4: whoever stores a position may be overtaken between its parts */
	bool stamp_first;    /* the stamp is stored before the position */
	bool gets_offline;   /* references are taken on offline memcgs, too */
	bool root_needs_get; /* a position on the root of its walk may be refused */
	bool root_is_got;    /* a reference is taken on the root, which nobody puts */
	bool root_is_put;    /* one is put that nobody has taken */
	bool returns_unpinned; /* no reference is taken on what is returned */
	bool unlinked_is_last; /* a position that was unlinked has no later sibling */
};

struct iter_position {
	struct mem_cgroup *memcg; /* D0 keeps a number in its place */
	struct spinlock *lock;	  /* D1 to D4 */
	uint64_t stamp;		  /* D3, D4: the count of removals that goes with it */
	int id;			  /* D0 */
	uint32_t generation;	  /* rounds that have ended */
	bool used;
};

/* What a memcg has as the root of walks and as what they visit. */
struct iter_memcg {
	struct iter_position *positions; /* NULL until somebody walks from here with a cookie */
	uint64_t dead_count;		 /* D4 */
	int css_id;			 /* D0; 0 for none */
	uint64_t nr_visits;		 /* by walks from anywhere */
};

/* Figures for reports.  Restarts: a position was there, and could not be used. */
struct iter_stats {
	uint64_t visits, rounds;
	uint64_t restarts, needless_restarts; /* needless: what it stood on was still online */
	uint64_t removals;		      /* memcgs that were taken out of the positions' way */
	uint64_t looked_at, locks, counts, cleared; /* by removals: positions, locks, counters */
};

struct iter {
	struct iter_config config;
	const struct iter_ops *ops;
	uint32_t nr_positions; /* of each root */
	uint64_t dead_count;   /* D3 */
	struct idr css_ids;    /* D0 */
	bool walked;	       /* somebody has, with a cookie */
	struct iter_stats stats;
};

struct mem_cgroup_reclaim_cookie {
	uint32_t node, zone, priority;
	uint32_t generation; /* mem_cgroup_iter()'s */
};

/* What keeps a position from being followed to a memcg that is freed. */
enum iter_guard {
	ITER_GUARD_NUMBER,	 /* it is a number, which is looked up */
	ITER_GUARD_PIN,		 /* it holds a reference */
	ITER_GUARD_GLOBAL_COUNT, /* it counts only while no memcg was removed */
	ITER_GUARD_COUNT,	 /* it counts only while none was removed below the root */
	ITER_GUARD_CLEAR,	 /* it is cleared before the grace period that ends with the free */
};

struct iter_walk;

/* A design.  Hooks that it has no use for are NULL. */
struct iter_ops {
	const char *name;
	const char *summary;
	enum iter_guard guard;
	bool locks; /* a lock for each position */
	/* Two walkers cannot both end a round: nobody is left out whoever shares it. */
	bool exact;
	/* Removed memcgs are refused from the kill on, as css_tryget() did up to v3.15. */
	bool online_only;
	struct mem_cgroup *(*next)(struct task *t, const struct iter_walk *walk);
	/* without a cookie; NULL: in the order of the tree */
	struct mem_cgroup *(*next_alone)(struct task *t, const struct iter_walk *walk);
	void (*online)(struct task *t, struct mem_cgroup *memcg);
	/* cgroup_mutex held for both; not called before anybody has walked */
	void (*offline)(struct task *t, struct mem_cgroup *memcg);
	void (*released)(struct task *t, struct mem_cgroup *memcg);
	/* once it cannot be found any more, whoever has walked */
	void (*forget)(struct task *t, struct mem_cgroup *memcg);
};

extern const struct iter_ops iter_css_id, iter_pinned, iter_pinned_cleanup, iter_global_count,
	iter_dead_count, iter_pinned_cmpxchg, iter_weak, iter_weak_retry;

/** iter_design_ops() - name and promises of a design */
const struct iter_ops *iter_design_ops(enum iter_design design);

void iter_init(struct world *w, struct iter *it, const struct iter_config *config);

/**
 * mem_cgroup_iter() - the next memcg of a walk
 * @root: pinned by the caller
 * @prev: what the last call returned, which is put; NULL to begin
 * @cookie: whose position to share; NULL: nobody's
 *
 * Return: NULL at the end of the round.
 */
struct mem_cgroup *mem_cgroup_iter(struct task *t, struct mem_cgroup *root, struct mem_cgroup *prev,
				   struct mem_cgroup_reclaim_cookie *cookie);

/** mem_cgroup_iter_break() - end a walk early; puts @prev */
void mem_cgroup_iter_break(struct task *t, struct mem_cgroup *root, struct mem_cgroup *prev);

/* hooks, for reclaim.c */
void iter_memcg_online(struct task *t, struct mem_cgroup *memcg);
void iter_memcg_offline(struct task *t, struct mem_cgroup *memcg);
void iter_memcg_released(struct task *t, struct mem_cgroup *memcg);
void iter_memcg_free(struct task *t, struct mem_cgroup *memcg);

#endif /* SIM_RECLAIM_ITER_H */
