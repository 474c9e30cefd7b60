// SPDX-License-Identifier: GPL-2.0-only
#include "sim/check/checker.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/assert.h"
#include "sim/check/ledger.h"

#define NOBODY 0xff

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

static void subscribe(struct checkset *set, uint8_t index, const uint16_t *kinds)
{
	for (; *kinds != NR_TRACE_KINDS; kinds++) {
		uint8_t *who = set->by_kind + *kinds * (set->nr_checkers + 1);

		while (*who != NOBODY && *who != index)
			who++;
		*who = index;
	}
}

static bool add_checkers(struct checkset *set, const char *const *off)
{
	uint8_t index = 0;

	for (const struct checker_ops *const *ops = all_checkers; *ops; ops++) {
		struct checker *c = &set->checkers[index];

		if (is_off((*ops)->name, off))
			continue;
		c->ops = *ops;
		c->set = set;
		c->ledger = arena_alloc(set->arena, (*ops)->ledger_size);
		if (!c->ledger)
			return false;
		subscribe(set, index++, (*ops)->kinds);
	}
	return true;
}

struct checkset *checkset_new(struct arena *a, const char *const *off)
{
	struct checkset *set = arena_alloc(a, sizeof(*set));
	size_t table;

	if (!set)
		return NULL;
	set->arena = a;
	map_init(&set->seen, a, 0);
	for (const struct checker_ops *const *ops = all_checkers; *ops; ops++)
		set->nr_checkers += !is_off((*ops)->name, off);
	sim_assert(set->nr_checkers < NOBODY);

	table = (size_t)NR_TRACE_KINDS * (set->nr_checkers + 1);
	set->checkers = arena_alloc(a, set->nr_checkers * sizeof(*set->checkers));
	set->by_kind = arena_alloc(a, table);
	if (!set->checkers || !set->by_kind)
		return NULL;
	memset(set->by_kind, NOBODY, table);
	return add_checkers(set, off) ? set : NULL;
}

void checkset_record(struct checkset *set, const struct trace_record *r)
{
	const uint8_t *who = set->by_kind + r->kind * (set->nr_checkers + 1);

	for (; *who != NOBODY && !set->exhausted; who++) {
		struct checker *c = &set->checkers[*who];

		c->ops->on_record(c, r);
	}
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
	if (set->exhausted || said_before(c, obj, v->text))
		return v;

	if (set->nr_violations < VIOLATION_MAX) {
		struct violation *kept = &set->violations[set->nr_violations];

		*kept = *v;
		v = kept;
	}
	set->nr_violations++;
	v->ops = c->ops;
	v->seq = r->seq;
	v->t = r->t;
	v->obj = obj;
	return v;
}
