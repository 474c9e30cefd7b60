// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE /* MADV_REMOVE */
#include "sim/explore/search/seen_shared.h"

#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#define STRIPE_BITS 8
#define NR_STRIPES (1 << STRIPE_BITS)
#define SLOTS_MIN 64
#define PROBES_MAX 64

/* What all read all the time, and hardly anybody writes, */
struct stripe {
	guint64 *slots; /* 0: free; NULL: none yet */
	guint64 nr_slots;
};

/* and what whoever adds something writes: not in the same lines of any cache. */
struct guard {
	char lock; /* taken while the stripe is read or written */
	guint64 count;
} __attribute__((aligned(64)));

/* At the start of the memory that is shared, at the same address in all processes. */
struct seen_shared {
	gsize size;	 /* of the mapping */
	gsize next;	 /* first byte that was never handed out */
	gsize used, max; /* bytes */
	char full;
	struct stripe stripes[NR_STRIPES] __attribute__((aligned(64)));
	struct guard guards[NR_STRIPES];
};

struct seen_shared *seen_shared_new(gsize max_bytes)
{
	/* Each time it doubles, the old half is given back but its addresses are not used again. */
	gsize size = sizeof(struct seen_shared) + 4 * max_bytes;
	struct seen_shared *s = mmap(NULL, size, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (s == MAP_FAILED)
		return NULL;
	s->size = size;
	s->max = max_bytes;
	s->next = (sizeof(*s) + 4095) & ~(gsize)4095;
	return s;
}

void seen_shared_free(struct seen_shared *s)
{
	munmap(s, s->size);
}

static void take_lock(struct guard *guard)
{
	while (__atomic_test_and_set(&guard->lock, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void drop_lock(struct guard *guard)
{
	__atomic_clear(&guard->lock, __ATOMIC_RELEASE);
}

static guint64 *new_slots(struct seen_shared *s, gsize bytes)
{
	gsize at;

	if (__atomic_add_fetch(&s->used, bytes, __ATOMIC_RELAXED) > s->max) {
		__atomic_sub_fetch(&s->used, bytes, __ATOMIC_RELAXED);
		return NULL;
	}
	at = __atomic_fetch_add(&s->next, bytes, __ATOMIC_RELAXED);
	return at + bytes <= s->size ? (guint64 *)((char *)s + at) : NULL;
}

static void drop_slots(struct seen_shared *s, guint64 *slots, gsize bytes)
{
	gsize page = (gsize)sysconf(_SC_PAGESIZE);
	gsize from = ((gsize)slots + page - 1) & ~(page - 1),
	      to = ((gsize)slots + bytes) & ~(page - 1);

	__atomic_sub_fetch(&s->used, bytes, __ATOMIC_RELAXED);
	if (from < to)
		(void)madvise((void *)from, to - from, MADV_REMOVE);
}

/* The low bits have chosen the stripe. */
static gboolean insert(guint64 *slots, guint64 nr, guint64 fingerprint)
{
	guint64 i = (fingerprint >> STRIPE_BITS) & (nr - 1);

	for (; slots[i]; i = (i + 1) & (nr - 1)) {
		if (slots[i] == fingerprint)
			return FALSE;
	}
	slots[i] = fingerprint;
	return TRUE;
}

static gboolean grow(struct seen_shared *s, struct stripe *stripe)
{
	guint64 nr = stripe->nr_slots ? 2 * stripe->nr_slots : SLOTS_MIN;
	guint64 *slots = new_slots(s, nr * sizeof(*slots));

	if (!slots)
		return FALSE;
	for (guint64 i = 0; i < stripe->nr_slots; i++) {
		if (stripe->slots[i])
			insert(slots, nr, stripe->slots[i]);
	}
	if (stripe->slots)
		drop_slots(s, stripe->slots, stripe->nr_slots * sizeof(*slots));
	/* Who asks without the lock must not go beyond what he knows of: the new are longer. */
	__atomic_store_n(&stripe->slots, slots, __ATOMIC_RELEASE);
	__atomic_store_n(&stripe->nr_slots, nr, __ATOMIC_RELEASE);
	return TRUE;
}

/* It may get fuller than it should once there is no room to grow; never quite full. */
static gboolean add(struct seen_shared *s, gsize nr, guint64 fingerprint)
{
	struct stripe *stripe = &s->stripes[nr];
	guint64 *count = &s->guards[nr].count;

	if (3 * (*count + 1) > 2 * stripe->nr_slots && !grow(s, stripe)) {
		__atomic_store_n(&s->full, 1, __ATOMIC_RELAXED);
		if (*count + 1 >= stripe->nr_slots)
			return TRUE;
	}
	if (!insert(stripe->slots, stripe->nr_slots, fingerprint))
		return FALSE;
	++*count;
	return TRUE;
}

/*
 * Without the lock, which most questions do not need: is it there?  Slots that were given back
 * meanwhile read as free, and what else may be found there belongs to other stripes.
 */
static gboolean is_there(const struct stripe *stripe, guint64 fingerprint)
{
	const guint64 *slots = __atomic_load_n(&stripe->slots, __ATOMIC_ACQUIRE);
	guint64 nr = __atomic_load_n(&stripe->nr_slots, __ATOMIC_RELAXED);
	guint64 i = fingerprint >> STRIPE_BITS;

	for (int probes = 0; slots && nr && probes < PROBES_MAX; probes++, i++) {
		guint64 found = __atomic_load_n(&slots[i & (nr - 1)], __ATOMIC_RELAXED);

		if (!found || found == fingerprint)
			return found != 0;
	}
	return FALSE;
}

gboolean seen_shared_add(struct seen_shared *s, guint64 fingerprint)
{
	gsize nr = fingerprint & (NR_STRIPES - 1);
	gboolean fresh;

	if (is_there(&s->stripes[nr], fingerprint))
		return FALSE;
	take_lock(&s->guards[nr]);
	fresh = add(s, nr, fingerprint);
	drop_lock(&s->guards[nr]);
	return fresh;
}

gboolean seen_shared_has(const struct seen_shared *s, guint64 fingerprint)
{
	return is_there(&s->stripes[fingerprint & (NR_STRIPES - 1)], fingerprint);
}

/* Should the table grow meanwhile, that was for nothing. */
void seen_shared_prefetch(const struct seen_shared *s, guint64 fingerprint)
{
	const struct stripe *stripe = &s->stripes[fingerprint & (NR_STRIPES - 1)];
	const guint64 *slots = __atomic_load_n(&stripe->slots, __ATOMIC_RELAXED);
	guint64 nr = __atomic_load_n(&stripe->nr_slots, __ATOMIC_RELAXED);

	if (slots && nr)
		__builtin_prefetch(slots + ((fingerprint >> STRIPE_BITS) & (nr - 1)));
}

guint64 seen_shared_count(const struct seen_shared *s)
{
	guint64 count = 0;

	for (int i = 0; i < NR_STRIPES; i++)
		count += s->guards[i].count;
	return count;
}

gsize seen_shared_bytes(const struct seen_shared *s)
{
	return __atomic_load_n(&s->used, __ATOMIC_RELAXED);
}

gboolean seen_shared_is_full(const struct seen_shared *s)
{
	return __atomic_load_n(&s->full, __ATOMIC_RELAXED) != 0;
}

void seen_shared_list(const struct seen_shared *s, GArray *list)
{
	for (int i = 0; i < NR_STRIPES; i++) {
		const struct stripe *stripe = &s->stripes[i];

		for (guint64 k = 0; k < stripe->nr_slots; k++) {
			if (stripe->slots[k])
				g_array_append_val(list, stripe->slots[k]);
		}
	}
}
