// SPDX-License-Identifier: GPL-2.0-only
#include "tests/check/feed.h"

Suite *suite_check_refcount(void);

#define NAME "refcount"
#define C CACHE(1)

static void setup(void)
{
	feed_begin(NAME);
}

/* What percpu_ref_kill() leaves behind until its grace period has passed. */
static void kill_ref(void)
{
	REC(REF_KILL, .obj = C, .arg = {0});
	REC(REF_GET, .obj = C, .arg = {1, HOLD_SWITCH});
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_BASE});
}

static void switched(int64_t count)
{
	REC(REF_ATOMIC, .obj = C, .arg = {count});
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_SWITCH});
}

START_TEST(whole_life_of_a_percpu_ref_is_legal)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1}, .str = "kmem_cache");
	REC(REF_TRYGET, .obj = C, .arg = {1, HOLD_ALLOC, O(TASK(1)), 0});
	REC(REF_GET, .obj = C, .arg = {2, HOLD_SLAB_PAGE, O(SLAB(1))});
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_ALLOC, O(TASK(1))});
	kill_ref();
	switched(3);
	REC(REF_TRYGET, .obj = C, .arg = {0, HOLD_ALLOC, O(TASK(1)), 1});
	REC(REF_PUT, .obj = C, .arg = {2, HOLD_SLAB_PAGE, O(SLAB(1))});
	REC(REF_ZERO, .obj = C);
	REC(REF_EXIT, .obj = C, .arg = {0, 0});
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(moving_references_keeps_the_count)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	REC(REF_GET, .obj = C, .arg = {32, HOLD_CHARGE});
	REC(REF_MOVE, .obj = C, .arg = {31, HOLD_CHARGE, HOLD_STOCK});
	REC(REF_PUT, .obj = C, .arg = {31, HOLD_STOCK});
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_CHARGE});
	kill_ref();
	switched(1);
	REC(REF_ZERO, .obj = C);
	feed_end();
	expect_clean();
}
END_TEST

/* A plain counter does not say whose its first reference is. */
START_TEST(plain_counter_gives_its_first_reference_to_anybody)
{
	REC(REF_INIT, .obj = C, .arg = {1, 0}, .str = "refcount");
	REC(REF_GET, .obj = C, .arg = {1, HOLD_USER});
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_USER});
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_USER});
	REC(REF_ZERO, .obj = C);
	expect_clean();
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_USER});
	expect(0, NAME, C, "put after zero");
}
END_TEST

/* The set-up may make counters without a word. */
START_TEST(counter_that_was_never_initialised_is_not_judged)
{
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_CSS});
	REC(REF_KILL, .obj = C);
	REC(REF_ATOMIC, .obj = C, .arg = {5});
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(put_without_a_get)
{
	const struct violation *v;

	REC(REF_INIT, .obj = C, .arg = {1, 1});
	REC(REF_GET, .obj = C, .arg = {1, HOLD_ALLOC});
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_ALLOC});
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_ALLOC});
	v = expect_only(NAME, C, "unbalanced put: allocation in flight gives back 1 and holds 0");
	ck_assert_uint_eq(v->related[0], 2);
}
END_TEST

START_TEST(put_in_the_name_of_somebody_else)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	REC(REF_GET, .obj = C, .arg = {1, HOLD_ALLOC});
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_SLAB_PAGE});
	expect_only(NAME, C, "unbalanced put: slab page");
}
END_TEST

START_TEST(get_on_zero)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	kill_ref();
	switched(1);
	REC(REF_ZERO, .obj = C);
	REC(REF_GET, .obj = C, .arg = {1, HOLD_TEMP});
	ck_assert_uint_eq(expect_only(NAME, C, "get on zero")->related[0], 7);
}
END_TEST

START_TEST(tryget_that_succeeds_on_zero)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	kill_ref();
	switched(1);
	REC(REF_ZERO, .obj = C);
	REC(REF_TRYGET, .obj = C, .arg = {1, HOLD_ALLOC, 0, 0});
	expect_only(NAME, C, "get on zero");
}
END_TEST

START_TEST(tryget_live_after_the_kill_is_confirmed)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	kill_ref();
	REC(REF_TRYGET, .obj = C, .arg = {1, HOLD_ALLOC, 0, 1});
	expect_clean();
	REC(REF_ATOMIC, .obj = C, .arg = {2});
	REC(REF_TRYGET, .obj = C, .arg = {1, HOLD_ALLOC, 0, 1});
	expect_only(NAME, C, "tryget_live succeeds");
}
END_TEST

START_TEST(killed_twice)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	kill_ref();
	REC(REF_KILL, .obj = C, .arg = {1});
	ck_assert_uint_eq(expect_only(NAME, C, "killed twice")->related[0], 2);
}
END_TEST

START_TEST(released_twice)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	kill_ref();
	switched(1);
	REC(REF_ZERO, .obj = C);
	REC(REF_ZERO, .obj = C);
	expect_only(NAME, C, "released twice");
}
END_TEST

START_TEST(released_while_somebody_holds_it)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	REC(REF_GET, .obj = C, .arg = {2, HOLD_SLAB_PAGE});
	kill_ref();
	switched(3);
	REC(REF_ZERO, .obj = C);
	expect_only(NAME, C, "released while referenced: 2 in the ledger (2 by slab page)");
}
END_TEST

START_TEST(wrong_sum_after_the_switch)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	REC(REF_GET, .obj = C, .arg = {2, HOLD_SLAB_PAGE});
	kill_ref();
	REC(REF_ATOMIC, .obj = C, .arg = {2});
	expect_only(NAME, C, "wrong count: 2 in the counter, 3 in the ledger");
}
END_TEST

START_TEST(exit_while_switching)
{
	const struct violation *v;

	REC(REF_INIT, .obj = C, .arg = {1, 1});
	kill_ref();
	REC(REF_EXIT, .obj = C, .arg = {1, -1});
	v = expect_only(NAME, C, "percpu_ref_exit on a ref that is still switching");
	ck_assert_uint_eq(v->related[0], 1);
	ck_assert_uint_eq(v->related[1], 2);
	/* The callback comes all the same. */
	REC(REF_ATOMIC, .obj = C, .arg = {1});
	expect(1, NAME, C, "ref_atomic after percpu_ref_exit");
}
END_TEST

START_TEST(exit_with_references)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	REC(REF_GET, .obj = C, .arg = {4, HOLD_SLAB_PAGE});
	REC(REF_EXIT, .obj = C, .arg = {0, -1});
	expect_only(NAME, C, "percpu_ref_exit with references: 4 by slab page");
}
END_TEST

/* Root destruction frees active children; creation may fail half way. */
START_TEST(exit_of_a_counter_that_nobody_uses_is_legal)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	REC(REF_EXIT, .obj = C, .arg = {0, -1});
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(resurrected_counter_starts_again)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	REC(REF_GET, .obj = C, .arg = {1, HOLD_TEMP});
	kill_ref();
	switched(2);
	REC(REF_INIT, .obj = C, .arg = {2, 1});
	REC(REF_PUT, .obj = C, .arg = {1, HOLD_TEMP});
	kill_ref();
	switched(1);
	REC(REF_ZERO, .obj = C);
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(initialised_while_alive)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	expect_only(NAME, C, "initialised twice");
}
END_TEST

START_TEST(nobody_noticed_the_last_put)
{
	REC(REF_INIT, .obj = C, .arg = {1, 1});
	kill_ref();
	switched(1);
	feed_end();
	expect_only(NAME, C, "never released");
}
END_TEST

Suite *suite_check_refcount(void)
{
	Suite *s = suite_create("check_refcount");
	TCase *tc = tcase_create("check_refcount");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, whole_life_of_a_percpu_ref_is_legal);
	tcase_add_test(tc, moving_references_keeps_the_count);
	tcase_add_test(tc, plain_counter_gives_its_first_reference_to_anybody);
	tcase_add_test(tc, counter_that_was_never_initialised_is_not_judged);
	tcase_add_test(tc, put_without_a_get);
	tcase_add_test(tc, put_in_the_name_of_somebody_else);
	tcase_add_test(tc, get_on_zero);
	tcase_add_test(tc, tryget_that_succeeds_on_zero);
	tcase_add_test(tc, tryget_live_after_the_kill_is_confirmed);
	tcase_add_test(tc, killed_twice);
	tcase_add_test(tc, released_twice);
	tcase_add_test(tc, released_while_somebody_holds_it);
	tcase_add_test(tc, wrong_sum_after_the_switch);
	tcase_add_test(tc, exit_while_switching);
	tcase_add_test(tc, exit_with_references);
	tcase_add_test(tc, exit_of_a_counter_that_nobody_uses_is_legal);
	tcase_add_test(tc, resurrected_counter_starts_again);
	tcase_add_test(tc, initialised_while_alive);
	tcase_add_test(tc, nobody_noticed_the_last_put);
	suite_add_tcase(s, tc);
	return s;
}
