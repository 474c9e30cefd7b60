// SPDX-License-Identifier: GPL-2.0-only
/*
 * What 1620 traced lives of cgroups on 6.1 and 6.12 kernels have in common, and where they
 * differ: one row per statement.  Orders that never broke must hold in every ordering that is
 * drawn; where the kernels did both, both must be reachable.
 *
 * Left out, because the model has no such part: the cgroup's BPF reference, and writeback inside
 * css_offline.
 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lua/scenario.h"
#include "sim/explore/explore.h"

Suite *suite_ground_truth(void);

#define SCENARIO "scenarios/lifecycle/ground_truth.lua"
#define GPS 64

/* Steps in the life of a cgroup; each holds the seq of its first record. */
enum mark {
	CSS_KILL,
	CSS_SWITCH,
	CSS_CONFIRM,
	OFFLINE,
	OBJCG_MOVED,
	OBJCG_KILL,
	LISTS_MOVED,
	SHRINKERS_TOLD,
	STOCKS_DRAINED,
	ID_PUT,
	OFFLINE_END,
	CSS_ZERO,
	CSS_RELEASE,
	FREE_CALLBACK,
	FREE_WORK,
	PAID_BACK, /* what its own structures were charged for */
	MEMCG_FREED,
	SELF_KILL,
	SELF_SWITCH,
	SELF_ZERO,
	SELF_RELEASE,
	CGROUP_FREED,
	OBJCG_SWITCH,
	OBJCG_ZERO,
	OTHER_KILL, /* the other controller's css */
	OTHER_SWITCH,
	OTHER_CONFIRM,
	OTHER_KILLED_WORK,
	OTHER_OFFLINE,
	OTHER_ZERO,
	OTHER_RELEASE,
	OTHER_FREE_CALLBACK,
	OTHER_FREE_WORK,
	OTHER_FREED,
	KILLED_WORK, /* of the memory css */
	RMDIR_END,
	NR_MARKS
};

struct life {
	oid_t cgroup, memcg, objcg, other;
	uint64_t at[NR_MARKS];
	int64_t objcg_count; /* at its switch */
	oid_t owner;	     /* the objcg's memcg, as last heard */
	oid_t put_by;	     /* the memcg's last put: the child whose reference it was, or 0 */
	const char *zero_in,
		*where;	 /* work or callback that the memcg's and the objcg's last put ran in */
	oid_t zero_of,	 /* whose work or callback that was, of the memcg's */
		zero_by; /* whose reference it was, if it was a child's */
	const char *offline_of; /* whose work item took it offline: "own" or "other" */
	uint8_t objcg_ctx;	/* where the objcg's last put ran */
	uint32_t objcg_task;
};

struct row;

struct observer {
	struct run_sink sink;
	struct life a, b;
	oid_t root;
	const char *busy[256]; /* by context: the work item's or callback's function */
	oid_t busy_of[256];
	uint64_t gp_start[GPS], gp_end[GPS], gp_cleanup[GPS];
	uint64_t last_cause[8]; /* by the CPU that registered it */
	uint8_t *cpu_of;	/* by seq of the call_rcu record */
	uint64_t nr_cpu_of;
	uint64_t first_free; /* of an object */
	uint64_t work_end;   /* of the first css_killed_work_fn */
	uint64_t last_seq;
	struct life *offlining; /* under cgroup_mutex, one at a time, */
	uint32_t offliner;	/* by this context */
	const struct row *row;
	const struct observer *start; /* as it was when the set-up had ended; NULL before that */
	int *answers;		      /* by enum answer: runs */
	volatile sig_atomic_t *enough;
	int nr_callbacks, nr_followers; /* followers: a CPU's second and later ones */
	bool early_callback, unordered_callback, before_cleanup;
};

/* ---- reading a run ------------------------------------------------------------------- */

static void mark(struct life *l, enum mark m, const struct trace_record *r)
{
	if (!l->at[m])
		l->at[m] = r->seq;
}

static bool is_of(const struct life *l, oid_t id)
{
	return id == l->cgroup || id == l->memcg || id == l->objcg || id == l->other;
}

static struct life *life_of(struct observer *o, oid_t id)
{
	if (!id)
		return NULL;
	return is_of(&o->a, id) ? &o->a : is_of(&o->b, id) ? &o->b : NULL;
}

static void on_new_css(struct observer *o, const struct trace_record *r)
{
	if (strcmp(r->str, "perf_event(A)") == 0)
		o->a.other = r->obj;
	else if (strcmp(r->str, "perf_event(B)") == 0)
		o->b.other = r->obj;
}

static void on_new(struct observer *o, const struct trace_record *r)
{
	oid_t parent = (oid_t)r->arg[0];
	struct life *l;

	if (oid_kind(r->obj) == OBJ_MEMCG && !parent)
		o->root = r->obj;
	if (oid_kind(r->obj) == OBJ_OBJCG) {
		l = life_of(o, parent);
		if (l)
			l->objcg = r->obj;
		return;
	}
	if (oid_kind(r->obj) == OBJ_CSS && r->str)
		on_new_css(o, r);
	if (!r->str || (strcmp(r->str, "A") != 0 && strcmp(r->str, "B") != 0))
		return;
	l = *r->str == 'A' ? &o->a : &o->b;
	if (oid_kind(r->obj) == OBJ_CGROUP)
		l->cgroup = r->obj;
	else if (oid_kind(r->obj) == OBJ_MEMCG)
		l->memcg = r->obj;
}

static void on_zero(const struct observer *o, struct life *l, const struct trace_record *r)
{
	static const enum mark zeros[] = {
		[OBJ_MEMCG] = CSS_ZERO,
		[OBJ_CGROUP] = SELF_ZERO,
		[OBJ_OBJCG] = OBJCG_ZERO,
		[OBJ_CSS] = OTHER_ZERO,
	};
	const char *in = o->busy[r->task % 256];

	if (oid_kind(r->obj) == OBJ_MEMCG) {
		l->zero_in = in;
		l->zero_of = in ? o->busy_of[r->task % 256] : 0;
		l->zero_by = l->put_by;
	}
	if (oid_kind(r->obj) == OBJ_OBJCG) {
		l->where = in;
		l->objcg_ctx = r->ctx;
		l->objcg_task = r->task;
	}
	mark(l, zeros[oid_kind(r->obj)], r);
}

static void on_other(struct life *l, const struct trace_record *r)
{
	switch (r->kind) {
	case TR_REF_KILL:
		mark(l, OTHER_KILL, r);
		break;
	case TR_REF_ATOMIC:
		mark(l, OTHER_SWITCH, r);
		break;
	case TR_CSS_KILLED:
		mark(l, OTHER_CONFIRM, r);
		break;
	case TR_OBJ_STATE:
		if (r->str && strcmp(r->str, "offline") == 0)
			mark(l, OTHER_OFFLINE, r);
		break;
	case TR_REF_ZERO:
		mark(l, OTHER_ZERO, r);
		break;
	case TR_CSS_RELEASED:
		mark(l, OTHER_RELEASE, r);
		break;
	case TR_OBJ_FREE:
		mark(l, OTHER_FREED, r);
		break;
	default:
		break;
	}
}

static void on_object(struct observer *o, struct life *l, const struct trace_record *r)
{
	bool memcg = oid_kind(r->obj) == OBJ_MEMCG, self = oid_kind(r->obj) == OBJ_CGROUP;

	switch (r->kind) {
	case TR_REF_KILL:
		mark(l, memcg ? CSS_KILL : self ? SELF_KILL : OBJCG_KILL, r);
		break;
	case TR_REF_ATOMIC:
		mark(l, memcg ? CSS_SWITCH : self ? SELF_SWITCH : OBJCG_SWITCH, r);
		if (!memcg && !self)
			l->objcg_count = r->arg[0];
		break;
	case TR_CGROUP_RMDIR:
		mark(l, RMDIR_END, r);
		break;
	case TR_CSS_KILLED:
		mark(l, CSS_CONFIRM, r);
		break;
	case TR_CSS_OFFLINE:
		mark(l, OFFLINE, r);
		o->offlining = l;
		o->offliner = r->task;
		l->offline_of = o->busy_of[r->task % 256] == r->obj ? "own" : "other";
		break;
	case TR_CSS_OFFLINE_END:
		mark(l, OFFLINE_END, r);
		o->offlining = NULL;
		break;
	case TR_OBJCG_REPARENT:
		mark(l, OBJCG_MOVED, r);
		l->owner = (oid_t)r->arg[1];
		break;
	case TR_REF_PUT:
		if (memcg && r->arg[1] == HOLD_ID)
			mark(l, ID_PUT, r);
		/* A put that is the last one says so in the next record of its context. */
		if (memcg)
			l->put_by = r->arg[1] == HOLD_CHILD_CSS ? (oid_t)r->arg[2] : 0;
		break;
	case TR_REF_ZERO:
		on_zero(o, l, r);
		break;
	case TR_CSS_RELEASED:
		mark(l, memcg ? CSS_RELEASE : SELF_RELEASE, r);
		break;
	case TR_OBJ_FREE:
		if (memcg || self)
			mark(l, memcg ? MEMCG_FREED : CGROUP_FREED, r);
		break;
	default:
		break;
	}
}

static void on_callback(struct observer *o, const struct trace_record *r)
{
	uint64_t gp = (uint64_t)r->arg[1], cause = r->cause;
	uint8_t cpu;

	if (gp >= GPS || cause >= o->nr_cpu_of)
		return;
	if (!o->gp_end[gp] || o->gp_start[gp] < cause)
		o->early_callback = true;
	if (!o->gp_cleanup[gp])
		o->before_cleanup = true;
	cpu = o->cpu_of[cause] % 8;
	o->nr_callbacks++;
	o->nr_followers += o->last_cause[cpu] > 0;
	if (cause < o->last_cause[cpu])
		o->unordered_callback = true;
	o->last_cause[cpu] = cause;
}

static void enter(struct observer *o, const struct trace_record *r)
{
	o->busy[r->task % 256] = g_intern_string(r->str);
	o->busy_of[r->task % 256] = (oid_t)r->arg[0];
}

/* What offline does besides is told by where it takes a lock, and by the lists that it moves. */
static void on_offline(const struct observer *o, const struct trace_record *r)
{
	const char *func = r->stack ? r->stack->func : "";

	if (!o->offlining || r->task != o->offliner)
		return;
	if (r->kind == TR_LRU_MOVE)
		mark(o->offlining, LISTS_MOVED, r);
	else if (r->kind == TR_LOCK_ACQUIRE && strcmp(func, "reparent_shrinker_deferred") == 0)
		mark(o->offlining, SHRINKERS_TOLD, r);
	else if (r->kind == TR_LOCK_ACQUIRE && strcmp(func, "drain_all_stock") == 0)
		mark(o->offlining, STOCKS_DRAINED, r);
}

/* A work item or callback of one of the two csses has begun. */
static void on_begin(const struct observer *o, const struct trace_record *r)
{
	static const struct {
		const char *func;
		enum mark of_memory, of_other;
	} steps[] = {
		{"css_killed_work_fn", KILLED_WORK, OTHER_KILLED_WORK},
		{"rcu_work_rcufn", FREE_CALLBACK, OTHER_FREE_CALLBACK},
		{"css_free_rwork_fn", FREE_WORK, OTHER_FREE_WORK},
	};
	oid_t of = (oid_t)r->arg[0];
	struct life *l = life_of((struct observer *)o, of);

	if (!l || !r->str || (of != l->memcg && of != l->other))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
		if (strcmp(r->str, steps[i].func) == 0)
			mark(l, of == l->memcg ? steps[i].of_memory : steps[i].of_other, r);
	}
}

static void on_context(struct observer *o, const struct trace_record *r)
{
	uint64_t gp = (uint64_t)r->arg[0] % GPS;

	switch (r->kind) {
	case TR_WORK_START:
		enter(o, r);
		on_begin(o, r);
		break;
	case TR_WORK_END:
		if (!o->work_end && r->str && strcmp(r->str, "css_killed_work_fn") == 0)
			o->work_end = r->seq;
		o->busy[r->task % 256] = NULL;
		break;
	case TR_SOFTIRQ_EXIT:
		o->busy[r->task % 256] = NULL;
		break;
	case TR_RCU_CALLBACK:
		enter(o, r);
		on_callback(o, r);
		on_begin(o, r);
		break;
	case TR_BYTES_UNCHARGE:
		if (!o->first_free && oid_kind(r->obj) == OBJ_OBJ)
			o->first_free = r->seq;
		if (r->obj == o->b.memcg && (oid_t)r->arg[0] == o->a.objcg)
			mark(&o->b, PAID_BACK, r);
		break;
	case TR_CALL_RCU:
		if (r->seq < o->nr_cpu_of)
			o->cpu_of[r->seq] = r->cpu;
		break;
	case TR_RCU_GP_START:
		o->gp_start[gp] = r->seq;
		break;
	case TR_RCU_GP_END:
		o->gp_end[gp] = r->seq;
		break;
	case TR_RCU_GP_CLEANUP:
		o->gp_cleanup[gp] = r->seq;
		break;
	default:
		break;
	}
}

/* ---- what may be said about a run --------------------------------------------------------- */

/* A run in which the steps did not all happen says nothing. */
enum answer { NOT_SEEN, NO, YES };

static enum answer yes(bool holds)
{
	return holds ? YES : NO;
}

static enum answer in_order(const struct life *l, const enum mark *marks, size_t n)
{
	bool all = true;

	for (size_t i = 0; i < n; i++) {
		uint64_t at = l->at[marks[i]];

		/* No step without the one before. */
		if (at && i > 0 && (!l->at[marks[i - 1]] || l->at[marks[i - 1]] >= at))
			return NO;
		all &= at != 0;
	}
	return all ? YES : NOT_SEEN;
}

#define IN_ORDER(l, ...)                                                                           \
	in_order(l, (const enum mark[]){__VA_ARGS__},                                              \
		 sizeof((const enum mark[]){__VA_ARGS__}) / sizeof(enum mark))

static enum answer before(const struct life *l, enum mark first, enum mark second)
{
	return l->at[first] && l->at[second] ? yes(l->at[first] < l->at[second]) : NOT_SEEN;
}

static bool is_in(const char *where, const char *func)
{
	return where && strcmp(where, func) == 0;
}

/* Did the last reference of A's objcg, or of its css, go there? */
static enum answer objcg_ends_in(const struct observer *o, const char *func)
{
	return o->a.at[OBJCG_ZERO] ? yes(is_in(o->a.where, func)) : NOT_SEEN;
}

static enum answer css_ends_in(const struct observer *o, const char *func)
{
	return o->a.at[CSS_ZERO] ? yes(is_in(o->a.zero_in, func)) : NOT_SEEN;
}

static enum answer callbacks_wait(const struct observer *o)
{
	return o->nr_callbacks > 0 ? yes(!o->early_callback) : NOT_SEEN;
}

static enum answer callbacks_in_order(const struct observer *o)
{
	return o->nr_followers > 0 ? yes(!o->unordered_callback) : NOT_SEEN;
}

static enum answer callback_before_cleanup(const struct observer *o)
{
	return o->nr_callbacks > 0 ? yes(o->before_cleanup) : NOT_SEEN;
}

static enum answer memory_css(const struct observer *o)
{
	return IN_ORDER(&o->a, CSS_KILL, CSS_SWITCH, CSS_CONFIRM, OFFLINE, CSS_ZERO, CSS_RELEASE,
			FREE_CALLBACK, FREE_WORK, MEMCG_FREED);
}

static enum answer inside_offline(const struct observer *o)
{
	return IN_ORDER(&o->a, OFFLINE, OBJCG_MOVED, OBJCG_KILL, ID_PUT, OFFLINE_END);
}

static enum answer inside_offline_of_lists(const struct observer *o)
{
	return IN_ORDER(&o->a, OFFLINE, OBJCG_MOVED, OBJCG_KILL, LISTS_MOVED, SHRINKERS_TOLD,
			STOCKS_DRAINED, ID_PUT, OFFLINE_END);
}

static enum answer offline_before_zero(const struct observer *o)
{
	return IN_ORDER(&o->a, OFFLINE_END, CSS_ZERO);
}

static enum answer cgroup_last(const struct observer *o)
{
	return IN_ORDER(&o->a, MEMCG_FREED, SELF_ZERO, SELF_RELEASE, CGROUP_FREED);
}

static enum answer child_first(const struct observer *o)
{
	const uint64_t *a = o->a.at, *b = o->b.at;

	if (!a[OFFLINE] || !b[OFFLINE_END] || !a[CSS_ZERO] || !b[MEMCG_FREED] || !a[CGROUP_FREED] ||
	    !b[CGROUP_FREED])
		return NOT_SEEN;
	return yes(b[OFFLINE_END] < a[OFFLINE] && b[MEMCG_FREED] < a[CSS_ZERO] &&
		   b[CGROUP_FREED] < a[CGROUP_FREED]);
}

static enum answer freed_late(const struct observer *o)
{
	if (!o->first_free || !o->b.at[MEMCG_FREED] || !o->a.at[MEMCG_FREED])
		return NOT_SEEN;
	return yes(o->b.at[MEMCG_FREED] < o->first_free && o->a.at[MEMCG_FREED] < o->first_free);
}

/* Its objects outlive both, so it does, and in the end is the nearest living ancestor's. */
static enum answer objcg_outlives_both(const struct observer *o)
{
	if (freed_late(o) != YES || !o->b.at[OBJCG_ZERO])
		return NOT_SEEN;
	return yes(o->b.at[OBJCG_ZERO] > o->first_free && o->b.owner == o->root);
}

static enum answer objcg_after_free_work(const struct observer *o)
{
	return IN_ORDER(&o->a, FREE_WORK, OBJCG_ZERO);
}

/* Where the memcg pins its first objcg, that one never ends before its memcg begins to. */
static enum answer objcg_before_memcg(const struct observer *o)
{
	return before(&o->a, OBJCG_ZERO, FREE_WORK);
}

/* Two live objects; each of two CPUs may still keep one more in its stock. */
static enum answer count_6_1(const struct observer *o)
{
	return o->a.at[OBJCG_SWITCH] ? yes(o->a.objcg_count >= 3 && o->a.objcg_count <= 5)
				     : NOT_SEEN;
}

/* And one more, unless the memcg is being freed by then. */
static enum answer count_6_12(const struct observer *o)
{
	int64_t least = before(&o->a, FREE_WORK, OBJCG_SWITCH) == YES ? 3 : 4;

	return o->a.at[OBJCG_SWITCH] ? yes(o->a.objcg_count >= least && o->a.objcg_count <= 6)
				     : NOT_SEEN;
}

static enum answer count_with_stock(const struct observer *o)
{
	return o->a.at[OBJCG_SWITCH] ? yes(o->a.objcg_count > 3) : NOT_SEEN;
}

static enum answer objcg_in_callback(const struct observer *o)
{
	return objcg_ends_in(o, "percpu_ref_switch_to_atomic_rcu");
}

static enum answer objcg_in_free_work(const struct observer *o)
{
	return objcg_ends_in(o, "css_free_rwork_fn");
}

/* Tasks run no work item: the stock was replaced by somebody's charge. */
static enum answer objcg_in_task(const struct observer *o)
{
	return o->a.at[OBJCG_ZERO] ? yes(o->a.objcg_ctx == CTX_TASK) : NOT_SEEN;
}

static enum answer objcg_in_drain(const struct observer *o)
{
	return objcg_ends_in(o, "drain_local_stock");
}

static enum answer objcg_lives_on(const struct observer *o)
{
	return o->a.at[CGROUP_FREED] ? yes(!o->a.at[OBJCG_ZERO]) : NOT_SEEN;
}

static enum answer parents_objcg_in_childs_free(const struct observer *o)
{
	if (!o->a.at[OBJCG_ZERO] || !o->b.at[FREE_WORK])
		return NOT_SEEN;
	return yes(is_in(o->a.where, "css_free_rwork_fn") &&
		   o->a.at[OBJCG_ZERO] > o->b.at[FREE_WORK]);
}

/* The child's structures are charged to its parent's objcg, which they keep. */
static enum answer parent_pays(const struct observer *o)
{
	if (!o->a.at[OBJCG_ZERO] || !o->b.at[MEMCG_FREED])
		return NOT_SEEN;
	return yes(o->b.at[FREE_WORK] < o->b.at[PAID_BACK] &&
		   o->b.at[PAID_BACK] < o->b.at[MEMCG_FREED] &&
		   o->b.at[PAID_BACK] < o->a.at[OBJCG_ZERO]);
}

static enum answer css_in_own_work(const struct observer *o)
{
	return css_ends_in(o, "css_killed_work_fn");
}

/* And it is the child's own reference: its free work also puts what a stock caches. */
static enum answer css_in_childs_free(const struct observer *o)
{
	if (css_ends_in(o, "css_free_rwork_fn") != YES)
		return o->a.at[CSS_ZERO] ? NO : NOT_SEEN;
	return yes(o->a.zero_of == o->b.memcg && o->a.zero_by == o->b.memcg);
}

static enum answer css_in_drain(const struct observer *o)
{
	return css_ends_in(o, "drain_local_stock");
}

static enum answer css_in_task(const struct observer *o)
{
	return o->a.at[CSS_ZERO] ? yes(!o->a.zero_in) : NOT_SEEN;
}

static enum answer zero_after_work(const struct observer *o)
{
	return o->a.at[CSS_ZERO] && o->work_end ? yes(o->a.at[CSS_ZERO] > o->work_end) : NOT_SEEN;
}

static enum answer other_css(const struct observer *o)
{
	return IN_ORDER(&o->a, OTHER_KILL, OTHER_SWITCH, OTHER_CONFIRM, OTHER_OFFLINE, OTHER_ZERO,
			OTHER_RELEASE, OTHER_FREE_CALLBACK, OTHER_FREE_WORK, OTHER_FREED);
}

static enum answer killed_in_order(const struct observer *o)
{
	return IN_ORDER(&o->a, CSS_KILL, OTHER_KILL, SELF_KILL);
}

static enum answer cgroup_after_other(const struct observer *o)
{
	return IN_ORDER(&o->a, OTHER_FREED, SELF_ZERO, SELF_RELEASE, CGROUP_FREED);
}

static enum answer childs_other_first(const struct observer *o)
{
	const uint64_t *a = o->a.at, *b = o->b.at;

	if (!a[OTHER_OFFLINE] || !b[OTHER_OFFLINE] || !a[OTHER_ZERO] || !b[OTHER_FREED])
		return NOT_SEEN;
	return yes(b[OTHER_OFFLINE] < a[OTHER_OFFLINE] && b[OTHER_FREED] < a[OTHER_ZERO]);
}

static enum answer offline_before_other(const struct observer *o)
{
	return before(&o->a, OFFLINE, OTHER_SWITCH);
}

static enum answer freed_before_other(const struct observer *o)
{
	return before(&o->a, FREE_WORK, OTHER_FREE_WORK);
}

static enum answer works_in_order(const struct observer *o)
{
	return before(&o->a, KILLED_WORK, OTHER_KILLED_WORK);
}

static enum answer rmdir_first(const struct observer *o)
{
	return before(&o->a, RMDIR_END, CSS_SWITCH);
}

static enum answer offline_before_self(const struct observer *o)
{
	return before(&o->a, OFFLINE, SELF_SWITCH);
}

static enum answer objcg_before_free_callback(const struct observer *o)
{
	return before(&o->a, OBJCG_SWITCH, FREE_CALLBACK);
}

static enum answer freed_before_switch(const struct observer *o)
{
	return before(&o->a, MEMCG_FREED, OBJCG_SWITCH);
}

static enum answer parent_in_own_work(const struct observer *o)
{
	return o->a.offline_of ? yes(is_in(o->a.offline_of, "own")) : NOT_SEEN;
}

/* ---- the rows -------------------------------------------------------------------------------- */

enum claim {
	ALWAYS, /* in every ordering in which it can be seen, and there are some */
	VARIES, /* in some, and in some it is not */
};

struct row {
	const char *text, *lifecycle;
	const char *set[4];
	enum claim claim;
	enum answer (*holds)(const struct observer *o);
};

#define LATE                                                                                       \
	{                                                                                          \
		NULL                                                                               \
	}
#define NEVER                                                                                      \
	{                                                                                          \
		"freed=never", NULL                                                                \
	}
#define EARLY                                                                                      \
	{                                                                                          \
		"freed=early", NULL                                                                \
	}
#define RACE                                                                                       \
	{                                                                                          \
		"freed=race", NULL                                                                 \
	}
#define NESTED                                                                                     \
	{                                                                                          \
		"nested=true", NULL                                                                \
	}
#define NESTED_RACE                                                                                \
	{                                                                                          \
		"nested=true", "freed=race", NULL                                                  \
	}
#define EMPTY                                                                                      \
	{                                                                                          \
		"objects=0", "poke=false", NULL                                                    \
	}
#define OTHER                                                                                      \
	{                                                                                          \
		"other=true", NULL                                                                 \
	}
#define OTHER_NESTED                                                                               \
	{                                                                                          \
		"other=true", "nested=true", NULL                                                  \
	}
#define BOTH(text, set, claim, holds)                                                              \
	{text, "v6.1", set, claim, holds},                                                         \
	{                                                                                          \
		text, "v6.12", set, claim, holds                                                   \
	}
#define A(...) __VA_ARGS__

static const struct row rows[] = {
	/* never violated */
	BOTH("a callback waits for a grace period that starts later", A(NESTED_RACE), ALWAYS,
	     callbacks_wait),
	BOTH("callbacks of a CPU run in order", A(NESTED_RACE), ALWAYS, callbacks_in_order),
	BOTH("the memory css, step by step", A(RACE), ALWAYS, memory_css),
	BOTH("the memory css of a parent", A(NESTED), ALWAYS, memory_css),
	BOTH("inside css_offline", A(RACE), ALWAYS, inside_offline),
	BOTH("inside css_offline, with lists of names", A({"names=2"}), ALWAYS,
	     inside_offline_of_lists),
	BOTH("offline ends before the last reference", A(RACE), ALWAYS, offline_before_zero),
	BOTH("the cgroup goes after its memcg", A(EARLY), ALWAYS, cgroup_last),
	BOTH("the child comes first", A(NESTED), ALWAYS, child_first),
	BOTH("an objcg with live objects outlives memcg and parent", A(NESTED), ALWAYS,
	     objcg_outlives_both),
	{"the objcg goes after its memcg", "v6.12", RACE, ALWAYS, objcg_after_free_work},
	{"the objcg's count is that of the objects", "v6.1", NEVER, ALWAYS, count_6_1},
	{"the objcg's count is that of the objects", "v6.12", NEVER, ALWAYS, count_6_12},
	BOTH("objects may be freed after all that", A(NESTED), VARIES, freed_late),
	/* the same of another controller's css, next to that of memory */
	BOTH("another css, step by step", A(OTHER), ALWAYS, other_css),
	BOTH("memory's css is killed first, the cgroup's own last", A(OTHER), ALWAYS,
	     killed_in_order),
	BOTH("work items of kills on one CPU run in order", A(OTHER), ALWAYS, works_in_order),
	BOTH("the cgroup goes after its memcg, with another css", A(OTHER), ALWAYS, cgroup_last),
	BOTH("the cgroup goes after its other css", A(OTHER), ALWAYS, cgroup_after_other),
	BOTH("the child's other css comes first", A(OTHER_NESTED), ALWAYS, childs_other_first),
	/* where the last reference of the objcg goes */
	{"empty: in the callback of its kill", "v6.1", EMPTY, ALWAYS, objcg_in_callback},
	{"empty: when the memcg is freed", "v6.12", EMPTY, ALWAYS, objcg_in_free_work},
	{"freed early: before the memcg ends, or later", "v6.1", EARLY, VARIES, objcg_before_memcg},
	{"freed early: in the free work or later", "v6.12", EARLY, VARIES, objcg_in_free_work},
	{"race: in the callback or elsewhere", "v6.1", RACE, VARIES, objcg_in_callback},
	{"race: before the memcg ends, or later", "v6.1", RACE, VARIES, objcg_before_memcg},
	{"race: in the free work or elsewhere", "v6.12", RACE, VARIES, objcg_in_free_work},
	BOTH("live: when somebody else charges, or before", A(LATE), VARIES, objcg_in_task),
	BOTH("race: the drain of a stock, or not", A(RACE), VARIES, objcg_in_drain),
	BOTH("without another charge it may live for ever", A({"poke=false"}), VARIES,
	     objcg_lives_on),
	BOTH("a parent's objcg pays for its child, up to the child's free work", A(NESTED), VARIES,
	     parents_objcg_in_childs_free),
	BOTH("a parent's objcg is charged for its child, and stays for that", A(NESTED), ALWAYS,
	     parent_pays),
	/* where the last css reference goes */
	BOTH("in the offline work, or elsewhere", A(RACE), VARIES, css_in_own_work),
	BOTH("in the drain of another CPU, or not", A(RACE), VARIES, css_in_drain),
	BOTH("a parent's in the child's free work, or elsewhere", A(NESTED), VARIES,
	     css_in_childs_free),
	BOTH("a page of user memory is last: in the task", A({"pinned=true"}), VARIES, css_in_task),
	/* varies */
	BOTH("offline work against the switch of self", A(RACE), VARIES, offline_before_self),
	BOTH("offline work against the switch of another css", A(OTHER), VARIES,
	     offline_before_other),
	BOTH("the free works of memory and of another css", A(OTHER), VARIES, freed_before_other),
	BOTH("the end of rmdir against a callback of its kills", A(OTHER), VARIES, rmdir_first),
	BOTH("objcg switch against the callback of the free work", A(RACE), VARIES,
	     objcg_before_free_callback),
	BOTH("memcg freed against objcg switch", A(EARLY), VARIES, freed_before_switch),
	BOTH("end of the offline work against the last reference", A(EARLY), VARIES,
	     zero_after_work),
	BOTH("a parent is offlined by its own work item or its child's", A(NESTED), VARIES,
	     parent_in_own_work),
	BOTH("a callback runs before the global sequence number tells", A(RACE), VARIES,
	     callback_before_cleanup),
	{"a stock is drained before the objcg's switch, or not", "v6.1", NEVER, VARIES,
	 count_with_stock},
};

#define RUNS_ALWAYS 1000
#define RUNS_VARIES 40000
#define RECORDS 8192

/* A run has come to its end. */
static void judge(struct observer *o)
{
	if (!o->start)
		return;
	++o->answers[o->row->holds(o)];
	*o->enough = o->row->claim == ALWAYS ? o->answers[NO] > 0
					     : o->answers[YES] && o->answers[NO];
	*o = *o->start;
}

static void on_record(struct run_sink *sink, const struct trace_record *r)
{
	struct observer *o = (struct observer *)sink;
	struct life *l;

	/* A run that a violation has cut short says nothing, and the next one begins. */
	if (o->start && r->seq <= o->last_seq)
		*o = *o->start;
	o->last_seq = r->seq;
	if (r->kind == TR_OBJ_NEW) {
		on_new(o, r);
		return;
	}
	if (r->kind == TR_RUN_QUIET) {
		judge(o);
		return;
	}
	l = life_of(o, r->obj);
	if (l && r->obj == l->other)
		on_other(l, r);
	else if (l)
		on_object(o, l, r);
	on_offline(o, r);
	on_context(o, r);
}

static struct run *open_row(const struct row *row, struct run_options *opt,
			    struct run_sink *const *sinks)
{
	GError *error = NULL;
	struct run *run;

	*opt = (struct run_options){
		.path = SCENARIO,
		.lifecycle = row->lifecycle,
		.sets = row->set,
		.seed = 1,
		.order = ORDER_RANDOM,
	};
	run = session_open(opt, sinks, &error);
	if (!run)
		ck_abort_msg("%s", error->message);
	return run;
}

START_TEST(what_was_measured_holds)
{
	const struct row *row = &rows[_i];
	uint8_t cpu_of[RECORDS] = {0};
	volatile sig_atomic_t enough = 0;
	int answers[YES + 1] = {0};
	struct observer o = {.sink = {.record = on_record}, .cpu_of = cpu_of, .nr_cpu_of = RECORDS},
			start;
	struct run_sink *sinks[] = {&o.sink, NULL};
	struct explore_options how = {.strategy = STRATEGY_PCT,
				      .seed = 1,
				      .keep_going = true,
				      .interrupted = &enough,
				      .max_runs = row->claim == ALWAYS ? RUNS_ALWAYS : RUNS_VARIES};
	struct explore_result result;
	struct run_options opt;
	struct run *run = open_row(row, &opt, sinks);

	o.row = row;
	o.answers = answers;
	o.enough = &enough;
	start = o;
	start.start = &start;
	o = start;
	explore(session_subject(run), &how, &result);
	explore_result_clear(&result);
	session_close(run);
	ck_assert_msg(answers[YES], "%s, %s: in none of %d runs, and %d say nothing",
		      row->lifecycle, row->text, answers[NO], answers[NOT_SEEN]);
	if (row->claim == ALWAYS)
		ck_assert_msg(!answers[NO], "%s, %s: not in run %d", row->lifecycle, row->text,
			      answers[YES] + answers[NO] + answers[NOT_SEEN]);
	else
		ck_assert_msg(answers[NO], "%s, %s: in every one of %d runs that say something",
			      row->lifecycle, row->text, answers[YES]);
}
END_TEST

Suite *suite_ground_truth(void)
{
	Suite *s = suite_create("ground_truth");
	TCase *tc = tcase_create("rows");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, what_was_measured_holds, 0, (int)G_N_ELEMENTS(rows));
	suite_add_tcase(s, tc);
	return s;
}
