// SPDX-License-Identifier: GPL-2.0-only
/*
 * One step of a search: where it is taken, what it touched, and where it led.
 */
#include "sim/explore/search/path.h"

#include <string.h>

enum level step_level(const struct task *t)
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

const struct cpu *step_irq_cpu(const struct world *w, const struct transition *tr)
{
	return tr->kind == TRANSITION_IRQ ? &w->cpus[oid_nr(tr->obj) - 1] : NULL;
}

enum level step_arrival(const struct world *w, const struct transition *tr)
{
	return tr == &step_irq_cpu(w, tr)->softirq ? LEVEL_SOFTIRQ : LEVEL_HARDIRQ;
}

/* Does @t, between two steps, keep contexts of @level off its CPU? */
static bool keeps_out(const struct task *t, enum level level)
{
	if (t->cpu->cur != t)
		return false;
	switch (level) {
	case LEVEL_TASK:
		return step_level(t) == LEVEL_TASK && !cpu_open(t->cpu);
	case LEVEL_SOFTIRQ:
		return t->irq_off > 0 || t->bh_off > 0;
	default:
		return t->irq_off > 0;
	}
}

uint8_t step_masks(const struct task *t)
{
	uint8_t masked = 0;

	for (enum level l = LEVEL_TASK; l < NR_LEVELS; l++)
		masked |= keeps_out(t, l) << l;
	return masked;
}

/* Where the step is going to be taken that @tr stands for. */
static void note_where(const struct search *s, struct where *w, const struct transition *tr)
{
	const struct task *t = transition_context(tr);

	*w = (struct where){.level = LEVEL_NONE, .arrival = LEVEL_NONE};
	if (tr->kind == TRANSITION_IRQ) {
		w->cpu = step_irq_cpu(s->x->s->w, tr)->nr;
		w->arrival = step_arrival(s->x->s->w, tr);
	} else if (t) {
		w->cpu = t->cpu->nr;
		w->level = step_level(t);
		w->masks = step_masks(t);
	}
}

/*
 * Contexts of a CPU lie on top of each other, and sections keep others off it.  So a step that
 * begins or ends such a thing conflicts with the steps of all whom that concerns.
 *
 * Return: how the step of @t, taken at @w, uses its CPU's turn; -1: nobody can come in between.
 */
static int turn_mode(const struct where *w, const struct task *t)
{
	if (w->arrival != LEVEL_NONE || w->masks != step_masks(t) ||
	    (w->level > LEVEL_TASK && t->cpu->cur != t))
		return ACCESS_RMW;
	return w->level == LEVEL_HARDIRQ || w->masks >> LEVEL_HARDIRQ & 1 ? -1 : ACCESS_READ;
}

/* Do searches like this one ask which steps are independent? */
static bool needs_turns(const struct search *s)
{
	return (s->strategy == STRATEGY_DPOR || (s->d->audit && s->d->audit->again)) &&
	       !is_broken(s, DEFECT_NO_SECTIONS);
}

static uint32_t touch_turn(struct search *s, uint32_t nr, const struct where *w,
			   const struct task *t)
{
	int mode;

	if ((w->level == LEVEL_NONE && w->arrival == LEVEL_NONE) || !needs_turns(s))
		return nr;
	mode = turn_mode(w, t);
	if (mode < 0)
		return nr;
	s->tidy[nr] = (struct touch){s->x->s->w->cpus[w->cpu].id, FIELD_TURN, (uint32_t)mode};
	return nr + 1;
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

uint32_t step_tidy(struct search *s, const struct where *w, const struct task *t)
{
	const struct exec *x = s->x;
	uint32_t nr;

	memcpy(s->tidy, x->touches, x->log.nr * sizeof(*s->tidy));
	nr = touches_tidy(s->tidy, touch_turn(s, x->log.nr, w, t));
	if (is_broken(s, DEFECT_BLIND))
		nr = overlook(s->tidy, nr, s->d->audit->blind_to);
	if (is_broken(s, DEFECT_LAST_ADD))
		touches_forget_last(s->tidy, nr);
	return nr;
}

bool step_note_event(struct search *s, struct node *n, const struct event_info *ev)
{
	n->nr_variants = s->touches->len == n->touches_at ? 1 : 2;
	g_array_append_vals(s->touches, ev->touches, ev->nr_touches);
	n->wild |= ev->wild;
	n->stepped = order_push(s->order, ev);
	if (!n->stepped)
		search_stop_with(s, "processes in one run", PROCS_MAX);
	return n->stepped;
}

/* Put the step that @n has just taken, as @was says, where the strategy looks for it. */
static bool note_step(struct search *s, struct node *n, const struct transition *was,
		      const struct taken *taken)
{
	struct exec *x = s->x;
	struct event_info ev = {
		.key = key_at(s, n, n->pick),
		.poster = poster_of(s, was->posted),
		.context = taken->t ? taken->t->id : 0,
		.touches = s->tidy,
		.wild = x->log.overflow,
		.waited = taken->waited || (was->kind == TRANSITION_ENV && was->ready),
	};

	if (was->wanted) {
		ev.poster = NO_EVENT;
		ev.want_of = transition_place(was);
		ev.want_field = was->field;
	}
	for (guint i = n->choices_at + 1; i < x->choices->len; i++)
		ev.picks = ev.picks * 31 + g_array_index(x->choices, struct choice, i).pick + 1;
	ev.nr_touches = step_tidy(s, &n->where, taken->t);
	return step_note_event(s, n, &ev);
}

/* What is left of the bound, and who goes on for free, decide what is below as well. */
uint64_t step_state(const struct search *s, uint64_t fingerprint, uint64_t current,
		    uint32_t preemptions)
{
	if (s->strategy != STRATEGY_BOUNDED || is_broken(s, DEFECT_BOUND_KEY))
		return fingerprint;
	return (fingerprint ^ current) * UINT64_C(0x9e3779b97f4a7c15) + preemptions;
}

void step_note_reached(struct search *s, const struct node *n)
{
	s->state =
		step_state(s, order_fingerprint(s->order), n->current_after, n->preemptions_after);
}

static bool known_state(struct search *s, const struct node *n)
{
	if (s->d->audit && s->d->audit->full)
		return false;
	step_note_reached(s, n);
	if (!seen_add(s->seen, s->state))
		return true;
	if (seen_is_full(s->seen))
		driver_stop(s->d, END_MEMORY);
	return false;
}

/* Who goes on for free after this step, and what it cost. */
static void note_switch(const struct search *s, struct node *n, bool context)
{
	int i = path_natural(s, n);

	n->preemptions_after = n->preemptions + (i >= 0 && (uint32_t)i != n->pick);
	n->current_after = context ? key_at(s, n, n->pick) : n->current;
}

/* What was written, where that is better known than by whom. */
static void note_values(struct search *s, struct order *o, const struct touch *touches, uint32_t nr)
{
	struct subject *subject = s->x->s;
	uint64_t value;

	for (uint32_t i = 0; subject->value && i < nr; i++) {
		const struct touch *w = &touches[i];

		if (w->mode != ACCESS_READ && subject->value(subject, w->obj, w->field, &value))
			order_set_value(o, w->obj, w->field, value);
	}
}

/* How @t goes on; false where that is not known better than by all that it did. */
static bool note_control(struct search *s, struct order *o, const struct task *t)
{
	struct subject *subject = s->x->s;
	uint64_t control;

	if (t->state == TASK_DEAD || t->state == TASK_PARKED)
		control = t->state == TASK_DEAD;
	else if (!subject->control_hash || !subject->control_hash(subject, t, &control))
		return false;
	order_set_control(o, control);
	return true;
}

/*
 * What is cut off behind a violation may race with what came before it.  As long as
 * any violation will do that costs nothing: there is one.
 */
static bool goes_past_violations(const struct search *s)
{
	return s->d->audit || (s->strategy == STRATEGY_DPOR && s->d->opt->keep_going);
}

void step_note_state(struct search *s, struct taken *taken)
{
	uint32_t at = top(s)->touches_at;

	note_values(s, s->order, &g_array_index(s->touches, struct touch, at),
		    s->touches->len - at);
	if (!taken->t)
		return;
	taken->control_known = note_control(s, s->order, taken->t);
	if (is_broken(s, DEFECT_NO_CONTROL))
		order_set_control(s->order, 0);
}

void step_note_effects(struct search *s, struct order *o, const struct touch *touches, uint32_t nr,
		       const struct task *t)
{
	note_values(s, o, touches, nr);
	(void)note_control(s, o, t);
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

void step_tell(struct search *s, const struct node *n, const struct taken *taken)
{
	struct exec *x = s->x;
	const struct search_step step = {
		.before = taken->before,
		.after = order_fingerprint(s->order),
		.process = order_process(s->order),
		.key = key_at(s, n, n->pick),
		.touches = s->tidy,
		.nr_touches = order_nr_touches(s->order, s->nodes->len - 1),
		.choices = &g_array_index(x->choices, struct choice, n->choices_at),
		.nr_choices = x->choices->len - n->choices_at,
		.wild = x->log.overflow,
		.again = n->again,
		.preemptions = n->preemptions_after,
	};

	s->d->audit->step(s->d->audit, &step);
}

/* The step that the node on top has picked, in the world, which is there. */
static bool push_in_world(struct search *s, struct taken *taken)
{
	struct exec *x = s->x;
	struct node *n = top(s);
	const struct transition *tr = x->enabled[n->pick].tr;
	struct transition was = *tr;
	uint64_t nr_scripts = x->s->nr_scripts;

	*taken = (struct taken){
		.before = order_fingerprint(s->order),
		.context = tr->kind == TRANSITION_STEP,
		.t = transition_context(tr),
		.nr_violations = x->s->checks->nr_violations,
		.nr_looks_back = x->s->checks->nr_looks_back,
	};
	taken->waited = taken->t && taken->t->await.ready;
	s->d->result->stats.nr_steps++;
	note_where(s, &n->where, tr);
	if (!exec_step(x, n->pick))
		return false;
	taken->by_script = x->s->nr_scripts != nr_scripts;
	note_switch(s, n, taken->context);
	return note_step(s, n, &was, taken) && (!s->recall || recall_learn(s, &was, taken));
}

bool step_push(struct search *s, struct taken *taken)
{
	if (!s->recall)
		return push_in_world(s, taken);
	if (recall_step(s, taken)) {
		note_switch(s, top(s), true);
		return true;
	}
	return recall_catch_up(s) && push_in_world(s, taken);
}

enum stepped step_take(struct search *s)
{
	struct taken taken;
	struct node *n = top(s);

	if (!step_push(s, &taken))
		return STEPPED_STOPPED;
	if (s->strategy == STRATEGY_DPOR) {
		if (taken.waited && !is_broken(s, DEFECT_WAITS_AS_RACES))
			races_reverse_waits(s);
		else
			races_reverse(s);
		watch_look_back(s);
	}
	if (!taken.recalled && exec_violated(s->x) && !n->violated) {
		if (!goes_past_violations(s))
			return STEPPED_FAILED;
		driver_keep(s->d);
	}
	if (!search_by_history(s))
		step_note_state(s, &taken);
	if (s->d->audit && !taken.recalled)
		step_tell(s, n, &taken);
	n->change = taken.before ^ order_fingerprint(s->order);
	n->changed = !taken.by_script;
	return met_before(s, n) ? STEPPED_PRUNED : STEPPED;
}

void step_take_back(struct search *s, struct node *n)
{
	if (n->stepped) {
		order_pop(s->order);
		watch_forget(s);
		if (s->recall)
			recall_take_back(s);
	}
	n->stepped = false;
}
