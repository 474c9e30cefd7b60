/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_SAMPLE_SAMPLE_H
#define SIM_EXPLORE_SAMPLE_SAMPLE_H

/*
 * What the parts of sampling share; nobody else includes it.
 *
 *   sample.c  runs that are drawn in the world, and how they are handed out
 *   known.c   runs that are drawn on paper, as long as what they do is known
 */

#include "sim/explore/driver.h"
#include "sim/explore/sample/pct.h"

struct known;

struct sampler {
	struct driver *d;    /* of the piece */
	struct known *known; /* NULL: every step is taken in the world */
	struct rng rng;
	bool is_pct;
	struct pct pct;
	uint64_t seed; /* of all runs */
	uint64_t nr;   /* this run's number, from 0 */
	uint64_t mean_steps;
	uint64_t long_steps; /* from which on this run is looked at */
};

/* ---- known.c ---- */

/* How a run on paper has ended. */
enum known_end {
	KNOWN_QUIET,   /* nothing is left to happen, and no checker minds */
	KNOWN_CUT,     /* it has as many steps as a run may have */
	KNOWN_STOPPED, /* told to stop on the way */
	KNOWN_NOT,     /* the world has to be asked: it has to take this run from the beginning */
};

/**
 * known_new() - runs of @x, which may be anywhere; it is then where they begin
 *
 * Return: NULL if nothing could be known of them.
 */
struct known *known_new(struct exec *x);
void known_free(struct known *k);

/** known_may() - is it worth while to draw the next run on paper? */
bool known_may(const struct known *k);

/** known_run() - draw a run */
enum known_end known_run(struct known *k, struct sampler *s);

/** known_steps(), known_drawn() - steps that the last run had on paper, and that it has drawn */
uint32_t known_steps(const struct known *k);
uint32_t known_drawn(const struct known *k);

/**
 * known_pick() - the world of @x is where the last run was on paper after as many steps: which of
 * those that are enabled did it draw?  -1: that is not possible in the world
 */
int known_pick(const struct known *k, const struct exec *x);

/**
 * known_watch() - the world takes the last run from the beginning: call this after each exec_look()
 * @t: context that has taken the last step; NULL in the beginning
 *
 * What was not known is learned, as long as a memo can hold it.
 * Return: false if the world contradicts what is known.
 */
bool known_watch(struct known *k, const struct task *t);

/** known_end() - nothing is left to happen in that run; @clean: and no checker minds */
void known_end(struct known *k, bool clean);

#endif /* SIM_EXPLORE_SAMPLE_SAMPLE_H */
