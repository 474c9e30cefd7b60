// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what lua/lib made of a scenario's expect table.
 */

#include "lua/expect.h"

#include "lua/fields.h"
#include "lua/run.h"

static const char *const claim_names[] = {"never",  "sometimes", "always", "finds",
					  "replay", "golden",	 NULL};
static const char *const order_names[] = {"timed", "ties", "random", NULL};

const char *claim_name(enum claim claim)
{
	return claim_names[claim];
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
		x->max_runs = (uint64_t)field_int(L, "runs");
		x->preemptions = (uint32_t)field_int(L, "preemptions");
		x->depth = (uint32_t)field_int(L, "depth");
		x->max_seconds = field_number(L, "max_time");
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
	e->seed = (uint64_t)field_int(L, "seed");
	e->runs = (uint64_t)field_int(L, "runs");
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
