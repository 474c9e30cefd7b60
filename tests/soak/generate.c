// SPDX-License-Identifier: GPL-2.0-only
#include "tests/soak/generate.h"

#include "tests/soak/program.h"

const char *const program_kind_names[NR_PROGRAM_KINDS] = {
	[PROGRAM_MODEL] = "model",	 [PROGRAM_LIFECYCLE] = "lifecycle",
	[PROGRAM_REFCOUNT] = "refcount", [PROGRAM_COPIES] = "copies",
	[PROGRAM_CPUS] = "cpus",	 [PROGRAM_WAITS] = "waits",
	[PROGRAM_LOCKS] = "locks",
};

void line(struct program *p, uint32_t indent, const char *fmt, ...)
{
	va_list args;

	g_string_append_printf(p->out, "%*s", (int)(2 * indent), "");
	va_start(args, fmt);
	g_string_append_vprintf(p->out, fmt, args);
	va_end(args);
	g_string_append_c(p->out, '\n');
}

/* ---- small models ------------------------------------------------------------------------- */

static void put_operation(struct program *p, uint32_t indent, uint32_t depth);

void put_cell(struct program *p, uint32_t indent)
{
	uint32_t c = draw(p, CELLS), v = 1 + draw(p, 2);

	switch (draw(p, 9)) {
	case 0:
	case 1:
		line(p, indent, "t:write_once(sim.c%u, %u)", c, v);
		break;
	case 2:
		line(p, indent, "seen = t:read_once(sim.c%u)", c);
		break;
	case 3:
		line(p, indent, "t:atomic_inc(sim.c%u)", c);
		break;
	case 4:
		line(p, indent, "seen = t:atomic_add(sim.c%u, %u)", c, v);
		break;
	case 5:
		line(p, indent, "seen = t:cmpxchg(sim.c%u, %u, %u)", c, draw(p, 2), v);
		break;
	case 6:
		line(p, indent, "t:store(sim.c%u, t:load(sim.c%u) + 1)", c, c);
		break;
	case 7:
		line(p, indent, "seen = t:inc_not_zero(sim.c%u) and 1 or 0", c);
		break;
	default:
		line(p, indent, "seen = t:xchg(sim.c%u, %u)", c, v);
	}
}

static void put_section(struct program *p, uint32_t indent, uint32_t depth, const char *enter,
			const char *leave, bool atomic)
{
	bool was = p->atomic;

	line(p, indent, "t:%s", enter);
	p->atomic |= atomic;
	put_operation(p, indent, depth + 1);
	p->atomic = was;
	line(p, indent, "t:%s", leave);
}

static void put_lock(struct program *p, uint32_t indent, uint32_t depth, uint32_t bit)
{
	if (p->locked & bit || (bit == 1 && p->atomic)) {
		put_cell(p, indent);
		return;
	}
	p->locked |= bit;
	if (bit == 1)
		put_section(p, indent, depth, "lock(sim.m)", "unlock(sim.m)", false);
	else
		put_section(p, indent, depth, "lock(sim.s)", "unlock(sim.s)", true);
	p->locked &= ~bit;
}

static void put_branch(struct program *p, uint32_t indent, uint32_t depth)
{
	line(p, indent, "if t:read_once(sim.c%u) == %u then", draw(p, CELLS), draw(p, 3));
	put_operation(p, indent + 1, depth + 1);
	line(p, indent, "end");
}

static void put_wait(struct program *p, uint32_t indent)
{
	uint32_t c = draw(p, CELLS), v = 1 + draw(p, 2);

	if (p->atomic)
		put_cell(p, indent);
	else if (one_in(p, 2))
		line(p, indent, "t:wait_until(sim.c%u, %u)", c, v);
	else
		line(p, indent, "seen = t:wait_until(sim.c%u, function(v) return v >= %u end)", c,
		     v);
}

static void put_rcu(struct program *p, uint32_t indent)
{
	if (p->heavy == 0) {
		put_cell(p, indent);
		return;
	}
	p->heavy--;
	if (p->atomic || one_in(p, 2))
		line(p, indent, "t:call_rcu(function(t) t:%s end)",
		     one_in(p, 2) ? "atomic_inc(sim.c0)" : "write_once(sim.c1, 2)");
	else
		line(p, indent, "t:synchronize_rcu()");
}

static void put_work(struct program *p, uint32_t indent)
{
	if (p->heavy == 0) {
		put_cell(p, indent);
		return;
	}
	p->heavy--;
	p->work = true;
	if (p->atomic || !one_in(p, 3))
		line(p, indent, "t:queue_work(sim.wq, sim.w)");
	else
		line(p, indent, one_in(p, 2) ? "t:flush_work(sim.w)" : "t:cancel_work_sync(sim.w)");
}

static void put_ref(struct program *p, uint32_t indent, uint32_t depth)
{
	if (p->heavy == 0) {
		put_cell(p, indent);
		return;
	}
	p->heavy--;
	p->ref = true;
	if (!p->killed && !p->atomic && one_in(p, 2)) {
		p->killed = true;
		line(p, indent, "t:percpu_ref_kill(sim.r)");
		return;
	}
	line(p, indent, "if t:percpu_ref_tryget%s(sim.r) then", one_in(p, 2) ? "_live" : "");
	put_operation(p, indent + 1, depth + 1);
	line(p, indent + 1, "t:percpu_ref_put(sim.r)");
	line(p, indent, "end");
}

static void put_masked(struct program *p, uint32_t indent, uint32_t depth)
{
	switch (draw(p, 3)) {
	case 0:
		put_section(p, indent, depth, "preempt_disable()", "preempt_enable()", true);
		break;
	case 1:
		put_section(p, indent, depth, "local_bh_disable()", "local_bh_enable()", true);
		break;
	default:
		put_section(p, indent, depth, "local_irq_disable()", "local_irq_enable()", true);
	}
}

static void put_operation(struct program *p, uint32_t indent, uint32_t depth)
{
	uint32_t what = depth < DEPTH_MAX ? draw(p, 16) : 0;

	switch (what) {
	case 6:
	case 7:
		put_lock(p, indent, depth, 1);
		break;
	case 8:
		put_lock(p, indent, depth, 2);
		break;
	case 9:
		put_section(p, indent, depth, "rcu_read_lock()", "rcu_read_unlock()", true);
		break;
	case 10:
		put_branch(p, indent, depth);
		break;
	case 11:
		put_wait(p, indent);
		break;
	case 12:
		put_rcu(p, indent);
		break;
	case 13:
		put_work(p, indent);
		break;
	case 14:
		put_ref(p, indent, depth);
		break;
	case 15:
		put_masked(p, indent, depth);
		break;
	default:
		put_cell(p, indent);
	}
}

static void put_model_task(struct program *p, uint32_t nr, uint32_t nr_cpus)
{
	/* The more tasks, the shorter: full search is to end, mostly. */
	uint32_t n = p->nr_tasks == 2 ? 2 + draw(p, 3) : 1 + draw(p, 5 - p->nr_tasks);

	line(p, 2, "task(\"t%u\", { cpu = %u }, function(t, sim)", nr,
	     nr_cpus == p->nr_tasks ? nr : draw(p, nr_cpus));
	line(p, 3, "local seen = 0");
	for (uint32_t i = 0; i < n; i++)
		put_operation(p, 3, 0);
	if (one_in(p, 2))
		line(p, 3, "t:assert(seen ~= %u, \"t%u saw it\")", draw(p, 4), nr);
	else
		line(p, 3, "t:assert(t:read_once(sim.c%u) ~= %u, \"t%u found it\")", draw(p, CELLS),
		     draw(p, 4), nr);
	line(p, 2, "end),");
}

static void put_model(struct program *p)
{
	static const char *const preempt[] = {"full", "full", "full", "full", "none", "voluntary"};
	uint32_t nr_cpus;

	p->nr_tasks = one_in(p, 8) ? 4 : 2 + draw(p, 2);
	p->heavy = draw(p, 3);
	p->irqsafe = one_in(p, 2);
	nr_cpus = one_in(p, 3) ? 1 + draw(p, p->nr_tasks - 1) : p->nr_tasks;
	line(p, 0, "return model {");
	line(p, 1, "cpus = %u,", nr_cpus);
	line(p, 1, "preempt = \"%s\",", preempt[draw(p, G_N_ELEMENTS(preempt))]);
	line(p, 1, "setup = function(sim)");
	for (uint32_t c = 0; c < CELLS; c++)
		line(p, 2, "sim.c%u = sim:cell(\"c%u\", 0)", c, c);
	line(p, 2, "sim.m = sim:mutex(\"m\")");
	line(p, 2, "sim.s = sim:spinlock(\"s\"%s)", p->irqsafe ? ", { irqsafe = true }" : "");
	line(p, 2, "sim.wq = sim:workqueue(\"wq\"%s)", one_in(p, 2) ? ", { unbound = true }" : "");
	line(p, 2, "sim.w = sim:work(\"w\", function(t)");
	line(p, 3, "local seen");
	put_cell(p, 3);
	line(p, 2, "end)");
	line(p, 2, "sim.r = sim:percpu_ref(\"r\", function(t) t:write_once(sim.c1, 1) end)");
	line(p, 1, "end,");
	line(p, 1, "tasks = {");
	for (uint32_t i = 0; i < p->nr_tasks; i++)
		put_model_task(p, i, nr_cpus);
	line(p, 1, "},");
	line(p, 0, "}");
}

/* ---- copies ------------------------------------------------------------------------------- */

static void put_own(struct program *p, uint32_t indent)
{
	switch (draw(p, 6)) {
	case 0:
		line(p, indent, "t:write_once(mine, %u)", draw(p, 3));
		break;
	case 1:
		line(p, indent, "t:write_once(mine, t:read_once(sim.c%u))", draw(p, CELLS));
		break;
	case 2:
		line(p, indent, "seen = t:atomic_inc(mine)");
		break;
	case 3:
		line(p, indent, "if t:trylock(lock) then t:unlock(lock) else seen = 3 end");
		break;
	case 4:
		line(p, indent, "t:lock(lock)");
		put_cell(p, indent);
		line(p, indent, "t:unlock(lock)");
		break;
	default:
		line(p, indent, "t:write_once(sim.c%u, t:read_once(mine))", draw(p, CELLS));
	}
}

static void put_shared(struct program *p, uint32_t indent)
{
	switch (draw(p, 8)) {
	case 0:
	case 1:
		line(p, indent, "t:lock(sim.m)");
		put_cell(p, indent);
		/* Now and then one keeps it, and who waits for it waits for ever. */
		if (!one_in(p, 5))
			line(p, indent, "t:unlock(sim.m)");
		break;
	case 2:
		line(p, indent, "if t:trylock(sim.m) then t:unlock(sim.m) else seen = 3 end");
		break;
	case 3:
		put_wait(p, indent);
		break;
	default:
		put_cell(p, indent);
	}
}

static void put_copied_task(struct program *p, const char *name, bool copied)
{
	uint32_t n = 1 + draw(p, copied ? 3 : 2);

	line(p, copied ? 4 : 2, "task(\"%s\", function(t, sim)", name);
	line(p, 5, "local seen = 0");
	for (uint32_t i = 0; i < n; i++) {
		if (copied && one_in(p, 2))
			put_own(p, 5);
		else
			put_shared(p, 5);
	}
	line(p, 5, "t:assert(seen ~= %u, \"%s saw it\")", draw(p, 4), name);
	line(p, copied ? 4 : 2, "end),");
}

static void put_copies(struct program *p)
{
	uint32_t n = 2 + draw(p, 2);
	bool pairs = n == 2 && one_in(p, 3), other = one_in(p, 2);

	line(p, 0, "return model {");
	line(p, 1, "cpus = 6,");
	line(p, 1, "setup = function(sim)");
	for (uint32_t c = 0; c < CELLS; c++)
		line(p, 2, "sim.c%u = sim:cell(\"c%u\", 0)", c, c);
	line(p, 2, "sim.m = sim:mutex(\"m\")");
	line(p, 1, "end,");
	line(p, 1, "tasks = {");
	line(p, 2, "copies(%u, function(sim)", n);
	line(p, 3, "local mine, lock = sim:cell(\"mine\", 1), sim:mutex(\"lock\")");
	line(p, 3, "return {");
	put_copied_task(p, "a", true);
	if (pairs)
		put_copied_task(p, "b", true);
	line(p, 3, "}");
	line(p, 2, "end),");
	if (other)
		put_copied_task(p, "other", false);
	line(p, 1, "},");
	line(p, 0, "}");
}

/* ---- counters of references -------------------------------------------------------------- */

static void put_counting(struct program *p, uint32_t indent, uint32_t depth);

/* What comes of the last put; now and then nobody notices. */
static void put_last(struct program *p, uint32_t indent)
{
	if (one_in(p, 3))
		line(p, indent, "t:write_once(sim.c1, 1)");
	else if (one_in(p, 2))
		line(p, indent, "t:kfree(sim.c0)");
	else
		line(p, indent, "t:atomic_inc(sim.c0)");
}

static void put_drop(struct program *p, uint32_t indent)
{
	line(p, indent, "if t:refcount_dec_and_test(sim.r) then");
	put_last(p, indent + 1);
	line(p, indent, "end");
}

static void put_pinned(struct program *p, uint32_t indent, uint32_t depth)
{
	line(p, indent, "if t:refcount_inc_not_zero(sim.r) then");
	if (one_in(p, 2))
		put_counting(p, indent + 1, depth + 1);
	if (!one_in(p, 6))
		put_drop(p, indent + 1);
	line(p, indent, "end");
}

/* Three steps each, so there are fewer of them. */
static void put_percpu(struct program *p, uint32_t indent)
{
	if (p->heavy == 0) {
		put_pinned(p, indent, DEPTH_MAX);
		return;
	}
	p->heavy--;
	p->ref = true;
	switch (draw(p, 4)) {
	case 0:
		line(p, indent, "if t:percpu_ref_tryget(sim.p) then t:percpu_ref_put(sim.p) end");
		break;
	case 1:
		line(p, indent, "seen = t:percpu_ref_is_zero(sim.p) and 1 or 2");
		break;
	default:
		line(p, indent, "t:percpu_ref_put(sim.p)");
	}
}

static void put_counting(struct program *p, uint32_t indent, uint32_t depth)
{
	switch (draw(p, depth < DEPTH_MAX ? 14 : 8)) {
	case 0:
	case 1:
		put_drop(p, indent);
		break;
	case 2:
		line(p, indent, "t:refcount_inc(sim.r)");
		break;
	case 3:
		line(p, indent, "seen = t:refcount_read(sim.r)");
		break;
	case 4:
		line(p, indent, "t:write_once(sim.c1, %u)", draw(p, 3));
		break;
	case 5:
		line(p, indent, "seen = t:read_once(sim.c%u)", draw(p, CELLS));
		break;
	case 6:
	case 7:
		put_percpu(p, indent);
		break;
	case 8:
		/* Handed over: who puts is not who got. */
		line(p, indent, "if t:read_once(sim.c1) == %u then", draw(p, 3));
		put_counting(p, indent + 1, depth + 1);
		line(p, indent, "end");
		break;
	default:
		put_pinned(p, indent, depth);
	}
}

static void put_counting_task(struct program *p, uint32_t nr, uint32_t nr_cpus)
{
	uint32_t n = p->nr_tasks == 2 ? 1 + draw(p, 3) : 1 + draw(p, 5 - p->nr_tasks);

	line(p, 2, "task(\"t%u\", { cpu = %u }, function(t, sim)", nr,
	     nr_cpus == p->nr_tasks ? nr : draw(p, nr_cpus));
	line(p, 3, "local seen = 0");
	for (uint32_t i = 0; i < n; i++)
		put_counting(p, 3, 0);
	line(p, 3, "t:assert(seen ~= %u, \"t%u saw it\")", draw(p, 4), nr);
	line(p, 2, "end),");
}

static void put_refcounts(struct program *p)
{
	uint32_t nr_cpus, pinned;

	p->nr_tasks = one_in(p, 3) ? 4 : 2 + draw(p, 2);
	p->heavy = one_in(p, 2) ? 1 + draw(p, 3) : 0;
	nr_cpus = one_in(p, 4) ? 1 + draw(p, p->nr_tasks - 1) : p->nr_tasks;
	pinned = draw(p, 4);
	line(p, 0, "return model {");
	line(p, 1, "cpus = %u,", nr_cpus);
	line(p, 1, "setup = function(sim, opt, t)");
	for (uint32_t c = 0; c < CELLS; c++)
		line(p, 2, "sim.c%u = sim:cell(\"c%u\", 0)", c, c);
	line(p, 2, "sim.r = sim:refcount(\"r\"%s)", one_in(p, 5) ? ", 2" : "");
	line(p, 2, "sim.p = sim:percpu_ref(\"p\", function(t) t:write_once(sim.c1, 2) end)");
	/* By the time that the tasks begin it counts atomically. */
	if (pinned > 0)
		line(p, 2, "t:percpu_ref_get(sim.p, %u)", pinned);
	if (!one_in(p, 4))
		line(p, 2, "t:percpu_ref_kill(sim.p)");
	line(p, 1, "end,");
	line(p, 1, "tasks = {");
	for (uint32_t i = 0; i < p->nr_tasks; i++)
		put_counting_task(p, i, nr_cpus);
	line(p, 1, "},");
	line(p, 0, "}");
}

/* ---- lifecycle scenarios ------------------------------------------------------------------ */

static void put_lifecycle_operation(struct program *p)
{
	switch (draw(p, 12)) {
	case 0:
	case 1:
	case 2:
		line(p, 3, "held[#held + 1] = t:alloc(sim.slab)");
		break;
	case 3:
	case 4:
		line(p, 3, "if #held > 0 then t:free(table.remove(held)) end");
		break;
	case 5:
		line(p, 3, "if t:charge(sim.box, 1) then t:uncharge(sim.box, 1) end");
		break;
	case 6:
		line(p, 3, "t:mkdir(\"d\")");
		break;
	case 7:
		line(p, 3, "t:rmdir(sim.box)");
		break;
	case 8:
		line(p, 3, "t:offline(sim.box)");
		break;
	case 9:
		line(p, 3, "t:shrink(sim.slab)");
		break;
	case 10:
		line(p, 3, "t:synchronize_rcu()");
		break;
	default:
		line(p, 3, "t:attach(%s)", one_in(p, 2) ? "sim.box" : "sim.root");
	}
}

static void put_lifecycle(struct program *p)
{
	uint32_t nr_cpus = 1 + draw(p, 2);

	p->nr_tasks = 2;
	line(p, 0, "return scenario {");
	line(p, 1, "cpus = %u,", nr_cpus);
	line(p, 1, "preempt = \"%s\",", one_in(p, 3) ? "none" : "full");
	line(p, 1, "setup = function(sim)");
	line(p, 2, "sim.box = sim:cgroup(\"box\")");
	line(p, 2, "sim.slab = sim:cache(\"slab\", { object_size = 1024, objects_per_slab = 2%s })",
	     one_in(p, 4) ? ", account = false" : "");
	if (one_in(p, 2))
		line(p, 2, "sim:create_child(sim.slab, sim.box)");
	line(p, 1, "end,");
	line(p, 1, "tasks = {");
	for (uint32_t i = 0; i < p->nr_tasks; i++) {
		uint32_t n = 1 + draw(p, i == 0 ? 2 : 1);

		line(p, 2, "task(\"t%u\", { cpu = %u%s }, function(t, sim)", i, i % nr_cpus,
		     one_in(p, 2) ? ", cgroup = \"box\"" : "");
		line(p, 3, "local held = {}");
		for (uint32_t k = 0; k < n; k++)
			put_lifecycle_operation(p);
		line(p, 3, "while #held > 0 do t:free(table.remove(held)) end");
		line(p, 2, "end),");
	}
	line(p, 1, "},");
	line(p, 0, "}");
}

char *generate(enum program_kind kind, guint64 seed)
{
	struct program p = {.out = g_string_new(NULL)};

	rng_seed(&p.rng, seed, program_kind_names[kind]);
	line(&p, 0, "-- %s %" G_GUINT64_FORMAT ", generated by tests/soak/generate.c",
	     program_kind_names[kind], seed);
	switch (kind) {
	case PROGRAM_MODEL:
		put_model(&p);
		break;
	case PROGRAM_REFCOUNT:
		put_refcounts(&p);
		break;
	case PROGRAM_COPIES:
		put_copies(&p);
		break;
	case PROGRAM_CPUS:
		put_shared_cpus(&p);
		break;
	case PROGRAM_WAITS:
		put_waits(&p);
		break;
	case PROGRAM_LOCKS:
		put_locks(&p);
		break;
	default:
		put_lifecycle(&p);
	}
	return g_string_free(p.out, FALSE);
}
