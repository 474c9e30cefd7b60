// SPDX-License-Identifier: GPL-2.0-only
/* Dentries and inodes: what stays cached, what goes, and in which order. */
#include <errno.h>

#include "sim/fs/fs.h"
#include "tests/support/sim_fixture.h"

Suite *suite_fs(void);

static const struct reclaim_choice as_it_was;
static const struct fs_options plain = {.seeks = DEFAULT_SEEKS},
			       keeping = {.seeks = DEFAULT_SEEKS, .keep_files = true};
static struct super_block *sb;
static int err;

static int64_t unused(void)
{
	return sb->s_dentry_lru.nr_items;
}

static int64_t shrink_all(struct task *t)
{
	return shrink_slab(t, mm_of(t->w)->root_memcg, true, 0);
}

static void names(struct task *t, void *arg)
{
	(void)arg;
	sb = fs_mount(t, "ext4", &plain, &err);
	expect(sb);
	expect(fs_lookup(t, sb, "a") == 0 && sb->nr_dentries == 1);
	expect(fs_lookup(t, sb, "a") == 0 && sb->nr_dentries == 1 && sb->nr_inodes == 0);
	expect(fs_unlink(t, sb, "a") == -ENOENT);
	expect(fs_create(t, sb, "a") == 0 && sb->nr_inodes == 1);
	expect(fs_create(t, sb, "a") == -EEXIST);
	expect(fs_lookup(t, sb, "a") == 1);
	/* Its dentry stays, and says that there is no such file any more. */
	expect(fs_unlink(t, sb, "a") == 0 && sb->nr_inodes == 0 && sb->nr_dentries == 1);
	expect(fs_lookup(t, sb, "a") == 0);
	fs_umount(t, sb);
}

static void run(const char *version, void (*fn)(struct task *t, void *arg))
{
	sim_start(.lifecycle = version, .reclaim = &as_it_was, .seed = 1);
	sim_task(0, "task", fn, NULL);
	sim_run();
	ck_assert_msg(sim_end() == 0, "%s: %s", version, sim_violation());
}

START_TEST(names_come_and_go)
{
	run("v4.0", names);
	run("v5.3", names);
	run("v6.12", names);
}
END_TEST

/* A dentry holds its inode: that waits in a list of its own only once the dentry is gone. */
static void shrinking(struct task *t, void *arg)
{
	(void)arg;
	sb = fs_mount(t, "ext4", &plain, &err);
	fs_create(t, sb, "a");
	fs_lookup(t, sb, "b");
	expect(unused() == 2 && sb->s_inode_lru.nr_items == 0);
	expect(shrink_all(t) > 0);
	expect(sb->nr_dentries == 0 && sb->s_inode_lru.nr_items + (1 - sb->nr_inodes) == 1);
	while (shrink_all(t) > 0)
		;
	expect(sb->nr_inodes == 0);
	/* It is read in again. */
	expect(fs_lookup(t, sb, "a") == 1 && sb->nr_inodes == 1);
	fs_umount(t, sb);
	expect(sb->nr_dentries == 0 && sb->nr_inodes == 0);
}

START_TEST(dentries_go_before_inodes)
{
	run("v5.3", shrinking);
	run("v6.12", shrinking);
}
END_TEST

/* What was used since it came onto the list gets a second chance. */
static void second_chance(struct task *t, void *arg)
{
	struct shrink_control sc = {.may_fs = true, .nr_to_scan = 2};

	(void)arg;
	sb = fs_mount(t, "ext4", &plain, &err);
	fs_lookup(t, sb, "a");
	fs_lookup(t, sb, "b");
	fs_lookup(t, sb, "a");
	expect(prune_dcache_sb(t, sb, &sc) == 1);
	expect(sb->nr_dentries == 1 && rec_str(NULL, TR_D_KILL, "b") &&
	       !rec_str(NULL, TR_D_KILL, "a"));
	sc.nr_to_scan = 1;
	expect(prune_dcache_sb(t, sb, &sc) == 1 && sb->nr_dentries == 0);
	fs_umount(t, sb);
}

START_TEST(a_used_dentry_gets_a_second_chance)
{
	run("v5.3", second_chance);
}
END_TEST

static void in_use(struct task *t, void *arg)
{
	struct open_file *file;

	(void)arg;
	sb = fs_mount(t, "ext4", &plain, &err);
	expect(!fs_open(t, sb, "a", &err) && err == -ENOENT);
	fs_create(t, sb, "a");
	file = fs_open(t, sb, "a", &err);
	expect(file && fs_invalidate(t, sb, "a") == 0 && sb->nr_dentries == 1);
	shrink_all(t);
	expect(sb->nr_dentries == 1 && unused() == 0);
	/* The name is somebody else's now; the file lives on until it is closed. */
	expect(fs_unlink(t, sb, "a") == 0 && sb->nr_inodes == 1);
	expect(fs_create(t, sb, "a") == 0 && sb->nr_inodes == 2);
	fs_close(t, file);
	expect(sb->nr_inodes == 1 && fs_lookup(t, sb, "a") == 1);
	expect(fs_invalidate(t, sb, "a") == 0 && sb->nr_dentries == 0);
	expect(fs_invalidate(t, sb, "a") == -ENOENT);
	fs_umount(t, sb);
}

START_TEST(an_open_file_stays)
{
	run("v4.18", in_use);
	run("v6.1", in_use);
}
END_TEST

static void kept(struct task *t, void *arg)
{
	struct open_file *file;

	(void)arg;
	sb = fs_mount(t, "nfs", &keeping, &err);
	fs_create(t, sb, "a");
	file = fs_open(t, sb, "a", &err);
	fs_close(t, file);
	expect(sb->files_kept->lru.nr_items == 1);
	while (shrink_all(t) > 0)
		;
	expect(sb->files_kept->lru.nr_items == 0 && sb->nr_dentries == 0);
	fs_close(t, fs_open(t, sb, "a", &err));
	expect(sb->files_kept->lru.nr_items == 1);
	fs_umount(t, sb);
}

START_TEST(closed_files_can_be_kept)
{
	run("v5.3", kept);
	run("v6.12", kept);
}
END_TEST

/* Inside a transaction nothing of a file system is shrunk. */
static void nofs(struct task *t, void *arg)
{
	(void)arg;
	sb = fs_mount(t, "ext4", &plain, &err);
	fs_lookup(t, sb, "a");
	expect(shrink_slab(t, mm_of(t->w)->root_memcg, false, 0) == 0 && sb->nr_dentries == 1);
	t->memalloc_nofs = true;
	expect(shrink_all(t) == 0 && sb->nr_dentries == 1);
	t->memalloc_nofs = false;
	expect(shrink_all(t) > 0 && sb->nr_dentries == 0);
	fs_umount(t, sb);
	/* The next one of the same kind shares its inode cache. */
	sb = fs_mount(t, "ext4", &plain, &err);
	expect(sb);
	fs_umount(t, sb);
}

START_TEST(gfp_nofs_leaves_file_systems_alone)
{
	run("v5.3", nofs);
	run("v6.12", nofs);
}
END_TEST

/* Wherever memory runs out in it, nothing stays. */
static void mount_without_memory(struct task *t, void *arg)
{
	int nr = 0;

	(void)arg;
	do {
		sim_faults((uint32_t)nr, 1);
		sb = fs_mount(t, "ext4", &keeping, &err);
		expect(sb || err == -ENOMEM);
		nr++;
	} while (!sb && nr < 100);
	expect(sb && nr > 4);
	t->w->faults_left = 0;
	fs_umount(t, sb);
}

START_TEST(a_mount_that_fails_leaves_nothing)
{
	run("v4.18", mount_without_memory);
	run("v5.10", mount_without_memory);
	run("v6.12", mount_without_memory);
}
END_TEST

Suite *suite_fs(void)
{
	Suite *s = suite_create("fs");
	TCase *tc = tcase_create("caches");

	tcase_add_test(tc, names_come_and_go);
	tcase_add_test(tc, dentries_go_before_inodes);
	tcase_add_test(tc, a_used_dentry_gets_a_second_chance);
	tcase_add_test(tc, an_open_file_stays);
	tcase_add_test(tc, closed_files_can_be_kept);
	tcase_add_test(tc, gfp_nofs_leaves_file_systems_alone);
	tcase_add_test(tc, a_mount_that_fails_leaves_nothing);
	suite_add_tcase(s, tc);
	return s;
}
