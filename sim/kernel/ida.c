// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kernel/ida.h"

#include <errno.h>
#include <string.h>

void idr_init(struct world *w, struct idr *idr, uint32_t min, uint32_t max)
{
	memset(idr, 0, sizeof(*idr));
	idr->w = w;
	idr->min = min;
	idr->max = max;
}

static void grow(struct idr *idr)
{
	uint32_t size = idr->size ? idr->size * 2 : 16;
	uint8_t *used = world_alloc(idr->w, size);
	void **entry = world_alloc(idr->w, size * sizeof(*entry));

	if (idr->size) {
		memcpy(used, idr->used, idr->size);
		memcpy(entry, idr->entry, idr->size * sizeof(*entry));
		world_free(idr->w, idr->used, idr->size);
		world_free(idr->w, idr->entry, idr->size * sizeof(*entry));
	}
	idr->used = used;
	idr->entry = entry;
	idr->size = size;
}

int idr_alloc(struct idr *idr, void *ptr)
{
	uint32_t i = idr->hint;

	while (i < idr->size && idr->used[i])
		i++;
	if (idr->min + i > idr->max)
		return -ENOSPC;
	if (i == idr->size)
		grow(idr);
	idr->used[i] = 1;
	idr->entry[i] = ptr;
	idr->hint = i + 1;
	return (int)(idr->min + i);
}

static uint32_t slot(const struct idr *idr, int id)
{
	uint32_t i = (uint32_t)id - idr->min;

	sim_assert(i < idr->size && idr->used[i]);
	return i;
}

void *idr_find(const struct idr *idr, int id)
{
	uint32_t i = (uint32_t)id - idr->min;

	return i < idr->size && idr->used[i] ? idr->entry[i] : NULL;
}

void idr_replace(struct idr *idr, int id, void *ptr)
{
	idr->entry[slot(idr, id)] = ptr;
}

void idr_remove(struct idr *idr, int id)
{
	uint32_t i = slot(idr, id);

	idr->used[i] = 0;
	idr->entry[i] = NULL;
	if (i < idr->hint)
		idr->hint = i;
}
