// SPDX-License-Identifier: GPL-2.0-only
#include "sim/cli/follow.h"

#include <string.h>

#include "reports/phrase.h"
#include "reports/trace_digest.h"
#include "sim/cli/cli.h"

#define ABOVE_MAX 8 /* directories in which a script is looked for */

#define SINKS_MAX 4
#define DIGEST_DIGITS 16
#define COMMENT_WIDTH 58

/* ---- following ---------------------------------------------------------------------------- */

/* Lets through what came before the end that was asked for. */
struct gate {
	struct run_sink sink; /* first: a sink is cast back to its gate */
	struct run_sink *to[SINKS_MAX + 1];
	uint64_t until;
	struct run_header header;
};

static void gate_begin(struct run_sink *sink, const struct run_header *header)
{
	struct gate *g = (struct gate *)sink;

	g->header = *header;
	for (int i = 0; g->to[i]; i++) {
		if (g->to[i]->begin)
			g->to[i]->begin(g->to[i], header);
	}
}

static void gate_record(struct run_sink *sink, const struct trace_record *r)
{
	struct gate *g = (struct gate *)sink;

	if (g->until && r->seq > g->until)
		return;
	for (int i = 0; g->to[i]; i++)
		g->to[i]->record(g->to[i], r);
}

static void gate_violation(struct run_sink *sink, const struct violation *v, unsigned int nr)
{
	struct gate *g = (struct gate *)sink;

	if (g->until && v->seq > g->until)
		return;
	for (int i = 0; g->to[i]; i++) {
		if (g->to[i]->violation)
			g->to[i]->violation(g->to[i], v, nr);
	}
}

struct stepper {
	struct following *f;
	const struct world *w;
};

static bool on_step(void *arg, uint32_t run)
{
	struct stepper *s = arg;

	if (s->f->stepped)
		s->f->stepped(s->f, run, s->w->nr_records);
	return !s->f->until || s->w->nr_records < s->f->until;
}

/* The set-up may have come as far as was asked for. */
static bool is_past(const struct following *f, const struct world *w)
{
	return f->until && w->nr_records >= f->until;
}

static void count_violations(struct following *f)
{
	uint32_t n = 0;

	if (!f->until)
		return;
	while (n < MIN(f->result.nr_violations, VIOLATION_MAX) &&
	       f->result.violations[n].seq <= f->until)
		n++;
	f->result.nr_violations = n;
}

static void fill_result(struct following *f, const struct run *run)
{
	session_result(run, &f->result);
	count_violations(f);
	f->result.verdict = f->result.nr_violations	      ? VERDICT_FAIL
			    : f->followed.end == FOLLOW_QUIET ? VERDICT_PASS
							      : VERDICT_INCOMPLETE;
}

static bool follow_session(struct following *f, struct run *run, GError **error)
{
	struct subject *s = session_subject(run);
	struct stepper stepper = {f, s->w};
	const struct follow_options opt = {
		.lenient = f->lenient, .stepped = on_step, .arg = &stepper};

	f->nr_before = s->w->nr_records;
	if (is_past(f, s->w))
		f->followed.end = FOLLOW_ASKED;
	else
		schedule_follow(s, f->sched, &opt, &f->followed, error);
	fill_result(f, run);
	return f->followed.end != FOLLOW_ERROR;
}

bool follow(struct following *f, GError **error)
{
	struct trace_digest digest;
	struct gate gate = {
		.sink = {gate_begin, gate_record, gate_violation},
		.until = f->until,
	};
	struct run_sink *sinks[] = {&gate.sink, NULL};
	int n = 0;
	struct run *run;
	bool ok;

	trace_digest_init(&digest);
	gate.to[n++] = &digest.sink;
	for (int i = 0; f->sinks && f->sinks[i]; i++)
		gate.to[n++] = f->sinks[i];
	g_assert(n <= SINKS_MAX);
	run = session_open(f->opt, sinks, error);
	ok = run && (!f->check || f->check(f, &gate.header, error)) &&
	     follow_session(f, run, error);
	if (run)
		session_close(run);
	f->digest = trace_digest_end(&digest);
	if (f->followed.end == FOLLOW_ASKED)
		g_clear_pointer(&f->digest, g_free);
	return ok;
}

void following_clear(struct following *f)
{
	g_clear_pointer(&f->digest, g_free);
}

bool refuse_schedule(const char *path, const char *fmt, ...)
{
	g_autofree char *why = NULL;
	va_list ap;

	va_start(ap, fmt);
	why = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	cli_error("%s: %s", path, why);
	return false;
}

/* Only what differs in nothing but text can be tried all the same. */
static bool may_be_edited(struct schedule_check *c, const char *what)
{
	if (!c->force)
		return refuse_schedule(c->path, "%s%s", what,
				       c->may_force ? "; --force tries all the same" : "");
	cli_note(c->quiet, "%s: %s: following it as far as possible", c->path, what);
	c->edited = true;
	return true;
}

static bool check_script(struct schedule_check *c)
{
	const struct schedule *s = c->sched;
	g_autoptr(GError) error = NULL;
	g_autofree char *digest = script_digest(c->script, &error);
	g_autofree char *what = NULL;

	if (!digest)
		return refuse_schedule(c->path, "its scenario: %s", error->message);
	if (strcmp(c->name, s->scenario) != 0)
		return refuse_schedule(c->path, "made for scenario '%s', not '%s'", s->scenario,
				       c->name);
	if (strcmp(digest, s->digest) == 0)
		return true;
	what = g_strdup_printf("%s was edited since (digest %s, not %s)", c->script, digest,
			       s->digest);
	return may_be_edited(c, what);
}

bool check_made_for(struct schedule_check *c)
{
	if (strcmp(c->sched->version, SLABSIM_VERSION) != 0)
		return refuse_schedule(c->path,
				       "made by slabsim version %s, and this is version %s",
				       c->sched->version, SLABSIM_VERSION);
	if (c->sched->altered &&
	    !may_be_edited(c, "edited since slabsim wrote it (the sum differs)"))
		return false;
	return check_script(c);
}

/* As it was named, from a directory above @dir: -o DIR is most often below where that was. */
static char *script_from_above(const char *dir, const char *script)
{
	g_autofree char *above = g_strdup(dir);

	for (int i = 0; i < ABOVE_MAX && !g_path_is_absolute(script); i++) {
		char *next = g_build_filename(above, "..", NULL);
		g_autofree char *there = g_build_filename(next, script, NULL);

		g_free(above);
		above = next;
		if (g_file_test(there, G_FILE_TEST_EXISTS))
			return g_steal_pointer(&there);
	}
	return NULL;
}

char *script_of(const struct schedule *sched, const char *path)
{
	g_autofree char *dir = g_path_get_dirname(path);
	g_autofree char *base = g_path_get_basename(sched->script);
	g_autofree char *beside = g_build_filename(dir, base, NULL);
	char *above = NULL;

	if (g_file_test(sched->script, G_FILE_TEST_EXISTS))
		return g_strdup(sched->script);
	if (!g_file_test(beside, G_FILE_TEST_EXISTS))
		above = script_from_above(dir, sched->script);
	return above ? above : g_steal_pointer(&beside);
}

void take_options(struct run_options *run, const struct schedule *sched)
{
	run->order = ORDER_RANDOM;
	run->seed = sched->seed;
	run->sets = (const char *const *)sched->sets->pdata;
	run->checks_off = (const char *const *)sched->checks_off->pdata;
	run->skips = sched->skips->len > 1 ? (const char *const *)sched->skips->pdata : NULL;
}

GPtrArray *variants_of(const struct schedule *sched)
{
	GPtrArray *variants = g_ptr_array_new();

	g_ptr_array_add(variants, (gpointer) "none");
	for (guint i = 0; i < sched->variants->len; i++)
		g_ptr_array_add(variants, g_ptr_array_index(sched->variants, i));
	return variants;
}

bool same_names(const GPtrArray *list, const char *const *names)
{
	guint n = 0;

	while (names[n])
		n++;
	/* Both end with NULL. */
	if (n + 1 != list->len)
		return false;
	for (guint i = 0; i < n; i++) {
		if (!g_strv_contains((const char *const *)list->pdata, names[i]))
			return false;
	}
	return true;
}

char *script_digest(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	g_autofree char *sum = NULL;
	g_autoptr(GError) why = NULL;
	size_t size;

	text = read_file(path, &script_file, &size, &why);
	if (!text) {
		g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_OUTPUT, "%s", why->message);
		return NULL;
	}
	sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, size);
	return g_strndup(sum, DIGEST_DIGITS);
}

/* ---- what the stretches do ---------------------------------------------------------------- */

struct span {
	uint64_t first, last; /* events */
};

struct annotator {
	struct trace_file *tf;
	GArray *spans; /* struct span, by schedule.runs */
};

static void note_span(struct following *f, uint32_t run, uint64_t nr_records)
{
	struct annotator *a = f->arg;
	struct span *span;

	if (run >= a->spans->len)
		return;
	span = &g_array_index(a->spans, struct span, run);
	if (span->first == 0)
		span->first = f->nr_before + 1;
	span->last = nr_records;
	f->nr_before = nr_records;
}

/* In few words: the site of an access, else what happened. */
static char *label_of(const struct trace_file *tf, const struct trace_record *r)
{
	struct output *o;
	char *label;

	if (r->kind == TR_ACCESS && r->str)
		return g_strdup(r->str);
	o = output_memory();
	phrase_put(tf->names, o, r);
	label = g_strndup(o->buf, o->len);
	output_discard(o);
	g_strdelimit(label, "\n\r#", ' ');
	return label;
}

static bool tells_something(const struct trace_record *r)
{
	return r->kind != TR_TASK_BLOCK && r->kind != TR_TASK_WAKE && r->kind != TR_MIGHT_SLEEP &&
	       r->kind != TR_OP_END;
}

/* The first or last event of @span that tells something, else the first or last one. */
static const struct trace_record *edge_of(const struct trace_file *tf, const struct span *span,
					  bool last)
{
	const struct trace_record *any = NULL;

	for (uint64_t i = 0; i <= span->last - span->first; i++) {
		const struct trace_record *r =
			trace_file_find(tf, last ? span->last - i : span->first + i);

		if (r && tells_something(r))
			return r;
		if (r && !any)
			any = r;
	}
	return any;
}

static char *comment_of(const struct trace_file *tf, const struct span *span)
{
	const struct trace_record *first, *last;
	g_autofree char *from = NULL, *to = NULL;
	char *comment;

	if (span->first == 0 || span->last < span->first)
		return NULL;
	first = edge_of(tf, span, false);
	last = edge_of(tf, span, true);
	if (!first)
		return NULL;
	from = label_of(tf, first);
	if (last == first)
		return g_strndup(from, COMMENT_WIDTH);
	to = label_of(tf, last);
	if (strcmp(from, to) == 0)
		return g_strndup(from, COMMENT_WIDTH);
	comment = g_strdup_printf("%.*s ... %.*s", COMMENT_WIDTH / 2, from, COMMENT_WIDTH / 2, to);
	return comment;
}

static void set_comments(struct schedule *sched, const struct annotator *a)
{
	for (guint i = 0; i < sched->runs->len; i++) {
		g_autofree char *comment =
			comment_of(a->tf, &g_array_index(a->spans, struct span, i));

		g_array_index(sched->runs, struct schedule_run, i).comment =
			schedule_string(sched, comment);
	}
}

struct trace_file *annotate(struct schedule *sched, const struct run_options *opt, GError **error)
{
	struct run_options with_accesses = *opt;
	struct trace_collector collector = {0};
	struct annotator a = {.tf = trace_file_new(0)};
	struct run_sink *sinks[] = {&collector.sink, NULL};
	struct following f = {
		.opt = &with_accesses,
		.sched = sched,
		.sinks = sinks,
		.stepped = note_span,
		.arg = &a,
	};
	bool ok;

	with_accesses.accesses = true;
	trace_collector_init(&collector, a.tf);
	a.spans = g_array_new(FALSE, TRUE, sizeof(struct span));
	g_array_set_size(a.spans, sched->runs->len);
	ok = follow(&f, error);
	if (ok) {
		trace_file_finish(a.tf, &f.result);
		set_comments(sched, &a);
	} else {
		g_clear_pointer(&a.tf, trace_file_free);
	}
	following_clear(&f);
	g_array_unref(a.spans);
	return a.tf;
}
