/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CLI_REPORT_EXPORTS_H
#define SIM_CLI_REPORT_EXPORTS_H

/*
 * The options of `report` that write a trace as a page, or in the format of another tool.
 */

#include "reports/trace_file.h"

enum export_id {
	EXPORT_HTML,
	EXPORT_CHROME,
	EXPORT_PERFETTO,
	EXPORT_TRACE_DAT,
	EXPORT_CTF,
	EXPORT_FTRACE,
	EXPORT_MERMAID,
	EXPORT_CSV,
	NR_EXPORTS,
};

struct export_paths {
	char *path[NR_EXPORTS]; /* NULL: not asked for; "-": standard output */
};

/** exports_count() - how many were asked for; in @to_stdout, how many for standard output */
int exports_count(const struct export_paths *paths, int *to_stdout);

/** export_write() - write one of them to @path; "-" is standard output, but not for CTF */
bool export_write(const struct trace_file *tf, enum export_id id, const char *path, bool force,
		  GError **error);

/** exports_write() - write them all, up to the first that fails; returns an exit code */
int exports_write(const struct trace_file *tf, const struct export_paths *paths, bool force,
		  bool quiet);

void exports_clear(struct export_paths *paths);

#endif /* SIM_CLI_REPORT_EXPORTS_H */
