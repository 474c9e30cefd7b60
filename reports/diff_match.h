/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_DIFF_MATCH_H
#define REPORTS_DIFF_MATCH_H

/*
 * Which event of one run is which of the other: for reports that compare two.
 *
 * Events are matched within each context, by its name and in its own order.
 */

#include "reports/diff.h"

#define NONE UINT32_MAX

/* One event that is compared. */
struct step {
	const struct trace_record *r;
	const char *text; /* as a timeline says it; interned, so equal texts are equal pointers */
	const char *key;  /* what it is, numbers aside; interned as well */
	const char *context; /* interned as well */
	uint32_t partner;    /* index in the other run, NONE if there is none */
};

struct side {
	const char *name; /* "A" */
	const struct trace_file *tf;
	GArray *steps;		/* struct step */
	GHashTable *by_context; /* context -> GArray of uint32_t */
};

struct diff {
	struct side side[2];
	const struct diff_options *opt;
	struct output *o; /* for those who print */
	GStringChunk *strings;
	uint32_t prefix; /* steps that are the same from the beginning on */
	bool same;
};

static inline struct step *step_at(const struct side *s, uint32_t i)
{
	return &g_array_index(s->steps, struct step, i);
}

/** diff_match() - read the events of @a and @b, and find the partner of each */
void diff_match(struct diff *d, const struct trace_file *a, const struct trace_file *b,
		const struct diff_options *opt);
void diff_clear(struct diff *d);

/** diff_same_deed() - did the same happen on the same CPU?  Times shift with what came before */
bool diff_same_deed(const struct step *a, const struct step *b);

/* How an event of one run stands to the other. */
enum pairing {
	PAIR_NONE,    /* the other run has no such event */
	PAIR_SAME,    /* it has, and in the same order */
	PAIR_CHANGED, /* the same, but with other numbers or on another CPU */
	PAIR_MOVED,   /* it has, but in another order */
	NR_PAIRINGS,
};

/* An event of either run, on the axis that both have in common. */
struct aligned {
	uint8_t side;
	uint8_t pairing;  /* enum pairing */
	uint32_t event;	  /* index in the trace of its side */
	uint32_t column;  /* from 0 on; two events of one column stand side by side */
	uint32_t partner; /* index in the array of aligned events, NONE if there is none */
};

/**
 * diff_align() - all events of both runs, on one axis
 *
 * In each run in its own order; what both have in the same order shares a column.
 * Return: array of struct aligned, the caller's.
 */
GArray *diff_align(const struct trace_file *a, const struct trace_file *b);

#endif /* REPORTS_DIFF_MATCH_H */
