// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kernel/refcount.h"

#include "sim/base/hash.h"

#define REFCOUNT_SATURATED (INT64_MIN / 2)

void refcount_init(struct task *t, struct refcount *r, oid_t of, const char *name, int64_t n)
{
	*r = (struct refcount){.of = of, .count = n, .initial = n};
	map_init(&r->held, t->w->arena, sizeof(int64_t));
	trace(t, REF_INIT, .obj = of, .arg = {n, false}, .str = name);
}

/* ---- what an operation depends on ------------------------------------------------- */

/* With that, no order of what others do meanwhile reaches zero. */
static bool is_pinned(const struct refcount *r)
{
	return r->initial > 0 && !r->stray;
}

static void touch_all(struct task *t, const struct refcount *r)
{
	touch(t->w, r->of, FIELD_REF, ACCESS_RMW);
}

static void touch_get(struct task *t, const struct refcount *r)
{
	touch(t->w, r->of, FIELD_REF, ACCESS_ADD);
	if (is_pinned(r))
		touch(t->w, r->of, FIELD_REF_BASE, ACCESS_ADD);
	else
		touch(t->w, r->of, FIELD_REF_PUTS, ACCESS_READ);
}

/* Some take what is @left of something; whoever comes after the last but one takes the last. */
static enum access_mode adds_until(int64_t left)
{
	return left > 1 ? ACCESS_ADD : left == 1 ? ACCESS_ADD_LAST : ACCESS_RMW;
}

/* The one that reaches zero conflicts with all. */
static void touch_put(struct task *t, const struct refcount *r, bool initial)
{
	touch(t->w, r->of, FIELD_REF, r->count == 1 ? ACCESS_RMW : ACCESS_ADD);
	touch(t->w, r->of, FIELD_REF_PUTS, adds_until(r->count - 1));
	if (initial)
		touch(t->w, r->of, FIELD_REF_BASE, adds_until(r->initial));
}

/* ---- who holds what --------------------------------------------------------------- */

static void note_get(struct task *t, struct refcount *r)
{
	int64_t *held = r->stray ? NULL : map_add(&r->held, t->id, 0);

	if (held)
		++*held;
}

/* Give back what @t holds, or else one of the initial ones; false when there is neither. */
static bool note_put(struct task *t, struct refcount *r, bool *initial)
{
	int64_t *held = map_find(&r->held, t->id, 0);

	*initial = false;
	if (r->stray)
		return true;
	if (held && *held > 0) {
		--*held;
		return true;
	}
	*initial = r->initial > 0;
	r->initial -= *initial;
	r->stray = !*initial;
	return *initial;
}

uint64_t refcount_digest(const struct refcount *r)
{
	uint64_t h =
		hash_mix(hash_mix(1, (uint64_t)r->count), r->stray ? 0 : (uint64_t)r->initial + 1);
	uint32_t pos = 0;
	const int64_t *held;

	while (!r->stray && (held = map_next(&r->held, &pos)) != NULL) {
		if (*held > 0)
			h += hash_mix(hash_mix(2, map_key_a(held)), (uint64_t)*held);
	}
	return h;
}

/* ---- operations ------------------------------------------------------------------- */

static void get(struct task *t, struct refcount *r)
{
	if (r->count <= 0) {
		touch_all(t, r);
		r->count = REFCOUNT_SATURATED;
		return;
	}
	touch_get(t, r);
	note_get(t, r);
	r->count++;
}

void refcount_inc(struct task *t, struct refcount *r)
{
	sched_point(t, COST_ATOMIC);
	get(t, r);
	trace(t, REF_GET, .obj = r->of, .arg = {1, HOLD_SCRIPT, (int64_t)t->id});
}

bool refcount_inc_not_zero(struct task *t, struct refcount *r)
{
	bool ok;

	sched_point(t, COST_ATOMIC);
	ok = r->count != 0;
	if (ok)
		get(t, r);
	else
		touch(t->w, r->of, FIELD_REF, ACCESS_READ);
	trace(t, REF_TRYGET, .obj = r->of, .arg = {ok, HOLD_SCRIPT, (int64_t)t->id});
	return ok;
}

bool refcount_dec_and_test(struct task *t, struct refcount *r)
{
	bool initial, entitled;

	sched_point(t, COST_ATOMIC);
	trace(t, REF_PUT, .obj = r->of, .arg = {1, HOLD_SCRIPT, (int64_t)t->id});
	entitled = note_put(t, r, &initial);
	if (!entitled || r->count <= 0)
		touch_all(t, r);
	else
		touch_put(t, r, initial);
	if (r->count <= 0) {
		r->count = REFCOUNT_SATURATED;
		return false;
	}
	r->count--;
	if (r->count == 0)
		trace(t, REF_ZERO, .obj = r->of);
	return r->count == 0;
}

int64_t refcount_read(struct task *t, const struct refcount *r)
{
	sched_read(t, r->of, FIELD_REF, "refcount_read");
	return r->count;
}
