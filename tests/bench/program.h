/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_BENCH_PROGRAM_H
#define TESTS_BENCH_PROGRAM_H

/* The program itself, for benchmarks that start it. */

#include <stddef.h>
#include <string.h>
#include <unistd.h>

/**
 * find_program() - slabsim, which is made next to the benchmark
 * @path: filled with where it is
 *
 * Return: NULL, or what is wrong with @path.
 */
static inline const char *find_program(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	path[n < 0 ? 0 : n] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return "/proc/self/exe cannot be read";
	if ((size_t)(slash - path) + sizeof("/slabsim") > size)
		return "name too long";
	memcpy(slash, "/slabsim", sizeof("/slabsim"));
	return access(path, X_OK) == 0 ? NULL : "is not there; `make` builds it";
}

#endif /* TESTS_BENCH_PROGRAM_H */
