/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_STUDY_RESULTS_H
#define REPORTS_STUDY_RESULTS_H

/*
 * The results of a study: as tables for a terminal, and as CSV in long format.
 */

#include "lua/study_plan.h"
#include "reports/output.h"

struct study_results {
	const struct study_plan *study;
	char *name; /* of the scenario */
	uint64_t seed;
	unsigned int replications;
	double *values; /* [(((metric * series) + series) * x + x) * replications + run] */
	struct study_cell *cells;	/* the same without the last index */
	double t;			/* quantile of Student's t for all replications */
	struct study_verdict *verdicts; /* one for each claim of the study */
};

/** study_results_new() - no run has a value yet */
struct study_results *study_results_new(const struct study_plan *s, const char *name, uint64_t seed,
					unsigned int replications);
void study_results_free(struct study_results *r);

/** study_results_set() - what replication @run measured */
void study_results_set(struct study_results *r, guint metric, guint series, guint x,
		       unsigned int run, double value);

/** study_results_finish() - all values are set: make the intervals */
void study_results_finish(struct study_results *r);

static inline const struct study_cell *study_cell(const struct study_results *r, guint metric,
						  guint series, guint x)
{
	const struct study_plan *s = r->study;

	return &r->cells[(metric * s->series->len + series) * s->x->len + x];
}

/** study_supported() - how many claims the figures support */
guint study_supported(const struct study_results *r);

/** study_text_tables() - a table for each metric */
void study_text_tables(const struct study_results *r, struct output *o);

/** study_text_claims() - the claims, with what they were held against */
void study_text_claims(const struct study_results *r, struct output *o);

/** study_csv() - a line for each metric, series and x */
void study_csv(const struct study_results *r, struct output *o);

#endif /* REPORTS_STUDY_RESULTS_H */
