// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim list WHAT: what can be named on a command line, one thing a line.
 */

#include <glib/gstdio.h>

#include "reports/json.h"
#include "sim/check/checker.h"
#include "sim/cli/cli.h"
#include "sim/cli/scripts.h"
#include "sim/explore/explore.h"
#include "sim/lifecycle/info.h"

struct lister {
	struct output *out;
	bool json;
	bool any;
};

/* One thing, up to its summary; end_item() ends it. */
static void put_item(struct lister *l, const char *name, int width, const char *text_key,
		     const char *text)
{
	l->any = true;
	if (l->json) {
		output_str(l->out, "{\"name\":");
		json_string(l->out, name);
		json_key_string(l->out, text_key, text);
		return;
	}
	output_printf(l->out, "%-*s  %s", width, name, text);
}

static void end_item(struct lister *l)
{
	output_str(l->out, l->json ? "}\n" : "\n");
}

/* "ipi", "on" or "off" */
static char *value_name(const struct switch_info *info, int value)
{
	g_auto(GStrv) names = NULL;

	if (strcmp(info->values, "#") == 0)
		return g_strdup_printf("%d", value);
	names = g_strsplit(info->values[0] ? info->values : "off on", " ", -1);

	return g_strdup(names[value]);
}

/* How @l differs from the row that it is based on: "deactivate ipi, keeps-id off" */
static char *what_differs(const struct lifecycle *l)
{
	const char *base = lifecycle_base(l);
	const struct lifecycle *from = base ? lifecycle_find(base) : NULL;
	g_autoptr(GString) text = g_string_new(base ? base : "");

	for (int nr = 0; switch_infos[nr]; nr++) {
		int value = lifecycle_switch(l, nr);
		g_autofree char *name = value_name(switch_infos[nr], value);

		if (value == (from ? lifecycle_switch(from, nr) : 0))
			continue;
		g_string_append_printf(text, "%s%s", text->len ? ", " : "", switch_infos[nr]->name);
		if (strcmp(name, "on") != 0)
			g_string_append_printf(text, " %s", name);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void put_switches_json(struct lister *l, const struct lifecycle *lifecycle)
{
	bool any = false;

	json_key(l->out, "switches");
	output_char(l->out, '{');
	for (int nr = 0; switch_infos[nr]; nr++) {
		int value = lifecycle_switch(lifecycle, nr);
		g_autofree char *name = value_name(switch_infos[nr], value);

		if (any)
			output_char(l->out, ',');
		json_string(l->out, switch_infos[nr]->name);
		output_char(l->out, ':');
		json_string(l->out, name);
		any = true;
	}
	output_char(l->out, '}');
}

static void list_lifecycles(struct lister *l)
{
	int width = 0;

	for (size_t i = 0; lifecycle_infos[i]; i++)
		width = MAX(width, (int)strlen(lifecycle_infos[i]->name));
	for (size_t i = 0; lifecycle_infos[i]; i++) {
		const struct lifecycle *lifecycle = lifecycle_find(lifecycle_infos[i]->name);
		g_autofree char *differs = what_differs(lifecycle);

		put_item(l, lifecycle_infos[i]->name, width, "summary",
			 lifecycle_infos[i]->summary);
		if (l->json)
			put_switches_json(l, lifecycle);
		else
			output_printf(l->out, "\n%*s  = %s", width, "", differs);
		end_item(l);
	}
}

static void list_variants(struct lister *l)
{
	int width = 0;

	for (size_t i = 0; variant_infos[i]; i++)
		width = MAX(width, (int)strlen(variant_infos[i]->name));
	for (size_t i = 0; variant_infos[i]; i++) {
		const struct variant_info *v = variant_infos[i];

		put_item(l, v->name, width, "summary", v->summary);
		if (l->json) {
			if (v->fix)
				json_key_string(l->out, "fix", v->fix);
			if (v->checker)
				json_key_string(l->out, "checker", v->checker);
		} else if (v->checker) {
			output_printf(l->out, " [%s]", v->checker);
		}
		end_item(l);
	}
}

static void list_checks(struct lister *l)
{
	int width = 0;

	for (size_t i = 0; all_checkers[i]; i++)
		width = MAX(width, (int)strlen(all_checkers[i]->name));
	for (size_t i = 0; all_checkers[i]; i++) {
		put_item(l, all_checkers[i]->name, width, "claim", all_checkers[i]->claim);
		if (l->json && all_checkers[i]->source)
			json_key_string(l->out, "source", all_checkers[i]->source);
		end_item(l);
	}
}

static void list_strategies(struct lister *l)
{
	int width = 0;

	for (int i = 0; i < NR_STRATEGIES; i++)
		width = MAX(width, (int)strlen(strategy_infos[i].name));
	for (int i = 0; i < NR_STRATEGIES; i++) {
		put_item(l, strategy_infos[i].name, width, "summary", strategy_infos[i].doc);
		end_item(l);
	}
}

static void list_iterators(struct lister *l)
{
	int width = 0;

	for (int i = 0; i < NR_ITER_DESIGNS; i++)
		width = MAX(width, (int)strlen(iter_design_ops((enum iter_design)i)->name));
	for (int i = 0; i < NR_ITER_DESIGNS; i++) {
		const struct iter_ops *ops = iter_design_ops((enum iter_design)i);

		put_item(l, ops->name, width, "summary", ops->summary);
		end_item(l);
	}
}

/* ---- scenarios ----------------------------------------------------------- */

static char *first_comment(const char *path)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return g_strdup("");
	lines = g_strsplit(text, "\n", 16);
	for (size_t i = 0; lines[i]; i++) {
		const char *s = lines[i];

		while (*s == '-' || *s == ' ')
			s++;
		if (lines[i][0] == '-' && *s && !g_str_has_prefix(s, "SPDX-License"))
			return g_strdup(s);
	}
	return g_strdup("");
}

static void list_scenarios(struct lister *l)
{
	g_autofree char *dir = scripts_dir();
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
	int width = 0;

	if (dir)
		scripts_find(dir, found);
	for (guint i = 0; i < found->len; i++)
		width = MAX(width, (int)strlen(g_ptr_array_index(found, i)));
	for (guint i = 0; i < found->len; i++) {
		const char *path = g_ptr_array_index(found, i);
		g_autofree char *comment = first_comment(path);

		put_item(l, path, width, "summary", comment);
		end_item(l);
	}
}

/* ---- events -------------------------------------------------------------- */

static const char *arg_type(char type)
{
	switch (type) {
	case 'n':
		return "number";
	case 'b':
		return "bool";
	case 'o':
		return "object";
	case 'h':
		return "holder";
	default:
		return "string";
	}
}

static void put_event_json(struct lister *l, const struct trace_kind_info *info)
{
	bool any = false;

	put_item(l, info->name, 0, "summary", info->doc);
	json_key_string(l->out, "obj", info->obj ? object_kind_name(info->obj) : "any");
	json_key(l->out, "args");
	output_char(l->out, '{');
	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		if (!info->arg[i][0])
			continue;
		if (any)
			output_char(l->out, ',');
		json_string(l->out, info->arg[i] + 2);
		output_char(l->out, ':');
		json_string(l->out, arg_type(info->arg[i][0]));
		any = true;
	}
	output_char(l->out, '}');
	end_item(l);
}

static void put_event_text(struct lister *l, const struct trace_kind_info *info)
{
	l->any = true;
	output_printf(l->out, "name: %s\ninfo: %s\nformat:\n\tfield:object obj;\tkind:%s;\n",
		      info->name, info->doc, info->obj ? object_kind_name(info->obj) : "any");
	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		if (info->arg[i][0])
			output_printf(l->out, "\tfield:%s %s;\n", arg_type(info->arg[i][0]),
				      info->arg[i] + 2);
	}
	output_char(l->out, '\n');
}

static void list_events(struct lister *l)
{
	for (int k = 0; k < NR_TRACE_KINDS; k++) {
		if (l->json)
			put_event_json(l, &trace_kinds[k]);
		else
			put_event_text(l, &trace_kinds[k]);
	}
}

static const struct {
	const char *name;
	void (*list)(struct lister *l);
} lists[] = {
	{"lifecycles", list_lifecycles}, {"variants", list_variants},	{"checks", list_checks},
	{"strategies", list_strategies}, {"scenarios", list_scenarios}, {"events", list_events},
	{"iterators", list_iterators},
};

static int list_named(const char *name, bool json)
{
	const char *names[G_N_ELEMENTS(lists) + 1] = {NULL};
	struct lister l = {.json = json};
	int code;

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		names[i] = lists[i].name;
		if (strcmp(lists[i].name, name) != 0)
			continue;
		l.out = output_open("-", false, NULL);
		lists[i].list(&l);
		code = cli_close(l.out);
		if (code == EXIT_CLEAN && !l.any) {
			cli_error("there are no %s here", name);
			code = EXIT_NOTHING;
		}
		return code;
	}
	return cli_unknown("list", name, names);
}

static int run_list(const struct command *self, int argc, char **argv)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "One JSON object a line", NULL},
		G_OPTION_ENTRY_NULL,
	};

	switch (cli_parse(self, entries, &argc, &argv)) {
	case PARSED:
		break;
	case PARSED_HELP:
		return EXIT_CLEAN;
	case PARSED_WRONG:
		return EXIT_USAGE;
	}
	if (argc != 2)
		return cli_usage(self,
				 "list takes one of lifecycles, variants, checks, strategies, "
				 "scenarios, events and iterators");
	return list_named(argv[1], json);
}

const struct command command_list = {
	.name = "list",
	.params = "lifecycles|variants|checks|strategies|scenarios|events|iterators",
	.summary = "List what can be named on a command line",
	.description =
		"Scenarios are looked for in ./scenarios, then where slabsim is installed.\n",
	.run = run_list,
};
