/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MM_MEMCG_STAT_H
#define SIM_MM_MEMCG_STAT_H

/*
 * memory.stat: how much of what a memcg and those below it have, cheap to count and dear to
 * read, or the other way round.
 *
 * A CPU counts in a cell of its own first.  What becomes of the cells is the form:
 *
 *   per CPU       readers sum up all cells of the subtree (up to v4.14)
 *   per memcg     a cell that is too far off goes to the memcg's total; readers sum up the totals
 *                 of the subtree, also of those who are offline (v4.15 to v5.1)
 *   up the tree   it goes to the total of every ancestor as well; readers look at one total, and
 *                 cells of a memcg are lost with it (v5.2) or flushed before (v5.3 to v5.13)
 *   rstat         cells stay until somebody reads, two seconds are over, or the memcg is released;
 *                 each CPU has a tree of those who changed (v5.14 and later)
 *
 * Off unless the scenario asks for it: counting costs steps that few scenarios are about.
 *
 * Upstream: mm/memcontrol.c and kernel/cgroup/rstat.c.  Differs: two items; a reader sees all cells
 * or totals at one moment; the flush every two seconds is put off until something has changed, as
 * it would find nothing before, so that a run can come to rest.
 */

#include "sim/kernel/lock.h"
#include "sim/kernel/workqueue.h"

struct mem_cgroup;

/* rstat: the work item that flushes everything, and what queues it. */
struct stat_flusher {
	struct irq_action timer;
	struct work_struct work;
	bool armed; /* the timer is to come, or the item to begin */
};

enum memcg_stat_item {
	MEMCG_STAT_USER, /* pages */
	MEMCG_STAT_SLAB, /* pages, or bytes where objects are charged one by one */
	NR_MEMCG_STATS,
};

enum memcg_stat_form { STATS_UP_THE_TREE, STATS_PER_CPU, STATS_PER_MEMCG, STATS_RSTAT };

/* One CPU's part. */
struct memcg_stat_cpu {
	int64_t cell[NR_MEMCG_STATS];
	bool updated;		    /* rstat: on the tree of those who changed */
	struct list children, node; /* rstat: that tree */
	struct mem_cgroup *memcg;   /* whose part it is */
};

struct memcg_stat {
	int64_t total[NR_MEMCG_STATS];
	int64_t pending[NR_MEMCG_STATS]; /* rstat: of children, not in the total yet */
	struct memcg_stat_cpu *cpu;	 /* [nr_cpus]; NULL if memory ran out */
};

/** memcg_stat_enable() - count from now on; nothing but the root memcg exists */
void memcg_stat_enable(struct task *t);
bool memcg_stat_enabled(const struct world *w);

/* In a memcg's life: alloc gives 0 or -ENOMEM. */
int memcg_stat_alloc(struct task *t, struct mem_cgroup *memcg);
void memcg_stat_alloc_failed(struct task *t, struct mem_cgroup *memcg);
void memcg_stat_released(struct task *t, struct mem_cgroup *memcg);
void memcg_stat_free(struct task *t, struct mem_cgroup *memcg);

/** mod_memcg_state() - count @n, in any context; @memcg pinned, or in a read section */
void mod_memcg_state(struct task *t, struct mem_cgroup *memcg, enum memcg_stat_item item,
		     int64_t n);

/** memcg_stat_cpu_gone() - @cpu counts no more: to totals, if its cells would be overlooked */
void memcg_stat_cpu_gone(struct task *t, unsigned int cpu);

/** memcg_page_state() - what memory.stat shows, never below zero; the caller pins @memcg */
int64_t memcg_page_state(struct task *t, struct mem_cgroup *memcg, enum memcg_stat_item item);

#endif /* SIM_MM_MEMCG_STAT_H */
