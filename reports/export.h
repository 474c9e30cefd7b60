/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_EXPORT_H
#define REPORTS_EXPORT_H

/*
 * Traces in the formats of other tools.  Each is a pure function of the trace, and
 * the same trace gives the same bytes.
 *
 * Names come from scripts and may hold anything.  Formats that carry text as a
 * length and bytes, or with escapes, get it as it is; all others get clean_text().
 */

#include "reports/output.h"
#include "reports/trace_file.h"

/** export_chrome() - Chrome trace events (JSON): chrome://tracing, Perfetto, speedscope */
void export_chrome(const struct trace_file *tf, struct output *o);

/** export_perfetto() - Perfetto's own format, track events in protobuf */
void export_perfetto(const struct trace_file *tf, struct output *o);

/** export_ftrace() - what tracefs would print if the events were tracepoints */
void export_ftrace(const struct trace_file *tf, struct output *o);

/** export_csv() - the counters over time, a row for each change */
void export_csv(const struct trace_file *tf, struct output *o);

/** export_mermaid() - a sequence diagram of the deferred work that led to the violation */
void export_mermaid(const struct trace_file *tf, struct output *o);

/** export_trace_dat() - a trace.dat file, version 6: trace-cmd, KernelShark */
void export_trace_dat(const struct trace_file *tf, struct output *o);

/** export_ctf_metadata() - the metadata stream of a CTF 1.8 trace */
void export_ctf_metadata(const struct trace_file *tf, struct output *o);

/** export_ctf_stream() - the event stream of @cpu; nothing if it has no event */
void export_ctf_stream(const struct trace_file *tf, unsigned int cpu, struct output *o);

/* ---- what the writers share ---------------------------------------------- */

#define EXPORT_CPUS_MAX 256 /* a record's CPU is a byte */

/* An argument of an event: a number, or a text. */
struct event_field {
	const char *name;
	char type; /* as in events.def */
	int64_t number;
	const char *text; /* NULL for a number; may point to oid */
	char oid[32];
};

/** event_fields() - the arguments of @r by name; returns how many there are */
int event_fields(const struct trace_record *r, struct event_field fields[TRACE_NR_ARGS]);

/* Numbers of the kinds of events that a trace has. */
struct export_kinds {
	int nr;
	uint16_t kind[NR_TRACE_KINDS];	 /* by number, from 0 on */
	uint16_t number[NR_TRACE_KINDS]; /* by kind */
};

/**
 * export_kinds() - number the kinds of events in the order in which the trace begins them
 *
 * Their own numbers would move whenever the program learns another kind.
 */
void export_kinds(const struct trace_file *tf, struct export_kinds *kinds);

/** oid_text() - "kind:nr", or "-" */
const char *oid_text(oid_t id, char buf[32]);

/** clean_text() - @s in printable ASCII, "?" for all else, at most @max characters */
void clean_text(struct output *o, const char *s, size_t max);

/** clean_line() - all of @s, likewise: what stays on its line and tells a terminal nothing */
void clean_line(struct output *o, const char *s);

/** stack_text() - "inner <- caller <- ...", at most @max characters */
void stack_text(struct output *o, const struct frame *f, size_t max);

/** event_at() - event number @i of those that the trace kept */
static inline const struct trace_record *event_at(const struct trace_file *tf, guint i)
{
	return &g_array_index(tf->events, struct trace_record, i);
}

/** export_nr_cpus() - CPUs that the trace has, or that some event claims to be on */
unsigned int export_nr_cpus(const struct trace_file *tf);

/** export_end() - when the run ended; of a trace that was cut short, when its last event was */
uint64_t export_end(const struct trace_file *tf);

/** export_comm() - name of the context that recorded @r: clean, never empty */
const char *export_comm(const struct trace_file *tf, const struct trace_record *r);

/* A counter as every writer names it. */
struct counter_track {
	const char *name; /* "slab pages" */
	oid_t of;	  /* memcg that it belongs to; 0 for the whole machine */
	const struct series *series;
};

/** export_counters() - the counters of @s, which stay its own: struct counter_track */
GArray *export_counters(const struct summary *s);

/** export_summary() - the events of @tf folded with every point kept; the caller frees it */
struct summary *export_summary(const struct trace_file *tf);

/* A stretch in the life of an object: from one state to the next. */
struct life_stretch {
	const char *state;
	uint64_t from, to;
};

/** export_life() - what stretches @life has until @end, up to its end; returns how many */
int export_life(const struct life *life, uint64_t end, struct life_stretch out[NR_LIFE_STAGES]);

#endif /* REPORTS_EXPORT_H */
