// SPDX-License-Identifier: GPL-2.0-only
#include "reports/trace_reader.h"

#include <errno.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <sys/stat.h>

#define LINE_MAX_BYTES (1024 * 1024)
#define DEPTH_MAX 16
#define STACK_MAX_FRAMES 256
#define CPUS_MAX 256

struct reader {
	const char *path;
	FILE *f;
	GString *line;
	uint64_t line_nr;
	bool has_newline; /* the line ended properly; the last one of a cut trace does not */
	JsonParser *parser;
	JsonObject *o; /* the current line */
	struct trace_file *tf;
	uint64_t last_seq, last_t;
	GError **error;
};

static bool wrong(struct reader *rd, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* Always false, so that a failed check can return it. */
static bool wrong(struct reader *rd, const char *fmt, ...)
{
	g_autofree char *msg = NULL;
	va_list ap;

	if (rd->error && *rd->error)
		return false;
	va_start(ap, fmt);
	msg = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	g_set_error(rd->error, SLABSIM_ERROR, SLABSIM_ERROR_OUTPUT, "%s:%" G_GUINT64_FORMAT ": %s",
		    rd->path, rd->line_nr, msg);
	return false;
}

/* ---- fields -------------------------------------------------------------- */

static bool get_string(struct reader *rd, const char *name, const char **value)
{
	JsonNode *n = json_object_get_member(rd->o, name);

	if (!n || json_node_get_value_type(n) != G_TYPE_STRING)
		return wrong(rd,
			     n ? "\"%s\" must be a string"
			       : "\"%s\" is missing; it must be a string",
			     name);
	*value = json_node_get_string(n);
	return true;
}

static bool get_number(struct reader *rd, const char *name, uint64_t max, uint64_t *value)
{
	JsonNode *n = json_object_get_member(rd->o, name);

	if (!n || json_node_get_value_type(n) != G_TYPE_INT64)
		return wrong(rd,
			     n ? "\"%s\" must be a whole number"
			       : "\"%s\" is missing; it must be a whole number",
			     name);
	*value = (uint64_t)json_node_get_int(n);
	if (*value > max)
		return wrong(rd,
			     "\"%s\" is %" G_GINT64_FORMAT
			     "; it must lie from 0 to %" G_GUINT64_FORMAT,
			     name, (gint64)*value, max);
	return true;
}

static JsonArray *get_array(struct reader *rd, const char *name)
{
	JsonNode *n = json_object_get_member(rd->o, name);

	return n && JSON_NODE_HOLDS_ARRAY(n) ? json_node_get_array(n) : NULL;
}

static bool parse_oid(struct reader *rd, const char *field, const char *s, oid_t *id)
{
	const char *colon = strchr(s, ':');
	guint64 nr;

	*id = 0;
	if (strcmp(s, "-") == 0)
		return true;
	if (colon &&
	    g_ascii_string_to_unsigned(colon + 1, 10, 1, (UINT64_C(1) << 56) - 1, &nr, NULL)) {
		for (int k = 1; k < NR_OBJECT_KINDS; k++) {
			const char *kind = object_kind_name((enum object_kind)k);

			if (strncmp(s, kind, (size_t)(colon - s)) == 0 && kind[colon - s] == 0) {
				*id = oid_make((enum object_kind)k, nr);
				return true;
			}
		}
	}
	return wrong(rd, "\"%s\" is \"%.40s\"; an object reads like \"cache:3\", none like \"-\"",
		     field, s);
}

/* Index of @s among the @n names that @name gives; -1 if it is none of them. */
static int name_index(const char *s, int n, const char *(*name)(int))
{
	for (int i = 0; i < n; i++) {
		if (strcmp(name(i), s) == 0)
			return i;
	}
	return -1;
}

static const char *ctx_at(int i)
{
	return ctx_kind_name((enum ctx_kind)i);
}

static const char *via_at(int i)
{
	return via_name((enum via)i);
}

static const char *holder_at(int i)
{
	return holder_name((enum holder)i);
}

static const char *verdict_at(int i)
{
	static const char *const names[] = {"pass", "fail", "incomplete"};

	return names[i];
}

/* ---- lines --------------------------------------------------------------- */

static bool read_run(struct reader *rd)
{
	struct trace_file *tf = rd->tf;
	const char *s = NULL;
	uint64_t n = 0;
	JsonArray *variants;

	if (!get_number(rd, "v", INT64_MAX, &n))
		return false;
	if (n != 1)
		return wrong(rd,
			     "the trace has version %" G_GUINT64_FORMAT "; this slabsim reads "
			     "version 1",
			     n);
	if (!get_string(rd, "scenario", &s))
		return false;
	tf->scenario = trace_file_string(tf, s);
	if (!get_string(rd, "design", &s))
		return false;
	tf->lifecycle = trace_file_string(tf, s);
	if (!get_string(rd, "order", &s))
		return false;
	tf->order = trace_file_string(tf, s);
	if (!get_string(rd, "unit", &s) || !get_number(rd, "seed", UINT64_MAX, &tf->seed) ||
	    !get_number(rd, "cpus", CPUS_MAX, &n))
		return false;
	tf->untimed = strcmp(s, "step") == 0;
	tf->nr_cpus = (unsigned int)n;
	if (json_object_has_member(rd->o, "replay")) {
		if (!get_string(rd, "replay", &s))
			return false;
		tf->replay = trace_file_string(tf, s);
	}
	variants = get_array(rd, "variants");
	g_ptr_array_set_size(tf->variants, 0);
	for (guint i = 0; variants && i < json_array_get_length(variants); i++) {
		JsonNode *v = json_array_get_element(variants, i);

		if (json_node_get_value_type(v) != G_TYPE_STRING)
			return wrong(rd, "\"variants\" must hold strings");
		g_ptr_array_add(tf->variants,
				(gpointer)trace_file_string(tf, json_node_get_string(v)));
	}
	g_ptr_array_add(tf->variants, NULL);
	return true;
}

static bool read_arg(struct reader *rd, struct trace_record *r, int i, const char *spec,
		     JsonNode *n)
{
	GType type = json_node_get_value_type(n);
	const char *s = type == G_TYPE_STRING ? json_node_get_string(n) : NULL;
	int h;

	switch (spec[0]) {
	case 'b':
		if (type != G_TYPE_BOOLEAN)
			return wrong(rd, "\"%s\" must be true or false", spec + 2);
		r->arg[i] = json_node_get_boolean(n);
		return true;
	case 'n':
		if (type != G_TYPE_INT64)
			return wrong(rd, "\"%s\" must be a whole number", spec + 2);
		r->arg[i] = json_node_get_int(n);
		return true;
	}
	if (!s)
		return wrong(rd, "\"%s\" must be a string", spec + 2);
	if (spec[0] == 's') {
		r->str = trace_file_string(rd->tf, s);
		return true;
	}
	if (spec[0] == 'o')
		return parse_oid(rd, spec + 2, s, (oid_t *)&r->arg[i]);
	h = name_index(s, NR_HOLDERS, holder_at);
	if (h < 0)
		return wrong(rd, "\"%s\" is \"%.40s\", which is no holder of references", spec + 2,
			     s);
	r->arg[i] = h;
	return true;
}

static bool read_args(struct reader *rd, struct trace_record *r)
{
	JsonNode *n = json_object_get_member(rd->o, "args");
	JsonObject *args;

	if (!n)
		return true;
	if (!JSON_NODE_HOLDS_OBJECT(n))
		return wrong(rd, "\"args\" must be an object");
	args = json_node_get_object(n);
	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		const char *spec = trace_kinds[r->kind].arg[i];
		JsonNode *arg = spec[0] ? json_object_get_member(args, spec + 2) : NULL;

		if (arg && !read_arg(rd, r, i, spec, arg))
			return false;
	}
	return true;
}

static bool read_stack(struct reader *rd, struct trace_record *r)
{
	JsonArray *stack = get_array(rd, "stack");
	guint n = stack ? json_array_get_length(stack) : 0;

	if (n > STACK_MAX_FRAMES)
		return wrong(rd, "the stack has %u frames; at most %d make sense", n,
			     STACK_MAX_FRAMES);
	while (n-- > 0) {
		JsonNode *f = json_array_get_element(stack, n);

		if (json_node_get_value_type(f) != G_TYPE_STRING)
			return wrong(rd, "\"stack\" must hold function names");
		r->stack = trace_file_frame(rd->tf, json_node_get_string(f), r->stack);
	}
	return true;
}

static bool read_cause(struct reader *rd, struct trace_record *r)
{
	const char *s = NULL;
	int via;

	if (!json_object_has_member(rd->o, "cause"))
		return true;
	if (!get_number(rd, "cause", INT64_MAX, &r->cause) || !get_string(rd, "via", &s))
		return false;
	via = name_index(s, NR_VIAS, via_at);
	r->via = (uint8_t)(via < 0 ? VIA_NONE : via);
	return true;
}

static bool read_event(struct reader *rd)
{
	struct trace_record r = {0};
	uint64_t cpu = 0, task = 0;
	const char *s = NULL;
	int kind, ctx;

	if (!get_number(rd, "seq", INT64_MAX, &r.seq) || !get_number(rd, "t", INT64_MAX, &r.t) ||
	    !get_number(rd, "cpu", CPUS_MAX - 1, &cpu) ||
	    !get_number(rd, "task", UINT32_MAX, &task) || !get_string(rd, "ctx", &s))
		return false;
	if (r.seq <= rd->last_seq)
		return wrong(rd,
			     "\"seq\" is %" G_GUINT64_FORMAT " after %" G_GUINT64_FORMAT
			     "; events are in order",
			     r.seq, rd->last_seq);
	ctx = name_index(s, NR_CTX_KINDS, ctx_at);
	if (ctx < 0)
		return wrong(rd,
			     "\"ctx\" is \"%.40s\"; it must be env, task, kworker, softirq or "
			     "hardirq",
			     s);
	if (!get_string(rd, "ev", &s))
		return false;
	rd->last_seq = r.seq;
	rd->last_t = r.t;
	kind = trace_kind_by_name(s);
	if (kind < 0)
		return true;
	r.kind = (uint16_t)kind;
	r.cpu = (uint8_t)cpu;
	r.ctx = (uint8_t)ctx;
	r.task = (uint32_t)task;
	if (!get_string(rd, "obj", &s) || !parse_oid(rd, "obj", s, &r.obj) || !read_cause(rd, &r) ||
	    !read_args(rd, &r) || !read_stack(rd, &r))
		return false;
	trace_file_add(rd->tf, &r);
	return true;
}

static bool read_violation(struct reader *rd)
{
	struct trace_violation v = {0};
	JsonArray *related = get_array(rd, "related");
	const char *s = NULL;

	if (!get_string(rd, "rule", &s))
		return false;
	v.rule = trace_file_string(rd->tf, s);
	if (!get_string(rd, "msg", &s))
		return false;
	v.msg = trace_file_string(rd->tf, s);
	if (!get_number(rd, "seq", INT64_MAX, &v.seq) || !get_number(rd, "t", INT64_MAX, &v.t) ||
	    !get_string(rd, "obj", &s) || !parse_oid(rd, "obj", s, &v.obj))
		return false;
	for (guint i = 0;
	     related && i < json_array_get_length(related) && i < G_N_ELEMENTS(v.related); i++) {
		JsonNode *n = json_array_get_element(related, i);

		if (json_node_get_value_type(n) != G_TYPE_INT64)
			return wrong(rd, "\"related\" must hold event numbers");
		v.related[i] = (uint64_t)json_node_get_int(n);
	}
	g_array_append_val(rd->tf->violations, v);
	return true;
}

static bool read_end(struct reader *rd)
{
	struct trace_file *tf = rd->tf;
	const char *s = NULL;
	int verdict;

	if (!get_number(rd, "t", INT64_MAX, &tf->end) ||
	    !get_number(rd, "events", INT64_MAX, &tf->nr_events) ||
	    !get_number(rd, "steps", INT64_MAX, &tf->nr_steps) ||
	    !get_number(rd, "violations", INT64_MAX, &tf->nr_violations) ||
	    !get_string(rd, "verdict", &s) ||
	    (json_object_has_member(rd->o, "found") &&
	     !get_number(rd, "found", INT64_MAX, &tf->found)))
		return false;
	verdict = name_index(s, 3, verdict_at);
	if (verdict < 0)
		return wrong(rd, "\"verdict\" is \"%.40s\"; it must be pass, fail or incomplete",
			     s);
	tf->verdict = (enum verdict)verdict;
	tf->ended = true;
	return true;
}

/* json-glib recurses for each bracket: a line of them would overflow the stack. */
static bool too_deep(const GString *line)
{
	int depth = 0;
	bool quoted = false;

	for (gsize i = 0; i < line->len; i++) {
		char c = line->str[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			if (++depth > DEPTH_MAX)
				return true;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return false;
}

static bool parse_line(struct reader *rd)
{
	g_autoptr(GError) error = NULL;
	JsonNode *root;

	if (memchr(rd->line->str, 0, rd->line->len))
		return wrong(rd, "there is a NUL byte; a trace is text, one JSON object a line");
	if (too_deep(rd->line))
		return wrong(rd, "brackets nest deeper than %d", DEPTH_MAX);
	if (!g_utf8_validate_len(rd->line->str, rd->line->len, NULL))
		return wrong(rd, "this is not UTF-8 text");
	if (!json_parser_load_from_data(rd->parser, rd->line->str, (gssize)rd->line->len, &error))
		return wrong(rd, "this is not JSON: %s", error->message);
	root = json_parser_get_root(rd->parser);
	if (!root || !JSON_NODE_HOLDS_OBJECT(root))
		return wrong(rd, "this is not a JSON object");
	rd->o = json_node_get_object(root);
	return true;
}

static bool read_object(struct reader *rd)
{
	static const struct {
		const char *type;
		bool (*read)(struct reader *rd);
	} types[] = {
		{"event", read_event},
		{"violation", read_violation},
		{"end", read_end},
	};
	const char *type = NULL;

	if (!parse_line(rd))
		return false;
	if (rd->line_nr == 1) {
		JsonNode *n = json_object_get_member(rd->o, "type");

		if (!n || json_node_get_value_type(n) != G_TYPE_STRING ||
		    strcmp(json_node_get_string(n), "run") != 0)
			return wrong(rd, "this is no slabsim trace: its first line must have "
					 "\"type\":\"run\"");
		return read_run(rd);
	}
	if (!get_string(rd, "type", &type))
		return false;
	if (rd->tf->ended)
		return wrong(rd, "there is something after the line of type \"end\"");
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		if (strcmp(types[i].type, type) == 0)
			return types[i].read(rd);
	}
	return true;
}

/* False at the end of the file, and with an error set when it cannot be read. */
static bool next_line(struct reader *rd)
{
	int c;

	g_string_truncate(rd->line, 0);
	rd->line_nr++;
	while ((c = getc_unlocked(rd->f)) != EOF && c != '\n') {
		if (rd->line->len >= LINE_MAX_BYTES)
			return wrong(rd, "the line is longer than %d bytes", LINE_MAX_BYTES);
		g_string_append_c(rd->line, (char)c);
	}
	if (c == EOF && ferror(rd->f))
		return wrong(rd, "cannot read: %s", g_strerror(errno));
	rd->has_newline = c == '\n';
	return rd->has_newline || rd->line->len > 0;
}

static bool read_lines(struct reader *rd)
{
	while (next_line(rd)) {
		GError *error = NULL, **real = rd->error;
		bool ok;

		if (rd->line->len == 0)
			continue;
		rd->error = &error;
		ok = read_object(rd);
		rd->error = real;
		if (ok)
			continue;
		/* The last line of a trace that was cut short may be half a line. */
		if (!rd->has_newline && rd->line_nr > 1) {
			g_error_free(error);
			break;
		}
		g_propagate_error(rd->error, error);
		return false;
	}
	if (rd->error && *rd->error)
		return false;
	if (!rd->tf->ended) {
		rd->tf->end = rd->last_t;
		rd->tf->nr_violations = rd->tf->violations->len;
	}
	return true;
}

struct trace_file *trace_read(const char *path, GError **error)
{
	GError *err = NULL;
	struct reader rd = {.path = path, .error = &err};
	struct stat st;

	rd.f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (!rd.f || (fstat(fileno(rd.f), &st) == 0 && S_ISDIR(st.st_mode))) {
		g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_OUTPUT, "cannot read '%s': %s",
			    path, g_strerror(rd.f ? EISDIR : errno));
		if (rd.f && rd.f != stdin)
			fclose(rd.f);
		return NULL;
	}
	rd.line = g_string_sized_new(1024);
	rd.parser = json_parser_new();
	rd.tf = trace_file_new(0);
	if (read_lines(&rd) && rd.line_nr == 1 && rd.line->len == 0)
		wrong(&rd, "this is no slabsim trace: the file is empty");
	if (rd.f != stdin)
		fclose(rd.f);
	g_string_free(rd.line, TRUE);
	g_object_unref(rd.parser);
	if (err) {
		g_propagate_error(error, err);
		g_clear_pointer(&rd.tf, trace_file_free);
	}
	return rd.tf;
}
