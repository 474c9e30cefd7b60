// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a study table may say, what is refused, and what claims get to see.
 */

#include <check.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "lua/study_plan.h"

Suite *suite_study_plan(void);

#define START "return scenario { options = { n = { 1, 'x' }, on = { false, 'y' } }, tasks = {}, "

static struct study_plan *read_text(const char *text, GError **error)
{
	g_autofree char *dir = g_dir_make_tmp("slabsim-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "x.lua", NULL);
	struct study_plan *s;

	ck_assert(g_file_set_contents(path, text, -1, NULL));
	s = study_plan_read(path, error);
	g_remove(path);
	g_rmdir(dir);
	return s;
}

/* The fields of a study that has nothing special in it; NULL takes a harmless one. */
static char *text_of(const char *series, const char *x, const char *metrics, const char *claims)
{
	return g_strdup_printf(START "study = { title = 'T', series = { %s }, %s metrics = { %s }, "
				     "claims = { %s } } }",
			       series ? series : "'v5.3'", x ? x : "",
			       metrics ? metrics : "{ 'm', gauge = 'caches' }",
			       claims ? claims : "{ 'c', function(r) return true, '' end }");
}

static struct study_plan *read_fields(const char *series, const char *x, const char *metrics)
{
	g_autofree char *text = text_of(series, x, metrics, NULL);
	g_autoptr(GError) error = NULL;
	struct study_plan *s = read_text(text, &error);

	ck_assert_msg(s != NULL, "%s", error ? error->message : "");
	return s;
}

static void refused(const char *series, const char *x, const char *metrics, const char *claims,
		    const char *message)
{
	g_autofree char *text = text_of(series, x, metrics, claims);
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(read_text(text, &error));
	ck_assert_msg(strstr(error->message, message), "'%s' lacks '%s'", error->message, message);
	ck_assert_msg(strstr(error->message, "x.lua:1: "), "'%s' has no line", error->message);
}

START_TEST(series_are_read)
{
	struct study_plan *s =
		read_fields("'v5.3', { 'old', lifecycle = 'v4.0', variant = { 'none', "
			    "'dying-on-alias' }, set = { n = 3, on = true } }, { 'own' }",
			    NULL, NULL);

	ck_assert_uint_eq(s->series->len, 3);
	ck_assert_str_eq(study_series(s, 0)->name, "v5.3");
	ck_assert_str_eq(study_series(s, 0)->lifecycle, "v5.3");
	ck_assert_str_eq(study_series(s, 1)->lifecycle, "v4.0");
	ck_assert_str_eq(study_series(s, 1)->variants[1], "dying-on-alias");
	ck_assert_str_eq(study_series(s, 1)->sets[0], "n=3");
	ck_assert_str_eq(study_series(s, 1)->sets[1], "on=true");
	ck_assert_ptr_null(study_series(s, 2)->lifecycle);
	ck_assert_int_eq(s->axis, AXIS_NONE);
	ck_assert_uint_eq(s->x->len, 1);
	ck_assert_uint_eq(s->replications, 5);
	ck_assert_str_eq(s->claims[0], "c");
	study_plan_free(s);
}
END_TEST

START_TEST(axes_are_read)
{
	struct study_plan *s =
		read_fields(NULL, "x = { set = 'n', values = { 1, 10 }, unit = 'boxes' },", NULL);

	ck_assert_int_eq(s->axis, AXIS_PARAMETER);
	ck_assert_str_eq(s->parameter, "n");
	ck_assert_str_eq(s->x_unit, "boxes");
	ck_assert_str_eq(s->x_sets[1], "n=10");
	ck_assert(g_array_index(s->x, double, 1) == 10);
	study_plan_free(s);
	s = read_fields(NULL, "x = { every = s(1800), to = s(7200), unit = 'h' },", NULL);
	ck_assert_int_eq(s->axis, AXIS_TIME);
	ck_assert_uint_eq(s->every, UINT64_C(1800000000000));
	ck_assert_uint_eq(s->x->len, 5);
	ck_assert(g_array_index(s->x, double, 1) == 0.5);
	study_plan_free(s);
}
END_TEST

START_TEST(metrics_are_read)
{
	struct study_plan *s = read_fields(
		NULL, NULL,
		"{ 'a', hold = 'slab_mutex', value = 'max', unit = 'ms', during = 'destroy' },"
		"{ 'b', count = 'warn', text = 'w' },"
		"{ 'c', gauge = 'object_bytes', per = { gauge = 'slab_bytes' }, unit = '%', "
		"scale = 100 },"
		"{ 'd', gauge = 'slab_bytes', unit = 'KiB' }, { 'e', measured = 'x' },"
		"{ 'f', elapsed = true }, { 'g', at = 'warn', unit = 's' }");
	const struct study_metric *m = study_metric(s, 0);

	ck_assert_int_eq(m->measure.source, MEASURE_HOLD);
	ck_assert_int_eq(m->measure.value, VALUE_MAX);
	ck_assert_str_eq(m->measure.what, "slab_mutex");
	ck_assert_str_eq(m->measure.during, "destroy");
	ck_assert(m->scale == 1e-6);
	m = study_metric(s, 1);
	ck_assert_int_eq(m->measure.kind, TR_WARN);
	ck_assert_str_eq(m->measure.text, "w");
	ck_assert_str_eq(m->unit, "times");
	m = study_metric(s, 2);
	ck_assert_int_eq(m->per->gauge, GAUGE_SLAB_BYTES);
	ck_assert(m->scale == 100);
	ck_assert(study_metric(s, 3)->scale == 1.0 / 1024);
	ck_assert_int_eq(study_metric(s, 4)->measure.value, VALUE_LAST);
	ck_assert_str_eq(study_metric(s, 5)->unit, "us");
	ck_assert_int_eq(study_metric(s, 6)->measure.source, MEASURE_AT);
	study_plan_free(s);
}
END_TEST

START_TEST(slips_of_the_pen_are_refused)
{
	refused("", NULL, NULL, NULL, "study.series: expected 1 to 64, got 0");
	refused("'v5.33'", NULL, NULL, NULL, "did you mean 'v5.3'?");
	refused("'v5.3', 'v5.3'", NULL, NULL, NULL, "'v5.3' is a series already");
	refused("{ 'a', set = { m = 1 } }", NULL, NULL, NULL, "unknown parameter 'm'");
	refused("{ 'a', sets = {} }", NULL, NULL, NULL, "did you mean 'set'?");
	refused("{ 'a,b' }", NULL, NULL, NULL, "without commas");
	refused(NULL, "x = {},", NULL, NULL, "expected { set = \"PARAMETER\"");
	refused(NULL, "x = { set = 'nn', values = { 1 } },", NULL, NULL, "did you mean 'n'?");
	refused(NULL, "x = { set = 'n', values = { 2, 1 } },", NULL, NULL,
		"expected more than the value before it, got 1");
	refused(NULL, "x = { set = 'n', values = { 1.5 } },", NULL, NULL,
		"expected a whole number");
	refused(NULL, "x = { every = s(1), to = s(100000) },", NULL, NULL, "100001 samples");
	refused(NULL, "x = { every = s(1), to = s(1), unit = 'days' },", NULL, NULL,
		"did you mean 'day'?");
	refused(NULL, NULL, "{ 'm' }", NULL, "expected one of at, count, elapsed");
	refused(NULL, NULL, "{ 'm', count = 'warn', gauge = 'caches' }", NULL, "two sources");
	refused(NULL, NULL, "{ 'm', count = 'rcu_barier' }", NULL, "did you mean 'rcu_barrier'?");
	refused(NULL, NULL, "{ 'm', gauge = 'cache' }", NULL, "did you mean 'caches'?");
	refused(NULL, NULL, "{ 'm', op = 'remdir' }", NULL, "did you mean 'rmdir'?");
	refused(NULL, NULL, "{ 'm', gauge = 'caches', value = 'sum' }", NULL,
		"unknown value 'sum'");
	refused(NULL, NULL, "{ 'm', hold = 'l', unit = 'KiB' }", NULL, "unknown unit of time");
	refused(NULL, NULL, "{ 'm', gauge = 'caches', per = { gauge = 'slabs' } }", NULL,
		"what is its unit?");
	refused(NULL, NULL, "{ 'm', gauge = 'caches', during = 'rmdir' }", NULL, "has no 'during'");
	refused(NULL, NULL, "{ 'm', hold = 'l', text = 'x' }", NULL, "has no 'text'");
	refused(NULL, NULL, "{ 'm', gauge = 'caches', scale = 0 }", NULL, "a number above 0");
	refused(NULL, NULL, "{ 'm', gauge = 'caches' }, { 'm', gauge = 'slabs' }", NULL,
		"'m' is there already");
	refused(NULL, NULL, NULL, "{ 'c' }", "expected { \"what is claimed\"");
	refused(NULL, NULL, NULL, "{ '\\27[2J', function() end }", "a text in one line");
	refused(NULL, NULL, NULL, "nil", "a claim that the figures can contradict");
}
END_TEST

START_TEST(a_scenario_without_a_study_is_no_study)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(read_text(START "}", &error));
	ck_assert_ptr_nonnull(strstr(error->message, "has no study = { ... }"));
}
END_TEST

/* ---- claims ----------------------------------------------------------------- */

/* One metric, two series at 1, 2, 3: 10 x + run, and 5, in three runs. */
static bool judge(const char *claim, struct study_verdict *v, GError **error)
{
	g_autofree char *dir = g_dir_make_tmp("slabsim-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "x.lua", NULL);
	g_autofree char *text =
		text_of("'v4.0', 'v5.3'", "x = { set = 'n', values = { 1, 2, 3 } },", NULL, claim);
	double values[6][3];
	struct study_cell cells[6];
	const struct run_options opt = {.path = path, .instructions_max = 1000000};
	struct study_plan *s;
	bool ok;

	for (int i = 0; i < 6; i++) {
		for (int k = 0; k < 3; k++)
			values[i][k] = i < 3 ? 10 * (i + 1) + k : 5;
		cells[i] = (struct study_cell){values[i][1], values[i][0] - 1.5, values[i][2] + 1.5,
					       values[i], 3};
	}
	ck_assert(g_file_set_contents(path, text, -1, NULL));
	s = study_plan_read(path, error);
	ck_assert_ptr_nonnull(s);
	ok = study_judge(&opt, s, cells, 4.303, v, error);
	study_plan_free(s);
	g_remove(path);
	g_rmdir(dir);
	return ok;
}

static void says(const char *claim, bool holds, const char *figures)
{
	struct study_verdict v = {0};
	g_autoptr(GError) error = NULL;

	ck_assert_msg(judge(claim, &v, &error), "%s", error ? error->message : "");
	ck_assert_msg(v.holds == holds, "%s: %d", claim, v.holds);
	ck_assert_str_eq(v.figures, figures);
	g_free(v.figures);
}

START_TEST(claims_see_means_and_intervals)
{
	says("{ 'c', function(r) "
	     "return true, r:mean('m', 'v4.0') .. ' ' .. r:mean('m', 'v4.0', 1) end }",
	     true, "31.0 11.0");
	says("{ 'c', function(r) local l, h = r:interval('m', 'v4.0', 2) "
	     "return false, l .. ' ' .. h end }",
	     false, "18.5 23.5");
	says("{ 'c', function(r) return true, #r.x .. r.series[2] end }", true, "3v5.3");
}
END_TEST

/* Two intervals that touch are not apart. */
START_TEST(claims_compare_intervals)
{
	says("{ 'c', function(r) return r:below('m', 'v5.3', 'v4.0'), '' end }", true, "");
	says("{ 'c', function(r) return r:below('m', 'v4.0', 'v5.3'), '' end }", false, "");
	says("{ 'c', function(r) return r:above('m', 'v4.0', 'v5.3', 1), '' end }", true, "");
	says("{ 'c', function(r) return r:below('m', 'v4.0', 33.5), '' end }", false, "");
	says("{ 'c', function(r) return r:below('m', 'v4.0', 33.6), '' end }", true, "");
	says("{ 'c', function(r) return r:above('m', 'v4.0', 28.4), '' end }", true, "");
	says("{ 'c', function(r) return r:above('m', 'v4.0', 28.5), '' end }", false, "");
}
END_TEST

/* 30, 31, 32 against 5: the same spread, around 26. */
START_TEST(claims_see_differences)
{
	says("{ 'c', function(r) local d = r:difference('m', 'v4.0', 'v5.3') "
	     "return d.low < d.mean and d.mean < d.high, d.mean .. string.format(' %.3f', d.high) "
	     "end }",
	     true, "26.0 28.484");
	says("{ 'c', function(r) return r:difference('m', 'v4.0', 'v4.0', 1).high == 0, '' end }",
	     true, "");
}
END_TEST

START_TEST(claims_see_slopes)
{
	says("{ 'c', function(r) local s = r:slope('m', 'v4.0') "
	     "return s.low == s.high, string.format('%.3f %.3f', s.mean, s.r2) end }",
	     true, "10.000 1.000");
	says("{ 'c', function(r) return r:slope('m', 'v5.3', 1, 3).mean == 0, '' end }", true, "");
}
END_TEST

static void fails(const char *claim, const char *message)
{
	struct study_verdict v = {0};
	g_autoptr(GError) error = NULL;

	ck_assert(!judge(claim, &v, &error));
	ck_assert_msg(strstr(error->message, message), "'%s' lacks '%s'", error->message, message);
	g_free(v.figures);
}

START_TEST(claims_that_are_wrong_say_why)
{
	fails("{ 'c', function(r) return r:mean('mm', 'v4.0'), '' end }", "did you mean 'm'?");
	fails("{ 'c', function(r) return r:mean('m', 'v4.1') end }", "did you mean 'v4.0'?");
	fails("{ 'c', function(r) return r:mean('m', 'v4.0', 4) end }", "no point at x = 4");
	fails("{ 'c', function(r) return r:maen('m', 'v4.0') end }", "did you mean 'mean'?");
	fails("{ 'c', function(r) return 1, '' end }", "must return true or false first, got 1");
	fails("{ 'c', function(r) return true end }",
	      "the figures as a string in one line second, got nil");
	fails("{ 'c', function(r) return r:slope('m', 'v4.0', 2) end }", "at least three points");
	fails("{ 'c', function(r) return nothing.at_all end }", "unknown name 'nothing'");
	fails("{ 'c', function(r) while true do end end }", "raise it with --max-instructions");
}
END_TEST

Suite *suite_study_plan(void)
{
	Suite *s = suite_create("study_plan");
	TCase *tc = tcase_create("study_plan");

	tcase_add_test(tc, series_are_read);
	tcase_add_test(tc, axes_are_read);
	tcase_add_test(tc, metrics_are_read);
	tcase_add_test(tc, slips_of_the_pen_are_refused);
	tcase_add_test(tc, a_scenario_without_a_study_is_no_study);
	tcase_add_test(tc, claims_see_means_and_intervals);
	tcase_add_test(tc, claims_compare_intervals);
	tcase_add_test(tc, claims_see_differences);
	tcase_add_test(tc, claims_see_slopes);
	tcase_add_test(tc, claims_that_are_wrong_say_why);
	suite_add_tcase(s, tc);
	return s;
}
