// SPDX-License-Identifier: GPL-2.0-only
/* Watch: each page that is written to is listed, and no other one. */
#include "sim/base/watch.h"

#include <check.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

Suite *suite_watch(void);

#define LIMIT ((size_t)1 << 20)
#define HEAP ((size_t)128 << 10)

static struct arena *a;
static char *block;
static size_t page;

static void setup(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	a = arena_map(LIMIT);
	ck_assert_ptr_nonnull(a);
	block = arena_alloc(a, HEAP);
	ck_assert_ptr_nonnull(block);
	watch_start(a, "");
	ck_assert_ptr_nonnull(watch_now());
}

static uint32_t page_of(const char *p)
{
	return (uint32_t)((size_t)(p - a->base) / page);
}

static void write_to(char *p)
{
	*(volatile char *)p = 1;
}

START_TEST(whole_pages_of_the_heap_are_watched)
{
	ck_assert_uint_eq(watch_now()->bytes, a->top / page * page);
	ck_assert_uint_eq(watch_now()->nr_written, 0);
}
END_TEST

START_TEST(reading_lists_nothing)
{
	ck_assert_int_eq(*(volatile char *)(block + HEAP / 2), 0);
	ck_assert_uint_eq(watch_now()->nr_written, 0);
}
END_TEST

START_TEST(pages_are_listed_once_in_the_order_of_their_first_write)
{
	char *late = block + 9 * page, *early = block + 3 * page;

	write_to(late);
	write_to(early);
	write_to(late);
	write_to(late + 1);
	ck_assert_int_eq(*late, 1);
	ck_assert_int_eq(*early, 1);
	ck_assert_uint_eq(watch_now()->nr_written, 2);
	ck_assert_uint_eq(watch_now()->written[0], page_of(late));
	ck_assert_uint_eq(watch_now()->written[1], page_of(early));
}
END_TEST

START_TEST(a_write_across_two_pages_lists_both)
{
	char *at = a->base + (page_of(block) + 2) * page;

	memset(at - 4, 1, 8);
	ck_assert_uint_eq(watch_now()->nr_written, 2);
}
END_TEST

START_TEST(a_reset_ends_the_watch)
{
	arena_reset(a, LIMIT);
	ck_assert_ptr_null(watch_now());
	memset(a->base + page, 1, HEAP - page);
}
END_TEST

START_TEST(a_second_watch_begins_with_nothing_written)
{
	write_to(block + page);
	watch_start(a, "");
	ck_assert_uint_eq(watch_now()->nr_written, 0);
	write_to(block + page);
	ck_assert_uint_eq(watch_now()->nr_written, 1);
}
END_TEST

/* Workers set SIGSEGV back to what it was before the program started. */
START_TEST(sigsegv_can_be_taken_again)
{
	signal(SIGSEGV, SIG_DFL);
	watch_signals();
	write_to(block + page);
	ck_assert_uint_eq(watch_now()->nr_written, 1);
}
END_TEST

START_TEST(faults_elsewhere_are_not_swallowed)
{
	char *stack = arena_stack_get(a, STACK_LARGE);

	/* A sanitizer would report the fault and exit. */
	watch_stop();
	signal(SIGSEGV, SIG_DFL);
	watch_start(a, "");
	write_to(stack - 1);
}
END_TEST

static void somebody_else(int sig)
{
	(void)sig;
}

/* Who had SIGSEGV before has it again when the watch ends. */
START_TEST(the_end_of_a_watch_gives_sigsegv_back)
{
	struct sigaction now;

	watch_stop();
	signal(SIGSEGV, somebody_else);
	watch_start(a, "");
	watch_stop();
	sigaction(SIGSEGV, NULL, &now);
	ck_assert(now.sa_handler == somebody_else);
}
END_TEST

Suite *suite_watch(void)
{
	Suite *s = suite_create("watch");
	TCase *tc = tcase_create("watch");

	suite_add_tcase(s, tc);
	if (!WATCH_POSSIBLE)
		return s;
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, whole_pages_of_the_heap_are_watched);
	tcase_add_test(tc, reading_lists_nothing);
	tcase_add_test(tc, pages_are_listed_once_in_the_order_of_their_first_write);
	tcase_add_test(tc, a_write_across_two_pages_lists_both);
	tcase_add_test(tc, a_reset_ends_the_watch);
	tcase_add_test(tc, a_second_watch_begins_with_nothing_written);
	tcase_add_test(tc, sigsegv_can_be_taken_again);
	tcase_add_test_raise_signal(tc, faults_elsewhere_are_not_swallowed, SIGSEGV);
	tcase_add_test(tc, the_end_of_a_watch_gives_sigsegv_back);
	return s;
}
