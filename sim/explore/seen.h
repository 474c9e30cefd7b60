/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_SEEN_H
#define SIM_EXPLORE_SEEN_H

/*
 * Fingerprints of the states that were seen: 8 bytes each, at most two thirds full.
 */

#include <glib.h>

struct seen;

struct seen *seen_new(void);
void seen_free(struct seen *s);

/** seen_add() - true if @fingerprint was not seen before */
gboolean seen_add(struct seen *s, guint64 fingerprint);

guint64 seen_count(const struct seen *s);
gsize seen_bytes(const struct seen *s);

#endif /* SIM_EXPLORE_SEEN_H */
