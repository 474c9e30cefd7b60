// SPDX-License-Identifier: GPL-2.0-only
/*
 * Child caches with a percpu_ref each: v5.3 to v5.8, and the posting before.
 *
 * A slab page and an allocation in flight pin the cache, the cache pins its
 * memcg by one css reference, and offlining moves that reference to the parent.
 * Offline clears the slot, waits a grace period, shrinks the cache and kills its
 * counter; the last reference queues the shutdown.
 *
 * Upstream: mm/slab_common.c, mm/slab.h and mm/memcontrol.c, f0a3a24b532d and
 * fb2f2b0adb98 (v5.3).  Differs: kernel threads have no active_memcg.
 */
#include <errno.h>

#include "sim/lifecycle/children.h"

static struct kmem_cache *cache_of(struct percpu_ref *ref)
{
	return container_of(ref, struct kmem_cache, params.refcnt);
}

/* ---- memcg_kmem_wq_lock ----------------------------------------------------------- */

static void wq_lock(struct task *t)
{
	struct spinlock *lock = &mm_of(t->w)->memcg_kmem_wq_lock;

	if (switches_of(t)->release_lock_plain)
		spin_lock(t, lock);
	else
		spin_lock_irq(t, lock);
}

static void wq_unlock(struct task *t)
{
	struct spinlock *lock = &mm_of(t->w)->memcg_kmem_wq_lock;

	if (switches_of(t)->release_lock_plain)
		spin_unlock(t, lock);
	else
		spin_unlock_irq(t, lock);
}

/* ---- lookup ----------------------------------------------------------------------------- */

/* The work item needs a reference of its own: the lookup takes none on the memcg. */
static void schedule_creation(struct task *t, struct mem_cgroup *memcg, struct kmem_cache *root)
{
	FRAME_NAMED(t, "memcg_schedule_kmem_cache_create");
	oid_t id = new_create_work(t);

	if (css_tryget_online(t, &memcg->css, HOLD_CREATE_WORK, id))
		queue_creation(t, memcg, root, id);
}

/* Inside a read section: the child of @memcg, pinned, or @root. */
static struct kmem_cache *pin_child(struct task *t, struct mem_cgroup *memcg,
				    struct kmem_cache *root)
{
	struct kmem_cache *child;
	int id;

	child = child_in_slot(t, memcg, root, &id);
	if (id < 0)
		return root;
	if (!child) {
		schedule_creation(t, memcg, root);
		return root;
	}
	/*
	 * The slot is cleared before the counter is killed, so a reader that still saw the
	 * child is waited for by the grace period of the switch: no _live needed.
	 */
	return percpu_ref_tryget(t, &child->params.refcnt, HOLD_ALLOC, t->id) ? child : root;
}

static struct kmem_cache *get_cache(struct task *t, struct kmem_cache *root)
{
	FRAME_NAMED(t, "memcg_kmem_get_cache");
	struct kmem_cache *cache = root;
	struct mem_cgroup *memcg;

	if (t->ctx != CTX_TASK)
		return root;
	rcu_read_lock(t);
	sched_read(t, t->id, FIELD_ONLINE, "memcg_kmem_get_cache.css_set");
	memcg = mem_cgroup_from_task(t);
	if (memcg && !mem_cgroup_is_root(memcg))
		cache = pin_child(t, memcg, root);
	trace(t, CACHE_LOOKUP, .obj = root->id,
	      .arg = {memcg ? (int64_t)memcg->css.of : 0, (int64_t)cache->id, cache != root});
	if (switches_of(t)->lookup_unlock_bug)
		rcu_read_lock(t);
	else
		rcu_read_unlock(t);
	return cache;
}

static void put_cache(struct task *t, struct kmem_cache *cache)
{
	FRAME_NAMED(t, "memcg_kmem_put_cache");

	trace(t, CACHE_PUT, .obj = cache->id);
	percpu_ref_put_many(t, &cache->params.refcnt, 1, HOLD_ALLOC, t->id);
}

/* ---- slab pages --------------------------------------------------------------------------- */

/* The nearest online memcg at or above the cache's, pinned. */
static struct mem_cgroup *get_charge_target(struct task *t, struct kmem_cache *cache)
{
	struct mem_cgroup *memcg;

	rcu_read_lock(t);
	sched_read(t, cache->id, FIELD_CACHE_MEMCG, "memcg_charge_slab.memcg");
	memcg = cache->params.memcg;
	while (memcg && !css_tryget_online(t, &memcg->css, HOLD_TEMP, cache->id))
		memcg = memcg->parent;
	rcu_read_unlock(t);
	return memcg;
}

/* The third posting: no reference, but a read section around a charge that may have to reclaim. */
static int charge_in_section(struct task *t, struct kmem_cache *cache, struct slab *slab)
{
	int64_t n = cache->pages_per_slab;
	struct mem_cgroup *memcg;
	bool root;
	int err;

	rcu_read_lock(t);
	sched_read(t, cache->id, FIELD_CACHE_MEMCG, "memcg_charge_slab.memcg");
	memcg = cache->params.memcg;
	root = mem_cgroup_is_root(memcg);
	might_sleep(t);
	err = root ? 0 : try_charge_kmem(t, memcg, n);
	if (!err) {
		slab->charged = (uint8_t)n;
		percpu_ref_get_many(t, &cache->params.refcnt, n, HOLD_SLAB_PAGE, slab->id);
	}
	trace(t, SLAB_CHARGE, .obj = slab->id,
	      .arg = {(int64_t)cache->id, (int64_t)memcg->css.of, n, err});
	if (!err && !root)
		css_put_many(t, &memcg->css, n, HOLD_CHARGE, 0);
	rcu_read_unlock(t);
	return err;
}

static int charge_slab(struct task *t, struct kmem_cache *cache, struct slab *slab)
{
	FRAME_NAMED(t, "memcg_charge_slab");
	int64_t n = cache->pages_per_slab;
	struct mem_cgroup *memcg;
	bool root;
	int err;

	if (switches_of(t)->charge_in_section)
		return charge_in_section(t, cache, slab);
	memcg = get_charge_target(t, cache);
	root = !memcg || mem_cgroup_is_root(memcg);
	err = root ? 0 : try_charge_kmem(t, memcg, n);

	if (!err) {
		slab->charged = (uint8_t)n;
		percpu_ref_get_many(t, &cache->params.refcnt, n, HOLD_SLAB_PAGE, slab->id);
	}
	trace(t, SLAB_CHARGE, .obj = slab->id,
	      .arg = {(int64_t)cache->id, memcg ? (int64_t)memcg->css.of : 0, n, err});
	if (root)
		return 0;
	if (!err)
		mod_memcg_state(t, memcg, MEMCG_STAT_SLAB, n);
	/* What try_charge() took for the pages is the cache's business now. */
	if (!err)
		css_put_many(t, &memcg->css, n, HOLD_CHARGE, 0);
	css_put(t, &memcg->css, HOLD_TEMP, cache->id);
	return err;
}

static void uncharge_slab(struct task *t, struct kmem_cache *cache, struct slab *slab)
{
	FRAME_NAMED(t, "memcg_uncharge_slab");
	int64_t n = slab->charged;
	struct mem_cgroup *memcg;

	rcu_read_lock(t);
	sched_read(t, cache->id, FIELD_CACHE_MEMCG, "memcg_uncharge_slab.memcg");
	memcg = cache->params.memcg;
	if (!memcg) {
		trace(t, NULL_DEREF, .obj = cache->id, .str = "memcg_params.memcg");
	} else if (!mem_cgroup_is_root(memcg)) {
		mod_memcg_state(t, memcg, MEMCG_STAT_SLAB, -n);
		page_counter_uncharge(t, &memcg->kmem, n);
		page_counter_uncharge(t, &memcg->memory, n);
	} else if (switches_of(t)->uncharges_root) {
		page_counter_uncharge(t, &memcg->memory, n);
	}
	rcu_read_unlock(t);
	slab->charged = 0;
	trace(t, SLAB_UNCHARGE, .obj = slab->id,
	      .arg = {(int64_t)cache->id, memcg ? (int64_t)memcg->css.of : 0, n});
	percpu_ref_put_many(t, &cache->params.refcnt, n, HOLD_SLAB_PAGE, slab->id);
}

/* Only a read section keeps what it returns: the cache may be reparented at any time. */
static struct mem_cgroup *memcg_from_obj(struct task *t, struct object *obj)
{
	FRAME_NAMED(t, "memcg_from_slab_page");
	struct kmem_cache *cache = obj->slab->cache;

	if (is_root_cache(cache))
		return NULL;
	sched_read(t, cache->id, FIELD_CACHE_MEMCG, "memcg_from_slab_page.memcg");
	return cache->params.memcg;
}

/* ---- the work item of a child cache ---------------------------------------------------------- */

static void kmemcg_cache_shutdown_fn(struct task *t, struct kmem_cache *cache)
{
	FRAME_NAMED(t, "kmemcg_cache_shutdown_fn");

	if (shutdown_cache(t, cache))
		trace(t, WARN, .obj = cache->id, .str = "shutdown of an unreferenced cache failed");
}

static void kmemcg_cache_deactivate_after_rcu(struct task *t, struct kmem_cache *cache)
{
	FRAME(t);

	if (!__kmem_cache_shrink(t, cache) && switches_of(t)->early_sysfs_removal)
		sysfs_slab_remove(t, cache);
	percpu_ref_kill(t, &cache->params.refcnt);
	trace(t, OBJ_STATE, .obj = cache->id, .str = "killed");
}

static void set_work_fn(struct task *t, struct kmem_cache *cache,
			void (*fn)(struct task *t, struct kmem_cache *cache), const char *site)
{
	sched_write(t, cache->id, FIELD_WORK_FN, site);
	cache->params.work_fn = fn;
}

/* The posting cleared work_fn once the function had returned: two slips in one store. */
static bool clears_work_fn(struct task *t, void (*fn)(struct task *t, struct kmem_cache *cache))
{
	const struct switches *s = switches_of(t);

	return fn == kmemcg_cache_shutdown_fn ? s->workfn_write_after_free : s->workfn_clobber;
}

static void kmemcg_workfn(struct task *t, struct work_struct *work)
{
	struct kmem_cache *cache = container_of(work, struct kmem_cache, params.work);
	void (*fn)(struct task * t, struct kmem_cache * cache);

	lock_caches(t);
	sched_read(t, cache->id, FIELD_WORK_FN, "kmemcg_workfn.call");
	fn = cache->params.work_fn;
	if (fn)
		fn(t, cache);
	else
		trace(t, WORK_NULL, .obj = cache->params.work.id, .arg = {(int64_t)cache->id},
		      .str = "work_fn");
	if (fn && clears_work_fn(t, fn))
		set_work_fn(t, cache, NULL, "kmemcg_workfn.clear");
	unlock_caches(t);
}

static void kmemcg_rcufn(struct task *t, struct rcu_head *head)
{
	struct kmem_cache *cache = container_of(head, struct kmem_cache, params.rcu_head);

	/* The head's storage becomes the work item's. */
	INIT_WORK(t, &cache->params.work, kmemcg_workfn, cache->id);
	queue_work(t, mm_of(t->w)->memcg_kmem_cache_wq, &cache->params.work);
}

/*
 * ---- release: the last reference is gone, in any context
 * ---------------------------------------
 */

static void kmemcg_cache_shutdown(struct task *t, struct percpu_ref *ref)
{
	FRAME(t);
	struct kmem_cache *cache = cache_of(ref);

	if (!switches_of(t)->dying_unlocked)
		wq_lock(t);
	if (root_dying(t, cache->params.root_cache, "kmemcg_cache_shutdown.dying"))
		goto out_unlock;
	if (switches_of(t)->workfn_clobber && cache->params.work_fn)
		trace(t, WARN, .obj = cache->id, .str = "WARN_ON(s->memcg_params.work_fn)");
	set_work_fn(t, cache, kmemcg_cache_shutdown_fn, "kmemcg_cache_shutdown.work_fn");
	if (switches_of(t)->release_rcu_hop)
		call_rcu(t, &cache->params.rcu_head, kmemcg_rcufn, cache->id);
	else
		kmemcg_rcufn(t, &cache->params.rcu_head);
out_unlock:
	if (!switches_of(t)->dying_unlocked)
		wq_unlock(t);
}

/*
 * ---- offline
 * ---------------------------------------------------------------------------------------
 */

/* slab_mutex held.  False when the root is being destroyed and will see to @cache itself. */
static bool queue_deactivation(struct task *t, struct kmem_cache *cache)
{
	bool dying;

	/* The posting tests the flag under slab_mutex, which its writer holds as well. */
	if (!switches_of(t)->dying_under_slab_mutex)
		wq_lock(t);
	dying = root_dying(t, cache->params.root_cache, "kmemcg_cache_deactivate.dying");
	if (!dying) {
		set_work_fn(t, cache, kmemcg_cache_deactivate_after_rcu,
			    "kmemcg_cache_deactivate.work_fn");
		call_rcu_sched(t, &cache->params.rcu_head, kmemcg_rcufn, cache->id);
	}
	if (!switches_of(t)->dying_under_slab_mutex)
		wq_unlock(t);
	return !dying;
}

static void kmemcg_cache_deactivate(struct task *t, struct kmem_cache *cache)
{
	FRAME(t);
	bool deferred = false;

	zero_partial_limits(t, cache, "kmemcg_cache_deactivate.limits");
	if (!switches_of(t)->kill_before_clear)
		deferred = queue_deactivation(t, cache);
	else if (!root_dying(t, cache->params.root_cache, "kmemcg_cache_deactivate.dying"))
		kmemcg_cache_deactivate_after_rcu(t, cache);
	trace(t, CACHE_DEACTIVATE, .obj = cache->id, .arg = {deferred});
}

static void deactivate_child(struct task *t, struct kmem_cache *child)
{
	struct kmem_cache *root = child->params.root_cache;

	kmemcg_cache_deactivate(t, child);
	clear_slot(t, root, child->params.memcg->kmemcg_id, "memcg_deactivate_kmem_caches.clear");
}

/* Own caches, those inherited from children, and those on their way out alike. */
static void reparent_all(struct task *t, struct mem_cgroup *memcg)
{
	struct mem_cgroup *parent = memcg->parent;
	int64_t n = 0;

	list_for_each(node, &memcg->kmem_caches) {
		struct kmem_cache *cache =
			container_of(node, struct kmem_cache, params.kmem_caches_node);

		sched_write(t, cache->id, FIELD_CACHE_MEMCG, "memcg_reparent_kmem_caches.memcg");
		cache->params.memcg = parent;
		trace(t, CACHE_REPARENT, .obj = cache->id,
		      .arg = {(int64_t)memcg->css.of, (int64_t)parent->css.of});
		css_put(t, &memcg->css, HOLD_CACHE, cache->id);
		n++;
	}
	sched_write(t, parent->css.of, FIELD_LIST, "memcg_reparent_kmem_caches.splice");
	list_splice_tail(&memcg->kmem_caches, &parent->kmem_caches);
	if (n > 0)
		css_get_many(t, &parent->css, n, HOLD_CACHE, 0);
}

static void memcg_deactivate_kmem_caches(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);

	lock_caches(t);
	for_each_slot_of(t, memcg, deactivate_child);
	reparent_all(t, memcg);
	unlock_caches(t);
}

static void memcg_free_kmem(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);

	sched_read(t, memcg->css.of, FIELD_LIST, "memcg_free_kmem.kmem_caches");
	if (!list_empty(&memcg->kmem_caches))
		trace(t, WARN, .obj = memcg->css.of,
		      .str = "WARN_ON(!list_empty(&memcg->kmem_caches))");
}

/*
 * ---- destruction of a root cache
 * --------------------------------------------------------------------
 */

static void memcg_set_kmem_cache_dying(struct task *t, struct kmem_cache *root)
{
	FRAME(t);

	wq_lock(t);
	sched_write(t, root->id, FIELD_DYING, "memcg_set_kmem_cache_dying.dying");
	root->params.dying = true;
	trace(t, CACHE_DYING, .obj = root->id, .arg = {root->refcount});
	wq_unlock(t);
}

/*
 * The fix that marks a root as dying only when its last user is gone also keeps new users away
 * from it, since it lets go of slab_mutex in between.
 */
static bool may_merge(struct task *t, const struct kmem_cache *root)
{
	return switches_of(t)->dying_before_refcount || !root->params.dying;
}

static bool has_children(struct task *t, struct kmem_cache *root)
{
	sched_read(t, root->id, FIELD_LIST, "flush_memcg_workqueue.children");
	return !list_empty(&root->params.children);
}

static void flush_memcg_workqueue(struct task *t, struct kmem_cache *root)
{
	FRAME(t);

	/* Callbacks that would queue a child's work, then the work itself. */
	barrier_and_flush(t);
	/* The flushed work may have begun to switch a child's counter: one grace period more. */
	if (!switches_of(t)->no_second_barrier && has_children(t, root))
		rcu_barrier(t, RCU_SCHED);
}

static int destroy_cache(struct task *t, struct kmem_cache *root)
{
	bool flag_first = switches_of(t)->dying_before_refcount, others;
	int err = 0;

	if (flag_first) {
		if (switches_of(t)->dying_under_slab_mutex)
			mutex_lock(t, &mm_of(t->w)->slab_mutex);
		memcg_set_kmem_cache_dying(t, root);
		if (switches_of(t)->dying_under_slab_mutex)
			mutex_unlock(t, &mm_of(t->w)->slab_mutex);
		flush_memcg_workqueue(t, root);
	}
	lock_caches(t);
	others = drop_user(t, root);
	if (!others && !flag_first) {
		memcg_set_kmem_cache_dying(t, root);
		/* The work that is flushed needs what we hold. */
		unlock_caches(t);
		flush_memcg_workqueue(t, root);
		lock_caches(t);
	}
	if (!others) {
		err = shutdown_memcg_caches(t, root);
		if (!err)
			err = shutdown_cache(t, root);
	}
	unlock_caches(t);
	return err;
}

/*
 * ---- first and last steps
 * ---------------------------------------------------------------------------
 */

static int init_params(struct task *t, struct kmem_cache *cache)
{
	FRAME_NAMED(t, "init_memcg_params");

	if (!is_root_cache(cache))
		return percpu_ref_init(t, &cache->params.refcnt, cache->id, "kmem_cache",
				       kmemcg_cache_shutdown);
	init_root_array(t, cache);
	return 0;
}

static void link_cache(struct task *t, struct kmem_cache *cache, struct mem_cgroup *memcg)
{
	FRAME_NAMED(t, "memcg_link_cache");

	if (!is_root_cache(cache)) {
		css_get(t, &memcg->css, HOLD_CACHE, cache->id);
		cache->params.memcg = memcg;
	}
	link_lists(t, cache, memcg);
}

static void put_memcg(struct task *t, struct kmem_cache *cache)
{
	css_put(t, &cache->params.memcg->css, HOLD_CACHE, cache->id);
	if (switches_of(t)->unlink_clears_memcg || !switches_of(t)->css_put_at_unlink) {
		sched_write(t, cache->id, FIELD_CACHE_MEMCG, "memcg_unlink_cache.memcg");
		cache->params.memcg = NULL;
	}
}

static void unlink_cache(struct task *t, struct kmem_cache *cache)
{
	FRAME_NAMED(t, "memcg_unlink_cache");

	unlink_lists(t, cache);
	if (!is_root_cache(cache) && switches_of(t)->css_put_at_unlink)
		put_memcg(t, cache);
}

static void destroy_params(struct task *t, struct kmem_cache *cache)
{
	FRAME_NAMED(t, "destroy_memcg_params");

	if (is_root_cache(cache)) {
		free_root_array(t, cache);
		return;
	}
	if (!switches_of(t)->css_put_at_unlink && cache->params.memcg)
		put_memcg(t, cache);
	percpu_ref_exit(t, &cache->params.refcnt);
}

const struct lifecycle_ops cache_ref_ops = {
	.get_cache = get_cache,
	.put_cache = put_cache,
	.charge_slab = charge_slab,
	.uncharge_slab = uncharge_slab,
	.memcg_from_obj = memcg_from_obj,
	.offline_kmem = memcg_deactivate_kmem_caches,
	.free_kmem = memcg_free_kmem,
	.may_merge = may_merge,
	.destroy_cache = destroy_cache,
	.init_params = init_params,
	.link_cache = link_cache,
	.unlink_cache = unlink_cache,
	.destroy_params = destroy_params,
};
