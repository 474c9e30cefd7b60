// SPDX-License-Identifier: GPL-2.0-only
#include "sim/mm/mm.h"

#define MEM_CGROUP_ID_MAX 65535
#define MEMCG_CACHES_MAX_SIZE 65534

void get_online_cpus_mems(struct task *t)
{
	down_read(t, &kernel_of(t->w)->cpu_hotplug_lock);
	down_read(t, &mm_of(t->w)->mem_hotplug_lock);
}

void put_online_cpus_mems(struct task *t)
{
	up_read(t, &mm_of(t->w)->mem_hotplug_lock);
	up_read(t, &kernel_of(t->w)->cpu_hotplug_lock);
}

struct workqueue *alloc_kmem_wq(struct world *w, const struct mm_config *config)
{
	if (config->kmem_wq == KMEM_WQ_SYSTEM)
		return kernel_of(w)->system_wq;
	return alloc_workqueue(w, "memcg_kmem_cache", config->kmem_wq == KMEM_WQ_ORDERED, 1);
}

void mm_init(struct task *t, const struct lifecycle_ops *ops, const void *switches,
	     const struct mm_config *config, const struct reclaim_ops *reclaim, void *reclaim_state)
{
	struct world *w = t->w;
	struct mm *mm = world_alloc(w, sizeof(*mm));

	w->mm = mm;
	mm->w = w;
	mm->ops = ops;
	mm->reclaim = reclaim;
	mm->reclaim_state = reclaim_state;
	mm->switches = switches;
	mm->config = *config;
	mm->globals = world_new_id(w, OBJ_GLOBAL);
	mutex_init(w, &mm->cgroup_mutex, "cgroup_mutex");
	mutex_init(w, &mm->slab_mutex, "slab_mutex");
	mutex_init(w, &mm->percpu_charge_mutex, "percpu_charge_mutex");
	init_rwsem(w, &mm->mem_hotplug_lock, "mem_hotplug_lock");
	init_rwsem(w, &mm->memcg_cache_ids_sem, "memcg_cache_ids_sem");
	spin_lock_init(w, &mm->memcg_kmem_wq_lock, "memcg_kmem_wq_lock");
	mm->cgroup_destroy_wq = config->destroy_on_system_wq
					? kernel_of(w)->system_wq
					: alloc_workqueue(w, "cgroup_destroy", false, 1);
	if (!config->kmem_wq_late)
		mm->memcg_kmem_cache_wq = alloc_kmem_wq(w, config);
	if (config->memcg_slab_mutex)
		mutex_init(w, &mm->memcg_slab_mutex, "memcg_slab_mutex");
	mm->stocks = world_alloc(w, w->config.nr_cpus * sizeof(*mm->stocks));
	idr_init(w, &mm->kmemcg_ids, 0, MEMCG_CACHES_MAX_SIZE);
	idr_init(w, &mm->private_ids, 1, MEM_CGROUP_ID_MAX);
	kernel_of(w)->sysfs.no_drain = config->sysfs_no_drain;
	list_init(&mm->slab_caches);
	list_init(&mm->slab_root_caches);
	list_init(&mm->rcu_destroy);
	list_init(&mm->retired);
	list_init(&mm->usage_waiters);
	list_init(&mm->offline_waiters);
	INIT_WORK(t, &mm->rcu_destroy_work, slab_caches_to_rcu_destroy_workfn, mm->globals);
	for (unsigned int i = 0; i < w->config.nr_cpus; i++)
		stock_init(t, &mm->stocks[i]);
	if (ops->boot)
		ops->boot(t);
	mm->root = cgroup_root_new(t);
	mm->root_memcg = mm->root->memcg;
	t->cgroup = mm->root;
	mm->root->nr_tasks = 1;
}
