/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_FS_FS_H
#define SIM_FS_FS_H

/*
 * A file system as far as its caches go: dentries and inodes, which are what list_lru and
 * memcg-aware shrinkers are for.
 *
 * A dentry says what a name stands for: an inode, or nothing (a negative one, which every
 * look-up of a missing name leaves behind).  Unused ones wait in the list of the memcg that
 * paid for them.  A dentry holds its inode; an inode that no dentry holds waits in a list of
 * its own.  The shrinker of the super block takes from both.
 *
 * Lock order: s_umount, i_mutex, d_lock or i_lock, list_lru_node.lock.  Who walks a list
 * comes from below and only tries.
 *
 * Upstream: fs/dcache.c, fs/inode.c, fs/super.c.  Differs: one directory; look-ups of names
 * that are not cached exclude each other, as up to v4.6; what has just been put on a list
 * counts as unreferenced, as from v4.13; inodes have no pages and are never dirty.
 */

#include "sim/base/map.h"
#include "sim/mm/mm.h"
#include "sim/reclaim/reclaim.h"

struct inode;

/* Flags of a dentry; d_lock. */
enum {
	DCACHE_REFERENCED = 1,
	DCACHE_LRU_LIST = 2,	/* on a list_lru, or on a list to be disposed of */
	DCACHE_SHRINK_LIST = 4, /* on the latter: whose it is frees it */
	DCACHE_MAY_FREE = 8,	/* dead, and only kept by that */
	DCACHE_UNHASHED = 16,
};

enum { I_FREEING = 1, I_REFERENCED = 2, I_LRU = 4 };

struct qstr {
	uint64_t hash;
	uint32_t len;
	char *name;
};

struct dentry {
	struct lru_item d_lru;
	struct spinlock d_lock;
	struct super_block *sb;
	struct inode *d_inode; /* NULL: negative; d_lock */
	struct qstr d_name;
	int32_t d_count; /* users; below 0 it is dead; d_lock */
	uint32_t d_flags;
	struct rcu_head d_rcu;
};

struct inode {
	struct lru_item i_lru;
	struct spinlock i_lock;
	struct super_block *sb;
	uint64_t ino;
	int32_t i_count; /* i_lock */
	uint32_t i_state;
	bool unlinked;		   /* nlink is 0 */
	struct file_on_disk *file; /* inode_hash_lock */
	struct list i_sb_list;	   /* super_block.s_inodes; inode_hash_lock */
	struct rcu_head i_rcu;
};

/* What is on disk under a name. */
struct file_on_disk {
	uint64_t ino;
	struct inode *inode; /* in the inode cache; inode_hash_lock */
};

struct open_file {
	oid_t id; /* of what holds it */
	struct super_block *sb;
	struct dentry *dentry; /* in use */
	struct lru_item lru;   /* with an object if it is to be kept when it is closed */
};

/* Closed files that are kept, with a shrinker of their own. */
struct file_cache {
	struct kmem_cache *slab;
	struct list_lru lru;
	struct shrinker shrink;
};

struct super_block {
	oid_t id;
	const char *name;
	struct kmem_cache *inode_cache;
	struct rw_semaphore s_umount;
	struct mutex i_mutex; /* of the directory */
	struct spinlock inode_hash_lock;
	struct list_lru s_dentry_lru, s_inode_lru;
	struct shrinker s_shrink;
	struct file_cache *files_kept; /* NULL: closed files are gone */
	struct map dentries; /* by (hash, length) of a name: struct dentry *; the hash table */
	struct map files;    /* the same: struct file_on_disk; i_mutex */
	struct list s_inodes, evict_waiters;
	uint64_t next_ino;
	int64_t nr_dentries, nr_inodes; /* for scenarios */
	bool active;			/* s_umount */
};

struct fs_options {
	uint32_t objects_per_slab; /* of both caches, 0 for what fits */
	uint32_t inode_size;	   /* bytes */
	uint32_t seeks;
	int64_t batch;
	bool keep_files; /* for the next client, as a server does */
};

/**
 * fs_mount() - a file system without files
 * @name: in the arena
 *
 * Return: NULL with *@err set.
 */
struct super_block *fs_mount(struct task *t, const char *name, const struct fs_options *opt,
			     int *err);

/** fs_umount() - throw out what is cached; nobody may be in the file system */
void fs_umount(struct task *t, struct super_block *sb);

/** fs_lookup() - 1 if the name is a file's, 0 if it is nobody's, -ENOMEM */
int fs_lookup(struct task *t, struct super_block *sb, const char *name);
/** fs_create() - 0, -EEXIST or -ENOMEM; its inode is allocated in a transaction: GFP_NOFS */
int fs_create(struct task *t, struct super_block *sb, const char *name);
/** fs_unlink() - 0, -ENOENT or -ENOMEM */
int fs_unlink(struct task *t, struct super_block *sb, const char *name);

/** fs_open() - uses the file's dentry until fs_close(); NULL with *@err -ENOENT or -ENOMEM */
struct open_file *fs_open(struct task *t, struct super_block *sb, const char *name, int *err);
/** fs_close() - give the file up, or leave it to the file cache */
void fs_close(struct task *t, struct open_file *file);
/** fs_invalidate() - the name is stale: its dentry goes unless somebody uses it.  0 or -ENOENT */
int fs_invalidate(struct task *t, struct super_block *sb, const char *name);

/* ---- between the files of sim/fs ------------------------------------------------------ */

enum fs_field {
	FIELD_DENTRY = 0x200, /* a dentry's count, flags and inode */
	FIELD_INODE,	      /* an inode's count and state */
	FIELD_FILES,	      /* super_block.files */
	FIELD_INODES,	      /* super_block.s_inodes and what finds an inode by number */
};

struct kmem_cache *dentry_cache(struct task *t, const struct fs_options *opt, int *err);
struct kmem_cache *file_slab(struct task *t, uint32_t objects_per_slab, int *err);
struct list_lru *lru_for_alloc(struct task *t, struct list_lru *lru);
struct qstr qstr_of(const char *name);
struct file_on_disk *file_find(struct task *t, struct super_block *sb, const struct qstr *q);

/* dcache.c: i_mutex held for d_lookup_or_alloc() */
struct dentry *d_lookup(struct task *t, struct super_block *sb, const struct qstr *q);
struct dentry *d_lookup_or_alloc(struct task *t, struct super_block *sb, const struct qstr *q);
void d_instantiate(struct task *t, struct dentry *d, struct inode *inode);
void d_delete(struct task *t, struct dentry *d);
int d_invalidate(struct task *t, struct super_block *sb, const struct qstr *q);
void dput(struct task *t, struct dentry *d);
int64_t prune_dcache_sb(struct task *t, struct super_block *sb, struct shrink_control *sc);
int64_t shrink_dcache_for_umount(struct task *t, struct super_block *sb);

/* namei.c: in use; NULL with *@err */
struct dentry *path_lookup(struct task *t, struct super_block *sb, const char *name, int *err);

/* file.c */
int file_cache_init(struct task *t, struct super_block *sb, uint32_t objects_per_slab);
void file_cache_destroy(struct task *t, struct super_block *sb);

/* inode.c: a reference for the caller, NULL if memory ran out */
struct inode *new_inode(struct task *t, struct super_block *sb, uint64_t ino);
struct inode *iget(struct task *t, struct super_block *sb, struct file_on_disk *file);
void inode_set_file(struct task *t, struct inode *inode, struct file_on_disk *file);
void iput(struct task *t, struct inode *inode);
int64_t prune_icache_sb(struct task *t, struct super_block *sb, struct shrink_control *sc);
int64_t evict_inodes(struct task *t, struct super_block *sb);

#endif /* SIM_FS_FS_H */
