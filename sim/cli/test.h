/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CLI_TEST_H
#define SIM_CLI_TEST_H

/*
 * slabsim test, in parts.
 *
 * test.c takes the command line, test_find.c turns scripts into tests,
 * test_pool.c runs each in a process of its own, test_judge.c is what happens
 * in there, test_reports.c repeats what failed.
 */

#include "lua/expect.h"
#include "reports/results.h"
#include "sim/cli/cli.h"

/* One expectation of one scenario. */
struct test {
	struct test_outcome result; /* name and command are there from the beginning */
	char *path;
	const struct expectation *expect; /* NULL if the script cannot be loaded */
};

/* What was selected. */
struct tests {
	GPtrArray *all;		 /* struct test, the first member of which is its result */
	GPtrArray *scripts;	 /* their expectations: arrays of struct expectation */
	unsigned int nr_scripts; /* of which a test was selected */
};

/**
 * tests_find() - make the tests of all scripts in @paths
 * @paths: files and folders, NULL-terminated
 * @filters: parts of names or patterns, NULL-terminated or NULL for everything
 *
 * A script that cannot be loaded becomes a test that has failed.
 * Return: false with @error set if a path is not there.
 */
bool tests_find(struct tests *tests, char **paths, char **filters, GError **error);
void tests_clear(struct tests *tests);

/** test_command() - the command line that makes @runs runs of it, from @seed on */
char *test_command(const char *path, const struct expectation *e, uint64_t seed, uint64_t runs);

/** test_file() - where the schedule or golden trace of @e is */
char *test_file(const char *path, const struct expectation *e);

/**
 * test_judge() - run what the expectation asks for, and fill in the result
 * @bless: write golden traces instead of comparing with them
 */
void test_judge(struct test *t, bool bless);

struct pool_options {
	unsigned int nr_jobs;
	gint64 timeout_us; /* of one test */
	gint64 slow_us;
	bool fail_fast, bless;
	/* Called in the order of the tests, whatever order they end in. */
	void (*ended)(void *arg, const struct test_outcome *r);
	/* Called now and then while tests run; may be NULL. */
	void (*progress)(void *arg, unsigned int nr_ended);
	void *arg;
};

/** tests_run() - run all tests; those that had no turn are left as TEST_NOT_RUN */
void tests_run(struct tests *tests, const struct pool_options *opt);

/**
 * test_reports() - write the reports of the tests that failed, and say in their results where
 * @dir: gets a directory for each of them
 *
 * Return: false with @error set at the first that cannot be written.
 */
bool test_reports(const struct tests *tests, const char *dir, bool force, GError **error);

#endif /* SIM_CLI_TEST_H */
