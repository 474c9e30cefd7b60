// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory controller of a cgroup that is not removed: disabled, and applied again.
 *
 * Upstream: kernel/cgroup/cgroup.c, v5.3.  Differs: a controller is disabled for a
 * cgroup without children, and never enabled again.
 */
#include <errno.h>

#include "sim/mm/mm.h"
#include "sim/mm/perf_cgroup.h"

struct waiter {
	struct list node;
	const struct cgroup *cgrp;
	struct completion done;
};

void css_went_offline(struct task *t, struct css *css)
{
	list_for_each_safe(node, next, &mm_of(t->w)->offline_waiters) {
		struct waiter *waiter = container_of(node, struct waiter, node);

		if (waiter->cgrp != css->cgroup)
			continue;
		list_del(node);
		complete(t, &waiter->done);
	}
}

/* cgroup_mutex held, and given up while a css of @cgrp is on its way out. */
static void drain_offline(struct task *t, struct cgroup *cgrp)
{
	struct mm *mm = mm_of(t->w);
	struct waiter waiter = {.cgrp = cgrp};

	while ((cgrp->own && cgrp->own->css.dying) || (cgrp->perf && cgrp->perf->css.dying)) {
		init_completion(t->w, &waiter.done);
		list_add_tail(&waiter.node, &mm->offline_waiters);
		mutex_unlock(t, &mm->cgroup_mutex);
		wait_for_completion(t, &waiter.done, "cgroup_lock_and_drain_offline");
		mutex_lock(t, &mm->cgroup_mutex);
	}
}

/* Tasks come and go meanwhile: each time from the beginning. */
static struct task *next_to_tell(struct task *t, const struct cgroup *cgrp)
{
	list_for_each(node, &t->w->tasks) {
		struct task *who = container_of(node, struct task, all_node);

		if (who->cgroup == cgrp && who->css_set_nr != cgrp->css_set_nr)
			return who;
	}
	return NULL;
}

/* The tasks of @cgrp are the parent memcg's, and its own allocations too. */
static void cgroup_update_dfl_csses(struct task *t, struct cgroup *cgrp)
{
	struct mm *mm = mm_of(t->w);
	struct task *who;

	sched_write(t, cgrp->id, FIELD_TASKS, "cgroup_update_dfl_csses.tasks");
	cgrp->memcg = cgrp->parent->memcg;
	cgrp->css_set_nr++;
	while ((who = next_to_tell(t, cgrp)) != NULL) {
		who->css_set_nr = cgrp->css_set_nr;
		touch(t->w, who->id, FIELD_ONLINE, ACCESS_WRITE);
		if (mm->ops->task_moved)
			mm->ops->task_moved(t, who);
	}
}

static void cgroup_apply_control(struct task *t, struct cgroup *cgrp)
{
	FRAME(t);

	if (!cgrp->memory_off)
		return;
	if (cgrp->memcg == cgrp->own)
		cgroup_update_dfl_csses(t, cgrp);
	/* It stays there until it has gone offline. */
	if (cgrp->own)
		kill_css(t, &cgrp->own->css);
}

int cgroup_disable_memory(struct task *t, struct cgroup *cgrp)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);
	int err = 0;

	mutex_lock(t, &mm->cgroup_mutex);
	if (cgrp->removed)
		err = -ENODEV;
	else if (!cgrp->parent || cgrp->nr_online_children > 0)
		err = -EBUSY;
	if (!err) {
		cgrp->memory_off = true;
		cgroup_apply_control(t, cgrp);
	}
	mutex_unlock(t, &mm->cgroup_mutex);
	return err;
}

int cgroup_enable_threaded(struct task *t, struct cgroup *cgrp)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);
	int err = 0;

	mutex_lock(t, &mm->cgroup_mutex);
	if (!mm->config.kills_css_twice)
		drain_offline(t, cgrp);
	if (cgrp->removed)
		err = -ENODEV;
	if (!err) {
		cgrp->threaded = true;
		cgroup_apply_control(t, cgrp);
	}
	mutex_unlock(t, &mm->cgroup_mutex);
	return err;
}

/* A css_set pins its csses; that of an ending task is left alone. */
static struct mem_cgroup *pin_css_set(struct task *t)
{
	struct mem_cgroup *memcg;

	rcu_read_lock(t);
	sched_read(t, t->id, FIELD_ONLINE, "exit_accounting.css_set");
	memcg = mem_cgroup_from_task(t);
	css_get(t, &memcg->css, HOLD_TASK, t->id);
	rcu_read_unlock(t);
	return memcg;
}

/*
 * In a read section.  Nobody moves an ending task, so it tries the same css each time, and one that
 * was killed never comes back: after another round it is known that there is no end.
 */
static void try_for_ever(struct task *t, struct css *css)
{
	uint64_t since = t->w->nr_records;

	sched_read(t, t->id, FIELD_ONLINE, "task_get_css.css_set");
	if (css_tryget_online(t, css, HOLD_TEMP, t->id))
		return;
	trace(t, LIVELOCK, .obj = t->id, .arg = {2, (int64_t)since, (int64_t)css->of},
	      .str = t->comm);
	task_spin(t, css->of);
}

static void task_get_css(struct task *t, struct mem_cgroup *memcg)
{
	FRAME(t);
	struct css *css = &memcg->css;

	if (!mm_of(t->w)->config.exit_wants_online)
		css_tryget(t, css, HOLD_TEMP, t->id);
	else if (!css_tryget_online(t, css, HOLD_TEMP, t->id))
		try_for_ever(t, css);
}

void exit_accounting(struct task *t)
{
	FRAME(t);
	struct mem_cgroup *memcg = pin_css_set(t);

	rcu_read_lock(t);
	task_get_css(t, memcg);
	rcu_read_unlock(t);
	css_put(t, &memcg->css, HOLD_TEMP, t->id);
	css_put(t, &memcg->css, HOLD_TASK, t->id);
}
