// SPDX-License-Identifier: GPL-2.0-only
/*
 * leak: what nobody can reach any more is gone when nothing is left to happen.
 *
 * An offline memcg may stay for a reason that somebody can still end: a page of
 * user memory, the scenario's own reference, a stock, a child, or live objects in
 * pages or caches that pin it.  Each held reference is judged by its holder, so
 * one that leaked shows even while another is legal.  Slab pages without a live
 * object are no reason: nobody will ever free them.
 *
 * A cache of a memcg that is offline and still there dies with that memcg, and is
 * therefore judged with it; after reparenting it has to go by itself.
 */

#include <inttypes.h>
#include <string.h>

#include "sim/check/ledger.h"

struct memcg {
	oid_t parent;
	uint64_t offline_seq;
	int64_t user_pages, stock_pages;
	uint32_t children; /* not freed */
	uint32_t pinned;   /* caches and slab pages with live objects; on_end() only */
	bool counted;	   /* it has a reference counter */
	bool freed;
};

struct cache {
	oid_t memcg;
	uint64_t parted_seq; /* when its memcg told it to drain, or gave it away */
	int64_t objects;
	uint32_t cpu_slabs; /* slab pages that a CPU allocates from: frozen, never discarded */
	bool freed;
};

struct slab {
	oid_t cache, memcg;
	int64_t objects;
	bool on_cpu;
};

/* References of one kind of holder. */
struct hold {
	int64_t count;
	uint64_t last_seq;
	uint64_t best_seq; /* on_end(): the oldest one still held, and who took it */
	oid_t best_owner;
	uint32_t epoch; /* counts how often it was zero: older details are void */
};

/* References of one owner. */
struct detail {
	int64_t count;
	uint64_t seq;
	oid_t counter;
	uint32_t epoch;
	uint8_t holder;
};

struct work {
	oid_t of;
	bool queued;
	bool running;
};

struct ledger {
	struct map memcgs;
	struct map caches;
	struct map slabs;   /* not freed */
	struct map holds;   /* by (counter, holder): struct hold */
	struct map details; /* by (counter and holder, owner) */
	struct map works;
	uint32_t nr_busy; /* works queued or running */
};

static struct memcg *memcg_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;

	return ledger_entry(c, &led->memcgs, id, 0);
}

static struct cache *cache_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;

	return ledger_entry(c, &led->caches, id, 0);
}

static struct slab *slab_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;

	return ledger_entry(c, &led->slabs, id, 0);
}

/* ---- references ------------------------------------------------------------------- */

/* Only memcgs and caches are judged, so only their counters are followed. */
static bool is_followed(oid_t counter)
{
	return oid_kind(counter) == OBJ_MEMCG || oid_kind(counter) == OBJ_CACHE;
}

static void take(struct checker *c, const struct trace_record *r, int64_t n, int64_t holder,
		 oid_t owner)
{
	struct ledger *led = c->ledger;
	struct hold *hold = ledger_entry(c, &led->holds, r->obj, (uint64_t)holder);
	struct detail *detail =
		ledger_entry(c, &led->details, holder_key(r->obj, (enum holder)holder), owner);

	hold->count += n;
	hold->last_seq = r->seq;
	if (detail->count <= 0 || detail->epoch != hold->epoch) {
		detail->count = 0;
		detail->seq = r->seq;
	}
	detail->epoch = hold->epoch;
	detail->counter = r->obj;
	detail->holder = (uint8_t)holder;
	detail->count += n;
}

static void give(struct checker *c, const struct trace_record *r, int64_t n, int64_t holder,
		 oid_t owner)
{
	struct ledger *led = c->ledger;
	struct hold *hold = ledger_entry(c, &led->holds, r->obj, (uint64_t)holder);
	uint64_t key = holder_key(r->obj, (enum holder)holder);
	struct detail *detail = map_find(&led->details, key, owner);

	/* A charge is taken for nobody in particular and moved by the CPU that has it. */
	if (!detail || detail->count < n) {
		owner = 0;
		detail = map_find(&led->details, key, owner);
	}
	hold->count -= n;
	if (hold->count <= 0)
		hold->epoch++;
	if (!detail)
		return;
	detail->count -= n;
	if (detail->count <= 0)
		map_del(&led->details, key, owner);
}

static void on_ref(struct checker *c, const struct trace_record *r)
{
	oid_t owner = arg_oid(r, 2);

	if (!is_followed(r->obj))
		return;
	switch (r->kind) {
	case TR_REF_INIT:
		if (oid_kind(r->obj) == OBJ_MEMCG)
			memcg_of(c, r->obj)->counted = true;
		take(c, r, r->arg[0], r->arg[1] ? HOLD_BASE : HOLD_USER, 0);
		break;
	case TR_REF_GET:
		take(c, r, r->arg[0], r->arg[1], owner);
		break;
	case TR_REF_TRYGET:
		if (r->arg[0])
			take(c, r, 1, r->arg[1], owner);
		break;
	case TR_REF_PUT:
		give(c, r, r->arg[0], r->arg[1], owner);
		break;
	default: /* TR_REF_MOVE */
		owner = arg_oid(r, 3);
		give(c, r, r->arg[0], r->arg[1], owner);
		take(c, r, r->arg[0], r->arg[2], owner);
		break;
	}
}

/* ---- records ------------------------------------------------------------------------ */

static void on_life(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	bool born = r->kind == TR_OBJ_NEW;
	struct memcg *memcg;
	struct slab *slab;

	switch (oid_kind(r->obj)) {
	case OBJ_MEMCG:
		memcg = memcg_of(c, r->obj);
		if (born)
			memcg->parent = arg_oid(r, 0);
		memcg->freed = !born;
		if (memcg->parent)
			memcg_of(c, memcg->parent)->children += born ? 1 : -1;
		break;
	case OBJ_CACHE:
		if (!born)
			cache_of(c, r->obj)->freed = true;
		break;
	case OBJ_SLAB:
		slab = map_find(&led->slabs, r->obj, 0);
		if (born || !slab)
			break;
		if (slab->on_cpu)
			cache_of(c, slab->cache)->cpu_slabs--;
		map_del(&led->slabs, r->obj, 0);
		break;
	default:
		break;
	}
}

static void on_slab_state(struct checker *c, const struct trace_record *r)
{
	struct slab *slab;
	bool on_cpu;

	if (oid_kind(r->obj) != OBJ_SLAB)
		return;
	slab = slab_of(c, r->obj);
	on_cpu = r->kind == TR_OBJ_STATE && r->str && strcmp(r->str, "cpu") == 0;
	if (on_cpu == slab->on_cpu || !slab->cache)
		return;
	slab->on_cpu = on_cpu;
	cache_of(c, slab->cache)->cpu_slabs += on_cpu ? 1 : -1;
}

static void on_object(struct checker *c, const struct trace_record *r)
{
	int n = r->kind == TR_OBJECT_ALLOC ? 1 : -1;

	if (!r->obj)
		return;
	if (arg_oid(r, 0))
		cache_of(c, arg_oid(r, 0))->objects += n;
	if (arg_oid(r, 1))
		slab_of(c, arg_oid(r, 1))->objects += n;
}

static void on_work(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct work *work = ledger_entry(c, &led->works, r->obj, 0);
	bool was_busy = work->queued || work->running;

	switch (r->kind) {
	case TR_WORK_INIT:
		work->of = arg_oid(r, 0);
		break;
	case TR_QUEUE_WORK:
		work->queued |= r->arg[2] != 0;
		break;
	case TR_WORK_START:
		work->queued = false;
		work->running = true;
		break;
	case TR_WORK_CANCEL:
		work->queued = false;
		break;
	default:
		work->running = false;
		break;
	}
	led->nr_busy += (uint32_t)((work->queued || work->running) - was_busy);
}

static void on_memcg(struct checker *c, const struct trace_record *r)
{
	struct memcg *memcg = memcg_of(c, r->obj);

	switch (r->kind) {
	case TR_CSS_OFFLINE:
		memcg->offline_seq = r->seq;
		break;
	case TR_USER_CHARGE:
		memcg->user_pages += r->arg[1] == 0 ? r->arg[0] : 0;
		break;
	case TR_USER_UNCHARGE:
		memcg->user_pages -= r->arg[0];
		break;
	case TR_STOCK_REFILL:
		memcg->stock_pages += r->arg[0];
		break;
	default:
		memcg->stock_pages -= r->arg[0];
		break;
	}
}

static void on_cache(struct checker *c, const struct trace_record *r)
{
	struct cache *cache = cache_of(c, r->obj);

	if (r->kind == TR_CACHE_CREATE) {
		cache->memcg = arg_oid(r, 1);
		return;
	}
	if (!cache->parted_seq)
		cache->parted_seq = r->seq;
	if (r->kind == TR_CACHE_REPARENT)
		cache->memcg = arg_oid(r, 1);
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	map_init(&led->memcgs, c->set->arena, sizeof(struct memcg));
	map_init(&led->caches, c->set->arena, sizeof(struct cache));
	map_init(&led->slabs, c->set->arena, sizeof(struct slab));
	map_init(&led->holds, c->set->arena, sizeof(struct hold));
	map_init(&led->details, c->set->arena, sizeof(struct detail));
	map_init(&led->works, c->set->arena, sizeof(struct work));
}

static void on_record(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	if (!led->memcgs.arena)
		init(c);
	switch (r->kind) {
	case TR_OBJ_NEW:
	case TR_OBJ_FREE:
		on_life(c, r);
		break;
	case TR_SLAB_ALLOC:
		slab_of(c, r->obj)->cache = arg_oid(r, 0);
		break;
	case TR_SLAB_CHARGE:
		slab_of(c, r->obj)->memcg = r->arg[3] == 0 ? arg_oid(r, 1) : 0;
		break;
	case TR_OBJ_STATE:
	case TR_SLAB_DISCARD:
		on_slab_state(c, r);
		break;
	case TR_OBJECT_ALLOC:
	case TR_OBJECT_FREE:
		on_object(c, r);
		break;
	case TR_CACHE_CREATE:
	case TR_CACHE_DEACTIVATE:
	case TR_CACHE_REPARENT:
		on_cache(c, r);
		break;
	default:
		if (r->kind >= TR_REF_INIT && r->kind <= TR_REF_MOVE)
			on_ref(c, r);
		else if (r->kind >= TR_WORK_INIT && r->kind <= TR_WORK_CANCEL)
			on_work(c, r);
		else
			on_memcg(c, r);
		break;
	}
}

/* ---- verdict -------------------------------------------------------------------------- */

static void pin(struct ledger *led, oid_t id)
{
	struct memcg *memcg = map_find(&led->memcgs, id, 0);

	if (memcg)
		memcg->pinned++;
}

static void find_pins(struct ledger *led)
{
	const struct cache *cache;
	const struct slab *slab;
	uint32_t pos = 0;

	while ((cache = map_next(&led->caches, &pos))) {
		if (!cache->freed && (cache->objects > 0 || cache->cpu_slabs > 0))
			pin(led, cache->memcg);
	}
	pos = 0;
	while ((slab = map_next(&led->slabs, &pos))) {
		if (slab->objects > 0 || slab->on_cpu)
			pin(led, slab->memcg);
	}
}

/* For every kind of holder, the oldest reference that is still held. */
static void find_owners(struct ledger *led)
{
	const struct detail *detail;
	uint32_t pos = 0;

	while ((detail = map_next(&led->details, &pos))) {
		struct hold *hold = map_find(&led->holds, detail->counter, detail->holder);

		if (!hold || hold->count <= 0 || hold->epoch != detail->epoch)
			continue;
		if (hold->best_seq && hold->best_seq <= detail->seq)
			continue;
		hold->best_seq = detail->seq;
		hold->best_owner = map_key_b(detail);
	}
}

/* Does somebody hold this kind of reference for a reason that can still end? */
static bool is_legal(const struct ledger *led, const struct memcg *memcg, int holder,
		     const struct hold *hold)
{
	const struct work *work;

	switch (holder) {
	case HOLD_SCRIPT:
		return true;
	case HOLD_USER_PAGE:
		return memcg->user_pages > 0;
	case HOLD_STOCK:
		return memcg->stock_pages > 0;
	case HOLD_CHILD_CSS:
		return memcg->children > 0;
	case HOLD_SLAB_PAGE:
	case HOLD_CHARGE:
	case HOLD_CACHE:
		return memcg->pinned > 0;
	case HOLD_CREATE_WORK:
		if (oid_kind(hold->best_owner) != OBJ_WORK)
			return led->nr_busy > 0;
		work = map_find(&led->works, hold->best_owner, 0);
		return work && (work->queued || work->running);
	default:
		return false;
	}
}

/* Appends one kind of holder: "create work (1, taken at seq 12 by task:3)". */
static void add_holder(struct text *text, int holder, const struct hold *hold)
{
	text_add(text, "%s%s (%" PRId64 ", taken at seq %" PRIu64, text->len ? ", " : "",
		 holder_name((enum holder)holder), hold->count,
		 hold->best_seq ? hold->best_seq : hold->last_seq);
	text_add(text, hold->best_owner ? " for %s)" : ")", oid_str(hold->best_owner).s);
}

/* Who holds @counter; if @memcg is given, only those who have no reason to. */
static int64_t add_holders(const struct ledger *led, oid_t counter, const struct memcg *memcg,
			   struct text *text, uint64_t *seq)
{
	int64_t total = 0;

	for (int h = 0; h < NR_HOLDERS; h++) {
		const struct hold *hold = map_find(&led->holds, counter, (uint64_t)h);

		if (!hold || hold->count <= 0)
			continue;
		total += hold->count;
		if (memcg && is_legal(led, memcg, h, hold))
			continue;
		add_holder(text, h, hold);
		if (!*seq)
			*seq = hold->best_seq ? hold->best_seq : hold->last_seq;
	}
	return total;
}

static void judge_offline(struct checker *c, const struct trace_record *last,
			  const struct memcg *memcg)
{
	const struct ledger *led = c->ledger;
	oid_t id = map_key_a(memcg);
	struct text who = {0};
	struct violation *v;
	uint64_t seq = 0;
	int64_t total = add_holders(led, id, memcg, &who, &seq);
	bool excused = memcg->user_pages > 0 || memcg->stock_pages > 0 || memcg->children > 0 ||
		       memcg->pinned > 0;

	if (!who.len && (total || (!memcg->counted && excused)))
		return;
	v = checker_violation(c, last, id,
			      "offline memcg is not freed: %s, offline since seq %" PRIu64 ", %s%s",
			      oid_str(id).s, memcg->offline_seq,
			      who.len ? "held by " : "no reference is left", who.s);
	v->related[0] = seq;
	v->related[1] = memcg->offline_seq;
}

static void judge_create_work(struct checker *c, const struct trace_record *last,
			      const struct memcg *memcg)
{
	const struct ledger *led = c->ledger;
	oid_t id = map_key_a(memcg);
	const struct hold *hold = map_find(&led->holds, id, HOLD_CREATE_WORK);
	struct text who = {0};

	if (!hold || hold->count <= 0 || is_legal(led, memcg, HOLD_CREATE_WORK, hold))
		return;
	add_holder(&who, HOLD_CREATE_WORK, hold);
	checker_violation(c, last, id,
			  "css reference leaked: %s is held by %s, but no such work is queued",
			  oid_str(id).s, who.s)
		->related[0] = hold->best_seq ? hold->best_seq : hold->last_seq;
}

static void judge_memcgs(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;
	struct memcg *memcg;
	uint32_t pos = 0;

	while ((memcg = map_next(&led->memcgs, &pos))) {
		if (!memcg->freed && memcg->offline_seq)
			judge_offline(c, last, memcg);
		else if (!memcg->freed)
			judge_create_work(c, last, memcg);
	}
}

static void judge_caches(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;
	const struct cache *cache;
	uint32_t pos = 0;

	while ((cache = map_next(&led->caches, &pos))) {
		const struct memcg *memcg = map_find(&led->memcgs, cache->memcg, 0);
		oid_t id = map_key_a(cache);
		struct text who = {0};
		struct violation *v;
		uint64_t seq = 0;

		if (!cache->parted_seq || cache->freed || cache->objects > 0 ||
		    cache->cpu_slabs > 0 || (memcg && memcg->offline_seq && !memcg->freed))
			continue;
		add_holders(led, id, NULL, &who, &seq);
		v = checker_violation(
			c, last, id,
			"drained cache is not freed: %s lost its memcg at seq %" PRIu64
			" and has no live object, %s%s",
			oid_str(id).s, cache->parted_seq,
			who.len ? "held by " : "no reference is left", who.s);
		v->related[0] = seq;
		v->related[1] = cache->parted_seq;
	}
}

static void judge_works(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;
	const struct work *work;
	uint32_t pos = 0;

	while ((work = map_next(&led->works, &pos))) {
		const struct cache *cache = map_find(&led->caches, work->of, 0);

		if (work->queued && cache && cache->freed)
			checker_violation(
				c, last, map_key_a(work),
				"work item left behind: %s is queued for %s, which is freed",
				oid_str(map_key_a(work)).s, oid_str(work->of).s);
	}
}

static void on_end(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;
	struct memcg *memcg;
	struct hold *hold;
	uint32_t pos = 0;

	find_pins(led);
	find_owners(led);
	judge_memcgs(c, last);
	judge_caches(c, last);
	judge_works(c, last);
	/* The run may go on and come to rest again. */
	while ((memcg = map_next(&led->memcgs, &pos)))
		memcg->pinned = 0;
	pos = 0;
	while ((hold = map_next(&led->holds, &pos))) {
		hold->best_seq = 0;
		hold->best_owner = 0;
	}
}

static const uint16_t kinds[] = {
	TR_WORK_INIT,	   TR_QUEUE_WORK,	TR_WORK_START,	 TR_WORK_END,	   TR_WORK_CANCEL,
	TR_REF_INIT,	   TR_REF_GET,		TR_REF_TRYGET,	 TR_REF_PUT,	   TR_REF_MOVE,
	TR_OBJ_NEW,	   TR_OBJ_STATE,	TR_OBJ_FREE,	 TR_CSS_OFFLINE,   TR_CACHE_CREATE,
	TR_CACHE_REPARENT, TR_CACHE_DEACTIVATE, TR_SLAB_ALLOC,	 TR_SLAB_CHARGE,   TR_SLAB_DISCARD,
	TR_OBJECT_ALLOC,   TR_OBJECT_FREE,	TR_STOCK_REFILL, TR_STOCK_CONSUME, TR_STOCK_DRAIN,
	TR_USER_CHARGE,	   TR_USER_UNCHARGE,	NR_TRACE_KINDS,
};

const struct checker_ops check_leak = {
	.name = "leak",
	.claim = "no offline memcg, drained cache or work item stays that nobody can reach",
	.source = "cgroup and kmem_cache lifecycle; 3a98990ae215, f0a3a24b532d",
	.kinds = kinds,
	.ledger_size = sizeof(struct ledger),
	.on_record = on_record,
	.on_end = on_end,
};
