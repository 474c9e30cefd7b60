/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CLI_RUN_OPTIONS_H
#define SIM_CLI_RUN_OPTIONS_H

/*
 * The options of `slabsim run`.
 */

#include "lua/scenario.h"
#include "sim/cli/cli.h"

struct run_args {
	struct run_options run; /* borrows the strings below */
	char *name;		/* of the scenario: file name without directory and ".lua" */
	char *path;
	char *lifecycle;
	char **variants, **sets, **checks_off;
	char *dir; /* -o; NULL for none */
	uint64_t nr_runs;
	bool keep_going, force, json, quiet, verbose;
	char *max_steps, *max_time, *max_memory, *max_instructions; /* as typed */
	enum color color;
};

/**
 * run_args_parse() - read and check the command line
 *
 * Return: as cli_parse(); @args has to be cleared in any case.
 */
enum parsed run_args_parse(const struct command *cmd, int argc, char **argv, struct run_args *args);
void run_args_clear(struct run_args *args);

/**
 * run_args_replay() - the command line that repeats a run
 * @script: how to name the script
 */
char *run_args_replay(const struct run_args *args, const char *script, uint64_t seed);

/** parse_u64() - decimal or 0x; false if @s is anything else */
bool parse_u64(const char *s, uint64_t *value);

/** parse_time() - "10ms", "2s", "500us", or ns without a unit */
bool parse_time(const char *s, vtime_t *value);

/** parse_size() - "512M", "8G", "64K", or bytes without a unit */
bool parse_size(const char *s, size_t *value);

#endif /* SIM_CLI_RUN_OPTIONS_H */
