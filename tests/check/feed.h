/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_CHECK_FEED_H
#define TESTS_CHECK_FEED_H

/*
 * Feeds hand-written records to one checker, all others being off.
 */

#include <check.h>
#include <string.h>

#include "sim/check/ledger.h"

static struct checkset *set;
static uint64_t feed_seq;

static inline struct trace_record feed_last(void)
{
	return (struct trace_record){.seq = feed_seq + 1, .kind = TR_RUN_QUIET};
}

/* A fresh set with only @name on. */
static inline void feed_begin(const char *name)
{
	const char *off[16] = {NULL};
	struct arena *a = arena_map((size_t)64 << 20);
	size_t n = 0;

	ck_assert_ptr_nonnull(a);
	for (const struct checker_ops *const *ops = all_checkers; *ops; ops++) {
		if (strcmp((*ops)->name, name) != 0)
			off[n++] = (*ops)->name;
	}
	set = checkset_new(a, off);
	ck_assert_ptr_nonnull(set);
	ck_assert_uint_eq(set->nr_checkers, 1);
	feed_seq = 0;
}

/* Returns the record's seq. */
static inline uint64_t feed(enum trace_kind kind, struct trace_record r)
{
	r.seq = ++feed_seq;
	r.kind = (uint16_t)kind;
	if (r.task && r.ctx == CTX_NONE)
		r.ctx = CTX_TASK;
	checkset_record(set, &r);
	return r.seq;
}

/* REC(REF_PUT, .obj = CACHE(1), .arg = {1, HOLD_ALLOC}): one record. */
#define REC(kind, ...) feed(TR_##kind, (struct trace_record){__VA_ARGS__})

#define TASK(n) oid_make(OBJ_TASK, n)
#define LOCK(n) oid_make(OBJ_LOCK, n)
#define RCU(n) oid_make(OBJ_RCU, n)
#define WQ(n) oid_make(OBJ_WQ, n)
#define WORK(n) oid_make(OBJ_WORK, n)
#define MEMCG(n) oid_make(OBJ_MEMCG, n)
#define CACHE(n) oid_make(OBJ_CACHE, n)
#define SLAB(n) oid_make(OBJ_SLAB, n)
#define OBJECT(n) oid_make(OBJ_OBJ, n)
#define CPU(n) oid_make(OBJ_CPU, n)
#define O(id) (int64_t)(id)

static inline void feed_end(void)
{
	struct trace_record last = feed_last();

	checkset_end(set, &last);
}

static inline void expect_clean(void)
{
	ck_assert_msg(set->nr_violations == 0, "%s: %s",
		      set->nr_violations ? set->violations[0].ops->name : "",
		      set->nr_violations ? set->violations[0].text : "");
}

/* The @n-th violation (from 0) is @name's, about @obj, and its text contains @text. */
static inline const struct violation *expect(uint32_t n, const char *name, oid_t obj,
					     const char *text)
{
	const struct violation *v = &set->violations[n];

	ck_assert_uint_gt(set->nr_violations, n);
	ck_assert_str_eq(v->ops->name, name);
	ck_assert_msg(strstr(v->text, text) != NULL, "'%s' is not in '%s'", text, v->text);
	ck_assert_msg(v->obj == obj, "%s, not %s: %s", oid_str(v->obj).s, oid_str(obj).s, v->text);
	return v;
}

/* The same, and it is the only one. */
static inline const struct violation *expect_only(const char *name, oid_t obj, const char *text)
{
	const struct violation *v = expect(0, name, obj, text);

	ck_assert_msg(set->nr_violations == 1, "one more: %s", set->violations[1].text);
	return v;
}

#endif /* TESTS_CHECK_FEED_H */
