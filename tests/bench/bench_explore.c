// SPDX-License-Identifier: GPL-2.0-only
/*
 * What exploring costs, and that it covers what it says: the model of a cache's shutdown with N
 * allocators and K allocations each, written (N,K); the bugs of the first posting; and Spin on
 * the same model.  It is scenarios/models/cache_shutdown.lua, and with copies that can be
 * exchanged cache_shutdown_copies.lua.
 *
 * Each question is answered by a process of its own, so that its memory is its own.
 * CPU time where nothing else is said.  BENCH_LONG=1 asks what takes minutes as well.
 */
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lua/scenario.h"
#include "sim/explore/schedule/minimise.h"
#include "tests/bench/measure.h"
#include "tests/bench/program.h"

#define MODEL "scenarios/models/cache_shutdown.lua"
#define LIFECYCLE "scenarios/lifecycle/"

#define ROUNDS 3
#define WHOLE_LIFE_SEEDS 16 /* each of them may take seconds */
#define SEEDS 20
#define STARTS 21

struct question {
	const char *path;
	const char *variant; /* NULL: those of the lifecycle; else this one alone */
	const char *set;     /* a parameter, besides those of the model; may be NULL */
	int n, k, bug;	     /* of the model; n 0: none */
	bool refcount;	     /* it counts its references in a refcount */
	int split;	     /* a tryget takes several steps: see the model */
	struct explore_options opt;
	bool minimise;
};

struct answer {
	bool ok, found, complete;
	struct explore_stats stats;
	double cpu, wall;   /* s */
	double found_after; /* s on the clock */
	uint64_t found_in;  /* which execution */
	struct minimise_result shorter;
	uint32_t steps; /* of what was found, minimised if asked for */
	long peak_kib;	/* of the whole process */
};

static bool missed, bench_long;

static _Noreturn void give_up(const char *what, const char *why)
{
	fprintf(stderr, "bench_explore: %s: %s\n", what, why);
	exit(2);
}

static double clock_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void print_line(const char *what, double value, const char *unit, const char *goal, bool ok)
{
	printf("%-46s %12.6g %-14s goal %-10s %s\n", what, value, unit, goal, ok ? "ok" : "MISSED");
	fflush(stdout);
	if (ok)
		return;
	missed = true;
	fprintf(stderr, "bench_explore: goal missed: %s: %.6g %s, goal %s\n", what, value, unit,
		goal);
}

static void at_least(const char *what, double value, const char *unit, double goal)
{
	char text[32];

	snprintf(text, sizeof(text), ">= %.6g", goal);
	print_line(what, value, unit, text, value >= goal);
}

static void at_most(const char *what, double value, const char *unit, double goal)
{
	char text[32];

	snprintf(text, sizeof(text), "<= %.6g", goal);
	print_line(what, value, unit, text, value <= goal);
}

/* ---- questions and answers ------------------------------------------------------- */

static void note_finding(struct subject *s, const struct question *q, struct answer *a,
			 const struct explore_result *result)
{
	const struct minimise_options how = {.proof_steps = 1000000};
	const struct finding *f;
	struct finding *shorter;
	GError *error = NULL;

	a->found = result->findings->len > 0;
	if (!a->found)
		return;
	f = g_ptr_array_index(result->findings, 0);
	a->found_in = f->run;
	a->found_after = f->seconds;
	a->steps = f->nr_steps;
	if (!q->minimise)
		return;
	shorter = minimise(s, f, &how, &a->shorter, &error);
	if (!shorter)
		give_up(q->path, error->message);
	a->steps = shorter->nr_steps;
	finding_free(shorter);
}

static void explore_it(const struct question *q, struct answer *a)
{
	char n[16], k[16], bug[16];
	const char *sets[6] = {NULL}, *variants[] = {"none", q->variant, NULL};
	struct run_options opt = {.path = q->path,
				  .sets = sets,
				  .variants = q->variant ? variants : NULL,
				  .seed = 1,
				  .order = ORDER_RANDOM};
	struct explore_result result;
	GError *error = NULL;
	struct run *run;
	size_t nr = 0;

	if (q->n) {
		snprintf(n, sizeof(n), "n=%d", q->n);
		snprintf(k, sizeof(k), "k=%d", q->k);
		snprintf(bug, sizeof(bug), "bug=%d", q->bug);
		sets[nr++] = n;
		sets[nr++] = k;
		if (q->bug)
			sets[nr++] = bug;
	}
	if (q->refcount)
		sets[nr++] = "refcount=true";
	if (q->split)
		sets[nr++] = q->split == 1 ? "split=1" : "split=2";
	sets[nr] = q->set;
	run = session_open(&opt, NULL, &error);
	if (!run)
		give_up(q->path, error->message);
	a->cpu = cpu_seconds();
	a->wall = clock_seconds();
	explore(session_subject(run), &q->opt, &result);
	a->cpu = cpu_seconds() - a->cpu;
	a->wall = clock_seconds() - a->wall;
	if (result.error)
		give_up(q->path, result.error->message);
	a->stats = result.stats;
	a->complete = result.end == END_COMPLETE;
	note_finding(session_subject(run), q, a, &result);
	a->ok = true;
}

static struct answer ask(const struct question *q)
{
	struct answer a = {0};
	struct rusage usage;
	int ends[2], status;
	ssize_t got;
	pid_t pid;

	fflush(NULL);
	if (pipe(ends) != 0 || (pid = fork()) < 0)
		give_up(q->path, "no process for it");
	if (pid == 0) {
		explore_it(q, &a);
		got = write(ends[1], &a, sizeof(a));
		_exit(got == sizeof(a) ? 0 : 2);
	}
	close(ends[1]);
	got = read(ends[0], &a, sizeof(a));
	close(ends[0]);
	if (wait4(pid, &status, 0, &usage) != pid || status != 0 || got != sizeof(a) || !a.ok)
		give_up(q->path, "its process died");
	a.peak_kib = usage.ru_maxrss;
	return a;
}

static int by_cpu(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;

	return compare_doubles(&x->cpu, &y->cpu);
}

/* What takes so little that once is luck: the median answer. */
static struct answer ask_often(const struct question *q)
{
	struct answer answers[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		answers[i] = ask(q);
	qsort(answers, ROUNDS, sizeof(*answers), by_cpu);
	return answers[ROUNDS / 2];
}

static struct answer ask_model(int n, int k, int bug, struct explore_options opt)
{
	const struct question q = {.path = MODEL, .n = n, .k = k, .bug = bug, .opt = opt};

	return ask(&q);
}

/* ---- what is covered ------------------------------------------------------------- */

/* Counts on which TLC, Stateright (states) and Nidhugg (traces) agree. */
static const struct {
	int n, k;
	uint64_t states, traces; /* 0: not known, or out of reach */
	bool is_long;		 /* the traces */
} counts[] = {
	{1, 1, 64, 4, false},	     {1, 2, 0, 8, false},	  {2, 1, 549, 28, false},
	{2, 2, 1892, 385, false},    {2, 3, 0, 5320, false},	  {3, 1, 4865, 416, false},
	{3, 2, 31514, 168426, true}, {4, 1, 43649, 11984, false}, {4, 2, 532416, 0, false},
	{4, 3, 2452813, 0, false},
};

/*
 * With a refcount: as many traces as there are when gets and puts are told to commute as long
 * as the base is there, and puts that leave something afterwards.
 */
static const struct {
	int n, k;
	uint64_t traces;
} counted[] = {
	{1, 1, 4},   {2, 1, 15},  {2, 2, 60},	{3, 1, 54},
	{3, 2, 432}, {4, 1, 189}, {4, 2, 3024}, {4, 3, 22000},
};

static void check_counted(int n, int k, uint64_t expected)
{
	const struct question q = {.path = MODEL,
				   .n = n,
				   .k = k,
				   .refcount = true,
				   .opt = {.strategy = STRATEGY_DPOR}};
	struct answer a = ask(&q);
	bool ok = a.complete && a.stats.nr_runs == expected;

	printf("(%d,%d) refcount   %9lu traces of %9lu, %lu blocked  %8.3f s  %6ld KiB  %s\n", n, k,
	       (unsigned long)a.stats.nr_runs, (unsigned long)expected,
	       (unsigned long)a.stats.nr_blocked, a.cpu, a.peak_kib, ok ? "ok" : "MISSED");
	fflush(stdout);
	if (ok)
		return;
	missed = true;
	fprintf(stderr, "bench_explore: (%d,%d) refcount: %lu, expected %lu%s\n", n, k,
		(unsigned long)a.stats.nr_runs, (unsigned long)expected,
		a.complete ? "" : ", and it did not end");
}

/*
 * With a tryget that reads, compares and exchanges: what Nidhugg and GenMC count.  They leave
 * out orderings in which an exchange is lost, since its loop would only read once more.
 */
static const struct {
	int n, k;
	uint64_t traces;
	bool is_long;
} splits[] = {
	{1, 1, 4, false},   {2, 1, 32, false},	  {2, 2, 685, false},
	{3, 1, 704, false}, {4, 1, 35408, false}, {3, 2, 1027578, true},
};

static void check_split(int n, int k, uint64_t expected)
{
	const struct question q = {.path = MODEL,
				   .n = n,
				   .k = k,
				   .split = 2,
				   .opt = {.strategy = STRATEGY_DPOR, .keep_going = true}};
	struct answer a = ask(&q);
	uint64_t got = a.stats.nr_runs - a.stats.nr_failing;

	printf("(%d,%d) split      %9lu traces of %9lu, %lu lost     %8.3f s  %6ld KiB  %s\n", n, k,
	       (unsigned long)got, (unsigned long)expected, (unsigned long)a.stats.nr_failing,
	       a.cpu, a.peak_kib, got == expected ? "ok" : "MISSED");
	fflush(stdout);
	if (got == expected)
		return;
	missed = true;
	fprintf(stderr, "bench_explore: (%d,%d) split: %lu, expected %lu\n", n, k,
		(unsigned long)got, (unsigned long)expected);
}

/* What it costs to have a step for each access. */
static void splitting(void)
{
	struct question q = {
		.path = MODEL, .n = 4, .k = 2, .opt = {.strategy = STRATEGY_EXHAUSTIVE}};
	uint64_t whole = ask(&q).stats.nr_states, split;

	q.split = 1;
	split = ask(&q).stats.nr_states;
	at_most("exhaustive (4,2), states with split trygets", (double)split / (double)whole,
		"times", 4);
}

static void check_count(int n, int k, enum strategy strategy, uint64_t expected)
{
	struct answer a = ask_model(n, k, 0, (struct explore_options){.strategy = strategy});
	bool states = strategy == STRATEGY_EXHAUSTIVE;
	uint64_t got = states ? a.stats.nr_states : a.stats.nr_runs;

	printf("(%d,%d) %-10s %9lu %-6s of %9lu  %8.3f s  %6ld KiB  %s\n", n, k,
	       strategy_infos[strategy].name, (unsigned long)got, states ? "states" : "traces",
	       (unsigned long)expected, a.cpu, a.peak_kib,
	       got == expected && a.complete ? "ok" : "MISSED");
	fflush(stdout);
	if (got == expected && a.complete)
		return;
	missed = true;
	fprintf(stderr, "bench_explore: (%d,%d) %s: %lu, expected %lu%s\n", n, k,
		strategy_infos[strategy].name, (unsigned long)got, (unsigned long)expected,
		a.complete ? "" : ", and it did not end");
}

static void check_counts(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
		int n = counts[i].n, k = counts[i].k;

		if (counts[i].states)
			check_count(n, k, STRATEGY_EXHAUSTIVE, counts[i].states);
		if (counts[i].traces && (bench_long || !counts[i].is_long))
			check_count(n, k, STRATEGY_DPOR, counts[i].traces);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(counted); i++)
		check_counted(counted[i].n, counted[i].k, counted[i].traces);
	for (size_t i = 0; i < G_N_ELEMENTS(splits); i++) {
		if (bench_long || !splits[i].is_long)
			check_split(splits[i].n, splits[i].k, splits[i].traces);
	}
	splitting();
}

/* ---- how fast -------------------------------------------------------------------- */

static double rate(int n, int k, struct explore_options opt, bool transitions)
{
	double rates[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		struct answer a = ask_model(n, k, 0, opt);

		rates[i] = transitions ? (double)(a.stats.nr_states + a.stats.nr_pruned)
				       : (double)a.stats.nr_runs;
		rates[i] /= a.cpu;
	}
	return median(rates, ROUNDS);
}

static void speeds(void)
{
	const struct explore_options all = {.strategy = STRATEGY_EXHAUSTIVE},
				     some = {.strategy = STRATEGY_DPOR, .max_runs = 20000},
				     drawn = {.strategy = STRATEGY_RANDOM, .max_runs = 20000},
				     pct = {.strategy = STRATEGY_PCT, .max_runs = 20000};

	at_least("exhaustive, transitions at (4,1)", rate(4, 1, all, true), "per s", 5e6);
	at_least("exhaustive, transitions at (4,2)", rate(4, 2, all, true), "per s", 5e6);
	at_least("dpor, executions at (3,2)", rate(3, 2, some, false), "per s", 100e3);
	at_least("random, executions at (4,3)", rate(4, 3, drawn, false), "per s", 250e3);
	at_least("pct, executions at (4,3)", rate(4, 3, pct, false), "per s", 250e3);
}

/* Allocators that can be exchanged: as many states as the same in plain C has. */
static void exchange(int n, int k, uint64_t states, double seconds, double mib)
{
	const struct question q = {.path = "scenarios/models/cache_shutdown_copies.lua",
				   .n = n,
				   .k = k,
				   .opt = {.strategy = STRATEGY_EXHAUSTIVE}};
	struct answer a = ask(&q);
	char what[64];

	snprintf(what, sizeof(what), "exhaustive (%d,%d), copies: states", n, k);
	if (!a.complete || (states && a.stats.nr_states != states))
		give_up(what, "not as many as there are");
	printf("%-46s %12.6g\n", what, (double)a.stats.nr_states);
	snprintf(what, sizeof(what), "exhaustive (%d,%d), copies", n, k);
	at_most(what, a.cpu, "s", seconds);
	if (mib <= 0)
		return;
	snprintf(what, sizeof(what), "exhaustive (%d,%d), copies, peak of the process", n, k);
	at_most(what, (double)a.peak_kib / 1024, "MiB", mib);
}

/* All that can come next from all states, whoever did what: no goal is this large. */
static void exhaust(int n, int k)
{
	struct answer a =
		ask_model(n, k, 0, (struct explore_options){.strategy = STRATEGY_EXHAUSTIVE});
	char what[64];

	snprintf(what, sizeof(what), "exhaustive (%d,%d), one after the other", n, k);
	printf("%-46s %12.6g s\n", what, a.cpu);
	snprintf(what, sizeof(what), "exhaustive (%d,%d), memory per state", n, k);
	at_most(what, (double)a.peak_kib * 1024 / (double)a.stats.nr_states, "bytes", 16);
}

static void exhausting(void)
{
	const struct question counts_references = {.path = MODEL,
						   .n = 4,
						   .k = 3,
						   .refcount = true,
						   .opt = {.strategy = STRATEGY_DPOR}};
	struct answer a = ask_often(&counts_references);

	at_most("dpor (4,3), refcount", a.cpu, "s", 0.2);
	at_most("dpor (4,3), refcount, blocked per execution",
		(double)a.stats.nr_blocked / (double)a.stats.nr_runs, "", 0.25);
	exchange(4, 2, 31021, 0.2, 16);
	exchange(4, 3, 131008, 0.2, 16);
	exchange(5, 2, 0, 0.5, 16);
	exchange(6, 3, 0, 10, 0);
	exhaust(4, 3);
	exhaust(5, 2);
}

/* On the clock: what the second process does counts. */
static double speed_up(int n, int k, struct explore_options opt)
{
	double ratios[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		double one;

		opt.nr_jobs = 1;
		one = ask_model(n, k, 0, opt).wall;
		opt.nr_jobs = 2;
		ratios[i] = one / ask_model(n, k, 0, opt).wall;
	}
	return median(ratios, ROUNDS);
}

static void jobs(void)
{
	const struct explore_options dpor = {.strategy = STRATEGY_DPOR},
				     all = {.strategy = STRATEGY_EXHAUSTIVE},
				     pct = {.strategy = STRATEGY_PCT, .max_runs = 500000};

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		printf("2 jobs: skipped, there is one CPU\n");
		return;
	}
	at_least("2 jobs, dpor at (5,1), on the clock", speed_up(5, 1, dpor), "times", 1.8);
	at_least("2 jobs, exhaustive at (4,3), on the clock", speed_up(4, 3, all), "times", 1.8);
	at_least("2 jobs, pct at (4,3), on the clock", speed_up(4, 3, pct), "times", 1.8);
}

/* ---- how soon a bug is found ------------------------------------------------------ */

static void rare_bug(void)
{
	double runs = 0, ms = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct answer a = ask_model(4, 3, 3,
					    (struct explore_options){.strategy = STRATEGY_PCT,
								     .seed = seed,
								     .depth = 3,
								     .max_runs = 1000000});

		if (!a.found)
			give_up("bug 3 at (4,3)", "not found");
		runs += (double)a.found_in / SEEDS;
		ms += a.found_after * 1e3 / SEEDS;
	}
	at_most("bug 3 at (4,3), pct, mean executions", runs, "", 120);
	at_most("bug 3 at (4,3), pct, mean time on the clock", ms, "ms", 2);
}

static void minimising(int bug)
{
	const struct question q = {
		.path = MODEL,
		.n = 4,
		.k = 3,
		.bug = bug,
		.opt = {.strategy = STRATEGY_PCT, .seed = 1, .max_runs = 1000000},
		.minimise = true};
	struct answer a = ask(&q);
	char what[64];

	printf("bug %d at (4,3), minimised, steps %27u\n", bug, a.steps);
	snprintf(what, sizeof(what), "bug %d at (4,3), minimising", bug);
	at_most(what, a.shorter.seconds * 1e3, "ms", 10);
	snprintf(what, sizeof(what), "bug %d at (4,3), preemptions proved minimal", bug);
	at_least(what, a.shorter.proved, "", 1);
}

static const struct {
	const char *variant, *path, *set;
} variants[] = {
	{"get-cache-rcu-typo", LIFECYCLE "offline_vs_alloc.lua", NULL},
	{"release-lock-irq", LIFECYCLE "irq_free_vs_destroy.lua", NULL},
	{"workfn-write-after-free", LIFECYCLE "sysfs_contention.lua", NULL},
	{"workfn-clobber", LIFECYCLE "offline_vs_alloc.lua", NULL},
	{"create-work-css-leak", LIFECYCLE "create_failure.lua", NULL},
	{"refkill-vs-destroy", LIFECYCLE "destroy_with_children.lua", NULL},
	{"free-slab-memcg", LIFECYCLE "typesafe.lua", "root_first=true"},
};

static void print_found(const struct answer *a, double seconds)
{
	if (a->found)
		printf("  %7lu in %6.0f ms", (unsigned long)a->found_in, a->found_after * 1e3);
	else if (a->complete)
		printf("  %20s", "not there");
	else
		printf("  %7lu, none in %.0f s", (unsigned long)a->stats.nr_runs, seconds);
	fflush(stdout);
}

/* What is drawn decides: one seed would say little. */
static void in_whole_life(struct question q, const char *variant)
{
	double sum = 0, longest = 0;
	char what[96];

	q.path = LIFECYCLE "whole_life.lua";
	q.set = NULL;
	for (q.opt.seed = 1; q.opt.seed <= WHOLE_LIFE_SEEDS; q.opt.seed++) {
		struct answer a = ask(&q);
		double seconds = a.found ? a.found_after : q.opt.max_seconds;

		sum += seconds;
		longest = MAX(longest, seconds);
	}
	snprintf(what, sizeof(what), "%s, auto, whole life, mean", variant);
	at_most(what, sum / WHOLE_LIFE_SEEDS, "s", 1);
	if (longest > 0.1)
		printf("%-46s %12.6g s\n", "  the longest of them", longest);
}

static void find_variant(size_t i)
{
	static const enum strategy ways[] = {STRATEGY_RANDOM, STRATEGY_PCT, STRATEGY_BOUNDED,
					     STRATEGY_DPOR, STRATEGY_EXHAUSTIVE};
	double seconds = bench_long ? 30 : 1;
	struct question q = {.path = variants[i].path,
			     .variant = variants[i].variant,
			     .set = variants[i].set,
			     .opt = {.seed = 1, .max_seconds = seconds, .preemptions = 2}};
	struct answer a;
	char what[96];

	printf("%-24s", variants[i].variant);
	for (size_t w = 0; w < G_N_ELEMENTS(ways); w++) {
		q.opt.strategy = ways[w];
		a = ask(&q);
		print_found(&a, seconds);
	}
	printf("\n");
	q.opt.strategy = STRATEGY_AUTO;
	q.opt.max_seconds = 10;
	a = ask(&q);
	snprintf(what, sizeof(what), "%s, auto", variants[i].variant);
	at_most(what, a.found ? a.found_after : 10, "s", 1);
	in_whole_life(q, variants[i].variant);
}

static void bugs(void)
{
	rare_bug();
	minimising(2);
	minimising(3);
	printf("executions and time until found:\n%-24s  %-20s  %-20s  %-20s  %-20s  %s\n", "",
	       "random", "pct", "bounded", "dpor", "exhaustive");
	for (size_t i = 0; i < G_N_ELEMENTS(variants); i++)
		find_variant(i);
}

/* ---- the whole program ------------------------------------------------------------ */

extern char **environ;

static double time_start(const char *program, const char *strategy)
{
	const char *argv[] = {program, "explore",    MODEL,    "--set", "n=2", "--set",
			      "k=2",   "--strategy", strategy, "-q",	NULL};
	posix_spawn_file_actions_t actions;
	double start;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	start = clock_seconds();
	if (posix_spawn(&pid, program, &actions, NULL, (char *const *)argv, environ) != 0)
		give_up(program, "cannot be started");
	if (waitpid(pid, &status, 0) != pid || status != 0)
		give_up(program, "did not end with status 0");
	start = clock_seconds() - start;
	posix_spawn_file_actions_destroy(&actions);
	return start * 1e3;
}

/* What the program says of a smaller scenario in which the failure is still there. */
static void shrinking(int bug)
{
	char program[4096], set_bug[16], what[64];
	const char *argv[] = {program, "explore",    MODEL,   "--set",	  "n=4",
			      "--set", "k=3",	     "--set", set_bug,	  "--seed",
			      "1",     "--strategy", "pct",   "--shrink", NULL};
	const char *wrong = find_program(program, sizeof(program)), *line;
	g_autofree char *out = NULL;
	double seconds;
	unsigned int steps;

	if (wrong)
		give_up(program, wrong);
	snprintf(set_bug, sizeof(set_bug), "bug=%d", bug);
	if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out,
			  NULL, NULL, NULL))
		give_up(program, "cannot be started");
	line = strstr(out, "\nshrunk ");
	if (!line || sscanf(line, "\nshrunk %*u -> %u steps", &steps) != 1 ||
	    !(line = strstr(line, "scenarios tried, ")) ||
	    sscanf(line, "scenarios tried, %lf s", &seconds) != 1)
		give_up(program, "does not say what --shrink came to");
	snprintf(what, sizeof(what), "bug %d at (4,3), shrunk, steps", bug);
	at_most(what, steps, "", 12);
	snprintf(what, sizeof(what), "bug %d at (4,3), shrinking", bug);
	at_most(what, seconds * 1e3, "ms", 10);
}

static void start_up(void)
{
	static const char *const strategies[] = {"dpor", "exhaustive", "auto"};
	char program[4096], what[64];
	const char *wrong;
	double ms[STARTS];

	wrong = find_program(program, sizeof(program));
	if (wrong)
		give_up(program, wrong);
	for (size_t s = 0; s < G_N_ELEMENTS(strategies); s++) {
		for (int i = 0; i < STARTS; i++)
			ms[i] = time_start(program, strategies[s]);
		snprintf(what, sizeof(what), "command to verdict at (2,2), %s", strategies[s]);
		at_most(what, median(ms, STARTS), "ms", 20);
	}
}

static void spin(void)
{
	fflush(NULL);
	/* It says what it skips and why. */
	if (system("sh tests/bench/explore.sh") != 0)
		give_up("tests/bench/explore.sh", "failed");
}

int main(void)
{
	const char *asked = getenv("BENCH_LONG");

	bench_long = asked && strcmp(asked, "0") != 0;
	check_counts();
	exhausting();
	speeds();
	jobs();
	bugs();
	shrinking(2);
	shrinking(3);
	start_up();
	spin();
	return missed ? 1 : 0;
}
