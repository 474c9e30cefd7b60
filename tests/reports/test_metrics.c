// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is made of records that are written by hand: one metric each.
 */

#include <check.h>
#include <glib.h>
#include <math.h>

#include "reports/metrics.h"

Suite *suite_metrics(void);

static struct study_plan *study;
static struct metrics *metrics;

static void setup(void)
{
	double zero = 0;

	study = g_new0(struct study_plan, 1);
	study->series = g_ptr_array_new();
	study->metrics = g_ptr_array_new_with_free_func(g_free);
	study->x = g_array_new(FALSE, FALSE, sizeof(double));
	g_array_append_val(study->x, zero);
	metrics = NULL;
}

static void teardown(void)
{
	if (metrics)
		metrics_free(metrics);
	for (guint i = 0; i < study->metrics->len; i++)
		g_free(study_metric(study, i)->per);
	g_ptr_array_unref(study->series);
	g_ptr_array_unref(study->metrics);
	g_array_unref(study->x);
	g_free(study);
}

/* The unit is what is measured. */
static void metric(struct measure measure)
{
	struct study_metric *m = g_new0(struct study_metric, 1);

	m->scale = 1;
	m->measure = measure;
	g_ptr_array_add(study->metrics, m);
}

static void metric_per(struct measure measure, struct measure per)
{
	struct study_metric *m;

	metric(measure);
	m = g_ptr_array_index(study->metrics, study->metrics->len - 1);
	m->per = g_memdup2(&per, sizeof(per));
}

static void start(vtime_t t)
{
	if (!metrics)
		metrics = metrics_new(study);
	metrics_start(metrics, t);
}

static void record_as(struct trace_record r)
{
	struct run_sink *sink;

	if (!metrics)
		metrics = metrics_new(study);
	sink = metrics_sink(metrics);
	sink->record(sink, &r);
}

#define record(...) record_as((struct trace_record){__VA_ARGS__})

static oid_t memcg(uint64_t nr)
{
	return oid_make(OBJ_MEMCG, nr);
}

static oid_t lock(uint64_t nr)
{
	return oid_make(OBJ_LOCK, nr);
}

/* The value of a metric at the end, which is at @t. */
static double value(guint i, vtime_t t)
{
	metrics_end(metrics, t);
	return metrics_value(metrics, i, 0);
}

static void check(double is, double should)
{
	ck_assert_msg(fabs(is - should) < 1e-9, "%g, not %g", is, should);
}

static void gauge(enum gauge id, enum measure_value v)
{
	metric((struct measure){.source = MEASURE_GAUGE, .gauge = id, .value = v});
}

/* ---- gauges ----------------------------------------------------------------- */

START_TEST(cgroups_die_once)
{
	gauge(GAUGE_CGROUPS, VALUE_LAST);
	gauge(GAUGE_DYING, VALUE_LAST);
	gauge(GAUGE_DYING, VALUE_MAX);
	start(0);
	for (uint64_t i = 1; i <= 3; i++)
		record(.kind = TR_OBJ_NEW, .obj = memcg(i), .t = i);
	record(.kind = TR_REF_KILL, .obj = memcg(1), .t = 4);
	record(.kind = TR_CSS_OFFLINE, .obj = memcg(1), .t = 5);
	record(.kind = TR_CSS_OFFLINE, .obj = memcg(2), .t = 6);
	record(.kind = TR_OBJ_FREE, .obj = memcg(1), .t = 7);
	/* Of something else, and of what was never there. */
	record(.kind = TR_REF_KILL, .obj = oid_make(OBJ_CACHE, 3), .t = 8);
	record(.kind = TR_OBJ_FREE, .obj = memcg(9), .t = 9);
	check(value(0, 10), 2);
	check(metrics_value(metrics, 1, 0), 1);
	check(metrics_value(metrics, 2, 0), 2);
}
END_TEST

START_TEST(caches_slabs_and_objects_are_counted)
{
	oid_t root = oid_make(OBJ_CACHE, 1), child = oid_make(OBJ_CACHE, 2);
	oid_t slab = oid_make(OBJ_SLAB, 1), vector = oid_make(OBJ_VECTOR, 1);
	static const enum gauge all[] = {GAUGE_CACHES,	     GAUGE_CHILD_CACHES, GAUGE_SLABS,
					 GAUGE_SLAB_BYTES,   GAUGE_OBJECTS,	 GAUGE_OBJECT_BYTES,
					 GAUGE_VECTOR_BYTES, GAUGE_KMEM_BYTES};
	static const double before[] = {2, 1, 1, 8192, 2, 384, 128, 8320};
	static const double after[] = {1, 0, 0, 0, 1, 192, 0, 0};

	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		gauge(all[i], VALUE_MAX);
		gauge(all[i], VALUE_LAST);
	}
	start(0);
	record(.kind = TR_CACHE_CREATE, .obj = root, .arg = {0, 0, 192});
	record(.kind = TR_CACHE_CREATE, .obj = child, .arg = {(int64_t)root, 0, 192});
	record(.kind = TR_SLAB_ALLOC, .obj = slab, .arg = {(int64_t)child, 2, 42});
	record(.kind = TR_OBJ_NEW, .obj = vector, .arg = {(int64_t)slab, 128});
	record(.kind = TR_OBJECT_ALLOC, .obj = oid_make(OBJ_OBJ, 1), .arg = {(int64_t)child});
	record(.kind = TR_OBJECT_ALLOC, .obj = oid_make(OBJ_OBJ, 2), .arg = {(int64_t)child});
	record(.kind = TR_OBJECT_ALLOC, .obj = 0, .arg = {(int64_t)child});
	record(.kind = TR_OBJECT_FREE, .obj = oid_make(OBJ_OBJ, 1), .arg = {(int64_t)child});
	record(.kind = TR_OBJ_FREE, .obj = vector);
	record(.kind = TR_SLAB_DISCARD, .obj = slab, .arg = {(int64_t)child});
	record(.kind = TR_OBJ_FREE, .obj = child);
	value(0, 1);
	for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
		check(metrics_value(metrics, 2 * i, 0), before[i]);
		check(metrics_value(metrics, 2 * i + 1, 0), after[i]);
	}
}
END_TEST

/* 1 for 10 ns, 3 for 20 ns: set-up does not count, what it left does. */
START_TEST(a_mean_is_over_time)
{
	gauge(GAUGE_CGROUPS, VALUE_MEAN);
	record(.kind = TR_OBJ_NEW, .obj = memcg(1), .t = 50);
	start(100);
	record(.kind = TR_OBJ_NEW, .obj = memcg(2), .t = 110);
	record(.kind = TR_OBJ_NEW, .obj = memcg(3), .t = 110);
	check(value(0, 130), 70.0 / 30);
}
END_TEST

START_TEST(what_waits_is_counted)
{
	oid_t work = oid_make(OBJ_WORK, 1);

	gauge(GAUGE_CALLBACKS, VALUE_LAST);
	gauge(GAUGE_WORKS, VALUE_LAST);
	gauge(GAUGE_KWORKERS, VALUE_LAST);
	start(0);
	record(.kind = TR_CALL_RCU);
	record(.kind = TR_CALL_RCU);
	record(.kind = TR_RCU_CALLBACK);
	record(.kind = TR_QUEUE_WORK, .obj = work, .arg = {0, 0, 1});
	/* It was pending already. */
	record(.kind = TR_QUEUE_WORK, .obj = work, .arg = {0, 0, 0});
	record(.kind = TR_QUEUE_WORK, .obj = work, .arg = {0, 0, 1});
	record(.kind = TR_QUEUE_WORK, .obj = work, .arg = {0, 0, 1});
	record(.kind = TR_WORK_START, .obj = work);
	record(.kind = TR_WORK_CANCEL, .obj = work, .arg = {1});
	record(.kind = TR_WORK_CANCEL, .obj = work, .arg = {0});
	record(.kind = TR_TASK_START, .ctx = CTX_KWORKER);
	record(.kind = TR_TASK_START, .ctx = CTX_KWORKER);
	record(.kind = TR_TASK_START, .ctx = CTX_TASK);
	record(.kind = TR_TASK_EXIT, .ctx = CTX_KWORKER);
	check(value(0, 1), 1);
	check(metrics_value(metrics, 1, 0), 1);
	check(metrics_value(metrics, 2, 0), 1);
}
END_TEST

START_TEST(a_ratio_of_nothing_is_no_number)
{
	struct measure slabs = {.source = MEASURE_GAUGE, .gauge = GAUGE_SLABS};
	struct measure objects = {.source = MEASURE_GAUGE, .gauge = GAUGE_OBJECTS};

	metric_per(slabs, objects);
	metric_per(objects, slabs);
	start(0);
	record(.kind = TR_SLAB_ALLOC, .obj = oid_make(OBJ_SLAB, 1), .arg = {0, 1, 21});
	ck_assert(isnan(value(0, 1)));
	check(metrics_value(metrics, 1, 0), 0);
}
END_TEST

/* ---- events and locks --------------------------------------------------------- */

START_TEST(records_are_counted_after_set_up)
{
	metric((struct measure){
		.source = MEASURE_COUNT, .kind = TR_RCU_BARRIER_BEGIN, .value = VALUE_COUNT});
	metric((struct measure){.source = MEASURE_COUNT,
				.kind = TR_WARN,
				.text = (char *)"mine",
				.value = VALUE_COUNT});
	metric((struct measure){.source = MEASURE_AT, .kind = TR_WARN, .value = VALUE_LAST});
	metric((struct measure){.source = MEASURE_AT, .kind = TR_FAULT, .value = VALUE_LAST});
	record(.kind = TR_RCU_BARRIER_BEGIN);
	start(100);
	record(.kind = TR_RCU_BARRIER_BEGIN, .t = 110);
	record(.kind = TR_RCU_BARRIER_BEGIN, .t = 120);
	record(.kind = TR_WARN, .str = "mine", .t = 130);
	record(.kind = TR_WARN, .str = "yours", .t = 140);
	check(value(0, 200), 2);
	check(metrics_value(metrics, 1, 0), 1);
	check(metrics_value(metrics, 2, 0), 40);
	ck_assert(isnan(metrics_value(metrics, 3, 0)));
}
END_TEST

static void watch_lock(enum measure_source source, enum measure_value v)
{
	metric((struct measure){.source = source, .what = (char *)"m", .value = v});
}

START_TEST(locks_are_timed)
{
	watch_lock(MEASURE_HOLD, VALUE_SUM);
	watch_lock(MEASURE_HOLD, VALUE_MAX);
	watch_lock(MEASURE_HOLD, VALUE_MEAN);
	watch_lock(MEASURE_HOLD, VALUE_COUNT);
	watch_lock(MEASURE_WAIT, VALUE_SUM);
	watch_lock(MEASURE_WAIT, VALUE_COUNT);
	record(.kind = TR_LOCK_INIT, .obj = lock(1), .str = "m");
	record(.kind = TR_LOCK_INIT, .obj = lock(2), .str = "other");
	/* Taken in set-up: not for the tasks. */
	record(.kind = TR_LOCK_ACQUIRE, .obj = lock(1), .t = 1);
	start(10);
	record(.kind = TR_LOCK_RELEASE, .obj = lock(1), .t = 20);
	record(.kind = TR_LOCK_ACQUIRE, .obj = lock(1), .t = 30, .task = 1);
	record(.kind = TR_LOCK_ACQUIRE, .obj = lock(2), .t = 30, .task = 1);
	record(.kind = TR_LOCK_WAIT, .obj = lock(1), .t = 31, .task = 2);
	record(.kind = TR_LOCK_RELEASE, .obj = lock(1), .t = 40, .task = 1);
	/* Somebody was faster: it is one wait. */
	record(.kind = TR_LOCK_WAIT, .obj = lock(1), .t = 45, .task = 2);
	record(.kind = TR_LOCK_ACQUIRE, .obj = lock(1), .t = 50, .task = 2);
	record(.kind = TR_LOCK_RELEASE, .obj = lock(1), .t = 80, .task = 2);
	/* Readers share it. */
	record(.kind = TR_LOCK_ACQUIRE, .obj = lock(1), .t = 81, .arg = {1});
	record(.kind = TR_LOCK_RELEASE, .obj = lock(1), .t = 99, .arg = {1});
	check(value(0, 100), 40);
	check(metrics_value(metrics, 1, 0), 30);
	check(metrics_value(metrics, 2, 0), 20);
	check(metrics_value(metrics, 3, 0), 2);
	check(metrics_value(metrics, 4, 0), 19);
	check(metrics_value(metrics, 5, 0), 1);
	ck_assert(metrics_known(metrics, 0));
}
END_TEST

START_TEST(a_lock_that_is_not_there_is_noticed)
{
	watch_lock(MEASURE_HOLD, VALUE_SUM);
	metric((struct measure){.source = MEASURE_MEASURED, .what = (char *)"x"});
	gauge(GAUGE_SLABS, VALUE_LAST);
	record(.kind = TR_LOCK_INIT, .obj = lock(2), .str = "other");
	start(0);
	record(.kind = TR_MEASURE, .str = "y", .arg = {4});
	value(0, 1);
	ck_assert(!metrics_known(metrics, 0));
	ck_assert(!metrics_known(metrics, 1));
	ck_assert(metrics_known(metrics, 2));
}
END_TEST

START_TEST(operations_are_timed_and_can_be_the_limits)
{
	metric((struct measure){.source = MEASURE_OP, .what = (char *)"rmdir", .value = VALUE_SUM});
	metric((struct measure){.source = MEASURE_OP, .what = (char *)"rmdir", .value = VALUE_MAX});
	metric((struct measure){.source = MEASURE_COUNT,
				.kind = TR_RCU_GP_END,
				.during = (char *)"rmdir",
				.value = VALUE_COUNT});
	start(0);
	record(.kind = TR_RCU_GP_END, .t = 5);
	record(.kind = TR_OP_BEGIN, .task = 1, .str = "rmdir", .t = 10);
	record(.kind = TR_OP_BEGIN, .task = 2, .str = "rmdir", .t = 20);
	record(.kind = TR_OP_BEGIN, .task = 3, .str = "mkdir", .t = 20);
	record(.kind = TR_OP_END, .task = 1, .str = "rmdir", .t = 30);
	/* By whoever it is, as long as somebody is inside. */
	record(.kind = TR_RCU_GP_END, .t = 35);
	record(.kind = TR_OP_END, .task = 2, .str = "rmdir", .t = 70);
	record(.kind = TR_RCU_GP_END, .t = 75);
	record(.kind = TR_OP_END, .task = 3, .str = "mkdir", .t = 80);
	check(value(0, 100), 70);
	check(metrics_value(metrics, 1, 0), 50);
	check(metrics_value(metrics, 2, 0), 1);
}
END_TEST

START_TEST(scripts_measure)
{
	static const enum measure_value kinds[] = {VALUE_LAST, VALUE_SUM, VALUE_MAX, VALUE_MEAN,
						   VALUE_COUNT};
	static const double wanted[] = {-7, -4, 3, -2, 2};

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		metric((struct measure){
			.source = MEASURE_MEASURED, .what = (char *)"x", .value = kinds[i]});
	start(0);
	record(.kind = TR_MEASURE, .str = "x", .arg = {3});
	record(.kind = TR_MEASURE, .str = "y", .arg = {5});
	record(.kind = TR_MEASURE, .str = "x", .arg = {-7});
	value(0, 1);
	for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
		check(metrics_value(metrics, i, 0), wanted[i]);
}
END_TEST

/* ---- an axis of time ---------------------------------------------------------- */

/* What happens at the time of a sample belongs to it, and the end is carried on. */
START_TEST(samples_are_taken_in_virtual_time)
{
	static const double wanted[] = {1, 1, 3, 3, 3};

	gauge(GAUGE_CGROUPS, VALUE_LAST);
	for (double x = 1; x <= 4; x++)
		g_array_append_val(study->x, x);
	study->axis = AXIS_TIME;
	study->every = 10;
	record(.kind = TR_OBJ_NEW, .obj = memcg(1), .t = 5);
	start(100);
	record(.kind = TR_OBJ_NEW, .obj = memcg(2), .t = 111);
	record(.kind = TR_OBJ_NEW, .obj = memcg(3), .t = 120);
	metrics_end(metrics, 125);
	ck_assert_uint_eq(metrics_points(study), 5);
	for (guint i = 0; i < 5; i++)
		check(metrics_value(metrics, 0, i), wanted[i]);
}
END_TEST

Suite *suite_metrics(void)
{
	Suite *s = suite_create("metrics");
	TCase *tc = tcase_create("metrics");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, cgroups_die_once);
	tcase_add_test(tc, caches_slabs_and_objects_are_counted);
	tcase_add_test(tc, a_mean_is_over_time);
	tcase_add_test(tc, what_waits_is_counted);
	tcase_add_test(tc, a_ratio_of_nothing_is_no_number);
	tcase_add_test(tc, records_are_counted_after_set_up);
	tcase_add_test(tc, locks_are_timed);
	tcase_add_test(tc, a_lock_that_is_not_there_is_noticed);
	tcase_add_test(tc, operations_are_timed_and_can_be_the_limits);
	tcase_add_test(tc, scripts_measure);
	tcase_add_test(tc, samples_are_taken_in_virtual_time);
	suite_add_tcase(s, tc);
	return s;
}
