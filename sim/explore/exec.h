/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_EXEC_H
#define SIM_EXPLORE_EXEC_H

/*
 * Execution: one run of a subject, a step at a time, with every choice on record.
 *
 * A process is whatever takes steps one after the other: a context, or a kind of
 * environment event (the end of a grace period, an interrupt on a CPU).  Its key
 * is made of names, so it says the same in every run that began alike.
 */

#include <signal.h>

#include "sim/explore/subject.h"

/* One decision.  A schedule is the list of all that were taken in a run. */
struct choice {
	uint64_t who;	   /* CHOOSE_STEP: key of the process that steps; else 0 */
	uint32_t pick;	   /* which alternative */
	uint32_t n;	   /* of how many */
	uint8_t kind;	   /* enum choice_kind */
	uint8_t unused[7]; /* 0: choices are compared, and written to files, as they are */
};

/* Alternatives at one step, in an order that depends on the run so far and on nothing else. */
struct enabled {
	struct transition *tr;
	uint64_t key;
};

#define ENABLED_MAX 64
#define TOUCHES_MAX 512

struct exec {
	struct subject *s;
	GArray *choices; /* struct choice: the schedule of this run so far */
	uint32_t nr_steps;
	uint32_t nr_before; /* violations that the set-up has left: no order changes them */
	struct enabled enabled[ENABLED_MAX];
	uint32_t nr_enabled;
	bool too_many; /* some of what could come next did not fit into enabled[] */
	struct step_log log;
	struct touch touches[TOUCHES_MAX];
	/* Answers what comes up inside a step; set by the strategy. */
	uint32_t (*inner)(struct exec *x, enum choice_kind kind, uint32_t n);
	void *strategy;
	struct chooser chooser;
	/* Once that is set, what looks far ahead gives up, as if it were too far; may be NULL. */
	const volatile sig_atomic_t *interrupted;
};

struct exec *exec_new(struct subject *s);
void exec_free(struct exec *x);

/** exec_restart() - begin a run */
void exec_restart(struct exec *x);

/** exec_look() - find out what can come next; false when nothing can */
bool exec_look(struct exec *x);

/**
 * exec_step() - let enabled[@i] happen
 *
 * The touches of the step stand in @x->log until the next one.
 * Return: false when the run had to stop.
 */
bool exec_step(struct exec *x, uint32_t i);

/** exec_recall() - the step of the process @key, number @i of @n, happens, but not in the world */
void exec_recall(struct exec *x, uint32_t i, uint32_t n, uint64_t key);

/** exec_rewind_to() - forget the choices after the first @nr_choices; the world was restored */
void exec_rewind_to(struct exec *x, uint32_t nr_choices, uint32_t nr_steps);

/** exec_violated() - has a checker found something in this run? */
static inline bool exec_violated(const struct exec *x)
{
	return x->s->checks->nr_violations > x->nr_before;
}

/** exec_violation() - the first one */
static inline const struct violation *exec_violation(const struct exec *x)
{
	return &x->s->checks->violations[x->nr_before < VIOLATION_MAX ? x->nr_before
								      : VIOLATION_MAX - 1];
}

/** exec_find() - index in enabled[] of the process @key, or -1 */
int exec_find(const struct exec *x, uint64_t key);

/** context_key() - process_key() of the steps of a context */
uint64_t context_key(oid_t id);

/** process_key() - which process would step if @tr happened */
uint64_t process_key(const struct transition *tr);

/** process_name() - the same for people: "allocator", "CPU0 softirq", "rcu:1 gp_end" */
void process_name(const struct transition *tr, char *buffer, size_t size);

/** array_cut() - @a keeps its first @len: what g_array_set_size() does, where it is that long */
static inline void array_cut(GArray *a, guint len)
{
	sim_assert(len <= a->len);
	a->len = len;
}

#endif /* SIM_EXPLORE_EXEC_H */
