/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_KERNEL_SMP_H
#define SIM_KERNEL_SMP_H

/*
 * Calls on other CPUs, by interprocessor interrupt.
 */

#include "sim/engine/world.h"

/**
 * smp_call_function_single() - run @func(@arg) on @cpu and wait until it returned
 *
 * Context: interrupts enabled.  On the caller's own CPU @func runs in place,
 * interrupts off; elsewhere in hard interrupt context, while the caller spins.
 */
void smp_call_function_single(struct task *t, struct cpu *cpu, const char *name,
			      void (*func)(struct task *t, void *arg), void *arg);

/** on_each_cpu_mask() - the same on every CPU of @mask (a bit each), at the same time */
void on_each_cpu_mask(struct task *t, uint64_t mask, const char *name,
		      void (*func)(struct task *t, void *arg), void *arg);

#endif /* SIM_KERNEL_SMP_H */
