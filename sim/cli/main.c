// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim: the program.  Picks a subcommand.
 */

#include <stdio.h>
#include <string.h>

#include "sim/cli/cli.h"

static int unknown_command(const char *name)
{
	static const char *const options[] = {"--version", "--help", NULL};

	if (name[0] == '-')
		return cli_unknown("option", name, options);
	return cli_unknown_command(name);
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
