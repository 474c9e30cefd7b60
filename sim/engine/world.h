/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_ENGINE_WORLD_H
#define SIM_ENGINE_WORLD_H

/*
 * The world: CPUs, contexts and what may happen next.
 *
 * Whatever can come next is a transition: a CPU's next step, a timer, the end
 * of a grace period, an interrupt.  In a timed run transitions wait in the event
 * queue and the earliest comes next; in an untimed run they wait in a list and
 * choose() picks.  Nothing else differs between the two.
 *
 * A step is what a context does from one scheduling point to the next.
 * Scheduling points stand before shared accesses, in the primitives.
 *
 * A function whose first argument is a struct task runs on behalf of that task
 * and may switch contexts; state that it shares may have changed when it
 * returns.  A function that takes a struct world or struct cpu never switches.
 */

#include "sim/base/arena.h"
#include "sim/base/assert.h"
#include "sim/base/list.h"
#include "sim/base/rng.h"
#include "sim/engine/evq.h"
#include "sim/engine/fiber.h"
#include "sim/engine/trace.h"

#define NR_CPUS_MAX 64

struct world;
struct task;
struct cpu;

enum cost {
#define COST(id, name, ns, jitter, doc) COST_##id,
#include "sim/engine/costs.def"
#undef COST
	NR_COSTS,
};

struct cost_info {
	const char *name;
	vtime_t ns;	     /* default, virtual ns */
	unsigned int jitter; /* default, percent of ns, at most 100 */
	const char *doc;
};

extern const struct cost_info cost_infos[NR_COSTS];

enum preempt_model {
	PREEMPT_NONE,	   /* kernel code gives up the CPU only when it blocks */
	PREEMPT_VOLUNTARY, /* and at might_sleep() */
	PREEMPT_FULL,	   /* and anywhere that preemption is not disabled */
};

/* ---- transitions --------------------------------------------------------- */

enum transition_kind {
	TRANSITION_STEP,    /* a CPU's context goes on */
	TRANSITION_RESCHED, /* timed: a CPU is told to run somebody else */
	TRANSITION_TIMER,   /* a sleep ends */
	TRANSITION_IRQ,	    /* an interrupt arrives */
	TRANSITION_ENV,	    /* grace-period engine, worker pools */
};

struct transition {
	struct event ev;
	struct world *w;
	oid_t obj; /* whom it is about: with @kind and @what its name in a schedule */
	const char *what;
	uint64_t posted; /* untimed: the step that made it pending, counted by world.nr_steps */
	uint32_t field;	 /* of transition_place(): whether it is pending; once @wanted */
	uint8_t kind;	 /* enum transition_kind */
	bool pending;
	bool wanted; /* posted by transition_want() alone */
	bool (*ready)(
		const struct transition *tr); /* untimed: NULL, or it waits until this holds */
};

void transition_init(struct transition *tr, struct world *w, enum transition_kind kind, oid_t obj,
		     const char *what, void (*fire)(struct event *ev));

/** transition_context() - the context that would step, NULL if it is the environment's */
struct task *transition_context(const struct transition *tr);

/** transition_post() - let @tr happen @delay ns from now, or whenever it is chosen */
void transition_post(struct transition *tr, vtime_t delay);
void transition_cancel(struct transition *tr);

/**
 * transition_want() - make @tr pending unless it is
 *
 * Any one of those who want it is enough, and their order is no matter.
 */
void transition_want(struct transition *tr, vtime_t delay);

/** transition_place() - the object that transition_want() touches, in transition.field */
oid_t transition_place(const struct transition *tr);

/* ---- choices ------------------------------------------------------------- */

enum choice_kind {
	CHOOSE_STEP,   /* which pending transition comes next */
	CHOOSE_FAULT,  /* 1: the allocation fails */
	CHOOSE_CPU,    /* which CPU an unbound work item runs on */
	CHOOSE_SCRIPT, /* choice() in a scenario */
	NR_CHOICE_KINDS,
};

/* The strategy: lives outside the world and is never restored with it. */
struct chooser {
	uint32_t (*choose)(struct chooser *c, struct world *w, enum choice_kind kind, uint32_t n);
};

/**
 * world_choose() - the only source of nondeterminism
 * @n: number of alternatives, at least 1
 *
 * Return: a number below @n; 0 without asking when there is only one.
 */
uint32_t world_choose(struct world *w, enum choice_kind kind, uint32_t n);

/**
 * world_enabled() - untimed: what can come next, in the order it became pending
 *
 * Return: how many there are; they stand in w->enabled[] until the next step.
 */
uint32_t world_enabled(struct world *w);

/**
 * world_take() - untimed: let @tr, which is enabled, happen, and nothing else
 *
 * Return: false when the run had to stop.
 */
bool world_take(struct world *w, struct transition *tr);

/* ---- contexts ------------------------------------------------------------ */

enum task_state {
	TASK_RUNNING,  /* on its CPU, or interrupted there */
	TASK_RUNNABLE, /* waits on its CPU's run queue */
	TASK_BLOCKED,  /* until task_wake() */
	TASK_SPINNING, /* keeps its CPU busy until spin_release() */
	TASK_PARKED,   /* an interrupt context with nothing to do */
	TASK_DEAD,
};

struct await {
	bool (*ready)(const struct task *t, void *arg); /* NULL: no need to wait */
	void *arg;
	const char *why;
};

struct task {
	/* What going to sleep and waking up need comes first, in few cache lines. */
	struct transition timer; /* untimed, its step as well: it never waits for both */
	struct fiber fiber;
	struct world *w;
	struct cpu *cpu;
	uint8_t ctx;   /* enum ctx_kind */
	uint8_t state; /* enum task_state */
	uint8_t stack_class;
	bool in_user;				 /* between two operations of a scenario */
	bool gives_way;				 /* untimed: it stands in cond_resched() */
	bool reported;				 /* TR_TASK_START was emitted */
	uint16_t preempt_count, irq_off, bh_off; /* nesting depths */
	vtime_t remaining; /* ns of the current step left when it was interrupted */
	uint64_t cause;	   /* record that made it runnable */
	oid_t blocked_on;
	oid_t id;
	const struct frame *frames; /* simulated call stack, innermost first */
	const char *comm;
	void (*fn)(struct task *t, void *arg);
	void *arg;
	struct task *below;    /* the context that this one interrupted */
	struct list run_node;  /* on its CPU's run queue */
	struct list wait_node; /* on whatever it waits for */
	struct list all_node;  /* on the world's list of contexts that have a stack */
	uint64_t wait_arg;     /* for the primitive that it waits in */
	struct await await;    /* untimed: what its next step has to wait for */
	/* sim/kernel/rcu.h */
	struct list rcu_node;
	uint16_t rcu_nesting;
	bool rcu_blocks_gp;
	/* sim/mm/charge.h */
	bool memalloc_nofs;	    /* its allocations must not enter a file system */
	uint16_t gfp;		    /* what its allocations may do */
	int64_t nr_pages_over_high; /* charged past memory.high in this system call */
	int64_t reclaimed_slab;	    /* slab pages that it has freed */
	/* sim/mm/cgroup.h */
	void *cgroup, *siglock;
	void *active_memcg;  /* pays for allocations in place of its own; the caller pins it */
	void *objcg;	     /* kept for the next allocation */
	bool objcg_is_new;   /* nobody has moved the task since it was looked up */
	uint32_t css_set_nr; /* counts the changes of its cgroup's memcg that it was told of */
	/* sim/kernel/workqueue.h */
	void *worker;
};

struct irq_action {
	struct list node;
	struct transition arrival;
	struct cpu *cpu;
	const char *name;
	void (*handler)(struct task *t, void *arg); /* in hard interrupt context */
	void *arg;
	uint64_t cause;
	bool posted;
};

enum softirq { SOFTIRQ_RCU, NR_SOFTIRQS };

struct cpu {
	struct transition step;
	struct task *cur; /* innermost context, NULL when idle */
	uint32_t nr_queued;
	bool need_resched;
	struct world *w;
	struct list run_queue;
	oid_t id;
	unsigned int nr;
	struct transition resched, softirq;
	struct task *softirq_task, *hardirq_task;
	uint32_t softirq_pending; /* bit per enum softirq */
	struct list irq_pending;  /* struct irq_action, arrived while masked */
};

/* What upper layers want to know; filled by sim/kernel. */
struct world_hooks {
	/* @prev, a task, leaves @cpu or @cpu passes through idle: a quiescent state */
	void (*context_switch)(struct cpu *cpu, struct task *prev);
	/* a section ended on @cpu, or its task went back to user mode: it may be quiescent */
	void (*section_left)(struct cpu *cpu);
	/* @t, blocked until now, is runnable again */
	void (*woken)(struct task *t);
	void (*softirq[NR_SOFTIRQS])(struct task *t);
};

struct trace_sink {
	void (*record)(struct trace_sink *sink, const struct trace_record *r);
	bool mute[NR_TRACE_KINDS]; /* kinds that it does not want; they are numbered all the same */
};

enum world_stop {
	STOP_NONE,
	STOP_STEPS,  /* step limit */
	STOP_TIME,   /* virtual time limit */
	STOP_MEMORY, /* arena limit */
	STOP_HOST,   /* world_stop(): the script failed, or the user interrupted */
};

struct world_config {
	unsigned int nr_cpus; /* 1 .. NR_CPUS_MAX */
	enum preempt_model preempt;
	uint64_t seed;
	uint64_t steps_max;
	vtime_t time_max;
	bool shuffle_ties;
	bool count_steps;  /* records tell steps instead of virtual ns: for runs that end untimed */
	bool no_user_mode; /* tasks of a small model are in the kernel between operations, too */
};

struct world {
	struct arena *arena;
	struct world_config config;
	bool timed;	/* else untimed: pending[] and choose() */
	bool to_driver; /* come back to world_step()'s caller after every step */
	uint8_t stop;	/* enum world_stop */
	vtime_t now;	/* untimed: number of steps */
	uint64_t nr_steps, nr_records;
	struct evq evq;
	struct transition **pending, **enabled; /* both have max_pending places */
	uint32_t nr_pending, max_pending;
	struct task *running; /* context whose step is being run, NULL for the environment */
	struct task *reap;    /* ended, its stack not yet given back */
	struct list tasks;    /* task.all_node: whose stacks a snapshot has to keep */
	struct fiber driver;
	uint64_t next_id[NR_OBJECT_KINDS];
	vtime_t cost[NR_COSTS];
	uint8_t jitter[NR_COSTS];
	struct rng cost_rng;
	uint32_t faults_left;	 /* allocation failures that may still be injected */
	uint32_t nr_tasks_alive; /* scenario tasks, not kworkers or interrupts */
	struct world_hooks hooks;
	void *kernel; /* struct kernel, sim/kernel */
	void *mm;     /* struct mm, sim/mm */
	/* Outside the arena and the same in every state of a run. */
	struct chooser *chooser;
	struct trace_sink *sink;
	struct step_log *log; /* what the steps touch; NULL when nobody wants to know */
	bool trace_accesses;
	struct cpu cpus[NR_CPUS_MAX]; /* there is memory for config.nr_cpus of them */
};

/**
 * world_new() - an empty world in @a with idle CPUs, timed
 *
 * Return: the world; NULL when @a is too small for it.
 */
struct world *world_new(struct arena *a, const struct world_config *config, struct chooser *chooser,
			struct trace_sink *sink);

/**
 * world_run() - let everything happen until nothing is left or the run is stopped
 *
 * Context: on the host's stack.
 * Return: STOP_NONE when the world is quiescent.
 */
enum world_stop world_run(struct world *w);

/** world_step() - run exactly one transition; false when none is left or the run is stopped */
bool world_step(struct world *w);

/** world_set_untimed() - from now on choose() decides; the world must be quiescent */
void world_set_untimed(struct world *w);

/** world_halt() - stop the run after the current step, for @why */
void world_halt(struct world *w, enum world_stop why);

/**
 * world_alloc() - arena memory for the model
 *
 * At the limit the run stops: on behalf of a context this then does not return;
 * the environment gets its memory all the same.
 */
void *world_alloc(struct world *w, size_t size);
void world_free(struct world *w, void *p, size_t size);

/** world_new_id() - name a new object */
oid_t world_new_id(struct world *w, enum object_kind kind);

/** world_cost() - virtual ns of one @c, jitter included */
static inline vtime_t world_cost(struct world *w, enum cost c)
{
	vtime_t ns = w->cost[c];
	uint64_t spread = ns * w->jitter[c] / 100;

	if (spread == 0)
		return ns;
	return ns - spread + rng_below(&w->cost_rng, 2 * spread + 1);
}

/**
 * task_new() - a context that runs @fn(t, @arg) on @cpu and then ends
 * @comm: borrowed; in the arena or static
 * @ctx: CTX_TASK or CTX_KWORKER
 *
 * It is blocked until task_wake().
 */
struct task *task_new(struct world *w, struct cpu *cpu, const char *comm, enum ctx_kind ctx,
		      enum stack_class stack, void (*fn)(struct task *t, void *arg), void *arg);

/** task_block() - give up the CPU until task_wake(); @why "idle" is no wait that anybody misses */
void task_block(struct task *t, oid_t on, const char *why);

/** task_wake() - make a blocked context runnable; nothing happens if it is not blocked */
void task_wake(struct task *t, uint64_t cause);

/** task_sleep() - block for @ns of virtual time */
void task_sleep(struct task *t, vtime_t ns);

/** task_spin() - keep the CPU busy until spin_release(); interrupts may come if enabled */
void task_spin(struct task *t, oid_t on);
void spin_release(struct task *t);

/**
 * task_await() - a scheduling point that is passed once @ready holds
 * @ready: looks at shared state and changes nothing
 * @waiters: where the task queues in a timed run; whoever makes @ready true calls await_wake()
 *
 * Waiting and going on are one step: in an untimed run the step cannot be chosen
 * before.  The CPU is kept, so nothing that @ready waits for may need it.  @why is
 * NULL for who spins: he waits, but does not block.
 */
void task_await(struct task *t, enum cost c, bool (*ready)(const struct task *t, void *arg),
		void *arg, struct list *waiters, oid_t on, const char *why);
void await_wake(struct world *w, struct list *waiters);

/** world_tell_waits() - nothing is left to happen: record what each task_await() waits for */
void world_tell_waits(struct world *w);

/** cond_resched() - let somebody else run if one was waiting long enough */
void cond_resched(struct task *t);

void preempt_disable(struct task *t);
void preempt_enable(struct task *t);
void local_irq_disable(struct task *t);
void local_irq_enable(struct task *t);
void local_bh_disable(struct task *t);
void local_bh_enable(struct task *t);

/** cpu_open() - untimed: may some other task have @cpu now? */
bool cpu_open(const struct cpu *cpu);

/** task_set_user() - @t leaves the kernel (or enters it, if !@user) between two operations */
void task_set_user(struct task *t, bool user);

/** task_in_section() - is @t where an old sched-flavour grace period must wait for it? */
bool task_in_section(const struct task *t);

/** raise_softirq() - run the vector on @cpu, @delay ns from now at the earliest */
void raise_softirq(struct cpu *cpu, enum softirq nr, vtime_t delay);

/** irq_post() - interrupt @cpu @delay ns from now; @irq is owned by the caller until it has run */
void irq_post(struct irq_action *irq, struct cpu *cpu, const char *name,
	      void (*handler)(struct task *t, void *arg), void *arg, vtime_t delay, uint64_t cause);

/* Timed: is nothing else due before or at @due, and no limit either? */
static inline bool passes_quickly(struct world *w, vtime_t due)
{
	return due < evq_next_due(&w->evq) && due <= w->config.time_max &&
	       w->nr_steps < w->config.steps_max;
}

/** sched_point() - somebody else may run before what the caller does next, which costs @c */
void sched_point_slow(struct task *t, vtime_t due);

static inline void sched_point(struct task *t, enum cost c)
{
	struct world *w = t->w;

	/* The quick way out: nothing else is due before this step has ended. */
	if (w->timed && !t->cpu->need_resched && !w->to_driver) {
		vtime_t due = w->now + world_cost(w, c);

		if (passes_quickly(w, due)) {
			w->nr_steps++;
			w->now = due;
			return;
		}
		sched_point_slow(t, due);
		return;
	}
	sched_point_slow(t, w->now + (w->timed ? world_cost(w, c) : 0));
}

/* ---- shared accesses ----------------------------------------------------- */

/*
 * Additions to a sum commute with each other, not with reading it.  That and two
 * reads are all that two steps may do to one field if their order is not to matter.
 *
 * ACCESS_ADD_LAST is an addition after which another one would be something else:
 * whoever was found to add there before, and did not, has to be asked again.
 */
enum access_mode { ACCESS_READ, ACCESS_WRITE, ACCESS_RMW, ACCESS_ADD, ACCESS_ADD_LAST };

/* Fields that objects have besides those that their own layer numbers from 0. */
enum {
	FIELD_LIFE = 0xff00, /* written by allocation and release, read by any other touch */
	FIELD_LOCK,
	FIELD_REF,	  /* a reference counter's value */
	FIELD_REF_PERCPU, /* and the part of it that lies with the CPUs */
	FIELD_REF_WAY,	  /* how it counts: mode, dead or not */
	FIELD_QUEUE,	  /* what waits in it, in which order */
	FIELD_CURRENT,	  /* a task: whether it waits; a CPU: whom it runs */
	FIELD_HELD_BACK,  /* a CPU: interrupts and softirqs to come */
	FIELD_POOL,	  /* a CPU: its workers and their work */
	FIELD_QUIESCENT,  /* a CPU: that a section may have begun on it */
	FIELD_REF_PUTS,	  /* puts that left something, for gets that depend on that */
	FIELD_REF_BASE,	  /* what keeps it from zero, whatever gets and puts do */
	FIELD_TURN,	  /* a CPU: who may step on it; a search adds that to what a step touched */
	FIELD_PENDING = 0xf000000, /* of a transition: its name's digest is added */
	FIELD_NUMBERED = 0x10000,  /* an array: the element's number is added */
};

/* Objects without a name of their own. */
#define FAULT_BUDGET oid_make(OBJ_GLOBAL, 0)
#define UNBOUND_POOL oid_make(OBJ_WQ, 0)
#define SCRIPT_RANDOM oid_make(OBJ_CELL, 0)

struct touch {
	oid_t obj;
	uint32_t field;
	uint32_t mode; /* enum access_mode */
};

/* On the host, owned by whoever explores and emptied by him before each step. */
struct step_log {
	struct touch *touches;
	uint32_t nr, max;
	bool overflow; /* it touched more than there is room for: anything */
};

/** touch() - note that the current step uses @field of @obj */
static inline void touch(struct world *w, oid_t obj, uint32_t field, enum access_mode mode)
{
	struct step_log *log = w->log;

	if (!log)
		return;
	if (log->nr < log->max)
		log->touches[log->nr++] = (struct touch){obj, field, (uint32_t)mode};
	else
		log->overflow = true;
}

/**
 * sched_access() - scheduling point, then a record of what the caller touches
 * @field: which part of @obj, numbered by the object's layer
 * @site: "function.step", unique and stable: orderings name it
 */
static inline void trace_access(struct task *t, oid_t obj, unsigned int field,
				enum access_mode mode, const char *site);

static inline void sched_access(struct task *t, oid_t obj, unsigned int field,
				enum access_mode mode, const char *site)
{
	sched_point(t, mode == ACCESS_RMW ? COST_ATOMIC : COST_ACCESS);
	trace_access(t, obj, field, mode, site);
}

static inline void sched_read(struct task *t, oid_t obj, unsigned int field, const char *site)
{
	sched_access(t, obj, field, ACCESS_READ, site);
}

static inline void sched_write(struct task *t, oid_t obj, unsigned int field, const char *site)
{
	sched_access(t, obj, field, ACCESS_WRITE, site);
}

/**
 * fault_point() - may this allocation fail?
 *
 * Return: true if the caller must behave as if memory had run out.
 */
bool fault_point(struct task *t, const char *point);

/* ---- trace --------------------------------------------------------------- */

/*
 * trace() - emit a record on behalf of @t
 *
 * Return: its seq, for later records to name as their cause.
 */
struct trace_args {
	oid_t obj;
	int64_t arg[TRACE_NR_ARGS];
	const char *str;
	uint64_t cause;
	enum via via;
};

uint64_t trace_emit(struct world *w, struct task *t, struct cpu *cpu, enum trace_kind kind,
		    const struct trace_args *args);

#define trace(t, kind, ...)                                                                        \
	((t)->w->sink->mute[TR_##kind] ? ++(t)->w->nr_records                                      \
				       : trace_emit((t)->w, (t), (t)->cpu, TR_##kind,              \
						    &(struct trace_args){__VA_ARGS__}))

/* The same for the environment: no context; @cpu may be NULL. */
#define trace_env(w, cpu, kind, ...)                                                               \
	((w)->sink->mute[TR_##kind]                                                                \
		 ? ++(w)->nr_records                                                               \
		 : trace_emit((w), NULL, (cpu), TR_##kind, &(struct trace_args){__VA_ARGS__}))

static inline void trace_access(struct task *t, oid_t obj, unsigned int field,
				enum access_mode mode, const char *site)
{
	touch(t->w, obj, field, mode);
	trace(t, ACCESS, .obj = obj, .arg = {field, mode}, .str = site);
}

/* ---- simulated call stacks ------------------------------------------------ */

struct frame_scope {
	struct frame frame;
	struct task *t;
};

static inline void frame_leave(struct frame_scope *scope)
{
	scope->t->frames = scope->frame.caller;
}

static inline void frame_enter(struct frame_scope *scope)
{
	const struct frame *frame = &scope->frame;

	/* The pointer is taken back before the frame ends: keep gcc from thinking it dangles. */
	__asm__("" : "+r"(frame));
	scope->t->frames = frame;
}

/* FRAME(): first statement of a model function that stands for a kernel function. */
#define FRAME_NAMED(task, name)                                                                    \
	struct frame_scope frame_scope                                                             \
		__attribute__((cleanup(frame_leave))) = {{(name), (task)->frames}, (task)};        \
	frame_enter(&frame_scope)
#define FRAME(task) FRAME_NAMED(task, __func__)

#endif /* SIM_ENGINE_WORLD_H */
