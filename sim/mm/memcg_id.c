// SPDX-License-Identifier: GPL-2.0-only
#include "sim/mm/memcg_id.h"

#include <errno.h>
#include <string.h>

#include "sim/mm/mm.h"

/* ---- indices of caches and lists --------------------------------------------- */

/* One that is watched stays, for those who read it too late. */
static void free_array(struct task *t, struct memcg_cache_array *arr)
{
	if (mm_of(t->w)->config.array_watched) {
		touch(t->w, arr->id, FIELD_LIFE, ACCESS_WRITE);
		trace(t, OBJ_FREE, .obj = arr->id, .str = "kfree");
		return;
	}
	world_free(t->w, arr, sizeof(*arr) + arr->size * sizeof(arr->entries[0]));
}

static void free_array_rcu(struct task *t, struct rcu_head *head)
{
	free_array(t, container_of(head, struct memcg_cache_array, rcu));
}

static void copy_slots(struct memcg_cache_array *to, const struct memcg_cache_array *from)
{
	if (from)
		memcpy(to->entries, from->entries, from->size * sizeof(from->entries[0]));
}

/* slab_mutex held. */
static bool grow_array(struct task *t, struct kmem_cache *root, uint32_t size)
{
	const struct mm_config *config = &mm_of(t->w)->config;
	struct memcg_cache_array *old = root->params.memcg_caches, *arr;

	if (fault_point(t, "memcg_update_cache_params"))
		return false;
	arr = new_cache_array(t, size);
	if (!config->array_published_empty)
		copy_slots(arr, old);
	sched_write(t, root->id, FIELD_ARRAY, "update_memcg_params.publish");
	root->params.memcg_caches = arr;
	if (config->array_published_empty) {
		sched_write(t, root->id, FIELD_SLOT, "update_memcg_params.copy");
		copy_slots(arr, old);
	}
	if (old && config->array_freed_at_once)
		free_array(t, old);
	else if (old)
		call_rcu(t, &old->rcu, free_array_rcu, 0);
	return true;
}

/* Those that have grown stay so, whatever becomes of the others. */
static int memcg_update_all_caches(struct task *t, uint32_t size)
{
	struct mm *mm = mm_of(t->w);
	int err = 0;

	mutex_lock(t, &mm->slab_mutex);
	list_for_each(node, &mm->slab_root_caches) {
		if (!grow_array(t, container_of(node, struct kmem_cache, params.root_caches_node),
				size)) {
			err = -ENOMEM;
			break;
		}
	}
	mutex_unlock(t, &mm->slab_mutex);
	return err;
}

/* memcg_cache_ids_sem held for writing. */
static int grow_arrays(struct task *t, uint32_t id)
{
	struct mm *mm = mm_of(t->w);
	uint32_t size = 2 * (id + 1);
	int err = 0;

	size = size < 4 ? 4 : size > 65535 ? 65535 : size;
	if (mm->ops->get_cache)
		err = memcg_update_all_caches(t, size);
	if (!err && mm->reclaim && mm->reclaim->grow_ids)
		err = mm->reclaim->grow_ids(t, size);
	if (!err)
		mm->nr_cache_ids = size;
	return err;
}

void memcg_free_cache_id(struct task *t, int id)
{
	struct mm *mm = mm_of(t->w);

	touch(t->w, mm->globals, FIELD_KMEMCG_IDS, ACCESS_RMW);
	idr_remove(&mm->kmemcg_ids, id);
}

int memcg_alloc_cache_id(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);
	bool lists = mm->reclaim && mm->reclaim->grow_ids;
	int err = 0, id;

	sched_point(t, COST_PART);
	touch(t->w, mm->globals, FIELD_KMEMCG_IDS, ACCESS_RMW);
	if (fault_point(t, "memcg_alloc_cache_id"))
		return -ENOMEM;
	id = idr_alloc(&mm->kmemcg_ids, memcg);
	if (id < 0 || (uint32_t)id < mm->nr_cache_ids || (!mm->ops->get_cache && !lists))
		return id;
	/* No root cache or list is created between the arrays and the size that new ones get. */
	down_write(t, &mm->memcg_cache_ids_sem);
	err = grow_arrays(t, (uint32_t)id);
	up_write(t, &mm->memcg_cache_ids_sem);
	if (err)
		memcg_free_cache_id(t, id);
	return err ? err : id;
}

static void reid_subtree(struct task *t, struct mem_cgroup *memcg, int old, int id)
{
	if (memcg->kmemcg_id != old)
		trace(t, WARN, .obj = memcg->css.of, .arg = {memcg->kmemcg_id},
		      .str = "kmemcg_id of an offline descendant differs");
	sched_write(t, memcg->css.of, FIELD_KMEMCG_ID, "memcg_offline_kmem.reid");
	memcg->kmemcg_id = id;
	list_for_each(node, &memcg->children)
		reid_subtree(t, container_of(node, struct mem_cgroup, sibling), old, id);
}

/* As lockdep says it. */
static void assert_mutex_or_rcu_locked(struct task *t)
{
	if (mm_of(t->w)->cgroup_mutex.owner != t && t->rcu_nesting == 0)
		trace(t, SUSPICIOUS_RCU, .obj = t->id,
		      .str = "walk over descendants without cgroup_mutex or a read section");
}

void memcg_reid(struct task *t, struct mem_cgroup *memcg, int old, int id)
{
	bool rcu = !mm_of(t->w)->config.walks_without_rcu;

	/* Without cgroup_mutex when it is mem_cgroup_css_free() that calls. */
	if (rcu)
		rcu_read_lock(t);
	assert_mutex_or_rcu_locked(t);
	reid_subtree(t, memcg, old, id);
	if (rcu)
		rcu_read_unlock(t);
}

/* ---- private ids ------------------------------------------------------------- */

int mem_cgroup_id_alloc(struct task *t, struct mem_cgroup *memcg)
{
	struct mm *mm = mm_of(t->w);
	/* An id that is kept after a failure would lead nowhere otherwise. */
	bool early = mm->config.id_published_early || mm->config.id_kept_on_failure;
	int id;

	touch(t->w, mm->globals, FIELD_PRIVATE_IDS, ACCESS_RMW);
	touch(t->w, memcg->css.of, FIELD_PRIVATE_ID, ACCESS_WRITE);
	id = idr_alloc(&mm->private_ids, early ? memcg : NULL);
	if (id < 0)
		return id;
	memcg->private_id = id;
	return 0;
}

void mem_cgroup_id_remove(struct task *t, struct mem_cgroup *memcg)
{
	struct mm *mm = mm_of(t->w);

	touch(t->w, mm->globals, FIELD_PRIVATE_IDS, ACCESS_RMW);
	touch(t->w, memcg->css.of, FIELD_PRIVATE_ID, ACCESS_WRITE);
	if (memcg->private_id > 0)
		idr_remove(&mm->private_ids, memcg->private_id);
	memcg->private_id = 0;
}

void mem_cgroup_id_online(struct task *t, struct mem_cgroup *memcg)
{
	struct mm *mm = mm_of(t->w);

	touch(t->w, mm->globals, FIELD_PRIVATE_IDS, ACCESS_RMW);
	idr_replace(&mm->private_ids, memcg->private_id, memcg);
	if (mm->config.id_with_css)
		return;
	memcg->id_ref = 1;
	css_get(t, &memcg->css, HOLD_ID, 0);
}

void mem_cgroup_id_offline(struct task *t, struct mem_cgroup *memcg)
{
	if (!mm_of(t->w)->config.id_with_css)
		mem_cgroup_id_put_many(t, memcg, 1);
}

/* Found no more; the number itself is freed with the memcg. */
void mem_cgroup_id_released(struct task *t, struct mem_cgroup *memcg)
{
	struct mm *mm = mm_of(t->w);

	if (!mm->config.id_with_css)
		return;
	touch(t->w, mm->globals, FIELD_PRIVATE_IDS, ACCESS_RMW);
	idr_replace(&mm->private_ids, memcg->private_id, NULL);
}

void mem_cgroup_id_get_many(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	sched_access(t, memcg->css.of, FIELD_ID_REF, ACCESS_RMW, "mem_cgroup_id_get.inc");
	memcg->id_ref += (uint32_t)n;
}

struct mem_cgroup *mem_cgroup_id_get_online(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	FRAME(t);

	for (;; memcg = memcg->parent) {
		sched_access(t, memcg->css.of, FIELD_ID_REF, ACCESS_RMW,
			     "mem_cgroup_id_get_online.inc_not_zero");
		if (memcg->id_ref == 0)
			continue;
		memcg->id_ref += (uint32_t)n;
		return memcg;
	}
}

void mem_cgroup_id_put_many(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	FRAME_NAMED(t, "mem_cgroup_id_put");

	sched_access(t, memcg->css.of, FIELD_ID_REF, ACCESS_RMW, "mem_cgroup_id_put.dec");
	memcg->id_ref -= (uint32_t)n;
	if (memcg->id_ref > 0)
		return;
	sched_point(t, COST_PART);
	mem_cgroup_id_remove(t, memcg);
	/* The number held a reference; what it names may go now. */
	css_put(t, &memcg->css, HOLD_ID, 0);
}

struct mem_cgroup *mem_cgroup_from_id(struct task *t, int id)
{
	struct mm *mm = mm_of(t->w);

	sched_read(t, mm->globals, FIELD_PRIVATE_IDS, "mem_cgroup_from_id.find");
	return idr_find(&mm->private_ids, id);
}
