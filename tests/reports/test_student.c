// SPDX-License-Identifier: GPL-2.0-only
#include <check.h>
#include <math.h>

#include "reports/student.h"

Suite *suite_student(void);

static void close_to(double is, double should, double by)
{
	ck_assert_msg(fabs(is - should) <= by, "%.9f is not %.9f", is, should);
}

/* The column 0.975 of the tables in print, to all of their digits. */
START_TEST(quantiles_are_those_of_the_tables)
{
	static const struct {
		unsigned int df;
		double t;
	} table[] = {
		{1, 12.706}, {2, 4.303},  {3, 3.182},  {4, 2.776},  {5, 2.571},	  {6, 2.447},
		{7, 2.365},  {8, 2.306},  {9, 2.262},  {10, 2.228}, {19, 2.093},  {20, 2.086},
		{29, 2.045}, {30, 2.042}, {60, 2.000}, {99, 1.984}, {120, 1.980}, {999, 1.962},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		close_to(student_quantile(0.975, table[i].df), table[i].t, 0.0005);
	close_to(student_quantile(0.95, 5), 2.015, 0.0005);
	close_to(student_quantile(0.995, 5), 4.032, 0.0005);
	close_to(student_quantile(0.5, 7), 0, 1e-9);
}
END_TEST

/* Two and three degrees of freedom have a closed form. */
START_TEST(the_distribution_is_exact)
{
	for (double t = -5; t <= 5; t += 0.5) {
		close_to(student_cdf(t, 1), 0.5 + atan(t) / M_PI, 1e-12);
		close_to(student_cdf(t, 2), 0.5 + t / (2 * sqrt(2 + t * t)), 1e-12);
		close_to(student_cdf(t, 3),
			 0.5 + (atan(t / sqrt(3)) + t / sqrt(3) / (1 + t * t / 3)) / M_PI, 1e-12);
		close_to(student_cdf(t, 8) + student_cdf(-t, 8), 1, 1e-12);
	}
	/* With many it is the normal distribution. */
	close_to(student_cdf(1.959964, 100000), 0.975, 1e-5);
}
END_TEST

START_TEST(an_interval_is_around_the_mean)
{
	static const double values[] = {1, 2, 3, 4, 5};
	struct interval in = mean_interval(values, 5);

	/* 2.776445 * sqrt(2.5 / 5) */
	close_to(in.mean, 3, 1e-12);
	close_to(in.high - 3, 1.963243, 1e-6);
	close_to(3 - in.low, 1.963243, 1e-6);
}
END_TEST

START_TEST(equal_values_leave_no_doubt)
{
	static const double values[] = {7, 7, 7};
	struct interval in = mean_interval(values, 3);

	close_to(in.low, 7, 0);
	close_to(in.high, 7, 0);
}
END_TEST

START_TEST(one_value_has_no_interval)
{
	static const double value = 4;
	struct interval in = mean_interval(&value, 1);

	close_to(in.mean, 4, 0);
	ck_assert(isnan(in.low) && isnan(in.high));
	ck_assert(isnan(mean_interval(NULL, 0).mean));
}
END_TEST

Suite *suite_student(void)
{
	Suite *s = suite_create("student");
	TCase *tc = tcase_create("student");

	tcase_add_test(tc, quantiles_are_those_of_the_tables);
	tcase_add_test(tc, the_distribution_is_exact);
	tcase_add_test(tc, an_interval_is_around_the_mean);
	tcase_add_test(tc, equal_values_leave_no_doubt);
	tcase_add_test(tc, one_value_has_no_interval);
	suite_add_tcase(s, tc);
	return s;
}
