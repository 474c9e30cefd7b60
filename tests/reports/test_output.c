// SPDX-License-Identifier: GPL-2.0-only
/* Output: what is buffered when makes no difference to what is in the file. */

#include <check.h>
#include <unistd.h>

#include "reports/output.h"

Suite *suite_output(void);

/* Lines of @width, each with blanks at its end that are not to be there. */
static void write_lines(struct output *o, int nr, int width, int blanks)
{
	for (int i = 0; i < nr; i++) {
		output_pad(o, 'x', width);
		output_pad(o, ' ', blanks);
		output_end_line(o);
	}
}

/* Wherever in a line the buffer is full. */
START_TEST(blanks_at_the_end_of_a_line_go_even_if_the_buffer_is_full)
{
	enum { WIDTH = 30, NR = 8192 };
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_strdup_printf("/tmp/slabsim-test-output.%d", (int)getpid());
	g_autofree char *text = NULL;
	struct output *o = output_open(path, true, &error);
	size_t size;

	ck_assert_msg(o != NULL, "%s", error ? error->message : "");
	output_pad(o, '-', 1 + _i);
	output_char(o, '\n');
	write_lines(o, NR, WIDTH, 9);
	ck_assert(output_close(o, &error));
	ck_assert(g_file_get_contents(path, &text, &size, NULL));
	unlink(path);
	ck_assert_uint_eq(size, (size_t)(2 + _i + NR * (WIDTH + 1)));
	ck_assert_ptr_null(strchr(text, ' '));
}
END_TEST

/* Nothing but blanks is written as it is, however much. */
START_TEST(blanks_alone_do_not_pile_up)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_strdup_printf("/tmp/slabsim-test-output.%d", (int)getpid());
	g_autofree char *text = NULL;
	struct output *o = output_open(path, true, &error);
	size_t size;

	ck_assert_msg(o != NULL, "%s", error ? error->message : "");
	output_pad(o, ' ', 300000);
	output_char(o, 'x');
	ck_assert(output_close(o, &error));
	ck_assert(g_file_get_contents(path, &text, &size, NULL));
	unlink(path);
	ck_assert_uint_eq(size, 300001);
}
END_TEST

Suite *suite_output(void)
{
	Suite *s = suite_create("output");
	TCase *tc = tcase_create("output");

	tcase_add_loop_test(tc, blanks_at_the_end_of_a_line_go_even_if_the_buffer_is_full, 0, 40);
	tcase_add_test(tc, blanks_alone_do_not_pile_up);
	suite_add_tcase(s, tc);
	return s;
}
