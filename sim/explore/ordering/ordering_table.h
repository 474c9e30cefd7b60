/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_ORDERING_ORDERING_TABLE_H
#define SIM_EXPLORE_ORDERING_ORDERING_TABLE_H

/*
 * Inside of orderings: the table as it was read, and how far a run has followed it.
 */

#include "sim/explore/ordering/ordering.h"

#define NAME_MAX_BYTES 80
#define FRAMES_MAX 48
#define BINDINGS_MAX 32
#define WATCHES_MAX 128

/* What stands on top of a CPU's column: "<softirq>", and rows further in below it. */
enum bracket { BRACKET_NONE, BRACKET_SOFTIRQ, BRACKET_IRQ };

struct ordering_row {
	char *text;	  /* as written */
	char *name, *arg; /* arg is "" for none */
	char *member;	  /* the last word of "&x->member"; "" for none */
	uint32_t line;
	int column;
	enum bracket bracket;
	bool past;     /* it happened in the set-up */
	bool fault;    /* an allocation fails; name is where, "" for anywhere */
	uint32_t skip; /* so many calls are not the one that is meant: they were about others */
};

struct ordering_column {
	char *label;   /* "CPU0" */
	GStrv names;   /* of contexts, as written; may be empty */
	int start;     /* of the header, 0 for the first character */
	int cpu;       /* -1 if the label is no CPU */
	bool brackets; /* softirqs and interrupts stand in brackets: other rows are not theirs */
};

/* How strictly columns and arguments are taken. */
enum strictness {
	STRICT_CPU,  /* kworkers and softirqs belong to the CPU of the header */
	STRICT_NAME, /* the names in the header are those of contexts */
	STRICT_WORK, /* as before, but who works for a task may do rows of its column */
	STRICT_NONE, /* as before, and arguments say nothing */
};

struct binding {
	char arg[NAME_MAX_BYTES];
	oid_t obj;
	uint32_t row; /* that said so first */
};

/* A call that a row stands for, whom it is about not being known yet. */
struct watch {
	uint32_t row, task;
	const struct frame *frame;
};

/* What is copied before a step and put back if the step came too early. */
struct progress {
	uint32_t next; /* row */
	uint32_t nr_bindings, nr_watches;
	struct binding bindings[BINDINGS_MAX];
	struct watch watches[WATCHES_MAX];
	uint32_t context_of[ORDERING_COLUMNS_MAX]; /* that did the column's last row */
	uint32_t skipped[ORDERING_ROWS_MAX];
	int overstep;	   /* row that came before its turn, or -1 */
	int contradiction; /* row whose call is about somebody else, or -1 */
	uint32_t nr_faults;
};

struct call {
	const struct frame *frame;
	const char *func;
};

struct context {
	uint32_t task, nr;
	struct call calls[FRAMES_MAX]; /* outermost first */
	const char *begun;	       /* work function whose call is yet to be seen */
	const struct frame *matched;   /* innermost call that a row was matched to */
};

struct owner_change {
	uint64_t lock;
	uint32_t before;
};

struct ordering {
	char *where;
	GPtrArray *rows, *columns;
	struct progress *p;
	enum strictness strict;
	bool following; /* records count; else they are only learnt from */
	/* learnt from records */
	GHashTable *contexts;  /* task -> struct context */
	GHashTable *subjects;  /* work number -> oid, packed */
	GHashTable *sorts;     /* lock number -> enum lock_sort */
	GHashTable *names;     /* oid -> name, of what rows call by name */
	GHashTable *owners;    /* lock number -> task that holds it, 0 for nobody */
	GArray *owner_changes; /* struct owner_change: of the step that is being taken */
	GHashTable *comms;     /* task -> name */
	GHashTable *seen;      /* names of everything that a row could be */
	GHashTable *journal;   /* task -> struct context as before the step; NULL outside one */
	char *remark;	       /* on the run that was found; NULL if there is none to make */
};

static inline struct ordering_row *row_at(const struct ordering *o, uint32_t i)
{
	return g_ptr_array_index(o->rows, i);
}

static inline struct ordering_column *column_at(const struct ordering *o, int i)
{
	return g_ptr_array_index(o->columns, i);
}

/** ordering_mark_past() - the set-up is over, and what was seen so far happened in it */
void ordering_mark_past(struct ordering *o);

/** ordering_hint_name() - "; did you mean 'X'?", of what a row could be; empty if none is near */
char *ordering_hint_name(const struct ordering *o, const char *typed, ordering_suggest suggest);

/** ordering_hint_header() - append the same for words that are nearly names of contexts */
void ordering_hint_header(const struct ordering *o, ordering_suggest suggest, GString *s);

/** ordering_hint_arguments() - append the same for arguments that are nearly names of objects */
void ordering_hint_arguments(const struct ordering *o, ordering_suggest suggest, GString *s);

/** ordering_begin() - a run begins: no row has happened */
void ordering_begin(struct ordering *o, enum strictness strict);

/** ordering_journal() - from now on, keep what ordering_undo() needs */
void ordering_journal(struct ordering *o);
void ordering_undo(struct ordering *o, const struct progress *before);

/**
 * ordering_take_wait() - the next row has happened if it takes @lock, for which @task waits
 *
 * That is what the last rows of a deadlock are: nobody comes past them.
 */
bool ordering_take_wait(struct ordering *o, uint32_t task, oid_t lock);

/** ordering_eligible() - may @task on @cpu do @row, by its kind and name? */
bool ordering_eligible(const struct ordering *o, uint32_t row, uint32_t task, enum ctx_kind ctx,
		       unsigned int cpu, const char *comm);

#endif /* SIM_EXPLORE_ORDERING_ORDERING_TABLE_H */
