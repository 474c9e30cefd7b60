/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_TRACE_READER_H
#define REPORTS_TRACE_READER_H

/*
 * Reads a trace file back.  A trace that was cut short is read up to the cut;
 * lines and fields of an unknown kind are skipped, so that newer traces of the
 * same version stay readable.
 */

#include "reports/trace_file.h"

/**
 * trace_read() - read a whole trace
 * @path: file; "-" is standard input
 *
 * Return: the trace; NULL with @error set, which names file and line.
 */
struct trace_file *trace_read(const char *path, GError **error);

#endif /* REPORTS_TRACE_READER_H */
