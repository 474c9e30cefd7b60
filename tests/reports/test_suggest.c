// SPDX-License-Identifier: GPL-2.0-only
#include <check.h>
#include <limits.h>
#include <string.h>

#include "reports/suggest.h"

Suite *suite_suggest(void);

static const char *const names[] = {"--seed", "--set", "--runs", "--no-check", "--lifecycle", NULL};

START_TEST(distance_counts_edits)
{
	ck_assert_uint_eq(suggest_distance("", ""), 0);
	ck_assert_uint_eq(suggest_distance("", "abc"), 3);
	ck_assert_uint_eq(suggest_distance("seed", "seed"), 0);
	ck_assert_uint_eq(suggest_distance("seed", "sed"), 1);
	ck_assert_uint_eq(suggest_distance("seed", "sede"), 1);
	ck_assert_uint_eq(suggest_distance("kitten", "sitting"), 3);
}
END_TEST

START_TEST(closest_name_wins)
{
	ck_assert_str_eq(suggest("--sede", names), "--seed");
	ck_assert_str_eq(suggest("--lifecylce", names), "--lifecycle");
	ck_assert_str_eq(suggest("--run", names), "--runs");
	ck_assert_str_eq(suggest("--life", names), "--lifecycle");
}
END_TEST

START_TEST(far_names_are_not_suggested)
{
	char longer[1000];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	ck_assert_ptr_null(suggest("--banana", names));
	ck_assert_ptr_null(suggest("", names));
	ck_assert_ptr_null(suggest(longer, names));
	ck_assert_uint_eq(suggest_distance(longer, "a"), UINT_MAX);
}
END_TEST

Suite *suite_suggest(void)
{
	Suite *s = suite_create("suggest");
	TCase *tc = tcase_create("suggest");

	tcase_add_test(tc, distance_counts_edits);
	tcase_add_test(tc, closest_name_wins);
	tcase_add_test(tc, far_names_are_not_suggested);
	suite_add_tcase(s, tc);
	return s;
}
