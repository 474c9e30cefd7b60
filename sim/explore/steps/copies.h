/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_STEPS_COPIES_H
#define SIM_EXPLORE_STEPS_COPIES_H

/*
 * Copies that can be exchanged: what they have to have in common where they begin.
 */

#include <glib.h>

#include "sim/base/hash.h"
#include "sim/explore/subject.h"

/** copies_are_alike() - do the copies of @s, which is where its tasks begin, begin alike? */
bool copies_are_alike(struct subject *s, GError **error);

/** copies_own_name() - what @field of a copy's own object is called, the same in all of them */
static inline uint64_t copies_own_name(uint32_t role, uint32_t field)
{
	return hash_mix(hash_mix(1, role), field);
}

#endif /* SIM_EXPLORE_STEPS_COPIES_H */
