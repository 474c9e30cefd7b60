// SPDX-License-Identifier: GPL-2.0-only
/* kobjects: a sysfs name belongs to one object at a time, and the last put releases. */
#include "sim/kernel/kobject.h"

#include <errno.h>
#include <stdio.h>

#include "tests/support/sim_fixture.h"

Suite *suite_kobject(void);

#define MANY 400

static struct kobject objects[MANY];
static int nr_released;

static void release(struct task *t, struct kobject *kobj)
{
	(void)t;
	(void)kobj;
	nr_released++;
}

static void run(void (*fn)(struct task *t, void *arg))
{
	nr_released = 0;
	for (int i = 0; i < MANY; i++)
		objects[i] = (struct kobject){0};
	sim_start();
	sim_task(0, "task", fn, NULL);
	sim_run();
	ck_assert_uint_eq(sim.w->nr_tasks_alive, 0);
}

static int add(struct task *t, int i, const char *name)
{
	return kobject_init_and_add(t, &objects[i], 0, name, release);
}

static void add_twice(struct task *t, void *arg)
{
	(void)arg;
	expect(add(t, 0, "one") == 0);
	expect(add(t, 1, "one") == -EEXIST);
	expect(!objects[1].in_sysfs);
	expect(add(t, 2, "two") == 0);
}

START_TEST(a_taken_name_is_refused)
{
	const struct rec *r;

	run(add_twice);
	r = rec_first(TR_SYSFS_ADD, objects[1].id);
	ck_assert_int_eq(r->arg[1], 0);
	ck_assert_str_eq(r->str, "one");
	ck_assert_int_eq(rec_first(TR_SYSFS_ADD, objects[2].id)->arg[1], 1);
}
END_TEST

static void refused_put(struct task *t, void *arg)
{
	(void)arg;
	expect(add(t, 0, "one") == 0);
	expect(add(t, 1, "one") == -EEXIST);
	kobject_put(t, &objects[1]);
	expect(nr_released == 1);
	expect(add(t, 2, "one") == -EEXIST);
}

START_TEST(putting_the_refused_object_leaves_the_name_to_its_owner)
{
	run(refused_put);
}
END_TEST

static void del_and_add(struct task *t, void *arg)
{
	(void)arg;
	expect(add(t, 0, "one") == 0);
	kobject_del(t, &objects[0]);
	expect(nr_released == 0);
	expect(add(t, 1, "one") == 0);
}

START_TEST(kobject_del_frees_the_name_and_keeps_the_object)
{
	run(del_and_add);
	ck_order(rec_first(TR_SYSFS_DEL, objects[0].id), rec_first(TR_SYSFS_ADD, objects[1].id));
}
END_TEST

static void del_twice(struct task *t, void *arg)
{
	(void)arg;
	expect(add(t, 0, "one") == 0);
	kobject_del(t, &objects[0]);
	expect(add(t, 1, "one") == 0);
	kobject_del(t, &objects[0]);
	expect(objects[1].in_sysfs);
	expect(add(t, 2, "one") == -EEXIST);
}

START_TEST(deleting_twice_is_harmless)
{
	run(del_twice);
	ck_assert_uint_eq(rec_count(TR_SYSFS_DEL, 0), 1);
}
END_TEST

static void get_and_put(struct task *t, void *arg)
{
	(void)arg;
	expect(add(t, 0, "one") == 0);
	kobject_get(t, &objects[0]);
	kobject_put(t, &objects[0]);
	expect(nr_released == 0 && objects[0].in_sysfs);
	kobject_put(t, &objects[0]);
	expect(nr_released == 1 && !objects[0].in_sysfs);
}

START_TEST(the_last_put_frees_the_name_and_releases_once)
{
	run(get_and_put);
	ck_assert_uint_eq(rec_count(TR_SYSFS_DEL, objects[0].id), 1);
}
END_TEST

static void add_many(struct task *t, void *arg)
{
	static char names[MANY][24];

	(void)arg;
	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "name-%d", i);
		expect(add(t, i, names[i]) == 0);
	}
	for (int i = 0; i < MANY; i += 2)
		kobject_del(t, &objects[i]);
	for (int i = 0; i < MANY; i++)
		expect(add(t, i, names[i]) == (i % 2 ? -EEXIST : 0));
}

/* The table of names grows under kernfs_mutex, which has to survive that. */
START_TEST(names_are_found_again_however_many_there_are)
{
	run(add_many);
}
END_TEST

static void add_same(struct task *t, void *arg)
{
	uintptr_t i = (uintptr_t)arg;

	if (add(t, (int)i, "same") == 0)
		kobject_put(t, &objects[i]);
}

START_TEST(two_that_add_the_same_name_never_both_have_it)
{
	int refused = 0;

	for (uint64_t seed = 0; seed < 100; seed++) {
		int owners = 0;

		sim_start(.seed = seed, .untimed = true);
		sim_task(0, "a", add_same, (void *)0);
		sim_task(1, "b", add_same, (void *)1);
		sim_run();
		for (size_t i = 0; i < sim.nr_recs; i++) {
			const struct rec *r = &sim.recs[i];

			owners += r->kind == TR_SYSFS_ADD && r->arg[1];
			owners -= r->kind == TR_SYSFS_DEL;
			refused += r->kind == TR_SYSFS_ADD && !r->arg[1];
			expect(owners <= 1);
		}
	}
	ck_assert_int_gt(refused, 0);
}
END_TEST

Suite *suite_kobject(void)
{
	Suite *s = suite_create("kobject");
	TCase *tc = tcase_create("names");

	tcase_add_test(tc, a_taken_name_is_refused);
	tcase_add_test(tc, putting_the_refused_object_leaves_the_name_to_its_owner);
	tcase_add_test(tc, kobject_del_frees_the_name_and_keeps_the_object);
	tcase_add_test(tc, deleting_twice_is_harmless);
	tcase_add_test(tc, the_last_put_frees_the_name_and_releases_once);
	tcase_add_test(tc, names_are_found_again_however_many_there_are);
	tcase_add_test(tc, two_that_add_the_same_name_never_both_have_it);
	suite_add_tcase(s, tc);
	return s;
}
