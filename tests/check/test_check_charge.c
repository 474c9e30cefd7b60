// SPDX-License-Identifier: GPL-2.0-only
#include "tests/check/feed.h"

Suite *suite_check_charge(void);

#define NAME "charge"

/* memcg:1 is the root, 2 below it, 3 and 4 below 2. */
static int64_t usage[5];

static void setup(void)
{
	static const int parents[] = {0, 0, 1, 2, 2};

	feed_begin(NAME);
	memset(usage, 0, sizeof(usage));
	for (int i = 1; i <= 4; i++) {
		REC(OBJ_NEW, .obj = MEMCG(i), .arg = {parents[i] ? O(MEMCG(parents[i])) : 0});
		REC(CSS_ONLINE, .obj = MEMCG(i));
	}
}

/* The counters of @i and everything above it. */
static void charge(int i, int64_t pages)
{
	for (; i; i = i > 2 ? 2 : i - 1) {
		usage[i] += pages;
		if (pages > 0)
			REC(COUNTER_CHARGE, .obj = MEMCG(i), .arg = {pages, usage[i]},
			    .str = "memory");
		else
			REC(COUNTER_UNCHARGE, .obj = MEMCG(i), .arg = {-pages, usage[i]},
			    .str = "memory");
	}
}

static void charge_slab(int slab, int i, int64_t pages)
{
	REC(SLAB_CHARGE, .obj = SLAB(slab), .arg = {O(CACHE(1)), O(MEMCG(i)), pages, 0});
}

static void uncharge_slab(int slab, int i, int64_t pages)
{
	REC(SLAB_UNCHARGE, .obj = SLAB(slab), .arg = {O(CACHE(1)), O(MEMCG(i)), pages});
}

static void offline(int i)
{
	REC(CSS_KILLED, .obj = MEMCG(i));
	REC(CSS_OFFLINE, .obj = MEMCG(i), .arg = {O(MEMCG(2))});
}

START_TEST(charged_stocked_and_drained)
{
	charge(3, 32);
	REC(STOCK_REFILL, .obj = MEMCG(3), .arg = {31, 0});
	charge_slab(1, 3, 1);
	REC(STOCK_CONSUME, .obj = MEMCG(3), .arg = {2, 0});
	REC(USER_CHARGE, .obj = MEMCG(3), .arg = {2, 0});
	feed_end();
	REC(STOCK_DRAIN, .obj = MEMCG(3), .arg = {29, 0});
	charge(3, -29);
	REC(USER_UNCHARGE, .obj = MEMCG(3), .arg = {2});
	charge(3, -2);
	uncharge_slab(1, 3, 1);
	charge(3, -1);
	REC(OBJ_FREE, .obj = SLAB(1));
	feed_end();
	expect_clean();
}
END_TEST

/* The page was charged to the child and goes back to the parent: ancestors stay exact. */
START_TEST(reparented_page_leaves_a_residual_below_only)
{
	charge(3, 1);
	charge_slab(1, 3, 1);
	offline(3);
	feed_end();
	uncharge_slab(1, 2, 1);
	charge(2, -1);
	REC(OBJ_FREE, .obj = SLAB(1));
	feed_end();
	expect_clean();
}
END_TEST

/* Between the kill and the reparenting charges go up while uncharges still find the memcg. */
START_TEST(killed_memcg_may_go_below_zero)
{
	REC(CSS_KILLED, .obj = MEMCG(3));
	charge(2, 1);
	charge_slab(1, 2, 1);
	uncharge_slab(1, 3, 1);
	charge(3, -1);
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(failed_charges_count_nothing)
{
	charge(3, 32);
	charge(3, -32);
	REC(SLAB_CHARGE, .obj = SLAB(1), .arg = {O(CACHE(1)), O(MEMCG(3)), 1, -12});
	REC(USER_CHARGE, .obj = MEMCG(3), .arg = {4, -12});
	REC(OBJ_FREE, .obj = SLAB(1));
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(root_memcg_and_unaccounted_pages_are_statistics)
{
	charge_slab(1, 1, 1);
	REC(OBJ_FREE, .obj = SLAB(1));
	REC(SLAB_CHARGE, .obj = SLAB(2), .arg = {O(CACHE(1)), 0, 1, 0});
	REC(SLAB_UNCHARGE, .obj = SLAB(2), .arg = {O(CACHE(1)), 0, 1});
	REC(COUNTER_UNCHARGE, .obj = MEMCG(1), .arg = {1, -1}, .str = "memory");
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(counter_and_ledger_differ)
{
	charge(3, 2);
	REC(COUNTER_CHARGE, .obj = MEMCG(3), .arg = {1, 4}, .str = "memory");
	expect_only(NAME, MEMCG(3), "memory miscounts: usage is 4, charges make it 3");
}
END_TEST

START_TEST(underflow_of_an_online_memcg)
{
	REC(COUNTER_UNCHARGE, .obj = MEMCG(3), .arg = {1, -1}, .str = "kmem");
	expect_only(NAME, MEMCG(3), "kmem underflow: usage is -1");
}
END_TEST

START_TEST(page_uncharged_twice)
{
	const struct violation *v;

	charge_slab(1, 3, 1);
	uncharge_slab(1, 3, 1);
	uncharge_slab(1, 3, 1);
	v = expect_only(NAME, SLAB(1), "uncharged twice: from memcg:3");
	ck_assert_uint_eq(v->related[0], 9);
	ck_assert_uint_eq(v->related[1], 10);
}
END_TEST

START_TEST(page_uncharged_without_a_charge)
{
	uncharge_slab(1, 3, 1);
	expect_only(NAME, SLAB(1), "uncharged without a charge");
}
END_TEST

START_TEST(page_charged_twice)
{
	charge_slab(1, 3, 1);
	charge_slab(1, 4, 1);
	expect_only(NAME, SLAB(1), "charged twice: to memcg:3");
}
END_TEST

START_TEST(page_uncharged_by_another_size)
{
	charge_slab(1, 3, 2);
	uncharge_slab(1, 3, 1);
	expect_only(NAME, SLAB(1), "charged 2 pages, uncharged 1");
}
END_TEST

START_TEST(page_freed_while_charged)
{
	charge_slab(1, 3, 1);
	REC(SLAB_DISCARD, .obj = SLAB(1), .arg = {O(CACHE(1)), 0});
	REC(OBJ_FREE, .obj = SLAB(1));
	ck_assert_uint_eq(expect_only(NAME, SLAB(1), "freed while charged to memcg:3")->related[0],
			  9);
}
END_TEST

START_TEST(more_taken_from_the_stock_than_it_had)
{
	REC(STOCK_REFILL, .obj = MEMCG(3), .arg = {3, 0});
	REC(STOCK_CONSUME, .obj = MEMCG(3), .arg = {1, 1});
	expect_only(NAME, MEMCG(3), "stock overdrawn");
}
END_TEST

START_TEST(charge_that_nothing_stands_for)
{
	charge(3, 5);
	feed_end();
	ck_assert_uint_eq(set->nr_violations, 2);
	expect(0, NAME, MEMCG(2), "memory usage 5 at the end, but 0 slab pages");
	expect(1, NAME, MEMCG(3), "memory usage 5 at the end, but 0 slab pages");
}
END_TEST

START_TEST(ancestor_that_was_not_uncharged)
{
	charge(3, 1);
	charge_slab(1, 3, 1);
	uncharge_slab(1, 3, 1);
	REC(COUNTER_UNCHARGE, .obj = MEMCG(3), .arg = {1, 0}, .str = "memory");
	feed_end();
	expect_only(NAME, MEMCG(2), "memory usage 1 at the end");
}
END_TEST

START_TEST(kmem_counts_slab_pages_alone)
{
	charge(3, 3);
	REC(USER_CHARGE, .obj = MEMCG(3), .arg = {2, 0});
	charge_slab(1, 3, 1);
	REC(COUNTER_CHARGE, .obj = MEMCG(3), .arg = {2, 2}, .str = "kmem");
	REC(COUNTER_CHARGE, .obj = MEMCG(2), .arg = {1, 1}, .str = "kmem");
	feed_end();
	expect_only(NAME, MEMCG(3), "kmem usage 2 at the end, but 1 slab page");
}
END_TEST

/* Of the swap counters, from @i upwards. */
static void charge_swap(int i, int64_t pages)
{
	static int64_t swap[5];

	if (feed_seq < 9)
		memset(swap, 0, sizeof(swap));
	for (; i > 1; i = i > 2 ? 2 : 1) {
		swap[i] += pages;
		if (pages > 0)
			REC(COUNTER_CHARGE, .obj = MEMCG(i), .arg = {pages, swap[i]},
			    .str = "swap");
		else
			REC(COUNTER_UNCHARGE, .obj = MEMCG(i), .arg = {-pages, swap[i]},
			    .str = "swap");
	}
}

#define SWAP(n) oid_make(OBJ_SWAP, n)

START_TEST(pages_that_went_to_swap_and_came_back)
{
	charge_swap(3, 2);
	REC(SWAP_CHARGE, .obj = SWAP(1), .arg = {O(MEMCG(3)), 2, 7});
	feed_end();
	REC(SWAP_UNCHARGE, .obj = SWAP(1), .arg = {O(MEMCG(3)), 2, 7});
	charge_swap(3, -2);
	REC(OBJ_FREE, .obj = MEMCG(3));
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(an_id_that_leads_to_somebody_else)
{
	charge_swap(3, 2);
	REC(SWAP_CHARGE, .obj = SWAP(1), .arg = {O(MEMCG(3)), 2, 7});
	REC(SWAP_UNCHARGE, .obj = SWAP(1), .arg = {O(MEMCG(4)), 2, 7});
	expect(0, NAME, SWAP(1), "leads to memcg:4, but they are charged to memcg:3");
	REC(SWAP_UNCHARGE, .obj = SWAP(2), .arg = {0, 2, 0});
	expect(1, NAME, SWAP(2), "leads to nobody, but they are charged to nobody");
	REC(OBJ_FREE, .obj = MEMCG(3));
	expect(2, NAME, MEMCG(3), "freed while 2 pages in swap are charged to it");
}
END_TEST

START_TEST(a_swap_counter_that_nobody_brought_down)
{
	charge_swap(3, 2);
	REC(SWAP_CHARGE, .obj = SWAP(1), .arg = {O(MEMCG(3)), 2, 7});
	REC(SWAP_UNCHARGE, .obj = SWAP(1), .arg = {O(MEMCG(3)), 2, 7});
	REC(OBJ_FREE, .obj = MEMCG(3));
	feed_end();
	expect_only(NAME, MEMCG(2), "swap usage 2 at the end, but 0 pages in swap");
}
END_TEST

Suite *suite_check_charge(void)
{
	Suite *s = suite_create("check_charge");
	TCase *tc = tcase_create("check_charge");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, charged_stocked_and_drained);
	tcase_add_test(tc, reparented_page_leaves_a_residual_below_only);
	tcase_add_test(tc, killed_memcg_may_go_below_zero);
	tcase_add_test(tc, failed_charges_count_nothing);
	tcase_add_test(tc, root_memcg_and_unaccounted_pages_are_statistics);
	tcase_add_test(tc, counter_and_ledger_differ);
	tcase_add_test(tc, underflow_of_an_online_memcg);
	tcase_add_test(tc, page_uncharged_twice);
	tcase_add_test(tc, page_uncharged_without_a_charge);
	tcase_add_test(tc, page_charged_twice);
	tcase_add_test(tc, page_uncharged_by_another_size);
	tcase_add_test(tc, page_freed_while_charged);
	tcase_add_test(tc, more_taken_from_the_stock_than_it_had);
	tcase_add_test(tc, charge_that_nothing_stands_for);
	tcase_add_test(tc, ancestor_that_was_not_uncharged);
	tcase_add_test(tc, kmem_counts_slab_pages_alone);
	tcase_add_test(tc, pages_that_went_to_swap_and_came_back);
	tcase_add_test(tc, an_id_that_leads_to_somebody_else);
	tcase_add_test(tc, a_swap_counter_that_nobody_brought_down);
	suite_add_tcase(s, tc);
	return s;
}
