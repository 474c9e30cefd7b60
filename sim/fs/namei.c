// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tasks do with names.
 */
#include <errno.h>

#include "sim/fs/fs.h"

struct file_on_disk *file_find(struct task *t, struct super_block *sb, const struct qstr *q)
{
	touch(t->w, sb->id, FIELD_FILES, ACCESS_READ);
	return map_find(&sb->files, q->hash, q->len);
}

static struct file_on_disk *file_add(struct task *t, struct super_block *sb, const struct qstr *q)
{
	struct file_on_disk *file;

	touch(t->w, sb->id, FIELD_FILES, ACCESS_RMW);
	file = map_add(&sb->files, q->hash, q->len);
	if (!file) {
		world_halt(t->w, STOP_MEMORY);
		return NULL;
	}
	file->ino = ++sb->next_ino;
	return file;
}

/* The dentry of @name, in use; NULL if memory ran out. */
static struct dentry *walk(struct task *t, struct super_block *sb, const char *name, bool *positive)
{
	FRAME_NAMED(t, "lookup_slow");
	struct qstr q = qstr_of(name);
	struct dentry *d = d_lookup(t, sb, &q);

	if (!d) {
		mutex_lock(t, &sb->i_mutex);
		d = d_lookup_or_alloc(t, sb, &q);
		mutex_unlock(t, &sb->i_mutex);
	}
	if (!d)
		return NULL;
	sched_read(t, d->d_lru.id, FIELD_DENTRY, "lookup.d_inode");
	*positive = d->d_inode != NULL;
	return d;
}

int fs_lookup(struct task *t, struct super_block *sb, const char *name)
{
	bool positive;
	struct dentry *d = walk(t, sb, name, &positive);

	if (!d)
		return -ENOMEM;
	dput(t, d);
	return positive;
}

struct dentry *path_lookup(struct task *t, struct super_block *sb, const char *name, int *err)
{
	bool positive;
	struct dentry *d = walk(t, sb, name, &positive);

	*err = d ? -ENOENT : -ENOMEM;
	if (d && positive)
		return d;
	if (d)
		dput(t, d);
	return NULL;
}

/* i_mutex held.  The transaction holds what the file system needs to write anything back. */
static int create_in(struct task *t, struct super_block *sb, struct dentry *d, const struct qstr *q)
{
	struct file_on_disk *file;
	struct inode *inode;

	if (d->d_inode)
		return -EEXIST;
	t->memalloc_nofs = true;
	inode = new_inode(t, sb, sb->next_ino + 1);
	t->memalloc_nofs = false;
	if (!inode)
		return -ENOMEM;
	file = file_add(t, sb, q);
	if (file)
		inode_set_file(t, inode, file);
	d_instantiate(t, d, inode);
	return 0;
}

/* @fn with the directory's lock and the dentry of @name, which need not have an inode. */
static int with_dentry(struct task *t, struct super_block *sb, const char *name,
		       int (*fn)(struct task *t, struct super_block *sb, struct dentry *d,
				 const struct qstr *q))
{
	struct qstr q = qstr_of(name);
	struct dentry *d;
	int err = -ENOMEM;

	mutex_lock(t, &sb->i_mutex);
	d = d_lookup_or_alloc(t, sb, &q);
	if (d)
		err = fn(t, sb, d, &q);
	mutex_unlock(t, &sb->i_mutex);
	if (d)
		dput(t, d);
	return err;
}

int fs_create(struct task *t, struct super_block *sb, const char *name)
{
	FRAME_NAMED(t, "vfs_create");

	return with_dentry(t, sb, name, create_in);
}

int fs_invalidate(struct task *t, struct super_block *sb, const char *name)
{
	struct qstr q = qstr_of(name);

	return d_invalidate(t, sb, &q);
}

static int unlink_in(struct task *t, struct super_block *sb, struct dentry *d, const struct qstr *q)
{
	struct inode *inode = d->d_inode;

	if (!inode)
		return -ENOENT;
	inode->unlinked = true;
	inode_set_file(t, inode, NULL);
	touch(t->w, sb->id, FIELD_FILES, ACCESS_RMW);
	map_del(&sb->files, q->hash, q->len);
	d_delete(t, d);
	return 0;
}

int fs_unlink(struct task *t, struct super_block *sb, const char *name)
{
	FRAME_NAMED(t, "vfs_unlink");

	return with_dentry(t, sb, name, unlink_in);
}
