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

struct ledger {
	struct objects lives;
	struct table works; /* by work item: oid_t, the object whose memory it uses */
};

#define IN_OBJ 0x10
#define IN_ARG(i) (1 << (i))

static struct life *life_of(struct checker *c, oid_t id)
{
	struct ledger *led = c->ledger;

	return ledger_object(c, &led->lives, id);
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

/* The first touch, or one that comes too late. */
static void note_touch(struct checker *c, const struct trace_record *r, oid_t id)
{
	struct life *life = life_of(c, id);

	if (!life->first)
		life->first = r->seq;
	if (life->freed)
		report_freed(c, r, id, life);
}

/* Nearly all touches are of something that lives and was touched before: nothing to note. */
static inline void touch(struct checker *c, const struct trace_record *r, oid_t id)
{
	const struct ledger *led = c->ledger;
	const struct life *life;

	if (!id)
		return;
	life = objects_find(&led->lives, id);
	if (!life || !life->first || life->freed)
		note_touch(c, r, id);
}

/* @where is a constant wherever this is inlined. */
static inline void touch_all(struct checker *c, const struct trace_record *r, unsigned int where)
{
	if (where & IN_OBJ)
		touch(c, r, r->obj);
	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		if (where & IN_ARG(i))
			touch(c, r, arg_oid(r, i));
	}
}

/* A work item that lives inside a freed object is freed memory, whatever its own number says. */
static void touch_work(struct checker *c, const struct trace_record *r)
{
	struct ledger *led = c->ledger;
	oid_t *of = ledger_number(c, &led->works, oid_nr(r->obj));
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

static void freed(struct checker *c, const struct trace_record *r)
{
	struct life *life;

	if (!r->obj)
		return;
	life = life_of(c, r->obj);
	if (life->freed)
		relate(checker_violation(c, r, r->obj, "double free: %s was freed at seq %" PRIu64,
					 oid_str(r->obj).s, life->freed),
		       life);
	else
		life->freed = r->seq;
}

static void null_dereference(struct checker *c, const struct trace_record *r)
{
	checker_violation(c, r, r->obj, "NULL dereference: %s of %s", r->str ? r->str : "a pointer",
			  oid_str(r->obj).s);
}

static void wrong_type(struct checker *c, const struct trace_record *r)
{
	checker_violation(c, r, r->obj, "wrong type: %s of %s is followed as a %s",
			  oid_str(arg_oid(r, 0)).s, oid_str(r->obj).s, r->str ? r->str : "pointer");
}

/* ---- records ---------------------------------------------------------------------- */

static void on_access(struct checker *c, const struct trace_record *r)
{
	if (r->obj)
		touch(c, r, r->obj);
	else
		null_dereference(c, r);
}

static void on_new(struct checker *c, const struct trace_record *r)
{
	born(c, r, r->obj);
}

/* What belongs to something that must live. */
static void on_list_new(struct checker *c, const struct trace_record *r)
{
	touch(c, r, arg_oid(r, 0));
	born(c, r, r->obj);
}

/* Caches and slab pages are in use, and may have been touched, before this says what they are. */
static void on_made(struct checker *c, const struct trace_record *r)
{
	struct life *life = life_of(c, r->obj);

	if (life->born)
		return;
	life->first = r->seq;
	life->born = true;
}

static void on_slab_alloc(struct checker *c, const struct trace_record *r)
{
	touch(c, r, arg_oid(r, 0));
	on_made(c, r);
}

static void on_object_alloc(struct checker *c, const struct trace_record *r)
{
	touch_all(c, r, IN_ARG(0) | IN_ARG(1));
	if (r->obj)
		born(c, r, r->obj);
}

static void on_object_free(struct checker *c, const struct trace_record *r)
{
	touch_all(c, r, IN_ARG(0) | IN_ARG(1));
	freed(c, r);
}

static void on_work_init(struct checker *c, const struct trace_record *r)
{
	touch_all(c, r, IN_OBJ | IN_ARG(0));
	touch_work(c, r);
}

static void on_queue_work(struct checker *c, const struct trace_record *r)
{
	touch(c, r, r->obj);
	touch_work(c, r);
}

/* The others mean that memory was read or written, of whatever they name there. */
#define TOUCHES(name, where)                                                                       \
	static void name(struct checker *c, const struct trace_record *r)                          \
	{                                                                                          \
		touch_all(c, r, where);                                                            \
	}
TOUCHES(on_obj, IN_OBJ)
TOUCHES(on_arg0, IN_ARG(0))
TOUCHES(on_arg0_arg1, IN_ARG(0) | IN_ARG(1))
TOUCHES(on_obj_arg0, IN_OBJ | IN_ARG(0))
TOUCHES(on_obj_arg1, IN_OBJ | IN_ARG(1))
TOUCHES(on_obj_arg0_arg1, IN_OBJ | IN_ARG(0) | IN_ARG(1))

static void init(struct checker *c)
{
	struct ledger *led = c->ledger;

	objects_init(&led->lives, c->set->arena, sizeof(struct life));
	table_init(&led->works, c->set->arena, sizeof(oid_t));
}

/*
 * Left out on purpose: WORK_END and CACHE_DESTROY, because the item or the cache may be gone by
 * then; OBJ_STATE, which is a note, no access.
 */
static const struct record_handler handlers[] = {
	{TR_ACCESS, on_access},
	{TR_NULL_DEREF, null_dereference},
	{TR_WRONG_TYPE, wrong_type},
	{TR_OBJ_NEW, on_new},
	{TR_OBJ_FREE, freed},
	{TR_CACHE_CREATE, on_made},
	{TR_SLAB_ALLOC, on_slab_alloc},
	{TR_OBJECT_ALLOC, on_object_alloc},
	{TR_OBJECT_FREE, on_object_free},
	{TR_WORK_INIT, on_work_init},
	{TR_QUEUE_WORK, on_queue_work},
	{TR_LOCK_WAIT, on_obj},
	{TR_LOCK_ACQUIRE, on_obj},
	{TR_LOCK_RELEASE, on_obj},
	{TR_CALL_RCU, on_arg0},
	{TR_RCU_CALLBACK, on_arg0},
	{TR_WORK_START, on_obj_arg0},
	{TR_WORK_NULL, on_obj_arg0},
	{TR_WORK_CANCEL, on_obj},
	{TR_REF_INIT, on_obj},
	{TR_REF_GET, on_obj},
	{TR_REF_TRYGET, on_obj},
	{TR_REF_PUT, on_obj},
	{TR_REF_MOVE, on_obj},
	{TR_REF_KILL, on_obj},
	{TR_REF_ATOMIC, on_obj},
	{TR_REF_ZERO, on_obj},
	{TR_REF_EXIT, on_obj},
	{TR_OBJ_PUBLISH, on_obj},
	{TR_SYSFS_ADD, on_obj_arg0},
	{TR_SYSFS_DEL, on_obj_arg0},
	{TR_CSS_ONLINE, on_obj},
	{TR_CSS_KILLED, on_obj},
	{TR_CSS_OFFLINE, on_obj},
	{TR_CSS_OFFLINE_END, on_obj},
	{TR_CSS_RELEASED, on_obj},
	{TR_CACHE_ALIAS, on_obj},
	{TR_CACHE_SLOT_SET, on_obj_arg0},
	{TR_CACHE_SLOT_CLEAR, on_arg0},
	{TR_CACHE_LOOKUP, on_obj_arg0_arg1},
	{TR_CACHE_PUT, on_obj},
	{TR_CACHE_REPARENT, on_obj_arg1},
	{TR_CACHE_DEACTIVATE, on_obj},
	{TR_CACHE_SHRINK, on_obj},
	{TR_CACHE_DYING, on_obj},
	{TR_CACHE_SHUTDOWN, on_obj},
	{TR_CACHE_UNLINK, on_obj},
	{TR_SLAB_CHARGE, on_obj_arg0_arg1},
	{TR_SLAB_DISCARD, on_obj_arg0},
	{TR_SLAB_UNCHARGE, on_obj_arg0_arg1},
	{TR_COUNTER_CHARGE, on_obj},
	{TR_COUNTER_UNCHARGE, on_obj},
	{TR_CHARGE_FAIL, on_obj_arg1},
	{TR_CHARGE_FORCE, on_obj_arg1},
	{TR_STOCK_REFILL, on_obj},
	{TR_STOCK_CONSUME, on_obj},
	{TR_STOCK_DRAIN, on_obj},
	{TR_USER_CHARGE, on_obj},
	{TR_USER_UNCHARGE, on_obj},
	{TR_USER_REPARENT, on_obj_arg1},
	{TR_OBJCG_LOOKUP, on_arg0_arg1},
	{TR_OBJCG_CHARGE, on_obj_arg0},
	{TR_OBJCG_UNCHARGE, on_obj_arg0},
	{TR_OBJCG_REPARENT, on_obj_arg1},
	{TR_OBJ_STOCK_REFILL, on_obj},
	{TR_OBJ_STOCK_CONSUME, on_obj},
	{TR_OBJ_STOCK_DRAIN, on_obj},
	{TR_BYTES_CHARGE, on_obj_arg0},
	{TR_BYTES_UNCHARGE, on_obj_arg0},
	{TR_STAT_ADD, on_obj},
	{TR_STAT_COUNT, on_obj},
	{TR_STAT_PASS, on_obj},
	{TR_STAT_READ, on_obj},
	{TR_SWAP_CHARGE, on_obj_arg0},
	{TR_SWAP_UNCHARGE, on_obj_arg0},
	{TR_ITER_VISIT, on_obj_arg0},
	{TR_ITER_REMOVE, on_obj},
	{TR_SHRINK_LRU, on_obj},
	{TR_LRU_NEW, on_new},
	{TR_LRU_LIST_NEW, on_list_new},
	{TR_LRU_ARRAY_NEW, on_list_new},
	{TR_LRU_ADD, on_obj_arg0_arg1},
	{TR_LRU_DEL, on_arg0_arg1},
	{TR_LRU_MOVE, on_obj_arg0_arg1},
	{TR_LRU_COUNT, on_obj},
	{TR_SHRINKER_REGISTER, on_obj},
	{TR_SHRINKER_UNREGISTER, on_obj},
	{TR_SHRINKER_MAP_NEW, on_list_new},
	{TR_SHRINKER_BIT, on_obj_arg0},
	{TR_SHRINK_BEGIN, on_obj_arg0},
	{TR_SHRINK_END, on_obj_arg0},
	{TR_D_ALLOC, on_obj_arg0},
	{TR_D_LOOKUP, on_obj_arg0},
	{TR_D_DELETE, on_obj_arg0},
	{TR_D_KILL, on_obj_arg0},
	{TR_I_NEW, on_obj_arg0},
	{TR_I_EVICT, on_obj_arg0},
	{0, NULL},
};

const struct checker_ops check_use_after_free = {
	.name = "use-after-free",
	.claim = "nothing touches an object that is freed, not allocated yet or of another kind, "
		 "and nothing is freed twice",
	.source = "memory safety (what KASAN and slab poisoning report in the kernel)",
	.handlers = handlers,
	.ledger_size = sizeof(struct ledger),
	.init = init,
};
