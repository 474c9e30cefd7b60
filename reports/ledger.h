/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_LEDGER_H
#define REPORTS_LEDGER_H

/*
 * The reference ledger of one object: who holds it at the end and since when, what
 * happened to its count, and the balance of each kind of holder.
 */

#include "reports/output.h"
#include "reports/trace_file.h"

/**
 * ledger_find() - the counted object that a user calls @name
 * @name: "kind:number", or the name that reports print
 *
 * Return: the object; 0 with @error set, which names those that there are.
 */
oid_t ledger_find(const struct trace_file *tf, const char *name, GError **error);

/**
 * ledger_blamed() - the counted object that the first violation is about
 *
 * What it blames, what that is for, or what the events that led there were about.
 * Return: 0 if the trace has no violation, or counts nothing of all that.
 */
oid_t ledger_blamed(const struct trace_file *tf);

/**
 * ledger_budget_write() - who held @obj when the event @seq came: what either side of a race had
 * @sides: contexts, 0 for none
 *
 * Writes nothing if @obj is not counted.
 */
void ledger_budget_write(const struct trace_file *tf, oid_t obj, uint64_t seq,
			 const uint32_t sides[2], struct output *o);

/** ledger_write() - @verbose: the whole history, not only its last rows */
void ledger_write(const struct trace_file *tf, oid_t obj, bool verbose, struct output *o);

#endif /* REPORTS_LEDGER_H */
