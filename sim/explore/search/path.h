/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_SEARCH_PATH_H
#define SIM_EXPLORE_SEARCH_PATH_H

/*
 * What the parts of a search share; nobody else includes it.
 *
 *   search.c   down and back up: which runs there are
 *   path.c     the nodes from the root to here, who sleeps at them, snapshots to go back to
 *   step.c     one step: it happens, and everything that is known about it is noted
 *   races.c    dpor: what else has to be tried, and where
 *   watch.c    dpor: what has to be tried only if something else comes up
 *   resume.c   a search that stops here and goes on elsewhere
 *   recall.c   dpor, on what a memo knows of steps
 *   skim.c     a search by states, on what a memo knows of steps; skim_world.c
 */

#include "sim/explore/driver.h"
#include "sim/explore/parallel/position.h"
#include "sim/explore/steps/order.h"
#include "sim/explore/search/seen.h"

/* Places in a table of who may be on the path. */
#define PATH_SLOTS 4096

/* How contexts lie on top of each other on a CPU. */
enum level { LEVEL_TASK, LEVEL_SOFTIRQ, LEVEL_HARDIRQ, NR_LEVELS, LEVEL_NONE = NR_LEVELS };

/* Where a step is taken. */
struct where {
	enum level level;   /* of the context; LEVEL_NONE for the environment */
	enum level arrival; /* of the context that arrives on top; LEVEL_NONE: none does */
	uint32_t cpu;
	uint8_t masks; /* as step_masks() says of the context, before the step */
};

struct sleeper {
	uint64_t key;
	uint32_t touches_at, nr_touches;
	bool wild;
	/* Where states are told apart: what it made of the state, and whose step it was. */
	uint64_t change;
	bool context;
};

struct node {
	uint32_t keys_at, nr_enabled; /* who can step here, in search.keys */
	uint64_t todo, done;	      /* bit per place in that list: to be tried, tried */
	uint32_t pick;		      /* who is being tried */
	uint32_t sleep_at, nr_sleep;
	uint32_t touches_base; /* in search.touches */
	uint32_t touches_at;   /* of what is being tried, in all its variants so far */
	uint32_t choices_at;   /* choices before the step */
	uint64_t current;      /* context that stepped last, 0 for none */
	uint64_t current_after;
	uint32_t preemptions, preemptions_after;
	bool wild;	     /* what is being tried may touch anything */
	bool stepped;	     /* the order has the step */
	struct where where;  /* the step that is being tried */
	bool violated;	     /* before the step, on a path that goes past violations */
	bool again;	     /* audit: known already, each step is taken once more and no further */
	bool leads_back;     /* audit: the step led to a state that is known */
	uint8_t nr_variants; /* in which it was tried, 2: two or more */
	uint64_t state;	     /* by which it is known, where states are */
	uint64_t change;     /* of the fingerprint, by what is being tried */
	bool changed;	     /* that is known, and no script had a part in it */
};

/*
 * dpor: who slept at the node at @depth was taken to stand for a race that the event at @event is
 * in, as long as nothing that he touched there and the event did not turns out to matter.
 */
struct watch {
	uint32_t depth, event;
	uint32_t touches_at, nr_touches;
	bool over; /* it did matter */
};

struct snapshot {
	uint32_t depth, nr_choices;
	void *buffer;
	size_t size;
};

struct search {
	struct driver *d;
	struct exec *x;
	enum strategy strategy;
	uint32_t bound;
	struct order *order;
	struct seen *seen;
	uint64_t base_steps; /* world.nr_steps where the run begins */
	GArray *nodes;	     /* struct node */
	GArray *keys;	     /* uint64_t */
	GArray *sleepers;    /* struct sleeper */
	GArray *touches;     /* struct touch */
	GArray *snapshots;   /* struct snapshot; those past nr_snapshots are spare */
	uint32_t nr_snapshots, snapshot_every;
	uint32_t first; /* as in struct position: what lies above is not ours */
	bool all;
	GArray *wakes;	/* struct wake: what somebody else has to try */
	GArray *script; /* struct choice: what the next steps have to choose again */
	uint32_t *races;
	uint32_t max_races;
	struct recall *recall;	      /* dpor over known steps; NULL: it takes all */
	GArray *watches;	      /* struct watch, by the depth of the event */
	uint64_t state;		      /* the one that the last step led to */
	uint32_t on_path[PATH_SLOTS]; /* how many states of the path have their place there */
	struct seen *loops;	      /* states at which a loop was looked at; NULL: none was */
	struct touch tidy[2 * TOUCHES_MAX + 1];
};

/* Tests break a rule on purpose, to see that an audit notices. */
static inline bool is_broken(const struct search *s, enum search_defect defect)
{
	return s->d->audit && s->d->audit->defect == defect;
}

static inline struct node *node_at(const struct search *s, uint32_t depth)
{
	return &g_array_index(s->nodes, struct node, depth);
}

static inline struct node *top(const struct search *s)
{
	return node_at(s, s->nodes->len - 1);
}

static inline uint64_t key_at(const struct search *s, const struct node *n, uint32_t i)
{
	return g_array_index(s->keys, uint64_t, n->keys_at + i);
}

static inline int find_key(const struct search *s, const struct node *n, uint64_t key)
{
	for (uint32_t i = 0; i < n->nr_enabled; i++) {
		if (key_at(s, n, i) == key)
			return (int)i;
	}
	return -1;
}

/* A bit for each of @nr alternatives. */
static inline uint64_t path_all_of(uint32_t nr)
{
	return nr == 64 ? UINT64_MAX : (UINT64_C(1) << nr) - 1;
}

static inline uint64_t all_enabled(const struct node *n)
{
	return path_all_of(n->nr_enabled);
}

/* Does the node at @depth belong to this search, but for what its step chooses inside? */
static inline bool path_is_ours(const struct search *s, uint32_t depth)
{
	return depth > s->first || (depth == s->first && s->all);
}

/* Without more than the histories of what they touched: as dpor tells states apart. */
static inline bool search_by_history(const struct search *s)
{
	return s->strategy == STRATEGY_DPOR || (s->d->audit && s->d->audit->by_history);
}

/* Depth of the step that posted what was @posted, a number of a step. */
static inline uint32_t poster_of(const struct search *s, uint64_t posted)
{
	return posted > s->base_steps ? (uint32_t)(posted - s->base_steps - 1) : NO_EVENT;
}

/* ---- path.c ---- */

/** path_inner_choice() - exec.inner: as the script says, the first alternative where it ends */
uint32_t path_inner_choice(struct exec *x, enum choice_kind kind, uint32_t n);

/** path_note_script() - turn the script into the first @nr choices of the run */
void path_note_script(struct search *s, uint32_t nr);

/**
 * path_next_variant() - turn the script into the next variant of @n's step
 *
 * Return: false when none is left, and the script is what it was.
 */
bool path_next_variant(struct search *s, const struct node *n);

/** path_look() - exec_look(): what can come next where the path ends */
bool path_look(struct search *s);

/** path_take_snapshot() - of the world, which is where the path ends */
void path_take_snapshot(struct search *s);

/** path_drop_snapshots() - the path goes elsewhere below @depth */
void path_drop_snapshots(struct search *s, uint32_t depth);

/** path_restore() - bring the world to the nearest snapshot that is not below @depth; its depth */
uint32_t path_restore(struct search *s, uint32_t depth);

/**
 * path_go_back() - bring the world to where the node at @depth was made, as the script says
 *
 * Return: false when @may_stop, and told to stop on the way.
 */
bool path_go_back(struct search *s, uint32_t depth, bool may_stop);

/** path_push(), path_pop() - a node for the state that the world is in */
void path_push(struct search *s);
void path_pop(struct search *s);

/** path_natural() - place of the process that may go on without anybody being preempted, or -1 */
int path_natural(const struct search *s, const struct node *n);

/** path_first_of() - of those that are @left, who comes first; @natural as path_natural() says */
static inline uint32_t path_first_of(uint64_t left, int natural)
{
	return natural >= 0 && left & UINT64_C(1) << natural ? (uint32_t)natural
							     : (uint32_t)__builtin_ctzll(left);
}

/**
 * path_alternatives() - where states are told apart: which of @nr_enabled are to be tried
 * @natural: as path_natural() says
 * @preemptions: so many were made
 */
uint64_t path_alternatives(const struct search *s, uint32_t nr_enabled, int natural,
			   uint32_t preemptions);

/** path_sleeper() - the process @key if it sleeps at @n, else NULL */
const struct sleeper *path_sleeper(const struct search *s, const struct node *n, uint64_t key);

/** path_touches() - what the step of @z touches, in all its variants */
const struct touch *path_touches(const struct search *s, const struct sleeper *z);

/** path_step_touches() - what the step at @depth touched, in the variant that is on the path */
const struct touch *path_step_touches(const struct search *s, uint32_t depth, uint32_t *nr);

/**
 * path_put_to_sleep() - what was tried at @n in all variants sleeps from now on
 *
 * Where states are told apart, only if it is known what a step would do that nobody concerns.
 */
void path_put_to_sleep(struct search *s, struct node *n);

static inline bool path_sleeps(const struct search *s, const struct node *n, uint64_t key)
{
	return path_sleeper(s, n, key) != NULL;
}

/* ---- step.c ---- */

enum stepped { STEPPED, STEPPED_PRUNED, STEPPED_FAILED, STEPPED_STOPPED };

/* A step that was taken; its transition is gone. */
struct taken {
	const struct task *t;
	bool context, waited;
	bool recalled;		/* not in the world; @t is not known */
	bool by_script;		/* it ran code of the script */
	bool control_known;	/* how @t goes on is a digest of that, not of all that it did */
	uint64_t before;	/* fingerprint */
	uint32_t nr_violations; /* before it, as in struct checkset */
	uint64_t nr_looks_back;
};

/** step_take() - the step that the node on top has picked, with all that follows from it */
enum stepped step_take(struct search *s);

/** step_push() - the step happens, and the order has it; false when the run had to stop */
bool step_push(struct search *s, struct taken *taken);

/** step_tell() - tell the audit of the step that @n has just taken */
void step_tell(struct search *s, const struct node *n, const struct taken *taken);

/** step_take_back() - the order and the path forget the last step, which was @n's */
void step_take_back(struct search *s, struct node *n);

/** step_level() - how high @t lies on its CPU */
enum level step_level(const struct task *t);

/** step_irq_cpu() - the CPU that an interrupt or softirq arrives on; NULL: @tr is no arrival */
const struct cpu *step_irq_cpu(const struct world *w, const struct transition *tr);

/** step_arrival() - the level of the context that the arrival @tr begins */
enum level step_arrival(const struct world *w, const struct transition *tr);

/** step_masks() - bit per level of contexts that @t, between two steps, keeps off its CPU */
uint8_t step_masks(const struct task *t);

/**
 * step_tidy() - what the last step in the world has touched, in search.tidy; how much
 * @w: where it was taken
 * @t: the context; NULL for the environment
 */
uint32_t step_tidy(struct search *s, const struct where *w, const struct task *t);

/** step_note_event() - the order has @ev, the step of @n; false: too many processes */
bool step_note_event(struct search *s, struct node *n, const struct event_info *ev);

/** step_note_effects() - step_note_state(), if @t's step is the last event of @o, and all that */
void step_note_effects(struct search *s, struct order *o, const struct touch *touches, uint32_t nr,
		       const struct task *t);

/** step_note_state() - what was written, and how the task goes on, where that is known by value */
void step_note_state(struct search *s, struct taken *taken);

/**
 * step_state() - by what a state is known
 * @current: who goes on for free there, having cost @preemptions
 */
uint64_t step_state(const struct search *s, uint64_t fingerprint, uint64_t current,
		    uint32_t preemptions);

/** step_note_reached() - by what the state is known that the step of @n has led to */
void step_note_reached(struct search *s, const struct node *n);

/* ---- races.c ---- */

/** races_try() - have one of @bits tried at @depth; each of @instead would have done as well */
void races_try(struct search *s, uint32_t depth, uint64_t bits, uint64_t instead);

/** races_reverse() - see that the last event is tried before those that it races with, too */
void races_reverse(struct search *s);

/** races_reverse_waits() - the same for an event that had to wait for a condition */
void races_reverse_waits(struct search *s);

/** races_reverse_pending() - the same for all that wait or are kept out, where a run ends */
void races_reverse_pending(struct search *s);

/* Who waits where a run ends; as those fields are called elsewhere. */
struct waiting {
	uint64_t key;
	oid_t task; /* 0: an interrupt */
	oid_t on;   /* 0: only for the CPU */
	uint32_t poster, cpu;
};

/** races_reverse_waiting() - @who is one of them */
void races_reverse_waiting(struct search *s, const struct waiting *who);

/* ---- watch.c ---- */

/**
 * watch_or_try() - @z, asleep at the node at @depth, is to stand for a race of the last event
 *
 * It is his step, but he touched more where he sleeps: see that everybody is tried there if that
 * matters.
 */
void watch_or_try(struct search *s, uint32_t depth, const struct sleeper *z);

/** watch_look_back() - does the last event touch what somebody asleep above was let off for? */
void watch_look_back(struct search *s);

/** watch_forget() - the order has forgotten its last event: nothing is watched for it any more */
void watch_forget(struct search *s);

/** watch_give_up() - try what is still watched for: nobody will look */
void watch_give_up(struct search *s);

/* ---- resume.c ---- */

/** resume_save() - where the search stands when climbing has found something; position_free() */
struct position *resume_save(const struct search *s);

/**
 * resume_load() - take the path of @p
 *
 * Return: false when what it leads to was tried elsewhere, or when told to stop on the way.
 */
bool resume_load(struct search *s, const struct position *p);

/* ---- recall.c: all but the first where search.recall is there ---- */

/** recall_begin() - recall steps from now on, if they are such as a memo can hold */
void recall_begin(struct search *s);
void recall_end(struct search *s);

/** recall_is_in_world() - is the world where the path ends? */
bool recall_is_in_world(const struct search *s);

/** recall_catch_up() - see to that; false when the exploration has to end */
bool recall_catch_up(struct search *s);

/** recall_leave_world() - the world went elsewhere */
void recall_leave_world(struct search *s);

/** recall_look() - path_look() */
bool recall_look(struct search *s);

/** recall_violated() - has a checker found something on the path? */
bool recall_violated(const struct search *s);

/** recall_step() - the step that the node on top has picked, if it is known; else false */
bool recall_step(struct search *s, struct taken *taken);

/**
 * recall_learn() - it was taken in the world, where it had waited as @was
 *
 * Return: false when the exploration has to end.
 */
bool recall_learn(struct search *s, const struct transition *was, const struct taken *taken);

/** recall_take_back() - the step of the node on top was not taken */
void recall_take_back(struct search *s);

/** recall_go_back() - the path ends at the node at @depth */
void recall_go_back(struct search *s, uint32_t depth);

/** recall_reverse_pending() - races_reverse_pending() */
void recall_reverse_pending(struct search *s);

/** recall_is_clean_end() - nothing can come next: is it known that no checker minds? */
bool recall_is_clean_end(const struct search *s);

/** recall_note_end() - the run has ended in the world */
void recall_note_end(struct search *s);

/* ---- skim.c ---- */

/** skim_may() - can what is left at the node on top, and below it, be skimmed? */
bool skim_may(const struct search *s);

/**
 * skim() - do all that is left at the node on top, whose pick is made, and below it
 * @until: stop after the run in which the search has taken so many steps; 0: do not
 *
 * Return: false when it is done, and climbing comes next.  True when there is more to do: the
 * path stands at a node whose pick is made, or the search is over.
 */
bool skim(struct search *s, uint64_t until);

/* ---- search.c ---- */

/** search_look_at_loop() - the last step has led to a known state; if that is on the path ... */
void search_look_at_loop(struct search *s);

/** search_end_of_run() - nothing can come next */
void search_end_of_run(struct search *s);

/** search_stop_with() - end the search: there are more than @max of @what */
void search_stop_with(struct search *s, const char *what, unsigned int max);

#endif /* SIM_EXPLORE_SEARCH_PATH_H */
