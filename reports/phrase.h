/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_PHRASE_H
#define REPORTS_PHRASE_H

/*
 * One event in words: short, and in the kernel's own names.
 */

#include "reports/names.h"

/** phrase_put() - what @r says; no newline */
void phrase_put(const struct names *n, struct output *o, const struct trace_record *r);

/**
 * phrase_pattern() - how @kind is put into words; NULL if by its name and arguments
 *
 * Text with holes, as described in phrase.c: for readers of a trace that fill
 * them in themselves.
 */
const char *phrase_pattern(uint16_t kind);

/** phrase_is_noise() - is @r left out of a timeline unless all was asked for? */
bool phrase_is_noise(const struct trace_record *r);

/** phrase_is_heading() - does @r open a stretch of work that the next events belong to? */
bool phrase_is_heading(const struct trace_record *r);

/** phrase_time() - a time: us with three decimals, or a number of steps */
void phrase_time(struct output *o, uint64_t t, bool untimed);

#endif /* REPORTS_PHRASE_H */
