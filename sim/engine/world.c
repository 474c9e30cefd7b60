// SPDX-License-Identifier: GPL-2.0-only
#include "sim/engine/world.h"

#include <string.h>

/* What handlers of transitions may take past the memory limit before the run has stopped. */
#define ENVIRONMENT_RESERVE ((size_t)1 << 20)

const struct cost_info cost_infos[NR_COSTS] = {
#define COST(id, name, ns, jitter, doc) [COST_##id] = {name, ns, jitter, doc},
#include "sim/engine/costs.def"
#undef COST
};

/* ---- transitions --------------------------------------------------------- */

void transition_init(struct transition *tr, struct world *w, enum transition_kind kind, oid_t obj,
		     const char *what, void (*fire)(struct event *ev))
{
	memset(tr, 0, sizeof(*tr));
	tr->ev.fire = fire;
	tr->w = w;
	tr->obj = obj;
	tr->what = what;
	tr->kind = (uint8_t)kind;
}

oid_t transition_place(const struct transition *tr)
{
	return tr->obj ? tr->obj : UNBOUND_POOL;
}

static uint32_t pending_field(const char *what)
{
	uint32_t field = FIELD_PENDING;

	for (const char *c = what; *c; c++)
		field = FIELD_PENDING + ((field * 31 + (unsigned char)*c) & 0xffffff);
	return field;
}

static void touch_pending(const struct transition *tr, enum access_mode mode)
{
	if (tr->wanted)
		touch(tr->w, transition_place(tr), tr->field, mode);
}

void transition_want(struct transition *tr, vtime_t delay)
{
	if (!tr->wanted)
		tr->field = pending_field(tr->what);
	tr->wanted = true;
	touch_pending(tr, ACCESS_ADD);
	if (!tr->pending)
		transition_post(tr, delay);
}

static __attribute__((noinline)) void post_untimed(struct world *w, struct transition *tr)
{
	if (w->nr_pending == w->max_pending) {
		uint32_t max = w->max_pending * 2;
		struct transition **bigger = world_alloc(w, 2 * max * sizeof(*bigger));

		memcpy(bigger, w->pending, w->nr_pending * sizeof(*bigger));
		world_free(w, w->pending, 2 * w->max_pending * sizeof(*bigger));
		w->pending = bigger;
		w->enabled = bigger + max;
		w->max_pending = max;
	}
	tr->posted = w->nr_steps;
	w->pending[w->nr_pending++] = tr;
}

static inline void post(struct transition *tr, vtime_t delay)
{
	struct world *w = tr->w;
	vtime_t due = delay < VTIME_MAX - 1 - w->now ? w->now + delay : VTIME_MAX - 1;

	sim_assert(!tr->pending);
	tr->pending = true;
	if (!w->timed)
		post_untimed(w, tr);
	else if (!evq_post(&w->evq, &tr->ev, due))
		world_halt(w, STOP_MEMORY);
}

void transition_post(struct transition *tr, vtime_t delay)
{
	post(tr, delay);
}

/* Off the list of an untimed run, which keeps its order and is a few entries long. */
static void unlist(struct world *w, const struct transition *tr)
{
	struct transition **p = w->pending, **end = p + w->nr_pending;

	while (p < end && *p != tr)
		p++;
	sim_assert(p < end);
	for (end--; p < end; p++)
		p[0] = p[1];
	w->nr_pending--;
}

void transition_cancel(struct transition *tr)
{
	struct world *w = tr->w;

	touch_pending(tr, ACCESS_RMW);
	if (!tr->pending)
		return;
	tr->pending = false;
	if (w->timed)
		evq_cancel(&w->evq, &tr->ev);
	else
		unlist(w, tr);
}

static struct transition *transition_of(struct event *ev)
{
	return container_of(ev, struct transition, ev);
}

/* Of all transitions due at the same time, let choose() pick one and post the others again. */
static struct transition *pop_shuffled(struct world *w)
{
	struct event *tied[64];
	uint32_t n = 0, pick;

	while (n < 64 && (n == 0 || evq_next_due(&w->evq) == tied[0]->due)) {
		tied[n] = evq_pop(&w->evq);
		if (!tied[n])
			break;
		n++;
	}
	if (n == 0)
		return NULL;
	pick = world_choose(w, CHOOSE_STEP, n);
	for (uint32_t i = 0; i < n; i++) {
		if (i != pick)
			(void)evq_post(&w->evq, tied[i],
				       tied[i]->due); /* has room: it was just there */
	}
	return transition_of(tied[pick]);
}

static struct transition *pop_timed(struct world *w)
{
	vtime_t due = evq_next_due(&w->evq);

	if (due == VTIME_MAX)
		return NULL;
	if (due > w->config.time_max) {
		world_halt(w, STOP_TIME);
		return NULL;
	}
	/* Steps that took the quick way moved the clock past the queue's. */
	w->now = due;
	return w->config.shuffle_ties ? pop_shuffled(w) : transition_of(evq_pop(&w->evq));
}

static bool preemptible(const struct task *t);

bool cpu_open(const struct cpu *cpu)
{
	const struct task *t = cpu->cur;

	return !t || (preemptible(t) &&
		      (cpu->w->config.preempt == PREEMPT_FULL || t->in_user || t->gives_way));
}

struct task *transition_context(const struct transition *tr)
{
	if (tr->kind != TRANSITION_STEP)
		return NULL;
	if (tr->w->timed)
		return container_of(tr, struct cpu, step)->cur;
	return container_of(tr, struct task, timer);
}

static inline bool is_enabled(const struct transition *tr)
{
	const struct task *t;

	if (tr->kind != TRANSITION_STEP)
		return !tr->ready || tr->ready(tr);
	t = container_of(tr, struct task, timer);
	if (t->await.ready && !t->await.ready(t, t->await.arg))
		return false;
	return t->cpu->cur == t || cpu_open(t->cpu);
}

uint32_t world_enabled(struct world *w)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->nr_pending; i++) {
		if (is_enabled(w->pending[i]))
			w->enabled[n++] = w->pending[i];
	}
	return n;
}

static struct transition *pop_untimed(struct world *w)
{
	uint32_t n = world_enabled(w);
	struct transition *tr;

	if (n == 0)
		return NULL;
	tr = w->enabled[world_choose(w, CHOOSE_STEP, n)];
	unlist(w, tr);
	w->now++;
	return tr;
}

static void cpu_resume(struct cpu *cpu, vtime_t delay);
static void reap(struct world *w);

static void fire_timer(struct event *ev);
static struct task *timer_fired(struct world *w, struct task *t);

static void switch_to(struct task *t);

/*
 * Without full preemption a grace period may have to wait for whoever has the CPU, and
 * not for those who had to leave it: who stepped last counts.
 */
static void touch_current(struct cpu *cpu, enum access_mode mode)
{
	if (cpu->w->config.preempt != PREEMPT_FULL)
		touch(cpu->w, cpu->id, FIELD_CURRENT, mode);
}

/* With many tasks, all of them are out of the cache: have the next one's stack come meanwhile. */
static inline void prefetch_next(const struct world *w)
{
	const struct event *ev = w->timed ? evq_peek(&w->evq) : NULL;

	if (ev && ev->fire == fire_timer)
		fiber_prefetch(&container_of(ev, const struct task, timer.ev)->fiber);
}

/* Let @tr happen.  Return: the context that has to go on, NULL if it was the environment's. */
static struct task *happen(struct world *w, struct transition *tr)
{
	touch_pending(tr, ACCESS_RMW);
	tr->pending = false;
	if (tr->kind == TRANSITION_STEP) {
		w->running = transition_context(tr);
		if (!w->timed && w->running->cpu->cur != w->running)
			switch_to(w->running);
		else
			touch_current(w->running->cpu, ACCESS_READ);
		return w->running;
	}
	if (tr->ev.fire == fire_timer) {
		struct task *t = container_of(tr, struct task, timer);

		fiber_prefetch(&t->fiber);
		prefetch_next(w);
		return timer_fired(w, t);
	}
	tr->ev.fire(&tr->ev);
	return NULL;
}

/*
 * next_context() - let the environment act until some context has to go on
 *
 * Return: that context; NULL when nothing is left or the run has to stop.
 */
static struct task *next_context(struct world *w, bool once)
{
	w->running = NULL;
	while (!w->stop) {
		struct transition *tr = w->timed ? pop_timed(w) : pop_untimed(w);
		struct task *next;

		if (!tr)
			return NULL;
		if (++w->nr_steps > w->config.steps_max) {
			world_halt(w, STOP_STEPS);
			return NULL;
		}
		next = happen(w, tr);
		if (next || once)
			return next;
	}
	return NULL;
}

/* The context on the processor has no more to do for now: hand over to the next one. */
static inline __attribute__((always_inline)) void dispatch_from(struct task *t)
{
	struct world *w = t->w;
	struct task *next;

	/*
	 * Mostly a large stack has a guard page.  Its canary, far from what is in use, is
	 * looked at only when the task has ended.
	 */
	if ((t->stack_class == STACK_SMALL || t->state == TASK_DEAD) &&
	    !arena_stack_intact(t->fiber.stack))
		sim_assert(!"a fiber kept within its stack");
	/* The driver takes over when each step is its business, or a stack is to be given back. */
	if (w->to_driver || w->reap || w->stop) {
		fiber_switch(&t->fiber, &w->driver);
		return;
	}
	next = next_context(w, false);
	if (next != t)
		fiber_switch(&t->fiber, next ? &next->fiber : &w->driver);
}

bool world_step(struct world *w)
{
	struct task *next;
	uint64_t before = w->nr_steps;

	w->to_driver = true;
	reap(w);
	next = next_context(w, true);
	if (next)
		fiber_switch(&w->driver, &next->fiber);
	w->running = NULL;
	reap(w);
	return !w->stop && w->nr_steps != before;
}

bool world_take(struct world *w, struct transition *tr)
{
	struct task *next;

	sim_assert(!w->timed && tr->pending);
	if (w->stop)
		return false;
	if (++w->nr_steps > w->config.steps_max) {
		world_halt(w, STOP_STEPS);
		return false;
	}
	w->to_driver = true;
	unlist(w, tr);
	w->now++;
	next = happen(w, tr);
	if (next)
		fiber_switch(&w->driver, &next->fiber);
	w->running = NULL;
	reap(w);
	return !w->stop;
}

enum world_stop world_run(struct world *w)
{
	struct task *next;

	w->to_driver = false;
	while (!w->stop && (next = next_context(w, false)) != NULL) {
		fiber_switch(&w->driver, &next->fiber);
		reap(w);
	}
	w->running = NULL;
	return w->stop;
}

void world_halt(struct world *w, enum world_stop why)
{
	if (w->stop == STOP_NONE)
		w->stop = (uint8_t)why;
}

/* ---- the world ------------------------------------------------------------ */

static void fire_resched(struct event *ev);
static void fire_softirq(struct event *ev);
static bool softirq_may_arrive(const struct transition *tr);
static void no_fire(struct event *ev);

static void cpu_init(struct world *w, struct cpu *cpu, unsigned int nr)
{
	cpu->nr = nr;
	cpu->w = w;
	cpu->id = oid_make(OBJ_CPU, nr + 1);
	list_init(&cpu->run_queue);
	list_init(&cpu->irq_pending);
	transition_init(&cpu->step, w, TRANSITION_STEP, cpu->id, "step", no_fire);
	transition_init(&cpu->resched, w, TRANSITION_RESCHED, cpu->id, "resched", fire_resched);
	transition_init(&cpu->softirq, w, TRANSITION_IRQ, cpu->id, "softirq", fire_softirq);
	cpu->softirq.ready = softirq_may_arrive;
}

struct world *world_new(struct arena *a, const struct world_config *config, struct chooser *chooser,
			struct trace_sink *sink)
{
	size_t size = offsetof(struct world, cpus) + config->nr_cpus * sizeof(struct cpu);
	struct world *w;

	sim_assert(config->nr_cpus >= 1 && config->nr_cpus <= NR_CPUS_MAX);
	w = arena_alloc(a, size);
	if (!w)
		return NULL;
	w->arena = a;
	w->config = *config;
	w->timed = true;
	w->chooser = chooser;
	w->sink = sink;
	w->max_pending = 16;
	w->pending = arena_alloc(a, 2 * w->max_pending * sizeof(*w->pending));
	if (!w->pending)
		return NULL;
	w->enabled = w->pending + w->max_pending;
	evq_init(&w->evq, a);
	list_init(&w->tasks);
	rng_seed(&w->cost_rng, config->seed, "cost");
	for (int c = 0; c < NR_COSTS; c++) {
		w->cost[c] = cost_infos[c].ns;
		w->jitter[c] = (uint8_t)cost_infos[c].jitter;
	}
	for (unsigned int i = 0; i < config->nr_cpus; i++)
		cpu_init(w, &w->cpus[i], i);
	w->next_id[OBJ_CPU] = config->nr_cpus;
	return w;
}

void world_set_untimed(struct world *w)
{
	sim_assert(evq_len(&w->evq) == 0);
	w->timed = false;
	w->now = 0;
}

void *world_alloc(struct world *w, size_t size)
{
	void *p = arena_alloc(w->arena, size);

	if (p)
		return p;
	world_halt(w, STOP_MEMORY);
	/* A context stays suspended for good. */
	while (w->running)
		fiber_switch(&w->running->fiber, &w->driver);
	/* The environment cannot: it gets what it wants, and is not asked again. */
	w->arena->limit = w->arena->top + 2 * size + ENVIRONMENT_RESERVE;
	p = arena_alloc(w->arena, size);
	sim_assert(p);
	return p;
}

void world_free(struct world *w, void *p, size_t size)
{
	arena_free(w->arena, p, size);
}

oid_t world_new_id(struct world *w, enum object_kind kind)
{
	return oid_make(kind, ++w->next_id[kind]);
}

uint32_t world_choose(struct world *w, enum choice_kind kind, uint32_t n)
{
	uint32_t pick;

	sim_assert(n > 0);
	if (n == 1)
		return 0;
	pick = w->chooser->choose(w->chooser, w, kind, n);
	sim_assert(pick < n);
	return pick;
}

bool fault_point(struct task *t, const char *point)
{
	struct world *w = t->w;

	touch(w, FAULT_BUDGET, 0, ACCESS_READ);
	if (w->faults_left == 0 || world_choose(w, CHOOSE_FAULT, 2) == 0)
		return false;
	touch(w, FAULT_BUDGET, 0, ACCESS_RMW);
	w->faults_left--;
	trace(t, FAULT, .str = point);
	return true;
}

/* ---- trace ----------------------------------------------------------------- */

uint64_t trace_emit(struct world *w, struct task *t, struct cpu *cpu, enum trace_kind kind,
		    const struct trace_args *args)
{
	struct trace_record r = {
		.seq = ++w->nr_records,
		.t = w->config.count_steps ? w->nr_steps : w->now,
		.cause = args->cause,
		.obj = args->obj,
		.str = args->str,
		.kind = (uint16_t)kind,
		.cpu = cpu ? (uint8_t)cpu->nr : 0,
		.via = (uint8_t)args->via,
	};

	memcpy(r.arg, args->arg, sizeof(r.arg));
	if (t) {
		r.task = (uint32_t)oid_nr(t->id);
		r.ctx = t->ctx;
		r.stack = t->frames;
	}
	w->sink->record(w->sink, &r);
	return r.seq;
}

/* ---- contexts ------------------------------------------------------------- */

static void report_start(struct task *t)
{
	t->reported = true;
	trace(t, TASK_START, .obj = t->id, .arg = {t->cpu->nr}, .str = t->comm);
}

static void task_main(void *arg)
{
	struct task *t = arg;

	report_start(t);
	t->fn(t, t->arg);

	trace(t, TASK_EXIT, .obj = t->id);
	t->state = TASK_DEAD;
	if (t->ctx == CTX_TASK)
		t->w->nr_tasks_alive--;
	t->w->reap = t;
	task_block(t, 0, "exit");
	sim_assert(!"an ended context goes on");
}

static void fire_timer(struct event *ev)
{
	struct task *t = container_of(transition_of(ev), struct task, timer);

	task_wake(t, 0);
}

/*
 * Stacks lie whole pages apart.  If the hot ends of all of them had the same place in
 * a page, they would share a few sets of the cache.  A large one has room to begin lower.
 */
static size_t usable_stack(const struct task *t)
{
	size_t lines = t->stack_class == STACK_LARGE ? oid_nr(t->id) % 16 : 0;

	return arena_stack_size((enum stack_class)t->stack_class) - lines * 64;
}

struct task *task_new(struct world *w, struct cpu *cpu, const char *comm, enum ctx_kind ctx,
		      enum stack_class stack, void (*fn)(struct task *t, void *arg), void *arg)
{
	struct task *t = world_alloc(w, sizeof(*t));
	char *bottom = arena_stack_get(w->arena, stack);

	sim_assert(bottom);
	t->id = world_new_id(w, OBJ_TASK);
	t->w = w;
	t->cpu = cpu;
	t->comm = comm;
	t->fn = fn;
	t->arg = arg;
	t->ctx = (uint8_t)ctx;
	t->state = TASK_BLOCKED;
	t->stack_class = (uint8_t)stack;
	list_init(&t->run_node);
	list_init(&t->wait_node);
	list_init(&t->rcu_node);
	list_add_tail(&t->all_node, &w->tasks);
	transition_init(&t->timer, w, TRANSITION_TIMER, t->id, "timer", fire_timer);
	/* The canary keeps the lowest word. */
	fiber_init(&t->fiber, bottom, usable_stack(t), task_main, t);
	if (ctx == CTX_TASK)
		w->nr_tasks_alive++;
	return t;
}

static void reap(struct world *w)
{
	struct task *t = w->reap;

	if (!t)
		return;
	w->reap = NULL;
	list_del(&t->all_node);
	arena_stack_put(w->arena, t->stack_class, t->fiber.stack);
	t->fiber.stack = NULL;
}

/* ---- CPUs ------------------------------------------------------------------ */

static void no_fire(struct event *ev)
{
	(void)ev;
	sim_assert(!"steps are run by the dispatcher");
}

static void post_step(struct task *t)
{
	t->timer.kind = TRANSITION_STEP;
	transition_post(&t->timer, 0);
}

static void cpu_resume(struct cpu *cpu, vtime_t delay)
{
	if (cpu->w->timed)
		transition_post(&cpu->step, delay);
	else
		post_step(cpu->cur);
}

static bool preemptible(const struct task *t)
{
	return (t->ctx == CTX_TASK || t->ctx == CTX_KWORKER) && t->state == TASK_RUNNING &&
	       t->preempt_count == 0 && t->bh_off == 0 && t->irq_off == 0;
}

bool task_in_section(const struct task *t)
{
	return t->preempt_count > 0 || t->bh_off > 0 || t->irq_off > 0 || t->ctx == CTX_SOFTIRQ ||
	       t->ctx == CTX_HARDIRQ;
}

/* Somebody waits for this CPU: give the task that has it one more slice. */
static void want_resched(struct cpu *cpu)
{
	if (!cpu->resched.pending && !cpu->need_resched)
		transition_post(&cpu->resched, world_cost(cpu->w, COST_TIMESLICE));
}

/* @next gets @cpu, which nobody has.  Return: when, from now, it goes on. */
static inline vtime_t take_cpu(struct cpu *cpu, struct task *next)
{
	vtime_t delay = world_cost(cpu->w, COST_CONTEXT_SWITCH) + next->remaining;

	cpu->cur = next;
	cpu->need_resched = false;
	next->state = TASK_RUNNING;
	next->remaining = 0;
	return delay;
}

static void schedule_queued(struct cpu *cpu)
{
	struct task *next = container_of(list_pop(&cpu->run_queue), struct task, run_node);

	cpu->nr_queued--;
	cpu_resume(cpu, take_cpu(cpu, next));
	if (cpu->nr_queued > 0)
		want_resched(cpu);
	else
		transition_cancel(&cpu->resched);
}

/*
 * @cpu runs nothing: take the next task from its queue, or stay idle.  Whoever left
 * the queue last has cancelled the reschedule.  Untimed, each step is chosen, and
 * who takes it has the CPU.
 */
static inline void cpu_schedule(struct cpu *cpu)
{
	cpu->cur = NULL;
	cpu->need_resched = false;
	if (cpu->nr_queued > 0 && cpu->w->timed)
		schedule_queued(cpu);
}

static void queue_task(struct task *t)
{
	t->state = TASK_RUNNABLE;
	list_add_tail(&t->run_node, &t->cpu->run_queue);
	t->cpu->nr_queued++;
}

static void enqueue(struct task *t)
{
	struct cpu *cpu = t->cpu;

	if (!cpu->w->timed) {
		queue_task(t);
		post_step(t);
	} else if (!cpu->cur && cpu->nr_queued == 0) {
		cpu_resume(cpu, take_cpu(cpu, t));
	} else {
		queue_task(t);
		if (!cpu->cur)
			cpu_schedule(cpu);
		else
			want_resched(cpu);
	}
}

static void note_switch(struct cpu *cpu, struct task *prev)
{
	if (cpu->w->hooks.context_switch)
		cpu->w->hooks.context_switch(cpu, prev);
}

/* Untimed: @t, queued, takes the CPU from whoever has it. */
static void switch_to(struct task *t)
{
	struct cpu *cpu = t->cpu;
	struct task *prev = cpu->cur;

	if (prev) {
		trace_env(cpu->w, cpu, TASK_PREEMPT, .obj = prev->id);
		note_switch(cpu, prev);
		queue_task(prev);
	}
	list_del(&t->run_node);
	cpu->nr_queued--;
	t->state = TASK_RUNNING;
	cpu->cur = t;
	touch_current(cpu, ACCESS_WRITE);
	if (!t->in_user && cpu->w->config.preempt != PREEMPT_FULL)
		touch(cpu->w, cpu->id, FIELD_QUIESCENT, ACCESS_ADD);
}

static void note_section_left(struct cpu *cpu)
{
	if (cpu->w->hooks.section_left)
		cpu->w->hooks.section_left(cpu);
}

void task_set_user(struct task *t, bool user)
{
	t->in_user = user;
	if (!user)
		touch(t->w, t->cpu->id, FIELD_QUIESCENT, ACCESS_ADD);
	else
		note_section_left(t->cpu);
}

static inline void block(struct task *t, oid_t on, const char *why)
{
	struct cpu *cpu = t->cpu;

	sim_assert(cpu->cur == t);
	if (t->state != TASK_DEAD) {
		touch(t->w, t->id, FIELD_CURRENT, ACCESS_RMW);
		t->state = TASK_BLOCKED;
		t->blocked_on = on;
		trace(t, TASK_BLOCK, .obj = t->id, .arg = {(int64_t)on}, .str = why);
	}
	note_switch(cpu, t);
	cpu_schedule(cpu);
	dispatch_from(t);
}

void task_block(struct task *t, oid_t on, const char *why)
{
	block(t, on, why);
}

/* @t, which is blocked, has nothing to wait for any more. */
static inline void end_wait(struct task *t, uint64_t cause)
{
	t->cause = cause;
	t->blocked_on = 0;
	if (t->w->hooks.woken)
		t->w->hooks.woken(t);
	if (t->reported)
		trace_env(t->w, t->cpu, TASK_WAKE, .obj = t->id, .arg = {t->cpu->nr},
			  .cause = cause, .via = cause ? VIA_WAKE : VIA_NONE);
}

void task_wake(struct task *t, uint64_t cause)
{
	touch(t->w, t->id, FIELD_CURRENT, ACCESS_RMW);
	if (t->state != TASK_BLOCKED)
		return;
	end_wait(t, cause);
	enqueue(t);
}

/*
 * timer_fired() - @t has slept long enough
 *
 * In a timed run its step need not wait in the event queue if the CPU is idle and
 * nothing else is due before or when it has switched.
 *
 * Return: @t if it goes on at once, NULL if its step comes later.
 */
static struct task *timer_fired(struct world *w, struct task *t)
{
	struct cpu *cpu = t->cpu;
	vtime_t delay;

	if (!w->timed || w->to_driver || t->state != TASK_BLOCKED) {
		task_wake(t, 0);
		return NULL;
	}
	end_wait(t, 0);
	if (cpu->cur || cpu->nr_queued > 0) {
		enqueue(t);
		return NULL;
	}
	delay = take_cpu(cpu, t);
	if (w->stop || !passes_quickly(w, w->now + delay)) {
		cpu_resume(cpu, delay);
		return NULL;
	}
	w->nr_steps++;
	w->now += delay;
	w->running = t;
	return t;
}

void task_sleep(struct task *t, vtime_t ns)
{
	t->timer.kind = TRANSITION_TIMER;
	post(&t->timer, ns);
	block(t, 0, "sleep");
}

void task_spin(struct task *t, oid_t on)
{
	t->state = TASK_SPINNING;
	t->blocked_on = on;
	dispatch_from(t);
}

void task_await(struct task *t, enum cost c, bool (*ready)(const struct task *t, void *arg),
		void *arg, struct list *waiters, oid_t on, const char *why)
{
	if (t->w->timed) {
		sched_point(t, c);
		while (!ready(t, arg)) {
			list_add_tail(&t->wait_node, waiters);
			task_block(t, on, why);
		}
		return;
	}
	t->blocked_on = on;
	t->await = (struct await){ready, arg, why};
	sched_point(t, c);
	t->await.ready = NULL;
	t->blocked_on = 0;
}

void world_tell_waits(struct world *w)
{
	list_for_each(node, &w->tasks) {
		struct task *t = container_of(node, struct task, all_node);

		if (!t->await.ready || t->await.ready(t, t->await.arg))
			continue;
		if (oid_kind(t->blocked_on) == OBJ_LOCK)
			trace(t, LOCK_WAIT, .obj = t->blocked_on);
		if (t->await.why)
			trace(t, TASK_BLOCK, .obj = t->id, .arg = {(int64_t)t->blocked_on},
			      .str = t->await.why);
	}
}

void await_wake(struct world *w, struct list *waiters)
{
	struct list *node;

	while ((node = list_pop(waiters)) != NULL)
		task_wake(container_of(node, struct task, wait_node), w->nr_records);
}

void spin_release(struct task *t)
{
	sim_assert(t->state == TASK_SPINNING);
	t->state = TASK_RUNNING;
	t->blocked_on = 0;
	if (t->cpu->cur == t)
		cpu_resume(t->cpu, world_cost(t->w, COST_LOCK));
}

/* Move the task that has the CPU to the end of its queue; the CPU's step is not pending. */
static void preempt(struct cpu *cpu)
{
	struct task *t = cpu->cur;

	trace_env(cpu->w, cpu, TASK_PREEMPT, .obj = t->id);
	note_switch(cpu, t);
	queue_task(t);
	cpu_schedule(cpu);
}

static bool may_preempt_now(const struct cpu *cpu)
{
	const struct task *t = cpu->cur;

	return t && preemptible(t) && (cpu->w->config.preempt == PREEMPT_FULL || t->in_user);
}

static void fire_resched(struct event *ev)
{
	struct cpu *cpu = container_of(transition_of(ev), struct cpu, resched);

	if (list_empty(&cpu->run_queue))
		return;
	cpu->need_resched = true;
	if (may_preempt_now(cpu) && cpu->step.pending) {
		struct task *t = cpu->cur;

		if (cpu->step.ev.due > cpu->w->now)
			t->remaining = cpu->step.ev.due - cpu->w->now;
		transition_cancel(&cpu->step);
		preempt(cpu);
	}
}

/* @t has reached a point where it may be moved off its CPU. */
static void preempt_point(struct task *t)
{
	struct cpu *cpu = t->cpu;

	if (t->w->timed && cpu->need_resched && cpu->cur == t && preemptible(t)) {
		preempt(cpu);
		dispatch_from(t);
	}
}

void cond_resched(struct task *t)
{
	if (t->w->config.preempt == PREEMPT_FULL)
		return;
	if (t->w->timed) {
		preempt_point(t);
		return;
	}
	t->gives_way = true;
	sched_point(t, COST_ACCESS);
	t->gives_way = false;
}

/*
 * Untimed: is the step of @t, which has a CPU, all that can happen?  Then there is nothing to
 * choose, and nobody to go to in between.
 */
static inline bool is_alone(const struct world *w, const struct task *t)
{
	return !w->timed && w->nr_pending == 0 && !t->await.ready && !w->to_driver && !w->stop &&
	       w->nr_steps < w->config.steps_max;
}

void sched_point_slow(struct task *t, vtime_t due)
{
	struct cpu *cpu = t->cpu;

	sim_assert(cpu->cur == t && t->state == TASK_RUNNING);
	if (is_alone(t->w, t)) {
		t->w->nr_steps++;
		t->w->now++;
		touch_current(cpu, ACCESS_READ);
		return;
	}
	if (t->w->timed && cpu->need_resched && may_preempt_now(cpu)) {
		t->remaining = due - t->w->now;
		preempt(cpu);
	} else {
		cpu_resume(cpu, due - t->w->now);
	}
	dispatch_from(t);
}

/* ---- interrupts and softirqs ----------------------------------------------- */

static void park(struct task *t);

/* @on_top, an interrupt context, takes @cpu from whatever it runs. */
static void push(struct cpu *cpu, struct task *on_top)
{
	struct task *below = cpu->cur;

	if (below && cpu->step.pending) {
		if (cpu->step.ev.due > cpu->w->now)
			below->remaining = cpu->step.ev.due - cpu->w->now;
		transition_cancel(&cpu->step);
	}
	sim_assert(on_top->state == TASK_PARKED);
	on_top->below = below;
	on_top->state = TASK_RUNNING;
	cpu->cur = on_top;
	/* That it has arrived is known to nobody else before its first step. */
	touch(cpu->w, on_top->id, FIELD_CURRENT, ACCESS_RMW);
	touch(cpu->w, cpu->id, FIELD_QUIESCENT, ACCESS_ADD);
	cpu_resume(cpu, world_cost(cpu->w, COST_IRQ_ENTRY));
}

static bool irqs_on(const struct cpu *cpu)
{
	return !cpu->cur || (cpu->cur->ctx != CTX_HARDIRQ && cpu->cur->irq_off == 0);
}

/* Is some context on @cpu, interrupted or not, one that keeps softirqs out? */
static bool softirqs_on(const struct cpu *cpu)
{
	for (const struct task *t = cpu->cur; t; t = t->below) {
		if (t->ctx == CTX_SOFTIRQ || t->bh_off > 0)
			return false;
	}
	return true;
}

static void softirq_main(void *arg)
{
	struct task *t = arg;

	for (;;) {
		struct cpu *cpu = t->cpu;
		uint32_t pending;

		if (!t->reported)
			report_start(t);
		touch(t->w, cpu->id, FIELD_HELD_BACK, ACCESS_RMW);
		trace(t, SOFTIRQ_ENTRY, .obj = cpu->id);
		/* What is raised meanwhile makes another round, with its own entry. */
		for (pending = cpu->softirq_pending, cpu->softirq_pending = 0; pending;
		     pending &= pending - 1)
			t->w->hooks.softirq[__builtin_ctz(pending)](t);
		trace(t, SOFTIRQ_EXIT, .obj = cpu->id);
		park(t);
	}
}

static void hardirq_main(void *arg)
{
	struct task *t = arg;

	for (;;) {
		struct cpu *cpu = t->cpu;
		struct list *node;

		if (!t->reported)
			report_start(t);
		while ((node = list_pop(&cpu->irq_pending)) != NULL) {
			struct irq_action *irq = container_of(node, struct irq_action, node);
			uint64_t cause = irq->cause;

			irq->posted = false;
			trace(t, IRQ_ENTRY, .obj = cpu->id, .str = irq->name, .cause = cause,
			      .via = cause ? VIA_IPI : VIA_NONE);
			irq->handler(t, irq->arg);
			trace(t, IRQ_EXIT, .obj = cpu->id);
		}
		park(t);
	}
}

static struct task *irq_context(struct cpu *cpu, enum ctx_kind ctx, const char *comm,
				void (*entry)(void *arg))
{
	struct task *t = task_new(cpu->w, cpu, comm, ctx, STACK_LARGE, NULL, NULL);

	t->state = TASK_PARKED;
	fiber_init(&t->fiber, t->fiber.stack, t->fiber.size, entry, t);
	return t;
}

static void enter_softirq(struct cpu *cpu)
{
	if (!cpu->softirq_task)
		cpu->softirq_task = irq_context(cpu, CTX_SOFTIRQ, "softirq", softirq_main);
	push(cpu, cpu->softirq_task);
}

static void enter_hardirq(struct cpu *cpu)
{
	if (!cpu->hardirq_task)
		cpu->hardirq_task = irq_context(cpu, CTX_HARDIRQ, "irq", hardirq_main);
	push(cpu, cpu->hardirq_task);
}

/* Take what was held back, now that @cpu may: true if a new context is on top. */
static bool take_pending(struct cpu *cpu)
{
	/* Untimed, an arrival that must wait has not happened yet. */
	if (!cpu->w->timed || !irqs_on(cpu))
		return false;
	if (!list_empty(&cpu->irq_pending)) {
		enter_hardirq(cpu);
		return true;
	}
	if (cpu->softirq_pending && softirqs_on(cpu)) {
		enter_softirq(cpu);
		return true;
	}
	return false;
}

/* An interrupt context is done: go on with what it interrupted. */
static void park(struct task *t)
{
	struct cpu *cpu = t->cpu;
	struct task *below = t->below;

	t->state = TASK_PARKED;
	t->below = NULL;
	cpu->cur = below;
	if (!take_pending(cpu)) {
		if (!below) {
			note_switch(cpu, NULL);
			if (!cpu->cur)
				cpu_schedule(cpu);
		} else {
			note_section_left(cpu);
			/* Untimed, its step has stayed pending unless it was spinning. */
			if (below->state == TASK_RUNNING && !below->timer.pending) {
				cpu_resume(cpu, below->remaining);
				below->remaining = 0;
			}
		}
	}
	dispatch_from(t);
}

static bool softirq_may_arrive(const struct transition *tr)
{
	const struct cpu *cpu = container_of(tr, struct cpu, softirq);

	return cpu->softirq_pending && irqs_on(cpu) && softirqs_on(cpu);
}

static void fire_softirq(struct event *ev)
{
	struct cpu *cpu = container_of(transition_of(ev), struct cpu, softirq);

	touch(cpu->w, cpu->id, FIELD_HELD_BACK, ACCESS_READ);
	if (cpu->w->timed)
		take_pending(cpu);
	else
		enter_softirq(cpu);
}

void raise_softirq(struct cpu *cpu, enum softirq nr, vtime_t delay)
{
	touch(cpu->w, cpu->id, FIELD_HELD_BACK, ACCESS_ADD);
	cpu->softirq_pending |= 1u << nr;
	transition_want(&cpu->softirq, delay);
}

static bool irq_may_arrive(const struct transition *tr)
{
	return irqs_on(container_of(tr, struct irq_action, arrival)->cpu);
}

static void fire_irq(struct event *ev)
{
	struct irq_action *irq = container_of(transition_of(ev), struct irq_action, arrival);
	struct cpu *cpu = irq->cpu;

	/* A softirq cannot begin before it has ended. */
	touch(cpu->w, cpu->id, FIELD_HELD_BACK, ACCESS_RMW);
	list_add_tail(&irq->node, &cpu->irq_pending);
	if (cpu->w->timed)
		take_pending(cpu);
	else
		enter_hardirq(cpu);
}

void irq_post(struct irq_action *irq, struct cpu *cpu, const char *name,
	      void (*handler)(struct task *t, void *arg), void *arg, vtime_t delay, uint64_t cause)
{
	sim_assert(!irq->posted);
	irq->posted = true;
	irq->cpu = cpu;
	irq->name = name;
	irq->handler = handler;
	irq->arg = arg;
	irq->cause = cause;
	transition_init(&irq->arrival, cpu->w, TRANSITION_IRQ, cpu->id, name, fire_irq);
	irq->arrival.ready = irq_may_arrive;
	transition_post(&irq->arrival, delay);
}

/* ---- masking ----------------------------------------------------------------- */

/* A section of @t has ended: take what it held back, then see to preemption. */
static void section_end(struct task *t)
{
	struct cpu *cpu = t->cpu;

	note_section_left(cpu);
	if (cpu->cur == t && take_pending(cpu))
		dispatch_from(t);
	if (t->w->config.preempt == PREEMPT_FULL)
		preempt_point(t);
}

void preempt_disable(struct task *t)
{
	touch(t->w, t->cpu->id, FIELD_QUIESCENT, ACCESS_ADD);
	t->preempt_count++;
}

void preempt_enable(struct task *t)
{
	sim_assert(t->preempt_count > 0);
	if (--t->preempt_count == 0)
		section_end(t);
}

void local_irq_disable(struct task *t)
{
	touch(t->w, t->cpu->id, FIELD_QUIESCENT, ACCESS_ADD);
	t->irq_off++;
}

void local_irq_enable(struct task *t)
{
	sim_assert(t->irq_off > 0);
	if (--t->irq_off == 0)
		section_end(t);
}

void local_bh_disable(struct task *t)
{
	touch(t->w, t->cpu->id, FIELD_QUIESCENT, ACCESS_ADD);
	t->bh_off++;
}

void local_bh_enable(struct task *t)
{
	sim_assert(t->bh_off > 0);
	if (--t->bh_off == 0)
		section_end(t);
}
