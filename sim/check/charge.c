// SPDX-License-Identifier: GPL-2.0-only
/*
 * charge: counters equal what is charged below them.
 *
 * A page stays attributed to the memcg that it was charged to, even if it is
 * uncharged from an ancestor after reparenting: both charge and uncharge then
 * pass every online ancestor, so for those the books must balance.  An offline
 * memcg may keep a residual, or go below zero, which nobody reads; the root
 * memcg is charged in some generations only and reports no usage of its own.
 * "Offline" begins with the kill: from then on charges go to the parent while
 * uncharges may still take the memcg.
 */

#include <inttypes.h>
#include <string.h>

#include "sim/check/ledger.h"

enum counter_name { COUNTER_MEMORY = 1, COUNTER_KMEM = 2 };

struct memcg {
	oid_t parent;
	uint64_t online_seq;
	bool online;
	bool freed;
	int64_t slab_pages, user_pages, stock_pages; /* own, by place of the charge */
	int64_t below_slab, below_user, below_stock; /* of the subtree; on_end() only */
};

struct counter {
	int64_t usage;
	uint64_t last;
};

struct slab {
	oid_t memcg; /* charged to; 0 when not charged */
	int64_t pages;
	uint64_t charge_seq, uncharge_seq;
};

struct ledger {
	struct map memcgs;   /* by memcg, the freed ones included: their pages may live on */
	struct map counters; /* by (memcg, counter) */
	struct map slabs;    /* by slab page that is not freed */
	struct map stocks;   /* by (memcg, CPU): int64_t pages */
};

static struct memcg *memcg_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;

	return ledger_entry(c, &led->memcgs, id, 0);
}

static uint64_t counter_id(const char *name)
{
	if (name && strcmp(name, "memory") == 0)
		return COUNTER_MEMORY;
	if (name && strcmp(name, "kmem") == 0)
		return COUNTER_KMEM;
	return text_digest(name) | UINT64_C(1) << 63;
}

static void on_counter(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct counter *counter = ledger_entry(c, &led->counters, r->obj, counter_id(r->str));
	const struct memcg *memcg = memcg_of(c, r->obj);
	const char *name = r->str ? r->str : "counter";
	uint64_t last = counter->last;

	counter->usage += r->kind == TR_COUNTER_CHARGE ? r->arg[0] : -r->arg[0];
	counter->last = r->seq;
	if (counter->usage != r->arg[1]) {
		checker_violation(c, r, r->obj,
				  "%s miscounts: usage is %" PRId64 ", charges make it %" PRId64,
				  name, r->arg[1], counter->usage)
			->related[0] = last;
		counter->usage = r->arg[1];
	}
	if (counter->usage < 0 && memcg->online && memcg->parent)
		checker_violation(c, r, r->obj, "%s underflow: usage is %" PRId64, name,
				  counter->usage)
			->related[0] = last;
}

/* ---- slab pages ------------------------------------------------------------- */

static void charge_slab(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct slab *slab;

	if (r->arg[3] != 0)
		return;
	slab = ledger_entry(c, &led->slabs, r->obj, 0);
	if (slab->memcg)
		checker_violation(c, r, r->obj, "charged twice: to %s at seq %" PRIu64 " already",
				  oid_str(slab->memcg).s, slab->charge_seq)
			->related[0] = slab->charge_seq;
	slab->memcg = arg_oid(r, 1);
	slab->pages = r->arg[2];
	slab->charge_seq = r->seq;
	if (slab->memcg)
		memcg_of(c, slab->memcg)->slab_pages += slab->pages;
}

static void uncharge_slab(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct slab *slab = ledger_entry(c, &led->slabs, r->obj, 0);
	struct violation *v;

	if (!slab->memcg) {
		/* An unaccounted page goes the same way and names no memcg. */
		if (!arg_oid(r, 1) || (slab->charge_seq && !slab->uncharge_seq))
			return;
		v = checker_violation(c, r, r->obj, "%s from %s",
				      slab->uncharge_seq ? "uncharged twice:"
							 : "uncharged without a charge:",
				      oid_str(arg_oid(r, 1)).s);
		v->related[0] = slab->charge_seq;
		v->related[1] = slab->uncharge_seq;
		return;
	}
	if (slab->pages != r->arg[2])
		checker_violation(c, r, r->obj, "charged %" PRId64 " pages, uncharged %" PRId64,
				  slab->pages, r->arg[2])
			->related[0] = slab->charge_seq;
	memcg_of(c, slab->memcg)->slab_pages -= slab->pages;
	slab->memcg = 0;
	slab->uncharge_seq = r->seq;
}

static void free_slab(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	const struct slab *slab = map_find(&led->slabs, r->obj, 0);

	if (!slab)
		return;
	/* Charging the root memcg is a matter of statistics. */
	if (slab->memcg && memcg_of(c, slab->memcg)->parent)
		checker_violation(c, r, r->obj, "freed while charged to %s since seq %" PRIu64,
				  oid_str(slab->memcg).s, slab->charge_seq)
			->related[0] = slab->charge_seq;
	map_del(&led->slabs, r->obj, 0);
}

/* ---- stock ------------------------------------------------------------------- */

static void on_stock(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	int64_t *pages = ledger_entry(c, &led->stocks, r->obj, (uint64_t)r->arg[1]);
	int64_t n = r->kind == TR_STOCK_REFILL ? r->arg[0] : -r->arg[0];

	*pages += n;
	memcg_of(c, r->obj)->stock_pages += n;
	if (*pages < 0)
		checker_violation(c, r, r->obj,
				  "stock overdrawn: %s takes %" PRId64 " pages of cpu %" PRId64
				  ", which kept %" PRId64,
				  trace_kinds[r->kind].name, r->arg[0], r->arg[1], *pages - n);
	if (*pages == 0)
		map_del(&led->stocks, r->obj, (uint64_t)r->arg[1]);
}

/* ---- memcgs ------------------------------------------------------------------- */

static void on_memcg(struct checker *c, const struct trace_record *r)
{
	struct memcg *memcg;

	if (oid_kind(r->obj) != OBJ_MEMCG)
		return;
	memcg = memcg_of(c, r->obj);
	switch (r->kind) {
	case TR_OBJ_NEW:
		memcg->parent = arg_oid(r, 0);
		break;
	case TR_CSS_ONLINE:
		memcg->online = true;
		memcg->online_seq = r->seq;
		break;
	case TR_OBJ_FREE:
		memcg->freed = true;
		memcg->online = false;
		break;
	default: /* killed or offline */
		memcg->online = false;
		break;
	}
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	map_init(&led->memcgs, c->set->arena, sizeof(struct memcg));
	map_init(&led->counters, c->set->arena, sizeof(struct counter));
	map_init(&led->slabs, c->set->arena, sizeof(struct slab));
	map_init(&led->stocks, c->set->arena, sizeof(int64_t));
}

static void on_record(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	if (!led->memcgs.arena)
		init(c);
	switch (r->kind) {
	case TR_COUNTER_CHARGE:
	case TR_COUNTER_UNCHARGE:
		on_counter(c, r);
		break;
	case TR_SLAB_CHARGE:
		charge_slab(c, r);
		break;
	case TR_SLAB_UNCHARGE:
		uncharge_slab(c, r);
		break;
	case TR_STOCK_REFILL:
	case TR_STOCK_CONSUME:
	case TR_STOCK_DRAIN:
		on_stock(c, r);
		break;
	case TR_USER_CHARGE:
		memcg_of(c, r->obj)->user_pages += r->arg[1] == 0 ? r->arg[0] : 0;
		break;
	case TR_USER_UNCHARGE:
		memcg_of(c, r->obj)->user_pages -= r->arg[0];
		break;
	default:
		if (r->kind == TR_OBJ_FREE && oid_kind(r->obj) == OBJ_SLAB)
			free_slab(c, r);
		else
			on_memcg(c, r);
		break;
	}
}

/* ---- conservation --------------------------------------------------------------- */

/* Adds what every memcg has to itself and its ancestors. */
static void sum_subtrees(struct ledger *led)
{
	const struct memcg *own;
	uint32_t pos = 0;

	while ((own = map_next(&led->memcgs, &pos))) {
		struct memcg *up = map_find(&led->memcgs, map_key_a(own), 0);

		if (!own->slab_pages && !own->user_pages && !own->stock_pages)
			continue;
		while (up) {
			up->below_slab += own->slab_pages;
			up->below_user += own->user_pages;
			up->below_stock += own->stock_pages;
			up = up->parent ? map_find(&led->memcgs, up->parent, 0) : NULL;
		}
	}
}

static void conserve(struct checker *c, const struct trace_record *last, const struct memcg *memcg)
{
	struct ledger *led = c->ledger;
	oid_t id = map_key_a(memcg);
	const struct counter *memory = map_find(&led->counters, id, COUNTER_MEMORY);
	const struct counter *kmem = map_find(&led->counters, id, COUNTER_KMEM);
	int64_t pages = memcg->below_slab + memcg->below_user + memcg->below_stock;
	int64_t usage = memory ? memory->usage : 0;

	if (usage != pages)
		checker_violation(c, last, id,
				  "memory usage %" PRId64 " at the end, but %" PRId64
				  " slab pages, %" PRId64 " user pages and %" PRId64
				  " stocked pages are charged below",
				  usage, memcg->below_slab, memcg->below_user, memcg->below_stock)
			->related[0] = memory ? memory->last : 0;
	if (kmem && kmem->usage != memcg->below_slab)
		checker_violation(c, last, id,
				  "kmem usage %" PRId64 " at the end, but %" PRId64
				  " slab pages are charged below",
				  kmem->usage, memcg->below_slab)
			->related[0] = kmem->last;
}

static void on_end(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;
	struct memcg *memcg;
	uint32_t pos = 0;

	sum_subtrees(led);
	while ((memcg = map_next(&led->memcgs, &pos))) {
		if (memcg->online && memcg->parent)
			conserve(c, last, memcg);
		/* The run may go on and come to rest again. */
		memcg->below_slab = 0;
		memcg->below_user = 0;
		memcg->below_stock = 0;
	}
}

static const uint16_t kinds[] = {
	TR_COUNTER_CHARGE, TR_COUNTER_UNCHARGE, TR_SLAB_CHARGE, TR_SLAB_UNCHARGE,
	TR_STOCK_REFILL,   TR_STOCK_CONSUME,	TR_STOCK_DRAIN, TR_USER_CHARGE,
	TR_USER_UNCHARGE,  TR_OBJ_NEW,		TR_OBJ_FREE,	TR_CSS_ONLINE,
	TR_CSS_KILLED,	   TR_CSS_OFFLINE,	TR_REF_KILL,	NR_TRACE_KINDS,
};

const struct checker_ops check_charge = {
	.name = "charge",
	.claim = "the usage of every online memcg equals the pages charged below it",
	.source = "page_counter and memcg charging; reparenting: fb2f2b0adb98",
	.kinds = kinds,
	.ledger_size = sizeof(struct ledger),
	.on_record = on_record,
	.on_end = on_end,
};
