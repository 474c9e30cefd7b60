/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CLI_RUN_OPTIONS_H
#define SIM_CLI_RUN_OPTIONS_H

/*
 * The options of `slabsim run`, and of the commands that share them.
 */

#include "lua/ordering.h"
#include "lua/scenario.h"
#include "sim/cli/cli.h"
#include "sim/cli/outputs.h"

struct run_args {
	struct run_options run; /* borrows the strings below */
	char *name;		/* of the scenario: file name without directory and ".lua" */
	char *path;
	char *lifecycle;
	char *seed;			    /* as typed; NULL if it was not */
	char *ordering;			    /* file with a race table; NULL for none */
	const struct ordering_table *table; /* that runs follow; NULL for none */
	struct run *script;		    /* opened for the first run; NULL if it is not */
	char **variants, **sets, **skips;
	char **checks_on, **checks_off; /* the second is made out of the first if that is given */
	char **outputs;			/* -o, as typed */
	struct outputs out;		/* the same, sorted */
	uint64_t nr_runs;
	bool order_given, keep_going, force, json, quiet, verbose;
	char *max_steps, *max_time, *max_memory, *max_instructions; /* as typed */
	enum color color;
};

/* Options besides those that say what to run and where to write. */
enum args_group {
	ARGS_RUNS = 1,	 /* --order, --runs, --keep-going, --max-time */
	ARGS_LIMITS = 2, /* --max-steps, --max-memory, --max-instructions */
	ARGS_SCHED = 4,	 /* no options, but -o FILE.sched */
};

/**
 * run_args_parse() - read and check the options
 * @groups: of enum args_group
 * @more: the command's own, ends with an entry of only NULL; may be NULL
 *
 * The positional arguments stay in @argv.
 * Return: as cli_parse(); @args has to be cleared in any case.
 */
enum parsed run_args_parse(const struct command *cmd, unsigned int groups, const GOptionEntry *more,
			   int *argc, char ***argv, struct run_args *args);

/** run_args_limits() - from args->max_... to args->run; false, and said, if one is wrong */
bool run_args_limits(const struct command *cmd, struct run_args *args);

/** run_args_script() - the scenario is the file @path */
void run_args_script(struct run_args *args, const char *path);
void run_args_clear(struct run_args *args);

/**
 * run_args_replay() - the command line that repeats a run
 * @script: how to name the script
 */
char *run_args_replay(const struct run_args *args, const char *script, uint64_t seed);

/** run_args_explore() - the command line of an exploration; @more begins with a blank */
char *run_args_explore(const struct run_args *args, const char *more);

/** append_option() - append " OPTION VALUE", quoted for a shell; nothing if @value is NULL */
void append_option(GString *s, const char *option, const char *value);

/** is_one_of() - complain if @name is no @what of @names (NULL-terminated) */
bool is_one_of(const char *what, const char *name, const char *const *names);

/** check_lifecycle() - complain if there is none of that name; NULL is fine */
bool check_lifecycle(const char *name);

/** check_variants() - complain about what is no "NAME", "-NAME" or "none"; NULL is fine */
bool check_variants(char **variants);

/** checks_besides() - the checkers that are not in @checks; g_strfreev() them */
char **checks_besides(char **checks);

/** parse_u64() - decimal or 0x; false if @s is anything else */
bool parse_u64(const char *s, uint64_t *value);

/** parse_time() - "500us", "10ms", "2s", "10min"; never without a unit: seconds would be meant */
bool parse_time(const char *s, vtime_t *value);

/** parse_size() - "512M", "8G", "64K", or bytes without a unit */
bool parse_size(const char *s, size_t *value);

/** note_idle_variants() - say so if --variant was given and has changed nothing in @result */
void note_idle_variants(const struct run_args *args, const struct run_result *result);

#endif /* SIM_CLI_RUN_OPTIONS_H */
