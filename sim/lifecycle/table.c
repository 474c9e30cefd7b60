// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "sim/lifecycle/switches.h"

static const struct lifecycle v5_3 = {
	.info = {"v5.3",
		 "page -> kmem_cache -> mem_cgroup, percpu_ref per cache, reparenting; as merged"},
	.ops = &cache_ref_ops,
	.mm = {.drain_unlocked = true},
	.rcu_one_flavour = true,
	.reclaim = {.iter = {.design = ITER_WEAK, .scope = ITER_PER_NODE_PRIORITY},
		    .walks = SHARED_WALKS,
		    .list_lru = {.form = LRU_ARRAYS, .count_signed = true},
		    .shrinkers = {.form = SHRINK_MAP}},
	.switches =
		{
			.unlink_clears_memcg = true,
			.early_sysfs_removal = true,
			.create_css_leak = true,
			.no_second_barrier = true,
			.css_put_at_unlink = true,
			.dying_before_refcount = true,
			.id_published_early = true,
			.stock_entry_unpinned = true,
			.stat_flush_failed_alloc = true,
			.stat_gone_own_cpu = true,
			.shrinker_bit_needs_zero = true,
			.shrinker_bit_stale_memcg = true,
			.shrinker_maps_css_leak = true,
		},
};

static const struct lifecycle v5_8 = {
	.info = {"v5.8", "the design of v5.3 with every fix that it got while it lived"},
	.ops = &cache_ref_ops,
	.mm = {.kmem_nofail = true},
	.rcu_one_flavour = true,
	.reclaim = {.iter = {.design = ITER_WEAK, .scope = ITER_PER_NODE},
		    .walks = PRIVATE_WALKS,
		    .list_lru = {.form = LRU_ARRAYS, .count_signed = true},
		    .shrinkers = {.form = SHRINK_MAP}},
	.switches =
		{
			.unlink_clears_memcg = true,
			.early_sysfs_removal = true,
			.id_published_early = true,
			.stock_entry_unpinned = true,
			.stat_gone_own_cpu = true,
			.shrinker_bit_needs_zero = true,
			.shrinker_bit_stale_memcg = true,
		},
};

static const struct lifecycle seed1_v4 = {
	.info = {"seed1-v4",
		 "the v4 posting of the same rework, as mailed on 2019-05-14, slips included"},
	.ops = &cache_ref_ops,
	.mm = {.drain_unlocked = true},
	.rcu_one_flavour = true,
	.reclaim = {.iter = {.design = ITER_WEAK, .scope = ITER_PER_NODE_PRIORITY},
		    .walks = SHARED_WALKS,
		    .list_lru = {.form = LRU_ARRAYS, .count_signed = true},
		    .shrinkers = {.form = SHRINK_MAP}},
	.switches =
		{
			.release_rcu_hop = true,
			.create_tests_dying = true,
			.dying_under_slab_mutex = true,
			.uncharges_root = true,
			.lookup_unlock_bug = true,
			.release_lock_plain = true,
			.workfn_write_after_free = true,
			.workfn_clobber = true,
			.create_css_leak = true,
			.no_second_barrier = true,
			.css_put_at_unlink = true,
			.dying_before_refcount = true,
			.id_published_early = true,
			.stock_entry_unpinned = true,
			.stat_lost = true,
			.stat_gone_own_cpu = true,
			.iter_invalidate_own_parents = true,
			.shrinker_bit_needs_zero = true,
			.shrinker_bit_stale_memcg = true,
			.shrinker_maps_css_leak = true,
		},
};

static const struct lifecycle v4_18 = {
	.info = {"v4.18", "page -> mem_cgroup <- kmem_cache; deactivation by RCU and work, which "
			  "destruction marks and flushes"},
	.ops = &cache_memcg_ops,
	.mm = {.stats = STATS_PER_MEMCG, .drain_unlocked = true, .offline_keeps_stock = true},
	.reclaim = {.iter = {.design = ITER_WEAK, .scope = ITER_PER_NODE_PRIORITY},
		    .walks = SHARED_WALKS,
		    .list_lru = {.form = LRU_ARRAYS, .count_signed = true},
		    .shrinkers = {.form = SHRINK_WALK, .global_skips_aware = true}},
	.switches =
		{
			.early_sysfs_removal = true,
			.create_tests_dying = true,
			.uncharge_by_page = true,
			.dying_before_refcount = true,
			.id_kept_on_failure = true,
			.id_published_early = true,
			.stock_entry_unpinned = true,
			.stat_gone_own_cpu = true,
			.iter_invalidate_own_parents = true,
		},
};

static const struct lifecycle v4_11 = {
	.info = {"v4.11", "page -> mem_cgroup <- kmem_cache; deactivation by RCU and work"},
	.ops = &cache_memcg_ops,
	.mm = {.stats = STATS_PER_CPU,
	       .drain_unlocked = true,
	       .offline_keeps_stock = true,
	       .sysfs_inline = true},
	.reclaim = {.iter = {.design = ITER_WEAK, .scope = ITER_PER_NODE_PRIORITY},
		    .walks = SHARED_WALKS,
		    .list_lru = {.form = LRU_ARRAYS, .count_locks = true, .count_signed = true},
		    .shrinkers = {.form = SHRINK_WALK, .global_skips_aware = true}},
	.switches =
		{
			.early_sysfs_removal = true,
			.uncharge_by_page = true,
			.destroy_without_flush = true,
			.id_kept_on_failure = true,
			.id_published_early = true,
			.stock_entry_unpinned = true,
			.iter_invalidate_parents = true,
			.lru_count_sums_lists = true,
		},
};

/* What deactivation at offline waits for, with the big locks held: three attempts. */
static const struct lifecycle v4_10 = {
	.info = {"v4.10", "as v4.0, with one grace period for all caches of a memcg"},
	.ops = &cache_memcg_ops,
	.mm = {.stats = STATS_PER_CPU,
	       .drain_unlocked = true,
	       .kmem_wq = KMEM_WQ_ORDERED,
	       .offline_keeps_stock = true,
	       .sysfs_inline = true,
	       .collects_retired = true},
	.reclaim = {.iter = {.design = ITER_WEAK, .scope = ITER_PER_NODE_PRIORITY},
		    .walks = SHARED_WALKS,
		    .list_lru = {.form = LRU_ARRAYS, .count_locks = true, .count_signed = true},
		    .shrinkers = {.form = SHRINK_WALK, .global_skips_aware = true}},
	.switches =
		{
			.deactivate = DEACTIVATE_GP_ONCE,
			.uncharge_by_page = true,
			.free_walks_caches = true,
			.destroy_without_flush = true,
			.id_kept_on_failure = true,
			.id_published_early = true,
			.stock_entry_unpinned = true,
			.iter_invalidate_parents = true,
			.lru_count_sums_lists = true,
		},
};

static const struct lifecycle v4_7 = {
	.info = {"v4.7", "as v4.0, with a grace period for each cache of a memcg"},
	.ops = &cache_memcg_ops,
	.mm = {.stats = STATS_PER_CPU,
	       .drain_unlocked = true,
	       .kmem_wq = KMEM_WQ_SYSTEM,
	       .offline_keeps_stock = true,
	       .sysfs_inline = true,
	       .collects_retired = true},
	.reclaim = {.iter = {.design = ITER_WEAK, .scope = ITER_PER_NODE_PRIORITY},
		    .walks = SHARED_WALKS,
		    .list_lru = {.form = LRU_ARRAYS, .count_locks = true, .count_signed = true},
		    .shrinkers = {.form = SHRINK_WALK, .global_skips_aware = true}},
	.switches =
		{
			.deactivate = DEACTIVATE_GP_EACH,
			.uncharge_by_page = true,
			.free_walks_caches = true,
			.destroy_without_flush = true,
			.swapout_offline = true,
			.id_kept_on_failure = true,
			.id_published_early = true,
			.stock_entry_unpinned = true,
			.iter_invalidate_parents = true,
			.lru_count_sums_lists = true,
		},
};

static const struct lifecycle v4_0 = {
	.info = {"v4.0", "page -> mem_cgroup <- kmem_cache; ids released and caches deactivated at "
			 "offline, each with an IPI to all CPUs"},
	.ops = &cache_memcg_ops,
	.mm = {.stats = STATS_PER_CPU,
	       .drain_unlocked = true,
	       .id_with_css = true,
	       .kmem_wq = KMEM_WQ_SYSTEM,
	       .offline_keeps_stock = true,
	       .sysfs_inline = true,
	       .collects_retired = true},
	.reclaim = {.iter = {.design = ITER_WEAK, .scope = ITER_PER_ZONE_PRIORITY},
		    .walks = SHARED_WALKS,
		    .list_lru = {.form = LRU_ARRAYS, .count_locks = true, .count_signed = true},
		    .shrinkers = {.form = SHRINK_WALK}},
	.switches =
		{
			.deactivate = DEACTIVATE_IPI,
			.free_walks_caches = true,
			.destroy_without_flush = true,
			.stock_entry_unpinned = true,
			.iter_pins_css = true,
			.iter_pins_late = true,
			.offline_walk_no_rcu = true,
			.lru_count_sums_lists = true,
		},
};

/* Offline does nothing: ids, slots and empty pages stay until the memcg is freed. */
static const struct lifecycle seed2 = {
	.info = {"seed2", "page -> mem_cgroup <- kmem_cache until the memcg is freed; slab_mutex "
			  "only, one rcu_barrier()"},
	.ops = &cache_memcg_ops,
	.mm = {.stats = STATS_PER_CPU,
	       .drain_unlocked = true,
	       .id_with_css = true,
	       .kmem_wq = KMEM_WQ_SYSTEM,
	       .offline_keeps_stock = true,
	       .sysfs_inline = true,
	       .collects_retired = true,
	       .keeps_id = true},
	.reclaim = {.iter = {.design = ITER_WEAK, .scope = ITER_PER_ZONE_PRIORITY},
		    .walks = SHARED_WALKS,
		    .list_lru = {.form = LRU_GLOBAL, .count_locks = true, .count_signed = true},
		    .shrinkers = {.form = SHRINK_GLOBAL}},
	.switches =
		{
			.free_walks_caches = true,
			.destroy_without_flush = true,
			.stock_entry_unpinned = true,
			.iter_pins_css = true,
			.iter_pins_late = true,
			.lru_count_sums_lists = true,
		},
};

static const struct lifecycle v3_19 = {
	.info = {"v3.19",
		 "as seed2, with memcg_slab_mutex, and slab_mutex dropped in the middle of "
		 "kmem_cache_destroy()"},
	.ops = &cache_memcg_ops,
	.mm = {.stats = STATS_PER_CPU,
	       .drain_unlocked = true,
	       .id_with_css = true,
	       .kmem_wq = KMEM_WQ_SYSTEM,
	       .offline_keeps_stock = true,
	       .sysfs_inline = true,
	       .collects_retired = true,
	       .keeps_id = true,
	       .memcg_slab_mutex = true},
	.reclaim = {.iter = {.design = ITER_WEAK, .scope = ITER_PER_ZONE_PRIORITY},
		    .walks = SHARED_WALKS,
		    .list_lru = {.form = LRU_GLOBAL, .count_locks = true, .count_signed = true},
		    .shrinkers = {.form = SHRINK_GLOBAL}},
	.switches =
		{
			.destroy_without_flush = true,
			.destroy_drops_mutex = true,
			.stock_entry_unpinned = true,
			.iter_pins_css = true,
			.iter_pins_late = true,
			.lru_count_sums_lists = true,
		},
};

static const struct lifecycle v5_9 = {
	.info = {"v5.9", "object -> obj_cgroup -> mem_cgroup, one set of caches; as merged"},
	.ops = &objcg_ops,
	.mm =
		{
			.stat_bytes = true,
			.reclaim_retries = 16,
			.kmem_nofail = true,
			.stock_pins_once = true,
			.migration_locks = true,
			.sysfs_inline = true,
		},
	.rcu_one_flavour = true,
	.reclaim = {.iter = {.design = ITER_WEAK, .scope = ITER_PER_NODE},
		    .walks = PRIVATE_WALKS,
		    .list_lru = {.form = LRU_ARRAYS, .count_signed = true},
		    .shrinkers = {.form = SHRINK_MAP}},
	.switches =
		{
			.objcg_pins_memcg = true,
			.full_means_unaccounted = true,
			.charge_css_get = true,
			.stock_read_twice = true,
			.vector_read_twice = true,
			.release_css_set_lock = true,
			.id_published_early = true,
			.stat_gone_own_cpu = true,
			.shrinker_bit_needs_zero = true,
			.shrinker_bit_stale_memcg = true,
		},
};

static const struct lifecycle v5_10 = {
	.info = {"v5.10", "the same with the fixes that v5.10.y got"},
	.ops = &objcg_ops,
	.mm =
		{
			.stat_bytes = true,
			.reclaim_retries = 16,
			.kmem_nofail = true,
			.stock_pins_once = true,
			.migration_locks = true,
			.sysfs_inline = true,
		},
	.rcu_one_flavour = true,
	.reclaim = {.iter = {.design = ITER_WEAK, .scope = ITER_PER_NODE},
		    .walks = PRIVATE_WALKS,
		    .list_lru = {.form = LRU_ARRAYS, .count_signed = true},
		    .shrinkers = {.form = SHRINK_MAP}},
	.switches =
		{
			.objcg_pins_memcg = true,
			.stock_read_twice = true,
			.release_css_set_lock = true,
			.id_published_early = true,
			.stat_gone_own_cpu = true,
			.shrinker_bit_stale_memcg = true,
		},
};

static const struct lifecycle v6_1 = {
	.info = {"v6.1", "an objcg pins no memcg and has a lock of its own; stocks keep more"},
	.ops = &objcg_ops,
	.mm =
		{
			.stat_bytes = true,
			.stats = STATS_RSTAT,
			.charge_batch = 64,
			.reclaim_retries = 16,
			.kmem_nofail = true,
			.stock_pins_once = true,
			.migration_locks = true,
			.sysfs_inline = true,
			.release_unlocked = true,
		},
	.rcu_one_flavour = true,
	.reclaim = {.iter = {.design = ITER_WEAK, .scope = ITER_PER_NODE},
		    .walks = PRIVATE_WALKS,
		    .list_lru = {.form = LRU_XARRAY},
		    .shrinkers = {.form = SHRINK_INFO, .debugfs = true}},
	.switches =
		{
			.uncharge_to_stock = true,
			.stock_sheds_pages = true,
			.put_after_unlock = true,
			.stock_read_twice = true,
			.id_published_early = true,
			.shrinker_bit_stale_memcg = true,
			.shrinker_debugfs_rwsem = true,
		},
};

static const struct lifecycle v6_12 = {
	.info = {"v6.12",
		 "tasks keep their objcg, memcgs keep their first one until they are freed"},
	.ops = &objcg_ops,
	.mm =
		{
			.stat_bytes = true,
			.stats = STATS_RSTAT,
			.charge_batch = 64,
			.reclaim_retries = 16,
			.kmem_nofail = true,
			.stock_pins_once = true,
			.migration_locks = true,
			.sysfs_inline = true,
			.release_unlocked = true,
			.barrier_in_destroy = true,
		},
	.rcu_one_flavour = true,
	.reclaim = {.iter = {.design = ITER_WEAK_RETRY, .scope = ITER_PER_NODE},
		    .walks = PARTIAL_WALKS,
		    .list_lru = {.form = LRU_XARRAY, .memcg_first = true},
		    .shrinkers = {.form = SHRINK_INFO, .refs = true, .debugfs = true}},
	.switches =
		{
			.uncharge_to_stock = true,
			.stock_sheds_pages = true,
			.put_after_unlock = true,
			.task_keeps_objcg = true,
			.memcg_pins_objcg = true,
			.shrinker_bit_stale_memcg = true,
		},
};

static const struct lifecycle *const lifecycles[] = {
	&v3_19,	   &seed2, &v4_0, &v4_7, &v4_10, &v4_11, &v4_18,
	&seed1_v4, &v5_3,  &v5_8, &v5_9, &v5_10, &v6_1,	 &v6_12,
};

const struct lifecycle_info *const lifecycle_infos[] = {
	&v3_19.info, &seed2.info, &v4_0.info,	  &v4_7.info,  &v4_10.info,
	&v4_11.info, &v4_18.info, &seed1_v4.info, &v5_3.info,  &v5_8.info,
	&v5_9.info,  &v5_10.info, &v6_1.info,	  &v6_12.info, NULL,
};

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

_Static_assert(NR_VARIANTS <= VARIANTS_MAX, "variants are kept in a 64-bit mask");

const struct variant_info *const variant_infos[] = {
#define VARIANT(field, name, summary, fix, checker) &variants[VARIANT_##field],
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

#define BIT_OF(field) (UINT64_C(1) << VARIANT_##field)

/* What lies in sim/reclaim, and in what calls it for lists. */
static const uint64_t variants_of_reclaim =
	BIT_OF(iter_pins_css) | BIT_OF(iter_pins_late) | BIT_OF(iter_invalidate_parents) |
	BIT_OF(iter_invalidate_own_parents) | BIT_OF(iter_invalidate_late) |
	BIT_OF(iter_count_read_twice) | BIT_OF(iter_stamp_first) | BIT_OF(iter_unlocked) |
	BIT_OF(iter_gets_offline) | BIT_OF(iter_root_needs_get) | BIT_OF(iter_root_is_got) |
	BIT_OF(iter_root_is_put) | BIT_OF(iter_returns_unpinned) | BIT_OF(iter_unlinked_is_last) |
	BIT_OF(lru_reparent_skip_empty) | BIT_OF(lru_reparent_skip_unlocked) |
	BIT_OF(lru_drain_before_reid) | BIT_OF(lru_drain_recounts) | BIT_OF(lru_alloc_stale_id) |
	BIT_OF(lru_count_sums_lists) | BIT_OF(slabobj_memcg_no_rcu) |
	BIT_OF(shrinker_bit_needs_zero) | BIT_OF(shrinker_bit_stale_memcg) |
	BIT_OF(shrinker_bit_no_rescan) | BIT_OF(shrinker_map_copied) |
	BIT_OF(shrinker_maps_css_leak) | BIT_OF(shrinker_debugfs_rwsem);

uint64_t lifecycle_variants(const struct lifecycle *l, bool reclaim)
{
	uint64_t mask = 0;

#define VARIANT(field, name, summary, fix, checker)                                                \
	mask |= (uint64_t)l->switches.field << VARIANT_##field;
#include "sim/lifecycle/variants.def"
#undef VARIANT
	if (!reclaim)
		mask &= ~variants_of_reclaim;
	return mask;
}

struct kernel_config lifecycle_kernel_config(const struct lifecycle *l)
{
	return (struct kernel_config){.rcu_one_flavour = l->rcu_one_flavour};
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

static struct reclaim *reclaim_boot(struct task *t, const struct lifecycle *l,
				    const struct switches *s, const struct reclaim_choice *choice)
{
	struct reclaim_config config = l->reclaim;

	read_iter(&config.iter, s, choice);
	read_list_lru(&config.list_lru, s, choice);
	read_shrinkers(&config.shrinkers, s, choice);
	return reclaim_new(t->w, &config);
}

void lifecycle_boot(struct task *t, const struct lifecycle *l, uint64_t mask,
		    const struct reclaim_choice *choice)
{
	struct switches *s = world_alloc(t->w, sizeof(*s));
	struct mm_config config = l->mm;

	*s = l->switches;
#define VARIANT(field, name, summary, fix, checker) s->field = mask >> VARIANT_##field & 1;
#include "sim/lifecycle/variants.def"
#undef VARIANT
	config.sysfs_del_by_work = s->sysfs_del_by_work;
	config.no_barrier_typesafe = s->no_barrier_typesafe;
	config.swapout_offline = s->swapout_offline;
	config.id_kept_on_failure = s->id_kept_on_failure;
	config.id_published_early = s->id_published_early;
	config.stock_entry_unpinned = s->stock_entry_unpinned;
	config.stat_lost = s->stat_lost;
	config.stat_flush_own_cpu = s->stat_flush_own_cpu;
	config.stat_flush_failed_alloc = s->stat_flush_failed_alloc;
	config.stat_irqs_on = s->stat_irqs_on;
	config.stat_gone_own_cpu = s->stat_gone_own_cpu;
	config.walks_without_rcu = s->offline_walk_no_rcu;
	if (choice && choice->offline_at_rmdir)
		config.offline_at_rmdir = true;
	mm_init(t, l->ops, s, &config, choice ? &reclaim_ops : NULL,
		choice ? reclaim_boot(t, l, s, choice) : NULL);
}
