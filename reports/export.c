// SPDX-License-Identifier: GPL-2.0-only
#include "reports/export.h"

#include <stdio.h>

const char *oid_text(oid_t id, char buf[32])
{
	enum object_kind kind = oid_kind(id);

	if (id == 0 || kind >= NR_OBJECT_KINDS)
		return "-";
	snprintf(buf, 32, "%s:%" G_GUINT64_FORMAT, object_kind_name(kind), oid_nr(id));
	return buf;
}

int event_fields(const struct trace_record *r, struct event_field fields[TRACE_NR_ARGS])
{
	const struct trace_kind_info *info = &trace_kinds[r->kind];
	int n = 0;

	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		struct event_field *f = &fields[n];

		if (!info->arg[i][0])
			continue;
		f->name = info->arg[i] + 2;
		f->type = info->arg[i][0];
		f->number = r->arg[i];
		f->text = NULL;
		if (f->type == 'o')
			f->text = oid_text((oid_t)r->arg[i], f->oid);
		else if (f->type == 'h')
			f->text = holder_name((enum holder)r->arg[i]);
		else if (f->type == 's')
			f->text = r->str ? r->str : "";
		n++;
	}
	return n;
}

void clean_text(struct output *o, const char *s, size_t max)
{
	for (size_t i = 0; i < max && s[i]; i++)
		output_char(o, s[i] >= ' ' && s[i] < 127 ? s[i] : '?');
}

void clean_line(struct output *o, const char *s)
{
	clean_text(o, s, strlen(s));
}

void stack_text(struct output *o, const struct frame *f, size_t max)
{
	size_t end = o->len + max;

	for (; f && o->len < end; f = f->caller) {
		clean_text(o, f->func, end - o->len);
		if (f->caller && o->len + 4 >= end)
			return;
		if (f->caller)
			output_str(o, " <- ");
	}
}

unsigned int export_nr_cpus(const struct trace_file *tf)
{
	unsigned int n = CLAMP(tf->nr_cpus, 1, EXPORT_CPUS_MAX);

	for (guint i = 0; i < tf->events->len; i++)
		n = MAX(n, event_at(tf, i)->cpu + 1u);
	return n;
}

uint64_t export_end(const struct trace_file *tf)
{
	uint64_t end = tf->ended ? tf->end : 0;

	for (guint i = 0; i < tf->events->len; i++)
		end = MAX(end, (uint64_t)event_at(tf, i)->t);
	return end;
}

const char *export_comm(const struct trace_file *tf, const struct trace_record *r)
{
	const char *comm = r->task != 0 ? names_comm(tf->names, r->task) : NULL;

	if (comm && comm[0])
		return comm;
	return ctx_kind_name(r->ctx < NR_CTX_KINDS ? (enum ctx_kind)r->ctx : CTX_NONE);
}

GArray *export_counters(const struct summary *s)
{
	GArray *counters = g_array_new(FALSE, FALSE, sizeof(struct counter_track));

	for (int i = 0; i < NR_SERIES; i++) {
		struct counter_track c = {s->series[i].name, 0, &s->series[i]};

		g_array_append_val(counters, c);
	}
	for (guint i = 0; i < s->usages->len; i++) {
		const struct usage *u = g_ptr_array_index(s->usages, i);
		struct counter_track c = {u->counter, u->memcg, &u->series};

		g_array_append_val(counters, c);
	}
	return counters;
}

struct summary *export_summary(const struct trace_file *tf)
{
	struct summary *s = summary_new();

	s->points_max = G_MAXUINT;
	for (guint i = 0; i < tf->events->len; i++)
		summary_record(s, event_at(tf, i));
	return s;
}

/* Stages in the order in which they came: a memcg is killed before it goes offline. */
static int by_time(const struct life *life, int stages[NR_LIFE_STAGES])
{
	int n = 0;

	for (int stage = 0; stage < NR_LIFE_STAGES; stage++) {
		int at = n;

		if (!life->seen[stage])
			continue;
		while (at > 0 && life->at[stages[at - 1]] > life->at[stage]) {
			stages[at] = stages[at - 1];
			at--;
		}
		stages[at] = stage;
		n++;
	}
	return n;
}

static const char *stage_name(const struct life *life, int stage)
{
	static const char *const cache[] = {"created", "active",   "deactivated",
					    "killed",  "shutdown", "freed"};
	static const char *const memcg[] = {"created", "online",   "offline (dying)",
					    "killed",  "released", "freed"};

	return oid_kind(life->id) == OBJ_CACHE ? cache[stage] : memcg[stage];
}

int export_life(const struct life *life, uint64_t end, struct life_stretch out[NR_LIFE_STAGES])
{
	int stages[NR_LIFE_STAGES];
	int nr_stages = by_time(life, stages), n = 0;

	for (int i = 0; i < nr_stages && stages[i] != LIFE_FREED; i++) {
		uint64_t to = i + 1 < nr_stages ? life->at[stages[i + 1]] : end;

		out[n++] = (struct life_stretch){stage_name(life, stages[i]), life->at[stages[i]],
						 MAX(to, life->at[stages[i]])};
	}
	return n;
}

void export_kinds(const struct trace_file *tf, struct export_kinds *kinds)
{
	bool seen[NR_TRACE_KINDS] = {false};

	kinds->nr = 0;
	for (guint i = 0; i < tf->events->len; i++) {
		uint16_t kind = event_at(tf, i)->kind;

		if (seen[kind])
			continue;
		seen[kind] = true;
		kinds->number[kind] = (uint16_t)kinds->nr;
		kinds->kind[kinds->nr++] = kind;
	}
}
