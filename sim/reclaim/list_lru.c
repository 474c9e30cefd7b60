// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a list_lru does whichever way it finds a list by its index.
 */
#include "sim/reclaim/list_lru.h"

#include <errno.h>
#include <string.h>

#include "sim/reclaim/fields.h"
#include "sim/reclaim/reclaim.h"

/* Of the kernel's structures, for what is told about memory. */
#define LIST_LRU_ONE_BYTES 32
#define LRU_ARRAY_BYTES 16
#define LRU_SLOT_BYTES 8

static const struct lru_form_ops *form_of(const struct task *t)
{
	switch (lru_config(t)->form) {
	case LRU_ARRAYS:
		return &lru_arrays;
	case LRU_XARRAY:
		return &lru_xarray;
	case LRU_GLOBAL:
	case NR_LRU_FORMS:
		break;
	}
	return NULL;
}

/* ---- lists ---------------------------------------- */

static void one_init(struct task *t, struct list_lru *lru, struct list_lru_one *one, int idx)
{
	one->id = world_new_id(t->w, OBJ_LRU_LIST);
	one->nr_items = 0;
	list_init(&one->items);
	trace(t, LRU_LIST_NEW, .obj = one->id, .arg = {(int64_t)lru->id, idx, LIST_LRU_ONE_BYTES});
}

struct list_lru_one *list_lru_one_new(struct task *t, struct list_lru *lru, int idx,
				      const char *point)
{
	struct list_lrus *lrus = &reclaim_of(t)->lrus;
	struct list_lru_one *one;

	if (fault_point(t, point))
		return NULL;
	/* Their memory stays lists: a late user must meet a list, not something else. */
	one = lrus->free_ones;
	if (one)
		lrus->free_ones = (struct list_lru_one *)one->items.next;
	else
		one = world_alloc(t->w, sizeof(*one));
	one_init(t, lru, one, idx);
	return one;
}

static void recycle(struct task *t, struct list_lru_one *one, const char *how)
{
	struct list_lrus *lrus = &reclaim_of(t)->lrus;

	touch(t->w, one->id, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = one->id, .str = how);
	/* With items on it they keep it: their neighbours are in there. */
	if (!list_empty(&one->items))
		return;
	one->items.next = (struct list *)lrus->free_ones;
	lrus->free_ones = one;
}

static void free_one_rcu(struct task *t, struct rcu_head *head)
{
	recycle(t, container_of(head, struct list_lru_one, rcu), "kvfree_rcu");
}

void list_lru_one_free(struct task *t, struct list_lru_one *one, bool rcu)
{
	if (rcu)
		call_rcu(t, &one->rcu, free_one_rcu, one->id);
	else
		recycle(t, one, "kfree");
}

/* ---- which list ---------------------------------------- */

static int memcg_cache_id(struct task *t, const struct mem_cgroup *memcg)
{
	if (!memcg)
		return -1;
	sched_read(t, memcg->css.of, FIELD_KMEMCG_ID, "memcg_cache_id");
	return memcg->kmemcg_id;
}

static struct list_lru_one *list_lru_from_memcg_idx(struct task *t, struct list_lru *lru, int idx)
{
	if (!lru->memcg_aware || idx < 0)
		return &lru->root;
	return form_of(t)->from_idx(t, lru, idx);
}

static struct mem_cgroup *memcg_from_item(struct task *t, const struct list_lru *lru,
					  const struct lru_item *item)
{
	return lru->memcg_aware ? mm_of(t->w)->ops->memcg_from_obj(t, item->obj) : NULL;
}

/* The memcg with @memcg's index that is not offline: whose list it is. */
static struct mem_cgroup *owner_of_index(struct task *t, struct mem_cgroup *memcg, int idx)
{
	while (memcg && memcg->parent) {
		touch(t->w, memcg->parent->css.of, FIELD_KMEMCG_ID, ACCESS_READ);
		if (memcg->parent->kmemcg_id != idx)
			break;
		memcg = memcg->parent;
	}
	return memcg;
}

/* Lock held.  NULL, which the checkers see, if an item's memcg has no list. */
static struct list_lru_one *list_of(struct task *t, struct list_lru *lru, struct mem_cgroup *memcg,
				    int *idx)
{
	struct list_lru_one *one;

	*idx = memcg_cache_id(t, memcg);
	one = list_lru_from_memcg_idx(t, lru, *idx);
	if (!one)
		trace(t, NULL_DEREF, .obj = lru->id, .str = "list_lru_from_memcg_idx");
	return one;
}

/* ---- items ---------------------------------------- */

void lru_item_init(struct lru_item *item, struct object *obj)
{
	list_init(&item->node);
	item->obj = obj;
	item->id = obj->id;
}

static void count_one(struct task *t, struct list_lru_one *one, int n, const char *site)
{
	sched_access(t, one->id, LRU_ONE_ITEMS, ACCESS_RMW, site);
	one->nr_items += n;
}

static void count_total(struct task *t, struct list_lru *lru, int n, const char *site)
{
	sched_access(t, lru->id, LRU_TOTAL, ACCESS_RMW, site);
	lru->nr_items += n;
}

/* @memcg's first item for the shrinker, as far as the counter says. */
static void tell_shrinker(struct task *t, const struct list_lru *lru, struct mem_cgroup *memcg,
			  int idx)
{
	if (lru->shrinker_nr < 0)
		return;
	if (!lru_config(t)->bit_of_stale_memcg)
		memcg = owner_of_index(t, memcg, idx);
	set_shrinker_bit(t, memcg, lru->shrinker_nr);
}

static bool add_locked(struct task *t, struct list_lru *lru, struct lru_item *item,
		       struct mem_cgroup *memcg)
{
	struct list_lru_one *one;
	int idx;

	touch(t->w, item->id, LRU_ITEM_NODE, ACCESS_RMW);
	if (!list_empty(&item->node))
		return false;
	if (!lru_config(t)->memcg_first)
		memcg = memcg_from_item(t, lru, item);
	one = list_of(t, lru, memcg, &idx);
	if (!one)
		return false;
	count_one(t, one, 1, "list_lru_add.nr_items");
	list_add_tail(&item->node, &one->items);
	touch(t->w, item->id, LRU_ITEM_NODE, ACCESS_RMW);
	if (one->nr_items == 1)
		tell_shrinker(t, lru, memcg, idx);
	count_total(t, lru, 1, "list_lru_add.total");
	trace(t, LRU_ADD, .obj = item->id,
	      .arg = {(int64_t)lru->id, (int64_t)one->id, one->nr_items, lru->nr_items});
	return true;
}

static bool del_locked(struct task *t, struct list_lru *lru, struct lru_item *item,
		       struct mem_cgroup *memcg)
{
	struct list_lru_one *one;
	int idx;

	touch(t->w, item->id, LRU_ITEM_NODE, ACCESS_RMW);
	if (list_empty(&item->node))
		return false;
	if (!lru_config(t)->memcg_first)
		memcg = memcg_from_item(t, lru, item);
	/* Not where the item is, if that list is about to be moved. */
	one = list_of(t, lru, memcg, &idx);
	if (!one)
		return false;
	count_one(t, one, -1, "list_lru_del.nr_items");
	list_del(&item->node);
	touch(t->w, item->id, LRU_ITEM_NODE, ACCESS_RMW);
	count_total(t, lru, -1, "list_lru_del.total");
	trace(t, LRU_DEL, .obj = item->id,
	      .arg = {(int64_t)lru->id, (int64_t)one->id, one->nr_items, lru->nr_items});
	return true;
}

typedef bool (*item_fn)(struct task *t, struct list_lru *lru, struct lru_item *item,
			struct mem_cgroup *memcg);

static bool with_lock(struct task *t, struct list_lru *lru, struct lru_item *item,
		      struct mem_cgroup *memcg, item_fn fn)
{
	bool done;

	spin_lock(t, &lru->lock);
	done = fn(t, lru, item, memcg);
	spin_unlock(t, &lru->lock);
	return done;
}

/* The lock is a read section where RCU has one flavour; before it nothing is. */
static bool with_memcg(struct task *t, struct list_lru *lru, struct lru_item *item, item_fn fn)
{
	const struct list_lru_config *config = lru_config(t);
	bool rcu = !config->slabobj_no_rcu, done;
	struct mem_cgroup *memcg;

	if (!config->memcg_first)
		return with_lock(t, lru, item, NULL, fn);
	if (rcu)
		rcu_read_lock(t);
	memcg = memcg_from_item(t, lru, item);
	/* Unless the caller holds a lock, nothing keeps us here. */
	if (!rcu)
		sched_point(t, COST_ACCESS);
	done = with_lock(t, lru, item, memcg, fn);
	if (rcu)
		rcu_read_unlock(t);
	return done;
}

bool list_lru_add(struct task *t, struct list_lru *lru, struct lru_item *item)
{
	FRAME(t);

	return with_memcg(t, lru, item, add_locked);
}

bool list_lru_del(struct task *t, struct list_lru *lru, struct lru_item *item)
{
	FRAME(t);

	return with_memcg(t, lru, item, del_locked);
}

/* ---- counting ---------------------------------------- */

static int64_t count_index(struct task *t, struct list_lru *lru, int idx)
{
	struct list_lru_one *one = list_lru_from_memcg_idx(t, lru, idx);

	if (!one)
		return 0;
	sched_read(t, one->id, LRU_ONE_ITEMS, "list_lru_count_one.nr_items");
	return one->nr_items;
}

static void count_begin(struct task *t, struct list_lru *lru)
{
	if (lru_config(t)->count_locks)
		spin_lock(t, &lru->lock);
	else
		rcu_read_lock(t);
}

static void count_end(struct task *t, struct list_lru *lru)
{
	if (lru_config(t)->count_locks)
		spin_unlock(t, &lru->lock);
	else
		rcu_read_unlock(t);
}

int64_t list_lru_count_one(struct task *t, struct list_lru *lru, struct mem_cgroup *memcg)
{
	FRAME(t);
	int64_t n;

	count_begin(t, lru);
	n = count_index(t, lru, memcg_cache_id(t, memcg));
	count_end(t, lru);
	return n < 0 && !lru_config(t)->count_signed ? 0 : n;
}

/* One list after the other, while items go from one to the next. */
static int64_t sum_lists(struct task *t, struct list_lru *lru)
{
	uint32_t nr_ids = lru->memcg_aware ? mm_of(t->w)->nr_cache_ids : 0;
	int64_t sum = 0;

	for (int idx = -1; idx < (int)nr_ids; idx++) {
		count_begin(t, lru);
		sum += count_index(t, lru, idx);
		count_end(t, lru);
	}
	return sum;
}

int64_t list_lru_count_node(struct task *t, struct list_lru *lru)
{
	FRAME(t);
	int64_t n;

	trace(t, LRU_COUNT, .obj = lru->id, .arg = {0, 0});
	if (lru_config(t)->count_sums_lists) {
		n = sum_lists(t, lru);
	} else {
		sched_read(t, lru->id, LRU_TOTAL, "list_lru_count_node.total");
		n = lru->nr_items;
	}
	trace(t, LRU_COUNT, .obj = lru->id, .arg = {n, 1});
	return n;
}

/* ---- walking ---------------------------------------- */

void list_lru_isolate_move(struct task *t, struct list_lru_one *one, struct lru_item *item,
			   struct list *head)
{
	touch(t->w, item->id, LRU_ITEM_NODE, ACCESS_RMW);
	list_del(&item->node);
	if (head)
		list_add_tail(&item->node, head);
	count_one(t, one, -1, "list_lru_isolate.nr_items");
}

static void removed(struct task *t, struct list_lru *lru, struct list_lru_one *one, oid_t item)
{
	count_total(t, lru, -1, "list_lru_walk.total");
	trace(t, LRU_DEL, .obj = item,
	      .arg = {(int64_t)lru->id, (int64_t)one->id, one->nr_items, lru->nr_items});
}

/* Lock held.  False if the walk has to begin again. */
static bool walk_list(struct task *t, struct list_lru *lru, struct list_lru_one *one,
		      list_lru_walk_cb isolate, void *arg, int64_t *nr_to_walk, int64_t *isolated)
{
	list_for_each_safe(node, next, &one->items) {
		struct lru_item *item = container_of(node, struct lru_item, node);
		oid_t id = item->id;
		enum lru_status status;

		/* First of all, or items that always say LRU_RETRY would keep us for ever. */
		if (*nr_to_walk <= 0)
			return true;
		--*nr_to_walk;
		touch(t->w, id, LRU_ITEM_NODE, ACCESS_READ);
		status = isolate(t, item, lru, one, arg);
		if (status == LRU_REMOVED || status == LRU_REMOVED_RETRY) {
			++*isolated;
			removed(t, lru, one, id);
		} else if (status == LRU_ROTATE) {
			list_move_tail(&item->node, &one->items);
		}
		if (status == LRU_RETRY || status == LRU_REMOVED_RETRY)
			return false;
	}
	return true;
}

int64_t list_lru_walk_one(struct task *t, struct list_lru *lru, struct mem_cgroup *memcg,
			  list_lru_walk_cb isolate, void *arg, int64_t *nr_to_walk)
{
	FRAME(t);
	int64_t isolated = 0;
	struct list_lru_one *one;
	int idx;

	spin_lock(t, &lru->lock);
	idx = memcg_cache_id(t, memcg);
	do {
		one = list_lru_from_memcg_idx(t, lru, idx);
		if (!one)
			break;
		sched_read(t, one->id, LRU_ONE_ITEMS, "list_lru_walk_one.items");
	} while (!walk_list(t, lru, one, isolate, arg, nr_to_walk, &isolated));
	spin_unlock(t, &lru->lock);
	return isolated;
}

/* ---- offline ---------------------------------------- */

/* Nothing to move, as far as can be told without the lock? */
static bool looks_empty(struct task *t, struct list_lru *lru)
{
	const struct list_lru_config *config = lru_config(t);

	if (!config->reparent_skip_empty && !config->reparent_skip_unlocked)
		return false;
	sched_read(t, lru->id, LRU_TOTAL, "memcg_reparent_list_lru_node.total");
	if (lru->nr_items != 0 || config->reparent_skip_empty)
		return lru->nr_items == 0;
	sched_read(t, lru->lock.id, FIELD_LOCK, "memcg_reparent_list_lru_node.spin_is_locked");
	return !lru->lock.owner;
}

static int64_t length(const struct list_lru_one *one)
{
	int64_t n = 0;

	list_for_each(node, &one->items)
		n++;
	return n;
}

/* Lock held: counters are added up, which makes the sum right whatever each of them said. */
static void move_items(struct task *t, struct list_lru *lru, struct list_lru_one *src,
		       struct list_lru_one *dst, struct mem_cgroup *to)
{
	const struct list_lru_config *config = lru_config(t);
	int64_t n;
	bool set;

	sched_access(t, src->id, LRU_ONE_ITEMS, ACCESS_RMW, "memcg_reparent_list_lru_node.src");
	touch(t->w, dst->id, LRU_ONE_ITEMS, ACCESS_RMW);
	n = config->drain_recounts ? length(src) : src->nr_items;
	set = config->bit_needs_zero ? dst->nr_items == 0 && src->nr_items != 0
				     : src->nr_items != 0;
	list_splice_tail(&src->items, &dst->items);
	dst->nr_items += n;
	src->nr_items = 0;
	trace(t, LRU_MOVE, .obj = src->id,
	      .arg = {(int64_t)lru->id, (int64_t)dst->id, n, dst->nr_items});
	if (set && lru->shrinker_nr >= 0)
		set_shrinker_bit(t, to, lru->shrinker_nr);
}

static void memcg_reparent_list_lru_node(struct task *t, struct list_lru *lru, int old,
					 struct mem_cgroup *to)
{
	FRAME(t);
	struct list_lru_one *src, *dst;

	if (looks_empty(t, lru))
		return;
	/* Some users add and delete in interrupts. */
	spin_lock_irq(t, &lru->lock);
	src = list_lru_from_memcg_idx(t, lru, old);
	if (src) {
		int idx;

		dst = list_of(t, lru, to, &idx);
		if (dst)
			move_items(t, lru, src, dst, to);
	}
	spin_unlock_irq(t, &lru->lock);
}

static void reid(struct task *t, struct mem_cgroup *memcg, int old)
{
	memcg_reid(t, memcg, old, memcg->parent->kmemcg_id);
}

void memcg_reparent_list_lrus(struct task *t, struct mem_cgroup *memcg, int old)
{
	FRAME(t);
	struct list_lrus *lrus = &reclaim_of(t)->lrus;
	const struct lru_form_ops *form = form_of(t);
	bool late = lru_config(t)->drain_before_reid;

	if (!late)
		reid(t, memcg, old);
	mutex_lock(t, &lrus->mutex);
	list_for_each(node, &lrus->all) {
		struct list_lru *lru = container_of(node, struct list_lru, node);

		memcg_reparent_list_lru_node(t, lru, old, memcg->parent);
		if (form->drop)
			form->drop(t, lru, old);
	}
	mutex_unlock(t, &lrus->mutex);
	if (late)
		reid(t, memcg, old);
}

/* ---- growth ---------------------------------------- */

int memcg_update_all_list_lrus(struct task *t, uint32_t size)
{
	FRAME(t);
	struct list_lrus *lrus = &reclaim_of(t)->lrus;
	uint32_t old_size = mm_of(t->w)->nr_cache_ids;
	struct list *node;
	int err = 0;

	mutex_lock(t, &lrus->mutex);
	for (node = lrus->all.next; node != &lrus->all && !err; node = node->next)
		err = lru_array_grow(t, container_of(node, struct list_lru, node), old_size, size);
	if (err) {
		/* The one that failed has cleaned up itself. */
		for (node = node->prev->prev; node != &lrus->all; node = node->prev)
			lru_array_cancel(t, container_of(node, struct list_lru, node), old_size);
	}
	mutex_unlock(t, &lrus->mutex);
	return err;
}

/* ---- a list_lru's own life ---------------------------------------- */

void list_lrus_init(struct world *w, struct list_lrus *lrus)
{
	mutex_init(w, &lrus->mutex, "list_lrus_mutex");
	list_init(&lrus->all);
}

static void register_lru(struct task *t, struct list_lru *lru)
{
	struct list_lrus *lrus = &reclaim_of(t)->lrus;

	mutex_lock(t, &lrus->mutex);
	sched_write(t, mm_of(t->w)->globals, FIELD_LIST_LRUS, "list_lru_register.list");
	list_add(&lru->node, &lrus->all);
	mutex_unlock(t, &lrus->mutex);
}

static void lru_gone(struct task *t, struct list_lru *lru, const char *how)
{
	touch(t->w, lru->root.id, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = lru->root.id, .str = how);
	touch(t->w, lru->id, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = lru->id, .str = how);
}

int list_lru_init_memcg(struct task *t, struct list_lru *lru, const char *name,
			const struct shrinker *shrinker)
{
	FRAME(t);
	const struct lru_form_ops *form = form_of(t);
	struct mm *mm = mm_of(t->w);
	int err = 0;

	memset(lru, 0, sizeof(*lru));
	lru->id = world_new_id(t->w, OBJ_LRU);
	lru->name = name;
	lru->memcg_aware = form != NULL;
	lru->shrinker_nr = form && shrinker ? shrinker->nr : -1;
	list_init(&lru->node);
	trace(t, LRU_NEW, .obj = lru->id, .arg = {lru->memcg_aware, lru->shrinker_nr}, .str = name);
	spin_lock_init(t->w, &lru->lock, "list_lru_node.lock");
	one_init(t, lru, &lru->root, -1);
	if (!form)
		return 0;
	/* The number of indexes stays, from the array to its being grown with the others. */
	down_read(t, &mm->memcg_cache_ids_sem);
	if (form->init)
		err = form->init(t, lru);
	if (err)
		lru_gone(t, lru, "list_lru_init failed");
	else
		register_lru(t, lru);
	up_read(t, &mm->memcg_cache_ids_sem);
	return err;
}

void list_lru_destroy(struct task *t, struct list_lru *lru)
{
	FRAME(t);
	const struct lru_form_ops *form = form_of(t);
	struct mm *mm = mm_of(t->w);

	if (form) {
		down_read(t, &mm->memcg_cache_ids_sem);
		mutex_lock(t, &reclaim_of(t)->lrus.mutex);
		sched_write(t, mm->globals, FIELD_LIST_LRUS, "list_lru_unregister.list");
		list_del(&lru->node);
		mutex_unlock(t, &reclaim_of(t)->lrus.mutex);
		form->destroy(t, lru);
	}
	lru_gone(t, lru, "list_lru_destroy");
	if (form)
		up_read(t, &mm->memcg_cache_ids_sem);
}

struct list_lru_figures list_lru_figures(const struct list_lru *lru)
{
	struct list_lru_figures f = {.nr_items = lru->nr_items, .nr_lists = 1};

	if (lru->array) {
		f.nr_slots = lru->array->size;
		f.bytes = LRU_ARRAY_BYTES + f.nr_slots * LRU_SLOT_BYTES;
		/* Each slot has its list from the start. */
		f.nr_lists += f.nr_slots;
	}
	f.nr_lists += lru->rows.nr_live;
	f.bytes += f.nr_lists * LIST_LRU_ONE_BYTES;
	return f;
}
