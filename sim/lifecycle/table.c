// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "sim/lifecycle/switches.h"

static const struct lifecycle v5_3 = {
	.info = {"v5.3",
		 "page -> kmem_cache -> mem_cgroup, percpu_ref per cache, reparenting; as merged"},
	.ops = &cache_ref_ops,
	.rcu_one_flavour = true,
	.switches =
		{
			.unlink_clears_memcg = true,
			.early_sysfs_removal = true,
			.create_css_leak = true,
			.no_second_barrier = true,
			.css_put_at_unlink = true,
			.dying_before_refcount = true,
		},
};

static const struct lifecycle v5_8 = {
	.info = {"v5.8", "the design of v5.3 with every fix that it got while it lived"},
	.ops = &cache_ref_ops,
	.rcu_one_flavour = true,
	.switches =
		{
			.unlink_clears_memcg = true,
			.early_sysfs_removal = true,
		},
};

static const struct lifecycle seed1_v4 = {
	.info = {"seed1-v4",
		 "the v4 posting of the same rework, as mailed on 2019-05-14, slips included"},
	.ops = &cache_ref_ops,
	.rcu_one_flavour = true,
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
		},
};

static const struct lifecycle v5_9 = {
	.info = {"v5.9", "object -> obj_cgroup -> mem_cgroup, one set of caches; as merged"},
	.ops = &objcg_ops,
	.rules = {.stock_pins_once = true, .migration_locks = true, .no_sysfs_work = true},
	.rcu_one_flavour = true,
	.switches =
		{
			.objcg_pins_memcg = true,
			.full_means_unaccounted = true,
			.charge_css_get = true,
			.stock_read_twice = true,
			.vector_read_twice = true,
			.release_css_set_lock = true,
		},
};

static const struct lifecycle v5_10 = {
	.info = {"v5.10", "the same with the fixes that v5.10.y got"},
	.ops = &objcg_ops,
	.rules = {.stock_pins_once = true, .migration_locks = true, .no_sysfs_work = true},
	.rcu_one_flavour = true,
	.switches =
		{
			.objcg_pins_memcg = true,
			.stock_read_twice = true,
			.release_css_set_lock = true,
		},
};

static const struct lifecycle v6_1 = {
	.info = {"v6.1", "an objcg pins no memcg and has a lock of its own; stocks keep more"},
	.ops = &objcg_ops,
	.rules =
		{
			.stock_pins_once = true,
			.migration_locks = true,
			.no_sysfs_work = true,
			.release_unlocked = true,
		},
	.rcu_one_flavour = true,
	.switches =
		{
			.uncharge_to_stock = true,
			.stock_sheds_pages = true,
			.put_after_unlock = true,
			.stock_read_twice = true,
		},
};

static const struct lifecycle v6_12 = {
	.info = {"v6.12",
		 "tasks keep their objcg, memcgs keep their first one until they are freed"},
	.ops = &objcg_ops,
	.rules =
		{
			.stock_pins_once = true,
			.migration_locks = true,
			.no_sysfs_work = true,
			.release_unlocked = true,
			.barrier_in_destroy = true,
		},
	.rcu_one_flavour = true,
	.switches =
		{
			.uncharge_to_stock = true,
			.stock_sheds_pages = true,
			.put_after_unlock = true,
			.task_keeps_objcg = true,
			.memcg_pins_objcg = true,
		},
};

static const struct lifecycle *const lifecycles[] = {&seed1_v4, &v5_3, &v5_8, &v5_9,
						     &v5_10,	&v6_1, &v6_12};

const struct lifecycle_info *const lifecycle_infos[] = {
	&seed1_v4.info, &v5_3.info, &v5_8.info,	 &v5_9.info,
	&v5_10.info,	&v6_1.info, &v6_12.info, NULL,
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

uint64_t lifecycle_variants(const struct lifecycle *l)
{
	uint64_t mask = 0;

#define VARIANT(field, name, summary, fix, checker)                                                \
	mask |= (uint64_t)l->switches.field << VARIANT_##field;
#include "sim/lifecycle/variants.def"
#undef VARIANT
	return mask;
}

struct kernel_config lifecycle_kernel_config(const struct lifecycle *l)
{
	return (struct kernel_config){.rcu_one_flavour = l->rcu_one_flavour};
}

void lifecycle_boot(struct task *t, const struct lifecycle *l, uint64_t mask)
{
	struct switches *s = world_alloc(t->w, sizeof(*s));

	*s = l->switches;
#define VARIANT(field, name, summary, fix, checker) s->field = mask >> VARIANT_##field & 1;
#include "sim/lifecycle/variants.def"
#undef VARIANT
	mm_init(t, l->ops, &l->rules, s);
}
