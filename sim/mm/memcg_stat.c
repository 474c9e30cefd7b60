// SPDX-License-Identifier: GPL-2.0-only
#include "sim/mm/memcg_stat.h"

#include <errno.h>

#include "sim/mm/mm.h"

/* A cell that is further off goes up: pages, of which a page of bytes counts as one. */
#define STAT_BATCH 32
#define PAGE_BYTES INT64_C(4096)
/* Nothing stays in cells for longer. */
#define FLUSH_TIME UINT64_C(2000000000) /* ns */

#define FIELD_CELL(cpu) (FIELD_NUMBERED + (cpu))

static enum memcg_stat_form form_of(const struct task *t)
{
	return mm_of(t->w)->config.stats;
}

static struct memcg_stat_cpu *part_of(const struct mem_cgroup *memcg, unsigned int cpu)
{
	return &memcg->stat->cpu[cpu];
}

/* What a CPU that is gone had begun ends elsewhere. */
static unsigned int counting_cpu(const struct task *t)
{
	uint64_t gone = mm_of(t->w)->cpus_gone;

	return gone >> t->cpu->nr & 1 ? (unsigned int)__builtin_ctzll(~gone) : t->cpu->nr;
}

bool memcg_stat_enabled(const struct world *w)
{
	return mm_of(w)->statistics;
}

/* ---- totals -------------------------------------------------------------------- */

/* @from is whose cells it was, or the child whose total has just grown. */
static void count(struct task *t, struct mem_cgroup *memcg, enum memcg_stat_item item, int64_t n,
		  const struct mem_cgroup *from)
{
	int64_t *total = &memcg->stat->total[item];

	touch(t->w, memcg->css.of, FIELD_STAT, ACCESS_ADD);
	*total += n;
	trace(t, STAT_COUNT, .obj = memcg->css.of, .arg = {item, n, (int64_t)from->css.of, *total});
}

static void count_up_the_tree(struct task *t, struct mem_cgroup *memcg, enum memcg_stat_item item,
			      int64_t n)
{
	const struct mem_cgroup *from = memcg;

	for (; memcg; memcg = memcg->parent) {
		sched_point(t, COST_ATOMIC);
		count(t, memcg, item, n, from);
		from = memcg;
	}
}

static void take_cell(struct task *t, struct mem_cgroup *memcg, enum memcg_stat_item item,
		      unsigned int cpu)
{
	int64_t *cell = &part_of(memcg, cpu)->cell[item];

	trace(t, STAT_TAKE, .obj = memcg->css.of, .arg = {item, *cell, cpu, 0});
	*cell = 0;
}

/* ---- rstat --------------------------------------------------------------------- */

static struct spinlock *cpu_lock(struct task *t, unsigned int cpu)
{
	return &mm_of(t->w)->rstat_cpu_lock[cpu];
}

/* The kernel's is a timer in a softirq: what it may come between is the same here. */
static void flush_timer(struct task *t, void *arg)
{
	FRAME_NAMED(t, "delayed_work_timer_fn");
	struct stat_flusher *f = arg;

	schedule_work(t, &f->work);
}

/* @t has counted something that nobody will flush before a timer comes. */
static void arm_flusher(struct task *t)
{
	struct mm *mm = mm_of(t->w);
	struct stat_flusher *f = &mm->stat_flusher;

	touch(t->w, mm->globals, FIELD_STAT_FLUSHER, ACCESS_READ);
	if (f->armed)
		return;
	touch(t->w, mm->globals, FIELD_STAT_FLUSHER, ACCESS_WRITE);
	f->armed = true;
	irq_post(&f->timer, t->cpu, "stats_flush_dwork", flush_timer, f, FLUSH_TIME,
		 t->w->nr_records);
}

/* Interrupts off.  Puts @memcg and those above it on this CPU's tree, as far as they are not. */
static void cgroup_rstat_updated(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	unsigned int cpu = counting_cpu(t);

	sched_point(t, COST_PERCPU);
	touch(t->w, memcg->css.of, FIELD_CELL(cpu), ACCESS_READ);
	if (part_of(memcg, cpu)->updated)
		return;
	spin_lock_irq(t, cpu_lock(t, cpu));
	for (; memcg; memcg = memcg->parent) {
		struct memcg_stat_cpu *part = part_of(memcg, cpu);

		touch(t->w, memcg->css.of, FIELD_CELL(cpu), ACCESS_RMW);
		if (part->updated)
			break;
		part->updated = true;
		if (memcg->parent)
			list_add_tail(&part->node, &part_of(memcg->parent, cpu)->children);
	}
	spin_unlock_irq(t, cpu_lock(t, cpu));
	arm_flusher(t);
}

/* What a CPU has counted, and what children have handed up, goes to the total and further up. */
static void flush_part(struct task *t, struct memcg_stat_cpu *part, unsigned int cpu)
{
	struct mem_cgroup *memcg = part->memcg, *parent = memcg->parent;

	for (int i = 0; i < NR_MEMCG_STATS; i++) {
		int64_t n = memcg->stat->pending[i] + part->cell[i];

		touch(t->w, memcg->css.of, FIELD_CELL(cpu), ACCESS_RMW);
		if (!memcg->stat->pending[i] && !part->cell[i])
			continue;
		memcg->stat->pending[i] = 0;
		if (part->cell[i])
			take_cell(t, memcg, (enum memcg_stat_item)i, cpu);
		sched_point(t, COST_ATOMIC);
		count(t, memcg, (enum memcg_stat_item)i, n, memcg);
		if (!parent || !n)
			continue;
		parent->stat->pending[i] += n;
		trace(t, STAT_PASS, .obj = parent->css.of,
		      .arg = {i, n, (int64_t)memcg->css.of, parent->stat->pending[i]});
	}
}

/* Children first, so that what they hand up is counted as well. */
static void flush_tree(struct task *t, struct memcg_stat_cpu *part, unsigned int cpu)
{
	while (!list_empty(&part->children)) {
		struct memcg_stat_cpu *child =
			container_of(part->children.next, struct memcg_stat_cpu, node);

		flush_tree(t, child, cpu);
	}
	touch(t->w, part->memcg->css.of, FIELD_CELL(cpu), ACCESS_RMW);
	part->updated = false;
	if (part->memcg->parent)
		list_del(&part->node);
	flush_part(t, part, cpu);
}

static void cgroup_rstat_flush(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);

	spin_lock_irq(t, &mm->rstat_lock);
	for (unsigned int cpu = 0; cpu < t->w->config.nr_cpus; cpu++) {
		spin_lock(t, cpu_lock(t, cpu));
		touch(t->w, memcg->css.of, FIELD_CELL(cpu), ACCESS_READ);
		if (part_of(memcg, cpu)->updated)
			flush_tree(t, part_of(memcg, cpu), cpu);
		spin_unlock(t, cpu_lock(t, cpu));
	}
	spin_unlock_irq(t, &mm->rstat_lock);
}

static void flush_memcg_stats_dwork(struct task *t, struct work_struct *work)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);

	(void)work;
	/* What is counted from here on is for the next one. */
	sched_write(t, mm->globals, FIELD_STAT_FLUSHER, "flush_memcg_stats_dwork.rearm");
	mm->stat_flusher.armed = false;
	cgroup_rstat_flush(t, mm->root_memcg);
}

/* ---- counting ------------------------------------------------------------------ */

static int64_t batch_of(const struct task *t, enum memcg_stat_item item)
{
	bool bytes = item == MEMCG_STAT_SLAB && mm_of(t->w)->config.stat_bytes;

	return bytes ? STAT_BATCH * PAGE_BYTES : STAT_BATCH;
}

/* Interrupts off, unless somebody forgot: then one may come between the load and the store. */
static void add_to_cell(struct task *t, struct mem_cgroup *memcg, enum memcg_stat_item item,
			int64_t n)
{
	unsigned int cpu = counting_cpu(t);
	int64_t *cell, old;

	sched_point(t, COST_PERCPU);
	touch(t->w, memcg->css.of, FIELD_CELL(cpu), ACCESS_READ);
	cell = &part_of(memcg, cpu)->cell[item];
	old = *cell;
	if (mm_of(t->w)->config.stat_irqs_on)
		sched_point(t, COST_PART);
	touch(t->w, memcg->css.of, FIELD_CELL(cpu), ACCESS_RMW);
	*cell = old + n;
	trace(t, STAT_ADD, .obj = memcg->css.of, .arg = {item, n, cpu, *cell});
}

static void propagate(struct task *t, struct mem_cgroup *memcg, enum memcg_stat_item item)
{
	unsigned int cpu = counting_cpu(t);
	int64_t n = part_of(memcg, cpu)->cell[item], batch = batch_of(t, item);

	if (form_of(t) == STATS_PER_CPU || (n <= batch && n >= -batch))
		return;
	take_cell(t, memcg, item, cpu);
	if (form_of(t) == STATS_PER_MEMCG) {
		sched_point(t, COST_ATOMIC);
		count(t, memcg, item, n, memcg);
	} else {
		count_up_the_tree(t, memcg, item, n);
	}
}

void mod_memcg_state(struct task *t, struct mem_cgroup *memcg, enum memcg_stat_item item, int64_t n)
{
	FRAME(t);
	bool irqs_on = mm_of(t->w)->config.stat_irqs_on;

	if (!memcg_stat_enabled(t->w))
		return;
	if (irqs_on)
		preempt_disable(t);
	else
		local_irq_disable(t);
	add_to_cell(t, memcg, item, n);
	if (form_of(t) == STATS_RSTAT)
		cgroup_rstat_updated(t, memcg);
	else
		propagate(t, memcg, item);
	if (irqs_on)
		preempt_enable(t);
	else
		local_irq_enable(t);
}

/* ---- reading ------------------------------------------------------------------- */

static int64_t sum_cells(struct task *t, const struct mem_cgroup *memcg, enum memcg_stat_item item)
{
	int64_t sum = 0;

	for (unsigned int cpu = 0; cpu < t->w->config.nr_cpus; cpu++) {
		touch(t->w, memcg->css.of, FIELD_CELL(cpu), ACCESS_READ);
		sum += part_of(memcg, cpu)->cell[item];
	}
	return sum;
}

static int64_t sum_subtree(struct task *t, const struct mem_cgroup *memcg,
			   enum memcg_stat_item item)
{
	int64_t sum;

	if (form_of(t) == STATS_PER_CPU) {
		sum = sum_cells(t, memcg, item);
	} else {
		touch(t->w, memcg->css.of, FIELD_STAT, ACCESS_READ);
		sum = memcg->stat->total[item];
	}
	touch(t->w, memcg->css.of, FIELD_LIST, ACCESS_READ);
	list_for_each(node, &memcg->children)
		sum += sum_subtree(t, container_of(node, struct mem_cgroup, sibling), item);
	return sum;
}

int64_t memcg_page_state(struct task *t, struct mem_cgroup *memcg, enum memcg_stat_item item)
{
	FRAME(t);
	int64_t value;

	if (!memcg_stat_enabled(t->w))
		return 0;
	if (form_of(t) == STATS_RSTAT)
		cgroup_rstat_flush(t, memcg);
	sched_read(t, memcg->css.of, FIELD_STAT, "memcg_page_state.total");
	if (form_of(t) == STATS_PER_CPU || form_of(t) == STATS_PER_MEMCG)
		value = sum_subtree(t, memcg, item);
	else
		value = memcg->stat->total[item];
	value = value < 0 ? 0 : value;
	trace(t, STAT_READ, .obj = memcg->css.of, .arg = {item, value});
	return value;
}

/* ---- the life of a memcg ------------------------------------------------------- */

int memcg_stat_alloc(struct task *t, struct mem_cgroup *memcg)
{
	unsigned int nr_cpus = t->w->config.nr_cpus;
	struct memcg_stat *stat;

	if (!memcg_stat_enabled(t->w))
		return 0;
	stat = world_alloc(t->w, sizeof(*stat));
	memcg->stat = stat;
	if (memcg->parent && fault_point(t, "mem_cgroup_alloc.vmstats_percpu"))
		return -ENOMEM;
	stat->cpu = world_alloc(t->w, nr_cpus * sizeof(*stat->cpu));
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		stat->cpu[cpu].memcg = memcg;
		list_init(&stat->cpu[cpu].children);
		list_init(&stat->cpu[cpu].node);
	}
	return 0;
}

/* Which CPU's cells are read for @cpu: as first merged, always one's own. */
static unsigned int cell_for(const struct task *t, unsigned int cpu)
{
	return mm_of(t->w)->config.stat_flush_own_cpu ? t->cpu->nr : cpu;
}

static void memcg_flush_percpu_vmstats(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);

	if (!memcg->stat->cpu) {
		trace(t, NULL_DEREF, .obj = memcg->css.of, .str = "vmstats_percpu");
		return;
	}
	for (int i = 0; i < NR_MEMCG_STATS; i++) {
		int64_t n = 0;

		for (unsigned int cpu = 0; cpu < t->w->config.nr_cpus; cpu++) {
			unsigned int from = cell_for(t, cpu);

			if (mm_of(t->w)->cpus_gone >> cpu & 1)
				continue;
			touch(t->w, memcg->css.of, FIELD_CELL(from), ACCESS_READ);
			n += part_of(memcg, from)->cell[i];
		}
		if (n)
			count_up_the_tree(t, memcg, (enum memcg_stat_item)i, n);
	}
}

/* At one moment, though other CPUs go on meanwhile. */
static void flush_gone(struct task *t, struct mem_cgroup *memcg, unsigned int cpu)
{
	for (int i = 0; i < NR_MEMCG_STATS; i++) {
		enum memcg_stat_item item = (enum memcg_stat_item)i;
		int64_t n = part_of(memcg, cpu)->cell[i];
		const struct mem_cgroup *from = memcg;

		touch(t->w, memcg->css.of, FIELD_CELL(cpu), ACCESS_RMW);
		if (!n)
			continue;
		take_cell(t, memcg, item, cpu);
		for (struct mem_cgroup *up = memcg; up; up = up->parent) {
			count(t, up, item, n, from);
			from = up;
			if (form_of(t) == STATS_PER_MEMCG)
				break;
		}
	}
	touch(t->w, memcg->css.of, FIELD_LIST, ACCESS_READ);
	list_for_each(node, &memcg->children)
		flush_gone(t, container_of(node, struct mem_cgroup, sibling), cpu);
}

void memcg_stat_cpu_gone(struct task *t, unsigned int cpu)
{
	struct mm *mm = mm_of(t->w);
	bool folds = form_of(t) == STATS_UP_THE_TREE || form_of(t) == STATS_PER_MEMCG;

	if (!memcg_stat_enabled(t->w))
		return;
	sched_point(t, COST_PERCPU);
	if (folds)
		flush_gone(t, mm->root_memcg, mm->config.stat_gone_own_cpu ? t->cpu->nr : cpu);
	trace(t, CPU_GONE, .obj = t->w->cpus[cpu].id, .arg = {cpu, folds});
}

void memcg_stat_alloc_failed(struct task *t, struct mem_cgroup *memcg)
{
	const struct mm_config *config = &mm_of(t->w)->config;

	if (memcg->stat && config->stats == STATS_UP_THE_TREE && config->stat_flush_failed_alloc)
		memcg_flush_percpu_vmstats(t, memcg);
}

void memcg_stat_released(struct task *t, struct mem_cgroup *memcg)
{
	if (memcg_stat_enabled(t->w) && form_of(t) == STATS_RSTAT)
		cgroup_rstat_flush(t, memcg);
}

void memcg_stat_free(struct task *t, struct mem_cgroup *memcg)
{
	if (!memcg_stat_enabled(t->w))
		return;
	if (form_of(t) == STATS_UP_THE_TREE && !mm_of(t->w)->config.stat_lost)
		memcg_flush_percpu_vmstats(t, memcg);
	if (form_of(t) == STATS_RSTAT)
		cgroup_rstat_flush(t, memcg);
	/* The memory stays, as that of memcgs does: whoever still uses it is to be caught. */
}

void memcg_stat_enable(struct task *t)
{
	struct mm *mm = mm_of(t->w);
	unsigned int nr_cpus = t->w->config.nr_cpus;

	mm->statistics = true;
	if (form_of(t) == STATS_RSTAT) {
		spin_lock_init(t->w, &mm->rstat_lock, "cgroup_rstat_lock");
		mm->rstat_cpu_lock = world_alloc(t->w, nr_cpus * sizeof(*mm->rstat_cpu_lock));
		for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
			spin_lock_init(t->w, &mm->rstat_cpu_lock[cpu], "cgroup_rstat_cpu_lock");
		INIT_WORK(t, &mm->stat_flusher.work, flush_memcg_stats_dwork, mm->globals);
	}
	(void)memcg_stat_alloc(t, mm->root_memcg);
	/* Says that from now on everything is counted. */
	trace(t, STAT_COUNT, .obj = mm->root_memcg->css.of,
	      .arg = {MEMCG_STAT_USER, 0, (int64_t)mm->root_memcg->css.of, 0});
}
