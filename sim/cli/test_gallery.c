// SPDX-License-Identifier: GPL-2.0-only
/*
 * slabsim test --gallery: what was searched for and kept, as a page.
 *
 * All of it but the times is the same in each run, so that a test can tell
 * whether the page is current.
 */

#include <string.h>

#include "sim/cli/test.h"
#include "sim/explore/schedule/schedule.h"
#include "sim/lifecycle/info.h"

/* ---- links --------------------------------------------------------------- */

/* From the folder of @page to @path. */
static char *link_to(const char *page, const char *path)
{
	g_autofree char *from = g_canonicalize_filename(page, NULL);
	g_autofree char *to = g_canonicalize_filename(path, NULL);
	GString *link = g_string_new(NULL);
	size_t same = 0;

	for (size_t i = 0; from[i] && from[i] == to[i]; i++) {
		if (from[i] == '/')
			same = i + 1;
	}
	for (const char *c = strchr(from + same, '/'); c; c = strchr(c + 1, '/'))
		g_string_append(link, "../");
	g_string_append(link, to + same);
	return g_string_free(link, FALSE);
}

static void put_link(GString *s, const char *text, const char *page, const char *path)
{
	g_autofree char *link = link_to(page, path);

	g_string_append_printf(s, "[%s](%s)", text, link);
}

/* ---- bugs ---------------------------------------------------------------- */

/* The variant that a search is about: the one that is switched on. */
static const struct variant_info *variant_of(const struct expectation *e)
{
	const struct variant_info *found = NULL;

	for (size_t i = 0; e->variants[i]; i++) {
		int index = variant_index(e->variants[i]);

		if (index >= 0)
			found = variant_infos[index];
	}
	return found;
}

static bool is_search(const struct test *t)
{
	return t->expect && t->expect->claim == CLAIM_FINDS && t->expect->keeps;
}

static bool is_searched(const struct tests *tests, const struct variant_info *v)
{
	for (guint i = 0; i < tests->all->len; i++) {
		const struct test *t = g_ptr_array_index(tests->all, i);

		if (is_search(t) && variant_of(t->expect) == v)
			return true;
	}
	return false;
}

/* A guard that upstream always had: there is no history to keep. */
static bool is_mutant(const struct variant_info *v)
{
	return g_str_has_prefix(v->fix, "never");
}

static void put_lifecycles(GString *s, const struct variant_info *v)
{
	int index = variant_index(v->name);
	bool any = false;

	for (size_t i = 0; lifecycle_infos[i]; i++) {
		const char *name = lifecycle_infos[i]->name;

		if (!(lifecycle_variants(lifecycle_find(name), true) >> index & 1))
			continue;
		g_string_append_printf(s, "%s%s", any ? ", " : "", name);
		any = true;
	}
	if (!any)
		g_string_append(s, "none");
}

static void put_bugs(GString *s, const struct tests *tests)
{
	g_string_append(s, "| bug | what goes wrong | fix | lifecycles that have it |\n"
			   "|---|---|---|---|\n");
	for (size_t i = 0; variant_infos[i]; i++) {
		const struct variant_info *v = variant_infos[i];

		if (!is_searched(tests, v))
			continue;
		g_string_append_printf(s, "| `%s` | %s | %s | ", v->name, v->summary, v->fix);
		put_lifecycles(s, v);
		g_string_append(s, " |\n");
	}
}

static void put_missing(GString *s, const struct tests *tests)
{
	bool any = false;

	for (size_t i = 0; variant_infos[i]; i++) {
		const struct variant_info *v = variant_infos[i];

		if (is_mutant(v) || is_searched(tests, v))
			continue;
		if (!any)
			g_string_append(s, "\n## Without a search\n\n");
		any = true;
		g_string_append_printf(s, "- `%s`: %s (%s)\n", v->name, v->summary, v->fix);
	}
}

/* ---- searches ------------------------------------------------------------ */

static void put_kept(GString *s, const struct test *t, const char *page)
{
	g_autofree char *name = g_strconcat(t->expect->keeps, ".sched", NULL);
	g_autofree char *race = g_strconcat(t->expect->keeps, ".race.txt", NULL);
	g_autofree char *path = test_file(t->path, name);
	g_autofree char *race_path = test_file(t->path, race);
	struct schedule *sched = schedule_read(path, NULL);

	if (sched)
		g_string_append_printf(s, "%u | %u | ", sched->nr_steps, sched->preemptions);
	else
		g_string_append(s, "- | - | ");
	schedule_free(sched);
	put_link(s, "table", page, race_path);
}

static void put_search(GString *s, const struct test *t, const char *page)
{
	const struct expectation *e = t->expect;
	const struct test_outcome *r = &t->result;
	g_autofree char *checkers = g_strjoinv(", ", e->checkers);
	g_autofree char *sets = g_strjoinv(" ", e->sets);

	g_string_append(s, "| ");
	put_link(s, e->keeps, page, t->path);
	g_string_append_printf(s, " | %s | %s | %s | %s", e->lifecycle,
			       checkers[0] ? checkers : "any", sets[0] ? sets : "-",
			       strategy_infos[e->explore.strategy].name);
	if (e->explore.depth > 0)
		g_string_append_printf(s, ", depth %u", e->explore.depth);
	g_string_append_printf(s, ", seed %" G_GUINT64_FORMAT " | ", e->seed);
	if (r->execution > 0)
		g_string_append_printf(s, "%" G_GUINT64_FORMAT " | %.3f s | ", r->execution,
				       r->found_after);
	else
		g_string_append(s, "not found | - | ");
	put_kept(s, t, page);
	g_string_append(s, " |\n");
}

static void put_searches(GString *s, const struct tests *tests, const char *page)
{
	g_string_append(s, "| scenario | lifecycle | checker | parameters | search | executions | "
			   "time | steps | switches | race |\n"
			   "|---|---|---|---|---|--:|--:|--:|--:|---|\n");
	for (guint i = 0; i < tests->all->len; i++) {
		const struct test *t = g_ptr_array_index(tests->all, i);

		if (is_search(t))
			put_search(s, t, page);
	}
}

static char *gallery(const struct tests *tests, const char *page)
{
	GString *s = g_string_new(
		"# Bugs, and what it takes to find them\n\n"
		"Made by `make gallery`. `make test` compares all of it but the times. What "
		"slabsim cannot have,\nbugs of weak memory among it, is listed in\n"
		"[scenarios/history/README.md](../scenarios/history/README.md#not-here).\n\n");

	put_bugs(s, tests);
	put_missing(s, tests);
	g_string_append(
		s,
		"\n## Searches\n\n"
		"Each scenario says what its tasks do and nothing about orderings. *Executions* is "
		"how many runs the\nsearch made up to the first failing one, *time* how long that "
		"took in one process. What it found was\nmade as short as it gets: *steps*, and "
		"*switches*, the preemptions among them; blocking on a lock or\nwaiting for a "
		"grace period is none.\n\n"
		"`slabsim test scenarios/history/NAME.lua -v` makes the search of a row again, "
		"and those that find the fixed\ncode clean; `slabsim replay "
		"scenarios/history/NAME.sched` the run. How soon a search finds something is a "
		"matter of\nits seed: with others it may take some times as many executions, or "
		"a fraction.\n\n");
	put_searches(s, tests, page);
	return g_string_free(s, FALSE);
}

/* ---- is it current? ------------------------------------------------------ */

static char *without_times(const char *text)
{
	g_autoptr(GRegex) time = g_regex_new("\\| [0-9.]+ s \\|", 0, 0, NULL);

	return g_regex_replace_literal(time, text, -1, 0, "| - |", 0, NULL);
}

/* Is it current?  If not, @complain says so. */
static bool compare(const char *page, const char *now, bool complain)
{
	g_autofree char *text = NULL, *was = NULL, *is = NULL;
	g_auto(GStrv) a = NULL, b = NULL;
	size_t i = 0;

	if (!g_file_get_contents(page, &text, NULL, NULL)) {
		if (complain)
			cli_error("there is no '%s'; --bless writes it", page);
		return false;
	}
	was = without_times(text);
	is = without_times(now);
	a = g_strsplit(was, "\n", -1);
	b = g_strsplit(is, "\n", -1);
	while (a[i] && b[i] && strcmp(a[i], b[i]) == 0)
		i++;
	if (!a[i] && !b[i])
		return true;
	if (complain) {
		cli_error("%s is not current; --bless renews it", page);
		cli_error("line %zu was  %s", i + 1, a[i] ? a[i] : "the end");
		cli_error("line %zu is   %s", i + 1, b[i] ? b[i] : "the end");
	}
	return false;
}

int tests_gallery(const struct tests *tests, const char *page, bool bless, bool quiet)
{
	g_autofree char *text = gallery(tests, page);
	g_autoptr(GError) error = NULL;
	struct output *o;

	if (!bless)
		return compare(page, text, true) ? EXIT_CLEAN : EXIT_VIOLATION;
	/* New times alone are no news. */
	if (compare(page, text, false))
		return EXIT_CLEAN;
	o = output_open(page, true, &error);
	if (o) {
		output_str(o, text);
		if (output_close(o, &error)) {
			cli_note(quiet, "wrote %s", page);
			return EXIT_CLEAN;
		}
	}
	cli_error("%s", error->message);
	return EXIT_USAGE;
}
