/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CHECK_LEDGER_H
#define SIM_CHECK_LEDGER_H

/*
 * What several checkers need to keep a ledger and to word a violation.
 */

#include "sim/base/assert.h"
#include "sim/check/checker.h"

/* An object as text: "cache:5", "-" for none.  By value, so that it nests in a call. */
struct oid_text {
	char s[40];
};

/* A text that is put together piece by piece and cut where it is full. */
struct text {
	char s[VIOLATION_TEXT];
	size_t len;
};

/** oid_str() - @id as it prints everywhere; use as oid_str(id).s in an argument list */
struct oid_text oid_str(oid_t id);

/** text_add() - append to @text, which starts out zeroed */
void text_add(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** text_digest() - 64-bit digest of a string, NULL included: the same on every machine */
uint64_t text_digest(const char *s);

/**
 * ledger_entry() - the entry of (@a, @b) in a ledger, zeroed if it is new
 * @m: values of at most LEDGER_ENTRY_MAX bytes
 *
 * Return: the entry, never NULL.  When the arena is full the set is marked
 * exhausted, which silences every checker, and a scratch entry is returned.
 */
void *ledger_entry(struct checker *c, struct map *m, uint64_t a, uint64_t b);

/** ledger_add() - ledger_number() for a number that may be new; call that */
void *ledger_add(struct checker *c, struct table *t, uint64_t nr);

/** ledger_number() - the entry of @nr in @t, as ledger_entry() */
static inline void *ledger_number(struct checker *c, struct table *t, uint64_t nr)
{
	void *entry = table_find(t, nr);

	return entry ? entry : ledger_add(c, t, nr);
}

/* Entries by object: numbers count per kind, so a table for each kind. */
struct objects {
	struct table of_kind[NR_OBJECT_KINDS];
};

/** objects_init() - make @m empty, for entries of @size bytes */
void objects_init(struct objects *m, struct arena *a, size_t size);

/** objects_find() - the entry of @id, or NULL */
static inline void *objects_find(const struct objects *m, oid_t id)
{
	sim_assert(oid_kind(id) < NR_OBJECT_KINDS);
	return table_find(&m->of_kind[oid_kind(id)], oid_nr(id));
}

/** ledger_object() - the entry of @id in @m, as ledger_entry() */
static inline void *ledger_object(struct checker *c, struct objects *m, oid_t id)
{
	sim_assert(oid_kind(id) < NR_OBJECT_KINDS);
	return ledger_number(c, &m->of_kind[oid_kind(id)], oid_nr(id));
}

/** ledger_alloc() - zeroed memory of at most LEDGER_ENTRY_MAX bytes, never NULL either */
void *ledger_alloc(struct checker *c, size_t size);

/** ledger_free() - give back what ledger_alloc() gave */
void ledger_free(struct checker *c, void *p, size_t size);

/** task_oid() - the object of the context that @r comes from */
static inline oid_t task_oid(const struct trace_record *r)
{
	return r->task ? oid_make(OBJ_TASK, r->task) : 0;
}

/** arg_oid() - argument @i of @r, an object */
static inline oid_t arg_oid(const struct trace_record *r, int i)
{
	return (oid_t)r->arg[i];
}

#endif /* SIM_CHECK_LEDGER_H */
