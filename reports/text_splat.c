// SPDX-License-Identifier: GPL-2.0-only
/*
 * A violation in the shape of a kernel report: the section titles that kernel
 * developers read fluently, but never the first line of a real report, which
 * bots would take for a crash.
 */
#include "reports/phrase.h"
#include "reports/text.h"

#define RULE_WIDTH 66
#define CAUSES_MAX 4

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
	for (const struct frame *f = r->stack; f; f = f->caller)
		output_printf(o, " %s\n", f->func);
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
	case TR_REF_KILL:
		return "Killed";
	default:
		return "Related";
	}
}

static void put_related(const struct trace_file *tf, uint64_t seq, struct output *o)
{
	const struct trace_record *r = trace_file_find(tf, seq);

	if (!r) {
		output_printf(o,
			      "\nRelated: event %" G_GUINT64_FORMAT
			      ", which is not kept; a run with -o keeps it\n",
			      seq);
		return;
	}
	output_printf(o, "\n%s by %s on cpu %u at ", related_title(r), comm_of(tf, r), r->cpu);
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

static void put_causes(const struct trace_file *tf, const struct trace_record *r, struct output *o)
{
	bool any = false;

	for (int i = 0; i < CAUSES_MAX && r; i++) {
		const struct trace_record *begin = beginning_of(tf, r);

		r = begin ? trace_file_find(tf, begin->cause) : NULL;
		if (!r)
			return;
		if (!any)
			output_str(o, "\nHow it came to this, latest first:\n");
		any = true;
		output_str(o, " ");
		phrase_put(tf->names, o, r);
		output_printf(o, "\n  by %s on cpu %u at ", comm_of(tf, r), r->cpu);
		put_t(tf, o, r->t);
		output_printf(o, " (event %" G_GUINT64_FORMAT ")\n", r->seq);
	}
}

static void put_states(const struct trace_file *tf, const struct trace_violation *v,
		       struct output *o)
{
	static const char *const stages[NR_LIFE_STAGES] = {"created", "online",	   "offline",
							   "killed",  "shut down", "freed"};
	const struct life *life = summary_life(tf->summary, v->obj);
	int last = -1;

	if (!life)
		return;
	output_str(o, "\nState of ");
	names_put(tf->names, o, v->obj);
	output_str(o, " around it:\n");
	for (int s = 0; s < NR_LIFE_STAGES; s++) {
		if (life->seen[s] && life->at[s] <= v->t)
			last = s;
	}
	for (int s = 0; s < NR_LIFE_STAGES; s++) {
		if (!life->seen[s])
			continue;
		output_printf(o, "%c%-12s ", s == last ? '>' : ' ', stages[s]);
		put_t(tf, o, life->at[s]);
		output_char(o, '\n');
		if (s == last) {
			output_printf(o, " %-12s ", "^ here");
			put_t(tf, o, v->t);
			output_char(o, '\n');
		}
	}
}

static void put_setting(const struct trace_file *tf, const struct trace_record *r,
			const struct trace_violation *v, struct output *o)
{
	if (r)
		output_printf(o, "\nCPU: %u Task: %u Comm: %s Context: %s\n", r->cpu, r->task,
			      comm_of(tf, r), ctx_kind_name((enum ctx_kind)r->ctx));
	output_printf(o,
		      "Scenario: %s lifecycle %s seed %" G_GUINT64_FORMAT
		      " event %" G_GUINT64_FORMAT " t=",
		      tf->scenario, tf->lifecycle, tf->seed, v->seq);
	put_t(tf, o, v->t);
	output_char(o, '\n');
	if (!r)
		return;
	output_str(o, "At: ");
	phrase_put(tf->names, o, r);
	output_str(o, "\nCall Trace:\n");
	put_stack(r, o);
	if (!r->stack)
		output_str(o, " (none)\n");
}

void text_splat(const struct trace_file *tf, const struct trace_violation *v, const char *replay,
		struct output *o)
{
	const struct trace_record *r = trace_file_find(tf, v->seq);

	output_pad(o, '=', RULE_WIDTH);
	output_printf(o, "\nBUG: slabsim: %s in %s   [simulated]\n", v->rule,
		      r && r->stack ? r->stack->func
		      : r	    ? trace_kinds[r->kind].name
				    : "?");
	output_printf(o, "%s\n", v->msg);
	put_setting(tf, r, v, o);
	for (size_t i = 0; i < G_N_ELEMENTS(v->related); i++) {
		if (v->related[i] != 0)
			put_related(tf, v->related[i], o);
	}
	if (r)
		put_causes(tf, r, o);
	put_states(tf, v, o);
	if (replay)
		output_printf(o, "\nReplay: %s\n", replay);
	output_pad(o, '=', RULE_WIDTH);
	output_char(o, '\n');
}
