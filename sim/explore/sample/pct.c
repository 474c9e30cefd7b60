// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/sample/pct.h"

#include <stddef.h>

/* Which depths have their turn in runs of that many steps and more. */
static const struct {
	uint32_t depth, min_steps;
} depths_in_turn[] = {{1, 0}, {2, 0}, {3, 0}, {4, 0}, {8, 256}, {16, 512}};

#define NR_DEPTHS (sizeof(depths_in_turn) / sizeof(depths_in_turn[0]))

uint32_t pct_depth(uint64_t nr, uint64_t mean_steps)
{
	uint32_t n = 0;

	while (n < NR_DEPTHS && mean_steps >= depths_in_turn[n].min_steps)
		n++;
	return depths_in_turn[nr % n].depth;
}

static void find_next_change(struct pct *p)
{
	p->next_change = UINT32_MAX;
	for (uint32_t i = 0; i < p->nr_changes; i++) {
		if (p->change_at[i] && p->change_at[i] < p->next_change)
			p->next_change = p->change_at[i];
	}
}

void pct_begin(struct pct *p, struct rng *rng, uint32_t depth, uint64_t mean_steps)
{
	p->nr_processes = 0;
	p->nr_changes = (depth < PCT_DEPTH_MAX ? depth : PCT_DEPTH_MAX) - 1;
	p->lowest = PCT_DEPTH_MAX - 1;
	for (uint32_t i = 0; i < p->nr_changes; i++)
		p->change_at[i] = 1 + (uint32_t)rng_below(rng, mean_steps);
	find_next_change(p);
}

uint32_t pct_process(struct pct *p, struct rng *rng, uint64_t key)
{
	for (uint32_t i = 0; i < p->nr_processes; i++) {
		if (p->keys[i] == key)
			return i;
	}
	if (p->nr_processes == PCT_PROCESSES_MAX)
		return PCT_PROCESSES_MAX - 1;
	p->keys[p->nr_processes] = key;
	/* Above those that have fallen. */
	p->priority[p->nr_processes] = PCT_DEPTH_MAX + (rng_next(rng) >> 8);
	return p->nr_processes++;
}

bool pct_change(struct pct *p, uint32_t step, uint32_t process)
{
	uint32_t i = 0;

	if (step < p->next_change)
		return false;
	while (i < p->nr_changes && p->change_at[i] != step)
		i++;
	if (i == p->nr_changes)
		return false;
	p->change_at[i] = 0;
	p->priority[process] = p->lowest--;
	find_next_change(p);
	return true;
}
