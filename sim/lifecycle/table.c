// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generations, a row each.  A row says what differs from the row that it is based on,
 * variants included, as that version had them; what nobody mentions is off.
 * `slabsim list lifecycles` prints the table.
 */
#include <stddef.h>
#include <string.h>

#include "sim/lifecycle/switches.h"

/* ---- switches, by number ---------------------------------------- */

enum switch_nr {
#define SWITCH(where, field, name, values, summary) SWITCH_##field,
#include "sim/lifecycle/switches.def"
#undef SWITCH
#define VARIANT(field, name, summary, fix, checker) SWITCH_##field,
#include "sim/lifecycle/variants.def"
#undef VARIANT
	NR_SWITCHES,
};

/* Everything that a row says, switch by switch. */
struct settings {
	const struct lifecycle_ops *ops;
	struct kernel_config kernel;
	struct mm_config mm;
	struct reclaim_config reclaim;
	struct switches switches;
};

struct place {
	uint16_t offset, size; /* of the field in struct settings */
};

#define PLACE(where, field)                                                                        \
	{                                                                                          \
		offsetof(struct settings, where.field),                                            \
			sizeof(((struct settings *)0)->where.field)                                \
	}

static const struct place places[NR_SWITCHES] = {
#define SWITCH(where, field, name, values, summary) [SWITCH_##field] = PLACE(where, field),
#include "sim/lifecycle/switches.def"
#undef SWITCH
#define VARIANT(field, name, summary, fix, checker) [SWITCH_##field] = PLACE(switches, field),
#include "sim/lifecycle/variants.def"
#undef VARIANT
};

/* ---- rows ---------------------------------------- */

struct change {
	enum switch_nr nr;
	int value;
};

struct lifecycle {
	struct lifecycle_info info;
	const struct lifecycle *base;	      /* NULL: everything off */
	const struct lifecycle_ops *ops;      /* NULL: the base's */
	const struct change *changes;	      /* up to NR_SWITCHES */
	const struct reclaim_config *reclaim; /* NULL: the base's */
};

#define CHANGES(...)                                                                               \
	(const struct change[])                                                                    \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			NR_SWITCHES, 0                                                             \
		}                                                                                  \
	}
#define ON(field)                                                                                  \
	{                                                                                          \
		SWITCH_##field, 1                                                                  \
	}
#define OFF(field)                                                                                 \
	{                                                                                          \
		SWITCH_##field, 0                                                                  \
	}
#define SET(field, value)                                                                          \
	{                                                                                          \
		SWITCH_##field, value                                                              \
	}

/* clang-format off */

/* What walks, list_lrus and shrinkers are like; iter_pins_css makes of the first what v3.19 had. */
static const struct reclaim_config reclaim_counted = {
	.iter = {.design = ITER_DEAD_COUNT, .scope = ITER_PER_ZONE_PRIORITY},
	.walks = SHARED_WALKS,
	.list_lru = {.form = LRU_GLOBAL, .count_locks = true, .count_signed = true},
	.shrinkers = {.form = SHRINK_GLOBAL},
};
static const struct reclaim_config reclaim_global = {
	.iter = {.design = ITER_WEAK, .scope = ITER_PER_ZONE_PRIORITY},
	.walks = SHARED_WALKS,
	.list_lru = {.form = LRU_GLOBAL, .count_locks = true, .count_signed = true},
	.shrinkers = {.form = SHRINK_GLOBAL},
};
static const struct reclaim_config reclaim_per_memcg = {
	.iter = {.design = ITER_WEAK, .scope = ITER_PER_ZONE_PRIORITY},
	.walks = SHARED_WALKS,
	.list_lru = {.form = LRU_ARRAYS, .count_locks = true, .count_signed = true},
	.shrinkers = {.form = SHRINK_WALK},
};
static const struct reclaim_config reclaim_per_node = {
	.iter = {.design = ITER_WEAK, .scope = ITER_PER_NODE_PRIORITY},
	.walks = SHARED_WALKS,
	.list_lru = {.form = LRU_ARRAYS, .count_locks = true, .count_signed = true},
	.shrinkers = {.form = SHRINK_WALK, .global_skips_aware = true},
};
static const struct reclaim_config reclaim_lockless_count = {
	.iter = {.design = ITER_WEAK, .scope = ITER_PER_NODE_PRIORITY},
	.walks = SHARED_WALKS,
	.list_lru = {.form = LRU_ARRAYS, .count_signed = true},
	.shrinkers = {.form = SHRINK_WALK, .global_skips_aware = true},
};
static const struct reclaim_config reclaim_bitmap = {
	.iter = {.design = ITER_WEAK, .scope = ITER_PER_NODE_PRIORITY},
	.walks = SHARED_WALKS,
	.list_lru = {.form = LRU_ARRAYS, .count_signed = true},
	.shrinkers = {.form = SHRINK_MAP},
};
static const struct reclaim_config reclaim_private_walks = {
	.iter = {.design = ITER_WEAK, .scope = ITER_PER_NODE},
	.walks = PRIVATE_WALKS,
	.list_lru = {.form = LRU_ARRAYS, .count_signed = true},
	.shrinkers = {.form = SHRINK_MAP},
};
static const struct reclaim_config reclaim_xarray = {
	.iter = {.design = ITER_WEAK, .scope = ITER_PER_NODE},
	.walks = PRIVATE_WALKS,
	.list_lru = {.form = LRU_XARRAY},
	.shrinkers = {.form = SHRINK_INFO, .debugfs = true},
};
static const struct reclaim_config reclaim_partial_walks = {
	.iter = {.design = ITER_WEAK_RETRY, .scope = ITER_PER_NODE},
	.walks = PARTIAL_WALKS,
	.list_lru = {.form = LRU_XARRAY, .memcg_first = true},
	.shrinkers = {.form = SHRINK_INFO, .refs = true, .debugfs = true},
};

static const struct lifecycle v3_15 = {
	{"v3.15", "kmem_cache counts its pages and pins its mem_cgroup; a dead one has a work item "
		  "that destroys it"},
	.ops = &cache_pages_ops,
	.changes = CHANGES(SET(kmem_wq, KMEM_WQ_SYSTEM), ON(sysfs_inline), ON(collects_retired),
			   ON(charges_pin_nothing), ON(offline_keeps_stock), ON(keeps_id),
			   ON(offline_unordered), ON(destroy_by_work), ON(charges_current),
			   ON(destroy_without_flush), ON(destroy_drops_mutex),
			   ON(inflight_unpinned), ON(cancel_vs_destroy_work),
			   SET(stats, STATS_PER_CPU), ON(drain_unlocked), ON(id_with_css),
			   ON(stock_entry_unpinned), ON(iter_unlocked)),
	.reclaim = &reclaim_counted,
};

static const struct lifecycle v3_16 = {
	{"v3.16", "as v3.15, with memcg_slab_mutex; offline destroys empty caches and forgets the "
		  "others"},
	.base = &v3_15,
	.changes = CHANGES(ON(memcg_slab_mutex), OFF(destroy_by_work), OFF(charges_current),
			   OFF(cancel_vs_destroy_work)),
};

static const struct lifecycle v3_19 = {
	{"v3.19", "page -> mem_cgroup <- kmem_cache until the memcg is freed; memcg_slab_mutex, "
		  "and an rcu_barrier() each"},
	.base = &v3_16,
	.ops = &cache_memcg_ops,
	.changes = CHANGES(OFF(charges_pin_nothing), OFF(inflight_unpinned), OFF(iter_unlocked),
			   ON(iter_pins_css), ON(iter_pins_late),
			   ON(lru_count_sums_lists)),
	.reclaim = &reclaim_global,
};

/* Offline does nothing: ids, slots and empty pages stay until the memcg is freed. */
static const struct lifecycle seed2 = {
	{"seed2", "as v3.19, with slab_mutex only, which destruction keeps, and one "
		  "rcu_barrier()"},
	.base = &v3_19,
	.changes = CHANGES(OFF(memcg_slab_mutex), OFF(destroy_drops_mutex), ON(free_walks_caches)),
};

/* What deactivation at offline waits for, with the big locks held: three attempts. */
static const struct lifecycle v4_0 = {
	{"v4.0", "page -> mem_cgroup <- kmem_cache; ids released and caches deactivated at "
		 "offline, each with an IPI to all CPUs"},
	.base = &seed2,
	.changes = CHANGES(OFF(keeps_id), OFF(offline_unordered), ON(parent_offline_first),
			   SET(deactivate, DEACTIVATE_IPI),
			   ON(offline_walk_no_rcu)),
	.reclaim = &reclaim_per_memcg,
};

static const struct lifecycle v4_7 = {
	{"v4.7", "as v4.0, with a grace period for each cache of a memcg"},
	.base = &v4_0,
	.changes = CHANGES(SET(deactivate, DEACTIVATE_GP_EACH), ON(uncharge_by_page),
			   OFF(parent_offline_first), ON(exit_wants_online), OFF(id_with_css),
			   ON(swapout_offline), ON(id_kept_on_failure), ON(id_published_early),
			   OFF(iter_pins_css), OFF(iter_pins_late),
			   OFF(offline_walk_no_rcu), ON(iter_invalidate_parents)),
	.reclaim = &reclaim_per_node,
};

static const struct lifecycle v4_10 = {
	{"v4.10", "as v4.0, with one grace period for all caches of a memcg"},
	.base = &v4_7,
	.changes = CHANGES(SET(deactivate, DEACTIVATE_GP_ONCE), SET(kmem_wq, KMEM_WQ_ORDERED),
			   OFF(swapout_offline)),
};

static const struct lifecycle v4_11 = {
	{"v4.11", "page -> mem_cgroup <- kmem_cache; deactivation by RCU and work"},
	.base = &v4_10,
	.changes = CHANGES(SET(deactivate, DEACTIVATE_BY_WORK), SET(kmem_wq, KMEM_WQ_PER_CPU),
			   OFF(collects_retired), OFF(free_walks_caches), ON(early_sysfs_removal),
			   ON(sysfs_active_abba)),
};

static const struct lifecycle v4_18 = {
	{"v4.18", "page -> mem_cgroup <- kmem_cache; deactivation by RCU and work, which "
		  "destruction marks and flushes"},
	.base = &v4_11,
	.changes = CHANGES(OFF(sysfs_inline), ON(create_tests_dying), OFF(destroy_without_flush),
			   ON(dying_before_refcount), SET(stats, STATS_PER_MEMCG),
			   ON(stat_gone_own_cpu), ON(css_double_kill),
			   OFF(iter_invalidate_parents),
			   ON(iter_invalidate_own_parents), OFF(lru_count_sums_lists)),
	.reclaim = &reclaim_lockless_count,
};

static const struct lifecycle v5_8 = {
	{"v5.8", "the design of v5.3 with every fix that it got while it lived"},
	.ops = &cache_ref_ops,
	.changes = CHANGES(ON(rcu_one_flavour), ON(early_sysfs_removal), ON(unlink_clears_memcg),
			   ON(sysfs_active_abba), ON(kmem_nofail), ON(id_published_early),
			   ON(stock_entry_unpinned), ON(stat_gone_own_cpu),
			   ON(shrinker_bit_needs_zero),
			   ON(shrinker_bit_stale_memcg)),
	.reclaim = &reclaim_private_walks,
};

static const struct lifecycle v5_3 = {
	{"v5.3", "page -> kmem_cache -> mem_cgroup, percpu_ref per cache, reparenting; as merged"},
	.base = &v5_8,
	.changes = CHANGES(ON(create_css_leak), ON(no_second_barrier), ON(css_put_at_unlink),
			   ON(dying_before_refcount), OFF(kmem_nofail), ON(drain_unlocked),
			   ON(stat_flush_failed_alloc), ON(css_double_kill),
			   ON(shrinker_maps_css_leak)),
	.reclaim = &reclaim_bitmap,
};

static const struct lifecycle seed1_v4 = {
	{"seed1-v4", "the v4 posting of the same rework, as mailed on 2019-05-14, slips included"},
	.base = &v5_3,
	.changes = CHANGES(OFF(early_sysfs_removal), OFF(unlink_clears_memcg),
			   ON(create_tests_dying), ON(dying_under_slab_mutex), ON(uncharges_root),
			   ON(release_rcu_hop), ON(lookup_unlock_bug), ON(release_lock_plain),
			   ON(workfn_write_after_free), ON(workfn_clobber),
			   OFF(stat_flush_failed_alloc), ON(stat_lost),
			   ON(iter_invalidate_own_parents)),
};

static const struct lifecycle v5_10 = {
	{"v5.10", "the same with the fixes that v5.10.y got"},
	.ops = &objcg_ops,
	.changes = CHANGES(ON(rcu_one_flavour), ON(sysfs_inline), ON(stock_pins_once),
			   ON(migration_locks), ON(objcg_pins_memcg), ON(stock_read_twice),
			   ON(stock_put_first),
			   ON(release_css_set_lock), ON(sysfs_active_abba), ON(stat_bytes),
			   SET(reclaim_retries, 16), ON(kmem_nofail), ON(id_published_early),
			   ON(stat_gone_own_cpu),
			   ON(shrinker_bit_stale_memcg)),
	.reclaim = &reclaim_private_walks,
};

static const struct lifecycle v5_9 = {
	{"v5.9", "object -> obj_cgroup -> mem_cgroup, one set of caches; as merged"},
	.base = &v5_10,
	.changes = CHANGES(ON(full_means_unaccounted), ON(charge_css_get), ON(vector_read_twice),
			   ON(shrinker_bit_needs_zero)),
};

static const struct lifecycle v6_1 = {
	{"v6.1", "an objcg pins no memcg and has a lock of its own; stocks keep more"},
	.base = &v5_10,
	.changes = CHANGES(ON(release_unlocked), OFF(sysfs_active_abba), OFF(objcg_pins_memcg),
			   OFF(release_css_set_lock), OFF(stock_put_first),
			   ON(uncharge_to_stock), ON(stock_sheds_pages), ON(put_after_unlock),
			   SET(stats, STATS_RSTAT), SET(charge_batch, 64),
			   OFF(stat_gone_own_cpu),
			   ON(shrinker_debugfs_rwsem)),
	.reclaim = &reclaim_xarray,
};

static const struct lifecycle v6_12 = {
	{"v6.12", "tasks keep their objcg, memcgs keep their first one until they are freed"},
	.base = &v6_1,
	.changes = CHANGES(ON(barrier_in_destroy), OFF(stock_read_twice), ON(task_keeps_objcg),
			   ON(memcg_pins_objcg), OFF(id_published_early),
			   OFF(shrinker_debugfs_rwsem)),
	.reclaim = &reclaim_partial_walks,
};

/* In the order in which they came. */
#define ROWS(ROW)                                                                                  \
	ROW(v3_15) ROW(v3_16) ROW(v3_19) ROW(seed2)                                                \
	ROW(v4_0) ROW(v4_7) ROW(v4_10) ROW(v4_11) ROW(v4_18)                                       \
	ROW(seed1_v4) ROW(v5_3) ROW(v5_8) ROW(v5_9) ROW(v5_10) ROW(v6_1) ROW(v6_12)

/* clang-format on */

#define ROW(row) &row,
static const struct lifecycle *const lifecycles[] = {ROWS(ROW)};
#undef ROW

#define ROW(row) &row.info,
const struct lifecycle_info *const lifecycle_infos[] = {ROWS(ROW) NULL};
#undef ROW

/* ---- names ---------------------------------------- */

static const struct variant_info variants[] = {
#define VARIANT(field, name, summary, fix, checker) {name, summary, fix, checker},
#include "sim/lifecycle/variants.def"
#undef VARIANT
};

enum variant {
#define VARIANT(field, name, summary, fix, checker) VARIANT_##field,
#include "sim/lifecycle/variants.def"
#undef VARIANT
	NR_VARIANTS,
};

_Static_assert(NR_VARIANTS <= VARIANTS_MAX, "variants are kept in a variant_set");

const struct variant_info *const variant_infos[] = {
#define VARIANT(field, name, summary, fix, checker) &variants[VARIANT_##field],
#include "sim/lifecycle/variants.def"
#undef VARIANT
	NULL,
};

static const struct switch_info switches[] = {
#define SWITCH(where, field, name, values, summary) {name, values, summary},
#include "sim/lifecycle/switches.def"
#undef SWITCH
#define VARIANT(field, name, summary, fix, checker) {name, "", summary},
#include "sim/lifecycle/variants.def"
#undef VARIANT
};

const struct switch_info *const switch_infos[] = {
#define SWITCH(where, field, name, values, summary) &switches[SWITCH_##field],
#include "sim/lifecycle/switches.def"
#undef SWITCH
#define VARIANT(field, name, summary, fix, checker) &switches[SWITCH_##field],
#include "sim/lifecycle/variants.def"
#undef VARIANT
	NULL,
};

const struct lifecycle *lifecycle_find(const char *name)
{
	for (size_t i = 0; i < sizeof(lifecycles) / sizeof(*lifecycles); i++) {
		if (strcmp(lifecycles[i]->info.name, name) == 0)
			return lifecycles[i];
	}
	return NULL;
}

int variant_index(const char *name)
{
	for (int i = 0; i < NR_VARIANTS; i++) {
		if (strcmp(variants[i].name, name) == 0)
			return i;
	}
	return -1;
}

/* ---- what a row says ---------------------------------------- */

/* A field is a bool or an enum. */
static void set(struct settings *s, const struct change *change)
{
	const struct place *place = &places[change->nr];
	char *field = (char *)s + place->offset;

	if (place->size == sizeof(bool))
		*(bool *)field = change->value;
	else
		memcpy(field, &change->value, sizeof(change->value));
}

static int get(const struct settings *s, int nr)
{
	const char *field = (const char *)s + places[nr].offset;
	int value;

	if (places[nr].size == sizeof(bool))
		return *(const bool *)field;
	memcpy(&value, field, sizeof(value));
	return value;
}

static struct settings settings_of(const struct lifecycle *l)
{
	struct settings s = {0};

	if (l->base)
		s = settings_of(l->base);
	if (l->ops)
		s.ops = l->ops;
	if (l->reclaim)
		s.reclaim = *l->reclaim;
	for (const struct change *c = l->changes; c->nr < NR_SWITCHES; c++)
		set(&s, c);
	return s;
}

#define BIT_OF(field) variant_bit(VARIANT_##field)

/* What lies in sim/reclaim, and in what calls it for lists. */
static variant_set variants_of_reclaim(void)
{
	return BIT_OF(iter_pins_css) | BIT_OF(iter_pins_late) | BIT_OF(iter_invalidate_parents) |
	       BIT_OF(iter_invalidate_own_parents) | BIT_OF(iter_invalidate_late) |
	       BIT_OF(iter_count_read_twice) | BIT_OF(iter_load_no_rcu) | BIT_OF(iter_stamp_first) |
	       BIT_OF(iter_unlocked) | BIT_OF(iter_gets_offline) | BIT_OF(iter_root_needs_get) |
	       BIT_OF(iter_root_is_got) | BIT_OF(iter_root_is_put) | BIT_OF(iter_returns_unpinned) |
	       BIT_OF(iter_unlinked_is_last) | BIT_OF(lru_reparent_skip_empty) |
	       BIT_OF(lru_reparent_skip_unlocked) | BIT_OF(lru_drain_before_reid) |
	       BIT_OF(lru_drain_recounts) | BIT_OF(lru_alloc_stale_id) |
	       BIT_OF(lru_count_sums_lists) | BIT_OF(slabobj_memcg_no_rcu) |
	       BIT_OF(shrinker_bit_needs_zero) | BIT_OF(shrinker_bit_stale_memcg) |
	       BIT_OF(shrinker_bit_no_rescan) | BIT_OF(shrinker_map_copied) |
	       BIT_OF(shrinker_maps_css_leak) | BIT_OF(shrinker_debugfs_rwsem);
}

variant_set lifecycle_variants(const struct lifecycle *l, bool reclaim)
{
	struct settings s = settings_of(l);
	variant_set mask = 0;

#define VARIANT(field, name, summary, fix, checker)                                                \
	mask |= (variant_set)s.switches.field << VARIANT_##field;
#include "sim/lifecycle/variants.def"
#undef VARIANT
	if (!reclaim)
		mask &= ~variants_of_reclaim();
	return mask;
}

const char *lifecycle_base(const struct lifecycle *l)
{
	return l->base ? l->base->info.name : NULL;
}

int lifecycle_switch(const struct lifecycle *l, int nr)
{
	struct settings s = settings_of(l);

	return get(&s, nr);
}

struct kernel_config lifecycle_kernel_config(const struct lifecycle *l)
{
	return settings_of(l).kernel;
}

/* What sim/mm does differently because of a variant. */
static void tell_mm(struct mm_config *config, const struct switches *s)
{
	config->swapout_offline = s->swapout_offline;
	config->id_kept_on_failure = s->id_kept_on_failure;
	config->id_published_early = s->id_published_early;
	config->stock_entry_unpinned = s->stock_entry_unpinned;
	config->stat_lost = s->stat_lost;
	config->stat_flush_own_cpu = s->stat_flush_own_cpu;
	config->stat_flush_failed_alloc = s->stat_flush_failed_alloc;
	config->stat_irqs_on = s->stat_irqs_on;
	config->stat_gone_own_cpu = s->stat_gone_own_cpu;
	config->walks_without_rcu = s->offline_walk_no_rcu;
	config->kills_css_twice = s->css_double_kill;
	config->exit_wants_online = s->exit_wants_online;
	config->destroy_on_system_wq = s->destroy_on_system_wq;
	config->kmem_wq_late = s->flush_before_queue;
	config->array_published_empty = s->create_tests_early;
	config->array_freed_at_once = s->array_freed_at_once;
	config->array_watched = s->array_freed_at_once || s->array_no_section;
	config->sysfs_del_by_work = s->sysfs_del_by_work;
	config->no_barrier_typesafe = s->no_barrier_typesafe;
	config->offline_unordered |= s->parent_offline_first;
	/* Nobody need wait for it; with no lock held, it does no harm. */
	config->sysfs_no_drain = !s->sysfs_active_abba && !config->release_unlocked &&
				 !config->collects_retired;
}

/* The positions of v3.19 and v4.0 are those of v4.4, but for what was wrong with them. */
static enum iter_design default_design(const struct iter_config *config, const struct switches *s)
{
	return s->iter_pins_css && config->design == ITER_WEAK ? ITER_PINNED_CMPXCHG
							       : config->design;
}

static void read_list_lru(struct list_lru_config *lru, const struct switches *s,
			  const struct reclaim_choice *choice)
{
	if (choice->list_lru)
		lru->form = (enum lru_form)(choice->list_lru - 1);
	lru->reparent_skip_empty = s->lru_reparent_skip_empty;
	lru->reparent_skip_unlocked = s->lru_reparent_skip_unlocked;
	lru->drain_before_reid = s->lru_drain_before_reid;
	lru->drain_recounts = s->lru_drain_recounts;
	lru->slabobj_no_rcu = s->slabobj_memcg_no_rcu;
	lru->count_sums_lists = s->lru_count_sums_lists;
	lru->bit_needs_zero = s->shrinker_bit_needs_zero;
	lru->bit_of_stale_memcg = s->shrinker_bit_stale_memcg;
	lru->alloc_stale_id = s->lru_alloc_stale_id;
}

static void read_shrinkers(struct shrinker_config *shrinkers, const struct switches *s,
			   const struct reclaim_choice *choice)
{
	if (choice->shrinkers)
		shrinkers->form = (enum shrinker_form)(choice->shrinkers - 1);
	shrinkers->map_bits = choice->map_bits;
	shrinkers->bit_without_rescan = s->shrinker_bit_no_rescan;
	shrinkers->expand_copies_bits = s->shrinker_map_copied;
	shrinkers->expand_keeps_css = s->shrinker_maps_css_leak;
	shrinkers->debugfs_under_rwsem = s->shrinker_debugfs_rwsem;
}

static void read_iter(struct iter_config *iter, const struct switches *s,
		      const struct reclaim_choice *choice)
{
	iter->design = choice->iterator ? (enum iter_design)(choice->iterator - 1)
					: default_design(iter, s);
	iter->nr_nodes = choice->nr_nodes;
	iter->nr_zones = choice->nr_zones;
	iter->no_hierarchy = choice->no_hierarchy;
	iter->invalidate_parents = s->iter_invalidate_parents;
	iter->invalidate_own_parents = s->iter_invalidate_own_parents;
	iter->invalidate_late = s->iter_invalidate_late;
	iter->count_read_twice = s->iter_count_read_twice;
	iter->load_no_rcu = s->iter_load_no_rcu;
	iter->pins_late = s->iter_pins_late;
	iter->unlocked = s->iter_unlocked;
	iter->stamp_first = s->iter_stamp_first;
	iter->gets_offline = s->iter_gets_offline;
	iter->root_needs_get = s->iter_root_needs_get;
	iter->root_is_got = s->iter_root_is_got;
	iter->root_is_put = s->iter_root_is_put;
	iter->returns_unpinned = s->iter_returns_unpinned;
	iter->unlinked_is_last = s->iter_unlinked_is_last;
}

static struct reclaim *reclaim_boot(struct task *t, struct reclaim_config config,
				    const struct switches *s, const struct reclaim_choice *choice)
{
	read_iter(&config.iter, s, choice);
	read_list_lru(&config.list_lru, s, choice);
	read_shrinkers(&config.shrinkers, s, choice);
	return reclaim_new(t->w, &config);
}

void lifecycle_boot(struct task *t, const struct lifecycle *l, variant_set mask,
		    const struct reclaim_choice *choice)
{
	struct switches *s = world_alloc(t->w, sizeof(*s));
	struct settings settings = settings_of(l);

	*s = settings.switches;
#define VARIANT(field, name, summary, fix, checker) s->field = mask >> VARIANT_##field & 1;
#include "sim/lifecycle/variants.def"
#undef VARIANT
	if (s->array_free_no_rcu)
		s->array_freed_at_once = s->array_no_section = true;
	tell_mm(&settings.mm, s);
	if (choice && choice->offline_at_rmdir)
		settings.mm.offline_at_rmdir = true;
	mm_init(t, settings.ops, s, &settings.mm, choice ? &reclaim_ops : NULL,
		choice ? reclaim_boot(t, settings.reclaim, s, choice) : NULL);
}
