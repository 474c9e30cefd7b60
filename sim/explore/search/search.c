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
#include "sim/explore/livelock.h"
#include "sim/explore/search/order.h"
#include "sim/explore/parallel/position.h"
#include "sim/explore/search/seen.h"

#include <string.h>

/*
 * Steps between two snapshots.  A search by states goes back after nearly every step,
 * dpor only to where it found a race, and most of its snapshots are never used.
 */
#define SNAPSHOT_EVERY 2
#define SNAPSHOT_EVERY_DPOR 8
/* So that those of a long path stay in the caches. */
#define SNAPSHOTS_MAX 48
/* dpor: at so many steps, and again at so many times that, a run may be one that never ends. */
#define LONG_STEPS 2048
#define LONG_FACTOR 4
/* Places in a table of who may be on the path. */
#define PATH_SLOTS 4096

/* How contexts lie on top of each other on a CPU. */
enum level { LEVEL_TASK, LEVEL_SOFTIRQ, LEVEL_HARDIRQ, NR_LEVELS, LEVEL_NONE = NR_LEVELS };

/* Where a step was taken. */
struct where {
	enum level level;   /* of the context; LEVEL_NONE for the environment */
	enum level arrival; /* of the context that arrives on top; LEVEL_NONE: none does */
	uint32_t cpu;
	bool masked[NR_LEVELS];	    /* does the context keep arrivals of that level out? */
	uint32_t region[NR_LEVELS]; /* if so, depth of the step that began to */
	uint32_t activation;	    /* depth of a context's arrival; for one, of that before it */
};

struct sleeper {
	uint64_t key;
	uint32_t touches_at, nr_touches;
	uint32_t cpu;
	bool split; /* its step began a block that may need what else its CPU does */
	bool wild;
};

struct node {
	uint32_t keys_at, nr_enabled; /* who can step here, in search.keys */
	uint64_t todo, done;	      /* bit per place in that list: to be tried, tried */
	uint64_t split;		      /* those that began a block that may have to come later */
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
	bool violated;	    /* before the step, on a path that goes past violations */
	bool again;	    /* audit: known already, each step is taken once more and no further */
	bool leads_back;    /* audit: the step led to a state that is known */
	bool opens;	    /* it began what nobody else on the CPU can come in between */
	uint64_t state;	    /* by which it is known, where states are */
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
	uint32_t activations[NR_CPUS_MAX][NR_LEVELS]; /* latest arrivals on the path */
	uint64_t state;				      /* the one that the last step led to */
	uint32_t on_path[PATH_SLOTS]; /* how many states of the path have their place there */
	struct seen *loops;	      /* states at which a loop was looked at; NULL: none was */
	struct touch tidy[2 * TOUCHES_MAX];
};

/* Tests break a rule on purpose, to see that an audit notices. */
static bool is_broken(const struct search *s, enum search_defect defect)
{
	return s->d->audit && s->d->audit->defect == defect;
}

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

/* Room for more: every second one goes, but for the first. */
static void thin_snapshots(struct search *s)
{
	struct snapshot *all = (struct snapshot *)(void *)s->snapshots->data;
	uint32_t kept = 1;

	for (uint32_t i = 2; i < s->nr_snapshots; i += 2) {
		struct snapshot spare = all[kept];

		all[kept++] = all[i];
		all[i] = spare;
	}
	s->nr_snapshots = kept;
}

static void take_snapshot(struct search *s)
{
	struct subject *subject = s->x->s;
	size_t size = subject->save_size(subject);
	struct snapshot *snap;

	if (s->nr_snapshots == SNAPSHOTS_MAX)
		thin_snapshots(s);
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
	uint32_t from;

	while (g_array_index(s->snapshots, struct snapshot, s->nr_snapshots - 1).depth > depth)
		s->nr_snapshots--;
	snap = &g_array_index(s->snapshots, struct snapshot, s->nr_snapshots - 1);
	from = snap->depth;
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
	/* It was a long way, and what is below goes back here as well. */
	if (depth - from > s->snapshot_every)
		take_snapshot(s);
	exec_look(x);
}

/* ---- nodes --------------------------------------------------------------------------------- */

static const struct touch *touches_of(const struct search *s, const struct sleeper *z)
{
	return &g_array_index(s->touches, struct touch, z->touches_at);
}

/* Is @z concerned by the step that @n just took, which touched @step? */
static bool wakes(const struct search *s, const struct sleeper *z, const struct node *n,
		  const struct touch *step, uint32_t nr_step)
{
	if (z->split && n->where.level != LEVEL_NONE && n->where.cpu == z->cpu)
		return true;
	return z->wild || n->wild || z->key == key_at(s, n, n->pick) ||
	       touches_conflict(touches_of(s, z), z->nr_touches, step, nr_step);
}

/*
 * Who slept above and is not concerned by the step @n just took goes on sleeping.
 *
 * A block that something else on its CPU may have to come before, for what is done in
 * the middle of it, is not the same before that and after.
 */
static void inherit_sleep(struct search *s, struct node *child, const struct node *n)
{
	const struct touch *step = &g_array_index(s->touches, struct touch, n->touches_at);
	uint32_t nr_step = s->touches->len - n->touches_at;

	for (uint32_t i = 0; i < n->nr_sleep; i++) {
		struct sleeper z = g_array_index(s->sleepers, struct sleeper, n->sleep_at + i);

		if (!is_broken(s, DEFECT_NEVER_WAKE) && wakes(s, &z, n, step, nr_step))
			continue;
		g_array_append_val(s->sleepers, z);
		child->nr_sleep++;
	}
}

static const struct sleeper *sleeper_of(const struct search *s, const struct node *n, uint64_t key)
{
	for (uint32_t i = 0; i < n->nr_sleep; i++) {
		const struct sleeper *z =
			&g_array_index(s->sleepers, struct sleeper, n->sleep_at + i);

		if (z->key == key)
			return z;
	}
	return NULL;
}

static bool sleeps(const struct search *s, const struct node *n, uint64_t key)
{
	return sleeper_of(s, n, key) != NULL;
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
		if (i < 0 || n->preemptions < s->bound)
			return all_of(n);
		if (n->nr_enabled > 1)
			s->d->result->bound_cut = true;
		return UINT64_C(1) << i;
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
		.state = s->state,
	};

	s->on_path[s->state % PATH_SLOTS]++;
	for (uint32_t i = 0; i < x->nr_enabled; i++)
		g_array_append_val(s->keys, x->enabled[i].key);
	if (s->nodes->len > 0) {
		const struct node *up = top(s);

		n.current = up->current_after;
		n.preemptions = up->preemptions_after;
		n.violated = up->violated || exec_violated(x);
		n.again = up->leads_back;
		inherit_sleep(s, &n, up);
	}
	n.touches_base = s->touches->len;
	n.todo = to_try(s, &n);
	g_array_append_val(s->nodes, n);
	if (s->d->audit)
		s->d->audit->visit(s->d->audit, order_fingerprint(s->order), n.again);
}

static void pop_node(struct search *s)
{
	const struct node *n = top(s);

	if (s->d->audit)
		s->d->audit->leave(s->d->audit);
	s->on_path[n->state % PATH_SLOTS]--;
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

	if (is_broken(s, DEFECT_NO_SECTIONS))
		return race;
	for (uint32_t k = race + 1; k <= last && from == race; k++) {
		const struct where *x = &node_at(s, k)->where;

		if ((x->level != LEVEL_NONE || x->arrival != LEVEL_NONE) &&
		    order_can_precede(s->order, race, k, needed))
			from = blocked_at(s, race, k, needed);
	}
	return from;
}

/*
 * An interrupt or a section that keeps others out cannot come first if something
 * else on its CPU has to come before one of its steps: do not count on that it can.
 */
static bool can_open(const struct search *s, uint32_t race, bool needed, uint32_t depth)
{
	const struct node *x = node_at(s, depth);

	if (!x->opens || is_broken(s, DEFECT_NO_SECTIONS))
		return true;
	for (uint32_t k = race + 1; k < depth; k++) {
		const struct where *w = &node_at(s, k)->where;

		if (w->level != LEVEL_NONE && w->cpu == x->where.cpu &&
		    order_can_precede(s->order, race, k, needed))
			return false;
	}
	return true;
}

/* Does the node at @depth belong to this search, but for what its step chooses inside? */
static bool is_ours(const struct search *s, uint32_t depth)
{
	return depth > s->first || (depth == s->first && s->all);
}

/* One of @bits has to be tried at @depth; each of @instead would have done as well. */
static void add_todo(struct search *s, uint32_t depth, uint64_t bits, uint64_t instead)
{
	const struct wake wake = {.depth = depth, .bits = bits, .instead = instead};

	node_at(s, depth)->todo |= bits;
	if (!is_ours(s, depth))
		g_array_append_val(s->wakes, wake);
}

/*
 * Where to begin if the last event is to come before the one at @race: with all that
 * can come along, if that runs; else with just what it takes, before whatever blocks
 * that.
 */
static uint32_t reversed_at(struct search *s, uint32_t race, bool *needed)
{
	uint32_t from;

	*needed = runs_from(s, race, false) != race;
	if (!*needed)
		return race;
	while ((from = runs_from(s, race, true)) != race) {
		struct node *n = node_at(s, from);

		n->split |= UINT64_C(1) << n->pick;
		race = from;
	}
	return race;
}

/* The last event could have come before the one at @race: see that somebody tries it. */
static void reverse_at(struct search *s, uint32_t race, bool needed)
{
	struct node *n = node_at(s, race);
	uint32_t depths[PROCS_MAX];
	uint64_t bits = 0, instead = 0;
	uint64_t last = order_key(s->order, order_depth(s->order) - 1);
	uint32_t nr = order_initials(s->order, race, needed, depths);

	for (uint32_t i = 0; i < nr; i++) {
		uint64_t key = order_key(s->order, depths[i]);
		const struct sleeper *z;
		int k = find_key(s, n, key);

		if (!can_open(s, race, needed, depths[i]))
			continue;
		z = sleeper_of(s, n, key);
		/* All that begins with it was tried from further up: or with its block. */
		if (z && !z->split)
			return;
		if (z)
			continue;
		if (k < 0)
			continue;
		if ((n->todo | n->done) & UINT64_C(1) << k)
			return;
		instead |= UINT64_C(1) << k;
		if (!bits || key == last)
			bits = UINT64_C(1) << k;
	}
	/* None of them can step there: something in between made them able to. */
	add_todo(s, race, bits ? bits : all_of(n), instead);
}

static void reverse_races(struct search *s)
{
	uint32_t n;

	if (is_broken(s, DEFECT_NO_RACES))
		return;
	if (s->max_races <= order_depth(s->order)) {
		s->max_races = 2 * order_depth(s->order);
		s->races = g_renew(uint32_t, s->races, s->max_races);
	}
	n = order_races(s->order, s->races);
	for (uint32_t i = 0; i < n; i++) {
		bool needed;
		uint32_t at = reversed_at(s, s->races[i], &needed);

		reverse_at(s, at, needed);
	}
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
		bool waited = previous == NO_EVENT || previous < races[i], needed;
		uint32_t at = reversed_at(s, races[i], &needed);

		if (waited && find_key(s, node_at(s, at), key) < 0 &&
		    !order_other_writer(s->order, races[i]))
			continue;
		reverse_at(s, at, needed);
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

/* Where @t is going to take its next step, which comes at @depth. */
static void note_context(const struct search *s, struct where *w, const struct task *t,
			 uint64_t key, uint32_t depth)
{
	w->cpu = t->cpu->nr;
	w->level = level_of(t);
	w->arrival = LEVEL_NONE;
	w->activation = s->activations[w->cpu][w->level];
	for (enum level l = LEVEL_TASK; l < NR_LEVELS; l++) {
		w->masked[l] = keeps_out(t, l);
		note_mask(s, w, l, key, depth);
	}
}

/* Where the step is going to be taken that @tr stands for. */
static void note_where(struct search *s, struct node *n, const struct transition *tr)
{
	struct where *w = &n->where;

	*w = (struct where){.level = LEVEL_NONE, .arrival = LEVEL_NONE, .activation = NO_EVENT};
	if (tr->kind == TRANSITION_IRQ) {
		w->cpu = (uint32_t)oid_nr(tr->obj) - 1;
		w->arrival = tr == &s->x->s->w->cpus[w->cpu].softirq ? LEVEL_SOFTIRQ
								     : LEVEL_HARDIRQ;
		w->activation = s->activations[w->cpu][w->arrival];
		return;
	}
	if (tr->kind == TRANSITION_STEP)
		note_context(s, w, transition_context(tr), key_at(s, n, n->pick),
			     s->nodes->len - 1);
}

/* As if somebody had forgotten to touch() @field. */
static uint32_t overlook(struct touch *touches, uint32_t nr, uint32_t field)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < nr; i++) {
		if (touches[i].field != field)
			touches[n++] = touches[i];
	}
	return n;
}

/* Depth of the step that posted what was @posted, a number of a step. */
static uint32_t poster_of(const struct search *s, uint64_t posted)
{
	return posted > s->base_steps ? (uint32_t)(posted - s->base_steps - 1) : NO_EVENT;
}

/* Put the step that @n has just taken where the strategy looks for it. */
static bool note_step(struct search *s, struct node *n, uint64_t posted, oid_t context,
		      const struct transition *wanted)
{
	struct exec *x = s->x;
	struct event_info ev = {
		.key = key_at(s, n, n->pick),
		.poster = poster_of(s, posted),
		.context = context,
		.touches = s->tidy,
		.wild = x->log.overflow,
	};

	if (wanted) {
		ev.poster = NO_EVENT;
		ev.want_of = transition_place(wanted);
		ev.want_field = wanted->field;
	}
	for (guint i = n->choices_at + 1; i < x->choices->len; i++)
		ev.picks = ev.picks * 31 + g_array_index(x->choices, struct choice, i).pick + 1;
	memcpy(s->tidy, x->touches, x->log.nr * sizeof(*s->tidy));
	ev.nr_touches = touches_tidy(s->tidy, x->log.nr);
	if (is_broken(s, DEFECT_BLIND))
		ev.nr_touches = overlook(s->tidy, ev.nr_touches, s->d->audit->blind_to);
	g_array_append_vals(s->touches, s->tidy, ev.nr_touches);
	n->wild |= ev.wild;
	n->stepped = order_push(s->order, &ev);
	if (n->where.arrival != LEVEL_NONE)
		s->activations[n->where.cpu][n->where.arrival] = s->nodes->len - 1;
	return n->stepped;
}

/* What is left of the bound, and who goes on for free, decide what is below as well. */
static void note_reached(struct search *s, const struct node *n)
{
	s->state = order_fingerprint(s->order);
	if (s->strategy == STRATEGY_BOUNDED && !is_broken(s, DEFECT_BOUND_KEY))
		s->state = (s->state ^ n->current_after) * UINT64_C(0x9e3779b97f4a7c15) +
			   n->preemptions_after;
}

static bool known_state(struct search *s, const struct node *n)
{
	if (s->d->audit && s->d->audit->full)
		return false;
	note_reached(s, n);
	if (!seen_add(s->seen, s->state))
		return true;
	if (seen_is_full(s->seen))
		driver_stop(s->d, END_MEMORY);
	return false;
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

/* Without more than the histories of what they touched: as dpor tells states apart. */
static bool by_history(const struct search *s)
{
	return s->strategy == STRATEGY_DPOR || (s->d->audit && s->d->audit->by_history);
}

/*
 * What is cut off behind a violation may race with what came before it.  As long as
 * any violation will do that costs nothing: there is one.
 */
static bool goes_past_violations(const struct search *s)
{
	return s->d->audit || (s->strategy == STRATEGY_DPOR && s->d->opt->keep_going);
}

static void note_state(struct search *s, const struct task *t)
{
	note_values(s);
	if (t && is_broken(s, DEFECT_NO_CONTROL))
		order_set_control(s->order, 0);
	else if (t)
		note_control(s, t);
}

/* Is what comes after the step of @n known? */
static bool met_before(struct search *s, struct node *n)
{
	n->leads_back = false;
	if (n->again)
		return true;
	if (s->strategy == STRATEGY_DPOR && !is_broken(s, DEFECT_PRUNED_DPOR))
		return false;
	if (!known_state(s, n))
		return false;
	s->d->result->stats.nr_pruned++;
	n->leads_back = s->d->audit && s->d->audit->again;
	return !n->leads_back;
}

static void tell_step(struct search *s, const struct node *n, uint64_t before, bool context)
{
	struct exec *x = s->x;
	const struct search_step step = {
		.before = before,
		.after = order_fingerprint(s->order),
		.process = order_process(s->order),
		.key = key_at(s, n, n->pick),
		.touches = s->tidy,
		.nr_touches = order_touches(s->order),
		.choices = &g_array_index(x->choices, struct choice, n->choices_at),
		.nr_choices = x->choices->len - n->choices_at,
		.wild = x->log.overflow,
		.opens = n->opens,
		.context = context,
		.cpu = n->where.cpu,
		.again = n->again,
		.preemptions = n->preemptions_after,
	};

	s->d->audit->step(s->d->audit, &step);
}

/* A step that was taken; its transition is gone. */
struct taken {
	const struct task *t;
	bool context, waited;
	uint64_t before; /* fingerprint */
};

/* The step of the node on top happens, and the order has it. */
static bool push_step(struct search *s, struct taken *taken)
{
	struct exec *x = s->x;
	struct node *n = top(s);
	const struct transition *tr = x->enabled[n->pick].tr;
	struct transition wanted = *tr;
	uint64_t posted = tr->posted;

	taken->before = order_fingerprint(s->order);
	taken->context = tr->kind == TRANSITION_STEP;
	taken->t = transition_context(tr);
	taken->waited = taken->t && taken->t->await.ready;
	s->d->result->stats.nr_steps++;
	note_where(s, n, tr);
	if (!exec_step(x, n->pick))
		return false;
	note_switch(s, n, taken->context);
	n->opens |= opens_section(n, taken->t);
	if (note_step(s, n, posted, taken->t ? taken->t->id : 0, wanted.wanted ? &wanted : NULL))
		return true;
	stop_with(s, "processes in one run", PROCS_MAX);
	return false;
}

static enum stepped take_step(struct search *s)
{
	struct taken taken;
	struct node *n = top(s);

	if (!push_step(s, &taken))
		return STEPPED_STOPPED;
	if (s->strategy == STRATEGY_DPOR) {
		if (taken.waited && !is_broken(s, DEFECT_WAITS_AS_RACES))
			reverse_waits(s);
		else
			reverse_races(s);
	}
	if (exec_violated(s->x) && !n->violated) {
		if (!goes_past_violations(s))
			return STEPPED_FAILED;
		driver_keep(s->d);
	}
	if (!by_history(s))
		note_state(s, taken.t);
	if (s->d->audit)
		tell_step(s, n, taken.before, taken.context);
	return met_before(s, n) ? STEPPED_PRUNED : STEPPED;
}

/*
 * Nothing is left to happen, but @t waits for something: had its step come before
 * what it waits for was taken away, there would be another run.  See that it is
 * tried, as if the step had been taken now and touched all that it waits for.
 */
static void reverse_pending(struct search *s, const struct task *t)
{
	struct node n = {.stepped = true};
	struct event_info ev = {
		.key = process_key(&t->timer),
		.poster = poster_of(s, t->timer.posted),
		.context = t->id,
		.touches = s->tidy,
	};

	ev.nr_touches = order_places(s->order, t->blocked_on,
				     oid_kind(t->blocked_on) == OBJ_CELL ? ACCESS_READ : ACCESS_RMW,
				     s->tidy, TOUCHES_MAX);
	note_context(s, &n.where, t, ev.key, s->nodes->len);
	if (ev.nr_touches == 0 || !order_push(s->order, &ev))
		return;
	g_array_append_val(s->nodes, n);
	reverse_waits(s);
	g_array_set_size(s->nodes, s->nodes->len - 1);
	order_pop(s->order);
}

static void reverse_all_pending(struct search *s)
{
	list_for_each(node, &s->x->s->w->tasks) {
		const struct task *t = container_of(node, struct task, all_node);

		if (t->await.ready)
			reverse_pending(s, t);
	}
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

static bool is_on_path(const struct search *s, uint64_t state)
{
	if (s->on_path[state % PATH_SLOTS] == 0)
		return false;
	for (guint i = s->nodes->len; i-- > 0;) {
		if (node_at(s, i)->state == state)
			return true;
	}
	return false;
}

/*
 * The last step has led to a known state.  If that is on the path, the run may go round
 * in a loop; see whether nothing ends it, once for each such state.
 */
static void look_at_loop(struct search *s)
{
	if (s->d->audit || s->strategy == STRATEGY_DPOR || !is_on_path(s, s->state))
		return;
	if (!s->loops)
		s->loops = seen_new();
	if (seen_add(s->loops, s->state) && livelock_end(s->x))
		driver_run_ended(s->d, true);
}

/* dpor knows no states: when a run has become long, is it over, or would it only repeat itself? */
static bool is_loop(struct search *s)
{
	struct driver *d = s->d;
	uint32_t at = LONG_STEPS;

	while (at < s->nodes->len)
		at *= LONG_FACTOR;
	if (d->audit || s->strategy != STRATEGY_DPOR || at != s->nodes->len)
		return false;
	if (livelock_end(s->x)) {
		driver_run_ended(d, true);
		return true;
	}
	if (livelock_spins(s->x, top(s)->current_after)) {
		d->result->stats.nr_cut++;
		d->result->stats.nr_loops++;
		return true;
	}
	exec_look(s->x);
	return false;
}

static void end_of_run(struct search *s)
{
	/* The node itself may move when those that wait are looked at. */
	bool leads_back = s->nodes->len > 0 && top(s)->leads_back;
	uint32_t preemptions = s->nodes->len > 0 ? top(s)->preemptions_after : 0;

	if (s->d->audit) {
		s->d->audit->visit(s->d->audit, order_fingerprint(s->order), leads_back);
		s->d->audit->leave(s->d->audit);
	}
	if (leads_back)
		return;
	if (s->strategy == STRATEGY_DPOR && !is_broken(s, DEFECT_WAITS_AS_RACES))
		reverse_all_pending(s);
	s->x->s->finish(s->x->s);
	driver_run_ended(s->d, true);
	if (s->d->audit)
		s->d->audit->end(s->d->audit, order_fingerprint(s->order), order_trace(s->order),
				 preemptions);
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
			look_at_loop(s);
			return;
		}
		if (!exec_look(s->x)) {
			end_of_run(s);
			return;
		}
		if (is_loop(s))
			return;
		if (s->nodes->len >= d->max_steps) {
			d->result->stats.nr_cut++;
			return;
		}
		if (s->x->too_many) {
			stop_with(s, "processes that can step at once", ENABLED_MAX);
			return;
		}
		push_node(s);
		if (s->x->nr_steps % s->snapshot_every == 0)
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
	z.split = n->opens && n->split & UINT64_C(1) << n->pick;
	z.cpu = n->where.cpu;
	g_array_append_val(s->sleepers, z);
	n->nr_sleep++;
}

/* The last step is taken back. */
static void pop_step(struct search *s, struct node *n)
{
	if (n->stepped) {
		order_pop(s->order);
		if (n->where.arrival != LEVEL_NONE)
			s->activations[n->where.cpu][n->where.arrival] = n->where.activation;
	}
	n->stepped = false;
}

/* To the deepest node where something is left to try; false when nothing is. */
static bool climb(struct search *s)
{
	while (s->nodes->len > s->first) {
		struct node *n = top(s);
		uint32_t depth = s->nodes->len - 1;

		pop_step(s, n);
		if (next_variant(s, n)) {
			go_back_to(s, depth);
			return true;
		}
		if (!is_ours(s, depth))
			return false;
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

/* ---- positions ----------------------------------------------------------------------------- */

/* Where the search stands when climb() has found something. */
static struct position *save(const struct search *s)
{
	struct position *p = position_new();

	p->first = s->first;
	p->all = s->all;
	for (guint i = 0; i < s->nodes->len; i++) {
		const struct node *n = node_at(s, i);
		const struct place place = {
			.todo = n->todo,
			.done = n->done,
			.split = n->split,
			.pick = n->pick,
			.nr_enabled = n->nr_enabled,
			.choices_at = n->choices_at,
		};

		g_array_append_val(p->places, place);
	}
	g_array_append_vals(p->choices, s->script->data, s->script->len);
	return p;
}

static void set_script(struct search *s, const struct position *p, uint32_t nr)
{
	g_array_set_size(s->script, 0);
	g_array_append_vals(s->script, p->choices->data, nr);
}

/* The choice at @at; the first alternative where a list ends. */
static uint32_t pick_in(const GArray *choices, uint32_t at, uint32_t end)
{
	return at < end ? g_array_index(choices, struct choice, at).pick : 0;
}

/* Is the step in the script, from @at on, the one that @p holds up to @end? */
static bool is_at_variant(const struct search *s, const struct position *p, uint32_t at,
			  uint32_t end)
{
	for (uint32_t i = at + 1; i < MAX(s->script->len, end); i++) {
		if (pick_in(s->script, i, s->script->len) != pick_in(p->choices, i, end))
			return false;
	}
	return true;
}

/*
 * Take the step that the node on top has picked for what it touches, in all
 * variants before the one that @p holds up to @end; in all there are if @end is 0.
 */
static void take_again(struct search *s, const struct position *p, uint32_t end)
{
	struct node *n = top(s);
	uint32_t depth = s->nodes->len - 1;
	struct taken taken;

	n->wild = n->opens = false;
	n->touches_at = s->touches->len;
	set_script(s, p, n->choices_at);
	if (end && is_at_variant(s, p, n->choices_at, end))
		return;
	do {
		if (s->x->nr_steps != depth || s->x->choices->len != n->choices_at)
			go_back_to(s, depth);
		(void)push_step(s, &taken);
		pop_step(s, n);
	} while (next_variant(s, n) && !(end && is_at_variant(s, p, n->choices_at, end)));
	set_script(s, p, n->choices_at);
	go_back_to(s, depth);
}

/* Who sleeps at the node on top because it was tried there. */
static void load_sleepers(struct search *s, const struct position *p, uint64_t done)
{
	struct node *n = top(s);

	if (s->strategy != STRATEGY_DPOR)
		return;
	for (uint32_t k = 0; k < n->nr_enabled; k++) {
		if (!(done & UINT64_C(1) << k) || sleeps(s, n, key_at(s, n, k)))
			continue;
		n->pick = k;
		take_again(s, p, 0);
		put_to_sleep(s, n);
	}
}

static void load_node(struct search *s, const struct position *p, uint32_t depth)
{
	const struct place *place = place_at(p, depth);
	bool last = depth + 1 == p->places->len;
	struct node *n;

	push_node(s);
	n = top(s);
	sim_assert(n->nr_enabled == place->nr_enabled && n->choices_at == place->choices_at);
	if (depth > 0 && s->x->nr_steps % s->snapshot_every == 0)
		take_snapshot(s);
	/* What was found below by others is not known here. */
	n->split = is_ours(s, depth) ? place->split : UINT64_MAX;
	load_sleepers(s, p, place->done);
	n->pick = place->pick;
	n->todo = place->todo;
	n->done = place->done;
	if (s->strategy == STRATEGY_DPOR)
		take_again(s, p, last ? p->choices->len : place_at(p, depth + 1)->choices_at);
	else
		n->touches_at = s->touches->len;
	set_script(s, p, p->choices->len);
}

/* Take the path of @p; false when what it leads to was tried elsewhere. */
static bool load(struct search *s, const struct position *p)
{
	struct taken taken;
	bool ok;

	s->first = p->first;
	s->all = p->all;
	exec_look(s->x);
	for (uint32_t i = 0;; i++) {
		load_node(s, p, i);
		if (i + 1 == p->places->len)
			break;
		ok = push_step(s, &taken);
		sim_assert(ok);
		if (!by_history(s))
			note_state(s, taken.t);
		if (s->strategy != STRATEGY_DPOR)
			note_reached(s, top(s));
		exec_look(s->x);
	}
	return s->strategy != STRATEGY_DPOR || !sleeps(s, top(s), key_at(s, top(s), top(s)->pick));
}

/* ---- the whole ----------------------------------------------------------------------------- */

static void search_init(struct search *s, struct driver *d, const struct search_part *part)
{
	s->d = d;
	s->x = d->x;
	s->strategy = part->strategy;
	s->bound = part->bound;
	s->snapshot_every = s->strategy == STRATEGY_DPOR ? SNAPSHOT_EVERY_DPOR : SNAPSHOT_EVERY;
	s->order = order_new();
	s->seen = part->seen;
	s->wakes = part->wakes;
	s->all = true;
	s->nodes = g_array_new(FALSE, FALSE, sizeof(struct node));
	s->keys = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	s->sleepers = g_array_new(FALSE, FALSE, sizeof(struct sleeper));
	s->touches = g_array_new(FALSE, FALSE, sizeof(struct touch));
	s->snapshots = g_array_new(FALSE, FALSE, sizeof(struct snapshot));
	s->script = g_array_new(FALSE, FALSE, sizeof(struct choice));
	d->x->inner = inner_choice;
	d->x->strategy = s;
	memset(s->activations, 0xff, sizeof(s->activations));
	exec_restart(d->x);
	s->base_steps = d->x->s->w->nr_steps;
	order_set_root(s->order, d->x->s->w->next_id);
	if (d->x->s->each_value)
		d->x->s->each_value(d->x->s, s->order, note_root_value);
	take_snapshot(s);
}

static void search_clear(struct search *s)
{
	for (guint i = 0; i < s->snapshots->len; i++)
		g_aligned_free(g_array_index(s->snapshots, struct snapshot, i).buffer);
	order_free(s->order);
	if (s->loops)
		seen_free(s->loops);
	g_array_unref(s->nodes);
	g_array_unref(s->keys);
	g_array_unref(s->sleepers);
	g_array_unref(s->touches);
	g_array_unref(s->snapshots);
	g_array_unref(s->script);
	g_free(s->races);
}

/* From the root; false when there is nothing to search. */
static bool begin(struct search *s)
{
	(void)seen_add(s->seen, order_fingerprint(s->order));
	if (!exec_look(s->x)) {
		end_of_run(s);
		return false;
	}
	push_node(s);
	return pick_next(s);
}

/* Between two runs: is there more to do, and is it to be done now? */
static bool go_on(struct search *s, struct search_part *part, uint64_t until)
{
	struct driver *d = s->d;
	bool may = driver_may_go_on(d);

	if (d->stopped && (d->result->end == END_FOUND || d->result->end == END_ERROR))
		return false;
	if (!climb(s))
		return false;
	if (may && !(until && d->result->stats.nr_steps >= until))
		return true;
	part->rest = save(s);
	return false;
}

void search_part(struct driver *d, struct search_part *part)
{
	struct search s = {0};
	bool more;
	uint64_t until = part->max_steps ? d->result->stats.nr_steps + part->max_steps : 0;

	search_init(&s, d, part);
	more = part->at && part->at->places->len > 0 ? load(&s, part->at) : begin(&s);
	while (more) {
		descend(&s);
		more = go_on(&s, part, until);
	}
	search_clear(&s);
}

void search(struct driver *d, enum strategy strategy, uint32_t bound)
{
	struct search_part part = {.strategy = strategy, .bound = bound};

	part.seen = seen_new();
	d->result->stats.strategy = strategy;
	search_part(d, &part);
	if (strategy == STRATEGY_EXHAUSTIVE)
		d->result->stats.nr_states = seen_count(part.seen);
	position_free(part.rest);
	seen_free(part.seen);
}
