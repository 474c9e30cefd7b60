/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_TRACE_DIGEST_H
#define REPORTS_TRACE_DIGEST_H

/*
 * A digest of a trace: of what its records say, not of how a file holds them.
 * Accesses are left out, so it is the same whether they are recorded or not.
 */

#include "lua/scenario.h"

struct trace_digest {
	struct run_sink sink; /* first: a sink is cast back to its digest */
	GChecksum *sum;
};

void trace_digest_init(struct trace_digest *d);

/** trace_digest_end() - the digest, in hexadecimal; g_free() it */
char *trace_digest_end(struct trace_digest *d);

#endif /* REPORTS_TRACE_DIGEST_H */
