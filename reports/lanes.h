/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_LANES_H
#define REPORTS_LANES_H

/*
 * Lanes: what a viewer draws.  A context has one lane, where its operations, work
 * items, callbacks and waits are spans that nest, and all other events are points.
 *
 * A lane stands under the CPU of its first event; a migrated task keeps it, so
 * that its spans stay whole.
 */

#include "reports/trace_file.h"

struct lane {
	uint32_t task; /* 0: the machinery around the contexts */
	uint8_t cpu, ctx;
	char *name;   /* "CPU0 allocator-3", printable ASCII */
	GArray *open; /* const struct trace_record *, outermost first */
};

/* An event led to another. */
struct edge {
	uint64_t cause, effect; /* seq; both are in the trace */
};

struct lanes {
	const struct trace_file *tf;
	GPtrArray *all; /* struct lane, by CPU, kind of context and task; the machinery first */
	GHashTable *by_task;
	GArray *edges; /* struct edge, by cause, then effect */
};

struct lanes *lanes_new(const struct trace_file *tf);
void lanes_free(struct lanes *lanes);

/** lanes_of() - the lane where @r is drawn */
struct lane *lanes_of(const struct lanes *lanes, const struct trace_record *r);

/** lanes_effects() - the edges from @seq: returns the first, and their number in @n */
const struct edge *lanes_effects(const struct lanes *lanes, uint64_t seq, guint *n);

/** lanes_caused() - does an event that the trace kept lead to @r? */
bool lanes_caused(const struct lanes *lanes, const struct trace_record *r);

/** span_name() - what to call the span that @r opens, or the point that it is; not clean */
const char *span_name(const struct trace_record *r);

/** lane_innermost() - what opened the innermost span; in close(), the one that is closed */
static inline const struct trace_record *lane_innermost(const struct lane *lane)
{
	return g_array_index(lane->open, const struct trace_record *, lane->open->len - 1);
}

/* Times never go back, whatever the trace says. */
struct lane_ops {
	void (*open)(void *user, const struct lane *lane, const struct trace_record *r, uint64_t t);
	void (*point)(void *user, const struct lane *lane, const struct trace_record *r,
		      uint64_t t);
	/* @r: what closes it; NULL if it only can't go on */
	void (*close)(void *user, const struct lane *lane, const struct trace_record *r,
		      uint64_t t);
};

/**
 * lanes_walk() - call @ops for all events in order
 *
 * Within a lane each open has one close, and they nest.  An event that closes a
 * span is a point as well if an edge touches it.
 */
void lanes_walk(struct lanes *lanes, const struct lane_ops *ops, void *user);

#endif /* REPORTS_LANES_H */
