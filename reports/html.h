/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_HTML_H
#define REPORTS_HTML_H

/*
 * The interactive timeline: one HTML file with everything in it.
 *
 * The page is the template in reports/html/, embedded in the program, and the
 * trace in a JSON island, in as many elements as it is long.  docs/timeline.md
 * says what a reader can do with it.
 */

#include "reports/diff.h"
#include "reports/output.h"
#include "reports/trace_file.h"

#define HTML_FILES_MAX 8

/* What a page is made of: files in reports/html/, as they follow each other. */
struct html_parts {
	const char *page;
	const char *styles[HTML_FILES_MAX], *scripts[HTML_FILES_MAX];
};

/** html_put_page() - one file with everything in it; @json is the island */
void html_put_page(const struct html_parts *parts, const struct output *json, struct output *o);

/** html_write() - the page for @tf: UTF-8, the same bytes for the same trace */
void html_write(const struct trace_file *tf, struct output *o);

/** html_write_diff() - a page with both runs on one axis */
void html_write_diff(const struct trace_file *a, const struct trace_file *b,
		     const struct diff_options *opt, struct output *o);

/** html_pack() - the island alone: the trace as the page's script reads it */
void html_pack(const struct trace_file *tf, struct output *o);
void html_pack_diff(const struct trace_file *a, const struct trace_file *b,
		    const struct diff_options *opt, struct output *o);

#endif /* REPORTS_HTML_H */
