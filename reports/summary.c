// SPDX-License-Identifier: GPL-2.0-only
#include "reports/summary.h"

#include <string.h>

#define POINTS_MAX 4096

static guint held_hash(gconstpointer key)
{
	const struct held *h = key;

	return g_int64_hash(&h->obj) * 31 + (guint)h->holder;
}

static gboolean held_equal(gconstpointer a, gconstpointer b)
{
	const struct held *ha = a, *hb = b;

	return ha->obj == hb->obj && ha->holder == hb->holder;
}

static guint usage_hash(gconstpointer key)
{
	const struct usage *u = key;

	return g_int64_hash(&u->memcg) * 31 + g_str_hash(u->counter);
}

static gboolean usage_equal(gconstpointer a, gconstpointer b)
{
	const struct usage *ua = a, *ub = b;

	return ua->memcg == ub->memcg && strcmp(ua->counter, ub->counter) == 0;
}

static void usage_free(gpointer data)
{
	struct usage *u = data;

	g_array_unref(u->series.points);
	g_free(u->counter);
	g_free(u);
}

static void series_init(struct series *s, const char *name)
{
	s->name = name;
	s->points = g_array_new(FALSE, FALSE, sizeof(struct series_point));
}

struct summary *summary_new(void)
{
	static const char *const names[NR_SERIES] = {
		[SERIES_CACHES] = "live kmem_caches",  [SERIES_DYING] = "dying memcgs",
		[SERIES_SLAB_PAGES] = "slab pages",    [SERIES_CALLBACKS] = "RCU callbacks pending",
		[SERIES_WORKS] = "work items pending",
	};
	struct summary *s = g_new0(struct summary, 1);

	s->points_max = POINTS_MAX;
	s->caches = g_ptr_array_new_with_free_func(g_free);
	s->memcgs = g_ptr_array_new_with_free_func(g_free);
	s->held = g_ptr_array_new_with_free_func(g_free);
	s->usages = g_ptr_array_new_with_free_func(usage_free);
	s->life_by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
	s->held_by_key = g_hash_table_new(held_hash, held_equal);
	s->usage_by_key = g_hash_table_new(usage_hash, usage_equal);
	s->slab_pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	for (int i = 0; i < NR_SERIES; i++)
		series_init(&s->series[i], names[i]);
	return s;
}

void summary_free(struct summary *s)
{
	if (!s)
		return;
	g_hash_table_destroy(s->life_by_id);
	g_hash_table_destroy(s->held_by_key);
	g_hash_table_destroy(s->usage_by_key);
	g_hash_table_destroy(s->slab_pages);
	g_ptr_array_unref(s->caches);
	g_ptr_array_unref(s->memcgs);
	g_ptr_array_unref(s->held);
	g_ptr_array_unref(s->usages);
	for (int i = 0; i < NR_SERIES; i++)
		g_array_unref(s->series[i].points);
	g_free(s);
}

/* ---- counters ------------------------------------------------------------ */

static void merge_points(GArray *points)
{
	guint n = points->len / 2;

	for (guint i = 0; i < n; i++) {
		struct series_point a = g_array_index(points, struct series_point, 2 * i);
		const struct series_point *b =
			&g_array_index(points, struct series_point, 2 * i + 1);

		a.v = MAX(a.v, b->v);
		g_array_index(points, struct series_point, i) = a;
	}
	g_array_set_size(points, n);
}

static void series_set(struct series *s, uint64_t t, int64_t v, guint points_max)
{
	struct series_point p = {t, v};

	if (v == s->now && s->points->len > 0)
		return;
	s->now = v;
	s->peak = MAX(s->peak, v);
	if (s->points->len >= points_max)
		merge_points(s->points);
	g_array_append_val(s->points, p);
}

static void count(struct summary *s, enum series_id id, const struct trace_record *r, int64_t by)
{
	series_set(&s->series[id], r->t, s->series[id].now + by, s->points_max);
}

static void usage_record(struct summary *s, const struct trace_record *r)
{
	struct usage key = {.memcg = r->obj, .counter = (char *)(r->str ? r->str : "memory")};
	struct usage *u = g_hash_table_lookup(s->usage_by_key, &key);

	if (!u) {
		u = g_memdup2(&key, sizeof(key));
		u->counter = g_strdup(key.counter);
		series_init(&u->series, u->counter);
		g_hash_table_add(s->usage_by_key, u);
		g_ptr_array_add(s->usages, u);
	}
	series_set(&u->series, r->t, r->arg[1], s->points_max);
}

static void slab_record(struct summary *s, const struct trace_record *r)
{
	gpointer pages;

	if (r->kind == TR_SLAB_ALLOC) {
		g_hash_table_insert(s->slab_pages, g_memdup2(&r->obj, sizeof(r->obj)),
				    GINT_TO_POINTER((int)r->arg[1]));
		count(s, SERIES_SLAB_PAGES, r, r->arg[1]);
	} else if (g_hash_table_lookup_extended(s->slab_pages, &r->obj, NULL, &pages)) {
		count(s, SERIES_SLAB_PAGES, r, -GPOINTER_TO_INT(pages));
		g_hash_table_remove(s->slab_pages, &r->obj);
	}
}

/* ---- lives --------------------------------------------------------------- */

const struct life *summary_life(const struct summary *s, oid_t id)
{
	return g_hash_table_lookup(s->life_by_id, &id);
}

static struct life *life_get(struct summary *s, const struct trace_record *r)
{
	bool cache = oid_kind(r->obj) == OBJ_CACHE;
	struct life *life = g_hash_table_lookup(s->life_by_id, &r->obj);

	if (life || (!cache && oid_kind(r->obj) != OBJ_MEMCG))
		return life;
	life = g_new0(struct life, 1);
	life->id = r->obj;
	life->seen[LIFE_CREATED] = true;
	life->at[LIFE_CREATED] = r->t;
	g_hash_table_insert(s->life_by_id, &life->id, life);
	g_ptr_array_add(cache ? s->caches : s->memcgs, life);
	if (cache)
		count(s, SERIES_CACHES, r, 1);
	return life;
}

/* Dying: no longer usable, not yet freed.  A memcg gets there by its kill or by its offline. */
static bool is_dying(const struct life *life)
{
	return life->seen[LIFE_OFFLINE] || life->seen[LIFE_KILLED];
}

static void life_reach(struct summary *s, const struct trace_record *r, enum life_stage stage)
{
	struct life *life = life_get(s, r);
	bool memcg, was_dying;

	if (!life || life->seen[stage])
		return;
	memcg = oid_kind(life->id) == OBJ_MEMCG;
	was_dying = is_dying(life);
	life->seen[stage] = true;
	life->at[stage] = r->t;
	if (memcg && !was_dying && is_dying(life))
		count(s, SERIES_DYING, r, 1);
	if (stage != LIFE_FREED)
		return;
	if (!memcg)
		count(s, SERIES_CACHES, r, -1);
	else if (was_dying)
		count(s, SERIES_DYING, r, -1);
}

static void life_record(struct summary *s, const struct trace_record *r)
{
	switch (r->kind) {
	case TR_OBJ_NEW:
	case TR_CACHE_CREATE:
		life_get(s, r);
		break;
	case TR_CSS_ONLINE:
	case TR_CACHE_SLOT_SET:
	case TR_OBJ_PUBLISH:
		life_reach(s, r, LIFE_ONLINE);
		break;
	case TR_CSS_OFFLINE:
	case TR_CACHE_DEACTIVATE:
		life_reach(s, r, LIFE_OFFLINE);
		break;
	case TR_REF_KILL:
		life_reach(s, r, LIFE_KILLED);
		break;
	case TR_CSS_RELEASED:
		life_reach(s, r, LIFE_SHUTDOWN);
		break;
	case TR_CACHE_SHUTDOWN:
		if (r->arg[0] == 0)
			life_reach(s, r, LIFE_SHUTDOWN);
		break;
	case TR_OBJ_FREE:
		life_reach(s, r, LIFE_FREED);
		break;
	default:
		break;
	}
}

/* ---- references ---------------------------------------------------------- */

static struct held *held_get(struct summary *s, oid_t obj, enum holder holder)
{
	struct held key = {.obj = obj, .holder = holder};
	struct held *h = g_hash_table_lookup(s->held_by_key, &key);

	if (!h) {
		h = g_memdup2(&key, sizeof(key));
		g_hash_table_add(s->held_by_key, h);
		g_ptr_array_add(s->held, h);
	}
	return h;
}

/* A file may say anything: no further than there are numbers. */
static int64_t plus(int64_t a, int64_t b)
{
	int64_t sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return b < 0 ? INT64_MIN : INT64_MAX;
}

static int64_t minus(int64_t n)
{
	return n == INT64_MIN ? INT64_MAX : -n;
}

static void hold(struct summary *s, const struct trace_record *r, int64_t holder, int64_t n,
		 int64_t owner)
{
	struct held *h = held_get(s, r->obj, (enum holder)holder);

	if (h->n == 0)
		h->since = r->t;
	h->n = plus(h->n, n);
	if (n > 0) {
		h->owner = (oid_t)owner;
		h->seq = r->seq;
	}
}

/* The kill drops the base reference by itself, or a put of it follows: both are fine here. */
static void drop_base(struct summary *s, const struct trace_record *r, int64_t n)
{
	struct held *h = held_get(s, r->obj, HOLD_BASE);

	h->n = MAX(plus(h->n, minus(n)), 0);
}

static void forget_refs(struct summary *s, oid_t obj)
{
	for (int i = 0; i < NR_HOLDERS; i++) {
		struct held key = {.obj = obj, .holder = (enum holder)i};
		struct held *h = g_hash_table_lookup(s->held_by_key, &key);

		if (h)
			h->n = 0;
	}
}

static void ref_record(struct summary *s, const struct trace_record *r)
{
	switch (r->kind) {
	case TR_REF_INIT:
		hold(s, r, HOLD_BASE, r->arg[0], 0);
		break;
	case TR_REF_GET:
		hold(s, r, r->arg[1], r->arg[0], r->arg[2]);
		break;
	case TR_REF_TRYGET:
		if (r->arg[0])
			hold(s, r, r->arg[1], 1, r->arg[2]);
		break;
	case TR_REF_PUT:
		if (r->arg[1] == HOLD_BASE)
			drop_base(s, r, r->arg[0]);
		else
			hold(s, r, r->arg[1], minus(r->arg[0]), r->arg[2]);
		break;
	case TR_REF_MOVE:
		hold(s, r, r->arg[1], minus(r->arg[0]), r->arg[3]);
		hold(s, r, r->arg[2], r->arg[0], r->arg[3]);
		break;
	case TR_REF_KILL:
		drop_base(s, r, 1);
		break;
	case TR_OBJ_FREE:
		forget_refs(s, r->obj);
		break;
	default:
		break;
	}
}

void summary_record(struct summary *s, const struct trace_record *r)
{
	life_record(s, r);
	ref_record(s, r);
	switch (r->kind) {
	case TR_SLAB_ALLOC:
	case TR_SLAB_DISCARD:
		slab_record(s, r);
		break;
	case TR_COUNTER_CHARGE:
	case TR_COUNTER_UNCHARGE:
		usage_record(s, r);
		break;
	case TR_CALL_RCU:
		count(s, SERIES_CALLBACKS, r, 1);
		break;
	case TR_RCU_CALLBACK:
		count(s, SERIES_CALLBACKS, r, -1);
		break;
	case TR_QUEUE_WORK:
		if (r->arg[2])
			count(s, SERIES_WORKS, r, 1);
		break;
	case TR_WORK_START:
		count(s, SERIES_WORKS, r, -1);
		break;
	case TR_WORK_CANCEL:
		if (r->arg[0])
			count(s, SERIES_WORKS, r, -1);
		break;
	case TR_RCU_GP_END:
		s->nr_gps++;
		break;
	default:
		break;
	}
}
