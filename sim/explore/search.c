// SPDX-License-Identifier: GPL-2.0-only
/*
 * Searching: the tree of choices, depth first.
 *
 * The path from the root stands on a stack of nodes, one for each step.  To go
 * back to a branch, the nearest snapshot above it is restored and the steps from
 * there are taken again.  What is tried at a node is what the strategies differ
 * in:
 *
 * - bounded: every process that can step, as long as the preemptions last;
 * - exhaustive: every process that can step, until a known state is met;
 * - dpor: at first one process, and one more for each race that the steps below
 *   turn out to have with this one (source sets, Abdulla et al., POPL 2014); what
 *   was tried sleeps until somebody conflicts with it (sleep sets, Godefroid).
 *
 * What comes up inside a step (a failing allocation, a choice of the script) is
 * tried in full below every one of them.
 */

#include "sim/explore/driver.h"
#include "sim/explore/order.h"
#include "sim/explore/seen.h"

#include <string.h>

#define SNAPSHOT_EVERY 16

/* How contexts lie on top of each other on a CPU. */
enum level { LEVEL_TASK, LEVEL_SOFTIRQ, LEVEL_HARDIRQ, NR_LEVELS, LEVEL_NONE = NR_LEVELS };

/* Where a step was taken. */
struct where {
	enum level level;   /* of the context; LEVEL_NONE for the environment */
	enum level arrival; /* of the context that arrives on top; LEVEL_NONE: none does */
	uint32_t cpu;
	bool masked[NR_LEVELS];	    /* does the context keep arrivals of that level out? */
	uint32_t region[NR_LEVELS]; /* if so, depth of the step that began to */
	uint32_t activation;	    /* of an interrupt context: depth of its arrival */
};

struct sleeper {
	uint64_t key;
	uint32_t touches_at, nr_touches;
	bool opens; /* its step began what nobody else on its CPU can come in between */
	uint32_t cpu;
	bool wild;
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
	bool wild;	    /* what is being tried may touch anything */
	bool stepped;	    /* the order has the step */
	struct where where; /* the step that is being tried */
	bool opens;	    /* it began what nobody else on the CPU can come in between */
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
	uint32_t nr_snapshots;
	GArray *script; /* struct choice: what the next steps have to choose again */
	uint32_t *races;
	uint32_t max_races;
	uint32_t activations[NR_CPUS_MAX][NR_LEVELS]; /* latest arrivals on the path */
	struct touch tidy[2 * TOUCHES_MAX];
};

static struct node *node_at(const struct search *s, uint32_t depth)
{
	return &g_array_index(s->nodes, struct node, depth);
}

static struct node *top(const struct search *s)
{
	return node_at(s, s->nodes->len - 1);
}

static uint64_t key_at(const struct search *s, const struct node *n, uint32_t i)
{
	return g_array_index(s->keys, uint64_t, n->keys_at + i);
}

static int find_key(const struct search *s, const struct node *n, uint64_t key)
{
	for (uint32_t i = 0; i < n->nr_enabled; i++) {
		if (key_at(s, n, i) == key)
			return (int)i;
	}
	return -1;
}

/* ---- choices inside a step ----------------------------------------------------------------- */

/* As the script says, and the first alternative where it ends. */
static uint32_t inner_choice(struct exec *x, enum choice_kind kind, uint32_t n)
{
	struct search *s = x->strategy;
	guint at = x->choices->len;

	(void)kind;
	if (at >= s->script->len)
		return 0;
	sim_assert(g_array_index(s->script, struct choice, at).n == n);
	return g_array_index(s->script, struct choice, at).pick;
}

/* Turn the script into the next variant of @n's step; false when all have been tried. */
static bool next_variant(struct search *s, const struct node *n)
{
	GArray *choices = s->x->choices;

	g_array_set_size(s->script, 0);
	g_array_append_vals(s->script, choices->data, choices->len);
	while (s->script->len > n->choices_at + 1) {
		struct choice *c = &g_array_index(s->script, struct choice, s->script->len - 1);

		if (c->pick + 1 < c->n) {
			c->pick++;
			return true;
		}
		g_array_set_size(s->script, s->script->len - 1);
	}
	return false;
}

/* ---- snapshots ----------------------------------------------------------------------------- */

static void take_snapshot(struct search *s)
{
	struct subject *subject = s->x->s;
	size_t size = subject->save_size(subject);
	struct snapshot *snap;

	if (s->nr_snapshots == s->snapshots->len) {
		struct snapshot fresh = {0};

		g_array_append_val(s->snapshots, fresh);
	}
	snap = &g_array_index(s->snapshots, struct snapshot, s->nr_snapshots++);
	if (snap->size < size) {
		g_aligned_free(snap->buffer);
		snap->size = size + size / 8;
		snap->buffer = g_aligned_alloc(1, snap->size, 64);
	}
	snap->depth = s->x->nr_steps;
	snap->nr_choices = s->x->choices->len;
	subject->save(subject, snap->buffer);
}

/* Bring the world to where the node at @depth was made; the script has all choices before. */
static void go_back_to(struct search *s, uint32_t depth)
{
	struct exec *x = s->x;
	const struct snapshot *snap;

	while (g_array_index(s->snapshots, struct snapshot, s->nr_snapshots - 1).depth > depth)
		s->nr_snapshots--;
	snap = &g_array_index(s->snapshots, struct snapshot, s->nr_snapshots - 1);
	x->s->restore(x->s, snap->buffer);
	exec_rewind_to(x, snap->nr_choices, snap->depth);
	while (x->nr_steps < depth) {
		const struct choice *c = &g_array_index(s->script, struct choice, x->choices->len);
		bool ok;

		exec_look(x);
		ok = exec_step(x, c->pick);
		sim_assert(ok);
		s->d->result->stats.nr_steps++;
	}
	exec_look(x);
}

/* ---- nodes --------------------------------------------------------------------------------- */

static const struct touch *touches_of(const struct search *s, const struct sleeper *z)
{
	return &g_array_index(s->touches, struct touch, z->touches_at);
}

/* Who slept above and is not concerned by the step @n just took goes on sleeping. */
static void inherit_sleep(struct search *s, struct node *child, const struct node *n)
{
	const struct touch *step = &g_array_index(s->touches, struct touch, n->touches_at);
	uint32_t nr_step = s->touches->len - n->touches_at;

	for (uint32_t i = 0; i < n->nr_sleep; i++) {
		struct sleeper z = g_array_index(s->sleepers, struct sleeper, n->sleep_at + i);

		if (z.opens && n->where.level != LEVEL_NONE && n->where.cpu == z.cpu)
			continue;
		if (z.wild || n->wild || z.key == key_at(s, n, n->pick) ||
		    touches_conflict(touches_of(s, &z), z.nr_touches, step, nr_step))
			continue;
		g_array_append_val(s->sleepers, z);
		child->nr_sleep++;
	}
}

static bool sleeps(const struct search *s, const struct node *n, uint64_t key)
{
	for (uint32_t i = 0; i < n->nr_sleep; i++) {
		if (g_array_index(s->sleepers, struct sleeper, n->sleep_at + i).key == key)
			return true;
	}
	return false;
}

static uint64_t all_of(const struct node *n)
{
	return n->nr_enabled == 64 ? UINT64_MAX : (UINT64_C(1) << n->nr_enabled) - 1;
}

/* The process that may go on without anybody being preempted. */
static int natural(const struct search *s, const struct node *n)
{
	return n->current ? find_key(s, n, n->current) : -1;
}

/* First in line: whoever stepped last, else the first that does not sleep. */
static uint64_t first_of(const struct search *s, const struct node *n)
{
	int i = natural(s, n);

	if (i >= 0 && !sleeps(s, n, key_at(s, n, (uint32_t)i)))
		return UINT64_C(1) << i;
	for (uint32_t k = 0; k < n->nr_enabled; k++) {
		if (!sleeps(s, n, key_at(s, n, k)))
			return UINT64_C(1) << k;
	}
	return 0;
}

static uint64_t to_try(const struct search *s, const struct node *n)
{
	int i;

	switch (s->strategy) {
	case STRATEGY_DPOR:
		return first_of(s, n);
	case STRATEGY_BOUNDED:
		i = natural(s, n);
		if (i >= 0 && n->preemptions >= s->bound)
			return UINT64_C(1) << i;
		return all_of(n);
	default:
		return all_of(n);
	}
}

/* A node for the state that the world is in. */
static void push_node(struct search *s)
{
	struct exec *x = s->x;
	struct node n = {
		.keys_at = s->keys->len,
		.nr_enabled = x->nr_enabled,
		.sleep_at = s->sleepers->len,
		.choices_at = x->choices->len,
	};

	for (uint32_t i = 0; i < x->nr_enabled; i++)
		g_array_append_val(s->keys, x->enabled[i].key);
	if (s->nodes->len > 0) {
		const struct node *up = top(s);

		n.current = up->current_after;
		n.preemptions = up->preemptions_after;
		inherit_sleep(s, &n, up);
	}
	n.touches_base = s->touches->len;
	n.todo = to_try(s, &n);
	g_array_append_val(s->nodes, n);
}

static void pop_node(struct search *s)
{
	const struct node *n = top(s);

	g_array_set_size(s->keys, n->keys_at);
	g_array_set_size(s->sleepers, n->sleep_at);
	g_array_set_size(s->touches, n->touches_base);
	g_array_set_size(s->nodes, s->nodes->len - 1);
}

/* ---- races --------------------------------------------------------------------------------- */

/*
 * What can precede @race must run from where that was taken.  It does not if it
 * needs a context that is interrupted there by one that it does not let finish, or
 * an interrupt that is masked there by one that it does not let unmask it: then it
 * has to come before the interrupt, or before the masking.
 *
 * Return: the depth from which it runs.
 */
static uint32_t blocked_at(const struct search *s, uint32_t race, uint32_t depth, bool needed)
{
	const struct where *x = &node_at(s, depth)->where;

	for (uint32_t k = race; k < depth; k++) {
		const struct where *w = &node_at(s, k)->where;

		if (w->cpu != x->cpu || w->level == LEVEL_NONE ||
		    (k != race && order_can_precede(s->order, race, k, needed)))
			continue;
		if (x->level != LEVEL_NONE && w->level > x->level && w->activation < race)
			return w->activation;
		if (x->level == LEVEL_TASK && w->level == LEVEL_TASK && w->masked[LEVEL_TASK] &&
		    w->region[LEVEL_TASK] < race &&
		    order_key(s->order, k) != order_key(s->order, depth))
			return w->region[LEVEL_TASK];
		if (x->arrival != LEVEL_NONE && w->level < x->arrival && w->masked[x->arrival] &&
		    w->region[x->arrival] < race)
			return w->region[x->arrival];
	}
	return race;
}

static uint32_t runs_from(const struct search *s, uint32_t race, bool needed)
{
	uint32_t last = order_depth(s->order) - 1, from = race;

	for (uint32_t k = race + 1; k <= last && from == race; k++) {
		const struct where *x = &node_at(s, k)->where;

		if ((x->level != LEVEL_NONE || x->arrival != LEVEL_NONE) &&
		    order_can_precede(s->order, race, k, needed))
			from = blocked_at(s, race, k, needed);
	}
	return from == race ? race : runs_from(s, from, needed);
}

/*
 * An interrupt or a section that keeps others out cannot come first if something
 * else on its CPU has to come before one of its steps: do not count on that it can.
 */
static bool can_open(const struct search *s, uint32_t race, bool needed, uint32_t depth)
{
	const struct node *x = node_at(s, depth);

	if (!x->opens)
		return true;
	for (uint32_t k = race + 1; k < depth; k++) {
		const struct where *w = &node_at(s, k)->where;

		if (w->level != LEVEL_NONE && w->cpu == x->where.cpu &&
		    order_can_precede(s->order, race, k, needed))
			return false;
	}
	return true;
}

/* The last event could have come before the one at @race: see that somebody tries it. */
static void reverse(struct search *s, uint32_t race)
{
	struct node *n;
	uint32_t depths[PROCS_MAX];
	uint64_t bits = 0;
	uint64_t last = order_key(s->order, order_depth(s->order) - 1);
	bool needed = false;
	uint32_t nr;

	/* All that can come along, if that runs; else just what it takes. */
	if (runs_from(s, race, false) != race) {
		needed = true;
		race = runs_from(s, race, true);
	}
	n = node_at(s, race);
	nr = order_initials(s->order, race, needed, depths);
	for (uint32_t i = 0; i < nr; i++) {
		uint64_t key = order_key(s->order, depths[i]);
		int k = find_key(s, n, key);

		if (!can_open(s, race, needed, depths[i]))
			continue;
		/* Asleep: all that begins with it was tried from further up. */
		if (sleeps(s, n, key))
			return;
		if (k < 0)
			continue;
		if ((n->todo | n->done) & UINT64_C(1) << k)
			return;
		if (!bits || key == last)
			bits = UINT64_C(1) << k;
	}
	/* None of them can step there: something in between made them able to. */
	n->todo |= bits ? bits : all_of(n);
}

static void reverse_races(struct search *s)
{
	uint32_t n;

	if (s->max_races <= order_depth(s->order)) {
		s->max_races = 2 * order_depth(s->order);
		s->races = g_renew(uint32_t, s->races, s->max_races);
	}
	n = order_races(s->order, s->races);
	for (uint32_t i = 0; i < n; i++)
		reverse(s, s->races[i]);
}

/*
 * The last event had to wait for a condition.  It can overtake one that conflicts with
 * it only where the condition holds without that: as far as is known, where it stood
 * in line already and could step, or where somebody else may have made it hold.
 */
static void reverse_waits(struct search *s)
{
	uint32_t previous = order_previous(s->order);
	const uint32_t *races;
	uint32_t n = order_wait_races(s->order, &races);
	uint64_t key = order_key(s->order, order_depth(s->order) - 1);

	for (uint32_t i = 0; i < n; i++) {
		bool waited = previous == NO_EVENT || previous < races[i];

		if (waited && find_key(s, node_at(s, races[i]), key) < 0 &&
		    !order_other_writer(s->order, races[i]))
			continue;
		reverse(s, races[i]);
		if (waited)
			return;
	}
}

/* ---- steps --------------------------------------------------------------------------------- */

enum stepped { STEPPED, STEPPED_PRUNED, STEPPED_FAILED, STEPPED_STOPPED };

static enum level level_of(const struct task *t)
{
	switch (t->ctx) {
	case CTX_SOFTIRQ:
		return LEVEL_SOFTIRQ;
	case CTX_HARDIRQ:
		return LEVEL_HARDIRQ;
	default:
		return LEVEL_TASK;
	}
}

/* Does @t, between two steps, keep contexts of @level off its CPU? */
static bool keeps_out(const struct task *t, enum level level)
{
	if (t->cpu->cur != t)
		return false;
	switch (level) {
	case LEVEL_TASK:
		return level_of(t) == LEVEL_TASK && !cpu_open(t->cpu);
	case LEVEL_SOFTIRQ:
		return t->irq_off > 0 || t->bh_off > 0;
	default:
		return t->irq_off > 0;
	}
}

/* Did the step of @t, or the arrival, begin something indivisible to others on the CPU? */
static bool opens_section(const struct node *n, const struct task *t)
{
	const struct where *w = &n->where;

	if (!t)
		return w->arrival != LEVEL_NONE;
	for (enum level l = LEVEL_TASK; l < NR_LEVELS; l++) {
		if (!w->masked[l] && keeps_out(t, l))
			return true;
	}
	return false;
}

/* Since when @t masks interrupts of @level, as seen before its step at @depth. */
static void note_mask(const struct search *s, struct where *w, enum level level, uint64_t key,
		      uint32_t depth)
{
	uint32_t before = order_latest(s->order, key);
	const struct where *b;

	w->region[level] = depth;
	if (!w->masked[level] || before == NO_EVENT)
		return;
	b = &node_at(s, before)->where;
	w->region[level] = b->masked[level] ? b->region[level] : before;
}

/* Where the step is going to be taken that @tr stands for. */
static void note_where(struct search *s, struct node *n, const struct transition *tr)
{
	uint32_t depth = s->nodes->len - 1;
	uint64_t key = key_at(s, n, n->pick);
	struct where *w = &n->where;
	const struct task *t;

	*w = (struct where){.level = LEVEL_NONE, .arrival = LEVEL_NONE, .activation = NO_EVENT};
	if (tr->kind == TRANSITION_IRQ) {
		w->cpu = (uint32_t)oid_nr(tr->obj) - 1;
		w->arrival = tr == &s->x->s->w->cpus[w->cpu].softirq ? LEVEL_SOFTIRQ
								     : LEVEL_HARDIRQ;
		return;
	}
	if (tr->kind != TRANSITION_STEP)
		return;
	t = transition_context(tr);
	w->cpu = t->cpu->nr;
	w->level = level_of(t);
	w->activation = s->activations[w->cpu][w->level];
	w->masked[LEVEL_TASK] = keeps_out(t, LEVEL_TASK);
	w->masked[LEVEL_SOFTIRQ] = keeps_out(t, LEVEL_SOFTIRQ);
	w->masked[LEVEL_HARDIRQ] = keeps_out(t, LEVEL_HARDIRQ);
	for (enum level l = LEVEL_TASK; l < NR_LEVELS; l++)
		note_mask(s, w, l, key, depth);
}

/* Put the step that @n has just taken where the strategy looks for it. */
static bool note_step(struct search *s, struct node *n, uint64_t posted, oid_t context,
		      const struct transition *wanted)
{
	struct exec *x = s->x;
	struct event_info ev = {
		.key = key_at(s, n, n->pick),
		.poster = posted > s->base_steps ? (uint32_t)(posted - s->base_steps - 1)
						 : NO_EVENT,
		.context = context,
		.touches = s->tidy,
		.wild = x->log.overflow,
	};

	if (wanted) {
		ev.poster = NO_EVENT;
		ev.want_of = wanted->obj ? wanted->obj : UNBOUND_POOL;
		ev.want_field = wanted->field;
	}
	for (guint i = n->choices_at + 1; i < x->choices->len; i++)
		ev.picks = ev.picks * 31 + g_array_index(x->choices, struct choice, i).pick + 1;
	memcpy(s->tidy, x->touches, x->log.nr * sizeof(*s->tidy));
	ev.nr_touches = touches_tidy(s->tidy, x->log.nr);
	g_array_append_vals(s->touches, s->tidy, ev.nr_touches);
	n->wild |= ev.wild;
	n->stepped = order_push(s->order, &ev);
	if (n->where.arrival != LEVEL_NONE)
		s->activations[n->where.cpu][n->where.arrival] = s->nodes->len - 1;
	return n->stepped;
}

static bool known_state(struct search *s, const struct node *n)
{
	uint64_t state = order_fingerprint(s->order);

	/* What is left of the bound, and who goes on for free, decide what is below as well. */
	if (s->strategy == STRATEGY_BOUNDED)
		state = (state ^ n->current_after) * UINT64_C(0x9e3779b97f4a7c15) +
			n->preemptions_after;
	return !seen_add(s->seen, state);
}

static void stop_with(struct search *s, const char *what, unsigned int max)
{
	if (!s->d->stopped)
		g_set_error(&s->d->result->error, g_quark_from_static_string("slabsim-explore"), 0,
			    "more than %u %s: too many for the strategy '%s'; 'random' and 'pct' "
			    "have no such limit",
			    max, what, strategy_infos[s->strategy].name);
	driver_stop(s->d, END_ERROR);
}

/* Who goes on for free after this step, and what it cost. */
static void note_switch(const struct search *s, struct node *n, bool context)
{
	int i = natural(s, n);

	n->preemptions_after = n->preemptions + (i >= 0 && (uint32_t)i != n->pick);
	n->current_after = context ? key_at(s, n, n->pick) : n->current;
}

/* What was written, where that is better known than by whom. */
static void note_values(struct search *s)
{
	struct subject *subject = s->x->s;
	const struct node *n = top(s);
	uint64_t value;

	for (guint i = n->touches_at; subject->value && i < s->touches->len; i++) {
		const struct touch *w = &g_array_index(s->touches, struct touch, i);

		if (w->mode != ACCESS_READ && subject->value(subject, w->obj, w->field, &value))
			order_set_value(s->order, w->obj, w->field, value);
	}
}

static void note_root_value(void *arg, oid_t obj, uint32_t field, uint64_t value)
{
	order_set_root_value(arg, obj, field, value);
}

/* How @t goes on, where that is known better than by all that it did. */
static void note_control(struct search *s, const struct task *t)
{
	struct subject *subject = s->x->s;
	uint64_t control;

	if (t->state == TASK_DEAD || t->state == TASK_PARKED)
		order_set_control(s->order, t->state == TASK_DEAD);
	else if (subject->control_hash && subject->control_hash(subject, t, &control))
		order_set_control(s->order, control);
}

static enum stepped take_step(struct search *s)
{
	struct exec *x = s->x;
	struct node *n = top(s);
	const struct transition *tr = x->enabled[n->pick].tr;
	struct transition wanted = *tr;
	uint64_t posted = tr->posted;
	bool context = tr->kind == TRANSITION_STEP;
	const struct task *t = transition_context(tr);
	bool waited = t && t->await.ready;

	s->d->result->stats.nr_steps++;
	note_where(s, n, tr);
	if (!exec_step(x, n->pick))
		return STEPPED_STOPPED;
	note_switch(s, n, context);
	n->opens |= opens_section(n, t);
	if (!note_step(s, n, posted, t ? t->id : 0, wanted.wanted ? &wanted : NULL)) {
		stop_with(s, "processes in one run", PROCS_MAX);
		return STEPPED_STOPPED;
	}
	if (s->strategy == STRATEGY_DPOR) {
		if (waited)
			reverse_waits(s);
		else
			reverse_races(s);
	}
	if (exec_violated(x))
		return STEPPED_FAILED;
	if (s->strategy == STRATEGY_DPOR)
		return STEPPED;
	note_values(s);
	if (t)
		note_control(s, t);
	if (!known_state(s, n))
		return STEPPED;
	s->d->result->stats.nr_pruned++;
	return STEPPED_PRUNED;
}

/* ---- down and back up ---------------------------------------------------------------------- */

/* Pick the next to try at the node on top; false when none is left. */
static bool pick_next(struct search *s)
{
	struct node *n = top(s);
	uint64_t left = n->todo & ~n->done;
	int i = natural(s, n);

	while (left) {
		uint32_t k = i >= 0 && left & UINT64_C(1) << i ? (uint32_t)i
							       : (uint32_t)__builtin_ctzll(left);

		left &= ~(UINT64_C(1) << k);
		if (s->strategy == STRATEGY_DPOR && sleeps(s, n, key_at(s, n, k))) {
			n->done |= UINT64_C(1) << k;
			continue;
		}
		n->pick = k;
		n->wild = n->opens = false;
		n->touches_at = s->touches->len;
		return true;
	}
	return false;
}

static void end_of_run(struct search *s)
{
	s->x->s->finish(s->x->s);
	driver_run_ended(s->d, true);
}

/* From the node on top, whose pick is made, down to the end of a run. */
static void descend(struct search *s)
{
	struct driver *d = s->d;

	for (;;) {
		switch (take_step(s)) {
		case STEPPED:
			break;
		case STEPPED_FAILED:
			driver_run_ended(d, false);
			return;
		case STEPPED_STOPPED:
			driver_run_stopped(d);
			d->result->stats.nr_cut++;
			return;
		case STEPPED_PRUNED:
			return;
		}
		if (!exec_look(s->x)) {
			end_of_run(s);
			return;
		}
		if (s->nodes->len >= d->max_steps) {
			d->result->stats.nr_cut++;
			return;
		}
		if (s->x->too_many) {
			stop_with(s, "processes that can step at once", ENABLED_MAX);
			return;
		}
		push_node(s);
		if (s->x->nr_steps % SNAPSHOT_EVERY == 0)
			take_snapshot(s);
		if (!pick_next(s)) {
			pop_node(s);
			d->result->stats.nr_blocked++;
			return;
		}
	}
}

/* Several variants may have been tried. */
static void tidy_tail(struct search *s, uint32_t at)
{
	uint32_t nr = s->touches->len - at;

	g_array_set_size(s->touches, at + 2 * nr);
	nr = touches_tidy(&g_array_index(s->touches, struct touch, at), nr);
	g_array_set_size(s->touches, at + nr);
}

/* What was tried at @n in all variants sleeps from now on. */
static void put_to_sleep(struct search *s, struct node *n)
{
	struct sleeper z = {
		.key = key_at(s, n, n->pick),
		.touches_at = n->touches_at,
		.wild = n->wild,
	};

	n->done |= UINT64_C(1) << n->pick;
	if (s->strategy != STRATEGY_DPOR) {
		g_array_set_size(s->touches, n->touches_at);
		return;
	}
	tidy_tail(s, n->touches_at);
	z.nr_touches = s->touches->len - n->touches_at;
	z.opens = n->opens;
	z.cpu = n->where.cpu;
	g_array_append_val(s->sleepers, z);
	n->nr_sleep++;
}

/* The arrivals on the path, once the last step is taken back. */
static void forget_arrival(struct search *s, const struct node *n)
{
	const struct where *w = &n->where;

	if (w->arrival == LEVEL_NONE)
		return;
	s->activations[w->cpu][w->arrival] = NO_EVENT;
	for (uint32_t k = 0; k + 1 < s->nodes->len; k++) {
		const struct where *b = &node_at(s, k)->where;

		if (b->cpu == w->cpu && b->arrival == w->arrival)
			s->activations[w->cpu][w->arrival] = k;
	}
}

/* To the deepest node where something is left to try; false when nothing is. */
static bool climb(struct search *s)
{
	while (s->nodes->len > 0) {
		struct node *n = top(s);
		uint32_t depth = s->nodes->len - 1;

		if (n->stepped) {
			order_pop(s->order);
			forget_arrival(s, n);
		}
		n->stepped = false;
		if (next_variant(s, n)) {
			go_back_to(s, depth);
			return true;
		}
		put_to_sleep(s, n);
		if (pick_next(s)) {
			go_back_to(s, depth);
			g_array_set_size(s->script, n->choices_at);
			return true;
		}
		/* What is left are the choices of the step that led here. */
		g_array_set_size(s->x->choices, n->choices_at);
		pop_node(s);
	}
	return false;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static void search_init(struct search *s, struct driver *d, enum strategy strategy)
{
	s->d = d;
	s->x = d->x;
	s->strategy = strategy;
	s->order = order_new();
	s->seen = seen_new();
	s->nodes = g_array_new(FALSE, FALSE, sizeof(struct node));
	s->keys = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	s->sleepers = g_array_new(FALSE, FALSE, sizeof(struct sleeper));
	s->touches = g_array_new(FALSE, FALSE, sizeof(struct touch));
	s->snapshots = g_array_new(FALSE, FALSE, sizeof(struct snapshot));
	s->script = g_array_new(FALSE, FALSE, sizeof(struct choice));
	d->x->inner = inner_choice;
	d->x->strategy = s;
	d->result->stats.strategy = strategy;
}

static void search_clear(struct search *s)
{
	for (guint i = 0; i < s->snapshots->len; i++)
		g_aligned_free(g_array_index(s->snapshots, struct snapshot, i).buffer);
	order_free(s->order);
	seen_free(s->seen);
	g_array_unref(s->nodes);
	g_array_unref(s->keys);
	g_array_unref(s->sleepers);
	g_array_unref(s->touches);
	g_array_unref(s->snapshots);
	g_array_unref(s->script);
	g_free(s->races);
}

void search(struct driver *d, enum strategy strategy, uint32_t bound)
{
	struct search s = {.bound = bound};

	search_init(&s, d, strategy);
	memset(s.activations, 0xff, sizeof(s.activations));
	exec_restart(d->x);
	s.base_steps = d->x->s->w->nr_steps;
	order_set_root(s.order, d->x->s->w->next_id);
	if (d->x->s->each_value)
		d->x->s->each_value(d->x->s, s.order, note_root_value);
	take_snapshot(&s);
	(void)seen_add(s.seen, order_fingerprint(s.order));
	if (exec_look(d->x)) {
		push_node(&s);
		if (pick_next(&s)) {
			do
				descend(&s);
			while (driver_may_go_on(d) && climb(&s));
		}
	} else {
		end_of_run(&s);
	}
	if (strategy == STRATEGY_EXHAUSTIVE)
		d->result->stats.nr_states = seen_count(s.seen);
	search_clear(&s);
}
