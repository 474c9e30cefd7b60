/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_RACE_WORDS_H
#define REPORTS_RACE_WORDS_H

/*
 * What a race table says: calls with letters for objects, remarks, and sentences.
 * All strings are the caller's.
 */

#include "reports/race_slice.h"

/* An object that has a letter, in the order in which they were given. */
struct lettered {
	oid_t obj;
	char letter[4];
};

struct words {
	const struct slice *s;
	bool in_full;	    /* names, no letters */
	GArray *letters;    /* struct lettered */
	GHashTable *roots;  /* of caches: cache -> root, none for a root */
	GHashTable *memcgs; /* of caches: cache -> memcg at creation */
};

void words_init(struct words *w, const struct slice *s);
void words_clear(struct words *w);

/** words_call() - "func(C)", or "func()" without an object */
char *words_call(struct words *w, const char *func, oid_t obj);

/** words_is_boring() - is @func on the stack of everything of its kind? */
bool words_is_boring(const char *func);

/** words_has_verb() - is @r a call of its own, such as call_rcu(C), not what its function does? */
bool words_has_verb(const struct trace_record *r);
char *words_verb(struct words *w, const struct trace_record *r);

/** words_is_verb() - is @func the function that the verb of @r names? */
bool words_is_verb(struct words *w, const struct trace_record *r, const char *func);

/** words_remark() - "// C is freed": @r, when the row of its function stands there already */
char *words_remark(struct words *w, const struct trace_record *r);

/** words_comment() - why the pick @p matters, NULL if its row says it all */
char *words_comment(struct words *w, const struct slice *s, const struct pick *p);

/** words_context() - "rmmod", "kworker", "softirq"; borrowed */
const char *words_context(const struct trace_file *tf, const struct trace_record *r);

/** words_caption() - "USE-AFTER-FREE" */
char *words_caption(const struct trace_violation *v);

/** words_legend() - which objects the letters stand for; NULL if none was given */
char *words_legend(const struct words *w);

/** words_order() - which ordering is missing, as far as the trace tells */
char *words_order(struct words *w, const struct slice *s);

#endif /* REPORTS_RACE_WORDS_H */
