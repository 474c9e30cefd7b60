// SPDX-License-Identifier: GPL-2.0-only
/*
 * Perfetto's protobuf, track events only, encoded by hand: a varint, a length and
 * bytes, and eight fixed bytes are all that it takes.  Field numbers are those of
 * protos/perfetto/trace in Perfetto's sources; tests/cli/exports/trackevent-min.proto
 * has the same subset for protoc.
 */
#include "reports/export.h"
#include "reports/lanes.h"

enum { /* TracePacket */
       PACKET_TIMESTAMP = 8,
       PACKET_SEQUENCE = 10,
       PACKET_EVENT = 11,
       PACKET_TRACK = 60,
};
enum { /* TrackDescriptor */
       TRACK_UUID = 1,
       TRACK_NAME = 2,
       TRACK_PARENT = 5,
       TRACK_COUNTER = 8,
       TRACK_CHILD_ORDER = 11,
       TRACK_RANK = 12,
};
enum { /* TrackEvent */
       EVENT_ANNOTATION = 4,
       EVENT_TYPE = 9,
       EVENT_TRACK = 11,
       EVENT_CATEGORY = 22,
       EVENT_NAME = 23,
       EVENT_VALUE = 30,
       EVENT_FLOW = 47,
       EVENT_FLOW_END = 48,
       EVENT_STACK = 55,
};
enum { TYPE_BEGIN = 1, TYPE_END, TYPE_INSTANT, TYPE_COUNTER };
enum { UNIT_COUNT = 2, ORDER_EXPLICIT = 3 };

/* Tracks are numbered in ranges; a lane adds its task, a CPU its number. */
enum {
	UUID_CPUS = 1,
	UUID_LIVES,
	UUID_COUNTERS,
	UUID_VIOLATIONS,
	UUID_MACHINERY,
	UUID_CPU = 0x100
};
#define UUID_LANE UINT64_C(0x100000000)
#define UUID_LIFE UINT64_C(0x200000000)
#define UUID_COUNTER UINT64_C(0x300000000)

/* Some views of the UI hide what happens at time 0. */
#define TIME_SHIFT 1000

struct perfetto {
	const struct trace_file *tf;
	struct lanes *lanes;
	struct output *o;
	struct output *packet, *body, *part; /* scratch, one for each level of nesting */
};

/* ---- protobuf ------------------------------------------------------------ */

static void put_varint(struct output *o, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		output_char(o, (char)(v | 0x80));
	output_char(o, (char)v);
}

static void put_u64(struct output *o, unsigned int field, uint64_t v)
{
	put_varint(o, (uint64_t)field << 3);
	put_varint(o, v);
}

static void put_fixed(struct output *o, unsigned int field, uint64_t v)
{
	put_varint(o, (uint64_t)field << 3 | 1);
	for (int i = 0; i < 8; i++)
		output_char(o, (char)(v >> (8 * i)));
}

static void put_bytes(struct output *o, unsigned int field, const char *s, size_t n)
{
	put_varint(o, (uint64_t)field << 3 | 2);
	put_varint(o, n);
	output_bytes(o, s, n);
}

/* A string has to be UTF-8, which the reader of the trace has seen to. */
static void put_string(struct output *o, unsigned int field, const char *s)
{
	put_bytes(o, field, s, strlen(s));
}

/* Appends @message to @o, and empties it. */
static void put_message(struct output *o, unsigned int field, struct output *message)
{
	put_bytes(o, field, message->buf, message->len);
	message->len = 0;
}

/* ---- packets ------------------------------------------------------------- */

/* Writes the packet that holds p->body as @field. */
static void put_packet(struct perfetto *p, unsigned int field, const uint64_t *t)
{
	if (t)
		put_u64(p->packet, PACKET_TIMESTAMP, *t);
	put_message(p->packet, field, p->body);
	put_u64(p->packet, PACKET_SEQUENCE, 1);
	put_message(p->o, 1, p->packet);
}

/* p->part holds the counter's description if there is one. */
static void put_track(struct perfetto *p, uint64_t uuid, const char *name, uint64_t parent,
		      unsigned int rank)
{
	bool counter = p->part->len > 0;

	put_u64(p->body, TRACK_UUID, uuid);
	put_string(p->body, TRACK_NAME, name);
	if (parent != 0)
		put_u64(p->body, TRACK_PARENT, parent);
	if (counter)
		put_message(p->body, TRACK_COUNTER, p->part);
	else
		put_u64(p->body, TRACK_CHILD_ORDER, ORDER_EXPLICIT);
	put_u64(p->body, TRACK_RANK, rank);
	put_packet(p, PACKET_TRACK, NULL);
}

static void annotate(struct perfetto *p, const char *name, const char *text, int64_t number)
{
	put_string(p->part, 10, name);
	if (text)
		put_string(p->part, 6, text);
	else
		put_u64(p->part, 4, (uint64_t)number);
	put_message(p->body, EVENT_ANNOTATION, p->part);
}

/* The type and what follows it; annotations come before. */
static void put_event(struct perfetto *p, int type, uint64_t track, uint64_t t,
		      const char *category, const char *name)
{
	uint64_t ns = (p->tf->untimed ? t * 1000 : t) + TIME_SHIFT;

	put_u64(p->body, EVENT_TYPE, (uint64_t)type);
	put_u64(p->body, EVENT_TRACK, track);
	if (category)
		put_string(p->body, EVENT_CATEGORY, category);
	if (name)
		put_string(p->body, EVENT_NAME, name);
	put_packet(p, PACKET_EVENT, &ns);
}

/* ---- lanes --------------------------------------------------------------- */

static void put_cpu_tracks(struct perfetto *p)
{
	int cpu = -1;

	put_track(p, UUID_CPUS, "CPUs", 0, 1);
	put_track(p, UUID_MACHINERY, "machinery (grace periods, timers, set-up)", 0, 4);
	for (guint i = 0; i < p->lanes->all->len; i++) {
		const struct lane *lane = g_ptr_array_index(p->lanes->all, i);
		g_autofree char *name = g_strdup_printf("CPU%u", lane->cpu);

		if (lane->task != 0 && lane->cpu != cpu) {
			cpu = lane->cpu;
			put_track(p, UUID_CPU + lane->cpu, name, UUID_CPUS, lane->cpu);
		}
		put_track(p, UUID_LANE + lane->task, lane->name,
			  lane->task == 0 ? UUID_MACHINERY : UUID_CPU + lane->cpu, i);
	}
}

static void put_frames(struct output *o, const struct frame *f, struct output *scratch)
{
	size_t from;

	if (!f)
		return;
	put_frames(o, f->caller, scratch); /* the outermost first */
	from = scratch->len;
	put_string(scratch, 1, f->func);
	put_bytes(o, 1, scratch->buf + from, scratch->len - from);
	scratch->len = from;
}

static void put_flows(struct perfetto *p, const struct trace_record *r)
{
	guint n;
	const struct edge *effects = lanes_effects(p->lanes, r->seq, &n);

	for (guint i = 0; i < n; i++)
		put_fixed(p->body, EVENT_FLOW, effects[i].effect);
	if (lanes_caused(p->lanes, r))
		put_fixed(p->body, EVENT_FLOW_END, r->seq);
}

static void put_record(struct perfetto *p, int type, const struct lane *lane,
		       const struct trace_record *r, uint64_t t)
{
	struct event_field fields[TRACE_NR_ARGS];
	int n = event_fields(r, fields);
	char buf[32];

	annotate(p, "event", trace_kinds[r->kind].name, 0);
	annotate(p, "seq", NULL, (int64_t)r->seq);
	annotate(p, "object", oid_text(r->obj, buf), 0);
	annotate(p, "on_cpu", NULL, r->cpu);
	for (int i = 0; i < n; i++)
		annotate(p, fields[i].name, fields[i].text, fields[i].number);
	if (r->cause != 0)
		annotate(p, "via", via_name((enum via)r->via), 0);
	put_flows(p, r);
	if (r->stack) {
		put_frames(p->part, r->stack, p->packet);
		put_message(p->body, EVENT_STACK, p->part);
	}
	put_event(p, type, UUID_LANE + lane->task, t, ctx_kind_name((enum ctx_kind)r->ctx),
		  span_name(r));
}

static void on_open(void *user, const struct lane *lane, const struct trace_record *r, uint64_t t)
{
	put_record(user, TYPE_BEGIN, lane, r, t);
}

static void on_point(void *user, const struct lane *lane, const struct trace_record *r, uint64_t t)
{
	put_record(user, TYPE_INSTANT, lane, r, t);
}

static void on_close(void *user, const struct lane *lane, const struct trace_record *r, uint64_t t)
{
	struct perfetto *p = user;

	if (r && r->kind == TR_OP_END)
		annotate(p, "result", NULL, r->arg[0]);
	put_event(p, TYPE_END, UUID_LANE + lane->task, t, NULL, NULL);
}

/* ---- objects, counters, violations --------------------------------------- */

static void put_lives(struct perfetto *p, const GPtrArray *lives, uint64_t end, guint *rank)
{
	for (guint i = 0; i < lives->len; i++) {
		const struct life *life = g_ptr_array_index(lives, i);
		struct life_stretch states[NR_LIFE_STAGES];
		int n = export_life(life, end, states);
		struct output *name = output_memory();
		char buf[32];

		names_put(p->tf->names, name, life->id);
		output_printf(name, " (%s)", oid_text(life->id, buf));
		output_char(name, 0);
		put_track(p, UUID_LIFE + *rank, name->buf, UUID_LIVES, *rank);
		for (int k = 0; k < n; k++) {
			put_event(p, TYPE_BEGIN, UUID_LIFE + *rank, states[k].from, "life",
				  states[k].state);
			put_event(p, TYPE_END, UUID_LIFE + *rank, states[k].to, NULL, NULL);
		}
		(*rank)++;
		output_discard(name);
	}
}

static void put_counter(struct perfetto *p, const struct counter_track *counter, guint rank)
{
	struct output *name = output_memory();

	clean_text(name, counter->name, 200);
	if (counter->of != 0) {
		output_str(name, " of ");
		names_put(p->tf->names, name, counter->of);
	}
	output_char(name, 0);
	put_u64(p->part, 3, UNIT_COUNT);
	put_track(p, UUID_COUNTER + rank, name->buf, UUID_COUNTERS, rank);
	for (guint i = 0; i < counter->series->points->len; i++) {
		const struct series_point *point =
			&g_array_index(counter->series->points, struct series_point, i);

		put_u64(p->body, EVENT_VALUE, (uint64_t)point->v);
		put_event(p, TYPE_COUNTER, UUID_COUNTER + rank, point->t, NULL, NULL);
	}
	output_discard(name);
}

static void put_violations(struct perfetto *p)
{
	put_track(p, UUID_VIOLATIONS, "violations", 0, 0);
	for (guint i = 0; i < p->tf->violations->len; i++) {
		const struct trace_violation *v =
			&g_array_index(p->tf->violations, struct trace_violation, i);
		g_autofree char *name = g_strdup_printf("VIOLATION %s", v->rule);
		char buf[32];

		annotate(p, "seq", NULL, (int64_t)v->seq);
		annotate(p, "object", oid_text(v->obj, buf), 0);
		annotate(p, "message", v->msg, 0);
		put_event(p, TYPE_INSTANT, UUID_VIOLATIONS, v->t, "violation", name);
	}
}

void export_perfetto(const struct trace_file *tf, struct output *o)
{
	static const struct lane_ops ops = {on_open, on_point, on_close};
	struct perfetto p = {
		tf, lanes_new(tf), o, output_memory(), output_memory(), output_memory()};
	struct summary *summary = export_summary(tf);
	g_autoptr(GArray) counters = export_counters(summary);
	guint rank = 0;

	put_violations(&p);
	put_cpu_tracks(&p);
	lanes_walk(p.lanes, &ops, &p);
	put_track(&p, UUID_LIVES, "objects", 0, 2);
	put_lives(&p, summary->memcgs, export_end(tf), &rank);
	put_lives(&p, summary->caches, export_end(tf), &rank);
	put_track(&p, UUID_COUNTERS, "counters", 0, 3);
	for (guint i = 0; i < counters->len; i++)
		put_counter(&p, &g_array_index(counters, struct counter_track, i), i);
	summary_free(summary);
	lanes_free(p.lanes);
	output_discard(p.packet);
	output_discard(p.body);
	output_discard(p.part);
}
