// SPDX-License-Identifier: GPL-2.0-only
/*
 * use-after-free: nothing touches an object that is freed, or not allocated yet.
 *
 * Numbers of objects are never reused, so one entry per object decides every
 * case.  An object that never gets an OBJ_NEW (a CPU, a lock) has no beginning
 * to come before.
 */

#include <inttypes.h>
#include <string.h>

#include "sim/check/ledger.h"

struct life {
	uint64_t first : 63; /* seq of its allocation, or of the first touch if that came before */
	uint64_t born : 1;   /* it is the allocation */
	uint64_t freed;	     /* seq, 0 while it lives */
};

/* Entries never go away, and the next record mostly speaks of what the last one did. */
struct recent {
	oid_t id;
	struct life *life;
};

struct ledger {
	struct map lives; /* by object */
	struct map works; /* by work item: oid_t, the object whose memory it uses */
	struct recent recent[NR_OBJECT_KINDS];
};

#define IN_OBJ 0x10
#define IN_ARG(i) (1 << (i))

/*
 * Which kinds of records mean that memory was read or written, and where the
 * object is named.  Left out on purpose: WORK_END and CACHE_DESTROY, because the
 * item or the cache may be gone by then; OBJ_STATE, which is a note, no access.
 */
#define TOUCHES(X)                                                                                 \
	X(ACCESS, IN_OBJ)                                                                          \
	X(LOCK_WAIT, IN_OBJ)                                                                       \
	X(LOCK_ACQUIRE, IN_OBJ)                                                                    \
	X(LOCK_RELEASE, IN_OBJ)                                                                    \
	X(CALL_RCU, IN_ARG(0))                                                                     \
	X(RCU_CALLBACK, IN_ARG(0))                                                                 \
	X(WORK_INIT, IN_OBJ | IN_ARG(0))                                                           \
	X(QUEUE_WORK, IN_OBJ)                                                                      \
	X(WORK_START, IN_OBJ | IN_ARG(0))                                                          \
	X(WORK_NULL, IN_OBJ | IN_ARG(0))                                                           \
	X(WORK_CANCEL, IN_OBJ)                                                                     \
	X(REF_INIT, IN_OBJ)                                                                        \
	X(REF_GET, IN_OBJ)                                                                         \
	X(REF_TRYGET, IN_OBJ)                                                                      \
	X(REF_PUT, IN_OBJ)                                                                         \
	X(REF_MOVE, IN_OBJ)                                                                        \
	X(REF_KILL, IN_OBJ)                                                                        \
	X(REF_ATOMIC, IN_OBJ)                                                                      \
	X(REF_ZERO, IN_OBJ)                                                                        \
	X(REF_EXIT, IN_OBJ)                                                                        \
	X(OBJ_PUBLISH, IN_OBJ)                                                                     \
	X(SYSFS_ADD, IN_OBJ | IN_ARG(0))                                                           \
	X(SYSFS_DEL, IN_OBJ | IN_ARG(0))                                                           \
	X(CSS_ONLINE, IN_OBJ)                                                                      \
	X(CSS_KILLED, IN_OBJ)                                                                      \
	X(CSS_OFFLINE, IN_OBJ)                                                                     \
	X(CSS_OFFLINE_END, IN_OBJ)                                                                 \
	X(CSS_RELEASED, IN_OBJ)                                                                    \
	X(CACHE_ALIAS, IN_OBJ)                                                                     \
	X(CACHE_SLOT_SET, IN_OBJ | IN_ARG(0))                                                      \
	X(CACHE_SLOT_CLEAR, IN_ARG(0))                                                             \
	X(CACHE_LOOKUP, IN_OBJ | IN_ARG(0) | IN_ARG(1))                                            \
	X(CACHE_PUT, IN_OBJ)                                                                       \
	X(CACHE_REPARENT, IN_OBJ | IN_ARG(1))                                                      \
	X(CACHE_DEACTIVATE, IN_OBJ)                                                                \
	X(CACHE_SHRINK, IN_OBJ)                                                                    \
	X(CACHE_DYING, IN_OBJ)                                                                     \
	X(CACHE_SHUTDOWN, IN_OBJ)                                                                  \
	X(CACHE_UNLINK, IN_OBJ)                                                                    \
	X(SLAB_ALLOC, IN_ARG(0))                                                                   \
	X(SLAB_CHARGE, IN_OBJ | IN_ARG(0) | IN_ARG(1))                                             \
	X(SLAB_DISCARD, IN_OBJ | IN_ARG(0))                                                        \
	X(SLAB_UNCHARGE, IN_OBJ | IN_ARG(0) | IN_ARG(1))                                           \
	X(OBJECT_ALLOC, IN_ARG(0) | IN_ARG(1))                                                     \
	X(OBJECT_FREE, IN_ARG(0) | IN_ARG(1))                                                      \
	X(COUNTER_CHARGE, IN_OBJ)                                                                  \
	X(COUNTER_UNCHARGE, IN_OBJ)                                                                \
	X(CHARGE_FAIL, IN_OBJ | IN_ARG(1))                                                         \
	X(STOCK_REFILL, IN_OBJ)                                                                    \
	X(STOCK_CONSUME, IN_OBJ)                                                                   \
	X(STOCK_DRAIN, IN_OBJ)                                                                     \
	X(USER_CHARGE, IN_OBJ)                                                                     \
	X(USER_UNCHARGE, IN_OBJ)

static const uint8_t touched_in[NR_TRACE_KINDS] = {
#define X(kind, where) [TR_##kind] = (where),
	TOUCHES(X)
#undef X
};

static const uint16_t kinds[] = {
#define X(kind, where) TR_##kind,
	TOUCHES(X)
#undef X
		TR_NULL_DEREF,
	TR_OBJ_NEW,
	TR_OBJ_FREE,
	TR_CACHE_CREATE,
	NR_TRACE_KINDS,
};

static struct life *life_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;
	struct recent *recent = &led->recent[oid_kind(id) % NR_OBJECT_KINDS];

	if (recent->id != id || !recent->life) {
		recent->id = id;
		recent->life = ledger_entry(c, &led->lives, id, 0);
	}
	return recent->life;
}

static void relate(struct violation *v, const struct life *life)
{
	v->related[0] = life->born ? life->first : 0;
	v->related[1] = life->freed;
}

static void report_freed(struct checker *c, const struct trace_record *r, oid_t id,
			 const struct life *life)
{
	static const char *const modes[] = {"read", "write", "read and write"};
	const char *what = trace_kinds[r->kind].name, *name = r->str ? r->str : "";

	if (r->kind == TR_ACCESS && r->arg[1] >= 0 && r->arg[1] <= 2)
		what = modes[r->arg[1]];
	relate(checker_violation(c, r, id, "use after free of %s: %s%s%s, freed at seq %" PRIu64,
				 oid_str(id).s, what, *name ? " " : "", name, life->freed),
	       life);
}

static void touch(struct checker *c, const struct trace_record *r, oid_t id)
{
	struct life *life;

	if (!id)
		return;
	life = life_of(c, id);
	if (!life->first)
		life->first = r->seq;
	if (life->freed)
		report_freed(c, r, id, life);
}

/* A work item that lives inside a freed object is freed memory, whatever its own number says. */
static void touch_work(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	oid_t *of = ledger_entry(c, &led->works, r->obj, 0);
	const struct life *host;

	if (r->kind == TR_WORK_INIT)
		*of = arg_oid(r, 0);
	if (r->kind != TR_QUEUE_WORK || !*of)
		return;
	host = life_of(c, *of);
	if (host->freed)
		report_freed(c, r, *of, host);
}

static void born(struct checker *c, const struct trace_record *r, oid_t id)
{
	struct life *life = life_of(c, id);

	if (life->born) {
		relate(checker_violation(c, r, id, "allocated twice: %s exists since seq %" PRIu64,
					 oid_str(id).s, (uint64_t)life->first),
		       life);
	} else if (life->first) {
		checker_violation(c, r, id,
				  "used before allocation: %s was touched at seq %" PRIu64
				  " and is allocated only now",
				  oid_str(id).s, (uint64_t)life->first)
			->related[0] = life->first;
	}
	life->first = r->seq;
	life->born = true;
}

/* Caches and slab pages are in use, and may have been touched, before this says what they are. */
static void made(struct checker *c, const struct trace_record *r)
{
	struct life *life = life_of(c, r->obj);

	if (life->born)
		return;
	life->first = r->seq;
	life->born = true;
}

static void freed(struct checker *c, const struct trace_record *r, oid_t id)
{
	struct life *life;

	if (!id)
		return;
	life = life_of(c, id);
	if (life->freed)
		relate(checker_violation(c, r, id, "double free: %s was freed at seq %" PRIu64,
					 oid_str(id).s, life->freed),
		       life);
	else
		life->freed = r->seq;
}

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	map_init(&led->lives, c->set->arena, sizeof(struct life));
	map_init(&led->works, c->set->arena, sizeof(oid_t));
}

static void on_record(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	uint8_t where = touched_in[r->kind];

	if (!led->lives.arena)
		init(c);

	if (r->kind == TR_NULL_DEREF || (r->kind == TR_ACCESS && !r->obj))
		checker_violation(c, r, r->obj, "NULL dereference: %s of %s",
				  r->str ? r->str : "a pointer", oid_str(r->obj).s);
	if (where & IN_OBJ)
		touch(c, r, r->obj);
	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		if (where & IN_ARG(i))
			touch(c, r, arg_oid(r, i));
	}
	if (r->kind == TR_WORK_INIT || r->kind == TR_QUEUE_WORK)
		touch_work(c, r);
	if (r->kind == TR_OBJ_NEW || (r->kind == TR_OBJECT_ALLOC && r->obj))
		born(c, r, r->obj);
	if (r->kind == TR_CACHE_CREATE || r->kind == TR_SLAB_ALLOC)
		made(c, r);
	if (r->kind == TR_OBJ_FREE || r->kind == TR_OBJECT_FREE)
		freed(c, r, r->obj);
}

const struct checker_ops check_use_after_free = {
	.name = "use-after-free",
	.claim = "nothing touches an object that is freed or not allocated yet, "
		 "and nothing is freed twice",
	.source = "memory safety (what KASAN and slab poisoning report in the kernel)",
	.kinds = kinds,
	.ledger_size = sizeof(struct ledger),
	.on_record = on_record,
};
