// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event queue in the hold model: pop an event, post it again after a random
 * delay, with a steady number pending.  Against the best C bound of that size,
 * measured in the same round; medians over the rounds.
 *
 * The exit status is 1 when a goal is missed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/engine/evq.h"
#include "tests/bench/bounds/bounds.h"

#define ROUNDS 7
#define NR_BOUNDS_MAX 3

struct workload {
	const char *name;
	size_t pending;
	enum delays delays;
	uint64_t holds;
	double goal; /* of our time by the best bound's */
	const struct bound *bounds[NR_BOUNDS_MAX];
};

static const struct workload workloads[] = {
	{"hold, 100 pending",
	 100,
	 DELAYS_EXP,
	 2000000,
	 1.35,
	 {&bound_heap, &bound_radix, &bound_ladder}},
	{"hold, 10,000 pending",
	 10000,
	 DELAYS_EXP,
	 2000000,
	 1.7,
	 {&bound_heap, &bound_radix, &bound_ladder}},
	{"hold, 1,000,000 pending",
	 1000000,
	 DELAYS_EXP,
	 2000000,
	 2.4,
	 {&bound_heap, &bound_radix, &bound_ladder}},
	{"kernel-like delays, 10,000 pending", 10000, DELAYS_MIX, 4000000, 1.2, {&bound_radix}},
};

static struct arena *arena;
static struct evq queue;
static struct event *events;

static void ours_fill(size_t n, struct rng *r, enum delays d)
{
	arena_reset(arena, (size_t)1 << 30);
	evq_init(&queue, arena);
	events = arena_alloc(arena, n * sizeof(*events));
	if (!events)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (!evq_post(&queue, &events[i], delay_draw(r, d)))
			abort();
	}
}

BOUND_INLINE uint64_t loop(uint64_t holds, struct rng *r, enum delays d)
{
	while (holds--) {
		struct event *ev = evq_pop(&queue);

		if (!evq_post(&queue, ev, ev->due + delay_draw(r, d)))
			abort();
	}
	return evq_now(&queue);
}

static uint64_t ours_hold(uint64_t holds, struct rng *r, enum delays d)
{
	return d == DELAYS_MIX ? loop(holds, r, DELAYS_MIX) : loop(holds, r, DELAYS_EXP);
}

static void ours_drop(void)
{
}

static const struct bound ours = {"sim/engine/evq", ours_fill, ours_hold, ours_drop};

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Return: ns per hold.  All queues must come to the same time, or one of them is wrong. */
static double measure(const struct bound *b, const struct workload *w, uint64_t *end)
{
	struct rng r;
	double start;

	rng_seed(&r, 1, "bench_evq");
	b->fill(w->pending, &r, w->delays);
	b->hold(w->pending, &r, w->delays);
	start = seconds();
	*end = b->hold(w->holds, &r, w->delays);
	start = seconds() - start;
	b->drop();
	return start * 1e9 / (double)w->holds;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), by_value);
	return values[ROUNDS / 2];
}

static double best_bound(const struct workload *w, const char **name, uint64_t *end)
{
	double best = 0;

	for (size_t i = 0; i < NR_BOUNDS_MAX && w->bounds[i]; i++) {
		uint64_t this_end;
		double ns = measure(w->bounds[i], w, &this_end);

		if (i && this_end != *end) {
			fprintf(stderr, "%s disagrees about %s\n", w->bounds[i]->name, w->name);
			exit(2);
		}
		*end = this_end;
		if (!i || ns < best) {
			best = ns;
			*name = w->bounds[i]->name;
		}
	}
	return best;
}

static bool report(const struct workload *w)
{
	double bound[ROUNDS], own[ROUNDS], ratio[ROUNDS], middle;
	const char *name = "";

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t end = 0, own_end;

		bound[i] = best_bound(w, &name, &end);
		own[i] = measure(&ours, w, &own_end);
		ratio[i] = own[i] / bound[i];
		if (own_end != end) {
			fprintf(stderr, "%s disagrees about %s\n", ours.name, w->name);
			exit(2);
		}
	}
	middle = median(ratio);
	printf("%-36s %8.1f %8.1f %6.2f %5.2f  %-6s  %s\n", w->name, median(bound), median(own),
	       middle, w->goal, middle <= w->goal ? "ok" : "MISSED", name);
	fflush(stdout);
	return middle <= w->goal;
}

int main(void)
{
	bool all = true;

	arena = arena_map((size_t)1 << 30);
	if (!arena) {
		perror("arena_map");
		return 2;
	}
	printf("%-36s %8s %8s %6s %5s  %-6s  %s\n", "name", "bound_ns", "ours_ns", "ratio", "goal",
	       "", "best bound");
	for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); i++)
		all &= report(&workloads[i]);
	return all ? 0 : 1;
}
