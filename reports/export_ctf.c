// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Common Trace Format 1.8: a directory with a text that describes the events,
 * and a binary stream for each CPU, of one packet.  Every field is aligned to a
 * byte, so that records follow each other without gaps.
 */
#include "reports/bytes.h"
#include "reports/export.h"

#define CTF_MAGIC 0xC1FC1FC1u
#define PACKET_HEADER 44 /* bytes: magic, stream, two times, two sizes, CPU */

static const char types[] =
	"typealias integer { size = 8; align = 8; signed = false; } := uint8_t;\n"
	"typealias integer { size = 32; align = 8; signed = false; } := uint32_t;\n"
	"typealias integer { size = 64; align = 8; signed = false; } := uint64_t;\n"
	"typealias integer { size = 64; align = 8; signed = true; } := int64_t;\n"
	"typealias integer { size = 64; align = 8; signed = false; map = clock.virtual.value; }"
	" := vtime_t;\n";

/* Before the streams are described, the clock and the trace have to be. */
static const char stream[] =
	"stream {\n"
	"  id = 0;\n"
	"  packet.context := struct { vtime_t timestamp_begin; vtime_t timestamp_end;\n"
	"    uint64_t content_size; uint64_t packet_size; uint32_t cpu_id; };\n"
	"  event.header := struct { uint32_t id; vtime_t timestamp; };\n"
	"  event.context := struct { uint32_t _task; string _comm; string _ctx; };\n"
	"};\n";

static bool is_number(char type)
{
	return type == 'n' || type == 'b';
}

static void put_quoted(struct output *o, const char *s)
{
	output_char(o, '"');
	for (; *s; s++) {
		bool plain = *s >= ' ' && *s < 127 && *s != '"' && *s != '\\';

		output_char(o, plain ? *s : '?');
	}
	output_char(o, '"');
}

static void put_env(const struct trace_file *tf, struct output *o)
{
	output_str(o, "env {\n  domain = \"kernel\";\n  tracer_name = \"slabsim\";\n  scenario = ");
	put_quoted(o, tf->scenario);
	output_str(o, ";\n  design = ");
	put_quoted(o, tf->lifecycle);
	/* As text: not every reader takes more than 63 bits. */
	output_printf(o, ";\n  seed = \"%" G_GUINT64_FORMAT "\";\n};\n", tf->seed);
}

/* Names begin with "_", which readers drop: so none is a keyword. */
static void put_event_class(struct output *o, int id, int kind)
{
	const struct trace_kind_info *info = &trace_kinds[kind];

	output_printf(
		o,
		"event {\n  name = \"memcgslab:%s\";\n  id = %d;\n  stream_id = 0;\n"
		"  fields := struct { uint64_t _seq; uint64_t _cause; string _via; string _obj;",
		info->name, id);
	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		if (info->arg[i][0])
			output_printf(o, " %s _%s;",
				      is_number(info->arg[i][0]) ? "int64_t" : "string",
				      info->arg[i] + 2);
	}
	output_str(o, " string _stack; };\n};\n");
}

void export_ctf_metadata(const struct trace_file *tf, struct output *o)
{
	struct export_kinds kinds;

	export_kinds(tf, &kinds);
	output_str(o, "/* CTF 1.8 */\n");
	output_str(o, "clock {\n  name = \"virtual\";\n  freq = 1000000000;\n  offset = 0;\n");
	output_printf(o, "  description = \"%s\";\n};\n",
		      tf->untimed ? "steps, one as 1000 ns" : "virtual time");
	output_str(o, types);
	output_str(o, "trace {\n  major = 1;\n  minor = 8;\n  byte_order = le;\n"
		      "  packet.header := struct { uint32_t magic; uint32_t stream_id; };\n};\n");
	put_env(tf, o);
	output_str(o, stream);
	for (int id = 0; id < kinds.nr; id++)
		put_event_class(o, id, kinds.kind[id]);
}

static void put_text(struct output *o, const char *s)
{
	clean_text(o, s, SIZE_MAX);
	output_char(o, 0);
}

static void put_record(const struct trace_file *tf, const struct trace_record *r, int id,
		       uint64_t t, struct output *o)
{
	struct event_field fields[TRACE_NR_ARGS];
	int n = event_fields(r, fields);
	char buf[32];

	put_le(o, (uint64_t)id, 4);
	put_le(o, t, 8);
	put_le(o, r->task, 4);
	put_text(o, export_comm(tf, r));
	put_text(o, ctx_kind_name((enum ctx_kind)r->ctx));
	put_le(o, r->seq, 8);
	put_le(o, r->cause, 8);
	put_text(o, r->cause != 0 ? via_name((enum via)r->via) : "");
	put_text(o, oid_text(r->obj, buf));
	for (int i = 0; i < n; i++) {
		if (is_number(fields[i].type))
			put_le(o, (uint64_t)fields[i].number, 8);
		else
			put_text(o, fields[i].text);
	}
	stack_text(o, r->stack, 4096);
	output_char(o, 0);
}

static void put_packet(struct output *o, const struct output *records, unsigned int cpu,
		       uint64_t first, uint64_t last)
{
	uint64_t bits = (PACKET_HEADER + (uint64_t)records->len) * 8;

	put_le(o, CTF_MAGIC, 4);
	put_le(o, 0, 4);
	put_le(o, first, 8);
	put_le(o, last, 8);
	put_le(o, bits, 8);
	put_le(o, bits, 8);
	put_le(o, cpu, 4);
	output_bytes(o, records->buf, records->len);
}

void export_ctf_stream(const struct trace_file *tf, unsigned int cpu, struct output *o)
{
	struct output *records = output_memory();
	uint64_t first = 0, last = 0;
	struct export_kinds kinds;

	export_kinds(tf, &kinds);
	for (guint i = 0; i < tf->events->len; i++) {
		const struct trace_record *r = event_at(tf, i);

		if (r->cpu != cpu)
			continue;
		last = MAX(last, (uint64_t)r->t * (tf->untimed ? 1000 : 1));
		if (records->len == 0)
			first = last;
		put_record(tf, r, kinds.number[r->kind], last, records);
	}
	if (records->len > 0)
		put_packet(o, records, cpu, first, last);
	output_discard(records);
}
