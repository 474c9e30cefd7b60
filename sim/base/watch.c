// SPDX-License-Identifier: GPL-2.0-only
#include "sim/base/watch.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct watch watch; /* base: NULL when there is none */
static struct sigaction others;

/* A fault may come on a small stack, which has no room for the signal's frame. */
static char signal_stack[64 * 1024] __attribute__((aligned(16)));

static uint32_t nr_pages(void)
{
	return (uint32_t)(watch.bytes / watch.page);
}

static void list_page(uint32_t nr)
{
	if (watch.listed[nr])
		return;
	watch.listed[nr] = 1;
	watch.written[watch.nr_written++] = nr;
}

static void let_all_go(void)
{
	(void)mprotect(watch.base, watch.bytes, PROT_READ | PROT_WRITE);
	for (uint32_t i = 0; i < nr_pages(); i++)
		list_page(i);
}

static bool is_watched(const void *addr)
{
	const char *p = addr;

	return watch.base && p >= watch.base && p < watch.base + watch.bytes &&
	       !watch.listed[(size_t)(p - watch.base) / watch.page];
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	uint32_t nr;

	(void)context;
	if (!is_watched(info->si_addr)) {
		/* It comes again, to whom it concerns. */
		sigaction(sig, &others, NULL);
		return;
	}
	nr = (uint32_t)((size_t)((char *)info->si_addr - watch.base) / watch.page);
	if (mprotect(watch.base + nr * watch.page, watch.page, PROT_READ | PROT_WRITE) == 0)
		list_page(nr);
	else
		let_all_go();
	errno = saved;
}

static bool is_ours(const struct sigaction *sa)
{
	return (sa->sa_flags & SA_SIGINFO) && sa->sa_sigaction == on_fault;
}

void watch_signals(void)
{
	struct sigaction sa = {0}, now;
	stack_t stack;

	if (!watch.base)
		return;
	if (sigaltstack(NULL, &stack) == 0 && (stack.ss_flags & SS_DISABLE)) {
		stack = (stack_t){.ss_sp = signal_stack, .ss_size = sizeof(signal_stack)};
		sigaltstack(&stack, NULL);
	}
	sigemptyset(&sa.sa_mask);
	sa.sa_sigaction = on_fault;
	sa.sa_flags = SA_ONSTACK | SA_SIGINFO;
	sigaction(SIGSEGV, NULL, &now);
	if (!is_ours(&now))
		sigaction(SIGSEGV, &sa, &others);
}

static size_t bytes_of_lists(void)
{
	return nr_pages() * (sizeof(*watch.written) + sizeof(*watch.listed));
}

void watch_start(struct arena *a, const char *image)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *lists;

	watch_stop();
	watch = (struct watch){.image = image, .page = page, .bytes = a->top & ~(page - 1)};
	if (watch.bytes == 0 || !WATCH_POSSIBLE)
		return;
	lists = mmap(NULL, bytes_of_lists(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0);
	if (lists == MAP_FAILED)
		return;
	watch.written = lists;
	watch.listed = (uint8_t *)(watch.written + nr_pages());
	watch.base = a->base;
	watch_signals();
	if (mprotect(watch.base, watch.bytes, PROT_READ) != 0)
		watch_stop();
}

void watch_stop(void)
{
	struct sigaction now;

	if (!watch.base)
		return;
	(void)mprotect(watch.base, watch.bytes, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, NULL, &now);
	if (is_ours(&now))
		sigaction(SIGSEGV, &others, NULL);
	(void)munmap(watch.written, bytes_of_lists());
	watch.base = NULL;
}

const struct watch *watch_now(void)
{
	return watch.base ? &watch : NULL;
}
