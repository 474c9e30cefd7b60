/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_LIFECYCLE_INFO_H
#define SIM_LIFECYCLE_INFO_H

/*
 * Which generations of the lifecycle there are, and which variants of them.
 */

#include <stdbool.h>

#include "sim/mm/mm.h"
#include "sim/reclaim/reclaim.h"

struct lifecycle_info {
	const char *name;
	const char *summary;
};

struct variant_info {
	const char *name;
	const char *summary; /* what goes wrong when it is on */
	const char *fix;     /* what upstream did about it */
	const char *checker; /* who catches it */
};

/* What generations differ by.  The variants are switches as well, of the same names. */
struct switch_info {
	const char *name;
	const char *values; /* "" on or off, "#" a number, else names from 0 with blanks between */
	const char *summary;
};

/* All end with NULL. */
extern const struct lifecycle_info *const lifecycle_infos[];
extern const struct variant_info *const variant_infos[];
extern const struct switch_info *const switch_infos[];

struct lifecycle;

/** lifecycle_find() - NULL if there is none of that name */
const struct lifecycle *lifecycle_find(const char *name);

/* A set of variants, a bit each by their position in variant_infos. */
typedef unsigned __int128 variant_set;

#define VARIANTS_MAX 128

static inline variant_set variant_bit(int index)
{
	return (variant_set)1 << index;
}

/** variant_index() - position in variant_infos, -1 if there is none of that name */
int variant_index(const char *name);

/**
 * lifecycle_variants() - those that @l has switched on by itself, a bit each
 * @reclaim: the machine has reclaim; without it, what is wrong with that is no part of it
 */
variant_set lifecycle_variants(const struct lifecycle *l, bool reclaim);

/** lifecycle_base() - the name of the row that @l is written down as a change of, or NULL */
const char *lifecycle_base(const struct lifecycle *l);

/** lifecycle_switch() - how switch_infos[@nr] stands in @l */
int lifecycle_switch(const struct lifecycle *l, int nr);

/** lifecycle_kernel_config() - what @l wants from sim/kernel */
struct kernel_config lifecycle_kernel_config(const struct lifecycle *l);

/* What a scenario says about reclaim; zeroes: what the generation has. */
struct reclaim_choice {
	uint32_t iterator; /* enum iter_design + 1 */
	uint8_t nr_nodes, nr_zones;
	bool no_hierarchy;
	bool offline_at_rmdir; /* as up to v3.10 */
	uint32_t list_lru;     /* enum lru_form + 1 */
	uint32_t shrinkers;    /* enum shrinker_form + 1 */
	uint32_t map_bits;
};

/**
 * lifecycle_boot() - mm_init() for @l with exactly @variants on
 * @choice: NULL: nothing can be reclaimed
 */
void lifecycle_boot(struct task *t, const struct lifecycle *l, variant_set variants,
		    const struct reclaim_choice *choice);

#endif /* SIM_LIFECYCLE_INFO_H */
