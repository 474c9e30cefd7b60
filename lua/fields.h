/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LUA_FIELDS_H
#define LUA_FIELDS_H

/*
 * Fields of the table on top of the Lua stack.  lua/lib has checked their types and names.
 */

#include <glib.h>
#include <lua.h>

/** field_string() - a copy, the caller's; NULL if there is no such field */
char *field_string(lua_State *L, const char *field);

/** index_in() - the place in @names, which end with NULL, of one of them */
unsigned int index_in(const char *const *names, const char *name);

/** field_name() - the same of a field */
unsigned int field_name(lua_State *L, const char *field, const char *const *names);

/** field_int(), field_number() - 0 if there is no such field */
int64_t field_int(lua_State *L, const char *field);
double field_number(lua_State *L, const char *field);

/** field_strings() - the strings of an array, the caller's; none if there is no such field */
char **field_strings(lua_State *L, const char *field);

#endif /* LUA_FIELDS_H */
