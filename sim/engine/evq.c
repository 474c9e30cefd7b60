// SPDX-License-Identifier: GPL-2.0-only
/*
 * A radix heap, because the clock never goes back: an event is filed under the
 * highest bit in which its due time differs from a base that no filed event is
 * due before.  The first non-empty bucket then holds the earliest event.  To
 * pop it, the base moves there and the rest of that bucket is filed anew, each
 * event under a lower bit.  Bucket 0 is a FIFO of what is due at the base.
 *
 * A bucket of one chunk is sorted instead, into the run, which spares its
 * events their last few moves.  The run also takes what is posted into the
 * span of that bucket, until it is full and goes back into the buckets.
 *
 * Buckets keep posting order, and equal times always share a bucket, so ties
 * need no sequence number.
 *
 * Buckets are lists of small chunks and not growing arrays: memory stays in
 * proportion to what is queued, which every snapshot copies, and a bucket that
 * is filed anew feeds its chunks, still in the cache, to the others.
 *
 * A cancelled event is taken out of the run or a bucket of one chunk.  In a
 * longer one its entry stays, and a hash table of dead entries says so: an
 * entry is known by (due, event), and of several equal ones the newest is the
 * live one, so that the memory of the event is not needed to tell.
 *
 * Looking for the earliest event after a long bucket lost its own may move the
 * base past the clock.  What is then posted before the base goes to a heap,
 * the early one, all of which comes before anything else.  Its events know
 * their places in it, so nothing dead is ever there.
 */
#include "sim/engine/evq.h"

#include <string.h>

#include "sim/base/assert.h"

/* A chunk of 31 is 504 bytes; shorter ones are quicker to sort but make for more refiling. */
#define CHUNK_ENTRIES 31
#define NR_BUCKETS 65
#define RUN_MAX 64
#define DEAD_MIN 32
#define CACHE_LINE 64

#define likely(cond) __builtin_expect(!!(cond), 1)
#define unlikely(cond) __builtin_expect(!!(cond), 0)

struct entry {
	vtime_t due;
	struct event *ev; /* not to be followed before the entry is known to be alive */
};

struct chunk {
	struct entry entry[CHUNK_ENTRIES];
	struct chunk *next;
};

/*
 * All chunks but the last are full.  An empty bucket keeps its last chunk, so
 * that filling and emptying it again is cheap.
 */
struct bucket {
	struct entry *tail; /* where the next entry goes */
	struct entry *end;  /* of the last chunk */
	struct chunk *head; /* NULL: never used, or its chunk was needed elsewhere */
	vtime_t min;	    /* earliest due, VTIME_MAX if empty; may be dead if marked stale */
};

/* What event.place says; from PLACE_EARLY on it is an index into the early heap. */
enum {
	PLACE_NONE,
	PLACE_BUCKET,
	PLACE_EARLY,
};

struct evq_radix {
	vtime_t base;	     /* no entry in a bucket is due before */
	uint64_t used;	     /* bit i: bucket i + 1 is not empty */
	uint64_t stale;	     /* bit i: the entry behind the min of bucket i + 1 may be dead */
	struct entry *ready; /* first of bucket 0, due at the base, alive; its tail if empty */
	struct entry *run;   /* first entry of the run, its end if empty */
	struct entry *run_end;
	vtime_t run_limit; /* later than the base and not after this: goes to the run */
	size_t room;	   /* entries that may be added before chunks could run out */
	size_t nr_chunks;
	struct chunk *spare;
	struct event **early; /* 4-ary heap, of live events only */
	size_t nr_early, max_early;
	struct entry *dead; /* open addressing, linear probing, half full at most */
	size_t nr_dead, max_dead;
	struct bucket bucket[NR_BUCKETS];
	struct entry run_space[RUN_MAX];
};

/* ---- chunks -------------------------------------------------------------- */

/*
 * How many entries @nr_chunks chunks hold however they are spread: each bucket
 * may have an unfilled last chunk; bucket 0 and a bucket being filed anew may
 * have a first chunk that is partly used up.
 */
static size_t capacity(size_t nr_chunks)
{
	size_t n = 0;

	if (nr_chunks > NR_BUCKETS + 2 + NR_BUCKETS / CHUNK_ENTRIES)
		return (nr_chunks - NR_BUCKETS - 2) * CHUNK_ENTRIES;
	while (n + 1 + (n + 1) / CHUNK_ENTRIES + 2 <= nr_chunks)
		n++;
	return n;
}

static void release_chunk(struct evq_radix *r, struct chunk *c)
{
	c->next = r->spare;
	r->spare = c;
}

static bool add_chunk(struct evq *q)
{
	struct evq_radix *r = q->radix;
	struct chunk *c = arena_alloc(q->arena, sizeof(*c));

	if (!c)
		return false;
	release_chunk(r, c);
	r->room += capacity(r->nr_chunks + 1) - capacity(r->nr_chunks);
	r->nr_chunks++;
	return true;
}

/* The arena is full, but posts kept to capacity(): some empty bucket has a chunk. */
static void steal_chunk(struct evq_radix *r)
{
	for (unsigned int i = 0; i < NR_BUCKETS; i++) {
		struct bucket *b = &r->bucket[i];
		bool empty = i ? !(r->used >> (i - 1) & 1) : r->ready == b->tail;

		if (!empty || !b->head)
			continue;
		release_chunk(r, b->head);
		b->head = NULL;
		b->tail = b->end = NULL;
		if (i == 0)
			r->ready = NULL;
		return;
	}
	sim_assert(!"the event queue has the chunks it reserved");
}

static __attribute__((noinline)) void extend(struct evq *q, struct bucket *b)
{
	struct evq_radix *r = q->radix;
	struct chunk *c;

	if (!r->spare && !add_chunk(q))
		steal_chunk(r);
	c = r->spare;
	r->spare = c->next;
	c->next = NULL;
	if (b->head)
		((struct chunk *)(void *)(b->end - CHUNK_ENTRIES))->next = c;
	else
		b->head = c;
	if (b->head == c && b == &r->bucket[0])
		r->ready = c->entry;
	b->tail = c->entry;
	b->end = c->entry + CHUNK_ENTRIES;
}

/* ---- buckets ------------------------------------------------------------- */

static bool one_chunk(const struct bucket *b)
{
	return b->end == b->head->entry + CHUNK_ENTRIES;
}

static inline void append(struct evq *q, struct bucket *b, struct entry e)
{
	if (unlikely(b->tail == b->end))
		extend(q, b);
	*b->tail++ = e;
}

static inline void file_later(struct evq *q, struct evq_radix *r, struct entry e, vtime_t base)
{
	unsigned int bit = 63 - (unsigned int)__builtin_clzll(e.due ^ base);
	struct bucket *b = &r->bucket[bit + 1];

	append(q, b, e);
	b->min = e.due < b->min ? e.due : b->min;
	r->used |= UINT64_C(1) << bit;
}

static inline void file(struct evq *q, struct evq_radix *r, struct entry e, vtime_t base)
{
	if (e.due == base)
		append(q, &r->bucket[0], e);
	else
		file_later(q, r, e, base);
}

static void set_empty(struct evq_radix *r, unsigned int i, struct chunk *keep)
{
	struct bucket *b = &r->bucket[i];

	b->head = keep;
	b->tail = keep->entry;
	b->end = keep->entry + CHUNK_ENTRIES;
	b->min = VTIME_MAX;
	if (i) {
		r->used &= ~(UINT64_C(1) << (i - 1));
		r->stale &= ~(UINT64_C(1) << (i - 1));
	} else {
		r->ready = b->tail;
	}
}

typedef int32_t lanes __attribute__((vector_size(16)));

#define NR_LANES 4
#define NR_GROUPS ((CHUNK_ENTRIES + NR_LANES - 1) / NR_LANES)
#define PLACE_BITS 5 /* CHUNK_ENTRIES is below 1 << PLACE_BITS */
#define DUE_BITS (31 - PLACE_BITS)

/*
 * Sort by counting, for each entry, those that come before it: no branch depends on
 * a due time, and four entries are counted at once.  Due times are at least @min and
 * differ in the lowest @bits bits.  A key has as many of these as it can hold, then
 * the place, which tells equal ones apart.  What it lacks is put right by a pass
 * over entries that are nearly sorted.
 */
static void sort(struct entry *to, const struct entry *from, size_t n, vtime_t min,
		 unsigned int bits)
{
	union {
		lanes group[NR_GROUPS];
		int32_t of[NR_GROUPS * NR_LANES];
	} key, rank;
	unsigned int shift = bits > DUE_BITS ? bits - DUE_BITS : 0;
	size_t nr_groups = (n + NR_LANES - 1) / NR_LANES;

	key.group[nr_groups - 1] = (lanes){INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX};
	for (size_t i = 0; i < n; i++)
		key.of[i] = (int32_t)((from[i].due - min) >> shift << PLACE_BITS | i);
	for (size_t g = 0; g < nr_groups; g++) {
		lanes sum = {0}, own = key.group[g];

		for (size_t i = 0; i < n; i++)
			sum -= own > key.of[i];
		rank.group[g] = sum;
	}
	for (size_t i = 0; i < n; i++)
		to[rank.of[i]] = from[i];

	for (size_t i = 1; shift && i < n; i++) {
		struct entry e = to[i];
		size_t k = i;

		for (; k && to[k - 1].due > e.due; k--)
			to[k] = to[k - 1];
		to[k] = e;
	}
}

/*
 * Make the first non-empty bucket, @i, of one chunk, the run.  What is posted
 * into the bucket's span from now on goes to the run too, so that buckets up to
 * @i stay empty, and the base may follow the run.
 */
static void start_run(struct evq_radix *r, unsigned int i)
{
	struct bucket *b = &r->bucket[i];
	size_t n = (size_t)(b->tail - b->head->entry);

	for (size_t k = 0; k < n; k++) {
		const char *ev = (const char *)b->head->entry[k].ev;

		/* And what its owner keeps behind it. */
		__builtin_prefetch(ev, 1);
		__builtin_prefetch(ev + CACHE_LINE, 1);
	}
	sort(r->run_space, b->head->entry, n, b->min, i - 1);
	r->run = r->run_space;
	r->run_end = r->run + n;
	r->run_limit = b->min | ((UINT64_C(1) << (i - 1)) - 1);
	set_empty(r, i, b->head);
}

/* The run has no room left: back into the buckets, which hold nothing of its span. */
static __attribute__((noinline)) void spill_run(struct evq *q)
{
	struct evq_radix *r = q->radix;

	for (; r->run != r->run_end; r->run++)
		file(q, r, *r->run, r->base);
	r->run_limit = 0;
}

static void run_add(struct evq *q, struct entry e)
{
	struct evq_radix *r = q->radix;
	struct entry *at;

	if (r->run_end == r->run_space + RUN_MAX) {
		size_t n = (size_t)(r->run_end - r->run);

		if (n > RUN_MAX / 2) {
			spill_run(q);
			file(q, r, e, r->base);
			return;
		}
		memmove(r->run_space, r->run, n * sizeof(e));
		r->run = r->run_space;
		r->run_end = r->run + n;
	}
	for (at = r->run_end++; at != r->run && at[-1].due > e.due; at--)
		*at = at[-1];
	*at = e;
}

/* Move the base to the first of the run, and take that; others due then become ready. */
static inline struct event *run_take(struct evq *q, struct evq_radix *r)
{
	struct event *ev = r->run->ev;

	r->base = r->run->due;
	for (r->run++; unlikely(r->run != r->run_end && r->run->due == r->base); r->run++)
		file(q, r, *r->run, r->base);
	return ev;
}

/* file(), for many in a row: @used and what it returns are bits that r->used has yet to get. */
static inline uint64_t file_again(struct evq *q, struct evq_radix *r, struct entry e, vtime_t base,
				  uint64_t used)
{
	vtime_t differs = e.due ^ base;
	unsigned int i = differs ? 64 - (unsigned int)__builtin_clzll(differs) : 0;
	struct bucket *b = &r->bucket[i];

	if (unlikely(b->tail == b->end)) {
		/* Without memory it takes a chunk that nobody uses. */
		r->used |= used;
		extend(q, b);
	}
	*b->tail++ = e;
	if (!i)
		return used;
	b->min = e.due < b->min ? e.due : b->min;
	return used | UINT64_C(1) << (i - 1);
}

/* Move the base to the earliest due time of the first non-empty bucket, @i, and file that anew. */
static void refile(struct evq *q, struct evq_radix *r, unsigned int i)
{
	struct bucket *b = &r->bucket[i];
	struct chunk *c = b->head;
	vtime_t base = b->min;
	uint64_t used = 0;

	r->base = base;
	while (b->end != c->entry + CHUNK_ENTRIES) {
		struct chunk *next = c->next;

		for (unsigned int k = 0; k < CHUNK_ENTRIES; k++)
			used = file_again(q, r, c->entry[k], base, used);
		release_chunk(r, c);
		c = next;
	}
	for (const struct entry *e = c->entry; e < b->tail; e++) {
		/* In a bucket this short they will be popped soon. */
		__builtin_prefetch(e->ev, 1);
		used = file_again(q, r, *e, base, used);
	}
	r->used |= used;
	set_empty(r, i, c);
}

/* The entry after @e; at the end of the last chunk, that end. */
static struct entry *next_entry(struct chunk **c, struct entry *e)
{
	if (++e == (*c)->entry + CHUNK_ENTRIES && (*c)->next) {
		*c = (*c)->next;
		e = (*c)->entry;
	}
	return e;
}

/* ---- dead entries -------------------------------------------------------- */

static size_t dead_slot(const struct evq_radix *r, struct entry e)
{
	uint64_t key = ((uintptr_t)e.ev >> 3) ^ (e.due * UINT64_C(0xd6e8feb86659fd93));

	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (r->max_dead - 1);
}

static void dead_add(struct evq_radix *r, struct entry e)
{
	size_t i = dead_slot(r, e);

	while (r->dead[i].ev)
		i = (i + 1) & (r->max_dead - 1);
	r->dead[i] = e;
	r->nr_dead++;
}

/* Empty slot @hole without cutting off those behind it that were meant to be nearer. */
static void dead_close(struct evq_radix *r, size_t hole)
{
	size_t mask = r->max_dead - 1;

	for (size_t i = (hole + 1) & mask; r->dead[i].ev; i = (i + 1) & mask) {
		if (((i - dead_slot(r, r->dead[i])) & mask) >= ((i - hole) & mask)) {
			r->dead[hole] = r->dead[i];
			hole = i;
		}
	}
	r->dead[hole].ev = NULL;
	r->nr_dead--;
}

/* Is @e, the oldest entry of its kind, dead?  If so it must be dropped: it is forgotten here. */
static bool dead_take(struct evq_radix *r, struct entry e)
{
	if (!r->nr_dead)
		return false;
	for (size_t i = dead_slot(r, e); r->dead[i].ev; i = (i + 1) & (r->max_dead - 1)) {
		if (r->dead[i].ev == e.ev && r->dead[i].due == e.due) {
			dead_close(r, i);
			r->room++;
			return true;
		}
	}
	return false;
}

static bool dead_grow(struct evq *q)
{
	struct evq_radix *r = q->radix;
	struct entry *old = r->dead;
	size_t max = r->max_dead;
	struct entry *dead = arena_alloc(q->arena, 2 * max * sizeof(*dead));

	if (!dead)
		return false;
	r->dead = dead;
	r->max_dead = 2 * max;
	r->nr_dead = 0;
	for (size_t i = 0; i < max; i++) {
		if (old[i].ev)
			dead_add(r, old[i]);
	}
	arena_free(q->arena, old, max * sizeof(*old));
	return true;
}

/* ---- the early heap ------------------------------------------------------ */

static bool before(const struct event *a, const struct event *b)
{
	return a->due < b->due || (a->due == b->due && a->seq < b->seq);
}

static void early_place(struct evq_radix *r, size_t i, struct event *ev)
{
	r->early[i] = ev;
	ev->place = PLACE_EARLY + (uint32_t)i;
}

static void early_sift_up(struct evq_radix *r, size_t i, struct event *ev)
{
	for (; i && before(ev, r->early[(i - 1) / 4]); i = (i - 1) / 4)
		early_place(r, i, r->early[(i - 1) / 4]);
	early_place(r, i, ev);
}

static void early_sift_down(struct evq_radix *r, size_t i, struct event *ev)
{
	for (;;) {
		size_t first = i * 4 + 1, best = first;

		if (first >= r->nr_early)
			break;
		for (size_t c = first + 1; c < first + 4 && c < r->nr_early; c++)
			best = before(r->early[c], r->early[best]) ? c : best;
		if (!before(r->early[best], ev))
			break;
		early_place(r, i, r->early[best]);
		i = best;
	}
	early_place(r, i, ev);
}

static void early_remove(struct evq_radix *r, size_t i)
{
	struct event *last = r->early[--r->nr_early];

	r->early[i]->place = PLACE_NONE;
	if (i == r->nr_early)
		return;
	if (i && before(last, r->early[(i - 1) / 4]))
		early_sift_up(r, i, last);
	else
		early_sift_down(r, i, last);
}

static __attribute__((noinline)) bool early_add(struct evq *q, struct event *ev)
{
	struct evq_radix *r = q->radix;

	if (r->nr_early == r->max_early) {
		size_t max = r->max_early ? 2 * r->max_early : 16;
		struct event **early = arena_realloc(q->arena, r->early,
						     r->max_early * sizeof(struct event *),
						     max * sizeof(struct event *));

		if (!early)
			return false;
		r->early = early;
		r->max_early = max;
	}
	early_sift_up(r, r->nr_early++, ev);
	return true;
}

/* ---- dropping what is dead ----------------------------------------------- */

/* Make @e, in chunk @c, the end of bucket @i. */
static void truncate(struct evq_radix *r, unsigned int i, struct chunk *c, struct entry *e)
{
	struct bucket *b = &r->bucket[i];

	for (struct chunk *rest = c->next, *next; rest; rest = next) {
		next = rest->next;
		release_chunk(r, rest);
	}
	c->next = NULL;
	b->tail = e;
	b->end = c->entry + CHUNK_ENTRIES;
}

/* Drop the dead entries of bucket @i, which is not empty; its min becomes exact. */
static void purge(struct evq_radix *r, unsigned int i)
{
	struct bucket *b = &r->bucket[i];
	struct entry *from = i ? b->head->entry : r->ready, *to = from, *last = from;
	struct chunk *from_chunk = b->head, *to_chunk = from_chunk, *last_chunk = from_chunk;
	bool any = false;

	b->min = VTIME_MAX;
	for (; from != b->tail; from = next_entry(&from_chunk, from)) {
		if (dead_take(r, *from))
			continue;
		any = true;
		*to = *from;
		b->min = to->due < b->min ? to->due : b->min;
		last = to;
		last_chunk = to_chunk;
		to = next_entry(&to_chunk, to);
	}
	truncate(r, i, last_chunk, last + 1);
	if (!any)
		set_empty(r, i, last_chunk);
	else if (i)
		r->stale &= ~(UINT64_C(1) << (i - 1));
}

static void purge_all(struct evq_radix *r)
{
	if (r->ready != r->bucket[0].tail)
		purge(r, 0);
	for (uint64_t left = r->used; left; left &= left - 1)
		purge(r, (unsigned int)__builtin_ctzll(left) + 1);
	sim_assert(r->nr_dead == 0);
}

static inline void skip_ready(struct evq_radix *r)
{
	struct bucket *b = &r->bucket[0];
	struct chunk *c = b->head;

	if (++r->ready == b->tail) {
		/* One chunk is left, or the tail would not be in the first. */
		r->ready = b->tail = c->entry;
	} else if (r->ready == c->entry + CHUNK_ENTRIES) {
		b->head = c->next;
		r->ready = b->head->entry;
		release_chunk(r, c);
	}
}

/* An empty queue forgets where its base was: else what comes next might all be early. */
static void restart(struct evq *q)
{
	purge_all(q->radix);
	q->radix->base = q->now;
}

/* ---- the queue ----------------------------------------------------------- */

void evq_init(struct evq *q, struct arena *a)
{
	memset(q, 0, sizeof(*q));
	q->arena = a;
	q->next = VTIME_MAX;
}

static bool set_up(struct evq *q)
{
	struct evq_radix *r = arena_alloc(q->arena, sizeof(*r));

	if (!r)
		return false;
	r->dead = arena_alloc(q->arena, DEAD_MIN * sizeof(*r->dead));
	if (!r->dead) {
		arena_free(q->arena, r, sizeof(*r));
		return false;
	}
	r->max_dead = DEAD_MIN;
	r->base = q->now;
	for (unsigned int i = 0; i < NR_BUCKETS; i++)
		r->bucket[i].min = VTIME_MAX;
	q->radix = r;
	return true;
}

static __attribute__((noinline)) bool make_room(struct evq *q)
{
	if (!q->radix && !set_up(q))
		return false;
	while (q->radix->room == 0) {
		if (!add_chunk(q))
			return false;
	}
	return true;
}

/* Whatever evq_post() does not do at once.  False: no memory, nothing changed. */
static __attribute__((noinline)) bool post_slowly(struct evq *q, struct event *ev, vtime_t due)
{
	struct evq_radix *r;

	if ((!q->radix || !q->radix->room) && !make_room(q))
		return false;
	r = q->radix;
	ev->due = due;
	ev->seq = q->seq;
	if (due >= r->base) {
		struct entry e = {due, ev};

		if (due > r->base && due <= r->run_limit)
			run_add(q, e);
		else
			file(q, r, e, r->base);
		ev->place = PLACE_BUCKET;
		r->room--;
	} else if (!early_add(q, ev)) {
		return false;
	}
	q->seq++;
	q->len++;
	q->next = due < q->next ? due : q->next;
	return true;
}

bool evq_post(struct evq *q, struct event *ev, vtime_t due)
{
	struct evq_radix *r = q->radix;
	struct bucket *b;
	unsigned int bit;

	sim_assert(due >= q->now && due < VTIME_MAX);
	sim_assert(ev->place == PLACE_NONE);
	if (unlikely(!r || !r->room || due <= r->run_limit || due <= r->base))
		return post_slowly(q, ev, due);
	bit = 63 - (unsigned int)__builtin_clzll(due ^ r->base);
	b = &r->bucket[bit + 1];
	if (unlikely(b->tail == b->end))
		return post_slowly(q, ev, due);
	*b->tail++ = (struct entry){due, ev};
	b->min = due < b->min ? due : b->min;
	r->used |= UINT64_C(1) << bit;
	r->room--;
	ev->due = due;
	ev->seq = q->seq++;
	ev->place = PLACE_BUCKET;
	q->len++;
	q->next = due < q->next ? due : q->next;
	return true;
}

/* Take the newest entry of @ev out of bucket @i, which has one chunk. */
static void remove_entry(struct evq_radix *r, unsigned int i, const struct event *ev)
{
	struct bucket *b = &r->bucket[i];
	struct entry *first = i ? b->head->entry : r->ready, *e = b->tail;

	do {
		sim_assert(e != first);
		e--;
	} while (e->ev != ev || e->due != ev->due);
	memmove(e, e + 1, (size_t)((char *)b->tail - (char *)(e + 1)));
	b->tail--;
	r->room++;
	if (b->tail == first) {
		set_empty(r, i, b->head);
		return;
	}
	if (i && ev->due == b->min)
		r->stale |= UINT64_C(1) << (i - 1);
}

static void cancel_in_run(struct evq_radix *r, const struct event *ev)
{
	struct entry *e = r->run;

	while (e->ev != ev) {
		sim_assert(e != r->run_end);
		e++;
	}
	memmove(e, e + 1, (size_t)((char *)r->run_end - (char *)(e + 1)));
	r->run_end--;
	r->room++;
}

static void cancel_in_bucket(struct evq *q, const struct event *ev)
{
	struct evq_radix *r = q->radix;
	vtime_t differs = ev->due ^ r->base;
	unsigned int i = differs ? 64 - (unsigned int)__builtin_clzll(differs) : 0;
	struct bucket *b = &r->bucket[i];

	if (one_chunk(b)) {
		remove_entry(r, i, ev);
	} else {
		/*
		 * More dead than alive, or no memory: drop them all.  Only then is the
		 * entry of @ev marked, so there is always a slot for it.
		 */
		if (2 * (r->nr_dead + 1) > r->max_dead && (r->nr_dead > q->len || !dead_grow(q)))
			purge_all(r);
		dead_add(r, (struct entry){ev->due, (struct event *)(uintptr_t)ev});
		if (i && ev->due == b->min)
			r->stale |= UINT64_C(1) << (i - 1);
	}
	while (i == 0 && r->ready != b->tail && dead_take(r, *r->ready))
		skip_ready(r);
}

void evq_cancel(struct evq *q, struct event *ev)
{
	sim_assert(ev->place != PLACE_NONE);
	if (ev->place >= PLACE_EARLY)
		early_remove(q->radix, ev->place - PLACE_EARLY);
	else if (ev->due <= q->radix->run_limit && ev->due != q->radix->base)
		cancel_in_run(q->radix, ev);
	else
		cancel_in_bucket(q, ev);
	ev->place = PLACE_NONE;
	q->len--;
	if (q->next == ev->due)
		q->next = 0;
	if (q->len == 0)
		restart(q);
}

/* The first non-empty bucket after bucket 0, with no dead entry in it; there is a live event. */
static unsigned int first_clean(struct evq_radix *r)
{
	for (;;) {
		unsigned int i = (unsigned int)__builtin_ctzll(r->used) + 1;

		if (!r->nr_dead && !(r->stale & r->used & -r->used))
			return i;
		purge(r, i);
		if (r->used >> (i - 1) & 1)
			return i;
	}
}

vtime_t evq_find_next(struct evq *q)
{
	struct evq_radix *r = q->radix;

	if (q->len == 0)
		q->next = VTIME_MAX;
	else if (r->nr_early)
		q->next = r->early[0]->due;
	else if (r->ready != r->bucket[0].tail)
		q->next = r->base;
	else if (r->run != r->run_end)
		q->next = r->run->due;
	else if (!(r->stale & r->used & -r->used))
		q->next = r->bucket[__builtin_ctzll(r->used) + 1].min;
	else {
		unsigned int i = first_clean(r);

		q->next = r->bucket[i].min;
		/* Or each cancelling of the earliest event would search all of the bucket again. */
		if (!one_chunk(&r->bucket[i]))
			refile(q, r, i);
	}
	return q->next;
}

static __attribute__((noinline)) struct event *pop_early(struct evq *q)
{
	struct evq_radix *r = q->radix;
	struct event *ev = r->early[0];

	early_remove(r, 0);
	q->now = ev->due;
	q->next = 0;
	if (--q->len == 0)
		restart(q);
	return ev;
}

/* Take the earliest event out of the first non-empty bucket; NULL if it is ready instead. */
static struct event *next_bucket(struct evq *q, struct evq_radix *r)
{
	unsigned int i = first_clean(r);

	if (!one_chunk(&r->bucket[i])) {
		refile(q, r, i);
		return NULL;
	}
	start_run(r, i);
	return run_take(q, r);
}

static __attribute__((noinline)) struct event *pop_slowly(struct evq *q, struct evq_radix *r)
{
	struct event *ev = NULL;

	if (r->nr_early)
		return pop_early(q);
	if (r->ready == r->bucket[0].tail)
		ev = r->run != r->run_end ? run_take(q, r) : next_bucket(q, r);
	if (!ev) {
		ev = r->ready->ev;
		skip_ready(r);
		while (r->nr_dead && r->ready != r->bucket[0].tail && dead_take(r, *r->ready))
			skip_ready(r);
	}
	r->room++;
	q->now = r->base;
	q->next = r->ready != r->bucket[0].tail ? r->base : 0;
	q->len--;
	ev->place = PLACE_NONE;
	return ev;
}

struct event *evq_pop(struct evq *q)
{
	struct evq_radix *r = q->radix;
	struct entry *e;

	if (unlikely(q->len == 0))
		return NULL;
	e = r->run;
	/* The first of the run is the earliest, alone with its due time, and not the last. */
	if (unlikely(r->run_end - e < 2 || e->due != q->next || e[1].due == e->due))
		return pop_slowly(q, r);
	r->run = e + 1;
	r->base = e->due;
	r->room++;
	q->now = e->due;
	q->next = e[1].due;
	q->len--;
	e->ev->place = PLACE_NONE;
	return e->ev;
}

const struct event *evq_peek(const struct evq *q)
{
	const struct evq_radix *r = q->radix;

	/* Nothing dead is ever in the run. */
	return r->run != r->run_end ? r->run->ev : NULL;
}

void evq_advance(struct evq *q, vtime_t now)
{
	sim_assert(now >= q->now && now <= evq_next_due(q));
	q->now = now;
}
