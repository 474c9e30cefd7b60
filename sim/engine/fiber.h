/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_ENGINE_FIBER_H
#define SIM_ENGINE_FIBER_H

/*
 * Fibers: stackful contexts, switched by hand.
 *
 * x86-64 and aarch64 save the callee-saved registers on the stack that is left;
 * -DSIM_FIBER_UCONTEXT takes the C library's ucontext instead, which other
 * machines use as well.  Floating-point control words are not switched: nothing
 * in a world changes them.
 */

#include <stddef.h>

#if !defined(SIM_FIBER_UCONTEXT) && !defined(__x86_64__) && !defined(__aarch64__)
#define SIM_FIBER_UCONTEXT 1
#endif

#ifdef SIM_FIBER_UCONTEXT
#include <ucontext.h>
#endif

struct fiber {
	void *sp;    /* saved stack pointer; meaningless while the fiber runs */
	char *stack; /* lowest usable byte; NULL for the host's own stack */
	size_t size; /* bytes from @stack on */
#ifdef SIM_FIBER_UCONTEXT
	ucontext_t uc;
	void (*entry)(void *arg);
	void *arg;
#endif
};

/**
 * fiber_init() - make @f start in @entry at its first switch
 * @entry: never returns
 */
void fiber_init(struct fiber *f, char *stack, size_t size, void (*entry)(void *arg), void *arg);

/** fiber_switch() - leave @from, which is running, and continue @to */
void fiber_switch(struct fiber *from, struct fiber *to);

/** fiber_live() - first byte of @f's stack that matters while it is switched out */
char *fiber_live(const struct fiber *f);

/** fiber_prefetch() - @f is about to be switched to: fetch the end of its stack meanwhile */
static inline void fiber_prefetch(const struct fiber *f)
{
	const char *sp = f->sp;

	/* More than these come as fast by themselves, while the first are being used. */
	for (int line = 0; line < 4; line++)
		__builtin_prefetch(sp + line * 64);
}

#endif /* SIM_ENGINE_FIBER_H */
