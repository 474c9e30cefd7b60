// SPDX-License-Identifier: GPL-2.0-only
#include "reports/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lua/scenario.h"

#define OUTPUT_BUFFER (64 * 1024)
#define NR_UNFINISHED 16

/* Temporary files that exist now.  Written by the main thread, read by signal handlers. */
static char *volatile unfinished[NR_UNFINISHED];

static void remember(char *tmp)
{
	for (int i = 0; i < NR_UNFINISHED; i++) {
		if (!unfinished[i]) {
			unfinished[i] = tmp;
			return;
		}
	}
}

static void forget(const char *tmp)
{
	for (int i = 0; i < NR_UNFINISHED; i++) {
		if (unfinished[i] == tmp)
			unfinished[i] = NULL;
	}
}

void output_remove_unfinished(void)
{
	for (int i = 0; i < NR_UNFINISHED; i++) {
		char *tmp = unfinished[i];

		if (tmp)
			unlink(tmp);
	}
}

static struct output *output_new(int fd, const char *path)
{
	struct output *o = g_new0(struct output, 1);

	o->fd = fd;
	o->path = g_strdup(path);
	o->cap = OUTPUT_BUFFER;
	o->buf = g_malloc(o->cap);
	return o;
}

static void output_free(struct output *o)
{
	if (o->tmp)
		forget(o->tmp);
	g_free(o->tmp);
	g_free(o->path);
	g_free(o->buf);
	g_free(o);
}

struct output *output_memory(void)
{
	return output_new(-1, "memory");
}

static void set_error(GError **error, int err, const char *fmt, const char *path)
{
	g_autofree char *what = g_strdup_printf(fmt, path);

	/* The errno travels as G_FILE_ERROR only where a caller has to tell it apart. */
	if (err == EPIPE)
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_PIPE, "%s: %s", what,
			    g_strerror(err));
	else
		g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_OUTPUT, "%s: %s", what,
			    g_strerror(err));
}

bool output_error_is_pipe(const GError *error)
{
	return g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_PIPE);
}

static struct output *open_in_place(const char *path, GError **error)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		set_error(error, errno, "cannot write '%s'", path);
		return NULL;
	}
	return output_new(fd, path);
}

/* Create @tmp, and remember it before a signal can come; negative on failure. */
static int create_temporary(char *tmp)
{
	sigset_t all, before;
	int fd, err;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	fd = g_mkstemp_full(tmp, O_WRONLY | O_CLOEXEC, 0666);
	err = errno;
	if (fd >= 0)
		remember(tmp);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = err;
	return fd;
}

static struct output *open_temporary(const char *path, bool force, GError **error)
{
	g_autofree char *dir = g_path_get_dirname(path);
	g_autofree char *base = g_path_get_basename(path);
	char *tmp = g_strdup_printf("%s/.%s.XXXXXX", dir, base);
	int fd = create_temporary(tmp);
	struct output *o;

	if (fd < 0) {
		set_error(error, errno, "cannot write '%s'", path);
		g_free(tmp);
		return NULL;
	}
	o = output_new(fd, path);
	o->tmp = tmp;
	o->force = force;
	return o;
}

struct output *output_open(const char *path, bool force, GError **error)
{
	struct stat st;

	if (strcmp(path, "-") == 0)
		return output_new(STDOUT_FILENO, "standard output");
	if (stat(path, &st) < 0)
		return open_temporary(path, force, error);
	if (S_ISDIR(st.st_mode)) {
		set_error(error, EISDIR, "cannot write '%s'", path);
		return NULL;
	}
	/* Renaming over /dev/full or a pipe would replace it: write into it instead. */
	if (!S_ISREG(st.st_mode))
		return open_in_place(path, error);
	if (!force) {
		g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_OUTPUT,
			    "'%s' exists; --force replaces it", path);
		return NULL;
	}
	return open_temporary(path, force, error);
}

static void write_all(struct output *o)
{
	size_t done = 0;

	while (done < o->len && o->err == 0) {
		ssize_t n = write(o->fd, o->buf + done, o->len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			o->err = errno;
	}
	o->len = 0;
}

/* All but the blanks at the end, which output_end_line() may still take away. */
static void write_most(struct output *o)
{
	size_t end = o->len, blanks;

	while (end > 0 && o->buf[end - 1] == ' ')
		end--;
	blanks = end > 0 ? o->len - end : 0;
	o->len -= blanks;
	write_all(o);
	memset(o->buf, ' ', blanks);
	o->len = blanks;
}

void output_flush(struct output *o, size_t need)
{
	if (o->fd >= 0)
		write_most(o);
	if (o->cap - o->len >= need)
		return;
	while (o->cap - o->len < need)
		o->cap *= 2;
	o->buf = g_realloc(o->buf, o->cap);
}

/*
 * Without --force a file that appeared meanwhile must survive: link() refuses to
 * replace it, rename() would not.
 */
static int take_name(const struct output *o)
{
	if (!o->force) {
		if (link(o->tmp, o->path) == 0) {
			unlink(o->tmp);
			return 0;
		}
		if (errno == EEXIST)
			return errno;
	}
	return rename(o->tmp, o->path) == 0 ? 0 : errno;
}

bool output_close(struct output *o, GError **error)
{
	bool ok;

	if (o->fd >= 0)
		write_all(o);
	if (o->fd > STDERR_FILENO && close(o->fd) < 0 && o->err == 0)
		o->err = errno;
	if (o->tmp && o->err == 0)
		o->err = take_name(o);
	if (o->tmp && o->err != 0)
		unlink(o->tmp);
	ok = o->err == 0;
	if (!ok)
		set_error(error, o->err,
			  o->fd == STDOUT_FILENO ? "cannot write %s" : "cannot write '%s'",
			  o->path);
	output_free(o);
	return ok;
}

void output_discard(struct output *o)
{
	if (!o)
		return;
	if (o->fd > STDERR_FILENO)
		close(o->fd);
	if (o->tmp)
		unlink(o->tmp);
	output_free(o);
}

void output_bytes(struct output *o, const char *s, size_t n)
{
	memcpy(output_room(o, n), s, n);
	o->len += n;
}

void output_u64(struct output *o, uint64_t v)
{
	char digits[20];
	int n = sizeof(digits);

	do {
		digits[--n] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	output_bytes(o, digits + n, sizeof(digits) - (size_t)n);
}

void output_i64(struct output *o, int64_t v)
{
	if (v < 0) {
		output_char(o, '-');
		output_u64(o, -(uint64_t)v);
	} else {
		output_u64(o, (uint64_t)v);
	}
}

void output_pad(struct output *o, char c, int n)
{
	while (n-- > 0)
		output_char(o, c);
}

void output_end_line(struct output *o)
{
	while (o->len > 0 && o->buf[o->len - 1] == ' ')
		o->len--;
	output_char(o, '\n');
}

void output_printf(struct output *o, const char *fmt, ...)
{
	g_autofree char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	s = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	output_str(o, s);
}
