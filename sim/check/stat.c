// SPDX-License-Identifier: GPL-2.0-only
/*
 * stat: what is counted for memory.stat is neither lost nor counted twice.
 *
 * A change is counted in a cell of a CPU, goes from there to the memcg's total, and in
 * some forms on to its parent, level by level.  Each station must have what came in less
 * what went on; a memcg that is freed must have handed everything up, or have nothing.
 * In the end, what was counted below an online memcg is what is charged below it.
 *
 * Charges are taken from their own records.  An item belongs to the memcg that it was
 * charged to, wherever it is uncharged later: to a memcg above both that is the same.
 * The root memcg is left out: not all that it has is counted.
 */

#include <inttypes.h>

#include "sim/base/list.h"
#include "sim/check/ledger.h"

#define NR_ITEMS 2
enum { ITEM_USER, ITEM_SLAB };

static const char *const item_names[NR_ITEMS] = {"user", "slab"};

struct amount {
	int64_t added;			  /* by CPUs, for this memcg */
	int64_t cells;			  /* of it, still with them */
	int64_t total;			  /* counted at this level */
	int64_t came;			  /* from children */
	int64_t passed;			  /* to the parent */
	int64_t waits;			  /* rstat: handed up, and not in the total yet */
	int64_t truth;			  /* what records of charges say */
	int64_t below_added, below_truth; /* of the subtree; on_end() only */
	uint64_t last;
};

struct memcg {
	oid_t id; /* 0 until it is on the list of all */
	struct list node;
	oid_t parent;
	bool online, freed;
	struct amount items[NR_ITEMS];
};

/* Something charged: a slab page, or an object where those are charged one by one. */
struct charged {
	oid_t memcg;
	int64_t n;
};

struct ledger {
	bool counting; /* from set-up on, or never */
	struct table memcgs;
	struct list all;
	struct map cells; /* by (memcg, cpu and item): int64_t */
	struct table slabs, objects;
	struct table owners; /* of objcgs: oid_t of a memcg */
};

static struct memcg *memcg_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;
	struct memcg *memcg = ledger_number(c, &led->memcgs, oid_nr(id));

	if (!memcg->id) {
		memcg->id = id;
		list_add_tail(&memcg->node, &led->all);
	}
	return memcg;
}

static struct memcg *parent_of(struct checker *c, const struct memcg *memcg)
{
	return memcg->parent ? memcg_of(c, memcg->parent) : NULL;
}

static struct amount *amount_of(struct checker *c, const struct trace_record *r)
{
	return &memcg_of(c, r->obj)->items[r->arg[0] == ITEM_SLAB];
}

static int64_t *cell_of(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	return ledger_entry(c, &led->cells, r->obj, (uint64_t)(r->arg[2] * NR_ITEMS + r->arg[0]));
}

/* @have came out of the records, the model says @says. */
static void compare(struct checker *c, const struct trace_record *r, const char *what, int64_t have,
		    int64_t says, uint64_t last)
{
	if (have != says)
		checker_violation(c, r, r->obj,
				  "%s of %s miscounts: %" PRId64 ", but what it was told makes "
				  "%" PRId64,
				  what, item_names[r->arg[0] == ITEM_SLAB], says, have)
			->related[0] = last;
}

/* ---- stations ------------------------------------------------------------------ */

static void on_add(struct checker *c, const struct trace_record *r)
{
	struct amount *a = amount_of(c, r);
	int64_t *cell = cell_of(c, r);

	*cell += r->arg[1];
	a->added += r->arg[1];
	a->cells += r->arg[1];
	compare(c, r, "a CPU's cell", *cell, r->arg[3], a->last);
	/* Told once: it is off by as much for ever. */
	a->cells += r->arg[3] - *cell;
	*cell = r->arg[3];
	a->last = r->seq;
}

static void on_take(struct checker *c, const struct trace_record *r)
{
	struct amount *a = amount_of(c, r);
	int64_t *cell = cell_of(c, r);

	*cell -= r->arg[1];
	a->cells -= r->arg[1];
	compare(c, r, "a CPU's cell", *cell, r->arg[3], a->last);
	*cell = r->arg[3];
}

/* From a child, which has then passed it on. */
static void hand_up(struct checker *c, const struct trace_record *r, struct amount *a)
{
	memcg_of(c, arg_oid(r, 2))->items[r->arg[0] == ITEM_SLAB].passed += r->arg[1];
	a->came += r->arg[1];
}

static void on_count(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct amount *a = amount_of(c, r);

	led->counting = true;
	a->total += r->arg[1];
	compare(c, r, "the total", a->total, r->arg[3], a->last);
	a->total = r->arg[3];
	a->last = r->seq;
	if (arg_oid(r, 2) != r->obj)
		hand_up(c, r, a);
	else
		a->waits = 0;
}

static void on_pass(struct checker *c, const struct trace_record *r)
{
	struct amount *a = amount_of(c, r);

	hand_up(c, r, a);
	a->waits += r->arg[1];
	compare(c, r, "what children handed up", a->waits, r->arg[3], a->last);
	a->waits = r->arg[3];
}

/* ---- the truth ----------------------------------------------------------------- */

static void charge(struct checker *c, oid_t memcg, int item, int64_t n)
{
	const struct ledger *led = c->ledger;

	if (memcg && led->counting)
		memcg_of(c, memcg)->items[item].truth += n;
}

static void on_user_charge(struct checker *c, const struct trace_record *r)
{
	if (r->arg[1] == 0)
		charge(c, r->obj, ITEM_USER, r->arg[0]);
}

static void on_user_uncharge(struct checker *c, const struct trace_record *r)
{
	charge(c, r->obj, ITEM_USER, -r->arg[0]);
}

static void on_slab_charge(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct charged *slab;

	if (r->arg[3] != 0 || !led->counting)
		return;
	slab = ledger_number(c, &led->slabs, oid_nr(r->obj));
	*slab = (struct charged){arg_oid(r, 1), r->arg[2]};
	charge(c, slab->memcg, ITEM_SLAB, slab->n);
}

static void on_slab_uncharge(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	const struct charged *slab = table_find(&led->slabs, oid_nr(r->obj));

	if (!slab)
		return;
	charge(c, slab->memcg, ITEM_SLAB, -slab->n);
	table_del(&led->slabs, oid_nr(r->obj));
}

static void on_bytes_charge(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	const oid_t *owner = table_find(&led->owners, oid_nr(arg_oid(r, 0)));
	struct charged *obj;

	/* The memory of memcgs themselves is charged in bytes, too, and is not slab. */
	if (!led->counting || oid_kind(r->obj) != OBJ_OBJ)
		return;
	obj = ledger_number(c, &led->objects, oid_nr(r->obj));
	*obj = (struct charged){owner ? *owner : 0, r->arg[1]};
	charge(c, obj->memcg, ITEM_SLAB, obj->n);
}

static void on_bytes_uncharge(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	const struct charged *obj = table_find(&led->objects, oid_nr(r->obj));

	if (!obj || oid_kind(r->obj) != OBJ_OBJ)
		return;
	charge(c, obj->memcg, ITEM_SLAB, -obj->n);
	table_del(&led->objects, oid_nr(r->obj));
}

static void set_owner(struct checker *c, oid_t objcg, oid_t memcg)
{
	struct ledger *led = c->ledger;
	oid_t *owner = ledger_number(c, &led->owners, oid_nr(objcg));

	*owner = memcg;
}

static void on_objcg_reparent(struct checker *c, const struct trace_record *r)
{
	set_owner(c, r->obj, arg_oid(r, 1));
}

/* ---- memcgs -------------------------------------------------------------------- */

static void on_new(struct checker *c, const struct trace_record *r)
{
	if (oid_kind(r->obj) == OBJ_MEMCG)
		memcg_of(c, r->obj)->parent = arg_oid(r, 0);
	else if (oid_kind(r->obj) == OBJ_OBJCG)
		set_owner(c, r->obj, arg_oid(r, 0));
}

static void on_online(struct checker *c, const struct trace_record *r)
{
	memcg_of(c, r->obj)->online = true;
}

static void on_offline(struct checker *c, const struct trace_record *r)
{
	if (oid_kind(r->obj) == OBJ_MEMCG)
		memcg_of(c, r->obj)->online = false;
}

static void on_free(struct checker *c, const struct trace_record *r)
{
	struct memcg *memcg;

	if (oid_kind(r->obj) != OBJ_MEMCG)
		return;
	memcg = memcg_of(c, r->obj);
	memcg->freed = true;
	memcg->online = false;
	for (int i = 0; i < NR_ITEMS; i++) {
		const struct amount *a = &memcg->items[i];
		int64_t lost = a->added + a->came - a->passed;

		if (lost)
			checker_violation(c, r, r->obj,
					  "freed with %" PRId64 " of %s that its parent was never "
					  "told: counted %" PRId64 ", from children %" PRId64
					  ", handed up %" PRId64,
					  lost, item_names[i], a->added, a->came, a->passed)
				->related[0] = a->last;
	}
}

/* ---- conservation -------------------------------------------------------------- */

static void sum_subtrees(struct checker *c)
{
	struct ledger *led = c->ledger;

	list_for_each(node, &led->all) {
		const struct memcg *own = container_of(node, struct memcg, node);

		for (struct memcg *up = memcg_of(c, own->id); up; up = parent_of(c, up)) {
			for (int i = 0; i < NR_ITEMS; i++) {
				up->items[i].below_added += own->items[i].added;
				up->items[i].below_truth += own->items[i].truth;
			}
		}
	}
}

static void conserve(struct checker *c, const struct trace_record *last, const struct memcg *memcg,
		     int i)
{
	const struct amount *a = &memcg->items[i];

	if (a->below_added != a->below_truth)
		checker_violation(c, last, memcg->id,
				  "%" PRId64 " of %s were counted below, but %" PRId64
				  " are charged there",
				  a->below_added, item_names[i], a->below_truth)
			->related[0] = a->last;
	if (a->cells + a->total + a->waits != a->added + a->came)
		checker_violation(c, last, memcg->id,
				  "%s: the total has %" PRId64 ", CPUs %" PRId64 " and %" PRId64
				  " wait, but %" PRId64 " were counted",
				  item_names[i], a->total, a->cells, a->waits, a->added + a->came)
			->related[0] = a->last;
}

static void on_end(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;

	if (!led->counting)
		return;
	sum_subtrees(c);
	list_for_each(node, &led->all) {
		struct memcg *memcg = container_of(node, struct memcg, node);

		for (int i = 0; i < NR_ITEMS; i++) {
			if (memcg->online && memcg->parent)
				conserve(c, last, memcg, i);
			/* The run may go on and come to rest again. */
			memcg->items[i].below_added = 0;
			memcg->items[i].below_truth = 0;
		}
	}
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	table_init(&led->memcgs, c->set->arena, sizeof(struct memcg));
	list_init(&led->all);
	map_init(&led->cells, c->set->arena, sizeof(int64_t));
	table_init(&led->slabs, c->set->arena, sizeof(struct charged));
	table_init(&led->objects, c->set->arena, sizeof(struct charged));
	table_init(&led->owners, c->set->arena, sizeof(oid_t));
}

static const struct record_handler handlers[] = {
	{TR_STAT_ADD, on_add},
	{TR_STAT_TAKE, on_take},
	{TR_STAT_COUNT, on_count},
	{TR_STAT_PASS, on_pass},
	{TR_USER_CHARGE, on_user_charge},
	{TR_USER_UNCHARGE, on_user_uncharge},
	{TR_SLAB_CHARGE, on_slab_charge},
	{TR_SLAB_UNCHARGE, on_slab_uncharge},
	{TR_BYTES_CHARGE, on_bytes_charge},
	{TR_BYTES_UNCHARGE, on_bytes_uncharge},
	{TR_OBJCG_REPARENT, on_objcg_reparent},
	{TR_OBJ_NEW, on_new},
	{TR_OBJ_FREE, on_free},
	{TR_CSS_ONLINE, on_online},
	{TR_CSS_KILLED, on_offline},
	{TR_CSS_OFFLINE, on_offline},
	{TR_REF_KILL, on_offline},
	{0, NULL},
};

const struct checker_ops check_stat = {
	.name = "stat",
	.claim =
		"what is counted for memory.stat adds up at every level, and nothing of it is lost "
		"with a memcg",
	.source = "memcg statistics: c350a99ea2b1",
	.handlers = handlers,
	.ledger_size = sizeof(struct ledger),
	.init = init,
	.on_end = on_end,
};
