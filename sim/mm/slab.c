// SPDX-License-Identifier: GPL-2.0-only
#include "sim/mm/slab.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/kernel/smp.h"
#include "sim/mm/mm.h"

#define PAGE_BYTES 4096u
#define MIN_PARTIAL 5
#define MAX_PARTIAL 10
#define OBJECTS_MAX 65535u

/* Each CPU has its own slab of a cache: they do not conflict. */
static unsigned int cpu_slab_field(unsigned int cpu)
{
	return FIELD_NUMBERED + cpu;
}

static void touch_slab(struct task *t, const struct slab *slab)
{
	touch(t->w, slab->id, FIELD_SLAB, ACCESS_RMW);
}

/* What flush_all() looks at from elsewhere. */
static void touch_cpu_slab(struct task *t, const struct kmem_cache *s)
{
	touch(t->w, s->id, cpu_slab_field(t->cpu->nr), ACCESS_RMW);
}

static void touch_partial(struct task *t, const struct kmem_cache_node *n)
{
	touch(t->w, n->list_lock.id, FIELD_QUEUE, ACCESS_RMW);
}

/* ---- slab pages -------------------------------------------------------------- */

static bool frozen(const struct slab *slab)
{
	return slab->place == SLAB_CPU || slab->place == SLAB_CPU_PARTIAL;
}

static bool empty(const struct slab *slab)
{
	return slab->free == slab->objects;
}

static void set_place(struct task *t, struct slab *slab, enum slab_place place)
{
	static const char *const names[] = {"nowhere", "cpu", "cpu partial", "partial", "full"};

	touch_slab(t, slab);
	slab->place = (uint8_t)place;
	trace(t, OBJ_STATE, .obj = slab->id, .str = names[place]);
}

static struct slab *slab_new(struct task *t, struct kmem_cache *s)
{
	struct mm *mm = mm_of(t->w);
	struct slab *slab = mm->free_slabs;

	if (slab) {
		mm->free_slabs = (struct slab *)slab->node.next;
		memset(slab, 0, sizeof(*slab));
	} else {
		slab = world_alloc(t->w, sizeof(*slab));
	}
	slab->id = world_new_id(t->w, OBJ_SLAB);
	slab->cache = s;
	slab->objects = s->objects_per_slab;
	list_init(&slab->node);
	return slab;
}

static void __free_slab(struct task *t, struct slab *slab)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);

	if (slab->charged)
		mm->ops->uncharge_slab(t, slab->cache, slab);
	if (slab->vector)
		mm->ops->slab_freed(t, slab);
	t->reclaimed_slab += slab->cache->pages_per_slab;
	sched_point(t, COST_PAGE_ALLOC);
	touch(t->w, slab->id, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = slab->id, .str = "__free_slab");
	slab->node.next = (struct list *)mm->free_slabs;
	mm->free_slabs = slab;
}

/* Only the page knows its cache: this is what the cache's memory has to wait for. */
static void rcu_free_slab(struct task *t, struct rcu_head *head)
{
	struct slab *slab = container_of(head, struct slab, rcu);

	trace_access(t, slab->cache->id, FIELD_SLAB, ACCESS_READ, "rcu_free_slab.slab_cache");
	__free_slab(t, slab);
}

/*
 * The cache's count drops at once, the charge and the cache's reference up to a grace
 * period later.
 */
static void discard_slab(struct task *t, struct slab *slab)
{
	FRAME(t);
	struct kmem_cache *s = slab->cache;
	bool deferred = s->flags & SLAB_TYPESAFE_BY_RCU;

	sched_access(t, s->id, FIELD_SLAB, ACCESS_RMW, "discard_slab.nr_slabs");
	s->node.nr_slabs--;
	slab->place = SLAB_NOWHERE;
	trace(t, SLAB_DISCARD, .obj = slab->id, .arg = {(int64_t)s->id, deferred});
	if (deferred)
		call_rcu(t, &slab->rcu, rcu_free_slab, slab->id);
	else
		__free_slab(t, slab);
}

static void discard_list(struct task *t, struct list *discard)
{
	struct list *node;

	while ((node = list_pop(discard)) != NULL)
		discard_slab(t, container_of(node, struct slab, node));
}

static struct slab *allocate_slab(struct task *t, struct kmem_cache *s)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);
	struct slab *slab;

	/* The page allocator sleeps, and may take long. */
	local_irq_enable(t);
	might_sleep(t);
	sched_point(t, COST_PAGE_ALLOC);
	slab = fault_point(t, "alloc_slab_page") ? NULL : slab_new(t, s);
	if (slab && !is_root_cache(s) && mm->ops->charge_slab(t, s, slab)) {
		touch(t->w, slab->id, FIELD_LIFE, ACCESS_WRITE);
		trace(t, OBJ_FREE, .obj = slab->id, .str = "charge_slab_page failed");
		slab = NULL;
	}
	local_irq_disable(t);
	if (!slab)
		return NULL;
	sched_access(t, s->id, FIELD_SLAB, ACCESS_RMW, "allocate_slab.nr_slabs");
	s->node.nr_slabs++;
	trace(t, SLAB_ALLOC, .obj = slab->id,
	      .arg = {(int64_t)s->id, s->pages_per_slab, s->objects_per_slab});
	return slab;
}

/* ---- the node's partial list --------------------------------------------------- */

static void add_partial(struct task *t, struct kmem_cache_node *n, struct slab *slab)
{
	touch_partial(t, n);
	list_add_tail(&slab->node, &n->partial);
	n->nr_partial++;
	set_place(t, slab, SLAB_NODE_PARTIAL);
}

static void remove_partial(struct task *t, struct kmem_cache_node *n, struct slab *slab)
{
	touch_partial(t, n);
	list_del(&slab->node);
	n->nr_partial--;
}

/* list_lock held: @slab is not frozen any more.  True if the caller has to discard it. */
static bool unfreeze(struct task *t, struct kmem_cache *s, struct slab *slab)
{
	sched_access(t, s->id, FIELD_PARTIAL_LIMITS, ACCESS_READ, "unfreeze.min_partial");
	if (empty(slab) && s->node.nr_partial >= s->min_partial) {
		set_place(t, slab, SLAB_NOWHERE);
		return true;
	}
	if (slab->free > 0)
		add_partial(t, &s->node, slab);
	else
		set_place(t, slab, SLAB_FULL);
	return false;
}

/* Interrupts off: move this CPU's partial slabs to the node. */
static void unfreeze_partials(struct task *t, struct kmem_cache *s, struct kmem_cache_cpu *c)
{
	FRAME(t);
	struct list discard, *node;

	if (list_empty(&c->partial))
		return;
	list_init(&discard);
	spin_lock(t, &s->node.list_lock);
	touch_cpu_slab(t, s);
	while ((node = list_pop(&c->partial)) != NULL) {
		struct slab *slab = container_of(node, struct slab, node);

		if (unfreeze(t, s, slab))
			list_add_tail(&slab->node, &discard);
	}
	c->partial_objects = 0;
	spin_unlock(t, &s->node.list_lock);
	discard_list(t, &discard);
}

/* Interrupts off: this CPU gives up its slab. */
static void deactivate_slab(struct task *t, struct kmem_cache *s, struct kmem_cache_cpu *c)
{
	FRAME(t);
	struct slab *slab = c->slab;
	bool discard;

	touch_slab(t, slab);
	touch_cpu_slab(t, s);
	c->slab = NULL;
	spin_lock(t, &s->node.list_lock);
	touch_slab(t, slab);
	slab->free += c->free;
	c->free = 0;
	discard = unfreeze(t, s, slab);
	spin_unlock(t, &s->node.list_lock);
	if (discard)
		discard_slab(t, slab);
}

static void flush_cpu_slab(struct task *t, void *arg)
{
	struct kmem_cache *s = arg;
	struct kmem_cache_cpu *c = &s->cpu[t->cpu->nr];

	sched_access(t, s->id, cpu_slab_field(t->cpu->nr), ACCESS_RMW, "flush_cpu_slab.slab");
	if (c->slab)
		deactivate_slab(t, s, c);
	unfreeze_partials(t, s, c);
}

static void flush_all(struct task *t, struct kmem_cache *s)
{
	FRAME(t);
	uint64_t mask = 0;

	/* A CPU that gets a slab right after it was looked at is missed. */
	preempt_disable(t);
	for (unsigned int i = 0; i < t->w->config.nr_cpus; i++) {
		sched_read(t, s->id, cpu_slab_field(i), "has_cpu_slab");
		if (s->cpu[i].slab || !list_empty(&s->cpu[i].partial))
			mask |= UINT64_C(1) << i;
	}
	if (mask)
		on_each_cpu_mask(t, mask, "flush_cpu_slab", flush_cpu_slab, s);
	preempt_enable(t);
}

/* ---- allocation -------------------------------------------------------------------- */

static struct object *object_new(struct task *t, struct slab *slab)
{
	struct mm *mm = mm_of(t->w);
	struct object *obj = mm->free_objects;

	if (obj)
		mm->free_objects = (struct object *)obj->slab;
	else
		obj = world_alloc(t->w, sizeof(*obj));
	obj->id = world_new_id(t->w, OBJ_OBJ);
	obj->slab = slab;
	obj->objcg = NULL;
	slab->cache->nr_live++;
	trace(t, OBJECT_ALLOC, .obj = obj->id,
	      .arg = {(int64_t)slab->cache->id, (int64_t)slab->id});
	return obj;
}

static void take_freelist(struct task *t, struct kmem_cache_cpu *c, struct slab *slab)
{
	touch_slab(t, slab);
	touch_cpu_slab(t, slab->cache);
	c->slab = slab;
	c->free = slab->free;
	slab->free = 0;
	if (slab->place != SLAB_CPU)
		set_place(t, slab, SLAB_CPU);
}

/* Interrupts off: from the node's list, the first for use now, some more for later. */
static bool get_partial_node(struct task *t, struct kmem_cache *s, struct kmem_cache_cpu *c)
{
	FRAME(t);
	uint32_t available = 0;
	bool found = false;

	touch_partial(t, &s->node);
	if (s->node.nr_partial == 0)
		return false;
	spin_lock(t, &s->node.list_lock);
	while (!list_empty(&s->node.partial)) {
		struct slab *slab = container_of(s->node.partial.next, struct slab, node);

		remove_partial(t, &s->node, slab);
		available += slab->free;
		if (!found) {
			take_freelist(t, c, slab);
			found = true;
		} else {
			touch_cpu_slab(t, s);
			c->partial_objects += slab->free;
			list_add_tail(&slab->node, &c->partial);
			set_place(t, slab, SLAB_CPU_PARTIAL);
		}
		if (available > s->cpu_partial / 2)
			break;
	}
	spin_unlock(t, &s->node.list_lock);
	return found;
}

/* Interrupts off: find or make a slab with a free object for this CPU. */
static bool refill_cpu_slab(struct task *t, struct kmem_cache *s)
{
	struct kmem_cache_cpu *c = &s->cpu[t->cpu->nr];
	struct slab *slab;

	touch_cpu_slab(t, s);
	if (c->slab && c->free == 0) {
		touch_slab(t, c->slab);
		/* Others may have freed into the page itself. */
		if (c->slab->free > 0) {
			take_freelist(t, c, c->slab);
			return true;
		}
		set_place(t, c->slab, SLAB_FULL);
		c->slab = NULL;
	}
	if (c->slab)
		return true;
	if (!list_empty(&c->partial)) {
		slab = container_of(list_pop(&c->partial), struct slab, node);
		c->partial_objects -= slab->free < c->partial_objects ? slab->free
								      : c->partial_objects;
		take_freelist(t, c, slab);
		if (c->free > 0)
			return true;
	}
	if (get_partial_node(t, s, c))
		return true;

	slab = allocate_slab(t, s);
	if (!slab)
		return false;
	c = &s->cpu[t->cpu->nr];
	/* Somebody else gave this CPU a slab while the page allocator slept. */
	if (c->slab)
		deactivate_slab(t, s, c);
	slab->free = slab->objects;
	take_freelist(t, c, slab);
	return true;
}

static struct object *___slab_alloc(struct task *t, struct kmem_cache *s)
{
	FRAME(t);
	struct object *obj = NULL;

	local_irq_disable(t);
	for (;;) {
		struct kmem_cache_cpu *c = &s->cpu[t->cpu->nr];

		sched_access(t, s->id, cpu_slab_field(t->cpu->nr), ACCESS_RMW,
			     "___slab_alloc.freelist");
		if (c->slab && c->free > 0) {
			c->free--;
			obj = object_new(t, c->slab);
			break;
		}
		if (!refill_cpu_slab(t, s))
			break;
	}
	local_irq_enable(t);
	return obj;
}

static struct object *slab_alloc(struct task *t, struct kmem_cache *s)
{
	FRAME(t);
	struct kmem_cache_cpu *c;

	sched_access(t, s->id, cpu_slab_field(t->cpu->nr), ACCESS_RMW, "slab_alloc.freelist");
	c = &s->cpu[t->cpu->nr];
	if (!c->slab || c->free == 0)
		return ___slab_alloc(t, s);
	c->free--;
	return object_new(t, c->slab);
}

/* The object itself is charged. */
static struct object *alloc_charged(struct task *t, struct kmem_cache *s, struct list_lru *lru)
{
	struct mm *mm = mm_of(t->w);
	struct obj_cgroup *objcg = NULL;
	struct object *obj = NULL;

	if (mm->ops->alloc_begin(t, s, lru, &objcg)) {
		obj = slab_alloc(t, s);
		if (!mm->ops->alloc_end(t, s, lru, objcg, obj)) {
			kmem_cache_free(t, obj);
			obj = NULL;
		}
	}
	if (!obj)
		trace(t, OBJECT_ALLOC, .arg = {(int64_t)s->id});
	return obj;
}

static struct object *alloc_object(struct task *t, struct kmem_cache *root, struct list_lru *lru)
{
	struct mm *mm = mm_of(t->w);
	struct kmem_cache *s = root;
	struct object *obj;

	if (root->flags & SLAB_ACCOUNT && mm->ops->alloc_begin)
		return alloc_charged(t, root, lru);
	if (root->flags & SLAB_ACCOUNT)
		s = mm->ops->get_cache(t, root);
	obj = slab_alloc(t, s);
	if (!obj)
		trace(t, OBJECT_ALLOC, .arg = {(int64_t)s->id});
	if (s != root)
		mm->ops->put_cache(t, s);
	return obj;
}

struct object *kmem_cache_alloc(struct task *t, struct kmem_cache *root)
{
	FRAME(t);

	return alloc_object(t, root, NULL);
}

struct object *kmem_cache_alloc_lru(struct task *t, struct kmem_cache *root, struct list_lru *lru)
{
	FRAME(t);

	return alloc_object(t, root, lru);
}

/* ---- freeing -------------------------------------------------------------------------- */

static void put_cpu_partial(struct task *t, struct kmem_cache *s, struct slab *slab)
{
	FRAME(t);
	struct kmem_cache_cpu *c;

	preempt_disable(t);
	local_irq_disable(t);
	c = &s->cpu[t->cpu->nr];
	sched_read(t, s->id, FIELD_PARTIAL_LIMITS, "put_cpu_partial.cpu_partial");
	if (c->partial_objects > s->cpu_partial)
		unfreeze_partials(t, s, c);
	touch_cpu_slab(t, s);
	list_add(&slab->node, &c->partial);
	c->partial_objects += slab->free;
	local_irq_enable(t);

	local_irq_disable(t);
	c = &s->cpu[t->cpu->nr];
	sched_read(t, s->id, FIELD_PARTIAL_LIMITS, "put_cpu_partial.zero");
	if (s->cpu_partial == 0)
		unfreeze_partials(t, s, c);
	local_irq_enable(t);
	preempt_enable(t);
}

/*
 * The last object of a slab on the node's list: list_lock decides who takes it off.  False if the
 * slab was frozen or filled up while we waited for the lock.
 */
static bool free_to_node(struct task *t, struct kmem_cache *s, struct slab *slab)
{
	struct kmem_cache_node *n = &s->node;
	bool last, discard;

	spin_lock_irq(t, &n->list_lock);
	touch_slab(t, slab);
	last = slab->place == SLAB_NODE_PARTIAL && slab->free + 1 == slab->objects;
	slab->free += last;
	discard = last && n->nr_partial >= s->min_partial;
	if (discard) {
		remove_partial(t, n, slab);
		set_place(t, slab, SLAB_NOWHERE);
	}
	spin_unlock_irq(t, &n->list_lock);
	if (discard)
		discard_slab(t, slab);
	return last;
}

static void __slab_free(struct task *t, struct kmem_cache *s, struct slab *slab)
{
	FRAME(t);

	do {
		sched_access(t, slab->id, FIELD_SLAB, ACCESS_RMW, "__slab_free.freelist");
		if (slab->place == SLAB_FULL) {
			slab->free++;
			set_place(t, slab, SLAB_CPU_PARTIAL);
			put_cpu_partial(t, s, slab);
			return;
		}
		/* A frozen one is some CPU's: only that CPU ever gives it up. */
		if (frozen(slab) || slab->free + 1 < slab->objects) {
			slab->free++;
			return;
		}
	} while (!free_to_node(t, s, slab));
}

void kmem_cache_free(struct task *t, struct object *obj)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);
	struct slab *slab = obj->slab;
	struct kmem_cache *s = slab->cache;
	struct kmem_cache_cpu *c;
	oid_t id = obj->id;
	bool local;

	touch(t->w, slab->id, FIELD_VECTOR, ACCESS_READ);
	if (slab->vector)
		mm->ops->object_freed(t, obj);
	sched_access(t, s->id, cpu_slab_field(t->cpu->nr), ACCESS_RMW, "slab_free.freelist");
	c = &s->cpu[t->cpu->nr];
	local = c->slab == slab;
	touch(t->w, id, FIELD_LIFE, ACCESS_WRITE);
	s->nr_live--;
	obj->slab = (struct slab *)mm->free_objects;
	obj->id = 0;
	mm->free_objects = obj;
	trace(t, OBJECT_FREE, .obj = id, .arg = {(int64_t)s->id, (int64_t)slab->id, !local});
	if (local)
		c->free++;
	else
		__slab_free(t, s, slab);
}

/* ---- shrink and shutdown --------------------------------------------------------------- */

bool __kmem_cache_shrink(struct task *t, struct kmem_cache *s)
{
	FRAME(t);
	struct kmem_cache_node *n = &s->node;
	struct list discard;

	flush_all(t, s);
	list_init(&discard);
	spin_lock_irq(t, &n->list_lock);
	list_for_each_safe(node, next, &n->partial) {
		struct slab *slab = container_of(node, struct slab, node);

		if (empty(slab)) {
			remove_partial(t, n, slab);
			set_place(t, slab, SLAB_NOWHERE);
			list_add_tail(&slab->node, &discard);
		}
	}
	spin_unlock_irq(t, &n->list_lock);
	discard_list(t, &discard);
	sched_read(t, s->id, FIELD_SLAB, "__kmem_cache_shrink.nr_slabs");
	trace(t, CACHE_SHRINK, .obj = s->id, .arg = {n->nr_slabs});
	return n->nr_slabs != 0;
}

void kmem_cache_shrink(struct task *t, struct kmem_cache *s)
{
	FRAME(t);

	get_online_cpus_mems(t);
	__kmem_cache_shrink(t, s);
	put_online_cpus_mems(t);
}

int slab_attr_store(struct task *t, struct kmem_cache *s)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);

	if (!sysfs_get_active(t, &s->kobj))
		return -ENODEV;
	kmem_cache_shrink(t, s);
	if (mm->ops->get_cache) {
		/* Differs: a child is shrunk without taking the hotplug locks once more. */
		mutex_lock(t, &mm->slab_mutex);
		list_for_each(node, &s->params.children)
			__kmem_cache_shrink(
				t, container_of(node, struct kmem_cache, params.children_node));
		mutex_unlock(t, &mm->slab_mutex);
	}
	sysfs_put_active(t, &s->kobj);
	return 0;
}

/* 0, or the number of slabs that keep the cache alive; what was empty is gone either way. */
static int64_t __kmem_cache_shutdown(struct task *t, struct kmem_cache *s)
{
	FRAME(t);
	struct kmem_cache_node *n = &s->node;
	struct list discard;

	flush_all(t, s);
	list_init(&discard);
	spin_lock_irq(t, &n->list_lock);
	list_for_each_safe(node, next, &n->partial) {
		struct slab *slab = container_of(node, struct slab, node);

		if (!empty(slab))
			continue;
		remove_partial(t, n, slab);
		set_place(t, slab, SLAB_NOWHERE);
		list_add_tail(&slab->node, &discard);
	}
	spin_unlock_irq(t, &n->list_lock);
	discard_list(t, &discard);
	sched_read(t, s->id, FIELD_SLAB, "__kmem_cache_shutdown.nr_slabs");
	if (n->nr_slabs == 0 && !mm_of(t->w)->config.sysfs_inline)
		sysfs_slab_remove(t, s);
	return n->nr_slabs;
}

static void retire(struct task *t, struct kmem_cache *s)
{
	struct mm *mm = mm_of(t->w);

	if (mm->config.collects_retired) {
		list_add_tail(&s->list, &mm->retired);
		return;
	}
	/* release_cache() does it all. */
	if (mm->config.barrier_in_destroy)
		return;
	if (!mm->config.sysfs_del_by_work && !mm->config.release_unlocked)
		kobject_del(t, &s->kobj);
	if (s->flags & SLAB_TYPESAFE_BY_RCU) {
		list_add_tail(&s->list, &mm->rcu_destroy);
		schedule_work(t, &mm->rcu_destroy_work);
	} else if (!mm->config.release_unlocked) {
		kobject_put(t, &s->kobj);
	}
}

void take_retired(struct task *t, struct list *release)
{
	list_init(release);
	list_splice_tail(&mm_of(t->w)->retired, release);
}

void release_retired(struct task *t, struct list *release)
{
	bool barrier = false;
	struct list *node;

	list_for_each(pos, release)
		barrier |= (container_of(pos, struct kmem_cache, list)->flags &
			    SLAB_TYPESAFE_BY_RCU) != 0;
	if (barrier && !mm_of(t->w)->config.no_barrier_typesafe)
		rcu_barrier(t, RCU_NORMAL);
	while ((node = list_pop(release)) != NULL) {
		struct kmem_cache *s = container_of(node, struct kmem_cache, list);

		kobject_del(t, &s->kobj);
		kobject_put(t, &s->kobj);
	}
}

int shutdown_cache(struct task *t, struct kmem_cache *s)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);
	int64_t slabs = __kmem_cache_shutdown(t, s);

	trace(t, CACHE_SHUTDOWN, .obj = s->id,
	      .arg = {slabs ? -EBUSY : 0, slabs, (int64_t)s->nr_live});
	if (slabs && !mm->config.barrier_in_destroy)
		return -EBUSY;
	mm->ops->unlink_cache(t, s);
	sched_write(t, mm->globals, FIELD_LIST, "shutdown_cache.slab_caches");
	list_del(&s->list);
	retire(t, s);
	return slabs ? -EBUSY : 0;
}

void release_cache(struct task *t, struct kmem_cache *s, int err)
{
	FRAME_NAMED(t, "kmem_cache_release");
	const struct mm_config *config = &mm_of(t->w)->config;
	bool typesafe = s->flags & SLAB_TYPESAFE_BY_RCU;

	if (config->barrier_in_destroy) {
		kobject_del(t, &s->kobj);
		/* Objects remain: the name is free, the memory is lost. */
		if (err)
			return;
		if (typesafe && !config->no_barrier_typesafe)
			rcu_barrier(t, RCU_NORMAL);
		kobject_put(t, &s->kobj);
	} else if (config->release_unlocked && !err && !typesafe) {
		kobject_del(t, &s->kobj);
		kobject_put(t, &s->kobj);
	}
}

void slab_caches_to_rcu_destroy_workfn(struct task *t, struct work_struct *work)
{
	struct mm *mm = mm_of(t->w);
	struct list to_destroy, *node;

	(void)work;
	list_init(&to_destroy);
	mutex_lock(t, &mm->slab_mutex);
	list_splice_tail(&mm->rcu_destroy, &to_destroy);
	mutex_unlock(t, &mm->slab_mutex);
	if (list_empty(&to_destroy))
		return;
	if (!mm->config.no_barrier_typesafe)
		rcu_barrier(t, RCU_NORMAL);
	while ((node = list_pop(&to_destroy)) != NULL) {
		struct kmem_cache *s = container_of(node, struct kmem_cache, list);

		if (mm->config.release_unlocked)
			kobject_del(t, &s->kobj);
		kobject_put(t, &s->kobj);
	}
}

/* ---- release --------------------------------------------------------------------------------- */

static void slab_kmem_cache_release(struct task *t, struct kobject *kobj)
{
	FRAME(t);
	struct kmem_cache *s = container_of(kobj, struct kmem_cache, kobj);
	struct mm *mm = mm_of(t->w);

	sched_write(t, s->id, FIELD_LIST, "slab_kmem_cache_release.nodes");
	mm->ops->destroy_params(t, s);
	/* The memory stays ours: a late user must meet what it left, not another object. */
	touch(t->w, s->id, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = s->id, .str = "slab_kmem_cache_release");
}

static void sysfs_slab_remove_workfn(struct task *t, struct work_struct *work)
{
	struct kmem_cache *s = container_of(work, struct kmem_cache, kobj_remove_work);

	sched_point(t, COST_SYSFS);
	touch(t->w, s->kobj.id, 0, ACCESS_READ);
	if (s->kobj.in_sysfs)
		trace(t, OBJ_STATE, .obj = s->kobj.id, .str = "uevent remove");
	if (mm_of(t->w)->config.sysfs_del_by_work)
		kobject_del(t, &s->kobj);
	kobject_put(t, &s->kobj);
}

void sysfs_slab_remove(struct task *t, struct kmem_cache *s)
{
	FRAME(t);

	kobject_get(t, &s->kobj);
	/* Differs: v5.3 keeps the reference, and the cache, if the first one is still queued. */
	if (!schedule_work(t, &s->kobj_remove_work))
		kobject_put(t, &s->kobj);
}

/*
 * ---- creation
 * -----------------------------------------------------------------------------------
 */

struct memcg_cache_array *new_cache_array(struct task *t, uint32_t size)
{
	struct memcg_cache_array *arr;

	arr = world_alloc(t->w, sizeof(*arr) + size * sizeof(arr->entries[0]));
	arr->id = world_new_id(t->w, OBJ_ARRAY);
	arr->size = size;
	return arr;
}

static uint32_t default_cpu_partial(uint32_t size)
{
	return size >= PAGE_BYTES ? 2 : size >= 1024 ? 6 : size >= 256 ? 13 : 30;
}

static uint32_t default_min_partial(uint32_t size)
{
	uint32_t half = (31 - (uint32_t)__builtin_clz(size)) / 2;

	return half < MIN_PARTIAL ? MIN_PARTIAL : half > MAX_PARTIAL ? MAX_PARTIAL : half;
}

static void set_geometry(struct kmem_cache *s, uint32_t object_size, uint32_t objects_per_slab)
{
	uint32_t bytes;

	s->object_size = object_size;
	s->size = (object_size + 7) & ~7u;
	s->pages_per_slab = 1;
	if (objects_per_slab) {
		bytes = s->size * objects_per_slab;
		while (s->pages_per_slab * PAGE_BYTES < bytes && s->pages_per_slab < 128)
			s->pages_per_slab *= 2;
	} else {
		while (s->pages_per_slab * PAGE_BYTES < s->size)
			s->pages_per_slab *= 2;
		objects_per_slab = s->pages_per_slab * PAGE_BYTES / s->size;
	}
	s->objects_per_slab = objects_per_slab > OBJECTS_MAX ? OBJECTS_MAX : objects_per_slab;
	s->cpu_partial = default_cpu_partial(s->size);
	s->min_partial = default_min_partial(s->size);
}

static struct kmem_cache *cache_new(struct task *t, const char *name, const struct kmem_cache *like)
{
	struct world *w = t->w;
	struct kmem_cache *s = world_alloc(w, sizeof(*s));

	*s = *like;
	s->id = world_new_id(w, OBJ_CACHE);
	s->name = arena_strdup(w->arena, name);
	s->cpu = world_alloc(w, w->config.nr_cpus * sizeof(*s->cpu));
	for (unsigned int i = 0; i < w->config.nr_cpus; i++)
		list_init(&s->cpu[i].partial);
	memset(&s->node, 0, sizeof(s->node));
	spin_lock_init(w, &s->node.list_lock, "kmem_cache_node.list_lock");
	list_init(&s->node.partial);
	memset(&s->params, 0, sizeof(s->params));
	memset(&s->kobj, 0, sizeof(s->kobj));
	memset(&s->kobj_remove_work, 0, sizeof(s->kobj_remove_work));
	s->nr_live = 0;
	list_init(&s->list);
	list_init(&s->params.root_caches_node);
	list_init(&s->params.children);
	list_init(&s->params.children_node);
	list_init(&s->params.kmem_caches_node);
	return s;
}

struct kmem_cache *create_cache(struct task *t, const char *name, const struct kmem_cache *like,
				struct kmem_cache *root, struct mem_cgroup *memcg, int *err)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);
	struct kmem_cache *s;

	*err = -ENOMEM;
	sched_point(t, COST_OBJECT_INIT);
	if (fault_point(t, "create_cache"))
		return NULL;
	s = cache_new(t, name, like);
	s->params.root_cache = root;
	trace(t, CACHE_CREATE, .obj = s->id,
	      .arg = {root ? (int64_t)root->id : 0, memcg ? (int64_t)memcg->css.of : 0,
		      s->object_size},
	      .str = s->name);
	*err = mm->ops->init_params(t, s);
	if (*err)
		goto out_free;
	*err = kobject_init_and_add(t, &s->kobj, s->id, s->name, slab_kmem_cache_release);
	if (*err)
		goto out_params;
	INIT_WORK(t, &s->kobj_remove_work, sysfs_slab_remove_workfn, s->id);
	s->refcount = 1;
	if (!root)
		trace(t, REF_INIT, .obj = s->id, .arg = {1, false}, .str = "refcount");
	sched_write(t, mm->globals, FIELD_LIST, "create_cache.slab_caches");
	list_add(&s->list, &mm->slab_caches);
	mm->ops->link_cache(t, s, memcg);
	trace(t, OBJ_STATE, .obj = s->id, .str = "active");
	return s;

out_params:
	mm->ops->destroy_params(t, s);
out_free:
	touch(t->w, s->id, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = s->id, .str = "create_cache");
	return NULL;
}

/* A root that nobody uses any more, since its destruction failed, can be had again. */
static bool unmergeable(struct task *t, const struct kmem_cache *s)
{
	return !is_root_cache(s) || s->flags & (SLAB_TYPESAFE_BY_RCU | SLAB_NO_MERGE) ||
	       s->refcount < 0 || !mm_of(t->w)->ops->may_merge(t, s);
}

static struct kmem_cache *find_mergeable(struct task *t, const struct kmem_cache *like)
{
	if (like->flags & (SLAB_TYPESAFE_BY_RCU | SLAB_NO_MERGE))
		return NULL;
	list_for_each(node, &mm_of(t->w)->slab_root_caches) {
		struct kmem_cache *s =
			container_of(node, struct kmem_cache, params.root_caches_node);

		if (!unmergeable(t, s) && like->size <= s->size &&
		    s->size - like->size < sizeof(void *) &&
		    ((s->flags ^ like->flags) & SLAB_ACCOUNT) == 0)
			return s;
	}
	return NULL;
}

/* The cache and its children serve the larger object from now on. */
static void raise_object_size(struct kmem_cache *s, uint32_t size)
{
	if (size <= s->object_size)
		return;
	s->object_size = size;
	list_for_each(node, &s->params.children)
		container_of(node, struct kmem_cache, params.children_node)->object_size = size;
}

/* slab_mutex held. */
static struct kmem_cache *create_or_alias(struct task *t, const char *name,
					  const struct kmem_cache *like, int *err)
{
	struct kmem_cache *s;

	sched_read(t, mm_of(t->w)->globals, FIELD_LIST, "find_mergeable.slab_root_caches");
	s = find_mergeable(t, like);
	if (!s)
		return create_cache(t, name, like, NULL, NULL, err);
	sched_access(t, s->id, FIELD_REFCOUNT, ACCESS_RMW, "__kmem_cache_alias.refcount");
	s->refcount++;
	raise_object_size(s, like->object_size);
	trace(t, REF_GET, .obj = s->id, .arg = {1, HOLD_USER});
	trace(t, CACHE_ALIAS, .obj = s->id, .arg = {s->refcount}, .str = name);
	return s;
}

struct kmem_cache *kmem_cache_create(struct task *t, const char *name, uint32_t object_size,
				     uint32_t objects_per_slab, uint32_t flags, int *err)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);
	struct kmem_cache like = {.flags = flags};
	struct kmem_cache *s;

	*err = 0;
	set_geometry(&like, object_size, objects_per_slab);
	get_online_cpus_mems(t);
	down_read(t, &mm->memcg_cache_ids_sem);
	mutex_lock(t, &mm->slab_mutex);
	s = create_or_alias(t, name, &like, err);
	mutex_unlock(t, &mm->slab_mutex);
	up_read(t, &mm->memcg_cache_ids_sem);
	put_online_cpus_mems(t);
	return s;
}

int kmem_cache_destroy(struct task *t, struct kmem_cache *s)
{
	FRAME(t);
	int err = mm_of(t->w)->ops->destroy_cache(t, s);

	trace(t, CACHE_DESTROY, .obj = s->id, .arg = {err, s->refcount});
	return err;
}
