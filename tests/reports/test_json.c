// SPDX-License-Identifier: GPL-2.0-only
#include <check.h>
#include <stdint.h>

#include "reports/json.h"

Suite *suite_json(void);

static void expect(struct output *o, const char *text)
{
	output_char(o, 0);
	ck_assert_str_eq(o->buf, text);
	output_discard(o);
}

static void expect_string(const char *s, const char *json)
{
	struct output *o = output_memory();

	json_string(o, s);
	expect(o, json);
}

START_TEST(strings_are_escaped)
{
	expect_string("", "\"\"");
	expect_string("dentry(2:box)", "\"dentry(2:box)\"");
	expect_string("a\"b\\c", "\"a\\\"b\\\\c\"");
	expect_string("\n\t\x01\x1f", "\"\\u000a\\u0009\\u0001\\u001f\"");
	expect_string("\x7f", "\"\x7f\"");
}
END_TEST

START_TEST(valid_utf8_stays)
{
	expect_string("\xc3\xa4", "\"\xc3\xa4\"");
	expect_string("\xe2\x82\xac", "\"\xe2\x82\xac\"");
	expect_string("\xf0\x9f\x90\xa7", "\"\xf0\x9f\x90\xa7\"");
}
END_TEST

/* A trace with a broken byte in a name would be unreadable for every JSON parser. */
START_TEST(invalid_utf8_is_replaced)
{
#define BAD "\xef\xbf\xbd"
	expect_string("\x80", "\"" BAD "\"");
	expect_string("\xc3", "\"" BAD "\"");
	expect_string("\xc3(", "\"" BAD "(\"");
	expect_string("\xc0\xaf", "\"" BAD BAD "\"");		      /* overlong */
	expect_string("\xed\xa0\x80", "\"" BAD BAD BAD "\"");	      /* surrogate */
	expect_string("\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\""); /* above U+10FFFF */
	expect_string("\xe2\x82", "\"" BAD BAD "\"");
#undef BAD
}
END_TEST

START_TEST(numbers_at_their_limits)
{
	struct output *o = output_memory();

	output_u64(o, 0);
	output_char(o, ' ');
	output_u64(o, UINT64_MAX);
	output_char(o, ' ');
	output_i64(o, INT64_MIN);
	output_char(o, ' ');
	output_i64(o, INT64_MAX);
	output_char(o, ' ');
	output_i64(o, -1);
	expect(o, "0 18446744073709551615 -9223372036854775808 9223372036854775807 -1");
}
END_TEST

START_TEST(objects_read_like_kind_and_number)
{
	struct output *o = output_memory();

	json_oid(o, oid_make(OBJ_CACHE, 3));
	json_oid(o, 0);
	json_oid(o, oid_make(OBJ_MEMCG, (UINT64_C(1) << 56) - 1));
	expect(o, "\"cache:3\"\"-\"\"memcg:72057594037927935\"");
}
END_TEST

/* More than the buffer holds, in pieces and at once. */
START_TEST(memory_output_grows)
{
	struct output *o = output_memory();
	g_autofree char *big = g_strnfill(300000, 'x');

	for (int i = 0; i < 100000; i++)
		output_str(o, "ab");
	output_str(o, big);
	ck_assert_uint_eq(o->len, 500000);
	ck_assert_int_eq(o->buf[199999], 'b');
	ck_assert_int_eq(o->buf[200000], 'x');
	output_discard(o);
}
END_TEST

Suite *suite_json(void)
{
	Suite *s = suite_create("json");
	TCase *tc = tcase_create("json");

	tcase_add_test(tc, strings_are_escaped);
	tcase_add_test(tc, valid_utf8_stays);
	tcase_add_test(tc, invalid_utf8_is_replaced);
	tcase_add_test(tc, numbers_at_their_limits);
	tcase_add_test(tc, objects_read_like_kind_and_number);
	tcase_add_test(tc, memory_output_grows);
	suite_add_tcase(s, tc);
	return s;
}
