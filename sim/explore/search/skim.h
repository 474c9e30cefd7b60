/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_SEARCH_SKIM_H
#define SIM_EXPLORE_SEARCH_SKIM_H

/*
 * What the parts of skimming share; nobody else includes it.
 *
 *   skim.c        the search on what a memo knows: one step, down and back up
 *   skim_world.c  the search proper: catching up, and learning what it does
 *   skim_copies.c states in which copies have only changed places
 */

#include "sim/explore/steps/paper.h"
#include "sim/explore/search/path.h"

/* A node on the path.  What has the same name in struct node means the same there. */
struct ply {
	uint64_t state, todo, done, current;
	uint32_t preemptions;
	uint32_t step;	/* what the pick has done; MEMO_NONE: nothing yet */
	uint32_t from;	/* point at which it stood before */
	bool taken;	/* the search proper has taken that step, too */
	int8_t natural; /* path_natural() */
	uint8_t pick;
	struct proc_list pending, enabled;
	uint32_t known[MEMO_PROCS_MAX]; /* steps of those that are enabled; MEMO_NONE: not yet */
};

/* Where the world is. */
enum whereabouts {
	AT_TOP,	  /* where the node on top of the search proper was made */
	PAST_TOP, /* behind the step of that node */
	ELSEWHERE,
};

struct skim {
	struct search *s;
	struct paper paper;
	uint32_t base; /* depth of the first ply */
	GArray *plies; /* struct ply */
	enum whereabouts world;
	/* Where copies can be exchanged: what is nobody's, each one's own, and all of these. */
	bool exchanges;
	uint64_t shared, own[COPIES_MAX + 1], all_copies;
	uint32_t on_path[PATH_SLOTS];
};

static inline struct ply *skim_ply(const struct skim *k, uint32_t i)
{
	return &g_array_index(k->plies, struct ply, i);
}

static inline struct ply *skim_last(const struct skim *k)
{
	return skim_ply(k, k->plies->len - 1);
}

/* The process that @f has picked. */
static inline uint32_t skim_picked(const struct ply *f)
{
	return f->enabled.at[f->pick];
}

static inline uint64_t skim_key(const struct skim *k, uint32_t proc)
{
	return k->paper.m->procs[proc];
}

/* Of a step: there is more below it, the run is over, a memo cannot hold it. */
enum skimmed { SKIMMED, SKIMMED_END, SKIMMED_UNFIT };

/* ---- skim.c ---- */

/** skim_apply() - the step that @f has picked is known as @step: the state changes as that says */
void skim_apply(struct skim *k, struct ply *f, uint32_t step);

/** skim_take_back() - the state is what it was before the step of @f */
void skim_take_back(struct skim *k, struct ply *f);

/* ---- skim_world.c ---- */

/**
 * skim_catch_up() - let the search proper take the path of all plies but for the last one's step
 *
 * Return: false when the exploration has to end.
 */
bool skim_catch_up(struct skim *k);

/** skim_follow() - the same with the last step, which is known */
bool skim_follow(struct skim *k);

/** skim_learn() - take the step that the last ply has picked, which is not known */
enum skimmed skim_learn(struct skim *k);

/** skim_get_lost() - the world has contradicted the memo: end the exploration; false */
bool skim_get_lost(struct skim *k);

/** skim_drop_top() - the search proper forgets the node on top */
void skim_drop_top(struct search *s);

/* ---- skim_copies.c ---- */

/** skim_begin_copies() - find out how the copies stand; false when the exploration has to end */
bool skim_begin_copies(struct skim *k);

/**
 * skim_note_copies() - @taken, with @effects, is @step now: what was it, whichever copy took it?
 *
 * Return: false if it tells copies apart; the exploration then has to end.
 */
bool skim_note_copies(struct skim *k, const struct taken *taken, const struct effects *effects,
		      uint32_t step);

/** skim_change_copies() - @step is taken, or taken back */
void skim_change_copies(struct skim *k, const struct memo_step *step);

/** skim_fingerprint() - of the state, whichever copy is which */
uint64_t skim_fingerprint(const struct skim *k);

/** skim_fingerprint_after() - the same where @step would lead to */
uint64_t skim_fingerprint_after(const struct skim *k, const struct memo_step *step);

#endif /* SIM_EXPLORE_SEARCH_SKIM_H */
