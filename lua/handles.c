// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handles: tasks, cgroups, caches, cells, locks, ... as scripts hold them.
 *
 * No other full userdata exists in the state, so the kind in its first bytes
 * tells what a userdata is.
 */

#include <string.h>

#include "lua/run.h"

const struct handle_kind_info handle_kinds[NR_HANDLE_KINDS] = {
	[HANDLE_TASK] = {"task", "a task"},
	[HANDLE_CGROUP] = {"cgroup", "a cgroup"},
	[HANDLE_CACHE] = {"cache", "a cache"},
	[HANDLE_OBJECT] = {"object", "an object"},
	[HANDLE_EVENT] = {"event", "an event"},
	[HANDLE_SWAP] = {"swap", "pages in swap"},
	[HANDLE_FS] = {"fs", "a file system"},
	[HANDLE_FILE] = {"file", "an open file"},
	[HANDLE_CELL] = {"cell", "a cell"},
	[HANDLE_LOCK] = {"lock", "a mutex or spinlock"},
	[HANDLE_RWSEM] = {"rwsem", "a rwsem"},
	[HANDLE_WAITQUEUE] = {"waitqueue", "a waitqueue"},
	[HANDLE_COMPLETION] = {"completion", "a completion"},
	[HANDLE_WORK] = {"work", "a work item"},
	[HANDLE_WORKQUEUE] = {"workqueue", "a workqueue"},
	[HANDLE_PERCPU_REF] = {"percpu_ref", "a percpu_ref"},
	[HANDLE_REFCOUNT] = {"refcount", "a refcount"},
};

void *handle_new(lua_State *L, enum handle_kind kind, size_t size, oid_t id, const char *name)
{
	struct run *run = run_of(L);
	struct handle *h;
	char *copy = NULL;

	if (name) {
		copy = arena_strdup(run->arena, name);
		if (!copy)
			luaL_error(L, "not enough memory");
	}
	h = lua_newuserdatauv(L, size, 0);
	memset(h, 0, size);
	h->id = id;
	h->name = copy;
	h->kind = (uint8_t)kind;
	if (run->script->copy) {
		h->copy = (uint16_t)run->script->copy;
		h->role = ++run->script->role;
	}
	lua_rawgeti(L, LUA_REGISTRYINDEX, run->script->metatables[kind]);
	lua_setmetatable(L, -2);
	return h;
}

const char *handle_tostring(lua_State *L, const struct handle *h)
{
	const char *kind = object_kind_name(oid_kind(h->id));
	lua_Integer nr = (lua_Integer)oid_nr(h->id);

	if (h->name)
		return lua_pushfstring(L, "%s:%I %s", kind, (LUAI_UACINT)nr, h->name);
	return lua_pushfstring(L, "%s:%I", kind, (LUAI_UACINT)nr);
}

const char *describe(lua_State *L, int idx)
{
	const struct handle *h = handle_test(L, idx);

	if (h)
		return handle_tostring(L, h);
	switch (lua_type(L, idx)) {
	case LUA_TNONE:
		return lua_pushliteral(L, "nothing");
	case LUA_TNIL:
		return lua_pushliteral(L, "nil");
	case LUA_TBOOLEAN:
		return lua_pushstring(L, lua_toboolean(L, idx) ? "true" : "false");
	case LUA_TNUMBER:
		lua_pushvalue(L, idx);
		return lua_tostring(L, -1);
	case LUA_TSTRING: {
		const char *s = lua_tostring(L, idx);

		if (strlen(s) > 40)
			return lua_pushfstring(L, "a string of %d bytes", (int)lua_rawlen(L, idx));
		return lua_pushfstring(L, "'%s'", s);
	}
	default:
		return lua_pushfstring(L, "a %s", luaL_typename(L, idx));
	}
}

/* handle.KEY, and there is no such operation */
static int l_unknown(lua_State *L)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, run_of(L)->lib[LIB_UNKNOWN]);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_pushvalue(L, 2);
	lua_pushvalue(L, 1);
	lua_call(L, 3, 0);
	return 0;
}

static struct handle *arg_any_handle(lua_State *L)
{
	struct handle *h = handle_test(L, 1);

	if (!h)
		script_error(L, "expected a task, cgroup, cache, cell, ..., got %s",
			     describe(L, 1));
	return h;
}

static int l_name(lua_State *L)
{
	lua_pushstring(L, arg_any_handle(L)->name);
	return 1;
}

static int l_id(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)oid_nr(arg_any_handle(L)->id));
	return 1;
}

static int l_handle_tostring(lua_State *L)
{
	handle_tostring(L, arg_any_handle(L));
	return 1;
}

static int l_handle_newindex(lua_State *L)
{
	script_error(L, "%s takes no fields; keep values in a local, or in sim", describe(L, 1));
}

/* Push what handles of one kind can do; a name that is not there is told with @kind. */
static void push_methods(lua_State *L, const char *kind)
{
	static const luaL_Reg of_all[] = {{"id", l_id}, {"name", l_name}, {NULL, NULL}};

	lua_newtable(L);
	luaL_setfuncs(L, of_all, 0);
	lua_newtable(L);
	lua_pushstring(L, kind);
	lua_pushcclosure(L, l_unknown, 1);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}

/*
 * core.methods = { task = {}, cgroup = {}, ... }: what ops.c, tasks.c and lua/lib fill.
 * They are looked up as plain tables: a function for __index would take as long as
 * a short operation.
 */
void handles_open(lua_State *L, int core)
{
	struct script *script = run_of(L)->script;

	lua_newtable(L);
	for (int i = 0; i < NR_HANDLE_KINDS; i++) {
		push_methods(L, handle_kinds[i].name);
		lua_newtable(L); /* the metatable */
		lua_pushvalue(L, -2);
		lua_setfield(L, -2, "__index");
		lua_pushcfunction(L, l_handle_newindex);
		lua_setfield(L, -2, "__newindex");
		lua_pushcfunction(L, l_handle_tostring);
		lua_setfield(L, -2, "__tostring");
		lua_pushboolean(L, false);
		lua_setfield(L, -2, "__metatable");
		lua_pushstring(L, handle_kinds[i].name);
		lua_setfield(L, -2, "__name");
		script->metatables[i] = luaL_ref(L, LUA_REGISTRYINDEX);
		lua_setfield(L, -2, handle_kinds[i].name);
	}
	lua_setfield(L, core, "methods");
}
