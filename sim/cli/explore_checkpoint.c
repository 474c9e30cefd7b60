// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim explore --resume, and the files that it goes on from.
 */

#include "sim/cli/exploring.h"
#include "sim/explore/parallel/checkpoint.h"

static void put_words(GString *s, const char *key, const GPtrArray *words)
{
	g_string_append(s, key);
	for (guint i = 0; i < words->len && g_ptr_array_index(words, i); i++) {
		g_autofree char *word = g_strescape(g_ptr_array_index(words, i), NULL);

		g_string_append_printf(s, " %s", word);
	}
	g_string_append_c(s, '\n');
}

/* All that decides what is explored, and how; limits and jobs may change. */
static char *about(const struct exploring *e)
{
	const struct explore_options *opt = &e->opt;
	GString *s = g_string_new(NULL);

	g_string_append_printf(s, "version %s\n", e->head->version);
	g_string_append_printf(s, "scenario %s\n", e->head->scenario);
	g_string_append_printf(s, "digest %s\n", e->head->digest);
	g_string_append_printf(s, "lifecycle %s\n", e->head->lifecycle);
	put_words(s, "variants", e->head->variants);
	put_words(s, "parameters", e->head->sets);
	put_words(s, "checks-off", e->head->checks_off);
	put_words(s, "skips", e->head->skips);
	g_string_append_printf(s, "seed %" G_GUINT64_FORMAT "\n", opt->seed);
	g_string_append_printf(s, "strategy %s\n", strategy_infos[opt->strategy].name);
	g_string_append_printf(s, "preemptions %u\n", opt->preemptions);
	g_string_append_printf(s, "depth %u\n", opt->depth);
	g_string_append_printf(s, "max-steps %u\n", opt->max_steps);
	g_string_append_printf(s, "keep-going %s\n", opt->keep_going ? "yes" : "no");
	return g_string_free(s, FALSE);
}

static void cannot_resume(const struct exploring *e, const GError *why, GError **error)
{
	g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_USAGE, "cannot resume '%s': %s", e->resume,
		    why->message);
}

bool load_checkpoint(struct exploring *e, GError **error)
{
	g_autofree char *data = NULL, *ours = NULL;
	g_autoptr(GError) why = NULL;
	size_t size;

	if (!e->resume)
		return true;
	ours = about(e);
	data = checkpoint_read(e->resume, &size, &why);
	if (!data) {
		g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_USAGE, "--resume: %s",
			    why->message);
		return false;
	}
	e->opt.resume = e->state = checkpoint_parse(data, size, ours, &why);
	if (!e->state)
		cannot_resume(e, why, error);
	return e->state != NULL;
}

bool checkpoint_fitted(const struct exploring *e, GError **error)
{
	const GError *why = e->result.error;

	if (!why || why->domain != CHECKPOINT_ERROR)
		return true;
	cannot_resume(e, why, error);
	return false;
}

static char *path_of(const struct exploring *e)
{
	return g_strconcat(e->args.out.dir, "/", e->args.name, ".checkpoint", NULL);
}

bool checkpoint_may_replace(const struct exploring *e, const char *path)
{
	g_autofree char *ours = path_of(e);

	return e->resume && strcmp(path, ours) == 0 && strcmp(path, e->resume) == 0;
}

static bool write_checkpoint(struct exploring *e, GError **error)
{
	g_autofree char *path = path_of(e), *text = about(e);
	g_autoptr(GByteArray) file = checkpoint_format(text, e->result.rest);
	struct output *o;

	o = output_open(path, e->args.force || checkpoint_may_replace(e, path), error);
	if (!o)
		return false;
	output_bytes(o, (const char *)file->data, file->len);
	if (!output_close(o, error))
		return false;
	cli_note(e->args.quiet, "wrote %s; --resume goes on from it", path);
	e->checkpoint_path = g_steal_pointer(&path);
	return true;
}

void save_checkpoint(struct exploring *e)
{
	g_autoptr(GError) error = NULL;

	if (e->result.rest_too_large)
		cli_error("no checkpoint: it would be larger than %u MiB, the most that one can "
			  "have",
			  REST_MAX >> 20);
	if (!e->result.rest)
		return;
	if (!e->args.out.dir) {
		if (e->result.end != END_RUNS)
			cli_note(e->args.quiet, "-o DIR keeps a checkpoint to go on from");
	} else if (!write_checkpoint(e, &error)) {
		e->unwritten = code_of_error(error);
	}
}
