// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies that can be exchanged: two states in which they have only changed places are one.
 *
 * A copy is its processes and what they have of their own.  All of that is told by roles,
 * so it is the same in each copy; what is shared must not name any.  A state is then the
 * shared part and all copies, whatever their order.
 */
#include "sim/explore/search/skim.h"

#include "sim/check/ledger.h"
#include "sim/explore/steps/copies.h"

/* What a lock holds that a copy has taken, whichever it is. */
#define HELD UINT64_C(0x48454c44)

static uint64_t shared_name(oid_t obj, uint32_t field)
{
	return hash_mix(hash_mix(2, obj), field);
}

static bool is_lock(const struct effect *e)
{
	return oid_kind(e->obj) == OBJ_LOCK && e->field == FIELD_LOCK;
}

static bool complain(struct skim *k, const struct task *t, const char *what, oid_t obj)
{
	struct driver *d = k->s->d;

	if (!d->stopped)
		g_set_error(
			&d->result->error, MODEL_ERROR, 0,
			"copies: %s %s%s%s; copies can be exchanged as long as they use cells that "
			"name none of them, mutexes and spinlocks; with --no-symmetry they are "
			"told apart",
			t ? t->comm : "a task", what, obj ? " " : "", obj ? oid_str(obj).s : "");
	driver_stop(d, END_ERROR);
	return false;
}

/*
 * Add to what is @shared and to what is @own what @e changes, told so that it does not say
 * which copy has done it.
 * @holder: who has a lock that @e changes
 * Return: false if it cannot be told so.
 */
static bool note_place(const struct skim *k, const struct effect *e, struct copy holder,
		       uint64_t *shared, uint64_t *own)
{
	struct subject *s = k->paper.m->copies;
	struct copy of = s->copy_of(s, e->obj);
	uint64_t before = e->before, after = e->after;

	if (is_lock(e) && holder.nr) {
		uint64_t held = hash_mix(HELD, of.nr ? holder.role : 0);

		before = before ? held : 0;
		after = after ? held : 0;
		/* Whose it is says the copy. */
		if (!of.nr)
			*own ^= hash_mix(shared_name(e->obj, e->field), holder.role);
	} else if (e->flag) {
		before = before != 0;
		after = after != 0;
	} else if (!is_lock(e) && !(e->root && s->names_nobody(s, e->obj))) {
		return false;
	} else if (of.nr) {
		before ^= e->root;
		after ^= e->root;
	}
	if (of.nr)
		*own ^= change_of(copies_own_name(of.role, e->field), before, after);
	else
		*shared ^= change_of(shared_name(e->obj, e->field), before, after);
	return true;
}

/* A lock is taken or given back, and not handed over. */
static bool is_passed_on(const struct effect *e)
{
	return is_lock(e) && e->before && e->after && e->change;
}

static uint64_t control_change(struct copy c, uint64_t key, uint64_t before, uint64_t after)
{
	return change_of(c.nr ? copies_own_name(c.role, FIELD_CURRENT) : key, before, after);
}

bool skim_note_copies(struct skim *k, const struct taken *taken, const struct effects *effects,
		      uint32_t step)
{
	struct subject *s = k->paper.m->copies;
	const struct task *t = taken->t;
	struct memo_step *noted = &g_array_index(k->paper.m->steps, struct memo_step, step);
	struct copy mine = s->copy_of(s, t->id);
	uint64_t shared = 0, own = 0, control;

	for (uint32_t i = 0; i < effects->nr; i++) {
		const struct effect *e = &effects->places[i];
		struct copy of = s->copy_of(s, e->obj);

		if (of.nr && of.nr != mine.nr)
			return complain(k, t, "touches what is another one's own:", e->obj);
		if (e->change && (is_passed_on(e) || !note_place(k, e, mine, &shared, &own)))
			return complain(k, t, "may leave traces of who it is in", e->obj);
	}
	if (!taken->control_known)
		return complain(k, t, "goes on with something else", 0);
	if (t->state != TASK_DEAD && s->refers_to_copies(s, t))
		return complain(k, t, "refers to what is another one's own", 0);
	control =
		control_change(mine, context_key(t->id), effects->control_before, effects->control);
	*(mine.nr ? &own : &shared) ^= control;
	noted->copy = mine.nr;
	noted->change_shared = shared;
	noted->change_own = own;
	return true;
}

/* ---- the state ----------------------------------------------------------------------------- */

static uint64_t digest_of(uint64_t own)
{
	return hash_mix(UINT64_C(0x636f7079), own);
}

void skim_change_copies(struct skim *k, const struct memo_step *step)
{
	k->shared ^= step->change_shared;
	if (!step->copy)
		return;
	k->all_copies -= digest_of(k->own[step->copy]);
	k->own[step->copy] ^= step->change_own;
	k->all_copies += digest_of(k->own[step->copy]);
}

static uint64_t digest_all(const struct skim *k, uint64_t shared, uint64_t all_copies)
{
	return hash_mix(hash_mix(3, shared), is_broken(k->s, DEFECT_COPIES_ALIKE) ? 0 : all_copies);
}

uint64_t skim_fingerprint(const struct skim *k)
{
	return k->exchanges ? digest_all(k, k->shared, k->all_copies) : k->paper.fingerprint;
}

uint64_t skim_fingerprint_after(const struct skim *k, const struct memo_step *step)
{
	uint64_t all = k->all_copies, own = k->own[step->copy];

	if (!k->exchanges)
		return k->paper.fingerprint ^ step->change;
	if (step->copy)
		all += digest_of(own ^ step->change_own) - digest_of(own);
	return digest_all(k, k->shared ^ step->change_shared, all);
}

static void add_processes(struct skim *k)
{
	struct subject *s = k->paper.m->copies;

	for (uint64_t nr = 1; nr <= s->w->next_id[OBJ_TASK]; nr++) {
		oid_t id = oid_make(OBJ_TASK, nr);
		struct copy c = s->copy_of(s, id);
		uint64_t key = context_key(id);

		*(c.nr ? &k->own[c.nr] : &k->shared) ^=
			control_change(c, key, 0, order_control(k->s->order, key));
	}
}

static bool add_places(struct skim *k)
{
	struct subject *s = k->paper.m->copies;
	struct effects effects;

	if (!order_effects_so_far(k->s->order, &effects))
		return false;
	for (uint32_t i = 0; i < effects.nr; i++) {
		const struct effect *e = &effects.places[i];
		struct copy of = s->copy_of(s, e->obj), holder = {0};

		if (is_lock(e))
			holder = s->copy_of(s, s->holder(s, e->obj));
		if (!note_place(k, e, holder, &k->shared, &k->own[of.nr ? of.nr : holder.nr]))
			return false;
	}
	return true;
}

bool skim_begin_copies(struct skim *k)
{
	if (!k->paper.m->copies || k->s->strategy != STRATEGY_EXHAUSTIVE)
		return true;
	add_processes(k);
	if (!add_places(k))
		return complain(k, NULL, "may have left traces of who it is", 0);
	for (uint32_t c = 1; c <= k->paper.m->copies->nr_copies; c++)
		k->all_copies += digest_of(k->own[c]);
	k->exchanges = true;
	return true;
}
