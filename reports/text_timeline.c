// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timeline of a text report.
 *
 * First the events are chosen, then each is given its indentation, then the
 * lines are laid out.  Up to WIDE_CPUS CPUs get a column each, where a context is
 * named when it changes; more CPUs share one column behind their number.
 */
#include "reports/export.h"
#include "reports/phrase.h"
#include "reports/text.h"

#define WIDE_CPUS 3
#define DEEPEST 2 /* levels of calls that are shown as indentation */
#define CONTEXT_WIDTH 14
#define NARROWEST 24 /* columns that a text gets at least, however deep it stands */
#define CPUS_MAX 256

/* An operation, work item or callback: the events between its begin and its end. */
struct span {
	uint32_t heading;   /* index of the line that opens it */
	uint32_t nr_lines;  /* without the heading */
	uint32_t min_depth; /* of the call stacks in it */
};

struct line {
	const struct trace_record *r;
	uint32_t span;	 /* index + 1; 0 for none */
	uint32_t folded; /* events of the same kind that follow and are not shown */
	uint64_t last_t; /* of the last one folded */
	bool hidden;
};

struct timeline {
	const struct trace_file *tf;
	struct output *o;
	GArray *lines; /* struct line */
	GArray *spans; /* struct span */
	int time_width;
	bool wide;
	int column[CPUS_MAX];	 /* first character of a CPU's column */
	uint32_t task[CPUS_MAX]; /* whose lines a column shows, 0 at first */
	uint8_t ctx[CPUS_MAX];
	uint32_t violation;  /* next violation to show */
	struct output *text; /* scratch */
};

static uint32_t stack_depth(const struct trace_record *r)
{
	uint32_t depth = 0;

	for (const struct frame *f = r->stack; f; f = f->caller)
		depth++;
	return depth;
}

/* ---- choosing ------------------------------------------------------------ */

static bool ends_span(const struct trace_record *r)
{
	return r->kind == TR_OP_END || r->kind == TR_WORK_END || r->kind == TR_SOFTIRQ_EXIT;
}

static void choose_lines(struct timeline *tl, bool verbose)
{
	g_autoptr(GHashTable) span_of = g_hash_table_new(NULL, NULL); /* task -> span + 1 */

	for (guint i = 0; i < tl->tf->events->len; i++) {
		const struct trace_record *r =
			&g_array_index(tl->tf->events, struct trace_record, i);
		gpointer task = GUINT_TO_POINTER(r->task);
		struct line line = {.r = r, .last_t = r->t};

		if (phrase_is_heading(r)) {
			struct span span = {tl->lines->len, 0, UINT32_MAX};

			g_array_append_val(tl->spans, span);
			g_hash_table_insert(span_of, task, GUINT_TO_POINTER(tl->spans->len));
		}
		if (verbose || !phrase_is_noise(r)) {
			line.span = GPOINTER_TO_UINT(g_hash_table_lookup(span_of, task));
			g_array_append_val(tl->lines, line);
		}
		if (ends_span(r))
			g_hash_table_remove(span_of, task);
	}
}

static struct line *line_at(const struct timeline *tl, guint i)
{
	return &g_array_index(tl->lines, struct line, i);
}

static bool same_run(const struct line *a, const struct line *b)
{
	const struct trace_record *x = a->r, *y = b->r;

	return x->kind == y->kind && x->task == y->task && x->cpu == y->cpu &&
	       x->arg[0] == y->arg[0] && (x->obj == 0) == (y->obj == 0);
}

/* An allocation says all that the look-up right before it said, unless that did not pin. */
static bool is_said_again(const struct line *l, const struct line *next)
{
	const struct trace_record *lookup = l->r, *alloc = next->r;
	oid_t served_by = lookup->arg[1] != 0 ? (oid_t)lookup->arg[1] : lookup->obj;
	bool pinned = lookup->arg[2] != 0;

	return lookup->kind == TR_CACHE_LOOKUP && alloc->kind == TR_OBJECT_ALLOC &&
	       lookup->task == alloc->task && pinned == (served_by != lookup->obj) &&
	       served_by == (oid_t)alloc->arg[0];
}

static struct span *span_of(const struct timeline *tl, const struct line *l)
{
	return l->span ? &g_array_index(tl->spans, struct span, l->span - 1) : NULL;
}

static void measure_spans(struct timeline *tl, bool verbose)
{
	for (guint i = 0; i < tl->lines->len; i++) {
		struct line *l = line_at(tl, i);
		struct span *span = span_of(tl, l);
		uint32_t depth;

		if (!verbose && i + 1 < tl->lines->len && is_said_again(l, line_at(tl, i + 1)))
			l->hidden = true;
		if (!span || l->hidden || i == span->heading)
			continue;
		span->nr_lines++;
		depth = stack_depth(l->r);
		if (depth > 0)
			span->min_depth = MIN(span->min_depth, depth);
	}
}

/* An operation with one event needs no heading, and a row of equal events is one line. */
static void fold_lines(struct timeline *tl)
{
	struct line *run = NULL;

	for (guint i = 0; i < tl->spans->len; i++) {
		struct span *span = &g_array_index(tl->spans, struct span, i);
		struct line *l = span->heading < tl->lines->len ? line_at(tl, span->heading) : NULL;

		if (l && l->r->kind == TR_OP_BEGIN && l->span == i + 1 && span->nr_lines == 1)
			l->hidden = true;
	}
	for (guint i = 0; i < tl->lines->len; i++) {
		struct line *l = line_at(tl, i);

		if (l->hidden)
			continue;
		if (run && same_run(run, l)) {
			run->folded++;
			run->last_t = l->r->t;
			l->hidden = true;
			continue;
		}
		run = l->r->kind == TR_OBJECT_ALLOC || l->r->kind == TR_OBJECT_FREE ? l : NULL;
	}
}

static void timeline_init(struct timeline *tl, const struct trace_file *tf, bool verbose)
{
	memset(tl, 0, sizeof(*tl));
	tl->tf = tf;
	tl->lines = g_array_new(FALSE, FALSE, sizeof(struct line));
	tl->spans = g_array_new(FALSE, FALSE, sizeof(struct span));
	choose_lines(tl, verbose);
	measure_spans(tl, verbose);
	if (!verbose)
		fold_lines(tl);
}

static void timeline_clear(struct timeline *tl)
{
	g_array_unref(tl->lines);
	g_array_unref(tl->spans);
}

size_t text_timeline_lines(const struct trace_file *tf, bool verbose)
{
	struct timeline tl;
	size_t n = 0;

	timeline_init(&tl, tf, verbose);
	for (guint i = 0; i < tl.lines->len; i++)
		n += !line_at(&tl, i)->hidden;
	timeline_clear(&tl);
	return n;
}

/* ---- laying out ---------------------------------------------------------- */

/*
 * Prints @text at @at, where the line holds @used characters, and goes on below
 * when it does not fit.
 */
static void put_wrapped(struct output *o, int used, int at, const char *text)
{
	size_t left = strlen(text);
	bool goes_on = false;

	at = MIN(at, TEXT_COLUMNS - NARROWEST);
	while (true) {
		size_t room = (size_t)(TEXT_COLUMNS - at), n = left;

		if (n > room) {
			for (n = room; n > 0 && text[n] != ' '; n--)
				;
			if (n == 0)
				n = room;
		}
		output_pad(o, ' ', at - used);
		output_bytes(o, text, n);
		output_char(o, '\n');
		text += n;
		left -= n;
		while (*text == ' ') {
			text++;
			left--;
		}
		if (left == 0)
			return;
		/* Below its own beginning, so that it stays in its column. */
		used = 0;
		at = MIN(at + (goes_on ? 0 : 4), TEXT_COLUMNS - NARROWEST);
		goes_on = true;
	}
}

static const char *scratch_text(struct timeline *tl)
{
	output_char(tl->text, 0);
	tl->text->len = 0;
	return tl->text->buf;
}

static void put_time(struct timeline *tl, uint64_t t)
{
	const char *s;

	phrase_time(tl->text, t, tl->tf->untimed);
	s = scratch_text(tl);
	output_pad(tl->o, ' ', tl->time_width - (int)strlen(s));
	output_str(tl->o, s);
}

static const char *context_name(struct timeline *tl, const struct trace_record *r)
{
	const char *comm = names_comm(tl->tf->names, r->task);

	switch (r->ctx) {
	case CTX_SOFTIRQ:
		output_str(tl->text, "<softirq>");
		break;
	case CTX_HARDIRQ:
		output_str(tl->text, "<hardirq>");
		break;
	default:
		if (comm)
			output_printf(tl->text, "[%s]", comm);
		else
			output_printf(tl->text, "[task:%u]", r->task);
		break;
	}
	return scratch_text(tl);
}

static int indent_of(const struct timeline *tl, guint i)
{
	const struct line *l = line_at(tl, i);
	const struct span *span = span_of(tl, l);
	uint32_t depth, base;

	if (!span || i == span->heading)
		return 0;
	depth = stack_depth(l->r);
	base = MIN(span->min_depth, depth);
	/* A heading that is not shown indents nothing. */
	return 2 * (int)(MIN(depth - base, DEEPEST) + !line_at(tl, span->heading)->hidden);
}

static void put_phrase(struct timeline *tl, const struct line *l)
{
	phrase_put(tl->tf->names, tl->text, l->r);
	if (l->folded > 0) {
		const char *s = scratch_text(tl);
		const char *object = g_strrstr(s, ": ");
		g_autofree char *all = g_strndup(s, object ? (size_t)(object - s) : strlen(s));

		output_printf(tl->text, "%s, %u objects until ", all, l->folded + 1);
		phrase_time(tl->text, l->last_t, tl->tf->untimed);
	}
}

/* Names the context only where it changes: equal names in a row would be noise. */
static void put_narrow(struct timeline *tl, guint i)
{
	const struct line *l = line_at(tl, i);
	const struct trace_record *r = l->r;
	bool changed = tl->task[0] != r->task || tl->ctx[0] != r->ctx;
	int at = tl->time_width + 2;

	put_time(tl, r->t);
	if (r->ctx == CTX_NONE) {
		output_str(tl->text, "-- ");
		put_phrase(tl, l);
		put_wrapped(tl->o, tl->time_width, at, scratch_text(tl));
		return;
	}
	output_printf(tl->o, "  %3u  %-*.*s", r->cpu, CONTEXT_WIDTH, CONTEXT_WIDTH - 1,
		      changed ? context_name(tl, r) : "");
	at += 5 + CONTEXT_WIDTH;
	tl->task[0] = r->task;
	tl->ctx[0] = r->ctx;
	put_phrase(tl, l);
	put_wrapped(tl->o, at, at + indent_of(tl, i), scratch_text(tl));
}

static void put_wide(struct timeline *tl, guint i)
{
	const struct line *l = line_at(tl, i);
	const struct trace_record *r = l->r;
	int at = tl->column[r->cpu];

	if (r->ctx == CTX_NONE) {
		put_time(tl, r->t);
		output_str(tl->text, "-- ");
		put_phrase(tl, l);
		put_wrapped(tl->o, tl->time_width, tl->time_width + 2, scratch_text(tl));
		return;
	}
	if (tl->task[r->cpu] != r->task || tl->ctx[r->cpu] != r->ctx) {
		output_pad(tl->o, ' ', at);
		output_str(tl->o, context_name(tl, r));
		output_char(tl->o, '\n');
		tl->task[r->cpu] = r->task;
		tl->ctx[r->cpu] = r->ctx;
	}
	put_time(tl, r->t);
	put_phrase(tl, l);
	put_wrapped(tl->o, tl->time_width, at + 2 + indent_of(tl, i), scratch_text(tl));
}

static void put_violations(struct timeline *tl, uint64_t seq)
{
	const GArray *violations = tl->tf->violations;

	for (; tl->violation < violations->len; tl->violation++) {
		const struct trace_violation *v =
			&g_array_index(violations, struct trace_violation, tl->violation);

		if (v->seq > seq)
			return;
		output_str(tl->text, "*** ");
		clean_line(tl->text, v->rule);
		output_str(tl->text, ": ");
		clean_line(tl->text, v->msg);
		put_wrapped(tl->o, 0, tl->time_width + 2, scratch_text(tl));
	}
}

static void lay_out(struct timeline *tl)
{
	bool used[CPUS_MAX] = {false};
	int nr_used = 0, nr = 0, width;
	uint64_t last = tl->tf->end;

	for (guint i = 0; i < tl->lines->len; i++) {
		const struct line *l = line_at(tl, i);

		last = MAX(last, l->r->t);
		if (!l->hidden && l->r->ctx != CTX_NONE && !used[l->r->cpu]) {
			used[l->r->cpu] = true;
			nr_used++;
		}
	}
	phrase_time(tl->text, last, tl->tf->untimed);
	tl->time_width = (int)strlen(scratch_text(tl));
	tl->time_width = MAX(tl->time_width, 9);
	tl->wide = nr_used <= WIDE_CPUS;
	/* The last column gets more room: the others can run over into what is empty there. */
	width = (TEXT_COLUMNS - tl->time_width - 2) / (MAX(nr_used, 1) + 1);
	for (int cpu = 0; cpu < CPUS_MAX; cpu++) {
		if (used[cpu])
			tl->column[cpu] = tl->time_width + 2 + width * nr++;
	}
}

static void put_header_row(struct timeline *tl, const char *what, const char *name)
{
	int at = 0;

	output_pad(tl->o, ' ', tl->time_width - (int)strlen(what));
	output_str(tl->o, what);
	at = tl->time_width;
	for (int cpu = 0; tl->wide && cpu < CPUS_MAX; cpu++) {
		g_autofree char *s = NULL;

		if (tl->column[cpu] == 0)
			continue;
		s = name ? g_strdup_printf("%s%d", name, cpu) : g_strdup("----");
		output_pad(tl->o, ' ', tl->column[cpu] - at);
		output_str(tl->o, s);
		at = tl->column[cpu] + (int)strlen(s);
	}
	if (!tl->wide)
		output_printf(tl->o, "  %s  %-*s%s", name ? "CPU" : "---", CONTEXT_WIDTH,
			      name ? "context" : "-------", name ? "event" : "-----");
	output_char(tl->o, '\n');
}

void text_timeline(const struct trace_file *tf, bool verbose, struct output *o)
{
	struct timeline tl;
	bool any = false;

	timeline_init(&tl, tf, verbose);
	tl.o = o;
	tl.text = output_memory();
	lay_out(&tl);
	if (tf->nr_dropped > 0)
		output_printf(o, "(the first %" G_GUINT64_FORMAT " events are left out)\n",
			      tf->nr_dropped);
	put_header_row(&tl, tf->untimed ? "step" : "time us", "CPU");
	put_header_row(&tl, tf->untimed ? "----" : "-------", NULL);
	for (guint i = 0; i < tl.lines->len; i++) {
		const struct line *l = line_at(&tl, i);

		put_violations(&tl, l->r->seq - 1);
		if (l->hidden)
			continue;
		any = true;
		if (tl.wide)
			put_wide(&tl, i);
		else
			put_narrow(&tl, i);
	}
	put_violations(&tl, UINT64_MAX);
	if (!any)
		output_str(o, "  (no events)\n");
	output_discard(tl.text);
	timeline_clear(&tl);
}
