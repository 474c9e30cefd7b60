/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CLI_WORKERS_H
#define SIM_CLI_WORKERS_H

/*
 * Workers: items of work, each in a process of its own, forked from this one.
 *
 * Worlds lie at a fixed address, so a process has one at a time; and whatever a
 * run does to its process, the other items do not see it.
 */

#include <glib.h>
#include <stdbool.h>

#define WORKERS_MAX 256

/* What became of one item. */
struct worker_result {
	GVariant *answer; /* what work() returned; NULL if the worker died before */
	char *death;	  /* why it did, or could not be started; NULL: it ended in peace */
	char *log;	  /* the beginning of what it printed; NULL for nothing */
	double seconds;
};

struct workers_options {
	guint nr_items;
	unsigned int nr_jobs; /* at a time, up to WORKERS_MAX */
	gint64 timeout_us;    /* of one item; 0 for no limit */
	const char *answer;   /* type of what work() returns */

	/* In the worker: do it. */
	GVariant *(*work)(void *arg, guint item);
	/* Before it would start: true if there is nothing to do.  May be NULL. */
	bool (*skip)(void *arg, guint item);
	/* As items end, whatever their order. */
	void (*result)(void *arg, guint item, const struct worker_result *r);
	/* In the order of the items; false to stop.  May be NULL. */
	bool (*ended)(void *arg, guint item);
	/* Now and then; may be NULL. */
	void (*progress)(void *arg, guint nr_ended);
	void *arg;
};

/**
 * workers_run() - have all items done, until one of them or the user says stop
 *
 * Return: how many were handed to ended(); without it, how many would have been.
 */
guint workers_run(const struct workers_options *opt);

#endif /* SIM_CLI_WORKERS_H */
