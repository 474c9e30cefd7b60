// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/steps/witness.h"

#include <string.h>

/* No field of an object. */
#define HINDSIGHT UINT32_MAX

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

/* What checkers know of a run, and its state does not tell, is one more place. */
static uint32_t hindsight_place(struct witness *w)
{
	return memo_place(w->p->m, 0, HINDSIGHT);
}

void witness_look(struct witness *w)
{
	w->nr_looks_back = w->x->s->checks->nr_looks_back;
}

void witness_init(struct witness *w, struct exec *x, struct paper *p)
{
	struct subject *s = x->s;

	w->x = x;
	w->p = p;
	memcpy(w->root_ids, s->w->next_id, sizeof(w->root_ids));
	w->root_hindsight = s->checks->hindsight;
	witness_look(w);
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
			h += hash_mix(~name, w->p->versions[w->places[i]]);
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

/* Places that were touched get numbers; false if paper cannot hold all that the step did. */
static bool take_touches(struct witness *w, uint32_t *nr)
{
	const struct exec *x = w->x;

	memcpy(w->tidy, x->touches, x->log.nr * sizeof(*w->tidy));
	*nr = touches_tidy(w->tidy, x->log.nr);
	touches_forget_last(w->tidy, *nr);
	/* One more is what the checkers know. */
	if (x->log.overflow || *nr >= TOUCHES_MAX || !are_at_root(w, *nr))
		return false;
	for (uint32_t i = 0; i < *nr; i++)
		w->places[i] = memo_place(w->p->m, w->tidy[i].obj, w->tidy[i].field);
	(void)hindsight_place(w);
	paper_know_places(w->p, NULL);
	return true;
}

static void add_effect(struct effects *effects, oid_t obj, uint32_t field, uint64_t before,
		       uint64_t after)
{
	effects->places[effects->nr++] = (struct effect){
		.obj = obj,
		.field = field,
		.before = before,
		.after = after,
		.change = change_of(place_hash(obj, field), before, after),
	};
}

/* A verdict that was made of what checkers know of the run is part of what the step found. */
static void add_hindsight(struct witness *w, struct effects *effects)
{
	const struct checkset *checks = w->x->s->checks;

	if (checks->nr_looks_back != w->nr_looks_back)
		add_effect(effects, 0, HINDSIGHT, w->p->versions[hindsight_place(w)],
			   checks->hindsight ^ w->root_hindsight);
}

bool witness_step(struct witness *w, uint32_t proc, const struct task *t, struct effects *effects)
{
	const struct memo *m = w->p->m;
	uint64_t key = m->procs[proc], h;
	uint32_t nr;

	if (!take_touches(w, &nr))
		return false;
	effects->control_before = memo_point_at(m, w->p->points[proc])->control;
	h = digest_of(w, key, effects->control_before, nr);
	effects->nr = 0;
	for (uint32_t i = 0; i < nr; i++) {
		const struct touch *touch = &w->tidy[i];
		uint64_t before = w->p->versions[w->places[i]];

		if (!field_is_shadow(touch->field))
			add_effect(effects, touch->obj, touch->field, before,
				   version_after(w, touch, w->places[i], h, before));
	}
	add_hindsight(w, effects);
	effects->control = control_after(w, t, h);
	effects->control_change = change_of(key, effects->control_before, effects->control);
	return true;
}
