// SPDX-License-Identifier: GPL-2.0-only
#include "reports/json.h"

/* Length of the valid UTF-8 sequence at @s, 0 if there is none. */
static int utf8_length(const unsigned char *s)
{
	int n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

	if (n == 1)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	for (int i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Overlong forms, surrogates, and what lies above U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void escape(struct output *o, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char *p = output_room(o, 6);

	*p++ = '\\';
	if (c >= 0x20) {
		*p = (char)c;
		o->len += 2;
		return;
	}
	memcpy(p, "u00", 3);
	p[3] = hex[c >> 4];
	p[4] = hex[c & 15];
	o->len += 6;
}

void json_string(struct output *o, const char *str)
{
	const unsigned char *s = (const unsigned char *)str;

	output_char(o, '"');
	while (*s) {
		size_t n = 0;

		while (s[n] >= 0x20 && s[n] < 0x80 && s[n] != '"' && s[n] != '\\')
			n++;
		output_bytes(o, (const char *)s, n);
		s += n;
		if (*s == 0)
			break;
		if (*s < 0x80) {
			escape(o, *s++);
			continue;
		}
		n = (size_t)utf8_length(s);
		output_bytes(o, n ? (const char *)s : "\xef\xbf\xbd", n ? n : 3);
		s += n ? n : 1;
	}
	output_char(o, '"');
}

void json_strings(struct output *o, const char *const *s)
{
	output_char(o, '[');
	for (size_t i = 0; s && s[i]; i++) {
		if (i > 0)
			output_char(o, ',');
		json_string(o, s[i]);
	}
	output_char(o, ']');
}

void json_key(struct output *o, const char *name)
{
	size_t n = strlen(name);
	char *p = output_room(o, n + 4);

	*p++ = ',';
	*p++ = '"';
	memcpy(p, name, n);
	p += n;
	*p++ = '"';
	*p = ':';
	o->len += n + 4;
}

void json_oid(struct output *o, oid_t id)
{
	output_char(o, '"');
	output_str(o, object_kind_name(oid_kind(id)));
	if (id != 0) {
		output_char(o, ':');
		output_u64(o, oid_nr(id));
	}
	output_char(o, '"');
}
