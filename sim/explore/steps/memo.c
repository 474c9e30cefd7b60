// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/steps/memo.h"

#include "sim/base/hash.h"

/* What a digest is of. */
enum named { NAMED_PLACE = 1, NAMED_OBJECT, NAMED_POINT };

struct memo *memo_new(void)
{
	struct memo *m = g_new0(struct memo, 1);

	m->places = g_array_new(FALSE, FALSE, sizeof(struct memo_place));
	m->points = g_array_new(FALSE, FALSE, sizeof(struct memo_point));
	m->steps = g_array_new(FALSE, FALSE, sizeof(struct memo_step));
	m->uses = g_array_new(FALSE, FALSE, sizeof(struct memo_use));
	m->answers = g_array_new(FALSE, FALSE, sizeof(struct memo_answer));
	m->touches = g_array_new(FALSE, FALSE, sizeof(struct touch));
	m->clean_ends = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	m->by_name = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	return m;
}

void memo_free(struct memo *m)
{
	if (!m)
		return;
	g_array_unref(m->places);
	g_array_unref(m->points);
	g_array_unref(m->steps);
	g_array_unref(m->uses);
	g_array_unref(m->answers);
	g_array_unref(m->touches);
	g_hash_table_unref(m->clean_ends);
	g_hash_table_unref(m->by_name);
	g_free(m);
}

uint32_t memo_proc(struct memo *m, uint64_t key)
{
	for (uint32_t i = 0; i < m->nr_procs; i++) {
		if (m->procs[i] == key)
			return i;
	}
	if (m->nr_procs == MEMO_PROCS_MAX)
		return MEMO_NONE;
	m->procs[m->nr_procs] = key;
	return m->nr_procs++;
}

/* The number of what @name is a digest of; @fresh if it had none. */
static uint32_t number_of(struct memo *m, enum named kind, uint64_t name, uint32_t fresh)
{
	uint64_t key = hash_mix(hash_mix(0, kind), name);
	gpointer found;

	if (g_hash_table_lookup_extended(m->by_name, &key, NULL, &found))
		return GPOINTER_TO_UINT(found);
	g_hash_table_insert(m->by_name, g_memdup2(&key, sizeof(key)), GUINT_TO_POINTER(fresh));
	return fresh;
}

uint32_t memo_object(struct memo *m, oid_t obj)
{
	uint32_t i = number_of(m, NAMED_OBJECT, obj, m->nr_objects);

	m->nr_objects += i == m->nr_objects;
	return i;
}

uint32_t memo_place(struct memo *m, oid_t obj, uint32_t field)
{
	uint32_t i = number_of(m, NAMED_PLACE, hash_mix(hash_mix(0, obj), field), m->places->len);
	struct memo_place p = {.obj = obj, .field = field};

	if (i < m->places->len)
		return i;
	p.object = memo_object(m, obj);
	g_array_append_val(m->places, p);
	return i;
}

uint32_t memo_point(struct memo *m, uint32_t proc, uint64_t control)
{
	struct memo_point p = {
		.control = control,
		.proc = proc,
		.step = MEMO_NONE,
		.answer = MEMO_NONE,
		.waits_for = MEMO_NONE,
	};
	uint32_t i =
		number_of(m, NAMED_POINT, hash_mix(hash_mix(0, proc), control), m->points->len);

	if (i == m->points->len)
		g_array_append_val(m->points, p);
	return i;
}

uint32_t memo_learn(struct memo *m, const struct effects *effects, uint32_t from, bool ended,
		    bool keep)
{
	struct memo_step step = {
		.next = memo_point_at(m, from)->step,
		.at = m->uses->len,
		.nr = effects->nr,
		.change = effects->control_change,
		.nr_touches = MEMO_NONE,
	};

	for (uint32_t i = 0; i < effects->nr; i++) {
		const struct effect *e = &effects->places[i];
		struct memo_use use = {
			.place = memo_place(m, e->obj, e->field),
			.before = e->before,
			.after = e->after,
			.change = e->change,
		};

		use.object = g_array_index(m->places, struct memo_place, use.place).object;
		g_array_append_val(m->uses, use);
		step.change ^= e->change;
	}
	step.to = ended ? MEMO_NONE : memo_point(m, memo_point_at(m, from)->proc, effects->control);
	/* The points may have moved. */
	if (keep)
		memo_point_at(m, from)->step = m->steps->len;
	g_array_append_val(m->steps, step);
	return m->steps->len - 1;
}

void memo_note_touches(struct memo *m, uint32_t step, const struct touch *touches, uint32_t nr,
		       bool looks_back, uint64_t hindsight, uint64_t hindsight_change)
{
	struct memo_step *s = &g_array_index(m->steps, struct memo_step, step);

	s->touches_at = m->touches->len;
	s->nr_touches = nr;
	s->looks_back = looks_back;
	s->hindsight = hindsight;
	s->hindsight_change = hindsight_change;
	g_array_append_vals(m->touches, touches, nr);
}

void memo_answer(struct memo *m, uint32_t point, uint64_t hash, bool ready)
{
	struct memo_point *p = memo_point_at(m, point);
	struct memo_answer a = {.next = p->answer, .ready = ready, .hash = hash};

	p->answer = m->answers->len;
	g_array_append_val(m->answers, a);
}
