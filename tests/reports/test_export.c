// SPDX-License-Identifier: GPL-2.0-only
#include <check.h>

#include "reports/export.h"

Suite *suite_export(void);

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

static struct trace_record *add(uint16_t kind, oid_t obj)
{
	struct trace_record r = {
		.seq = tf->events->len + 1,
		.t = tf->events->len,
		.kind = kind,
		.obj = obj,
	};

	trace_file_add(tf, &r);
	return &g_array_index(tf->events, struct trace_record, tf->events->len - 1);
}

static const char *text(void)
{
	output_char(out, 0);
	return out->buf;
}

static uint64_t le(size_t at, int n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | (unsigned char)out->buf[at + (size_t)n];
	return v;
}

START_TEST(clean_text_is_printable_and_bounded)
{
	clean_text(out, "a\n\x1b\xc3\xa9~z", 6);
	ck_assert_str_eq(text(), "a????~");
}
END_TEST

START_TEST(stack_text_is_bounded)
{
	const struct frame *outer = trace_file_frame(tf, "outer", NULL);

	stack_text(out, trace_file_frame(tf, "inner", outer), 100);
	ck_assert_str_eq(text(), "inner <- outer");
	out->len = 0;
	stack_text(out, trace_file_frame(tf, "inner", outer), 11);
	ck_assert_uint_le(out->len, 11);
}
END_TEST

START_TEST(fields_are_typed_as_events_def_says)
{
	struct trace_record r = {.kind = TR_REF_GET, .arg = {2, HOLD_CSS, 0, 0}};
	struct event_field fields[TRACE_NR_ARGS];

	r.arg[2] = (int64_t)oid_make(OBJ_TASK, 5);
	ck_assert_int_eq(event_fields(&r, fields), 3);
	ck_assert_str_eq(fields[0].name, "n");
	ck_assert_ptr_null(fields[0].text);
	ck_assert_int_eq(fields[0].number, 2);
	ck_assert_str_eq(fields[1].text, "css");
	ck_assert_str_eq(fields[2].text, "task:5");
}
END_TEST

/* A memcg is killed before it goes offline: the states follow the times, not their list. */
START_TEST(states_follow_the_times)
{
	struct life life = {.id = oid_make(OBJ_MEMCG, 1)};
	struct life_stretch states[NR_LIFE_STAGES];

	life.seen[LIFE_CREATED] = life.seen[LIFE_OFFLINE] = life.seen[LIFE_KILLED] = true;
	life.at[LIFE_CREATED] = 1;
	life.at[LIFE_KILLED] = 5;
	life.at[LIFE_OFFLINE] = 9;
	ck_assert_int_eq(export_life(&life, 20, states), 3);
	ck_assert_str_eq(states[1].state, "killed");
	ck_assert_uint_eq(states[1].from, 5);
	ck_assert_uint_eq(states[1].to, 9);
	ck_assert_uint_eq(states[2].to, 20);
	life.seen[LIFE_FREED] = true;
	life.at[LIFE_FREED] = 12;
	ck_assert_int_eq(export_life(&life, 20, states), 3);
	ck_assert_uint_eq(states[2].to, 12);
}
END_TEST

/* The text report's curves merge points; an export must not. */
START_TEST(counters_keep_every_change)
{
	struct summary *s;

	for (int i = 0; i < 10000; i++)
		add(i % 2 ? TR_RCU_CALLBACK : TR_CALL_RCU, oid_make(OBJ_RCU, 1));
	s = export_summary(tf);
	ck_assert_uint_eq(s->series[SERIES_CALLBACKS].points->len, 10000);
	ck_assert_uint_lt(tf->summary->series[SERIES_CALLBACKS].points->len, 10000);
	summary_free(s);
}
END_TEST

START_TEST(csv_quotes_and_defuses)
{
	struct trace_record *r = add(TR_LOG, 0);

	r->kind = TR_COUNTER_CHARGE;
	r->obj = oid_make(OBJ_MEMCG, 1);
	r->str = "=1+\"2\"\n";
	r->arg[1] = -3;
	export_csv(tf, out);
	ck_assert_str_eq(text(), "t_ns,counter,of,value\n0,\"'=1+\"\"2\"\"?\",\"memcg:1\",-3\n");
}
END_TEST

START_TEST(ftrace_line_is_as_in_tracefs)
{
	struct trace_record *r = add(TR_CALL_RCU, oid_make(OBJ_RCU, 1));
	const char *line;

	r->t = 1234567890123;
	r->ctx = CTX_SOFTIRQ;
	r->cpu = 7;
	r->task = 42;
	r->arg[0] = (int64_t)oid_make(OBJ_CACHE, 2);
	r->arg[1] = 3;
	r->str = "a b\n";
	export_ftrace(tf, out);
	line = strstr(text(), "         softirq-42 ");
	ck_assert_ptr_nonnull(line);
	ck_assert_str_eq(line,
			 "         softirq-42      [007] ..s1. 1234.567890123: call_rcu: seq=1 "
			 "obj=rcu:1 of=cache:2 gp=3 func=a_b?\n");
}
END_TEST

/* 2^27 ns are all that fits a record's own time: the rest takes a record of its own. */
START_TEST(trace_dat_pages_hold_long_gaps)
{
	const uint64_t gap = (UINT64_C(5) << 27) + 3;
	size_t at;

	add(TR_LOG, 0)->str = "a";
	add(TR_LOG, 0)->str = "b";
	g_array_index(tf->events, struct trace_record, 1).t = (int64_t)gap;
	export_trace_dat(tf, out);
	ck_assert_uint_eq(out->len % 4096, 0);
	at = out->len - 4096;
	/* 0 would be no time at all to KernelShark. */
	ck_assert_uint_eq(le(at, 8), 1);
	at += 16;
	at += 4 + (le(at, 4) & 31) * 4;
	ck_assert_uint_eq(le(at, 4) & 31, 30);
	ck_assert_uint_eq(le(at, 4) >> 5 | le(at + 4, 4) << 27, gap - 1);
	ck_assert_uint_eq(le(at + 8, 4) >> 5, 0);
}
END_TEST

START_TEST(trace_dat_records_never_cross_a_page)
{
	for (int i = 0; i < 500; i++)
		add(TR_LOG, 0)->str = "some text that takes a few bytes in each of the records";
	export_trace_dat(tf, out);
	/* Each page begins with its time and how much of it is used. */
	for (size_t page = out->len - 4096; le(page + 8, 8) != 0 && page > 8192; page -= 4096) {
		size_t at = page + 16, end = at + le(page + 8, 8);

		ck_assert_uint_le(end, page + 4096);
		while (at < end) {
			uint64_t words = le(at, 4) & 31;

			at += words ? 4 + words * 4 : 4 + le(at + 4, 4);
		}
		ck_assert_uint_eq(at, end);
	}
}
END_TEST

START_TEST(an_idle_cpu_has_no_ctf_stream)
{
	add(TR_LOG, 0)->str = "x";
	export_ctf_stream(tf, 1, out);
	ck_assert_uint_eq(out->len, 0);
	export_ctf_stream(tf, 0, out);
	ck_assert_uint_eq(le(0, 4), 0xC1FC1FC1);
	ck_assert_uint_eq(le(24, 8), out->len * 8);
}
END_TEST

START_TEST(a_trace_without_events_is_fine)
{
	export_chrome(tf, out);
	export_perfetto(tf, out);
	export_trace_dat(tf, out);
	export_ctf_metadata(tf, out);
	export_ftrace(tf, out);
	export_csv(tf, out);
	export_mermaid(tf, out);
	ck_assert_uint_gt(out->len, 1000);
}
END_TEST

Suite *suite_export(void)
{
	Suite *s = suite_create("export");
	TCase *tc = tcase_create("export");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, clean_text_is_printable_and_bounded);
	tcase_add_test(tc, stack_text_is_bounded);
	tcase_add_test(tc, fields_are_typed_as_events_def_says);
	tcase_add_test(tc, states_follow_the_times);
	tcase_add_test(tc, counters_keep_every_change);
	tcase_add_test(tc, csv_quotes_and_defuses);
	tcase_add_test(tc, ftrace_line_is_as_in_tracefs);
	tcase_add_test(tc, trace_dat_pages_hold_long_gaps);
	tcase_add_test(tc, trace_dat_records_never_cross_a_page);
	tcase_add_test(tc, an_idle_cpu_has_no_ctf_stream);
	tcase_add_test(tc, a_trace_without_events_is_fine);
	suite_add_tcase(s, tc);
	return s;
}
