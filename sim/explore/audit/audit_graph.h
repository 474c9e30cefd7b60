/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_AUDIT_AUDIT_GRAPH_H
#define SIM_EXPLORE_AUDIT_AUDIT_GRAPH_H

/*
 * The states that a search has met, with all that can be done in each, to see
 * whether equal fingerprints are equal states and independent steps commute.
 */

#include "sim/explore/driver.h"

struct graph;

/** graph_new() - @by_history: of states told apart by what led to them */
struct graph *graph_new(bool by_history);
void graph_free(struct graph *g);

/* The hooks of struct search_audit. */
void graph_visit(struct graph *g, uint64_t state, bool again);
void graph_leave(struct graph *g);
void graph_step(struct graph *g, const struct search_step *step);

/** graph_commute() - run every pair of independent steps that was met in both orders */
void graph_commute(struct graph *g);

/** graph_nr_again(), graph_nr_pairs() - how much was compared */
uint64_t graph_nr_again(const struct graph *g);
uint64_t graph_nr_pairs(const struct graph *g);

/**
 * graph_problems() - describe what did not fit
 * @x: for running the paths again
 * @problems: char *, appended to, a few at most
 *
 * Return: how many there were.
 */
uint32_t graph_problems(struct graph *g, struct exec *x, GPtrArray *problems);

#endif /* SIM_EXPLORE_AUDIT_AUDIT_GRAPH_H */
