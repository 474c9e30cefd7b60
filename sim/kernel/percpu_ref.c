// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kernel/percpu_ref.h"

#include <errno.h>

#include "sim/kernel/kernel.h"

#define PERCPU_COUNT_BIAS (INT64_C(1) << 62)

static size_t percpu_size(const struct world *w)
{
	return w->config.nr_cpus * sizeof(int64_t);
}

int percpu_ref_init(struct task *t, struct percpu_ref *ref, oid_t of, const char *name,
		    percpu_ref_func release)
{
	FRAME(t);

	if (fault_point(t, "percpu_ref_init"))
		return -ENOMEM;
	ref->of = of;
	ref->name = name;
	ref->atomic = ref->dead = ref->switching = false;
	ref->count = PERCPU_COUNT_BIAS + 1;
	ref->percpu = world_alloc(t->w, percpu_size(t->w));
	ref->release = release;
	ref->confirm = NULL;
	trace(t, REF_INIT, .obj = of, .arg = {1, true}, .str = name);
	return 0;
}

/*
 * Reading the mode and using it are two steps: the mode may change between them,
 * and the grace period of the switch is what makes that harmless.
 */
static bool percpu_mode(struct task *t, const struct percpu_ref *ref)
{
	preempt_disable(t);
	sched_point(t, COST_PERCPU);
	touch(t->w, ref->of, FIELD_REF_WAY, ACCESS_READ);
	if (ref->atomic || ref->dead) {
		sched_point(t, COST_ATOMIC);
		return false;
	}
	sched_point(t, COST_PERCPU);
	return true;
}

/* The counter's memory may be gone by the time a buggy caller gets here. */
static void percpu_add(struct task *t, struct percpu_ref *ref, int64_t n)
{
	touch(t->w, ref->of, FIELD_REF_PERCPU, ACCESS_ADD);
	if (ref->percpu)
		ref->percpu[t->cpu->nr] += n;
}

/*
 * In atomic mode, what an operation depends on.  As long as the bias is in the count,
 * nothing fails and nothing reaches zero: all commute until the switch takes it out.
 */
static bool is_biased(const struct percpu_ref *ref)
{
	return ref->count > PERCPU_COUNT_BIAS / 2;
}

/* Gets commute with each other, and puts may bring the count to where they fail. */
static void touch_get(struct task *t, const struct percpu_ref *ref)
{
	bool adds = ref->count > 0;

	touch(t->w, ref->of, FIELD_REF, adds ? ACCESS_ADD : ACCESS_RMW);
	if (adds && !is_biased(ref))
		touch(t->w, ref->of, FIELD_REF_PUTS, ACCESS_READ);
}

/*
 * Single puts that leave something commute with each other; the one that leaves one comes
 * before the last one, which conflicts with all.
 */
static void touch_put(struct task *t, const struct percpu_ref *ref, int64_t n)
{
	bool single = n == 1 && ref->count > 0, last = ref->count == 1;

	if (is_biased(ref)) {
		touch(t->w, ref->of, FIELD_REF, ACCESS_ADD);
		return;
	}
	touch(t->w, ref->of, FIELD_REF, single && !last ? ACCESS_ADD : ACCESS_RMW);
	if (single)
		touch(t->w, ref->of, FIELD_REF_PUTS,
		      last		? ACCESS_RMW
		      : ref->count == 2 ? ACCESS_ADD_LAST
					: ACCESS_ADD);
}

static void release(struct task *t, struct percpu_ref *ref)
{
	trace(t, REF_ZERO, .obj = ref->of);
	ref->release(t, ref);
}

void percpu_ref_get_many(struct task *t, struct percpu_ref *ref, int64_t n, enum holder h,
			 oid_t owner)
{
	if (percpu_mode(t, ref)) {
		percpu_add(t, ref, n);
	} else {
		touch_get(t, ref);
		ref->count += n;
	}
	trace(t, REF_GET, .obj = ref->of, .arg = {n, h, (int64_t)owner});
	preempt_enable(t);
}

void percpu_ref_put_many(struct task *t, struct percpu_ref *ref, int64_t n, enum holder h,
			 oid_t owner)
{
	FRAME(t);
	bool percpu = percpu_mode(t, ref);

	trace(t, REF_PUT, .obj = ref->of, .arg = {n, h, (int64_t)owner});
	if (percpu) {
		percpu_add(t, ref, -n);
	} else {
		touch_put(t, ref, n);
		ref->count -= n;
		if (ref->count == 0)
			release(t, ref);
	}
	preempt_enable(t);
}

static bool tryget(struct task *t, struct percpu_ref *ref, enum holder h, oid_t owner, bool live)
{
	bool ok = true;

	if (percpu_mode(t, ref)) {
		percpu_add(t, ref, 1);
	} else {
		touch(t->w, ref->of, FIELD_REF_WAY, ACCESS_READ);
		ok = ref->count != 0 && !(live && ref->dead);
		if (ok)
			touch_get(t, ref);
		else if (!(live && ref->dead))
			touch(t->w, ref->of, FIELD_REF, ACCESS_READ);
		ref->count += ok;
	}
	trace(t, REF_TRYGET, .obj = ref->of, .arg = {ok, h, (int64_t)owner, live});
	preempt_enable(t);
	return ok;
}

bool percpu_ref_tryget(struct task *t, struct percpu_ref *ref, enum holder h, oid_t owner)
{
	return tryget(t, ref, h, owner, false);
}

bool percpu_ref_tryget_live(struct task *t, struct percpu_ref *ref, enum holder h, oid_t owner)
{
	return tryget(t, ref, h, owner, true);
}

/* ---- kill ------------------------------------------------------------------------- */

static void percpu_ref_switch_to_atomic_rcu(struct task *t, struct rcu_head *head)
{
	struct percpu_ref *ref = container_of(head, struct percpu_ref, rcu);
	int64_t sum = 0;

	/* The sum comes first: a get on one CPU and its put on another must meet. */
	touch(t->w, ref->of, FIELD_REF_PERCPU, ACCESS_READ);
	for (unsigned int i = 0; ref->percpu && i < t->w->config.nr_cpus; i++)
		sum += ref->percpu[i];
	sched_point(t, COST_ATOMIC);
	touch(t->w, ref->of, FIELD_REF, ACCESS_RMW);
	touch(t->w, ref->of, FIELD_REF_WAY, ACCESS_RMW);
	ref->count += sum - PERCPU_COUNT_BIAS;
	trace(t, REF_ATOMIC, .obj = ref->of, .arg = {ref->count});
	if (ref->count <= 0)
		trace(t, WARN, .obj = ref->of, .arg = {ref->count},
		      .str = "percpu ref <= 0 after switching to atomic");
	if (ref->confirm) {
		ref->confirm(t, ref);
		ref->confirm = NULL;
	}
	touch(t->w, ref->of, FIELD_REF_WAY, ACCESS_RMW);
	ref->switching = false;
	percpu_ref_put_many(t, ref, 1, HOLD_SWITCH, 0);
}

void percpu_ref_kill_and_confirm(struct task *t, struct percpu_ref *ref, percpu_ref_func confirm)
{
	FRAME(t);
	struct spinlock *lock = &kernel_of(t->w)->percpu_ref_switch_lock;

	spin_lock_irq(t, lock);
	touch(t->w, ref->of, FIELD_REF_WAY, ACCESS_RMW);
	touch(t->w, ref->of, FIELD_REF, ACCESS_RMW);
	if (ref->dead)
		trace(t, WARN, .obj = ref->of, .str = "percpu_ref_kill on a dead ref");
	ref->dead = true;
	trace(t, REF_KILL, .obj = ref->of, .arg = {ref->atomic});
	if (!ref->atomic) {
		ref->atomic = true;
		ref->switching = true;
		ref->confirm = confirm;
		ref->count++;
		trace(t, REF_GET, .obj = ref->of, .arg = {1, HOLD_SWITCH});
		call_rcu_sched(t, &ref->rcu, percpu_ref_switch_to_atomic_rcu, ref->of);
	} else if (confirm) {
		confirm(t, ref);
	}
	percpu_ref_put_many(t, ref, 1, HOLD_BASE, 0);
	spin_unlock_irq(t, lock);
}

void percpu_ref_kill(struct task *t, struct percpu_ref *ref)
{
	percpu_ref_kill_and_confirm(t, ref, NULL);
}

void percpu_ref_resurrect(struct task *t, struct percpu_ref *ref)
{
	FRAME(t);
	struct spinlock *lock = &kernel_of(t->w)->percpu_ref_switch_lock;

	spin_lock_irq(t, lock);
	touch(t->w, ref->of, FIELD_REF_WAY, ACCESS_RMW);
	touch(t->w, ref->of, FIELD_REF, ACCESS_RMW);
	touch(t->w, ref->of, FIELD_REF_PERCPU, ACCESS_RMW);
	sim_assert(ref->dead && !ref->switching);
	ref->dead = false;
	ref->count += PERCPU_COUNT_BIAS + 1;
	for (unsigned int i = 0; i < t->w->config.nr_cpus; i++)
		ref->percpu[i] = 0;
	ref->atomic = false;
	trace(t, REF_INIT, .obj = ref->of, .arg = {ref->count - PERCPU_COUNT_BIAS, true},
	      .str = ref->name);
	spin_unlock_irq(t, lock);
}

void percpu_ref_reinit(struct task *t, struct percpu_ref *ref)
{
	sim_assert(ref->count == 0);
	percpu_ref_resurrect(t, ref);
}

void percpu_ref_exit(struct task *t, struct percpu_ref *ref)
{
	int64_t count;

	sched_point(t, COST_ACCESS);
	touch(t->w, ref->of, FIELD_REF_WAY, ACCESS_RMW);
	touch(t->w, ref->of, FIELD_REF, ACCESS_RMW);
	touch(t->w, ref->of, FIELD_REF_PERCPU, ACCESS_RMW);
	count = ref->atomic && !ref->switching ? ref->count : -1;
	trace(t, REF_EXIT, .obj = ref->of, .arg = {ref->switching, count});
	if (ref->percpu)
		world_free(t->w, ref->percpu, percpu_size(t->w));
	ref->percpu = NULL;
}

bool percpu_ref_is_zero(struct task *t, struct percpu_ref *ref)
{
	bool zero = !percpu_mode(t, ref) && ref->count == 0;

	touch(t->w, ref->of, FIELD_REF, ACCESS_READ);
	preempt_enable(t);
	return zero;
}
