// SPDX-License-Identifier: GPL-2.0-only
#include "sim/cli/run_options.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/check/checker.h"
#include "sim/lifecycle/info.h"

#define RUNS_MAX 1000000000
#define SECOND_NS UINT64_C(1000000000)

static const char *const order_names[] = {"timed", "ties", "random", NULL};

/* ---- values -------------------------------------------------------------- */

/* The digits at the start of @s; what follows them goes to @rest. */
static bool parse_digits(const char *s, uint64_t *value, const char **rest)
{
	int base = g_str_has_prefix(s, "0x") || g_str_has_prefix(s, "0X") ? 16 : 10;
	char *end;

	s += base == 16 ? 2 : 0;
	/* strtoull() would take spaces, a sign, and "0x" a second time. */
	if (base == 16 ? !g_ascii_isxdigit(*s) || s[1] == 'x' : !g_ascii_isdigit(*s))
		return false;
	errno = 0;
	*value = strtoull(s, &end, base);
	*rest = end;
	return errno == 0;
}

bool parse_u64(const char *s, uint64_t *value)
{
	const char *rest;

	return parse_digits(s, value, &rest) && *rest == 0;
}

static bool parse_scaled(const char *s, const char *const *units, const uint64_t *factors,
			 uint64_t *value)
{
	const char *rest;

	if (!parse_digits(s, value, &rest))
		return false;
	for (size_t i = 0; units[i]; i++) {
		if (g_ascii_strcasecmp(rest, units[i]) != 0)
			continue;
		return !__builtin_mul_overflow(*value, factors[i], value);
	}
	return false;
}

bool parse_time(const char *s, vtime_t *value)
{
	static const char *const units[] = {"ns", "us", "ms", "s", "min", "m", "h", NULL};
	static const uint64_t factors[] = {
		1, 1000, 1000000, SECOND_NS, 60 * SECOND_NS, 60 * SECOND_NS, 3600 * SECOND_NS};

	return parse_scaled(s, units, factors, value);
}

bool parse_size(const char *s, size_t *value)
{
	static const char *const units[] = {"", "K", "M", "G", "KiB", "MiB", "GiB", NULL};
	static const uint64_t factors[] = {1, 1 << 10, 1 << 20, 1 << 30, 1 << 10, 1 << 20, 1 << 30};
	uint64_t v;

	if (!parse_scaled(s, units, factors, &v))
		return false;
	*value = v;
	return true;
}

/* ---- names --------------------------------------------------------------- */

bool is_one_of(const char *what, const char *name, const char *const *names)
{
	if (g_strv_contains(names, name))
		return true;
	cli_unknown(what, name, names);
	return false;
}

bool check_lifecycle(const char *name)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (size_t i = 0; lifecycle_infos[i]; i++)
		g_ptr_array_add(names, (gpointer)lifecycle_infos[i]->name);
	g_ptr_array_add(names, NULL);
	return !name || is_one_of("lifecycle", name, (const char *const *)names->pdata);
}

bool check_variants(char **variants)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (size_t i = 0; variant_infos[i]; i++)
		g_ptr_array_add(names, (gpointer)variant_infos[i]->name);
	g_ptr_array_add(names, NULL);
	for (size_t i = 0; variants && variants[i]; i++) {
		const char *name = variants[i] + (variants[i][0] == '-');

		if (strcmp(variants[i], "none") == 0)
			continue;
		if (!is_one_of("variant", name, (const char *const *)names->pdata))
			return false;
	}
	return true;
}

static bool check_checks(char **checks)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (size_t i = 0; all_checkers[i]; i++)
		g_ptr_array_add(names, (gpointer)all_checkers[i]->name);
	g_ptr_array_add(names, NULL);
	for (size_t i = 0; checks && checks[i]; i++) {
		if (!is_one_of("check", checks[i], (const char *const *)names->pdata))
			return false;
	}
	return true;
}

char **checks_besides(char **checks)
{
	GPtrArray *others = g_ptr_array_new();

	for (size_t i = 0; all_checkers[i]; i++) {
		if (!g_strv_contains((const char *const *)checks, all_checkers[i]->name))
			g_ptr_array_add(others, g_strdup(all_checkers[i]->name));
	}
	g_ptr_array_add(others, NULL);
	return (char **)g_ptr_array_free(others, FALSE);
}

/* --check says the same as --no-check for all others. */
static bool check_checkers(const struct command *cmd, struct run_args *args)
{
	if (!check_checks(args->checks_on) || !check_checks(args->checks_off))
		return false;
	if (args->checks_on && args->checks_off) {
		cli_usage(cmd, "--check and --no-check exclude each other");
		return false;
	}
	if (args->checks_on)
		args->checks_off = checks_besides(args->checks_on);
	return true;
}

static bool check_sets(const struct command *cmd, char **sets)
{
	for (size_t i = 0; sets && sets[i]; i++) {
		const char *equals = strchr(sets[i], '=');

		if (!equals || equals == sets[i]) {
			cli_usage(cmd, "--set takes NAME=VALUE, not '%s'", sets[i]);
			return false;
		}
	}
	return true;
}

static bool parse_order(const char *order, enum run_order *value)
{
	*value = ORDER_TIMED;
	if (!order)
		return true;
	if (!is_one_of("order", order, order_names))
		return false;
	while (strcmp(order_names[*value], order) != 0)
		(*value)++;
	return true;
}

/* ---- the command line ---------------------------------------------------- */

/* What GOption fills in before it is checked. */
struct raw {
	char *order, *runs, *color;
	gboolean accesses, keep_going, force, json, quiet, verbose;
};

#define FLAG(name, key, to, text)                                                                  \
	{                                                                                          \
		name, key, 0, G_OPTION_ARG_NONE, to, text, NULL                                    \
	}
#define ARG(name, key, to, text, what)                                                             \
	{                                                                                          \
		name, key, 0, G_OPTION_ARG_FILENAME, to, text, what                                \
	}
#define ARGS(name, to, text, what)                                                                 \
	{                                                                                          \
		name, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, to, text, what                            \
	}

static void add_scenario_entries(GArray *all, struct run_args *args)
{
	const GOptionEntry entries[] = {
		ARG("lifecycle", 'l', &args->lifecycle, "Generation of the slab lifecycle", "NAME"),
		ARGS("variant", &args->variants,
		     "Switch a variant on, off with -NAME, all off with none; repeatable", "NAME"),
		ARG("seed", 's', &args->seed, "Seed of every random choice (default 1)", "N"),
		ARGS("set", &args->sets, "Set a parameter of the scenario; repeatable",
		     "NAME=VALUE"),
		ARGS("skip", &args->skips,
		     "Leave out a task of the scenario, or its N-th to M-th operation; repeatable",
		     "TASK[:N[-M]]"),
		ARGS("check", &args->checks_on, "Only this checker; repeatable", "NAME"),
		ARGS("no-check", &args->checks_off, "Leave a checker out; repeatable", "NAME"),
	};

	g_array_append_vals(all, entries, G_N_ELEMENTS(entries));
}

static void add_runs_entries(GArray *all, struct raw *raw, struct run_args *args)
{
	const GOptionEntry entries[] = {
		ARG("order", 0, &raw->order,
		    "timed: by virtual time; ties: equal times shuffled; random: untimed", "ORDER"),
		ARG("runs", 'n', &raw->runs, "Run with N seeds from --seed on", "N"),
		FLAG("keep-going", 'k', &raw->keep_going, "Do not stop at the first failing seed"),
		ARG("max-time", 0, &args->max_time, "Stop after so much virtual time: 500us, 2s",
		    "TIME"),
	};

	g_array_append_vals(all, entries, G_N_ELEMENTS(entries));
}

static void add_limits_entries(GArray *all, struct run_args *args)
{
	const GOptionEntry entries[] = {
		ARG("max-steps", 0, &args->max_steps, "Stop a run after so many steps", "N"),
		ARG("max-memory", 0, &args->max_memory, "Memory of the simulated world: 512M, 8G",
		    "SIZE"),
		ARG("max-instructions", 0, &args->max_instructions, "Stop after so many of Lua",
		    "N"),
	};

	g_array_append_vals(all, entries, G_N_ELEMENTS(entries));
}

static void add_output_entries(GArray *all, struct raw *raw, struct run_args *args)
{
	const GOptionEntry entries[] = {
		FLAG("accesses", 0, &raw->accesses, "Record every access to shared state"),
		{"output", 'o', 0, G_OPTION_ARG_FILENAME_ARRAY, &args->outputs,
		 "Write all reports to a directory, or one to FILE.html, FILE.txt ...; repeatable",
		 "WHERE"},
		FLAG("force", 'f', &raw->force, "Replace files that exist"),
		FLAG("json", 0, &raw->json, "One JSON object a line on standard output"),
		FLAG("quiet", 'q', &raw->quiet, "One line if every invariant held"),
		FLAG("verbose", 'v', &raw->verbose,
		     "Every event: locks, read sections, references, accesses"),
		ARG("color", 0, &raw->color, "auto, always or never", "WHEN"),
	};

	g_array_append_vals(all, entries, G_N_ELEMENTS(entries));
}

#undef FLAG
#undef ARG
#undef ARGS

static enum parsed parse_entries(const struct command *cmd, unsigned int groups,
				 const GOptionEntry *more, int *argc, char ***argv, struct raw *raw,
				 struct run_args *args)
{
	g_autoptr(GArray) all = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

	add_scenario_entries(all, args);
	for (; more && more->long_name; more++)
		g_array_append_vals(all, more, 1);
	if (groups & ARGS_RUNS)
		add_runs_entries(all, raw, args);
	if (groups & ARGS_LIMITS)
		add_limits_entries(all, args);
	add_output_entries(all, raw, args);
	return cli_parse(cmd, (const GOptionEntry *)all->data, argc, argv);
}

static bool check_limits(const struct command *cmd, struct run_args *args)
{
	struct run_options *run = &args->run;

	if (args->max_steps && (!parse_u64(args->max_steps, &run->steps_max) || !run->steps_max))
		cli_usage(cmd, "--max-steps takes a number of steps from 1 on, not '%s'",
			  args->max_steps);
	else if (args->max_time && (!parse_time(args->max_time, &run->time_max) || !run->time_max))
		cli_usage(cmd, "--max-time takes a time like 500us, 20ms or 2s, not '%s'",
			  args->max_time);
	else if (args->max_instructions &&
		 (!parse_u64(args->max_instructions, &run->instructions_max) ||
		  !run->instructions_max))
		cli_usage(cmd, "--max-instructions takes a number from 1 on, not '%s'",
			  args->max_instructions);
	else if (args->max_memory &&
		 (!parse_size(args->max_memory, &run->memory_max) || !run->memory_max))
		cli_usage(cmd, "--max-memory takes a size like 512M or 8G, not '%s'",
			  args->max_memory);
	else
		return true;
	return false;
}

static bool check_outputs(const struct command *cmd, struct run_args *args)
{
	g_autoptr(GError) error = NULL;

	if (outputs_parse(&args->out, args->outputs, &error))
		return true;
	cli_usage(cmd, "%s", error->message);
	return false;
}

static bool check_values(const struct command *cmd, const struct raw *raw, struct run_args *args)
{
	args->run.seed = 1;
	args->nr_runs = 1;
	if (args->seed && !parse_u64(args->seed, &args->run.seed)) {
		cli_usage(cmd, "--seed takes a number from 0 to 2^64 - 1, decimal or 0x, not '%s'",
			  args->seed);
		return false;
	}
	if (raw->runs && (!parse_u64(raw->runs, &args->nr_runs) || args->nr_runs == 0 ||
			  args->nr_runs > RUNS_MAX)) {
		cli_usage(cmd, "--runs takes a number from 1 to %d, not '%s'", RUNS_MAX, raw->runs);
		return false;
	}
	if (args->quiet && args->verbose) {
		cli_usage(cmd, "-q and -v contradict each other");
		return false;
	}
	return check_outputs(cmd, args) && check_limits(cmd, args) &&
	       parse_order(raw->order, &args->run.order) && cli_color(raw->color, &args->color) &&
	       check_lifecycle(args->lifecycle) && check_variants(args->variants) &&
	       check_checkers(cmd, args) && check_sets(cmd, args->sets);
}

void run_args_script(struct run_args *args, const char *path)
{
	args->path = g_strdup(path);
	args->name = g_path_get_basename(path);
	if (g_str_has_suffix(args->name, ".lua"))
		args->name[strlen(args->name) - 4] = 0;
	args->run.path = args->path;
}

enum parsed run_args_parse(const struct command *cmd, unsigned int groups, const GOptionEntry *more,
			   int *argc, char ***argv, struct run_args *args)
{
	struct raw raw = {0};
	enum parsed parsed = parse_entries(cmd, groups, more, argc, argv, &raw, args);

	args->keep_going = raw.keep_going;
	args->force = raw.force;
	args->json = raw.json;
	args->quiet = raw.quiet;
	args->verbose = raw.verbose;
	if (parsed == PARSED && !check_values(cmd, &raw, args))
		parsed = PARSED_WRONG;
	if (parsed == PARSED && args->out.file[OUTPUT_SCHED] && !(groups & ARGS_SCHED)) {
		cli_usage(cmd, "-o %s: only explore writes schedules",
			  args->out.file[OUTPUT_SCHED]);
		parsed = PARSED_WRONG;
	}
	args->order_given = raw.order != NULL;
	g_free(raw.order);
	g_free(raw.runs);
	g_free(raw.color);
	args->run.lifecycle = args->lifecycle;
	args->run.variants = (const char *const *)args->variants;
	args->run.sets = (const char *const *)args->sets;
	args->run.skips = (const char *const *)args->skips;
	args->run.checks_off = (const char *const *)args->checks_off;
	args->run.accesses = raw.accesses;
	return parsed;
}

bool run_args_limits(const struct command *cmd, struct run_args *args)
{
	return check_limits(cmd, args);
}

void run_args_clear(struct run_args *args)
{
	g_free(args->name);
	g_free(args->path);
	g_free(args->lifecycle);
	g_free(args->seed);
	g_free(args->ordering);
	g_strfreev(args->variants);
	g_strfreev(args->sets);
	g_strfreev(args->skips);
	g_strfreev(args->checks_on);
	g_strfreev(args->checks_off);
	g_strfreev(args->outputs);
	outputs_clear(&args->out);
	g_free(args->max_steps);
	g_free(args->max_time);
	g_free(args->max_memory);
	g_free(args->max_instructions);
	if (args->script)
		session_close(args->script);
}

/* ---- replay -------------------------------------------------------------- */

void append_option(GString *s, const char *option, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_=./,:+@%";
	g_autofree char *quoted = NULL;

	if (!value)
		return;
	if (option)
		g_string_append_printf(s, " %s", option);
	if (value[0] == 0 || strspn(value, plain) != strlen(value))
		value = quoted = g_shell_quote(value);
	g_string_append_printf(s, " %s", value);
}

static void append_options(GString *s, const char *option, char **values)
{
	for (size_t i = 0; values && values[i]; i++)
		append_option(s, option, values[i]);
}

static void append_scenario(GString *s, const struct run_args *args, const char *script)
{
	append_option(s, NULL, script);
	append_option(s, "--lifecycle", args->lifecycle);
	append_options(s, "--variant", args->variants);
	append_options(s, "--set", args->sets);
	append_options(s, "--skip", args->skips);
}

static void append_rest(GString *s, const struct run_args *args)
{
	if (args->checks_on)
		append_options(s, "--check", args->checks_on);
	else
		append_options(s, "--no-check", args->checks_off);
	if (args->run.accesses)
		g_string_append(s, " --accesses");
	append_option(s, "--max-steps", args->max_steps);
	append_option(s, "--max-time", args->max_time);
	append_option(s, "--max-memory", args->max_memory);
	append_option(s, "--max-instructions", args->max_instructions);
}

char *run_args_replay(const struct run_args *args, const char *script, uint64_t seed)
{
	GString *s = g_string_new("slabsim run");

	append_scenario(s, args, script);
	/* Else the scenario's own ordering would be followed. */
	if (args->order_given)
		append_option(s, "--order", order_names[args->run.order]);
	append_option(s, "--ordering", args->ordering);
	append_rest(s, args);
	g_string_append_printf(s, " --seed %" G_GUINT64_FORMAT, seed);
	return g_string_free(s, FALSE);
}

char *run_args_explore(const struct run_args *args, const char *more)
{
	GString *s = g_string_new("slabsim explore");

	append_scenario(s, args, args->path);
	append_rest(s, args);
	g_string_append(s, more);
	g_string_append_printf(s, " --seed %" G_GUINT64_FORMAT, args->run.seed);
	return g_string_free(s, FALSE);
}

void note_idle_variants(const struct run_args *args, const struct run_result *result)
{
	g_autofree char *list = NULL;

	if (!args->run.variants || !args->run.variants[0] || !result->variants_idle)
		return;
	list = g_strjoinv(", ", (char **)args->run.variants);
	cli_note(args->quiet,
		 "--variant %s changes nothing in %s: variants are of caches and cgroups, and this "
		 "model makes none",
		 list, args->name);
}
