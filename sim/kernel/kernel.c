// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kernel/kernel.h"

#define WQ_DFL_ACTIVE 256

static void context_switch(struct cpu *cpu, struct task *prev)
{
	rcu_note_context_switch(cpu, prev);
	if (prev && prev->worker)
		wq_worker_sleeping(prev);
}

static void woken(struct task *t)
{
	if (t->worker)
		wq_worker_running(t);
}

void kernel_init(struct world *w, const struct kernel_config *config)
{
	struct kernel *k = world_alloc(w, sizeof(*k));

	w->kernel = k;
	k->rcu_one_flavour = config->rcu_one_flavour;
	rcu_init(w);
	workqueue_init(w);
	sysfs_init(w);
	spin_lock_init(w, &k->percpu_ref_switch_lock, "percpu_ref_switch_lock");
	init_rwsem(w, &k->cpu_hotplug_lock, "cpu_hotplug_lock");
	k->system_wq = alloc_workqueue(w, "events", false, WQ_DFL_ACTIVE);
	w->hooks.context_switch = context_switch;
	w->hooks.section_left = rcu_note_section_left;
	w->hooks.woken = woken;
	w->hooks.softirq[SOFTIRQ_RCU] = rcu_core;
}
