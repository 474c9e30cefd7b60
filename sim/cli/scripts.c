// SPDX-License-Identifier: GPL-2.0-only
#include "sim/cli/scripts.h"

#include <string.h>

#define FOLDERS_DEEP 8

static int compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void find_below(const char *dir, GPtrArray *found, int depth)
{
	GDir *d = depth > 0 ? g_dir_open(dir, 0, NULL) : NULL;
	const char *name;

	while (d && (name = g_dir_read_name(d))) {
		g_autofree char *path = g_build_filename(dir, name, NULL);

		if (name[0] == '.' || strcmp(name, "lib") == 0)
			continue;
		if (g_file_test(path, G_FILE_TEST_IS_DIR))
			find_below(path, found, depth - 1);
		else if (g_str_has_suffix(name, ".lua"))
			g_ptr_array_add(found, g_steal_pointer(&path));
	}
	if (d)
		g_dir_close(d);
}

void scripts_find(const char *dir, GPtrArray *found)
{
	g_autoptr(GPtrArray) below = g_ptr_array_new();

	find_below(dir, below, FOLDERS_DEEP);
	g_ptr_array_sort(below, compare_paths);
	g_ptr_array_extend_and_steal(found, g_steal_pointer(&below));
}

/* Here in a source tree, next to the program when it is installed. */
char *scripts_dir(void)
{
	g_autofree char *exe = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *bin = exe ? g_path_get_dirname(exe) : g_strdup(".");
	g_autofree char *prefix = g_path_get_dirname(bin);
	char *dir;

	if (g_file_test("scenarios", G_FILE_TEST_IS_DIR))
		return g_strdup("scenarios");
	dir = g_build_filename(prefix, "share", "slabsim", "scenarios", NULL);
	if (g_file_test(dir, G_FILE_TEST_IS_DIR))
		return dir;
	g_free(dir);
	dir = g_build_filename(prefix, "scenarios", NULL);
	if (g_file_test(dir, G_FILE_TEST_IS_DIR))
		return dir;
	g_free(dir);
#ifdef SLABSIM_DATA
	return g_build_filename(SLABSIM_DATA, "scenarios", NULL);
#else
	return NULL;
#endif
}
