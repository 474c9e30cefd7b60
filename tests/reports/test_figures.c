// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a run cost, out of hand-written records.
 */

#include <check.h>

#include "reports/compare.h"
#include "reports/figures.h"

Suite *suite_figures(void);

static struct figures *f;

static const oid_t mutex = (oid_t)OBJ_LOCK << 56 | 1, spinlock = (oid_t)OBJ_LOCK << 56 | 2,
		   twin = (oid_t)OBJ_LOCK << 56 | 3, memcg = (oid_t)OBJ_MEMCG << 56 | 2,
		   cache = (oid_t)OBJ_CACHE << 56 | 2, objcg = (oid_t)OBJ_OBJCG << 56 | 1,
		   cgroup = (oid_t)OBJ_CGROUP << 56 | 2;

static void add_by(uint32_t task, uint64_t t, uint16_t kind, oid_t obj, int64_t a0, const char *str)
{
	struct trace_record r = {
		.t = t,
		.kind = kind,
		.obj = obj,
		.arg = {a0},
		.str = str,
		.ctx = CTX_TASK,
		.task = task,
	};

	figures_record(f, &r);
}

static void add(uint64_t t, uint16_t kind, oid_t obj, int64_t a0)
{
	add_by(2, t, kind, obj, a0, NULL);
}

static void begin_tasks(uint64_t t)
{
	add(t, TR_TASK_START, (oid_t)OBJ_TASK << 56 | 2, 0);
}

static void setup(void)
{
	f = figures_new();
	add_by(0, 0, TR_LOCK_INIT, mutex, 0, "slab_mutex");
	add_by(0, 0, TR_LOCK_INIT, spinlock, 1, "list_lock");
	add_by(0, 0, TR_LOCK_INIT, twin, 0, "slab_mutex");
	add_by(1, 0, TR_TASK_START, (oid_t)OBJ_TASK << 56 | 1, 0, "setup");
}

static void teardown(void)
{
	figures_free(f);
}

static void held(const char *name, uint64_t nr, uint64_t longest, uint64_t total)
{
	const struct held_mutex *m = figures_mutex(f, name);

	ck_assert(m != NULL);
	ck_assert_uint_eq(m->nr, nr);
	ck_assert_uint_eq(m->longest, longest);
	ck_assert_uint_eq(m->total, total);
}

START_TEST(mutexes_of_one_name_add_up)
{
	begin_tasks(10);
	add(10, TR_LOCK_ACQUIRE, mutex, 0);
	add(15, TR_LOCK_ACQUIRE, twin, 0);
	add(17, TR_LOCK_RELEASE, twin, 0);
	add(40, TR_LOCK_RELEASE, mutex, 0);
	add(50, TR_LOCK_ACQUIRE, mutex, 0);
	add(60, TR_LOCK_RELEASE, mutex, 0);
	figures_end(f, 100);
	held("slab_mutex", 3, 30, 42);
	ck_assert_uint_eq(f->mutexes->len, 1);
}
END_TEST

START_TEST(other_locks_are_no_mutexes)
{
	begin_tasks(10);
	add(10, TR_LOCK_ACQUIRE, spinlock, 0);
	add(15, TR_LOCK_RELEASE, spinlock, 0);
	figures_end(f, 100);
	ck_assert_uint_eq(f->mutexes->len, 0);
}
END_TEST

START_TEST(what_is_held_at_the_end_was_held_until_then)
{
	begin_tasks(10);
	add(10, TR_LOCK_ACQUIRE, mutex, 0);
	figures_end(f, 100);
	held("slab_mutex", 1, 90, 90);
}
END_TEST

START_TEST(the_set_up_costs_nothing)
{
	add(1, TR_LOCK_ACQUIRE, mutex, 0);
	add(2, TR_RCU_GP_END, 0, 1);
	add(3, TR_RCU_BARRIER_BEGIN, 0, 0);
	begin_tasks(10);
	add(11, TR_LOCK_RELEASE, mutex, 0);
	add(12, TR_RCU_GP_END, 0, 2);
	add(13, TR_RCU_GP_END, 0, 3);
	add(14, TR_RCU_BARRIER_BEGIN, 0, 0);
	figures_end(f, 100);
	ck_assert_uint_eq(f->mutexes->len, 0);
	ck_assert_uint_eq(f->nr_gps, 2);
	ck_assert_uint_eq(f->nr_barriers, 1);
}
END_TEST

/* From the beginning of the last removal to the end of the last thing that was to go. */
START_TEST(clean_is_when_all_has_gone)
{
	uint64_t t;

	begin_tasks(10);
	add_by(2, 20, TR_OP_BEGIN, memcg, 0, "rmdir");
	add(25, TR_CSS_KILLED, memcg, 0);
	add(26, TR_CGROUP_RMDIR, cgroup, 0);
	add_by(3, 30, TR_OP_BEGIN, cache, 0, "destroy");
	add_by(3, 40, TR_CACHE_SHUTDOWN, cache, 0, NULL);
	add(50, TR_REF_KILL, objcg, 0);
	add(60, TR_OBJ_FREE, memcg, 0);
	ck_assert(!figures_clean_after(f, &t));
	add(75, TR_OBJ_FREE, cache, 0);
	add_by(3, 76, TR_CACHE_DESTROY, cache, 0, NULL);
	ck_assert(figures_clean_after(f, &t));
	ck_assert_uint_eq(t, 45);
}
END_TEST

START_TEST(a_removal_that_failed_is_none)
{
	uint64_t t;

	begin_tasks(10);
	ck_assert(!figures_clean_after(f, &t));
	add_by(2, 20, TR_OP_BEGIN, memcg, 0, "rmdir");
	add(26, TR_CGROUP_RMDIR, cgroup, -16);
	add_by(2, 30, TR_OP_BEGIN, cache, 0, "destroy");
	add(35, TR_CACHE_SHUTDOWN, cache, -16);
	add(36, TR_CACHE_DESTROY, cache, -16);
	ck_assert(!figures_clean_after(f, &t));
	/* A shutdown that was refused is no beginning of an end. */
	add_by(2, 40, TR_OP_BEGIN, memcg, 0, "rmdir");
	add(46, TR_CGROUP_RMDIR, cgroup, 0);
	ck_assert(figures_clean_after(f, &t));
	ck_assert_uint_eq(t, 0);
}
END_TEST

static struct compared *compared(const char *lifecycle, const char *violation)
{
	struct compared *c = g_new0(struct compared, 1);

	c->lifecycle = g_strdup(lifecycle);
	c->verdict = g_strdup(violation ? "FAIL" : "PASS");
	c->checker = g_strdup(violation ? "leak" : NULL);
	c->violation = g_strdup(violation);
	c->replay = g_strdup("slabsim run x.lua");
	c->figures = figures_new();
	return c;
}

/* What a name or a text may hold, a spreadsheet must be able to read. */
START_TEST(csv_is_quoted)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(compared_free);
	struct output *o = output_memory();

	add_by(0, 0, TR_LOCK_INIT, mutex, 0, "a,b");
	begin_tasks(10);
	add(10, TR_LOCK_ACQUIRE, mutex, 0);
	figures_end(f, 30);
	g_ptr_array_add(all, compared("v5.3", "say \"no\", twice"));
	g_ptr_array_add(all, compared("v5.8", NULL));
	figures_free(((struct compared *)all->pdata[1])->figures);
	((struct compared *)all->pdata[1])->figures = f;
	compare_csv(all, o);
	output_char(o, 0);
	ck_assert_str_eq(o->buf,
			 "lifecycle,verdict,checker,violation,dying_cgroups,clean_after_ns,"
			 "rcu_barriers,grace_periods,end_ns,\"longest_ns:a,b\",\"total_ns:a,b\"\n"
			 "v5.3,FAIL,leak,\"say \"\"no\"\", twice\",0,,0,0,0,,\n"
			 "v5.8,PASS,,,0,,0,0,0,20,20\n");
	output_discard(o);
	f = NULL;
}
END_TEST

Suite *suite_figures(void)
{
	Suite *s = suite_create("figures");
	TCase *tc = tcase_create("figures");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, mutexes_of_one_name_add_up);
	tcase_add_test(tc, other_locks_are_no_mutexes);
	tcase_add_test(tc, what_is_held_at_the_end_was_held_until_then);
	tcase_add_test(tc, the_set_up_costs_nothing);
	tcase_add_test(tc, clean_is_when_all_has_gone);
	tcase_add_test(tc, a_removal_that_failed_is_none);
	tcase_add_test(tc, csv_is_quoted);
	suite_add_tcase(s, tc);
	return s;
}
