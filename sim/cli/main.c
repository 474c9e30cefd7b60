// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim: the program.  Picks a subcommand.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cli/cli.h"

static int unknown_command(const char *name)
{
	static const char *const options[] = {"--version", "--help", NULL};

	if (name[0] == '-')
		return cli_unknown("option", name, options);
	return cli_unknown_command(name);
}

/*
 * A file that is opened while standard output is closed would get its number, and the report
 * after it.  Where one is closed, put what fails when it is used as intended.
 */
static void fill_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

int main(int argc, char **argv)
{
	const struct command *cmd;

	fill_standard_files();
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
