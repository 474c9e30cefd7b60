// SPDX-License-Identifier: GPL-2.0-only
#include "tests/check/feed.h"

Suite *suite_check_stat(void);

#define NAME "stat"
#define OBJCG(n) oid_make(OBJ_OBJCG, n)

enum { USER, SLAB_ITEM };

/* memcg:1 is the root, 2 below it, 3 below 2. */
static void setup(void)
{
	feed_begin(NAME);
	for (int i = 1; i <= 3; i++) {
		REC(OBJ_NEW, .obj = MEMCG(i), .arg = {i > 1 ? O(MEMCG(i - 1)) : 0});
		if (i == 1)
			REC(STAT_COUNT, .obj = MEMCG(1), .arg = {USER, 0, O(MEMCG(1)), 0});
		REC(CSS_ONLINE, .obj = MEMCG(i));
	}
}

static void add(int i, int item, int64_t n, int64_t value)
{
	REC(STAT_ADD, .obj = MEMCG(i), .arg = {item, n, 0, value});
}

static void count(int i, int item, int64_t n, int from, int64_t total)
{
	REC(STAT_COUNT, .obj = MEMCG(i), .arg = {item, n, O(MEMCG(from)), total});
}

static void kill(int i)
{
	REC(CSS_KILLED, .obj = MEMCG(i));
	REC(CSS_OFFLINE, .obj = MEMCG(i), .arg = {O(MEMCG(i - 1))});
}

START_TEST(counted_and_handed_up_the_tree)
{
	REC(USER_CHARGE, .obj = MEMCG(3), .arg = {40, 0});
	add(3, USER, 40, 40);
	feed_end();
	REC(STAT_TAKE, .obj = MEMCG(3), .arg = {USER, 40, 0, 0});
	for (int i = 3; i >= 1; i--)
		count(i, USER, 40, i == 3 ? 3 : i + 1, 40);
	feed_end();
	REC(USER_CHARGE, .obj = MEMCG(3), .arg = {1, -12});
	REC(USER_UNCHARGE, .obj = MEMCG(3), .arg = {40});
	add(3, USER, -40, -40);
	kill(3);
	for (int i = 3; i >= 1; i--)
		count(i, USER, -40, i == 3 ? 3 : i + 1, 0);
	REC(OBJ_FREE, .obj = MEMCG(3));
	feed_end();
	expect_clean();
}
END_TEST

/* Charged below, uncharged at the parent, which has to be told of both. */
START_TEST(a_page_that_was_reparented)
{
	REC(SLAB_CHARGE, .obj = SLAB(1), .arg = {O(CACHE(1)), O(MEMCG(3)), 2, 0});
	add(3, SLAB_ITEM, 2, 2);
	kill(3);
	REC(SLAB_UNCHARGE, .obj = SLAB(1), .arg = {O(CACHE(1)), O(MEMCG(2)), 2});
	add(2, SLAB_ITEM, -2, -2);
	for (int i = 3; i >= 1; i--)
		count(i, SLAB_ITEM, 2, i == 3 ? 3 : i + 1, 2);
	REC(OBJ_FREE, .obj = MEMCG(3));
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(handed_up_at_the_next_flush)
{
	REC(OBJ_NEW, .obj = OBJCG(1), .arg = {O(MEMCG(3))});
	REC(BYTES_CHARGE, .obj = OBJECT(1), .arg = {O(OBJCG(1)), 100});
	add(3, SLAB_ITEM, 100, 100);
	REC(STAT_TAKE, .obj = MEMCG(3), .arg = {SLAB_ITEM, 100, 0, 0});
	count(3, SLAB_ITEM, 100, 3, 100);
	REC(STAT_PASS, .obj = MEMCG(2), .arg = {SLAB_ITEM, 100, O(MEMCG(3)), 100});
	feed_end();
	count(2, SLAB_ITEM, 100, 2, 100);
	REC(OBJCG_REPARENT, .obj = OBJCG(1), .arg = {O(MEMCG(3)), O(MEMCG(2))});
	kill(3);
	REC(OBJ_FREE, .obj = MEMCG(3));
	REC(BYTES_UNCHARGE, .obj = OBJECT(1), .arg = {O(OBJCG(1)), 100});
	add(2, SLAB_ITEM, -100, -100);
	feed_end();
	expect_clean();
}
END_TEST

/* The memory of a memcg is charged in bytes as well, under a number that objects have, too. */
START_TEST(bytes_that_are_no_object)
{
	REC(OBJ_NEW, .obj = OBJCG(1), .arg = {O(MEMCG(2))});
	REC(BYTES_CHARGE, .obj = OBJECT(3), .arg = {O(OBJCG(1)), 100});
	add(2, SLAB_ITEM, 100, 100);
	REC(BYTES_CHARGE, .obj = MEMCG(3), .arg = {O(OBJCG(1)), 7000});
	REC(BYTES_UNCHARGE, .obj = MEMCG(3), .arg = {O(OBJCG(1)), 7000});
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(nothing_is_said_where_nothing_counts)
{
	feed_begin(NAME);
	REC(OBJ_NEW, .obj = MEMCG(1));
	REC(OBJ_NEW, .obj = MEMCG(2), .arg = {O(MEMCG(1))});
	REC(CSS_ONLINE, .obj = MEMCG(2));
	REC(USER_CHARGE, .obj = MEMCG(2), .arg = {7, 0});
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(lost_with_its_memcg)
{
	REC(USER_CHARGE, .obj = MEMCG(3), .arg = {5, 0});
	add(3, USER, 5, 5);
	REC(USER_UNCHARGE, .obj = MEMCG(3), .arg = {5});
	kill(3);
	REC(OBJ_FREE, .obj = MEMCG(3));
	expect(0, NAME, MEMCG(3), "freed with 5 of user that its parent was never told");
	feed_end();
	expect(1, NAME, MEMCG(2), "5 of user were counted below, but 0 are charged there");
}
END_TEST

START_TEST(handed_up_twice)
{
	REC(USER_CHARGE, .obj = MEMCG(3), .arg = {5, 0});
	add(3, USER, 5, 5);
	count(3, USER, 10, 3, 10);
	count(2, USER, 10, 3, 10);
	kill(3);
	REC(OBJ_FREE, .obj = MEMCG(3));
	expect_only(NAME, MEMCG(3), "freed with -5 of user");
}
END_TEST

/* An interrupt between the load and the store: its own addition is gone. */
START_TEST(a_cell_that_forgets)
{
	add(3, USER, 5, 5);
	add(3, USER, 2, 2);
	expect_only(NAME, MEMCG(3),
		    "a CPU's cell of user miscounts: 2, but what it was told makes 7");
}
END_TEST

START_TEST(a_total_that_differs)
{
	REC(USER_CHARGE, .obj = MEMCG(3), .arg = {5, 0});
	add(3, USER, 5, 5);
	count(3, USER, 5, 3, 6);
	expect(0, NAME, MEMCG(3), "the total of user miscounts: 6, but what it was told makes 5");
	feed_end();
	/* Taken from nowhere: the cell still has it. */
	expect(1, NAME, MEMCG(3), "the total has 6, CPUs 5 and 0 wait, but 5 were counted");
}
END_TEST

START_TEST(a_charge_that_nobody_counted)
{
	REC(USER_CHARGE, .obj = MEMCG(3), .arg = {5, 0});
	feed_end();
	expect(0, NAME, MEMCG(2), "0 of user were counted below, but 5 are charged there");
	expect(1, NAME, MEMCG(3), "0 of user were counted below, but 5 are charged there");
}
END_TEST

Suite *suite_check_stat(void)
{
	Suite *s = suite_create("check_stat");
	TCase *tc = tcase_create("check_stat");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, counted_and_handed_up_the_tree);
	tcase_add_test(tc, a_page_that_was_reparented);
	tcase_add_test(tc, handed_up_at_the_next_flush);
	tcase_add_test(tc, bytes_that_are_no_object);
	tcase_add_test(tc, nothing_is_said_where_nothing_counts);
	tcase_add_test(tc, lost_with_its_memcg);
	tcase_add_test(tc, handed_up_twice);
	tcase_add_test(tc, a_cell_that_forgets);
	tcase_add_test(tc, a_total_that_differs);
	tcase_add_test(tc, a_charge_that_nobody_counted);
	suite_add_tcase(s, tc);
	return s;
}
