/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_PARALLEL_JOBS_H
#define SIM_EXPLORE_PARALLEL_JOBS_H

/*
 * Jobs: pieces of work, done by forked processes, with an outcome that does not
 * depend on how many there are.
 *
 * Worlds lie at a fixed address, so each worker is a fork of the process that
 * has one open.  Pieces are numbered in the order in which they are handed out,
 * and their results are taken in that order.  How far handing out may run ahead
 * of taking is fixed: what is handed out therefore depends on the results that
 * were taken, and never on who was faster.
 */

#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define JOBS_ERROR (jobs_error_quark())
GQuark jobs_error_quark(void);

/* Pieces that are handed out before the first of them has been taken. */
#define JOBS_AHEAD 64

struct jobs {
	unsigned int nr_jobs;
	void *arg;
	void (*in_worker)(void); /* called in each worker first; may be NULL */

	/* The next piece of work; false when there is none at the moment. */
	bool (*next)(void *arg, GByteArray *piece);

	/*
	 * Do it.  @stop: NULL, or in a worker, where whatever it changes is lost but for @result,
	 * what becomes true when it is time to stop and say how far it came.
	 */
	void (*work)(void *arg, const volatile sig_atomic_t *stop, const GByteArray *piece,
		     GByteArray *result);

	/* Take the result of piece @nr, counted from 0; false to stop and leave all else. */
	bool (*take)(void *arg, uint64_t nr, const GByteArray *result);

	/*
	 * Asked now and then, and after taking; false to stop.  Workers are then told to, and
	 * what they have done is waited for.
	 */
	bool (*go_on)(void *arg);

	/* When stopped by go_on(): take also what is done but has predecessors that are not. */
	bool any_order;
};

/**
 * jobs_run() - work until next() has nothing more and all is taken, or somebody says stop
 *
 * The first piece, and all if there is one job, is done in this process.
 * Return: false with @error set when a worker died or could not be started.
 */
bool jobs_run(const struct jobs *jobs, GError **error);

#endif /* SIM_EXPLORE_PARALLEL_JOBS_H */
