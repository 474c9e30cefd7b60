// SPDX-License-Identifier: GPL-2.0-only
#include "reports/diff_match.h"

#include "reports/phrase.h"

#define LOOKAHEAD 64 /* events of one context that may be missing in a row */

/* ---- what is compared ---------------------------------------------------------------- */

/* Names are unique in a run: of two contexts of one name the later one gets a number. */
static const char *context_name(struct diff *d, const struct trace_file *tf, GHashTable *names,
				GHashTable *used, const struct trace_record *r)
{
	const char *name = g_hash_table_lookup(names, GUINT_TO_POINTER(r->task));
	const char *comm = names_comm(tf->names, r->task);
	g_autofree char *full = NULL;
	guint nr;

	if (name)
		return name;
	if (r->task == 0)
		full = g_strdup("environment");
	else if (r->ctx == CTX_SOFTIRQ || r->ctx == CTX_HARDIRQ)
		full = g_strdup_printf("%s/%u", ctx_kind_name((enum ctx_kind)r->ctx), r->cpu);
	else
		full = g_strdup(comm ? comm : "task");
	nr = GPOINTER_TO_UINT(g_hash_table_lookup(used, full)) + 1;
	name = g_string_chunk_insert_const(d->strings, full);
	g_hash_table_insert(used, (gpointer)name, GUINT_TO_POINTER(nr));
	if (nr > 1) {
		g_autofree char *numbered = g_strdup_printf("%s#%u", full, nr);

		name = g_string_chunk_insert_const(d->strings, numbered);
	}
	g_hash_table_insert(names, GUINT_TO_POINTER(r->task), (gpointer)name);
	return name;
}

/* The kind of event and its objects: counts and numbers shift without being another event. */
static const char *key_of(struct diff *d, const struct side *s, const struct trace_record *r,
			  struct output *text)
{
	text->len = 0;
	output_u64(text, r->kind);
	/* Objects have no names, and which one it is depends on all allocations before. */
	if (oid_kind(r->obj) != OBJ_OBJ)
		names_put(s->tf->names, text, r->obj);
	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		if (trace_kinds[r->kind].arg[i][0] == 'o' && oid_kind((oid_t)r->arg[i]) != OBJ_OBJ)
			names_put(s->tf->names, text, (oid_t)r->arg[i]);
		else if (trace_kinds[r->kind].arg[i][0] == 's' && r->str)
			output_str(text, r->str);
		output_char(text, '|');
	}
	output_char(text, 0);
	return g_string_chunk_insert_const(d->strings, text->buf);
}

static void read_side(struct diff *d, struct side *s)
{
	g_autoptr(GHashTable) names = g_hash_table_new(NULL, NULL);
	g_autoptr(GHashTable) used = g_hash_table_new(g_str_hash, g_str_equal);
	struct output *text = output_memory();

	s->steps = g_array_new(FALSE, FALSE, sizeof(struct step));
	s->by_context = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
	for (guint i = 0; i < s->tf->events->len; i++) {
		const struct trace_record *r =
			&g_array_index(s->tf->events, struct trace_record, i);
		struct step step = {.r = r, .partner = NONE};
		GArray *list;

		if (!d->opt->verbose && phrase_is_noise(r))
			continue;
		text->len = 0;
		phrase_put(s->tf->names, text, r);
		output_char(text, 0);
		step.text = g_string_chunk_insert_const(d->strings, text->buf);
		step.key = key_of(d, s, r, text);
		step.context = context_name(d, s->tf, names, used, r);
		list = g_hash_table_lookup(s->by_context, step.context);
		if (!list) {
			list = g_array_new(FALSE, FALSE, sizeof(uint32_t));
			g_hash_table_insert(s->by_context, (gpointer)step.context, list);
		}
		g_array_append_val(list, s->steps->len);
		g_array_append_val(s->steps, step);
	}
	output_discard(text);
}

/* ---- matching ------------------------------------------------------------------------- */

static bool alike(const struct diff *d, const GArray *a, uint32_t i, const GArray *b, uint32_t j)
{
	return step_at(&d->side[0], g_array_index(a, uint32_t, i))->key ==
	       step_at(&d->side[1], g_array_index(b, uint32_t, j))->key;
}

/* Where the two lists go on alike: the fewest events left out of both together. */
static bool resync(const struct diff *d, const GArray *a, uint32_t *i, uint32_t i_end,
		   const GArray *b, uint32_t *j, uint32_t j_end)
{
	for (uint32_t skip = 1; skip <= 2 * LOOKAHEAD; skip++) {
		for (uint32_t x = 0; x <= skip; x++) {
			if (*i + x >= i_end || *j + skip - x >= j_end)
				continue;
			if (alike(d, a, *i + x, b, *j + skip - x)) {
				*i += x;
				*j += skip - x;
				return true;
			}
		}
	}
	return false;
}

/* From (i, j) up to (i_end, j_end) of the two lists. */
static void match_lists(struct diff *d, const GArray *a, uint32_t i, uint32_t i_end,
			const GArray *b, uint32_t j, uint32_t j_end)
{
	while (i < i_end && j < j_end) {
		uint32_t at_a, at_b;

		if (!alike(d, a, i, b, j) && !resync(d, a, &i, i_end, b, &j, j_end))
			return;
		at_a = g_array_index(a, uint32_t, i++);
		at_b = g_array_index(b, uint32_t, j++);
		step_at(&d->side[0], at_a)->partner = at_b;
		step_at(&d->side[1], at_b)->partner = at_a;
	}
}

/* Contexts do not depend on each other, so their order does not matter. */
static void each_context(struct diff *d,
			 void (*match)(struct diff *d, const GArray *a, const GArray *b))
{
	GHashTableIter it;
	gpointer context, a;

	g_hash_table_iter_init(&it, d->side[0].by_context);
	while (g_hash_table_iter_next(&it, &context, &a)) {
		const GArray *b = g_hash_table_lookup(d->side[1].by_context, context);

		if (b)
			match(d, a, b);
	}
}

static void match_whole(struct diff *d, const GArray *a, const GArray *b)
{
	match_lists(d, a, 0, a->len, b, 0, b->len);
}

/* Times aside: they shift with everything that came before. */
bool diff_same_deed(const struct step *a, const struct step *b)
{
	return a->r->cpu == b->r->cpu && a->text == b->text;
}

static bool same_step(const struct diff *d, const struct step *a, const struct step *b)
{
	return diff_same_deed(a, b) && (d->opt->ignore_time || a->r->t == b->r->t);
}

static void find_prefix(struct diff *d)
{
	const struct side *a = &d->side[0], *b = &d->side[1];
	uint32_t i = 0;

	while (i < a->steps->len && i < b->steps->len && step_at(a, i)->partner == i &&
	       same_step(d, step_at(a, i), step_at(b, i)))
		i++;
	d->prefix = i;
	d->same = i == a->steps->len && i == b->steps->len && a->tf->verdict == b->tf->verdict &&
		  a->tf->ended == b->tf->ended && a->tf->nr_violations == b->tf->nr_violations;
}

static void diff_read(struct diff *d, const struct trace_file *a, const struct trace_file *b,
		      const struct diff_options *opt)
{
	*d = (struct diff){
		.side = {{.name = "A", .tf = a}, {.name = "B", .tf = b}},
		.opt = opt,
		.strings = g_string_chunk_new(4096),
	};
	read_side(d, &d->side[0]);
	read_side(d, &d->side[1]);
}

void diff_match(struct diff *d, const struct trace_file *a, const struct trace_file *b,
		const struct diff_options *opt)
{
	diff_read(d, a, b, opt);
	each_context(d, match_whole);
	find_prefix(d);
}

void diff_clear(struct diff *d)
{
	for (int i = 0; i < 2; i++) {
		g_array_unref(d->side[i].steps);
		g_hash_table_destroy(d->side[i].by_context);
	}
	g_string_chunk_free(d->strings);
}

/* ---- one axis ------------------------------------------------------------------------------ */

/* Index of @step's event in its trace. */
static uint32_t event_of(const struct side *s, const struct step *step)
{
	return (uint32_t)(step->r - &g_array_index(s->tf->events, struct trace_record, 0));
}

/* What a timeline shows was matched in @story; @all has every event, in the order of the trace. */
static void take_story(struct diff *all, const struct diff *story)
{
	const struct side *a = &story->side[0], *b = &story->side[1];

	for (uint32_t i = 0; i < a->steps->len; i++) {
		const struct step *step = step_at(a, i);
		uint32_t at_a, at_b;

		if (step->partner == NONE)
			continue;
		at_a = event_of(a, step);
		at_b = event_of(b, step_at(b, step->partner));
		step_at(&all->side[0], at_a)->partner = at_b;
		step_at(&all->side[1], at_b)->partner = at_a;
	}
}

/* What stands between two matched events of a context belongs between their partners. */
static void match_between(struct diff *d, const GArray *a, const GArray *b)
{
	uint32_t i = 0, j = 0;

	for (uint32_t x = 0; x <= a->len; x++) {
		uint32_t partner = NONE, y = b->len;

		if (x < a->len)
			partner = step_at(&d->side[0], g_array_index(a, uint32_t, x))->partner;
		if (x < a->len && partner == NONE)
			continue;
		if (partner != NONE) {
			for (y = j; y < b->len && g_array_index(b, uint32_t, y) != partner; y++)
				;
		}
		match_lists(d, a, i, x, b, j, y);
		i = x + 1;
		j = y + 1;
	}
}

/*
 * The longest list of pairs that both runs have in one order: the longest increasing
 * subsequence of the partners.  Sets @in_order for the events of A that are in it.
 */
static void find_order(const struct diff *d, bool *in_order)
{
	const struct side *a = &d->side[0];
	uint32_t n = a->steps->len, length = 0;
	g_autofree uint32_t *last = g_new(uint32_t, n + 1); /* of each length, the lowest end */
	g_autofree uint32_t *before = g_new(uint32_t, n + 1);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t partner = step_at(a, i)->partner, low = 0, high = length;

		if (partner == NONE)
			continue;
		while (low < high) {
			uint32_t middle = (low + high) / 2;

			if (step_at(a, last[middle])->partner < partner)
				low = middle + 1;
			else
				high = middle;
		}
		before[i] = low > 0 ? last[low - 1] : NONE;
		last[low] = i;
		length = MAX(length, low + 1);
	}
	for (uint32_t i = length > 0 ? last[length - 1] : NONE; i != NONE; i = before[i])
		in_order[i] = true;
}

struct axis {
	const struct diff *d;
	GArray *all;	 /* struct aligned */
	uint32_t *at[2]; /* of each event, its index in @all */
	uint32_t column;
};

static void put_event(struct axis *x, int side, uint32_t event, enum pairing pairing)
{
	struct aligned e = {
		.side = (uint8_t)side,
		.pairing = (uint8_t)pairing,
		.event = event,
		.column = x->column,
		.partner = NONE,
	};

	x->at[side][event] = x->all->len;
	g_array_append_val(x->all, e);
}

static enum pairing unaligned(const struct axis *x, int side, uint32_t event)
{
	return step_at(&x->d->side[side], event)->partner == NONE ? PAIR_NONE : PAIR_MOVED;
}

/* What is not in order stands side by side, as far as there is something on both sides. */
static void put_gap(struct axis *x, uint32_t *i, uint32_t i_end, uint32_t *j, uint32_t j_end)
{
	while (*i < i_end || *j < j_end) {
		if (*i < i_end) {
			put_event(x, 0, *i, unaligned(x, 0, *i));
			(*i)++;
		}
		if (*j < j_end) {
			put_event(x, 1, *j, unaligned(x, 1, *j));
			(*j)++;
		}
		x->column++;
	}
}

static void put_axis(struct axis *x, const bool *in_order)
{
	const struct side *a = &x->d->side[0], *b = &x->d->side[1];
	uint32_t i = 0, j = 0;

	for (uint32_t k = 0; k < a->steps->len; k++) {
		uint32_t partner = step_at(a, k)->partner;
		enum pairing pairing;

		if (!in_order[k])
			continue;
		put_gap(x, &i, k, &j, partner);
		pairing = diff_same_deed(step_at(a, k), step_at(b, partner)) ? PAIR_SAME
									     : PAIR_CHANGED;
		put_event(x, 0, i++, pairing);
		put_event(x, 1, j++, pairing);
		x->column++;
	}
	put_gap(x, &i, a->steps->len, &j, b->steps->len);
}

static void set_partners(struct axis *x)
{
	for (guint k = 0; k < x->all->len; k++) {
		struct aligned *e = &g_array_index(x->all, struct aligned, k);
		uint32_t partner = step_at(&x->d->side[e->side], e->event)->partner;

		if (partner != NONE)
			e->partner = x->at[!e->side][partner];
	}
}

GArray *diff_align(const struct trace_file *a, const struct trace_file *b)
{
	const struct diff_options some = {.ignore_time = true};
	const struct diff_options every = {.ignore_time = true, .verbose = true};
	struct axis x = {.all = g_array_new(FALSE, FALSE, sizeof(struct aligned))};
	g_autofree bool *in_order = g_new0(bool, a->events->len + 1);
	struct diff story, all;

	diff_match(&story, a, b, &some);
	diff_read(&all, a, b, &every);
	take_story(&all, &story);
	diff_clear(&story);
	each_context(&all, match_between);
	find_order(&all, in_order);
	x.d = &all;
	for (int i = 0; i < 2; i++)
		x.at[i] = g_new(uint32_t, all.side[i].steps->len + 1);
	put_axis(&x, in_order);
	set_partners(&x);
	g_free(x.at[0]);
	g_free(x.at[1]);
	diff_clear(&all);
	return x.all;
}
