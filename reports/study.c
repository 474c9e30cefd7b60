// SPDX-License-Identifier: GPL-2.0-only
#include "reports/study.h"

#include <math.h>
#include <stdlib.h>

#include "lua/scenario.h"
#include "reports/export.h"
#include "reports/html.h"
#include "reports/json.h"

enum column {
	COL_STUDY,
	COL_SERIES,
	COL_X,
	COL_X_UNIT,
	COL_METRIC,
	COL_UNIT,
	COL_REPLICATIONS,
	COL_MEAN,
	COL_CI_LOW,
	COL_CI_HIGH,
	NR_COLUMNS,
};

static const char *const column_names[NR_COLUMNS] = {
	"study", "series",	 "x",	 "x_unit", "metric",
	"unit",	 "replications", "mean", "ci_low", "ci_high",
};

struct reader {
	const char *path;
	const char *p, *end; /* what is still to be read */
	unsigned int line;
	GPtrArray *cells; /* of the row that was read last */
	int column[NR_COLUMNS];
};

static bool wrong(const struct reader *r, GError **error, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

static bool wrong(const struct reader *r, GError **error, const char *fmt, ...)
{
	g_autofree char *what = NULL;
	va_list ap;

	va_start(ap, fmt);
	what = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_USAGE, "%s:%u: %s", r->path, r->line, what);
	return false;
}

/* ---- CSV, as RFC 4180 has it ----------------------------------------------------------- */

static bool read_quoted(struct reader *r, GString *cell, GError **error)
{
	for (r->p++; r->p < r->end; r->p++) {
		if (*r->p == '"' && !(r->p + 1 < r->end && r->p[1] == '"')) {
			r->p++;
			return true;
		}
		r->p += *r->p == '"';
		g_string_append_c(cell, *r->p);
	}
	return wrong(r, error, "a quoted cell does not end");
}

static bool read_cell(struct reader *r, GError **error)
{
	GString *cell = g_string_new(NULL);
	bool ok = true;

	if (r->p < r->end && *r->p == '"')
		ok = read_quoted(r, cell, error);
	while (r->p < r->end && !memchr(",\r\n", *r->p, 3))
		g_string_append_c(cell, *r->p++);
	g_ptr_array_add(r->cells, g_string_free(cell, FALSE));
	return ok;
}

/* False at the end of the file, and with @error set when it is no CSV. */
static bool read_row(struct reader *r, GError **error)
{
	g_ptr_array_set_size(r->cells, 0);
	r->line++;
	if (r->p >= r->end)
		return false;
	do {
		if (!read_cell(r, error))
			return false;
	} while (r->p < r->end && *r->p == ',' && r->p++);
	r->p += r->p < r->end && *r->p == '\r';
	r->p += r->p < r->end && *r->p == '\n';
	return true;
}

/* ---- rows ------------------------------------------------------------------------------ */

static bool read_header(struct reader *r, GError **error)
{
	if (!read_row(r, error))
		return *error ? false : wrong(r, error, "empty; a study has a line of headings");
	for (int c = 0; c < NR_COLUMNS; c++) {
		guint i;

		for (i = 0; i < r->cells->len; i++) {
			if (strcmp(g_ptr_array_index(r->cells, i), column_names[c]) == 0)
				break;
		}
		if (i == r->cells->len)
			return wrong(r, error, "there is no column '%s'; a study has %s",
				     column_names[c],
				     "study, series, x, x_unit, metric, unit, replications, mean, "
				     "ci_low and ci_high");
		r->column[c] = (int)i;
	}
	return true;
}

static const char *cell(const struct reader *r, enum column c)
{
	return g_ptr_array_index(r->cells, (guint)r->column[c]);
}

static bool read_number(const struct reader *r, enum column c, double *value, GError **error)
{
	const char *text = cell(r, c);
	char *end;

	*value = g_ascii_strtod(text, &end);
	if (end != text && *end == 0 && isfinite(*value))
		return true;
	return wrong(r, error, "%s is '%.40s'; it should be a number", column_names[c], text);
}

static bool read_numbers(const struct reader *r, struct study_row *row, GError **error)
{
	double replications;

	if (!read_number(r, COL_MEAN, &row->mean, error) ||
	    !read_number(r, COL_REPLICATIONS, &replications, error))
		return false;
	if (replications < 1 || replications > 1e15 || replications != floor(replications))
		return wrong(r, error, "replications is '%.40s'; it should count runs, from 1 on",
			     cell(r, COL_REPLICATIONS));
	row->replications = (uint64_t)replications;
	row->low = row->high = row->mean;
	row->has_interval = *cell(r, COL_CI_LOW) || *cell(r, COL_CI_HIGH);
	if (!row->has_interval)
		return true;
	if (!read_number(r, COL_CI_LOW, &row->low, error) ||
	    !read_number(r, COL_CI_HIGH, &row->high, error))
		return false;
	if (row->low > row->mean || row->high < row->mean)
		return wrong(r, error, "the mean %s is not between ci_low %s and ci_high %s",
			     cell(r, COL_MEAN), cell(r, COL_CI_LOW), cell(r, COL_CI_HIGH));
	return true;
}

static const char *keep(struct study *s, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	return g_string_chunk_insert_const(s->strings, valid);
}

static bool take_row(struct study *s, const struct reader *r, guint nr_cells, GError **error)
{
	struct study_row row;

	if (r->cells->len != nr_cells)
		return wrong(r, error, "%u cells; the headings have %u", r->cells->len, nr_cells);
	if (!read_numbers(r, &row, error))
		return false;
	row.study = keep(s, cell(r, COL_STUDY));
	row.series = keep(s, cell(r, COL_SERIES));
	row.x = keep(s, cell(r, COL_X));
	row.x_unit = keep(s, cell(r, COL_X_UNIT));
	row.metric = keep(s, cell(r, COL_METRIC));
	row.unit = keep(s, cell(r, COL_UNIT));
	g_array_append_val(s->rows, row);
	return true;
}

static bool read_rows(struct study *s, struct reader *r, GError **error)
{
	guint nr_cells;

	if (!read_header(r, error))
		return false;
	nr_cells = r->cells->len;
	while (read_row(r, error)) {
		/* An empty line is no row. */
		if (r->cells->len == 1 && !*(char *)g_ptr_array_index(r->cells, 0))
			continue;
		if (!take_row(s, r, nr_cells, error))
			return false;
	}
	if (*error)
		return false;
	return s->rows->len > 0 ? true : wrong(r, error, "no rows follow the headings");
}

struct study *study_read(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	struct reader r = {.path = path, .cells = cells};
	GError *bad = NULL;
	struct study *s;
	gsize length;

	if (!g_file_get_contents(path, &text, &length, error))
		return NULL;
	r.p = text;
	r.end = text + length;
	s = g_new0(struct study, 1);
	s->rows = g_array_new(FALSE, FALSE, sizeof(struct study_row));
	s->strings = g_string_chunk_new(4096);
	if (read_rows(s, &r, &bad))
		return s;
	g_propagate_error(error, bad);
	study_free(s);
	return NULL;
}

void study_free(struct study *s)
{
	if (!s)
		return;
	g_array_unref(s->rows);
	g_string_chunk_free(s->strings);
	g_free(s);
}

/* ---- text ------------------------------------------------------------------------------ */

static const struct study_row *row_at(const struct study *s, guint i)
{
	return &g_array_index(s->rows, struct study_row, i);
}

static bool same_plot(const struct study_row *a, const struct study_row *b)
{
	return strcmp(a->study, b->study) == 0 && strcmp(a->metric, b->metric) == 0 &&
	       strcmp(a->unit, b->unit) == 0;
}

static void put_clean(struct output *o, const char *text, int width)
{
	size_t before = o->len;

	clean_text(o, text, (size_t)MAX(width, 60));
	output_pad(o, ' ', width - (int)(o->len - before));
}

static void put_row(const struct study_row *r, int width, struct output *o)
{
	output_str(o, "  ");
	put_clean(o, r->series, width);
	output_printf(o, " %12.12s %14.6g", r->x, r->mean);
	if (r->has_interval)
		output_printf(o, "  [%.6g, %.6g]", r->low, r->high);
	output_printf(o, "  n=%" G_GUINT64_FORMAT "\n", r->replications);
}

static void put_block(const struct study *s, const struct study_row *first, struct output *o)
{
	int width = 8;

	put_clean(o, first->study, 0);
	output_str(o, ": ");
	put_clean(o, first->metric, 0);
	if (first->unit[0] && strcmp(first->unit, first->metric) != 0) {
		output_str(o, ", ");
		put_clean(o, first->unit, 0);
	}
	output_str(o, first->x_unit[0] ? "  over " : "");
	put_clean(o, first->x_unit, 0);
	output_char(o, '\n');
	for (guint i = 0; i < s->rows->len; i++)
		width = MAX(width, (int)MIN(strlen(row_at(s, i)->series), 40));
	for (guint i = 0; i < s->rows->len; i++) {
		if (same_plot(row_at(s, i), first))
			put_row(row_at(s, i), width, o);
	}
}

/* Blocks in the order in which they begin. */
void study_text(const struct study *s, struct output *o)
{
	for (guint i = 0; i < s->rows->len; i++) {
		bool seen = false;

		for (guint k = 0; k < i && !seen; k++)
			seen = same_plot(row_at(s, k), row_at(s, i));
		if (seen)
			continue;
		if (i > 0)
			output_char(o, '\n');
		put_block(s, row_at(s, i), o);
	}
}

/* ---- the page -------------------------------------------------------------------------- */

static void put_number(struct output *o, double v)
{
	char digits[G_ASCII_DTOSTR_BUF_SIZE];

	output_str(o, g_ascii_formatd(digits, sizeof(digits), "%.15g", v));
}

static void put_json_row(const struct study_row *r, struct output *o)
{
	const char *const texts[] = {r->study, r->series, r->x, r->x_unit, r->metric, r->unit};

	output_char(o, '[');
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		json_string(o, texts[i]);
		output_char(o, ',');
	}
	output_u64(o, r->replications);
	output_char(o, ',');
	put_number(o, r->mean);
	if (r->has_interval) {
		output_char(o, ',');
		put_number(o, r->low);
		output_char(o, ',');
		put_number(o, r->high);
	}
	output_char(o, ']');
}

void study_html(const struct study *s, struct output *o)
{
	static const struct html_parts parts = {
		.page = "study.html",
		.styles = {"theme.css", "study.css"},
		.scripts = {"text.js", "study.js"},
	};
	struct output *json = output_memory();

	output_str(json, "{\"rows\":[");
	for (guint i = 0; i < s->rows->len; i++) {
		if (i > 0)
			output_str(json, ",\n");
		put_json_row(row_at(s, i), json);
	}
	output_str(json, "]}\n");
	html_put_page(&parts, json, o);
	output_discard(json);
}
