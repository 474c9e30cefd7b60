/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_KERNEL_PERCPU_REF_H
#define SIM_KERNEL_PERCPU_REF_H

/*
 * percpu_ref: a reference counter that is per CPU until it is killed.
 *
 * Each operation reads the mode and acts on it inside a section with preemption
 * off; killing sets the mode and folds the per-CPU counts into the atomic one a
 * grace period later, so that no operation is missed.  Until then a bias keeps
 * the atomic count from reaching zero.
 *
 * Upstream: lib/percpu-refcount.c, v5.3.  INIT_ATOMIC and INIT_DEAD are not modelled.
 */

#include "sim/engine/world.h"
#include "sim/kernel/rcu.h"

struct percpu_ref;

typedef void (*percpu_ref_func)(struct task *t, struct percpu_ref *ref);

struct percpu_ref {
	oid_t of; /* the object that it keeps alive: names the counter in records */
	const char *name;
	bool atomic, dead, switching;
	int64_t count;		 /* atomic part, bias included until the switch has happened */
	int64_t *percpu;	 /* [nr_cpus]; NULL after percpu_ref_exit() */
	percpu_ref_func release; /* any context; must not sleep */
	percpu_ref_func confirm;
	struct rcu_head rcu;
};

/**
 * percpu_ref_init() - start at one reference, the base, in percpu mode
 *
 * Return: 0 or -ENOMEM.
 */
int percpu_ref_init(struct task *t, struct percpu_ref *ref, oid_t of, const char *name,
		    percpu_ref_func release);

/* @h and @owner say for whom the reference is: the ledger's entry. */
void percpu_ref_get_many(struct task *t, struct percpu_ref *ref, int64_t n, enum holder h,
			 oid_t owner);
void percpu_ref_put_many(struct task *t, struct percpu_ref *ref, int64_t n, enum holder h,
			 oid_t owner);
bool percpu_ref_tryget(struct task *t, struct percpu_ref *ref, enum holder h, oid_t owner);
bool percpu_ref_tryget_live(struct task *t, struct percpu_ref *ref, enum holder h, oid_t owner);

/** percpu_ref_kill_and_confirm() - drop the base; @confirm runs once no tryget_live can succeed */
void percpu_ref_kill_and_confirm(struct task *t, struct percpu_ref *ref, percpu_ref_func confirm);
void percpu_ref_kill(struct task *t, struct percpu_ref *ref);

/** percpu_ref_resurrect() - undo a kill whose switch has ended; the caller gets the base back */
void percpu_ref_resurrect(struct task *t, struct percpu_ref *ref);

/** percpu_ref_reinit() - the same for a counter that reached zero */
void percpu_ref_reinit(struct task *t, struct percpu_ref *ref);

/** percpu_ref_exit() - free the counter; nobody may hold or switch it */
void percpu_ref_exit(struct task *t, struct percpu_ref *ref);

/** percpu_ref_is_zero() - has the last reference of a killed counter gone? */
bool percpu_ref_is_zero(struct task *t, struct percpu_ref *ref);

#endif /* SIM_KERNEL_PERCPU_REF_H */
