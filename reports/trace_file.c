// SPDX-License-Identifier: GPL-2.0-only
#include "reports/trace_file.h"

static guint frame_hash(gconstpointer key)
{
	const struct frame *f = key;

	/* Both pointers are interned; the hash orders nothing. */
	return g_direct_hash(f->func) * 31 + g_direct_hash(f->caller);
}

static gboolean frame_equal(gconstpointer a, gconstpointer b)
{
	const struct frame *fa = a, *fb = b;

	return fa->func == fb->func && fa->caller == fb->caller;
}

struct trace_file *trace_file_new(size_t events_max)
{
	struct trace_file *tf = g_new0(struct trace_file, 1);

	tf->scenario = tf->lifecycle = tf->order = "";
	tf->events_max = events_max;
	tf->variants = g_ptr_array_new();
	g_ptr_array_add(tf->variants, NULL);
	tf->events = g_array_new(FALSE, FALSE, sizeof(struct trace_record));
	tf->violations = g_array_new(FALSE, FALSE, sizeof(struct trace_violation));
	tf->verdict = VERDICT_INCOMPLETE;
	tf->strings = g_string_chunk_new(4096);
	tf->frames = g_hash_table_new_full(frame_hash, frame_equal, g_free, NULL);
	tf->names = names_new();
	tf->summary = summary_new();
	return tf;
}

void trace_file_free(struct trace_file *tf)
{
	if (!tf)
		return;
	g_ptr_array_unref(tf->variants);
	g_array_unref(tf->events);
	g_array_unref(tf->violations);
	g_string_chunk_free(tf->strings);
	g_hash_table_destroy(tf->frames);
	names_free(tf->names);
	summary_free(tf->summary);
	g_free(tf);
}

const char *trace_file_string(struct trace_file *tf, const char *s)
{
	return s ? g_string_chunk_insert_const(tf->strings, s) : NULL;
}

const struct frame *trace_file_frame(struct trace_file *tf, const char *func,
				     const struct frame *caller)
{
	struct frame key = {trace_file_string(tf, func), caller};
	struct frame *f = g_hash_table_lookup(tf->frames, &key);

	if (!f) {
		f = g_memdup2(&key, sizeof(key));
		g_hash_table_add(tf->frames, f);
	}
	return f;
}

void trace_file_add(struct trace_file *tf, const struct trace_record *r)
{
	tf->nr_events++;
	names_record(tf->names, r);
	summary_record(tf->summary, r);
	if (tf->events_max > 0 && tf->events->len >= tf->events_max) {
		guint half = tf->events->len / 2;

		tf->nr_dropped += half;
		g_array_remove_range(tf->events, 0, half);
	}
	g_array_append_vals(tf->events, r, 1);
}

static bool is_violation(const struct trace_file *tf, uint64_t seq)
{
	for (guint i = 0; i < tf->violations->len; i++) {
		if (g_array_index(tf->violations, struct trace_violation, i).seq == seq)
			return true;
	}
	return false;
}

static bool is_extra(const struct trace_file *tf, const struct trace_record *r)
{
	return r->kind == TR_ACCESS && !is_violation(tf, r->seq);
}

bool trace_file_has_accesses(const struct trace_file *tf)
{
	for (guint i = 0; i < tf->events->len; i++) {
		if (is_extra(tf, &g_array_index(tf->events, struct trace_record, i)))
			return true;
	}
	return false;
}

uint64_t trace_file_drop_accesses(struct trace_file *tf)
{
	guint kept = 0, nr = tf->events->len;

	for (guint i = 0; i < nr; i++) {
		struct trace_record *r = &g_array_index(tf->events, struct trace_record, i);

		if (!is_extra(tf, r))
			g_array_index(tf->events, struct trace_record, kept++) = *r;
	}
	g_array_set_size(tf->events, kept);
	tf->nr_events -= nr - kept;
	return nr - kept;
}

const struct trace_record *trace_file_find(const struct trace_file *tf, uint64_t seq)
{
	guint low = 0, high = tf->events->len;

	while (low < high) {
		guint mid = low + (high - low) / 2;
		const struct trace_record *r = &g_array_index(tf->events, struct trace_record, mid);

		if (r->seq == seq)
			return r;
		if (r->seq < seq)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct trace_violation *trace_file_blamed(const struct trace_file *tf)
{
	const struct trace_violation *first = (const struct trace_violation *)tf->violations->data;

	for (guint i = 0; i < tf->violations->len; i++) {
		if (first[i].seq == tf->found)
			return &first[i];
	}
	return tf->violations->len > 0 ? first : NULL;
}

void trace_file_finish(struct trace_file *tf, const struct run_result *result)
{
	tf->ended = true;
	tf->verdict = result->verdict;
	tf->end = result->end;
	tf->nr_steps = result->nr_steps;
	tf->nr_violations = result->nr_violations;
}

/* A file holds only valid UTF-8, and a report must not depend on where its trace came from. */
static const char *valid_string(struct trace_file *tf, const char *s)
{
	g_autofree char *valid = NULL;

	if (!s || g_utf8_validate(s, -1, NULL))
		return trace_file_string(tf, s);
	valid = g_utf8_make_valid(s, -1);
	return trace_file_string(tf, valid);
}

static void collect_begin(struct run_sink *sink, const struct run_header *h)
{
	struct trace_file *tf = ((struct trace_collector *)sink)->tf;

	tf->scenario = trace_file_string(tf, h->scenario);
	tf->lifecycle = trace_file_string(tf, h->lifecycle);
	tf->order = trace_file_string(tf, h->order);
	tf->untimed = strcmp(h->order, "random") == 0;
	tf->seed = h->seed;
	tf->nr_cpus = h->nr_cpus;
	g_ptr_array_set_size(tf->variants, 0);
	for (size_t i = 0; h->variants && h->variants[i]; i++)
		g_ptr_array_add(tf->variants, (gpointer)trace_file_string(tf, h->variants[i]));
	g_ptr_array_add(tf->variants, NULL);
}

static const struct frame *copy_stack(struct trace_file *tf, const struct frame *f)
{
	return f ? trace_file_frame(tf, f->func, copy_stack(tf, f->caller)) : NULL;
}

static void collect_record(struct run_sink *sink, const struct trace_record *r)
{
	struct trace_file *tf = ((struct trace_collector *)sink)->tf;
	struct trace_record copy = *r;

	copy.str = valid_string(tf, r->str);
	copy.stack = copy_stack(tf, r->stack);
	trace_file_add(tf, &copy);
}

static void collect_violation(struct run_sink *sink, const struct violation *v, unsigned int nr)
{
	struct trace_file *tf = ((struct trace_collector *)sink)->tf;
	struct trace_violation copy = {
		.rule = trace_file_string(tf, v->ops->name),
		.seq = v->seq,
		.t = v->t,
		.obj = v->obj,
		.msg = valid_string(tf, v->text),
	};

	(void)nr;
	memcpy(copy.related, v->related, sizeof(copy.related));
	g_array_append_val(tf->violations, copy);
}

void trace_collector_init(struct trace_collector *c, struct trace_file *tf)
{
	c->sink.begin = collect_begin;
	c->sink.record = collect_record;
	c->sink.violation = collect_violation;
	c->tf = tf;
}
