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
static void put_island(const struct trace_file *tf, struct output *o)
{
	struct output *json = output_memory();
	const char *p, *end, *less;

	html_pack(tf, json);
	p = json->buf;
	end = p + json->len;
	while ((less = memchr(p, '<', (size_t)(end - p)))) {
		output_bytes(o, p, (size_t)(less - p));
		output_str(o, "\\u003c");
		p = less + 1;
	}
	output_bytes(o, p, (size_t)(end - p));
	output_discard(json);
}

static void put_part(const struct trace_file *tf, struct output *o, const char *name)
{
	if (strcmp(name, "style") == 0) {
		put_resource(o, "page.css");
	} else if (strcmp(name, "script") == 0) {
		for (size_t i = 0; i < G_N_ELEMENTS(scripts); i++)
			put_resource(o, scripts[i]);
	} else {
		put_island(tf, o);
	}
}

/* The template has a hole like "@style@" where each part belongs. */
void html_write(const struct trace_file *tf, struct output *o)
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
			put_part(tf, o, parts[i]);
	}
}
