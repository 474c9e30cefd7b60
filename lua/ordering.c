// SPDX-License-Identifier: GPL-2.0-only
#include "lua/ordering.h"

#include "lua/run.h"
#include "sim/explore/ordering/ordering.h"

/* Protected: memory for the name of the field could run out. */
static int read_ordering(lua_State *L)
{
	char **text = lua_touserdata(L, 1);

	lua_rawgeti(L, LUA_REGISTRYINDEX, run_of(L)->scenario);
	lua_getfield(L, -1, "ordering");
	*text = g_strdup(lua_tostring(L, -1));
	return 0;
}

char *script_ordering(struct run *script, GError **error)
{
	char *text = NULL;

	lua_pushcfunction(script->L, read_ordering);
	lua_pushlightuserdata(script->L, &text);
	if (lua_pcall(script->L, 1, 0, 0) != LUA_OK)
		g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_LIMIT, "%s: %s", script->opt->path,
			    lua_tostring(script->L, -1));
	lua_settop(script->L, 0);
	return text;
}

/* Tells the ordering of every record. */
struct feed {
	struct run_sink sink;
	struct ordering *ordering;
};

static void feed_record(struct run_sink *sink, const struct trace_record *r)
{
	ordering_record(((struct feed *)sink)->ordering, r);
}

static void translate(GError *from, GError **to)
{
	int code = SLABSIM_ERROR_USAGE;

	if (g_error_matches(from, ORDERING_ERROR, ORDERING_ERROR_STOPPED))
		code = SLABSIM_ERROR_LIMIT;
	g_set_error_literal(to, SLABSIM_ERROR, code, from->message);
	g_error_free(from);
}

static GArray *find_choices(const struct run_options *opt, struct ordering *o,
			    const struct ordering_table *table, GError **error)
{
	struct run_options all = *opt;
	struct feed feed = {.sink = {.record = feed_record}, .ordering = o};
	struct run_sink *sinks[] = {&feed.sink, NULL};
	struct ordering_options how = {
		.seed = opt->seed,
		.suggest = table->suggest,
		.interrupted = opt->interrupted,
	};
	GError *failed = NULL;
	struct run *run;
	GArray *choices;

	all.accesses = true;
	/* The drive looks at it between tries, so that its reason is not lost. */
	all.interrupted = NULL;
	run = session_open(&all, sinks, error);
	if (!run)
		return NULL;
	choices = ordering_drive(o, session_subject(run), &how, &failed);
	session_close(run);
	if (!choices && opt->interrupted && *opt->interrupted) {
		g_clear_error(&failed);
		g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_INTERRUPTED, "interrupted");
	} else if (!choices) {
		translate(failed, error);
	}
	return choices;
}

static bool repeat(const struct run_options *opt, const GArray *choices,
		   struct run_sink *const *sinks, struct run_result *result, GError **error)
{
	struct run *run = session_open(opt, sinks, error);
	GError *failed = NULL;
	bool ok;

	if (!run)
		return false;
	ok = ordering_repeat(session_subject(run), choices, &failed);
	session_result(run, result);
	session_close(run);
	if (!ok)
		translate(failed, error);
	return ok;
}

bool ordering_run(const struct run_options *opt, const struct ordering_table *table,
		  struct run_sink *const *sinks, struct run_result *result, GError **error)
{
	struct run_options untimed = *opt;
	GError *failed = NULL;
	struct ordering *o = ordering_parse(table->text, table->where, &failed);
	GArray *choices;
	bool ok = false;

	memset(result, 0, sizeof(*result));
	result->verdict = VERDICT_INCOMPLETE;
	if (!o) {
		translate(failed, error);
		return false;
	}
	untimed.order = ORDER_RANDOM;
	choices = find_choices(&untimed, o, table, error);
	if (choices && table->remark && ordering_remark(o))
		table->remark(ordering_remark(o));
	if (choices) {
		ok = repeat(&untimed, choices, sinks, result, error);
		g_array_unref(choices);
	}
	ordering_free(o);
	return ok;
}
