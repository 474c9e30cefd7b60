// SPDX-License-Identifier: GPL-2.0-only
#include "reports/phrase.h"

/*
 * A pattern is text with two kinds of holes: {N} prints argument N of the event
 * as events.def types it, {obj} its object, {subject} what a work item is about.
 * A part in [N: ] is printed only if argument N is not zero, in [!N: ] only if it
 * is.  An event without a pattern prints its name, its object and its arguments.
 */
static const char *const patterns[NR_TRACE_KINDS] = {
	[TR_TASK_START] = "{obj} starts",
	[TR_TASK_EXIT] = "{obj} exits",
	[TR_TASK_BLOCK] = "waits[0: for {0}] ({3})",
	[TR_TASK_WAKE] = "wakes {obj}",
	[TR_TASK_PREEMPT] = "{obj} is preempted",
	[TR_TASK_MIGRATE] = "{obj} moves to CPU{0}",
	[TR_SOFTIRQ_ENTRY] = "softirqs begin",
	[TR_SOFTIRQ_EXIT] = "softirqs end",
	[TR_IRQ_ENTRY] = "interrupt {3}",
	[TR_IRQ_EXIT] = "interrupt ends",
	[TR_OP_BEGIN] = "{3}[0: {0}]",
	[TR_OP_END] = "{3} returns {0}",
	[TR_MIGHT_SLEEP] =
		"{3} may sleep[0:, preemption off][1:, in {1} read sections][2:, interrupts off]",
	[TR_ACCESS] = "{3}[1: writes][!1: reads] {obj}",
	[TR_NULL_DEREF] = "NULL dereference: {3} of {obj}",
	[TR_LOCK_WAIT] = "waits for {obj}[1:, held by {1}]",
	[TR_LOCK_ACQUIRE] = "lock {obj}",
	[TR_LOCK_RELEASE] = "unlock {obj}",
	[TR_RCU_READ_LOCK] = "rcu_read_lock, nesting {0}",
	[TR_RCU_READ_UNLOCK] = "rcu_read_unlock, nesting {0}",
	[TR_RCU_GP_START] = "grace period {0} starts[1:, waits for {1} readers][2:, {2} CPUs]",
	[TR_RCU_GP_END] = "grace period {0} ends",
	[TR_CALL_RCU] = "call_rcu {3}[0:({0})], gp {1}",
	[TR_RCU_CALLBACK] = "callback {3}[0:({0})]",
	[TR_RCU_SYNC_BEGIN] = "synchronize_rcu",
	[TR_RCU_SYNC_END] = "synchronize_rcu done",
	[TR_RCU_BARRIER_BEGIN] = "rcu_barrier",
	[TR_RCU_BARRIER_END] = "rcu_barrier done",
	[TR_QUEUE_WORK] = "queue_work {0}: {3}{subject}[!2:, already pending]",
	[TR_WORK_START] = "work {3}{subject}",
	[TR_WORK_END] = "work {3} done",
	[TR_WORK_NULL] = "work item calls a NULL function ({3})",
	[TR_WORK_CANCEL] = "cancel_work {obj}[!0:, was not pending]",
	[TR_FLUSH_BEGIN] = "flush_workqueue {obj}, {0} items",
	[TR_FLUSH_END] = "flush_workqueue {obj} done",
	[TR_FLUSH_WORK_BEGIN] = "flush_work {obj}",
	[TR_FLUSH_WORK_END] = "flush_work {obj} done",
	[TR_REF_INIT] = "refs of {obj}: {0} by {3}",
	[TR_REF_GET] = "get {obj} +{0} {1}",
	[TR_REF_TRYGET] = "tryget {obj} {1}[!0: fails]",
	[TR_REF_PUT] = "put {obj} -{0} {1}",
	[TR_REF_MOVE] = "{0} refs of {obj}: {1} becomes {2}",
	[TR_REF_KILL] = "percpu_ref_kill {obj}",
	[TR_REF_ATOMIC] = "ref of {obj} is atomic: {0}",
	[TR_REF_ZERO] = "last reference of {obj} is gone",
	[TR_REF_EXIT] = "percpu_ref_exit {obj}",
	[TR_OBJ_NEW] = "new {obj}",
	[TR_OBJ_PUBLISH] = "{obj} can be found",
	[TR_OBJ_STATE] = "{obj} is {3}",
	[TR_OBJ_FREE] = "free {obj}",
	[TR_SYSFS_ADD] = "sysfs_add {3}[!1: fails]",
	[TR_SYSFS_DEL] = "sysfs_del {3}",
	[TR_CGROUP_MKDIR] = "mkdir {obj}",
	[TR_CGROUP_RMDIR] = "rmdir {obj}[0: fails: {0}]",
	[TR_CGROUP_ATTACH] = "{0} joins {obj}[1: fails: {1}]",
	[TR_CSS_ONLINE] = "{obj} online, kmemcg_id {1}",
	[TR_CSS_KILLED] = "{obj} killed",
	[TR_CSS_OFFLINE] = "mem_cgroup_css_offline {obj}",
	[TR_CSS_OFFLINE_END] = "{obj} offline",
	[TR_CSS_RELEASED] = "css_released {obj}",
	[TR_KMEMCG_ID_FREE] = "kmemcg_id {0} free again",
	[TR_CACHE_CREATE] = "create {obj}",
	[TR_CACHE_ALIAS] = "kmem_cache_create {3}: shares {obj}",
	[TR_CACHE_SLOT_SET] = "{0} slot {1} = {obj}",
	[TR_CACHE_SLOT_CLEAR] = "{0} slot {1} = NULL",
	[TR_CACHE_LOOKUP] = "memcg_kmem_get_cache {obj}: {1}[2:, pinned]",
	[TR_CACHE_PUT] = "memcg_kmem_put_cache {obj}",
	[TR_CACHE_REPARENT] = "reparent {obj} to {1}",
	[TR_CACHE_DEACTIVATE] = "deactivate {obj}[0:, deferred]",
	[TR_CACHE_SHRINK] = "shrink {obj}, {0} slabs stay",
	[TR_CACHE_DYING] = "{obj} is dying",
	[TR_CACHE_SHUTDOWN] = "shut down {obj}[0:: error {0}, {1} slabs and {2} objects left]",
	[TR_CACHE_UNLINK] = "unlink {obj}[0: from {0}]",
	[TR_CACHE_DESTROY] = "kmem_cache_destroy {obj} returns[0:, error {0}]",
	[TR_SLAB_ALLOC] = "new {obj} for {0}, {2} objects",
	[TR_SLAB_CHARGE] = "charge {obj} to {1}[3: fails: {3}]",
	[TR_SLAB_DISCARD] = "discard {obj} of {0}[1: after a grace period]",
	[TR_SLAB_UNCHARGE] = "uncharge {obj} from {1}",
	[TR_OBJECT_ALLOC] = "kmem_cache_alloc {0}: {obj}",
	[TR_OBJECT_FREE] = "kmem_cache_free {0}: {obj}",
	[TR_COUNTER_CHARGE] = "{obj} {3} +{0} = {1} pages",
	[TR_COUNTER_UNCHARGE] = "{obj} {3} -{0} = {1} pages",
	[TR_CHARGE_FORCE] = "{0} pages charged to {obj} past the limit of {1}",
	[TR_CHARGE_FAIL] = "cannot charge {0} pages to {obj}: limit of {1}",
	[TR_USER_REPARENT] = "move {0} user pages of {obj} to {1}",
	[TR_USER_CHARGE] = "charge {0} user pages to {obj}[1: fails: {1}]",
	[TR_USER_UNCHARGE] = "uncharge {0} user pages from {obj}",
	[TR_SWAP_CHARGE] = "{1} pages in swap, {obj}, charged to {0} by the id {2}",
	[TR_SWAP_UNCHARGE] = "{1} pages of swap, {obj}, uncharged from {0}, whom the id {2} names",
	[TR_STAT_ADD] = "cpu {2} counts {1} of item {0} for {obj}: {3}",
	[TR_STAT_TAKE] = "cpu {2} gives up {1} of item {0} counted for {obj}",
	[TR_STAT_COUNT] = "{obj} total of item {0} +{1} from {2} = {3}",
	[TR_STAT_PASS] = "{2} hands {1} of item {0} up to {obj}",
	[TR_CPU_GONE] = "{obj} has gone away",
	[TR_STAT_READ] = "{obj} shows {1} of item {0}",
	[TR_ITER_VISIT] = "mem_cgroup_iter {0}: {obj}[2:, first]",
	[TR_ITER_MOVE] = "position {1} of {obj} = {0}",
	[TR_ITER_RESTART] = "walk of {obj} restarts, not behind {0}: {3}",
	[TR_ITER_ROUND] = "round of {obj} ends",
	[TR_ITER_STOP] = "walk of {obj} stops: {3}",
	[TR_ITER_COUNT] = "dead_count of {obj} = {0}",
	[TR_ITER_REMOVE] =
		"{obj} is off the walks: {0} positions, {1} locks, {2} counts[3:, {3} cleared]",
	[TR_RECLAIM_BEGIN] = "reclaim {0} pages below {obj}[1: (kswapd)]",
	[TR_RECLAIM_END] = "reclaim below {obj}: {1} of {0} pages, priority {2}",
	[TR_SHRINK_LRU] = "shrink {obj}: {1} of {0} pages, priority {2}",
	[TR_LRU_NEW] = "list_lru_init {obj}",
	[TR_LRU_LIST_NEW] = "{obj}: list of {0} for index {1}",
	[TR_LRU_ARRAY_NEW] = "{obj}: {1} slots for {0}",
	[TR_LRU_ADD] = "{obj} on {1}, which has {2}",
	[TR_LRU_DEL] = "{obj} off, {1} has {2}",
	[TR_LRU_MOVE] = "{2} items go from {obj} to {1}, which has {3}",
	[TR_LRU_COUNT] = "count items of {obj}[1:: {0}]",
	[TR_SHRINKER_REGISTER] = "shrinker {3} registered",
	[TR_SHRINKER_UNREGISTER] = "{obj} unregistered",
	[TR_SHRINKER_MAP_NEW] = "{obj}: {2} bits for {0}[3:, {3} set]",
	[TR_SHRINKER_BIT] = "bit {1} of {0} = {2}",
	[TR_SHRINK_BEGIN] = "{obj} for {0}: scan {3} of {1}[2:, {2} of it put off]",
	[TR_SHRINK_END] = "{obj} for {0}: {1} of {2} freed[3:, {3} put off]",
	[TR_FS_MOUNT] = "mount {3}",
	[TR_FS_UMOUNT] = "umount {obj}: {0} dentries, {1} inodes",
	[TR_D_ALLOC] = "{obj}: dentry '{3}'[1: (negative)]",
	[TR_D_LOOKUP] = "'{3}' is {obj}[1: (negative)]",
	[TR_D_DELETE] = "'{3}' unlinked: {obj} is negative",
	[TR_D_KILL] = "dentry '{3}' {obj} dies",
	[TR_I_NEW] = "{obj}: inode {1}",
	[TR_I_EVICT] = "inode {1} {obj} evicted",
	[TR_SUSPICIOUS_RCU] = "suspicious RCU usage: {3}",
	[TR_ASSERT] = "assertion fails: {3} (line {0})",
	[TR_FAULT] = "allocation fails on purpose: {3}",
	[TR_LOG] = "log: {3}",
	[TR_MEASURE] = "{3} = {0}",
	[TR_WARN] = "WARNING: {3} ({0})",
	[TR_LIVELOCK] = "nothing ends the loop of {3}",
	[TR_RUN_QUIET] = "nothing is left to happen[0:, {0} contexts still wait]",
};

/* What a timeline leaves out: it is frequent, or another event says it better. */
static const uint16_t noise[] = {
	TR_TASK_START,	    TR_TASK_EXIT,      TR_TASK_BLOCK,	    TR_TASK_WAKE,
	TR_TASK_PREEMPT,    TR_TASK_MIGRATE,   TR_SOFTIRQ_ENTRY,    TR_SOFTIRQ_EXIT,
	TR_IRQ_ENTRY,	    TR_IRQ_EXIT,       TR_LOCK_INIT,	    TR_LOCK_WAIT,
	TR_LOCK_ACQUIRE,    TR_LOCK_RELEASE,   TR_MIGHT_SLEEP,	    TR_RCU_READ_LOCK,
	TR_RCU_READ_UNLOCK, TR_RCU_GP_CLEANUP, TR_WQ_INIT,	    TR_WORK_INIT,
	TR_WORK_END,	    TR_REF_INIT,       TR_REF_GET,	    TR_REF_PUT,
	TR_REF_MOVE,	    TR_REF_EXIT,       TR_OBJ_NEW,	    TR_OBJ_PUBLISH,
	TR_OBJ_STATE,	    TR_SYSFS_ADD,      TR_SYSFS_DEL,	    TR_CACHE_PUT,
	TR_CACHE_UNLINK,    TR_COUNTER_CHARGE, TR_COUNTER_UNCHARGE, TR_STOCK_REFILL,
	TR_STOCK_CONSUME,   TR_STOCK_DRAIN,    TR_ITER_MOVE,	    TR_LRU_LIST_NEW,
};

bool phrase_is_noise(const struct trace_record *r)
{
	if (r->kind == TR_OP_END)
		return r->arg[0] >= 0;
	if (r->kind == TR_REF_TRYGET)
		return r->arg[0] != 0;
	/* A cell is all that a small model has; elsewhere accesses are for the trace file. */
	if (r->kind == TR_ACCESS)
		return oid_kind(r->obj) != OBJ_CELL;
	if (r->kind == TR_OBJ_FREE)
		return oid_kind(r->obj) == OBJ_SLAB;
	for (size_t i = 0; i < G_N_ELEMENTS(noise); i++) {
		if (noise[i] == r->kind)
			return true;
	}
	return false;
}

bool phrase_is_heading(const struct trace_record *r)
{
	return r->kind == TR_OP_BEGIN || r->kind == TR_WORK_START || r->kind == TR_RCU_CALLBACK;
}

/* Text of the script or of the model: a report stays ASCII whatever it holds. */
static void put_ascii(struct output *o, const char *s)
{
	for (; *s; s++)
		output_char(o, *s >= ' ' && *s < 127 ? *s : '?');
}

static void put_arg(const struct names *n, struct output *o, const struct trace_record *r, int i)
{
	switch (trace_kinds[r->kind].arg[i][0]) {
	case 'o':
		names_put(n, o, (oid_t)r->arg[i]);
		break;
	case 'h':
		output_char(o, '(');
		output_str(o, holder_name((enum holder)r->arg[i]));
		output_char(o, ')');
		break;
	case 'b':
		output_str(o, r->arg[i] ? "yes" : "no");
		break;
	case 's':
		put_ascii(o, r->str ? r->str : "?");
		break;
	default:
		output_i64(o, r->arg[i]);
		break;
	}
}

static void put_hole(const struct names *n, struct output *o, const struct trace_record *r,
		     const char *hole)
{
	oid_t subject;

	if (hole[0] >= '0' && hole[0] < '0' + TRACE_NR_ARGS) {
		put_arg(n, o, r, hole[0] - '0');
	} else if (hole[0] == 'o') {
		names_put(n, o, r->obj);
	} else {
		subject = r->kind == TR_WORK_START ? (oid_t)r->arg[0] : names_subject(n, r->obj);
		if (subject == 0)
			return;
		output_char(o, '(');
		names_put(n, o, subject);
		output_char(o, ')');
	}
}

/* Prints the pattern from @p up to the "]" that closes it; returns what follows. */
static const char *put_pattern(const struct names *n, struct output *o,
			       const struct trace_record *r, const char *p, bool print)
{
	while (*p && *p != ']') {
		if (*p == '[') {
			bool negated = p[1] == '!';
			bool set = r->arg[p[negated ? 2 : 1] - '0'] != 0;

			p = put_pattern(n, o, r, p + (negated ? 4 : 3), print && set != negated);
		} else if (*p == '{') {
			if (print)
				put_hole(n, o, r, p + 1);
			p = strchr(p, '}') + 1;
		} else {
			if (print)
				output_char(o, *p);
			p++;
		}
	}
	return *p ? p + 1 : p;
}

static void put_plainly(const struct names *n, struct output *o, const struct trace_record *r)
{
	const struct trace_kind_info *info = &trace_kinds[r->kind];

	output_str(o, info->name);
	if (r->obj != 0) {
		output_char(o, ' ');
		names_put(n, o, r->obj);
	}
	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		if (!info->arg[i][0])
			continue;
		output_char(o, ' ');
		output_str(o, info->arg[i] + 2);
		output_char(o, '=');
		put_arg(n, o, r, i);
	}
}

const char *phrase_pattern(uint16_t kind)
{
	return patterns[kind];
}

void phrase_put(const struct names *n, struct output *o, const struct trace_record *r)
{
	if (r->kind == TR_ACCESS && oid_kind(r->obj) == OBJ_CELL)
		put_pattern(n, o, r, "{3} {obj}", true);
	else if (patterns[r->kind])
		put_pattern(n, o, r, patterns[r->kind], true);
	else
		put_plainly(n, o, r);
}

void phrase_time(struct output *o, uint64_t t, bool untimed)
{
	char *p;

	if (untimed) {
		output_u64(o, t);
		return;
	}
	output_u64(o, t / 1000);
	p = output_room(o, 4);
	p[0] = '.';
	p[1] = (char)('0' + t / 100 % 10);
	p[2] = (char)('0' + t / 10 % 10);
	p[3] = (char)('0' + t % 10);
	o->len += 4;
}
