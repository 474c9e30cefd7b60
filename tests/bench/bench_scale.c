// SPDX-License-Identifier: GPL-2.0-only
/*
 * One run with 10,000 cgroups and 1,000,000 objects, one that reclaims from 50,000
 * cgroups, one that drops 250,000 dentries (BENCH_LONG=1: 5,000,000 as well), and each
 * twice as large, all checkers on: does the cost grow with the size and not faster?  Each
 * run has a process of its own, whose CPU time and peak memory are taken.
 */
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lua/scenario.h"
#include "tests/bench/measure.h"

#define ROUNDS 3
#define NR_SIZES_MAX 2
#define STEPS_MAX UINT64_C(10000000000)
#define MEMORY_MAX_BYTES ((size_t)16 << 30)
#define GOAL 2.4	/* of twice as large: linear, and a fifth for what no longer fits a cache */
#define STEPS_GOAL 2.02 /* the same on every machine */

struct cost {
	double seconds, steps, megabytes;
};

/* A scenario, and what of it grows. */
static const struct workload {
	const char *script;
	struct size {
		const char *name; /* of a parameter */
		unsigned int n;
	} sizes[NR_SIZES_MAX];
	unsigned int long_factor; /* how much larger with BENCH_LONG=1, then once; 0: not at all */
} workloads[] = {
	{"scenarios/lifecycle/scale.lua", {{"cgroups", 10000}, {"objects", 1000000}}, 0},
	{"scenarios/reclaim/many.lua", {{"cgroups", 50000}}, 0},
	{"scenarios/reclaim/many_items.lua", {{"cgroups", 2500}, {"items", 250000}}, 20},
};

static _Noreturn void give_up(const char *why)
{
	fprintf(stderr, "bench_scale: %s\n", why);
	exit(2);
}

/* In the child: write how many steps it took to @out. */
static _Noreturn void run_child(const struct workload *wl, unsigned int scale, int out)
{
	char texts[NR_SIZES_MAX][32];
	const char *sets[NR_SIZES_MAX + 1] = {NULL};
	struct run_options opt = {
		.path = wl->script,
		.sets = sets,
		.seed = 1,
		.steps_max = STEPS_MAX,
		.memory_max = MEMORY_MAX_BYTES,
	};
	struct run_result result;
	GError *error = NULL;

	for (int i = 0; i < NR_SIZES_MAX && wl->sizes[i].name; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%s=%u", wl->sizes[i].name,
			 scale * wl->sizes[i].n);
		sets[i] = texts[i];
	}
	if (!scenario_run(&opt, NULL, &result, &error))
		give_up(error->message);
	if (result.verdict != VERDICT_PASS)
		give_up("the run found a violation");
	if (write(out, &result.nr_steps, sizeof(result.nr_steps)) != sizeof(result.nr_steps))
		give_up("cannot write to a pipe");
	_exit(0);
}

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

static struct cost run_once(const struct workload *wl, unsigned int scale)
{
	uint64_t steps = 0;
	struct rusage usage;
	int pipes[2], status;
	pid_t child;

	if (pipe(pipes) != 0 || (child = fork()) < 0)
		give_up("cannot start a process");
	if (child == 0)
		run_child(wl, scale, pipes[1]);
	close(pipes[1]);
	if (wait4(child, &status, 0, &usage) != child || status != 0 ||
	    read(pipes[0], &steps, sizeof(steps)) != sizeof(steps))
		give_up("a run failed");
	close(pipes[0]);
	return (struct cost){
		.seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime),
		.steps = (double)steps,
		.megabytes = (double)usage.ru_maxrss / 1024,
	};
}

static bool within(const char *what, double ratio, double goal)
{
	printf("%-24s %5.2f times as much for twice the size  goal %4.2f  %s\n", what, ratio, goal,
	       ratio <= goal ? "ok" : "MISSED");
	if (ratio > goal)
		fprintf(stderr, "bench_scale: goal missed: %s grows %.2f times, goal %.2f\n", what,
			ratio, goal);
	return ratio <= goal;
}

static void print_cost(const struct workload *wl, unsigned int scale, double seconds,
		       const struct cost *cost)
{
	for (int i = 0; i < NR_SIZES_MAX && wl->sizes[i].name; i++)
		printf("%s%u %s", i ? ", " : "", scale * wl->sizes[i].n, wl->sizes[i].name);
	printf(": %.2f s, %.0f steps, %.2f million steps/s, %.0f MiB\n", seconds, cost->steps,
	       cost->steps / seconds * 1e-6, cost->megabytes);
}

/* How much memory each of what grew has added: of what there is most of. */
static void print_each(const struct workload *wl, unsigned int factor, const struct cost cost[2])
{
	const struct size *size = wl->sizes;

	while (size + 1 < wl->sizes + NR_SIZES_MAX && size[1].name)
		size++;
	printf("%-24s %5.0f bytes for each of %u %s more\n", "",
	       (cost[1].megabytes - cost[0].megabytes) * 1048576 / (size->n * (double)factor),
	       size->n * factor, size->name);
}

/* The fastest runs: whatever else the machine does makes them slower, and the larger more so. */
static bool grows_linearly(const struct workload *wl, unsigned int factor, int rounds)
{
	double seconds[2] = {0};
	struct cost cost[2] = {0};
	bool ok;

	printf("%s\n", wl->script);
	for (int i = 0; i < rounds; i++) {
		for (unsigned int k = 0; k < 2; k++) {
			cost[k] = run_once(wl, factor * (k + 1));
			if (i == 0 || cost[k].seconds < seconds[k])
				seconds[k] = cost[k].seconds;
		}
	}
	for (unsigned int k = 0; k < 2; k++)
		print_cost(wl, factor * (k + 1), seconds[k], &cost[k]);
	ok = within("steps", cost[1].steps / cost[0].steps, STEPS_GOAL);
	ok = within("CPU time", seconds[1] / seconds[0], GOAL) && ok;
	ok = within("peak memory", cost[1].megabytes / cost[0].megabytes, GOAL) && ok;
	print_each(wl, factor, cost);
	return ok;
}

int main(void)
{
	const char *asked = getenv("BENCH_LONG");
	bool longer = asked && strcmp(asked, "0") != 0, ok = true;

	for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); i++) {
		const struct workload *wl = &workloads[i];

		ok = grows_linearly(wl, 1, ROUNDS) && ok;
		if (longer && wl->long_factor > 0)
			ok = grows_linearly(wl, wl->long_factor, 1) && ok;
	}
	return ok ? 0 : 1;
}
