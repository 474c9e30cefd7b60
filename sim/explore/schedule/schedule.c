// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making a schedule out of a run, and a run out of a schedule.
 */

#include "sim/explore/schedule/schedule.h"

#include <string.h>

#include "sim/check/ledger.h"
#include "sim/explore/livelock.h"
#include "sim/explore/parallel/process.h"

/* clang-format off */
G_DEFINE_QUARK(slabsim-schedule-error-quark, schedule_error)
/* clang-format on */

/* ---- the structure ------------------------------------------------------------------------ */

static GPtrArray *list_new(void)
{
	GPtrArray *list = g_ptr_array_new();

	g_ptr_array_add(list, NULL);
	return list;
}

struct schedule *schedule_new(void)
{
	struct schedule *s = g_new0(struct schedule, 1);

	s->strings = g_string_chunk_new(1024);
	s->variants = list_new();
	s->sets = list_new();
	s->checks_off = list_new();
	s->skips = list_new();
	s->runs = g_array_new(FALSE, TRUE, sizeof(struct schedule_run));
	s->picks = g_array_new(FALSE, FALSE, sizeof(struct schedule_pick));
	return s;
}

void schedule_free(struct schedule *s)
{
	if (!s)
		return;
	g_ptr_array_unref(s->variants);
	g_ptr_array_unref(s->sets);
	g_ptr_array_unref(s->checks_off);
	g_ptr_array_unref(s->skips);
	g_array_unref(s->runs);
	g_array_unref(s->picks);
	g_string_chunk_free(s->strings);
	g_free(s);
}

const char *schedule_string(struct schedule *s, const char *text)
{
	return text ? g_string_chunk_insert_const(s->strings, text) : NULL;
}

void schedule_list_set(struct schedule *s, GPtrArray *list, const char *const *strings)
{
	g_ptr_array_set_size(list, 0);
	for (size_t i = 0; strings && strings[i]; i++)
		g_ptr_array_add(list, (gpointer)schedule_string(s, strings[i]));
	g_ptr_array_add(list, NULL);
}

static const struct schedule_run *run_at(const struct schedule *s, uint32_t i)
{
	return &g_array_index(s->runs, struct schedule_run, i);
}

bool schedule_leads_to(const struct schedule *sched, const struct violation *v)
{
	size_t n = sched->text ? strcspn(sched->text, ":") : 0;
	size_t kind = sched->object ? strcspn(sched->object, ":") : 0;

	return sched->checker && strcmp(sched->checker, v->ops->name) == 0 &&
	       strncmp(sched->object, oid_str(v->obj).s, kind) == 0 &&
	       strncmp(sched->text, v->text, n) == 0;
}

/* ---- making one --------------------------------------------------------------------------- */

struct maker {
	struct schedule *sched;
	struct process_names *names;
	struct exec *x;
	const GArray *choices; /* of the finding */
	struct switches switches;
	bool differs; /* the run does not go as the finding says */
	const volatile sig_atomic_t *interrupted;
};

/* The choice that comes next in the finding; NULL if it cannot be it. */
static const struct choice *expected(struct maker *m, enum choice_kind kind, uint32_t n)
{
	guint at = m->x->choices->len;
	const struct choice *c =
		at < m->choices->len ? &g_array_index(m->choices, struct choice, at) : NULL;

	if (!c || c->kind != kind || c->n != n || c->pick >= n) {
		m->differs = true;
		return NULL;
	}
	return c;
}

static uint32_t repeat_inner(struct exec *x, enum choice_kind kind, uint32_t n)
{
	struct maker *m = x->strategy;
	const struct choice *c = expected(m, kind, n);
	struct schedule_pick pick = {.kind = (uint32_t)kind, .pick = c ? c->pick : 0, .n = n};

	g_array_append_val(m->sched->picks, pick);
	return pick.pick;
}

/* What is not written down is 0, so zeros at the end of a step's picks are left out. */
static void tidy_picks(struct schedule *s, struct schedule_run *run)
{
	while (s->picks->len > run->picks_at &&
	       g_array_index(s->picks, struct schedule_pick, s->picks->len - 1).pick == 0)
		g_array_set_size(s->picks, s->picks->len - 1);
	run->nr_picks = s->picks->len - run->picks_at;
}

static bool take_noted(struct maker *m, uint32_t i, const char *process)
{
	struct schedule *s = m->sched;
	struct schedule_run run = {
		.process = schedule_string(s, process),
		.nr_steps = 1,
		.place = i,
		.of = m->x->nr_enabled,
		.picks_at = s->picks->len,
	};
	struct schedule_run *last =
		s->runs->len ? &g_array_index(s->runs, struct schedule_run, s->runs->len - 1)
			     : NULL;
	bool ok;

	switches_count(&m->switches, m->x, i);
	ok = exec_step(m->x, i);
	tidy_picks(s, &run);
	s->nr_steps++;
	if (last && last->nr_picks == 0 && last->process == run.process) {
		last->nr_steps++;
		last->picks_at = run.picks_at;
		last->nr_picks = run.nr_picks;
	} else {
		g_array_append_val(s->runs, run);
	}
	return ok;
}

static void make_steps(struct maker *m)
{
	struct exec *x = m->x;
	uint32_t ids[ENABLED_MAX];

	exec_restart(x);
	process_names_restart(m->names);
	while (x->choices->len < m->choices->len && !m->differs) {
		const struct choice *c;

		if ((m->interrupted && *m->interrupted) || !exec_look(x))
			break;
		process_names_look(m->names, x, ids);
		c = expected(m, CHOOSE_STEP, x->nr_enabled);
		if (!c || c->who != x->enabled[c->pick].key)
			break;
		if (!take_noted(m, c->pick, process_names_text(m->names, ids[c->pick])))
			break;
		if (exec_violated(x))
			break;
	}
	m->sched->preemptions = m->switches.preemptions;
}

static void note_violation(struct schedule *s, const struct violation *v, bool at_end)
{
	s->checker = schedule_string(s, v->ops->name);
	s->object = schedule_string(s, oid_str(v->obj).s);
	s->text = schedule_string(s, v->text);
	s->at_end = at_end;
}

struct schedule *schedule_of(struct subject *subject, const struct finding *f,
			     const volatile sig_atomic_t *interrupted, GError **error)
{
	struct maker m = {
		.sched = schedule_new(),
		.names = process_names_new(),
		.x = exec_new(subject),
		.choices = f->choices,
		.interrupted = interrupted,
	};

	m.x->inner = repeat_inner;
	m.x->strategy = &m;
	make_steps(&m);
	if (f->at_end && !exec_violated(m.x))
		(void)run_end(m.x);
	if (m.x->choices->len != f->choices->len || !exec_violated(m.x)) {
		g_set_error(error, SCHEDULE_ERROR, SCHEDULE_ERROR_LOST,
			    "a run could not be repeated: it parted from its schedule after %u "
			    "steps",
			    m.x->nr_steps);
		g_clear_pointer(&m.sched, schedule_free);
	} else {
		note_violation(m.sched, &f->violation, f->at_end);
	}
	exec_free(m.x);
	process_names_free(m.names);
	return m.sched;
}

/* ---- following one ------------------------------------------------------------------------ */

struct follower {
	const struct schedule *sched;
	const struct follow_options *opt;
	struct follow_result *result;
	GError **error;
	struct process_names *names;
	struct exec *x;
	struct switches switches;
	uint32_t ids[ENABLED_MAX]; /* of x->enabled[] */
	uint32_t run, step;	   /* step of the run that is to come, from 0 */
	uint32_t id;		   /* of its process */
	uint32_t nr_picked;	   /* inside this step */
	bool in_step;
	bool looked; /* for a livelock where the schedule is over */
};

static void lose(struct follower *f, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

static void lose(struct follower *f, const char *fmt, ...)
{
	const struct schedule_run *run = f->run < f->sched->runs->len ? run_at(f->sched, f->run)
								      : NULL;
	g_autofree char *where = NULL;
	g_autofree char *why = NULL;
	va_list ap;

	va_start(ap, fmt);
	why = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	where = run && run->line ? g_strdup_printf(" (line %u)", run->line) : g_strdup("");
	f->result->end = FOLLOW_ERROR;
	if (f->error && !*f->error)
		g_set_error(f->error, SCHEDULE_ERROR, SCHEDULE_ERROR_LOST,
			    "the schedule cannot be followed at step %u%s: %s",
			    f->x->nr_steps + !f->in_step, where, why);
}

static const char *choice_noun(enum choice_kind kind)
{
	static const char *const nouns[NR_CHOICE_KINDS] = {"the next step", "a failing allocation",
							   "the CPU of a work item",
							   "choice() in the script"};

	return nouns[kind];
}

static uint32_t follow_inner(struct exec *x, enum choice_kind kind, uint32_t n)
{
	struct follower *f = x->strategy;
	const struct schedule_run *run = f->run < f->sched->runs->len ? run_at(f->sched, f->run)
								      : NULL;
	const struct schedule_pick *pick;

	if (!run || f->step + 1 != run->nr_steps || f->nr_picked >= run->nr_picks)
		return 0;
	pick = &g_array_index(f->sched->picks, struct schedule_pick,
			      run->picks_at + f->nr_picked++);
	if (pick->kind == kind && pick->n == n)
		return pick->pick;
	if (!f->opt->lenient)
		lose(f, "it picks among %u for %s, but here are %u for %s", pick->n,
		     choice_noun((enum choice_kind)pick->kind), n, choice_noun(kind));
	return 0;
}

static int find_id(const struct follower *f, uint32_t id)
{
	for (uint32_t i = 0; i < f->x->nr_enabled; i++) {
		if (f->ids[i] == id)
			return (int)i;
	}
	return -1;
}

static void lose_process(struct follower *f, const struct schedule_run *run)
{
	g_autoptr(GString) all = g_string_new(NULL);

	for (uint32_t i = 0; i < f->x->nr_enabled; i++)
		g_string_append_printf(all, "%s%s", i ? ", " : "",
				       process_names_text(f->names, f->ids[i]));
	lose(f, "'%s' cannot step; who can: %s", run->process, all->str);
}

/* Without preemption: whoever stepped last, else the first in line. */
static int go_on(const struct follower *f)
{
	int i = f->switches.current ? exec_find(f->x, f->switches.current) : -1;

	return i >= 0 ? i : 0;
}

static void next_run(struct follower *f)
{
	f->run++;
	f->step = 0;
	if (f->run < f->sched->runs->len)
		f->id = process_names_id(f->names, run_at(f->sched, f->run)->process);
}

/* Who is to step, or -1 if that is over or impossible. */
static int pick_step(struct follower *f)
{
	while (f->run < f->sched->runs->len) {
		const struct schedule_run *run = run_at(f->sched, f->run);
		int i = find_id(f, f->id);

		if (i >= 0)
			return i;
		if (!f->opt->lenient) {
			lose_process(f, run);
			return -1;
		}
		/* Renamed, perhaps. */
		if (f->step == 0 && run->of == f->x->nr_enabled && run->place < run->of) {
			f->id = f->ids[run->place];
			return (int)run->place;
		}
		f->result->nr_skipped += run->nr_steps - f->step;
		next_run(f);
	}
	if (f->opt->lenient)
		return go_on(f);
	f->result->end = FOLLOW_OVER;
	return -1;
}

static void take_error(struct follower *f)
{
	GError *error = f->x->s->take_error(f->x->s);

	f->result->end = FOLLOW_ERROR;
	if (f->error && !*f->error)
		g_set_error(f->error, SCHEDULE_ERROR, SCHEDULE_ERROR_SCRIPT, "%s",
			    error ? error->message : "the run was stopped");
	g_clear_error(&error);
}

static void note_end(struct follower *f, bool at_end)
{
	if (!exec_violated(f->x)) {
		f->result->end = FOLLOW_QUIET;
		return;
	}
	f->result->end = FOLLOW_VIOLATED;
	f->result->violation = *exec_violation(f->x);
	f->result->at_end = at_end;
}

static bool take_step(struct follower *f, uint32_t i)
{
	const struct schedule_run *run = NULL;

	if (f->run < f->sched->runs->len)
		run = run_at(f->sched, f->run);
	f->nr_picked = 0;
	f->in_step = true;
	switches_count(&f->switches, f->x, i);
	if (!exec_step(f->x, i)) {
		take_error(f);
		return false;
	}
	if (run && f->step + 1 == run->nr_steps && f->nr_picked < run->nr_picks && !f->opt->lenient)
		lose(f, "it picks %u times inside this step, but here that is %u times",
		     run->nr_picks, f->nr_picked);
	f->in_step = false;
	if (run && ++f->step == run->nr_steps)
		next_run(f);
	return f->result->end != FOLLOW_ERROR;
}

/* A schedule that leads into a livelock is over where that cannot be left any more. */
static bool is_livelock(struct follower *f)
{
	if (f->looked || !f->sched->at_end || f->run < f->sched->runs->len)
		return false;
	f->looked = true;
	if (livelock_end(f->x))
		return true;
	exec_look(f->x);
	return false;
}

/* False when the run is over in one way or another. */
static bool follow_step(struct follower *f)
{
	uint32_t run;
	int i;

	if (!exec_look(f->x)) {
		if (f->run < f->sched->runs->len && !f->opt->lenient) {
			lose(f, "'%s' cannot step: nothing is left to happen",
			     run_at(f->sched, f->run)->process);
			return false;
		}
		f->x->s->finish(f->x->s);
		note_end(f, true);
		return false;
	}
	if (is_livelock(f)) {
		note_end(f, true);
		return false;
	}
	process_names_look(f->names, f->x, f->ids);
	i = pick_step(f);
	if (i < 0)
		return false;
	run = f->run;
	if (!take_step(f, (uint32_t)i))
		return false;
	if (f->opt->stepped && !f->opt->stepped(f->opt->arg, run)) {
		f->result->end = FOLLOW_ASKED;
		return false;
	}
	if (exec_violated(f->x)) {
		note_end(f, false);
		return false;
	}
	if (f->x->nr_steps >= SCHEDULE_STEPS_MAX) {
		lose(f, "more than %d steps", SCHEDULE_STEPS_MAX);
		return false;
	}
	return true;
}

void schedule_follow(struct subject *s, const struct schedule *sched,
		     const struct follow_options *opt, struct follow_result *result, GError **error)
{
	struct follower f = {
		.sched = sched,
		.opt = opt,
		.result = result,
		.error = error,
		.names = process_names_new(),
		.x = exec_new(s),
	};

	memset(result, 0, sizeof(*result));
	f.x->inner = follow_inner;
	f.x->strategy = &f;
	exec_restart(f.x);
	f.run = UINT32_MAX;
	next_run(&f);
	while (follow_step(&f))
		;
	result->nr_steps = f.x->nr_steps;
	if (opt->choices)
		g_array_append_vals(opt->choices, f.x->choices->data, f.x->choices->len);
	result->preemptions = f.switches.preemptions;
	exec_free(f.x);
	process_names_free(f.names);
}
