// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memcg's bits, one per shrinker, and from v5.13 on its deferred work.
 *
 * Bits are set without a lock.  A bitmap that is replaced by a larger one therefore has
 * all its bits set in the new one: a bit that comes into the old one after it was copied
 * would be lost.  Up to v6.6 there is one unit, replaced as a whole; then there are
 * several, and a larger info takes them over.
 */
#include <errno.h>
#include <string.h>

#include "sim/reclaim/fields.h"
#include "sim/reclaim/reclaim.h"

#define WORD_BITS 64u

static uint32_t words(uint32_t nr)
{
	return (nr + WORD_BITS - 1) / WORD_BITS;
}

static uint32_t map_step(struct task *t)
{
	uint32_t bits = shrinker_config(t)->map_bits;

	return bits ? bits : WORD_BITS;
}

/* Room for @nr bits comes in steps. */
static uint32_t rounded(struct task *t, uint32_t nr)
{
	uint32_t step = map_step(t);

	return (nr + step - 1) / step * step;
}

/* ---- units and infos ---------------------------------------- */

static struct shrinker_unit *unit_new(struct task *t, struct mem_cgroup *memcg, uint32_t first,
				      uint32_t nr, uint32_t nr_set)
{
	struct shrinker_unit *unit = world_alloc(t->w, sizeof(*unit));

	unit->id = world_new_id(t->w, OBJ_SHRINKER_MAP);
	unit->first = first;
	unit->nr = nr;
	unit->bits = world_alloc(t->w, words(nr) * sizeof(*unit->bits));
	unit->nr_deferred = world_alloc(t->w, nr * sizeof(*unit->nr_deferred));
	for (uint32_t i = 0; i < nr_set; i++)
		unit->bits[i / WORD_BITS] |= UINT64_C(1) << i % WORD_BITS;
	trace(t, SHRINKER_MAP_NEW, .obj = unit->id,
	      .arg = {(int64_t)memcg->css.of, first, nr, nr_set});
	return unit;
}

static void unit_free(struct task *t, struct shrinker_unit *unit, const char *how)
{
	touch(t->w, unit->id, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = unit->id, .str = how);
	world_free(t->w, unit->bits, words(unit->nr) * sizeof(*unit->bits));
	world_free(t->w, unit->nr_deferred, unit->nr * sizeof(*unit->nr_deferred));
	world_free(t->w, unit, sizeof(*unit));
}

static size_t info_bytes(uint32_t nr_units)
{
	return sizeof(struct shrinker_info) + nr_units * sizeof(struct shrinker_unit *);
}

static struct shrinker_info *info_new(struct task *t, uint32_t nr_units)
{
	struct shrinker_info *info = world_alloc(t->w, info_bytes(nr_units));

	info->nr_units = nr_units;
	return info;
}

static void info_free(struct task *t, struct shrinker_info *info, const char *how)
{
	for (uint32_t i = 0; i < info->nr_units && !info->keeps_units; i++)
		unit_free(t, info->unit[i], how);
	world_free(t->w, info, info_bytes(info->nr_units));
}

static void free_info_rcu(struct task *t, struct rcu_head *head)
{
	info_free(t, container_of(head, struct shrinker_info, rcu), "kvfree_rcu");
}

struct shrinker_info *shrinker_info_of(struct task *t, struct mem_cgroup *memcg)
{
	sched_read(t, memcg->css.of, FIELD_SHRINKER_INFO, "shrinker_info.dereference");
	return memcg_reclaim(memcg) ? memcg_reclaim(memcg)->info : NULL;
}

struct shrinker_unit *shrinker_unit_of(struct shrinker_info *info, uint32_t nr)
{
	for (uint32_t i = 0; info && i < info->nr_units; i++) {
		struct shrinker_unit *unit = info->unit[i];

		if (nr - unit->first < unit->nr)
			return unit;
	}
	return NULL;
}

/* ---- bits ---------------------------------------- */

bool shrinker_bit_read(struct task *t, struct shrinker_unit *unit, uint32_t nr)
{
	uint32_t i = nr - unit->first;

	/* The next set bit is looked for word by word. */
	if (i % WORD_BITS == 0)
		sched_read(t, unit->id, MAP_WORD, "shrink_slab_memcg.map");
	else
		touch(t->w, unit->id, MAP_WORD, ACCESS_READ);
	return unit->bits[i / WORD_BITS] >> i % WORD_BITS & 1;
}

void shrinker_bit_write(struct task *t, struct mem_cgroup *memcg, struct shrinker_unit *unit,
			uint32_t nr, bool set)
{
	uint32_t i = nr - unit->first;
	uint64_t bit = UINT64_C(1) << i % WORD_BITS;

	sched_access(t, unit->id, MAP_WORD, ACCESS_RMW,
		     set ? "set_shrinker_bit.set" : "shrink_slab_memcg.clear");
	if (set)
		unit->bits[i / WORD_BITS] |= bit;
	else
		unit->bits[i / WORD_BITS] &= ~bit;
	trace(t, SHRINKER_BIT, .obj = unit->id, .arg = {(int64_t)memcg->css.of, nr, set});
}

void set_shrinker_bit(struct task *t, struct mem_cgroup *memcg, int nr)
{
	FRAME(t);
	struct shrinker_unit *unit;

	/* All shrinkers are called for the root. */
	if (!memcg || mem_cgroup_is_root(memcg))
		return;
	rcu_read_lock(t);
	unit = shrinker_unit_of(shrinker_info_of(t, memcg), (uint32_t)nr);
	if (unit)
		shrinker_bit_write(t, memcg, unit, (uint32_t)nr, true);
	rcu_read_unlock(t);
}

/* ---- a memcg's own ---------------------------------------- */

static bool has_info(struct task *t, const struct mem_cgroup *memcg)
{
	switch (shrinker_config(t)->form) {
	case SHRINK_MAP:
		return !mem_cgroup_is_root(memcg);
	case SHRINK_INFO:
		return true;
	case SHRINK_GLOBAL:
	case SHRINK_WALK:
	case NR_SHRINKER_FORMS:
		break;
	}
	return false;
}

/* What keeps the room for bits as it is. */
static void lock_maps(struct task *t)
{
	struct shrinkers *all = &reclaim_of(t)->shrinkers;

	if (shrinker_config(t)->form == SHRINK_MAP)
		mutex_lock(t, &all->map_mutex);
	else
		down_write(t, &all->rwsem);
}

static void unlock_maps(struct task *t)
{
	struct shrinkers *all = &reclaim_of(t)->shrinkers;

	if (shrinker_config(t)->form == SHRINK_MAP)
		mutex_unlock(t, &all->map_mutex);
	else
		up_write(t, &all->rwsem);
}

static void publish(struct task *t, struct mem_cgroup *memcg, struct shrinker_info *info)
{
	sched_write(t, memcg->css.of, FIELD_SHRINKER_INFO, "shrinker_info.assign_pointer");
	memcg_reclaim(memcg)->info = info;
}

/* Units for bits @from to @nr: one, or one for each step. */
static struct shrinker_info *make_info(struct task *t, struct mem_cgroup *memcg,
				       const struct shrinker_info *old, uint32_t nr)
{
	uint32_t step = map_step(t), kept = old ? old->nr_units : 0;
	struct shrinker_info *info;

	if (!shrinker_config(t)->refs) {
		uint32_t nr_old = kept ? old->unit[0]->nr : 0;

		info = info_new(t, 1);
		info->unit[0] = unit_new(t, memcg, 0, nr, nr_old);
		return info;
	}
	info = info_new(t, nr / step);
	for (uint32_t i = 0; i < info->nr_units; i++)
		info->unit[i] = i < kept ? old->unit[i] : unit_new(t, memcg, i * step, step, 0);
	return info;
}

int alloc_shrinker_info(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	struct shrinkers *all = &reclaim_of(t)->shrinkers;
	int err = 0;

	if (!has_info(t, memcg))
		return 0;
	lock_maps(t);
	if (!mem_cgroup_is_root(memcg) && fault_point(t, "alloc_shrinker_info"))
		err = -ENOMEM;
	else
		publish(t, memcg, make_info(t, memcg, NULL, all->nr_max));
	unlock_maps(t);
	return err;
}

void free_shrinker_info(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	struct shrinker_info *info;

	if (!memcg_reclaim(memcg) || !memcg_reclaim(memcg)->info)
		return;
	info = memcg_reclaim(memcg)->info;
	publish(t, memcg, NULL);
	info_free(t, info, "free_shrinker_info");
}

/* ---- growth ---------------------------------------- */

/* Deferred work is carried over; bits that come meanwhile would not be. */
static void take_over(struct task *t, struct shrinker_info *info, struct shrinker_info *old)
{
	if (shrinker_config(t)->refs) {
		old->keeps_units = true;
		return;
	}
	if (old->nr_units == 0)
		return;
	for (uint32_t i = 0; i < old->unit[0]->nr; i++)
		info->unit[0]->nr_deferred[i] = old->unit[0]->nr_deferred[i];
}

/* A variant: the bits as they are now. */
static void copy_bits(struct task *t, struct mem_cgroup *memcg, struct shrinker_info *info,
		      const struct shrinker_info *old)
{
	if (!shrinker_config(t)->expand_copies_bits || shrinker_config(t)->refs ||
	    old->nr_units == 0)
		return;
	sched_read(t, old->unit[0]->id, MAP_WORD, "expand_one_shrinker_info.copy");
	for (uint32_t i = 0; i < old->unit[0]->nr; i++) {
		uint64_t bit = UINT64_C(1) << i % WORD_BITS;

		if (old->unit[0]->bits[i / WORD_BITS] & bit)
			continue;
		info->unit[0]->bits[i / WORD_BITS] &= ~bit;
		trace(t, SHRINKER_BIT, .obj = info->unit[0]->id,
		      .arg = {(int64_t)memcg->css.of, i, 0});
	}
}

static int expand_one(struct task *t, struct mem_cgroup *memcg, uint32_t nr)
{
	FRAME_NAMED(t, "expand_one_shrinker_info");
	struct shrinker_info *old, *info;

	old = memcg_reclaim(memcg) ? memcg_reclaim(memcg)->info : NULL;
	touch(t->w, memcg->css.of, FIELD_SHRINKER_INFO, ACCESS_READ);
	/* It comes online later and gets the new size then. */
	if (!old)
		return 0;
	if (fault_point(t, "expand_one_shrinker_info"))
		return -ENOMEM;
	info = make_info(t, memcg, old, nr);
	take_over(t, info, old);
	copy_bits(t, memcg, info, old);
	publish(t, memcg, info);
	call_rcu(t, &old->rcu, free_info_rcu, old->nr_units ? old->unit[0]->id : memcg->css.of);
	return 0;
}

static int expand_all(struct task *t, uint32_t nr)
{
	struct mem_cgroup *memcg = NULL;

	while ((memcg = mem_cgroup_iter(t, mm_of(t->w)->root_memcg, memcg, NULL)) != NULL) {
		if (!has_info(t, memcg) || expand_one(t, memcg, nr) == 0)
			continue;
		if (!shrinker_config(t)->expand_keeps_css)
			mem_cgroup_iter_break(t, mm_of(t->w)->root_memcg, memcg);
		return -ENOMEM;
	}
	return 0;
}

int expand_shrinker_info(struct task *t, uint32_t nr_max)
{
	FRAME(t);
	struct shrinkers *all = &reclaim_of(t)->shrinkers;
	bool mutex = shrinker_config(t)->form == SHRINK_MAP;
	uint32_t nr = rounded(t, nr_max);
	int err = 0;

	/* Later the semaphore, which the caller holds, has to do. */
	if (mutex)
		mutex_lock(t, &all->map_mutex);
	if (nr > all->nr_max)
		err = expand_all(t, nr);
	if (!err && nr > all->nr_max)
		all->nr_max = nr;
	if (mutex)
		mutex_unlock(t, &all->map_mutex);
	return err;
}

/* ---- offline ---------------------------------------- */

static void reparent_unit(struct task *t, const struct shrinker_unit *from,
			  struct shrinker_unit *to)
{
	for (uint32_t i = 0; i < from->nr; i++) {
		if (from->nr_deferred[i] == 0)
			continue;
		sched_access(t, to->id, SHRINKER_DEFERRED, ACCESS_RMW,
			     "reparent_shrinker_deferred.add");
		to->nr_deferred[i] += from->nr_deferred[i];
	}
}

void reparent_shrinker_deferred(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	struct shrinkers *all = &reclaim_of(t)->shrinkers;
	struct shrinker_info *from, *to;

	if (shrinker_config(t)->form != SHRINK_INFO || !memcg_reclaim(memcg))
		return;
	/* So that neither is replaced meanwhile. */
	down_read(t, &all->rwsem);
	from = shrinker_info_of(t, memcg);
	to = shrinker_info_of(t, memcg->parent);
	for (uint32_t i = 0; from && to && i < from->nr_units; i++) {
		sched_read(t, from->unit[i]->id, SHRINKER_DEFERRED,
			   "reparent_shrinker_deferred.read");
		reparent_unit(t, from->unit[i], to->unit[i]);
	}
	up_read(t, &all->rwsem);
}
