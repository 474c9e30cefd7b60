// SPDX-License-Identifier: GPL-2.0-only
#include "sim/mm/memcg_id.h"

#include <errno.h>
#include <string.h>

#include "sim/mm/mm.h"

/* ---- indices of caches and lists --------------------------------------------- */

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

int memcg_alloc_cache_id(struct task *t, struct mem_cgroup *memcg)
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

/* ---- private ids ------------------------------------------------------------- */

void mem_cgroup_id_put(struct task *t, struct mem_cgroup *memcg)
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
