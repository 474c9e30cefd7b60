// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists in an array indexed by kmemcg_id: v4.0 to v5.18.
 *
 * Each list_lru has a list for every index there may be, used or not; the arrays grow
 * when a memcg gets an index beyond them, all of them at once, and never shrink.  What
 * bounds them is that offline memcgs give their index back.
 */
#include <errno.h>
#include <string.h>

#include "sim/reclaim/fields.h"
#include "sim/reclaim/reclaim.h"

static size_t array_bytes(uint32_t size)
{
	return sizeof(struct lru_array) + size * sizeof(struct list_lru_one *);
}

static void array_free(struct task *t, struct lru_array *array, const char *how)
{
	touch(t->w, array->id, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = array->id, .str = how);
	world_free(t->w, array, array_bytes(array->size));
}

static void free_array_rcu(struct task *t, struct rcu_head *head)
{
	array_free(t, container_of(head, struct lru_array, rcu), "kvfree_rcu");
}

static void free_entries(struct task *t, struct lru_array *array, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		list_lru_one_free(t, array->one[i], false);
		array->one[i] = NULL;
	}
}

/* @old's lists, and new ones after them; NULL if memory ran out. */
static struct lru_array *array_new(struct task *t, struct list_lru *lru,
				   const struct lru_array *old, uint32_t old_size, uint32_t size)
{
	struct lru_array *array;

	if (fault_point(t, "memcg_update_list_lru_node"))
		return NULL;
	array = world_alloc(t->w, array_bytes(size));
	array->id = world_new_id(t->w, OBJ_LRU_ARRAY);
	array->size = size;
	trace(t, LRU_ARRAY_NEW, .obj = array->id,
	      .arg = {(int64_t)lru->id, size, (int64_t)size * 8 + 16});
	if (old)
		memcpy(array->one, old->one, old_size * sizeof(old->one[0]));
	for (uint32_t i = old_size; i < size; i++) {
		array->one[i] = list_lru_one_new(t, lru, (int)i, "__memcg_init_list_lru_node");
		if (!array->one[i]) {
			free_entries(t, array, old_size, i);
			array_free(t, array, "__memcg_init_list_lru_node failed");
			return NULL;
		}
	}
	return array;
}

static int array_init(struct task *t, struct list_lru *lru)
{
	lru->array = array_new(t, lru, NULL, 0, mm_of(t->w)->nr_cache_ids);
	return lru->array ? 0 : -ENOMEM;
}

int lru_array_grow(struct task *t, struct list_lru *lru, uint32_t old_size, uint32_t size)
{
	FRAME_NAMED(t, "memcg_update_list_lru");
	struct lru_array *old = lru->array, *array = array_new(t, lru, old, old_size, size);

	if (!array)
		return -ENOMEM;
	/* Who holds the lock uses the old one to the end. */
	spin_lock_irq(t, &lru->lock);
	sched_write(t, lru->id, LRU_ARRAY, "memcg_update_list_lru_node.publish");
	lru->array = array;
	spin_unlock_irq(t, &lru->lock);
	if (lru_config(t)->count_locks)
		array_free(t, old, "kfree");
	else
		call_rcu(t, &old->rcu, free_array_rcu, old->id);
	return 0;
}

void lru_array_cancel(struct task *t, struct list_lru *lru, uint32_t old_size)
{
	FRAME_NAMED(t, "memcg_cancel_update_list_lru");

	/* Nobody has an index beyond the old size. */
	free_entries(t, lru->array, old_size, lru->array->size);
}

static void array_destroy(struct task *t, struct list_lru *lru)
{
	struct lru_array *array = lru->array;

	free_entries(t, array, 0, mm_of(t->w)->nr_cache_ids);
	lru->array = NULL;
	array_free(t, array, "memcg_destroy_list_lru");
}

static struct list_lru_one *array_from_idx(struct task *t, struct list_lru *lru, int idx)
{
	struct lru_array *array;

	sched_read(t, lru->id, LRU_ARRAY, "list_lru_from_memcg_idx.array");
	array = lru->array;
	sched_read(t, array->id, LRU_SLOT, "list_lru_from_memcg_idx.slot");
	if ((uint32_t)idx < array->size)
		return array->one[idx];
	trace(t, WARN, .obj = array->id, .arg = {idx}, .str = "index beyond the list_lru's array");
	return NULL;
}

const struct lru_form_ops lru_arrays = {
	.init = array_init,
	.destroy = array_destroy,
	.from_idx = array_from_idx,
};
