// SPDX-License-Identifier: GPL-2.0-only
#include "tests/check/feed.h"

Suite *suite_check_use_after_free(void);

#define NAME "use-after-free"

static void setup(void)
{
	feed_begin(NAME);
}

START_TEST(a_life_from_allocation_to_free_is_legal)
{
	REC(OBJ_NEW, .obj = CACHE(1));
	REC(REF_INIT, .obj = CACHE(1), .arg = {1, 1});
	REC(ACCESS, .obj = CACHE(1), .arg = {1, 1}, .str = "a.b");
	REC(OBJECT_ALLOC, .obj = OBJECT(1), .arg = {O(CACHE(1)), O(SLAB(1))});
	REC(OBJECT_FREE, .obj = OBJECT(1), .arg = {O(CACHE(1)), O(SLAB(1))});
	REC(OBJ_FREE, .obj = SLAB(1));
	REC(OBJ_FREE, .obj = CACHE(1));
	/* Both speak of a cache that is gone by then, and touch nothing. */
	REC(CACHE_DESTROY, .obj = CACHE(1));
	REC(WORK_END, .obj = WORK(1));
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(write_after_the_shutdown_freed_the_cache)
{
	const struct violation *v;
	uint64_t alloc, freed;

	alloc = REC(CACHE_CREATE, .obj = CACHE(3));
	REC(WORK_START, .obj = WORK(1), .arg = {O(CACHE(3))}, .str = "kmemcg_workfn");
	freed = REC(OBJ_FREE, .obj = CACHE(3), .str = "slab_kmem_cache_release");
	REC(ACCESS, .obj = CACHE(3), .arg = {2, 1}, .str = "kmemcg_workfn.clear");
	v = expect_only(NAME, CACHE(3),
			"use after free of cache:3: write kmemcg_workfn.clear, freed at seq 3");
	ck_assert_uint_eq(v->related[0], alloc);
	ck_assert_uint_eq(v->related[1], freed);
}
END_TEST

START_TEST(callback_for_a_freed_object)
{
	REC(OBJ_FREE, .obj = CACHE(1));
	REC(RCU_CALLBACK, .obj = RCU(1), .arg = {O(CACHE(1))}, .str = "switch_to_atomic");
	expect_only(NAME, CACHE(1), "switch_to_atomic");
}
END_TEST

START_TEST(uncharge_from_a_freed_memcg)
{
	REC(OBJ_FREE, .obj = MEMCG(2));
	REC(SLAB_UNCHARGE, .obj = SLAB(1), .arg = {O(CACHE(1)), O(MEMCG(2)), 1});
	expect_only(NAME, MEMCG(2), "use after free");
}
END_TEST

START_TEST(reference_on_a_freed_object)
{
	REC(OBJ_FREE, .obj = CACHE(1));
	REC(REF_GET, .obj = CACHE(1), .arg = {1, HOLD_ALLOC});
	expect_only(NAME, CACHE(1), "ref_get");
}
END_TEST

START_TEST(allocation_from_a_freed_cache)
{
	REC(OBJ_FREE, .obj = CACHE(1));
	REC(OBJECT_ALLOC, .obj = OBJECT(1), .arg = {O(CACHE(1)), O(SLAB(1))});
	expect_only(NAME, CACHE(1), "kmem_cache_alloc");
}
END_TEST

/* The item's own number was never freed, but the memory that it lives in was. */
START_TEST(queueing_the_work_of_a_freed_cache)
{
	REC(WORK_INIT, .obj = WORK(1), .arg = {O(CACHE(1))}, .str = "kmemcg_workfn");
	REC(QUEUE_WORK, .obj = WORK(1), .arg = {O(WQ(1)), 0, 1});
	expect_clean();
	REC(OBJ_FREE, .obj = CACHE(1));
	REC(QUEUE_WORK, .obj = WORK(1), .arg = {O(WQ(1)), 0, 1}, .str = "kmemcg_workfn");
	expect_only(NAME, CACHE(1), "queue_work kmemcg_workfn");
}
END_TEST

START_TEST(double_free_of_a_cache_and_of_an_object)
{
	REC(OBJ_NEW, .obj = CACHE(1));
	REC(OBJ_FREE, .obj = CACHE(1));
	REC(OBJ_FREE, .obj = CACHE(1));
	REC(OBJECT_ALLOC, .obj = OBJECT(4));
	REC(OBJECT_FREE, .obj = OBJECT(4));
	REC(OBJECT_FREE, .obj = OBJECT(4));
	ck_assert_uint_eq(set->nr_violations, 2);
	expect(0, NAME, CACHE(1), "double free");
	ck_assert_uint_eq(expect(1, NAME, OBJECT(4), "double free")->related[0], 4);
}
END_TEST

START_TEST(touched_before_it_was_allocated)
{
	const struct violation *v;

	REC(ACCESS, .obj = CACHE(1), .str = "early.bird");
	REC(OBJ_NEW, .obj = CACHE(1));
	v = expect_only(NAME, CACHE(1), "used before allocation");
	ck_assert_uint_eq(v->related[0], 1);
}
END_TEST

START_TEST(object_that_is_never_allocated_has_no_beginning)
{
	REC(LOCK_ACQUIRE, .obj = LOCK(1));
	REC(ACCESS, .obj = oid_make(OBJ_GLOBAL, 1));
	REC(SLAB_CHARGE, .obj = SLAB(1), .arg = {O(CACHE(1)), O(MEMCG(1)), 1, 0});
	REC(SLAB_ALLOC, .obj = SLAB(1), .arg = {O(CACHE(1)), 1, 8});
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(allocated_twice)
{
	REC(OBJ_NEW, .obj = CACHE(1));
	REC(OBJ_NEW, .obj = CACHE(1));
	expect_only(NAME, CACHE(1), "allocated twice");
}
END_TEST

START_TEST(null_pointer)
{
	REC(NULL_DEREF, .obj = CACHE(2), .str = "memcg_params.memcg");
	expect_only(NAME, CACHE(2), "NULL dereference: memcg_params.memcg of cache:2");
}
END_TEST

Suite *suite_check_use_after_free(void)
{
	Suite *s = suite_create("check_use_after_free");
	TCase *tc = tcase_create("check_use_after_free");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_life_from_allocation_to_free_is_legal);
	tcase_add_test(tc, write_after_the_shutdown_freed_the_cache);
	tcase_add_test(tc, callback_for_a_freed_object);
	tcase_add_test(tc, uncharge_from_a_freed_memcg);
	tcase_add_test(tc, reference_on_a_freed_object);
	tcase_add_test(tc, allocation_from_a_freed_cache);
	tcase_add_test(tc, queueing_the_work_of_a_freed_cache);
	tcase_add_test(tc, double_free_of_a_cache_and_of_an_object);
	tcase_add_test(tc, touched_before_it_was_allocated);
	tcase_add_test(tc, object_that_is_never_allocated_has_no_beginning);
	tcase_add_test(tc, allocated_twice);
	tcase_add_test(tc, null_pointer);
	suite_add_tcase(s, tc);
	return s;
}
