/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_COMPARE_H
#define REPORTS_COMPARE_H

/*
 * One scenario in several lifecycles, side by side.
 */

#include "reports/figures.h"
#include "reports/output.h"
#include "sim/engine/trace.h"

/* What became of one run. */
struct compared {
	char *lifecycle;
	char *verdict;	  /* PASS, FAIL or INCOMPLETE */
	char *checker;	  /* of the first violation; NULL for none */
	char *violation;  /* what it said, or why the run is incomplete; NULL for nothing */
	char *found;	  /* how, if not by this run; NULL: by this run */
	char *replay;	  /* what repeats it */
	int64_t nr_dying; /* memcgs at the end */
	uint64_t end;	  /* ns; steps if untimed */
	struct figures *figures;
};

void compared_free(gpointer c);

/** compare_text() - tables for people; @all are struct compared */
void compare_text(const GPtrArray *all, bool color, bool brief, struct output *o);

/** compare_csv() - a line for each lifecycle, below a line of names */
void compare_csv(const GPtrArray *all, struct output *o);

/** compare_json() - an object on a line for each lifecycle */
void compare_json(const GPtrArray *all, struct output *o);

#endif /* REPORTS_COMPARE_H */
