/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_READ_FILE_H
#define SIM_EXPLORE_READ_FILE_H

/*
 * Reading a whole file that somebody has named: never more of it than it may have,
 * since it may be /dev/zero, or another file than was meant.
 */

#include <glib.h>

struct file_kind {
	const char *what;   /* "schedule", for messages */
	const char *begins; /* all of them do; NULL if nothing is known */
	size_t max;	    /* bytes */
};

/**
 * read_file() - all of it
 * @size: without the zero byte that is added; may be NULL
 *
 * What does not begin as its kind should is not read to its end.
 *
 * Return: text for g_free(); NULL with @error, a G_FILE_ERROR, set.
 */
char *read_file(const char *path, const struct file_kind *kind, size_t *size, GError **error);

#endif /* SIM_EXPLORE_READ_FILE_H */
