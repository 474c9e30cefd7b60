// SPDX-License-Identifier: GPL-2.0-only
#include "sim/check/checker.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/check/ledger.h"

const struct checker_ops *const all_checkers[] = {
#define CHECKER(id) &check_##id,
#include "sim/check/checkers.def"
#undef CHECKER
	NULL,
};

static bool is_off(const char *name, const char *const *off)
{
	for (; off && *off; off++) {
		if (strcmp(*off, name) == 0)
			return true;
	}
	return false;
}

static bool add_checkers(struct checkset *set, const char *const *off)
{
	struct checker *c = set->checkers;

	for (const struct checker_ops *const *ops = all_checkers; *ops; ops++) {
		if (is_off((*ops)->name, off))
			continue;
		c->ops = *ops;
		c->set = set;
		c->ledger = arena_alloc(set->arena, (*ops)->ledger_size);
		if (!c->ledger)
			return false;
		if (c->ops->init)
			c->ops->init(c);
		c++;
	}
	return true;
}

/* Turns the lists of kinds that checkers want into lists of checkers that want a kind. */
static bool subscribe(struct checkset *set)
{
	uint32_t nr[NR_TRACE_KINDS] = {0}, n = 0;

	for (uint32_t i = 0; i < set->nr_checkers; i++) {
		for (const struct record_handler *h = set->checkers[i].ops->handlers; h->handle;
		     h++) {
			nr[h->kind]++;
			n++;
		}
	}
	set->by_kind[0] = arena_alloc(set->arena, n * sizeof(*set->by_kind[0]));
	if (!set->by_kind[0])
		return false;
	for (int k = 0; k < NR_TRACE_KINDS; k++) {
		set->by_kind[k + 1] = set->by_kind[k] + nr[k];
		nr[k] = 0;
	}
	for (uint32_t i = 0; i < set->nr_checkers; i++) {
		struct checker *c = &set->checkers[i];

		for (const struct record_handler *h = c->ops->handlers; h->handle; h++)
			set->by_kind[h->kind][nr[h->kind]++] = (struct subscriber){h->handle, c};
	}
	return true;
}

struct checkset *checkset_new(struct arena *a, const char *const *off)
{
	struct checkset *set = arena_alloc(a, sizeof(*set));

	if (!set)
		return NULL;
	set->arena = a;
	map_init(&set->seen, a, 0);
	for (const struct checker_ops *const *ops = all_checkers; *ops; ops++)
		set->nr_checkers += !is_off((*ops)->name, off);
	set->checkers = arena_alloc(a, set->nr_checkers * sizeof(*set->checkers));
	return set->checkers && add_checkers(set, off) && subscribe(set) ? set : NULL;
}

void checkset_record(struct checkset *set, const struct trace_record *r)
{
	const struct subscriber *who = set->by_kind[r->kind], *end = set->by_kind[r->kind + 1];

	if (set->exhausted)
		return;
	for (; who < end; who++)
		who->handle(who->checker, r);
}

void checkset_end(struct checkset *set, const struct trace_record *last)
{
	for (uint32_t i = 0; i < set->nr_checkers && !set->exhausted; i++) {
		struct checker *c = &set->checkers[i];

		if (c->ops->on_end)
			c->ops->on_end(c, last);
	}
}

/* Has this checker said this of @obj before?  Remembers that it has now. */
static bool said_before(struct checker *c, oid_t obj, const char *text)
{
	char start[VIOLATION_SAME + 1];
	struct map *seen = &c->set->seen;
	uint32_t nr = seen->nr_live;
	uint64_t digest;

	snprintf(start, sizeof(start), "%.*s", VIOLATION_SAME, text);
	digest = text_digest(start) + (uint64_t)(c - c->set->checkers);
	ledger_entry(c, seen, obj, digest);
	return seen->nr_live == nr;
}

/* Keeps what is in @set->spare, if there is room; returns where it is now. */
static struct violation *keep(struct checkset *set)
{
	struct violation *v = &set->spare;

	if (set->nr_violations < VIOLATION_MAX) {
		v = &set->violations[set->nr_violations];
		*v = set->spare;
	}
	set->nr_violations++;
	return v;
}

/* Room for the first of them, too large for ledger_alloc(). */
static bool has_room(struct checkset *set)
{
	if (!set->violations)
		set->violations = arena_alloc(set->arena, VIOLATION_MAX * sizeof(struct violation));
	if (!set->violations)
		set->exhausted = true;
	return !set->exhausted;
}

struct violation *checker_violation(struct checker *c, const struct trace_record *r, oid_t obj,
				    const char *fmt, ...)
{
	struct checkset *set = c->set;
	struct violation *v = &set->spare;
	va_list ap;

	memset(v, 0, sizeof(*v));
	va_start(ap, fmt);
	vsnprintf(v->text, sizeof(v->text), fmt, ap);
	va_end(ap);
	if (set->exhausted || !has_room(set) || said_before(c, obj, v->text))
		return v;

	v = keep(set);
	v->ops = c->ops;
	v->seq = r->seq;
	v->t = r->t;
	v->obj = obj;
	return v;
}
