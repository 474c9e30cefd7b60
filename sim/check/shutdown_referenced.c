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
	bool active; /* it runs one */
	bool waits;
};

struct ledger {
	struct table caches;
	struct table slabs; /* not freed */
	struct table works;
	struct table running; /* by context */
};

static struct cache *find_cache(const struct checker *c, oid_t id)
{
	const struct ledger *led = c->ledger;

	return table_find(&led->caches, oid_nr(id));
}

static struct slab *find_slab(const struct checker *c, oid_t id)
{
	const struct ledger *led = c->ledger;

	return oid_kind(id) == OBJ_SLAB ? table_find(&led->slabs, oid_nr(id)) : NULL;
}

static void forget_slab(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;

	table_del(&led->slabs, oid_nr(id));
}

static void need(struct checker *c, const struct trace_record *r, oid_t cache, enum need what,
		 int64_t n)
{
	struct ledger *led = c->ledger;
	struct cache *entry;

	if (!cache || oid_kind(cache) != OBJ_CACHE || !n)
		return;
	entry = ledger_number(c, &led->caches, oid_nr(cache));
	entry->nr[what] += (int32_t)n;
	if (n > 0)
		entry->last[what] = r->seq;
}

/* ---- verdict ---------------------------------------------------------------- */

static void judge(struct checker *c, const struct trace_record *r, const char *how, uint32_t ignore)
{
	const struct cache *cache = find_cache(c, r->obj);
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

static void on_shutdown(struct checker *c, const struct trace_record *r)
{
	const struct cache *cache = find_cache(c, r->obj);
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
	struct slab *slab = find_slab(c, id);

	if (!slab)
		return;
	if (slab->deferred)
		need(c, r, slab->cache, NEED_DEFERRED_SLAB, -1);
	else if (freed)
		need(c, r, slab->cache, NEED_SLAB, -1);
	else
		return;
	forget_slab(c, id);
}

static void on_slab_alloc(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct slab *slab = ledger_number(c, &led->slabs, oid_nr(r->obj));

	slab->cache = arg_oid(r, 0);
	need(c, r, slab->cache, NEED_SLAB, 1);
}

static void on_slab_discard(struct checker *c, const struct trace_record *r)
{
	struct slab *slab = find_slab(c, r->obj);

	if (!slab || slab->deferred)
		return;
	need(c, r, slab->cache, NEED_SLAB, -1);
	if (r->arg[1]) {
		slab->deferred = true;
		need(c, r, slab->cache, NEED_DEFERRED_SLAB, 1);
	} else {
		forget_slab(c, r->obj);
	}
}

/* ---- objects, and allocations on their way to one ---------------------------- */

static void on_object_alloc(struct checker *c, const struct trace_record *r)
{
	need(c, r, arg_oid(r, 0), NEED_OBJECT, r->obj ? 1 : 0);
}

static void on_object_free(struct checker *c, const struct trace_record *r)
{
	need(c, r, arg_oid(r, 0), NEED_OBJECT, -1);
}

static void on_lookup(struct checker *c, const struct trace_record *r)
{
	need(c, r, arg_oid(r, 1), NEED_PIN, r->arg[2] ? 1 : 0);
}

static void on_lookup_end(struct checker *c, const struct trace_record *r)
{
	need(c, r, r->obj, NEED_PIN, -1);
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

static void on_ref_init(struct checker *c, const struct trace_record *r)
{
	/* A plain counter of a cache counts its users: kmem_cache.refcount. */
	hold(c, r, r->arg[1] ? HOLD_BASE : HOLD_USER, r->arg[0]);
}

static void on_ref_get(struct checker *c, const struct trace_record *r)
{
	hold(c, r, r->arg[1], r->arg[0]);
}

static void on_ref_tryget(struct checker *c, const struct trace_record *r)
{
	hold(c, r, r->arg[1], r->arg[0] ? 1 : 0);
}

static void on_ref_put(struct checker *c, const struct trace_record *r)
{
	hold(c, r, r->arg[1], -r->arg[0]);
	/* A page that was never charged has no reference: it goes by its OBJ_FREE. */
	if (r->arg[1] == HOLD_SLAB_PAGE)
		slab_gone(c, r, arg_oid(r, 2), false);
}

static void on_ref_move(struct checker *c, const struct trace_record *r)
{
	hold(c, r, r->arg[1], -r->arg[0]);
	hold(c, r, r->arg[2], r->arg[0]);
}

/* ---- work items and callbacks -------------------------------------------------- */

static void unqueue(struct checker *c, const struct trace_record *r, struct work *work)
{
	if (!work->queued)
		return;
	need(c, r, work->queued_of, work->sysfs ? NEED_QUEUED_SYSFS : NEED_QUEUED, -1);
	work->queued = false;
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

	if (!r->arg[2] || work->queued)
		return;
	work->queued = true;
	work->queued_of = work->of;
	work->sysfs = oid_kind(work->of) == OBJ_CACHE && r->str && strstr(r->str, "sysfs");
	need(c, r, work->queued_of, work->sysfs ? NEED_QUEUED_SYSFS : NEED_QUEUED, 1);
}

static void on_work_start(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct work *work = work_of(c, r);
	struct running *run = ledger_number(c, &led->running, r->task);

	unqueue(c, r, work);
	work->of = arg_oid(r, 0);
	run->of = work->of;
	run->active = true;
	run->waits = false;
}

static void on_lock(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct running *run = table_find(&led->running, r->task);
	bool waits = r->kind == TR_LOCK_WAIT;

	if (!run || !run->active || run->waits == waits)
		return;
	run->waits = waits;
	need(c, r, run->of, NEED_WAITING, waits ? 1 : -1);
}

static void on_work_end(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct running *run = table_find(&led->running, r->task);

	if (run)
		run->active = false;
}

static void on_work_cancel(struct checker *c, const struct trace_record *r)
{
	unqueue(c, r, work_of(c, r));
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
		table_del(&led->caches, oid_nr(r->obj));
		break;
	case OBJ_SLAB:
		slab_gone(c, r, r->obj, true);
		break;
	case OBJ_WORK:
		table_del(&led->works, oid_nr(r->obj));
		break;
	default:
		break;
	}
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	table_init(&led->caches, c->set->arena, sizeof(struct cache));
	table_init(&led->slabs, c->set->arena, sizeof(struct slab));
	table_init(&led->works, c->set->arena, sizeof(struct work));
	table_init(&led->running, c->set->arena, sizeof(struct running));
}

static const struct record_handler handlers[] = {
	{TR_SLAB_ALLOC, on_slab_alloc},
	{TR_SLAB_DISCARD, on_slab_discard},
	{TR_OBJECT_ALLOC, on_object_alloc},
	{TR_OBJECT_FREE, on_object_free},
	{TR_CACHE_LOOKUP, on_lookup},
	{TR_CACHE_PUT, on_lookup_end},
	{TR_CACHE_SHUTDOWN, on_shutdown},
	{TR_OBJ_FREE, on_free},
	{TR_REF_INIT, on_ref_init},
	{TR_REF_GET, on_ref_get},
	{TR_REF_TRYGET, on_ref_tryget},
	{TR_REF_PUT, on_ref_put},
	{TR_REF_MOVE, on_ref_move},
	{TR_WORK_INIT, on_work_init},
	{TR_QUEUE_WORK, on_queue_work},
	{TR_WORK_START, on_work_start},
	{TR_WORK_END, on_work_end},
	{TR_WORK_CANCEL, on_work_cancel},
	{TR_CALL_RCU, on_callback},
	{TR_RCU_CALLBACK, on_callback},
	{TR_LOCK_WAIT, on_lock},
	{TR_LOCK_ACQUIRE, on_lock},
	{0, NULL},
};

const struct checker_ops check_shutdown_referenced = {
	.name = "shutdown-referenced",
	.claim = "no cache is shut down or freed while anything depends on it",
	.source = "kmem_cache_destroy() and the shutdown of memcg caches; "
		  "92ee383f6daa, f0a3a24b532d, a264df74df38",
	.handlers = handlers,
	.ledger_size = sizeof(struct ledger),
	.init = init,
};
