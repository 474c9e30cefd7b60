// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reference traces, step by step: the whole product runs a scenario, and every step of
 * its table has to be there, in order, by the right context and for the right reason.
 *
 * The second half shows that a table can fail: an oracle that accepts everything would
 * pass the first half as well.
 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lua/ordering.h"
#include "tests/lifecycle/reference_trace.h"

Suite *suite_reference_trace(void);

#define TRACES "tests/lifecycle/traces"
#define Z1 TRACES "/z1-v5.3.txt"
#define SEEDS 25
#define FOLLOWED 5 /* runs of a table that says in which order */

/* ---- running what a table asks for --------------------------------------------------- */

/* What the run has to follow, or NULL. */
static const struct ordering_table *table_of(const struct reference *ref,
					     struct ordering_table *table)
{
	if (!ref->ordering)
		return NULL;
	*table = (struct ordering_table){.text = ref->ordering->str, .where = ref->name};
	return table;
}

static struct seen_trace *run_as(const struct reference *ref, const char *lifecycle,
				 const char *const *variants, uint64_t seed, enum run_order order)
{
	struct seen_trace *trace = seen_trace_new();
	struct run_sink *sinks[] = {&trace->sink, NULL};
	struct ordering_table buf;
	const struct ordering_table *table = table_of(ref, &buf);
	struct run_options opt = {
		.path = ref->scenario,
		.lifecycle = lifecycle,
		.variants = variants,
		.sets = (const char *const *)ref->sets->pdata,
		.seed = seed,
		.order = order,
		.accesses = true,
	};
	struct run_result result;
	GError *error = NULL;
	bool ok = table ? ordering_run(&opt, table, sinks, &result, &error)
			: scenario_run(&opt, sinks, &result, &error);

	if (!ok)
		ck_abort_msg("%s, %s: %s", ref->scenario, lifecycle, error->message);
	return trace;
}

static struct seen_trace *run(const struct reference *ref, uint64_t seed, enum run_order order)
{
	return run_as(ref, ref->lifecycles[0], (const char *const *)ref->variants->pdata, seed,
		      order);
}

static struct reference *load(const char *path)
{
	GError *error = NULL;
	struct reference *ref = reference_load(path, &error);

	if (!ref)
		ck_abort_msg("%s", error->message);
	return ref;
}

static void check_run(const struct reference *ref, const char *lifecycle, uint64_t seed,
		      enum run_order order)
{
	const char *const *variants = (const char *const *)ref->variants->pdata;
	g_autoptr(seen_trace) trace = run_as(ref, lifecycle, variants, seed, order);
	g_autofree char *wrong = reference_check(ref, trace);

	if (wrong)
		ck_abort_msg("%s: %s, seed %d: %s", ref->name, lifecycle, (int)seed, wrong);
}

static void check_table(const char *path)
{
	g_autoptr(reference) ref = load(path);

	for (char **lifecycle = ref->lifecycles; *lifecycle; lifecycle++) {
		for (uint64_t seed = 0; ref->ordering && seed < FOLLOWED; seed++)
			check_run(ref, *lifecycle, seed, ORDER_RANDOM);
		for (uint64_t i = 0; !ref->ordering && i < 2 * SEEDS; i++)
			check_run(ref, *lifecycle, i / 2, i % 2 ? ORDER_TIES : ORDER_TIMED);
	}
}

START_TEST(every_step_of_every_table_happens)
{
	GDir *dir = g_dir_open(TRACES, 0, NULL);
	const char *name;
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename(TRACES, name, NULL);

		check_table(path);
		n++;
	}
	g_dir_close(dir);
	ck_assert_int_gt(n, 0);
}
END_TEST

/*
 * The fixes that came later take nothing away and add nothing, but for a reference that a stock
 * holds on the memcg from v5.9 on.
 */
START_TEST(z1_is_the_same_with_the_later_fixes)
{
	static const char *const none[] = {"none", "drain-all-stock-uaf", NULL};
	g_autoptr(reference) ref = load(Z1);
	g_autoptr(seen_trace) trace = run_as(ref, "v5.3", none, 1, ORDER_TIMED);
	g_autofree char *wrong = reference_check(ref, trace);

	ck_assert_msg(!wrong, "%s", wrong);
}
END_TEST

/* ---- a wrong model -------------------------------------------------------------------- */

struct wrong_model {
	const char *lifecycle;
	const char *variants[4];
	const char *says; /* the message begins with the step and contains what is wrong */
	const char *what;
};

static const struct wrong_model wrong_models[] = {
	/* The read section is left open, so no grace period ends. */
	{"v5.3", {"get-cache-rcu-typo", NULL}, "a1.6: rcu_read_unlock $t nesting=0:", "missing"},
	/* The spinlock is taken with interrupts on. */
	{"v5.3",
	 {"release-lock-irq", NULL},
	 "offline.7: lock_acquire $wq_lock irqs_off=yes:",
	 "missing"},
	/* The posting tests the flag under slab_mutex alone. */
	{"seed1-v4",
	 {"none", "drain-all-stock-uaf", NULL},
	 "offline.7: lock_acquire $wq_lock irqs_off=yes:",
	 "wrong context"},
};

START_TEST(a_wrong_model_fails_at_the_step_that_differs)
{
	const struct wrong_model *m = &wrong_models[_i];
	g_autoptr(reference) ref = load(Z1);
	g_autoptr(seen_trace) trace = run_as(ref, m->lifecycle, m->variants, 1, ORDER_TIMED);
	g_autofree char *wrong = reference_check(ref, trace);

	ck_assert_msg(wrong && g_str_has_prefix(wrong, m->says) && strstr(wrong, m->what), "%s",
		      wrong ? wrong : "no objection");
}
END_TEST

/* ---- a wrong table: Z1 with one row changed ------------------------------------------------ */

/* Z1's table with @from replaced by @to, checked against a correct run. */
static char *check_edited(const char *from, const char *to)
{
	g_autofree char *text = NULL;
	g_autoptr(seen_trace) trace = NULL;
	g_autoptr(reference) ref = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) edited = NULL;

	ck_assert(g_file_get_contents(Z1, &text, NULL, NULL));
	edited = g_string_new(text);
	ck_assert_uint_eq(g_string_replace(edited, from, to, 0), 1);
	ref = reference_parse("edited", edited->str, &error);
	if (!ref)
		return g_strdup(error->message);
	trace = run(ref, 1, ORDER_TIMED);
	return reference_check(ref, trace);
}

struct edit {
	const char *from, *to, *says;
};

static const struct edit edits[] = {
	{"offline.12 | cache_slot_clear! | $C | kworker",
	 "offline.12 | cache_slot_clear! | $C | softirq",
	 "offline.12: cache_slot_clear! $C root=$R, id=$id: wrong context at seq"},
	{"kill.10 | ref_kill!         | $C | kworker | atomic=no",
	 "kill.10 | ref_kill! | $C | kworker | atomic=yes",
	 "kill.10: ref_kill! $C atomic=yes: missing after seq"},
	{"| kmem_cache_free, memcg_uncharge_slab, percpu_ref_put_many",
	 "| kmem_cache_free, kmemcg_rcufn", "f2.6: ref_zero! $C : called from elsewhere at seq"},
	{"| queue_work confirm.6", "| queue_work a1.4",
	 "offline.1: work_start $offline func=css_killed_work_fn, wq=$destroy_wq: wrong cause at "
	 "seq"},
	{"| queue_work f2.9", "| call_rcu kill.12",
	 "shutdown.1: work_start $work of=$C, func=kmemcg_workfn, wq=$kmem_wq: wrong cause at seq"},
	/* The memcg must go before the object: ask for the opposite. */
	{"[memcg] after drain.3, offline.25", "[memcg] after drain.3, offline.25, f2.1",
	 "the heading"},
	/* What happens before the steps around it is no objection. */
	{"no page_counter_uncharge", "no discard_slab", NULL},
	{"f2.8  | no call_rcu", "f2.8 | no access", "f2.8: no access  : happens at seq"},
	{"f2.10 | lock_release       | $wq_lock", "f2.10 | lock_release! | $wq_lock",
	 "f2.10: lock_release! $wq_lock : happens 2 times"},
	{"f2.10 | lock_release ", "f2.10 | lock_releas ", "edited:"},
	{"a1.4 | queue_work           | $create | task t | wq=",
	 "a1.4 | queue_work | $create | task t | w=", "edited:"},
	{"a2.15 |", "a2.14 |", "edited:"},
};

START_TEST(an_edited_table_fails_at_the_edited_step)
{
	const struct edit *e = &edits[_i];
	g_autofree char *wrong = check_edited(e->from, e->to);

	if (!e->says)
		ck_assert_msg(!wrong, "%s", wrong);
	else
		ck_assert_msg(wrong && strstr(wrong, e->says), "%s",
			      wrong ? wrong : "no objection");
}
END_TEST

/* ---- every row counts ----------------------------------------------------------------------- */

static void check_names_step(const struct reference *ref, const struct seen_trace *trace,
			     const struct step *step, const char *how)
{
	g_autofree char *wrong = reference_check(ref, trace);
	g_autofree char *name = g_strconcat(step->column[COLUMN_NAME], ":", NULL);

	ck_assert_msg(wrong && g_str_has_prefix(wrong, name), "%s %s: %s", name, how,
		      wrong ? wrong : "no objection");
}

static void with_column(const struct reference *ref, const struct seen_trace *trace,
			struct step *step, int column, const char *text)
{
	char *old = step->column[column];

	step->column[column] = (char *)text;
	check_names_step(ref, trace, step, text);
	step->column[column] = old;
}

/* In the wrong context, inside a function that nobody calls, or for another reason. */
START_TEST(no_row_accepts_another_context)
{
	g_autoptr(reference) ref = load(Z1);
	g_autoptr(seen_trace) trace = run(ref, 1, ORDER_TIMED);
	int n = 0;

	for (guint i = 0; i < ref->chains->len; i++) {
		const struct chain *chain = ref->chains->pdata[i];

		for (guint j = 0; j < chain->steps->len; j++) {
			struct step *step = chain->steps->pdata[j];

			if (step->never)
				continue;
			with_column(ref, trace, step, COLUMN_WHO, "task nobody");
			with_column(ref, trace, step, COLUMN_INSIDE, "nowhere");
			with_column(ref, trace, step, COLUMN_CAUSE, "timer");
			with_column(ref, trace, step, COLUMN_OBJECT, "cell:1");
			n++;
		}
	}
	ck_assert_int_gt(n, 100);
}
END_TEST

/* Two steps of a chain never fit in the other order as well. */
START_TEST(no_two_rows_can_change_places)
{
	g_autoptr(reference) ref = load(Z1);
	g_autoptr(seen_trace) trace = run(ref, 1, ORDER_TIMED);

	for (guint i = 0; i < ref->chains->len; i++) {
		const struct chain *chain = ref->chains->pdata[i];

		for (guint j = 0; j + 1 < chain->steps->len; j++) {
			struct step *first = chain->steps->pdata[j];
			struct step *second = chain->steps->pdata[j + 1];
			g_autofree char *wrong = NULL;

			if (first->never || second->never)
				continue;
			chain->steps->pdata[j] = second;
			chain->steps->pdata[j + 1] = first;
			wrong = reference_check(ref, trace);
			ck_assert_msg(wrong, "%s and %s can change places",
				      first->column[COLUMN_NAME], second->column[COLUMN_NAME]);
			chain->steps->pdata[j] = first;
			chain->steps->pdata[j + 1] = second;
		}
	}
}
END_TEST

static Suite *suite_with(Suite *s, TCase *tc)
{
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	return s;
}

Suite *suite_reference_trace(void)
{
	TCase *tables = tcase_create("tables"), *wrong = tcase_create("wrong");

	tcase_add_test(tables, every_step_of_every_table_happens);
	tcase_add_test(tables, z1_is_the_same_with_the_later_fixes);
	tcase_add_loop_test(wrong, a_wrong_model_fails_at_the_step_that_differs, 0,
			    (int)G_N_ELEMENTS(wrong_models));
	tcase_add_loop_test(wrong, an_edited_table_fails_at_the_edited_step, 0,
			    (int)G_N_ELEMENTS(edits));
	tcase_add_test(wrong, no_row_accepts_another_context);
	tcase_add_test(wrong, no_two_rows_can_change_places);
	return suite_with(suite_with(suite_create("reference_trace"), tables), wrong);
}
