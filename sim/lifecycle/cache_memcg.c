// SPDX-License-Identifier: GPL-2.0-only
/*
 * Child caches that belong to their memcg: v3.19 to v5.2.
 *
 * A slab page and an allocation in flight pin the memcg, and the memcg takes its
 * caches with it when it is freed.  From v4.0 on, offline clears the slots and has the caches
 * shrunk, so that no empty page pins the memcg: at once, with a wait in between,
 * or by a work item that is queued after a grace period.
 *
 * Upstream: mm/slab_common.c, mm/slub.c and mm/memcontrol.c.  Differs: a task's
 * memcg is that of its cgroup, not of its mm's owner.
 */
#include <errno.h>

#include "sim/kernel/smp.h"
#include "sim/lifecycle/children.h"

/* ---- lookup ---------------------------------------- */

/* The css reference lasts until the allocation is over. */
static struct mem_cgroup *get_mem_cgroup_from_mm(struct task *t)
{
	FRAME(t);

	return memcg_of_task(t, HOLD_ALLOC, "get_mem_cgroup_from_mm.css_set");
}

static void schedule_creation(struct task *t, struct mem_cgroup *memcg, struct kmem_cache *root)
{
	FRAME_NAMED(t, "memcg_schedule_kmem_cache_create");
	oid_t id = new_create_work(t);

	css_get(t, &memcg->css, HOLD_CREATE_WORK, id);
	queue_creation(t, memcg, root, id);
}

static struct kmem_cache *get_cache(struct task *t, struct kmem_cache *root)
{
	FRAME_NAMED(t, "memcg_kmem_get_cache");
	struct kmem_cache *child;
	struct mem_cgroup *memcg;
	int id;

	if (t->ctx != CTX_TASK)
		return root;
	memcg = get_mem_cgroup_from_mm(t);
	rcu_read_lock(t);
	child = child_in_slot(t, memcg, root, &id);
	rcu_read_unlock(t);
	trace(t, CACHE_LOOKUP, .obj = root->id,
	      .arg = {(int64_t)memcg->css.of, (int64_t)(child ? child->id : root->id),
		      child != NULL});
	if (child)
		return child;
	if (id >= 0)
		schedule_creation(t, memcg, root);
	css_put(t, &memcg->css, HOLD_ALLOC, t->id);
	return root;
}

static void put_cache(struct task *t, struct kmem_cache *cache)
{
	FRAME_NAMED(t, "memcg_kmem_put_cache");

	sched_read(t, cache->id, FIELD_CACHE_MEMCG, "memcg_kmem_put_cache.memcg");
	trace(t, CACHE_PUT, .obj = cache->id);
	css_put(t, &cache->params.memcg->css, HOLD_ALLOC, t->id);
}

/* ---- slab pages ---------------------------------------- */

static int charge_slab(struct task *t, struct kmem_cache *cache, struct slab *slab)
{
	FRAME_NAMED(t, "memcg_charge_slab");
	int64_t n = cache->pages_per_slab;
	struct mem_cgroup *memcg;
	int err;

	/* Pinned by the allocation, whether it is online or not. */
	sched_read(t, cache->id, FIELD_CACHE_MEMCG, "memcg_charge_slab.memcg");
	memcg = cache->params.memcg;
	err = try_charge_kmem(t, memcg, n);
	if (!err) {
		slab->charged = (uint8_t)n;
		slab->memcg = memcg;
		mod_memcg_state(t, memcg, MEMCG_STAT_SLAB, n);
		trace(t, REF_MOVE, .obj = memcg->css.of,
		      .arg = {n, HOLD_CHARGE, HOLD_SLAB_PAGE, (int64_t)slab->id});
	}
	trace(t, SLAB_CHARGE, .obj = slab->id,
	      .arg = {(int64_t)cache->id, (int64_t)memcg->css.of, n, err});
	return err;
}

static void uncharge_slab(struct task *t, struct kmem_cache *cache, struct slab *slab)
{
	FRAME_NAMED(t, "memcg_uncharge_slab");
	struct mem_cgroup *memcg = slab->memcg;
	int64_t n = slab->charged;

	if (!switches_of(t)->uncharge_by_page) {
		sched_read(t, cache->id, FIELD_CACHE_MEMCG, "memcg_uncharge_slab.memcg");
		memcg = cache->params.memcg;
	}
	mod_memcg_state(t, memcg, MEMCG_STAT_SLAB, -n);
	page_counter_uncharge(t, &memcg->kmem, n);
	page_counter_uncharge(t, &memcg->memory, n);
	slab->charged = 0;
	slab->memcg = NULL;
	trace(t, SLAB_UNCHARGE, .obj = slab->id,
	      .arg = {(int64_t)cache->id, (int64_t)memcg->css.of, n});
	css_put_many(t, &memcg->css, n, HOLD_SLAB_PAGE, slab->id);
}

/* The object's page pins its memcg. */
static struct mem_cgroup *memcg_from_obj(struct task *t, struct object *obj)
{
	FRAME_NAMED(t, "mem_cgroup_from_kmem");
	struct kmem_cache *cache = obj->slab->cache;

	if (switches_of(t)->uncharge_by_page) {
		touch(t->w, obj->slab->id, FIELD_CACHE_MEMCG, ACCESS_READ);
		return obj->slab->memcg;
	}
	if (is_root_cache(cache))
		return NULL;
	sched_read(t, cache->id, FIELD_CACHE_MEMCG, "mem_cgroup_from_kmem.memcg");
	return cache->params.memcg;
}

/* ---- offline: at once ---------------------------------------- */

static void clear_child(struct task *t, struct kmem_cache *child)
{
	clear_slot(t, child->params.root_cache, child->params.memcg->kmemcg_id,
		   "memcg_deactivate_kmem_caches.clear");
}

static void do_nothing(struct task *t, void *arg)
{
	(void)t;
	(void)arg;
}

static void kick_all_cpus_sync(struct task *t)
{
	FRAME(t);
	uint64_t all = UINT64_MAX >> (64 - t->w->config.nr_cpus);

	on_each_cpu_mask(t, all, "do_nothing", do_nothing, NULL);
}

static void set_limits(struct task *t, struct kmem_cache *child)
{
	zero_partial_limits(t, child, "kmem_cache_shrink.limits");
}

static void shrink_child(struct task *t, struct kmem_cache *child)
{
	__kmem_cache_shrink(t, child);
	trace(t, CACHE_DEACTIVATE, .obj = child->id, .arg = {false});
	clear_child(t, child);
}

/* Whoever read the old limits, with interrupts or preemption off, must be done before the flush. */
static void deactivate_and_wait(struct task *t, struct kmem_cache *child)
{
	set_limits(t, child);
	if (switches_of(t)->deactivate == DEACTIVATE_IPI)
		kick_all_cpus_sync(t);
	else
		synchronize_rcu(t, RCU_SCHED);
	shrink_child(t, child);
}

static void deactivate_with_one_wait(struct task *t, struct mem_cgroup *memcg)
{
	struct mutex *slab_mutex = &mm_of(t->w)->slab_mutex;

	get_online_cpus_mems(t);
	mutex_lock(t, slab_mutex);
	for_each_slot_of(t, memcg, set_limits);
	mutex_unlock(t, slab_mutex);
	synchronize_rcu(t, RCU_SCHED);
	mutex_lock(t, slab_mutex);
	for_each_slot_of(t, memcg, shrink_child);
	mutex_unlock(t, slab_mutex);
	put_online_cpus_mems(t);
}

/* ---- offline: later ---------------------------------------- */

static void announce_removal(struct task *t, struct kmem_cache *cache)
{
	if (mm_of(t->w)->config.sysfs_inline)
		kobject_del(t, &cache->kobj);
	else
		sysfs_slab_remove(t, cache);
}

static void kmemcg_deactivate_workfn(struct task *t, struct work_struct *work)
{
	struct kmem_cache *cache = container_of(work, struct kmem_cache, params.work);

	lock_caches(t);
	/* Even an empty cache stays: somebody may be allocating from it. */
	if (!__kmem_cache_shrink(t, cache) && switches_of(t)->early_sysfs_removal)
		announce_removal(t, cache);
	unlock_caches(t);
	sched_read(t, cache->id, FIELD_CACHE_MEMCG, "kmemcg_deactivate_workfn.memcg");
	css_put(t, &cache->params.memcg->css, HOLD_CACHE, cache->id);
}

static void kmemcg_deactivate_rcufn(struct task *t, struct rcu_head *head)
{
	struct kmem_cache *cache = container_of(head, struct kmem_cache, params.rcu_head);

	/* The head's storage becomes the work item's. */
	INIT_WORK(t, &cache->params.work, kmemcg_deactivate_workfn, cache->id);
	queue_work(t, mm_of(t->w)->memcg_kmem_cache_wq, &cache->params.work);
}

static void deactivate_by_work(struct task *t, struct kmem_cache *child)
{
	FRAME_NAMED(t, "slab_deactivate_memcg_cache_rcu_sched");
	bool dying;

	zero_partial_limits(t, child, "__kmemcg_cache_deactivate.limits");
	dying = root_dying(t, child->params.root_cache, "slab_deactivate_memcg_cache.dying");
	if (!dying) {
		css_get(t, &child->params.memcg->css, HOLD_CACHE, child->id);
		call_rcu_sched(t, &child->params.rcu_head, kmemcg_deactivate_rcufn, child->id);
	}
	trace(t, CACHE_DEACTIVATE, .obj = child->id, .arg = {!dying});
	clear_child(t, child);
}

static void memcg_deactivate_kmem_caches(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	const struct switches *s = switches_of(t);

	/* Not reached without deactivation: the memcg keeps its index until it is freed. */
	if (s->deactivate == DEACTIVATE_GP_ONCE) {
		deactivate_with_one_wait(t, memcg);
		return;
	}
	lock_caches(t);
	for_each_slot_of(t, memcg,
			 s->deactivate == DEACTIVATE_BY_WORK ? deactivate_by_work
							     : deactivate_and_wait);
	unlock_caches(t);
}

/* ---- the end of a memcg ---------------------------------------- */

static void shutdown_child(struct task *t, struct kmem_cache *child)
{
	if (shutdown_cache(t, child)) {
		trace(t, WARN, .obj = child->id, .str = "BUG_ON(shutdown_cache(s))");
		return;
	}
	/* Its index was not given up before. */
	if (mm_of(t->w)->config.keeps_id)
		clear_child(t, child);
}

/* memcg_slab_mutex held.  The slot first, then the cache, each with a barrier of its own. */
static void memcg_unregister_cache(struct task *t, struct kmem_cache *child)
{
	FRAME(t);

	clear_child(t, child);
	shutdown_and_release(t, child);
}

static void memcg_unregister_all_caches(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);

	lock_children(t);
	list_for_each_safe(node, next, &memcg->kmem_caches)
		memcg_unregister_cache(
			t, container_of(node, struct kmem_cache, params.kmem_caches_node));
	unlock_children(t);
}

/* Before a memcg had a list of its caches: by looking at every cache of the system. */
static void shutdown_among_all(struct task *t, struct mem_cgroup *memcg)
{
	list_for_each_safe(node, next, &mm_of(t->w)->slab_caches) {
		struct kmem_cache *cache = container_of(node, struct kmem_cache, list);

		sched_read(t, cache->id, FIELD_CACHE_MEMCG, "memcg_destroy_kmem_caches.memcg");
		if (!is_root_cache(cache) && cache->params.memcg == memcg)
			shutdown_child(t, cache);
	}
}

static void memcg_destroy_kmem_caches(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	struct list release;

	if (mm_of(t->w)->config.memcg_slab_mutex) {
		memcg_unregister_all_caches(t, memcg);
		return;
	}
	lock_caches(t);
	if (switches_of(t)->free_walks_caches) {
		shutdown_among_all(t, memcg);
	} else {
		list_for_each_safe(node, next, &memcg->kmem_caches)
			shutdown_child(
				t, container_of(node, struct kmem_cache, params.kmem_caches_node));
	}
	take_retired(t, &release);
	unlock_caches(t);
	release_retired(t, &release);
}

/* ---- destruction of a root cache ---------------------------------------- */

/* slab_mutex held. */
static void memcg_set_kmem_cache_dying(struct task *t, struct kmem_cache *root)
{
	FRAME(t);

	if (switches_of(t)->destroy_without_dying)
		return;
	if (switches_of(t)->dying_takes_mutex)
		mutex_lock(t, &mm_of(t->w)->slab_mutex);
	sched_write(t, root->id, FIELD_DYING, "memcg_set_kmem_cache_dying.dying");
	root->params.dying = true;
	trace(t, CACHE_DYING, .obj = root->id, .arg = {root->refcount});
	if (switches_of(t)->dying_takes_mutex)
		mutex_unlock(t, &mm_of(t->w)->slab_mutex);
}

/* As in cache_ref.c: the fix of dying-on-alias keeps new users away. */
static bool may_merge(struct task *t, const struct kmem_cache *root)
{
	return switches_of(t)->dying_before_refcount || !root->params.dying;
}

static void flush_memcg_workqueue(struct task *t)
{
	FRAME(t);

	barrier_and_flush(t);
}

static void mark_and_flush(struct task *t, struct kmem_cache *root)
{
	struct mutex *slab_mutex = &mm_of(t->w)->slab_mutex;

	mutex_lock(t, slab_mutex);
	memcg_set_kmem_cache_dying(t, root);
	mutex_unlock(t, slab_mutex);
	flush_memcg_workqueue(t);
}

/* slab_mutex held, and given up for a while; true if others use @root still. */
static bool drop_user_and_flush(struct task *t, struct kmem_cache *root)
{
	const struct switches *s = switches_of(t);

	if (drop_user(t, root))
		return true;
	if (s->destroy_without_flush || s->dying_before_refcount)
		return false;
	memcg_set_kmem_cache_dying(t, root);
	/* The works that are flushed need what we hold. */
	unlock_caches(t);
	unlock_children(t);
	flush_memcg_workqueue(t);
	lock_children(t);
	lock_caches(t);
	return false;
}

/* memcg_slab_mutex comes before slab_mutex, so that one is dropped in the middle. */
static int destroy_in_two_sections(struct task *t, struct kmem_cache *root)
{
	struct list release;
	int err = 0;

	lock_caches(t);
	if (drop_user(t, root))
		goto out_unlock;
	unlock_caches(t);
	lock_children(t);
	list_for_each_safe(node, next, &root->params.children)
		memcg_unregister_cache(t,
				       container_of(node, struct kmem_cache, params.children_node));
	unlock_children(t);
	lock_caches(t);
	/* Nobody looks at the count of users again. */
	err = list_empty(&root->params.children) ? shutdown_cache(t, root) : -EBUSY;
out_unlock:
	take_retired(t, &release);
	unlock_caches(t);
	release_retired(t, &release);
	return err;
}

static int destroy_cache(struct task *t, struct kmem_cache *root)
{
	const struct switches *s = switches_of(t);
	struct list release;
	int err = 0;

	if (s->destroy_drops_mutex)
		return destroy_in_two_sections(t, root);
	if (!s->destroy_without_flush && s->dying_before_refcount)
		mark_and_flush(t, root);
	lock_children(t);
	lock_caches(t);
	if (!drop_user_and_flush(t, root)) {
		err = shutdown_memcg_caches(t, root);
		if (!err)
			err = shutdown_cache(t, root);
	}
	take_retired(t, &release);
	unlock_caches(t);
	unlock_children(t);
	release_retired(t, &release);
	return err;
}

/* ---- first and last steps ---------------------------------------- */

static int init_params(struct task *t, struct kmem_cache *cache)
{
	FRAME_NAMED(t, "init_memcg_params");

	if (is_root_cache(cache))
		init_root_array(t, cache);
	return 0;
}

static void link_cache(struct task *t, struct kmem_cache *cache, struct mem_cgroup *memcg)
{
	FRAME_NAMED(t, "memcg_link_cache");

	cache->params.memcg = memcg;
	link_lists(t, cache, memcg);
}

static void unlink_cache(struct task *t, struct kmem_cache *cache)
{
	FRAME_NAMED(t, "memcg_unlink_cache");

	unlink_lists(t, cache);
}

static void destroy_params(struct task *t, struct kmem_cache *cache)
{
	FRAME_NAMED(t, "destroy_memcg_params");

	if (is_root_cache(cache))
		free_root_array(t, cache);
}

const struct lifecycle_ops cache_memcg_ops = {
	.get_cache = get_cache,
	.put_cache = put_cache,
	.charge_slab = charge_slab,
	.uncharge_slab = uncharge_slab,
	.memcg_from_obj = memcg_from_obj,
	.offline_kmem = memcg_deactivate_kmem_caches,
	.free_kmem = memcg_destroy_kmem_caches,
	.may_merge = may_merge,
	.destroy_cache = destroy_cache,
	.init_params = init_params,
	.link_cache = link_cache,
	.unlink_cache = unlink_cache,
	.destroy_params = destroy_params,
};
