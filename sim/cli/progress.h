/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CLI_PROGRESS_H
#define SIM_CLI_PROGRESS_H

/*
 * Progress on standard error: one line that is written over on a terminal, a line
 * every few seconds elsewhere, and one more whenever SIGUSR1 asks for it.
 */

#include <glib.h>
#include <stdbool.h>

struct progress {
	bool terminal, quiet;
	gint64 start, next; /* monotonic us */
};

void progress_init(struct progress *p, bool quiet);

/** progress_is_due() - is it time for another line? */
bool progress_is_due(struct progress *p);

/** progress_show() - show the line */
void progress_show(struct progress *p, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/** progress_clear() - something else is to be written */
void progress_clear(const struct progress *p);

/** progress_seconds() - since progress_init(), never 0 */
double progress_seconds(const struct progress *p);

#endif /* SIM_CLI_PROGRESS_H */
