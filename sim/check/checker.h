/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CHECK_CHECKER_H
#define SIM_CHECK_CHECKER_H

/*
 * Checkers: one file, one invariant.
 *
 * A checker keeps its own ledger from trace records and never asks the model.
 * The ledgers live in the arena, so they are restored with the world.
 */

#include "sim/base/arena.h"
#include "sim/base/map.h"
#include "sim/base/table.h"
#include "sim/engine/trace.h"

struct checkset;
struct checker;

/* What a checker does with the records of one kind. */
struct record_handler {
	uint16_t kind; /* enum trace_kind */
	void (*handle)(struct checker *c, const struct trace_record *r);
};

struct checker_ops {
	const char *name;   /* as in --check and in a violation */
	const char *claim;  /* the invariant, in plain words */
	const char *source; /* who demands it: a kernel rule, a commit, a document */
	const struct record_handler *handlers; /* ends with one that is NULL; a kind once */
	size_t ledger_size;		 /* bytes, zeroed; may point to further arena memory */
	void (*init)(struct checker *c); /* before the first record; may be NULL */
	void (*on_end)(struct checker *c,
		       const struct trace_record *last); /* at quiescence; may be NULL */
};

struct checker {
	const struct checker_ops *ops;
	struct checkset *set;
	void *ledger;
};

#define VIOLATION_MAX 16
#define VIOLATION_TEXT 240
#define VIOLATION_SAME 24 /* two violations that agree this far are one */
#define LEDGER_ENTRY_MAX 256

/* What a checker found; copied out of the arena by whoever reports it. */
struct violation {
	const struct checker_ops *ops;
	uint64_t seq; /* the violating record */
	vtime_t t;
	oid_t obj;
	uint64_t
		related[3]; /* records that led there (allocation, free, acquisition); 0 for none */
	char text[VIOLATION_TEXT];
};

/* Who wants a kind of record: what a call needs, in one place. */
struct subscriber {
	void (*handle)(struct checker *c, const struct trace_record *r);
	struct checker *checker;
};

struct checkset {
	struct arena *arena;
	bool exhausted; /* the arena is full: ledgers have holes, nothing is checked any more */
	uint32_t nr_checkers, nr_violations; /* nr_violations counts past VIOLATION_MAX */
	struct checker *checkers;
	/* in the order of @checkers; a kind's list ends where the next one's begins */
	struct subscriber *by_kind[NR_TRACE_KINDS + 1];
	/* [VIOLATION_MAX], NULL until the first: a snapshot of a clean world copies none */
	struct violation *violations;
	struct violation spare; /* what checker_violation() returns for one not kept */
	/*
	 * What a checker knows of the run so far that the state of the world does not show: a
	 * digest of it, and how often a verdict was made of it.
	 */
	uint64_t hindsight, nr_looks_back;
	struct map seen; /* (object, digest of checker and text) of every violation */
	uint64_t sink[LEDGER_ENTRY_MAX / 8]; /* stands in for an entry once exhausted */
};

/**
 * checkset_new() - all checkers but those named in @off (NULL-terminated, may be NULL)
 *
 * Return: the set, in the order of checkers.def; NULL when the arena is full.
 */
struct checkset *checkset_new(struct arena *a, const char *const *off);

/** checkset_record() - feed one record to every checker that wants its kind */
void checkset_record(struct checkset *set, const struct trace_record *r);

/** checkset_end() - the run is quiescent: ask for what must not remain */
void checkset_end(struct checkset *set, const struct trace_record *last);

/**
 * checker_violation() - the invariant is broken at @r
 * @obj: the object to blame
 *
 * The same checker says the same of the same object once: what counts is the
 * start of the text, VIOLATION_SAME characters.
 *
 * Return: the violation, so that the caller can fill in related[]; never NULL.
 */
struct violation *checker_violation(struct checker *c, const struct trace_record *r, oid_t obj,
				    const char *fmt, ...)
	__attribute__((format(printf, 4, 5), cold)); /* what leads here stays off the hot path */

/* Every checker there is, NULL-terminated; defined from checkers.def. */
#define CHECKER(id) extern const struct checker_ops check_##id;
#include "sim/check/checkers.def"
#undef CHECKER
extern const struct checker_ops *const all_checkers[];

#endif /* SIM_CHECK_CHECKER_H */
