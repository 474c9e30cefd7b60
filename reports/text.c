// SPDX-License-Identifier: GPL-2.0-only
#include "reports/text.h"

#include "reports/export.h"

#include "reports/phrase.h"

#define RED "\033[1;31m"
#define GREEN "\033[1;32m"
#define YELLOW "\033[1;33m"
#define RESET "\033[0m"

static void put_word(const char *word, const char *paint, bool color, struct output *o)
{
	if (color)
		output_str(o, paint);
	output_str(o, word);
	if (color)
		output_str(o, RESET);
}

static void put_outcome(const struct trace_file *tf, bool color, struct output *o)
{
	const struct trace_violation *v = trace_file_blamed(tf);

	if (v) {
		put_word("FAIL", RED, color, o);
		output_char(o, ' ');
		clean_line(o, v->rule);
		if (v->obj != 0) {
			output_str(o, " of ");
			names_put(tf->names, o, v->obj);
		}
		output_printf(o, " at event %" G_GUINT64_FORMAT, v->seq);
		if (tf->nr_violations > 1)
			output_printf(o, ", %" G_GUINT64_FORMAT " violations", tf->nr_violations);
	} else if (!tf->ended || tf->verdict != VERDICT_PASS) {
		put_word("INCOMPLETE", YELLOW, color, o);
		output_str(o, tf->ended ? " (stopped before the end), no violation so far"
					: " (the trace is cut short), no violation so far");
	} else {
		put_word("PASS", GREEN, color, o);
		output_str(o, " every invariant held");
	}
}

void text_verdict(const struct trace_file *tf, bool color, struct output *o)
{
	clean_line(o, tf->scenario);
	output_str(o, ": ");
	put_outcome(tf, color, o);
	output_printf(o, "; %" G_GUINT64_FORMAT " events, ", tf->nr_events);
	phrase_time(o, tf->end, tf->untimed);
	output_str(o, tf->untimed ? " steps; " : " us; ");
	clean_line(o, tf->lifecycle);
	output_printf(o, ", seed %" G_GUINT64_FORMAT "\n", tf->seed);
}

void text_variants(const struct trace_file *tf, struct output *o)
{
	int at = 0;

	for (guint i = 0; i + 1 < tf->variants->len; i++) {
		const char *name = g_ptr_array_index(tf->variants, i);
		int n = (int)strlen(name);

		if (i > 0)
			output_char(o, ',');
		if (i == 0 || at + n + 3 > TEXT_COLUMNS) {
			output_str(o, i == 0 ? "variants on:" : "\n  ");
			at = 12;
		}
		output_char(o, ' ');
		clean_line(o, name);
		at += n + 2;
	}
	if (at > 0)
		output_char(o, '\n');
}

static void put_other(const struct trace_violation *v, const char *when, struct output *o)
{
	output_printf(o, "%s at event %" G_GUINT64_FORMAT ", ", when, v->seq);
	clean_line(o, v->rule);
	output_str(o, ": ");
	clean_line(o, v->msg);
	output_char(o, '\n');
}

/* One in full: what comes after it is often its consequence. */
static void put_violations(const struct trace_file *tf, const char *replay, struct output *o)
{
	const struct trace_violation *blamed = trace_file_blamed(tf);

	if (!blamed)
		return;
	output_char(o, '\n');
	text_splat(tf, blamed, replay, o);
	for (guint i = 0; i < tf->violations->len; i++) {
		const struct trace_violation *v =
			&g_array_index(tf->violations, struct trace_violation, i);

		if (v != blamed)
			put_other(v, v->seq < blamed->seq ? "in set-up" : "then", o);
	}
}

void text_report(const struct trace_file *tf, const struct text_options *opt, struct output *o)
{
	const char *replay = opt->replay ? opt->replay : tf->replay;

	text_verdict(tf, opt->color, o);
	text_variants(tf, o);
	put_violations(tf, replay, o);
	if (!opt->no_timeline) {
		output_char(o, '\n');
		text_timeline(tf, opt->verbose, o);
	}
	text_summary(tf, o);
	output_char(o, '\n');
	text_verdict(tf, opt->color, o);
}
