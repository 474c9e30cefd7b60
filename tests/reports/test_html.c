// SPDX-License-Identifier: GPL-2.0-only
#include <check.h>
#include <json-glib/json-glib.h>

#include "reports/html.h"

Suite *suite_html(void);

static struct trace_file *tf;

static void setup(void)
{
	tf = trace_file_new(0);
	tf->scenario = "s</script>";
	tf->lifecycle = "v5.3";
	tf->order = "timed";
	tf->seed = UINT64_MAX;
	tf->nr_cpus = 2;
	tf->ended = true;
	tf->verdict = VERDICT_PASS;
}

static void teardown(void)
{
	trace_file_free(tf);
}

static void add(uint64_t seq, uint64_t t, uint16_t kind, oid_t obj, uint64_t cause)
{
	struct trace_record r = {
		.seq = seq,
		.t = t,
		.kind = kind,
		.obj = obj,
		.cause = cause,
		.via = cause ? VIA_QUEUE_WORK : VIA_NONE,
		.ctx = CTX_TASK,
		.task = 1,
	};

	trace_file_add(tf, &r);
	tf->end = t;
}

static char *text_of(void (*write)(const struct trace_file *, struct output *))
{
	struct output *o = output_memory();
	char *text;

	write(tf, o);
	text = g_strndup(o->buf, o->len);
	output_discard(o);
	return text;
}

static JsonObject *pack(JsonParser *parser)
{
	g_autofree char *text = text_of(html_pack);

	ck_assert(json_parser_load_from_data(parser, text, -1, NULL));
	return json_node_get_object(json_parser_get_root(parser));
}

/* All varints of a column. */
static GArray *column(JsonObject *o, const char *name)
{
	JsonObject *columns = json_object_get_object_member(o, "columns");
	GArray *values = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	gsize n;
	g_autofree guchar *data = g_base64_decode(json_object_get_string_member(columns, name), &n);
	uint64_t v = 0;
	int shift = 0;

	for (gsize i = 0; i < n; i++) {
		v |= (uint64_t)(data[i] & 127) << shift;
		shift += 7;
		if (data[i] > 127)
			continue;
		g_array_append_val(values, v);
		v = 0;
		shift = 0;
	}
	return values;
}

static void check_column(JsonObject *o, const char *name, guint n, const uint64_t *expected)
{
	g_autoptr(GArray) values = column(o, name);

	ck_assert_msg(values->len == n, "%s has %u values, should have %u", name, values->len, n);
	for (guint i = 0; i < n; i++)
		ck_assert_msg(g_array_index(values, uint64_t, i) == expected[i],
			      "%s[%u] is %" G_GUINT64_FORMAT, name, i,
			      g_array_index(values, uint64_t, i));
}

START_TEST(what_repeats_is_left_out)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	oid_t a = oid_make(OBJ_CACHE, 7), b = oid_make(OBJ_CACHE, 300);
	JsonObject *o;

	add(1, 10, TR_OBJ_PUBLISH, a, 0);
	add(2, 10, TR_OBJ_PUBLISH, b, 0);
	add(500, 400, TR_OBJ_PUBLISH, a, 1);
	add(501, 400, TR_OBJ_PUBLISH, 0, 77);
	o = pack(parser);
	/* bit 0: a cause, bit 1: a number that is not the next one */
	check_column(o, "ctx", 4, (const uint64_t[]){0, 0, 3, 0});
	check_column(o, "seq", 1, (const uint64_t[]){498});
	check_column(o, "t", 4, (const uint64_t[]){10, 0, 390, 0});
	/* new, new, the one before the newest, none */
	check_column(o, "obj", 4, (const uint64_t[]){1, 1, 3, 0});
	/* two events back, by the first string */
	check_column(o, "cause", 2, (const uint64_t[]){2, 1});
	ck_assert_int_eq(json_object_get_int_member(o, "n"), 4);
	ck_assert_int_eq(json_object_get_int_member(o, "nr_objects"), 2);
}
END_TEST

START_TEST(numbers_beyond_a_script_are_text)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonArray *runs = json_object_get_array_member(pack(parser), "runs");
	JsonObject *run = json_array_get_object_element(runs, 0);

	ck_assert_uint_eq(json_array_get_length(runs), 1);
	ck_assert_str_eq(json_object_get_string_member(run, "seed"), "18446744073709551615");
}
END_TEST

START_TEST(no_name_ends_the_island)
{
	g_autofree char *page = text_of(html_write), *again = text_of(html_write);
	const char *island = strstr(page, "id=\"trace\">"), *end;

	ck_assert_ptr_nonnull(island);
	end = strstr(island, "</script>");
	ck_assert_ptr_nonnull(end);
	ck_assert_ptr_nonnull(g_strstr_len(island, end - island, "s\\u003c/script>"));
	/* What follows is the page's own script, not the rest of the data. */
	ck_assert(g_str_has_prefix(end, "</script>\n<script>\n'use strict';"));
	ck_assert_str_eq(page, again);
}
END_TEST

/* Every kind of event, with all that it can carry. */
/* A browser takes in an element in one go: a long trace stands in many, no letter is cut. */
START_TEST(a_long_island_stands_in_pieces)
{
	const struct html_parts parts = {.page = "page.html"};
	const char *begin = "<script type=\"application/json\"", *end = "</script>";
	g_autoptr(GString) joined = g_string_new(NULL);
	struct output *json = output_memory(), *page = output_memory();
	int nr = 0;

	for (int i = 0; i < 200000; i++)
		output_str(json, i % 3 ? "\u20ac" : "<a");
	html_put_page(&parts, json, page);
	output_char(page, 0);
	for (char *at = strstr(page->buf, begin); at; at = strstr(at, begin)) {
		char *from = strchr(at, '>') + 1, *to = strstr(from, end);

		ck_assert_uint_lt((size_t)(to - from), 500000);
		ck_assert(g_utf8_validate(from, to - from, NULL));
		g_string_append_len(joined, from, to - from);
		at = to;
		nr++;
	}
	ck_assert_int_ge(nr, 3);
	output_char(json, 0);
	{
		g_auto(GStrv) words = g_strsplit(joined->str, "\\u003c", -1);
		g_autofree char *plain = g_strjoinv("<", words);

		ck_assert_str_eq(plain, json->buf);
	}
	output_discard(json);
	output_discard(page);
}
END_TEST

START_TEST(every_kind_is_packed)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	guint nr_args = 0;
	g_autoptr(GArray) args = NULL;

	for (uint16_t k = 0; k < NR_TRACE_KINDS; k++) {
		struct trace_record r = {
			.seq = k + 1u,
			.t = k,
			.kind = k,
			.obj = oid_make(OBJ_CACHE, 1),
			.str = "\xff<",
		};

		for (int i = 0; i < TRACE_NR_ARGS; i++) {
			char type = trace_kinds[k].arg[i][0];

			r.arg[i] = type == 'o'	 ? (int64_t)oid_make(OBJ_MEMCG, 2)
				   : type == 'n' ? INT64_MIN
						 : 1;
			nr_args += type != 0;
		}
		trace_file_add(tf, &r);
	}
	args = column(pack(parser), "args");
	ck_assert_uint_eq(args->len, nr_args);
}
END_TEST

Suite *suite_html(void)
{
	Suite *s = suite_create("html");
	TCase *tc = tcase_create("html");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_repeats_is_left_out);
	tcase_add_test(tc, numbers_beyond_a_script_are_text);
	tcase_add_test(tc, no_name_ends_the_island);
	tcase_add_test(tc, a_long_island_stands_in_pieces);
	tcase_add_test(tc, every_kind_is_packed);
	suite_add_tcase(s, tc);
	return s;
}
