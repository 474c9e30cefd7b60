// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports of the tests that failed: what repeats a test by hand is run once more,
 * and writes them.  In a process of its own, as the test was.
 */

#include <glib/gstdio.h>
#include <sys/wait.h>

#include "sim/cli/test.h"

/* lifecycle/alias:v5.3:never is lifecycle/alias.v5.3.never: no upload refuses such names. */
static char *place_of(const char *dir, const struct test_outcome *r)
{
	g_autofree char *name = g_strdup(r->name);

	g_strcanon(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=,@",
		   '.');
	return g_build_filename(dir, name, NULL);
}

/* The command, with where its files belong; NULL with @error set. */
static char **command_of(const struct test_outcome *r, const char *place, bool force,
			 GError **error)
{
	g_auto(GStrv) typed = NULL;
	g_autoptr(GPtrArray) argv = g_ptr_array_new();

	if (!g_shell_parse_argv(r->command, NULL, &typed, error))
		return NULL;
	g_ptr_array_add(argv, g_strdup("/proc/self/exe"));
	for (size_t i = 1; typed[i]; i++)
		g_ptr_array_add(argv, g_strdup(typed[i]));
	g_ptr_array_add(argv, g_strdup("-q"));
	g_ptr_array_add(argv, g_strdup("-o"));
	g_ptr_array_add(argv, g_strdup(place));
	if (force)
		g_ptr_array_add(argv, g_strdup("--force"));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_steal(argv, NULL);
}

/* What was repeated may violate, pass, or meet a limit: all of that leaves reports. */
static bool repeat(char **argv, GError **error)
{
	g_autofree char *said = NULL;
	int status;

	if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &said,
			  &status, error))
		return false;
	if (WIFEXITED(status) &&
	    (WEXITSTATUS(status) <= EXIT_VIOLATION || WEXITSTATUS(status) == EXIT_LIMIT))
		return true;
	g_strchomp(said);
	g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_OUTPUT, "%s",
		    said[0] ? said : "it was repeated, and ended without a report");
	return false;
}

static bool write_reports(struct test_outcome *r, const char *dir, bool force, GError **error)
{
	g_autofree char *place = place_of(dir, r);
	g_auto(GStrv) argv = command_of(r, place, force, error);

	if (!argv || !repeat(argv, error)) {
		g_prefix_error(error, "%s: ", r->name);
		return false;
	}
	/* A search that again finds nothing leaves nothing. */
	if (g_rmdir(place) != 0 && g_file_test(place, G_FILE_TEST_IS_DIR))
		r->reports = g_steal_pointer(&place);
	return true;
}

bool test_reports(const struct tests *tests, const char *dir, bool force, GError **error)
{
	for (guint i = 0; i < tests->all->len && !cli_interrupted; i++) {
		struct test_outcome *r = g_ptr_array_index(tests->all, i);

		if (r->status == TEST_FAIL && !write_reports(r, dir, force, error))
			return false;
	}
	return true;
}
