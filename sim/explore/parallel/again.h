/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_PARALLEL_AGAIN_H
#define SIM_EXPLORE_PARALLEL_AGAIN_H

/*
 * Again: choices that stand in a file, taken once more.
 *
 * Nothing is known of them before: each is compared with what can be chosen.
 */

#include "sim/explore/exec.h"

struct again {
	struct exec *x;
	const GArray *choices; /* struct choice */
	bool lost;	       /* inside a step something else was to be chosen */
	bool stopped;	       /* a step could not be taken to its end: no other can follow */
};

/** again_begin() - a run with @choices, which are the caller's, begins; @a stays where it is */
void again_begin(struct again *a, struct exec *x, const GArray *choices);

/**
 * again_step() - the step that comes next in the list
 *
 * Where the list ends inside the step, the first alternatives are taken.
 * Return: false when there is no such step.
 */
bool again_step(struct again *a);

#endif /* SIM_EXPLORE_PARALLEL_AGAIN_H */
