// SPDX-License-Identifier: GPL-2.0-only
/* Event queue: order, ties, cancelling, running out of memory, snapshots. */
#include "sim/engine/evq.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/base/rng.h"

Suite *suite_evq(void);

#define MANY 20000

/* For loops: each of Check's own assertions writes to a pipe, passing or not. */
#define expect(cond)                                                                               \
	do {                                                                                       \
		if (!(cond))                                                                       \
			ck_abort_msg("%s does not hold", #cond);                                   \
	} while (0)

static struct arena *arena;
static struct evq *q;

static void start(size_t limit)
{
	arena = arena_map(limit);
	ck_assert_ptr_nonnull(arena);
	q = arena_alloc(arena, sizeof(*q));
	ck_assert_ptr_nonnull(q);
	evq_init(q, arena);
}

static void setup(void)
{
	start((size_t)64 << 20);
}

static struct event *new_events(size_t count)
{
	struct event *events = arena_alloc(arena, count * sizeof(*events));

	ck_assert_ptr_nonnull(events);
	return events;
}

START_TEST(empty_queue_has_nothing_due)
{
	ck_assert_ptr_null(evq_pop(q));
	ck_assert_uint_eq(evq_next_due(q), VTIME_MAX);
	ck_assert_uint_eq(evq_len(q), 0);
	ck_assert_uint_eq(evq_now(q), 0);
}
END_TEST

/* Ties must follow posting order, or a replay would not repeat the run. */
START_TEST(pop_breaks_ties_in_posting_order)
{
	struct event late = {0}, first = {0}, second = {0};

	evq_post(q, &late, 20);
	evq_post(q, &first, 10);
	evq_post(q, &second, 10);

	ck_assert_ptr_eq(evq_pop(q), &first);
	ck_assert_ptr_eq(evq_pop(q), &second);
	ck_assert_ptr_eq(evq_pop(q), &late);
	ck_assert_ptr_null(evq_pop(q));
}
END_TEST

/* An event for this very instant comes after those that were posted for it before. */
START_TEST(zero_delay_comes_last_among_its_instant)
{
	struct event a = {0}, b = {0}, c = {0};

	evq_post(q, &a, 5);
	evq_post(q, &b, 5);
	ck_assert_ptr_eq(evq_pop(q), &a);
	evq_post(q, &c, 5);
	evq_post(q, &a, 5);
	ck_assert_ptr_eq(evq_pop(q), &b);
	ck_assert_ptr_eq(evq_pop(q), &c);
	ck_assert_ptr_eq(evq_pop(q), &a);
}
END_TEST

/* The queue serves a burst at one instant in FIFO order, however long, in bounded memory. */
START_TEST(endless_zero_delays_stay_in_order_and_in_memory)
{
	struct event *ev = new_events(50);
	size_t top;

	for (int i = 0; i < 50; i++)
		evq_post(q, &ev[i], 7);
	top = arena->top;
	for (int i = 0; i < MANY; i++) {
		expect(evq_pop(q) == &ev[i % 50]);
		evq_post(q, &ev[i % 50], 7);
	}
	ck_assert_uint_lt(arena->top - top, 40000);
}
END_TEST

START_TEST(pop_moves_the_clock)
{
	struct event ev = {0};

	evq_post(q, &ev, 30);
	ck_assert_uint_eq(evq_next_due(q), 30);
	ck_assert_uint_eq(evq_now(q), 0);
	ck_assert_ptr_eq(evq_pop(q), &ev);
	ck_assert_uint_eq(evq_now(q), 30);
	ck_assert_uint_eq(ev.due, 30);
}
END_TEST

START_TEST(advance_moves_the_clock_up_to_the_next_event)
{
	struct event ev = {0}, now = {0};

	evq_post(q, &ev, 30);
	evq_advance(q, 29);
	evq_post(q, &now, 29);
	ck_assert_ptr_eq(evq_pop(q), &now);
	evq_advance(q, 30);
	evq_post(q, &now, 30);
	ck_assert_ptr_eq(evq_pop(q), &ev);
	ck_assert_ptr_eq(evq_pop(q), &now);
	evq_advance(q, VTIME_MAX);
	ck_assert_uint_eq(evq_now(q), VTIME_MAX);
}
END_TEST

START_TEST(queued_says_who_owns_the_event)
{
	struct event ev = {0};

	ck_assert(!evq_queued(&ev));
	evq_post(q, &ev, 1);
	ck_assert(evq_queued(&ev));
	evq_cancel(q, &ev);
	ck_assert(!evq_queued(&ev));
	evq_post(q, &ev, 2);
	evq_pop(q);
	ck_assert(!evq_queued(&ev));
}
END_TEST

START_TEST(cancelling_the_earliest_shows_the_next)
{
	struct event a = {0}, b = {0}, c = {0};

	evq_post(q, &a, 10);
	evq_post(q, &b, 20);
	evq_post(q, &c, 20);
	evq_cancel(q, &a);
	ck_assert_uint_eq(evq_next_due(q), 20);
	ck_assert_uint_eq(evq_len(q), 2);
	evq_cancel(q, &b);
	ck_assert_ptr_eq(evq_pop(q), &c);
	ck_assert_uint_eq(evq_next_due(q), VTIME_MAX);
}
END_TEST

/* The same event at the same time as before its cancelling: only the newest posting counts. */
START_TEST(reposting_at_the_same_time_goes_to_the_end)
{
	struct event a = {0}, b = {0}, c = {0};

	evq_post(q, &a, 10);
	evq_post(q, &b, 10);
	for (int i = 0; i < 3; i++) {
		evq_cancel(q, &a);
		evq_post(q, &a, 10);
	}
	evq_post(q, &c, 10);
	ck_assert_ptr_eq(evq_pop(q), &b);
	ck_assert_ptr_eq(evq_pop(q), &a);
	ck_assert_ptr_eq(evq_pop(q), &c);
	ck_assert_ptr_null(evq_pop(q));
}
END_TEST

/* Memory of a cancelled event may be gone: here even reading it would fault. */
START_TEST(cancelled_events_are_never_touched_again)
{
	enum { PAGES = 64, PAGE = 4096 };
	char *gone = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	struct event *kept = new_events(PAGES);

	ck_assert_ptr_ne(gone, MAP_FAILED);
	for (int i = 0; i < PAGES; i++) {
		evq_post(q, (struct event *)(gone + i * PAGE), (vtime_t)i * i * 1000);
		evq_post(q, &kept[i], (vtime_t)i * i * 1000);
	}
	for (int i = 0; i < PAGES; i++)
		evq_cancel(q, (struct event *)(gone + i * PAGE));
	munmap(gone, PAGES * PAGE);
	for (int i = 0; i < PAGES; i++) {
		ck_assert_ptr_eq(evq_pop(q), &kept[i]);
		evq_post(q, &kept[i], VTIME_MAX - 1);
	}
	ck_assert_uint_eq(evq_len(q), PAGES);
}
END_TEST

/*
 * Finding the next of many timeouts may prepare for it, but what is posted
 * before it still comes before, also when the timeouts are gone by then.
 */
START_TEST(work_posted_before_a_peeked_timeout_comes_first)
{
	enum { COUNT = 1000 };
	struct event *timeout = new_events(COUNT), *work = new_events(COUNT);

	for (int i = 0; i < COUNT; i++)
		evq_post(q, &timeout[i], 5000000000 + (vtime_t)i);
	evq_cancel(q, &timeout[0]);
	expect(evq_next_due(q) == 5000000001);
	for (int i = 0; i < COUNT; i++)
		evq_post(q, &work[i], (vtime_t)(i * 7 % 100));
	/* From both ends, and from the middle of what remains. */
	for (int i = 1; i < COUNT; i++)
		evq_cancel(q, &timeout[i % 2 ? i : COUNT - i]);
	for (int i = 0; i < COUNT; i += 3)
		evq_cancel(q, &work[i]);
	for (vtime_t last = 0; evq_len(q);) {
		const struct event *ev = evq_pop(q);

		expect(ev >= work && ev < work + COUNT && (ev - work) % 3);
		expect(ev->due >= last);
		last = ev->due;
	}
	ck_assert(evq_post(q, &work[0], evq_now(q)));
	ck_assert_ptr_eq(evq_pop(q), &work[0]);
}
END_TEST

/*
 * Timeouts are mostly cancelled, the earliest first.  Looking for the new
 * earliest must not walk all of them each time: quadratic work would make this
 * test time out.
 */
START_TEST(cancelling_timeouts_in_order_is_cheap)
{
	enum { COUNT = 200000 };
	struct event *timeout = new_events(COUNT), *work = new_events(1);

	for (int i = 0; i < COUNT; i++)
		evq_post(q, &timeout[i], 5000000000 + (vtime_t)i * 10);
	for (int i = 0; i < COUNT - 1; i++) {
		evq_post(q, work, (vtime_t)i);
		evq_cancel(q, &timeout[i]);
		expect(evq_next_due(q) == (vtime_t)i);
		expect(evq_pop(q) == work);
		expect(evq_next_due(q) == timeout[i + 1].due);
	}
	ck_assert_ptr_eq(evq_pop(q), &timeout[COUNT - 1]);
}
END_TEST

/* A watchdog that is pushed on at every step must not make the queue grow. */
START_TEST(rearming_a_timer_uses_no_memory)
{
	struct event far = {0}, timer = {0};
	size_t top;

	evq_post(q, &far, VTIME_MAX - 1);
	evq_post(q, &timer, 1000000);
	for (int i = 0; i < 100; i++) {
		evq_cancel(q, &timer);
		evq_post(q, &timer, 1000000);
	}
	top = arena->top;
	for (vtime_t i = 0; i < MANY; i++) {
		evq_advance(q, i);
		evq_cancel(q, &timer);
		evq_post(q, &timer, i + 1000000);
		expect(evq_next_due(q) == i + 1000000);
	}
	ck_assert_uint_lt(arena->top - top, 40000);
}
END_TEST

/* Failing to grow must leave what is queued intact, cancelling included. */
START_TEST(post_fails_cleanly_when_the_arena_is_full)
{
	static struct event ev[MANY];
	struct event extra = {0};
	size_t count = 0;

	memset(ev, 0, sizeof(ev));
	start((size_t)192 << 10);
	while (count < MANY && evq_post(q, &ev[count], (count * 7919) % 100003))
		count++;
	ck_assert_uint_gt(count, 1000);
	ck_assert_uint_lt(count, MANY);
	ck_assert(!evq_queued(&ev[count]));
	ck_assert_uint_eq(evq_len(q), count);
	for (size_t i = 0; i < count; i += 3)
		evq_cancel(q, &ev[i]);
	ck_assert_uint_eq(evq_len(q), count - (count + 2) / 3);
	for (vtime_t last = 0; evq_len(q);) {
		struct event *got = evq_pop(q);

		expect(got->due >= last);
		expect((size_t)(got - ev) % 3 != 0);
		last = got->due;
	}
	ck_assert(evq_post(q, &extra, evq_now(q)));
}
END_TEST

START_TEST(the_first_post_may_fail_and_be_tried_again)
{
	struct event ev = {0};
	size_t limit = arena->limit;

	/* At each of these limits another of its allocations fails. */
	for (size_t spare = 0; spare < 4096; spare += 16) {
		arena->limit = arena->top + spare;
		if (evq_post(q, &ev, 1))
			break;
		ck_assert(!evq_queued(&ev));
		ck_assert_uint_eq(evq_len(q), 0);
		ck_assert_uint_eq(evq_next_due(q), VTIME_MAX);
	}
	arena->limit = limit;
	if (!evq_queued(&ev))
		ck_assert(evq_post(q, &ev, 1));
	ck_assert_ptr_eq(evq_pop(q), &ev);
}
END_TEST

START_TEST(post_into_the_past_is_refused)
{
	struct event ev = {0};

	evq_advance(q, 10);
	evq_post(q, &ev, 9);
}
END_TEST

START_TEST(post_at_never_is_refused)
{
	struct event ev = {0};

	evq_post(q, &ev, VTIME_MAX);
}
END_TEST

START_TEST(posting_twice_is_refused)
{
	struct event ev = {0};

	evq_post(q, &ev, 1);
	evq_post(q, &ev, 1);
}
END_TEST

START_TEST(cancelling_what_is_not_queued_is_refused)
{
	struct event ev = {0};

	evq_cancel(q, &ev);
}
END_TEST

START_TEST(advancing_past_an_event_is_refused)
{
	struct event ev = {0};

	evq_post(q, &ev, 10);
	evq_advance(q, 11);
}
END_TEST

START_TEST(turning_the_clock_back_is_refused)
{
	evq_advance(q, 10);
	evq_advance(q, 9);
}
END_TEST

/* How far ahead events are posted. */
struct delays {
	const char *name;
	vtime_t (*draw)(struct rng *r);
};

static vtime_t few_values(struct rng *r)
{
	return rng_below(r, 4);
}

static vtime_t mostly_zero(struct rng *r)
{
	return rng_below(r, 10) ? 0 : rng_below(r, 1000);
}

static vtime_t about_a_second(struct rng *r)
{
	return rng_below(r, UINT64_C(2000000000));
}

/* Any magnitude: 1 << 0 up to 1 << 40, times something. */
static vtime_t any_magnitude(struct rng *r)
{
	return rng_next(r) >> (24 + rng_below(r, 40));
}

static vtime_t kernel_like(struct rng *r)
{
	uint64_t kind = rng_below(r, 10);

	if (kind < 5)
		return 0;
	return kind < 8 ? 4000000 * (1 + rng_below(r, 16)) : any_magnitude(r);
}

/* Short work below timeouts that share a few far values, the last possible one included. */
static vtime_t far_future(struct rng *r)
{
	switch (rng_below(r, 4)) {
	case 0:
		return VTIME_MAX - 1;
	case 1:
		return VTIME_MAX - 1 - rng_below(r, 3);
	case 2:
		return (vtime_t)1 << (40 + rng_below(r, 22));
	}
	return rng_below(r, 5000);
}

static const struct delays all_delays[] = {
	{"few values", few_values},	    {"mostly zero", mostly_zero},
	{"about a second", about_a_second}, {"any magnitude", any_magnitude},
	{"kernel-like", kernel_like},	    {"far future", far_future},
};

#define NR_DELAYS ((int)(sizeof(all_delays) / sizeof(*all_delays)))
#define POOL 3000
#define OPERATIONS 200000

/* The oracle: a sorted array, told of everything that the queue is told. */
struct oracle {
	struct event *ev[POOL];
	vtime_t due[POOL];
	size_t len;
	vtime_t now;
};

/* All that a random run depends on; the queue's share of it lies in the arena. */
struct world {
	struct rng rng;
	struct oracle oracle;
	struct event *pool;
	struct event *idle[POOL];
	size_t nr_idle;
	size_t target; /* posts outweigh pops below this length */
	bool may_fail; /* the arena was made small: posts may fail, nothing else */
	uint64_t digest;
};

static void oracle_post(struct oracle *o, struct event *ev, vtime_t due)
{
	size_t i = o->len++;

	for (; i > 0 && o->due[i - 1] > due; i--) {
		o->due[i] = o->due[i - 1];
		o->ev[i] = o->ev[i - 1];
	}
	o->due[i] = due;
	o->ev[i] = ev;
}

static struct event *oracle_remove(struct oracle *o, size_t i)
{
	struct event *ev = o->ev[i];

	o->len--;
	memmove(&o->ev[i], &o->ev[i + 1], (o->len - i) * sizeof(o->ev[0]));
	memmove(&o->due[i], &o->due[i + 1], (o->len - i) * sizeof(o->due[0]));
	return ev;
}

static struct world *world_start(uint64_t seed)
{
	struct world *w = arena_alloc(arena, sizeof(*w));

	ck_assert_ptr_nonnull(w);
	rng_seed(&w->rng, seed, "test_evq");
	w->pool = new_events(POOL);
	for (; w->nr_idle < POOL; w->nr_idle++)
		w->idle[w->nr_idle] = &w->pool[w->nr_idle];
	return w;
}

static void do_post(struct world *w, const struct delays *d)
{
	struct event *ev;
	vtime_t delay = d->draw(&w->rng), room = VTIME_MAX - 1 - w->oracle.now;

	if (!w->nr_idle || w->oracle.now == VTIME_MAX)
		return;
	/* Any idle event: reusing one soon after its cancelling is the hard case. */
	ev = w->idle[--w->nr_idle];
	memset(ev, 0, sizeof(*ev));
	if (delay > room)
		delay = room;
	if (!evq_post(q, ev, w->oracle.now + delay)) {
		expect(w->may_fail);
		expect(!evq_queued(ev));
		w->nr_idle++;
		return;
	}
	oracle_post(&w->oracle, ev, w->oracle.now + delay);
}

static void do_pop(struct world *w)
{
	struct event *got = evq_pop(q);

	if (!w->oracle.len) {
		expect(!got);
		return;
	}
	w->oracle.now = w->oracle.due[0];
	expect(got == oracle_remove(&w->oracle, 0));
	expect(!evq_queued(got));
	w->digest = w->digest * 31 + (uint64_t)(got - w->pool);
	w->idle[w->nr_idle++] = got;
}

/* One time in two the earliest, else any. */
static void do_cancel(struct world *w)
{
	size_t i, j;
	struct event *ev;

	if (!w->oracle.len)
		return;
	i = rng_below(&w->rng, 2) ? 0 : rng_below(&w->rng, w->oracle.len);
	ev = oracle_remove(&w->oracle, i);
	expect(evq_queued(ev));
	evq_cancel(q, ev);
	/* Whoever believes this to be an event will crash. */
	memset(ev, 0x5a, sizeof(*ev));
	j = rng_below(&w->rng, w->nr_idle + 1);
	w->idle[w->nr_idle++] = w->idle[j]; /* itself when j is the end */
	w->idle[j] = ev;
}

static void do_advance(struct world *w)
{
	vtime_t until = w->oracle.len ? w->oracle.due[0] : w->oracle.now + 1000;

	if (until <= w->oracle.now || w->oracle.now > VTIME_MAX / 2)
		return;
	w->oracle.now += rng_below(&w->rng, until - w->oracle.now) + 1;
	evq_advance(q, w->oracle.now);
}

static void do_operation(struct world *w, const struct delays *d, uint64_t i)
{
	uint64_t kind = rng_below(&w->rng, 100);
	bool grow = w->oracle.len < w->target;

	if (i % 5000 == 0)
		w->target = rng_below(&w->rng, 3) ? rng_below(&w->rng, 60)
						  : rng_below(&w->rng, POOL);
	/* Times only grow, so a run that reached the end of time starts afresh. */
	if (w->oracle.len == 0 && w->oracle.now > VTIME_MAX / 2) {
		evq_init(q, arena);
		w->oracle.now = 0;
	}
	if (kind < (grow ? 60 : 30))
		do_post(w, d);
	else if (kind < 85)
		do_pop(w);
	else if (kind < 95)
		do_cancel(w);
	else
		do_advance(w);
	/* Not at each step: peeking may reorganise the queue, not peeking must work too. */
	if (kind & 1)
		expect(evq_next_due(q) == (w->oracle.len ? w->oracle.due[0] : VTIME_MAX));
	expect(evq_now(q) == w->oracle.now);
	expect(evq_len(q) == w->oracle.len);
}

static void drain(struct world *w)
{
	while (w->oracle.len)
		do_pop(w);
	ck_assert_ptr_null(evq_pop(q));
}

START_TEST(random_operations_agree_with_a_sorted_list)
{
	struct world *w = world_start((uint64_t)_i + 1);

	for (uint64_t i = 0; i < OPERATIONS; i++)
		do_operation(w, &all_delays[_i], i);
	drain(w);
}
END_TEST

/* However little memory there is, popping and cancelling find what they need. */
START_TEST(random_operations_in_a_full_arena_agree_too)
{
	static const size_t spare[] = {5000, 8192, 16384, 32768};

	for (int i = 0; i < 4; i++) {
		struct world *w;

		setup();
		w = world_start((uint64_t)(_i * 4 + i) + 200);
		w->may_fail = true;
		arena->limit = arena->top + spare[i];
		for (uint64_t k = 0; k < OPERATIONS / 4; k++)
			do_operation(w, &all_delays[_i], k);
		drain(w);
	}
}
END_TEST

/* Exploration goes back by copying bytes; the queue must not notice. */
START_TEST(restored_bytes_repeat_the_same_pops)
{
	struct world *w = world_start((uint64_t)_i + 100);
	uint64_t digest[2];
	char *base = arena->base, *copy;
	size_t top;

	for (uint64_t i = 0; i < 30000; i++)
		do_operation(w, &all_delays[_i], i);
	top = arena->top;
	copy = malloc(top);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, base, top);
	for (int round = 0; round < 2; round++) {
		for (uint64_t i = 1; i < 30000; i++)
			do_operation(w, &all_delays[_i], i);
		drain(w);
		digest[round] = w->digest;
		/* Bytes above top are not restored: nobody may rely on them. */
		memset(base, 0x5a, arena->top);
		memcpy(base, copy, top);
	}
	ck_assert_uint_eq(digest[0], digest[1]);
	drain(w);
	free(copy);
}
END_TEST

static TCase *case_rejected(void)
{
	TCase *tc = tcase_create("rejected");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test_raise_signal(tc, post_into_the_past_is_refused, SIGABRT);
	tcase_add_test_raise_signal(tc, post_at_never_is_refused, SIGABRT);
	tcase_add_test_raise_signal(tc, posting_twice_is_refused, SIGABRT);
	tcase_add_test_raise_signal(tc, cancelling_what_is_not_queued_is_refused, SIGABRT);
	tcase_add_test_raise_signal(tc, advancing_past_an_event_is_refused, SIGABRT);
	tcase_add_test_raise_signal(tc, turning_the_clock_back_is_refused, SIGABRT);
	return tc;
}

static TCase *case_order(void)
{
	TCase *tc = tcase_create("order");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, empty_queue_has_nothing_due);
	tcase_add_test(tc, pop_breaks_ties_in_posting_order);
	tcase_add_test(tc, zero_delay_comes_last_among_its_instant);
	tcase_add_test(tc, endless_zero_delays_stay_in_order_and_in_memory);
	tcase_add_test(tc, pop_moves_the_clock);
	tcase_add_test(tc, advance_moves_the_clock_up_to_the_next_event);
	tcase_add_test(tc, queued_says_who_owns_the_event);
	return tc;
}

static TCase *case_cancel(void)
{
	TCase *tc = tcase_create("cancel");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, cancelling_the_earliest_shows_the_next);
	tcase_add_test(tc, reposting_at_the_same_time_goes_to_the_end);
	tcase_add_test(tc, cancelled_events_are_never_touched_again);
	tcase_add_test(tc, work_posted_before_a_peeked_timeout_comes_first);
	tcase_add_test(tc, cancelling_timeouts_in_order_is_cheap);
	tcase_add_test(tc, rearming_a_timer_uses_no_memory);
	tcase_add_test(tc, post_fails_cleanly_when_the_arena_is_full);
	tcase_add_test(tc, the_first_post_may_fail_and_be_tried_again);
	return tc;
}

static TCase *case_random(void)
{
	TCase *tc = tcase_create("random");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, random_operations_agree_with_a_sorted_list, 0, NR_DELAYS);
	tcase_add_loop_test(tc, random_operations_in_a_full_arena_agree_too, 0, NR_DELAYS);
	tcase_add_loop_test(tc, restored_bytes_repeat_the_same_pops, 0, NR_DELAYS);
	return tc;
}

Suite *suite_evq(void)
{
	Suite *s = suite_create("evq");

	suite_add_tcase(s, case_order());
	suite_add_tcase(s, case_cancel());
	suite_add_tcase(s, case_random());
	suite_add_tcase(s, case_rejected());
	return s;
}
