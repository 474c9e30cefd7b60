// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/search/witness.h"

#include <string.h>

static void note_root_value(void *arg, oid_t obj, uint32_t field, uint64_t value)
{
	struct witness *w = arg;
	uint32_t place = memo_place(w->p->m, obj, field);

	if (place >= w->nr_roots) {
		w->roots = g_renew(uint64_t, w->roots, place + 1);
		memset(w->roots + w->nr_roots, 0, (place + 1 - w->nr_roots) * sizeof(*w->roots));
		w->nr_roots = place + 1;
	}
	w->roots[place] = hash_mix(1, value);
}

void witness_init(struct witness *w, struct exec *x, struct paper *p)
{
	struct subject *s = x->s;

	w->x = x;
	w->p = p;
	memcpy(w->root_ids, s->w->next_id, sizeof(w->root_ids));
	if (s->each_value)
		s->each_value(s, w, note_root_value);
	paper_know_places(p, NULL);
}

void witness_clear(struct witness *w)
{
	g_free(w->roots);
}

/* Objects that are made on the way have numbers that depend on it. */
static bool are_at_root(const struct witness *w, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (oid_nr(w->tidy[i].obj) > w->root_ids[oid_kind(w->tidy[i].obj)])
			return false;
	}
	return true;
}

/* Who, knowing what, saw what. */
static uint64_t digest_of(const struct witness *w, uint64_t key, uint64_t control, uint32_t nr)
{
	uint64_t h = hash_mix(key, control);

	for (uint32_t i = 0; i < nr; i++) {
		const struct touch *t = &w->tidy[i];
		uint64_t name = place_hash(t->obj, t->field);

		if (field_is_shadow(t->field))
			continue;
		h += hash_mix(name, t->mode);
		if (t->mode == ACCESS_READ || t->mode == ACCESS_RMW)
			h += hash_mix(~name, w->p->versions[memo_place(w->p->m, t->obj, t->field)]);
	}
	return h;
}

/* What a place holds that a step with the digest @h has touched as @t, and that held @before. */
static uint64_t version_after(const struct witness *w, const struct touch *t, uint32_t place,
			      uint64_t h, uint64_t before)
{
	struct subject *s = w->x->s;
	uint64_t name = place_hash(t->obj, t->field), value;

	if (t->mode == ACCESS_READ)
		return before;
	if (s->value && s->value(s, t->obj, t->field, &value))
		return hash_mix(1, value) ^ (place < w->nr_roots ? w->roots[place] : 0);
	if (field_is_flag(t->obj, t->field, t->mode))
		return hash_mix(1, name);
	if (t->mode == ACCESS_ADD)
		return before + hash_mix(h, ~name);
	return hash_mix(h, name);
}

static uint64_t control_after(const struct witness *w, const struct task *t, uint64_t h)
{
	struct subject *s = w->x->s;
	uint64_t control;

	if (t->state == TASK_DEAD)
		return 1;
	if (s->control_hash && s->control_hash(s, t, &control))
		return control;
	return h;
}

bool witness_step(struct witness *w, uint32_t proc, const struct task *t, struct effects *effects)
{
	const struct exec *x = w->x;
	const struct memo *m = w->p->m;
	uint64_t key = m->procs[proc], h;
	uint32_t nr;

	memcpy(w->tidy, x->touches, x->log.nr * sizeof(*w->tidy));
	nr = touches_tidy(w->tidy, x->log.nr);
	touches_forget_last(w->tidy, nr);
	if (x->log.overflow || nr > TOUCHES_MAX || !are_at_root(w, nr))
		return false;
	for (uint32_t i = 0; i < nr; i++)
		(void)memo_place(w->p->m, w->tidy[i].obj, w->tidy[i].field);
	paper_know_places(w->p, NULL);
	effects->control_before = memo_point_at(m, w->p->points[proc])->control;
	h = digest_of(w, key, effects->control_before, nr);
	effects->nr = 0;
	for (uint32_t i = 0; i < nr; i++) {
		const struct touch *touch = &w->tidy[i];
		struct effect *e = &effects->places[effects->nr];
		uint32_t place = memo_place(w->p->m, touch->obj, touch->field);

		if (field_is_shadow(touch->field))
			continue;
		*e = (struct effect){.obj = touch->obj, .field = touch->field};
		e->before = w->p->versions[place];
		e->after = version_after(w, touch, place, h, e->before);
		e->change = change_of(place_hash(e->obj, e->field), e->before, e->after);
		effects->nr++;
	}
	effects->control = control_after(w, t, h);
	effects->control_change = change_of(key, effects->control_before, effects->control);
	return true;
}
