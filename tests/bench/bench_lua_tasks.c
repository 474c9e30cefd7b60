// SPDX-License-Identifier: GPL-2.0-only
/*
 * Simulated tasks in Lua, with the guard against endless scripts on: each sleeps an
 * exponential time, again and again.  Against the bare scheduler in C that
 * bench_tasks knows.  What a run costs besides is told apart by making two of
 * them, one with more sleeps.  Medians over rounds that measure both.
 */
#include <string.h>

#include "lua/scenario.h"
#include "tests/bench/bounds/bounds.h"
#include "tests/bench/measure.h"

#define SCRIPT "tests/bench/sleepers.lua"

static _Noreturn void give_up(const GError *error)
{
	fprintf(stderr, "bench_lua_tasks: %s\n", error->message);
	exit(2);
}

static const char *const *no_checkers(void)
{
	static const char *names[64];
	size_t n = 0;

	for (; all_checkers[n] && n < 63; n++)
		names[n] = all_checkers[n]->name;
	return names;
}

/* CPU seconds of the tasks' part of a run. */
static double run_once(uint32_t tasks, uint64_t rounds)
{
	char set_tasks[32], set_rounds[32];
	const char *sets[] = {set_tasks, set_rounds, NULL};
	struct run_options opt = {
		.path = SCRIPT,
		.sets = sets,
		.checks_off = no_checkers(),
		.seed = 1,
	};
	struct run_result result;
	GError *error = NULL;
	struct run *run;
	double t0;

	snprintf(set_tasks, sizeof(set_tasks), "tasks=%u", tasks);
	snprintf(set_rounds, sizeof(set_rounds), "rounds=%llu", (unsigned long long)rounds);
	run = session_open(&opt, NULL, &error);
	if (!run)
		give_up(error);
	t0 = cpu_seconds();
	if (!session_run(run, &result, &error))
		give_up(error);
	t0 = cpu_seconds() - t0;
	session_close(run);
	return t0;
}

static bool measure(uint32_t n, uint64_t resumes, unsigned int rounds, double goal)
{
	/* As many to start with as a bound's first round has. */
	uint64_t few = 3, more = few + resumes / n;
	struct rounds r = {.n = 0};
	char what[64];

	for (unsigned int i = 0; i < rounds; i++) {
		double bound = bound_tasks(n, resumes);
		double extra = run_once(n, more) - run_once(n, few);

		add_round(&r, bound, extra * 1e9 / (double)((more - few) * n));
	}
	snprintf(what, sizeof(what), "tasks in Lua, %u", n);
	return report_rounds(&r, "bench_lua_tasks", what, goal);
}

int main(int argc, char **argv)
{
	bool ok;

	/* For a profiler: one run of so many tasks and sleeps of each. */
	if (argc == 3) {
		double t = run_once((uint32_t)atoi(argv[1]), strtoull(argv[2], NULL, 10));

		printf("%.3f s\n", t);
		return 0;
	}
	ok = measure(1000, 1000000, 9, 3.2);
	ok = measure(100000, 1000000, 5, 3.4) && ok;
	return ok ? 0 : 1;
}
