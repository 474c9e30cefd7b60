/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MM_MEMCG_ID_H
#define SIM_MM_MEMCG_ID_H

/*
 * The numbers of a memcg: kmemcg_id, the index into the arrays of caches and lists, and
 * the private id, by which swap entries remember whom they are charged to.
 *
 * The private id has a count of its own: one while the memcg is online, one for each page
 * in swap.  It is the last of these that gives up the number and the css reference.
 *
 * Upstream: memcg_alloc_cache_id() and mem_cgroup_idr, mm/memcontrol.c.
 */

#include "sim/engine/world.h"

struct mem_cgroup;

/**
 * memcg_alloc_cache_id() - the lowest free index, or an errno
 *
 * The arrays of root caches and lists grow to have a slot for it.
 */
int memcg_alloc_cache_id(struct task *t, struct mem_cgroup *memcg);

/** memcg_free_cache_id() - nothing is indexed by it any more */
void memcg_free_cache_id(struct task *t, int id);

/**
 * memcg_reid() - give @memcg and all below it the index @id in place of @old
 *
 * Whoever looks an index up then finds the parent's lists and caches.  In a read section of
 * its own.
 */
void memcg_reid(struct task *t, struct mem_cgroup *memcg, int old, int id);

/* The private id in a memcg's life: alloc gives 0 or an errno, remove forgets the number. */
int mem_cgroup_id_alloc(struct task *t, struct mem_cgroup *memcg);
void mem_cgroup_id_online(struct task *t, struct mem_cgroup *memcg);
void mem_cgroup_id_offline(struct task *t, struct mem_cgroup *memcg);
void mem_cgroup_id_released(struct task *t, struct mem_cgroup *memcg);
void mem_cgroup_id_remove(struct task *t, struct mem_cgroup *memcg);

/** mem_cgroup_id_get_online() - count @n on the nearest memcg upwards whose number is in use */
struct mem_cgroup *mem_cgroup_id_get_online(struct task *t, struct mem_cgroup *memcg, int64_t n);

/** mem_cgroup_id_get_many() - the same without asking whether it is */
void mem_cgroup_id_get_many(struct task *t, struct mem_cgroup *memcg, int64_t n);
void mem_cgroup_id_put_many(struct task *t, struct mem_cgroup *memcg, int64_t n);

/** mem_cgroup_from_id() - who has that number, NULL if nobody; read section */
struct mem_cgroup *mem_cgroup_from_id(struct task *t, int id);

#endif /* SIM_MM_MEMCG_ID_H */
