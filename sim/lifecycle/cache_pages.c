// SPDX-License-Identifier: GPL-2.0-only
/*
 * Child caches that count their slab pages: v3.15 to v3.18.
 *
 * A child pins its memcg for as long as it exists, and nothing pins the child but
 * that its count of charged pages is not zero.  At offline, v3.15 marks the children
 * of a memcg as dead and gives each a work item that destroys it if it is empty, now
 * and whenever its count drops to zero.  v3.16 destroys those that are empty and
 * forgets the others.  Kernel memory that is still charged at offline pins the memcg
 * by one reference; user pages are moved to the parent.
 *
 * Upstream: mm/memcontrol.c and mm/slab_common.c, v3.15 and v3.16.  Differs:
 * activate_kmem_mutex is not held while arrays grow, all memcgs account kernel memory
 * from their creation, a task's memcg is that of its cgroup, and destruction lets go of
 * the hotplug locks together with slab_mutex.
 */
#include <errno.h>

#include "sim/lifecycle/children.h"

/* ---- the count of pages ---------------------------------------- */

static void count_pages(struct task *t, struct kmem_cache *cache, int64_t n, const char *site)
{
	sched_access(t, cache->id, FIELD_NR_PAGES, ACCESS_RMW, site);
	cache->params.nr_pages += n;
}

static int64_t nr_pages(struct task *t, struct kmem_cache *cache, const char *site)
{
	sched_read(t, cache->id, FIELD_NR_PAGES, site);
	return cache->params.nr_pages;
}

static bool is_dead(struct task *t, struct kmem_cache *cache, const char *site)
{
	sched_read(t, cache->id, FIELD_DEAD, site);
	return cache->params.dead;
}

/*
 * The repair of cancel-vs-destroy-work: whoever has seen the flag queues the work item before the
 * flag is cleared, so that it can be cancelled then.
 */
static void lock_dead(struct task *t)
{
	if (!switches_of(t)->cancel_vs_destroy_work)
		spin_lock_irq(t, &mm_of(t->w)->memcg_kmem_wq_lock);
}

static void unlock_dead(struct task *t)
{
	if (!switches_of(t)->cancel_vs_destroy_work)
		spin_unlock_irq(t, &mm_of(t->w)->memcg_kmem_wq_lock);
}

static void mem_cgroup_destroy_cache(struct task *t, struct kmem_cache *cache)
{
	FRAME(t);

	lock_dead(t);
	if (is_dead(t, cache, "mem_cgroup_destroy_cache.dead"))
		schedule_work(t, &cache->params.work);
	unlock_dead(t);
}

/* @cache may be destroyed as soon as it has a work item, or at once if it has none. */
static void memcg_release_pages(struct task *t, struct kmem_cache *cache, int64_t n)
{
	FRAME(t);
	bool last;

	count_pages(t, cache, -n, "memcg_release_pages.nr_pages");
	last = cache->params.nr_pages == 0;
	if (last && switches_of(t)->destroy_by_work)
		mem_cgroup_destroy_cache(t, cache);
}

/* ---- lookup ---------------------------------------- */

/*
 * Inside a read section.  A child is thought to live as long as its root; but its memcg can be
 * removed once the task has been moved.  The repair counts the allocation like a page.
 */
static void pin_child(struct task *t, struct kmem_cache *child)
{
	if (child && !switches_of(t)->inflight_unpinned)
		count_pages(t, child, 1, "memcg_kmem_get_cache.pin");
}

static struct kmem_cache *get_cache(struct task *t, struct kmem_cache *root)
{
	FRAME_NAMED(t, "memcg_kmem_get_cache");
	struct kmem_cache *child = NULL;
	struct mem_cgroup *memcg;
	bool create = false;
	oid_t work = 0;
	int id = -1;

	if (t->ctx != CTX_TASK)
		return root;
	rcu_read_lock(t);
	sched_read(t, t->id, FIELD_ONLINE, "memcg_kmem_get_cache.css_set");
	memcg = mem_cgroup_from_task(t);
	if (memcg && !mem_cgroup_is_root(memcg))
		child = child_in_slot(t, memcg, root, &id);
	pin_child(t, child);
	if (!child && id >= 0) {
		work = new_create_work(t);
		create = css_tryget_online(t, &memcg->css, HOLD_CREATE_WORK, work);
	}
	trace(t, CACHE_LOOKUP, .obj = root->id,
	      .arg = {memcg ? (int64_t)memcg->css.of : 0, (int64_t)(child ? child->id : root->id),
		      child && !switches_of(t)->inflight_unpinned});
	rcu_read_unlock(t);
	if (create)
		queue_creation(t, memcg, root, work);
	return child ? child : root;
}

static void put_cache(struct task *t, struct kmem_cache *cache)
{
	FRAME_NAMED(t, "memcg_kmem_put_cache");

	if (switches_of(t)->inflight_unpinned)
		return;
	trace(t, CACHE_PUT, .obj = cache->id);
	memcg_release_pages(t, cache, 1);
}

/* ---- kernel memory of a memcg ---------------------------------------- */

/* Who is charged for a page of @cache, pinned by a reference or by the cache. */
static struct mem_cgroup *charge_target(struct task *t, struct kmem_cache *cache)
{
	if (switches_of(t)->charges_current)
		return memcg_of_task(t, HOLD_TEMP, "memcg_kmem_newpage_charge.css_set");
	sched_read(t, cache->id, FIELD_CACHE_MEMCG, "memcg_charge_slab.memcg");
	return cache->params.memcg;
}

static void put_target(struct task *t, struct mem_cgroup *memcg)
{
	if (switches_of(t)->charges_current)
		css_put(t, &memcg->css, HOLD_TEMP, t->id);
}

static int memcg_charge_kmem(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	FRAME(t);
	struct page_counter *culprit;

	if (mem_cgroup_is_root(memcg))
		return 0;
	if (!page_counter_try_charge(t, &memcg->kmem, n, &culprit)) {
		trace(t, CHARGE_FAIL, .obj = memcg->css.of, .arg = {n, (int64_t)culprit->memcg});
		return -ENOMEM;
	}
	if (!try_charge(t, memcg, n))
		return 0;
	page_counter_uncharge(t, &memcg->kmem, n);
	return -ENOMEM;
}

static bool memcg_kmem_test_and_clear_dead(struct task *t, struct mem_cgroup *memcg)
{
	bool dead;

	sched_access(t, memcg->css.of, FIELD_DEAD, ACCESS_RMW, "memcg_kmem_test_and_clear_dead");
	dead = memcg->kmem_dead;
	memcg->kmem_dead = false;
	return dead;
}

/* Whoever finds the flag after nothing is charged any more drops the reference, and nobody else. */
static void memcg_uncharge_kmem(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	FRAME(t);
	bool none_left;

	if (mem_cgroup_is_root(memcg))
		return;
	page_counter_uncharge(t, &memcg->memory, n);
	page_counter_uncharge_own(t, &memcg->kmem, n);
	none_left = memcg->kmem.usage == 0;
	page_counter_uncharge(t, memcg->kmem.parent, n);
	if (none_left && memcg_kmem_test_and_clear_dead(t, memcg))
		css_put(t, &memcg->css, HOLD_KMEM_CHARGE, memcg->css.of);
}

/* ---- slab pages ---------------------------------------- */

/*
 * A charge that was under way at offline may come after the memcg has dropped the reference that
 * stands for its kernel memory.  The repair of inflight-unpinned has one for each page.
 */
static void pin_memcg(struct task *t, struct mem_cgroup *memcg, struct slab *slab)
{
	if (!switches_of(t)->inflight_unpinned)
		css_get_many(t, &memcg->css, slab->charged, HOLD_SLAB_PAGE, slab->id);
}

static void unpin_memcg(struct task *t, struct mem_cgroup *memcg, struct slab *slab, int64_t n)
{
	if (!switches_of(t)->inflight_unpinned)
		css_put_many(t, &memcg->css, n, HOLD_SLAB_PAGE, slab->id);
}

static int charge_slab(struct task *t, struct kmem_cache *cache, struct slab *slab)
{
	FRAME_NAMED(t, "memcg_charge_slab");
	int64_t n = cache->pages_per_slab;
	struct mem_cgroup *memcg = charge_target(t, cache);
	int err = memcg_charge_kmem(t, memcg, n);

	if (!err) {
		slab->charged = (uint8_t)n;
		slab->memcg = memcg;
		mod_memcg_state(t, memcg, MEMCG_STAT_SLAB, n);
		count_pages(t, cache, n, "memcg_bind_pages.nr_pages");
		pin_memcg(t, memcg, slab);
	}
	trace(t, SLAB_CHARGE, .obj = slab->id,
	      .arg = {(int64_t)cache->id, (int64_t)memcg->css.of, n, err});
	put_target(t, memcg);
	return err;
}

static void uncharge_slab(struct task *t, struct kmem_cache *cache, struct slab *slab)
{
	FRAME_NAMED(t, "memcg_uncharge_slab");
	struct mem_cgroup *memcg = slab->memcg;
	int64_t n = slab->charged;

	slab->charged = 0;
	slab->memcg = NULL;
	mod_memcg_state(t, memcg, MEMCG_STAT_SLAB, -n);
	if (switches_of(t)->charges_current) {
		trace(t, SLAB_UNCHARGE, .obj = slab->id,
		      .arg = {(int64_t)cache->id, (int64_t)memcg->css.of, n});
		memcg_release_pages(t, cache, n);
		/* Not through the cache, which may be gone: the page says who paid. */
		memcg_uncharge_kmem(t, memcg, n);
		unpin_memcg(t, memcg, slab, n);
		return;
	}
	sched_read(t, cache->id, FIELD_CACHE_MEMCG, "memcg_uncharge_slab.memcg");
	memcg = cache->params.memcg;
	memcg_uncharge_kmem(t, memcg, n);
	trace(t, SLAB_UNCHARGE, .obj = slab->id,
	      .arg = {(int64_t)cache->id, (int64_t)memcg->css.of, n});
	unpin_memcg(t, memcg, slab, n);
	memcg_release_pages(t, cache, n);
}

/* ---- lists and slots ---------------------------------------- */

static void lock_list(struct task *t, struct mem_cgroup *memcg)
{
	if (switches_of(t)->destroy_by_work)
		mutex_lock(t, &memcg->slab_caches_mutex);
}

static void unlock_list(struct task *t, struct mem_cgroup *memcg)
{
	if (switches_of(t)->destroy_by_work)
		mutex_unlock(t, &memcg->slab_caches_mutex);
}

static void put_on_list(struct task *t, struct kmem_cache *child)
{
	struct mem_cgroup *memcg = child->params.memcg;

	lock_list(t, memcg);
	sched_write(t, memcg->css.of, FIELD_LIST, "memcg_register_cache.list");
	list_add(&child->params.kmem_caches_node, &memcg->kmem_caches);
	unlock_list(t, memcg);
}

static void take_off_list(struct task *t, struct kmem_cache *child)
{
	struct mem_cgroup *memcg = child->params.memcg;

	lock_list(t, memcg);
	sched_write(t, memcg->css.of, FIELD_LIST, "memcg_unregister_cache.list");
	list_del(&child->params.kmem_caches_node);
	unlock_list(t, memcg);
}

static bool in_slot(const struct kmem_cache *child)
{
	const struct memcg_cache_array *arr = child->params.root_cache->params.memcg_caches;
	int id = child->params.memcg->kmemcg_id;

	return id >= 0 && arr && (uint32_t)id < arr->size && arr->entries[id] == child;
}

/* slab_mutex held.  The repair of inflight-unpinned may have cleared it before. */
static void take_from_slot(struct task *t, struct kmem_cache *child)
{
	if (in_slot(child))
		clear_slot(t, child->params.root_cache, child->params.memcg->kmemcg_id,
			   "memcg_unregister_cache.slot");
}

static void put_into_slot(struct task *t, struct kmem_cache *child)
{
	struct kmem_cache *root = child->params.root_cache;
	int id = child->params.memcg->kmemcg_id;

	sched_write(t, root->id, FIELD_SLOT, "memcg_register_cache.slot");
	root->params.memcg_caches->entries[id] = child;
	trace(t, CACHE_SLOT_SET, .obj = child->id, .arg = {(int64_t)root->id, id});
}

/* ---- the end of a child ---------------------------------------- */

/* slab_mutex held.  What still has objects goes back to where it was. */
static void shutdown_child(struct task *t, struct kmem_cache *child, struct list *release)
{
	take_off_list(t, child);
	take_from_slot(t, child);
	if (shutdown_cache(t, child)) {
		put_into_slot(t, child);
		put_on_list(t, child);
	}
	take_retired(t, release);
}

/*
 * The repair of inflight-unpinned: nobody who saw the slot is without a count after a grace
 * period, so an empty child is an unused one from then on.  False if it is not.
 */
static bool wait_for_lookups(struct task *t, struct kmem_cache *child)
{
	if (switches_of(t)->inflight_unpinned)
		return true;
	synchronize_rcu(t, RCU_NORMAL);
	return nr_pages(t, child, "memcg_unregister_cache.nr_pages") == 0;
}

/* Children of dead memcgs alone get here, from their work items, and those of a dying root. */
static void destroy_child(struct task *t, struct kmem_cache *child, bool by_work)
{
	FRAME_NAMED(t, "kmem_cache_destroy");
	bool ours, repaired = by_work && !switches_of(t)->cancel_vs_destroy_work;
	struct list release;

	lock_caches(t);
	/* Whoever destroys the root has taken the child over by clearing the flag. */
	ours = !repaired || is_dead(t, child, "kmem_cache_destroy.dead");
	if (ours && by_work && !switches_of(t)->inflight_unpinned) {
		take_from_slot(t, child);
		unlock_caches(t);
		if (!wait_for_lookups(t, child))
			return;
		lock_caches(t);
		ours = !repaired || is_dead(t, child, "kmem_cache_destroy.dead");
	}
	list_init(&release);
	if (ours) {
		sched_access(t, child->id, FIELD_REFCOUNT, ACCESS_RMW,
			     "kmem_cache_destroy.refcount");
		if (--child->refcount == 0)
			shutdown_child(t, child, &release);
	}
	unlock_caches(t);
	release_retired(t, &release);
}

/* v3.15: queued at offline, and whenever the count drops to zero later. */
static void kmem_cache_destroy_work_func(struct task *t, struct work_struct *work)
{
	struct kmem_cache *child = container_of(work, struct kmem_cache, params.work);

	if (nr_pages(t, child, "kmem_cache_destroy_work_func.nr_pages") != 0)
		kmem_cache_shrink(t, child);
	else
		destroy_child(t, child, true);
}

/* v3.16: memcg_slab_mutex held.  The slot goes first, so that a failure could not be told. */
static void memcg_unregister_cache(struct task *t, struct kmem_cache *child)
{
	FRAME(t);

	take_from_slot(t, child);
	take_off_list(t, child);
	shutdown_and_release(t, child);
}

/* ---- offline ---------------------------------------- */

/* Through the slot: an element of the list knows its root and its index. */
static void mark_dead(struct task *t, struct kmem_cache *child)
{
	struct kmem_cache *root = child->params.root_cache;

	sched_read(t, root->id, FIELD_SLOT, "mem_cgroup_destroy_all_caches.slot");
	if (!in_slot(child)) {
		trace(t, NULL_DEREF, .obj = root->id, .str = "memcg_caches[id]");
		return;
	}
	sched_write(t, child->id, FIELD_DEAD, "mem_cgroup_destroy_all_caches.dead");
	child->params.dead = true;
	trace(t, CACHE_DEACTIVATE, .obj = child->id, .arg = {true});
	schedule_work(t, &child->params.work);
}

static void mem_cgroup_destroy_all_caches(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);

	lock_list(t, memcg);
	/* For the record: the lock orders it. */
	trace_access(t, memcg->css.of, FIELD_LIST, ACCESS_READ,
		     "mem_cgroup_destroy_all_caches.list");
	list_for_each(node, &memcg->kmem_caches)
		mark_dead(t, container_of(node, struct kmem_cache, params.kmem_caches_node));
	unlock_list(t, memcg);
}

/* One that is not empty is not looked at again before its root cache is destroyed. */
static void shrink_or_forget(struct task *t, struct kmem_cache *child)
{
	kmem_cache_shrink(t, child);
	trace(t, CACHE_DEACTIVATE, .obj = child->id, .arg = {false});
	if (nr_pages(t, child, "memcg_unregister_all_caches.nr_pages") != 0)
		return;
	if (!switches_of(t)->inflight_unpinned)
		take_from_slot(t, child);
	if (wait_for_lookups(t, child))
		memcg_unregister_cache(t, child);
}

static void memcg_unregister_all_caches(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);

	lock_children(t);
	list_for_each_safe(node, next, &memcg->kmem_caches)
		shrink_or_forget(t, container_of(node, struct kmem_cache, params.kmem_caches_node));
	unlock_children(t);
}

static void kmem_cgroup_css_offline(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);

	css_get(t, &memcg->css, HOLD_KMEM_CHARGE, memcg->css.of);
	sched_write(t, memcg->css.of, FIELD_DEAD, "memcg_kmem_mark_dead");
	memcg->kmem_dead = true;
	sched_read(t, memcg->css.of, FIELD_USAGE, "kmem_cgroup_css_offline.usage");
	if (memcg->kmem.usage == 0 && memcg_kmem_test_and_clear_dead(t, memcg))
		css_put(t, &memcg->css, HOLD_KMEM_CHARGE, memcg->css.of);
}

/*
 * Offline works of parents and children come in any order, and what a child has counts in its
 * parent as well: the children first, or the parent would wait for those who wait for its mutex.
 */
static void reparent_subtree(struct task *t, struct mem_cgroup *memcg)
{
	if (!switches_of(t)->reparents_own_only) {
		list_for_each_safe(node, next, &memcg->children)
			reparent_subtree(t, container_of(node, struct mem_cgroup, sibling));
	}
	mem_cgroup_reparent_charges(t, memcg);
}

static void css_offline(struct task *t, struct mem_cgroup *memcg)
{
	FRAME_NAMED(t, "mem_cgroup_css_offline");

	kmem_cgroup_css_offline(t, memcg);
	reparent_subtree(t, memcg);
	if (switches_of(t)->destroy_by_work)
		mem_cgroup_destroy_all_caches(t, memcg);
	else
		memcg_unregister_all_caches(t, memcg);
}

/* A charge that was under way at offline may have come after it. */
static void free_kmem(struct task *t, struct mem_cgroup *memcg)
{
	FRAME_NAMED(t, "mem_cgroup_css_free");

	mem_cgroup_reparent_charges(t, memcg);
}

/* ---- destruction of a root cache ---------------------------------------- */

static struct kmem_cache *first_child(struct kmem_cache *root)
{
	return container_of(root->params.children.next, struct kmem_cache, params.children_node);
}

static struct kmem_cache *slot_of(struct task *t, struct kmem_cache *root, uint32_t id)
{
	const struct memcg_cache_array *arr = root->params.memcg_caches;

	sched_read(t, root->id, FIELD_SLOT, "__kmem_cache_destroy_memcg_children.slot");
	return arr && id < arr->size ? arr->entries[id] : NULL;
}

/* The repair of cancel-vs-destroy-work: offline does not find the child and mark it again. */
static void take_over(struct task *t, struct kmem_cache *child)
{
	if (!switches_of(t)->cancel_vs_destroy_work)
		take_off_list(t, child);
	lock_dead(t);
	sched_write(t, child->id, FIELD_DEAD, "__kmem_cache_destroy_memcg_children.dead");
	child->params.dead = false;
	unlock_dead(t);
}

/* v3.15: slab_mutex is not held, since the works that are cancelled need it. */
static int destroy_children_of_slots(struct task *t, struct kmem_cache *root)
{
	FRAME_NAMED(t, "__kmem_cache_destroy_memcg_children");
	bool careful = !switches_of(t)->cancel_vs_destroy_work;
	struct kmem_cache *child;
	int failed = 0;

	for (uint32_t id = 0; root->params.memcg_caches && id < root->params.memcg_caches->size;
	     id++) {
		if (careful)
			lock_caches(t);
		child = slot_of(t, root, id);
		if (child)
			take_over(t, child);
		if (careful)
			unlock_caches(t);
		if (!child)
			continue;
		cancel_work_sync(t, &child->params.work);
		destroy_child(t, child, false);
		failed += slot_of(t, root, id) != NULL;
	}
	return failed;
}

/* The repair of inflight-unpinned takes children out of their slots early. */
static int destroy_children_of_list(struct task *t, struct kmem_cache *root)
{
	struct kmem_cache *child, *last = NULL;

	for (;;) {
		lock_caches(t);
		child = list_empty(&root->params.children) ? NULL : first_child(root);
		if (child)
			take_over(t, child);
		unlock_caches(t);
		if (!child || child == last)
			return child != NULL;
		cancel_work_sync(t, &child->params.work);
		destroy_child(t, child, false);
		last = child;
	}
}

static int destroy_children(struct task *t, struct kmem_cache *root)
{
	int failed;

	if (!switches_of(t)->destroy_by_work) {
		lock_children(t);
		list_for_each_safe(node, next, &root->params.children)
			memcg_unregister_cache(
				t, container_of(node, struct kmem_cache, params.children_node));
		unlock_children(t);
		return 0;
	}
	mutex_lock(t, &mm_of(t->w)->activate_kmem_mutex);
	failed = destroy_children_of_slots(t, root);
	if (!failed && !switches_of(t)->inflight_unpinned)
		failed = destroy_children_of_list(t, root);
	mutex_unlock(t, &mm_of(t->w)->activate_kmem_mutex);
	return failed;
}

static int destroy_cache(struct task *t, struct kmem_cache *root)
{
	const struct switches *s = switches_of(t);
	struct list release;
	int err = 0;

	if (s->children_before_count)
		destroy_children(t, root);
	lock_caches(t);
	if (drop_user(t, root)) {
		unlock_caches(t);
		return 0;
	}
	unlock_caches(t);
	if (!s->destroy_without_flush)
		flush_workqueue(t, mm_of(t->w)->memcg_kmem_cache_wq);
	if (!s->children_before_count)
		err = destroy_children(t, root) ? -EBUSY : 0;
	lock_caches(t);
	if (!err)
		err = shutdown_cache(t, root);
	take_retired(t, &release);
	unlock_caches(t);
	release_retired(t, &release);
	return err;
}

/* slab_mutex is free for a while after the last user has gone: the repair lets nobody in. */
static bool may_merge(struct task *t, const struct kmem_cache *root)
{
	return switches_of(t)->destroy_drops_mutex || root->refcount > 0;
}

/* ---- first and last steps ---------------------------------------- */

static void boot(struct task *t)
{
	if (switches_of(t)->destroy_by_work)
		mutex_init(t->w, &mm_of(t->w)->activate_kmem_mutex, "activate_kmem_mutex");
	/* What creations took before they were put under slab_mutex. */
	if (switches_of(t)->create_tests_early && switches_of(t)->destroy_by_work)
		mutex_init(t->w, &mm_of(t->w)->memcg_slab_mutex, "memcg_cache_mutex");
}

static int online_kmem(struct task *t, struct mem_cgroup *memcg)
{
	if (switches_of(t)->destroy_by_work)
		mutex_init(t->w, &memcg->slab_caches_mutex, "slab_caches_mutex");
	return 0;
}

static int init_params(struct task *t, struct kmem_cache *cache)
{
	FRAME_NAMED(t, "memcg_alloc_cache_params");

	if (is_root_cache(cache))
		init_root_array(t, cache);
	else
		INIT_WORK(t, &cache->params.work, kmem_cache_destroy_work_func, cache->id);
	return 0;
}

static void link_cache(struct task *t, struct kmem_cache *cache, struct mem_cgroup *memcg)
{
	if (is_root_cache(cache)) {
		list_add(&cache->params.root_caches_node, &mm_of(t->w)->slab_root_caches);
		return;
	}
	css_get(t, &memcg->css, HOLD_CACHE, cache->id);
	cache->params.memcg = memcg;
	list_add(&cache->params.children_node, &cache->params.root_cache->params.children);
	if (switches_of(t)->list_before_slot)
		put_on_list(t, cache);
}

/* Who walks the list looks for the child in its slot. */
static void child_created(struct task *t, struct kmem_cache *child)
{
	if (!switches_of(t)->list_before_slot)
		put_on_list(t, child);
}

static void unlink_cache(struct task *t, struct kmem_cache *cache)
{
	if (is_root_cache(cache)) {
		list_del(&cache->params.root_caches_node);
		return;
	}
	list_del(&cache->params.children_node);
	trace(t, CACHE_UNLINK, .obj = cache->id, .arg = {(int64_t)cache->params.memcg->css.of});
}

static void destroy_params(struct task *t, struct kmem_cache *cache)
{
	FRAME_NAMED(t, "memcg_free_cache_params");

	if (is_root_cache(cache))
		free_root_array(t, cache);
	else if (cache->params.memcg)
		css_put(t, &cache->params.memcg->css, HOLD_CACHE, cache->id);
}

const struct lifecycle_ops cache_pages_ops = {
	.get_cache = get_cache,
	.put_cache = put_cache,
	.charge_slab = charge_slab,
	.uncharge_slab = uncharge_slab,
	.child_created = child_created,
	.css_offline = css_offline,
	.free_kmem = free_kmem,
	.may_merge = may_merge,
	.destroy_cache = destroy_cache,
	.init_params = init_params,
	.link_cache = link_cache,
	.unlink_cache = unlink_cache,
	.destroy_params = destroy_params,
	.boot = boot,
	.online_kmem = online_kmem,
};
