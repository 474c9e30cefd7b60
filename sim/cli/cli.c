// SPDX-License-Identifier: GPL-2.0-only
#include "sim/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/suggest.h"

static const struct command *const commands[] = {
	&command_run,	 &command_explore, &command_replay,  &command_list,
	&command_report, &command_diff,	   &command_compare, &command_explain,
	&command_test,	 &command_study,   &command_help,    NULL,
};

const struct command *const *cli_commands(void)
{
	return commands;
}

const struct command *cli_command(const char *name)
{
	for (size_t i = 0; commands[i]; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static void error_line(const char *prefix, const char *fmt, va_list ap)
{
	g_autofree char *msg = g_strdup_vprintf(fmt, ap);

	fprintf(stderr, "%s%s\n", prefix, msg);
}

void cli_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	error_line("slabsim: ", fmt, ap);
	va_end(ap);
}

void cli_note(bool quiet, const char *fmt, ...)
{
	va_list ap;

	if (quiet)
		return;
	va_start(ap, fmt);
	error_line("slabsim: ", fmt, ap);
	va_end(ap);
}

int cli_usage(const struct command *cmd, const char *fmt, ...)
{
	g_autofree char *msg = NULL;
	va_list ap;

	va_start(ap, fmt);
	msg = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	cli_error("%s; see 'slabsim help %s'", msg, cmd->name);
	return EXIT_USAGE;
}

int cli_unknown(const char *what, const char *name, const char *const *names)
{
	const char *close_by = suggest(name, names);
	g_autofree char *all = NULL;

	if (close_by) {
		cli_error("unknown %s '%s'; did you mean '%s'?", what, name, close_by);
	} else {
		all = g_strjoinv(", ", (char **)names);
		cli_error("unknown %s '%s'; there are: %s", what, name, all);
	}
	return EXIT_USAGE;
}

int cli_unknown_command(const char *name)
{
	const char *names[G_N_ELEMENTS(commands)];

	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		names[i] = commands[i] ? commands[i]->name : NULL;
	return cli_unknown("command", name, names);
}

int cli_close(struct output *out)
{
	g_autoptr(GError) error = NULL;

	if (output_close(out, &error))
		return EXIT_CLEAN;
	if (output_error_is_pipe(error))
		return EXIT_PIPE;
	cli_error("%s", error->message);
	return EXIT_USAGE;
}

/* GLib names the option in its message and nowhere else; look in argv for what it did not know. */
static const char *unknown_option(const GOptionEntry *entries, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t n = strcspn(argv[i], "=");
		bool known = false;

		if (strncmp(argv[i], "--", 2) != 0 || argv[i][2] == 0)
			continue;
		for (const GOptionEntry *e = entries; e->long_name && !known; e++)
			known = strlen(e->long_name) == n - 2 &&
				strncmp(e->long_name, argv[i] + 2, n - 2) == 0;
		if (!known)
			return argv[i];
	}
	return NULL;
}

static void option_error(const struct command *cmd, const GOptionEntry *entries, const char *msg,
			 int argc, char **argv)
{
	const char *wrong = unknown_option(entries, argc, argv);
	g_autofree char *name = NULL;
	g_autoptr(GPtrArray) names = NULL;
	const char *close_by;

	if (!wrong) {
		g_autofree char *lower = g_strdup(msg);

		lower[0] = g_ascii_tolower(lower[0]);
		cli_usage(cmd, "%s", lower);
		return;
	}
	name = g_strndup(wrong, strcspn(wrong, "="));
	names = g_ptr_array_new_with_free_func(g_free);
	for (const GOptionEntry *e = entries; e->long_name; e++) {
		if (e->long_name[0])
			g_ptr_array_add(names, g_strconcat("--", e->long_name, NULL));
	}
	g_ptr_array_add(names, NULL);
	close_by = suggest(name, (const char *const *)names->pdata);
	if (close_by)
		cli_error("unknown option '%s'; did you mean '%s'?", name, close_by);
	else
		cli_usage(cmd, "unknown option '%s'", name);
}

static void print_help(GOptionContext *context)
{
	g_autofree char *raw = g_option_context_get_help(context, FALSE, NULL);
	g_auto(GStrv) parts = g_strsplit(raw, "\xe2\x80\xa6", -1);
	/* GLib writes an ellipsis that a terminal without UTF-8 garbles. */
	g_autofree char *help = g_strjoinv("...", parts);
	struct output *out = output_open("-", false, NULL);
	int code;

	output_str(out, help);
	while (out->len > 1 && out->buf[out->len - 1] == '\n' && out->buf[out->len - 2] == '\n')
		out->len--;
	code = cli_close(out);
	if (code != EXIT_CLEAN)
		exit(code);
}

static bool takes_value(const GOptionEntry *entries, char name)
{
	for (const GOptionEntry *e = entries; e->long_name; e++) {
		if (e->short_name == name)
			return e->arg != G_OPTION_ARG_NONE;
	}
	return false;
}

/* "-j4" is "-j 4", which GLib does not know.  What it makes of the rest stays where it is. */
static void separate_values(const GOptionEntry *entries, int *argc, char ***argv)
{
	/* For as long as the program runs, as argv is.  GLib takes out of that what it has read. */
	static GPtrArray *separated, *parts;
	bool options = true;

	separated = g_ptr_array_new();
	parts = g_ptr_array_new();
	for (int i = 0; i < *argc; i++) {
		char *arg = (*argv)[i];

		options &= strcmp(arg, "--") != 0;
		if (options && i > 0 && arg[0] == '-' && arg[1] != '-' && arg[1] && arg[2] &&
		    takes_value(entries, arg[1])) {
			char *option = g_strndup(arg, 2);
			char *value = g_strdup(arg + 2 + (arg[2] == '='));

			g_ptr_array_add(separated, option);
			g_ptr_array_add(separated, value);
			g_ptr_array_add(parts, option);
			g_ptr_array_add(parts, value);
		} else {
			g_ptr_array_add(separated, arg);
		}
	}
	*argc = (int)separated->len;
	g_ptr_array_add(separated, NULL);
	*argv = (char **)separated->pdata;
}

enum parsed cli_parse(const struct command *cmd, const GOptionEntry *entries, int *argc,
		      char ***argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new(cmd->params);
	g_autofree char *prgname = g_strconcat("slabsim ", cmd->name, NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char **copy = NULL;
	gboolean help = FALSE;
	int copied;
	const GOptionEntry more[] = {
		{"help", 'h', 0, G_OPTION_ARG_NONE, &help, "Print this", NULL},
		G_OPTION_ENTRY_NULL,
	};

	separate_values(entries, argc, argv);
	copy = g_memdup2(*argv, sizeof(char *) * (size_t)(*argc + 1));
	copied = *argc;
	g_set_prgname(prgname);
	g_option_context_set_help_enabled(context, FALSE);
	g_option_context_set_summary(context, cmd->summary);
	g_option_context_set_description(context, cmd->description);
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_add_main_entries(context, more, NULL);
	if (!g_option_context_parse(context, argc, argv, &error)) {
		g_autoptr(GArray) all = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

		for (const GOptionEntry *e = entries; e->long_name; e++)
			g_array_append_val(all, *e);
		g_array_append_val(all, more[0]);
		option_error(cmd, (const GOptionEntry *)all->data, error->message,
			     g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION)
				     ? copied
				     : 0,
			     copy);
		return PARSED_WRONG;
	}
	if (help) {
		print_help(context);
		return PARSED_HELP;
	}
	/* "--" stays in argv when an argument behind it looks like an option. */
	if (*argc > 1 && strcmp((*argv)[1], "--") == 0) {
		(*argv)[1] = (*argv)[0];
		(*argv)++;
		(*argc)--;
	}
	return PARSED;
}

bool cli_color(const char *arg, enum color *color)
{
	static const char *const names[] = {"auto", "always", "never", NULL};

	*color = COLOR_AUTO;
	for (int i = 0; arg && names[i]; i++) {
		if (strcmp(arg, names[i]) == 0) {
			*color = (enum color)i;
			return true;
		}
	}
	if (!arg)
		return true;
	cli_unknown("colour mode", arg, names);
	return false;
}

bool cli_use_color(enum color color)
{
	const char *no_color = g_getenv("NO_COLOR");

	if (color != COLOR_AUTO)
		return color == COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no_color && no_color[0]) &&
	       g_strcmp0(g_getenv("TERM"), "dumb") != 0;
}
