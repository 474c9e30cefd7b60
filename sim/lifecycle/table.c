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

static const struct lifecycle *const lifecycles[] = {&seed1_v4, &v5_3, &v5_8};

const struct lifecycle_info *const lifecycle_infos[] = {&seed1_v4.info, &v5_3.info, &v5_8.info,
							NULL};

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
	mm_init(t, l->ops, s);
}
