/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_OUTPUT_H
#define REPORTS_OUTPUT_H

/*
 * Output: a buffered stream that either becomes a whole file or leaves nothing.
 *
 * A file is written under a temporary name in its own directory and takes its
 * real name in output_close().  The first error sticks: later writes do nothing
 * and output_close() reports it, so callers check once.
 *
 * Writing never formats through the C library and uses little stack, because a
 * trace is written from inside simulated contexts.
 */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct output {
	char *buf;
	size_t len, cap;
	int fd;	    /* -1: everything stays in buf */
	int err;    /* errno of the first failure, 0 for none */
	bool force; /* may replace an existing file */
	char *path; /* as the user wrote it, for messages */
	char *tmp;  /* temporary name; NULL when written in place */
};

/**
 * output_open() - open a stream for writing
 * @path: file; "-" is standard output; a device or pipe is written in place
 * @force: replace an existing regular file
 *
 * Return: the stream; NULL with @error set.
 */
struct output *output_open(const char *path, bool force, GError **error);

/** output_memory() - a stream whose contents stay in buf[0..len) */
struct output *output_memory(void);

/**
 * output_close() - write what is buffered and give the file its name
 *
 * Frees @o in any case.  Return: false with @error set when a write failed; the
 * file is then gone.  A closed pipe is errno EPIPE: see output_error_is_pipe().
 */
bool output_close(struct output *o, GError **error);

/** output_discard() - free @o and remove what it wrote; NULL is fine */
void output_discard(struct output *o);

/** output_error_is_pipe() - did the write fail only because nobody reads? */
bool output_error_is_pipe(const GError *error);

/** output_remove_unfinished() - unlink temporary files; for signal handlers */
void output_remove_unfinished(void);

/** output_flush() - make room by writing or growing the buffer */
void output_flush(struct output *o, size_t need);

/** output_room() - at least @need bytes to write to; add what was used to len */
static inline char *output_room(struct output *o, size_t need)
{
	if (o->cap - o->len < need)
		output_flush(o, need);
	return o->buf + o->len;
}

static inline void output_char(struct output *o, char c)
{
	*output_room(o, 1) = c;
	o->len++;
}

void output_bytes(struct output *o, const char *s, size_t n);

static inline void output_str(struct output *o, const char *s)
{
	output_bytes(o, s, strlen(s));
}

void output_u64(struct output *o, uint64_t v);
void output_i64(struct output *o, int64_t v);

/** output_pad() - @n copies of @c; nothing when @n is not positive */
void output_pad(struct output *o, char c, int n);

/** output_end_line() - a newline, in the place of the blanks at the end if there are any */
void output_end_line(struct output *o);

/** output_printf() - for reports, which are written outside simulated contexts */
void output_printf(struct output *o, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

#endif /* REPORTS_OUTPUT_H */
