// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define PART 65536

static bool may_be(const GByteArray *bytes, const struct file_kind *kind)
{
	size_t n = kind->begins ? MIN(strlen(kind->begins), bytes->len) : 0;

	return bytes->len <= kind->max && (n == 0 || memcmp(bytes->data, kind->begins, n) == 0);
}

/* Return: false with errno set when it cannot be read. */
static bool read_all(int fd, const struct file_kind *kind, GByteArray *bytes)
{
	guint8 part[PART];
	ssize_t n;

	while (may_be(bytes, kind)) {
		n = read(fd, part, sizeof(part));
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			g_byte_array_append(bytes, part, (guint)n);
	}
	return true;
}

static char *unreadable(const char *path, GError **error)
{
	int err = errno;

	g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(err), "cannot read '%s': %s",
		    path, g_strerror(err));
	return NULL;
}

char *read_file(const char *path, const struct file_kind *kind, size_t *size, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return unreadable(path, error);
	ok = read_all(fd, kind, bytes);
	if (!ok)
		(void)unreadable(path, error);
	close(fd);
	if (ok && bytes->len > kind->max) {
		bool large = kind->max >> 20 > 0;

		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
			    "'%s' is larger than %zu %s: no %s", path,
			    kind->max >> (large ? 20 : 10), large ? "MiB" : "KiB", kind->what);
		ok = false;
	}
	if (!ok)
		return NULL;
	if (size)
		*size = bytes->len;
	g_byte_array_append(bytes, (const guint8 *)"", 1);
	return (char *)g_byte_array_free(g_steal_pointer(&bytes), FALSE);
}
