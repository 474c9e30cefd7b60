/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_PARALLEL_OUTCOME_H
#define SIM_EXPLORE_PARALLEL_OUTCOME_H

/*
 * Outcome: what a piece of an exploration has found and counted, on its way from
 * the process that did it to the one that adds up.
 */

#include "sim/explore/bytes.h"
#include "sim/explore/driver.h"

/* A driver for one piece.  It counts from zero. */
struct piece_driver {
	struct driver d; /* first: the engines see this */
	struct explore_options opt;
	struct explore_result result;
	const struct driver *whole;
};

/**
 * piece_begin() - a driver for a piece of what @whole does
 * @stop: in another process: it looks at no limits but its own, and stops when this is true;
 *        else NULL
 */
void piece_begin(struct piece_driver *p, const struct driver *whole,
		 const volatile sig_atomic_t *stop);
void piece_end(struct piece_driver *p);

/** outcome_write() - what @p has come to */
void outcome_write(const struct piece_driver *p, GByteArray *b);

struct outcome {
	struct explore_result result;
	bool stopped;
};

void outcome_read(struct outcome *o, struct reader *r);
void outcome_clear(struct outcome *o);

/** outcome_add() - add it to what @d has, which stops if it did */
void outcome_add(struct driver *d, struct outcome *o);

/** stats_add() - @more was counted after @sum */
void stats_add(struct explore_stats *sum, const struct explore_stats *more);

/** driver_runs_left() - how many @d may still make; 0: no limit */
uint64_t driver_runs_left(const struct driver *d);

#endif /* SIM_EXPLORE_PARALLEL_OUTCOME_H */
