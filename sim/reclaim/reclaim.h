/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_RECLAIM_RECLAIM_H
#define SIM_RECLAIM_RECLAIM_H

/*
 * Reclaim: what a world and a memcg have of it, and what fills struct reclaim_ops.
 *
 * Only a world whose scenario asks for it has reclaim at all.
 */

#include "sim/mm/mm.h"
#include "sim/reclaim/iter.h"
#include "sim/reclaim/list_lru.h"
#include "sim/reclaim/shrinker.h"

/* Where reclaim differs between generations. */
struct reclaim_config {
	struct iter_config iter;
	/* Who shares positions: everybody, nobody (v5.4), all but kswapd (v6.10) */
	enum { SHARED_WALKS, PRIVATE_WALKS, PARTIAL_WALKS } walks;
	struct list_lru_config list_lru;
	struct shrinker_config shrinkers;
};

struct reclaim {
	struct reclaim_config config;
	struct iter iter;
	uint64_t nr_reclaimed; /* pages, for reports */
	struct list_lrus lrus;
	struct shrinkers shrinkers;
};

struct memcg_reclaim {
	struct iter_memcg iter;
	uint64_t nr_scanned, nr_reclaimed; /* pages of user memory, for reports */
	struct shrinker_info *info;	   /* RCU */
};

static inline struct reclaim *reclaim_of(const struct task *t)
{
	return mm_of(t->w)->reclaim_state;
}

static inline const struct reclaim_config *reclaim_config(const struct task *t)
{
	return &reclaim_of(t)->config;
}

static inline const struct list_lru_config *lru_config(const struct task *t)
{
	return &reclaim_config(t)->list_lru;
}

static inline const struct shrinker_config *shrinker_config(const struct task *t)
{
	return &reclaim_config(t)->shrinkers;
}

static inline struct memcg_reclaim *memcg_reclaim(const struct mem_cgroup *memcg)
{
	return memcg->reclaim_state;
}

extern const struct reclaim_ops reclaim_ops;

/** reclaim_new() - the state to hand to mm_init() together with reclaim_ops */
struct reclaim *reclaim_new(struct world *w, const struct reclaim_config *config);

#endif /* SIM_RECLAIM_RECLAIM_H */
