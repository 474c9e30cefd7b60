// SPDX-License-Identifier: GPL-2.0-only
/*
 * iterator: walks over memcgs come to everybody who is there, and keep nobody who is not.
 *
 * A round of a position lasts from one end of the tree to the next.  Who was online before it
 * began, and has not been killed when it ends, must have been visited in it.  Designs without a
 * lock let two walkers end a round twice, so that the one between is cut short: unless the
 * record says that the design excludes it, a round is judged only if one walker made it alone.
 *
 * A walk that comes to the same memcg again in one round may do so because something was removed
 * or because somebody else has moved the position.  Otherwise it will never end.
 *
 * What a position stands on may be freed if nothing can follow it there any more: it must have
 * been cleared, or its stamp must be an old one.
 */

#include <inttypes.h>

#include "sim/base/list.h"
#include "sim/check/ledger.h"

/* As in the records of a position: enum iter_guard. */
enum { GUARD_NUMBER, GUARD_PIN, GUARD_GLOBAL_COUNT, GUARD_COUNT, GUARD_CLEAR };

struct member {
	oid_t id; /* 0 until it is known */
	struct member *parent;
	struct list children, sibling; /* those that are not freed */
	struct list places;	       /* place.node: positions that stand on it */
	uint64_t online_seq, killed_seq, offline_seq;
	int64_t count; /* of removals, if it is a root of walks that count them */
};

/* A position, or a walk by itself, which has its own. */
struct place {
	uint64_t number;
	oid_t root;
	int64_t nr;
	struct list node;
	struct member *on;
	uint64_t moved_seq;
	int64_t guard, stamp;
	uint64_t round;	      /* number of the one that goes on */
	uint64_t began_seq;   /* when it began */
	uint32_t walker;      /* task that came by last */
	uint64_t foreign_seq; /* when it was another one */
	bool mixed;	      /* this round is made by more than one */
};

struct visit {
	uint64_t round, seq;
	uint32_t walker;
	uint32_t repeats; /* without a reason */
};

struct walker {
	struct place *place;
	uint64_t began_seq;
	uint64_t empty_seq; /* a round ended, and it has seen nothing since */
};

struct ledger {
	struct table members, walkers;
	struct map places; /* by (root, position, or task below them) */
	struct map visits; /* by (place, memcg) */
	struct map refs;   /* by (task, memcg): int64_t, taken by walks */
	uint64_t nr_places;
	int64_t global_count;
	uint64_t removal_seq; /* of the last one anywhere */
};

static struct member *member_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;
	struct member *m = ledger_number(c, &led->members, oid_nr(id));

	if (!m->id) {
		m->id = id;
		list_init(&m->children);
		list_init(&m->sibling);
		list_init(&m->places);
	}
	return m;
}

/* A walk by itself has a place of its own: the numbers of positions stay below 2^32. */
static struct place *place_of(struct checker *c, const struct trace_record *r, oid_t root,
			      int64_t nr)
{
	struct ledger *led = c->ledger;
	uint64_t key = nr >= 0 ? (uint64_t)nr : (UINT64_C(1) << 32) + r->task;
	struct place *p = ledger_entry(c, &led->places, root, key);

	if (!p->root) {
		p->number = ++led->nr_places;
		p->root = root;
		p->nr = nr;
		list_init(&p->node);
	}
	return p;
}

static struct walker *walker_of(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	return ledger_number(c, &led->walkers, r->task);
}

/* ---- memcgs ------------------------------------------------------------------------ */

static void on_new(struct checker *c, const struct trace_record *r)
{
	struct member *m;

	if (oid_kind(r->obj) != OBJ_MEMCG)
		return;
	m = member_of(c, r->obj);
	if (!arg_oid(r, 0))
		return;
	m->parent = member_of(c, arg_oid(r, 0));
	if (!c->set->exhausted)
		list_add_tail(&m->sibling, &m->parent->children);
}

static void on_online(struct checker *c, const struct trace_record *r)
{
	member_of(c, r->obj)->online_seq = r->seq;
}

static void on_kill(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	if (oid_kind(r->obj) != OBJ_MEMCG)
		return;
	member_of(c, r->obj)->killed_seq = r->seq;
	led->removal_seq = r->seq;
}

static void on_offline(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	member_of(c, r->obj)->offline_seq = r->seq;
	led->removal_seq = r->seq;
}

static void on_released(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	led->removal_seq = r->seq;
}

/* ---- references of walks ------------------------------------------------------------- */

static void hold(struct checker *c, const struct trace_record *r, int64_t n)
{
	struct ledger *led = c->ledger;
	int64_t *refs;

	if (r->arg[1] != HOLD_ITER || oid_kind(r->obj) != OBJ_MEMCG)
		return;
	refs = ledger_entry(c, &led->refs, arg_oid(r, 2), r->obj);
	*refs += n;
	if (*refs == 0)
		map_del(&led->refs, arg_oid(r, 2), r->obj);
}

static void on_get(struct checker *c, const struct trace_record *r)
{
	hold(c, r, r->arg[0]);
}

static void on_tryget(struct checker *c, const struct trace_record *r)
{
	if (r->arg[0])
		hold(c, r, 1);
}

static void on_put(struct checker *c, const struct trace_record *r)
{
	hold(c, r, -r->arg[0]);
}

/* ---- positions ------------------------------------------------------------------------- */

static bool can_be_followed(struct checker *c, const struct place *p)
{
	const struct ledger *led = c->ledger;

	switch (p->guard) {
	case GUARD_GLOBAL_COUNT:
		return p->stamp == led->global_count;
	case GUARD_COUNT:
		return p->stamp == member_of(c, p->root)->count;
	case GUARD_CLEAR:
		return true;
	default:
		return false;
	}
}

static void on_free(struct checker *c, const struct trace_record *r)
{
	struct member *m;

	if (oid_kind(r->obj) != OBJ_MEMCG)
		return;
	m = member_of(c, r->obj);
	list_for_each(node, &m->places) {
		const struct place *p = container_of(node, struct place, node);

		/* Its own walks end with it. */
		if (p->root != m->id && can_be_followed(c, p))
			checker_violation(c, r, m->id,
					  "freed below a walk: position %" PRId64
					  " of %s stands on %s, and the next walk would follow it",
					  p->nr, oid_str(p->root).s, oid_str(m->id).s)
				->related[0] = p->moved_seq;
	}
	list_del(&m->sibling);
}

/* Somebody else than the last time comes by. */
static void note_walker(struct place *p, const struct trace_record *r)
{
	if (p->walker == r->task)
		return;
	if (p->walker) {
		p->foreign_seq = r->seq;
		p->mixed = true;
	}
	p->walker = r->task;
}

static void on_move(struct checker *c, const struct trace_record *r)
{
	struct place *p = place_of(c, r, r->obj, r->arg[1]);

	list_del(&p->node);
	p->on = arg_oid(r, 0) ? member_of(c, arg_oid(r, 0)) : NULL;
	if (p->on && !c->set->exhausted)
		list_add_tail(&p->node, &p->on->places);
	p->guard = r->arg[2];
	p->stamp = r->arg[3];
	p->moved_seq = r->seq;
	/* Removals clear positions or take them back, which leaves nobody out. */
	if (r->ctx == CTX_KWORKER)
		p->foreign_seq = r->seq;
	else
		note_walker(p, r);
}

static void on_count(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	if (oid_kind(r->obj) == OBJ_MEMCG)
		member_of(c, r->obj)->count = r->arg[0];
	else
		led->global_count = r->arg[0];
	led->removal_seq = r->seq;
}

/* ---- visits ------------------------------------------------------------------------------ */

static void judge_reference(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;

	if (r->obj == arg_oid(r, 0) || map_find(&led->refs, task_oid(r), r->obj))
		return;
	checker_violation(c, r, r->obj,
			  "visited without a reference: %s may be freed while %s uses it",
			  oid_str(r->obj).s, oid_str(task_oid(r)).s);
}

/* Nothing was removed since, and nobody else came by: it will go on like this. */
static bool goes_on_for_ever(const struct ledger *led, const struct place *p,
			     const struct walker *w, uint64_t before)
{
	return before && before >= w->began_seq && before > led->removal_seq &&
	       before > p->foreign_seq;
}

/* A removal may be noticed a step late, and then there is a reason to come once more. */
static void judge_progress(struct checker *c, const struct trace_record *r, const struct place *p,
			   struct visit *v)
{
	const struct ledger *led = c->ledger;

	if (v->round != p->round || v->walker != r->task ||
	    !goes_on_for_ever(led, p, walker_of(c, r), v->seq)) {
		v->repeats = 0;
		return;
	}
	if (++v->repeats > 1)
		checker_violation(c, r, r->obj,
				  "endless walk: %s comes to %s again and to nobody else",
				  oid_str(task_oid(r)).s, oid_str(r->obj).s)
			->related[0] = v->seq;
}

static void on_visit(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	struct place *p = place_of(c, r, arg_oid(r, 0), r->arg[1]);
	struct walker *w = walker_of(c, r);
	struct visit *v;

	judge_reference(c, r);
	note_walker(p, r);
	/* The first round begins with the first visit. */
	if (!p->began_seq)
		p->began_seq = r->seq;
	if (r->arg[2] || w->place != p) {
		w->place = p;
		w->began_seq = r->seq;
		if (r->arg[1] < 0) {
			p->round++;
			p->began_seq = r->seq;
		}
	}
	w->empty_seq = 0;
	v = ledger_entry(c, &led->visits, p->number, r->obj);
	judge_progress(c, r, p, v);
	v->round = p->round;
	v->seq = r->seq;
	v->walker = r->task;
}

/* ---- rounds ------------------------------------------------------------------------------- */

static void judge_member(struct checker *c, const struct trace_record *r, const struct place *p,
			 const struct member *m)
{
	const struct ledger *led = c->ledger;
	const struct visit *v = map_find(&led->visits, p->number, m->id);

	if (!m->online_seq || m->online_seq >= p->began_seq || m->killed_seq)
		return;
	if (v && v->seq >= p->began_seq)
		return;
	checker_violation(c, r, m->id,
			  "left out: %s was online all the round of %s that began at seq %" PRIu64
			  ", and no walk came to it",
			  oid_str(m->id).s, oid_str(p->root).s, p->began_seq)
		->related[0] = p->began_seq;
}

/* All that is below @root, parents first. */
static void judge_below(struct checker *c, const struct trace_record *r, const struct place *p)
{
	const struct member *root = member_of(c, p->root), *m = root;

	for (;;) {
		judge_member(c, r, p, m);
		if (!list_empty(&m->children)) {
			m = container_of(m->children.next, struct member, sibling);
			continue;
		}
		while (m != root && m->sibling.next == &m->parent->children)
			m = m->parent;
		if (m == root)
			return;
		m = container_of(m->sibling.next, struct member, sibling);
	}
}

static void judge_emptiness(struct checker *c, const struct trace_record *r, const struct place *p,
			    struct walker *w)
{
	if (w->empty_seq && w->empty_seq > p->foreign_seq)
		checker_violation(c, r, p->root,
				  "endless walk: %s ends one round of %s after the other and sees "
				  "nobody",
				  oid_str(task_oid(r)).s, oid_str(p->root).s)
			->related[0] = w->empty_seq;
	w->empty_seq = r->seq;
}

static void on_round(struct checker *c, const struct trace_record *r)
{
	struct place *p = place_of(c, r, r->obj, r->arg[0]);
	struct walker *w = walker_of(c, r);

	note_walker(p, r);
	if (p->began_seq && (r->arg[1] || !p->mixed))
		judge_below(c, r, p);
	if (r->arg[0] >= 0)
		judge_emptiness(c, r, p, w);
	p->round++;
	p->began_seq = r->seq;
	p->mixed = false;
}

static void on_stop(struct checker *c, const struct trace_record *r)
{
	walker_of(c, r)->empty_seq = 0;
}

/* ---- quiescence ----------------------------------------------------------------------------- */

static void on_end(struct checker *c, const struct trace_record *last)
{
	struct ledger *led = c->ledger;
	const struct place *p;
	uint32_t pos = 0;

	while ((p = map_next(&led->places, &pos))) {
		if (p->guard != GUARD_PIN || !p->on || !p->on->offline_seq)
			continue;
		checker_violation(c, last, p->on->id,
				  "kept by a position: %s is offline since seq %" PRIu64
				  ", and position %" PRId64 " of %s stands on it",
				  oid_str(p->on->id).s, p->on->offline_seq, p->nr,
				  oid_str(p->root).s)
			->related[0] = p->moved_seq;
	}
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	table_init(&led->members, c->set->arena, sizeof(struct member));
	table_init(&led->walkers, c->set->arena, sizeof(struct walker));
	map_init(&led->places, c->set->arena, sizeof(struct place));
	map_init(&led->visits, c->set->arena, sizeof(struct visit));
	map_init(&led->refs, c->set->arena, sizeof(int64_t));
}

static const struct record_handler handlers[] = {
	{TR_OBJ_NEW, on_new},	   {TR_OBJ_FREE, on_free},	 {TR_CSS_ONLINE, on_online},
	{TR_REF_KILL, on_kill},	   {TR_CSS_OFFLINE, on_offline}, {TR_CSS_RELEASED, on_released},
	{TR_REF_GET, on_get},	   {TR_REF_TRYGET, on_tryget},	 {TR_REF_PUT, on_put},
	{TR_ITER_VISIT, on_visit}, {TR_ITER_MOVE, on_move},	 {TR_ITER_COUNT, on_count},
	{TR_ITER_ROUND, on_round}, {TR_ITER_STOP, on_stop},	 {0, NULL},
};

const struct checker_ops check_iterator = {
	.name = "iterator",
	.claim = "a walk over memcgs holds what it returns, comes to everybody once a round and "
		 "to an end, and its position neither keeps nor outlives a removed memcg",
	.source = "mem_cgroup_iter(); 5f5781619718, ecc736fc3c71, 6df38689e0e9, 54a83d6bcbf8",
	.handlers = handlers,
	.ledger_size = sizeof(struct ledger),
	.init = init,
	.on_end = on_end,
};
