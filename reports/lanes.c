// SPDX-License-Identifier: GPL-2.0-only
#include "reports/lanes.h"

#include "reports/export.h"

/* ---- lanes and edges ----------------------------------------------------- */

static void lane_free(gpointer data)
{
	struct lane *lane = data;

	g_array_unref(lane->open);
	g_free(lane->name);
	g_free(lane);
}

static struct lane *lane_new(const struct trace_file *tf, const struct trace_record *r)
{
	struct lane *lane = g_new0(struct lane, 1);

	lane->task = r->task;
	lane->cpu = r->cpu;
	lane->ctx = r->ctx;
	lane->open = g_array_new(FALSE, FALSE, sizeof(const struct trace_record *));
	if (r->task == 0)
		lane->name = g_strdup("machinery");
	else
		lane->name = g_strdup_printf("CPU%u %s-%u", r->cpu, export_comm(tf, r), r->task);
	return lane;
}

static gint compare_lanes(gconstpointer a, gconstpointer b)
{
	const struct lane *x = *(const struct lane *const *)a;
	const struct lane *y = *(const struct lane *const *)b;

	if ((x->task == 0) != (y->task == 0))
		return x->task == 0 ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	if (x->ctx != y->ctx)
		return x->ctx < y->ctx ? -1 : 1;
	return x->task < y->task ? -1 : x->task > y->task;
}

static gint compare_edges(gconstpointer a, gconstpointer b)
{
	const struct edge *x = a, *y = b;

	if (x->cause != y->cause)
		return x->cause < y->cause ? -1 : 1;
	return x->effect < y->effect ? -1 : x->effect > y->effect;
}

bool lanes_caused(const struct lanes *lanes, const struct trace_record *r)
{
	return r->cause != 0 && r->cause < r->seq && trace_file_find(lanes->tf, r->cause);
}

struct lanes *lanes_new(const struct trace_file *tf)
{
	struct lanes *lanes = g_new0(struct lanes, 1);

	lanes->tf = tf;
	lanes->all = g_ptr_array_new_with_free_func(lane_free);
	lanes->by_task = g_hash_table_new(NULL, NULL);
	lanes->edges = g_array_new(FALSE, FALSE, sizeof(struct edge));
	for (guint i = 0; i < tf->events->len; i++) {
		const struct trace_record *r = event_at(tf, i);
		struct edge edge = {r->cause, r->seq};
		struct lane *lane;

		if (lanes_caused(lanes, r))
			g_array_append_val(lanes->edges, edge);
		if (lanes_of(lanes, r))
			continue;
		lane = lane_new(tf, r);
		g_ptr_array_add(lanes->all, lane);
		g_hash_table_insert(lanes->by_task, GUINT_TO_POINTER(r->task), lane);
	}
	g_ptr_array_sort(lanes->all, compare_lanes);
	g_array_sort(lanes->edges, compare_edges);
	return lanes;
}

void lanes_free(struct lanes *lanes)
{
	g_hash_table_destroy(lanes->by_task);
	g_ptr_array_unref(lanes->all);
	g_array_unref(lanes->edges);
	g_free(lanes);
}

struct lane *lanes_of(const struct lanes *lanes, const struct trace_record *r)
{
	return g_hash_table_lookup(lanes->by_task, GUINT_TO_POINTER(r->task));
}

const struct edge *lanes_effects(const struct lanes *lanes, uint64_t seq, guint *n)
{
	const struct edge *edges = (const struct edge *)(const void *)lanes->edges->data;
	guint low = 0, high = lanes->edges->len;

	while (low < high) {
		guint mid = low + (high - low) / 2;

		if (edges[mid].cause < seq)
			low = mid + 1;
		else
			high = mid;
	}
	*n = 0;
	while (low + *n < lanes->edges->len && edges[low + *n].cause == seq)
		(*n)++;
	return edges + low;
}

/* ---- spans --------------------------------------------------------------- */

/* The kind that a kind closes; TR_RCU_CALLBACK and TR_TASK_BLOCK have no end of their own. */
static const struct {
	uint16_t open, close;
} pairs[] = {
	{TR_OP_BEGIN, TR_OP_END},
	{TR_WORK_START, TR_WORK_END},
	{TR_SOFTIRQ_ENTRY, TR_SOFTIRQ_EXIT},
	{TR_IRQ_ENTRY, TR_IRQ_EXIT},
	{TR_RCU_SYNC_BEGIN, TR_RCU_SYNC_END},
	{TR_RCU_BARRIER_BEGIN, TR_RCU_BARRIER_END},
	{TR_FLUSH_BEGIN, TR_FLUSH_END},
	{TR_FLUSH_WORK_BEGIN, TR_FLUSH_WORK_END},
	{TR_CSS_OFFLINE, TR_CSS_OFFLINE_END},
};

static bool opens(uint16_t kind)
{
	for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
		if (pairs[i].open == kind)
			return true;
	}
	return kind == TR_RCU_CALLBACK || kind == TR_TASK_BLOCK;
}

static int opener_of(uint16_t kind)
{
	for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
		if (pairs[i].close == kind)
			return pairs[i].open;
	}
	return -1;
}

const char *span_name(const struct trace_record *r)
{
	const char *str = r->str && r->str[0] ? r->str : trace_kinds[r->kind].name;

	switch (r->kind) {
	case TR_OP_BEGIN:
	case TR_WORK_START:
	case TR_RCU_CALLBACK:
	case TR_IRQ_ENTRY:
		return str;
	case TR_TASK_BLOCK:
		return "waits";
	case TR_SOFTIRQ_ENTRY:
		return "softirq";
	default:
		return trace_kinds[r->kind].name;
	}
}

struct walk {
	struct lanes *lanes;
	const struct lane_ops *ops;
	void *user;
	uint64_t now;
};

static const struct trace_record *open_at(const struct lane *lane, guint i)
{
	return g_array_index(lane->open, const struct trace_record *, i);
}

/* Closes the spans from number @from on, the innermost first. */
static void close_from(struct walk *w, struct lane *lane, guint from, const struct trace_record *r)
{
	while (lane->open->len > from) {
		guint last = lane->open->len - 1;

		w->ops->close(w->user, lane, last == from ? r : NULL, w->now);
		g_array_set_size(lane->open, last);
	}
}

static bool runs_in(const struct trace_record *r, const char *func)
{
	for (const struct frame *f = r->stack; f; f = f->caller) {
		if (strcmp(f->func, func) == 0)
			return true;
	}
	return false;
}

/* A wait ends with what its context does next; a callback when its function has returned. */
static void close_ended(struct walk *w, struct lane *lane, const struct trace_record *r)
{
	for (guint i = 0; i < lane->open->len; i++) {
		const struct trace_record *span = open_at(lane, i);
		bool callback = span->kind == TR_RCU_CALLBACK;

		if (span->kind == TR_TASK_BLOCK ||
		    (callback &&
		     (r->kind == TR_RCU_CALLBACK || !span->str || !runs_in(r, span->str)))) {
			close_from(w, lane, i, NULL);
			return;
		}
	}
}

/* The innermost span that @r closes; the number of open ones if there is none. */
static guint closed_by(const struct lane *lane, const struct trace_record *r)
{
	int opener = opener_of(r->kind);

	for (guint i = lane->open->len; i > 0 && opener >= 0; i--) {
		if (open_at(lane, i - 1)->kind == opener)
			return i - 1;
	}
	return lane->open->len;
}

static void walk_event(struct walk *w, const struct trace_record *r)
{
	struct lane *lane = lanes_of(w->lanes, r);
	guint span, nr_effects;

	w->now = MAX(w->now, (uint64_t)r->t);
	close_ended(w, lane, r);
	if (opens(r->kind)) {
		w->ops->open(w->user, lane, r, w->now);
		g_array_append_val(lane->open, r);
		return;
	}
	span = closed_by(lane, r);
	lanes_effects(w->lanes, r->seq, &nr_effects);
	if (span == lane->open->len || nr_effects > 0 || lanes_caused(w->lanes, r))
		w->ops->point(w->user, lane, r, w->now);
	if (span < lane->open->len)
		close_from(w, lane, span, r);
}

void lanes_walk(struct lanes *lanes, const struct lane_ops *ops, void *user)
{
	struct walk w = {lanes, ops, user, 0};

	for (guint i = 0; i < lanes->tf->events->len; i++)
		walk_event(&w, event_at(lanes->tf, i));
	w.now = MAX(w.now, export_end(lanes->tf));
	for (guint i = 0; i < lanes->all->len; i++)
		close_from(&w, g_ptr_array_index(lanes->all, i), 0, NULL);
}
