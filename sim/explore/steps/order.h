/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_STEPS_ORDER_H
#define SIM_EXPLORE_STEPS_ORDER_H

/*
 * Order: what happens before what on the path that is being explored.
 *
 * An event is one step; it stands at a depth, 0 for the first.  An event happens
 * before another if it belongs to the same process and is earlier, if it made the
 * other one possible, or if the two conflict and it is earlier; and so on through
 * chains of such pairs.  Two orders of the same steps that agree in this lead to
 * the same state.
 *
 * Events are pushed and popped: the path is a stack.
 */

#include "sim/base/hash.h"
#include "sim/explore/exec.h"

#define PROCS_MAX 128
#define NO_EVENT UINT32_MAX

struct order;

struct order *order_new(void);
void order_free(struct order *o);

/** order_set_root() - objects numbered up to @ids[kind] exist where the path begins */
void order_set_root(struct order *o, const uint64_t *ids);

/** order_without_digests() - nobody is going to ask for one, or for a name: they cost time */
void order_without_digests(struct order *o);

/* What is known of an event once it has happened. */
struct event_info {
	uint64_t key;	 /* of its process */
	oid_t context;	 /* whose step it is; 0 for the environment's */
	uint32_t poster; /* depth of the event that made it possible, or NO_EVENT */
	const struct touch *touches;
	const uint32_t *places; /* of the touches, as order_place() says; NULL: find them out */
	uint32_t nr_touches;
	uint64_t picks; /* digest of what was chosen inside the step */
	bool wild;	/* it may have touched anything */
	bool waited;	/* it happens only when what it takes is free */
	/* transition_want() made it possible: object and field that say so; else 0 */
	oid_t want_of;
	uint32_t want_field;
};

/** order_place() - the number of a place: the same from now on */
uint32_t order_place(struct order *o, oid_t obj, uint32_t field);

/**
 * order_push() - the event at the next depth
 *
 * Return: false when there are more processes than can be kept.
 */
bool order_push(struct order *o, const struct event_info *ev);
void order_pop(struct order *o);
uint32_t order_depth(const struct order *o);

/**
 * order_races() - events that conflict with the last one and are not ordered before it otherwise
 * @races: filled with their depths, latest first; room for all events
 *
 * Each could have come after it.
 */
uint32_t order_races(const struct order *o, uint32_t *races);

/**
 * order_wait_races() - the same for a last event that had to wait for a condition
 *
 * All that conflict are given, not only the latest of each kind: when that was what
 * the event waited for, it is an earlier one that it could have overtaken.  The release
 * of a lock is not: before it, the lock was held.
 */
uint32_t order_wait_races(struct order *o, const uint32_t **races);

/**
 * order_turns() - events that changed whose turn it is on the last one's CPU, latest first
 *
 * Only such as do not happen before it by other ways than conflicts.
 */
uint32_t order_turns(struct order *o, const uint32_t **turns);

/**
 * order_other_writer() - did somebody write to what the last event touched, after the event
 * at @depth and independent of it?
 */
bool order_other_writer(const struct order *o, uint32_t depth);

/**
 * order_did_as_much() - does whatever conflicts with @touches conflict with the last event as well,
 * or else with the one at @depth, by the same field?
 */
bool order_did_as_much(const struct order *o, uint32_t depth, const struct touch *touches,
		       uint32_t nr);

/**
 * order_unpins() - did the last event take away what kept a counter from zero, and had the event
 * at @race counted on it?
 */
bool order_unpins(const struct order *o, uint32_t race);

/** order_previous() - depth of the event that the last one's process had before, or NO_EVENT */
uint32_t order_previous(const struct order *o);

/** order_pending_since() - since the event at which depth was it to come?  Or NO_EVENT */
uint32_t order_pending_since(const struct order *o);

/** order_before() - does the event at depth @a happen before that at @b, or is it the same? */
bool order_before(const struct order *o, uint32_t a, uint32_t b);

/**
 * order_initials() - which processes can come first if the last event is to precede @race
 * @depths: filled with those of their first events; room for PROCS_MAX
 *
 * Of the last event and those that do not depend on @race: the processes whose first event among
 * them depends on none of the others.
 */
uint32_t order_initials(const struct order *o, uint32_t race, uint32_t *depths);

/** order_latest() - depth of the latest event of the process @key, or NO_EVENT */
uint32_t order_latest(const struct order *o, uint64_t key);

/** order_key() - process of the event at @depth */
uint64_t order_key(const struct order *o, uint32_t depth);

/**
 * order_fingerprint() - a digest of the state that the path has led to
 *
 * Equal digests mean equal states, but for collisions; equal states that came
 * about differently may differ in it.
 */
uint64_t order_fingerprint(const struct order *o);

/**
 * order_places() - the fields of @obj that were touched on the path
 * @touches: filled with them, as if an event used them with @mode; room for @max
 */
uint32_t order_places(const struct order *o, oid_t obj, enum access_mode mode,
		      struct touch *touches, uint32_t max);

/**
 * order_trace() - a digest of the path that only equivalent paths have in common
 *
 * It tells apart more than order_fingerprint(): what was overwritten counts as well.
 */
uint64_t order_trace(const struct order *o);

/** order_process() - a name for the last event's process that unrelated steps do not change */
uint64_t order_process(const struct order *o);

/** order_nr_touches() - how many touches the event at @depth was told to have */
uint32_t order_nr_touches(const struct order *o, uint32_t depth);

/**
 * order_set_control() - the process of the last event will go on as @hash says, whatever it did
 */
void order_set_control(struct order *o, uint64_t hash);

/** order_set_root_value() - @field of @obj holds @value where the path begins, and is its value */
void order_set_root_value(struct order *o, oid_t obj, uint32_t field, uint64_t value);

/** order_set_value() - what it holds now that the last event has happened */
void order_set_value(struct order *o, oid_t obj, uint32_t field, uint64_t value);

/**
 * order_assume(), order_assume_control() - the path begins where @field of @obj has @version, and
 * the process @key goes on as @control says
 *
 * Nothing must have happened yet.  One event can be looked at so, without those before it.
 */
void order_assume(struct order *o, oid_t obj, uint32_t field, uint64_t version);
void order_assume_control(struct order *o, uint64_t key, uint64_t control);

/* What the last event made of a place that it touched. */
struct effect {
	oid_t obj;
	uint32_t field;
	uint64_t before, after; /* versions: equal ones mean equal contents */
	uint64_t change;	/* of the fingerprint: both its digests, one over the other */
	uint64_t root;		/* digest of the value where the path begins; 0: it has none */
	bool flag;		/* whoever writes it writes the same */
};

/* What the last event did to the state. */
struct effects {
	uint64_t control_before, control; /* how its process will go on */
	uint64_t control_change;	  /* of the fingerprint */
	uint32_t nr;
	struct effect places[TOUCHES_MAX];
};

/**
 * order_effects() - what the last event did to the state
 *
 * Return: false if there is more to it: it may have touched anything, or objects or contexts
 * that are not there where the path begins.
 */
bool order_effects(const struct order *o, struct effects *effects);

/**
 * order_effects_so_far() - what all events together did to places
 *
 * Return: false if there are too many, or some that are not there where the path begins.
 */
bool order_effects_so_far(const struct order *o, struct effects *effects);

/**
 * order_version() - what @field of @obj holds, as in struct effect
 * @change: set to what that has changed of the fingerprint since the path began
 */
uint64_t order_version(const struct order *o, oid_t obj, uint32_t field, uint64_t *change);

/** order_control() - how the process @key will go on; 0 where it has not stepped */
uint64_t order_control(const struct order *o, uint64_t key);

/** touches_conflict() - may the order of two steps matter? */
bool touches_conflict(const struct touch *a, uint32_t nr_a, const struct touch *b, uint32_t nr_b);

/** touches_are_same() - are those of two steps, both tidy, the same? */
bool touches_are_same(const struct touch *a, const struct touch *b, uint32_t nr);

/**
 * touches_tidy() - one touch for each field, sorted, and the touches that others imply
 * @touches: has room for twice as many
 */
uint32_t touches_tidy(struct touch *touches, uint32_t nr);

/**
 * touches_forget_last() - turn last additions into additions
 *
 * That the next one would be something else concerns those that could have come instead.
 */
void touches_forget_last(struct touch *touches, uint32_t nr);

/** place_hash() - of an object or its name: both are often small numbers */
static inline uint64_t place_hash(uint64_t obj, uint32_t field)
{
	return hash_mix(hash_mix(0, obj), field);
}

/* Only orders steps: the state is in the contexts themselves. */
static inline bool field_is_shadow(uint32_t field)
{
	return field == FIELD_QUIESCENT || field == FIELD_TURN;
}

/* Nor is it a difference between two runs who came first. */
static inline bool field_is_untold(uint32_t field)
{
	return field == FIELD_TURN;
}

/* The same is written by whoever writes at all: that something ended, or was signalled. */
static inline bool field_is_flag(oid_t obj, uint32_t field, uint32_t mode)
{
	return field == FIELD_LIFE || (mode == ACCESS_WRITE && oid_kind(obj) == OBJ_WAIT);
}

/** change_of() - of a digest of all contents, when what @name holds was @before and is @after */
static inline uint64_t change_of(uint64_t name, uint64_t before, uint64_t after)
{
	return hash_mix(name, before) ^ hash_mix(name, after);
}

static inline bool modes_conflict(uint32_t a, uint32_t b)
{
	return !(a == b && (a == ACCESS_READ || a == ACCESS_ADD));
}

#endif /* SIM_EXPLORE_STEPS_ORDER_H */
