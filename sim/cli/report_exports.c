// SPDX-License-Identifier: GPL-2.0-only
#include "sim/cli/report_exports.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "reports/export.h"
#include "reports/html.h"
#include "sim/cli/cli.h"

static void (*const writers[NR_EXPORTS])(const struct trace_file *tf, struct output *o) = {
	[EXPORT_HTML] = html_write,	     [EXPORT_CHROME] = export_chrome,
	[EXPORT_PERFETTO] = export_perfetto, [EXPORT_TRACE_DAT] = export_trace_dat,
	[EXPORT_FTRACE] = export_ftrace,     [EXPORT_MERMAID] = export_mermaid,
	[EXPORT_CSV] = export_csv,
};

int exports_count(const struct export_paths *paths, int *to_stdout)
{
	int n = 0;

	*to_stdout = 0;
	for (int i = 0; i < NR_EXPORTS; i++) {
		if (!paths->path[i])
			continue;
		n++;
		*to_stdout += strcmp(paths->path[i], "-") == 0;
	}
	return n;
}

static bool write_file(const struct trace_file *tf, enum export_id id, const char *path, bool force,
		       GError **error)
{
	struct output *out = output_open(path, force, error);

	if (!out)
		return false;
	writers[id](tf, out);
	return output_close(out, error);
}

static bool write_ctf_file(const struct trace_file *tf, const char *path, int cpu, bool force,
			   GError **error)
{
	struct output *out = output_open(path, force, error);

	if (!out)
		return false;
	if (cpu < 0)
		export_ctf_metadata(tf, out);
	else
		export_ctf_stream(tf, (unsigned int)cpu, out);
	return output_close(out, error);
}

static bool has_events(const struct trace_file *tf, unsigned int cpu)
{
	for (guint i = 0; i < tf->events->len; i++) {
		if (event_at(tf, i)->cpu == cpu)
			return true;
	}
	return false;
}

/*
 * The metadata comes last: without it a reader takes no directory for a trace.  A
 * stream that an earlier trace left would be taken for one of this trace's.
 */
static bool write_ctf(const struct trace_file *tf, const char *dir, bool force, GError **error)
{
	g_autofree char *metadata = g_build_filename(dir, "metadata", NULL);

	if (g_mkdir(dir, 0777) < 0 && errno != EEXIST) {
		g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_OUTPUT,
			    "cannot make directory '%s': %s", dir, g_strerror(errno));
		return false;
	}
	if (!force && g_file_test(metadata, G_FILE_TEST_EXISTS)) {
		g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_OUTPUT,
			    "'%s' exists; --force replaces it", metadata);
		return false;
	}
	if (force)
		g_unlink(metadata);
	for (int cpu = 0; cpu < EXPORT_CPUS_MAX; cpu++) {
		g_autofree char *name = g_strdup_printf("cpu%d", cpu);
		g_autofree char *path = g_build_filename(dir, name, NULL);

		if (has_events(tf, (unsigned int)cpu)) {
			if (!write_ctf_file(tf, path, cpu, force, error))
				return false;
		} else if (force) {
			g_unlink(path);
		}
	}
	return write_ctf_file(tf, metadata, -1, force, error);
}

bool export_write(const struct trace_file *tf, enum export_id id, const char *path, bool force,
		  GError **error)
{
	return id == EXPORT_CTF ? write_ctf(tf, path, force, error)
				: write_file(tf, id, path, force, error);
}

int exports_write(const struct trace_file *tf, const struct export_paths *paths, bool force,
		  bool quiet)
{
	for (int i = 0; i < NR_EXPORTS; i++) {
		const char *path = paths->path[i];
		g_autoptr(GError) error = NULL;

		if (!path)
			continue;
		if (!export_write(tf, (enum export_id)i, path, force, &error)) {
			if (output_error_is_pipe(error))
				return EXIT_PIPE;
			cli_error("%s", error->message);
			return EXIT_USAGE;
		}
		if (strcmp(path, "-") != 0)
			cli_note(quiet, "wrote %s", path);
	}
	return EXIT_CLEAN;
}

void exports_clear(struct export_paths *paths)
{
	for (int i = 0; i < NR_EXPORTS; i++)
		g_clear_pointer(&paths->path[i], g_free);
}
