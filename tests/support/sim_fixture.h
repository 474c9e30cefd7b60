/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_SUPPORT_SIM_FIXTURE_H
#define TESTS_SUPPORT_SIM_FIXTURE_H

/*
 * One world for a unit test: started, given tasks, run, and asked what happened.
 *
 * Each test runs in a process of its own, so there is one fixture, called `sim`.
 * Starting it again drops the last world and keeps nothing of it.
 */

#include <check.h>
#include <stddef.h>

#include "sim/check/checker.h"
#include "sim/lifecycle/info.h"

/* For loops: each of Check's own assertions writes to a pipe, passing or not. */
#define expect(cond)                                                                               \
	do {                                                                                       \
		if (!(cond))                                                                       \
			ck_abort_msg("%s does not hold (seed %llu)", #cond,                        \
				     (unsigned long long)sim.config.seed);                         \
	} while (0)

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

/* A trace record that outlives the call: the string is cut to what fits. */
struct rec {
	uint64_t seq, cause;
	vtime_t t;
	oid_t obj;
	int64_t arg[TRACE_NR_ARGS];
	char str[40];
	uint32_t task;
	uint16_t kind;
	uint8_t cpu, ctx, via;
};

struct sim_config {
	unsigned int cpus; /* 0: 2 */
	enum preempt_model preempt;
	uint64_t seed;
	bool untimed;
	bool exact;	   /* no jitter: costs are what costs.def says */
	bool bare;	   /* the engine alone, without RCU and workqueues */
	bool two_flavours; /* the RCU of before v4.20 */
	bool shuffle_ties;
	bool accesses;			      /* keep TR_ACCESS records as well */
	const char *lifecycle;		      /* boot it; NULL: no memory management */
	const struct reclaim_choice *reclaim; /* NULL: nothing can be reclaimed */
	variant_set variants;
	uint64_t steps_max; /* 0: a million */
	vtime_t time_max;   /* 0: none */
	size_t memory;	    /* bytes, 0: 256 MiB */
};

struct sim {
	struct sim_config config;
	struct arena *arena;
	struct world *w;
	struct checkset *checks; /* every checker sees every record */
	struct rec *recs;	 /* in order */
	size_t nr_recs, max_recs;
	struct rng choices;
	uint32_t nr_asked[NR_CHOICE_KINDS];
	uint32_t fault_skip; /* fault points to pass before those that fail */
};

extern struct sim sim;

/** sim_start_with() - a fresh world; untimed from the start if so configured */
void sim_start_with(const struct sim_config *config);
#define sim_start(...) sim_start_with(&(struct sim_config){__VA_ARGS__})

/** sim_untimed() - the world is quiescent; from now on the seed picks what comes next */
void sim_untimed(void);

/** sim_faults() - let @skip fault points pass, then fail @count of them */
void sim_faults(uint32_t skip, uint32_t count);

/** sim_task() - a task of the root cgroup, if there is one, runnable now on CPU @cpu */
struct task *sim_task(unsigned int cpu, const char *comm, void (*fn)(struct task *t, void *arg),
		      void *arg);

/** sim_task_asleep() - the same, blocked until task_wake() */
struct task *sim_task_asleep(unsigned int cpu, const char *comm,
			     void (*fn)(struct task *t, void *arg), void *arg);

/** sim_join() - @t, which has not run yet, is a member of @cgrp */
void sim_join(struct task *t, struct cgroup *cgrp);

/** sim_run() - world_run() and assert that the world came to rest */
void sim_run(void);

/** sim_end() - tell the checkers that the world is quiescent; how many violations there are */
uint32_t sim_end(void);

/** sim_caught() - did the checker of that name object? */
bool sim_caught(const char *checker);

/** sim_violation() - the first violation's text, or "none" */
const char *sim_violation(void);

/** mark() - leave a note in the trace; returns after no scheduling point */
void mark(struct task *t, const char *text);

/** work_for() - keep the CPU busy for about @ns in steps of 20 ns, preemptible between them */
void work_for(struct task *t, vtime_t ns);

/* ---- what happened; pointers are good until the next record ------------------- */

/**
 * rec_next() - the first record of @kind after @prev (NULL: of all), about @obj unless
 * that is 0
 */
const struct rec *rec_next(const struct rec *prev, enum trace_kind kind, oid_t obj);

/** rec_last() - the last such record */
const struct rec *rec_last(enum trace_kind kind, oid_t obj);

/** rec_first() - the first such record */
static inline const struct rec *rec_first(enum trace_kind kind, oid_t obj)
{
	return rec_next(NULL, kind, obj);
}

/** rec_str() - the first record of @kind that says @str, after @prev */
const struct rec *rec_str(const struct rec *prev, enum trace_kind kind, const char *str);

/** marked() - the first note @text */
static inline const struct rec *marked(const char *text)
{
	return rec_str(NULL, TR_LOG, text);
}

size_t rec_count(enum trace_kind kind, oid_t obj);
size_t rec_count_str(enum trace_kind kind, const char *str);

/** rec_digest() - of all records */
uint64_t rec_digest(void);

/* @b came after @a, and both happened. */
#define ck_order(a, b)                                                                             \
	do {                                                                                       \
		const struct rec *order_a = (a), *order_b = (b);                                   \
                                                                                                   \
		if (!order_a || !order_b || order_a->seq >= order_b->seq)                          \
			ck_abort_msg("%s (%lld) is not before %s (%lld), seed %llu", #a,           \
				     order_a ? (long long)order_a->seq : -1LL, #b,                 \
				     order_b ? (long long)order_b->seq : -1LL,                     \
				     (unsigned long long)sim.config.seed);                         \
	} while (0)

#endif /* TESTS_SUPPORT_SIM_FIXTURE_H */
