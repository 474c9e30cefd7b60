// SPDX-License-Identifier: GPL-2.0-only
#include <check.h>
#include <string.h>

#include "sim/base/rng.h"
#include "sim/base/table.h"

Suite *suite_table(void);

static struct table t;

static void setup(void)
{
	table_init(&t, arena_map((size_t)64 << 20), sizeof(uint64_t));
}

static void put(uint64_t nr, uint64_t value)
{
	uint64_t *p = table_add(&t, nr);

	ck_assert_ptr_nonnull(p);
	*p = value;
}

static uint64_t get(uint64_t nr)
{
	const uint64_t *p = table_find(&t, nr);

	return p ? *p : 0;
}

START_TEST(empty_table_owns_no_memory_and_finds_nothing)
{
	uint64_t pos = 0;

	ck_assert_uint_eq(t.arena->live_bytes, 0);
	ck_assert_ptr_null(table_find(&t, 0));
	ck_assert_ptr_null(table_find(&t, UINT64_MAX));
	ck_assert_ptr_null(table_next(&t, &pos));
	table_del(&t, 1);
}
END_TEST

START_TEST(new_value_is_zero_and_its_neighbours_are_not_there)
{
	ck_assert_uint_eq(*(uint64_t *)table_add(&t, 9), 0);
	ck_assert_ptr_nonnull(table_find(&t, 9));
	ck_assert_ptr_null(table_find(&t, 8));
	ck_assert_ptr_null(table_find(&t, 10));
	ck_assert_ptr_null(table_find(&t, 9 + TABLE_CHUNK));
	ck_assert_ptr_null(table_find(&t, 0));
}
END_TEST

START_TEST(adding_again_finds_the_old_value)
{
	put(5, 1);
	ck_assert_uint_eq(*(uint64_t *)table_add(&t, 5), 1);
}
END_TEST

/* Ledgers keep pointers to entries in other entries. */
START_TEST(values_never_move)
{
	uint64_t *first = table_add(&t, 1);

	*first = 42;
	for (uint64_t i = 2; i < 5000; i++)
		put(i, i);
	ck_assert_ptr_eq(table_find(&t, 1), first);
	ck_assert_uint_eq(*first, 42);
}
END_TEST

/* A value that is not a multiple of 8 long must not run into the next one. */
START_TEST(values_do_not_overlap)
{
	struct {
		char bytes[13];
	} * p;

	table_init(&t, t.arena, sizeof(*p));
	for (uint64_t i = 0; i < 100; i++) {
		p = table_add(&t, i);
		ck_assert_uint_eq((uintptr_t)p % 8, 0);
		memset(p, (int)i, sizeof(*p));
	}
	for (uint64_t i = 0; i < 100; i++) {
		p = table_find(&t, i);
		ck_assert_int_eq(p->bytes[0], (char)i);
		ck_assert_int_eq(p->bytes[12], (char)i);
	}
}
END_TEST

START_TEST(values_without_bytes_are_there_or_not)
{
	table_init(&t, t.arena, 0);
	ck_assert_ptr_nonnull(table_add(&t, 3));
	ck_assert_ptr_nonnull(table_find(&t, 3));
	ck_assert_ptr_null(table_find(&t, 2));
	table_del(&t, 3);
	ck_assert_ptr_null(table_find(&t, 3));
}
END_TEST

START_TEST(deleted_number_is_gone_and_comes_back_zeroed)
{
	put(5, 99);
	put(6, 66); /* keeps the chunk */
	table_del(&t, 5);
	ck_assert_ptr_null(table_find(&t, 5));
	ck_assert_uint_eq(*(uint64_t *)table_add(&t, 5), 0);
	ck_assert_uint_eq(get(6), 66);
	table_del(&t, 5);
	table_del(&t, 6);
	ck_assert_uint_eq(*(uint64_t *)table_add(&t, 6), 0);
	ck_assert_ptr_null(table_find(&t, 5));
}
END_TEST

/* In a long run pages and work items come and go by the million, and few live at a time. */
START_TEST(memory_follows_what_is_there_not_what_ever_was)
{
	size_t one_alive, bytes;

	put(1, 1);
	one_alive = t.arena->live_bytes;
	for (uint64_t i = 2; i < 100000; i++) {
		put(i, i);
		table_del(&t, i - 1);
	}
	bytes = t.arena->live_bytes;
	ck_assert_uint_eq(get(99999), 99999);
	/* A pointer for each chunk, at most twice as many as needed. */
	ck_assert_uint_le(bytes, one_alive + 2 * 100000 / TABLE_CHUNK * sizeof(void *));
	table_del(&t, 99999);
	ck_assert_uint_lt(t.arena->live_bytes, bytes);
}
END_TEST

START_TEST(million_numbers_cost_little_more_than_their_values)
{
	size_t before = t.arena->live_bytes;

	for (uint64_t i = 1; i <= 1000000; i++)
		put(i, i);
	ck_assert_uint_eq(get(1), 1);
	ck_assert_uint_eq(get(1000000), 1000000);
	ck_assert_uint_le(t.arena->live_bytes - before, (size_t)1000000 * 13);
}
END_TEST

/* A plain array says what must be there. */
START_TEST(random_adds_and_deletes_agree_with_an_array)
{
	enum { NUMBERS = 300 };
	uint64_t model[NUMBERS] = {0};
	struct rng rng;

	rng_seed(&rng, 1, "table");
	for (uint64_t step = 1; step < 200000; step++) {
		uint64_t nr = rng_below(&rng, NUMBERS);

		if (rng_below(&rng, 2)) {
			put(nr, step);
			model[nr] = step;
		} else {
			table_del(&t, nr);
			model[nr] = 0;
		}
		nr = rng_below(&rng, NUMBERS);
		ck_assert_uint_eq(get(nr), model[nr]);
	}
}
END_TEST

START_TEST(walk_follows_the_numbers_and_tells_them)
{
	static const uint64_t numbers[] = {0, 1, 7, 8, 63, 64, 1000, 4097};
	uint64_t pos = 0;
	const uint64_t *p;
	size_t n = 0;

	for (size_t i = 8; i-- > 0;)
		put(numbers[i], numbers[i] + 5);
	while ((p = table_next(&t, &pos))) {
		ck_assert_uint_eq(pos - 1, numbers[n]);
		ck_assert_uint_eq(*p, numbers[n] + 5);
		n++;
	}
	ck_assert_uint_eq(n, 8);
	ck_assert_ptr_null(table_next(&t, &pos));
}
END_TEST

START_TEST(walk_skips_deleted_and_allows_deleting_the_last_seen)
{
	uint64_t pos = 0, left = 0;
	const uint64_t *p;

	for (uint64_t i = 0; i < 100; i++)
		put(i, i);
	while ((p = table_next(&t, &pos))) {
		if (*p % 30)
			table_del(&t, *p);
	}
	for (pos = 0; (p = table_next(&t, &pos)); left++)
		ck_assert_uint_eq(*p % 30, 0);
	ck_assert_uint_eq(left, 4);
}
END_TEST

START_TEST(full_arena_is_reported_and_breaks_nothing)
{
	uint64_t i = 0;

	arena_reset(t.arena, 16384);
	table_init(&t, t.arena, sizeof(uint64_t));
	while (table_add(&t, i)) {
		put(i, i);
		i++;
	}
	ck_assert_uint_gt(i, 100);
	ck_assert_ptr_null(table_add(&t, i));
	ck_assert_ptr_null(table_find(&t, i));
	for (uint64_t nr = 0; nr < i; nr++)
		ck_assert_uint_eq(get(nr), nr);
}
END_TEST

/* Numbers that nobody gave out: no room for them is no reason to crash. */
START_TEST(absurd_number_is_refused)
{
	put(1, 1);
	ck_assert_ptr_null(table_add(&t, UINT64_MAX));
	ck_assert_ptr_null(table_add(&t, UINT64_C(1) << 40));
	ck_assert_uint_eq(get(1), 1);
}
END_TEST

Suite *suite_table(void)
{
	Suite *s = suite_create("table");
	TCase *tc = tcase_create("table");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, empty_table_owns_no_memory_and_finds_nothing);
	tcase_add_test(tc, new_value_is_zero_and_its_neighbours_are_not_there);
	tcase_add_test(tc, adding_again_finds_the_old_value);
	tcase_add_test(tc, values_never_move);
	tcase_add_test(tc, values_do_not_overlap);
	tcase_add_test(tc, values_without_bytes_are_there_or_not);
	tcase_add_test(tc, deleted_number_is_gone_and_comes_back_zeroed);
	tcase_add_test(tc, memory_follows_what_is_there_not_what_ever_was);
	tcase_add_test(tc, million_numbers_cost_little_more_than_their_values);
	tcase_add_test(tc, random_adds_and_deletes_agree_with_an_array);
	tcase_add_test(tc, walk_follows_the_numbers_and_tells_them);
	tcase_add_test(tc, walk_skips_deleted_and_allows_deleting_the_last_seen);
	tcase_add_test(tc, full_arena_is_reported_and_breaks_nothing);
	tcase_add_test(tc, absurd_number_is_refused);
	suite_add_tcase(s, tc);
	return s;
}
