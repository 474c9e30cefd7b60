// SPDX-License-Identifier: GPL-2.0-only
#include "tests/check/feed.h"

Suite *suite_check_slot(void);

#define NAME "slot"

static void setup(void)
{
	feed_begin(NAME);
}

static void show(int child, int root, int id)
{
	REC(CACHE_SLOT_SET, .obj = CACHE(child), .arg = {O(CACHE(root)), id});
}

static void clear(int child, int root, int id)
{
	REC(CACHE_SLOT_CLEAR, .obj = CACHE(child), .arg = {O(CACHE(root)), id});
}

static void free_cache(int n)
{
	REC(OBJ_FREE, .obj = CACHE(n));
}

START_TEST(a_slot_is_set_cleared_and_used_again)
{
	show(2, 1, 0);
	show(3, 1, 1);
	clear(2, 1, 0);
	free_cache(2);
	REC(KMEMCG_ID_FREE, .obj = MEMCG(2), .arg = {0, -1});
	show(4, 1, 0);
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(slots_of_two_roots_are_different)
{
	show(2, 1, 0);
	show(4, 3, 0);
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(a_slot_that_shows_a_child_is_not_set)
{
	show(2, 1, 0);
	show(3, 1, 0);
	expect_only(NAME, CACHE(3), "overwritten slot: 0 of cache:1 showed cache:2 since seq 1");
}
END_TEST

START_TEST(a_slot_is_cleared_for_whom_it_shows)
{
	show(2, 1, 0);
	clear(3, 1, 0);
	expect_only(NAME, CACHE(3),
		    "wrong slot: 0 of cache:1 is cleared for cache:3 and showed cache:2");
}
END_TEST

START_TEST(a_free_index_has_no_slot)
{
	show(2, 1, 5);
	REC(KMEMCG_ID_FREE, .obj = MEMCG(2), .arg = {5, -1});
	expect_only(NAME, CACHE(2),
		    "occupied slot: index 5 is free, but a slot shows cache:2 since seq 1");
}
END_TEST

START_TEST(a_freed_child_is_not_shown_in_the_end)
{
	show(2, 1, 0);
	free_cache(2);
	expect_clean();
	feed_end();
	expect_only(NAME, CACHE(2),
		    "dangling slot: cache:2 is freed, but slot 0 of cache:1 shows it");
}
END_TEST

/* The slots go with it, in whatever order. */
START_TEST(a_freed_root_shows_nothing)
{
	show(2, 1, 0);
	free_cache(2);
	free_cache(1);
	feed_end();
	expect_clean();
}
END_TEST

Suite *suite_check_slot(void)
{
	Suite *s = suite_create("check_slot");
	TCase *tc = tcase_create("slot");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_slot_is_set_cleared_and_used_again);
	tcase_add_test(tc, slots_of_two_roots_are_different);
	tcase_add_test(tc, a_slot_that_shows_a_child_is_not_set);
	tcase_add_test(tc, a_slot_is_cleared_for_whom_it_shows);
	tcase_add_test(tc, a_free_index_has_no_slot);
	tcase_add_test(tc, a_freed_child_is_not_shown_in_the_end);
	tcase_add_test(tc, a_freed_root_shows_nothing);
	suite_add_tcase(s, tc);
	return s;
}
