/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_LIVELOCK_H
#define SIM_EXPLORE_LIVELOCK_H

/*
 * Livelocks: a run from which no continuation comes to an end.
 *
 * All states that can be reached are gone through.  If nothing is left to happen in
 * one of them, somebody's step ends the loop, and it is no livelock: a task that spins
 * until another one, which could step, has stepped is merely waiting.  If there are too
 * many states to tell, it is none either.
 */

#include "sim/explore/exec.h"

/** livelock_is() - does no continuation of the run that @x holds come to an end? */
bool livelock_is(struct exec *x);

/**
 * livelock_end() - if so, go round the loop once and tell the checkers
 *
 * What comes next in turn is whoever has not stepped for longest, so everybody in the
 * loop steps.  The round adds nothing to @x->choices: it follows from the run so far.
 * Return: false, with nothing changed, if it is no livelock.
 */
bool livelock_end(struct exec *x);

/** run_end() - tell the checkers that the run is over: quiescent, or in a livelock; false if not */
bool run_end(struct exec *x);

/** livelock_spins() - does the context that stepped last come back to one state, on its own? */
bool livelock_spins(struct exec *x, uint64_t key);

#endif /* SIM_EXPLORE_LIVELOCK_H */
