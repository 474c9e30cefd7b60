/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_METRICS_H
#define REPORTS_METRICS_H

/*
 * The metrics of a study in one run, folded record by record.  What it keeps
 * grows with the number of objects, not with the trace.
 */

#include "lua/study_plan.h"

struct metrics;

struct metrics *metrics_new(const struct study_plan *s);
void metrics_free(struct metrics *m);

/** metrics_sink() - what the run's records go to, from its set-up on */
struct run_sink *metrics_sink(struct metrics *m);

/** metrics_start() - set-up is over, the tasks begin at @t: from here on it counts */
void metrics_start(struct metrics *m, vtime_t t);

/** metrics_end() - the run is over: fill in the values that are not there yet */
void metrics_end(struct metrics *m, vtime_t t);

/** metrics_points() - 1, or with an axis of time how many samples there are */
guint metrics_points(const struct study_plan *s);

/** metrics_value() - in the unit of the metric; NAN if there was nothing to measure */
double metrics_value(const struct metrics *m, guint metric, guint point);

/**
 * metrics_known() - did the run have what the metric asks for?
 *
 * False if no lock of that name exists, or nothing of that name was measured.
 */
bool metrics_known(const struct metrics *m, guint metric);

#endif /* REPORTS_METRICS_H */
