// SPDX-License-Identifier: GPL-2.0-only
/*
 * progress: when nothing is left to happen, nobody still waits.
 *
 * Everything but a work item without a function is decided at the end.  Who waits
 * for whom is a graph with at most one edge per context: a lock leads to its
 * owner, a flush to the context that runs an item of that queue, and a context
 * that lost its CPU to the one that keeps it.  A cycle is a deadlock.
 *
 * Waiting for a deadlock or for a grace period that a reader holds up is a
 * consequence: the causes are reported first, and the rest only if there is none.
 */

#include <inttypes.h>
#include <string.h>

#include "sim/check/ledger.h"

enum wait {
	WAIT_NONE,
	WAIT_LOCK,  /* asked for and not got, whether it blocks or spins */
	WAIT_OTHER, /* blocked on something else */
};

struct context {
	oid_t wait_lock, blocked_on;
	uint64_t wait_seq, block_seq;
	char why_text[24]; /* "idle" is not a wait */
	oid_t flushes;	   /* workqueue, between FLUSH_BEGIN and FLUSH_END */
	oid_t syncs;	   /* RCU flavour, between begin and end of a wait for it */
	uint64_t reader_since;
	uint64_t last_seq; /* of its records about locks and sections */
	uint32_t nesting;
	uint32_t mark; /* walk that reached it; on_end() only */
	uint8_t cpu, ctx;
	bool blocked;
	bool exited; /* and left a read section open */
};

struct lock {
	oid_t owner; /* the last to get it, writer or reader */
	uint32_t nr_held;
	uint64_t since;
	char name[32];
};

struct work {
	uint64_t queued; /* seq, 0 when it is not queued */
	oid_t of, wq;
	char func[40];
};

/* What a context runs. */
struct running {
	oid_t work, wq;
};

struct callback {
	struct callback *next;
	uint64_t seq;
};

/* RCU callbacks of one function for one object, oldest first. */
struct callbacks {
	struct callback *first, *last;
	oid_t rcu;
	int64_t gp; /* that the last one needs */
	char func[40];
};

struct grace {
	int64_t started, ended, readers, cpus;
	uint64_t start_seq;
};

struct ledger {
	struct map contexts;
	struct map locks;
	struct map works;
	struct map running;   /* by context */
	struct map callbacks; /* by (object, digest of the function) */
	struct map graces;    /* by RCU flavour */
};

static struct context *context_of(struct checker *c, oid_t task)
{
	struct ledger *led = c->ledger;

	return ledger_entry(c, &led->contexts, task, 0);
}

static void copy_text(char *to, size_t size, const char *from)
{
	size_t n = from ? strlen(from) : 0;

	if (n >= size)
		n = size - 1;
	memset(to, 0, size);
	if (n)
		memcpy(to, from, n);
}

/* ---- records ---------------------------------------------------------------------- */

static void on_task(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct context *ctx;

	ctx = context_of(c, r->obj);
	ctx->blocked = r->kind == TR_TASK_BLOCK;
	if (r->kind == TR_TASK_EXIT) {
		/* Gone in the middle of a read section, it holds up grace periods for good. */
		if (ctx->nesting)
			ctx->exited = true;
		else
			map_del(&led->contexts, r->obj, 0);
		return;
	}
	if (!ctx->blocked)
		return;
	ctx->blocked_on = arg_oid(r, 0);
	ctx->block_seq = r->seq;
	ctx->cpu = r->cpu;
	ctx->ctx = r->ctx;
	copy_text(ctx->why_text, sizeof(ctx->why_text), r->str);
}

static void on_lock(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct lock *lock = ledger_entry(c, &led->locks, r->obj, 0);
	struct context *ctx;

	if (r->kind == TR_LOCK_INIT) {
		copy_text(lock->name, sizeof(lock->name), r->str);
		return;
	}
	ctx = context_of(c, task_oid(r));
	ctx->cpu = r->cpu;
	ctx->ctx = r->ctx;
	ctx->last_seq = r->seq;
	switch (r->kind) {
	case TR_LOCK_WAIT:
		ctx->wait_lock = r->obj;
		ctx->wait_seq = r->seq;
		/* An owner that the records did not show yet. */
		if (!lock->owner)
			lock->owner = arg_oid(r, 1);
		break;
	case TR_LOCK_ACQUIRE:
		ctx->wait_lock = 0;
		lock->owner = task_oid(r);
		lock->nr_held++;
		lock->since = r->seq;
		break;
	default:
		if (lock->nr_held)
			lock->nr_held--;
		if (!lock->nr_held)
			lock->owner = 0;
		break;
	}
}

static void on_reader(struct checker *c, const struct trace_record *r)
{
	struct context *ctx = context_of(c, r->obj);

	if (!ctx->nesting)
		ctx->reader_since = r->seq;
	ctx->nesting = r->arg[0] > 0 ? (uint32_t)r->arg[0] : 0;
	ctx->last_seq = r->seq;
	ctx->cpu = r->cpu;
	ctx->ctx = r->ctx;
}

static void on_wait(struct checker *c, const struct trace_record *r)
{
	struct context *ctx = context_of(c, task_oid(r));

	switch (r->kind) {
	case TR_FLUSH_BEGIN:
		ctx->flushes = r->obj;
		break;
	case TR_FLUSH_END:
		ctx->flushes = 0;
		break;
	case TR_RCU_SYNC_BEGIN:
	case TR_RCU_BARRIER_BEGIN:
		ctx->syncs = r->obj;
		break;
	default:
		ctx->syncs = 0;
		break;
	}
}

static void work_null(struct checker *c, const struct trace_record *r, const struct work *work)
{
	struct violation *v = checker_violation(
		c, r, r->obj, "work item with a NULL function: %s of %s%s%s", oid_str(r->obj).s,
		oid_str(arg_oid(r, 0)).s, r->str ? ", " : "", r->str ? r->str : "");

	v->related[0] = work->queued;
}

static void on_work(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct running *run;
	struct work *work;

	if (r->kind == TR_WORK_END) {
		map_del(&led->running, task_oid(r), 0);
		return;
	}
	work = ledger_entry(c, &led->works, r->obj, 0);
	switch (r->kind) {
	case TR_WORK_INIT:
		work->of = arg_oid(r, 0);
		break;
	case TR_QUEUE_WORK:
		if (!r->arg[2])
			break;
		work->queued = r->seq;
		work->wq = arg_oid(r, 0);
		copy_text(work->func, sizeof(work->func), r->str);
		break;
	case TR_WORK_START:
		work->queued = 0;
		run = ledger_entry(c, &led->running, task_oid(r), 0);
		run->work = r->obj;
		run->wq = arg_oid(r, 1);
		break;
	case TR_WORK_CANCEL:
		work->queued = 0;
		break;
	default:
		work_null(c, r, work);
		break;
	}
}

static void on_grace(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct grace *grace = ledger_entry(c, &led->graces, r->obj, 0);

	if (r->kind == TR_RCU_GP_END) {
		grace->ended = r->arg[0];
		return;
	}
	grace->started = r->arg[0];
	grace->readers = r->arg[1];
	grace->cpus = r->arg[2];
	grace->start_seq = r->seq;
}

static void on_callback(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	uint64_t func = text_digest(r->str);
	struct callbacks *cbs = ledger_entry(c, &led->callbacks, arg_oid(r, 0), func);
	struct callback *cb;

	if (r->kind == TR_CALL_RCU) {
		cb = ledger_alloc(c, sizeof(*cb));
		cb->seq = r->seq;
		if (cbs->first)
			cbs->last->next = cb;
		else
			cbs->first = cb;
		cbs->last = cb;
		cbs->rcu = r->obj;
		cbs->gp = r->arg[1];
		copy_text(cbs->func, sizeof(cbs->func), r->str);
		return;
	}
	cb = cbs->first;
	if (cb) {
		cbs->first = cb->next;
		ledger_free(c, cb, sizeof(*cb));
	}
	if (!cbs->first)
		map_del(&led->callbacks, arg_oid(r, 0), func);
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	map_init(&led->contexts, c->set->arena, sizeof(struct context));
	map_init(&led->locks, c->set->arena, sizeof(struct lock));
	map_init(&led->works, c->set->arena, sizeof(struct work));
	map_init(&led->running, c->set->arena, sizeof(struct running));
	map_init(&led->callbacks, c->set->arena, sizeof(struct callbacks));
	map_init(&led->graces, c->set->arena, sizeof(struct grace));
}

static void on_record(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	if (!led->contexts.arena)
		init(c);
	switch (r->kind) {
	case TR_TASK_EXIT:
	case TR_TASK_BLOCK:
	case TR_TASK_WAKE:
		on_task(c, r);
		break;
	case TR_LOCK_INIT:
	case TR_LOCK_WAIT:
	case TR_LOCK_ACQUIRE:
	case TR_LOCK_RELEASE:
		on_lock(c, r);
		break;
	case TR_RCU_READ_LOCK:
	case TR_RCU_READ_UNLOCK:
		on_reader(c, r);
		break;
	case TR_RCU_GP_START:
	case TR_RCU_GP_END:
		on_grace(c, r);
		break;
	case TR_CALL_RCU:
	case TR_RCU_CALLBACK:
		on_callback(c, r);
		break;
	case TR_OBJ_FREE:
		if (oid_kind(r->obj) == OBJ_WORK)
			map_del(&led->works, r->obj, 0);
		break;
	default:
		if (r->kind >= TR_WORK_INIT && r->kind <= TR_WORK_CANCEL)
			on_work(c, r);
		else
			on_wait(c, r);
		break;
	}
}

/* ---- who waits for whom --------------------------------------------------------------- */

static enum wait waits(const struct context *ctx)
{
	if (ctx->wait_lock)
		return WAIT_LOCK;
	if (ctx->blocked && strcmp(ctx->why_text, "idle") != 0)
		return WAIT_OTHER;
	return WAIT_NONE;
}

static bool spins(const struct context *ctx)
{
	return ctx->wait_lock && !ctx->blocked;
}

/* A context that spins keeps its CPU: whoever was there before and is not blocked can't go on. */
static oid_t whose_cpu(struct ledger *led, const struct context *ctx)
{
	const struct context *other;
	uint32_t pos = 0;

	while ((other = map_next(&led->contexts, &pos))) {
		if (other != ctx && spins(other) && other->cpu == ctx->cpu &&
		    other->wait_seq > ctx->last_seq)
			return map_key_a(other);
	}
	return 0;
}

/* A context that runs an item of @wq and waits itself. */
static oid_t runner_of(struct ledger *led, oid_t wq)
{
	const struct running *run;
	uint32_t pos = 0;

	while ((run = map_next(&led->running, &pos))) {
		const struct context *ctx = map_find(&led->contexts, map_key_a(run), 0);

		if (run->wq == wq && ctx && waits(ctx))
			return map_key_a(run);
	}
	return 0;
}

/* The context that @ctx waits for, or 0. */
static oid_t waits_for(struct ledger *led, const struct context *ctx)
{
	const struct lock *lock;

	if (ctx->wait_lock) {
		lock = map_find(&led->locks, ctx->wait_lock, 0);
		return lock ? lock->owner : 0;
	}
	if (waits(ctx) == WAIT_NONE)
		return ctx->blocked ? 0 : whose_cpu(led, ctx);
	if (ctx->flushes)
		return runner_of(led, ctx->flushes);
	return oid_kind(ctx->blocked_on) == OBJ_TASK ? ctx->blocked_on : 0;
}

/* ---- deadlocks ------------------------------------------------------------------------- */

static void add_wait(struct ledger *led, struct text *text, const struct context *ctx, oid_t next)
{
	const struct lock *lock = map_find(&led->locks, ctx->wait_lock, 0);

	text_add(text, "%s%s ", text->len ? "; " : "", oid_str(map_key_a(ctx)).s);
	if (ctx->wait_lock)
		text_add(text, "%s %s%s%s, held by ", spins(ctx) ? "spins on" : "waits for",
			 oid_str(ctx->wait_lock).s, lock && lock->name[0] ? " " : "",
			 lock ? lock->name : "");
	else if (ctx->flushes)
		text_add(text, "flushes %s, which runs in ", oid_str(ctx->flushes).s);
	else if (waits(ctx) == WAIT_OTHER)
		text_add(text, "waits for ");
	else
		text_add(text, "can't run: cpu %d is kept by ", ctx->cpu);
	text_add(text, "%s", oid_str(next).s);
}

/* What @ctx waits for, as the object to blame. */
static oid_t blame(const struct context *ctx)
{
	return ctx->wait_lock ? ctx->wait_lock : map_key_a(ctx);
}

static void report_cycle(struct checker *c, const struct trace_record *last,
			 const struct context *start)
{
	struct ledger *led = c->ledger;
	const struct context *ctx = start, *waiter = start;
	uint64_t related[3] = {0};
	struct text text = {0};
	bool own_cpu = false;
	oid_t next;
	int n = 0;

	do {
		next = waits_for(led, ctx);
		add_wait(led, &text, ctx, next);
		own_cpu |= waits(ctx) == WAIT_NONE;
		if (!waiter->wait_lock && ctx->wait_lock)
			waiter = ctx;
		if (n < 3)
			related[n] = ctx->wait_lock ? ctx->wait_seq
				     : ctx->blocked ? ctx->block_seq
						    : ctx->last_seq;
		n++;
		ctx = map_find(&led->contexts, next, 0);
	} while (ctx != start);
	memcpy(checker_violation(c, last, blame(waiter), "%s: %s",
				 n == 1 || own_cpu ? "self-deadlock" : "deadlock", text.s)
		       ->related,
	       related, sizeof(related));
}

/* The lock's owner neither waits nor lacks a CPU, and still holds on to it. */
static void report_abandoned(struct checker *c, const struct trace_record *last,
			     const struct context *ctx)
{
	struct ledger *led = c->ledger;
	const struct lock *lock = map_find(&led->locks, ctx->wait_lock, 0);
	struct violation *v;

	v = checker_violation(c, last, ctx->wait_lock,
			      "never let go: %s %s is held by %s since seq %" PRIu64
			      ", and %s waits for it",
			      oid_str(ctx->wait_lock).s, lock->name, oid_str(lock->owner).s,
			      lock->since, oid_str(map_key_a(ctx)).s);
	v->related[0] = lock->since;
	v->related[1] = ctx->wait_seq;
}

/* Does the owner @task neither wait nor lack a CPU?  Asked once: a walk has marked it otherwise. */
static bool is_abandoned(struct ledger *led, oid_t task)
{
	const struct context *owner = map_find(&led->contexts, task, 0);

	return !owner || (!owner->mark && !waits(owner) && !waits_for(led, owner));
}

/* Returns whether it found a cause. */
static bool find_deadlocks(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;
	struct context *start, *ctx;
	uint32_t pos = 0, walk = 0;
	bool found = false;

	while ((ctx = map_next(&led->contexts, &pos)))
		ctx->mark = 0;
	pos = 0;
	while ((start = map_next(&led->contexts, &pos))) {
		oid_t next = 0;

		if (start->mark || waits(start) == WAIT_NONE)
			continue;
		walk++;
		for (ctx = start; ctx && !ctx->mark; ctx = map_find(&led->contexts, next, 0)) {
			ctx->mark = walk;
			next = waits_for(led, ctx);
			if (ctx->wait_lock && next && is_abandoned(led, next)) {
				report_abandoned(c, last, ctx);
				found = true;
			}
		}
		if (ctx && ctx->mark == walk) {
			report_cycle(c, last, ctx);
			found = true;
		}
	}
	return found;
}

/* ---- grace periods ---------------------------------------------------------------------- */

/* Does anybody wait for a grace period of @rcu? */
static bool is_wanted(struct ledger *led, oid_t rcu)
{
	const struct context *ctx;
	const struct callbacks *cbs;
	uint32_t pos = 0;

	while ((cbs = map_next(&led->callbacks, &pos))) {
		if (cbs->rcu == rcu)
			return true;
	}
	pos = 0;
	while ((ctx = map_next(&led->contexts, &pos))) {
		if (ctx->blocked && (ctx->syncs == rcu || ctx->blocked_on == rcu))
			return true;
	}
	return false;
}

static bool blame_readers(struct checker *c, const struct trace_record *last,
			  const struct grace *grace)
{
	struct ledger *led = c->ledger;
	const struct context *ctx;
	uint32_t pos = 0;
	bool found = false;

	while ((ctx = map_next(&led->contexts, &pos))) {
		struct violation *v;

		if (!ctx->nesting || ctx->reader_since > grace->start_seq)
			continue;
		found = true;
		v = checker_violation(c, last, map_key_a(ctx),
				      "grace period %" PRId64
				      " waits for %s, %sin a read section since seq %" PRIu64
				      ", nesting %" PRIu32,
				      grace->started, oid_str(map_key_a(ctx)).s,
				      ctx->exited ? "which exited " : "", ctx->reader_since,
				      ctx->nesting);
		v->related[0] = ctx->reader_since;
		v->related[1] = grace->start_seq;
	}
	return found;
}

/* Returns whether it found a cause.  After a @deadlock, a CPU that never passes through is none. */
static bool find_stalls(struct checker *c, const struct trace_record *last, bool deadlock)
{
	struct ledger *led = c->ledger;
	const struct grace *grace;
	uint32_t pos = 0;
	bool found = false;

	while ((grace = map_next(&led->graces, &pos))) {
		oid_t rcu = map_key_a(grace);

		if (grace->started == grace->ended || !is_wanted(led, rcu))
			continue;
		if (grace->readers > 0 && blame_readers(c, last, grace)) {
			found = true;
		} else if (!deadlock) {
			found = true;
			checker_violation(c, last, rcu,
					  "grace period %" PRId64
					  " never ends: it waited for %" PRId64
					  " readers and %" PRId64 " CPUs",
					  grace->started, grace->readers, grace->cpus)
				->related[0] = grace->start_seq;
		}
	}
	return found;
}

/* ---- what is left over -------------------------------------------------------------------- */

/* @leftovers: something never ran, so who waits for a flush or a grace period has a reason to. */
static void find_waiters(struct checker *c, const struct trace_record *last, bool leftovers)
{
	struct ledger *led = c->ledger;
	const struct context *ctx;
	uint32_t pos = 0;

	while ((ctx = map_next(&led->contexts, &pos))) {
		oid_t on = ctx->wait_lock ? ctx->wait_lock : ctx->blocked_on;
		uint64_t since = ctx->wait_lock ? ctx->wait_seq : ctx->block_seq;

		if (waits(ctx) == WAIT_NONE || waits_for(led, ctx) ||
		    (leftovers && (ctx->flushes || ctx->syncs)))
			continue;
		checker_violation(c, last, map_key_a(ctx),
				  "lost wake-up: %s waits since seq %" PRIu64
				  " on %s (%s), and nobody "
				  "is left to wake it",
				  oid_str(map_key_a(ctx)).s, since, oid_str(on).s,
				  ctx->why_text[0] ? ctx->why_text : "lock")
			->related[0] = since;
	}
}

static bool find_leftovers(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;
	const struct callbacks *cbs;
	const struct work *work;
	uint32_t pos = 0;
	bool found = false;

	while ((cbs = map_next(&led->callbacks, &pos))) {
		found = true;
		checker_violation(c, last, map_key_a(cbs),
				  "RCU callback never ran: %s of %s, registered at seq %" PRIu64
				  " for grace period %" PRId64,
				  cbs->func, oid_str(map_key_a(cbs)).s, cbs->first->seq, cbs->gp)
			->related[0] = cbs->first->seq;
	}
	pos = 0;
	while ((work = map_next(&led->works, &pos))) {
		if (!work->queued)
			continue;
		found = true;
		checker_violation(c, last, map_key_a(work),
				  "queued work never started: %s of %s on %s since seq %" PRIu64,
				  work->func, oid_str(work->of).s, oid_str(work->wq).s,
				  work->queued)
			->related[0] = work->queued;
	}
	return found;
}

static void on_end(struct checker *c, const struct trace_record *last)
{
	bool deadlock = find_deadlocks(c, last);
	bool stall = find_stalls(c, last, deadlock);

	if (deadlock || stall)
		return;
	find_waiters(c, last, find_leftovers(c, last));
}

static const uint16_t kinds[] = {
	TR_TASK_EXIT,	    TR_TASK_BLOCK,     TR_TASK_WAKE,	TR_LOCK_INIT,
	TR_LOCK_WAIT,	    TR_LOCK_ACQUIRE,   TR_LOCK_RELEASE, TR_RCU_READ_LOCK,
	TR_RCU_READ_UNLOCK, TR_RCU_GP_START,   TR_RCU_GP_END,	TR_CALL_RCU,
	TR_RCU_CALLBACK,    TR_RCU_SYNC_BEGIN, TR_RCU_SYNC_END, TR_RCU_BARRIER_BEGIN,
	TR_RCU_BARRIER_END, TR_WORK_INIT,      TR_QUEUE_WORK,	TR_WORK_START,
	TR_WORK_END,	    TR_WORK_NULL,      TR_WORK_CANCEL,	TR_FLUSH_BEGIN,
	TR_FLUSH_END,	    TR_OBJ_FREE,       NR_TRACE_KINDS,
};

const struct checker_ops check_progress = {
	.name = "progress",
	.claim = "whoever waits is woken, grace periods end, and queues drain",
	.source = "liveness of locks, RCU and workqueues; lockdep's and RCU's stall reports",
	.kinds = kinds,
	.ledger_size = sizeof(struct ledger),
	.on_record = on_record,
	.on_end = on_end,
};
