// SPDX-License-Identifier: GPL-2.0-only
#include "reports/study_results.h"

#include <math.h>
#include <string.h>

#include "reports/student.h"
#include "reports/text.h"

#define COLUMNS_MAX 8  /* of a table: more points are thinned out */
#define CURVE_MIN 5    /* points: fewer are no curve */
#define CURVE_MAX 24   /* characters of a curve; more points share one */
#define BAR_MAX 40     /* characters */
#define NUMBER_SIZE 32 /* bytes of a number in text */

struct study_results *study_results_new(const struct study_plan *s, const char *name, uint64_t seed,
					unsigned int replications)
{
	struct study_results *r = g_new0(struct study_results, 1);
	size_t nr_cells = (size_t)s->metrics->len * s->series->len * s->x->len;

	r->study = s;
	r->name = g_strdup(name);
	r->seed = seed;
	r->replications = replications;
	r->values = g_new(double, nr_cells *replications);
	for (size_t i = 0; i < nr_cells * replications; i++)
		r->values[i] = NAN;
	r->cells = g_new0(struct study_cell, nr_cells);
	r->verdicts = g_new0(struct study_verdict, g_strv_length(s->claims));
	return r;
}

void study_results_free(struct study_results *r)
{
	if (!r)
		return;
	for (guint i = 0; r->study->claims[i]; i++)
		g_free(r->verdicts[i].figures);
	g_free(r->verdicts);
	g_free(r->values);
	g_free(r->cells);
	g_free(r->name);
	g_free(r);
}

void study_results_set(struct study_results *r, guint metric, guint series, guint x,
		       unsigned int run, double value)
{
	size_t cell = (size_t)(study_cell(r, metric, series, x) - r->cells);

	r->values[cell * r->replications + run] = value;
}

static void finish_cell(struct study_results *r, size_t i, double *numbers)
{
	const double *values = r->values + i * r->replications;
	struct interval in;
	size_t n = 0;

	for (unsigned int k = 0; k < r->replications; k++) {
		if (!isnan(values[k]))
			numbers[n++] = values[k];
	}
	in = mean_interval(numbers, n);
	r->cells[i] = (struct study_cell){in.mean, in.low, in.high, values, r->replications};
}

void study_results_finish(struct study_results *r)
{
	const struct study_plan *s = r->study;
	g_autofree double *numbers = g_new(double, r->replications);

	for (size_t i = 0; i < (size_t)s->metrics->len * s->series->len * s->x->len; i++)
		finish_cell(r, i, numbers);
	r->t = r->replications > 1 ? student_quantile(0.975, r->replications - 1) : 0;
}

guint study_supported(const struct study_results *r)
{
	guint n = 0;

	for (guint i = 0; r->study->claims[i]; i++)
		n += r->verdicts[i].holds;
	return n;
}

/* ---- numbers ---------------------------------------------------------------- */

static int magnitude(double v)
{
	return v == 0 ? 0 : (int)floor(log10(fabs(v)));
}

static void put_decimals(char *buf, double v, int decimals)
{
	char format[8];

	g_snprintf(format, sizeof(format), "%%.%df", CLAMP(decimals, 0, 6));
	g_ascii_formatd(buf, NUMBER_SIZE, format, v);
}

/* Four digits that mean something; all of a whole number. */
static void plain_number(char *buf, double v)
{
	if (isnan(v))
		g_strlcpy(buf, "-", NUMBER_SIZE);
	else
		put_decimals(buf, v, v == floor(v) ? 0 : 3 - magnitude(v));
}

/* As many digits as the interval is sure of, and one more. */
static void cell_numbers(const struct study_cell *cell, char *mean, char *half)
{
	double width = (cell->high - cell->low) / 2;

	half[0] = 0;
	if (isnan(width) || width <= 0) {
		plain_number(mean, cell->mean);
		return;
	}
	put_decimals(mean, cell->mean, 1 - magnitude(width));
	put_decimals(half, width, 1 - magnitude(width));
}

/* ---- tables ----------------------------------------------------------------- */

/* One metric, laid out. */
struct layout {
	const struct study_results *r;
	guint metric;
	guint points[COLUMNS_MAX]; /* the values of x that are shown */
	guint nr_columns;
	int name_width, curve_width;
	int mean_width[COLUMNS_MAX], half_width[COLUMNS_MAX];
	double largest; /* mean of all */
};

static double largest_mean(const struct study_results *r, guint metric)
{
	double largest = 0;

	for (guint i = 0; i < r->study->series->len; i++) {
		for (guint x = 0; x < r->study->x->len; x++) {
			double v = study_cell(r, metric, i, x)->mean;

			if (!isnan(v))
				largest = MAX(largest, v);
		}
	}
	return largest;
}

/* How wide the @k-th column has to be. */
static void measure_column(struct layout *t, guint k)
{
	const struct study_plan *s = t->r->study;
	char mean[NUMBER_SIZE], half[NUMBER_SIZE];
	int widest = 0;

	plain_number(mean, g_array_index(s->x, double, t->points[k]));
	t->mean_width[k] = s->axis == AXIS_NONE ? 0 : (int)strlen(mean);
	t->half_width[k] = 0;
	for (guint i = 0; i < s->series->len; i++) {
		cell_numbers(study_cell(t->r, t->metric, i, t->points[k]), mean, half);
		widest = MAX(widest, (int)strlen(mean));
		if (half[0])
			t->half_width[k] = MAX(t->half_width[k], (int)strlen(half) + 3);
	}
	t->mean_width[k] = MAX(t->mean_width[k] - t->half_width[k], widest);
}

static int table_width(const struct layout *t)
{
	int width = 2 + t->name_width + (t->curve_width ? t->curve_width + 2 : 0);

	for (guint k = 0; k < t->nr_columns; k++)
		width += 2 + t->mean_width[k] + t->half_width[k];
	return width;
}

/* @n columns, the first and the last point among them. */
static void choose_points(struct layout *t, guint n)
{
	guint nr = t->r->study->x->len;

	t->nr_columns = n;
	for (guint k = 0; k < n; k++) {
		t->points[k] = n > 1 ? k * (nr - 1) / (n - 1) : nr - 1;
		measure_column(t, k);
	}
}

static void lay_out(struct layout *t)
{
	const struct study_plan *s = t->r->study;
	guint n = MIN(s->x->len, COLUMNS_MAX);

	t->name_width = (int)strlen(s->x_unit);
	for (guint i = 0; i < s->series->len; i++)
		t->name_width = MAX(t->name_width, (int)strlen(study_series(s, i)->name));
	t->curve_width = s->x->len >= CURVE_MIN ? (int)MIN(s->x->len, CURVE_MAX) : 0;
	t->largest = largest_mean(t->r, t->metric);
	choose_points(t, n);
	while (n > 2 && table_width(t) > TEXT_COLUMNS)
		choose_points(t, --n);
}

static char level(double v, double largest)
{
	if (isnan(v))
		return ' ';
	if (v <= 0 || largest <= 0)
		return '_';
	return ".:=#"[CLAMP((int)ceil(v * 4 / largest) - 1, 0, 3)];
}

static void put_curve(const struct layout *t, guint series, struct output *o)
{
	guint nr = t->r->study->x->len, width = (guint)t->curve_width;

	output_pad(o, ' ', 2);
	for (guint k = 0; k < width; k++) {
		guint x = width > 1 ? k * (nr - 1) / (width - 1) : 0;

		output_char(o, level(study_cell(t->r, t->metric, series, x)->mean, t->largest));
	}
}

static void put_bar(const struct layout *t, guint series, struct output *o)
{
	double v = study_cell(t->r, t->metric, series, 0)->mean;

	if (isnan(v) || v <= 0 || t->largest <= 0)
		return;
	output_pad(o, ' ', 2);
	output_pad(o, '#', MAX((int)(v * BAR_MAX / t->largest + 0.5), 1));
}

static void put_cell(const struct layout *t, guint series, guint k, struct output *o)
{
	const struct study_cell *cell = study_cell(t->r, t->metric, series, t->points[k]);
	char mean[NUMBER_SIZE], half[NUMBER_SIZE];
	int width = t->half_width[k];

	cell_numbers(cell, mean, half);
	output_pad(o, ' ', 2 + t->mean_width[k] - (int)strlen(mean));
	output_str(o, mean);
	if (half[0]) {
		output_str(o, " +-");
		output_str(o, half);
		width -= 3 + (int)strlen(half);
	}
	output_pad(o, ' ', width);
}

static void put_row(const struct layout *t, guint series, struct output *o)
{
	const char *name = study_series(t->r->study, series)->name;

	output_str(o, "  ");
	output_str(o, name);
	output_pad(o, ' ', t->name_width - (int)strlen(name));
	if (t->curve_width)
		put_curve(t, series, o);
	for (guint k = 0; k < t->nr_columns; k++)
		put_cell(t, series, k, o);
	if (t->r->study->axis == AXIS_NONE)
		put_bar(t, series, o);
	output_end_line(o);
}

static void put_axis(const struct layout *t, struct output *o)
{
	const struct study_plan *s = t->r->study;
	char number[NUMBER_SIZE];

	output_str(o, "  ");
	output_str(o, s->x_unit);
	output_pad(o, ' ', t->name_width - (int)strlen(s->x_unit));
	if (t->curve_width)
		output_pad(o, ' ', 2 + t->curve_width);
	for (guint k = 0; k < t->nr_columns; k++) {
		plain_number(number, g_array_index(s->x, double, t->points[k]));
		output_pad(o, ' ', 2 + t->mean_width[k] + t->half_width[k] - (int)strlen(number));
		output_str(o, number);
	}
	output_char(o, '\n');
}

static void put_table(const struct study_results *r, guint metric, struct output *whole)
{
	const struct study_metric *m = study_metric(r->study, metric);
	struct layout t = {.r = r, .metric = metric};
	/* In memory, where a blank at the end of a line can be taken back. */
	struct output *o = output_memory();

	lay_out(&t);
	output_printf(o, "\n%s (%s)\n", m->name, m->unit);
	if (r->study->axis != AXIS_NONE)
		put_axis(&t, o);
	for (guint i = 0; i < r->study->series->len; i++)
		put_row(&t, i, o);
	output_bytes(whole, o->buf, o->len);
	output_discard(o);
}

void study_text_tables(const struct study_results *r, struct output *o)
{
	const struct study_plan *s = r->study;
	unsigned int n = r->replications;

	output_printf(o, "%s: %s\n", r->name, s->title);
	output_printf(o, "%u series, ", s->series->len);
	if (n > 1)
		output_printf(o,
			      "%u replications, seeds %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
			      "; mean +- half of its 95 %% confidence interval (Student t)\n",
			      n, r->seed, r->seed + n - 1);
	else
		output_printf(o, "seed %" G_GUINT64_FORMAT "; one replication has no intervals\n",
			      r->seed);
	if (s->x->len >= CURVE_MIN)
		output_str(o,
			   "curves: _ is 0, .:=# are quarters of the largest mean of the table\n");
	for (guint i = 0; i < s->metrics->len; i++)
		put_table(r, i, o);
}

/* ---- claims ----------------------------------------------------------------- */

/* @text in lines that begin with @indent blanks, but for the first, which stands at @column. */
static void put_wrapped(const char *text, int column, int indent, struct output *o)
{
	g_auto(GStrv) words = g_strsplit_set(text, " \n", -1);

	for (guint i = 0; words[i]; i++) {
		int width = (int)strlen(words[i]);

		if (width == 0)
			continue;
		if (column > indent && column + 1 + width > TEXT_COLUMNS) {
			output_char(o, '\n');
			output_pad(o, ' ', indent);
			column = indent;
		} else if (column > indent) {
			output_char(o, ' ');
			column++;
		}
		output_str(o, words[i]);
		column += width;
	}
	output_char(o, '\n');
}

void study_text_claims(const struct study_results *r, struct output *o)
{
	const int indent = 17;

	for (guint i = 0; r->study->claims[i]; i++) {
		const struct study_verdict *v = &r->verdicts[i];

		output_printf(o, "  %-15s", v->holds ? "supported" : "NOT SUPPORTED");
		put_wrapped(r->study->claims[i], indent, indent, o);
		output_pad(o, ' ', indent);
		put_wrapped(v->figures, indent, indent, o);
	}
}

/* ---- CSV -------------------------------------------------------------------- */

static void csv_text(struct output *o, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		output_str(o, text);
		return;
	}
	output_char(o, '"');
	for (const char *c = text; *c; c++) {
		if (*c == '"')
			output_char(o, '"');
		output_char(o, *c);
	}
	output_char(o, '"');
}

/* Nothing for an end of an interval that is not there. */
static void csv_number(struct output *o, double v)
{
	char buf[G_ASCII_DTOSTR_BUF_SIZE];

	output_char(o, ',');
	if (!isnan(v))
		output_str(o, g_ascii_formatd(buf, sizeof(buf), "%.9g", v));
}

static void csv_line(const struct study_results *r, guint metric, guint series, guint x,
		     struct output *o)
{
	const struct study_plan *s = r->study;
	const struct study_cell *cell = study_cell(r, metric, series, x);
	const struct study_metric *m = study_metric(s, metric);
	unsigned int runs = 0;

	for (unsigned int k = 0; k < cell->nr_values; k++)
		runs += !isnan(cell->values[k]);
	if (runs == 0)
		return;
	csv_text(o, r->name);
	output_char(o, ',');
	csv_text(o, study_series(s, series)->name);
	csv_number(o, s->axis == AXIS_NONE ? NAN : g_array_index(s->x, double, x));
	output_char(o, ',');
	csv_text(o, s->x_unit);
	output_char(o, ',');
	csv_text(o, m->name);
	output_char(o, ',');
	csv_text(o, m->unit);
	output_printf(o, ",%u", runs);
	csv_number(o, cell->mean);
	csv_number(o, cell->low);
	csv_number(o, cell->high);
	output_char(o, '\n');
}

void study_csv(const struct study_results *r, struct output *o)
{
	const struct study_plan *s = r->study;

	output_str(o, "study,series,x,x_unit,metric,unit,replications,mean,ci_low,ci_high\n");
	for (guint m = 0; m < s->metrics->len; m++) {
		for (guint i = 0; i < s->series->len; i++) {
			for (guint x = 0; x < s->x->len; x++)
				csv_line(r, m, i, x, o);
		}
	}
}
