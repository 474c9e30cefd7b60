/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_TRACE_WRITER_H
#define REPORTS_TRACE_WRITER_H

/*
 * Trace file: one JSON object a line, as docs/trace-format.md says.
 *
 * The file appears under its name only in trace_writer_end(): a run that failed
 * or was interrupted leaves none.
 */

#include "lua/scenario.h"

struct trace_writer;

/**
 * trace_writer_new() - start a trace
 * @path: file, or "-" for standard output
 * @force: replace an existing file
 * @replay: command line that repeats the run, for the reader; or NULL
 *
 * Return: the writer; NULL with @error set.
 */
struct trace_writer *trace_writer_new(const char *path, bool force, const char *replay,
				      GError **error);

/** trace_writer_sink() - what to hand to scenario_run(); lives as long as @w */
struct run_sink *trace_writer_sink(struct trace_writer *w);

/** trace_writer_found() - say which violation was looked for, where it is not the first */
void trace_writer_found(struct trace_writer *w, uint64_t seq);

/** trace_writer_end() - write the last line and name the file; frees @w */
bool trace_writer_end(struct trace_writer *w, const struct run_result *result, GError **error);

/** trace_writer_discard() - forget the trace; frees @w, NULL is fine */
void trace_writer_discard(struct trace_writer *w);

/** verdict_name() - "pass", "fail" or "incomplete" */
const char *verdict_name(enum verdict verdict);

#endif /* REPORTS_TRACE_WRITER_H */
