/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CLI_CLI_H
#define SIM_CLI_CLI_H

/*
 * What the subcommands share: exit codes, options, messages, colour.
 *
 * Reports go to standard output, everything else to standard error.
 */

#include <glib.h>
#include <signal.h>
#include <stdbool.h>

#include "reports/output.h"

/* The Makefile knows it; this is for editors and analysers. */
#ifndef SLABSIM_VERSION
#define SLABSIM_VERSION "unknown"
#endif

enum exit_code {
	EXIT_CLEAN = 0,
	EXIT_VIOLATION = 1,    /* an invariant was broken */
	EXIT_USAGE = 2,	       /* wrong option or script, unreadable or unwritable file */
	EXIT_INTERNAL = 3,     /* our own code is wrong */
	EXIT_NOTHING = 4,      /* nothing selected */
	EXIT_LIMIT = 5,	       /* a limit stopped the run before a verdict */
	EXIT_UNTESTABLE = 125, /* with --bisect: whatever is neither 0 nor 1 */
	EXIT_INTERRUPTED = 130,
	EXIT_PIPE = 128 + 13, /* nobody reads standard output any more */
};

struct command {
	const char *name;
	const char *params;	 /* as in the usage line */
	const char *summary;	 /* one line */
	const char *description; /* below the options in the command's help; may be NULL */
	int (*run)(const struct command *cmd, int argc, char **argv);
};

extern const struct command command_run;
extern const struct command command_explore;
extern const struct command command_replay;
extern const struct command command_list;
extern const struct command command_report;
extern const struct command command_diff;
extern const struct command command_compare;
extern const struct command command_explain;
extern const struct command command_test;
extern const struct command command_study;
extern const struct command command_help;

/** cli_command() - look a command up; NULL if there is none of that name */
const struct command *cli_command(const char *name);

/** cli_commands() - all of them, NULL-terminated */
const struct command *const *cli_commands(void);

enum parsed {
	PARSED,	      /* go on with what is left in argv */
	PARSED_HELP,  /* help was printed: leave with EXIT_CLEAN */
	PARSED_WRONG, /* the error was printed: leave with EXIT_USAGE */
};

/**
 * cli_parse() - take the options of @cmd out of @argv
 * @entries: ends with an entry of only NULL; --help is added
 *
 * The positional arguments stay in argv[1..argc).
 */
enum parsed cli_parse(const struct command *cmd, const GOptionEntry *entries, int *argc,
		      char ***argv);

/** cli_error() - "slabsim: MESSAGE" and a newline on standard error */
void cli_error(const char *fmt, ...) G_GNUC_PRINTF(1, 2);

/** cli_usage() - cli_error(), with the hint where help is; returns EXIT_USAGE */
int cli_usage(const struct command *cmd, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/** cli_note() - "slabsim: MESSAGE" unless -q; for progress and "wrote FILE" */
void cli_note(bool quiet, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/** cli_unknown() - say that no @what is called @name, with a suggestion out of @names */
int cli_unknown(const char *what, const char *name, const char *const *names);

/** cli_unknown_command() - the same for a command */
int cli_unknown_command(const char *name);

/** cli_close() - output_close(), with the error said; returns an exit code */
int cli_close(struct output *out);

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/** cli_color() - parse --color; NULL is auto.  False if @arg is none of the three */
bool cli_color(const char *arg, enum color *color);

/** cli_use_color() - is standard output to be coloured? */
bool cli_use_color(enum color color);

/*
 * Set by the first SIGINT or SIGTERM while cli_run_active is set: the run then
 * stops and is reported as far as it came.  The second one kills.
 */
extern volatile sig_atomic_t cli_interrupted, cli_run_active;

/* cli_asked - SIGUSR1 has come: whoever shows progress says at once how far it is */
extern volatile sig_atomic_t cli_asked;

/** cli_install_signals() - clean up and say what happened when the program is killed */
void cli_install_signals(void);

/**
 * cli_worker_signals() - in a forked worker: die of faults, so that the parent can tell, and leave
 * it to the parent when to stop
 */
void cli_worker_signals(void);

#endif /* SIM_CLI_CLI_H */
