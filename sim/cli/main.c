// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim: the program.  Picks a subcommand.
 */

#include <stdio.h>
#include <string.h>

#include "sim/cli/cli.h"

#ifndef SLABSIM_VERSION
#define SLABSIM_VERSION "unknown"
#endif

static const struct command *const commands[] = {
	&command_run, &command_list, &command_report, &command_help, NULL,
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

static int unknown_command(const char *name)
{
	const char *names[G_N_ELEMENTS(commands) + 2];
	size_t n = 0;

	for (size_t i = 0; commands[i] && name[0] != '-'; i++)
		names[n++] = commands[i]->name;
	if (name[0] == '-') {
		names[n++] = "--version";
		names[n++] = "--help";
	}
	names[n] = NULL;
	return cli_unknown(name[0] == '-' ? "option" : "command", name, names);
}

int main(int argc, char **argv)
{
	const struct command *cmd;

	cli_install_signals();
	if (argc < 2) {
		cli_error("no command given; try 'slabsim help'");
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		struct output *out = output_open("-", false, NULL);

		output_str(out, "slabsim " SLABSIM_VERSION "\n");
		return cli_close(out);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return command_help.run(&command_help, 1, argv + 1);
	cmd = cli_command(argv[1]);
	if (!cmd)
		return unknown_command(argv[1]);
	return cmd->run(cmd, argc - 1, argv + 1);
}
