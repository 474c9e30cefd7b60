/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_RECLAIM_VMSCAN_H
#define SIM_RECLAIM_VMSCAN_H

/*
 * The reclaim driver: user pages and slab objects are taken from the memcgs of a subtree, with
 * rising pressure until there is enough.
 *
 * Upstream: mm/vmscan.c.
 * Differs: a memcg's user pages are a count, all of them inactive, clean and on one node and zone.
 */

#include "sim/reclaim/reclaim.h"

#define SWAP_CLUSTER_MAX 32

/**
 * try_to_free_mem_cgroup_pages() - take @nr_pages from @memcg and what is below it, because of its
 * limit; the root memcg: because the machine has none left
 *
 * Return: pages that were freed, which may be more or less.
 */
int64_t try_to_free_mem_cgroup_pages(struct task *t, struct mem_cgroup *memcg, int64_t nr_pages,
				     bool may_fs);

/** balance_pgdat() - the same from all memcgs, on behalf of nobody: what kswapd does */
int64_t balance_pgdat(struct task *t, int64_t nr_pages);

#endif /* SIM_RECLAIM_VMSCAN_H */
