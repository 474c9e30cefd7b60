// SPDX-License-Identifier: GPL-2.0-only
/* Snapshots with a base: only what changed is in them, and all of it. */
#include "sim/engine/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/watch.h"
#include "tests/support/sim_fixture.h"

Suite *suite_snapshot(void);

#define COLD ((size_t)64 << 10)

/* Where the fixture's records of a run were, and what they have come to. */
struct point {
	void *buffer;
	size_t nr_recs;
	struct rng choices;
};

static char *cold; /* memory that the tasks do not touch */
static void *base;

static void worker(struct task *t, void *arg)
{
	for (int i = 0; i < 30; i++) {
		sched_read(t, *(oid_t *)arg, 0, "worker.read");
		mark(t, "here");
	}
}

static void start(bool with_base)
{
	static oid_t shared;

	sim_start(.cpus = 3, .seed = 5, .untimed = true, .bare = true);
	shared = world_new_id(sim.w, OBJ_CELL);
	cold = world_alloc(sim.w, COLD);
	for (unsigned int i = 0; i < 3; i++)
		sim_task(i, "worker", worker, &shared);
	free(base);
	base = malloc(snapshot_size(sim.w));
	if (with_base)
		snapshot_base(sim.w, base);
	else
		snapshot_save(sim.w, base);
}

static struct point save(void)
{
	struct point p = {malloc(snapshot_size(sim.w)), sim.nr_recs, sim.choices};

	snapshot_save(sim.w, p.buffer);
	return p;
}

static void restore(const struct point *p)
{
	snapshot_restore(sim.w, p->buffer);
	sim.nr_recs = p->nr_recs;
	sim.choices = p->choices;
}

static uint64_t end(void)
{
	sim_run();
	return rec_digest();
}

static void drop(struct point *p)
{
	free(p->buffer);
}

START_TEST(each_point_of_a_run_goes_on_as_it_did)
{
	struct point begin, points[64];
	uint64_t digest;
	int n = 0;

	start(_i);
	begin = (struct point){base, sim.nr_recs, sim.choices};
	digest = end();
	restore(&begin);
	for (; n < 64 && world_step(sim.w); n++)
		points[n] = save();
	expect(n == 64);
	/* Latest first, so that what was first written to after a point has to go as well. */
	while (n-- > 0) {
		restore(&points[n]);
		expect(end() == digest);
		drop(&points[n]);
	}
	restore(&begin);
	ck_assert_uint_eq(end(), digest);
}
END_TEST

START_TEST(what_did_not_change_is_not_saved)
{
	size_t whole, changed;

	start(false);
	whole = snapshot_size(sim.w);
	start(true);
	end();
	changed = snapshot_size(sim.w);
	/* The pages at both ends may hold something else as well. */
	ck_assert_uint_lt(changed + COLD, whole + 2 * watch_now()->page);
}
END_TEST

START_TEST(a_page_first_written_to_after_a_snapshot_goes_back_to_the_base)
{
	struct point before;

	start(true);
	memset(cold, 1, 100);
	before = save();
	memset(cold + 8 * watch_now()->page, 2, 100);
	restore(&before);
	ck_assert_int_eq(cold[0], 1);
	ck_assert_int_eq(cold[8 * watch_now()->page], 0);
	drop(&before);
}
END_TEST

START_TEST(a_page_written_to_before_a_snapshot_goes_back_to_that)
{
	struct point early, late;

	start(true);
	cold[0] = 1;
	early = save();
	cold[0] = 2;
	late = save();
	cold[0] = 3;
	restore(&early);
	ck_assert_int_eq(cold[0], 1);
	restore(&late);
	ck_assert_int_eq(cold[0], 2);
	drop(&early);
	drop(&late);
}
END_TEST

START_TEST(memory_allocated_since_the_base_is_saved)
{
	struct point p;
	char *fresh;

	start(true);
	fresh = world_alloc(sim.w, 3 * COLD);
	memset(fresh, 7, 3 * COLD);
	p = save();
	memset(fresh, 8, 3 * COLD);
	restore(&p);
	ck_assert_int_eq(fresh[0], 7);
	ck_assert_int_eq(fresh[3 * COLD - 1], 7);
	drop(&p);
}
END_TEST

Suite *suite_snapshot(void)
{
	Suite *s = suite_create("snapshot");
	TCase *tc = tcase_create("base");

	tcase_add_loop_test(tc, each_point_of_a_run_goes_on_as_it_did, 0, 2);
	tcase_add_test(tc, a_page_written_to_before_a_snapshot_goes_back_to_that);
	tcase_add_test(tc, memory_allocated_since_the_base_is_saved);
	/* Without a watch, snapshots have all pages. */
	if (WATCH_POSSIBLE) {
		tcase_add_test(tc, what_did_not_change_is_not_saved);
		tcase_add_test(tc, a_page_first_written_to_after_a_snapshot_goes_back_to_the_base);
	}
	suite_add_tcase(s, tc);
	return s;
}
