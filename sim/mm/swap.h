/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MM_SWAP_H
#define SIM_MM_SWAP_H

/*
 * User memory in swap, charged to a memcg that it knows by number only.
 *
 * Upstream: mem_cgroup_try_charge_swap() and mem_cgroup_uncharge_swap(), mm/memcontrol.c,
 * and the shadow entries of mm/workingset.c.
 * Differs: the swap counter stands for memsw, too; pages go and come in runs.
 */

#include "sim/engine/world.h"

struct mem_cgroup;

struct swap_run {
	oid_t id;
	int64_t nr_pages;
	int memcg_id; /* swap_cgroup_record(): the private id, 0 for nobody */
	enum { RUN_BUSY, RUN_IN_SWAP, RUN_IN_MEMORY, RUN_GONE } state;
	struct mem_cgroup *memcg; /* of pages in memory, pinned by them */
};

/**
 * swap_out() - move @n charged user pages of @memcg, online or not, to swap
 *
 * Return: NULL when the limit of a swap counter is in the way; nothing has changed then.
 */
struct swap_run *swap_out(struct task *t, struct mem_cgroup *memcg, int64_t n);

/**
 * swap_in() - bring them back, charged to whom swap remembers, or else to the task's memcg
 *
 * Return: 0, -ENOMEM, or -ENOENT if they are not in swap.
 */
int swap_in(struct task *t, struct swap_run *run);

/** swap_free() - nobody needs these pages any more, wherever they are: 0, -EBUSY or -ENOENT */
int swap_free(struct task *t, struct swap_run *run);

/** workingset_eviction() - drop @n user pages of @memcg; the number that a shadow entry keeps */
int workingset_eviction(struct task *t, struct mem_cgroup *memcg, int64_t n);

/**
 * workingset_refault() - look at the memcg that a shadow entry names
 *
 * The number may belong to another memcg by now, or to none: then false.
 */
bool workingset_refault(struct task *t, int memcg_id);

#endif /* SIM_MM_SWAP_H */
