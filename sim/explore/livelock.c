// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/livelock.h"

#include <string.h>

#include "sim/explore/steps/order.h"
#include "sim/explore/search/seen.h"

/* More than these, and nothing is claimed. */
#define STATES_MAX 20000
#define BYTES_MAX ((size_t)256 << 20)
/* Steps in which a run that is no livelock mostly comes to its end, if all have their turn. */
#define TURNS_MAX 4000
/* Steps after which a turn is one step longer. */
#define TURN_GROWS 16
/* Steps of a context on its own within which it comes back to one state, if it spins. */
#define SPIN_MAX 256
#define PROCESSES_MAX 256

/* Whose turn it is: who has not stepped for longest. */
struct turns {
	uint64_t key[PROCESSES_MAX];
	uint32_t last[PROCESSES_MAX];
	uint32_t nr, now;
};

/* A state that is being left in all ways. */
struct place {
	void *world;
	uint32_t nr_choices, nr_steps;
	uint32_t next;	/* process to try, one more than the one that is being tried */
	GArray *choice; /* struct choice: what its step chose inside */
};

struct walk {
	struct exec *x;
	struct order *order;
	uint64_t base_steps; /* of the world, where the walk begins */
	GArray *places;	     /* struct place */
	size_t bytes;
	struct touch tidy[2 * TOUCHES_MAX];
	/* the exec's own, meanwhile */
	uint32_t (*inner)(struct exec *x, enum choice_kind kind, uint32_t n);
	void *strategy;
	GArray *choices;
	uint32_t nr_steps;
	void *world; /* where the walk begins */
};

/* ---- steps -------------------------------------------------------------------------------- */

static uint32_t first_alternative(struct exec *x, enum choice_kind kind, uint32_t n)
{
	(void)x;
	(void)kind;
	(void)n;
	return 0;
}

/* The world outlives the walk, and so do the choices that led there. */
static void begin(struct walk *w, struct exec *x)
{
	memset(w, 0, sizeof(*w));
	w->x = x;
	w->base_steps = x->s->w->nr_steps;
	w->inner = x->inner;
	w->strategy = x->strategy;
	w->choices = x->choices;
	w->nr_steps = x->nr_steps;
	w->world = g_aligned_alloc(1, x->s->save_size(x->s), 64);
	x->s->save(x->s, w->world);
	x->s->keep_quiet(x->s, true);
	x->choices = g_array_new(FALSE, FALSE, sizeof(struct choice));
	x->inner = first_alternative;
	x->strategy = w;
}

static void go_back(struct walk *w)
{
	w->x->s->restore(w->x->s, w->world);
	exec_rewind_to(w->x, 0, w->nr_steps);
}

/* @back: to where the walk began. */
static void end(struct walk *w, bool back)
{
	GError *ignored;

	if (back)
		go_back(w);
	w->x->s->keep_quiet(w->x->s, false);
	ignored = w->x->s->take_error(w->x->s);
	g_clear_error(&ignored);
	g_array_unref(w->x->choices);
	w->x->choices = w->choices;
	w->x->nr_steps = w->nr_steps;
	w->x->inner = w->inner;
	w->x->strategy = w->strategy;
	g_aligned_free(w->world);
}

static void note_root_value(void *arg, oid_t obj, uint32_t field, uint64_t value)
{
	order_set_root_value(arg, obj, field, value);
}

/* States are told apart from where the walk begins. */
static void begin_order(struct walk *w)
{
	struct subject *s = w->x->s;

	w->order = order_new();
	order_set_root(w->order, s->w->next_id);
	if (s->each_value)
		s->each_value(s, w->order, note_root_value);
}

static void note_values(struct walk *w, uint32_t nr_touches)
{
	struct subject *s = w->x->s;
	uint64_t value;

	for (uint32_t i = 0; s->value && i < nr_touches; i++) {
		const struct touch *t = &w->tidy[i];

		if (t->mode != ACCESS_READ && s->value(s, t->obj, t->field, &value))
			order_set_value(w->order, t->obj, t->field, value);
	}
}

static void note_control(struct walk *w, const struct task *t)
{
	struct subject *s = w->x->s;
	uint64_t control;

	if (t->state == TASK_DEAD || t->state == TASK_PARKED)
		order_set_control(w->order, t->state == TASK_DEAD);
	else if (s->control_hash && s->control_hash(s, t, &control))
		order_set_control(w->order, control);
}

/* Tell the order what the step was that @ev begins to describe; false if it has no room. */
static bool note_step(struct walk *w, struct event_info *ev, const struct task *t)
{
	struct exec *x = w->x;
	guint at = x->choices->len;

	while (g_array_index(x->choices, struct choice, at - 1).kind != CHOOSE_STEP)
		at--;
	for (; at < x->choices->len; at++)
		ev->picks = ev->picks * 31 + g_array_index(x->choices, struct choice, at).pick + 1;
	memcpy(w->tidy, x->touches, x->log.nr * sizeof(*w->tidy));
	ev->touches = w->tidy;
	ev->nr_touches = touches_tidy(w->tidy, x->log.nr);
	ev->wild = x->log.overflow;
	if (!order_push(w->order, ev))
		return false;
	note_values(w, ev->nr_touches);
	if (t)
		note_control(w, t);
	return true;
}

/* False when the run has stopped, a checker has spoken, or there are too many processes. */
static bool take_step(struct walk *w, uint32_t i)
{
	struct exec *x = w->x;
	const struct transition *tr = x->enabled[i].tr;
	const struct task *t = transition_context(tr);
	struct event_info ev = {
		.key = x->enabled[i].key,
		.context = t ? t->id : 0,
		.poster = tr->posted > w->base_steps ? (uint32_t)(tr->posted - w->base_steps - 1)
						     : NO_EVENT,
	};

	if (tr->wanted) {
		ev.poster = NO_EVENT;
		ev.want_of = transition_place(tr);
		ev.want_field = tr->field;
	}
	return exec_step(x, i) && !exec_violated(x) && (!w->order || note_step(w, &ev, t));
}

/* ---- one run in which all have their turn ---------------------------------------------------- */

static uint32_t *last_turn(struct turns *turns, uint64_t key)
{
	uint32_t i = 0;

	while (i < turns->nr && turns->key[i] != key)
		i++;
	if (i == turns->nr && turns->nr < PROCESSES_MAX) {
		turns->key[turns->nr] = key;
		turns->last[turns->nr++] = 0;
	}
	return &turns->last[MIN(i, PROCESSES_MAX - 1)];
}

static uint32_t pick_turn(struct turns *turns, const struct exec *x)
{
	uint32_t pick = 0;

	for (uint32_t i = 1; i < x->nr_enabled; i++) {
		if (*last_turn(turns, x->enabled[i].key) < *last_turn(turns, x->enabled[pick].key))
			pick = i;
	}
	*last_turn(turns, x->enabled[pick].key) = ++turns->now;
	return pick;
}

/*
 * A run that is over in one way or another is no livelock; most are.  Who has his turn
 * has it for longer and longer, so that those who are in each other's way part.
 */
static bool ends_in_turns(struct walk *w)
{
	struct turns turns = {.nr = 0};
	struct exec *x = w->x;
	uint64_t key = 0;
	uint32_t left = 0;

	for (uint32_t n = 0; n < TURNS_MAX; n++) {
		int i;

		if (!exec_look(x))
			return true;
		i = left > 0 ? exec_find(x, key) : -1;
		if (i < 0) {
			i = (int)pick_turn(&turns, x);
			key = x->enabled[i].key;
			left = 1 + n / TURN_GROWS;
		}
		left--;
		if (!take_step(w, (uint32_t)i))
			return true;
	}
	return false;
}

/* ---- all states ------------------------------------------------------------------------------ */

static struct place *top(const struct walk *w)
{
	return &g_array_index(w->places, struct place, w->places->len - 1);
}

static bool push_place(struct walk *w)
{
	struct exec *x = w->x;
	size_t size = x->s->save_size(x->s);
	struct place p = {
		.world = g_aligned_alloc(1, size, 64),
		.nr_choices = x->choices->len,
		.nr_steps = x->nr_steps,
		.choice = g_array_new(FALSE, FALSE, sizeof(struct choice)),
	};

	x->s->save(x->s, p.world);
	g_array_append_val(w->places, p);
	w->bytes += size;
	return w->bytes <= BYTES_MAX;
}

static void pop_place(struct walk *w)
{
	struct place *p = top(w);

	g_aligned_free(p->world);
	g_array_unref(p->choice);
	g_array_set_size(w->places, w->places->len - 1);
}

static uint32_t inner_of_place(struct exec *x, enum choice_kind kind, uint32_t n)
{
	const struct walk *w = x->strategy;
	const struct place *p = top(w);
	guint at = x->choices->len - p->nr_choices - 1;

	(void)kind;
	(void)n;
	return at < p->choice->len ? g_array_index(p->choice, struct choice, at).pick : 0;
}

/* The next variant of the step that was taken from @p; false when all have been. */
static bool next_variant(struct place *p)
{
	while (p->choice->len > 0) {
		struct choice *c = &g_array_index(p->choice, struct choice, p->choice->len - 1);

		if (++c->pick < c->n)
			return true;
		g_array_set_size(p->choice, p->choice->len - 1);
	}
	return false;
}

static void keep_variant(struct walk *w, struct place *p)
{
	const GArray *choices = w->x->choices;

	g_array_set_size(p->choice, 0);
	g_array_append_vals(p->choice, &g_array_index(choices, struct choice, p->nr_choices + 1),
			    choices->len - p->nr_choices - 1);
}

/* The next step out of the place on top; false when all were taken. */
static bool leave(struct walk *w, bool *ok)
{
	struct exec *x = w->x;
	struct place *p = top(w);

	x->s->restore(x->s, p->world);
	exec_rewind_to(x, p->nr_choices, p->nr_steps);
	exec_look(x);
	if ((p->next == 0 || !next_variant(p)) && ++p->next > x->nr_enabled)
		return false;
	*ok = take_step(w, p->next - 1);
	if (*ok)
		keep_variant(w, p);
	return true;
}

/* Is there no end among all that can come?  False as well when that is too much. */
static bool never_ends(struct walk *w)
{
	struct seen *seen = seen_new();
	bool ok = push_place(w);

	w->x->inner = inner_of_place;
	while (ok && w->places->len > 0) {
		ok = !w->x->interrupted || !*w->x->interrupted;
		if (!leave(w, &ok)) {
			pop_place(w);
			/* The step that led there, if it was not where the walk begins. */
			if (w->places->len > 0)
				order_pop(w->order);
		} else if (ok && seen_add(seen, order_fingerprint(w->order))) {
			ok = seen_count(seen) < STATES_MAX && exec_look(w->x) && push_place(w);
		} else if (ok) {
			order_pop(w->order);
		}
	}
	seen_free(seen);
	while (w->places->len > 0)
		pop_place(w);
	return ok;
}

bool livelock_is(struct exec *x)
{
	struct walk w;
	bool is = false;

	if (!exec_look(x))
		return false;
	begin(&w, x);
	if (!ends_in_turns(&w)) {
		go_back(&w);
		begin_order(&w);
		w.places = g_array_new(FALSE, FALSE, sizeof(struct place));
		is = never_ends(&w);
		g_array_unref(w.places);
		order_free(w.order);
	}
	end(&w, true);
	return is;
}

/* ---- the loop ------------------------------------------------------------------------------- */

/* Steps to where the loop begins, and of one round of it. */
struct round {
	uint32_t before, steps;
};

/* When a state was met before, last @before that; NO_EVENT if it was not. */
static uint32_t met_at(const GArray *states, uint64_t state, uint32_t before)
{
	for (uint32_t i = before; i-- > 0;) {
		if (g_array_index(states, uint64_t, i) == state)
			return i;
	}
	return NO_EVENT;
}

/* Has everybody who can step done so since the state @at, the first of which is 0? */
static bool all_had_turns(struct turns *turns, const struct exec *x, uint32_t at)
{
	for (uint32_t i = 0; i < x->nr_enabled; i++) {
		if (*last_turn(turns, x->enabled[i].key) <= at + 1)
			return false;
	}
	return true;
}

/* Who steps without end when all have their turn. */
static bool find_round(struct walk *w, struct round *round)
{
	g_autoptr(GArray) states = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	struct turns turns = {.nr = 0};
	bool found = false;

	begin_order(w);
	while (!found && states->len < TURNS_MAX && exec_look(w->x) &&
	       take_step(w, pick_turn(&turns, w->x))) {
		uint64_t state = order_fingerprint(w->order);
		uint32_t at = met_at(states, state, states->len);

		exec_look(w->x);
		while (at != NO_EVENT && !all_had_turns(&turns, w->x, at))
			at = met_at(states, state, at);
		found = at != NO_EVENT;
		/* States are those after the steps. */
		*round = (struct round){at + 1, states->len - at};
		g_array_append_val(states, state);
	}
	order_free(w->order);
	w->order = NULL;
	return found;
}

static void note_name(GString *names, const struct transition *tr)
{
	char name[64];
	g_autofree char *quoted = NULL;

	process_name(tr, name, sizeof(name));
	quoted = g_strdup_printf("%s, ", name);
	if (!strstr(names->str, quoted))
		g_string_append(names, quoted);
}

/* Take the steps of @round; what happens in it is on record then. */
static void play_round(struct walk *w, const struct round *round)
{
	g_autoptr(GString) names = g_string_new(NULL);
	struct turns turns = {.nr = 0};
	struct exec *x = w->x;
	struct livelock loop = {.nr_steps = round->steps};

	x->s->keep_quiet(x->s, false);
	for (uint32_t n = 0; n < round->before + round->steps && exec_look(x); n++) {
		uint32_t i = pick_turn(&turns, x);
		const struct task *t = transition_context(x->enabled[i].tr);

		if (n == round->before)
			loop.since = x->s->w->nr_records + 1;
		if (n >= round->before) {
			note_name(names, x->enabled[i].tr);
			if (t && !loop.task)
				loop.task = t->id;
		}
		if (!take_step(w, i))
			return;
	}
	g_string_truncate(names, names->len - 2);
	loop.who = g_intern_string(names->str);
	x->s->livelock(x->s, &loop);
}

bool livelock_end(struct exec *x)
{
	struct round round;
	struct walk w;
	bool is;

	if (!x->s->livelock || !livelock_is(x))
		return false;
	begin(&w, x);
	is = find_round(&w, &round);
	go_back(&w);
	if (is)
		play_round(&w, &round);
	end(&w, false);
	return is;
}

bool run_end(struct exec *x)
{
	if (exec_look(x))
		return livelock_end(x);
	x->s->finish(x->s);
	return true;
}

bool livelock_spins(struct exec *x, uint64_t key)
{
	g_autoptr(GArray) states = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	struct walk w;
	bool spins = false;

	begin(&w, x);
	begin_order(&w);
	while (!spins && states->len < SPIN_MAX && exec_look(x)) {
		int i = exec_find(x, key);
		uint64_t state;

		if (i < 0 || !take_step(&w, (uint32_t)i))
			break;
		state = order_fingerprint(w.order);
		spins = met_at(states, state, states->len) != NO_EVENT;
		g_array_append_val(states, state);
	}
	order_free(w.order);
	end(&w, true);
	return spins;
}
