/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LUA_EXPECT_H
#define LUA_EXPECT_H

/*
 * What a scenario expects of its own runs: the entries of its expect table.
 */

#include "lua/scenario.h"
#include "sim/explore/explore.h"

enum claim {
	CLAIM_NEVER,	 /* no run violates */
	CLAIM_SOMETIMES, /* some do, some don't */
	CLAIM_ALWAYS,	 /* all do */
	CLAIM_FINDS,	 /* one does, and the search ends there */
	CLAIM_REPLAY,	 /* a schedule file leads to what it says */
	CLAIM_GOLDEN,	 /* the trace is that of a file, byte for byte */
	NR_CLAIMS,
};

/** claim_name() - as in the expect table */
const char *claim_name(enum claim claim);

struct expectation {
	enum claim claim;
	char *lifecycle;
	char **variants, **sets; /* as in struct run_options */
	char **checkers;	 /* whose violations count; empty: everybody's */
	char *file;		 /* replay, golden: beside the scenario */
	char *race;		 /* replay: file with the race table; NULL for none */
	char *keeps;		 /* what exploring finds is kept in files that begin so; or NULL */
	char *skip;		 /* why it is not to be run; NULL: it is */
	enum run_order order;
	uint64_t seed, runs;
	bool explored;			/* replay: as the schedule was found */
	struct explore_options explore; /* if explored */
};

/**
 * expectations_read() - load the script at @path and read its expect table
 *
 * Return: struct expectation, at least one, the caller's; NULL with @error set.
 */
GPtrArray *expectations_read(const char *path, GError **error);

#endif /* LUA_EXPECT_H */
