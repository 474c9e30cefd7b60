// SPDX-License-Identifier: GPL-2.0-only
/*
 * A session, as those see it who explore its orderings.
 */

#include "lua/model.h"
#include "sim/engine/snapshot.h"

static struct run *run_of_subject(struct subject *s)
{
	return container_of(s, struct run, subject);
}

static void subject_restart(struct subject *s, struct chooser *chooser, struct step_log *log)
{
	struct run *run = run_of_subject(s);

	session_rewind(run, run->opt->seed);
	g_clear_error(&run->error);
	run->w->chooser = chooser;
	run->w->log = log;
}

/* What a run keeps outside the arena goes in front of what is inside. */
struct saved {
	_Alignas(16) struct trace_record last;
	uint64_t instructions;
};

static size_t subject_save_size(struct subject *s)
{
	return sizeof(struct saved) + snapshot_size(run_of_subject(s)->w);
}

static void subject_save(struct subject *s, void *buffer)
{
	struct run *run = run_of_subject(s);
	struct saved *saved = buffer;

	saved->instructions = run->instructions;
	saved->last = run->last;
	snapshot_save(run->w, saved + 1);
}

static void subject_restore(struct subject *s, const void *buffer)
{
	struct run *run = run_of_subject(s);
	const struct saved *saved = buffer;

	snapshot_restore(run->w, saved + 1);
	run->instructions = saved->instructions;
	run->last = saved->last;
	g_clear_error(&run->error);
}

static bool subject_step(struct subject *s, struct transition *tr)
{
	struct run *run = run_of_subject(s);

	if (setjmp(run->loading) != 0)
		return false;
	if (world_take(run->w, tr))
		return true;
	run_note_stop(run);
	return false;
}

static void subject_finish(struct subject *s)
{
	run_quiesce(run_of_subject(s));
}

static void subject_keep_quiet(struct subject *s, bool quiet)
{
	run_of_subject(s)->quiet = quiet;
}

static void subject_livelock(struct subject *s, const struct livelock *loop)
{
	trace_env(run_of_subject(s)->w, NULL, LIVELOCK, .obj = loop->task,
		  .arg = {loop->nr_steps, (int64_t)loop->since}, .str = loop->who);
}

static GError *subject_take_error(struct subject *s)
{
	return g_steal_pointer(&run_of_subject(s)->error);
}

static bool subject_control_hash(struct subject *s, const struct task *t, uint64_t *hash)
{
	return control_hash(run_of_subject(s), t, hash);
}

static uint64_t value_of(const struct handle *h, uint32_t field)
{
	const struct cell_handle *c = (const struct cell_handle *)h;
	const struct lock_handle *l = (const struct lock_handle *)h;
	const struct refcount_handle *r = (const struct refcount_handle *)h;

	if (h->kind == HANDLE_CELL)
		return (uint64_t)c->value.n * 5 + c->value.tag + 1;
	/* All that it holds is in one of its fields; the others only order steps. */
	if (h->kind == HANDLE_REFCOUNT)
		return field == FIELD_REF ? refcount_digest(&r->count) : 0;
	return (l->owner ? l->owner->id : 1) + ((uint64_t)l->misused << 63);
}

#define NO_FIELD UINT32_MAX

static const uint32_t *fields_of(const struct handle *h)
{
	static const uint32_t cell[] = {0, NO_FIELD}, lock[] = {FIELD_LOCK, NO_FIELD},
			      refcount[] = {FIELD_REF, FIELD_REF_PUTS, FIELD_REF_BASE, NO_FIELD};

	return h->kind == HANDLE_CELL ? cell : h->kind == HANDLE_REFCOUNT ? refcount : lock;
}

static bool has_value(const struct handle *h, uint32_t field)
{
	const uint32_t *f = fields_of(h);

	while (*f != NO_FIELD && *f != field)
		f++;
	return *f == field;
}

static bool subject_value(struct subject *s, oid_t obj, uint32_t field, uint64_t *value)
{
	struct run *run = run_of_subject(s);
	struct handle **h;

	if (oid_kind(obj) != OBJ_CELL && oid_kind(obj) != OBJ_LOCK)
		return false;
	h = map_find(&run->script->values, obj, 0);
	if (!h || !has_value(*h, field))
		return false;
	*value = value_of(*h, field);
	return true;
}

static void subject_each_value(struct subject *s, void *arg,
			       void (*fn)(void *arg, oid_t obj, uint32_t field, uint64_t value))
{
	struct run *run = run_of_subject(s);
	struct handle **h;
	uint32_t pos = 0;

	while ((h = map_next(&run->script->values, &pos)) != NULL) {
		for (const uint32_t *field = fields_of(*h); *field != NO_FIELD; field++)
			fn(arg, (*h)->id, *field, value_of(*h, *field));
	}
}

/* ---- copies ---------------------------------------------------------------------- */

static struct copy copy_of_handle(const struct handle *h)
{
	return (struct copy){h->copy, h->role};
}

static struct copy subject_copy_of(struct subject *s, oid_t obj)
{
	const struct script *script = run_of_subject(s)->script;
	struct handle **h = NULL;

	if (oid_kind(obj) == OBJ_CELL || oid_kind(obj) == OBJ_LOCK)
		h = map_find(&script->values, obj, 0);
	if (h)
		return copy_of_handle(*h);
	for (uint32_t i = 0; i < script->nr_tasks; i++) {
		const struct script_task *t = script->tasks[i];

		if (t->h.id == obj)
			return copy_of_handle(&t->h);
		if (t->ended->h.id == obj)
			return copy_of_handle(&t->ended->h);
	}
	return (struct copy){0};
}

static bool subject_refers_to_copies(struct subject *s, const struct task *t)
{
	return control_refers_to_copies(run_of_subject(s), t);
}

static bool subject_names_nobody(struct subject *s, oid_t cell)
{
	struct handle **h = map_find(&run_of_subject(s)->script->values, cell, 0);

	return h && (*h)->kind == HANDLE_CELL &&
	       ((const struct cell_handle *)*h)->value.tag != VALUE_CELL;
}

static oid_t subject_holder(struct subject *s, oid_t lock)
{
	struct handle **h = map_find(&run_of_subject(s)->script->values, lock, 0);
	const struct lock_handle *l = h ? (const struct lock_handle *)*h : NULL;

	return l && (*h)->kind == HANDLE_LOCK && l->owner ? l->owner->id : 0;
}

struct subject *session_subject(struct run *run)
{
	run->subject = (struct subject){
		.w = run->w,
		.checks = run->checks,
		.restart = subject_restart,
		.save_size = subject_save_size,
		.save = subject_save,
		.restore = subject_restore,
		.step = subject_step,
		.finish = subject_finish,
		.keep_quiet = subject_keep_quiet,
		.livelock = subject_livelock,
		.take_error = subject_take_error,
		.control_hash = subject_control_hash,
		.nr_copies = run->script->nr_copies,
		.copy_of = subject_copy_of,
		.refers_to_copies = subject_refers_to_copies,
		.names_nobody = subject_names_nobody,
		.holder = subject_holder,
		.value = subject_value,
		.each_value = subject_each_value,
	};
	return &run->subject;
}
