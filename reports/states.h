/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_STATES_H
#define REPORTS_STATES_H

/*
 * What is alive, and why: caches and memcgs by their state, and the dying memcgs
 * grouped by what pins them.
 */

#include "reports/output.h"
#include "reports/trace_file.h"

/** states_write() - at the end of the run, and when most memcgs were dying */
void states_write(const struct trace_file *tf, struct output *o);

#endif /* REPORTS_STATES_H */
