// SPDX-License-Identifier: GPL-2.0-only
#include "sim/base/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/base/assert.h"
#include "sim/base/watch.h"

#define HEAP_SPAN ((size_t)64 << 30)
#define SMALL_SPAN ((size_t)8 << 30)
#define LARGE_SPAN ((size_t)64 << 30)
#define PAGE ((size_t)4096)

/*
 * Guard pages split the mapping, and Linux allows 65,530 mappings by default.
 * Stacks past this number rely on their canary alone.
 */
#define GUARDED_MAX 16384

#ifdef SLABSIM_VALGRIND
#include <valgrind/memcheck.h>
#else
#define VALGRIND_STACK_REGISTER(start, end) ((void)0)
#define VALGRIND_MAKE_MEM_UNDEFINED(start, size) ((void)0)
#endif

static const size_t stack_span[NR_STACK_CLASSES] = {SMALL_SPAN, LARGE_SPAN};
/* An odd number of pages: with a power of two, all stacks would share a few sets of the cache. */
static const size_t stack_bytes[NR_STACK_CLASSES] = {PAGE, 65 * PAGE};

/*
 * The first address suits AddressSanitizer's shadow on x86-64, the second
 * valgrind, which keeps to the low 16 TiB, the third small aarch64 spaces.
 */
static const uintptr_t base_candidates[] = {
	UINT64_C(0x200000000000),
	UINT64_C(0x040000000000),
	UINT64_C(0x2000000000),
};

static char *mapped;
static uint32_t guarded; /* large stacks that have their guard page already */

static char *stack_region(enum stack_class c)
{
	return mapped + HEAP_SPAN + (c == STACK_LARGE ? SMALL_SPAN : 0);
}

struct arena *arena_map(size_t limit)
{
	size_t span = HEAP_SPAN + SMALL_SPAN + LARGE_SPAN;

	for (size_t i = 0; !mapped && i < sizeof(base_candidates) / sizeof(*base_candidates); i++) {
		void *want = (void *)base_candidates[i];
		void *got = mmap(want, span, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
				 -1, 0);

		if (got == want)
			mapped = got;
		else if (got != MAP_FAILED)
			munmap(got, span);
	}
	if (!mapped)
		return NULL;

	arena_reset((struct arena *)mapped, limit);
	return (struct arena *)mapped;
}

void arena_reset(struct arena *a, size_t limit)
{
	sim_assert(limit <= HEAP_SPAN);
	watch_stop();
	memset(a, 0, sizeof(*a));
	a->base = mapped;
	a->top = (sizeof(*a) + 63) & ~(size_t)63;
	a->limit = limit;
}

void arena_put_back(struct arena *a, const void *heap, size_t bytes)
{
	watch_stop();
	memcpy(a->base, heap, bytes);
	sim_assert(a->top == bytes);
}

/*
 * Classes are exact multiples of 16 up to 512 bytes; above that four per power
 * of two, so that at most a fifth of a block is lost to rounding.
 */
static unsigned int size_class(size_t size, size_t *rounded)
{
	unsigned int log2, quarter;

	if (size <= 512) {
		*rounded = (size + 15) & ~(size_t)15;
		return (unsigned int)(*rounded / 16);
	}
	log2 = 63 - (unsigned int)__builtin_clzll(size - 1);
	quarter = (unsigned int)(((size - 1) >> (log2 - 2)) & 3);
	*rounded = ((size_t)4 + quarter + 1) << (log2 - 2);
	return 33 + (log2 - 9) * 4 + quarter;
}

static void *take(struct arena *a, size_t size, bool *fresh)
{
	size_t rounded;
	unsigned int c;
	void *p;

	if (size == 0)
		size = 1;
	if (size > HEAP_SPAN / 2)
		return NULL;
	c = size_class(size, &rounded);
	sim_assert(c < ARENA_NR_CLASSES);
	p = a->free_list[c];
	*fresh = !p;
	if (p) {
		a->free_list[c] = *(void **)p;
	} else {
		if (rounded > a->limit - a->top || a->top > a->limit)
			return NULL;
		p = a->base + a->top;
		a->top += rounded;
	}
	a->live_bytes += rounded;
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	bool fresh;
	void *p = take(a, size, &fresh);

	/* Memory above top may hold what an earlier run left there. */
	return p ? memset(p, 0, size) : NULL;
}

void arena_free(struct arena *a, void *p, size_t size)
{
	size_t rounded;
	unsigned int c = size_class(size ? size : 1, &rounded);

	*(void **)p = a->free_list[c];
	a->free_list[c] = p;
	a->live_bytes -= rounded;
}

void *arena_realloc(struct arena *a, void *p, size_t old_size, size_t new_size)
{
	size_t old_rounded, new_rounded;
	bool fresh;
	void *q;

	if (p && size_class(old_size ? old_size : 1, &old_rounded) ==
			 size_class(new_size ? new_size : 1, &new_rounded))
		return p;
	q = take(a, new_size, &fresh);
	if (q && p) {
		memcpy(q, p, old_size < new_size ? old_size : new_size);
		arena_free(a, p, old_size);
	}
	return q;
}

void arena_start_afresh(struct arena *a)
{
	memset(a->free_list, 0, sizeof(a->free_list));
}

char *arena_strdup(struct arena *a, const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = arena_alloc(a, size);

	return copy ? memcpy(copy, s, size) : NULL;
}

size_t arena_stack_size(enum stack_class c)
{
	return c == STACK_LARGE ? stack_bytes[c] - PAGE : stack_bytes[c];
}

static char *new_stack(struct arena *a, enum stack_class c)
{
	size_t index = a->stacks_used[c];
	char *stack = stack_region(c) + index * stack_bytes[c];

	if ((index + 1) * stack_bytes[c] > stack_span[c])
		return NULL;
	a->stacks_used[c]++;
	VALGRIND_STACK_REGISTER(stack, stack + stack_bytes[c]);
	if (c != STACK_LARGE)
		return stack;
	if (index >= guarded && index < GUARDED_MAX) {
		/* Failing only costs the early warning: the canary stays. */
		(void)mprotect(stack, PAGE, PROT_NONE);
		guarded = (uint32_t)index + 1;
	}
	return stack + PAGE;
}

char *arena_stack_get(struct arena *a, enum stack_class c)
{
	char *stack = a->nr_free_stacks[c] > 0 ? a->free_stacks[c][--a->nr_free_stacks[c]]
					       : new_stack(a, c);

	if (!stack)
		return NULL;
	/* It takes what is below the stack pointer of whoever was here before for gone. */
	VALGRIND_MAKE_MEM_UNDEFINED(stack, arena_stack_size(c));
	*(uint64_t *)stack = ARENA_CANARY;
	return stack;
}

void arena_stack_put(struct arena *a, enum stack_class c, char *stack)
{
	uint32_t max = a->max_free_stacks[c];

	if (a->nr_free_stacks[c] == max) {
		size_t old = max * sizeof(stack), size = (max ? 2 * max : 16) * sizeof(stack);
		char **bigger = arena_realloc(a, a->free_stacks[c], old, size);

		if (!bigger)
			return;
		a->free_stacks[c] = bigger;
		a->max_free_stacks[c] = (uint32_t)(size / sizeof(stack));
	}
	a->free_stacks[c][a->nr_free_stacks[c]++] = stack;
}

bool arena_guard_hit(const void *addr)
{
	const char *region = stack_region(STACK_LARGE);
	const char *p = addr;

	if (!mapped || p < region || p >= region + (size_t)guarded * stack_bytes[STACK_LARGE])
		return false;
	return (size_t)(p - region) % stack_bytes[STACK_LARGE] < PAGE;
}
