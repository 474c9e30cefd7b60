// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what lua/lib made of a scenario's study table, and asks its claims.
 */

#include "lua/study_plan.h"

#include <math.h>

#include "lua/fields.h"
#include "lua/run.h"

static const char *const source_names[] = {"count",   "gauge",	  "hold", "wait", "op",
					   "elapsed", "measured", "at",	  NULL};
static const char *const value_names[] = {"last", "sum", "max", "mean", "count", NULL};
static const char *const gauge_names[] = {
#define GAUGE(id, name, unit, doc) name,
#include "lua/gauges.def"
#undef GAUGE
	NULL,
};

_Static_assert(G_N_ELEMENTS(source_names) == NR_MEASURE_SOURCES + 1, "a name for each source");
_Static_assert(G_N_ELEMENTS(value_names) == NR_MEASURE_VALUES + 1, "a name for each value");

/* Calls @read for each table in the array @field. */
static void each(lua_State *L, const char *field, void (*read)(lua_State *L, struct study_plan *s),
		 struct study_plan *s)
{
	lua_getfield(L, -1, field);
	for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++) {
		read(L, s);
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
}

/* ---- the study -------------------------------------------------------------- */

static void read_series(lua_State *L, struct study_plan *s)
{
	struct study_series *one = g_new0(struct study_series, 1);

	one->name = field_string(L, "name");
	one->lifecycle = field_string(L, "lifecycle");
	one->variants = field_strings(L, "variants");
	one->sets = field_strings(L, "sets");
	g_ptr_array_add(s->series, one);
}

static void read_measure(lua_State *L, struct measure *m)
{
	m->source = (enum measure_source)field_name(L, "source", source_names);
	m->value = (enum measure_value)field_name(L, "value", value_names);
	m->what = field_string(L, "what");
	m->text = field_string(L, "text");
	m->during = field_string(L, "during");
	if (m->source == MEASURE_COUNT || m->source == MEASURE_AT)
		m->kind = trace_kind_by_name(m->what);
	else if (m->source == MEASURE_GAUGE)
		m->gauge = (enum gauge)index_in(gauge_names, m->what);
}

static void read_metric(lua_State *L, struct study_plan *s)
{
	struct study_metric *m = g_new0(struct study_metric, 1);

	m->name = field_string(L, "name");
	m->unit = field_string(L, "unit");
	m->scale = field_number(L, "scale");
	lua_getfield(L, -1, "measure");
	read_measure(L, &m->measure);
	lua_pop(L, 1);
	if (lua_getfield(L, -1, "per") == LUA_TTABLE) {
		m->per = g_new0(struct measure, 1);
		read_measure(L, m->per);
	}
	lua_pop(L, 1);
	g_ptr_array_add(s->metrics, m);
}

static void read_axis(lua_State *L, struct study_plan *s)
{
	lua_getfield(L, -1, "x");
	s->parameter = field_string(L, "parameter");
	s->x_unit = field_string(L, "unit");
	s->x_sets = field_strings(L, "sets");
	s->every = (uint64_t)field_number(L, "every");
	s->axis = s->parameter ? AXIS_PARAMETER : s->every > 0 ? AXIS_TIME : AXIS_NONE;
	s->x = g_array_new(FALSE, FALSE, sizeof(double));
	lua_getfield(L, -1, "values");
	for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TNUMBER; i++) {
		double x = lua_tonumber(L, -1);

		g_array_append_val(s->x, x);
		lua_pop(L, 1);
	}
	lua_pop(L, 3);
}

static void read_claims(lua_State *L, struct study_plan *s)
{
	g_autoptr(GStrvBuilder) claims = g_strv_builder_new();

	lua_getfield(L, -1, "claims");
	for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++) {
		g_autofree char *text = field_string(L, "text");

		g_strv_builder_add(claims, text);
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
	s->claims = g_strv_builder_end(claims);
}

/* Protected, as is everything it calls: memory for the name of a field could run out. */
static int read_study(lua_State *L)
{
	struct study_plan *s = lua_touserdata(L, 1);

	lua_rawgeti(L, LUA_REGISTRYINDEX, run_of(L)->scenario);
	if (lua_getfield(L, -1, "study") != LUA_TTABLE)
		script_error(L, "%s: the scenario has no study = { ... }", run_of(L)->opt->path);
	s->title = field_string(L, "title");
	s->replications = (unsigned int)field_number(L, "replications");
	each(L, "series", read_series, s);
	each(L, "metrics", read_metric, s);
	read_axis(L, s);
	read_claims(L, s);
	return 0;
}

static void series_free(gpointer p)
{
	struct study_series *one = p;

	g_free(one->name);
	g_free(one->lifecycle);
	g_strfreev(one->variants);
	g_strfreev(one->sets);
	g_free(one);
}

static void measure_clear(struct measure *m)
{
	g_free(m->what);
	g_free(m->text);
	g_free(m->during);
}

static void metric_free(gpointer p)
{
	struct study_metric *m = p;

	measure_clear(&m->measure);
	if (m->per)
		measure_clear(m->per);
	g_free(m->per);
	g_free(m->name);
	g_free(m->unit);
	g_free(m);
}

void study_plan_free(struct study_plan *s)
{
	if (!s)
		return;
	g_ptr_array_unref(s->series);
	g_ptr_array_unref(s->metrics);
	g_strfreev(s->claims);
	g_strfreev(s->x_sets);
	if (s->x)
		g_array_unref(s->x);
	g_free(s->parameter);
	g_free(s->x_unit);
	g_free(s->title);
	g_free(s);
}

struct study_plan *study_plan_read(const char *path, GError **error)
{
	const struct run_options opt = {.path = path};
	struct run *run = script_open(&opt, error);
	struct study_plan *s;

	if (!run)
		return NULL;
	s = g_new0(struct study_plan, 1);
	s->series = g_ptr_array_new_with_free_func(series_free);
	s->metrics = g_ptr_array_new_with_free_func(metric_free);
	if (!run_call(run, read_study, s, error))
		g_clear_pointer(&s, study_plan_free);
	session_close(run);
	return s;
}

/* ---- claims ----------------------------------------------------------------- */

struct judging {
	const struct study_plan *study;
	const struct study_cell *cells;
	double t;
	struct study_verdict *verdicts;
};

static void push_cell(lua_State *L, const struct study_cell *cell)
{
	lua_createtable(L, 0, 4);
	lua_pushnumber(L, cell->mean);
	lua_setfield(L, -2, "mean");
	lua_pushnumber(L, cell->low);
	lua_setfield(L, -2, "low");
	lua_pushnumber(L, cell->high);
	lua_setfield(L, -2, "high");
	lua_createtable(L, (int)cell->nr_values, 0);
	for (unsigned int i = 0; i < cell->nr_values; i++) {
		lua_pushnumber(L, cell->values[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "values");
}

/* cells[metric][series][x] */
static void push_cells(lua_State *L, const struct judging *j)
{
	const struct study_plan *s = j->study;
	const struct study_cell *cell = j->cells;

	lua_newtable(L);
	for (guint m = 0; m < s->metrics->len; m++) {
		lua_newtable(L);
		for (guint i = 0; i < s->series->len; i++) {
			lua_newtable(L);
			for (guint x = 0; x < s->x->len; x++) {
				push_cell(L, cell++);
				lua_rawseti(L, -2, (lua_Integer)x + 1);
			}
			lua_rawseti(L, -2, (lua_Integer)i + 1);
		}
		lua_rawseti(L, -2, (lua_Integer)m + 1);
	}
}

static void push_results(lua_State *L, const struct judging *j)
{
	const struct study_plan *s = j->study;

	lua_newtable(L);
	push_cells(L, j);
	lua_setfield(L, -2, "cells");
	lua_newtable(L);
	for (guint i = 0; i < s->metrics->len; i++) {
		lua_pushstring(L, study_metric(s, i)->name);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "metrics");
	lua_newtable(L);
	for (guint i = 0; i < s->series->len; i++) {
		lua_pushstring(L, study_series(s, i)->name);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "series");
	lua_newtable(L);
	for (guint i = 0; i < s->x->len; i++) {
		lua_pushnumber(L, g_array_index(s->x, double, i));
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "x");
	lua_pushnumber(L, j->t);
	lua_setfield(L, -2, "t");
}

/* Protected. */
static int judge_claims(lua_State *L)
{
	const struct judging *j = lua_touserdata(L, 1);

	lua_rawgeti(L, LUA_REGISTRYINDEX, run_of(L)->scenario);
	lua_getfield(L, -1, "study");
	push_results(L, j);
	for (lua_Integer i = 0; j->study->claims[i]; i++) {
		struct study_verdict *v = &j->verdicts[i];

		lua_getfield(L, -2, "judge");
		lua_pushvalue(L, -3);
		lua_pushinteger(L, i + 1);
		lua_pushvalue(L, -4);
		lua_call(L, 3, 2);
		v->holds = lua_toboolean(L, -2);
		v->figures = g_strdup(lua_tostring(L, -1));
		lua_pop(L, 2);
	}
	return 0;
}

bool study_judge(const struct run_options *opt, const struct study_plan *s,
		 const struct study_cell *cells, double t, struct study_verdict *verdicts,
		 GError **error)
{
	struct judging j = {s, cells, t, verdicts};
	struct run *run = script_open(opt, error);
	bool ok;

	if (!run)
		return false;
	ok = run_call(run, judge_claims, &j, error);
	session_close(run);
	return ok;
}
