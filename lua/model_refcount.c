// SPDX-License-Identifier: GPL-2.0-only
/*
 * refcount_t for small models: the simulated kernel's own.
 */

#include "lua/model.h"

#define INITIAL_MAX (1 << 30)

static int64_t arg_initial(lua_State *L, int idx)
{
	lua_Integer n = lua_isinteger(L, idx) ? lua_tointeger(L, idx) : 0;

	if (lua_isnoneornil(L, idx))
		return 1;
	if (n < 1 || n > INITIAL_MAX)
		script_error(L,
			     "sim:refcount: expected how many references there are at first, a "
			     "whole number from 1 to %d, got %s",
			     INITIAL_MAX, describe(L, idx));
	return n;
}

/* core.refcount(name, n or nil): begins with n references, which nobody has taken */
static int l_refcount(lua_State *L)
{
	struct task *t = maker(L, "refcount");
	const char *name = arg_new_name(L, 1, "refcount");
	int64_t n = arg_initial(L, 2);
	oid_t id = world_new_id(t->w, OBJ_CELL);
	struct refcount_handle *r = handle_new(L, HANDLE_REFCOUNT, sizeof(*r), id, name);

	(void)keep(L);
	trace(t, OBJ_NEW, .obj = id, .str = r->h.name);
	refcount_init(t, &r->count, id, r->h.name, n);
	note_value(L, &r->h);
	return 1;
}

static struct refcount *arg_refcount(lua_State *L, const char *op, struct task **t)
{
	struct refcount_handle *r;

	*t = model_self(L, op)->task;
	r = model_arg(L, 2, HANDLE_REFCOUNT, op);
	return &r->count;
}

static int l_refcount_inc(lua_State *L)
{
	struct task *t;
	struct refcount *r = arg_refcount(L, "refcount_inc", &t);

	refcount_inc(t, r);
	return 0;
}

static int l_refcount_inc_not_zero(lua_State *L)
{
	struct task *t;
	struct refcount *r = arg_refcount(L, "refcount_inc_not_zero", &t);

	lua_pushboolean(L, refcount_inc_not_zero(t, r));
	return 1;
}

static int l_refcount_dec_and_test(lua_State *L)
{
	struct task *t;
	struct refcount *r = arg_refcount(L, "refcount_dec_and_test", &t);

	lua_pushboolean(L, refcount_dec_and_test(t, r));
	return 1;
}

static int l_refcount_read(lua_State *L)
{
	struct task *t;
	const struct refcount *r = arg_refcount(L, "refcount_read", &t);

	lua_pushinteger(L, (lua_Integer)refcount_read(t, r));
	return 1;
}

static const luaL_Reg ops[] = {
	{"refcount_dec_and_test", l_refcount_dec_and_test},
	{"refcount_inc", l_refcount_inc},
	{"refcount_inc_not_zero", l_refcount_inc_not_zero},
	{"refcount_read", l_refcount_read},
	{NULL, NULL},
};

bool refcount_operation(lua_CFunction f)
{
	return is_operation_of(ops, f);
}

void refcounts_open(lua_State *L, int core)
{
	static const luaL_Reg makers[] = {{"refcount", l_refcount}, {NULL, NULL}};

	model_add(L, core, ops, makers);
}
