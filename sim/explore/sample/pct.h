/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_SAMPLE_PCT_H
#define SIM_EXPLORE_SAMPLE_PCT_H

/*
 * PCT (Burckhardt et al., ASPLOS 2010): every process has a random priority, the
 * highest that can step does, and at d - 1 random steps the one that runs falls
 * below all others.  A failure that needs d ordering constraints is met with
 * probability 1 / (n k^(d-1)) in each run of k steps by n processes.
 *
 * That is a bound from below for the worst failure.  Where runs are long, what many
 * changes do to an ordering shows more than what few do: of runs of a thousand steps
 * those with 15 changes found workfn-write-after-free twenty times as often as those
 * with up to three.  So the longer runs are, the more changes some of them get.
 */

#include <stdbool.h>

#include "sim/base/rng.h"

#define PCT_PROCESSES_MAX 256
#define PCT_DEPTH_MAX 16

struct pct {
	uint64_t keys[PCT_PROCESSES_MAX];
	uint64_t priority[PCT_PROCESSES_MAX];
	uint32_t nr_processes;
	uint32_t change_at[PCT_DEPTH_MAX]; /* steps, 1 and up; 0: done */
	uint32_t nr_changes;
	uint32_t next_change; /* the first of them; UINT32_MAX: none is left */
	uint64_t lowest;      /* priority that the next fallen one gets */
};

/** pct_depth() - of the run @nr, where runs take @mean_steps: depths have their turn */
uint32_t pct_depth(uint64_t nr, uint64_t mean_steps);

/** pct_begin() - a run with @depth - 1 changes within @mean_steps */
void pct_begin(struct pct *p, struct rng *rng, uint32_t depth, uint64_t mean_steps);

/** pct_process() - place of the process @key among those with a priority; it gets one now */
uint32_t pct_process(struct pct *p, struct rng *rng, uint64_t key);

/**
 * pct_change() - at step @step, from 1, @process has the highest priority: does it fall?
 *
 * Return: true if so; who is highest has to be found out again.
 */
bool pct_change(struct pct *p, uint32_t step, uint32_t process);

#endif /* SIM_EXPLORE_SAMPLE_PCT_H */
