/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_RECLAIM_ITER_WALK_H
#define SIM_RECLAIM_ITER_WALK_H

/*
 * What the designs of mem_cgroup_iter() are made of.
 */

#include "sim/reclaim/reclaim.h"

/* A walk that begins or goes on, as a design sees it. */
struct iter_walk {
	struct mem_cgroup *root, *prev;
	struct mem_cgroup_reclaim_cookie *cookie;
	struct iter_position *pos; /* shared by whoever has the same root and place in the cookie */
	uint32_t nr;		   /* of @pos */
};

/* The parts of a position that are touched one by one. */
enum iter_field { ITER_MEMCG, ITER_STAMP, ITER_GENERATION, NR_ITER_FIELDS };

static inline struct iter *iter_of(const struct task *t)
{
	return &reclaim_of(t)->iter;
}

static inline struct iter_memcg *iter_memcg(const struct mem_cgroup *memcg)
{
	return &memcg_reclaim(memcg)->iter;
}

/** iter_field() - how touches of the root name @field of position @nr */
static inline uint32_t iter_field(uint32_t nr, enum iter_field field)
{
	return FIELD_NUMBERED + nr * NR_ITER_FIELDS + (uint32_t)field;
}

/** parent_mem_cgroup() - NULL above the root of a hierarchy, which without one is any memcg */
static inline struct mem_cgroup *parent_mem_cgroup(const struct task *t,
						   const struct mem_cgroup *memcg)
{
	return iter_of(t)->config.no_hierarchy ? NULL : memcg->parent;
}

/** css_next_descendant_pre() - what follows @pos in @root's subtree; @root for NULL.  RCU */
struct mem_cgroup *css_next_descendant_pre(struct task *t, struct mem_cgroup *pos,
					   struct mem_cgroup *root);

/** iter_get() - a reference on @memcg unless the design refuses it */
bool iter_get(struct task *t, struct mem_cgroup *memcg, enum holder h, oid_t owner);

/** iter_next_alive() - the next one after @pos that gives a reference; NULL at the end.  RCU */
struct mem_cgroup *iter_next_alive(struct task *t, struct mem_cgroup *pos, struct mem_cgroup *root);

/** iter_put() - put what iter_next_alive() gave */
void iter_put(struct task *t, struct mem_cgroup *root, struct mem_cgroup *memcg);

/** iter_is_over() - did the round of a walk that goes on end without it? */
bool iter_is_over(struct task *t, const struct iter_walk *walk);

/** iter_join() - a newcomer takes part in the round that is going on */
void iter_join(struct task *t, const struct iter_walk *walk);

/** iter_end_round() - whoever shares the position stops at his next call */
void iter_end_round(struct task *t, const struct iter_walk *walk);

/** iter_arrive() - the walk comes to @memcg, or with NULL to the end of the round; gives @memcg */
struct mem_cgroup *iter_arrive(struct task *t, const struct iter_walk *walk,
			       struct mem_cgroup *memcg);

typedef struct mem_cgroup *(*iter_step)(struct task *t, const struct iter_walk *walk);

/** iter_next_unlocked() - @step in a read section, unless the round has ended without the walk */
struct mem_cgroup *iter_next_unlocked(struct task *t, const struct iter_walk *walk, iter_step step);

/** iter_load(), iter_store(), iter_cmpxchg() - the position's memcg */
struct mem_cgroup *iter_load(struct task *t, const struct iter_walk *walk);
void iter_store(struct task *t, const struct iter_walk *walk, struct mem_cgroup *memcg);
bool iter_cmpxchg(struct task *t, struct mem_cgroup *root, uint32_t nr, struct mem_cgroup *old,
		  struct mem_cgroup *memcg);

/** iter_visited() - the walk came to @memcg */
void iter_visited(struct task *t, const struct iter_walk *walk, const struct mem_cgroup *memcg);

/**
 * iter_went() - the walk came to @memcg, or to the end of the tree; in the step that moves the
 * position, so that the order of visits is that of moves
 * @moved: the position did; it does not if somebody else was faster
 */
void iter_went(struct task *t, const struct iter_walk *walk, const struct mem_cgroup *memcg,
	       bool moved);

/** iter_moved() - the position stands on @memcg now; @stamp is what validates it */
void iter_moved(struct task *t, struct mem_cgroup *root, uint32_t nr,
		const struct mem_cgroup *memcg, uint64_t stamp);

/** iter_restarted() - the walk begins anew because of @why, and not behind @stale */
void iter_restarted(struct task *t, const struct iter_walk *walk, const struct mem_cgroup *stale,
		    const char *why);

typedef void (*iter_visit)(struct task *t, struct mem_cgroup *root, uint32_t nr,
			   struct mem_cgroup *dead);

/**
 * iter_each_position() - look at all positions of @root, and let @visit look at those in use
 *
 * The others stand on nothing; they are one step together.
 */
void iter_each_position(struct task *t, struct mem_cgroup *root, struct mem_cgroup *dead,
			iter_visit visit);

/** iter_count() - add to the figures */
void iter_count(struct task *t, uint64_t *figure, uint64_t n);

#endif /* SIM_RECLAIM_ITER_WALK_H */
