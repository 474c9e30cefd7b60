// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations of a task: reclaim, and walks over the memcgs of a subtree.
 */

#include <errno.h>

#include "lua/run.h"
#include "sim/reclaim/vmscan.h"

/* More pages than any scenario has. */
#define PAGES_MAX (INT64_C(1) << 40)

struct task *arg_reclaimer(lua_State *L, const char *op)
{
	struct task *t = arg_self(L, op)->task;

	if (!mm_of(t->w)->reclaim)
		script_error(
			L, "t:%s: this machine has no reclaim; say reclaim = true in the scenario",
			op);
	return t;
}

/* Whoever reclaims below a memcg pins it: false if it is too late for that. */
static bool pin(struct task *t, const struct cgroup_handle *g)
{
	bool ok;

	rcu_read_lock(t);
	ok = !cgroup_is_removed(t, g) && css_tryget_online(t, &g->memcg->css, HOLD_TEMP, t->id);
	rcu_read_unlock(t);
	return ok;
}

static void unpin(struct task *t, const struct cgroup_handle *g)
{
	css_put(t, &g->memcg->css, HOLD_TEMP, t->id);
}

static int push_count(lua_State *L, int64_t n)
{
	if (n >= 0) {
		lua_pushinteger(L, n);
		return 1;
	}
	lua_pushnil(L);
	lua_pushstring(L, error_name((int)n));
	return 2;
}

static int l_reclaim(lua_State *L)
{
	struct task *t = arg_reclaimer(L, "reclaim");
	struct cgroup_handle *g = arg_handle(L, 2, HANDLE_CGROUP, "reclaim");
	int64_t pages = arg_int(L, 3, "reclaim", "a number of pages", 1, PAGES_MAX);
	int64_t freed = -ENODEV;

	op_begin(t, "reclaim", g->h.id);
	if (pin(t, g)) {
		freed = try_to_free_mem_cgroup_pages(t, g->memcg, pages, true);
		unpin(t, g);
	}
	op_end(t, "reclaim", freed);
	return push_count(L, freed);
}

static int l_kswapd(lua_State *L)
{
	struct task *t = arg_reclaimer(L, "kswapd");
	int64_t pages = arg_int(L, 2, "kswapd", "a number of pages", 1, PAGES_MAX);
	int64_t freed;

	op_begin(t, "kswapd", mm_of(t->w)->root->id);
	freed = balance_pgdat(t, pages);
	op_end(t, "kswapd", freed);
	return push_count(L, freed);
}

/* ---- walks ---------------------------------------------------------------------- */

struct walk {
	struct mem_cgroup_reclaim_cookie cookie;
	bool shared;
	int64_t max; /* memcgs, then it breaks off */
	const char **names;
	int64_t nr;
};

static void remember(struct task *t, struct walk *walk, const struct mem_cgroup *memcg)
{
	static const size_t size = sizeof(const char *);

	if ((walk->nr & (walk->nr - 1)) == 0) {
		const char **more = world_alloc(t->w, (size_t)(walk->nr ? 2 * walk->nr : 1) * size);

		for (int64_t i = 0; i < walk->nr; i++)
			more[i] = walk->names[i];
		if (walk->names)
			world_free(t->w, walk->names, (size_t)walk->nr * size);
		walk->names = more;
	}
	walk->names[walk->nr++] = memcg->css.cgroup->name;
}

static void walk_below(struct task *t, struct mem_cgroup *root, struct walk *walk)
{
	struct mem_cgroup_reclaim_cookie *cookie = walk->shared ? &walk->cookie : NULL;
	struct mem_cgroup *memcg = mem_cgroup_iter(t, root, NULL, cookie);

	while (memcg) {
		remember(t, walk, memcg);
		if (walk->nr == walk->max) {
			mem_cgroup_iter_break(t, root, memcg);
			return;
		}
		cond_resched(t);
		memcg = mem_cgroup_iter(t, root, memcg, cookie);
	}
}

/* iterate(cgroup, max, priority, node, zone, shared): lua/lib puts the table apart */
static int l_iterate(lua_State *L)
{
	struct task *t = arg_reclaimer(L, "iterate");
	struct cgroup_handle *g = arg_handle(L, 2, HANDLE_CGROUP, "iterate");
	const struct iter_config *config = &reclaim_of(t)->iter.config;
	struct walk walk = {.max = arg_int(L, 3, "iterate", "max memcgs", 1, PAGES_MAX)};
	bool pinned;

	walk.cookie.priority =
		(uint32_t)arg_int(L, 4, "iterate", "a priority", 0, NR_PRIORITIES - 1);
	walk.cookie.node = (uint32_t)arg_int(L, 5, "iterate", "a node", 0, config->nr_nodes - 1);
	walk.cookie.zone = (uint32_t)arg_int(L, 6, "iterate", "a zone", 0, config->nr_zones - 1);
	walk.shared = lua_toboolean(L, 7);
	op_begin(t, "iterate", g->h.id);
	pinned = pin(t, g);
	if (pinned) {
		walk_below(t, g->memcg, &walk);
		unpin(t, g);
	}
	op_end(t, "iterate", pinned ? walk.nr : -ENODEV);
	if (!pinned)
		return push_count(L, -ENODEV);
	lua_createtable(L, (int)(walk.nr < 1000000 ? walk.nr : 1000000), 0);
	for (int64_t i = 0; i < walk.nr; i++) {
		lua_pushstring(L, walk.names[i]);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/* ---- figures ----------------------------------------------------------------------- */

static void set_figure(lua_State *L, const char *name, uint64_t n)
{
	lua_pushinteger(L, (lua_Integer)n);
	lua_setfield(L, -2, name);
}

static int push_memcg_figures(lua_State *L, const struct mem_cgroup *memcg)
{
	const struct memcg_reclaim *mr = memcg_reclaim(memcg);

	lua_createtable(L, 0, 4);
	set_figure(L, "visits", mr->iter.nr_visits);
	set_figure(L, "scanned", mr->nr_scanned);
	set_figure(L, "reclaimed", mr->nr_reclaimed);
	set_figure(L, "pages", (uint64_t)memcg->lru_pages);
	return 1;
}

static int push_world_figures(lua_State *L, const struct reclaim *r)
{
	const struct iter_stats *s = &r->iter.stats;

	lua_createtable(L, 0, 10);
	set_figure(L, "visits", s->visits);
	set_figure(L, "rounds", s->rounds);
	set_figure(L, "restarts", s->restarts);
	set_figure(L, "needless_restarts", s->needless_restarts);
	set_figure(L, "removals", s->removals);
	set_figure(L, "positions", s->looked_at);
	set_figure(L, "locks", s->locks);
	set_figure(L, "counts", s->counts);
	set_figure(L, "cleared", s->cleared);
	set_figure(L, "reclaimed", r->nr_reclaimed);
	return 1;
}

/* The memory of a memcg that is gone still tells what it was. */
static int l_reclaim_figures(lua_State *L)
{
	struct task *t = arg_reclaimer(L, "reclaim_figures");
	const struct cgroup_handle *g =
		lua_isnoneornil(L, 2) ? NULL : arg_handle(L, 2, HANDLE_CGROUP, "reclaim_figures");

	op_begin(t, "reclaim_figures", g ? g->h.id : 0);
	sched_point(t, COST_ACCESS);
	touch(t->w, mm_of(t->w)->globals, FIELD_ITER_FIGURES, ACCESS_READ);
	if (g)
		touch(t->w, g->memcg->css.of, FIELD_LRU, ACCESS_READ);
	op_end(t, "reclaim_figures", 0);
	return g ? push_memcg_figures(L, g->memcg) : push_world_figures(L, reclaim_of(t));
}

void ops_reclaim_open(lua_State *L, int core)
{
	static const luaL_Reg ops[] = {
		{"iterate", l_iterate}, {"kswapd", l_kswapd},
		{"reclaim", l_reclaim}, {"reclaim_figures", l_reclaim_figures},
		{NULL, NULL},
	};

	lua_getfield(L, core, "methods");
	lua_getfield(L, -1, "task");
	luaL_setfuncs(L, ops, 0);
	lua_pop(L, 2);
}
