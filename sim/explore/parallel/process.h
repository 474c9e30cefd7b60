/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_PARALLEL_PROCESS_H
#define SIM_EXPLORE_PARALLEL_PROCESS_H

/*
 * Names of the processes of a run, good for every other run of the same subject.
 *
 * The key of a process says who it is while a run goes as another one did; a
 * name says it also where the run has gone another way.  Of several processes
 * with one name, the second one that could step is called "NAME#2", and so on.
 * This is what schedule files go by.
 */

#include "sim/explore/exec.h"

struct process_names;

struct process_names *process_names_new(void);
void process_names_free(struct process_names *p);

/** process_names_restart() - a run begins, and nobody has been seen in it */
void process_names_restart(struct process_names *p);

/** process_names_seen() - how many were seen in this run, for process_names_forget() */
uint32_t process_names_seen(const struct process_names *p);

/** process_names_forget() - the run is where only the first @nr had been seen */
void process_names_forget(struct process_names *p, uint32_t nr);

/**
 * process_names_look() - name all that can come next
 * @x: after exec_look(); to be called at every step of a run, in order
 * @ids: filled with a number for each, which stands for the name in all runs
 */
void process_names_look(struct process_names *p, const struct exec *x, uint32_t ids[ENABLED_MAX]);

/** process_names_text() - the name that @id stands for; borrowed */
const char *process_names_text(const struct process_names *p, uint32_t id);

/** process_names_id() - the number that stands for @name, whether anybody is called so or not */
uint32_t process_names_id(struct process_names *p, const char *name);

/*
 * Preemptions: steps away from the context that stepped last although it could
 * have gone on.  Starting when nobody can go on costs nothing.
 */
struct switches {
	uint64_t current; /* process of the context that stepped last, 0 for none */
	uint32_t preemptions;
};

/** switches_count() - @x is about to let enabled[@i] happen */
void switches_count(struct switches *s, const struct exec *x, uint32_t i);

#endif /* SIM_EXPLORE_PARALLEL_PROCESS_H */
