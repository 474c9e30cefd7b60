// SPDX-License-Identifier: GPL-2.0-only
#include "sim/base/assert.h"

#include <stdio.h>
#include <stdlib.h>

static const char *context;

void sim_assert_context(const char *text)
{
	context = text;
}

void sim_assert_fail(const char *cond, const char *file, int line)
{
	fprintf(stderr, "slabsim: internal error: %s does not hold at %s:%d\n", cond, file, line);
	if (context)
		fprintf(stderr, "slabsim: to repeat: %s\n", context);
	abort();
}
