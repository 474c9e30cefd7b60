// SPDX-License-Identifier: GPL-2.0-only
/*
 * refcount: every reference has an owner, and a counter dies once.
 *
 * The ledger keeps two sums per counter.  `count` follows the operations as they
 * are, so it is what the counter must hold; `held` follows what each kind of
 * holder may still give back.  They differ after an unbalanced put, and then the
 * early release names who was robbed.  The kill itself drops nothing: the put of
 * the base reference has a record of its own, as the switch's reference has.
 *
 * percpu_ref_exit() of a counter that was never killed is legal while the base
 * reference is the only one: root destruction frees active children so.
 */

#include <inttypes.h>

#include "sim/base/list.h"
#include "sim/check/ledger.h"

/* What one kind of holder may give back. */
struct held {
	struct held *next; /* of the same counter, by holder: there are few */
	int64_t holder;	   /* enum holder, or whatever a record says */
	int64_t count;
	uint64_t last_get;
};

struct counter {
	oid_t id; /* 0 until it is on the list of all */
	struct list node;
	struct held *helds;
	int64_t count;
	int64_t held;
	int64_t unassigned; /* initial references of a plain counter: whoever puts them first */
	uint64_t init_seq, kill_seq, atomic_seq, zero_seq, exit_seq;
	bool known; /* has an entry; a counter without REF_INIT may put what it likes */
	bool percpu;
	bool switching; /* killed in percpu mode, the switch callback has not run */
};

struct ledger {
	struct objects counters;
	struct list all; /* counters, in the order in which they came */
};

static struct counter *counter_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;
	struct counter *ref = ledger_object(c, &led->counters, id);

	if (!ref->id) {
		ref->id = id;
		list_add_tail(&ref->node, &led->all);
	}
	return ref;
}

static struct held *held_by(struct checker *c, struct counter *ref, int64_t holder)
{
	struct held **link = &ref->helds, *held = *link;

	for (; held && held->holder < holder; held = *link)
		link = &held->next;
	if (held && held->holder == holder)
		return held;
	held = ledger_alloc(c, sizeof(*held));
	held->holder = holder;
	if (!c->set->exhausted) {
		held->next = *link;
		*link = held;
	}
	return held;
}

/* The counter's memory is used for a new one; it keeps its place among all. */
static void start_again(struct checker *c, struct counter *ref)
{
	struct counter fresh = {.id = ref->id, .node = ref->node, .known = true};
	struct held *held;

	while ((held = ref->helds)) {
		ref->helds = held->next;
		ledger_free(c, held, sizeof(*held));
	}
	*ref = fresh;
}

static const char *holder_text(int64_t holder)
{
	return holder >= 0 && holder < NR_HOLDERS ? holder_name((enum holder)holder) : "unknown";
}

/* Back to life with a new base reference; whoever held references keeps them. */
static void resurrect(struct checker *c, const struct trace_record *r, struct counter *ref)
{
	held_by(c, ref, HOLD_BASE)->count += r->arg[0] - ref->count;
	ref->held += r->arg[0] - ref->count;
	ref->count = r->arg[0];
	ref->init_seq = r->seq;
	ref->kill_seq = 0;
	ref->atomic_seq = 0;
	ref->zero_seq = 0;
}

static void on_init(struct checker *c, const struct trace_record *r)
{
	struct counter *ref = counter_of(c, r->obj);

	if (ref->init_seq && !ref->exit_seq && ref->kill_seq && !ref->switching) {
		resurrect(c, r, ref);
		return;
	}
	if (ref->init_seq && !ref->exit_seq)
		checker_violation(c, r, r->obj,
				  "initialised twice: counter exists since seq %" PRIu64,
				  ref->init_seq)
			->related[0] = ref->init_seq;
	start_again(c, ref);
	ref->init_seq = r->seq;
	ref->percpu = r->arg[1];
	ref->count = r->arg[0];
	ref->held = r->arg[0];
	if (ref->percpu) {
		struct held *base = held_by(c, ref, HOLD_BASE);

		base->count = r->arg[0];
		base->last_get = r->seq;
	} else {
		ref->unassigned = r->arg[0];
	}
}

/* No operation is legal on a counter whose memory is gone. */
static void report_gone(struct checker *c, const struct trace_record *r, const struct counter *ref)
{
	struct violation *v = checker_violation(c, r, r->obj,
						"%s after percpu_ref_exit (at seq %" PRIu64 ")",
						trace_kinds[r->kind].name, ref->exit_seq);

	v->related[0] = ref->init_seq;
	v->related[1] = ref->exit_seq;
}

/* The counter that @r works on; NULL, and reported, if it can't any more. */
static struct counter *live_counter(struct checker *c, const struct trace_record *r)
{
	struct counter *ref = counter_of(c, r->obj);

	if (ref->exit_seq) {
		report_gone(c, r, ref);
		return NULL;
	}
	if (!ref->known) {
		ref->known = true;
		ref->unassigned = INT64_MAX;
	}
	return ref;
}

static void take(struct checker *c, const struct trace_record *r, struct counter *ref, int64_t n,
		 int64_t holder)
{
	struct held *held = held_by(c, ref, holder);

	if (ref->zero_seq)
		checker_violation(c, r, r->obj,
				  "get on zero: %" PRId64
				  " for %s after the last put at seq %" PRIu64,
				  n, holder_text(holder), ref->zero_seq)
			->related[0] = ref->zero_seq;
	held->count += n;
	held->last_get = r->seq;
	ref->held += n;
	ref->count += n;
}

/* Takes up to @n references away from @holder; returns how many it had. */
static int64_t take_from(struct checker *c, const struct trace_record *r, struct counter *ref,
			 int64_t n, int64_t holder)
{
	struct held *held = held_by(c, ref, holder);
	int64_t own = held->count < n ? held->count : n;
	int64_t rest = n - own;

	held->count -= own;
	if (rest > ref->unassigned)
		rest = ref->unassigned;
	ref->unassigned -= rest;
	if (own + rest < n) {
		checker_violation(c, r, r->obj,
				  "unbalanced put: %s gives back %" PRId64 " and holds %" PRId64,
				  holder_text(holder), n, own + rest)
			->related[0] = held->last_get;
	}
	return own + rest;
}

static void put(struct checker *c, const struct trace_record *r, struct counter *ref, int64_t n,
		int64_t holder)
{
	if (ref->zero_seq)
		checker_violation(c, r, r->obj,
				  "put after zero: %s puts after the last put at seq %" PRIu64,
				  holder_text(holder), ref->zero_seq)
			->related[0] = ref->zero_seq;
	ref->held -= take_from(c, r, ref, n, holder);
	ref->count -= n;
}

static void on_get(struct checker *c, const struct trace_record *r)
{
	struct counter *ref = live_counter(c, r);

	if (ref)
		take(c, r, ref, r->arg[0], r->arg[1]);
}

static void on_tryget(struct checker *c, const struct trace_record *r)
{
	struct counter *ref = live_counter(c, r);

	if (!ref || !r->arg[0])
		return;
	/* Between the kill and the switch another CPU may still see the live flag. */
	if (r->arg[3] && ref->kill_seq && ref->atomic_seq)
		checker_violation(
			c, r, r->obj,
			"tryget_live succeeds although the counter was killed at seq %" PRIu64
			" and its switch is confirmed",
			ref->kill_seq)
			->related[0] = ref->kill_seq;
	take(c, r, ref, 1, r->arg[1]);
}

static void on_put(struct checker *c, const struct trace_record *r)
{
	struct counter *ref = live_counter(c, r);

	if (ref)
		put(c, r, ref, r->arg[0], r->arg[1]);
}

static void on_move(struct checker *c, const struct trace_record *r)
{
	struct counter *ref = live_counter(c, r);
	struct held *to;

	if (!ref)
		return;
	to = held_by(c, ref, r->arg[2]);
	to->count += take_from(c, r, ref, r->arg[0], r->arg[1]);
	to->last_get = r->seq;
}

static void on_kill(struct checker *c, const struct trace_record *r)
{
	struct counter *ref = live_counter(c, r);

	if (!ref)
		return;
	if (ref->kill_seq) {
		checker_violation(c, r, r->obj,
				  "killed twice: it was killed at seq %" PRIu64 " already",
				  ref->kill_seq)
			->related[0] = ref->kill_seq;
		return;
	}
	ref->kill_seq = r->seq;
	if (r->arg[0])
		ref->atomic_seq = r->seq;
	else
		ref->switching = ref->percpu;
}

static void on_atomic(struct checker *c, const struct trace_record *r)
{
	struct counter *ref = live_counter(c, r);

	if (!ref)
		return;
	ref->switching = false;
	ref->atomic_seq = r->seq;
	if (r->arg[0] != ref->count && ref->init_seq)
		checker_violation(c, r, r->obj,
				  "wrong count: %" PRId64 " in the counter, %" PRId64
				  " in the ledger",
				  r->arg[0], ref->count)
			->related[0] = ref->init_seq;
	/* Another miscount of the same counter should show as one. */
	ref->count = r->arg[0];
}

/* Appends who holds how much of @ref. */
static void list_holders(const struct counter *ref, bool with_base, struct text *text,
			 uint64_t *last_get)
{
	for (const struct held *held = ref->helds; held; held = held->next) {
		if (!held->count || (held->holder == HOLD_BASE && !with_base))
			continue;
		text_add(text, "%s%" PRId64 " by %s", text->len ? ", " : "", held->count,
			 holder_text(held->holder));
		*last_get = held->last_get;
	}
}

static void on_zero(struct checker *c, const struct trace_record *r)
{
	struct counter *ref = live_counter(c, r);
	struct text who = {0};
	struct violation *v;
	uint64_t last_get = 0;

	if (!ref)
		return;
	if (ref->zero_seq) {
		v = checker_violation(c, r, r->obj,
				      "released twice: the first time at seq %" PRIu64,
				      ref->zero_seq);
		v->related[0] = ref->zero_seq;
		return;
	}
	ref->zero_seq = r->seq;
	if (!ref->init_seq || (ref->count == 0 && ref->held == 0))
		return;
	list_holders(ref, true, &who, &last_get);
	v = checker_violation(c, r, r->obj,
			      "released while referenced: %" PRId64 " in the ledger%s%s%s",
			      ref->held, who.len ? " (" : "", who.s, who.len ? ")" : "");
	v->related[0] = ref->init_seq;
	v->related[1] = last_get;
}

static void on_exit_ref(struct checker *c, const struct trace_record *r)
{
	struct counter *ref = live_counter(c, r);
	struct text who = {0};
	struct violation *v;
	uint64_t last_get = 0;

	if (!ref)
		return;
	ref->exit_seq = r->seq;
	if (ref->switching) {
		v = checker_violation(c, r, r->obj,
				      "percpu_ref_exit on a ref that is still switching, "
				      "killed at seq %" PRIu64,
				      ref->kill_seq);
		v->related[0] = ref->init_seq;
		v->related[1] = ref->kill_seq;
		return;
	}
	list_holders(ref, ref->kill_seq != 0, &who, &last_get);
	if (!who.len)
		return;
	v = checker_violation(c, r, r->obj, "percpu_ref_exit with references: %s", who.s);
	v->related[0] = ref->init_seq;
	v->related[1] = last_get;
}

/* A dead counter whose last reference is gone must have been released. */
static void on_end(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;

	list_for_each(node, &led->all) {
		const struct counter *ref = container_of(node, struct counter, node);
		struct violation *v;

		if (!ref->init_seq || !ref->kill_seq || !ref->atomic_seq || ref->zero_seq ||
		    ref->exit_seq || ref->count)
			continue;
		v = checker_violation(c, last, ref->id,
				      "never released: killed at seq %" PRIu64
				      " and without references, but nothing noticed the last put",
				      ref->kill_seq);
		v->related[0] = ref->init_seq;
		v->related[1] = ref->kill_seq;
	}
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	objects_init(&led->counters, c->set->arena, sizeof(struct counter));
	list_init(&led->all);
}

static const struct record_handler handlers[] = {
	{TR_REF_INIT, on_init},	    {TR_REF_GET, on_get},
	{TR_REF_TRYGET, on_tryget}, {TR_REF_PUT, on_put},
	{TR_REF_MOVE, on_move},	    {TR_REF_KILL, on_kill},
	{TR_REF_ATOMIC, on_atomic}, {TR_REF_ZERO, on_zero},
	{TR_REF_EXIT, on_exit_ref}, {0, NULL},
};

const struct checker_ops check_refcount = {
	.name = "refcount",
	.claim = "every reference is given back by who took it, and a counter is killed, "
		 "released and freed in that order, once",
	.source = "percpu_ref rules (lib/percpu-refcount.c); exit while switching: a264df74df38",
	.handlers = handlers,
	.ledger_size = sizeof(struct ledger),
	.init = init,
	.on_end = on_end,
};
