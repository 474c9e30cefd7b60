// SPDX-License-Identifier: GPL-2.0-only
#include "reports/states.h"

#include "reports/export.h"
#include "reports/ledger_fold.h"
#include "reports/phrase.h"
#include "reports/text.h"

#define PIN_WIDTH 52
#define PINS_MAX 40
#define DEPTH_MAX 3 /* who holds the one who holds the one who holds a memcg */

/* The run up to some event. */
struct moment {
	const struct trace_file *tf;
	struct summary *summary;
	GHashTable *ledgers; /* object -> struct ledger */
	uint64_t t;
};

/* One way in which memcgs are pinned. */
struct pin {
	char *text;
	uint64_t nr_refs, since;
	GHashTable *memcgs;
};

static void put_time(const struct trace_file *tf, struct output *o, uint64_t t)
{
	phrase_time(o, t, tf->untimed);
	output_str(o, tf->untimed ? " steps" : " us");
}

/* ---- folding ----------------------------------------------------------------------------- */

static void ledger_free(gpointer data)
{
	struct ledger *l = data;

	g_array_unref(l->takes);
	g_free(l);
}

static struct ledger *ledger_of(struct moment *m, oid_t obj)
{
	struct ledger *l = g_hash_table_lookup(m->ledgers, &obj);

	if (l)
		return l;
	l = g_new0(struct ledger, 1);
	l->tf = m->tf;
	l->obj = obj;
	l->takes = g_array_new(FALSE, FALSE, sizeof(struct take));
	g_hash_table_insert(m->ledgers, &l->obj, l);
	return l;
}

static void fold(struct moment *m, guint nr_events)
{
	m->summary = summary_new();
	m->ledgers = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, ledger_free);
	for (guint i = 0; i < nr_events; i++) {
		const struct trace_record *r = event_at(m->tf, i);

		summary_record(m->summary, r);
		if (ledger_is_ref(r->kind))
			ledger_apply(ledger_of(m, r->obj), r);
		else if (r->kind == TR_OBJ_FREE)
			g_hash_table_remove(m->ledgers, &r->obj);
		m->t = r->t;
	}
}

static void moment_clear(struct moment *m)
{
	summary_free(m->summary);
	g_hash_table_destroy(m->ledgers);
}

/* ---- states ------------------------------------------------------------------------------ */

static enum life_stage stage_of(const struct life *l)
{
	enum life_stage stage = LIFE_CREATED;

	for (int i = 0; i < NR_LIFE_STAGES; i++) {
		if (l->seen[i])
			stage = (enum life_stage)i;
	}
	return stage;
}

static void put_states(const char *what, const GPtrArray *lives,
		       const char *const names[NR_LIFE_STAGES], struct output *o)
{
	unsigned int n[NR_LIFE_STAGES] = {0};

	for (guint i = 0; i < lives->len; i++)
		n[stage_of(g_ptr_array_index(lives, i))]++;
	output_printf(o, "  %-7s", what);
	for (int i = 0; i < NR_LIFE_STAGES; i++)
		output_printf(o, "  %s %u", names[i], n[i]);
	output_char(o, '\n');
}

static void put_all_states(const struct moment *m, struct output *o)
{
	static const char *const of_caches[NR_LIFE_STAGES] = {
		"created", "active", "deactivated", "killed", "shut down", "freed",
	};
	static const char *const of_memcgs[NR_LIFE_STAGES] = {
		"created", "online", "offline", "killed", "released", "freed",
	};

	put_states("memcgs", m->summary->memcgs, of_memcgs, o);
	put_states("caches", m->summary->caches, of_caches, o);
}

/* ---- pins -------------------------------------------------------------------------------- */

static bool is_dying(const struct life *l)
{
	return (l->seen[LIFE_OFFLINE] || l->seen[LIFE_KILLED]) && !l->seen[LIFE_FREED];
}

static uint64_t dying_since(const struct life *l)
{
	if (!l->seen[LIFE_OFFLINE] || !l->seen[LIFE_KILLED])
		return l->seen[LIFE_OFFLINE] ? l->at[LIFE_OFFLINE] : l->at[LIFE_KILLED];
	return MIN(l->at[LIFE_OFFLINE], l->at[LIFE_KILLED]);
}

/* Children are called after their root, "dentry(3:box)": for a group the root is enough. */
static void put_class(const struct moment *m, struct output *o, oid_t obj)
{
	const char *name = oid_kind(obj) == OBJ_CACHE ? names_of(m->tf->names, obj) : NULL;

	if (name) {
		output_str(o, "cache ");
		clean_text(o, name, strcspn(name, "("));
	} else {
		output_str(o, object_kind_name(oid_kind(obj)));
	}
}

static void put_holders(struct moment *m, struct output *o, oid_t obj, int depth);

static void put_holder(struct moment *m, struct output *o, enum holder holder, oid_t owner,
		       int depth)
{
	output_str(o, holder_name(holder));
	/* Pages and objects come in thousands, and what kind they are is said. */
	if (owner == 0 || !g_hash_table_contains(m->ledgers, &owner))
		return;
	output_str(o, " (");
	put_class(m, o, owner);
	put_holders(m, o, owner, depth + 1);
	output_char(o, ')');
}

/* What holds @obj itself: each kind of holder once. */
static void put_holders(struct moment *m, struct output *o, oid_t obj, int depth)
{
	const struct ledger *l = g_hash_table_lookup(m->ledgers, &obj);
	bool seen[NR_HOLDERS] = {false}, any = false;

	if (!l || depth > DEPTH_MAX)
		return;
	for (guint i = 0; i < l->takes->len; i++) {
		const struct take *t = ledger_take(l, i);

		if (seen[t->holder])
			continue;
		seen[t->holder] = true;
		output_str(o, any ? ", " : " <- ");
		put_holder(m, o, t->holder, t->owner, depth);
		any = true;
	}
}

static void pin_free(gpointer data)
{
	struct pin *p = data;

	g_free(p->text);
	g_hash_table_destroy(p->memcgs);
	g_free(p);
}

static struct pin *pin_called(GPtrArray *pins, const char *text)
{
	struct pin *p;

	for (guint i = 0; i < pins->len; i++) {
		p = g_ptr_array_index(pins, i);
		if (strcmp(p->text, text) == 0)
			return p;
	}
	p = g_new0(struct pin, 1);
	p->text = g_strdup(text);
	p->since = UINT64_MAX;
	p->memcgs = g_hash_table_new(NULL, NULL);
	g_ptr_array_add(pins, p);
	return p;
}

static void add_pin(struct moment *m, GPtrArray *pins, const struct life *memcg,
		    const struct take *t)
{
	struct output *o = output_memory();
	struct pin *p;

	put_holder(m, o, t->holder, t->owner, 0);
	output_char(o, 0);
	p = pin_called(pins, o->buf);
	output_discard(o);
	p->nr_refs += (uint64_t)t->n;
	p->since = MIN(p->since, (uint64_t)t->r->t);
	g_hash_table_add(p->memcgs, (gpointer)memcg);
}

/* By number of memcgs, then of references, then by name. */
static gint compare_pins(gconstpointer a, gconstpointer b)
{
	const struct pin *x = *(struct pin *const *)a, *y = *(struct pin *const *)b;
	guint nx = g_hash_table_size(x->memcgs), ny = g_hash_table_size(y->memcgs);

	if (nx != ny)
		return nx > ny ? -1 : 1;
	if (x->nr_refs != y->nr_refs)
		return x->nr_refs > y->nr_refs ? -1 : 1;
	return strcmp(x->text, y->text);
}

static void put_pin(const struct moment *m, const struct pin *p, struct output *o)
{
	output_printf(o, "  %-*.*s %7u %7" G_GUINT64_FORMAT "  ", PIN_WIDTH, PIN_WIDTH, p->text,
		      g_hash_table_size(p->memcgs), p->nr_refs);
	put_time(m->tf, o, m->t - MIN(m->t, p->since));
	output_char(o, '\n');
	/* What does not fit goes on below: it is the answer. */
	for (size_t at = PIN_WIDTH; at < strlen(p->text); at += TEXT_COLUMNS - 6)
		output_printf(o, "      %.*s\n", TEXT_COLUMNS - 6, p->text + at);
}

static void put_oldest(const struct moment *m, const struct life *l, struct output *o)
{
	char buf[32];

	output_str(o, "  longest: ");
	names_put(m->tf->names, o, l->id);
	output_str(o, ", dying for ");
	put_time(m->tf, o, m->t - MIN(m->t, dying_since(l)));
	output_printf(o, "; --ledger %s says who took each reference\n", oid_text(l->id, buf));
}

static void put_pins(struct moment *m, struct output *o)
{
	g_autoptr(GPtrArray) pins = g_ptr_array_new_with_free_func(pin_free);
	const struct life *oldest = NULL;
	unsigned int free_of_pins = 0;

	for (guint i = 0; i < m->summary->memcgs->len; i++) {
		const struct life *memcg = g_ptr_array_index(m->summary->memcgs, i);
		const struct ledger *l = g_hash_table_lookup(m->ledgers, &memcg->id);

		if (!is_dying(memcg))
			continue;
		if (!oldest || dying_since(memcg) < dying_since(oldest))
			oldest = memcg;
		free_of_pins += !l || l->takes->len == 0;
		for (guint k = 0; l && k < l->takes->len; k++)
			add_pin(m, pins, memcg, ledger_take(l, k));
	}
	g_ptr_array_sort(pins, compare_pins);
	output_printf(o, "  %-*s %7s %7s  oldest\n", PIN_WIDTH, "pinned by", "memcgs", "refs");
	for (guint i = 0; i < MIN(pins->len, PINS_MAX); i++)
		put_pin(m, g_ptr_array_index(pins, i), o);
	if (pins->len > PINS_MAX)
		output_printf(o, "  ... and %u more\n", pins->len - PINS_MAX);
	if (free_of_pins > 0)
		output_printf(o, "  %-*s %7u\n", PIN_WIDTH, "nothing: its release is under way",
			      free_of_pins);
	put_oldest(m, oldest, o);
}

/* ---- the whole --------------------------------------------------------------------------- */

/*
 * Events up to where the run stood still for longest while as many memcgs were dying as
 * ever: what somebody who looks would most likely have seen.
 */
static guint find_peak(const struct trace_file *tf, int64_t *peak)
{
	struct summary *s = summary_new();
	const struct series *dying = &s->series[SERIES_DYING];
	uint64_t longest = 0;
	guint at = 0;

	*peak = 0;
	for (guint i = 0; i < tf->events->len; i++) {
		const struct trace_record *r = event_at(tf, i);
		uint64_t next = i + 1 < tf->events->len ? event_at(tf, i + 1)->t : export_end(tf);
		uint64_t stood = next - MIN(next, (uint64_t)r->t);

		summary_record(s, r);
		if (dying->now < *peak || (dying->now == *peak && stood <= longest))
			continue;
		*peak = dying->now;
		longest = stood;
		at = i + 1;
	}
	summary_free(s);
	return at;
}

static void put_moment(const struct trace_file *tf, guint nr_events, const char *when,
		       struct output *o)
{
	struct moment m = {.tf = tf};
	int64_t dying;

	fold(&m, nr_events);
	if (nr_events == tf->events->len)
		m.t = MAX(m.t, export_end(tf));
	dying = m.summary->series[SERIES_DYING].now;
	output_printf(o, "%s ", when);
	put_time(tf, o, m.t);
	output_printf(o, ": %" G_GINT64_FORMAT " dying memcg%s\n", dying, dying == 1 ? "" : "s");
	put_all_states(&m, o);
	if (dying > 0)
		put_pins(&m, o);
	moment_clear(&m);
}

void states_write(const struct trace_file *tf, struct output *o)
{
	int64_t peak;
	guint at = find_peak(tf, &peak);

	output_str(o, "STATES  (dying memcgs are what cgroup.stat counts as "
		      "nr_dying_descendants)\n\n");
	put_moment(tf, tf->events->len, "AT THE END,", o);
	if (at > 0 && at < tf->events->len && peak > 0) {
		output_char(o, '\n');
		put_moment(tf, at, "AT THE PEAK,", o);
	}
	if (tf->nr_dropped > 0)
		output_printf(o,
			      "\nThe first %" G_GUINT64_FORMAT
			      " events were not kept: what was taken there is missing.\n",
			      tf->nr_dropped);
}
