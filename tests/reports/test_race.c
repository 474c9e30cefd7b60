// SPDX-License-Identifier: GPL-2.0-only
#include <check.h>

#include "reports/race.h"
#include "reports/race_slice.h"

Suite *suite_race(void);

static struct trace_file *tf;

static void setup(void)
{
	tf = trace_file_new(0);
	tf->scenario = "s";
	tf->lifecycle = "v5.3";
}

static void teardown(void)
{
	trace_file_free(tf);
}

/* A record of context @task, which runs on the CPU of the same number less one. */
static struct trace_record *add(uint32_t task, uint16_t kind, oid_t obj, const char *str,
				const char *func)
{
	struct trace_record r = {
		.seq = tf->events->len + 1,
		.t = tf->events->len * 1000,
		.kind = kind,
		.obj = obj,
		.str = str,
		.cpu = (uint8_t)(task ? task - 1 : 0),
		.ctx = task ? CTX_TASK : CTX_NONE,
		.task = task,
	};

	if (func)
		r.stack = trace_file_frame(tf, func, NULL);
	trace_file_add(tf, &r);
	return &g_array_index(tf->events, struct trace_record, tf->events->len - 1);
}

static char *table(const struct trace_violation *v)
{
	struct output *o = output_memory();
	char *text;

	race_table_write(tf, v, RACE_BY_AUTO, o);
	text = g_strndup(o->buf, o->len);
	output_discard(o);
	return text;
}

static oid_t cache(uint64_t nr)
{
	return oid_make(OBJ_CACHE, nr);
}

/* Creates root cache 1 and its child 2, frees the child on CPU 0, uses it on CPU 1. */
static struct trace_violation free_and_use(void)
{
	struct trace_violation v = {
		.rule = "use-after-free",
		.obj = cache(2),
		.msg = "use after free of cache:2",
	};
	struct trace_record *r;

	add(1, TR_CACHE_CREATE, cache(1), "dentry", "kmem_cache_create");
	r = add(1, TR_CACHE_CREATE, cache(2), "dentry(2:box)", "create_cache");
	r->arg[0] = (int64_t)cache(1);
	v.related[0] = r->seq;
	r = add(1, TR_OBJ_FREE, cache(2), NULL, "slab_kmem_cache_release");
	v.related[1] = r->seq;
	r = add(2, TR_CACHE_SHRINK, cache(2), NULL, "__kmem_cache_shrink");
	v.seq = r->seq;
	return v;
}

START_TEST(both_sides_stand_in_their_columns)
{
	struct trace_violation v = free_and_use();
	g_autofree char *text = table(&v);

	ck_assert_ptr_nonnull(strstr(text, "\n  slab_kmem_cache_release(C)\n    // C is freed\n"));
	ck_assert_ptr_nonnull(strstr(text, " __kmem_cache_shrink(C)\n"));
	ck_assert_ptr_nonnull(strstr(text, "*** USE-AFTER-FREE ***"));
	/* That the object was allocated once is no part of the race. */
	ck_assert_ptr_null(strstr(text, "create_cache"));
}
END_TEST

/* A claim about a missing order has to be true: nothing leads from the free to the use. */
START_TEST(unordered_sides_are_said_to_be_unordered)
{
	struct trace_violation v = free_and_use();
	g_autofree char *text = table(&v);

	ck_assert_ptr_nonnull(strstr(text, "nothing orders the two"));
}
END_TEST

START_TEST(sides_that_a_wakeup_orders_are_not)
{
	struct trace_violation v = {
		.rule = "use-after-free", .obj = cache(1), .msg = "use after free of cache:1"};
	struct trace_record *r;
	uint64_t freed;
	g_autofree char *text = NULL;

	r = add(1, TR_OBJ_FREE, cache(1), NULL, "release");
	freed = r->seq;
	r = add(0, TR_TASK_WAKE, oid_make(OBJ_TASK, 2), NULL, NULL);
	r->cause = freed;
	r = add(2, TR_CACHE_SHRINK, cache(1), NULL, "shrink");
	v.seq = r->seq;
	v.related[0] = freed;
	text = table(&v);
	ck_assert_ptr_null(strstr(text, "nothing orders"));
	ck_assert_ptr_nonnull(strstr(text, "in every order"));
}
END_TEST

/* Who gets a contended lock first is chance: that one waited for the other orders nothing. */
START_TEST(a_lock_orders_nothing)
{
	struct trace_violation v = free_and_use();
	struct slice s;
	uint32_t freed = slice_index(tf, v.related[1]);
	struct trace_record *r;

	r = add(1, TR_LOCK_RELEASE, oid_make(OBJ_LOCK, 1), NULL, NULL);
	{
		uint64_t release = r->seq;

		r = add(0, TR_TASK_WAKE, oid_make(OBJ_TASK, 2), NULL, NULL);
		r->cause = release;
	}
	add(2, TR_CACHE_SHRINK, cache(2), NULL, "shrink");
	slice_init(&s, tf, &v);
	ck_assert(!slice_ordered(&s, freed, tf->events->len - 1));
	slice_clear(&s);
}
END_TEST

START_TEST(a_flush_orders_what_was_queued)
{
	struct trace_violation v = free_and_use();
	struct slice s;
	uint32_t freed = slice_index(tf, v.related[1]);
	oid_t wq = oid_make(OBJ_WQ, 1);
	struct trace_record *r;

	r = add(1, TR_WORK_END, oid_make(OBJ_WORK, 1), "fn", NULL);
	r->arg[0] = (int64_t)wq;
	add(2, TR_CACHE_SHRINK, cache(2), NULL, "before_the_flush");
	add(2, TR_FLUSH_END, wq, NULL, NULL);
	add(2, TR_CACHE_SHRINK, cache(2), NULL, "after_the_flush");
	slice_init(&s, tf, &v);
	ck_assert(!slice_ordered(&s, freed, tf->events->len - 3));
	ck_assert(slice_ordered(&s, freed, tf->events->len - 1));
	slice_clear(&s);
}
END_TEST

/* What git or checkpatch would choke on must not come out, however long the names are. */
START_TEST(a_table_can_be_pasted)
{
	struct trace_violation v = free_and_use();
	g_auto(GStrv) lines = NULL;
	g_autofree char *text = NULL;
	g_autofree char *deep = g_strnfill(60, 'f');
	const struct frame *f = NULL;
	struct trace_record *r;

	for (int i = 0; i < 20; i++) {
		g_autofree char *name = g_strdup_printf("%s_%d", deep, i);

		f = trace_file_frame(tf, name, f);
	}
	r = add(3, TR_OBJ_FREE, cache(2), NULL, NULL);
	r->stack = f;
	v.related[2] = r->seq;
	text = table(&v);
	lines = g_strsplit(text, "\n", -1);
	for (int i = 0; lines[i]; i++) {
		ck_assert_msg(strlen(lines[i]) <= RACE_COLUMNS, "%s", lines[i]);
		ck_assert_str_ne(lines[i], "---");
		ck_assert(lines[i][0] != '#');
		ck_assert(!g_str_has_prefix(lines[i], "diff -"));
		ck_assert(!g_str_has_suffix(lines[i], " "));
	}
}
END_TEST

/* A cut trace may lack every event that a violation names. */
START_TEST(missing_events_are_survived)
{
	struct trace_violation v = {.rule = "leak",
				    .seq = 1000,
				    .obj = cache(1),
				    .related = {1, 2, 3},
				    .msg = "gone: cache:1 (1, taken at seq 2)"};
	g_autofree char *text = table(&v);

	ck_assert_ptr_nonnull(strstr(text, "At the end, gone: "));
	ck_assert_ptr_null(strstr(text, "seq"));
}
END_TEST

/* Three contexts get three columns; more fold into the last. */
START_TEST(there_are_at_most_three_columns)
{
	struct trace_violation v = free_and_use();
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	for (uint32_t i = 0; i < 2; i++)
		v.related[i + 1] =
			add(5 + i, TR_CACHE_SHUTDOWN, cache(2), NULL, "shutdown_cache")->seq;
	v.related[0] = 3;
	text = table(&v);
	lines = g_strsplit(text, "\n", -1);
	ck_assert_ptr_nonnull(strstr(lines[0], "CPU0"));
	ck_assert_ptr_nonnull(strstr(lines[0], "CPU1"));
	ck_assert_str_eq(g_strstrip(lines[1]) ? strrchr(lines[1], ' ') : "", " ----");
}
END_TEST

Suite *suite_race(void)
{
	Suite *s = suite_create("race");
	TCase *t = tcase_create("race");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, both_sides_stand_in_their_columns);
	tcase_add_test(t, unordered_sides_are_said_to_be_unordered);
	tcase_add_test(t, sides_that_a_wakeup_orders_are_not);
	tcase_add_test(t, a_lock_orders_nothing);
	tcase_add_test(t, a_flush_orders_what_was_queued);
	tcase_add_test(t, a_table_can_be_pasted);
	tcase_add_test(t, missing_events_are_survived);
	tcase_add_test(t, there_are_at_most_three_columns);
	suite_add_tcase(s, t);
	return s;
}
