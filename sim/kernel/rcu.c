// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kernel/rcu.h"

#include <string.h>

#include "sim/kernel/kernel.h"
#include "sim/kernel/smp.h"

static struct rcu *rcu_of(struct world *w, enum rcu_flavour flavour)
{
	struct kernel *k = kernel_of(w);

	return &k->rcu[k->rcu_one_flavour ? RCU_NORMAL : flavour];
}

static unsigned int nr_flavours(const struct world *w)
{
	return kernel_of(w)->rcu_one_flavour ? 1 : NR_RCU_FLAVOURS;
}

static bool preemptible_rcu(const struct world *w)
{
	return w->config.preempt == PREEMPT_FULL;
}

/* Does a grace period of @rcu wait for tasks in read sections? */
static bool waits_for_readers(const struct rcu *rcu)
{
	return preemptible_rcu(rcu->w) && rcu->flavour == RCU_NORMAL;
}

/* Does it wait for CPUs that have preemption, softirqs or interrupts off? */
static bool waits_for_cpus(const struct rcu *rcu)
{
	return !waits_for_readers(rcu) || kernel_of(rcu->w)->rcu_one_flavour;
}

/* Is @cpu now where no old section can be open on it? */
static bool cpu_quiescent(const struct cpu *cpu)
{
	if (!cpu->cur)
		return true;
	if (!preemptible_rcu(cpu->w))
		return cpu->cur->in_user && !task_in_section(cpu->cur);
	for (const struct task *t = cpu->cur; t; t = t->below) {
		if (task_in_section(t))
			return false;
	}
	return true;
}

/* ---- grace periods ------------------------------------------------------------ */

/*
 * What a step has to do with grace periods: entering a section conflicts with
 * the start of one, leaving a section as well, and with the end of the one that
 * it holds up.  Leavings commute: the end waits for all of them.  From its start until it is
 * cleaned up, a grace period has the flavour for itself, as if that were a lock.
 */
enum { RCU_STARTED, RCU_ENDED, RCU_READERS, RCU_LEFT, RCU_BARRIER };
#define RCU_CALLBACKS FIELD_NUMBERED   /* and the CPU: its list */
#define RCU_READY (2 * FIELD_NUMBERED) /* and the CPU: those whose grace period has ended */
#define RCU_WAITS (3 * FIELD_NUMBERED) /* and the CPU: a grace period began to wait for it */
/* and the CPU: it has let go.  One step may end a reader's section and the CPU's: two things. */
#define RCU_PASSED (4 * FIELD_NUMBERED)

static void end_if_unblocked(struct rcu *rcu)
{
	struct world *w = rcu->w;

	if (rcu->gp_started == rcu->gp_ended || rcu->end.pending || rcu->nr_readers || rcu->cpus)
		return;
	transition_post(&rcu->end, rcu->gp_earliest > w->now ? rcu->gp_earliest - w->now : 0);
}

static void fire_start(struct event *ev)
{
	struct rcu *rcu = container_of(container_of(ev, struct transition, ev), struct rcu, start);
	struct world *w = rcu->w;

	touch(w, rcu->id, FIELD_LOCK, ACCESS_RMW);
	touch(w, rcu->id, RCU_STARTED, ACCESS_RMW);
	touch(w, rcu->id, RCU_READERS, ACCESS_READ);
	rcu->gp_started++;
	rcu->gp_earliest = w->timed ? w->now + world_cost(w, COST_RCU_GP) : 0;
	if (waits_for_readers(rcu)) {
		list_for_each(node, &rcu->readers) {
			container_of(node, struct task, rcu_node)->rcu_blocks_gp = true;
			rcu->nr_readers++;
		}
	}
	if (waits_for_cpus(rcu)) {
		for (unsigned int i = 0; i < w->config.nr_cpus; i++) {
			touch(w, w->cpus[i].id, FIELD_QUIESCENT, ACCESS_READ);
			if (cpu_quiescent(&w->cpus[i]))
				continue;
			/* That the section began earlier is no part of its context. */
			touch(w, rcu->id, RCU_WAITS + i, ACCESS_WRITE);
			rcu->cpus |= UINT64_C(1) << i;
		}
	}
	trace_env(w, NULL, RCU_GP_START, .obj = rcu->id,
		  .arg = {(int64_t)rcu->gp_started, rcu->nr_readers,
			  __builtin_popcountll(rcu->cpus)});
	end_if_unblocked(rcu);
}

static bool has_ready(const struct rcu *rcu, unsigned int cpu)
{
	const struct list *head = &rcu->callbacks[cpu];

	return !list_empty(head) &&
	       container_of(head->next, struct rcu_head, node)->gp <= rcu->gp_ended;
}

static void fire_end(struct event *ev)
{
	struct rcu *rcu = container_of(container_of(ev, struct transition, ev), struct rcu, end);
	struct world *w = rcu->w;

	touch(w, rcu->id, RCU_ENDED, ACCESS_RMW);
	touch(w, rcu->id, RCU_LEFT, ACCESS_READ);
	rcu->gp_ended = rcu->gp_started;
	trace_env(w, NULL, RCU_GP_END, .obj = rcu->id, .arg = {(int64_t)rcu->gp_ended});
	for (unsigned int i = 0; i < w->config.nr_cpus; i++) {
		touch(w, rcu->id, RCU_PASSED + i, ACCESS_READ);
		touch(w, rcu->id, RCU_READY + i, ACCESS_READ);
		if (has_ready(rcu, i))
			raise_softirq(&w->cpus[i], SOFTIRQ_RCU, world_cost(w, COST_RCU_NOTICE));
	}
	transition_post(&rcu->cleanup, world_cost(w, COST_RCU_GP_CLEANUP));
}

static bool more_wanted(const struct rcu *rcu)
{
	for (unsigned int i = 0; i < rcu->w->config.nr_cpus; i++) {
		const struct list *head = &rcu->callbacks[i];

		if (!list_empty(head) &&
		    container_of(head->prev, struct rcu_head, node)->gp > rcu->gp_started)
			return true;
	}
	return false;
}

/* The kthread is done with the old grace period only here: callbacks may have run before. */
static void fire_cleanup(struct event *ev)
{
	struct rcu *rcu =
		container_of(container_of(ev, struct transition, ev), struct rcu, cleanup);

	touch(rcu->w, rcu->id, FIELD_LOCK, ACCESS_WRITE);
	rcu->gp_seq = rcu->gp_ended;
	trace_env(rcu->w, NULL, RCU_GP_CLEANUP, .obj = rcu->id, .arg = {(int64_t)rcu->gp_seq});
	if (rcu->w->timed && more_wanted(rcu))
		transition_want(&rcu->start, 0);
}

static bool idle(const struct rcu *rcu)
{
	return rcu->gp_started == rcu->gp_seq;
}

static bool may_start(const struct transition *tr)
{
	return idle(container_of(tr, struct rcu, start));
}

/* Untimed, the wish is noted at once and waits until the grace period before is over. */
static void want_start(struct rcu *rcu)
{
	if (idle(rcu) || !rcu->w->timed)
		transition_want(&rcu->start, world_cost(rcu->w, COST_RCU_GP_INIT));
}

/* ---- quiescent states --------------------------------------------------------- */

/* A section ends, whatever lies around it: a grace period must start before or after. */
static void touch_leaving(struct cpu *cpu)
{
	touch(cpu->w, cpu->id, FIELD_QUIESCENT, ACCESS_ADD);
}

/* Mostly nobody waits for @cpu, and this is asked at each switch and each end of a section. */
static inline bool is_awaited(const struct cpu *cpu)
{
	const struct rcu *rcu = kernel_of(cpu->w)->rcu;

	return (rcu[RCU_NORMAL].cpus | rcu[RCU_SCHED].cpus) >> cpu->nr & 1;
}

static void cpu_passed(struct cpu *cpu)
{
	struct kernel *k = kernel_of(cpu->w);

	for (unsigned int f = 0; f < nr_flavours(cpu->w); f++) {
		struct rcu *rcu = &k->rcu[f];

		if (rcu->cpus & UINT64_C(1) << cpu->nr) {
			touch(cpu->w, rcu->id, RCU_PASSED + cpu->nr, ACCESS_ADD);
			rcu->cpus &= ~(UINT64_C(1) << cpu->nr);
			end_if_unblocked(rcu);
		}
	}
}

void rcu_note_context_switch(struct cpu *cpu, struct task *prev)
{
	/* Nothing interrupted can be below: interrupts never switch tasks. */
	if (!prev || (!preemptible_rcu(cpu->w) && !prev->in_user))
		touch_leaving(cpu);
	if (is_awaited(cpu))
		cpu_passed(cpu);
}

void rcu_note_section_left(struct cpu *cpu)
{
	touch_leaving(cpu);
	if (is_awaited(cpu) && cpu_quiescent(cpu))
		cpu_passed(cpu);
}

/* ---- readers ------------------------------------------------------------------ */

void rcu_read_lock(struct task *t)
{
	struct rcu *rcu = &kernel_of(t->w)->rcu[RCU_NORMAL];

	sched_point(t, COST_PERCPU);
	if (t->rcu_nesting++ == 0 && preemptible_rcu(t->w)) {
		touch(t->w, rcu->id, RCU_READERS, ACCESS_ADD);
		list_add_tail(&t->rcu_node, &rcu->readers);
	}
	trace(t, RCU_READ_LOCK, .obj = t->id, .arg = {t->rcu_nesting});
}

void rcu_read_unlock(struct task *t)
{
	struct rcu *rcu = &kernel_of(t->w)->rcu[RCU_NORMAL];

	sched_point(t, COST_PERCPU);
	sim_assert(t->rcu_nesting > 0);
	if (--t->rcu_nesting == 0 && preemptible_rcu(t->w)) {
		touch(t->w, rcu->id, RCU_STARTED, ACCESS_READ);
		if (t->rcu_blocks_gp)
			touch(t->w, rcu->id, RCU_LEFT, ACCESS_ADD);
		list_del(&t->rcu_node);
		if (t->rcu_blocks_gp) {
			t->rcu_blocks_gp = false;
			rcu->nr_readers--;
			end_if_unblocked(rcu);
		}
	}
	trace(t, RCU_READ_UNLOCK, .obj = t->id, .arg = {t->rcu_nesting});
}

/* ---- callbacks ---------------------------------------------------------------- */

static void append(struct rcu *rcu, unsigned int cpu, struct rcu_head *head)
{
	touch(rcu->w, rcu->id, RCU_CALLBACKS + cpu, ACCESS_RMW);
	if (head->of)
		touch(rcu->w, head->of, FIELD_LIFE, ACCESS_READ);
	list_add_tail(&head->node, &rcu->callbacks[cpu]);
	rcu->nr_callbacks[cpu]++;
}

void call_rcu_named(struct task *t, enum rcu_flavour flavour, struct rcu_head *head,
		    void (*func)(struct task *t, struct rcu_head *head), const char *name, oid_t of)
{
	struct rcu *rcu = rcu_of(t->w, flavour);

	sched_point(t, COST_PERCPU);
	touch(t->w, rcu->id, RCU_STARTED, ACCESS_READ);
	head->func = func;
	head->name = name;
	head->of = of;
	head->gp = rcu->gp_started + 1;
	append(rcu, t->cpu->nr, head);
	head->cause = trace(t, CALL_RCU, .obj = rcu->id, .arg = {(int64_t)of, (int64_t)head->gp},
			    .str = name);
	want_start(rcu);
}

static void invoke(struct task *t, struct rcu *rcu, struct rcu_head *head)
{
	FRAME_NAMED(t, head->name);

	sched_point(t, COST_RCU_CALLBACK);
	if (head->of)
		touch(t->w, head->of, FIELD_LIFE, ACCESS_READ);
	trace(t, RCU_CALLBACK, .obj = rcu->id, .arg = {(int64_t)head->of, (int64_t)head->gp},
	      .str = head->name, .cause = head->cause, .via = VIA_CALL_RCU);
	head->func(t, head);
}

static void rcu_do_batch(struct task *t, struct rcu *rcu)
{
	FRAME(t);
	unsigned int cpu = t->cpu->nr;

	touch(t->w, rcu->id, RCU_ENDED, ACCESS_READ);
	touch(t->w, rcu->id, RCU_CALLBACKS + cpu, ACCESS_RMW);
	touch(t->w, rcu->id, RCU_READY + cpu, ACCESS_RMW);
	for (int n = 0; n < RCU_BLIMIT && has_ready(rcu, cpu); n++) {
		struct rcu_head *head =
			container_of(list_pop(&rcu->callbacks[cpu]), struct rcu_head, node);

		invoke(t, rcu, head);
		touch(t->w, rcu->id, RCU_ENDED, ACCESS_READ);
		touch(t->w, rcu->id, RCU_CALLBACKS + cpu, ACCESS_RMW);
		touch(t->w, rcu->id, RCU_READY + cpu, ACCESS_RMW);
		/* Only now: rcu_barrier() has to wait for it as well. */
		rcu->nr_callbacks[cpu]--;
	}
	if (has_ready(rcu, cpu))
		raise_softirq(t->cpu, SOFTIRQ_RCU, world_cost(t->w, COST_IRQ_ENTRY));
}

void rcu_core(struct task *t)
{
	FRAME(t);
	struct kernel *k = kernel_of(t->w);

	for (unsigned int f = 0; f < nr_flavours(t->w); f++)
		rcu_do_batch(t, &k->rcu[f]);
}

/* ---- waiting ------------------------------------------------------------------- */

struct waiting_head {
	struct rcu_head head;
	struct completion done;
};

static void wakeme_after_rcu(struct task *t, struct rcu_head *head)
{
	complete(t, &container_of(head, struct waiting_head, head)->done);
}

void synchronize_rcu(struct task *t, enum rcu_flavour flavour)
{
	FRAME(t);
	struct waiting_head wait;
	struct rcu *rcu = rcu_of(t->w, flavour);

	trace(t, RCU_SYNC_BEGIN, .obj = rcu->id);
	init_completion(t->w, &wait.done);
	call_rcu_named(t, flavour, &wait.head, wakeme_after_rcu, "wakeme_after_rcu", 0);
	wait_for_completion(t, &wait.done, "grace period");
	trace(t, RCU_SYNC_END, .obj = rcu->id);
}

struct barrier {
	struct rcu *rcu;
	uint32_t count; /* CPUs whose callbacks have not all run, and the caller itself */
	struct completion done;
};

struct barrier_head {
	struct rcu_head head;
	struct barrier *barrier;
};

static void rcu_barrier_callback(struct task *t, struct rcu_head *head)
{
	struct barrier *b = container_of(head, struct barrier_head, head)->barrier;

	touch(t->w, b->done.id, FIELD_REF, ACCESS_ADD);
	if (--b->count == 0)
		complete(t, &b->done);
}

/*
 * On each CPU that has callbacks, by IPI: behind the last one, in its grace
 * period.  When the last one is being run, that softirq goes on with ours.
 */
static void rcu_barrier_func(struct task *t, void *arg)
{
	struct barrier_head *bh = arg;
	struct rcu *rcu = bh->barrier->rcu;
	struct list *list = &rcu->callbacks[t->cpu->nr];

	touch(t->w, rcu->id, RCU_CALLBACKS + t->cpu->nr, ACCESS_READ);
	touch(t->w, rcu->id, RCU_ENDED, ACCESS_READ);
	if (rcu->nr_callbacks[t->cpu->nr] == 0)
		return;
	touch(t->w, bh->barrier->done.id, FIELD_REF, ACCESS_ADD);
	bh->barrier->count++;
	bh->head.func = rcu_barrier_callback;
	bh->head.name = "rcu_barrier_callback";
	bh->head.of = 0;
	bh->head.gp = list_empty(list) ? rcu->gp_ended
				       : container_of(list->prev, struct rcu_head, node)->gp;
	bh->head.cause = trace(t, CALL_RCU, .obj = rcu->id, .arg = {0, (int64_t)bh->head.gp},
			       .str = bh->head.name);
	append(rcu, t->cpu->nr, &bh->head);
}

void rcu_barrier(struct task *t, enum rcu_flavour flavour)
{
	FRAME(t);
	struct world *w = t->w;
	struct rcu *rcu = rcu_of(w, flavour);
	size_t size = w->config.nr_cpus * sizeof(struct barrier_head);
	struct barrier_head *heads = world_alloc(w, size);
	struct barrier b = {.rcu = rcu, .count = 1};
	uint64_t snap;

	trace(t, RCU_BARRIER_BEGIN, .obj = rcu->id);
	touch(w, rcu->id, RCU_BARRIER, ACCESS_READ);
	snap = rcu->barrier_started;
	mutex_lock(t, &rcu->barrier_mutex);
	/* Somebody's barrier began and ended since we were called: it covers ours. */
	if (rcu->barrier_ended > snap)
		goto out;
	touch(w, rcu->id, RCU_BARRIER, ACCESS_RMW);
	rcu->barrier_started++;
	init_completion(w, &b.done);
	down_read(t, &kernel_of(w)->cpu_hotplug_lock);
	for (unsigned int i = 0; i < w->config.nr_cpus; i++) {
		heads[i].barrier = &b;
		sched_point(t, COST_PERCPU);
		touch(w, rcu->id, RCU_CALLBACKS + i, ACCESS_READ);
		if (rcu->nr_callbacks[i] > 0)
			smp_call_function_single(t, &w->cpus[i], "rcu_barrier_func",
						 rcu_barrier_func, &heads[i]);
	}
	up_read(t, &kernel_of(w)->cpu_hotplug_lock);
	touch(w, b.done.id, FIELD_REF, ACCESS_RMW);
	if (--b.count > 0)
		wait_for_completion(t, &b.done, "rcu_barrier");
	touch(w, b.done.id, FIELD_REF, ACCESS_READ);
	rcu->barrier_ended = rcu->barrier_started;
out:
	mutex_unlock(t, &rcu->barrier_mutex);
	trace(t, RCU_BARRIER_END, .obj = rcu->id);
	world_free(w, heads, size);
}

void rcu_init(struct world *w)
{
	unsigned int nr_cpus = w->config.nr_cpus;

	for (unsigned int f = 0; f < nr_flavours(w); f++) {
		struct rcu *rcu = &kernel_of(w)->rcu[f];

		rcu->id = world_new_id(w, OBJ_RCU);
		rcu->w = w;
		rcu->flavour = (enum rcu_flavour)f;
		transition_init(&rcu->start, w, TRANSITION_ENV, rcu->id, "gp_start", fire_start);
		rcu->start.ready = may_start;
		transition_init(&rcu->end, w, TRANSITION_ENV, rcu->id, "gp_end", fire_end);
		transition_init(&rcu->cleanup, w, TRANSITION_ENV, rcu->id, "gp_cleanup",
				fire_cleanup);
		rcu->callbacks = world_alloc(w, nr_cpus * sizeof(*rcu->callbacks));
		rcu->nr_callbacks = world_alloc(w, nr_cpus * sizeof(*rcu->nr_callbacks));
		for (unsigned int i = 0; i < nr_cpus; i++)
			list_init(&rcu->callbacks[i]);
		list_init(&rcu->readers);
		mutex_init(w, &rcu->barrier_mutex, "rcu_state.barrier_mutex");
	}
}
