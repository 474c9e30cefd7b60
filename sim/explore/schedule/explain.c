// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/schedule/explain.h"

#include <string.h>

#include "sim/base/rng.h"
#include "sim/explore/livelock.h"

#define COMPLETIONS_DEFAULT 200
#define ROWS_DEFAULT 20
#define STEPS_MAX 20000
/* A completion of so many steps, and of so many times that, may be one that never ends. */
#define LONG_STEPS 1024
#define LONG_FACTOR 4
#define SNAPSHOTS_BYTES_MAX ((size_t)512 << 20)
/* A difference between two rows may be noise as long as its square is below this / n. */
#define NOISE_SQUARED 20000
/* Nearest passing ordering: how many steps to look back, and how many runs to try. */
#define LOOK_BACK 64
#define DETOURS_MAX 512
#define NAME_BYTES 128

/* The world after some steps of the schedule. */
struct point {
	uint32_t steps;
	void *world;
	GPtrArray *enabled; /* names of those that can come next */
	char *taken;	    /* who does; NULL after the last step */
};

struct explainer {
	struct subject *s;
	const struct schedule *sched;
	const struct explain_options *opt;
	struct explain_result *result;
	struct exec *x;
	struct rng rng;
	GPtrArray *points; /* struct point, by steps */
	GPtrArray *names;  /* who took each step; interned strings */
	GStringChunk *strings;
	uint32_t stride; /* steps between two points */
	gint64 start;
};

static bool is_interrupted(const struct explainer *e)
{
	return e->opt->interrupted && *e->opt->interrupted;
}

/* ---- the schedule, once ------------------------------------------------------------- */

static void point_free(gpointer data)
{
	struct point *p = data;

	g_aligned_free(p->world);
	g_ptr_array_unref(p->enabled);
	g_free(p->taken);
	g_free(p);
}

/* "softirq#2" is called so only among others; here the name has to do. */
static const char *plain_name(struct explainer *e, const char *process)
{
	const char *mark = strrchr(process, '#');

	if (!mark || strspn(mark + 1, "0123456789") != strlen(mark + 1))
		return g_string_chunk_insert_const(e->strings, process);
	{
		g_autofree char *plain = g_strndup(process, (gsize)(mark - process));

		return g_string_chunk_insert_const(e->strings, plain);
	}
}

static void list_enabled(struct explainer *e, GPtrArray *list)
{
	char name[NAME_BYTES];

	exec_look(e->x);
	for (uint32_t i = 0; i < e->x->nr_enabled; i++) {
		process_name(e->x->enabled[i].tr, name, sizeof(name));
		g_ptr_array_add(list, g_strdup(name));
	}
}

static void add_point(struct explainer *e, uint32_t steps)
{
	struct point *p = g_new0(struct point, 1);

	p->steps = steps;
	p->world = g_aligned_alloc(1, e->s->save_size(e->s), 64);
	e->s->save(e->s, p->world);
	p->enabled = g_ptr_array_new_with_free_func(g_free);
	list_enabled(e, p->enabled);
	g_ptr_array_add(e->points, p);
}

static bool on_step(void *arg, uint32_t run)
{
	struct explainer *e = arg;
	const struct schedule_run *r = &g_array_index(e->sched->runs, struct schedule_run,
						      MIN(run, e->sched->runs->len - 1));

	g_ptr_array_add(e->names, (gpointer)plain_name(e, r->process));
	if (e->names->len % e->stride == 0 && !exec_violated(e->x))
		add_point(e, e->names->len);
	return !is_interrupted(e);
}

static bool walk_schedule(struct explainer *e, GError **error)
{
	struct follow_options opt = {.stepped = on_step, .arg = e};
	struct follow_result followed;
	size_t room;

	exec_restart(e->x);
	room = SNAPSHOTS_BYTES_MAX / MAX(e->s->save_size(e->s), 1);
	e->stride = (uint32_t)(e->sched->nr_steps / MAX(room, 1) + 1);
	add_point(e, 0);
	schedule_follow(e->s, e->sched, &opt, &followed, error);
	if (followed.end == FOLLOW_ERROR || followed.end == FOLLOW_ASKED)
		return followed.end == FOLLOW_ASKED;
	if (followed.end != FOLLOW_VIOLATED || !schedule_leads_to(e->sched, &followed.violation)) {
		g_set_error(error, SCHEDULE_ERROR, SCHEDULE_ERROR_LOST,
			    "the schedule does not lead to the failure that it names");
		return false;
	}
	for (guint i = 0; i < e->points->len; i++) {
		struct point *p = g_ptr_array_index(e->points, i);

		if (p->steps < e->names->len)
			p->taken = g_strdup(g_ptr_array_index(e->names, p->steps));
	}
	return true;
}

/* ---- completions ------------------------------------------------------------------- */

static uint32_t draw_inner(struct exec *x, enum choice_kind kind, uint32_t n)
{
	struct explainer *e = x->strategy;

	if (kind == CHOOSE_FAULT)
		return rng_below(&e->rng, 4) == 0;
	return (uint32_t)rng_below(&e->rng, n);
}

static uint32_t first_inner(struct exec *x, enum choice_kind kind, uint32_t n)
{
	(void)x;
	(void)kind;
	(void)n;
	return 0;
}

/* Back to @p, with our own answers instead of those of who was there first. */
static void go_back(struct explainer *e, const struct point *p)
{
	e->s->restore(e->s, p->world);
	e->s->w->chooser = &e->x->chooser;
	e->s->w->log = &e->x->log;
	exec_rewind_to(e->x, 0, 0);
}

enum outcome { FAILED_ALIKE, PASSED, CUT };

/* The run is over, or a checker spoke. */
static enum outcome judge(struct explainer *e, bool over)
{
	if (over && !exec_violated(e->x))
		e->s->finish(e->s);
	if (!exec_violated(e->x))
		return PASSED;
	return schedule_leads_to(e->sched, exec_violation(e->x)) ? FAILED_ALIKE : PASSED;
}

/* One step of a completion; false when that has to end there without a result. */
static bool complete_step(struct explainer *e, uint32_t i)
{
	return exec_step(e->x, i) && e->x->nr_steps < STEPS_MAX && !is_interrupted(e);
}

static enum outcome complete_at_random(struct explainer *e)
{
	struct exec *x = e->x;
	uint32_t look_at = LONG_STEPS;

	while (exec_look(x)) {
		if (x->nr_steps == look_at) {
			look_at *= LONG_FACTOR;
			if (livelock_end(x))
				return judge(e, false);
			exec_look(x);
		}
		if (!complete_step(e, (uint32_t)rng_below(&e->rng, x->nr_enabled))) {
			GError *ignored = e->s->take_error(e->s);

			g_clear_error(&ignored);
			return CUT;
		}
		if (exec_violated(x))
			return judge(e, false);
	}
	return judge(e, true);
}

/* What becomes of the run from point @i on. */
static void add_row(struct explainer *e, guint i)
{
	const struct point *p = g_ptr_array_index(e->points, i);
	uint32_t n = e->opt->nr_completions ? e->opt->nr_completions : COMPLETIONS_DEFAULT;
	struct explain_row row = {.steps = p->steps};
	g_autofree char *stream = g_strdup_printf("explain.%u", p->steps);
	guint at = 0;

	rng_seed(&e->rng, e->opt->seed, stream);
	e->x->inner = draw_inner;
	for (; row.nr < n && !is_interrupted(e); row.nr++) {
		enum outcome outcome;

		go_back(e, p);
		outcome = complete_at_random(e);
		if (is_interrupted(e))
			break;
		row.failed += outcome == FAILED_ALIKE;
		row.cut += outcome == CUT;
		e->result->nr_completions++;
		if (e->opt->progress)
			e->opt->progress(e->opt->arg, e->result->nr_completions);
	}
	while (at < e->result->rows->len &&
	       g_array_index(e->result->rows, struct explain_row, at).steps < row.steps)
		at++;
	g_array_insert_val(e->result->rows, at, row);
}

/* ---- which prefixes ------------------------------------------------------------------- */

static const struct explain_row *row_at(const struct explainer *e, guint i)
{
	return &g_array_index(e->result->rows, struct explain_row, i);
}

static int share(const struct explain_row *row)
{
	return row->nr ? (int)(100 * (uint64_t)row->failed / row->nr) : 100;
}

/* The points that lie strictly between two rows: [*from, *to). */
static guint points_between(const struct explainer *e, guint row, guint *from)
{
	guint n = 0;

	*from = 0;
	for (guint i = 0; i < e->points->len; i++) {
		const struct point *p = g_ptr_array_index(e->points, i);

		if (p->steps <= row_at(e, row)->steps)
			*from = i + 1;
		else if (p->steps < row_at(e, row + 1)->steps)
			n++;
	}
	return n;
}

/* About two standard errors of the difference between two shares near one half. */
static bool is_noise(const struct explainer *e, guint row, int jump)
{
	uint32_t n = MIN(row_at(e, row)->nr, MAX(row_at(e, row + 1)->nr, 1));

	/* The last row is certain. */
	if (row_at(e, row + 1)->nr == 0)
		n = row_at(e, row)->nr;
	return (uint64_t)(jump * jump) * n < NOISE_SQUARED;
}

/* Halves the gap over which the share changes most; false when no gap is left to halve. */
static bool refine(struct explainer *e)
{
	guint best_from = 0, best_n = 0;
	int best = 0;

	for (guint i = 0; i + 1 < e->result->rows->len; i++) {
		guint from, n = points_between(e, i, &from);
		int jump = ABS(share(row_at(e, i + 1)) - share(row_at(e, i)));

		if (n > 0 && jump > best && !is_noise(e, i, jump)) {
			best = jump;
			best_from = from;
			best_n = n;
		}
	}
	if (best_n == 0)
		return false;
	add_row(e, best_from + best_n / 2);
	return true;
}

static void add_rows(struct explainer *e)
{
	uint32_t max = e->opt->nr_rows ? MIN(e->opt->nr_rows, EXPLAIN_ROWS_MAX) : ROWS_DEFAULT;
	struct explain_row last = {.steps = e->names->len};

	g_array_append_val(e->result->rows, last);
	add_row(e, 0);
	while (e->result->rows->len < MAX(max, 2) && !is_interrupted(e) && refine(e))
		;
}

/* ---- what they tell --------------------------------------------------------------------- */

static const struct point *point_of(const struct explainer *e, uint32_t steps)
{
	for (guint i = 0; i < e->points->len; i++) {
		const struct point *p = g_ptr_array_index(e->points, i);

		if (p->steps == steps)
			return p;
	}
	return NULL;
}

static void find_no_return(struct explainer *e)
{
	guint i = e->result->rows->len;

	while (i > 0 && row_at(e, i - 1)->failed == row_at(e, i - 1)->nr)
		i--;
	e->result->no_return = row_at(e, MIN(i, e->result->rows->len - 1))->steps;
}

/* What the schedule takes inside step @nr, from 1, besides who steps. */
static void find_inner(struct explainer *e, uint32_t nr)
{
	uint32_t at = 0;

	for (guint i = 0; i < e->sched->runs->len; i++) {
		const struct schedule_run *run =
			&g_array_index(e->sched->runs, struct schedule_run, i);

		at += run->nr_steps;
		for (uint32_t k = 0; at == nr && k < run->nr_picks; k++) {
			const struct schedule_pick *p = &g_array_index(
				e->sched->picks, struct schedule_pick, run->picks_at + k);

			e->result->chose |= p->pick > 0;
			if (p->pick > 0)
				e->result->chose_what = (enum choice_kind)p->kind;
		}
	}
}

static void find_decisive(struct explainer *e)
{
	struct explain_result *r = e->result;
	const struct point *p = NULL;
	GPtrArray *instead;
	int best = 0;

	for (guint i = 0; i + 1 < r->rows->len; i++) {
		int jump = share(row_at(e, i + 1)) - share(row_at(e, i));

		if (jump <= best || !point_of(e, row_at(e, i)->steps))
			continue;
		best = jump;
		p = point_of(e, row_at(e, i)->steps);
	}
	if (!p)
		return;
	r->decisive = p->steps + 1;
	r->taken = g_strdup(p->taken);
	find_inner(e, r->decisive);
	instead = g_ptr_array_new();
	for (guint i = 0; i < p->enabled->len; i++) {
		if (g_strcmp0(g_ptr_array_index(p->enabled, i), p->taken) != 0)
			g_ptr_array_add(instead, g_strdup(g_ptr_array_index(p->enabled, i)));
	}
	g_ptr_array_add(instead, NULL);
	r->instead = (char **)g_ptr_array_free(instead, FALSE);
}

static int find_enabled(const struct explainer *e, const char *name)
{
	char other[NAME_BYTES];

	for (uint32_t i = 0; i < e->x->nr_enabled; i++) {
		process_name(e->x->enabled[i].tr, other, sizeof(other));
		if (strcmp(other, name) == 0)
			return (int)i;
	}
	return -1;
}

/* As the schedule goes on from @steps, after somebody else went first; then without switches. */
static enum outcome complete_alike(struct explainer *e, uint32_t steps)
{
	struct exec *x = e->x;
	uint64_t last = 0;

	while (exec_look(x)) {
		int i = -1;

		while (i < 0 && steps < e->names->len)
			i = find_enabled(e, g_ptr_array_index(e->names, steps++));
		if (i < 0 && last)
			i = exec_find(x, last);
		i = MAX(i, 0);
		last = x->enabled[i].key;
		if (!complete_step(e, (uint32_t)i))
			return CUT;
		if (exec_violated(x))
			return judge(e, false);
	}
	return judge(e, true);
}

/* Lets each of the others go first at @p; true if one of them makes it pass. */
static bool try_detours(struct explainer *e, const struct point *p, uint32_t *tries)
{
	for (guint i = 0; i < p->enabled->len; i++) {
		const char *other = g_ptr_array_index(p->enabled, i);
		int at;

		if (g_strcmp0(other, p->taken) == 0)
			continue;
		go_back(e, p);
		exec_look(e->x);
		at = find_enabled(e, other);
		(*tries)++;
		if (at < 0 || !exec_step(e->x, (uint32_t)at) || exec_violated(e->x) ||
		    complete_alike(e, p->steps) != PASSED || exec_violated(e->x))
			continue;
		e->result->passing = p->steps + 1;
		e->result->passing_taken = g_strdup(p->taken);
		e->result->passing_instead = g_strdup(other);
		return true;
	}
	return false;
}

static void find_passing(struct explainer *e)
{
	uint32_t tries = 0;

	e->x->inner = first_inner;
	for (guint i = e->points->len; i > 0 && tries < DETOURS_MAX && !is_interrupted(e); i--) {
		const struct point *p = g_ptr_array_index(e->points, i - 1);

		if (p->steps + LOOK_BACK < e->result->no_return)
			return;
		if (p->steps < e->result->no_return && try_detours(e, p, &tries))
			return;
	}
}

/* ---- the whole ----------------------------------------------------------------------------- */

bool explain(struct subject *s, const struct schedule *sched, const struct explain_options *opt,
	     struct explain_result *result, GError **error)
{
	struct explainer e = {
		.s = s,
		.sched = sched,
		.opt = opt,
		.result = result,
		.x = exec_new(s),
		.points = g_ptr_array_new_with_free_func(point_free),
		.names = g_ptr_array_new(),
		.strings = g_string_chunk_new(1024),
		.start = g_get_monotonic_time(),
	};
	bool ok;

	memset(result, 0, sizeof(*result));
	result->rows = g_array_new(FALSE, FALSE, sizeof(struct explain_row));
	e.x->inner = draw_inner;
	e.x->strategy = &e;
	ok = walk_schedule(&e, error);
	if (ok && !is_interrupted(&e)) {
		add_rows(&e);
		find_no_return(&e);
		find_decisive(&e);
		find_passing(&e);
	}
	result->interrupted = is_interrupted(&e);
	result->seconds = (double)(g_get_monotonic_time() - e.start) / 1e6;
	g_ptr_array_unref(e.points);
	g_ptr_array_unref(e.names);
	g_string_chunk_free(e.strings);
	exec_free(e.x);
	return ok;
}

void explain_result_clear(struct explain_result *result)
{
	g_clear_pointer(&result->rows, g_array_unref);
	g_clear_pointer(&result->taken, g_free);
	g_clear_pointer(&result->instead, g_strfreev);
	g_clear_pointer(&result->passing_taken, g_free);
	g_clear_pointer(&result->passing_instead, g_free);
}
