// SPDX-License-Identifier: GPL-2.0-only
#include "sim/fs/fs.h"

static void touch_inode(struct task *t, const struct inode *inode)
{
	touch(t->w, inode->i_lru.id, FIELD_INODE, ACCESS_RMW);
}

static void i_callback(struct task *t, struct rcu_head *head)
{
	struct inode *inode = container_of(head, struct inode, i_rcu);
	struct object *obj = inode->i_lru.obj;

	world_free(t->w, inode, sizeof(*inode));
	kmem_cache_free(t, obj);
}

struct inode *new_inode(struct task *t, struct super_block *sb, uint64_t ino)
{
	FRAME(t);
	struct list_lru *lru = lru_for_alloc(t, &sb->s_inode_lru);
	struct object *obj = kmem_cache_alloc_lru(t, sb->inode_cache, lru);
	struct inode *inode;

	if (!obj)
		return NULL;
	inode = world_alloc(t->w, sizeof(*inode));
	lru_item_init(&inode->i_lru, obj);
	spin_lock_init(t->w, &inode->i_lock, "inode.i_lock");
	inode->sb = sb;
	inode->ino = ino;
	inode->i_count = 1;
	spin_lock(t, &sb->inode_hash_lock);
	touch(t->w, sb->id, FIELD_INODES, ACCESS_RMW);
	list_add_tail(&inode->i_sb_list, &sb->s_inodes);
	sb->nr_inodes++;
	trace(t, I_NEW, .obj = obj->id, .arg = {(int64_t)sb->id, (int64_t)ino});
	spin_unlock(t, &sb->inode_hash_lock);
	return inode;
}

/* inode_hash_lock held: a reference, or false if it is on its way out. */
static bool igrab(struct task *t, struct inode *inode)
{
	bool ok;

	spin_lock(t, &inode->i_lock);
	touch_inode(t, inode);
	ok = !(inode->i_state & I_FREEING);
	if (ok)
		inode->i_count++;
	spin_unlock(t, &inode->i_lock);
	return ok;
}

/* Who found an inode on its way out waits for the end of that. */
struct evict_wait {
	struct list node; /* super_block.evict_waiters; inode_hash_lock */
	struct completion done;
};

/* inode_hash_lock held; released. */
static void wait_on_freeing_inode(struct task *t, struct super_block *sb)
{
	FRAME(t);
	struct evict_wait wait;

	init_completion(t->w, &wait.done);
	list_add_tail(&wait.node, &sb->evict_waiters);
	spin_unlock(t, &sb->inode_hash_lock);
	wait_for_completion(t, &wait.done, "eviction of an inode");
}

/* The inode in the cache, with a reference; NULL if there is none. */
static struct inode *find_inode(struct task *t, struct super_block *sb, struct file_on_disk *file)
{
	for (;;) {
		struct inode *inode;

		spin_lock(t, &sb->inode_hash_lock);
		touch(t->w, sb->id, FIELD_INODES, ACCESS_READ);
		inode = file->inode;
		if (!inode || igrab(t, inode)) {
			spin_unlock(t, &sb->inode_hash_lock);
			return inode;
		}
		wait_on_freeing_inode(t, sb);
	}
}

void inode_set_file(struct task *t, struct inode *inode, struct file_on_disk *file)
{
	struct super_block *sb = inode->sb;

	spin_lock(t, &sb->inode_hash_lock);
	touch(t->w, sb->id, FIELD_INODES, ACCESS_RMW);
	if (inode->file)
		inode->file->inode = NULL;
	inode->file = file;
	if (file)
		file->inode = inode;
	spin_unlock(t, &sb->inode_hash_lock);
}

struct inode *iget(struct task *t, struct super_block *sb, struct file_on_disk *file)
{
	FRAME(t);
	struct inode *inode = find_inode(t, sb, file);

	/* i_mutex: nobody else reads it in. */
	if (inode)
		return inode;
	inode = new_inode(t, sb, file->ino);
	if (inode)
		inode_set_file(t, inode, file);
	return inode;
}

/* ---- the list ---------------------------------------- */

/* i_lock held, as for the next. */
static void inode_lru_list_add(struct task *t, struct inode *inode)
{
	touch_inode(t, inode);
	if (list_lru_add(t, &inode->sb->s_inode_lru, &inode->i_lru))
		inode->i_state |= I_LRU;
	else
		inode->i_state |= I_REFERENCED;
}

static void inode_lru_list_del(struct task *t, struct inode *inode)
{
	touch_inode(t, inode);
	list_lru_del(t, &inode->sb->s_inode_lru, &inode->i_lru);
	inode->i_state &= ~(uint32_t)I_LRU;
}

/* ---- the end of an inode ---------------------------------------- */

/* I_FREEING is set: nobody else comes. */
static void evict(struct task *t, struct inode *inode)
{
	FRAME(t);
	struct super_block *sb = inode->sb;
	struct list *node;

	spin_lock(t, &sb->inode_hash_lock);
	touch(t->w, sb->id, FIELD_INODES, ACCESS_RMW);
	list_del(&inode->i_sb_list);
	sb->nr_inodes--;
	if (inode->file)
		inode->file->inode = NULL;
	trace(t, I_EVICT, .obj = inode->i_lru.id, .arg = {(int64_t)sb->id, (int64_t)inode->ino});
	while ((node = list_pop(&sb->evict_waiters)) != NULL)
		complete(t, &container_of(node, struct evict_wait, node)->done);
	spin_unlock(t, &sb->inode_hash_lock);
	call_rcu(t, &inode->i_rcu, i_callback, inode->i_lru.id);
}

void iput(struct task *t, struct inode *inode)
{
	FRAME(t);

	spin_lock(t, &inode->i_lock);
	touch_inode(t, inode);
	if (--inode->i_count > 0) {
		spin_unlock(t, &inode->i_lock);
		return;
	}
	if (!inode->unlinked && inode->sb->active) {
		inode_lru_list_add(t, inode);
		spin_unlock(t, &inode->i_lock);
		return;
	}
	inode->i_state |= I_FREEING;
	if (inode->i_state & I_LRU)
		inode_lru_list_del(t, inode);
	spin_unlock(t, &inode->i_lock);
	evict(t, inode);
}

/* ---- shrinking ---------------------------------------- */

static enum lru_status inode_lru_isolate(struct task *t, struct lru_item *item,
					 struct list_lru *lru, struct list_lru_one *one, void *arg)
{
	FRAME(t);
	struct inode *inode = container_of(item, struct inode, i_lru);
	enum lru_status status = LRU_REMOVED;

	(void)lru;
	/* The other way round, i_lock comes first. */
	if (!spin_trylock(t, &inode->i_lock))
		return LRU_SKIP;
	touch_inode(t, inode);
	if (inode->i_count > 0) {
		inode->i_state &= ~(uint32_t)I_LRU;
		list_lru_isolate_move(t, one, item, NULL);
	} else if (inode->i_state & I_REFERENCED) {
		inode->i_state &= ~(uint32_t)I_REFERENCED;
		status = LRU_ROTATE;
	} else {
		inode->i_state |= I_FREEING;
		inode->i_state &= ~(uint32_t)I_LRU;
		list_lru_isolate_move(t, one, item, arg);
	}
	spin_unlock(t, &inode->i_lock);
	return status;
}

static void dispose_list(struct task *t, struct list *list)
{
	struct list *node;

	while ((node = list_pop(list)) != NULL) {
		evict(t, container_of(node, struct inode, i_lru.node));
		cond_resched(t);
	}
}

int64_t prune_icache_sb(struct task *t, struct super_block *sb, struct shrink_control *sc)
{
	FRAME(t);
	struct list freeable;
	int64_t freed;

	list_init(&freeable);
	freed = list_lru_walk_one(t, &sb->s_inode_lru, sc->memcg, inode_lru_isolate, &freeable,
				  &sc->nr_to_scan);
	dispose_list(t, &freeable);
	return freed;
}

int64_t evict_inodes(struct task *t, struct super_block *sb)
{
	FRAME(t);
	int64_t n = 0;

	while (!list_empty(&sb->s_inodes)) {
		struct inode *inode = container_of(sb->s_inodes.next, struct inode, i_sb_list);

		spin_lock(t, &inode->i_lock);
		touch_inode(t, inode);
		inode->i_state |= I_FREEING;
		if (inode->i_state & I_LRU)
			inode_lru_list_del(t, inode);
		spin_unlock(t, &inode->i_lock);
		evict(t, inode);
		n++;
	}
	return n;
}
