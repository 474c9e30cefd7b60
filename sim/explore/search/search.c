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

#include "sim/explore/livelock.h"
#include "sim/explore/search/path.h"

#include <string.h>

/*
 * Steps between two snapshots.  To take one costs as much as many steps.  A search by states
 * goes back after nearly every step all the same, dpor only to where it found a race, and most
 * of its snapshots are never used.
 */
#define SNAPSHOT_EVERY 8
#define SNAPSHOT_EVERY_DPOR 16
/* dpor: at so many steps, and again at so many times that, a run may be one that never ends. */
#define LONG_STEPS 2048
#define LONG_FACTOR 4

void search_stop_with(struct search *s, const char *what, unsigned int max)
{
	if (!s->d->stopped)
		g_set_error(&s->d->result->error, g_quark_from_static_string("slabsim-explore"), 0,
			    "more than %u %s: too many for the strategy '%s'; 'random' and 'pct' "
			    "have no such limit",
			    max, what, strategy_infos[s->strategy].name);
	driver_stop(s->d, END_ERROR);
}

/* ---- down and back up ---------------------------------------------------------------------- */

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
 * The @k-th process at @n was tried above, and nobody has concerned it since: it would do here
 * what it did there.  Has that state been met?  Then there is no need to go and see.
 */
static bool leads_to_known(struct search *s, const struct node *n, uint32_t k)
{
	const struct sleeper *z = path_sleeper(s, n, key_at(s, n, k));
	int natural = path_natural(s, n);
	uint64_t state;

	if (!z)
		return false;
	state = step_state(s, order_fingerprint(s->order) ^ z->change,
			   z->context ? z->key : n->current,
			   n->preemptions + (natural >= 0 && (uint32_t)natural != k));
	/* A loop has to be looked at. */
	if (is_on_path(s, state) || !seen_has(s->seen, state))
		return false;
	s->d->result->stats.nr_steps++;
	s->d->result->stats.nr_recalled++;
	s->d->result->stats.nr_pruned++;
	return true;
}

/* Is there no need to try the @k-th process at @n? */
static bool goes_without(struct search *s, const struct node *n, uint32_t k)
{
	if (s->strategy == STRATEGY_DPOR)
		return path_sleeps(s, n, key_at(s, n, k));
	return leads_to_known(s, n, k);
}

/* Pick the next to try at the node on top; false when none is left. */
static bool pick_next(struct search *s)
{
	struct node *n = top(s);
	uint64_t left = n->todo & ~n->done;
	int i = path_natural(s, n);

	while (left) {
		uint32_t k = path_first_of(left, i);

		left &= ~(UINT64_C(1) << k);
		if (goes_without(s, n, k)) {
			n->done |= UINT64_C(1) << k;
			continue;
		}
		n->pick = k;
		n->wild = n->changed = false;
		n->touches_at = s->touches->len;
		return true;
	}
	return false;
}

/* The run may go round in a loop; see whether nothing ends it, once for each such state. */
void search_look_at_loop(struct search *s)
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
	if (s->recall) {
		if (!recall_catch_up(s))
			return true;
		recall_leave_world(s);
	}
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

void search_end_of_run(struct search *s)
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
		races_reverse_pending(s);
	if (s->recall && recall_is_clean_end(s)) {
		driver_run_passed(s->d, s->x->nr_steps);
		return;
	}
	if (s->recall && !recall_catch_up(s))
		return;
	s->x->s->finish(s->x->s);
	driver_run_ended(s->d, true);
	if (s->recall)
		recall_note_end(s);
	if (s->d->audit)
		s->d->audit->end(s->d->audit, order_fingerprint(s->order), order_trace(s->order),
				 preemptions);
}

/*
 * From the node on top, whose pick is made, down to the end of a run.
 * Return: false when told to stop on the way there: at a node whose pick is made again.
 */
static bool descend(struct search *s)
{
	struct driver *d = s->d;

	for (;;) {
		switch (step_take(s)) {
		case STEPPED:
			break;
		case STEPPED_FAILED:
			driver_run_ended(d, false);
			return true;
		case STEPPED_STOPPED:
			driver_run_stopped(d);
			d->result->stats.nr_cut++;
			return true;
		case STEPPED_PRUNED:
			search_look_at_loop(s);
			return true;
		}
		if (!path_look(s)) {
			if (!driver_is_over(d))
				search_end_of_run(s);
			return true;
		}
		if (is_loop(s))
			return true;
		if (s->nodes->len >= d->max_steps) {
			d->result->stats.nr_cut++;
			return true;
		}
		if (s->x->too_many) {
			search_stop_with(s, "processes that can step at once", ENABLED_MAX);
			return true;
		}
		path_push(s);
		if (s->x->nr_steps % s->snapshot_every == 0 && recall_is_in_world(s))
			path_take_snapshot(s);
		if (!pick_next(s)) {
			path_pop(s);
			d->result->stats.nr_blocked += s->strategy == STRATEGY_DPOR;
			/* Who waits by now may have been able to go on before; nobody else asks. */
			if (s->strategy == STRATEGY_DPOR && !is_broken(s, DEFECT_WAITS_AS_RACES))
				races_reverse_pending(s);
			return true;
		}
		if (!driver_may_step(d)) {
			path_note_script(s, s->x->choices->len);
			return false;
		}
	}
}

/*
 * To the deepest node where something is left to try, which is picked, and which the script leads
 * to; false when nothing is.  The world is still where it was.
 */
static bool climb(struct search *s)
{
	while (s->nodes->len > s->first) {
		struct node *n = top(s);
		uint32_t depth = s->nodes->len - 1;

		step_take_back(s, n);
		if (path_next_variant(s, n))
			return true;
		if (!path_is_ours(s, depth))
			return false;
		path_put_to_sleep(s, n);
		if (pick_next(s)) {
			/* Recalled steps choose nothing. */
			if (!s->recall)
				path_note_script(s, n->choices_at);
			return true;
		}
		/* What is left are the choices of the step that led here. */
		array_cut(s->x->choices, n->choices_at);
		path_pop(s);
	}
	return false;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static void note_root_value(void *arg, oid_t obj, uint32_t field, uint64_t value)
{
	order_set_root_value(arg, obj, field, value);
}

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
	s->watches = g_array_new(FALSE, FALSE, sizeof(struct watch));
	d->x->inner = path_inner_choice;
	d->x->strategy = s;
	exec_restart(d->x);
	s->base_steps = d->x->s->w->nr_steps;
	order_set_root(s->order, d->x->s->w->next_id);
	if (s->strategy == STRATEGY_DPOR && !d->audit)
		order_without_digests(s->order);
	if (d->x->s->each_value)
		d->x->s->each_value(d->x->s, s->order, note_root_value);
	path_take_snapshot(s);
	recall_begin(s);
}

static void search_clear(struct search *s)
{
	for (guint i = 0; i < s->snapshots->len; i++)
		g_aligned_free(g_array_index(s->snapshots, struct snapshot, i).buffer);
	order_free(s->order);
	recall_end(s);
	if (s->loops)
		seen_free(s->loops);
	g_array_unref(s->nodes);
	g_array_unref(s->keys);
	g_array_unref(s->sleepers);
	g_array_unref(s->touches);
	g_array_unref(s->snapshots);
	g_array_unref(s->script);
	g_array_unref(s->watches);
	g_free(s->races);
}

/* From the root; false when there is nothing to search. */
static bool begin(struct search *s)
{
	(void)seen_add(s->seen, order_fingerprint(s->order));
	if (!path_look(s)) {
		if (!driver_is_over(s->d))
			search_end_of_run(s);
		return false;
	}
	path_push(s);
	return pick_next(s);
}

/*
 * Is there more to do, and is it to be done now?
 * @at_next: the world is where that begins, be it between two runs or within one
 */
static bool go_on(struct search *s, struct search_part *part, uint64_t until, bool at_next)
{
	struct driver *d = s->d;
	bool may = driver_may_go_on(d);

	if (driver_is_over(d))
		return false;
	if (!at_next && !climb(s))
		return false;
	if (may && !(until && driver_steps_ahead(&d->result->stats) >= until) &&
	    (at_next || path_go_back(s, s->nodes->len - 1, true)))
		return true;
	watch_give_up(s);
	if (s->recall)
		path_note_script(s, top(s)->choices_at);
	part->rest = resume_save(s);
	return false;
}

/* From where another search has stopped; false when nothing is to be done there now. */
static bool begin_at(struct search *s, struct search_part *part)
{
	if (resume_load(s, part->at))
		return true;
	if (s->d->stopped)
		part->rest = g_steal_pointer(&part->at);
	return false;
}

void search_part(struct driver *d, struct search_part *part)
{
	struct search s = {0};
	bool more;
	uint64_t until = part->max_steps ? driver_steps_ahead(&d->result->stats) + part->max_steps
					 : 0;

	search_init(&s, d, part);
	more = part->at && part->at->places->len > 0 ? begin_at(&s, part) : begin(&s);
	driver_loaded(d);
	while (more) {
		bool at_next = skim_may(&s) ? skim(&s, until) : !descend(&s);

		more = go_on(&s, part, until, at_next);
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
