// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists in an xarray indexed by kmemcg_id: v5.19 and later.
 *
 * A memcg gets a list when it is about to allocate the first object that can go onto it,
 * and so do its ancestors, who may inherit it.  Offline takes the memcg's away, so there
 * are never more lists than online memcgs that use them.
 *
 * The index is read again under the lock: the memcg may have been reparented since, and
 * its old index must not get a list any more.
 */
#include <errno.h>

#include "sim/reclaim/fields.h"
#include "sim/reclaim/reclaim.h"

static struct list_lru_one *row(const struct list_lru *lru, int idx)
{
	struct list_lru_one **slot = map_find(&lru->rows, (uint64_t)idx, 0);

	return slot ? *slot : NULL;
}

static struct list_lru_one *xarray_from_idx(struct task *t, struct list_lru *lru, int idx)
{
	sched_read(t, lru->id, FIELD_NUMBERED + (uint32_t)idx, "list_lru_from_memcg_idx.xa_load");
	return row(lru, idx);
}

static int xarray_init(struct task *t, struct list_lru *lru)
{
	spin_lock_init(t->w, &lru->xa_lock, "list_lru.xa_lock");
	map_init(&lru->rows, t->w->arena, sizeof(struct list_lru_one *));
	return 0;
}

static void xarray_destroy(struct task *t, struct list_lru *lru)
{
	struct list_lru_one **slot;
	uint32_t pos = 0;

	spin_lock_irq(t, &lru->xa_lock);
	while ((slot = map_next(&lru->rows, &pos)) != NULL) {
		struct list_lru_one *one = *slot;
		uint64_t idx = map_key_a(slot);

		sched_write(t, lru->id, FIELD_NUMBERED + (uint32_t)idx,
			    "memcg_destroy_list_lru.erase");
		map_del(&lru->rows, idx, 0);
		list_lru_one_free(t, one, false);
	}
	spin_unlock_irq(t, &lru->xa_lock);
}

static void xarray_drop(struct task *t, struct list_lru *lru, int idx)
{
	FRAME_NAMED(t, "memcg_list_lru_free");
	struct list_lru_one *one;

	spin_lock_irq(t, &lru->xa_lock);
	sched_write(t, lru->id, FIELD_NUMBERED + (uint32_t)idx, "memcg_list_lru_free.xa_erase");
	one = row(lru, idx);
	if (one)
		map_del(&lru->rows, (uint64_t)idx, 0);
	spin_unlock_irq(t, &lru->xa_lock);
	if (one)
		list_lru_one_free(t, one, true);
}

/* ---- before an allocation ---------------------------------------- */

static int index_of(struct task *t, const struct mem_cgroup *memcg, const char *site)
{
	sched_read(t, memcg->css.of, FIELD_KMEMCG_ID, site);
	return memcg->kmemcg_id;
}

static bool allocated(struct task *t, struct list_lru *lru, const struct mem_cgroup *memcg)
{
	int idx = index_of(t, memcg, "memcg_list_lru_allocated.idx");

	return idx < 0 || xarray_from_idx(t, lru, idx);
}

/* A row that is to be inserted. */
struct new_row {
	struct mem_cgroup *memcg;
	struct list_lru_one *one;
	int idx; /* when it was made */
};

static void insert(struct task *t, struct list_lru *lru, const struct new_row *new)
{
	struct list_lru_one **slot;
	int idx = new->idx;

	if (!lru_config(t)->alloc_stale_id)
		idx = index_of(t, new->memcg, "memcg_list_lru_alloc.reread");
	if (idx < 0) {
		list_lru_one_free(t, new->one, false);
		return;
	}
	sched_access(t, lru->id, FIELD_NUMBERED + (uint32_t)idx, ACCESS_RMW,
		     "memcg_list_lru_alloc.xa_store");
	if (row(lru, idx)) {
		list_lru_one_free(t, new->one, false);
		return;
	}
	slot = map_add(&lru->rows, (uint64_t)idx, 0);
	if (!slot) {
		world_halt(t->w, STOP_MEMORY);
		return;
	}
	*slot = new->one;
	trace(t, OBJ_PUBLISH, .obj = new->one->id, .arg = {idx});
}

static uint32_t depth_of(const struct mem_cgroup *memcg)
{
	uint32_t depth = 0;

	for (; memcg; memcg = memcg->parent)
		depth++;
	return depth;
}

/* How many of the rows of @memcg and its ancestors were missing and are made; -ENOMEM */
static int make_rows(struct task *t, struct mem_cgroup *memcg, struct list_lru *lru,
		     struct new_row *rows)
{
	int n = 0;

	for (; memcg && !allocated(t, lru, memcg); memcg = memcg->parent) {
		struct list_lru_one *one;

		rows[n].memcg = memcg;
		rows[n].idx = memcg->kmemcg_id;
		one = list_lru_one_new(t, lru, rows[n].idx, "memcg_list_lru_alloc");
		if (!one) {
			while (n-- > 0)
				list_lru_one_free(t, rows[n].one, false);
			return -ENOMEM;
		}
		rows[n++].one = one;
	}
	return n;
}

int memcg_list_lru_alloc(struct task *t, struct mem_cgroup *memcg, struct list_lru *lru)
{
	FRAME(t);
	size_t bytes = depth_of(memcg) * sizeof(struct new_row);
	struct new_row *rows;
	int n;

	if (lru_config(t)->form != LRU_XARRAY || allocated(t, lru, memcg))
		return 0;
	might_sleep(t);
	rows = world_alloc(t->w, bytes);
	n = make_rows(t, memcg, lru, rows);
	if (n > 0) {
		spin_lock_irq(t, &lru->xa_lock);
		/* From the top: who is reparented finds his parent's row. */
		for (int i = n - 1; i >= 0; i--)
			insert(t, lru, &rows[i]);
		spin_unlock_irq(t, &lru->xa_lock);
	}
	world_free(t->w, rows, bytes);
	return n < 0 ? n : 0;
}

const struct lru_form_ops lru_xarray = {
	.init = xarray_init,
	.destroy = xarray_destroy,
	.from_idx = xarray_from_idx,
	.drop = xarray_drop,
};
