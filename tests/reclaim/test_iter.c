// SPDX-License-Identifier: GPL-2.0-only
/* mem_cgroup_iter(): in every design the same walks, and what each makes of a removal. */
#include "sim/reclaim/iter.h"

#include <errno.h>
#include <string.h>

#include "sim/lifecycle/info.h"
#include "tests/support/sim_fixture.h"

Suite *suite_iter(void);

static struct cgroup *box, *a, *deep, *b;
static struct reclaim_choice choice;
static char seen[64];

static struct cgroup *make(struct task *t, struct cgroup *parent, const char *name)
{
	int err;
	struct cgroup *cgrp = cgroup_mkdir(t, parent, name, &err);

	expect(cgrp);
	return cgrp;
}

static void make_all(struct task *t, void *arg)
{
	(void)arg;
	box = make(t, mm_of(t->w)->root, "x");
	a = make(t, box, "a");
	b = make(t, box, "b");
	deep = make(t, a, "d");
	cgroup_exit(t);
}

static void start(int design)
{
	choice = (struct reclaim_choice){.iterator = (uint32_t)design + 1};
	sim_start(.lifecycle = "v5.3", .reclaim = &choice);
	sim_task(0, "make", make_all, NULL);
	sim_run();
	seen[0] = '\0';
}

static void finish(void)
{
	sim_run();
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}

/* Walk on below @root until @max memcgs were seen; their names go to seen[], then a dot. */
static void walk(struct task *t, struct cgroup *root, int max,
		 struct mem_cgroup_reclaim_cookie *cookie)
{
	struct mem_cgroup *memcg = mem_cgroup_iter(t, root->memcg, NULL, cookie);

	while (memcg) {
		strncat(seen, memcg->css.cgroup->name, 1);
		if (--max == 0) {
			mem_cgroup_iter_break(t, root->memcg, memcg);
			break;
		}
		memcg = mem_cgroup_iter(t, root->memcg, memcg, cookie);
	}
	strcat(seen, ".");
}

static struct mem_cgroup_reclaim_cookie cookie_of(uint32_t priority)
{
	return (struct mem_cgroup_reclaim_cookie){.priority = priority};
}

static void shared(struct task *t, struct cgroup *root, int max)
{
	struct mem_cgroup_reclaim_cookie cookie = cookie_of(DEF_PRIORITY);

	walk(t, root, max, &cookie);
}

/* ---- walks ---------------------------------------------------------------------------- */

static void walk_whole(struct task *t, void *arg)
{
	(void)arg;
	shared(t, box, 0);
	walk(t, box, 0, NULL);
	shared(t, a, 0);
	shared(t, deep, 0);
	shared(t, mm_of(t->w)->root, 0);
}

/* D0 goes by age, the others parents first. */
START_TEST(everybody_in_the_subtree_is_seen_once)
{
	start(_i);
	sim_task(0, "walker", walk_whole, NULL);
	finish();
	if (_i == ITER_CSS_ID)
		ck_assert_str_eq(seen, "xabd.xabd.ad.d./xabd.");
	else
		ck_assert_str_eq(seen, "xadb.xadb.ad.d./xadb.");
}
END_TEST

static void walk_in_parts(struct task *t, void *arg)
{
	struct mem_cgroup_reclaim_cookie other = cookie_of(3);

	(void)arg;
	shared(t, box, 2);
	shared(t, box, 1);
	walk(t, box, 1, &other);
	shared(t, box, 0);
	shared(t, box, 0);
	walk(t, box, 0, &other);
}

START_TEST(who_breaks_off_leaves_the_rest_to_the_next_one)
{
	start(_i);
	sim_task(0, "walker", walk_in_parts, NULL);
	finish();
	if (_i == ITER_CSS_ID)
		ck_assert_str_eq(seen, "xa.b.x.d.xabd.abd.");
	else
		ck_assert_str_eq(seen, "xa.d.x.b.xadb.adb.");
}
END_TEST

/* The one that goes on finds the round over that it took part in. */
static void overtake(struct task *t, void *arg)
{
	struct mem_cgroup_reclaim_cookie cookie = cookie_of(DEF_PRIORITY);
	struct mem_cgroup *root = box->memcg, *memcg;

	(void)arg;
	memcg = mem_cgroup_iter(t, root, NULL, &cookie);
	expect(memcg == root);
	memcg = mem_cgroup_iter(t, root, memcg, &cookie);
	expect(memcg == a->memcg);
	shared(t, box, 0);
	expect(!mem_cgroup_iter(t, root, memcg, &cookie));
}

START_TEST(a_walk_stops_when_others_have_ended_its_round)
{
	start(_i);
	sim_task(0, "walker", overtake, NULL);
	finish();
	ck_assert_uint_eq(rec_count_str(TR_ITER_STOP, "overtaken"), 1);
}
END_TEST

/* ---- removals -------------------------------------------------------------------------- */

static void stand_on_deep_and_remove_it(struct task *t, void *arg)
{
	const int *nr = arg;

	shared(t, box, *nr);
	expect(cgroup_rmdir(t, deep) == 0);
}

static void walk_on(struct task *t, void *arg)
{
	(void)arg;
	shared(t, box, 0);
}

/* Up to the position, the removal, and from there on. */
static void remove_below_position(int design)
{
	int nr = design == ITER_CSS_ID ? 4 : 3;

	start(design);
	sim_task(0, "admin", stand_on_deep_and_remove_it, &nr);
	sim_run();
	sim_task(0, "walker", walk_on, NULL);
	sim_run();
}

START_TEST(what_follows_a_removed_position)
{
	static const char *const goes_on[NR_ITER_DESIGNS] = {
		[ITER_CSS_ID] = "xabd.xab.",	  [ITER_PINNED] = "xad.b.",
		[ITER_PINNED_CLEANUP] = "xad.b.", [ITER_GLOBAL_COUNT] = "xad.xab.",
		[ITER_DEAD_COUNT] = "xad.xab.",	  [ITER_PINNED_CMPXCHG] = "xad.b.",
		[ITER_WEAK] = "xad.xab.",	  [ITER_WEAK_RETRY] = "xad.xab.",
	};

	remove_below_position(_i);
	ck_assert_str_eq(seen, goes_on[_i]);
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
	ck_assert_ptr_nonnull(rec_first(TR_OBJ_FREE, deep->memcg->css.of));
}
END_TEST

START_TEST(a_pinned_position_keeps_what_it_stands_on)
{
	static const int designs[] = {ITER_PINNED, ITER_PINNED_CMPXCHG};
	int nr = 3;

	start(designs[_i]);
	sim_task(0, "admin", stand_on_deep_and_remove_it, &nr);
	sim_run();
	ck_assert_ptr_null(rec_first(TR_OBJ_FREE, deep->memcg->css.of));
	sim_end();
	expect(sim_caught("iterator") && sim_caught("leak"));
}
END_TEST

/* What a removal two levels down looks at: positions, locks, counters, and what it clears. */
START_TEST(the_cost_of_a_removal)
{
	static const int64_t cost[NR_ITER_DESIGNS][4] = {
		[ITER_PINNED_CLEANUP] = {4 * NR_PRIORITIES, 4 * NR_PRIORITIES, 0, 1},
		[ITER_GLOBAL_COUNT] = {0, 0, 1, 0},
		[ITER_DEAD_COUNT] = {0, 0, 3, 0},
		[ITER_WEAK] = {4 * NR_PRIORITIES, 0, 0, 1},
		[ITER_WEAK_RETRY] = {4 * NR_PRIORITIES, 0, 0, 1},
	};
	const struct rec *r;

	remove_below_position(_i);
	r = rec_first(TR_ITER_REMOVE, deep->memcg->css.of);
	if (!r) {
		for (int i = 0; i < 4; i++)
			ck_assert_int_eq(cost[_i][i], 0);
		return;
	}
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(r->arg[i], cost[_i][i]);
}
END_TEST

static void remove_elsewhere(struct task *t, void *arg)
{
	struct cgroup *other = make(t, mm_of(t->w)->root, "other");

	(void)arg;
	shared(t, box, 2);
	expect(cgroup_rmdir(t, other) == 0);
}

/* Whose position is worth nothing because a stranger went away?  This is what the mail is about. */
START_TEST(a_removal_elsewhere_disturbs_one_design)
{
	start(_i);
	sim_task(0, "admin", remove_elsewhere, NULL);
	sim_run();
	sim_task(0, "walker", walk_on, NULL);
	finish();
	if (_i == ITER_GLOBAL_COUNT) {
		ck_assert_str_eq(seen, "xa.xadb.");
		ck_assert_int_eq(rec_first(TR_ITER_RESTART, 0)->arg[2], true);
	} else {
		ck_assert_str_eq(seen, _i == ITER_CSS_ID ? "xa.bd." : "xa.db.");
		ck_assert_ptr_null(rec_first(TR_ITER_RESTART, 0));
	}
}
END_TEST

/* A walk that goes on below a root which is being removed comes to its end. */
static void remove_all_while_walking(struct task *t, void *arg)
{
	struct mem_cgroup *root = box->memcg, *memcg;
	struct mem_cgroup_reclaim_cookie cookie = cookie_of(DEF_PRIORITY);

	(void)arg;
	css_get(t, &root->css, HOLD_TEMP, t->id);
	memcg = mem_cgroup_iter(t, root, NULL, &cookie);
	expect(memcg == root);
	expect(cgroup_rmdir(t, deep) == 0 && cgroup_rmdir(t, a) == 0);
	expect(cgroup_rmdir(t, b) == 0 && cgroup_rmdir(t, box) == 0);
	task_sleep(t, 100000000);
	memcg = mem_cgroup_iter(t, root, memcg, &cookie);
	expect(!memcg || memcg == root);
	expect(!memcg || !mem_cgroup_iter(t, root, memcg, &cookie));
	css_put(t, &root->css, HOLD_TEMP, t->id);
}

START_TEST(a_root_that_goes_away_is_walked_to_the_end)
{
	start(_i);
	sim_task(0, "walker", remove_all_while_walking, NULL);
	finish();
	ck_assert_ptr_nonnull(rec_first(TR_OBJ_FREE, box->memcg->css.of));
}
END_TEST

/* ---- without a hierarchy ------------------------------------------------------------------ */

static void walk_flat(struct task *t, void *arg)
{
	(void)arg;
	shared(t, box, 0);
	shared(t, mm_of(t->w)->root, 0);
}

START_TEST(without_a_hierarchy_only_the_root_has_a_subtree)
{
	choice = (struct reclaim_choice){.iterator = (uint32_t)_i + 1, .no_hierarchy = true};
	sim_start(.lifecycle = "v5.3", .reclaim = &choice);
	sim_task(0, "make", make_all, NULL);
	sim_run();
	seen[0] = '\0';
	sim_task(0, "walker", walk_flat, NULL);
	finish();
	ck_assert_str_eq(seen, _i == ITER_CSS_ID ? "x./xabd." : "x./xadb.");
}
END_TEST

/* ---- numbers ------------------------------------------------------------------------------ */

static void stand_before_a_new_one(struct task *t, void *arg)
{
	(void)arg;
	shared(t, box, 3);
	expect(cgroup_rmdir(t, a) == -EBUSY);
	expect(cgroup_rmdir(t, deep) == 0);
	task_sleep(t, 100000000);
	make(t, box, "new");
	shared(t, box, 0);
}

/* What is made anew gets the number that has become free, ahead of the position or behind it. */
START_TEST(a_number_is_given_again)
{
	start(ITER_CSS_ID);
	sim_task(0, "walker", stand_before_a_new_one, NULL);
	finish();
	ck_assert_str_eq(seen, "xab.n.");
}
END_TEST

Suite *suite_iter(void)
{
	Suite *s = suite_create("iter");
	TCase *tc = tcase_create("iter");

	tcase_add_loop_test(tc, everybody_in_the_subtree_is_seen_once, 0, NR_ITER_DESIGNS);
	tcase_add_loop_test(tc, who_breaks_off_leaves_the_rest_to_the_next_one, 0, NR_ITER_DESIGNS);
	tcase_add_loop_test(tc, a_walk_stops_when_others_have_ended_its_round, 0, NR_ITER_DESIGNS);
	tcase_add_loop_test(tc, what_follows_a_removed_position, 0, NR_ITER_DESIGNS);
	tcase_add_loop_test(tc, a_pinned_position_keeps_what_it_stands_on, 0, 2);
	tcase_add_loop_test(tc, the_cost_of_a_removal, 0, NR_ITER_DESIGNS);
	tcase_add_loop_test(tc, a_removal_elsewhere_disturbs_one_design, 0, NR_ITER_DESIGNS);
	tcase_add_loop_test(tc, a_root_that_goes_away_is_walked_to_the_end, 0, NR_ITER_DESIGNS);
	tcase_add_loop_test(tc, without_a_hierarchy_only_the_root_has_a_subtree, 0,
			    NR_ITER_DESIGNS);
	tcase_add_test(tc, a_number_is_given_again);
	suite_add_tcase(s, tc);
	return s;
}
