// SPDX-License-Identifier: GPL-2.0-only
#include "sim/mm/memcg.h"

#include <errno.h>

#include "sim/mm/mm.h"

bool mem_cgroup_is_descendant(const struct mem_cgroup *memcg, const struct mem_cgroup *root)
{
	for (; memcg; memcg = memcg->parent) {
		if (memcg == root)
			return true;
	}
	return false;
}

struct mem_cgroup *mem_cgroup_from_task(const struct task *who)
{
	const struct cgroup *cgrp = who->cgroup;

	if (who->active_memcg)
		return who->active_memcg;
	return cgrp ? cgrp->memcg : NULL;
}

void memalloc_use_memcg(struct task *t, struct mem_cgroup *memcg)
{
	sched_write(t, t->id, FIELD_ONLINE, "memalloc_use_memcg.active_memcg");
	t->active_memcg = memcg;
}

void memcg_hotplug_cpu_dead(struct task *t, unsigned int cpu)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);

	sched_access(t, mm->globals, FIELD_CPUS_GONE, ACCESS_RMW, "memcg_hotplug_cpu_dead.mask");
	mm->cpus_gone |= UINT64_C(1) << cpu;
	drain_gone_stock(t, &mm->stocks[cpu]);
	memcg_stat_cpu_gone(t, cpu);
}

struct mem_cgroup *get_mem_cgroup_from_current(struct task *t, oid_t owner)
{
	struct mem_cgroup *memcg;

	rcu_read_lock(t);
	/* It is moved out before its cgroup can be removed. */
	do {
		sched_read(t, t->id, FIELD_ONLINE, "get_mem_cgroup_from_mm.css_set");
		memcg = mem_cgroup_from_task(t);
	} while (!css_tryget_online(t, &memcg->css, HOLD_TEMP, owner));
	rcu_read_unlock(t);
	return memcg;
}

static int memcg_online_kmem(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);
	const struct lifecycle_ops *ops = mm->ops;
	int id;

	if (!mm->memcg_kmem_cache_wq)
		mm->memcg_kmem_cache_wq = alloc_kmem_wq(t->w, &mm->config);
	id = memcg_alloc_cache_id(t, memcg);

	if (id < 0)
		return id;
	if (ops->online_kmem && ops->online_kmem(t, memcg)) {
		memcg_free_cache_id(t, id);
		return -ENOMEM;
	}
	sched_write(t, memcg->css.of, FIELD_KMEMCG_ID, "memcg_online_kmem.id");
	memcg->kmemcg_id = id;
	sched_write(t, memcg->css.of, FIELD_KMEM_STATE, "memcg_online_kmem.state");
	memcg->kmem_state = KMEM_ONLINE;
	return 0;
}

static void free_memcg(struct task *t, const struct mem_cgroup *memcg, const char *how)
{
	touch(t->w, memcg->css.of, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = memcg->css.of, .str = how);
}

static int mem_cgroup_alloc(struct task *t, struct mem_cgroup *memcg)
{
	int err = mem_cgroup_id_alloc(t, memcg);

	if (err || !memcg_stat_alloc(t, memcg))
		return err;
	mem_cgroup_id_remove(t, memcg);
	memcg_stat_alloc_failed(t, memcg);
	return -ENOMEM;
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
	page_counter_init(&memcg->memory, memcg->css.of, "memory", parent ? &parent->memory : NULL);
	page_counter_init(&memcg->kmem, memcg->css.of, "kmem", parent ? &parent->kmem : NULL);
	page_counter_init(&memcg->swap, memcg->css.of, "swap", parent ? &parent->swap : NULL);
	memcg->high = PAGE_COUNTER_MAX;
	*err = mem_cgroup_alloc(t, memcg);
	if (!*err && parent) {
		*err = memcg_online_kmem(t, memcg);
		if (*err && !mm->config.id_kept_on_failure)
			mem_cgroup_id_remove(t, memcg);
	}
	if (!*err)
		return memcg;
	free_memcg(t, memcg, "mem_cgroup_css_alloc");
	return NULL;
}

int mem_cgroup_css_online(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	const struct reclaim_ops *reclaim = mm_of(t->w)->reclaim;

	if (reclaim && reclaim->memcg_online && reclaim->memcg_online(t, memcg))
		return -ENOMEM;
	mem_cgroup_id_online(t, memcg);
	return 0;
}

static void memcg_offline_kmem(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);
	int old = memcg->kmemcg_id;

	if (memcg->kmem_state != KMEM_ONLINE)
		return;
	/* Only if its parent went offline before it. */
	if (old < 0) {
		trace(t, NULL_DEREF, .obj = memcg->css.of, .str = "memcg_caches[-1]");
		return;
	}
	/* Ordered by slab_mutex against creation, which tests it there. */
	sched_write(t, memcg->css.of, FIELD_KMEM_STATE, "memcg_offline_kmem.state");
	memcg->kmem_state = KMEM_ALLOCATED;
	mm->ops->offline_kmem(t, memcg);
	if (mm->reclaim && mm->reclaim->reparent_lists) {
		mm->reclaim->reparent_lists(t, memcg, old);
	} else {
		memcg_reid(t, memcg, old, memcg->parent->kmemcg_id);
	}
	memcg_free_cache_id(t, old);
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
	else if (mm_of(t->w)->ops->css_offline)
		mm_of(t->w)->ops->css_offline(t, memcg);
	if (!mm_of(t->w)->config.offline_keeps_stock)
		drain_all_stock(t, memcg);
	mem_cgroup_id_offline(t, memcg);
	trace(t, CSS_OFFLINE_END, .obj = memcg->css.of);
}

void mem_cgroup_css_released(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	const struct reclaim_ops *reclaim = mm_of(t->w)->reclaim;

	if (reclaim && reclaim->memcg_released)
		reclaim->memcg_released(t, memcg);
	memcg_stat_released(t, memcg);
	mem_cgroup_id_released(t, memcg);
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
		memcg_free_cache_id(t, memcg->kmemcg_id);
		trace(t, KMEMCG_ID_FREE, .obj = memcg->css.of, .arg = {memcg->kmemcg_id, -1});
	}
	/* Not given up yet where it lasts as long as the css, or if that never came online. */
	mem_cgroup_id_remove(t, memcg);
	memcg_stat_free(t, memcg);
	free_memcg(t, memcg, "mem_cgroup_css_free");
}
