// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/steps/paper.h"

#include <string.h>

/* Of an object that somebody waits for. */
#define FIELDS_MAX 16

/* ---- what places hold --------------------------------------------------------------------- */

static void make_room(struct paper *p)
{
	uint32_t nr_objects = p->m->nr_objects;

	p->versions = g_renew(uint64_t, p->versions, p->m->places->len);
	p->hashes = g_renew(uint64_t, p->hashes, nr_objects);
	if (nr_objects > p->nr_objects)
		memset(p->hashes + p->nr_objects, 0,
		       (nr_objects - p->nr_objects) * sizeof(*p->hashes));
	p->nr_objects = nr_objects;
}

void paper_know_places(struct paper *p, const struct order *o)
{
	if (p->nr_places == p->m->places->len && p->nr_objects == p->m->nr_objects)
		return;
	make_room(p);
	for (; p->nr_places < p->m->places->len; p->nr_places++) {
		const struct memo_place *at =
			&g_array_index(p->m->places, struct memo_place, p->nr_places);
		uint64_t change = 0;

		p->versions[p->nr_places] = o ? order_version(o, at->obj, at->field, &change) : 0;
		p->hashes[at->object] ^= change;
	}
}

/* The same, where the world is behind @step and the paper is not. */
static void know_places_before(struct paper *p, const struct order *o, const struct memo_step *step)
{
	const struct memo_use *u = memo_uses_of(p->m, step), *end = u + step->nr;
	uint32_t known = p->nr_places;

	paper_know_places(p, o);
	for (; u < end; u++) {
		if (u->place < known)
			continue;
		p->versions[u->place] = u->before;
		p->hashes[u->object] ^= u->change;
	}
}

/* ---- who comes next ------------------------------------------------------------------------ */

void paper_set_pending(const struct paper *p, const struct proc_list *before, uint32_t proc,
		       struct proc_list *after)
{
	after->nr = 0;
	for (uint32_t i = 0; i < before->nr; i++) {
		if (before->at[i] != proc)
			after->at[after->nr++] = before->at[i];
	}
	if (p->points[proc] != MEMO_NONE)
		after->at[after->nr++] = (uint8_t)proc;
}

bool paper_set_enabled(const struct paper *p, const struct proc_list *pending,
		       struct proc_list *enabled)
{
	enabled->nr = 0;
	for (uint32_t i = 0; i < pending->nr; i++) {
		int ready = memo_ready(p->m, p->points[pending->at[i]], p->hashes);

		if (ready < 0)
			return false;
		if (ready)
			enabled->at[enabled->nr++] = pending->at[i];
	}
	return true;
}

/* ---- learning ------------------------------------------------------------------------------ */

bool paper_fits(struct memo *m, const struct world *w)
{
	uint64_t cpus = 0;

	for (uint32_t i = 0; i < w->nr_pending; i++) {
		const struct transition *tr = w->pending[i];
		const struct task *t = transition_context(tr);

		if (!t || tr->wanted || i == MEMO_PROCS_MAX || cpus & UINT64_C(1) << t->cpu->nr ||
		    memo_proc(m, process_key(tr)) == MEMO_NONE)
			return false;
		cpus |= UINT64_C(1) << t->cpu->nr;
		if (t->await.ready && !t->blocked_on)
			return false;
	}
	return true;
}

/*
 * Places that were touched before the memo was there are part of what a process at @point waits
 * for.  Return: false if there are too many.
 */
static bool wait_for(struct memo *m, const struct order *o, struct memo_point *point, oid_t obj)
{
	struct touch touches[FIELDS_MAX];
	uint32_t nr = o ? order_places(o, obj, ACCESS_READ, touches, G_N_ELEMENTS(touches)) : 0;

	for (uint32_t i = 0; i < nr; i++)
		(void)memo_place(m, obj, touches[i].field);
	point->waits_for = memo_object(m, obj);
	point->waits_on = obj;
	return nr < FIELDS_MAX;
}

/*
 * What the world can tell of @t, which is pending: what it waits for, and whether it must.
 * Return: false if that is more than a memo can hold.
 */
static bool look_at(struct paper *p, const struct order *o, const struct task *t, uint32_t proc,
		    bool ready)
{
	struct memo_point *point = memo_point_at(p->m, p->points[proc]);
	bool ok = ready;

	point->looked = true;
	if (t->await.ready)
		ok = wait_for(p->m, o, point, t->blocked_on);
	paper_know_places(p, o);
	if (memo_ready(p->m, p->points[proc], p->hashes) < 0)
		memo_answer(p->m, p->points[proc], p->hashes[point->waits_for], ready);
	return ok;
}

bool paper_look(struct paper *p, const struct exec *x, const struct order *o,
		const struct proc_list *pending)
{
	const struct world *w = x->s->w;
	bool ok = w->nr_pending == pending->nr;

	for (uint32_t i = 0; ok && i < w->nr_pending; i++)
		ok = p->m->procs[pending->at[i]] == process_key(w->pending[i]);
	for (uint32_t i = 0; ok && i < w->nr_pending; i++)
		ok = look_at(p, o, transition_context(w->pending[i]), pending->at[i],
			     exec_find(x, process_key(w->pending[i])) >= 0);
	return ok;
}

uint32_t paper_learn(struct paper *p, const struct exec *x, const struct order *o, uint32_t proc,
		     bool ended, bool keep, struct effects *effects)
{
	uint32_t step;

	if (!paper_fits(p->m, x->s->w) || !order_effects(o, effects))
		return MEMO_NONE;
	step = memo_learn(p->m, effects, p->points[proc], ended, keep);
	know_places_before(p, o, memo_step_at(p->m, step));
	return step;
}

/* ---- the whole ------------------------------------------------------------------------------ */

bool paper_begin(struct paper *p, struct memo *m, const struct exec *x, const struct order *o,
		 struct proc_list *pending)
{
	const struct world *w = x->s->w;

	*p = (struct paper){.m = m, .fingerprint = o ? order_fingerprint(o) : 0};
	if (!paper_fits(m, w))
		return false;
	paper_know_places(p, o);
	pending->nr = 0;
	for (uint32_t i = 0; i < w->nr_pending; i++) {
		uint64_t key = process_key(w->pending[i]);
		uint32_t proc = memo_proc(m, key);

		pending->at[pending->nr++] = (uint8_t)proc;
		p->points[proc] = memo_point(m, proc, o ? order_control(o, key) : 0);
	}
	return paper_look(p, x, o, pending);
}

void paper_clear(struct paper *p)
{
	g_free(p->versions);
	g_free(p->hashes);
}
