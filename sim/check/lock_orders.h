/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CHECK_LOCK_ORDERS_H
#define SIM_CHECK_LOCK_ORDERS_H

/*
 * In which orders locks were asked for: what the checker of locks remembers of a run beyond
 * the state that it has led to.
 */

#include "sim/check/checker.h"

/**
 * lock_orders() - call @fn for each pair of classes in which a lock of the first was held
 * while one of the second was asked for
 *
 * Classes are told by digests of their names.  Without the checker there are none.
 */
void lock_orders(const struct checkset *set, void *arg,
		 void (*fn)(void *arg, uint64_t first, uint64_t then));

#endif /* SIM_CHECK_LOCK_ORDERS_H */
