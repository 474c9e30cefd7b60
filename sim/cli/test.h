/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CLI_TEST_H
#define SIM_CLI_TEST_H

/*
 * slabsim test, in parts.
 *
 * test.c takes the command line, test_find.c turns scripts into tests,
 * test_pool.c runs each in a process of its own, test_judge.c and, for
 * schedules, test_replay.c are what happens in there; test_gallery.c makes a page
 * of it, test_reports.c repeats what failed.
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

/** test_file() - where @file is, which the scenario at @path names */
char *test_file(const char *path, const char *file);

struct pool_options {
	unsigned int nr_jobs;
	gint64 timeout_us; /* of one test */
	gint64 slow_us;
	bool fail_fast;
	bool bless;	    /* write golden files and schedules instead of comparing with them */
	bool strict_traces; /* a schedule whose trace is another one fails */
	/* Called in the order of the tests, whatever order they end in. */
	void (*ended)(void *arg, const struct test_outcome *r);
	/* Called now and then while tests run; may be NULL. */
	void (*progress)(void *arg, unsigned int nr_ended);
	void *arg;
};

/** test_judge() - run what the expectation asks for, and fill in the result */
void test_judge(struct test *t, const struct pool_options *opt);

/** test_judge_replay() - the same where the claim is a replay */
void test_judge_replay(struct test *t, const struct pool_options *opt);

/* What both of them need.  Strings that are handed over become the test's. */
void test_set_result(struct test *t, enum test_status status, char *message);
void test_set_error(struct test *t, const GError *error);
void test_set_detail(struct test *t, char *detail);

/** test_compare() - is @now the text of the golden @file, which is a @what? */
void test_compare(struct test *t, const char *what, const char *file, const char *now);

/** test_describe() - @v in one line; the caller's */
char *test_describe(const struct violation *v);

/** test_options() - how to run it without the checkers @checks_off, which may be NULL */
struct run_options test_options(const struct test *t, char **checks_off);

/** tests_run() - run all tests; those that had no turn are left as TEST_NOT_RUN */
void tests_run(struct tests *tests, const struct pool_options *opt);

/**
 * tests_gallery() - the page about all searches the finding of which is kept
 * @page: file with it, which is compared with, or, to @bless, written
 *
 * Return: an exit code.
 */
int tests_gallery(const struct tests *tests, const char *page, bool bless, bool quiet);

/**
 * test_reports() - write the reports of the tests that failed, and say in their results where
 * @dir: gets a directory for each of them
 *
 * Return: false with @error set at the first that cannot be written.
 */
bool test_reports(const struct tests *tests, const char *dir, bool force, GError **error);

#endif /* SIM_CLI_TEST_H */
