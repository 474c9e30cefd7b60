// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trace as the page reads it: tables of what repeats, and a column of varints
 * for each field of the events, in base64.  About ten bytes an event, where JSON
 * Lines takes a hundred and more.  reports/html/trace.js reads it back.
 *
 * Everything is numbered by first appearance, so hash tables only look up.
 */
#include "reports/html.h"

#include "reports/diff_match.h"
#include "reports/json.h"
#include "reports/ledger.h"
#include "reports/phrase.h"
#include "reports/race.h"
#include "reports/text.h"
#include "reports/trace_writer.h"
#include "sim/lifecycle/info.h"

enum column {
	COL_CTX,   /* index of (cpu, kind, task), and whether there is a COL_SEQ and a COL_CAUSE */
	COL_SEQ,   /* difference to the event before, where it is not 1 */
	COL_T,	   /* difference to the event before */
	COL_KIND,  /* index of the kind, times two, plus one for what a timeline leaves out */
	COL_OBJ,   /* the object, as put_object() has it */
	COL_CAUSE, /* how many events back, and the string that says how */
	COL_ARGS,  /* as the kind's arguments are typed */
	COL_STACK, /* index of the innermost frame plus one, 0 for none */
	COL_PAIR,  /* of two runs: see pack_pair() */
	NR_COLUMNS,
};

#define HAS_CAUSE 1
#define HAS_SEQ 2

static const char *const column_names[NR_COLUMNS] = {
	"ctx", "seq", "t", "kind", "obj", "cause", "args", "stack", "pair",
};

/* Counters of single memcgs beyond these are left out; the page says how many. */
#define USAGES_MAX 32

/* Things that got numbers, and what was written about them. */
struct numbered {
	GHashTable *index; /* of the key, plus one */
	uint32_t nr;
	struct output *json;
};

/* One of the runs. */
struct part {
	const struct trace_file *tf;
	GHashTable *objects; /* number of each, plus one */
	uint32_t *at;	     /* of each event, its index in the page; NULL for the same */
	uint64_t last_seq, last_t;
	struct summary *summary;
	GPtrArray *counters; /* struct counter */
};

struct packer {
	struct part part[2];
	unsigned int nr_parts;
	unsigned int side; /* whose event is packed */
	struct numbered kinds, contexts, strings, frames;
	GByteArray *columns[NR_COLUMNS];
	GArray *objects_in_order; /* struct packed_object */
};

struct packed_object {
	oid_t id;
	unsigned int side;
};

static struct part *current(struct packer *p)
{
	return &p->part[p->side];
}

struct counter {
	const struct series *series;
	const struct usage *usage; /* NULL for one of the whole system */
	int64_t value;
	uint32_t event;
	uint32_t nr_points;
	GByteArray *points; /* event, value: differences */
};

/* ---- numbers --------------------------------------------------------------------- */

static void put_varint(GByteArray *a, uint64_t v)
{
	uint8_t byte[10];
	guint n = 0;

	do {
		byte[n] = (uint8_t)((v & 127) | (v > 127 ? 128 : 0));
		v >>= 7;
		n++;
	} while (v > 0);
	g_byte_array_append(a, byte, n);
}

static uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static void put_base64(struct output *o, const GByteArray *a)
{
	g_autofree char *text = g_base64_encode(a->data, a->len);

	output_char(o, '"');
	output_str(o, text);
	output_char(o, '"');
}

/* ---- tables ---------------------------------------------------------------------- */

static void numbered_init(struct numbered *t, GHashFunc hash, GEqualFunc equal,
			  GDestroyNotify free_key)
{
	t->index = g_hash_table_new_full(hash, equal, free_key, NULL);
	t->json = output_memory();
}

static void numbered_clear(struct numbered *t)
{
	g_hash_table_destroy(t->index);
	output_discard(t->json);
}

/* Number of @key plus one; 0 if it has none yet. */
static uint32_t numbered_find(const struct numbered *t, gconstpointer key)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(t->index, key));
}

/* Gives @key the next number, returned plus one; the caller writes the entry. */
static uint32_t numbered_add(struct numbered *t, gpointer key)
{
	g_hash_table_insert(t->index, key, GUINT_TO_POINTER(t->nr + 1));
	if (t->nr > 0)
		output_char(t->json, ',');
	return ++t->nr;
}

static uint32_t string_index(struct packer *p, const char *s)
{
	uint32_t i = numbered_find(&p->strings, s);

	if (i > 0)
		return i;
	i = numbered_add(&p->strings, g_strdup(s));
	json_string(p->strings.json, s);
	return i;
}

/* Names are only known at the end: put_objects() writes the entries. */
static uint32_t object_index(struct packer *p, oid_t id)
{
	GHashTable *index = current(p)->objects;
	const struct packed_object object = {.id = id, .side = p->side};
	uint32_t i;

	if (id == 0)
		return 0;
	i = GPOINTER_TO_UINT(g_hash_table_lookup(index, &id));
	if (i > 0)
		return i;
	g_array_append_val(p->objects_in_order, object);
	i = p->objects_in_order->len;
	g_hash_table_insert(index, g_memdup2(&id, sizeof(id)), GUINT_TO_POINTER(i));
	return i;
}

/* 0 for none, 1 for a new one, else how many were new since, plus 2: the recent ones are short. */
static void put_object(struct packer *p, GByteArray *a, oid_t id)
{
	uint32_t known = p->objects_in_order->len, i = object_index(p, id);

	put_varint(a, i == 0 ? 0 : i > known ? 1 : known - i + 2);
}

/* A caller's number is lower than that of what it calls. */
static uint32_t frame_index(struct packer *p, const struct frame *f)
{
	uint32_t i, caller;

	if (!f)
		return 0;
	i = numbered_find(&p->frames, f);
	if (i > 0)
		return i;
	caller = frame_index(p, f->caller);
	i = numbered_add(&p->frames, (gpointer)f);
	output_u64(p->frames.json, string_index(p, f->func) - 1);
	output_char(p->frames.json, ',');
	output_u64(p->frames.json, caller);
	return i;
}

static uint32_t context_index(struct packer *p, const struct trace_record *r)
{
	uint64_t key = (uint64_t)r->task << 17 | (uint64_t)p->side << 16 | (uint64_t)r->cpu << 8 |
		       r->ctx;
	uint32_t i = numbered_find(&p->contexts, &key);
	const char *comm;

	if (i > 0)
		return i - 1;
	i = numbered_add(&p->contexts, g_memdup2(&key, sizeof(key)));
	output_printf(p->contexts.json, "[%u,\"%s\",%" G_GUINT32_FORMAT ",", r->cpu,
		      ctx_kind_name((enum ctx_kind)r->ctx), r->task);
	comm = r->task > 0 ? names_comm(current(p)->tf->names, r->task) : NULL;
	json_string(p->contexts.json, comm ? comm : "");
	output_printf(p->contexts.json, ",%u]", p->side);
	return i - 1;
}

static uint32_t kind_index(struct packer *p, uint16_t kind)
{
	const struct trace_kind_info *info = &trace_kinds[kind];
	const char *pattern = phrase_pattern(kind);
	struct output *o = p->kinds.json;
	uint32_t i = numbered_find(&p->kinds, info);

	if (i > 0)
		return i - 1;
	i = numbered_add(&p->kinds, (gpointer)info);
	output_str(o, "{\"name\":");
	json_string(o, info->name);
	json_key_string(o, "doc", info->doc);
	json_key_string(o, "words", pattern ? pattern : "");
	json_key(o, "args");
	output_char(o, '[');
	for (int a = 0; a < TRACE_NR_ARGS; a++) {
		if (a > 0)
			output_char(o, ',');
		json_string(o, info->arg[a]);
	}
	output_str(o, "]}");
	return i - 1;
}

/* ---- counters -------------------------------------------------------------------- */

static void add_counter(struct part *part, const struct series *series, const struct usage *usage)
{
	struct counter *c = g_new0(struct counter, 1);

	c->series = series;
	c->usage = usage;
	c->points = g_byte_array_new();
	g_ptr_array_add(part->counters, c);
}

static void counter_free(gpointer data)
{
	struct counter *c = data;

	g_byte_array_unref(c->points);
	g_free(c);
}

static bool may_change(const struct counter *c, const struct trace_record *r)
{
	return !c->usage || c->usage->memcg == r->obj;
}

/* The summary of the whole trace knows no events, so one is made that grows along. */
static void pack_counters(struct part *part, uint32_t event, const struct trace_record *r)
{
	bool charge = r->kind == TR_COUNTER_CHARGE || r->kind == TR_COUNTER_UNCHARGE;
	guint n = charge ? part->counters->len : NR_SERIES;

	summary_record(part->summary, r);
	while (part->counters->len < NR_SERIES + MIN(part->summary->usages->len, USAGES_MAX)) {
		const struct usage *u =
			g_ptr_array_index(part->summary->usages, part->counters->len - NR_SERIES);

		add_counter(part, &u->series, u);
		n = part->counters->len;
	}
	for (guint i = charge ? NR_SERIES : 0; i < n; i++) {
		struct counter *c = g_ptr_array_index(part->counters, i);

		if (!may_change(c, r) || c->series->now == c->value)
			continue;
		put_varint(c->points, event - c->event);
		put_varint(c->points, zigzag(c->series->now - c->value));
		c->event = event;
		c->value = c->series->now;
		c->nr_points++;
	}
}

static void put_counter(const struct part *part, const struct counter *c, unsigned int side,
			struct output *o)
{
	struct output *name = output_memory();

	if (c->usage) {
		names_put(part->tf->names, name, c->usage->memcg);
		output_char(name, ' ');
	}
	output_str(name, c->series->name);
	if (c->usage)
		output_str(name, ", pages");
	output_char(name, 0);
	output_str(o, "{\"name\":");
	json_string(o, name->buf);
	output_discard(name);
	json_key_u64(o, "side", side);
	json_key_u64(o, "n", c->nr_points);
	json_key(o, "points");
	put_base64(o, c->points);
	output_char(o, '}');
}

static void put_counters(const struct packer *p, struct output *o)
{
	bool first = true;

	output_char(o, '[');
	for (unsigned int side = 0; side < p->nr_parts; side++) {
		const struct part *part = &p->part[side];

		for (guint i = 0; i < part->counters->len; i++) {
			const struct counter *c = g_ptr_array_index(part->counters, i);

			if (c->nr_points == 0)
				continue;
			if (!first)
				output_char(o, ',');
			put_counter(part, c, side, o);
			first = false;
		}
	}
	output_char(o, ']');
}

/* ---- events ---------------------------------------------------------------------- */

static void pack_args(struct packer *p, const struct trace_record *r)
{
	GByteArray *a = p->columns[COL_ARGS];

	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		switch (trace_kinds[r->kind].arg[i][0]) {
		case 0:
			break;
		case 'o':
			put_object(p, a, (oid_t)r->arg[i]);
			break;
		case 's':
			put_varint(a, r->str ? string_index(p, r->str) : 0);
			break;
		case 'h':
			put_varint(a, string_index(p, holder_name((enum holder)r->arg[i])));
			break;
		default:
			put_varint(a, zigzag(r->arg[i]));
			break;
		}
	}
}

static uint32_t place_of(const struct part *part, uint32_t event)
{
	return part->at ? part->at[event] : event;
}

/* A cause that is not in the trace, or not before its effect, cannot be drawn. */
static bool pack_cause(struct packer *p, const struct trace_record *r)
{
	const struct part *part = current(p);
	const struct trace_record *cause = r->cause ? trace_file_find(part->tf, r->cause) : NULL;
	const struct trace_record *first = &g_array_index(part->tf->events, struct trace_record, 0);

	if (!cause || cause >= r)
		return false;
	put_varint(p->columns[COL_CAUSE], place_of(part, (uint32_t)(r - first)) -
						  place_of(part, (uint32_t)(cause - first)));
	put_varint(p->columns[COL_CAUSE], string_index(p, via_name((enum via)r->via)));
	return true;
}

/* @i of the events of @side comes next; @index counts those of both. */
static void pack_event(struct packer *p, unsigned int side, uint32_t i, uint32_t index)
{
	struct part *part = &p->part[side];
	const struct trace_record *r = &g_array_index(part->tf->events, struct trace_record, i);
	/* Time that runs backwards would only be a broken trace: it stands still instead. */
	uint64_t t = MAX(r->t, part->last_t);
	uint32_t has;

	p->side = side;
	has = pack_cause(p, r) ? HAS_CAUSE : 0;
	if (r->seq != part->last_seq + 1) {
		put_varint(p->columns[COL_SEQ], r->seq - part->last_seq);
		has |= HAS_SEQ;
	}
	put_varint(p->columns[COL_CTX], (uint64_t)context_index(p, r) << 2 | has);
	put_varint(p->columns[COL_T], t - part->last_t);
	put_varint(p->columns[COL_KIND], kind_index(p, r->kind) * 2u + phrase_is_noise(r));
	put_object(p, p->columns[COL_OBJ], r->obj);
	pack_args(p, r);
	put_varint(p->columns[COL_STACK], frame_index(p, r->stack));
	pack_counters(part, index, r);
	part->last_seq = r->seq;
	part->last_t = t;
}

/*
 * How an event stands to the other run: does it begin a column, what is it to its
 * partner, and where is that, 0 for nowhere.
 */
static void pack_pair(struct packer *p, const GArray *aligned, guint k)
{
	const struct aligned *e = &g_array_index(aligned, struct aligned, k);
	bool begins = k == 0 || e->column != (e - 1)->column;
	GByteArray *a = p->columns[COL_PAIR];

	put_varint(a, (uint64_t)e->pairing << 1 | begins);
	put_varint(a, e->partner == NONE ? 0 : zigzag((int64_t)e->partner - (int64_t)k) + 1);
}

/* ---- the rest -------------------------------------------------------------------- */

static void put_table(struct output *o, const char *name, const struct numbered *t)
{
	json_key(o, name);
	output_char(o, '[');
	output_bytes(o, t->json->buf, t->json->len);
	output_char(o, ']');
}

/*
 * Number of the name of object @i, times two, plus one if "#" and the object's own
 * number follow; 0 if it has none.
 */
static uint64_t name_of(struct packer *p, const struct names *names, oid_t id)
{
	g_autofree char *number = g_strdup_printf("#%" G_GUINT64_FORMAT, oid_nr(id));
	struct output *name;
	bool numbered;
	uint32_t i;

	if (!names_of(names, id))
		return 0;
	name = output_memory();
	names_put(names, name, id);
	output_char(name, 0);
	numbered = g_str_has_suffix(name->buf, number);
	if (numbered)
		name->buf[strlen(name->buf) - strlen(number)] = 0;
	i = string_index(p, name->buf);
	output_discard(name);
	return (uint64_t)i << 1 | numbered;
}

/* Of each object its kind and side, its number, its name, and what a work item is about. */
static void pack_objects(struct packer *p, GByteArray *a)
{
	for (guint i = 0; i < p->objects_in_order->len; i++) {
		const struct packed_object *object =
			&g_array_index(p->objects_in_order, struct packed_object, i);
		const struct part *part = &p->part[object->side];
		oid_t subject = names_subject(part->tf->names, object->id);
		gpointer about = subject ? g_hash_table_lookup(part->objects, &subject) : NULL;

		put_varint(a, (uint64_t)oid_kind(object->id) << 1 | object->side);
		put_varint(a, oid_nr(object->id));
		put_varint(a, name_of(p, part->tf->names, object->id));
		put_varint(a, GPOINTER_TO_UINT(about));
	}
}

static void put_objects(const struct packer *p, const GByteArray *objects, struct output *o)
{
	json_key_u64(o, "nr_objects", p->objects_in_order->len);
	json_key(o, "objects");
	put_base64(o, objects);
}

static void put_object_kinds(struct output *o)
{
	json_key(o, "object_kinds");
	for (int k = 0; k < NR_OBJECT_KINDS; k++) {
		output_char(o, k == 0 ? '[' : ',');
		json_string(o, object_kind_name((enum object_kind)k));
	}
	output_char(o, ']');
}

/* What @v is in conflict with, unless the checker named it anyway; 0 for nothing. */
static uint64_t unnamed_conflict(const struct trace_file *tf, const struct trace_violation *v)
{
	struct race_sides sides;

	race_sides(tf, v, &sides);
	g_free(sides.order);
	for (size_t i = 0; i < G_N_ELEMENTS(v->related); i++) {
		if (v->related[i] == sides.conflict)
			return 0;
	}
	return sides.conflict;
}

static void put_violation(struct packer *p, const struct trace_violation *v, struct output *o)
{
	const struct trace_file *tf = current(p)->tf;
	uint64_t conflict = v == trace_file_blamed(tf) ? unnamed_conflict(tf, v) : 0;
	bool first = true;

	output_str(o, "{\"rule\":");
	json_string(o, v->rule);
	json_key_u64(o, "seq", v->seq);
	json_key_u64(o, "side", p->side);
	json_key_u64(o, "obj", object_index(p, v->obj));
	json_key_string(o, "msg", v->msg);
	json_key(o, "related");
	output_char(o, '[');
	for (size_t i = 0; i < G_N_ELEMENTS(v->related); i++) {
		if (v->related[i] == 0)
			continue;
		if (!first)
			output_char(o, ',');
		output_u64(o, v->related[i]);
		first = false;
	}
	if (conflict != 0)
		output_printf(o, "%s%" G_GUINT64_FORMAT, first ? "" : ",", conflict);
	output_str(o, "]}");
}

/* The one that the reports are about comes first: there the page opens. */
static void put_violations(struct packer *p, struct output *o)
{
	const char *before = "[";

	json_key(o, "violations");
	for (p->side = 0; p->side < p->nr_parts; p->side++) {
		const struct trace_file *tf = current(p)->tf;
		const struct trace_violation *blamed = trace_file_blamed(tf);

		for (guint i = 0; i <= tf->violations->len && blamed; i++) {
			const struct trace_violation *v =
				i == 0 ? blamed
				       : &g_array_index(tf->violations, struct trace_violation,
							i - 1);

			if (i > 0 && v == blamed)
				continue;
			output_str(o, before);
			put_violation(p, v, o);
			before = ",";
		}
	}
	output_str(o, *before == '[' ? "[]" : "]");
}

static void put_text(struct output *o, const char *name, struct output *text)
{
	output_char(text, 0);
	json_key_string(o, name, text->buf);
	output_discard(text);
}

/* The reports that are pasted into mails. */
static void put_reports(const struct trace_file *tf, struct output *o)
{
	const struct trace_violation *v;
	struct output *race, *splat;

	if (tf->violations->len == 0)
		return;
	v = trace_file_blamed(tf);
	race = output_memory();
	race_table_write(tf, v, RACE_BY_AUTO, race);
	put_text(o, "race", race);
	splat = output_memory();
	text_splat(tf, v, tf->replay, splat);
	put_text(o, "splat", splat);
	if (ledger_blamed(tf) != 0) {
		struct output *ledger = output_memory();

		ledger_write(tf, ledger_blamed(tf), false, ledger);
		put_text(o, "ledger", ledger);
	}
}

/* What the bugs are that were switched on, as far as this program knows them. */
static void put_variants(const struct trace_file *tf, struct output *o)
{
	bool first = true;

	json_key(o, "bugs");
	output_char(o, '[');
	for (guint i = 0; i + 1 < tf->variants->len; i++) {
		int v = variant_index(g_ptr_array_index(tf->variants, i));

		if (v < 0)
			continue;
		output_str(o, first ? "{\"name\":" : ",{\"name\":");
		json_string(o, variant_infos[v]->name);
		json_key_string(o, "summary", variant_infos[v]->summary);
		json_key_string(o, "fix", variant_infos[v]->fix ? variant_infos[v]->fix : "");
		output_char(o, '}');
		first = false;
	}
	output_char(o, ']');
}

/* Of each run: what it was, and the reports of its first violation. */
static void put_run(const struct trace_file *tf, struct output *o)
{
	output_str(o, "{\"scenario\":");
	json_string(o, tf->scenario);
	json_key_string(o, "design", tf->lifecycle);
	json_key(o, "variants");
	json_strings(o, (const char *const *)tf->variants->pdata);
	/* As text: a script's numbers end at 2^53. */
	output_printf(o, ",\"seed\":\"%" G_GUINT64_FORMAT "\"", tf->seed);
	json_key_string(o, "order", tf->order);
	json_key_u64(o, "cpus", tf->nr_cpus);
	json_key(o, "untimed");
	output_str(o, tf->untimed ? "true" : "false");
	json_key(o, "complete");
	output_str(o, tf->ended ? "true" : "false");
	json_key_string(o, "verdict", verdict_name(tf->verdict));
	json_key_string(o, "replay", tf->replay ? tf->replay : "");
	json_key_u64(o, "dropped", tf->nr_dropped);
	json_key_u64(o, "nr_violations", MAX(tf->nr_violations, tf->violations->len));
	json_key_u64(o, "end", tf->end);
	json_key_u64(o, "n", tf->events->len);
	put_reports(tf, o);
	put_variants(tf, o);
	output_char(o, '}');
}

static void put_columns(const struct packer *p, struct output *o)
{
	for (int i = 0; i < NR_COLUMNS; i++) {
		output_str(o, i == 0 ? ",\"columns\":{\"" : ",\"");
		output_str(o, column_names[i]);
		output_str(o, "\":");
		put_base64(o, p->columns[i]);
	}
	output_char(o, '}');
}

static void part_init(struct part *part, const struct trace_file *tf)
{
	part->tf = tf;
	part->objects = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	part->summary = summary_new();
	part->counters = g_ptr_array_new_with_free_func(counter_free);
	for (int i = 0; i < NR_SERIES; i++)
		add_counter(part, &part->summary->series[i], NULL);
}

static void part_clear(struct part *part)
{
	g_hash_table_destroy(part->objects);
	g_ptr_array_unref(part->counters);
	summary_free(part->summary);
	g_free(part->at);
}

static void packer_init(struct packer *p, const struct trace_file *a, const struct trace_file *b)
{
	memset(p, 0, sizeof(*p));
	part_init(&p->part[p->nr_parts++], a);
	if (b)
		part_init(&p->part[p->nr_parts++], b);
	numbered_init(&p->kinds, g_direct_hash, g_direct_equal, NULL);
	numbered_init(&p->contexts, g_int64_hash, g_int64_equal, g_free);
	numbered_init(&p->strings, g_str_hash, g_str_equal, g_free);
	numbered_init(&p->frames, g_direct_hash, g_direct_equal, NULL);
	for (int i = 0; i < NR_COLUMNS; i++)
		p->columns[i] = g_byte_array_new();
	p->objects_in_order = g_array_new(FALSE, FALSE, sizeof(struct packed_object));
}

static void packer_clear(struct packer *p)
{
	for (unsigned int side = 0; side < p->nr_parts; side++)
		part_clear(&p->part[side]);
	numbered_clear(&p->kinds);
	numbered_clear(&p->contexts);
	numbered_clear(&p->strings);
	numbered_clear(&p->frames);
	for (int i = 0; i < NR_COLUMNS; i++)
		g_byte_array_unref(p->columns[i]);
	g_array_unref(p->objects_in_order);
}

static void put_runs(const struct packer *p, struct output *o)
{
	output_str(o, "{\"runs\":[");
	for (unsigned int side = 0; side < p->nr_parts; side++) {
		if (side > 0)
			output_char(o, ',');
		put_run(p->part[side].tf, o);
	}
	output_char(o, ']');
}

static uint64_t counters_left(const struct packer *p)
{
	uint64_t left = 0;

	for (unsigned int side = 0; side < p->nr_parts; side++) {
		guint n = p->part[side].summary->usages->len;

		left += n - MIN(n, USAGES_MAX);
	}
	return left;
}

/* Once all events are packed: everything, as one object. */
static void put_packed(struct packer *p, uint32_t nr_events, const char *diff, struct output *o)
{
	g_autoptr(GByteArray) objects = g_byte_array_new();

	put_runs(p, o);
	if (diff)
		json_key_string(o, "diff", diff);
	json_key_u64(o, "n", nr_events);
	/* These may give numbers to objects and strings that no event has. */
	put_violations(p, o);
	pack_objects(p, objects);
	put_table(o, "kinds", &p->kinds);
	put_table(o, "contexts", &p->contexts);
	put_table(o, "strings", &p->strings);
	put_table(o, "frames", &p->frames);
	put_object_kinds(o);
	put_objects(p, objects, o);
	json_key_u64(o, "counters_left", counters_left(p));
	json_key(o, "counters");
	put_counters(p, o);
	put_columns(p, o);
	output_str(o, "}\n");
}

void html_pack(const struct trace_file *tf, struct output *o)
{
	struct packer p;

	packer_init(&p, tf, NULL);
	for (guint i = 0; i < tf->events->len; i++)
		pack_event(&p, 0, i, i);
	put_packed(&p, tf->events->len, NULL, o);
	packer_clear(&p);
}

static char *diff_text(const struct trace_file *a, const struct trace_file *b,
		       const struct diff_options *opt)
{
	struct output *o = output_memory();
	char *text;

	diff_write(a, b, opt, o);
	text = g_strndup(o->buf, o->len);
	output_discard(o);
	return text;
}

void html_pack_diff(const struct trace_file *a, const struct trace_file *b,
		    const struct diff_options *opt, struct output *o)
{
	/* As on the axis: times shift with everything that came before. */
	const struct diff_options in_order = {.ignore_time = true, .verbose = opt->verbose};
	g_autoptr(GArray) aligned = diff_align(a, b);
	g_autofree char *text = diff_text(a, b, &in_order);
	struct packer p;

	packer_init(&p, a, b);
	p.part[0].at = g_new(uint32_t, a->events->len + 1);
	p.part[1].at = g_new(uint32_t, b->events->len + 1);
	for (guint k = 0; k < aligned->len; k++) {
		const struct aligned *e = &g_array_index(aligned, struct aligned, k);

		p.part[e->side].at[e->event] = k;
		pack_event(&p, e->side, e->event, k);
		pack_pair(&p, aligned, k);
	}
	put_packed(&p, aligned->len, text, o);
	packer_clear(&p);
}
