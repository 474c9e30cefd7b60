// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ftrace's text, for people and grep: graphical viewers draw only events that they
 * know in it.  Times have nine decimals, as `trace-cmd report -t` prints them.
 */
#include "reports/export.h"

#define COMM_MAX 15 /* as TASK_COMM_LEN leaves */
#define TEXT_MAX 400

static const char *const header[] = {
	"#                                _-----=> irqs-off/BH-disabled",
	"#                               / _----=> need-resched",
	"#                              | / _---=> hardirq/softirq",
	"#                              || / _--=> preempt-depth",
	"#                              ||| / _-=> migrate-disable",
	"#                              |||| /     delay",
	"#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION",
	"#              | |         |   |||||     |         |",
};

/* Words are divided by blanks, so a text has none. */
static void put_word(struct output *o, const char *s, size_t max)
{
	for (size_t i = 0; i < max && s[i]; i++)
		output_char(o, s[i] > ' ' && s[i] < 127 ? s[i] : s[i] == ' ' ? '_' : '?');
}

static void put_head(const struct trace_file *tf, const struct trace_record *r, struct output *o)
{
	struct output *comm = output_memory();
	uint64_t ns = (uint64_t)r->t * (tf->untimed ? 1000 : 1);

	put_word(comm, export_comm(tf, r), COMM_MAX);
	output_pad(o, ' ', COMM_MAX + 1 - (int)comm->len);
	output_bytes(o, comm->buf, comm->len);
	output_printf(o, "-%-7u [%03u] %s ", r->task, r->cpu,
		      r->ctx == CTX_SOFTIRQ   ? "..s1."
		      : r->ctx == CTX_HARDIRQ ? "d.h1."
					      : ".....");
	output_printf(o,
		      "%" G_GUINT64_FORMAT ".%09" G_GUINT64_FORMAT ": %s: seq=%" G_GUINT64_FORMAT,
		      ns / 1000000000, ns % 1000000000, trace_kinds[r->kind].name, r->seq);
	output_discard(comm);
}

static void put_record(const struct trace_file *tf, const struct trace_record *r, struct output *o)
{
	struct event_field fields[TRACE_NR_ARGS];
	int n = event_fields(r, fields);
	char buf[32];

	put_head(tf, r, o);
	output_printf(o, " obj=%s", oid_text(r->obj, buf));
	for (int i = 0; i < n; i++) {
		output_printf(o, " %s=", fields[i].name);
		if (fields[i].text)
			put_word(o, fields[i].text, TEXT_MAX);
		else
			output_i64(o, fields[i].number);
	}
	if (r->cause != 0)
		output_printf(o, " cause=%" G_GUINT64_FORMAT " via=%s", r->cause,
			      via_name((enum via)r->via));
	output_char(o, '\n');
}

void export_ftrace(const struct trace_file *tf, struct output *o)
{
	output_printf(o,
		      "# tracer: nop\n#\n# entries-in-buffer/entries-written: %u/%" G_GUINT64_FORMAT
		      "   #P:%u\n#\n",
		      tf->events->len, tf->events->len + tf->nr_dropped, export_nr_cpus(tf));
	for (size_t i = 0; i < G_N_ELEMENTS(header); i++)
		output_printf(o, "%s\n", header[i]);
	for (guint i = 0; i < tf->events->len; i++)
		put_record(tf, event_at(tf, i), o);
}
