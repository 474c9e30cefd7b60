// SPDX-License-Identifier: GPL-2.0-only
/*
 * Race tables: rows out of a slice, columns, layout.  What a row says stands in
 * race_words.c, what is chosen in race_slice.c.
 *
 * A row stands where its call began, so a call that others interrupt opens before
 * their rows and its inner calls follow after them.
 */
#include "reports/race.h"

#include "reports/export.h"
#include "reports/race_words.h"
#include "sim/explore/verbs.h"

#define LEFT 2
#define HEADER_LEFT 7
#define INDENT 2
#define WIDEST_GAP 37	 /* between the starts of two columns */
#define NARROWEST_GAP 16 /* deepest indentation of a left column stays below it */
#define COLUMNS_MAX 3
#define CALLS_MAX 32

struct row {
	uint32_t event;
	int column, depth;
	char *text;
};

struct column {
	uint32_t key; /* CPU, or context */
	unsigned int cpu;
	int start;
	GPtrArray *names; /* of the contexts in it; borrowed */
	bool mixed;	  /* more than one context */
	uint32_t task;
};

struct race_table {
	struct slice slice;
	struct words words;
	GArray *rows; /* struct row */
	struct column columns[COLUMNS_MAX];
	int nr_columns;
	bool by_task;
	int inner_max; /* how many innermost calls of a stack are shown */
};

/* A call that is shown and that the context is still in. */
struct shown {
	const struct frame *frame;
	uint32_t entered;
};

/* ---- rows ---------------------------------------------------------------------- */

static void add_row(struct race_table *t, uint32_t event, int column, int depth, char *text)
{
	struct row row = {event, column, depth, text};

	g_array_append_val(t->rows, row);
}

static bool is_on_stack(const struct trace_record *r, const struct frame *frame)
{
	for (const struct frame *f = r->stack; f; f = f->caller) {
		if (f == frame)
			return true;
	}
	return false;
}

/* The first event of @st since which @frame was on the stack until @event. */
static uint32_t entered_at(const struct race_table *t, const struct stretch *st, uint32_t event,
			   const struct frame *frame)
{
	uint32_t at = event;

	for (uint32_t i = event; i > st->first; i--) {
		const struct trace_record *r = slice_event(&t->slice, i - 1);

		if (r->task != st->task)
			continue;
		if (!is_on_stack(r, frame))
			break;
		at = i - 1;
	}
	return at;
}

/* The stack of @r from the outside in, without what every work item or callback has. */
static int path_of(struct words *w, const struct trace_record *r, const struct frame **path)
{
	const struct frame *all[CALLS_MAX];
	int nr_all = 0, n = 0;

	for (const struct frame *f = r->stack; f && nr_all < CALLS_MAX; f = f->caller)
		all[nr_all++] = f;
	while (nr_all-- > 0) {
		if (!words_is_boring(all[nr_all]->func) || (nr_all == 0 && !words_has_verb(r)))
			path[n++] = all[nr_all];
	}
	/* The row of a verb says what that of its own function would. */
	if (n > 0 && words_has_verb(r) && words_is_verb(w, r, path[n - 1]->func))
		n--;
	return n;
}

/* Whom the call @frame, entered at @from, is about, as far as an event right in it tells. */
static oid_t find_argument(const struct race_table *t, const struct stretch *st,
			   const struct frame *frame, uint32_t from)
{
	for (uint32_t i = from; i <= st->last; i++) {
		const struct trace_record *r = slice_event(&t->slice, i);

		if (r->task != st->task)
			continue;
		if (r->stack == frame && frame_argument(r) != 0)
			return frame_argument(r);
		if (i > from && !is_on_stack(r, frame))
			break;
	}
	return 0;
}

/* Adds the row of the call @call, which stands where it began. */
static void add_call(struct race_table *t, const struct stretch *st, int column, int depth,
		     const struct shown *call)
{
	bool is_entry = depth == 0 && st->entry && strcmp(st->entry, call->frame->func) == 0;
	uint32_t at = is_entry ? st->first : call->entered;
	oid_t obj = is_entry ? st->subject : find_argument(t, st, call->frame, call->entered);

	add_row(t, at, column, depth, words_call(&t->words, call->frame->func, obj));
}

struct walk {
	struct race_table *t;
	const struct stretch *st;
	int column;
	struct shown open[CALLS_MAX];
	int nr_open;
};

static bool is_open(const struct walk *w, const struct frame *frame)
{
	for (int i = 0; i < w->nr_open; i++) {
		if (w->open[i].frame == frame)
			return true;
	}
	return false;
}

/* A call that was left out above one that is shown stays left out. */
static bool leads_to_open(const struct walk *w, const struct frame *const *path, int n)
{
	for (int i = 1; i < n; i++) {
		if (is_open(w, path[i]))
			return true;
	}
	return false;
}

/* Leaves the calls that have returned, or were made anew, since the last pick. */
static void leave_calls(struct walk *w, uint32_t event, const struct frame *const *path, int n)
{
	int keep = 0;

	while (keep < w->nr_open) {
		const struct shown *open = &w->open[keep];
		bool in_path = false;

		for (int i = 0; i < n; i++)
			in_path |= path[i] == open->frame;
		if (!in_path || entered_at(w->t, w->st, event, open->frame) > open->entered)
			break;
		keep++;
	}
	w->nr_open = keep;
}

static void add_entry_without_stack(struct walk *w, const struct trace_record *r)
{
	const struct stretch *st = w->st;

	/* A handler or work item whose stack does not name it. */
	if (!st->entry || w->nr_open > 0 || r->kind == TR_WORK_START || r->kind == TR_RCU_CALLBACK)
		return;
	for (const struct frame *f = r->stack; f; f = f->caller) {
		if (strcmp(f->func, st->entry) == 0)
			return;
	}
	add_row(w->t, st->first, w->column, 0, words_call(&w->t->words, st->entry, st->subject));
}

static void add_comment(struct walk *w, const struct pick *p)
{
	const struct trace_record *r = slice_event(&w->t->slice, p->event);
	char *text = words_comment(&w->t->words, &w->t->slice, p);

	if (text)
		add_row(w->t, p->event, w->column, w->nr_open + words_has_verb(r), text);
}

static void add_pick(struct walk *w, const struct pick *p)
{
	const struct trace_record *r = slice_event(&w->t->slice, p->event);
	const struct frame *path[CALLS_MAX];
	int n = path_of(&w->t->words, r, path);
	bool verb = words_has_verb(r);
	bool leaf_open;

	leave_calls(w, p->event, path, n);
	add_entry_without_stack(w, r);
	leaf_open = n > 0 && is_open(w, path[n - 1]);
	for (int i = 0; i < n; i++) {
		struct shown call = {path[i], 0};

		if (is_open(w, path[i]) || leads_to_open(w, path + i, n - i) ||
		    (i > 0 && i < n - w->t->inner_max))
			continue;
		call.entered = entered_at(w->t, w->st, p->event, path[i]);
		if (i == n - 1 && !verb && frame_argument(r) != 0)
			add_row(w->t, p->event, w->column, w->nr_open,
				words_call(&w->t->words, path[i]->func, frame_argument(r)));
		else
			add_call(w->t, w->st, w->column, w->nr_open, &call);
		w->open[w->nr_open++] = call;
	}
	if (verb || n == 0)
		add_row(w->t, p->event, w->column, w->nr_open, words_verb(&w->t->words, r));
	else if (leaf_open && p->role == PICK_CONFLICT)
		add_row(w->t, p->event, w->column, w->nr_open, words_remark(&w->t->words, r));
	add_comment(w, p);
}

/* ---- columns --------------------------------------------------------------------- */

static uint32_t column_key(const struct race_table *t, uint32_t event)
{
	const struct trace_record *r = slice_event(&t->slice, event);

	return t->by_task ? r->task : r->cpu;
}

static void name_context(struct race_table *t, struct column *c, const struct trace_record *r)
{
	const char *name = words_context(t->slice.tf, r);

	if (c->names->len == 0)
		c->task = r->task;
	else if (c->task != r->task)
		c->mixed = true;
	for (guint i = 0; i < c->names->len; i++) {
		if (strcmp(g_ptr_array_index(c->names, i), name) == 0)
			return;
	}
	g_ptr_array_add(c->names, (gpointer)name);
}

/* The column of @event; a new one if there is room, else the last. */
static int column_of(struct race_table *t, uint32_t event)
{
	const struct trace_record *r = slice_event(&t->slice, event);
	uint32_t key = column_key(t, event);
	int i = 0;

	while (i < t->nr_columns && t->columns[i].key != key)
		i++;
	if (i == t->nr_columns && i < COLUMNS_MAX) {
		t->columns[i] =
			(struct column){.key = key, .cpu = r->cpu, .names = g_ptr_array_new()};
		t->nr_columns++;
	}
	i = MIN(i, COLUMNS_MAX - 1);
	name_context(t, &t->columns[i], r);
	return i;
}

static void clear_columns(struct race_table *t)
{
	for (int i = 0; i < t->nr_columns; i++)
		g_ptr_array_unref(t->columns[i].names);
	t->nr_columns = 0;
}

/* Two sides on one CPU would look like one: then each context has a column. */
static bool sides_share_cpu(const struct slice *s)
{
	const struct trace_record *a, *b;

	if (s->conflict == NO_INDEX || s->violation == NO_INDEX)
		return false;
	a = slice_event(s, s->conflict);
	b = slice_event(s, s->violation);
	return a->cpu == b->cpu && a->task != b->task && b->task != 0;
}

/* ---- stretches to rows -------------------------------------------------------------- */

static const char *bracket_of(const struct trace_record *r)
{
	return r->ctx == CTX_SOFTIRQ ? "softirq" : r->ctx == CTX_HARDIRQ ? "interrupt" : NULL;
}

static void add_stretch(struct race_table *t, uint32_t nr)
{
	const struct slice *s = &t->slice;
	struct walk w = {.t = t, .st = &g_array_index(s->stretches, struct stretch, nr)};
	guint first_row = t->rows->len;
	const char *bracket = NULL;
	uint32_t last = 0;

	for (guint i = 0; i < s->picks->len; i++) {
		const struct pick *p = &g_array_index(s->picks, struct pick, i);

		if (s->stretch_of[p->event] != nr)
			continue;
		if (t->rows->len == first_row) {
			const struct trace_record *r = slice_event(s, p->event);

			w.column = column_of(t, p->event);
			bracket = t->columns[w.column].mixed || r->ctx == CTX_HARDIRQ
					  ? bracket_of(r)
					  : NULL;
			if (bracket)
				add_row(t, w.st->first, w.column, 0,
					g_strdup_printf("<%s>", bracket));
		}
		add_pick(&w, p);
		last = p->event;
	}
	for (guint i = first_row + 1; bracket && i < t->rows->len; i++)
		g_array_index(t->rows, struct row, i).depth++;
	if (bracket)
		add_row(t, last, w.column, 0, g_strdup_printf("</%s>", bracket));
}

static gint by_event(gconstpointer a, gconstpointer b)
{
	const struct row *x = a, *y = b;

	return x->event < y->event ? -1 : x->event > y->event;
}

static bool is_picked(const struct slice *s, uint32_t nr)
{
	for (guint i = 0; i < s->picks->len; i++) {
		if (s->stretch_of[g_array_index(s->picks, struct pick, i).event] == nr)
			return true;
	}
	return false;
}

static void clear_rows(struct race_table *t)
{
	for (guint i = 0; i < t->rows->len; i++)
		g_free(g_array_index(t->rows, struct row, i).text);
	g_array_set_size(t->rows, 0);
}

/* Columns first, since whether a softirq needs brackets depends on who shares its column. */
static void make_rows(struct race_table *t)
{
	const struct slice *s = &t->slice;

	clear_rows(t);
	clear_columns(t);
	for (guint i = 0; i < s->picks->len; i++) {
		uint32_t event = g_array_index(s->picks, struct pick, i).event;

		if (s->stretch_of[event] != NO_INDEX)
			column_of(t, event);
	}
	for (uint32_t nr = 0; nr < s->stretches->len; nr++) {
		if (is_picked(s, nr))
			add_stretch(t, nr);
	}
	/* A stable sort, as g_array_sort() is: rows of one event stay as they were added. */
	g_array_sort(t->rows, by_event);
}

/* ---- layout ----------------------------------------------------------------------- */

static int width_of(const struct race_table *t, int column)
{
	int width = 0;

	for (guint i = 0; i < t->rows->len; i++) {
		const struct row *row = &g_array_index(t->rows, struct row, i);

		if (row->column == column)
			width = MAX(width, INDENT * row->depth + (int)strlen(row->text));
	}
	return width;
}

/* How far right column @i may begin, so that it and those after it have room. */
static int last_start(const struct race_table *t, int i)
{
	int start = RACE_COLUMNS - width_of(t, i);

	if (i + 1 < t->nr_columns)
		start = MIN(start, last_start(t, i + 1) - NARROWEST_GAP);
	return start;
}

/* A row may run over into the next column, which is empty beside it. */
static bool place_columns(struct race_table *t)
{
	bool fits = true;
	int start;

	for (int i = 0; i < t->nr_columns; i++) {
		start = i == 0 ? LEFT : t->columns[i - 1].start + WIDEST_GAP;
		start = MIN(start, last_start(t, i));
		/* Leave room for those that come after. */
		start = MIN(start, RACE_COLUMNS -
					   (t->nr_columns - i) * (RACE_COLUMNS / t->nr_columns) +
					   (i == 0 ? 0 : RACE_COLUMNS / t->nr_columns / 3));
		if (i > 0 && start < t->columns[i - 1].start + NARROWEST_GAP) {
			start = t->columns[i - 1].start + NARROWEST_GAP;
			fits = false;
		}
		t->columns[i].start = MAX(start, LEFT);
		fits = fits && t->columns[i].start + width_of(t, i) <= RACE_COLUMNS;
	}
	return fits;
}

static char *column_label(const struct column *c, int room)
{
	GString *s = g_string_new(NULL);

	g_string_printf(s, "CPU%u (", c->cpu);
	for (guint i = 0; i < c->names->len; i++)
		g_string_append_printf(s, "%s%s", i ? ", " : "",
				       (const char *)g_ptr_array_index(c->names, i));
	g_string_append_c(s, ')');
	if ((int)s->len > room)
		g_string_printf(s, "CPU%u", c->cpu);
	return g_string_free(s, FALSE);
}

static void put_header(const struct race_table *t, struct output *o)
{
	int at[2] = {0, 0};
	GString *dashes = g_string_new(NULL);

	for (int i = 0; i < t->nr_columns; i++) {
		int start = i == 0 ? HEADER_LEFT : t->columns[i].start;
		int end = i + 1 < t->nr_columns ? t->columns[i + 1].start - 2 : RACE_COLUMNS;
		g_autofree char *label = column_label(&t->columns[i], end - start);

		output_pad(o, ' ', start - at[0]);
		output_str(o, label);
		at[0] = start + (int)strlen(label);
		g_string_append_printf(dashes, "%*s----", start - at[1], "");
		at[1] = start + 4;
	}
	output_printf(o, "\n%s\n", dashes->str);
	g_string_free(dashes, TRUE);
}

static void put_rows(const struct race_table *t, struct output *o)
{
	for (guint i = 0; i < t->rows->len; i++) {
		const struct row *row = &g_array_index(t->rows, struct row, i);
		int at = t->columns[row->column].start + INDENT * row->depth;

		at = CLAMP(at, 1, RACE_COLUMNS - 1);
		output_pad(o, ' ', at);
		clean_text(o, row->text, (size_t)(RACE_COLUMNS - at));
		output_char(o, '\n');
	}
}

static void put_caption(const struct race_table *t, struct output *o)
{
	g_autofree char *caption = words_caption(t->slice.v);
	int width = (int)strlen(caption) + 8;

	output_char(o, '\n');
	output_pad(o, ' ', MAX((RACE_COLUMNS - 9 - width) / 2, 1));
	output_str(o, "*** ");
	clean_text(o, caption, RACE_COLUMNS - 9);
	output_str(o, " ***\n");
}

static void put_wrapped(struct output *o, const char *text)
{
	int at = 0;
	g_auto(GStrv) words = g_strsplit(text, " ", 0);

	for (int i = 0; words[i]; i++) {
		int n = (int)strlen(words[i]);

		if (at > 0 && at + 1 + n > RACE_COLUMNS - 2) {
			output_char(o, '\n');
			at = 0;
		}
		/* git would take it for the end of the message, for a comment or for a diff. */
		if (at == 0 && (g_str_has_prefix(words[i], "---") || words[i][0] == '#' ||
				g_str_has_prefix(words[i], "diff")))
			output_char(o, ' ');
		if (at > 0)
			output_char(o, ' ');
		clean_line(o, words[i]);
		at += n + (at > 0);
	}
	output_char(o, '\n');
}

static void lay_out(struct race_table *t)
{
	/* Long stacks in narrow columns: show fewer of the calls in between. */
	for (t->inner_max = 3; t->inner_max > 0; t->inner_max--) {
		make_rows(t);
		if (place_columns(t))
			return;
	}
}

uint64_t race_table_write(const struct trace_file *tf, const struct trace_violation *v,
			  enum race_by by, struct output *o)
{
	struct race_table t = {.rows = g_array_new(FALSE, FALSE, sizeof(struct row))};
	uint64_t hidden;

	slice_init(&t.slice, tf, v);
	words_init(&t.words, &t.slice);
	t.by_task = by == RACE_BY_TASK || (by == RACE_BY_AUTO && sides_share_cpu(&t.slice));
	hidden = tf->nr_events - t.slice.picks->len;
	lay_out(&t);
	if (t.nr_columns > 0) {
		put_header(&t, o);
		put_rows(&t, o);
		put_caption(&t, o);
		output_char(o, '\n');
	}
	{
		g_autofree char *missing = words_order(&t.words, &t.slice);
		g_autofree char *legend = words_legend(&t.words);

		if (legend)
			put_wrapped(o, legend);
		put_wrapped(o, missing);
	}
	clear_rows(&t);
	clear_columns(&t);
	g_array_unref(t.rows);
	words_clear(&t.words);
	slice_clear(&t.slice);
	return hidden;
}

void race_sides(const struct trace_file *tf, const struct trace_violation *v,
		struct race_sides *sides)
{
	struct slice slice;
	struct words words;

	slice_init(&slice, tf, v);
	words_init(&words, &slice);
	words.in_full = true;
	sides->conflict = slice.conflict == NO_INDEX ? 0 : slice_event(&slice, slice.conflict)->seq;
	sides->guessed = slice.guessed;
	sides->order = words_order(&words, &slice);
	words_clear(&words);
	slice_clear(&slice);
}
