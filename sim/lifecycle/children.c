// SPDX-License-Identifier: GPL-2.0-only
/*
 * Upstream: mm/slab_common.c and mm/memcontrol.c, v4.0 to v5.8.  Differs: the
 * css reference of a creation is taken before its work item is allocated, and
 * children are named after the css's serial number in every version.
 */
#include "sim/lifecycle/children.h"

#include <errno.h>
#include <stdio.h>

struct create_work {
	struct work_struct work;
	struct mem_cgroup *memcg;
	struct kmem_cache *root;
};

struct mem_cgroup *memcg_of_task(struct task *t, enum holder h, const char *site)
{
	struct mem_cgroup *memcg;

	rcu_read_lock(t);
	do {
		sched_read(t, t->id, FIELD_ONLINE, site);
		memcg = mem_cgroup_from_task(t);
		if (!memcg)
			memcg = mm_of(t->w)->root_memcg;
		/* A cgroup is only removed once its tasks have left: the next try finds another. */
	} while (t->active_memcg ? !css_tryget(t, &memcg->css, h, t->id)
				 : !css_tryget_online(t, &memcg->css, h, t->id));
	rcu_read_unlock(t);
	return memcg;
}

void lock_children(struct task *t)
{
	if (mm_of(t->w)->memcg_slab_mutex.id)
		mutex_lock(t, &mm_of(t->w)->memcg_slab_mutex);
}

void unlock_children(struct task *t)
{
	if (mm_of(t->w)->memcg_slab_mutex.id)
		mutex_unlock(t, &mm_of(t->w)->memcg_slab_mutex);
}

void lock_caches(struct task *t)
{
	get_online_cpus_mems(t);
	mutex_lock(t, &mm_of(t->w)->slab_mutex);
}

void unlock_caches(struct task *t)
{
	mutex_unlock(t, &mm_of(t->w)->slab_mutex);
	put_online_cpus_mems(t);
}

bool root_dying(struct task *t, struct kmem_cache *root, const char *site)
{
	sched_read(t, root->id, FIELD_DYING, site);
	return root->params.dying;
}

/* ---- creation ---------------------------------------- */

/* In the array of @root; NULL, which is said, if the root was destroyed and has none any more. */
static struct kmem_cache **slot_of(struct task *t, struct kmem_cache *root, int id)
{
	struct memcg_cache_array *arr = root->params.memcg_caches;

	if (arr && (uint32_t)id < arr->size)
		return &arr->entries[id];
	trace(t, NULL_DEREF, .obj = root->id, .str = "memcg_caches");
	return NULL;
}

static bool slot_taken(struct task *t, struct mem_cgroup *memcg, struct kmem_cache *root)
{
	struct kmem_cache **slot;

	sched_read(t, root->id, FIELD_SLOT, "memcg_create_kmem_cache.slot");
	slot = slot_of(t, root, memcg->kmemcg_id);
	return !slot || *slot;
}

static bool may_create(struct task *t, struct mem_cgroup *memcg, struct kmem_cache *root)
{
	sched_read(t, memcg->css.of, FIELD_KMEM_STATE, "memcg_create_kmem_cache.state");
	if (memcg->kmem_state != KMEM_ONLINE && !switches_of(t)->create_without_recheck)
		return false;
	if (switches_of(t)->create_tests_dying &&
	    root_dying(t, root, "memcg_create_kmem_cache.dying"))
		return false;
	/* Only without the test above: an offline child of the root has no index. */
	if (memcg->kmemcg_id < 0) {
		trace(t, NULL_DEREF, .obj = root->id, .str = "memcg_caches[-1]");
		return false;
	}
	return switches_of(t)->create_tests_early || !slot_taken(t, memcg, root);
}

/* array-relocate-lost: without sysfs, as with SLAB, names need not be unique. */
static bool has_lost_child(const struct kmem_cache *root, const struct mem_cgroup *memcg)
{
	list_for_each(node, &root->params.children) {
		if (container_of(node, struct kmem_cache, params.children_node)->params.memcg ==
		    memcg)
			return true;
	}
	return false;
}

/* slab_mutex held. */
static void create_child(struct task *t, struct mem_cgroup *memcg, struct kmem_cache *root)
{
	int err, id = memcg->kmemcg_id;
	struct kmem_cache *child, **slot;
	char name[192];

	if (!may_create(t, memcg, root))
		return;
	snprintf(name, sizeof(name), "%.100s(%llu:%.60s)%s", root->name,
		 (unsigned long long)memcg->css.serial_nr, memcg->css.cgroup->name,
		 switches_of(t)->create_tests_early && has_lost_child(root, memcg) ? "'" : "");
	child = create_cache(t, name, root, root, memcg, &err);
	/* Whoever allocates meanwhile is served by the root cache: no harm, and it tries again. */
	if (!child)
		return;
	sched_write(t, root->id, FIELD_SLOT, "memcg_create_kmem_cache.publish");
	slot = slot_of(t, root, id);
	if (!slot)
		return;
	*slot = child;
	trace(t, CACHE_SLOT_SET, .obj = child->id, .arg = {(int64_t)root->id, id});
	if (mm_of(t->w)->ops->child_created)
		mm_of(t->w)->ops->child_created(t, child);
}

static void memcg_kmem_cache_create_func(struct task *t, struct work_struct *work)
{
	struct create_work *cw = container_of(work, struct create_work, work);
	struct mem_cgroup *memcg = cw->memcg;

	lock_children(t);
	/* Without slab_mutex, which keeps the arrays from being replaced. */
	if (!switches_of(t)->create_tests_early || !slot_taken(t, memcg, cw->root)) {
		lock_caches(t);
		create_child(t, memcg, cw->root);
		unlock_caches(t);
	}
	unlock_children(t);
	css_put(t, &memcg->css, HOLD_CREATE_WORK, cw->work.id);
	world_free(t->w, cw, sizeof(*cw));
}

oid_t new_create_work(struct task *t)
{
	return world_new_id(t->w, OBJ_WORK);
}

void queue_creation(struct task *t, struct mem_cgroup *memcg, struct kmem_cache *root, oid_t id)
{
	struct create_work *cw;

	if (fault_point(t, "memcg_schedule_kmem_cache_create")) {
		if (!switches_of(t)->create_css_leak)
			css_put(t, &memcg->css, HOLD_CREATE_WORK, id);
		return;
	}
	cw = world_alloc(t->w, sizeof(*cw));
	cw->work.id = id;
	cw->memcg = memcg;
	cw->root = root;
	INIT_WORK(t, &cw->work, memcg_kmem_cache_create_func, root->id);
	queue_work(t, mm_of(t->w)->memcg_kmem_cache_wq, &cw->work);
}

/* ---- slots ---------------------------------------- */

struct kmem_cache *child_in_slot(struct task *t, struct mem_cgroup *memcg, struct kmem_cache *root,
				 int *id)
{
	const struct memcg_cache_array *arr;
	struct kmem_cache *child;

	sched_read(t, memcg->css.of, FIELD_KMEMCG_ID, "memcg_kmem_get_cache.id");
	*id = memcg->kmemcg_id;
	if (*id < 0)
		return NULL;
	if (switches_of(t)->array_no_section)
		rcu_read_unlock(t);
	/* Two loads: the array may be replaced between them, and the old one is read then. */
	sched_read(t, root->id, FIELD_ARRAY, "memcg_kmem_get_cache.array");
	arr = root->params.memcg_caches;
	sched_read(t, root->id, FIELD_SLOT, "memcg_kmem_get_cache.slot");
	if (mm_of(t->w)->config.array_watched)
		trace_access(t, arr->id, FIELD_SLOT, ACCESS_READ, "memcg_kmem_get_cache.entry");
	child = arr->entries[*id];
	if (switches_of(t)->array_no_section)
		rcu_read_lock(t);
	return child;
}

void for_each_slot_of(struct task *t, struct mem_cgroup *memcg,
		      void (*fn)(struct task *t, struct kmem_cache *child))
{
	int id = memcg->kmemcg_id;

	list_for_each(node, &mm_of(t->w)->slab_root_caches) {
		struct kmem_cache *root =
			container_of(node, struct kmem_cache, params.root_caches_node);
		struct kmem_cache *child;

		sched_read(t, root->id, FIELD_SLOT, "memcg_deactivate_kmem_caches.slot");
		child = root->params.memcg_caches->entries[id];
		if (child)
			fn(t, child);
	}
}

void clear_slot(struct task *t, struct kmem_cache *root, int id, const char *site)
{
	struct kmem_cache **slot = &root->params.memcg_caches->entries[id];
	oid_t child;

	sched_write(t, root->id, FIELD_SLOT, site);
	if (!*slot) {
		trace(t, NULL_DEREF, .obj = root->id, .str = "memcg_caches[id]");
		return;
	}
	child = (*slot)->id;
	*slot = NULL;
	trace(t, CACHE_SLOT_CLEAR, .obj = child, .arg = {(int64_t)root->id, id});
}

void zero_partial_limits(struct task *t, struct kmem_cache *child, const char *site)
{
	sched_write(t, child->id, FIELD_PARTIAL_LIMITS, site);
	child->cpu_partial = 0;
	child->min_partial = 0;
	child->flags |= SLAB_DEACTIVATED;
}

/* ---- destruction of a root cache ---------------------------------------- */

static void flush_kmem_wq(struct task *t)
{
	struct workqueue *wq = mm_of(t->w)->memcg_kmem_cache_wq;

	if (switches_of(t)->destroy_without_wq_flush)
		return;
	/* Only while the system boots. */
	if (wq)
		flush_workqueue(t, wq);
	else if (switches_of(t)->flush_before_queue)
		trace(t, NULL_DEREF, .obj = mm_of(t->w)->globals, .str = "memcg_kmem_cache_wq");
}

void barrier_and_flush(struct task *t)
{
	const struct switches *s = switches_of(t);

	if (s->flush_before_barrier)
		flush_kmem_wq(t);
	if (!s->destroy_without_barrier)
		rcu_barrier(t, RCU_SCHED);
	if (!s->flush_before_barrier)
		flush_kmem_wq(t);
}

/* slab_mutex held. */
int shutdown_memcg_caches(struct task *t, struct kmem_cache *root)
{
	FRAME(t);
	struct memcg_cache_array *arr = root->params.memcg_caches;
	struct list busy, *node;

	list_init(&busy);
	for (uint32_t i = 0; arr && i < arr->size; i++) {
		struct kmem_cache *child = arr->entries[i];

		if (!child)
			continue;
		if (shutdown_cache(t, child)) {
			/* Not to be tried again below. */
			list_move_tail(&child->params.children_node, &busy);
			continue;
		}
		clear_slot(t, root, (int)i, "shutdown_memcg_caches.clear");
	}
	while ((node = list_pop(&root->params.children)) != NULL) {
		struct kmem_cache *child =
			container_of(node, struct kmem_cache, params.children_node);

		list_add_tail(node, &busy);
		shutdown_cache(t, child);
	}
	list_splice_tail(&busy, &root->params.children);
	return list_empty(&root->params.children) ? 0 : -EBUSY;
}

/* slab_mutex held: one user less.  True if others remain. */
bool drop_user(struct task *t, struct kmem_cache *root)
{
	bool others;

	sched_access(t, root->id, FIELD_REFCOUNT, ACCESS_RMW, "kmem_cache_destroy.refcount");
	others = --root->refcount > 0;
	trace(t, REF_PUT, .obj = root->id, .arg = {1, HOLD_USER});
	if (!others)
		trace(t, REF_ZERO, .obj = root->id);
	return others;
}

/* ---- first and last steps ---------------------------------------- */

void shutdown_and_release(struct task *t, struct kmem_cache *child)
{
	struct list release;

	lock_caches(t);
	shutdown_cache(t, child);
	take_retired(t, &release);
	unlock_caches(t);
	release_retired(t, &release);
}

void init_root_array(struct task *t, struct kmem_cache *root)
{
	root->params.memcg_caches = new_cache_array(t, mm_of(t->w)->nr_cache_ids);
}

void free_root_array(struct task *t, struct kmem_cache *root)
{
	struct memcg_cache_array *arr = root->params.memcg_caches;

	if (arr)
		world_free(t->w, arr, sizeof(*arr) + arr->size * sizeof(arr->entries[0]));
	root->params.memcg_caches = NULL;
}

void link_lists(struct task *t, struct kmem_cache *cache, struct mem_cgroup *memcg)
{
	if (is_root_cache(cache)) {
		list_add(&cache->params.root_caches_node, &mm_of(t->w)->slab_root_caches);
		return;
	}
	sched_write(t, memcg->css.of, FIELD_LIST, "memcg_link_cache.lists");
	list_add(&cache->params.children_node, &cache->params.root_cache->params.children);
	list_add(&cache->params.kmem_caches_node, &memcg->kmem_caches);
}

void unlink_lists(struct task *t, struct kmem_cache *cache)
{
	struct mem_cgroup *memcg = cache->params.memcg;

	if (is_root_cache(cache)) {
		list_del(&cache->params.root_caches_node);
		return;
	}
	sched_write(t, memcg->css.of, FIELD_LIST, "memcg_unlink_cache.lists");
	list_del(&cache->params.children_node);
	list_del(&cache->params.kmem_caches_node);
	trace(t, CACHE_UNLINK, .obj = cache->id, .arg = {(int64_t)memcg->css.of});
}
