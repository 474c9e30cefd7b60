// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is left behind when the program is killed: no temporary file, and one
 * line that says why if it was its own fault.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim/base/arena.h"
#include "sim/base/watch.h"
#include "sim/cli/cli.h"

/* A stack overflow in a simulated context leaves no stack to handle it on. */
static char alternate_stack[64 * 1024] __attribute__((aligned(16)));

#define INSIST_SECONDS 0.3

static struct sigaction old_segv, old_bus;

volatile sig_atomic_t cli_interrupted, cli_run_active, cli_asked;

static void say(const char *s)
{
	ssize_t n = write(STDERR_FILENO, s, strlen(s));

	(void)n;
}

/*
 * The first one asks for an end, a second one insists.  But timeout(1) sends the same signal to the
 * process and to its group: what comes at once is the first one still.
 */
static bool insists(void)
{
	static struct timespec first;
	struct timespec now;
	double since;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!cli_interrupted)
		first = now;
	since = (double)(now.tv_sec - first.tv_sec) + 1e-9 * (double)(now.tv_nsec - first.tv_nsec);
	return since > INSIST_SECONDS;
}

static void on_killed(int sig)
{
	if ((sig == SIGINT || sig == SIGTERM) && cli_run_active && !insists()) {
		cli_interrupted = 1;
		return;
	}
	output_remove_unfinished();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void on_asked(int sig)
{
	(void)sig;
	cli_asked = 1;
}

static void on_abort(int sig)
{
	(void)sig;
	output_remove_unfinished();
	_exit(EXIT_INTERNAL);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	const struct sigaction *old = sig == SIGSEGV ? &old_segv : &old_bus;

	(void)context;
	output_remove_unfinished();
	if (arena_guard_hit(info->si_addr)) {
		say("slabsim: stack overflow in a simulated context\n");
		_exit(EXIT_INTERNAL);
	}
	say("slabsim: internal error: invalid memory access\n");
	if (old->sa_handler == SIG_DFL)
		_exit(EXIT_INTERNAL);
	/* A sanitizer was here before us, and its report says more than we could. */
	sigaction(sig, old, NULL);
}

void cli_worker_signals(void)
{
	signal(SIGABRT, SIG_DFL);
	/* What was there before us: a sanitizer's, or the default. */
	sigaction(SIGSEGV, &old_segv, NULL);
	sigaction(SIGBUS, &old_bus, NULL);
	watch_signals();
	signal(SIGUSR1, SIG_IGN);
	/* Ctrl-C and timeout(1) reach every process of the group; who started us decides. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
}

void cli_install_signals(void)
{
	static const int killers[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT};
	const stack_t stack = {.ss_sp = alternate_stack, .ss_size = sizeof(alternate_stack)};
	struct sigaction sa = {0}, old;

	sigaltstack(&stack, NULL);
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = on_killed;
	sa.sa_flags = SA_ONSTACK | SA_RESTART;
	for (size_t i = 0; i < G_N_ELEMENTS(killers); i++) {
		/* nohup and the like ask for a signal to be ignored. */
		sigaction(killers[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(killers[i], &sa, NULL);
	}
	sa.sa_handler = on_asked;
	sigaction(SIGUSR1, &sa, NULL);
	sa.sa_handler = on_abort;
	sigaction(SIGABRT, &sa, NULL);
	/* A limit of file sizes is like a full disk: the write fails, and that is said. */
	signal(SIGXFSZ, SIG_IGN);

	sa.sa_flags = SA_ONSTACK | SA_SIGINFO;
	sa.sa_sigaction = on_fault;
	sigaction(SIGSEGV, &sa, &old_segv);
	sigaction(SIGBUS, &sa, &old_bus);
}
