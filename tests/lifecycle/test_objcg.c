// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects owned by an obj_cgroup (v5.9 on): whose bytes they are, where the rest of a page lies,
 * and which reference is the last.
 */
#include <errno.h>

#include "sim/lifecycle/info.h"
#include "tests/support/sim_fixture.h"

Suite *suite_objcg(void);

#define PAGE 4096
#define SIZE 512
#define FULL (SIZE + 8) /* with the entry in the vector */

static const char *const lifecycles[] = {"v5.9", "v5.10", "v6.1", "v6.12"};
#define NR_LIFECYCLES ((int)(sizeof(lifecycles) / sizeof(*lifecycles)))

static struct cgroup *box, *side;
static struct kmem_cache *cache;
static struct obj_cgroup *boxes; /* box's, which box no longer shows once it is offline */
static oid_t box_memcg;

static void set_up(struct task *t, void *arg)
{
	struct cgroup *root = mm_of(t->w)->root;
	int err;

	(void)arg;
	box = cgroup_mkdir(t, root, "box", &err);
	side = cgroup_mkdir(t, root, "side", &err);
	cache = kmem_cache_create(t, "dentry", SIZE, 8, SLAB_ACCOUNT, &err);
	expect(box && side && cache);
	boxes = box->memcg->objcg;
	box_memcg = box->memcg->css.of;
	cgroup_exit(t);
}

static void start(const char *lifecycle, variant_set variants)
{
	sim_start(.lifecycle = lifecycle, .seed = 1, .variants = variants);
	sim_task(0, "setup", set_up, NULL);
	sim_run();
}

/* Run @fn on CPU 0, and no checker objects. */
static void one(const char *lifecycle, void (*fn)(struct task *t, void *arg))
{
	start(lifecycle, 0);
	sim_task(0, "task", fn, NULL);
	sim_run();
	expect(sim.w->nr_tasks_alive == 0);
	ck_assert_msg(sim_end() == 0, "%s: %s", lifecycle, sim_violation());
}

static void attach(struct task *t, struct cgroup *cgrp)
{
	expect(cgroup_attach_task(t, t, cgrp) == 0);
}

static struct object *alloc_in(struct task *t, struct cgroup *cgrp)
{
	attach(t, cgrp);
	return kmem_cache_alloc(t, cache);
}

static void remove_box(struct task *t)
{
	attach(t, mm_of(t->w)->root);
	expect(cgroup_rmdir(t, box) == 0);
}

static struct stock *stock_of(unsigned int cpu)
{
	return &mm_of(sim.w)->stocks[cpu];
}

static int64_t kmem(const struct cgroup *cgrp)
{
	return cgrp->memcg->kmem.usage;
}

/* What is charged for @objcg is in pages; all of it is an object's, in a stock, or left over. */
static int64_t bytes_of(const struct obj_cgroup *objcg, int64_t objects)
{
	int64_t n = objects * FULL + objcg->nr_charged_bytes;

	for (unsigned int i = 0; i < sim.w->config.nr_cpus; i++) {
		if (stock_of(i)->cached_objcg == objcg)
			n += stock_of(i)->nr_bytes;
	}
	return n;
}

/* ---- bytes ---------------------------------------------------------------------------------- */

static void alloc_two(struct task *t, void *arg)
{
	struct object *first = alloc_in(t, box), *second;

	(void)arg;
	/* The limit counts a page, the stock has what the object leaves of it. */
	expect(kmem(box) == 1 && first->objcg == boxes);
	expect(stock_of(0)->cached_objcg == boxes && stock_of(0)->nr_bytes == PAGE - FULL);
	second = kmem_cache_alloc(t, cache);
	expect(kmem(box) == 1 && stock_of(0)->nr_bytes == PAGE - 2 * FULL);
	expect(bytes_of(boxes, 2) == PAGE);
	kmem_cache_free(t, second);
	kmem_cache_free(t, first);
	expect(bytes_of(boxes, 0) == PAGE && kmem(box) == 1);
}

START_TEST(an_object_is_charged_by_the_page_and_the_rest_is_the_stocks)
{
	one(lifecycles[_i], alloc_two);
	ck_assert_uint_eq(rec_count(TR_OBJCG_CHARGE, boxes->id), 1);
	ck_assert_uint_eq(rec_count(TR_OBJ_STOCK_CONSUME, boxes->id), 1);
}
END_TEST

/* Whoever allocates for another objcg makes the stock forget this one, but not its bytes. */
static void take_turns(struct task *t, void *arg)
{
	struct object *a = alloc_in(t, box), *b = alloc_in(t, side), *c;

	(void)arg;
	expect(stock_of(0)->cached_objcg == side->memcg->objcg);
	expect(boxes->nr_charged_bytes == PAGE - FULL && bytes_of(boxes, 1) == PAGE);
	c = alloc_in(t, box);
	/* They are taken back together with the rest of a new page; more than one goes back. */
	expect(stock_of(0)->cached_objcg == boxes || boxes->nr_charged_bytes > 0);
	expect(bytes_of(boxes, 2) == kmem(box) * PAGE);
	kmem_cache_free(t, a);
	kmem_cache_free(t, b);
	kmem_cache_free(t, c);
	expect(bytes_of(boxes, 0) == kmem(box) * PAGE);
	expect(bytes_of(side->memcg->objcg, 0) == kmem(side) * PAGE);
}

START_TEST(bytes_that_a_stock_forgets_are_the_objcgs_own)
{
	one(lifecycles[_i], take_turns);
}
END_TEST

#define MANY 20

static struct object *held[MANY];

static void free_all_elsewhere(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < MANY; i++)
		kmem_cache_free(t, held[i]);
	mark(t, "freed");
}

static void hold_many(struct task *t, void *arg)
{
	(void)arg;
	attach(t, box);
	for (int i = 0; i < MANY; i++)
		held[i] = kmem_cache_alloc(t, cache);
	expect(kmem(box) == 3 && bytes_of(boxes, MANY) == 3 * PAGE);
	sim_task(1, "reaper", free_all_elsewhere, NULL);
	while (!marked("freed"))
		task_sleep(t, 100 * US);
	expect(bytes_of(boxes, 0) == kmem(box) * PAGE);
	/* What the freeing CPU has beyond a page went back at once. */
	expect(stock_of(1)->nr_bytes <= PAGE);
}

START_TEST(freed_bytes_go_to_the_cpu_that_frees)
{
	bool sheds = _i >= 2;

	one(lifecycles[_i], hold_many);
	ck_assert(rec_first(TR_OBJCG_UNCHARGE, boxes->id));
	/* From v5.14 on the pages go and the objcg stays; before, the stock forgot both. */
	for (const struct rec *r = NULL; (r = rec_next(r, TR_OBJ_STOCK_DRAIN, boxes->id));) {
		if (r->arg[2] > 0)
			ck_assert_int_eq(r->arg[3] > 0, sheds);
	}
}
END_TEST

/* ---- limits and failures -------------------------------------------------------------------- */

static void alloc_beyond_the_limit(struct task *t, void *arg)
{
	struct object **obj = arg;

	expect(page_counter_set_max(t, &box->memcg->memory, 0) == 0);
	*obj = alloc_in(t, box);
}

/* As merged, nobody paid for what could not be charged; since v5.10 there is no object. */
START_TEST(an_object_beyond_the_limit_is_refused_but_in_v5_9)
{
	struct object *obj = NULL;

	start(lifecycles[_i], 0);
	sim_task(0, "task", alloc_beyond_the_limit, &obj);
	sim_run();
	ck_assert_int_eq(obj != NULL, _i == 0);
	if (obj)
		ck_assert_ptr_null(obj->objcg);
	ck_assert_int_eq(kmem(box), 0);
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

/* The vector is the last that an allocation needs: the object is there, and nobody's. */
static void fail_the_vector(struct task *t, void *arg)
{
	struct object *obj = NULL;

	(void)arg;
	attach(t, box);
	for (uint32_t skip = 0; !rec_str(NULL, TR_FAULT, "memcg_alloc_page_obj_cgroups"); skip++) {
		expect(skip < 10);
		sim_faults(skip, 1);
		obj = kmem_cache_alloc(t, cache);
		if (obj && obj->objcg)
			kmem_cache_free(t, obj);
	}
	sim_faults(0, 0);
	expect(obj && !obj->objcg);
	expect(bytes_of(boxes, 0) == kmem(box) * PAGE);
	kmem_cache_free(t, obj);
}

START_TEST(an_object_whose_page_gets_no_vector_is_not_charged)
{
	one(lifecycles[_i], fail_the_vector);
}
END_TEST

/* ---- the end -------------------------------------------------------------------------------- */

static void outlive(struct task *t, void *arg)
{
	struct object *obj = alloc_in(t, box);

	(void)arg;
	remove_box(t);
	while (!rec_first(TR_OBJ_FREE, box_memcg))
		task_sleep(t, MS);
	mark(t, "memcg gone");
	expect(!boxes->released && boxes->memcg == mm_of(t->w)->root_memcg);
	expect(obj->objcg == boxes);
	kmem_cache_free(t, obj);
	/* The stock has its bytes, and a reference for that. */
	expect(!boxes->released && stock_of(0)->cached_objcg == boxes);
	mark(t, "freed");
	obj = alloc_in(t, side);
	expect(boxes->released);
	kmem_cache_free(t, obj);
	attach(t, mm_of(t->w)->root);
}

START_TEST(an_objcg_outlives_its_memcg_and_its_objects)
{
	one(lifecycles[_i], outlive);
	ck_order(rec_first(TR_REF_KILL, boxes->id), rec_first(TR_OBJ_FREE, box_memcg));
	ck_order(marked("memcg gone"), marked("freed"));
	ck_order(marked("freed"), rec_first(TR_REF_ZERO, boxes->id));
	ck_assert_uint_eq(rec_count(TR_REF_ZERO, boxes->id), 1);
	/* What was left over with it is the parent's to give back, in whole pages. */
	ck_assert_int_eq(boxes->nr_charged_bytes % PAGE, 0);
}
END_TEST

static struct cgroup *inner;
static oid_t inner_objcg;

static void remove_twice(struct task *t, void *arg)
{
	struct object *obj;
	int err;

	(void)arg;
	inner = cgroup_mkdir(t, box, "inner", &err);
	expect(inner && inner->memcg->payer == boxes);
	inner_objcg = inner->memcg->objcg->id;
	obj = alloc_in(t, inner);
	attach(t, mm_of(t->w)->root);
	expect(cgroup_rmdir(t, inner) == 0);
	expect(cgroup_rmdir(t, box) == 0);
	while (!rec_first(TR_OBJ_FREE, box_memcg))
		task_sleep(t, MS);
	kmem_cache_free(t, obj);
	kmem_cache_free(t, alloc_in(t, side));
	attach(t, mm_of(t->w)->root);
}

/* inner's goes to box, and with box's own to the root; box paid for inner until that was free. */
START_TEST(inherited_objcgs_are_handed_up_again)
{
	const struct rec *first, *second;

	one(lifecycles[_i], remove_twice);
	first = rec_first(TR_OBJCG_REPARENT, inner_objcg);
	second = rec_next(first, TR_OBJCG_REPARENT, inner_objcg);
	ck_assert(first && second && !rec_next(second, TR_OBJCG_REPARENT, inner_objcg));
	ck_assert_int_eq(first->arg[1], (int64_t)box_memcg);
	ck_assert_int_eq(second->arg[0], (int64_t)box_memcg);
	ck_assert_int_eq(second->arg[1], (int64_t)mm_of(sim.w)->root_memcg->css.of);
	ck_order(rec_first(TR_REF_ZERO, boxes->id), rec_first(TR_REF_ZERO, inner_objcg));
}
END_TEST

/* ---- who pays ------------------------------------------------------------------------------- */

static void move_between(struct task *t, void *arg)
{
	struct object *a = alloc_in(t, box), *b, *c;

	(void)arg;
	mark(t, "again");
	b = kmem_cache_alloc(t, cache);
	mark(t, "moved");
	c = alloc_in(t, side);
	expect(a->objcg == boxes && b->objcg == boxes && c->objcg == side->memcg->objcg);
	kmem_cache_free(t, a);
	kmem_cache_free(t, b);
	kmem_cache_free(t, c);
}

static size_t lookups_between(const char *from, const char *to)
{
	const struct rec *r = marked(from);
	uint64_t end = marked(to)->seq;
	size_t n = 0;

	while ((r = rec_next(r, TR_OBJCG_LOOKUP, 0)) && r->seq < end)
		n++;
	return n;
}

START_TEST(a_task_looks_its_objcg_up_each_time_and_in_v6_12_when_it_was_moved)
{
	bool keeps = _i == 3;

	one(lifecycles[_i], move_between);
	ck_assert_uint_eq(lookups_between("again", "moved"), keeps ? 0 : 1);
	ck_assert(rec_next(marked("moved"), TR_OBJCG_LOOKUP, 0));
}
END_TEST

static void alloc_without_cgroup(struct task *t, void *arg)
{
	struct object *obj;

	(void)arg;
	attach(t, mm_of(t->w)->root);
	obj = kmem_cache_alloc(t, cache);
	expect(obj && !obj->objcg && !obj->slab->vector);
	kmem_cache_free(t, obj);
}

START_TEST(nobody_pays_in_the_root_cgroup)
{
	one(lifecycles[_i], alloc_without_cgroup);
	ck_assert_uint_eq(rec_count(TR_BYTES_CHARGE, 0), 0);
}
END_TEST

/* Two CPUs make a vector for one page at once: one is freed, both objects are in the other. */
static void alloc_one(struct task *t, void *arg)
{
	struct object **obj = arg;

	*obj = alloc_in(t, box);
}

START_TEST(a_page_has_one_vector_whoever_comes_first)
{
	bool lost = false;

	for (uint64_t seed = 0; seed < 200; seed++) {
		struct object *obj[2] = {NULL, NULL};

		sim_start(.lifecycle = lifecycles[_i], .seed = seed, .preempt = PREEMPT_FULL);
		sim_task(0, "setup", set_up, NULL);
		sim_run();
		sim_untimed();
		sim_task(0, "a", alloc_one, &obj[0]);
		sim_task(0, "b", alloc_one, &obj[1]);
		sim_run();
		expect(obj[0]->objcg == boxes && obj[1]->objcg == boxes);
		expect(obj[0]->slab->vector && obj[1]->slab->vector);
		expect(bytes_of(boxes, 2) == kmem(box) * PAGE);
		lost |= rec_count_str(TR_OBJ_FREE, "cmpxchg lost") > 0;
	}
	ck_assert(lost);
}
END_TEST

static TCase *in_each(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	return tc;
}

Suite *suite_objcg(void)
{
	Suite *s = suite_create("objcg");
	TCase *bytes = in_each(s, "bytes"), *fails = in_each(s, "fails");
	TCase *ends = in_each(s, "ends"), *pays = in_each(s, "pays");

	tcase_add_loop_test(bytes, an_object_is_charged_by_the_page_and_the_rest_is_the_stocks, 0,
			    NR_LIFECYCLES);
	tcase_add_loop_test(bytes, bytes_that_a_stock_forgets_are_the_objcgs_own, 0, NR_LIFECYCLES);
	tcase_add_loop_test(bytes, freed_bytes_go_to_the_cpu_that_frees, 0, NR_LIFECYCLES);
	tcase_add_loop_test(fails, an_object_beyond_the_limit_is_refused_but_in_v5_9, 0,
			    NR_LIFECYCLES);
	tcase_add_loop_test(fails, an_object_whose_page_gets_no_vector_is_not_charged, 0,
			    NR_LIFECYCLES);
	tcase_add_loop_test(ends, an_objcg_outlives_its_memcg_and_its_objects, 0, NR_LIFECYCLES);
	tcase_add_loop_test(ends, inherited_objcgs_are_handed_up_again, 0, NR_LIFECYCLES);
	tcase_add_loop_test(pays,
			    a_task_looks_its_objcg_up_each_time_and_in_v6_12_when_it_was_moved, 0,
			    NR_LIFECYCLES);
	tcase_add_loop_test(pays, nobody_pays_in_the_root_cgroup, 0, NR_LIFECYCLES);
	tcase_add_loop_test(pays, a_page_has_one_vector_whoever_comes_first, 0, NR_LIFECYCLES);
	return s;
}
