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
#define REFUSED_SHOWN 8
#define HEADER_LINES 3 /* and dashes below them */
#define FAULT_COMMENT "// allocation fails"

/* ---- lines ----------------------------------------------------------------------- */

/*
 * What browsers, mailers and word processors make of blanks, dashes and quotes.  Each is one
 * column wide, as what it stands for.
 */
static const struct {
	const char *utf8, *ascii;
} pasted[] = {
	{"\xc2\xa0", " "},				 /* no-break space */
	{"\xe2\x80\xaf", " "},				 /* narrow no-break space */
	{"\xe2\x80\x8b", ""},				 /* zero width space */
	{"\xef\xbb\xbf", ""},				 /* byte order mark */
	{"\xe2\x80\x90", "-"},				 /* hyphen */
	{"\xe2\x80\x91", "-"},				 /* non-breaking hyphen */
	{"\xe2\x80\x92", "-"},				 /* figure dash */
	{"\xe2\x80\x93", "-"},				 /* en dash */
	{"\xe2\x80\x94", "-"},				 /* em dash */
	{"\xe2\x80\x95", "-"},				 /* horizontal bar */
	{"\xe2\x88\x92", "-"},				 /* minus sign */
	{"\xe2\x94\x80", "-"},				 /* box drawings light horizontal */
	{"\xe2\x94\x81", "-"},				 /* box drawings heavy horizontal */
	{"\xe2\x95\x90", "="},				 /* box drawings double horizontal */
	{"\xe2\x80\x98", "'"},				 /* single quotes */
	{"\xe2\x80\x99", "'"},	{"\xe2\x80\x9c", "\""},	 /* double quotes */
	{"\xe2\x80\x9d", "\""}, {"\xe2\x80\xa6", "..."}, /* ellipsis */
};

/* How many bytes of @line stand for @ascii; 0: none do. */
static size_t pasted_part(const char *line, const char **ascii)
{
	for (size_t i = 0; (unsigned char)*line >= 0x80 && i < G_N_ELEMENTS(pasted); i++) {
		*ascii = pasted[i].ascii;
		if (g_str_has_prefix(line, pasted[i].utf8))
			return strlen(pasted[i].utf8);
	}
	return 0;
}

/* @line as it would have been typed: tabs are blanks. */
static char *plain_line(const char *line)
{
	GString *s = g_string_new(NULL);

	while (*line) {
		const char *ascii;
		size_t n = pasted_part(line, &ascii);

		if (n > 0)
			g_string_append(s, ascii);
		else if (*line == '\t')
			g_string_append_printf(s, "%*s", (int)(TAB - s->len % TAB), "");
		else if (*line != '\r')
			g_string_append_c(s, *line);
		line += MAX(n, 1);
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

/* How much of @line is the mark of a reply, "> ", or the stamp of a kernel log. */
static size_t foreign_part(const char *line)
{
	const char *s = line;

	if (*s == '>')
		return 1 + (s[1] == ' ');
	if (*s != '[')
		return 0;
	s += 1 + strspn(s + 1, " ");
	s += strspn(s, "0123456789.");
	if (s == line + 1 || *s++ != ']')
		return 0;
	/* Who has written it, as in "[  T300]". */
	if (*s == '[' && strchr(s, ']'))
		s = strchr(s, ']') + 1;
	return (size_t)(s - line) + (*s == ' ');
}

/* Tables are pasted out of mails and logs: takes off what every line begins with. */
static void strip_foreign(GStrv lines)
{
	for (bool every = true; every;) {
		bool any = false;

		for (int i = 0; lines[i] && every; i++) {
			any |= lines[i][0] != '\0';
			every = lines[i][0] == '\0' || foreign_part(lines[i]) > 0;
		}
		every = every && any;
		for (int i = 0; lines[i] && every; i++) {
			char *rest = g_strdup(lines[i] + foreign_part(lines[i]));

			g_free(lines[i]);
			lines[i] = rest;
		}
	}
}

struct reader {
	struct ordering *o;
	GStrv lines;
	uint32_t nr_lines, at;
	/* of each column */
	enum bracket bracket[ORDERING_COLUMNS_MAX];
	int bracket_start[ORDERING_COLUMNS_MAX];
	GString *refused; /* what to say about rows that are none; NULL while all are */
	uint32_t refused_line, nr_refused;
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

/* The dashes below the header that begins at @line; 0 if there are none. */
static uint32_t rule_below(const struct reader *rd, uint32_t line)
{
	for (uint32_t i = line + 1; i < rd->nr_lines && i <= line + HEADER_LINES; i++) {
		if (is_rule(rd->lines[i]))
			return i;
		if (rd->lines[i][0] == '\0')
			return 0;
	}
	return 0;
}

static bool is_header(const struct reader *rd, uint32_t line)
{
	const char *text = rd->lines[line];

	return is_label(text + indent_of(text)) || (text[0] && rule_below(rd, line) > 0);
}

/* Not just a sentence that begins with such a word? */
static bool is_sure_header(const struct reader *rd, uint32_t line)
{
	const char *text = rd->lines[line];
	int start, end = 0;

	while (next_cell(text, end, 2, &start, &end)) {
		g_autofree char *label = g_strndup(text + start, strcspn(text + start, ":("));

		label[MIN(strlen(label), (size_t)(end - start))] = '\0';
		/* "Task A" is one, "Task A goes on" is not. */
		if (!is_label(label) || strchr(label, ' ') != strrchr(g_strchomp(label), ' '))
			return false;
	}
	return end > 0;
}

/* "Possible unsafe locking scenario:", and other words that lead up to the table. */
static void skip_introduction(struct reader *rd)
{
	for (uint32_t i = rd->at + 1; i < rd->nr_lines && !is_header(rd, rd->at); i++) {
		if (is_sure_header(rd, i))
			rd->at = i;
	}
}

/* Does another label of the kind of @cell, such as a second "CPU1", begin at @at? */
static bool begins_label(const char *cell, const char *at, bool named)
{
	size_t n = 0, blank;
	char after;

	while (g_ascii_isalpha(cell[n]))
		n++;
	if (n == 0 || !is_label(cell) || strncmp(at, cell, n) != 0)
		return false;
	blank = at[n] == ' ';
	if (!g_ascii_isalnum(at[n + blank]) || (!blank && !g_ascii_isdigit(at[n])))
		return false;
	for (at += n + blank; g_ascii_isalnum(*at);)
		at++;
	after = *at;
	/* Behind a colon it may be part of a name, unless it has names itself. */
	return after == ':' || after == '(' || (!named && (after == '\0' || after == ' '));
}

/* Where a cell ends that goes on after one blank with another label: "CPU0 CPU1" are two. */
static size_t label_end(const char *cell)
{
	int depth = 0;
	bool named = false;

	for (size_t i = 0; cell[i]; i++) {
		depth += (cell[i] == '(') - (cell[i] == ')');
		named |= cell[i] == ':';
		if (cell[i] == ' ' && depth == 0 && begins_label(cell, cell + i + 1, named))
			return i;
	}
	return strlen(cell);
}

static void read_header_cells(struct reader *rd, const char *line, uint32_t nr)
{
	int start, end = 0;

	while (next_cell(line, end, 2, &start, &end)) {
		g_autofree char *cell = g_strndup(line + start, (gsize)(end - start));

		cell[label_end(cell)] = '\0';
		end = start + (int)strlen(cell);
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
	uint32_t rule;

	while (rd->at < rd->nr_lines && rd->lines[rd->at][0] == '\0')
		rd->at++;
	if (rd->at == rd->nr_lines) {
		fail(rd, 1, "the table is empty; it begins with a header such as 'CPU0    CPU1'");
		return;
	}
	skip_introduction(rd);
	if (!is_header(rd, rd->at)) {
		fail(rd, rd->at + 1,
		     "expected a header such as 'CPU0 (rmmod)    CPU1: kworker', "
		     "got '%s'",
		     g_strstrip(rd->lines[rd->at]));
		return;
	}
	read_header_cells(rd, rd->lines[rd->at], rd->at + 1);
	rule = rule_below(rd, rd->at++);
	if (rd->at < rule)
		read_second_header(rd, rd->lines[rd->at]);
	rd->at = MAX(rd->at, rule);
}

/* ---- rows ------------------------------------------------------------------------- */

static void row_free(gpointer data)
{
	struct ordering_row *row = data;

	g_free(row->text);
	g_free(row->name);
	g_free(row->arg);
	g_free(row->member);
	g_free(row);
}

static bool is_name_char(char c)
{
	return g_ascii_isalnum(c) || c == '_' || c == '.' || c == '-' || c == '/';
}

static const char *skip_to_argument(const char *s)
{
	while (*s && (*s == '&' || *s == '*' || *s == ' '))
		s++;
	return g_str_has_prefix(s, "struct ") ? s + 7 : s;
}

/* "&n->list_lock" is the list_lock of some n. */
static char *read_member(const char *s)
{
	size_t n, from;

	s = skip_to_argument(s);
	/* Not the subclass that lockdep adds: "s_active#63", "&p->lock/1". */
	n = from = strcspn(s, ",)#/");
	while (from > 0 && (g_ascii_isalnum(s[from - 1]) || s[from - 1] == '_'))
		from--;
	return g_strndup(s + from, MIN(n - from, NAME_MAX_BYTES - 1));
}

/* "&C->rcu_head, fn" is about C. */
static char *read_argument(const char *s)
{
	size_t n;

	s = skip_to_argument(s);
	n = strcspn(s, ",)");
	for (size_t i = 0; i + 1 < n; i++) {
		if (s[i] == '-' && s[i + 1] == '>')
			n = i;
	}
	return g_strstrip(g_strndup(s, MIN(n, NAME_MAX_BYTES - 1)));
}

static size_t name_length(const char *s)
{
	size_t n = 0;

	while (is_name_char(s[n]))
		n++;
	return n;
}

/* Where the value begins of "new = cache_from_memcg_idx()"; NULL if this is no assignment. */
static const char *skip_assignment(const char *s)
{
	const char *equals = strchr(s, '=');

	if (!equals || equals == s || strchr("=!<>", equals[-1]) || equals[1] == '=' ||
	    memchr(s, '(', (size_t)(equals - s)))
		return NULL;
	return equals + 1 + strspn(equals + 1, " ");
}

/* The call in "calls f()", "if (!f(x))" or "err = f(x)"; @s itself where there is none. */
static const char *skip_to_call(const char *s)
{
	static const char *const before[] = {"call ", "calls ",	 "return ", "if (",
					     "if(",   "while (", "!",	    NULL};
	const char *from = s, *next;

	do {
		next = NULL;
		for (int i = 0; before[i] && !next; i++) {
			if (g_str_has_prefix(from, before[i]))
				next = from + strlen(before[i]);
		}
		if (!next)
			next = skip_assignment(from);
		from = next ? next + strspn(next, " ") : from;
	} while (next);
	return name_length(from) > 0 && from[name_length(from)] == '(' ? from : s;
}

/* The first is shown; the others are only named, so that all can be mended at once. */
static void refuse_row(struct reader *rd, uint32_t line, const char *text)
{
	if (!rd->refused) {
		rd->refused = g_string_new(NULL);
		rd->refused_line = line;
		g_string_printf(rd->refused,
				"expected a function, a call or a site, got '%s'; a remark begins "
				"with '//'",
				text);
		return;
	}
	rd->nr_refused++;
	if (rd->nr_refused <= REFUSED_SHOWN)
		g_string_append_printf(rd->refused, "%s %u",
				       rd->nr_refused == 1 ? "; so should line" : ",", line);
	else if (rd->nr_refused == REFUSED_SHOWN + 1)
		g_string_append(rd->refused, " and others");
}

static void add_row(struct reader *rd, const char *text, int column, uint32_t line)
{
	const char *call = skip_to_call(text);
	size_t n = name_length(call);
	struct ordering_row *row;

	if (n == 0 || n >= NAME_MAX_BYTES || !strchr("(;", call[n])) {
		refuse_row(rd, line, text);
		return;
	}
	if (rd->refused)
		return;
	if (rd->o->rows->len == ORDERING_ROWS_MAX) {
		fail(rd, line, "more than %d rows", ORDERING_ROWS_MAX);
		return;
	}
	row = g_new0(struct ordering_row, 1);
	row->text = g_strdup(text);
	row->name = g_strndup(call, n);
	row->arg = call[n] == '(' ? read_argument(call + n + 1) : g_strdup("");
	row->member = call[n] == '(' ? read_member(call + n + 1) : g_strdup("");
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
	row->member = g_strdup("");
	row->column = column;
	row->bracket = rd->bracket[column];
	row->line = line;
	row->fault = true;
	g_ptr_array_add(rd->o->rows, row);
}

/* "--> down_write()": what people draw to say that it comes next. */
static const char *skip_arrow(const char *cell)
{
	size_t n = strspn(cell, "-=");

	return n > 0 && cell[n] == '>' ? cell + n + 1 + strspn(cell + n + 1, " ") : cell;
}

/* Without what is only for the reader; empty if nothing else is there. */
static char *strip_remarks(const char *cell)
{
	char *text = g_strdup(skip_arrow(cell));
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
	if (rd->refused) {
		fail(rd, rd->refused_line, "%s", rd->refused->str);
		g_string_free(g_steal_pointer(&rd->refused), TRUE);
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
			char *plain = plain_line(rd.lines[i]);

			g_free(rd.lines[i]);
			rd.lines[i] = plain;
		}
		strip_foreign(rd.lines);
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
	g_free(o->remark);
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
