// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs every suite of unit tests, or only those named on the command line.
 *
 * tests/suites.def is generated from the names of the test files: test_evq.c
 * must define suite_evq().  Adding a test file is therefore enough.
 */

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X(name) Suite *suite_##name(void);
#include "tests/suites.def"
#undef X

static const struct {
	const char *name;
	Suite *(*create)(void);
} suites[] = {
#define X(name) {#name, suite_##name},
#include "tests/suites.def"
#undef X
	{NULL, NULL},
};

static bool add_suite(SRunner *runner, const char *name)
{
	for (size_t i = 0; suites[i].name; i++) {
		if (strcmp(suites[i].name, name) == 0) {
			srunner_add_suite(runner, suites[i].create());
			return true;
		}
	}
	return false;
}

int main(int argc, char **argv)
{
	SRunner *runner = srunner_create(NULL);
	int nr_failed;

	for (int i = 1; i < argc; i++) {
		if (!add_suite(runner, argv[i])) {
			fprintf(stderr, "%s: no suite is called '%s'; there are:", argv[0],
				argv[i]);
			for (size_t j = 0; suites[j].name; j++)
				fprintf(stderr, " %s", suites[j].name);
			fputc('\n', stderr);
			srunner_free(runner);
			return 2;
		}
	}
	if (argc == 1) {
		for (size_t i = 0; suites[i].name; i++)
			srunner_add_suite(runner, suites[i].create());
	}

	srunner_run_all(runner, CK_ENV);
	nr_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return nr_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
