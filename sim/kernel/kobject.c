// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kernel/kobject.h"

#include <errno.h>
#include <string.h>

#include "sim/base/hash.h"
#include "sim/kernel/kernel.h"

void sysfs_init(struct world *w)
{
	struct sysfs *fs = &kernel_of(w)->sysfs;

	mutex_init(w, &fs->kernfs_mutex, "kernfs_mutex");
	fs->nr_buckets = 64;
	fs->buckets = world_alloc(w, fs->nr_buckets * sizeof(*fs->buckets));
}

static struct kobject **bucket(const struct sysfs *fs, const char *name)
{
	uint64_t hash = fnv_string(name);

	return &fs->buckets[(hash ^ hash >> 32) & (fs->nr_buckets - 1)];
}

static void insert(struct sysfs *fs, struct kobject *kobj)
{
	struct kobject **head = bucket(fs, kobj->name);

	kobj->next = *head;
	*head = kobj;
}

static void grow(struct world *w, struct sysfs *fs)
{
	struct kobject **old = fs->buckets;
	uint32_t nr_old = fs->nr_buckets;

	fs->nr_buckets = nr_old * 4;
	fs->buckets = world_alloc(w, fs->nr_buckets * sizeof(*fs->buckets));
	for (uint32_t i = 0; i < nr_old; i++) {
		struct kobject *next;

		for (struct kobject *k = old[i]; k; k = next) {
			next = k->next;
			insert(fs, k);
		}
	}
	world_free(w, old, nr_old * sizeof(*old));
}

void kernfs_update(struct task *t)
{
	FRAME(t);
	struct sysfs *fs = &kernel_of(t->w)->sysfs;

	mutex_lock(t, &fs->kernfs_mutex);
	sched_point(t, COST_SYSFS);
	mutex_unlock(t, &fs->kernfs_mutex);
}

static bool name_taken(const struct sysfs *fs, const char *name)
{
	for (const struct kobject *k = *bucket(fs, name); k; k = k->next) {
		if (strcmp(k->name, name) == 0)
			return true;
	}
	return false;
}

int kobject_init_and_add(struct task *t, struct kobject *kobj, oid_t of, const char *name,
			 void (*release)(struct task *t, struct kobject *kobj))
{
	FRAME(t);
	struct sysfs *fs = &kernel_of(t->w)->sysfs;
	bool taken;

	kobj->id = world_new_id(t->w, OBJ_KOBJ);
	kobj->of = of;
	kobj->name = name;
	kobj->refcount = 1;
	kobj->release = release;
	mutex_lock(t, &fs->kernfs_mutex);
	sched_point(t, COST_SYSFS);
	taken = name_taken(fs, name);
	trace(t, SYSFS_ADD, .obj = kobj->id, .arg = {(int64_t)of, !taken}, .str = name);
	if (!taken) {
		if (fs->nr_names++ >= 2 * fs->nr_buckets)
			grow(t->w, fs);
		insert(fs, kobj);
		kobj->in_sysfs = true;
	}
	mutex_unlock(t, &fs->kernfs_mutex);
	return taken ? -EEXIST : 0;
}

static void remove_name(struct sysfs *fs, struct kobject *kobj)
{
	for (struct kobject **k = bucket(fs, kobj->name); *k; k = &(*k)->next) {
		if (*k == kobj) {
			*k = kobj->next;
			break;
		}
	}
	fs->nr_names--;
	kobj->in_sysfs = false;
}

/* Nobody begins to use a file any more, and those who do so end. */
static bool drain(struct task *t, struct sysfs *fs, struct kobject *kobj)
{
	if (!kobj->active || fs->no_drain)
		return false;
	mutex_unlock(t, &fs->kernfs_mutex);
	down_write(t, kobj->active);
	mutex_lock(t, &fs->kernfs_mutex);
	return true;
}

void kobject_del(struct task *t, struct kobject *kobj)
{
	FRAME(t);
	struct sysfs *fs = &kernel_of(t->w)->sysfs;
	bool drained;

	mutex_lock(t, &fs->kernfs_mutex);
	sched_point(t, COST_SYSFS);
	touch(t->w, kobj->id, 0, ACCESS_READ);
	drained = drain(t, fs, kobj);
	if (kobj->in_sysfs) {
		touch(t->w, kobj->id, 0, ACCESS_WRITE);
		remove_name(fs, kobj);
		trace(t, SYSFS_DEL, .obj = kobj->id, .arg = {(int64_t)kobj->of}, .str = kobj->name);
	}
	mutex_unlock(t, &fs->kernfs_mutex);
	if (drained)
		up_write(t, kobj->active);
}

/* The first to use a file makes the lock that stands for all who do. */
static struct rw_semaphore *active_of(struct task *t, struct kobject *kobj)
{
	if (!kobj->active) {
		kobj->active = world_alloc(t->w, sizeof(*kobj->active));
		init_rwsem(t->w, kobj->active, "s_active");
	}
	return kobj->active;
}

bool sysfs_get_active(struct task *t, struct kobject *kobj)
{
	FRAME(t);

	sched_point(t, COST_ATOMIC);
	touch(t->w, kobj->id, 0, ACCESS_RMW);
	if (!kobj->in_sysfs)
		return false;
	if (!kernel_of(t->w)->sysfs.no_drain)
		return down_read_trylock(t, active_of(t, kobj));
	touch(t->w, kobj->id, FIELD_REF, ACCESS_RMW);
	kobj->refcount++;
	return true;
}

void sysfs_put_active(struct task *t, struct kobject *kobj)
{
	if (kernel_of(t->w)->sysfs.no_drain)
		kobject_put(t, kobj);
	else
		up_read(t, kobj->active);
}

void kobject_get(struct task *t, struct kobject *kobj)
{
	sched_point(t, COST_ATOMIC);
	touch(t->w, kobj->id, FIELD_REF, ACCESS_RMW);
	kobj->refcount++;
}

void kobject_put(struct task *t, struct kobject *kobj)
{
	FRAME(t);

	sched_point(t, COST_ATOMIC);
	touch(t->w, kobj->id, FIELD_REF, ACCESS_RMW);
	if (--kobj->refcount > 0)
		return;
	if (kobj->in_sysfs)
		kobject_del(t, kobj);
	kobj->release(t, kobj);
}
