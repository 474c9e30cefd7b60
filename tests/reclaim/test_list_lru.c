// SPDX-License-Identifier: GPL-2.0-only
/* list_lru in its forms: order, walking, counting, growth, offline. */
#include <errno.h>

#include "sim/reclaim/reclaim.h"
#include "tests/support/sim_fixture.h"

Suite *suite_list_lru(void);

static const struct reclaim_choice as_it_was;

static const char *const versions[] = {"v4.0", "v4.18", "v5.3", "v5.10", "v6.1", "v6.12"};
#define NR_VERSIONS ((int)(sizeof(versions) / sizeof(*versions)))

static struct list_lru lru;
static struct kmem_cache *cache;
static struct cgroup *box;
static struct lru_item items[8];

/* @n objects of the task's memcg, whose child cache exists. */
static void make_items(struct task *t, int n)
{
	for (int i = 0; i < n; i++) {
		struct object *obj = kmem_cache_alloc_lru(
			t, cache, lru_config(t)->form == LRU_XARRAY ? &lru : NULL);

		expect(obj);
		lru_item_init(&items[i], obj);
	}
}

static void free_items(struct task *t, int n)
{
	for (int i = 0; i < n; i++)
		kmem_cache_free(t, items[i].obj);
}

static void set_up(struct task *t)
{
	struct object *obj;
	int err;

	expect(list_lru_init_memcg(t, &lru, "items", NULL) == 0);
	cache = kmem_cache_create(t, "item", 192, 0, SLAB_ACCOUNT, &err);
	box = cgroup_mkdir(t, mm_of(t->w)->root, "box", &err);
	expect(cache && box);
	expect(cgroup_attach_task(t, t, box) == 0);
	obj = kmem_cache_alloc(t, cache);
	flush_workqueue(t, mm_of(t->w)->memcg_kmem_cache_wq);
	kmem_cache_free(t, obj);
}

static void tear_down(struct task *t)
{
	list_lru_destroy(t, &lru);
}

static int shown[8], nr_shown;
static enum lru_status answer;

static enum lru_status show(struct task *t, struct lru_item *item, struct list_lru *l,
			    struct list_lru_one *one, void *arg)
{
	expect(l == &lru && lru.lock.owner == t);
	shown[nr_shown++] = (int)(item - items);
	if (answer == LRU_REMOVED)
		list_lru_isolate_move(t, one, item, arg);
	/* Anybody may change the list now. */
	if (answer == LRU_RETRY) {
		spin_unlock(t, &lru.lock);
		list_lru_del(t, &lru, item);
		spin_lock(t, &lru.lock);
	}
	return answer;
}

static void keep_order(struct task *t, void *arg)
{
	int64_t all = 8;

	(void)arg;
	set_up(t);
	make_items(t, 3);
	for (int i = 0; i < 3; i++) {
		expect(list_lru_add(t, &lru, &items[i]));
		expect(!list_lru_add(t, &lru, &items[i]));
	}
	expect(list_lru_count_one(t, &lru, box->memcg) == 3);
	expect(list_lru_count_one(t, &lru, NULL) == 0);
	expect(list_lru_count_node(t, &lru) == 3);
	answer = LRU_SKIP;
	expect(list_lru_walk_one(t, &lru, box->memcg, show, NULL, &all) == 0);
	expect(nr_shown == 3 && shown[0] == 0 && shown[1] == 1 && shown[2] == 2 && all == 5);
	for (int i = 0; i < 3; i++) {
		expect(list_lru_del(t, &lru, &items[i]));
		expect(!list_lru_del(t, &lru, &items[i]));
	}
	expect(list_lru_count_node(t, &lru) == 0);
	free_items(t, 3);
	tear_down(t);
}

static void run(const char *version, void (*fn)(struct task *t, void *arg))
{
	sim_start(.lifecycle = version, .reclaim = &as_it_was, .seed = 1);
	sim_task(0, "task", fn, NULL);
	sim_run();
	sim_end();
	ck_assert_msg(!sim_caught("list-lru") && !sim_caught("lock") &&
			      !sim_caught("use-after-free") && !sim_caught("progress"),
		      "%s: %s", version, sim_violation());
}

START_TEST(items_keep_their_order)
{
	run(versions[_i], keep_order);
}
END_TEST

static void walk(struct task *t, void *arg)
{
	struct list taken;
	int64_t n = 2;

	(void)arg;
	set_up(t);
	make_items(t, 4);
	for (int i = 0; i < 4; i++)
		list_lru_add(t, &lru, &items[i]);
	list_init(&taken);
	answer = LRU_REMOVED;
	expect(list_lru_walk_one(t, &lru, box->memcg, show, &taken, &n) == 2);
	expect(n == 0 && !list_empty(&taken) && list_lru_count_node(t, &lru) == 2);
	/* What was shown goes to the end: the walk meets it again. */
	answer = LRU_ROTATE;
	nr_shown = 0;
	n = 1;
	expect(list_lru_walk_one(t, &lru, box->memcg, show, NULL, &n) == 0);
	answer = LRU_SKIP;
	n = 8;
	list_lru_walk_one(t, &lru, box->memcg, show, NULL, &n);
	expect(nr_shown == 3 && shown[0] == 2 && shown[1] == 3 && shown[2] == 2);
	/* With the lock dropped the walk begins again. */
	answer = LRU_RETRY;
	nr_shown = 0;
	n = 8;
	list_lru_walk_one(t, &lru, box->memcg, show, NULL, &n);
	expect(nr_shown == 2 && list_lru_count_node(t, &lru) == 0);
	free_items(t, 4);
	tear_down(t);
}

START_TEST(a_walk_does_what_its_callback_says)
{
	run(versions[_i], walk);
}
END_TEST

/* Items go to the end of the parent's list, the index to whoever comes next. */
static void go_offline(struct task *t, void *arg)
{
	struct mm *mm = mm_of(t->w);
	int index, err;

	(void)arg;
	set_up(t);
	index = box->memcg->kmemcg_id;
	make_items(t, 3);
	list_lru_add(t, &lru, &items[0]);
	list_lru_add(t, &lru, &items[1]);
	expect(cgroup_attach_task(t, t, mm->root) == 0);
	expect(cgroup_rmdir(t, box) == 0);
	task_sleep(t, 50 * MS);
	expect(list_lru_count_one(t, &lru, NULL) == 2);
	/* It was allocated before, and belongs to the parent by now. */
	expect(list_lru_add(t, &lru, &items[2]));
	expect(list_lru_count_one(t, &lru, NULL) == 3);
	box = cgroup_mkdir(t, mm->root, "next", &err);
	expect(box && box->memcg->kmemcg_id == index);
	expect(list_lru_count_one(t, &lru, box->memcg) == 0);
	for (int i = 0; i < 3; i++)
		expect(list_lru_del(t, &lru, &items[i]));
	free_items(t, 3);
	tear_down(t);
}

START_TEST(offline_moves_items_to_the_parent)
{
	run(versions[_i], go_offline);
}
END_TEST

static uint32_t slots(void)
{
	return (uint32_t)list_lru_figures(&lru).nr_slots;
}

static void grow(struct task *t, void *arg)
{
	static const uint32_t sizes[] = {4, 4, 4, 4, 10, 10};
	struct mm *mm = mm_of(t->w);
	struct cgroup *more[6];
	int err;

	(void)arg;
	expect(list_lru_init_memcg(t, &lru, "items", NULL) == 0);
	expect(slots() == 0);
	for (int i = 0; i < 6; i++) {
		char *name = arena_strdup(t->w->arena, "a");

		name[0] = (char)('a' + i);
		more[i] = cgroup_mkdir(t, mm->root, name, &err);
		expect(more[i] && slots() == sizes[i]);
	}
	for (int i = 0; i < 6; i++)
		expect(cgroup_rmdir(t, more[i]) == 0);
	task_sleep(t, 50 * MS);
	/* Indexes come back, arrays do not shrink. */
	expect(cgroup_mkdir(t, mm->root, "again", &err)->memcg->kmemcg_id == 0);
	expect(slots() == 10);
	tear_down(t);
}

START_TEST(arrays_grow_to_twice_the_index)
{
	run("v4.0", grow);
	run("v5.3", grow);
}
END_TEST

/* A second list_lru cannot grow: the first one keeps its array, and neither is any worse. */
static void fail_to_grow(struct task *t, void *arg)
{
	struct list_lru *other = arg;
	struct mm *mm = mm_of(t->w);
	int err = 0;

	expect(list_lru_init_memcg(t, &lru, "items", NULL) == 0);
	expect(list_lru_init_memcg(t, other, "others", NULL) == 0);
	/* mem_cgroup_alloc, the first array, its four lists, the second array */
	sim_faults(6, 1);
	expect(!cgroup_mkdir(t, mm->root, "box", &err) && err == -ENOMEM);
	expect(mm->nr_cache_ids == 0);
	expect(cgroup_mkdir(t, mm->root, "box", &err));
	expect(mm->nr_cache_ids == 4);
	expect(list_lru_figures(&lru).nr_slots == 4 && list_lru_figures(other).nr_slots == 4);
	list_lru_destroy(t, other);
	tear_down(t);
}

START_TEST(growth_that_fails_is_undone)
{
	static struct list_lru other;

	sim_start(.lifecycle = "v4.18", .reclaim = &as_it_was, .seed = 1);
	sim_task(0, "task", fail_to_grow, &other);
	sim_run();
	sim_end();
	ck_assert_msg(!sim_caught("list-lru") && !sim_caught("use-after-free"), "%s",
		      sim_violation());
}
END_TEST

/* A list for whoever is about to need one and for whoever may inherit it; no more than once. */
static void alloc_rows(struct task *t, void *arg)
{
	struct mm *mm = mm_of(t->w);
	struct cgroup *top, *below;
	int err;

	(void)arg;
	expect(list_lru_init_memcg(t, &lru, "items", NULL) == 0);
	top = cgroup_mkdir(t, mm->root, "top", &err);
	below = cgroup_mkdir(t, top, "below", &err);
	expect(list_lru_figures(&lru).nr_lists == 1);
	expect(memcg_list_lru_alloc(t, below->memcg, &lru) == 0);
	expect(list_lru_figures(&lru).nr_lists == 3);
	expect(memcg_list_lru_alloc(t, below->memcg, &lru) == 0);
	expect(memcg_list_lru_alloc(t, top->memcg, &lru) == 0);
	expect(list_lru_figures(&lru).nr_lists == 3);
	cgroup_rmdir(t, below);
	task_sleep(t, 50 * MS);
	expect(list_lru_figures(&lru).nr_lists == 2);
	below = cgroup_mkdir(t, top, "below", &err);
	sim_faults(0, 1);
	expect(memcg_list_lru_alloc(t, below->memcg, &lru) == -ENOMEM);
	expect(list_lru_figures(&lru).nr_lists == 2);
	tear_down(t);
}

START_TEST(rows_are_made_when_needed)
{
	run("v6.1", alloc_rows);
	run("v6.12", alloc_rows);
}
END_TEST

Suite *suite_list_lru(void)
{
	Suite *s = suite_create("list_lru");
	TCase *tc = tcase_create("forms");

	tcase_add_loop_test(tc, items_keep_their_order, 0, NR_VERSIONS);
	tcase_add_loop_test(tc, a_walk_does_what_its_callback_says, 0, NR_VERSIONS);
	tcase_add_loop_test(tc, offline_moves_items_to_the_parent, 0, NR_VERSIONS);
	tcase_add_test(tc, arrays_grow_to_twice_the_index);
	tcase_add_test(tc, growth_that_fails_is_undone);
	tcase_add_test(tc, rows_are_made_when_needed);
	suite_add_tcase(s, tc);
	return s;
}
