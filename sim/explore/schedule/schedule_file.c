// SPDX-License-Identifier: GPL-2.0-only
/*
 * Schedule files: a word and its value a line, then "steps:", then a line for each
 * stretch of steps of one process, then what it leads to and a sum over all of it.
 *
 * The sum leaves comments and blanks out, so that people may write into the file.
 */

#include <errno.h>
#include <string.h>

#include "sim/base/hash.h"
#include "sim/explore/read_file.h"
#include "sim/explore/schedule/schedule.h"

#define MAGIC "slabsim schedule"
#define LINE_MAX_BYTES 8192
#define WORDS_MAX 512
#define COMMENT_COLUMN 40
#define MESSAGE_MAX 200

static const char *const pick_names[NR_CHOICE_KINDS] = {
	[CHOOSE_FAULT] = "fault",
	[CHOOSE_CPU] = "cpu",
	[CHOOSE_SCRIPT] = "choice",
};

/* ---- writing ------------------------------------------------------------------------------ */

static void put_word(GString *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_=./,:+@%()[]<>#&*~!?";
	g_autofree char *escaped = NULL;

	/* A word that begins so would read as something else. */
	if (word[0] != 0 && !strchr("#+\"", word[0]) && strspn(word, plain) == strlen(word)) {
		g_string_append(out, word);
		return;
	}
	escaped = g_strescape(word, NULL);
	g_string_append_printf(out, "\"%s\"", escaped);
}

static void put_field(GString *out, const char *name, const char *value)
{
	if (!value)
		return;
	g_string_append_printf(out, "%-12s", name);
	put_word(out, value);
	g_string_append_c(out, '\n');
}

static void put_list(GString *out, const char *name, const GPtrArray *list)
{
	for (guint i = 0; i + 1 < list->len; i++)
		put_field(out, name, g_ptr_array_index(list, i));
}

static void put_number(GString *out, const char *name, uint64_t value)
{
	g_string_append_printf(out, "%-12s%" G_GUINT64_FORMAT "\n", name, value);
}

static void put_run(GString *out, const struct schedule *s, const struct schedule_run *run)
{
	gsize start = out->len;

	put_word(out, run->process);
	g_string_append_printf(out, " x%u @%u/%u", run->nr_steps, run->place, run->of);
	if (run->comment) {
		do
			g_string_append_c(out, ' ');
		while (out->len - start < COMMENT_COLUMN);
		g_string_append(out, "# ");
		g_string_append(out, run->comment);
		/* It may have been cut between two words. */
		while (out->str[out->len - 1] == ' ')
			g_string_truncate(out, out->len - 1);
	}
	g_string_append_c(out, '\n');
	for (uint32_t i = 0; i < run->nr_picks; i++) {
		const struct schedule_pick *p =
			&g_array_index(s->picks, struct schedule_pick, run->picks_at + i);

		g_string_append_printf(out, "+ %s %u/%u\n", pick_names[p->kind], p->pick, p->n);
	}
}

void schedule_write_steps(const struct schedule *s, GString *out)
{
	for (guint i = 0; i < s->runs->len; i++)
		put_run(out, s, &g_array_index(s->runs, struct schedule_run, i));
	g_string_append(out, s->at_end ? "end\n" : "stop\n");
}

static uint64_t sum_of_text(const char *text, size_t size);

void schedule_write(const struct schedule *s, GString *out)
{
	gsize start = out->len;

	g_string_append_printf(out, MAGIC " %d\n", SCHEDULE_FORMAT);
	g_string_append(out, "# slabsim replay FILE runs it; docs/exploring.md describes it\n");
	put_field(out, "version", s->version);
	put_field(out, "scenario", s->scenario);
	put_field(out, "script", s->script);
	put_field(out, "digest", s->digest);
	put_field(out, "lifecycle", s->lifecycle);
	put_list(out, "variant", s->variants);
	put_list(out, "set", s->sets);
	put_list(out, "no-check", s->checks_off);
	put_list(out, "skip", s->skips);
	put_number(out, "seed", s->seed);
	put_field(out, "order", "random");
	put_field(out, "checker", s->checker);
	put_field(out, "object", s->object);
	put_field(out, "text", s->text);
	put_field(out, "trace", s->trace);
	put_number(out, "steps", s->nr_steps);
	put_number(out, "preemptions", s->preemptions);
	g_string_append(out, "\nsteps:\n");
	schedule_write_steps(s, out);
	g_string_append_printf(out, "sum %016" G_GINT64_MODIFIER "x\n",
			       sum_of_text(out->str + start, out->len - start));
}

/* ---- lines and words ---------------------------------------------------------------------- */

struct parser {
	const char *name, *at, *end;
	uint32_t line;
	GError **error;
	struct schedule *s;
	uint64_t sum;		    /* of all lines before this one */
	uint64_t sum_after;	    /* and of this one */
	char words[LINE_MAX_BYTES]; /* of this line, each ended by a 0 */
	char *word[WORDS_MAX];
	uint32_t nr_words;
	bool quoted;   /* the first one was: it is a name, whatever it says */
	uint64_t seen; /* bit per field */
	bool over;     /* "end" or "stop" was read */
	uint64_t nr_steps;
};

static bool wrong(struct parser *p, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

static bool wrong(struct parser *p, const char *fmt, ...)
{
	g_autofree char *why = NULL;
	va_list ap;

	va_start(ap, fmt);
	why = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	/* What the file holds may be anything: not for a terminal, and not at any length. */
	for (char *c = why; *c; c++) {
		if (!g_ascii_isprint(*c))
			*c = '?';
		if (c - why == MESSAGE_MAX)
			c[1] = 0;
	}
	if (p->error && !*p->error)
		g_set_error(p->error, SCHEDULE_ERROR, SCHEDULE_ERROR_FILE, "%s:%u: %s", p->name,
			    p->line, why);
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Length of the word at @s, quotes included; 0 if its quotes do not end before @end. */
static size_t word_length(const char *s, const char *end)
{
	const char *at = s;

	if (*at != '"') {
		while (at < end && !is_blank(*at))
			at++;
		return (size_t)(at - s);
	}
	for (at++; at < end; at++) {
		if (*at == '"')
			return (size_t)(at + 1 - s);
		if (*at == '\\')
			at++;
	}
	return 0;
}

/* The word without its quotes, at @to. */
static char *unquote(char *to, const char *s, size_t n)
{
	g_autofree char *raw = NULL;
	g_autofree char *plain = NULL;

	if (*s != '"') {
		memcpy(to, s, n);
		to[n] = 0;
		return to + n + 1;
	}
	raw = g_strndup(s + 1, n - 2);
	plain = g_strcompress(raw);
	n = strlen(plain);
	memcpy(to, plain, n + 1);
	return to + n + 1;
}

/* Cut the line [@s, @end) into words; a comment ends it. */
static bool split_line(struct parser *p, const char *s, const char *end)
{
	char *to = p->words;

	p->nr_words = 0;
	p->sum_after = p->sum;
	for (; s < end; s++) {
		size_t n;

		if (is_blank(*s))
			continue;
		if (*s == '#')
			break;
		n = word_length(s, end);
		if (n == 0)
			return wrong(p, "a quoted word does not end");
		if (p->nr_words == WORDS_MAX)
			return wrong(p, "more than %d words", WORDS_MAX);
		if (p->nr_words == 0)
			p->quoted = *s == '"';
		p->sum_after = fnv_bytes(fnv_bytes(p->sum_after, s, n), " ", 1);
		p->word[p->nr_words++] = to;
		to = unquote(to, s, n);
		s += n - 1;
	}
	if (p->nr_words > 0)
		p->sum_after = fnv_bytes(p->sum_after, "\n", 1);
	return true;
}

/* The next line that says something; false at the end of the file and on errors. */
static bool next_line(struct parser *p)
{
	do {
		const char *s = p->at;
		const char *end = s < p->end ? memchr(s, '\n', (size_t)(p->end - s)) : NULL;

		p->sum = p->sum_after;
		if (s == p->end)
			return false;
		p->line++;
		if (!end)
			return wrong(p, "the file is cut short in the middle of a line");
		if (end - s >= LINE_MAX_BYTES)
			return wrong(p, "the line is longer than %d bytes", LINE_MAX_BYTES - 1);
		if (memchr(s, 0, (size_t)(end - s)))
			return wrong(p, "a zero byte: this is no text");
		p->at = end + 1;
		if (!split_line(p, s, end))
			return false;
	} while (p->nr_words == 0);
	return true;
}

static uint64_t sum_of_text(const char *text, size_t size)
{
	g_autofree struct parser *p = g_new0(struct parser, 1);

	p->at = text;
	p->end = text + size;
	p->sum_after = FNV_START;
	while (next_line(p))
		;
	return p->sum;
}

/* ---- numbers ------------------------------------------------------------------------------ */

static bool parse_digits(const char *s, const char **rest, uint64_t *value)
{
	*value = 0;
	if (!g_ascii_isdigit(*s))
		return false;
	for (; g_ascii_isdigit(*s); s++) {
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(*s - '0'), value))
			return false;
	}
	*rest = s;
	return true;
}

static bool parse_number(struct parser *p, const char *s, uint64_t max, uint64_t *value)
{
	const char *rest;

	if (parse_digits(s, &rest, value) && *rest == 0 && *value <= max)
		return true;
	return wrong(p, "expected a number from 0 to %" G_GUINT64_FORMAT ", got '%s'", max, s);
}

/* "I/N": which of how many, from 0. */
static bool parse_place(struct parser *p, const char *s, uint32_t *place, uint32_t *of)
{
	uint64_t i, n;
	const char *rest;

	if (!parse_digits(s, &rest, &i) || *rest != '/' || !parse_digits(rest + 1, &rest, &n) ||
	    *rest != 0 || n > UINT32_MAX || i >= n)
		return wrong(p, "expected I/N with I below N, got '%s'", s);
	*place = (uint32_t)i;
	*of = (uint32_t)n;
	return true;
}

/* ---- the head ----------------------------------------------------------------------------- */

enum field_kind { FIELD_STRING, FIELD_LIST, FIELD_U64, FIELD_U32 };

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset; /* in struct schedule */
	bool needed;
};

#define AT(member) offsetof(struct schedule, member)

static const struct field fields[] = {
	{"version", FIELD_STRING, AT(version), true},
	{"scenario", FIELD_STRING, AT(scenario), true},
	{"script", FIELD_STRING, AT(script), true},
	{"digest", FIELD_STRING, AT(digest), true},
	{"lifecycle", FIELD_STRING, AT(lifecycle), true},
	{"variant", FIELD_LIST, AT(variants), false},
	{"set", FIELD_LIST, AT(sets), false},
	{"no-check", FIELD_LIST, AT(checks_off), false},
	{"skip", FIELD_LIST, AT(skips), false},
	{"seed", FIELD_U64, AT(seed), true},
	{"checker", FIELD_STRING, AT(checker), false},
	{"object", FIELD_STRING, AT(object), false},
	{"text", FIELD_STRING, AT(text), false},
	{"trace", FIELD_STRING, AT(trace), false},
	{"steps", FIELD_U32, AT(nr_steps), true},
	{"preemptions", FIELD_U32, AT(preemptions), true},
};

static bool set_field(struct parser *p, const struct field *f, const char *value)
{
	char *at = (char *)p->s + f->offset;
	const char *copy = schedule_string(p->s, value);
	uint64_t n = 0;

	switch (f->kind) {
	case FIELD_STRING:
		memcpy(at, &copy, sizeof(copy));
		return true;
	case FIELD_LIST: {
		GPtrArray *list;

		memcpy(&list, at, sizeof(list));
		/* Before the NULL at its end. */
		g_ptr_array_insert(list, (gint)list->len - 1, (gpointer)copy);
		return true;
	}
	case FIELD_U64:
		if (!parse_number(p, value, UINT64_MAX, &n))
			return false;
		memcpy(at, &n, sizeof(n));
		return true;
	case FIELD_U32: {
		uint32_t small;

		if (!parse_number(p, value, SCHEDULE_STEPS_MAX, &n))
			return false;
		small = (uint32_t)n;
		memcpy(at, &small, sizeof(small));
		return true;
	}
	}
	return false;
}

static bool parse_field(struct parser *p)
{
	if (p->nr_words != 2)
		return wrong(p, "expected a word and its value, got %u words", p->nr_words);
	if (strcmp(p->word[0], "order") == 0)
		return strcmp(p->word[1], "random") == 0 ||
		       wrong(p, "order is random in every schedule, not '%s'", p->word[1]);
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		if (strcmp(fields[i].name, p->word[0]) != 0)
			continue;
		if (fields[i].kind != FIELD_LIST && p->seen & UINT64_C(1) << i)
			return wrong(p, "'%s' stands here a second time", p->word[0]);
		p->seen |= UINT64_C(1) << i;
		return set_field(p, &fields[i], p->word[1]);
	}
	return wrong(p, "unknown word '%s'", p->word[0]);
}

static bool check_head(struct parser *p)
{
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		if (fields[i].needed && !(p->seen & UINT64_C(1) << i))
			return wrong(p, "'%s' is missing above", fields[i].name);
	}
	if (p->s->checker && (!p->s->object || !p->s->text))
		return wrong(p, "'checker' needs 'object' and 'text'");
	return true;
}

static bool parse_magic(struct parser *p)
{
	uint64_t format;

	if (!next_line(p)) {
		p->line = 1;
		return wrong(p, "no schedule: it is empty");
	}
	if (p->nr_words != 3 || strcmp(p->word[0], "slabsim") != 0 ||
	    strcmp(p->word[1], "schedule") != 0)
		return wrong(p, "no schedule: it should begin with '" MAGIC " %d'",
			     SCHEDULE_FORMAT);
	if (!parse_number(p, p->word[2], UINT32_MAX, &format))
		return false;
	if (format != SCHEDULE_FORMAT)
		return wrong(p,
			     "schedule format %" G_GUINT64_FORMAT "; this program reads format %d",
			     format, SCHEDULE_FORMAT);
	return true;
}

static bool parse_head(struct parser *p)
{
	if (!parse_magic(p))
		return false;
	while (next_line(p)) {
		if (p->nr_words == 1 && strcmp(p->word[0], "steps:") == 0)
			return check_head(p);
		if (!parse_field(p))
			return false;
	}
	return wrong(p, "the file is cut short: no 'steps:'");
}

/* ---- the steps ---------------------------------------------------------------------------- */

static bool parse_pick(struct parser *p)
{
	struct schedule_run *run;
	struct schedule_pick pick = {0};

	if (p->s->runs->len == 0)
		return wrong(p, "a choice inside a step, but no step before it");
	if (p->nr_words != 3)
		return wrong(p, "expected '+ KIND I/N'");
	for (uint32_t k = 0; k < NR_CHOICE_KINDS; k++) {
		if (pick_names[k] && strcmp(pick_names[k], p->word[1]) == 0)
			pick.kind = k;
	}
	if (pick.kind == 0)
		return wrong(p, "unknown choice '%s'; there are: task, fault, cpu, choice",
			     p->word[1]);
	if (!parse_place(p, p->word[2], &pick.pick, &pick.n))
		return false;
	run = &g_array_index(p->s->runs, struct schedule_run, p->s->runs->len - 1);
	run->nr_picks++;
	g_array_append_val(p->s->picks, pick);
	return true;
}

static bool parse_run(struct parser *p)
{
	struct schedule_run run = {.nr_steps = 1, .line = p->line};
	uint64_t n;

	run.process = schedule_string(p->s, p->word[0]);
	run.picks_at = p->s->picks->len;
	for (uint32_t i = 1; i < p->nr_words; i++) {
		if (p->word[i][0] == 'x') {
			if (!parse_number(p, p->word[i] + 1, SCHEDULE_STEPS_MAX, &n))
				return false;
			run.nr_steps = (uint32_t)n;
		} else if (p->word[i][0] == '@') {
			if (!parse_place(p, p->word[i] + 1, &run.place, &run.of))
				return false;
		} else {
			return wrong(p, "expected xN or @I/N after the process, got '%s'",
				     p->word[i]);
		}
	}
	if (run.nr_steps == 0)
		return wrong(p, "'%s' takes no step", run.process);
	p->nr_steps += run.nr_steps;
	if (p->nr_steps > SCHEDULE_STEPS_MAX)
		return wrong(p, "more than %d steps", SCHEDULE_STEPS_MAX);
	g_array_append_val(p->s->runs, run);
	return true;
}

/* Is the first word @word, and no name? */
static bool begins_with(const struct parser *p, const char *word)
{
	return !p->quoted && strcmp(p->word[0], word) == 0;
}

static bool parse_steps(struct parser *p)
{
	while (!p->over) {
		bool ok;

		if (!next_line(p))
			return wrong(p, "the file is cut short: no 'end' or 'stop'");
		/* Whoever is called "end" has his count behind him. */
		p->over = p->nr_words == 1 && (begins_with(p, "end") || begins_with(p, "stop"));
		if (p->over)
			p->s->at_end = begins_with(p, "end");
		ok = p->over || (begins_with(p, "+") ? parse_pick(p) : parse_run(p));
		if (!ok)
			return false;
	}
	return true;
}

static bool parse_sum(struct parser *p)
{
	g_autofree char *sum = NULL;

	if (!next_line(p))
		return wrong(p, "the file is cut short: no 'sum'");
	if (p->nr_words != 2 || strcmp(p->word[0], "sum") != 0)
		return wrong(p, "expected 'sum' after the last step, got '%s'", p->word[0]);
	sum = g_strdup_printf("%016" G_GINT64_MODIFIER "x", p->sum);
	p->s->altered = strcmp(sum, p->word[1]) != 0 || p->nr_steps != p->s->nr_steps;
	if (next_line(p))
		return wrong(p, "something follows the end of the schedule");
	return !p->error || !*p->error;
}

struct schedule *schedule_parse(const char *text, size_t size, const char *name, GError **error)
{
	g_autofree struct parser *p = g_new0(struct parser, 1);
	g_autoptr(GError) first = NULL;

	p->name = name;
	p->at = text;
	p->end = text + size;
	p->error = &first;
	p->sum_after = FNV_START;
	p->s = schedule_new();
	if (parse_head(p) && parse_steps(p) && parse_sum(p))
		return p->s;
	schedule_free(p->s);
	g_propagate_error(error, g_steal_pointer(&first));
	return NULL;
}

/* ---- files -------------------------------------------------------------------------------- */

struct schedule *schedule_read(const char *path, GError **error)
{
	static const struct file_kind kind = {.what = "schedule", .max = SCHEDULE_BYTES_MAX};
	g_autoptr(GError) why = NULL;
	size_t size;
	g_autofree char *text = read_file(path, &kind, &size, &why);

	if (text)
		return schedule_parse(text, size, path, error);
	g_set_error_literal(error, SCHEDULE_ERROR, SCHEDULE_ERROR_FILE, why->message);
	return NULL;
}
