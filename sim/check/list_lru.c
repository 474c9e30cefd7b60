// SPDX-License-Identifier: GPL-2.0-only
/*
 * list-lru: an item is on the list of whoever pays for it, and reclaim can find that list.
 *
 * The ledger follows who pays from the allocation itself: by the cache that an object came
 * from, or by the objcg that its bytes went to.  Where the item ought to be follows from
 * that and from which memcgs have given up their index; the model's own look-up is not
 * asked.  While a memcg goes offline its items may be on the wrong list for a moment, and
 * the counters of two lists wrong by as much as each other, so lists are compared when
 * nothing is left to happen.  How many items there are in all is compared each time.
 *
 * Items that are moved together are a group: the group knows the list.
 */

#include <inttypes.h>

#include "sim/base/list.h"
#include "sim/check/ledger.h"

struct memcg {
	oid_t id, parent;
	struct unit *units; /* newest first */
	int64_t index;	    /* 0: none */
	uint64_t gone_seq;  /* when it gave up its index */
};

struct lru_list;

struct group {
	struct group *into; /* moved there, or NULL */
	struct lru_list *list;
	int64_t nr_items;
};

struct lru_list {
	oid_t id; /* 0 until it is on the list of all */
	struct list node;
	oid_t lru;
	int64_t index, counter;
	struct group *group;
	uint64_t changed_seq; /* of the last record that put an item there or took one off */
	uint64_t left_seq;    /* when all went to another list, or never */
	uint64_t moved_seq;   /* when items last came from another list, or none did */
	bool published;	      /* made for one memcg, else for whoever gets the index */
	bool freed;
};

#define COUNTS_MAX 4

/* Somebody counts: how many there were at least and at most since he began. */
struct counting {
	oid_t task;
	int64_t low, high;
	uint64_t began_seq;
};

struct lru {
	int64_t nr_items, shrinker_nr;
	uint64_t moved_seq; /* when items last went from one of its lists to another */
	struct counting counts[COUNTS_MAX];
	bool aware, freed;
};

struct item {
	oid_t id; /* 0 until it is on the list of all */
	struct list node;
	oid_t lru;
	struct group *group; /* NULL: on no list */
	uint64_t seq;	     /* of the record that put it there */
};

/* Bits @first to @first + @nr - 1 of a memcg; values by (unit, number). */
struct unit {
	struct unit *older;
	oid_t id;
	int64_t first, nr, nr_set;
};

struct ledger {
	struct table memcgs, caches, objcgs, lists, lrus, items;
	struct table payers;   /* of objects: oid_t of the memcg */
	struct map holders;    /* by index: oid_t of the memcg that has it */
	struct map by_index;   /* by (lru, index): oid_t of the list */
	struct map bits;       /* by (unit, number): struct bit */
	struct list all_lists; /* in the order in which they came */
	struct list all_items; /* those on a list */
	uint32_t nr_offlining; /* memcgs that may have handed on their index and not their items */
	bool any;	       /* list_lru: else nobody's payer matters */
};

struct bit {
	uint64_t seq;
	bool set;
};

static struct memcg *memcg_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;
	struct memcg *memcg = ledger_number(c, &led->memcgs, oid_nr(id));

	memcg->id = id;
	return memcg;
}

static struct lru *lru_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;

	return ledger_number(c, &led->lrus, oid_nr(id));
}

static struct group *group_new(struct checker *c, struct lru_list *l)
{
	struct group *g = ledger_alloc(c, sizeof(*g));

	g->list = l;
	return g;
}

static struct lru_list *list_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;
	struct lru_list *l = ledger_number(c, &led->lists, oid_nr(id));

	if (!l->id) {
		l->id = id;
		l->group = group_new(c, l);
		list_add_tail(&l->node, &led->all_lists);
	}
	return l;
}

static struct group *group_of(struct item *item)
{
	struct group *g = item->group;

	while (g && g->into)
		g = g->into;
	/* The next one finds it at once. */
	item->group = g;
	return g;
}

/* ---- who pays ---------------------------------------- */

static void on_new(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	if (oid_kind(r->obj) == OBJ_MEMCG)
		memcg_of(c, r->obj)->parent = arg_oid(r, 0);
	else if (oid_kind(r->obj) == OBJ_OBJCG)
		*(oid_t *)ledger_number(c, &led->objcgs, oid_nr(r->obj)) = arg_oid(r, 0);
}

static void on_cache_create(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	if (r->arg[1])
		*(oid_t *)ledger_number(c, &led->caches, oid_nr(r->obj)) = arg_oid(r, 1);
}

static void set_payer(struct checker *c, oid_t obj, oid_t memcg)
{
	struct ledger *led = c->ledger;

	*(oid_t *)ledger_number(c, &led->payers, oid_nr(obj)) = memcg;
}

static void on_object_alloc(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	const oid_t *memcg = table_find(&led->caches, oid_nr(arg_oid(r, 0)));

	if (r->obj && memcg && led->any)
		set_payer(c, r->obj, *memcg);
}

static void on_bytes_charge(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	const oid_t *memcg = table_find(&led->objcgs, oid_nr(arg_oid(r, 0)));

	if (oid_kind(r->obj) == OBJ_OBJ && memcg && led->any)
		set_payer(c, r->obj, *memcg);
}

static void on_object_free(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct item *item;

	if (!led->any)
		return;
	item = table_find(&led->items, oid_nr(r->obj));
	if (item && group_of(item))
		checker_violation(c, r, r->obj, "freed on a list: %s is on %s", oid_str(r->obj).s,
				  oid_str(group_of(item)->list->id).s)
			->related[0] = item->seq;
	table_del(&led->payers, oid_nr(r->obj));
}

/* ---- indexes ---------------------------------------- */

/* Nobody may be given an index whose lists still have somebody else's items. */
static void expect_empty(struct checker *c, const struct trace_record *r, int64_t index)
{
	struct ledger *led = c->ledger;
	uint64_t pos = 0;
	struct lru *lru;

	while ((lru = table_next(&led->lrus, &pos)) != NULL) {
		const oid_t *id = map_find(&led->by_index, pos - 1, (uint64_t)index);
		const struct lru_list *l = id && !lru->freed ? list_of(c, *id) : NULL;

		if (!l || l->freed || l->group->nr_items == 0)
			continue;
		checker_violation(c, r, r->obj,
				  "index reused: %s gets %" PRId64 ", and %s has %" PRId64
				  " items of who had it before",
				  oid_str(r->obj).s, index, oid_str(l->id).s, l->group->nr_items)
			->related[0] = l->changed_seq;
	}
}

static void on_online(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	if (r->arg[1] < 0)
		return;
	expect_empty(c, r, r->arg[1]);
	memcg_of(c, r->obj)->index = r->arg[1] + 1;
	*(oid_t *)ledger_entry(c, &led->holders, (uint64_t)r->arg[1], 0) = r->obj;
}

static void on_index_free(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	memcg_of(c, r->obj)->gone_seq = r->seq;
	map_del(&led->holders, (uint64_t)r->arg[0], 0);
}

/* Whose list what @payer pays for belongs on: 0 for the root's. */
static oid_t heir_of(struct checker *c, oid_t payer)
{
	while (payer) {
		const struct memcg *memcg = memcg_of(c, payer);

		if (!memcg->gone_seq)
			return memcg->index ? payer : 0;
		payer = memcg->parent;
	}
	return 0;
}

/* Who has the index of @l: 0 for the root's list. */
static oid_t holder_of(const struct checker *c, const struct lru_list *l)
{
	const struct ledger *led = c->ledger;
	const oid_t *memcg = l->index < 0 ? NULL : map_find(&led->holders, (uint64_t)l->index, 0);

	return memcg ? *memcg : 0;
}

/* ---- lists ---------------------------------------- */

static void on_lru_new(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct lru *lru = lru_of(c, r->obj);

	led->any = true;
	lru->aware = r->arg[0];
	lru->shrinker_nr = r->arg[1];
}

static void on_list_new(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct lru_list *l = list_of(c, r->obj);

	l->lru = arg_oid(r, 0);
	l->index = r->arg[1];
	l->changed_seq = r->seq;
	if (l->index >= 0)
		*(oid_t *)ledger_entry(c, &led->by_index, oid_nr(l->lru), (uint64_t)l->index) =
			l->id;
}

static void on_publish(struct checker *c, const struct trace_record *r)
{
	if (oid_kind(r->obj) == OBJ_LRU_LIST)
		list_of(c, r->obj)->published = true;
}

static void on_free(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct lru_list *l;

	if (oid_kind(r->obj) == OBJ_LRU)
		lru_of(c, r->obj)->freed = true;
	l = oid_kind(r->obj) == OBJ_LRU_LIST ? table_find(&led->lists, oid_nr(r->obj)) : NULL;
	if (!l)
		return;
	if (l->group->nr_items > 0)
		checker_violation(c, r, r->obj, "list lost: %s is freed with %" PRId64 " items",
				  oid_str(r->obj).s, l->group->nr_items)
			->related[0] = l->changed_seq;
	l->freed = true;
}

/* ---- items ---------------------------------------- */

static struct item *item_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;
	struct item *item = ledger_number(c, &led->items, oid_nr(id));

	if (!item->id) {
		item->id = id;
		list_init(&item->node);
	}
	return item;
}

/* @lru has @n items more: those who count may have seen them or not. */
static void count(struct checker *c, const struct trace_record *r, struct lru *lru, int n)
{
	lru->nr_items += n;
	for (int i = 0; i < COUNTS_MAX; i++) {
		struct counting *counting = &lru->counts[i];

		if (lru->nr_items < counting->low)
			counting->low = lru->nr_items;
		if (lru->nr_items > counting->high)
			counting->high = lru->nr_items;
	}
	if (lru->nr_items != r->arg[3])
		checker_violation(c, r, arg_oid(r, 0),
				  "total is wrong: %s says %" PRId64 " items and has %" PRId64,
				  oid_str(arg_oid(r, 0)).s, r->arg[3], lru->nr_items);
	lru->nr_items = r->arg[3];
}

static void on_offline(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	(void)r;
	led->nr_offlining++;
}

static void on_offline_end(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	(void)r;
	if (led->nr_offlining > 0)
		led->nr_offlining--;
}

static void check_counter(struct checker *c, const struct trace_record *r, const struct lru_list *l)
{
	if (l->counter != l->group->nr_items)
		checker_violation(c, r, l->id,
				  "counter is wrong: %s says %" PRId64 " items and has %" PRId64,
				  oid_str(l->id).s, l->counter, l->group->nr_items)
			->related[0] = l->changed_seq;
}

/* Right after somebody has changed @l, and nobody is just going offline. */
static void check_if_quiet(struct checker *c, const struct trace_record *r,
			   const struct lru_list *l)
{
	const struct ledger *led = c->ledger;

	if (led->nr_offlining == 0)
		check_counter(c, r, l);
}

static void on_add(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct item *item = item_of(c, r->obj);
	struct lru_list *l = list_of(c, arg_oid(r, 1));

	if (group_of(item)) {
		checker_violation(c, r, r->obj, "added twice: %s is on %s", oid_str(r->obj).s,
				  oid_str(group_of(item)->list->id).s)
			->related[0] = item->seq;
		return;
	}
	item->lru = arg_oid(r, 0);
	item->group = l->group;
	item->seq = r->seq;
	l->group->nr_items++;
	l->counter = r->arg[2];
	l->changed_seq = r->seq;
	list_add_tail(&item->node, &led->all_items);
	count(c, r, lru_of(c, arg_oid(r, 0)), 1);
	check_if_quiet(c, r, l);
}

static void on_del(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct item *item = item_of(c, r->obj);
	struct lru_list *l = list_of(c, arg_oid(r, 1));
	struct group *g = group_of(item);

	l->counter = r->arg[2];
	l->changed_seq = r->seq;
	count(c, r, lru_of(c, arg_oid(r, 0)), -1);
	if (!g) {
		checker_violation(c, r, r->obj, "not on a list: %s is taken off %s",
				  oid_str(r->obj).s, oid_str(l->id).s);
		return;
	}
	g->nr_items--;
	list_del(&item->node);
	table_del(&led->items, oid_nr(r->obj));
	check_if_quiet(c, r, l);
}

static void on_move(struct checker *c, const struct trace_record *r)
{
	struct lru_list *from = list_of(c, r->obj), *to = list_of(c, arg_oid(r, 1));
	struct group *g = from->group;

	g->into = to->group;
	to->group->nr_items += g->nr_items;
	from->group = group_new(c, from);
	from->counter = 0;
	to->counter = r->arg[3];
	from->changed_seq = from->left_seq = r->seq;
	lru_of(c, arg_oid(r, 0))->moved_seq = r->seq;
	to->moved_seq = r->seq;
}

/* ---- counting ---------------------------------------- */

static void miscounted(struct checker *c, const struct trace_record *r, const struct lru *lru,
		       const struct counting *counting)
{
	struct violation *v =
		checker_violation(c, r, r->obj,
				  "miscounted: %" PRId64 " items of %s, which had %" PRId64
				  " to %" PRId64 " meanwhile",
				  r->arg[0], oid_str(r->obj).s, counting->low, counting->high);

	v->related[0] = counting->began_seq;
	if (lru->moved_seq > counting->began_seq)
		v->related[1] = lru->moved_seq;
}

static void on_count(struct checker *c, const struct trace_record *r)
{
	struct lru *lru = lru_of(c, r->obj);
	oid_t task = task_oid(r);

	for (int i = 0; i < COUNTS_MAX; i++) {
		struct counting *counting = &lru->counts[i];

		if (!r->arg[1] && !counting->task) {
			*counting = (struct counting){task, lru->nr_items, lru->nr_items, r->seq};
			return;
		}
		if (!r->arg[1] || counting->task != task)
			continue;
		counting->task = 0;
		if (r->arg[0] < counting->low || r->arg[0] > counting->high)
			miscounted(c, r, lru, counting);
		return;
	}
}

/* ---- bits ---------------------------------------- */

static void on_map_new(struct checker *c, const struct trace_record *r)
{
	struct memcg *memcg = memcg_of(c, arg_oid(r, 0));
	struct unit *unit = ledger_alloc(c, sizeof(*unit));

	*unit = (struct unit){memcg->units, r->obj, r->arg[1], r->arg[2], r->arg[3]};
	memcg->units = unit;
}

static void on_bit(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct bit *bit = ledger_entry(c, &led->bits, oid_nr(r->obj), (uint64_t)r->arg[1]);

	bit->seq = r->seq;
	bit->set = r->arg[2];
}

/* Is bit @nr set in the map that @memcg has now?  *@seq: who said so last. */
static bool bit_is_set(const struct checker *c, const struct memcg *memcg, int64_t nr,
		       uint64_t *seq)
{
	const struct ledger *led = c->ledger;

	for (const struct unit *unit = memcg->units; unit; unit = unit->older) {
		const struct bit *bit;

		if (nr < unit->first || nr >= unit->first + unit->nr)
			continue;
		bit = map_find(&led->bits, oid_nr(unit->id), (uint64_t)nr);
		*seq = bit ? bit->seq : 0;
		return bit ? bit->set : nr < unit->first + unit->nr_set;
	}
	return false;
}

/* ---- at the end ---------------------------------------- */

static void check_bit(struct checker *c, const struct trace_record *last, const struct lru_list *l)
{
	const struct lru *lru = lru_of(c, l->lru);
	oid_t holder = holder_of(c, l);
	const struct memcg *memcg;
	struct violation *v;
	uint64_t seq = 0;

	if (!holder || lru->shrinker_nr < 0 || l->group->nr_items == 0)
		return;
	memcg = memcg_of(c, holder);
	if (!memcg->units || bit_is_set(c, memcg, lru->shrinker_nr, &seq))
		return;
	v = checker_violation(c, last, holder,
			      "shrinker bit is clear: %s has %" PRId64
			      " items on %s that reclaim does not see",
			      oid_str(holder).s, l->group->nr_items, oid_str(l->id).s);
	v->related[0] = l->changed_seq;
	v->related[1] = l->moved_seq;
	v->related[2] = seq;
}

static void check_list(struct checker *c, const struct trace_record *last, const struct lru_list *l)
{
	if (l->freed || lru_of(c, l->lru)->freed)
		return;
	check_counter(c, last, l);
	if (l->published && !holder_of(c, l))
		checker_violation(c, last, l->id,
				  "list of nobody: %s has index %" PRId64 ", which was given back",
				  oid_str(l->id).s, l->index)
			->related[0] = l->changed_seq;
	check_bit(c, last, l);
}

static void check_item(struct checker *c, const struct trace_record *last, struct item *item)
{
	struct ledger *led = c->ledger;
	const oid_t *payer = table_find(&led->payers, oid_nr(item->id));
	const struct lru_list *l = group_of(item)->list;
	oid_t heir, holder = holder_of(c, l);
	struct violation *v;

	/* A list that was freed has been reported. */
	if (!lru_of(c, item->lru)->aware || lru_of(c, item->lru)->freed || l->freed)
		return;
	heir = payer ? heir_of(c, *payer) : 0;
	if (heir == holder && (heir || l->index < 0))
		return;
	v = checker_violation(
		c, last, item->id, "on the wrong list: %s belongs to %s and is on %s of %s",
		oid_str(item->id).s, heir ? oid_str(heir).s : "the root", oid_str(l->id).s,
		holder	       ? oid_str(holder).s
		: l->index < 0 ? "the root"
			       : "nobody");
	v->related[0] = item->seq;
	v->related[1] = l->left_seq;
	v->related[2] = payer && *payer ? memcg_of(c, *payer)->gone_seq : 0;
}

static void on_end(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;

	list_for_each(node, &led->all_lists)
		check_list(c, last, container_of(node, struct lru_list, node));
	list_for_each(node, &led->all_items)
		check_item(c, last, container_of(node, struct item, node));
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;
	struct arena *a = c->set->arena;

	table_init(&led->memcgs, a, sizeof(struct memcg));
	table_init(&led->caches, a, sizeof(oid_t));
	table_init(&led->objcgs, a, sizeof(oid_t));
	table_init(&led->lists, a, sizeof(struct lru_list));
	table_init(&led->lrus, a, sizeof(struct lru));
	table_init(&led->items, a, sizeof(struct item));
	table_init(&led->payers, a, sizeof(oid_t));
	map_init(&led->holders, a, sizeof(oid_t));
	map_init(&led->by_index, a, sizeof(oid_t));
	map_init(&led->bits, a, sizeof(struct bit));
	list_init(&led->all_lists);
	list_init(&led->all_items);
}

static const struct record_handler handlers[] = {
	{TR_OBJ_NEW, on_new},
	{TR_OBJ_FREE, on_free},
	{TR_OBJ_PUBLISH, on_publish},
	{TR_CACHE_CREATE, on_cache_create},
	{TR_OBJECT_ALLOC, on_object_alloc},
	{TR_OBJECT_FREE, on_object_free},
	{TR_BYTES_CHARGE, on_bytes_charge},
	{TR_CSS_ONLINE, on_online},
	{TR_CSS_OFFLINE, on_offline},
	{TR_CSS_OFFLINE_END, on_offline_end},
	{TR_KMEMCG_ID_FREE, on_index_free},
	{TR_LRU_NEW, on_lru_new},
	{TR_LRU_LIST_NEW, on_list_new},
	{TR_LRU_ADD, on_add},
	{TR_LRU_DEL, on_del},
	{TR_LRU_MOVE, on_move},
	{TR_LRU_COUNT, on_count},
	{TR_SHRINKER_MAP_NEW, on_map_new},
	{TR_SHRINKER_BIT, on_bit},
	{0, NULL},
};

const struct checker_ops check_list_lru = {
	.name = "list-lru",
	.claim = "an item is on the list of whoever pays for it or has inherited it, counters say "
		 "how many there are, and reclaim can find every list that is not empty",
	.source = "list_lru and shrinker rules (mm/list_lru.c); 2788cf0c401c, 8199be001a47",
	.handlers = handlers,
	.ledger_size = sizeof(struct ledger),
	.init = init,
	.on_end = on_end,
};
