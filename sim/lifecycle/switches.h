/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_LIFECYCLE_SWITCHES_H
#define SIM_LIFECYCLE_SWITCHES_H

/*
 * What a generation is made of.  A version is a row of the table in table.c;
 * the mechanisms read the switches and never ask which version they run in.
 */

#include "sim/lifecycle/info.h"

struct switches {
	bool release_rcu_hop;	     /* the release callback waits a grace period more */
	bool create_tests_dying;     /* creation refuses a dying root cache */
	bool dying_under_slab_mutex; /* the dying flag needs slab_mutex as well */
	bool unlink_clears_memcg;    /* css_put_at_unlink leaves NULL behind, not a stale pointer */
	bool early_sysfs_removal; /* a child that is empty when deactivated is announced at once */
	/* Children of an offlined memcg are shrunk at once, after a wait, or by work after RCU. */
	enum {
		DEACTIVATE_BY_WORK,
		DEACTIVATE_IPI,
		DEACTIVATE_GP_EACH,
		DEACTIVATE_GP_ONCE
	} deactivate;
	bool uncharge_by_page;	/* a slab page knows its memcg by itself */
	bool free_walks_caches; /* the caches of a memcg are found among all caches */
	bool uncharges_root;	/* pages of reparented caches leave the root's memory counter */
	bool objcg_pins_memcg;	/* a reparented objcg holds a css reference */
	bool full_means_unaccounted; /* an object that cannot be charged is had for nothing */
	bool uncharge_to_stock;	     /* pages of an objcg go back to the CPU's stock */
	bool stock_sheds_pages;	     /* a stock of bytes that is too big keeps its objcg */
	bool put_after_unlock;	     /* a drained objcg is put with interrupts on */
	bool task_keeps_objcg;	     /* a task holds its objcg from one allocation to the next */
	bool memcg_pins_objcg;	     /* a memcg holds its first objcg until it is freed */
#define VARIANT(field, name, summary, fix, checker) bool field;
#include "sim/lifecycle/variants.def"
#undef VARIANT
};

struct lifecycle {
	struct lifecycle_info info;
	const struct lifecycle_ops *ops;
	bool rcu_one_flavour;
	struct mm_config mm;
	struct reclaim_config reclaim;
	struct switches switches; /* variants included, as that version had them */
};

/* Children pinned by their own percpu_ref, one css reference each that moves up: v5.3 to v5.8. */
extern const struct lifecycle_ops cache_ref_ops;

/* Slab pages pin the memcg, which takes its children with it when it is freed: v4.0 to v5.2. */
extern const struct lifecycle_ops cache_memcg_ops;

/* One set of caches, objects owned by an obj_cgroup: v5.9 and later. */
extern const struct lifecycle_ops objcg_ops;

static inline const struct switches *switches_of(const struct task *t)
{
	return mm_of(t->w)->switches;
}

#endif /* SIM_LIFECYCLE_SWITCHES_H */
