/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_ENGINE_TRACE_H
#define SIM_ENGINE_TRACE_H

/*
 * Trace records: what happened, in total order.
 *
 * Model code emits a record right after it changed state and before the next
 * scheduling point.  Listeners (checkers, writers) see each record once, in
 * order, and never change the world.
 */

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/object.h"
#include "sim/engine/vtime.h"

enum trace_kind {
#define EVENT(id, name, obj, a0, a1, a2, a3, doc) TR_##id,
#include "sim/engine/events.def"
#undef EVENT
	NR_TRACE_KINDS,
};

enum holder {
#define HOLDER(id, name, doc) HOLD_##id,
#include "sim/engine/holders.def"
#undef HOLDER
	NR_HOLDERS,
};

/* What kind of context a record comes from; also a context's own kind. */
enum ctx_kind {
	CTX_NONE, /* the environment: grace-period engine, timers, set-up */
	CTX_TASK,
	CTX_KWORKER,
	CTX_SOFTIRQ,
	CTX_HARDIRQ,
	NR_CTX_KINDS,
};

/* How the causing record led to this one. */
enum via {
	VIA_NONE,
	VIA_CALL_RCU,
	VIA_QUEUE_WORK,
	VIA_WAKE,
	VIA_IPI,
	VIA_LAST_PUT,
	VIA_TIMER,
	NR_VIAS,
};

#define TRACE_NR_ARGS 4

/* One simulated stack frame; lives on the fiber that runs the function. */
struct frame {
	const char *func;
	const struct frame *caller;
};

struct trace_record {
	uint64_t seq;	/* from 1, no gaps: the identity of the record */
	vtime_t t;	/* virtual ns; steps so far in an untimed run */
	uint64_t cause; /* seq of the record that led here by @via; 0 for none */
	oid_t obj;
	int64_t arg[TRACE_NR_ARGS]; /* as events.def says; oid_t for "o:" */
	const char *str;	    /* the "s:" argument or NULL; valid during the call */
	const struct frame *stack;  /* innermost first; valid during the call */
	uint32_t task;		    /* number of the context, 0 for the environment */
	uint16_t kind;		    /* enum trace_kind */
	uint8_t cpu;
	uint8_t ctx; /* enum ctx_kind */
	uint8_t via; /* enum via */
};

/* Static description of a kind, from events.def. */
struct trace_kind_info {
	const char *name;
	enum object_kind obj;
	const char *arg[TRACE_NR_ARGS]; /* "T:name" or "" */
	const char *doc;
};

extern const struct trace_kind_info trace_kinds[NR_TRACE_KINDS];

const char *holder_name(enum holder h);

/** holder_meaning() - what such a reference stands for */
const char *holder_meaning(enum holder h);

const char *ctx_kind_name(enum ctx_kind ctx);
const char *via_name(enum via via);

/** trace_kind_by_name() - look a kind up; -1 if there is none of that name */
int trace_kind_by_name(const char *name);

#endif /* SIM_ENGINE_TRACE_H */
