/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_SUGGEST_H
#define REPORTS_SUGGEST_H

/*
 * "Did you mean ...": the closest of some names.
 */

/** suggest_distance() - edits (insert, delete, change, swap neighbours) from @a to @b */
unsigned int suggest_distance(const char *a, const char *b);

/**
 * suggest() - the name that somebody who typed @typed most likely meant
 * @names: NULL-terminated
 *
 * Return: one of @names, the first of the closest; NULL when none is close.
 */
const char *suggest(const char *typed, const char *const *names);

#endif /* REPORTS_SUGGEST_H */
