/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_JSON_H
#define REPORTS_JSON_H

/*
 * JSON values on an output stream, written by hand for speed.
 */

#include "reports/output.h"
#include "sim/engine/object.h"

/** json_string() - @s in quotes; invalid UTF-8 becomes U+FFFD */
void json_string(struct output *o, const char *s);

/** json_strings() - a NULL-terminated array of strings; NULL is an empty array */
void json_strings(struct output *o, const char *const *s);

/** json_key() - ,"name": */
void json_key(struct output *o, const char *name);

/** json_oid() - "kind:nr", or "-" for no object */
void json_oid(struct output *o, oid_t id);

static inline void json_key_string(struct output *o, const char *name, const char *value)
{
	json_key(o, name);
	json_string(o, value);
}

static inline void json_key_u64(struct output *o, const char *name, uint64_t value)
{
	json_key(o, name);
	output_u64(o, value);
}

#endif /* REPORTS_JSON_H */
