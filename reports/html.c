// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page is put together: template, style, script, data.
 */
#include "reports/html.h"

#include <gio/gio.h>

#include "sim/base/assert.h"

#define PREFIX "/slabsim/reports/html/"

static const struct html_parts timeline = {
	.page = "page.html",
	.styles = {"theme.css", "page.css"},
	.scripts = {"text.js", "trace.js", "layout.js", "draw.js", "page.js"},
};

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

#define PIECE ((size_t)1 << 18)
#define ANOTHER "</script>\n<script type=\"application/json\">"

/*
 * "<" occurs in JSON only inside strings, where an escape means the same; without
 * it nothing in the island can end the island.
 */
static void put_piece(const char *p, const char *end, struct output *o)
{
	const char *less;

	while ((less = memchr(p, '<', (size_t)(end - p)))) {
		output_bytes(o, p, (size_t)(less - p));
		output_str(o, "\\u003c");
		p = less + 1;
	}
	output_bytes(o, p, (size_t)(end - p));
}

/*
 * In pieces, which the page puts together: a browser takes in each in one go, and
 * while it does that with 11 MB the page stands still.
 */
static void put_island(const struct output *json, struct output *o)
{
	const char *p = json->buf, *end = p + json->len;

	while ((size_t)(end - p) > PIECE) {
		const char *cut = p + PIECE;

		/* Not within a character of UTF-8. */
		while ((*cut & 0xc0) == 0x80)
			cut--;
		put_piece(p, cut, o);
		output_str(o, ANOTHER);
		p = cut;
	}
	put_piece(p, end, o);
}

static void put_resources(struct output *o, const char *const names[HTML_FILES_MAX])
{
	for (int i = 0; i < HTML_FILES_MAX && names[i]; i++)
		put_resource(o, names[i]);
}

static void put_part(const struct html_parts *parts, const struct output *json, struct output *o,
		     const char *name)
{
	if (strcmp(name, "style") == 0)
		put_resources(o, parts->styles);
	else if (strcmp(name, "script") == 0)
		put_resources(o, parts->scripts);
	else
		put_island(json, o);
}

/* The template has a hole like "@style@" where each part belongs. */
void html_put_page(const struct html_parts *parts, const struct output *json, struct output *o)
{
	struct output *page = output_memory();
	g_auto(GStrv) pieces = NULL;

	put_resource(page, parts->page);
	output_char(page, 0);
	pieces = g_strsplit(page->buf, "@", -1);
	output_discard(page);
	for (int i = 0; pieces[i]; i++) {
		if (i % 2 == 0)
			output_str(o, pieces[i]);
		else
			put_part(parts, json, o, pieces[i]);
	}
}

void html_write(const struct trace_file *tf, struct output *o)
{
	struct output *json = output_memory();

	html_pack(tf, json);
	html_put_page(&timeline, json, o);
	output_discard(json);
}

void html_write_diff(const struct trace_file *a, const struct trace_file *b,
		     const struct diff_options *opt, struct output *o)
{
	struct output *json = output_memory();

	html_pack_diff(a, b, opt, json);
	html_put_page(&timeline, json, o);
	output_discard(json);
}
