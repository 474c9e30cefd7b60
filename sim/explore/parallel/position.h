/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_PARALLEL_POSITION_H
#define SIM_EXPLORE_PARALLEL_POSITION_H

/*
 * Position: where a search stands in the tree of choices, between two runs.
 *
 * It is the path from the root to the node where the next run parts from the
 * ones before, with what was tried and what is left at each node.  Everything
 * else that a search knows there is found again by taking the path once more.
 *
 * A search may own less than the whole tree: what lies above @first, and at it
 * unless @all, is somebody else's.  Should an alternative there have to be tried,
 * the search says so with a struct wake.
 */

#include "sim/explore/bytes.h"
#include "sim/explore/exec.h"

/* A node of the path. */
struct place {
	uint64_t todo, done; /* bit per process that can step */
	uint32_t pick;	     /* who steps */
	uint32_t nr_enabled;
	uint32_t choices_at; /* choices before the step */
	uint32_t unused;     /* places are written to files as they are */
};

struct position {
	GArray *places;	 /* struct place; none: the search has not begun */
	GArray *choices; /* struct choice: up to the last place, and what its step begins with */
	uint32_t first;	 /* depth from which on the tree below belongs to the search */
	bool all;	 /* at @first too; else only the choices inside that step do */
};

/* A node that is not the search's needs one of @bits tried, unless one of @instead was. */
struct wake {
	uint32_t depth;
	uint32_t unused;
	uint64_t bits, instead;
};

struct position *position_new(void);
void position_free(struct position *p);

static inline struct place *place_at(const struct position *p, uint32_t depth)
{
	return &g_array_index(p->places, struct place, depth);
}

/** position_cut() - the part of the path that leads to @depth, and the alternative @pick there */
struct position *position_cut(const struct position *p, uint32_t depth, uint32_t pick);

/**
 * position_variant() - the next way in which the step at @depth can choose inside
 *
 * Return: NULL when the one on the path is the last.
 */
struct position *position_variant(const struct position *p, uint32_t depth);

void position_write(const struct position *p, GByteArray *b);

/** position_size() - how many bytes position_write() writes */
static inline size_t position_size(const struct position *p)
{
	return 4 * sizeof(uint64_t) + p->places->len * sizeof(struct place) +
	       p->choices->len * sizeof(struct choice);
}

/** position_read() - NULL when it makes no sense */
struct position *position_read(struct reader *r);

/** position_fits() - can its path be taken?  For one that comes from a file */
bool position_fits(const struct position *p, struct exec *x);

#endif /* SIM_EXPLORE_PARALLEL_POSITION_H */
