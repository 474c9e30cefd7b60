// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/parallel/position.h"

#include "sim/base/assert.h"
#include "sim/explore/parallel/again.h"

struct position *position_new(void)
{
	struct position *p = g_new0(struct position, 1);

	p->places = g_array_new(FALSE, TRUE, sizeof(struct place));
	p->choices = g_array_new(FALSE, TRUE, sizeof(struct choice));
	p->all = true;
	return p;
}

void position_free(struct position *p)
{
	if (!p)
		return;
	g_array_unref(p->places);
	g_array_unref(p->choices);
	g_free(p);
}

static struct position *cut(const struct position *p, uint32_t depth, uint32_t nr_choices)
{
	struct position *c = position_new();

	g_array_append_vals(c->places, p->places->data, depth + 1);
	g_array_append_vals(c->choices, p->choices->data, nr_choices);
	c->first = depth;
	c->all = false;
	return c;
}

struct position *position_cut(const struct position *p, uint32_t depth, uint32_t pick)
{
	struct position *c = cut(p, depth, place_at(p, depth)->choices_at);

	place_at(c, depth)->pick = pick;
	return c;
}

struct position *position_variant(const struct position *p, uint32_t depth)
{
	uint32_t at = place_at(p, depth)->choices_at, end;

	sim_assert(depth + 1 < p->places->len);
	for (end = place_at(p, depth + 1)->choices_at; end > at + 1; end--) {
		const struct choice *last = &g_array_index(p->choices, struct choice, end - 1);
		struct position *c;

		if (last->pick + 1 >= last->n)
			continue;
		c = cut(p, depth, end);
		g_array_index(c->choices, struct choice, end - 1).pick++;
		return c;
	}
	return NULL;
}

void position_write(const struct position *p, GByteArray *b)
{
	put_u64(b, p->first);
	put_u64(b, p->all);
	put_array(b, p->places);
	put_array(b, p->choices);
}

/* Only who can step is tried, and nobody is both tried and being tried. */
static bool place_makes_sense(const struct place *p)
{
	uint64_t enabled;

	if (p->nr_enabled == 0 || p->nr_enabled > ENABLED_MAX || p->pick >= p->nr_enabled)
		return false;
	enabled = UINT64_MAX >> (ENABLED_MAX - p->nr_enabled);
	return !((p->todo | p->done) & ~enabled) && !(p->done & UINT64_C(1) << p->pick);
}

/* Nothing here leads out of the lists; position_fits() sees whether the path can be taken. */
static bool makes_sense(const struct position *p)
{
	uint32_t at = 0;

	if (p->places->len > 0 && p->first >= p->places->len)
		return false;
	for (guint i = 0; i < p->places->len; i++) {
		const struct place *place = place_at(p, i);

		if (!place_makes_sense(place) || place->choices_at > p->choices->len ||
		    (i == 0 ? place->choices_at != 0 : place->choices_at <= at))
			return false;
		at = place->choices_at;
	}
	return true;
}

struct position *position_read(struct reader *r)
{
	struct position *p = position_new();

	p->first = (uint32_t)take_u64(r);
	p->all = take_u64(r) != 0;
	take_array(r, p->places);
	take_array(r, p->choices);
	if (r->ok && makes_sense(p))
		return p;
	r->ok = false;
	position_free(p);
	return NULL;
}

/* Is the run where @place was made, and goes on as the choices say, if they do? */
static bool is_at(const struct exec *x, const struct position *p, const struct place *place)
{
	guint at = place->choices_at;

	return x->choices->len == at && x->nr_enabled == place->nr_enabled && !x->too_many &&
	       (at == p->choices->len ||
		g_array_index(p->choices, struct choice, at).pick == place->pick);
}

bool position_fits(const struct position *p, struct exec *x)
{
	struct again a;

	again_begin(&a, x, p->choices);
	for (guint i = 0; i < p->places->len; i++) {
		if (a.stopped || !exec_look(x) || !is_at(x, p, place_at(p, i)))
			return false;
		/* The step that is next need not have been begun. */
		if (x->choices->len == p->choices->len)
			return i + 1 == p->places->len;
		if (!again_step(&a))
			return false;
	}
	return x->choices->len >= p->choices->len;
}
