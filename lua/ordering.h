/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LUA_ORDERING_H
#define LUA_ORDERING_H

/*
 * Runs that follow a race table: the scenario's own, or one from a file.
 */

#include "lua/scenario.h"

struct ordering_table {
	const char *text;
	const char *where; /* what messages call it */
	/* The name that somebody who wrote @typed meant, out of @names; NULL if none is near. */
	const char *(*suggest)(const char *typed, const char *const *names);
	/* Told what was not taken at its word; may be NULL. */
	void (*remark)(const char *text);
};

/**
 * script_ordering() - the ordering that the scenario of script_open() asks for
 *
 * Return: its text, the caller's; NULL if there is none, or with @error set.
 */
char *script_ordering(struct run *script, GError **error);

/**
 * ordering_run() - scenario_run(), untimed, in the order of @table
 *
 * A table that cannot be read or followed is SLABSIM_ERROR_USAGE.
 */
bool ordering_run(const struct run_options *opt, const struct ordering_table *table,
		  struct run_sink *const *sinks, struct run_result *result, GError **error);

#endif /* LUA_ORDERING_H */
