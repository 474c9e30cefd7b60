// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/parallel/again.h"

static const struct choice *next_choice(const struct again *a)
{
	guint at = a->x->choices->len;

	return at < a->choices->len ? &g_array_index(a->choices, struct choice, at) : NULL;
}

static uint32_t inner_again(struct exec *x, enum choice_kind kind, uint32_t n)
{
	struct again *a = x->strategy;
	const struct choice *c = next_choice(a);

	if (!c)
		return 0;
	if (c->kind == kind && c->n == n && c->pick < n)
		return c->pick;
	a->lost = true;
	return 0;
}

void again_begin(struct again *a, struct exec *x, const GArray *choices)
{
	*a = (struct again){.x = x, .choices = choices};
	x->inner = inner_again;
	x->strategy = a;
	exec_restart(x);
}

bool again_step(struct again *a)
{
	struct exec *x = a->x;
	const struct choice *c = next_choice(a);

	if (!c || a->stopped || !exec_look(x) || c->kind != CHOOSE_STEP || c->n != x->nr_enabled ||
	    c->pick >= c->n || c->who != x->enabled[c->pick].key)
		return false;
	a->stopped = !exec_step(x, c->pick);
	return !a->lost;
}
