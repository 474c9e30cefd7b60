// SPDX-License-Identifier: GPL-2.0-only
/*
 * What decides how a task of a script goes on, as a digest.
 *
 * Between two operations a task is its Lua stack and its random stream, and nothing
 * else: the functions with where they stand, and all that their registers and upvalues
 * hold.  Two states that agree in this, and in everything that tasks share, have the
 * same future.
 */

#include <math.h>
#include <string.h>

#include "lua/model.h"
#include "sim/base/hash.h"

/* A task that keeps more than this is told apart by its history instead. */
#define VALUES_MAX 2000
#define DEPTH_MAX 8

struct walk {
	lua_State *L;
	const void *const *known; /* run.known */
	uint32_t left;		  /* values that may still be looked at */
	uint16_t copy;		  /* the task's: what is its own counts by its role */
	bool others;		  /* something of another copy was met */
};

/* The same in every run of a program, wherever that was loaded. */
static uint64_t hash_code(lua_CFunction f)
{
	return (uint64_t)((uintptr_t)f - (uintptr_t)hash_code);
}

static bool hash_value(struct walk *w, int idx, uint32_t depth, uint64_t *hash);

/* Whatever order its entries have. */
static bool hash_table(struct walk *w, int idx, uint32_t depth, uint64_t *hash)
{
	const void *table = lua_topointer(w->L, idx);
	uint64_t sum = 0;

	for (size_t i = 0; i < NR_KNOWN; i++) {
		if (table == w->known[i])
			return true;
	}
	if (!lua_checkstack(w->L, 4))
		return false;
	lua_pushnil(w->L);
	while (lua_next(w->L, idx)) {
		uint64_t key = 1, value = 2;
		int top = lua_gettop(w->L);

		if (!hash_value(w, top - 1, depth + 1, &key) ||
		    !hash_value(w, top, depth + 1, &value)) {
			lua_pop(w->L, 2);
			return false;
		}
		sum += hash_mix(key, value);
		lua_pop(w->L, 1);
	}
	*hash = hash_mix(*hash, sum);
	return true;
}

static bool hash_function(struct walk *w, int idx, uint32_t depth, uint64_t *hash)
{
	if (lua_iscfunction(w->L, idx)) {
		*hash = hash_mix(*hash, hash_code(lua_tocfunction(w->L, idx)));
		return true;
	}
	if (!lua_checkstack(w->L, 4))
		return false;
	for (int n = 1; lua_getupvalue(w->L, idx, n); n++) {
		bool ok = hash_value(w, lua_gettop(w->L), depth + 1, hash);

		lua_pop(w->L, 1);
		if (!ok)
			return false;
	}
	return true;
}

/*
 * What it stands for is shared state, and has its own digest.  By number, so that it is
 * the same in another process; the few that have none by address, which may differ there.
 */
static uint64_t hash_handle(struct walk *w, int idx, uint64_t hash)
{
	const struct handle *h = lua_touserdata(w->L, idx);

	if (h->copy && h->copy == w->copy)
		return hash_mix(hash_mix(hash, ~(uint64_t)h->kind), h->role);
	w->others |= h->copy != 0;

	return hash_mix(hash_mix(hash, h->kind), h->id ? h->id : (uint64_t)(uintptr_t)h);
}

static bool hash_value(struct walk *w, int idx, uint32_t depth, uint64_t *hash)
{
	int type = lua_type(w->L, idx);
	lua_Number number;
	uint64_t bits;
	const char *s;
	size_t size;

	if (depth > DEPTH_MAX || w->left-- == 0)
		return false;
	*hash = hash_mix(*hash, (uint64_t)type);
	switch (type) {
	case LUA_TNIL:
		return true;
	case LUA_TBOOLEAN:
		*hash = hash_mix(*hash, (uint64_t)lua_toboolean(w->L, idx));
		return true;
	case LUA_TNUMBER:
		if (lua_isinteger(w->L, idx)) {
			*hash = hash_mix(*hash, (uint64_t)lua_tointeger(w->L, idx));
			return true;
		}
		number = lua_tonumber(w->L, idx);
		memcpy(&bits, &number, sizeof(bits));
		*hash = hash_mix(~*hash, bits);
		return true;
	case LUA_TSTRING:
		s = lua_tolstring(w->L, idx, &size);
		*hash = hash_mix(*hash, fnv_bytes(size, s, size));
		return true;
	case LUA_TTABLE:
		return hash_table(w, idx, depth, hash);
	case LUA_TFUNCTION:
		return hash_function(w, idx, depth, hash);
	case LUA_TUSERDATA:
		*hash = hash_handle(w, idx, *hash);
		return true;
	default:
		return false;
	}
}

/*
 * Lua tells the line of a call, but there may be several in a line.  How a call's record
 * begins has been the same since 5.4.0; knows_places() makes sure.
 */
struct call_info {
	const void *func, *top, *previous, *next;
	const void *pc; /* of the caller's next instruction; of no meaning in a C function */
};

static const void *place_of(const lua_Debug *ar)
{
	return ((const struct call_info *)(const void *)ar->i_ci)->pc;
}

#define NR_PLACES 5

struct places {
	uintptr_t at[NR_PLACES];
	int nr;
};

static int note_place(lua_State *L)
{
	struct places *p = lua_touserdata(L, lua_upvalueindex(1));
	lua_Debug ar;

	if (p->nr < NR_PLACES && lua_getstack(L, 1, &ar))
		p->at[p->nr++] = (uintptr_t)place_of(&ar);
	return 0;
}

/* Is place_of() what it should be?  Each call further on, by some instructions of four bytes. */
static bool are_places(const struct places *p)
{
	for (int i = 1; i < p->nr; i++) {
		uintptr_t step = p->at[i] - p->at[i - 1];

		/* The third and fourth are one call, in two rounds of a loop. */
		if (i == 3 ? step != 0 : (step == 0 || step > 64 || step % 4 != 0))
			return false;
	}
	return p->nr == NR_PLACES;
}

static bool knows_places(void)
{
	static const char chunk[] = "local f = ... f() f() for i = 1, 2 do f() end f()";
	static int knows = -1;
	struct places places = {.nr = 0};
	lua_State *L;

	if (knows >= 0)
		return knows;
	L = luaL_newstate();
	if (!L)
		return false;
	if (luaL_loadstring(L, chunk) == LUA_OK) {
		lua_pushlightuserdata(L, &places);
		lua_pushcclosure(L, note_place, 1);
		if (lua_pcall(L, 1, 0, 0) != LUA_OK)
			places.nr = 0;
	}
	lua_close(L);
	knows = are_places(&places);
	return knows;
}

static bool hash_frame(struct walk *w, lua_Debug *ar, uint64_t *hash)
{
	bool ok;

	if (!lua_checkstack(w->L, 4) || !lua_getinfo(w->L, "Slf", ar))
		return false;
	*hash = hash_mix(hash_mix(*hash, (uint64_t)ar->linedefined), (uint64_t)ar->currentline);
	/* Scripts are loaded to the same address each time. */
	if (ar->currentline >= 0)
		*hash = hash_mix(*hash, (uint64_t)(uintptr_t)place_of(ar));
	ok = hash_value(w, lua_gettop(w->L), 0, hash);
	lua_pop(w->L, 1);
	for (int n = 1; ok && lua_getlocal(w->L, ar, n); n++) {
		ok = hash_value(w, lua_gettop(w->L), 0, hash);
		lua_pop(w->L, 1);
	}
	return ok;
}

/* Is @t where its C stack says no more than which operation comes next? */
static bool between_operations(lua_State *L, const struct run *run, const struct task *t,
			       lua_Debug *ar)
{
	lua_CFunction f;

	if (!lua_getinfo(L, "f", ar))
		return false;
	f = lua_tocfunction(L, -1);
	lua_pop(L, 1);
	return f && (run->model ? one_step_operation(f) : t->in_user);
}

void control_open(struct run *run)
{
	lua_State *L = run->L;

	lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
	run->known[0] = lua_topointer(L, -1);
	lua_getfield(L, LUA_REGISTRYINDEX, "sim");
	run->known[1] = lua_topointer(L, -1);
	lua_rawgeti(L, LUA_REGISTRYINDEX, run->options);
	run->known[2] = lua_topointer(L, -1);
	lua_pop(L, NR_KNOWN);
}

/* One that has not got to an operation yet is the function that it will call. */
static bool hash_stack(struct walk *w, const struct run *run, const struct task *t, uint64_t *hash)
{
	lua_Debug ar;

	if (!lua_getstack(w->L, 0, &ar))
		return lua_gettop(w->L) >= 2 && hash_value(w, 2, 0, hash);
	if (!between_operations(w->L, run, t, &ar))
		return false;
	for (int level = 0; lua_getstack(w->L, level, &ar); level++) {
		if (!hash_frame(w, &ar, hash))
			return false;
	}
	return true;
}

static bool walk_control(struct run *run, const struct task *t, uint64_t *hash, bool *others)
{
	struct script_task *self = t->arg;
	struct walk w = {.known = run->known, .left = VALUES_MAX};

	if (t->ctx != CTX_TASK || t->state == TASK_BLOCKED || !self || !self->L || !knows_places())
		return false;
	w.L = self->L;
	w.copy = self->h.copy;
	*hash = t->in_user + 2 * t->preempt_count;
	*hash = hash_mix(*hash, self->nr_operations);
	/* Copies draw nothing. */
	for (size_t i = 0; !w.copy && i < G_N_ELEMENTS(self->rng.s); i++)
		*hash = hash_mix(*hash, self->rng.s[i]);
	if (!hash_stack(&w, run, t, hash))
		return false;
	*others = w.others;
	return true;
}

bool control_hash(struct run *run, const struct task *t, uint64_t *hash)
{
	bool others;

	return walk_control(run, t, hash, &others);
}

bool control_refers_to_copies(struct run *run, const struct task *t)
{
	uint64_t hash;
	bool others;

	return !walk_control(run, t, &hash, &others) || others;
}
