/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_ENGINE_OBJECT_H
#define SIM_ENGINE_OBJECT_H

/*
 * Identity of simulated things.  An object is named by its kind and a number
 * that counts up per kind, so that output never depends on an address.
 */

#include <stdint.h>

enum object_kind {
#define OBJECT(id, name, doc) OBJ_##id,
#include "sim/engine/objects.def"
#undef OBJECT
	NR_OBJECT_KINDS,
};

/* kind in the top 8 bits, number (from 1) below; 0 is "no object" */
typedef uint64_t oid_t;

static inline oid_t oid_make(enum object_kind kind, uint64_t nr)
{
	return (oid_t)kind << 56 | nr;
}

static inline enum object_kind oid_kind(oid_t id)
{
	return (enum object_kind)(id >> 56);
}

static inline uint64_t oid_nr(oid_t id)
{
	return id & ((UINT64_C(1) << 56) - 1);
}

/** object_kind_name() - "cache", "memcg", ... as printed before the colon */
const char *object_kind_name(enum object_kind kind);

#endif /* SIM_ENGINE_OBJECT_H */
