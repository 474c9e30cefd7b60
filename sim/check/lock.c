// SPDX-License-Identifier: GPL-2.0-only
/*
 * lock: the rules that lockdep and might_sleep() enforce, on lock classes.
 *
 * A class is a lock's name.  An order is noted when a lock is asked for, not when
 * it is got, so that the run that deadlocks shows it too; a trylock can't wait and
 * notes none.  Readers count as writers: a reader of a mutex-like lock waits as
 * soon as a writer does.  Two locks of one class nest freely, since nothing in a
 * record says in which order they are meant to.
 *
 * Only the classes decide the cost of looking for a cycle, and a new edge is
 * looked at once.
 */

#include <inttypes.h>
#include <string.h>

#include "sim/check/ledger.h"

enum lock_kind { LOCK_MUTEX, LOCK_SPINLOCK, LOCK_RWSEM };

struct edge {
	struct lock_class *to;
	struct edge *next;    /* of the same class */
	uint64_t first, then; /* seqs: took the one, asked for the other */
};

struct lock_class {
	char name[40];
	struct edge *edges;
	struct lock_class *from;	       /* search only: whence it was reached */
	const struct edge *via;		       /* and by which edge */
	uint64_t visit;			       /* number of the search that reached it */
	uint64_t in_softirq, in_hardirq;       /* seq of the first such use, 0 for none */
	uint64_t with_softirqs, with_hardirqs; /* taken while such a context could interrupt */
	bool spinning;
};

struct lock {
	struct lock_class *lock_class;
	uint8_t kind;
};

struct held {
	struct held *next;
	oid_t lock;
	struct lock_class *lock_class;
	uint64_t seq;
	bool spinning;
};

struct context {
	struct held *held; /* latest first */
	uint32_t nr_spinlocks;
	uint32_t rcu_nesting;
	uint64_t rcu_since;
};

struct ledger {
	struct map locks;    /* by lock */
	struct map classes;  /* by digest of the name */
	struct map orders;   /* by (from, to), as digests: an edge exists */
	struct map contexts; /* by context that holds a lock or is in a read section */
	uint64_t nr_searches;
};

static struct context *context_of(struct checker *c, oid_t task)
{
	struct ledger *led = c->ledger;

	return ledger_entry(c, &led->contexts, task, 0);
}

static void forget_if_idle(struct checker *c, oid_t task)
{
	struct ledger *led = c->ledger;
	const struct context *ctx = map_find(&led->contexts, task, 0);

	if (ctx && !ctx->held && !ctx->rcu_nesting)
		map_del(&led->contexts, task, 0);
}

static bool in_interrupt(const struct trace_record *r)
{
	return r->ctx == CTX_SOFTIRQ || r->ctx == CTX_HARDIRQ;
}

/* ---- classes ------------------------------------------------------------------ */

static struct lock *lock_of(struct checker *c, oid_t id, const char *name)
{
	struct ledger *led = c->ledger;
	struct lock *lock = ledger_entry(c, &led->locks, id, 0);
	struct oid_text unnamed;

	if (lock->lock_class)
		return lock;
	if (!name || !*name) {
		unnamed = oid_str(id);
		name = unnamed.s;
	}
	/* The digest of a name is never the key that a map refuses. */
	lock->lock_class = ledger_entry(c, &led->classes, text_digest(name) >> 1, 0);
	if (!lock->lock_class->name[0]) {
		struct text text = {0};

		text_add(&text, "%.39s", name);
		memcpy(lock->lock_class->name, text.s, text.len + 1);
	}
	return lock;
}

/* ---- order ---------------------------------------------------------------------- */

/* Depth first, without recursion: from is the way back. */
static bool reaches(struct ledger *led, struct lock_class *start, const struct lock_class *goal)
{
	struct lock_class *at = start;

	led->nr_searches++;
	start->visit = led->nr_searches;
	start->from = NULL;
	start->via = NULL;
	while (at) {
		const struct edge *e = at->edges;

		while (e && e->to->visit == led->nr_searches)
			e = e->next;
		if (!e) {
			at = at->from;
			continue;
		}
		e->to->visit = led->nr_searches;
		e->to->from = at;
		e->to->via = e;
		if (e->to == goal)
			return true;
		at = e->to;
	}
	return false;
}

/* The way that the last search found to @end, first class first. */
static void add_path(struct text *text, const struct lock_class *end, uint64_t *first)
{
	const struct lock_class *path[8], *at = end;
	int n = 0;

	while (at && n < 8) {
		path[n++] = at;
		if (at->via)
			*first = at->via->then;
		at = at->from;
	}
	while (n-- > 0)
		text_add(text, "%s%s", path[n]->name, n ? " -> " : "");
}

static void note_order(struct checker *c, const struct trace_record *r, const struct held *held,
		       struct lock_class *to)
{
	struct ledger *led = c->ledger;
	struct lock_class *from = held->lock_class;
	uint64_t a = map_key_a(from), b = map_key_a(to), reverse = 0;
	struct text path = {0};
	struct violation *v;
	struct edge *edge;

	if (from == to || map_find(&led->orders, a, b))
		return;
	ledger_entry(c, &led->orders, a, b);
	if (reaches(led, to, from)) {
		add_path(&path, from, &reverse);
		v = checker_violation(c, r, r->obj,
				      "order inversion: %s -> %s, but also %s (seq %" PRIu64 ")",
				      from->name, to->name, path.s, reverse);
		v->related[0] = held->seq;
		v->related[1] = reverse;
	}
	edge = ledger_alloc(c, sizeof(*edge));
	edge->to = to;
	edge->first = held->seq;
	edge->then = r->seq;
	edge->next = from->edges;
	from->edges = edge;
}

static void ask(struct checker *c, const struct trace_record *r, const struct lock *lock)
{
	struct context *ctx = context_of(c, task_oid(r));

	for (const struct held *held = ctx->held; held; held = held->next) {
		if (held->lock == r->obj)
			checker_violation(
				c, r, r->obj,
				"recursion: %s takes %s again, which it holds since seq %" PRIu64,
				oid_str(task_oid(r)).s, lock->lock_class->name, held->seq)
				->related[0] = held->seq;
		else
			note_order(c, r, held, lock->lock_class);
	}
	forget_if_idle(c, task_oid(r));
}

/* ---- interrupts ----------------------------------------------------------------- */

static void judge_class(struct checker *c, const struct trace_record *r,
			const struct lock_class *class, const char *what, uint64_t inside,
			uint64_t open)
{
	struct violation *v;

	if (!inside || !open || (inside != r->seq && open != r->seq))
		return;
	v = checker_violation(c, r, r->obj,
			      "irq-unsafe in %s: %s is taken there at seq %" PRIu64
			      ", and with %ss enabled at seq %" PRIu64,
			      what, class->name, inside, what, open);
	v->related[0] = inside;
	v->related[1] = open;
}

static void note_use(const struct trace_record *r, struct lock_class *class)
{
	if (r->ctx == CTX_HARDIRQ && !class->in_hardirq)
		class->in_hardirq = r->seq;
	if (r->ctx == CTX_SOFTIRQ && !class->in_softirq)
		class->in_softirq = r->seq;
}

static void note_openness(const struct trace_record *r, struct lock_class *class)
{
	bool irqs_off = r->arg[1], bh_off = r->arg[2];

	if (r->ctx == CTX_HARDIRQ || irqs_off)
		return;
	if (!class->with_hardirqs)
		class->with_hardirqs = r->seq;
	if (r->ctx != CTX_SOFTIRQ && !bh_off && !class->with_softirqs)
		class->with_softirqs = r->seq;
}

static void irq_rules(struct checker *c, const struct trace_record *r, const struct lock *lock)
{
	struct lock_class *class = lock->lock_class;
	bool try = r->kind == TR_LOCK_ACQUIRE && r->arg[3];

	if (lock->kind != LOCK_SPINLOCK)
		return;
	if (!try)
		note_use(r, class);
	if (r->kind == TR_LOCK_ACQUIRE)
		note_openness(r, class);
	judge_class(c, r, class, "hardirq", class->in_hardirq, class->with_hardirqs);
	judge_class(c, r, class, "softirq", class->in_softirq, class->with_softirqs);
}

/* ---- sleeping ------------------------------------------------------------------ */

static const struct held *held_spinlock(const struct context *ctx)
{
	const struct held *held = ctx ? ctx->held : NULL;

	while (held && !held->spinning)
		held = held->next;
	return held;
}

static void judge_sleep(struct checker *c, const struct trace_record *r, int64_t preempt,
			int64_t rcu, bool irqs_off)
{
	struct ledger *led = c->ledger;
	const struct context *ctx = map_find(&led->contexts, r->obj, 0);
	const struct held *spin = held_spinlock(ctx);
	const char *where = r->str ? r->str : trace_kinds[r->kind].name;

	if (rcu > 0)
		checker_violation(
			c, r, r->obj,
			"illegal context switch in RCU read-side section: %s, nesting %" PRId64,
			where, rcu)
			->related[0] = ctx ? ctx->rcu_since : 0;
	if (spin)
		checker_violation(c, r, r->obj,
				  "sleep in atomic context: %s, holding %s since seq %" PRIu64,
				  where, spin->lock_class->name, spin->seq)
			->related[0] = spin->seq;
	else if (in_interrupt(r) && r->obj == task_oid(r))
		checker_violation(c, r, r->obj, "sleep in atomic context: %s in a %s", where,
				  ctx_kind_name((enum ctx_kind)r->ctx));
	else if (preempt > 0 || irqs_off)
		checker_violation(c, r, r->obj,
				  "sleep in atomic context: %s, preempt count %" PRId64
				  ", interrupts %s",
				  where, preempt, irqs_off ? "off" : "on");
}

static void on_block(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	const struct context *ctx = map_find(&led->contexts, r->obj, 0);

	judge_sleep(c, r, 0, ctx ? ctx->rcu_nesting : 0, false);
}

/* ---- sections ------------------------------------------------------------------- */

static void acquire(struct checker *c, const struct trace_record *r, const struct lock *lock)
{
	struct context *ctx;
	struct held *held;

	if (!r->arg[3])
		ask(c, r, lock);
	ctx = context_of(c, task_oid(r));
	held = ledger_alloc(c, sizeof(*held));
	held->lock = r->obj;
	held->lock_class = lock->lock_class;
	held->seq = r->seq;
	held->spinning = lock->kind == LOCK_SPINLOCK;
	held->next = ctx->held;
	ctx->held = held;
	ctx->nr_spinlocks += held->spinning;
}

static void release(struct checker *c, const struct trace_record *r, const struct lock *lock)
{
	struct context *ctx = context_of(c, task_oid(r));
	struct held **link = &ctx->held, *held;

	while (*link && (*link)->lock != r->obj)
		link = &(*link)->next;
	held = *link;
	if (!held) {
		checker_violation(c, r, r->obj, "release of a lock that is not held: %s by %s",
				  lock->lock_class->name, oid_str(task_oid(r)).s);
	} else {
		*link = held->next;
		ctx->nr_spinlocks -= held->spinning;
		ledger_free(c, held, sizeof(*held));
	}
	forget_if_idle(c, task_oid(r));
}

/* At a point where @task has to be back out of everything; @any: mutexes included. */
static void must_be_out(struct checker *c, const struct trace_record *r, oid_t task, const char *at,
			bool any)
{
	struct ledger *led = c->ledger;
	const struct context *ctx = map_find(&led->contexts, task, 0);
	const struct held *held;

	if (!ctx)
		return;
	held = any ? ctx->held : held_spinlock(ctx);
	if (held)
		checker_violation(c, r, task, "lock held at %s: %s since seq %" PRIu64, at,
				  held->lock_class->name, held->seq)
			->related[0] = held->seq;
	if (any && ctx->rcu_nesting)
		checker_violation(c, r, task, "rcu nesting %" PRIu32 " at %s, since seq %" PRIu64,
				  ctx->rcu_nesting, at, ctx->rcu_since)
			->related[0] = ctx->rcu_since;
}

static void op_end(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	const struct context *ctx = map_find(&led->contexts, r->obj, 0);
	const char *op = r->str ? r->str : "the operation";

	must_be_out(c, r, r->obj, "return", false);
	if (r->arg[2] != 0 || (ctx && ctx->rcu_nesting))
		checker_violation(c, r, r->obj, "rcu nesting %" PRId64 " at return from %s",
				  r->arg[2] ? r->arg[2] : (int64_t)ctx->rcu_nesting, op)
			->related[0] = ctx ? ctx->rcu_since : 0;
	if (r->arg[1] != 0)
		checker_violation(c, r, r->obj, "preempt count %" PRId64 " at return from %s",
				  r->arg[1], op);
}

static void on_rcu(struct checker *c, const struct trace_record *r)
{
	struct context *ctx = context_of(c, r->obj);

	if (r->kind == TR_RCU_READ_LOCK) {
		if (!ctx->rcu_nesting++)
			ctx->rcu_since = r->seq;
	} else if (ctx->rcu_nesting) {
		ctx->rcu_nesting--;
	} else {
		checker_violation(c, r, r->obj, "rcu_read_unlock outside of a read section");
	}
	forget_if_idle(c, r->obj);
}

/* ---- records -------------------------------------------------------------------- */

static void on_lock(struct checker *c, const struct trace_record *r)
{
	struct lock *lock = lock_of(c, r->obj, r->kind == TR_LOCK_INIT ? r->str : NULL);

	switch (r->kind) {
	case TR_LOCK_INIT:
		lock->kind = (uint8_t)r->arg[0];
		break;
	case TR_LOCK_WAIT:
		irq_rules(c, r, lock);
		ask(c, r, lock);
		break;
	case TR_LOCK_ACQUIRE:
		irq_rules(c, r, lock);
		acquire(c, r, lock);
		break;
	default:
		release(c, r, lock);
		break;
	}
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	map_init(&led->locks, c->set->arena, sizeof(struct lock));
	map_init(&led->classes, c->set->arena, sizeof(struct lock_class));
	map_init(&led->orders, c->set->arena, 0);
	map_init(&led->contexts, c->set->arena, sizeof(struct context));
}

static void on_record(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	if (!led->locks.arena)
		init(c);
	switch (r->kind) {
	case TR_LOCK_INIT:
	case TR_LOCK_WAIT:
	case TR_LOCK_ACQUIRE:
	case TR_LOCK_RELEASE:
		on_lock(c, r);
		break;
	case TR_RCU_READ_LOCK:
	case TR_RCU_READ_UNLOCK:
		on_rcu(c, r);
		break;
	case TR_MIGHT_SLEEP:
		judge_sleep(c, r, r->arg[0], r->arg[1], r->arg[2] != 0);
		break;
	case TR_TASK_BLOCK:
		on_block(c, r);
		break;
	case TR_OP_END:
		op_end(c, r);
		break;
	case TR_WORK_END:
		must_be_out(c, r, task_oid(r), "the end of a work item", true);
		break;
	case TR_TASK_EXIT:
		must_be_out(c, r, r->obj, "exit", true);
		break;
	default:
		break;
	}
}

static const uint16_t kinds[] = {
	TR_LOCK_INIT,	TR_LOCK_WAIT,  TR_LOCK_ACQUIRE,	 TR_LOCK_RELEASE,
	TR_MIGHT_SLEEP, TR_TASK_BLOCK, TR_RCU_READ_LOCK, TR_RCU_READ_UNLOCK,
	TR_OP_END,	TR_WORK_END,   TR_TASK_EXIT,	 NR_TRACE_KINDS,
};

const struct checker_ops check_lock = {
	.name = "lock",
	.claim = "locks are taken in one order and safely against interrupts, "
		 "nobody sleeps in atomic context, and sections are left",
	.source = "the rules of lockdep, might_sleep() and RCU "
		  "(Documentation/locking, Documentation/RCU)",
	.kinds = kinds,
	.ledger_size = sizeof(struct ledger),
	.on_record = on_record,
};
