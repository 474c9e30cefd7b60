/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_BASE_ARENA_H
#define SIM_BASE_ARENA_H

/*
 * Arena: all memory that a simulated run can change.
 *
 * One mapping at a fixed address holds two regions: a heap that grows upwards
 * and a region of fiber stacks.  Because the address is the same in every run
 * of a machine, a snapshot is a copy of the live bytes, pointers included.
 *
 * The allocator keeps a free list per size class and never merges blocks: its
 * state is a function of the calls made so far, and both calls are O(1).
 *
 * Invariant: nothing outside the arena points into it across arena_reset() or a
 * restore; nothing inside it points to memory that the host allocator owns.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA_NR_CLASSES 128

/* How big one fiber stack is.  Address space only: a page is real once touched. */
enum stack_class {
	STACK_SMALL, /* 4 KiB: C tasks by the hundred thousand, checked by canary */
	STACK_LARGE, /* 256 KiB: contexts that may run Lua, with a guard page */
	NR_STACK_CLASSES,
};

struct arena {
	char *base;	   /* first byte of the heap; the arena itself lives here */
	size_t top;	   /* heap bytes in use, counted from @base */
	size_t limit;	   /* heap bytes allowed before allocation fails */
	size_t live_bytes; /* bytes handed out and not freed */
	void *free_list[ARENA_NR_CLASSES];
	uint32_t stacks_used[NR_STACK_CLASSES]; /* stacks ever handed out */
	/* Given back; in the heap, since a snapshot keeps only the live part of stacks. */
	char **free_stacks[NR_STACK_CLASSES];
	uint32_t nr_free_stacks[NR_STACK_CLASSES], max_free_stacks[NR_STACK_CLASSES];
};

/**
 * arena_map() - map the process's arena, or return the one mapped before
 * @limit: heap bytes allowed, at most 64 GiB
 *
 * Return: the empty arena; NULL with errno set if the address is taken.
 */
struct arena *arena_map(size_t limit);

/** arena_reset() - forget everything in @a and start again with @limit bytes */
void arena_reset(struct arena *a, size_t limit);

/**
 * arena_put_back() - reset @a to what it was when its heap was copied to @heap, from the base
 * @bytes: its top then; it had handed out no stacks
 */
void arena_put_back(struct arena *a, const void *heap, size_t bytes);

/**
 * arena_alloc() - allocate zeroed memory, aligned to 16 bytes
 *
 * Return: the block; NULL when the limit would be passed.
 */
void *arena_alloc(struct arena *a, size_t size);

/** arena_free() - give back a block; @size is what was asked for */
void arena_free(struct arena *a, void *p, size_t size);

/** arena_realloc() - resize a block; fresh bytes are not zeroed, NULL at the limit */
void *arena_realloc(struct arena *a, void *p, size_t old_size, size_t new_size);

/**
 * arena_start_afresh() - forget the free blocks: what comes now lies side by side
 *
 * A snapshot has whole pages, so what changes should not lie scattered among what does not.
 */
void arena_start_afresh(struct arena *a);

/** arena_strdup() - copy a string into the arena; NULL at the limit */
char *arena_strdup(struct arena *a, const char *s);

size_t arena_stack_size(enum stack_class c);

/**
 * arena_stack_get() - take a stack
 *
 * Return: its lowest usable address, with a canary written there; NULL when all
 * stacks of the class are in use.
 */
char *arena_stack_get(struct arena *a, enum stack_class c);
/** arena_stack_put() - give it back; with the heap at its limit it is lost instead */
void arena_stack_put(struct arena *a, enum stack_class c, char *stack);

#define ARENA_CANARY UINT64_C(0x5ab51a5ab51a5ab5)

/** arena_stack_intact() - false once somebody wrote below the stack's last word */
static inline bool arena_stack_intact(const char *stack)
{
	return *(const uint64_t *)(const void *)stack == ARENA_CANARY;
}

/** arena_guard_hit() - does @addr lie in the guard page of a stack? */
bool arena_guard_hit(const void *addr);

#endif /* SIM_BASE_ARENA_H */
