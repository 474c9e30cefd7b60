// SPDX-License-Identifier: GPL-2.0-only
/*
 * slot: a root's slot shows the one live child of the memcg with that index.
 *
 * The ledger has what the records of setting and clearing say, so a slot that is
 * overwritten shows, and so does a child that nobody can find any more.
 */

#include <inttypes.h>

#include "sim/check/ledger.h"

struct slot {
	oid_t child; /* 0 when it is empty */
	uint64_t seq;
};

struct cache {
	bool freed;
};

struct ledger {
	struct map slots; /* by (root, index) */
	struct table caches;
};

static struct slot *slot_of(struct checker *c, oid_t root, int64_t id)
{
	struct ledger *led = c->ledger;

	return ledger_entry(c, &led->slots, root, (uint64_t)id);
}

static struct cache *cache_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;

	return ledger_number(c, &led->caches, oid_nr(id));
}

static void on_set(struct checker *c, const struct trace_record *r)
{
	struct slot *slot = slot_of(c, arg_oid(r, 0), r->arg[1]);

	if (slot->child && slot->child != r->obj)
		checker_violation(c, r, r->obj,
				  "overwritten slot: %" PRId64 " of %s showed %s since seq %" PRIu64
				  ", which nobody can find now",
				  r->arg[1], oid_str(arg_oid(r, 0)).s, oid_str(slot->child).s,
				  slot->seq)
			->related[0] = slot->seq;
	*slot = (struct slot){r->obj, r->seq};
}

static void on_clear(struct checker *c, const struct trace_record *r)
{
	struct slot *slot = slot_of(c, arg_oid(r, 0), r->arg[1]);

	if (slot->child != r->obj)
		checker_violation(c, r, r->obj,
				  "wrong slot: %" PRId64 " of %s is cleared for %s and showed %s",
				  r->arg[1], oid_str(arg_oid(r, 0)).s, oid_str(r->obj).s,
				  oid_str(slot->child).s)
			->related[0] = slot->seq;
	slot->child = 0;
}

static void on_free(struct checker *c, const struct trace_record *r)
{
	if (oid_kind(r->obj) == OBJ_CACHE)
		cache_of(c, r->obj)->freed = true;
}

/* The next memcg to get the index would find the child of this one. */
static void on_id_free(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	const struct slot *slot;
	uint32_t pos = 0;

	while ((slot = map_next(&led->slots, &pos))) {
		if ((int64_t)map_key_b(slot) != r->arg[0] || !slot->child)
			continue;
		checker_violation(c, r, slot->child,
				  "occupied slot: index %" PRId64 " is free, but a slot shows %s "
				  "since seq %" PRIu64,
				  r->arg[0], oid_str(slot->child).s, slot->seq)
			->related[0] = slot->seq;
	}
}

/* A root that is destroyed frees its children before it clears their slots: not judged before. */
static void on_end(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;
	const struct slot *slot;
	uint32_t pos = 0;

	while ((slot = map_next(&led->slots, &pos))) {
		oid_t root = map_key_a(slot);

		if (!slot->child || !cache_of(c, slot->child)->freed || cache_of(c, root)->freed)
			continue;
		checker_violation(c, last, slot->child,
				  "dangling slot: %s is freed, but slot %" PRIu64
				  " of %s shows it since seq %" PRIu64,
				  oid_str(slot->child).s, map_key_b(slot), oid_str(root).s,
				  slot->seq)
			->related[0] = slot->seq;
	}
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	map_init(&led->slots, c->set->arena, sizeof(struct slot));
	table_init(&led->caches, c->set->arena, sizeof(struct cache));
}

static const struct record_handler handlers[] = {
	{TR_CACHE_SLOT_SET, on_set},
	{TR_CACHE_SLOT_CLEAR, on_clear},
	{TR_OBJ_FREE, on_free},
	{TR_KMEMCG_ID_FREE, on_id_free},
	{0, NULL},
};

const struct checker_ops check_slot = {
	.name = "slot",
	.claim = "a root's slot shows the one child of the memcg with that index, while both live",
	.source = "memcg_caches, the arrays of root caches; 2edefe1155b3",
	.handlers = handlers,
	.ledger_size = sizeof(struct ledger),
	.init = init,
	.on_end = on_end,
};
