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

void ops_charge_open(lua_State *L, int core)
{
	static const luaL_Reg ops[] = {
		{"gfp", l_gfp},
		{NULL, NULL},
	};

	lua_getfield(L, core, "methods");
	lua_getfield(L, -1, "task");
	luaL_setfuncs(L, ops, 0);
	lua_pop(L, 2);
}
