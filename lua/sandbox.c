// SPDX-License-Identifier: GPL-2.0-only
/*
 * What scripts may use of Lua, with whatever could make two runs differ replaced:
 * random numbers, addresses, the order of tables, files.
 */

#include <gio/gio.h>
#include <lualib.h>
#include <string.h>

#include "lua/run.h"
#include "lua/skip.h"
#include "lua/study_plan.h"
#include "sim/explore/explore.h"

/* ---- the run as Lua code sees it ------------------------------------------------ */

static struct task *current(lua_State *L)
{
	struct run *run = run_of(L);

	return run->w ? run->w->running : NULL;
}

static int l_fail(lua_State *L)
{
	script_error(L, "%s", luaL_checkstring(L, 1));
}

static int l_describe(lua_State *L)
{
	luaL_checkany(L, 1);
	describe(L, 1);
	return 1;
}

/*
 * core.wrap(f): f, called through C.  A script that ends in "return f(...)" leaves
 * no frame behind when f is a Lua function, and an error would have no line.
 */
static int l_call_through(lua_State *L)
{
	int n = lua_gettop(L);

	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, n, LUA_MULTRET);
	return lua_gettop(L);
}

static int l_wrap(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	lua_pushcclosure(L, l_call_through, 1);
	return 1;
}

/* "integer", "cache", ...: finer than type() */
static int l_kind(lua_State *L)
{
	const struct handle *h = handle_test(L, 1);

	if (h)
		lua_pushstring(L, handle_kinds[h->kind].name);
	else if (lua_type(L, 1) == LUA_TNUMBER)
		lua_pushstring(L, lua_isinteger(L, 1) ? "integer" : "number");
	else
		lua_pushstring(L, luaL_typename(L, 1));
	return 1;
}

static void push_strings(lua_State *L, const char *const *names)
{
	lua_newtable(L);
	for (lua_Integer i = 0; names[i]; i++) {
		lua_pushstring(L, names[i]);
		lua_rawseti(L, -2, i + 1);
	}
}

/* What studies can count and watch. */
static void push_measures(lua_State *L)
{
	static const struct {
		const char *name, *unit;
	} gauges[] = {
#define GAUGE(id, name, unit, doc) {name, unit},
#include "lua/gauges.def"
#undef GAUGE
	};
	const char *events[NR_TRACE_KINDS + 1] = {NULL}, *names[NR_GAUGES + 1] = {NULL};

	for (size_t i = 0; i < NR_TRACE_KINDS; i++)
		events[i] = trace_kinds[i].name;
	push_strings(L, events);
	lua_setfield(L, -2, "events");
	lua_newtable(L);
	for (size_t i = 0; i < NR_GAUGES; i++) {
		names[i] = gauges[i].name;
		lua_pushstring(L, gauges[i].unit);
		lua_setfield(L, -2, gauges[i].name);
	}
	lua_setfield(L, -2, "gauge_units");
	push_strings(L, names);
	lua_setfield(L, -2, "gauges");
}

static void push_names(lua_State *L)
{
	const char *names[VARIANTS_MAX + NR_COSTS + 1];
	size_t n;

	for (n = 0; lifecycle_infos[n]; n++)
		names[n] = lifecycle_infos[n]->name;
	names[n] = NULL;
	push_strings(L, names);
	lua_setfield(L, -2, "lifecycles");
	for (n = 0; variant_infos[n]; n++)
		names[n] = variant_infos[n]->name;
	names[n] = NULL;
	push_strings(L, names);
	lua_setfield(L, -2, "variants");
	for (n = 0; all_checkers[n]; n++)
		names[n] = all_checkers[n]->name;
	names[n] = NULL;
	push_strings(L, names);
	lua_setfield(L, -2, "checkers");
	for (n = 0; n < NR_COSTS; n++)
		names[n] = cost_infos[n].name;
	names[n] = NULL;
	push_strings(L, names);
	lua_setfield(L, -2, "costs");
	for (n = 0; n < NR_ITER_DESIGNS; n++)
		names[n] = iter_design_ops((enum iter_design)n)->name;
	names[n] = NULL;
	push_strings(L, names);
	lua_setfield(L, -2, "iterators");
	for (n = 0; n < NR_STRATEGIES; n++)
		names[n] = strategy_infos[n].name;
	names[n] = NULL;
	push_strings(L, names);
	lua_setfield(L, -2, "strategies");
	lua_newtable(L);
	for (n = 0; n < NR_COSTS; n++) {
		lua_pushinteger(L, (lua_Integer)cost_infos[n].ns);
		lua_setfield(L, -2, cost_infos[n].name);
	}
	lua_setfield(L, -2, "default_costs");
}

/* ---- base functions --------------------------------------------------------------- */

static int l_tostring(lua_State *L)
{
	luaL_checkany(L, 1);
	if (luaL_callmeta(L, 1, "__tostring")) {
		if (lua_type(L, -1) != LUA_TSTRING)
			script_error(L, "__tostring must return a string, got %s", describe(L, -1));
		return 1;
	}
	switch (lua_type(L, 1)) {
	case LUA_TNUMBER:
	case LUA_TSTRING:
	case LUA_TBOOLEAN:
	case LUA_TNIL:
		luaL_tolstring(L, 1, NULL);
		break;
	default: /* Lua would print an address */
		lua_pushstring(L, luaL_typename(L, 1));
	}
	return 1;
}

static int l_print(lua_State *L)
{
	struct task *t = current(L);
	int n = lua_gettop(L);
	luaL_Buffer b;

	if (!t)
		script_error(L, "print() writes to the trace of a run; call it in setup or a task");
	luaL_buffinit(L, &b);
	for (int i = 1; i <= n; i++) {
		if (i > 1)
			luaL_addchar(&b, ' ');
		lua_pushcfunction(L, l_tostring);
		lua_pushvalue(L, i);
		lua_call(L, 1, 1);
		luaL_addvalue(&b);
	}
	luaL_pushresult(&b);
	trace(t, LOG, .str = lua_tostring(L, -1));
	return 0;
}

/* Text only: bytecode can crash the virtual machine. */
static int l_load(lua_State *L)
{
	size_t size;
	const char *text;
	int status;

	if (lua_type(L, 1) != LUA_TSTRING)
		script_error(L, "load: expected a string of Lua, got %s", describe(L, 1));
	text = lua_tolstring(L, 1, &size);
	lua_settop(L, 4);
	status = luaL_loadbufferx(L, text, size, luaL_optstring(L, 2, "=(load)"), "t");
	if (status != LUA_OK) {
		lua_pushnil(L);
		lua_insert(L, -2);
		return 2;
	}
	if (!lua_isnil(L, 4)) {
		lua_pushvalue(L, 4);
		lua_setupvalue(L, -2, 1);
	}
	return 1;
}

/* A finalizer would run at the collector's whim, a weak table show what it did. */
static int l_setmetatable(lua_State *L)
{
	static const char *const refused[] = {"__gc", "__mode"};

	luaL_checktype(L, 1, LUA_TTABLE);
	if (lua_type(L, 2) == LUA_TTABLE) {
		for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
			lua_pushstring(L, refused[i]);
			lua_rawget(L, 2);
			if (!lua_isnil(L, -1))
				script_error(L, "setmetatable: %s is not available in scenarios",
					     refused[i]);
			lua_pop(L, 1);
		}
	}
	lua_settop(L, 2);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 2, 1);
	return 1;
}

static bool good_module(const char *name)
{
	if (!name[0] || name[0] == '.')
		return false;
	for (const char *c = name; *c; c++) {
		if (!g_ascii_isalnum(*c) && *c != '_' && !(*c == '.' && c[1] && c[1] != '.'))
			return false;
	}
	return true;
}

/*
 * lib/NAME.lua next to the scenario or next to the folder that it is in, or FOLDER/NAME.lua next
 * to that folder: another scenario.  Pushes the chunk.
 */
static void find_module(lua_State *L, const char *name)
{
	static const char *const places[] = {"lib/", "../lib/", "../"};
	const char *script = run_of(L)->opt->path, *slash = strrchr(script, '/');
	const char *dir = slash ? lua_pushlstring(L, script, (size_t)(slash - script) + 1)
				: lua_pushliteral(L, "");
	const char *file = luaL_gsub(L, name, ".", "/");

	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		const char *path = lua_pushfstring(L, "%s%s%s.lua", dir, places[i], file);

		/* Whatever lies next to the folder is a folder. */
		if (strcmp(places[i], "../") == 0 && !strchr(file, '/'))
			continue;
		if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
			continue;
		if (!script_read(L, path))
			script_error(L, "require: %s", lua_tostring(L, -1));
		return;
	}
	if (strchr(file, '/'))
		script_error(L, "require: there is no %slib/%s.lua, and no %s../%s.lua", dir, file,
			     dir, file);
	script_error(L, "require: there is no %slib/%s.lua", dir, file);
}

static int l_require(lua_State *L)
{
	const char *name;

	if (lua_type(L, 1) != LUA_TSTRING)
		script_error(L, "require: expected the name of a module, got %s", describe(L, 1));
	name = lua_tostring(L, 1);
	if (!good_module(name))
		script_error(L,
			     "require: '%s' is no module name; write 'name' or 'folder.name' for "
			     "a file below lib/ next to the scenario",
			     name);
	lua_settop(L, 1);
	if (lua_getfield(L, lua_upvalueindex(1), name) != LUA_TNIL)
		return 1;
	find_module(L, name);
	lua_pushvalue(L, 1);
	lua_call(L, 1, 1);
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		lua_pushboolean(L, true);
	}
	lua_pushvalue(L, -1);
	lua_setfield(L, lua_upvalueindex(1), name);
	return 1;
}

/* ---- string, math ------------------------------------------------------------------ */

/*
 * Functions that keep a buffer on the C stack and can call back: Lua counts how
 * deep they nest, but by what fits on a host's stack.
 */
static int l_guarded(lua_State *L)
{
	struct task *t = current(L);

	if (t && stack_left(t) < STACK_LEFT_MIN)
		script_error(L, "stack overflow: functions of Lua's library nest too deep");
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static void check_format(lua_State *L, const char *fmt)
{
	for (const char *c = strchr(fmt, '%'); c; c = strchr(c, '%')) {
		c++;
		c += strspn(c, "-+ #0123456789.");
		if (*c == 'p')
			script_error(L, "string.format: %%p is not available: an address differs "
					"from run to run");
		if (*c)
			c++;
	}
}

static int l_format(lua_State *L)
{
	int n = lua_gettop(L);

	check_format(L, luaL_checkstring(L, 1));
	for (int i = 2; i <= n; i++) {
		int type = lua_type(L, i);

		if (type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TTHREAD ||
		    type == LUA_TUSERDATA) {
			lua_pushcfunction(L, l_tostring);
			lua_pushvalue(L, i);
			lua_call(L, 1, 1);
			lua_replace(L, i);
		}
	}
	return l_guarded(L);
}

static int l_random(lua_State *L)
{
	struct run *run = run_of(L);
	lua_Integer low = 1, high;

	if (run->w)
		touch(run->w, SCRIPT_RANDOM, 0, ACCESS_RMW);
	if (lua_gettop(L) == 0) {
		/* As Lua does: 53 bits over 2^53. */
		lua_pushnumber(L, (double)(rng_next(&run->script->rng) >> 11) * 0x1p-53);
		return 1;
	}
	high = luaL_checkinteger(L, 1);
	if (lua_gettop(L) > 1) {
		low = high;
		high = luaL_checkinteger(L, 2);
	}
	if (low > high || (low < 0 && high > LUA_MAXINTEGER + low))
		script_error(L, "math.random: the interval from %lld to %lld is empty or too large",
			     low, high);
	lua_pushinteger(L, low + (lua_Integer)rng_below(&run->script->rng,
							(uint64_t)high - (uint64_t)low + 1));
	return 1;
}

/* ---- putting it together ------------------------------------------------------------ */

static void replace_field(lua_State *L, const char *field, lua_CFunction f)
{
	lua_getfield(L, -1, field);
	lua_pushcclosure(L, f, 1);
	lua_setfield(L, -2, field);
}

static void remove_fields(lua_State *L, const char *const *fields)
{
	for (size_t i = 0; fields[i]; i++) {
		lua_pushnil(L);
		lua_setfield(L, -2, fields[i]);
	}
}

static void open_libraries(lua_State *L)
{
	static const luaL_Reg libs[] = {
		{LUA_GNAME, luaopen_base},	  {LUA_TABLIBNAME, luaopen_table},
		{LUA_STRLIBNAME, luaopen_string}, {LUA_UTF8LIBNAME, luaopen_utf8},
		{LUA_MATHLIBNAME, luaopen_math},  {LUA_COLIBNAME, luaopen_coroutine},
	};
	static const char *const no_string[] = {"dump", NULL};
	static const char *const no_math[] = {"randomseed", NULL};

	for (size_t i = 0; i < G_N_ELEMENTS(libs); i++) {
		luaL_requiref(L, libs[i].name, libs[i].func, 1);
		lua_pop(L, 1);
	}
	lua_getglobal(L, "string");
	remove_fields(L, no_string);
	replace_field(L, "gsub", l_guarded);
	replace_field(L, "format", l_format);
	lua_pop(L, 1);
	lua_getglobal(L, "table");
	replace_field(L, "concat", l_guarded);
	lua_pop(L, 1);
	lua_getglobal(L, "math");
	remove_fields(L, no_math);
	lua_pushcfunction(L, l_random);
	lua_setfield(L, -2, "random");
	lua_pop(L, 1);
}

static void open_base(lua_State *L)
{
	static const char *const removed[] = {"dofile", "loadfile", "collectgarbage", "warn", NULL};
	static const luaL_Reg base[] = {
		{"tostring", l_tostring},
		{"print", l_print},
		{"load", l_load},
		{NULL, NULL},
	};

	lua_pushglobaltable(L);
	remove_fields(L, removed);
	luaL_setfuncs(L, base, 0);
	replace_field(L, "setmetatable", l_setmetatable);
	lua_newtable(L);
	lua_pushcclosure(L, l_require, 1);
	lua_setfield(L, -2, "require");
	lua_pop(L, 1);
}

/* Pushes the chunk lua/lib/@name.lua, which the build has compiled: that is most of its time. */
static void load_part(lua_State *L, const char *name)
{
	g_autofree char *path = g_strdup_printf("/slabsim/lua/lib/%s.luac", name);
	g_autoptr(GBytes) code = g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
	gsize size;
	const char *start;

	sim_assert(code);
	start = g_bytes_get_data(code, &size);
	if (luaL_loadbufferx(L, start, size, name, "b") != LUA_OK)
		lua_error(L);
}

/* core.load(name, ...): the part of the library of that name, called with the rest */
static int l_load_part(lua_State *L)
{
	int n = lua_gettop(L);

	/* Names of events take more room than all others; only studies want them. */
	if (strcmp(luaL_checkstring(L, 1), "study") == 0) {
		lua_pushvalue(L, 2);
		push_measures(L);
		lua_pop(L, 1);
	}
	load_part(L, lua_tostring(L, 1));
	lua_replace(L, 1);
	lua_call(L, n - 1, 1);
	return 1;
}

static void open_library(lua_State *L)
{
	static const char *const functions[NR_LIB_FUNCTIONS] = {
		[LIB_UNKNOWN] = "unknown",
		[LIB_SCENARIO] = "check_scenario",
		[LIB_OPTIONS] = "options",
		[LIB_SETUP] = "setup",
	};
	struct run *run = run_of(L);

	load_part(L, "slabsim");
	lua_insert(L, -2); /* the core table is its argument */
	lua_call(L, 1, 1);
	for (int i = 0; i < NR_LIB_FUNCTIONS; i++) {
		lua_getfield(L, -1, functions[i]);
		run->lib[i] = luaL_ref(L, LUA_REGISTRYINDEX);
	}
	lua_pop(L, 1);
}

void sandbox_open(lua_State *L)
{
	static const luaL_Reg core[] = {
		{"fail", l_fail}, {"kind", l_kind},	 {"describe", l_describe},
		{"wrap", l_wrap}, {"load", l_load_part}, {NULL, NULL},
	};

	open_libraries(L);
	open_base(L);
	luaL_newlib(L, core);
	push_names(L);
	handles_open(L, lua_gettop(L));
	ops_open(L, lua_gettop(L));
	ops_charge_open(L, lua_gettop(L));
	ops_reclaim_open(L, lua_gettop(L));
	ops_fs_open(L, lua_gettop(L));
	tasks_open(L, lua_gettop(L));
	model_open(L, lua_gettop(L));
	skip_open(L, lua_gettop(L));
	open_library(L);
}
