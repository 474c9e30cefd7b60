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
 * Context: on the host's stack, between two steps.
 */

#include "sim/engine/world.h"

/** snapshot_size() - bytes that snapshot_save() would need now */
size_t snapshot_size(const struct world *w);

/** snapshot_save() - copy @w to @buffer, snapshot_size() bytes, aligned to 16 */
void snapshot_save(const struct world *w, void *buffer);

/**
 * snapshot_restore() - make the world what it was when @buffer was saved
 *
 * The arena must be the one that it was saved from, and must not have been
 * reset since.
 */
void snapshot_restore(struct world *w, const void *buffer);

#endif /* SIM_ENGINE_SNAPSHOT_H */
