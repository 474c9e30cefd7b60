/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_SCHEDULE_MINIMISE_H
#define SIM_EXPLORE_SCHEDULE_MINIMISE_H

/*
 * Minimising: from a run that fails to a shorter one that fails alike.
 *
 * Shorter means: fewer preemptions, then fewer steps, then fewer switches of any
 * kind, then fewer choices inside steps that are not the first alternative.
 * "Alike" is same_finding().  Each result on the way is a run that was made and
 * failed, so nothing has to be believed.
 */

#include "sim/explore/explore.h"

struct minimise_options {
	uint64_t max_steps;   /* of all replays together; 0: default */
	uint64_t proof_steps; /* to search for a failure with fewer preemptions; 0: do not */
	const volatile sig_atomic_t *interrupted; /* may be NULL */
	/* Called with what there is so far, before each replay; may be NULL. */
	void (*progress)(void *arg, uint32_t steps, uint32_t preemptions, uint64_t nr_replays);
	void *arg;
};

struct minimise_result {
	uint32_t steps_before, preemptions_before;
	uint32_t preemptions; /* now; the steps are the finding's */
	uint64_t nr_replays;
	double seconds;
	bool gave_up; /* max_steps were used up, or interrupted: it may not be the end */
	bool proved;  /* every ordering with fewer preemptions was tried: none fails alike */
	uint64_t proof_runs;
};

/**
 * minimise() - shorten @f, which was found in @s
 *
 * Return: another finding, the caller's; NULL with @error set when @f cannot be
 * repeated, and without when it was interrupted before it was.
 */
struct finding *minimise(struct subject *s, const struct finding *f,
			 const struct minimise_options *opt, struct minimise_result *result,
			 GError **error);

#endif /* SIM_EXPLORE_SCHEDULE_MINIMISE_H */
