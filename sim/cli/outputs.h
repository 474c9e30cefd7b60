/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CLI_OUTPUTS_H
#define SIM_CLI_OUTPUTS_H

/*
 * What -o asks for: a directory with the usual files, or files whose names say
 * what belongs in them.
 */

#include "sim/cli/report_exports.h"

/* In the order in which they are written. */
enum output_kind {
	OUTPUT_TRACE,
	OUTPUT_TEXT,
	OUTPUT_RACE, /* these three only of a run that violates */
	OUTPUT_SPLAT,
	OUTPUT_LEDGER,
	OUTPUT_EXPORTS,
	OUTPUT_HTML = OUTPUT_EXPORTS + EXPORT_HTML, /* the other exports follow */
	OUTPUT_SCHED = OUTPUT_EXPORTS + NR_EXPORTS, /* of what explore found */
	NR_OUTPUT_KINDS,
};

struct outputs {
	char *dir; /* NULL for none */
	char *file[NR_OUTPUT_KINDS];
};

/** outputs_parse() - sort what was typed; NULL is nothing.  False with @error set */
bool outputs_parse(struct outputs *outputs, char **typed, GError **error);
void outputs_clear(struct outputs *outputs);

/** outputs_any() - is anything to be written? */
bool outputs_any(const struct outputs *outputs);

/**
 * outputs_path() - where a file of this kind belongs
 * @in_dir: in the directory; else under the name that was given
 * @name: of the scenario
 * @tag: tells the runs of one command apart, "" if there is only one
 *
 * Return: the caller's; NULL if it is not asked for.
 */
char *outputs_path(const struct outputs *outputs, enum output_kind kind, bool in_dir,
		   const char *name, const char *tag);

/**
 * outputs_try() - can all files be written?
 * @schedules: those of OUTPUT_SCHED as well
 *
 * Makes the directory if there is none.
 */
bool outputs_try(const struct outputs *outputs, const char *name, const char *tag, bool schedules,
		 bool force, GError **error);

#endif /* SIM_CLI_OUTPUTS_H */
