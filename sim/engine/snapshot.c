// SPDX-License-Identifier: GPL-2.0-only
#include "sim/engine/snapshot.h"

#include <string.h>

#include "sim/base/watch.h"

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
	size_t nr_pages; /* the first that the watch has listed; they follow */
	size_t skip;	 /* then as many bytes that a restore does not need */
	size_t from, to; /* then this part of the heap */
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

/* The part of the heap from here on is copied as it is, the part before page by page. */
static size_t watched_bytes(void)
{
	const struct watch *watch = watch_now();

	return watch ? watch->bytes : 0;
}

size_t snapshot_size(const struct world *w)
{
	const struct watch *watch = watch_now();
	size_t size = sizeof(struct header) + heap_bytes(w) - watched_bytes();

	if (watch)
		size += watch->nr_written * watch->page;
	list_for_each(node, &w->tasks) {
		const struct task *t = container_of(node, struct task, all_node);

		size += sizeof(struct stack_part) + live_part(&t->fiber).bytes;
	}
	return size;
}

static char *save_pages(struct header *header, char *out)
{
	const struct watch *watch = watch_now();

	header->nr_pages = watch ? watch->nr_written : 0;
	for (size_t i = 0; i < header->nr_pages; i++) {
		copy(out, watch->base + watch->written[i] * watch->page, watch->page);
		out += watch->page;
	}
	return out;
}

static void save_rest(const struct world *w, struct header *header, char *out)
{
	header->to = heap_bytes(w);
	header->nr_stacks = 0;
	copy(out, w->arena->base + header->from, header->to - header->from);
	out += header->to - header->from;
	list_for_each(node, &w->tasks) {
		const struct task *t = container_of(node, struct task, all_node);
		struct stack_part part = live_part(&t->fiber);

		memcpy(out, &part, sizeof(part));
		copy(out + sizeof(part), part.at, part.bytes);
		out += sizeof(part) + part.bytes;
		header->nr_stacks++;
	}
}

void snapshot_save(const struct world *w, void *buffer)
{
	struct header *header = buffer;

	header->skip = 0;
	header->from = watched_bytes();
	save_rest(w, header, save_pages(header, (char *)(header + 1)));
}

void snapshot_base(struct world *w, void *buffer)
{
	struct header *header = buffer;
	char *image = (char *)(header + 1);

	watch_stop();
	header->nr_pages = 0;
	header->from = 0;
	save_rest(w, header, image);
	watch_start(w->arena, image);
	header->skip = header->from = watched_bytes();
}

/* What was written to since a snapshot, but not before it, is as it was in the base. */
static const char *restore_pages(const struct header *header)
{
	const struct watch *watch = watch_now();
	const char *in = (const char *)(header + 1);
	size_t nr_written = watch ? watch->nr_written : 0;

	for (size_t i = 0; i < nr_written; i++) {
		size_t at = watch->written[i] * watch->page;

		copy(watch->base + at,
		     i < header->nr_pages ? in + i * watch->page : watch->image + at, watch->page);
	}
	return watch ? in + header->nr_pages * watch->page : in;
}

void snapshot_restore(struct world *w, const void *buffer)
{
	const struct header *header = buffer;
	const char *in = restore_pages(header) + header->skip;

	copy(w->arena->base + header->from, in, header->to - header->from);
	in += header->to - header->from;
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
