/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_KERNEL_KOBJECT_H
#define SIM_KERNEL_KOBJECT_H

/*
 * kobjects and their names in sysfs: a name is unique while it is registered.
 */

#include "sim/engine/world.h"
#include "sim/kernel/lock.h"

struct kobject {
	oid_t id;
	oid_t of;	  /* the object that embeds it */
	const char *name; /* borrowed while registered */
	int64_t refcount;
	bool in_sysfs;
	void (*release)(struct task *t, struct kobject *kobj);
	struct kobject *next;	     /* in the same hash bucket */
	struct rw_semaphore *active; /* who uses a file reads it; NULL until somebody did */
};

struct sysfs {
	struct mutex kernfs_mutex; /* guards the names: adding and removing may block */
	struct kobject **buckets;
	uint32_t nr_buckets, nr_names;
	bool no_drain; /* who removes a name does not wait for those who use its files */
};

void sysfs_init(struct world *w);

/** kernfs_update() - create or remove something in sysfs or cgroupfs; one mutex for all in v5.3 */
void kernfs_update(struct task *t);

/** kobject_init_and_add() - one reference, and the name; -EEXIST if the name is taken */
int kobject_init_and_add(struct task *t, struct kobject *kobj, oid_t of, const char *name,
			 void (*release)(struct task *t, struct kobject *kobj));

/** kobject_del() - free the name; harmless when it is free already.  May sleep. */
void kobject_del(struct task *t, struct kobject *kobj);

/**
 * sysfs_get_active() - begin to use a file of @kobj; false if its name is gone
 *
 * kobject_del() waits until sysfs_put_active(), or the kobject is kept until then.
 */
bool sysfs_get_active(struct task *t, struct kobject *kobj);
void sysfs_put_active(struct task *t, struct kobject *kobj);
void kobject_get(struct task *t, struct kobject *kobj);
/** kobject_put() - the last one frees the name, if need be, and runs the release function */
void kobject_put(struct task *t, struct kobject *kobj);

#endif /* SIM_KERNEL_KOBJECT_H */
