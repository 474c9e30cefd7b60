// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a task can do with files, and what reclaim can be told to do with their caches.
 */
#include <errno.h>
#include <stdio.h>

#include "lua/run.h"
#include "sim/fs/fs.h"

/* A super block and who is in it: what scripts hold. */
struct fs_handle {
	struct handle h;
	struct super_block *sb; /* not to be followed once @umounted */
	struct kmem_cache *dentry_cache;
	uint32_t nr_users; /* operations that are in it */
	bool umounted;
};

struct file_handle {
	struct handle h;
	struct open_file *file; /* not to be followed once @closed */
	struct fs_handle *fs;	/* which it keeps from being unmounted */
	bool closed;
};

#define NAMES_MAX 100000000

/* nil and the error's name */
static int push_error(lua_State *L, int err)
{
	lua_pushnil(L);
	push_result(L, err);
	lua_remove(L, -2);
	return 2;
}

/* ---- being in a file system --------------------------------------------------------- */

/* Handles are shared between tasks: what they tell is shared state. */
static bool fs_enter(struct task *t, struct fs_handle *f)
{
	touch(t->w, f->h.id, FIELD_REMOVED, ACCESS_RMW);
	if (f->umounted)
		return false;
	f->nr_users++;
	return true;
}

static void fs_leave(struct task *t, struct fs_handle *f)
{
	touch(t->w, f->h.id, FIELD_REMOVED, ACCESS_RMW);
	f->nr_users--;
}

typedef int (*name_fn)(struct task *t, struct super_block *sb, const char *name);

static int with_name(struct task *t, struct fs_handle *f, const char *name, name_fn fn)
{
	int result = -ENODEV;

	if (fs_enter(t, f)) {
		result = fn(t, f->sb, name);
		fs_leave(t, f);
	}
	return result;
}

/* ---- mounting --------------------------------------------------------------------------- */

/* mount(name, the options one by one): lua/lib puts the table apart */
static int l_mount(lua_State *L)
{
	struct task *t = arg_reclaimer(L, "mount");
	const char *name = arg_name(L, 2, "mount");
	struct fs_options opt = {
		.objects_per_slab = (uint32_t)luaL_checkinteger(L, 3),
		.inode_size = (uint32_t)luaL_checkinteger(L, 4),
		.seeks = (uint32_t)luaL_checkinteger(L, 5),
		.batch = luaL_checkinteger(L, 6),
		.keep_files = lua_toboolean(L, 7),
	};
	struct super_block *sb;
	struct fs_handle *f;
	char *copy;
	int err = 0;

	copy = arena_strdup(t->w->arena, name);
	if (!copy)
		return luaL_error(L, "not enough memory");
	op_begin(t, "mount", 0);
	sb = fs_mount(t, copy, &opt, &err);
	op_end(t, "mount", err);
	if (!sb) {
		return push_error(L, err);
	}
	f = handle_new(L, HANDLE_FS, sizeof(*f), sb->id, name);
	f->sb = sb;
	f->dentry_cache = dentry_cache(t, NULL, &err);
	return 1;
}

static int l_umount(lua_State *L)
{
	struct task *t = arg_self(L, "umount")->task;
	struct fs_handle *f = arg_handle(L, 2, HANDLE_FS, "umount");
	int err = 0;

	op_begin(t, "umount", f->h.id);
	touch(t->w, f->h.id, FIELD_REMOVED, ACCESS_RMW);
	if (f->umounted)
		err = -EINVAL;
	else if (f->nr_users > 0)
		err = -EBUSY;
	else
		f->umounted = true;
	if (!err)
		fs_umount(t, f->sb);
	op_end(t, "umount", err);
	return push_result(L, err);
}

struct kmem_caches_of_fs fs_caches(const void *fs_handle)
{
	const struct fs_handle *f = fs_handle;

	return (struct kmem_caches_of_fs){f->dentry_cache, f->sb->inode_cache};
}

/* ---- names ------------------------------------------------------------------------------- */

static int l_lookup(lua_State *L)
{
	struct task *t = arg_self(L, "lookup")->task;
	struct fs_handle *f = arg_handle(L, 2, HANDLE_FS, "lookup");
	const char *name = arg_name(L, 3, "lookup");
	int result;

	op_begin(t, "lookup", f->h.id);
	result = with_name(t, f, name, fs_lookup);
	op_end(t, "lookup", result < 0 ? result : 0);
	if (result < 0) {
		return push_error(L, result);
	}
	lua_pushboolean(L, result);
	return 1;
}

static int name_op(lua_State *L, const char *op, name_fn fn)
{
	struct task *t = arg_self(L, op)->task;
	struct fs_handle *f = arg_handle(L, 2, HANDLE_FS, op);
	const char *name = arg_name(L, 3, op);
	int err;

	op_begin(t, op, f->h.id);
	err = with_name(t, f, name, fn);
	op_end(t, op, err);
	return push_result(L, err);
}

static int l_create(lua_State *L)
{
	return name_op(L, "create", fs_create);
}

static int l_unlink(lua_State *L)
{
	return name_op(L, "unlink", fs_unlink);
}

static int l_open(lua_State *L)
{
	struct task *t = arg_self(L, "open")->task;
	struct fs_handle *f = arg_handle(L, 2, HANDLE_FS, "open");
	const char *name = arg_name(L, 3, "open");
	struct open_file *opened = NULL;
	struct file_handle *file;
	int err = -ENODEV;

	op_begin(t, "open", f->h.id);
	if (fs_enter(t, f)) {
		opened = fs_open(t, f->sb, name, &err);
		if (!opened)
			fs_leave(t, f);
	}
	op_end(t, "open", opened ? 0 : err);
	if (!opened)
		return push_error(L, err);
	file = handle_new(L, HANDLE_FILE, sizeof(*file), opened->id, name);
	file->file = opened;
	file->fs = f;
	/* The file points to the other handle, so that must stay. */
	lua_pushvalue(L, 2);
	(void)luaL_ref(L, LUA_REGISTRYINDEX);
	return 1;
}

static int l_close(lua_State *L)
{
	struct task *t = arg_self(L, "close")->task;
	struct file_handle *file = arg_handle(L, 2, HANDLE_FILE, "close");

	if (file->closed)
		script_error(L, "t:close: %s is closed already", handle_tostring(L, &file->h));
	file->closed = true;
	op_begin(t, "close", file->h.id);
	fs_close(t, file->file);
	fs_leave(t, file->fs);
	op_end(t, "close", 0);
	return 0;
}

static int l_invalidate(lua_State *L)
{
	return name_op(L, "invalidate", fs_invalidate);
}

/* "NAME.1", "NAME.2", ...: how many of @n succeeded before the first that did not */
static int64_t many(struct task *t, struct fs_handle *f, const char *name, int64_t from, int64_t n,
		    name_fn fn, int *err)
{
	int64_t done = 0;
	char full[96];

	*err = 0;
	while (done < n) {
		snprintf(full, sizeof(full), "%s.%lld", name, (long long)(from + done));
		*err = with_name(t, f, full, fn);
		if (*err < 0)
			break;
		*err = 0;
		done++;
		cond_resched(t);
	}
	return done;
}

/* lookup_many(fs, name, n, from): how many, and the error's name if there was one */
static int many_op(lua_State *L, const char *op, name_fn fn)
{
	struct task *t = arg_self(L, op)->task;
	struct fs_handle *f = arg_handle(L, 2, HANDLE_FS, op);
	const char *name = arg_name(L, 3, op);
	int64_t n = arg_int(L, 4, op, "a number of names", 0, NAMES_MAX), done;
	int64_t from = lua_isnoneornil(L, 5)
			       ? 1
			       : arg_int(L, 5, op, "the first number", 0, INT64_MAX - NAMES_MAX);
	int err;

	op_begin(t, op, f->h.id);
	done = many(t, f, name, from, n, fn, &err);
	op_end(t, op, err);
	lua_pushinteger(L, done);
	if (!err)
		return 1;
	push_result(L, err);
	lua_remove(L, -2);
	return 2;
}

static int l_lookup_many(lua_State *L)
{
	return many_op(L, "lookup_many", fs_lookup);
}

static int l_create_many(lua_State *L)
{
	return many_op(L, "create_many", fs_create);
}

static int l_unlink_many(lua_State *L)
{
	return many_op(L, "unlink_many", fs_unlink);
}

/* ---- shrinking ------------------------------------------------------------------------------ */

/* A css reference for as long as @fn works on the memcg, as a walk of reclaim has one. */
static int64_t shrink_pinned(struct task *t, struct cgroup_handle *g, bool may_fs, int priority)
{
	struct mem_cgroup *memcg = g->memcg;
	int64_t freed = 0;
	bool ok;

	rcu_read_lock(t);
	ok = !cgroup_is_removed(t, g) && css_tryget(t, &memcg->css, HOLD_SCRIPT, t->id);
	rcu_read_unlock(t);
	if (!ok)
		return 0;
	freed = shrink_slab(t, memcg, may_fs, priority);
	css_put(t, &memcg->css, HOLD_SCRIPT, t->id);
	return freed;
}

/* shrink_slab(cgroup, priority, may_fs) */
static int l_shrink_slab(lua_State *L)
{
	struct task *t = arg_reclaimer(L, "shrink_slab");
	struct cgroup_handle *g = arg_handle(L, 2, HANDLE_CGROUP, "shrink_slab");
	int priority = (int)arg_int(L, 3, "shrink_slab", "a priority", 0, DEF_PRIORITY);
	bool may_fs = lua_toboolean(L, 4);
	int64_t freed;

	op_begin(t, "shrink_slab", g->h.id);
	freed = shrink_pinned(t, g, may_fs, priority);
	op_end(t, "shrink_slab", freed);
	lua_pushinteger(L, freed);
	return 1;
}

/* Everything that can be had, of everybody. */
static int64_t drop_slab(struct task *t)
{
	struct mem_cgroup *memcg = NULL;
	int64_t freed = 0;

	while ((memcg = mem_cgroup_iter(t, mm_of(t->w)->root_memcg, memcg, NULL)) != NULL)
		freed += shrink_slab(t, memcg, true, 0);
	return freed + shrink_slab(t, NULL, true, 0);
}

static int l_drop_slab(lua_State *L)
{
	struct task *t = arg_reclaimer(L, "drop_slab");
	int64_t freed;

	op_begin(t, "drop_slab", 0);
	freed = drop_slab(t);
	op_end(t, "drop_slab", freed);
	lua_pushinteger(L, freed);
	return 1;
}

static int64_t debugfs_count(struct task *t, struct fs_handle *f)
{
	touch(t->w, f->h.id, FIELD_REMOVED, ACCESS_READ);
	/* The file goes away by itself, while the file system is being unmounted. */
	return f->umounted && !f->sb->s_shrink.registered
		       ? -ENODEV
		       : shrinker_debugfs_count(t, &f->sb->s_shrink);
}

static int l_read_shrinker(lua_State *L)
{
	struct task *t = arg_self(L, "read_shrinker")->task;
	struct fs_handle *f = arg_handle(L, 2, HANDLE_FS, "read_shrinker");
	int64_t n;

	op_begin(t, "read_shrinker", f->h.id);
	n = debugfs_count(t, f);
	op_end(t, "read_shrinker", n < 0 ? n : 0);
	if (n >= 0) {
		lua_pushinteger(L, n);
		return 1;
	}
	return push_error(L, (int)n);
}

/* ---- counting -------------------------------------------------------------------------------- */

static int64_t count_dentries(struct task *t, struct fs_handle *f, struct cgroup_handle *g)
{
	int64_t n = -ENODEV;

	if (!fs_enter(t, f))
		return n;
	if (!g)
		n = list_lru_count_node(t, &f->sb->s_dentry_lru);
	else if (cgroup_is_removed(t, g))
		n = 0;
	else
		n = list_lru_count_one(t, &f->sb->s_dentry_lru, g->memcg);
	fs_leave(t, f);
	return n;
}

/* count_dentries(fs[, cgroup]): what the counters say, as the kernel reads them */
static int l_count_dentries(lua_State *L)
{
	struct task *t = arg_self(L, "count_dentries")->task;
	struct fs_handle *f = arg_handle(L, 2, HANDLE_FS, "count_dentries");
	struct cgroup_handle *g =
		lua_isnoneornil(L, 3) ? NULL : arg_handle(L, 3, HANDLE_CGROUP, "count_dentries");
	int64_t n;

	op_begin(t, "count_dentries", f->h.id);
	n = count_dentries(t, f, g);
	op_end(t, "count_dentries", n < 0 ? n : 0);
	lua_pushinteger(L, n < 0 ? 0 : n);
	return 1;
}

static void set_int(lua_State *L, const char *field, int64_t n)
{
	lua_pushinteger(L, n);
	lua_setfield(L, -2, field);
}

/* fs_figures(fs): no operation of the kernel; what the machine holds for the file system */
static int l_fs_figures(lua_State *L)
{
	struct task *t = arg_self(L, "fs_figures")->task;
	struct fs_handle *f = arg_handle(L, 2, HANDLE_FS, "fs_figures");
	const struct super_block *sb = f->sb;
	struct list_lru_figures d, i;

	touch(t->w, f->h.id, FIELD_REMOVED, ACCESS_READ);
	if (f->umounted)
		script_error(L, "t:fs_figures: %s is unmounted", handle_tostring(L, &f->h));
	d = list_lru_figures(&sb->s_dentry_lru);
	i = list_lru_figures(&sb->s_inode_lru);
	lua_createtable(L, 0, 6);
	set_int(L, "dentries", sb->nr_dentries);
	set_int(L, "inodes", sb->nr_inodes);
	set_int(L, "unused", d.nr_items + i.nr_items);
	set_int(L, "lists", d.nr_lists + i.nr_lists);
	set_int(L, "slots", d.nr_slots + i.nr_slots);
	set_int(L, "bytes", d.bytes + i.bytes);
	return 1;
}

void ops_fs_open(lua_State *L, int core)
{
	static const luaL_Reg ops[] = {
		{"mount", l_mount},
		{"umount", l_umount},
		{"lookup", l_lookup},
		{"lookup_many", l_lookup_many},
		{"create", l_create},
		{"create_many", l_create_many},
		{"unlink", l_unlink},
		{"unlink_many", l_unlink_many},
		{"open", l_open},
		{"close", l_close},
		{"invalidate", l_invalidate},
		{"shrink_slab", l_shrink_slab},
		{"drop_slab", l_drop_slab},
		{"read_shrinker", l_read_shrinker},
		{"count_dentries", l_count_dentries},
		{"fs_figures", l_fs_figures},
		{NULL, NULL},
	};

	lua_getfield(L, core, "methods");
	lua_getfield(L, -1, "task");
	luaL_setfuncs(L, ops, 0);
	lua_pop(L, 2);
}
