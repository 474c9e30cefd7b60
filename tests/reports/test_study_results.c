// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables and CSV of a small result, and what they do with what is missing.
 */

#include <check.h>
#include <math.h>
#include <string.h>

#include "reports/study_results.h"
#include "reports/text.h"

Suite *suite_study_results(void);

static struct study_plan study;
static struct study_series series[2];
static struct study_metric metrics[2];
static char *claims[] = {(char *)"a claim", (char *)"another, with more words", NULL};
static struct study_results *results;

static void make(enum study_axis axis, guint nr_x, unsigned int replications)
{
	study = (struct study_plan){.title = (char *)"a title", .claims = claims, .axis = axis};
	study.x_unit = (char *)(axis == AXIS_NONE ? "" : "boxes");
	study.series = g_ptr_array_new();
	study.metrics = g_ptr_array_new();
	study.x = g_array_new(FALSE, FALSE, sizeof(double));
	for (guint i = 0; i < nr_x; i++) {
		double x = i * 10;

		g_array_append_val(study.x, x);
	}
	for (int i = 0; i < 2; i++) {
		series[i].name = (char *)(i == 0 ? "v4.0" : "with, comma");
		metrics[i].name = (char *)(i == 0 ? "first" : "second");
		metrics[i].unit = (char *)"us";
		g_ptr_array_add(study.series, &series[i]);
		g_ptr_array_add(study.metrics, &metrics[i]);
	}
	results = study_results_new(&study, "name", 7, replications);
}

static void teardown(void)
{
	study_results_free(results);
	g_ptr_array_unref(study.series);
	g_ptr_array_unref(study.metrics);
	g_array_unref(study.x);
}

static char *written(void (*write)(const struct study_results *r, struct output *o))
{
	struct output *o = output_memory();
	char *text;

	write(results, o);
	text = g_strndup(o->buf, o->len);
	output_discard(o);
	return text;
}

static void has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part), "no '%s' in:\n%s", part, text);
}

START_TEST(tables_have_means_and_intervals)
{
	g_autofree char *text = NULL;

	make(AXIS_PARAMETER, 2, 3);
	for (unsigned int k = 0; k < 3; k++) {
		study_results_set(results, 0, 0, 0, k, 100);
		study_results_set(results, 0, 0, 1, k, 1000 + 10.0 * k);
		study_results_set(results, 0, 1, 1, k, 0.25);
	}
	study_results_finish(results);
	text = written(study_text_tables);
	has(text,
	    "name: a title\n2 series, 3 replications, seeds 7 to 9; mean +- half of its 95 %");
	has(text, "first (us)\n"
		  "  boxes          0           10\n"
		  "  v4.0         100    1010 +-25\n"
		  "  with, comma    -  0.2500\n");
}
END_TEST

START_TEST(one_value_is_a_bar)
{
	g_autofree char *text = NULL;

	make(AXIS_NONE, 1, 1);
	study_results_set(results, 0, 0, 0, 0, 20);
	study_results_set(results, 0, 1, 0, 0, 5);
	study_results_finish(results);
	text = written(study_text_tables);
	has(text, "2 series, seed 7; one replication has no intervals\n");
	has(text, "  v4.0         20  ########################################\n"
		  "  with, comma   5  ##########\n");
}
END_TEST

START_TEST(many_values_are_a_curve_and_some_columns)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	make(AXIS_TIME, 200, 2);
	for (guint x = 0; x < 200; x++) {
		for (unsigned int k = 0; k < 2; k++)
			study_results_set(results, 0, 0, x, k, 1000.0 * x + k);
	}
	study_results_finish(results);
	text = written(study_text_tables);
	has(text, "  v4.0         ......::::::======######");
	has(text, " 1990\n");
	lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i]; i++) {
		ck_assert_msg(strlen(lines[i]) <= TEXT_COLUMNS, "too wide: %s", lines[i]);
		ck_assert_msg(!g_str_has_suffix(lines[i], " "), "space at the end: '%s'", lines[i]);
	}
}
END_TEST

START_TEST(claims_are_wrapped)
{
	g_autofree char *text = NULL;

	make(AXIS_NONE, 1, 1);
	study_results_finish(results);
	results->verdicts[0] = (struct study_verdict){true, g_strdup("1 > 0")};
	results->verdicts[1] = (struct study_verdict){
		false, g_strdup("a very long sentence that says which figures the claim was held "
				"against, and goes on in the next line")};
	text = written(study_text_claims);
	has(text,
	    "  supported      a claim\n                 1 > 0\n"
	    "  NOT SUPPORTED  another, with more words\n"
	    "                 a very long sentence that says which figures the claim was held "
	    "against, and goes\n                 on in the next line\n");
	ck_assert_uint_eq(study_supported(results), 1);
}
END_TEST

START_TEST(csv_has_a_line_for_what_has_a_value)
{
	g_autofree char *text = NULL;

	make(AXIS_PARAMETER, 2, 2);
	study_results_set(results, 0, 0, 0, 0, 1);
	study_results_set(results, 0, 0, 0, 1, 2);
	study_results_set(results, 0, 1, 1, 0, 1.0 / 3);
	study_results_finish(results);
	text = written(study_csv);
	has(text, "study,series,x,x_unit,metric,unit,replications,mean,ci_low,ci_high\n"
		  "name,v4.0,0,boxes,first,us,2,1.5,-4.85310237,7.85310237\n"
		  "name,\"with, comma\",10,boxes,first,us,1,0.333333333,,\n");
}
END_TEST

Suite *suite_study_results(void)
{
	Suite *s = suite_create("study_results");
	TCase *tc = tcase_create("study_results");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, tables_have_means_and_intervals);
	tcase_add_test(tc, one_value_is_a_bar);
	tcase_add_test(tc, many_values_are_a_curve_and_some_columns);
	tcase_add_test(tc, claims_are_wrapped);
	tcase_add_test(tc, csv_has_a_line_for_what_has_a_value);
	suite_add_tcase(s, tc);
	return s;
}
