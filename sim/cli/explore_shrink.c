// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim explore --shrink: which parts of the scenario does a failure need?
 *
 * Smaller parameters, fewer tasks, fewer operations are tried, each in a session of its
 * own: what was found has to fail there alike, with no more preemptions and steps.  A part
 * without which everything fails was not left out but broken, so a run without preemption,
 * and a few random ones, must not fail where they passed before.
 *
 * Most trials fail to fail, so what tells that soonest comes first: the old schedule, then all
 * orderings if there are few.  Nothing is tried twice on the way from one success to the next.
 */

#include "lua/skip.h"
#include "sim/cli/exploring.h"

#include <string.h>

#define SECONDS_MAX 30
/* Random runs that are made in each scenario, to see whether it still passes sometimes. */
#define CONTROL_RUNS 16
/* One of so few passes already, mostly. */
#define CONTROL_FIRST 2
/* Where following the old schedule does not fail: there may be so few orderings in all ... */
#define ALL_RUNS 50
/* ... and if not, how many runs to look for another one. */
#define SEARCH_RUNS 400
#define TRIAL_STEPS 300000
/* Of a run that follows a schedule, where --max-steps does not say how long one may be. */
#define FOLLOW_STEPS 100000

/* A scenario, as it is made smaller. */
struct reduced {
	GPtrArray *sets, *skips; /* strings, NULL-terminated */
};

struct shrinking {
	struct exploring *e;
	struct found *f;
	struct run *script; /* what all trials have in common */
	struct reduced best, trial;
	struct run_options run; /* of the trial */
	/* the best one; NULL: still that of @f */
	struct schedule *sched;
	struct finding *finding;
	uint32_t steps, preemptions;
	GPtrArray *parameters, *tasks; /* of the best one: lua/skip.h */
	GHashTable *in_vain;	       /* trials that led to nothing since it is the best one */
	bool natural_fails, control_passes;
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

static char *name_of(const struct reduced *r)
{
	g_autofree char *sets = g_strjoinv("\n", (char **)r->sets->pdata);
	g_autofree char *skips = g_strjoinv("\n", (char **)r->skips->pdata);

	/* No name of a parameter begins like this. */
	return g_strconcat(sets, "\n-\n", skips, NULL);
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

static double seconds_left(const struct shrinking *s)
{
	return SECONDS_MAX - (double)(g_get_monotonic_time() - s->start) / 1e6;
}

static bool is_over(const struct shrinking *s)
{
	return cli_interrupted || seconds_left(s) <= 0;
}

/* Where a part is missing, a run may have no end. */
struct steps_left {
	uint32_t nr;
};

static bool on_step(void *arg, uint32_t run)
{
	struct steps_left *left = arg;

	(void)run;
	return !cli_interrupted && --left->nr > 0;
}

/* Follow @sched as far as it goes; true if that fails alike. */
static bool follow(const struct shrinking *s, struct subject *subject, const struct schedule *sched,
		   GArray *choices, struct follow_result *r)
{
	struct steps_left left = {s->e->opt.max_steps ? s->e->opt.max_steps : FOLLOW_STEPS};
	const struct follow_options lenient = {
		.lenient = true, .stepped = on_step, .arg = &left, .choices = choices};

	schedule_follow(subject, sched, &lenient, r, NULL);
	return r->end == FOLLOW_VIOLATED && is_alike(s, &r->violation);
}

static bool natural_fails(const struct shrinking *s, struct subject *subject)
{
	struct schedule *nothing = schedule_new();
	struct follow_result r;
	bool fails = follow(s, subject, nothing, NULL, &r);

	schedule_free(nothing);
	return fails;
}

/* Explore what is tried, for @max_runs at most, whatever is found. */
static void explore_trial(const struct shrinking *s, struct subject *subject,
			  enum strategy strategy, uint64_t max_runs, struct explore_result *result)
{
	const struct explore_options opt = {
		.strategy = strategy,
		.seed = s->e->opt.seed,
		.max_runs = max_runs,
		.max_seconds = MAX(seconds_left(s), 1e-3),
		.max_steps = s->e->opt.max_steps,
		.keep_going = true,
		.past_setup = true,
		.interrupted = &cli_interrupted,
	};

	explore(subject, &opt, result);
}

/* The first runs are the same, however many there are. */
static bool control_passes(const struct shrinking *s, struct subject *subject)
{
	bool passes = false;

	for (uint64_t n = CONTROL_FIRST; n <= CONTROL_RUNS && !passes;
	     n += CONTROL_RUNS - CONTROL_FIRST) {
		struct explore_result result;

		explore_trial(s, subject, STRATEGY_RANDOM, n, &result);
		passes = result.stats.nr_failing < n;
		explore_result_clear(&result);
	}
	return passes;
}

/* Is it still about orderings, as far as it was before? */
static bool is_sound(const struct shrinking *s, struct subject *subject)
{
	if (natural_fails(s, subject) && !s->natural_fails)
		return false;
	return !s->control_passes || control_passes(s, subject);
}

static struct finding *finding_copy(const struct finding *f)
{
	struct finding *copy = g_memdup2(f, sizeof(*f));

	copy->choices = g_array_copy(f->choices);
	return copy;
}

/* What the best schedule leads to here; NULL if that is something else, or told to stop. */
static struct finding *follow_best(const struct shrinking *s, struct subject *subject)
{
	struct finding *f = g_new0(struct finding, 1);
	struct follow_result r;

	f->choices = g_array_new(FALSE, FALSE, sizeof(struct choice));
	if (follow(s, subject, s->sched ? s->sched : s->f->sched, f->choices, &r)) {
		f->violation = r.violation;
		f->nr_steps = r.nr_steps;
		f->at_end = r.at_end;
		return f;
	}
	finding_free(f);
	return NULL;
}

static struct finding *find_alike(const struct shrinking *s, const struct explore_result *result)
{
	for (guint i = 0; i < result->findings->len; i++) {
		const struct finding *f = g_ptr_array_index(result->findings, i);

		if (is_alike(s, &f->violation))
			return finding_copy(f);
	}
	return NULL;
}

/* Did @result, of dpor, see an ordering of each class that there is? */
static bool saw_all(const struct explore_result *result)
{
	return (result->end == END_COMPLETE || result->end == END_FOUND) &&
	       result->stats.nr_cut == 0 && !result->error;
}

/* How else it fails here; NULL if no run shows that.  Where there are few orderings, all tell. */
static struct finding *search(const struct shrinking *s, struct subject *subject)
{
	struct explore_result result;
	struct finding *found;
	bool all;

	explore_trial(s, subject, STRATEGY_DPOR, ALL_RUNS, &result);
	found = find_alike(s, &result);
	all = saw_all(&result);
	explore_result_clear(&result);
	if (found || all || is_over(s))
		return found;
	explore_trial(s, subject, STRATEGY_PCT, SEARCH_RUNS, &result);
	found = find_alike(s, &result);
	explore_result_clear(&result);
	return found;
}

/* @f, which becomes nobody's, at its shortest; NULL if the best one is shorter. */
static struct finding *shortest_of(struct shrinking *s, struct subject *subject, struct finding *f)
{
	const struct minimise_options opt = {.max_steps = TRIAL_STEPS,
					     .interrupted = &cli_interrupted};
	struct minimise_result result;
	struct finding *minimal =
		f && is_sound(s, subject) ? minimise(subject, f, &opt, &result, NULL) : NULL;

	finding_free(f);
	if (minimal && (result.preemptions > s->preemptions ||
			(result.preemptions == s->preemptions && minimal->nr_steps > s->steps)))
		g_clear_pointer(&minimal, finding_free);
	if (minimal)
		s->preemptions = result.preemptions;
	return minimal;
}

/* The shortest way to fail here: as before, else as it is found anew; NULL if there is none. */
static struct finding *shortest(struct shrinking *s, struct subject *subject)
{
	struct finding *f = shortest_of(s, subject, follow_best(s, subject));

	return f || is_over(s) ? f : shortest_of(s, subject, search(s, subject));
}

static void keep_lists(struct shrinking *s)
{
	g_clear_pointer(&s->parameters, g_ptr_array_unref);
	g_clear_pointer(&s->tasks, g_ptr_array_unref);
	s->parameters = session_parameters(s->script);
	s->tasks = session_tasks(s->script);
}

static struct subject *open_trial(struct shrinking *s)
{
	s->run.sets = strings_of(s->trial.sets);
	s->run.skips = strings_of(s->trial.skips);
	/* A script that cannot do without something is no reason to complain. */
	return session_again(s->script, &s->run, NULL, NULL) ? session_subject(s->script) : NULL;
}

static void keep_trial(struct shrinking *s, struct finding *f, struct schedule *sched)
{
	schedule_free(s->sched);
	finding_free(s->finding);
	s->sched = sched;
	s->finding = f;
	s->steps = f->nr_steps;
	reduced_set(&s->best, strings_of(s->trial.sets), strings_of(s->trial.skips));
	keep_lists(s);
	g_hash_table_remove_all(s->in_vain);
}

static bool fails_alike(struct shrinking *s)
{
	struct subject *subject = open_trial(s);
	struct schedule *sched = NULL;
	struct finding *f;

	if (!subject || subject->checks->nr_violations != s->e->nr_setup)
		return false;
	f = shortest(s, subject);
	if (f)
		sched = schedule_of(subject, f, &cli_interrupted, NULL);
	if (sched)
		keep_trial(s, f, sched);
	else
		finding_free(f);
	return sched != NULL;
}

/* Does the trial fail alike?  Then it is the best one. */
static bool try_trial(struct shrinking *s)
{
	char *name;

	if (is_over(s))
		return false;
	name = name_of(&s->trial);
	if (g_hash_table_contains(s->in_vain, name)) {
		g_free(name);
		return false;
	}
	if (progress_is_due(&s->e->progress))
		progress_show(&s->e->progress, "shrinking: %u scenarios tried, %u steps, %.0f s",
			      s->f->shrink.nr_tries, s->steps, progress_seconds(&s->e->progress));
	s->f->shrink.nr_tries++;
	if (fails_alike(s)) {
		g_free(name);
		return true;
	}
	g_hash_table_add(s->in_vain, name);
	return false;
}

/* ---- what could be smaller ---------------------------------------------------------------- */

static bool shrink_parameter(struct shrinking *s, const char *name, int64_t value, int64_t least)
{
	const int64_t tries[] = {least, least + (value - least) / 2, value - 1};

	for (size_t i = 0; i < G_N_ELEMENTS(tries); i++) {
		if (tries[i] >= value || (i > 0 && tries[i] <= tries[i - 1]))
			continue;
		begin_trial(s);
		set_parameter(s, name, tries[i]);
		if (try_trial(s))
			return true;
	}
	return false;
}

/* Mostly none of them matters. */
static bool shrink_all_parameters(struct shrinking *s)
{
	guint nr = 0;

	begin_trial(s);
	for (guint i = 0; i < s->parameters->len; i++) {
		const struct scenario_parameter *p = g_ptr_array_index(s->parameters, i);

		if (p->value <= p->least)
			continue;
		set_parameter(s, p->name, p->least);
		nr++;
	}
	return nr > 1 && try_trial(s);
}

static bool shrink_parameters(struct shrinking *s)
{
	bool helped = shrink_all_parameters(s);

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
	struct subject *subject;
	struct finding *f;

	begin_trial(s);
	subject = open_trial(s);
	if (!subject)
		return false;
	s->natural_fails = natural_fails(s, subject);
	s->control_passes = control_passes(s, subject);
	f = follow_best(s, subject);
	keep_lists(s);
	finding_free(f);
	return f != NULL;
}

/* Its schedule is made with care; as it is, where that is not to be or comes to nothing. */
static void minimise_best(struct shrinking *s, struct minimise_result *result)
{
	const struct minimise_options opt = {.proof_steps = PROOF_STEPS,
					     .interrupted = &cli_interrupted};
	struct subject *subject;
	struct finding *minimal;
	struct schedule *sched;

	begin_trial(s);
	subject = cli_interrupted ? NULL : open_trial(s);
	minimal = subject ? minimise(subject, s->finding, &opt, result, NULL) : NULL;
	sched = minimal ? schedule_of(subject, minimal, &cli_interrupted, NULL) : NULL;
	if (sched) {
		schedule_free(s->sched);
		s->sched = sched;
		finding_free(s->finding);
		s->finding = g_steal_pointer(&minimal);
	}
	finding_free(minimal);
}

/* The smallest scenario becomes that of the finding. */
static void take_best(struct shrinking *s)
{
	struct minimise_result minimised = {.gave_up = true, .preemptions = s->preemptions};
	struct found *f = s->f;

	minimise_best(s, &minimised);
	found_take(s->e, f, g_steal_pointer(&s->finding), g_steal_pointer(&s->sched),
		   strings_of(s->best.sets), strings_of(s->best.skips));
	f->minimise.preemptions = f->sched->preemptions;
	f->minimise.nr_replays += minimised.nr_replays;
	f->minimise.proved = minimised.proved;
	f->minimise.proof_runs = minimised.proof_runs;
	f->minimise.gave_up = minimised.gave_up;
}

static void shrink(struct shrinking *s)
{
	bool helped = look_at_all(s);

	while (helped && !is_over(s)) {
		helped = shrink_parameters(s);
		helped |= shrink_tasks(s);
		helped |= shrink_operations(s);
	}
	s->f->shrink.gave_up = is_over(s);
	if (s->sched)
		take_best(s);
}

static void shrinking_clear(struct shrinking *s)
{
	schedule_free(s->sched);
	finding_free(s->finding);
	reduced_clear(&s->best);
	reduced_clear(&s->trial);
	g_clear_pointer(&s->parameters, g_ptr_array_unref);
	g_clear_pointer(&s->tasks, g_ptr_array_unref);
	g_hash_table_unref(s->in_vain);
}

bool shrink_scenario(struct exploring *e, struct found *f, GError **error)
{
	struct shrinking s = {
		.e = e,
		.f = f,
		.run = e->args.run,
		.steps = f->finding->nr_steps,
		.preemptions = f->sched->preemptions,
		.in_vain = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.start = g_get_monotonic_time(),
	};

	f->shrink.steps_before = s.steps;
	f->shrink.preemptions_before = s.preemptions;
	reduced_set(&s.best, e->args.run.sets, e->args.run.skips);
	begin_trial(&s);
	/* Any that are not NULL: operations are to be counted. */
	s.run.skips = strings_of(s.trial.skips);
	s.script = script_keep(&s.run, error);
	if (s.script) {
		progress_init(&e->progress, e->args.quiet);
		shrink(&s);
		progress_clear(&e->progress);
		session_close(s.script);
		f->shrink.done = true;
		f->shrink.seconds = (double)(g_get_monotonic_time() - s.start) / 1e6;
	}
	shrinking_clear(&s);
	return f->shrink.done;
}
