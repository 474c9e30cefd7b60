// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim help [CMD]: what there is to type.
 */

#include "sim/cli/cli.h"

static int help_overview(void)
{
	struct output *out = output_open("-", false, NULL);

	output_str(out,
		   "Usage: slabsim COMMAND [OPTION...]\n\n"
		   "Simulates the cgroup slab lifecycle of the Linux kernel, one scenario at a "
		   "time.\n\nCommands:\n");
	for (const struct command *const *c = cli_commands(); *c; c++)
		output_printf(out, "  %-8s %s\n", (*c)->name, (*c)->summary);
	output_str(out, "\nOptions:\n"
			"  --version    print the version\n"
			"  --help       print this\n\n"
			"Exit status:\n"
			"  0    the run came to its end and every invariant held\n"
			"  1    an invariant was violated, or a claim of a study is not supported\n"
			"  2    wrong usage or script, a file that cannot be read or written\n"
			"  3    internal error\n"
			"  4    nothing was selected\n"
			"  5    a limit stopped the run before a verdict\n"
			"  125  with --bisect, whatever is neither 0 nor 1\n"
			"  130  interrupted\n"
			"  141  whoever read standard output went away\n\n"
			"'slabsim help COMMAND' says more.\n");
	return cli_close(out);
}

static int run_help(const struct command *self, int argc, char **argv)
{
	static const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
	char *child_argv[] = {NULL, (char *)"--help", NULL};
	const struct command *cmd;

	switch (cli_parse(self, entries, &argc, &argv)) {
	case PARSED:
		break;
	case PARSED_HELP:
		return EXIT_CLEAN;
	case PARSED_WRONG:
		return EXIT_USAGE;
	}
	if (argc < 2)
		return help_overview();
	if (argc > 2)
		return cli_usage(self, "help takes one command, not '%s' as well", argv[2]);
	cmd = cli_command(argv[1]);
	if (!cmd)
		return cli_unknown_command(argv[1]);
	child_argv[0] = argv[1];
	return cmd->run(cmd, 2, child_argv);
}

const struct command command_help = {
	.name = "help",
	.params = "[COMMAND]",
	.summary = "Say what a command does and which options it takes",
	.run = run_help,
};
