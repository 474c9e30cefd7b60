/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CHECK_LEDGER_H
#define SIM_CHECK_LEDGER_H

/*
 * What several checkers need to keep a ledger and to word a violation.
 */

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

/**
 * holder_key() - @counter and @holder in one word, for maps that need the other for an owner
 *
 * Object numbers stay far below 2^48.
 */
static inline uint64_t holder_key(oid_t counter, enum holder holder)
{
	return counter ^ (uint64_t)holder << 48;
}

#endif /* SIM_CHECK_LEDGER_H */
