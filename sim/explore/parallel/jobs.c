// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE /* sigabbrev_np() */
#include "sim/explore/parallel/jobs.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/base/assert.h"

G_DEFINE_QUARK(slabsim - jobs - error - quark, jobs_error)

#define LOOK_EVERY_MS 100
#define MESSAGE_MAX (UINT64_C(1) << 31)

struct piece {
	GByteArray *work, *result; /* the second is NULL until it is done */
	bool given, taken;
};

struct worker {
	pid_t pid;
	int fd;
	uint64_t nr; /* of the piece that it works on */
	bool busy;
	GByteArray *in; /* what came from it so far */
};

struct pool {
	const struct jobs *jobs;
	struct piece pieces[JOBS_AHEAD]; /* by number modulo JOBS_AHEAD */
	uint64_t nr_taken, nr_handed;
	struct worker *workers;
	unsigned int nr_workers;
	volatile sig_atomic_t *stop; /* shared with the workers */
	bool stopped;
	GError *error;
};

static struct piece *piece_at(struct pool *pool, uint64_t nr)
{
	return &pool->pieces[nr % JOBS_AHEAD];
}

static void fail(struct pool *pool, const char *what)
{
	if (!pool->error)
		g_set_error_literal(&pool->error, JOBS_ERROR, 0, what);
	pool->stopped = true;
}

/* ---- messages: a length, then so many bytes -------------------------------------------------- */

static bool send_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size > 0) {
		/* A write() to somebody who died would kill us too. */
		ssize_t n = send(fd, p, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		size -= (size_t)n;
	}
	return true;
}

static bool send_message(int fd, const GByteArray *message)
{
	uint64_t size = message->len;

	return send_all(fd, &size, sizeof(size)) && send_all(fd, message->data, message->len);
}

static bool receive_all(int fd, void *data, size_t size)
{
	char *p = data;

	while (size > 0) {
		ssize_t n = recv(fd, p, size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		size -= (size_t)n;
	}
	return true;
}

static bool receive_message(int fd, GByteArray *message)
{
	uint64_t size;

	if (!receive_all(fd, &size, sizeof(size)) || size > MESSAGE_MAX)
		return false;
	g_byte_array_set_size(message, (guint)size);
	return receive_all(fd, message->data, (size_t)size);
}

/* ---- in the worker --------------------------------------------------------------------------- */

static _Noreturn void serve(const struct pool *pool, int fd, pid_t parent)
{
	const struct jobs *jobs = pool->jobs;
	GByteArray *piece = g_byte_array_new(), *result = g_byte_array_new();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (jobs->in_worker)
		jobs->in_worker();
	while (receive_message(fd, piece)) {
		g_byte_array_set_size(result, 0);
		jobs->work(jobs->arg, pool->stop, piece, result);
		if (!send_message(fd, result))
			break;
	}
	_exit(0);
}

/* ---- workers, seen from outside -------------------------------------------------------------- */

static bool start_worker(struct pool *pool)
{
	struct worker w = {0};
	pid_t parent = getpid();
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return false;
	w.pid = fork();
	if (w.pid == 0) {
		close(fds[0]);
		serve(pool, fds[1], parent);
	}
	close(fds[1]);
	w.fd = fds[0];
	if (w.pid < 0) {
		close(w.fd);
		return false;
	}
	w.in = g_byte_array_new();
	pool->workers[pool->nr_workers++] = w;
	return true;
}

static volatile sig_atomic_t *new_flag(void)
{
	void *page = mmap(NULL, sizeof(sig_atomic_t), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

static void start_workers(struct pool *pool)
{
	unsigned int n = pool->jobs->nr_jobs;

	pool->stop = new_flag();
	if (!pool->stop) {
		fail(pool, "no memory to tell workers when to stop");
		return;
	}
	pool->workers = g_new0(struct worker, n);
	while (pool->nr_workers < n && start_worker(pool))
		;
	if (pool->nr_workers < n) {
		g_autofree char *what =
			g_strdup_printf("cannot start a worker: %s", g_strerror(errno));

		fail(pool, what);
	}
}

/* Nobody else waits for these processes. */
static int reap(struct worker *w)
{
	int status = 0;

	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(w->fd);
	g_byte_array_unref(w->in);
	return status;
}

static void worker_died(struct pool *pool, unsigned int i)
{
	struct worker w = pool->workers[i];
	g_autofree char *what = NULL;
	int status;

	pool->workers[i] = pool->workers[--pool->nr_workers];
	kill(w.pid, SIGKILL);
	status = reap(&w);
	if (WIFSIGNALED(status))
		what = g_strdup_printf("a worker was killed by SIG%s (%s)",
				       sigabbrev_np(WTERMSIG(status)),
				       sigdescr_np(WTERMSIG(status)));
	else
		what = g_strdup_printf("a worker left with exit status %d", WEXITSTATUS(status));
	fail(pool, what);
}

static void kill_workers(struct pool *pool)
{
	for (unsigned int i = 0; i < pool->nr_workers; i++)
		kill(pool->workers[i].pid, SIGKILL);
	while (pool->nr_workers > 0)
		reap(&pool->workers[--pool->nr_workers]);
	g_clear_pointer(&pool->workers, g_free);
	if (pool->stop)
		munmap((void *)pool->stop, sizeof(*pool->stop));
	pool->stop = NULL;
}

static void give(struct pool *pool, unsigned int i, uint64_t nr)
{
	struct worker *w = &pool->workers[i];

	piece_at(pool, nr)->given = true;
	w->busy = true;
	w->nr = nr;
	if (!send_message(w->fd, piece_at(pool, nr)->work))
		worker_died(pool, i);
}

static void give_some(struct pool *pool)
{
	uint64_t nr = pool->nr_taken;

	for (unsigned int i = 0; i < pool->nr_workers && !pool->stopped; i++) {
		if (pool->workers[i].busy)
			continue;
		while (nr < pool->nr_handed && piece_at(pool, nr)->given)
			nr++;
		if (nr == pool->nr_handed)
			return;
		give(pool, i, nr);
	}
}

/* Is the message of @w complete?  Then its piece is done. */
static void look_at_message(struct pool *pool, struct worker *w)
{
	struct piece *p = piece_at(pool, w->nr);
	uint64_t size;

	if (w->in->len < sizeof(size))
		return;
	memcpy(&size, w->in->data, sizeof(size));
	if (w->in->len < sizeof(size) + size)
		return;
	p->result = g_byte_array_sized_new((guint)size);
	g_byte_array_append(p->result, w->in->data + sizeof(size), (guint)size);
	g_byte_array_set_size(w->in, 0);
	w->busy = false;
}

static void read_from(struct pool *pool, unsigned int i)
{
	struct worker *w = &pool->workers[i];
	guint8 buffer[65536];
	ssize_t n = recv(w->fd, buffer, sizeof(buffer), MSG_DONTWAIT);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		worker_died(pool, i);
		return;
	}
	g_byte_array_append(w->in, buffer, (guint)n);
	look_at_message(pool, w);
}

static void wait_for_some(struct pool *pool)
{
	g_autofree struct pollfd *fds = g_new0(struct pollfd, pool->nr_workers);
	unsigned int n = pool->nr_workers;

	for (unsigned int i = 0; i < n; i++)
		fds[i] = (struct pollfd){.fd = pool->workers[i].fd, .events = POLLIN};
	if (poll(fds, n, LOOK_EVERY_MS) <= 0)
		return;
	/* From the end: the last one takes the place of one that died. */
	for (unsigned int i = n; i-- > 0;) {
		if (fds[i].revents)
			read_from(pool, i);
	}
}

static bool any_busy(const struct pool *pool)
{
	for (unsigned int i = 0; i < pool->nr_workers; i++) {
		if (pool->workers[i].busy)
			return true;
	}
	return false;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void drop_piece(struct piece *p)
{
	g_clear_pointer(&p->work, g_byte_array_unref);
	g_clear_pointer(&p->result, g_byte_array_unref);
	p->given = p->taken = false;
}

static void hand_out(struct pool *pool)
{
	const struct jobs *jobs = pool->jobs;

	while (pool->nr_handed - pool->nr_taken < JOBS_AHEAD) {
		struct piece *p = piece_at(pool, pool->nr_handed);

		p->work = g_byte_array_new();
		if (!jobs->next(jobs->arg, p->work)) {
			drop_piece(p);
			return;
		}
		pool->nr_handed++;
	}
}

/* One at a time: each changes what is handed out next. */
static void take_some(struct pool *pool)
{
	const struct jobs *jobs = pool->jobs;

	while (!pool->stopped && pool->nr_taken < pool->nr_handed &&
	       piece_at(pool, pool->nr_taken)->result) {
		struct piece *p = piece_at(pool, pool->nr_taken);

		if (!jobs->take(jobs->arg, pool->nr_taken, p->result))
			pool->stopped = true;
		drop_piece(p);
		pool->nr_taken++;
		if (!pool->stopped)
			hand_out(pool);
	}
}

static void do_it_here(struct pool *pool)
{
	const struct jobs *jobs = pool->jobs;
	struct piece *p = piece_at(pool, pool->nr_taken);

	p->given = true;
	p->result = g_byte_array_new();
	jobs->work(jobs->arg, NULL, p->work, p->result);
	take_some(pool);
}

/* Told to stop: what is being done is not to be lost. */
static void drain(struct pool *pool)
{
	const struct jobs *jobs = pool->jobs;

	*pool->stop = 1;
	while (any_busy(pool) && !pool->error)
		wait_for_some(pool);
	for (uint64_t nr = pool->nr_taken; nr < pool->nr_handed && !pool->error; nr++) {
		const struct piece *p = piece_at(pool, nr);

		if (p->result)
			jobs->take(jobs->arg, nr, p->result);
		else if (!jobs->any_order)
			return;
	}
}

static void run_workers(struct pool *pool)
{
	const struct jobs *jobs = pool->jobs;

	start_workers(pool);
	while (!pool->stopped && pool->nr_taken < pool->nr_handed) {
		give_some(pool);
		if (pool->stopped)
			break;
		wait_for_some(pool);
		take_some(pool);
		if (!pool->stopped && !jobs->go_on(jobs->arg)) {
			drain(pool);
			pool->stopped = true;
		}
	}
	kill_workers(pool);
}

bool jobs_run(const struct jobs *jobs, GError **error)
{
	struct pool pool = {.jobs = jobs};

	sim_assert(jobs->nr_jobs >= 1);
	hand_out(&pool);
	while (!pool.stopped && pool.nr_taken < pool.nr_handed &&
	       (jobs->nr_jobs == 1 || pool.nr_taken == 0)) {
		do_it_here(&pool);
		if (!pool.stopped && !jobs->go_on(jobs->arg))
			pool.stopped = true;
	}
	if (!pool.stopped && pool.nr_taken < pool.nr_handed)
		run_workers(&pool);
	for (int i = 0; i < JOBS_AHEAD; i++)
		drop_piece(&pool.pieces[i]);
	if (!pool.error)
		return true;
	g_propagate_error(error, pool.error);
	return false;
}
