// SPDX-License-Identifier: GPL-2.0-only
#include "reports/suggest.h"

#include <glib.h>
#include <limits.h>
#include <string.h>

/* Longer than any name of ours; what is longer is not a slip of the finger. */
#define LONGEST 64

unsigned int suggest_distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	unsigned int d[3][LONGEST + 1];

	if (na > LONGEST || nb > LONGEST)
		return UINT_MAX;
	for (size_t j = 0; j <= nb; j++)
		d[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned int *row = d[i % 3];
		const unsigned int *up = d[(i + 2) % 3], *up2 = d[(i + 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned int same = a[i - 1] == b[j - 1] ? 0 : 1;

			row[j] = MIN(MIN(up[j] + 1, row[j - 1] + 1), up[j - 1] + same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], up2[j - 2] + 1);
		}
	}
	return d[na % 3][nb];
}

const char *suggest(const char *typed, const char *const *names)
{
	/* A third of the letters may be wrong; of a short word, one. */
	unsigned int best = MAX((unsigned int)strlen(typed) / 3, 1) + 1;
	const char *found = NULL;

	for (size_t i = 0; names[i]; i++) {
		unsigned int d = suggest_distance(typed, names[i]);

		/* Somebody who stopped typing early meant the longer word. */
		if (strlen(typed) >= 3 && g_str_has_prefix(names[i], typed))
			d = MIN(d, 1);
		if (d < best) {
			best = d;
			found = names[i];
		}
	}
	return found;
}
