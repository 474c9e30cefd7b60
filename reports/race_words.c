// SPDX-License-Identifier: GPL-2.0-only
#include "reports/race_words.h"

#include "reports/phrase.h"
#include "sim/explore/verbs.h"

/* Letters of each kind of object; whoever comes when they are used up keeps his name. */
enum letter_pool { POOL_ROOT, POOL_CHILD, POOL_MEMCG, POOL_CGROUP, POOL_SLAB, POOL_OBJ, NR_POOLS };

static const char *const pools[NR_POOLS] = {
	[POOL_ROOT] = "RST",  [POOL_CHILD] = "CDEF", [POOL_MEMCG] = "MN",
	[POOL_CGROUP] = "GH", [POOL_SLAB] = "PQ",    [POOL_OBJ] = "XY",
};

void words_init(struct words *w, const struct slice *s)
{
	w->s = s;
	w->in_full = false;
	w->letters = g_array_new(FALSE, FALSE, sizeof(struct lettered));
	w->roots = g_hash_table_new(g_int64_hash, g_int64_equal);
	w->memcgs = g_hash_table_new(g_int64_hash, g_int64_equal);
	for (guint i = 0; i < s->tf->events->len; i++) {
		struct trace_record *r = &g_array_index(s->tf->events, struct trace_record, i);

		if (r->kind != TR_CACHE_CREATE || r->arg[0] == 0)
			continue;
		g_hash_table_insert(w->roots, &r->obj, &r->arg[0]);
		g_hash_table_insert(w->memcgs, &r->obj, &r->arg[1]);
	}
}

void words_clear(struct words *w)
{
	g_array_unref(w->letters);
	g_hash_table_destroy(w->roots);
	g_hash_table_destroy(w->memcgs);
}

/* ---- objects ------------------------------------------------------------------- */

static int pool_of(const struct words *w, oid_t obj)
{
	switch (oid_kind(obj)) {
	case OBJ_CACHE:
		return g_hash_table_contains(w->roots, &obj) ? POOL_CHILD : POOL_ROOT;
	case OBJ_MEMCG:
		return POOL_MEMCG;
	case OBJ_CGROUP:
		return POOL_CGROUP;
	case OBJ_SLAB:
		return POOL_SLAB;
	case OBJ_OBJ:
		return POOL_OBJ;
	default:
		return -1;
	}
}

static char *full_name(const struct words *w, oid_t obj)
{
	struct output *o = output_memory();
	char *name;

	names_put(w->s->tf->names, o, obj);
	name = g_strndup(o->buf, o->len);
	output_discard(o);
	return name;
}

/* A letter if one is left, else the name. */
static char *short_name(struct words *w, oid_t obj)
{
	int pool;
	guint used = 0;

	/* A work item is what it works on. */
	if (oid_kind(obj) == OBJ_WORK && names_subject(w->s->tf->names, obj) != 0)
		obj = names_subject(w->s->tf->names, obj);
	if (w->in_full)
		return full_name(w, obj);
	pool = pool_of(w, obj);
	for (guint i = 0; i < w->letters->len; i++) {
		const struct lettered *l = &g_array_index(w->letters, struct lettered, i);

		if (l->obj == obj)
			return g_strdup(l->letter);
		used += pool_of(w, l->obj) == pool;
	}
	if (pool < 0 || used >= strlen(pools[pool]))
		return full_name(w, obj);
	{
		struct lettered l = {obj, {pools[pool][used]}};

		g_array_append_val(w->letters, l);
		return g_strdup(l.letter);
	}
}

char *words_call(struct words *w, const char *func, oid_t obj)
{
	g_autofree char *name = obj ? short_name(w, obj) : g_strdup("");

	return g_strdup_printf("%s(%s)", func, name);
}

bool words_is_boring(const char *func)
{
	static const char *const boring[] = {
		"worker_thread",       "process_one_work", "rcu_core",	  "rcu_do_batch",
		"percpu_ref_put_many", "css_put_many",	   "queue_work",  "schedule_work",
		"on_each_cpu_mask",    "queue_rcu_work",   "offline_css", "slab_alloc",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(boring); i++) {
		if (strcmp(func, boring[i]) == 0)
			return true;
	}
	return false;
}

/* ---- rows ------------------------------------------------------------------------ */

static enum lock_sort sort_of(const struct words *w, const struct trace_record *r)
{
	gpointer nr = GUINT_TO_POINTER(oid_nr(r->obj));

	return (enum lock_sort)GPOINTER_TO_INT(g_hash_table_lookup(w->s->lock_kinds, nr));
}

bool words_has_verb(const struct trace_record *r)
{
	return verb_of(r, SORT_MUTEX) != NULL;
}

char *words_verb(struct words *w, const struct trace_record *r)
{
	const char *verb = verb_of(r, sort_of(w, r));

	switch (r->kind) {
	case TR_RCU_CALLBACK:
	case TR_OP_BEGIN:
	case TR_OP_END:
		verb = r->str;
		break;
	default:
		break;
	}
	return words_call(w, verb ? verb : trace_kinds[r->kind].name, verb_argument(r));
}

bool words_is_verb(struct words *w, const struct trace_record *r, const char *func)
{
	g_autofree char *verb = words_verb(w, r);
	size_t n = strlen(func);

	return strncmp(verb, func, n) == 0 && verb[n] == '(';
}

/* As the timeline says it, with letters where there are some. */
static char *phrase_of(struct words *w, const struct trace_record *r)
{
	struct output *o = output_memory();
	GString *s;

	phrase_put(w->s->tf->names, o, r);
	s = g_string_new_len(o->buf, (gssize)o->len);
	output_discard(o);
	for (guint i = 0; i < w->letters->len; i++) {
		const struct lettered *l = &g_array_index(w->letters, struct lettered, i);
		g_autofree char *name = full_name(w, l->obj);

		/* A short name may be a part of another word. */
		if (strlen(name) > 5)
			g_string_replace(s, name, l->letter, 0);
	}
	return g_string_free(s, FALSE);
}

char *words_remark(struct words *w, const struct trace_record *r)
{
	g_autofree char *phrase = phrase_of(w, r);

	return g_strconcat("// ", phrase, NULL);
}

/* What was queued about the object before @event and has not begun: "its work is queued". */
static const char *what_is_pending(const struct slice *s, uint32_t event)
{
	const struct stretch *st = s->violation == NO_INDEX ? NULL : slice_stretch(s, s->violation);
	uint32_t cause = st ? slice_cause(s, st) : NO_INDEX;

	if (cause == NO_INDEX || cause > event || st->first < event)
		return "";
	return slice_event(s, cause)->kind == TR_CALL_RCU ? ", its callback is pending"
							  : ", its work is queued";
}

/* Whoever is said to be dying goes away, unless others need it. */
static bool is_shut_down(const struct slice *s, uint32_t dying)
{
	for (uint32_t i = dying + 1; i < s->tf->events->len; i++) {
		const struct trace_record *r = slice_event(s, i);

		if (r->kind == TR_CACHE_SHUTDOWN && r->obj == slice_event(s, dying)->obj)
			return true;
	}
	return false;
}

static char *list_comment(struct words *w, const struct trace_record *r, const char *verb, int arg)
{
	g_autofree char *what = short_name(w, r->obj);
	g_autofree char *list = short_name(w, (oid_t)r->arg[arg]);

	return g_strdup_printf("// %s %s %s", what, verb, list);
}

static char *conflict_comment(struct words *w, const struct slice *s, const struct pick *p)
{
	const struct trace_record *r = slice_event(s, p->event);
	g_autofree char *name = r->obj ? short_name(w, r->obj) : g_strdup("it");

	switch (r->kind) {
	case TR_OBJ_FREE:
	case TR_SLAB_DISCARD:
		return g_strdup_printf("// %s is freed%s", name, what_is_pending(s, p->event));
	case TR_CACHE_SHUTDOWN:
		return g_strdup_printf("// %s is shut down%s", name, what_is_pending(s, p->event));
	case TR_REF_GET:
	case TR_REF_TRYGET:
		return g_strdup_printf("// a reference (%s)%s", holder_name((enum holder)r->arg[1]),
				       r->kind == TR_REF_TRYGET && !r->arg[0] ? ", not given" : "");
	case TR_CACHE_DYING:
		return g_strdup_printf("// %s is dying%s", name,
				       is_shut_down(s, p->event) ? "" : ", and stays alive");
	case TR_ACCESS:
		return r->str && g_str_has_suffix(r->str, ".dying") && r->arg[1] == 0
			       ? g_strdup_printf("// finds that %s is dying", name)
			       : NULL;
	case TR_LRU_ADD:
	case TR_LRU_DEL:
		return list_comment(w, r, r->kind == TR_LRU_ADD ? "is on" : "is off", 1);
	case TR_LRU_MOVE:
		return list_comment(w, r, "goes to", 1);
	case TR_SHRINKER_BIT:
		return g_strdup_printf("// its bit is %s", r->arg[2] ? "set" : "cleared");
	case TR_RCU_READ_LOCK:
		return g_strdup_printf("// nesting %" G_GINT64_FORMAT, r->arg[0]);
	case TR_TASK_BLOCK:
	case TR_LOCK_WAIT:
	case TR_FLUSH_BEGIN:
	case TR_FLUSH_WORK_BEGIN:
		return g_strdup("// waits");
	case TR_LOCK_ACQUIRE:
		return g_str_has_prefix(s->v->msg, "irq-unsafe") && !r->arg[1]
			       ? g_strdup("// interrupts are on")
			       : NULL;
	default:
		return NULL;
	}
}

/* The numbers in a checker's text mean nothing in a table that shows none. */
static char *without_seqs(const char *text)
{
	g_autoptr(GRegex) seqs = g_regex_new(
		" \\((at |since )?seq [0-9]+\\)|,? (taken at|at|since) seq [0-9]+| for work:[0-9]+",
		0, 0, NULL);

	return g_regex_replace_literal(seqs, text, -1, 0, "", 0, NULL);
}

static char *violation_comment(struct words *w, const struct slice *s, const struct pick *p)
{
	const struct trace_record *r = slice_event(s, p->event);
	g_autofree char *text = NULL;

	switch (r->kind) {
	case TR_WORK_NULL:
		return g_strdup_printf("// %s is NULL", r->str ? r->str : "its function");
	case TR_NULL_DEREF:
		return g_strdup_printf("// %s is NULL", r->str ? r->str : "a pointer");
	case TR_REF_EXIT:
		if (g_str_has_prefix(s->v->msg, "percpu_ref_exit on a ref that is still switching"))
			return g_strdup("// its counter still switches modes");
		break;
	case TR_MIGHT_SLEEP:
		return r->arg[1] > 0
			       ? g_strdup_printf(
					 "// may sleep, read section nesting %" G_GINT64_FORMAT,
					 r->arg[1])
			       : g_strdup("// may sleep in atomic context");
	default:
		break;
	}
	if (g_str_has_prefix(s->v->msg, "shut down with ") ||
	    g_str_has_prefix(s->v->msg, "freed with "))
		return g_strconcat("// ", strstr(s->v->msg, "with "), NULL);
	(void)w;
	text = without_seqs(s->v->msg);
	return strlen(text) <= 40 ? g_strconcat("// ", text, NULL) : NULL;
}

char *words_comment(struct words *w, const struct slice *s, const struct pick *p)
{
	const struct trace_record *r = slice_event(s, p->event);

	if (r->kind == TR_FAULT)
		return g_strdup_printf("// allocation fails: %s", r->str ? r->str : "");
	if (p->role == PICK_VIOLATION)
		return violation_comment(w, s, p);
	return p->role == PICK_CONFLICT ? conflict_comment(w, s, p) : NULL;
}

const char *words_context(const struct trace_file *tf, const struct trace_record *r)
{
	const char *comm = names_comm(tf->names, r->task);

	switch (r->ctx) {
	case CTX_KWORKER:
		return "kworker";
	case CTX_SOFTIRQ:
		return "softirq";
	case CTX_HARDIRQ:
		return "interrupt";
	default:
		return comm ? comm : "task";
	}
}

/* ---- sentences ------------------------------------------------------------------- */

char *words_caption(const struct trace_violation *v)
{
	static const char *const by_text[][2] = {
		{"NULL dereference", "NULL DEREFERENCE"},
		{"double free", "DOUBLE FREE"},
		{"shut down with", "SHUTDOWN WHILE REFERENCED"},
		{"freed with", "FREED WHILE REFERENCED"},
		{"order inversion", "POSSIBLE DEADLOCK"},
		{"irq-unsafe", "POSSIBLE DEADLOCK"},
		{"recursion", "RECURSIVE LOCK"},
		{"sleep in atomic", "SLEEP IN ATOMIC CONTEXT"},
		{"illegal context switch", "SLEEP IN READ SECTION"},
		{"deadlock", "DEADLOCK"},
		{"self-deadlock", "DEADLOCK"},
		{"lost wake-up", "LOST WAKE-UP"},
		{"livelock", "LIVELOCK"},
		{"grace period", "STALLED GRACE PERIOD"},
		{"work item with a NULL", "NULL FUNCTION"},
		{"percpu_ref_exit on a ref that is still switching", "FREED WHILE SWITCHING"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(by_text); i++) {
		if (g_str_has_prefix(v->msg, by_text[i][0]))
			return g_strdup(by_text[i][1]);
	}
	return g_ascii_strup(v->rule, -1);
}

static void describe(const struct words *w, const struct lettered *l, GString *s)
{
	g_autofree char *name = full_name(w, l->obj);
	const oid_t *root = g_hash_table_lookup(w->roots, &l->obj);
	const oid_t *memcg = g_hash_table_lookup(w->memcgs, &l->obj);

	g_string_append_printf(s, "%s is ", l->letter);
	switch (pool_of(w, l->obj)) {
	case POOL_ROOT:
		g_string_append_printf(s, "the root cache %s", name);
		break;
	case POOL_CHILD: {
		g_autofree char *of = full_name(w, *root);
		g_autofree char *for_whom = memcg ? full_name(w, *memcg) : g_strdup("?");

		g_string_append_printf(s, "the child of %s for %s", of, for_whom);
		break;
	}
	case POOL_CGROUP:
		g_string_append_printf(s, "the cgroup %s", name);
		break;
	case POOL_SLAB:
		g_string_append_printf(s, "the slab page %s", name);
		break;
	default:
		g_string_append(s, name);
		break;
	}
}

char *words_legend(const struct words *w)
{
	GString *s;

	if (w->letters->len == 0)
		return NULL;
	s = g_string_new("where ");
	for (guint i = 0; i < w->letters->len; i++) {
		if (i > 0)
			g_string_append(s, i + 1 == w->letters->len ? " and " : ", ");
		describe(w, &g_array_index(w->letters, struct lettered, i), s);
	}
	g_string_append_c(s, '.');
	return g_string_free(s, FALSE);
}

/* The call that @event stands for, as in its row, and who made it. */
static char *call_of(struct words *w, const struct slice *s, uint32_t event)
{
	const struct trace_record *r = slice_event(s, event);
	const char *comm = names_comm(s->tf->names, r->task);
	g_autofree char *call = NULL;

	if (words_has_verb(r) || !r->stack)
		call = words_verb(w, r);
	else
		call = words_call(w, r->stack->func, frame_argument(r));
	return g_strdup_printf("%s by %s", call,
			       comm && r->ctx != CTX_SOFTIRQ ? comm : words_context(s->tf, r));
}

/* Has what the event @posted queued begun before @until? */
static bool has_begun(const struct slice *s, uint32_t posted, uint32_t until)
{
	for (guint i = 0; i < s->stretches->len; i++) {
		const struct stretch *st = &g_array_index(s->stretches, struct stretch, i);

		if (st->first < until && slice_cause(s, st) == posted)
			return true;
	}
	return false;
}

static char *say_unordered(struct words *w, const struct slice *s, uint32_t a, uint32_t b)
{
	g_autofree char *first = call_of(w, s, a);
	g_autofree char *second = call_of(w, s, b);

	return g_strdup_printf("%s%s came before %s, and nothing orders the two: no work item, "
			       "callback, wake-up, flush, grace period or last put leads from the "
			       "one to the other.",
			       s->guessed ? "As far as the trace tells, " : "", first, second);
}

static char *order_of_sides(struct words *w, const struct slice *s)
{
	const struct trace_record *c = slice_event(s, s->conflict);
	uint32_t posted = slice_cause(s, slice_stretch(s, s->violation));
	const char *what = c->kind == TR_CALL_RCU ? "callback" : "work item";
	g_autofree char *first = NULL, *second = NULL;

	first = call_of(w, s, s->conflict);
	second = call_of(w, s, s->violation);
	if ((c->kind == TR_CALL_RCU || c->kind == TR_QUEUE_WORK) &&
	    !has_begun(s, s->conflict, s->violation))
		return g_strdup_printf(
			"The %s of %s is still pending: nothing makes %s wait for it.", what, first,
			second);
	if (!slice_ordered(s, s->conflict, s->violation))
		return say_unordered(w, s, s->conflict, s->violation);
	/* What came in between what the violation needed and the violation itself. */
	if (posted != NO_INDEX && posted < s->conflict && !slice_ordered(s, posted, s->conflict))
		return say_unordered(w, s, posted, s->conflict);
	if (s->stretch_of[s->conflict] == s->stretch_of[s->violation])
		return g_strdup_printf(
			"%s and %s follow each other in one call chain: the order of "
			"other contexts does not change that.",
			first, second);
	return g_strdup_printf(
		"%s comes before %s in every order that has the same causes: what is "
		"wrong is not which of the two comes first.",
		first, second);
}

/*
 * A deadlock, a leak, a wait without end, or something that nobody else is known to have had a part
 * in: what the checker says, in words without numbers.
 */
static char *order_of_end(struct words *w, const struct slice *s)
{
	bool at_end = s->violation == NO_INDEX || slice_event(s, s->violation)->task == 0;
	g_autofree char *text = without_seqs(s->v->msg);
	bool loops = g_str_has_prefix(text, "livelock");
	GString *said = g_string_new(loops ? "From here on, " : at_end ? "At the end, " : NULL);
	const char *p = loops ? text + strlen("livelock: ") : text;

	for (const char *c; *p; p = c) {
		/* Objects by the name that the table gives them. */
		oid_t id = 0;

		c = p + 1;
		for (int kind = 1; kind < NR_OBJECT_KINDS && id == 0; kind++) {
			size_t n = strlen(object_kind_name((enum object_kind)kind));
			char *end;

			if (strncmp(p, object_kind_name((enum object_kind)kind), n) != 0 ||
			    p[n] != ':' || !g_ascii_isdigit(p[n + 1]) ||
			    (p > text && g_ascii_isalnum(p[-1])))
				continue;
			id = oid_make((enum object_kind)kind,
				      g_ascii_strtoull(p + n + 1, &end, 10));
			c = end;
		}
		if (id != 0) {
			g_autofree char *name = short_name(w, id);
			size_t n = strcspn(name, "#");

			g_string_append(said, name);
			/* "lock:10 b": the checker gives the name as well, without a number. */
			if (*c == ' ' && strncmp(c + 1, name, n) == 0 && !g_ascii_isalnum(c[1 + n]))
				c += 1 + n;
		} else {
			g_string_append_c(said, *p);
		}
	}
	g_string_append(said, ".");
	said->str[0] = g_ascii_toupper(said->str[0]);
	return g_string_free(said, FALSE);
}

static char *order_of_leak(struct words *w, const struct slice *s)
{
	g_autofree char *end = order_of_end(w, s);

	for (guint i = 0; i < s->picks->len; i++) {
		const struct pick *p = &g_array_index(s->picks, struct pick, i);
		const struct trace_record *r = slice_event(s, p->event);
		g_autofree char *call = NULL;

		if (p->role == PICK_CONFLICT && r->kind == TR_CACHE_DYING &&
		    !is_shut_down(s, p->event)) {
			g_autofree char *root = short_name(w, r->obj);

			return g_strdup_printf("%s %s is said to be dying, which leaves its "
					       "children to a shutdown of it that never comes.",
					       end, root);
		}
		if (p->role != PICK_CONFLICT || (r->kind != TR_REF_GET && r->kind != TR_REF_TRYGET))
			continue;
		call = call_of(w, s, p->event);
		return g_strdup_printf("%s Nothing drops the reference (%s) that %s took.", end,
				       holder_name((enum holder)r->arg[1]), call);
	}
	return g_steal_pointer(&end);
}

char *words_order(struct words *w, const struct slice *s)
{
	if (g_str_has_prefix(s->v->msg, "irq-unsafe"))
		return g_strdup("An interrupt that comes while its CPU holds the lock, taken with "
				"interrupts on, waits for it for ever.");
	if (s->conflict != NO_INDEX && s->violation != NO_INDEX &&
	    slice_event(s, s->violation)->task != 0)
		return order_of_sides(w, s);
	return strcmp(s->v->rule, "leak") == 0 ? order_of_leak(w, s) : order_of_end(w, s);
}
