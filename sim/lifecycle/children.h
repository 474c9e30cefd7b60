/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_LIFECYCLE_CHILDREN_H
#define SIM_LIFECYCLE_CHILDREN_H

/*
 * What all designs with a child cache per memcg have in common: creation on
 * demand, slots, the lists of a root, destruction of a root and its children.
 */

#include "sim/lifecycle/switches.h"

/**
 * memcg_of_task() - who pays for what @t allocates, with a reference for @h, online unless it is
 * someone that @t charges in place of its own
 * @site: names the access
 */
struct mem_cgroup *memcg_of_task(struct task *t, enum holder h, const char *site);

/** lock_children() - memcg_slab_mutex, in the versions that have it; taken before lock_caches() */
void lock_children(struct task *t);
void unlock_children(struct task *t);

/** lock_caches() - hotplug locks, for reading, and slab_mutex */
void lock_caches(struct task *t);
void unlock_caches(struct task *t);

/** root_dying() - is @root being destroyed?  @site names the access */
bool root_dying(struct task *t, struct kmem_cache *root, const char *site);

/** new_create_work() - the number of a creation work that is yet to be queued: owns a reference */
oid_t new_create_work(struct task *t);

/**
 * queue_creation() - have a child of @root created for @memcg
 * @id: from new_create_work(); its css reference on @memcg goes to the work item
 */
void queue_creation(struct task *t, struct mem_cgroup *memcg, struct kmem_cache *root, oid_t id);

/**
 * child_in_slot() - look, inside a read section, at @memcg's slot of @root
 *
 * Return: NULL if it is empty, and with *@id < 0 if there is none.
 */
struct kmem_cache *child_in_slot(struct task *t, struct mem_cgroup *memcg, struct kmem_cache *root,
				 int *id);

/** for_each_slot_of() - call @fn for each child that @memcg has in a slot; slab_mutex held */
void for_each_slot_of(struct task *t, struct mem_cgroup *memcg,
		      void (*fn)(struct task *t, struct kmem_cache *child));

/** clear_slot() - the child in slot @id of @root is not found by allocations any more */
void clear_slot(struct task *t, struct kmem_cache *root, int id, const char *site);

/** zero_partial_limits() - empty slabs of @child are not kept any longer */
void zero_partial_limits(struct task *t, struct kmem_cache *child, const char *site);

/**
 * barrier_and_flush() - wait for callbacks that queue works of children, then for the works
 *
 * The order matters, and so does every part.
 */
void barrier_and_flush(struct task *t);

/** drop_user() - one user of @root less; true if others remain.  slab_mutex held */
bool drop_user(struct task *t, struct kmem_cache *root);

/** shutdown_memcg_caches() - all children of @root: 0 or -EBUSY.  slab_mutex held */
int shutdown_memcg_caches(struct task *t, struct kmem_cache *root);

/**
 * shutdown_and_release() - the end of @child, which nothing leads to any more: shut down under
 * slab_mutex, freed after it.  One that is still busy stays as it is.
 */
void shutdown_and_release(struct task *t, struct kmem_cache *child);

/** init_root_array() - slots for @root */
void init_root_array(struct task *t, struct kmem_cache *root);
void free_root_array(struct task *t, struct kmem_cache *root);

/** link_lists() - @cache on the lists of its root and memcg, or of all roots; slab_mutex held */
void link_lists(struct task *t, struct kmem_cache *cache, struct mem_cgroup *memcg);
void unlink_lists(struct task *t, struct kmem_cache *cache);

#endif /* SIM_LIFECYCLE_CHILDREN_H */
