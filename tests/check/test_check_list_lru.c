// SPDX-License-Identifier: GPL-2.0-only
/* The checker list-lru, fed by hand: what it accepts, and each thing that it must not. */
#include "tests/check/feed.h"

Suite *suite_check_list_lru(void);

#define NAME "list-lru"
#define LRU(n) oid_make(OBJ_LRU, n)
#define LIST(n) oid_make(OBJ_LRU_LIST, n)
#define MAP(n) oid_make(OBJ_SHRINKER_MAP, n)

/* memcg:2 with index 0 below memcg:1, the root; cache:1 is its child; a list for each. */
static void begin(void)
{
	feed_begin(NAME);
	REC(OBJ_NEW, .obj = MEMCG(1), .arg = {0});
	REC(CSS_ONLINE, .obj = MEMCG(1), .arg = {0, -1});
	REC(OBJ_NEW, .obj = MEMCG(2), .arg = {O(MEMCG(1))});
	REC(CSS_ONLINE, .obj = MEMCG(2), .arg = {0, 0});
	REC(CACHE_CREATE, .obj = CACHE(1), .arg = {O(CACHE(9)), O(MEMCG(2))});
	REC(LRU_NEW, .obj = LRU(1), .arg = {true, 3});
	REC(LRU_LIST_NEW, .obj = LIST(1), .arg = {O(LRU(1)), -1});
	REC(LRU_LIST_NEW, .obj = LIST(2), .arg = {O(LRU(1)), 0});
}

static void alloc(unsigned int n)
{
	REC(OBJECT_ALLOC, .obj = OBJECT(n), .arg = {O(CACHE(1)), O(SLAB(1))});
}

static uint64_t add(unsigned int n, unsigned int list, int64_t items, int64_t total)
{
	return REC(LRU_ADD, .obj = OBJECT(n), .arg = {O(LRU(1)), O(LIST(list)), items, total});
}

static void del(unsigned int n, unsigned int list, int64_t items, int64_t total)
{
	REC(LRU_DEL, .obj = OBJECT(n), .arg = {O(LRU(1)), O(LIST(list)), items, total});
}

static void offline(void)
{
	REC(KMEMCG_ID_FREE, .obj = MEMCG(2), .arg = {0, -1});
}

START_TEST(items_come_and_go)
{
	begin();
	alloc(1);
	alloc(2);
	add(1, 2, 1, 1);
	add(2, 2, 2, 2);
	del(1, 2, 1, 1);
	REC(OBJECT_FREE, .obj = OBJECT(1));
	feed_end();
	expect_clean();
}
END_TEST

/* A deletion between the two steps of offline counts down the parent's list. */
START_TEST(a_transient_count_is_legal)
{
	begin();
	REC(CSS_OFFLINE, .obj = MEMCG(2), .arg = {O(MEMCG(1))});
	alloc(1);
	alloc(2);
	add(1, 2, 1, 1);
	add(2, 2, 2, 2);
	del(1, 1, -1, 1);
	REC(LRU_MOVE, .obj = LIST(2), .arg = {O(LRU(1)), O(LIST(1)), 2, 1});
	offline();
	REC(CSS_OFFLINE_END, .obj = MEMCG(2));
	feed_end();
	expect_clean();
}
END_TEST

/* With nobody on his way out there is no excuse. */
START_TEST(a_counter_that_is_wrong_for_a_moment)
{
	begin();
	alloc(1);
	add(1, 2, 1, 1);
	del(1, 1, -1, 0);
	expect_only(NAME, LIST(1), "counter is wrong");
}
END_TEST

START_TEST(a_counter_that_stays_wrong)
{
	begin();
	REC(CSS_OFFLINE, .obj = MEMCG(2), .arg = {O(MEMCG(1))});
	alloc(1);
	alloc(2);
	add(1, 2, 1, 1);
	add(2, 2, 2, 2);
	del(1, 1, -1, 1);
	REC(LRU_MOVE, .obj = LIST(2), .arg = {O(LRU(1)), O(LIST(1)), 1, 0});
	offline();
	feed_end();
	expect_only(NAME, LIST(1), "counter is wrong");
}
END_TEST

START_TEST(a_total_that_is_wrong)
{
	begin();
	alloc(1);
	add(1, 2, 1, 2);
	expect_only(NAME, LRU(1), "total is wrong");
}
END_TEST

START_TEST(an_item_that_is_left_behind)
{
	uint64_t seq;

	begin();
	alloc(1);
	REC(LRU_MOVE, .obj = LIST(2), .arg = {O(LRU(1)), O(LIST(1)), 0, 0});
	seq = add(1, 2, 1, 1);
	offline();
	feed_end();
	ck_assert_uint_eq(expect_only(NAME, OBJECT(1), "on the wrong list")->related[0], seq);
}
END_TEST

/* Whoever gets the index next would have somebody else's items. */
START_TEST(an_index_that_is_reused_too_early)
{
	begin();
	alloc(1);
	add(1, 2, 1, 1);
	offline();
	REC(OBJ_NEW, .obj = MEMCG(3), .arg = {O(MEMCG(1))});
	REC(CSS_ONLINE, .obj = MEMCG(3), .arg = {0, 0});
	expect_only(NAME, MEMCG(3), "index reused");
}
END_TEST

START_TEST(a_list_that_is_freed_with_items)
{
	begin();
	alloc(1);
	add(1, 2, 1, 1);
	REC(OBJ_FREE, .obj = LIST(2));
	expect_only(NAME, LIST(2), "list lost");
}
END_TEST

START_TEST(an_item_that_is_freed_on_its_list)
{
	begin();
	alloc(1);
	add(1, 2, 1, 1);
	REC(OBJECT_FREE, .obj = OBJECT(1));
	expect_only(NAME, OBJECT(1), "freed on a list");
}
END_TEST

START_TEST(an_item_added_or_deleted_twice)
{
	begin();
	alloc(1);
	add(1, 2, 1, 1);
	add(1, 2, 2, 2);
	expect_only(NAME, OBJECT(1), "added twice");

	begin();
	alloc(1);
	alloc(2);
	add(1, 2, 1, 1);
	add(2, 2, 2, 2);
	del(1, 2, 1, 1);
	del(1, 2, 0, 0);
	expect_only(NAME, OBJECT(1), "not on a list");
}
END_TEST

/* From v5.9 on an object's objcg says who pays. */
START_TEST(an_objcg_says_who_pays)
{
	begin();
	REC(OBJ_NEW, .obj = oid_make(OBJ_OBJCG, 1), .arg = {O(MEMCG(2))});
	REC(OBJECT_ALLOC, .obj = OBJECT(1), .arg = {O(CACHE(9)), O(SLAB(1))});
	REC(BYTES_CHARGE, .obj = OBJECT(1), .arg = {O(oid_make(OBJ_OBJCG, 1)), 192});
	add(1, 1, 1, 1);
	feed_end();
	expect_only(NAME, OBJECT(1), "on the wrong list");
}
END_TEST

/* Lists that know of no memcg are nobody's in particular. */
START_TEST(one_list_for_everybody)
{
	begin();
	REC(LRU_NEW, .obj = LRU(2), .arg = {false, -1});
	REC(LRU_LIST_NEW, .obj = LIST(3), .arg = {O(LRU(2)), -1});
	alloc(1);
	REC(LRU_ADD, .obj = OBJECT(1), .arg = {O(LRU(2)), O(LIST(3)), 1, 1});
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(a_list_that_nobody_leads_to)
{
	begin();
	REC(LRU_LIST_NEW, .obj = LIST(3), .arg = {O(LRU(1)), 7});
	REC(OBJ_PUBLISH, .obj = LIST(3), .arg = {7});
	feed_end();
	expect_only(NAME, LIST(3), "list of nobody");
}
END_TEST

START_TEST(a_count_that_was_never_true)
{
	begin();
	alloc(1);
	alloc(2);
	REC(LRU_COUNT, .obj = LRU(1), .task = 5);
	add(1, 2, 1, 1);
	add(2, 2, 2, 2);
	REC(LRU_COUNT, .obj = LRU(1), .arg = {1, true}, .task = 5);
	expect_clean();
	REC(LRU_COUNT, .obj = LRU(1), .task = 5);
	REC(LRU_COUNT, .obj = LRU(1), .arg = {1, true}, .task = 5);
	expect_only(NAME, LRU(1), "miscounted");
}
END_TEST

static void map_and_item(unsigned int nr_set)
{
	begin();
	REC(SHRINKER_MAP_NEW, .obj = MAP(1), .arg = {O(MEMCG(2)), 0, 64, nr_set});
	alloc(1);
	add(1, 2, 1, 1);
}

START_TEST(a_bit_that_is_lost)
{
	map_and_item(0);
	feed_end();
	expect_only(NAME, MEMCG(2), "shrinker bit is clear");

	map_and_item(0);
	REC(SHRINKER_BIT, .obj = MAP(1), .arg = {O(MEMCG(2)), 3, true});
	feed_end();
	expect_clean();
}
END_TEST

/* What is set in a bitmap that was replaced is not set. */
START_TEST(only_the_newest_bitmap_counts)
{
	map_and_item(0);
	REC(SHRINKER_MAP_NEW, .obj = MAP(2), .arg = {O(MEMCG(2)), 0, 128, 0});
	REC(SHRINKER_BIT, .obj = MAP(1), .arg = {O(MEMCG(2)), 3, true});
	feed_end();
	expect_only(NAME, MEMCG(2), "shrinker bit is clear");

	map_and_item(0);
	REC(SHRINKER_MAP_NEW, .obj = MAP(2), .arg = {O(MEMCG(2)), 0, 128, 64});
	feed_end();
	expect_clean();
}
END_TEST

Suite *suite_check_list_lru(void)
{
	Suite *s = suite_create("check_list_lru");
	TCase *tc = tcase_create("records");

	tcase_add_test(tc, items_come_and_go);
	tcase_add_test(tc, a_transient_count_is_legal);
	tcase_add_test(tc, a_counter_that_is_wrong_for_a_moment);
	tcase_add_test(tc, a_counter_that_stays_wrong);
	tcase_add_test(tc, a_total_that_is_wrong);
	tcase_add_test(tc, an_item_that_is_left_behind);
	tcase_add_test(tc, an_index_that_is_reused_too_early);
	tcase_add_test(tc, a_list_that_is_freed_with_items);
	tcase_add_test(tc, an_item_that_is_freed_on_its_list);
	tcase_add_test(tc, an_item_added_or_deleted_twice);
	tcase_add_test(tc, an_objcg_says_who_pays);
	tcase_add_test(tc, one_list_for_everybody);
	tcase_add_test(tc, a_list_that_nobody_leads_to);
	tcase_add_test(tc, a_count_that_was_never_true);
	tcase_add_test(tc, a_bit_that_is_lost);
	tcase_add_test(tc, only_the_newest_bitmap_counts);
	suite_add_tcase(s, tc);
	return s;
}
