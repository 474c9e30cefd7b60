/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MM_STOCK_H
#define SIM_MM_STOCK_H

/*
 * The per-CPU stock of spare charges: pages of one memcg, bytes of one objcg.
 *
 * Only its own CPU changes it, with interrupts off.  drain_all_stock() looks at those of
 * other CPUs without a lock and asks their workers to drain them.
 *
 * Upstream: struct memcg_stock_pcp, mm/memcontrol.c.
 */

#include "sim/kernel/workqueue.h"

struct mem_cgroup;
struct obj_cgroup;

#define MEMCG_CHARGE_BATCH 32

struct stock {
	struct mem_cgroup *cached;
	int64_t nr_pages;
	struct obj_cgroup *cached_objcg;
	int64_t nr_bytes;
	struct work_struct work;
	bool flushing;
};

/** stock_max() - what is charged at once to fill a stock, and the most that it keeps: pages */
int64_t stock_max(const struct world *w);

void stock_init(struct task *t, struct stock *stock);

/** this_stock() - interrupts off */
struct stock *this_stock(struct task *t);
void touch_stock(struct task *t, const struct stock *stock);

/** consume_stock() - true if @n pages of @memcg were there; their css references come along */
bool consume_stock(struct task *t, struct mem_cgroup *memcg, int64_t n);

/** refill_stock() - keep @n charged pages, whose css references come along if pages have any */
void refill_stock(struct task *t, struct mem_cgroup *memcg, int64_t n);

/**
 * drain_all_stock() - give back the spare charges of @root's subtree; does not wait for
 * other CPUs
 */
void drain_all_stock(struct task *t, struct mem_cgroup *root);

/** drain_gone_stock() - of a CPU that will not come back */
void drain_gone_stock(struct task *t, struct stock *stock);
/** drain_stocks() - the same; percpu_charge_mutex held */
void drain_stocks(struct task *t, struct mem_cgroup *root);

/** pages_pin() - does each charged page come with a css reference? */
bool pages_pin(const struct world *w);

#endif /* SIM_MM_STOCK_H */
