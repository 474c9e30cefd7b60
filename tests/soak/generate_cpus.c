// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs about who can step when: CPUs that are shared, waiting, and nested locks.
 */

#include "tests/soak/program.h"

/* Of a work item, a callback or a task: what may stand there depends on that. */
enum place { IN_TASK, IN_WORK, IN_CALLBACK };

typedef void (*put_fn)(struct program *p, uint32_t indent, uint32_t depth, enum place place);

static void put_around(struct program *p, uint32_t indent, uint32_t depth, enum place place,
		       const char *enter, const char *leave, bool atomic, put_fn put)
{
	bool was = p->atomic;

	line(p, indent, "t:%s", enter);
	p->atomic |= atomic;
	put(p, indent, depth + 1, place);
	if (one_in(p, 3))
		put(p, indent, depth + 1, place);
	p->atomic = was;
	line(p, indent, "t:%s", leave);
}

static void put_choice(struct program *p, uint32_t indent, uint32_t depth, enum place place,
		       put_fn put)
{
	if (one_in(p, 2)) {
		line(p, indent, "seen = t:choice(2)");
		return;
	}
	line(p, indent, "if t:choice(2) == 1 then");
	put(p, indent + 1, depth + 1, place);
	line(p, indent, "end");
}

static void put_if(struct program *p, uint32_t indent, uint32_t depth, enum place place, put_fn put)
{
	line(p, indent, "if t:read_once(sim.c%u) %s %u then", draw(p, CELLS),
	     one_in(p, 2) ? "==" : "~=", draw(p, 3));
	put(p, indent + 1, depth + 1, place);
	line(p, indent, "end");
}

static void put_end_of_task(struct program *p, uint32_t nr)
{
	if (one_in(p, 2))
		line(p, 3, "t:assert(seen ~= %u, \"t%u saw it\")", draw(p, 4), nr);
	else
		line(p, 3, "t:assert(t:read_once(sim.c%u) ~= %u, \"t%u found it\")", draw(p, CELLS),
		     draw(p, 4), nr);
	line(p, 2, "end),");
}

/* @most: of operations of one task, if there are two */
static void put_tasks(struct program *p, uint32_t most, put_fn put)
{
	line(p, 1, "tasks = {");
	for (uint32_t i = 0; i < p->nr_tasks; i++) {
		uint32_t n = 1 + draw(p, p->nr_tasks == 2 ? most : MAX(most, p->nr_tasks) - 1);

		if (p->nr_tasks == 4)
			n = 1 + draw(p, 2);
		line(p, 2, "task(\"t%u\", { cpu = %u }, function(t, sim)", i,
		     p->nr_cpus == p->nr_tasks ? i : draw(p, p->nr_cpus));
		line(p, 3, "local seen = 0");
		for (uint32_t k = 0; k < n; k++)
			put(p, 3, 0, IN_TASK);
		put_end_of_task(p, i);
	}
	line(p, 1, "},");
	line(p, 0, "}");
}

static void begin_model(struct program *p)
{
	static const char *const preempt[] = {"full", "none", "voluntary"};

	line(p, 0, "return model {");
	line(p, 1, "cpus = %u,", p->nr_cpus);
	line(p, 1, "preempt = \"%s\",", preempt[draw(p, G_N_ELEMENTS(preempt))]);
	line(p, 1, "setup = function(sim)");
	for (uint32_t c = 0; c < CELLS; c++)
		line(p, 2, "sim.c%u = sim:cell(\"c%u\", 0)", c, c);
}

static void put_function(struct program *p, const char *head, const char *tail, enum place place,
			 put_fn put)
{
	bool was = p->atomic;

	line(p, 2, "%s", head);
	line(p, 3, "local seen");
	p->atomic = place == IN_CALLBACK;
	put(p, 3, 1, place);
	if (one_in(p, 2))
		put(p, 3, 1, place);
	p->atomic = was;
	line(p, 2, "%s", tail);
}

/* ---- CPUs that are shared ----------------------------------------------------------------- */

static void put_on_cpu(struct program *p, uint32_t indent, uint32_t depth, enum place place);

static void put_masks(struct program *p, uint32_t indent, uint32_t depth, enum place place)
{
	static const char *const enter[] = {"preempt_disable()", "local_bh_disable()",
					    "local_irq_disable()", "rcu_read_lock()"},
				 *const leave[] = {"preempt_enable()", "local_bh_enable()",
						   "local_irq_enable()", "rcu_read_unlock()"};
	uint32_t which = draw(p, G_N_ELEMENTS(enter));

	put_around(p, indent, depth, place, enter[which], leave[which], true, put_on_cpu);
}

static void put_locked(struct program *p, uint32_t indent, uint32_t depth, enum place place)
{
	uint32_t which = p->atomic ? 1 : draw(p, 2);

	if (p->locked & (1u << which)) {
		put_cell(p, indent);
		return;
	}
	p->locked |= 1u << which;
	put_around(p, indent, depth, place, which ? "lock(sim.s)" : "lock(sim.m)",
		   which ? "unlock(sim.s)" : "unlock(sim.m)", which, put_on_cpu);
	p->locked &= ~(1u << which);
}

static void put_waiting(struct program *p, uint32_t indent)
{
	if (p->atomic)
		put_cell(p, indent);
	else if (one_in(p, 2))
		line(p, indent, "t:wait_until(sim.c%u, %u)", draw(p, CELLS), 1 + draw(p, 2));
	else
		line(p, indent, "seen = t:wait_until(sim.c%u, function(v) return v %s %u end)",
		     draw(p, CELLS), one_in(p, 2) ? ">=" : "~=", 1 + draw(p, 2));
}

/* What runs elsewhere, later, on a CPU that somebody has already. */
static void put_deferred(struct program *p, uint32_t indent, enum place place)
{
	if (p->heavy == 0 || place != IN_TASK) {
		put_cell(p, indent);
		return;
	}
	p->heavy--;
	switch (draw(p, p->atomic ? 3 : 5)) {
	case 0:
		line(p, indent, "t:queue_work_on(%u, sim.wq, sim.w%u)", draw(p, p->nr_cpus),
		     draw(p, 2));
		break;
	case 1:
		line(p, indent, "t:queue_work(sim.wq, sim.w%u)", draw(p, 2));
		break;
	case 2:
		line(p, indent, "t:call_rcu(sim.callback)");
		break;
	case 3:
		line(p, indent, "t:%s(sim.w%u)", one_in(p, 2) ? "flush_work" : "cancel_work_sync",
		     draw(p, 2));
		break;
	default:
		line(p, indent, "t:synchronize_rcu()");
	}
}

static void put_on_cpu(struct program *p, uint32_t indent, uint32_t depth, enum place place)
{
	switch (draw(p, depth < DEPTH_MAX ? 16 : 4)) {
	case 3:
		put_waiting(p, indent);
		break;
	case 4:
	case 5:
	case 6:
		put_masks(p, indent, depth, place);
		break;
	case 7:
	case 8:
		put_locked(p, indent, depth, place);
		break;
	case 9:
		put_choice(p, indent, depth, place, put_on_cpu);
		break;
	case 10:
		put_if(p, indent, depth, place, put_on_cpu);
		break;
	case 11:
		put_waiting(p, indent);
		break;
	case 12:
	case 13:
		put_deferred(p, indent, place);
		break;
	default:
		put_cell(p, indent);
	}
}

void put_shared_cpus(struct program *p)
{
	p->nr_tasks = one_in(p, 6) ? 4 : 2 + draw(p, 2);
	p->nr_cpus = 1 + draw(p, MIN(p->nr_tasks, 3) - 1);
	p->heavy = draw(p, 3);
	begin_model(p);
	line(p, 2, "sim.m = sim:mutex(\"m\")");
	/* An interrupt or softirq may take it while its CPU has it, and wait for ever. */
	line(p, 2, "sim.s = sim:spinlock(\"s\"%s)", one_in(p, 2) ? ", { irqsafe = true }" : "");
	line(p, 2, "sim.wq = sim:workqueue(\"wq\"%s)", one_in(p, 3) ? ", { max_active = 1 }" : "");
	put_function(p, "sim.w0 = sim:work(\"w0\", function(t)", "end)", IN_WORK, put_on_cpu);
	put_function(p, "sim.w1 = sim:work(\"w1\", function(t)", "end)", IN_WORK, put_on_cpu);
	put_function(p, "sim.callback = function(t)", "end", IN_CALLBACK, put_on_cpu);
	line(p, 1, "end,");
	put_tasks(p, 3, put_on_cpu);
}

/* ---- waiting ------------------------------------------------------------------------------- */

static void put_wait_or_wake(struct program *p, uint32_t indent, uint32_t depth, enum place place);

static void put_sleep(struct program *p, uint32_t indent)
{
	uint32_t c = draw(p, CELLS), v = 1 + draw(p, 2);

	switch (draw(p, 7)) {
	case 0:
		line(p, indent, "t:prepare_to_wait(sim.q)");
		line(p, indent, "if t:read_once(sim.c%u) ~= %u then t:schedule() end", c, v);
		line(p, indent, "t:finish_wait(sim.q)");
		break;
	case 1:
		/* Who looks first may sleep through it. */
		line(p, indent, "if t:read_once(sim.c%u) ~= %u then", c, v);
		line(p, indent + 1, "t:prepare_to_wait(sim.q)");
		line(p, indent + 1, "t:schedule()");
		line(p, indent + 1, "t:finish_wait(sim.q)");
		line(p, indent, "end");
		break;
	case 2:
		line(p, indent,
		     "t:wait_event(sim.q, function() return t:read_once(sim.c%u) >= %u end)", c, v);
		break;
	case 3:
		line(p, indent, "t:wait_for_completion(sim.d)");
		break;
	case 4:
		line(p, indent, "t:wait(sim.e)");
		break;
	case 5:
		line(p, indent, "t:wait_until(sim.c%u, %u)", c, v);
		break;
	default:
		line(p, indent, "seen = t:wait_until(sim.c%u, function(v) return v >= %u end)", c,
		     v);
	}
}

static void put_wake(struct program *p, uint32_t indent, enum place place)
{
	switch (draw(p, place == IN_TASK ? 5 : 4)) {
	case 0:
		line(p, indent, "t:wake_up(sim.q)");
		break;
	case 1:
		line(p, indent, "t:complete(sim.d)");
		break;
	case 2:
		line(p, indent, "t:complete%s(sim.d)", one_in(p, 2) ? "_all" : "");
		break;
	case 3:
		line(p, indent, "t:write_once(sim.c%u, %u)", draw(p, CELLS), 1 + draw(p, 2));
		line(p, indent, "t:wake_up(sim.q)");
		break;
	default:
		line(p, indent, "t:signal(sim.e)");
	}
}

static void put_held(struct program *p, uint32_t indent, uint32_t depth, enum place place)
{
	if (p->locked & 1) {
		put_cell(p, indent);
		return;
	}
	p->locked |= 1;
	put_around(p, indent, depth, place, "lock(sim.m)", "unlock(sim.m)", false,
		   put_wait_or_wake);
	p->locked &= ~1u;
}

static void put_waker_elsewhere(struct program *p, uint32_t indent, enum place place)
{
	if (p->heavy == 0 || place != IN_TASK) {
		put_wake(p, indent, place);
		return;
	}
	p->heavy--;
	if (one_in(p, 2))
		line(p, indent, "t:queue_work_on(%u, sim.wq, sim.w)", draw(p, p->nr_cpus));
	else
		line(p, indent, "t:call_rcu(sim.callback)");
}

static void put_wait_or_wake(struct program *p, uint32_t indent, uint32_t depth, enum place place)
{
	switch (draw(p, depth < DEPTH_MAX ? 14 : 7)) {
	case 0:
	case 1:
	case 2:
		put_wake(p, indent, place);
		break;
	case 3:
	case 4:
	case 7:
	case 8:
		if (place == IN_TASK && !p->atomic)
			put_sleep(p, indent);
		else
			put_cell(p, indent);
		break;
	case 9:
		put_choice(p, indent, depth, place, put_wait_or_wake);
		break;
	case 10:
		put_if(p, indent, depth, place, put_wait_or_wake);
		break;
	case 11:
		if (place == IN_TASK)
			put_held(p, indent, depth, place);
		else
			put_cell(p, indent);
		break;
	case 12:
		put_waker_elsewhere(p, indent, place);
		break;
	default:
		put_cell(p, indent);
	}
}

void put_waits(struct program *p)
{
	p->nr_tasks = one_in(p, 4) ? 4 : 2 + draw(p, 2);
	p->nr_cpus = one_in(p, 2) ? p->nr_tasks : 1 + draw(p, p->nr_tasks - 1);
	p->heavy = one_in(p, 2) ? 1 : 0;
	begin_model(p);
	line(p, 2, "sim.m = sim:mutex(\"m\")");
	line(p, 2, "sim.q = sim:waitqueue(\"q\")");
	line(p, 2, "sim.d = sim:completion(\"d\")");
	line(p, 2, "sim.e = sim:event(\"e\")");
	line(p, 2, "sim.wq = sim:workqueue(\"wq\")");
	put_function(p, "sim.w = sim:work(\"w\", function(t)", "end)", IN_WORK, put_wait_or_wake);
	put_function(p, "sim.callback = function(t)", "end", IN_CALLBACK, put_wait_or_wake);
	line(p, 1, "end,");
	put_tasks(p, 3, put_wait_or_wake);
}

/* ---- locks --------------------------------------------------------------------------------- */

#define LOCK_DEPTH_MAX 3
#define NR_LOCKS 6

struct lock {
	const char *enter, *leave;
	bool atomic;
};

/* A semaphore can be had in two ways, but not inside itself. */
static const struct lock locks[NR_LOCKS] = {
	{"lock(sim.m0)", "unlock(sim.m0)", false},
	{"lock(sim.m1)", "unlock(sim.m1)", false},
	{"lock(sim.s0)", "unlock(sim.s0)", true},
	{"lock(sim.s1)", "unlock(sim.s1)", true},
	{"down_read(sim.r)", "up_read(sim.r)", false},
	{"down_write(sim.r)", "up_write(sim.r)", false},
};

static void put_locking(struct program *p, uint32_t indent, uint32_t depth, enum place place)
{
	uint32_t which = draw(p, NR_LOCKS), bits = which >= 4 ? 3u << 4 : 1u << which;

	if (depth >= LOCK_DEPTH_MAX || one_in(p, 3) || (p->locked & bits) ||
	    (p->atomic && !locks[which].atomic)) {
		if (depth < LOCK_DEPTH_MAX && one_in(p, 8))
			put_choice(p, indent, depth, place, put_locking);
		else if (depth < LOCK_DEPTH_MAX && one_in(p, 8))
			put_if(p, indent, depth, place, put_locking);
		else
			put_cell(p, indent);
		return;
	}
	p->locked |= bits;
	if (which < 4 && one_in(p, 4)) {
		bool was = p->atomic;

		line(p, indent, "if t:try%s then", locks[which].enter);
		p->atomic |= locks[which].atomic;
		put_locking(p, indent + 1, depth + 1, place);
		p->atomic = was;
		line(p, indent + 1, "t:%s", locks[which].leave);
		line(p, indent, "end");
	} else {
		put_around(p, indent, depth, place, locks[which].enter, locks[which].leave,
			   locks[which].atomic, put_locking);
	}
	p->locked &= ~bits;
}

void put_locks(struct program *p)
{
	p->nr_tasks = 2 + draw(p, 2);
	p->nr_cpus = one_in(p, 2) ? p->nr_tasks : 1 + draw(p, p->nr_tasks - 1);
	begin_model(p);
	for (uint32_t i = 0; i < 2; i++) {
		line(p, 2, "sim.m%u = sim:mutex(\"m%u\")", i, i);
		line(p, 2, "sim.s%u = sim:spinlock(\"s%u\"%s)", i, i,
		     one_in(p, 2) ? ", { irqsafe = true }" : "");
	}
	line(p, 2, "sim.r = sim:rwsem(\"r\")");
	line(p, 1, "end,");
	put_tasks(p, 2, put_locking);
}
