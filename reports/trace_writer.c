// SPDX-License-Identifier: GPL-2.0-only
#include "reports/trace_writer.h"

#include "reports/json.h"

struct trace_writer {
	struct run_sink sink; /* first: a sink is cast back to its writer */
	struct output *out;
	GHashTable *comms; /* task number -> name */
	char *replay;
	uint64_t found;	    /* seq; 0 for the first violation */
	uint64_t nr_events; /* fewer than the run has when accesses are left out */
};

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {"pass", "fail", "incomplete"};

	return names[verdict];
}

static void write_begin(struct run_sink *sink, const struct run_header *h)
{
	struct trace_writer *w = (struct trace_writer *)sink;
	struct output *o = w->out;
	bool untimed = strcmp(h->order, "random") == 0;

	output_str(o, "{\"type\":\"run\",\"v\":1");
	json_key_string(o, "scenario", h->scenario);
	json_key_string(o, "design", h->lifecycle);
	json_key(o, "variants");
	json_strings(o, h->variants);
	json_key_u64(o, "seed", h->seed);
	json_key_string(o, "order", h->order);
	json_key_u64(o, "cpus", h->nr_cpus);
	json_key_string(o, "clock", untimed ? "steps" : "virtual");
	json_key_string(o, "unit", untimed ? "step" : "ns");
	if (w->replay)
		json_key_string(o, "replay", w->replay);
	output_str(o, "}\n");
}

static void write_arg(struct output *o, const struct trace_record *r, int i, char type)
{
	switch (type) {
	case 'b':
		output_str(o, r->arg[i] ? "true" : "false");
		break;
	case 'o':
		json_oid(o, (oid_t)r->arg[i]);
		break;
	case 'h':
		json_string(o, holder_name((enum holder)r->arg[i]));
		break;
	case 's':
		json_string(o, r->str);
		break;
	default:
		output_i64(o, r->arg[i]);
		break;
	}
}

static void write_args(struct output *o, const struct trace_record *r)
{
	const struct trace_kind_info *info = &trace_kinds[r->kind];
	bool any = false;

	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		const char *spec = info->arg[i];

		if (spec[0] == 0 || (spec[0] == 's' && !r->str))
			continue;
		output_str(o, any ? ",\"" : ",\"args\":{\"");
		output_str(o, spec + 2);
		output_str(o, "\":");
		write_arg(o, r, i, spec[0]);
		any = true;
	}
	if (any)
		output_char(o, '}');
}

static void write_stack(struct output *o, const struct frame *f)
{
	const char *before = ",\"stack\":[";

	for (; f; f = f->caller) {
		output_str(o, before);
		json_string(o, f->func);
		before = ",";
	}
	if (before[1] == 0)
		output_char(o, ']');
}

static void learn_comm(struct trace_writer *w, const struct trace_record *r)
{
	if (r->str)
		g_hash_table_insert(w->comms, GUINT_TO_POINTER((guint)oid_nr(r->obj)),
				    g_strdup(r->str));
}

static void write_record(struct run_sink *sink, const struct trace_record *r)
{
	struct trace_writer *w = (struct trace_writer *)sink;
	struct output *o = w->out;
	const char *comm;

	w->nr_events++;
	if (r->kind == TR_TASK_START)
		learn_comm(w, r);
	comm = g_hash_table_lookup(w->comms, GUINT_TO_POINTER(r->task));

	output_str(o, "{\"type\":\"event\",\"seq\":");
	output_u64(o, r->seq);
	json_key_u64(o, "t", (uint64_t)r->t);
	json_key_u64(o, "cpu", r->cpu);
	json_key_string(o, "ctx", ctx_kind_name((enum ctx_kind)r->ctx));
	json_key_u64(o, "task", r->task);
	if (comm)
		json_key_string(o, "comm", comm);
	json_key_string(o, "ev", trace_kinds[r->kind].name);
	json_key(o, "obj");
	json_oid(o, r->obj);
	if (r->cause != 0) {
		json_key_u64(o, "cause", r->cause);
		json_key_string(o, "via", via_name((enum via)r->via));
	}
	write_args(o, r);
	write_stack(o, r->stack);
	output_str(o, "}\n");
}

static void write_violation(struct run_sink *sink, const struct violation *v, unsigned int nr)
{
	struct trace_writer *w = (struct trace_writer *)sink;
	struct output *o = w->out;
	bool any = false;

	(void)nr;
	output_str(o, "{\"type\":\"violation\"");
	json_key_string(o, "rule", v->ops->name);
	json_key_u64(o, "seq", v->seq);
	json_key_u64(o, "t", (uint64_t)v->t);
	json_key(o, "obj");
	json_oid(o, v->obj);
	json_key(o, "related");
	output_char(o, '[');
	for (size_t i = 0; i < G_N_ELEMENTS(v->related); i++) {
		if (v->related[i] == 0)
			continue;
		if (any)
			output_char(o, ',');
		output_u64(o, v->related[i]);
		any = true;
	}
	output_char(o, ']');
	json_key_string(o, "msg", v->text);
	output_str(o, "}\n");
}

struct trace_writer *trace_writer_new(const char *path, bool force, const char *replay,
				      GError **error)
{
	struct output *out = output_open(path, force, error);
	struct trace_writer *w;

	if (!out)
		return NULL;
	w = g_new0(struct trace_writer, 1);
	w->sink.begin = write_begin;
	w->sink.record = write_record;
	w->sink.violation = write_violation;
	w->out = out;
	w->comms = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	w->replay = g_strdup(replay);
	return w;
}

struct run_sink *trace_writer_sink(struct trace_writer *w)
{
	return &w->sink;
}

static void writer_free(struct trace_writer *w)
{
	g_hash_table_destroy(w->comms);
	g_free(w->replay);
	g_free(w);
}

void trace_writer_found(struct trace_writer *w, uint64_t seq)
{
	w->found = seq;
}

bool trace_writer_end(struct trace_writer *w, const struct run_result *result, GError **error)
{
	struct output *o = w->out;
	uint64_t nr_events = w->nr_events, found = w->found;

	writer_free(w);
	output_str(o, "{\"type\":\"end\"");
	json_key_u64(o, "t", (uint64_t)result->end);
	json_key_u64(o, "events", nr_events);
	json_key_u64(o, "steps", result->nr_steps);
	json_key_u64(o, "violations", result->nr_violations);
	json_key_string(o, "verdict", verdict_name(result->verdict));
	if (found != 0)
		json_key_u64(o, "found", found);
	output_str(o, "}\n");
	return output_close(o, error);
}

void trace_writer_discard(struct trace_writer *w)
{
	if (!w)
		return;
	output_discard(w->out);
	writer_free(w);
}
