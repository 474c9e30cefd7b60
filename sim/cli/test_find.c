// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "sim/cli/run_options.h"
#include "sim/cli/scripts.h"
#include "sim/cli/test.h"

/* ---- names --------------------------------------------------------------- */

/* "lifecycle/alias" for scenarios/lifecycle/alias.lua, "demo" for scenarios/demo.lua. */
static char *scenario_name(const char *path)
{
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	g_autofree char *dir = g_path_get_dirname(absolute);
	g_autofree char *folder = g_path_get_basename(dir);
	g_autofree char *base = g_path_get_basename(absolute);

	if (g_str_has_suffix(base, ".lua"))
		base[strlen(base) - 4] = 0;
	if (strcmp(folder, "scenarios") == 0 || strcmp(folder, G_DIR_SEPARATOR_S) == 0)
		return g_steal_pointer(&base);
	return g_strconcat(folder, "/", base, NULL);
}

static void append_list(GString *s, const char *before, char **names, const char *between)
{
	g_autofree char *joined = g_strjoinv(between, names);

	if (names[0])
		g_string_append_printf(s, "%s%s", before, joined);
}

/* Which of the orders; a single run by virtual time goes without saying. */
static const char *manner_of(const struct expectation *e)
{
	if (e->claim == CLAIM_REPLAY)
		return NULL;
	if (e->explored)
		return strategy_infos[e->explore.strategy].name;
	if (e->order != ORDER_TIMED)
		return e->order == ORDER_TIES ? "order=ties" : "order=random";
	return e->runs > 1 ? "seeds" : NULL;
}

static char *test_name(const char *scenario, const struct expectation *e)
{
	GString *s = g_string_new(scenario);
	const char *manner = manner_of(e);

	g_string_append_printf(s, ":%s", e->lifecycle);
	for (size_t i = 0; e->variants[i]; i++)
		g_string_append_printf(s, "%s%s", e->variants[i][0] == '-' ? "" : "+",
				       e->variants[i]);
	append_list(s, ":", e->sets, ",");
	g_string_append_printf(s, ":%s", claim_name(e->claim));
	if (e->file)
		g_string_append_printf(s, "-%s", e->file);
	else
		append_list(s, "-", e->checkers, "+");
	if (manner)
		g_string_append_printf(s, "@%s", manner);
	return g_string_free(s, FALSE);
}

/* Two expectations may differ in nothing that is part of the name. */
static void make_unique(GHashTable *names, char **name)
{
	g_autofree char *plain = g_strdup(*name);

	for (int i = 2; g_hash_table_contains(names, *name); i++) {
		g_free(*name);
		*name = g_strdup_printf("%s.%d", plain, i);
	}
	g_hash_table_add(names, *name);
}

/* ---- commands ------------------------------------------------------------ */

static char *explore_command(const struct run_args *args, const struct explore_options *x)
{
	g_autoptr(GString) more = g_string_new(NULL);

	g_string_append_printf(more, " --strategy %s", strategy_infos[x->strategy].name);
	if (x->strategy == STRATEGY_BOUNDED)
		g_string_append_printf(more, " --preemptions %u", x->preemptions);
	if (x->depth)
		g_string_append_printf(more, " --depth %u", x->depth);
	if (x->max_runs)
		g_string_append_printf(more, " --max-runs %" G_GUINT64_FORMAT, x->max_runs);
	if (x->max_seconds > 0)
		g_string_append_printf(more, " --max-time %.0fms", x->max_seconds * 1e3);
	return run_args_explore(args, more->str);
}

/* The script may have been edited since, if only to expect this. */
static char *replay_command(const char *path, const struct expectation *e)
{
	g_autofree char *file = test_file(path, e->file);
	GString *s = g_string_new("slabsim replay");

	append_option(s, NULL, file);
	append_option(s, NULL, path);
	g_string_append(s, " --force");
	return g_string_free(s, FALSE);
}

char *test_command(const char *path, const struct expectation *e, uint64_t seed, uint64_t runs)
{
	const struct run_args args = {
		.run.order = e->order,
		.run.seed = seed,
		.order_given = e->order != ORDER_TIMED,
		.path = (char *)path,
		.lifecycle = e->lifecycle,
		.variants = e->variants,
		.sets = e->sets,
		.checks_on = e->checkers,
	};
	g_autofree char *run = NULL;

	if (e->claim == CLAIM_REPLAY)
		return replay_command(path, e);
	if (e->explored)
		return explore_command(&args, &e->explore);
	run = run_args_replay(&args, path, seed);
	if (runs == 1)
		return g_steal_pointer(&run);
	return g_strdup_printf("%s --runs %" G_GUINT64_FORMAT " -q", run, runs);
}

char *test_file(const char *path, const char *file)
{
	g_autofree char *dir = g_path_get_dirname(path);

	return strcmp(dir, ".") == 0 ? g_strdup(file) : g_build_filename(dir, file, NULL);
}

/* ---- finding ------------------------------------------------------------- */

static bool matches(const char *name, char **filters)
{
	bool any = !filters || !filters[0];

	for (size_t i = 0; !any && filters[i]; i++) {
		if (strpbrk(filters[i], "*?"))
			any = g_pattern_match_simple(filters[i], name);
		else
			any = strstr(name, filters[i]) != NULL;
	}
	return any;
}

static struct test *add_test(struct tests *tests, const char *path, char *name, char *command)
{
	struct test *t = g_new0(struct test, 1);

	t->result.name = name;
	t->result.command = command;
	t->result.status = TEST_NOT_RUN;
	t->path = g_strdup(path);
	g_ptr_array_add(tests->all, t);
	return t;
}

static void add_broken(struct tests *tests, const char *path, char *name, const char *message)
{
	GString *command = g_string_new("slabsim run");
	struct test *t;

	append_option(command, NULL, path);
	t = add_test(tests, path, name, g_string_free(command, FALSE));
	t->result.status = TEST_ERROR;
	t->result.message = g_strdup(message);
}

static void add_script(struct tests *tests, const char *path, char **filters, GHashTable *names)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *expectations = expectations_read(path, &error);
	g_autofree char *scenario = scenario_name(path);
	guint before = tests->all->len;

	if (!expectations) {
		make_unique(names, &scenario);
		if (matches(scenario, filters))
			add_broken(tests, path, g_strdup(scenario), error->message);
		(void)g_steal_pointer(&scenario); /* @names has it */
		tests->nr_scripts += tests->all->len > before;
		return;
	}
	g_ptr_array_add(tests->scripts, expectations);
	for (guint i = 0; i < expectations->len; i++) {
		const struct expectation *e = g_ptr_array_index(expectations, i);
		char *name = test_name(scenario, e);

		make_unique(names, &name);
		if (matches(name, filters))
			add_test(tests, path, g_strdup(name),
				 test_command(path, e, e->seed, e->runs))
				->expect = e;
	}
	tests->nr_scripts += tests->all->len > before;
}

static bool find_paths(char **paths, GPtrArray *found, GError **error)
{
	for (size_t i = 0; paths[i]; i++) {
		if (g_file_test(paths[i], G_FILE_TEST_IS_DIR)) {
			scripts_find(paths[i], found);
		} else if (g_file_test(paths[i], G_FILE_TEST_EXISTS)) {
			g_ptr_array_add(found, g_strdup(paths[i]));
		} else {
			g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_USAGE, "there is no '%s'",
				    paths[i]);
			return false;
		}
	}
	return true;
}

static void test_free(gpointer p)
{
	struct test *t = p;

	g_free(t->result.name);
	g_free(t->result.command);
	g_free(t->result.message);
	g_free(t->result.detail);
	g_free(t->path);
	g_free(t);
}

static void expectations_free(gpointer p)
{
	g_ptr_array_unref(p);
}

bool tests_find(struct tests *tests, char **paths, char **filters, GError **error)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	tests->all = g_ptr_array_new_with_free_func(test_free);
	tests->scripts = g_ptr_array_new_with_free_func(expectations_free);
	if (!find_paths(paths, found, error))
		return false;
	for (guint i = 0; i < found->len; i++) {
		if (g_hash_table_add(seen, g_ptr_array_index(found, i)))
			add_script(tests, g_ptr_array_index(found, i), filters, names);
	}
	return true;
}

void tests_clear(struct tests *tests)
{
	g_clear_pointer(&tests->all, g_ptr_array_unref);
	g_clear_pointer(&tests->scripts, g_ptr_array_unref);
}
