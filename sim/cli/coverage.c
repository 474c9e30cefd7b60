// SPDX-License-Identifier: GPL-2.0-only
#include "sim/cli/coverage.h"

#define U64 "%" G_GUINT64_FORMAT

/* Runs that the strategy at work, or what auto has made of it, did not bring to their end. */
static uint64_t nr_cut(const struct explore_options *opt, const struct explore_result *r)
{
	const struct explore_stats *s = &r->stats;

	if (opt->strategy != STRATEGY_AUTO)
		return s->nr_cut;
	if (s->stage == AUTO_BOUND)
		return s->stages[AUTO_BOUND].nr_cut;
	if (s->stage == AUTO_STATES)
		return s->stages[AUTO_STATES].nr_cut;
	return s->stages[AUTO_TRY].nr_cut + s->stages[AUTO_REDUCE].nr_cut;
}

/* Nothing stopped it, and no run was cut short. */
static bool is_complete(const struct explore_options *opt, const struct explore_result *r)
{
	/* Where no run has an end, they all go round in circles. */
	if (nr_cut(opt, r) > 0 || r->stats.nr_runs == 0)
		return false;
	/* With keep_going a finding stops nothing. */
	return r->end == END_COMPLETE || (r->end == END_FOUND && opt->keep_going);
}

/* STRATEGY_AUTO is at work itself where that samples. */
static bool is_sampling(enum strategy strategy)
{
	return strategy == STRATEGY_RANDOM || strategy == STRATEGY_PCT || strategy == STRATEGY_AUTO;
}

enum covered coverage(const struct explore_options *opt, const struct explore_result *r)
{
	if (!is_complete(opt, r) || is_sampling(r->stats.strategy))
		return COVERED_SOME;
	return r->stats.strategy == STRATEGY_BOUNDED && r->bound_cut ? COVERED_BOUNDED
								     : COVERED_ALL;
}

static char *claim_bound(uint32_t bound)
{
	if (bound == 0)
		return g_strdup("every ordering without preemptions");
	return g_strdup_printf("every ordering with at most %u preemption%s", bound,
			       bound == 1 ? "" : "s");
}

static char *claim_some(const struct explore_options *opt, const struct explore_result *r)
{
	const struct explore_stats *s = &r->stats;
	const char *plural = s->nr_runs == 1 ? "" : "s";

	if (opt->strategy == STRATEGY_RANDOM || opt->strategy == STRATEGY_PCT)
		return g_strdup_printf(U64 " random ordering%s%s, seed " U64, s->nr_runs, plural,
				       opt->strategy == STRATEGY_PCT ? " (pct)" : "", opt->seed);
	if (s->strategy == STRATEGY_BOUNDED && r->bound_done > 0 && nr_cut(opt, r) == 0) {
		g_autofree char *bound = claim_bound(r->bound_done - 1);

		return g_strdup_printf("%s, and a part of those with %u", bound, s->bound);
	}
	if (s->strategy == STRATEGY_EXHAUSTIVE)
		return g_strdup_printf(U64 " states, not all that there are", s->nr_states);
	if (s->stages[AUTO_SAMPLE].nr_runs > 0)
		return g_strdup_printf(U64 " ordering%s, " U64 " of them random, seed " U64
					   ", not all that there are",
				       s->nr_runs, plural, s->stages[AUTO_SAMPLE].nr_runs,
				       opt->seed);
	return g_strdup_printf(U64 " ordering%s, not all that there are", s->nr_runs, plural);
}

char *coverage_claim(const struct explore_options *opt, const struct explore_result *r)
{
	switch (coverage(opt, r)) {
	case COVERED_ALL:
		return g_strdup(r->exchanged ? "every ordering, whichever copy is which"
					     : "every ordering");
	case COVERED_BOUNDED:
		return claim_bound(r->bound_done - 1);
	case COVERED_SOME:
		break;
	}
	return claim_some(opt, r);
}

char *coverage_counts(const struct explore_result *r)
{
	const struct explore_stats *s = &r->stats;
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, U64 " execution%s", s->nr_runs, s->nr_runs == 1 ? "" : "s");
	if (s->nr_failing > 0)
		g_string_append_printf(text, ", " U64 " failing", s->nr_failing);
	if (s->nr_states > 0)
		g_string_append_printf(text, ", " U64 " distinct states", s->nr_states);
	if (s->nr_blocked > 0)
		g_string_append_printf(text, ", " U64 " blocked", s->nr_blocked);
	if (s->nr_pruned > 0)
		g_string_append_printf(text, ", " U64 " pruned", s->nr_pruned);
	if (s->nr_cut > 0)
		g_string_append_printf(text, ", " U64 " cut", s->nr_cut);
	g_string_append_printf(text, ", longest %u steps, " U64 " steps", s->longest, s->nr_steps);
	if (s->nr_recalled > 0)
		g_string_append_printf(text, ", " U64 " of them recalled,", s->nr_recalled);
	g_string_append_printf(text, " in %.2f s", s->seconds);
	return g_string_free(text, FALSE);
}

/* Below that it is no matter. */
#define COLLISION_MIN 1e-9

char *coverage_collision(const struct explore_options *opt, const struct explore_result *r)
{
	double pairs = (double)r->stats.nr_states * (double)r->stats.nr_states / 2;
	double probability = pairs / 0x1p64;

	if (coverage(opt, r) != COVERED_ALL || probability < COLLISION_MIN)
		return NULL;
	return g_strdup_printf("fingerprints have 64 bits: two states were taken for one with a "
			       "probability of 1 in %.0f",
			       1 / probability);
}

char *coverage_auto(const struct explore_result *r)
{
	static const char *const stages[NR_AUTO_STAGES] = {
		[AUTO_TRY] = "dpor for a moment, in case there are few orderings",
		[AUTO_SAMPLE] = "random orderings, in which most failures show soon",
		[AUTO_STATES] = "all states, by steps that are known",
		[AUTO_REDUCE] = "dpor again, which may yet cover all",
		[AUTO_BOUND] = "bounded, since there are too many for that",
	};
	const struct explore_stats *s = &r->stats;
	bool loops = s->nr_loops > 0;
	GString *text = g_string_new(NULL);

	for (enum auto_stage i = 0; i <= s->stage; i++) {
		bool is_empty = s->stages[i].nr_runs + s->stages[i].nr_cut == 0;

		/* The first one is left out where runs are long. */
		if (i == AUTO_TRY && i < s->stage && is_empty)
			continue;
		/* It gives up at once where steps have to be taken in the world. */
		if (i == AUTO_STATES && i < s->stage && s->stages[i].nr_recalled == 0)
			continue;
		if (i == AUTO_REDUCE && loops && s->stages[i].nr_runs == 0)
			continue;
		g_string_append_printf(
			text, "%s%s: " U64, text->len > 0 ? "; then " : "",
			i == AUTO_BOUND && loops ? "exhaustive, since there are loops" : stages[i],
			s->stages[i].nr_runs);
	}
	return g_string_free(text, FALSE);
}

char *coverage_limit(const struct explore_options *opt, const struct explore_result *r)
{
	switch (r->end) {
	case END_RUNS:
		return g_strdup_printf("the limit of " U64 " executions was hit: --max-runs",
				       opt->max_runs);
	case END_TIME:
		return g_strdup_printf("the limit of %g s was hit: --max-time", opt->max_seconds);
	case END_MEMORY:
		return g_strdup("the memory for states that were seen is full: --seen-memory");
	case END_INTERRUPTED:
		return g_strdup("interrupted");
	case END_COMPLETE:
	case END_FOUND:
	case END_ERROR:
		break;
	}
	return NULL;
}

char *coverage_cut(const struct explore_options *opt, const struct explore_result *r)
{
	const struct explore_stats *s = &r->stats;
	uint64_t at_limit = s->nr_cut - s->nr_loops;
	GString *text;

	if (s->nr_cut == 0 || coverage(opt, r) != COVERED_SOME)
		return NULL;
	text = g_string_new(NULL);
	if (at_limit > 0)
		g_string_append_printf(text,
				       U64 " execution%s cut at the limit of steps: what comes "
					   "after is not covered: --max-steps",
				       at_limit, at_limit == 1 ? " was" : "s were");
	if (s->nr_loops > 0)
		g_string_append_printf(text,
				       "%s" U64 " execution%s cut in a loop that somebody else "
				       "could end: what comes after is covered by exhaustive and "
				       "bounded only",
				       at_limit ? "\n" : "", s->nr_loops,
				       s->nr_loops == 1 ? " was" : "s were");
	return g_string_free(text, FALSE);
}
