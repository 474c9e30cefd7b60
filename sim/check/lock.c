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

#include "sim/base/hash.h"
#include "sim/check/ledger.h"

enum lock_kind { LOCK_MUTEX, LOCK_SPINLOCK, LOCK_RWSEM };

struct edge {
	struct lock_class *to;
	struct edge *next;    /* of the same class */
	uint64_t first, then; /* seqs: took the one, asked for the other */
};

struct lock_class {
	uint32_t nr; /* from 1 */
	char name[40];
	uint64_t digest; /* of the whole name */
	struct edge *edges;
	struct table
		after; /* by number of another class: no value, just that an edge leads there */
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
	struct table locks;
	struct map classes;    /* by digest of the name */
	struct table contexts; /* by context that held a lock or was in a read section */
	struct held *unused;   /* locks come and go: entries to use again */
	uint64_t nr_searches;
};

static struct context *find_context(const struct checker *c, oid_t task)
{
	const struct ledger *led = c->ledger;

	return table_find(&led->contexts, oid_nr(task));
}

static struct context *context_of(struct checker *c, oid_t task)
{
	struct ledger *led = c->ledger;

	return ledger_number(c, &led->contexts, oid_nr(task));
}

static bool in_interrupt(const struct trace_record *r)
{
	return r->ctx == CTX_SOFTIRQ || r->ctx == CTX_HARDIRQ;
}

/* ---- classes ------------------------------------------------------------------ */

static struct lock *lock_of(struct checker *c, oid_t id, const char *name)
{
	struct ledger *led = c->ledger;
	struct lock *lock = ledger_number(c, &led->locks, oid_nr(id));
	struct lock_class *class;
	struct oid_text unnamed;
	uint64_t digest;

	if (lock->lock_class)
		return lock;
	if (!name || !*name) {
		unnamed = oid_str(id);
		name = unnamed.s;
	}
	/* The digest of a name is never the key that a map refuses. */
	digest = text_digest(name);
	class = ledger_entry(c, &led->classes, digest >> 1, 0);
	if (!class->nr) {
		struct text text = {0};

		text_add(&text, "%.39s", name);
		memcpy(class->name, text.s, text.len + 1);
		class->digest = digest;
		class->nr = led->classes.nr_live;
		table_init(&class->after, c->set->arena, 0);
	}
	lock->lock_class = class;
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

static void report_inversion(struct checker *c, const struct trace_record *r,
			     const struct held *held, const struct lock_class *to)
{
	const struct lock_class *from = held->lock_class;
	struct text path = {0};
	uint64_t reverse = 0;
	struct violation *v;

	add_path(&path, from, &reverse);
	v = checker_violation(c, r, r->obj,
			      "order inversion: %s -> %s, but also %s (seq %" PRIu64 ")",
			      from->name, to->name, path.s, reverse);
	v->related[0] = held->seq;
	v->related[1] = reverse;
}

/* The lock of class @to is asked for while @held is held, for the first time. */
static void new_order(struct checker *c, const struct trace_record *r, const struct held *held,
		      struct lock_class *to)
{
	struct lock_class *from = held->lock_class;
	struct edge *edge;

	ledger_number(c, &from->after, to->nr);
	if (reaches(c->ledger, to, from))
		report_inversion(c, r, held, to);
	/* Mixed once more, so that it says which of the two comes first. */
	c->set->hindsight ^= hash_mix(hash_mix(0, from->digest), to->digest);
	edge = ledger_alloc(c, sizeof(*edge));
	edge->to = to;
	edge->first = held->seq;
	edge->then = r->seq;
	edge->next = from->edges;
	from->edges = edge;
}

static void report_recursion(struct checker *c, const struct trace_record *r,
			     const struct lock *lock, const struct held *held)
{
	checker_violation(c, r, r->obj,
			  "recursion: %s takes %s again, which it holds since seq %" PRIu64,
			  oid_str(task_oid(r)).s, lock->lock_class->name, held->seq)
		->related[0] = held->seq;
}

/* A context that holds the locks from @held on asks for another one. */
static void ask(struct checker *c, const struct trace_record *r, const struct lock *lock,
		const struct held *held)
{
	for (; held; held = held->next) {
		const struct lock_class *from = held->lock_class;

		if (held->lock == r->obj) {
			report_recursion(c, r, lock, held);
			continue;
		}
		if (from == lock->lock_class)
			continue;
		/* What is found here depends on the orders that there were before. */
		c->set->nr_looks_back++;
		if (!table_find(&from->after, lock->lock_class->nr))
			new_order(c, r, held, lock->lock_class);
	}
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
	const struct held *held = ctx && ctx->nr_spinlocks ? ctx->held : NULL;

	while (held && !held->spinning)
		held = held->next;
	return held;
}

static void report_sleep(struct checker *c, const struct trace_record *r, const struct held *spin,
			 int64_t preempt, bool irqs_off)
{
	const char *where = r->str ? r->str : trace_kinds[r->kind].name;

	if (spin)
		checker_violation(c, r, r->obj,
				  "sleep in atomic context: %s, holding %s since seq %" PRIu64,
				  where, spin->lock_class->name, spin->seq)
			->related[0] = spin->seq;
	else if (in_interrupt(r) && r->obj == task_oid(r))
		checker_violation(c, r, r->obj, "sleep in atomic context: %s in a %s", where,
				  ctx_kind_name((enum ctx_kind)r->ctx));
	else
		checker_violation(c, r, r->obj,
				  "sleep in atomic context: %s, preempt count %" PRId64
				  ", interrupts %s",
				  where, preempt, irqs_off ? "off" : "on");
}

static void report_sleeping_reader(struct checker *c, const struct trace_record *r, int64_t nesting,
				   uint64_t since)
{
	checker_violation(c, r, r->obj,
			  "illegal context switch in RCU read-side section: %s, nesting %" PRId64,
			  r->str ? r->str : trace_kinds[r->kind].name, nesting)
		->related[0] = since;
}

static void judge_sleep(struct checker *c, const struct trace_record *r, int64_t preempt,
			int64_t rcu, bool irqs_off)
{
	const struct context *ctx = find_context(c, r->obj);
	const struct held *spin = held_spinlock(ctx);

	if (rcu > 0)
		report_sleeping_reader(c, r, rcu, ctx ? ctx->rcu_since : 0);
	if (spin || preempt > 0 || irqs_off || (in_interrupt(r) && r->obj == task_oid(r)))
		report_sleep(c, r, spin, preempt, irqs_off);
}

static void on_suspicious_rcu(struct checker *c, const struct trace_record *r)
{
	checker_violation(c, r, r->obj, "suspicious RCU usage: %s",
			  r->str ? r->str : "unprotected");
}

static void on_might_sleep(struct checker *c, const struct trace_record *r)
{
	judge_sleep(c, r, r->arg[0], r->arg[1], r->arg[2] != 0);
}

static void on_block(struct checker *c, const struct trace_record *r)
{
	const struct context *ctx = find_context(c, r->obj);

	judge_sleep(c, r, 0, ctx ? ctx->rcu_nesting : 0, false);
}

/* ---- sections ------------------------------------------------------------------- */

static void on_init(struct checker *c, const struct trace_record *r)
{
	lock_of(c, r->obj, r->str)->kind = (uint8_t)r->arg[0];
}

static void on_wait(struct checker *c, const struct trace_record *r)
{
	const struct lock *lock = lock_of(c, r->obj, NULL);

	irq_rules(c, r, lock);
	ask(c, r, lock, context_of(c, task_oid(r))->held);
}

static struct held *held_new(struct checker *c)
{
	struct ledger *led = c->ledger;
	struct held *held = led->unused;

	if (!held)
		return ledger_alloc(c, sizeof(*held));
	led->unused = held->next;
	return held;
}

static void held_free(struct checker *c, struct held *held)
{
	struct ledger *led = c->ledger;

	held->next = led->unused;
	led->unused = held;
}

static void on_acquire(struct checker *c, const struct trace_record *r)
{
	const struct lock *lock = lock_of(c, r->obj, NULL);
	struct context *ctx = context_of(c, task_oid(r));
	struct held *held;

	irq_rules(c, r, lock);
	if (!r->arg[3])
		ask(c, r, lock, ctx->held);
	held = held_new(c);
	held->lock = r->obj;
	held->lock_class = lock->lock_class;
	held->seq = r->seq;
	held->spinning = lock->kind == LOCK_SPINLOCK;
	held->next = ctx->held;
	ctx->held = held;
	ctx->nr_spinlocks += held->spinning;
}

static void on_release(struct checker *c, const struct trace_record *r)
{
	const struct lock *lock = lock_of(c, r->obj, NULL);
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
		held_free(c, held);
	}
}

/* At a point where @task has to be back out of everything; @any: mutexes included. */
static void must_be_out(struct checker *c, const struct trace_record *r, oid_t task, const char *at,
			bool any)
{
	const struct context *ctx = find_context(c, task);
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

static void on_op_end(struct checker *c, const struct trace_record *r)
{
	const struct context *ctx = find_context(c, r->obj);
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

static void on_read_lock(struct checker *c, const struct trace_record *r)
{
	struct context *ctx = context_of(c, r->obj);

	if (!ctx->rcu_nesting++)
		ctx->rcu_since = r->seq;
}

static void on_read_unlock(struct checker *c, const struct trace_record *r)
{
	struct context *ctx = context_of(c, r->obj);

	if (!ctx->rcu_nesting)
		checker_violation(c, r, r->obj, "rcu_read_unlock outside of a read section");
	else if (!--ctx->rcu_nesting)
		ctx->rcu_since = 0;
}

static void on_work_end(struct checker *c, const struct trace_record *r)
{
	must_be_out(c, r, task_oid(r), "the end of a work item", true);
}

static void on_task_exit(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	const struct context *ctx = find_context(c, r->obj);

	must_be_out(c, r, r->obj, "exit", true);
	if (ctx && !ctx->held && !ctx->rcu_nesting)
		table_del(&led->contexts, oid_nr(r->obj));
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	table_init(&led->locks, c->set->arena, sizeof(struct lock));
	map_init(&led->classes, c->set->arena, sizeof(struct lock_class));
	table_init(&led->contexts, c->set->arena, sizeof(struct context));
}

static const struct record_handler handlers[] = {
	{TR_LOCK_INIT, on_init},
	{TR_LOCK_WAIT, on_wait},
	{TR_LOCK_ACQUIRE, on_acquire},
	{TR_LOCK_RELEASE, on_release},
	{TR_SUSPICIOUS_RCU, on_suspicious_rcu},
	{TR_MIGHT_SLEEP, on_might_sleep},
	{TR_TASK_BLOCK, on_block},
	{TR_RCU_READ_LOCK, on_read_lock},
	{TR_RCU_READ_UNLOCK, on_read_unlock},
	{TR_OP_END, on_op_end},
	{TR_WORK_END, on_work_end},
	{TR_TASK_EXIT, on_task_exit},
	{0, NULL},
};

const struct checker_ops check_lock = {
	.name = "lock",
	.claim = "locks are taken in one order and safely against interrupts, "
		 "nobody sleeps in atomic context, and sections are left",
	.source = "the rules of lockdep, might_sleep() and RCU "
		  "(Documentation/locking, Documentation/RCU)",
	.handlers = handlers,
	.ledger_size = sizeof(struct ledger),
	.init = init,
};
