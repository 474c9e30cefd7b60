/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MM_PERF_CGROUP_H
#define SIM_MM_PERF_CGROUP_H

/*
 * The perf_event controller: a second css for each cgroup.
 *
 * It is the one that every cgroup of the unified hierarchy has without being asked for, and its
 * css does nothing but live and die: it has no hook for going offline.  So it shows what
 * controllers do to each other: each css has a confirmation, work items and grace periods of its
 * own, and only together do they let go of their cgroup.
 *
 * Differs: there are no events, so nothing but its cgroup keeps it.
 *
 * Upstream: struct perf_cgroup, kernel/events/core.c, v5.3.
 */

#include "sim/mm/cgroup.h"

struct perf_cgroup {
	struct css css;
};

/** perf_event_enable() - give the machine the controller; no cgroup but the root exists */
void perf_event_enable(struct task *t);

/* css hooks, for cgroup.c; alloc gives NULL if memory runs out */
struct perf_cgroup *perf_cgroup_css_alloc(struct task *t, struct cgroup *cgrp);
void perf_cgroup_css_free(struct task *t, struct perf_cgroup *perf);

#endif /* SIM_MM_PERF_CGROUP_H */
