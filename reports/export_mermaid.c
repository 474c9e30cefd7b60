// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Mermaid sequence diagram, to paste into an issue.  It shows what led to the
 * first violation; without one, the deferred work.  More than a screenful of it
 * cannot be read, so it keeps the last NOTES_MAX events and says how many it left out.
 */
#include "reports/export.h"
#include "reports/lanes.h"
#include "reports/phrase.h"
#include "reports/race_slice.h"

#define NOTES_MAX 40
#define TEXT_MAX 70

struct diagram {
	const struct trace_file *tf;
	struct lanes *lanes;
	struct output *o;
	GHashTable *shown; /* index + 1 of events */
	GHashTable *cause; /* index + 1 of an event -> index + 1 of what led to it */
};

/* ";" ends a statement, "#" begins an entity, ":" ends a name, "<" may be taken for markup. */
static void put_text(struct output *o, const char *s)
{
	for (size_t i = 0; i < TEXT_MAX && s[i]; i++) {
		bool plain = g_ascii_isalnum(s[i]) || strchr(" _./,()=+*-", s[i]);

		output_char(o, plain ? s[i] : s[i] == ':' ? ' ' : '?');
	}
}

static void show(struct diagram *d, guint i, guint cause)
{
	g_hash_table_add(d->shown, GUINT_TO_POINTER(i + 1));
	if (cause == NO_INDEX)
		return;
	g_hash_table_add(d->shown, GUINT_TO_POINTER(cause + 1));
	g_hash_table_insert(d->cause, GUINT_TO_POINTER(i + 1), GUINT_TO_POINTER(cause + 1));
}

static bool is_shown(const struct diagram *d, guint i)
{
	return g_hash_table_contains(d->shown, GUINT_TO_POINTER(i + 1));
}

/* @event, and what its stretch goes back to. */
static void show_ancestors(struct diagram *d, const struct slice *s, guint event)
{
	while (event != NO_INDEX && !is_shown(d, event)) {
		uint32_t stretch = s->stretch_of[event], cause;
		const struct stretch *st;

		show(d, event, NO_INDEX);
		if (stretch == NO_INDEX)
			return;
		st = &g_array_index(s->stretches, struct stretch, stretch);
		cause = slice_cause(s, st);
		if (cause == NO_INDEX || cause >= st->first)
			return;
		show(d, st->first, NO_INDEX);
		g_hash_table_insert(d->cause, GUINT_TO_POINTER(st->first + 1),
				    GUINT_TO_POINTER(cause + 1));
		event = cause;
	}
}

static void choose_violation(struct diagram *d)
{
	struct slice s;

	slice_init(&s, d->tf, trace_file_blamed(d->tf));
	for (guint i = 0; i < s.picks->len; i++)
		show_ancestors(d, &s, g_array_index(s.picks, struct pick, i).event);
	show_ancestors(d, &s, s.violation);
	show_ancestors(d, &s, s.conflict);
	slice_clear(&s);
}

static void choose_deferred(struct diagram *d)
{
	for (guint i = 0; i < d->tf->events->len; i++) {
		const struct trace_record *r = event_at(d->tf, i);

		if (r->via == VIA_CALL_RCU || r->via == VIA_QUEUE_WORK || r->via == VIA_LAST_PUT)
			show(d, i, slice_index(d->tf, r->cause));
	}
}

static void put_note(struct diagram *d, const struct trace_record *r)
{
	struct output *text = output_memory();

	output_printf(text, "(%" G_GUINT64_FORMAT ") ", r->seq);
	phrase_put(d->tf->names, text, r);
	output_char(text, 0);
	output_printf(d->o, "    Note over c%u: ", r->task);
	put_text(d->o, text->buf);
	output_char(d->o, '\n');
	output_discard(text);
}

/* What is already on the page can be pointed from; what was cut off can't. */
static void put_event(struct diagram *d, guint i, guint first)
{
	const struct trace_record *r = event_at(d->tf, i), *from;
	guint cause = GPOINTER_TO_UINT(g_hash_table_lookup(d->cause, GUINT_TO_POINTER(i + 1)));

	if (cause > first) {
		from = event_at(d->tf, cause - 1);
		output_printf(d->o, "    c%u-)c%u: %s\n", from->task, r->task,
			      r->via != VIA_NONE ? via_name((enum via)r->via)
						 : trace_kinds[from->kind].name);
	}
	put_note(d, r);
}

static void put_violation(struct diagram *d)
{
	const struct trace_violation *v = trace_file_blamed(d->tf);
	const struct trace_record *r = trace_file_find(d->tf, v->seq);
	g_autofree char *upper = g_ascii_strup(v->rule, -1);

	if (!r)
		return;
	output_printf(d->o, "    Note over c%u: *** ", r->task);
	put_text(d->o, upper);
	output_str(d->o, " ***\n");
}

/* In the order of the lanes, not of their first event: a diagram reads from CPU to CPU. */
static guint put_participants(struct diagram *d, guint first)
{
	g_autoptr(GHashTable) used = g_hash_table_new(NULL, NULL);
	guint n = 0;

	for (guint i = first; i < d->tf->events->len; i++) {
		if (is_shown(d, i))
			g_hash_table_add(used, lanes_of(d->lanes, event_at(d->tf, i)));
	}
	for (guint i = 0; i < d->lanes->all->len; i++) {
		const struct lane *lane = g_ptr_array_index(d->lanes->all, i);

		if (!g_hash_table_contains(used, lane))
			continue;
		output_printf(d->o, "    participant c%u as ", lane->task);
		put_text(d->o, lane->name);
		output_char(d->o, '\n');
		n++;
	}
	return n;
}

/* Index of the first event that is not cut off. */
static guint first_shown(const struct diagram *d, guint *nr_hidden)
{
	guint nr = g_hash_table_size(d->shown), i = 0;

	*nr_hidden = nr > NOTES_MAX ? nr - NOTES_MAX : 0;
	for (guint skip = *nr_hidden; skip > 0; i++)
		skip -= is_shown(d, i);
	return i;
}

static void put_diagram(struct diagram *d)
{
	guint nr_hidden, first = first_shown(d, &nr_hidden);

	output_str(d->o, "sequenceDiagram\n");
	if (put_participants(d, first) == 0) {
		output_str(d->o, "    participant c0 as machinery\n"
				 "    Note over c0: no deferred work\n");
		return;
	}
	for (guint i = first; i < d->tf->events->len; i++) {
		if (!is_shown(d, i))
			continue;
		if (nr_hidden > 0)
			output_printf(d->o, "    Note over c%u: %u earlier events not shown\n",
				      event_at(d->tf, i)->task, nr_hidden);
		nr_hidden = 0;
		put_event(d, i, first);
	}
	if (d->tf->violations->len > 0)
		put_violation(d);
}

void export_mermaid(const struct trace_file *tf, struct output *o)
{
	struct diagram d = {tf, lanes_new(tf), o, g_hash_table_new(NULL, NULL),
			    g_hash_table_new(NULL, NULL)};

	if (tf->violations->len > 0)
		choose_violation(&d);
	else
		choose_deferred(&d);
	put_diagram(&d);
	g_hash_table_destroy(d.shown);
	g_hash_table_destroy(d.cause);
	lanes_free(d.lanes);
}
