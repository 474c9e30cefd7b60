/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_STEPS_MEMO_H
#define SIM_EXPLORE_STEPS_MEMO_H

/*
 * Memo: what steps were seen to do, so that they need not be taken again.
 *
 * What a step does depends on where its process stands and on what it finds in the
 * places that it touches, and on nothing else: that is what tells states apart in
 * the first place (order_fingerprint()).  So a step that was taken once is known
 * wherever its process stands there again and finds the same.
 *
 * It is learned for processes that are tasks with a CPU of their own and make
 * nothing but steps of their own.
 */

#include "sim/explore/steps/order.h"

#define MEMO_PROCS_MAX ENABLED_MAX
#define MEMO_NONE UINT32_MAX

/* A place that a step touches, and what it makes of it. */
struct memo_use {
	uint32_t place, object;
	uint64_t before, after; /* versions */
	uint64_t change;	/* of the fingerprint */
};

/* What a process does, standing at one point, if it finds what the uses say. */
struct memo_step {
	uint32_t next;	 /* another one from the same point */
	uint32_t to;	 /* point at which the process stands afterwards; MEMO_NONE: it ended */
	uint32_t at, nr; /* uses */
	uint64_t change; /* of the fingerprint */
	/* Where copies can be exchanged: of what belongs to none, and of what is one's own. */
	uint64_t change_shared, change_own;
	uint32_t copy; /* whose; 0: the process is nobody's copy */
	/* For dpor: how it touches what; and what checkers knew of the run, if they looked back. */
	uint32_t touches_at, nr_touches; /* MEMO_NONE: that was not kept */
	bool looks_back;
	uint64_t hindsight, hindsight_change;
};

/* Can a process that waits at a point go on?  What it waits for is the same whenever @hash is. */
struct memo_answer {
	uint32_t next;
	bool ready;
	uint64_t hash;
};

/* A process, where it stands. */
struct memo_point {
	uint64_t control;
	oid_t waits_on; /* the same as waits_for */
	uint32_t proc;
	uint32_t step;	    /* the first */
	uint32_t answer;    /* the first */
	uint32_t waits_for; /* object; MEMO_NONE: it need not wait */
	bool looked;	    /* is that known? */
	uint8_t masked;	    /* bit per level of contexts that the process keeps off its CPU */
};

struct memo_place {
	oid_t obj;
	uint32_t field;
	uint32_t object; /* its number here */
};

struct memo {
	GArray *places;			/* struct memo_place */
	GArray *points;			/* struct memo_point */
	GArray *steps;			/* struct memo_step */
	GArray *uses;			/* struct memo_use */
	GArray *answers;		/* struct memo_answer */
	GArray *touches;		/* struct touch */
	GHashTable *clean_ends;		/* states that runs ended in, and no checker minded */
	uint64_t procs[MEMO_PROCS_MAX]; /* keys */
	uint32_t nr_procs, nr_objects;
	GHashTable *by_name; /* places, objects and points by a digest of what they are */
	bool unfit;	     /* something else was seen */
	bool dull;	     /* no use for dpor */
	/* Steps of dpor: that could be recalled, that were, and that were not. */
	uint64_t nr_known, nr_recalled, nr_in_world;
	struct subject *copies; /* whose copies can be exchanged; NULL: there are none */
};

struct memo *memo_new(void);
void memo_free(struct memo *m);

/** memo_proc() - number of the process @key; MEMO_NONE: there are too many */
uint32_t memo_proc(struct memo *m, uint64_t key);

/** memo_place(), memo_object(), memo_point() - numbers, from 0 */
uint32_t memo_place(struct memo *m, oid_t obj, uint32_t field);
uint32_t memo_object(struct memo *m, oid_t obj);
uint32_t memo_point(struct memo *m, uint32_t proc, uint64_t control);

/**
 * memo_learn() - a process that stood at @from has taken a step, which had @effects
 * @ended: it will take no more
 * @keep: whoever stands there again and finds the same recalls it; else nobody does
 *
 * Return: number of the step.
 */
uint32_t memo_learn(struct memo *m, const struct effects *effects, uint32_t from, bool ended,
		    bool keep);

/**
 * memo_note_touches() - @step touches all that, if checkers know of a run what they do now
 * @looks_back: they judged it by what they know of the run, which was @hindsight, and by which
 * @hindsight_change that has changed
 */
void memo_note_touches(struct memo *m, uint32_t step, const struct touch *touches, uint32_t nr,
		       bool looks_back, uint64_t hindsight, uint64_t hindsight_change);

/** memo_answer() - a process that waits at @point can go on, or not, where its object has @hash */
void memo_answer(struct memo *m, uint32_t point, uint64_t hash, bool ready);

static inline struct memo_point *memo_point_at(const struct memo *m, uint32_t i)
{
	return &g_array_index(m->points, struct memo_point, i);
}

static inline const struct memo_step *memo_step_at(const struct memo *m, uint32_t i)
{
	return &g_array_index(m->steps, struct memo_step, i);
}

static inline const struct memo_use *memo_uses_of(const struct memo *m, const struct memo_step *s)
{
	return &g_array_index(m->uses, struct memo_use, s->at);
}

/** memo_touches_of() - how @s touches what, if that was kept */
static inline const struct touch *memo_touches_of(const struct memo *m, const struct memo_step *s)
{
	return &g_array_index(m->touches, struct touch, s->touches_at);
}

/* Does @s happen where places have @versions? */
static inline bool memo_fits(const struct memo *m, const struct memo_step *s,
			     const uint64_t *versions)
{
	const struct memo_use *u = memo_uses_of(m, s), *end = u + s->nr;

	while (u < end && versions[u->place] == u->before)
		u++;
	return u == end;
}

/** memo_recall() - the step from @point where places have @versions; MEMO_NONE: not known */
static inline uint32_t memo_recall(const struct memo *m, uint32_t point, const uint64_t *versions)
{
	uint32_t i = memo_point_at(m, point)->step;

	while (i != MEMO_NONE) {
		const struct memo_step *s = memo_step_at(m, i);

		if (memo_fits(m, s, versions))
			break;
		i = s->next;
	}
	return i;
}

/** memo_ready() - 1 or 0: can a process at @point go on where objects have @hashes?  -1: unknown */
static inline int memo_ready(const struct memo *m, uint32_t point, const uint64_t *hashes)
{
	const struct memo_point *p = memo_point_at(m, point);

	if (!p->looked)
		return -1;
	if (p->waits_for == MEMO_NONE)
		return 1;
	for (uint32_t i = p->answer; i != MEMO_NONE;) {
		const struct memo_answer *a = &g_array_index(m->answers, struct memo_answer, i);

		if (a->hash == hashes[p->waits_for])
			return a->ready;
		i = a->next;
	}
	return -1;
}

#endif /* SIM_EXPLORE_STEPS_MEMO_H */
