// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a task can do: each operation is one entry into the simulated kernel.
 *
 * Arguments are checked before op_begin(), results are pushed after op_end():
 * in between no Lua error can happen.
 */

#include <errno.h>
#include <string.h>

#include "lua/run.h"

/* ---- arguments -------------------------------------------------------------------- */

struct script_task *arg_context(lua_State *L, const char *op)
{
	struct run *run = run_of(L);
	struct handle *h = handle_test(L, 1);
	struct script_task *self = (struct script_task *)h;

	run->subject.nr_scripts++;
	if (run->script->in_function)
		script_error(L,
			     "t:%s: a function that looks at a cell for t:wait_until or t:update "
			     "can only use the value it is given: it is no step of its own",
			     op);
	if (!h || h->kind != HANDLE_TASK)
		script_error(L, "t:%s: expected a task before the colon, got %s; write t:%s(...)",
			     op, describe(L, 1), op);
	if (!run->w || run->w->running != self->task)
		script_error(L,
			     "t:%s: %s is not the task that runs here; each task can only call its "
			     "own operations",
			     op, handle_tostring(L, h));
	if (stack_left(self->task) < STACK_LEFT_MIN)
		script_error(L, "t:%s: stack overflow: called from too deep a recursion", op);
	return self;
}

struct script_task *arg_self(lua_State *L, const char *op)
{
	struct script_task *self = arg_context(L, op);

	if (self->task->ctx != CTX_TASK)
		script_error(L, "t:%s: only a task can do this, and %s runs in a %s", op,
			     self->h.name, ctx_kind_name((enum ctx_kind)self->task->ctx));
	return self;
}

void *arg_handle(lua_State *L, int idx, enum handle_kind kind, const char *op)
{
	struct handle *h = handle_test(L, idx);

	if (!h || h->kind != kind)
		script_error(L, "t:%s: expected %s, got %s%s", op, handle_kinds[kind].noun,
			     describe(L, idx),
			     kind == HANDLE_OBJECT && lua_isnil(L, idx)
				     ? "; an allocation that fails returns nil"
				     : "");
	return h;
}

void refuse_int(lua_State *L, int idx, const char *op, const char *what, int64_t min, int64_t max)
{
	int is_int = 0;
	lua_Integer n = lua_type(L, idx) == LUA_TNUMBER ? lua_tointegerx(L, idx, &is_int) : 0;

	if (!is_int)
		script_error(L, "t:%s: expected %s, a whole number, got %s", op, what,
			     describe(L, idx));
	script_error(L, "t:%s: expected %s from %lld to %lld, got %lld", op, what, (long long)min,
		     (long long)max, (long long)n);
}

const char *arg_name(lua_State *L, int idx, const char *op)
{
	const char *s;
	size_t size;

	if (lua_type(L, idx) != LUA_TSTRING)
		script_error(L, "t:%s: expected a name, got %s", op, describe(L, idx));
	s = lua_tolstring(L, idx, &size);
	if (size == 0 || size > 64)
		script_error(L, "t:%s: expected a name of 1 to 64 bytes, got one of %zu", op, size);
	for (size_t i = 0; i < size; i++) {
		if (!g_ascii_isalnum(s[i]) && !strchr("_-.", s[i]))
			script_error(L,
				     "t:%s: '%s' is no name; use letters, digits, '_', '-' and '.'",
				     op, s);
	}
	return s;
}

/* ---- entry, exit, results ----------------------------------------------------------- */

void op_begin(struct task *t, const char *op, oid_t on)
{
	/* Still outside the kernel, where any preemption model lets others have the CPU. */
	sched_point(t, COST_SYSCALL);
	task_set_user(t, false);
	trace(t, OP_BEGIN, .obj = t->id, .arg = {(int64_t)on}, .str = op);
}

void op_end(struct task *t, const char *op, int64_t result)
{
	/* A section that was left open is for the checkers to tell, and not to sleep in. */
	if (t->preempt_count == 0 && t->rcu_nesting == 0)
		mem_cgroup_handle_over_high(t);
	trace(t, OP_END, .obj = t->id, .arg = {result, t->preempt_count, t->rcu_nesting},
	      .str = op);
	task_set_user(t, !t->w->config.no_user_mode);
}

const char *error_name(int err)
{
	switch (-err) {
	case ENOMEM:
		return "ENOMEM";
	case EBUSY:
		return "EBUSY";
	case ENODEV:
		return "ENODEV";
	case EEXIST:
		return "EEXIST";
	case EINVAL:
		return "EINVAL";
	case ENOENT:
		return "ENOENT";
	case ESRCH:
		return "ESRCH";
	case ENOSPC:
		return "ENOSPC";
	case EAGAIN:
		return "EAGAIN";
	default:
		return "ERROR";
	}
}

int push_result(lua_State *L, int err)
{
	lua_pushboolean(L, err == 0);
	if (err == 0)
		return 1;
	lua_pushstring(L, error_name(err));
	return 2;
}

int push_failure(lua_State *L, int err)
{
	lua_pushnil(L);
	lua_pushstring(L, error_name(err));
	return 2;
}

/* ---- objects ----------------------------------------------------------------------- */

/* Handles are shared between the tasks of a script: what they tell is shared state. */
bool cgroup_is_removed(struct task *t, const struct cgroup_handle *g)
{
	touch(t->w, g->h.id, FIELD_REMOVED, ACCESS_READ);
	return g->removed;
}

static bool is_destroyed(struct task *t, const struct cache_handle *c)
{
	touch(t->w, c->h.id, FIELD_REMOVED, ACCESS_READ);
	return c->destroyed;
}

/* What a C function remembers of an object while Lua must not be touched. */
struct object_ref {
	struct object *obj;
	oid_t id, slab, cache;
};

static struct object_ref allocate(struct task *t, const struct cache_handle *c)
{
	struct object_ref ref = {0};

	/* The script's handle is stale: show the checkers the touch, and touch nothing. */
	if (is_destroyed(t, c)) {
		trace(t, OBJECT_ALLOC, .arg = {(int64_t)c->h.id});
		return ref;
	}
	ref.obj = kmem_cache_alloc(t, c->cache);
	if (ref.obj) {
		ref.id = ref.obj->id;
		ref.slab = ref.obj->slab->id;
		ref.cache = ref.obj->slab->cache->id;
	}
	return ref;
}

static void release(struct task *t, const struct object_ref *ref)
{
	if (ref->obj && ref->obj->id == ref->id)
		kmem_cache_free(t, ref->obj);
	else
		trace(t, OBJECT_FREE, .obj = ref->id,
		      .arg = {(int64_t)ref->cache, (int64_t)ref->slab});
}

static void push_object(lua_State *L, const struct object_ref *ref)
{
	struct object_handle *o;

	o = handle_new(L, HANDLE_OBJECT, sizeof(*o), ref->id, NULL);
	o->obj = ref->obj;
	o->slab = ref->slab;
	o->cache = ref->cache;
}

/* The script lets go of the object: whoever frees it through the handle again frees it twice. */
static struct object_ref give_up(struct task *t, struct object_handle *o)
{
	struct object_ref ref = {o->freed ? NULL : o->obj, o->h.id, o->slab, o->cache};

	touch(t->w, o->h.id, FIELD_LIFE, ACCESS_WRITE);
	o->freed = true;
	return ref;
}

static int l_alloc(lua_State *L)
{
	struct task *t = arg_self(L, "alloc")->task;
	const struct cache_handle *c = arg_handle(L, 2, HANDLE_CACHE, "alloc");
	struct object_ref ref;

	op_begin(t, "alloc", c->h.id);
	ref = allocate(t, c);
	op_end(t, "alloc", ref.obj ? 0 : -ENOMEM);
	if (!ref.obj)
		return push_failure(L, -ENOMEM);
	push_object(L, &ref);
	return 1;
}

/* Whoever has a cgroup's objects made by others holds its css. */
static struct mem_cgroup *pin_memcg(struct task *t, const struct cgroup_handle *g)
{
	struct mem_cgroup *memcg = NULL;

	rcu_read_lock(t);
	if (!cgroup_is_removed(t, g) && css_tryget(t, &g->memcg->css, HOLD_SCRIPT, t->id))
		memcg = g->memcg;
	rcu_read_unlock(t);
	return memcg;
}

static int l_alloc_for(lua_State *L)
{
	struct task *t = arg_self(L, "alloc_for")->task;
	const struct cache_handle *c = arg_handle(L, 2, HANDLE_CACHE, "alloc_for");
	const struct cgroup_handle *g = arg_handle(L, 3, HANDLE_CGROUP, "alloc_for");
	struct object_ref ref = {0};
	struct mem_cgroup *memcg;

	op_begin(t, "alloc_for", c->h.id);
	memcg = pin_memcg(t, g);
	if (memcg) {
		memalloc_use_memcg(t, memcg);
		ref = allocate(t, c);
		memalloc_use_memcg(t, NULL);
		css_put(t, &memcg->css, HOLD_SCRIPT, t->id);
	}
	op_end(t, "alloc_for", ref.obj ? 0 : memcg ? -ENOMEM : -ENODEV);
	if (!ref.obj)
		return push_failure(L, memcg ? -ENOMEM : -ENODEV);
	push_object(L, &ref);
	return 1;
}

static uint32_t allocate_many(struct task *t, const struct cache_handle *c, struct object_ref *refs,
			      uint32_t n)
{
	uint32_t got = 0;

	op_begin(t, "alloc_many", c->h.id);
	while (got < n) {
		refs[got] = allocate(t, c);
		if (!refs[got].obj)
			break;
		got++;
		cond_resched(t);
	}
	op_end(t, "alloc_many", got == n ? 0 : -ENOMEM);
	return got;
}

#define OBJECTS_MAX 10000000

static int l_alloc_many(lua_State *L)
{
	struct task *t = arg_self(L, "alloc_many")->task;
	const struct cache_handle *c = arg_handle(L, 2, HANDLE_CACHE, "alloc_many");
	uint32_t n = (uint32_t)arg_int(L, 3, "alloc_many", "a number of objects", 0, OBJECTS_MAX);
	size_t bytes = n * sizeof(struct object_ref);
	struct object_ref *refs;
	uint32_t got;

	refs = world_alloc(t->w, bytes + 1);
	got = allocate_many(t, c, refs, n);
	lua_createtable(L, (int)got, 0);
	for (uint32_t i = 0; i < got; i++) {
		push_object(L, &refs[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	world_free(t->w, refs, bytes + 1);
	return 1;
}

static int l_free(lua_State *L)
{
	struct task *t = arg_self(L, "free")->task;
	struct object_handle *o = arg_handle(L, 2, HANDLE_OBJECT, "free");
	struct object_ref ref;

	op_begin(t, "free", o->h.id);
	ref = give_up(t, o);
	release(t, &ref);
	op_end(t, "free", 0);
	return 0;
}

/* As the kernel frees a signal's record: below the signal lock of whoever is to get it. */
static int l_dequeue_signal(lua_State *L)
{
	struct task *t = arg_self(L, "dequeue_signal")->task;
	struct object_handle *o = arg_handle(L, 2, HANDLE_OBJECT, "dequeue_signal");
	struct object_ref ref;

	op_begin(t, "dequeue_signal", o->h.id);
	ref = give_up(t, o);
	lock_siglock(t, t);
	release(t, &ref);
	unlock_siglock(t, t);
	op_end(t, "dequeue_signal", 0);
	return 0;
}

/* In a read section, which is all that keeps the memcg. */
static void use_memcg_of(struct task *t, struct object *obj)
{
	const struct mem_cgroup *memcg;

	rcu_read_lock(t);
	memcg = mm_of(t->w)->ops->memcg_from_obj(t, obj);
	if (memcg)
		sched_read(t, memcg->css.of, FIELD_PARENT, "mem_cgroup_from_obj.use");
	rcu_read_unlock(t);
}

/* What the kernel does whenever it looks for the memcg of an object, as list_lru does. */
static int l_memcg_of(lua_State *L)
{
	struct task *t = arg_self(L, "memcg_of")->task;
	struct object_handle *o = arg_handle(L, 2, HANDLE_OBJECT, "memcg_of");

	op_begin(t, "memcg_of", o->h.id);
	touch(t->w, o->h.id, FIELD_LIFE, ACCESS_READ);
	if (o->freed || !o->obj || o->obj->id != o->h.id)
		trace_access(t, o->h.id, FIELD_VECTOR, ACCESS_READ, "mem_cgroup_from_obj.freed");
	else
		use_memcg_of(t, o->obj);
	op_end(t, "memcg_of", 0);
	return 0;
}

static int l_free_many(lua_State *L)
{
	struct task *t = arg_self(L, "free_many")->task;
	struct object_ref *refs;
	lua_Integer n;

	if (lua_type(L, 2) != LUA_TTABLE)
		script_error(L, "t:free_many: expected an array of objects, got %s",
			     describe(L, 2));
	n = (lua_Integer)lua_rawlen(L, 2);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(L, 2, i);
		(void)arg_handle(L, -1, HANDLE_OBJECT, "free_many");
		lua_pop(L, 1);
	}
	refs = world_alloc(t->w, (size_t)n * sizeof(*refs) + 1);
	for (lua_Integer i = 0; i < n; i++) {
		lua_rawgeti(L, 2, i + 1);
		refs[i] = give_up(t, lua_touserdata(L, -1));
		lua_pop(L, 1);
	}
	op_begin(t, "free_many", n > 0 ? refs[0].id : 0);
	for (lua_Integer i = 0; i < n; i++) {
		release(t, &refs[i]);
		cond_resched(t);
	}
	op_end(t, "free_many", 0);
	world_free(t->w, refs, (size_t)n * sizeof(*refs) + 1);
	return 0;
}

/* ---- objects freed by somebody else ---------------------------------------------------- */

struct late_free {
	struct irq_action irq;
	struct rcu_head rcu;
	struct object_ref ref;
};

static void irq_free_handler(struct task *t, void *arg)
{
	FRAME(t);
	struct late_free *late = arg;
	struct object_ref ref = late->ref;

	world_free(t->w, late, sizeof(*late));
	release(t, &ref);
}

static void rcu_free_callback(struct task *t, struct rcu_head *head)
{
	FRAME(t);
	struct late_free *late = container_of(head, struct late_free, rcu);
	struct object_ref ref = late->ref;

	world_free(t->w, late, sizeof(*late));
	release(t, &ref);
}

static int l_irq_free(lua_State *L)
{
	struct task *t = arg_self(L, "irq_free")->task;
	struct object_handle *o = arg_handle(L, 2, HANDLE_OBJECT, "irq_free");
	struct world *w = t->w;
	int64_t cpu = lua_isnoneornil(L, 3)
			      ? t->cpu->nr
			      : arg_int(L, 3, "irq_free", "a CPU", 0, w->config.nr_cpus - 1);
	int64_t delay = lua_isnoneornil(L, 4)
				? -1
				: arg_int(L, 4, "irq_free", "a delay in ns", 0, INT64_MAX);
	struct late_free *late = world_alloc(w, sizeof(*late));

	op_begin(t, "irq_free", o->h.id);
	late->ref = give_up(t, o);
	irq_post(&late->irq, &w->cpus[cpu], "irq_free_handler", irq_free_handler, late,
		 delay < 0 ? world_cost(w, COST_IPI) : (vtime_t)delay, w->nr_records);
	op_end(t, "irq_free", 0);
	return 0;
}

static int l_rcu_free(lua_State *L)
{
	struct task *t = arg_self(L, "rcu_free")->task;
	struct object_handle *o = arg_handle(L, 2, HANDLE_OBJECT, "rcu_free");
	struct late_free *late = world_alloc(t->w, sizeof(*late));

	op_begin(t, "rcu_free", o->h.id);
	late->ref = give_up(t, o);
	call_rcu(t, &late->rcu, rcu_free_callback, late->ref.id);
	op_end(t, "rcu_free", 0);
	return 0;
}

/* ---- caches ---------------------------------------------------------------------------- */

/* create_cache(name, object_size, objects_per_slab, flags): lua/lib puts the table apart */
static int l_create_cache(lua_State *L)
{
	struct task *t = arg_self(L, "create_cache")->task;
	const char *name = arg_name(L, 2, "create_cache");
	uint32_t size = (uint32_t)arg_int(L, 3, "create_cache", "object_size in bytes", 8, 65536);
	uint32_t per_slab = (uint32_t)arg_int(L, 4, "create_cache", "objects_per_slab", 0, 32768);
	uint32_t flags = (uint32_t)luaL_checkinteger(L, 5);
	struct cache_handle *c;
	struct kmem_cache *s;
	int err = 0;

	op_begin(t, "create_cache", 0);
	s = kmem_cache_create(t, name, size, per_slab, flags, &err);
	op_end(t, "create_cache", err);
	if (!s)
		return push_failure(L, err);
	c = handle_new(L, HANDLE_CACHE, sizeof(*c), s->id, name);
	c->cache = s;
	return 1;
}

static int l_destroy(lua_State *L)
{
	struct task *t = arg_self(L, "destroy")->task;
	struct cache_handle *c = arg_handle(L, 2, HANDLE_CACHE, "destroy");
	int err = -EINVAL;

	op_begin(t, "destroy", c->h.id);
	if (is_destroyed(t, c)) {
		trace_access(t, c->h.id, FIELD_REFCOUNT, ACCESS_RMW, "kmem_cache_destroy.refcount");
	} else {
		/* Whatever the result, the caller's reference is gone. */
		touch(t->w, c->h.id, FIELD_REMOVED, ACCESS_RMW);
		c->destroyed = true;
		err = kmem_cache_destroy(t, c->cache);
	}
	op_end(t, "destroy", err);
	return push_result(L, err);
}

static int l_shrink(lua_State *L)
{
	struct task *t = arg_self(L, "shrink")->task;
	struct cache_handle *c = arg_handle(L, 2, HANDLE_CACHE, "shrink");

	op_begin(t, "shrink", c->h.id);
	if (is_destroyed(t, c))
		trace_access(t, c->h.id, FIELD_LIST, ACCESS_READ, "kmem_cache_shrink.node");
	else
		kmem_cache_shrink(t, c->cache);
	op_end(t, "shrink", 0);
	return 0;
}

/* By its name in sysfs, whatever has become of the handle. */
static int l_shrink_all(lua_State *L)
{
	struct task *t = arg_self(L, "shrink_all")->task;
	struct cache_handle *c = arg_handle(L, 2, HANDLE_CACHE, "shrink_all");
	int err;

	op_begin(t, "shrink_all", c->h.id);
	err = slab_attr_store(t, c->cache);
	op_end(t, "shrink_all", err);
	return push_result(L, err);
}

/* A CPU goes and comes back: nobody else may be inside a section that needs all CPUs. */
static int l_cpu_hotplug(lua_State *L)
{
	struct task *t = arg_self(L, "cpu_hotplug")->task;
	struct rw_semaphore *lock = &kernel_of(t->w)->cpu_hotplug_lock;

	op_begin(t, "cpu_hotplug", lock->id);
	down_write(t, lock);
	up_write(t, lock);
	op_end(t, "cpu_hotplug", 0);
	return 0;
}

/* Run in @cgrp for one allocation, which queues the child's creation, and wait for that. */
static int create_child(struct task *t, struct kmem_cache *s, struct cgroup *cgrp)
{
	struct cgroup *home = t->cgroup;
	struct object *obj;
	int err = cgroup_attach_task(t, t, cgrp);

	if (err)
		return err;
	obj = kmem_cache_alloc(t, s);
	if (obj)
		kmem_cache_free(t, obj);
	flush_workqueue(t, mm_of(t->w)->memcg_kmem_cache_wq);
	return cgroup_attach_task(t, t, home);
}

static int create_cache_child(lua_State *L)
{
	struct task *t = arg_self(L, "create_child")->task;
	struct cache_handle *c = arg_handle(L, 2, HANDLE_CACHE, "create_child");
	struct cgroup_handle *g = arg_handle(L, 3, HANDLE_CGROUP, "create_child");
	int err = -ENODEV;

	op_begin(t, "create_child", c->h.id);
	if (!cgroup_is_removed(t, g) && !is_destroyed(t, c))
		err = create_child(t, c->cache, g->cgrp);
	op_end(t, "create_child", err);
	return push_result(L, err);
}

/* Of both caches that a file system allocates from. */
static int create_fs_children(lua_State *L, struct task *t)
{
	const struct kmem_caches_of_fs c = fs_caches(lua_touserdata(L, 2));
	struct cgroup_handle *g = arg_handle(L, 3, HANDLE_CGROUP, "create_child");
	int err = -ENODEV;

	op_begin(t, "create_child", c.dentries->id);
	if (!cgroup_is_removed(t, g))
		err = create_child(t, c.dentries, g->cgrp);
	if (!err)
		err = create_child(t, c.inodes, g->cgrp);
	op_end(t, "create_child", err);
	return push_result(L, err);
}

static int l_create_child(lua_State *L)
{
	const struct handle *h = handle_test(L, 2);

	if (h && h->kind == HANDLE_FS)
		return create_fs_children(L, arg_self(L, "create_child")->task);
	return create_cache_child(L);
}

/* ---- cgroups ----------------------------------------------------------------------------- */

/* mkdir(name, parent or nil): lua/lib keeps the paths */
static int l_mkdir(lua_State *L)
{
	struct task *t = arg_self(L, "mkdir")->task;
	const char *name = arg_name(L, 2, "mkdir");
	struct cgroup_handle *parent = lua_isnoneornil(L, 3)
					       ? NULL
					       : arg_handle(L, 3, HANDLE_CGROUP, "mkdir"),
			     *g, **slot;
	struct script *script = run_of(L)->script;
	struct cgroup *cgrp = NULL;
	char *copy = arena_strdup(t->w->arena, name);
	int err = -ENODEV;

	if (!copy)
		return luaL_error(L, "not enough memory");
	op_begin(t, "mkdir", parent ? parent->h.id : mm_of(t->w)->root->id);
	if (!parent || !cgroup_is_removed(t, parent))
		cgrp = cgroup_mkdir(t, parent ? parent->cgrp : mm_of(t->w)->root, copy, &err);
	op_end(t, "mkdir", cgrp ? 0 : err);
	if (!cgrp)
		return push_failure(L, err);
	g = handle_new(L, HANDLE_CGROUP, sizeof(*g), cgrp->id, name);
	g->cgrp = cgrp;
	g->memcg = cgrp->memcg;
	slot = map_add(&script->cgroups, cgrp->id, 0);
	if (!slot)
		return luaL_error(L, "not enough memory");
	*slot = g;
	/* The map points to the handle, so it must stay. */
	lua_pushvalue(L, -1);
	(void)luaL_ref(L, LUA_REGISTRYINDEX);
	return 1;
}

/* core.root(): a handle on the root cgroup, which exists for ever */
static int l_root(lua_State *L)
{
	struct cgroup *cgrp = mm_of(run_of(L)->w)->root;
	struct cgroup_handle *g = handle_new(L, HANDLE_CGROUP, sizeof(*g), cgrp->id, "root");

	g->cgrp = cgrp;
	g->memcg = cgrp->memcg;
	return 1;
}

static int l_rmdir(lua_State *L)
{
	struct task *t = arg_self(L, "rmdir")->task;
	struct cgroup_handle *g = arg_handle(L, 2, HANDLE_CGROUP, "rmdir");
	int err = -ENODEV;

	op_begin(t, "rmdir", g->h.id);
	if (!cgroup_is_removed(t, g))
		err = g->cgrp->parent ? cgroup_rmdir(t, g->cgrp) : -EBUSY;
	op_end(t, "rmdir", err);
	return push_result(L, err);
}

static int l_attach(lua_State *L)
{
	struct task *t = arg_self(L, "attach")->task;
	struct cgroup_handle *g = arg_handle(L, 2, HANDLE_CGROUP, "attach");
	struct script_task *who = lua_isnoneornil(L, 3) ? arg_self(L, "attach")
							: arg_handle(L, 3, HANDLE_TASK, "attach");
	int err = -ENODEV;

	op_begin(t, "attach", g->h.id);
	if (!who->L)
		err = -ESRCH;
	else if (!cgroup_is_removed(t, g))
		err = cgroup_attach_task(t, who->task, g->cgrp);
	op_end(t, "attach", err);
	return push_result(L, err);
}

static int l_charge(lua_State *L)
{
	struct task *t = arg_self(L, "charge")->task;
	struct cgroup_handle *g = arg_handle(L, 2, HANDLE_CGROUP, "charge");
	int64_t n = arg_int(L, 3, "charge", "a number of pages", 1, PAGES_MAX);
	int err = -ENODEV;

	op_begin(t, "charge", g->h.id);
	if (!cgroup_is_removed(t, g))
		err = mem_cgroup_charge_user(t, g->memcg, n);
	if (!err)
		g->nr_pages += n;
	op_end(t, "charge", err);
	return push_result(L, err);
}

static int l_uncharge(lua_State *L)
{
	struct task *t = arg_self(L, "uncharge")->task;
	struct cgroup_handle *g = arg_handle(L, 2, HANDLE_CGROUP, "uncharge");
	int64_t n = arg_int(L, 3, "uncharge", "a number of pages", 1, PAGES_MAX);

	if (n > g->nr_pages)
		script_error(L, "t:uncharge: %s has %lld pages charged by t:charge, got %lld",
			     handle_tostring(L, &g->h), (long long)g->nr_pages, (long long)n);
	g->nr_pages -= n;
	op_begin(t, "uncharge", g->h.id);
	n = mem_cgroup_uncharge_user(t, g->memcg, n);
	op_end(t, "uncharge", 0);
	lua_pushinteger(L, n);
	return 1;
}

static int l_disable_memory(lua_State *L)
{
	struct task *t = arg_self(L, "disable_memory")->task;
	struct cgroup_handle *g = arg_handle(L, 2, HANDLE_CGROUP, "disable_memory");
	int err = -ENODEV;

	op_begin(t, "disable_memory", g->h.id);
	if (!cgroup_is_removed(t, g))
		err = cgroup_disable_memory(t, g->cgrp);
	op_end(t, "disable_memory", err);
	return push_result(L, err);
}

static int l_enable_threaded(lua_State *L)
{
	struct task *t = arg_self(L, "enable_threaded")->task;
	struct cgroup_handle *g = arg_handle(L, 2, HANDLE_CGROUP, "enable_threaded");
	int err = -ENODEV;

	op_begin(t, "enable_threaded", g->h.id);
	if (!cgroup_is_removed(t, g))
		err = cgroup_enable_threaded(t, g->cgrp);
	op_end(t, "enable_threaded", err);
	return push_result(L, err);
}

static int l_exit_accounting(lua_State *L)
{
	struct task *t = arg_self(L, "exit_accounting")->task;

	op_begin(t, "exit_accounting", 0);
	exit_accounting(t);
	op_end(t, "exit_accounting", 0);
	return 0;
}

static struct page_counter *counter_of(const struct cgroup_handle *g, const char *name)
{
	if (strcmp(name, "memory") == 0)
		return &g->memcg->memory;
	if (strcmp(name, "kmem") == 0)
		return &g->memcg->kmem;
	return strcmp(name, "swap") == 0 ? &g->memcg->swap : NULL;
}

static int l_set_max(lua_State *L)
{
	struct task *t = arg_self(L, "set_max")->task;
	struct cgroup_handle *g = arg_handle(L, 2, HANDLE_CGROUP, "set_max");
	int64_t n = arg_int(L, 3, "set_max", "a limit in pages", 0, PAGES_MAX);
	struct page_counter *c = counter_of(g, luaL_optstring(L, 4, "memory"));
	int err = -ENODEV;

	if (!c)
		script_error(L, "t:set_max: expected 'memory', 'kmem' or 'swap', got '%s'",
			     lua_tostring(L, 4));
	op_begin(t, "set_max", g->h.id);
	if (!cgroup_is_removed(t, g))
		err = mem_cgroup_set_max(t, c, n);
	op_end(t, "set_max", err);
	return push_result(L, err);
}

void ops_open(lua_State *L, int core)
{
	static const luaL_Reg ops[] = {
		{"alloc", l_alloc},
		{"alloc_many", l_alloc_many},
		{"alloc_for", l_alloc_for},
		{"attach", l_attach},
		{"charge", l_charge},
		{"create_cache", l_create_cache},
		{"create_child", l_create_child},
		{"destroy", l_destroy},
		{"dequeue_signal", l_dequeue_signal},
		{"free", l_free},
		{"memcg_of", l_memcg_of},
		{"free_many", l_free_many},
		{"irq_free", l_irq_free},
		{"mkdir", l_mkdir},
		{"rcu_free", l_rcu_free},
		{"rmdir", l_rmdir},
		{"offline", l_rmdir},
		{"set_max", l_set_max},
		{"shrink", l_shrink},
		{"shrink_all", l_shrink_all},
		{"cpu_hotplug", l_cpu_hotplug},
		{"disable_memory", l_disable_memory},
		{"enable_threaded", l_enable_threaded},
		{"exit_accounting", l_exit_accounting},
		{"uncharge", l_uncharge},
		{NULL, NULL},
	};

	lua_pushcfunction(L, l_root);
	lua_setfield(L, core, "root");
	lua_getfield(L, core, "methods");
	lua_getfield(L, -1, "task");
	luaL_setfuncs(L, ops, 0);
	lua_pop(L, 2);
}
