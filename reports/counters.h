/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_COUNTERS_H
#define REPORTS_COUNTERS_H

/*
 * The counters over virtual time as curves of characters.
 */

#include "reports/output.h"
#include "reports/trace_file.h"

/** counters_write() - a row for each counter; a column shows the largest value in it */
void counters_write(const struct trace_file *tf, struct output *o);

#endif /* REPORTS_COUNTERS_H */
