/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_KERNEL_REFCOUNT_H
#define SIM_KERNEL_REFCOUNT_H

/*
 * refcount_t: a counter of references that does not come back from zero.
 *
 * Its initial references belong to nobody.  Whoever puts more than he has taken
 * puts one of those: that is how an object is given up by who made it.  As long as
 * one is left, and each other put is by who has got before, the counter cannot
 * reach zero, so gets and puts need no order among each other.  docs/exploring.md
 * has the whole rule; refcount.c says to the searches what it comes to.
 *
 * Misuse saturates it, as upstream: it stays far below zero, and the object leaks.
 *
 * Upstream: include/linux/refcount.h, lib/refcount.c, v5.3.
 */

#include "sim/base/map.h"
#include "sim/engine/world.h"

struct refcount {
	oid_t of; /* names the counter in records */
	int64_t count;
	int64_t initial; /* of them: taken by nobody */
	bool stray;	 /* somebody put what neither he had taken nor was initial */
	struct map held; /* context -> int64_t: what it took and did not put; unless @stray */
};

void refcount_init(struct task *t, struct refcount *r, oid_t of, const char *name, int64_t n);

/* Each is one step. */
void refcount_inc(struct task *t, struct refcount *r);
bool refcount_inc_not_zero(struct task *t, struct refcount *r);
bool refcount_dec_and_test(struct task *t, struct refcount *r);
int64_t refcount_read(struct task *t, const struct refcount *r);

/** refcount_digest() - of all that decides what it will do */
uint64_t refcount_digest(const struct refcount *r);

#endif /* SIM_KERNEL_REFCOUNT_H */
