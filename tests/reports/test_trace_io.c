// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trace files: what is written is read back, and nothing that is read crashes.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "reports/trace_reader.h"
#include "reports/trace_writer.h"

Suite *suite_trace_io(void);

static char *dir, *path;

static void setup(void)
{
	dir = g_dir_make_tmp("slabsim-XXXXXX", NULL);
	ck_assert_ptr_nonnull(dir);
	path = g_build_filename(dir, "t.jsonl", NULL);
}

static void teardown(void)
{
	g_unlink(path);
	g_rmdir(dir);
	g_free(path);
	g_free(dir);
}

static int nr_files(void)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	int n = 0;

	while (g_dir_read_name(d))
		n++;
	g_dir_close(d);
	return n;
}

static const struct run_result done = {
	.verdict = VERDICT_FAIL,
	.nr_violations = 1,
	.nr_records = 3,
	.nr_steps = 77,
	.end = 5000,
};

static void write_some(struct run_sink *s)
{
	static const char *const variants[] = {"one", "two", NULL};
	static const struct checker_ops ops = {.name = "leak"};
	const struct run_header h = {"demo", "v5.3", variants, UINT64_MAX, "timed", 64};
	const struct frame outer = {"kmem_cache_alloc", NULL}, inner = {"allocate_slab", &outer};
	const struct trace_record r[] = {
		{.seq = 1,
		 .kind = TR_TASK_START,
		 .obj = oid_make(OBJ_TASK, 9),
		 .task = 9,
		 .ctx = CTX_TASK,
		 .arg = {3},
		 .str = "a\"\n\xff",
		 .cpu = 3},
		{.seq = 2,
		 .t = 4999,
		 .kind = TR_REF_GET,
		 .obj = oid_make(OBJ_CACHE, 3),
		 .task = 9,
		 .ctx = CTX_KWORKER,
		 .cpu = 63,
		 .cause = 1,
		 .via = VIA_QUEUE_WORK,
		 .stack = &inner,
		 .arg = {-5, HOLD_ALLOC, (int64_t)oid_make(OBJ_SLAB, 7)}},
		{.seq = 3,
		 .t = 5000,
		 .kind = TR_REF_TRYGET,
		 .obj = oid_make(OBJ_MEMCG, 1),
		 .ctx = CTX_NONE,
		 .arg = {1, HOLD_STOCK, 0, 0}},
	};
	struct violation v = {.ops = &ops,
			      .seq = 2,
			      .t = 4999,
			      .obj = r[1].obj,
			      .related = {1, 0, 2},
			      .text = "odd"};

	s->begin(s, &h);
	for (size_t i = 0; i < G_N_ELEMENTS(r); i++) {
		s->record(s, &r[i]);
		if (r[i].seq == v.seq)
			s->violation(s, &v, 1);
	}
}

static void write_trace(void)
{
	struct trace_writer *w = trace_writer_new(path, true, "slabsim run demo.lua", NULL);

	ck_assert_ptr_nonnull(w);
	write_some(trace_writer_sink(w));
	ck_assert(trace_writer_end(w, &done, NULL));
}

static const struct trace_record *event_at(const struct trace_file *tf, guint i)
{
	return &g_array_index(tf->events, struct trace_record, i);
}

/* What a search was after comes after what set-up violates anyway. */
START_TEST(reports_are_about_what_was_found)
{
	struct checker_ops ops = {.name = "some-rule"};
	struct violation second = {.ops = &ops, .seq = 3, .t = 5000, .text = "found"};
	struct trace_writer *w = trace_writer_new(path, true, NULL, NULL);
	struct trace_file *tf;

	write_some(trace_writer_sink(w));
	trace_writer_sink(w)->violation(trace_writer_sink(w), &second, 2);
	trace_writer_found(w, 3);
	ck_assert(trace_writer_end(w, &done, NULL));
	tf = trace_read(path, NULL);
	ck_assert_ptr_nonnull(tf);
	ck_assert_uint_eq(tf->violations->len, 2);
	ck_assert_str_eq(trace_file_blamed(tf)->msg, "found");
	tf->found = 0;
	ck_assert_str_eq(trace_file_blamed(tf)->msg, "odd");
	g_array_set_size(tf->violations, 0);
	ck_assert_ptr_null(trace_file_blamed(tf));
	trace_file_free(tf);
}
END_TEST

START_TEST(written_trace_reads_back)
{
	struct trace_file *tf;
	const struct trace_record *r;
	const struct trace_violation *v;

	write_trace();
	tf = trace_read(path, NULL);
	ck_assert_ptr_nonnull(tf);
	ck_assert_str_eq(tf->scenario, "demo");
	ck_assert_str_eq(tf->replay, "slabsim run demo.lua");
	ck_assert_uint_eq(tf->variants->len, 3);
	ck_assert_str_eq(g_ptr_array_index(tf->variants, 1), "two");
	ck_assert_uint_eq(tf->seed, UINT64_MAX);
	ck_assert_uint_eq(tf->nr_cpus, 64);
	ck_assert_uint_eq(tf->events->len, 3);
	ck_assert_str_eq(event_at(tf, 0)->str, "a\"\n\xef\xbf\xbd");

	r = trace_file_find(tf, 2);
	ck_assert_uint_eq(r->t, 4999);
	ck_assert_int_eq(r->kind, TR_REF_GET);
	ck_assert_uint_eq(r->cpu, 63);
	ck_assert_int_eq(r->ctx, CTX_KWORKER);
	ck_assert_uint_eq(r->cause, 1);
	ck_assert_int_eq(r->via, VIA_QUEUE_WORK);
	ck_assert_int_eq(r->arg[0], -5);
	ck_assert_int_eq(r->arg[1], HOLD_ALLOC);
	ck_assert_uint_eq((oid_t)r->arg[2], oid_make(OBJ_SLAB, 7));
	ck_assert_str_eq(r->stack->func, "allocate_slab");
	ck_assert_str_eq(r->stack->caller->func, "kmem_cache_alloc");
	ck_assert_ptr_null(r->stack->caller->caller);

	v = &g_array_index(tf->violations, struct trace_violation, 0);
	ck_assert_str_eq(v->rule, "leak");
	ck_assert_uint_eq(v->related[1], 2);
	ck_assert(tf->ended);
	ck_assert_int_eq(tf->verdict, VERDICT_FAIL);
	ck_assert_uint_eq(tf->nr_steps, 77);
	ck_assert_uint_eq(tf->nr_events, 3);
	trace_file_free(tf);
}
END_TEST

/* A report of the file and a report of the live run must be the same. */
START_TEST(collector_agrees_with_reader)
{
	struct trace_file *live = trace_file_new(0), *read;
	struct trace_collector c = {0};

	trace_collector_init(&c, live);
	write_some(&c.sink);
	write_trace();
	read = trace_read(path, NULL);
	for (guint i = 0; i < 3; i++) {
		const struct trace_record *a = event_at(live, i), *b = event_at(read, i);

		ck_assert_uint_eq(a->seq, b->seq);
		ck_assert_uint_eq(a->obj, b->obj);
		ck_assert_mem_eq(a->arg, b->arg, i == 0 ? 0 : sizeof(a->arg));
	}
	ck_assert_str_eq(names_comm(read->names, 9), names_comm(live->names, 9));
	trace_file_free(live);
	trace_file_free(read);
}
END_TEST

/* Only the end of a long run is kept, and it is still found by number. */
START_TEST(collector_keeps_the_end)
{
	struct trace_file *tf = trace_file_new(10);
	struct trace_record r = {.kind = TR_LOG};

	for (r.seq = 1; r.seq <= 1000; r.seq++)
		trace_file_add(tf, &r);
	ck_assert_uint_le(tf->events->len, 10);
	ck_assert_uint_eq(tf->nr_dropped + tf->events->len, 1000);
	ck_assert_ptr_nonnull(trace_file_find(tf, 1000));
	ck_assert_ptr_null(trace_file_find(tf, 1));
	ck_assert_ptr_null(trace_file_find(tf, 1001));
	trace_file_free(tf);
}
END_TEST

START_TEST(nothing_is_overwritten_unasked)
{
	g_autoptr(GError) error = NULL;

	ck_assert(g_file_set_contents(path, "precious", -1, NULL));
	ck_assert_ptr_null(trace_writer_new(path, false, NULL, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "--force"));
	ck_assert_int_eq(nr_files(), 1);
}
END_TEST

/* The file may appear while the run goes on. */
START_TEST(late_file_survives)
{
	struct trace_writer *w = trace_writer_new(path, false, NULL, NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;

	write_some(trace_writer_sink(w));
	ck_assert(g_file_set_contents(path, "precious", -1, NULL));
	ck_assert(!trace_writer_end(w, &done, &error));
	ck_assert_ptr_nonnull(error);
	ck_assert(g_file_get_contents(path, &text, NULL, NULL));
	ck_assert_str_eq(text, "precious");
	ck_assert_int_eq(nr_files(), 1);
}
END_TEST

START_TEST(discarded_trace_leaves_nothing)
{
	struct trace_writer *w = trace_writer_new(path, false, NULL, NULL);

	write_some(trace_writer_sink(w));
	ck_assert_int_eq(nr_files(), 1);
	trace_writer_discard(w);
	ck_assert_int_eq(nr_files(), 0);
}
END_TEST

START_TEST(full_disk_is_an_error)
{
	struct trace_writer *w = trace_writer_new("/dev/full", true, NULL, NULL);
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_nonnull(w);
	write_some(trace_writer_sink(w));
	ck_assert(!trace_writer_end(w, &done, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "/dev/full"));
	ck_assert(g_file_test("/dev/full", G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST(unwritable_places_are_errors)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *missing = g_build_filename(dir, "no", "t.jsonl", NULL);

	ck_assert_ptr_null(trace_writer_new(missing, true, NULL, &error));
	ck_assert_ptr_nonnull(strstr(error->message, missing));
	g_clear_error(&error);
	ck_assert_ptr_null(trace_writer_new(dir, true, NULL, &error));
	ck_assert_ptr_nonnull(error);
}
END_TEST

/* ---- bad input ----------------------------------------------------------- */

#define RUN                                                                                        \
	"{\"type\":\"run\",\"v\":1,\"scenario\":\"s\",\"design\":\"d\",\"variants\":[],"           \
	"\"seed\":1,\"order\":\"timed\",\"cpus\":2,\"clock\":\"virtual\",\"unit\":\"ns\"}\n"
#define EVENT(more)                                                                                \
	"{\"type\":\"event\",\"seq\":1,\"t\":5,\"cpu\":0,\"ctx\":\"task\",\"task\":1," more "}\n"

static struct trace_file *read_text(const char *text, gssize n, GError **error)
{
	ck_assert(g_file_set_contents(path, text, n, NULL));
	return trace_read(path, error);
}

static void expect_error(const char *text, gssize n, const char *what)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(read_text(text, n, &error));
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error->message, what) != NULL, "'%s' lacks '%s'", error->message,
		      what);
	ck_assert(g_str_has_prefix(error->message, path));
}

START_TEST(errors_name_file_line_and_field)
{
	expect_error("", -1, "empty");
	expect_error("hello\n", -1, ":1: this is not JSON");
	expect_error("[]\n", -1, ":1: this is not a JSON object");
	expect_error("{}\n", -1, ":1: this is no slabsim trace");
	expect_error("{\"type\":\"run\",\"v\":2}\n", -1, "version 2");
	expect_error("{\"type\":\"run\",\"v\":\"x\"}\n", -1, "\"v\" must be a whole number");
	expect_error(RUN "{\"type\":7}\n", -1, ":2: \"type\" must be a string");
	expect_error(RUN EVENT("\"ev\":\"free\""), -1, "\"obj\" is missing");
	expect_error(RUN EVENT("\"ev\":\"free\",\"obj\":\"cow:1\""), -1, "\"obj\" is \"cow:1\"");
	expect_error(RUN EVENT("\"ev\":\"free\",\"obj\":\"cache:-1\""), -1, "reads like");
	expect_error(RUN EVENT("\"ev\":\"free\",\"obj\":\"cache:1\",\"args\":3"), -1, "\"args\"");
	expect_error(RUN EVENT("\"ev\":\"free\",\"obj\":\"cache:1\",\"stack\":[1]"), -1,
		     "\"stack\"");
	expect_error(RUN EVENT("\"ev\":\"ref_get\",\"obj\":\"cache:1\","
			       "\"args\":{\"holder\":\"nobody\"}"),
		     -1, "nobody");
	expect_error(RUN "{\"type\":\"event\",\"seq\":-1}\n", -1, "\"seq\" is -1");
	expect_error(RUN "{\"type\":\"event\",\"seq\":1,\"t\":1,\"cpu\":999}\n", -1, "\"cpu\"");
}
END_TEST

START_TEST(odd_bytes_are_errors)
{
	static const char nul[] = RUN "{\"type\":\"ev\0ent\"}\n";
	g_autofree char *deep = g_strnfill(900000, '[');
	g_autofree char *deep_text = g_strconcat(RUN, deep, "\n", NULL);
	g_autofree char *huge = g_strnfill(3000000, 'x');
	g_autofree char *huge_text = g_strconcat(RUN, "{\"type\":\"", huge, "\"}\n", NULL);

	expect_error(nul, sizeof(nul) - 1, ":2: there is a NUL byte");
	expect_error(deep_text, -1, ":2: brackets nest deeper");
	expect_error(huge_text, -1, ":2: the line is longer");
	expect_error(RUN "{\"type\":\"\xff\"}\n", -1, "UTF-8");
}
END_TEST

START_TEST(cut_trace_reads_up_to_the_cut)
{
	g_autofree char *text = NULL;
	gsize n;

	write_trace();
	ck_assert(g_file_get_contents(path, &text, &n, NULL));
	for (gsize i = 1; i < n; i++) {
		struct trace_file *tf = read_text(text, (gssize)i, NULL);

		if (tf && i < n - 1)
			ck_assert(!tf->ended);
		if (i > n / 2)
			ck_assert_ptr_nonnull(tf);
		trace_file_free(tf);
	}
}
END_TEST

/* Newer slabsims may write more; what is known stays readable. */
START_TEST(unknown_lines_and_fields_are_skipped)
{
	static const char event[] =
		EVENT("\"ev\":\"free\",\"obj\":\"cache:1\",\"new\":{\"x\":[1,2]}");
	static const char moon[] = "{\"type\":\"event\",\"seq\":2,\"t\":5,\"cpu\":0,"
				   "\"ctx\":\"task\",\"task\":1,\"ev\":\"moon_rise\","
				   "\"obj\":\"moon:1\"}\n";
	g_autofree char *text =
		g_strconcat(RUN, "{\"type\":\"counter\",\"t\":1}\n", event, moon, NULL);
	struct trace_file *tf = read_text(text, -1, NULL);

	ck_assert_ptr_nonnull(tf);
	ck_assert_uint_eq(tf->events->len, 1);
	ck_assert(!tf->ended);
	trace_file_free(tf);
}
END_TEST

/* Every byte of a good trace replaced in turn: an error or a trace, never a crash. */
START_TEST(garbled_trace_never_crashes)
{
	static const char bytes[] = {0, '"', '{', '[', '9', '\\', '\n', (char)0xff};
	g_autofree char *text = NULL;
	gsize n;

	write_trace();
	ck_assert(g_file_get_contents(path, &text, &n, NULL));
	for (gsize i = 0; i < n; i++) {
		char c = text[i];
		g_autoptr(GError) error = NULL;
		struct trace_file *tf;

		text[i] = bytes[i % sizeof(bytes)];
		tf = read_text(text, (gssize)n, &error);
		ck_assert((tf == NULL) == (error != NULL));
		trace_file_free(tf);
		text[i] = c;
	}
}
END_TEST

START_TEST(unreadable_files_are_errors)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(trace_read(dir, &error));
	ck_assert_ptr_nonnull(strstr(error->message, dir));
	g_clear_error(&error);
	ck_assert_ptr_null(trace_read(path, &error));
	ck_assert_ptr_nonnull(strstr(error->message, path));
}
END_TEST

Suite *suite_trace_io(void)
{
	Suite *s = suite_create("trace_io");
	TCase *tc = tcase_create("trace_io");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, reports_are_about_what_was_found);
	tcase_add_test(tc, written_trace_reads_back);
	tcase_add_test(tc, collector_agrees_with_reader);
	tcase_add_test(tc, collector_keeps_the_end);
	tcase_add_test(tc, nothing_is_overwritten_unasked);
	tcase_add_test(tc, late_file_survives);
	tcase_add_test(tc, discarded_trace_leaves_nothing);
	tcase_add_test(tc, full_disk_is_an_error);
	tcase_add_test(tc, unwritable_places_are_errors);
	tcase_add_test(tc, errors_name_file_line_and_field);
	tcase_add_test(tc, odd_bytes_are_errors);
	tcase_add_test(tc, cut_trace_reads_up_to_the_cut);
	tcase_add_test(tc, unknown_lines_and_fields_are_skipped);
	tcase_add_test(tc, garbled_trace_never_crashes);
	tcase_add_test(tc, unreadable_files_are_errors);
	suite_add_tcase(s, tc);
	return s;
}
