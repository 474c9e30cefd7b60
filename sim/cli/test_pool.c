// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers: each test runs in a process of its own, forked from this one.
 *
 * Worlds lie at a fixed address, so a process has one at a time; and whatever a
 * run does to its process, the other tests do not see it.
 */

#define _GNU_SOURCE /* memfd_create(), sigabbrev_np() */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/base/assert.h"
#include "sim/cli/test.h"

#define LOOK_EVERY_MS 100
#define JOBS_MAX 256
#define LOG_MAX 4000 /* bytes of what a worker printed that are worth repeating */

/* What a worker sends before it exits: status, message, detail, command, and what was found. */
#define ANSWER "(umsmsstd)"

struct worker {
	struct test *test;
	pid_t pid;
	int fd;	 /* its answer; at its end the worker has gone */
	int log; /* what it prints */
	gint64 start;
	bool timed_out;
	GByteArray *answer;
};

struct pool {
	struct tests *tests;
	const struct pool_options *opt;
	struct worker workers[JOBS_MAX];
	unsigned int nr_workers;
	guint next;  /* test to start */
	guint ended; /* tests before this one were handed to opt->ended() */
	unsigned int nr_ended;
	bool *done; /* for each test */
	bool stop;
};

static struct test *test_at(const struct pool *pool, guint i)
{
	return g_ptr_array_index(pool->tests->all, i);
}

/* ---- in the worker ------------------------------------------------------- */

static void send_answer(const struct test_outcome *r, int fd)
{
	g_autoptr(GVariant) v = g_variant_ref_sink(
		g_variant_new(ANSWER, (guint32)r->status, r->message, r->detail, r->command,
			      (guint64)r->execution, r->found_after));
	const char *data = g_variant_get_data(v);
	gsize left = g_variant_get_size(v);

	while (left > 0) {
		ssize_t n = write(fd, data, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			exit(EXIT_INTERNAL);
		data += n;
		left -= (gsize)n;
	}
}

static _Noreturn void work(struct test *t, bool bless, int fd, int log, pid_t parent)
{
	cli_worker_signals();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_INTERNAL);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	test_judge(t, bless);
	send_answer(&t->result, fd);
	exit(EXIT_CLEAN);
}

/* ---- in the parent ------------------------------------------------------- */

/* Memory is short, or processes are: said as the test's failure. */
static void cannot_start(struct test *t, const char *what)
{
	t->result.status = TEST_ERROR;
	t->result.message = g_strdup_printf("cannot %s: %s", what, g_strerror(errno));
}

static bool start(struct pool *pool, struct test *t)
{
	struct worker w = {.test = t, .start = g_get_monotonic_time()};
	pid_t parent = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0) {
		cannot_start(t, "make a pipe");
		return false;
	}
	w.fd = fds[0];
	w.log = memfd_create("slabsim-test", MFD_CLOEXEC);
	w.pid = w.log < 0 ? -1 : fork();
	if (w.pid == 0) {
		close(fds[0]);
		work(t, pool->opt->bless, fds[1], w.log, parent);
	}
	close(fds[1]);
	if (w.pid < 0) {
		cannot_start(t, "start a process");
		close(w.fd);
		if (w.log >= 0)
			close(w.log);
		return false;
	}
	w.answer = g_byte_array_new();
	pool->workers[pool->nr_workers++] = w;
	return true;
}

static bool take_answer(const struct worker *w, struct test_outcome *r)
{
	g_autoptr(GBytes) bytes = g_bytes_new(w->answer->data, w->answer->len);
	g_autoptr(GVariant) v =
		g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(ANSWER), bytes, FALSE));
	guint64 execution;
	guint32 status;

	if (w->answer->len == 0 || !g_variant_is_normal_form(v))
		return false;
	g_clear_pointer(&r->command, g_free);
	g_variant_get(v, ANSWER, &status, &r->message, &r->detail, &r->command, &execution,
		      &r->found_after);
	r->execution = execution;
	r->status = (enum test_status)status;
	return true;
}

static char *read_log(int fd)
{
	char *text = g_malloc0(LOG_MAX + 1);
	ssize_t n = pread(fd, text, LOG_MAX, 0);

	g_strchomp(text);
	if (n <= 0 || !text[0])
		g_clear_pointer(&text, g_free);
	return text;
}

/* The worker ended without an answer, or after one but not in peace. */
static void take_death(const struct worker *w, int status, const struct pool_options *opt)
{
	struct test_outcome *r = &w->test->result;
	g_autofree char *log = read_log(w->log);

	r->status = TEST_ERROR;
	g_free(r->message);
	if (w->timed_out)
		r->message = g_strdup_printf("still running after %.0f s, killed",
					     (double)opt->timeout_us / 1e6);
	else if (WIFSIGNALED(status))
		r->message = g_strdup_printf("the worker was killed by SIG%s (%s)",
					     sigabbrev_np(WTERMSIG(status)),
					     sigdescr_np(WTERMSIG(status)));
	else
		r->message =
			g_strdup_printf("the worker left with exit status %d", WEXITSTATUS(status));
	if (log) {
		g_free(r->detail);
		r->detail = g_steal_pointer(&log);
	}
}

/* Reap the @i-th worker, whose end of the pipe is closed. */
static void finish(struct pool *pool, unsigned int i)
{
	struct worker w = pool->workers[i];
	struct test_outcome *r = &w.test->result;
	int status = 0;

	pool->workers[i] = pool->workers[--pool->nr_workers];
	while (waitpid(w.pid, &status, 0) < 0 && errno == EINTR)
		;
	r->seconds = (double)(g_get_monotonic_time() - w.start) / 1e6;
	r->slow = g_get_monotonic_time() - w.start > pool->opt->slow_us;
	if (!take_answer(&w, r) || status != 0)
		take_death(&w, status, pool->opt);
	g_byte_array_unref(w.answer);
	close(w.fd);
	close(w.log);
}

static void kill_all(struct pool *pool)
{
	for (unsigned int i = 0; i < pool->nr_workers; i++)
		kill(pool->workers[i].pid, SIGKILL);
	while (pool->nr_workers > 0) {
		struct worker *w = &pool->workers[--pool->nr_workers];

		while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
			;
		g_byte_array_unref(w->answer);
		close(w->fd);
		close(w->log);
	}
}

static void mark_done(struct pool *pool, const struct test *t)
{
	guint i;

	sim_assert(g_ptr_array_find(pool->tests->all, t, &i));
	pool->done[i] = true;
	pool->nr_ended++;
}

static void start_some(struct pool *pool)
{
	while (!pool->stop && pool->nr_workers < pool->opt->nr_jobs &&
	       pool->next < pool->tests->all->len) {
		struct test *t = test_at(pool, pool->next++);

		/* One that could not even be loaded has its result. */
		if (t->expect && t->expect->skip) {
			t->result.status = TEST_SKIP;
			t->result.message = g_strdup(t->expect->skip);
			mark_done(pool, t);
		} else if (!t->expect || !start(pool, t)) {
			mark_done(pool, t);
		}
	}
}

static void report_ended(struct pool *pool)
{
	while (!pool->stop && pool->ended < pool->next && pool->done[pool->ended]) {
		const struct test *t = test_at(pool, pool->ended++);

		pool->opt->ended(pool->opt->arg, &t->result);
		pool->stop = pool->opt->fail_fast && results_failed(&t->result);
	}
	if (pool->opt->progress)
		pool->opt->progress(pool->opt->arg, pool->nr_ended);
}

static bool at_end(struct worker *w)
{
	guint8 buffer[4096];
	ssize_t n = read(w->fd, buffer, sizeof(buffer));

	if (n > 0)
		g_byte_array_append(w->answer, buffer, (guint)n);
	return n == 0 || (n < 0 && errno != EINTR);
}

static void look_at_clock(struct pool *pool)
{
	gint64 now = g_get_monotonic_time();

	for (unsigned int i = 0; i < pool->nr_workers; i++) {
		struct worker *w = &pool->workers[i];

		if (now - w->start > pool->opt->timeout_us && !w->timed_out) {
			w->timed_out = true;
			kill(w->pid, SIGKILL);
		}
	}
}

static void wait_for_some(struct pool *pool)
{
	struct pollfd fds[JOBS_MAX];
	unsigned int n = pool->nr_workers;

	for (unsigned int i = 0; i < n; i++)
		fds[i] = (struct pollfd){.fd = pool->workers[i].fd, .events = POLLIN};
	if (n > 0 && poll(fds, n, LOOK_EVERY_MS) > 0) {
		/* From the end: finish() puts the last one in the place of the one it takes. */
		for (unsigned int i = n; i-- > 0;) {
			struct test *t = pool->workers[i].test;

			if (fds[i].revents && at_end(&pool->workers[i])) {
				finish(pool, i);
				mark_done(pool, t);
			}
		}
	}
	look_at_clock(pool);
}

/* What is left has no result; what came out of order and was not told has none either. */
static void forget_rest(struct pool *pool)
{
	for (guint i = pool->ended; i < pool->tests->all->len; i++) {
		struct test_outcome *r = &test_at(pool, i)->result;

		r->status = TEST_NOT_RUN;
		g_free(r->message);
		r->message = g_strdup(cli_interrupted ? "interrupted" : "an earlier test failed");
		g_clear_pointer(&r->detail, g_free);
		r->seconds = 0;
		r->slow = false;
	}
}

void tests_run(struct tests *tests, const struct pool_options *opt)
{
	struct pool pool = {.tests = tests, .opt = opt};

	sim_assert(opt->nr_jobs >= 1 && opt->nr_jobs <= JOBS_MAX);
	pool.done = g_new0(bool, tests->all->len);
	cli_run_active = 1;
	while (!pool.stop && !cli_interrupted && pool.ended < tests->all->len) {
		start_some(&pool);
		wait_for_some(&pool);
		report_ended(&pool);
	}
	kill_all(&pool);
	cli_run_active = 0;
	forget_rest(&pool);
	g_free(pool.done);
}
