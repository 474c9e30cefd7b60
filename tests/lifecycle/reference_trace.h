/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_LIFECYCLE_REFERENCE_TRACE_H
#define TESTS_LIFECYCLE_REFERENCE_TRACE_H

/*
 * Reference traces: what has to happen in a scenario, step by step, as a table that
 * can be read without the code.
 *
 * A table is a text file in tests/lifecycle/traces.  Its first lines say what to run:
 *
 *     scenario scenarios/lifecycle/z1.lua
 *     lifecycle v5.3
 *     variant -dying-on-alias          (any number of them)
 *     set shrink=true                  (parameters of the scenario, likewise)
 *
 * It holds for each lifecycle if there are several in that line.  Where virtual time does not
 * lead there, lines that begin with > are a race table (docs/race-tables.md) that the run follows.
 *
 * Then come chains.  The steps of a chain happen in the order in which they stand
 * there, other events may come between, and the first one after those steps that the
 * chain's heading names; nothing is said about the order of two chains otherwise.
 *
 *     [offline] after kill.9
 *     offline.1 | work_start | $work | kworker | func=css_killed_work_fn | | queue_work kill.8
 *
 * The columns: the step's name; the event; its object; who does it; arguments; functions
 * that it happens in, outermost first; what led to it asynchronously.  Empty columns say
 * nothing, and those at the end can be left out.
 *
 *     ref_zero!              the only such event of this object in the whole run
 *     no drain_stock         nothing that fits happens between the step before and the one after
 *     $M                     an object or a number: the first step that names it says which one
 *     task t, kworker, ...   a task by its name, or kworker, softirq, hardirq, env
 *     queue_work kill.8      the event's cause is the event of that step, and how; or only how
 */

#include <glib.h>

#include "lua/scenario.h"

/* A record with copies of what is valid during the call only. */
struct seen {
	struct trace_record r;
	char *str;
	char **stack; /* innermost first, NULL-terminated */
	const char *comm;
};

struct seen_trace {
	struct run_sink sink;
	GPtrArray *seen;   /* struct seen */
	GHashTable *comms; /* task number -> name */
};

struct reference {
	char *name;
	char *scenario;
	GStrv lifecycles;
	GString *ordering;	    /* NULL: by virtual time */
	GPtrArray *variants, *sets; /* NULL-terminated */
	GPtrArray *chains;	    /* struct chain */
};

struct chain {
	char *name;
	GPtrArray *after; /* names of steps */
	GPtrArray *steps; /* struct step */
};

enum {
	COLUMN_NAME,
	COLUMN_EVENT,
	COLUMN_OBJECT,
	COLUMN_WHO,
	COLUMN_ARGS,
	COLUMN_INSIDE,
	COLUMN_CAUSE,
	NR_COLUMNS
};

struct step {
	char *column[NR_COLUMNS]; /* as written, without blanks around; "" when left out */
	int kind;		  /* enum trace_kind */
	bool never, once;
	int line;
};

/** reference_parse() - NULL with @error set, which says the line, when @text is no such table */
struct reference *reference_parse(const char *name, const char *text, GError **error);
struct reference *reference_load(const char *path, GError **error);
void reference_free(struct reference *ref);

/**
 * reference_check() - does @trace have every step of @ref?
 *
 * Return: NULL, or what is wrong, beginning with the name of the step; the caller frees it.
 */
char *reference_check(const struct reference *ref, const struct seen_trace *trace);

struct seen_trace *seen_trace_new(void);
void seen_trace_free(struct seen_trace *trace);

typedef struct reference reference;
typedef struct seen_trace seen_trace;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(reference, reference_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(seen_trace, seen_trace_free)

#endif /* TESTS_LIFECYCLE_REFERENCE_TRACE_H */
