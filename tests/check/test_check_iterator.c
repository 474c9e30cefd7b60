// SPDX-License-Identifier: GPL-2.0-only
#include "tests/check/feed.h"

Suite *suite_check_iterator(void);

#define NAME "iterator"
#define ROOT MEMCG(1)
#define BOX MEMCG(2)
#define A MEMCG(3)
#define B MEMCG(4)
#define P 12 /* a position */

enum { NUMBER, PIN, GLOBAL_COUNT, COUNT, CLEAR };

static void make(oid_t id, oid_t parent)
{
	REC(OBJ_NEW, .obj = id, .arg = {O(parent)});
	REC(CSS_ONLINE, .obj = id);
}

/* memcg:2 below the root, memcg:3 and memcg:4 below that. */
static void setup(void)
{
	feed_begin(NAME);
	make(ROOT, 0);
	make(BOX, ROOT);
	make(A, BOX);
	make(B, BOX);
}

static void get(uint32_t task, oid_t memcg)
{
	REC(REF_TRYGET, .obj = memcg, .arg = {1, HOLD_ITER, O(TASK(task))});
}

static void put(uint32_t task, oid_t memcg)
{
	REC(REF_PUT, .obj = memcg, .arg = {1, HOLD_ITER, O(TASK(task))});
}

static uint64_t move(uint32_t task, oid_t to, int64_t guard, int64_t stamp)
{
	return REC(ITER_MOVE, .obj = BOX, .task = task, .arg = {O(to), P, guard, stamp});
}

static void visit(uint32_t task, oid_t memcg, bool begins)
{
	REC(ITER_VISIT, .obj = memcg, .task = task, .arg = {O(BOX), P, begins});
}

/* A visit as it should be, of somebody who is not the root. */
static void come_to(uint32_t task, oid_t memcg)
{
	get(task, memcg);
	move(task, memcg, CLEAR, 0);
	visit(task, memcg, false);
	put(task, memcg);
}

static void begin(uint32_t task)
{
	move(task, BOX, CLEAR, 0);
	visit(task, BOX, true);
}

static void end(uint32_t task, bool exact)
{
	move(task, 0, CLEAR, 0);
	REC(ITER_ROUND, .obj = BOX, .task = task, .arg = {P, exact});
}

static void kill_memcg(oid_t id)
{
	REC(REF_KILL, .obj = id);
	REC(CSS_OFFLINE, .obj = id);
}

START_TEST(two_whole_rounds)
{
	for (int i = 0; i < 2; i++) {
		begin(1);
		come_to(1, A);
		come_to(1, B);
		end(1, true);
	}
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(several_may_share_a_round)
{
	begin(1);
	come_to(2, A);
	come_to(1, B);
	end(2, true);
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(somebody_is_left_out)
{
	begin(1);
	come_to(1, B);
	end(1, true);
	expect_only(NAME, A, "left out");
}
END_TEST

START_TEST(a_round_that_two_may_end_is_judged_only_if_one_made_it)
{
	begin(1);
	come_to(2, B);
	end(2, false);
	expect_clean();
	begin(2);
	come_to(2, B);
	end(2, false);
	expect_only(NAME, A, "left out");
}
END_TEST

START_TEST(who_comes_or_goes_during_a_round_may_be_left_out)
{
	begin(1);
	kill_memcg(A);
	come_to(1, B);
	make(MEMCG(5), BOX);
	end(1, true);
	feed_end();
	expect_clean();
	begin(1);
	come_to(1, B);
	end(1, true);
	expect_only(NAME, MEMCG(5), "left out");
}
END_TEST

START_TEST(others_are_no_part_of_the_tree)
{
	make(MEMCG(5), ROOT);
	begin(1);
	come_to(1, A);
	come_to(1, B);
	end(1, true);
	expect_clean();
}
END_TEST

START_TEST(a_walk_by_itself_is_a_round)
{
	for (int i = 0; i < 2; i++) {
		REC(ITER_VISIT, .obj = BOX, .task = 1, .arg = {O(BOX), -1, true});
		get(1, A);
		REC(ITER_VISIT, .obj = A, .task = 1, .arg = {O(BOX), -1, false});
		put(1, A);
		if (i == 0) {
			get(1, B);
			REC(ITER_VISIT, .obj = B, .task = 1, .arg = {O(BOX), -1, false});
			put(1, B);
			/* Another one's walk is another matter. */
			REC(ITER_VISIT, .obj = BOX, .task = 2, .arg = {O(BOX), -1, true});
		}
		REC(ITER_ROUND, .obj = BOX, .task = 1, .arg = {-1, true});
		if (i == 0)
			expect_clean();
	}
	expect_only(NAME, B, "left out");
}
END_TEST

START_TEST(visited_without_a_reference)
{
	begin(1);
	get(2, A);
	visit(1, A, false);
	expect_only(NAME, A, "visited without a reference");
}
END_TEST

START_TEST(a_walk_that_does_not_get_on)
{
	begin(1);
	visit(1, BOX, false);
	expect_clean();
	visit(1, BOX, false);
	expect_only(NAME, BOX, "endless walk");
}
END_TEST

START_TEST(a_removal_is_a_reason_to_come_again)
{
	begin(1);
	for (int i = 0; i < 4; i++) {
		kill_memcg(MEMCG(10 + (uint64_t)i));
		visit(1, BOX, false);
	}
	expect_clean();
}
END_TEST

START_TEST(so_is_somebody_else_who_moved_the_position)
{
	begin(1);
	for (int i = 0; i < 4; i++) {
		move(2, 0, CLEAR, 0);
		visit(1, BOX, false);
	}
	expect_clean();
}
END_TEST

START_TEST(rounds_in_which_nobody_is_seen)
{
	kill_memcg(BOX);
	kill_memcg(A);
	kill_memcg(B);
	end(1, true);
	end(1, true);
	expect_only(NAME, BOX, "endless walk");
}
END_TEST

START_TEST(a_pinned_position_keeps_a_removed_memcg)
{
	uint64_t moved = move(1, A, PIN, 0);

	feed_end();
	expect_clean();
	kill_memcg(A);
	feed_end();
	ck_assert_uint_eq(expect_only(NAME, A, "kept by a position")->related[0], moved);
}
END_TEST

START_TEST(a_position_that_was_taken_back_keeps_nobody)
{
	move(1, A, PIN, 0);
	kill_memcg(A);
	move(1, BOX, PIN, 0);
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(a_position_must_be_cleared_before_the_free)
{
	move(1, A, CLEAR, 0);
	kill_memcg(A);
	move(2, 0, CLEAR, 0);
	REC(OBJ_FREE, .obj = A);
	expect_clean();
	move(1, B, CLEAR, 0);
	kill_memcg(B);
	REC(OBJ_FREE, .obj = B);
	expect_only(NAME, B, "freed below a walk");
}
END_TEST

START_TEST(or_its_count_must_have_moved)
{
	oid_t counter = _i ? oid_make(OBJ_GLOBAL, 1) : BOX;
	int64_t guard = _i ? GLOBAL_COUNT : COUNT;

	REC(ITER_COUNT, .obj = counter, .arg = {7});
	move(1, A, guard, 7);
	kill_memcg(A);
	REC(ITER_COUNT, .obj = counter, .arg = {8});
	REC(OBJ_FREE, .obj = A);
	expect_clean();
	move(1, B, guard, 8);
	REC(OBJ_FREE, .obj = B);
	expect_only(NAME, B, "freed below a walk");
}
END_TEST

START_TEST(positions_of_a_memcg_end_with_it)
{
	move(1, BOX, CLEAR, 0);
	kill_memcg(BOX);
	REC(OBJ_FREE, .obj = BOX);
	feed_end();
	expect_clean();
}
END_TEST

START_TEST(a_number_may_stay)
{
	move(1, A, NUMBER, 0);
	kill_memcg(A);
	REC(OBJ_FREE, .obj = A);
	feed_end();
	expect_clean();
}
END_TEST

Suite *suite_check_iterator(void)
{
	Suite *s = suite_create("check_iterator");
	TCase *tc = tcase_create("check_iterator");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, two_whole_rounds);
	tcase_add_test(tc, several_may_share_a_round);
	tcase_add_test(tc, somebody_is_left_out);
	tcase_add_test(tc, a_round_that_two_may_end_is_judged_only_if_one_made_it);
	tcase_add_test(tc, who_comes_or_goes_during_a_round_may_be_left_out);
	tcase_add_test(tc, others_are_no_part_of_the_tree);
	tcase_add_test(tc, a_walk_by_itself_is_a_round);
	tcase_add_test(tc, visited_without_a_reference);
	tcase_add_test(tc, a_walk_that_does_not_get_on);
	tcase_add_test(tc, a_removal_is_a_reason_to_come_again);
	tcase_add_test(tc, so_is_somebody_else_who_moved_the_position);
	tcase_add_test(tc, rounds_in_which_nobody_is_seen);
	tcase_add_test(tc, a_pinned_position_keeps_a_removed_memcg);
	tcase_add_test(tc, a_position_that_was_taken_back_keeps_nobody);
	tcase_add_test(tc, a_position_must_be_cleared_before_the_free);
	tcase_add_loop_test(tc, or_its_count_must_have_moved, 0, 2);
	tcase_add_test(tc, positions_of_a_memcg_end_with_it);
	tcase_add_test(tc, a_number_may_stay);
	suite_add_tcase(s, tc);
	return s;
}
