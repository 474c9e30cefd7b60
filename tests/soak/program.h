/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_SOAK_PROGRAM_H
#define TESTS_SOAK_PROGRAM_H

/*
 * A program in the making, as the files that make them share it.
 *
 * What a seed makes is written down in tests: nothing here and in put_cell() may draw once
 * more, or in another order, than it does.
 */

#include <glib.h>
#include <stdbool.h>

#include "sim/base/rng.h"

#define CELLS 2
#define DEPTH_MAX 2

struct program {
	struct rng rng;
	GString *out;
	uint32_t nr_tasks;
	uint32_t heavy; /* operations of many steps that may still be used */
	bool mutex, spinlock, irqsafe, ref, killed, work; /* what it has, or has done */
	bool atomic;					  /* inside a section that must not sleep */
	uint32_t locked; /* bit 0: the mutex, bit 1: the spinlock; or by number of the lock */
	uint32_t nr_cpus;
};

static inline uint32_t draw(struct program *p, uint32_t n)
{
	return (uint32_t)rng_below(&p->rng, n);
}

static inline bool one_in(struct program *p, uint32_t n)
{
	return draw(p, n) == 0;
}

void line(struct program *p, uint32_t indent, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

/** put_cell() - one step on a cell */
void put_cell(struct program *p, uint32_t indent);

/** put_shared_cpus() - tasks that keep each other off a CPU: tests/soak/generate_cpus.c */
void put_shared_cpus(struct program *p);

/** put_waits() - tasks that wait and wake in all ways that there are */
void put_waits(struct program *p);

/** put_locks() - locks of all kinds, one inside the other */
void put_locks(struct program *p);

#endif /* TESTS_SOAK_PROGRAM_H */
