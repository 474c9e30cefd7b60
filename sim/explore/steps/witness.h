/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_STEPS_WITNESS_H
#define SIM_EXPLORE_STEPS_WITNESS_H

/*
 * Witness: sees a step in the world and says what it did to the state on paper.
 *
 * An order tells the same of the last step of a path.  But all that goes into the digest of a
 * step stands on the paper: where its process stood, and what it found in what it touched.  So
 * whoever needs no races does without the path.
 */

#include "sim/explore/steps/paper.h"

struct witness {
	struct exec *x;
	struct paper *p;
	uint64_t root_ids[NR_OBJECT_KINDS];
	uint64_t *roots; /* by place: digest of its value where runs begin; past them: none */
	uint32_t nr_roots;
	uint64_t root_hindsight, nr_looks_back; /* of the checkers: where runs begin, and last */
	struct touch tidy[2 * TOUCHES_MAX];
	uint32_t places[TOUCHES_MAX]; /* of these, their numbers */
};

/** witness_init() - the world of @x is where runs begin, and so is @p */
void witness_init(struct witness *w, struct exec *x, struct paper *p);
void witness_clear(struct witness *w);

/** witness_look() - the world is before a step that may be asked about */
void witness_look(struct witness *w);

/**
 * witness_step() - the last step of the world was @proc's, of which @t is the task; the paper is
 * where it was before
 * @effects: filled
 *
 * Return: false if it did more than paper can hold.
 */
bool witness_step(struct witness *w, uint32_t proc, const struct task *t, struct effects *effects);

#endif /* SIM_EXPLORE_STEPS_WITNESS_H */
