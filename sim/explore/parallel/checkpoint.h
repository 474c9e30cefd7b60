/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_PARALLEL_CHECKPOINT_H
#define SIM_EXPLORE_PARALLEL_CHECKPOINT_H

/*
 * Checkpoints: an exploration that was stopped, to go on from.
 *
 * A checkpoint is a file of lines that say what was explored and how, followed by
 * the state of the exploration in binary, and a sum over all of it.  It belongs to
 * one version of slabsim and one kind of machine, and says so.
 */

#include "sim/explore/driver.h"

#define CHECKPOINT_ERROR (checkpoint_error_quark())
GQuark checkpoint_error_quark(void);

/** state_write() - all that @d has and @d->rest; NULL when it would be too large */
GByteArray *state_write(const struct driver *d);

/**
 * state_read() - put it into @d; @r then stands at what was @d->rest
 *
 * Findings are made once more.  Return: false when they do not come back, or it
 * is not what state_write() has written.
 */
bool state_read(struct driver *d, struct reader *r);

/**
 * checkpoint_format() - the whole file
 * @about: lines "KEY VALUE"; KEY is a word that says what VALUE is
 */
GByteArray *checkpoint_format(const char *about, const GByteArray *state);

/** checkpoint_read() - the bytes of a file, or of the beginning of one that is none */
char *checkpoint_read(const char *path, size_t *size, GError **error);

/**
 * checkpoint_parse() - the state in a file
 * @about: as it would be written here and now
 *
 * Return: NULL with @error set when it is damaged, or about something else.
 */
GByteArray *checkpoint_parse(const char *data, size_t size, const char *about, GError **error);

#endif /* SIM_EXPLORE_PARALLEL_CHECKPOINT_H */
