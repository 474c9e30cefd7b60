// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open files, and those that a server keeps for the next client after they were closed.
 *
 * What is kept waits on a list_lru and goes onto it with no lock held, unlike dentries and
 * inodes: nothing but list_lru itself keeps the memcg that is looked up for it.
 *
 * Upstream: fs/nfsd/filecache.c.  Differs: a kept file is not found again; its shrinker is
 * aware of memcgs in all versions.
 */
#include <errno.h>

#include "sim/fs/fs.h"

static struct open_file *file_of(struct lru_item *item)
{
	return container_of(item, struct open_file, lru);
}

/* ---- the shrinker ---------------------------------------- */

static int64_t file_cache_count(struct task *t, struct shrinker *s, struct shrink_control *sc)
{
	FRAME(t);
	struct file_cache *cache = container_of(s, struct file_cache, shrink);
	int64_t n = list_lru_count_one(t, &cache->lru, sc->memcg);

	return n ? n : SHRINK_EMPTY;
}

static enum lru_status file_isolate(struct task *t, struct lru_item *item, struct list_lru *lru,
				    struct list_lru_one *one, void *arg)
{
	FRAME(t);

	(void)lru;
	list_lru_isolate_move(t, one, item, arg);
	return LRU_REMOVED;
}

static void file_free(struct task *t, struct open_file *file)
{
	struct object *obj = file->lru.obj;

	dput(t, file->dentry);
	world_free(t->w, file, sizeof(*file));
	if (obj)
		kmem_cache_free(t, obj);
}

static int64_t file_cache_scan(struct task *t, struct shrinker *s, struct shrink_control *sc)
{
	FRAME(t);
	struct file_cache *cache = container_of(s, struct file_cache, shrink);
	struct list freeable, *node;
	int64_t freed;

	if (!sc->may_fs)
		return SHRINK_STOP;
	list_init(&freeable);
	freed = list_lru_walk_one(t, &cache->lru, sc->memcg, file_isolate, &freeable,
				  &sc->nr_to_scan);
	while ((node = list_pop(&freeable)) != NULL)
		file_free(t, file_of(container_of(node, struct lru_item, node)));
	return freed;
}

/* ---- the cache ---------------------------------------- */

int file_cache_init(struct task *t, struct super_block *sb, uint32_t objects_per_slab)
{
	FRAME(t);
	struct file_cache *cache = world_alloc(t->w, sizeof(*cache));
	struct shrinker *s = &cache->shrink;
	int err = 0;

	cache->slab = file_slab(t, objects_per_slab, &err);
	if (!cache->slab)
		return err;
	s->name = "nfsd_filecache";
	s->count_objects = file_cache_count;
	s->scan_objects = file_cache_scan;
	s->seeks = 1;
	s->flags = SHRINKER_MEMCG_AWARE;
	err = prealloc_shrinker(t, s);
	if (err)
		return err;
	err = list_lru_init_memcg(t, &cache->lru, "files", s);
	if (err) {
		free_prealloced_shrinker(t, s);
		return err;
	}
	register_shrinker_prepared(t, s);
	sb->files_kept = cache;
	return 0;
}

/* Before the file system goes: what is kept uses it. */
void file_cache_destroy(struct task *t, struct super_block *sb)
{
	FRAME(t);
	struct file_cache *cache = sb->files_kept;
	struct mem_cgroup *memcg = NULL;
	struct list freeable, *node;
	int64_t all = INT64_MAX;

	unregister_shrinker(t, &cache->shrink);
	list_init(&freeable);
	while ((memcg = mem_cgroup_iter(t, mm_of(t->w)->root_memcg, memcg, NULL)) != NULL) {
		list_lru_walk_one(t, &cache->lru, memcg, file_isolate, &freeable, &all);
	}
	while ((node = list_pop(&freeable)) != NULL)
		file_free(t, file_of(container_of(node, struct lru_item, node)));
	list_lru_destroy(t, &cache->lru);
}

/* ---- files ---------------------------------------- */

struct open_file *fs_open(struct task *t, struct super_block *sb, const char *name, int *err)
{
	FRAME_NAMED(t, "path_openat");
	struct file_cache *cache = sb->files_kept;
	struct object *obj = NULL;
	struct open_file *file;
	struct dentry *d = path_lookup(t, sb, name, err);

	if (!d)
		return NULL;
	if (cache)
		obj = kmem_cache_alloc_lru(t, cache->slab, lru_for_alloc(t, &cache->lru));
	if (cache && !obj) {
		*err = -ENOMEM;
		dput(t, d);
		return NULL;
	}
	file = world_alloc(t->w, sizeof(*file));
	file->id = d->d_lru.id;
	file->sb = sb;
	file->dentry = d;
	if (obj) {
		lru_item_init(&file->lru, obj);
		file->id = obj->id;
	}
	return file;
}

void fs_close(struct task *t, struct open_file *file)
{
	FRAME_NAMED(t, "__fput");

	if (!file->lru.obj)
		file_free(t, file);
	else if (!list_lru_add(t, &file->sb->files_kept->lru, &file->lru))
		trace(t, WARN, .obj = file->id, .str = "file_cache_add: not added");
}
