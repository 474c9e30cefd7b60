// SPDX-License-Identifier: GPL-2.0-only
#include "reports/ledger_fold.h"

bool ledger_is_ref(uint16_t kind)
{
	return kind >= TR_REF_INIT && kind <= TR_REF_EXIT;
}

enum holder ledger_holder(int64_t arg)
{
	return arg > 0 && arg < NR_HOLDERS ? (enum holder)arg : HOLD_NONE;
}

static void take(struct ledger *l, const struct trace_record *r, int64_t holder, int64_t n,
		 int64_t owner)
{
	struct take t = {r, ledger_holder(holder), (oid_t)owner, n};

	if (n <= 0)
		return;
	l->balance[t.holder].taken += n;
	l->count += n;
	g_array_append_val(l->takes, t);
}

/* The oldest take of @holder, by @owner if that is to be its own; the number of takes if none. */
static guint oldest(const struct ledger *l, enum holder holder, oid_t owner, bool own)
{
	guint i = 0;

	while (i < l->takes->len &&
	       (ledger_take(l, i)->holder != holder || (own && ledger_take(l, i)->owner != owner)))
		i++;
	return i;
}

/*
 * A reference may be dropped by another than its taker: then the oldest one goes.  A
 * counter that is never killed begins with the reference of its first user.
 */
static guint taken_for(const struct ledger *l, enum holder holder, oid_t owner)
{
	guint i = oldest(l, holder, owner, true);

	if (i == l->takes->len)
		i = oldest(l, holder, 0, false);
	if (i == l->takes->len && l->born && !l->born->arg[1])
		i = oldest(l, HOLD_BASE, 0, false);
	return i;
}

static void drop(struct ledger *l, int64_t arg, int64_t n, int64_t owner)
{
	enum holder holder = ledger_holder(arg);

	while (n > 0) {
		guint i = taken_for(l, holder, (oid_t)owner);
		struct take *t;
		int64_t part;

		if (i == l->takes->len)
			break;
		t = ledger_take(l, i);
		part = MIN(n, t->n);
		l->balance[t->holder].dropped += part;
		l->count -= part;
		n -= part;
		t->n -= part;
		if (t->n == 0)
			g_array_remove_index(l->takes, i);
	}
	/* The kill drops the base reference, and a put of it may follow: one of them counts. */
	if (n > 0 && holder != HOLD_BASE) {
		l->balance[holder].dropped += n;
		l->count -= n;
		l->missing = true;
	}
}

void ledger_apply(struct ledger *l, const struct trace_record *r)
{
	l->missing = false;
	switch (r->kind) {
	case TR_REF_INIT:
		l->born = l->born ? l->born : r;
		take(l, r, HOLD_BASE, r->arg[0], 0);
		break;
	case TR_REF_GET:
		take(l, r, r->arg[1], r->arg[0], r->arg[2]);
		break;
	case TR_REF_TRYGET:
		if (r->arg[0])
			take(l, r, r->arg[1], 1, r->arg[2]);
		break;
	case TR_REF_PUT:
		drop(l, r->arg[1], r->arg[0], r->arg[2]);
		break;
	case TR_REF_MOVE:
		drop(l, r->arg[1], r->arg[0], r->arg[3]);
		take(l, r, r->arg[2], r->arg[0], r->arg[3]);
		break;
	case TR_REF_KILL:
		l->killed = l->killed ? l->killed : r;
		drop(l, HOLD_BASE, 1, 0);
		break;
	case TR_OBJ_FREE:
		if (!l->freed)
			l->freed_with = l->count;
		l->freed = l->freed ? l->freed : r;
		break;
	default:
		break;
	}
}

bool ledger_belongs(const struct ledger *l, const struct trace_record *r)
{
	return r->obj == l->obj && (ledger_is_ref(r->kind) || r->kind == TR_OBJ_FREE);
}

void ledger_start(struct ledger *l)
{
	g_array_set_size(l->takes, 0);
	memset(l->balance, 0, sizeof(l->balance));
	l->count = l->freed_with = 0;
	l->born = l->killed = l->freed = NULL;
}
