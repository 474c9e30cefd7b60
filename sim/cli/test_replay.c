// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a schedule still lead where it says, and is the race table as it was kept?
 *
 * --bless renews what can be followed and looks anew for what cannot.
 */

#include "reports/race.h"
#include "sim/base/assert.h"
#include "sim/cli/follow.h"
#include "sim/cli/run_options.h"
#include "sim/cli/test.h"
#include "sim/explore/schedule/minimise.h"

/* A kept schedule is made once and read often. */
#define PROOF_STEPS 20000000

static bool fail(GError **error, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *fmt, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	g_set_error_literal(error, SCHEDULE_ERROR, SCHEDULE_ERROR_LOST, text);
	return false;
}

/* ---- is it for this? ----------------------------------------------------- */

static bool check_list(const char *what, const GPtrArray *theirs, char **ours, GError **error)
{
	g_autofree char *list = NULL;

	if (same_names(theirs, (const char *const *)ours))
		return true;
	list = g_strjoinv(", ", (char **)theirs->pdata);
	return fail(error, "the schedule was made with %s: %s", what, list[0] ? list : "none");
}

/* One that is kept has to be what the search beside it would find. */
static bool check_kept(const struct test *t, const struct schedule *sched, GError **error)
{
	const struct expectation *e = t->expect;

	if (!e->explored)
		return true;
	if (!check_list("parameters", sched->sets, e->sets, error))
		return false;
	if (sched->seed != e->seed)
		return fail(error, "the schedule was made with seed %" G_GUINT64_FORMAT,
			    sched->seed);
	if (e->checkers[0] &&
	    (!sched->checker || !g_strv_contains((const char *const *)e->checkers, sched->checker)))
		return fail(error, "the schedule leads to %s",
			    sched->checker ? sched->checker : "no violation");
	return true;
}

/* A schedule is for one lifecycle with certain variants; the script may have changed since. */
static bool check_header(struct following *f, const struct run_header *h, GError **error)
{
	const struct schedule *sched = f->sched;
	g_autofree char *variants = g_strjoinv(", ", (char **)sched->variants->pdata);

	if (strcmp(h->lifecycle, sched->lifecycle) == 0 && same_names(sched->variants, h->variants))
		return true;
	return fail(error, "the schedule was made for lifecycle %s with variants: %s",
		    sched->lifecycle, variants[0] ? variants : "none");
}

/* ---- following it -------------------------------------------------------- */

static bool leads_there(const struct following *f)
{
	bool violated = f->followed.end == FOLLOW_VIOLATED;

	return f->sched->checker ? violated && schedule_leads_to(f->sched, &f->followed.violation)
				 : !violated;
}

static void judge_followed(struct test *t, const struct following *f)
{
	const struct schedule *sched = f->sched;
	g_autofree char *what = f->followed.end == FOLLOW_VIOLATED
					? test_describe(&f->followed.violation)
					: g_strdup("no violation");

	test_set_detail(t, g_strdup_printf("%s after %u steps, %u preemptions", what,
					   f->followed.nr_steps, f->followed.preemptions));
	if (leads_there(f))
		test_set_result(t, TEST_PASS, NULL);
	else if (sched->checker)
		test_set_result(t, TEST_FAIL,
				g_strdup_printf("%s (expected: %s of %s)", what, sched->checker,
						sched->object));
	else
		test_set_result(t, TEST_FAIL, g_strdup_printf("%s (expected: none)", what));
}

/* The verdict is what a test is about; that the way there is another one is said. */
static void compare_trace(struct test *t, const struct following *f, bool strict)
{
	const char *trace = f->sched->trace;

	if (t->result.status != TEST_PASS || !trace || g_strcmp0(trace, f->digest) == 0)
		return;
	test_set_result(t, strict ? TEST_FAIL : TEST_PASS,
			g_strdup_printf("the trace differs from the one that %s was kept with; "
					"--bless renews it",
					t->expect->file));
}

static const struct trace_violation *violation_of(const struct trace_file *tf,
						  const struct schedule *sched)
{
	for (guint i = 0; sched->checker && i < tf->violations->len; i++) {
		const struct trace_violation *v =
			&g_array_index(tf->violations, struct trace_violation, i);

		if (strcmp(v->rule, sched->checker) == 0)
			return v;
	}
	return NULL;
}

/* The race table, and comments in @sched; the caller's. */
static char *race_table(struct schedule *sched, const struct run_options *opt, GError **error)
{
	struct trace_file *tf = annotate(sched, opt, error);
	const struct trace_violation *v;
	struct output *o;
	char *text;

	if (!tf)
		return NULL;
	o = output_memory();
	v = violation_of(tf, sched);
	if (v)
		race_table_write(tf, v, RACE_BY_AUTO, o);
	text = g_strndup(o->buf, o->len);
	output_discard(o);
	trace_file_free(tf);
	return text;
}

static void compare_race(struct test *t, struct schedule *sched, const struct run_options *opt)
{
	g_autofree char *file = test_file(t->path, t->expect->race);
	g_autoptr(GError) error = NULL;
	g_autofree char *now = race_table(sched, opt, &error);

	if (now)
		test_compare(t, "race table", file, now);
	else
		test_set_error(t, error);
}

static bool follow_kept(const struct test *t, struct following *f, GError **error)
{
	return check_kept(t, f->sched, error) && follow(f, error);
}

/* What is kept is watched by those that the entry names, whatever checkers there are by now. */
static void take_checkers(const struct test *t, struct schedule *sched)
{
	const struct expectation *e = t->expect;
	g_auto(GStrv) off = e->checkers[0] ? checks_besides(e->checkers) : NULL;

	if (e->explored)
		schedule_list_set(sched, sched->checks_off, (const char *const *)off);
}

static void judge_schedule(struct test *t, struct schedule *sched, bool strict)
{
	struct run_options opt = test_options(t, NULL);
	struct following f = {.opt = &opt, .sched = sched, .check = check_header};
	g_autoptr(GError) error = NULL;

	take_checkers(t, sched);
	take_options(&opt, sched);
	sim_assert_context(t->result.command);
	if (follow_kept(t, &f, &error)) {
		judge_followed(t, &f);
		if (t->result.status == TEST_PASS && t->expect->race)
			compare_race(t, sched, &opt);
		compare_trace(t, &f, strict);
	} else if (error->domain == SCHEDULE_ERROR) {
		test_set_result(t, TEST_FAIL, g_strdup(error->message));
	} else {
		test_set_error(t, error);
	}
	following_clear(&f);
}

/* ---- blessing ------------------------------------------------------------ */

/* What the exploration of the entry finds, made short. */
static struct schedule *find_in(struct subject *s, const struct expectation *e, GError **error)
{
	const struct minimise_options opt = {.proof_steps = PROOF_STEPS};
	struct explore_options x = e->explore;
	struct minimise_result minimised;
	struct explore_result result;
	struct schedule *sched = NULL;
	struct finding *f = NULL;

	/* What the set-up does has no schedule. */
	x.past_setup = true;
	explore(s, &x, &result);
	if (result.findings->len > 0)
		f = minimise(s, g_ptr_array_index(result.findings, 0), &opt, &minimised, error);
	else
		fail(error, "nothing was found in %" G_GUINT64_FORMAT " executions",
		     result.stats.nr_runs);
	if (f) {
		sched = schedule_of(s, f, NULL, error);
		finding_free(f);
	}
	explore_result_clear(&result);
	return sched;
}

static struct schedule *find_anew(const struct test *t, GError **error)
{
	const struct expectation *e = t->expect;
	g_auto(GStrv) off = e->checkers[0] ? checks_besides(e->checkers) : NULL;
	const struct run_options opt = test_options(t, off);
	struct schedule *sched;
	struct run *run = session_open(&opt, NULL, error);

	if (!run)
		return NULL;
	sched = find_in(session_subject(run), e, error);
	session_close(run);
	if (sched) {
		sched->seed = e->seed;
		schedule_list_set(sched, sched->sets, (const char *const *)e->sets);
	}
	return sched;
}

/* It is said where the scenario is: beside it. */
static bool set_script(struct schedule *sched, const char *path, GError **error)
{
	g_autofree char *base = g_path_get_basename(path);
	g_autofree char *digest = script_digest(path, error);

	sched->version = SLABSIM_VERSION;
	sched->script = schedule_string(sched, base);
	sched->digest = schedule_string(sched, digest);
	return digest != NULL;
}

/* The world is made: whatever the schedule was for, now it is for this one. */
static bool take_header(struct following *f, const struct run_header *h, GError **error)
{
	struct schedule *sched = f->arg;

	(void)error;
	sched->scenario = schedule_string(sched, h->scenario);
	sched->lifecycle = schedule_string(sched, h->lifecycle);
	schedule_list_set(sched, sched->variants, h->variants);
	return true;
}

/* Follow @sched, and say in it what it is for and where it led. */
static bool renew(const struct test *t, struct schedule *sched, GError **error)
{
	struct run_options opt = test_options(t, NULL);
	struct following f = {.opt = &opt, .sched = sched, .check = take_header, .arg = sched};
	bool ok;

	take_checkers(t, sched);
	take_options(&opt, sched);
	ok = follow_kept(t, &f, error);
	if (ok && !leads_there(&f))
		ok = fail(error, "it leads elsewhere");
	/* Steps that nobody takes any more would make the file one that cannot be read. */
	if (ok && f.followed.nr_steps != sched->nr_steps)
		ok = fail(error, "it gets there after %u of %u steps", f.followed.nr_steps,
			  sched->nr_steps);
	if (ok) {
		sched->trace = schedule_string(sched, f.digest);
		sched->nr_steps = f.followed.nr_steps;
		sched->preemptions = f.followed.preemptions;
		ok = set_script(sched, t->path, error);
	}
	following_clear(&f);
	return ok;
}

static bool write_text(const char *path, const char *text, GError **error)
{
	struct output *o = output_open(path, true, error);

	if (!o)
		return false;
	output_str(o, text);
	return output_close(o, error);
}

static bool write_kept(const struct test *t, struct schedule *sched, GError **error)
{
	struct run_options opt = test_options(t, NULL);
	g_autofree char *file = test_file(t->path, t->expect->file);
	g_autofree char *race = NULL, *table = NULL;
	g_autoptr(GString) text = g_string_new(NULL);

	take_options(&opt, sched);
	table = race_table(sched, &opt, error);
	if (!table)
		return false;
	schedule_write(sched, text);
	if (!write_text(file, text->str, error))
		return false;
	if (!t->expect->race)
		return true;
	race = test_file(t->path, t->expect->race);
	return write_text(race, table, error);
}

static void bless_schedule(struct test *t, struct schedule *sched)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) why = NULL;
	bool found = false;

	if (sched && !renew(t, sched, &why))
		g_clear_pointer(&sched, schedule_free);
	if (!sched && t->expect->explored) {
		found = true;
		sched = find_anew(t, &error);
		if (sched && !renew(t, sched, &error))
			g_clear_pointer(&sched, schedule_free);
	}
	if (sched && write_kept(t, sched, &error)) {
		test_set_result(t, TEST_PASS, NULL);
		test_set_detail(t,
				g_strdup_printf("wrote %s, %s: %u steps, %u preemptions",
						t->expect->file, found ? "found anew" : "renewed",
						sched->nr_steps, sched->preemptions));
	} else if (error) {
		test_set_error(t, error);
	} else {
		test_set_result(t, TEST_FAIL,
				g_strdup_printf("%s; 'slabsim explore' may find another one",
						why ? why->message : "there is no schedule"));
	}
	schedule_free(sched);
}

/* ---- the whole ----------------------------------------------------------- */

void test_judge_replay(struct test *t, const struct pool_options *opt)
{
	g_autofree char *file = test_file(t->path, t->expect->file);
	g_autoptr(GError) error = NULL;
	struct schedule *sched = schedule_read(file, &error);

	if (opt->bless) {
		bless_schedule(t, sched);
		return;
	}
	if (sched)
		judge_schedule(t, sched, opt->strict_traces);
	else
		test_set_error(t, error);
	schedule_free(sched);
}
