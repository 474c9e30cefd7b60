// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a task can do with charges.  As in ops.c: arguments are checked before op_begin(),
 * results are pushed after op_end().
 */

#include <errno.h>
#include <string.h>

#include "lua/run.h"

static const struct {
	const char *name;
	enum gfp flag;
} gfp_flags[] = {
	{"atomic", GFP_ATOMIC}, {"nofs", GFP_NOFS},	    {"noretry", GFP_NORETRY},
	{"nofail", GFP_NOFAIL}, {"memalloc", GFP_MEMALLOC}, {"dying", GFP_DYING},
};

static uint16_t arg_gfp(lua_State *L, int idx)
{
	const char *name = lua_type(L, idx) == LUA_TSTRING ? lua_tostring(L, idx) : "";

	for (size_t i = 0; i < sizeof(gfp_flags) / sizeof(*gfp_flags); i++) {
		if (strcmp(gfp_flags[i].name, name) == 0)
			return (uint16_t)gfp_flags[i].flag;
	}
	script_error(L,
		     "t:gfp: expected 'atomic', 'nofs', 'noretry', 'nofail', 'memalloc' or "
		     "'dying', got %s",
		     describe(L, idx));
}

/* The task's own business: no step. */
static int l_gfp(lua_State *L)
{
	struct task *t = arg_self(L, "gfp")->task;
	uint16_t gfp = 0;

	for (int i = 2; i <= lua_gettop(L); i++)
		gfp |= arg_gfp(L, i);
	t->gfp = gfp;
	return 0;
}

/* ---- statistics ---------------------------------------------------------------- */

static int l_stat(lua_State *L)
{
	struct task *t = arg_self(L, "stat")->task;
	struct cgroup_handle *g = arg_handle(L, 2, HANDLE_CGROUP, "stat");
	const char *name = luaL_optstring(L, 3, "");
	enum memcg_stat_item item = strcmp(name, "user") == 0 ? MEMCG_STAT_USER : MEMCG_STAT_SLAB;
	int64_t value = -ENODEV;

	if (strcmp(name, "user") != 0 && strcmp(name, "slab") != 0)
		script_error(L, "t:stat: expected 'user' or 'slab', got %s", describe(L, 3));
	if (!memcg_stat_enabled(t->w))
		script_error(L, "t:stat: nothing is counted; say statistics = true in the "
				"scenario's table");
	op_begin(t, "stat", g->h.id);
	touch(t->w, g->h.id, FIELD_REMOVED, ACCESS_READ);
	if (!g->removed)
		value = memcg_page_state(t, g->memcg, item);
	op_end(t, "stat", value);
	if (value < 0)
		return push_failure(L, (int)value);
	lua_pushinteger(L, value);
	return 1;
}

/* ---- swap ---------------------------------------------------------------------- */

struct swap_handle {
	struct handle h;
	struct swap_run *run;
};

/* The pages that t:charge() has left with the cgroup and that @op takes from it. */
static int64_t arg_pages(lua_State *L, int idx, const char *op, const struct cgroup_handle *g)
{
	int64_t n = arg_int(L, idx, op, "a number of pages", 1, PAGES_MAX);

	if (n > g->nr_pages)
		script_error(L, "t:%s: %s has %lld pages charged by t:charge, got %lld", op,
			     handle_tostring(L, &g->h), (long long)g->nr_pages, (long long)n);
	return n;
}

static int l_swap_out(lua_State *L)
{
	struct task *t = arg_self(L, "swap_out")->task;
	struct cgroup_handle *g = arg_handle(L, 2, HANDLE_CGROUP, "swap_out");
	int64_t n = arg_pages(L, 3, "swap_out", g);
	struct swap_handle *s;
	struct swap_run *run;

	g->nr_pages -= n;
	op_begin(t, "swap_out", g->h.id);
	run = swap_out(t, g->memcg, n);
	if (!run)
		g->nr_pages += n;
	op_end(t, "swap_out", run ? 0 : -ENOMEM);
	if (!run)
		return push_failure(L, -ENOMEM);
	s = handle_new(L, HANDLE_SWAP, sizeof(*s), run->id, NULL);
	s->run = run;
	return 1;
}

static int l_swap_in(lua_State *L)
{
	struct task *t = arg_self(L, "swap_in")->task;
	struct swap_handle *s = arg_handle(L, 2, HANDLE_SWAP, "swap_in");
	int err;

	op_begin(t, "swap_in", s->h.id);
	err = swap_in(t, s->run);
	op_end(t, "swap_in", err);
	return push_result(L, err);
}

static int l_swap_free(lua_State *L)
{
	struct task *t = arg_self(L, "swap_free")->task;
	struct swap_handle *s = arg_handle(L, 2, HANDLE_SWAP, "swap_free");
	int err;

	op_begin(t, "swap_free", s->h.id);
	err = swap_free(t, s->run);
	op_end(t, "swap_free", err);
	return push_result(L, err);
}

static int l_evict(lua_State *L)
{
	struct task *t = arg_self(L, "evict")->task;
	struct cgroup_handle *g = arg_handle(L, 2, HANDLE_CGROUP, "evict");
	int64_t n = arg_pages(L, 3, "evict", g);
	int id;

	g->nr_pages -= n;
	op_begin(t, "evict", g->h.id);
	id = workingset_eviction(t, g->memcg, n);
	op_end(t, "evict", id);
	lua_pushinteger(L, id);
	return 1;
}

static int l_refault(lua_State *L)
{
	struct task *t = arg_self(L, "refault")->task;
	int id = (int)arg_int(L, 2, "refault", "what t:evict() returned", 0, 65535);
	bool found;

	op_begin(t, "refault", 0);
	found = workingset_refault(t, id);
	op_end(t, "refault", found);
	lua_pushboolean(L, found);
	return 1;
}

void ops_charge_open(lua_State *L, int core)
{
	static const luaL_Reg ops[] = {
		{"stat", l_stat},
		{"evict", l_evict},
		{"gfp", l_gfp},
		{"refault", l_refault},
		{"swap_free", l_swap_free},
		{"swap_in", l_swap_in},
		{"swap_out", l_swap_out},
		{NULL, NULL},
	};

	lua_getfield(L, core, "methods");
	lua_getfield(L, -1, "task");
	luaL_setfuncs(L, ops, 0);
	lua_pop(L, 2);
}
