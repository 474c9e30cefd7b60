/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_RACE_SLICE_H
#define REPORTS_RACE_SLICE_H

/*
 * The slice of a trace that led to one violation: what a race table is made of.
 *
 * A stretch is what one context does for one reason: an operation of a task, a
 * work item, an RCU callback, an interrupt.  Its cause is the event that queued
 * it.  A pick is an event that the table has to show.
 */

#include "reports/trace_file.h"

#define NO_INDEX UINT32_MAX

struct stretch {
	uint32_t first, last; /* indices of events; others' events stand in between */
	uint32_t task;
	oid_t subject;	   /* whom the work item or callback is about, 0 if nobody */
	const char *entry; /* its function; NULL when the stacks tell */
};

enum pick_role {
	PICK_LINK,     /* queues or registers what comes later */
	PICK_WAIT,     /* a flush, a barrier: an attempt at ordering */
	PICK_CONFLICT, /* what the violation is in conflict with */
	PICK_VIOLATION,
};

struct pick {
	uint32_t event; /* index */
	enum pick_role role;
};

struct slice {
	const struct trace_file *tf;
	const struct trace_violation *v;
	uint32_t *stretch_of; /* of each event; NO_INDEX for the environment's */
	GArray *stretches;    /* struct stretch */
	GArray *picks;	      /* struct pick, by event, each event once */
	GHashTable *lock_kinds;
	uint32_t violation; /* index of the violating event, NO_INDEX if it is not kept */
	uint32_t conflict;  /* of the event it is in conflict with most directly, or NO_INDEX */
	bool guessed;	    /* the conflict is not one that the checker named */
};

void slice_init(struct slice *s, const struct trace_file *tf, const struct trace_violation *v);
void slice_clear(struct slice *s);

const struct trace_record *slice_event(const struct slice *s, uint32_t i);
const struct stretch *slice_stretch(const struct slice *s, uint32_t event);

/** slice_index() - index of the event @seq, NO_INDEX if it is not kept */
uint32_t slice_index(const struct trace_file *tf, uint64_t seq);

/** slice_cause() - index of the event that led to the stretch @st, NO_INDEX if nothing did */
uint32_t slice_cause(const struct slice *s, const struct stretch *st);

/** slice_about() - is @r about @obj: its object, its argument or its work item's subject? */
bool slice_about(const struct slice *s, const struct trace_record *r, oid_t obj);

/**
 * slice_ordered() - was the event @a bound to come before @b?
 *
 * Follows what enforces an order: one context's own steps, work and callbacks
 * after their queueing, wake-ups, flushes, barriers, grace periods, the last put.
 * A contended lock enforces none.  When in doubt the answer is true.
 */
bool slice_ordered(const struct slice *s, uint32_t a, uint32_t b);

#endif /* REPORTS_RACE_SLICE_H */
