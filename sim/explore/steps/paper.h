/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_STEPS_PAPER_H
#define SIM_EXPLORE_STEPS_PAPER_H

/*
 * Paper: a state of the world, as far as a memo can follow it from step to step.
 *
 * It is where processes stand and what places hold.  Steps that the memo knows are applied
 * to it and taken back; nothing of the world is needed for that.  Whoever uses it brings
 * the world along where the memo has no answer, and lets it learn from that.
 */

#include "sim/explore/steps/memo.h"

/* Processes by their numbers, in the order in which they became pending. */
struct proc_list {
	uint8_t nr, at[MEMO_PROCS_MAX];
};

struct paper {
	struct memo *m;
	uint64_t fingerprint;
	uint32_t points[MEMO_PROCS_MAX]; /* MEMO_NONE: it has ended */
	uint64_t *versions;		 /* of each place */
	uint64_t *hashes;		 /* of each object: what its places hold */
	uint32_t nr_places, nr_objects;
	bool blind; /* DEFECT_RECALL_BLIND */
};

/**
 * paper_begin() - the state that the world of @x is in
 * @o: its events have led there from where runs begin; NULL: it is there
 * @pending: filled
 *
 * Return: false if not all that can come next is what a memo can hold.
 */
bool paper_begin(struct paper *p, struct memo *m, const struct exec *x, const struct order *o,
		 struct proc_list *pending);
void paper_clear(struct paper *p);

/**
 * paper_know_places() - room for all places and objects of the memo
 *
 * New ones hold what they do in the world, where @o has led; without, what they did in the
 * beginning.
 */
void paper_know_places(struct paper *p, const struct order *o);

/** paper_fits() - is all that can come next a step of a task that has its CPU to itself? */
bool paper_fits(struct memo *m, const struct world *w);

/** paper_apply() - @proc takes @step; the point at which it stood before */
static inline uint32_t paper_apply(struct paper *p, uint32_t proc, const struct memo_step *step)
{
	const struct memo_use *u = memo_uses_of(p->m, step), *end = u + step->nr;
	uint32_t from = p->points[proc];

	for (; u < end; u++) {
		p->versions[u->place] = u->after;
		p->hashes[u->object] ^= u->change;
	}
	p->points[proc] = step->to;
	p->fingerprint ^= step->change;
	return from;
}

/** paper_take_back() - @proc has not taken @step, and stands where it did */
static inline void paper_take_back(struct paper *p, uint32_t proc, const struct memo_step *step,
				   uint32_t from)
{
	const struct memo_use *u = memo_uses_of(p->m, step), *end = u + step->nr;

	for (; u < end; u++) {
		p->versions[u->place] = u->before;
		p->hashes[u->object] ^= u->change;
	}
	p->points[proc] = from;
	p->fingerprint ^= step->change;
}

/** paper_recall() - the step that @proc is known to take here; MEMO_NONE: none is */
static inline uint32_t paper_recall(const struct paper *p, uint32_t proc)
{
	if (p->blind)
		return memo_point_at(p->m, p->points[proc])->step;
	return memo_recall(p->m, p->points[proc], p->versions);
}

/** paper_set_pending() - who is @after @proc has stepped, where @before were pending */
void paper_set_pending(const struct paper *p, const struct proc_list *before, uint32_t proc,
		       struct proc_list *after);

/** paper_set_enabled() - which of @pending can step; false if that is not known of all */
bool paper_set_enabled(const struct paper *p, const struct proc_list *pending,
		       struct proc_list *enabled);

/* ---- learning ---- */

/**
 * paper_learn() - @proc has taken a step in the world of @x, the last one of @o; the paper is
 * where it was before
 * @ended: it will take no more
 * @keep: know the step from now on; else it is known only by its number
 * @effects: filled with what it did
 *
 * Return: number of the step; MEMO_NONE: there is more to it than a memo can hold.
 */
uint32_t paper_learn(struct paper *p, const struct exec *x, const struct order *o, uint32_t proc,
		     bool ended, bool keep, struct effects *effects);

/**
 * paper_look() - ask the world of @x about all that are pending there, where the paper is as well:
 * what do they wait for, and must they?
 * @o: NULL if the memo has seen all steps that led there
 *
 * Return: false if these are not @pending, or wait for what a memo cannot hold.
 */
bool paper_look(struct paper *p, const struct exec *x, const struct order *o,
		const struct proc_list *pending);

#endif /* SIM_EXPLORE_STEPS_PAPER_H */
