// SPDX-License-Identifier: GPL-2.0-only
/* memory.stat: what readers see of what CPUs have counted, in each form. */
#include "sim/mm/memcg_stat.h"

#include "sim/mm/mm.h"
#include "tests/support/sim_fixture.h"

Suite *suite_memcg_stat(void);

static struct cgroup *outer, *inner;

static struct cgroup *make(struct task *t, struct cgroup *parent, const char *name)
{
	int err;
	struct cgroup *cgrp = cgroup_mkdir(t, parent, name, &err);

	expect(cgrp);
	return cgrp;
}

static void make_all(struct task *t, void *arg)
{
	(void)arg;
	memcg_stat_enable(t);
	outer = make(t, mm_of(t->w)->root, "outer");
	inner = make(t, outer, "inner");
	cgroup_exit(t);
}

static void start(const char *lifecycle, variant_set variants)
{
	sim_start(.lifecycle = lifecycle, .variants = variants);
	sim_task(0, "make", make_all, NULL);
	sim_run();
}

static void run(const char *lifecycle, void (*fn)(struct task *t, void *arg))
{
	start(lifecycle, 0);
	sim_task(0, "task", fn, NULL);
	sim_run();
	expect(sim.w->nr_tasks_alive == 0);
	/* Others miss the pages that are counted here without being charged. */
	(void)sim_end();
	ck_assert_msg(!sim_caught("stat"), "%s", sim_violation());
}

static int64_t shown(struct task *t, const struct cgroup *cgrp)
{
	return memcg_page_state(t, cgrp->memcg, MEMCG_STAT_USER);
}

static void count(struct task *t, const struct cgroup *cgrp, int64_t n)
{
	trace(t, USER_CHARGE, .obj = cgrp->memcg->css.of, .arg = {n, 0});
	mod_memcg_state(t, cgrp->memcg, MEMCG_STAT_USER, n);
}

static void see_all(struct task *t, void *arg)
{
	(void)arg;
	count(t, inner, 5);
	expect(shown(t, inner) == 5 && shown(t, outer) == 5);
	count(t, outer, 40);
	expect(shown(t, inner) == 5 && shown(t, outer) == 45);
	count(t, inner, -7);
	/* What goes below zero is shown as nothing. */
	expect(shown(t, inner) == 0 && shown(t, outer) == 38);
}

START_TEST(cells_of_the_subtree_are_summed_up)
{
	run(_i == 0 ? "v4.10" : _i == 1 ? "v6.1" : "v3.19", see_all);
}
END_TEST

static void see_totals(struct task *t, void *arg)
{
	(void)arg;
	count(t, inner, 32);
	expect(shown(t, inner) == 0 && shown(t, outer) == 0);
	count(t, inner, 1);
	expect(shown(t, inner) == 33 && shown(t, outer) == 33);
	count(t, inner, -32);
	expect(shown(t, inner) == 33);
	count(t, inner, -1);
	expect(shown(t, inner) == 0 && shown(t, outer) == 0);
}

START_TEST(cells_that_are_too_far_off_go_to_totals)
{
	run(_i ? "v5.3" : "v4.18", see_totals);
	/* Only one of the two tells the ancestors. */
	ck_assert_uint_eq(rec_count(TR_STAT_COUNT, outer->memcg->css.of), _i ? 2 : 0);
}
END_TEST

static void remove_with_cells(struct task *t, void *arg)
{
	(void)arg;
	count(t, inner, 20);
	count(t, outer, -20);
	expect(cgroup_rmdir(t, inner) == 0);
	task_sleep(t, 100 * MS);
	expect(rec_first(TR_OBJ_FREE, inner->memcg->css.of));
	expect(outer->memcg->stat->total[MEMCG_STAT_USER] +
		       outer->memcg->stat->cpu[0].cell[MEMCG_STAT_USER] +
		       outer->memcg->stat->pending[MEMCG_STAT_USER] ==
	       0);
	expect(shown(t, outer) == (mm_of(t->w)->config.stats == STATS_RSTAT ? 0 : 20));
}

/* A child counted, its parent uncounted: when the child is gone, the parent is even. */
START_TEST(what_a_memcg_has_counted_outlives_it)
{
	run(_i ? "v6.12" : "v5.3", remove_with_cells);
}
END_TEST

static void wait_for_the_flush(struct task *t, void *arg)
{
	const int64_t *total = &outer->memcg->stat->total[MEMCG_STAT_USER];

	(void)arg;
	count(t, inner, 20);
	task_sleep(t, 1900 * MS);
	expect(*total == 0);
	count(t, inner, 5);
	task_sleep(t, 200 * MS);
	expect(*total == 25);
	/* And again: only what was counted since brings the next one. */
	task_sleep(t, 10000 * MS);
	count(t, inner, -5);
	task_sleep(t, 2100 * MS);
	expect(*total == 20);
	count(t, inner, -20);
}

/* Nobody reads: two seconds after a change it is in all totals, and then there is peace. */
START_TEST(a_work_item_flushes_what_nobody_reads)
{
	run("v6.1", wait_for_the_flush);
	ck_assert_int_eq(outer->memcg->stat->total[MEMCG_STAT_USER], 0);
}
END_TEST

static void lose(struct task *t, void *arg)
{
	(void)arg;
	count(t, inner, 20);
	expect(cgroup_rmdir(t, inner) == 0);
}

START_TEST(what_is_lost_is_caught)
{
	start("v5.3", variant_bit(variant_index("percpu-stats-lost")));
	sim_task(0, "task", lose, NULL);
	sim_run();
	ck_assert(sim_end() > 0 && sim_caught("stat"));
}
END_TEST

static void count_bytes(struct task *t, void *arg)
{
	struct mem_cgroup *memcg = inner->memcg;

	(void)arg;
	mod_memcg_state(t, memcg, MEMCG_STAT_SLAB, 32 * 4096);
	expect(memcg_page_state(t, memcg, MEMCG_STAT_SLAB) == 0);
	mod_memcg_state(t, memcg, MEMCG_STAT_SLAB, 1);
	expect(memcg_page_state(t, memcg, MEMCG_STAT_SLAB) == 32 * 4096 + 1);
	mod_memcg_state(t, memcg, MEMCG_STAT_SLAB, -32 * 4096 - 1);
	expect(memcg_page_state(t, memcg, MEMCG_STAT_SLAB) == 0);
}

START_TEST(bytes_may_be_further_off_than_pages)
{
	run("v5.9", count_bytes);
}
END_TEST

static void count_nothing(struct task *t, void *arg)
{
	(void)arg;
	outer = make(t, mm_of(t->w)->root, "outer");
	mod_memcg_state(t, outer->memcg, MEMCG_STAT_USER, 100);
	expect(shown(t, outer) == 0 && !outer->memcg->stat);
}

START_TEST(nothing_is_counted_unless_asked_for)
{
	sim_start(.lifecycle = "v6.1");
	sim_task(0, "task", count_nothing, NULL);
	sim_run();
	ck_assert_uint_eq(sim.w->nr_tasks_alive, 0);
	ck_assert_uint_eq(rec_count(TR_STAT_ADD, 0), 0);
}
END_TEST

static void count_and_take_back(struct task *t, void *arg)
{
	const struct cgroup *cgrp = arg ? inner : outer;

	for (int i = 0; i < 5; i++) {
		mod_memcg_state(t, cgrp->memcg, MEMCG_STAT_SLAB, 20);
		work_for(t, 50);
	}
	mod_memcg_state(t, cgrp->memcg, MEMCG_STAT_SLAB, -100);
}

static void read_often(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 4; i++) {
		int64_t n = memcg_page_state(t, outer->memcg, MEMCG_STAT_SLAB);

		expect(n >= 0 && n <= 200);
	}
}

START_TEST(racing_counts_and_reads_lose_nothing)
{
	static const char *const lifecycles[] = {"v4.10", "v4.18", "v5.3", "v6.1"};

	for (uint64_t seed = 0; seed < 50; seed++) {
		sim_start(.lifecycle = lifecycles[_i], .seed = seed, .variants = 0);
		sim_task(0, "make", make_all, NULL);
		sim_run();
		sim_untimed();
		sim_task(0, "a", count_and_take_back, NULL);
		sim_task(1, "b", count_and_take_back, outer);
		sim_task(1, "c", count_and_take_back, NULL);
		sim_task(0, "reader", read_often, NULL);
		sim_run();
		if (sim_end() > 0)
			ck_abort_msg("seed %d: %s", (int)seed, sim_violation());
	}
}
END_TEST

Suite *suite_memcg_stat(void)
{
	Suite *s = suite_create("memcg_stat");
	TCase *tc = tcase_create("memcg_stat");

	tcase_add_loop_test(tc, cells_of_the_subtree_are_summed_up, 0, 3);
	tcase_add_loop_test(tc, cells_that_are_too_far_off_go_to_totals, 0, 2);
	tcase_add_loop_test(tc, what_a_memcg_has_counted_outlives_it, 0, 2);
	tcase_add_test(tc, a_work_item_flushes_what_nobody_reads);
	tcase_add_test(tc, what_is_lost_is_caught);
	tcase_add_test(tc, bytes_may_be_further_off_than_pages);
	tcase_add_test(tc, nothing_is_counted_unless_asked_for);
	tcase_add_loop_test(tc, racing_counts_and_reads_lose_nothing, 0, 4);
	suite_add_tcase(s, tc);
	return s;
}
