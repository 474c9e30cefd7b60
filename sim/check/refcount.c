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
#include <string.h>

#include "sim/check/ledger.h"

struct counter {
	int64_t count;
	int64_t held;
	int64_t unassigned; /* initial references of a plain counter: whoever puts them first */
	uint64_t init_seq, kill_seq, atomic_seq, zero_seq, exit_seq;
	bool known; /* has an entry; a counter without REF_INIT may put what it likes */
	bool percpu;
	bool switching; /* killed in percpu mode, the switch callback has not run */
};

struct held {
	int64_t count;
	uint64_t last_get;
};

struct ledger {
	struct map counters; /* by object: struct counter */
	struct map helds;    /* by (object, holder): struct held */
};

static struct held *held_by(struct checker *c, oid_t obj, enum holder holder)
{
	struct ledger *led = c->ledger;

	return ledger_entry(c, &led->helds, obj, holder);
}

static const char *holder_text(int64_t holder)
{
	return holder >= 0 && holder < NR_HOLDERS ? holder_name((enum holder)holder) : "unknown";
}

/* Back to life with a new base reference; whoever held references keeps them. */
static void resurrect(struct checker *c, const struct trace_record *r, struct counter *ref)
{
	held_by(c, r->obj, HOLD_BASE)->count += r->arg[0] - ref->count;
	ref->held += r->arg[0] - ref->count;
	ref->count = r->arg[0];
	ref->init_seq = r->seq;
	ref->kill_seq = 0;
	ref->atomic_seq = 0;
	ref->zero_seq = 0;
}

static void ref_init(struct checker *c, const struct trace_record *r, struct counter *ref)
{
	struct ledger *led = c->ledger;

	if (ref->init_seq && !ref->exit_seq && ref->kill_seq && !ref->switching) {
		resurrect(c, r, ref);
		return;
	}
	if (ref->init_seq && !ref->exit_seq)
		checker_violation(c, r, r->obj,
				  "initialised twice: counter exists since seq %" PRIu64,
				  ref->init_seq)
			->related[0] = ref->init_seq;
	for (int h = 0; ref->known && h < NR_HOLDERS; h++)
		map_del(&led->helds, r->obj, (uint64_t)h);
	memset(ref, 0, sizeof(*ref));
	ref->known = true;
	ref->init_seq = r->seq;
	ref->percpu = r->arg[1];
	ref->count = r->arg[0];
	ref->held = r->arg[0];
	if (ref->percpu) {
		struct held *base = held_by(c, r->obj, HOLD_BASE);

		base->count = r->arg[0];
		base->last_get = r->seq;
	} else {
		ref->unassigned = r->arg[0];
	}
}

/* No operation is legal on a counter whose memory is gone. */
static bool is_gone(struct checker *c, const struct trace_record *r, const struct counter *ref)
{
	struct violation *v;

	if (!ref->exit_seq)
		return false;
	v = checker_violation(c, r, r->obj, "%s after percpu_ref_exit (at seq %" PRIu64 ")",
			      trace_kinds[r->kind].name, ref->exit_seq);
	v->related[0] = ref->init_seq;
	v->related[1] = ref->exit_seq;
	return true;
}

static void take(struct checker *c, const struct trace_record *r, struct counter *ref, int64_t n,
		 int64_t holder)
{
	struct held *held = held_by(c, r->obj, (enum holder)holder);

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
	struct held *held = held_by(c, r->obj, (enum holder)holder);
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

static void ref_tryget(struct checker *c, const struct trace_record *r, struct counter *ref)
{
	if (!r->arg[0])
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

static void ref_kill(struct checker *c, const struct trace_record *r, struct counter *ref)
{
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

static void ref_atomic(struct checker *c, const struct trace_record *r, struct counter *ref)
{
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

/* Appends who holds how much of @obj; walks the few kinds of holders. */
static void list_holders(struct checker *c, oid_t obj, bool with_base, struct text *text,
			 uint64_t *last_get)
{
	struct ledger *led = c->ledger;

	for (int h = 0; h < NR_HOLDERS; h++) {
		const struct held *held = map_find(&led->helds, obj, (uint64_t)h);

		if (!held || !held->count || (h == HOLD_BASE && !with_base))
			continue;
		text_add(text, "%s%" PRId64 " by %s", text->len ? ", " : "", held->count,
			 holder_name((enum holder)h));
		*last_get = held->last_get;
	}
}

static void ref_zero(struct checker *c, const struct trace_record *r, struct counter *ref)
{
	struct text who = {0};
	struct violation *v;
	uint64_t last_get = 0;

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
	list_holders(c, r->obj, true, &who, &last_get);
	v = checker_violation(c, r, r->obj,
			      "released while referenced: %" PRId64 " in the ledger%s%s%s",
			      ref->held, who.len ? " (" : "", who.s, who.len ? ")" : "");
	v->related[0] = ref->init_seq;
	v->related[1] = last_get;
}

static void ref_exit(struct checker *c, const struct trace_record *r, struct counter *ref)
{
	struct text who = {0};
	struct violation *v;
	uint64_t last_get = 0;

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
	list_holders(c, r->obj, ref->kill_seq != 0, &who, &last_get);
	if (!who.len)
		return;
	v = checker_violation(c, r, r->obj, "percpu_ref_exit with references: %s", who.s);
	v->related[0] = ref->init_seq;
	v->related[1] = last_get;
}

static void on_live(struct checker *c, const struct trace_record *r, struct counter *ref)
{
	int64_t moved;

	switch (r->kind) {
	case TR_REF_GET:
		take(c, r, ref, r->arg[0], r->arg[1]);
		break;
	case TR_REF_TRYGET:
		ref_tryget(c, r, ref);
		break;
	case TR_REF_PUT:
		put(c, r, ref, r->arg[0], r->arg[1]);
		break;
	case TR_REF_MOVE:
		moved = take_from(c, r, ref, r->arg[0], r->arg[1]);
		held_by(c, r->obj, (enum holder)r->arg[2])->count += moved;
		held_by(c, r->obj, (enum holder)r->arg[2])->last_get = r->seq;
		break;
	case TR_REF_KILL:
		ref_kill(c, r, ref);
		break;
	case TR_REF_ATOMIC:
		ref_atomic(c, r, ref);
		break;
	case TR_REF_ZERO:
		ref_zero(c, r, ref);
		break;
	case TR_REF_EXIT:
		ref_exit(c, r, ref);
		break;
	default:
		break;
	}
}

static void on_record(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct counter *ref;

	if (!led->counters.arena) {
		map_init(&led->counters, c->set->arena, sizeof(struct counter));
		map_init(&led->helds, c->set->arena, sizeof(struct held));
	}
	ref = ledger_entry(c, &led->counters, r->obj, 0);
	if (r->kind != TR_REF_INIT && !ref->known) {
		ref->known = true;
		ref->unassigned = INT64_MAX;
	}
	if (r->kind == TR_REF_INIT)
		ref_init(c, r, ref);
	else if (!is_gone(c, r, ref))
		on_live(c, r, ref);
}

/* A dead counter whose last reference is gone must have been released. */
static void on_end(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;
	const struct counter *ref;
	uint32_t pos = 0;

	while ((ref = map_next(&led->counters, &pos))) {
		struct violation *v;

		if (!ref->init_seq || !ref->kill_seq || !ref->atomic_seq || ref->zero_seq ||
		    ref->exit_seq || ref->count)
			continue;
		v = checker_violation(c, last, map_key_a(ref),
				      "never released: killed at seq %" PRIu64
				      " and without references, but nothing noticed the last put",
				      ref->kill_seq);
		v->related[0] = ref->init_seq;
		v->related[1] = ref->kill_seq;
	}
}

static const uint16_t kinds[] = {
	TR_REF_INIT, TR_REF_GET,    TR_REF_TRYGET, TR_REF_PUT,	TR_REF_MOVE,
	TR_REF_KILL, TR_REF_ATOMIC, TR_REF_ZERO,   TR_REF_EXIT, NR_TRACE_KINDS,
};

const struct checker_ops check_refcount = {
	.name = "refcount",
	.claim = "every reference is given back by who took it, and a counter is killed, "
		 "released and freed in that order, once",
	.source = "percpu_ref rules (lib/percpu-refcount.c); exit while switching: a264df74df38",
	.kinds = kinds,
	.ledger_size = sizeof(struct ledger),
	.on_record = on_record,
	.on_end = on_end,
};
