/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_VERBS_H
#define SIM_EXPLORE_VERBS_H

/*
 * What a record is called in a race table: tables that are printed and tables that
 * are read go by the same names.
 */

#include "sim/engine/trace.h"

enum lock_sort { SORT_MUTEX, SORT_SPIN, SORT_RWSEM };

/**
 * verb_of() - the call that @r is in itself, such as call_rcu; NULL: only what its function does
 * @sort: of the lock, if @r is about one
 */
const char *verb_of(const struct trace_record *r, enum lock_sort sort);

/**
 * verb_is() - is @verb what people call @name?
 *
 * Code has many ways to take a spinlock, and a lockdep report says lock() for all locks.
 */
bool verb_is(const char *verb, const char *name);

/** verb_argument() - whom that call is about, 0 for nobody; a work item stands for its subject */
oid_t verb_argument(const struct trace_record *r);

/** frame_argument() - whom the function is about in which @r happened, as far as it tells; or 0 */
oid_t frame_argument(const struct trace_record *r);

#endif /* SIM_EXPLORE_VERBS_H */
