/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_KERNEL_IDA_H
#define SIM_KERNEL_IDA_H

/*
 * IDA and IDR: the lowest free number, with a pointer behind it.
 *
 * Callers hold the lock that upstream uses; neither call is a scheduling point.
 */

#include "sim/engine/world.h"

struct idr {
	struct world *w;
	uint32_t min, max; /* inclusive */
	uint32_t size;	   /* entries allocated */
	uint32_t hint;	   /* no number below it is free */
	uint8_t *used;
	void **entry;
};

void idr_init(struct world *w, struct idr *idr, uint32_t min, uint32_t max);

/** idr_alloc() - the lowest free number, or -ENOSPC; @ptr may be NULL and be set later */
int idr_alloc(struct idr *idr, void *ptr);
void *idr_find(const struct idr *idr, int id);
void idr_replace(struct idr *idr, int id, void *ptr);
void idr_remove(struct idr *idr, int id);

#endif /* SIM_KERNEL_IDA_H */
