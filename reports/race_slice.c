// SPDX-License-Identifier: GPL-2.0-only
#include "reports/race_slice.h"

/* Hops back from what went wrong; what lies before is how things got going. */
#define HOPS_MAX 4
#define WAITS_MAX 4

const struct trace_record *slice_event(const struct slice *s, uint32_t i)
{
	return &g_array_index(s->tf->events, struct trace_record, i);
}

const struct stretch *slice_stretch(const struct slice *s, uint32_t event)
{
	uint32_t i = s->stretch_of[event];

	return i == NO_INDEX ? NULL : &g_array_index(s->stretches, struct stretch, i);
}

uint32_t slice_index(const struct trace_file *tf, uint64_t seq)
{
	const struct trace_record *r = seq ? trace_file_find(tf, seq) : NULL;

	return r ? (uint32_t)(r - (const struct trace_record *)tf->events->data) : NO_INDEX;
}

bool slice_about(const struct slice *s, const struct trace_record *r, oid_t obj)
{
	if (obj == 0)
		return false;
	if (r->obj == obj ||
	    (oid_kind(r->obj) == OBJ_WORK && names_subject(s->tf->names, r->obj) == obj))
		return true;
	return (r->kind == TR_CALL_RCU || r->kind == TR_RCU_CALLBACK || r->kind == TR_WORK_START) &&
	       (oid_t)r->arg[0] == obj;
}

/* ---- stretches --------------------------------------------------------------- */

static bool begins_stretch(const struct trace_record *r)
{
	switch (r->kind) {
	case TR_WORK_START:
	case TR_RCU_CALLBACK:
	case TR_IRQ_ENTRY:
	case TR_OP_BEGIN:
		return true;
	default:
		return false;
	}
}

static bool ends_stretch(const struct trace_record *r)
{
	return r->kind == TR_WORK_END || r->kind == TR_OP_END || r->kind == TR_IRQ_EXIT ||
	       r->kind == TR_SOFTIRQ_EXIT;
}

static struct stretch new_stretch(const struct trace_record *r, uint32_t i)
{
	struct stretch st = {.first = i, .last = i, .task = r->task};

	switch (r->kind) {
	case TR_WORK_START:
	case TR_RCU_CALLBACK:
		st.subject = (oid_t)r->arg[0];
		/* fallthrough */
	case TR_IRQ_ENTRY:
		st.entry = r->str;
		break;
	default:
		break;
	}
	return st;
}

static void find_stretches(struct slice *s)
{
	g_autoptr(GHashTable) open = g_hash_table_new(NULL, NULL); /* task -> stretch + 1 */

	for (uint32_t i = 0; i < s->tf->events->len; i++) {
		const struct trace_record *r = slice_event(s, i);
		gpointer task = GUINT_TO_POINTER(r->task);
		guint at = GPOINTER_TO_UINT(g_hash_table_lookup(open, task));

		if (r->kind == TR_LOCK_INIT)
			g_hash_table_insert(s->lock_kinds, GUINT_TO_POINTER(oid_nr(r->obj)),
					    GINT_TO_POINTER((int)r->arg[0]));
		s->stretch_of[i] = NO_INDEX;
		if (r->task == 0)
			continue;
		if (at == 0 || begins_stretch(r)) {
			struct stretch st = new_stretch(r, i);

			g_array_append_val(s->stretches, st);
			at = s->stretches->len;
			g_hash_table_insert(open, task, GUINT_TO_POINTER(at));
		}
		s->stretch_of[i] = at - 1;
		g_array_index(s->stretches, struct stretch, at - 1).last = i;
		if (ends_stretch(r))
			g_hash_table_remove(open, task);
	}
}

uint32_t slice_cause(const struct slice *s, const struct stretch *st)
{
	const struct trace_record *r = slice_event(s, st->first);

	return begins_stretch(r) ? slice_index(s->tf, r->cause) : NO_INDEX;
}

/* ---- order --------------------------------------------------------------------- */

struct reach {
	const struct slice *s;
	GHashTable *tasks; /* contexts that came after the first event, from some record on */
	GHashTable *seqs;  /* its records that may be causes */
	GHashTable *done; /* objects that such a record finished something on: a queue, a counter */
	bool rcu;	  /* a reader left, or a callback ran, after it */
};

static bool is_after(const struct reach *re, const struct trace_record *r)
{
	const struct trace_record *c;

	if (r->task != 0 && g_hash_table_contains(re->tasks, GUINT_TO_POINTER(r->task)))
		return true;
	/* Whoever gets a lock later might as well have got it first. */
	c = r->cause ? trace_file_find(re->s->tf, r->cause) : NULL;
	if (c && c->kind != TR_LOCK_RELEASE && g_hash_table_contains(re->seqs, &c->seq))
		return true;
	switch (r->kind) {
	case TR_FLUSH_END:
	case TR_FLUSH_WORK_END:
	case TR_REF_ZERO:
	case TR_WORK_CANCEL:
		return g_hash_table_contains(re->done, &r->obj);
	case TR_RCU_GP_END:
	case TR_RCU_SYNC_END:
	case TR_RCU_BARRIER_END:
	case TR_RCU_CALLBACK:
		return re->rcu;
	default:
		return false;
	}
}

static void note_after(struct reach *re, const struct trace_record *r)
{
	static const oid_t none;
	gpointer woken = GUINT_TO_POINTER(oid_nr(r->obj));

	if (r->task != 0)
		g_hash_table_add(re->tasks, GUINT_TO_POINTER(r->task));
	g_hash_table_add(re->seqs, (gpointer)&r->seq);
	switch (r->kind) {
	case TR_TASK_WAKE:
		g_hash_table_add(re->tasks, woken);
		break;
	case TR_WORK_END:
		g_hash_table_add(re->done, (gpointer)&r->obj);
		g_hash_table_add(re->done,
				 (gpointer)(r->arg[0] ? (const oid_t *)&r->arg[0] : &none));
		break;
	case TR_REF_PUT:
		g_hash_table_add(re->done, (gpointer)&r->obj);
		break;
	case TR_RCU_READ_UNLOCK:
	case TR_RCU_CALLBACK:
	case TR_RCU_GP_END:
		re->rcu = true;
		break;
	default:
		break;
	}
}

bool slice_ordered(const struct slice *s, uint32_t a, uint32_t b)
{
	struct reach re = {
		.s = s,
		.tasks = g_hash_table_new(NULL, NULL),
		.seqs = g_hash_table_new(g_int64_hash, g_int64_equal),
		.done = g_hash_table_new(g_int64_hash, g_int64_equal),
	};
	bool ordered = false;

	note_after(&re, slice_event(s, a));
	for (uint32_t i = a + 1; i <= b && !ordered; i++) {
		const struct trace_record *r = slice_event(s, i);

		if (!is_after(&re, r))
			continue;
		note_after(&re, r);
		ordered = i == b;
	}
	g_hash_table_destroy(re.tasks);
	g_hash_table_destroy(re.seqs);
	g_hash_table_destroy(re.done);
	return ordered;
}

/* ---- picking ------------------------------------------------------------------- */

static void pick(struct slice *s, uint32_t event, enum pick_role role)
{
	struct pick p = {event, role};
	guint at = 0;

	for (; at < s->picks->len; at++) {
		struct pick *other = &g_array_index(s->picks, struct pick, at);

		if (other->event == event) {
			other->role = MAX(other->role, role);
			return;
		}
		if (other->event > event)
			break;
	}
	g_array_insert_val(s->picks, at, p);
}

/* How the context of @event came to do what it does: back along the causes. */
static void pick_ancestors(struct slice *s, uint32_t event)
{
	const struct stretch *st = slice_stretch(s, event);

	for (int hop = 0; hop < HOPS_MAX && st; hop++) {
		uint32_t cause = slice_cause(s, st);

		if (cause == NO_INDEX)
			return;
		/* What is not about the object any more is only how the whole got going. */
		if (hop > 0 && st->subject != s->v->obj)
			return;
		pick(s, cause, PICK_LINK);
		st = slice_stretch(s, cause);
	}
}

static bool is_wait(const struct trace_record *r)
{
	switch (r->kind) {
	case TR_RCU_SYNC_BEGIN:
	case TR_RCU_BARRIER_BEGIN:
	case TR_FLUSH_BEGIN:
	case TR_FLUSH_WORK_BEGIN:
		return true;
	default:
		return false;
	}
}

/* What the context of @event waited for on its way: the ordering that did not suffice. */
static void pick_waits(struct slice *s, uint32_t event)
{
	const struct stretch *st = slice_stretch(s, event);
	int n = 0;

	for (uint32_t i = event; st && i > st->first && n < WAITS_MAX; i--) {
		const struct trace_record *r = slice_event(s, i - 1);

		if (r->task == st->task && is_wait(r)) {
			pick(s, i - 1, PICK_WAIT);
			n++;
		}
	}
}

/*
 * If @event came of a last put: a put is the last one only after the counter was
 * killed and counts in one place.
 */
static void pick_last_put(struct slice *s, uint32_t event)
{
	const struct stretch *st = slice_stretch(s, event);
	oid_t counter = 0;

	for (uint32_t i = event; st && i > st->first && counter == 0; i--) {
		const struct trace_record *r = slice_event(s, i - 1);

		if (r->kind == TR_REF_ZERO && r->task == st->task)
			counter = r->obj;
	}
	for (uint32_t i = event; counter != 0 && i > 0; i--) {
		const struct trace_record *r = slice_event(s, i - 1);

		if (r->obj != counter || (r->kind != TR_REF_KILL && r->kind != TR_REF_ATOMIC))
			continue;
		if (s->stretch_of[i - 1] != s->stretch_of[event])
			pick(s, i - 1, PICK_LINK);
		if (r->kind == TR_REF_KILL)
			return;
	}
}

static void pick_side(struct slice *s, uint32_t event, enum pick_role role)
{
	pick(s, event, role);
	pick_last_put(s, event);
	pick_ancestors(s, event);
	pick_waits(s, event);
}

/* That an object exists is no conflict. */
static bool is_birth(const struct trace_record *r)
{
	switch (r->kind) {
	case TR_OBJ_NEW:
	case TR_CACHE_CREATE:
	case TR_OBJECT_ALLOC:
	case TR_SLAB_ALLOC:
	case TR_REF_INIT:
	case TR_CSS_ONLINE:
		return true;
	default:
		return false;
	}
}

/* Who holds the lock that @wait waits for: it belongs into the table of a deadlock. */
static void pick_lock_holder(struct slice *s, const struct trace_record *wait, uint32_t before)
{
	for (uint32_t i = before; i > 0; i--) {
		const struct trace_record *r = slice_event(s, i - 1);

		if (r->obj != wait->obj)
			continue;
		if (r->kind == TR_LOCK_ACQUIRE)
			pick_side(s, i - 1, PICK_CONFLICT);
		if (r->kind == TR_LOCK_ACQUIRE || r->kind == TR_LOCK_RELEASE)
			return;
	}
}

/* What is flushed at @flush was queued by somebody, and not always by who flushes it. */
static void pick_queueing(struct slice *s, uint32_t flush)
{
	for (uint32_t i = flush; i > 0; i--) {
		const struct trace_record *r = slice_event(s, i - 1);

		if (r->kind == TR_QUEUE_WORK && r->obj == slice_event(s, flush)->obj && r->arg[2]) {
			pick(s, i - 1, PICK_LINK);
			return;
		}
	}
}

static bool is_on_stack(const struct trace_record *r, const struct frame *frame)
{
	for (const struct frame *f = r->stack; f; f = f->caller) {
		if (f == frame)
			return true;
	}
	return false;
}

static void pick_work_of(struct slice *s, uint32_t posted)
{
	pick(s, posted, PICK_LINK);
	for (guint n = 0; n < s->stretches->len; n++) {
		const struct stretch *st = &g_array_index(s->stretches, struct stretch, n);

		if (slice_cause(s, st) != posted)
			continue;
		pick(s, st->first, PICK_LINK);
		for (uint32_t i = st->first; i <= st->last; i++) {
			const struct trace_record *r = slice_event(s, i);

			if (r->kind == TR_FAULT && r->task == st->task)
				pick(s, i, PICK_LINK);
		}
	}
}

/*
 * A reference that is never dropped: what its taker did before it returned, which was to
 * drop it or to queue the work that does.
 */
static void pick_dropper(struct slice *s, uint32_t taken)
{
	const struct stretch *st = slice_stretch(s, taken);
	const struct frame *taker = slice_event(s, taken)->stack;

	for (uint32_t i = taken + 1; st && i <= st->last; i++) {
		const struct trace_record *r = slice_event(s, i);

		if (r->task != st->task)
			continue;
		if (taker && !is_on_stack(r, taker))
			return;
		if (r->kind == TR_FAULT)
			pick(s, i, PICK_LINK);
		if (r->kind == TR_QUEUE_WORK || r->kind == TR_CALL_RCU) {
			pick_work_of(s, i);
			return;
		}
	}
}

/* A read section that is still open: where it was entered again. */
static void pick_nested(struct slice *s, uint32_t entered)
{
	const struct trace_record *first = slice_event(s, entered);
	uint32_t end = s->violation != NO_INDEX ? s->violation : s->tf->events->len;

	for (uint32_t i = entered + 1, n = 0; i < end && n < 1; i++) {
		const struct trace_record *r = slice_event(s, i);

		if (r->kind == TR_RCU_READ_LOCK && r->task == first->task && r->arg[0] > 1) {
			pick(s, i, PICK_CONFLICT);
			n++;
		}
	}
}

/* Did the context of @wait read what @write changes, before it went to sleep? */
static uint32_t stale_read(const struct slice *s, uint32_t wait, const struct trace_record *write)
{
	const struct stretch *st = slice_stretch(s, wait);

	for (uint32_t i = wait; st && i > st->first; i--) {
		const struct trace_record *r = slice_event(s, i - 1);

		if (r->kind == TR_ACCESS && r->task == st->task && r->obj == write->obj &&
		    r->arg[0] == write->arg[0])
			return r->seq < write->seq ? i - 1 : NO_INDEX;
	}
	return NO_INDEX;
}

/* The wake-up that came too early, and what the waiter had looked at by then. */
static void pick_missed_wake(struct slice *s, uint32_t wait)
{
	const struct trace_record *w = slice_event(s, wait);
	uint32_t wake = wait;

	for (; wake > 0; wake--) {
		const struct trace_record *r = slice_event(s, wake - 1);

		if (r->obj == (oid_t)w->arg[0] && r->task != 0 && r->task != w->task)
			break;
	}
	if (wake-- == 0 || s->stretch_of[wake] == NO_INDEX)
		return;
	pick_side(s, wake, PICK_CONFLICT);
	for (uint32_t i = wake; i > slice_stretch(s, wake)->first; i--) {
		const struct trace_record *r = slice_event(s, i - 1);
		uint32_t read;

		if (r->kind != TR_ACCESS || r->task != slice_event(s, wake)->task || !r->arg[1])
			continue;
		read = stale_read(s, wait, r);
		if (read == NO_INDEX)
			continue;
		pick(s, read, PICK_CONFLICT);
		pick(s, i - 1, PICK_CONFLICT);
		return;
	}
}

/* The access with which a stretch about @obj looked at @field of @other, before the end. */
static void pick_look(struct slice *s, uint32_t after, oid_t other, const char *what)
{
	for (uint32_t i = s->tf->events->len; i > after; i--) {
		const struct trace_record *r = slice_event(s, i - 1);

		if (r->kind == TR_ACCESS && r->obj == other && r->arg[1] == 0 && r->str &&
		    g_str_has_suffix(r->str, what) && s->stretch_of[i - 1] != NO_INDEX) {
			pick_side(s, i - 1, PICK_CONFLICT);
			return;
		}
	}
}

static oid_t root_of(const struct slice *s, oid_t cache)
{
	for (uint32_t i = 0; i < s->tf->events->len; i++) {
		const struct trace_record *r = slice_event(s, i);

		if (r->kind == TR_CACHE_CREATE && r->obj == cache)
			return (oid_t)r->arg[0];
	}
	return 0;
}

/* A child that stays is often one whose root was said to be on its way out, and was not. */
static void pick_dying_root(struct slice *s)
{
	oid_t root = root_of(s, s->v->obj);

	for (uint32_t i = 0; root != 0 && i < s->tf->events->len; i++) {
		const struct trace_record *r = slice_event(s, i);

		if (r->kind != TR_CACHE_DYING || r->obj != root)
			continue;
		pick_side(s, i, PICK_CONFLICT);
		pick_look(s, i, root, ".dying");
		return;
	}
}

static bool is_ref_taken(const struct trace_record *r)
{
	return r->kind == TR_REF_GET || r->kind == TR_REF_TRYGET || r->kind == TR_REF_MOVE;
}

#define KILL_LOOKAHEAD 16 /* events of a kill */

/* What a kill leaves behind is its callback: the conflict is with that, if the kill posted one. */
static uint32_t left_by_kill(const struct slice *s, uint32_t kill)
{
	const struct trace_record *k = slice_event(s, kill);

	for (uint32_t i = kill + 1; i < s->tf->events->len && i <= kill + KILL_LOOKAHEAD; i++) {
		const struct trace_record *r = slice_event(s, i);

		if (r->kind == TR_CALL_RCU && r->task == k->task && (oid_t)r->arg[0] == k->obj)
			return i;
	}
	return kill;
}

static void pick_related(struct slice *s)
{
	for (size_t n = 0; n < G_N_ELEMENTS(s->v->related); n++) {
		uint32_t i = slice_index(s->tf, s->v->related[n]);
		const struct trace_record *r;

		if (i == NO_INDEX || i == s->violation)
			continue;
		r = slice_event(s, i);
		if (is_birth(r))
			continue;
		if (r->kind == TR_REF_KILL) {
			i = left_by_kill(s, i);
			r = slice_event(s, i);
		}
		pick_side(s, i, PICK_CONFLICT);
		if (s->conflict == NO_INDEX || i > s->conflict)
			s->conflict = i;
		if (r->kind == TR_RCU_READ_LOCK)
			pick_nested(s, i);
		if (r->kind == TR_TASK_BLOCK && r->arg[0] != 0)
			pick_missed_wake(s, i);
		if (r->kind == TR_LOCK_WAIT)
			pick_lock_holder(s, r, s->violation != NO_INDEX ? s->violation : i);
		if (r->kind == TR_FLUSH_WORK_BEGIN)
			pick_queueing(s, i);
		if (is_ref_taken(r) && strcmp(s->v->rule, "leak") == 0)
			pick_dropper(s, i);
	}
}

/* ---- what the checker did not name ------------------------------------------------ */

/* The access right before the violation, by the same context: what was found in it was wrong. */
static const struct trace_record *bad_access(const struct slice *s)
{
	const struct trace_record *v = slice_event(s, s->violation);

	for (uint32_t i = s->violation + 1; i > 0; i--) {
		const struct trace_record *r = slice_event(s, i - 1);

		if (r->task != v->task)
			continue;
		if (r->kind == TR_ACCESS)
			return r;
		if (i - 1 < s->violation && r->kind != TR_LOCK_ACQUIRE)
			return NULL;
	}
	return NULL;
}

static uint32_t last_writer(const struct slice *s, const struct trace_record *access)
{
	uint32_t mine = s->stretch_of[s->violation];

	for (uint32_t i = s->violation; i > 0; i--) {
		const struct trace_record *r = slice_event(s, i - 1);

		if (r->kind == TR_ACCESS && r->obj == access->obj && r->arg[0] == access->arg[0] &&
		    r->arg[1] != 0 && r->task != 0 && s->stretch_of[i - 1] != mine)
			return i - 1;
	}
	return NO_INDEX;
}

/* A round of a loop that nothing ends, and who last wrote to what it reads. */
static void pick_loop(struct slice *s)
{
	const struct trace_record *loop = slice_event(s, s->violation);

	for (uint32_t i = slice_index(s->tf, (uint64_t)loop->arg[1]); i < s->violation; i++) {
		const struct trace_record *r = slice_event(s, i);
		uint32_t write;

		if (r->task == 0 || r->kind != TR_ACCESS)
			continue;
		pick(s, i, PICK_CONFLICT);
		write = r->arg[1] == 0 ? last_writer(s, r) : NO_INDEX;
		if (write != NO_INDEX)
			pick_side(s, write, PICK_CONFLICT);
	}
}

static bool is_change(const struct trace_record *r)
{
	switch (r->kind) {
	case TR_OBJ_FREE:
	case TR_OBJ_STATE:
	case TR_CACHE_SHUTDOWN:
	case TR_CACHE_UNLINK:
	case TR_CACHE_SLOT_CLEAR:
	case TR_CACHE_REPARENT:
	case TR_REF_KILL:
	case TR_REF_ZERO:
	case TR_REF_EXIT:
	case TR_WORK_END:
	case TR_WORK_INIT:
	case TR_CSS_OFFLINE:
	case TR_CSS_RELEASED:
		return true;
	default:
		return false;
	}
}

static uint32_t last_change(const struct slice *s)
{
	uint32_t mine = s->stretch_of[s->violation];
	oid_t obj = s->v->obj;

	/* Too much is about that to guess. */
	if (oid_kind(obj) == OBJ_GLOBAL)
		return NO_INDEX;
	if (oid_kind(obj) == OBJ_WORK && names_subject(s->tf->names, obj) != 0)
		obj = names_subject(s->tf->names, obj);
	for (uint32_t i = s->violation; i > 0; i--) {
		const struct trace_record *r = slice_event(s, i - 1);

		if (r->task != 0 && s->stretch_of[i - 1] != mine && is_change(r) &&
		    slice_about(s, r, obj))
			return i - 1;
	}
	return NO_INDEX;
}

/*
 * A pointer that nobody ever wrote was found by way of something that somebody did write: what
 * the context read last, before @access, of that kind.
 */
static uint32_t way_there(const struct slice *s, const struct trace_record *access)
{
	const struct stretch *st = slice_stretch(s, s->violation);

	for (uint32_t i = s->violation; st && i > st->first; i--) {
		const struct trace_record *r = slice_event(s, i - 1);
		uint32_t write;

		if (r == access || r->task != access->task || r->kind != TR_ACCESS || r->arg[1])
			continue;
		write = last_writer(s, r);
		if (write != NO_INDEX)
			return write;
	}
	return NO_INDEX;
}

static bool wants_guess(const struct trace_record *r)
{
	return r->kind == TR_NULL_DEREF || r->kind == TR_WRONG_TYPE || r->kind == TR_WORK_NULL ||
	       r->kind == TR_ASSERT || r->kind == TR_WARN;
}

static void pick_guess(struct slice *s)
{
	const struct trace_record *access;

	if (s->conflict != NO_INDEX || s->violation == NO_INDEX ||
	    !wants_guess(slice_event(s, s->violation)))
		return;
	access = bad_access(s);
	s->conflict = access ? last_writer(s, access) : NO_INDEX;
	if (access && s->conflict == NO_INDEX &&
	    slice_event(s, s->violation)->kind == TR_NULL_DEREF)
		s->conflict = way_there(s, access);
	if (s->conflict == NO_INDEX) {
		s->conflict = last_change(s);
		s->guessed = true;
	}
	if (s->conflict != NO_INDEX)
		pick_side(s, s->conflict, PICK_CONFLICT);
}

void slice_init(struct slice *s, const struct trace_file *tf, const struct trace_violation *v)
{
	memset(s, 0, sizeof(*s));
	s->tf = tf;
	s->v = v;
	s->stretch_of = g_new(uint32_t, MAX(tf->events->len, 1));
	s->stretches = g_array_new(FALSE, FALSE, sizeof(struct stretch));
	s->picks = g_array_new(FALSE, FALSE, sizeof(struct pick));
	s->lock_kinds = g_hash_table_new(NULL, NULL);
	s->conflict = NO_INDEX;
	s->violation = slice_index(tf, v->seq);
	find_stretches(s);
	/* At the end of a run nobody does anything: what counts is what was done before. */
	if (s->violation != NO_INDEX && slice_event(s, s->violation)->task != 0)
		pick_side(s, s->violation, PICK_VIOLATION);
	pick_related(s);
	if (strcmp(v->rule, "leak") == 0)
		pick_dying_root(s);
	pick_guess(s);
	if (s->violation != NO_INDEX && slice_event(s, s->violation)->kind == TR_LIVELOCK)
		pick_loop(s);
}

void slice_clear(struct slice *s)
{
	g_free(s->stretch_of);
	g_array_unref(s->stretches);
	g_array_unref(s->picks);
	g_hash_table_destroy(s->lock_kinds);
}
