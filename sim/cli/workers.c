// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE /* memfd_create(), sigabbrev_np() */
#include "sim/cli/workers.h"

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
#include "sim/cli/cli.h"

#define LOOK_EVERY_MS 100
#define LOG_MAX 4000 /* bytes of what a worker printed that are worth repeating */

struct worker {
	guint item;
	pid_t pid;
	int fd;	 /* its answer; at its end the worker has gone */
	int log; /* what it prints */
	gint64 start;
	bool timed_out;
	GByteArray *answer;
};

struct pool {
	const struct workers_options *opt;
	struct worker workers[WORKERS_MAX];
	unsigned int nr_workers;
	guint next;  /* item to start */
	guint ended; /* items before this one were handed to opt->ended() */
	guint nr_ended;
	bool *done; /* for each item */
	bool stop;
};

/* ---- in the worker ------------------------------------------------------- */

static void send_answer(GVariant *answer, int fd)
{
	const char *data = g_variant_get_data(answer);
	gsize left = g_variant_get_size(answer);

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

static _Noreturn void work(const struct pool *pool, guint item, int fd, int log, pid_t parent)
{
	cli_worker_signals();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_INTERNAL);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	send_answer(g_variant_ref_sink(pool->opt->work(pool->opt->arg, item)), fd);
	exit(EXIT_CLEAN);
}

/* ---- in the parent ------------------------------------------------------- */

static void mark_done(struct pool *pool, guint item)
{
	pool->done[item] = true;
	pool->nr_ended++;
}

/* Memory is short, or processes are. */
static void cannot_start(struct pool *pool, guint item, const char *what)
{
	g_autofree char *death = g_strdup_printf("cannot %s: %s", what, g_strerror(errno));
	const struct worker_result r = {.death = death};

	pool->opt->result(pool->opt->arg, item, &r);
	mark_done(pool, item);
}

static void start(struct pool *pool, guint item)
{
	struct worker w = {.item = item, .start = g_get_monotonic_time()};
	pid_t parent = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0) {
		cannot_start(pool, item, "make a pipe");
		return;
	}
	w.fd = fds[0];
	w.log = memfd_create("slabsim-worker", MFD_CLOEXEC);
	w.pid = w.log < 0 ? -1 : fork();
	if (w.pid == 0) {
		close(fds[0]);
		work(pool, item, fds[1], w.log, parent);
	}
	close(fds[1]);
	if (w.pid < 0) {
		cannot_start(pool, item, "start a process");
		close(w.fd);
		if (w.log >= 0)
			close(w.log);
		return;
	}
	w.answer = g_byte_array_new();
	pool->workers[pool->nr_workers++] = w;
}

static GVariant *read_answer(const struct worker *w, const char *type)
{
	g_autoptr(GBytes) bytes = g_bytes_new(w->answer->data, w->answer->len);
	GVariant *v =
		g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(type), bytes, FALSE));

	if (w->answer->len > 0 && g_variant_is_normal_form(v))
		return v;
	g_variant_unref(v);
	return NULL;
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
static char *describe_death(const struct worker *w, int status, gint64 timeout_us)
{
	if (w->timed_out)
		return g_strdup_printf("still running after %.0f s, killed",
				       (double)timeout_us / 1e6);
	if (WIFSIGNALED(status))
		return g_strdup_printf("the worker was killed by SIG%s (%s)",
				       sigabbrev_np(WTERMSIG(status)),
				       sigdescr_np(WTERMSIG(status)));
	return g_strdup_printf("the worker left with exit status %d", WEXITSTATUS(status));
}

/* Reap the @i-th worker, whose end of the pipe is closed. */
static void finish(struct pool *pool, unsigned int i)
{
	const struct workers_options *opt = pool->opt;
	struct worker w = pool->workers[i];
	struct worker_result r = {0};
	int status = 0;

	pool->workers[i] = pool->workers[--pool->nr_workers];
	while (waitpid(w.pid, &status, 0) < 0 && errno == EINTR)
		;
	r.seconds = (double)(g_get_monotonic_time() - w.start) / 1e6;
	r.answer = read_answer(&w, opt->answer);
	r.log = read_log(w.log);
	if (!r.answer || status != 0)
		r.death = describe_death(&w, status, opt->timeout_us);
	opt->result(opt->arg, w.item, &r);
	mark_done(pool, w.item);
	g_clear_pointer(&r.answer, g_variant_unref);
	g_free(r.death);
	g_free(r.log);
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

static void start_some(struct pool *pool)
{
	const struct workers_options *opt = pool->opt;

	while (!pool->stop && pool->nr_workers < opt->nr_jobs && pool->next < opt->nr_items) {
		guint item = pool->next++;

		if (opt->skip && opt->skip(opt->arg, item))
			mark_done(pool, item);
		else
			start(pool, item);
	}
}

static void report_ended(struct pool *pool)
{
	const struct workers_options *opt = pool->opt;

	while (!pool->stop && pool->ended < pool->next && pool->done[pool->ended]) {
		guint item = pool->ended++;

		pool->stop = opt->ended && !opt->ended(opt->arg, item);
	}
	if (opt->progress)
		opt->progress(opt->arg, pool->nr_ended);
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

	for (unsigned int i = 0; pool->opt->timeout_us > 0 && i < pool->nr_workers; i++) {
		struct worker *w = &pool->workers[i];

		if (now - w->start > pool->opt->timeout_us && !w->timed_out) {
			w->timed_out = true;
			kill(w->pid, SIGKILL);
		}
	}
}

static void wait_for_some(struct pool *pool)
{
	struct pollfd fds[WORKERS_MAX];
	unsigned int n = pool->nr_workers;

	for (unsigned int i = 0; i < n; i++)
		fds[i] = (struct pollfd){.fd = pool->workers[i].fd, .events = POLLIN};
	if (n > 0 && poll(fds, n, LOOK_EVERY_MS) > 0) {
		/* From the end: finish() puts the last one in the place of the one it takes. */
		for (unsigned int i = n; i-- > 0;) {
			if (fds[i].revents && at_end(&pool->workers[i]))
				finish(pool, i);
		}
	}
	look_at_clock(pool);
}

guint workers_run(const struct workers_options *opt)
{
	struct pool pool = {.opt = opt};

	sim_assert(opt->nr_jobs >= 1 && opt->nr_jobs <= WORKERS_MAX);
	pool.done = g_new0(bool, opt->nr_items);
	cli_run_active = 1;
	while (!pool.stop && !cli_interrupted && pool.ended < opt->nr_items) {
		start_some(&pool);
		wait_for_some(&pool);
		report_ended(&pool);
	}
	kill_all(&pool);
	cli_run_active = 0;
	g_free(pool.done);
	return pool.ended;
}
