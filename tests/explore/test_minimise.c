// SPDX-License-Identifier: GPL-2.0-only
/*
 * Minimising: shorter, and still the same failure; the best known schedules of the
 * models are reached from wherever it starts.
 */

#include <check.h>

#include "sim/explore/schedule/minimise.h"
#include "sim/explore/schedule/schedule.h"
#include "tests/explore/session.h"

Suite *suite_minimise(void);

#define MODEL "scenarios/models/cache_shutdown.lua"

struct minimised {
	struct finding *f;
	struct minimise_result r;
};

static struct minimised minimise_in(struct subject *s, const struct finding *f)
{
	const struct minimise_options opt = {.proof_steps = 10000000};
	g_autoptr(GError) error = NULL;
	struct minimised m = {0};

	m.f = minimise(s, f, &opt, &m.r, &error);
	ck_assert_msg(m.f != NULL, "%s", error ? error->message : "");
	ck_assert(same_finding(&f->violation, &m.f->violation));
	ck_assert_uint_le(m.r.preemptions, m.r.preemptions_before);
	ck_assert_uint_eq(m.r.steps_before, f->nr_steps);
	return m;
}

/* What came out is a run by itself, with as many steps and preemptions as it says. */
static void check_repeats(struct subject *s, const struct minimised *m)
{
	g_autoptr(GError) error = NULL;
	struct schedule *sched = schedule_of(s, m->f, NULL, &error);

	ck_assert_msg(sched != NULL, "%s", error ? error->message : "");
	ck_assert_uint_eq(sched->nr_steps, m->f->nr_steps);
	ck_assert_uint_eq(sched->preemptions, m->r.preemptions);
	schedule_free(sched);
}

/* Whatever was found, nothing is left of it but the failure itself. */
START_TEST(every_start_leads_to_the_same_length)
{
	static const char *const sets[][4] = {{"bug=1", "n=3", "k=2", NULL},
					      {"bug=2", "n=3", "k=2", NULL}};
	struct run *run = open_scenario(MODEL, NULL, sets[_i]);
	struct subject *s = session_subject(run);
	uint32_t shortest[2] = {0}; /* the first bug fails in two ways */

	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct explore_result result;
		struct minimised m;
		uint32_t *known;

		m = minimise_in(s, find_failure(s, STRATEGY_RANDOM, seed, &result));
		known = &shortest[m.f->violation.text[0] == 'l'];
		check_repeats(s, &m);
		ck_assert_uint_eq(m.r.preemptions, 1);
		ck_assert(m.r.proved);
		ck_assert(!m.r.gave_up);
		if (*known == 0)
			*known = m.f->nr_steps;
		ck_assert_uint_eq(m.f->nr_steps, *known);
		ck_assert_uint_le(m.f->nr_steps, 20);
		finding_free(m.f);
		explore_result_clear(&result);
	}
	session_close(run);
}
END_TEST

/* A failing allocation that is needed stays, one that is not goes. */
START_TEST(only_needed_choices_stay)
{
	static const char *const variants[] = {"none", "create-work-css-leak", NULL};
	struct run *run = open_scenario("scenarios/lifecycle/create_failure.lua", variants, NULL);
	struct subject *s = session_subject(run);
	struct explore_result result;
	struct minimised m = minimise_in(s, find_failure(s, STRATEGY_PCT, 1, &result));
	uint32_t nr_faults = 0;

	check_repeats(s, &m);
	for (guint i = 0; i < m.f->choices->len; i++) {
		const struct choice *c = &g_array_index(m.f->choices, struct choice, i);

		nr_faults += c->kind == CHOOSE_FAULT && c->pick == 1;
	}
	ck_assert_uint_eq(nr_faults, 1);
	ck_assert_uint_eq(m.r.preemptions, 0);
	ck_assert(m.f->at_end);
	finding_free(m.f);
	explore_result_clear(&result);
	session_close(run);
}
END_TEST

START_TEST(a_lost_wakeup_needs_its_preemption)
{
	static const char *const sets[] = {"buggy=true", NULL};
	struct run *run = open_scenario("scenarios/models/lost_wakeup.lua", NULL, sets);
	struct subject *s = session_subject(run);
	struct explore_result result;
	struct minimised m = minimise_in(s, find_failure(s, STRATEGY_RANDOM, 1, &result));

	ck_assert_uint_eq(m.r.preemptions, 1);
	ck_assert(m.r.proved);
	ck_assert_uint_gt(m.r.proof_runs, 0);
	ck_assert(m.f->at_end);
	check_repeats(s, &m);
	finding_free(m.f);
	explore_result_clear(&result);
	session_close(run);
}
END_TEST

/* What was drawn preempts at every turn, and nearly all of that is of no use. */
START_TEST(useless_preemptions_go)
{
	static const char *const variants[] = {"none", "workfn-clobber", NULL};
	struct run *run = open_scenario("scenarios/lifecycle/whole_life.lua", variants, NULL);
	struct subject *s = session_subject(run);
	const struct minimise_options no_proof = {.max_steps = 3000000};
	struct explore_result result;
	struct minimised m;

	m.f = minimise(s, find_failure(s, STRATEGY_RANDOM, 1, &result), &no_proof, &m.r, NULL);
	ck_assert_ptr_nonnull(m.f);
	ck_assert_uint_gt(m.r.preemptions_before, 100);
	ck_assert_uint_lt(m.r.preemptions * 5, m.r.preemptions_before);
	check_repeats(s, &m);
	finding_free(m.f);
	explore_result_clear(&result);
	session_close(run);
}
END_TEST

/* Out of budget, what there is is a failing run all the same. */
START_TEST(stopping_early_loses_nothing)
{
	static const char *const sets[] = {"bug=2", "n=3", NULL};
	struct run *run = open_scenario(MODEL, NULL, sets);
	struct subject *s = session_subject(run);
	struct explore_result result;
	const struct finding *f = find_failure(s, STRATEGY_RANDOM, 1, &result);
	const struct minimise_options opt = {.max_steps = 40};
	struct minimised m = {0};

	m.f = minimise(s, f, &opt, &m.r, NULL);
	ck_assert_ptr_nonnull(m.f);
	ck_assert(m.r.gave_up);
	ck_assert(same_finding(&f->violation, &m.f->violation));
	check_repeats(s, &m);
	finding_free(m.f);
	explore_result_clear(&result);
	session_close(run);
}
END_TEST

static bool (*real_step)(struct subject *s, struct transition *tr);
static uint64_t steps_until, steps_after; /* told to stop */
static volatile sig_atomic_t told;

static bool counted_step(struct subject *s, struct transition *tr)
{
	steps_after += told != 0;
	if (steps_until > 0 && --steps_until == 0)
		told = 1;
	return real_step(s, tr);
}

/* Told to stop at any of its steps, it takes no run to the end, and keeps what it has. */
START_TEST(a_stop_comes_within_a_run)
{
	static const char *const variants[] = {"none", "workfn-clobber", NULL};
	static const uint64_t stops[] = {1, 100, 1000, 2000, 5000, 20000, 100000, 400000};
	struct run *run = open_scenario("scenarios/lifecycle/whole_life.lua", variants, NULL);
	struct subject *s = session_subject(run);
	struct explore_result result;
	const struct finding *f = find_failure(s, STRATEGY_RANDOM, 1, &result);
	const struct minimise_options opt = {.interrupted = &told, .max_steps = 600000};
	uint32_t nr_kept = 0;

	ck_assert_uint_gt(f->nr_steps, 500);
	real_step = s->step;
	s->step = counted_step;
	for (size_t i = 0; i < G_N_ELEMENTS(stops); i++) {
		struct minimised m = {0};
		g_autoptr(GError) error = NULL;

		told = 0;
		steps_until = stops[i];
		steps_after = 0;
		m.f = minimise(s, f, &opt, &m.r, &error);
		ck_assert(told);
		ck_assert_uint_le(steps_after, 1);
		ck_assert_ptr_null(error);
		told = 0;
		if (!m.f)
			continue;
		ck_assert(m.r.gave_up);
		ck_assert(same_finding(&f->violation, &m.f->violation));
		check_repeats(s, &m);
		finding_free(m.f);
		nr_kept++;
	}
	ck_assert_uint_ge(nr_kept, 3);
	ck_assert_uint_lt(nr_kept, G_N_ELEMENTS(stops));
	explore_result_clear(&result);
	session_close(run);
}
END_TEST

START_TEST(what_does_not_repeat_is_refused)
{
	static const char *const sets[] = {"bug=2", NULL};
	const struct minimise_options opt = {0};
	struct run *run = open_scenario(MODEL, NULL, sets);
	struct subject *s = session_subject(run);
	struct explore_result result;
	const struct finding *f = find_failure(s, STRATEGY_RANDOM, 1, &result);
	struct minimise_result r;
	g_autoptr(GError) error = NULL;

	g_array_set_size(f->choices, f->choices->len - 1);
	ck_assert_ptr_null(minimise(s, f, &opt, &r, &error));
	ck_assert_ptr_nonnull(error);
	explore_result_clear(&result);
	session_close(run);
}
END_TEST

Suite *suite_minimise(void)
{
	Suite *s = suite_create("minimise");
	TCase *tc = tcase_create("minimise");

	tcase_set_timeout(tc, 120);

	tcase_add_loop_test(tc, every_start_leads_to_the_same_length, 0, 2);
	tcase_add_test(tc, only_needed_choices_stay);
	tcase_add_test(tc, a_lost_wakeup_needs_its_preemption);
	tcase_add_test(tc, useless_preemptions_go);
	tcase_add_test(tc, stopping_early_loses_nothing);
	tcase_add_test(tc, a_stop_comes_within_a_run);
	tcase_add_test(tc, what_does_not_repeat_is_refused);
	suite_add_tcase(s, tc);
	return s;
}
