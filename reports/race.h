/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_RACE_H
#define REPORTS_RACE_H

/*
 * The race table of a violation, as a commit message would carry it: a column for
 * each CPU, a row for each call that matters, time running down; then what the
 * letters stand for, and which ordering is missing.  docs/race-tables.md has the rules.
 *
 * ASCII, at most RACE_COLUMNS wide, and safe in a commit message: no line is "---",
 * none begins with "#" or "diff -".
 */

#include "reports/output.h"
#include "reports/trace_file.h"

#define RACE_COLUMNS 75

enum race_by {
	RACE_BY_AUTO, /* a column for each CPU unless both sides share one */
	RACE_BY_CPU,
	RACE_BY_TASK,
};

/**
 * race_table_write() - the table of @v, and the sentences below it
 * @tf: the trace that @v stands in; with accesses recorded (run_options.accesses) it says more
 *
 * Return: how many events of the trace are not shown.
 */
uint64_t race_table_write(const struct trace_file *tf, const struct trace_violation *v,
			  enum race_by by, struct output *o);

/* What a race comes down to. */
struct race_sides {
	uint64_t conflict; /* seq of the event that the violation is in conflict with; 0: none */
	bool guessed;	   /* it is not one that the checker named */
	char *order;	   /* which ordering is missing, or else what is wrong; the caller's */
};

/** race_sides() - the sentences below the table, with names for letters */
void race_sides(const struct trace_file *tf, const struct trace_violation *v,
		struct race_sides *sides);

#endif /* REPORTS_RACE_H */
