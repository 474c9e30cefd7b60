// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/fs/fs.h"

#define DENTRY_BYTES 192
#define INODE_BYTES 1080
#define FILE_BYTES 160
#define SUPER_BATCH 1024

/* A kind of file system, by name: its inode cache outlives what is mounted. */
struct fs_type {
	struct fs_type *next;
	const char *name;
	struct kmem_cache *inode_cache;
};

/* What all file systems share. */
struct fs {
	struct kmem_cache *dentry_cache, *file_cache;
	struct fs_type *types;
};

static struct fs *fs_of(struct task *t)
{
	struct mm *mm = mm_of(t->w);

	if (!mm->fs)
		mm->fs = world_alloc(t->w, sizeof(struct fs));
	return mm->fs;
}

struct kmem_cache *dentry_cache(struct task *t, const struct fs_options *opt, int *err)
{
	struct fs *fs = fs_of(t);

	if (!fs->dentry_cache && opt)
		fs->dentry_cache = kmem_cache_create(t, "dentry", DENTRY_BYTES,
						     opt->objects_per_slab,
						     SLAB_ACCOUNT | SLAB_NO_MERGE, err);
	return fs->dentry_cache;
}

struct kmem_cache *file_slab(struct task *t, uint32_t objects_per_slab, int *err)
{
	struct fs *fs = fs_of(t);

	if (!fs->file_cache)
		fs->file_cache = kmem_cache_create(t, "nfsd_file", FILE_BYTES, objects_per_slab,
						   SLAB_ACCOUNT | SLAB_NO_MERGE, err);
	return fs->file_cache;
}

/* Lists that exist for every index need no preparation. */
struct list_lru *lru_for_alloc(struct task *t, struct list_lru *lru)
{
	return lru_config(t)->form == LRU_XARRAY ? lru : NULL;
}

/* ---- the shrinker ---------------------------------------- */

static int64_t super_cache_count(struct task *t, struct shrinker *s, struct shrink_control *sc)
{
	FRAME(t);
	struct super_block *sb = container_of(s, struct super_block, s_shrink);
	int64_t n;

	/* No lock: what is found here is only a guess by the time of the scan. */
	n = list_lru_count_one(t, &sb->s_dentry_lru, sc->memcg);
	n += list_lru_count_one(t, &sb->s_inode_lru, sc->memcg);
	return n ? n : SHRINK_EMPTY;
}

static bool trylock_super(struct task *t, struct super_block *sb)
{
	sched_point(t, COST_LOCK);
	if (!down_read_trylock(t, &sb->s_umount))
		return false;
	if (sb->active)
		return true;
	up_read(t, &sb->s_umount);
	return false;
}

static int64_t at_least_zero(int64_t n)
{
	return n < 0 ? 0 : n;
}

static int64_t super_cache_scan(struct task *t, struct shrinker *s, struct shrink_control *sc)
{
	FRAME(t);
	struct super_block *sb = container_of(s, struct super_block, s_shrink);
	int64_t dentries, inodes, to_scan = sc->nr_to_scan, freed, total;

	/* The caller may hold locks of this file system. */
	if (!sc->may_fs || !trylock_super(t, sb))
		return SHRINK_STOP;
	inodes = at_least_zero(list_lru_count_one(t, &sb->s_inode_lru, sc->memcg));
	dentries = at_least_zero(list_lru_count_one(t, &sb->s_dentry_lru, sc->memcg));
	total = dentries + inodes + 1;
	sc->nr_to_scan = to_scan * dentries / total + 1;
	/* Dentries first: they hold inodes. */
	freed = prune_dcache_sb(t, sb, sc);
	sc->nr_to_scan = to_scan * inodes / total + 1;
	freed += prune_icache_sb(t, sb, sc);
	up_read(t, &sb->s_umount);
	return freed;
}

/* ---- mount and umount ---------------------------------------- */

static struct super_block *alloc_super(struct task *t, const char *name)
{
	struct world *w = t->w;
	struct super_block *sb = world_alloc(w, sizeof(*sb));

	sb->id = world_new_id(w, OBJ_FS);
	sb->name = name;
	trace(t, OBJ_NEW, .obj = sb->id, .arg = {0, sizeof(*sb)}, .str = name);
	init_rwsem(w, &sb->s_umount, "s_umount");
	mutex_init(w, &sb->i_mutex, "i_mutex");
	spin_lock_init(w, &sb->inode_hash_lock, "inode_hash_lock");
	map_init(&sb->dentries, w->arena, sizeof(struct dentry *));
	map_init(&sb->files, w->arena, sizeof(struct file_on_disk));
	list_init(&sb->s_inodes);
	list_init(&sb->evict_waiters);
	return sb;
}

static struct kmem_cache *inode_cache(struct task *t, const char *fs_name,
				      const struct fs_options *opt, int *err)
{
	uint32_t size = opt->inode_size ? opt->inode_size : INODE_BYTES;
	struct fs *fs = fs_of(t);
	struct fs_type *type;
	char name[80];

	for (type = fs->types; type; type = type->next) {
		if (strcmp(type->name, fs_name) == 0)
			return type->inode_cache;
	}
	snprintf(name, sizeof(name), "%s_inode_cache", fs_name);
	type = world_alloc(t->w, sizeof(*type));
	type->name = fs_name;
	type->inode_cache = kmem_cache_create(t, name, size, opt->objects_per_slab,
					      SLAB_ACCOUNT | SLAB_NO_MERGE, err);
	if (!type->inode_cache)
		return NULL;
	type->next = fs->types;
	fs->types = type;
	return type->inode_cache;
}

static int make_caches(struct task *t, struct super_block *sb, const struct fs_options *opt)
{
	int err = 0;

	if (!dentry_cache(t, opt, &err))
		return err;
	sb->inode_cache = inode_cache(t, sb->name, opt, &err);
	return err;
}

static void super_gone(struct task *t, struct super_block *sb, const char *how)
{
	touch(t->w, sb->id, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = sb->id, .str = how);
}

/* The shrinker comes first: lists must know whose bits to set. */
static int prepare(struct task *t, struct super_block *sb, const struct fs_options *opt)
{
	struct shrinker *s = &sb->s_shrink;
	int err = make_caches(t, sb, opt);

	if (err)
		return err;
	s->name = sb->name;
	s->count_objects = super_cache_count;
	s->scan_objects = super_cache_scan;
	s->batch = opt->batch ? opt->batch : SUPER_BATCH;
	s->seeks = opt->seeks;
	s->flags = SHRINKER_MEMCG_AWARE;
	err = prealloc_shrinker(t, s);
	if (err)
		return err;
	err = list_lru_init_memcg(t, &sb->s_dentry_lru, "dentries", s);
	if (err)
		goto out_shrinker;
	err = list_lru_init_memcg(t, &sb->s_inode_lru, "inodes", s);
	if (err)
		goto out_dentries;
	if (opt->keep_files)
		err = file_cache_init(t, sb, opt->objects_per_slab);
	if (!err)
		return 0;
	list_lru_destroy(t, &sb->s_inode_lru);
out_dentries:
	list_lru_destroy(t, &sb->s_dentry_lru);
out_shrinker:
	free_prealloced_shrinker(t, s);
	return err;
}

struct super_block *fs_mount(struct task *t, const char *name, const struct fs_options *opt,
			     int *err)
{
	FRAME_NAMED(t, "mount_fs");
	struct super_block *sb;

	*err = -ENOMEM;
	sched_point(t, COST_OBJECT_INIT);
	if (fault_point(t, "alloc_super"))
		return NULL;
	sb = alloc_super(t, name);
	*err = prepare(t, sb, opt);
	if (*err) {
		super_gone(t, sb, "alloc_super failed");
		return NULL;
	}
	register_shrinker_prepared(t, &sb->s_shrink);
	down_write(t, &sb->s_umount);
	sb->active = true;
	trace(t, FS_MOUNT, .obj = sb->id,
	      .arg = {(int64_t)sb->s_shrink.id, (int64_t)sb->s_dentry_lru.id,
		      (int64_t)sb->s_inode_lru.id},
	      .str = name);
	up_write(t, &sb->s_umount);
	return sb;
}

void fs_umount(struct task *t, struct super_block *sb)
{
	FRAME_NAMED(t, "deactivate_super");
	int64_t dentries, inodes;

	if (sb->files_kept)
		file_cache_destroy(t, sb);
	down_write(t, &sb->s_umount);
	unregister_shrinker(t, &sb->s_shrink);
	sb->active = false;
	dentries = shrink_dcache_for_umount(t, sb);
	inodes = evict_inodes(t, sb);
	up_write(t, &sb->s_umount);
	trace(t, FS_UMOUNT, .obj = sb->id, .arg = {dentries, inodes});
	list_lru_destroy(t, &sb->s_dentry_lru);
	list_lru_destroy(t, &sb->s_inode_lru);
	super_gone(t, sb, "destroy_super");
}
