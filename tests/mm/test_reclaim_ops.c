// SPDX-License-Identifier: GPL-2.0-only
/* The seam to reclaim: each hook is called at its step in a memcg's life, and not otherwise. */
#include <errno.h>

#include "sim/mm/mm.h"
#include "tests/support/sim_fixture.h"

Suite *suite_reclaim_ops(void);

static struct cgroup *box;
static int64_t asked, to_free;
static uint32_t grown, nr_calls;
static bool fs_allowed, fail_online, fail_grow;

static int64_t try_to_free(struct task *t, struct mem_cgroup *memcg, int64_t nr_pages, bool may_fs)
{
	int64_t n = to_free;

	mark(t, "try_to_free");
	asked = nr_pages;
	fs_allowed = may_fs;
	nr_calls++;
	expect(memcg == box->memcg);
	to_free = 0;
	if (n > 0)
		mem_cgroup_uncharge_user(t, memcg, n);
	return n;
}

static int online(struct task *t, struct mem_cgroup *memcg)
{
	mark(t, "online");
	if (fail_online && memcg->parent)
		return -ENOMEM;
	return 0;
}

static void offline(struct task *t, struct mem_cgroup *memcg)
{
	expect(memcg->kmem_state == KMEM_ONLINE);
	mark(t, "offline");
}

static void released(struct task *t, struct mem_cgroup *memcg)
{
	expect(mm_of(t->w)->cgroup_mutex.owner == t);
	expect(memcg->css.released);
	mark(t, "released");
}

static void freed(struct task *t, struct mem_cgroup *memcg)
{
	expect(memcg->kmem_state != KMEM_ONLINE);
	mark(t, "freed");
}

static int grow_ids(struct task *t, uint32_t size)
{
	mark(t, "grow");
	expect(size > mm_of(t->w)->nr_cache_ids);
	grown = size;
	return fail_grow ? -ENOMEM : 0;
}

static void reparent(struct task *t, struct mem_cgroup *memcg, int old)
{
	expect(memcg->kmemcg_id == old && idr_find(&mm_of(t->w)->kmemcg_ids, old) == memcg);
	mark(t, "reparent");
	rcu_read_lock(t);
	memcg_reid(t, memcg, old, memcg->parent->kmemcg_id);
	rcu_read_unlock(t);
}

static const struct reclaim_ops ops = {
	.try_to_free = try_to_free,
	.memcg_online = online,
	.memcg_offline = offline,
	.memcg_released = released,
	.memcg_free = freed,
	.grow_ids = grow_ids,
	.reparent_lists = reparent,
};

static void start(const char *lifecycle)
{
	sim_start(.lifecycle = lifecycle);
	mm_of(sim.w)->reclaim = &ops;
}

static struct cgroup *make(struct task *t, const char *name)
{
	int err = 0;
	struct cgroup *cgrp = cgroup_mkdir(t, mm_of(t->w)->root, name, &err);

	expect(cgrp ? err == 0 : err == -ENOMEM);
	return cgrp;
}

static void live(struct task *t, void *arg)
{
	(void)arg;
	box = make(t, "box");
	expect(box);
	expect(cgroup_rmdir(t, box) == 0);
}

START_TEST(a_memcg_passes_its_hooks_in_order)
{
	start(_i ? "v6.1" : "v5.3");
	sim_task(0, "task", live, NULL);
	sim_run();
	ck_order(marked("grow"), marked("online"));
	ck_order(marked("online"), rec_first(TR_CSS_ONLINE, box->memcg->css.of));
	ck_order(rec_first(TR_CSS_OFFLINE, box->memcg->css.of), marked("offline"));
	ck_order(marked("offline"), marked("reparent"));
	ck_order(marked("reparent"), rec_first(TR_KMEMCG_ID_FREE, box->memcg->css.of));
	ck_order(rec_first(TR_CSS_RELEASED, box->memcg->css.of), marked("released"));
	ck_order(marked("released"), marked("freed"));
	ck_order(marked("freed"), rec_first(TR_OBJ_FREE, box->memcg->css.of));
	ck_assert_uint_eq(rec_count(TR_LOG, 0), 6);
	ck_assert_uint_eq(grown, 4);
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

static void make_none(struct task *t, void *arg)
{
	(void)arg;
	expect(!make(t, "box"));
}

/* Its index is given back by the free work, and its lists go to the parent all the same. */
START_TEST(a_memcg_that_cannot_come_online_is_freed)
{
	start("v5.3");
	fail_online = true;
	sim_task(0, "task", make_none, NULL);
	sim_run();
	ck_assert_ptr_null(marked("offline"));
	ck_assert_ptr_null(marked("released"));
	ck_order(marked("online"), marked("reparent"));
	ck_order(marked("reparent"), marked("freed"));
	ck_assert_ptr_null(idr_find(&mm_of(sim.w)->kmemcg_ids, 0));
	ck_assert(list_empty(&mm_of(sim.w)->root_memcg->children));
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

START_TEST(arrays_that_cannot_grow_fail_the_memcg)
{
	start("v5.3");
	fail_grow = true;
	sim_task(0, "task", make_none, NULL);
	sim_run();
	ck_assert_ptr_null(marked("online"));
	ck_assert_uint_eq(mm_of(sim.w)->nr_cache_ids, 0);
	ck_assert_ptr_null(idr_find(&mm_of(sim.w)->kmemcg_ids, 0));
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

static void run_full(struct task *t, void *arg)
{
	(void)arg;
	box = make(t, "box");
	expect(mem_cgroup_set_max(t, &box->memcg->memory, 100) == 0);
	expect(mem_cgroup_charge_user(t, box->memcg, 100) == 0);
	t->gfp = GFP_ATOMIC;
	expect(try_charge(t, box->memcg, 1) == -ENOMEM && nr_calls == 0);
	t->gfp = 0;
	/* Nothing to be had: a last attempt for each retry, then it fails. */
	expect(mem_cgroup_charge_user(t, box->memcg, 1) == -ENOMEM);
	expect(nr_calls == 7 && asked == 32 && fs_allowed);
	nr_calls = 0;
	to_free = 60;
	expect(mem_cgroup_charge_user(t, box->memcg, 60) == 0 && nr_calls == 1 && asked == 60);
	to_free = 1;
	nr_calls = 0;
	/* Progress, but not enough of it for so much. */
	expect(mem_cgroup_charge_user(t, box->memcg, 9) == -ENOMEM && nr_calls == 7);
	mem_cgroup_uncharge_user(t, box->memcg, 99);
}

START_TEST(a_charge_reclaims_from_the_memcg_whose_limit_it_hit)
{
	start("v5.3");
	sim_task(0, "task", run_full, NULL);
	sim_run();
	ck_assert_uint_eq(sim.w->nr_tasks_alive, 0);
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

static int charge_with(struct task *t, uint16_t gfp, int64_t n)
{
	int err;

	t->gfp = gfp;
	nr_calls = 0;
	err = mem_cgroup_charge_user(t, box->memcg, n);
	expect(t->gfp == gfp);
	t->gfp = 0;
	return err;
}

static void run_flags(struct task *t, void *arg)
{
	(void)arg;
	box = make(t, "box");
	expect(mem_cgroup_set_max(t, &box->memcg->memory, 100) == 0);
	expect(mem_cgroup_charge_user(t, box->memcg, 100) == 0);
	expect(charge_with(t, GFP_ATOMIC, 1) == -ENOMEM && nr_calls == 0);
	expect(charge_with(t, GFP_NORETRY, 1) == -ENOMEM && nr_calls == 2);
	expect(charge_with(t, GFP_NOFS, 1) == -ENOMEM && nr_calls == 7 && !fs_allowed);
	expect(box->memcg->memory.usage == 100);
	/* Past the limit: at once, or when everything else was tried. */
	expect(charge_with(t, GFP_MEMALLOC, 1) == 0 && nr_calls == 0);
	expect(charge_with(t, GFP_DYING | GFP_ATOMIC, 2) == 0 && nr_calls == 0);
	expect(charge_with(t, GFP_NOFAIL | GFP_ATOMIC, 3) == 0 && nr_calls == 0);
	expect(charge_with(t, GFP_NOFAIL, 4) == 0 && nr_calls == 7);
	expect(box->memcg->memory.usage == 110);
	expect(mm_of(t->w)->stocks[0].nr_pages == 0);
	mem_cgroup_uncharge_user(t, box->memcg, 110);
}

START_TEST(a_charge_tries_what_its_flags_allow)
{
	start("v5.3");
	sim_task(0, "task", run_flags, NULL);
	sim_run();
	ck_assert_uint_eq(sim.w->nr_tasks_alive, 0);
	ck_assert_uint_eq(rec_count(TR_CHARGE_FORCE, 0), 4);
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

static void charge_kmem(struct task *t, void *arg)
{
	int err = arg ? 0 : -ENOMEM;

	box = make(t, "box");
	expect(mem_cgroup_set_max(t, &box->memcg->kmem, 10) == 0);
	expect(try_charge_kmem(t, box->memcg, 11) == -ENOMEM && nr_calls == 0);
	expect(box->memcg->memory.usage == mm_of(t->w)->stocks[0].nr_pages);
	t->gfp = GFP_NOFAIL;
	expect(try_charge_kmem(t, box->memcg, 11) == err);
	t->gfp = 0;
	if (!err) {
		expect(box->memcg->kmem.usage == 11);
		page_counter_uncharge(t, &box->memcg->kmem, 11);
		cancel_charge(t, box->memcg, 11);
	}
	expect(box->memcg->kmem.usage == 0);
}

/* Upstream forgot NOFAIL there until v5.4. */
START_TEST(the_kmem_limit_is_no_reason_to_reclaim)
{
	start(_i ? "v5.8" : "v5.3");
	sim_task(0, "task", charge_kmem, _i ? mm_of(sim.w) : NULL);
	sim_run();
	ck_assert_uint_eq(sim.w->nr_tasks_alive, 0);
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

static void lower_limits(struct task *t, void *arg)
{
	struct page_counter *memory;

	(void)arg;
	box = make(t, "box");
	memory = &box->memcg->memory;
	expect(mem_cgroup_charge_user(t, box->memcg, 60) == 0);
	expect(mem_cgroup_set_max(t, memory, 50) == -EBUSY && nr_calls == 1 && asked == 1);
	to_free = 10;
	expect(mem_cgroup_set_max(t, memory, 50) == 0 && nr_calls == 2 && memory->max == 50);
	/* Spare pages go before anybody reclaims. */
	mem_cgroup_uncharge_user(t, box->memcg, 50);
	expect(mem_cgroup_charge_user(t, box->memcg, 1) == 0 && memory->usage == 32);
	expect(mem_cgroup_set_max(t, memory, 1) == 0 && nr_calls == 2 && memory->usage == 1);
	mem_cgroup_uncharge_user(t, box->memcg, 1);
}

START_TEST(lowering_a_limit_reclaims_down_to_it)
{
	start("v5.3");
	sim_task(0, "task", lower_limits, NULL);
	sim_run();
	ck_assert_uint_eq(sim.w->nr_tasks_alive, 0);
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

static void charge_batches(struct task *t, void *arg)
{
	(void)arg;
	box = make(t, "box");
	expect(mem_cgroup_charge_user(t, box->memcg, 1) == 0);
	expect(box->memcg->memory.usage == 64 && mm_of(t->w)->stocks[0].nr_pages == 63);
	mem_cgroup_uncharge_user(t, box->memcg, 1);
	expect(mem_cgroup_set_max(t, &box->memcg->memory, 64) == 0);
	expect(mem_cgroup_charge_user(t, box->memcg, 64) == 0);
	expect(charge_with(t, 0, 64) == -ENOMEM && nr_calls == 18);
	mem_cgroup_uncharge_user(t, box->memcg, 64);
}

START_TEST(later_kernels_charge_more_and_try_longer)
{
	start("v6.1");
	sim_task(0, "task", charge_batches, NULL);
	sim_run();
	ck_assert_uint_eq(sim.w->nr_tasks_alive, 0);
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

Suite *suite_reclaim_ops(void)
{
	Suite *s = suite_create("reclaim_ops");
	TCase *tc = tcase_create("hooks");

	tcase_add_loop_test(tc, a_memcg_passes_its_hooks_in_order, 0, 2);
	tcase_add_test(tc, a_memcg_that_cannot_come_online_is_freed);
	tcase_add_test(tc, arrays_that_cannot_grow_fail_the_memcg);
	tcase_add_test(tc, a_charge_reclaims_from_the_memcg_whose_limit_it_hit);
	tcase_add_test(tc, a_charge_tries_what_its_flags_allow);
	tcase_add_loop_test(tc, the_kmem_limit_is_no_reason_to_reclaim, 0, 2);
	tcase_add_test(tc, lowering_a_limit_reclaims_down_to_it);
	tcase_add_test(tc, later_kernels_charge_more_and_try_longer);
	suite_add_tcase(s, tc);
	return s;
}
