// SPDX-License-Identifier: GPL-2.0-only
/*
 * Simulated tasks in C: each sleeps an exponential time, again and again.  Against
 * a bare scheduler of the same shape.  Medians over rounds that measure both.
 */
#include <string.h>

#include "sim/engine/world.h"
#include "tests/bench/bounds/bounds.h"
#include "tests/bench/measure.h"

#define ROUNDS 9
#define RESUMES 1000000
#define BYTES_GOAL 4500
#define MANY 1000000

static struct rng sleep_rng;
static uint64_t left;

static void sleeper(struct task *t, void *arg)
{
	(void)arg;
	for (;;) {
		task_sleep(t, delay_draw(&sleep_rng, DELAYS_EXP));
		if (left-- == 0)
			world_halt(t->w, STOP_HOST);
	}
}

static void ignore(struct trace_sink *sink, const struct trace_record *r)
{
	(void)sink;
	(void)r;
}

static uint32_t first_choice(struct chooser *c, struct world *w, enum choice_kind kind, uint32_t n)
{
	(void)c, (void)w, (void)kind, (void)n;
	return 0;
}

static struct world *sleepers(struct arena *a, uint32_t n)
{
	static struct chooser chooser = {first_choice};
	static struct trace_sink sink = {.record = ignore};
	struct world_config config = {
		.nr_cpus = 64,
		.preempt = PREEMPT_FULL,
		.steps_max = UINT64_MAX,
		.time_max = VTIME_MAX - 1,
	};
	struct world *w;

	memset(sink.mute, true, sizeof(sink.mute));
	arena_reset(a, (size_t)16 << 30);
	w = world_new(a, &config, &chooser, &sink);
	/* Tasks alone are measured: what a CPU costs to switch is a parameter of a scenario. */
	memset(w->cost, 0, sizeof(w->cost));
	rng_seed(&sleep_rng, 1, "bench");
	for (uint32_t i = 0; i < n; i++)
		task_wake(task_new(w, &w->cpus[i % 64], "sleeper", CTX_TASK, STACK_SMALL, sleeper,
				   NULL),
			  0);
	return w;
}

/* Return: ns a resume. */
static double run_ours(struct arena *a, uint32_t n, uint64_t resumes, long *bytes_each)
{
	long before = rss_bytes();
	struct world *w = sleepers(a, n);
	double t0;

	/* The first round touches everything. */
	left = 3 * (uint64_t)n;
	world_run(w);
	*bytes_each = (rss_bytes() - before) / (long)n;
	w->stop = STOP_NONE;
	left = resumes;
	t0 = cpu_seconds();
	world_run(w);
	return (cpu_seconds() - t0) * 1e9 / (double)resumes;
}

static bool measure(struct arena *a, uint32_t n, double goal)
{
	struct rounds r = {.n = 0};
	char what[64];
	long bytes;

	for (int i = 0; i < ROUNDS; i++) {
		double bound = bound_tasks(n, RESUMES);

		add_round(&r, bound, run_ours(a, n, RESUMES, &bytes));
	}
	snprintf(what, sizeof(what), "tasks in C, %u", n);
	return report_rounds(&r, "bench_tasks", what, goal);
}

/* Before anything else, so that no page is there yet. */
static bool measure_many(struct arena *a)
{
	long bytes;
	double ns = run_ours(a, MANY, MANY, &bytes);

	printf("tasks in C, %d under the system's limits: %.0f ns a resume, %ld bytes each, "
	       "goal %d  %s\n",
	       MANY, ns, bytes, BYTES_GOAL, bytes <= BYTES_GOAL ? "ok" : "MISSED");
	if (bytes > BYTES_GOAL)
		fprintf(stderr, "bench_tasks: goal missed: %ld bytes for each task\n", bytes);
	return bytes <= BYTES_GOAL;
}

int main(void)
{
	struct arena *a = arena_map((size_t)16 << 30);
	bool ok;

	if (!a)
		return 3;
	ok = measure_many(a);
	ok = measure(a, 1000, 1.15) && ok;
	ok = measure(a, 100000, 1.3) && ok;
	return ok ? 0 : 1;
}
