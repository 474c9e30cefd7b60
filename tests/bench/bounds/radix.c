// SPDX-License-Identifier: GPL-2.0-only
/* A radix heap and nothing around it. */
#include "tests/bench/bounds/radix.h"

static void fill(size_t n, struct rng *r, enum delays d)
{
	radix_start();
	for (size_t i = 0; i < n; i++)
		put((struct item){delay_draw(r, d), i});
}

BOUND_INLINE uint64_t loop(uint64_t holds, struct rng *r, enum delays d)
{
	uint64_t now = 0;

	while (holds--) {
		struct item e = take();

		now = e.due;
		e.due += delay_draw(r, d);
		put(e);
	}
	return now;
}

static uint64_t hold(uint64_t holds, struct rng *r, enum delays d)
{
	return d == DELAYS_MIX ? loop(holds, r, DELAYS_MIX) : loop(holds, r, DELAYS_EXP);
}

const struct bound bound_radix = {"radix heap", fill, hold, radix_drop};
