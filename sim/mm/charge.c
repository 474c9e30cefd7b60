// SPDX-License-Identifier: GPL-2.0-only
#include "sim/mm/charge.h"

#include <errno.h>
#include <string.h>

#include "sim/mm/mm.h"

/* Reclaim takes at least this much at a time. */
#define SWAP_CLUSTER_MAX 32
/* Up to this much, any progress is a reason to try again. */
#define COSTLY_PAGES 8
#define MEM_CGROUP_RECLAIM_RETRIES 5

/* ---- a counter that is full -------------------------------------------------- */

enum outcome { CHARGE_RETRY, CHARGE_NOMEM, CHARGE_FORCE };

/* What one try_charge() has tried already. */
struct attempt {
	int64_t nr_pages;
	int nr_retries;
	bool drained;
};

/* Whoever reclaims may go past limits: it is about to free more than it takes. */
static int64_t reclaim_below(struct task *t, struct mem_cgroup *culprit, int64_t nr_pages)
{
	const struct reclaim_ops *reclaim = mm_of(t->w)->reclaim;
	uint16_t gfp = t->gfp;
	int64_t freed;

	if (!reclaim || !reclaim->try_to_free)
		return 0;
	t->gfp |= GFP_MEMALLOC;
	freed = reclaim->try_to_free(t, culprit, nr_pages, !(gfp & GFP_NOFS));
	t->gfp = gfp;
	return freed;
}

static bool has_room(struct task *t, const struct page_counter *c, int64_t nr_pages)
{
	sched_read(t, c->memcg, FIELD_USAGE, "mem_cgroup_margin.usage");
	return c->max - c->usage >= nr_pages;
}

/* Take what can be had below @counter: is there a reason to try again? */
static bool make_room(struct task *t, struct page_counter *counter, struct attempt *a)
{
	struct mem_cgroup *culprit = container_of(counter, struct mem_cgroup, memory);
	const struct mm *mm = mm_of(t->w);
	int64_t freed, want = a->nr_pages;

	freed = reclaim_below(t, culprit, want > SWAP_CLUSTER_MAX ? want : SWAP_CLUSTER_MAX);
	if (mm->reclaim && has_room(t, counter, want))
		return true;
	if (!a->drained) {
		/* Whoever sits below the counter that is full may hold spare pages. */
		drain_all_stock(t, culprit);
		a->drained = true;
		return true;
	}
	if (t->gfp & GFP_NORETRY)
		return false;
	if (freed > 0 && want <= COSTLY_PAGES)
		return true;
	return mm->reclaim && a->nr_retries-- > 0;
}

static enum outcome counter_is_full(struct task *t, struct page_counter *counter, struct attempt *a)
{
	if (t->gfp & (GFP_MEMALLOC | GFP_DYING))
		return CHARGE_FORCE;
	if (!(t->gfp & GFP_ATOMIC) && make_room(t, counter, a))
		return CHARGE_RETRY;
	return t->gfp & GFP_NOFAIL ? CHARGE_FORCE : CHARGE_NOMEM;
}

static void get_charged(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	if (pages_pin(t->w))
		css_get_many(t, &memcg->css, n, HOLD_CHARGE, 0);
}

static void force_charge(struct task *t, struct mem_cgroup *memcg, int64_t n,
			 const struct page_counter *culprit)
{
	trace(t, CHARGE_FORCE, .obj = memcg->css.of, .arg = {n, (int64_t)culprit->memcg});
	page_counter_charge(t, &memcg->memory, n);
	get_charged(t, memcg, n);
}

/* ---- memory.high --------------------------------------------------------------- */

static bool is_over_high(struct task *t, const struct mem_cgroup *memcg)
{
	sched_read(t, memcg->css.of, FIELD_USAGE, "mem_cgroup.over_high");
	return memcg->memory.usage > memcg->high;
}

static void note_over_high(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	const struct mm *mm = mm_of(t->w);

	/* Few scenarios set it: the others are spared the walk. */
	touch(t->w, mm->globals, FIELD_HIGH, ACCESS_READ);
	if (!mm->high_is_set)
		return;
	for (; memcg; memcg = memcg->parent) {
		if (is_over_high(t, memcg)) {
			t->nr_pages_over_high += n;
			return;
		}
	}
}

static void reclaim_high(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	FRAME(t);

	for (; !mem_cgroup_is_root(memcg); memcg = memcg->parent) {
		if (is_over_high(t, memcg))
			reclaim_below(t, memcg, n);
	}
}

void mem_cgroup_handle_over_high_slow(struct task *t)
{
	FRAME_NAMED(t, "mem_cgroup_handle_over_high");
	int64_t n = t->nr_pages_over_high;
	struct mem_cgroup *memcg;

	t->nr_pages_over_high = 0;
	memcg = get_mem_cgroup_from_current(t, t->id);
	reclaim_high(t, memcg, n);
	css_put(t, &memcg->css, HOLD_TEMP, t->id);
}

void mem_cgroup_set_high(struct task *t, struct mem_cgroup *memcg, int64_t high)
{
	FRAME_NAMED(t, "memory_high_write");
	struct mm *mm = mm_of(t->w);
	int64_t usage;

	sched_write(t, memcg->css.of, FIELD_USAGE, "memory_high_write.high");
	touch(t->w, mm->globals, FIELD_HIGH, ACCESS_WRITE);
	memcg->high = high;
	mm->high_is_set = true;
	sched_read(t, memcg->css.of, FIELD_USAGE, "memory_high_write.usage");
	usage = memcg->memory.usage;
	if (usage > high)
		reclaim_below(t, memcg, usage - high);
}

/* ---- charging ------------------------------------------------------------------ */

/* 0 with @batch pages charged, or with none of them since they came from the stock or by force. */
static int charge_batch(struct task *t, struct mem_cgroup *memcg, int64_t n, int64_t *batch)
{
	const struct mm_config *config = &mm_of(t->w)->config;
	struct attempt attempt = {
		.nr_pages = n,
		.nr_retries = config->reclaim_retries ? config->reclaim_retries
						      : MEM_CGROUP_RECLAIM_RETRIES,
	};
	struct page_counter *culprit = NULL;

	while (!consume_stock(t, memcg, n)) {
		if (page_counter_try_charge(t, &memcg->memory, *batch, &culprit))
			return 0;
		if (*batch > n) {
			*batch = n;
			continue;
		}
		switch (counter_is_full(t, culprit, &attempt)) {
		case CHARGE_RETRY:
			continue;
		case CHARGE_FORCE:
			*batch = 0;
			force_charge(t, memcg, n, culprit);
			return 0;
		case CHARGE_NOMEM:
			trace(t, CHARGE_FAIL, .obj = memcg->css.of,
			      .arg = {n, (int64_t)culprit->memcg});
			return -ENOMEM;
		}
	}
	*batch = 0;
	return 0;
}

int try_charge(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	FRAME(t);
	int64_t most = stock_max(t->w), batch = n > most ? n : most;
	int err;

	if (mem_cgroup_is_root(memcg))
		return 0;
	err = charge_batch(t, memcg, n, &batch);
	if (err || batch == 0)
		return err;
	get_charged(t, memcg, batch);
	if (batch > n)
		refill_stock(t, memcg, batch - n);
	note_over_high(t, memcg, batch);
	return 0;
}

void cancel_charge(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	if (mem_cgroup_is_root(memcg))
		return;
	page_counter_uncharge(t, &memcg->memory, n);
	if (pages_pin(t->w))
		css_put_many(t, &memcg->css, n, HOLD_CHARGE, 0);
}

int try_charge_kmem(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	struct page_counter *culprit;

	if (try_charge(t, memcg, n))
		return -ENOMEM;
	if (page_counter_try_charge(t, &memcg->kmem, n, &culprit))
		return 0;
	/* This limit makes nobody reclaim. */
	if (t->gfp & GFP_NOFAIL && mm_of(t->w)->config.kmem_nofail) {
		trace(t, CHARGE_FORCE, .obj = memcg->css.of, .arg = {n, (int64_t)culprit->memcg});
		page_counter_charge(t, &memcg->kmem, n);
		return 0;
	}
	trace(t, CHARGE_FAIL, .obj = memcg->css.of, .arg = {n, (int64_t)culprit->memcg});
	cancel_charge(t, memcg, n);
	return -ENOMEM;
}

int mem_cgroup_charge_user(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	FRAME(t);
	int err = try_charge(t, memcg, n);

	if (!err && mm_of(t->w)->config.charges_pin_nothing)
		user_pages_added(t, memcg);
	else if (!err && mm_of(t->w)->config.stock_pins_once)
		css_get_many(t, &memcg->css, n, HOLD_USER_PAGE, 0);
	else if (!err && !memcg->css.no_ref)
		trace(t, REF_MOVE, .obj = memcg->css.of, .arg = {n, HOLD_CHARGE, HOLD_USER_PAGE});
	if (!err) {
		touch(t->w, memcg->css.of, FIELD_LRU, ACCESS_ADD);
		memcg->lru_pages += n;
	}
	trace(t, USER_CHARGE, .obj = memcg->css.of, .arg = {n, err});
	if (!err)
		mod_memcg_state(t, memcg, MEMCG_STAT_USER, n);
	return err;
}

/* Reclaim may have been faster.  Nothing of a memcg that has lost its last page is touched. */
int64_t mem_cgroup_uncharge_user(struct task *t, struct mem_cgroup *memcg, int64_t n)
{
	FRAME(t);

	if (mm_of(t->w)->config.charges_pin_nothing)
		memcg = user_pages_owner(t, memcg, n);
	touch(t->w, memcg->css.of, FIELD_LRU, ACCESS_RMW);
	if (n > memcg->lru_pages)
		n = memcg->lru_pages;
	if (n == 0)
		return 0;
	memcg->lru_pages -= n;
	trace(t, USER_UNCHARGE, .obj = memcg->css.of, .arg = {n});
	if (!mem_cgroup_is_root(memcg))
		page_counter_uncharge(t, &memcg->memory, n);
	mod_memcg_state(t, memcg, MEMCG_STAT_USER, -n);
	if (!mem_cgroup_is_root(memcg) && !mm_of(t->w)->config.charges_pin_nothing)
		css_put_many(t, &memcg->css, n, HOLD_USER_PAGE, 0);
	return n;
}

/* ---- limits -------------------------------------------------------------------- */

int mem_cgroup_set_max(struct task *t, struct page_counter *c, int64_t max)
{
	FRAME_NAMED(t, "mem_cgroup_resize_max");
	bool takes = mm_of(t->w)->reclaim && strcmp(c->name, "memory") == 0, drained = false;
	struct mem_cgroup *memcg = container_of(c, struct mem_cgroup, memory);

	for (;;) {
		int err = page_counter_set_max(t, c, max);

		if (!err || !takes)
			return err;
		if (!drained) {
			drain_all_stock(t, memcg);
			drained = true;
		} else if (reclaim_below(t, memcg, 1) == 0) {
			return err;
		}
	}
}
