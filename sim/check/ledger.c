// SPDX-License-Identifier: GPL-2.0-only
#include "sim/check/ledger.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/assert.h"
#include "sim/base/hash.h"

struct oid_text oid_str(oid_t id)
{
	struct oid_text text;

	if (!id || oid_kind(id) >= NR_OBJECT_KINDS)
		snprintf(text.s, sizeof(text.s), "-");
	else
		snprintf(text.s, sizeof(text.s), "%.12s:%" PRIu64, object_kind_name(oid_kind(id)),
			 oid_nr(id));
	return text;
}

void text_add(struct text *text, const char *fmt, ...)
{
	size_t room = sizeof(text->s) - text->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text->s + text->len, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		text->len += (size_t)n < room ? (size_t)n : room - 1;
}

uint64_t text_digest(const char *s)
{
	return fnv_string(s ? s : "");
}

static void *exhausted(struct checker *c)
{
	c->set->exhausted = true;
	return memset(c->set->sink, 0, sizeof(c->set->sink));
}

void *ledger_entry(struct checker *c, struct map *m, uint64_t a, uint64_t b)
{
	void *entry = map_add(m, a, b);

	return entry ? entry : exhausted(c);
}

void *ledger_add(struct checker *c, struct table *t, uint64_t nr)
{
	void *entry = table_add(t, nr);

	sim_assert(t->stride <= LEDGER_ENTRY_MAX);
	return entry ? entry : exhausted(c);
}

void objects_init(struct objects *m, struct arena *a, size_t size)
{
	for (int kind = 0; kind < NR_OBJECT_KINDS; kind++)
		table_init(&m->of_kind[kind], a, size);
}

void *ledger_alloc(struct checker *c, size_t size)
{
	void *p;

	sim_assert(size <= LEDGER_ENTRY_MAX);
	p = arena_alloc(c->set->arena, size);
	return p ? p : exhausted(c);
}

void ledger_free(struct checker *c, void *p, size_t size)
{
	if (p != c->set->sink)
		arena_free(c->set->arena, p, size);
}
