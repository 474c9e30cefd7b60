// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/steps/order.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
/* Up to so many, sorting by insertion is several times as fast as qsort(). */
#define FEW 32

/* A field of an object: whoever touched it on this path, and a digest of what was written. */
struct place {
	oid_t obj;
	uint32_t field;
	uint32_t last; /* use */
	uint64_t version;
	uint64_t root; /* digest of its value where the path begins, 0 if it has none */
};

struct use {
	uint32_t place, before; /* earlier use of the place */
	uint32_t other;		/* the latest earlier one of another mode */
	uint32_t depth;
	uint32_t mode;
	uint64_t old_version;
};

/*
 * An object that was made on the path.  Its number depends on the order of steps
 * that have nothing to do with each other; its name is made of the event that
 * touched it first.
 */
struct made {
	oid_t obj;
	uint64_t name;
};

struct proc {
	uint64_t key;
	uint64_t name;	  /* the same, whatever the order of unrelated steps */
	uint32_t last;	  /* depth of its last event */
	uint64_t control; /* digest of all that decides how it goes on */
};

struct happened {
	uint32_t proc, before; /* depth of its process's event before */
	uint32_t uses_at, made_at, poster;
	bool first; /* of its process */
	uint64_t old_control, old_state, old_trace, hash;
	/* Depth + 1 of each process's latest event before this one; last, for few are in use. */
	uint32_t clock[PROCS_MAX];
};

struct order {
	struct place *places;
	uint32_t nr_places, max_places;
	uint32_t *slots;
	uint32_t nr_slots;
	struct use *uses;
	uint32_t nr_uses, max_uses;
	GArray *made;	  /* struct made */
	GArray *releases; /* depths of events that set free what the last one takes */
	guint first_made; /* of the event that is being pushed */
	uint64_t root_ids[NR_OBJECT_KINDS];
	struct proc procs[PROCS_MAX];
	uint32_t nr_procs, max_procs; /* there have been; beyond them all clocks are 0 */
	GPtrArray *events;	      /* struct happened; those past depth are spare */
	uint32_t depth;
	uint32_t *races;
	uint32_t nr_races, max_races;
	uint32_t everything;		       /* the place that stands for that; NONE: not yet */
	uint32_t touched[2 + 2 * TOUCHES_MAX]; /* places of the event that is being pushed */
	uint32_t modes[2 + 2 * TOUCHES_MAX];   /* how it touches them */
	uint64_t state, trace;
	bool plain; /* without digests and names */
};

/* ---- touches ---------------------------------------------------------------------- */

static int by_field(const void *a, const void *b)
{
	const struct touch *x = a, *y = b;

	if (x->obj != y->obj)
		return x->obj < y->obj ? -1 : 1;
	return x->field < y->field ? -1 : x->field > y->field;
}

/* Nearly always a handful. */
static void sort_touches(struct touch *touches, uint32_t n)
{
	if (n > FEW) {
		qsort(touches, n, sizeof(*touches), by_field);
		return;
	}
	for (uint32_t i = 1; i < n; i++) {
		struct touch t = touches[i];
		uint32_t k = i;

		for (; k > 0 && by_field(&touches[k - 1], &t) > 0; k--)
			touches[k] = touches[k - 1];
		touches[k] = t;
	}
}

/* What lives in memory that can be given back. */
static bool has_life(oid_t obj)
{
	switch (oid_kind(obj)) {
	case OBJ_CGROUP:
	case OBJ_MEMCG:
	case OBJ_CACHE:
	case OBJ_SLAB:
	case OBJ_OBJ:
	case OBJ_CELL:
	case OBJ_CSS:
		return true;
	default:
		return false;
	}
}

uint32_t touches_tidy(struct touch *touches, uint32_t nr)
{
	uint32_t n = nr, out = 0;

	for (uint32_t i = 0; i < nr; i++) {
		if (touches[i].field != FIELD_LIFE && has_life(touches[i].obj))
			touches[n++] = (struct touch){touches[i].obj, FIELD_LIFE, ACCESS_READ};
	}
	sort_touches(touches, n);
	for (uint32_t i = 0; i < n; i++) {
		if (out > 0 && by_field(&touches[out - 1], &touches[i]) == 0) {
			if (touches[out - 1].mode != touches[i].mode)
				touches[out - 1].mode = ACCESS_RMW;
		} else {
			touches[out++] = touches[i];
		}
	}
	return out;
}

/* All uses of a place come before or after such a one; reads and additions commute with some. */
static bool orders_all(uint32_t mode)
{
	return mode == ACCESS_WRITE || mode == ACCESS_RMW;
}

void touches_forget_last(struct touch *touches, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (touches[i].mode == ACCESS_ADD_LAST)
			touches[i].mode = ACCESS_ADD;
	}
}

bool touches_conflict(const struct touch *a, uint32_t nr_a, const struct touch *b, uint32_t nr_b)
{
	uint32_t i = 0, j = 0;

	while (i < nr_a && j < nr_b) {
		int c = by_field(&a[i], &b[j]);

		if (c == 0 && modes_conflict(a[i].mode, b[j].mode))
			return true;
		i += c <= 0;
		j += c >= 0;
	}
	return false;
}

bool touches_are_same(const struct touch *a, const struct touch *b, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (by_field(&a[i], &b[i]) != 0 || a[i].mode != b[i].mode)
			return false;
	}
	return true;
}

/* ---- places ------------------------------------------------------------------------- */

static void grow_slots(struct order *o)
{
	g_free(o->slots);
	o->nr_slots = o->nr_slots ? 2 * o->nr_slots : 1024;
	o->slots = g_new0(uint32_t, o->nr_slots);
	for (uint32_t p = 0; p < o->nr_places; p++) {
		uint64_t h = place_hash(o->places[p].obj, o->places[p].field);

		while (o->slots[h & (o->nr_slots - 1)])
			h++;
		o->slots[h & (o->nr_slots - 1)] = p + 1;
	}
}

static uint32_t place_of(struct order *o, oid_t obj, uint32_t field)
{
	uint64_t h = place_hash(obj, field);
	uint32_t *slot;

	for (;; h++) {
		slot = &o->slots[h & (o->nr_slots - 1)];
		if (!*slot)
			break;
		if (o->places[*slot - 1].obj == obj && o->places[*slot - 1].field == field)
			return *slot - 1;
	}
	if (o->nr_places == o->max_places) {
		o->max_places = o->max_places ? 2 * o->max_places : 512;
		o->places = g_renew(struct place, o->places, o->max_places);
	}
	o->places[o->nr_places] = (struct place){.obj = obj, .field = field, .last = NONE};
	*slot = ++o->nr_places;
	if (2 * o->nr_places > o->nr_slots)
		grow_slots(o);
	return o->nr_places - 1;
}

/* ---- names that do not depend on unrelated steps ------------------------------------- */

void order_set_root(struct order *o, const uint64_t *ids)
{
	memcpy(o->root_ids, ids, sizeof(o->root_ids));
}

void order_without_digests(struct order *o)
{
	o->plain = true;
}

static const struct made *find_made(const struct order *o, oid_t obj)
{
	for (guint i = o->made->len; i-- > 0;) {
		const struct made *m = &g_array_index(o->made, struct made, i);

		if (m->obj == obj)
			return m;
	}
	return NULL;
}

static uint64_t name_of(struct order *o, oid_t obj, uint64_t maker)
{
	const struct made *known;
	struct made m = {.obj = obj};

	if (oid_nr(obj) <= o->root_ids[oid_kind(obj)])
		return obj;
	known = find_made(o, obj);
	if (known)
		return known->name;
	m.name = hash_mix(maker, oid_kind(obj)) + o->made->len - o->first_made;
	g_array_append_val(o->made, m);
	return m.name;
}

/* ---- processes ------------------------------------------------------------------------ */

static uint32_t find_proc(const struct order *o, uint64_t key)
{
	for (uint32_t i = 0; i < o->nr_procs; i++) {
		if (o->procs[i].key == key)
			return i;
	}
	return NONE;
}

static void set_control(struct order *o, struct proc *p, uint64_t control)
{
	o->state ^= change_of(p->name, p->control, control);
	p->control = control;
}

/* ---- the path --------------------------------------------------------------------------- */

struct order *order_new(void)
{
	struct order *o = g_new0(struct order, 1);

	o->everything = NONE;
	grow_slots(o);
	o->made = g_array_new(FALSE, FALSE, sizeof(struct made));
	o->releases = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	o->events = g_ptr_array_new_with_free_func(g_free);
	return o;
}

void order_free(struct order *o)
{
	g_free(o->uses);
	g_array_unref(o->made);
	g_array_unref(o->releases);
	g_ptr_array_unref(o->events);
	g_free(o->places);
	g_free(o->slots);
	g_free(o->races);
	g_free(o);
}

static struct happened *event_at(const struct order *o, uint32_t depth)
{
	return g_ptr_array_index(o->events, depth);
}

static void join(struct happened *ev, const struct happened *before, uint32_t nr_procs)
{
	for (uint32_t i = 0; i < nr_procs; i++) {
		if (before->clock[i] > ev->clock[i])
			ev->clock[i] = before->clock[i];
	}
}

static bool in_clock(const struct order *o, const struct happened *ev, uint32_t depth)
{
	return ev->clock[event_at(o, depth)->proc] > depth;
}

static void add_race(struct order *o, uint32_t depth)
{
	if (o->nr_races == o->max_races) {
		o->max_races = o->max_races ? 2 * o->max_races : 256;
		o->races = g_renew(uint32_t, o->races, o->max_races);
	}
	o->races[o->nr_races++] = depth;
}

/*
 * Who waits until a lock is free and takes it cannot do so just before it is released, which is a
 * blind write: until then it was held.
 */
static void note_release(struct order *o, const struct place *at, const struct use *use,
			 uint32_t mode)
{
	if (at->field == FIELD_LOCK && use->mode == ACCESS_WRITE && mode == ACCESS_RMW)
		g_array_append_val(o->releases, use->depth);
}

static bool is_release(const struct order *o, uint32_t depth)
{
	for (guint i = 0; i < o->releases->len; i++) {
		if (g_array_index(o->releases, uint32_t, i) == depth)
			return true;
	}
	return false;
}

/* Depths of uses of @place that conflict with @mode, back to the one that hides all earlier. */
static void collect(struct order *o, uint32_t place, uint32_t mode, bool waited)
{
	uint32_t proc = NONE;

	for (uint32_t u = o->places[place].last; u != NONE;) {
		const struct use *use = &o->uses[u];

		if (waited)
			note_release(o, &o->places[place], use, mode);
		/* Those that commute with it come in long rows, and so do those of one process. */
		if (!modes_conflict(use->mode, mode)) {
			u = use->other;
			continue;
		}
		if (event_at(o, use->depth)->proc != proc)
			add_race(o, use->depth);
		proc = event_at(o, use->depth)->proc;
		if (orders_all(use->mode))
			return;
		u = use->before;
	}
}

static int latest_first(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (y > x) - (y < x);
}

static void sort_races(struct order *o)
{
	if (o->nr_races > FEW) {
		qsort(o->races, o->nr_races, sizeof(*o->races), latest_first);
		return;
	}
	for (uint32_t i = 1; i < o->nr_races; i++) {
		uint32_t depth = o->races[i], k = i;

		for (; k > 0 && o->races[k - 1] < depth; k--)
			o->races[k] = o->races[k - 1];
		o->races[k] = depth;
	}
}

/*
 * Several events may have wanted the one at hand, each of them enough.  It can come
 * before the one at @depth if somebody else wanted it who does not depend on that.
 */
static bool only_wanted_through(const struct order *o, uint32_t place, uint32_t depth)
{
	bool wanted = false;

	for (uint32_t u = o->places[place].last; u != NONE;) {
		const struct use *use = &o->uses[u];

		if (use->mode != ACCESS_ADD)
			break;
		if (!order_before(o, depth, use->depth))
			return false;
		wanted |= use->depth == depth;
		u = use->before;
	}
	return wanted;
}

/* Of all that conflicts, what is not ordered by other ways; the clock then covers it all. */
static void order_conflicts(struct order *o, struct happened *ev, uint32_t wants)
{
	uint32_t n = 0;

	sort_races(o);
	for (uint32_t i = 0; i < o->nr_races; i++) {
		uint32_t depth = o->races[i];

		if (in_clock(o, ev, depth))
			continue;
		join(ev, event_at(o, depth), o->nr_procs);
		if (is_release(o, depth) || (wants != NONE && only_wanted_through(o, wants, depth)))
			continue;
		o->races[n++] = depth;
	}
	o->nr_races = n;
}

static void use_place(struct order *o, uint32_t place, uint32_t mode, uint32_t depth)
{
	struct use use = {.place = place,
			  .before = o->places[place].last,
			  .other = NONE,
			  .depth = depth,
			  .mode = mode,
			  .old_version = o->places[place].version};

	if (use.before != NONE) {
		const struct use *before = &o->uses[use.before];

		use.other = before->mode == mode ? before->other : use.before;
	}

	o->places[place].last = o->nr_uses;
	if (o->nr_uses == o->max_uses) {
		o->max_uses = o->max_uses ? 2 * o->max_uses : 1024;
		o->uses = g_renew(struct use, o->uses, o->max_uses);
	}
	o->uses[o->nr_uses++] = use;
}

static void set_version(struct order *o, struct place *p, uint64_t name, uint64_t version)
{
	o->state ^= change_of(name, p->version, version);
	p->version = version;
}

static bool is_shadow(const struct place *p)
{
	return field_is_shadow(p->field);
}

static bool is_flag(const struct place *p, uint32_t mode)
{
	return field_is_flag(p->obj, p->field, mode);
}

/* Has @obj been touched by an event before the one that is being pushed? */
static bool has_name(const struct order *o, oid_t obj)
{
	const struct made *m;

	if (oid_nr(obj) <= o->root_ids[oid_kind(obj)])
		return true;
	m = find_made(o, obj);
	return m && m < &g_array_index(o->made, struct made, o->first_made);
}

/*
 * What the event saw of the objects that are @known before it, or that are not.
 * @others: set if there are some of the other kind
 */
static uint64_t digest_seen(struct order *o, const struct happened *ev, uint64_t maker, bool known,
			    bool *others, uint64_t *overwritten)
{
	uint64_t h = 0;

	for (uint32_t u = ev->uses_at; u < o->nr_uses; u++) {
		const struct use *use = &o->uses[u];
		const struct place *at = &o->places[use->place];
		uint64_t name;

		if (field_is_untold(at->field))
			continue;
		if (known != has_name(o, at->obj)) {
			*others = true;
			continue;
		}
		name = place_hash(name_of(o, at->obj, maker), at->field);
		if (use->mode != ACCESS_ADD)
			*overwritten += hash_mix(name, at->version);
		if (is_shadow(at))
			continue;
		h += hash_mix(name, use->mode);
		if (use->mode == ACCESS_READ || use->mode == ACCESS_RMW)
			h += hash_mix(~name, at->version);
	}
	return h;
}

/* The event's digest: who, knowing what, saw what.  Then what it leaves behind. */
static void digest(struct order *o, struct happened *ev, uint64_t picks)
{
	const struct proc *p = &o->procs[ev->proc];
	uint64_t h = hash_mix(hash_mix(p->name, p->control), picks), maker, seen = 0;
	bool others = false;

	o->first_made = o->made->len;
	/* What it makes is named by all that it knew, for it may well make more later. */
	h += digest_seen(o, ev, 0, true, &others, &seen);
	maker = h;
	if (others)
		h += digest_seen(o, ev, maker, false, &others, &seen);
	for (uint32_t u = ev->uses_at; u < o->nr_uses; u++) {
		const struct use *use = &o->uses[u];
		struct place *at = &o->places[use->place];
		uint64_t name = place_hash(name_of(o, at->obj, maker), at->field);

		if (use->mode == ACCESS_READ || field_is_untold(at->field))
			continue;
		if (is_shadow(at))
			at->version += hash_mix(h, ~name);
		else if (is_flag(at, use->mode))
			set_version(o, at, name, hash_mix(1, name));
		else if (use->mode == ACCESS_WRITE || use->mode == ACCESS_RMW)
			set_version(o, at, name, hash_mix(h, name));
		else if (use->mode == ACCESS_ADD)
			set_version(o, at, name, at->version + hash_mix(h, ~name));
	}
	ev->hash = h;
	o->trace += hash_mix(h, seen);
}

/* Does the state show that the event has happened? */
static bool has_written(const struct order *o, const struct happened *ev)
{
	for (uint32_t u = ev->uses_at; u < o->nr_uses; u++) {
		const struct use *use = &o->uses[u];

		if (use->mode != ACCESS_READ && !is_shadow(&o->places[use->place]))
			return true;
	}
	return false;
}

/* A new context is what the event that set it going has made. */
static uint64_t proc_name(struct order *o, const struct event_info *info)
{
	uint64_t maker = info->poster == NO_EVENT ? 0 : event_at(o, info->poster)->hash;

	if (o->plain || !info->context || oid_nr(info->context) <= o->root_ids[OBJ_TASK])
		return info->key;
	o->first_made = o->made->len;
	return name_of(o, info->context, maker);
}

/* Whoever may have touched anything conflicts with all others. */
static void touch_everything(struct order *o, bool wild)
{
	if (o->everything == NONE)
		o->everything = place_of(o, 0, 0);
	o->touched[0] = o->everything;
	o->modes[0] = wild ? ACCESS_RMW : ACCESS_READ;
}

static void touch_all(struct order *o, const struct event_info *info)
{
	touch_everything(o, info->wild);
	for (uint32_t i = 0; i < info->nr_touches; i++) {
		const struct touch *t = &info->touches[i];

		o->touched[i + 1] = info->places ? info->places[i] : place_of(o, t->obj, t->field);
		o->modes[i + 1] = t->mode == ACCESS_ADD_LAST ? (uint32_t)ACCESS_ADD : t->mode;
	}
	for (uint32_t i = 0; i <= info->nr_touches; i++)
		collect(o, o->touched[i], o->modes[i], info->waited);
}

uint32_t order_place(struct order *o, oid_t obj, uint32_t field)
{
	return place_of(o, obj, field);
}

bool order_push(struct order *o, const struct event_info *info)
{
	uint32_t depth = o->depth, number = find_proc(o, info->key);
	uint32_t made_at = o->made->len;
	struct happened *ev;

	if (number == NONE && o->nr_procs == PROCS_MAX)
		return false;
	if (depth == o->events->len)
		g_ptr_array_add(o->events, g_new0(struct happened, 1));
	ev = event_at(o, depth);
	memset(ev->clock, 0, o->max_procs * sizeof(*ev->clock));
	ev->first = number == NONE;
	if (ev->first) {
		number = o->nr_procs++;
		o->max_procs = MAX(o->max_procs, o->nr_procs);
		o->procs[number] = (struct proc){.key = info->key, .last = NONE};
		o->procs[number].name = proc_name(o, info);
	}
	ev->proc = number;
	ev->before = o->procs[number].last;
	ev->uses_at = o->nr_uses;
	ev->made_at = made_at;
	ev->poster = info->poster;
	ev->old_control = o->procs[number].control;
	ev->old_state = o->state;
	ev->old_trace = o->trace;
	if (ev->before != NONE)
		join(ev, event_at(o, ev->before), o->nr_procs);
	if (info->poster != NO_EVENT && info->poster != ev->before)
		join(ev, event_at(o, info->poster), o->nr_procs);

	o->nr_races = 0;
	array_cut(o->releases, 0);
	touch_all(o, info);
	order_conflicts(o, ev, info->want_of ? place_of(o, info->want_of, info->want_field) : NONE);
	ev->clock[number] = depth + 1;

	for (uint32_t i = 0; i <= info->nr_touches; i++)
		use_place(o, o->touched[i], o->modes[i], depth);
	o->procs[number].last = depth;
	o->depth++;
	if (o->plain)
		return true;
	digest(o, ev, info->picks);
	/* The environment remembers nothing but what it has written, if it wrote anything. */
	set_control(o, &o->procs[number], info->context || !has_written(o, ev) ? ev->hash : 0);
	return true;
}

void order_pop(struct order *o)
{
	struct happened *ev = event_at(o, --o->depth);
	struct proc *p = &o->procs[ev->proc];

	for (uint32_t u = o->nr_uses; u-- > ev->uses_at;) {
		const struct use *use = &o->uses[u];

		o->places[use->place].last = use->before;
		o->places[use->place].version = use->old_version;
	}
	o->nr_uses = ev->uses_at;
	array_cut(o->made, ev->made_at);
	p->last = ev->before;
	p->control = ev->old_control;
	o->state = ev->old_state;
	o->trace = ev->old_trace;
	if (ev->first)
		o->nr_procs--;
}

uint32_t order_depth(const struct order *o)
{
	return o->depth;
}

uint32_t order_races(const struct order *o, uint32_t *races)
{
	if (o->nr_races > 0)
		memcpy(races, o->races, o->nr_races * sizeof(*races));
	return o->nr_races;
}

/* What happened before the last event by other ways than conflicts. */
static bool before_anyway(const struct order *o, const struct happened *ev, uint32_t depth)
{
	return (ev->before != NONE && order_before(o, depth, ev->before)) ||
	       (ev->poster != NONE && order_before(o, depth, ev->poster));
}

uint32_t order_wait_races(struct order *o, const uint32_t **races)
{
	const struct happened *ev = event_at(o, o->depth - 1);
	uint32_t n = 0;

	o->nr_races = 0;
	array_cut(o->releases, 0);
	for (uint32_t u = ev->uses_at; u < o->nr_uses; u++) {
		const struct use *mine = &o->uses[u];

		for (uint32_t b = mine->before; b != NONE;) {
			const struct use *use = &o->uses[b];

			/* As in collect(): a row of those that commute holds nothing else. */
			if (!modes_conflict(use->mode, mine->mode)) {
				b = use->other;
				continue;
			}
			b = use->before;
			if (!before_anyway(o, ev, use->depth)) {
				add_race(o, use->depth);
				note_release(o, &o->places[use->place], use, mine->mode);
			} else if (orders_all(use->mode)) {
				break;
			}
		}
	}
	sort_races(o);
	for (uint32_t i = 0; i < o->nr_races; i++) {
		if ((i == 0 || o->races[i] != o->races[i - 1]) && !is_release(o, o->races[i]))
			o->races[n++] = o->races[i];
	}
	o->nr_races = n;
	*races = o->races;
	return n;
}

/* Use @u of a place, or the latest one before it that did more than read; NONE: there is none. */
static uint32_t latest_change(const struct order *o, uint32_t u)
{
	/* Those who only read come in long rows. */
	return u != NONE && o->uses[u].mode == ACCESS_READ ? o->uses[u].other : u;
}

uint32_t order_turns(struct order *o, const uint32_t **turns)
{
	const struct happened *ev = event_at(o, o->depth - 1);

	o->nr_races = 0;
	for (uint32_t u = ev->uses_at; u < o->nr_uses; u++) {
		uint32_t b = latest_change(o, o->uses[u].before);

		if (o->places[o->uses[u].place].field != FIELD_TURN)
			continue;
		for (; b != NONE && !before_anyway(o, ev, o->uses[b].depth);
		     b = latest_change(o, o->uses[b].before))
			add_race(o, o->uses[b].depth);
	}
	*turns = o->races;
	return o->nr_races;
}

static uint32_t uses_end(const struct order *o, uint32_t depth)
{
	return depth + 1 < o->depth ? event_at(o, depth + 1)->uses_at : o->nr_uses;
}

/* Did the event at @depth use @place in such a way that all later uses are ordered after it? */
static bool orders_later(const struct order *o, uint32_t depth, uint32_t place)
{
	for (uint32_t u = event_at(o, depth)->uses_at; u < uses_end(o, depth); u++) {
		if (o->uses[u].place == place)
			return orders_all(o->uses[u].mode);
	}
	return false;
}

bool order_other_writer(const struct order *o, uint32_t depth)
{
	const struct happened *ev = event_at(o, o->depth - 1);

	for (uint32_t u = ev->uses_at; u < o->nr_uses; u++) {
		const struct use *mine = &o->uses[u];
		uint32_t b = latest_change(o, mine->before);

		if (b == NONE || o->uses[b].depth <= depth || orders_later(o, depth, mine->place))
			continue;
		for (; b != NONE && o->uses[b].depth > depth;
		     b = latest_change(o, o->uses[b].before)) {
			if (!order_before(o, depth, o->uses[b].depth))
				return true;
		}
	}
	return false;
}

/* How the event at @depth touched what @t is about; false: not at all. */
static bool used_by(const struct order *o, uint32_t depth, const struct touch *t, uint32_t *mode)
{
	for (uint32_t u = event_at(o, depth)->uses_at; u < uses_end(o, depth); u++) {
		const struct use *use = &o->uses[u];
		const struct place *at = &o->places[use->place];

		if (at->obj != t->obj || at->field != t->field)
			continue;
		*mode = use->mode;
		return true;
	}
	return false;
}

bool order_did_as_much(const struct order *o, uint32_t depth, const struct touch *touches,
		       uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t mine, other;

		if (!used_by(o, o->depth - 1, &touches[i], &mine))
			return false;
		if (mine == touches[i].mode || orders_all(mine))
			continue;
		if (!used_by(o, depth, &touches[i], &other) || !modes_conflict(other, mine))
			return false;
	}
	return true;
}

/* Whoever used the place of @mine before it, at @depth; NULL if the event there did not. */
static const struct use *earlier_use(const struct order *o, const struct use *mine, uint32_t depth)
{
	for (uint32_t b = mine->before; b != NONE;) {
		const struct use *use = &o->uses[b];

		if (use->depth <= depth)
			return use->depth == depth ? use : NULL;
		b = use->before;
	}
	return NULL;
}

bool order_unpins(const struct order *o, uint32_t race)
{
	const struct happened *ev = event_at(o, o->depth - 1);

	for (uint32_t u = ev->uses_at; u < o->nr_uses; u++) {
		const struct use *mine = &o->uses[u], *use;

		if (o->places[mine->place].field != FIELD_REF_BASE || !orders_all(mine->mode))
			continue;
		use = earlier_use(o, mine, race);
		if (use && use->mode == ACCESS_ADD)
			return true;
	}
	return false;
}

uint32_t order_previous(const struct order *o)
{
	return event_at(o, o->depth - 1)->before;
}

uint32_t order_pending_since(const struct order *o)
{
	const struct happened *ev = event_at(o, o->depth - 1);

	if (ev->before == NONE || (ev->poster != NONE && ev->poster > ev->before))
		return ev->poster;
	return ev->before;
}

bool order_before(const struct order *o, uint32_t a, uint32_t b)
{
	return in_clock(o, event_at(o, b), a);
}

uint32_t order_latest(const struct order *o, uint64_t key)
{
	uint32_t p = find_proc(o, key);

	return p == NONE ? NO_EVENT : o->procs[p].last;
}

uint64_t order_key(const struct order *o, uint32_t depth)
{
	return o->procs[event_at(o, depth)->proc].key;
}

/* Could the event at @depth come before the one at @race, if the last one is to do so? */
static bool can_precede(const struct order *o, uint32_t race, uint32_t depth)
{
	return depth == o->depth - 1 || !order_before(o, race, depth);
}

/* Did the place of @mine get used because of the event at @race, before the last event used it? */
static bool used_between(const struct order *o, const struct use *mine, uint32_t race)
{
	for (uint32_t b = mine->before; b != NONE;) {
		const struct use *use = &o->uses[b];

		if (use->depth <= race)
			return false;
		if (order_before(o, race, use->depth))
			return true;
		b = use->before;
	}
	return false;
}

/*
 * The puts of a counter, if the last event was the last one and the one at @race one before it.
 * Whatever counts needs to be ordered before the last put, so nothing else goes with that at @race.
 */
static const struct place *last_put_after(const struct order *o, uint32_t race)
{
	const struct happened *ev = event_at(o, o->depth - 1);
	const struct use *put = NULL;
	oid_t obj = 0;

	for (uint32_t u = ev->uses_at; u < o->nr_uses; u++) {
		const struct use *mine = &o->uses[u], *use;
		const struct place *at = &o->places[mine->place];

		if (mine->mode != ACCESS_RMW || at->field != FIELD_REF_PUTS)
			continue;
		use = earlier_use(o, mine, race);
		if (use && use->mode == ACCESS_ADD) {
			put = mine;
			obj = at->obj;
		}
	}
	for (uint32_t u = ev->uses_at; put && u < o->nr_uses; u++) {
		const struct use *mine = &o->uses[u];
		const struct place *at = &o->places[mine->place];

		if (at->obj == obj && at->field == FIELD_REF && used_between(o, mine, race))
			put = NULL;
	}
	return put ? &o->places[put->place] : NULL;
}

/*
 * The clock that the last event would have if its put left something: without the put at @race it
 * does.
 */
static void clock_if_not_last(const struct order *o, const struct place *puts, struct happened *as)
{
	const struct happened *ev = event_at(o, o->depth - 1);

	memset(as->clock, 0, o->nr_procs * sizeof(*as->clock));
	if (ev->before != NONE)
		join(as, event_at(o, ev->before), o->nr_procs);
	if (ev->poster != NONE)
		join(as, event_at(o, ev->poster), o->nr_procs);
	for (uint32_t u = ev->uses_at; u < o->nr_uses; u++) {
		const struct use *mine = &o->uses[u];
		const struct place *at = &o->places[mine->place];
		bool adds = at->obj == puts->obj && (at == puts || at->field == FIELD_REF);
		uint32_t mode = adds ? ACCESS_ADD : mine->mode;

		for (uint32_t b = mine->before; b != NONE;) {
			const struct use *use = &o->uses[b];

			if (modes_conflict(use->mode, mode))
				join(as, event_at(o, use->depth), o->nr_procs);
			if (orders_all(use->mode))
				break;
			b = use->before;
		}
	}
}

uint32_t order_initials(const struct order *o, uint32_t race, uint32_t *depths)
{
	/* Of each process's first event among them, depth + 1. */
	uint32_t first[PROCS_MAX], left = o->nr_procs, n = 0, last = o->depth - 1;
	const struct place *puts = last_put_after(o, race);
	struct happened as_put;

	if (puts)
		clock_if_not_last(o, puts, &as_put);
	memset(first, 0, o->nr_procs * sizeof(*first));
	for (uint32_t k = race + 1; k <= last && left > 0; k++) {
		const struct happened *ev = puts && k == last ? &as_put : event_at(o, k);
		uint32_t proc = event_at(o, k)->proc;
		bool initial = true;

		if (first[proc] || !can_precede(o, race, k))
			continue;
		for (uint32_t q = 0; q < o->nr_procs && initial; q++)
			initial = !first[q] || ev->clock[q] < first[q];
		first[proc] = k + 1;
		left--;
		if (initial)
			depths[n++] = k;
	}
	return n;
}

uint64_t order_fingerprint(const struct order *o)
{
	return o->state;
}

uint32_t order_places(const struct order *o, oid_t obj, enum access_mode mode,
		      struct touch *touches, uint32_t max)
{
	uint32_t n = 0;

	for (uint32_t p = 0; p < o->nr_places && n < max; p++) {
		const struct place *at = &o->places[p];

		if (at->obj == obj && at->last != NONE)
			touches[n++] = (struct touch){obj, at->field,
						      at->field == FIELD_LIFE ? ACCESS_READ : mode};
	}
	return n;
}

uint64_t order_trace(const struct order *o)
{
	return o->trace;
}

uint64_t order_process(const struct order *o)
{
	return o->procs[event_at(o, o->depth - 1)->proc].name;
}

/* One use is of the place that stands for everything. */
uint32_t order_nr_touches(const struct order *o, uint32_t depth)
{
	return uses_end(o, depth) - event_at(o, depth)->uses_at - 1;
}

/*
 * Where a task stands is told by lines, and it may take several steps in one: as long
 * as nothing else changed, what it did there counts as well.
 */
void order_set_control(struct order *o, uint64_t hash)
{
	set_control(o, &o->procs[event_at(o, o->depth - 1)->proc], hash);
}

void order_set_root_value(struct order *o, oid_t obj, uint32_t field, uint64_t value)
{
	uint32_t place = place_of(o, obj, field);

	o->places[place].root = hash_mix(1, value);
}

void order_set_value(struct order *o, oid_t obj, uint32_t field, uint64_t value)
{
	uint32_t place = place_of(o, obj, field);
	struct place *p = &o->places[place];

	/* Its use by the last event holds the version to go back to. */
	set_version(o, p, place_hash(name_of(o, obj, 0), field), hash_mix(1, value) ^ p->root);
}

void order_assume(struct order *o, oid_t obj, uint32_t field, uint64_t version)
{
	uint32_t place = place_of(o, obj, field);

	sim_assert(o->depth == 0);
	o->places[place].version = version;
}

void order_assume_control(struct order *o, uint64_t key, uint64_t control)
{
	uint32_t p = find_proc(o, key);

	sim_assert(o->depth == 0);
	if (p == NONE) {
		sim_assert(o->nr_procs < PROCS_MAX);
		p = o->nr_procs++;
		o->max_procs = MAX(o->max_procs, o->nr_procs);
		o->procs[p] = (struct proc){.key = key, .name = key, .last = NONE};
	}
	o->procs[p].control = control;
}

/* ---- effects ---------------------------------------------------------------------------- */

static bool at_root(const struct order *o, oid_t obj)
{
	return oid_nr(obj) <= o->root_ids[oid_kind(obj)];
}

/* Objects that are there at the root are their own names: see name_of(). */
static uint64_t root_name(const struct place *p)
{
	return place_hash(p->obj, p->field);
}

static struct effect effect_of(const struct place *at, const struct use *use)
{
	return (struct effect){
		.obj = at->obj,
		.field = at->field,
		.before = use->old_version,
		.after = at->version,
		.change = change_of(root_name(at), use->old_version, at->version),
		.root = at->root,
		.flag = is_flag(at, use->mode),
	};
}

bool order_effects(const struct order *o, struct effects *effects)
{
	const struct happened *ev = event_at(o, o->depth - 1);
	const struct proc *p = &o->procs[ev->proc];

	effects->nr = 0;
	effects->control_before = ev->old_control;
	effects->control = p->control;
	effects->control_change = change_of(p->name, ev->old_control, p->control);
	if (p->name != p->key)
		return false;
	for (uint32_t u = ev->uses_at; u < o->nr_uses; u++) {
		const struct use *use = &o->uses[u];
		const struct place *at = &o->places[use->place];

		/* The first use is of the place that stands for everything. */
		if (u == ev->uses_at ? use->mode != ACCESS_READ : !at_root(o, at->obj))
			return false;
		if (u == ev->uses_at || is_shadow(at))
			continue;
		if (effects->nr == TOUCHES_MAX)
			return false;
		effects->places[effects->nr++] = effect_of(at, use);
	}
	return true;
}

bool order_effects_so_far(const struct order *o, struct effects *effects)
{
	effects->nr = 0;
	for (uint32_t i = 0; i < o->nr_places; i++) {
		const struct place *at = &o->places[i];

		if (at->last == NONE || is_shadow(at) || at->version == 0)
			continue;
		if (effects->nr == TOUCHES_MAX || !at_root(o, at->obj))
			return false;
		effects->places[effects->nr++] = (struct effect){
			.obj = at->obj,
			.field = at->field,
			.after = at->version,
			.change = change_of(root_name(at), 0, at->version),
			.root = at->root,
			.flag = is_flag(at, ACCESS_WRITE),
		};
	}
	return true;
}

uint64_t order_version(const struct order *o, oid_t obj, uint32_t field, uint64_t *change)
{
	*change = 0;
	for (uint64_t h = place_hash(obj, field);; h++) {
		uint32_t slot = o->slots[h & (o->nr_slots - 1)];
		const struct place *p = &o->places[slot - 1];

		if (!slot)
			return 0;
		if (p->obj != obj || p->field != field)
			continue;
		*change = change_of(root_name(p), 0, p->version);
		return p->version;
	}
}

uint64_t order_control(const struct order *o, uint64_t key)
{
	uint32_t p = find_proc(o, key);

	return p == NONE ? 0 : o->procs[p].control;
}
