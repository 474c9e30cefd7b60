// SPDX-License-Identifier: GPL-2.0-only
#include <check.h>

#include "reports/export.h"
#include "reports/lanes.h"

Suite *suite_lanes(void);

static struct trace_file *tf;
static GString *seen; /* what the walk said: "(" open, ")" close, "." point */

static void setup(void)
{
	tf = trace_file_new(0);
	seen = g_string_new(NULL);
}

static void teardown(void)
{
	trace_file_free(tf);
	g_string_free(seen, TRUE);
}

static struct trace_record *add(uint32_t task, uint16_t kind, const char *str, const char *func)
{
	struct trace_record r = {
		.seq = tf->events->len + 1,
		.t = tf->events->len * 10,
		.kind = kind,
		.obj = oid_make(OBJ_TASK, task),
		.str = str,
		.ctx = CTX_TASK,
		.task = task,
	};

	if (func)
		r.stack = trace_file_frame(tf, func, NULL);
	trace_file_add(tf, &r);
	return &g_array_index(tf->events, struct trace_record, tf->events->len - 1);
}

static void on_open(void *user, const struct lane *lane, const struct trace_record *r, uint64_t t)
{
	(void)user;
	g_string_append_printf(seen, "(%u@%u ", lane->task, (unsigned int)t);
	ck_assert_str_ne(span_name(r), "");
}

static void on_point(void *user, const struct lane *lane, const struct trace_record *r, uint64_t t)
{
	(void)user;
	(void)r;
	g_string_append_printf(seen, ".%u@%u ", lane->task, (unsigned int)t);
}

static void on_close(void *user, const struct lane *lane, const struct trace_record *r, uint64_t t)
{
	(void)user;
	g_string_append_printf(seen, "%s%u@%u ", r ? ")" : "]", lane->task, (unsigned int)t);
}

static const char *walk(void)
{
	static const struct lane_ops ops = {on_open, on_point, on_close};
	struct lanes *lanes = lanes_new(tf);

	lanes_walk(lanes, &ops, NULL);
	lanes_free(lanes);
	return seen->str;
}

START_TEST(an_operation_spans_what_its_context_does)
{
	add(1, TR_OP_BEGIN, "alloc", NULL);
	add(2, TR_LOG, "elsewhere", NULL);
	add(1, TR_LOG, "inside", NULL);
	add(1, TR_OP_END, "alloc", NULL);
	ck_assert_str_eq(walk(), "(1@0 .2@10 .1@20 )1@30 ");
}
END_TEST

/* A viewer that finds a span without an end draws it over the rest of the run, or drops it. */
START_TEST(what_never_ended_is_closed_at_the_end)
{
	add(1, TR_OP_BEGIN, "alloc", NULL);
	add(1, TR_FLUSH_BEGIN, NULL, NULL);
	tf->ended = true;
	tf->end = 77;
	ck_assert_str_eq(walk(), "(1@0 (1@10 ]1@77 ]1@77 ");
}
END_TEST

START_TEST(an_outer_end_closes_what_is_open_inside)
{
	add(1, TR_OP_BEGIN, "alloc", NULL);
	add(1, TR_FLUSH_BEGIN, NULL, NULL);
	add(1, TR_OP_END, "alloc", NULL);
	ck_assert_str_eq(walk(), "(1@0 (1@10 ]1@20 )1@20 ");
}
END_TEST

START_TEST(an_end_without_a_begin_is_a_point)
{
	add(1, TR_WORK_END, "f", NULL);
	ck_assert_str_eq(walk(), ".1@0 ");
}
END_TEST

START_TEST(a_wait_ends_with_what_comes_next)
{
	add(1, TR_TASK_BLOCK, "mutex", NULL);
	add(2, TR_TASK_WAKE, NULL, NULL);
	add(1, TR_LOG, "on", NULL);
	ck_assert_str_eq(walk(), "(1@0 .2@10 ]1@20 .1@20 ");
}
END_TEST

/* Nothing says that a callback has returned but the stacks. */
START_TEST(a_callback_ends_when_its_function_is_left)
{
	add(1, TR_SOFTIRQ_ENTRY, NULL, NULL);
	add(1, TR_RCU_CALLBACK, "rcufn", "rcufn");
	add(1, TR_LOG, "inside", "rcufn");
	add(1, TR_RCU_CALLBACK, "rcufn", "rcufn");
	add(1, TR_LOG, "outside", "run_timers");
	add(1, TR_SOFTIRQ_EXIT, NULL, NULL);
	ck_assert_str_eq(walk(), "(1@0 (1@10 .1@20 ]1@30 (1@30 ]1@40 .1@40 )1@50 ");
}
END_TEST

/* An arrow has to be tied to a slice that is there. */
START_TEST(an_end_that_an_arrow_touches_is_a_point_as_well)
{
	add(1, TR_OP_BEGIN, "put", NULL);
	add(1, TR_OP_END, "put", NULL);
	add(2, TR_REF_ZERO, NULL, NULL)->cause = 2;
	ck_assert_str_eq(walk(), "(1@0 .1@10 )1@10 .2@20 ");
}
END_TEST

START_TEST(edges_lead_only_from_what_is_there)
{
	struct lanes *lanes;
	const struct edge *edges;
	guint n;

	add(1, TR_CALL_RCU, "f", NULL);
	add(1, TR_LOG, "x", NULL);
	add(2, TR_RCU_CALLBACK, "f", NULL)->cause = 1;
	add(2, TR_RCU_CALLBACK, "f", NULL)->cause = 1;
	add(2, TR_RCU_CALLBACK, "f", NULL)->cause = 1000;
	add(2, TR_RCU_CALLBACK, "f", NULL)->cause = 6; /* itself */
	lanes = lanes_new(tf);
	ck_assert_uint_eq(lanes->edges->len, 2);
	edges = lanes_effects(lanes, 1, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(edges[0].effect, 3);
	ck_assert_uint_eq(edges[1].effect, 4);
	lanes_effects(lanes, 2, &n);
	ck_assert_uint_eq(n, 0);
	ck_assert(!lanes_caused(lanes, event_at(tf, 4)));
	ck_assert(!lanes_caused(lanes, event_at(tf, 5)));
	lanes_free(lanes);
}
END_TEST

/* No reader copes with a clock that goes back. */
START_TEST(time_never_goes_back)
{
	add(1, TR_LOG, "a", NULL);
	add(1, TR_LOG, "b", NULL);
	add(1, TR_LOG, "c", NULL)->t = 3;
	ck_assert_str_eq(walk(), ".1@0 .1@10 .1@10 ");
}
END_TEST

START_TEST(a_lane_stays_with_its_first_cpu)
{
	struct lanes *lanes;
	const struct lane *first;

	add(3, TR_LOG, "a", NULL)->cpu = 1;
	add(2, TR_LOG, "a", NULL)->cpu = 1;
	add(3, TR_LOG, "b", NULL)->cpu = 0;
	add(0, TR_LOG, "c", NULL);
	lanes = lanes_new(tf);
	ck_assert_uint_eq(lanes->all->len, 3);
	first = g_ptr_array_index(lanes->all, 0);
	ck_assert_str_eq(first->name, "machinery");
	first = g_ptr_array_index(lanes->all, 1);
	ck_assert_str_eq(first->name, "CPU1 task-2");
	ck_assert_uint_eq(lanes_of(lanes, event_at(tf, 2))->cpu, 1);
	lanes_free(lanes);
}
END_TEST

Suite *suite_lanes(void)
{
	Suite *s = suite_create("lanes");
	TCase *tc = tcase_create("lanes");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_operation_spans_what_its_context_does);
	tcase_add_test(tc, what_never_ended_is_closed_at_the_end);
	tcase_add_test(tc, an_outer_end_closes_what_is_open_inside);
	tcase_add_test(tc, an_end_without_a_begin_is_a_point);
	tcase_add_test(tc, a_wait_ends_with_what_comes_next);
	tcase_add_test(tc, a_callback_ends_when_its_function_is_left);
	tcase_add_test(tc, an_end_that_an_arrow_touches_is_a_point_as_well);
	tcase_add_test(tc, edges_lead_only_from_what_is_there);
	tcase_add_test(tc, time_never_goes_back);
	tcase_add_test(tc, a_lane_stays_with_its_first_cpu);
	suite_add_tcase(s, tc);
	return s;
}
