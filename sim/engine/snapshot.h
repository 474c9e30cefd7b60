/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_ENGINE_SNAPSHOT_H
#define SIM_ENGINE_SNAPSHOT_H

/*
 * Snapshots: the live bytes of a world, to go back to.
 *
 * A snapshot is the arena's heap and, for each context, the part of its stack
 * that it still needs.  The world lies at the same address before and after, so
 * nothing is relocated.
 *
 * Most of a heap never changes once the set-up has ended.  With a base, a snapshot
 * is only what was written to since (sim/base/watch.h); all else the base has.
 *
 * Context: on the host's stack, between two steps.
 */

#include "sim/engine/world.h"

/** snapshot_size() - bytes that snapshot_save() would need now */
size_t snapshot_size(const struct world *w);

/** snapshot_save() - copy @w to @buffer, snapshot_size() bytes, aligned to 16 */
void snapshot_save(const struct world *w, void *buffer);

/**
 * snapshot_base() - the same, and let later snapshots have only what changes from here on
 * @buffer: must stay until the arena is reset
 */
void snapshot_base(struct world *w, void *buffer);

/**
 * snapshot_restore() - make the world what it was when @buffer was saved
 *
 * The arena must be the one that it was saved from, and must not have been
 * reset since.
 */
void snapshot_restore(struct world *w, const void *buffer);

#endif /* SIM_ENGINE_SNAPSHOT_H */
