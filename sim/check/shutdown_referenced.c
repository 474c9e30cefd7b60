// SPDX-License-Identifier: GPL-2.0-only
/*
 * shutdown-referenced: no cache is shut down or freed while something depends on it.
 *
 * Shutdown and free differ in three points.  Slab pages whose freeing waits for
 * a grace period may outlive the shutdown of their cache, with the references
 * that stand for them, but not its memory.  The work item that removes the sysfs
 * directory is queued by the shutdown itself.  The base reference means "active",
 * not "used": root destruction shuts active children down.
 *
 * A running work item of the cache is no dependence by itself: it may be the one
 * that destroys the cache, or be done with it.  One that waits for a lock while
 * the cache is shut down has yet to do its work.
 */

#include <inttypes.h>
#include <string.h>

#include "sim/check/ledger.h"

/* What can depend on a cache, in the order in which a violation lists it. */
enum need {
	NEED_OBJECT,
	NEED_SLAB,
	NEED_DEFERRED_SLAB,
	NEED_PIN,
	NEED_REF,
	NEED_SLAB_REF,
	NEED_USER_REF,
	NEED_QUEUED,
	NEED_WAITING,
	NEED_QUEUED_SYSFS,
	NEED_CALLBACK,
	NR_NEEDS,
};

static const char *const need_names[NR_NEEDS] = {
	[NEED_OBJECT] = "live object",
	[NEED_SLAB] = "slab page",
	[NEED_DEFERRED_SLAB] = "slab page on its way to be freed",
	[NEED_PIN] = "allocation in flight",
	[NEED_REF] = "reference",
	[NEED_SLAB_REF] = "slab page reference",
	[NEED_USER_REF] = "user handle",
	[NEED_QUEUED] = "queued work item",
	[NEED_WAITING] = "work item that waits for a lock",
	[NEED_QUEUED_SYSFS] = "queued sysfs removal",
	[NEED_CALLBACK] = "pending RCU callback",
};

#define NOT_AT_SHUTDOWN (1u << NEED_DEFERRED_SLAB | 1u << NEED_QUEUED_SYSFS)

struct cache {
	int32_t nr[NR_NEEDS];
	uint64_t last[NR_NEEDS]; /* seq of the last one that came */
};

struct slab {
	oid_t cache;
	bool deferred;
};

struct work {
	oid_t of, queued_of; /* queued_of: as it was when the item was queued */
	bool queued, sysfs;
};

/* The work item that a context runs. */
struct running {
	oid_t of;
	bool waits;
};

struct ledger {
	struct map caches;  /* by cache */
	struct map slabs;   /* by slab page that is not freed */
	struct map works;   /* by work item */
	struct map running; /* by context that runs one */
};

static void need(struct checker *c, const struct trace_record *r, oid_t cache, enum need what,
		 int64_t n)
{
	struct ledger *led = c->ledger;
	struct cache *entry;

	if (!cache || oid_kind(cache) != OBJ_CACHE || !n)
		return;
	entry = ledger_entry(c, &led->caches, cache, 0);
	entry->nr[what] += (int32_t)n;
	if (n > 0)
		entry->last[what] = r->seq;
}

/* ---- verdict ---------------------------------------------------------------- */

static void judge(struct checker *c, const struct trace_record *r, const char *how, uint32_t ignore)
{
	struct ledger *led = c->ledger;
	const struct cache *cache = map_find(&led->caches, r->obj, 0);
	struct text text = {0};
	uint64_t related[3] = {0};
	int nr_related = 0;

	for (int i = 0; cache && i < NR_NEEDS; i++) {
		int32_t n = cache->nr[i];

		if (n <= 0 || ignore & 1u << i)
			continue;
		text_add(&text, "%s%" PRId32 " %s%s", text.len ? ", " : "", n, need_names[i],
			 n == 1 ? "" : "s");
		if (nr_related < 3)
			related[nr_related++] = cache->last[i];
	}
	if (text.len)
		memcpy(checker_violation(c, r, r->obj, "%s with %s", how, text.s)->related, related,
		       sizeof(related));
}

static void shut_down(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	const struct cache *cache = map_find(&led->caches, r->obj, 0);
	uint32_t ignore = NOT_AT_SHUTDOWN;

	if (r->arg[0] != 0)
		return;
	if (cache && cache->nr[NEED_DEFERRED_SLAB] > 0)
		ignore |= 1u << NEED_SLAB_REF;
	judge(c, r, "shut down", ignore);
}

/* ---- slab pages -------------------------------------------------------------- */

/* The page's memory, or its reference, no longer needs the cache. */
static void slab_gone(struct checker *c, const struct trace_record *r, oid_t id, bool freed)
{
	struct ledger *led = c->ledger;
	struct slab *slab = map_find(&led->slabs, id, 0);

	if (!slab)
		return;
	if (slab->deferred)
		need(c, r, slab->cache, NEED_DEFERRED_SLAB, -1);
	else if (freed)
		need(c, r, slab->cache, NEED_SLAB, -1);
	else
		return;
	map_del(&led->slabs, id, 0);
}

static void on_slab(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct slab *slab;

	switch (r->kind) {
	case TR_SLAB_ALLOC:
		slab = ledger_entry(c, &led->slabs, r->obj, 0);
		slab->cache = arg_oid(r, 0);
		need(c, r, slab->cache, NEED_SLAB, 1);
		break;
	case TR_SLAB_DISCARD:
		slab = map_find(&led->slabs, r->obj, 0);
		if (!slab || slab->deferred)
			break;
		need(c, r, slab->cache, NEED_SLAB, -1);
		if (r->arg[1]) {
			slab->deferred = true;
			need(c, r, slab->cache, NEED_DEFERRED_SLAB, 1);
		} else {
			map_del(&led->slabs, r->obj, 0);
		}
		break;
	default:
		break;
	}
}

/* Objects, and allocations on their way to one. */
static void on_object(struct checker *c, const struct trace_record *r)
{
	switch (r->kind) {
	case TR_OBJECT_ALLOC:
		need(c, r, arg_oid(r, 0), NEED_OBJECT, r->obj ? 1 : 0);
		break;
	case TR_OBJECT_FREE:
		need(c, r, arg_oid(r, 0), NEED_OBJECT, -1);
		break;
	case TR_CACHE_LOOKUP:
		need(c, r, arg_oid(r, 1), NEED_PIN, r->arg[2] ? 1 : 0);
		break;
	default:
		need(c, r, r->obj, NEED_PIN, -1);
		break;
	}
}

/* ---- references ------------------------------------------------------------- */

static void hold(struct checker *c, const struct trace_record *r, int64_t holder, int64_t n)
{
	switch (holder) {
	case HOLD_BASE:
		break;
	case HOLD_SLAB_PAGE:
		need(c, r, r->obj, NEED_SLAB_REF, n);
		break;
	case HOLD_USER:
		need(c, r, r->obj, NEED_USER_REF, n);
		break;
	default:
		need(c, r, r->obj, NEED_REF, n);
		break;
	}
}

static void on_ref(struct checker *c, const struct trace_record *r)
{
	switch (r->kind) {
	case TR_REF_INIT:
		/* A plain counter of a cache counts its users: kmem_cache.refcount. */
		hold(c, r, r->arg[1] ? HOLD_BASE : HOLD_USER, r->arg[0]);
		break;
	case TR_REF_GET:
		hold(c, r, r->arg[1], r->arg[0]);
		break;
	case TR_REF_TRYGET:
		hold(c, r, r->arg[1], r->arg[0] ? 1 : 0);
		break;
	case TR_REF_PUT:
		hold(c, r, r->arg[1], -r->arg[0]);
		/* A page that was never charged has no reference: it goes by its OBJ_FREE. */
		if (r->arg[1] == HOLD_SLAB_PAGE)
			slab_gone(c, r, arg_oid(r, 2), false);
		break;
	case TR_REF_MOVE:
		hold(c, r, r->arg[1], -r->arg[0]);
		hold(c, r, r->arg[2], r->arg[0]);
		break;
	default:
		break;
	}
}

/* ---- work items and callbacks -------------------------------------------------- */

static void unqueue(struct checker *c, const struct trace_record *r, struct work *work)
{
	if (!work->queued)
		return;
	need(c, r, work->queued_of, work->sysfs ? NEED_QUEUED_SYSFS : NEED_QUEUED, -1);
	work->queued = false;
}

static void queue(struct checker *c, const struct trace_record *r, struct work *work)
{
	if (!r->arg[2] || work->queued)
		return;
	work->queued = true;
	work->queued_of = work->of;
	work->sysfs = r->str && strstr(r->str, "sysfs");
	need(c, r, work->queued_of, work->sysfs ? NEED_QUEUED_SYSFS : NEED_QUEUED, 1);
}

static void start(struct checker *c, const struct trace_record *r, struct work *work)
{
	struct ledger *led = c->ledger;
	struct running *run = ledger_entry(c, &led->running, task_oid(r), 0);

	unqueue(c, r, work);
	work->of = arg_oid(r, 0);
	run->of = work->of;
	run->waits = false;
}

static void on_lock(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct running *run = map_find(&led->running, task_oid(r), 0);
	bool waits = r->kind == TR_LOCK_WAIT;

	if (!run || run->waits == waits)
		return;
	run->waits = waits;
	need(c, r, run->of, NEED_WAITING, waits ? 1 : -1);
}

static void on_work(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
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
		queue(c, r, work);
		break;
	case TR_WORK_START:
		start(c, r, work);
		break;
	case TR_WORK_CANCEL:
		unqueue(c, r, work);
		break;
	default:
		break;
	}
}

static void on_callback(struct checker *c, const struct trace_record *r)
{
	oid_t of = arg_oid(r, 0);

	if (oid_kind(of) == OBJ_CACHE)
		need(c, r, of, NEED_CALLBACK, r->kind == TR_CALL_RCU ? 1 : -1);
}

static void on_free(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	switch (oid_kind(r->obj)) {
	case OBJ_CACHE:
		judge(c, r, "freed", 0);
		map_del(&led->caches, r->obj, 0);
		break;
	case OBJ_SLAB:
		slab_gone(c, r, r->obj, true);
		break;
	case OBJ_WORK:
		map_del(&led->works, r->obj, 0);
		break;
	default:
		break;
	}
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	map_init(&led->caches, c->set->arena, sizeof(struct cache));
	map_init(&led->slabs, c->set->arena, sizeof(struct slab));
	map_init(&led->works, c->set->arena, sizeof(struct work));
	map_init(&led->running, c->set->arena, sizeof(struct running));
}

static void on_record(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	if (!led->caches.arena)
		init(c);
	if (r->kind >= TR_REF_INIT && r->kind <= TR_REF_EXIT) {
		on_ref(c, r);
		return;
	}
	if (r->kind >= TR_WORK_INIT && r->kind <= TR_WORK_CANCEL) {
		on_work(c, r);
		return;
	}
	switch (r->kind) {
	case TR_SLAB_ALLOC:
	case TR_SLAB_DISCARD:
		on_slab(c, r);
		break;
	case TR_OBJECT_ALLOC:
	case TR_OBJECT_FREE:
	case TR_CACHE_LOOKUP:
	case TR_CACHE_PUT:
		on_object(c, r);
		break;
	case TR_LOCK_WAIT:
	case TR_LOCK_ACQUIRE:
		on_lock(c, r);
		break;
	case TR_CALL_RCU:
	case TR_RCU_CALLBACK:
		on_callback(c, r);
		break;
	case TR_CACHE_SHUTDOWN:
		shut_down(c, r);
		break;
	case TR_OBJ_FREE:
		on_free(c, r);
		break;
	}
}

static const uint16_t kinds[] = {
	TR_SLAB_ALLOC, TR_SLAB_DISCARD,	  TR_OBJECT_ALLOC, TR_OBJECT_FREE, TR_CACHE_LOOKUP,
	TR_CACHE_PUT,  TR_CACHE_SHUTDOWN, TR_OBJ_FREE,	   TR_REF_INIT,	   TR_REF_GET,
	TR_REF_TRYGET, TR_REF_PUT,	  TR_REF_MOVE,	   TR_WORK_INIT,   TR_QUEUE_WORK,
	TR_WORK_START, TR_WORK_END,	  TR_WORK_CANCEL,  TR_CALL_RCU,	   TR_RCU_CALLBACK,
	TR_LOCK_WAIT,  TR_LOCK_ACQUIRE,	  NR_TRACE_KINDS,
};

const struct checker_ops check_shutdown_referenced = {
	.name = "shutdown-referenced",
	.claim = "no cache is shut down or freed while anything depends on it",
	.source = "kmem_cache_destroy() and the shutdown of memcg caches; "
		  "92ee383f6daa, f0a3a24b532d, a264df74df38",
	.kinds = kinds,
	.ledger_size = sizeof(struct ledger),
	.on_record = on_record,
};
