// SPDX-License-Identifier: GPL-2.0-only
/* Arena: size classes, reuse, the limit, and the stacks. */
#include "sim/base/arena.h"

#include <check.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

Suite *suite_arena(void);

#define LIMIT ((size_t)1 << 20)

static struct arena *a;

static void setup(void)
{
	a = arena_map(LIMIT);
	ck_assert_ptr_nonnull(a);
}

static bool all_bytes(const char *p, char value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (p[i] != value)
			return false;
	}
	return true;
}

/* ---- heap ------------------------------------------------------------------------- */

START_TEST(fresh_memory_is_zeroed_also_after_an_earlier_run)
{
	char *p = arena_alloc(a, 1000);

	memset(p, 0x5a, 1000);
	arena_reset(a, LIMIT);
	ck_assert_ptr_eq(arena_alloc(a, 1000), p);
	ck_assert(all_bytes(p, 0, 1000));
}
END_TEST

START_TEST(reused_memory_is_zeroed)
{
	char *p = arena_alloc(a, 100);

	memset(p, 0x5a, 100);
	arena_free(a, p, 100);
	ck_assert_ptr_eq(arena_alloc(a, 100), p);
	ck_assert(all_bytes(p, 0, 100));
}
END_TEST

START_TEST(blocks_are_aligned_to_16_bytes)
{
	for (size_t size = 1; size < 3000; size += 7)
		ck_assert_uint_eq((uintptr_t)arena_alloc(a, size) % 16, 0);
}
END_TEST

/* Callers index arrays by what they asked for: neighbours must not overlap at any size. */
START_TEST(every_block_is_as_big_as_asked_for)
{
	for (size_t size = 1; size < 6000; size += 13) {
		char *p = arena_alloc(a, size), *q;

		arena_reset(a, LIMIT);
		p = arena_alloc(a, size);
		q = arena_alloc(a, 1);
		if (q < p + size)
			ck_abort_msg("a block of %zu bytes has only %td", size, q - p);
	}
}
END_TEST

START_TEST(small_sizes_share_a_class_up_to_the_next_multiple_of_16)
{
	void *p = arena_alloc(a, 497);

	arena_free(a, p, 497);
	ck_assert_ptr_ne(arena_alloc(a, 496), p);
	ck_assert_ptr_eq(arena_alloc(a, 512), p);
}
END_TEST

START_TEST(large_sizes_share_a_class_up_to_the_next_quarter_of_a_power_of_two)
{
	void *p = arena_alloc(a, 513), *q = arena_alloc(a, 4097);

	arena_free(a, p, 513);
	ck_assert_ptr_ne(arena_alloc(a, 641), p);
	ck_assert_ptr_eq(arena_alloc(a, 640), p);
	arena_free(a, q, 4097);
	ck_assert_ptr_ne(arena_alloc(a, 5121), q);
	ck_assert_ptr_eq(arena_alloc(a, 5120), q);
}
END_TEST

/* At most a fifth is lost to rounding. */
START_TEST(rounding_of_large_sizes_is_bounded)
{
	for (size_t size = 513; size < 100000; size += 101) {
		size_t before;

		arena_reset(a, LIMIT);
		before = a->top;
		arena_alloc(a, size);
		ck_assert_uint_le(a->top - before, size + size / 4);
	}
}
END_TEST

START_TEST(free_blocks_are_reused_last_in_first_out)
{
	void *p = arena_alloc(a, 64), *q = arena_alloc(a, 64);
	size_t top = a->top;

	arena_free(a, p, 64);
	arena_free(a, q, 64);
	ck_assert_ptr_eq(arena_alloc(a, 64), q);
	ck_assert_ptr_eq(arena_alloc(a, 64), p);
	ck_assert_uint_eq(a->top, top);
}
END_TEST

START_TEST(live_bytes_return_to_where_they_were)
{
	size_t before = a->live_bytes;
	void *p = arena_alloc(a, 10), *q = arena_alloc(a, 9999);

	ck_assert_uint_ge(a->live_bytes - before, 10 + 9999);
	arena_free(a, p, 10);
	arena_free(a, q, 9999);
	ck_assert_uint_eq(a->live_bytes, before);
}
END_TEST

START_TEST(no_size_is_a_block_like_any_other)
{
	void *p = arena_alloc(a, 0), *q = arena_alloc(a, 0);

	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_ne(p, q);
	arena_free(a, p, 0);
	ck_assert_ptr_eq(arena_alloc(a, 0), p);
}
END_TEST

START_TEST(strdup_copies_into_the_arena)
{
	char text[] = "slab";
	char *copy = arena_strdup(a, text);

	text[0] = 'X';
	ck_assert_str_eq(copy, "slab");
	ck_assert(copy >= a->base && copy < a->base + a->top);
}
END_TEST

START_TEST(mapping_twice_gives_the_same_arena_emptied)
{
	size_t top = a->top;

	arena_alloc(a, 100);
	ck_assert_ptr_eq(arena_map(LIMIT), a);
	ck_assert_uint_eq(a->top, top);
	ck_assert_uint_eq(a->live_bytes, 0);
}
END_TEST

/* ---- limit ------------------------------------------------------------------------ */

START_TEST(the_limit_gives_null_and_changes_nothing)
{
	size_t top, live;

	ck_assert_ptr_nonnull(arena_alloc(a, LIMIT / 2));
	top = a->top;
	live = a->live_bytes;
	ck_assert_ptr_null(arena_alloc(a, LIMIT / 2));
	ck_assert_uint_eq(a->top, top);
	ck_assert_uint_eq(a->live_bytes, live);
	ck_assert_ptr_nonnull(arena_alloc(a, 1000));
}
END_TEST

START_TEST(the_limit_can_be_used_up_to_the_last_block)
{
	size_t n = (a->limit - a->top) / 16;

	for (size_t i = 0; i < n; i++) {
		if (!arena_alloc(a, 16))
			ck_abort_msg("block %zu of %zu does not fit", i, n);
	}
	ck_assert_ptr_null(arena_alloc(a, 1));
}
END_TEST

START_TEST(at_the_limit_free_blocks_still_serve)
{
	void *p = arena_alloc(a, 64);

	a->limit = a->top;
	ck_assert_ptr_null(arena_alloc(a, 64));
	arena_free(a, p, 64);
	ck_assert_ptr_eq(arena_alloc(a, 64), p);
}
END_TEST

START_TEST(an_arena_without_room_for_anything_gives_null)
{
	arena_reset(a, 0);
	ck_assert_ptr_null(arena_alloc(a, 1));
	ck_assert_ptr_null(arena_strdup(a, "x"));
}
END_TEST

START_TEST(huge_sizes_give_null)
{
	arena_reset(a, (size_t)64 << 30);
	ck_assert_ptr_null(arena_alloc(a, SIZE_MAX));
	ck_assert_ptr_null(arena_alloc(a, SIZE_MAX / 2 + 1));
	ck_assert_ptr_null(arena_alloc(a, ((size_t)32 << 30) + 1));
	ck_assert_ptr_null(arena_realloc(a, NULL, 0, SIZE_MAX));
	ck_assert_uint_eq(a->live_bytes, 0);
}
END_TEST

START_TEST(a_limit_beyond_the_mapping_is_refused)
{
	arena_reset(a, ((size_t)64 << 30) + 1);
}
END_TEST

/* ---- realloc ---------------------------------------------------------------------- */

START_TEST(realloc_keeps_the_content_when_it_grows)
{
	char *p = arena_alloc(a, 100), *q;

	memset(p, 0x5a, 100);
	q = arena_realloc(a, p, 100, 10000);
	ck_assert_ptr_ne(q, p);
	ck_assert(all_bytes(q, 0x5a, 100));
	ck_assert_ptr_eq(arena_alloc(a, 100), p);
}
END_TEST

START_TEST(realloc_keeps_what_fits_when_it_shrinks)
{
	char *p = arena_alloc(a, 10000), *next, *q;

	memset(p, 0x5a, 10000);
	q = arena_realloc(a, p, 10000, 100);
	next = arena_alloc(a, 16);
	memset(next, 1, 16);
	ck_assert(all_bytes(q, 0x5a, 100));
}
END_TEST

START_TEST(realloc_within_a_class_moves_nothing)
{
	void *p = arena_alloc(a, 97);

	ck_assert_ptr_eq(arena_realloc(a, p, 97, 112), p);
	ck_assert_ptr_eq(arena_realloc(a, p, 112, 98), p);
}
END_TEST

START_TEST(realloc_of_nothing_allocates)
{
	size_t live = a->live_bytes;
	void *p = arena_realloc(a, NULL, 0, 48);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(a->live_bytes, live + 48);
}
END_TEST

START_TEST(realloc_at_the_limit_leaves_the_block_alone)
{
	char *p = arena_alloc(a, 100);
	size_t live = a->live_bytes;

	memset(p, 0x5a, 100);
	a->limit = a->top;
	ck_assert_ptr_null(arena_realloc(a, p, 100, 1000));
	ck_assert(all_bytes(p, 0x5a, 100));
	ck_assert_uint_eq(a->live_bytes, live);
}
END_TEST

/* ---- stacks ----------------------------------------------------------------------- */

START_TEST(stacks_have_the_size_of_their_class)
{
	char *p = arena_stack_get(a, _i), *q = arena_stack_get(a, _i);
	size_t size = arena_stack_size(_i);

	ck_assert_uint_ge(size, _i == STACK_LARGE ? 60 * 4096 : 4096);
	ck_assert_int_ge(q > p ? q - p : p - q, (ptrdiff_t)size);
	memset(p + 8, 1, size - 8);
	ck_assert(arena_stack_intact(p));
	ck_assert(arena_stack_intact(q));
}
END_TEST

START_TEST(a_stack_written_to_its_lowest_word_is_not_intact)
{
	char *p = arena_stack_get(a, _i);

	p[7] ^= 1;
	ck_assert(!arena_stack_intact(p));
}
END_TEST

START_TEST(a_returned_stack_is_taken_again_with_a_new_canary)
{
	char *p = arena_stack_get(a, _i);

	memset(p, 0, arena_stack_size(_i));
	arena_stack_put(a, _i, p);
	ck_assert_ptr_eq(arena_stack_get(a, _i), p);
	ck_assert(arena_stack_intact(p));
	ck_assert_uint_eq(a->stacks_used[_i], 1);
}
END_TEST

START_TEST(no_stack_is_left_at_the_end_of_its_region)
{
	a->stacks_used[STACK_SMALL] = (uint32_t)(((size_t)8 << 30) / 4096);
	a->stacks_used[STACK_LARGE] = (uint32_t)(((size_t)64 << 30) / (256 << 10));
	ck_assert_ptr_null(arena_stack_get(a, STACK_SMALL));
	ck_assert_ptr_null(arena_stack_get(a, STACK_LARGE));
}
END_TEST

/* The list of free stacks needs memory: without it the stack is lost, and nothing else. */
START_TEST(returning_a_stack_without_memory_is_harmless)
{
	char *p = arena_stack_get(a, STACK_SMALL);

	a->limit = a->top;
	arena_stack_put(a, STACK_SMALL, p);
	ck_assert_ptr_nonnull(arena_stack_get(a, STACK_SMALL));
}
END_TEST

START_TEST(a_write_below_a_large_stack_hits_the_guard_page)
{
	char *p = arena_stack_get(a, STACK_LARGE);

	/* A sanitizer would report the fault and exit. */
	signal(SIGSEGV, SIG_DFL);
	*(volatile char *)(p - 1) = 1;
}
END_TEST

START_TEST(guard_hit_tells_guard_pages_from_everything_else)
{
	char *first = arena_stack_get(a, STACK_LARGE), *second = arena_stack_get(a, STACK_LARGE);
	char *small = arena_stack_get(a, STACK_SMALL);

	ck_assert(arena_guard_hit(first - 1));
	ck_assert(arena_guard_hit(first - 4096));
	ck_assert(arena_guard_hit(second - 1));
	ck_assert(!arena_guard_hit(first));
	ck_assert(!arena_guard_hit(first + arena_stack_size(STACK_LARGE) - 1));
	ck_assert(!arena_guard_hit(second + arena_stack_size(STACK_LARGE)));
	ck_assert(!arena_guard_hit(small));
	ck_assert(!arena_guard_hit(a->base));
	ck_assert(!arena_guard_hit(NULL));
	ck_assert(!arena_guard_hit(&small));
}
END_TEST

static TCase *case_heap(void)
{
	TCase *tc = tcase_create("heap");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, fresh_memory_is_zeroed_also_after_an_earlier_run);
	tcase_add_test(tc, reused_memory_is_zeroed);
	tcase_add_test(tc, blocks_are_aligned_to_16_bytes);
	tcase_add_test(tc, every_block_is_as_big_as_asked_for);
	tcase_add_test(tc, small_sizes_share_a_class_up_to_the_next_multiple_of_16);
	tcase_add_test(tc, large_sizes_share_a_class_up_to_the_next_quarter_of_a_power_of_two);
	tcase_add_test(tc, rounding_of_large_sizes_is_bounded);
	tcase_add_test(tc, free_blocks_are_reused_last_in_first_out);
	tcase_add_test(tc, live_bytes_return_to_where_they_were);
	tcase_add_test(tc, no_size_is_a_block_like_any_other);
	tcase_add_test(tc, strdup_copies_into_the_arena);
	tcase_add_test(tc, mapping_twice_gives_the_same_arena_emptied);
	return tc;
}

static TCase *case_limit(void)
{
	TCase *tc = tcase_create("limit");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, the_limit_gives_null_and_changes_nothing);
	tcase_add_test(tc, the_limit_can_be_used_up_to_the_last_block);
	tcase_add_test(tc, at_the_limit_free_blocks_still_serve);
	tcase_add_test(tc, an_arena_without_room_for_anything_gives_null);
	tcase_add_test(tc, huge_sizes_give_null);
	tcase_add_test_raise_signal(tc, a_limit_beyond_the_mapping_is_refused, SIGABRT);
	tcase_add_test(tc, realloc_keeps_the_content_when_it_grows);
	tcase_add_test(tc, realloc_keeps_what_fits_when_it_shrinks);
	tcase_add_test(tc, realloc_within_a_class_moves_nothing);
	tcase_add_test(tc, realloc_of_nothing_allocates);
	tcase_add_test(tc, realloc_at_the_limit_leaves_the_block_alone);
	return tc;
}

static TCase *case_stacks(void)
{
	TCase *tc = tcase_create("stacks");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, stacks_have_the_size_of_their_class, 0, NR_STACK_CLASSES);
	tcase_add_loop_test(tc, a_stack_written_to_its_lowest_word_is_not_intact, 0,
			    NR_STACK_CLASSES);
	tcase_add_loop_test(tc, a_returned_stack_is_taken_again_with_a_new_canary, 0,
			    NR_STACK_CLASSES);
	tcase_add_test(tc, no_stack_is_left_at_the_end_of_its_region);
	tcase_add_test(tc, returning_a_stack_without_memory_is_harmless);
	tcase_add_test_raise_signal(tc, a_write_below_a_large_stack_hits_the_guard_page, SIGSEGV);
	tcase_add_test(tc, guard_hit_tells_guard_pages_from_everything_else);
	return tc;
}

Suite *suite_arena(void)
{
	Suite *s = suite_create("arena");

	suite_add_tcase(s, case_heap());
	suite_add_tcase(s, case_limit());
	suite_add_tcase(s, case_stacks());
	return s;
}
