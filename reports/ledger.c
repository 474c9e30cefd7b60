// SPDX-License-Identifier: GPL-2.0-only
#include "reports/ledger.h"

#include "reports/export.h"
#include "reports/ledger_fold.h"
#include "reports/phrase.h"

#define ROWS_MAX 40
#define CAUSES_MAX 64
#define NAMED_MAX 8   /* objects that an error names */
#define HOLDER_MIN 20 /* of the column */
#define HOLDER_MAX 56
#define STACK_LEFT 7
#define STACK_RIGHT 90

/* ---- which object -------------------------------------------------------- */

static char *name_of(const struct trace_file *tf, oid_t obj)
{
	struct output *o = output_memory();
	char *name;

	names_put(tf->names, o, obj);
	name = g_strndup(o->buf, o->len);
	output_discard(o);
	return name;
}

static bool is_called(const struct trace_file *tf, oid_t obj, const char *name)
{
	g_autofree char *called = name_of(tf, obj);
	const char *bare = names_of(tf->names, obj);
	char buf[32];

	return strcmp(oid_text(obj, buf), name) == 0 || strcmp(called, name) == 0 ||
	       (bare && oid_kind(obj) != OBJ_CGROUP && strcmp(bare, name) == 0);
}

oid_t ledger_find(const struct trace_file *tf, const char *name, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
	g_autoptr(GString) there = g_string_new(NULL);
	char buf[32];

	for (guint i = 0; i < tf->events->len; i++) {
		const struct trace_record *r = event_at(tf, i);

		if (!ledger_is_ref(r->kind) || !g_hash_table_add(seen, (gpointer)&r->obj))
			continue;
		if (is_called(tf, r->obj, name))
			return r->obj;
		if (g_hash_table_size(seen) <= NAMED_MAX)
			g_string_append_printf(there, "%s%s", there->len > 0 ? ", " : "",
					       oid_text(r->obj, buf));
	}
	if (g_hash_table_size(seen) > NAMED_MAX)
		g_string_append(there, ", ...");
	g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_USAGE,
		    "the trace has no reference to '%s'; counted are: %s", name,
		    there->len > 0 ? there->str : "none");
	return 0;
}

/* Objects that have a counter, as keys. */
static GHashTable *counted_objects(const struct trace_file *tf)
{
	GHashTable *counted = g_hash_table_new(g_int64_hash, g_int64_equal);

	for (guint i = 0; i < tf->events->len; i++) {
		const struct trace_record *r = event_at(tf, i);

		if (ledger_is_ref(r->kind))
			g_hash_table_add(counted, (gpointer)&r->obj);
	}
	return counted;
}

static oid_t counted_of(const struct trace_file *tf, GHashTable *counted, oid_t obj)
{
	oid_t subject = obj ? names_subject(tf->names, obj) : 0;

	if (obj && g_hash_table_contains(counted, &obj))
		return obj;
	return subject && g_hash_table_contains(counted, &subject) ? subject : 0;
}

static oid_t counted_in(const struct trace_file *tf, GHashTable *counted,
			const struct trace_record *r)
{
	oid_t obj = r ? counted_of(tf, counted, r->obj) : 0;

	for (int i = 0; r && !obj && i < TRACE_NR_ARGS; i++) {
		if (trace_kinds[r->kind].arg[i][0] == 'o')
			obj = counted_of(tf, counted, (oid_t)r->arg[i]);
	}
	return obj;
}

oid_t ledger_blamed(const struct trace_file *tf)
{
	g_autoptr(GHashTable) counted = counted_objects(tf);
	const struct trace_violation *v;
	const struct trace_record *r, *r0;
	oid_t obj;

	if (tf->violations->len == 0)
		return 0;
	v = trace_file_blamed(tf);
	obj = counted_of(tf, counted, v->obj);
	for (size_t i = 0; i < G_N_ELEMENTS(v->related) && !obj; i++)
		obj = counted_in(tf, counted, trace_file_find(tf, v->related[i]));
	/* Up the causes, from the violation back. */
	r = r0 = trace_file_find(tf, v->seq);
	for (int steps = 0; r && !obj && steps < CAUSES_MAX; steps++) {
		obj = counted_in(tf, counted, r);
		r = r->cause ? trace_file_find(tf, r->cause) : NULL;
	}
	/* Else what it handled last, before it came to this. */
	for (guint i = 0; i < tf->events->len && !obj && r0; i++) {
		const struct trace_record *before = r0 - i;

		if (before < event_at(tf, 0))
			break;
		if (before->task == r0->task)
			obj = counted_in(tf, counted, before);
	}
	return obj;
}

/* ---- writing ------------------------------------------------------------- */

static void put_time(const struct ledger *l, uint64_t t)
{
	phrase_time(l->o, t, l->tf->untimed);
	output_str(l->o, l->tf->untimed ? " steps" : " us");
}

static void put_event(const struct ledger *l, const char *what, const struct trace_record *r,
		      const char *otherwise)
{
	if (!r) {
		output_str(l->o, otherwise);
		return;
	}
	output_printf(l->o, "%s ev %" G_GUINT64_FORMAT " ", what, r->seq);
	put_time(l, (uint64_t)r->t);
}

static void put_holder(const struct ledger *l, enum holder holder, oid_t owner, struct output *o)
{
	output_str(o, holder_name(holder));
	if (owner != 0) {
		output_str(o, " of ");
		names_put(l->tf->names, o, owner);
	}
}

static void put_head(const struct ledger *l)
{
	g_autofree char *name = name_of(l->tf, l->obj);
	char buf[32];

	output_printf(l->o, "REFERENCE LEDGER  %s (%s)\n", oid_text(l->obj, buf), name);
	put_event(l, "born", l->born, "born before the trace");
	put_event(l, ", base killed", l->killed, ", base not killed");
	put_event(l, ", freed", l->freed, ", never freed");
	output_char(l->o, '\n');
}

/* Of this object if it has one; else whose it is, so that nobody looks for it here. */
static void put_verdict(const struct ledger *l)
{
	const struct trace_violation *blamed = trace_file_blamed(l->tf);

	for (guint i = 0; i < l->tf->violations->len; i++) {
		const struct trace_violation *v =
			&g_array_index(l->tf->violations, struct trace_violation, i);

		if (v->obj != l->obj)
			continue;
		output_str(l->o, "   verdict: ");
		clean_line(l->o, v->rule);
		output_printf(l->o, " at ev %" G_GUINT64_FORMAT, v->seq);
		return;
	}
	output_str(l->o, "   no violation of this object");
	if (blamed && blamed->obj != 0) {
		output_str(l->o, "; ");
		clean_line(l->o, blamed->rule);
		output_str(l->o, " of ");
		names_put(l->tf->names, l->o, blamed->obj);
		output_printf(l->o, " at ev %" G_GUINT64_FORMAT, blamed->seq);
	}
}

/* All of it, over as many lines as it takes. */
static void put_call_stack(struct output *o, const struct frame *stack)
{
	int at = STACK_LEFT;

	output_pad(o, ' ', STACK_LEFT);
	for (const struct frame *f = stack; f; f = f->caller) {
		int n = (int)strlen(f->func) + (f->caller ? 3 : 0);

		if (at > STACK_LEFT && at + 1 + n > STACK_RIGHT) {
			output_char(o, '\n');
			output_pad(o, ' ', STACK_LEFT);
			at = STACK_LEFT;
		}
		if (at > STACK_LEFT) {
			output_char(o, ' ');
			at++;
		}
		clean_text(o, f->func, strlen(f->func));
		output_str(o, f->caller ? " <-" : "");
		at += n;
	}
	output_char(o, '\n');
}

static void put_held(const struct ledger *l)
{
	uint64_t end = export_end(l->tf);

	output_printf(l->o, "\nHELD AT END: %" G_GINT64_FORMAT, l->count);
	put_verdict(l);
	output_char(l->o, '\n');
	if (l->freed_with != 0)
		output_printf(l->o,
			      "FREED WITH %" G_GINT64_FORMAT " HELD, at ev %" G_GUINT64_FORMAT "\n",
			      l->freed_with, l->freed->seq);
	for (guint i = 0; i < l->takes->len; i++) {
		const struct take *t = ledger_take(l, i);

		output_printf(l->o, "  %" G_GINT64_FORMAT " x ", t->n);
		put_holder(l, t->holder, t->owner, l->o);
		output_printf(l->o, ", taken ev %" G_GUINT64_FORMAT " CPU%u, held for ", t->r->seq,
			      t->r->cpu);
		put_time(l, end - MIN(end, (uint64_t)t->r->t));
		output_printf(l->o, "\n    %s\n    by %s-%u%s\n", holder_meaning(t->holder),
			      export_comm(l->tf, t->r), t->r->task, t->r->stack ? ":" : "");
		if (t->r->stack)
			put_call_stack(l->o, t->r->stack);
	}
}

static const char *op_of(const struct trace_record *r)
{
	switch (r->kind) {
	case TR_REF_INIT:
		return "init";
	case TR_REF_GET:
		return "get";
	case TR_REF_TRYGET:
		return r->arg[0] ? "get" : "fail";
	case TR_REF_PUT:
		return "put";
	case TR_REF_MOVE:
		return "move";
	case TR_REF_KILL:
		return "kill";
	case TR_REF_ATOMIC:
		return "atom";
	case TR_REF_ZERO:
		return "zero";
	case TR_REF_EXIT:
		return "exit";
	default:
		return "free";
	}
}

static void put_what(const struct ledger *l, const struct trace_record *r, struct output *o)
{
	switch (r->kind) {
	case TR_REF_INIT:
	case TR_REF_KILL:
		output_str(o, "base");
		break;
	case TR_REF_GET:
	case TR_REF_PUT:
	case TR_REF_TRYGET:
		put_holder(l, ledger_holder(r->arg[1]), (oid_t)r->arg[2], o);
		break;
	case TR_REF_MOVE:
		output_printf(o, "%s -> ", holder_name(ledger_holder(r->arg[1])));
		put_holder(l, ledger_holder(r->arg[2]), (oid_t)r->arg[3], o);
		break;
	case TR_REF_ATOMIC:
		output_printf(o, "switched to atomic, true count %" G_GINT64_FORMAT, r->arg[0]);
		break;
	case TR_REF_ZERO:
		output_str(o, "the last one is gone");
		break;
	case TR_REF_EXIT:
		output_str(o, "the counter is freed");
		break;
	default:
		output_str(o, "the object is freed");
		break;
	}
}

static void put_row(const struct ledger *l, const struct trace_record *r, int width)
{
	struct output *cell = output_memory();

	phrase_time(cell, (uint64_t)r->t, l->tf->untimed);
	output_pad(l->o, ' ', 14 - (int)cell->len);
	output_bytes(l->o, cell->buf, cell->len);
	output_printf(l->o, " %7" G_GUINT64_FORMAT " %3u %-16.16s %-5s", r->seq, r->cpu,
		      export_comm(l->tf, r), op_of(r));
	cell->len = 0;
	put_what(l, r, cell);
	if ((int)cell->len > width) {
		cell->len = (size_t)width - 3;
		output_str(cell, "...");
	}
	output_bytes(l->o, cell->buf, cell->len);
	output_pad(l->o, ' ', width - (int)cell->len);
	output_printf(l->o, "%6" G_GINT64_FORMAT "%s%s\n", l->count,
		      l->missing ? " (unbalanced)" : "",
		      l->freed && l->freed != r ? " (after it was freed)" : "");
	output_discard(cell);
}

static int widest_holder(const struct ledger *l)
{
	struct output *cell = output_memory();
	int width = HOLDER_MIN;

	for (guint i = 0; i < l->tf->events->len; i++) {
		const struct trace_record *r = event_at(l->tf, i);

		if (!ledger_belongs(l, r))
			continue;
		cell->len = 0;
		put_what(l, r, cell);
		width = MAX(width, (int)cell->len);
	}
	output_discard(cell);
	return MIN(width, HOLDER_MAX);
}

/* Folds again, since a row shows the count right after it; the last @max rows, 0 for all. */
static void put_history(struct ledger *l, guint nr_rows, guint max)
{
	guint skip = max > 0 && nr_rows > max ? nr_rows - max : 0;
	int width = widest_holder(l);

	output_printf(l->o, "\nHISTORY%s\n%14s %7s %3s %-16s %-5s%-*s %5s\n",
		      l->tf->untimed ? " (time in steps)" : " (time in us)", "time", "ev", "cpu",
		      "task", "op", width, "holder", "count");
	if (skip > 0)
		output_printf(l->o, "  %u earlier rows are not shown; --verbose shows all\n", skip);
	ledger_start(l);
	for (guint i = 0; i < l->tf->events->len; i++) {
		const struct trace_record *r = event_at(l->tf, i);

		if (!ledger_belongs(l, r))
			continue;
		ledger_apply(l, r);
		if (skip > 0)
			skip--;
		else
			put_row(l, r, width);
	}
}

static void put_balance(const struct ledger *l)
{
	const struct trace_violation *v = trace_file_blamed(l->tf);
	bool is_leak = v && v->obj == l->obj && strcmp(v->rule, "leak") == 0;

	output_printf(l->o, "\nBALANCE %-20s %8s %8s %8s\n", "", "taken", "dropped", "held");
	for (int i = 0; i < NR_HOLDERS; i++) {
		const struct balance *b = &l->balance[i];
		int64_t held = b->taken - b->dropped;

		if (b->taken == 0 && b->dropped == 0)
			continue;
		output_printf(l->o,
			      "  %-26s %8" G_GINT64_FORMAT " %8" G_GINT64_FORMAT
			      " %8" G_GINT64_FORMAT "%s\n",
			      holder_name((enum holder)i), b->taken, b->dropped, held,
			      held < 0		     ? "   <-- dropped more often than taken"
			      : held > 0 && l->freed ? "   <-- still held when it was freed"
			      : held > 0 && (l->killed || is_leak) ? "   <-- not dropped"
								   : "");
	}
}

void ledger_write(const struct trace_file *tf, oid_t obj, bool verbose, struct output *o)
{
	struct ledger l = {.tf = tf, .obj = obj, .o = o};
	guint nr_rows = 0;

	l.takes = g_array_new(FALSE, FALSE, sizeof(struct take));
	for (guint i = 0; i < tf->events->len; i++) {
		const struct trace_record *r = event_at(tf, i);

		if (!ledger_belongs(&l, r))
			continue;
		ledger_apply(&l, r);
		nr_rows++;
	}
	put_head(&l);
	put_held(&l);
	put_history(&l, nr_rows, verbose ? 0 : ROWS_MAX);
	put_balance(&l);
	g_array_unref(l.takes);
}

/* ---- both sides of a race ------------------------------------------------- */

#define BUDGET_MAX 8 /* references of one side that are listed */

static bool is_on_side(const struct take *t, uint32_t task, const uint32_t sides[2])
{
	return task != 0 ? t->r->task == task : t->r->task != sides[0] && t->r->task != sides[1];
}

/* @task: 0 for whoever is on neither side */
static void put_side(const struct ledger *l, uint32_t task, const uint32_t sides[2])
{
	const char *comm = task != 0 ? names_comm(l->tf->names, task) : "taken by others";
	int nr = 0;

	output_printf(l->o, " %s:", comm ? comm : ctx_kind_name(CTX_TASK));
	for (guint i = 0; i < l->takes->len; i++) {
		const struct take *t = ledger_take(l, i);

		if (!is_on_side(t, task, sides) || nr++ >= BUDGET_MAX)
			continue;
		output_str(l->o, nr == 1 ? "\n  " : "  ");
		put_holder(l, t->holder, t->owner, l->o);
		output_printf(l->o, " (event %" G_GUINT64_FORMAT ")\n", t->r->seq);
	}
	if (nr > BUDGET_MAX)
		output_printf(l->o, "  and %d more\n", nr - BUDGET_MAX);
	if (nr == 0)
		output_str(l->o, " none\n");
}

void ledger_budget_write(const struct trace_file *tf, oid_t obj, uint64_t seq,
			 const uint32_t sides[2], struct output *o)
{
	struct ledger l = {.tf = tf, .obj = obj, .o = o};

	l.takes = g_array_new(FALSE, FALSE, sizeof(struct take));
	for (guint i = 0; i < tf->events->len && event_at(tf, i)->seq < seq; i++) {
		if (ledger_belongs(&l, event_at(tf, i)))
			ledger_apply(&l, event_at(tf, i));
	}
	if (l.born || l.takes->len > 0) {
		output_str(o, "\nReferences to ");
		names_put(tf->names, o, obj);
		output_printf(o,
			      " on both sides, before event %" G_GUINT64_FORMAT
			      ": %" G_GINT64_FORMAT "\n",
			      seq, l.count);
		for (int i = 0; i < 2; i++) {
			if (sides[i] != 0 && (i == 0 || sides[i] != sides[0]))
				put_side(&l, sides[i], sides);
		}
		put_side(&l, 0, sides);
	}
	g_array_unref(l.takes);
}
