// SPDX-License-Identifier: GPL-2.0-only
#include <check.h>

#include "reports/phrase.h"
#include "reports/text.h"

Suite *suite_text(void);

static struct trace_file *tf;

static void setup(void)
{
	tf = trace_file_new(0);
	tf->scenario = "s";
	tf->lifecycle = "v5.3";
	tf->ended = true;
	tf->verdict = VERDICT_PASS;
}

static void teardown(void)
{
	trace_file_free(tf);
}

static void add(uint16_t kind, oid_t obj, const char *str, uint8_t cpu)
{
	struct trace_record r = {
		.seq = tf->events->len + 1,
		.t = tf->events->len * 1000,
		.kind = kind,
		.obj = obj,
		.str = str,
		.cpu = cpu,
		.ctx = CTX_TASK,
		.task = cpu + 1u,
	};

	trace_file_add(tf, &r);
	tf->end = r.t;
	tf->nr_events = r.seq;
}

static char *report(bool verbose)
{
	const struct text_options opt = {.verbose = verbose};
	struct output *o = output_memory();
	char *text;

	text_report(tf, &opt, o);
	text = g_strndup(o->buf, o->len);
	output_discard(o);
	return text;
}

/* Any event with any arguments, on few and on many CPUs, in a terminal of 100 columns. */
static void check_width(bool verbose)
{
	g_autofree char *text = report(verbose);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (size_t i = 0; lines[i]; i++) {
		ck_assert_msg(strlen(lines[i]) <= TEXT_COLUMNS, "too wide: %s", lines[i]);
		ck_assert_msg(!g_str_has_suffix(lines[i], " "), "space at the end: '%s'", lines[i]);
		for (const char *p = lines[i]; *p; p++)
			ck_assert_msg(*p >= ' ' && *p < 127, "not ASCII: %s", lines[i]);
	}
}

static void add_every_kind(uint8_t nr_cpus)
{
	static const char str[] =
		"a_rather_long_name_of_a_function_or_file\xc3\xa4\x01_that_goes_on";

	for (uint16_t k = 0; k < NR_TRACE_KINDS; k++) {
		enum object_kind kind = trace_kinds[k].obj ? trace_kinds[k].obj : OBJ_CACHE;
		bool has_str = false;
		struct trace_record r = {
			.seq = k + 1u,
			.t = UINT64_C(123456789) * k,
			.kind = k,
			.obj = oid_make(kind, 7),
			.cpu = (uint8_t)(k % nr_cpus),
			.ctx = (uint8_t)(k % NR_CTX_KINDS),
			.task = 1u + k % nr_cpus,
		};

		for (int i = 0; i < TRACE_NR_ARGS; i++) {
			char type = trace_kinds[k].arg[i][0];

			r.arg[i] = type == 'o'	 ? (int64_t)oid_make(OBJ_MEMCG, 3)
				   : type == 'n' ? -1234567890123
						 : 1;
			has_str |= type == 's';
		}
		r.str = has_str ? str : NULL;
		trace_file_add(tf, &r);
		tf->end = r.t;
	}
}

START_TEST(no_line_is_wider_than_a_terminal)
{
	add_every_kind((uint8_t)_i);
	check_width(false);
	check_width(true);
}
END_TEST

START_TEST(empty_trace_is_reported)
{
	g_autofree char *text = report(false);

	ck_assert_ptr_nonnull(strstr(text, "s: PASS"));
	ck_assert_ptr_nonnull(strstr(text, "(no events)"));
}
END_TEST

START_TEST(equal_allocations_are_one_line)
{
	for (int i = 1; i <= 5; i++)
		add(TR_OBJECT_ALLOC, oid_make(OBJ_OBJ, (uint64_t)i), NULL, 0);
	ck_assert_uint_eq(text_timeline_lines(tf, false), 1);
	ck_assert_uint_eq(text_timeline_lines(tf, true), 5);
	add(TR_OBJECT_ALLOC, oid_make(OBJ_OBJ, 6), NULL, 1);
	ck_assert_uint_eq(text_timeline_lines(tf, false), 2);
}
END_TEST

START_TEST(locks_show_only_when_asked)
{
	add(TR_LOCK_ACQUIRE, oid_make(OBJ_LOCK, 1), NULL, 0);
	ck_assert_uint_eq(text_timeline_lines(tf, false), 0);
	ck_assert_uint_eq(text_timeline_lines(tf, true), 1);
}
END_TEST

/* A cgroup of the same name may come again while the first one is dying. */
START_TEST(second_object_of_a_name_has_its_number)
{
	struct output *o = output_memory();

	add(TR_CGROUP_MKDIR, oid_make(OBJ_CGROUP, 1), "", 0);
	add(TR_CGROUP_MKDIR, oid_make(OBJ_CGROUP, 2), "box", 0);
	add(TR_CGROUP_MKDIR, oid_make(OBJ_CGROUP, 3), "box", 0);
	names_put(tf->names, o, oid_make(OBJ_CGROUP, 2));
	output_char(o, ' ');
	names_put(tf->names, o, oid_make(OBJ_CGROUP, 3));
	output_char(o, ' ');
	names_put(tf->names, o, oid_make(OBJ_SLAB, 4));
	output_char(o, ' ');
	names_put(tf->names, o, 0);
	output_char(o, 0);
	ck_assert_str_eq(o->buf, "/box /box#3 slab:4 -");
	output_discard(o);
}
END_TEST

/* A completion is called like the reason to wait on it, an event as it was announced. */
START_TEST(wait_objects_have_names)
{
	struct output *o = output_memory();
	struct trace_record r = {.seq = 1, .kind = TR_TASK_BLOCK, .str = "rcu_barrier"};

	r.arg[0] = (int64_t)oid_make(OBJ_WAIT, 1);
	trace_file_add(tf, &r);
	r.seq = 2;
	r.str = "idle";
	r.arg[0] = 0;
	trace_file_add(tf, &r);
	add(TR_OBJ_NEW, oid_make(OBJ_WAIT, 2), "ready", 0);
	names_put(tf->names, o, oid_make(OBJ_WAIT, 1));
	output_char(o, ' ');
	names_put(tf->names, o, oid_make(OBJ_WAIT, 2));
	output_char(o, ' ');
	names_put(tf->names, o, oid_make(OBJ_WAIT, 3));
	output_char(o, 0);
	ck_assert_str_eq(o->buf, "rcu_barrier ready wait:3");
	output_discard(o);
}
END_TEST

START_TEST(times_are_exact)
{
	struct output *o = output_memory();

	phrase_time(o, 0, false);
	output_char(o, ' ');
	phrase_time(o, 1234567, false);
	output_char(o, ' ');
	phrase_time(o, 1005, false);
	output_char(o, ' ');
	phrase_time(o, 1005, true);
	output_char(o, 0);
	ck_assert_str_eq(o->buf, "0.000 1234.567 1.005 1005");
	output_discard(o);
}
END_TEST

START_TEST(violation_is_told_first)
{
	struct trace_violation v = {.rule = "leak", .seq = 1, .msg = "it stays"};
	g_autofree char *text = NULL;

	add(TR_OBJ_FREE, oid_make(OBJ_CACHE, 1), NULL, 0);
	g_array_append_val(tf->violations, v);
	tf->verdict = VERDICT_FAIL;
	text = report(false);
	ck_assert(g_str_has_prefix(text, "s: FAIL leak at event 1"));
	ck_assert_ptr_nonnull(strstr(text, "BUG: slabsim: leak in free   [simulated]"));
	ck_assert_ptr_nonnull(strstr(text, "*** leak: it stays"));
}
END_TEST

START_TEST(references_are_counted_by_holder)
{
	struct trace_record get = {.seq = 1,
				   .kind = TR_REF_GET,
				   .obj = oid_make(OBJ_MEMCG, 2),
				   .arg = {3, HOLD_CREATE_WORK, 0}};
	struct trace_record put = get;
	g_autofree char *text = NULL;

	put.seq = 2;
	put.kind = TR_REF_PUT;
	put.arg[0] = 1;
	trace_file_add(tf, &get);
	trace_file_add(tf, &put);
	text = report(false);
	ck_assert_ptr_nonnull(strstr(text, "     2  create work"));
}
END_TEST

Suite *suite_text(void)
{
	Suite *s = suite_create("text");
	TCase *tc = tcase_create("text");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, no_line_is_wider_than_a_terminal, 1, 6);
	tcase_add_test(tc, empty_trace_is_reported);
	tcase_add_test(tc, equal_allocations_are_one_line);
	tcase_add_test(tc, locks_show_only_when_asked);
	tcase_add_test(tc, second_object_of_a_name_has_its_number);
	tcase_add_test(tc, wait_objects_have_names);
	tcase_add_test(tc, times_are_exact);
	tcase_add_test(tc, violation_is_told_first);
	tcase_add_test(tc, references_are_counted_by_holder);
	suite_add_tcase(s, tc);
	return s;
}
