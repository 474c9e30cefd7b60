/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_BASE_WATCH_H
#define SIM_BASE_WATCH_H

/*
 * Watch: which pages of the arena's heap were written to since some moment.
 *
 * The pages are write-protected.  The first write to one faults; the page is then
 * listed, let go for good, and the write happens.  So the list is exact: what is not
 * on it holds what it held when the watch began.  A run writes to the same few pages
 * over and over, so after a run or two nothing faults any more.
 *
 * Each page that was let go can split the mapping.  When Linux allows no more pieces
 * all pages are let go and listed, and the watch costs nothing and saves nothing.
 */

#include "sim/base/arena.h"

/* Under valgrind a write that faulted does not go on as it was: registers are lost. */
#ifdef SLABSIM_VALGRIND
#define WATCH_POSSIBLE false
#else
#define WATCH_POSSIBLE true
#endif

struct watch {
	char *base;	   /* the heap */
	const char *image; /* a copy of it, made when the watch began; the caller's */
	size_t page;	   /* bytes */
	size_t bytes;	   /* of the heap from @base that are watched: whole pages */
	uint32_t *written; /* numbers of the pages that were written to, the first one first */
	uint32_t nr_written;
	uint8_t *listed; /* by number of the page */
};

/**
 * watch_start() - from now on note which pages of @a are written to
 * @image: the heap as it is now; must stay until the watch ends
 *
 * Takes SIGSEGV; faults elsewhere go to who had it before.  Ends at arena_reset().
 */
void watch_start(struct arena *a, const char *image);
void watch_stop(void);

/** watch_now() - the watch; NULL when there is none, because none was begun or none can be */
const struct watch *watch_now(void);

/** watch_signals() - take SIGSEGV again, after somebody else took it away */
void watch_signals(void);

#endif /* SIM_BASE_WATCH_H */
