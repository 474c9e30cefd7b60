// SPDX-License-Identifier: GPL-2.0-only
/*
 * assert: what the scenario itself claims, holds.
 *
 * The record is only there when it does not.
 */

#include <inttypes.h>

#include "sim/check/checker.h"

static void on_assert(struct checker *c, const struct trace_record *r)
{
	checker_violation(c, r, r->obj, "%s (line %" PRId64 " of the script)",
			  r->str ? r->str : "assertion failed", r->arg[0]);
}

static const struct record_handler handlers[] = {{TR_ASSERT, on_assert}, {0, NULL}};

const struct checker_ops check_assertion = {
	.name = "assert",
	.claim = "what the scenario asserts holds",
	.source = "the scenario: t:assert() and t:fail()",
	.handlers = handlers,
};
