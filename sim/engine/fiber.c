// SPDX-License-Identifier: GPL-2.0-only
#include "sim/engine/fiber.h"

#include <stdint.h>
#include <string.h>

#include "sim/base/assert.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif

#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

/* The host's stack is only known once a fiber has been entered from it. */
static const void *host_bottom;
static size_t host_size;

static void before_switch(const struct fiber *to)
{
	if (to->stack)
		__sanitizer_start_switch_fiber(NULL, to->stack, to->size);
	else
		__sanitizer_start_switch_fiber(NULL, host_bottom, host_size);
}

static void after_switch(const struct fiber *now)
{
	const void *bottom;
	size_t size;

	(void)now;
	__sanitizer_finish_switch_fiber(NULL, &bottom, &size);
	if (!host_bottom) {
		host_bottom = bottom;
		host_size = size;
	}
}
#else
static inline void before_switch(const struct fiber *to)
{
	(void)to;
}

static inline void after_switch(const struct fiber *now)
{
	(void)now;
}
#endif

#ifdef SIM_FIBER_UCONTEXT

static void thunk(unsigned int low, unsigned int high)
{
	struct fiber *f = (struct fiber *)((uintptr_t)low | (uintptr_t)high << 32);

	after_switch(f);
	f->entry(f->arg);
	sim_assert(!"a fiber returned");
}

void fiber_init(struct fiber *f, char *stack, size_t size, void (*entry)(void *arg), void *arg)
{
	uintptr_t self = (uintptr_t)f;

	f->stack = stack;
	f->size = size;
	f->sp = stack;
	f->entry = entry;
	f->arg = arg;
	getcontext(&f->uc);
	f->uc.uc_stack.ss_sp = stack + 16; /* keep clear of the canary */
	f->uc.uc_stack.ss_size = size - 16;
	f->uc.uc_link = NULL;
	makecontext(&f->uc, (void (*)(void))thunk, 2, (unsigned int)self,
		    (unsigned int)(self >> 32));
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
	before_switch(to);
	swapcontext(&from->uc, &to->uc);
	after_switch(from);
}

char *fiber_live(const struct fiber *f)
{
	return f->stack;
}

#else /* by hand */

void fiber_swap_stacks(void **save_sp, void *load_sp);
void fiber_start(void);

#if defined(__x86_64__)
__asm__(".text\n"
	".globl fiber_swap_stacks\n.type fiber_swap_stacks,@function\n"
	"fiber_swap_stacks:\n"
	"	push %rbp\n	push %rbx\n	push %r12\n"
	"	push %r13\n	push %r14\n	push %r15\n"
	"	mov %rsp, (%rdi)\n"
	"	mov %rsi, %rsp\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n"
	"	pop %r12\n	pop %rbx\n	pop %rbp\n"
	"	ret\n"
	".size fiber_swap_stacks, .-fiber_swap_stacks\n"
	".globl fiber_start\n.type fiber_start,@function\n"
	"fiber_start:\n"
	"	mov %r12, %rdi\n"
	"	call *%r13\n"
	"	ud2\n"
	".size fiber_start, .-fiber_start\n");

enum { SAVED_WORDS = 7, SAVED_ARG = 3, SAVED_ENTRY = 2, SAVED_RETURN = 6 };
#elif defined(__aarch64__)
__asm__(".text\n"
	".globl fiber_swap_stacks\n.type fiber_swap_stacks,@function\n"
	"fiber_swap_stacks:\n"
	"	stp x29, x30, [sp, #-160]!\n"
	"	stp x19, x20, [sp, #16]\n	stp x21, x22, [sp, #32]\n"
	"	stp x23, x24, [sp, #48]\n	stp x25, x26, [sp, #64]\n"
	"	stp x27, x28, [sp, #80]\n	stp d8, d9, [sp, #96]\n"
	"	stp d10, d11, [sp, #112]\n	stp d12, d13, [sp, #128]\n"
	"	stp d14, d15, [sp, #144]\n"
	"	mov x2, sp\n	str x2, [x0]\n	mov sp, x1\n"
	"	ldp x19, x20, [sp, #16]\n	ldp x21, x22, [sp, #32]\n"
	"	ldp x23, x24, [sp, #48]\n	ldp x25, x26, [sp, #64]\n"
	"	ldp x27, x28, [sp, #80]\n	ldp d8, d9, [sp, #96]\n"
	"	ldp d10, d11, [sp, #112]\n	ldp d12, d13, [sp, #128]\n"
	"	ldp d14, d15, [sp, #144]\n"
	"	ldp x29, x30, [sp], #160\n"
	"	ret\n"
	".size fiber_swap_stacks, .-fiber_swap_stacks\n"
	".globl fiber_start\n.type fiber_start,@function\n"
	"fiber_start:\n"
	"	mov x0, x19\n"
	"	blr x20\n"
	"	brk #1\n"
	".size fiber_start, .-fiber_start\n");

enum { SAVED_WORDS = 20, SAVED_ARG = 2, SAVED_ENTRY = 3, SAVED_RETURN = 1 };
#endif

#ifdef WITH_ASAN
struct start {
	void (*entry)(void *arg);
	void *arg;
};

static void entered(void *arg)
{
	struct start *start = arg;

	after_switch(NULL);
	start->entry(start->arg);
}
#endif

void fiber_init(struct fiber *f, char *stack, size_t size, void (*entry)(void *arg), void *arg)
{
	uintptr_t top = ((uintptr_t)stack + size) & ~(uintptr_t)15;
	void **saved;

#ifdef WITH_ASAN
	struct start *start;

	/* What an earlier fiber left poisoned on this stack is no longer there. */
	__asan_unpoison_memory_region(stack, size);
	top -= 32;
	start = (struct start *)top;
	start->entry = entry;
	start->arg = arg;
	entry = entered;
	arg = start;
#endif
	/* Popping them leaves the stack pointer at top, aligned as before a call. */
	saved = (void **)top - SAVED_WORDS;
	memset(saved, 0, SAVED_WORDS * sizeof(*saved));
	saved[SAVED_ARG] = arg;
	memcpy(&saved[SAVED_ENTRY], &entry, sizeof(entry));
	saved[SAVED_RETURN] = (void *)(uintptr_t)fiber_start;
	f->sp = saved;
	f->stack = stack;
	f->size = size;
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
	before_switch(to);
	fiber_swap_stacks(&from->sp, to->sp);
	after_switch(from);
}

char *fiber_live(const struct fiber *f)
{
	return f->sp;
}

#endif
