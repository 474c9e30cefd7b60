// SPDX-License-Identifier: GPL-2.0-only
#include <check.h>

#include "sim/base/map.h"
#include "sim/base/rng.h"

Suite *suite_map(void);

static struct map m;

static void setup(void)
{
	map_init(&m, arena_map((size_t)64 << 20), sizeof(uint64_t));
}

static void put(uint64_t a, uint64_t b, uint64_t value)
{
	uint64_t *p = map_add(&m, a, b);

	ck_assert_ptr_nonnull(p);
	*p = value;
}

START_TEST(empty_map_owns_no_memory_and_finds_nothing)
{
	uint32_t pos = 0;

	ck_assert_uint_eq(m.arena->live_bytes, 0);
	ck_assert_ptr_null(map_find(&m, 1, 0));
	ck_assert_ptr_null(map_next(&m, &pos));
	map_del(&m, 1, 0);
}
END_TEST

START_TEST(both_words_of_the_key_count)
{
	put(1, 2, 12);
	put(2, 1, 21);
	put(0, 0, 7);
	ck_assert_uint_eq(*(uint64_t *)map_find(&m, 1, 2), 12);
	ck_assert_uint_eq(*(uint64_t *)map_find(&m, 2, 1), 21);
	ck_assert_uint_eq(*(uint64_t *)map_find(&m, 0, 0), 7);
	ck_assert_ptr_null(map_find(&m, 1, 1));
	ck_assert_uint_eq(map_key_a(map_find(&m, 1, 2)), 1);
	ck_assert_uint_eq(map_key_b(map_find(&m, 1, 2)), 2);
}
END_TEST

/* Ledgers keep pointers to entries in other entries. */
START_TEST(values_never_move)
{
	uint64_t *first = map_add(&m, 1, 0);

	*first = 42;
	for (uint64_t i = 2; i < 5000; i++)
		put(i, 0, i);
	ck_assert_ptr_eq(map_find(&m, 1, 0), first);
	ck_assert_uint_eq(*first, 42);
}
END_TEST

START_TEST(adding_again_finds_the_old_value)
{
	put(5, 5, 1);
	ck_assert_uint_eq(*(uint64_t *)map_add(&m, 5, 5), 1);
	ck_assert_uint_eq(m.nr_live, 1);
}
END_TEST

START_TEST(deleted_key_is_gone_and_comes_back_zeroed)
{
	put(5, 0, 99);
	map_del(&m, 5, 0);
	ck_assert_ptr_null(map_find(&m, 5, 0));
	ck_assert_uint_eq(*(uint64_t *)map_add(&m, 5, 0), 0);
}
END_TEST

/* Deleting closes gaps in the probe sequence; a plain array says what must be left. */
START_TEST(random_adds_and_deletes_agree_with_an_array)
{
	enum { KEYS = 300 };
	uint64_t model[KEYS] = {0};
	struct rng rng;

	rng_seed(&rng, 1, "map");
	for (uint64_t step = 1; step < 200000; step++) {
		uint64_t key = rng_below(&rng, KEYS);

		if (rng_below(&rng, 2)) {
			put(key << 40, key, step);
			model[key] = step;
		} else {
			map_del(&m, key << 40, key);
			model[key] = 0;
		}
		key = rng_below(&rng, KEYS);
		uint64_t *p = map_find(&m, key << 40, key);

		ck_assert_uint_eq(p ? *p : 0, model[key]);
	}
	ck_assert_uint_le(m.nr_places, KEYS);
}
END_TEST

/* Reports walk maps: the order must come from the calls, never from the hash. */
START_TEST(walk_follows_the_order_of_insertion)
{
	uint32_t pos = 0;
	uint64_t n = 0;
	uint64_t *p;

	for (uint64_t i = 0; i < 1000; i++)
		put(i * UINT64_C(0x9e3779b97f4a7c15) >> 3, i, i);
	while ((p = map_next(&m, &pos)))
		ck_assert_uint_eq(*p, n++);
	ck_assert_uint_eq(n, 1000);
}
END_TEST

START_TEST(walk_skips_deleted_and_allows_deleting_the_last_seen)
{
	uint32_t pos = 0, left = 0;
	uint64_t *p;

	for (uint64_t i = 0; i < 100; i++)
		put(i, 0, i);
	while ((p = map_next(&m, &pos))) {
		if (*p % 3)
			map_del(&m, map_key_a(p), 0);
	}
	pos = 0;
	while ((p = map_next(&m, &pos))) {
		ck_assert_uint_eq(*p % 3, 0);
		left++;
	}
	ck_assert_uint_eq(left, 34);
}
END_TEST

START_TEST(full_arena_is_reported_and_breaks_nothing)
{
	uint64_t i = 0;

	arena_reset(m.arena, 16384);
	map_init(&m, m.arena, sizeof(uint64_t));
	while (map_add(&m, i, 0))
		i++;
	ck_assert_uint_gt(i, 10);
	ck_assert_ptr_null(map_add(&m, i, 0));
	for (uint64_t k = 0; k < i; k++)
		ck_assert_ptr_nonnull(map_find(&m, k, 0));
	ck_assert_ptr_null(map_find(&m, i, 0));
}
END_TEST

Suite *suite_map(void)
{
	Suite *s = suite_create("map");
	TCase *tc = tcase_create("map");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, empty_map_owns_no_memory_and_finds_nothing);
	tcase_add_test(tc, both_words_of_the_key_count);
	tcase_add_test(tc, values_never_move);
	tcase_add_test(tc, adding_again_finds_the_old_value);
	tcase_add_test(tc, deleted_key_is_gone_and_comes_back_zeroed);
	tcase_add_test(tc, random_adds_and_deletes_agree_with_an_array);
	tcase_add_test(tc, walk_follows_the_order_of_insertion);
	tcase_add_test(tc, walk_skips_deleted_and_allows_deleting_the_last_seen);
	tcase_add_test(tc, full_arena_is_reported_and_breaks_nothing);
	suite_add_tcase(s, tc);
	return s;
}
