// SPDX-License-Identifier: GPL-2.0-only
#include "reports/compare.h"

#include <string.h>

#include "reports/json.h"

#define RED "\033[1;31m"
#define GREEN "\033[1;32m"
#define YELLOW "\033[1;33m"
#define RESET "\033[0m"

#define GAP 2
#define WIDTH_MAX 100

void compared_free(gpointer p)
{
	struct compared *c = p;

	g_free(c->lifecycle);
	g_free(c->verdict);
	g_free(c->checker);
	g_free(c->violation);
	g_free(c->found);
	g_free(c->replay);
	figures_free(c->figures);
	g_free(c);
}

/* Of all runs, in order of first use. */
static GPtrArray *mutex_names(const GPtrArray *all)
{
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; i < all->len; i++) {
		const struct compared *c = g_ptr_array_index(all, i);

		for (guint k = 0; k < c->figures->mutexes->len; k++) {
			struct held_mutex *m = g_ptr_array_index(c->figures->mutexes, k);

			if (!g_ptr_array_find_with_equal_func(names, m->name, g_str_equal, NULL))
				g_ptr_array_add(names, m->name);
		}
	}
	return names;
}

/* ---- tables -------------------------------------------------------------- */

/* A column of a table: its cells, from top to bottom, are strings. */
struct table_column {
	const char *head;
	bool left; /* aligned */
	GPtrArray *cells;
};

static struct table_column *add_column(GPtrArray *table, const char *head, bool left)
{
	struct table_column *c = g_new0(struct table_column, 1);

	c->head = head;
	c->left = left;
	c->cells = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(table, c);
	return c;
}

static void column_free(gpointer p)
{
	struct table_column *c = p;

	g_ptr_array_unref(c->cells);
	g_free(c);
}

static GPtrArray *new_table(void)
{
	return g_ptr_array_new_with_free_func(column_free);
}

static int width_of(const struct table_column *c)
{
	size_t width = strlen(c->head);

	for (guint i = 0; i < c->cells->len; i++)
		width = MAX(width, strlen(g_ptr_array_index(c->cells, i)));
	return (int)width;
}

static const char *paint_of(const char *cell)
{
	return strcmp(cell, "PASS") == 0	 ? GREEN
	       : strcmp(cell, "FAIL") == 0	 ? RED
	       : strcmp(cell, "INCOMPLETE") == 0 ? YELLOW
						 : NULL;
}

static void put_cell(const struct table_column *c, const char *text, bool color, struct output *o)
{
	int blanks = width_of(c) - (int)strlen(text);
	const char *paint = color ? paint_of(text) : NULL;

	output_pad(o, ' ', GAP);
	if (!c->left)
		output_pad(o, ' ', blanks);
	output_printf(o, "%s%s%s", paint ? paint : "", text, paint ? RESET : "");
	if (c->left)
		output_pad(o, ' ', blanks);
}

/* The columns from @from to before @to, after the first one. */
static void put_columns(const GPtrArray *table, guint from, guint to, bool color, struct output *o)
{
	const struct table_column *first = g_ptr_array_index(table, 0);

	for (guint row = 0; row <= first->cells->len; row++) {
		for (guint i = 0; i < to; i = i == 0 ? from : i + 1) {
			const struct table_column *c = g_ptr_array_index(table, i);

			put_cell(c, row == 0 ? c->head : g_ptr_array_index(c->cells, row - 1),
				 color, o);
		}
		output_end_line(o);
	}
}

/* What is too wide goes on below, with the first column again. */
static void put_table(const GPtrArray *table, bool color, struct output *o)
{
	guint from = 1;

	while (from < table->len) {
		int width = GAP + width_of(g_ptr_array_index(table, 0));
		guint to = from;

		while (to < table->len) {
			width += GAP + width_of(g_ptr_array_index(table, to));
			if (width > WIDTH_MAX && to > from)
				break;
			to++;
		}
		put_columns(table, from, to, color, o);
		from = to;
		if (from < table->len)
			output_char(o, '\n');
	}
}

/* ---- text ---------------------------------------------------------------- */

static char *number(uint64_t n)
{
	return g_strdup_printf("%" G_GUINT64_FORMAT, n);
}

/* Of ns, with the digits that matter. */
static char *micros(uint64_t ns)
{
	return ns < 100000 ? g_strdup_printf("%.2f", (double)ns / 1e3)
			   : g_strdup_printf("%.0f", (double)ns / 1e3);
}

static char *clean_cell(const struct compared *c)
{
	uint64_t ns;

	if (!figures_clean_after(c->figures, &ns))
		return g_strdup("-");
	return g_strdup_printf("%.3f ms", (double)ns / 1e6);
}

static void put_main(const GPtrArray *all, bool color, struct output *o)
{
	g_autoptr(GPtrArray) table = new_table();
	struct table_column *name = add_column(table, "lifecycle", true);
	struct table_column *verdict = add_column(table, "verdict", true);
	struct table_column *checker = add_column(table, "first violation", true);
	struct table_column *dying = add_column(table, "dying cgroups", false);
	struct table_column *clean = add_column(table, "clean after", false);
	struct table_column *barriers = add_column(table, "rcu_barriers", false);
	struct table_column *gps = add_column(table, "grace periods", false);

	for (guint i = 0; i < all->len; i++) {
		const struct compared *c = g_ptr_array_index(all, i);

		g_ptr_array_add(name->cells, g_strdup(c->lifecycle));
		g_ptr_array_add(verdict->cells, g_strdup(c->verdict));
		g_ptr_array_add(checker->cells, g_strdup(c->checker ? c->checker : "-"));
		g_ptr_array_add(dying->cells, number((uint64_t)c->nr_dying));
		g_ptr_array_add(clean->cells, clean_cell(c));
		g_ptr_array_add(barriers->cells, number(c->figures->nr_barriers));
		g_ptr_array_add(gps->cells, number(c->figures->nr_gps));
	}
	put_table(table, color, o);
}

static char *hold_cell(const struct figures *f, const char *name)
{
	const struct held_mutex *m = figures_mutex(f, name);
	g_autofree char *longest = NULL, *total = NULL;

	if (!m)
		return g_strdup("-");
	longest = micros(m->longest);
	total = micros(m->total);
	return g_strdup_printf("%s / %s", longest, total);
}

static void put_mutexes(const GPtrArray *all, struct output *o)
{
	g_autoptr(GPtrArray) names = mutex_names(all);
	g_autoptr(GPtrArray) table = new_table();
	struct table_column *lifecycle = add_column(table, "lifecycle", true);

	if (names->len == 0)
		return;
	for (guint i = 0; i < all->len; i++) {
		const struct compared *c = g_ptr_array_index(all, i);

		g_ptr_array_add(lifecycle->cells, g_strdup(c->lifecycle));
	}
	for (guint k = 0; k < names->len; k++) {
		const char *name = g_ptr_array_index(names, k);
		struct table_column *column = add_column(table, name, false);

		for (guint i = 0; i < all->len; i++) {
			const struct compared *c = g_ptr_array_index(all, i);

			g_ptr_array_add(column->cells, hold_cell(c->figures, name));
		}
	}
	output_str(o, "\nMutexes held: the longest time / all together, us\n\n");
	put_table(table, false, o);
}

static void put_violations(const GPtrArray *all, struct output *o)
{
	bool any = false;

	for (guint i = 0; i < all->len; i++) {
		const struct compared *c = g_ptr_array_index(all, i);

		if (!c->violation)
			continue;
		if (!any)
			output_char(o, '\n');
		any = true;
		output_printf(o, "%s: %s%s%s%s%s\n", c->lifecycle, c->checker ? c->checker : "",
			      c->checker ? ": " : "", c->violation, c->found ? ", " : "",
			      c->found ? c->found : "");
		output_printf(o, "  %s\n", c->replay);
	}
}

void compare_text(const GPtrArray *all, bool color, bool brief, struct output *o)
{
	put_main(all, color, o);
	if (brief)
		return;
	put_mutexes(all, o);
	put_violations(all, o);
}

/* ---- CSV ----------------------------------------------------------------- */

/* As RFC 4180 has it. */
static void csv_string(struct output *o, const char *s)
{
	if (!strpbrk(s, ",\"\n\r")) {
		output_str(o, s);
		return;
	}
	output_char(o, '"');
	for (; *s; s++) {
		if (*s == '"')
			output_char(o, '"');
		output_char(o, *s);
	}
	output_char(o, '"');
}

static void csv_line(const struct compared *c, const GPtrArray *names, struct output *o)
{
	uint64_t clean;

	output_printf(o, "%s,%s,%s,", c->lifecycle, c->verdict, c->checker ? c->checker : "");
	csv_string(o, c->violation ? c->violation : "");
	output_printf(o, ",%" G_GINT64_FORMAT ",", c->nr_dying);
	if (figures_clean_after(c->figures, &clean))
		output_u64(o, clean);
	output_printf(o, ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT,
		      c->figures->nr_barriers, c->figures->nr_gps, c->end);
	for (guint k = 0; k < names->len; k++) {
		const struct held_mutex *m = figures_mutex(c->figures, g_ptr_array_index(names, k));

		if (m)
			output_printf(o, ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT, m->longest,
				      m->total);
		else
			output_str(o, ",,");
	}
	output_char(o, '\n');
}

void compare_csv(const GPtrArray *all, struct output *o)
{
	g_autoptr(GPtrArray) names = mutex_names(all);

	output_str(o, "lifecycle,verdict,checker,violation,dying_cgroups,clean_after_ns,"
		      "rcu_barriers,grace_periods,end_ns");
	for (guint k = 0; k < names->len; k++) {
		g_autofree char *longest =
			g_strconcat("longest_ns:", g_ptr_array_index(names, k), NULL);
		g_autofree char *total =
			g_strconcat("total_ns:", g_ptr_array_index(names, k), NULL);

		output_char(o, ',');
		csv_string(o, longest);
		output_char(o, ',');
		csv_string(o, total);
	}
	output_char(o, '\n');
	for (guint i = 0; i < all->len; i++)
		csv_line(g_ptr_array_index(all, i), names, o);
}

/* ---- JSON ---------------------------------------------------------------- */

static void json_mutexes(const struct figures *f, struct output *o)
{
	json_key(o, "mutexes");
	output_char(o, '[');
	for (guint k = 0; k < f->mutexes->len; k++) {
		const struct held_mutex *m = g_ptr_array_index(f->mutexes, k);

		output_str(o, k ? ",{\"name\":" : "{\"name\":");
		json_string(o, m->name);
		json_key_u64(o, "taken", m->nr);
		json_key_u64(o, "longest_ns", m->longest);
		json_key_u64(o, "total_ns", m->total);
		output_char(o, '}');
	}
	output_char(o, ']');
}

static void json_line(const struct compared *c, struct output *o)
{
	uint64_t clean;

	output_str(o, "{\"type\":\"compared\"");
	json_key_string(o, "lifecycle", c->lifecycle);
	json_key_string(o, "verdict", c->verdict);
	if (c->checker)
		json_key_string(o, "checker", c->checker);
	if (c->violation)
		json_key_string(o, "violation", c->violation);
	if (c->found)
		json_key_string(o, "found", c->found);
	json_key_u64(o, "dying_cgroups", (uint64_t)c->nr_dying);
	if (figures_clean_after(c->figures, &clean))
		json_key_u64(o, "clean_after_ns", clean);
	json_key_u64(o, "rcu_barriers", c->figures->nr_barriers);
	json_key_u64(o, "grace_periods", c->figures->nr_gps);
	json_key_u64(o, "end_ns", c->end);
	json_mutexes(c->figures, o);
	json_key_string(o, "replay", c->replay);
	output_str(o, "}\n");
}

void compare_json(const GPtrArray *all, struct output *o)
{
	for (guint i = 0; i < all->len; i++)
		json_line(g_ptr_array_index(all, i), o);
}
