// SPDX-License-Identifier: GPL-2.0-only
#include <check.h>

#include "reports/counters.h"
#include "reports/ledger.h"

Suite *suite_ledger(void);

static struct trace_file *tf;
static struct output *out;

static void setup(void)
{
	tf = trace_file_new(0);
	out = output_memory();
}

static void teardown(void)
{
	trace_file_free(tf);
	output_discard(out);
}

static const oid_t cache = (oid_t)OBJ_CACHE << 56 | 2;

static void add(uint16_t kind, int64_t a0, int64_t a1, int64_t a2, int64_t a3)
{
	struct trace_record r = {
		.seq = tf->events->len + 1,
		.t = (tf->events->len + 1) * 1000,
		.kind = kind,
		.obj = cache,
		.arg = {a0, a1, a2, a3},
		.ctx = CTX_TASK,
		.task = 4,
	};

	trace_file_add(tf, &r);
}

static void init(bool percpu)
{
	add(TR_REF_INIT, 1, percpu, 0, 0);
}

static const char *ledger(bool verbose)
{
	out->len = 0;
	ledger_write(tf, cache, verbose, out);
	output_char(out, 0);
	return out->buf;
}

static bool says(const char *what)
{
	return strstr(ledger(false), what) != NULL;
}

START_TEST(what_is_held_is_said_with_its_taker)
{
	int64_t a = (int64_t)oid_make(OBJ_SLAB, 1), b = (int64_t)oid_make(OBJ_SLAB, 2);

	init(true);
	add(TR_REF_GET, 1, HOLD_SLAB_PAGE, a, 0);
	add(TR_REF_GET, 1, HOLD_SLAB_PAGE, b, 0);
	add(TR_REF_PUT, 1, HOLD_SLAB_PAGE, a, 0);
	add(TR_REF_KILL, 0, 0, 0, 0);
	ck_assert(says("HELD AT END: 1 "));
	ck_assert(says("  1 x slab page of slab:2, taken ev 3 "));
	ck_assert(!says("  1 x slab page of slab:1"));
	ck_assert(says("slab page                         2        1        1   <-- not dropped"));
}
END_TEST

/* percpu_ref_kill() drops the base reference, and some code says so with a put as well. */
START_TEST(the_base_reference_goes_once)
{
	init(true);
	add(TR_REF_KILL, 0, 0, 0, 0);
	ck_assert(says("HELD AT END: 0 "));
	add(TR_REF_PUT, 1, HOLD_BASE, 0, 0);
	ck_assert(says("HELD AT END: 0 "));
	ck_assert(!says("unbalanced"));
}
END_TEST

/* A plain refcount begins with the reference of whoever made the object. */
START_TEST(a_plain_counter_begins_with_its_user)
{
	init(false);
	add(TR_REF_PUT, 1, HOLD_USER, 0, 0);
	ck_assert(says("HELD AT END: 0 "));
	ck_assert(!says("unbalanced"));
	ck_assert(!says("<--"));
}
END_TEST

START_TEST(a_put_too_many_is_unbalanced)
{
	init(true);
	add(TR_REF_PUT, 1, HOLD_CSS, 0, 0);
	ck_assert(says("HELD AT END: 0 "));
	ck_assert(says("     0 (unbalanced)\n"));
	ck_assert(says("-1   <-- dropped more often than taken"));
}
END_TEST

START_TEST(a_failed_tryget_is_a_row_that_takes_nothing)
{
	init(true);
	add(TR_REF_TRYGET, 0, HOLD_ALLOC, 0, 0);
	ck_assert(says(" fail allocation in flight "));
	ck_assert(says("HELD AT END: 1 "));
}
END_TEST

START_TEST(a_move_changes_the_holder_only)
{
	init(true);
	add(TR_REF_GET, 32, HOLD_CHARGE, 0, 0);
	add(TR_REF_MOVE, 31, HOLD_CHARGE, HOLD_STOCK, (int64_t)oid_make(OBJ_CPU, 1));
	ck_assert(says("HELD AT END: 33 "));
	ck_assert(says("  1 x charge, taken ev 2 "));
	ck_assert(says("  31 x stock of cpu:1, taken ev 3 "));
}
END_TEST

START_TEST(what_was_held_when_it_was_freed_is_said)
{
	init(true);
	add(TR_REF_GET, 1, HOLD_SWITCH, 0, 0);
	add(TR_OBJ_FREE, 0, 0, 0, 0);
	add(TR_REF_PUT, 1, HOLD_SWITCH, 0, 0);
	ck_assert(says("FREED WITH 2 HELD, at ev 3\n"));
	ck_assert(says("     1 (after it was freed)\n"));
	ck_assert(says("base                              1        0        1   <-- still held"));
}
END_TEST

START_TEST(a_long_history_is_cut_and_says_so)
{
	init(true);
	for (int i = 0; i < 100; i++)
		add(TR_REF_GET, 1, HOLD_CSS, 0, 0);
	ck_assert(says("  61 earlier rows are not shown; --verbose shows all\n"));
	/* The count goes on from what is not shown. */
	ck_assert(says("HELD AT END: 101 "));
	ck_assert_ptr_null(strstr(ledger(true), "not shown"));
}
END_TEST

START_TEST(objects_are_found_by_number_and_by_name)
{
	g_autoptr(GError) error = NULL;
	struct trace_record r = {.seq = 1, .kind = TR_CACHE_CREATE, .obj = cache, .str = "dentry"};

	trace_file_add(tf, &r);
	init(true);
	ck_assert_uint_eq(ledger_find(tf, "cache:2", &error), cache);
	ck_assert_uint_eq(ledger_find(tf, "dentry", &error), cache);
	ck_assert_ptr_null(error);
	ck_assert_uint_eq(ledger_find(tf, "cache:3", &error), 0);
	ck_assert_ptr_nonnull(strstr(error->message, "counted are: cache:2"));
}
END_TEST

/* A peak that is shorter than a column still shows. */
START_TEST(counters_show_short_peaks)
{
	struct trace_record r = {.seq = 1, .t = 500, .kind = TR_CALL_RCU};

	trace_file_add(tf, &r);
	r = (struct trace_record){.seq = 2, .t = 501, .kind = TR_RCU_CALLBACK};
	trace_file_add(tf, &r);
	tf->ended = true;
	tf->end = 1000000;
	counters_write(tf, out);
	output_char(out, 0);
	ck_assert_ptr_nonnull(strstr(out->buf, "RCU callbacks pending          #_______"));
	ck_assert_ptr_nonnull(strstr(out->buf, "live kmem_caches               ________"));
	ck_assert_ptr_nonnull(strstr(out->buf, "_        1        0\n"));
}
END_TEST

Suite *suite_ledger(void)
{
	Suite *s = suite_create("ledger");
	TCase *tc = tcase_create("ledger");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_held_is_said_with_its_taker);
	tcase_add_test(tc, the_base_reference_goes_once);
	tcase_add_test(tc, a_plain_counter_begins_with_its_user);
	tcase_add_test(tc, a_put_too_many_is_unbalanced);
	tcase_add_test(tc, a_failed_tryget_is_a_row_that_takes_nothing);
	tcase_add_test(tc, a_move_changes_the_holder_only);
	tcase_add_test(tc, what_was_held_when_it_was_freed_is_said);
	tcase_add_test(tc, a_long_history_is_cut_and_says_so);
	tcase_add_test(tc, objects_are_found_by_number_and_by_name);
	tcase_add_test(tc, counters_show_short_peaks);
	suite_add_tcase(s, tc);
	return s;
}
