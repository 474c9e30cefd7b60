// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driving a run along a race table.
 *
 * Before each step the world is saved.  A step that does what stands in a later
 * row of another column is taken back, and its process is held until that row is
 * next.  When everybody is held, or the run ends before the table, another try
 * begins, which draws where this one preferred.  The first tries take columns and
 * arguments at their word, later ones only the names of the rows.
 */

#include <string.h>

#include "sim/base/rng.h"
#include "sim/explore/ordering/ordering_table.h"
#include "sim/explore/verbs.h"

#define TRIES_DEFAULT 240
/* So many are strict about columns, then so many about arguments; the first draw nothing. */
#define TRIES_COLUMNS 80
#define TRIES_ARGUMENTS 160
#define TRIES_PLAIN 12
/* Calls of the wrong object that one try gets by. */
#define PASSED_OVER_MAX 8
#define STEPS_MAX 200000
#define UNSEEN_SHOWN 8
/* In tries that draw: one in so many steps is not the preferred one. */
#define DRAW_ONE_IN 4

/* Why a process was not let go on. */
struct held {
	uint64_t key;
	int row; /* its step would be that row */
};

struct drive {
	struct ordering *o;
	struct exec *x;
	const struct ordering_options *opt;
	struct rng rng;
	uint32_t try;
	bool fault_now; /* an allocation in this step fails */
	uint64_t last;	/* process that stepped last */
	void *buffer;
	size_t buffer_size;
	struct held held[ENABLED_MAX];
	uint32_t nr_held;
	uint32_t nr_passed_over;
	/* of the try that came farthest */
	uint32_t best;
	char *why;
	uint32_t best_with_arguments; /* of those that took arguments at their word */
};

static enum strictness strictness_of(uint32_t try)
{
	if (try < TRIES_COLUMNS)
		return try / 2 % 2 ? STRICT_NAME : STRICT_CPU;
	return try < TRIES_ARGUMENTS ? STRICT_WORK : STRICT_NONE;
}

static bool draws(const struct drive *d)
{
	return d->try % TRIES_COLUMNS >= TRIES_PLAIN;
}

/* ---- answers inside a step --------------------------------------------------------- */

static uint32_t answer(struct exec *x, enum choice_kind kind, uint32_t n)
{
	struct drive *d = x->strategy;

	if (kind == CHOOSE_FAULT)
		return d->fault_now;
	return draws(d) ? (uint32_t)rng_below(&d->rng, n) : 0;
}

/* ---- one step ------------------------------------------------------------------------ */

static bool take(struct drive *d, uint32_t i)
{
	uint64_t key = d->x->enabled[i].key;

	if (!exec_step(d->x, i))
		return false;
	d->last = key;
	return true;
}

static void save(struct drive *d)
{
	size_t size = d->x->s->save_size(d->x->s);

	if (size > d->buffer_size) {
		g_aligned_free(d->buffer);
		d->buffer = g_aligned_alloc(1, size, 64);
		d->buffer_size = size;
	}
	d->x->s->save(d->x->s, d->buffer);
}

enum outcome { TOOK, HELD, STOPPED };

/* Steps, and steps back if that was too early. */
static enum outcome try_step(struct drive *d, uint32_t i, bool fault)
{
	struct exec *x = d->x;
	struct ordering *o = d->o;
	struct progress *before = g_memdup2(o->p, sizeof(*o->p));
	uint32_t nr_choices = x->choices->len, nr_steps = x->nr_steps;
	uint64_t key = x->enabled[i].key, last = d->last;
	bool too_early;

	ordering_journal(o);
	save(d);
	d->fault_now = fault;
	if (!take(d, i)) {
		g_free(before);
		return STOPPED;
	}
	/* A failing allocation that is not the one in the table is not wanted. */
	too_early = o->p->overstep >= 0 ||
		    (fault && (o->p->nr_faults == before->nr_faults || o->p->next == before->next));
	if (too_early) {
		if (!fault)
			d->held[d->nr_held++] = (struct held){key, o->p->overstep};
		x->s->restore(x->s, d->buffer);
		exec_rewind_to(x, nr_choices, nr_steps);
		ordering_undo(o, before);
		d->last = last;
		exec_look(x);
	}
	g_free(before);
	return too_early ? HELD : TOOK;
}

/* ---- who comes next -------------------------------------------------------------------- */

static const struct task *task_of(const struct transition *tr)
{
	return transition_context(tr);
}

/* The lower, the more likely @e brings the next row about. */
static uint32_t rank(const struct drive *d, const struct enabled *e)
{
	const struct ordering *o = d->o;
	const struct task *t = task_of(e->tr);
	int column = row_at(o, o->p->next)->column;

	/* An interrupt that comes too early keeps its CPU busy; one that comes late is missed. */
	if (!t)
		return d->try % 2 ? 2 : 5;
	if (o->p->context_of[column] == oid_nr(t->id))
		return 0;
	if (ordering_eligible(o, o->p->next, (uint32_t)oid_nr(t->id), (enum ctx_kind)t->ctx,
			      t->cpu->nr, t->comm))
		return 1;
	for (int c = 0; c < (int)o->columns->len; c++) {
		if (o->p->context_of[c] == oid_nr(t->id))
			return 4;
	}
	return 3;
}

/* Fills @order with indices into enabled[], the most likely first. */
static uint32_t sort_enabled(struct drive *d, uint32_t *order)
{
	uint32_t n = d->x->nr_enabled;
	uint32_t ranks[ENABLED_MAX];
	bool draw = draws(d) && rng_below(&d->rng, DRAW_ONE_IN) == 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = i;

		ranks[i] =
			2 * (draw ? (uint32_t)rng_below(&d->rng, 8) : rank(d, &d->x->enabled[i])) +
			(d->x->enabled[i].key != d->last);
		for (; at > 0 && ranks[order[at - 1]] > ranks[i]; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	return n;
}

static enum outcome step_by_rank(struct drive *d)
{
	uint32_t order[ENABLED_MAX];
	uint32_t n = sort_enabled(d, order);
	bool fault = row_at(d->o, d->o->p->next)->fault;

	d->nr_held = 0;
	for (uint32_t k = 0; k < n; k++) {
		enum outcome outcome = HELD;

		if (fault)
			outcome = try_step(d, order[k], true);
		if (outcome == HELD)
			outcome = try_step(d, order[k], false);
		if (outcome != HELD)
			return outcome;
	}
	return HELD;
}

/* The table is over: whoever stepped last goes on, then the first in line. */
static bool run_to_end(struct drive *d)
{
	struct exec *x = d->x;

	d->fault_now = false;
	while (exec_look(x)) {
		int i = exec_find(x, d->last);

		if (!take(d, i >= 0 ? (uint32_t)i : 0))
			return false;
		if (x->nr_steps >= STEPS_MAX)
			return false;
	}
	x->s->finish(x->s);
	return true;
}

/* ---- why not ------------------------------------------------------------------------- */

static const struct held *held_of(const struct drive *d, const struct task *t)
{
	for (uint32_t i = 0; i < d->nr_held; i++) {
		int e = exec_find(d->x, d->held[i].key);

		if (e >= 0 && task_of(d->x->enabled[e].tr) == t)
			return &d->held[i];
	}
	return NULL;
}

static char *name_of(const struct ordering *o, oid_t obj)
{
	const char *name = g_hash_table_lookup(o->names, &obj);

	return name ? g_strdup(name)
		    : g_strdup_printf("%s:%" G_GUINT64_FORMAT, object_kind_name(oid_kind(obj)),
				      (guint64)oid_nr(obj));
}

static const char *comm_of(const struct ordering *o, uint32_t task)
{
	const char *comm = g_hash_table_lookup(o->comms, GUINT_TO_POINTER(task));

	return comm ? comm : "a task";
}

static void explain_held(const struct drive *d, const struct held *held, GString *s)
{
	const struct ordering_row *row = row_at(d->o, (uint32_t)held->row);

	g_string_append_printf(s, "is held back, because its next step is '%s' in line %u",
			       row->text, row->line);
}

static void explain_wait(const struct drive *d, const struct task *t, GString *s)
{
	const struct ordering *o = d->o;
	oid_t on = t->blocked_on;
	g_autofree char *name = name_of(o, on);
	uint32_t owner = 0;

	if (oid_kind(on) == OBJ_LOCK)
		owner = GPOINTER_TO_UINT(
			g_hash_table_lookup(o->owners, GUINT_TO_POINTER(oid_nr(on))));
	if (on == 0)
		g_string_append_printf(s, "waits%s%s", t->await.why ? " in " : "",
				       t->await.why ? t->await.why : "");
	else
		g_string_append_printf(s, "waits for %s", name);
	if (owner != 0)
		g_string_append_printf(s, ", held by %s", comm_of(o, owner));
}

static void explain_readers(const struct drive *d, GString *s)
{
	const char *between = "; a grace period waits for the reader ";

	list_for_each(node, &d->x->s->w->tasks) {
		const struct task *t = container_of(node, struct task, all_node);

		if (t->rcu_nesting == 0)
			continue;
		g_string_append_printf(s, "%s%s", between, t->comm);
		between = ", ";
	}
}

/* What each context that might do the row does instead. */
static void explain_contexts(const struct drive *d, uint32_t row, GString *s)
{
	const struct ordering *o = d->o;
	const char *between = ": ";

	list_for_each(node, &d->x->s->w->tasks) {
		const struct task *t = container_of(node, struct task, all_node);
		const struct held *held = held_of(d, t);
		bool mine = ordering_eligible(o, row, (uint32_t)oid_nr(t->id),
					      (enum ctx_kind)t->ctx, t->cpu->nr, t->comm);
		bool waits = t->blocked_on != 0 || t->await.ready;

		if (!held && !(mine && waits) && !(waits && oid_kind(t->blocked_on) == OBJ_LOCK))
			continue;
		g_string_append_printf(s, "%s%s ", between, t->comm);
		if (held)
			explain_held(d, held, s);
		else
			explain_wait(d, t, s);
		between = "; ";
	}
	explain_readers(d, s);
}

static bool was_seen(const struct ordering *o, const struct ordering_row *row)
{
	GHashTableIter it;
	gpointer key;

	if (row->fault || g_hash_table_contains(o->seen, row->name))
		return true;
	g_hash_table_iter_init(&it, o->seen);
	while (g_hash_table_iter_next(&it, &key, NULL)) {
		if (verb_is(key, row->name))
			return true;
	}
	return false;
}

/* Keeps the reason of the try that came farthest. */
static void note_failure(struct drive *d, bool ended)
{
	const struct ordering *o = d->o;
	GString *s;

	if (o->strict != STRICT_NONE && o->p->next < o->rows->len)
		d->best_with_arguments = MAX(d->best_with_arguments, o->p->next);
	if (d->why && d->best >= MIN(o->p->next, o->rows->len - 1))
		return;
	d->best = MIN(o->p->next, o->rows->len - 1);
	s = g_string_new(NULL);
	if (o->p->contradiction >= 0)
		g_string_append_printf(s, "'%s' is about another object than '%s' is elsewhere",
				       row_at(o, (uint32_t)o->p->contradiction)->text,
				       row_at(o, (uint32_t)o->p->contradiction)->arg);
	else if (d->x->nr_steps >= STEPS_MAX)
		g_string_append_printf(s, "it has not come after %d steps", STEPS_MAX);
	else if (ended)
		g_string_append(s, "nothing is left to happen, and it has not come");
	else
		g_string_append(s, "everybody is held back or waits");
	explain_contexts(d, d->best, s);
	g_free(d->why);
	d->why = g_string_free(s, FALSE);
}

static void tell_failure(struct drive *d, GError **error)
{
	const struct ordering *o = d->o;
	const struct ordering_row *row = row_at(o, d->best);
	GString *s = g_string_new(NULL);
	uint32_t nr_unseen = 0;

	g_string_printf(s, "%s, line %u: '%s' (%s) can't happen there: %s", o->where, row->line,
			row->text, column_at(o, row->column)->label,
			d->why ? d->why : "no run came to it");
	for (guint i = 0; i < o->rows->len; i++) {
		const struct ordering_row *other = row_at(o, i);
		g_autofree char *near = NULL;

		if (was_seen(o, other))
			continue;
		near = ordering_hint_name(o, other->name, d->opt->suggest);
		/* What comes after the row that nobody got past may only not have been reached. */
		if (nr_unseen == 0 && i <= d->best)
			g_string_printf(s, "%s, line %u: '%s' is never entered in this scenario%s",
					o->where, other->line, other->name, near);
		else if (nr_unseen < UNSEEN_SHOWN)
			g_string_append_printf(s, "; '%s' in line %u was not seen either%s",
					       other->name, other->line, near);
		nr_unseen++;
	}
	if (nr_unseen > UNSEEN_SHOWN)
		g_string_append_printf(s, "; nor were %u others", nr_unseen - UNSEEN_SHOWN);
	ordering_hint_arguments(o, d->opt->suggest, s);
	ordering_hint_header(o, d->opt->suggest, s);
	g_set_error_literal(error, ORDERING_ERROR, ORDERING_ERROR_IMPOSSIBLE, s->str);
	g_string_free(s, TRUE);
}

static bool take_error(struct drive *d, GError **error)
{
	GError *stopped = d->x->s->take_error(d->x->s);

	if (!stopped)
		return false;
	g_set_error(error, ORDERING_ERROR, ORDERING_ERROR_STOPPED, "%s", stopped->message);
	g_error_free(stopped);
	return true;
}

/* ---- tries ---------------------------------------------------------------------------- */

/*
 * The call of @row was about somebody else.  Either a later one of that name is meant,
 * or the row that said first whom the argument stands for meant a later one.
 */
static void pass_over(struct drive *d, uint32_t row)
{
	struct ordering *o = d->o;

	row_at(o, row)->skip++;
	if (d->nr_passed_over++ % 2 == 0)
		return;
	row_at(o, row)->skip = 0;
	for (uint32_t i = 0; i < o->p->nr_bindings; i++) {
		if (strcmp(o->p->bindings[i].arg, row_at(o, row)->arg) == 0)
			row_at(o, o->p->bindings[i].row)->skip++;
	}
}

static void pass_over_none(struct drive *d)
{
	for (uint32_t i = 0; i < d->o->rows->len; i++)
		row_at(d->o, i)->skip = 0;
}

/* One of those that wait for locks has come to the next row. */
static bool take_wait(struct drive *d)
{
	struct ordering *o = d->o;

	list_for_each(node, &d->x->s->w->tasks) {
		const struct task *t = container_of(node, struct task, all_node);
		uint32_t nr = (uint32_t)oid_nr(t->id);

		if ((t->blocked_on != 0 || t->await.ready) && o->p->next < o->rows->len &&
		    ordering_eligible(o, o->p->next, nr, (enum ctx_kind)t->ctx, t->cpu->nr,
				      t->comm) &&
		    ordering_take_wait(o, nr, t->blocked_on))
			return true;
	}
	return false;
}

/* One run; true if it followed the table to its end. */
static bool follow(struct drive *d)
{
	struct ordering *o = d->o;
	struct exec *x = d->x;
	bool ended = false;

	ordering_begin(o, strictness_of(d->try));
	o->following = false;
	exec_restart(x);
	o->following = true;
	d->last = 0;
	while (o->p->next < o->rows->len && o->p->contradiction < 0 && x->nr_steps < STEPS_MAX) {
		enum outcome outcome;

		ended = !exec_look(x);
		if (ended)
			break;
		outcome = step_by_rank(d);
		if (outcome == STOPPED)
			return false;
		if (outcome == HELD)
			break;
	}
	while (ended && take_wait(d))
		continue;
	if (o->p->next == o->rows->len && o->p->contradiction < 0 && run_to_end(d) &&
	    o->p->contradiction < 0)
		return true;
	if (o->p->next < o->rows->len || o->p->contradiction >= 0)
		note_failure(d, ended);
	return false;
}

/* A run in no special order, so that a name that is not met can be called unknown. */
static void learn_names(struct drive *d)
{
	GError *stopped;

	exec_restart(d->x);
	run_to_end(d);
	stopped = d->x->s->take_error(d->x->s);
	g_clear_error(&stopped);
}

/* The same try again, passing over calls that turned out to be others than were meant. */
static bool follow_with_care(struct drive *d)
{
	g_autofree char *stream = g_strdup_printf("ordering.%u", d->try);

	pass_over_none(d);
	d->nr_passed_over = 0;
	do {
		rng_seed(&d->rng, d->opt->seed, stream);
		if (follow(d))
			return true;
		if (d->o->p->contradiction < 0)
			return false;
		pass_over(d, (uint32_t)d->o->p->contradiction);
	} while (d->nr_passed_over < PASSED_OVER_MAX);
	return false;
}

static bool has_arguments(const struct ordering *o)
{
	for (uint32_t i = 0; i < o->rows->len; i++) {
		if (row_at(o, i)->arg[0])
			return true;
	}
	return false;
}

/* A run was found.  What of the table was not taken at its word for that? */
static void note_remark(const struct drive *d)
{
	struct ordering *o = d->o;
	const struct ordering_row *row = row_at(o, d->best_with_arguments);
	GString *s = g_string_new(NULL);

	if (o->strict == STRICT_NONE && has_arguments(o)) {
		g_string_printf(
			s,
			"; no run follows the table with its arguments, so only the names in "
			"it were followed: with them, none came past line %u, '%s'",
			row->line, row->text);
		ordering_hint_arguments(o, d->opt->suggest, s);
	}
	ordering_hint_header(o, d->opt->suggest, s);
	if (s->len > 0)
		o->remark = g_strdup_printf("%s: %s", o->where, s->str + strlen("; "));
	g_string_free(s, TRUE);
}

GArray *ordering_drive(struct ordering *o, struct subject *s, const struct ordering_options *opt,
		       GError **error)
{
	struct drive d = {.o = o, .x = exec_new(s), .opt = opt};
	uint32_t max_tries = opt->max_tries ? opt->max_tries : TRIES_DEFAULT;
	GArray *choices = NULL;
	GError *stopped = NULL;

	d.x->inner = answer;
	d.x->strategy = &d;
	ordering_mark_past(o);
	learn_names(&d);
	for (; d.try < max_tries && !choices && !stopped; d.try++) {
		if (follow_with_care(&d))
			choices = g_array_copy(d.x->choices);
		else
			take_error(&d, &stopped);
		if (opt->interrupted && *opt->interrupted)
			break;
	}
	if (stopped)
		g_propagate_error(error, stopped);
	else if (!choices)
		tell_failure(&d, error);
	else
		note_remark(&d);
	o->following = false;
	g_aligned_free(d.buffer);
	g_free(d.why);
	exec_free(d.x);
	return choices;
}

const char *ordering_remark(const struct ordering *o)
{
	return o->remark;
}

/* ---- again ------------------------------------------------------------------------------ */

struct repeat {
	const GArray *choices;
	bool differs;
};

static const struct choice *choice_at(struct repeat *rp, const struct exec *x)
{
	if (x->choices->len < rp->choices->len)
		return &g_array_index(rp->choices, struct choice, x->choices->len);
	rp->differs = true;
	return NULL;
}

static uint32_t repeat_inner(struct exec *x, enum choice_kind kind, uint32_t n)
{
	struct repeat *rp = x->strategy;
	const struct choice *c = choice_at(rp, x);

	if (!c || c->kind != kind || c->n != n)
		rp->differs = true;
	return rp->differs ? 0 : c->pick;
}

bool ordering_repeat(struct subject *s, const GArray *choices, GError **error)
{
	struct repeat rp = {.choices = choices};
	struct exec *x = exec_new(s);
	bool ok = true;

	x->inner = repeat_inner;
	x->strategy = &rp;
	exec_restart(x);
	while (ok && !rp.differs && exec_look(x)) {
		const struct choice *c = choice_at(&rp, x);
		int i = c ? exec_find(x, c->who) : -1;

		if (i < 0)
			rp.differs = true;
		else
			ok = exec_step(x, (uint32_t)i);
	}
	if (ok && !rp.differs)
		s->finish(s);
	exec_free(x);
	if (!ok || rp.differs) {
		GError *stopped = s->take_error(s);

		g_set_error(error, ORDERING_ERROR, ORDERING_ERROR_STOPPED, "%s",
			    stopped ? stopped->message : "the run could not be repeated");
		g_clear_error(&stopped);
	}
	return ok && !rp.differs;
}
