/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_RECLAIM_FIELDS_H
#define SIM_RECLAIM_FIELDS_H

/*
 * Shared state of sim/reclaim, as touch() and its like name it.
 */

#include "sim/mm/mm.h"

/* Of objects that sim/reclaim makes, and of a slab object that is on a list. */
enum reclaim_field {
	LRU_TOTAL = 0x100, /* list_lru.nr_items */
	LRU_ARRAY,	   /* list_lru.array */
	LRU_ROW,	   /* list_lru.rows */
	LRU_SLOT,	   /* an entry of an array */
	LRU_ONE_ITEMS,	   /* list_lru_one.items and nr_items */
	LRU_ITEM_NODE,	   /* lru_item.node */
	SHRINKER_DEFERRED, /* nr_deferred */
	SHRINKER_LIFE,	   /* whether it can be found and called */
	SHRINKER_REFS,	   /* refcount */
	DEBUGFS_ACTIVE,	   /* debugfs_file */
	MAP_WORD,	   /* a bitmap */
	/* of a memcg */
	FIELD_SHRINKER_INFO, /* memcg_reclaim.info */
	/* of mm.globals */
	FIELD_LIST_LRUS,
	FIELD_SHRINKERS, /* their list and ids */
};

#endif /* SIM_RECLAIM_FIELDS_H */
