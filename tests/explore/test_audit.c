// SPDX-License-Identifier: GPL-2.0-only
/*
 * Auditing: on generated programs all engines find the same; and when a rule of one
 * is broken, the audit notices.
 */

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "lua/scenario.h"
#include "sim/explore/audit/audit.h"
#include "tests/soak/generate.h"

Suite *suite_audit(void);

/* Small enough for a full search, most of them. */
#define STEPS_MAX 40000
#define STEPS_OF_RUN_MAX 2000

static struct audit_result audit_text(const char *text, struct audit_options opt)
{
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "slabsim-audit-XXXXXX", NULL);
	const struct run_options run_opt = {.path = path, .seed = 1, .order = ORDER_RANDOM};
	g_autoptr(GError) error = NULL;
	struct audit_result result;
	struct run *run;
	int fd = g_mkstemp(path);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert(g_file_set_contents(path, text, -1, NULL));
	run = session_open(&run_opt, NULL, &error);
	ck_assert_msg(run != NULL, "%s\n%s", error ? error->message : "", text);
	opt.max_steps = opt.max_steps ? opt.max_steps : STEPS_MAX;
	opt.max_steps_of_run = STEPS_OF_RUN_MAX;
	audit(session_subject(run), &opt, &result);
	session_close(run);
	(void)unlink(path);
	return result;
}

static void check_same(const char *text)
{
	struct audit_result r = audit_text(text, (struct audit_options){0});

	ck_assert_msg(r.error == NULL, "%s\n%s", r.error ? r.error->message : "", text);
	ck_assert_msg(r.nr_problems == 0, "%s\n%s",
		      r.problems->len ? (const char *)g_ptr_array_index(r.problems, 0) : "", text);
	audit_result_clear(&r);
}

/* ---- the engines agree --------------------------------------------------------------------- */

START_TEST(models_are_searched_alike)
{
	g_autofree char *text = generate(PROGRAM_MODEL, 1 + (guint64)_i);

	check_same(text);
}
END_TEST

START_TEST(lifecycles_are_searched_alike)
{
	g_autofree char *text = generate(PROGRAM_LIFECYCLE, 1 + (guint64)_i);

	check_same(text);
}
END_TEST

START_TEST(refcounts_are_searched_alike)
{
	g_autofree char *text = generate(PROGRAM_REFCOUNT, 1 + (guint64)_i);

	check_same(text);
}
END_TEST

START_TEST(copies_are_searched_alike)
{
	g_autofree char *text = generate(PROGRAM_COPIES, 1 + (guint64)_i);

	check_same(text);
}
END_TEST

START_TEST(shared_cpus_are_searched_alike)
{
	g_autofree char *text = generate(PROGRAM_CPUS, 1 + (guint64)_i);

	check_same(text);
}
END_TEST

START_TEST(waits_are_searched_alike)
{
	g_autofree char *text = generate(PROGRAM_WAITS, 1 + (guint64)_i);

	check_same(text);
}
END_TEST

START_TEST(locks_are_searched_alike)
{
	g_autofree char *text = generate(PROGRAM_LOCKS, 1 + (guint64)_i);

	check_same(text);
}
END_TEST

/* Generated programs that showed what dpor left out, each for a reason of its own. */
static const uint64_t once_wrong_seeds[] = {62,	 81,  186,	 201,	    205,      263,
					    375, 465, 770001229, 770001985, 770003065};

START_TEST(seeds_that_were_wrong_once_are_right)
{
	g_autofree char *text = generate(PROGRAM_MODEL, once_wrong_seeds[_i]);

	check_same(text);
}
END_TEST

START_TEST(a_seed_makes_one_program)
{
	for (int kind = 0; kind < NR_PROGRAM_KINDS; kind++) {
		g_autofree char *a = generate((enum program_kind)kind, 5);
		g_autofree char *b = generate((enum program_kind)kind, 5);
		g_autofree char *c = generate((enum program_kind)kind, 6);

		ck_assert_str_eq(a, b);
		ck_assert_str_ne(a, c);
	}
}
END_TEST

/* ---- what they got wrong once --------------------------------------------------------------- */

/* dpor: the waiter never stepped, so nothing raced with it */
static const char *const once_wrong_wait =
	"return model {\n"
	"  setup = function(sim) sim.c = sim:cell('c', 0) end,\n"
	"  tasks = {\n"
	"    task('writer', function(t, sim) t:write_once(sim.c, 5) t:write_once(sim.c, 6) end),\n"
	"    task('waiter', function(t, sim) t:wait_until(sim.c, 5) t:fail('got it') end),\n"
	"  },\n"
	"}\n";

static const char *const once_wrong[] = {
	/* dpor: a deadlock hid the order behind it */
	"return model {\n"
	"  setup = function(sim) sim.a, sim.b = sim:mutex('a'), sim:mutex('b') end,\n"
	"  tasks = {\n"
	"    task('ab', function(t, sim)\n"
	"      t:lock(sim.a) t:lock(sim.b) t:unlock(sim.b) t:unlock(sim.a) end),\n"
	"    task('ba', function(t, sim)\n"
	"      t:lock(sim.b) t:lock(sim.a) t:unlock(sim.a) t:unlock(sim.b) end),\n"
	"  },\n"
	"}\n",
	/* dpor: behind the failure of one task lies that of the other */
	"return model {\n"
	"  setup = function(sim) sim.c = sim:cell('c', 0) end,\n"
	"  tasks = {\n"
	"    task('first', function(t, sim)\n"
	"      t:assert(t:read_once(sim.c) == 1, 'too early') end),\n"
	"    task('second', function(t, sim)\n"
	"      t:write_once(sim.c, 1) t:assert(t:read_once(sim.c) == 2, 'never') end),\n"
	"  },\n"
	"}\n",
	/* dpor: the waiter's own addition hid that of another, which commutes with it */
	"return model {\n"
	"  setup = function(sim) sim.c = sim:cell('c', 0) end,\n"
	"  tasks = {\n"
	"    task('other', function(t, sim) t:atomic_inc(sim.c) end),\n"
	"    task('waiter', function(t, sim)\n"
	"      t:atomic_inc(sim.c)\n"
	"      local seen = t:wait_until(sim.c, function(v) return v >= 1 end)\n"
	"      t:assert(seen ~= 1, 'too early') end),\n"
	"  },\n"
	"}\n",
	/* dpor: the run was given up while somebody waited, who could have gone on before */
	"return model {\n"
	"  setup = function(sim) sim.a, sim.b = sim:cell('a', 0), sim:cell('b', 0) end,\n"
	"  tasks = {\n"
	"    task('adder', function(t, sim) t:atomic_add(sim.b, 1) end),\n"
	"    task('waiter', function(t, sim)\n"
	"      t:wait_until(sim.a, 1) t:assert(t:read_once(sim.b) ~= 0, 'too early') end),\n"
	"    task('writer', function(t, sim) t:write_once(sim.a, 1) t:write_once(sim.a, 2) end),\n"
	"  },\n"
	"}\n",
	/* dpor: kept out by a section that never ends; with interrupts off; a work */
	"return model {\n"
	"  setup = function(sim) sim.c = sim:cell('c', 0) end,\n"
	"  tasks = {\n"
	"    task('owner', { cpu = 0 }, function(t, sim)\n"
	"      t:preempt_disable() t:wait_until(sim.c, 2) end),\n"
	"    task('other', { cpu = 0 }, function(t, sim)\n"
	"      t:assert(t:read_once(sim.c) ~= 0, 'it came first') end),\n"
	"  },\n"
	"}\n",
	"return model {\n"
	"  setup = function(sim) sim.c = sim:cell('c', 0) end,\n"
	"  tasks = {\n"
	"    task('owner', { cpu = 0 }, function(t, sim)\n"
	"      t:local_irq_disable() t:wait_until(sim.c, 2) end),\n"
	"    task('other', { cpu = 0 }, function(t, sim)\n"
	"      t:call_rcu(function(x) x:assert(false, 'called') end) end),\n"
	"  },\n"
	"}\n",
	"return model {\n"
	"  setup = function(sim)\n"
	"    sim.c, sim.wq = sim:cell('c', 0), sim:workqueue('wq')\n"
	"    sim.w = sim:work('w', function(t)\n"
	"      t:assert(t:read_once(sim.c) ~= 0, 'the work came first') end)\n"
	"  end,\n"
	"  tasks = {\n"
	"    task('owner', { cpu = 0 }, function(t, sim)\n"
	"      t:preempt_disable() t:wait_until(sim.c, 2) end),\n"
	"    task('queuer', { cpu = 1 }, function(t, sim)\n"
	"      t:queue_work_on(0, sim.wq, sim.w) end),\n"
	"  },\n"
	"}\n",
	/* dpor: who slept was kept off the CPU by a section that had begun since */
	"return model {\n"
	"  cpus = 3,\n"
	"  setup = function(sim)\n"
	"    sim.c, sim.m, sim.wq = sim:cell('c', 0), sim:mutex('m'), sim:workqueue('wq')\n"
	"    sim.w = sim:work('w', function(t) t:read_once(sim.c) end)\n"
	"  end,\n"
	"  tasks = {\n"
	"    task('t0', { cpu = 2 }, function(t, sim) t:queue_work_on(2, sim.wq, sim.w) end),\n"
	"    task('t1', { cpu = 1 }, function(t, sim) t:store(sim.c, t:load(sim.c) + 1) end),\n"
	"    task('t2', { cpu = 1 }, function(t, sim) t:local_irq_disable() t:unlock(sim.m) end),\n"
	"    task('t3', { cpu = 0 }, function(t, sim)\n"
	"      t:lock(sim.m) t:cmpxchg(sim.c, 1, 1) t:unlock(sim.m) end),\n"
	"  },\n"
	"}\n",
	/* dpor: the waiter's condition held, but another task had his CPU */
	"return model {\n"
	"  cpus = 2, preempt = 'none',\n"
	"  setup = function(sim) sim.c, sim.d = sim:cell('c', 0), sim:cell('d', 0) end,\n"
	"  tasks = {\n"
	"    task('writer', { cpu = 1 }, function(t, sim)\n"
	"      t:write_once(sim.d, 2) t:write_once(sim.d, 1) end),\n"
	"    task('waiter', { cpu = 1 }, function(t, sim) t:wait_until(sim.c, 1) end),\n"
	"    task('adder', { cpu = 1 }, function(t, sim) t:atomic_inc(sim.c) end),\n"
	"    task('caller', { cpu = 0 }, function(t, sim)\n"
	"      t:call_rcu(function(t) t:atomic_inc(sim.c) end)\n"
	"      t:atomic_inc(sim.c) t:read_once(sim.d) end),\n"
	"  },\n"
	"}\n",
	/* dpor: what led only to a write that hid the condition counted as needed for it */
	"return model {\n"
	"  cpus = 2, preempt = 'full',\n"
	"  setup = function(sim) sim.c = sim:cell('c', 0) end,\n"
	"  tasks = {\n"
	"    task('first', { cpu = 1 }, function(t, sim)\n"
	"      t:preempt_disable() t:atomic_inc(sim.c) t:atomic_inc(sim.c)\n"
	"      t:preempt_enable() end),\n"
	"    task('waiter', { cpu = 0 }, function(t, sim) t:wait_until(sim.c, 1) end),\n"
	"    task('second', { cpu = 1 }, function(t, sim)\n"
	"      t:preempt_disable() t:atomic_add(sim.c, 1) t:preempt_enable() end),\n"
	"  },\n"
	"}\n",
	/* dpor: a waiter comes before two additions, one in a section that keeps the other out */
	"return model {\n"
	"  cpus = 2, preempt = 'full',\n"
	"  setup = function(sim) sim.c = sim:cell('c', 0) end,\n"
	"  tasks = {\n"
	"    task('waiter', { cpu = 1 }, function(t, sim) t:wait_until(sim.c, 1) end),\n"
	"    task('writer', { cpu = 0 }, function(t, sim)\n"
	"      t:preempt_disable() t:write_once(sim.c, 1) t:atomic_inc(sim.c)\n"
	"      t:preempt_enable() end),\n"
	"    task('adder', { cpu = 0 }, function(t, sim) t:atomic_inc(sim.c) end),\n"
	"  },\n"
	"}\n",
	/* states: one step ended a reader's section and the CPU's, or the reader's alone */
	"return model {\n"
	"  cpus = 1, preempt = 'full',\n"
	"  setup = function(sim) sim.s = sim:spinlock('s') end,\n"
	"  tasks = {\n"
	"    task('t', function(t, sim)\n"
	"      local function callback(x) x:rcu_read_lock() x:rcu_read_unlock() end\n"
	"      t:call_rcu(callback) t:call_rcu(callback)\n"
	"      t:lock(sim.s) t:unlock(sim.s) end),\n"
	"  },\n"
	"}\n",
	/* the audit: who holds the lock in the end was called after who came first */
	"return model {\n"
	"  cpus = 1,\n"
	"  setup = function(sim)\n"
	"    sim.c, sim.m, sim.wq = sim:cell('c', 1), sim:mutex('m'), sim:workqueue('wq')\n"
	"    sim.w = sim:work('w', function(t) t:lock(sim.m) t:wait_until(sim.c, 2) end)\n"
	"  end,\n"
	"  tasks = {\n"
	"    task('t', function(t, sim)\n"
	"      t:queue_work_on(0, sim.wq, sim.w) t:call_rcu(function() end) end),\n"
	"  },\n"
	"}\n",
	/* dpor: another task had the waiter's CPU since before the path begins */
	"return model {\n"
	"  cpus = 2, preempt = 'none',\n"
	"  setup = function(sim) sim.c, sim.m = sim:cell('c', 0), sim:mutex('m') end,\n"
	"  tasks = {\n"
	"    task('a', { cpu = 1 }, function(t, sim) t:lock(sim.m) end),\n"
	"    task('b', { cpu = 0 }, function(t, sim) t:lock(sim.m) end),\n"
	"    task('c', { cpu = 1 }, function(t, sim) t:read_once(sim.c) end),\n"
	"  },\n"
	"}\n",
	/* states: did somebody else let go of a mutex before its holder wanted it again? */
	"return model {\n"
	"  setup = function(sim) sim.m = sim:mutex('m') end,\n"
	"  tasks = {\n"
	"    task('twice', function(t, sim) t:lock(sim.m) t:lock(sim.m) end),\n"
	"    task('other', function(t, sim) t:unlock(sim.m) end),\n"
	"  },\n"
	"}\n",
	/* states: did the section begin before the grace period or after? */
	"return model {\n"
	"  setup = function(sim) sim.r = sim:percpu_ref('r') end,\n"
	"  tasks = {\n"
	"    task('user', function(t, sim) if t:percpu_ref_tryget(sim.r) then\n"
	"      t:percpu_ref_put(sim.r) end end),\n"
	"    task('killer', function(t, sim) t:percpu_ref_kill(sim.r) end),\n"
	"  },\n"
	"}\n",
	/* states: who has the CPU, of two that share it */
	"return model {\n"
	"  cpus = 1, preempt = 'voluntary',\n"
	"  setup = function(sim) sim.m = sim:mutex('m') end,\n"
	"  tasks = {\n"
	"    task('waiter', { cpu = 0 }, function(t, sim)\n"
	"      t:lock(sim.m) t:synchronize_rcu() t:unlock(sim.m) end),\n"
	"    task('other', { cpu = 0 }, function(t, sim) t:lock(sim.m) t:unlock(sim.m) end),\n"
	"  },\n"
	"}\n",
	/* dpor: nobody takes a lock just before its release, but he can begin to wait for ever */
	"return model {\n"
	"  setup = function(sim) sim.s = sim:spinlock('s') end,\n"
	"  tasks = {\n"
	"    task('holder', { cpu = 0 }, function(t, sim) t:lock(sim.s) t:unlock(sim.s) end),\n"
	"    task('caller', { cpu = 0 }, function(t, sim) t:call_rcu(function(t)\n"
	"      t:lock(sim.s) t:unlock(sim.s) end) end),\n"
	"  },\n"
	"}\n",
	/* states: an interrupt that has arrived, and has not done anything yet */
	"return scenario {\n"
	"  setup = function(sim) sim.slab = sim:cache('slab', { object_size = 1024 }) end,\n"
	"  tasks = {\n"
	"    task('idle', { cpu = 0 }, function() end),\n"
	"    task('shrinker', { cpu = 1 }, function(t, sim) t:shrink(sim.slab) end),\n"
	"  },\n"
	"}\n",
	/* names: two workers that one event made at different times */
	"return model {\n"
	"  cpus = 1,\n"
	"  setup = function(sim)\n"
	"    sim.wq = sim:workqueue('wq', { unbound = true })\n"
	"    sim.c = sim:cell('c', 0)\n"
	"    sim.w = sim:work('w', function(t) t:atomic_inc(sim.c) end)\n"
	"  end,\n"
	"  tasks = { task('t', { cpu = 0 }, function(t, sim)\n"
	"    t:queue_work(sim.wq, sim.w) t:queue_work(sim.wq, sim.w) t:atomic_inc(sim.c) end) },\n"
	"}\n",
	/* dpor: who is kept off a CPU by a section waits, as for a lock, or for both */
	"return model {\n"
	"  cpus = 2, preempt = 'full',\n"
	"  setup = function(sim)\n"
	"    sim.a, sim.b, sim.s = sim:cell('a', 0), sim:cell('b', 0), sim:spinlock('s') end,\n"
	"  tasks = {\n"
	"    task('section', { cpu = 1 }, function(t, sim)\n"
	"      t:preempt_disable() t:write_once(sim.a, 1) t:preempt_enable() end),\n"
	"    task('writer', { cpu = 0 }, function(t, sim)\n"
	"      t:read_once(sim.b) t:write_once(sim.a, 2) end),\n"
	"    task('locker', { cpu = 0 }, function(t, sim)\n"
	"      t:lock(sim.s) t:write_once(sim.b, 1) t:unlock(sim.s) end),\n"
	"    task('waiter', { cpu = 1 }, function(t, sim)\n"
	"      t:write_once(sim.b, 2) t:wait_until(sim.a, 2) end),\n"
	"  },\n"
	"}\n",
	"return model {\n"
	"  cpus = 2, preempt = 'full',\n"
	"  setup = function(sim) sim.c = sim:cell('c', 0) end,\n"
	"  tasks = {\n"
	"    task('section', { cpu = 1 }, function(t, sim)\n"
	"      t:preempt_disable() t:write_once(sim.c, 1) t:preempt_enable() end),\n"
	"    task('writer', { cpu = 0 }, function(t, sim) t:write_once(sim.c, 2) end),\n"
	"    task('waiter', { cpu = 1 }, function(t, sim) t:wait_until(sim.c, 2) end),\n"
	"  },\n"
	"}\n",
	/* dpor: two sections, each of which never ends */
	"return model {\n"
	"  cpus = 2, preempt = 'full',\n"
	"  setup = function(sim) sim.a, sim.b = sim:cell('a', 0), sim:cell('b', 0) end,\n"
	"  tasks = {\n"
	"    task('writer', { cpu = 1 }, function(t, sim) t:write_once(sim.b, 1) end),\n"
	"    task('reader', { cpu = 0 }, function(t, sim)\n"
	"      t:read_once(sim.a) t:assert(t:read_once(sim.b) ~= 2, 'never') end),\n"
	"    task('off1', { cpu = 1 }, function(t, sim)\n"
	"      t:atomic_add(sim.a, 1) t:preempt_disable() t:read_once(sim.b) end),\n"
	"    task('off0', { cpu = 0 }, function(t, sim)\n"
	"      t:preempt_disable() t:atomic_add(sim.a, 1)\n"
	"      t:assert(t:read_once(sim.a) ~= 1, 'one') end),\n"
	"  },\n"
	"}\n",
	/* dpor: a worker that was made after the section began did not wait where it did */
	"return model {\n"
	"  cpus = 2, preempt = 'voluntary',\n"
	"  setup = function(sim)\n"
	"    sim.c, sim.s = sim:cell('c', 0), sim:spinlock('s')\n"
	"    sim.wq = sim:workqueue('wq', { max_active = 1 })\n"
	"    sim.w = sim:work('w', function(t) t:write_once(sim.c, 1) end) end,\n"
	"  tasks = {\n"
	"    task('section', { cpu = 0 }, function(t, sim)\n"
	"      t:preempt_disable() t:lock(sim.s) t:unlock(sim.s) t:preempt_enable() end),\n"
	"    task('locker', { cpu = 1 }, function(t, sim)\n"
	"      t:lock(sim.s) t:write_once(sim.c, 2) t:unlock(sim.s) end),\n"
	"    task('queuer', { cpu = 0 }, function(t, sim) t:queue_work(sim.wq, sim.w) end),\n"
	"  },\n"
	"}\n",
};

START_TEST(what_was_wrong_once_is_right)
{
	check_same(once_wrong[_i]);
	check_same(once_wrong_wait);
}
END_TEST

START_TEST(all_engines_come_to_their_end)
{
	struct audit_result r = audit_text(once_wrong_wait, (struct audit_options){0});

	for (int i = 0; i < NR_AUDIT_ENGINES; i++) {
		if (!r.rows[i].ran)
			continue;
		ck_assert(i == AUDIT_DRAWN ? r.rows[i].repeated : r.rows[i].complete);
		ck_assert_uint_eq(r.rows[i].nr_findings, 2);
	}
	ck_assert_int_eq(r.reference, AUDIT_FULL);
	ck_assert_uint_eq(r.rows[AUDIT_FULL].stats.nr_runs, 2);
	ck_assert_uint_eq(r.rows[AUDIT_DPOR].nr_redundant, 0);
	audit_result_clear(&r);
}
END_TEST

/* dpor: the chooser ends in one variant of a step, and wakes nobody for that in the other. */
static const char *const variants =
	"return model {\n"
	"  setup = function(sim) sim.c, sim.d = sim:cell('c', 0), sim:cell('d', 0) end,\n"
	"  tasks = {\n"
	"    task('reader', function(t, sim) t:read_once(sim.c) t:read_once(sim.d) end),\n"
	"    task('chooser', function(t, sim)\n"
	"      if t:choice(2) == 1 then t:synchronize_rcu() end end),\n"
	"  },\n"
	"}\n";

START_TEST(a_variant_wakes_whom_it_concerns)
{
	struct audit_result r = audit_text(variants, (struct audit_options){0});

	ck_assert_uint_eq(r.nr_problems, 0);
	ck_assert_uint_eq(r.rows[AUDIT_DPOR].nr_traces, r.rows[AUDIT_FULL].nr_traces);
	ck_assert_uint_le(r.rows[AUDIT_DPOR].stats.nr_blocked, 1);
	audit_result_clear(&r);
}
END_TEST

/* Who gives up claims nothing, and is not blamed for what he has not met. */
START_TEST(a_limit_is_no_difference)
{
	g_autofree char *text = generate(PROGRAM_MODEL, 2);
	struct audit_result r = audit_text(text, (struct audit_options){.max_steps = 50});

	ck_assert(!r.rows[AUDIT_FULL].complete);
	ck_assert_uint_eq(r.nr_problems, 0);
	audit_result_clear(&r);
}
END_TEST

/* ---- a broken rule is noticed ---------------------------------------------------------------- */

/* Kept apart only by how many preemptions are left: "two, one, one" needs a single one. */
static const char *const between =
	"return model {\n"
	"  setup = function(sim) sim.x, sim.y = sim:cell('x', 0), sim:cell('y', 0) end,\n"
	"  tasks = {\n"
	"    task('one', function(t, sim)\n"
	"      t:write_once(sim.x, 1) t:assert(t:read_once(sim.y) ~= 1, 'between') end),\n"
	"    task('two', function(t, sim) t:write_once(sim.y, 1) t:write_once(sim.y, 2) end),\n"
	"  },\n"
	"}\n";

/* Whether the user still gets a reference is up to the last put, which tells nobody else. */
static const char *const last_put =
	"return model {\n"
	"  setup = function(sim)\n"
	"    sim.r, sim.c = sim:percpu_ref('r'), sim:cell('c', 0)\n"
	"  end,\n"
	"  tasks = {\n"
	"    task('user', function(t, sim)\n"
	"      if not t:percpu_ref_tryget(sim.r) then t:write_once(sim.c, 1) end end),\n"
	"    task('killer', function(t, sim) t:percpu_ref_kill(sim.r) end),\n"
	"  },\n"
	"}\n";

/*
 * dpor: only where the reader sees 0 does it enter the kernel in the same step, which the start
 * of a grace period looks at.
 */
static const char *const sees =
	"return model {\n"
	"  cpus = 2, preempt = 'none',\n"
	"  setup = function(sim) sim.c, sim.m = sim:cell('c', 0), sim:mutex('m') end,\n"
	"  tasks = {\n"
	"    task('reader', { cpu = 0 }, function(t, sim)\n"
	"      if t:read_once(sim.c) == 0 then t:lock(sim.m) end\n"
	"      t:write_once(sim.c, 2) end),\n"
	"    task('writer', { cpu = 1 }, function(t, sim)\n"
	"      t:call_rcu(function() end) t:write_once(sim.c, 1) t:unlock(sim.m) end),\n"
	"  },\n"
	"}\n";

/* Whether the user still gets a reference is up to the drop of the first one. */
static const char *const base_drop =
	"return model {\n"
	"  setup = function(sim) sim.r, sim.c = sim:refcount('r'), sim:cell('c', 0) end,\n"
	"  tasks = {\n"
	"    task('user', function(t, sim)\n"
	"      if not t:refcount_inc_not_zero(sim.r) then t:write_once(sim.c, 1) end end),\n"
	"    task('maker', function(t, sim) t:refcount_dec_and_test(sim.r) end),\n"
	"  },\n"
	"}\n";

/* Three put one each: which of them is last is all that matters. */
static const char *const three_puts =
	"return model {\n"
	"  setup = function(sim) sim.r, sim.c = sim:refcount('r', 3), sim:cell('c', 0) end,\n"
	"  tasks = {\n"
	"    task('a', function(t, sim)\n"
	"      if t:refcount_dec_and_test(sim.r) then t:write_once(sim.c, 1) end end),\n"
	"    task('b', function(t, sim)\n"
	"      if t:refcount_dec_and_test(sim.r) then t:write_once(sim.c, 2) end end),\n"
	"    task('c', function(t, sim)\n"
	"      if t:refcount_dec_and_test(sim.r) then t:write_once(sim.c, 3) end end),\n"
	"  },\n"
	"}\n";

/* "b gets, base drops, a puts": without the get, either of the other two may be the last one. */
static const char *const unpinned =
	"return model {\n"
	"  setup = function(sim) sim.r = sim:refcount('r') end,\n"
	"  tasks = {\n"
	"    task('base', function(t, sim)\n"
	"      if t:refcount_inc_not_zero(sim.r) then t:refcount_dec_and_test(sim.r) end\n"
	"      t:refcount_dec_and_test(sim.r) end),\n"
	"    task('b', function(t, sim)\n"
	"      if t:refcount_inc_not_zero(sim.r) then t:refcount_dec_and_test(sim.r) end\n"
	"      t:refcount_inc_not_zero(sim.r) end),\n"
	"    task('a', function(t, sim)\n"
	"      if t:refcount_inc_not_zero(sim.r) then t:refcount_dec_and_test(sim.r) end end),\n"
	"    task('reader', function(t, sim) t:refcount_read(sim.r) end),\n"
	"  },\n"
	"}\n";

#define REFCOUNTS "refcount"
#define COPIES "copies"

struct breach {
	enum search_defect defect;
	uint32_t field;
	const char *text; /* NULL, REFCOUNTS or COPIES: one of the generated programs */
};

static const struct breach breaches[] = {
	{DEFECT_NO_RACES, 0, NULL},
	{DEFECT_NEVER_WAKE, 0, NULL},
	{DEFECT_WAITS_AS_RACES, 0, once_wrong_wait},
	{DEFECT_NO_SECTIONS, 0, NULL},
	{DEFECT_SEES_ALL, 0, sees},
	{DEFECT_NO_WATCH, 0, sees},
	{DEFECT_PRUNED_DPOR, 0, NULL},
	{DEFECT_NO_CONTROL, 0, NULL},
	{DEFECT_BOUND_KEY, 0, between},
	{DEFECT_BLIND, 0, NULL},
	{DEFECT_BLIND, FIELD_LOCK, NULL},
	{DEFECT_BLIND, FIELD_REF, last_put},
	/* a get and the drop of the first reference commute; a put that reaches zero does */
	{DEFECT_BLIND, FIELD_REF_BASE, base_drop},
	{DEFECT_BLIND, FIELD_REF_BASE, REFCOUNTS},
	{DEFECT_BLIND, FIELD_REF, REFCOUNTS},
	{DEFECT_BLIND, FIELD_REF_PUTS, REFCOUNTS},
	{DEFECT_LAST_ADD, 0, REFCOUNTS},
	{DEFECT_LAST_ADD, 0, three_puts},
	{DEFECT_UNPINNED, 0, unpinned},
	{DEFECT_RECALL_BLIND, 0, NULL},
	{DEFECT_COPIES_ALIKE, 0, COPIES},
};

/* Generated programs of which one must show it. */
#define BROKEN_PROGRAMS 60

static bool differs(const char *text, const struct breach *b)
{
	struct audit_result r =
		audit_text(text, (struct audit_options){.defect = b->defect, .blind_to = b->field});
	bool found = r.nr_problems > 0;

	audit_result_clear(&r);
	return found;
}

static bool is_noticed(const struct breach *b)
{
	enum program_kind kind = PROGRAM_MODEL;

	if (g_strcmp0(b->text, REFCOUNTS) == 0)
		kind = PROGRAM_REFCOUNT;
	else if (g_strcmp0(b->text, COPIES) == 0)
		kind = PROGRAM_COPIES;
	else if (b->text) {
		check_same(b->text);
		return differs(b->text, b);
	}
	for (uint64_t seed = 1; seed <= BROKEN_PROGRAMS; seed++) {
		g_autofree char *text = generate(kind, seed);

		if (differs(text, b))
			return true;
	}
	return false;
}

START_TEST(each_broken_rule_is_noticed)
{
	const struct breach *b = &breaches[_i];

	ck_assert_msg(is_noticed(b), "nobody noticed defect %d, field %x", (int)b->defect,
		      b->field);
}
END_TEST

/* Each that goes over known steps, and not only one of them. */
START_TEST(whoever_recalls_blindly_is_noticed)
{
	static const enum audit_engine engines[] = {AUDIT_DPOR_KNOWN, AUDIT_RECALLED, AUDIT_DRAWN};
	const struct audit_options opt = {.defect = DEFECT_RECALL_BLIND};
	uint32_t nr_differs = 0;

	for (uint64_t seed = 1; seed <= BROKEN_PROGRAMS && nr_differs == 0; seed++) {
		g_autofree char *text = generate(PROGRAM_MODEL, seed);
		struct audit_result r = audit_text(text, opt);

		nr_differs = r.rows[engines[_i]].nr_differs;
		audit_result_clear(&r);
	}
	ck_assert_uint_gt(nr_differs, 0);
}
END_TEST

Suite *suite_audit(void)
{
	Suite *s = suite_create("audit");
	TCase *tc = tcase_create("audit");

	/* Some look through many programs until one shows it. */
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, models_are_searched_alike, 0, 40);
	tcase_add_loop_test(tc, lifecycles_are_searched_alike, 0, 6);
	tcase_add_loop_test(tc, refcounts_are_searched_alike, 0, 20);
	tcase_add_loop_test(tc, copies_are_searched_alike, 0, 30);
	tcase_add_loop_test(tc, shared_cpus_are_searched_alike, 0, 30);
	tcase_add_loop_test(tc, waits_are_searched_alike, 0, 15);
	tcase_add_loop_test(tc, locks_are_searched_alike, 0, 10);
	tcase_add_loop_test(tc, seeds_that_were_wrong_once_are_right, 0,
			    (int)G_N_ELEMENTS(once_wrong_seeds));
	tcase_add_test(tc, a_seed_makes_one_program);
	tcase_add_loop_test(tc, what_was_wrong_once_is_right, 0, (int)G_N_ELEMENTS(once_wrong));
	tcase_add_test(tc, all_engines_come_to_their_end);
	tcase_add_test(tc, a_variant_wakes_whom_it_concerns);
	tcase_add_test(tc, a_limit_is_no_difference);
	tcase_add_loop_test(tc, each_broken_rule_is_noticed, 0, (int)G_N_ELEMENTS(breaches));
	tcase_add_loop_test(tc, whoever_recalls_blindly_is_noticed, 0, 3);
	suite_add_tcase(s, tc);
	return s;
}
