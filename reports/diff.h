/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_DIFF_H
#define REPORTS_DIFF_H

/*
 * Two runs side by side: where they part, what came in another order, and what
 * that led to.
 *
 * Events are matched within each context, by its name and in its own order, not
 * by their numbers or times: those shift with everything that happens before.
 */

#include "reports/output.h"
#include "reports/trace_file.h"

struct diff_options {
	bool ignore_time; /* only what happened, and in which order */
	bool verbose;	  /* every event, not only those that tell the story */
};

/**
 * diff_write() - compare @a with @b
 *
 * Return: true if they are the same.
 */
bool diff_write(const struct trace_file *a, const struct trace_file *b,
		const struct diff_options *opt, struct output *o);

#endif /* REPORTS_DIFF_H */
