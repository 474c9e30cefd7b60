// SPDX-License-Identifier: GPL-2.0-only
/*
 * A violation in the shape of a kernel report: the section titles that kernel
 * developers read fluently, but never the first line of a real report, which
 * bots would take for a crash.
 */
#include "reports/export.h"
#include "reports/ledger.h"
#include "reports/phrase.h"
#include "reports/race.h"
#include "reports/text.h"
#include "sim/lifecycle/info.h"

#define RULE_WIDTH 66
#define TEXT_WIDTH 75
#define CAUSES_MAX 4
#define LOCKS_MAX 8
#define BUGS_MAX 2

static const char *comm_of(const struct trace_file *tf, const struct trace_record *r)
{
	const char *comm = names_comm(tf->names, r->task);

	return comm		    ? comm
	       : r->ctx == CTX_NONE ? "the environment"
				    : ctx_kind_name((enum ctx_kind)r->ctx);
}

static void put_t(const struct trace_file *tf, struct output *o, uint64_t t)
{
	phrase_time(o, t, tf->untimed);
	output_str(o, tf->untimed ? " steps" : " us");
}

static void put_stack(const struct trace_record *r, struct output *o)
{
	for (const struct frame *f = r->stack; f; f = f->caller) {
		output_char(o, ' ');
		clean_line(o, f->func);
		output_char(o, '\n');
	}
}

static const char *related_title(const struct trace_record *r)
{
	switch (r->kind) {
	case TR_OBJ_NEW:
	case TR_CACHE_CREATE:
	case TR_OBJECT_ALLOC:
	case TR_SLAB_ALLOC:
		return "Allocated";
	case TR_OBJ_FREE:
	case TR_OBJECT_FREE:
	case TR_SLAB_DISCARD:
		return "Freed";
	case TR_QUEUE_WORK:
	case TR_CALL_RCU:
		return "Last potentially related work creation";
	case TR_LOCK_ACQUIRE:
		return "Locked";
	case TR_REF_GET:
	case TR_REF_TRYGET:
		return "Reference taken";
	case TR_REF_INIT:
		return "Counter set up";
	case TR_REF_KILL:
		return "Killed";
	case TR_CACHE_DEACTIVATE:
		return "Deactivated";
	case TR_CSS_OFFLINE:
		return "Put offline";
	case TR_RCU_READ_LOCK:
		return "Read section entered";
	default:
		return "Related";
	}
}

/* @title: NULL for one that the event tells */
static void put_related(const struct trace_file *tf, uint64_t seq, const char *title,
			struct output *o)
{
	const struct trace_record *r = trace_file_find(tf, seq);

	if (!r) {
		output_printf(o,
			      "\nRelated: event %" G_GUINT64_FORMAT
			      ", which is not kept; a run with -o keeps it\n",
			      seq);
		return;
	}
	output_printf(o, "\n%s by %s on cpu %u at ", title ? title : related_title(r),
		      comm_of(tf, r), r->cpu);
	put_t(tf, o, r->t);
	output_printf(o, " (event %" G_GUINT64_FORMAT "):\n ", seq);
	phrase_put(tf->names, o, r);
	output_char(o, '\n');
	put_stack(r, o);
}

/* The record that says why the context of @r does what it does now. */
static const struct trace_record *beginning_of(const struct trace_file *tf,
					       const struct trace_record *r)
{
	const struct trace_record *first = &g_array_index(tf->events, struct trace_record, 0);

	for (; r > first; r--) {
		const struct trace_record *e = r;

		while (e > first && e->task != r->task)
			e--;
		if (e->task == r->task && e->cause != 0)
			return e;
		r = e;
		if (r == first)
			break;
	}
	return NULL;
}

static void put_causes(const struct trace_file *tf, const struct trace_record *r, const char *what,
		       struct output *o)
{
	bool any = false;

	for (int i = 0; i < CAUSES_MAX; i++) {
		const struct trace_record *begin = beginning_of(tf, r);

		r = begin ? trace_file_find(tf, begin->cause) : NULL;
		if (!r)
			return;
		if (!any)
			output_printf(o, "\nHow it came to %s, latest first:\n", what);
		any = true;
		output_str(o, " ");
		phrase_put(tf->names, o, r);
		output_printf(o, "\n  by %s on cpu %u at ", comm_of(tf, r), r->cpu);
		put_t(tf, o, r->t);
		output_printf(o, " (event %" G_GUINT64_FORMAT ")\n", r->seq);
	}
}

/* A memcg is killed before it is offline, a cache after that. */
static int stages_by_time(const struct life *life, int order[NR_LIFE_STAGES])
{
	int nr = 0;

	for (int s = 0; s < NR_LIFE_STAGES; s++) {
		int i = nr;

		if (!life->seen[s])
			continue;
		for (; i > 0 && life->at[order[i - 1]] > life->at[s]; i--)
			order[i] = order[i - 1];
		order[i] = s;
		nr++;
	}
	return nr;
}

static void put_states(const struct trace_file *tf, const struct trace_violation *v,
		       struct output *o)
{
	static const char *const stages[NR_LIFE_STAGES] = {"created", "online",	   "offline",
							   "killed",  "shut down", "freed"};
	const struct life *life = summary_life(tf->summary, v->obj);
	int order[NR_LIFE_STAGES], nr, last = -1;

	if (!life)
		return;
	output_str(o, "\nState of ");
	names_put(tf->names, o, v->obj);
	output_str(o, " around it:\n");
	nr = stages_by_time(life, order);
	for (int i = 0; i < nr; i++) {
		if (life->at[order[i]] <= v->t)
			last = i;
	}
	for (int i = 0; i < nr; i++) {
		output_printf(o, "%c%-12s ", i == last ? '>' : ' ', stages[order[i]]);
		put_t(tf, o, life->at[order[i]]);
		output_char(o, '\n');
		if (i == last) {
			output_printf(o, " %-12s ", "^ here");
			put_t(tf, o, v->t);
			output_char(o, '\n');
		}
	}
}

/* What @r works at, when it is a worker that does. */
static void put_work(const struct trace_file *tf, const struct trace_record *r, struct output *o)
{
	const struct trace_record *first = event_at(tf, 0);

	for (const struct trace_record *e = r; r->ctx == CTX_KWORKER && e >= first; e--) {
		if (e->task != r->task)
			continue;
		if (e->kind == TR_WORK_END)
			return;
		if (e->kind != TR_WORK_START)
			continue;
		output_str(o, "Workqueue: ");
		names_put(tf->names, o, (oid_t)e->arg[1]);
		output_char(o, ' ');
		clean_line(o, e->str ? e->str : "");
		output_char(o, '\n');
		return;
	}
}

/* Checkers speak of numbers. */
static void put_object(const struct trace_file *tf, oid_t obj, struct output *o)
{
	char buf[32];

	if (obj == 0)
		return;
	output_printf(o, "Object: %s is ", oid_text(obj, buf));
	names_put(tf->names, o, obj);
	if (names_subject(tf->names, obj) != 0) {
		output_str(o, " of ");
		names_put(tf->names, o, names_subject(tf->names, obj));
	}
	output_char(o, '\n');
}

static void put_setting(const struct trace_file *tf, const struct trace_record *r,
			const struct trace_violation *v, struct output *o)
{
	bool at_end = r && r->task == 0;

	output_char(o, '\n');
	if (r && !at_end)
		output_printf(o, "CPU: %u Task: %u Comm: %s Context: %s\n", r->cpu, r->task,
			      comm_of(tf, r), ctx_kind_name((enum ctx_kind)r->ctx));
	output_str(o, "Scenario: ");
	clean_line(o, tf->scenario);
	output_str(o, " lifecycle ");
	clean_line(o, tf->lifecycle);
	output_printf(o, " seed %" G_GUINT64_FORMAT " event %" G_GUINT64_FORMAT " t=", tf->seed,
		      v->seq);
	put_t(tf, o, v->t);
	output_char(o, '\n');
	put_object(tf, v->obj, o);
	if (!r)
		return;
	put_work(tf, r, o);
	output_str(o, "At: ");
	phrase_put(tf->names, o, r);
	output_char(o, '\n');
	if (!r->stack)
		return;
	output_str(o, "Call Trace:\n");
	put_stack(r, o);
}

static void put_locks(const struct trace_file *tf, const struct trace_record *r, struct output *o)
{
	const struct trace_record *held[LOCKS_MAX];
	int nr = 0;

	for (const struct trace_record *e = event_at(tf, 0); e < r; e++) {
		int i = 0;

		if (e->task != r->task)
			continue;
		if (e->kind == TR_LOCK_ACQUIRE && nr < LOCKS_MAX)
			held[nr++] = e;
		if (e->kind != TR_LOCK_RELEASE)
			continue;
		while (i < nr && held[i]->obj != e->obj)
			i++;
		for (; i + 1 < nr; i++)
			held[i] = held[i + 1];
		nr -= i < nr;
	}
	if (nr == 0)
		return;
	output_printf(o, "\nLocks held by %s:\n", comm_of(tf, r));
	for (int i = 0; i < nr; i++) {
		output_char(o, ' ');
		names_put(tf->names, o, held[i]->obj);
		output_printf(o, " (event %" G_GUINT64_FORMAT ")\n", held[i]->seq);
	}
}

static void put_paragraph(struct output *o, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 0);
	int at = 0;

	for (int i = 0; words[i]; i++) {
		int n = (int)strlen(words[i]) + 1;

		if (at > 0 && at + n > TEXT_WIDTH) {
			output_char(o, '\n');
			at = 0;
		}
		output_char(o, ' ');
		clean_line(o, words[i]);
		at += n;
	}
	output_char(o, '\n');
}

/* As KCSAN does: the other side with its stack, and then what is wrong between the two. */
static void put_race(const struct trace_file *tf, const struct trace_record *r,
		     const struct trace_violation *v, struct output *o)
{
	struct race_sides sides;
	const struct trace_record *other;
	bool named = false;

	race_sides(tf, v, &sides);
	other = trace_file_find(tf, sides.conflict);
	for (size_t i = 0; i < G_N_ELEMENTS(v->related); i++)
		named |= sides.conflict != 0 && v->related[i] == sides.conflict;
	if (other && !named)
		put_related(tf, sides.conflict,
			    sides.guessed ? "Probably in conflict, done" : "In conflict, done", o);
	output_str(o, "\nWhat is wrong:\n");
	put_paragraph(o, sides.order);
	/* A lock or a read section is not a matter of references. */
	if (strcmp(v->rule, "lock") != 0 && ledger_blamed(tf) != 0 && r && r->task != 0) {
		const uint32_t tasks[2] = {r->task, other ? other->task : 0};

		ledger_budget_write(tf, ledger_blamed(tf), v->seq, tasks, o);
	}
	g_free(sides.order);
}

/* Of what is wrong at the end of a run, the last that was done about it. */
static const struct trace_record *done_last(const struct trace_file *tf,
					    const struct trace_violation *v)
{
	const struct trace_record *last = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(v->related); i++) {
		const struct trace_record *r = trace_file_find(tf, v->related[i]);

		if (r && (!last || r->seq > last->seq))
			last = r;
	}
	return last;
}

static void put_history(const struct trace_file *tf, const struct trace_record *r,
			const struct trace_violation *v, struct output *o)
{
	const struct trace_record *last = done_last(tf, v);
	g_autofree char *what = NULL;

	if (r->task != 0) {
		put_causes(tf, r, "this", o);
		return;
	}
	if (!last)
		return;
	what = g_strdup_printf("event %" G_GUINT64_FORMAT, last->seq);
	put_causes(tf, last, what, o);
}

/* What was put in on purpose; a lifecycle that has many of them is known by its name. */
static void put_bugs(const struct trace_file *tf, struct output *o)
{
	guint nr = tf->variants->len - 1;

	for (guint i = 0; i < nr && nr <= BUGS_MAX; i++) {
		int at = variant_index(g_ptr_array_index(tf->variants, i));
		g_autofree char *text = NULL;

		if (at < 0)
			continue;
		text = g_strdup_printf("%s: %s", variant_infos[at]->name,
				       variant_infos[at]->summary);
		output_str(o, i == 0 ? "\nThe bug that is in this model:\n" : "");
		put_paragraph(o, text);
	}
}

static void put_where(const struct trace_record *r, struct output *o)
{
	if (r && r->task == 0 && r->kind == TR_RUN_QUIET) {
		output_str(o, "at the end of the run");
	} else {
		output_str(o, "in ");
		clean_line(o, r && r->stack ? r->stack->func : r ? trace_kinds[r->kind].name : "?");
	}
}

/* Names of files keep their letters, or it could not be typed again. */
static void put_replay(const char *replay, struct output *o)
{
	output_str(o, "\nReplay: ");
	for (const char *p = replay; *p; p++)
		output_char(o, (unsigned char)*p < ' ' || *p == 127 ? '?' : *p);
	output_char(o, '\n');
}

void text_splat(const struct trace_file *tf, const struct trace_violation *v, const char *replay,
		struct output *o)
{
	const struct trace_record *r = trace_file_find(tf, v->seq);

	output_pad(o, '=', RULE_WIDTH);
	output_str(o, "\nBUG: slabsim: ");
	clean_line(o, v->rule);
	output_char(o, ' ');
	put_where(r, o);
	output_str(o, "   [simulated]\n");
	clean_line(o, v->msg);
	output_char(o, '\n');
	put_setting(tf, r, v, o);
	for (size_t i = 0; i < G_N_ELEMENTS(v->related); i++) {
		if (v->related[i] != 0)
			put_related(tf, v->related[i], NULL, o);
	}
	put_race(tf, r, v, o);
	if (r)
		put_history(tf, r, v, o);
	put_states(tf, v, o);
	if (r && r->task != 0)
		put_locks(tf, r, o);
	put_bugs(tf, o);
	if (replay)
		put_replay(replay, o);
	output_pad(o, '=', RULE_WIDTH);
	output_char(o, '\n');
}
