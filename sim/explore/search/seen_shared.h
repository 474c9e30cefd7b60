/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_SEARCH_SEEN_SHARED_H
#define SIM_EXPLORE_SEARCH_SEEN_SHARED_H

/*
 * Fingerprints that several processes share.
 *
 * The table lies in memory that is inherited over fork().  It is split into
 * stripes, each with a lock of its own under which it also grows: of two
 * processes that add the same fingerprint exactly one is told that it is new.
 * A process that dies may leave a lock taken: who shares the table then has to
 * die too.
 */

#include <glib.h>

struct seen_shared;

/** seen_shared_new() - a table of at most @max_bytes; NULL if there is no memory */
struct seen_shared *seen_shared_new(gsize max_bytes);
void seen_shared_free(struct seen_shared *s);

/** seen_shared_add() - true if @fingerprint, not 0, was not seen before */
gboolean seen_shared_add(struct seen_shared *s, guint64 fingerprint);

/** seen_shared_has() - was it seen?  While somebody adds to the table, false may be wrong. */
gboolean seen_shared_has(const struct seen_shared *s, guint64 fingerprint);

void seen_shared_prefetch(const struct seen_shared *s, guint64 fingerprint);
guint64 seen_shared_count(const struct seen_shared *s);
gsize seen_shared_bytes(const struct seen_shared *s);
gboolean seen_shared_is_full(const struct seen_shared *s);
void seen_shared_list(const struct seen_shared *s, GArray *list);

#endif /* SIM_EXPLORE_SEARCH_SEEN_SHARED_H */
