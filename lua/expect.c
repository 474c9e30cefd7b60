// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what lua/lib made of a scenario's expect table.
 */

#include "lua/expect.h"

#include "lua/run.h"

static const char *const claim_names[] = {"never",  "sometimes", "always", "finds",
					  "replay", "golden",	 NULL};
static const char *const order_names[] = {"timed", "ties", "random", NULL};

const char *claim_name(enum claim claim)
{
	return claim_names[claim];
}

/* lua/lib has checked every name, so that each is in its list. */
static unsigned int index_in(const char *const *names, const char *name)
{
	unsigned int i = 0;

	while (strcmp(names[i], name) != 0) {
		i++;
		sim_assert(names[i]);
	}
	return i;
}

static char *field_string(lua_State *L, const char *field)
{
	char *s;

	lua_getfield(L, -1, field);
	s = g_strdup(lua_tostring(L, -1));
	lua_pop(L, 1);
	return s;
}

static unsigned int field_name(lua_State *L, const char *field, const char *const *names)
{
	unsigned int i;

	lua_getfield(L, -1, field);
	i = index_in(names, lua_tostring(L, -1));
	lua_pop(L, 1);
	return i;
}

static uint64_t field_u64(lua_State *L, const char *field)
{
	uint64_t n;

	lua_getfield(L, -1, field);
	n = (uint64_t)lua_tointeger(L, -1);
	lua_pop(L, 1);
	return n;
}

static char **field_strings(lua_State *L, const char *field)
{
	GPtrArray *strings = g_ptr_array_new();

	lua_getfield(L, -1, field);
	for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++) {
		g_ptr_array_add(strings, g_strdup(lua_tostring(L, -1)));
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
	g_ptr_array_add(strings, NULL);
	return (char **)g_ptr_array_free(strings, FALSE);
}

static enum strategy field_strategy(lua_State *L)
{
	const char *names[NR_STRATEGIES + 1] = {NULL};

	for (int i = 0; i < NR_STRATEGIES; i++)
		names[i] = strategy_infos[i].name;
	return (enum strategy)field_name(L, "strategy", names);
}

static void read_explore(lua_State *L, struct expectation *e)
{
	struct explore_options *x = &e->explore;

	e->explored = lua_getfield(L, -1, "explore") == LUA_TTABLE;
	if (e->explored) {
		x->strategy = field_strategy(L);
		x->seed = e->seed;
		x->max_runs = field_u64(L, "runs");
		x->preemptions = (uint32_t)field_u64(L, "preemptions");
		x->depth = (uint32_t)field_u64(L, "depth");
		lua_getfield(L, -1, "max_time");
		x->max_seconds = lua_tonumber(L, -1);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static struct expectation *read_one(lua_State *L)
{
	struct expectation *e = g_new0(struct expectation, 1);

	e->claim = (enum claim)field_name(L, "claim", claim_names);
	e->lifecycle = field_string(L, "lifecycle");
	e->variants = field_strings(L, "variants");
	e->sets = field_strings(L, "sets");
	e->checkers = field_strings(L, "checkers");
	e->file = field_string(L, "file");
	e->race = field_string(L, "race");
	e->keeps = field_string(L, "keeps");
	e->skip = field_string(L, "skip");
	e->order = (enum run_order)field_name(L, "order", order_names);
	e->seed = field_u64(L, "seed");
	e->runs = field_u64(L, "runs");
	read_explore(L, e);
	return e;
}

/* Protected: memory for the name of a field could run out. */
static int read_all(lua_State *L)
{
	GPtrArray *list = lua_touserdata(L, 1);

	lua_rawgeti(L, LUA_REGISTRYINDEX, run_of(L)->scenario);
	lua_getfield(L, -1, "expect");
	for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++) {
		g_ptr_array_add(list, read_one(L));
		lua_pop(L, 1);
	}
	return 0;
}

static void expectation_free(gpointer p)
{
	struct expectation *e = p;

	g_free(e->lifecycle);
	g_strfreev(e->variants);
	g_strfreev(e->sets);
	g_strfreev(e->checkers);
	g_free(e->file);
	g_free(e->race);
	g_free(e->keeps);
	g_free(e->skip);
	g_free(e);
}

GPtrArray *expectations_read(const char *path, GError **error)
{
	const struct run_options opt = {.path = path};
	struct run *run = script_open(&opt, error);
	g_autoptr(GPtrArray) list = NULL;
	int status;

	if (!run)
		return NULL;
	list = g_ptr_array_new_with_free_func(expectation_free);
	lua_pushcfunction(run->L, read_all);
	lua_pushlightuserdata(run->L, list);
	status = lua_pcall(run->L, 1, 0, 0);
	if (status != LUA_OK) {
		script_failed(run, run->L, status);
		g_propagate_error(error, g_steal_pointer(&run->error));
	}
	session_close(run);
	return status == LUA_OK ? g_steal_pointer(&list) : NULL;
}
