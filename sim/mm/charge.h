/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MM_CHARGE_H
#define SIM_MM_CHARGE_H

/*
 * Charging pages to a memcg: from the stock, from the counters, after reclaim, by force.
 *
 * Upstream: try_charge() and its callers, mm/memcontrol.c.
 * Differs: no OOM killer.  A charge that would ask for one fails, or is forced if it may
 * not fail, as where it is switched off.  What an allocation may do stands in its task,
 * for the whole of an operation, as upstream has it for PF_MEMALLOC and NOFS.
 */

#include "sim/engine/world.h"

struct mem_cgroup;
struct page_counter;

/* task.gfp: how its allocations differ from GFP_KERNEL. */
enum gfp {
	GFP_ATOMIC = 1,	   /* may not sleep: no reclaim, no drain */
	GFP_NOFS = 2,	   /* reclaim may not enter the file system */
	GFP_NORETRY = 4,   /* one round of reclaim */
	GFP_NOFAIL = 8,	   /* never fails: charges past the limit */
	GFP_MEMALLOC = 16, /* reclaims itself: past the limit at once */
	GFP_DYING = 32,	   /* a fatal signal, or exiting: the same */
};

/** try_charge() - charge @n pages and take @n css references (HOLD_CHARGE): 0 or -ENOMEM */
int try_charge(struct task *t, struct mem_cgroup *memcg, int64_t n);

/** cancel_charge() - undo try_charge() */
void cancel_charge(struct task *t, struct mem_cgroup *memcg, int64_t n);

/** try_charge_kmem() - the same for kernel memory, which has a limit of its own as well */
int try_charge_kmem(struct task *t, struct mem_cgroup *memcg, int64_t n);

/** User memory, for scenarios: each page pins the memcg until it is uncharged. */
int mem_cgroup_charge_user(struct task *t, struct mem_cgroup *memcg, int64_t n);

/** mem_cgroup_uncharge_user() - up to @n of them: how many there still were */
int64_t mem_cgroup_uncharge_user(struct task *t, struct mem_cgroup *memcg, int64_t n);

/**
 * mem_cgroup_set_max() - limit in pages of one of a memcg's counters: 0 or -EBUSY
 *
 * If there is more than that of memory, spare charges go and reclaim tries first.
 */
int mem_cgroup_set_max(struct task *t, struct page_counter *c, int64_t max);

/**
 * mem_cgroup_set_high() - memory.high, in pages
 *
 * Nothing fails for it.  Who charges past it, his own cgroup's or one's above, reclaims as much
 * when he returns to user mode.
 */
void mem_cgroup_set_high(struct task *t, struct mem_cgroup *memcg, int64_t high);

void mem_cgroup_handle_over_high_slow(struct task *t);

/** mem_cgroup_handle_over_high() - @t is about to return to user mode */
static inline void mem_cgroup_handle_over_high(struct task *t)
{
	if (t->nr_pages_over_high)
		mem_cgroup_handle_over_high_slow(t);
}

#endif /* SIM_MM_CHARGE_H */
