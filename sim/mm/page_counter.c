// SPDX-License-Identifier: GPL-2.0-only
#include "sim/mm/page_counter.h"

#include <errno.h>

#include "sim/mm/mm.h"

void page_counter_init(struct page_counter *c, oid_t memcg, const char *name,
		       struct page_counter *parent)
{
	c->memcg = memcg;
	c->name = name;
	c->max = PAGE_COUNTER_MAX;
	c->parent = parent;
}

static void counter_add(struct task *t, struct page_counter *c, int64_t n)
{
	sched_point(t, COST_ATOMIC);
	/* Without a limit nobody can tell the order of two charges. */
	touch(t->w, c->memcg, FIELD_USAGE, c->max == PAGE_COUNTER_MAX ? ACCESS_ADD : ACCESS_RMW);
	c->usage += n;
	if (n > 0)
		trace(t, COUNTER_CHARGE, .obj = c->memcg, .arg = {n, c->usage}, .str = c->name);
	else
		trace(t, COUNTER_UNCHARGE, .obj = c->memcg, .arg = {-n, c->usage}, .str = c->name);
	usage_changed(t);
}

void page_counter_uncharge_own(struct task *t, struct page_counter *c, int64_t n)
{
	counter_add(t, c, -n);
}

bool page_counter_try_charge(struct task *t, struct page_counter *counter, int64_t n,
			     struct page_counter **culprit)
{
	for (struct page_counter *c = counter; c; c = c->parent) {
		counter_add(t, c, n);
		if (c->usage <= c->max)
			continue;
		/* Others saw the higher value meanwhile and may have failed for it: accepted. */
		counter_add(t, c, -n);
		*culprit = c;
		for (struct page_counter *undo = counter; undo != c; undo = undo->parent)
			counter_add(t, undo, -n);
		return false;
	}
	return true;
}

void page_counter_charge(struct task *t, struct page_counter *counter, int64_t n)
{
	for (struct page_counter *c = counter; c; c = c->parent)
		counter_add(t, c, n);
}

void page_counter_uncharge(struct task *t, struct page_counter *counter, int64_t n)
{
	for (struct page_counter *c = counter; c; c = c->parent)
		counter_add(t, c, -n);
}

int page_counter_set_max(struct task *t, struct page_counter *c, int64_t max)
{
	FRAME(t);
	int64_t usage, old;

	for (;;) {
		sched_read(t, c->memcg, FIELD_USAGE, "page_counter_set_max.usage");
		usage = c->usage;
		if (usage > max)
			return -EBUSY;
		sched_access(t, c->memcg, FIELD_USAGE, ACCESS_RMW, "page_counter_set_max.xchg");
		old = c->max;
		c->max = max;
		/* A charge that tested the old limit may just have gone past the new one. */
		sched_read(t, c->memcg, FIELD_USAGE, "page_counter_set_max.recheck");
		if (c->usage <= usage)
			return 0;
		sched_write(t, c->memcg, FIELD_USAGE, "page_counter_set_max.restore");
		c->max = old;
		cond_resched(t);
	}
}
