// SPDX-License-Identifier: GPL-2.0-only
/*
 * What somebody who wrote a table most likely meant.
 */

#include <string.h>

#include "sim/explore/ordering/ordering_table.h"

#define HINTS_MAX 8
/* A word as short as this stands for an object: "C" is no misspelt name of one. */
#define WORD_MIN 3

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Empty if none of @names is near; they are sorted, and what follows them is NULL. */
static char *nearest(GPtrArray *names, const char *typed, ordering_suggest suggest)
{
	const char *near;

	g_ptr_array_sort(names, by_name);
	g_ptr_array_add(names, NULL);
	near = suggest ? suggest(typed, (const char *const *)names->pdata) : NULL;
	return near ? g_strdup_printf("; did you mean '%s'?", near) : g_strdup("");
}

char *ordering_hint_name(const struct ordering *o, const char *typed, ordering_suggest suggest)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	GHashTableIter it;
	gpointer key;

	g_hash_table_iter_init(&it, o->seen);
	while (g_hash_table_iter_next(&it, &key, NULL))
		g_ptr_array_add(names, key);
	return nearest(names, typed, suggest);
}

/* Whole names of objects, and what code calls the member of one. */
static GPtrArray *names_of_objects(const struct ordering *o)
{
	GPtrArray *names = g_ptr_array_new();
	GHashTableIter it;
	gpointer name;

	g_hash_table_iter_init(&it, o->names);
	while (g_hash_table_iter_next(&it, NULL, &name)) {
		const char *dot = strrchr(name, '.');

		g_ptr_array_add(names, name);
		if (dot)
			g_ptr_array_add(names, (gpointer)(dot + 1));
	}
	return names;
}

static bool is_among(const GPtrArray *names, const char *word)
{
	for (guint i = 0; i < names->len; i++) {
		if (strcmp(g_ptr_array_index(names, i), word) == 0)
			return true;
	}
	return false;
}

/* Has @row, or one before it, an argument that is no name, but near to one?  Each once. */
static bool is_misspelt(const struct ordering *o, uint32_t row, const GPtrArray *names)
{
	const char *word = row_at(o, row)->member;

	if (strlen(word) < WORD_MIN || is_among(names, word) ||
	    is_among(names, row_at(o, row)->arg))
		return false;
	for (uint32_t i = 0; i < row; i++) {
		if (strcmp(row_at(o, i)->member, word) == 0)
			return false;
	}
	return true;
}

/* What stands for a kind of contexts, or begins the name of one. */
static const char *const kinds[] = {"setup", "kworker", "softirq", "rcu", "irq", "interrupt"};

static bool is_of_a_kind(const char *word)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (strstr(word, kinds[i]))
			return true;
	}
	return false;
}

static GPtrArray *names_of_contexts(const struct ordering *o)
{
	GPtrArray *names = g_ptr_array_new();
	GHashTableIter it;
	gpointer comm;

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		g_ptr_array_add(names, (gpointer)kinds[i]);
	g_hash_table_iter_init(&it, o->comms);
	while (g_hash_table_iter_next(&it, NULL, &comm))
		g_ptr_array_add(names, comm);
	return names;
}

void ordering_hint_header(const struct ordering *o, ordering_suggest suggest, GString *s)
{
	g_autoptr(GPtrArray) names = names_of_contexts(o);

	for (int i = 0; i < (int)o->columns->len; i++) {
		const struct ordering_column *c = column_at(o, i);

		for (int n = 0; c->names[n]; n++) {
			g_autoptr(GPtrArray) copy = g_ptr_array_copy(names, NULL, NULL);
			g_autofree char *near = NULL;

			if (strlen(c->names[n]) < WORD_MIN || is_of_a_kind(c->names[n]) ||
			    is_among(names, c->names[n]))
				continue;
			near = nearest(copy, c->names[n], suggest);
			if (near[0])
				g_string_append_printf(s, "; no context is called '%s' (%s)%s",
						       c->names[n], c->label, near);
		}
	}
}

void ordering_hint_arguments(const struct ordering *o, ordering_suggest suggest, GString *s)
{
	g_autoptr(GPtrArray) names = names_of_objects(o);
	uint32_t nr = 0;

	for (uint32_t i = 0; i < o->rows->len && nr < HINTS_MAX; i++) {
		const struct ordering_row *row = row_at(o, i);
		g_autoptr(GPtrArray) copy = NULL;
		g_autofree char *near = NULL;

		if (!is_misspelt(o, i, names))
			continue;
		copy = g_ptr_array_copy(names, NULL, NULL);
		near = nearest(copy, row->member, suggest);
		if (near[0]) {
			g_string_append_printf(s, "; nothing is called '%s' (line %u)%s",
					       row->member, row->line, near);
			nr++;
		}
	}
}
