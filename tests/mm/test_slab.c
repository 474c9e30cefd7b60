// SPDX-License-Identifier: GPL-2.0-only
/* The slab allocator: where freed objects go, and when slab pages leave a cache. */
#include "sim/mm/slab.h"

#include <errno.h>
#include <string.h>

#include "tests/support/sim_fixture.h"

Suite *suite_slab(void);

#define MANY 64

static struct kmem_cache *cache;
static struct object *objs[MANY];

static void make_cache(struct task *t, void *arg)
{
	int err;

	cache = kmem_cache_create(t, "test", 64, 2, *(uint32_t *)arg | SLAB_NO_MERGE, &err);
	expect(cache && err == 0);
	cgroup_exit(t);
}

/* A root cache with two objects per slab page. */
static void start(uint64_t seed, int how, uint32_t flags)
{
	memset(objs, 0, sizeof(objs));
	sim_start(.lifecycle = "v5.3", .cpus = 3, .seed = seed, .preempt = how / 2);
	sim_task(0, "make", make_cache, &flags);
	sim_run();
	if (how % 2)
		sim_untimed();
}

static void on(unsigned int cpu, void (*fn)(struct task *t, void *arg))
{
	sim_task(cpu, "task", fn, NULL);
	sim_run();
	expect(sim.w->nr_tasks_alive == 0);
}

static void alloc(struct task *t, int from, int to)
{
	for (int i = from; i < to; i++) {
		if (!objs[i])
			objs[i] = kmem_cache_alloc(t, cache);
		expect(objs[i]);
	}
}

static void release(struct task *t, int i)
{
	struct object *obj = objs[i];

	/* First, so that nobody else frees it as well. */
	objs[i] = NULL;
	if (obj)
		kmem_cache_free(t, obj);
}

static void ck_clean(void)
{
	if (sim_end() > 0)
		ck_abort_msg("seed %d: %s", (int)sim.config.seed, sim_violation());
}

/* ---- allocation ------------------------------------------------------------------- */

static void alloc_5(struct task *t, void *arg)
{
	(void)arg;
	alloc(t, 0, 5);
}

START_TEST(a_slab_serves_as_many_objects_as_it_has)
{
	start(1, 0, 0);
	on(0, alloc_5);
	ck_assert_int_eq(cache->node.nr_slabs, 3);
	ck_assert_uint_eq(rec_count(TR_SLAB_ALLOC, 0), 3);
	ck_assert_ptr_eq(objs[0]->slab, objs[1]->slab);
	ck_assert_ptr_ne(objs[1]->slab, objs[2]->slab);
	ck_assert_ptr_eq(objs[2]->slab, objs[3]->slab);
	ck_assert_int_eq(objs[0]->slab->place, SLAB_FULL);
	ck_assert_int_eq(objs[4]->slab->place, SLAB_CPU);
	ck_assert_uint_eq(cache->nr_live, 5);
}
END_TEST

static void alloc_1(struct task *t, void *arg)
{
	(void)arg;
	alloc(t, (int)t->cpu->nr, (int)t->cpu->nr + 1);
}

START_TEST(each_cpu_has_a_slab_of_its_own)
{
	start(1, 0, 0);
	on(0, alloc_1);
	on(1, alloc_1);
	ck_assert_ptr_ne(objs[0]->slab, objs[1]->slab);
	ck_assert_ptr_eq(cache->cpu[0].slab, objs[0]->slab);
	ck_assert_ptr_eq(cache->cpu[1].slab, objs[1]->slab);
}
END_TEST

static void alloc_fails(struct task *t, void *arg)
{
	(void)arg;
	expect(!kmem_cache_alloc(t, cache));
	expect(t->irq_off == 0 && t->preempt_count == 0);
	alloc(t, 0, 1);
}

START_TEST(allocation_without_memory_gives_null_and_works_again_later)
{
	start(1, 0, 0);
	sim_faults(0, 1);
	on(0, alloc_fails);
	ck_assert_uint_eq(rec_first(TR_OBJECT_ALLOC, 0)->obj, 0);
	ck_assert_int_eq(cache->node.nr_slabs, 1);
}
END_TEST

/* ---- freeing ---------------------------------------------------------------------- */

static void use_cpu_slab(struct task *t, void *arg)
{
	struct slab *slab;

	(void)arg;
	alloc(t, 0, 2);
	slab = objs[0]->slab;
	release(t, 0);
	release(t, 1);
	expect(cache->cpu[0].slab == slab && cache->cpu[0].free == 2);
	alloc(t, 0, 2);
	expect(objs[0]->slab == slab && objs[1]->slab == slab);
}

START_TEST(objects_freed_to_the_cpu_slab_stay_there)
{
	start(1, 0, 0);
	on(0, use_cpu_slab);
	ck_assert_uint_eq(rec_count(TR_SLAB_ALLOC, 0), 1);
	ck_assert_int_eq(rec_first(TR_OBJECT_FREE, 0)->arg[2], 0);
	ck_assert_ptr_null(rec_first(TR_SLAB_DISCARD, 0));
}
END_TEST

static void alloc_2(struct task *t, void *arg)
{
	(void)arg;
	alloc(t, 0, 2);
}

static void free_2(struct task *t, void *arg)
{
	(void)arg;
	release(t, 0);
	release(t, 1);
}

static void free_one_of_two(struct task *t, void *arg)
{
	(void)arg;
	release(t, 1);
}

static void alloc_2_more(struct task *t, void *arg)
{
	(void)arg;
	alloc(t, 2, 4);
}

/* With both limits at zero even: a frozen slab belongs to its CPU. */
START_TEST(another_cpu_never_discards_a_cpu_slab)
{
	start(1, 0, 0);
	cache->cpu_partial = cache->min_partial = 0;
	on(0, alloc_2);
	on(1, free_2);
	ck_assert_int_eq(rec_first(TR_OBJECT_FREE, 0)->arg[2], 1);
	ck_assert_ptr_null(rec_first(TR_SLAB_DISCARD, 0));
	ck_assert_uint_eq(cache->cpu[0].slab->free, 2);
	/* The owner takes them back when its own list is empty. */
	on(0, alloc_2_more);
	ck_assert_uint_eq(rec_count(TR_SLAB_ALLOC, 0), 1);
}
END_TEST

static void free_from_full(struct task *t, void *arg)
{
	(void)arg;
	alloc(t, 0, 3);
	release(t, 0);
}

START_TEST(a_full_slab_goes_to_the_partial_list_of_the_cpu_that_frees)
{
	start(1, 0, 0);
	on(0, free_from_full);
	ck_assert_ptr_nonnull(rec_str(NULL, TR_OBJ_STATE, "cpu partial"));
	ck_assert_int_eq(objs[1]->slab->place, SLAB_CPU_PARTIAL);
	ck_assert(!list_empty(&cache->cpu[0].partial));
}
END_TEST

START_TEST(without_cpu_partial_it_goes_to_the_node)
{
	start(1, 0, 0);
	cache->cpu_partial = 0;
	on(0, free_from_full);
	ck_assert_int_eq(objs[1]->slab->place, SLAB_NODE_PARTIAL);
	ck_assert_uint_eq(cache->node.nr_partial, 1);
	ck_assert(list_empty(&cache->cpu[0].partial));
}
END_TEST

static void empty_a_slab(struct task *t, void *arg)
{
	(void)arg;
	alloc(t, 0, 3);
	release(t, 0);
	release(t, 1);
}

START_TEST(an_empty_slab_is_kept_up_to_min_partial)
{
	start(1, 0, 0);
	cache->cpu_partial = 0;
	cache->min_partial = 2;
	on(0, empty_a_slab);
	ck_assert_ptr_null(rec_first(TR_SLAB_DISCARD, 0));
	ck_assert_uint_eq(cache->node.nr_partial, 1);
}
END_TEST

START_TEST(with_min_partial_zero_it_is_discarded_at_once)
{
	const struct rec *discard;

	start(1, 0, 0);
	cache->cpu_partial = cache->min_partial = 0;
	on(0, empty_a_slab);
	discard = rec_first(TR_SLAB_DISCARD, 0);
	ck_assert_ptr_nonnull(discard);
	ck_assert_int_eq(discard->arg[1], 0);
	ck_assert_uint_eq(rec_first(TR_OBJ_FREE, discard->obj)->task, discard->task);
	ck_assert_uint_eq(rec_count(TR_RCU_GP_START, 0), 0);
	ck_assert_int_eq(cache->node.nr_slabs, 1);
	ck_assert_uint_eq(cache->node.nr_partial, 0);
}
END_TEST

/* The cache counts one slab less long before its page is free. */
START_TEST(the_page_of_a_typesafe_slab_is_freed_after_a_grace_period)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		const struct rec *discard, *gp;

		start(seed, _i, SLAB_TYPESAFE_BY_RCU);
		cache->cpu_partial = cache->min_partial = 0;
		on(0, empty_a_slab);
		discard = rec_first(TR_SLAB_DISCARD, 0);
		expect(discard && discard->arg[1] == 1 && cache->node.nr_slabs == 1);
		gp = rec_next(discard, TR_RCU_GP_START, 0);
		ck_order(discard, gp);
		ck_order(rec_next(gp, TR_RCU_GP_END, 0), rec_first(TR_OBJ_FREE, discard->obj));
	}
}
END_TEST

/* ---- shrinking -------------------------------------------------------------------- */

/* ---- a slab that changes while the last free of it waits for list_lock ------------------ */

static void free_0(struct task *t, void *arg)
{
	(void)arg;
	release(t, 0);
}

static void alloc_two_by_two(struct task *t, void *arg)
{
	(void)arg;
	alloc(t, 10, 14);
}

/* One object in use, on the node's list; others take the slab there while it is freed. */
static bool race_for_a_partial_slab(uint64_t seed)
{
	const struct rec *r;
	uint32_t freer;
	oid_t slab;
	bool locked = false;

	memset(objs, 0, sizeof(objs));
	sim_start(.lifecycle = "v5.3", .cpus = 3, .seed = seed, .accesses = true);
	sim_task(0, "make", make_cache, &(uint32_t){0});
	sim_run();
	on(0, alloc_5);
	cache->cpu_partial = 0;
	on(1, free_one_of_two);
	expect(objs[0]->slab->place == SLAB_NODE_PARTIAL);
	slab = objs[0]->slab->id;
	sim_untimed();
	freer = (uint32_t)oid_nr(sim_task(1, "free", free_0, NULL)->id);
	sim_task(2, "alloc", alloc_two_by_two, NULL);
	sim_run();
	ck_clean();
	/* Full by the time that the lock is had: it goes to the CPU that frees. */
	for (r = rec_last(TR_OBJECT_FREE, 0); r < sim.recs + sim.nr_recs; r++) {
		if (r->task != freer)
			continue;
		locked |= r->kind == TR_LOCK_ACQUIRE && r->obj == cache->node.list_lock.id;
		if (r->kind == TR_OBJ_STATE && r->obj == slab && strcmp(r->str, "cpu partial") == 0)
			return locked;
	}
	return false;
}

START_TEST(a_free_that_finds_the_slab_changed_looks_again)
{
	size_t found = 0;

	for (uint64_t seed = 0; seed < 10000; seed++)
		found += race_for_a_partial_slab(seed);
	ck_assert_uint_gt(found, 0);
}
END_TEST

static void leave_one(struct task *t, void *arg)
{
	(void)arg;
	alloc(t, 0, 8);
	for (int i = 1; i < 8; i++)
		release(t, i);
}

static void shrink(struct task *t, void *arg)
{
	(void)arg;
	kmem_cache_shrink(t, cache);
}

START_TEST(shrinking_frees_every_empty_slab_of_every_cpu)
{
	start(1, 0, 0);
	on(0, leave_one);
	ck_assert_int_eq(cache->node.nr_slabs, 4);
	on(1, shrink);
	ck_assert_int_eq(cache->node.nr_slabs, 1);
	ck_assert_int_eq(rec_first(TR_CACHE_SHRINK, cache->id)->arg[0], 1);
	ck_assert_int_eq(objs[0]->slab->place, SLAB_NODE_PARTIAL);
	ck_assert_ptr_null(cache->cpu[0].slab);
	ck_assert(list_empty(&cache->cpu[0].partial));
}
END_TEST

START_TEST(another_cpu_is_flushed_in_its_interrupt)
{
	const struct rec *entry;

	start(1, 0, 0);
	on(2, alloc_1);
	on(1, shrink);
	entry = rec_str(NULL, TR_IRQ_ENTRY, "flush_cpu_slab");
	ck_assert_ptr_nonnull(entry);
	ck_assert_uint_eq(entry->cpu, 2);
	ck_assert_uint_eq(rec_count_str(TR_IRQ_ENTRY, "flush_cpu_slab"), 1);
}
END_TEST

static void busy(struct task *t, void *arg)
{
	(void)arg;
	work_for(t, US);
}

/* It would send interrupts for what it saw long ago. */
START_TEST(nobody_is_preempted_between_looking_at_the_cpus_and_flushing_them)
{
	for (uint64_t seed = 0; seed < 200; seed++) {
		const struct rec *look, *irq, *r;
		oid_t shrinker;

		memset(objs, 0, sizeof(objs));
		sim_start(.lifecycle = "v5.3", .cpus = 3, .seed = seed, .preempt = PREEMPT_FULL,
			  .accesses = true);
		sim_task(0, "make", make_cache, &(uint32_t){0});
		sim_run();
		on(1, alloc_1);
		sim_untimed();
		shrinker = sim_task(0, "shrink", shrink, NULL)->id;
		sim_task(0, "busy", busy, NULL);
		sim_run();
		look = rec_str(NULL, TR_ACCESS, "has_cpu_slab");
		irq = rec_first(TR_IRQ_EXIT, 0);
		ck_order(look, irq);
		for (r = look; (r = rec_next(r, TR_TASK_PREEMPT, shrinker)) != NULL;)
			expect(r->seq > irq->seq);
	}
}
END_TEST

START_TEST(shrinking_an_empty_cache_does_nothing)
{
	start(1, 0, 0);
	on(1, shrink);
	ck_assert_int_eq(rec_first(TR_CACHE_SHRINK, cache->id)->arg[0], 0);
	ck_assert_ptr_null(rec_first(TR_IRQ_ENTRY, 0));
}
END_TEST

/* ---- caches ----------------------------------------------------------------------- */

static void destroy_busy(struct task *t, void *arg)
{
	(void)arg;
	alloc(t, 0, 1);
	expect(kmem_cache_destroy(t, cache) == -EBUSY);
	release(t, 0);
	alloc(t, 0, 1);
}

START_TEST(a_cache_with_live_objects_is_not_destroyed)
{
	start(1, 0, 0);
	on(0, destroy_busy);
	ck_assert_int_eq(rec_first(TR_CACHE_SHUTDOWN, cache->id)->arg[0], -EBUSY);
	ck_assert_int_eq(rec_first(TR_CACHE_SHUTDOWN, cache->id)->arg[1], 1);
	ck_assert_ptr_null(rec_first(TR_OBJ_FREE, cache->id));
	ck_assert(cache->kobj.in_sysfs);
}
END_TEST

static void use_and_destroy(struct task *t, void *arg)
{
	(void)arg;
	alloc(t, 0, 7);
	for (int i = 0; i < 7; i++)
		release(t, i);
	expect(kmem_cache_destroy(t, cache) == 0);
	mark(t, "destroyed");
}

START_TEST(a_destroyed_cache_gives_back_its_slabs_and_its_name)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		start(seed, _i % 6, _i / 6 ? SLAB_TYPESAFE_BY_RCU : 0);
		on(0, use_and_destroy);
		expect(rec_count_str(TR_OBJ_FREE, "__free_slab") == rec_count(TR_SLAB_ALLOC, 0));
		ck_order(rec_first(TR_SYSFS_DEL, cache->kobj.id), marked("destroyed"));
		ck_order(rec_str(NULL, TR_OBJ_FREE, "__free_slab"),
			 rec_first(TR_OBJ_FREE, cache->id));
		ck_clean();
	}
}
END_TEST

START_TEST(a_typesafe_cache_outlives_its_last_slab_page)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		const struct rec *r = NULL, *freed;

		start(seed, _i, SLAB_TYPESAFE_BY_RCU);
		on(0, use_and_destroy);
		freed = rec_first(TR_OBJ_FREE, cache->id);
		while ((r = rec_str(r, TR_OBJ_FREE, "__free_slab")) != NULL)
			ck_order(r, freed);
		ck_order(rec_first(TR_RCU_BARRIER_END, 0), freed);
	}
}
END_TEST

static struct kmem_cache *create(struct task *t, const char *name, uint32_t size, uint32_t flags)
{
	int err = 1;
	struct kmem_cache *s = kmem_cache_create(t, name, size, 0, flags, &err);

	expect(!s == !!err);
	return s;
}

static void merge(struct task *t, void *arg)
{
	struct kmem_cache *a = create(t, "a", 192, 0);

	(void)arg;
	expect(create(t, "b", 192, 0) == a && a->refcount == 2);
	expect(create(t, "smaller", 189, 0) == a && a->object_size == 192);
	expect(create(t, "too small", 184, 0) != a);
	expect(create(t, "bigger", 200, 0) != a);
	expect(create(t, "accounted", 192, SLAB_ACCOUNT) != a);
	expect(create(t, "own", 192, SLAB_NO_MERGE) != a);
	expect(create(t, "typesafe", 192, SLAB_TYPESAFE_BY_RCU) != a);
	expect(a->refcount == 3);
	/* The one that is shared serves the larger object from now on. */
	a = create(t, "c", 313, 0);
	expect(a->size == 320 && create(t, "d", 320, 0) == a && a->object_size == 320);
}

START_TEST(equal_caches_are_merged_unless_they_must_not)
{
	start(1, 0, 0);
	on(0, merge);
	ck_assert_uint_eq(rec_count(TR_CACHE_ALIAS, 0), 3);
	ck_assert_str_eq(rec_first(TR_CACHE_ALIAS, 0)->str, "b");
}
END_TEST

static void destroy_alias(struct task *t, void *arg)
{
	struct kmem_cache *a = create(t, "a", 192, 0), *b = create(t, "b", 192, 0);
	struct object *obj = kmem_cache_alloc(t, a);

	(void)arg;
	expect(kmem_cache_destroy(t, b) == 0);
	expect(a->refcount == 1 && !rec_first(TR_OBJ_FREE, a->id));
	kmem_cache_free(t, obj);
	expect(kmem_cache_destroy(t, a) == 0);
}

START_TEST(the_last_handle_destroys_a_merged_cache)
{
	start(1, 0, 0);
	on(0, destroy_alias);
	ck_assert_ptr_nonnull(rec_str(NULL, TR_OBJ_FREE, "slab_kmem_cache_release"));
	ck_clean();
}
END_TEST

static void taken_name(struct task *t, void *arg)
{
	int err = 0;

	(void)arg;
	expect(!kmem_cache_create(t, "test", 64, 2, SLAB_NO_MERGE, &err) && err == -EEXIST);
	expect(kmem_cache_destroy(t, cache) == 0);
	cache = create(t, "test", 64, SLAB_NO_MERGE);
	expect(kmem_cache_destroy(t, cache) == 0);
}

START_TEST(a_name_in_use_is_refused_and_free_again_after_destruction)
{
	start(1, 0, 0);
	on(0, taken_name);
	ck_clean();
}
END_TEST

static void create_without_memory(struct task *t, void *arg)
{
	int err = 0;

	(void)arg;
	expect(!kmem_cache_create(t, "fails", 64, 2, SLAB_NO_MERGE, &err) && err == -ENOMEM);
	expect(create(t, "fails", 64, SLAB_NO_MERGE));
}

START_TEST(creation_without_memory_leaves_nothing_behind)
{
	start(1, 0, 0);
	sim_faults(0, 1);
	on(0, create_without_memory);
	ck_clean();
}
END_TEST

/* ---- everybody at once ------------------------------------------------------------ */

static void churn(struct task *t, void *arg)
{
	int base = (int)(uintptr_t)arg * 8, other = (base + 8) % 24;

	for (int round = 0; round < 3; round++) {
		for (int i = base; i < base + 8; i++) {
			if (!objs[i])
				objs[i] = kmem_cache_alloc(t, cache);
		}
		for (int i = base; i < base + 8; i += 2)
			release(t, i);
		task_sleep(t, 10 * US);
		for (int i = other + 1; i < other + 8; i += 2)
			release(t, i);
	}
}

static void churn_shrink(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		kmem_cache_shrink(t, cache);
		task_sleep(t, 10 * US);
	}
}

static void finish(struct task *t, void *arg)
{
	(void)arg;
	for (int i = 0; i < 24; i++)
		release(t, i);
	expect(cache->nr_live == 0);
	expect(kmem_cache_destroy(t, cache) == 0);
}

START_TEST(nothing_is_lost_when_all_cpus_allocate_free_and_shrink)
{
	for (uint64_t seed = 0; seed < 60; seed++) {
		start(seed, _i, seed % 3 == 0 ? SLAB_TYPESAFE_BY_RCU : 0);
		if (seed % 2)
			cache->cpu_partial = cache->min_partial = 0;
		for (uintptr_t i = 0; i < 3; i++)
			sim_task((unsigned int)i, "churn", churn, (void *)i);
		sim_task(0, "shrink", churn_shrink, NULL);
		sim_run();
		on(1, finish);
		expect(cache->node.nr_slabs == 0 && rec_first(TR_OBJ_FREE, cache->id));
		ck_clean();
	}
}
END_TEST

static TCase *case_objects(void)
{
	TCase *tc = tcase_create("objects");

	tcase_add_test(tc, a_slab_serves_as_many_objects_as_it_has);
	tcase_add_test(tc, each_cpu_has_a_slab_of_its_own);
	tcase_add_test(tc, allocation_without_memory_gives_null_and_works_again_later);
	tcase_add_test(tc, objects_freed_to_the_cpu_slab_stay_there);
	tcase_add_test(tc, another_cpu_never_discards_a_cpu_slab);
	tcase_add_test(tc, a_full_slab_goes_to_the_partial_list_of_the_cpu_that_frees);
	tcase_add_test(tc, without_cpu_partial_it_goes_to_the_node);
	tcase_add_test(tc, an_empty_slab_is_kept_up_to_min_partial);
	tcase_add_test(tc, with_min_partial_zero_it_is_discarded_at_once);
	tcase_add_loop_test(tc, the_page_of_a_typesafe_slab_is_freed_after_a_grace_period, 0, 6);
	tcase_add_test(tc, a_free_that_finds_the_slab_changed_looks_again);
	tcase_add_test(tc, shrinking_frees_every_empty_slab_of_every_cpu);
	tcase_add_test(tc, another_cpu_is_flushed_in_its_interrupt);
	tcase_add_test(tc, nobody_is_preempted_between_looking_at_the_cpus_and_flushing_them);
	tcase_add_test(tc, shrinking_an_empty_cache_does_nothing);
	tcase_add_loop_test(tc, nothing_is_lost_when_all_cpus_allocate_free_and_shrink, 0, 6);
	return tc;
}

static TCase *case_caches(void)
{
	TCase *tc = tcase_create("caches");

	tcase_add_test(tc, a_cache_with_live_objects_is_not_destroyed);
	tcase_add_loop_test(tc, a_destroyed_cache_gives_back_its_slabs_and_its_name, 0, 12);
	tcase_add_loop_test(tc, a_typesafe_cache_outlives_its_last_slab_page, 0, 6);
	tcase_add_test(tc, equal_caches_are_merged_unless_they_must_not);
	tcase_add_test(tc, the_last_handle_destroys_a_merged_cache);
	tcase_add_test(tc, a_name_in_use_is_refused_and_free_again_after_destruction);
	tcase_add_test(tc, creation_without_memory_leaves_nothing_behind);
	return tc;
}

Suite *suite_slab(void)
{
	Suite *s = suite_create("slab");

	suite_add_tcase(s, case_objects());
	suite_add_tcase(s, case_caches());
	return s;
}
