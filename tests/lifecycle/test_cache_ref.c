// SPDX-License-Identifier: GPL-2.0-only
/*
 * Child caches with a percpu_ref each (v5.3): the reference trace of one object,
 * random runs without an objection, and each broken variant caught by its checker.
 */
#include <errno.h>
#include <string.h>

#include "sim/lifecycle/info.h"
#include "tests/support/sim_fixture.h"

Suite *suite_cache_ref(void);

static struct cgroup *box, *sub;
static struct kmem_cache *root, *alias;
static oid_t box_memcg, child;

static void set_up(struct task *t, void *arg)
{
	uint32_t flags = *(uint32_t *)arg;
	int err;

	box = cgroup_mkdir(t, mm_of(t->w)->root, "box", &err);
	sub = cgroup_mkdir(t, box, "sub", &err);
	root = kmem_cache_create(t, "dentry", 512, 8, SLAB_ACCOUNT | flags, &err);
	alias = kmem_cache_create(t, "alias", 512, 8, SLAB_ACCOUNT | flags, &err);
	expect(box && sub && root);
	box_memcg = box->memcg->css.of;
	child = 0;
	cgroup_exit(t);
}

/* A bit of the variants' mask by name; 0 for none. */
static variant_set variant(const char *name)
{
	if (!name)
		return 0;
	ck_assert_int_ge(variant_index(name), 0);
	return variant_bit(variant_index(name));
}

static void start(uint64_t seed, int how, variant_set variants, uint32_t flags)
{
	sim_start(.lifecycle = "v5.3", .seed = seed, .preempt = how / 2, .variants = variants);
	sim_task(0, "setup", set_up, &flags);
	sim_run();
	if (how % 2)
		sim_untimed();
}

static void attach(struct task *t, struct cgroup *cgrp)
{
	expect(cgroup_attach_task(t, t, cgrp) == 0);
}

static void leave(struct task *t)
{
	attach(t, mm_of(t->w)->root);
}

static void remove_cgroup(struct task *t, struct cgroup *cgrp)
{
	while (cgroup_rmdir(t, cgrp) == -EBUSY)
		task_sleep(t, 20 * US);
}

static void wait_for(struct task *t, enum trace_kind kind, oid_t obj)
{
	while (!rec_first(kind, obj))
		task_sleep(t, 200 * US);
}

/* The first allocation only queues the child's creation: try until the child serves us. */
static struct object *alloc_from_child(struct task *t)
{
	for (;;) {
		struct object *obj = kmem_cache_alloc(t, root);

		if (obj && obj->slab->cache != root) {
			child = obj->slab->cache->id;
			return obj;
		}
		if (obj)
			kmem_cache_free(t, obj);
		task_sleep(t, 50 * US);
	}
}

/* ---- the reference trace ---------------------------------------------------------- */

static oid_t kept, kept_slab;
static uint32_t user;

static void keep_one(struct task *t, void *arg)
{
	struct object *first, *second;

	(void)arg;
	user = (uint32_t)oid_nr(t->id);
	attach(t, box);
	first = kmem_cache_alloc(t, root);
	wait_for(t, TR_CACHE_SLOT_SET, 0);
	second = kmem_cache_alloc(t, root);
	child = second->slab->cache->id;
	kept = second->id;
	kept_slab = second->slab->id;
	leave(t);
	remove_cgroup(t, sub);
	remove_cgroup(t, box);
	wait_for(t, TR_OBJ_FREE, box_memcg);
	wait_for(t, TR_REF_ATOMIC, child);
	task_sleep(t, MS);
	kmem_cache_free(t, second);
	kmem_cache_free(t, first);
}

static void run_reference(uint64_t seed, int how)
{
	start(seed, how, 0, 0);
	sim_task(0, "user", keep_one, NULL);
	sim_run();
	expect(sim.w->nr_tasks_alive == 0);
	if (sim_end() > 0)
		ck_abort_msg("seed %d: %s", (int)seed, sim_violation());
}

#define REFERENCE_SEEDS 25

START_TEST(the_first_allocation_only_queues_the_creation_of_the_child)
{
	for (uint64_t seed = 0; seed < REFERENCE_SEEDS; seed++) {
		const struct rec *first, *second;

		run_reference(seed, _i);
		first = rec_first(TR_CACHE_LOOKUP, root->id);
		second = rec_next(first, TR_CACHE_LOOKUP, root->id);
		expect(first->arg[0] == (int64_t)box_memcg && !first->arg[2]);
		ck_order(first, rec_first(TR_CACHE_CREATE, child));
		ck_order(rec_first(TR_CACHE_CREATE, child), rec_first(TR_CACHE_SLOT_SET, child));
		ck_order(rec_first(TR_CACHE_SLOT_SET, child), second);
		expect(second->arg[1] == (int64_t)child && second->arg[2]);
	}
}
END_TEST

START_TEST(the_page_is_charged_to_the_memcg_of_the_cache)
{
	for (uint64_t seed = 0; seed < REFERENCE_SEEDS; seed++) {
		const struct rec *charge;

		run_reference(seed, _i);
		charge = rec_first(TR_SLAB_CHARGE, kept_slab);
		expect(charge && charge->arg[0] == (int64_t)child);
		expect(charge->arg[1] == (int64_t)box_memcg && charge->arg[3] == 0);
	}
}
END_TEST

START_TEST(offline_clears_the_slot_and_gives_the_cache_to_the_parent)
{
	for (uint64_t seed = 0; seed < REFERENCE_SEEDS; seed++) {
		const struct rec *reparent;

		run_reference(seed, _i);
		reparent = rec_first(TR_CACHE_REPARENT, child);
		ck_order(rec_first(TR_CSS_OFFLINE, box_memcg),
			 rec_first(TR_CACHE_DEACTIVATE, child));
		ck_order(rec_first(TR_CACHE_DEACTIVATE, child),
			 rec_first(TR_CACHE_SLOT_CLEAR, child));
		ck_order(rec_first(TR_CACHE_SLOT_CLEAR, child), reparent);
		ck_order(reparent, rec_first(TR_CSS_OFFLINE_END, box_memcg));
		expect(rec_first(TR_CACHE_DEACTIVATE, child)->arg[0] == 1);
		expect(reparent->arg[0] == (int64_t)box_memcg);
		expect(reparent->arg[1] == (int64_t)mm_of(sim.w)->root_memcg->css.of);
	}
}
END_TEST

START_TEST(the_slot_is_cleared_before_the_kill)
{
	for (uint64_t seed = 0; seed < REFERENCE_SEEDS; seed++) {
		const struct rec *call, *gp;

		run_reference(seed, _i);
		call = rec_str(NULL, TR_CALL_RCU, "kmemcg_rcufn");
		gp = rec_next(rec_next(call, TR_RCU_GP_START, 0), TR_RCU_GP_END, 0);
		expect(call->arg[0] == (int64_t)child);
		ck_order(rec_first(TR_CACHE_SLOT_CLEAR, child), rec_first(TR_REF_KILL, child));
		ck_order(gp, rec_first(TR_CACHE_SHRINK, child));
		ck_order(rec_first(TR_CACHE_SHRINK, child), rec_first(TR_REF_KILL, child));
	}
}
END_TEST

START_TEST(the_memcg_is_freed_while_the_object_lives)
{
	for (uint64_t seed = 0; seed < REFERENCE_SEEDS; seed++) {
		run_reference(seed, _i);
		ck_order(rec_first(TR_OBJECT_ALLOC, kept), rec_first(TR_OBJ_FREE, box_memcg));
		ck_order(rec_first(TR_OBJ_FREE, box_memcg), rec_first(TR_OBJECT_FREE, kept));
	}
}
END_TEST

START_TEST(the_release_comes_a_grace_period_after_the_kill_at_the_earliest)
{
	for (uint64_t seed = 0; seed < REFERENCE_SEEDS; seed++) {
		const struct rec *gp, *atomic;

		run_reference(seed, _i);
		gp = rec_next(rec_first(TR_REF_KILL, child), TR_RCU_GP_START, 0);
		atomic = rec_first(TR_REF_ATOMIC, child);
		ck_order(rec_next(gp, TR_RCU_GP_END, 0), atomic);
		ck_order(atomic, rec_first(TR_REF_ZERO, child));
		/* The page and the switch itself. */
		expect(atomic->arg[0] == 2);
	}
}
END_TEST

START_TEST(the_last_free_releases_the_cache_in_its_own_context)
{
	for (uint64_t seed = 0; seed < REFERENCE_SEEDS; seed++) {
		const struct rec *zero, *uncharge, *queue;

		run_reference(seed, _i);
		zero = rec_first(TR_REF_ZERO, child);
		uncharge = rec_first(TR_SLAB_UNCHARGE, kept_slab);
		queue = rec_str(zero, TR_QUEUE_WORK, "kmemcg_workfn");
		ck_order(rec_first(TR_OBJECT_FREE, kept), rec_first(TR_SLAB_DISCARD, kept_slab));
		ck_order(rec_first(TR_SLAB_DISCARD, kept_slab), uncharge);
		ck_order(uncharge, zero);
		ck_order(zero, queue);
		expect(uncharge->arg[1] == (int64_t)mm_of(sim.w)->root_memcg->css.of);
		expect(zero->task == user && zero->ctx == CTX_TASK && queue->task == user);
	}
}
END_TEST

START_TEST(the_shutdown_work_ends_the_cache)
{
	for (uint64_t seed = 0; seed < REFERENCE_SEEDS; seed++) {
		const struct rec *shutdown;

		run_reference(seed, _i);
		shutdown = rec_first(TR_CACHE_SHUTDOWN, child);
		ck_order(rec_first(TR_REF_ZERO, child), shutdown);
		ck_order(shutdown, rec_first(TR_CACHE_UNLINK, child));
		ck_order(rec_first(TR_CACHE_UNLINK, child), rec_first(TR_REF_EXIT, child));
		ck_order(rec_first(TR_REF_EXIT, child), rec_first(TR_OBJ_FREE, child));
		expect(shutdown->arg[0] == 0 && shutdown->ctx == CTX_KWORKER);
		expect(rec_count(TR_REF_ZERO, child) == 1);
	}
}
END_TEST

/* Of the child: @how often it was asked for. */
static size_t nr_removals(const char *site)
{
	const struct rec *init = NULL, *queue = NULL;
	size_t n = 0;

	while ((init = rec_str(init, TR_WORK_INIT, site)) != NULL) {
		if (init->arg[0] != (int64_t)child)
			continue;
		while ((queue = rec_next(queue, TR_QUEUE_WORK, init->obj)) != NULL)
			n++;
	}
	return n;
}

static void use_and_remove(struct task *t, void *arg);

/* v5.3 tells user space as soon as a child is drained and empty; the posting had dropped that. */
START_TEST(an_empty_child_is_announced_at_its_deactivation)
{
	static const char *const lifecycles[] = {"v5.3", "seed1-v4"};
	uint32_t flags = 0;

	sim_start(.lifecycle = lifecycles[_i], .variants = 0);
	sim_task(0, "setup", set_up, &flags);
	sim_run();
	sim_task(0, "task", use_and_remove, NULL);
	sim_run();
	ck_assert_uint_eq(nr_removals("sysfs_slab_remove_workfn"), _i == 0 ? 2 : 1);
	ck_assert_uint_eq(rec_count_str(TR_OBJ_STATE, "uevent remove"), _i == 0 ? 1 : 0);
	if (_i == 0)
		ck_order(rec_str(NULL, TR_OBJ_STATE, "uevent remove"),
			 rec_first(TR_CACHE_SHUTDOWN, child));
	expect(rec_first(TR_OBJ_FREE, child));
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

/* The posting takes from the root's counter what was charged while the child had another memcg. */
START_TEST(only_the_posting_uncharges_the_root)
{
	static const char *const lifecycles[] = {"v5.3", "seed1-v4"};
	oid_t root_memcg;
	uint32_t flags = 0;
	size_t n = 0;

	sim_start(.lifecycle = lifecycles[_i], .variants = 0);
	sim_task(0, "setup", set_up, &flags);
	sim_run();
	sim_task(0, "user", keep_one, NULL);
	sim_run();
	root_memcg = mm_of(sim.w)->root_memcg->css.of;
	for (const struct rec *r = rec_first(TR_SLAB_DISCARD, kept_slab);
	     (r = rec_next(r, TR_COUNTER_UNCHARGE, root_memcg)) != NULL;)
		n += strcmp(r->str, "memory") == 0 && r->arg[0] == 1;
	ck_assert_uint_eq(n, _i);
	ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

/* ---- in-flight allocations -------------------------------------------------------- */

static void alloc_in_box(struct task *t, void *arg)
{
	struct object *obj;

	(void)arg;
	for (int i = 0; i < 3; i++) {
		obj = kmem_cache_alloc(t, root);
		if (obj)
			kmem_cache_free(t, obj);
	}
	cgroup_exit(t);
}

static void warm_up(struct task *t, void *arg)
{
	(void)arg;
	attach(t, box);
	kmem_cache_free(t, alloc_from_child(t));
	cgroup_exit(t);
}

static void admin(struct task *t, void *arg)
{
	(void)arg;
	remove_cgroup(t, sub);
	remove_cgroup(t, box);
	cgroup_exit(t);
}

/* Whoever pins the child in time may go on with it, and nobody pins it after its release. */
START_TEST(an_allocation_pins_the_child_or_gets_the_root)
{
	size_t pinned = 0, unpinned = 0;

	for (uint64_t seed = 0; seed < 100; seed++) {
		const struct rec *r = NULL;

		start(seed, _i & ~1, 0, 0);
		sim_task(0, "warm", warm_up, NULL);
		sim_run();
		if (_i % 2)
			sim_untimed();
		sim_join(sim_task(0, "user", alloc_in_box, NULL), box);
		sim_join(sim_task(1, "user", alloc_in_box, NULL), box);
		sim_task(1, "admin", admin, NULL);
		sim_run();
		while ((r = rec_next(r, TR_CACHE_LOOKUP, root->id)) != NULL) {
			expect(!r->arg[2] == (r->arg[1] == (int64_t)root->id));
			pinned += r->arg[2] != 0;
			unpinned += r->arg[2] == 0;
			expect(!r->arg[2] || !rec_first(TR_REF_ZERO, (oid_t)r->arg[1]) ||
			       rec_first(TR_REF_ZERO, (oid_t)r->arg[1])->seq > r->seq);
		}
		if (sim_end() > 0)
			ck_abort_msg("seed %d: %s", (int)seed, sim_violation());
	}
	ck_assert_uint_gt(pinned, 0);
	/* Only the untimed runs are slow enough to come late. */
	ck_assert(unpinned > 0 || _i % 2 == 0);
}
END_TEST

static void grow_array(struct task *t, void *arg)
{
	int err;

	(void)arg;
	for (int i = 0; i < 4; i++)
		expect(cgroup_mkdir(t, mm_of(t->w)->root, "more", &err));
	cgroup_exit(t);
}

/* The reader has the old array in hand when the new one is published. */
static bool reads_the_old_array(void)
{
	const struct rec *array = NULL, *publish, *slot;

	while ((array = rec_str(array, TR_ACCESS, "memcg_kmem_get_cache.array")) != NULL) {
		publish = rec_str(array, TR_ACCESS, "update_memcg_params.publish");
		slot = rec_str(array, TR_ACCESS, "memcg_kmem_get_cache.slot");
		while (slot && slot->task != array->task)
			slot = rec_str(slot, TR_ACCESS, "memcg_kmem_get_cache.slot");
		if (publish && slot && publish->seq < slot->seq)
			return true;
	}
	return false;
}

START_TEST(a_lookup_may_read_the_array_that_was_just_replaced)
{
	size_t old = 0;

	for (uint64_t seed = 0; seed < 150; seed++) {
		uint32_t flags = 0;

		sim_start(.lifecycle = "v5.3", .seed = seed, .preempt = PREEMPT_FULL,
			  .accesses = true);
		sim_task(0, "setup", set_up, &flags);
		sim_run();
		sim_task(0, "warm", warm_up, NULL);
		sim_run();
		sim_untimed();
		sim_join(sim_task(0, "user", alloc_in_box, NULL), box);
		sim_task(1, "mkdir", grow_array, NULL);
		sim_run();
		old += reads_the_old_array();
		if (sim_end() > 0)
			ck_abort_msg("seed %d: %s", (int)seed, sim_violation());
	}
	ck_assert_uint_gt(old, 0);
}
END_TEST

static void alloc_as_kworker(struct task *t, void *arg)
{
	struct object *obj;

	(void)arg;
	t->cgroup = box;
	obj = kmem_cache_alloc(t, root);
	expect(obj->slab->cache == root);
	kmem_cache_free(t, obj);
	t->cgroup = NULL;
	mark(t, "served");
}

START_TEST(a_kernel_thread_is_served_by_the_root)
{
	start(1, 0, 0, 0);
	sim_task(0, "warm", warm_up, NULL);
	sim_run();
	task_wake(task_new(sim.w, &sim.w->cpus[0], "kthread", CTX_KWORKER, STACK_LARGE,
			   alloc_as_kworker, NULL),
		  0);
	/* It is no pool's worker. */
	sim.w->hooks.context_switch = NULL;
	sim.w->hooks.woken = NULL;
	sim_run();
	ck_assert_ptr_nonnull(marked("served"));
}
END_TEST

static void destroy_root(struct task *t, void *arg)
{
	(void)arg;
	expect(kmem_cache_destroy(t, root) == 0);
}

START_TEST(destroying_the_root_takes_active_children_along)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		start(seed, _i % 6, 0, _i / 6 ? SLAB_TYPESAFE_BY_RCU : SLAB_NO_MERGE);
		sim_task(0, "warm", warm_up, NULL);
		sim_run();
		sim_task(1, "destroyer", destroy_root, NULL);
		sim_run();
		ck_order(rec_first(TR_CACHE_SHUTDOWN, child),
			 rec_last(TR_CACHE_SHUTDOWN, root->id));
		ck_order(rec_first(TR_CACHE_SLOT_CLEAR, child),
			 rec_first(TR_CACHE_DESTROY, root->id));
		expect(rec_first(TR_OBJ_FREE, child) && rec_first(TR_OBJ_FREE, root->id));
		if (sim_end() > 0)
			ck_abort_msg("seed %d: %s", (int)seed, sim_violation());
	}
}
END_TEST

/* ---- random runs ------------------------------------------------------------------ */

static int nr_users;

static void crowd_user(struct task *t, void *arg)
{
	struct object *objs[4];
	vtime_t held = (vtime_t)(uintptr_t)arg;

	for (int i = 0; i < 4; i++) {
		objs[i] = kmem_cache_alloc(t, root);
		task_sleep(t, 40 * US);
	}
	leave(t);
	task_sleep(t, held);
	for (int i = 0; i < 4; i++) {
		if (objs[i])
			kmem_cache_free(t, objs[i]);
	}
	nr_users--;
	cgroup_exit(t);
}

static void crowd_destroyer(struct task *t, void *arg)
{
	(void)arg;
	while (nr_users > 0)
		task_sleep(t, 500 * US);
	expect(kmem_cache_destroy(t, root) == 0);
	cgroup_exit(t);
}

static void run_crowd(uint64_t seed, int how)
{
	static const uint32_t flags[] = {0, SLAB_TYPESAFE_BY_RCU, SLAB_NO_MERGE};

	start(seed, how, 0, flags[seed % 3]);
	if (seed % 4 == 3)
		sim_faults((uint32_t)seed / 4 % 12, 2);
	nr_users = 3;
	for (int i = 0; i < 3; i++) {
		struct task *t = sim_task(i % 2, "user", crowd_user,
					  (void *)(uintptr_t)((uint64_t)i * 20 * MS));

		sim_join(t, i == 2 ? sub : box);
	}
	sim_task(1, "admin", admin, NULL);
	if (seed % 5 == 4)
		sim_task(0, "destroyer", crowd_destroyer, NULL);
	if (seed % 5 == 4 && alias == root)
		sim_task(1, "destroyer", crowd_destroyer, NULL);
	sim_run();
}

START_TEST(random_runs_break_no_rule)
{
	size_t children = 0, releases = 0, faults = 0;

	for (uint64_t seed = 0; seed < 300; seed++) {
		run_crowd(seed, _i);
		expect(sim.w->nr_tasks_alive == 0);
		if (sim_end() > 0)
			ck_abort_msg("seed %d: %s: %s", (int)seed,
				     sim.checks->violations[0].ops->name, sim_violation());
		expect(rec_first(TR_OBJ_FREE, box_memcg));
		children += rec_count(TR_CACHE_SLOT_SET, 0);
		releases += rec_count_str(TR_QUEUE_WORK, "kmemcg_workfn");
		faults += rec_count(TR_FAULT, 0);
	}
	/* Else they would show nothing. */
	ck_assert_uint_gt(children, 100);
	ck_assert_uint_gt(releases, 50);
	ck_assert_uint_gt(faults, 50);
}
END_TEST

/* ---- variants: scenarios ---------------------------------------------------------- */

static void alloc_once(struct task *t, void *arg)
{
	(void)arg;
	attach(t, box);
	kmem_cache_free(t, alloc_from_child(t));
	leave(t);
}

static struct kobject other;

static void no_release(struct task *t, struct kobject *kobj)
{
	(void)t;
	(void)kobj;
}

/* Somebody else in sysfs: the shutdown has to wait for kernfs_mutex in the middle. */
static void use_sysfs(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 60; i++) {
		other = (struct kobject){0};
		kobject_init_and_add(t, &other, 0, "other", no_release);
		kobject_del(t, &other);
		if (i % 4 == 0)
			task_sleep(t, MS);
	}
}

static void rmdir_only(struct task *t, void *arg)
{
	(void)arg;
	remove_cgroup(t, sub);
	remove_cgroup(t, box);
}

static void remove_beside_sysfs(struct task *t, void *arg)
{
	alloc_once(t, arg);
	sim_task(1, "sysfs", use_sysfs, NULL);
	rmdir_only(t, arg);
}

static void use_and_remove(struct task *t, void *arg)
{
	alloc_once(t, arg);
	rmdir_only(t, arg);
}

static void fail_creation(struct task *t, void *arg)
{
	struct object *obj;

	attach(t, box);
	sim_faults(0, 1);
	obj = kmem_cache_alloc(t, root);
	if (obj)
		kmem_cache_free(t, obj);
	leave(t);
	rmdir_only(t, arg);
}

static void remove_and_destroy(struct task *t, void *arg)
{
	use_and_remove(t, arg);
	wait_for(t, TR_CACHE_SLOT_CLEAR, child);
	expect(kmem_cache_destroy(t, root) == 0);
}

static void destroy_with_child(struct task *t, void *arg)
{
	alloc_once(t, arg);
	kmem_cache_destroy(t, root);
}

static void destroy_alias_first(struct task *t, void *arg)
{
	expect(alias == root);
	expect(kmem_cache_destroy(t, alias) == 0);
	alloc_once(t, arg);
	/* A slab that some CPU allocates from would be a reason to stay. */
	kmem_cache_shrink(t, root->params.memcg_caches->entries[box->memcg->kmemcg_id]);
	rmdir_only(t, arg);
}

static void disable_and_change_type(struct task *t, void *arg)
{
	struct cgroup *own;
	int err;

	(void)arg;
	own = cgroup_mkdir(t, box, "own", &err);
	expect(own && cgroup_disable_memory(t, own) == 0);
	expect(cgroup_enable_threaded(t, own) == 0);
}

static void write_attribute(struct task *t, void *arg)
{
	slab_attr_store(t, arg);
}

static void destroy_beside_a_writer(struct task *t, void *arg)
{
	(void)arg;
	sim_task(1, "writer", write_attribute, root);
	kmem_cache_destroy(t, root);
}

static struct kmem_cache *third;

static void create_beside_destruction(struct task *t, void *arg)
{
	int err;

	(void)arg;
	wait_for(t, TR_CACHE_DYING, root->id);
	third = kmem_cache_create(t, "third", 512, 8, SLAB_ACCOUNT, &err);
	expect(third && err == 0);
}

static void destroy_one_handle(struct task *t, void *arg)
{
	use_and_remove(t, arg);
	sim_task(1, "creator", create_beside_destruction, NULL);
	/* A callback is pending then, so that the flush takes a grace period. */
	wait_for(t, TR_CACHE_DEACTIVATE, child);
	kmem_cache_destroy(t, root);
}

static void destroy_both_handles(struct task *t, void *arg)
{
	kmem_cache_destroy(t, alias);
	destroy_one_handle(t, arg);
}

/*
 * As merged, v5.3 lets a new cache share a root that is marked as dying; the later fix, which
 * marks it when the last user is gone and lets go of slab_mutex then, cannot.
 */
START_TEST(a_dying_root_is_shared_as_merged_but_not_with_the_fix)
{
	variant_set as_merged = variant("dying-on-alias");

	start(1, 0, _i == 0 ? as_merged : 0, 0);
	expect(alias == root);
	sim_task(0, "task", _i == 0 ? destroy_one_handle : destroy_both_handles, NULL);
	sim_run();
	expect(rec_first(TR_CACHE_DYING, root->id) && third);
	ck_assert_int_eq(third == root, _i == 0);
	if (_i == 1)
		ck_assert_msg(sim_end() == 0, "%s", sim_violation());
}
END_TEST

struct provocation {
	const char *variant;
	void (*fn)(struct task *t, void *arg);
	uint32_t flags;
	int how;      /* preemption model and clock */
	int seeds;    /* tried until one shows it */
	bool fast_gp; /* grace periods that end while a worker holds slab_mutex */
};

static const struct provocation provocations[] = {
	{"get-cache-rcu-typo", alloc_once, 0, 2 * PREEMPT_FULL, 1, false},
	{"release-lock-irq", use_and_remove, 0, 0, 1, false},
	{"workfn-write-after-free", remove_beside_sysfs, 0, 2 * PREEMPT_FULL + 1, 2000, false},
	{"workfn-clobber", use_and_remove, 0, 2 * PREEMPT_FULL, 500, true},
	{"create-work-css-leak", fail_creation, 0, 0, 1, false},
	{"refkill-vs-destroy", remove_and_destroy, SLAB_NO_MERGE, 0, 1, false},
	{"free-slab-memcg", destroy_with_child, SLAB_TYPESAFE_BY_RCU, 0, 1, false},
	{"dying-on-alias", destroy_alias_first, 0, 0, 1, false},
	{"sysfs-active-abba", destroy_beside_a_writer, SLAB_NO_MERGE, 2 * PREEMPT_FULL + 1, 500,
	 false},
	{"css-double-kill", disable_and_change_type, 0, 0, 1, false},
};

#define NR_PROVOCATIONS ((int)(sizeof(provocations) / sizeof(*provocations)))

/* Whoever the table names as @p's checker, from the program's own list. */
static const char *checker_of(const char *name)
{
	return variant_infos[variant_index(name)]->checker;
}

static void provoke(const struct provocation *p, uint64_t seed, variant_set variants)
{
	start(seed, p->how, variants, p->flags);
	if (p->fast_gp) {
		sim.w->cost[COST_RCU_GP_INIT] = 10;
		sim.w->cost[COST_RCU_GP] = 10;
		sim.w->cost[COST_RCU_NOTICE] = 10;
		sim.w->cost[COST_IRQ_ENTRY] = 10;
	}
	sim_task(0, "task", p->fn, NULL);
	sim_run();
	sim_end();
}

/* Of what all lifecycles share; scenarios/reclaim has them. */
static const char *const shared_variants[] = {"id-published-early", "drain-all-stock-uaf",
					      "percpu-stats-lost", "hotplug-wrong-cpu"};

/* Those of other lifecycles belong to other designs. */
START_TEST(every_variant_is_provoked_here)
{
	variant_set ours = lifecycle_variants(lifecycle_find("seed1-v4"), false);

	/* tests/cli/variants.sh and what scenarios expect have them. */
	for (int i = 0; variant_infos[i]; i++) {
		/* Nor has what goes wrong in walks over memcgs to do with caches. */
		bool found = !(ours >> i & 1) || strncmp(variant_infos[i]->name, "iter-", 5) == 0;

		for (int j = 0; j < NR_PROVOCATIONS; j++)
			found |= strcmp(provocations[j].variant, variant_infos[i]->name) == 0;
		for (size_t j = 0; j < sizeof(shared_variants) / sizeof(*shared_variants); j++)
			found |= strcmp(shared_variants[j], variant_infos[i]->name) == 0;
		ck_assert_msg(found, "%s", variant_infos[i]->name);
	}
	ck_assert_int_eq(variant_index("no-such-variant"), -1);
}
END_TEST

START_TEST(a_variant_is_caught_by_the_checker_it_names)
{
	const struct provocation *p = &provocations[_i];
	bool caught = false;

	for (int seed = 0; seed < p->seeds && !caught; seed++) {
		provoke(p, (uint64_t)seed, variant(p->variant));
		caught = sim_caught(checker_of(p->variant));
	}
	ck_assert_msg(caught, "%s is not caught; first violation: %s", p->variant, sim_violation());
}
END_TEST

START_TEST(without_it_the_same_scenario_is_correct)
{
	const struct provocation *p = &provocations[_i];

	for (int seed = 0; seed < p->seeds && seed < 60; seed++) {
		provoke(p, (uint64_t)seed, 0);
		if (sim.checks->nr_violations > 0)
			ck_abort_msg("%s, seed %d: %s", p->variant, seed, sim_violation());
	}
}
END_TEST

START_TEST(generations_are_found_by_name)
{
	ck_assert_ptr_nonnull(lifecycle_find("v5.3"));
	ck_assert_ptr_nonnull(lifecycle_find("seed1-v4"));
	ck_assert_ptr_null(lifecycle_find("v5"));
	ck_assert_ptr_null(lifecycle_find(""));
	for (int i = 0; lifecycle_infos[i]; i++)
		ck_assert_ptr_nonnull(lifecycle_find(lifecycle_infos[i]->name));
}
END_TEST

static TCase *case_reference(void)
{
	TCase *tc = tcase_create("reference");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, the_first_allocation_only_queues_the_creation_of_the_child, 0, 6);
	tcase_add_loop_test(tc, the_page_is_charged_to_the_memcg_of_the_cache, 0, 6);
	tcase_add_loop_test(tc, offline_clears_the_slot_and_gives_the_cache_to_the_parent, 0, 6);
	tcase_add_loop_test(tc, the_slot_is_cleared_before_the_kill, 0, 6);
	tcase_add_loop_test(tc, the_memcg_is_freed_while_the_object_lives, 0, 6);
	tcase_add_loop_test(tc, the_release_comes_a_grace_period_after_the_kill_at_the_earliest, 0,
			    6);
	tcase_add_loop_test(tc, the_last_free_releases_the_cache_in_its_own_context, 0, 6);
	tcase_add_loop_test(tc, the_shutdown_work_ends_the_cache, 0, 6);
	tcase_add_loop_test(tc, an_empty_child_is_announced_at_its_deactivation, 0, 2);
	tcase_add_loop_test(tc, only_the_posting_uncharges_the_root, 0, 2);
	return tc;
}

static TCase *case_races(void)
{
	TCase *tc = tcase_create("races");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, an_allocation_pins_the_child_or_gets_the_root, 0, 6);
	tcase_add_test(tc, a_lookup_may_read_the_array_that_was_just_replaced);
	tcase_add_test(tc, a_kernel_thread_is_served_by_the_root);
	tcase_add_loop_test(tc, destroying_the_root_takes_active_children_along, 0, 12);
	tcase_add_loop_test(tc, random_runs_break_no_rule, 0, 6);
	return tc;
}

static TCase *case_variants(void)
{
	TCase *tc = tcase_create("variants");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, every_variant_is_provoked_here);
	tcase_add_loop_test(tc, a_variant_is_caught_by_the_checker_it_names, 0, NR_PROVOCATIONS);
	tcase_add_loop_test(tc, without_it_the_same_scenario_is_correct, 0, NR_PROVOCATIONS);
	tcase_add_loop_test(tc, a_dying_root_is_shared_as_merged_but_not_with_the_fix, 0, 2);
	tcase_add_test(tc, generations_are_found_by_name);
	return tc;
}

Suite *suite_cache_ref(void)
{
	Suite *s = suite_create("cache_ref");

	suite_add_tcase(s, case_reference());
	suite_add_tcase(s, case_races());
	suite_add_tcase(s, case_variants());
	return s;
}
