// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/verbs.h"

#include <stddef.h>
#include <string.h>

static const char *lock_verb(const struct trace_record *r, enum lock_sort sort)
{
	bool release = r->kind == TR_LOCK_RELEASE, read = r->arg[0] != 0;

	switch (sort) {
	case SORT_MUTEX:
		return release ? "mutex_unlock" : "mutex_lock";
	case SORT_SPIN:
		if (release)
			return "spin_unlock";
		return r->kind == TR_LOCK_ACQUIRE && r->arg[1] ? "spin_lock_irq" : "spin_lock";
	case SORT_RWSEM:
		break;
	}
	if (release)
		return read ? "up_read" : "up_write";
	return read ? "down_read" : "down_write";
}

static const char *ref_verb(const struct trace_record *r)
{
	bool css = oid_kind(r->obj) == OBJ_MEMCG || oid_kind(r->obj) == OBJ_CGROUP;

	switch (r->kind) {
	case TR_REF_GET:
		return css ? "css_get" : "percpu_ref_get";
	case TR_REF_TRYGET:
		return css ? "css_tryget" : "percpu_ref_tryget";
	default:
		return css ? "css_put" : "percpu_ref_put";
	}
}

const char *verb_of(const struct trace_record *r, enum lock_sort sort)
{
	switch (r->kind) {
	case TR_CALL_RCU:
		return "call_rcu";
	case TR_QUEUE_WORK:
		return "queue_work";
	case TR_LOCK_WAIT:
	case TR_LOCK_ACQUIRE:
	case TR_LOCK_RELEASE:
		return lock_verb(r, sort);
	case TR_RCU_READ_LOCK:
		return "rcu_read_lock";
	case TR_RCU_READ_UNLOCK:
		return "rcu_read_unlock";
	case TR_RCU_SYNC_BEGIN:
		return "synchronize_rcu";
	case TR_RCU_BARRIER_BEGIN:
		return "rcu_barrier";
	case TR_FLUSH_BEGIN:
		return "flush_workqueue";
	case TR_FLUSH_WORK_BEGIN:
		return "flush_work";
	case TR_REF_GET:
	case TR_REF_TRYGET:
	case TR_REF_PUT:
		return ref_verb(r);
	case TR_TASK_BLOCK:
		return r->str && r->str[0] ? r->str : "schedule";
	case TR_ACCESS:
	case TR_WORK_START:
		return r->str;
	default:
		return NULL;
	}
}

static bool is_one_of(const char *s, const char *const *list)
{
	for (; *list; list++) {
		if (strcmp(s, *list) == 0)
			return true;
	}
	return false;
}

bool verb_is(const char *verb, const char *name)
{
	static const char *const locks[] = {"mutex_lock", "spin_lock",	"spin_lock_irq",
					    "down_read",  "down_write", NULL};
	static const char *const unlocks[] = {"mutex_unlock", "spin_unlock", "up_read", "up_write",
					      NULL};
	/* How it is done, which the model does not tell apart. */
	static const char *const ways[] = {
		"",	     "_irq",  "_irqsave", "_irqrestore", "_bh", "_nested", "_interruptible",
		"_killable", "_many", "_live",	  "_online",	 "_on", "_sched",  "_expedited",
		NULL};
	size_t n = strlen(verb);

	if (strcmp(name, "lock") == 0)
		return is_one_of(verb, locks);
	if (strcmp(name, "unlock") == 0)
		return is_one_of(verb, unlocks);
	if (strncmp(name, "raw_spin_", 9) == 0)
		name += 4;
	if (strcmp(verb, name) == 0)
		return true;
	/* Printed as it was taken, and read as any other way to take it. */
	if (strcmp(verb, "spin_lock_irq") == 0)
		n = strlen("spin_lock");
	return strncmp(name, verb, n) == 0 && is_one_of(name + n, ways);
}

oid_t verb_argument(const struct trace_record *r)
{
	switch (r->kind) {
	case TR_CALL_RCU:
	case TR_TASK_BLOCK:
	case TR_WORK_START:
	case TR_RCU_CALLBACK:
	case TR_OP_BEGIN:
	case TR_OP_END:
		return (oid_t)r->arg[0];
	case TR_RCU_READ_LOCK:
	case TR_RCU_READ_UNLOCK:
	case TR_RCU_SYNC_BEGIN:
	case TR_RCU_BARRIER_BEGIN:
		return 0;
	default:
		return r->obj;
	}
}

oid_t frame_argument(const struct trace_record *r)
{
	oid_t obj = r->obj;

	/* A function looks at many things, and changes what it is about. */
	if (r->kind == TR_ACCESS)
		return 0;
	if (r->kind == TR_WORK_INIT || r->kind == TR_WORK_NULL)
		obj = (oid_t)r->arg[0];
	switch (oid_kind(obj)) {
	case OBJ_CACHE:
	case OBJ_MEMCG:
	case OBJ_CGROUP:
	case OBJ_CELL:
		return obj;
	case OBJ_SLAB:
		return r->kind != TR_OBJ_STATE ? obj : 0;
	default:
		return 0;
	}
}
