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
 *
 * Pages in swap stay attributed to the memcg that the entry was charged to, which
 * must be the one that the id in the entry still leads to when they leave.
 */

#include <inttypes.h>
#include <string.h>

#include "sim/base/list.h"
#include "sim/check/ledger.h"

#define PAGE_BYTES 4096

struct counter {
	int64_t usage;
	uint64_t last; /* seq, 0 before the first charge */
};

struct memcg {
	oid_t id; /* 0 until it is on the list of all */
	struct list node;
	oid_t parent;
	uint64_t online_seq;
	bool online;
	bool freed;
	int64_t slab_pages, user_pages, stock_pages; /* own, by place of the charge */
	int64_t swap_pages;
	int64_t below_slab, below_user, below_stock; /* of the subtree; on_end() only */
	int64_t below_swap;
	struct counter memory, kmem, swap;
	struct table stocks; /* by CPU: int64_t pages */
};

struct slab {
	oid_t memcg; /* charged to; 0 when not charged */
	int64_t pages;
	uint64_t charge_seq, uncharge_seq;
};

/* Pages in swap. */
struct swap {
	oid_t memcg; /* charged to */
	int64_t pages;
	uint64_t seq;
};

/* Who pays for objects, and what has become of the pages charged for them. */
struct objcg {
	oid_t id; /* 0 until it is on the list of all */
	struct list node;
	oid_t owner; /* memcg */
	int64_t pages;
	int64_t objects, stocks, left; /* bytes */
	bool freed;
};

/* Bytes that a CPU keeps. */
struct obj_stock {
	oid_t objcg;
	int64_t bytes;
};

struct ledger {
	struct table objcgs;
	struct list all_objcgs;
	struct table obj_stocks; /* by CPU */
	struct table memcgs;	 /* the freed ones included: their pages may live on */
	struct list all;	 /* memcgs, in the order in which they came */
	struct table slabs;	 /* not freed */
	struct table swaps;	 /* charged */
	struct map others; /* by (memcg, digest of the name): struct counter of neither name */
};

static struct memcg *find_memcg(const struct checker *c, oid_t id)
{
	const struct ledger *led = c->ledger;

	return table_find(&led->memcgs, oid_nr(id));
}

static struct memcg *memcg_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;
	struct memcg *memcg = ledger_number(c, &led->memcgs, oid_nr(id));

	if (!memcg->id) {
		memcg->id = id;
		table_init(&memcg->stocks, c->set->arena, sizeof(int64_t));
		list_add_tail(&memcg->node, &led->all);
	}
	return memcg;
}

static struct counter *counter_of(struct checker *c, struct memcg *memcg, const char *name)
{
	struct ledger *led = c->ledger;

	if (name && strcmp(name, "memory") == 0)
		return &memcg->memory;
	if (name && strcmp(name, "kmem") == 0)
		return &memcg->kmem;
	if (name && strcmp(name, "swap") == 0)
		return &memcg->swap;
	return ledger_entry(c, &led->others, memcg->id, text_digest(name));
}

static void on_counter(struct checker *c, const struct trace_record *r)
{
	struct memcg *memcg = memcg_of(c, r->obj);
	struct counter *counter = counter_of(c, memcg, r->str);
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

static void on_slab_charge(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct slab *slab;

	if (r->arg[3] != 0)
		return;
	slab = ledger_number(c, &led->slabs, oid_nr(r->obj));
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

static void on_slab_uncharge(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct slab *slab = ledger_number(c, &led->slabs, oid_nr(r->obj));
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
	const struct slab *slab = table_find(&led->slabs, oid_nr(r->obj));

	if (!slab)
		return;
	/* Charging the root memcg is a matter of statistics. */
	if (slab->memcg && memcg_of(c, slab->memcg)->parent)
		checker_violation(c, r, r->obj, "freed while charged to %s since seq %" PRIu64,
				  oid_str(slab->memcg).s, slab->charge_seq)
			->related[0] = slab->charge_seq;
	table_del(&led->slabs, oid_nr(r->obj));
}

/* ---- swap ------------------------------------------------------------------- */

static void on_swap_charge(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct swap *swap = ledger_number(c, &led->swaps, oid_nr(r->obj));

	*swap = (struct swap){arg_oid(r, 0), r->arg[1], r->seq};
	memcg_of(c, swap->memcg)->swap_pages += swap->pages;
}

static void on_swap_uncharge(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	const struct swap *swap = table_find(&led->swaps, oid_nr(r->obj));
	oid_t found = arg_oid(r, 0);

	if (!swap || swap->memcg != found)
		checker_violation(c, r, r->obj,
				  "the id %" PRId64 " of pages in swap leads to %s, but they are "
				  "charged to %s",
				  r->arg[2], found ? oid_str(found).s : "nobody",
				  swap ? oid_str(swap->memcg).s : "nobody")
			->related[0] = swap ? swap->seq : 0;
	if (!swap)
		return;
	/* To a wrong one or not at all: it stays where it was, and is found there again. */
	if (swap->memcg == found)
		memcg_of(c, swap->memcg)->swap_pages -= swap->pages;
	table_del(&led->swaps, oid_nr(r->obj));
}

/* ---- stock ------------------------------------------------------------------- */

static void on_stock(struct checker *c, const struct trace_record *r)
{
	struct memcg *memcg = memcg_of(c, r->obj);
	int64_t *pages = ledger_number(c, &memcg->stocks, (uint64_t)r->arg[1]);
	int64_t n = r->kind == TR_STOCK_REFILL ? r->arg[0] : -r->arg[0];

	*pages += n;
	memcg->stock_pages += n;
	if (*pages < 0)
		checker_violation(c, r, r->obj,
				  "stock overdrawn: %s takes %" PRId64 " pages of cpu %" PRId64
				  ", which kept %" PRId64,
				  trace_kinds[r->kind].name, r->arg[0], r->arg[1], *pages - n);
	if (*pages == 0)
		table_del(&memcg->stocks, (uint64_t)r->arg[1]);
}

/* ---- bytes -------------------------------------------------------------------- */

static struct objcg *objcg_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;
	struct objcg *objcg = ledger_number(c, &led->objcgs, oid_nr(id));

	if (!objcg->id) {
		objcg->id = id;
		list_add_tail(&objcg->node, &led->all_objcgs);
	}
	return objcg;
}

static void on_objcg_charge(struct checker *c, const struct trace_record *r)
{
	if (r->arg[2] == 0)
		objcg_of(c, r->obj)->pages += r->arg[1];
}

static void on_objcg_uncharge(struct checker *c, const struct trace_record *r)
{
	struct objcg *objcg = objcg_of(c, r->obj);

	objcg->pages -= r->arg[1];
	if (r->arg[2])
		objcg->left -= r->arg[1] * PAGE_BYTES;
	if (objcg->pages < 0)
		checker_violation(c, r, r->obj,
				  "uncharged %" PRId64 " pages more than were charged",
				  -objcg->pages);
}

static void on_objcg_reparent(struct checker *c, const struct trace_record *r)
{
	objcg_of(c, r->obj)->owner = arg_oid(r, 1);
}

static struct obj_stock *obj_stock_of(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	return ledger_number(c, &led->obj_stocks, (uint64_t)r->arg[1]);
}

static void on_obj_refill(struct checker *c, const struct trace_record *r)
{
	struct objcg *objcg = objcg_of(c, r->obj);
	struct obj_stock *stock = obj_stock_of(c, r);

	if (stock->objcg != r->obj && stock->bytes)
		checker_violation(c, r, r->obj,
				  "bytes lost: cpu %" PRId64 " kept %" PRId64 " bytes of %s",
				  r->arg[1], stock->bytes, oid_str(stock->objcg).s);
	if (stock->objcg != r->obj)
		*stock = (struct obj_stock){.objcg = r->obj};
	stock->bytes += r->arg[0] + r->arg[2];
	objcg->stocks += r->arg[0] + r->arg[2];
	objcg->left -= r->arg[2];
}

static void on_obj_consume(struct checker *c, const struct trace_record *r)
{
	struct obj_stock *stock = obj_stock_of(c, r);

	if (stock->objcg != r->obj || stock->bytes < r->arg[0])
		checker_violation(c, r, r->obj,
				  "stock overdrawn: %" PRId64 " bytes of cpu %" PRId64
				  ", which kept %" PRId64 " of %s",
				  r->arg[0], r->arg[1], stock->bytes, oid_str(stock->objcg).s);
	stock->bytes -= r->arg[0];
	objcg_of(c, r->obj)->stocks -= r->arg[0];
}

static void on_obj_drain(struct checker *c, const struct trace_record *r)
{
	struct objcg *objcg = objcg_of(c, r->obj);
	struct obj_stock *stock = obj_stock_of(c, r);
	int64_t bytes = r->arg[0] + r->arg[2] * PAGE_BYTES + r->arg[3];

	if (stock->objcg != r->obj || stock->bytes != bytes)
		checker_violation(c, r, r->obj,
				  "stock drained of %" PRId64 " bytes: cpu %" PRId64
				  " kept %" PRId64 " of %s",
				  bytes, r->arg[1], stock->bytes, oid_str(stock->objcg).s);
	objcg->stocks -= stock->bytes - r->arg[3];
	objcg->left += r->arg[0];
	stock->bytes = r->arg[3];
}

static void on_bytes(struct checker *c, const struct trace_record *r)
{
	int64_t n = r->kind == TR_BYTES_CHARGE ? r->arg[1] : -r->arg[1];

	objcg_of(c, arg_oid(r, 0))->objects += n;
}

static void free_objcg(struct checker *c, const struct trace_record *r)
{
	struct objcg *objcg = objcg_of(c, r->obj);

	objcg->freed = true;
	if (objcg->pages)
		checker_violation(c, r, r->obj, "freed while %" PRId64 " pages are charged to it",
				  objcg->pages);
}

static void conserve_bytes(struct checker *c, const struct trace_record *last,
			   const struct objcg *objcg)
{
	if (!objcg->freed &&
	    objcg->pages * PAGE_BYTES != objcg->objects + objcg->stocks + objcg->left)
		checker_violation(c, last, objcg->id,
				  "%" PRId64 " pages are charged, but objects have %" PRId64
				  " bytes, stocks %" PRId64 ", and %" PRId64 " are left over",
				  objcg->pages, objcg->objects, objcg->stocks, objcg->left);
}

/* ---- memcgs ------------------------------------------------------------------- */

static void on_user_charge(struct checker *c, const struct trace_record *r)
{
	memcg_of(c, r->obj)->user_pages += r->arg[1] == 0 ? r->arg[0] : 0;
}

static void on_user_reparent(struct checker *c, const struct trace_record *r)
{
	memcg_of(c, r->obj)->user_pages -= r->arg[0];
	memcg_of(c, arg_oid(r, 1))->user_pages += r->arg[0];
}

static void on_user_uncharge(struct checker *c, const struct trace_record *r)
{
	memcg_of(c, r->obj)->user_pages -= r->arg[0];
}

static void on_new(struct checker *c, const struct trace_record *r)
{
	if (oid_kind(r->obj) == OBJ_MEMCG)
		memcg_of(c, r->obj)->parent = arg_oid(r, 0);
	else if (oid_kind(r->obj) == OBJ_OBJCG)
		objcg_of(c, r->obj)->owner = arg_oid(r, 0);
}

static void on_online(struct checker *c, const struct trace_record *r)
{
	struct memcg *memcg = memcg_of(c, r->obj);

	memcg->online = true;
	memcg->online_seq = r->seq;
}

/* Killed or offline. */
static void on_offline(struct checker *c, const struct trace_record *r)
{
	if (oid_kind(r->obj) == OBJ_MEMCG)
		memcg_of(c, r->obj)->online = false;
}

static void on_free(struct checker *c, const struct trace_record *r)
{
	struct memcg *memcg;

	switch (oid_kind(r->obj)) {
	case OBJ_MEMCG:
		memcg = memcg_of(c, r->obj);
		memcg->freed = true;
		memcg->online = false;
		if (memcg->swap_pages)
			checker_violation(c, r, r->obj,
					  "freed while %" PRId64 " pages in swap are charged to it",
					  memcg->swap_pages)
				->related[0] = memcg->swap.last;
		break;
	case OBJ_SLAB:
		free_slab(c, r);
		break;
	case OBJ_OBJCG:
		free_objcg(c, r);
		break;
	default:
		break;
	}
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	table_init(&led->objcgs, c->set->arena, sizeof(struct objcg));
	list_init(&led->all_objcgs);
	table_init(&led->obj_stocks, c->set->arena, sizeof(struct obj_stock));
	table_init(&led->memcgs, c->set->arena, sizeof(struct memcg));
	list_init(&led->all);
	table_init(&led->slabs, c->set->arena, sizeof(struct slab));
	table_init(&led->swaps, c->set->arena, sizeof(struct swap));
	map_init(&led->others, c->set->arena, sizeof(struct counter));
}

/* ---- conservation --------------------------------------------------------------- */

/* Adds what every memcg has to itself and its ancestors. */
static void sum_subtrees(const struct checker *c)
{
	const struct ledger *led = c->ledger;

	list_for_each(node, &led->all) {
		struct memcg *own = container_of(node, struct memcg, node), *up = own;

		if (!own->slab_pages && !own->user_pages && !own->stock_pages && !own->swap_pages)
			continue;
		while (up) {
			up->below_slab += own->slab_pages;
			up->below_user += own->user_pages;
			up->below_stock += own->stock_pages;
			up->below_swap += own->swap_pages;
			up = up->parent ? find_memcg(c, up->parent) : NULL;
		}
	}
}

static void sum_objcgs(const struct checker *c)
{
	const struct ledger *led = c->ledger;

	list_for_each(node, &led->all_objcgs) {
		const struct objcg *objcg = container_of(node, struct objcg, node);
		struct memcg *up = objcg->pages ? find_memcg(c, objcg->owner) : NULL;

		for (; up; up = up->parent ? find_memcg(c, up->parent) : NULL)
			up->below_slab += objcg->pages;
	}
}

static void conserve(struct checker *c, const struct trace_record *last, const struct memcg *memcg)
{
	const struct counter *memory = &memcg->memory, *kmem = &memcg->kmem;
	int64_t pages = memcg->below_slab + memcg->below_user + memcg->below_stock;

	if (memory->usage != pages)
		checker_violation(
			c, last, memcg->id,
			"memory usage %" PRId64 " at the end, but %" PRId64 " slab pages, %" PRId64
			" user pages and %" PRId64 " stocked pages are charged below",
			memory->usage, memcg->below_slab, memcg->below_user, memcg->below_stock)
			->related[0] = memory->last;
	if (kmem->last && kmem->usage != memcg->below_slab)
		checker_violation(c, last, memcg->id,
				  "kmem usage %" PRId64 " at the end, but %" PRId64
				  " slab pages are charged below",
				  kmem->usage, memcg->below_slab)
			->related[0] = kmem->last;
	if (memcg->swap.usage != memcg->below_swap)
		checker_violation(c, last, memcg->id,
				  "swap usage %" PRId64 " at the end, but %" PRId64
				  " pages in swap are charged below",
				  memcg->swap.usage, memcg->below_swap)
			->related[0] = memcg->swap.last;
}

static void on_end(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;

	sum_subtrees(c);
	sum_objcgs(c);
	list_for_each(node, &led->all_objcgs)
		conserve_bytes(c, last, container_of(node, struct objcg, node));
	list_for_each(node, &led->all) {
		struct memcg *memcg = container_of(node, struct memcg, node);

		if (memcg->online && memcg->parent)
			conserve(c, last, memcg);
		/* The run may go on and come to rest again. */
		memcg->below_slab = 0;
		memcg->below_user = 0;
		memcg->below_stock = 0;
		memcg->below_swap = 0;
	}
}

static const struct record_handler handlers[] = {
	{TR_COUNTER_CHARGE, on_counter},
	{TR_COUNTER_UNCHARGE, on_counter},
	{TR_SLAB_CHARGE, on_slab_charge},
	{TR_SLAB_UNCHARGE, on_slab_uncharge},
	{TR_STOCK_REFILL, on_stock},
	{TR_STOCK_CONSUME, on_stock},
	{TR_STOCK_DRAIN, on_stock},
	{TR_USER_CHARGE, on_user_charge},
	{TR_USER_UNCHARGE, on_user_uncharge},
	{TR_USER_REPARENT, on_user_reparent},
	{TR_OBJCG_CHARGE, on_objcg_charge},
	{TR_OBJCG_UNCHARGE, on_objcg_uncharge},
	{TR_OBJCG_REPARENT, on_objcg_reparent},
	{TR_OBJ_STOCK_REFILL, on_obj_refill},
	{TR_OBJ_STOCK_CONSUME, on_obj_consume},
	{TR_OBJ_STOCK_DRAIN, on_obj_drain},
	{TR_BYTES_CHARGE, on_bytes},
	{TR_BYTES_UNCHARGE, on_bytes},
	{TR_SWAP_CHARGE, on_swap_charge},
	{TR_SWAP_UNCHARGE, on_swap_uncharge},
	{TR_OBJ_NEW, on_new},
	{TR_OBJ_FREE, on_free},
	{TR_CSS_ONLINE, on_online},
	{TR_CSS_KILLED, on_offline},
	{TR_CSS_OFFLINE, on_offline},
	{TR_REF_KILL, on_offline},
	{0, NULL},
};

const struct checker_ops check_charge = {
	.name = "charge",
	.claim = "the usage of every online memcg equals the pages charged below it, "
		 "and no byte of them is lost",
	.source = "page_counter and memcg charging; reparenting: fb2f2b0adb98",
	.handlers = handlers,
	.ledger_size = sizeof(struct ledger),
	.init = init,
	.on_end = on_end,
};
