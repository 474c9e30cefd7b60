/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_EXPLORE_SAME_H
#define TESTS_EXPLORE_SAME_H

/* Are two explorations one, taken in different ways? */

#include <check.h>

#include "sim/explore/explore.h"

static inline void check_same_counts(const struct explore_result *a, const struct explore_result *b)
{
	ck_assert_uint_eq(a->end, b->end);
	ck_assert_uint_eq(a->stats.nr_runs, b->stats.nr_runs);
	ck_assert_uint_eq(a->stats.nr_failing, b->stats.nr_failing);
	ck_assert_uint_eq(a->stats.nr_cut, b->stats.nr_cut);
	ck_assert_uint_eq(a->stats.nr_loops, b->stats.nr_loops);
	ck_assert_uint_eq(a->stats.nr_states, b->stats.nr_states);
	ck_assert_uint_eq(a->stats.nr_pruned, b->stats.nr_pruned);
	ck_assert_uint_eq(a->bound_done, b->bound_done);
	ck_assert_uint_eq(a->bound_cut, b->bound_cut);
}

static inline void check_same_findings(const struct explore_result *a,
				       const struct explore_result *b)
{
	ck_assert_uint_eq(a->findings->len, b->findings->len);
	for (guint i = 0; i < a->findings->len; i++) {
		const struct finding *f = g_ptr_array_index(a->findings, i);
		const struct finding *g = g_ptr_array_index(b->findings, i);

		ck_assert_uint_eq(f->run, g->run);
		ck_assert_uint_eq(f->nr_steps, g->nr_steps);
		ck_assert_uint_eq(f->at_end, g->at_end);
		ck_assert_uint_eq(f->violation.seq, g->violation.seq);
		ck_assert_str_eq(f->violation.text, g->violation.text);
		ck_assert_uint_eq(f->choices->len, g->choices->len);
		if (f->choices->len > 0)
			ck_assert_mem_eq(f->choices->data, g->choices->data,
					 f->choices->len * sizeof(struct choice));
	}
}

#endif /* TESTS_EXPLORE_SAME_H */
