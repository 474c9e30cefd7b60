// SPDX-License-Identifier: GPL-2.0-only
#include "sim/mm/swap.h"

#include <errno.h>

#include "sim/mm/mm.h"

/* Whoever gets it out of one of its states has it to himself, as with a page lock. */
static int claim(struct task *t, struct swap_run *run, const char *site)
{
	int state;

	sched_access(t, run->id, FIELD_SWAP, ACCESS_RMW, site);
	state = run->state;
	if (state != RUN_GONE)
		run->state = RUN_BUSY;
	return state;
}

static void settle(struct task *t, struct swap_run *run, int state)
{
	sched_write(t, run->id, FIELD_SWAP, "unlock_page");
	run->state = state;
}

/* ---- the charge of a swap entry ------------------------------------------------ */

/* The memcg that pays, with a reference on its number for each page; NULL if it cannot. */
static struct mem_cgroup *charge_swap(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	const struct mm_config *config = &mm_of(t->w)->config;
	struct page_counter *culprit;

	if (!config->id_with_css && !config->swapout_offline)
		memcg = mem_cgroup_id_get_online(t, memcg, n);
	if (!mem_cgroup_is_root(memcg) && !page_counter_try_charge(t, &memcg->swap, n, &culprit)) {
		trace(t, CHARGE_FAIL, .obj = memcg->css.of, .arg = {n, (int64_t)culprit->memcg});
		if (!config->id_with_css && !config->swapout_offline)
			mem_cgroup_id_put_many(t, memcg, n);
		return NULL;
	}
	if (!config->id_with_css && config->swapout_offline)
		mem_cgroup_id_get_many(t, memcg, n);
	return memcg;
}

static bool mem_cgroup_try_charge_swap(struct task *t, struct swap_run *run,
				       struct mem_cgroup *memcg)
{
	FRAME(t);

	memcg = charge_swap(t, memcg, run->nr_pages);
	if (!memcg)
		return false;
	if (mm_of(t->w)->config.id_with_css)
		css_get_many(t, &memcg->css, run->nr_pages, HOLD_SWAP, run->id);
	sched_read(t, memcg->css.of, FIELD_PRIVATE_ID, "swap_cgroup_record.id");
	run->memcg_id = memcg->private_id;
	trace(t, SWAP_CHARGE, .obj = run->id,
	      .arg = {(int64_t)memcg->css.of, run->nr_pages, run->memcg_id});
	return true;
}

static void mem_cgroup_uncharge_swap(struct task *t, struct swap_run *run)
{
	FRAME(t);
	const struct mm_config *config = &mm_of(t->w)->config;
	struct mem_cgroup *memcg;
	int64_t n = run->nr_pages;

	rcu_read_lock(t);
	memcg = mem_cgroup_from_id(t, run->memcg_id);
	trace(t, SWAP_UNCHARGE, .obj = run->id,
	      .arg = {memcg ? (int64_t)memcg->css.of : 0, n, run->memcg_id});
	run->memcg_id = 0;
	if (memcg && !mem_cgroup_is_root(memcg))
		page_counter_uncharge(t, &memcg->swap, n);
	if (memcg && config->id_with_css)
		css_put_many(t, &memcg->css, n, HOLD_SWAP, run->id);
	else if (memcg)
		mem_cgroup_id_put_many(t, memcg, n);
	rcu_read_unlock(t);
}

/* Off the LRU, where reclaim does not find them: false if it was faster. */
static bool isolate(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	touch(t->w, memcg->css.of, FIELD_LRU, ACCESS_RMW);
	if (memcg->lru_pages < n)
		return false;
	memcg->lru_pages -= n;
	return true;
}

static void putback(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	touch(t->w, memcg->css.of, FIELD_LRU, ACCESS_ADD);
	memcg->lru_pages += n;
}

/* Whoever the pages were charged to, or who has inherited them. */
static struct mem_cgroup *owner_of(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	return mm_of(t->w)->config.charges_pin_nothing ? user_pages_owner(t, memcg, n) : memcg;
}

/* ---- out, in, gone ------------------------------------------------------------- */

struct swap_run *swap_out(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	FRAME_NAMED(t, "add_to_swap");
	struct swap_run *run;

	memcg = owner_of(t, memcg, n);
	if (!isolate(t, memcg, n))
		return NULL;
	run = world_alloc(t->w, sizeof(*run));
	run->id = world_new_id(t->w, OBJ_SWAP);
	run->nr_pages = n;
	trace(t, OBJ_NEW, .obj = run->id, .arg = {(int64_t)memcg->css.of, sizeof(*run)});
	if (!mem_cgroup_try_charge_swap(t, run, memcg)) {
		trace(t, OBJ_FREE, .obj = run->id, .str = "add_to_swap failed");
		world_free(t->w, run, sizeof(*run));
		putback(t, memcg, n);
		return NULL;
	}
	run->state = RUN_IN_SWAP;
	putback(t, memcg, n);
	mem_cgroup_uncharge_user(t, memcg, n);
	return run;
}

/* Who pays for pages that come back; pinned. */
static struct mem_cgroup *get_faulting_memcg(struct task *t, const struct swap_run *run)
{
	struct mem_cgroup *memcg;

	rcu_read_lock(t);
	memcg = mem_cgroup_from_id(t, run->memcg_id);
	if (memcg && !css_tryget_online(t, &memcg->css, HOLD_TEMP, run->id))
		memcg = NULL;
	rcu_read_unlock(t);
	return memcg ? memcg : get_mem_cgroup_from_current(t, run->id);
}

int swap_in(struct task *t, struct swap_run *run)
{
	FRAME_NAMED(t, "do_swap_page");
	int state = claim(t, run, "do_swap_page.lock"), err;
	struct mem_cgroup *memcg;

	if (state != RUN_IN_SWAP) {
		if (state != RUN_GONE)
			settle(t, run, state);
		return -ENOENT;
	}
	memcg = get_faulting_memcg(t, run);
	err = mem_cgroup_charge_user(t, memcg, run->nr_pages);
	if (!err) {
		run->memcg = memcg;
		mem_cgroup_uncharge_swap(t, run);
	}
	css_put(t, &memcg->css, HOLD_TEMP, run->id);
	settle(t, run, err ? RUN_IN_SWAP : RUN_IN_MEMORY);
	return err;
}

int swap_free(struct task *t, struct swap_run *run)
{
	FRAME_NAMED(t, "exit_mmap");
	int state = claim(t, run, "exit_mmap.lock");

	if (state == RUN_BUSY)
		return -EBUSY;
	if (state == RUN_GONE)
		return -ENOENT;
	if (state == RUN_IN_SWAP)
		mem_cgroup_uncharge_swap(t, run);
	else
		mem_cgroup_uncharge_user(t, run->memcg, run->nr_pages);
	settle(t, run, RUN_GONE);
	return 0;
}

/* ---- shadow entries ------------------------------------------------------------ */

int workingset_eviction(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	FRAME(t);
	int id;

	memcg = owner_of(t, memcg, n);
	if (!isolate(t, memcg, n))
		return 0;
	sched_read(t, memcg->css.of, FIELD_PRIVATE_ID, "workingset_eviction.id");
	id = memcg->private_id;
	putback(t, memcg, n);
	mem_cgroup_uncharge_user(t, memcg, n);
	return id;
}

bool workingset_refault(struct task *t, int memcg_id)
{
	FRAME(t);
	const struct mem_cgroup *memcg;

	rcu_read_lock(t);
	memcg = mem_cgroup_from_id(t, memcg_id);
	if (memcg)
		sched_read(t, memcg->css.of, FIELD_USAGE, "workingset_refault.lruvec");
	rcu_read_unlock(t);
	return memcg != NULL;
}
