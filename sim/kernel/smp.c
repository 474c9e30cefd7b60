// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kernel/smp.h"

/* One broadcast; freed by its sender once every CPU has answered. */
struct call {
	void (*func)(struct task *t, void *arg);
	void *arg;
	const char *name; /* of @func */
	struct task *sender;
	uint32_t outstanding;
	bool waiting; /* the sender has nothing left to do; it may spin on a lock before that */
	struct irq_action irqs[];
};

static void call_here(struct task *t, const struct call *call)
{
	FRAME_NAMED(t, call->name);

	call->func(t, call->arg);
}

static void answer(struct task *t, void *arg)
{
	struct call *call = arg;

	call_here(t, call);
	sched_point(t, COST_ATOMIC);
	touch(t->w, call->sender->id, FIELD_REF, ACCESS_ADD);
	if (--call->outstanding == 0 && call->waiting)
		spin_release(call->sender);
}

void on_each_cpu_mask(struct task *t, uint64_t mask, const char *name,
		      void (*func)(struct task *t, void *arg), void *arg)
{
	FRAME(t);
	struct world *w = t->w;
	size_t size = sizeof(struct call) + w->config.nr_cpus * sizeof(struct irq_action);
	struct call *call = world_alloc(w, size);

	preempt_disable(t);
	call->func = func;
	call->arg = arg;
	call->name = name;
	call->sender = t;
	for (unsigned int i = 0; i < w->config.nr_cpus; i++) {
		if (!(mask & UINT64_C(1) << i) || i == t->cpu->nr)
			continue;
		call->outstanding++;
		irq_post(&call->irqs[i], &w->cpus[i], name, answer, call, world_cost(w, COST_IPI),
			 w->nr_records);
	}
	if (mask & UINT64_C(1) << t->cpu->nr) {
		local_irq_disable(t);
		call_here(t, call);
		local_irq_enable(t);
	}
	touch(w, t->id, FIELD_REF, ACCESS_RMW);
	call->waiting = call->outstanding > 0;
	if (call->waiting)
		task_spin(t, 0);
	touch(w, t->id, FIELD_REF, ACCESS_READ);
	preempt_enable(t);
	world_free(w, call, size);
}

void smp_call_function_single(struct task *t, struct cpu *cpu, const char *name,
			      void (*func)(struct task *t, void *arg), void *arg)
{
	on_each_cpu_mask(t, UINT64_C(1) << cpu->nr, name, func, arg);
}
