// SPDX-License-Identifier: GPL-2.0-only
/*
 * What stands in a checkpoint may be anything: whoever writes a file can write a sum that is
 * right.  Each state that is damaged is refused, or is that of another exploration.
 */

#include <check.h>

#include "sim/base/rng.h"
#include "sim/explore/parallel/checkpoint.h"
#include "sim/explore/parallel/jobs.h"
#include "tests/explore/session.h"

Suite *suite_checkpoint(void);

#define MODEL "scenarios/models/cache_shutdown.lua"
#define NEEDLE "tests/explore/needle.lua"

/* Of each. */
#define NR_MUTATIONS 100

/* Explorations that are stopped somewhere, each in a part of a checkpoint of its own. */
static const struct {
	const char *path;
	const char *const sets[4];
	struct explore_options opt;
} cases[] = {
	{MODEL, {"n=3", "k=1"}, {.strategy = STRATEGY_DPOR, .max_runs = 300}},
	{NEEDLE, {"needle=no", "appends=2"}, {.strategy = STRATEGY_EXHAUSTIVE, .max_runs = 30}},
	{NEEDLE,
	 {"needle=no", "appends=2"},
	 {.strategy = STRATEGY_BOUNDED, .preemptions = 3, .max_runs = 30}},
	{MODEL, {"n=3", "k=1"}, {.strategy = STRATEGY_RANDOM, .max_runs = 300}},
	{MODEL, {"n=3", "k=1"}, {.strategy = STRATEGY_PCT, .max_runs = 300}},
	{MODEL, {"n=2", "k=2", "bug=2"}, {.strategy = STRATEGY_DPOR, .max_runs = 60}},
	{MODEL, {"n=2", "k=1", "bug=2"}, {.strategy = STRATEGY_PCT, .max_runs = 60}},
	{NEEDLE, {"choices=1"}, {.strategy = STRATEGY_DPOR, .max_runs = 60}},
	{NEEDLE, {"choices=1"}, {.strategy = STRATEGY_EXHAUSTIVE, .max_runs = 9}},
	{NEEDLE, {"choices=1"}, {.strategy = STRATEGY_BOUNDED, .preemptions = 2, .max_runs = 60}},
	{MODEL, {"n=4", "k=2"}, {.strategy = STRATEGY_AUTO, .max_runs = 500}},
	{MODEL, {"n=4", "k=2"}, {.strategy = STRATEGY_AUTO, .max_runs = 6000}},
};

static const enum strategy ways[] = {STRATEGY_DPOR, STRATEGY_EXHAUSTIVE, STRATEGY_PCT,
				     STRATEGY_AUTO};

static void put_at(GByteArray *b, guint at, uint64_t value, guint size)
{
	if (at + size <= b->len)
		memcpy(b->data + at, &value, size);
}

/* Change @b in one place: a number, a byte, where it ends, or a part that comes twice. */
static void mutate(GByteArray *b, struct rng *rng)
{
	static const uint64_t numbers[] = {
		0,	    1,		2,	    3,		63,
		64,	    65,		0x10000,    INT32_MAX,	UINT32_MAX,
		1ULL << 32, 1ULL << 33, 1ULL << 61, 1ULL << 63, UINT64_MAX,
	};
	guint at = (guint)rng_below(rng, b->len), size = 1 + (guint)rng_below(rng, 64);
	uint64_t number = numbers[rng_below(rng, G_N_ELEMENTS(numbers))];
	guint from;

	switch (rng_below(rng, 8)) {
	case 0:
		b->data[at] ^= (guint8)(1 + rng_below(rng, 255));
		break;
	case 1:
		put_at(b, at & ~3U, number, 4);
		break;
	case 2:
		g_byte_array_set_size(b, at);
		break;
	case 3:
		g_byte_array_set_size(b, b->len + size);
		memset(b->data + b->len - size, (int)number & 0xff, size);
		break;
	case 4:
		from = (guint)rng_below(rng, b->len);
		memmove(b->data + at, b->data + from, MIN(size, b->len - MAX(at, from)));
		break;
	default:
		put_at(b, at & ~7U, number, 8);
		break;
	}
}

static GByteArray *copy_of(const GByteArray *b)
{
	GByteArray *copy = g_byte_array_sized_new(b->len);

	return g_byte_array_append(copy, b->data, b->len);
}

static GByteArray *stop_somewhere(struct subject *s, const struct explore_options *opt)
{
	struct explore_result result;
	GByteArray *rest;

	explore(s, opt, &result);
	ck_assert_uint_eq(result.end, END_RUNS);
	rest = g_steal_pointer(&result.rest);
	ck_assert_ptr_nonnull(rest);
	explore_result_clear(&result);
	return rest;
}

/* Return: whether it was refused. */
static bool go_on_from(struct subject *s, const struct explore_options *common,
		       const GByteArray *state, unsigned int nr_jobs)
{
	struct explore_options opt = *common;
	struct explore_result result;
	bool refused;

	opt.resume = state;
	opt.nr_jobs = nr_jobs;
	opt.max_runs += 100;
	opt.max_seconds = 1;
	explore(s, &opt, &result);
	refused = result.end == END_ERROR;
	if (refused) {
		ck_assert_ptr_nonnull(result.error);
		ck_assert_msg(result.error->domain == CHECKPOINT_ERROR, "%s",
			      result.error->message);
	}
	explore_result_clear(&result);
	return refused;
}

START_TEST(any_state_is_refused_or_gone_on_from)
{
	const struct explore_options opt = {
		.strategy = cases[_i].opt.strategy,
		.seed = 1,
		.max_runs = cases[_i].opt.max_runs,
		.preemptions = cases[_i].opt.preemptions,
		.keep_going = true,
	};
	struct run *run = open_scenario(cases[_i].path, NULL, cases[_i].sets);
	struct subject *s = session_subject(run);
	g_autoptr(GByteArray) state = stop_somewhere(s, &opt);
	struct rng rng;
	guint nr_refused = 0;

	rng_seed(&rng, (uint64_t)_i, "mutations");
	ck_assert(!go_on_from(s, &opt, state, 1));
	ck_assert(!go_on_from(s, &opt, state, 2));
	for (guint i = 0; i < NR_MUTATIONS; i++) {
		g_autoptr(GByteArray) damaged = copy_of(state);

		mutate(damaged, &rng);
		nr_refused += go_on_from(s, &opt, damaged, i % 8 == 0 ? 2 : 1);
	}
	ck_assert_uint_gt(nr_refused, 0);
	session_close(run);
}
END_TEST

/* What would not fit into a file is not kept, and what was found is. */
START_TEST(what_is_too_large_is_not_kept)
{
	static const char *const sets[] = {"bug=2", "n=2", "k=2", NULL};
	struct explore_options opt = {
		.strategy = ways[_i], .seed = 1, .max_runs = 40, .keep_going = true};
	struct run *run = open_scenario(MODEL, NULL, sets);
	struct subject *s = session_subject(run);
	struct explore_result kept, lost;

	explore(s, &opt, &kept);
	ck_assert_ptr_nonnull(kept.rest);
	ck_assert(!kept.rest_too_large);
	ck_assert_uint_gt(kept.findings->len, 0);
	opt.max_rest = kept.rest->len / 2;
	explore(s, &opt, &lost);
	ck_assert_ptr_null(lost.rest);
	ck_assert(lost.rest_too_large);
	ck_assert_uint_eq(lost.end, kept.end);
	ck_assert_uint_eq(lost.findings->len, kept.findings->len);
	opt.max_rest = kept.rest->len;
	explore_result_clear(&lost);
	explore(s, &opt, &lost);
	ck_assert_ptr_nonnull(lost.rest);
	explore_result_clear(&kept);
	explore_result_clear(&lost);
	session_close(run);
}
END_TEST

Suite *suite_checkpoint(void)
{
	Suite *s = suite_create("checkpoint");
	TCase *tc = tcase_create("states");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, any_state_is_refused_or_gone_on_from, 0, G_N_ELEMENTS(cases));
	tcase_add_loop_test(tc, what_is_too_large_is_not_kept, 0, G_N_ELEMENTS(ways));
	suite_add_tcase(s, tc);
	return s;
}
