// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page is put together: template, style, script, data.
 */
#include "reports/html.h"

#include <gio/gio.h>

#include "sim/base/assert.h"

#define PREFIX "/slabsim/reports/html/"

/* In the order in which the script is read. */
static const char *const scripts[] = {"trace.js", "layout.js", "draw.js", "page.js"};

static void put_resource(struct output *o, const char *name)
{
	g_autofree char *path = g_strconcat(PREFIX, name, NULL);
	g_autoptr(GBytes) text = g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
	gsize size;
	const char *start;

	sim_assert(text);
	start = g_bytes_get_data(text, &size);
	output_bytes(o, start, size);
}

/*
 * "<" occurs in JSON only inside strings, where an escape means the same; without
 * it nothing in the island can end the island.
 */
static void put_island(const struct output *json, struct output *o)
{
	const char *p = json->buf, *end = p + json->len, *less;

	while ((less = memchr(p, '<', (size_t)(end - p)))) {
		output_bytes(o, p, (size_t)(less - p));
		output_str(o, "\\u003c");
		p = less + 1;
	}
	output_bytes(o, p, (size_t)(end - p));
}

static void put_part(const struct output *json, struct output *o, const char *name)
{
	if (strcmp(name, "style") == 0) {
		put_resource(o, "page.css");
	} else if (strcmp(name, "script") == 0) {
		for (size_t i = 0; i < G_N_ELEMENTS(scripts); i++)
			put_resource(o, scripts[i]);
	} else {
		put_island(json, o);
	}
}

/* The template has a hole like "@style@" where each part belongs. */
static void put_page(const struct output *json, struct output *o)
{
	struct output *page = output_memory();
	g_auto(GStrv) parts = NULL;

	put_resource(page, "page.html");
	output_char(page, 0);
	parts = g_strsplit(page->buf, "@", -1);
	output_discard(page);
	for (int i = 0; parts[i]; i++) {
		if (i % 2 == 0)
			output_str(o, parts[i]);
		else
			put_part(json, o, parts[i]);
	}
}

void html_write(const struct trace_file *tf, struct output *o)
{
	struct output *json = output_memory();

	html_pack(tf, json);
	put_page(json, o);
	output_discard(json);
}

void html_write_diff(const struct trace_file *a, const struct trace_file *b,
		     const struct diff_options *opt, struct output *o)
{
	struct output *json = output_memory();

	html_pack_diff(a, b, opt, json);
	put_page(json, o);
	output_discard(json);
}
