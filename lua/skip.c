// SPDX-License-Identifier: GPL-2.0-only
#include "lua/skip.h"

#include <string.h>

struct skip {
	char *task;
	uint32_t from, to; /* operations, from 1; 0: the whole task */
};

/* ---- what is to be left out --------------------------------------------------------------- */

/* A number from 1 on at *@s, which is moved behind it. */
static bool take_number(const char **s, uint32_t *n)
{
	char *end;
	guint64 value = g_ascii_strtoull(*s, &end, 10);

	if (!g_ascii_isdigit(**s) || value == 0 || value > UINT32_MAX)
		return false;
	*s = end;
	*n = (uint32_t)value;
	return true;
}

static bool parse(const char *text, struct skip *skip)
{
	size_t n = strcspn(text, ":");
	const char *p = text + n;

	*skip = (struct skip){.task = g_strndup(text, n)};
	if (n == 0 || *p == 0)
		return n > 0;
	p++;
	if (!take_number(&p, &skip->from))
		return false;
	skip->to = skip->from;
	if (*p == '-') {
		p++;
		if (!take_number(&p, &skip->to))
			return false;
	}
	return *p == 0 && skip->to >= skip->from;
}

bool skips_read(struct run *run)
{
	const char *const *skips = run->opt->skips;

	run->skips = g_array_new(FALSE, FALSE, sizeof(struct skip));
	for (size_t i = 0; skips && skips[i]; i++) {
		struct skip skip;
		bool ok = parse(skips[i], &skip);

		g_array_append_val(run->skips, skip);
		if (ok)
			continue;
		run_fail(run, SLABSIM_ERROR_USAGE,
			 "--skip: expected TASK, TASK:N or TASK:N-M with operations N to M, got "
			 "'%s'",
			 skips[i]);
		return false;
	}
	return true;
}

void skips_free(struct run *run)
{
	for (guint i = 0; run->skips && i < run->skips->len; i++)
		g_free(g_array_index(run->skips, struct skip, i).task);
	g_clear_pointer(&run->skips, g_array_unref);
}

static const struct skip *skip_at(const struct run *run, guint i)
{
	return &g_array_index(run->skips, struct skip, i);
}

static bool is_task(const struct run *run, const char *name)
{
	for (uint32_t i = 0; i < run->script->nr_tasks; i++) {
		if (strcmp(run->script->tasks[i]->h.name, name) == 0)
			return true;
	}
	return false;
}

bool skips_check(struct run *run)
{
	for (guint i = 0; i < run->skips->len; i++) {
		g_autoptr(GString) names = g_string_new(NULL);

		if (is_task(run, skip_at(run, i)->task))
			continue;
		for (uint32_t k = 0; k < run->script->nr_tasks; k++)
			g_string_append_printf(names, "%s%s", k ? ", " : "",
					       run->script->tasks[k]->h.name);
		run_fail(run, SLABSIM_ERROR_USAGE, "--skip: unknown task '%s'; there are: %s",
			 skip_at(run, i)->task, names->str);
		return false;
	}
	return true;
}

bool skips_task(const struct run *run, const char *name)
{
	for (guint i = 0; i < run->skips->len; i++) {
		if (skip_at(run, i)->from == 0 && strcmp(skip_at(run, i)->task, name) == 0)
			return true;
	}
	return false;
}

/* core.skip_operation(t): count it; is it left out?  Anything may stand before the colon. */
static int l_skip_operation(lua_State *L)
{
	struct run *run = run_of(L);
	struct script_task *self = (struct script_task *)handle_test(L, 1);
	bool skip = false;

	if (!self || self->h.kind != HANDLE_TASK) {
		lua_pushboolean(L, false);
		return 1;
	}
	self->nr_operations++;
	for (guint i = 0; i < run->skips->len; i++) {
		const struct skip *s = skip_at(run, i);

		skip |= s->from > 0 && self->nr_operations >= s->from &&
			self->nr_operations <= s->to && strcmp(s->task, self->h.name) == 0;
	}
	lua_pushboolean(L, skip);
	return 1;
}

/* core.counts_operations: only then are calls slower than they need to be */
void skip_open(lua_State *L, int core)
{
	lua_pushcfunction(L, l_skip_operation);
	lua_setfield(L, core, "skip_operation");
	lua_pushboolean(L, run_of(L)->opt->skips != NULL);
	lua_setfield(L, core, "counts_operations");
}

/* ---- what could be ------------------------------------------------------------------------ */

static void parameter_free(gpointer p)
{
	g_free(((struct scenario_parameter *)p)->name);
	g_free(p);
}

static gint compare_parameters(gconstpointer a, gconstpointer b)
{
	const struct scenario_parameter *const *pa = a, *const *pb = b;

	return strcmp((*pa)->name, (*pb)->name);
}

/* On the stack: the options as the script has them, their values in this run, name, option. */
static void add_parameter(lua_State *L, GPtrArray *list)
{
	struct scenario_parameter *p;

	lua_getfield(L, -1, "least");
	lua_pushvalue(L, -3);
	lua_gettable(L, -5);
	if (lua_isinteger(L, -2) && lua_isinteger(L, -1)) {
		p = g_new0(struct scenario_parameter, 1);
		p->name = g_strdup(lua_tostring(L, -4));
		p->least = lua_tointeger(L, -2);
		p->value = lua_tointeger(L, -1);
		g_ptr_array_add(list, p);
	}
	lua_pop(L, 2);
}

GPtrArray *session_parameters(struct run *run)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(parameter_free);
	lua_State *L = run->L;

	lua_rawgeti(L, LUA_REGISTRYINDEX, run->scenario);
	lua_getfield(L, -1, "options");
	lua_rawgeti(L, LUA_REGISTRYINDEX, run->options);
	lua_pushnil(L);
	while (lua_next(L, -3)) {
		add_parameter(L, list);
		lua_pop(L, 1);
	}
	lua_pop(L, 3);
	g_ptr_array_sort(list, compare_parameters);
	return list;
}

static void scenario_task_free(gpointer p)
{
	g_free(((struct scenario_task *)p)->name);
	g_free(p);
}

GPtrArray *session_tasks(struct run *run)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(scenario_task_free);

	for (uint32_t i = 0; i < run->script->nr_tasks; i++) {
		const struct script_task *t = run->script->tasks[i];
		struct scenario_task *s = g_new0(struct scenario_task, 1);

		s->name = g_strdup(t->h.name);
		s->nr_operations = t->nr_operations;
		g_ptr_array_add(list, s);
	}
	return list;
}
