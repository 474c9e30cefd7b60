// SPDX-License-Identifier: GPL-2.0-only
#include "lua/fields.h"

#include <string.h>

#include "sim/base/assert.h"

char *field_string(lua_State *L, const char *field)
{
	char *s;

	lua_getfield(L, -1, field);
	s = g_strdup(lua_tostring(L, -1));
	lua_pop(L, 1);
	return s;
}

unsigned int index_in(const char *const *names, const char *name)
{
	unsigned int i = 0;

	while (strcmp(names[i], name) != 0) {
		i++;
		sim_assert(names[i]);
	}
	return i;
}

unsigned int field_name(lua_State *L, const char *field, const char *const *names)
{
	unsigned int i;

	lua_getfield(L, -1, field);
	i = index_in(names, lua_tostring(L, -1));
	lua_pop(L, 1);
	return i;
}

int64_t field_int(lua_State *L, const char *field)
{
	int64_t n;

	lua_getfield(L, -1, field);
	n = lua_tointeger(L, -1);
	lua_pop(L, 1);
	return n;
}

double field_number(lua_State *L, const char *field)
{
	double v;

	lua_getfield(L, -1, field);
	v = lua_tonumber(L, -1);
	lua_pop(L, 1);
	return v;
}

char **field_strings(lua_State *L, const char *field)
{
	GPtrArray *strings = g_ptr_array_new();

	if (lua_getfield(L, -1, field) == LUA_TTABLE) {
		for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++) {
			g_ptr_array_add(strings, g_strdup(lua_tostring(L, -1)));
			lua_pop(L, 1);
		}
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	g_ptr_array_add(strings, NULL);
	return (char **)g_ptr_array_free(strings, FALSE);
}
