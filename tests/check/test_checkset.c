// SPDX-License-Identifier: GPL-2.0-only
#include "tests/check/feed.h"

Suite *suite_checkset(void);

START_TEST(checkers_keep_the_order_of_their_list)
{
	struct arena *a = arena_map((size_t)64 << 20);
	uint32_t n = 0;

	set = checkset_new(a, NULL);
	for (const struct checker_ops *const *ops = all_checkers; *ops; ops++) {
		ck_assert_ptr_eq(set->checkers[n].ops, *ops);
		ck_assert(strlen((*ops)->claim) > 0 && strlen((*ops)->source) > 0);
		n++;
	}
	ck_assert_uint_eq(set->nr_checkers, n);
}
END_TEST

START_TEST(checker_that_is_off_hears_nothing)
{
	static const char *const off[] = {"use-after-free", "refcount", NULL};

	set = checkset_new(arena_map((size_t)64 << 20), off);
	REC(OBJ_FREE, .obj = CACHE(1));
	REC(OBJ_FREE, .obj = CACHE(1));
	expect_clean();
}
END_TEST

START_TEST(same_violation_of_the_same_object_counts_once)
{
	feed_begin("use-after-free");
	REC(OBJ_FREE, .obj = CACHE(1));
	REC(ACCESS, .obj = CACHE(1), .arg = {0, 0}, .str = "reader.flag");
	REC(ACCESS, .obj = CACHE(1), .arg = {0, 1}, .str = "writer.flag");
	expect_only("use-after-free", CACHE(1), "reader.flag");
}
END_TEST

/* Told apart by the object, and by the start of the text. */
START_TEST(other_violations_count_each)
{
	feed_begin("use-after-free");
	for (uint64_t i = 1; i <= 2; i++) {
		REC(OBJ_FREE, .obj = CACHE(i));
		REC(ACCESS, .obj = CACHE(i));
	}
	REC(OBJ_FREE, .obj = CACHE(1));
	ck_assert_uint_eq(set->nr_violations, 3);
}
END_TEST

START_TEST(counts_past_the_last_one_it_keeps)
{
	feed_begin("use-after-free");
	for (uint64_t i = 1; i <= VIOLATION_MAX + 5; i++) {
		REC(OBJ_FREE, .obj = CACHE(i));
		REC(OBJ_FREE, .obj = CACHE(i));
	}
	ck_assert_uint_eq(set->nr_violations, VIOLATION_MAX + 5);
	expect(VIOLATION_MAX - 1, "use-after-free", CACHE(VIOLATION_MAX), "double free");
}
END_TEST

START_TEST(violation_says_where_and_when)
{
	const struct violation *v;

	feed_begin("use-after-free");
	REC(OBJ_FREE, .obj = CACHE(1), .t = 70);
	REC(OBJ_FREE, .obj = CACHE(1), .t = 80);
	v = expect_only("use-after-free", CACHE(1), "double free");
	ck_assert_uint_eq(v->seq, 2);
	ck_assert_uint_eq(v->t, 80);
}
END_TEST

START_TEST(checker_without_an_end_and_an_empty_run_are_clean)
{
	struct trace_record last = {.kind = TR_RUN_QUIET};

	set = checkset_new(arena_map((size_t)64 << 20), NULL);
	checkset_end(set, &last);
	expect_clean();
}
END_TEST

/* A ledger with holes would invent violations. */
START_TEST(full_arena_silences_the_set)
{
	struct arena *a;

	feed_begin("use-after-free");
	a = set->arena;
	a->limit = a->top + 8192;
	for (uint64_t i = 1; i < 10000 && !set->exhausted; i++)
		REC(OBJ_NEW, .obj = CACHE(i));
	ck_assert(set->exhausted);
	REC(OBJ_FREE, .obj = CACHE(1));
	REC(OBJ_FREE, .obj = CACHE(1));
	feed_end();
	expect_clean();
}
END_TEST

/* Nor does it invent one when the violation itself finds no room. */
START_TEST(arena_that_is_full_at_the_first_violation_silences_the_set)
{
	feed_begin("use-after-free");
	REC(OBJ_FREE, .obj = CACHE(1));
	set->arena->limit = set->arena->top + sizeof(struct violation);
	REC(OBJ_FREE, .obj = CACHE(1));
	ck_assert(set->exhausted);
	feed_end();
	expect_clean();
}
END_TEST

/* A snapshot of a world without a violation should not carry room for sixteen. */
START_TEST(clean_set_owns_no_room_for_violations)
{
	feed_begin("use-after-free");
	REC(OBJ_FREE, .obj = CACHE(1));
	ck_assert_ptr_null(set->violations);
	REC(OBJ_FREE, .obj = CACHE(1));
	ck_assert_ptr_nonnull(set->violations);
	ck_assert_uint_eq(set->nr_violations, 1);
}
END_TEST

START_TEST(handlers_name_each_kind_once)
{
	for (const struct checker_ops *const *ops = all_checkers; *ops; ops++) {
		bool named[NR_TRACE_KINDS] = {false};

		for (const struct record_handler *h = (*ops)->handlers; h->handle; h++) {
			ck_assert_uint_lt(h->kind, NR_TRACE_KINDS);
			ck_assert_msg(!named[h->kind], "%s names %s twice", (*ops)->name,
				      trace_kinds[h->kind].name);
			named[h->kind] = true;
		}
	}
}
END_TEST

/* Numbers count per kind: cache:1 and memcg:1 are two entries. */
START_TEST(objects_of_other_kinds_are_other_entries)
{
	struct objects m;
	uint64_t *one, *other;

	feed_begin("use-after-free");
	objects_init(&m, set->arena, sizeof(uint64_t));
	one = ledger_object(&set->checkers[0], &m, CACHE(1));
	*one = 5;
	other = ledger_object(&set->checkers[0], &m, MEMCG(1));
	ck_assert_uint_eq(*other, 0);
	ck_assert_ptr_eq(objects_find(&m, CACHE(1)), one);
	ck_assert_ptr_eq(ledger_object(&set->checkers[0], &m, CACHE(1)), one);
	ck_assert_ptr_null(objects_find(&m, CACHE(2)));
	ck_assert_ptr_null(objects_find(&m, 0));
}
END_TEST

START_TEST(objects_print_as_kind_and_number)
{
	ck_assert_str_eq(oid_str(CACHE(5)).s, "cache:5");
	ck_assert_str_eq(oid_str(0).s, "-");
	ck_assert_str_eq(oid_str(UINT64_MAX).s, "-");
}
END_TEST

START_TEST(text_is_cut_where_it_is_full)
{
	struct text text = {0};

	for (int i = 0; i < 100; i++)
		text_add(&text, "%s", "0123456789");
	ck_assert_uint_eq(text.len, VIOLATION_TEXT - 1);
	ck_assert_uint_eq(strlen(text.s), VIOLATION_TEXT - 1);
}
END_TEST

Suite *suite_checkset(void)
{
	Suite *s = suite_create("checkset");
	TCase *tc = tcase_create("checkset");

	tcase_add_test(tc, checkers_keep_the_order_of_their_list);
	tcase_add_test(tc, checker_that_is_off_hears_nothing);
	tcase_add_test(tc, same_violation_of_the_same_object_counts_once);
	tcase_add_test(tc, other_violations_count_each);
	tcase_add_test(tc, counts_past_the_last_one_it_keeps);
	tcase_add_test(tc, violation_says_where_and_when);
	tcase_add_test(tc, checker_without_an_end_and_an_empty_run_are_clean);
	tcase_add_test(tc, full_arena_silences_the_set);
	tcase_add_test(tc, arena_that_is_full_at_the_first_violation_silences_the_set);
	tcase_add_test(tc, clean_set_owns_no_room_for_violations);
	tcase_add_test(tc, handlers_name_each_kind_once);
	tcase_add_test(tc, objects_of_other_kinds_are_other_entries);
	tcase_add_test(tc, objects_print_as_kind_and_number);
	tcase_add_test(tc, text_is_cut_where_it_is_full);
	suite_add_tcase(s, tc);
	return s;
}
