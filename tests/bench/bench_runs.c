// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole runs of a scenario from where its tasks start, what a step of them costs,
 * and how long the program takes to start.  Runs and steps are counted in CPU
 * time of this process, restores and starts on the clock; medians everywhere.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lua/run.h"
#include "sim/engine/snapshot.h"
#include "tests/bench/program.h"

#define SCENARIO "scenarios/lifecycle/offline_vs_alloc.lua"

#define ROUNDS 7
#define RUNS 3000     /* of a scenario, per round */
#define STEPS 1000000 /* of bare tasks, per round */
#define STARTS 101    /* of the program */
#define STEP_TASKS 4

#define GOAL_RUNS 50000.0 /* per second; the frame allows 200,000 */
#define FRAME_RUNS 200000.0
#define GOAL_RESTORE_US 5.0
#define GOAL_START_MS 5.0

static bool missed;

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double cpu_time(void)
{
	return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

static const char *verdict(const char *what, double value, bool ok)
{
	if (ok)
		return "ok";
	missed = true;
	fprintf(stderr, "bench_runs: goal missed: %s is %.2f\n", what, value);
	return "MISSED";
}

static _Noreturn void give_up(const char *what, const char *why)
{
	fprintf(stderr, "bench_runs: %s: %s\n", what, why);
	exit(2);
}

/* The names of all checkers: the list that switches every one of them off. */
static const char *const *no_checkers(void)
{
	static const char *names[64];
	size_t n = 0;

	for (; all_checkers[n] && n < 63; n++)
		names[n] = all_checkers[n]->name;
	return names;
}

/* ---- whole runs --------------------------------------------------------------- */

struct figures {
	double runs;	       /* per second, the way back included */
	double restore;	       /* us */
	double steps, records; /* per run */
	size_t snapshot;       /* bytes */
};

static void run_once(struct run *run, struct figures *f)
{
	struct run_result result;
	GError *error = NULL;
	uint64_t steps = run->w->nr_steps, records = run->w->nr_records;

	if (!session_run(run, &result, &error))
		give_up(SCENARIO, error->message);
	/* A run that fails stops early or reports: its speed would say nothing. */
	if (result.verdict != VERDICT_PASS)
		give_up(SCENARIO, result.violations[0].text);
	f->steps += (double)(result.nr_steps - steps);
	f->records += (double)(result.nr_records - records);
}

static struct figures measure_runs(enum run_order order, const char *const *checks_off)
{
	static double restores[ROUNDS * RUNS];
	struct run_options opt = {
		.path = SCENARIO, .checks_off = checks_off, .seed = 1, .order = order};
	GError *error = NULL;
	struct run *run = session_open(&opt, NULL, &error);
	struct figures f = {0};
	double rates[ROUNDS];
	size_t n = 0;

	if (!run)
		give_up(SCENARIO, error->message);
	f.snapshot = snapshot_size(run->w);
	for (int round = 0; round < ROUNDS; round++) {
		double start = cpu_time();

		for (uint64_t seed = 0; seed < RUNS; seed++) {
			double t;

			run_once(run, &f);
			t = seconds(CLOCK_MONOTONIC);
			session_rewind(run, seed);
			restores[n++] = (seconds(CLOCK_MONOTONIC) - t) * 1e6;
		}
		rates[round] = RUNS / (cpu_time() - start);
	}
	session_close(run);
	f.runs = median(rates, ROUNDS);
	f.restore = median(restores, n);
	f.steps /= (double)n;
	f.records /= (double)n;
	return f;
}

static struct figures report_runs(const char *what, enum run_order order,
				  const char *const *checks_off)
{
	struct figures f = measure_runs(order, checks_off);

	printf("runs, %-22s %8.0f per s  %6.2f us each  %5.1f ns a step  %.0f steps  "
	       "%.0f records\n",
	       what, f.runs, 1e6 / f.runs, 1e9 / f.runs / f.steps, f.steps, f.records);
	fflush(stdout);
	return f;
}

static void whole_runs(void)
{
	struct figures f = report_runs("untimed, all checkers", ORDER_RANDOM, NULL);

	report_runs("untimed, no checker", ORDER_RANDOM, no_checkers());
	report_runs("timed, all checkers", ORDER_TIMED, NULL);
	report_runs("timed, no checker", ORDER_TIMED, no_checkers());
	printf("runs, goal %.0f per s (the frame allows %.0f, this is %.0f %% of it)  %s\n",
	       GOAL_RUNS, FRAME_RUNS, 100 * f.runs / FRAME_RUNS,
	       verdict("whole runs per second", f.runs, f.runs >= GOAL_RUNS));
	printf("restore of its world  %5.2f us  snapshot %zu bytes  goal %.1f us  %s\n", f.restore,
	       f.snapshot, GOAL_RESTORE_US,
	       verdict("restore in us", f.restore, f.restore <= GOAL_RESTORE_US));
	fflush(stdout);
}

/* ---- one step ------------------------------------------------------------------ */

struct stepper {
	struct trace_sink sink;
	struct chooser chooser;
	struct checkset *checks;
	struct rng rng;
	oid_t shared;
	uint64_t left;
};

static void feed_checkers(struct trace_sink *sink, const struct trace_record *r)
{
	checkset_record(container_of(sink, struct stepper, sink)->checks, r);
}

static uint32_t draw(struct chooser *c, struct world *w, enum choice_kind kind, uint32_t n)
{
	(void)w, (void)kind;
	return (uint32_t)rng_below(&container_of(c, struct stepper, chooser)->rng, n);
}

static void step_forever(struct task *t, void *arg)
{
	struct stepper *s = arg;

	for (;;) {
		sched_read(t, s->shared, 0, "bench.read");
		if (s->left-- == 0)
			world_halt(t->w, STOP_HOST);
	}
}

/* ns per step of tasks that each have a CPU, in an untimed world; @checks_off as in run_options */
static double time_steps(bool records, const char *const *checks_off)
{
	struct world_config config = {.nr_cpus = STEP_TASKS,
				      .preempt = PREEMPT_FULL,
				      .seed = 1,
				      .steps_max = UINT64_MAX,
				      .time_max = VTIME_MAX - 1,
				      .count_steps = true};
	static struct stepper s;
	struct arena *a = arena_map((size_t)64 << 20);
	struct world *w;
	double start;

	memset(&s, 0, sizeof(s));
	s.sink.record = feed_checkers;
	s.sink.mute[TR_ACCESS] = !records;
	s.chooser.choose = draw;
	s.checks = a ? checkset_new(a, checks_off) : NULL;
	w = s.checks ? world_new(a, &config, &s.chooser, &s.sink) : NULL;
	if (!w)
		give_up("a world", "no memory");
	rng_seed(&s.rng, 1, "steps");
	s.shared = world_new_id(w, OBJ_CELL);
	s.left = STEPS;
	world_set_untimed(w);
	for (unsigned int i = 0; i < STEP_TASKS; i++)
		task_wake(task_new(w, &w->cpus[i], "stepper", CTX_TASK, STACK_SMALL, step_forever,
				   &s),
			  0);
	start = cpu_time();
	world_run(w);
	start = cpu_time() - start;
	if (s.checks->nr_violations)
		give_up("bare steps", s.checks->violations[0].text);
	return start * 1e9 / STEPS;
}

static struct fiber host, other;

static void switch_back(void *arg)
{
	(void)arg;
	for (;;)
		fiber_switch(&other, &host);
}

static double time_switches(void)
{
	static char stack[16384] __attribute__((aligned(64)));
	double start;

	fiber_init(&other, stack, sizeof(stack), switch_back, NULL);
	start = cpu_time();
	for (int i = 0; i < STEPS / 2; i++)
		fiber_switch(&host, &other);
	return (cpu_time() - start) * 1e9 / STEPS;
}

static void steps(void)
{
	double bare[ROUNDS], silent[ROUNDS], recorded[ROUNDS], checked[ROUNDS], full, one;

	for (int i = 0; i < ROUNDS; i++) {
		bare[i] = time_switches();
		silent[i] = time_steps(false, no_checkers());
		recorded[i] = time_steps(true, no_checkers());
		checked[i] = time_steps(true, NULL);
	}
	one = median(bare, ROUNDS);
	full = median(checked, ROUNDS);
	printf("step: choice, access record, all checkers  %5.1f ns  %.1f bare switches\n", full,
	       full / one);
	printf("step: choice, access record                %5.1f ns\n", median(recorded, ROUNDS));
	printf("step: choice                               %5.1f ns\n", median(silent, ROUNDS));
	printf("bare fiber switch                          %5.1f ns\n", one);
	fflush(stdout);
}

/* ---- start-up ------------------------------------------------------------------- */

extern char **environ;

static double time_start(const char *program)
{
	char *argv[] = {(char *)program, (char *)"run", (char *)SCENARIO, (char *)"-q", NULL};
	posix_spawn_file_actions_t actions;
	double start;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	start = seconds(CLOCK_MONOTONIC);
	if (posix_spawn(&pid, program, &actions, NULL, argv, environ) != 0)
		give_up(program, "cannot be started");
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		give_up(program, "did not end with status 0");
	start = seconds(CLOCK_MONOTONIC) - start;
	posix_spawn_file_actions_destroy(&actions);
	return start * 1e3;
}

static void start_up(void)
{
	char program[4096];
	const char *wrong;
	double ms[STARTS], typical;

	wrong = find_program(program, sizeof(program));
	if (wrong)
		give_up(program, wrong);
	for (int i = 0; i < STARTS; i++)
		ms[i] = time_start(program);
	typical = median(ms, STARTS);
	printf("start-up: slabsim run %s, first to last  %5.2f ms  goal %.1f ms  %s\n", SCENARIO,
	       typical, GOAL_START_MS,
	       verdict("start-up in ms", typical, typical <= GOAL_START_MS));
}

int main(int argc, char **argv)
{
	/* For a profiler: nothing but runs. */
	if (argc == 2 && strcmp(argv[1], "runs") == 0) {
		report_runs("untimed, all checkers", ORDER_RANDOM, NULL);
		return 0;
	}
	whole_runs();
	steps();
	start_up();
	return missed ? 1 : 0;
}
