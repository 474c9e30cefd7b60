// SPDX-License-Identifier: GPL-2.0-only
#include "sim/mm/stock.h"

#include "sim/mm/mm.h"

int64_t stock_max(const struct world *w)
{
	int32_t batch = mm_of(w)->config.charge_batch;

	return batch ? batch : MEMCG_CHARGE_BATCH;
}

struct stock *this_stock(struct task *t)
{
	return &mm_of(t->w)->stocks[t->cpu->nr];
}

void touch_stock(struct task *t, const struct stock *stock)
{
	touch(t->w, mm_of(t->w)->globals, FIELD_NUMBERED + (uint32_t)(stock - mm_of(t->w)->stocks),
	      ACCESS_RMW);
}

bool pages_pin(const struct world *w)
{
	const struct mm_config *config = &mm_of(w)->config;

	return !config->stock_pins_once && !config->charges_pin_nothing;
}

static const struct cpu *cpu_of(const struct world *w, const struct stock *stock)
{
	return &w->cpus[stock - mm_of(w)->stocks];
}

/* Does a memcg stay while a stock names it, be it without pages? */
static bool pins_entry(const struct world *w)
{
	const struct mm_config *config = &mm_of(w)->config;

	return config->stock_pins_once || !config->stock_entry_unpinned;
}

/* This CPU's, with interrupts off, or that of one that is gone. */
static void drain_stock(struct task *t, struct stock *stock)
{
	FRAME(t);
	struct mem_cgroup *old = stock->cached;
	const struct cpu *cpu = cpu_of(t->w, stock);
	int64_t n = stock->nr_pages;

	touch_stock(t, stock);
	if (n > 0) {
		stock->nr_pages = 0;
		trace(t, STOCK_DRAIN, .obj = old->css.of, .arg = {n, cpu->nr});
		page_counter_uncharge(t, &old->memory, n);
		if (pages_pin(t->w))
			css_put_many(t, &old->css, n, HOLD_STOCK, cpu->id);
	}
	/* Cleared after the put: whoever looks at it from elsewhere is in a read section. */
	if (old && pins_entry(t->w))
		css_put(t, &old->css, HOLD_STOCK_ENTRY, cpu->id);
	stock->cached = NULL;
}

void drain_gone_stock(struct task *t, struct stock *stock)
{
	drain_stock(t, stock);
}

static void drain_this_stock(struct task *t, struct stock *stock)
{
	const struct lifecycle_ops *ops = mm_of(t->w)->ops;
	struct obj_cgroup *objcg = NULL;

	local_irq_disable(t);
	sched_point(t, COST_PERCPU);
	if (ops->drain_obj_stock)
		objcg = ops->drain_obj_stock(t, stock);
	drain_stock(t, stock);
	touch_stock(t, stock);
	stock->flushing = false;
	local_irq_enable(t);
	if (objcg)
		ops->put_drained(t, stock, objcg);
}

static void drain_local_stock(struct task *t, struct work_struct *work)
{
	drain_this_stock(t, container_of(work, struct stock, work));
}

void stock_init(struct task *t, struct stock *stock)
{
	INIT_WORK(t, &stock->work, drain_local_stock, 0);
}

static void move_css_refs(struct task *t, struct mem_cgroup *memcg, int64_t n, enum holder from,
			  enum holder to)
{
	if (!memcg->css.no_ref && pages_pin(t->w))
		trace(t, REF_MOVE, .obj = memcg->css.of, .arg = {n, from, to, (int64_t)t->cpu->id});
}

bool consume_stock(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	struct stock *stock;
	bool ok;

	local_irq_disable(t);
	sched_point(t, COST_PERCPU);
	stock = this_stock(t);
	touch_stock(t, stock);
	ok = stock->cached == memcg && stock->nr_pages >= n;
	if (ok) {
		stock->nr_pages -= n;
		trace(t, STOCK_CONSUME, .obj = memcg->css.of, .arg = {n, t->cpu->nr});
		move_css_refs(t, memcg, n, HOLD_STOCK, HOLD_CHARGE);
	}
	local_irq_enable(t);
	return ok;
}

void refill_stock(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	FRAME(t);
	struct stock *stock;

	local_irq_disable(t);
	sched_point(t, COST_PERCPU);
	stock = this_stock(t);
	touch_stock(t, stock);
	if (stock->cached != memcg) {
		drain_stock(t, stock);
		if (pins_entry(t->w))
			css_get(t, &memcg->css, HOLD_STOCK_ENTRY, t->cpu->id);
		stock->cached = memcg;
	}
	touch_stock(t, stock);
	stock->nr_pages += n;
	trace(t, STOCK_REFILL, .obj = memcg->css.of, .arg = {n, t->cpu->nr});
	move_css_refs(t, memcg, n, HOLD_CHARGE, HOLD_STOCK);
	usage_changed(t);
	if (stock->nr_pages > stock_max(t->w))
		drain_stock(t, stock);
	local_irq_enable(t);
}

/* Two loads, without a lock, while the stock's own CPU goes on. */
static bool keeps_pages(struct task *t, struct stock *stock, struct mem_cgroup *root)
{
	struct mem_cgroup *memcg;

	sched_read(t, mm_of(t->w)->globals, FIELD_STOCK, "drain_all_stock.cached");
	touch_stock(t, stock);
	memcg = stock->cached;
	if (!memcg)
		return false;
	sched_point(t, COST_PART);
	touch_stock(t, stock);
	if (stock->nr_pages == 0)
		return false;
	trace_access(t, memcg->css.of, FIELD_PARENT, ACCESS_READ, "drain_all_stock.descendant");
	return mem_cgroup_is_descendant(memcg, root);
}

static bool below(struct task *t, struct stock *stock, struct mem_cgroup *root)
{
	const struct lifecycle_ops *ops = mm_of(t->w)->ops;

	return keeps_pages(t, stock, root) ||
	       (ops->obj_stock_below && ops->obj_stock_below(t, stock, root));
}

static bool wants_drain(struct task *t, struct stock *stock, struct mem_cgroup *root)
{
	const struct mm_config *config = &mm_of(t->w)->config;
	bool wants;

	if (config->drain_unlocked && config->stock_entry_unpinned)
		return below(t, stock, root) && !stock->flushing;
	rcu_read_lock(t);
	wants = below(t, stock, root);
	rcu_read_unlock(t);
	touch_stock(t, stock);
	return wants && !stock->flushing;
}

void drain_stocks(struct task *t, struct mem_cgroup *root)
{
	struct world *w = t->w;
	struct mm *mm = mm_of(w);

	preempt_disable(t);
	for (unsigned int i = 0; i < w->config.nr_cpus; i++) {
		struct stock *stock = &mm->stocks[i];

		if (mm->cpus_gone >> i & 1 || !wants_drain(t, stock, root))
			continue;
		stock->flushing = true;
		if (i == t->cpu->nr)
			drain_this_stock(t, stock);
		else
			queue_work_on(t, &w->cpus[i], kernel_of(w)->system_wq, &stock->work);
	}
	preempt_enable(t);
}

void drain_all_stock(struct task *t, struct mem_cgroup *root)
{
	FRAME(t);
	struct mutex *percpu_charge_mutex = &mm_of(t->w)->percpu_charge_mutex;

	/* Whoever drains already, maybe for another subtree: that has to do. */
	if (!mutex_trylock(t, percpu_charge_mutex))
		return;
	drain_stocks(t, root);
	mutex_unlock(t, percpu_charge_mutex);
}
