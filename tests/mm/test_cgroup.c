// SPDX-License-Identifier: GPL-2.0-only
/* Control groups: what rmdir refuses, and the long way from it to the end of the memcg. */
#include "sim/mm/cgroup.h"

#include <errno.h>

#include "sim/mm/perf_cgroup.h"
#include "tests/support/sim_fixture.h"

Suite *suite_cgroup(void);

#define SEEDS 100

static struct cgroup *outer, *inner;
static oid_t outer_memcg, inner_memcg;

static struct cgroup *make(struct task *t, struct cgroup *parent, const char *name)
{
	int err = 1;
	struct cgroup *cgrp = cgroup_mkdir(t, parent, name, &err);

	expect(cgrp && err == 0);
	return cgrp;
}

static void make_both(struct task *t, void *arg)
{
	(void)arg;
	outer = make(t, mm_of(t->w)->root, "outer");
	inner = make(t, outer, "inner");
	outer_memcg = outer->memcg->css.of;
	inner_memcg = inner->memcg->css.of;
	cgroup_exit(t);
}

static void start(const struct sim_config *config)
{
	struct sim_config timed = *config;

	timed.untimed = false;
	timed.lifecycle = "v5.3";
	sim_start_with(&timed);
	sim_task(0, "make", make_both, NULL);
	sim_run();
	if (config->untimed)
		sim_untimed();
}

/* The last digit of @how is the clock, the others the preemption model. */
static void start_how(uint64_t seed, int how)
{
	start(&(struct sim_config){.seed = seed, .untimed = how % 2, .preempt = how / 2});
}

static void one(void (*fn)(struct task *t, void *arg), void *arg)
{
	sim_task(0, "task", fn, arg);
	sim_run();
	expect(sim.w->nr_tasks_alive == 0);
}

static void check_balance(void)
{
	if (sim_end() > 0)
		ck_abort_msg("seed %d: %s", (int)sim.config.seed, sim_violation());
}

/* ---- rmdir ------------------------------------------------------------------------ */

static void refuse_children(struct task *t, void *arg)
{
	(void)arg;
	expect(cgroup_rmdir(t, outer) == -EBUSY);
	expect(!outer->removed);
	expect(cgroup_rmdir(t, inner) == 0);
	expect(cgroup_rmdir(t, outer) == 0);
}

START_TEST(rmdir_refuses_a_cgroup_with_children)
{
	start_how(1, 0);
	one(refuse_children, NULL);
	ck_assert_int_eq(rec_first(TR_CGROUP_RMDIR, outer->id)->arg[0], -EBUSY);
	ck_assert_int_eq(rec_last(TR_CGROUP_RMDIR, outer->id)->arg[0], 0);
}
END_TEST

static void refuse_tasks(struct task *t, void *arg)
{
	(void)arg;
	expect(cgroup_attach_task(t, t, inner) == 0);
	expect(cgroup_rmdir(t, inner) == -EBUSY);
	expect(cgroup_attach_task(t, t, mm_of(t->w)->root) == 0);
	expect(cgroup_rmdir(t, inner) == 0);
}

START_TEST(rmdir_refuses_a_cgroup_with_tasks)
{
	start_how(1, 0);
	one(refuse_tasks, NULL);
}
END_TEST

static void last_task(struct task *t, void *arg)
{
	(void)arg;
	task_sleep(t, 1 * MS);
	cgroup_exit(t);
}

static void retry_rmdir(struct task *t, void *arg)
{
	int busy = 0;

	(void)arg;
	while (cgroup_rmdir(t, inner) == -EBUSY) {
		busy++;
		task_sleep(t, 100 * US);
	}
	expect(busy > 0 && inner->removed);
}

START_TEST(a_task_that_ends_leaves_its_cgroup)
{
	start_how(1, 0);
	sim_join(sim_task(1, "member", last_task, NULL), inner);
	one(retry_rmdir, NULL);
}
END_TEST

static void use_removed(struct task *t, void *arg)
{
	int err = 0;

	(void)arg;
	expect(cgroup_rmdir(t, inner) == 0);
	expect(cgroup_rmdir(t, inner) == -ENODEV);
	expect(!cgroup_mkdir(t, inner, "late", &err) && err == -ENODEV);
	expect(cgroup_attach_task(t, t, inner) == -ENODEV);
	expect(t->cgroup == mm_of(t->w)->root);
}

START_TEST(a_removed_cgroup_takes_nothing_any_more)
{
	start_how(1, 0);
	one(use_removed, NULL);
	ck_assert_ptr_null(rec_str(NULL, TR_CGROUP_MKDIR, "late"));
}
END_TEST

static void same_name(struct task *t, void *arg)
{
	(void)arg;
	expect(cgroup_rmdir(t, inner) == 0);
	make(t, outer, "inner");
}

START_TEST(the_name_is_free_long_before_the_memcg)
{
	start_how(1, 0);
	one(same_name, NULL);
	ck_order(rec_last(TR_CGROUP_MKDIR, 0), rec_first(TR_CSS_OFFLINE, inner_memcg));
	ck_order(rec_last(TR_CGROUP_MKDIR, 0), rec_first(TR_OBJ_FREE, inner_memcg));
}
END_TEST

/* ---- the end of a css ------------------------------------------------------------- */

static void remove_inner(struct task *t, void *arg)
{
	(void)arg;
	expect(cgroup_rmdir(t, inner) == 0);
}

/* Ground truth 4, 6 and 7. */
START_TEST(a_memcg_ends_in_this_order)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		const struct rec *kill, *killed, *released, *freed;

		start_how(seed, _i);
		one(remove_inner, NULL);
		kill = rec_first(TR_REF_KILL, inner_memcg);
		killed = rec_first(TR_CSS_KILLED, inner_memcg);
		released = rec_first(TR_CSS_RELEASED, inner_memcg);
		freed = rec_first(TR_OBJ_FREE, inner_memcg);
		ck_order(kill, rec_first(TR_CGROUP_RMDIR, inner->id));
		ck_order(kill, rec_first(TR_REF_ATOMIC, inner_memcg));
		ck_order(rec_first(TR_REF_ATOMIC, inner_memcg), killed);
		ck_order(killed, rec_first(TR_CSS_OFFLINE, inner_memcg));
		ck_order(rec_first(TR_CSS_OFFLINE_END, inner_memcg),
			 rec_first(TR_REF_ZERO, inner_memcg));
		ck_order(rec_first(TR_REF_ZERO, inner_memcg), released);
		ck_order(released, freed);
		ck_order(freed, rec_first(TR_REF_ZERO, inner->id));
		ck_order(rec_first(TR_REF_ZERO, inner->id), rec_first(TR_OBJ_FREE, inner->id));
		check_balance();
	}
}
END_TEST

START_TEST(a_grace_period_follows_the_kill_and_another_one_the_release)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		const struct rec *gp;

		start_how(seed, _i);
		one(remove_inner, NULL);
		gp = rec_next(rec_first(TR_REF_KILL, inner_memcg), TR_RCU_GP_START, 0);
		ck_order(rec_next(gp, TR_RCU_GP_END, 0), rec_first(TR_CSS_KILLED, inner_memcg));
		gp = rec_next(rec_first(TR_CSS_RELEASED, inner_memcg), TR_RCU_GP_START, 0);
		ck_order(rec_next(gp, TR_RCU_GP_END, 0), rec_first(TR_OBJ_FREE, inner_memcg));
	}
}
END_TEST

static void remove_both(struct task *t, void *arg)
{
	(void)arg;
	expect(cgroup_rmdir(t, inner) == 0);
	expect(cgroup_rmdir(t, outer) == 0);
}

static void remove_outer_at_once(struct task *t, void *arg)
{
	(void)arg;
	while (cgroup_rmdir(t, outer) != 0)
		task_sleep(t, 5 * US);
}

/* Ground truth 8: nothing but online_cnt orders the two works on their two CPUs. */
START_TEST(a_child_goes_offline_before_its_parent)
{
	for (uint64_t seed = 0; seed < 2 * SEEDS; seed++) {
		start_how(seed, _i);
		if (seed % 2) {
			one(remove_both, NULL);
		} else {
			sim_task(1, "outer", remove_outer_at_once, NULL);
			one(remove_inner, NULL);
		}
		ck_order(rec_first(TR_CSS_OFFLINE_END, inner_memcg),
			 rec_first(TR_CSS_OFFLINE, outer_memcg));
		ck_order(rec_first(TR_OBJ_FREE, inner_memcg), rec_first(TR_REF_ZERO, outer_memcg));
		ck_order(rec_first(TR_OBJ_FREE, inner->id), rec_last(TR_OBJ_FREE, outer->id));
		check_balance();
	}
}
END_TEST

START_TEST(offline_works_are_serialised)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		oid_t inside = 0;

		start_how(seed, _i);
		sim_task(1, "outer", remove_outer_at_once, NULL);
		one(remove_inner, NULL);
		for (size_t i = 0; i < sim.nr_recs; i++) {
			const struct rec *r = &sim.recs[i];

			if (r->kind == TR_CSS_OFFLINE) {
				expect(!inside);
				inside = r->obj;
			} else if (r->kind == TR_CSS_OFFLINE_END) {
				expect(inside == r->obj);
				inside = 0;
			}
		}
	}
}
END_TEST

/* ---- references ------------------------------------------------------------------- */

static void hold_inner(struct task *t, void *arg)
{
	struct css *css = &inner->memcg->css;

	(void)arg;
	expect(css_tryget_online(t, css, HOLD_SCRIPT, 0));
	expect(cgroup_rmdir(t, inner) == 0);
	expect(!css_tryget_online(t, css, HOLD_SCRIPT, 0));
	task_sleep(t, 100 * MS);
	expect(rec_first(TR_CSS_OFFLINE_END, inner_memcg) && !rec_first(TR_REF_ZERO, inner_memcg));
	expect(!css_tryget_online(t, css, HOLD_SCRIPT, 0));
	expect(css_tryget(t, css, HOLD_SCRIPT, 0));
	css_put_many(t, css, 1, HOLD_SCRIPT, 0);
	mark(t, "last put");
	css_put(t, css, HOLD_SCRIPT, 0);
}

START_TEST(a_reference_keeps_an_offline_css)
{
	start_how(1, 0);
	one(hold_inner, NULL);
	ck_order(marked("last put"), rec_first(TR_REF_ZERO, inner_memcg));
	ck_order(marked("last put"), rec_first(TR_OBJ_FREE, inner_memcg));
	check_balance();
}
END_TEST

static void put_later(struct task *t, void *arg)
{
	(void)arg;
	task_sleep(t, 100 * MS);
	css_put(t, &inner->memcg->css, HOLD_SCRIPT, 0);
}

static void hold_and_remove(struct task *t, void *arg)
{
	css_get(t, &inner->memcg->css, HOLD_SCRIPT, 0);
	remove_both(t, arg);
}

START_TEST(a_child_pins_its_parents)
{
	start_how(1, 0);
	sim_task(1, "putter", put_later, NULL);
	one(hold_and_remove, NULL);
	ck_order(rec_first(TR_CSS_OFFLINE_END, outer_memcg), rec_first(TR_REF_ZERO, inner_memcg));
	ck_order(rec_first(TR_OBJ_FREE, inner_memcg), rec_first(TR_OBJ_FREE, outer_memcg));
	check_balance();
}
END_TEST

static void forget_reference(struct task *t, void *arg)
{
	(void)arg;
	css_get(t, &inner->memcg->css, HOLD_TEMP, 0);
	expect(cgroup_rmdir(t, inner) == 0);
}

START_TEST(a_forgotten_reference_is_caught)
{
	start_how(1, 0);
	one(forget_reference, NULL);
	ck_assert_ptr_null(rec_first(TR_OBJ_FREE, inner_memcg));
	ck_assert(sim_end() > 0 && sim_caught("leak"));
}
END_TEST

static void use_root(struct task *t, void *arg)
{
	struct css *css = &mm_of(t->w)->root_memcg->css;

	(void)arg;
	expect(css_tryget_online(t, css, HOLD_SCRIPT, 0) && css_tryget(t, css, HOLD_SCRIPT, 0));
	css_get(t, css, HOLD_SCRIPT, 0);
	css_put_many(t, css, 100, HOLD_SCRIPT, 0);
}

START_TEST(the_root_is_not_counted)
{
	start_how(1, 0);
	one(use_root, NULL);
	ck_assert_uint_eq(rec_count(TR_REF_GET, mm_of(sim.w)->root_memcg->css.of), 0);
}
END_TEST

/* ---- creation --------------------------------------------------------------------- */

static void mkdir_without_memory(struct task *t, void *arg)
{
	int err = 0;

	(void)arg;
	expect(!cgroup_mkdir(t, inner, "fails", &err) && err == -ENOMEM);
	expect(inner->nr_online_children == 0);
	expect(cgroup_rmdir(t, inner) == 0);
}

/* The self counter, the memcg, its index, its counter. */
START_TEST(mkdir_without_memory_leaves_nothing_behind)
{
	start_how(1, 0);
	sim_faults((uint32_t)_i, 1);
	one(mkdir_without_memory, NULL);
	ck_assert_uint_eq(rec_count(TR_FAULT, 0), 1);
	ck_assert_ptr_nonnull(rec_first(TR_OBJ_FREE, inner_memcg));
	check_balance();
}
END_TEST

/* As a css that was online: by the free work, a grace period later; but it never goes offline. */
START_TEST(a_css_that_never_came_online_is_freed_by_rcu)
{
	const struct rec *freed, *id_free;
	oid_t memcg;

	start_how((uint64_t)_i, _i % 6);
	sim_faults(3, 1);
	one(mkdir_without_memory, NULL);
	ck_assert_uint_eq(rec_count(TR_FAULT, 0), 1);
	memcg = rec_last(TR_OBJ_NEW, 0)->obj;
	ck_assert_int_eq(oid_kind(memcg), OBJ_MEMCG);
	freed = rec_first(TR_OBJ_FREE, memcg);
	id_free = rec_first(TR_KMEMCG_ID_FREE, memcg);
	ck_assert(freed && freed->ctx == CTX_KWORKER && id_free->ctx == CTX_KWORKER);
	ck_order(rec_first(TR_FAULT, 0), rec_first(TR_RCU_GP_END, 0));
	ck_order(rec_str(NULL, TR_RCU_CALLBACK, "rcu_work_rcufn"), id_free);
	ck_order(id_free, freed);
	ck_assert_uint_eq(rec_count(TR_CSS_OFFLINE, memcg), 0);
	ck_assert_uint_eq(rec_count(TR_REF_EXIT, memcg), 0);
	check_balance();
}
END_TEST

static void remove_and_make(struct task *t, void *arg)
{
	struct cgroup *other;

	(void)arg;
	css_get(t, &inner->memcg->css, HOLD_SCRIPT, 0);
	expect(cgroup_rmdir(t, inner) == 0);
	task_sleep(t, 100 * MS);
	other = make(t, outer, "other");
	expect(other->memcg->kmemcg_id == rec_first(TR_KMEMCG_ID_FREE, inner_memcg)->arg[0]);
	expect(inner->memcg->kmemcg_id == outer->memcg->kmemcg_id);
	css_put(t, &inner->memcg->css, HOLD_SCRIPT, 0);
}

START_TEST(the_kmemcg_id_is_free_once_offline)
{
	start_how(1, 0);
	one(remove_and_make, NULL);
}
END_TEST

static void make_many(struct task *t, void *arg)
{
	struct cgroup *many[40];

	(void)arg;
	for (int i = 0; i < 40; i++) {
		many[i] = make(t, outer, "many");
		for (int j = 0; j < i; j++)
			expect(many[i]->memcg->kmemcg_id != many[j]->memcg->kmemcg_id);
	}
	for (int i = 0; i < 40; i++)
		expect(cgroup_rmdir(t, many[i]) == 0);
}

static void make_cache(struct task *t, void *arg)
{
	int err;

	(void)arg;
	expect(kmem_cache_create(t, "cache", 64, 0, SLAB_ACCOUNT, &err));
}

static oid_t lock_named(const char *name)
{
	const struct rec *r = rec_str(NULL, TR_LOCK_INIT, name);

	ck_assert_msg(r, "%s", name);
	return r->obj;
}

/* Held for writing around slab_mutex: no root cache appears with an array of the old size. */
START_TEST(the_array_grows_under_its_semaphore)
{
	const struct rec *write, *mutex, *grown, *created;
	oid_t sem, slab_mutex;

	start_how(1, 0);
	sem = lock_named("memcg_cache_ids_sem");
	slab_mutex = lock_named("slab_mutex");
	one(make_many, NULL);
	write = rec_first(TR_LOCK_ACQUIRE, sem);
	ck_assert(write && write->arg[0] == 0);
	mutex = rec_next(write, TR_LOCK_ACQUIRE, slab_mutex);
	grown = rec_next(mutex, TR_LOCK_RELEASE, slab_mutex);
	ck_order(mutex, grown);
	ck_order(grown, rec_first(TR_LOCK_RELEASE, sem));

	one(make_cache, NULL);
	created = rec_first(TR_CACHE_CREATE, 0);
	write = rec_last(TR_LOCK_ACQUIRE, sem);
	ck_assert(created && write && write->arg[0] == 1);
	ck_order(write, rec_last(TR_LOCK_ACQUIRE, slab_mutex));
	ck_order(rec_last(TR_LOCK_RELEASE, slab_mutex), rec_last(TR_LOCK_RELEASE, sem));
	ck_order(write, created);
}
END_TEST

START_TEST(forty_cgroups_come_and_go)
{
	start_how(1, 0);
	one(make_many, NULL);
	ck_assert_uint_eq(rec_count_str(TR_OBJ_FREE, "mem_cgroup_css_free"), 40);
	check_balance();
}
END_TEST

/* ---- two controllers ------------------------------------------------------------------ */

static void make_with_perf(struct task *t, void *arg)
{
	perf_event_enable(t);
	make_both(t, arg);
}

static void start_with_perf(uint64_t seed)
{
	sim_start(.seed = seed, .lifecycle = "v5.3");
	sim_task(0, "make", make_with_perf, NULL);
	sim_run();
}

static const struct rec *last_new(enum object_kind kind)
{
	for (size_t i = sim.nr_recs; i-- > 0;) {
		if (sim.recs[i].kind == TR_OBJ_NEW && oid_kind(sim.recs[i].obj) == kind)
			return &sim.recs[i];
	}
	return NULL;
}

/* After the four of the memory controller: its structure, its per-CPU part, its counter. */
START_TEST(a_controller_without_memory_takes_the_other_one_down)
{
	oid_t memcg, cgroup;

	start_with_perf(1);
	sim_faults((uint32_t)_i, 1);
	one(mkdir_without_memory, NULL);
	ck_assert_uint_eq(rec_count(TR_FAULT, 0), 1);
	memcg = last_new(OBJ_MEMCG)->obj;
	cgroup = last_new(OBJ_CGROUP)->obj;
	ck_assert(memcg != inner_memcg && cgroup != inner->id);
	ck_order(rec_first(TR_CSS_ONLINE, memcg), rec_first(TR_FAULT, 0));
	ck_order(rec_first(TR_FAULT, 0), rec_first(TR_CSS_OFFLINE, memcg));
	ck_order(rec_first(TR_CSS_OFFLINE, memcg), rec_first(TR_OBJ_FREE, memcg));
	ck_order(rec_first(TR_OBJ_FREE, memcg), rec_first(TR_OBJ_FREE, cgroup));
	ck_assert_ptr_nonnull(rec_first(TR_OBJ_FREE, last_new(OBJ_CSS)->obj));
	check_balance();
}
END_TEST

static void remove_and_wake(struct task *t, void *arg)
{
	expect(cgroup_rmdir(t, inner) == 0);
	task_wake(arg, 0);
}

static void change_type(struct task *t, void *arg)
{
	(void)arg;
	expect(inner->perf->css.dying);
	expect(cgroup_enable_threaded(t, inner) == -ENODEV);
	expect(!inner->own && !inner->perf);
	css_put(t, &inner->self, HOLD_SCRIPT, 0);
}

static void keep_inner(struct task *t, void *arg)
{
	(void)arg;
	css_get(t, &inner->self, HOLD_SCRIPT, 0);
}

/* Whoever waits for a cgroup's csses to go offline waits for both. */
START_TEST(both_csses_are_waited_for)
{
	oid_t other;

	start_with_perf((uint64_t)_i);
	other = inner->perf->css.of;
	one(keep_inner, NULL);
	sim_untimed();
	sim_task(0, "remove", remove_and_wake, sim_task_asleep(1, "change", change_type, NULL));
	sim_run();
	expect(sim.w->nr_tasks_alive == 0);
	ck_order(rec_first(TR_CSS_KILLED, other), rec_first(TR_OBJ_FREE, other));
	check_balance();
}
END_TEST

static TCase *case_rmdir(void)
{
	TCase *tc = tcase_create("rmdir");

	tcase_add_test(tc, rmdir_refuses_a_cgroup_with_children);
	tcase_add_test(tc, rmdir_refuses_a_cgroup_with_tasks);
	tcase_add_test(tc, a_task_that_ends_leaves_its_cgroup);
	tcase_add_test(tc, a_removed_cgroup_takes_nothing_any_more);
	tcase_add_test(tc, the_name_is_free_long_before_the_memcg);
	return tc;
}

static TCase *case_end(void)
{
	TCase *tc = tcase_create("end");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, a_memcg_ends_in_this_order, 0, 6);
	tcase_add_loop_test(tc, a_grace_period_follows_the_kill_and_another_one_the_release, 0, 6);
	tcase_add_loop_test(tc, a_child_goes_offline_before_its_parent, 0, 6);
	tcase_add_loop_test(tc, offline_works_are_serialised, 0, 6);
	return tc;
}

static TCase *case_references(void)
{
	TCase *tc = tcase_create("references");

	tcase_add_test(tc, a_reference_keeps_an_offline_css);
	tcase_add_test(tc, a_child_pins_its_parents);
	tcase_add_test(tc, a_forgotten_reference_is_caught);
	tcase_add_test(tc, the_root_is_not_counted);
	tcase_add_loop_test(tc, mkdir_without_memory_leaves_nothing_behind, 0, 4);
	tcase_add_loop_test(tc, a_css_that_never_came_online_is_freed_by_rcu, 0, 12);
	tcase_add_test(tc, the_array_grows_under_its_semaphore);
	tcase_add_test(tc, the_kmemcg_id_is_free_once_offline);
	tcase_add_test(tc, forty_cgroups_come_and_go);
	return tc;
}

static TCase *case_two_controllers(void)
{
	TCase *tc = tcase_create("two_controllers");

	tcase_add_loop_test(tc, a_controller_without_memory_takes_the_other_one_down, 4, 7);
	tcase_add_loop_test(tc, both_csses_are_waited_for, 0, 20);
	return tc;
}

Suite *suite_cgroup(void)
{
	Suite *s = suite_create("cgroup");

	suite_add_tcase(s, case_rmdir());
	suite_add_tcase(s, case_end());
	suite_add_tcase(s, case_references());
	suite_add_tcase(s, case_two_controllers());
	return s;
}
