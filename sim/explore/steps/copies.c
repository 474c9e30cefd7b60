// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/steps/copies.h"

#include "sim/explore/explore.h"

struct likeness {
	struct subject *s;
	GHashTable *by_role; /* uint64_t -> uint64_t: what the first copy has there */
	bool differ;
};

/* @what of each copy, by @role, is to be the same. */
static void compare(struct likeness *l, uint64_t role, uint64_t what)
{
	const uint64_t *first = g_hash_table_lookup(l->by_role, &role);

	if (!first)
		g_hash_table_insert(l->by_role, g_memdup2(&role, sizeof(role)),
				    g_memdup2(&what, sizeof(what)));
	else
		l->differ |= *first != what;
}

static void compare_value(void *arg, oid_t obj, uint32_t field, uint64_t value)
{
	struct likeness *l = arg;
	struct copy c = l->s->copy_of(l->s, obj);

	if (!c.nr)
		return;
	compare(l, copies_own_name(c.role, field), value);
	l->differ |= oid_kind(obj) == OBJ_CELL && !l->s->names_nobody(l->s, obj);
}

static bool refuse(GError **error, const char *who, const char *what)
{
	g_set_error(error, MODEL_ERROR, 0, "copies: %s %s; with --no-symmetry they are told apart",
		    who, what);
	return false;
}

static bool compare_task(struct likeness *l, const struct task *t, GError **error)
{
	struct subject *s = l->s;
	struct copy c = s->copy_of(s, t->id);
	uint64_t hash;

	if (!c.nr)
		return true;
	if (!s->control_hash(s, t, &hash))
		return refuse(error, t->comm,
			      "begins with something else than an operation on a cell, a mutex or "
			      "a spinlock");
	if (s->refers_to_copies(s, t))
		return refuse(error, t->comm, "refers to what is another one's own");
	compare(l, copies_own_name(c.role, FIELD_CURRENT), hash);
	if (l->differ)
		return refuse(error, t->comm,
			      "does not begin as its counterparts do: does it know a number that "
			      "they do not?");
	return true;
}

bool copies_are_alike(struct subject *s, GError **error)
{
	struct likeness l = {.s = s};
	const struct world *w = s->w;
	bool ok = true;

	l.by_role = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	s->each_value(s, &l, compare_value);
	if (l.differ)
		ok = refuse(error, "what is their own", "does not hold the same in all of them");
	for (uint32_t i = 0; ok && i < w->nr_pending; i++) {
		const struct task *t = transition_context(w->pending[i]);

		ok = !t || compare_task(&l, t, error);
	}
	g_hash_table_unref(l.by_role);
	return ok;
}
