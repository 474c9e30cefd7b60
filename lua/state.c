// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Lua state: memory from the arena, limits, and where errors say they are.
 */

#include <string.h>

#include "lua/run.h"

#define HOOK_EVERY 10000 /* VM instructions */

void run_fail(struct run *run, enum slabsim_error code, const char *fmt, ...)
{
	va_list ap;

	if (run->error)
		return;
	va_start(ap, fmt);
	run->error = g_error_new_valist(SLABSIM_ERROR, (gint)code, fmt, ap);
	va_end(ap);
}

void run_stop(struct run *run)
{
	struct task *t = run->w ? run->w->running : NULL;

	if (!t)
		longjmp(run->loading, 1);
	/* A script could catch an error; it cannot catch never being run again. */
	world_halt(run->w, STOP_HOST);
	for (;;)
		fiber_switch(&t->fiber, &run->w->driver);
}

/* ---- memory ------------------------------------------------------------------ */

static void *script_alloc(void *ud, void *p, size_t old_size, size_t new_size)
{
	struct run *run = ud;
	void *q;

	if (new_size == 0) {
		if (p)
			arena_free(run->arena, p, old_size);
		return NULL;
	}
	if (new_size > SCRIPT_BLOCK_MAX) {
		run->refused_bytes = new_size;
		return NULL;
	}
	q = arena_realloc(run->arena, p, p ? old_size : 0, new_size);
	/* Lua relies on shrinking, which at worst keeps what it has. */
	return !q && p && new_size <= old_size ? p : q;
}

/* ---- errors ------------------------------------------------------------------ */

/* The innermost function of a script, as opposed to one of C or of lua/lib. */
static bool script_frame(lua_State *L, lua_Debug *ar)
{
	for (int level = 0; lua_getstack(L, level, ar); level++) {
		lua_getinfo(L, "Sl", ar);
		if (ar->source[0] == '@' && ar->currentline > 0)
			return true;
	}
	return false;
}

void script_error(lua_State *L, const char *fmt, ...)
{
	char text[1024];
	lua_Debug ar;
	va_list ap;

	va_start(ap, fmt);
	(void)g_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (script_frame(L, &ar))
		lua_pushfstring(L, "%s:%d: %s", ar.source + 1, ar.currentline, text);
	else
		lua_pushstring(L, text); /* script_handler() says where */
	lua_error(L);
	abort(); /* lua_error() does not return */
}

static bool begins_with(const char *s, const char *start)
{
	return strncmp(s, start, strlen(start)) == 0 && s[strlen(start)] == ':';
}

/* Lua shortens long file names in its messages: push @msg with the name as it was given. */
static bool push_positioned(lua_State *L, const char *msg)
{
	struct run *run = run_of(L);
	lua_Debug ar;

	for (int level = 0; lua_getstack(L, level, &ar); level++) {
		lua_getinfo(L, "S", &ar);
		if (ar.source[0] == '@' && begins_with(msg, ar.short_src)) {
			lua_pushfstring(L, "%s%s", ar.source + 1, msg + strlen(ar.short_src));
			return true;
		}
		if (ar.source[0] == '@' && begins_with(msg, ar.source + 1)) {
			lua_pushstring(L, msg);
			return true;
		}
	}
	if (run->short_src && begins_with(msg, run->short_src)) {
		lua_pushfstring(L, "%s%s", run->opt->path, msg + strlen(run->short_src));
		return true;
	}
	if (begins_with(msg, run->opt->path)) {
		lua_pushstring(L, msg);
		return true;
	}
	return false;
}

int script_handler(lua_State *L)
{
	lua_Debug ar;
	const char *msg = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : NULL;

	if (!msg)
		msg = lua_pushfstring(L, "error() was called with %s", describe(L, 1));
	if (push_positioned(L, msg))
		return 1;
	/* What is wrong is the command line, not the script. */
	if (strncmp(msg, "--", 2) == 0) {
		lua_pushstring(L, msg);
		return 1;
	}
	if (script_frame(L, &ar))
		lua_pushfstring(L, "%s:%d: %s", ar.source + 1, ar.currentline, msg);
	else
		lua_pushfstring(L, "%s: %s", run_of(L)->opt->path, msg);
	return 1;
}

void script_failed(struct run *run, lua_State *L, int status)
{
	const char *path = run->opt->path;

	if (status == LUA_ERRMEM && run->refused_bytes)
		run_fail(run, SLABSIM_ERROR_LIMIT,
			 "%s: the script wanted %zu MiB in one piece; at most %zu MiB can be had",
			 path, run->refused_bytes >> 20, SCRIPT_BLOCK_MAX >> 20);
	else if (status == LUA_ERRMEM)
		run_fail(run, SLABSIM_ERROR_LIMIT,
			 "%s: the memory limit of %zu MiB was hit; raise it with --max-memory",
			 path, run->arena->limit >> 20);
	else if (lua_type(L, -1) == LUA_TSTRING)
		run_fail(run, SLABSIM_ERROR_USAGE, "%s", lua_tostring(L, -1));
	else
		run_fail(run, SLABSIM_ERROR_USAGE, "%s: the script failed", path);
	lua_pop(L, 1);
}

/* ---- limits ------------------------------------------------------------------ */

static void on_count(lua_State *L, lua_Debug *ar)
{
	struct run *run = run_of(L);
	const char *path = run->opt->path;
	int line = 0;

	run->instructions += HOOK_EVERY;
	if (run->opt->interrupted && *run->opt->interrupted) {
		run_fail(run, SLABSIM_ERROR_INTERRUPTED, "interrupted");
		run_stop(run);
	}
	if (run->instructions <= run->instructions_max)
		return;
	if (script_frame(L, ar)) {
		path = ar->source + 1;
		line = ar->currentline;
	}
	run_fail(run, SLABSIM_ERROR_LIMIT,
		 "%s:%d: the script is still here after %" G_GUINT64_FORMAT
		 " instructions of Lua, the limit; if that is no endless loop, raise it with "
		 "--max-instructions",
		 path, line, run->instructions_max);
	run_stop(run);
}

static int on_panic(lua_State *L)
{
	sim_assert(!"a Lua error was raised outside any protected call");
	(void)L;
	return 0;
}

bool state_new(struct run *run)
{
	run->L = lua_newstate(script_alloc, run);
	if (!run->L)
		return false;
	*(struct run **)lua_getextraspace(run->L) = run;
	lua_atpanic(run->L, on_panic);
	lua_sethook(run->L, on_count, LUA_MASKCOUNT, HOOK_EVERY);
	return true;
}

/* ---- reading scripts --------------------------------------------------------- */

const struct file_kind script_file = {.what = "script", .max = (size_t)16 << 20};

bool script_read(lua_State *L, const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	g_autofree char *chunk = g_strconcat("@", path, NULL);
	char *start;
	size_t size;
	int status;

	text = read_file(path, &script_file, &size, &error);
	if (!text) {
		/* The message repeats the name; in any case these should be told apart. */
		lua_pushfstring(L, "%s: cannot read the script: %s", path,
				error->code == G_FILE_ERROR_NOENT    ? "there is no such file"
				: error->code == G_FILE_ERROR_ISDIR  ? "it is a directory"
				: error->code == G_FILE_ERROR_ACCES  ? "permission denied"
				: error->code == G_FILE_ERROR_FAILED ? "it is larger than 16 MiB"
								     : error->message);
		return false;
	}
	start = text;
	if (size >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0) {
		start += 3;
		size -= 3;
	}
	if (size >= 2 && memcmp(start, "#!", 2) == 0)
		memcpy(start, "--", 2);
	status = luaL_loadbufferx(L, start, size, chunk, "t");
	return status == LUA_OK;
}
