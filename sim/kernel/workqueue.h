/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_KERNEL_WORKQUEUE_H
#define SIM_KERNEL_WORKQUEUE_H

/*
 * Workqueues with concurrency-managed worker pools.
 *
 * A bound queue has one pool per CPU and runs at most max_active of its items
 * there at a time; an ordered queue is unbound with max_active 1.  A pool starts
 * another worker only when all busy ones block.  An item is not pending any more
 * when its function begins, so queueing it meanwhile makes it run once more;
 * it never runs twice at the same time unless INIT_WORK() erased where it ran.
 */

#include "sim/engine/world.h"
#include "sim/kernel/lock.h"
#include "sim/kernel/rcu.h"

struct workqueue;
struct worker_pool;

struct work_struct {
	oid_t id; /* given by the first INIT_WORK() */
	oid_t of; /* the object that the item is about */
	void (*func)(struct task *t, struct work_struct *work);
	const char *name; /* of @func */
	bool pending, canceling;
	struct list node;	       /* on a pool's list or a queue's inactive one */
	struct workqueue *wq;	       /* while pending */
	struct worker_pool *last_pool; /* where it ran or waits, NULL after INIT_WORK() */
	bool active;		       /* on the pool's list */
	uint64_t colour, instance, cause;
};

struct pool_workqueue {
	uint32_t nr_active;
	struct list inactive; /* work_struct.node, FIFO */
};

struct workqueue {
	oid_t id;
	struct world *w;
	const char *name;
	bool unbound;
	uint32_t max_active;
	uint64_t colour, nr_in_flight;
	struct list flushers, waiters;
	struct pool_workqueue pwq[]; /* one per CPU, or a single one */
};

struct worker {
	struct task *task;
	struct worker_pool *pool;
	struct list node;      /* on the pool's idle or busy list */
	struct list scheduled; /* items handed over because this worker runs them already */
	struct work_struct *current;
	void (*current_func)(struct task *t, struct work_struct *work);
	struct workqueue *current_wq;
	uint64_t current_instance;
	bool busy, sleeping;
};

struct worker_pool {
	struct world *w;
	struct cpu *cpu; /* NULL for the unbound pool */
	struct list worklist, idle, busy;
	uint32_t nr_running; /* busy workers that are not blocked */
	uint32_t nr_workers;
	struct transition dispatch;
};

void workqueue_init(struct world *w);

/** alloc_workqueue() - @max_active items at a time, per CPU unless @unbound; @name is borrowed */
struct workqueue *alloc_workqueue(struct world *w, const char *name, bool unbound,
				  uint32_t max_active);

/** INIT_WORK() - prepare @work, which must not be queued; @of is what it is about */
void init_work_named(struct task *t, struct work_struct *work,
		     void (*func)(struct task *t, struct work_struct *work), const char *name,
		     oid_t of);
#define INIT_WORK(t, work, func, of) init_work_named(t, work, func, #func, of)

/** queue_work() - false if @work was pending already */
bool queue_work(struct task *t, struct workqueue *wq, struct work_struct *work);
bool queue_work_on(struct task *t, struct cpu *cpu, struct workqueue *wq, struct work_struct *work);

/** schedule_work() - queue on the system's own queue */
bool schedule_work(struct task *t, struct work_struct *work);

/** flush_workqueue() - wait for every item queued before the call */
void flush_workqueue(struct task *t, struct workqueue *wq);

/** flush_work() - wait for the last queued instance of @work; false if there was none */
bool flush_work(struct task *t, struct work_struct *work);

/** cancel_work_sync() - unqueue @work and wait until it does not run; true if it was pending */
bool cancel_work_sync(struct task *t, struct work_struct *work);

struct rcu_work {
	struct work_struct work;
	struct rcu_head rcu;
	struct workqueue *wq;
};

/** queue_rcu_work() - queue @rwork after a grace period; false if it was pending already */
bool queue_rcu_work(struct task *t, struct workqueue *wq, struct rcu_work *rwork);

/* for sim/kernel/kernel.c */
void wq_worker_sleeping(struct task *t);
void wq_worker_running(struct task *t);

#endif /* SIM_KERNEL_WORKQUEUE_H */
