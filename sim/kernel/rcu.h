/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_KERNEL_RCU_H
#define SIM_KERNEL_RCU_H

/*
 * RCU: read sections, grace periods, callbacks.
 *
 * A grace period waits for exactly the sections that are open when it starts:
 * the readers (where the kernel is preemptible, else every CPU until its next
 * context switch) and, for the sched flavour, the CPUs that have preemption,
 * softirqs or interrupts off.  From v4.20 on there is one flavour for both.
 *
 * A callback needs the first grace period that starts after its registration,
 * and runs on the CPU where it was registered, in order, in softirq context.
 */

#include "sim/engine/world.h"
#include "sim/kernel/lock.h"

enum rcu_flavour { RCU_NORMAL, RCU_SCHED, NR_RCU_FLAVOURS };

#define RCU_BLIMIT 10 /* callbacks of one CPU and batch */

struct rcu_head {
	struct list node;
	void (*func)(struct task *t, struct rcu_head *head);
	const char *name; /* of @func */
	oid_t of;	  /* the object that the callback is about */
	uint64_t gp;	  /* the grace period it needs */
	uint64_t cause;
};

struct rcu {
	oid_t id;
	struct world *w;
	enum rcu_flavour flavour;
	uint64_t gp_started, gp_ended; /* numbers; equal when none is in progress */
	uint64_t gp_seq;	       /* the global number: follows gp_ended late */
	vtime_t gp_earliest;	       /* virtual time before which the current one cannot end */
	uint32_t nr_readers;	       /* open sections that the current one waits for */
	uint64_t cpus;		       /* CPUs that it waits for, a bit each */
	struct transition start, end, cleanup;
	struct list *callbacks; /* per CPU: struct rcu_head, in the order of their gp */
	uint32_t *nr_callbacks; /* per CPU, the one that is being run included */
	struct list readers;	/* task.rcu_node: tasks inside a preemptible section */
	struct mutex barrier_mutex;
	uint64_t barrier_started, barrier_ended;
};

void rcu_init(struct world *w);

void rcu_read_lock(struct task *t);
void rcu_read_unlock(struct task *t);

/**
 * call_rcu() - run @func(@head) after a grace period
 * @head: the caller's, until @func runs
 * @of: the object it is about
 */
void call_rcu_named(struct task *t, enum rcu_flavour flavour, struct rcu_head *head,
		    void (*func)(struct task *t, struct rcu_head *head), const char *name,
		    oid_t of);
#define call_rcu(t, head, func, of) call_rcu_named(t, RCU_NORMAL, head, func, #func, of)
#define call_rcu_sched(t, head, func, of) call_rcu_named(t, RCU_SCHED, head, func, #func, of)

/** synchronize_rcu() - block until a grace period that starts after the call has ended */
void synchronize_rcu(struct task *t, enum rcu_flavour flavour);

/**
 * rcu_barrier() - block until every callback queued before the call has returned; no grace
 * period is implied
 */
void rcu_barrier(struct task *t, enum rcu_flavour flavour);

/* for sim/kernel/kernel.c */
void rcu_note_context_switch(struct cpu *cpu, struct task *prev);
void rcu_note_section_left(struct cpu *cpu);
void rcu_core(struct task *t);

#endif /* SIM_KERNEL_RCU_H */
