// SPDX-License-Identifier: GPL-2.0-only
#include "reports/diff_match.h"

#include "reports/phrase.h"
#include "reports/text.h"

#define WIDTH TEXT_COLUMNS
#define LEFT_WIDTH 48 /* of the column of A */
#define ROWS_MAX 60   /* of the columns */
#define BEFORE 3      /* equal rows before the first divergence */
#define FLIPS_MAX 12
#define PER_OBJECT_MAX 400 /* events on one object that are compared pairwise */

/* ---- printing --------------------------------------------------------------------------- */

/* Pads or cuts to @width. */
static void put_cell(struct output *o, const char *text, int width)
{
	int n = (int)strlen(text);

	output_bytes(o, text, (size_t)MIN(n, width));
	output_pad(o, ' ', width - n);
}

static void put_run(const struct diff *d, const struct side *s)
{
	const struct trace_file *tf = s->tf;

	output_printf(d->o, "%s  ", s->name);
	text_verdict(tf, false, d->o);
	(void)d;
}

static void put_verdicts(const struct diff *d)
{
	const struct trace_file *a = d->side[0].tf, *b = d->side[1].tf;

	put_run(d, &d->side[0]);
	put_run(d, &d->side[1]);
	output_printf(d->o, "%s scenario, %s lifecycle, %s seed, %s order; ",
		      strcmp(a->scenario, b->scenario) == 0 ? "same" : "another",
		      strcmp(a->lifecycle, b->lifecycle) == 0 ? "same" : "another",
		      a->seed == b->seed ? "same" : "another",
		      strcmp(a->order, b->order) == 0 ? "same" : "another");
	output_printf(d->o, "the first %u events are the same\n", d->prefix);
}

/* One line, which ends where the page does. */
static void put_line(struct output *o, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

static void put_line(struct output *o, const char *fmt, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	output_printf(o, "%.*s\n", WIDTH, text);
}

static char *time_of(const struct trace_file *tf, uint64_t t)
{
	struct output *o = output_memory();
	char *s;

	phrase_time(o, t, tf->untimed);
	output_str(o, tf->untimed ? " steps" : " us");
	s = g_strndup(o->buf, o->len);
	output_discard(o);
	return s;
}

static void put_step(const struct diff *d, const struct side *s, uint32_t i)
{
	const struct step *step = i < s->steps->len ? step_at(s, i) : NULL;
	g_autofree char *t = step ? time_of(s->tf, step->r->t) : NULL;

	if (step)
		put_line(d->o, "  %s  %s on CPU%u, event %" G_GUINT64_FORMAT " at %s: %s", s->name,
			 step->context, step->r->cpu, step->r->seq, t, step->text);
	else
		put_line(d->o, "  %s  has ended", s->name);
}

static void put_divergence(const struct diff *d)
{
	const struct step *last = d->prefix > 0 ? step_at(&d->side[0], d->prefix - 1) : NULL;

	output_char(d->o, '\n');
	if (last)
		put_line(d->o, "FIRST DIVERGENCE  after event %" G_GUINT64_FORMAT ", CPU%u %s: %s",
			 last->r->seq, last->r->cpu, last->context, last->text);
	else
		put_line(d->o, "FIRST DIVERGENCE  from the beginning");
	put_step(d, &d->side[0], d->prefix);
	put_step(d, &d->side[1], d->prefix);
}

static char *cell_of(const struct side *s, uint32_t i)
{
	const struct step *step = step_at(s, i);

	return g_strdup_printf("%" G_GUINT64_FORMAT " %u %s", step->r->seq, step->r->cpu,
			       step->text);
}

static void put_row(const struct diff *d, uint32_t a, char mark, uint32_t b)
{
	g_autofree char *left = a == NONE ? g_strdup("") : cell_of(&d->side[0], a);
	g_autofree char *right = b == NONE ? g_strdup("") : cell_of(&d->side[1], b);
	int room = WIDTH - LEFT_WIDTH - 3;

	output_str(d->o, "  ");
	put_cell(d->o, left, LEFT_WIDTH - 2);
	output_char(d->o, ' ');
	output_char(d->o, mark);
	if (*right)
		output_printf(d->o, " %.*s", room, right);
	output_char(d->o, '\n');
}

/* "<" only in A, ">" only in B, "!" not quite the same, "~" in another order. */
static void put_columns(const struct diff *d)
{
	const struct side *a = &d->side[0], *b = &d->side[1];
	uint32_t i = d->prefix - MIN(d->prefix, BEFORE), j = i;
	int rows = 0;

	output_printf(d->o, "\n  %-*s %s\n  %-*s %s\n", LEFT_WIDTH, "A", "B", LEFT_WIDTH, "----",
		      "----");
	while ((i < a->steps->len || j < b->steps->len) && rows++ < ROWS_MAX) {
		uint32_t at_a = i < a->steps->len ? i : NONE, at_b = j < b->steps->len ? j : NONE;
		uint32_t partner_a = at_a != NONE ? step_at(a, i)->partner : NONE;
		uint32_t partner_b = at_b != NONE ? step_at(b, j)->partner : NONE;

		if (at_a != NONE && at_b != NONE && partner_a == j) {
			bool same = diff_same_deed(step_at(a, i), step_at(b, j));

			put_row(d, i++, same ? ' ' : '!', j++);
		} else if (at_a != NONE && (partner_a == NONE || at_b == NONE || partner_a < j)) {
			put_row(d, i++, partner_a == NONE ? '<' : '~', NONE);
		} else if (at_b != NONE && (partner_b == NONE || at_a == NONE || partner_b < i)) {
			put_row(d, NONE, partner_b == NONE ? '>' : '~', j++);
		} else {
			/* Both come elsewhere: A goes on, and B's partner follows. */
			put_row(d, i++, '~', NONE);
		}
	}
	if (i < a->steps->len || j < b->steps->len)
		output_printf(d->o, "  ... %u more events in A, %u in B\n", a->steps->len - i,
			      b->steps->len - j);
}

/* ---- order changes ------------------------------------------------------------------------ */

static oid_t about(const struct trace_file *tf, const struct trace_record *r)
{
	oid_t subject;

	if (r->kind == TR_CALL_RCU || r->kind == TR_RCU_CALLBACK || r->kind == TR_WORK_START)
		return (oid_t)r->arg[0];
	subject = oid_kind(r->obj) == OBJ_WORK ? names_subject(tf->names, r->obj) : 0;
	return subject ? subject : r->obj;
}

/* Is there a pair that could matter: one object, two contexts, and in A @x comes before @y? */
static bool is_flipped(const struct diff *d, uint32_t x, uint32_t y)
{
	const struct step *sx = step_at(&d->side[0], x), *sy = step_at(&d->side[0], y);

	return sx->context != sy->context && sx->partner > sy->partner;
}

static void put_flip(const struct diff *d, uint32_t x, uint32_t y)
{
	const struct step *sx = step_at(&d->side[0], x), *sy = step_at(&d->side[0], y);

	put_line(d->o, "  %s (%s)", sx->text, sx->context);
	put_line(d->o, "    vs  %s (%s)", sy->text, sy->context);
}

struct flips {
	int nr, shown;
	GHashTable *pairs; /* texts that were shown */
};

static void put_flips_of(const struct diff *d, const GArray *list, struct flips *f)
{
	for (guint i = 0; i < list->len; i++) {
		for (guint j = i + 1; j < list->len; j++) {
			uint32_t x = g_array_index(list, uint32_t, i);
			uint32_t y = g_array_index(list, uint32_t, j);
			g_autofree char *pair = NULL;

			if (!is_flipped(d, x, y))
				continue;
			pair = g_strdup_printf("%s|%s", step_at(&d->side[0], x)->text,
					       step_at(&d->side[0], y)->text);
			if (!g_hash_table_add(f->pairs, g_steal_pointer(&pair)))
				continue;
			f->nr++;
			if (f->shown < FLIPS_MAX) {
				put_flip(d, x, y);
				f->shown++;
			}
		}
	}
}

static void put_flips(const struct diff *d)
{
	const struct side *a = &d->side[0];
	g_autoptr(GHashTable) lists = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
							    (GDestroyNotify)g_array_unref);
	g_autoptr(GPtrArray) in_order = g_ptr_array_new();
	struct flips f = {.pairs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};

	for (uint32_t i = 0; i < a->steps->len; i++) {
		oid_t obj = about(a->tf, step_at(a, i)->r);
		GArray *list;

		if (obj == 0 || step_at(a, i)->partner == NONE)
			continue;
		list = g_hash_table_lookup(lists, &obj);
		if (!list) {
			list = g_array_new(FALSE, FALSE, sizeof(uint32_t));
			g_hash_table_insert(lists, g_memdup2(&obj, sizeof(obj)), list);
			g_ptr_array_add(in_order, list);
		}
		if (list->len < PER_OBJECT_MAX)
			g_array_append_val(list, i);
	}
	output_str(d->o,
		   "\nORDER CHANGES  (pairs about one object; A has the first one first, B the "
		   "second)\n");
	for (guint i = 0; i < in_order->len; i++)
		put_flips_of(d, g_ptr_array_index(in_order, i), &f);
	if (f.nr == 0)
		output_str(d->o, "  none\n");
	else if (f.nr > f.shown)
		output_printf(d->o, "  ... and %d more\n", f.nr - f.shown);
	g_hash_table_destroy(f.pairs);
}

/* ---- end state ----------------------------------------------------------------------------- */

static void put_end_row(const struct diff *d, const char *what, int64_t a, int64_t b)
{
	output_printf(d->o, "  %-30s %12" G_GINT64_FORMAT " %12" G_GINT64_FORMAT "%s\n", what, a, b,
		      a == b ? "" : "   <--");
}

static char *life_time(const struct trace_file *tf, const struct life *l)
{
	struct output *o = output_memory();
	char *s;

	if (!l || !l->seen[LIFE_CREATED])
		output_str(o, "-");
	else if (!l->seen[LIFE_FREED])
		output_str(o, "not freed");
	else
		phrase_time(o, l->at[LIFE_FREED] - l->at[LIFE_CREATED], tf->untimed);
	s = g_strndup(o->buf, o->len);
	output_discard(o);
	return s;
}

static const struct life *life_named(const struct trace_file *tf, const char *name)
{
	for (guint i = 0; i < tf->summary->caches->len; i++) {
		const struct life *l = g_ptr_array_index(tf->summary->caches, i);
		const char *other = names_of(tf->names, l->id);

		if (other && strcmp(other, name) == 0)
			return l;
	}
	return NULL;
}

static void put_lives(const struct diff *d)
{
	const struct trace_file *a = d->side[0].tf, *b = d->side[1].tf;

	for (guint i = 0; i < a->summary->caches->len; i++) {
		const struct life *l = g_ptr_array_index(a->summary->caches, i);
		const char *name = names_of(a->names, l->id);
		g_autofree char *in_a = life_time(a, l);
		g_autofree char *in_b = NULL;
		g_autofree char *what = NULL;

		if (!name)
			continue;
		in_b = life_time(b, life_named(b, name));
		what = g_strdup_printf("%s lived%s", name, a->untimed ? " (steps)" : " (us)");
		if (strcmp(in_a, in_b) != 0 && !d->opt->ignore_time)
			output_printf(d->o, "  %-30s %12s %12s\n", what, in_a, in_b);
		else if (!strcmp(in_a, "not freed") != !strcmp(in_b, "not freed"))
			output_printf(d->o, "  %-30s %12s %12s   <--\n", name,
				      strcmp(in_a, "not freed") ? "freed" : in_a,
				      strcmp(in_b, "not freed") ? "freed" : in_b);
	}
}

static void put_end(const struct diff *d)
{
	static const char *const what[NR_SERIES] = {
		[SERIES_CACHES] = "live kmem_caches",  [SERIES_DYING] = "dying memcgs",
		[SERIES_SLAB_PAGES] = "slab pages",    [SERIES_CALLBACKS] = "RCU callbacks waiting",
		[SERIES_WORKS] = "work items waiting",
	};
	const struct trace_file *a = d->side[0].tf, *b = d->side[1].tf;

	output_printf(d->o, "\n%-32s %12s %12s\n", "END STATE", "A", "B");
	put_end_row(d, "violations", (int64_t)a->nr_violations, (int64_t)b->nr_violations);
	for (int i = 0; i < NR_SERIES; i++)
		put_end_row(d, what[i], a->summary->series[i].now, b->summary->series[i].now);
	put_lives(d);
}

/* ---- the whole ------------------------------------------------------------------------------- */

bool diff_write(const struct trace_file *a, const struct trace_file *b,
		const struct diff_options *opt, struct output *o)
{
	struct diff d;
	bool same;

	diff_match(&d, a, b, opt);
	d.o = o;
	put_verdicts(&d);
	if (d.same) {
		output_printf(o, "\nThe runs are the same%s.\n",
			      opt->ignore_time ? ", times aside" : "");
	} else {
		put_divergence(&d);
		put_columns(&d);
		put_flips(&d);
		put_end(&d);
	}
	same = d.same;
	diff_clear(&d);
	return same;
}
