// SPDX-License-Identifier: GPL-2.0-only
/*
 * Simulated tasks: each sleeps an exponential time, again and again.  Against a
 * bare scheduler of the same shape: fibers with call-style switches, handing
 * over to each other through a heap or a radix heap of wake-up times, nothing
 * else.  Medians over rounds that measure both.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "sim/engine/world.h"
#include "tests/bench/bounds/bounds.h"

#define ROUNDS 5

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

static long rss_bytes(void)
{
	long all = 0, rss = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%ld %ld", &all, &rss) != 2)
		rss = 0;
	if (f)
		fclose(f);
	return rss * 4096;
}

/* ---- the bound ---------------------------------------------------------------- */

struct wake {
	uint64_t due, seq;
	uint32_t who;
};

static struct {
	struct fiber *fibers, host;
	struct wake *heap;
	size_t len;
	uint64_t now, seq, left;
	uint32_t cur;
	struct rng rng;
} bare;

static bool earlier(const struct wake *a, const struct wake *b)
{
	return a->due != b->due ? a->due < b->due : a->seq < b->seq;
}

static void bare_push(struct wake e)
{
	size_t i = bare.len++;

	while (i > 0 && earlier(&e, &bare.heap[(i - 1) / 4])) {
		bare.heap[i] = bare.heap[(i - 1) / 4];
		i = (i - 1) / 4;
	}
	bare.heap[i] = e;
}

static struct wake bare_pop(void)
{
	struct wake first = bare.heap[0], last = bare.heap[--bare.len];
	size_t i = 0;

	for (;;) {
		size_t child = 4 * i + 1, best = child;

		if (child >= bare.len)
			break;
		for (size_t j = child + 1; j < child + 4 && j < bare.len; j++) {
			if (earlier(&bare.heap[j], &bare.heap[best]))
				best = j;
		}
		if (!earlier(&bare.heap[best], &last))
			break;
		bare.heap[i] = bare.heap[best];
		i = best;
	}
	bare.heap[i] = last;
	return first;
}

static void bare_main(void *arg)
{
	uint32_t me = (uint32_t)(uintptr_t)arg;

	for (;;) {
		struct wake next;

		bare_push((struct wake){bare.now + delay_draw(&bare.rng, DELAYS_EXP), bare.seq++,
					me});
		if (bare.left-- == 0)
			fiber_switch(&bare.fibers[me], &bare.host);
		next = bare_pop();
		bare.now = next.due;
		if (next.who != me) {
			bare.cur = next.who;
			fiber_switch(&bare.fibers[me], &bare.fibers[next.who]);
		}
	}
}

static double run_bare(uint32_t n, uint64_t resumes)
{
	size_t size = (size_t)n * 4096;
	char *stacks = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	double t0 = 0;

	memset(&bare, 0, sizeof(bare));
	bare.fibers = calloc(n, sizeof(*bare.fibers));
	bare.heap = calloc(n + 1, sizeof(*bare.heap));
	if (stacks == MAP_FAILED || !bare.fibers || !bare.heap)
		abort();
	rng_seed(&bare.rng, 1, "bare");
	for (uint32_t i = 0; i < n; i++) {
		/* Tops on different cache sets, as in the simulator. */
		fiber_init(&bare.fibers[i], stacks + (size_t)i * 4096, 4096 - (i % 16) * 64,
			   bare_main, (void *)(uintptr_t)i);
		bare_push((struct wake){delay_draw(&bare.rng, DELAYS_EXP), bare.seq++, i});
	}
	for (int round = 0; round < 2; round++) {
		struct wake first = bare_pop();

		bare.now = first.due;
		bare.left = round ? resumes : 3 * (uint64_t)n;
		t0 = now();
		fiber_switch(&bare.host, &bare.fibers[first.who]);
	}
	t0 = now() - t0;
	munmap(stacks, size);
	free(bare.fibers);
	free(bare.heap);
	return t0;
}

/* ---- ours ----------------------------------------------------------------------- */

static struct rng sleep_rng;
static struct world *world;
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

static double run_ours(struct arena *a, uint32_t n, uint64_t resumes, long *bytes_each)
{
	static struct chooser chooser = {first_choice};
	static struct trace_sink sink = {.record = ignore};
	struct world_config config = {
		.nr_cpus = 64,
		.preempt = PREEMPT_FULL,
		.steps_max = UINT64_MAX,
		.time_max = VTIME_MAX - 1,
	};
	long before = rss_bytes();
	double t0;

	memset(sink.mute, true, sizeof(sink.mute));
	arena_reset(a, (size_t)16 << 30);
	world = world_new(a, &config, &chooser, &sink);
	/* Tasks alone are measured: what a CPU costs to switch is a parameter of a scenario. */
	memset(world->cost, 0, sizeof(world->cost));
	rng_seed(&sleep_rng, 1, "bench");
	for (uint32_t i = 0; i < n; i++)
		task_wake(task_new(world, &world->cpus[i % 64], "sleeper", CTX_TASK, STACK_SMALL,
				   sleeper, NULL),
			  0);
	left = 3 * (uint64_t)n;
	world_run(world);
	*bytes_each = (rss_bytes() - before) / (long)n;
	world->stop = STOP_NONE;
	left = resumes;
	t0 = now();
	world_run(world);
	return now() - t0;
}

static void measure(struct arena *a, uint32_t n, double goal)
{
	uint64_t resumes = 2000000;
	double bound[ROUNDS], ours[ROUNDS], ratio;
	long bytes = 0, first_bytes = 0;

	for (int i = 0; i < ROUNDS; i++) {
		bound[i] = run_bare(n, resumes) * 1e9 / (double)resumes;
		ours[i] = run_ours(a, n, resumes, &bytes) * 1e9 / (double)resumes;
		if (i == 0)
			first_bytes = bytes;
	}
	ratio = median(ours, ROUNDS) / median(bound, ROUNDS);
	printf("tasks in C, %7u  bound %7.1f ns  ours %7.1f ns  ratio %5.2f  goal %4.2f  %s"
	       "  %ld bytes each\n",
	       n, median(bound, ROUNDS), median(ours, ROUNDS), ratio, goal,
	       ratio <= goal ? "ok" : "MISSED", first_bytes);
}

int main(void)
{
	struct arena *a = arena_map((size_t)16 << 30);
	long bytes = 0;
	double t;

	if (!a)
		return 3;
	measure(a, 1000, 1.15);
	measure(a, 100000, 1.3);
	t = run_ours(a, 1000000, 1000000, &bytes);
	printf("tasks in C, 1000000 under the system's limits: %.0f ns a resume, %ld bytes each\n",
	       t * 1e3, bytes);
	return 0;
}
