/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MM_PAGE_COUNTER_H
#define SIM_MM_PAGE_COUNTER_H

/*
 * Hierarchical counters with a limit.
 *
 * A charge adds first and looks then, level by level, and takes all of it back when one
 * level is over its limit.  Meanwhile others may see the higher value and fail for nothing.
 *
 * Upstream: mm/page_counter.c.  Differs: no watermark, no count of failures.
 */

#include "sim/engine/world.h"

#define PAGE_COUNTER_MAX INT64_MAX

struct page_counter {
	oid_t memcg;
	const char *name;   /* "memory", "kmem" or "swap" */
	int64_t usage, max; /* pages */
	struct page_counter *parent;
};

void page_counter_init(struct page_counter *c, oid_t memcg, const char *name,
		       struct page_counter *parent);

/** page_counter_try_charge() - false, with nothing charged, when @culprit is at its limit */
bool page_counter_try_charge(struct task *t, struct page_counter *c, int64_t n,
			     struct page_counter **culprit);

/** page_counter_charge() - whatever the limits are */
void page_counter_charge(struct task *t, struct page_counter *c, int64_t n);
void page_counter_uncharge(struct task *t, struct page_counter *c, int64_t n);

/** page_counter_set_max() - 0, or -EBUSY if the usage is higher */
int page_counter_set_max(struct task *t, struct page_counter *c, int64_t max);

#endif /* SIM_MM_PAGE_COUNTER_H */
