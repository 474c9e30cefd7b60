// SPDX-License-Identifier: GPL-2.0-only
#include "sim/engine/snapshot.h"

#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif

#ifdef SLABSIM_VALGRIND
#include <valgrind/memcheck.h>
#else
#define VALGRIND_MAKE_MEM_DEFINED(start, size) ((void)0)
#endif

struct header {
	size_t heap_bytes;
	size_t nr_stacks;
};

struct stack_part {
	char *at;
	size_t bytes; /* a multiple of 8; that many follow */
};

#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>

/* Stacks hold red zones, which memcpy() must not touch: copy them by hand, unchecked. */
__attribute__((no_sanitize("address"))) static void copy(void *to, const void *from, size_t bytes)
{
	uint64_t *d = to;
	const uint64_t *s = from;

	for (size_t i = 0; i < bytes / 8; i++)
		__asm__ volatile("" : : "r"(d[i] = s[i]) : "memory");
}

static void forget_red_zones(const struct fiber *f)
{
	/* They belong to the frames that were there just now, not to those of the snapshot. */
	__asan_unpoison_memory_region(f->stack, f->size);
}
#else
static inline void copy(void *to, const void *from, size_t bytes)
{
	memcpy(to, from, bytes);
}

static inline void forget_red_zones(const struct fiber *f)
{
	/* valgrind refuses what lies below the stack pointer that it saw last. */
	VALGRIND_MAKE_MEM_DEFINED(f->stack, f->size);
	(void)f;
}
#endif

static size_t heap_bytes(const struct world *w)
{
	return (w->arena->top + 15) & ~(size_t)15;
}

static struct stack_part live_part(const struct fiber *f)
{
	char *at = (char *)((uintptr_t)fiber_live(f) & ~(uintptr_t)7);
	char *end = f->stack + f->size;

	return (struct stack_part){at, (size_t)(end - at)};
}

size_t snapshot_size(const struct world *w)
{
	size_t size = sizeof(struct header) + heap_bytes(w);

	list_for_each(node, &w->tasks) {
		const struct task *t = container_of(node, struct task, all_node);

		size += sizeof(struct stack_part) + live_part(&t->fiber).bytes;
	}
	return size;
}

void snapshot_save(const struct world *w, void *buffer)
{
	struct header *header = buffer;
	char *out = (char *)(header + 1);

	header->heap_bytes = heap_bytes(w);
	header->nr_stacks = 0;
	copy(out, w->arena->base, header->heap_bytes);
	out += header->heap_bytes;
	list_for_each(node, &w->tasks) {
		const struct task *t = container_of(node, struct task, all_node);
		struct stack_part part = live_part(&t->fiber);

		memcpy(out, &part, sizeof(part));
		copy(out + sizeof(part), part.at, part.bytes);
		out += sizeof(part) + part.bytes;
		header->nr_stacks++;
	}
}

void snapshot_restore(struct world *w, const void *buffer)
{
	const struct header *header = buffer;
	const char *in = (const char *)(header + 1);

	copy(w->arena->base, in, header->heap_bytes);
	in += header->heap_bytes;
	list_for_each(node, &w->tasks) {
		forget_red_zones(&container_of(node, struct task, all_node)->fiber);
	}
	for (size_t i = 0; i < header->nr_stacks; i++) {
		struct stack_part part;

		memcpy(&part, in, sizeof(part));
		copy(part.at, in + sizeof(part), part.bytes);
		in += sizeof(part) + part.bytes;
	}
}
