// SPDX-License-Identifier: GPL-2.0-only
#include "sim/engine/trace.h"

#include <string.h>

const struct trace_kind_info trace_kinds[NR_TRACE_KINDS] = {
#define EVENT(id, name, obj, a0, a1, a2, a3, doc)                                                  \
	[TR_##id] = {name, OBJ_##obj, {a0, a1, a2, a3}, doc},
#include "sim/engine/events.def"
#undef EVENT
};

static const char *const object_kinds[NR_OBJECT_KINDS] = {
#define OBJECT(id, name, doc) [OBJ_##id] = name,
#include "sim/engine/objects.def"
#undef OBJECT
};

static const char *const holders[NR_HOLDERS] = {
#define HOLDER(id, name, doc) [HOLD_##id] = name,
#include "sim/engine/holders.def"
#undef HOLDER
};

static const char *const ctx_kinds[NR_CTX_KINDS] = {"env", "task", "kworker", "softirq", "hardirq"};
static const char *const vias[NR_VIAS] = {"",	 "call_rcu", "queue_work", "wake",
					  "ipi", "last_put", "timer"};

const char *object_kind_name(enum object_kind kind)
{
	return object_kinds[kind];
}

const char *holder_name(enum holder h)
{
	return holders[h];
}

const char *holder_meaning(enum holder h)
{
	static const char *const meanings[NR_HOLDERS] = {
#define HOLDER(id, name, doc) [HOLD_##id] = doc,
#include "sim/engine/holders.def"
#undef HOLDER
	};

	return meanings[h];
}

const char *ctx_kind_name(enum ctx_kind ctx)
{
	return ctx_kinds[ctx];
}

const char *via_name(enum via via)
{
	return vias[via];
}

int trace_kind_by_name(const char *name)
{
	for (int k = 0; k < NR_TRACE_KINDS; k++) {
		if (strcmp(trace_kinds[k].name, name) == 0)
			return k;
	}
	return -1;
}
