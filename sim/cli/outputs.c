// SPDX-License-Identifier: GPL-2.0-only
#include "sim/cli/outputs.h"

#include <errno.h>

#include "sim/cli/job.h"

/* A name ends in the first of these that fits. */
static const struct {
	const char *suffix;
	enum output_kind kind;
} suffixes[] = {
	{".trace.jsonl", OUTPUT_TRACE},
	{".jsonl", OUTPUT_TRACE},
	{".race.txt", OUTPUT_RACE},
	{".splat.txt", OUTPUT_SPLAT},
	{".ledger.txt", OUTPUT_LEDGER},
	{".txt", OUTPUT_TEXT},
	{".html", OUTPUT_HTML},
	{".json", OUTPUT_EXPORTS + EXPORT_CHROME},
	{".pftrace", OUTPUT_EXPORTS + EXPORT_PERFETTO},
	{".dat", OUTPUT_EXPORTS + EXPORT_TRACE_DAT},
	{".ctf", OUTPUT_EXPORTS + EXPORT_CTF},
	{".ftrace", OUTPUT_EXPORTS + EXPORT_FTRACE},
	{".mmd", OUTPUT_EXPORTS + EXPORT_MERMAID},
	{".csv", OUTPUT_EXPORTS + EXPORT_CSV},
	{".sched", OUTPUT_SCHED},
};

/* What a directory gets. */
static const char *const in_directory[NR_OUTPUT_KINDS] = {
	[OUTPUT_TRACE] = ".trace.jsonl", [OUTPUT_TEXT] = ".txt",
	[OUTPUT_RACE] = ".race.txt",	 [OUTPUT_SPLAT] = ".splat.txt",
	[OUTPUT_LEDGER] = ".ledger.txt", [OUTPUT_HTML] = ".html",
	[OUTPUT_SCHED] = ".sched",
};

/* Index of the suffix of @path; -1 if it has none of them, or nothing else. */
static int suffix_of(const char *path)
{
	g_autofree char *base = g_path_get_basename(path);

	if (g_str_has_suffix(path, "/"))
		return -1;
	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		if (g_str_has_suffix(base, suffixes[i].suffix) &&
		    strlen(base) > strlen(suffixes[i].suffix))
			return (int)i;
	}
	return -1;
}

static bool refuse(GError **error, const char *path, const char *why)
{
	g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_USAGE, "-o %s: %s", path, why);
	return false;
}

/* A directory may be called as it likes, if it is there or ends in a slash. */
static bool sort_in(struct outputs *outputs, const char *path, GError **error)
{
	bool is_dir = g_file_test(path, G_FILE_TEST_IS_DIR);
	int suffix = suffix_of(path);
	char **slot;

	/* A CTF trace is a directory itself. */
	if (is_dir && suffix >= 0 && suffixes[suffix].kind != OUTPUT_EXPORTS + EXPORT_CTF)
		suffix = -1;
	if (strcmp(path, "-") == 0)
		return refuse(error, path,
			      "standard output has its own report; name a directory or a file");
	if (suffix < 0 && !is_dir && g_file_test(path, G_FILE_TEST_IS_REGULAR))
		return refuse(error, path,
			      "cannot make directory: it is a file, whose name does not say what "
			      "belongs in it (.html, .txt, .race.txt, .trace.jsonl ...)");
	slot = suffix < 0 ? &outputs->dir : &outputs->file[suffixes[suffix].kind];
	if (*slot)
		return refuse(error, path,
			      suffix < 0 ? "one directory is enough"
					 : "one file of a kind is enough");
	*slot = g_strdup(path);
	return true;
}

bool outputs_parse(struct outputs *outputs, char **typed, GError **error)
{
	for (size_t i = 0; typed && typed[i]; i++) {
		if (!sort_in(outputs, typed[i], error))
			return false;
	}
	return true;
}

void outputs_clear(struct outputs *outputs)
{
	g_clear_pointer(&outputs->dir, g_free);
	for (int i = 0; i < NR_OUTPUT_KINDS; i++)
		g_clear_pointer(&outputs->file[i], g_free);
}

bool outputs_any(const struct outputs *outputs)
{
	bool any = outputs->dir != NULL;

	for (int i = 0; i < NR_OUTPUT_KINDS; i++)
		any |= outputs->file[i] != NULL;
	return any;
}

char *outputs_path(const struct outputs *outputs, enum output_kind kind, bool in_dir,
		   const char *name, const char *tag)
{
	const char *path = outputs->file[kind];
	g_autofree char *stem = NULL;
	const char *suffix;

	if (in_dir)
		return outputs->dir && in_directory[kind]
			       ? g_strconcat(outputs->dir, "/", name, tag, in_directory[kind], NULL)
			       : NULL;
	if (!path)
		return NULL;
	suffix = suffixes[suffix_of(path)].suffix;
	stem = g_strndup(path, strlen(path) - strlen(suffix));
	return g_strconcat(stem, tag, suffix, NULL);
}

bool outputs_try(const struct outputs *outputs, const char *name, const char *tag, bool schedules,
		 bool force, GError **error)
{
	if (outputs->dir && !job_make_dir(outputs->dir, error))
		return false;
	for (int i = 0; i < 2 * NR_OUTPUT_KINDS; i++) {
		g_autofree char *path =
			outputs_path(outputs, (enum output_kind)(i / 2), i % 2, name, tag);
		struct output *o;

		/* A CTF trace is a directory, and says itself when there is one already. */
		if (!path || i / 2 == OUTPUT_EXPORTS + EXPORT_CTF ||
		    (i / 2 == OUTPUT_SCHED && !schedules))
			continue;
		o = output_open(path, force, error);
		if (!o)
			return false;
		output_discard(o);
	}
	return true;
}
