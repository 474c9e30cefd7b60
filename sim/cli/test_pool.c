// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests in a pool of workers: what goes over from the worker, and what becomes
 * of tests that had none, or no turn.
 */

#include "sim/cli/test.h"
#include "sim/cli/workers.h"

/* What a worker sends before it exits: status, message, detail, command, and what was found. */
#define ANSWER "(umsmsstd)"

struct testing {
	struct tests *tests;
	const struct pool_options *opt;
};

static struct test *test_at(const struct testing *testing, guint i)
{
	return g_ptr_array_index(testing->tests->all, i);
}

/* In the worker. */
static GVariant *work(void *arg, guint item)
{
	const struct testing *testing = arg;
	struct test *t = test_at(testing, item);
	const struct test_outcome *r = &t->result;

	test_judge(t, testing->opt);
	return g_variant_new(ANSWER, (guint32)r->status, r->message, r->detail, r->command,
			     (guint64)r->execution, r->found_after);
}

/* One that could not even be loaded has its result. */
static bool skip(void *arg, guint item)
{
	struct test *t = test_at(arg, item);

	if (t->expect && t->expect->skip) {
		t->result.status = TEST_SKIP;
		t->result.message = g_strdup(t->expect->skip);
	}
	return !t->expect || t->expect->skip;
}

static void take_answer(GVariant *answer, struct test_outcome *r)
{
	guint64 execution;
	guint32 status;

	g_clear_pointer(&r->command, g_free);
	g_variant_get(answer, ANSWER, &status, &r->message, &r->detail, &r->command, &execution,
		      &r->found_after);
	r->execution = execution;
	r->status = (enum test_status)status;
}

static void take_death(const struct worker_result *result, struct test_outcome *r)
{
	r->status = TEST_ERROR;
	g_free(r->message);
	r->message = g_strdup(result->death);
	if (result->log) {
		g_free(r->detail);
		r->detail = g_strdup(result->log);
	}
}

static void take_result(void *arg, guint item, const struct worker_result *result)
{
	const struct testing *testing = arg;
	struct test_outcome *r = &test_at(testing, item)->result;

	r->seconds = result->seconds;
	r->slow = result->seconds * 1e6 > (double)testing->opt->slow_us;
	if (result->answer)
		take_answer(result->answer, r);
	if (result->death)
		take_death(result, r);
}

static bool ended(void *arg, guint item)
{
	const struct testing *testing = arg;
	const struct test_outcome *r = &test_at(testing, item)->result;

	testing->opt->ended(testing->opt->arg, r);
	return !testing->opt->fail_fast || !results_failed(r);
}

static void progress(void *arg, guint nr_ended)
{
	const struct testing *testing = arg;

	if (testing->opt->progress)
		testing->opt->progress(testing->opt->arg, nr_ended);
}

/* What is left has no result; what came out of order and was not told has none either. */
static void forget_rest(struct tests *tests, guint from)
{
	for (guint i = from; i < tests->all->len; i++) {
		struct test *t = g_ptr_array_index(tests->all, i);
		struct test_outcome *r = &t->result;

		r->status = TEST_NOT_RUN;
		g_free(r->message);
		r->message = g_strdup(cli_interrupted ? "interrupted" : "an earlier test failed");
		g_clear_pointer(&r->detail, g_free);
		r->seconds = 0;
		r->slow = false;
	}
}

void tests_run(struct tests *tests, const struct pool_options *opt)
{
	struct testing testing = {.tests = tests, .opt = opt};
	const struct workers_options pool = {
		.nr_items = tests->all->len,
		.nr_jobs = opt->nr_jobs,
		.timeout_us = opt->timeout_us,
		.answer = ANSWER,
		.work = work,
		.skip = skip,
		.result = take_result,
		.ended = ended,
		.progress = progress,
		.arg = &testing,
	};

	forget_rest(tests, workers_run(&pool));
}
