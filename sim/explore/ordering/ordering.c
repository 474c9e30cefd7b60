// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading race tables.
 */

#include <string.h>

#include "sim/explore/ordering/ordering_table.h"

/* clang-format off */
G_DEFINE_QUARK(slabsim-ordering-error-quark, ordering_error)
/* clang-format on */

#define TAB 8
/* Two cells of one line are this far apart at least. */
#define CELL_GAP 3
#define FAULT_COMMENT "// allocation fails"

/* ---- lines ----------------------------------------------------------------------- */

static char *expand_tabs(const char *line)
{
	GString *s = g_string_new(NULL);

	for (; *line; line++) {
		if (*line == '\t')
			g_string_append_printf(s, "%*s", (int)(TAB - s->len % TAB), "");
		else if (*line != '\r')
			g_string_append_c(s, *line);
	}
	while (s->len > 0 && s->str[s->len - 1] == ' ')
		g_string_truncate(s, s->len - 1);
	return g_string_free(s, FALSE);
}

static int indent_of(const char *line)
{
	return (int)strspn(line, " ");
}

static bool is_rule(const char *line)
{
	return line[0] && strspn(line, " -=") == strlen(line) && strpbrk(line, "-=");
}

static bool is_caption(const char *line)
{
	line += indent_of(line);
	return g_str_has_prefix(line, "***");
}

struct reader {
	struct ordering *o;
	GStrv lines;
	uint32_t nr_lines, at;
	/* of each column */
	enum bracket bracket[ORDERING_COLUMNS_MAX];
	int bracket_start[ORDERING_COLUMNS_MAX];
	GError **error;
	bool failed;
};

static void fail(struct reader *rd, uint32_t line, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

static void fail(struct reader *rd, uint32_t line, const char *fmt, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	if (rd->failed)
		return;
	rd->failed = true;
	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	g_set_error(rd->error, ORDERING_ERROR, ORDERING_ERROR_TABLE, "%s, line %u: %s",
		    rd->o->where, line, text);
}

/* ---- header ------------------------------------------------------------------------ */

static bool is_label(const char *s)
{
	static const char *const labels[] = {"CPU",    "cpu",	  "Task",    "task", "Thread",
					     "thread", "Process", "process", "T",    "P"};

	for (size_t i = 0; i < G_N_ELEMENTS(labels); i++) {
		size_t n = strlen(labels[i]);

		if (g_str_has_prefix(s, labels[i]) &&
		    (g_ascii_isdigit(s[n]) || s[n] == ' ' || s[n] == '\0'))
			return true;
	}
	return false;
}

static GStrv split_names(const char *names)
{
	GPtrArray *list = g_ptr_array_new();
	g_auto(GStrv) words = g_strsplit_set(names, "(),:", 0);

	for (int i = 0; words[i]; i++) {
		char *word = g_strstrip(words[i]);

		if (*word)
			g_ptr_array_add(list, g_strdup(word));
	}
	g_ptr_array_add(list, NULL);
	return (GStrv)g_ptr_array_free(list, FALSE);
}

/* "CPU0 (rmmod, kworker)", "CPU0: worker", "Task A" */
static struct ordering_column *new_column(const char *cell, int start)
{
	struct ordering_column *c = g_new0(struct ordering_column, 1);
	size_t n = strcspn(cell, ":(");

	c->label = g_strstrip(g_strndup(cell, n));
	c->names = split_names(cell + n);
	c->start = start;
	c->cpu = -1;
	if (g_ascii_strncasecmp(c->label, "cpu", 3) == 0 &&
	    g_ascii_isdigit(c->label[3 + strspn(c->label + 3, " ")]))
		c->cpu = atoi(c->label + 3);
	return c;
}

static void column_free(gpointer data)
{
	struct ordering_column *c = data;

	g_free(c->label);
	g_strfreev(c->names);
	g_free(c);
}

/* The next cell from @from on; false at the end of the line. */
static bool next_cell(const char *line, int from, int gap, int *start, int *end)
{
	int n = (int)strlen(line), spaces = 0;

	while (from < n && line[from] == ' ')
		from++;
	if (from >= n)
		return false;
	*start = from;
	for (*end = from; from < n && spaces < gap; from++) {
		if (line[from] == ' ') {
			spaces++;
		} else {
			spaces = 0;
			*end = from + 1;
		}
	}
	return true;
}

static bool is_header(const struct reader *rd, uint32_t line)
{
	const char *text = rd->lines[line];

	if (is_label(text + indent_of(text)))
		return true;
	return line + 1 < rd->nr_lines && is_rule(rd->lines[line + 1]);
}

static void read_header_cells(struct reader *rd, const char *line, uint32_t nr)
{
	int start, end = 0;

	while (next_cell(line, end, 2, &start, &end)) {
		g_autofree char *cell = g_strndup(line + start, (gsize)(end - start));

		if (rd->o->columns->len == ORDERING_COLUMNS_MAX) {
			fail(rd, nr, "more than %d columns", ORDERING_COLUMNS_MAX);
			return;
		}
		g_ptr_array_add(rd->o->columns, new_column(cell, start));
	}
}

/* A second line of a header, such as the names of tasks below the CPUs. */
static void read_second_header(struct reader *rd, const char *line)
{
	int start, end = 0;

	while (next_cell(line, end, 2, &start, &end)) {
		g_autofree char *cell = g_strndup(line + start, (gsize)(end - start));
		struct ordering_column *best = NULL;

		for (guint i = 0; i < rd->o->columns->len; i++) {
			struct ordering_column *c = g_ptr_array_index(rd->o->columns, i);

			if (!best || ABS(c->start - start) < ABS(best->start - start))
				best = c;
		}
		if (best && !best->names[0]) {
			g_strfreev(best->names);
			best->names = split_names(cell);
		}
	}
}

static void read_header(struct reader *rd)
{
	while (rd->at < rd->nr_lines && rd->lines[rd->at][0] == '\0')
		rd->at++;
	if (rd->at == rd->nr_lines) {
		fail(rd, 1, "the table is empty; it begins with a header such as 'CPU0    CPU1'");
		return;
	}
	if (!is_header(rd, rd->at)) {
		fail(rd, rd->at + 1,
		     "expected a header such as 'CPU0 (rmmod)    CPU1: kworker', "
		     "got '%s'",
		     g_strstrip(rd->lines[rd->at]));
		return;
	}
	read_header_cells(rd, rd->lines[rd->at], rd->at + 1);
	rd->at++;
	if (rd->at + 1 < rd->nr_lines && !is_rule(rd->lines[rd->at]) &&
	    is_rule(rd->lines[rd->at + 1]))
		read_second_header(rd, rd->lines[rd->at++]);
}

/* ---- rows ------------------------------------------------------------------------- */

static void row_free(gpointer data)
{
	struct ordering_row *row = data;

	g_free(row->text);
	g_free(row->name);
	g_free(row->arg);
	g_free(row);
}

static bool is_name_char(char c)
{
	return g_ascii_isalnum(c) || c == '_' || c == '.' || c == '-' || c == '/';
}

/* "&C->rcu_head, fn" is about C. */
static char *read_argument(const char *s)
{
	size_t n;

	while (*s && (*s == '&' || *s == '*' || *s == ' '))
		s++;
	if (g_str_has_prefix(s, "struct "))
		s += 7;
	n = strcspn(s, ",)");
	for (size_t i = 0; i + 1 < n; i++) {
		if (s[i] == '-' && s[i + 1] == '>')
			n = i;
	}
	return g_strstrip(g_strndup(s, MIN(n, NAME_MAX_BYTES - 1)));
}

static void add_row(struct reader *rd, const char *text, int column, uint32_t line)
{
	struct ordering_row *row;
	size_t n = 0;

	while (is_name_char(text[n]))
		n++;
	if (n == 0 || n >= NAME_MAX_BYTES || !strchr("(;", text[n])) {
		fail(rd, line,
		     "expected a function, a call or a site, got '%s'; a remark begins "
		     "with '//'",
		     text);
		return;
	}
	if (rd->o->rows->len == ORDERING_ROWS_MAX) {
		fail(rd, line, "more than %d rows", ORDERING_ROWS_MAX);
		return;
	}
	row = g_new0(struct ordering_row, 1);
	row->text = g_strdup(text);
	row->name = g_strndup(text, n);
	row->arg = text[n] == '(' ? read_argument(text + n + 1) : g_strdup("");
	row->column = column;
	row->bracket = rd->bracket[column];
	row->line = line;
	g_ptr_array_add(rd->o->rows, row);
}

static void add_fault(struct reader *rd, const char *text, int column, uint32_t line)
{
	const char *at = strchr(text, ':');
	struct ordering_row *row = g_new0(struct ordering_row, 1);

	row->text = g_strdup(text);
	row->name = at ? g_strstrip(g_strdup(at + 1)) : g_strdup("");
	row->arg = g_strdup("");
	row->column = column;
	row->bracket = rd->bracket[column];
	row->line = line;
	row->fault = true;
	g_ptr_array_add(rd->o->rows, row);
}

/* Without what is only for the reader; empty if nothing else is there. */
static char *strip_remarks(const char *cell)
{
	char *text = g_strdup(cell);
	char *cut;

	if (strncmp(text, FAULT_COMMENT, strlen(FAULT_COMMENT)) == 0)
		return text;
	cut = strstr(text, "//");
	if (cut)
		*cut = '\0';
	cut = strstr(text, "/*");
	if (cut)
		*cut = '\0';
	g_strchomp(text);
	if (text[0] == '<' || text[0] == '*' || g_str_has_prefix(text, "..."))
		text[0] = '\0';
	while (text[0] && strchr(";{", text[strlen(text) - 1]))
		text[strlen(text) - 1] = '\0';
	return g_strchomp(text);
}

/* Left of this, a row belongs to an earlier column. */
static int boundary_of(const struct ordering *o, int column, int shift)
{
	return column_at(o, column)->start - shift;
}

static int column_of(const struct ordering *o, int start, int shift)
{
	int column = 0;

	for (int i = 1; i < (int)o->columns->len; i++) {
		if (start >= boundary_of(o, i, shift))
			column = i;
	}
	return column;
}

/*
 * Rows begin below their header or, as in most commit messages, a bit left of it:
 * by as much as those of the first column.
 */
static int shift_of(const struct reader *rd)
{
	int least = INT_MAX, first = column_at(rd->o, 0)->start, shift;

	for (uint32_t i = rd->at; i < rd->nr_lines && !is_caption(rd->lines[i]); i++) {
		if (rd->lines[i][0] && !is_rule(rd->lines[i]))
			least = MIN(least, indent_of(rd->lines[i]));
	}
	shift = CLAMP(first - least, 0, 8);
	/* Unless a column has rows right below its header: then every one of them has. */
	for (uint32_t i = rd->at; i < rd->nr_lines && !is_caption(rd->lines[i]); i++) {
		for (int c = 1; c < (int)rd->o->columns->len; c++) {
			if (rd->lines[i][0] && !is_rule(rd->lines[i]) &&
			    indent_of(rd->lines[i]) == column_at(rd->o, c)->start)
				return 0;
		}
	}
	return shift;
}

/* "<softirq>" and what stands further in below it, until "</softirq>" if there is one. */
static void follow_brackets(struct reader *rd, const char *cell, int column, int start)
{
	if (g_str_has_prefix(cell, "</")) {
		rd->bracket[column] = BRACKET_NONE;
	} else if (cell[0] == '<') {
		g_autofree char *name = g_ascii_strdown(cell + 1, -1);

		rd->bracket_start[column] = start;
		rd->bracket[column] = strstr(name, "softirq") ? BRACKET_SOFTIRQ
				      : strstr(name, "irq") || g_str_has_prefix(name, "int")
					      ? BRACKET_IRQ
					      : BRACKET_NONE;
		column_at(rd->o, column)->brackets |= rd->bracket[column] != BRACKET_NONE;
	} else if (start <= rd->bracket_start[column]) {
		rd->bracket[column] = BRACKET_NONE;
	}
}

static void read_row(struct reader *rd, int shift)
{
	const char *line = rd->lines[rd->at];
	int start, end = 0, last = -1;

	while (next_cell(line, end, CELL_GAP, &start, &end)) {
		g_autofree char *cell = g_strndup(line + start, (gsize)(end - start));
		g_autofree char *text = strip_remarks(cell);
		int column = column_of(rd->o, start, shift);

		if (column <= last) {
			fail(rd, rd->at + 1, "two calls in one column");
			return;
		}
		last = column;
		follow_brackets(rd, cell, column, start);
		if (g_str_has_prefix(text, FAULT_COMMENT))
			add_fault(rd, text, column, rd->at + 1);
		else if (text[0])
			add_row(rd, text, column, rd->at + 1);
		/* A remark goes on to the end of the line. */
		if (strcmp(text, cell) != 0 && strstr(cell, "//"))
			return;
	}
}

static void read_rows(struct reader *rd)
{
	int shift = shift_of(rd);

	for (; rd->at < rd->nr_lines && !is_caption(rd->lines[rd->at]); rd->at++) {
		if (rd->lines[rd->at][0] && !is_rule(rd->lines[rd->at]))
			read_row(rd, shift);
	}
	if (rd->o->rows->len == 0)
		fail(rd, rd->at, "the table has no rows");
}

/* ---- the whole ----------------------------------------------------------------------- */

struct ordering *ordering_parse(const char *text, const char *where, GError **error)
{
	struct ordering *o = g_new0(struct ordering, 1);
	struct reader rd = {.o = o, .error = error};

	o->where = g_strdup(where);
	o->rows = g_ptr_array_new_with_free_func(row_free);
	o->columns = g_ptr_array_new_with_free_func(column_free);
	o->p = g_new0(struct progress, 1);
	o->contexts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	o->subjects = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	o->sorts = g_hash_table_new(NULL, NULL);
	o->names = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	o->owners = g_hash_table_new(NULL, NULL);
	o->owner_changes = g_array_new(FALSE, FALSE, sizeof(struct owner_change));
	o->comms = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	o->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (strlen(text) > ORDERING_BYTES_MAX) {
		fail(&rd, 1, "the table is larger than %d bytes", ORDERING_BYTES_MAX);
	} else {
		rd.lines = g_strsplit(text, "\n", 0);
		rd.nr_lines = g_strv_length(rd.lines);
		for (uint32_t i = 0; i < rd.nr_lines; i++) {
			char *expanded = expand_tabs(rd.lines[i]);

			g_free(rd.lines[i]);
			rd.lines[i] = expanded;
		}
		read_header(&rd);
		if (!rd.failed)
			read_rows(&rd);
		g_strfreev(rd.lines);
	}
	if (rd.failed)
		g_clear_pointer(&o, ordering_free);
	return o;
}

void ordering_free(struct ordering *o)
{
	if (!o)
		return;
	g_ptr_array_unref(o->rows);
	g_ptr_array_unref(o->columns);
	g_hash_table_destroy(o->contexts);
	g_hash_table_destroy(o->subjects);
	g_hash_table_destroy(o->sorts);
	g_hash_table_destroy(o->names);
	g_hash_table_destroy(o->owners);
	g_array_unref(o->owner_changes);
	g_hash_table_destroy(o->comms);
	g_hash_table_destroy(o->seen);
	g_clear_pointer(&o->journal, g_hash_table_destroy);
	g_free(o->where);
	g_free(o->p);
	g_free(o);
}

uint32_t ordering_nr_rows(const struct ordering *o)
{
	return o->rows->len;
}

uint32_t ordering_nr_columns(const struct ordering *o)
{
	return o->columns->len;
}
