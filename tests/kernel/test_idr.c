// SPDX-License-Identifier: GPL-2.0-only
/* IDR: the lowest free number, and the pointer behind it. */
#include "sim/kernel/ida.h"

#include <errno.h>
#include <signal.h>

#include "tests/support/sim_fixture.h"

Suite *suite_idr(void);

static struct idr idr;
static int a, b;

static void setup(void)
{
	sim_start(.bare = true);
	idr_init(sim.w, &idr, 0, 65535);
}

START_TEST(numbers_are_given_from_the_lowest_on)
{
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(idr_alloc(&idr, &a), i);
}
END_TEST

START_TEST(the_lowest_free_number_is_given_again)
{
	for (int i = 0; i < 50; i++)
		idr_alloc(&idr, &a);
	idr_remove(&idr, 30);
	idr_remove(&idr, 7);
	idr_remove(&idr, 12);
	ck_assert_int_eq(idr_alloc(&idr, &b), 7);
	ck_assert_int_eq(idr_alloc(&idr, &b), 12);
	ck_assert_int_eq(idr_alloc(&idr, &b), 30);
	ck_assert_int_eq(idr_alloc(&idr, &b), 50);
}
END_TEST

START_TEST(numbers_begin_at_the_minimum)
{
	idr_init(sim.w, &idr, 5, 7);
	ck_assert_int_eq(idr_alloc(&idr, &a), 5);
	ck_assert_ptr_eq(idr_find(&idr, 5), &a);
	ck_assert_ptr_null(idr_find(&idr, 0));
	ck_assert_ptr_null(idr_find(&idr, 4));
}
END_TEST

START_TEST(no_number_is_left_beyond_the_maximum)
{
	idr_init(sim.w, &idr, 1, 40);
	for (int i = 1; i <= 40; i++)
		ck_assert_int_eq(idr_alloc(&idr, NULL), i);
	ck_assert_int_eq(idr_alloc(&idr, NULL), -ENOSPC);
	idr_remove(&idr, 17);
	ck_assert_int_eq(idr_alloc(&idr, NULL), 17);
	ck_assert_int_eq(idr_alloc(&idr, NULL), -ENOSPC);
}
END_TEST

START_TEST(find_gives_the_pointer_of_numbers_in_use_only)
{
	ck_assert_int_eq(idr_alloc(&idr, &a), 0);
	ck_assert_int_eq(idr_alloc(&idr, &b), 1);
	ck_assert_ptr_eq(idr_find(&idr, 0), &a);
	ck_assert_ptr_eq(idr_find(&idr, 1), &b);
	ck_assert_ptr_null(idr_find(&idr, 2));
	ck_assert_ptr_null(idr_find(&idr, -1));
	ck_assert_ptr_null(idr_find(&idr, 1 << 30));
	idr_remove(&idr, 0);
	ck_assert_ptr_null(idr_find(&idr, 0));
	ck_assert_ptr_eq(idr_find(&idr, 1), &b);
}
END_TEST

START_TEST(a_pointer_can_be_set_later)
{
	int id = idr_alloc(&idr, NULL);

	ck_assert_ptr_null(idr_find(&idr, id));
	idr_replace(&idr, id, &a);
	ck_assert_ptr_eq(idr_find(&idr, id), &a);
}
END_TEST

START_TEST(growing_keeps_what_is_there)
{
	static char things[1000];

	for (int i = 0; i < 1000; i++)
		expect(idr_alloc(&idr, &things[i]) == i);
	for (int i = 0; i < 1000; i++)
		expect(idr_find(&idr, i) == &things[i]);
}
END_TEST

START_TEST(removing_a_free_number_is_refused)
{
	idr_alloc(&idr, &a);
	idr_remove(&idr, 1);
}
END_TEST

START_TEST(replacing_a_free_number_is_refused)
{
	idr_replace(&idr, 3, &a);
}
END_TEST

Suite *suite_idr(void)
{
	Suite *s = suite_create("idr");
	TCase *tc = tcase_create("numbers");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, numbers_are_given_from_the_lowest_on);
	tcase_add_test(tc, the_lowest_free_number_is_given_again);
	tcase_add_test(tc, numbers_begin_at_the_minimum);
	tcase_add_test(tc, no_number_is_left_beyond_the_maximum);
	tcase_add_test(tc, find_gives_the_pointer_of_numbers_in_use_only);
	tcase_add_test(tc, a_pointer_can_be_set_later);
	tcase_add_test(tc, growing_keeps_what_is_there);
	tcase_add_test_raise_signal(tc, removing_a_free_number_is_refused, SIGABRT);
	tcase_add_test_raise_signal(tc, replacing_a_free_number_is_refused, SIGABRT);
	suite_add_tcase(s, tc);
	return s;
}
