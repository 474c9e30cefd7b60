// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables below a timeline: lives, references at the end, counters.
 */
#include "reports/export.h"
#include "reports/phrase.h"
#include "reports/text.h"

#define ROWS_MAX 40
#define PLOT_COLUMNS 40
#define NAME_WIDTH 26
#define LOG_COLUMNS 86

static void put_right(struct output *o, const char *s, int width)
{
	output_pad(o, ' ', width - (int)strlen(s));
	output_str(o, s);
}

/* A name at most @width wide, its end cut off if it is longer. */
static void put_name(const struct trace_file *tf, struct output *o, oid_t id, int width)
{
	struct output *text = output_memory();
	int n;

	names_put(tf->names, text, id);
	n = MIN((int)text->len, width);
	if (n < (int)text->len)
		text->buf[n - 1] = '~';
	output_bytes(o, text->buf, (size_t)n);
	output_pad(o, ' ', width - n);
	output_discard(text);
}

static char *time_string(const struct trace_file *tf, uint64_t t)
{
	struct output *text = output_memory();
	char *s;

	phrase_time(text, t, tf->untimed);
	s = g_strndup(text->buf, text->len);
	output_discard(text);
	return s;
}

/* ---- lives --------------------------------------------------------------- */

static void put_life(const struct trace_file *tf, const struct life *life, struct output *o)
{
	output_str(o, "  ");
	put_name(tf, o, life->id, NAME_WIDTH);
	for (int s = 0; s < NR_LIFE_STAGES; s++) {
		g_autofree char *t = life->seen[s] ? time_string(tf, life->at[s]) : g_strdup("-");

		put_right(o, t, 12);
	}
	output_char(o, '\n');
}

static void put_lives_of(const struct trace_file *tf, const char *what, const GPtrArray *lives,
			 const char *const stages[NR_LIFE_STAGES], struct output *o)
{
	guint nr_left = 0, i;

	if (lives->len == 0)
		return;
	output_printf(o, "  %-*s", NAME_WIDTH, what);
	for (int s = 0; s < NR_LIFE_STAGES; s++)
		put_right(o, stages[s], 12);
	output_char(o, '\n');
	for (i = 0; i < lives->len && i < ROWS_MAX; i++)
		put_life(tf, g_ptr_array_index(lives, i), o);
	for (; i < lives->len; i++)
		nr_left += !((struct life *)g_ptr_array_index(lives, i))->seen[LIFE_FREED];
	if (lives->len > ROWS_MAX)
		output_printf(o, "  ... and %u more, of which %u are not freed\n",
			      lives->len - ROWS_MAX, nr_left);
}

static void put_lives(const struct trace_file *tf, struct output *o)
{
	static const char *const memcg_stages[] = {"created", "online",	  "offline",
						   "killed",  "released", "freed"};
	static const char *const cache_stages[] = {"created", "active",	   "deactivated",
						   "killed",  "shut down", "freed"};

	output_printf(o, "\nLives (%s)\n", tf->untimed ? "steps" : "us");
	put_lives_of(tf, "memcg", tf->summary->memcgs, memcg_stages, o);
	put_lives_of(tf, "cache", tf->summary->caches, cache_stages, o);
	if (tf->summary->memcgs->len + tf->summary->caches->len == 0)
		output_str(o, "  no memcg and no cache\n");
}

/* ---- references ---------------------------------------------------------- */

/* The base reference of what was never killed is how life should be. */
static bool is_expected(const struct trace_file *tf, const struct held *h)
{
	const struct life *life = summary_life(tf->summary, h->obj);

	if (h->n == 0 || (life && life->seen[LIFE_FREED]))
		return true;
	return h->holder == HOLD_BASE && !(life && life->seen[LIFE_KILLED]);
}

static void put_held(const struct trace_file *tf, const struct held *h, struct output *o)
{
	g_autofree char *since = time_string(tf, h->since);

	output_str(o, "  ");
	put_name(tf, o, h->obj, NAME_WIDTH);
	output_printf(o, "%6" G_GINT64_FORMAT "  %-20s ", h->n, holder_name(h->holder));
	put_right(o, since, 12);
	output_str(o, "  ");
	if (h->owner != 0)
		put_name(tf, o, h->owner, NAME_WIDTH);
	output_end_line(o);
}

static void put_references(const struct trace_file *tf, struct output *o)
{
	const GPtrArray *held = tf->summary->held;
	guint nr = 0, nr_base = 0;

	output_str(o, "\nReferences at the end\n");
	for (guint i = 0; i < held->len; i++) {
		const struct held *h = g_ptr_array_index(held, i);

		if (is_expected(tf, h)) {
			nr_base += h->n > 0;
			continue;
		}
		if (nr == 0)
			output_printf(o, "  %-*s%6s  %-20s %12s  %s\n", NAME_WIDTH, "on", "n",
				      "held as", tf->untimed ? "since step" : "since us", "by");
		if (nr++ < ROWS_MAX)
			put_held(tf, h, o);
	}
	if (nr > ROWS_MAX)
		output_printf(o, "  ... and %u more\n", nr - ROWS_MAX);
	if (nr == 0)
		output_str(o, "  none\n");
	if (nr_base > 0)
		output_printf(o, "  and the base references of %u objects that live\n", nr_base);
}

/* ---- counters ------------------------------------------------------------ */

/* The largest value in each column of time; a step plot, because counters jump. */
static void put_plot(const struct series *s, uint64_t end, struct output *o)
{
	static const char quarters[] = ".:=#";
	int64_t value = 0;
	guint next = 0;

	for (uint64_t c = 0; c < PLOT_COLUMNS; c++) {
		uint64_t until = end / PLOT_COLUMNS * (c + 1) +
				 end % PLOT_COLUMNS * (c + 1) / PLOT_COLUMNS;
		int64_t most = value;

		for (; next < s->points->len; next++) {
			const struct series_point *p =
				&g_array_index(s->points, struct series_point, next);

			if (p->t > until)
				break;
			value = p->v;
			most = MAX(most, value);
		}
		if (most <= 0)
			output_char(o, '_');
		else
			output_char(o, quarters[MIN((most * 4 - 1) / MAX(s->peak, 1), 3)]);
	}
}

static void put_series(const struct series *s, uint64_t end, struct output *o)
{
	output_printf(o, "  %-*.*s", NAME_WIDTH, NAME_WIDTH - 1, s->name);
	put_plot(s, end, o);
	output_printf(o, "%10" G_GINT64_FORMAT "%10" G_GINT64_FORMAT "\n", s->peak, s->now);
}

static void put_usages(const struct trace_file *tf, struct output *o)
{
	const GPtrArray *usages = tf->summary->usages;

	for (guint i = 0; i < usages->len && i < ROWS_MAX; i++) {
		struct usage *u = g_ptr_array_index(usages, i);
		struct output *name = output_memory();
		struct series s = u->series;

		names_put(tf->names, name, u->memcg);
		output_printf(name, " %s pages", u->counter);
		output_char(name, 0);
		s.name = name->buf;
		put_series(&s, tf->end, o);
		output_discard(name);
	}
	if (usages->len > ROWS_MAX)
		output_printf(o, "  ... and %u more memcgs\n", usages->len - ROWS_MAX);
}

static void put_counters(const struct trace_file *tf, struct output *o)
{
	g_autofree char *end = time_string(tf, tf->end);

	output_printf(o, "\nCounters (_ is 0, .:=# are quarters of the peak)\n  %-*s0", NAME_WIDTH,
		      "");
	put_right(o, end, PLOT_COLUMNS - 1);
	output_printf(o, "%10s%10s\n", "peak", "last");
	for (int i = 0; i < NR_SERIES; i++)
		put_series(&tf->summary->series[i], tf->end, o);
	put_usages(tf, o);
	output_printf(o, "  %" G_GUINT64_FORMAT " grace periods ended\n", tf->summary->nr_gps);
}

/* ---- what the scenario said ---------------------------------------------- */

static void put_log(const struct trace_file *tf, const struct trace_record *r, struct output *o)
{
	g_autofree char *t = time_string(tf, r->t);

	put_right(o, t, 12);
	output_str(o, "  ");
	clean_text(o, r->str, LOG_COLUMNS);
	output_char(o, '\n');
}

/* The timeline has it, too, but may be too long to be looked at. */
static void put_logs(const struct trace_file *tf, struct output *o)
{
	guint nr = 0;

	for (guint i = 0; i < tf->events->len; i++) {
		const struct trace_record *r = &g_array_index(tf->events, struct trace_record, i);

		if (r->kind != TR_LOG || !r->str || nr++ >= ROWS_MAX)
			continue;
		if (nr == 1)
			output_printf(o, "\nSaid by the scenario (%s)\n",
				      tf->untimed ? "steps" : "us");
		put_log(tf, r, o);
	}
	if (nr > ROWS_MAX)
		output_printf(o, "  ... and %u more\n", nr - ROWS_MAX);
}

void text_summary(const struct trace_file *tf, struct output *o)
{
	put_lives(tf, o);
	put_references(tf, o);
	put_counters(tf, o);
	put_logs(tf, o);
}
