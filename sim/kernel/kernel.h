/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_KERNEL_KERNEL_H
#define SIM_KERNEL_KERNEL_H

/*
 * The kernel's own tools, put together: what a world has one of.
 */

#include "sim/kernel/kobject.h"
#include "sim/kernel/lock.h"
#include "sim/kernel/rcu.h"
#include "sim/kernel/workqueue.h"

struct kernel {
	struct rcu rcu[NR_RCU_FLAVOURS];
	bool rcu_one_flavour;	   /* v4.20 on: the sched and normal flavours are the same */
	struct worker_pool *pools; /* per CPU; the last one is unbound */
	struct workqueue *system_wq;
	struct spinlock percpu_ref_switch_lock;
	struct rw_semaphore cpu_hotplug_lock; /* for reading: no CPU comes or goes */
	struct sysfs sysfs;
};

static inline struct kernel *kernel_of(const struct world *w)
{
	return w->kernel;
}

struct kernel_config {
	bool rcu_one_flavour;
};

/** kernel_init() - give @w its RCU, worker pools and system workqueue */
void kernel_init(struct world *w, const struct kernel_config *config);

#endif /* SIM_KERNEL_KERNEL_H */
