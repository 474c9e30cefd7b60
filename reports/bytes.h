/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_BYTES_H
#define REPORTS_BYTES_H

/*
 * Binary numbers on an output stream, little-endian whatever the machine is.
 */

#include "reports/output.h"

static inline void put_le(struct output *o, uint64_t v, int nr_bytes)
{
	for (int i = 0; i < nr_bytes; i++)
		output_char(o, (char)(v >> (8 * i)));
}

/** put_zstring() - @s and a NUL */
static inline void put_zstring(struct output *o, const char *s)
{
	output_bytes(o, s, strlen(s) + 1);
}

#endif /* REPORTS_BYTES_H */
