/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_TEXT_H
#define REPORTS_TEXT_H

/*
 * The text report: verdict, what went wrong, timeline, lives, references,
 * counters, and the verdict again.  ASCII, at most 100 columns.
 */

#include "reports/output.h"
#include "reports/trace_file.h"

#define TEXT_COLUMNS 100

struct text_options {
	bool verbose;	  /* every event, not only those that tell the story */
	bool no_timeline; /* the rest without the timeline */
	bool color;
	const char *replay; /* command line that repeats the run; NULL: from the trace */
};

/** text_report() - the whole report */
void text_report(const struct trace_file *tf, const struct text_options *opt, struct output *o);

/** text_verdict() - one line: what became of the run */
void text_verdict(const struct trace_file *tf, bool color, struct output *o);

/** text_variants() - the variants that were on, if any */
void text_variants(const struct trace_file *tf, struct output *o);

/** text_timeline() - the events, one a line, a column for each CPU */
void text_timeline(const struct trace_file *tf, bool verbose, struct output *o);

/** text_timeline_lines() - how many events text_timeline() would show */
size_t text_timeline_lines(const struct trace_file *tf, bool verbose);

/** text_summary() - lives, references at the end, counters, what was logged */
void text_summary(const struct trace_file *tf, struct output *o);

/** text_splat() - @v in the shape of a kernel report */
void text_splat(const struct trace_file *tf, const struct trace_violation *v, const char *replay,
		struct output *o);

#endif /* REPORTS_TEXT_H */
