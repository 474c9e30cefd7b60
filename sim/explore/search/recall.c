// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recalling: dpor takes only such steps in the world as it does not know yet.
 *
 * It is the same search, node by node, event by event.  What it needs of a step is how that
 * touches what, who can step afterwards, and who waits: a memo knows all that, and the
 * search goes on as if the step had been taken.  The world stays where it is, and is brought
 * along where the memo has no answer, where a run ends in a state that no run has ended in yet, and
 * now and then to check.
 *
 * To bring the world along is to take the steps of the path in it.  Each of them has to do there
 * what the memo says; if one does not, the exploration is over.
 */

#include "sim/explore/steps/paper.h"
#include "sim/explore/search/path.h"

#include <string.h>

/* Of many recalled steps; of the first few, some more. */
#define SAMPLE_EVERY 8192
#define LEARN_MAX (1u << 20)
/* Steps to be taken in the world before it is asked whether all this is worth it. */
#define FEW_IN_WORLD 32768
#define CLEAN_ENDS_MAX (1u << 20)

/* What the node at the same depth does not say of the state there. */
struct sheet {
	struct proc_list pending, enabled;
	uint32_t step, from; /* what its pick has done, MEMO_NONE: nothing yet; where it stood */
	uint64_t hindsight;  /* as in struct recall, before that */
	bool violated;	     /* on the way there */
};

/* A process is a task with a CPU of its own. */
struct doer {
	oid_t task;
	uint32_t cpu;
};

struct recall {
	struct paper paper;
	struct order *one; /* a step all by itself */
	GArray *places; /* uint32_t for each of memo.touches: order_place(), NO_EVENT: not known */
	GArray *sheets; /* struct sheet; the last is for where the path ends */
	uint64_t hindsight; /* checkset.hindsight there */
	uint32_t world;	    /* the world is behind so many steps of the path; NO_EVENT: elsewhere */
	struct doer doers[MEMO_PROCS_MAX];
	struct proc_list tasks; /* in the order of world.tasks */
};

static struct sheet *sheet_at(const struct recall *r, uint32_t depth)
{
	return &g_array_index(r->sheets, struct sheet, depth);
}

static struct memo *memo_of(const struct search *s)
{
	return s->recall->paper.m;
}

static uint32_t picked(const struct recall *r, const struct node *n, uint32_t depth)
{
	return sheet_at(r, depth)->enabled.at[n->pick];
}

/* ---- beginning and ending -------------------------------------------------------------------- */

static void recall_free(struct recall *r)
{
	paper_clear(&r->paper);
	order_free(r->one);
	g_array_unref(r->places);
	g_array_unref(r->sheets);
	g_free(r);
}

void recall_end(struct search *s)
{
	if (s->recall)
		recall_free(s->recall);
	s->recall = NULL;
}

/* The search goes on in the world, which is where the path ends.  Return: true. */
static bool give_up(struct search *s, bool *for_ever)
{
	*for_ever = true;
	recall_end(s);
	return true;
}

static void note_root_value(void *arg, oid_t obj, uint32_t field, uint64_t value)
{
	order_set_root_value(arg, obj, field, value);
}

/* Who takes the steps that are pending where the path begins; false if others may turn up. */
static bool know_doers(struct recall *r, const struct world *w, const struct proc_list *pending)
{
	for (uint32_t i = 0; i < w->nr_pending; i++) {
		const struct task *t = transition_context(w->pending[i]);

		r->doers[pending->at[i]] = (struct doer){t->id, t->cpu->nr};
		memo_point_at(r->paper.m, r->paper.points[pending->at[i]])->masked = step_masks(t);
	}
	list_for_each(node, &w->tasks) {
		const struct task *t = container_of(node, struct task, all_node);

		for (uint32_t i = 0; i < pending->nr; i++) {
			if (r->doers[pending->at[i]].task == t->id)
				r->tasks.at[r->tasks.nr++] = pending->at[i];
		}
	}
	return r->tasks.nr == pending->nr;
}

void recall_begin(struct search *s)
{
	struct driver *d = s->d;
	struct subject *subject = s->x->s;
	struct sheet f = {.step = MEMO_NONE};
	struct recall *r;

	if (s->strategy != STRATEGY_DPOR || !d->memo || d->memo->unfit || d->memo->dull)
		return;
	r = g_new0(struct recall, 1);
	r->one = order_new();
	r->places = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	r->sheets = g_array_new(FALSE, FALSE, sizeof(struct sheet));
	order_set_root(r->one, subject->w->next_id);
	if (subject->each_value)
		subject->each_value(subject, r->one, note_root_value);
	r->hindsight = subject->checks->hindsight;
	s->recall = r;
	(void)exec_look(s->x);
	if (!paper_begin(&r->paper, d->memo, s->x, r->one, &f.pending) ||
	    !know_doers(r, subject->w, &f.pending)) {
		(void)give_up(s, &d->memo->unfit);
		return;
	}
	r->paper.blind = is_broken(s, DEFECT_RECALL_BLIND);
	g_array_append_val(r->sheets, f);
}

/* ---- what a step does ------------------------------------------------------------------------ */

/*
 * The step of @t from the point @from, seen where nothing else has happened yet: what it touched
 * must be assumed to hold what it did.  order_pop() comes next.
 *
 * Return: false if there is more to it than a memo can hold.
 */
static bool push_alone(struct search *s, const struct task *t, uint32_t from, uint32_t nr_touches,
		       struct effects *effects)
{
	struct recall *r = s->recall;
	const struct memo_point *at = memo_point_at(r->paper.m, from);
	const struct event_info ev = {
		.key = r->paper.m->procs[at->proc],
		.context = t->id,
		.poster = NO_EVENT,
		.touches = s->tidy,
		.nr_touches = nr_touches,
	};

	order_assume_control(r->one, ev.key, at->control);
	(void)order_push(r->one, &ev);
	step_note_effects(s, r->one, s->tidy, nr_touches, t);
	return order_effects(r->one, effects);
}

static bool same_uses(const struct memo *m, const struct memo_step *step,
		      const struct effects *effects)
{
	const struct memo_use *u = memo_uses_of(m, step);

	for (uint32_t i = 0; i < step->nr; i++) {
		const struct effect *e = &effects->places[i];
		const struct memo_place *at =
			&g_array_index(m->places, struct memo_place, u[i].place);

		if (at->obj != e->obj || at->field != e->field || u[i].before != e->before ||
		    u[i].after != e->after)
			return false;
	}
	return true;
}

/* Is @step what a task has done that had @effects, and touched what stands in search.tidy? */
static bool is_same(const struct search *s, uint32_t step, const struct task *t,
		    const struct effects *effects, uint32_t nr_touches)
{
	const struct memo *m = memo_of(s);
	const struct memo_step *known = memo_step_at(m, step);
	bool ended = t->state == TASK_DEAD;

	if (known->nr != effects->nr || (known->to == MEMO_NONE) != ended ||
	    (!ended && memo_point_at(m, known->to)->control != effects->control))
		return false;
	if (known->nr_touches != MEMO_NONE &&
	    (known->nr_touches != nr_touches ||
	     !touches_are_same(memo_touches_of(m, known), s->tidy, nr_touches)))
		return false;
	return same_uses(m, known, effects);
}

/* ---- bringing the world along ---------------------------------------------------------------- */

bool recall_is_in_world(const struct search *s)
{
	return !s->recall || s->recall->world == s->x->nr_steps;
}

/* The last step in the world, the one at @depth of the path, has to be what the memo says. */
static bool is_as_known(struct search *s, uint32_t depth, const struct task *t)
{
	struct recall *r = s->recall;
	const struct sheet *f = sheet_at(r, depth);
	const struct memo_step *step = memo_step_at(r->paper.m, f->step);
	const struct memo_use *u = memo_uses_of(r->paper.m, step);
	uint32_t nr = step_tidy(s, &node_at(s, depth)->where, t);
	struct effects effects;
	bool same;

	for (uint32_t i = 0; i < step->nr; i++) {
		const struct memo_place *at =
			&g_array_index(r->paper.m->places, struct memo_place, u[i].place);

		order_assume(r->one, at->obj, at->field, u[i].before);
	}
	same = push_alone(s, t, f->from, nr, &effects) && is_same(s, f->step, t, &effects, nr);
	order_pop(r->one);
	return same;
}

/* One step of the path, in the world; false if it is another one there. */
static bool follow(struct search *s)
{
	struct exec *x = s->x;
	uint32_t depth = x->nr_steps;
	const struct node *n = node_at(s, depth);
	const struct task *t;

	(void)exec_look(x);
	if (x->nr_enabled != n->nr_enabled || x->enabled[n->pick].key != key_at(s, n, n->pick))
		return false;
	t = transition_context(x->enabled[n->pick].tr);
	if (!exec_step(x, n->pick)) {
		driver_run_stopped(s->d);
		return false;
	}
	s->d->result->stats.nr_steps++;
	s->d->result->stats.nr_again++;
	memo_of(s)->nr_in_world++;
	return x->choices->len == x->nr_steps && is_as_known(s, depth, t);
}

void recall_leave_world(struct search *s)
{
	s->recall->world = NO_EVENT;
}

bool recall_catch_up(struct search *s)
{
	struct recall *r = s->recall;
	struct exec *x = s->x;
	uint32_t depth = x->nr_steps;

	if (r->world == NO_EVENT)
		r->world = path_restore(s, depth);
	exec_rewind_to(x, r->world, r->world);
	while (r->world < depth) {
		if (!follow(s)) {
			driver_contradicted(s->d);
			return false;
		}
		r->world = x->nr_steps;
		if (r->world % s->snapshot_every == 0)
			path_take_snapshot(s);
	}
	(void)exec_look(x);
	return true;
}

/* ---- who comes next -------------------------------------------------------------------------- */

/* Nobody makes another one's next step possible. */
static bool post_themselves(const struct search *s)
{
	const struct world *w = s->x->s->w;

	for (uint32_t i = 0; i < w->nr_pending; i++) {
		if (poster_of(s, w->pending[i]->posted) !=
		    order_latest(s->order, process_key(w->pending[i])))
			return false;
	}
	return true;
}

/* Does the world, which is there, have those whom @f has? */
static bool enables_same(const struct search *s, const struct sheet *f)
{
	const struct exec *x = s->x;

	if (x->nr_enabled != f->enabled.nr)
		return false;
	for (uint32_t i = 0; i < x->nr_enabled; i++) {
		if (x->enabled[i].key != memo_of(s)->procs[f->enabled.at[i]])
			return false;
	}
	return true;
}

/* Ask the world, and learn from it.  Return: false when the exploration has to end. */
static bool look_in_world(struct search *s, struct sheet *f)
{
	struct recall *r = s->recall;

	if (!recall_catch_up(s))
		return false;
	if (!post_themselves(s))
		return give_up(s, &s->d->memo->dull);
	if (!paper_look(&r->paper, s->x, r->one, &f->pending))
		return give_up(s, &s->d->memo->unfit);
	f->violated |= exec_violated(s->x);
	if (paper_set_enabled(&r->paper, &f->pending, &f->enabled) && enables_same(s, f) &&
	    r->hindsight == s->x->s->checks->hindsight)
		return true;
	driver_contradicted(s->d);
	return false;
}

static void set_enabled(struct search *s, const struct sheet *f)
{
	struct exec *x = s->x;

	x->too_many = false;
	x->nr_enabled = f->enabled.nr;
	for (uint32_t i = 0; i < f->enabled.nr; i++)
		x->enabled[i].key = memo_of(s)->procs[f->enabled.at[i]];
}

/* A sheet for where the path ends, with who is pending there. */
static struct sheet *new_sheet(struct search *s)
{
	struct recall *r = s->recall;
	uint32_t depth = s->x->nr_steps;
	const struct sheet *up;
	struct sheet *f;

	/* The first one is there from the beginning. */
	if (depth == 0)
		return sheet_at(r, 0);
	sim_assert(r->sheets->len == depth);
	g_array_set_size(r->sheets, depth + 1);
	f = sheet_at(r, depth);
	up = sheet_at(r, depth - 1);
	f->step = MEMO_NONE;
	f->violated = up->violated;
	paper_set_pending(&r->paper, &up->pending, picked(r, node_at(s, depth - 1), depth - 1),
			  &f->pending);
	return f;
}

bool recall_look(struct search *s)
{
	struct recall *r = s->recall;
	struct sheet *f = new_sheet(s);

	if (r->world == s->x->nr_steps || !paper_set_enabled(&r->paper, &f->pending, &f->enabled)) {
		if (!look_in_world(s, f))
			return false;
		if (!s->recall)
			return s->x->nr_enabled > 0;
	}
	set_enabled(s, f);
	return f->enabled.nr > 0;
}

bool recall_violated(const struct search *s)
{
	return sheet_at(s->recall, s->x->nr_steps)->violated;
}

void recall_go_back(struct search *s, uint32_t depth)
{
	exec_rewind_to(s->x, depth, depth);
}

/* ---- steps ----------------------------------------------------------------------------------- */

/*
 * The step of @proc that is known here, by all that dpor wants to know of it; MEMO_NONE: none is.
 * @other: set to one of which its touches were not kept
 */
static uint32_t recall(const struct recall *r, uint32_t proc, uint32_t *other)
{
	const struct memo *m = r->paper.m;

	*other = MEMO_NONE;
	for (uint32_t i = memo_point_at(m, r->paper.points[proc])->step; i != MEMO_NONE;) {
		const struct memo_step *step = memo_step_at(m, i);

		if (r->paper.blind || memo_fits(m, step, r->paper.versions)) {
			if (step->nr_touches == MEMO_NONE)
				*other = i;
			else if (!step->looks_back || step->hindsight == r->hindsight)
				return i;
		}
		i = step->next;
	}
	return MEMO_NONE;
}

/* The state is what it is behind @step, which @proc takes at the node on top. */
static void apply(struct search *s, uint32_t proc, uint32_t step)
{
	struct recall *r = s->recall;
	const struct memo_step *what = memo_step_at(r->paper.m, step);
	struct sheet *f = sheet_at(r, s->nodes->len - 1);

	f->step = step;
	f->hindsight = r->hindsight;
	f->from = paper_apply(&r->paper, proc, what);
	r->hindsight ^= what->hindsight_change;
}

static void note_where(struct search *s, struct node *n, uint32_t proc)
{
	const struct recall *r = s->recall;

	n->where = (struct where){
		.level = LEVEL_TASK,
		.arrival = LEVEL_NONE,
		.cpu = r->doers[proc].cpu,
		.masks = memo_point_at(r->paper.m, r->paper.points[proc])->masked,
	};
}

/* The places that @step touches, as the order calls them. */
static const uint32_t *places_of(struct search *s, const struct memo_step *step)
{
	struct recall *r = s->recall;
	const struct touch *t = memo_touches_of(r->paper.m, step);
	guint known = r->places->len, nr = r->paper.m->touches->len;
	uint32_t *places;

	if (known < nr) {
		g_array_set_size(r->places, nr);
		memset(&g_array_index(r->places, uint32_t, known), 0xff,
		       (nr - known) * sizeof(uint32_t));
	}
	places = &g_array_index(r->places, uint32_t, step->touches_at);
	for (uint32_t i = 0; i < step->nr_touches && places[i] == NO_EVENT; i++)
		places[i] = order_place(s->order, t[i].obj, t[i].field);
	return places;
}

bool recall_step(struct search *s, struct taken *taken)
{
	struct recall *r = s->recall;
	struct explore_stats *stats = &s->d->result->stats;
	struct node *n = top(s);
	uint32_t proc = picked(r, n, s->nodes->len - 1), other, step = recall(r, proc, &other);
	const struct memo *m = r->paper.m;
	const struct memo_point *from = memo_point_at(m, r->paper.points[proc]);
	const struct memo_step *what;
	struct event_info ev;

	if (step == MEMO_NONE || is_sample(++r->paper.m->nr_known, SAMPLE_EVERY))
		return false;
	what = memo_step_at(m, step);
	*taken = (struct taken){
		.context = true,
		.waited = from->waits_for != MEMO_NONE,
		.recalled = true,
		.before = order_fingerprint(s->order),
	};
	stats->nr_steps++;
	stats->nr_recalled++;
	r->paper.m->nr_recalled++;
	n->wild = false;
	exec_recall(s->x, n->pick, n->nr_enabled, m->procs[proc]);
	note_where(s, n, proc);
	ev = (struct event_info){
		.key = m->procs[proc],
		.poster = NO_EVENT,
		.context = r->doers[proc].task,
		.touches = memo_touches_of(m, what),
		.places = places_of(s, what),
		.nr_touches = what->nr_touches,
		.waited = taken->waited,
	};
	apply(s, proc, step);
	return step_note_event(s, n, &ev);
}

/* Let the step that was just taken be seen by itself. */
static void assume_all(struct search *s, uint32_t nr_touches)
{
	struct recall *r = s->recall;

	for (uint32_t i = 0; i < nr_touches; i++) {
		const struct touch *t = &s->tidy[i];
		uint32_t place = memo_place(r->paper.m, t->obj, t->field);

		/* What nobody has touched yet is as it was at the beginning. */
		order_assume(r->one, t->obj, t->field,
			     place < r->paper.nr_places ? r->paper.versions[place] : 0);
	}
}

/* Can a memo hold a step that stood at @was and was @taken? */
static bool can_learn(const struct search *s, const struct transition *was,
		      const struct taken *taken)
{
	const struct node *n = top(s);

	return taken->t && !n->wild && s->x->choices->len == n->choices_at + 1 &&
	       poster_of(s, was->posted) == order_previous(s->order);
}

/* The number of the step that @proc has taken; MEMO_NONE: a memo can't hold it. */
static uint32_t number_of(struct search *s, const struct taken *taken, uint32_t proc,
			  uint32_t nr_touches)
{
	struct recall *r = s->recall;
	uint32_t other, step = recall(r, proc, &other);
	bool keep = s->x->s->checks->nr_violations == taken->nr_violations;
	struct effects effects;

	assume_all(s, nr_touches);
	if (step == MEMO_NONE)
		step = other;
	if (!push_alone(s, taken->t, r->paper.points[proc], nr_touches, &effects))
		step = MEMO_NONE;
	else if (step == MEMO_NONE)
		step = paper_learn(&r->paper, s->x, r->one, proc, taken->t->state == TASK_DEAD,
				   keep, &effects);
	else if (!is_same(s, step, taken->t, &effects, nr_touches))
		driver_contradicted(s->d);
	order_pop(r->one);
	return step;
}

static void note_touches(struct search *s, const struct taken *taken, uint32_t step,
			 uint32_t nr_touches)
{
	const struct checkset *checks = s->x->s->checks;
	struct recall *r = s->recall;

	if (memo_step_at(r->paper.m, step)->nr_touches == MEMO_NONE)
		memo_note_touches(r->paper.m, step, s->tidy, nr_touches,
				  checks->nr_looks_back != taken->nr_looks_back, r->hindsight,
				  checks->hindsight ^ r->hindsight);
}

/* Where most steps are taken in the world it is no use, and what cannot be kept is no help. */
static bool is_dull(const struct memo *m)
{
	return m->steps->len >= LEARN_MAX ||
	       (m->nr_in_world > FEW_IN_WORLD && m->nr_recalled < 2 * m->nr_in_world);
}

bool recall_learn(struct search *s, const struct transition *was, const struct taken *taken)
{
	struct recall *r = s->recall;
	uint32_t depth = s->nodes->len - 1, proc = picked(r, top(s), depth), step, to;
	uint32_t nr_touches = order_nr_touches(s->order, depth);

	if (!can_learn(s, was, taken))
		return give_up(s, &s->d->memo->dull);
	step = number_of(s, taken, proc, nr_touches);
	if (driver_is_over(s->d))
		return false;
	if (step == MEMO_NONE)
		return give_up(s, &s->d->memo->unfit);
	note_touches(s, taken, step, nr_touches);
	to = memo_step_at(r->paper.m, step)->to;
	if (to != MEMO_NONE)
		memo_point_at(r->paper.m, to)->masked = step_masks(taken->t);
	apply(s, proc, step);
	r->world = s->x->nr_steps;
	r->paper.m->nr_in_world++;
	return !is_dull(r->paper.m) || give_up(s, &s->d->memo->dull);
}

void recall_take_back(struct search *s)
{
	struct recall *r = s->recall;
	uint32_t depth = s->nodes->len - 1;
	struct sheet *f = sheet_at(r, depth);

	if (f->step != MEMO_NONE) {
		paper_take_back(&r->paper, picked(r, top(s), depth),
				memo_step_at(r->paper.m, f->step), f->from);
		r->hindsight = f->hindsight;
		f->step = MEMO_NONE;
	}
	array_cut(r->sheets, depth + 1);
	if (r->world > depth)
		r->world = NO_EVENT;
	path_drop_snapshots(s, depth);
}

/* ---- the end of a run ------------------------------------------------------------------------ */

static const struct sheet *last_sheet(const struct search *s)
{
	return sheet_at(s->recall, s->x->nr_steps);
}

/* Of @proc, which is pending; false if it need not wait. */
static bool is_waiting(const struct search *s, uint32_t proc, struct waiting *who)
{
	const struct recall *r = s->recall;
	const struct memo *m = r->paper.m;
	const struct memo_point *at;

	if (r->paper.points[proc] == MEMO_NONE)
		return false;
	at = memo_point_at(m, r->paper.points[proc]);
	if (at->waits_for == MEMO_NONE)
		return false;
	*who = (struct waiting){
		.key = m->procs[proc],
		.task = r->doers[proc].task,
		.on = at->waits_on,
		.poster = order_latest(s->order, m->procs[proc]),
		.cpu = r->doers[proc].cpu,
	};
	return true;
}

/* As races_reverse_pending() says, where nobody shares a CPU. */
void recall_reverse_pending(struct search *s)
{
	const struct proc_list *tasks = &s->recall->tasks;
	struct waiting who;

	for (uint32_t i = 0; i < tasks->nr; i++) {
		if (is_waiting(s, tasks->at[i], &who))
			races_reverse_waiting(s, &who);
	}
}

bool recall_is_clean_end(const struct search *s)
{
	const struct recall *r = s->recall;

	return !s->d->audit && !last_sheet(s)->violated &&
	       g_hash_table_contains(r->paper.m->clean_ends, &r->paper.fingerprint);
}

void recall_note_end(struct search *s)
{
	struct recall *r = s->recall;
	GHashTable *ends = r->paper.m->clean_ends;

	if (!exec_violated(s->x) && g_hash_table_size(ends) < CLEAN_ENDS_MAX)
		g_hash_table_add(ends,
				 g_memdup2(&r->paper.fingerprint, sizeof(r->paper.fingerprint)));
	/* The checkers have seen an end there. */
	recall_leave_world(s);
}
