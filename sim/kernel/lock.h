/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_KERNEL_LOCK_H
#define SIM_KERNEL_LOCK_H

/*
 * Locks, completions and wait queues.
 *
 * A mutex can be taken by whoever comes first after it was released, also past
 * tasks that wait longer; a spinlock is handed to its waiters in order, like the
 * kernel's queued spinlocks.  A rw-semaphore lets no new reader past a waiting
 * writer.  The lock's name is its class.
 */

#include "sim/engine/world.h"

enum lock_kind { LOCK_MUTEX, LOCK_SPIN, LOCK_RWSEM };

struct mutex {
	oid_t id;
	struct task *owner;
	struct list waiters;
};

struct spinlock {
	oid_t id;
	struct task *owner;
	struct list waiters;
};

struct rw_semaphore {
	oid_t id;
	struct task *writer;
	uint32_t nr_readers;
	struct list waiters; /* task.wait_arg: 1 for a reader */
};

struct completion {
	oid_t id;
	uint32_t done;
	struct list waiters;
};

void mutex_init(struct world *w, struct mutex *m, const char *name);
void spin_lock_init(struct world *w, struct spinlock *l, const char *name);
void init_rwsem(struct world *w, struct rw_semaphore *s, const char *name);
void init_completion(struct world *w, struct completion *c);

/**
 * might_sleep() - the caller may block: recorded for the lock checker, and a voluntary
 * preemption point
 */
void might_sleep(struct task *t);

void mutex_lock(struct task *t, struct mutex *m);
bool mutex_trylock(struct task *t, struct mutex *m);
void mutex_unlock(struct task *t, struct mutex *m);

void spin_lock(struct task *t, struct spinlock *l);
bool spin_trylock(struct task *t, struct spinlock *l);
void spin_unlock(struct task *t, struct spinlock *l);
/* Interrupts are off while these are held; nesting counts, so _irq serves for _irqsave as well. */
void spin_lock_irq(struct task *t, struct spinlock *l);
void spin_unlock_irq(struct task *t, struct spinlock *l);

void down_read(struct task *t, struct rw_semaphore *s);
void up_read(struct task *t, struct rw_semaphore *s);
/** down_read_trylock() - false if a writer has it or waits; no scheduling point of its own */
bool down_read_trylock(struct task *t, struct rw_semaphore *s);
void down_write(struct task *t, struct rw_semaphore *s);
void up_write(struct task *t, struct rw_semaphore *s);

/** wait_for_completion() - block until complete() was called once more than waited for */
void wait_for_completion(struct task *t, struct completion *c, const char *why);
/** complete() - let one waiter go on; callable from any context */
void complete(struct task *t, struct completion *c);

#endif /* SIM_KERNEL_LOCK_H */
