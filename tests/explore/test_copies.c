// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies that can be exchanged: states in which they have only changed places are one,
 * and what cannot be exchanged is refused.  tests/explore/test_audit.c compares what is found.
 */

#include <string.h>
#include <unistd.h>

#include "tests/explore/same.h"
#include "tests/explore/session.h"

Suite *suite_copies(void);

/* Open the script @text; the session's file is gone when it is closed. */
static struct run *open_text(const char *text)
{
	static char path[64];
	struct run *run;
	int fd;

	strcpy(path, "copies-XXXXXX.lua");
	fd = g_mkstemp(path);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert(g_file_set_contents(path, text, -1, NULL));
	run = open_scenario(path, NULL, NULL);
	(void)unlink(path);
	return run;
}

static char *model_of(const char *copied, const char *others)
{
	return g_strdup_printf("local nr = 0\n"
			       "return model {\n"
			       "  cpus = 8,\n"
			       "  setup = function(sim)\n"
			       "    sim.a, sim.m = sim:cell('a', 0), sim:mutex('m')\n"
			       "    sim.p, sim.w = sim:cell('p'), sim:waitqueue('w')\n"
			       "    sim.r, sim.all = sim:refcount('r', 1), {}\n"
			       "  end,\n"
			       "  tasks = { copies(4, function(sim)\n"
			       "    nr = nr + 1\n"
			       "    local mine, lock = sim:cell('mine', 0), sim:mutex('lock')\n"
			       "    local number = nr\n"
			       "    sim.all[nr] = mine\n"
			       "    return { task('c', function(t, sim) %s end) }\n"
			       "  end), %s },\n"
			       "}\n",
			       copied, others);
}

static const struct explore_options exhaustive = {.strategy = STRATEGY_EXHAUSTIVE, .seed = 1};

/* ---- how many states there are ------------------------------------------------------ */

static const struct counted {
	const char *copied, *others;
	uint64_t apart, exchanged; /* states */
} counted[] = {
	/* 3 points each: 3^4; C(4 + 2, 2) */
	{"t:write_once(mine, 1) t:write_once(mine, 2)", "", 81, 15},
	/* not yet, holding, done, at most one holding: 2^4 + 4 * 2^3; 5 + 4 */
	{"t:lock(sim.m) t:unlock(sim.m)", "", 48, 9},
	{"t:lock(lock) t:unlock(lock)", "", 81, 15},
	/* how many have added: 2^4; 5 */
	{"t:atomic_inc(sim.a)", "", 16, 5},
	/* one of their own value goes to all: others count for themselves */
	{"t:write_once(mine, 1) t:write_once(mine, 2)",
	 "task('o', function(t, sim) t:atomic_inc(sim.a) end)", 162, 30},
	/* an inner function and what it has kept are part of who one is */
	{"local f = function(v) t:write_once(mine, v) end f(1) f(2)", "", 81, 15},
};

START_TEST(exchanged_states_are_one)
{
	const struct counted *c = &counted[_i];
	g_autofree char *text = model_of(c->copied, c->others);
	struct run *run = open_text(text);
	struct explore_options opt = exhaustive;
	struct explore_result r;

	for (opt.nr_jobs = 1; opt.nr_jobs <= 2; opt.nr_jobs++) {
		opt.no_symmetry = false;
		explore(session_subject(run), &opt, &r);
		ck_assert_msg(!r.error, "%s", r.error ? r.error->message : "");
		ck_assert(r.exchanged);
		ck_assert_uint_eq(r.stats.nr_states, c->exchanged);
		explore_result_clear(&r);
		opt.no_symmetry = true;
		explore(session_subject(run), &opt, &r);
		ck_assert(!r.exchanged);
		ck_assert_uint_eq(r.stats.nr_states, c->apart);
		explore_result_clear(&r);
	}
	session_close(run);
}
END_TEST

/* As many as a model of the same in plain C has. */
static const struct {
	const char *sets[3];
	uint64_t apart, exchanged;
} shutdowns[] = {
	{{"n=1", "k=1"}, 71, 71},     {{"n=2", "k=1"}, 556, 313},    {{"n=2", "k=2"}, 1950, 1040},
	{{"n=3", "k=1"}, 4702, 1083}, {{"n=3", "k=2"}, 31360, 6238},
};

START_TEST(a_cache_is_shut_down_in_as_many_states)
{
	struct run *run = open_scenario("scenarios/models/cache_shutdown_copies.lua", NULL,
					shutdowns[_i].sets);
	struct explore_options opt = exhaustive;
	struct explore_result r;

	explore(session_subject(run), &opt, &r);
	ck_assert_uint_eq(r.stats.nr_states, shutdowns[_i].exchanged);
	explore_result_clear(&r);
	opt.no_symmetry = true;
	explore(session_subject(run), &opt, &r);
	ck_assert_uint_eq(r.stats.nr_states, shutdowns[_i].apart);
	explore_result_clear(&r);
	session_close(run);
}
END_TEST

/* A search that goes on from a checkpoint knows the copies by where they stand. */
START_TEST(going_on_later_meets_the_same_states)
{
	static const char *const sets[] = {"n=3", "k=2", NULL};
	struct run *run = open_scenario("scenarios/models/cache_shutdown_copies.lua", NULL, sets);
	struct explore_options opt = exhaustive;
	struct explore_result whole, part;
	GByteArray *rest = NULL;
	uint32_t nr = 0;

	explore(session_subject(run), &opt, &whole);
	ck_assert_uint_eq(whole.end, END_COMPLETE);
	for (opt.max_memory = 16384;; opt.max_memory += 16384) {
		opt.resume = rest;
		explore(session_subject(run), &opt, &part);
		ck_assert_msg(!part.error, "%s", part.error ? part.error->message : "");
		if (rest)
			g_byte_array_unref(rest);
		rest = g_steal_pointer(&part.rest);
		nr++;
		if (part.end == END_COMPLETE)
			break;
		ck_assert_int_eq(part.end, END_MEMORY);
		explore_result_clear(&part);
	}
	ck_assert_uint_gt(nr, 2);
	ck_assert_uint_eq(whole.stats.nr_states, part.stats.nr_states);
	ck_assert_uint_eq(whole.stats.nr_pruned, part.stats.nr_pruned);
	explore_result_clear(&whole);
	explore_result_clear(&part);
	session_close(run);
}
END_TEST

/* ---- what is refused ----------------------------------------------------------------- */

static const struct refused {
	const char *copied, *others, *words;
} refused[] = {
	{"t:write_once(mine, number)", "", "c2 does not begin as its counterparts do"},
	{"t:write_once(sim.all[1], 1)", "", "refers to what is another one's own"},
	{"t:write_once(mine, 1) t:write_once(sim.all[1], 1)", "",
	 "refers to what is another one's own"},
	{"t:write_once(mine, 1)", "task('o', function(t, sim) t:read_once(sim.all[2]) end)",
	 "o touches what is another one's own: cell:"},
	{"t:write_once(sim.p, mine)", "", "may leave traces of who it is in cell:"},
	{"t:write_once(mine, 1) t:prepare_to_wait(sim.w) t:finish_wait(sim.w)", "",
	 "c1 goes on with something else;"},
	{"t:prepare_to_wait(sim.w) t:finish_wait(sim.w)", "",
	 "begins with something else than an operation"},
	{"t:refcount_inc(sim.r)", "", "may leave traces of who it is in cell:"},
	{"t:write_once(mine, 1)",
	 "task('o', function(t, sim) local c = sim.all[3] t:write_once(sim.a, 1) "
	 "t:write_once(sim.a, 2) t:log(tostring(c)) end)",
	 "refers to what is another one's own"},
};

START_TEST(what_tells_copies_apart_is_refused)
{
	const struct refused *r = &refused[_i];
	g_autofree char *text = model_of(r->copied, r->others);
	struct run *run = open_text(text);
	struct explore_options opt = exhaustive;
	struct explore_result result;

	explore(session_subject(run), &opt, &result);
	ck_assert_int_eq(result.end, END_ERROR);
	ck_assert_msg(strstr(result.error->message, r->words) != NULL, "%s", result.error->message);
	explore_result_clear(&result);
	/* Nobody minds where they are told apart. */
	opt.no_symmetry = true;
	explore(session_subject(run), &opt, &result);
	ck_assert_msg(!result.error, "%s", result.error ? result.error->message : "");
	explore_result_clear(&result);
	session_close(run);
}
END_TEST

Suite *suite_copies(void)
{
	Suite *s = suite_create("copies");
	TCase *tc = tcase_create("copies");

	tcase_add_loop_test(tc, exchanged_states_are_one, 0, (int)G_N_ELEMENTS(counted));
	tcase_add_loop_test(tc, a_cache_is_shut_down_in_as_many_states, 0, G_N_ELEMENTS(shutdowns));
	tcase_add_test(tc, going_on_later_meets_the_same_states);
	tcase_add_loop_test(tc, what_tells_copies_apart_is_refused, 0, (int)G_N_ELEMENTS(refused));
	suite_add_tcase(s, tc);
	return s;
}
