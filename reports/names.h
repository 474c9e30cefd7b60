/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_NAMES_H
#define REPORTS_NAMES_H

/*
 * What a reader calls the objects: learnt from the records that create them.
 *
 * A cache is called as in /proc/slabinfo, a cgroup by its path, a memcg by the
 * path of its cgroup.  A name that was used before, or has none, gets its number.
 */

#include "reports/output.h"
#include "sim/engine/trace.h"

struct names;

struct names *names_new(void);
void names_free(struct names *n);

/** names_record() - learn from @r; call it for each record in order */
void names_record(struct names *n, const struct trace_record *r);

/** names_of() - the bare name, NULL if there is none */
const char *names_of(const struct names *n, oid_t id);

/** names_comm() - name of context @task; "task 5" style names are the caller's */
const char *names_comm(const struct names *n, uint32_t task);

/** names_subject() - what a work item is about, 0 if unknown */
oid_t names_subject(const struct names *n, oid_t work);

/** names_put() - @id as a reader knows it: "dentry", "memcg /box", "slab:3", or "-" */
void names_put(const struct names *n, struct output *o, oid_t id);

#endif /* REPORTS_NAMES_H */
