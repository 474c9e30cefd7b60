// SPDX-License-Identifier: GPL-2.0-only
/* Calls on other CPUs: where they run, and that the caller waits. */
#include "sim/kernel/smp.h"

#include "sim/kernel/lock.h"
#include "tests/support/sim_fixture.h"

Suite *suite_smp(void);

static int nr_calls;

static void called(struct task *t, void *arg)
{
	nr_calls++;
	mark(t, arg);
}

static void call_cpu(struct task *t, void *arg)
{
	unsigned int cpu = (unsigned int)(uintptr_t)arg;

	mark(t, "calls");
	smp_call_function_single(t, &t->w->cpus[cpu], "test", called, "called");
	mark(t, "returned");
}

START_TEST(another_cpu_is_called_by_interrupt_and_waited_for)
{
	for (uint64_t seed = 0; seed < 50; seed++) {
		sim_start(.seed = seed, .untimed = _i);
		sim_task(0, "caller", call_cpu, (void *)1);
		sim_run();
		ck_order(marked("calls"), marked("called"));
		ck_order(marked("called"), marked("returned"));
		expect(marked("called")->cpu == 1 && marked("called")->ctx == CTX_HARDIRQ);
	}
}
END_TEST

static void local_call(struct task *t, void *arg)
{
	expect(t->irq_off == 1 && t->ctx == CTX_TASK);
	called(t, arg);
}

static void call_here(struct task *t, void *arg)
{
	(void)arg;
	smp_call_function_single(t, t->cpu, "test", local_call, "called");
	mark(t, "returned");
	expect(t->irq_off == 0 && t->preempt_count == 0);
}

START_TEST(the_own_cpu_is_called_in_place_with_interrupts_off)
{
	sim_start();
	sim_task(1, "caller", call_here, NULL);
	sim_run();
	ck_order(marked("called"), marked("returned"));
	ck_assert_ptr_null(rec_first(TR_IRQ_ENTRY, 0));
	ck_assert_uint_eq(marked("called")->cpu, 1);
}
END_TEST

static void call_mask(struct task *t, void *arg)
{
	on_each_cpu_mask(t, (uint64_t)(uintptr_t)arg, "test", called, "called");
	mark(t, "returned");
}

START_TEST(a_mask_calls_each_of_its_cpus_once)
{
	uint32_t cpus = 0;

	nr_calls = 0;
	sim_start(.cpus = 4);
	sim_task(0, "caller", call_mask, (void *)0xd);
	sim_run();
	for (const struct rec *r = NULL; (r = rec_str(r, TR_LOG, "called")) != NULL;) {
		cpus |= 1u << r->cpu;
		ck_order(r, marked("returned"));
	}
	ck_assert_int_eq(nr_calls, 3);
	ck_assert_uint_eq(cpus, 0xd);
}
END_TEST

START_TEST(an_empty_mask_calls_nobody)
{
	nr_calls = 0;
	sim_start();
	sim_task(0, "caller", call_mask, NULL);
	sim_run();
	ck_assert_int_eq(nr_calls, 0);
	ck_assert_ptr_nonnull(marked("returned"));
}
END_TEST

static void masked_for_long(struct task *t, void *arg)
{
	(void)arg;
	local_irq_disable(t);
	work_for(t, 50 * US);
	mark(t, "unmasks");
	local_irq_enable(t);
}

START_TEST(the_caller_waits_for_a_cpu_with_interrupts_off)
{
	sim_start();
	sim_task(1, "masked", masked_for_long, NULL);
	sim_task(0, "caller", call_cpu, (void *)1);
	sim_run();
	ck_order(marked("calls"), marked("unmasks"));
	ck_order(marked("unmasks"), marked("called"));
	ck_order(marked("called"), marked("returned"));
}
END_TEST

/* The caller spins with interrupts on. */
START_TEST(two_cpus_may_call_each_other)
{
	for (uint64_t seed = 0; seed < 100; seed++) {
		sim_start(.seed = seed, .untimed = _i);
		sim_task(0, "a", call_cpu, (void *)1);
		sim_task(1, "b", call_cpu, (void *)0);
		sim_run();
		expect(rec_count_str(TR_LOG, "returned") == 2);
	}
}
END_TEST

static struct spinlock lock;

static void lock_if_first(struct task *t, void *arg)
{
	(void)arg;
	if (t->cpu->nr == 0) {
		spin_lock(t, &lock);
		mark(t, "locked");
		spin_unlock(t, &lock);
	}
	mark(t, "called");
}

static void hold_lock(struct task *t, void *arg)
{
	(void)arg;
	spin_lock(t, &lock);
	work_for(t, 100 * US);
	mark(t, "unlocks");
	spin_unlock(t, &lock);
}

static void call_two(struct task *t, void *arg)
{
	(void)arg;
	work_for(t, 10 * US);
	on_each_cpu_mask(t, 0x3, "test", lock_if_first, NULL);
	mark(t, "returned");
}

/* The sender spins for a lock while the last CPU answers: that is not what it waits for yet. */
START_TEST(an_answer_does_not_give_its_sender_a_lock)
{
	sim_start(.cpus = 3);
	spin_lock_init(sim.w, &lock, "lock");
	sim_task(2, "holder", hold_lock, NULL);
	sim_task(0, "caller", call_two, NULL);
	sim_run();
	ck_order(marked("called"), marked("unlocks"));
	ck_order(marked("unlocks"), marked("locked"));
	ck_order(marked("locked"), marked("returned"));
}
END_TEST

START_TEST(a_call_is_caused_by_what_its_sender_did_last)
{
	sim_start();
	sim_task(0, "caller", call_cpu, (void *)1);
	sim_run();
	ck_assert_uint_eq(rec_first(TR_IRQ_ENTRY, 0)->cause, marked("calls")->seq);
	ck_assert_int_eq(rec_first(TR_IRQ_ENTRY, 0)->via, VIA_IPI);
}
END_TEST

Suite *suite_smp(void)
{
	Suite *s = suite_create("smp");
	TCase *tc = tcase_create("calls");

	tcase_add_loop_test(tc, another_cpu_is_called_by_interrupt_and_waited_for, 0, 2);
	tcase_add_test(tc, the_own_cpu_is_called_in_place_with_interrupts_off);
	tcase_add_test(tc, a_mask_calls_each_of_its_cpus_once);
	tcase_add_test(tc, an_empty_mask_calls_nobody);
	tcase_add_test(tc, the_caller_waits_for_a_cpu_with_interrupts_off);
	tcase_add_loop_test(tc, two_cpus_may_call_each_other, 0, 2);
	tcase_add_test(tc, an_answer_does_not_give_its_sender_a_lock);
	tcase_add_test(tc, a_call_is_caused_by_what_its_sender_did_last);
	suite_add_tcase(s, tc);
	return s;
}
