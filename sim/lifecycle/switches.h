/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_LIFECYCLE_SWITCHES_H
#define SIM_LIFECYCLE_SWITCHES_H

/*
 * What a generation is made of.  A version is a row of the table in table.c;
 * the mechanisms read the switches and never ask which version they run in.
 */

#include "sim/lifecycle/info.h"

/* The fields are described in switches.def and variants.def. */
struct switches {
	bool release_rcu_hop, create_tests_dying, dying_under_slab_mutex, unlink_clears_memcg;
	bool early_sysfs_removal;
	enum {
		DEACTIVATE_BY_WORK,
		DEACTIVATE_IPI,
		DEACTIVATE_GP_EACH,
		DEACTIVATE_GP_ONCE
	} deactivate;
	bool destroy_by_work, charges_current;
	bool uncharge_by_page, free_walks_caches, uncharges_root;
	bool objcg_pins_memcg, full_means_unaccounted, uncharge_to_stock, stock_sheds_pages;
	bool put_after_unlock, task_keeps_objcg, memcg_pins_objcg;
#define VARIANT(field, name, summary, fix, checker) bool field;
#include "sim/lifecycle/variants.def"
#undef VARIANT
};

/* Children that count their slab pages and pin their memcg: v3.15 to v3.18. */
extern const struct lifecycle_ops cache_pages_ops;

/* Slab pages pin the memcg, which takes its children with it when it is freed: v3.19 to v5.2. */
extern const struct lifecycle_ops cache_memcg_ops;

/* Children pinned by their own percpu_ref, one css reference each that moves up: v5.3 to v5.8. */
extern const struct lifecycle_ops cache_ref_ops;

/* One set of caches, objects owned by an obj_cgroup: v5.9 and later. */
extern const struct lifecycle_ops objcg_ops;

static inline const struct switches *switches_of(const struct task *t)
{
	return mm_of(t->w)->switches;
}

#endif /* SIM_LIFECYCLE_SWITCHES_H */
