// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counters as comma-separated values (RFC 4180, with plain newlines), one row
 * for each change: a value holds until the next row of the same counter.
 */
#include "reports/export.h"

#define TEXT_MAX 200

/*
 * A spreadsheet takes a cell that begins with one of these for a formula.  An
 * apostrophe in front makes it text.
 */
static bool is_formula(const char *s)
{
	return s[0] != 0 && strchr("=+-@", s[0]);
}

static void put_text(struct output *o, const char *s)
{
	output_char(o, '"');
	if (is_formula(s))
		output_char(o, '\'');
	for (size_t i = 0; i < TEXT_MAX && s[i]; i++) {
		if (s[i] == '"')
			output_char(o, '"');
		output_char(o, s[i] >= ' ' && s[i] < 127 ? s[i] : '?');
	}
	output_char(o, '"');
}

static void put_counter(const struct trace_file *tf, const struct counter_track *c,
			struct output *o)
{
	struct output *of = output_memory();

	if (c->of != 0)
		names_put(tf->names, of, c->of);
	output_char(of, 0);
	for (guint i = 0; i < c->series->points->len; i++) {
		const struct series_point *p =
			&g_array_index(c->series->points, struct series_point, i);

		output_u64(o, p->t);
		output_char(o, ',');
		put_text(o, c->name);
		output_char(o, ',');
		put_text(o, of->buf);
		output_char(o, ',');
		output_i64(o, p->v);
		output_char(o, '\n');
	}
	output_discard(of);
}

void export_csv(const struct trace_file *tf, struct output *o)
{
	struct summary *summary = export_summary(tf);
	g_autoptr(GArray) counters = export_counters(summary);

	output_printf(o, "%s,counter,of,value\n", tf->untimed ? "step" : "t_ns");
	for (guint i = 0; i < counters->len; i++)
		put_counter(tf, &g_array_index(counters, struct counter_track, i), o);
	summary_free(summary);
}
