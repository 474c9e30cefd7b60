/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_STUDY_H
#define REPORTS_STUDY_H

/*
 * What a study measured, as a table: a row for each point of each series, with the
 * interval that its mean lies in.  docs/reports.md has the columns.
 */

#include "reports/output.h"

struct study_row {
	const char *study, *series;
	const char *x, *x_unit; /* x is a number or a name */
	const char *metric, *unit;
	uint64_t replications;
	double mean, low, high;
	bool has_interval; /* else low and high are the mean */
};

struct study {
	GArray *rows; /* struct study_row, in the order of the file */
	GStringChunk *strings;
};

/**
 * study_read() - read a CSV file
 *
 * Return: NULL with @error set, which names line and column, if it is not as described.
 */
struct study *study_read(const char *path, GError **error);
void study_free(struct study *s);

/** study_text() - the rows as aligned columns, a block for each metric */
void study_text(const struct study *s, struct output *o);

/** study_html() - a page with a plot for each metric: UTF-8, the same bytes for the same file */
void study_html(const struct study *s, struct output *o);

#endif /* REPORTS_STUDY_H */
