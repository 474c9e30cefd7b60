/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MM_CGROUP_H
#define SIM_MM_CGROUP_H

/*
 * Control groups and the life of a css.
 *
 * Each cgroup has two csses: its own ("self") and the memory controller's,
 * embedded in struct mem_cgroup; with perf_cgroup.h it has a third.  Removal
 * kills their counters; a grace period later the offline work runs, children
 * before parents; the last reference queues the release work, and a second
 * grace period later the free work runs.
 *
 * Upstream: kernel/cgroup/cgroup.c, v5.3.
 */

#include "sim/engine/world.h"
#include "sim/kernel/percpu_ref.h"
#include "sim/kernel/workqueue.h"

struct cgroup;
struct mem_cgroup;
struct perf_cgroup;

/* Whose it is: the cgroup's own, or a controller's, whose structure it is embedded in. */
enum css_kind { CSS_SELF, CSS_MEMORY, CSS_PERF_EVENT };

struct css {
	oid_t of; /* the cgroup, the memcg, or itself */
	struct cgroup *cgroup;
	struct css *parent; /* pinned */
	bool no_ref;	    /* the root's: never counted */
	enum css_kind kind;
	bool online, dying, killed, releasing, released;
	int32_t online_cnt; /* itself and its online children */
	uint64_t serial_nr;
	struct percpu_ref refcnt;
	struct work_struct destroy_work;
	struct rcu_work destroy_rwork;
};

struct cgroup {
	oid_t id;
	const char *name;
	struct cgroup *parent;
	struct css self;
	struct mem_cgroup *memcg; /* its tasks': its own, or an ancestor's if that is disabled */
	struct mem_cgroup *own;	  /* until it has gone offline */
	struct perf_cgroup *perf; /* the same; NULL if the machine has no such controller */
	bool memory_off, threaded;
	uint32_t css_set_nr;
	uint32_t nr_tasks, nr_online_children;
	bool removed; /* the directory is gone */
};

struct cgroup *cgroup_root_new(struct task *t);

/** cgroup_mkdir() - NULL with *@err set: -ENODEV under a removed parent, -ENOMEM */
struct cgroup *cgroup_mkdir(struct task *t, struct cgroup *parent, const char *name, int *err);

/** cgroup_rmdir() - 0, -EBUSY with tasks or children in it, -ENODEV when it is gone already */
int cgroup_rmdir(struct task *t, struct cgroup *cgrp);

/** cgroup_attach_task() - move @who to @cgrp: 0 or -ENODEV */
int cgroup_attach_task(struct task *t, struct task *who, struct cgroup *cgrp);

/** cgroup_exit() - an ending task leaves its cgroup */
void cgroup_exit(struct task *t);

/** cgroup_disable_memory() - its tasks are the parent's from now on: 0, -ENODEV or -EBUSY */
int cgroup_disable_memory(struct task *t, struct cgroup *cgrp);

/** cgroup_enable_threaded() - another type; controllers are applied again: 0 or -ENODEV */
int cgroup_enable_threaded(struct task *t, struct cgroup *cgrp);

/** kill_css() - begin to take @css offline; cgroup_mutex held */
void kill_css(struct task *t, struct css *css);

/** create_perf_css() - the perf_event controller's, for @cgrp: 0 or -ENOMEM; see perf_cgroup.h */
int create_perf_css(struct task *t, struct cgroup *cgrp);

/** css_went_offline() - tell those who wait for it; cgroup_mutex held */
void css_went_offline(struct task *t, struct css *css);

/** exit_accounting() - an ending task, which nobody moves any more, writes a last record */
void exit_accounting(struct task *t);

/* A task's signal lock, interrupts off: what a migration takes below css_set_lock. */
void lock_siglock(struct task *t, struct task *who);
void unlock_siglock(struct task *t, struct task *who);

void css_get_many(struct task *t, struct css *css, int64_t n, enum holder h, oid_t owner);
void css_put_many(struct task *t, struct css *css, int64_t n, enum holder h, oid_t owner);
bool css_tryget(struct task *t, struct css *css, enum holder h, oid_t owner);
bool css_tryget_online(struct task *t, struct css *css, enum holder h, oid_t owner);

static inline void css_get(struct task *t, struct css *css, enum holder h, oid_t owner)
{
	css_get_many(t, css, 1, h, owner);
}

static inline void css_put(struct task *t, struct css *css, enum holder h, oid_t owner)
{
	css_put_many(t, css, 1, h, owner);
}

#endif /* SIM_MM_CGROUP_H */
