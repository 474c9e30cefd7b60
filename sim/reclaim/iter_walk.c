// SPDX-License-Identifier: GPL-2.0-only
#include "sim/reclaim/iter_walk.h"

/* ---- the tree ------------------------------------------------------------------- */

static struct mem_cgroup *child_at(const struct list *node, struct mem_cgroup *parent)
{
	return node == &parent->children ? NULL : container_of(node, struct mem_cgroup, sibling);
}

/* Its place among its siblings is gone: the next one is the first that was made after it. */
static struct mem_cgroup *first_younger(const struct mem_cgroup *pos, struct mem_cgroup *parent)
{
	list_for_each(node, &parent->children) {
		struct mem_cgroup *child = child_at(node, parent);

		if (child->css.serial_nr > pos->css.serial_nr)
			return child;
	}
	return NULL;
}

/* RCU read section, or cgroup_mutex. */
static struct mem_cgroup *css_next_child(struct task *t, struct mem_cgroup *pos,
					 struct mem_cgroup *parent)
{
	if (!pos) {
		sched_read(t, parent->css.of, FIELD_CHILDREN, "css_next_child.first");
		return child_at(parent->children.next, parent);
	}
	sched_read(t, pos->css.of, FIELD_SIBLING, "css_next_child.sibling");
	touch(t->w, parent->css.of, FIELD_CHILDREN, ACCESS_READ);
	if (!pos->css.released)
		return child_at(pos->sibling.next, parent);
	return iter_of(t)->config.unlinked_is_last ? NULL : first_younger(pos, parent);
}

struct mem_cgroup *css_next_descendant_pre(struct task *t, struct mem_cgroup *pos,
					   struct mem_cgroup *root)
{
	struct mem_cgroup *next;

	if (!pos)
		return root;
	next = css_next_child(t, NULL, pos);
	for (; !next && pos != root; pos = pos->parent)
		next = css_next_child(t, pos, pos->parent);
	return next;
}

/* ---- references ------------------------------------------------------------------- */

bool iter_get(struct task *t, struct mem_cgroup *memcg, enum holder h, oid_t owner)
{
	const struct iter *it = iter_of(t);

	if (it->ops->online_only && !it->config.gets_offline)
		return css_tryget_online(t, &memcg->css, h, owner);
	return css_tryget(t, &memcg->css, h, owner);
}

static bool get_walked(struct task *t, struct mem_cgroup *root, struct mem_cgroup *memcg)
{
	const struct iter_config *config = &iter_of(t)->config;

	/* The caller pins the root, which may be on its way out: it must be seen all the same. */
	if (config->returns_unpinned || (memcg == root && !config->root_is_got))
		return true;
	return iter_get(t, memcg, HOLD_ITER, t->id);
}

struct mem_cgroup *iter_next_alive(struct task *t, struct mem_cgroup *pos, struct mem_cgroup *root)
{
	do {
		pos = css_next_descendant_pre(t, pos, root);
	} while (pos && !get_walked(t, root, pos));
	return pos;
}

void iter_put(struct task *t, struct mem_cgroup *root, struct mem_cgroup *memcg)
{
	const struct iter_config *config = &iter_of(t)->config;

	if (!config->returns_unpinned && (memcg != root || config->root_is_put))
		css_put(t, &memcg->css, HOLD_ITER, t->id);
}

/* ---- rounds ------------------------------------------------------------------------ */

static uint32_t read_generation(struct task *t, const struct iter_walk *walk)
{
	sched_read(t, walk->root->css.of, iter_field(walk->nr, ITER_GENERATION),
		   "mem_cgroup_iter.generation");
	return walk->pos->generation;
}

bool iter_is_over(struct task *t, const struct iter_walk *walk)
{
	if (!walk->prev || walk->cookie->generation == read_generation(t, walk))
		return false;
	trace(t, ITER_STOP, .obj = walk->root->css.of, .arg = {walk->nr}, .str = "overtaken");
	return true;
}

void iter_join(struct task *t, const struct iter_walk *walk)
{
	if (!walk->prev)
		walk->cookie->generation = read_generation(t, walk);
}

void iter_end_round(struct task *t, const struct iter_walk *walk)
{
	sched_access(t, walk->root->css.of, iter_field(walk->nr, ITER_GENERATION), ACCESS_RMW,
		     "mem_cgroup_iter.round");
	walk->pos->generation++;
}

struct mem_cgroup *iter_arrive(struct task *t, const struct iter_walk *walk,
			       struct mem_cgroup *memcg)
{
	if (memcg)
		iter_join(t, walk);
	else
		iter_end_round(t, walk);
	return memcg;
}

struct mem_cgroup *iter_next_unlocked(struct task *t, const struct iter_walk *walk, iter_step step)
{
	struct mem_cgroup *memcg = NULL;

	rcu_read_lock(t);
	if (!iter_is_over(t, walk))
		memcg = step(t, walk);
	rcu_read_unlock(t);
	return memcg;
}

/* ---- positions ----------------------------------------------------------------------- */

struct mem_cgroup *iter_load(struct task *t, const struct iter_walk *walk)
{
	sched_read(t, walk->root->css.of, iter_field(walk->nr, ITER_MEMCG),
		   "mem_cgroup_iter.position");
	return walk->pos->memcg;
}

void iter_moved(struct task *t, struct mem_cgroup *root, uint32_t nr,
		const struct mem_cgroup *memcg, uint64_t stamp)
{
	trace(t, ITER_MOVE, .obj = root->css.of,
	      .arg = {memcg ? (int64_t)memcg->css.of : 0, nr, iter_of(t)->ops->guard,
		      (int64_t)stamp});
}

void iter_store(struct task *t, const struct iter_walk *walk, struct mem_cgroup *memcg)
{
	sched_write(t, walk->root->css.of, iter_field(walk->nr, ITER_MEMCG),
		    "mem_cgroup_iter.store");
	walk->pos->memcg = memcg;
	iter_moved(t, walk->root, walk->nr, memcg, walk->pos->stamp);
}

bool iter_cmpxchg(struct task *t, struct mem_cgroup *root, uint32_t nr, struct mem_cgroup *old,
		  struct mem_cgroup *memcg)
{
	struct iter_position *pos = &iter_memcg(root)->positions[nr];

	sched_access(t, root->css.of, iter_field(nr, ITER_MEMCG), ACCESS_RMW,
		     "mem_cgroup_iter.cmpxchg");
	if (pos->memcg != old)
		return false;
	pos->memcg = memcg;
	iter_moved(t, root, nr, memcg, 0);
	return true;
}

void iter_visited(struct task *t, const struct iter_walk *walk, const struct mem_cgroup *memcg)
{
	trace(t, ITER_VISIT, .obj = memcg->css.of,
	      .arg = {(int64_t)walk->root->css.of, walk->cookie ? (int64_t)walk->nr : -1,
		      !walk->prev});
	iter_count(t, &iter_of(t)->stats.visits, 1);
	iter_count(t, &iter_memcg(memcg)->nr_visits, 1);
}

void iter_went(struct task *t, const struct iter_walk *walk, const struct mem_cgroup *memcg,
	       bool moved)
{
	struct iter *it = iter_of(t);

	if (memcg) {
		iter_visited(t, walk, memcg);
	} else if (moved) {
		trace(t, ITER_ROUND, .obj = walk->root->css.of,
		      .arg = {walk->cookie ? (int64_t)walk->nr : -1,
			      it->ops->exact && !it->config.unlocked});
		iter_count(t, &it->stats.rounds, 1);
	}
}

void iter_restarted(struct task *t, const struct iter_walk *walk, const struct mem_cgroup *stale,
		    const char *why)
{
	struct iter *it = iter_of(t);

	trace(t, ITER_RESTART, .obj = walk->root->css.of,
	      .arg = {(int64_t)stale->css.of, walk->nr, stale->css.online}, .str = why);
	iter_count(t, &it->stats.restarts, 1);
	iter_count(t, &it->stats.needless_restarts, stale->css.online);
}

void iter_each_position(struct task *t, struct mem_cgroup *root, struct mem_cgroup *dead,
			iter_visit visit)
{
	struct iter *it = iter_of(t);
	const struct iter_position *positions;

	iter_count(t, &it->stats.looked_at, it->nr_positions);
	iter_count(t, &it->stats.locks, it->ops->locks ? it->nr_positions : 0);
	sched_read(t, root->css.of, FIELD_ITER_USED, "mem_cgroup_iter.unused");
	positions = iter_memcg(root)->positions;
	for (uint32_t i = 0; i < it->nr_positions; i++) {
		if (positions && positions[i].used)
			visit(t, root, i, dead);
		else if (t->w->timed && i > 0)
			sched_point(t, COST_ACCESS);
	}
}

void iter_count(struct task *t, uint64_t *figure, uint64_t n)
{
	touch(t->w, mm_of(t->w)->globals, FIELD_ITER_FIGURES, ACCESS_ADD);
	*figure += n;
}
