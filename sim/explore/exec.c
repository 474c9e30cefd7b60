// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/exec.h"

#include <stdio.h>

#include "sim/base/hash.h"
#include "sim/check/ledger.h"

/* ---- names --------------------------------------------------------------------- */

uint64_t context_key(oid_t id)
{
	return hash_mix(1, id);
}

uint64_t process_key(const struct transition *tr)
{
	if (tr->kind == TRANSITION_STEP)
		return context_key(transition_context(tr)->id);
	return hash_mix(hash_mix(2 + tr->kind, tr->obj), fnv_string(tr->what));
}

void process_name(const struct transition *tr, char *buffer, size_t size)
{
	if (tr->kind == TRANSITION_STEP) {
		const struct task *t = transition_context(tr);

		if (t->ctx == CTX_SOFTIRQ || t->ctx == CTX_HARDIRQ)
			snprintf(buffer, size, "%s/%u", t->comm, t->cpu->nr);
		else
			snprintf(buffer, size, "%s", t->comm);
		return;
	}
	if (tr->kind == TRANSITION_TIMER)
		snprintf(buffer, size, "%s %s", container_of(tr, struct task, timer)->comm,
			 tr->what);
	else if (oid_kind(tr->obj) == OBJ_CPU)
		snprintf(buffer, size, "CPU%u %s", (unsigned int)oid_nr(tr->obj) - 1, tr->what);
	else if (tr->obj)
		snprintf(buffer, size, "%s %s", oid_str(tr->obj).s, tr->what);
	else
		snprintf(buffer, size, "%s", tr->what);
}

/* ---- running ------------------------------------------------------------------- */

static void note(struct exec *x, enum choice_kind kind, uint32_t pick, uint32_t n, uint64_t who)
{
	struct choice c = {.who = who, .pick = pick, .n = n, .kind = (uint8_t)kind};

	g_array_append_val(x->choices, c);
}

static uint32_t choose(struct chooser *c, struct world *w, enum choice_kind kind, uint32_t n)
{
	struct exec *x = container_of(c, struct exec, chooser);
	uint32_t pick = x->inner(x, kind, n);

	(void)w;
	note(x, kind, pick, n, 0);
	return pick;
}

struct exec *exec_new(struct subject *s)
{
	struct exec *x = g_new0(struct exec, 1);

	x->s = s;
	x->choices = g_array_new(FALSE, FALSE, sizeof(struct choice));
	x->chooser.choose = choose;
	x->log.touches = x->touches;
	x->log.max = TOUCHES_MAX;
	return x;
}

void exec_free(struct exec *x)
{
	g_array_unref(x->choices);
	g_free(x);
}

void exec_restart(struct exec *x)
{
	x->s->restart(x->s, &x->chooser, &x->log);
	x->nr_before = x->s->checks->nr_violations;
	exec_rewind_to(x, 0, 0);
}

void exec_rewind_to(struct exec *x, uint32_t nr_choices, uint32_t nr_steps)
{
	array_cut(x->choices, nr_choices);
	x->nr_steps = nr_steps;
}

/* Two of a kind, such as two interrupts to one CPU, are told apart by their order. */
static uint64_t unique_key(const struct exec *x, uint32_t n, uint64_t first)
{
	uint64_t key = first, ordinal = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (x->enabled[i].key == key) {
			key = hash_mix(first, ++ordinal);
			i = 0;
		}
	}
	return key;
}

bool exec_look(struct exec *x)
{
	struct world *w = x->s->w;
	uint32_t n = world_enabled(w);

	x->too_many = n > ENABLED_MAX;
	x->nr_enabled = x->too_many ? ENABLED_MAX : n;
	for (uint32_t i = 0; i < x->nr_enabled; i++) {
		x->enabled[i].tr = w->enabled[i];
		x->enabled[i].key = unique_key(x, i, process_key(w->enabled[i]));
	}
	return n > 0;
}

bool exec_step(struct exec *x, uint32_t i)
{
	struct transition *tr = x->enabled[i].tr;

	note(x, CHOOSE_STEP, i, x->nr_enabled, x->enabled[i].key);
	x->nr_steps++;
	x->log.nr = 0;
	x->log.overflow = false;
	return x->s->step(x->s, tr);
}

void exec_recall(struct exec *x, uint32_t i, uint32_t n, uint64_t key)
{
	note(x, CHOOSE_STEP, i, n, key);
	x->nr_steps++;
}

int exec_find(const struct exec *x, uint64_t key)
{
	for (uint32_t i = 0; i < x->nr_enabled; i++) {
		if (x->enabled[i].key == key)
			return (int)i;
	}
	return -1;
}
