// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bare scheduler: fibers with call-style switches that sleep an exponential time
 * again and again and hand over to each other, through a heap or a radix heap of
 * wake-up times.  No CPUs, no states, no records, no checks.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/engine/fiber.h"
#include "tests/bench/bounds/radix.h"
#include "tests/bench/measure.h"

#define STACK_BYTES ((size_t)4096)

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

BOUND_INLINE bool earlier(const struct wake *a, const struct wake *b)
{
	return a->due != b->due ? a->due < b->due : a->seq < b->seq;
}

BOUND_INLINE void heap_put(uint64_t due, uint32_t who)
{
	struct wake e = {due, bare.seq++, who};
	size_t i = bare.len++;

	while (i > 0 && earlier(&e, &bare.heap[(i - 1) / 4])) {
		bare.heap[i] = bare.heap[(i - 1) / 4];
		i = (i - 1) / 4;
	}
	bare.heap[i] = e;
}

BOUND_INLINE struct item heap_take(void)
{
	struct wake earliest = bare.heap[0], last = bare.heap[--bare.len];
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
	return (struct item){earliest.due, earliest.who};
}

BOUND_INLINE void wait_until(uint64_t due, uint32_t who, bool radix)
{
	if (radix)
		put((struct item){due, who});
	else
		heap_put(due, who);
}

BOUND_INLINE struct item earliest(bool radix)
{
	return radix ? take() : heap_take();
}

/* @radix is a constant wherever this is inlined. */
BOUND_INLINE void sleep_for_ever(uint32_t me, bool radix)
{
	for (;;) {
		struct item next;

		wait_until(bare.now + delay_draw(&bare.rng, DELAYS_EXP), me, radix);
		if (bare.left-- == 0)
			fiber_switch(&bare.fibers[me], &bare.host);
		next = earliest(radix);
		bare.now = next.due;
		if (next.id != me) {
			bare.cur = (uint32_t)next.id;
			fiber_switch(&bare.fibers[me], &bare.fibers[next.id]);
		}
	}
}

static void heap_main(void *arg)
{
	sleep_for_ever((uint32_t)(uintptr_t)arg, false);
}

static void radix_main(void *arg)
{
	sleep_for_ever((uint32_t)(uintptr_t)arg, true);
}

static void start(char *stacks, uint32_t n, bool radix)
{
	memset(&bare, 0, sizeof(bare));
	bare.fibers = calloc(n, sizeof(*bare.fibers));
	bare.heap = calloc((size_t)n + 1, sizeof(*bare.heap));
	if (!bare.fibers || !bare.heap)
		abort();
	radix_start();
	rng_seed(&bare.rng, 1, "bare");
	for (uint32_t i = 0; i < n; i++) {
		/* Tops on different sets of the cache. */
		fiber_init(&bare.fibers[i], stacks + i * STACK_BYTES, STACK_BYTES - (i % 16) * 64,
			   radix ? radix_main : heap_main, (void *)(uintptr_t)i);
		wait_until(delay_draw(&bare.rng, DELAYS_EXP), i, radix);
	}
}

static double run(uint32_t n, uint64_t resumes, bool radix)
{
	size_t size = n * STACK_BYTES;
	char *stacks = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	double t0 = 0;

	if (stacks == MAP_FAILED)
		abort();
	start(stacks, n, radix);
	/* The first round touches everything. */
	for (int round = 0; round < 2; round++) {
		struct item next = earliest(radix);

		bare.now = next.due;
		bare.left = round ? resumes : 3 * (uint64_t)n;
		t0 = cpu_seconds();
		fiber_switch(&bare.host, &bare.fibers[next.id]);
	}
	t0 = cpu_seconds() - t0;
	munmap(stacks, size);
	free(bare.fibers);
	free(bare.heap);
	radix_drop();
	return t0 * 1e9 / (double)resumes;
}

double bound_tasks(uint32_t n, uint64_t resumes)
{
	double heap = run(n, resumes, false), radix = run(n, resumes, true);

	return heap < radix ? heap : radix;
}
