// SPDX-License-Identifier: GPL-2.0-only
/*
 * leak: what nobody can reach any more is gone when nothing is left to happen.
 *
 * An offline memcg may stay for a reason that somebody can still end: a page of
 * user memory, the scenario's own reference, a stock, a child, or live objects in
 * pages or caches that pin it.  Each held reference is judged by its holder, so
 * one that leaked shows even while another is legal.  Slab pages without a live
 * object are no reason: nobody will ever free them.
 *
 * A cache of a memcg that is offline and still there dies with that memcg, and is
 * therefore judged with it; after reparenting it has to go by itself.  So has an objcg,
 * which live objects, a stock, a task or a memcg may keep.  The css of another controller may
 * be kept by its children alone.
 */

#include <inttypes.h>
#include <string.h>

#include "sim/base/list.h"
#include "sim/check/ledger.h"

/* What somebody has taken and not given back. */
struct taken {
	int64_t count;
	uint64_t seq; /* of the first of them */
	uint32_t epoch;
};

/* References of one owner. */
struct detail {
	struct hold *hold;
	struct taken taken;
};

/* References of one kind of holder, on the counter's list. */
struct hold {
	struct hold *next; /* by holder: there are few */
	int64_t holder;	   /* enum holder, or whatever a record says */
	int64_t count;
	uint64_t last_seq;
	struct taken nobody; /* those of no owner in particular */
	uint64_t best_seq;   /* on_end(): the oldest one still held, and who took it */
	oid_t best_owner;
	uint32_t epoch; /* counts how often it was zero: what was taken before is void */
};

struct counter {
	struct hold *holds;
};

struct memcg {
	oid_t id; /* 0 until it is on the list of all */
	struct list node;
	oid_t parent;
	struct counter refs;
	uint64_t offline_seq;
	int64_t user_pages, stock_pages, swap_pages;
	uint32_t children;    /* not freed */
	int64_t pinned_pages; /* charged slab pages with live objects or in use; on_end() only */
	uint32_t pinned;      /* caches and slab pages with live objects; on_end() only */
	bool counted;	      /* it has a reference counter */
	bool freed;
};

struct cache {
	oid_t id; /* 0 until it is on the list of all */
	struct list node;
	oid_t memcg;
	struct counter refs;
	uint64_t parted_seq; /* when its memcg told it to drain, or gave it away */
	int64_t objects;
	uint32_t cpu_slabs; /* slab pages that a CPU allocates from: frozen, never discarded */
	bool freed;
};

struct objcg {
	oid_t id; /* 0 until it is on the list of all */
	struct list node;
	struct counter refs;
	uint64_t parted_seq; /* when its memcg gave it away */
	int64_t objects;     /* that live and are charged to it */
	bool freed;
};

/* Another controller's css: only its children have a reason to keep it. */
struct css {
	oid_t id; /* 0 until it is on the list of all */
	struct list node;
	oid_t parent;
	struct counter refs;
	uint64_t offline_seq;
	uint32_t children; /* not freed */
	bool freed;
};

struct slab {
	int64_t pages; /* charged */
	oid_t cache, memcg;
	int64_t objects;
	bool on_cpu;
};

struct work {
	oid_t of;
	bool queued;
	bool running;
};

struct ledger {
	struct table memcgs, caches, objcgs, csses;
	/* In the order in which they came. */
	struct list all_memcgs, all_caches, all_objcgs, all_csses;
	struct table slabs; /* not freed */
	struct table works;
	struct table payers; /* by live object: oid_t, the objcg that it is charged to */
	struct table exited; /* tasks: bool */
	struct map details;  /* by (counter and holder, owner) */
	uint32_t nr_busy;    /* works queued or running */
};

static struct memcg *find_memcg(const struct ledger *led, oid_t id)
{
	return oid_kind(id) == OBJ_MEMCG ? table_find(&led->memcgs, oid_nr(id)) : NULL;
}

static struct cache *find_cache(const struct ledger *led, oid_t id)
{
	return oid_kind(id) == OBJ_CACHE ? table_find(&led->caches, oid_nr(id)) : NULL;
}

static struct memcg *memcg_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;
	struct memcg *memcg = ledger_number(c, &led->memcgs, oid_nr(id));

	if (!memcg->id) {
		memcg->id = id;
		list_add_tail(&memcg->node, &led->all_memcgs);
	}
	return memcg;
}

static struct cache *cache_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;
	struct cache *cache = ledger_number(c, &led->caches, oid_nr(id));

	if (!cache->id) {
		cache->id = id;
		list_add_tail(&cache->node, &led->all_caches);
	}
	return cache;
}

static struct objcg *objcg_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;
	struct objcg *objcg = ledger_number(c, &led->objcgs, oid_nr(id));

	if (!objcg->id) {
		objcg->id = id;
		list_add_tail(&objcg->node, &led->all_objcgs);
	}
	return objcg;
}

static struct css *css_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;
	struct css *css = ledger_number(c, &led->csses, oid_nr(id));

	if (!css->id) {
		css->id = id;
		list_add_tail(&css->node, &led->all_csses);
	}
	return css;
}

static struct slab *slab_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;

	return ledger_number(c, &led->slabs, oid_nr(id));
}

/* ---- references ------------------------------------------------------------------- */

/* @id: one that is_followed() */
static struct counter *counter_of(struct checker *c, oid_t id)
{
	switch (oid_kind(id)) {
	case OBJ_MEMCG:
		return &memcg_of(c, id)->refs;
	case OBJ_OBJCG:
		return &objcg_of(c, id)->refs;
	case OBJ_CSS:
		return &css_of(c, id)->refs;
	default:
		return &cache_of(c, id)->refs;
	}
}

static struct hold *find_hold(const struct counter *refs, int64_t holder)
{
	struct hold *hold = refs->holds;

	while (hold && hold->holder != holder)
		hold = hold->next;
	return hold;
}

static struct hold *hold_of(struct checker *c, struct counter *refs, int64_t holder)
{
	struct hold *hold = find_hold(refs, holder), **link = &refs->holds;

	if (hold)
		return hold;
	hold = ledger_alloc(c, sizeof(*hold));
	hold->holder = holder;
	while (*link && (*link)->holder < holder)
		link = &(*link)->next;
	if (!c->set->exhausted) {
		hold->next = *link;
		*link = hold;
	}
	return hold;
}

/* @counter and @holder in one word: object numbers stay far below 2^48. */
static uint64_t holder_key(oid_t counter, int64_t holder)
{
	return counter ^ (uint64_t)holder << 48;
}

static struct taken *taken_by(struct checker *c, oid_t counter, struct hold *hold, oid_t owner)
{
	struct ledger *led = c->ledger;
	struct detail *detail;

	if (!owner)
		return &hold->nobody;
	detail = ledger_entry(c, &led->details, holder_key(counter, hold->holder), owner);
	detail->hold = hold;
	return &detail->taken;
}

static void take(struct checker *c, const struct trace_record *r, int64_t n, int64_t holder,
		 oid_t owner)
{
	struct hold *hold = hold_of(c, counter_of(c, r->obj), holder);
	struct taken *taken = taken_by(c, r->obj, hold, owner);

	hold->count += n;
	hold->last_seq = r->seq;
	if (taken->count <= 0 || taken->epoch != hold->epoch) {
		taken->count = 0;
		taken->seq = r->seq;
	}
	taken->epoch = hold->epoch;
	taken->count += n;
}

/* Gives back @n of what @owner took, if it has that much. */
static bool give_back(struct checker *c, oid_t counter, int64_t n, int64_t holder, oid_t owner)
{
	struct ledger *led = c->ledger;
	uint64_t key = holder_key(counter, holder);
	struct detail *detail = owner ? map_find(&led->details, key, owner) : NULL;

	if (!detail || detail->taken.count < n)
		return false;
	detail->taken.count -= n;
	if (detail->taken.count == 0)
		map_del(&led->details, key, owner);
	return true;
}

static void give(struct checker *c, const struct trace_record *r, int64_t n, int64_t holder,
		 oid_t owner)
{
	struct hold *hold = hold_of(c, counter_of(c, r->obj), holder);

	/* A charge is taken for nobody in particular and moved by the CPU that has it. */
	if (!give_back(c, r->obj, n, holder, owner) && hold->nobody.count > 0)
		hold->nobody.count = hold->nobody.count > n ? hold->nobody.count - n : 0;
	hold->count -= n;
	if (hold->count <= 0)
		hold->epoch++;
}

/* Who is judged has its counter followed. */
static bool is_followed(oid_t id)
{
	return oid_kind(id) == OBJ_MEMCG || oid_kind(id) == OBJ_CACHE ||
	       oid_kind(id) == OBJ_OBJCG || oid_kind(id) == OBJ_CSS;
}

static void on_ref_init(struct checker *c, const struct trace_record *r)
{
	if (!is_followed(r->obj))
		return;
	if (oid_kind(r->obj) == OBJ_MEMCG)
		memcg_of(c, r->obj)->counted = true;
	take(c, r, r->arg[0], r->arg[1] ? HOLD_BASE : HOLD_USER, 0);
}

static void on_ref_get(struct checker *c, const struct trace_record *r)
{
	if (is_followed(r->obj))
		take(c, r, r->arg[0], r->arg[1], arg_oid(r, 2));
}

static void on_ref_tryget(struct checker *c, const struct trace_record *r)
{
	if (is_followed(r->obj) && r->arg[0])
		take(c, r, 1, r->arg[1], arg_oid(r, 2));
}

static void on_ref_put(struct checker *c, const struct trace_record *r)
{
	if (is_followed(r->obj))
		give(c, r, r->arg[0], r->arg[1], arg_oid(r, 2));
}

static void on_ref_move(struct checker *c, const struct trace_record *r)
{
	if (!is_followed(r->obj))
		return;
	give(c, r, r->arg[0], r->arg[1], arg_oid(r, 3));
	take(c, r, r->arg[0], r->arg[2], arg_oid(r, 3));
}

/* ---- records ------------------------------------------------------------------------ */

static void css_new(struct checker *c, const struct trace_record *r)
{
	struct css *css = css_of(c, r->obj);

	css->parent = arg_oid(r, 0);
	if (css->parent)
		css_of(c, css->parent)->children++;
}

static void css_freed(struct checker *c, oid_t id)
{
	struct css *css = css_of(c, id);

	css->freed = true;
	if (css->parent)
		css_of(c, css->parent)->children--;
}

static void on_new(struct checker *c, const struct trace_record *r)
{
	struct memcg *memcg;

	if (oid_kind(r->obj) == OBJ_CSS)
		css_new(c, r);
	if (oid_kind(r->obj) != OBJ_MEMCG)
		return;
	memcg = memcg_of(c, r->obj);
	memcg->parent = arg_oid(r, 0);
	memcg->freed = false;
	if (memcg->parent)
		memcg_of(c, memcg->parent)->children++;
}

static void memcg_freed(struct checker *c, oid_t id)
{
	struct memcg *memcg = memcg_of(c, id);

	memcg->freed = true;
	if (memcg->parent)
		memcg_of(c, memcg->parent)->children--;
}

static void slab_freed(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;
	const struct slab *slab = table_find(&led->slabs, oid_nr(id));

	if (!slab)
		return;
	if (slab->on_cpu)
		cache_of(c, slab->cache)->cpu_slabs--;
	table_del(&led->slabs, oid_nr(id));
}

static void on_free(struct checker *c, const struct trace_record *r)
{
	switch (oid_kind(r->obj)) {
	case OBJ_MEMCG:
		memcg_freed(c, r->obj);
		break;
	case OBJ_CACHE:
		cache_of(c, r->obj)->freed = true;
		break;
	case OBJ_OBJCG:
		objcg_of(c, r->obj)->freed = true;
		break;
	case OBJ_SLAB:
		slab_freed(c, r->obj);
		break;
	case OBJ_CSS:
		css_freed(c, r->obj);
		break;
	default:
		break;
	}
}

static void on_slab_alloc(struct checker *c, const struct trace_record *r)
{
	slab_of(c, r->obj)->cache = arg_oid(r, 0);
}

static void on_slab_charge(struct checker *c, const struct trace_record *r)
{
	struct slab *slab = slab_of(c, r->obj);

	slab->memcg = r->arg[3] == 0 ? arg_oid(r, 1) : 0;
	slab->pages = r->arg[2];
}

static void note_on_cpu(struct checker *c, struct slab *slab, bool on_cpu)
{
	if (on_cpu == slab->on_cpu || !slab->cache)
		return;
	slab->on_cpu = on_cpu;
	cache_of(c, slab->cache)->cpu_slabs += on_cpu ? 1 : -1;
}

static void on_state(struct checker *c, const struct trace_record *r)
{
	if (oid_kind(r->obj) == OBJ_SLAB)
		note_on_cpu(c, slab_of(c, r->obj), r->str && strcmp(r->str, "cpu") == 0);
	else if (oid_kind(r->obj) == OBJ_CSS && r->str && strcmp(r->str, "offline") == 0)
		css_of(c, r->obj)->offline_seq = r->seq;
}

static void on_slab_discard(struct checker *c, const struct trace_record *r)
{
	note_on_cpu(c, slab_of(c, r->obj), false);
}

static void count_object(struct checker *c, const struct trace_record *r, int n)
{
	if (!r->obj)
		return;
	if (arg_oid(r, 0))
		cache_of(c, arg_oid(r, 0))->objects += n;
	if (arg_oid(r, 1))
		slab_of(c, arg_oid(r, 1))->objects += n;
}

static void on_object_alloc(struct checker *c, const struct trace_record *r)
{
	count_object(c, r, 1);
}

/* @obj lives no longer, or is nobody's any more: whichever comes first. */
static void object_left(struct checker *c, oid_t obj)
{
	struct ledger *led = c->ledger;
	const oid_t *payer = table_find(&led->payers, oid_nr(obj));

	if (!payer)
		return;
	objcg_of(c, *payer)->objects--;
	table_del(&led->payers, oid_nr(obj));
}

static void on_object_free(struct checker *c, const struct trace_record *r)
{
	count_object(c, r, -1);
	object_left(c, r->obj);
}

static void on_bytes_charge(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	oid_t *payer;

	if (oid_kind(r->obj) != OBJ_OBJ)
		return;
	object_left(c, r->obj);
	payer = ledger_number(c, &led->payers, oid_nr(r->obj));
	*payer = arg_oid(r, 0);
	objcg_of(c, *payer)->objects++;
}

static void on_bytes_uncharge(struct checker *c, const struct trace_record *r)
{
	if (oid_kind(r->obj) == OBJ_OBJ)
		object_left(c, r->obj);
}

static void on_objcg_reparent(struct checker *c, const struct trace_record *r)
{
	struct objcg *objcg = objcg_of(c, r->obj);

	if (!objcg->parted_seq)
		objcg->parted_seq = r->seq;
}

static void on_task_exit(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	*(bool *)ledger_number(c, &led->exited, oid_nr(r->obj)) = true;
}

static struct work *work_of(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	return ledger_number(c, &led->works, oid_nr(r->obj));
}

static void set_work(struct checker *c, struct work *work, bool queued, bool running)
{
	struct ledger *led = c->ledger;

	led->nr_busy += (uint32_t)((queued || running) - (work->queued || work->running));
	work->queued = queued;
	work->running = running;
}

static void on_work_init(struct checker *c, const struct trace_record *r)
{
	work_of(c, r)->of = arg_oid(r, 0);
}

static void on_queue_work(struct checker *c, const struct trace_record *r)
{
	struct work *work = work_of(c, r);

	set_work(c, work, work->queued || r->arg[2], work->running);
}

static void on_work_start(struct checker *c, const struct trace_record *r)
{
	set_work(c, work_of(c, r), false, true);
}

static void on_work_end(struct checker *c, const struct trace_record *r)
{
	struct work *work = work_of(c, r);

	set_work(c, work, work->queued, false);
}

static void on_work_cancel(struct checker *c, const struct trace_record *r)
{
	struct work *work = work_of(c, r);

	set_work(c, work, false, work->running);
}

static void on_css_offline(struct checker *c, const struct trace_record *r)
{
	memcg_of(c, r->obj)->offline_seq = r->seq;
}

static void on_user_charge(struct checker *c, const struct trace_record *r)
{
	memcg_of(c, r->obj)->user_pages += r->arg[1] == 0 ? r->arg[0] : 0;
}

static void on_user_reparent(struct checker *c, const struct trace_record *r)
{
	memcg_of(c, r->obj)->user_pages -= r->arg[0];
	memcg_of(c, arg_oid(r, 1))->user_pages += r->arg[0];
}

static void on_user_uncharge(struct checker *c, const struct trace_record *r)
{
	memcg_of(c, r->obj)->user_pages -= r->arg[0];
}

/* The id may lead elsewhere when they leave: that is for others to complain about. */
static void on_swap_charge(struct checker *c, const struct trace_record *r)
{
	memcg_of(c, arg_oid(r, 0))->swap_pages += r->arg[1];
}

static void on_swap_uncharge(struct checker *c, const struct trace_record *r)
{
	if (arg_oid(r, 0))
		memcg_of(c, arg_oid(r, 0))->swap_pages -= r->arg[1];
}

static void on_stock_refill(struct checker *c, const struct trace_record *r)
{
	memcg_of(c, r->obj)->stock_pages += r->arg[0];
}

/* Used or given back. */
static void on_stock_use(struct checker *c, const struct trace_record *r)
{
	memcg_of(c, r->obj)->stock_pages -= r->arg[0];
}

static void on_cache_create(struct checker *c, const struct trace_record *r)
{
	cache_of(c, r->obj)->memcg = arg_oid(r, 1);
}

static void on_deactivate(struct checker *c, const struct trace_record *r)
{
	struct cache *cache = cache_of(c, r->obj);

	if (!cache->parted_seq)
		cache->parted_seq = r->seq;
}

static void on_reparent(struct checker *c, const struct trace_record *r)
{
	on_deactivate(c, r);
	cache_of(c, r->obj)->memcg = arg_oid(r, 1);
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	table_init(&led->memcgs, c->set->arena, sizeof(struct memcg));
	table_init(&led->caches, c->set->arena, sizeof(struct cache));
	list_init(&led->all_memcgs);
	list_init(&led->all_caches);
	table_init(&led->objcgs, c->set->arena, sizeof(struct objcg));
	list_init(&led->all_objcgs);
	table_init(&led->csses, c->set->arena, sizeof(struct css));
	list_init(&led->all_csses);
	table_init(&led->payers, c->set->arena, sizeof(oid_t));
	table_init(&led->exited, c->set->arena, sizeof(bool));
	table_init(&led->slabs, c->set->arena, sizeof(struct slab));
	table_init(&led->works, c->set->arena, sizeof(struct work));
	map_init(&led->details, c->set->arena, sizeof(struct detail));
}

/* ---- verdict -------------------------------------------------------------------------- */

static void pin(struct ledger *led, oid_t id, int64_t pages)
{
	struct memcg *memcg = find_memcg(led, id);

	if (memcg) {
		memcg->pinned++;
		memcg->pinned_pages += pages;
	}
}

static void find_pins(struct ledger *led)
{
	const struct slab *slab;
	uint64_t pos = 0;

	list_for_each(node, &led->all_caches) {
		const struct cache *cache = container_of(node, struct cache, node);

		if (!cache->freed && (cache->objects > 0 || cache->cpu_slabs > 0))
			pin(led, cache->memcg, 0);
	}
	while ((slab = table_next(&led->slabs, &pos))) {
		if (slab->objects > 0 || slab->on_cpu)
			pin(led, slab->memcg, slab->pages);
	}
}

static void propose(struct hold *hold, const struct taken *taken, oid_t owner)
{
	if (hold->count <= 0 || taken->count <= 0 || hold->epoch != taken->epoch)
		return;
	if (hold->best_seq && hold->best_seq <= taken->seq)
		return;
	hold->best_seq = taken->seq;
	hold->best_owner = owner;
}

static void begin_search(struct counter *refs)
{
	for (struct hold *hold = refs->holds; hold; hold = hold->next) {
		/* The run may have come to rest before and gone on. */
		hold->best_seq = 0;
		hold->best_owner = 0;
		propose(hold, &hold->nobody, 0);
	}
}

/* For every kind of holder, the oldest reference that is still held. */
static void find_owners(struct ledger *led)
{
	const struct detail *detail;
	uint32_t pos = 0;

	list_for_each(node, &led->all_memcgs)
		begin_search(&container_of(node, struct memcg, node)->refs);
	list_for_each(node, &led->all_caches)
		begin_search(&container_of(node, struct cache, node)->refs);
	list_for_each(node, &led->all_objcgs)
		begin_search(&container_of(node, struct objcg, node)->refs);
	list_for_each(node, &led->all_csses)
		begin_search(&container_of(node, struct css, node)->refs);
	while ((detail = map_next(&led->details, &pos)))
		propose(detail->hold, &detail->taken, map_key_b(detail));
}

/* Does somebody hold this kind of reference for a reason that can still end? */
static bool is_legal(const struct ledger *led, const struct memcg *memcg, const struct hold *hold)
{
	const struct work *work;

	switch (hold->holder) {
	case HOLD_SCRIPT:
	case HOLD_STOCK_ENTRY: /* until that CPU charges for somebody else, also without pages */
		return true;
	case HOLD_USER_PAGE:
		return memcg->user_pages > 0;
	case HOLD_STOCK:
		return memcg->stock_pages > 0;
	case HOLD_ID:
	case HOLD_SWAP:
		return memcg->swap_pages > 0;
	case HOLD_CHILD_CSS:
		return memcg->children > 0;
	case HOLD_SLAB_PAGE:
		/* Where pages pin the memcg, an empty one that nobody uses has no reason to. */
		return hold->count <= memcg->pinned_pages;
	case HOLD_CHARGE:
	case HOLD_CACHE:
	case HOLD_KMEM_CHARGE:
		return memcg->pinned > 0;
	case HOLD_CREATE_WORK:
		if (oid_kind(hold->best_owner) != OBJ_WORK)
			return led->nr_busy > 0;
		work = table_find(&led->works, oid_nr(hold->best_owner));
		return work && (work->queued || work->running);
	default:
		return false;
	}
}

/* Appends one kind of holder: "create work (1, taken at seq 12 by task:3)". */
static void add_holder(struct text *text, const struct hold *hold)
{
	text_add(text, "%s%s (%" PRId64 ", taken at seq %" PRIu64, text->len ? ", " : "",
		 holder_name((enum holder)hold->holder), hold->count,
		 hold->best_seq ? hold->best_seq : hold->last_seq);
	text_add(text, hold->best_owner ? " for %s)" : ")", oid_str(hold->best_owner).s);
}

/* Who holds the counter @refs; if @memcg is given, only those who have no reason to. */
static int64_t add_holders(const struct ledger *led, const struct counter *refs,
			   const struct memcg *memcg, struct text *text, uint64_t *seq)
{
	int64_t total = 0;

	for (const struct hold *hold = refs->holds; hold; hold = hold->next) {
		if (hold->count <= 0 || hold->holder < 0 || hold->holder >= NR_HOLDERS)
			continue;
		total += hold->count;
		if (memcg && is_legal(led, memcg, hold))
			continue;
		add_holder(text, hold);
		if (!*seq)
			*seq = hold->best_seq ? hold->best_seq : hold->last_seq;
	}
	return total;
}

static void judge_offline(struct checker *c, const struct trace_record *last,
			  const struct memcg *memcg)
{
	const struct ledger *led = c->ledger;
	struct text who = {0};
	struct violation *v;
	uint64_t seq = 0;
	int64_t total = add_holders(led, &memcg->refs, memcg, &who, &seq);
	bool excused = memcg->user_pages > 0 || memcg->stock_pages > 0 || memcg->children > 0 ||
		       memcg->pinned > 0 || memcg->swap_pages > 0;

	if (!who.len && (total || (!memcg->counted && excused)))
		return;
	v = checker_violation(c, last, memcg->id,
			      "offline memcg is not freed: %s, offline since seq %" PRIu64 ", %s%s",
			      oid_str(memcg->id).s, memcg->offline_seq,
			      who.len ? "held by " : "no reference is left", who.s);
	v->related[0] = seq;
	v->related[1] = memcg->offline_seq;
}

static void judge_create_work(struct checker *c, const struct trace_record *last,
			      const struct memcg *memcg)
{
	const struct ledger *led = c->ledger;
	const struct hold *hold = find_hold(&memcg->refs, HOLD_CREATE_WORK);
	struct text who = {0};

	if (!hold || hold->count <= 0 || is_legal(led, memcg, hold))
		return;
	add_holder(&who, hold);
	checker_violation(c, last, memcg->id,
			  "css reference leaked: %s is held by %s, but no such work is queued",
			  oid_str(memcg->id).s, who.s)
		->related[0] = hold->best_seq ? hold->best_seq : hold->last_seq;
}

static void judge_memcgs(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;

	list_for_each(node, &led->all_memcgs) {
		const struct memcg *memcg = container_of(node, struct memcg, node);

		if (!memcg->freed && memcg->offline_seq)
			judge_offline(c, last, memcg);
		else if (!memcg->freed)
			judge_create_work(c, last, memcg);
	}
}

/*
 * A CPU may keep an empty slab page frozen for good, and the page keeps the cache.  One that
 * was never killed would not be freed without it either.
 */
static bool waits_for_cpu(const struct cache *cache)
{
	const struct hold *hold = cache->refs.holds;

	while (hold && hold->holder != HOLD_BASE)
		hold = hold->next;
	return cache->cpu_slabs > 0 && !(hold && hold->count > 0);
}

static void judge_cache(struct checker *c, const struct trace_record *last,
			const struct cache *cache)
{
	const struct ledger *led = c->ledger;
	const struct memcg *memcg = find_memcg(led, cache->memcg);
	struct text who = {0};
	struct violation *v;
	uint64_t seq = 0;

	if (!cache->parted_seq || cache->freed || cache->objects > 0 || waits_for_cpu(cache) ||
	    (memcg && memcg->offline_seq && !memcg->freed))
		return;
	add_holders(led, &cache->refs, NULL, &who, &seq);
	v = checker_violation(c, last, cache->id,
			      "drained cache is not freed: %s lost its memcg at seq %" PRIu64
			      " and has no live object, %s%s",
			      oid_str(cache->id).s, cache->parted_seq,
			      who.len ? "held by " : "no reference is left", who.s);
	v->related[0] = seq;
	v->related[1] = cache->parted_seq;
}

static bool keeps_objcg(const struct ledger *led, const struct objcg *objcg,
			const struct hold *hold)
{
	const struct memcg *memcg;

	switch (hold->holder) {
	case HOLD_STOCK_ENTRY: /* until that CPU charges for somebody else */
	case HOLD_SCRIPT:
		return true;
	case HOLD_OBJECT:
		return hold->count <= objcg->objects;
	case HOLD_TASK_OBJCG:
		return !table_find(&led->exited, oid_nr(hold->best_owner));
	case HOLD_MEMCG:
		memcg = find_memcg(led, hold->best_owner);
		return memcg && !memcg->freed;
	default:
		return false;
	}
}

static void judge_objcg(struct checker *c, const struct trace_record *last,
			const struct objcg *objcg)
{
	const struct ledger *led = c->ledger;
	struct text who = {0};
	struct violation *v;
	int64_t total = 0;
	uint64_t seq = 0;

	if (objcg->freed || !objcg->parted_seq)
		return;
	for (const struct hold *hold = objcg->refs.holds; hold; hold = hold->next) {
		if (hold->count <= 0 || hold->holder < 0 || hold->holder >= NR_HOLDERS)
			continue;
		total += hold->count;
		if (keeps_objcg(led, objcg, hold))
			continue;
		add_holder(&who, hold);
		seq = seq ? seq : hold->best_seq ? hold->best_seq : hold->last_seq;
	}
	if (total && !who.len)
		return;
	v = checker_violation(c, last, objcg->id,
			      "objcg is not freed: %s lost its memcg at seq %" PRIu64 ", %s%s",
			      oid_str(objcg->id).s, objcg->parted_seq,
			      who.len ? "held by " : "no reference is left", who.s);
	v->related[0] = seq;
	v->related[1] = objcg->parted_seq;
}

static void judge_css(struct checker *c, const struct trace_record *last, const struct css *css)
{
	struct text who = {0};
	struct violation *v;
	uint64_t seq = 0;

	if (css->freed || !css->offline_seq || css->children > 0)
		return;
	add_holders(c->ledger, &css->refs, NULL, &who, &seq);
	v = checker_violation(c, last, css->id,
			      "offline css is not freed: %s, offline since seq %" PRIu64 ", %s%s",
			      oid_str(css->id).s, css->offline_seq,
			      who.len ? "held by " : "no reference is left", who.s);
	v->related[0] = seq;
	v->related[1] = css->offline_seq;
}

static void judge_works(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;
	const struct work *work;
	uint64_t pos = 0;

	while ((work = table_next(&led->works, &pos))) {
		const struct cache *cache = find_cache(led, work->of);
		oid_t id = oid_make(OBJ_WORK, pos - 1);

		if (work->queued && cache && cache->freed)
			checker_violation(
				c, last, id,
				"work item left behind: %s is queued for %s, which is freed",
				oid_str(id).s, oid_str(work->of).s);
	}
}

static void on_end(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;

	find_pins(led);
	find_owners(led);
	judge_memcgs(c, last);
	list_for_each(node, &led->all_caches)
		judge_cache(c, last, container_of(node, struct cache, node));
	list_for_each(node, &led->all_objcgs)
		judge_objcg(c, last, container_of(node, struct objcg, node));
	list_for_each(node, &led->all_csses)
		judge_css(c, last, container_of(node, struct css, node));
	judge_works(c, last);
	/* The run may go on and come to rest again. */
	list_for_each(node, &led->all_memcgs) {
		container_of(node, struct memcg, node)->pinned = 0;
		container_of(node, struct memcg, node)->pinned_pages = 0;
	}
}

static const struct record_handler handlers[] = {
	{TR_OBJ_NEW, on_new},
	{TR_OBJ_FREE, on_free},
	{TR_OBJ_STATE, on_state},
	{TR_REF_INIT, on_ref_init},
	{TR_REF_GET, on_ref_get},
	{TR_REF_TRYGET, on_ref_tryget},
	{TR_REF_PUT, on_ref_put},
	{TR_REF_MOVE, on_ref_move},
	{TR_WORK_INIT, on_work_init},
	{TR_QUEUE_WORK, on_queue_work},
	{TR_WORK_START, on_work_start},
	{TR_WORK_END, on_work_end},
	{TR_WORK_CANCEL, on_work_cancel},
	{TR_CSS_OFFLINE, on_css_offline},
	{TR_CACHE_CREATE, on_cache_create},
	{TR_CACHE_REPARENT, on_reparent},
	{TR_CACHE_DEACTIVATE, on_deactivate},
	{TR_SLAB_ALLOC, on_slab_alloc},
	{TR_SLAB_CHARGE, on_slab_charge},
	{TR_SLAB_DISCARD, on_slab_discard},
	{TR_OBJECT_ALLOC, on_object_alloc},
	{TR_OBJECT_FREE, on_object_free},
	{TR_BYTES_CHARGE, on_bytes_charge},
	{TR_BYTES_UNCHARGE, on_bytes_uncharge},
	{TR_OBJCG_REPARENT, on_objcg_reparent},
	{TR_TASK_EXIT, on_task_exit},
	{TR_STOCK_REFILL, on_stock_refill},
	{TR_SWAP_CHARGE, on_swap_charge},
	{TR_SWAP_UNCHARGE, on_swap_uncharge},
	{TR_STOCK_CONSUME, on_stock_use},
	{TR_STOCK_DRAIN, on_stock_use},
	{TR_USER_CHARGE, on_user_charge},
	{TR_USER_UNCHARGE, on_user_uncharge},
	{TR_USER_REPARENT, on_user_reparent},
	{0, NULL},
};

const struct checker_ops check_leak = {
	.name = "leak",
	.claim = "no offline memcg or other css, drained cache, reparented objcg or work item "
		 "stays that nobody can reach",
	.source = "cgroup and kmem_cache lifecycle; 3a98990ae215, f0a3a24b532d",
	.handlers = handlers,
	.ledger_size = sizeof(struct ledger),
	.init = init,
	.on_end = on_end,
};
