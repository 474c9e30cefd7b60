// SPDX-License-Identifier: GPL-2.0-only
#include <check.h>

#include "reports/diff_match.h"

Suite *suite_diff(void);

static struct trace_file *new_trace(void)
{
	struct trace_file *tf = trace_file_new(0);

	tf->scenario = tf->order = "s";
	tf->lifecycle = "v5.3";
	tf->ended = true;
	tf->verdict = VERDICT_PASS;
	return tf;
}

static void add(struct trace_file *tf, uint32_t task, uint64_t t, const char *op)
{
	struct trace_record r = {
		.seq = tf->events->len + 1,
		.t = t,
		.kind = TR_OP_BEGIN,
		.obj = oid_make(OBJ_TASK, task),
		.arg = {(int64_t)oid_make(OBJ_CACHE, 1)},
		.str = op,
		.cpu = (uint8_t)task,
		.ctx = CTX_TASK,
		.task = task,
	};
	struct trace_record start = r;

	start.kind = TR_TASK_START;
	start.str = task == 1 ? "first" : "second";
	names_record(tf->names, &start);
	trace_file_add(tf, &r);
}

static bool compare(struct trace_file *a, struct trace_file *b, bool ignore_time, char **text)
{
	const struct diff_options opt = {.ignore_time = ignore_time};
	struct output *o = output_memory();
	bool same = diff_write(a, b, &opt, o);

	if (text)
		*text = g_strndup(o->buf, o->len);
	output_discard(o);
	trace_file_free(a);
	trace_file_free(b);
	return same;
}

START_TEST(equal_runs_are_the_same)
{
	struct trace_file *a = new_trace(), *b = new_trace();

	add(a, 1, 10, "one");
	add(b, 1, 10, "one");
	ck_assert(compare(a, b, false, NULL));
}
END_TEST

START_TEST(times_count_unless_told_otherwise)
{
	for (int ignore = 0; ignore < 2; ignore++) {
		struct trace_file *a = new_trace(), *b = new_trace();

		add(a, 1, 10, "one");
		add(b, 1, 11, "one");
		ck_assert_int_eq(compare(a, b, ignore, NULL), ignore);
	}
}
END_TEST

/* Events are matched within their context, so an event more in one shifts nothing in another. */
START_TEST(an_event_more_is_only_that)
{
	struct trace_file *a = new_trace(), *b = new_trace();
	g_autofree char *text = NULL;

	add(a, 1, 10, "one");
	add(a, 2, 20, "two");
	add(b, 1, 10, "one");
	add(b, 1, 15, "more");
	add(b, 2, 20, "two");
	ck_assert(!compare(a, b, false, &text));
	ck_assert_ptr_nonnull(strstr(text, "the first 1 events are the same"));
	ck_assert_ptr_nonnull(strstr(text, "> 2 1 more"));
	ck_assert_ptr_null(strstr(text, "~"));
	ck_assert_ptr_nonnull(strstr(text, "ORDER CHANGES"));
	ck_assert_ptr_nonnull(strstr(text, "  none\n"));
}
END_TEST

START_TEST(a_flipped_pair_is_named)
{
	struct trace_file *a = new_trace(), *b = new_trace();
	g_autofree char *text = NULL;

	/* The same object, so that their order can matter: both stand for the cache. */
	for (int i = 0; i < 2; i++) {
		struct trace_file *tf = i ? b : a;

		add(tf, i ? 2 : 1, 10, i ? "two" : "one");
		add(tf, i ? 1 : 2, 20, i ? "one" : "two");
		for (guint n = 0; n < tf->events->len; n++) {
			struct trace_record *r = &g_array_index(tf->events, struct trace_record, n);

			r->kind = TR_CALL_RCU;
		}
	}
	ck_assert(!compare(a, b, true, &text));
	ck_assert_ptr_nonnull(strstr(text, "call_rcu one(cache:1), gp 0 (first)\n"
					   "    vs  call_rcu two(cache:1), gp 0 (second)\n"));
}
END_TEST

START_TEST(an_empty_run_differs_from_one_that_is_not)
{
	struct trace_file *a = new_trace(), *b = new_trace();
	g_autofree char *text = NULL;

	add(b, 1, 10, "one");
	ck_assert(!compare(a, b, false, &text));
	ck_assert_ptr_nonnull(strstr(text, "A  has ended"));
}
END_TEST

/* Two runs with the same events need not end alike. */
START_TEST(verdicts_count)
{
	struct trace_file *a = new_trace(), *b = new_trace();

	b->verdict = VERDICT_INCOMPLETE;
	ck_assert(!compare(a, b, false, NULL));
}
END_TEST

START_TEST(lines_fit)
{
	struct trace_file *a = new_trace(), *b = new_trace();
	g_autofree char *text = NULL;
	g_autofree char *op = g_strnfill(300, 'o');
	g_auto(GStrv) lines = NULL;

	add(a, 1, 10, op);
	add(a, 1, 20, op);
	add(b, 1, 10, op);
	add(b, 1, 30, op);
	add(b, 2, 30, op);
	compare(a, b, true, &text);
	lines = g_strsplit(strstr(text, "\n  A "), "\n", -1);
	for (int i = 0; lines[i] && !strstr(lines[i], "ORDER"); i++)
		ck_assert_msg(strlen(lines[i]) <= 100, "%s", lines[i]);
}
END_TEST

/* "A1=B1" for what shares a column, "A2" for what stands alone, "A3~" for what came elsewhere. */
static char *axis_of(const struct trace_file *a, const struct trace_file *b)
{
	g_autoptr(GArray) all = diff_align(a, b);
	GString *s = g_string_new(NULL);

	for (guint i = 0; i < all->len; i++) {
		const struct aligned *e = &g_array_index(all, struct aligned, i);
		bool joins = i > 0 && e->column == (e - 1)->column;

		ck_assert(i == 0 || joins || e->column == (e - 1)->column + 1);
		if (e->partner != NONE) {
			const struct aligned *p = &g_array_index(all, struct aligned, e->partner);

			ck_assert_uint_eq(p->partner, i);
			ck_assert_uint_ne(p->side, e->side);
		}
		g_string_append_printf(s, "%s%c%u%s",
				       i == 0  ? ""
				       : joins ? "="
					       : " ",
				       "AB"[e->side], e -> event + 1,
				       e -> pairing == PAIR_NONE	 ? "!"
					    : e->pairing == PAIR_MOVED	 ? "~"
					    : e->pairing == PAIR_CHANGED ? "?"
									 : "");
	}
	return g_string_free(s, FALSE);
}

START_TEST(one_axis_keeps_both_orders)
{
	struct trace_file *a = new_trace(), *b = new_trace();
	g_autofree char *axis = NULL;

	add(a, 1, 10, "one");
	add(a, 1, 20, "two");
	add(a, 2, 30, "late");
	add(a, 1, 40, "three");
	add(b, 2, 5, "late");
	add(b, 1, 10, "one");
	add(b, 1, 15, "more");
	add(b, 1, 20, "two");
	add(b, 1, 40, "three");
	g_array_index(b->events, struct trace_record, 4).cpu = 7;
	axis = axis_of(a, b);
	ck_assert_str_eq(axis, "B1~ A1=B2 B3! A2=B4 A3~ A4?=B5?");
	trace_file_free(a);
	trace_file_free(b);
}
END_TEST

/* What a timeline leaves out is matched between what it shows. */
START_TEST(noise_keeps_to_its_place)
{
	struct trace_file *a = new_trace(), *b = new_trace();
	g_autofree char *axis = NULL;

	for (int i = 0; i < 2; i++) {
		struct trace_file *tf = i ? b : a;

		add(tf, 1, 10, "x");
		add(tf, 1, 20, "x");
		if (i)
			add(tf, 1, 25, "x");
		add(tf, 1, 30, "x");
		g_array_index(tf->events, struct trace_record, 0).kind = TR_LOCK_RELEASE;
		g_array_index(tf->events, struct trace_record, tf->events->len - 1).kind =
			TR_LOCK_RELEASE;
	}
	axis = axis_of(a, b);
	ck_assert_str_eq(axis, "A1=B1 A2=B2 B3! A3=B4");
	trace_file_free(a);
	trace_file_free(b);
}
END_TEST

START_TEST(nothing_has_no_axis)
{
	struct trace_file *a = new_trace(), *b = new_trace();
	g_autofree char *axis = axis_of(a, b), *one = NULL;

	ck_assert_str_eq(axis, "");
	add(b, 1, 10, "one");
	one = axis_of(a, b);
	ck_assert_str_eq(one, "B1!");
	trace_file_free(a);
	trace_file_free(b);
}
END_TEST

Suite *suite_diff(void)
{
	Suite *s = suite_create("diff");
	TCase *t = tcase_create("diff");

	tcase_add_test(t, equal_runs_are_the_same);
	tcase_add_test(t, times_count_unless_told_otherwise);
	tcase_add_test(t, an_event_more_is_only_that);
	tcase_add_test(t, a_flipped_pair_is_named);
	tcase_add_test(t, an_empty_run_differs_from_one_that_is_not);
	tcase_add_test(t, verdicts_count);
	tcase_add_test(t, lines_fit);
	tcase_add_test(t, one_axis_keeps_both_orders);
	tcase_add_test(t, noise_keeps_to_its_place);
	tcase_add_test(t, nothing_has_no_axis);
	suite_add_tcase(s, t);
	return s;
}
