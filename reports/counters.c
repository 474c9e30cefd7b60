// SPDX-License-Identifier: GPL-2.0-only
#include "reports/counters.h"

#include "reports/export.h"
#include "reports/phrase.h"

#define COLUMNS 48
#define NAME_WIDTH 30

/* The column in which @t lies, of COLUMNS that end at @end. */
static unsigned int column_of(uint64_t t, uint64_t end)
{
	/* In floating point: t * COLUMNS may be too large for an integer. */
	double part = end > 0 ? (double)t / (double)end : 0;

	return MIN((unsigned int)(part * COLUMNS), COLUMNS - 1);
}

/* Each column's largest value: a short peak must not vanish. */
static void fill(const struct series *s, uint64_t end, int64_t largest[COLUMNS])
{
	unsigned int filled = 0; /* columns that are final, but for a later value in the last */
	int64_t now = 0;

	for (guint i = 0; i < s->points->len; i++) {
		const struct series_point *p = &g_array_index(s->points, struct series_point, i);
		unsigned int column = column_of(p->t, end);

		while (filled <= column)
			largest[filled++] = now;
		largest[column] = MAX(largest[column], p->v);
		now = p->v;
	}
	while (filled < COLUMNS)
		largest[filled++] = now;
}

static char level(int64_t v, int64_t peak)
{
	int quarter;

	if (v <= 0)
		return '_';
	quarter = (int)((double)v * 4 / (double)peak);
	if ((double)quarter == (double)v * 4 / (double)peak)
		quarter--; /* a quarter's upper end belongs to it */
	return ".:=#"[CLAMP(quarter, 0, 3)];
}

static void put_name(const struct trace_file *tf, const struct counter_track *c, struct output *o)
{
	struct output *name = output_memory();

	clean_text(name, c->name, NAME_WIDTH);
	if (c->of != 0) {
		output_char(name, ' ');
		names_put(tf->names, name, c->of);
	}
	name->len = MIN(name->len, NAME_WIDTH);
	output_bytes(o, name->buf, name->len);
	output_pad(o, ' ', NAME_WIDTH + 1 - (int)name->len);
	output_discard(name);
}

static void put_row(const struct trace_file *tf, const struct counter_track *c, uint64_t end,
		    struct output *o)
{
	const GArray *points = c->series->points;
	int64_t largest[COLUMNS], last = 0;

	fill(c->series, end, largest);
	if (points->len > 0)
		last = g_array_index(points, struct series_point, points->len - 1).v;
	put_name(tf, c, o);
	for (int i = 0; i < COLUMNS; i++)
		output_char(o, level(largest[i], c->series->peak));
	output_printf(o, "%9" G_GINT64_FORMAT " %8" G_GINT64_FORMAT "\n", c->series->peak, last);
}

/* "48.5 us" or "12 steps": what a column stands for, and where the curves end. */
static void put_time(struct output *o, uint64_t t, bool untimed)
{
	phrase_time(o, t, untimed);
	output_str(o, untimed ? " steps" : " us");
}

void counters_write(const struct trace_file *tf, struct output *o)
{
	struct summary *summary = export_summary(tf);
	g_autoptr(GArray) counters = export_counters(summary);
	uint64_t end = export_end(tf);
	struct output *right = output_memory();

	output_str(o, "COUNTERS over virtual time, one column = ");
	put_time(o, end / COLUMNS, tf->untimed);
	output_str(o, "; _ 0, .:=# quarters of the maximum\n");
	put_time(right, end, tf->untimed);
	output_pad(o, ' ', NAME_WIDTH + 1);
	output_char(o, '0');
	output_pad(o, ' ', COLUMNS - 1 - (int)right->len);
	output_bytes(o, right->buf, right->len);
	output_printf(o, "%9s %8s\n", "max", "last");
	for (guint i = 0; i < counters->len; i++)
		put_row(tf, &g_array_index(counters, struct counter_track, i), end, o);
	output_discard(right);
	summary_free(summary);
}
