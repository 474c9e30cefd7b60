// SPDX-License-Identifier: GPL-2.0-only
#include "sim/mm/perf_cgroup.h"

#include <stdio.h>

#include "sim/mm/mm.h"

/* For the record only, as that of a memcg. */
#define PERF_CGROUP_BYTES 208

struct perf_cgroup *perf_cgroup_css_alloc(struct task *t, struct cgroup *cgrp)
{
	FRAME(t);
	struct world *w = t->w;
	const struct perf_cgroup *above = cgrp->parent ? cgrp->parent->perf : NULL;
	struct perf_cgroup *perf;
	char name[64];

	sched_point(t, COST_OBJECT_INIT);
	if (fault_point(t, "perf_cgroup_css_alloc") || fault_point(t, "perf_cgroup_css_alloc.info"))
		return NULL;
	perf = world_alloc(w, sizeof(*perf));
	perf->css.kind = CSS_PERF_EVENT;
	perf->css.of = world_new_id(w, OBJ_CSS);
	snprintf(name, sizeof(name), "perf_event(%.48s)", cgrp->name);
	trace(t, OBJ_NEW, .obj = perf->css.of,
	      .arg = {above ? (int64_t)above->css.of : 0, PERF_CGROUP_BYTES}, .str = name);
	return perf;
}

void perf_cgroup_css_free(struct task *t, struct perf_cgroup *perf)
{
	FRAME(t);

	touch(t->w, perf->css.of, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = perf->css.of, .str = "perf_cgroup_css_free");
}

void perf_event_enable(struct task *t)
{
	int err = create_perf_css(t, mm_of(t->w)->root);

	sim_assert(err == 0);
}
