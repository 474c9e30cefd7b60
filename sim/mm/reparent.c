// SPDX-License-Identifier: GPL-2.0-only
/*
 * User pages before a charge pinned its memcg: offline moves them to the parent, and the stocks
 * are drained, until nothing but kernel memory is charged.
 *
 * Upstream: mm/memcontrol.c, v3.15.  Differs: it polls; here it sleeps until some usage changes,
 * so that waiting for ever shows.
 */
#include "sim/mm/mm.h"

void usage_changed(struct task *t)
{
	struct mm *mm = mm_of(t->w);

	if (!mm->config.charges_pin_nothing)
		return;
	touch(t->w, mm->globals, FIELD_USAGE, ACCESS_ADD);
	mm->usage_changes++;
	await_wake(t->w, &mm->usage_waiters);
}

void user_pages_added(struct task *t, struct mem_cgroup *memcg)
{
	if (mem_cgroup_is_root(memcg))
		return;
	sched_access(t, memcg->css.of, FIELD_USER_PAGES, ACCESS_RMW, "commit_charge.lru");
	usage_changed(t);
}

/* Whose the pages are by now. */
struct mem_cgroup *user_pages_owner(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	sched_point(t, COST_ATOMIC);
	for (;;) {
		touch(t->w, memcg->css.of, FIELD_USER_PAGES, ACCESS_RMW);
		if (mem_cgroup_is_root(memcg) || !memcg->user_moved || memcg->lru_pages >= n)
			return memcg;
		memcg = memcg->parent;
	}
}

/* The drains of other CPUs are waited for. */
static void drain_all_stock_sync(struct task *t, struct mem_cgroup *root)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);

	mutex_lock(t, &mm->percpu_charge_mutex);
	drain_stocks(t, root);
	for (unsigned int i = 0; i < t->w->config.nr_cpus; i++) {
		touch_stock(t, &mm->stocks[i]);
		if (mm->stocks[i].flushing)
			flush_work(t, &mm->stocks[i].work);
	}
	mutex_unlock(t, &mm->percpu_charge_mutex);
}

void mem_cgroup_move_user_pages(struct task *t, struct mem_cgroup *memcg)
{
	struct mem_cgroup *parent = memcg->parent;
	int64_t n;

	drain_all_stock_sync(t, memcg);
	sched_access(t, memcg->css.of, FIELD_USER_PAGES, ACCESS_RMW, "mem_cgroup_move_parent.lru");
	touch(t->w, parent->css.of, FIELD_USER_PAGES, ACCESS_RMW);
	touch(t->w, memcg->css.of, FIELD_LRU, ACCESS_RMW);
	touch(t->w, parent->css.of, FIELD_LRU, ACCESS_ADD);
	n = memcg->lru_pages;
	memcg->lru_pages = 0;
	memcg->user_moved = true;
	parent->lru_pages += n;
	if (n == 0)
		return;
	trace(t, USER_REPARENT, .obj = memcg->css.of, .arg = {n, (int64_t)parent->css.of});
	page_counter_uncharge_own(t, &memcg->memory, n);
}

/* Of the whole subtree, kernel memory aside. */
static bool has_user_charges(struct task *t, struct mem_cgroup *memcg)
{
	sched_read(t, memcg->css.of, FIELD_USAGE, "mem_cgroup_reparent_charges.usage");
	return memcg->memory.usage - memcg->kmem.usage > 0;
}

void mem_cgroup_reparent_charges(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);

	for (;;) {
		uint64_t seen = mm->usage_changes;

		touch(t->w, mm->globals, FIELD_USAGE, ACCESS_READ);
		mem_cgroup_move_user_pages(t, memcg);
		if (!has_user_charges(t, memcg))
			return;
		touch(t->w, mm->globals, FIELD_USAGE, ACCESS_READ);
		if (mm->usage_changes != seen)
			continue;
		list_add_tail(&t->wait_node, &mm->usage_waiters);
		task_block(t, memcg->css.of, "mem_cgroup_reparent_charges");
	}
}
