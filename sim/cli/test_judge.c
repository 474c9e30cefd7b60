// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is it as the scenario expects?  Runs in a process of its own.
 */

#include <glib/gstdio.h>

#include "reports/trace_writer.h"
#include "sim/base/assert.h"
#include "sim/check/checker.h"
#include "sim/cli/coverage.h"
#include "sim/cli/run_options.h"
#include "sim/cli/test.h"

/* ---- verdicts ------------------------------------------------------------ */

void test_set_result(struct test *t, enum test_status status, char *message)
{
	t->result.status = status;
	g_free(t->result.message);
	t->result.message = message;
}

void test_set_error(struct test *t, const GError *error)
{
	test_set_result(t, TEST_ERROR, g_strdup(error->message));
}

static void set_command(struct test *t, uint64_t seed)
{
	g_free(t->result.command);
	t->result.command = test_command(t->path, t->expect, seed, 1);
}

void test_set_detail(struct test *t, char *detail)
{
	g_free(t->result.detail);
	t->result.detail = detail;
}

char *test_describe(const struct violation *v)
{
	char object[32];

	if (!v->obj)
		return g_strdup_printf("%s: %s", v->ops->name, v->text);
	g_snprintf(object, sizeof(object), "%s:%u", object_kind_name(oid_kind(v->obj)),
		   (unsigned int)oid_nr(v->obj));
	if (strstr(v->text, object))
		return g_strdup_printf("%s: %s", v->ops->name, v->text);
	return g_strdup_printf("%s: %s (%s)", v->ops->name, v->text, object);
}

/* How many runs there were, and how many of them violated. */
struct tally {
	uint64_t nr_runs, nr_failing;
	char *first; /* violation */
	char *covered;
};

static void tally_clear(struct tally *tally)
{
	g_free(tally->first);
	g_free(tally->covered);
}

static bool holds(enum claim claim, const struct tally *tally)
{
	switch (claim) {
	case CLAIM_NEVER:
		return tally->nr_failing == 0;
	case CLAIM_SOMETIMES:
		return tally->nr_failing > 0 && tally->nr_failing < tally->nr_runs;
	case CLAIM_ALWAYS:
		return tally->nr_failing == tally->nr_runs;
	case CLAIM_FINDS:
	case CLAIM_REPLAY:
	case CLAIM_GOLDEN:
	case NR_CLAIMS:
		break;
	}
	return tally->nr_failing > 0;
}

static char *complaint(const struct test *t, const struct tally *tally)
{
	const struct expectation *e = t->expect;
	g_autofree char *checkers = g_strjoinv(", ", e->checkers);

	if (e->claim == CLAIM_NEVER)
		return g_strdup_printf("%s (expected: never)", tally->first);
	return g_strdup_printf("%s%sa violation in %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
			       " runs (expected: %s)",
			       checkers, checkers[0] ? ": " : "", tally->nr_failing, tally->nr_runs,
			       claim_name(e->claim));
}

static void judge_tally(struct test *t, const struct tally *tally)
{
	bool ok = holds(t->expect->claim, tally);

	test_set_result(t, ok ? TEST_PASS : TEST_FAIL, ok ? NULL : complaint(t, tally));
	if (tally->first && t->expect->claim != CLAIM_NEVER)
		test_set_detail(t, g_strdup_printf("%s\n%s", tally->first, tally->covered));
	else
		test_set_detail(t, g_strdup(tally->covered));
}

/* ---- runs with seeds ----------------------------------------------------- */

struct run_options test_options(const struct test *t, char **checks_off)
{
	const struct expectation *e = t->expect;

	return (struct run_options){
		.path = t->path,
		.lifecycle = e->lifecycle,
		.variants = (const char *const *)e->variants,
		.sets = (const char *const *)e->sets,
		.checks_off = (const char *const *)checks_off,
		.seed = e->seed,
		.order = e->explored ? ORDER_RANDOM : e->order,
	};
}

/* Nothing that is still to come can change the answer. */
static bool decided(enum claim claim, bool failed, const struct tally *tally)
{
	if (claim == CLAIM_ALWAYS)
		return !failed;
	if (claim == CLAIM_SOMETIMES)
		return tally->nr_failing > 0 && tally->nr_failing < tally->nr_runs;
	return failed;
}

static bool run_seeds(struct test *t, struct run *loaded, struct run_options opt,
		      struct tally *tally, GError **error)
{
	const struct expectation *e = t->expect;
	bool failed = false, done = false;

	while (!done && tally->nr_runs < e->runs) {
		struct run_result result;

		opt.seed = e->seed + tally->nr_runs;
		set_command(t, opt.seed);
		sim_assert_context(t->result.command);
		if (!scenario_run_again(loaded, &opt, NULL, &result, error))
			return false;
		tally->nr_runs++;
		failed = result.nr_violations > 0;
		tally->nr_failing += failed;
		if (failed && !tally->first)
			tally->first = test_describe(&result.violations[0]);
		done = decided(e->claim, failed, tally);
	}
	/* The run that shows it is worth repeating; if none does, all of them are. */
	if (!(done && (failed || e->claim == CLAIM_ALWAYS))) {
		g_free(t->result.command);
		t->result.command = test_command(t->path, e, e->seed, e->runs);
	}
	return true;
}

static void judge_seeds(struct test *t)
{
	const struct expectation *e = t->expect;
	g_auto(GStrv) off = e->checkers[0] ? checks_besides(e->checkers) : NULL;
	const struct run_options opt = test_options(t, off);
	g_autoptr(GError) error = NULL;
	struct tally tally = {0};
	struct run *loaded;

	set_command(t, e->seed);
	sim_assert_context(t->result.command);
	loaded = scenario_open(&opt, &error);
	if (!loaded || !run_seeds(t, loaded, opt, &tally, &error)) {
		test_set_error(t, error);
	} else {
		tally.covered = tally.nr_runs == 1
					? g_strdup_printf("1 run, seed %" G_GUINT64_FORMAT, e->seed)
					: g_strdup_printf("%" G_GUINT64_FORMAT
							  " runs, seeds %" G_GUINT64_FORMAT
							  " to %" G_GUINT64_FORMAT,
							  tally.nr_runs, e->seed,
							  e->seed + tally.nr_runs - 1);
		judge_tally(t, &tally);
	}
	g_clear_pointer(&loaded, session_close);
	tally_clear(&tally);
}

/* ---- exploring ----------------------------------------------------------- */

static char *describe_coverage(const struct explore_options *x, const struct explore_result *r)
{
	g_autofree char *claim = coverage_claim(x, r);
	g_autofree char *cut = coverage_cut(x, r);

	return g_strdup_printf("%s, longest %u steps%s%s", claim, r->stats.longest, cut ? "; " : "",
			       cut ? cut : "");
}

/*
 * Nothing was found: is that an answer?  It is if everything was covered, or if the scenario
 * itself said how far to go.
 */
static const char *no_answer(const struct explore_options *x, const struct explore_result *r)
{
	if (r->stats.nr_runs == 0)
		return "no run came to its end";
	switch (r->end) {
	case END_COMPLETE:
		return coverage(x, r) != COVERED_SOME ? NULL : "runs were cut";
	case END_RUNS:
	case END_TIME:
	case END_FOUND:
		return NULL;
	case END_MEMORY:
		return "the memory for states that were seen was not enough";
	case END_INTERRUPTED:
	case END_ERROR:
		break;
	}
	return "the exploration was stopped";
}

static void judge_explored(struct test *t, const struct explore_options *x,
			   const struct explore_result *r)
{
	struct tally tally = {
		.nr_runs = r->stats.nr_runs,
		.nr_failing = r->stats.nr_failing,
		.covered = describe_coverage(x, r),
	};
	const char *why = no_answer(x, r);

	if (r->error) {
		test_set_error(t, r->error);
	} else if (tally.nr_failing == 0 && why) {
		test_set_result(t, TEST_FAIL, g_strdup_printf("no verdict: %s", why));
		test_set_detail(t, g_strdup(tally.covered));
	} else {
		if (r->findings->len > 0) {
			const struct finding *f = g_ptr_array_index(r->findings, 0);
			g_autofree char *text = test_describe(&f->violation);

			tally.first = g_strdup_printf("%s, in execution %" G_GUINT64_FORMAT, text,
						      f->run);
			t->result.execution = f->run;
			t->result.found_after = f->seconds;
		}
		judge_tally(t, &tally);
	}
	tally_clear(&tally);
}

static void judge_exploring(struct test *t)
{
	const struct expectation *e = t->expect;
	g_auto(GStrv) off = e->checkers[0] ? checks_besides(e->checkers) : NULL;
	const struct run_options opt = test_options(t, off);
	struct explore_options x = e->explore;
	struct explore_result result;
	g_autoptr(GError) error = NULL;
	struct run *run;

	/* There is something to count beyond the first violation. */
	x.keep_going = e->claim == CLAIM_SOMETIMES || e->claim == CLAIM_ALWAYS;
	sim_assert_context(t->result.command);
	run = session_open(&opt, NULL, &error);
	if (!run) {
		test_set_error(t, error);
		return;
	}
	explore(session_subject(run), &x, &result);
	judge_explored(t, &x, &result);
	explore_result_clear(&result);
	session_close(run);
}

/* ---- golden traces ------------------------------------------------------- */

static bool write_trace(const struct test *t, const char *path, GError **error)
{
	g_autofree char *base = g_path_get_basename(t->path);
	g_autofree char *replay = test_command(base, t->expect, t->expect->seed, 1);
	const struct run_options opt = test_options(t, NULL);
	struct trace_writer *w = trace_writer_new(path, true, replay, error);
	struct run_sink *sinks[2] = {NULL};
	struct run_result result;

	if (!w)
		return false;
	sinks[0] = trace_writer_sink(w);
	if (!scenario_run(&opt, sinks, &result, error)) {
		trace_writer_discard(w);
		return false;
	}
	return trace_writer_end(w, &result, error);
}

/* The first line that differs, from 1 on. */
static char *difference(const char *golden, const char *now)
{
	unsigned int line = 1;
	size_t i;

	for (i = 0; golden[i] && golden[i] == now[i]; i++)
		line += golden[i] == '\n';
	while (i > 0 && golden[i - 1] != '\n')
		i--;
	return g_strdup_printf("line %u was  %.*s\nline %u is   %.*s", line,
			       (int)strcspn(golden + i, "\n"), golden + i, line,
			       (int)strcspn(now + i, "\n"), now + i);
}

void test_compare(struct test *t, const char *what, const char *file, const char *now)
{
	g_autofree char *golden = NULL;

	if (!g_file_get_contents(file, &golden, NULL, NULL)) {
		test_set_result(t, TEST_FAIL,
				g_strdup_printf("there is no golden %s '%s'; --bless writes it",
						what, file));
	} else if (strcmp(golden, now) == 0) {
		test_set_result(t, TEST_PASS, NULL);
	} else {
		test_set_result(t, TEST_FAIL,
				g_strdup_printf("the %s is not that of '%s'; --bless replaces it",
						what, file));
		test_set_detail(t, difference(golden, now));
	}
}

static void compare_golden(struct test *t, const char *file, const char *trace)
{
	g_autofree char *now = NULL;
	g_autoptr(GError) error = NULL;

	if (!g_file_get_contents(trace, &now, NULL, &error))
		test_set_error(t, error);
	else
		test_compare(t, "trace", file, now);
}

static void judge_golden(struct test *t, bool bless)
{
	g_autofree char *file = test_file(t->path, t->expect->file);
	g_autofree char *dir = NULL, *trace = NULL;
	g_autoptr(GError) error = NULL;

	if (bless) {
		if (write_trace(t, file, &error)) {
			test_set_result(t, TEST_PASS, NULL);
			test_set_detail(t, g_strdup_printf("wrote %s", file));
		} else {
			test_set_error(t, error);
		}
		return;
	}
	dir = g_dir_make_tmp("slabsim-XXXXXX", &error);
	if (!dir) {
		test_set_error(t, error);
		return;
	}
	trace = g_build_filename(dir, "trace", NULL);
	if (write_trace(t, trace, &error))
		compare_golden(t, file, trace);
	else
		test_set_error(t, error);
	g_unlink(trace);
	g_rmdir(dir);
}

/* ---- the whole ----------------------------------------------------------- */

void test_judge(struct test *t, const struct pool_options *opt)
{
	switch (t->expect->claim) {
	case CLAIM_GOLDEN:
		judge_golden(t, opt->bless);
		return;
	case CLAIM_REPLAY:
		test_judge_replay(t, opt);
		return;
	case CLAIM_NEVER:
	case CLAIM_SOMETIMES:
	case CLAIM_ALWAYS:
	case CLAIM_FINDS:
	case NR_CLAIMS:
		break;
	}
	if (t->expect->explored)
		judge_exploring(t);
	else
		judge_seeds(t);
}
