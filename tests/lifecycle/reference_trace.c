// SPDX-License-Identifier: GPL-2.0-only
#include "tests/lifecycle/reference_trace.h"

#include <string.h>

/* ---- collecting a trace ----------------------------------------------------------- */

static void seen_free(gpointer data)
{
	struct seen *s = data;

	g_free(s->str);
	g_strfreev(s->stack);
	g_free(s);
}

static char **copy_stack(const struct frame *frame)
{
	GPtrArray *names = g_ptr_array_new();

	for (; frame; frame = frame->caller)
		g_ptr_array_add(names, g_strdup(frame->func));
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

static void record(struct run_sink *sink, const struct trace_record *r)
{
	struct seen_trace *trace = (struct seen_trace *)sink;
	struct seen *s = g_new0(struct seen, 1);

	s->r = *r;
	s->str = g_strdup(r->str);
	s->stack = copy_stack(r->stack);
	if (r->kind == TR_TASK_START)
		g_hash_table_insert(trace->comms, GUINT_TO_POINTER((guint)oid_nr(r->obj)),
				    g_strdup(r->str));
	s->comm = g_hash_table_lookup(trace->comms, GUINT_TO_POINTER(r->task));
	g_ptr_array_add(trace->seen, s);
}

struct seen_trace *seen_trace_new(void)
{
	struct seen_trace *trace = g_new0(struct seen_trace, 1);

	trace->sink.record = record;
	trace->seen = g_ptr_array_new_with_free_func(seen_free);
	trace->comms = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	return trace;
}

void seen_trace_free(struct seen_trace *trace)
{
	g_ptr_array_free(trace->seen, TRUE);
	g_hash_table_destroy(trace->comms);
	g_free(trace);
}

/* ---- reading a table ---------------------------------------------------------------- */

static void step_free(gpointer data)
{
	struct step *step = data;

	for (int i = 0; i < NR_COLUMNS; i++)
		g_free(step->column[i]);
	g_free(step);
}

static void chain_free(gpointer data)
{
	struct chain *chain = data;

	g_free(chain->name);
	g_ptr_array_free(chain->after, TRUE);
	g_ptr_array_free(chain->steps, TRUE);
	g_free(chain);
}

void reference_free(struct reference *ref)
{
	if (!ref)
		return;
	g_free(ref->name);
	g_free(ref->scenario);
	g_strfreev(ref->lifecycles);
	if (ref->ordering)
		g_string_free(ref->ordering, TRUE);
	g_ptr_array_free(ref->variants, TRUE);
	g_ptr_array_free(ref->sets, TRUE);
	g_ptr_array_free(ref->chains, TRUE);
	g_free(ref);
}

static struct step *find_step(const struct reference *ref, const char *name)
{
	for (guint i = 0; i < ref->chains->len; i++) {
		const struct chain *chain = ref->chains->pdata[i];

		for (guint j = 0; j < chain->steps->len; j++) {
			struct step *step = chain->steps->pdata[j];

			if (strcmp(step->column[COLUMN_NAME], name) == 0)
				return step;
		}
	}
	return NULL;
}

/* "[NAME] after STEP, STEP" */
static const char *parse_chain(struct reference *ref, const char *line)
{
	const char *end = strchr(line, ']'), *after;
	struct chain *chain;

	if (!end)
		return "a heading is '[NAME] after STEP, STEP'";
	chain = g_new0(struct chain, 1);
	chain->name = g_strndup(line + 1, (gsize)(end - line - 1));
	chain->after = g_ptr_array_new_with_free_func(g_free);
	chain->steps = g_ptr_array_new_with_free_func(step_free);
	g_ptr_array_add(ref->chains, chain);
	after = end + 1 + strspn(end + 1, " \t");
	if (!*after)
		return NULL;
	if (!g_str_has_prefix(after, "after "))
		return "'after' or nothing is expected behind the heading";
	g_auto(GStrv) names = g_strsplit(after + 6, ",", -1);
	for (char **name = names; *name; name++) {
		if (!find_step(ref, g_strstrip(*name)))
			return "the heading names a step that does not stand above it";
		g_ptr_array_add(chain->after, g_strdup(*name));
	}
	return NULL;
}

/* "NAME=VALUE, NAME=VALUE": are these arguments of the event? */
static bool args_exist(const struct step *step)
{
	g_auto(GStrv) args = g_strsplit(step->column[COLUMN_ARGS], ",", -1);

	for (char **arg = args; *arg; arg++) {
		bool found = false;
		char *value = strchr(g_strstrip(*arg), '=');

		if (!value)
			return false;
		*value = '\0';
		for (int i = 0; i < TRACE_NR_ARGS; i++) {
			const char *name = trace_kinds[step->kind].arg[i];

			found |= name[0] && strcmp(name + 2, *arg) == 0;
		}
		if (!found)
			return false;
	}
	return true;
}

static const char *parse_event(struct step *step)
{
	g_autofree char *name = g_strdup(step->column[COLUMN_EVENT]);
	size_t len = strlen(name);

	step->never = g_str_has_prefix(name, "no ");
	step->once = len > 0 && name[len - 1] == '!';
	if (step->once)
		name[len - 1] = '\0';
	step->kind = trace_kind_by_name(name + (step->never ? 3 : 0));
	if (step->kind < 0)
		return "there is no such event";
	return args_exist(step) ? NULL : "the event has no such argument";
}

static const char *parse_cause(const struct reference *ref, const struct step *step)
{
	g_auto(GStrv) words = g_strsplit(step->column[COLUMN_CAUSE], " ", 2);
	bool known = false;

	if (!words[0])
		return NULL;
	for (int via = VIA_NONE + 1; via < NR_VIAS; via++)
		known |= strcmp(via_name((enum via)via), words[0]) == 0;
	if (!known)
		return "no event leads to another in that way";
	if (words[1] && !find_step(ref, words[1]))
		return "the cause is a step that does not stand above";
	return NULL;
}

static const char *parse_step(struct reference *ref, const char *line, int nr)
{
	g_auto(GStrv) columns = g_strsplit(line, "|", -1);
	struct chain *chain = ref->chains->len ? ref->chains->pdata[ref->chains->len - 1] : NULL;
	struct step *step;
	const char *wrong;

	if (!chain)
		return "a step stands before the first heading";
	if (g_strv_length(columns) < 2 || g_strv_length(columns) > NR_COLUMNS)
		return "a step has 2 to 7 columns";
	if (find_step(ref, g_strstrip(columns[0])))
		return "another step has that name";
	step = g_new0(struct step, 1);
	step->line = nr;
	for (guint i = 0; i < NR_COLUMNS; i++)
		step->column[i] =
			g_strdup(i < g_strv_length(columns) ? g_strstrip(columns[i]) : "");
	wrong = parse_event(step);
	if (!wrong)
		wrong = parse_cause(ref, step);
	g_ptr_array_add(chain->steps, step);
	return wrong;
}

static void add_row(struct reference *ref, const char *row)
{
	if (!ref->ordering)
		ref->ordering = g_string_new(NULL);
	g_string_append_printf(ref->ordering, "%s\n", row);
}

static const char *parse_line(struct reference *ref, const char *line, int nr)
{
	if (!line[0] || line[0] == '#')
		return NULL;
	if (line[0] == '[')
		return parse_chain(ref, line);
	if (ref->chains->len > 0)
		return parse_step(ref, line, nr);
	if (g_str_has_prefix(line, "scenario "))
		ref->scenario = g_strdup(line + 9);
	else if (g_str_has_prefix(line, "lifecycle "))
		ref->lifecycles = g_strsplit(line + 10, " ", -1);
	else if (g_str_has_prefix(line, "variant "))
		g_ptr_array_add(ref->variants, g_strdup(line + 8));
	else if (g_str_has_prefix(line, "set "))
		g_ptr_array_add(ref->sets, g_strdup(line + 4));
	else if (line[0] == '>')
		add_row(ref, line + 1);
	else
		return "expected 'scenario', 'lifecycle', 'variant', 'set', '>' or a heading";
	return NULL;
}

struct reference *reference_parse(const char *name, const char *text, GError **error)
{
	struct reference *ref = g_new0(struct reference, 1);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	const char *wrong = NULL;
	int nr = 0;

	ref->name = g_strdup(name);
	ref->variants = g_ptr_array_new_with_free_func(g_free);
	ref->sets = g_ptr_array_new_with_free_func(g_free);
	ref->chains = g_ptr_array_new_with_free_func(chain_free);
	while (!wrong && lines[nr]) {
		wrong = parse_line(ref, g_strstrip(lines[nr]), nr + 1);
		nr++;
	}
	if (!wrong && (!ref->scenario || !ref->lifecycles || !ref->chains->len))
		wrong = "a table names a scenario and a lifecycle and has steps";
	g_ptr_array_add(ref->variants, NULL);
	g_ptr_array_add(ref->sets, NULL);
	if (!wrong)
		return ref;
	g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_USAGE, "%s:%d: %s", name, nr, wrong);
	reference_free(ref);
	return NULL;
}

struct reference *reference_load(const char *path, GError **error)
{
	g_autofree char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, error))
		return NULL;
	return reference_parse(path, text, error);
}

/* ---- matching ------------------------------------------------------------------------ */

struct matcher {
	const struct seen_trace *trace;
	GHashTable *bound;   /* "$NAME" -> the value as text */
	GHashTable *matched; /* name of a step -> its record */
};

static char *object_text(oid_t id)
{
	if (id == 0)
		return g_strdup("-");
	return g_strdup_printf("%s:%" G_GUINT64_FORMAT, object_kind_name(oid_kind(id)),
			       (guint64)oid_nr(id));
}

static char *arg_text(const struct seen *s, int i)
{
	switch (trace_kinds[s->r.kind].arg[i][0]) {
	case 'o':
		return object_text((oid_t)s->r.arg[i]);
	case 'h':
		return g_strdup(holder_name((enum holder)s->r.arg[i]));
	case 'b':
		return g_strdup(s->r.arg[i] ? "yes" : "no");
	case 's':
		return g_strdup(s->str ? s->str : "");
	default:
		return g_strdup_printf("%" G_GINT64_FORMAT, (gint64)s->r.arg[i]);
	}
}

/* Compares, and notes in @fresh what a name that nobody used before would stand for. */
static bool value_fits(const struct matcher *m, GHashTable *fresh, const char *want,
		       const char *have)
{
	const char *bound;

	if (want[0] != '$')
		return strcmp(want, have) == 0;
	bound = g_hash_table_lookup(m->bound, want);
	if (!bound)
		bound = g_hash_table_lookup(fresh, want);
	if (bound)
		return strcmp(bound, have) == 0;
	g_hash_table_insert(fresh, g_strdup(want), g_strdup(have));
	return true;
}

static bool arg_fits(const struct matcher *m, GHashTable *fresh, const struct seen *s,
		     const char *name, const char *want)
{
	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		const char *known = trace_kinds[s->r.kind].arg[i];

		if (known[0] && strcmp(known + 2, name) == 0) {
			g_autofree char *have = arg_text(s, i);

			return value_fits(m, fresh, want, have);
		}
	}
	return false;
}

/* Is @s this event, of this object, with these arguments? */
static bool what_fits(const struct matcher *m, GHashTable *fresh, const struct step *step,
		      const struct seen *s)
{
	g_autofree char *object = object_text(s->r.obj);
	g_auto(GStrv) args = g_strsplit(step->column[COLUMN_ARGS], ",", -1);

	if ((int)s->r.kind != step->kind)
		return false;
	if (step->column[COLUMN_OBJECT][0] &&
	    !value_fits(m, fresh, step->column[COLUMN_OBJECT], object))
		return false;
	for (char **arg = args; *arg; arg++) {
		char *want = strchr(*arg, '=');

		*want++ = '\0';
		if (!arg_fits(m, fresh, s, g_strstrip(*arg), g_strstrip(want)))
			return false;
	}
	return true;
}

static char *who_text(const struct seen *s)
{
	if (s->r.ctx == CTX_TASK)
		return g_strdup_printf("task %s", s->comm ? s->comm : "?");
	return g_strdup(s->r.ctx == CTX_NONE ? "env" : ctx_kind_name((enum ctx_kind)s->r.ctx));
}

static bool who_fits(const struct step *step, const struct seen *s)
{
	g_autofree char *who = who_text(s);

	return !step->column[COLUMN_WHO][0] || strcmp(step->column[COLUMN_WHO], who) == 0;
}

static bool inside_fits(const struct step *step, const struct seen *s)
{
	g_auto(GStrv) funcs = g_strsplit(step->column[COLUMN_INSIDE], ",", -1);
	int frame = (int)g_strv_length(s->stack) - 1;

	for (char **func = funcs; *func; func++) {
		g_strstrip(*func);
		while (frame >= 0 && strcmp(s->stack[frame], *func) != 0)
			frame--;
		if (frame-- < 0)
			return false;
	}
	return true;
}

static bool cause_fits(const struct matcher *m, const struct step *step, const struct seen *s)
{
	g_auto(GStrv) words = g_strsplit(step->column[COLUMN_CAUSE], " ", 2);
	const struct seen *cause;

	if (!words[0])
		return true;
	if (strcmp(via_name((enum via)s->r.via), words[0]) != 0)
		return false;
	cause = words[1] ? g_hash_table_lookup(m->matched, words[1]) : NULL;
	return !words[1] || (cause && cause->r.seq == s->r.cause);
}

static GHashTable *bindings_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static void keep(struct matcher *m, GHashTable *fresh)
{
	GHashTableIter iter;
	gpointer name, value;

	g_hash_table_iter_init(&iter, fresh);
	while (g_hash_table_iter_next(&iter, &name, &value))
		g_hash_table_insert(m->bound, g_strdup(name), g_strdup(value));
}

static bool fits(struct matcher *m, const struct step *step, const struct seen *s, bool bind)
{
	g_autoptr(GHashTable) fresh = bindings_new();

	if (!what_fits(m, fresh, step, s) || !who_fits(step, s) || !inside_fits(step, s) ||
	    !cause_fits(m, step, s))
		return false;
	if (bind)
		keep(m, fresh);
	return true;
}

/* ---- what is wrong --------------------------------------------------------------------- */

static char *complain(const struct reference *ref, const struct step *step, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

static char *complain(const struct reference *ref, const struct step *step, const char *format, ...)
{
	g_autofree char *why = NULL;
	va_list ap;

	va_start(ap, format);
	why = g_strdup_vprintf(format, ap);
	va_end(ap);
	return g_strdup_printf("%s: %s %s %s: %s (%s:%d)", step->column[COLUMN_NAME],
			       step->column[COLUMN_EVENT], step->column[COLUMN_OBJECT],
			       step->column[COLUMN_ARGS], why, ref->name, step->line);
}

/* @s is the step's event: so why is it not the step? */
static char *complain_about(const struct matcher *m, const struct reference *ref,
			    const struct step *step, const struct seen *s, uint64_t after)
{
	g_autofree char *who = who_text(s), *stack = g_strjoinv(" < ", s->stack);

	if (!who_fits(step, s))
		return complain(ref, step,
				"wrong context at seq %" G_GUINT64_FORMAT ": %s, should be %s",
				(guint64)s->r.seq, who, step->column[COLUMN_WHO]);
	if (!inside_fits(step, s))
		return complain(ref, step,
				"called from elsewhere at seq %" G_GUINT64_FORMAT
				": %s, should be inside %s",
				(guint64)s->r.seq, stack, step->column[COLUMN_INSIDE]);
	if (!cause_fits(m, step, s))
		return complain(ref, step,
				"wrong cause at seq %" G_GUINT64_FORMAT
				": %s of seq %" G_GUINT64_FORMAT ", should be %s",
				(guint64)s->r.seq, via_name((enum via)s->r.via),
				(guint64)s->r.cause, step->column[COLUMN_CAUSE]);
	return complain(ref, step,
			"out of order: seq %" G_GUINT64_FORMAT
			", but the step before it is seq %" G_GUINT64_FORMAT,
			(guint64)s->r.seq, (guint64)after);
}

/* Nothing fits after record @after: the most similar record tells the most. */
static char *explain(const struct matcher *m, const struct reference *ref, const struct step *step,
		     uint64_t after)
{
	const struct seen *similar = NULL;

	for (guint i = 0; i < m->trace->seen->len; i++) {
		g_autoptr(GHashTable) fresh = bindings_new();
		const struct seen *s = m->trace->seen->pdata[i];

		if (!what_fits(m, fresh, step, s))
			continue;
		/* One that comes in time is more similar than one that does not. */
		if (!similar || (similar->r.seq <= after && s->r.seq > after))
			similar = s;
	}
	if (similar)
		return complain_about(m, ref, step, similar, after);
	return complain(ref, step, "missing after seq %" G_GUINT64_FORMAT, (guint64)after);
}

static uint32_t count(const struct matcher *m, const struct seen *like)
{
	uint32_t n = 0;

	for (guint i = 0; i < m->trace->seen->len; i++) {
		const struct seen *s = m->trace->seen->pdata[i];

		n += s->r.kind == like->r.kind && s->r.obj == like->r.obj;
	}
	return n;
}

/* ---- a chain --------------------------------------------------------------------------- */

/* The first record after @after that is @step; binds its names. */
static const struct seen *find(struct matcher *m, const struct step *step, uint64_t after)
{
	for (guint i = 0; i < m->trace->seen->len; i++) {
		const struct seen *s = m->trace->seen->pdata[i];

		if (s->r.seq > after && fits(m, step, s, true))
			return s;
	}
	return NULL;
}

static char *check_never(struct matcher *m, const struct reference *ref, const struct step *step,
			 uint64_t after, uint64_t before)
{
	for (guint i = 0; i < m->trace->seen->len; i++) {
		const struct seen *s = m->trace->seen->pdata[i];

		if (s->r.seq > after && s->r.seq < before && fits(m, step, s, false))
			return complain(ref, step, "happens at seq %" G_GUINT64_FORMAT,
					(guint64)s->r.seq);
	}
	return NULL;
}

static char *check_step(struct matcher *m, const struct reference *ref, const struct step *step,
			uint64_t *after)
{
	const struct seen *s = find(m, step, *after);

	if (!s)
		return explain(m, ref, step, *after);
	if (step->once && count(m, s) != 1)
		return complain(ref, step, "happens %u times", count(m, s));
	g_hash_table_insert(m->matched, step->column[COLUMN_NAME], (gpointer)s);
	*after = s->r.seq;
	return NULL;
}

static char *check_chain(struct matcher *m, const struct reference *ref, const struct chain *chain)
{
	uint64_t after = 0, before;
	const struct step *never = NULL;

	for (guint i = 0; i < chain->after->len; i++) {
		const struct seen *s = g_hash_table_lookup(m->matched, chain->after->pdata[i]);

		after = s && s->r.seq > after ? s->r.seq : after;
	}
	for (guint i = 0; i < chain->steps->len; i++) {
		const struct step *step = chain->steps->pdata[i];
		char *wrong;

		if (step->never) {
			never = step;
			continue;
		}
		before = after;
		wrong = check_step(m, ref, step, &after);
		if (!wrong && never)
			wrong = check_never(m, ref, never, before, after);
		never = NULL;
		if (wrong)
			return wrong;
	}
	return NULL;
}

char *reference_check(const struct reference *ref, const struct seen_trace *trace)
{
	struct matcher m = {.trace = trace};
	char *wrong = NULL;

	m.bound = bindings_new();
	m.matched = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < ref->chains->len && !wrong; i++)
		wrong = check_chain(&m, ref, ref->chains->pdata[i]);
	g_hash_table_destroy(m.bound);
	g_hash_table_destroy(m.matched);
	return wrong;
}
