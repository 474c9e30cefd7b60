// SPDX-License-Identifier: GPL-2.0-only
/*
 * One set of caches, objects owned by an obj_cgroup: v5.9 and later.
 *
 * An object is charged by its bytes to the objcg of the task's memcg and holds a
 * reference on it; a slab page has a vector that says whose each object is.
 * Offlining hands the objcg to the parent memcg and kills its counter, so nothing
 * of this keeps a memcg.  Bytes that a page of charge has left lie with the CPU,
 * whose stock holds a reference on one objcg; that is where the last one usually is.
 *
 * Upstream: mm/memcontrol.c and mm/slab.h, bf4f059954dc and 10befea91b61 (v5.9), as
 * in v5.9, v5.10.y, v6.1 and v6.12.  Differs: statistics are not kept in the stock first,
 * kernel threads have no active memcg, and a memcg keeps an index of its own until it is offline.
 */
#include <errno.h>

#include "sim/lifecycle/switches.h"

#define PAGE_BYTES INT64_C(4096)
/* Each object takes a pointer in the vector as well. */
#define VECTOR_ENTRY 8
/* A memcg's per-CPU part, as measured on v6.1; two more of it for the area's own vector. */
#define MEMCG_PERCPU_BYTES 1752

static int64_t full_size(const struct kmem_cache *s)
{
	return s->size + VECTOR_ENTRY;
}

static void obj_cgroup_put(struct task *t, struct obj_cgroup *objcg, enum holder h, oid_t owner)
{
	percpu_ref_put_many(t, &objcg->refcnt, 1, h, owner);
}

static struct spinlock *list_lock(struct task *t)
{
	struct mm *mm = mm_of(t->w);

	return switches_of(t)->release_css_set_lock ? &mm->css_set_lock : &mm->objcg_lock;
}

/* ---- pages of an objcg --------------- */

/* The memcg of @objcg, pinned. */
static struct mem_cgroup *get_mem_cgroup_from_objcg(struct task *t, struct obj_cgroup *objcg,
						    bool plain)
{
	struct mem_cgroup *memcg;

	rcu_read_lock(t);
	for (;;) {
		sched_read(t, objcg->id, FIELD_OBJCG_MEMCG, "get_mem_cgroup_from_objcg.memcg");
		memcg = objcg->memcg;
		if (plain) {
			css_get(t, &memcg->css, HOLD_TEMP, objcg->id);
			break;
		}
		/* A css without references was offlined, so the objcg is the parent's by now. */
		if (css_tryget(t, &memcg->css, HOLD_TEMP, objcg->id))
			break;
	}
	rcu_read_unlock(t);
	return memcg;
}

static int charge_pages(struct task *t, struct obj_cgroup *objcg, struct mem_cgroup *memcg,
			int64_t n)
{
	FRAME_NAMED(t, "obj_cgroup_charge_pages");
	int err = try_charge_kmem(t, memcg, n);

	trace(t, OBJCG_CHARGE, .obj = objcg->id, .arg = {(int64_t)memcg->css.of, n, err});
	return err;
}

static void uncharge_from(struct task *t, struct obj_cgroup *objcg, struct mem_cgroup *memcg,
			  int64_t n, bool leftover)
{
	trace(t, OBJCG_UNCHARGE, .obj = objcg->id, .arg = {(int64_t)memcg->css.of, n, leftover});
	page_counter_uncharge(t, &memcg->kmem, n);
	if (switches_of(t)->uncharge_to_stock)
		refill_stock(t, memcg, n);
	else
		page_counter_uncharge(t, &memcg->memory, n);
}

static void uncharge_pages(struct task *t, struct obj_cgroup *objcg, int64_t n, bool leftover)
{
	FRAME_NAMED(t, "obj_cgroup_uncharge_pages");
	struct mem_cgroup *memcg;

	if (switches_of(t)->uncharge_to_stock) {
		memcg = get_mem_cgroup_from_objcg(t, objcg, false);
		uncharge_from(t, objcg, memcg, n, leftover);
		css_put(t, &memcg->css, HOLD_TEMP, objcg->id);
		return;
	}
	rcu_read_lock(t);
	sched_read(t, objcg->id, FIELD_OBJCG_MEMCG, "obj_cgroup_uncharge_pages.memcg");
	uncharge_from(t, objcg, objcg->memcg, n, leftover);
	rcu_read_unlock(t);
}

/* ---- the stock of bytes: this CPU's, interrupts off --------------- */

static bool consume_obj_stock(struct task *t, struct obj_cgroup *objcg, int64_t bytes)
{
	struct stock *stock;
	bool ok;

	local_irq_disable(t);
	sched_point(t, COST_PERCPU);
	stock = this_stock(t);
	touch_stock(t, stock);
	ok = stock->cached_objcg == objcg && stock->nr_bytes >= bytes;
	if (ok) {
		stock->nr_bytes -= bytes;
		trace(t, OBJ_STOCK_CONSUME, .obj = objcg->id, .arg = {bytes, t->cpu->nr});
	}
	local_irq_enable(t);
	return ok;
}

/* Whole pages go back, the rest is the objcg's own again. */
static void give_up_bytes(struct task *t, struct stock *stock, struct obj_cgroup *objcg)
{
	int64_t pages = stock->nr_bytes / PAGE_BYTES, rest = stock->nr_bytes % PAGE_BYTES;

	touch_stock(t, stock);
	trace(t, OBJ_STOCK_DRAIN, .obj = objcg->id, .arg = {rest, t->cpu->nr, pages});
	stock->nr_bytes = 0;
	if (pages > 0)
		uncharge_pages(t, objcg, pages, false);
	sched_access(t, objcg->id, FIELD_OBJCG_BYTES, ACCESS_ADD, "drain_obj_stock.left");
	objcg->nr_charged_bytes += rest;
}

static void put_drained(struct task *t, struct stock *stock, struct obj_cgroup *objcg)
{
	obj_cgroup_put(t, objcg, HOLD_STOCK_ENTRY, t->w->cpus[stock - mm_of(t->w)->stocks].id);
}

static struct obj_cgroup *drain_obj_stock(struct task *t, struct stock *stock)
{
	FRAME(t);
	struct obj_cgroup *old;

	touch_stock(t, stock);
	old = stock->cached_objcg;
	if (!old)
		return NULL;
	if (stock->nr_bytes > 0)
		give_up_bytes(t, stock, old);
	if (switches_of(t)->stock_put_first) {
		/* Others see the pointer until it is cleared, and nothing holds the objcg. */
		put_drained(t, stock, old);
		sched_point(t, COST_ACCESS);
	}
	trace_access(t, mm_of(t->w)->globals, FIELD_STOCK, ACCESS_WRITE, "drain_obj_stock.clear");
	touch_stock(t, stock);
	stock->cached_objcg = NULL;
	if (switches_of(t)->put_after_unlock)
		return old;
	if (!switches_of(t)->stock_put_first)
		put_drained(t, stock, old);
	return NULL;
}

/* Returns what has to be put once interrupts are on. */
static struct obj_cgroup *cache_objcg(struct task *t, struct stock *stock, struct obj_cgroup *objcg,
				      int64_t *taken)
{
	struct obj_cgroup *old = drain_obj_stock(t, stock);

	percpu_ref_get_many(t, &objcg->refcnt, 1, HOLD_STOCK_ENTRY, t->cpu->id);
	sched_access(t, objcg->id, FIELD_OBJCG_BYTES, ACCESS_RMW, "refill_obj_stock.left");
	*taken = objcg->nr_charged_bytes;
	objcg->nr_charged_bytes = 0;
	touch_stock(t, stock);
	stock->cached_objcg = objcg;
	stock->nr_bytes = *taken;
	return old;
}

/* More than a page: how much of it goes back to the memcg at once. */
static int64_t shed_pages(struct task *t, struct stock *stock, struct obj_cgroup *objcg)
{
	int64_t pages = stock->nr_bytes / PAGE_BYTES;

	stock->nr_bytes %= PAGE_BYTES;
	trace(t, OBJ_STOCK_DRAIN, .obj = objcg->id, .arg = {0, t->cpu->nr, pages, stock->nr_bytes});
	return pages;
}

static void refill_obj_stock(struct task *t, struct obj_cgroup *objcg, int64_t bytes,
			     bool allow_uncharge)
{
	FRAME(t);
	const struct switches *s = switches_of(t);
	int64_t taken = 0, pages = 0;
	struct obj_cgroup *old = NULL;
	struct stock *stock;

	local_irq_disable(t);
	sched_point(t, COST_PERCPU);
	stock = this_stock(t);
	touch_stock(t, stock);
	if (stock->cached_objcg != objcg) {
		old = cache_objcg(t, stock, objcg, &taken);
		allow_uncharge = true;
	}
	touch_stock(t, stock);
	stock->nr_bytes += bytes;
	trace(t, OBJ_STOCK_REFILL, .obj = objcg->id, .arg = {bytes, t->cpu->nr, taken});
	if (stock->nr_bytes > PAGE_BYTES && !s->stock_sheds_pages)
		drain_obj_stock(t, stock);
	else if (stock->nr_bytes > PAGE_BYTES && allow_uncharge)
		pages = shed_pages(t, stock, objcg);
	local_irq_enable(t);
	if (old)
		put_drained(t, stock, old);
	if (pages > 0)
		uncharge_pages(t, objcg, pages, false);
}

/* Somebody else's stock: it may change at every step. */
static bool obj_stock_below(struct task *t, struct stock *stock, struct mem_cgroup *root)
{
	FRAME_NAMED(t, "obj_stock_flush_required");
	struct obj_cgroup *objcg;

	sched_read(t, mm_of(t->w)->globals, FIELD_STOCK, "obj_stock_flush_required.test");
	touch_stock(t, stock);
	objcg = stock->cached_objcg;
	if (!objcg)
		return false;
	if (switches_of(t)->stock_read_twice) {
		sched_read(t, mm_of(t->w)->globals, FIELD_STOCK, "obj_stock_flush_required.load");
		touch_stock(t, stock);
		objcg = stock->cached_objcg;
	}
	if (!objcg) {
		trace(t, NULL_DEREF, .obj = mm_of(t->w)->globals, .str = "cached_objcg");
		return false;
	}
	sched_read(t, objcg->id, FIELD_OBJCG_MEMCG, "obj_stock_flush_required.memcg");
	return mem_cgroup_is_descendant(objcg->memcg, root);
}

/* ---- bytes of an objcg --------------- */

static int obj_cgroup_charge(struct task *t, struct obj_cgroup *objcg, int64_t bytes)
{
	FRAME(t);
	int64_t pages = (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
	struct mem_cgroup *memcg;
	int err;

	if (consume_obj_stock(t, objcg, bytes))
		return 0;
	memcg = get_mem_cgroup_from_objcg(t, objcg, switches_of(t)->charge_css_get);
	err = charge_pages(t, objcg, memcg, pages);
	if (!err && pages * PAGE_BYTES > bytes)
		refill_obj_stock(t, objcg, pages * PAGE_BYTES - bytes, false);
	css_put(t, &memcg->css, HOLD_TEMP, objcg->id);
	return err;
}

static void obj_cgroup_uncharge(struct task *t, struct obj_cgroup *objcg, int64_t bytes)
{
	FRAME(t);

	refill_obj_stock(t, objcg, bytes, true);
}

/* Counted for whatever memcg the objcg has at the time. */
static void mod_objcg_state(struct task *t, struct obj_cgroup *objcg, int64_t bytes)
{
	FRAME(t);

	if (!memcg_stat_enabled(t->w))
		return;
	rcu_read_lock(t);
	sched_read(t, objcg->id, FIELD_OBJCG_MEMCG, "mod_objcg_state.memcg");
	mod_memcg_state(t, objcg->memcg, MEMCG_STAT_SLAB, bytes);
	rcu_read_unlock(t);
}

/* ---- who pays --------------- */

/* The nearest objcg from @memcg upwards, with a reference; NULL if nobody pays. */
static struct obj_cgroup *get_from(struct task *t, struct mem_cgroup *memcg, enum holder h,
				   oid_t owner)
{
	for (; memcg && !mem_cgroup_is_root(memcg); memcg = memcg->parent) {
		struct obj_cgroup *objcg;

		sched_read(t, memcg->css.of, FIELD_OBJCG, "get_obj_cgroup_from_current.objcg");
		objcg = memcg->objcg;
		if (objcg && percpu_ref_tryget(t, &objcg->refcnt, h, owner))
			return objcg;
	}
	return NULL;
}

static struct obj_cgroup *lookup(struct task *t, enum holder h)
{
	struct mem_cgroup *memcg;
	struct obj_cgroup *objcg;

	rcu_read_lock(t);
	sched_read(t, t->id, FIELD_ONLINE, "get_obj_cgroup_from_current.css_set");
	memcg = mem_cgroup_from_task(t);
	objcg = get_from(t, memcg, h, t->id);
	trace(t, OBJCG_LOOKUP, .obj = t->id,
	      .arg = {memcg ? (int64_t)memcg->css.of : 0, objcg ? (int64_t)objcg->id : 0});
	rcu_read_unlock(t);
	return objcg;
}

/* Of the task's own cgroup, which somebody else may change meanwhile. */
static struct obj_cgroup *current_objcg_update(struct task *t)
{
	FRAME(t);
	struct obj_cgroup *objcg = NULL, *old;
	bool unmoved;

	do {
		sched_access(t, t->id, FIELD_OBJCG, ACCESS_RMW, "current_objcg_update.xchg");
		old = t->objcg;
		t->objcg = NULL;
		t->objcg_is_new = true;
		if (old)
			obj_cgroup_put(t, old, HOLD_TASK_OBJCG, t->id);
		if (objcg)
			obj_cgroup_put(t, objcg, HOLD_TASK_OBJCG, t->id);
		objcg = lookup(t, HOLD_TASK_OBJCG);
		sched_access(t, t->id, FIELD_OBJCG, ACCESS_RMW, "current_objcg_update.cmpxchg");
		unmoved = t->objcg_is_new;
		if (unmoved)
			t->objcg = objcg;
	} while (!unmoved);
	return objcg;
}

static struct obj_cgroup *current_obj_cgroup(struct task *t)
{
	sched_read(t, t->id, FIELD_OBJCG, "current_obj_cgroup.objcg");
	return t->objcg_is_new ? t->objcg : current_objcg_update(t);
}

static void task_moved(struct task *t, struct task *who)
{
	if (!switches_of(t)->task_keeps_objcg)
		return;
	sched_access(t, who->id, FIELD_OBJCG, ACCESS_RMW, "mem_cgroup_attach.update_bit");
	who->objcg_is_new = false;
}

static void task_exits(struct task *t)
{
	FRAME_NAMED(t, "mem_cgroup_exit");
	struct obj_cgroup *objcg;

	if (!switches_of(t)->task_keeps_objcg)
		return;
	sched_access(t, t->id, FIELD_OBJCG, ACCESS_RMW, "mem_cgroup_exit.objcg");
	objcg = t->objcg;
	t->objcg = NULL;
	t->objcg_is_new = true;
	if (objcg)
		obj_cgroup_put(t, objcg, HOLD_TASK_OBJCG, t->id);
}

/* ---- objects --------------- */

/* The memcg that pays has a list for the object, and so have those who may inherit it. */
static bool has_list(struct task *t, struct obj_cgroup *objcg, struct list_lru *lru)
{
	const struct reclaim_ops *reclaim = mm_of(t->w)->reclaim;
	struct mem_cgroup *memcg;
	int err;

	if (!lru || !reclaim || !reclaim->lru_alloc)
		return true;
	memcg = get_mem_cgroup_from_objcg(t, objcg, false);
	err = reclaim->lru_alloc(t, memcg, lru);
	css_put(t, &memcg->css, HOLD_TEMP, objcg->id);
	return err == 0;
}

static bool alloc_begin(struct task *t, struct kmem_cache *s, struct list_lru *lru,
			struct obj_cgroup **objcg)
{
	FRAME_NAMED(t, "memcg_slab_pre_alloc_hook");
	bool fails;

	if (t->ctx != CTX_TASK || switches_of(t)->task_keeps_objcg)
		return true;
	*objcg = lookup(t, HOLD_ALLOC);
	if (!*objcg)
		return true;
	/* At first a limit that was hit only meant that nobody paid. */
	fails = !switches_of(t)->full_means_unaccounted;
	if (!has_list(t, *objcg, lru))
		fails = true;
	else if (obj_cgroup_charge(t, *objcg, full_size(s)) == 0)
		return true;
	obj_cgroup_put(t, *objcg, HOLD_ALLOC, t->id);
	*objcg = NULL;
	return !fails;
}

/* The page's vector, made for its first charged object; false if memory ran out. */
static bool has_vector(struct task *t, struct slab *slab)
{
	FRAME_NAMED(t, "memcg_alloc_page_obj_cgroups");
	oid_t vector;

	sched_read(t, slab->id, FIELD_VECTOR, "page_has_obj_cgroups");
	if (slab->vector)
		return true;
	if (fault_point(t, "memcg_alloc_page_obj_cgroups"))
		return false;
	vector = world_new_id(t->w, OBJ_VECTOR);
	trace(t, OBJ_NEW, .obj = vector, .arg = {(int64_t)slab->id, slab->objects * VECTOR_ENTRY},
	      .str = "obj_cgroups");
	sched_access(t, slab->id, FIELD_VECTOR, ACCESS_RMW, "memcg_alloc_page_obj_cgroups.cmpxchg");
	if (slab->vector) {
		touch(t->w, vector, FIELD_LIFE, ACCESS_WRITE);
		trace(t, OBJ_FREE, .obj = vector, .str = "cmpxchg lost");
	} else {
		slab->vector = vector;
		trace(t, OBJ_PUBLISH, .obj = vector);
	}
	return true;
}

/* Bytes are charged; @obj takes them over, or they go back: false. */
static bool give_to_object(struct task *t, struct kmem_cache *s, struct obj_cgroup *objcg,
			   struct object *obj)
{
	if (!obj || !has_vector(t, obj->slab)) {
		obj_cgroup_uncharge(t, objcg, full_size(s));
		return false;
	}
	percpu_ref_get_many(t, &objcg->refcnt, 1, HOLD_OBJECT, obj->id);
	sched_access(t, obj->id, FIELD_VECTOR, ACCESS_WRITE, "memcg_slab_post_alloc_hook.entry");
	obj->objcg = objcg;
	trace(t, BYTES_CHARGE, .obj = obj->id, .arg = {(int64_t)objcg->id, full_size(s)});
	mod_objcg_state(t, objcg, full_size(s));
	return true;
}

static bool alloc_end(struct task *t, struct kmem_cache *s, struct list_lru *lru,
		      struct obj_cgroup *objcg, struct object *obj)
{
	FRAME_NAMED(t, "memcg_slab_post_alloc_hook");

	if (!switches_of(t)->task_keeps_objcg) {
		if (!objcg)
			return true;
		if (give_to_object(t, s, objcg, obj) || !switches_of(t)->vector_failure_leak)
			obj_cgroup_put(t, objcg, HOLD_ALLOC, t->id);
		return true;
	}
	/* The task's own reference lasts: nobody but the task itself drops it. */
	if (!obj || t->ctx != CTX_TASK)
		return true;
	/* Somebody else's, who is pinned and pins his first one. */
	if (t->active_memcg)
		objcg = ((struct mem_cgroup *)t->active_memcg)->orig_objcg;
	else
		objcg = current_obj_cgroup(t);
	if (!objcg)
		return true;
	if (!has_list(t, objcg, lru) || obj_cgroup_charge(t, objcg, full_size(s)))
		return false;
	give_to_object(t, s, objcg, obj);
	return true;
}

static void object_freed(struct task *t, struct object *obj)
{
	FRAME_NAMED(t, "memcg_slab_free_hook");
	int64_t bytes = full_size(obj->slab->cache);
	struct obj_cgroup *objcg;

	sched_read(t, obj->id, FIELD_VECTOR, "memcg_slab_free_hook.entry");
	objcg = obj->objcg;
	if (!objcg)
		return;
	obj->objcg = NULL;
	trace(t, BYTES_UNCHARGE, .obj = obj->id, .arg = {(int64_t)objcg->id, bytes});
	mod_objcg_state(t, objcg, -bytes);
	obj_cgroup_uncharge(t, objcg, bytes);
	obj_cgroup_put(t, objcg, HOLD_OBJECT, obj->id);
}

static void slab_freed(struct task *t, struct slab *slab)
{
	FRAME_NAMED(t, "memcg_free_page_obj_cgroups");

	sched_write(t, slab->id, FIELD_VECTOR, "memcg_free_page_obj_cgroups.clear");
	touch(t->w, slab->vector, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = slab->vector, .str = "memcg_free_page_obj_cgroups");
	slab->vector = 0;
}

/* One word of the page is NULL, or the vector; a page of another kind has its memcg there. */
static struct mem_cgroup *memcg_from_obj(struct task *t, struct object *obj)
{
	FRAME_NAMED(t, "mem_cgroup_from_obj");
	struct slab *slab = obj->slab;

	sched_read(t, slab->id, FIELD_VECTOR, "mem_cgroup_from_obj.test");
	if (slab->vector) {
		sched_read(t, obj->id, FIELD_VECTOR, "mem_cgroup_from_obj.entry");
		if (!obj->objcg)
			return NULL;
		sched_read(t, obj->objcg->id, FIELD_OBJCG_MEMCG, "mem_cgroup_from_obj.memcg");
		return obj->objcg->memcg;
	}
	if (switches_of(t)->vector_read_twice) {
		sched_read(t, slab->id, FIELD_VECTOR, "mem_cgroup_from_obj.load");
		if (slab->vector)
			trace(t, WRONG_TYPE, .obj = slab->id, .arg = {(int64_t)slab->vector},
			      .str = "mem_cgroup");
	}
	return NULL;
}

/* ---- the life of an objcg --------------- */

static void free_objcg_rcu(struct task *t, struct rcu_head *head)
{
	struct obj_cgroup *objcg = container_of(head, struct obj_cgroup, rcu);

	/* The memory stays ours, as that of caches does. */
	touch(t->w, objcg->id, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = objcg->id, .str = "kfree_rcu");
}

static void unlink_objcg(struct task *t, struct obj_cgroup *objcg, int64_t pages)
{
	struct spinlock *lock = list_lock(t);

	if (!switches_of(t)->objcg_pins_memcg && pages > 0)
		uncharge_pages(t, objcg, pages, true);
	spin_lock_irq(t, lock);
	sched_read(t, objcg->id, FIELD_OBJCG_MEMCG, "obj_cgroup_release.memcg");
	touch(t->w, objcg->memcg->css.of, FIELD_LIST, ACCESS_RMW);
	if (switches_of(t)->objcg_pins_memcg && pages > 0)
		uncharge_from(t, objcg, objcg->memcg, pages, true);
	list_del(&objcg->node);
	if (switches_of(t)->objcg_pins_memcg)
		css_put(t, &objcg->memcg->css, HOLD_OBJCG, objcg->id);
	spin_unlock_irq(t, lock);
}

/* The last reference is gone, in any context. */
static void obj_cgroup_release(struct task *t, struct percpu_ref *ref)
{
	FRAME(t);
	struct obj_cgroup *objcg = container_of(ref, struct obj_cgroup, refcnt);

	/* The checkers have seen a second release; a second callback would break our own lists. */
	if (objcg->released)
		return;
	objcg->released = true;
	sched_access(t, objcg->id, FIELD_OBJCG_BYTES, ACCESS_READ, "obj_cgroup_release.bytes");
	if (objcg->nr_charged_bytes % PAGE_BYTES)
		trace(t, WARN, .obj = objcg->id, .arg = {objcg->nr_charged_bytes},
		      .str = "WARN_ON_ONCE(nr_bytes & (PAGE_SIZE - 1))");
	unlink_objcg(t, objcg, objcg->nr_charged_bytes / PAGE_BYTES);
	percpu_ref_exit(t, ref);
	call_rcu(t, &objcg->rcu, free_objcg_rcu, objcg->id);
}

static struct obj_cgroup *obj_cgroup_alloc(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	struct obj_cgroup *objcg;

	sched_point(t, COST_OBJECT_INIT);
	if (fault_point(t, "obj_cgroup_alloc"))
		return NULL;
	objcg = world_alloc(t->w, sizeof(*objcg));
	objcg->id = world_new_id(t->w, OBJ_OBJCG);
	objcg->memcg = memcg;
	list_init(&objcg->node);
	trace(t, OBJ_NEW, .obj = objcg->id, .arg = {(int64_t)memcg->css.of, sizeof(*objcg)});
	if (percpu_ref_init(t, &objcg->refcnt, objcg->id, "obj_cgroup", obj_cgroup_release) == 0)
		return objcg;
	touch(t->w, objcg->id, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = objcg->id, .str = "obj_cgroup_alloc");
	return NULL;
}

static int64_t own_bytes(const struct task *t)
{
	return MEMCG_PERCPU_BYTES * ((int64_t)t->w->config.nr_cpus + 2);
}

/* What a memcg is made of is charged to its parent.  0 or -ENOMEM */
static int charge_own_memory(struct task *t, struct mem_cgroup *memcg)
{
	struct obj_cgroup *objcg;

	rcu_read_lock(t);
	objcg = get_from(t, memcg->parent, HOLD_MEMCG, memcg->css.of);
	rcu_read_unlock(t);
	if (!objcg)
		return 0;
	if (obj_cgroup_charge(t, objcg, own_bytes(t))) {
		obj_cgroup_put(t, objcg, HOLD_MEMCG, memcg->css.of);
		return -ENOMEM;
	}
	memcg->payer = objcg;
	trace(t, BYTES_CHARGE, .obj = memcg->css.of, .arg = {(int64_t)objcg->id, own_bytes(t)});
	return 0;
}

static void uncharge_own_memory(struct task *t, struct mem_cgroup *memcg)
{
	struct obj_cgroup *objcg = memcg->payer;

	if (!objcg)
		return;
	memcg->payer = NULL;
	trace(t, BYTES_UNCHARGE, .obj = memcg->css.of, .arg = {(int64_t)objcg->id, own_bytes(t)});
	obj_cgroup_uncharge(t, objcg, own_bytes(t));
	obj_cgroup_put(t, objcg, HOLD_MEMCG, memcg->css.of);
}

static int online_kmem(struct task *t, struct mem_cgroup *memcg)
{
	FRAME_NAMED(t, "memcg_online_kmem");
	struct obj_cgroup *objcg;

	if (charge_own_memory(t, memcg))
		return -ENOMEM;
	objcg = obj_cgroup_alloc(t, memcg);
	if (!objcg) {
		uncharge_own_memory(t, memcg);
		return -ENOMEM;
	}
	sched_write(t, memcg->css.of, FIELD_OBJCG, "memcg_online_kmem.objcg");
	memcg->objcg = objcg;
	trace(t, OBJ_PUBLISH, .obj = objcg->id);
	if (switches_of(t)->memcg_pins_objcg) {
		percpu_ref_get_many(t, &objcg->refcnt, 1, HOLD_MEMCG, memcg->css.of);
		memcg->orig_objcg = objcg;
	}
	return 0;
}

/* Lock held.  @pins: it holds a reference on @from, as an inherited one may. */
static void hand_up(struct task *t, struct obj_cgroup *objcg, struct mem_cgroup *from, bool pins)
{
	bool counted = switches_of(t)->objcg_pins_memcg;
	struct mem_cgroup *to = from->parent;

	sched_write(t, objcg->id, FIELD_OBJCG_MEMCG, "memcg_reparent_objcgs.memcg");
	objcg->memcg = to;
	trace(t, OBJCG_REPARENT, .obj = objcg->id,
	      .arg = {(int64_t)from->css.of, (int64_t)to->css.of});
	if (counted)
		css_get(t, &to->css, HOLD_OBJCG, objcg->id);
	if (counted && pins)
		css_put(t, &from->css, HOLD_OBJCG, objcg->id);
}

static void memcg_reparent_objcgs(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	struct obj_cgroup *objcg = memcg->objcg;
	struct spinlock *lock = list_lock(t);

	/* Before the kill: whoever finds it meanwhile gets a reference that is counted. */
	sched_write(t, memcg->css.of, FIELD_OBJCG, "memcg_reparent_objcgs.clear");
	memcg->objcg = NULL;
	spin_lock_irq(t, lock);
	touch(t->w, memcg->css.of, FIELD_LIST, ACCESS_RMW);
	touch(t->w, memcg->parent->css.of, FIELD_LIST, ACCESS_RMW);
	list_for_each(node, &memcg->objcg_list)
		hand_up(t, container_of(node, struct obj_cgroup, node), memcg, true);
	hand_up(t, objcg, memcg, false);
	list_splice_tail(&memcg->objcg_list, &memcg->parent->objcg_list);
	list_add_tail(&objcg->node, &memcg->parent->objcg_list);
	spin_unlock_irq(t, lock);
	percpu_ref_kill(t, &objcg->refcnt);
}

static void free_kmem(struct task *t, struct mem_cgroup *memcg)
{
	FRAME_NAMED(t, "__mem_cgroup_free");
	struct obj_cgroup *orig = memcg->orig_objcg;

	memcg->orig_objcg = NULL;
	if (orig)
		obj_cgroup_put(t, orig, HOLD_MEMCG, memcg->css.of);
	uncharge_own_memory(t, memcg);
}

static void boot(struct task *t)
{
	struct mm *mm = mm_of(t->w);

	spin_lock_init(t->w, &mm->css_set_lock, "css_set_lock");
	spin_lock_init(t->w, &mm->objcg_lock, "objcg_lock");
}

/* ---- caches: nothing about them knows of memcgs --------------- */

static bool may_merge(struct task *t, const struct kmem_cache *root)
{
	(void)t;
	(void)root;
	return true;
}

/* slab_mutex held: one user less.  True if others remain. */
static bool drop_user(struct task *t, struct kmem_cache *s)
{
	bool others;

	sched_access(t, s->id, FIELD_REFCOUNT, ACCESS_RMW, "kmem_cache_destroy.refcount");
	others = --s->refcount > 0;
	trace(t, REF_PUT, .obj = s->id, .arg = {1, HOLD_USER});
	if (!others)
		trace(t, REF_ZERO, .obj = s->id);
	return others;
}

static int destroy_cache(struct task *t, struct kmem_cache *s)
{
	struct mm *mm = mm_of(t->w);
	int err = 0;
	bool last;

	get_online_cpus_mems(t);
	mutex_lock(t, &mm->slab_mutex);
	last = !drop_user(t, s);
	if (last)
		err = shutdown_cache(t, s);
	mutex_unlock(t, &mm->slab_mutex);
	put_online_cpus_mems(t);
	if (last)
		release_cache(t, s, err);
	return err;
}

static int init_params(struct task *t, struct kmem_cache *cache)
{
	(void)t;
	(void)cache;
	return 0;
}

static void link_cache(struct task *t, struct kmem_cache *cache, struct mem_cgroup *memcg)
{
	(void)memcg;
	list_add(&cache->params.root_caches_node, &mm_of(t->w)->slab_root_caches);
}

static void unlink_cache(struct task *t, struct kmem_cache *cache)
{
	(void)t;
	list_del(&cache->params.root_caches_node);
}

static void destroy_params(struct task *t, struct kmem_cache *cache)
{
	(void)t;
	(void)cache;
}

const struct lifecycle_ops objcg_ops = {
	.offline_kmem = memcg_reparent_objcgs,
	.free_kmem = free_kmem,
	.may_merge = may_merge,
	.destroy_cache = destroy_cache,
	.init_params = init_params,
	.link_cache = link_cache,
	.unlink_cache = unlink_cache,
	.destroy_params = destroy_params,
	.boot = boot,
	.online_kmem = online_kmem,
	.alloc_begin = alloc_begin,
	.alloc_end = alloc_end,
	.object_freed = object_freed,
	.slab_freed = slab_freed,
	.drain_obj_stock = drain_obj_stock,
	.put_drained = put_drained,
	.obj_stock_below = obj_stock_below,
	.memcg_from_obj = memcg_from_obj,
	.task_moved = task_moved,
	.task_exits = task_exits,
};
