/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_LEDGER_FOLD_H
#define REPORTS_LEDGER_FOLD_H

/*
 * Who holds an object: its references, folded event by event.  A put is set against a
 * get of the same holder, the oldest first.
 */

#include "reports/output.h"
#include "reports/trace_file.h"

/* References that one event took and nobody has dropped yet. */
struct take {
	const struct trace_record *r;
	enum holder holder;
	oid_t owner;
	int64_t n;
};

struct balance {
	int64_t taken, dropped;
};

struct ledger {
	const struct trace_file *tf;
	oid_t obj;
	struct output *o; /* for those who print */
	GArray *takes;	  /* struct take, oldest first */
	struct balance balance[NR_HOLDERS];
	int64_t count, freed_with; /* now; when the object was freed */
	bool missing;		   /* the event just applied dropped more than was taken */
	const struct trace_record *born, *killed, *freed;
};

/** ledger_take() - the @i-th reference that is held, oldest first */
static inline struct take *ledger_take(const struct ledger *l, guint i)
{
	return &g_array_index(l->takes, struct take, i);
}

/** ledger_is_ref() - is @kind an event of a counter? */
bool ledger_is_ref(uint16_t kind);

/** ledger_holder() - a holder out of the argument of an event */
enum holder ledger_holder(int64_t arg);

/** ledger_start() - nothing has happened yet; takes has to be there */
void ledger_start(struct ledger *l);

/** ledger_belongs() - is @r about the ledger's object? */
bool ledger_belongs(const struct ledger *l, const struct trace_record *r);

/** ledger_apply() - fold @r in, which belongs to the ledger */
void ledger_apply(struct ledger *l, const struct trace_record *r);

#endif /* REPORTS_LEDGER_FOLD_H */
