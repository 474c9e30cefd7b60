// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared cells: what the variables of a small model are.
 */

#include "lua/model.h"

/* ---- values --------------------------------------------------------------------- */

static struct value arg_value(lua_State *L, int idx, const char *op)
{
	const struct handle *h;
	int is_int = 0;
	lua_Integer n;

	switch (lua_type(L, idx)) {
	case LUA_TNONE:
	case LUA_TNIL:
		return (struct value){0, VALUE_NIL};
	case LUA_TBOOLEAN:
		return (struct value){lua_toboolean(L, idx), VALUE_BOOLEAN};
	case LUA_TNUMBER:
		n = lua_tointegerx(L, idx, &is_int);
		if (is_int)
			return (struct value){n, VALUE_INTEGER};
		break;
	case LUA_TUSERDATA:
		h = lua_touserdata(L, idx);
		if (h->kind == HANDLE_CELL)
			return (struct value){((const struct cell_handle *)h)->ref, VALUE_CELL};
		break;
	default:
		break;
	}
	script_error(L, "%s: expected a whole number, true, false, nil or a cell, got %s", op,
		     describe(L, idx));
}

static int push_value(lua_State *L, const struct value *v)
{
	switch ((enum value_tag)v->tag) {
	case VALUE_NIL:
		lua_pushnil(L);
		break;
	case VALUE_BOOLEAN:
		lua_pushboolean(L, (int)v->n);
		break;
	case VALUE_INTEGER:
		lua_pushinteger(L, (lua_Integer)v->n);
		break;
	case VALUE_CELL:
		lua_rawgeti(L, LUA_REGISTRYINDEX, (lua_Integer)v->n);
		break;
	}
	return 1;
}

static bool equal(const struct value *a, const struct value *b)
{
	return a->tag == b->tag && a->n == b->n;
}

/* Called after the access: at this point the cell holds what the operation found. */
static int64_t number_in(lua_State *L, const struct cell_handle *c, const char *op)
{
	if (c->value.tag != VALUE_INTEGER) {
		push_value(L, &c->value);
		script_error(L, "t:%s: %s holds %s, not a number", op, handle_tostring(L, &c->h),
			     describe(L, -1));
	}
	return c->value.n;
}

/* ---- conditions ----------------------------------------------------------------- */

/* What a context in wait_until() waits for; on its stack. */
struct condition {
	struct list node; /* on cell.conditions, when it is a function */
	const struct cell_handle *cell;
	struct value value;
	int fn_ref;
	bool holds; /* of a function: what it said of the cell as it is */
};

static bool is_equal(const struct task *t, void *arg)
{
	const struct condition *cond = arg;

	(void)t;
	return equal(&cond->cell->value, &cond->value);
}

static bool is_held(const struct task *t, void *arg)
{
	const struct condition *cond = arg;

	(void)t;
	return cond->holds;
}

/* Ask the function, on behalf of whoever runs: the script stops if it fails. */
static void look_again(struct run *run, struct condition *cond)
{
	lua_State *L = run->script->conditions;
	int status;

	run->subject.nr_scripts++;
	run->script->in_function = true;
	lua_pushcfunction(L, script_handler);
	lua_rawgeti(L, LUA_REGISTRYINDEX, cond->fn_ref);
	push_value(L, &cond->cell->value);
	status = lua_pcall(L, 1, 1, 1);
	run->script->in_function = false;
	if (status != LUA_OK) {
		script_failed(run, L, status);
		run_stop(run);
	}
	cond->holds = lua_toboolean(L, -1);
	lua_settop(L, 0);
}

static void cell_set(lua_State *L, struct task *t, struct cell_handle *c, struct value v)
{
	c->value = v;
	list_for_each(node, &c->conditions) {
		look_again(run_of(L), container_of(node, struct condition, node));
	}
	model_wake(t, &c->waiters);
}

static void await_function(lua_State *L, struct task *t, struct condition *cond)
{
	struct cell_handle *c = lua_touserdata(L, 2);

	lua_pushvalue(L, 3);
	cond->fn_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	list_add_tail(&cond->node, &c->conditions);
	look_again(run_of(L), cond);
	model_await(t, COST_ACCESS, is_held, cond, &c->waiters, c->h.id, "wait_until", false);
	list_del(&cond->node);
	luaL_unref(L, LUA_REGISTRYINDEX, cond->fn_ref);
}

/* wait_until(cell, value or function(v)): returns what the cell holds then */
static int l_wait_until(lua_State *L)
{
	struct task *t = model_self(L, "wait_until")->task;
	struct cell_handle *c = model_arg(L, 2, HANDLE_CELL, "wait_until");
	struct condition cond = {.cell = c};
	struct value found;

	if (lua_isnone(L, 3))
		script_error(L, "t:wait_until: expected the value to wait for, or function(v) "
				"... end that says whether to go on");
	if (lua_isfunction(L, 3)) {
		await_function(L, t, &cond);
	} else {
		cond.value = arg_value(L, 3, "t:wait_until");
		model_await(t, COST_ACCESS, is_equal, &cond, &c->waiters, c->h.id, "wait_until",
			    false);
	}
	trace_access(t, c->h.id, 0, ACCESS_READ, "wait_until");
	found = c->value;
	return push_value(L, &found);
}

/* ---- reading and writing -------------------------------------------------------- */

static int read_cell(lua_State *L, const char *op)
{
	struct task *t = model_self(L, op)->task;
	const struct cell_handle *c = model_arg(L, 2, HANDLE_CELL, op);

	sched_read(t, c->h.id, 0, op);
	return push_value(L, &c->value);
}

static int write_cell(lua_State *L, const char *op, const char *what)
{
	struct task *t = model_self(L, op)->task;
	struct cell_handle *c = model_arg(L, 2, HANDLE_CELL, op);
	struct value v = arg_value(L, 3, what);

	if (lua_isnone(L, 3))
		script_error(L, "%s: expected a cell and a value, got no value", what);
	sched_write(t, c->h.id, 0, op);
	cell_set(L, t, c, v);
	return 0;
}

static int l_read_once(lua_State *L)
{
	return read_cell(L, "read_once");
}

static int l_load(lua_State *L)
{
	return read_cell(L, "load");
}

static int l_rcu_dereference(lua_State *L)
{
	return read_cell(L, "rcu_dereference");
}

static int l_write_once(lua_State *L)
{
	return write_cell(L, "write_once", "t:write_once");
}

static int l_store(lua_State *L)
{
	return write_cell(L, "store", "t:store");
}

static int l_rcu_assign_pointer(lua_State *L)
{
	return write_cell(L, "rcu_assign_pointer", "t:rcu_assign_pointer");
}

/* ---- atomic operations ---------------------------------------------------------- */

/* One that finds what it does not want has only read: that commutes with other reads. */

static int l_xchg(lua_State *L)
{
	struct task *t = model_self(L, "xchg")->task;
	struct cell_handle *c = model_arg(L, 2, HANDLE_CELL, "xchg");
	struct value v = arg_value(L, 3, "t:xchg"), old;

	sched_access(t, c->h.id, 0, ACCESS_RMW, "xchg");
	old = c->value;
	cell_set(L, t, c, v);
	return push_value(L, &old);
}

/* cmpxchg(cell, old, new): returns what it found, as in the kernel */
static int l_cmpxchg(lua_State *L)
{
	struct task *t = model_self(L, "cmpxchg")->task;
	struct cell_handle *c = model_arg(L, 2, HANDLE_CELL, "cmpxchg");
	struct value old = arg_value(L, 3, "t:cmpxchg"), new = arg_value(L, 4, "t:cmpxchg"), found;

	if (lua_isnone(L, 4))
		script_error(L, "t:cmpxchg: expected a cell, the old and the new value");
	sched_point(t, COST_ATOMIC);
	found = c->value;
	trace_access(t, c->h.id, 0, equal(&found, &old) ? ACCESS_RMW : ACCESS_READ, "cmpxchg");
	if (equal(&found, &old))
		cell_set(L, t, c, new);
	return push_value(L, &found);
}

/* What the function at @idx makes of @v; it can do nothing else. */
static struct value computed(lua_State *L, int idx, const struct value *v)
{
	struct script *script = run_of(L)->script;
	int status;

	lua_pushvalue(L, idx);
	push_value(L, v);
	run_of(L)->subject.nr_scripts++;
	script->in_function = true;
	status = lua_pcall(L, 1, 1, 0);
	script->in_function = false;
	if (status != LUA_OK)
		lua_error(L);
	return arg_value(L, -1, "the function of t:update");
}

/* update(cell, function(v) ... end): returns what it found, as a loop around cmpxchg would */
static int l_update(lua_State *L)
{
	struct task *t = model_self(L, "update")->task;
	struct cell_handle *c = model_arg(L, 2, HANDLE_CELL, "update");
	struct value found;

	if (!lua_isfunction(L, 3))
		script_error(L,
			     "t:update: expected function(v) ... end that returns the new value, "
			     "got %s",
			     describe(L, 3));
	sched_access(t, c->h.id, 0, ACCESS_RMW, "update");
	found = c->value;
	cell_set(L, t, c, computed(L, 3, &found));
	return push_value(L, &found);
}

static int64_t add(lua_State *L, struct task *t, struct cell_handle *c, int64_t n, const char *op)
{
	int64_t old = number_in(L, c, op), sum = (int64_t)((uint64_t)old + (uint64_t)n);

	cell_set(L, t, c, (struct value){sum, VALUE_INTEGER});
	return sum;
}

static int l_atomic_add(lua_State *L)
{
	struct task *t = model_self(L, "atomic_add")->task;
	struct cell_handle *c = model_arg(L, 2, HANDLE_CELL, "atomic_add");
	int64_t n = arg_int(L, 3, "atomic_add", "what to add", INT64_MIN, INT64_MAX);

	sched_access(t, c->h.id, 0, ACCESS_RMW, "atomic_add");
	lua_pushinteger(L, (lua_Integer)add(L, t, c, n, "atomic_add"));
	return 1;
}

/* Nobody learns what it was, so it commutes with others of its kind. */
static int add_blindly(lua_State *L, int64_t n, const char *op)
{
	struct task *t = model_self(L, op)->task;
	struct cell_handle *c = model_arg(L, 2, HANDLE_CELL, op);

	sched_access(t, c->h.id, 0, ACCESS_ADD, op);
	(void)add(L, t, c, n, op);
	return 0;
}

static int l_atomic_inc(lua_State *L)
{
	return add_blindly(L, 1, "atomic_inc");
}

static int l_atomic_dec(lua_State *L)
{
	return add_blindly(L, -1, "atomic_dec");
}

static int l_inc_not_zero(lua_State *L)
{
	struct task *t = model_self(L, "inc_not_zero")->task;
	struct cell_handle *c = model_arg(L, 2, HANDLE_CELL, "inc_not_zero");
	bool ok;

	sched_point(t, COST_ATOMIC);
	ok = number_in(L, c, "inc_not_zero") != 0;
	trace_access(t, c->h.id, 0, ok ? ACCESS_RMW : ACCESS_READ, "inc_not_zero");
	if (ok)
		(void)add(L, t, c, 1, "inc_not_zero");
	lua_pushboolean(L, ok);
	return 1;
}

static int l_dec_and_test(lua_State *L)
{
	struct task *t = model_self(L, "dec_and_test")->task;
	struct cell_handle *c = model_arg(L, 2, HANDLE_CELL, "dec_and_test");

	sched_access(t, c->h.id, 0, ACCESS_RMW, "dec_and_test");
	lua_pushboolean(L, add(L, t, c, -1, "dec_and_test") == 0);
	return 1;
}

/* ---- life ----------------------------------------------------------------------- */

/* core.cell(name, value): exists from now on; not a step */
static int l_cell(lua_State *L)
{
	struct task *t = maker(L, "cell");
	const char *name = arg_new_name(L, 1, "cell");
	struct value v = arg_value(L, 2, "sim:cell");
	struct cell_handle *c =
		handle_new(L, HANDLE_CELL, sizeof(*c), world_new_id(t->w, OBJ_CELL), name);

	c->ref = keep(L);
	note_value(L, &c->h);
	c->value = v;
	list_init(&c->waiters);
	list_init(&c->conditions);
	trace(t, OBJ_NEW, .obj = c->h.id, .arg = {0, sizeof(int64_t)}, .str = c->h.name);
	return 1;
}

/* The cell can still be accessed: that is what the checkers are for. */
static void cell_free(struct task *t, oid_t id)
{
	touch(t->w, id, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = id, .str = "kfree");
}

/* A refcount is part of something: it goes as a cell does. */
static const struct handle *arg_memory(lua_State *L, const char *op)
{
	const struct handle *h = lua_touserdata(L, 2);

	return h && h->kind == HANDLE_REFCOUNT ? h : model_arg(L, 2, HANDLE_CELL, op);
}

static int l_kfree(lua_State *L)
{
	struct task *t = model_self(L, "kfree")->task;
	const struct handle *h = arg_memory(L, "kfree");

	sched_point(t, COST_ACCESS);
	cell_free(t, h->id);
	return 0;
}

struct late_kfree {
	struct rcu_head rcu;
	oid_t id;
};

static void kfree_rcu_callback(struct task *t, struct rcu_head *head)
{
	struct late_kfree *late = container_of(head, struct late_kfree, rcu);
	oid_t id = late->id;

	world_free(t->w, late, sizeof(*late));
	cell_free(t, id);
}

static int l_kfree_rcu(lua_State *L)
{
	struct task *t = model_self(L, "kfree_rcu")->task;
	const struct handle *h = arg_memory(L, "kfree_rcu");
	struct late_kfree *late = world_alloc(t->w, sizeof(*late));

	late->id = h->id;
	call_rcu_named(t, RCU_NORMAL, &late->rcu, kfree_rcu_callback, "kfree", h->id);
	return 0;
}

static const luaL_Reg ops[] = {
	{"atomic_add", l_atomic_add},
	{"atomic_dec", l_atomic_dec},
	{"atomic_inc", l_atomic_inc},
	{"cmpxchg", l_cmpxchg},
	{"dec_and_test", l_dec_and_test},
	{"inc_not_zero", l_inc_not_zero},
	{"kfree", l_kfree},
	{"kfree_rcu", l_kfree_rcu},
	{"load", l_load},
	{"rcu_assign_pointer", l_rcu_assign_pointer},
	{"rcu_dereference", l_rcu_dereference},
	{"read_once", l_read_once},
	{"store", l_store},
	{"update", l_update},
	{"wait_until", l_wait_until},
	{"write_once", l_write_once},
	{"xchg", l_xchg},
	{NULL, NULL},
};

bool cell_operation(lua_CFunction f)
{
	return is_operation_of(ops, f);
}

void cells_open(lua_State *L, int core)
{
	static const luaL_Reg makers[] = {{"cell", l_cell}, {NULL, NULL}};
	struct script *script = run_of(L)->script;

	model_add(L, core, ops, makers);
	script->conditions = lua_newthread(L);
	(void)luaL_ref(L, LUA_REGISTRYINDEX);
}
