// SPDX-License-Identifier: GPL-2.0-only
#include "sim/mm/memcg.h"

#include <errno.h>
#include <string.h>

#include "sim/mm/mm.h"

/* ---- page counters -------------------------------------------------------------- */

static void counter_init(struct page_counter *c, oid_t memcg, const char *name,
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

void page_counter_uncharge(struct task *t, struct page_counter *counter, int64_t n)
{
	for (struct page_counter *c = counter; c; c = c->parent)
		counter_add(t, c, -n);
}

int mem_cgroup_set_max(struct task *t, struct page_counter *c, int64_t max)
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

/* ---- stock ------------------------------------------------------------------------- */

struct stock *this_stock(struct task *t)
{
	return &mm_of(t->w)->stocks[t->cpu->nr];
}

void touch_stock(struct task *t, const struct stock *stock)
{
	touch(t->w, mm_of(t->w)->globals, FIELD_NUMBERED + (uint32_t)(stock - mm_of(t->w)->stocks),
	      ACCESS_RMW);
}

/* Interrupts off. */
static void drain_stock(struct task *t, struct stock *stock)
{
	FRAME(t);
	struct mem_cgroup *old = stock->cached;
	int64_t n = stock->nr_pages;

	touch_stock(t, stock);
	if (n > 0) {
		stock->nr_pages = 0;
		trace(t, STOCK_DRAIN, .obj = old->css.of, .arg = {n, t->cpu->nr});
		page_counter_uncharge(t, &old->memory, n);
		if (!mm_of(t->w)->config.stock_pins_once)
			css_put_many(t, &old->css, n, HOLD_STOCK, t->cpu->id);
	}
	if (old && mm_of(t->w)->config.stock_pins_once)
		css_put(t, &old->css, HOLD_STOCK_ENTRY, t->cpu->id);
	stock->cached = NULL;
}

static void drain_this_stock(struct task *t, struct stock *stock)
{
	const struct lifecycle_ops *ops = mm_of(t->w)->ops;
	struct obj_cgroup *objcg = NULL;

	local_irq_disable(t);
	sched_point(t, COST_PERCPU);
	if (ops->drain_obj_stock)
		objcg = ops->drain_obj_stock(t, stock);
	drain_stock(t, stock);
	touch_stock(t, stock);
	stock->flushing = false;
	local_irq_enable(t);
	if (objcg)
		ops->put_drained(t, stock, objcg);
}

static void drain_local_stock(struct task *t, struct work_struct *work)
{
	drain_this_stock(t, container_of(work, struct stock, work));
}

void stock_init(struct task *t, struct stock *stock)
{
	INIT_WORK(t, &stock->work, drain_local_stock, 0);
}

static void move_css_refs(struct task *t, struct mem_cgroup *memcg, int64_t n, enum holder from,
			  enum holder to)
{
	if (!memcg->css.no_ref && !mm_of(t->w)->config.stock_pins_once)
		trace(t, REF_MOVE, .obj = memcg->css.of, .arg = {n, from, to, (int64_t)t->cpu->id});
}

static bool consume_stock(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	struct stock *stock;
	bool ok;

	local_irq_disable(t);
	sched_point(t, COST_PERCPU);
	stock = this_stock(t);
	touch_stock(t, stock);
	ok = stock->cached == memcg && stock->nr_pages >= n;
	if (ok) {
		stock->nr_pages -= n;
		trace(t, STOCK_CONSUME, .obj = memcg->css.of, .arg = {n, t->cpu->nr});
		move_css_refs(t, memcg, n, HOLD_STOCK, HOLD_CHARGE);
	}
	local_irq_enable(t);
	return ok;
}

void refill_stock(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	FRAME(t);
	struct stock *stock;

	local_irq_disable(t);
	sched_point(t, COST_PERCPU);
	stock = this_stock(t);
	touch_stock(t, stock);
	if (stock->cached != memcg) {
		drain_stock(t, stock);
		if (mm_of(t->w)->config.stock_pins_once)
			css_get(t, &memcg->css, HOLD_STOCK_ENTRY, t->cpu->id);
		stock->cached = memcg;
	}
	touch_stock(t, stock);
	stock->nr_pages += n;
	trace(t, STOCK_REFILL, .obj = memcg->css.of, .arg = {n, t->cpu->nr});
	move_css_refs(t, memcg, n, HOLD_CHARGE, HOLD_STOCK);
	if (stock->nr_pages > MEMCG_CHARGE_BATCH)
		drain_stock(t, stock);
	local_irq_enable(t);
}

bool mem_cgroup_is_descendant(const struct mem_cgroup *memcg, const struct mem_cgroup *root)
{
	for (; memcg; memcg = memcg->parent) {
		if (memcg == root)
			return true;
	}
	return false;
}

/* The entry and its pages are looked at without a lock while their CPU goes on. */
static bool keeps_pages(struct task *t, struct stock *stock, struct mem_cgroup *root)
{
	sched_read(t, mm_of(t->w)->globals, FIELD_STOCK, "drain_all_stock.cached");
	touch_stock(t, stock);
	return stock->cached && stock->nr_pages > 0 &&
	       mem_cgroup_is_descendant(stock->cached, root);
}

static bool wants_drain(struct task *t, struct stock *stock, struct mem_cgroup *root)
{
	const struct mm *mm = mm_of(t->w);
	bool wants;

	if (!mm->ops->obj_stock_below)
		return keeps_pages(t, stock, root) && !stock->flushing;
	rcu_read_lock(t);
	wants = keeps_pages(t, stock, root) || mm->ops->obj_stock_below(t, stock, root);
	rcu_read_unlock(t);
	touch_stock(t, stock);
	return wants && !stock->flushing;
}

void drain_all_stock(struct task *t, struct mem_cgroup *root)
{
	FRAME(t);
	struct world *w = t->w;
	struct mm *mm = mm_of(w);

	/* Whoever drains already, maybe for another subtree: that has to do. */
	if (!mutex_trylock(t, &mm->percpu_charge_mutex))
		return;
	preempt_disable(t);
	for (unsigned int i = 0; i < w->config.nr_cpus; i++) {
		struct stock *stock = &mm->stocks[i];

		if (!wants_drain(t, stock, root))
			continue;
		stock->flushing = true;
		if (i == t->cpu->nr)
			drain_this_stock(t, stock);
		else
			queue_work_on(t, &w->cpus[i], kernel_of(w)->system_wq, &stock->work);
	}
	preempt_enable(t);
	mutex_unlock(t, &mm->percpu_charge_mutex);
}

/* ---- charging ------------------------------------------------------------------------ */

/* Reclaim takes at least this much at a time. */
#define SWAP_CLUSTER_MAX 32
/* Up to this much, any progress is a reason to try again. */
#define COSTLY_PAGES 8
#define MEM_CGROUP_RECLAIM_RETRIES 5

struct attempt {
	int64_t nr_pages;
	bool drained;
	int nr_retries;
};

static int64_t reclaim_below(struct task *t, struct mem_cgroup *culprit, int64_t nr_pages)
{
	const struct reclaim_ops *reclaim = mm_of(t->w)->reclaim;

	if (!reclaim || !reclaim->try_to_free)
		return 0;
	if (nr_pages < SWAP_CLUSTER_MAX)
		nr_pages = SWAP_CLUSTER_MAX;
	return reclaim->try_to_free(t, culprit, nr_pages, true);
}

static bool has_room(struct task *t, const struct page_counter *c, int64_t nr_pages)
{
	sched_read(t, c->memcg, FIELD_USAGE, "mem_cgroup_margin.usage");
	return c->max - c->usage >= nr_pages;
}

/* @counter is full: is there a reason to try again? */
static bool make_room(struct task *t, struct page_counter *counter, struct attempt *a)
{
	struct mem_cgroup *culprit = container_of(counter, struct mem_cgroup, memory);
	const struct mm *mm = mm_of(t->w);
	int64_t freed = reclaim_below(t, culprit, a->nr_pages);

	if (mm->reclaim && has_room(t, counter, a->nr_pages))
		return true;
	if (!a->drained) {
		/* Whoever sits below the counter that is full may hold spare pages. */
		drain_all_stock(t, culprit);
		a->drained = true;
		return true;
	}
	if (freed > 0 && a->nr_pages <= COSTLY_PAGES)
		return true;
	return mm->reclaim && a->nr_retries-- > 0;
}

int try_charge(struct task *t, struct mem_cgroup *memcg, int64_t n, bool may_sleep)
{
	FRAME(t);
	int64_t batch = n > MEMCG_CHARGE_BATCH ? n : MEMCG_CHARGE_BATCH;
	struct attempt attempt = {.nr_pages = n, .nr_retries = MEM_CGROUP_RECLAIM_RETRIES};
	struct page_counter *culprit = NULL;

	if (mem_cgroup_is_root(memcg))
		return 0;
	for (;;) {
		if (consume_stock(t, memcg, n))
			return 0;
		if (page_counter_try_charge(t, &memcg->memory, batch, &culprit))
			break;
		if (batch > n) {
			batch = n;
			continue;
		}
		if (may_sleep && make_room(t, culprit, &attempt))
			continue;
		trace(t, CHARGE_FAIL, .obj = memcg->css.of, .arg = {n, (int64_t)culprit->memcg});
		return -ENOMEM;
	}
	if (!mm_of(t->w)->config.stock_pins_once)
		css_get_many(t, &memcg->css, batch, HOLD_CHARGE, 0);
	if (batch > n)
		refill_stock(t, memcg, batch - n);
	return 0;
}

void cancel_charge(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	if (mem_cgroup_is_root(memcg))
		return;
	page_counter_uncharge(t, &memcg->memory, n);
	if (!mm_of(t->w)->config.stock_pins_once)
		css_put_many(t, &memcg->css, n, HOLD_CHARGE, 0);
}

int mem_cgroup_charge_user(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	FRAME(t);
	int err = try_charge(t, memcg, n, true);

	if (!err && mm_of(t->w)->config.stock_pins_once)
		css_get_many(t, &memcg->css, n, HOLD_USER_PAGE, 0);
	else if (!err && !memcg->css.no_ref)
		trace(t, REF_MOVE, .obj = memcg->css.of, .arg = {n, HOLD_CHARGE, HOLD_USER_PAGE});
	trace(t, USER_CHARGE, .obj = memcg->css.of, .arg = {n, err});
	return err;
}

void mem_cgroup_uncharge_user(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	FRAME(t);

	trace(t, USER_UNCHARGE, .obj = memcg->css.of, .arg = {n});
	if (mem_cgroup_is_root(memcg))
		return;
	page_counter_uncharge(t, &memcg->memory, n);
	css_put_many(t, &memcg->css, n, HOLD_USER_PAGE, 0);
}

/* ---- the life of a memcg ---------------------------------------------------------------- */

struct mem_cgroup *mem_cgroup_from_task(const struct task *who)
{
	const struct cgroup *cgrp = who->cgroup;

	return cgrp ? cgrp->memcg : NULL;
}

static void free_array_rcu(struct task *t, struct rcu_head *head)
{
	struct memcg_cache_array *arr = container_of(head, struct memcg_cache_array, rcu);

	world_free(t->w, arr, sizeof(*arr) + arr->size * sizeof(arr->entries[0]));
}

/* slab_mutex held. */
static void grow_array(struct task *t, struct kmem_cache *root, uint32_t size)
{
	struct memcg_cache_array *old = root->params.memcg_caches, *arr;

	arr = world_alloc(t->w, sizeof(*arr) + size * sizeof(arr->entries[0]));
	arr->size = size;
	if (old)
		memcpy(arr->entries, old->entries, old->size * sizeof(old->entries[0]));
	sched_write(t, root->id, FIELD_ARRAY, "update_memcg_params.publish");
	root->params.memcg_caches = arr;
	if (old)
		call_rcu(t, &old->rcu, free_array_rcu, 0);
}

/* memcg_cache_ids_sem held for writing. */
static int grow_arrays(struct task *t, uint32_t id)
{
	struct mm *mm = mm_of(t->w);
	uint32_t size = 2 * (id + 1);
	int err = 0;

	size = size < 4 ? 4 : size > 65535 ? 65535 : size;
	if (mm->ops->get_cache) {
		mutex_lock(t, &mm->slab_mutex);
		list_for_each(node, &mm->slab_root_caches)
			grow_array(t,
				   container_of(node, struct kmem_cache, params.root_caches_node),
				   size);
		mutex_unlock(t, &mm->slab_mutex);
	}
	if (mm->reclaim && mm->reclaim->grow_ids)
		err = mm->reclaim->grow_ids(t, size);
	if (!err)
		mm->nr_cache_ids = size;
	return err;
}

/* The lowest free index; the arrays of root caches and lists grow to have a slot for it. */
static int memcg_alloc_cache_id(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);
	bool lists = mm->reclaim && mm->reclaim->grow_ids;
	int id = idr_alloc(&mm->kmemcg_ids, memcg), err = 0;

	if (id < 0 || (uint32_t)id < mm->nr_cache_ids || (!mm->ops->get_cache && !lists))
		return id;
	/* No root cache or list is created between the arrays and the size that new ones get. */
	down_write(t, &mm->memcg_cache_ids_sem);
	err = grow_arrays(t, (uint32_t)id);
	up_write(t, &mm->memcg_cache_ids_sem);
	if (err)
		idr_remove(&mm->kmemcg_ids, id);
	return err ? err : id;
}

static int memcg_online_kmem(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	const struct lifecycle_ops *ops = mm_of(t->w)->ops;
	int id = memcg_alloc_cache_id(t, memcg);

	if (id < 0)
		return id;
	if (ops->online_kmem && ops->online_kmem(t, memcg)) {
		idr_remove(&mm_of(t->w)->kmemcg_ids, id);
		return -ENOMEM;
	}
	sched_write(t, memcg->css.of, FIELD_KMEMCG_ID, "memcg_online_kmem.id");
	memcg->kmemcg_id = id;
	sched_write(t, memcg->css.of, FIELD_KMEM_STATE, "memcg_online_kmem.state");
	memcg->kmem_state = KMEM_ONLINE;
	return 0;
}

static void memcg_free(struct task *t, struct mem_cgroup *memcg, const char *how)
{
	touch(t->w, mm_of(t->w)->globals, FIELD_PRIVATE_IDS, ACCESS_RMW);
	if (memcg->id_ref == 0 && memcg->private_id > 0)
		idr_remove(&mm_of(t->w)->private_ids, memcg->private_id);
	touch(t->w, memcg->css.of, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = memcg->css.of, .str = how);
}

/* The size that traces tell, lest they all change with each member that the model gains. */
#define TRACED_BYTES 624

struct mem_cgroup *mem_cgroup_css_alloc(struct task *t, struct cgroup *cgrp, int *err)
{
	FRAME(t);
	struct world *w = t->w;
	struct mm *mm = mm_of(w);
	struct mem_cgroup *parent = cgrp->parent ? cgrp->parent->memcg : NULL;
	struct mem_cgroup *memcg;

	*err = -ENOMEM;
	sched_point(t, COST_OBJECT_INIT);
	if (parent && fault_point(t, "mem_cgroup_alloc"))
		return NULL;
	memcg = world_alloc(w, sizeof(*memcg));
	memcg->css.of = world_new_id(w, OBJ_MEMCG);
	memcg->parent = parent;
	memcg->kmemcg_id = -1;
	list_init(&memcg->kmem_caches);
	list_init(&memcg->objcg_list);
	list_init(&memcg->children);
	list_init(&memcg->sibling);
	trace(t, OBJ_NEW, .obj = memcg->css.of,
	      .arg = {parent ? (int64_t)parent->css.of : 0, TRACED_BYTES}, .str = cgrp->name);
	counter_init(&memcg->memory, memcg->css.of, "memory", parent ? &parent->memory : NULL);
	counter_init(&memcg->kmem, memcg->css.of, "kmem", parent ? &parent->kmem : NULL);
	touch(w, mm->globals, FIELD_PRIVATE_IDS, ACCESS_RMW);
	memcg->private_id = idr_alloc(&mm->private_ids, NULL);
	*err = memcg->private_id < 0 ? memcg->private_id : 0;
	if (!*err && parent)
		*err = memcg_online_kmem(t, memcg);
	if (*err) {
		memcg_free(t, memcg, "mem_cgroup_css_alloc");
		return NULL;
	}
	return memcg;
}

int mem_cgroup_css_online(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	const struct reclaim_ops *reclaim = mm_of(t->w)->reclaim;

	if (reclaim && reclaim->memcg_online && reclaim->memcg_online(t, memcg))
		return -ENOMEM;
	memcg->id_ref = 1;
	idr_replace(&mm_of(t->w)->private_ids, memcg->private_id, memcg);
	css_get(t, &memcg->css, HOLD_ID, 0);
	return 0;
}

static void mem_cgroup_id_put(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);

	sched_point(t, COST_ATOMIC);
	touch(t->w, memcg->css.of, FIELD_REF_WAY, ACCESS_RMW);
	if (--memcg->id_ref > 0)
		return;
	touch(t->w, mm_of(t->w)->globals, FIELD_PRIVATE_IDS, ACCESS_RMW);
	idr_remove(&mm_of(t->w)->private_ids, memcg->private_id);
	memcg->private_id = 0;
	css_put(t, &memcg->css, HOLD_ID, 0);
}

void memcg_reid(struct task *t, struct mem_cgroup *memcg, int old, int id)
{
	if (memcg->kmemcg_id != old)
		trace(t, WARN, .obj = memcg->css.of, .arg = {memcg->kmemcg_id},
		      .str = "kmemcg_id of an offline descendant differs");
	sched_write(t, memcg->css.of, FIELD_KMEMCG_ID, "memcg_offline_kmem.reid");
	memcg->kmemcg_id = id;
	list_for_each(node, &memcg->children)
		memcg_reid(t, container_of(node, struct mem_cgroup, sibling), old, id);
}

static void memcg_offline_kmem(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);
	int old = memcg->kmemcg_id;

	if (memcg->kmem_state != KMEM_ONLINE)
		return;
	/* Ordered by slab_mutex against creation, which tests it there. */
	sched_write(t, memcg->css.of, FIELD_KMEM_STATE, "memcg_offline_kmem.state");
	memcg->kmem_state = KMEM_ALLOCATED;
	mm->ops->offline_kmem(t, memcg);
	if (mm->reclaim && mm->reclaim->reparent_lists) {
		mm->reclaim->reparent_lists(t, memcg, old);
	} else {
		/* Without cgroup_mutex when it is mem_cgroup_css_free() that calls. */
		rcu_read_lock(t);
		memcg_reid(t, memcg, old, memcg->parent->kmemcg_id);
		rcu_read_unlock(t);
	}
	idr_remove(&mm->kmemcg_ids, old);
	trace(t, KMEMCG_ID_FREE, .obj = memcg->css.of, .arg = {old, memcg->kmemcg_id});
}

void mem_cgroup_css_offline(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	const struct reclaim_ops *reclaim = mm_of(t->w)->reclaim;

	trace(t, CSS_OFFLINE, .obj = memcg->css.of, .arg = {(int64_t)memcg->parent->css.of});
	if (reclaim && reclaim->memcg_offline)
		reclaim->memcg_offline(t, memcg);
	if (!mm_of(t->w)->config.keeps_id)
		memcg_offline_kmem(t, memcg);
	if (!mm_of(t->w)->config.offline_keeps_stock)
		drain_all_stock(t, memcg);
	mem_cgroup_id_put(t, memcg);
	trace(t, CSS_OFFLINE_END, .obj = memcg->css.of);
}

void mem_cgroup_css_released(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	const struct reclaim_ops *reclaim = mm_of(t->w)->reclaim;

	if (reclaim && reclaim->memcg_released)
		reclaim->memcg_released(t, memcg);
}

void mem_cgroup_css_free(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);

	/* Only a css that never came online still has its index, if offline takes it. */
	if (!mm->config.keeps_id)
		memcg_offline_kmem(t, memcg);
	if (mm->reclaim && mm->reclaim->memcg_free)
		mm->reclaim->memcg_free(t, memcg);
	mm->ops->free_kmem(t, memcg);
	if (mm->config.keeps_id && memcg->kmemcg_id >= 0) {
		idr_remove(&mm->kmemcg_ids, memcg->kmemcg_id);
		trace(t, KMEMCG_ID_FREE, .obj = memcg->css.of, .arg = {memcg->kmemcg_id, -1});
	}
	memcg_free(t, memcg, "mem_cgroup_css_free");
}
