// SPDX-License-Identifier: GPL-2.0-only
#include "tests/support/sim_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sim sim;

/* ---- what the world needs ------------------------------------------------------- */

static uint32_t choose(struct chooser *c, struct world *w, enum choice_kind kind, uint32_t n)
{
	(void)c;
	(void)w;
	sim.nr_asked[kind]++;
	if (kind != CHOOSE_FAULT)
		return (uint32_t)rng_below(&sim.choices, n);
	if (sim.fault_skip == 0)
		return 1;
	sim.fault_skip--;
	return 0;
}

static void keep(const struct trace_record *r)
{
	struct rec *rec;

	if (sim.nr_recs == sim.max_recs) {
		sim.max_recs = sim.max_recs ? 2 * sim.max_recs : 4096;
		sim.recs = realloc(sim.recs, sim.max_recs * sizeof(*sim.recs));
		ck_assert_ptr_nonnull(sim.recs);
	}
	rec = &sim.recs[sim.nr_recs++];
	memset(rec, 0, sizeof(*rec));
	rec->seq = r->seq;
	rec->cause = r->cause;
	rec->t = r->t;
	rec->obj = r->obj;
	memcpy(rec->arg, r->arg, sizeof(rec->arg));
	if (r->str)
		snprintf(rec->str, sizeof(rec->str), "%s", r->str);
	rec->task = r->task;
	rec->kind = r->kind;
	rec->cpu = r->cpu;
	rec->ctx = r->ctx;
	rec->via = r->via;
}

static void record(struct trace_sink *sink, const struct trace_record *r)
{
	(void)sink;
	if (r->kind != TR_ACCESS || sim.config.accesses)
		keep(r);
	checkset_record(sim.checks, r);
}

static void boot(struct task *t, void *arg)
{
	lifecycle_boot(t, arg, sim.config.variants, sim.config.reclaim);
	cgroup_exit(t);
}

static void start_world(const struct lifecycle *lifecycle)
{
	static struct chooser chooser = {.choose = choose};
	static struct trace_sink sink = {.record = record};
	const struct sim_config *c = &sim.config;
	struct world_config config = {
		.nr_cpus = c->cpus ? c->cpus : 2,
		.preempt = c->preempt,
		.seed = c->seed,
		.steps_max = c->steps_max ? c->steps_max : 1000000,
		.time_max = c->time_max ? c->time_max : VTIME_MAX - 1,
		.shuffle_ties = c->shuffle_ties,
	};
	struct kernel_config kernel = {.rcu_one_flavour = !c->two_flavours};

	sim.w = world_new(sim.arena, &config, &chooser, &sink);
	ck_assert_ptr_nonnull(sim.w);
	if (c->exact)
		memset(sim.w->jitter, 0, sizeof(sim.w->jitter));
	if (c->bare)
		return;
	if (lifecycle)
		kernel = lifecycle_kernel_config(lifecycle);
	kernel_init(sim.w, &kernel);
}

void sim_start_with(const struct sim_config *config)
{
	size_t memory = config->memory ? config->memory : (size_t)256 << 20;
	const struct lifecycle *lifecycle = NULL;

	sim.config = *config;
	sim.arena = sim.arena ? sim.arena : arena_map(memory);
	ck_assert_ptr_nonnull(sim.arena);
	arena_reset(sim.arena, memory);
	sim.nr_recs = 0;
	sim.fault_skip = 0;
	memset(sim.nr_asked, 0, sizeof(sim.nr_asked));
	rng_seed(&sim.choices, config->seed, "choice");
	sim.checks = checkset_new(sim.arena, NULL);
	ck_assert_ptr_nonnull(sim.checks);
	if (config->lifecycle) {
		lifecycle = lifecycle_find(config->lifecycle);
		ck_assert_ptr_nonnull(lifecycle);
	}

	start_world(lifecycle);
	if (lifecycle) {
		task_wake(task_new(sim.w, &sim.w->cpus[0], "boot", CTX_TASK, STACK_LARGE, boot,
				   (void *)lifecycle),
			  0);
		sim_run();
	}
	if (config->untimed)
		sim_untimed();
}

void sim_untimed(void)
{
	world_set_untimed(sim.w);
}

void sim_faults(uint32_t skip, uint32_t count)
{
	sim.fault_skip = skip;
	sim.w->faults_left = count;
}

/* ---- tasks ------------------------------------------------------------------------ */

struct task *sim_task_asleep(unsigned int cpu, const char *comm,
			     void (*fn)(struct task *t, void *arg), void *arg)
{
	struct task *t = task_new(sim.w, &sim.w->cpus[cpu], comm, CTX_TASK, STACK_LARGE, fn, arg);

	if (sim.w->mm)
		sim_join(t, mm_of(sim.w)->root);
	return t;
}

struct task *sim_task(unsigned int cpu, const char *comm, void (*fn)(struct task *t, void *arg),
		      void *arg)
{
	struct task *t = sim_task_asleep(cpu, comm, fn, arg);

	task_wake(t, 0);
	return t;
}

void sim_join(struct task *t, struct cgroup *cgrp)
{
	struct cgroup *from = t->cgroup;

	if (from)
		from->nr_tasks--;
	t->cgroup = cgrp;
	cgrp->nr_tasks++;
}

void mark(struct task *t, const char *text)
{
	trace(t, LOG, .str = text);
}

void work_for(struct task *t, vtime_t ns)
{
	for (vtime_t done = 0; done < ns; done += 20)
		sched_point(t, COST_ACCESS);
}

/* ---- running ---------------------------------------------------------------------- */

void sim_run(void)
{
	enum world_stop why = world_run(sim.w);

	if (why != STOP_NONE)
		ck_abort_msg("the run stopped for reason %d, seed %llu", why,
			     (unsigned long long)sim.config.seed);
}

uint32_t sim_end(void)
{
	struct trace_record last = {
		.seq = sim.w->nr_records, .t = sim.w->now, .kind = TR_RUN_QUIET};

	last.arg[0] = sim.w->nr_tasks_alive;
	trace_env(sim.w, NULL, RUN_QUIET, .arg = {sim.w->nr_tasks_alive});
	checkset_end(sim.checks, &last);
	return sim.checks->nr_violations;
}

bool sim_caught(const char *checker)
{
	for (uint32_t i = 0; i < sim.checks->nr_violations && i < VIOLATION_MAX; i++) {
		if (strcmp(sim.checks->violations[i].ops->name, checker) == 0)
			return true;
	}
	return false;
}

const char *sim_violation(void)
{
	return sim.checks->nr_violations ? sim.checks->violations[0].text : "none";
}

/* ---- what happened ---------------------------------------------------------------- */

const struct rec *rec_next(const struct rec *prev, enum trace_kind kind, oid_t obj)
{
	for (size_t i = prev ? (size_t)(prev - sim.recs) + 1 : 0; i < sim.nr_recs; i++) {
		if (sim.recs[i].kind == kind && (!obj || sim.recs[i].obj == obj))
			return &sim.recs[i];
	}
	return NULL;
}

const struct rec *rec_last(enum trace_kind kind, oid_t obj)
{
	const struct rec *last = NULL, *r = NULL;

	while ((r = rec_next(r, kind, obj)) != NULL)
		last = r;
	return last;
}

const struct rec *rec_str(const struct rec *prev, enum trace_kind kind, const char *str)
{
	const struct rec *r = prev;

	while ((r = rec_next(r, kind, 0)) != NULL) {
		if (strcmp(r->str, str) == 0)
			return r;
	}
	return NULL;
}

size_t rec_count(enum trace_kind kind, oid_t obj)
{
	size_t n = 0;

	for (const struct rec *r = NULL; (r = rec_next(r, kind, obj)) != NULL;)
		n++;
	return n;
}

size_t rec_count_str(enum trace_kind kind, const char *str)
{
	size_t n = 0;

	for (const struct rec *r = NULL; (r = rec_str(r, kind, str)) != NULL;)
		n++;
	return n;
}

static void digest_word(uint64_t *digest, uint64_t word)
{
	*digest = (*digest ^ word) * UINT64_C(0x100000001b3);
	*digest ^= *digest >> 29;
}

uint64_t rec_digest(void)
{
	uint64_t digest = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < sim.nr_recs; i++) {
		const struct rec *r = &sim.recs[i];

		digest_word(&digest, r->seq);
		digest_word(&digest, r->t);
		digest_word(&digest, r->cause);
		digest_word(&digest, r->obj);
		digest_word(&digest, r->kind | (uint64_t)r->cpu << 16 | (uint64_t)r->ctx << 24);
		digest_word(&digest, r->task | (uint64_t)r->via << 32);
		for (int j = 0; j < TRACE_NR_ARGS; j++)
			digest_word(&digest, (uint64_t)r->arg[j]);
		for (const char *c = r->str; *c; c++)
			digest_word(&digest, (unsigned char)*c);
	}
	return digest;
}
