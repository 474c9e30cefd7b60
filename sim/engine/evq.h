/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_ENGINE_EVQ_H
#define SIM_ENGINE_EVQ_H

/*
 * Event queue: what happens next in virtual time.
 *
 * Ordered by (due, seq).  seq counts insertions, so events due at the same
 * instant fire in posting order: a tie never depends on an address.
 *
 * Cost: posting and popping are amortised O(log of the delay) with a constant
 * of a few nanoseconds; how many events are queued hardly matters.  Cancelling
 * is amortised O(1).  Popping and cancelling never need memory; what posting
 * takes from the arena follows the largest number queued at once, and is kept.
 *
 * Invariant: no queued event is due before evq_now().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/engine/vtime.h"

struct event {
	vtime_t due;  /* virtual ns */
	uint64_t seq; /* set by evq_post() */
	void (*fire)(struct event *ev);
	uint32_t place; /* private; 0: not queued */
};

struct evq_radix;

/* All private: what the inline functions read, and where the rest is. */
struct evq {
	struct arena *arena;
	struct evq_radix *radix; /* NULL until the first post */
	vtime_t now;
	vtime_t next; /* due of the earliest event, VTIME_MAX if none; 0: look for it */
	size_t len;
	uint64_t seq; /* of the next post */
};

/** evq_init() - make @q an empty queue at time 0; posting takes memory from @a */
void evq_init(struct evq *q, struct arena *a);

/**
 * evq_post() - schedule an event
 * @q: queue; borrows @ev until it is popped or cancelled
 * @ev: owned by the caller, zeroed before its first use, not queued already
 * @due: virtual ns, not before evq_now(@q), below VTIME_MAX
 *
 * Context: never switches tasks.  Asserts that @due is not in the past.
 * Return: false, with @ev not queued, when the arena is full.
 */
bool evq_post(struct evq *q, struct event *ev, vtime_t due);

/**
 * evq_cancel() - take back a queued event
 * @q: queue that holds @ev
 * @ev: asserted to be queued
 *
 * The queue never looks at @ev again: its memory may be reused or posted anew.
 */
void evq_cancel(struct evq *q, struct event *ev);

/**
 * evq_pop() - remove the earliest event and move the clock to it
 * @q: queue
 *
 * Return: the event, the caller's again; NULL when the queue is empty.
 */
struct event *evq_pop(struct evq *q);

/**
 * evq_peek() - the event that is next in line, if that is known without looking for it
 * @q: queue that something was posted to
 *
 * A hint: NULL says nothing, and what is due at the same time may come first.
 */
const struct event *evq_peek(const struct evq *q);

/** evq_advance() - move the clock forward to @now, asserted not to pass an event */
void evq_advance(struct evq *q, vtime_t now);

/* What evq_next_due() does when it is not known. */
vtime_t evq_find_next(struct evq *q);

/** evq_next_due() - when the earliest event is due; VTIME_MAX when there is none */
static inline vtime_t evq_next_due(struct evq *q)
{
	return q->next ? q->next : evq_find_next(q);
}

/** evq_queued() - is @ev in a queue?  False for zeroed memory. */
static inline bool evq_queued(const struct event *ev)
{
	return ev->place != 0;
}

static inline vtime_t evq_now(const struct evq *q)
{
	return q->now;
}

static inline size_t evq_len(const struct evq *q)
{
	return q->len;
}

#endif /* SIM_ENGINE_EVQ_H */
