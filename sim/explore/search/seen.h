/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_SEARCH_SEEN_H
#define SIM_EXPLORE_SEARCH_SEEN_H

/*
 * Fingerprints of the states that were seen: 8 bytes each, in a table that is 70 to 87 % full.
 */

#include <glib.h>

struct seen;

struct seen *seen_new(void);

/** seen_new_shared() - one that processes which are forked later share; NULL if there is no memory
 */
struct seen *seen_new_shared(gsize max_bytes);

/** seen_limit() - be full when it takes @max_bytes; 0: no limit */
void seen_limit(struct seen *s, gsize max_bytes);
void seen_free(struct seen *s);

/** seen_add() - true if @fingerprint was not seen before */
gboolean seen_add(struct seen *s, guint64 fingerprint);

/** seen_has() - was @fingerprint seen?  While other processes add to it, false may be wrong. */
gboolean seen_has(const struct seen *s, guint64 fingerprint);

/** seen_prefetch() - seen_add() is going to be asked about @fingerprint soon */
void seen_prefetch(const struct seen *s, guint64 fingerprint);

guint64 seen_count(const struct seen *s);
gsize seen_bytes(const struct seen *s);

/** seen_is_full() - it has taken what it may; what was added since may be forgotten */
gboolean seen_is_full(const struct seen *s);

/** seen_list() - append all fingerprints to @list, of guint64 */
void seen_list(const struct seen *s, GArray *list);

#endif /* SIM_EXPLORE_SEARCH_SEEN_H */
