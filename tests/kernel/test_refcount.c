// SPDX-License-Identifier: GPL-2.0-only
/* refcount_t: what it counts, and what it tells the searches that each operation depends on. */
#include "sim/kernel/refcount.h"

#include "tests/support/sim_fixture.h"

Suite *suite_refcount(void);

#define ADD ACCESS_ADD
#define LAST ACCESS_ADD_LAST
#define NONE -1

static struct refcount count;
static struct touch touches[16];
static struct step_log step_touches = {.touches = touches, .max = 16};

static void init(struct task *t, void *arg)
{
	refcount_init(t, &count, world_new_id(t->w, OBJ_CELL), "test", *(int64_t *)arg);
}

static void start(int64_t n)
{
	sim_start(.cpus = 2);
	sim_task(0, "init", init, &n);
	sim_run();
}

static void run_on(unsigned int cpu, void (*fn)(struct task *t, void *arg), void *arg)
{
	sim_task(cpu, "task", fn, arg);
	sim_run();
}

/* How the step touched @field; NONE if it did not. */
static int mode_of(uint32_t field)
{
	int mode = NONE;

	for (uint32_t i = 0; i < step_touches.nr; i++) {
		if (touches[i].obj == count.of && touches[i].field == field)
			mode = (int)touches[i].mode;
	}
	return mode;
}

static void watch(struct task *t)
{
	step_touches.nr = 0;
	t->w->log = &step_touches;
}

/* The operation before touched this much of the counter, and no more. */
static void expect_touches(int value, int puts, int base)
{
	ck_assert_int_eq(mode_of(FIELD_REF), value);
	ck_assert_int_eq(mode_of(FIELD_REF_PUTS), puts);
	ck_assert_int_eq(mode_of(FIELD_REF_BASE), base);
}

static bool get(struct task *t)
{
	watch(t);
	return refcount_inc_not_zero(t, &count);
}

static bool put(struct task *t)
{
	watch(t);
	return refcount_dec_and_test(t, &count);
}

/* ---- while the initial reference is there ------------------------------------------- */

static void pinned(struct task *t, void *arg)
{
	(void)arg;
	expect(get(t));
	expect_touches(ADD, NONE, ADD);
	expect(get(t));
	expect(!put(t));
	expect_touches(ADD, ADD, NONE);
	/* Nobody else's put can be the last one after it; the drop of the base can. */
	expect(!put(t));
	expect_touches(ADD, LAST, NONE);
	expect(put(t));
	expect_touches(ACCESS_RMW, ACCESS_RMW, ACCESS_RMW);
	expect(!get(t));
	expect_touches(ACCESS_READ, NONE, NONE);
}

START_TEST(gets_and_puts_are_additions_while_the_initial_reference_is_there)
{
	start(1);
	run_on(0, pinned, NULL);
	ck_assert_uint_eq(sim_end(), 0);
}
END_TEST

/* ---- after that --------------------------------------------------------------------- */

static void get_two(struct task *t, void *arg)
{
	(void)arg;
	expect(get(t) && get(t));
}

static void drop_base(struct task *t, void *arg)
{
	(void)arg;
	expect(!put(t));
	expect_touches(ADD, ADD, ACCESS_RMW);
	/* What nobody is entitled to put: it may well be what somebody else has got. */
	expect(get(t));
	expect_touches(ADD, ACCESS_READ, NONE);
	expect(!put(t));
	expect(count.count == 2 && !count.stray);
}

static void drop_stray(struct task *t, void *arg)
{
	(void)arg;
	expect(!put(t));
	expect_touches(ACCESS_RMW, NONE, NONE);
	expect(count.count == 1 && count.stray);
	expect(put(t));
}

START_TEST(a_put_without_a_get_takes_the_initial_reference_and_then_somebody_elses)
{
	start(1);
	run_on(0, get_two, NULL);
	run_on(1, drop_base, NULL);
	run_on(1, drop_stray, NULL);
}
END_TEST

/* Three that are initial: which is put last is all that matters. */
static void drop_three(struct task *t, void *arg)
{
	(void)arg;
	expect(!put(t));
	expect_touches(ADD, ADD, ADD);
	expect(!put(t));
	expect_touches(ADD, LAST, LAST);
	expect(put(t));
	expect_touches(ACCESS_RMW, ACCESS_RMW, ACCESS_RMW);
}

START_TEST(initial_references_are_put_in_any_order)
{
	start(3);
	run_on(0, drop_three, NULL);
	ck_assert_uint_eq(sim_end(), 0);
}
END_TEST

/* ---- misuse ------------------------------------------------------------------------- */

static void underflow(struct task *t, void *arg)
{
	(void)arg;
	expect(put(t));
	expect(!put(t));
	expect_touches(ACCESS_RMW, NONE, NONE);
	/* Saturated: it looks alive for ever, and the object leaks. */
	expect(get(t) && get(t) && !put(t) && !put(t) && !put(t));
	expect(refcount_read(t, &count) < 0);
}

START_TEST(an_underflow_saturates)
{
	start(1);
	run_on(0, underflow, NULL);
	ck_assert_uint_gt(sim_end(), 0);
	ck_assert(sim_caught("refcount"));
}
END_TEST

/* ---- its state ---------------------------------------------------------------------- */

static void digests(struct task *t, void *arg)
{
	uint64_t fresh = refcount_digest(&count), got;

	(void)arg;
	expect(get(t));
	got = refcount_digest(&count);
	expect(got != fresh);
	expect(!put(t));
	expect(refcount_digest(&count) == fresh);
	/* Two references either way, but one that is initial or none. */
	expect(get(t) && get(t) && !put(t) && !put(t) && put(t));
	expect(refcount_digest(&count) != fresh && refcount_digest(&count) != got);
}

START_TEST(its_digest_is_of_what_it_holds_and_not_of_how_that_came_about)
{
	start(1);
	run_on(0, digests, NULL);
}
END_TEST

Suite *suite_refcount(void)
{
	Suite *s = suite_create("refcount");
	TCase *tc = tcase_create("refcount");

	tcase_add_test(tc, gets_and_puts_are_additions_while_the_initial_reference_is_there);
	tcase_add_test(tc, a_put_without_a_get_takes_the_initial_reference_and_then_somebody_elses);
	tcase_add_test(tc, initial_references_are_put_in_any_order);
	tcase_add_test(tc, an_underflow_saturates);
	tcase_add_test(tc, its_digest_is_of_what_it_holds_and_not_of_how_that_came_about);
	suite_add_tcase(s, tc);
	return s;
}
