// SPDX-License-Identifier: GPL-2.0-only
/* Shrinkers: how much is scanned, who is called for whom, bits, work that is put off. */
#include <errno.h>
#include <string.h>

#include "sim/reclaim/reclaim.h"
#include "tests/support/sim_fixture.h"

Suite *suite_shrinker(void);

static const struct reclaim_choice as_it_was, small_maps = {.map_bits = 1};

/* A shrinker of which the test says what it finds. */
static struct shrinker one, other;
static int64_t objects, scanned, freed_each = 1;
static int nr_counts, nr_scans;
static bool refuses;
static const struct mem_cgroup *asked_for;

static int64_t count(struct task *t, struct shrinker *s, struct shrink_control *sc)
{
	(void)t;
	(void)s;
	nr_counts++;
	asked_for = sc->memcg;
	return objects ? objects : SHRINK_EMPTY;
}

static int64_t scan(struct task *t, struct shrinker *s, struct shrink_control *sc)
{
	(void)t;
	(void)s;
	if (refuses || !sc->may_fs)
		return SHRINK_STOP;
	nr_scans++;
	scanned += sc->nr_to_scan;
	return sc->nr_to_scan * freed_each;
}

static void register_it(struct task *t, struct shrinker *s, uint32_t flags)
{
	*s = (struct shrinker){.name = "test",
			       .count_objects = count,
			       .scan_objects = scan,
			       .seeks = DEFAULT_SEEKS,
			       .batch = 10,
			       .flags = flags};
	expect(prealloc_shrinker(t, s) == 0);
	register_shrinker_prepared(t, s);
}

static struct cgroup *mkdir_(struct task *t, const char *name)
{
	int err;
	struct cgroup *cgrp = cgroup_mkdir(t, mm_of(t->w)->root, name, &err);

	expect(cgrp);
	return cgrp;
}

static void run(const char *version, const struct reclaim_choice *choice,
		void (*fn)(struct task *t, void *arg))
{
	sim_start(.lifecycle = version, .reclaim = choice, .seed = 1);
	nr_counts = 0;
	nr_scans = 0;
	scanned = 0;
	refuses = false;
	sim_task(0, "task", fn, (void *)(uintptr_t)version);
	sim_run();
	sim_end();
	ck_assert_msg(!sim_caught("lock") && !sim_caught("use-after-free") &&
			      !sim_caught("progress") && !sim_caught("refcount"),
		      "%s: %s", version, sim_violation());
}

static int64_t shrink(struct task *t, struct cgroup *cgrp, int priority)
{
	nr_counts = 0;
	nr_scans = 0;
	scanned = 0;
	return shrink_slab(t, cgrp ? cgrp->memcg : NULL, true, priority);
}

static void amounts(struct task *t, void *arg)
{
	struct cgroup *box;

	(void)arg;
	box = mkdir_(t, "box");
	register_it(t, &one, SHRINKER_MEMCG_AWARE);
	if (one.nr >= 0)
		set_shrinker_bit(t, box->memcg, one.nr);
	/* (1000 >> 4) * 4 / 2 = 124, in batches of 10; 4 are put off. */
	objects = 1000;
	expect(shrink(t, box, 4) == 120 && scanned == 120 && nr_scans == 12);
	/* And come on top the next time: 128. */
	expect(shrink(t, box, 4) == 120 && scanned == 120);
	/* Everything, twice over, at the lowest. */
	expect(shrink(t, box, 0) == 2000);
	/* Less than a batch is scanned only if it is all that there is. */
	objects = 3;
	expect(shrink(t, box, 0) == 6 && nr_scans == 1);
	unregister_shrinker(t, &one);
}

START_TEST(the_priority_says_how_much)
{
	run("v4.0", &as_it_was, amounts);
	run("v5.3", &as_it_was, amounts);
	run("v6.1", &as_it_was, amounts);
	run("v6.12", &as_it_was, amounts);
}
END_TEST

static void whom(struct task *t, void *arg)
{
	const char *version = arg;
	bool bits = strcmp(version, "v5") > 0;
	struct cgroup *box = mkdir_(t, "box"), *root = mm_of(t->w)->root;

	objects = 100;
	register_it(t, &one, SHRINKER_MEMCG_AWARE);
	register_it(t, &other, 0);
	if (one.nr >= 0)
		set_shrinker_bit(t, box->memcg, one.nr);
	shrink(t, box, 0);
	expect(strcmp(version, "seed2") == 0 ? nr_counts == 0 : nr_counts == 1);
	shrink(t, root, 0);
	/* The root is no kmem-active memcg at first; with bits it stands for everything else. */
	if (bits)
		expect(nr_counts == 2);
	else if (strcmp(version, "v4.7") == 0)
		expect(nr_counts == 1);
	else
		expect(nr_counts == 0);
	shrink(t, NULL, 0);
	if (bits)
		expect(nr_counts == 0);
	else
		expect(nr_counts == (strcmp(version, "v4.7") == 0 ? 1 : 2));
	unregister_shrinker(t, &one);
	unregister_shrinker(t, &other);
	shrink(t, box, 0);
	shrink(t, NULL, 0);
	expect(nr_counts == 0);
}

START_TEST(each_version_calls_its_own)
{
	run("seed2", &as_it_was, whom);
	run("v4.0", &as_it_was, whom);
	run("v4.7", &as_it_was, whom);
	run("v5.3", &as_it_was, whom);
	run("v6.1", &as_it_was, whom);
	run("v6.12", &as_it_was, whom);
}
END_TEST

/* Cleared by a walk that finds nothing, and only after it has looked twice. */
static void bits(struct task *t, void *arg)
{
	struct cgroup *box = mkdir_(t, "box");

	(void)arg;
	register_it(t, &one, SHRINKER_MEMCG_AWARE);
	objects = 100;
	shrink(t, box, 0);
	expect(nr_counts == 0);
	set_shrinker_bit(t, box->memcg, one.nr);
	shrink(t, box, 0);
	expect(nr_counts == 1 && asked_for == box->memcg);
	objects = 0;
	shrink(t, box, 0);
	expect(nr_counts == 2);
	shrink(t, box, 0);
	expect(nr_counts == 0);
	/* The root has no bits. */
	set_shrinker_bit(t, mm_of(t->w)->root_memcg, one.nr);
	shrink(t, box, 0);
	expect(nr_counts == 0);
	/* A bit of a shrinker that is gone is cleared, and means nobody who comes later. */
	set_shrinker_bit(t, box->memcg, one.nr);
	unregister_shrinker(t, &one);
	shrink(t, box, 0);
	register_it(t, &other, SHRINKER_MEMCG_AWARE);
	expect(other.nr == 0);
	shrink(t, box, 0);
	expect(nr_counts == 0);
	unregister_shrinker(t, &other);
}

START_TEST(a_bit_says_whether_to_look)
{
	run("v5.3", &as_it_was, bits);
	run("v6.1", &as_it_was, bits);
	run("v6.12", &as_it_was, bits);
}
END_TEST

/* A bitmap that grows has its old bits set, or the bits themselves. */
static void growth(struct task *t, void *arg)
{
	bool units = strcmp(arg, "v6.12") == 0;
	struct cgroup *box = mkdir_(t, "box");

	register_it(t, &one, SHRINKER_MEMCG_AWARE);
	objects = 0;
	shrink(t, box, 0);
	expect(nr_counts == 0);
	register_it(t, &other, SHRINKER_MEMCG_AWARE);
	expect(other.nr == 1);
	shrink(t, box, 0);
	expect(nr_counts == (units ? 0 : 2));
	set_shrinker_bit(t, box->memcg, other.nr);
	shrink(t, box, 0);
	expect(nr_counts == 2);
	unregister_shrinker(t, &one);
	unregister_shrinker(t, &other);
}

START_TEST(bitmaps_grow)
{
	run("v5.3", &small_maps, growth);
	run("v6.1", &small_maps, growth);
	run("v6.12", &small_maps, growth);
}
END_TEST

/* Work that is put off: everybody's up to v5.12, then each memcg's own, and its heir's. */
static void put_off(struct task *t, void *arg)
{
	bool own = strcmp(arg, "v6") > 0;
	struct cgroup *box = mkdir_(t, "box"), *neighbour = mkdir_(t, "neighbour"), *below;
	int err;

	register_it(t, &one, SHRINKER_MEMCG_AWARE);
	set_shrinker_bit(t, box->memcg, one.nr);
	set_shrinker_bit(t, neighbour->memcg, one.nr);
	objects = 1000;
	expect(shrink_slab(t, box->memcg, false, 2) == 0);
	/* Half of what there is at most, since there is little to do now. */
	expect(shrink(t, neighbour, 12) == (own ? 0 : 500));
	if (own) {
		expect(shrink(t, box, 12) == 500);
		below = cgroup_mkdir(t, neighbour, "below", &err);
		set_shrinker_bit(t, below->memcg, one.nr);
		expect(shrink_slab(t, below->memcg, false, 3) == 0);
		expect(cgroup_rmdir(t, below) == 0);
		task_sleep(t, 50 * MS);
		expect(shrink(t, neighbour, 12) == 250);
	}
	unregister_shrinker(t, &one);
}

START_TEST(work_is_put_off)
{
	run("v5.3", &as_it_was, put_off);
	run("v6.1", &as_it_was, put_off);
	run("v6.12", &as_it_was, put_off);
}
END_TEST

/* A count below zero is an enormous one: no scan now, and everything afterwards. */
static void negative(struct task *t, void *arg)
{
	struct cgroup *box = mkdir_(t, "box");

	(void)arg;
	register_it(t, &one, SHRINKER_MEMCG_AWARE);
	objects = -1;
	expect(shrink(t, box, 4) == 0 && nr_scans == 0);
	expect(rec_count_str(TR_WARN, "count of objects below zero") == 1);
	objects = 1000;
	expect(shrink(t, box, 12) == 500);
	expect(shrink(t, box, 1) == 2000);
	unregister_shrinker(t, &one);
}

START_TEST(a_count_below_zero_is_never_worked_off)
{
	run("v4.0", &as_it_was, negative);
}
END_TEST

static void read_debugfs(struct task *t, void *arg)
{
	const char *version = arg;

	mkdir_(t, "box");
	register_it(t, &one, SHRINKER_MEMCG_AWARE);
	objects = 7;
	if (strcmp(version, "v5.3") == 0)
		expect(shrinker_debugfs_count(t, &one) == -ENOENT);
	else
		expect(shrinker_debugfs_count(t, &one) == 14);
	unregister_shrinker(t, &one);
	if (strcmp(version, "v5.3") != 0)
		expect(shrinker_debugfs_count(t, &one) == -ENODEV);
}

START_TEST(debugfs_counts_everybody)
{
	run("v5.3", &as_it_was, read_debugfs);
	run("v6.1", &as_it_was, read_debugfs);
	run("v6.12", &as_it_was, read_debugfs);
}
END_TEST

Suite *suite_shrinker(void)
{
	Suite *s = suite_create("shrinker");
	TCase *tc = tcase_create("versions");

	tcase_add_test(tc, the_priority_says_how_much);
	tcase_add_test(tc, each_version_calls_its_own);
	tcase_add_test(tc, a_bit_says_whether_to_look);
	tcase_add_test(tc, bitmaps_grow);
	tcase_add_test(tc, work_is_put_off);
	tcase_add_test(tc, a_count_below_zero_is_never_worked_off);
	tcase_add_test(tc, debugfs_counts_everybody);
	suite_add_tcase(s, tc);
	return s;
}
