/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_RESULTS_H
#define REPORTS_RESULTS_H

/*
 * Results of tests, and the formats that they are written in.
 *
 * Only times differ between two runs of the same tests, and all of them can be
 * left out: what remains is the same, byte for byte.
 */

#include "reports/output.h"

enum test_status {
	TEST_PASS,
	TEST_FAIL,    /* it is not as expected */
	TEST_ERROR,   /* a failure as well: the script or slabsim itself is wrong */
	TEST_SKIP,    /* the scenario says so */
	TEST_NOT_RUN, /* ended before its turn */
};

struct test_outcome {
	char *name;    /* folder/scenario:lifecycle... */
	char *command; /* what repeats it by hand; copyable */
	char *message; /* one line: why it failed, was skipped or not run, or what is to be said */
	char *detail;  /* what was covered or said, may have several lines; NULL for nothing */
	char *reports; /* directory with the reports of its run; NULL for none */
	double seconds;
	uint64_t execution; /* in which a search found what it looked for; 0: none did */
	double found_after; /* seconds */
	enum test_status status;
	bool slow; /* took longer than somebody would like to wait */
};

struct test_tally {
	unsigned int total, passed, slow, failed, skipped, not_run;
};

struct results_options {
	bool timing;
	bool verbose; /* text: what was covered */
	bool color;   /* text */
};

/** results_tally() - count an array of struct test_outcome */
struct test_tally results_tally(const GPtrArray *results);

/** results_failed() - does @r count as a failure? */
static inline bool results_failed(const struct test_outcome *r)
{
	return r->status == TEST_FAIL || r->status == TEST_ERROR;
}

/** results_suite() - folder of a test, "scenarios" if it has none; the caller's */
char *results_suite(const struct test_outcome *r);

/** results_by_suite() - arrays of @results, one for each folder, in order of appearance */
GPtrArray *results_by_suite(const GPtrArray *results);

/** results_text() - the lines of one test */
void results_text(const struct test_outcome *r, const struct results_options *opt,
		  struct output *o);

/** results_text_summary() - the tally, and the failures once more */
void results_text_summary(const GPtrArray *results, double seconds,
			  const struct results_options *opt, struct output *o);

/** results_json() - one object on a line */
void results_json(const struct test_outcome *r, const struct results_options *opt,
		  struct output *o);
void results_json_summary(const GPtrArray *results, double seconds,
			  const struct results_options *opt, struct output *o);

/** results_junit() - JUnit XML, a test suite for each folder */
void results_junit(const GPtrArray *results, const struct results_options *opt, struct output *o);

/** results_tap() - TAP version 13 */
void results_tap(const GPtrArray *results, const struct results_options *opt, struct output *o);

/** results_ktap() - KTAP version 1, a subtest for each folder */
void results_ktap(const GPtrArray *results, struct output *o);

#endif /* REPORTS_RESULTS_H */
