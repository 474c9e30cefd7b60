/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_TRACE_FILE_H
#define REPORTS_TRACE_FILE_H

/*
 * A trace in host memory, whoever filled it: the reader of a file, or a run
 * that goes on.  Every report is a function of this and of nothing else.
 */

#include "lua/scenario.h"
#include "reports/names.h"
#include "reports/summary.h"

struct trace_violation {
	const char *rule;
	uint64_t seq;
	uint64_t t;
	oid_t obj;
	uint64_t related[3]; /* 0 for none */
	const char *msg;
};

struct trace_file {
	/* the first line */
	const char *scenario, *lifecycle, *order;
	const char *replay;  /* command line that repeats the run; NULL if unknown */
	GPtrArray *variants; /* strings, NULL-terminated */
	uint64_t seed;
	unsigned int nr_cpus;
	bool untimed; /* t counts steps, not ns */

	/*
	 * The events; str and stack point into the trace.  A run longer than
	 * events_max keeps only its end: nr_dropped came before events[0].
	 */
	GArray *events; /* struct trace_record */
	size_t events_max;
	uint64_t nr_dropped;
	GArray *violations; /* struct trace_violation, in the order in which they came */

	/* what all records add up to, the dropped ones included */
	struct summary *summary;
	struct names *names;

	/* the last line */
	bool ended; /* false: the trace was cut short */
	enum verdict verdict;
	uint64_t end, nr_events, nr_steps, nr_violations;
	uint64_t found; /* seq of the violation that was looked for; 0 for the first */

	GStringChunk *strings;
	GHashTable *frames; /* of struct frame, each (function, caller) once */
};

/** trace_file_new() - an empty trace that keeps at most @events_max events, 0 for all */
struct trace_file *trace_file_new(size_t events_max);
void trace_file_free(struct trace_file *tf);

/** trace_file_string() - a copy of @s that lives as long as the trace; NULL is NULL */
const char *trace_file_string(struct trace_file *tf, const char *s);

/** trace_file_frame() - a stack frame that lives as long as the trace */
const struct frame *trace_file_frame(struct trace_file *tf, const char *func,
				     const struct frame *caller);

/** trace_file_add() - append @r, whose str and stack are the trace's own */
void trace_file_add(struct trace_file *tf, const struct trace_record *r);

/** trace_file_has_accesses() - were accesses recorded, not only those that violated something? */
bool trace_file_has_accesses(const struct trace_file *tf);

/** trace_file_drop_accesses() - leave out all but those; returns how many that were */
uint64_t trace_file_drop_accesses(struct trace_file *tf);

/** trace_file_find() - the event with number @seq; NULL if it is not there */
const struct trace_record *trace_file_find(const struct trace_file *tf, uint64_t seq);

/**
 * trace_file_blamed() - the violation that reports are about; NULL without any
 *
 * What a search has found, which is not what set-up violates in every ordering; else the first.
 */
const struct trace_violation *trace_file_blamed(const struct trace_file *tf);

/** trace_file_finish() - the run is over */
void trace_file_finish(struct trace_file *tf, const struct run_result *result);

/** trace_collector - a sink that fills a trace while the run goes on */
struct trace_collector {
	struct run_sink sink; /* first: a sink is cast back to its collector */
	struct trace_file *tf;
};

void trace_collector_init(struct trace_collector *c, struct trace_file *tf);

#endif /* REPORTS_TRACE_FILE_H */
