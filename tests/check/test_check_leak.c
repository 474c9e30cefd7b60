// SPDX-License-Identifier: GPL-2.0-only
#include "tests/check/feed.h"

Suite *suite_check_leak(void);

#define NAME "leak"
#define M MEMCG(2)
#define C CACHE(2)

/* memcg:2 below the root, with a child cache and a slab page of it. */
static void setup(void)
{
	feed_begin(NAME);
	REC(OBJ_NEW, .obj = MEMCG(1));
	REC(OBJ_NEW, .obj = M, .arg = {O(MEMCG(1))});
	REC(REF_INIT, .obj = M, .arg = {1, 1});
	REC(CACHE_CREATE, .obj = C, .arg = {O(CACHE(1)), O(M)});
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	REC(SLAB_ALLOC, .obj = SLAB(1), .arg = {O(C), 1, 8});
	REC(SLAB_CHARGE, .obj = SLAB(1), .arg = {O(C), O(M), 1, 0});
}

static void get(oid_t obj, int64_t n, enum holder holder, oid_t owner)
{
	REC(REF_GET, .obj = obj, .arg = {n, holder, O(owner)});
}

static void put(oid_t obj, int64_t n, enum holder holder, oid_t owner)
{
	REC(REF_PUT, .obj = obj, .arg = {n, holder, O(owner)});
}

static void offline(void)
{
	REC(CSS_OFFLINE, .obj = M, .arg = {O(MEMCG(1))});
	put(M, 1, HOLD_BASE, 0);
}

static void reparent(void)
{
	REC(CACHE_DEACTIVATE, .obj = C, .arg = {1});
	REC(CACHE_REPARENT, .obj = C, .arg = {O(M), O(MEMCG(1))});
	put(C, 1, HOLD_BASE, 0);
}

static void free_all(void)
{
	REC(OBJ_FREE, .obj = SLAB(1));
	REC(OBJ_FREE, .obj = C);
	REC(OBJ_FREE, .obj = M);
}

START_TEST(everything_freed)
{
	get(M, 1, HOLD_CREATE_WORK, 0);
	put(M, 1, HOLD_CREATE_WORK, 0);
	offline();
	reparent();
	free_all();
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(online_memcg_stays)
{
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(creation_work_that_was_never_queued)
{
	const struct violation *v;
	uint64_t taken;

	get(M, 1, HOLD_CREATE_WORK, 0);
	taken = feed_seq;
	offline();
	reparent();
	REC(OBJ_FREE, .obj = C);
	feed_end();
	v = expect_only(NAME, M, "offline memcg is not freed: memcg:2");
	ck_assert_ptr_nonnull(strstr(v->text, "held by create work (1, taken at seq 8)"));
	ck_assert_uint_eq(v->related[0], taken);
}
END_TEST

/* The reference leaks as much while the memcg is still in use. */
START_TEST(creation_work_of_an_online_memcg)
{
	get(M, 1, HOLD_CREATE_WORK, 0);
	feed_end();
	expect_only(NAME, M, "css reference leaked: memcg:2 is held by create work (1");
}
END_TEST

START_TEST(creation_work_that_is_queued_is_legal)
{
	get(M, 1, HOLD_CREATE_WORK, WORK(1));
	REC(QUEUE_WORK, .obj = WORK(1), .arg = {O(WQ(1)), 0, 1});
	feed_end();
	expect_clean();
	REC(WORK_START, .obj = WORK(1), .task = 7);
	REC(WORK_END, .obj = WORK(1), .task = 7);
	feed_end();
	expect_only(NAME, M, "create work (1, taken at seq 8 for work:1)");
}
END_TEST

/* Told apart by who took it, even if others came and went. */
START_TEST(names_the_oldest_reference_that_is_left)
{
	get(M, 1, HOLD_TEMP, CACHE(7));
	get(M, 1, HOLD_TEMP, CACHE(8));
	get(M, 1, HOLD_TEMP, CACHE(9));
	put(M, 1, HOLD_TEMP, CACHE(7));
	offline();
	reparent();
	REC(OBJ_FREE, .obj = C);
	feed_end();
	expect_only(NAME, M, "temporary (2, taken at seq 9 for cache:8)");
}
END_TEST

/* Whatever the order in which they came: a report is compared with another run's. */
START_TEST(holders_are_listed_in_a_fixed_order)
{
	get(M, 1, HOLD_CREATE_WORK, 0);
	get(M, 2, HOLD_TEMP, 0);
	get(M, 1, HOLD_KILL_CSS, 0);
	offline();
	reparent();
	REC(OBJ_FREE, .obj = C);
	feed_end();
	expect_only(NAME, M,
		    "held by kill_css (1, taken at seq 10), create work (1, taken at seq 8), "
		    "temporary (2, taken at seq 9)");
}
END_TEST

/* What somebody took before the count was zero is void, whoever's it was. */
START_TEST(reference_from_before_the_count_was_zero_is_not_named)
{
	get(M, 1, HOLD_TEMP, CACHE(7));
	put(M, 1, HOLD_TEMP, CACHE(8)); /* gives back what the other one took */
	get(M, 1, HOLD_TEMP, CACHE(9));
	offline();
	reparent();
	REC(OBJ_FREE, .obj = C);
	feed_end();
	expect_only(NAME, M, "temporary (1, taken at seq 10 for cache:9)");
}
END_TEST

START_TEST(user_pages_script_references_and_stock_are_legal)
{
	get(M, 32, HOLD_CHARGE, 0);
	REC(REF_MOVE, .obj = M, .arg = {30, HOLD_CHARGE, HOLD_STOCK, O(CPU(1))});
	REC(STOCK_REFILL, .obj = M, .arg = {30, 0});
	REC(REF_MOVE, .obj = M, .arg = {2, HOLD_CHARGE, HOLD_USER_PAGE});
	REC(USER_CHARGE, .obj = M, .arg = {2, 0});
	get(M, 1, HOLD_SCRIPT, 0);
	offline();
	reparent();
	REC(OBJ_FREE, .obj = C);
	feed_end();
	expect_clean();
	/* The stock is drained, but one of its references stays. */
	REC(STOCK_DRAIN, .obj = M, .arg = {30, 0});
	put(M, 29, HOLD_STOCK, CPU(1));
	feed_end();
	expect_only(NAME, M, "held by stock (1");
}
END_TEST

START_TEST(child_memcg_is_legal)
{
	REC(OBJ_NEW, .obj = MEMCG(3), .arg = {O(M)});
	get(M, 1, HOLD_CHILD_CSS, MEMCG(3));
	offline();
	reparent();
	REC(OBJ_FREE, .obj = C);
	feed_end();
	expect_clean();
	REC(OBJ_FREE, .obj = MEMCG(3));
	feed_end();
	expect_only(NAME, M, "held by child");
}
END_TEST

/* Before reparenting, a page pins its memcg as long as an object lives in it. */
START_TEST(live_objects_pin_their_memcg_and_empty_pages_do_not)
{
	get(M, 1, HOLD_SLAB_PAGE, SLAB(1));
	REC(OBJECT_ALLOC, .obj = OBJECT(1), .arg = {O(C), O(SLAB(1))});
	offline();
	feed_end();
	expect_clean();
	REC(OBJECT_FREE, .obj = OBJECT(1), .arg = {O(C), O(SLAB(1))});
	feed_end();
	expect_only(NAME, M, "held by slab page");
}
END_TEST

START_TEST(memcg_without_references_that_nobody_frees)
{
	offline();
	reparent();
	REC(OBJ_FREE, .obj = C);
	feed_end();
	expect_only(NAME, M,
		    "offline memcg is not freed: memcg:2, offline since seq 8, no reference");
}
END_TEST

START_TEST(reparented_cache_without_objects)
{
	const struct violation *v;

	get(C, 1, HOLD_SLAB_PAGE, SLAB(1));
	offline();
	reparent();
	REC(OBJ_FREE, .obj = M);
	feed_end();
	v = expect_only(NAME, C, "drained cache is not freed: cache:2");
	ck_assert_ptr_nonnull(strstr(v->text, "held by slab page (1, taken at seq 8 for slab:1)"));
}
END_TEST

START_TEST(reparented_cache_with_a_live_object_is_legal)
{
	REC(OBJECT_ALLOC, .obj = OBJECT(1), .arg = {O(C), O(SLAB(1))});
	offline();
	reparent();
	REC(OBJ_FREE, .obj = M);
	feed_end();
	expect_clean();
}
END_TEST

/* A slab that some CPU allocates from is not discarded by a free. */
START_TEST(frozen_cpu_slab_is_legal_until_it_is_given_up)
{
	REC(OBJ_STATE, .obj = SLAB(1), .str = "cpu");
	offline();
	reparent();
	REC(OBJ_FREE, .obj = M);
	feed_end();
	expect_clean();
	REC(OBJ_STATE, .obj = SLAB(1), .str = "partial");
	feed_end();
	expect_only(NAME, C, "drained cache is not freed");
}
END_TEST

/* Even without that page nobody would free it. */
START_TEST(frozen_cpu_slab_is_no_excuse_for_a_cache_that_was_never_killed)
{
	REC(OBJ_STATE, .obj = SLAB(1), .str = "cpu");
	offline();
	REC(CACHE_DEACTIVATE, .obj = C, .arg = {1});
	REC(CACHE_REPARENT, .obj = C, .arg = {O(M), O(MEMCG(1))});
	REC(OBJ_FREE, .obj = M);
	feed_end();
	expect_only(NAME, C, "drained cache is not freed");
}
END_TEST

START_TEST(cache_that_dies_with_its_memcg_is_judged_with_it)
{
	get(M, 1, HOLD_SCRIPT, 0);
	REC(CACHE_DEACTIVATE, .obj = C, .arg = {1});
	offline();
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(work_item_of_a_freed_cache)
{
	REC(WORK_INIT, .obj = WORK(1), .arg = {O(C)});
	REC(QUEUE_WORK, .obj = WORK(1), .arg = {O(WQ(1)), 0, 1});
	offline();
	reparent();
	free_all();
	feed_end();
	expect_only(NAME, WORK(1), "work item left behind");
}
END_TEST

#define B oid_make(OBJ_OBJCG, 1)

/* memcg:2's objcg, reparented: only what is still charged or cached may keep it. */
static void objcg_setup(void)
{
	REC(OBJ_NEW, .obj = B, .arg = {O(M)});
	REC(REF_INIT, .obj = B, .arg = {1, 1});
	get(B, 1, HOLD_OBJECT, OBJECT(1));
	REC(BYTES_CHARGE, .obj = OBJECT(1), .arg = {O(B), 200});
	REC(OBJCG_REPARENT, .obj = B, .arg = {O(M), O(MEMCG(1))});
	put(B, 1, HOLD_BASE, 0);
}

START_TEST(an_objcg_lives_with_its_objects)
{
	objcg_setup();
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(an_objcg_goes_with_its_last_object)
{
	objcg_setup();
	REC(BYTES_UNCHARGE, .obj = OBJECT(1), .arg = {O(B), 200});
	put(B, 1, HOLD_OBJECT, OBJECT(1));
	REC(OBJ_FREE, .obj = B);
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(an_objcg_that_nobody_holds_is_freed)
{
	objcg_setup();
	REC(BYTES_UNCHARGE, .obj = OBJECT(1), .arg = {O(B), 200});
	put(B, 1, HOLD_OBJECT, OBJECT(1));
	feed_end();
	expect_only(NAME, B, "objcg is not freed: objcg:1 lost its memcg at seq");
}
END_TEST

START_TEST(a_freed_object_keeps_no_objcg)
{
	objcg_setup();
	REC(OBJECT_FREE, .obj = OBJECT(1), .arg = {O(CACHE(1)), O(SLAB(2))});
	feed_end();
	expect_only(NAME, B, "held by object (1, taken at seq");
}
END_TEST

START_TEST(a_task_that_has_ended_keeps_no_objcg)
{
	objcg_setup();
	get(B, 1, HOLD_TASK_OBJCG, TASK(3));
	feed_end();
	expect_clean();
	REC(TASK_EXIT, .obj = TASK(3), .task = 3);
	feed_end();
	expect_only(NAME, B, "held by task's objcg (1, taken at seq");
}
END_TEST

START_TEST(a_stock_may_keep_an_objcg_and_a_freed_memcg_may_not)
{
	objcg_setup();
	get(B, 1, HOLD_STOCK_ENTRY, CPU(0));
	get(B, 1, HOLD_MEMCG, M);
	feed_end();
	expect_clean();
	free_all();
	feed_end();
	expect_only(NAME, B, "held by memcg (1, taken at seq");
}
END_TEST

#define CSS(n) oid_make(OBJ_CSS, n)

/* css:2 of another controller, below the root's, offline and without its base reference. */
static void css_setup(void)
{
	REC(OBJ_NEW, .obj = CSS(1));
	REC(OBJ_NEW, .obj = CSS(2), .arg = {O(CSS(1))});
	REC(REF_INIT, .obj = CSS(2), .arg = {1, 1});
	REC(OBJ_STATE, .obj = CSS(2), .str = "online");
	get(CSS(2), 1, HOLD_KILL_CSS, 0);
	put(CSS(2), 1, HOLD_BASE, 0);
	REC(OBJ_STATE, .obj = CSS(2), .str = "offline");
}

START_TEST(another_css_that_is_offline_has_to_go)
{
	css_setup();
	feed_end();
	expect_only(NAME, CSS(2), "held by kill_css (1, taken at seq");
}
END_TEST

START_TEST(a_child_may_keep_another_css)
{
	css_setup();
	put(CSS(2), 1, HOLD_KILL_CSS, 0);
	REC(OBJ_NEW, .obj = CSS(3), .arg = {O(CSS(2))});
	feed_end();
	expect_clean();
	REC(OBJ_FREE, .obj = CSS(3));
	feed_end();
	expect_only(NAME, CSS(2), "no reference is left");
}
END_TEST

START_TEST(another_css_that_is_freed_or_online_is_legal)
{
	css_setup();
	put(CSS(2), 1, HOLD_KILL_CSS, 0);
	REC(OBJ_FREE, .obj = CSS(2));
	feed_end();
	expect_clean();
}
END_TEST

Suite *suite_check_leak(void)
{
	Suite *s = suite_create("check_leak");
	TCase *tc = tcase_create("check_leak");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, everything_freed);
	tcase_add_test(tc, online_memcg_stays);
	tcase_add_test(tc, creation_work_that_was_never_queued);
	tcase_add_test(tc, creation_work_of_an_online_memcg);
	tcase_add_test(tc, creation_work_that_is_queued_is_legal);
	tcase_add_test(tc, names_the_oldest_reference_that_is_left);
	tcase_add_test(tc, holders_are_listed_in_a_fixed_order);
	tcase_add_test(tc, reference_from_before_the_count_was_zero_is_not_named);
	tcase_add_test(tc, user_pages_script_references_and_stock_are_legal);
	tcase_add_test(tc, child_memcg_is_legal);
	tcase_add_test(tc, live_objects_pin_their_memcg_and_empty_pages_do_not);
	tcase_add_test(tc, memcg_without_references_that_nobody_frees);
	tcase_add_test(tc, reparented_cache_without_objects);
	tcase_add_test(tc, reparented_cache_with_a_live_object_is_legal);
	tcase_add_test(tc, frozen_cpu_slab_is_legal_until_it_is_given_up);
	tcase_add_test(tc, frozen_cpu_slab_is_no_excuse_for_a_cache_that_was_never_killed);
	tcase_add_test(tc, cache_that_dies_with_its_memcg_is_judged_with_it);
	tcase_add_test(tc, work_item_of_a_freed_cache);
	tcase_add_test(tc, an_objcg_lives_with_its_objects);
	tcase_add_test(tc, an_objcg_goes_with_its_last_object);
	tcase_add_test(tc, an_objcg_that_nobody_holds_is_freed);
	tcase_add_test(tc, a_freed_object_keeps_no_objcg);
	tcase_add_test(tc, a_task_that_has_ended_keeps_no_objcg);
	tcase_add_test(tc, a_stock_may_keep_an_objcg_and_a_freed_memcg_may_not);
	tcase_add_test(tc, another_css_that_is_offline_has_to_go);
	tcase_add_test(tc, a_child_may_keep_another_css);
	tcase_add_test(tc, another_css_that_is_freed_or_online_is_legal);
	suite_add_tcase(s, tc);
	return s;
}
