// SPDX-License-Identifier: GPL-2.0-only
#include "reports/metrics.h"

#include <math.h>
#include <string.h>

/* ---- what is kept ----------------------------------------------------------- */

/* One measure of a metric: of two, if it is "per" something. */
struct tally {
	const struct measure *measure;
	double last, sum, max;
	uint64_t count;
	unsigned int open; /* tasks inside the operation of measure.during */
	bool known;
};

struct gauge_state {
	int64_t now, max;
	double area; /* value times ns, up to @since */
	vtime_t since;
};

/* What is held and since when, by the number of a lock. */
struct lock_state {
	uint64_t tallies; /* bits of those that watch it */
	vtime_t since;
	uint64_t inside; /* bits of those that count this section */
	bool held;
};

/* By the number of a task. */
struct task_state {
	const char *op; /* the operation that it is in, interned; NULL for none */
	vtime_t op_since, wait_since;
	uint64_t wait_inside; /* as lock_state.inside, of the wait */
	oid_t waits;
};

struct memcg_state {
	bool alive, dying;
};

struct cache_state {
	uint32_t size; /* of an object, as it was asked for */
	bool alive, child;
};

struct metrics {
	struct run_sink sink;
	const struct study_plan *study;
	struct tally *tallies; /* two for each metric: itself, and what it is divided by */
	guint nr_tallies;
	uint64_t watching[NR_TRACE_KINDS]; /* bits of the tallies that count records of a kind */
	struct gauge_state gauges[NR_GAUGES];
	/* By number; grown as numbers come up. */
	GArray *memcgs, *caches, *slabs, *vectors, *locks, *tasks;
	GStringChunk *ops;
	bool started;
	vtime_t start, next; /* next: when the next sample is due */
	guint nr_points, filled;
	double *values; /* [point * metrics + metric] */
};

#define PAGE_BYTES 4096
#define TALLIES_MAX 64

static struct tally *tally_of(const struct metrics *m, guint metric)
{
	return &m->tallies[2 * metric];
}

/* The element of that number, zeroed if it is new; good until the next call. */
#define AT(array, nr) ((void *)at(array, nr, g_array_get_element_size(array)))

static char *at(GArray *array, uint64_t nr, size_t size)
{
	if (nr >= array->len)
		g_array_set_size(array, (guint)MAX(nr + 1, array->len * 2));
	return array->data + nr * size;
}

/* ---- values ----------------------------------------------------------------- */

static void add(struct tally *tally, double v)
{
	tally->last = v;
	tally->sum += v;
	tally->max = tally->count == 0 ? v : MAX(tally->max, v);
	tally->count++;
}

/* Adds to each tally of which @bits has the bit. */
static void add_to(struct metrics *m, uint64_t bits, double v)
{
	for (; bits; bits &= bits - 1)
		add(&m->tallies[__builtin_ctzll(bits)], v);
}

static void gauge_add(struct metrics *m, enum gauge id, const struct trace_record *r, int64_t by)
{
	struct gauge_state *g = &m->gauges[id];

	g->area += (double)g->now * (double)(r->t - g->since);
	g->since = r->t;
	g->now += by;
	g->max = MAX(g->max, g->now);
}

static double gauge_value(const struct metrics *m, const struct measure *measure, vtime_t t)
{
	const struct gauge_state *g = &m->gauges[measure->gauge];
	double area = g->area + (double)g->now * (double)(t - g->since);

	switch (measure->value) {
	case VALUE_MAX:
		return (double)g->max;
	case VALUE_MEAN:
		return t > m->start ? area / (double)(t - m->start) : (double)g->now;
	default:
		return (double)g->now;
	}
}

static double tally_value(const struct metrics *m, const struct tally *tally, vtime_t t)
{
	const struct measure *measure = tally->measure;

	if (measure->source == MEASURE_GAUGE)
		return gauge_value(m, measure, t);
	if (measure->source == MEASURE_ELAPSED)
		return (double)(t - m->start);
	switch (measure->value) {
	case VALUE_COUNT:
		return (double)tally->count;
	case VALUE_SUM:
		return tally->sum;
	case VALUE_LAST:
		return tally->count > 0 ? tally->last : NAN;
	case VALUE_MAX:
		/* A lock that nobody took was held for no time. */
		return tally->count > 0 || measure->source != MEASURE_MEASURED ? tally->max : NAN;
	default:
		return tally->count > 0 ? tally->sum / (double)tally->count : NAN;
	}
}

static double metric_value(const struct metrics *m, guint metric, vtime_t t)
{
	const struct tally *tally = tally_of(m, metric);
	double v = tally_value(m, tally, t) * study_metric(m->study, metric)->scale, per;

	if (!tally[1].measure)
		return v;
	per = tally_value(m, &tally[1], t);
	return per == 0 ? NAN : v / per;
}

static void fill_point(struct metrics *m, vtime_t t)
{
	guint n = m->study->metrics->len;

	for (guint i = 0; i < n; i++)
		m->values[m->filled * n + i] = metric_value(m, i, t);
	m->filled++;
	m->next += m->study->every;
}

/* Samples that were due before a record of the time @t. */
static void fill_until(struct metrics *m, vtime_t t)
{
	while (m->filled < m->nr_points && m->next < t)
		fill_point(m, m->next);
}

/* ---- locks and operations --------------------------------------------------- */

static bool is_inside(const struct tally *tally)
{
	return !tally->measure->during || tally->open > 0;
}

/* Those of @bits that count what begins now. */
static uint64_t inside(const struct metrics *m, uint64_t bits)
{
	uint64_t those = 0;

	if (!m->started)
		return 0;
	for (; bits; bits &= bits - 1) {
		if (is_inside(&m->tallies[__builtin_ctzll(bits)]))
			those |= bits & -bits;
	}
	return those;
}

static uint64_t of_source(const struct metrics *m, uint64_t bits, enum measure_source source)
{
	uint64_t those = 0;

	for (; bits; bits &= bits - 1) {
		if (m->tallies[__builtin_ctzll(bits)].measure->source == source)
			those |= bits & -bits;
	}
	return those;
}

static void lock_record(struct metrics *m, const struct trace_record *r)
{
	struct lock_state *lock = AT(m->locks, oid_nr(r->obj));
	struct task_state *task = AT(m->tasks, r->task);

	switch (r->kind) {
	case TR_LOCK_INIT:
		for (guint i = 0; i < m->nr_tallies; i++) {
			struct tally *tally = &m->tallies[i];

			if (tally->measure &&
			    (tally->measure->source == MEASURE_HOLD ||
			     tally->measure->source == MEASURE_WAIT) &&
			    g_strcmp0(tally->measure->what, r->str) == 0) {
				lock->tallies |= UINT64_C(1) << i;
				tally->known = true;
			}
		}
		break;
	case TR_LOCK_WAIT:
		/* Who is woken too late waits again: that is one wait. */
		if (lock->tallies && task->waits != r->obj) {
			task->waits = r->obj;
			task->wait_since = r->t;
			task->wait_inside = inside(m, of_source(m, lock->tallies, MEASURE_WAIT));
		}
		break;
	case TR_LOCK_ACQUIRE:
		if (task->waits == r->obj && lock->tallies) {
			add_to(m, task->wait_inside, (double)(r->t - task->wait_since));
			task->waits = 0;
		}
		if (lock->tallies && !r->arg[0]) {
			lock->held = true;
			lock->since = r->t;
			lock->inside = inside(m, of_source(m, lock->tallies, MEASURE_HOLD));
		}
		break;
	case TR_LOCK_RELEASE:
		if (lock->held && !r->arg[0]) {
			add_to(m, lock->inside, (double)(r->t - lock->since));
			lock->held = false;
		}
		break;
	default:
		break;
	}
}

static void op_record(struct metrics *m, const struct trace_record *r)
{
	struct task_state *task = AT(m->tasks, r->task);
	bool begins = r->kind == TR_OP_BEGIN;
	const char *op = begins ? r->str : task->op;

	if (!op || !r->str || strcmp(op, r->str) != 0)
		return;
	for (guint i = 0; i < m->nr_tallies; i++) {
		struct tally *tally = &m->tallies[i];
		const struct measure *measure = tally->measure;

		if (!measure)
			continue;
		if (!begins && measure->source == MEASURE_OP && strcmp(measure->what, op) == 0 &&
		    is_inside(tally) && task->op_since >= m->start)
			add(tally, (double)(r->t - task->op_since));
		if (measure->during && strcmp(measure->during, op) == 0)
			tally->open += begins ? 1 : -1u;
	}
	task->op = begins ? g_string_chunk_insert_const(m->ops, r->str) : NULL;
	task->op_since = r->t;
}

/* ---- gauges ----------------------------------------------------------------- */

static void memory_add(struct metrics *m, enum gauge id, const struct trace_record *r, int64_t by)
{
	gauge_add(m, id, r, by);
	gauge_add(m, GAUGE_KMEM_BYTES, r, by);
}

static void memcg_dies(struct metrics *m, const struct trace_record *r)
{
	struct memcg_state *memcg = AT(m->memcgs, oid_nr(r->obj));

	if (memcg->alive && !memcg->dying)
		gauge_add(m, GAUGE_DYING, r, 1);
	memcg->dying = memcg->alive;
}

static void object_new(struct metrics *m, const struct trace_record *r)
{
	struct memcg_state *memcg;

	switch (oid_kind(r->obj)) {
	case OBJ_MEMCG:
		memcg = AT(m->memcgs, oid_nr(r->obj));
		memcg->alive = true;
		gauge_add(m, GAUGE_CGROUPS, r, 1);
		break;
	case OBJ_VECTOR:
		*(int64_t *)AT(m->vectors, oid_nr(r->obj)) = r->arg[1];
		memory_add(m, GAUGE_VECTOR_BYTES, r, r->arg[1]);
		break;
	default:
		break;
	}
}

static void cache_new(struct metrics *m, const struct trace_record *r)
{
	struct cache_state *cache = AT(m->caches, oid_nr(r->obj));

	cache->alive = true;
	cache->child = r->arg[0] != 0;
	cache->size = (uint32_t)r->arg[2];
	gauge_add(m, GAUGE_CACHES, r, 1);
	if (cache->child)
		gauge_add(m, GAUGE_CHILD_CACHES, r, 1);
}

static void cache_free(struct metrics *m, const struct trace_record *r)
{
	struct cache_state *cache = AT(m->caches, oid_nr(r->obj));

	if (!cache->alive)
		return;
	cache->alive = false;
	gauge_add(m, GAUGE_CACHES, r, -1);
	if (cache->child)
		gauge_add(m, GAUGE_CHILD_CACHES, r, -1);
}

static void object_free(struct metrics *m, const struct trace_record *r)
{
	struct memcg_state *memcg;
	int64_t *bytes;

	switch (oid_kind(r->obj)) {
	case OBJ_MEMCG:
		memcg = AT(m->memcgs, oid_nr(r->obj));
		gauge_add(m, GAUGE_CGROUPS, r, -(int64_t)memcg->alive);
		gauge_add(m, GAUGE_DYING, r, -(int64_t)memcg->dying);
		memcg->alive = memcg->dying = false;
		break;
	case OBJ_CACHE:
		cache_free(m, r);
		break;
	case OBJ_VECTOR:
		bytes = AT(m->vectors, oid_nr(r->obj));
		memory_add(m, GAUGE_VECTOR_BYTES, r, -*bytes);
		*bytes = 0;
		break;
	default:
		break;
	}
}

static void slab_record(struct metrics *m, const struct trace_record *r)
{
	int64_t *bytes = AT(m->slabs, oid_nr(r->obj));
	bool is_new = r->kind == TR_SLAB_ALLOC;

	if (is_new)
		*bytes = r->arg[1] * PAGE_BYTES;
	if (*bytes == 0)
		return;
	gauge_add(m, GAUGE_SLABS, r, is_new ? 1 : -1);
	memory_add(m, GAUGE_SLAB_BYTES, r, is_new ? *bytes : -*bytes);
	if (!is_new)
		*bytes = 0;
}

/* An allocation that failed has no object. */
static void slab_object_record(struct metrics *m, const struct trace_record *r)
{
	const struct cache_state *cache = AT(m->caches, oid_nr((oid_t)r->arg[0]));
	int by = r->kind == TR_OBJECT_ALLOC ? 1 : -1;

	if (!r->obj)
		return;
	gauge_add(m, GAUGE_OBJECTS, r, by);
	gauge_add(m, GAUGE_OBJECT_BYTES, r, by * (int64_t)cache->size);
}

static void gauge_record(struct metrics *m, const struct trace_record *r)
{
	switch (r->kind) {
	case TR_OBJ_NEW:
		object_new(m, r);
		break;
	case TR_OBJ_FREE:
		object_free(m, r);
		break;
	case TR_REF_KILL:
	case TR_CSS_OFFLINE:
		if (oid_kind(r->obj) == OBJ_MEMCG)
			memcg_dies(m, r);
		break;
	case TR_CACHE_CREATE:
		cache_new(m, r);
		break;
	case TR_SLAB_ALLOC:
	case TR_SLAB_DISCARD:
		slab_record(m, r);
		break;
	case TR_OBJECT_ALLOC:
	case TR_OBJECT_FREE:
		slab_object_record(m, r);
		break;
	case TR_CALL_RCU:
		gauge_add(m, GAUGE_CALLBACKS, r, 1);
		break;
	case TR_RCU_CALLBACK:
		gauge_add(m, GAUGE_CALLBACKS, r, -1);
		break;
	case TR_QUEUE_WORK:
		gauge_add(m, GAUGE_WORKS, r, r->arg[2] ? 1 : 0);
		break;
	case TR_WORK_START:
		gauge_add(m, GAUGE_WORKS, r, -1);
		break;
	case TR_WORK_CANCEL:
		gauge_add(m, GAUGE_WORKS, r, r->arg[0] ? -1 : 0);
		break;
	case TR_TASK_START:
	case TR_TASK_EXIT:
		if (r->ctx == CTX_KWORKER)
			gauge_add(m, GAUGE_KWORKERS, r, r->kind == TR_TASK_START ? 1 : -1);
		break;
	default:
		break;
	}
}

/* ---- the sink --------------------------------------------------------------- */

static void count_record(struct metrics *m, const struct trace_record *r)
{
	for (uint64_t bits = m->watching[r->kind]; bits; bits &= bits - 1) {
		struct tally *tally = &m->tallies[__builtin_ctzll(bits)];
		const struct measure *measure = tally->measure;

		if (measure->source == MEASURE_MEASURED && g_strcmp0(measure->what, r->str) == 0) {
			tally->known = true;
			if (is_inside(tally))
				add(tally, (double)r->arg[0]);
		} else if (measure->source != MEASURE_MEASURED && is_inside(tally) &&
			   (!measure->text || g_strcmp0(measure->text, r->str) == 0)) {
			add(tally, (double)(r->t - m->start));
		}
	}
}

static void on_record(struct run_sink *sink, const struct trace_record *r)
{
	struct metrics *m = (struct metrics *)sink;

	if (m->started)
		fill_until(m, r->t);
	switch (r->kind) {
	case TR_LOCK_INIT:
	case TR_LOCK_WAIT:
	case TR_LOCK_ACQUIRE:
	case TR_LOCK_RELEASE:
		lock_record(m, r);
		break;
	case TR_OP_BEGIN:
	case TR_OP_END:
		op_record(m, r);
		break;
	default:
		gauge_record(m, r);
		break;
	}
	if (m->started && m->watching[r->kind])
		count_record(m, r);
}

static void watch(struct metrics *m, guint i, const struct measure *measure)
{
	struct tally *tally = &m->tallies[i];

	tally->measure = measure;
	tally->known = measure->source != MEASURE_HOLD && measure->source != MEASURE_WAIT &&
		       measure->source != MEASURE_MEASURED;
	if (measure->source == MEASURE_COUNT || measure->source == MEASURE_AT)
		m->watching[measure->kind] |= UINT64_C(1) << i;
	else if (measure->source == MEASURE_MEASURED)
		m->watching[TR_MEASURE] |= UINT64_C(1) << i;
}

static GArray *by_number(size_t size)
{
	return g_array_new(FALSE, TRUE, (guint)size);
}

guint metrics_points(const struct study_plan *s)
{
	return s->axis == AXIS_TIME ? s->x->len : 1;
}

struct metrics *metrics_new(const struct study_plan *s)
{
	struct metrics *m = g_new0(struct metrics, 1);

	m->sink.record = on_record;
	m->study = s;
	m->nr_points = metrics_points(s);
	m->nr_tallies = 2 * s->metrics->len;
	g_assert(m->nr_tallies <= TALLIES_MAX);
	m->tallies = g_new0(struct tally, m->nr_tallies);
	m->values = g_new0(double, m->nr_points * s->metrics->len);
	m->memcgs = by_number(sizeof(struct memcg_state));
	m->caches = by_number(sizeof(struct cache_state));
	m->slabs = by_number(sizeof(int64_t));
	m->vectors = by_number(sizeof(int64_t));
	m->locks = by_number(sizeof(struct lock_state));
	m->tasks = by_number(sizeof(struct task_state));
	m->ops = g_string_chunk_new(256);
	for (guint i = 0; i < s->metrics->len; i++) {
		const struct study_metric *metric = study_metric(s, i);

		watch(m, 2 * i, &metric->measure);
		if (metric->per)
			watch(m, 2 * i + 1, metric->per);
	}
	return m;
}

void metrics_free(struct metrics *m)
{
	g_array_unref(m->memcgs);
	g_array_unref(m->caches);
	g_array_unref(m->slabs);
	g_array_unref(m->vectors);
	g_array_unref(m->locks);
	g_array_unref(m->tasks);
	g_string_chunk_free(m->ops);
	g_free(m->tallies);
	g_free(m->values);
	g_free(m);
}

struct run_sink *metrics_sink(struct metrics *m)
{
	return &m->sink;
}

void metrics_start(struct metrics *m, vtime_t t)
{
	m->started = true;
	m->start = t;
	m->next = m->study->axis == AXIS_TIME ? t : UINT64_MAX;
	for (int i = 0; i < NR_GAUGES; i++) {
		m->gauges[i].max = m->gauges[i].now;
		m->gauges[i].area = 0;
		m->gauges[i].since = t;
	}
}

void metrics_end(struct metrics *m, vtime_t t)
{
	/* Without an axis of time there is one point: the end.  After it nothing changes. */
	if (m->study->axis != AXIS_TIME)
		m->next = t;
	while (m->filled < m->nr_points)
		fill_point(m, m->next);
}

double metrics_value(const struct metrics *m, guint metric, guint point)
{
	return m->values[point * m->study->metrics->len + metric];
}

bool metrics_known(const struct metrics *m, guint metric)
{
	const struct tally *tally = tally_of(m, metric);

	return tally->known && (!tally[1].measure || tally[1].known);
}
