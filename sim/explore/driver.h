/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_DRIVER_H
#define SIM_EXPLORE_DRIVER_H

/*
 * What the engines share: limits, counting, and keeping what was found.
 */

#include "sim/explore/explore.h"

#define MAX_STEPS_DEFAULT 100000

struct driver {
	const struct explore_options *opt;
	struct explore_result *result;
	struct exec *x;
	gint64 start;	   /* monotonic us */
	gint64 deadline;   /* monotonic us, 0 for none */
	uint64_t max_runs; /* 0: no limit */
	uint32_t max_steps;
	uint64_t next_look; /* run at which to look at the clock again */
	bool stopped;	    /* result->end says why */
};

/** driver_stop() - end the exploration, for @why */
void driver_stop(struct driver *d, enum explore_end why);

/** driver_may_go_on() - look at the limits; false when it is time to stop */
bool driver_may_go_on(struct driver *d);

/**
 * driver_run_ended() - count the run that @d->x holds, and keep what it found
 * @at_end: nothing was left to happen
 */
void driver_run_ended(struct driver *d, bool at_end);

/** driver_run_stopped() - the run hit a limit or the script failed */
void driver_run_stopped(struct driver *d);

/* The engines.  Each returns with d->stopped set, or having covered all there is. */
void sample(struct driver *d, enum strategy strategy, double seconds);
void search(struct driver *d, enum strategy strategy, uint32_t bound);

#endif /* SIM_EXPLORE_DRIVER_H */
