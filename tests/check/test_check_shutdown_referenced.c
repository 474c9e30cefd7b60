// SPDX-License-Identifier: GPL-2.0-only
#include "tests/check/feed.h"

Suite *suite_check_shutdown_referenced(void);

#define NAME "shutdown-referenced"
#define C CACHE(2)

static void setup(void)
{
	feed_begin(NAME);
}

static uint64_t shut_down(void)
{
	return REC(CACHE_SHUTDOWN, .obj = C, .task = 9);
}

static void add_slab(int64_t pages)
{
	REC(REF_GET, .obj = C, .arg = {pages, HOLD_SLAB_PAGE, O(SLAB(1))});
	REC(SLAB_ALLOC, .obj = SLAB(1), .arg = {O(C), pages, 8});
}

START_TEST(shutdown_by_its_own_work_item_is_legal)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	REC(CACHE_LOOKUP, .obj = CACHE(1), .arg = {O(MEMCG(1)), O(C), 1});
	REC(REF_TRYGET, .obj = C, .arg = {1, HOLD_ALLOC, 0, 0});
	add_slab(1);
	REC(OBJECT_ALLOC, .obj = OBJECT(1), .arg = {O(C), O(SLAB(1))});
	REC(CACHE_PUT, .obj = C);
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_ALLOC});
	REC(OBJECT_FREE, .obj = OBJECT(1), .arg = {O(C), O(SLAB(1))});
	REC(SLAB_DISCARD, .obj = SLAB(1), .arg = {O(C), 0});
	REC(SLAB_UNCHARGE, .obj = SLAB(1), .arg = {O(C), O(MEMCG(1)), 1});
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_SLAB_PAGE});
	REC(OBJ_FREE, .obj = SLAB(1));
	REC(CALL_RCU, .obj = RCU(1), .arg = {O(C), 1}, .str = "f");
	REC(RCU_CALLBACK, .obj = RCU(1), .arg = {O(C), 1}, .str = "f");
	REC(WORK_INIT, .obj = WORK(1), .arg = {O(C)});
	REC(QUEUE_WORK, .obj = WORK(1), .arg = {O(WQ(1)), 0, 1}, .str = "kmemcg_workfn");
	REC(WORK_START, .obj = WORK(1), .arg = {O(C), O(WQ(1))}, .task = 9);
	/* The removal of the sysfs directory outlives the shutdown. */
	REC(WORK_INIT, .obj = WORK(2), .arg = {O(C)});
	REC(QUEUE_WORK, .obj = WORK(2), .arg = {O(WQ(2)), 0, 1}, .str = "sysfs_slab_remove_workfn");
	shut_down();
	REC(WORK_START, .obj = WORK(2), .arg = {O(C), O(WQ(2))}, .task = 10);
	REC(OBJ_FREE, .obj = C, .task = 10);
	REC(WORK_END, .obj = WORK(2), .task = 10);
	REC(WORK_END, .obj = WORK(1), .task = 9);
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(failed_shutdown_is_legal)
{
	REC(OBJECT_ALLOC, .obj = OBJECT(1), .arg = {O(C), O(SLAB(1))});
	REC(CACHE_SHUTDOWN, .obj = C, .arg = {-16, 1, 1});
	expect_clean();
}
END_TEST

/* Slab pages on their way through RCU stay until the grace period has passed. */
START_TEST(typesafe_pages_may_outlive_the_shutdown_but_not_the_cache)
{
	add_slab(1);
	REC(SLAB_DISCARD, .obj = SLAB(1), .arg = {O(C), 1});
	REC(CALL_RCU, .obj = RCU(1), .arg = {O(SLAB(1)), 1}, .str = "rcu_free_slab");
	shut_down();
	expect_clean();
	REC(OBJ_FREE, .obj = C);
	expect_only(NAME, C,
		    "freed with 1 slab page on its way to be freed, 1 slab page reference");
}
END_TEST

START_TEST(typesafe_pages_that_are_gone_let_the_cache_go)
{
	add_slab(2);
	REC(SLAB_DISCARD, .obj = SLAB(1), .arg = {O(C), 1});
	shut_down();
	REC(SLAB_UNCHARGE, .obj = SLAB(1), .arg = {O(C), O(MEMCG(1)), 2});
	REC(REF_PUT, .obj = C, .arg = {2, HOLD_SLAB_PAGE, O(SLAB(1))});
	REC(OBJ_FREE, .obj = SLAB(1));
	REC(OBJ_FREE, .obj = C);
	expect_clean();
}
END_TEST

/* Between the two, the page is uncharged and its reference is still there. */
START_TEST(typesafe_page_counts_until_its_reference_is_dropped)
{
	add_slab(1);
	REC(SLAB_DISCARD, .obj = SLAB(1), .arg = {O(C), 1});
	REC(SLAB_UNCHARGE, .obj = SLAB(1), .arg = {O(C), O(MEMCG(1)), 1});
	shut_down();
	expect_clean();
	REC(OBJ_FREE, .obj = C);
	expect_only(NAME, C, "freed with 1 slab page on its way to be freed");
}
END_TEST

START_TEST(live_object_and_its_slab_page)
{
	const struct violation *v;

	REC(SLAB_ALLOC, .obj = SLAB(1), .arg = {O(C), 1, 8});
	REC(OBJECT_ALLOC, .obj = OBJECT(1), .arg = {O(C), O(SLAB(1))});
	REC(OBJECT_ALLOC, .obj = OBJECT(2), .arg = {O(C), O(SLAB(1))});
	shut_down();
	v = expect_only(NAME, C, "shut down with 2 live objects, 1 slab page");
	ck_assert_uint_eq(v->seq, 4);
	ck_assert_uint_eq(v->related[0], 3);
	ck_assert_uint_eq(v->related[1], 1);
}
END_TEST

START_TEST(allocation_in_flight)
{
	REC(CACHE_LOOKUP, .obj = CACHE(1), .arg = {O(MEMCG(1)), O(C), 1});
	shut_down();
	expect_only(NAME, C, "shut down with 1 allocation in flight");
}
END_TEST

START_TEST(lookup_that_pins_nothing_is_no_dependence)
{
	REC(CACHE_LOOKUP, .obj = C, .arg = {O(MEMCG(1)), O(C), 0});
	REC(OBJECT_ALLOC, .arg = {O(C)});
	shut_down();
	expect_clean();
}
END_TEST

START_TEST(counter_that_is_being_switched)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	REC(REF_KILL, .obj = C);
	REC(REF_GET, .obj = C, .arg = {1, HOLD_SWITCH});
	REC(CALL_RCU, .obj = RCU(1), .arg = {O(C), 2}, .str = "switch");
	shut_down();
	expect_only(NAME, C, "shut down with 1 reference, 1 pending RCU callback");
}
END_TEST

START_TEST(queued_work)
{
	REC(WORK_INIT, .obj = WORK(1), .arg = {O(C)});
	REC(QUEUE_WORK, .obj = WORK(1), .arg = {O(WQ(1)), 0, 1}, .str = "create");
	REC(QUEUE_WORK, .obj = WORK(1), .arg = {O(WQ(1)), 0, 0}, .str = "create");
	shut_down();
	expect_only(NAME, C, "shut down with 1 queued work item");
}
END_TEST

START_TEST(cancelled_work_is_no_dependence)
{
	REC(WORK_INIT, .obj = WORK(1), .arg = {O(C)});
	REC(QUEUE_WORK, .obj = WORK(1), .arg = {O(WQ(1)), 0, 1}, .str = "create");
	REC(WORK_CANCEL, .obj = WORK(1), .arg = {1});
	shut_down();
	expect_clean();
}
END_TEST

START_TEST(queued_sysfs_removal_needs_the_memory)
{
	REC(WORK_INIT, .obj = WORK(1), .arg = {O(C)});
	REC(QUEUE_WORK, .obj = WORK(1), .arg = {O(WQ(1)), 0, 1}, .str = "sysfs_slab_remove_workfn");
	shut_down();
	REC(OBJ_FREE, .obj = C);
	expect_only(NAME, C, "freed with 1 queued sysfs removal");
}
END_TEST

/* It is inside its body, before the mutex that the shutdown holds. */
START_TEST(work_item_that_waits_for_the_mutex)
{
	REC(WORK_START, .obj = WORK(1), .arg = {O(C), O(WQ(1))}, .task = 8);
	REC(LOCK_WAIT, .obj = LOCK(1), .arg = {0, O(TASK(9))}, .task = 8);
	shut_down();
	expect_only(NAME, C, "shut down with 1 work item that waits for a lock");
}
END_TEST

START_TEST(work_item_that_has_its_mutex_behind_it_is_no_dependence)
{
	REC(WORK_START, .obj = WORK(1), .arg = {O(C), O(WQ(1))}, .task = 8);
	REC(LOCK_WAIT, .obj = LOCK(1), .arg = {0, O(TASK(9))}, .task = 8);
	REC(LOCK_ACQUIRE, .obj = LOCK(1), .task = 8);
	REC(LOCK_RELEASE, .obj = LOCK(1), .task = 8);
	shut_down();
	expect_clean();
}
END_TEST

START_TEST(root_cache_that_an_alias_still_uses)
{
	REC(REF_INIT, .obj = C, .arg = {1, 0}, .str = "refcount");
	REC(REF_GET, .obj = C, .arg = {1, HOLD_USER});
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_USER});
	shut_down();
	expect_only(NAME, C, "shut down with 1 user handle");
}
END_TEST

START_TEST(root_cache_without_users)
{
	REC(REF_INIT, .obj = C, .arg = {1, 0}, .str = "refcount");
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_USER});
	shut_down();
	REC(OBJ_FREE, .obj = C);
	expect_clean();
}
END_TEST

Suite *suite_check_shutdown_referenced(void)
{
	Suite *s = suite_create("check_shutdown_referenced");
	TCase *tc = tcase_create("check_shutdown_referenced");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, shutdown_by_its_own_work_item_is_legal);
	tcase_add_test(tc, failed_shutdown_is_legal);
	tcase_add_test(tc, typesafe_pages_may_outlive_the_shutdown_but_not_the_cache);
	tcase_add_test(tc, typesafe_pages_that_are_gone_let_the_cache_go);
	tcase_add_test(tc, typesafe_page_counts_until_its_reference_is_dropped);
	tcase_add_test(tc, live_object_and_its_slab_page);
	tcase_add_test(tc, allocation_in_flight);
	tcase_add_test(tc, lookup_that_pins_nothing_is_no_dependence);
	tcase_add_test(tc, counter_that_is_being_switched);
	tcase_add_test(tc, queued_work);
	tcase_add_test(tc, cancelled_work_is_no_dependence);
	tcase_add_test(tc, queued_sysfs_removal_needs_the_memory);
	tcase_add_test(tc, work_item_that_waits_for_the_mutex);
	tcase_add_test(tc, work_item_that_has_its_mutex_behind_it_is_no_dependence);
	tcase_add_test(tc, root_cache_that_an_alias_still_uses);
	tcase_add_test(tc, root_cache_without_users);
	suite_add_tcase(s, tc);
	return s;
}
