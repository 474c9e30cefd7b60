// SPDX-License-Identifier: GPL-2.0-only
/* Pages in swap remember by number whom they are charged to, and shadow entries do no more. */
#include "sim/mm/swap.h"

#include <errno.h>

#include "sim/mm/mm.h"
#include "tests/support/sim_fixture.h"

Suite *suite_swap(void);

static struct cgroup *outer, *inner;
static struct swap_run *run;

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
	cgroup_exit(t);
}

static void one(const char *lifecycle, variant_set variants, void (*fn)(struct task *t, void *arg))
{
	struct task *t;

	sim_start(.lifecycle = lifecycle, .variants = variants);
	sim_task(0, "make", make_all, NULL);
	sim_run();
	t = sim_task_asleep(0, "task", fn, NULL);
	sim_join(t, outer);
	task_wake(t, 0);
	sim_run();
	expect(sim.w->nr_tasks_alive == 0);
}

static int64_t swap_usage(const struct cgroup *cgrp)
{
	return cgrp->memcg->swap.usage;
}

static void out_and_in(struct task *t, void *arg)
{
	(void)arg;
	expect(mem_cgroup_charge_user(t, inner->memcg, 40) == 0);
	run = swap_out(t, inner->memcg, 40);
	expect(run && inner->memcg->memory.usage == 0);
	expect(swap_usage(inner) == 40 && swap_usage(outer) == 40);
	expect(inner->memcg->id_ref == 41);
	expect(swap_in(t, run) == 0 && swap_in(t, run) == -ENOENT);
	expect(inner->memcg->memory.usage == 40 && swap_usage(outer) == 0);
	expect(inner->memcg->id_ref == 1);
	expect(swap_free(t, run) == 0 && swap_free(t, run) == -ENOENT);
	expect(inner->memcg->memory.usage == 0);
}

START_TEST(pages_go_to_swap_and_come_back)
{
	one("v5.3", 0, out_and_in);
	ck_assert_uint_eq(rec_count(TR_SWAP_CHARGE, run->id), 1);
	ck_assert_int_eq(rec_first(TR_SWAP_UNCHARGE, run->id)->arg[0],
			 (int64_t)inner->memcg->css.of);
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

static void hit_limits(struct task *t, void *arg)
{
	(void)arg;
	expect(mem_cgroup_set_max(t, &outer->memcg->swap, 10) == 0);
	expect(mem_cgroup_charge_user(t, inner->memcg, 11) == 0);
	expect(!swap_out(t, inner->memcg, 11));
	expect(inner->memcg->id_ref == 1 && swap_usage(inner) == 0);
	run = swap_out(t, inner->memcg, 10);
	expect(run && swap_usage(outer) == 10);
	/* No room for them any more: they stay where they are. */
	mem_cgroup_uncharge_user(t, inner->memcg, 1);
	drain_all_stock(t, inner->memcg);
	expect(mem_cgroup_set_max(t, &inner->memcg->memory, 5) == 0);
	expect(swap_in(t, run) == -ENOMEM && swap_usage(outer) == 10);
	expect(swap_free(t, run) == 0 && swap_usage(outer) == 0);
}

START_TEST(limits_stand_in_the_way)
{
	one("v5.3", 0, hit_limits);
	ck_assert_uint_eq(rec_count(TR_CHARGE_FAIL, inner->memcg->css.of), 2);
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

/* Removed before and after its pages went out; the fault is in the parent's task. */
static void remove_around(struct task *t, void *arg)
{
	struct swap_run *early;
	int id = inner->memcg->private_id;

	(void)arg;
	expect(mem_cgroup_charge_user(t, inner->memcg, 4) == 0);
	early = swap_out(t, inner->memcg, 1);
	expect(cgroup_rmdir(t, inner) == 0);
	task_sleep(t, 100 * MS);
	expect(!inner->memcg->css.online && inner->memcg->private_id == id);
	expect(swap_free(t, early) == 0 && inner->memcg->private_id == 0);
	run = swap_out(t, inner->memcg, 3);
	expect(run && run->memcg_id == outer->memcg->private_id);
	expect(swap_usage(inner) == 0 && swap_usage(outer) == 3);
	expect(swap_in(t, run) == 0);
	expect(run->memcg == outer->memcg);
	expect(swap_free(t, run) == 0);
}

START_TEST(swap_of_an_offline_memcg_is_charged_to_the_nearest_one_with_a_number)
{
	one("v5.3", 0, remove_around);
	ck_assert_ptr_nonnull(rec_first(TR_OBJ_FREE, inner->memcg->css.of));
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

static void remove_and_swap(struct task *t, void *arg)
{
	(void)arg;
	expect(mem_cgroup_charge_user(t, inner->memcg, 3) == 0);
	expect(cgroup_rmdir(t, inner) == 0);
	task_sleep(t, 100 * MS);
	run = swap_out(t, inner->memcg, 3);
	expect(run && run->memcg_id == 0 && swap_usage(outer) == 3);
	expect(swap_free(t, run) == 0);
	expect(swap_usage(outer) == 3);
}

START_TEST(swap_charged_to_an_offline_memcg_stays_charged_for_ever)
{
	one("v5.3", variant_bit(variant_index("swapout-offline")), remove_and_swap);
	ck_assert(sim_end() > 0 && sim_caught("charge"));
}
END_TEST

/* Before there were private ids: the css stays as long as anything of it is in swap. */
static void remove_pinned(struct task *t, void *arg)
{
	int id = inner->memcg->private_id;

	(void)arg;
	expect(mem_cgroup_charge_user(t, inner->memcg, 40) == 0);
	run = swap_out(t, inner->memcg, 40);
	expect(inner->memcg->id_ref == 0);
	expect(cgroup_rmdir(t, inner) == 0);
	task_sleep(t, 100 * MS);
	expect(!rec_first(TR_OBJ_FREE, inner->memcg->css.of));
	expect(make(t, outer, "next")->memcg->private_id != id);
	expect(swap_free(t, run) == 0);
	task_sleep(t, 100 * MS);
	expect(make(t, outer, "third")->memcg->private_id == id);
}

START_TEST(swap_pins_the_css_where_its_id_is_used)
{
	one("v4.0", 0, remove_pinned);
	ck_assert_ptr_nonnull(rec_first(TR_OBJ_FREE, inner->memcg->css.of));
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

static void fault_again(struct task *t, void *arg)
{
	int id;

	(void)arg;
	expect(mem_cgroup_charge_user(t, inner->memcg, 40) == 0);
	id = workingset_eviction(t, inner->memcg, 40);
	expect(id == inner->memcg->private_id && workingset_refault(t, id));
	expect(cgroup_rmdir(t, inner) == 0);
	task_sleep(t, 100 * MS);
	expect(!workingset_refault(t, id) && !workingset_refault(t, 0));
	/* The number names somebody else now, who has nothing to do with it. */
	make(t, outer, "next");
	expect(workingset_refault(t, id));
}

START_TEST(a_shadow_entry_names_whoever_has_the_number)
{
	one(_i ? "v6.12" : "v4.0", 0, fault_again);
	ck_assert_ptr_nonnull(rec_first(TR_OBJ_FREE, inner->memcg->css.of));
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

Suite *suite_swap(void)
{
	Suite *s = suite_create("swap");
	TCase *tc = tcase_create("swap");

	tcase_add_test(tc, pages_go_to_swap_and_come_back);
	tcase_add_test(tc, limits_stand_in_the_way);
	tcase_add_test(tc, swap_of_an_offline_memcg_is_charged_to_the_nearest_one_with_a_number);
	tcase_add_test(tc, swap_charged_to_an_offline_memcg_stays_charged_for_ever);
	tcase_add_test(tc, swap_pins_the_css_where_its_id_is_used);
	tcase_add_loop_test(tc, a_shadow_entry_names_whoever_has_the_number, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}
