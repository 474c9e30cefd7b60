// SPDX-License-Identifier: GPL-2.0-only
/* Charging: every level counts, a limit undoes everything, spare charges wait in stocks. */
#include "sim/mm/memcg.h"

#include <errno.h>

#include "sim/mm/mm.h"
#include "tests/support/sim_fixture.h"

Suite *suite_memcg(void);

#define BATCH MEMCG_CHARGE_BATCH

static struct cgroup *outer, *inner, *sibling;

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
	outer = make(t, mm_of(t->w)->root, "outer");
	inner = make(t, outer, "inner");
	sibling = make(t, outer, "sibling");
	cgroup_exit(t);
}

static void start(uint64_t seed, bool untimed)
{
	sim_start(.lifecycle = "v5.3", .seed = seed);
	sim_task(0, "make", make_all, NULL);
	sim_run();
	if (untimed)
		sim_untimed();
}

/* Run @fn on CPU 0; the checkers have no objection at the end. */
static void one(void (*fn)(struct task *t, void *arg))
{
	start(1, false);
	sim_task(0, "task", fn, NULL);
	sim_run();
	expect(sim.w->nr_tasks_alive == 0);
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}

static int64_t usage(const struct cgroup *cgrp)
{
	return cgrp->memcg->memory.usage;
}

static void expect_usage(int64_t in, int64_t out, int64_t root)
{
	expect(usage(inner) == in && usage(outer) == out);
	expect(mm_of(sim.w)->root_memcg->memory.usage == root);
}

static int charge(struct task *t, struct cgroup *cgrp, int64_t n)
{
	return mem_cgroup_charge_user(t, cgrp->memcg, n);
}

static void uncharge(struct task *t, struct cgroup *cgrp, int64_t n)
{
	mem_cgroup_uncharge_user(t, cgrp->memcg, n);
}

/* ---- counters --------------------------------------------------------------------- */

static void charge_large(struct task *t, void *arg)
{
	(void)arg;
	expect(charge(t, inner, 100) == 0);
	expect_usage(100, 100, 100);
	expect(charge(t, sibling, 50) == 0);
	expect_usage(100, 150, 150);
	uncharge(t, inner, 100);
	expect_usage(0, 50, 50);
	uncharge(t, sibling, 50);
	expect_usage(0, 0, 0);
}

START_TEST(every_ancestor_counts_a_charge)
{
	one(charge_large);
}
END_TEST

static void charge_root(struct task *t, void *arg)
{
	(void)arg;
	expect(charge(t, mm_of(t->w)->root, 100) == 0);
	uncharge(t, mm_of(t->w)->root, 100);
}

START_TEST(the_root_is_not_charged_by_itself)
{
	one(charge_root);
	ck_assert_uint_eq(rec_count(TR_COUNTER_CHARGE, 0), 0);
	ck_assert_uint_eq(rec_count(TR_USER_CHARGE, 0), 1);
}
END_TEST

static void hit_limit(struct task *t, void *arg)
{
	(void)arg;
	expect(mem_cgroup_set_max(t, &outer->memcg->memory, 10) == 0);
	expect(charge(t, inner, 11) == -ENOMEM);
	expect_usage(0, 0, 0);
	expect(charge(t, inner, 10) == 0);
	expect_usage(10, 10, 10);
	expect(charge(t, inner, 1) == -ENOMEM);
	expect_usage(10, 10, 10);
	uncharge(t, inner, 10);
}

START_TEST(a_charge_over_a_limit_is_undone_at_every_level)
{
	const struct rec *r;

	one(hit_limit);
	r = rec_first(TR_CHARGE_FAIL, inner->memcg->css.of);
	ck_assert_ptr_nonnull(r);
	ck_assert_int_eq(r->arg[0], 11);
	ck_assert_int_eq(r->arg[1], (int64_t)outer->memcg->css.of);
	ck_assert_int_eq(rec_first(TR_USER_CHARGE, 0)->arg[1], -ENOMEM);
}
END_TEST

static void set_limits(struct task *t, void *arg)
{
	struct page_counter *c = &inner->memcg->memory;

	(void)arg;
	expect(c->max == PAGE_COUNTER_MAX);
	expect(charge(t, inner, 40) == 0);
	expect(mem_cgroup_set_max(t, c, 39) == -EBUSY);
	expect(c->max == PAGE_COUNTER_MAX);
	expect(mem_cgroup_set_max(t, c, 40) == 0);
	expect(mem_cgroup_set_max(t, c, 5) == -EBUSY && c->max == 40);
	uncharge(t, inner, 40);
	expect(mem_cgroup_set_max(t, c, 0) == 0);
	expect(charge(t, inner, 1) == -ENOMEM);
}

START_TEST(a_limit_below_the_usage_is_refused)
{
	one(set_limits);
}
END_TEST

static int64_t limit_result;

static void lower_limit(struct task *t, void *arg)
{
	(void)arg;
	limit_result = mem_cgroup_set_max(t, &inner->memcg->memory, 50);
	expect(limit_result == 0 || limit_result == -EBUSY);
	expect(inner->memcg->memory.max == (limit_result ? PAGE_COUNTER_MAX : 50));
	cgroup_exit(t);
}

static void charge_meanwhile(struct task *t, void *arg)
{
	int64_t n = (int64_t)(intptr_t)arg;
	int err = charge(t, inner, n);

	/* Only what is more than the limit may meet it. */
	expect(err == 0 || (err == -ENOMEM && n > 50));
	cgroup_exit(t);
}

/* A charge between the two looks at the usage: the limit is taken back and tried again. */
START_TEST(a_limit_is_set_again_when_a_charge_comes_between)
{
	size_t retried = 0, set = 0;

	for (uint64_t seed = 0; seed < 200; seed++) {
		const struct rec *r = NULL;
		bool again = false;

		sim_start(.lifecycle = "v5.3", .seed = seed, .accesses = true);
		sim_task(0, "make", make_all, NULL);
		sim_run();
		sim_untimed();
		sim_task(0, "limit", lower_limit, NULL);
		sim_task(1, "charge", charge_meanwhile, (void *)(intptr_t)(_i ? 100 : 40));
		sim_run();
		while ((r = rec_str(r, TR_ACCESS, "page_counter_set_max.restore")) != NULL)
			again = true;
		retried += again;
		set += again && limit_result == 0;
	}
	ck_assert_uint_gt(retried, 0);
	/* There is room for 40 pages at any time. */
	ck_assert(_i == 1 || set == retried);
	ck_assert(_i == 0 || set < retried);
}
END_TEST

static void cancel(struct task *t, void *arg)
{
	(void)arg;
	expect(try_charge(t, inner->memcg, 64) == 0);
	expect_usage(64, 64, 64);
	cancel_charge(t, inner->memcg, 64);
	expect_usage(0, 0, 0);
	expect(cgroup_rmdir(t, inner) == 0);
}

START_TEST(a_cancelled_charge_leaves_no_reference)
{
	one(cancel);
	ck_assert_ptr_nonnull(rec_first(TR_OBJ_FREE, inner->memcg->css.of));
}
END_TEST

static void charge_and_uncharge(struct task *t, void *arg)
{
	struct cgroup *cgrp = arg ? sibling : inner;

	for (int i = 0; i < 6; i++) {
		if (charge(t, cgrp, 7 + i) == 0) {
			work_for(t, 100);
			uncharge(t, cgrp, 7 + i);
		}
	}
}

/* Charges that see each other's attempts may fail for nothing; the sums stay exact. */
START_TEST(racing_charges_leave_exact_sums)
{
	for (uint64_t seed = 0; seed < 100; seed++) {
		int64_t spare = 0;

		start(seed, _i);
		outer->memcg->memory.max = 15;
		sim_task(0, "a", charge_and_uncharge, NULL);
		sim_task(1, "b", charge_and_uncharge, outer);
		sim_run();
		for (int i = 0; i < 2; i++)
			spare += mm_of(sim.w)->stocks[i].nr_pages;
		expect(usage(outer) == spare && usage(inner) + usage(sibling) == spare);
		if (sim_end() > 0)
			ck_abort_msg("seed %d: %s", (int)seed, sim_violation());
	}
}
END_TEST

/* ---- stocks ----------------------------------------------------------------------- */

static struct stock *stock(unsigned int cpu)
{
	return &mm_of(sim.w)->stocks[cpu];
}

static void charge_small(struct task *t, void *arg)
{
	(void)arg;
	expect(charge(t, inner, 1) == 0);
	expect_usage(BATCH, BATCH, BATCH);
	expect(stock(0)->cached == inner->memcg && stock(0)->nr_pages == BATCH - 1);
	expect(charge(t, inner, 3) == 0);
	expect_usage(BATCH, BATCH, BATCH);
	expect(stock(0)->nr_pages == BATCH - 4);
	uncharge(t, inner, 4);
	expect_usage(BATCH - 4, BATCH - 4, BATCH - 4);
}

START_TEST(a_small_charge_leaves_spare_pages_for_the_next_one)
{
	one(charge_small);
	ck_assert_int_eq(rec_first(TR_STOCK_REFILL, 0)->arg[0], BATCH - 1);
	ck_assert_int_eq(rec_first(TR_STOCK_CONSUME, 0)->arg[0], 3);
	ck_assert_uint_eq(rec_count(TR_STOCK_CONSUME, 0), 1);
}
END_TEST

static void charge_other(struct task *t, void *arg)
{
	(void)arg;
	expect(charge(t, inner, 1) == 0);
	expect(charge(t, sibling, 2) == 0);
	expect_usage(1, 1 + BATCH, 1 + BATCH);
	expect(stock(0)->cached == sibling->memcg && stock(0)->nr_pages == BATCH - 2);
	uncharge(t, inner, 1);
	uncharge(t, sibling, 2);
}

START_TEST(a_stock_serves_one_memcg_and_drains_for_another)
{
	one(charge_other);
	ck_assert_int_eq(rec_first(TR_STOCK_DRAIN, inner->memcg->css.of)->arg[0], BATCH - 1);
}
END_TEST

static void overfill(struct task *t, void *arg)
{
	(void)arg;
	expect(charge(t, inner, 20) == 0 && stock(0)->nr_pages == 12);
	expect(charge(t, inner, 20) == 0 && stock(0)->nr_pages == 24);
	expect(charge(t, inner, 25) == 0 && stock(0)->nr_pages == 31);
	uncharge(t, inner, 65);
	expect(charge(t, inner, 32) == 0 && stock(0)->nr_pages == 31);
	uncharge(t, inner, 32);
	expect(charge(t, inner, 31) == 0 && stock(0)->nr_pages == 0);
	expect(stock(0)->cached == inner->memcg);
	expect(charge(t, inner, 10) == 0 && stock(0)->nr_pages == 22);
	expect(charge(t, inner, 20) == 0 && stock(0)->nr_pages == 2);
	uncharge(t, inner, 61);
}

START_TEST(a_stock_collects_what_charges_leave)
{
	one(overfill);
	ck_assert_ptr_null(rec_first(TR_STOCK_DRAIN, 0));
	ck_assert_int_eq(usage(inner), 2);
}
END_TEST

static void charge_any(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++) {
		int64_t n = 1 + i * 7 % 40;

		expect(charge(t, inner, n) == 0);
		expect(stock(0)->nr_pages <= BATCH);
		uncharge(t, inner, n);
	}
}

START_TEST(a_stock_never_keeps_more_than_the_batch)
{
	int64_t kept = 0;

	one(charge_any);
	for (size_t i = 0; i < sim.nr_recs; i++) {
		const struct rec *r = &sim.recs[i];

		if (r->kind == TR_STOCK_REFILL)
			kept += r->arg[0];
		else if (r->kind == TR_STOCK_CONSUME || r->kind == TR_STOCK_DRAIN)
			kept -= r->arg[0];
		else
			expect(kept <= BATCH);
	}
	ck_assert_int_eq(kept, stock(0)->nr_pages);
	ck_assert_int_eq(usage(inner), kept);
}
END_TEST

static void charge_here(struct task *t, void *arg)
{
	(void)arg;
	expect(charge(t, inner, 1) == 0);
	uncharge(t, inner, 1);
}

static void remove_inner(struct task *t, void *arg)
{
	(void)arg;
	task_sleep(t, 1 * MS);
	expect(stock(0)->cached == inner->memcg && stock(1)->cached == inner->memcg);
	expect(cgroup_rmdir(t, inner) == 0);
}

START_TEST(offline_drains_the_stocks_of_every_cpu)
{
	start(1, false);
	sim_task(0, "a", charge_here, NULL);
	sim_task(1, "b", charge_here, NULL);
	sim_task(0, "admin", remove_inner, NULL);
	sim_run();
	ck_assert_uint_eq(rec_count(TR_STOCK_DRAIN, inner->memcg->css.of), 2);
	ck_assert_ptr_null(stock(0)->cached);
	ck_assert_ptr_null(stock(1)->cached);
	ck_assert_ptr_nonnull(rec_first(TR_OBJ_FREE, inner->memcg->css.of));
	ck_assert_int_eq(usage(outer), 0);
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

static void drain_sibling(struct task *t, void *arg)
{
	(void)arg;
	expect(charge(t, inner, 1) == 0);
	drain_all_stock(t, sibling->memcg);
	expect(stock(0)->cached == inner->memcg);
	drain_all_stock(t, outer->memcg);
	expect(!stock(0)->cached && usage(inner) == 1);
	uncharge(t, inner, 1);
}

START_TEST(draining_concerns_the_subtree_only)
{
	one(drain_sibling);
}
END_TEST

static void drain_beside_another(struct task *t, void *arg)
{
	struct mutex *mutex = &mm_of(t->w)->percpu_charge_mutex;

	(void)arg;
	expect(charge(t, inner, 1) == 0);
	mutex_lock(t, mutex);
	drain_all_stock(t, inner->memcg);
	expect(stock(0)->cached == inner->memcg && stock(0)->nr_pages == BATCH - 1);
	mutex_unlock(t, mutex);
	drain_all_stock(t, inner->memcg);
	expect(!stock(0)->cached && !mutex->owner);
	uncharge(t, inner, 1);
}

/* Even one for another subtree: the stocks of this one stay. */
START_TEST(a_drain_gives_way_to_one_that_is_under_way)
{
	one(drain_beside_another);
}
END_TEST

static void drain_for_room(struct task *t, void *arg)
{
	(void)arg;
	expect(mem_cgroup_set_max(t, &outer->memcg->memory, 40) == 0);
	expect(charge(t, inner, 1) == 0);
	expect(usage(outer) == BATCH);
	t->gfp = GFP_ATOMIC;
	expect(try_charge(t, sibling->memcg, 20) == -ENOMEM);
	t->gfp = 0;
	expect(charge(t, sibling, 20) == 0);
	expect(usage(inner) == 1 && usage(outer) == 21);
	uncharge(t, inner, 1);
	uncharge(t, sibling, 20);
}

/* Only where it may sleep: an atomic charge fails at once. */
START_TEST(a_charge_that_hits_a_limit_drains_stocks_first)
{
	one(drain_for_room);
	ck_assert_uint_eq(rec_count(TR_CHARGE_FAIL, 0), 1);
}
END_TEST

/* ---- references ------------------------------------------------------------------- */

static void pin_by_page(struct task *t, void *arg)
{
	(void)arg;
	expect(charge(t, inner, 1) == 0);
	expect(cgroup_rmdir(t, inner) == 0);
	task_sleep(t, 100 * MS);
	expect(rec_first(TR_CSS_OFFLINE_END, inner->memcg->css.of));
	mark(t, "uncharges");
	uncharge(t, inner, 1);
}

START_TEST(a_charged_page_keeps_an_offline_memcg)
{
	one(pin_by_page);
	ck_order(marked("uncharges"), rec_first(TR_REF_ZERO, inner->memcg->css.of));
	ck_assert_ptr_nonnull(rec_first(TR_OBJ_FREE, inner->memcg->css.of));
	ck_assert_int_eq(usage(outer), 0);
}
END_TEST

static void lose_page(struct task *t, void *arg)
{
	(void)arg;
	expect(try_charge(t, inner->memcg, 1) == 0);
	expect(cgroup_rmdir(t, inner) == 0);
}

START_TEST(a_charge_that_nobody_owns_is_caught)
{
	start(1, false);
	sim_task(0, "task", lose_page, NULL);
	sim_run();
	ck_assert_ptr_null(rec_first(TR_OBJ_FREE, inner->memcg->css.of));
	ck_assert(sim_end() > 0);
	ck_assert(sim_caught("leak") || sim_caught("charge"));
}
END_TEST

static TCase *case_counters(void)
{
	TCase *tc = tcase_create("counters");

	tcase_add_test(tc, every_ancestor_counts_a_charge);
	tcase_add_test(tc, the_root_is_not_charged_by_itself);
	tcase_add_test(tc, a_charge_over_a_limit_is_undone_at_every_level);
	tcase_add_test(tc, a_limit_below_the_usage_is_refused);
	tcase_add_loop_test(tc, a_limit_is_set_again_when_a_charge_comes_between, 0, 2);
	tcase_add_test(tc, a_cancelled_charge_leaves_no_reference);
	tcase_add_loop_test(tc, racing_charges_leave_exact_sums, 0, 2);
	tcase_add_test(tc, a_charged_page_keeps_an_offline_memcg);
	tcase_add_test(tc, a_charge_that_nobody_owns_is_caught);
	return tc;
}

static TCase *case_stocks(void)
{
	TCase *tc = tcase_create("stocks");

	tcase_add_test(tc, a_small_charge_leaves_spare_pages_for_the_next_one);
	tcase_add_test(tc, a_stock_serves_one_memcg_and_drains_for_another);
	tcase_add_test(tc, a_stock_collects_what_charges_leave);
	tcase_add_test(tc, a_stock_never_keeps_more_than_the_batch);
	tcase_add_test(tc, offline_drains_the_stocks_of_every_cpu);
	tcase_add_test(tc, draining_concerns_the_subtree_only);
	tcase_add_test(tc, a_drain_gives_way_to_one_that_is_under_way);
	tcase_add_test(tc, a_charge_that_hits_a_limit_drains_stocks_first);
	return tc;
}

Suite *suite_memcg(void)
{
	Suite *s = suite_create("memcg");

	suite_add_tcase(s, case_counters());
	suite_add_tcase(s, case_stocks());
	return s;
}
