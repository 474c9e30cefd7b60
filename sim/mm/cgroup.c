// SPDX-License-Identifier: GPL-2.0-only
#include "sim/mm/cgroup.h"

#include <errno.h>

#include "sim/mm/mm.h"
#include "sim/mm/perf_cgroup.h"

/* For the record only, as that of a memcg. */
#define CGROUP_BYTES 480

/* ---- references -------------------------------------------------------------- */

void css_get_many(struct task *t, struct css *css, int64_t n, enum holder h, oid_t owner)
{
	if (!css->no_ref)
		percpu_ref_get_many(t, &css->refcnt, n, h, owner);
}

void css_put_many(struct task *t, struct css *css, int64_t n, enum holder h, oid_t owner)
{
	FRAME(t);

	if (!css->no_ref)
		percpu_ref_put_many(t, &css->refcnt, n, h, owner);
}

bool css_tryget(struct task *t, struct css *css, enum holder h, oid_t owner)
{
	return css->no_ref || percpu_ref_tryget(t, &css->refcnt, h, owner);
}

bool css_tryget_online(struct task *t, struct css *css, enum holder h, oid_t owner)
{
	return css->no_ref || percpu_ref_tryget_live(t, &css->refcnt, h, owner);
}

/* ---- the end of a css ----------------------------------------------------------- */

static void cgroup_free(struct task *t, struct cgroup *cgrp)
{
	struct cgroup *parent = cgrp->parent;

	css_put(t, &parent->self, HOLD_CHILD_CSS, cgrp->id);
	touch(t->w, cgrp->id, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = cgrp->id, .str = "css_free_rwork_fn");
}

static void css_free_rwork_fn(struct task *t, struct work_struct *work)
{
	struct rcu_work *rwork = container_of(work, struct rcu_work, work);
	struct css *css = container_of(rwork, struct css, destroy_rwork);
	struct cgroup *cgrp = css->cgroup;
	struct css *parent = css->parent;
	oid_t id = css->of;

	/* There is nothing to give back if it was percpu_ref_init() that failed. */
	if (css->refcnt.percpu)
		percpu_ref_exit(t, &css->refcnt);
	if (css->kind == CSS_SELF) {
		cgroup_free(t, cgrp);
		return;
	}
	if (css->kind == CSS_MEMORY)
		mem_cgroup_css_free(t, container_of(css, struct mem_cgroup, css));
	else
		perf_cgroup_css_free(t, container_of(css, struct perf_cgroup, css));
	css_put(t, &cgrp->self, HOLD_CSS, id);
	css_put(t, parent, HOLD_CHILD_CSS, id);
}

/* cgroup_mutex held.  Whoever stands on it finds the next one by its number. */
static void unlink_memory_css(struct task *t, struct css *css)
{
	touch(t->w, css->of, FIELD_SIBLING, ACCESS_WRITE);
	touch(t->w, css->parent->of, FIELD_CHILDREN, ACCESS_WRITE);
	list_del(&container_of(css, struct mem_cgroup, css)->sibling);
}

static void css_release_work_fn(struct task *t, struct work_struct *work)
{
	struct css *css = container_of(work, struct css, destroy_work);
	struct mm *mm = mm_of(t->w);

	mutex_lock(t, &mm->cgroup_mutex);
	css->released = true;
	if (css->kind == CSS_MEMORY)
		unlink_memory_css(t, css);
	trace(t, CSS_RELEASED, .obj = css->of);
	if (css->kind == CSS_MEMORY)
		mem_cgroup_css_released(t, container_of(css, struct mem_cgroup, css));
	mutex_unlock(t, &mm->cgroup_mutex);

	INIT_WORK(t, &css->destroy_rwork.work, css_free_rwork_fn, css->of);
	queue_rcu_work(t, mm->cgroup_destroy_wq, &css->destroy_rwork);
}

/* Last reference gone, in whatever context that happened. */
static void css_release(struct task *t, struct percpu_ref *ref)
{
	FRAME(t);
	struct css *css = container_of(ref, struct css, refcnt);

	/* The checkers have seen a second release; a second work item would break our own lists. */
	if (css->releasing)
		return;
	css->releasing = true;
	INIT_WORK(t, &css->destroy_work, css_release_work_fn, css->of);
	queue_work(t, mm_of(t->w)->cgroup_destroy_wq, &css->destroy_work);
}

/* ---- offline ------------------------------------------------------------------------ */

static void offline_css(struct task *t, struct css *css)
{
	FRAME(t);

	if (!css->online)
		return;
	if (css->kind == CSS_MEMORY)
		mem_cgroup_css_offline(t, container_of(css, struct mem_cgroup, css));
	sched_write(t, css->of, FIELD_ONLINE, "offline_css.clear");
	css->online = false;
	if (css->kind == CSS_MEMORY) {
		css->cgroup->own = NULL;
	} else {
		css->cgroup->perf = NULL;
		trace(t, OBJ_STATE, .obj = css->of, .str = "offline");
	}
	css_went_offline(t, css);
}

static bool online_cnt_dec_and_test(struct task *t, struct css *css)
{
	sched_access(t, css->of, FIELD_ONLINE, ACCESS_RMW, "css.online_cnt_dec");
	return --css->online_cnt == 0;
}

/* Walks up for as long as the child was the last one that its parent waited for. */
static void css_killed_work_fn(struct task *t, struct work_struct *work)
{
	struct css *css = container_of(work, struct css, destroy_work);
	struct mm *mm = mm_of(t->w);

	mutex_lock(t, &mm->cgroup_mutex);
	do {
		struct css *parent = css->parent;

		offline_css(t, css);
		css_put(t, css, HOLD_KILL_CSS, 0);
		css = parent;
	} while (css && !mm->config.offline_unordered && online_cnt_dec_and_test(t, css));
	mutex_unlock(t, &mm->cgroup_mutex);
}

/* No css_tryget_online() can succeed any more, on any CPU. */
static void css_killed_ref_fn(struct task *t, struct percpu_ref *ref)
{
	FRAME(t);
	struct css *css = container_of(ref, struct css, refcnt);

	trace(t, CSS_KILLED, .obj = css->of);
	/* As for a second release. */
	if (css->killed)
		return;
	css->killed = true;
	if (!mm_of(t->w)->config.offline_unordered && !online_cnt_dec_and_test(t, css))
		return;
	INIT_WORK(t, &css->destroy_work, css_killed_work_fn, css->of);
	queue_work(t, mm_of(t->w)->cgroup_destroy_wq, &css->destroy_work);
}

/* No reader that could still take a reference is waited for. */
static void offline_css_now(struct task *t, struct css *css)
{
	percpu_ref_kill(t, &css->refcnt);
	trace(t, CSS_KILLED, .obj = css->of);
	online_cnt_dec_and_test(t, css);
	offline_css(t, css);
	if (css->parent)
		online_cnt_dec_and_test(t, css->parent);
}

void kill_css(struct task *t, struct css *css)
{
	FRAME(t);

	if (css->dying && !mm_of(t->w)->config.kills_css_twice)
		return;
	css->dying = true;
	kernfs_update(t); /* its control files */
	css_get(t, css, HOLD_KILL_CSS, 0);
	if (mm_of(t->w)->config.offline_at_rmdir) {
		offline_css_now(t, css);
		css_put(t, css, HOLD_KILL_CSS, 0);
	} else {
		percpu_ref_kill_and_confirm(t, &css->refcnt, css_killed_ref_fn);
	}
}

/* Memory first: in the order of the controllers' numbers. */
static void kill_csses(struct task *t, struct cgroup *cgrp)
{
	if (cgrp->own)
		kill_css(t, &cgrp->own->css);
	if (cgrp->perf)
		kill_css(t, &cgrp->perf->css);
}

static int destroy_locked(struct task *t, struct cgroup *cgrp)
{
	touch(t->w, cgrp->id, FIELD_TASKS, ACCESS_READ);
	if (cgrp->removed)
		return -ENODEV;
	if (cgrp->nr_tasks > 0 || cgrp->nr_online_children > 0)
		return -EBUSY;
	sched_write(t, cgrp->id, FIELD_ONLINE, "cgroup_destroy_locked.online");
	cgrp->self.online = false;
	kill_csses(t, cgrp);
	/* The name is free from here on, long before the memcg is. */
	kernfs_update(t);
	cgrp->removed = true;
	cgrp->parent->nr_online_children--;
	percpu_ref_kill(t, &cgrp->self.refcnt);
	return 0;
}

int cgroup_rmdir(struct task *t, struct cgroup *cgrp)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);
	int err;

	mutex_lock(t, &mm->cgroup_mutex);
	/* Scripts see at once that the directory is gone. */
	touch(t->w, cgrp->id, FIELD_REMOVED, ACCESS_RMW);
	err = destroy_locked(t, cgrp);
	trace(t, CGROUP_RMDIR, .obj = cgrp->id, .arg = {err});
	mutex_unlock(t, &mm->cgroup_mutex);
	return err;
}

/* ---- creation -------------------------------------------------------------------------- */

static struct cgroup *cgroup_new(struct task *t, struct cgroup *parent, const char *name)
{
	struct world *w = t->w;
	struct cgroup *cgrp = world_alloc(w, sizeof(*cgrp));
	struct css *self = &cgrp->self;

	cgrp->id = world_new_id(w, OBJ_CGROUP);
	cgrp->name = arena_strdup(w->arena, name);
	cgrp->parent = parent;
	self->of = cgrp->id;
	self->cgroup = cgrp;
	self->online = true;
	self->no_ref = !parent;
	self->parent = parent ? &parent->self : NULL;
	trace(t, OBJ_NEW, .obj = cgrp->id, .arg = {parent ? (int64_t)parent->id : 0, CGROUP_BYTES},
	      .str = name);
	return cgrp;
}

static void set_online(struct task *t, struct css *css)
{
	css->online = true;
	css->online_cnt = 1;
	if (css->parent) {
		sched_access(t, css->parent->of, FIELD_ONLINE, ACCESS_RMW, "css_online.parent");
		css->parent->online_cnt++;
	}
}

static int online_memory_css(struct task *t, struct mem_cgroup *memcg)
{
	struct css *css = &memcg->css;
	int err = mem_cgroup_css_online(t, memcg);

	if (err)
		return err;
	set_online(t, css);
	trace(t, CSS_ONLINE, .obj = css->of, .arg = {(int64_t)css->cgroup->id, memcg->kmemcg_id});
	return 0;
}

/* Its index and caches are taken from it by the free work, which does not hold cgroup_mutex. */
static void free_never_online(struct task *t, struct css *css)
{
	INIT_WORK(t, &css->destroy_rwork.work, css_free_rwork_fn, css->of);
	queue_rcu_work(t, mm_of(t->w)->cgroup_destroy_wq, &css->destroy_rwork);
}

/* Of @cgrp, and with its parent's css pinned unless it is the root's: 0 or -ENOMEM. */
static int init_and_link_css(struct task *t, struct css *css, struct cgroup *cgrp,
			     struct css *parent)
{
	css->cgroup = cgrp;
	css->no_ref = !parent;
	css->serial_nr = ++mm_of(t->w)->next_serial;
	if (!parent)
		return 0;
	css->parent = parent;
	css_get(t, css->parent, HOLD_CHILD_CSS, css->of);
	css_get(t, &cgrp->self, HOLD_CSS, css->of);
	return percpu_ref_init(t, &css->refcnt, css->of, "css", css_release);
}

static int create_memory_css(struct task *t, struct cgroup *cgrp)
{
	FRAME_NAMED(t, "css_create");
	struct mem_cgroup *memcg;
	struct css *css;
	int err;

	memcg = mem_cgroup_css_alloc(t, cgrp, &err);
	if (!memcg)
		return err;
	css = &memcg->css;
	css->kind = CSS_MEMORY;
	err = init_and_link_css(t, css, cgrp, cgrp->parent ? &cgrp->parent->memcg->css : NULL);
	if (err)
		goto out_free;
	if (css->parent) {
		touch(t->w, css->parent->of, FIELD_CHILDREN, ACCESS_WRITE);
		list_add_tail(&memcg->sibling, &memcg->parent->children);
	}
	err = online_memory_css(t, memcg);
	if (err) {
		css->released = true;
		unlink_memory_css(t, css);
		goto out_free;
	}
	cgrp->memcg = memcg;
	cgrp->own = memcg;
	return 0;

out_free:
	free_never_online(t, css);
	return err;
}

int create_perf_css(struct task *t, struct cgroup *cgrp)
{
	FRAME_NAMED(t, "css_create");
	struct perf_cgroup *perf = perf_cgroup_css_alloc(t, cgrp);
	int err;

	if (!perf)
		return -ENOMEM;
	err = init_and_link_css(t, &perf->css, cgrp,
				cgrp->parent ? &cgrp->parent->perf->css : NULL);
	if (err) {
		free_never_online(t, &perf->css);
		return err;
	}
	set_online(t, &perf->css);
	cgrp->perf = perf;
	trace(t, OBJ_STATE, .obj = perf->css.of, .str = "online");
	return 0;
}

/* Of the controllers that the machine has. */
static int cgroup_apply_control_enable(struct task *t, struct cgroup *cgrp)
{
	int err = create_memory_css(t, cgrp);

	if (!err && cgrp->parent->perf)
		err = create_perf_css(t, cgrp);
	return err;
}

struct cgroup *cgroup_root_new(struct task *t)
{
	struct cgroup *root = cgroup_new(t, NULL, "/");
	int err = create_memory_css(t, root);

	sim_assert(err == 0);
	return root;
}

static struct cgroup *create_locked(struct task *t, struct cgroup *parent, const char *name,
				    int *err)
{
	struct cgroup *cgrp;

	*err = -ENODEV;
	if (parent->removed)
		return NULL;
	cgrp = cgroup_new(t, parent, name);
	*err = percpu_ref_init(t, &cgrp->self.refcnt, cgrp->id, "css", css_release);
	if (*err)
		goto out_free;
	css_get(t, &parent->self, HOLD_CHILD_CSS, cgrp->id);
	kernfs_update(t);
	*err = cgroup_apply_control_enable(t, cgrp);
	if (*err) {
		kill_csses(t, cgrp);
		percpu_ref_kill(t, &cgrp->self.refcnt);
		return NULL;
	}
	kernfs_update(t); /* the controller's files */
	parent->nr_online_children++;
	trace(t, CGROUP_MKDIR, .obj = cgrp->id, .arg = {(int64_t)parent->id}, .str = name);
	return cgrp;

out_free:
	touch(t->w, cgrp->id, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = cgrp->id, .str = "cgroup_create");
	return NULL;
}

struct cgroup *cgroup_mkdir(struct task *t, struct cgroup *parent, const char *name, int *err)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);
	struct cgroup *cgrp;

	mutex_lock(t, &mm->cgroup_mutex);
	cgrp = create_locked(t, parent, name, err);
	mutex_unlock(t, &mm->cgroup_mutex);
	return cgrp;
}

/* ---- membership ---------------------------------------------------------------------------- */

static struct spinlock *siglock_of(struct task *t, struct task *who)
{
	struct spinlock *lock = who->siglock;

	if (!lock) {
		lock = world_alloc(t->w, sizeof(*lock));
		spin_lock_init(t->w, lock, "sighand->siglock");
		who->siglock = lock;
	}
	return lock;
}

void lock_siglock(struct task *t, struct task *who)
{
	spin_lock_irq(t, siglock_of(t, who));
}

void unlock_siglock(struct task *t, struct task *who)
{
	spin_unlock_irq(t, siglock_of(t, who));
}

static void touch_siglock(struct task *t, struct task *who)
{
	lock_siglock(t, who);
	unlock_siglock(t, who);
}

/* cgroup_mutex held. */
static void move_task(struct task *t, struct task *who, struct cgroup *cgrp)
{
	struct mm *mm = mm_of(t->w);
	struct cgroup *from = who->cgroup;

	if (mm->config.migration_locks)
		spin_lock_irq(t, &mm->css_set_lock);
	sched_write(t, who->id, FIELD_ONLINE, "cgroup_attach_task.css_set");
	touch(t->w, cgrp->id, FIELD_TASKS, ACCESS_ADD);
	if (from) {
		touch(t->w, from->id, FIELD_TASKS, ACCESS_ADD);
		from->nr_tasks--;
	}
	cgrp->nr_tasks++;
	who->cgroup = cgrp;
	/* The freezer looks at the task.  Differs: also when neither cgroup is frozen. */
	if (mm->config.migration_locks) {
		touch_siglock(t, who);
		spin_unlock_irq(t, &mm->css_set_lock);
	}
	if (mm->ops->task_moved)
		mm->ops->task_moved(t, who);
}

int cgroup_attach_task(struct task *t, struct task *who, struct cgroup *cgrp)
{
	FRAME(t);
	struct mm *mm = mm_of(t->w);
	int err = 0;

	mutex_lock(t, &mm->cgroup_mutex);
	if (cgrp->removed)
		err = -ENODEV;
	else
		move_task(t, who, cgrp);
	trace(t, CGROUP_ATTACH, .obj = cgrp->id, .arg = {(int64_t)who->id, err});
	mutex_unlock(t, &mm->cgroup_mutex);
	return err;
}

void cgroup_exit(struct task *t)
{
	const struct lifecycle_ops *ops = mm_of(t->w)->ops;
	struct cgroup *cgrp = t->cgroup;

	if (ops->task_exits)
		ops->task_exits(t);
	sched_write(t, t->id, FIELD_ONLINE, "cgroup_exit.css_set");
	if (cgrp) {
		touch(t->w, cgrp->id, FIELD_TASKS, ACCESS_ADD);
		cgrp->nr_tasks--;
	}
	t->cgroup = NULL;
}
