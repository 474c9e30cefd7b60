// SPDX-License-Identifier: GPL-2.0-only
#include "sim/cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "sim/cli/cli.h"

#define TERMINAL_US 200000
#define LOG_US 5000000

void progress_init(struct progress *p, bool quiet)
{
	p->terminal = isatty(STDERR_FILENO) && g_strcmp0(g_getenv("TERM"), "dumb") != 0;
	p->quiet = quiet;
	p->start = g_get_monotonic_time();
	p->next = p->start + (p->terminal ? TERMINAL_US : LOG_US);
}

bool progress_is_due(struct progress *p)
{
	gint64 now;

	if (p->quiet && !cli_asked)
		return false;
	now = g_get_monotonic_time();
	if (now < p->next && !cli_asked)
		return false;
	cli_asked = 0;
	p->next = now + (p->terminal ? TERMINAL_US : LOG_US);
	return true;
}

void progress_show(struct progress *p, const char *fmt, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s%s%s", p->terminal ? "\r\033[K" : "slabsim: ", text,
		p->terminal ? "" : "\n");
}

void progress_clear(const struct progress *p)
{
	if (!p->quiet && p->terminal)
		fputs("\r\033[K", stderr);
}

double progress_seconds(const struct progress *p)
{
	return (double)MAX(g_get_monotonic_time() - p->start, 1) / 1e6;
}
