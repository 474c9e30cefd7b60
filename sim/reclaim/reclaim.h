/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_RECLAIM_RECLAIM_H
#define SIM_RECLAIM_RECLAIM_H

/*
 * Reclaim: what a world and a memcg have of it, and what fills struct reclaim_ops.
 */

#include "sim/mm/mm.h"
#include "sim/reclaim/iter.h"

/* Where reclaim differs between generations. */
struct reclaim_config {
	/* ---- iterators ---- */
	struct iter_config iter;
	/* Who shares positions: everybody, nobody (v5.4), all but kswapd (v6.10) */
	enum { SHARED_WALKS, PRIVATE_WALKS, PARTIAL_WALKS } walks;
};

struct reclaim {
	struct reclaim_config config;
	struct iter iter;
	uint64_t nr_reclaimed; /* pages, for reports */
};

struct memcg_reclaim {
	struct iter_memcg iter;
	uint64_t nr_scanned, nr_reclaimed; /* pages of user memory, for reports */
};

static inline struct reclaim *reclaim_of(const struct task *t)
{
	return mm_of(t->w)->reclaim_state;
}

static inline const struct reclaim_config *reclaim_config(const struct task *t)
{
	return &reclaim_of(t)->config;
}

static inline struct memcg_reclaim *memcg_reclaim(const struct mem_cgroup *memcg)
{
	return memcg->reclaim_state;
}

extern const struct reclaim_ops reclaim_ops;

/** reclaim_new() - the state to hand to mm_init() together with reclaim_ops */
struct reclaim *reclaim_new(struct world *w, const struct reclaim_config *config);

#endif /* SIM_RECLAIM_RECLAIM_H */
