// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plan is a list of stretches: so many steps of that process.  Running one is
 * lenient: who cannot step is passed over, or waited for, and where the plan says
 * nothing the run goes on without preemption.  What was really done then makes the
 * next plan, so a plan need not make sense to be worth a try.
 *
 * Choices inside steps go by process and by how many steps it has taken: they stay
 * with what they belong to when stretches move.
 */

#include "sim/explore/schedule/minimise.h"

#include <string.h>

#include "sim/explore/livelock.h"
#include "sim/explore/parallel/process.h"
#include "sim/explore/schedule/schedule.h"

#define STEPS_DEFAULT UINT64_C(6000000)
/* A run with fewer preemptions may be longer than what was found, but not without end. */
#define STEPS_FACTOR 4
#define STEPS_MORE 1000
/* Below so many steps each length of a stretch is tried. */
#define LENGTHS_TRIED 32
#define POSTPONED_MAX 6
/* How many places are looked at where a stretch would preempt nobody. */
#define PLACES_MAX 8
#define AS_LONG_AS_IT_CAN UINT32_MAX
#define MARKS_MAX 24
/* What it takes to go back to one, in steps. */
#define MARK_STEPS 16

struct stretch {
	uint32_t id; /* process_names_text() */
	uint32_t nr_steps;
	bool preempts; /* in a run that was made: whoever stepped before could have gone on */
};

/* A choice inside a step that is not the first alternative. */
struct inner {
	uint32_t id, step; /* the process, and which of its steps, from 1 */
	uint32_t nth;	   /* which choice in that step, from 0 */
	uint32_t kind, pick;
};

struct price {
	uint32_t preemptions, steps, stretches, picks;
};

/* The best run, at the beginning of one of its stretches: trials that begin alike go on there. */
struct mark {
	void *world;
	size_t room;
	guint stretch;
	guint nr_choices, nr_inner;
	uint32_t nr_seen; /* process_names_seen() */
	struct switches switches;
	struct price cost;
};

struct trial {
	GArray *stretches; /* struct stretch */
	GArray *inner;	   /* struct inner */
	struct price cost;
};

struct minimiser {
	struct subject *s;
	const struct minimise_options *opt;
	struct minimise_result *result;
	struct exec *x;
	struct process_names *names;
	struct trial plan, made, best;
	struct finding *finding; /* what best leads to */
	uint64_t steps_left;
	uint32_t max_steps; /* of one run */
	bool patient;	    /* whoever cannot step is waited for, not passed over */
	bool passed_over;   /* in this run somebody was */
	bool other_picks;   /* the plan has other choices inside steps than the best run */
	bool loops;	/* what is looked for is a livelock, which may show before anything ends */
	GArray *coming; /* guint: by process, of calm_down() */
	GArray *taken;	/* uint32_t: steps of each process in this run */
	struct mark marks[MARKS_MAX];
	uint32_t nr_marks, skipped; /* steps that this run did not take, since a mark had them */
	bool marked;		    /* the marks are those of the best run */
	/* in this step */
	uint32_t id, nth;
};

/* ---- trials ------------------------------------------------------------------------------- */

static void trial_init(struct trial *t)
{
	t->stretches = g_array_new(FALSE, FALSE, sizeof(struct stretch));
	t->inner = g_array_new(FALSE, FALSE, sizeof(struct inner));
}

static void trial_clear(struct trial *t)
{
	g_array_unref(t->stretches);
	g_array_unref(t->inner);
}

static void array_copy(GArray *to, const GArray *from)
{
	g_array_set_size(to, 0);
	g_array_append_vals(to, from->data, from->len);
}

static void trial_copy(struct trial *to, const struct trial *from)
{
	array_copy(to->stretches, from->stretches);
	array_copy(to->inner, from->inner);
	to->cost = from->cost;
}

static struct stretch *stretch_at(const struct trial *t, guint i)
{
	return &g_array_index(t->stretches, struct stretch, i);
}

static void add_steps(struct trial *t, uint32_t id, uint32_t nr_steps, bool preempts)
{
	struct stretch fresh = {id, nr_steps, preempts};

	if (t->stretches->len > 0 && stretch_at(t, t->stretches->len - 1)->id == id)
		stretch_at(t, t->stretches->len - 1)->nr_steps += nr_steps;
	else
		g_array_append_val(t->stretches, fresh);
}

static bool is_cheaper(const struct price *a, const struct price *b)
{
	if (a->preemptions != b->preemptions)
		return a->preemptions < b->preemptions;
	if (a->steps != b->steps)
		return a->steps < b->steps;
	if (a->stretches != b->stretches)
		return a->stretches < b->stretches;
	return a->picks < b->picks;
}

static bool is_interrupted(const struct minimiser *m)
{
	return m->opt->interrupted && *m->opt->interrupted;
}

/* Can the run that is being made still become cheaper than the best one? */
static bool is_hopeless(const struct minimiser *m)
{
	const struct price *a = &m->made.cost, *b = &m->best.cost;

	if (a->steps >= m->max_steps || is_interrupted(m))
		return true;
	if (a->preemptions != b->preemptions)
		return a->preemptions > b->preemptions;
	if (a->steps != b->steps)
		return a->steps > b->steps;
	if (a->stretches != b->stretches)
		return a->stretches > b->stretches;
	return a->picks >= b->picks;
}

/* ---- one run ------------------------------------------------------------------------------ */

static uint32_t *taken_by(struct minimiser *m, uint32_t id)
{
	if (m->taken->len <= id)
		g_array_set_size(m->taken, id + 1);
	return &g_array_index(m->taken, uint32_t, id);
}

static uint32_t planned_inner(struct exec *x, enum choice_kind kind, uint32_t n)
{
	struct minimiser *m = x->strategy;
	struct inner in = {m->id, *taken_by(m, m->id), m->nth++, (uint32_t)kind, 0};

	for (guint i = 0; i < m->plan.inner->len; i++) {
		const struct inner *p = &g_array_index(m->plan.inner, struct inner, i);

		if (p->id == in.id && p->step == in.step && p->nth == in.nth &&
		    p->kind == in.kind && p->pick < n)
			in.pick = p->pick;
	}
	if (in.pick > 0) {
		g_array_append_val(m->made.inner, in);
		m->made.cost.picks++;
	}
	return in.pick;
}

static int find_id(const struct exec *x, const uint32_t *ids, uint32_t id)
{
	for (uint32_t i = 0; i < x->nr_enabled; i++) {
		if (ids[i] == id)
			return (int)i;
	}
	return -1;
}

struct cursor {
	guint at;	 /* stretch of the plan */
	uint32_t done;	 /* steps of it */
	uint32_t beyond; /* steps after the plan was over */
};

static uint32_t pick_step(struct minimiser *m, struct cursor *c, const uint32_t *ids,
			  const struct switches *switches)
{
	int i;

	for (; c->at < m->plan.stretches->len; c->at++, c->done = 0) {
		const struct stretch *s = stretch_at(&m->plan, c->at);

		if (c->done == s->nr_steps)
			continue;
		i = find_id(m->x, ids, s->id);
		if (i >= 0) {
			c->done++;
			return (uint32_t)i;
		}
		if (c->done == 0 && m->patient)
			break;
		m->passed_over |= c->done == 0;
	}
	i = switches->current ? exec_find(m->x, switches->current) : -1;
	return i >= 0 ? (uint32_t)i : 0;
}

/* The violation that is looked for, if this run has it first: whoever repeats it stops there. */
static const struct violation *wanted(const struct minimiser *m)
{
	const struct violation *v = exec_violated(m->x) ? exec_violation(m->x) : NULL;

	return v && same_finding(&m->finding->violation, v) ? v : NULL;
}

/* One step of the plan; false when the run is over or has stopped. */
static bool make_step(struct minimiser *m, struct cursor *c, struct switches *switches)
{
	g_autoptr(GError) error = NULL;
	struct exec *x = m->x;
	uint32_t ids[ENABLED_MAX];
	uint32_t i, before = switches->preemptions;

	process_names_look(m->names, x, ids);
	i = pick_step(m, c, ids, switches);
	switches_count(switches, x, i);
	m->id = ids[i];
	m->nth = 0;
	++*taken_by(m, m->id);
	add_steps(&m->made, m->id, 1, switches->preemptions > before);
	m->made.cost.steps++;
	m->made.cost.stretches = m->made.stretches->len;
	m->made.cost.preemptions = switches->preemptions;
	if (exec_step(x, i))
		return true;
	/* A script that fails in this order is not what is looked for. */
	error = x->s->take_error(x->s);
	return false;
}

/* ---- marks -------------------------------------------------------------------------------- */

static void set_mark(struct minimiser *m, const struct switches *switches, guint stretch)
{
	struct mark *mark = &m->marks[m->nr_marks++];
	size_t size = m->s->save_size(m->s);

	if (mark->room < size) {
		g_aligned_free(mark->world);
		mark->room = size + size / 8;
		mark->world = g_aligned_alloc(1, mark->room, 64);
	}
	m->s->save(m->s, mark->world);
	mark->stretch = stretch;
	mark->nr_choices = m->x->choices->len;
	mark->nr_inner = m->made.inner->len;
	mark->nr_seen = process_names_seen(m->names);
	mark->switches = *switches;
	mark->cost = m->made.cost;
}

static void restart(struct minimiser *m)
{
	g_array_set_size(m->made.stretches, 0);
	g_array_set_size(m->made.inner, 0);
	m->made.cost = (struct price){0};
	g_array_set_size(m->taken, 0);
	process_names_restart(m->names);
	exec_restart(m->x);
	m->skipped = 0;
}

/* Take the best run once more, and keep where it stands now and then. */
static void set_marks(struct minimiser *m)
{
	guint every = m->best.stretches->len / MARKS_MAX + 1;
	struct switches switches = {0};
	struct cursor c = {0};

	m->marked = true;
	m->nr_marks = 0;
	trial_copy(&m->plan, &m->best);
	restart(m);
	while (exec_look(m->x) && c.at + 1 < m->plan.stretches->len) {
		if (is_interrupted(m) || !make_step(m, &c, &switches) || exec_violated(m->x))
			return;
		/* pick_step() goes to the next stretch only when that is to step. */
		if (c.done == stretch_at(&m->plan, c.at)->nr_steps && (c.at + 1) % every == 0 &&
		    m->nr_marks < MARKS_MAX)
			set_mark(m, &switches, c.at + 1);
	}
}

/* How many stretches have the plan and the best run in common? */
static guint common(const struct minimiser *m)
{
	guint n = MIN(m->plan.stretches->len, m->best.stretches->len), i = 0;

	while (i < n && stretch_at(&m->plan, i)->id == stretch_at(&m->best, i)->id &&
	       stretch_at(&m->plan, i)->nr_steps == stretch_at(&m->best, i)->nr_steps)
		i++;
	return i;
}

static void go_to_mark(struct minimiser *m, const struct mark *mark, struct switches *switches,
		       struct cursor *c)
{
	struct exec *x = m->x;

	m->s->restore(m->s, mark->world);
	exec_rewind_to(x, 0, mark->cost.steps);
	g_array_append_vals(x->choices, m->finding->choices->data, mark->nr_choices);
	process_names_forget(m->names, mark->nr_seen);
	g_array_set_size(m->made.stretches, 0);
	g_array_append_vals(m->made.stretches, m->best.stretches->data, mark->stretch);
	g_array_set_size(m->made.inner, 0);
	g_array_append_vals(m->made.inner, m->best.inner->data, mark->nr_inner);
	m->made.cost = mark->cost;
	g_array_set_size(m->taken, 0);
	for (guint i = 0; i < mark->stretch; i++)
		*taken_by(m, stretch_at(&m->best, i)->id) += stretch_at(&m->best, i)->nr_steps;
	*switches = mark->switches;
	*c = (struct cursor){.at = mark->stretch};
	m->skipped = mark->cost.steps - MIN(mark->cost.steps, MARK_STEPS);
}

/* Begin the run of the plan: where it parts from the best one, or a little before that. */
static void begin_run(struct minimiser *m, struct switches *switches, struct cursor *c)
{
	const struct mark *mark = NULL;
	guint same;

	*switches = (struct switches){0};
	*c = (struct cursor){0};
	if (m->other_picks || m->best.cost.steps == UINT32_MAX) {
		restart(m);
		return;
	}
	if (!m->marked) {
		struct trial plan = m->plan;

		trial_init(&m->plan);
		set_marks(m);
		trial_clear(&m->plan);
		m->plan = plan;
	}
	same = common(m);
	for (uint32_t i = 0; i < m->nr_marks && m->marks[i].stretch <= same; i++)
		mark = &m->marks[i];
	if (mark)
		go_to_mark(m, mark, switches, c);
	else
		restart(m);
}

/*
 * Once the plan is over, whatever comes next may be of no use.  To look takes a while, so
 * that is done after 0, 1, 2, 4, ... more steps.
 */
static bool is_livelock(struct minimiser *m, struct cursor *c)
{
	if (!m->loops || c->at + 1 < m->plan.stretches->len ||
	    (c->at < m->plan.stretches->len && c->done < stretch_at(&m->plan, c->at)->nr_steps) ||
	    (c->beyond & (c->beyond - 1)) != 0) {
		c->beyond += c->beyond > 0;
		return false;
	}
	c->beyond++;
	if (livelock_end(m->x))
		return true;
	exec_look(m->x);
	return false;
}

/* Make the run that the plan says, as far as it may be worth it; is it one that fails alike? */
static bool run_plan(struct minimiser *m, bool *at_end)
{
	struct exec *x = m->x;
	struct switches switches;
	struct cursor c;

	m->result->nr_replays++;
	begin_run(m, &switches, &c);
	*at_end = false;
	while (exec_look(x)) {
		if (is_hopeless(m))
			return false;
		if (is_livelock(m, &c)) {
			*at_end = true;
			return wanted(m) != NULL;
		}
		if (!make_step(m, &c, &switches))
			return false;
		if (exec_violated(x))
			return wanted(m) != NULL;
	}
	*at_end = true;
	x->s->finish(x->s);
	return wanted(m) != NULL;
}

static void keep(struct minimiser *m, bool at_end)
{
	struct finding *f = m->finding;

	m->marked = false;
	trial_copy(&m->best, &m->made);
	array_copy(f->choices, m->x->choices);
	f->violation = *wanted(m);
	f->nr_steps = m->x->nr_steps;
	f->at_end = at_end;
}

static bool may_go_on(struct minimiser *m)
{
	if (m->steps_left == 0 || is_interrupted(m))
		m->result->gave_up = true;
	return !m->result->gave_up;
}

/* Passes try thousands of plans where runs are long: they end when none is tried any more. */
static bool goes_on(const struct minimiser *m)
{
	return !m->result->gave_up;
}

/* Run the plan, and keep what comes out if it is cheaper. */
static bool try_plan(struct minimiser *m)
{
	for (int patient = 0; patient <= 1; patient++) {
		bool at_end, fails;

		if (!may_go_on(m))
			return false;
		/* With nobody to wait for the second run would be the first one again. */
		if (patient && !m->passed_over)
			return false;
		if (m->opt->progress)
			m->opt->progress(m->opt->arg, m->best.cost.steps, m->best.cost.preemptions,
					 m->result->nr_replays);
		m->patient = patient;
		m->passed_over = false;
		fails = run_plan(m, &at_end);
		m->steps_left -= MIN(m->steps_left, m->made.cost.steps - m->skipped + 1);
		if (fails && is_cheaper(&m->made.cost, &m->best.cost)) {
			keep(m, at_end);
			return true;
		}
	}
	return false;
}

/* ---- what may make it shorter ------------------------------------------------------------- */

/* Each pass takes what is best so far, changes it, and tries; true if something helped. */

static guint begin_plan(struct minimiser *m)
{
	trial_copy(&m->plan, &m->best);
	return m->plan.stretches->len;
}

static bool without_any_plan(struct minimiser *m)
{
	begin_plan(m);
	g_array_set_size(m->plan.stretches, 0);
	return try_plan(m);
}

/* Leave out @size stretches at a time; large parts first (ddmin, Zeller). */
static bool without_chunks(struct minimiser *m)
{
	bool helped = false;

	for (guint size = MAX(m->best.stretches->len / 2, 1);; size /= 2) {
		for (guint i = 0; goes_on(m) && i + size <= m->best.stretches->len;) {
			begin_plan(m);
			g_array_remove_range(m->plan.stretches, i, size);
			if (try_plan(m))
				helped = true;
			else
				i += size;
		}
		if (size == 1)
			return helped;
	}
}

static int next_of_same(const struct trial *t, guint i)
{
	for (guint j = i + 1; j < t->stretches->len; j++) {
		if (stretch_at(t, j)->id == stretch_at(t, i)->id)
			return (int)j;
	}
	return -1;
}

/*
 * The process that stretch @i preempts is not preempted: it goes on, or it begins later.
 * @next: its next stretch; whichever of the two is needed no more is left with no steps
 */
static void leave_in_peace(struct trial *plan, guint i, guint next, bool later)
{
	guint gone = later ? i - 1 : next;

	stretch_at(plan, later ? next : i - 1)->nr_steps += stretch_at(plan, gone)->nr_steps;
	stretch_at(plan, gone)->nr_steps = 0;
}

static void drop_empty(struct trial *plan)
{
	guint nr = 0;

	for (guint i = 0; i < plan->stretches->len; i++) {
		if (stretch_at(plan, i)->nr_steps > 0)
			*stretch_at(plan, nr++) = *stretch_at(plan, i);
	}
	g_array_set_size(plan->stretches, nr);
}

/* The first stretch of a process that is still to come, seen from where a walk back is, + 1. */
static guint *coming(struct minimiser *m, uint32_t id)
{
	if (m->coming->len <= id)
		g_array_set_size(m->coming, id + 1);
	return &g_array_index(m->coming, guint, id);
}

/* The same for the @nr preempting stretches from the @from-th on; the last first. */
static void calm_down(struct minimiser *m, guint from, guint nr, bool later)
{
	guint nth = m->best.cost.preemptions;

	g_array_set_size(m->coming, 0);
	for (guint i = begin_plan(m); i-- > 1;) {
		guint next;

		if (stretch_at(&m->plan, i)->nr_steps > 0)
			*coming(m, stretch_at(&m->plan, i)->id) = i + 1;
		if (!stretch_at(&m->best, i)->preempts)
			continue;
		nth--;
		next = *coming(m, stretch_at(&m->plan, i - 1)->id);
		if (nth >= from && nth < from + nr && next > 0)
			leave_in_peace(&m->plan, i, next - 1, later);
	}
	drop_empty(&m->plan);
}

/* Most preemptions of a run that was drawn are of no use: many at a time first. */
static bool calmer(struct minimiser *m)
{
	bool helped = false;

	for (guint size = m->best.cost.preemptions; size > 0; size /= 2) {
		for (guint from = 0; goes_on(m) && from < m->best.cost.preemptions;) {
			bool now = false, later = false;

			calm_down(m, from, size, false);
			now = try_plan(m);
			if (!now) {
				calm_down(m, from, size, true);
				later = try_plan(m);
			}
			helped |= now || later;
			if (!now && !later)
				from += size;
		}
	}
	return helped;
}

/* Let a process do at once what it does in two stretches: now, or later. */
static bool merged(struct minimiser *m)
{
	bool helped = false;

	for (guint i = 0; goes_on(m) && i < m->best.stretches->len; i++) {
		for (int later = 0; later <= 1; later++) {
			int j;

			if (i >= begin_plan(m) || (j = next_of_same(&m->plan, i)) < 0)
				break;
			stretch_at(&m->plan, later ? (guint)j : i)->nr_steps +=
				stretch_at(&m->plan, later ? i : (guint)j)->nr_steps;
			g_array_remove_index(m->plan.stretches, later ? i : (guint)j);
			helped |= try_plan(m);
		}
	}
	return helped;
}

/* Let a process that was preempted run on for as long as it can. */
static bool run_on(struct minimiser *m)
{
	bool helped = false;

	for (guint i = 0; goes_on(m) && i < m->best.stretches->len; i++) {
		begin_plan(m);
		stretch_at(&m->plan, i)->nr_steps = AS_LONG_AS_IT_CAN;
		helped |= try_plan(m);
	}
	return helped;
}

/* What a process does from stretch @i on is not needed. */
static void cut_end(struct minimiser *m, guint i)
{
	uint32_t id = stretch_at(&m->plan, i)->id;

	for (guint j = i; j < m->plan.stretches->len; j++) {
		if (stretch_at(&m->plan, j)->id == id)
			stretch_at(&m->plan, j)->nr_steps = 0;
	}
	drop_empty(&m->plan);
}

static bool without_ends(struct minimiser *m)
{
	bool helped = false;

	for (guint i = 0; goes_on(m) && i < m->best.stretches->len; i++) {
		begin_plan(m);
		cut_end(m, i);
		if (!try_plan(m))
			continue;
		helped = true;
		i--;
	}
	return helped;
}

/*
 * Stop a stretch earlier.  One round of a loop may do as well as two, so no length
 * follows from another one; of long stretches only some are tried.
 */
static bool shorter(struct minimiser *m)
{
	bool helped = false;

	for (guint i = 0; goes_on(m) && i < m->best.stretches->len; i++) {
		uint32_t n = stretch_at(&m->best, i)->nr_steps;

		for (uint32_t left = 1; goes_on(m) && left < n; left += 1 + left / LENGTHS_TRIED) {
			begin_plan(m);
			stretch_at(&m->plan, i)->nr_steps = left;
			if (try_plan(m)) {
				helped = true;
				break;
			}
		}
	}
	return helped;
}

/* Move @size stretches from @i on to before stretch @to, which comes later; true if it helped. */
static bool move_to(struct minimiser *m, guint i, guint size, guint to)
{
	begin_plan(m);
	g_array_insert_vals(m->plan.stretches, to, stretch_at(&m->best, i), size);
	g_array_remove_range(m->plan.stretches, i, size);
	return try_plan(m);
}

/*
 * Move them behind the next one, the next two, ...; true if it helped.  @settled: only to
 * where whoever stepped before could not go on, so that nobody is preempted there.
 */
static bool postpone(struct minimiser *m, guint i, guint size, bool settled)
{
	uint32_t left = settled ? PLACES_MAX : UINT32_MAX;

	for (guint to = i + size + 1; goes_on(m) && to <= m->best.stretches->len && left > 0;
	     to++) {
		if (settled && to < m->best.stretches->len && stretch_at(&m->best, to)->preempts)
			continue;
		left--;
		if (move_to(m, i, size, to))
			return true;
	}
	return false;
}

/* What need not be so early is in the way; a grace period comes with all that follows it. */
static bool postponed(struct minimiser *m)
{
	bool helped = false;

	/* Moving several is for preemptions: without any there are few steps to win. */
	for (guint size = 1; size <= (m->best.cost.preemptions ? POSTPONED_MAX : 1); size++) {
		for (guint i = 0; goes_on(m) && i + size < m->best.stretches->len; i++)
			helped |= postpone(m, i, size, false);
	}
	return helped;
}

/* The same for what preempts somebody, and only to where it need not. */
static bool settled(struct minimiser *m)
{
	bool helped = false;

	for (guint size = 1; size <= POSTPONED_MAX; size++) {
		for (guint i = 1; goes_on(m) && i + size < m->best.stretches->len; i++) {
			while (i + size < m->best.stretches->len &&
			       stretch_at(&m->best, i)->preempts && postpone(m, i, size, true))
				helped = true;
		}
	}
	return helped;
}

/* The first alternative wherever it does as well: no failing allocation, for one. */
static bool plain_picks(struct minimiser *m)
{
	bool helped = false;

	for (guint i = 0; goes_on(m) && i < m->best.inner->len;) {
		begin_plan(m);
		g_array_remove_index(m->plan.inner, i);
		m->other_picks = true;
		if (try_plan(m))
			helped = true;
		else
			i++;
		m->other_picks = false;
	}
	return helped;
}

typedef bool (*pass_fn)(struct minimiser *m);

static bool run_passes(struct minimiser *m, const pass_fn *passes)
{
	bool helped = false;

	for (; *passes; passes++)
		helped |= may_go_on(m) && (*passes)(m);
	return helped;
}

/* What takes little comes first, and again as long as it helps; then what takes more. */
static void shrink(struct minimiser *m)
{
	static const pass_fn first[] = {without_any_plan, without_ends, NULL};
	static const pass_fn calm[] = {calmer, run_on, settled, NULL};
	static const pass_fn fewer[] = {without_ends, without_chunks, merged, NULL};
	static const pass_fn thorough[] = {postponed, shorter, plain_picks, NULL};

	run_passes(m, first);
	do {
		do {
			while (run_passes(m, calm))
				;
		} while (run_passes(m, fewer));
	} while (run_passes(m, thorough));
}

/* The same passes, each in turn. */
static void shrink_in_turn(struct minimiser *m)
{
	static const pass_fn all[] = {without_any_plan, without_ends, without_chunks,
				      merged,		run_on,	      postponed,
				      shorter,		plain_picks,  NULL};

	while (run_passes(m, all))
		;
}

/* ---- where it starts ---------------------------------------------------------------------- */

/* Plan what @f did, stretch by stretch. */
static void plan_schedule(struct minimiser *m, const struct schedule *sched)
{
	g_array_set_size(m->plan.stretches, 0);
	g_array_set_size(m->plan.inner, 0);
	g_array_set_size(m->taken, 0);
	for (guint i = 0; i < sched->runs->len; i++) {
		const struct schedule_run *run =
			&g_array_index(sched->runs, struct schedule_run, i);
		uint32_t id = process_names_id(m->names, run->process);

		add_steps(&m->plan, id, run->nr_steps, false);
		*taken_by(m, id) += run->nr_steps;
		for (uint32_t k = 0; k < run->nr_picks; k++) {
			const struct schedule_pick *p = &g_array_index(
				sched->picks, struct schedule_pick, run->picks_at + k);
			struct inner in = {id, *taken_by(m, id), k, p->kind, p->pick};

			if (p->pick > 0)
				g_array_append_val(m->plan.inner, in);
		}
	}
}

/* Make @f the best so far; false if it cannot be repeated, or there is no time for that. */
static bool start_from(struct minimiser *m, const struct finding *f, GError **error)
{
	struct schedule *sched = schedule_of(m->s, f, m->opt->interrupted, error);
	struct price before = m->best.cost;
	bool at_end, ok;

	if (!sched)
		return false;
	plan_schedule(m, sched);
	m->patient = false;
	m->best.cost = (struct price){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
	m->max_steps = MIN(sched->nr_steps, UINT32_MAX / 2 / STEPS_FACTOR) * STEPS_FACTOR +
		       STEPS_MORE;
	m->loops = f->at_end;
	m->marked = false;
	ok = run_plan(m, &at_end);
	m->loops &= exec_look(m->x);
	m->best.cost = before;
	if (ok)
		keep(m, at_end);
	else
		g_set_error(error, SCHEDULE_ERROR, SCHEDULE_ERROR_LOST,
			    "a run could not be repeated by the names of its processes");
	schedule_free(sched);
	return ok;
}

/* ---- is there one with fewer preemptions? ------------------------------------------------- */

struct proof {
	struct minimiser *m;
	uint64_t max_steps;
	struct explore_result result;
	volatile sig_atomic_t stop;
};

static const struct finding *alike(const struct proof *p)
{
	for (guint i = 0; p->result.findings && i < p->result.findings->len; i++) {
		const struct finding *f = g_ptr_array_index(p->result.findings, i);

		if (same_finding(&p->m->finding->violation, &f->violation))
			return f;
	}
	return NULL;
}

/*
 * Findings of other kinds must not end the search, the first of this kind may.  The clock must
 * not: what comes out would be another schedule on another machine.
 */
static void proof_progress(void *arg, const struct explore_stats *stats)
{
	struct proof *p = arg;

	if (alike(p) || is_interrupted(p->m) || stats->nr_steps >= p->max_steps)
		p->stop = 1;
}

/*
 * Search all orders with fewer preemptions than the best one has.
 * Return: one that fails alike, which is then the best; false if none was found.
 */
static bool find_fewer(struct minimiser *m)
{
	struct proof p = {.m = m, .max_steps = m->opt->proof_steps};
	const struct explore_options opt = {
		.strategy = STRATEGY_BOUNDED,
		.preemptions = m->best.cost.preemptions - 1,
		.keep_going = true,
		.past_setup = true,
		.interrupted = &p.stop,
		.progress = proof_progress,
		.progress_arg = &p,
	};
	const struct finding *f;
	bool found;

	explore(m->s, &opt, &p.result);
	f = alike(&p);
	m->result->proof_runs += p.result.stats.nr_runs;
	m->result->proved = !f && p.result.bound_done == m->best.cost.preemptions &&
			    p.result.stats.nr_cut == 0 && !p.result.error;
	found = f && start_from(m, f, NULL);
	explore_result_clear(&p.result);
	return found;
}

static void prove(struct minimiser *m)
{
	while (m->opt->proof_steps > 0 && m->best.cost.preemptions > 0 && !is_interrupted(m)) {
		if (!find_fewer(m))
			return;
		/* A new start, and shorter than what has used up the steps. */
		m->steps_left = MAX(m->steps_left, STEPS_DEFAULT / 4);
		m->result->gave_up = false;
		shrink(m);
	}
	m->result->proved = m->best.cost.preemptions == 0;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static struct finding *finding_copy(const struct finding *f)
{
	struct finding *copy = g_memdup2(f, sizeof(*f));

	copy->choices = g_array_copy(f->choices);
	return copy;
}

/*
 * Where no pass helps any more depends on which came first.  Once more from @f, with those
 * first that leave things out; the better of the two stays.
 */
static void shrink_otherwise(struct minimiser *m, const struct finding *f)
{
	struct trial best;
	struct finding *finding;

	if (m->best.cost.preemptions <= 1 || !may_go_on(m))
		return;
	trial_init(&best);
	trial_copy(&best, &m->best);
	finding = finding_copy(m->finding);
	if (start_from(m, f, NULL))
		shrink_in_turn(m);
	if (is_cheaper(&best.cost, &m->best.cost)) {
		m->marked = false;
		trial_copy(&m->best, &best);
		finding_free(m->finding);
		m->finding = g_steal_pointer(&finding);
	}
	finding_free(finding);
	trial_clear(&best);
}

struct finding *minimise(struct subject *s, const struct finding *f,
			 const struct minimise_options *opt, struct minimise_result *result,
			 GError **error)
{
	struct minimiser m = {
		.s = s,
		.opt = opt,
		.result = result,
		.x = exec_new(s),
		.names = process_names_new(),
		.finding = finding_copy(f),
		.steps_left = opt->max_steps ? opt->max_steps : STEPS_DEFAULT,
		.coming = g_array_new(FALSE, TRUE, sizeof(guint)),
		.taken = g_array_new(FALSE, TRUE, sizeof(uint32_t)),
	};
	gint64 start = g_get_monotonic_time();

	memset(result, 0, sizeof(*result));
	trial_init(&m.plan);
	trial_init(&m.made);
	trial_init(&m.best);
	m.x->interrupted = opt->interrupted;
	m.x->inner = planned_inner;
	m.x->strategy = &m;
	if (start_from(&m, f, error)) {
		result->steps_before = m.best.cost.steps;
		result->preemptions_before = m.best.cost.preemptions;
		shrink(&m);
		shrink_otherwise(&m, f);
		prove(&m);
		result->preemptions = m.best.cost.preemptions;
	} else {
		if (is_interrupted(&m))
			g_clear_error(error);
		g_clear_pointer(&m.finding, finding_free);
	}
	result->seconds = (double)(g_get_monotonic_time() - start) / 1e6;
	trial_clear(&m.plan);
	trial_clear(&m.made);
	trial_clear(&m.best);
	for (size_t i = 0; i < MARKS_MAX; i++)
		g_aligned_free(m.marks[i].world);
	g_array_unref(m.coming);
	g_array_unref(m.taken);
	process_names_free(m.names);
	exec_free(m.x);
	return m.finding;
}
