// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which rows a record stands for.
 *
 * A call is seen in the first record that has it on its stack, so a row of it is
 * taken to happen there.  Whom it is about shows later, if at all; when that is
 * somebody else than the row says, the call was another one, and the next try
 * passes it over.
 */

#include <string.h>

#include "sim/explore/ordering/ordering_table.h"
#include "sim/explore/verbs.h"

/* ---- what is learnt ------------------------------------------------------------------ */

static void learn_name(struct ordering *o, const struct trace_record *r)
{
	if (r->obj != 0 && r->str && r->str[0] && !g_hash_table_contains(o->names, &r->obj))
		g_hash_table_insert(o->names, g_memdup2(&r->obj, sizeof(r->obj)), g_strdup(r->str));
}

static void learn_subject(struct ordering *o, const struct trace_record *r)
{
	if (r->arg[0] != 0)
		g_hash_table_insert(o->subjects, g_memdup2(&r->obj, sizeof(r->obj)),
				    g_memdup2(&r->arg[0], sizeof(r->arg[0])));
}

static void see(struct ordering *o, const char *name)
{
	if (name && name[0] && !g_hash_table_contains(o->seen, name))
		g_hash_table_add(o->seen, g_strdup(name));
}

static enum lock_sort sort_of(const struct ordering *o, const struct trace_record *r)
{
	gpointer sort = g_hash_table_lookup(o->sorts, GUINT_TO_POINTER(oid_nr(r->obj)));

	return (enum lock_sort)GPOINTER_TO_INT(sort);
}

/* Remembers what it was before the step, for ordering_undo(). */
static void set_owner(struct ordering *o, oid_t lock, uint32_t owner)
{
	gpointer nr = GUINT_TO_POINTER(oid_nr(lock));
	struct owner_change change = {
		.lock = oid_nr(lock),
		.before = GPOINTER_TO_UINT(g_hash_table_lookup(o->owners, nr)),
	};

	g_array_append_val(o->owner_changes, change);
	g_hash_table_insert(o->owners, nr, GUINT_TO_POINTER(owner));
}

static void learn(struct ordering *o, const struct trace_record *r)
{
	gpointer nr = GUINT_TO_POINTER(oid_nr(r->obj));

	switch (r->kind) {
	case TR_LOCK_INIT:
		g_hash_table_insert(o->sorts, nr, GINT_TO_POINTER((int)r->arg[0]));
		learn_name(o, r);
		break;
	case TR_WQ_INIT:
	case TR_OBJ_NEW:
	case TR_CACHE_CREATE:
	case TR_CGROUP_MKDIR:
		learn_name(o, r);
		break;
	case TR_WORK_INIT:
	case TR_WORK_START:
		learn_subject(o, r);
		break;
	case TR_TASK_START:
		g_hash_table_insert(o->comms, nr, g_strdup(r->str ? r->str : ""));
		break;
	case TR_LOCK_ACQUIRE:
		set_owner(o, r->obj, r->task);
		break;
	case TR_LOCK_RELEASE:
		set_owner(o, r->obj, 0);
		break;
	default:
		break;
	}
	see(o, verb_of(r, sort_of(o, r)));
	see(o, trace_kinds[r->kind].name);
	if (r->kind == TR_RCU_CALLBACK || r->kind == TR_OP_BEGIN || r->kind == TR_IRQ_ENTRY)
		see(o, r->str);
	for (const struct frame *f = r->stack; f; f = f->caller)
		see(o, f->func);
}

/* ---- contexts ------------------------------------------------------------------------- */

static struct context *context_of(struct ordering *o, uint32_t task)
{
	struct context *c = g_hash_table_lookup(o->contexts, GUINT_TO_POINTER(task));

	if (!c) {
		c = g_new0(struct context, 1);
		c->task = task;
		g_hash_table_insert(o->contexts, GUINT_TO_POINTER(task), c);
	}
	if (o->journal && !g_hash_table_contains(o->journal, GUINT_TO_POINTER(task)))
		g_hash_table_insert(o->journal, GUINT_TO_POINTER(task), g_memdup2(c, sizeof(*c)));
	return c;
}

void ordering_journal(struct ordering *o)
{
	g_array_set_size(o->owner_changes, 0);
	if (o->journal)
		g_hash_table_remove_all(o->journal);
	else
		o->journal = g_hash_table_new_full(NULL, NULL, NULL, g_free);
}

void ordering_undo(struct ordering *o, const struct progress *before)
{
	GHashTableIter it;
	gpointer task, old;

	/* Each entry is independent of the others, so their order does not matter. */
	g_hash_table_iter_init(&it, o->journal);
	while (g_hash_table_iter_next(&it, &task, &old))
		g_hash_table_insert(o->contexts, task, g_memdup2(old, sizeof(struct context)));
	for (guint i = o->owner_changes->len; i > 0; i--) {
		const struct owner_change *c =
			&g_array_index(o->owner_changes, struct owner_change, i - 1);

		g_hash_table_insert(o->owners, GUINT_TO_POINTER(c->lock),
				    GUINT_TO_POINTER(c->before));
	}
	g_array_set_size(o->owner_changes, 0);
	*o->p = *before;
}

/* The set-up is over before any choice is made: its rows have happened, or never will. */
static void skip_past(struct ordering *o)
{
	while (o->p->next < o->rows->len && row_at(o, o->p->next)->past)
		o->p->next++;
}

void ordering_mark_past(struct ordering *o)
{
	for (uint32_t i = 0; i < o->rows->len; i++) {
		struct ordering_row *row = row_at(o, i);
		const struct ordering_column *c = column_at(o, row->column);

		row->past = c->names[0] && !c->names[1] && strcmp(c->names[0], "setup") == 0 &&
			    g_hash_table_contains(o->seen, row->name);
	}
}

void ordering_begin(struct ordering *o, enum strictness strict)
{
	memset(o->p, 0, sizeof(*o->p));
	o->p->overstep = o->p->contradiction = -1;
	o->strict = strict;
	o->following = true;
	g_hash_table_remove_all(o->contexts);
	g_hash_table_remove_all(o->owners);
	skip_past(o);
}

static bool is_generic(const char *name, enum ctx_kind ctx)
{
	switch (ctx) {
	case CTX_KWORKER:
		return strstr(name, "kworker") != NULL;
	case CTX_SOFTIRQ:
		return strstr(name, "softirq") || g_ascii_strncasecmp(name, "rcu", 3) == 0;
	case CTX_HARDIRQ:
		return strstr(name, "interrupt") || strstr(name, "irq");
	default:
		return false;
	}
}

/* Does the header name any context that this run has? */
static bool names_tell(const struct ordering *o, const struct ordering_column *c)
{
	for (int i = 0; c->names[i]; i++) {
		GHashTableIter it;
		gpointer comm;

		for (int ctx = CTX_KWORKER; ctx < NR_CTX_KINDS; ctx++) {
			if (is_generic(c->names[i], (enum ctx_kind)ctx))
				return true;
		}
		g_hash_table_iter_init(&it, o->comms);
		while (g_hash_table_iter_next(&it, NULL, &comm)) {
			if (strcmp(comm, c->names[i]) == 0)
				return true;
		}
	}
	return false;
}

static bool fits_bracket(const struct ordering_column *c, enum bracket bracket, enum ctx_kind ctx)
{
	switch (bracket) {
	case BRACKET_SOFTIRQ:
		return ctx == CTX_SOFTIRQ;
	case BRACKET_IRQ:
		return ctx == CTX_HARDIRQ;
	case BRACKET_NONE:
		break;
	}
	return !c->brackets || (ctx != CTX_SOFTIRQ && ctx != CTX_HARDIRQ);
}

/* Is there a column for contexts of this kind? */
static bool is_claimed(const struct ordering *o, enum ctx_kind ctx)
{
	for (int i = 0; i < (int)o->columns->len; i++) {
		const struct ordering_column *c = column_at(o, i);

		for (int n = 0; c->names[n]; n++) {
			if (is_generic(c->names[n], ctx))
				return true;
		}
	}
	return false;
}

bool ordering_eligible(const struct ordering *o, uint32_t row, uint32_t task, enum ctx_kind ctx,
		       unsigned int cpu, const char *comm)
{
	int column = row_at(o, row)->column;
	const struct ordering_column *c = column_at(o, column);

	if (ctx != CTX_NONE && !fits_bracket(c, row_at(o, row)->bracket, ctx))
		return false;

	if (ctx == CTX_TASK) {
		/* A task does not change its column. */
		for (int i = 0; i < (int)o->columns->len; i++) {
			if (i != column && o->p->context_of[i] == task)
				return false;
		}
	} else if (ctx != CTX_NONE && o->strict == STRICT_CPU && c->cpu >= 0 &&
		   (unsigned int)c->cpu != cpu) {
		return false;
	}
	if (ctx == CTX_NONE || row_at(o, row)->bracket != BRACKET_NONE || !names_tell(o, c))
		return true;
	for (int i = 0; c->names[i]; i++) {
		if (is_generic(c->names[i], ctx) || (comm && strcmp(comm, c->names[i]) == 0))
			return true;
	}
	/* Work that a task has queued often stands in its column. */
	return ctx != CTX_TASK && o->strict >= STRICT_WORK && !is_claimed(o, ctx);
}

/* ---- arguments ---------------------------------------------------------------------- */

static bool is_named_kind(oid_t obj)
{
	switch (oid_kind(obj)) {
	case OBJ_LOCK:
	case OBJ_WQ:
	case OBJ_CELL:
	case OBJ_WAIT:
		return true;
	default:
		return false;
	}
}

/* "kmem_cache_node.list_lock" is what code calls &n->list_lock: the last word counts. */
static bool is_member(const char *name, const char *member)
{
	const char *last = name;

	for (const char *s = name; *s; s++) {
		if (*s == '.' || *s == '>')
			last = s + 1;
	}
	return member[0] && strcmp(last, member) == 0;
}

/* May the argument of @row stand for @obj?  If so it does from now on. */
static bool unify(struct ordering *o, uint32_t row, oid_t obj)
{
	const char *arg = row_at(o, row)->arg;
	struct progress *p = o->p;
	const char *name;
	const oid_t *subject;

	if (!arg[0] || obj == 0 || o->strict == STRICT_NONE)
		return true;
	subject = oid_kind(obj) == OBJ_WORK ? g_hash_table_lookup(o->subjects, &obj) : NULL;
	if (subject)
		obj = *subject;
	name = g_hash_table_lookup(o->names, &obj);
	if (name && (strcmp(name, arg) == 0 || is_member(name, row_at(o, row)->member)))
		return true;
	if (is_named_kind(obj))
		return false;
	for (uint32_t i = 0; i < p->nr_bindings; i++) {
		if (strcmp(p->bindings[i].arg, arg) == 0)
			return p->bindings[i].obj == obj;
		if (p->bindings[i].obj == obj)
			return false;
	}
	if (p->nr_bindings < BINDINGS_MAX) {
		struct binding *b = &p->bindings[p->nr_bindings++];

		g_strlcpy(b->arg, arg, sizeof(b->arg));
		b->obj = obj;
		b->row = row;
	}
	return true;
}

/* What becomes of the argument when a call turns out to be about @obj. */
static void check_watches(struct ordering *o, const struct trace_record *r)
{
	struct progress *p = o->p;
	oid_t obj = frame_argument(r);

	if (obj == 0 || !r->stack)
		return;
	for (uint32_t i = 0; i < p->nr_watches; i++) {
		const struct watch *w = &p->watches[i];

		if (w->task != r->task || w->frame != r->stack)
			continue;
		if (!unify(o, w->row, obj) && p->contradiction < 0)
			p->contradiction = (int)w->row;
		p->watches[i--] = p->watches[--p->nr_watches];
	}
}

static void drop_watches(struct ordering *o, uint32_t task, const struct frame *frame)
{
	struct progress *p = o->p;

	for (uint32_t i = 0; i < p->nr_watches; i++) {
		if (p->watches[i].task == task && p->watches[i].frame == frame)
			p->watches[i--] = p->watches[--p->nr_watches];
	}
}

/* ---- rows ------------------------------------------------------------------------- */

/* What one record brings: calls that were entered, and what it is in itself. */
struct news {
	const struct trace_record *r;
	struct context *c;
	uint32_t from;	/* the first call of the context that is new, and no row has taken */
	bool verb_left; /* no row has taken what it is in itself */
	const char *comm;
};

static bool is_in_itself(const struct ordering *o, const struct news *news,
			 const struct ordering_row *row)
{
	const struct trace_record *r = news->r;
	const char *verb = verb_of(r, sort_of(o, r));
	const struct call *top = news->c->nr ? &news->c->calls[news->c->nr - 1] : NULL;

	/* The row was taken by the function of that name in which the record stands. */
	if (top && news->c->matched == top->frame && strcmp(top->func, row->name) == 0)
		return false;
	/* The site of an access has just one name. */
	if (verb &&
	    (r->kind == TR_ACCESS ? strcmp(verb, row->name) == 0 : verb_is(verb, row->name)))
		return true;
	if (strcmp(trace_kinds[r->kind].name, row->name) == 0)
		return true;
	return (r->kind == TR_RCU_CALLBACK || r->kind == TR_OP_BEGIN || r->kind == TR_IRQ_ENTRY) &&
	       r->str && strcmp(r->str, row->name) == 0;
}

static bool is_to_pass_over(const struct ordering *o, uint32_t row)
{
	return o->strict != STRICT_NONE && o->p->skipped[row] < row_at(o, row)->skip;
}

static bool passes_over(struct ordering *o, uint32_t row)
{
	return is_to_pass_over(o, row) && ++o->p->skipped[row];
}

/* Does a call of @news stand for @row?  @take: it then is used up. */
static bool match_calls(struct ordering *o, struct news *news, uint32_t row, bool take)
{
	struct progress *p = o->p;
	const struct ordering_row *w = row_at(o, row);

	/* Operations of scripts are called like that as well; it is locks that are meant. */
	if (verb_is("mutex_lock", w->name) || verb_is("mutex_unlock", w->name))
		return false;
	for (uint32_t i = news->from; i < news->c->nr; i++) {
		const struct call *call = &news->c->calls[i];

		if (strcmp(call->func, w->name) != 0)
			continue;
		if (!take)
			return !is_to_pass_over(o, row);
		if (passes_over(o, row)) {
			news->from = i + 1;
			return false;
		}
		news->from = i + 1;
		news->c->matched = call->frame;
		if (w->arg[0] && p->nr_watches < WATCHES_MAX)
			p->watches[p->nr_watches++] =
				(struct watch){row, news->c->task, call->frame};
		return true;
	}
	return false;
}

static bool match_verb(struct ordering *o, struct news *news, uint32_t row, bool take)
{
	struct progress before;
	bool ok;

	if (!news->verb_left)
		return false;
	before = *o->p;
	ok = unify(o, row, verb_argument(news->r));
	if (!take) {
		*o->p = before;
		return ok;
	}
	if (ok && passes_over(o, row))
		ok = false;
	if (!ok)
		return false;
	news->verb_left = false;
	news->from = news->c->nr;
	if (news->r->kind == TR_WORK_START)
		news->c->begun = news->r->str;
	return true;
}

static bool match_row(struct ordering *o, struct news *news, uint32_t row, bool take)
{
	const struct ordering_row *w = row_at(o, row);
	const struct trace_record *r = news->r;

	if (!ordering_eligible(o, row, r->task, (enum ctx_kind)r->ctx, r->cpu, news->comm))
		return false;
	if (w->fault)
		return r->kind == TR_FAULT &&
		       (!w->name[0] || (r->str && strcmp(r->str, w->name) == 0));
	/* Only the record of a start tells at once whom the call is about. */
	if (is_in_itself(o, news, w))
		return match_verb(o, news, row, take);
	return match_calls(o, news, row, take);
}

/* Is @row the first one of its column and bracket that has not happened? */
static bool is_first_of_lane(const struct ordering *o, uint32_t row)
{
	for (uint32_t i = o->p->next; i < row; i++) {
		if (!row_at(o, i)->past && row_at(o, i)->column == row_at(o, row)->column &&
		    row_at(o, i)->bracket == row_at(o, row)->bracket)
			return false;
	}
	return !row_at(o, row)->past;
}

static void match(struct ordering *o, struct news *news)
{
	struct progress *p = o->p;

	while (p->next < o->rows->len && match_row(o, news, p->next, true)) {
		if (news->r->task != 0)
			p->context_of[row_at(o, p->next)->column] = news->r->task;
		p->next++;
		skip_past(o);
		if (news->r->kind == TR_FAULT)
			return;
	}
	for (uint32_t row = p->next + 1; row < o->rows->len && p->overstep < 0; row++) {
		if (is_first_of_lane(o, row) && match_row(o, news, row, false))
			p->overstep = (int)row;
	}
}

bool ordering_take_wait(struct ordering *o, uint32_t task, oid_t lock)
{
	struct progress before = *o->p;
	uint32_t row = o->p->next;

	/* Without arguments, any lock would do. */
	if (row == o->rows->len || oid_kind(lock) != OBJ_LOCK || o->strict == STRICT_NONE)
		return false;
	if (!verb_is("mutex_lock", row_at(o, row)->name) &&
	    !verb_is("down_read", row_at(o, row)->name) &&
	    !verb_is("down_write", row_at(o, row)->name) &&
	    !verb_is("spin_lock", row_at(o, row)->name))
		return false;
	if (!unify(o, row, lock)) {
		*o->p = before;
		return false;
	}
	o->p->context_of[row_at(o, row)->column] = task;
	o->p->next++;
	return true;
}

/* ---- records ------------------------------------------------------------------------ */

/* Brings the calls of @c up to date; returns the index of the first one that is new. */
static uint32_t follow_stack(struct ordering *o, struct context *c, const struct trace_record *r)
{
	const struct frame *inner_first[FRAMES_MAX];
	uint32_t n = 0, same = 0;

	for (const struct frame *f = r->stack; f && n < FRAMES_MAX; f = f->caller)
		inner_first[n++] = f;
	while (same < n && same < c->nr && c->calls[same].frame == inner_first[n - 1 - same] &&
	       c->calls[same].func == inner_first[n - 1 - same]->func)
		same++;
	for (uint32_t i = same; i < c->nr; i++) {
		drop_watches(o, c->task, c->calls[i].frame);
		if (c->matched == c->calls[i].frame)
			c->matched = NULL;
	}
	for (uint32_t i = same; i < n; i++) {
		const struct frame *f = inner_first[n - 1 - i];

		c->calls[i] = (struct call){f, f->func};
	}
	c->nr = n;
	return same;
}

void ordering_record(struct ordering *o, const struct trace_record *r)
{
	struct news news = {.r = r, .verb_left = true};

	learn(o, r);
	if (!o->following || o->p->contradiction >= 0)
		return;
	news.c = context_of(o, r->task);
	news.from = follow_stack(o, news.c, r);
	news.comm = g_hash_table_lookup(o->comms, GUINT_TO_POINTER(r->task));
	/* The call of a work function whose start was a row already. */
	for (uint32_t i = news.from; news.c->begun && i < news.c->nr; i++) {
		if (strcmp(news.c->calls[i].func, news.c->begun) == 0) {
			news.from = i + 1;
			news.c->begun = NULL;
		}
	}
	if (r->kind == TR_WORK_END)
		news.c->begun = NULL;
	if (r->kind == TR_FAULT)
		o->p->nr_faults++;
	check_watches(o, r);
	match(o, &news);
	check_watches(o, r);
}
