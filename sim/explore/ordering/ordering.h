/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_ORDERING_ORDERING_H
#define SIM_EXPLORE_ORDERING_ORDERING_H

/*
 * Orderings: a race table, as commit messages carry it, that says in which order
 * things are to happen.
 *
 * A row is a function, a call such as call_rcu(C), or the site of an access.  An
 * untimed run is driven so that the rows come one after the other: whoever would
 * do what stands in a later row of another column is held back.  What the table
 * does not mention may happen at any time.  docs/race-tables.md has the rules.
 */

#include <signal.h>

#include "sim/explore/exec.h"

#define ORDERING_ERROR (ordering_error_quark())
GQuark ordering_error_quark(void);

enum ordering_error {
	ORDERING_ERROR_TABLE,	   /* it cannot be read: the message names the line */
	ORDERING_ERROR_IMPOSSIBLE, /* a row can't happen: the message names it, and why */
	ORDERING_ERROR_STOPPED,	   /* the run was stopped: the script failed, or a limit was hit */
};

#define ORDERING_BYTES_MAX 65536
#define ORDERING_ROWS_MAX 256
#define ORDERING_COLUMNS_MAX 8

struct ordering;

/**
 * ordering_parse() - read a table
 * @text: the table; tabs stand at every eighth column
 * @where: what to call it in messages
 *
 * Return: the ordering; NULL with @error set.
 */
struct ordering *ordering_parse(const char *text, const char *where, GError **error);
void ordering_free(struct ordering *o);

uint32_t ordering_nr_rows(const struct ordering *o);
uint32_t ordering_nr_columns(const struct ordering *o);

/** ordering_record() - tell of a record; all of a session's, accesses included, from its start */
void ordering_record(struct ordering *o, const struct trace_record *r);

/* The name that somebody who wrote @typed meant, out of @names; NULL if none is near. */
typedef const char *(*ordering_suggest)(const char *typed, const char *const *names);

struct ordering_options {
	uint64_t seed;
	uint32_t max_tries; /* 0: default */
	ordering_suggest suggest;
	const volatile sig_atomic_t *interrupted; /* may be NULL */
};

/**
 * ordering_drive() - find a run of @s that follows the table
 *
 * After the last row the run goes on without preemption to its end.
 * Return: its choices, struct choice, the caller's; NULL with @error set.
 */
GArray *ordering_drive(struct ordering *o, struct subject *s, const struct ordering_options *opt,
		       GError **error);

/** ordering_remark() - what of the table was not taken at its word, and why; NULL if all was */
const char *ordering_remark(const struct ordering *o);

/**
 * ordering_repeat() - run @s with the @choices that ordering_drive() returned
 *
 * Return: false with @error set when it stopped before its end.
 */
bool ordering_repeat(struct subject *s, const GArray *choices, GError **error);

#endif /* SIM_EXPLORE_ORDERING_ORDERING_H */
