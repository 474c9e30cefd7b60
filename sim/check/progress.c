// SPDX-License-Identifier: GPL-2.0-only
/*
 * progress: when nothing is left to happen, nobody still waits; and it comes to that.
 *
 * Everything but a work item without a function is decided at the end.  Whether a run
 * can still end is for those to find out who can look ahead; they record a livelock.  Who waits
 * for whom is a graph with at most one edge per context: a lock leads to its
 * owner, a flush to the context that runs the item, or an item of that queue, and
 * a context that lost its CPU to the one that keeps it.  An item that is queued and
 * can't start leads to one of those that have all the places of the queue: nobody
 * runs any more, so each of them is stuck, and one that waits for the flusher makes
 * the cycle.  A cycle is a deadlock.
 *
 * Waiting for a deadlock or for a grace period that a reader holds up is a
 * consequence: the causes are reported first, and the rest only if there is none.
 */

#include <inttypes.h>
#include <string.h>

#include "sim/base/list.h"
#include "sim/check/ledger.h"

enum wait {
	WAIT_NONE,
	WAIT_LOCK,  /* asked for and not got, whether it blocks or spins */
	WAIT_OTHER, /* blocked on something else */
};

struct context {
	oid_t id;
	struct list node; /* on the list of all */
	oid_t wait_lock, blocked_on;
	uint64_t wait_seq, block_seq;
	char why_text[32]; /* "idle" is not a wait */
	oid_t flushes;	   /* workqueue or work item, between begin and end of a wait for it */
	uint64_t flush_seq;
	oid_t syncs; /* RCU flavour, between begin and end of a wait for it */
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
	uint8_t cpu; /* that it is queued for */
	char func[40];
};

struct queue {
	uint32_t max_active;
	bool unbound;
	char name[24];
};

/* The item that a context runs. */
struct run {
	oid_t wq, work; /* 0: none */
	uint8_t cpu;
};

struct callback {
	struct callback *next;
	uint64_t seq;
};

/* RCU callbacks of one function for one object, oldest first. */
struct callbacks {
	struct callbacks *next; /* of the same object, another function */
	struct list node;	/* on the list of all */
	oid_t of;
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
	struct table contexts;
	struct list all_contexts; /* in the order in which they came */
	struct table locks;
	struct table works;
	struct table queues;
	struct table running;	  /* by context: struct run */
	struct objects callbacks; /* by object: struct callbacks *, the first */
	struct list all_callbacks;
	struct table graces;  /* by RCU flavour */
	struct objects kills; /* uint64_t: seq */
};

static struct context *find_context(const struct ledger *led, oid_t task)
{
	return table_find(&led->contexts, oid_nr(task));
}

static struct context *context_of(struct checker *c, oid_t task)
{
	struct ledger *led = c->ledger;
	struct context *ctx = ledger_number(c, &led->contexts, oid_nr(task));

	if (!ctx->node.next) {
		ctx->id = task;
		list_add_tail(&ctx->node, &led->all_contexts);
	}
	return ctx;
}

static void forget_context(struct checker *c, struct context *ctx)
{
	struct ledger *led = c->ledger;

	list_del(&ctx->node);
	table_del(&led->contexts, oid_nr(ctx->id));
}

static const struct lock *find_lock(const struct ledger *led, oid_t id)
{
	return table_find(&led->locks, oid_nr(id));
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

static void on_block(struct checker *c, const struct trace_record *r)
{
	struct context *ctx = context_of(c, r->obj);

	ctx->blocked = true;
	ctx->blocked_on = arg_oid(r, 0);
	ctx->block_seq = r->seq;
	ctx->cpu = r->cpu;
	ctx->ctx = r->ctx;
	copy_text(ctx->why_text, sizeof(ctx->why_text), r->str);
}

static void on_wake(struct checker *c, const struct trace_record *r)
{
	context_of(c, r->obj)->blocked = false;
}

static void on_task_exit(struct checker *c, const struct trace_record *r)
{
	struct context *ctx = context_of(c, r->obj);

	ctx->blocked = false;
	/* Gone in the middle of a read section, it holds up grace periods for good. */
	if (ctx->nesting)
		ctx->exited = true;
	else
		forget_context(c, ctx);
}

static struct lock *lock_of(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	return ledger_number(c, &led->locks, oid_nr(r->obj));
}

/* The context that @r comes from, which does something that tells where it is. */
static struct context *acting(struct checker *c, const struct trace_record *r)
{
	struct context *ctx = context_of(c, task_oid(r));

	ctx->cpu = r->cpu;
	ctx->ctx = r->ctx;
	ctx->last_seq = r->seq;
	return ctx;
}

static void on_lock_init(struct checker *c, const struct trace_record *r)
{
	struct lock *lock = lock_of(c, r);

	copy_text(lock->name, sizeof(lock->name), r->str);
}

static void on_lock_wait(struct checker *c, const struct trace_record *r)
{
	struct lock *lock = lock_of(c, r);
	struct context *ctx = acting(c, r);

	ctx->wait_lock = r->obj;
	ctx->wait_seq = r->seq;
	/* An owner that the records did not show yet. */
	if (!lock->owner)
		lock->owner = arg_oid(r, 1);
}

static void on_lock_acquire(struct checker *c, const struct trace_record *r)
{
	struct lock *lock = lock_of(c, r);

	acting(c, r)->wait_lock = 0;
	lock->owner = task_oid(r);
	lock->nr_held++;
	lock->since = r->seq;
}

static void on_lock_release(struct checker *c, const struct trace_record *r)
{
	struct lock *lock = lock_of(c, r);

	acting(c, r);
	if (lock->nr_held)
		lock->nr_held--;
	if (!lock->nr_held)
		lock->owner = 0;
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

static void on_flush_begin(struct checker *c, const struct trace_record *r)
{
	struct context *ctx = context_of(c, task_oid(r));

	ctx->flushes = r->obj;
	ctx->flush_seq = r->seq;
}

static void on_flush_end(struct checker *c, const struct trace_record *r)
{
	context_of(c, task_oid(r))->flushes = 0;
}

static void on_sync_begin(struct checker *c, const struct trace_record *r)
{
	context_of(c, task_oid(r))->syncs = r->obj;
}

static void on_sync_end(struct checker *c, const struct trace_record *r)
{
	context_of(c, task_oid(r))->syncs = 0;
}

static struct work *work_of(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	return ledger_number(c, &led->works, oid_nr(r->obj));
}

static void on_work_init(struct checker *c, const struct trace_record *r)
{
	work_of(c, r)->of = arg_oid(r, 0);
}

static void on_queue_work(struct checker *c, const struct trace_record *r)
{
	struct work *work = work_of(c, r);

	if (!r->arg[2])
		return;
	work->queued = r->seq;
	work->wq = arg_oid(r, 0);
	work->cpu = (uint8_t)r->arg[1];
	copy_text(work->func, sizeof(work->func), r->str);
}

static void on_wq_init(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct queue *queue = ledger_number(c, &led->queues, oid_nr(r->obj));

	queue->max_active = (uint32_t)r->arg[0];
	queue->unbound = r->arg[1];
	copy_text(queue->name, sizeof(queue->name), r->str);
}

static void on_work_start(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct run *run = ledger_number(c, &led->running, r->task);

	work_of(c, r)->queued = 0;
	run->cpu = r->cpu;
	run->wq = arg_oid(r, 1);
	run->work = r->obj;
}

static void on_work_end(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct run *run = ledger_number(c, &led->running, r->task);

	run->wq = run->work = 0;
}

static void on_work_cancel(struct checker *c, const struct trace_record *r)
{
	work_of(c, r)->queued = 0;
}

static void on_work_null(struct checker *c, const struct trace_record *r)
{
	checker_violation(c, r, r->obj, "work item with a NULL function: %s of %s%s%s",
			  oid_str(r->obj).s, oid_str(arg_oid(r, 0)).s, r->str ? ", " : "",
			  r->str ? r->str : "")
		->related[0] = work_of(c, r)->queued;
}

static struct grace *grace_of(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	return ledger_number(c, &led->graces, oid_nr(r->obj));
}

static void on_grace_start(struct checker *c, const struct trace_record *r)
{
	struct grace *grace = grace_of(c, r);

	grace->started = r->arg[0];
	grace->readers = r->arg[1];
	grace->cpus = r->arg[2];
	grace->start_seq = r->seq;
}

static void on_grace_end(struct checker *c, const struct trace_record *r)
{
	grace_of(c, r)->ended = r->arg[0];
}

static void on_free(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	if (oid_kind(r->obj) == OBJ_WORK)
		table_del(&led->works, oid_nr(r->obj));
}

/* Where the list of @of leads to those of the function @func, or where it ends. */
static struct callbacks **find_callbacks(struct callbacks **link, const char *func)
{
	size_t max = sizeof((*link)->func) - 1;

	while (*link && strncmp((*link)->func, func, max) != 0)
		link = &(*link)->next;
	return link;
}

static struct callbacks *callbacks_new(struct checker *c, struct callbacks **link, oid_t of,
				       const char *func)
{
	struct ledger *led = c->ledger;
	struct callbacks *cbs = ledger_alloc(c, sizeof(*cbs));

	cbs->of = of;
	copy_text(cbs->func, sizeof(cbs->func), func);
	if (!c->set->exhausted) {
		*link = cbs;
		list_add_tail(&cbs->node, &led->all_callbacks);
	}
	return cbs;
}

static void on_call_rcu(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	const char *func = r->str ? r->str : "";
	struct callbacks **link =
		find_callbacks(ledger_object(c, &led->callbacks, arg_oid(r, 0)), func);
	struct callbacks *cbs = *link ? *link : callbacks_new(c, link, arg_oid(r, 0), func);
	struct callback *cb = ledger_alloc(c, sizeof(*cb));

	cb->seq = r->seq;
	if (cbs->first)
		cbs->last->next = cb;
	else
		cbs->first = cb;
	cbs->last = cb;
	cbs->rcu = r->obj;
	cbs->gp = r->arg[1];
}

static void on_callback(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	oid_t of = arg_oid(r, 0);
	struct callbacks **first = objects_find(&led->callbacks, of), **link, *cbs;
	struct callback *cb;

	if (!first)
		return;
	link = find_callbacks(first, r->str ? r->str : "");
	cbs = *link;
	if (!cbs)
		return;
	cb = cbs->first;
	cbs->first = cb->next;
	ledger_free(c, cb, sizeof(*cb));
	if (cbs->first)
		return;
	*link = cbs->next;
	list_del(&cbs->node);
	ledger_free(c, cbs, sizeof(*cbs));
	if (!*first)
		table_del(&led->callbacks.of_kind[oid_kind(of)], oid_nr(of));
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	table_init(&led->contexts, c->set->arena, sizeof(struct context));
	list_init(&led->all_contexts);
	table_init(&led->locks, c->set->arena, sizeof(struct lock));
	table_init(&led->works, c->set->arena, sizeof(struct work));
	table_init(&led->queues, c->set->arena, sizeof(struct queue));
	table_init(&led->running, c->set->arena, sizeof(struct run));
	objects_init(&led->callbacks, c->set->arena, sizeof(struct callbacks *));
	list_init(&led->all_callbacks);
	table_init(&led->graces, c->set->arena, sizeof(struct grace));
	objects_init(&led->kills, c->set->arena, sizeof(uint64_t));
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
	list_for_each(node, &led->all_contexts) {
		const struct context *other = container_of(node, struct context, node);

		if (other != ctx && spins(other) && other->cpu == ctx->cpu &&
		    other->wait_seq > ctx->last_seq)
			return other->id;
	}
	return 0;
}

/* As waits_for(), for a @ctx that flushes nothing. */
static oid_t waits_plainly_for(struct ledger *led, const struct context *ctx)
{
	const struct lock *lock;

	if (ctx->wait_lock) {
		lock = find_lock(led, ctx->wait_lock);
		return lock ? lock->owner : 0;
	}
	if (waits(ctx) == WAIT_NONE)
		return ctx->blocked ? 0 : whose_cpu(led, ctx);
	return oid_kind(ctx->blocked_on) == OBJ_TASK ? ctx->blocked_on : 0;
}

#define HOPS_MAX 64

/* Does @from wait, without another flush on the way, for @to? */
static bool leads_to(struct ledger *led, const struct context *from, oid_t to)
{
	for (int hop = 0; from && !from->flushes && hop < HOPS_MAX; hop++) {
		oid_t next = waits_plainly_for(led, from);

		if (next == to)
			return true;
		from = find_context(led, next);
	}
	return false;
}

/* Does @run have a place of the queue of @work that @work could have? */
static bool is_beside(const struct ledger *led, const struct run *run, const struct work *work)
{
	const struct queue *queue = table_find(&led->queues, oid_nr(work->wq));

	return run->wq == work->wq && ((queue && queue->unbound) || run->cpu == work->cpu);
}

/*
 * A context that waits and runs an item of the queue @wq, or if @beside is given, one of those
 * that fill its places on the CPU of that item.  One that waits for @flusher, if there is any.
 */
static oid_t runner_of(struct ledger *led, const struct context *flusher, oid_t wq,
		       const struct work *beside)
{
	const struct run *run;
	uint64_t pos = 0;
	oid_t first = 0;

	while ((run = table_next(&led->running, &pos))) {
		const struct context *ctx = table_find(&led->contexts, pos - 1);

		if (!ctx || run->wq != wq || !waits(ctx) ||
		    (beside && !is_beside(led, run, beside)))
			continue;
		if (ctx != flusher && leads_to(led, ctx, flusher->id))
			return ctx->id;
		if (!first)
			first = ctx->id;
	}
	return first;
}

/* Have as many of that queue begun on the CPU of @work as may run there? */
static bool is_full(struct ledger *led, const struct work *work)
{
	const struct queue *queue = table_find(&led->queues, oid_nr(work->wq));
	const struct run *run;
	uint64_t pos = 0;
	uint32_t n = 0;

	while ((run = table_next(&led->running, &pos)))
		n += is_beside(led, run, work);
	return queue && n >= queue->max_active;
}

/* Who has begun the item @id, or else keeps it from being begun. */
static oid_t runs_or_hinders(struct ledger *led, const struct context *flusher, oid_t id)
{
	const struct work *work = table_find(&led->works, oid_nr(id));
	const struct run *run;
	uint64_t pos = 0;

	while ((run = table_next(&led->running, &pos))) {
		if (run->work == id)
			return oid_make(OBJ_TASK, pos - 1);
	}
	return work && work->queued && is_full(led, work) ? runner_of(led, flusher, work->wq, work)
							  : 0;
}

/* The context that @ctx waits for, or 0. */
static oid_t waits_for(struct ledger *led, const struct context *ctx)
{
	if (ctx->wait_lock || !ctx->flushes || waits(ctx) == WAIT_NONE)
		return waits_plainly_for(led, ctx);
	if (oid_kind(ctx->flushes) == OBJ_WORK)
		return runs_or_hinders(led, ctx, ctx->flushes);
	return runner_of(led, ctx, ctx->flushes, NULL);
}

/* ---- deadlocks ------------------------------------------------------------------------- */

/* What is flushed, and what that has to do with the context that is named next. */
static void add_flush(struct ledger *led, struct text *text, oid_t id)
{
	const struct work *work = oid_kind(id) == OBJ_WORK ? table_find(&led->works, oid_nr(id))
							   : NULL;
	const struct queue *queue;

	text_add(text, "flushes %s%s%s, ", oid_str(id).s, work ? " " : "", work ? work->func : "");
	if (!work || !work->queued) {
		text_add(text, "which runs in ");
		return;
	}
	queue = table_find(&led->queues, oid_nr(work->wq));
	text_add(text, "queued on %s %s behind %" PRIu32 " item%s, as many as may run, ",
		 oid_str(work->wq).s, queue->name, queue->max_active,
		 queue->max_active == 1 ? "" : "s");
	text_add(text, queue->max_active == 1 ? "in " : "one of them in ");
}

static void add_wait(struct ledger *led, struct text *text, const struct context *ctx, oid_t next)
{
	const struct lock *lock = find_lock(led, ctx->wait_lock);

	text_add(text, "%s%s ", text->len ? "; " : "", oid_str(ctx->id).s);
	if (ctx->wait_lock)
		text_add(text, "%s %s%s%s, held by ", spins(ctx) ? "spins on" : "waits for",
			 oid_str(ctx->wait_lock).s, lock && lock->name[0] ? " " : "",
			 lock ? lock->name : "");
	else if (ctx->flushes && waits(ctx) == WAIT_OTHER)
		add_flush(led, text, ctx->flushes);
	else if (waits(ctx) == WAIT_OTHER)
		text_add(text, "waits for ");
	else
		text_add(text, "can't run: cpu %d is kept by ", ctx->cpu);
	text_add(text, "%s", oid_str(next).s);
}

/* What @ctx waits for, as the object to blame. */
static oid_t blame(const struct context *ctx)
{
	return ctx->wait_lock ? ctx->wait_lock : ctx->id;
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
				     : ctx->flushes ? ctx->flush_seq
				     : ctx->blocked ? ctx->block_seq
						    : ctx->last_seq;
		n++;
		ctx = find_context(led, next);
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
	const struct lock *lock = find_lock(led, ctx->wait_lock);
	struct violation *v;

	v = checker_violation(c, last, ctx->wait_lock,
			      "never let go: %s %s is held by %s since seq %" PRIu64
			      ", and %s waits for it",
			      oid_str(ctx->wait_lock).s, lock->name, oid_str(lock->owner).s,
			      lock->since, oid_str(ctx->id).s);
	v->related[0] = lock->since;
	v->related[1] = ctx->wait_seq;
}

/* Does the owner @task neither wait nor lack a CPU?  Asked once: a walk has marked it otherwise. */
static bool is_abandoned(struct ledger *led, oid_t task)
{
	const struct context *owner = find_context(led, task);

	return !owner || (!owner->mark && !waits(owner) && !waits_for(led, owner));
}

/* Returns whether it found a cause. */
static bool find_deadlocks(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;
	uint32_t walk = 0;
	bool found = false;

	list_for_each(node, &led->all_contexts)
		container_of(node, struct context, node)->mark = 0;
	list_for_each(node, &led->all_contexts) {
		struct context *start = container_of(node, struct context, node), *ctx;
		oid_t next = 0;

		if (start->mark || waits(start) == WAIT_NONE)
			continue;
		walk++;
		for (ctx = start; ctx && !ctx->mark; ctx = find_context(led, next)) {
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
	list_for_each(node, &led->all_callbacks) {
		if (container_of(node, struct callbacks, node)->rcu == rcu)
			return true;
	}
	list_for_each(node, &led->all_contexts) {
		const struct context *ctx = container_of(node, struct context, node);

		if (ctx->blocked && (ctx->syncs == rcu || ctx->blocked_on == rcu))
			return true;
	}
	return false;
}

static bool blame_readers(struct checker *c, const struct trace_record *last,
			  const struct grace *grace)
{
	struct ledger *led = c->ledger;
	bool found = false;

	list_for_each(node, &led->all_contexts) {
		const struct context *ctx = container_of(node, struct context, node);
		struct violation *v;

		if (!ctx->nesting || ctx->reader_since > grace->start_seq)
			continue;
		found = true;
		v = checker_violation(c, last, ctx->id,
				      "grace period %" PRId64
				      " waits for %s, %sin a read section since seq %" PRIu64
				      ", nesting %" PRIu32,
				      grace->started, oid_str(ctx->id).s,
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
	uint64_t pos = 0;
	bool found = false;

	while ((grace = table_next(&led->graces, &pos))) {
		oid_t rcu = oid_make(OBJ_RCU, pos - 1);

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

/* A context that wants a lock which @owner has, or NULL. */
static const struct context *wants_lock_of(struct ledger *led, oid_t owner)
{
	list_for_each(node, &led->all_contexts) {
		const struct context *ctx = container_of(node, struct context, node);
		const struct lock *lock = ctx->wait_lock ? find_lock(led, ctx->wait_lock) : NULL;

		if (lock && lock->owner == owner)
			return ctx;
	}
	return NULL;
}

static void report_waiter(struct checker *c, const struct trace_record *last,
			  const struct context *ctx)
{
	struct ledger *led = c->ledger;
	uint64_t since = ctx->wait_lock ? ctx->wait_seq : ctx->block_seq;
	const struct context *behind = wants_lock_of(led, ctx->id);
	const char *name = behind ? find_lock(led, behind->wait_lock)->name : "";
	struct text text = {0};
	struct violation *v;

	text_add(&text, "%s waits since seq %" PRIu64 " on %s (%s), and nobody is left to wake it",
		 oid_str(ctx->id).s, since,
		 oid_str(ctx->wait_lock ? ctx->wait_lock : ctx->blocked_on).s,
		 ctx->why_text[0] ? ctx->why_text : "lock");
	if (behind)
		text_add(&text, ", while %s waits for %s%s%s, which it holds",
			 oid_str(behind->id).s, oid_str(behind->wait_lock).s, *name ? " " : "",
			 name);
	v = checker_violation(c, last, ctx->id, "lost wake-up: %s", text.s);
	v->related[0] = since;
	v->related[1] = behind ? behind->wait_seq : 0;
}

/* @leftovers: something never ran, so who waits for a flush or a grace period has a reason to. */
static void find_waiters(struct checker *c, const struct trace_record *last, bool leftovers)
{
	struct ledger *led = c->ledger;

	list_for_each(node, &led->all_contexts) {
		const struct context *ctx = container_of(node, struct context, node);

		if (waits(ctx) == WAIT_NONE || waits_for(led, ctx) ||
		    (leftovers && (ctx->flushes || ctx->syncs)))
			continue;
		report_waiter(c, last, ctx);
	}
}

static bool find_leftovers(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;
	const struct work *work;
	uint64_t pos = 0;
	bool found = false;

	list_for_each(node, &led->all_callbacks) {
		const struct callbacks *cbs = container_of(node, struct callbacks, node);

		found = true;
		checker_violation(c, last, cbs->of,
				  "RCU callback never ran: %s of %s, registered at seq %" PRIu64
				  " for grace period %" PRId64,
				  cbs->func, oid_str(cbs->of).s, cbs->first->seq, cbs->gp)
			->related[0] = cbs->first->seq;
	}
	while ((work = table_next(&led->works, &pos))) {
		if (!work->queued)
			continue;
		found = true;
		checker_violation(c, last, oid_make(OBJ_WORK, pos - 1),
				  "queued work never started: %s of %s on %s since seq %" PRIu64,
				  work->func, oid_str(work->of).s, oid_str(work->wq).s,
				  work->queued)
			->related[0] = work->queued;
	}
	return found;
}

static void on_kill(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	uint64_t *seq = ledger_object(c, &led->kills, r->obj);

	*seq = r->seq;
}

/* Whoever wants a reference in vain does so since that was killed. */
static void on_livelock(struct checker *c, const struct trace_record *r)
{
	const struct ledger *led = c->ledger;
	const uint64_t *killed = r->arg[2] ? objects_find(&led->kills, arg_oid(r, 2)) : NULL;
	struct violation *v = checker_violation(
		c, r, r->obj, "livelock: nothing ends a loop of %" PRId64 " step%s of %s",
		r->arg[0], r->arg[0] == 1 ? "" : "s", r->str ? r->str : "nobody");

	v->related[0] = killed ? *killed : 0;
}

static void on_end(struct checker *c, const struct trace_record *last)
{
	bool deadlock = find_deadlocks(c, last);
	bool stall = find_stalls(c, last, deadlock);

	if (deadlock || stall)
		return;
	find_waiters(c, last, find_leftovers(c, last));
}

static const struct record_handler handlers[] = {
	{TR_TASK_EXIT, on_task_exit},
	{TR_TASK_BLOCK, on_block},
	{TR_TASK_WAKE, on_wake},
	{TR_LOCK_INIT, on_lock_init},
	{TR_LOCK_WAIT, on_lock_wait},
	{TR_LOCK_ACQUIRE, on_lock_acquire},
	{TR_LOCK_RELEASE, on_lock_release},
	{TR_RCU_READ_LOCK, on_reader},
	{TR_RCU_READ_UNLOCK, on_reader},
	{TR_RCU_GP_START, on_grace_start},
	{TR_RCU_GP_END, on_grace_end},
	{TR_CALL_RCU, on_call_rcu},
	{TR_RCU_CALLBACK, on_callback},
	{TR_RCU_SYNC_BEGIN, on_sync_begin},
	{TR_RCU_SYNC_END, on_sync_end},
	{TR_RCU_BARRIER_BEGIN, on_sync_begin},
	{TR_RCU_BARRIER_END, on_sync_end},
	{TR_WQ_INIT, on_wq_init},
	{TR_WORK_INIT, on_work_init},
	{TR_QUEUE_WORK, on_queue_work},
	{TR_WORK_START, on_work_start},
	{TR_WORK_END, on_work_end},
	{TR_WORK_NULL, on_work_null},
	{TR_WORK_CANCEL, on_work_cancel},
	{TR_FLUSH_BEGIN, on_flush_begin},
	{TR_FLUSH_END, on_flush_end},
	{TR_FLUSH_WORK_BEGIN, on_flush_begin},
	{TR_FLUSH_WORK_END, on_flush_end},
	{TR_OBJ_FREE, on_free},
	{TR_REF_KILL, on_kill},
	{TR_LIVELOCK, on_livelock},
	{0, NULL},
};

const struct checker_ops check_progress = {
	.name = "progress",
	.claim = "whoever waits is woken, grace periods end, queues drain, and loops can end",
	.source = "liveness of locks, RCU and workqueues; lockdep's and RCU's stall reports",
	.handlers = handlers,
	.ledger_size = sizeof(struct ledger),
	.init = init,
	.on_end = on_end,
};
