/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_PARALLEL_FRONTIER_H
#define SIM_EXPLORE_PARALLEL_FRONTIER_H

/*
 * Searching in pieces, by several processes, and from a checkpoint.
 */

#include "sim/explore/driver.h"

/**
 * frontier_search() - search all there is, or what @d->resume holds
 * @max_steps: give up after about so many, those before @d->resume included; 0: no limit
 * @left: what is left to do is written there when it gave up; may be NULL
 *
 * When a limit stops it, what is left to do is written to @d->rest.
 * Return: false when it gave up, with @d not stopped.
 */
bool frontier_search(struct driver *d, enum strategy strategy, uint32_t bound, uint64_t max_steps,
		     GByteArray *left);

/** frontier_fits() - can @strategy go on from @left, which comes from a file?  May stop @d */
bool frontier_fits(struct driver *d, enum strategy strategy, const GByteArray *left);

#endif /* SIM_EXPLORE_PARALLEL_FRONTIER_H */
