// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim explore --shrink: which parts of the scenario does a failure need?
 *
 * Smaller parameters, fewer tasks, fewer operations are tried, each in a session of its
 * own: what was found has to fail there alike, with no more preemptions and steps.  A part
 * without which everything fails was not left out but broken, so a run without preemption,
 * and a few random ones, must not fail where they passed before.
 */

#include "lua/skip.h"
#include "sim/cli/exploring.h"

#include <string.h>

#define SECONDS_MAX 30
/* Random runs that are made in each scenario, to see whether it still passes sometimes. */
#define CONTROL_RUNS 16
/* Where following the old schedule does not fail: how many runs to look for another one. */
#define SEARCH_RUNS 400
#define TRIAL_STEPS 300000
#define PROOF_SECONDS 1

/* A scenario, as it is made smaller. */
struct reduced {
	GPtrArray *sets, *skips; /* strings, NULL-terminated */
};

struct shrinking {
	struct exploring *e;
	struct found *f;
	struct reduced best, trial;
	struct run_options run; /* of the trial */
	struct schedule *sched; /* the best one; NULL: still that of @f */
	uint32_t steps, preemptions;
	GPtrArray *parameters, *tasks; /* of the best one: lua/skip.h */
	bool natural_fails;
	uint64_t control_fails;
	struct minimise_result trial_result;
	gint64 start;
};

/* ---- options ------------------------------------------------------------------------------ */

static GPtrArray *strings_copy(const char *const *strings)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);

	for (size_t i = 0; strings && strings[i]; i++)
		g_ptr_array_add(list, g_strdup(strings[i]));
	g_ptr_array_add(list, NULL);
	return list;
}

static const char *const *strings_of(const GPtrArray *list)
{
	return (const char *const *)list->pdata;
}

static void reduced_set(struct reduced *r, const char *const *sets, const char *const *skips)
{
	GPtrArray *new_sets = strings_copy(sets), *new_skips = strings_copy(skips);

	g_clear_pointer(&r->sets, g_ptr_array_unref);
	g_clear_pointer(&r->skips, g_ptr_array_unref);
	r->sets = new_sets;
	r->skips = new_skips;
}

static void reduced_clear(struct reduced *r)
{
	g_clear_pointer(&r->sets, g_ptr_array_unref);
	g_clear_pointer(&r->skips, g_ptr_array_unref);
}

static void add_string(GPtrArray *list, char *string)
{
	g_ptr_array_insert(list, (gint)list->len - 1, string);
}

static void begin_trial(struct shrinking *s)
{
	reduced_set(&s->trial, strings_of(s->best.sets), strings_of(s->best.skips));
}

/* The last one counts, but the others would be in every schedule. */
static void set_parameter(struct shrinking *s, const char *name, int64_t value)
{
	g_autofree char *start = g_strconcat(name, "=", NULL);

	begin_trial(s);
	for (guint i = s->trial.sets->len - 1; i-- > 0;) {
		if (g_str_has_prefix(g_ptr_array_index(s->trial.sets, i), start))
			g_ptr_array_remove_index(s->trial.sets, i);
	}
	add_string(s->trial.sets, g_strdup_printf("%s%" G_GINT64_FORMAT, start, value));
}

/* ---- one scenario ------------------------------------------------------------------------- */

static bool is_alike(const struct shrinking *s, const struct violation *v)
{
	return same_finding(&s->f->first->violation, v);
}

static bool on_step(void *arg, uint32_t run)
{
	(void)arg;
	(void)run;
	return !cli_interrupted;
}

static bool natural_fails(const struct shrinking *s, struct subject *subject)
{
	const struct follow_options lenient = {.lenient = true, .stepped = on_step};
	struct schedule *nothing = schedule_new();
	struct follow_result r;

	schedule_follow(subject, nothing, &lenient, &r, NULL);
	schedule_free(nothing);
	return r.end == FOLLOW_VIOLATED && is_alike(s, &r.violation);
}

static uint64_t control_fails(const struct shrinking *s, struct subject *subject)
{
	const struct explore_options opt = {
		.strategy = STRATEGY_RANDOM,
		.seed = s->e->opt.seed,
		.max_runs = CONTROL_RUNS,
		.keep_going = true,
		.past_setup = true,
		.interrupted = &cli_interrupted,
	};
	struct explore_result result;
	uint64_t n;

	explore(subject, &opt, &result);
	n = result.stats.nr_failing;
	explore_result_clear(&result);
	return n;
}

/* Is it still about orderings, as far as it was before? */
static bool is_sound(const struct shrinking *s, struct subject *subject)
{
	if (natural_fails(s, subject) && !s->natural_fails)
		return false;
	return s->control_fails >= CONTROL_RUNS || control_fails(s, subject) < CONTROL_RUNS;
}

static struct finding *finding_copy(const struct finding *f)
{
	struct finding *copy = g_memdup2(f, sizeof(*f));

	copy->choices = g_array_copy(f->choices);
	return copy;
}

/* What the best schedule leads to here; NULL if that is something else, or told to stop. */
static struct finding *follow_best(const struct shrinking *s, struct subject *subject,
				   bool may_stop)
{
	struct finding f = {.choices = g_array_new(FALSE, FALSE, sizeof(struct choice))};
	const struct follow_options lenient = {
		.lenient = true, .stepped = may_stop ? on_step : NULL, .choices = f.choices};
	struct finding *copy = NULL;
	struct follow_result r;

	schedule_follow(subject, s->sched ? s->sched : s->f->sched, &lenient, &r, NULL);
	if (r.end == FOLLOW_VIOLATED && is_alike(s, &r.violation)) {
		f.violation = r.violation;
		f.nr_steps = r.nr_steps;
		f.at_end = r.at_end;
		copy = finding_copy(&f);
	}
	g_array_unref(f.choices);
	return copy;
}

static struct finding *search(const struct shrinking *s, struct subject *subject)
{
	const struct explore_options opt = {
		.strategy = STRATEGY_PCT,
		.seed = s->e->opt.seed,
		.max_runs = SEARCH_RUNS,
		.max_steps = s->e->opt.max_steps,
		.keep_going = true,
		.past_setup = true,
		.interrupted = &cli_interrupted,
	};
	struct explore_result result;
	struct finding *found = NULL;

	explore(subject, &opt, &result);
	for (guint i = 0; i < result.findings->len && !found; i++) {
		const struct finding *f = g_ptr_array_index(result.findings, i);

		if (is_alike(s, &f->violation))
			found = finding_copy(f);
	}
	explore_result_clear(&result);
	return found;
}

static bool is_over(const struct shrinking *s)
{
	return cli_interrupted || g_get_monotonic_time() - s->start > SECONDS_MAX * G_USEC_PER_SEC;
}

/* @f, which becomes nobody's, at its shortest; NULL if the best one is shorter. */
static struct finding *shortest_of(struct shrinking *s, struct subject *subject, struct finding *f)
{
	const struct minimise_options opt = {.max_steps = TRIAL_STEPS,
					     .interrupted = &cli_interrupted};
	struct finding *minimal = f ? minimise(subject, f, &opt, &s->trial_result, NULL) : NULL;

	finding_free(f);
	if (minimal &&
	    (s->trial_result.preemptions > s->preemptions ||
	     (s->trial_result.preemptions == s->preemptions && minimal->nr_steps > s->steps)))
		g_clear_pointer(&minimal, finding_free);
	if (minimal)
		s->preemptions = s->trial_result.preemptions;
	return minimal;
}

/* The shortest way to fail here: as before, else as it is found anew; NULL if there is none. */
static struct finding *shortest(struct shrinking *s, struct subject *subject)
{
	struct finding *f = shortest_of(s, subject, follow_best(s, subject, true));

	return f ? f : shortest_of(s, subject, search(s, subject));
}

static void keep_lists(struct shrinking *s, struct run *run)
{
	g_clear_pointer(&s->parameters, g_ptr_array_unref);
	g_clear_pointer(&s->tasks, g_ptr_array_unref);
	s->parameters = session_parameters(run);
	s->tasks = session_tasks(run);
}

static struct run *open_trial(struct shrinking *s)
{
	static struct run_sink *const no_sinks[] = {NULL};

	s->run = s->e->args.run;
	s->run.sets = strings_of(s->trial.sets);
	s->run.skips = strings_of(s->trial.skips);
	/* A script that cannot do without something is no reason to complain. */
	return session_open(&s->run, no_sinks, NULL);
}

/* Does the trial fail alike?  Then it is the best one. */
static bool try_trial(struct shrinking *s)
{
	struct run *run;
	struct subject *subject;
	struct finding *f = NULL;
	struct schedule *sched = NULL;

	if (is_over(s))
		return false;
	if (progress_is_due(&s->e->progress))
		progress_show(&s->e->progress, "shrinking: %u scenarios tried, %u steps, %.0f s",
			      s->f->shrink.nr_tries, s->steps, progress_seconds(&s->e->progress));
	s->f->shrink.nr_tries++;
	run = open_trial(s);
	if (!run)
		return false;
	subject = session_subject(run);
	if (subject->checks->nr_violations == s->e->nr_setup && is_sound(s, subject))
		f = shortest(s, subject);
	if (f)
		sched = schedule_of(subject, f, NULL);
	if (sched) {
		schedule_free(s->sched);
		s->sched = sched;
		s->steps = f->nr_steps;
		reduced_set(&s->best, strings_of(s->trial.sets), strings_of(s->trial.skips));
		keep_lists(s, run);
	}
	finding_free(f);
	session_close(run);
	return sched != NULL;
}

/* ---- what could be smaller ---------------------------------------------------------------- */

static bool shrink_parameter(struct shrinking *s, const char *name, int64_t value, int64_t least)
{
	const int64_t tries[] = {least, least + (value - least) / 2, value - 1};

	for (size_t i = 0; i < G_N_ELEMENTS(tries); i++) {
		if (tries[i] >= value || (i > 0 && tries[i] <= tries[i - 1]))
			continue;
		set_parameter(s, name, tries[i]);
		if (try_trial(s))
			return true;
	}
	return false;
}

static bool shrink_parameters(struct shrinking *s)
{
	bool helped = false;

	for (guint i = 0; i < s->parameters->len; i++) {
		const struct scenario_parameter *p = g_ptr_array_index(s->parameters, i);
		g_autofree char *name = g_strdup(p->name);

		while (p->value > p->least && shrink_parameter(s, name, p->value, p->least)) {
			/* The list was made anew. */
			p = g_ptr_array_index(s->parameters, i);
			helped = true;
		}
	}
	return helped;
}

static bool is_skipped(const struct shrinking *s, const char *task)
{
	return g_strv_contains(strings_of(s->best.skips), task);
}

/* Without any of its operations that may be left out, a task may still be needed. */
static void skip(struct shrinking *s, char *what)
{
	begin_trial(s);
	add_string(s->trial.skips, what);
}

static bool shrink_tasks(struct shrinking *s)
{
	bool helped = false;

	for (guint i = 0; i < s->tasks->len; i++) {
		const struct scenario_task *t = g_ptr_array_index(s->tasks, i);

		if (is_skipped(s, t->name))
			continue;
		skip(s, g_strdup(t->name));
		helped |= try_trial(s);
	}
	return helped;
}

/* Is operation @n of @task left out already? */
static bool is_left_out(const struct shrinking *s, const char *task, uint32_t n)
{
	for (guint i = 0; i + 1 < s->best.skips->len; i++) {
		const char *text = g_ptr_array_index(s->best.skips, i);
		unsigned int from, to;
		size_t len = strlen(task);
		int got;

		if (strncmp(text, task, len) != 0 || text[len] != ':')
			continue;
		got = sscanf(text + len + 1, "%u-%u", &from, &to);
		if (got >= 1 && n >= from && n <= (got == 2 ? to : from))
			return true;
	}
	return false;
}

/* The end first: what was done last is needed least. */
static bool shrink_operations_of(struct shrinking *s, const char *task, uint32_t nr)
{
	bool helped = false;

	for (uint32_t size = nr; size > 0; size /= 2) {
		for (uint32_t at = nr; at >= size; at -= size) {
			uint32_t from = at - size + 1;

			if (is_left_out(s, task, from) || is_left_out(s, task, at))
				continue;
			skip(s, size == 1 ? g_strdup_printf("%s:%u", task, from)
					  : g_strdup_printf("%s:%u-%u", task, from, at));
			helped |= try_trial(s);
		}
	}
	return helped;
}

static bool shrink_operations(struct shrinking *s)
{
	bool helped = false;

	for (guint i = 0; i < s->tasks->len; i++) {
		const struct scenario_task *t = g_ptr_array_index(s->tasks, i);
		g_autofree char *name = g_strdup(t->name);

		if (!is_skipped(s, name))
			helped |= shrink_operations_of(s, name, t->nr_operations);
	}
	return helped;
}

/* ---- the whole ---------------------------------------------------------------------------- */

/* How it is before anything is left out; false if the failure does not come back. */
static bool look_at_all(struct shrinking *s)
{
	struct run *run;
	struct subject *subject;
	bool ok;

	begin_trial(s);
	run = open_trial(s);
	if (!run)
		return false;
	subject = session_subject(run);
	s->natural_fails = natural_fails(s, subject);
	s->control_fails = control_fails(s, subject);
	{
		struct finding *f = follow_best(s, subject, true);

		ok = f != NULL;
		finding_free(f);
	}
	keep_lists(s, run);
	session_close(run);
	return ok;
}

/* The smallest scenario becomes that of the finding, and its schedule is made with care. */
static bool take_best(struct shrinking *s, GError **error)
{
	const struct minimise_options opt = {.proof_seconds = PROOF_SECONDS,
					     .interrupted = &cli_interrupted};
	struct found *f = s->f;
	struct minimise_result minimised = {0};
	struct finding *found, *minimal = NULL;
	struct run *run;

	begin_trial(s);
	run = open_trial(s);
	if (!run)
		return true;
	found = follow_best(s, session_subject(run), false);
	if (found)
		minimal = minimise(session_subject(run), found, &opt, &minimised, error);
	finding_free(found);
	if (minimal) {
		schedule_free(s->sched);
		s->sched = schedule_of(session_subject(run), minimal, error);
	}
	session_close(run);
	if (!minimal || !s->sched) {
		finding_free(minimal);
		return false;
	}
	found_take(s->e, f, minimal, g_steal_pointer(&s->sched), strings_of(s->best.sets),
		   strings_of(s->best.skips));
	f->minimise.preemptions = minimised.preemptions;
	f->minimise.nr_replays += minimised.nr_replays;
	f->minimise.proved = minimised.proved;
	f->minimise.proof_runs = minimised.proof_runs;
	f->minimise.gave_up = minimised.gave_up;
	return true;
}

bool shrink_scenario(struct exploring *e, struct found *f, GError **error)
{
	struct shrinking s = {
		.e = e,
		.f = f,
		.steps = f->finding->nr_steps,
		.preemptions = f->sched->preemptions,
		.start = g_get_monotonic_time(),
	};
	bool ok = true, helped = true;

	f->shrink.steps_before = s.steps;
	f->shrink.preemptions_before = s.preemptions;
	reduced_set(&s.best, e->args.run.sets, e->args.run.skips);
	progress_init(&e->progress, e->args.quiet);
	if (look_at_all(&s)) {
		while (helped && !is_over(&s)) {
			helped = shrink_parameters(&s);
			helped |= shrink_tasks(&s);
			helped |= shrink_operations(&s);
		}
		f->shrink.gave_up = is_over(&s);
		if (s.sched)
			ok = take_best(&s, error);
	}
	progress_clear(&e->progress);
	f->shrink.done = true;
	f->shrink.seconds = (double)(g_get_monotonic_time() - s.start) / 1e6;
	schedule_free(s.sched);
	reduced_clear(&s.best);
	reduced_clear(&s.trial);
	g_clear_pointer(&s.parameters, g_ptr_array_unref);
	g_clear_pointer(&s.tasks, g_ptr_array_unref);
	return ok;
}
