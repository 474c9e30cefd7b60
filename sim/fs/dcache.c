// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "sim/base/hash.h"
#include "sim/fs/fs.h"

#define HASH_BUCKETS 4096

struct qstr qstr_of(const char *name)
{
	return (struct qstr){fnv_string(name), (uint32_t)strlen(name), (char *)(uintptr_t)name};
}

static uint32_t bucket(const struct qstr *q)
{
	return FIELD_NUMBERED + (uint32_t)(q->hash % HASH_BUCKETS);
}

static void touch_dentry(struct task *t, const struct dentry *d)
{
	touch(t->w, d->d_lru.id, FIELD_DENTRY, ACCESS_RMW);
}

static bool in_lru(const struct dentry *d)
{
	return d->d_flags & DCACHE_LRU_LIST;
}

/* ---- memory ---------------------------------------- */

static void __d_free(struct task *t, struct rcu_head *head)
{
	struct dentry *d = container_of(head, struct dentry, d_rcu);
	struct object *obj = d->d_lru.obj;

	world_free(t->w, d->d_name.name, d->d_name.len + 1);
	world_free(t->w, d, sizeof(*d));
	kmem_cache_free(t, obj);
}

static void dentry_free(struct task *t, struct dentry *d)
{
	call_rcu(t, &d->d_rcu, __d_free, d->d_lru.id);
}

static struct dentry *d_alloc(struct task *t, struct super_block *sb, const struct qstr *q)
{
	FRAME(t);
	int err = 0;
	struct kmem_cache *cache = dentry_cache(t, NULL, &err);
	struct object *obj = kmem_cache_alloc_lru(t, cache, lru_for_alloc(t, &sb->s_dentry_lru));
	struct dentry *d;

	if (!obj)
		return NULL;
	d = world_alloc(t->w, sizeof(*d));
	lru_item_init(&d->d_lru, obj);
	spin_lock_init(t->w, &d->d_lock, "dentry.d_lock");
	d->sb = sb;
	d->d_name = *q;
	d->d_name.name = world_alloc(t->w, q->len + 1);
	memcpy(d->d_name.name, q->name, q->len);
	d->d_count = 1;
	return d;
}

/* ---- the list ---------------------------------------- */

/* d_lock held, as for the next. */
static void d_lru_add(struct task *t, struct dentry *d)
{
	touch_dentry(t, d);
	d->d_flags |= DCACHE_LRU_LIST;
	if (!list_lru_add(t, &d->sb->s_dentry_lru, &d->d_lru))
		trace(t, WARN, .obj = d->d_lru.id, .str = "d_lru_add: not added");
}

static void d_lru_del(struct task *t, struct dentry *d)
{
	touch_dentry(t, d);
	d->d_flags &= ~(uint32_t)DCACHE_LRU_LIST;
	if (!list_lru_del(t, &d->sb->s_dentry_lru, &d->d_lru))
		trace(t, WARN, .obj = d->d_lru.id, .str = "d_lru_del: not on a list");
}

/* ---- finding ---------------------------------------- */

static struct dentry *hashed(struct super_block *sb, const struct qstr *q)
{
	struct dentry **slot = map_find(&sb->dentries, q->hash, q->len);

	return slot ? *slot : NULL;
}

struct dentry *d_lookup(struct task *t, struct super_block *sb, const struct qstr *q)
{
	FRAME(t);
	struct dentry *d;

	rcu_read_lock(t);
	sched_read(t, sb->id, bucket(q), "__d_lookup.hash");
	d = hashed(sb, q);
	if (d) {
		bool gone;

		spin_lock(t, &d->d_lock);
		touch_dentry(t, d);
		gone = d->d_count < 0 || d->d_flags & DCACHE_UNHASHED;
		if (!gone) {
			d->d_count++;
			trace(t, D_LOOKUP, .obj = d->d_lru.id,
			      .arg = {(int64_t)sb->id, !d->d_inode}, .str = d->d_name.name);
		}
		spin_unlock(t, &d->d_lock);
		if (gone)
			d = NULL;
	}
	rcu_read_unlock(t);
	return d;
}

static bool d_add(struct task *t, struct dentry *d, struct inode *inode)
{
	struct super_block *sb = d->sb;
	struct dentry **slot;

	sched_write(t, sb->id, bucket(&d->d_name), "d_add.hash");
	slot = map_add(&sb->dentries, d->d_name.hash, d->d_name.len);
	if (!slot) {
		world_halt(t->w, STOP_MEMORY);
		return false;
	}
	*slot = d;
	d->d_inode = inode;
	sb->nr_dentries++;
	trace(t, D_ALLOC, .obj = d->d_lru.id, .arg = {(int64_t)sb->id, !inode},
	      .str = d->d_name.name);
	return true;
}

/* d_lock held. */
static void __d_drop(struct task *t, struct dentry *d)
{
	if (d->d_flags & DCACHE_UNHASHED)
		return;
	sched_write(t, d->sb->id, bucket(&d->d_name), "__d_drop.hash");
	d->d_flags |= DCACHE_UNHASHED;
	/* A new dentry of the same name may be in its place by now. */
	if (hashed(d->sb, &d->d_name) == d)
		map_del(&d->sb->dentries, d->d_name.hash, d->d_name.len);
	d->sb->nr_dentries--;
}

/* i_mutex held: the only one who adds names. */
struct dentry *d_lookup_or_alloc(struct task *t, struct super_block *sb, const struct qstr *q)
{
	struct dentry *d = d_lookup(t, sb, q);
	struct file_on_disk *file;
	struct inode *inode = NULL;

	if (d)
		return d;
	d = d_alloc(t, sb, q);
	if (!d)
		return NULL;
	file = file_find(t, sb, q);
	if (file) {
		inode = iget(t, sb, file);
		if (!inode) {
			dentry_free(t, d);
			return NULL;
		}
	}
	d_add(t, d, inode);
	return d;
}

void d_instantiate(struct task *t, struct dentry *d, struct inode *inode)
{
	FRAME(t);

	spin_lock(t, &d->d_lock);
	touch_dentry(t, d);
	d->d_inode = inode;
	trace(t, OBJ_STATE, .obj = d->d_lru.id, .str = "positive");
	spin_unlock(t, &d->d_lock);
}

/* ---- the end of a dentry ---------------------------------------- */

/* d_lock held by who found that nobody uses it; released. */
static void __dentry_kill(struct task *t, struct dentry *d)
{
	FRAME(t);
	struct inode *inode;
	bool can_free;

	touch_dentry(t, d);
	d->d_count = -128;
	if (in_lru(d) && !(d->d_flags & DCACHE_SHRINK_LIST))
		d_lru_del(t, d);
	__d_drop(t, d);
	inode = d->d_inode;
	d->d_inode = NULL;
	trace(t, D_KILL, .obj = d->d_lru.id, .arg = {(int64_t)d->sb->id}, .str = d->d_name.name);
	touch_dentry(t, d);
	can_free = !(d->d_flags & DCACHE_SHRINK_LIST);
	if (!can_free)
		d->d_flags |= DCACHE_MAY_FREE;
	spin_unlock(t, &d->d_lock);
	if (inode)
		iput(t, inode);
	if (can_free)
		dentry_free(t, d);
}

void dput(struct task *t, struct dentry *d)
{
	FRAME(t);

	spin_lock(t, &d->d_lock);
	touch_dentry(t, d);
	if (--d->d_count > 0) {
		spin_unlock(t, &d->d_lock);
		return;
	}
	if (d->d_flags & DCACHE_UNHASHED) {
		__dentry_kill(t, d);
		return;
	}
	if (in_lru(d))
		d->d_flags |= DCACHE_REFERENCED;
	else
		d_lru_add(t, d);
	spin_unlock(t, &d->d_lock);
}

void d_delete(struct task *t, struct dentry *d)
{
	FRAME(t);
	struct inode *inode = NULL;

	spin_lock(t, &d->d_lock);
	touch_dentry(t, d);
	/* If we are the only user it stays, and says from now on that there is no such file. */
	if (d->d_count == 1) {
		inode = d->d_inode;
		d->d_inode = NULL;
		trace(t, D_DELETE, .obj = d->d_lru.id, .arg = {(int64_t)d->sb->id},
		      .str = d->d_name.name);
	} else {
		__d_drop(t, d);
	}
	spin_unlock(t, &d->d_lock);
	if (inode)
		iput(t, inode);
}

/* ---- shrinking ---------------------------------------- */

static enum lru_status dentry_lru_isolate(struct task *t, struct lru_item *item,
					  struct list_lru *lru, struct list_lru_one *one, void *arg)
{
	FRAME(t);
	struct dentry *d = container_of(item, struct dentry, d_lru);
	enum lru_status status = LRU_REMOVED;

	(void)lru;
	/* The other way round, d_lock comes first. */
	if (!spin_trylock(t, &d->d_lock))
		return LRU_SKIP;
	touch_dentry(t, d);
	if (d->d_count > 0) {
		d->d_flags &= ~(uint32_t)DCACHE_LRU_LIST;
		list_lru_isolate_move(t, one, item, NULL);
	} else if (d->d_flags & DCACHE_REFERENCED) {
		d->d_flags &= ~(uint32_t)DCACHE_REFERENCED;
		status = LRU_ROTATE;
	} else {
		d->d_flags |= DCACHE_SHRINK_LIST;
		list_lru_isolate_move(t, one, item, arg);
	}
	spin_unlock(t, &d->d_lock);
	return status;
}

/* d_lock held, of a dentry that is off its list: how it goes on; released. */
static void dispose(struct task *t, struct dentry *d)
{
	bool dead = d->d_count < 0, free = d->d_flags & DCACHE_MAY_FREE;

	if (d->d_count == 0) {
		__dentry_kill(t, d);
		return;
	}
	spin_unlock(t, &d->d_lock);
	if (dead && free)
		dentry_free(t, d);
}

static void shrink_dentry_list(struct task *t, struct list *list)
{
	FRAME(t);

	while (!list_empty(list)) {
		struct dentry *d = container_of(list->next, struct dentry, d_lru.node);

		spin_lock(t, &d->d_lock);
		touch_dentry(t, d);
		list_del(&d->d_lru.node);
		d->d_flags &= ~(uint32_t)(DCACHE_SHRINK_LIST | DCACHE_LRU_LIST);
		dispose(t, d);
		cond_resched(t);
	}
}

/* As shrink_dcache_parent() collects what is below a directory. */
int d_invalidate(struct task *t, struct super_block *sb, const struct qstr *q)
{
	FRAME(t);
	struct list freeable;
	struct dentry *d;

	list_init(&freeable);
	rcu_read_lock(t);
	sched_read(t, sb->id, bucket(q), "d_walk.hash");
	d = hashed(sb, q);
	if (d) {
		spin_lock(t, &d->d_lock);
		touch_dentry(t, d);
		/* Who has it on a list of his own will get rid of it. */
		if (d->d_count >= 0 && !(d->d_flags & DCACHE_SHRINK_LIST)) {
			if (in_lru(d))
				d_lru_del(t, d);
			if (d->d_count == 0) {
				d->d_flags |= DCACHE_SHRINK_LIST | DCACHE_LRU_LIST;
				list_add_tail(&d->d_lru.node, &freeable);
			}
		}
		spin_unlock(t, &d->d_lock);
	}
	rcu_read_unlock(t);
	shrink_dentry_list(t, &freeable);
	return d ? 0 : -ENOENT;
}

int64_t prune_dcache_sb(struct task *t, struct super_block *sb, struct shrink_control *sc)
{
	FRAME(t);
	struct list freeable;
	int64_t freed;

	list_init(&freeable);
	freed = list_lru_walk_one(t, &sb->s_dentry_lru, sc->memcg, dentry_lru_isolate, &freeable,
				  &sc->nr_to_scan);
	shrink_dentry_list(t, &freeable);
	return freed;
}

/* Nobody is left who could use one. */
int64_t shrink_dcache_for_umount(struct task *t, struct super_block *sb)
{
	FRAME(t);
	struct dentry **slot;
	uint32_t pos = 0;
	int64_t n = 0;

	while ((slot = map_next(&sb->dentries, &pos)) != NULL) {
		struct dentry *d = *slot;

		spin_lock(t, &d->d_lock);
		__dentry_kill(t, d);
		n++;
	}
	return n;
}
