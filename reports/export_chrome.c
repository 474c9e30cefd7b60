// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chrome trace events.
 *
 * Spans are B and E, not X: many events have the same time, and then the order in
 * the file says what is inside what.  An arrow is bound to the slice that is open
 * at its time, so that its "s" or "f" stands between the B and the E of its event.
 */
#include "reports/export.h"
#include "reports/json.h"
#include "reports/lanes.h"

enum { PID_LIVES = 1, PID_COUNTERS, PID_MACHINERY, PID_CPU };

struct chrome {
	const struct trace_file *tf;
	struct lanes *lanes;
	struct output *o;
	bool any; /* an event was written */
};

static unsigned int lane_pid(const struct lane *lane)
{
	return lane->task == 0 ? PID_MACHINERY : PID_CPU + lane->cpu;
}

/* Microseconds; a step of an untimed run is shown as one. */
static void put_time(const struct chrome *c, uint64_t t)
{
	output_u64(c->o, c->tf->untimed ? t : t / 1000);
	if (!c->tf->untimed)
		output_printf(c->o, ".%03u", (unsigned int)(t % 1000));
}

static void begin(struct chrome *c, const char *ph, uint64_t pid, uint64_t tid, uint64_t t)
{
	output_str(c->o, c->any ? ",\n" : "\n");
	c->any = true;
	output_str(c->o, "{\"ph\":");
	json_string(c->o, ph);
	json_key_u64(c->o, "pid", pid);
	json_key_u64(c->o, "tid", tid);
	json_key(c->o, "ts");
	put_time(c, t);
}

static void meta(struct chrome *c, unsigned int pid, uint64_t tid, const char *what,
		 const char *name)
{
	begin(c, "M", pid, tid, 0);
	json_key_string(c->o, "cat", "__metadata");
	json_key_string(c->o, "name", what);
	output_str(c->o, ",\"args\":{\"name\":");
	json_string(c->o, name);
	output_str(c->o, "}}");
}

static void sort_index(struct chrome *c, unsigned int pid, uint64_t tid, const char *what, guint at)
{
	begin(c, "M", pid, tid, 0);
	json_key_string(c->o, "cat", "__metadata");
	json_key_string(c->o, "name", what);
	output_printf(c->o, ",\"args\":{\"sort_index\":%u}}", at);
}

static void process(struct chrome *c, unsigned int pid, const char *name)
{
	meta(c, pid, 0, "process_name", name);
	/* CPUs first, then what stands around them. */
	sort_index(c, pid, 0, "process_sort_index",
		   pid >= PID_CPU ? pid - PID_CPU : EXPORT_CPUS_MAX + pid);
}

static void put_tracks(struct chrome *c)
{
	int cpu = -1;

	process(c, PID_MACHINERY, "machinery (grace periods, timers, set-up)");
	process(c, PID_LIVES, "objects");
	process(c, PID_COUNTERS, "counters");
	for (guint i = 0; i < c->lanes->all->len; i++) {
		const struct lane *lane = g_ptr_array_index(c->lanes->all, i);
		g_autofree char *name = g_strdup_printf("CPU%u", lane->cpu);

		if (lane->task != 0 && lane->cpu != cpu) {
			cpu = lane->cpu;
			process(c, lane_pid(lane), name);
		}
		meta(c, lane_pid(lane), lane->task, "thread_name", lane->name);
		sort_index(c, lane_pid(lane), lane->task, "thread_sort_index", i);
	}
}

static void put_fields(struct output *o, const struct trace_record *r)
{
	struct event_field fields[TRACE_NR_ARGS];
	int n = event_fields(r, fields);

	for (int i = 0; i < n; i++) {
		json_key(o, fields[i].name);
		if (fields[i].text)
			json_string(o, fields[i].text);
		else if (fields[i].type == 'b')
			output_str(o, fields[i].number ? "true" : "false");
		else
			output_i64(o, fields[i].number);
	}
}

static void put_args(struct chrome *c, const struct trace_record *r)
{
	struct output *o = c->o, *stack;

	output_str(o, ",\"args\":{\"event\":");
	json_string(o, trace_kinds[r->kind].name);
	json_key_u64(o, "seq", r->seq);
	json_key(o, "object");
	json_oid(o, r->obj);
	json_key_u64(o, "on_cpu", r->cpu);
	put_fields(o, r);
	if (r->stack) {
		stack = output_memory();
		stack_text(stack, r->stack, 4096);
		output_char(stack, 0);
		json_key_string(o, "stack", stack->buf);
		output_discard(stack);
	}
	output_char(o, '}');
}

static void put_arrow(struct chrome *c, const char *ph, const struct lane *lane, uint64_t t,
		      uint64_t id, const char *name)
{
	begin(c, ph, lane_pid(lane), lane->task, t);
	json_key_u64(c->o, "id", id);
	json_key_string(c->o, "cat", "cause");
	json_key_string(c->o, "name", name);
	output_str(c->o, ph[0] == 'f' ? ",\"bp\":\"e\"}" : "}");
}

/* An arrow is called like the way from its cause, and numbered like its effect. */
static void put_arrows(struct chrome *c, const struct lane *lane, const struct trace_record *r,
		       uint64_t t)
{
	const struct edge *effects;
	guint n;

	if (lanes_caused(c->lanes, r))
		put_arrow(c, "f", lane, t, r->seq, via_name((enum via)r->via));
	effects = lanes_effects(c->lanes, r->seq, &n);
	for (guint i = 0; i < n; i++) {
		const struct trace_record *effect = trace_file_find(c->tf, effects[i].effect);

		put_arrow(c, "s", lane, t, effect->seq, via_name((enum via)effect->via));
	}
}

static void on_open(void *user, const struct lane *lane, const struct trace_record *r, uint64_t t)
{
	struct chrome *c = user;

	begin(c, "B", lane_pid(lane), lane->task, t);
	json_key_string(c->o, "cat", ctx_kind_name((enum ctx_kind)r->ctx));
	json_key_string(c->o, "name", span_name(r));
	put_args(c, r);
	output_char(c->o, '}');
	put_arrows(c, lane, r, t);
}

/* Some readers want the category and the name of what ends. */
static void put_end(struct chrome *c, const struct lane *lane, const struct trace_record *opener,
		    const struct trace_record *r, uint64_t t)
{
	begin(c, "E", lane_pid(lane), lane->task, t);
	json_key_string(c->o, "cat", ctx_kind_name((enum ctx_kind)opener->ctx));
	json_key_string(c->o, "name", span_name(opener));
	if (r && r->kind == TR_OP_END)
		output_printf(c->o, ",\"args\":{\"result\":%" G_GINT64_FORMAT "}", r->arg[0]);
	output_char(c->o, '}');
}

static void on_close(void *user, const struct lane *lane, const struct trace_record *r, uint64_t t)
{
	put_end(user, lane, lane_innermost(lane), r, t);
}

static void on_point(void *user, const struct lane *lane, const struct trace_record *r, uint64_t t)
{
	on_open(user, lane, r, t);
	put_end(user, lane, r, NULL, t);
}

static void put_life_event(struct chrome *c, const char *ph, const char *id, const char *name,
			   uint64_t t)
{
	begin(c, ph, PID_LIVES, 0, t);
	json_key_string(c->o, "cat", "life");
	json_key_string(c->o, "id", id);
	json_key_string(c->o, "name", name);
	output_char(c->o, '}');
}

/* Nested async slices: a row for an object, and its states in it. */
static void put_lives(struct chrome *c, const GPtrArray *lives, uint64_t end)
{
	for (guint i = 0; i < lives->len; i++) {
		const struct life *life = g_ptr_array_index(lives, i);
		struct life_stretch states[NR_LIFE_STAGES];
		int n = export_life(life, end, states);
		struct output *name = output_memory();
		char buf[32];
		const char *id = oid_text(life->id, buf);

		names_put(c->tf->names, name, life->id);
		output_printf(name, " (%s)", id);
		output_char(name, 0);
		if (n > 0)
			put_life_event(c, "b", id, name->buf, states[0].from);
		for (int k = 0; k < n; k++) {
			put_life_event(c, "b", id, states[k].state, states[k].from);
			put_life_event(c, "e", id, states[k].state, states[k].to);
		}
		if (n > 0)
			put_life_event(c, "e", id, name->buf, states[n - 1].to);
		output_discard(name);
	}
}

static void put_counter(struct chrome *c, const struct counter_track *counter)
{
	struct output *name = output_memory();

	clean_text(name, counter->name, 200);
	if (counter->of != 0) {
		output_str(name, " of ");
		names_put(c->tf->names, name, counter->of);
	}
	output_char(name, 0);
	for (guint i = 0; i < counter->series->points->len; i++) {
		const struct series_point *p =
			&g_array_index(counter->series->points, struct series_point, i);

		begin(c, "C", PID_COUNTERS, 0, p->t);
		json_key_string(c->o, "cat", "counter");
		json_key_string(c->o, "name", name->buf);
		output_printf(c->o, ",\"args\":{\"value\":%" G_GINT64_FORMAT "}}", p->v);
	}
	output_discard(name);
}

static void put_violation(struct chrome *c, const struct trace_violation *v)
{
	const struct trace_record *r = trace_file_find(c->tf, v->seq);
	const struct lane *lane = r ? lanes_of(c->lanes, r) : NULL;
	g_autofree char *name = g_strdup_printf("VIOLATION %s", v->rule);

	begin(c, "i", lane ? lane_pid(lane) : PID_MACHINERY, lane ? lane->task : 0, v->t);
	json_key_string(c->o, "s", "g");
	json_key_string(c->o, "cat", "violation");
	json_key_string(c->o, "name", name);
	output_printf(c->o, ",\"args\":{\"seq\":%" G_GUINT64_FORMAT, v->seq);
	json_key(c->o, "object");
	json_oid(c->o, v->obj);
	json_key_string(c->o, "message", v->msg);
	output_str(c->o, "}}");
}

static void put_other_data(const struct trace_file *tf, struct output *o)
{
	g_autofree char *variants = g_strjoinv(" ", (char **)tf->variants->pdata);

	output_str(o, ",\n\"otherData\":{\"scenario\":");
	json_string(o, tf->scenario);
	json_key_string(o, "design", tf->lifecycle);
	json_key_string(o, "variants", variants);
	/* As text: a seed above 2^53 is no number to JavaScript. */
	output_printf(o, ",\"seed\":\"%" G_GUINT64_FORMAT "\"", tf->seed);
	json_key_string(o, "clock", tf->untimed ? "steps, one is shown as 1 us" : "virtual time");
	json_key_string(o, "complete", tf->ended ? "yes" : "no, the trace was cut short");
	output_str(o, "}}\n");
}

void export_chrome(const struct trace_file *tf, struct output *o)
{
	static const struct lane_ops ops = {on_open, on_point, on_close};
	struct chrome c = {.tf = tf, .lanes = lanes_new(tf), .o = o};
	struct summary *summary = export_summary(tf);
	g_autoptr(GArray) counters = export_counters(summary);
	uint64_t end = export_end(tf);

	output_str(o, "{\"displayTimeUnit\":\"ns\",\n\"traceEvents\":[");
	put_tracks(&c);
	lanes_walk(c.lanes, &ops, &c);
	put_lives(&c, summary->memcgs, end);
	put_lives(&c, summary->caches, end);
	for (guint i = 0; i < counters->len; i++)
		put_counter(&c, &g_array_index(counters, struct counter_track, i));
	for (guint i = 0; i < tf->violations->len; i++)
		put_violation(&c, &g_array_index(tf->violations, struct trace_violation, i));
	output_str(o, "\n]");
	put_other_data(tf, o);
	summary_free(summary);
	lanes_free(c.lanes);
}
