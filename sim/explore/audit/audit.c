// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/audit/audit.h"

#include <string.h>

#include "sim/base/hash.h"
#include "sim/check/ledger.h"
#include "sim/explore/audit/audit_graph.h"
#include "sim/explore/steps/memo.h"
#include "sim/mm/mm.h"

#define LOOK_EVERY 64
/* Drawn: after some of them most of what there is to know is known. */
#define NR_DRAWN 1000

const char *const audit_engine_names[NR_AUDIT_ENGINES] = {
	[AUDIT_FULL] = "full",
	[AUDIT_HISTORY] = "by history",
	[AUDIT_DPOR] = "dpor",
	[AUDIT_DPOR_KNOWN] = "dpor, known",
	[AUDIT_EXHAUSTIVE] = "exhaustive",
	[AUDIT_RECALLED] = "recalled",
	[AUDIT_EXCHANGED] = "exchanged",
	[AUDIT_BOUNDED] = "bounded",
	[AUDIT_DRAWN] = "drawn",
};

/* A violation of some run. */
struct seen_violation {
	struct violation v;
	uint32_t preemptions; /* the fewest with which it was met */
};

/* One engine at work, and what it has met. */
struct recorder {
	struct search_audit hooks; /* first: cast back */
	enum audit_engine engine;
	const struct audit_options *opt;
	struct driver d;
	struct explore_options explore;
	struct explore_result result;
	struct audit_row *row;
	uint64_t root_ids[NR_OBJECT_KINDS];
	GHashTable *classes, *traces, *ends; /* uint64_t; for look-up only */
	GArray *violations;		     /* struct seen_violation */
	struct graph *graph;		     /* NULL: it keeps none */
	uint32_t preemptions;		     /* of the path, at the last step */
};

struct audit {
	struct subject *s;
	const struct audit_options *opt;
	struct audit_result *result;
	struct recorder recorders[NR_AUDIT_ENGINES];
	gint64 deadline; /* monotonic us, 0 for none */
};

/* ---- what is left in the end ------------------------------------------------------------- */

struct values {
	struct subject *s;
	const uint64_t *root_ids;
	uint64_t sum, own[COPIES_MAX + 1]; /* of what belongs to no copy, and to each of them */
};

static bool made_on_the_way(const struct values *v, oid_t obj)
{
	return oid_nr(obj) > v->root_ids[oid_kind(obj)];
}

/*
 * What was made on the way is called after the order of steps that need not matter, be it a
 * kworker that holds a lock.  Copies go by their roles: which is which is no matter.
 */
static uint64_t nameless(const struct values *v, oid_t obj, uint64_t value)
{
	struct subject *s = v->s;
	oid_t holder = oid_kind(obj) == OBJ_LOCK && s->holder ? s->holder(s, obj) : 0;
	struct copy copy = {0};

	if (holder && made_on_the_way(v, holder))
		return UINT64_MAX;
	if (holder && s->nr_copies)
		copy = s->copy_of(s, holder);
	return copy.nr ? hash_mix(hash_mix(0, copy.role), 1) : value;
}

static void add_value(void *arg, oid_t obj, uint32_t field, uint64_t value)
{
	struct values *v = arg;
	struct copy c = {0};

	if (made_on_the_way(v, obj))
		return;
	if (v->s->nr_copies)
		c = v->s->copy_of(v->s, obj);
	value = nameless(v, obj, value);
	if (c.nr)
		v->own[c.nr] += hash_mix(hash_mix(hash_mix(1, c.role), field), value);
	else
		v->sum += hash_mix(hash_mix(hash_mix(0, obj), field), value);
}

static uint64_t digest_memcg(const struct mem_cgroup *memcg)
{
	uint64_t sum = hash_mix(
		hash_mix(fnv_string(memcg->css.cgroup->name), (uint64_t)memcg->memory.usage),
		(uint64_t)memcg->kmem.usage * 4 + memcg->kmem_state);

	list_for_each(node, &memcg->children) {
		sum += digest_memcg(container_of(node, struct mem_cgroup, sibling));
	}
	return sum;
}

static uint64_t digest_caches(const struct mm *mm)
{
	uint64_t sum = 0;

	list_for_each(node, &mm->slab_caches) {
		struct kmem_cache *s = container_of(node, struct kmem_cache, list);
		uint64_t h = fnv_string(memcg_root_cache(s)->name);

		sum += hash_mix(hash_mix(hash_mix(h, is_root_cache(s)), s->nr_live),
				(uint64_t)s->refcount);
	}
	return sum;
}

/* All that can be seen of a state without naming what has no name of its own. */
static uint64_t end_digest(struct subject *s, const uint64_t *root_ids)
{
	struct values v = {.s = s, .root_ids = root_ids};
	const struct mm *mm = mm_of(s->w);
	uint64_t h = 0;

	if (s->each_value)
		s->each_value(s, &v, add_value);
	for (uint32_t c = 1; c <= s->nr_copies; c++)
		v.sum += hash_mix(2, v.own[c]);
	for (int kind = 0; kind < NR_OBJECT_KINDS; kind++)
		h = hash_mix(h, s->w->next_id[kind]);
	if (mm && mm->root_memcg)
		h = hash_mix(hash_mix(h, digest_memcg(mm->root_memcg)), digest_caches(mm));
	return hash_mix(h, v.sum);
}

/* Does it go over known steps? */
static bool recalls(enum audit_engine engine)
{
	return engine == AUDIT_DPOR_KNOWN || engine == AUDIT_RECALLED ||
	       engine == AUDIT_EXCHANGED || engine == AUDIT_DRAWN;
}

static bool is_dpor(enum audit_engine engine)
{
	return engine == AUDIT_DPOR || engine == AUDIT_DPOR_KNOWN;
}

/* ---- recording --------------------------------------------------------------------------- */

static struct recorder *recorder_of(struct search_audit *hooks)
{
	return container_of(hooks, struct recorder, hooks);
}

static bool add_number(GHashTable *set, uint64_t x)
{
	return g_hash_table_add(set, g_memdup2(&x, sizeof(x)));
}

static struct seen_violation *find_violation(const struct recorder *r, const struct violation *v)
{
	for (guint i = 0; i < r->violations->len; i++) {
		struct seen_violation *seen =
			&g_array_index(r->violations, struct seen_violation, i);

		if (same_finding(&seen->v, v))
			return seen;
	}
	return NULL;
}

/* Those that this run has had before are found again, and change nothing. */
static void note_violations(struct recorder *r)
{
	const struct exec *x = r->d.x;
	const struct checkset *checks = x->s->checks;

	for (uint32_t i = x->nr_before; i < checks->nr_violations && i < VIOLATION_MAX; i++) {
		struct seen_violation fresh = {checks->violations[i], r->preemptions};
		struct seen_violation *seen = find_violation(r, &fresh.v);

		if (!seen)
			g_array_append_val(r->violations, fresh);
		else if (r->preemptions < seen->preemptions)
			seen->preemptions = r->preemptions;
	}
}

static void on_visit(struct search_audit *hooks, uint64_t state, bool again)
{
	struct recorder *r = recorder_of(hooks);

	if (r->graph)
		graph_visit(r->graph, state, again);
}

static void on_leave(struct search_audit *hooks)
{
	struct recorder *r = recorder_of(hooks);

	if (r->graph)
		graph_leave(r->graph);
}

static void on_step(struct search_audit *hooks, const struct search_step *step)
{
	struct recorder *r = recorder_of(hooks);

	r->preemptions = step->preemptions;
	note_violations(r);
	if (r->graph)
		graph_step(r->graph, step);
	if (r->opt->max_steps && r->result.stats.nr_steps >= r->opt->max_steps)
		driver_stop(&r->d, END_RUNS);
	/* A run may be long, and the search looks between two of them. */
	if (r->result.stats.nr_steps % LOOK_EVERY == 0)
		(void)driver_look(&r->d);
}

static void on_end(struct search_audit *hooks, uint64_t fingerprint, uint64_t trace,
		   uint32_t preemptions)
{
	struct recorder *r = recorder_of(hooks);

	r->preemptions = preemptions;
	note_violations(r);
	(void)add_number(r->classes, fingerprint);
	if (!add_number(r->traces, trace))
		r->row->nr_redundant++;
	(void)add_number(r->ends, end_digest(r->d.x->s, r->root_ids));
}

/* ---- differences ------------------------------------------------------------------------ */

static void G_GNUC_PRINTF(3, 4) differs(struct audit *a, struct recorder *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	g_ptr_array_add(a->result->problems, g_strdup_vprintf(fmt, args));
	va_end(args);
	a->result->nr_problems++;
	r->row->nr_differs++;
}

/* ---- the engines ------------------------------------------------------------------------- */

static void show_progress(void *arg, const struct explore_stats *stats)
{
	const struct recorder *r = arg;

	if (r->opt->progress)
		r->opt->progress(r->opt->progress_arg, r->engine, stats);
}

/* What is left of the time is shared among those that are still to come. */
static gint64 deadline_of(const struct audit *a, enum audit_engine engine)
{
	gint64 now = g_get_monotonic_time(), left = a->deadline - now;

	if (!a->deadline)
		return 0;
	return now + (left > 0 ? left / (NR_AUDIT_ENGINES - (gint64)engine) : 0);
}

static void recorder_init(struct recorder *r, struct audit *a, enum audit_engine engine)
{
	bool by_history = engine <= AUDIT_DPOR_KNOWN;

	r->engine = engine;
	r->opt = a->opt;
	r->row->by_history = by_history;
	r->explore.interrupted = a->opt->interrupted;
	r->explore.progress = show_progress;
	r->explore.progress_arg = r;
	r->explore.keep_going = true;
	r->classes = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	r->traces = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	r->ends = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	r->violations = g_array_new(FALSE, FALSE, sizeof(struct seen_violation));
	if (engine == AUDIT_HISTORY || engine == AUDIT_EXHAUSTIVE)
		r->graph = graph_new(by_history);
	r->hooks = (struct search_audit){
		.full = engine == AUDIT_FULL,
		.by_history = by_history,
		.again = r->graph != NULL,
		.defect = a->opt->defect,
		.blind_to = a->opt->blind_to,
		.visit = on_visit,
		.leave = on_leave,
		.step = on_step,
		.end = on_end,
	};
	r->d = (struct driver){
		.opt = &r->explore,
		.result = &r->result,
		.x = exec_new(a->s),
		.start = g_get_monotonic_time(),
		.deadline = deadline_of(a, engine),
		.max_steps = a->opt->max_steps_of_run ? a->opt->max_steps_of_run
						      : MAX_STEPS_DEFAULT,
		.audit = &r->hooks,
		.memo = recalls(engine) ? memo_new() : NULL,
	};
	if (engine == AUDIT_EXCHANGED)
		r->d.memo->copies = a->s;
}

static void recorder_clear(struct recorder *r)
{
	if (!r->d.x)
		return;
	exec_free(r->d.x);
	memo_free(r->d.memo);
	g_hash_table_destroy(r->classes);
	g_hash_table_destroy(r->traces);
	g_hash_table_destroy(r->ends);
	g_array_unref(r->violations);
	graph_free(r->graph);
	g_clear_error(&r->result.error);
}

/* Until nothing is kept back any more: then it has tried every order. */
static void search_bounded(struct recorder *r)
{
	for (uint32_t bound = 0; !r->d.stopped; bound++) {
		r->row->bound = bound;
		r->result.bound_cut = false;
		/* Each bound meets all that the one before has met. */
		r->row->nr_redundant = 0;
		search(&r->d, STRATEGY_BOUNDED, bound);
		if (!r->result.bound_cut)
			return;
	}
}

/* ---- runs that are drawn ----------------------------------------------------------------- */

/* A number of runs, and all that they have found. */
struct drawn {
	struct driver d;
	struct explore_result result;
};

static void draw(struct drawn *drawn, const struct recorder *r, struct memo *memo)
{
	drawn->d = r->d;
	drawn->d.memo = memo;
	drawn->d.result = &drawn->result;
	drawn->d.max_runs = NR_DRAWN;
	drawn->d.rest = g_byte_array_new();
	drawn->result.findings = g_ptr_array_new_with_free_func(finding_free);
	sample(&drawn->d, STRATEGY_AUTO, r->opt->max_steps);
	g_byte_array_unref(drawn->d.rest);
}

static bool same_choices(const GArray *x, const GArray *y)
{
	return x->len == y->len &&
	       (x->len == 0 || memcmp(x->data, y->data, x->len * sizeof(struct choice)) == 0);
}

static bool same_findings(const GPtrArray *x, const GPtrArray *y)
{
	bool same = x->len == y->len;

	for (guint i = 0; same && i < x->len; i++) {
		const struct finding *f = g_ptr_array_index(x, i), *g = g_ptr_array_index(y, i);

		same = f->run == g->run && f->at_end == g->at_end &&
		       same_finding(&f->violation, &g->violation) &&
		       same_choices(f->choices, g->choices);
	}
	return same;
}

static void compare_count(struct audit *a, struct recorder *r, const char *what, uint64_t world,
			  uint64_t paper)
{
	if (world != paper)
		differs(a, r,
			"%s: %" G_GUINT64_FORMAT " %s on paper, %" G_GUINT64_FORMAT " in the world",
			audit_engine_names[r->engine], paper, what, world);
}

static void compare_drawn(struct audit *a, struct recorder *r, const struct explore_result *world,
			  const struct explore_result *paper)
{
	compare_count(a, r, "runs", world->stats.nr_runs, paper->stats.nr_runs);
	compare_count(a, r, "failing runs", world->stats.nr_failing, paper->stats.nr_failing);
	compare_count(a, r, "runs cut", world->stats.nr_cut, paper->stats.nr_cut);
	compare_count(a, r, "steps", world->stats.nr_steps, paper->stats.nr_steps);
	compare_count(a, r, "steps at most", world->stats.longest, paper->stats.longest);
	if (!same_findings(world->findings, paper->findings))
		differs(a, r, "%s: on paper other runs fail than in the world",
			audit_engine_names[r->engine]);
}

/* The same runs twice, which is all that they claim. */
static void run_drawn(struct audit *a, struct recorder *r)
{
	struct drawn world = {0}, paper = {0};

	r->hooks.keeps = true;
	draw(&world, r, NULL);
	draw(&paper, r, r->d.memo);
	r->result.stats = paper.result.stats;
	r->result.error = g_steal_pointer(&paper.result.error);
	r->result.end = paper.result.end;
	r->d.stopped = paper.d.stopped;
	r->row->repeated = !world.result.error && world.result.end != END_TIME &&
			   world.result.end != END_INTERRUPTED && paper.result.end != END_TIME &&
			   paper.result.end != END_INTERRUPTED;
	if (r->row->repeated && !r->result.error)
		compare_drawn(a, r, &world.result, &paper.result);
	r->row->nr_findings = paper.result.findings->len;
	explore_result_clear(&world.result);
	explore_result_clear(&paper.result);
}

/* ---- running ----------------------------------------------------------------------------- */

static void search_by(struct audit *a, struct recorder *r)
{
	switch (r->engine) {
	case AUDIT_BOUNDED:
		search_bounded(r);
		break;
	case AUDIT_DRAWN:
		run_drawn(a, r);
		break;
	case AUDIT_DPOR:
	case AUDIT_DPOR_KNOWN:
		search(&r->d, STRATEGY_DPOR, 0);
		break;
	default:
		search(&r->d, STRATEGY_EXHAUSTIVE, 0);
	}
}

static void run_engine(struct audit *a, enum audit_engine engine)
{
	struct recorder *r = &a->recorders[engine];

	r->row = &a->result->rows[engine];
	r->row->ran = engine != AUDIT_EXCHANGED || a->s->nr_copies > 0;
	if (!r->row->ran)
		return;
	recorder_init(r, a, engine);
	exec_restart(r->d.x);
	memcpy(r->root_ids, a->s->w->next_id, sizeof(r->root_ids));
	search_by(a, r);
	r->row->stats = r->result.stats;
	r->row->stats.seconds = (double)(g_get_monotonic_time() - r->d.start) / 1e6;
	r->row->complete = engine != AUDIT_DRAWN && !r->d.stopped && r->result.stats.nr_cut == 0;
	r->row->out_of_time = r->d.stopped && r->result.end == END_TIME;
	r->row->nr_classes = g_hash_table_size(r->classes);
	r->row->nr_traces = g_hash_table_size(r->traces);
	r->row->nr_ends = g_hash_table_size(r->ends);
	if (engine != AUDIT_DRAWN)
		r->row->nr_findings = r->violations->len;
	a->result->interrupted |= r->d.stopped && r->result.end == END_INTERRUPTED;
	if (!r->result.error)
		return;
	/* A script that fails has failed before. */
	if (recalls(engine))
		differs(a, r, "%s fails: %s", audit_engine_names[engine], r->result.error->message);
	else if (!a->result->error)
		a->result->error = g_steal_pointer(&r->result.error);
}

/* ---- comparing --------------------------------------------------------------------------- */

/*
 * An inversion of locks may hang on how a state was reached, which values do not tell:
 * docs/exploring.md says that such searches may pass over it.
 */
static bool is_excused(const struct recorder *r, const struct violation *v)
{
	return !r->row->by_history && strcmp(v->ops->name, "lock") == 0;
}

/* Findings of @x that @y, which claims to have them all, has not. */
static void missing_findings(struct audit *a, struct recorder *x, struct recorder *y,
			     struct recorder *blame, const char *verb)
{
	for (guint i = 0; i < x->violations->len; i++) {
		const struct seen_violation *seen =
			&g_array_index(x->violations, struct seen_violation, i);

		if (!find_violation(y, &seen->v) && !is_excused(y, &seen->v))
			differs(a, blame, "%s %s a finding of %s: %s: %s (%s)",
				audit_engine_names[blame->engine], verb,
				audit_engine_names[blame == x ? y->engine : x->engine],
				seen->v.ops->name, seen->v.text, oid_str(seen->v.obj).s);
	}
}

static uint32_t count_missing(GHashTable *x, GHashTable *y)
{
	GHashTableIter iter;
	gpointer key;
	uint32_t n = 0;

	/* In any order: they are only counted. */
	g_hash_table_iter_init(&iter, x);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		n += !g_hash_table_contains(y, key);
	return n;
}

static void compare_sets(struct audit *a, struct recorder *ref, struct recorder *r,
			 GHashTable *in_ref, GHashTable *in_r, const char *what)
{
	uint32_t missed = r->row->complete ? count_missing(in_ref, in_r) : 0;
	uint32_t invented = ref->row->complete ? count_missing(in_r, in_ref) : 0;
	const char *name = audit_engine_names[r->engine];

	if (missed > 0)
		differs(a, r, "%s misses %u of %u %s of %s", name, missed,
			g_hash_table_size(in_ref), what, audit_engine_names[ref->engine]);
	if (invented > 0)
		differs(a, r, "%s has %u %s that %s has not", name, invented, what,
			audit_engine_names[ref->engine]);
}

/* Both know how few preemptions each finding needs. */
static void compare_preemptions(struct audit *a, struct recorder *full, struct recorder *bounded)
{
	for (guint i = 0; i < full->violations->len; i++) {
		const struct seen_violation *x =
			&g_array_index(full->violations, struct seen_violation, i);
		const struct seen_violation *y = find_violation(bounded, &x->v);

		if (y && x->preemptions != y->preemptions)
			differs(a, bounded,
				"bounded needs %u preemptions where full needs %u: %s: %s",
				y->preemptions, x->preemptions, x->v.ops->name, x->v.text);
	}
}

static void compare(struct audit *a, struct recorder *ref, struct recorder *r)
{
	if (r->row->complete)
		missing_findings(a, ref, r, r, "misses");
	if (ref->row->complete)
		missing_findings(a, r, ref, r, "has what is no finding of");
	compare_sets(a, ref, r, ref->ends, r->ends, "end states");
	if (ref->row->by_history && r->row->by_history)
		compare_sets(a, ref, r, ref->classes, r->classes, "last states");
	/* Stopping at known states leaves out runs that only end alike. */
	if (ref->engine == AUDIT_FULL && is_dpor(r->engine))
		compare_sets(a, ref, r, ref->traces, r->traces, "classes of runs");
	if (ref->engine == AUDIT_FULL && r->engine == AUDIT_BOUNDED && ref->row->complete &&
	    r->row->complete)
		compare_preemptions(a, ref, r);
}

/* @r is the same search as @of in every other respect: it must have counted as many. */
static void compare_counts(struct audit *a, struct recorder *of, struct recorder *r, uint64_t nr_of,
			   uint64_t nr, const char *what)
{
	if (of->row->complete && r->row->complete && nr != nr_of)
		differs(a, r,
			"%s has %" G_GUINT64_FORMAT " %s, not %" G_GUINT64_FORMAT " as %s has",
			audit_engine_names[r->engine], nr, what, nr_of,
			audit_engine_names[of->engine]);
}

static void compare_recalled(struct audit *a)
{
	struct recorder *all = a->recorders, *dpor = &all[AUDIT_DPOR],
			*known = &all[AUDIT_DPOR_KNOWN];
	const struct explore_stats *x = &dpor->row->stats, *y = &known->row->stats;

	compare_counts(a, &all[AUDIT_EXHAUSTIVE], &all[AUDIT_RECALLED],
		       all[AUDIT_EXHAUSTIVE].row->stats.nr_states,
		       all[AUDIT_RECALLED].row->stats.nr_states, "states");
	compare_counts(a, dpor, known, x->nr_runs, y->nr_runs, "executions");
	compare_counts(a, dpor, known, x->nr_failing, y->nr_failing, "failing executions");
	compare_counts(a, dpor, known, x->nr_blocked, y->nr_blocked, "blocked executions");
	compare_counts(a, dpor, known, dpor->row->nr_classes, known->row->nr_classes,
		       "last states");
}

/* Against the most trusted one that came to its end; the others against that. */
static void compare_all(struct audit *a)
{
	struct audit_result *result = a->result;

	result->reference = -1;
	for (int i = 0; i < NR_AUDIT_ENGINES && result->reference < 0; i++) {
		if (result->rows[i].complete)
			result->reference = i;
	}
	for (int i = 0; result->reference >= 0 && i < AUDIT_DRAWN; i++) {
		if (i != result->reference && result->rows[i].ran)
			compare(a, &a->recorders[result->reference], &a->recorders[i]);
	}
}

static void check_steps(struct audit *a)
{
	for (int i = 0; i < NR_AUDIT_ENGINES; i++) {
		struct recorder *r = &a->recorders[i];
		uint32_t n;

		if (!r->graph)
			continue;
		/* By value, a step may be named by what others have done. */
		if (r->row->by_history)
			graph_commute(r->graph);
		n = graph_problems(r->graph, r->d.x, a->result->problems);
		r->row->nr_differs += n;
		a->result->nr_problems += n;
		a->result->nr_pairs += graph_nr_pairs(r->graph);
		a->result->nr_again += graph_nr_again(r->graph);
	}
}

/* ---- the whole --------------------------------------------------------------------------- */

void audit(struct subject *s, const struct audit_options *opt, struct audit_result *result)
{
	struct audit a = {.s = s, .opt = opt, .result = result};

	memset(result, 0, sizeof(*result));
	result->problems = g_ptr_array_new_with_free_func(g_free);
	result->reference = -1;
	if (opt->max_seconds > 0)
		a.deadline = g_get_monotonic_time() + (gint64)(opt->max_seconds * 1e6);
	for (int i = 0; i < NR_AUDIT_ENGINES && !result->error && !result->interrupted; i++)
		run_engine(&a, (enum audit_engine)i);
	if (!result->error && !result->interrupted) {
		compare_all(&a);
		compare_recalled(&a);
		check_steps(&a);
	}
	for (int i = 0; i < NR_AUDIT_ENGINES; i++)
		recorder_clear(&a.recorders[i]);
}

void audit_result_clear(struct audit_result *result)
{
	g_clear_pointer(&result->problems, g_ptr_array_unref);
	g_clear_error(&result->error);
}
