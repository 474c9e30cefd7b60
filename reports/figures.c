// SPDX-License-Identifier: GPL-2.0-only
#include "reports/figures.h"

#include <string.h>

#define LOCK_IS_MUTEX 0 /* as lock_init says it */

static void held_mutex_free(gpointer p)
{
	struct held_mutex *m = p;

	g_free(m->name);
	g_free(m);
}

struct figures *figures_new(void)
{
	struct figures *f = g_new0(struct figures, 1);

	f->mutexes = g_ptr_array_new_with_free_func(held_mutex_free);
	f->names = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	f->taken = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	f->begun = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	f->leaving = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	return f;
}

void figures_free(struct figures *f)
{
	if (!f)
		return;
	g_ptr_array_unref(f->mutexes);
	g_hash_table_destroy(f->names);
	g_hash_table_destroy(f->taken);
	g_hash_table_destroy(f->begun);
	g_hash_table_destroy(f->leaving);
	g_free(f);
}

static void remember(GHashTable *table, uint64_t key, uint64_t value)
{
	g_hash_table_replace(table, g_memdup2(&key, sizeof(key)), g_memdup2(&value, sizeof(value)));
}

/* ---- mutexes ------------------------------------------------------------- */

const struct held_mutex *figures_mutex(const struct figures *f, const char *name)
{
	for (guint i = 0; i < f->mutexes->len; i++) {
		const struct held_mutex *m = g_ptr_array_index(f->mutexes, i);

		if (strcmp(m->name, name) == 0)
			return m;
	}
	return NULL;
}

static void add_hold(struct figures *f, const char *name, uint64_t ns)
{
	struct held_mutex *m = (struct held_mutex *)figures_mutex(f, name);

	if (!m) {
		m = g_new0(struct held_mutex, 1);
		m->name = g_strdup(name);
		g_ptr_array_add(f->mutexes, m);
	}
	m->nr++;
	m->longest = MAX(m->longest, ns);
	m->total += ns;
}

static void lock_record(struct figures *f, const struct trace_record *r)
{
	const char *name = g_hash_table_lookup(f->names, &r->obj);
	const uint64_t *since = g_hash_table_lookup(f->taken, &r->obj);

	if (r->kind == TR_LOCK_INIT && r->arg[0] == LOCK_IS_MUTEX && r->str) {
		g_hash_table_replace(f->names, g_memdup2(&r->obj, sizeof(r->obj)),
				     g_strdup(r->str));
	} else if (r->kind == TR_LOCK_ACQUIRE && name && f->started) {
		remember(f->taken, r->obj, r->t);
	} else if (r->kind == TR_LOCK_RELEASE && since) {
		add_hold(f, name, r->t - *since);
		g_hash_table_remove(f->taken, &r->obj);
	}
}

static gint compare_objects(gconstpointer a, gconstpointer b)
{
	const oid_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

void figures_end(struct figures *f, uint64_t t)
{
	GList *held = g_list_sort(g_hash_table_get_keys(f->taken), compare_objects);

	for (const GList *l = held; l; l = l->next) {
		const uint64_t *since = g_hash_table_lookup(f->taken, l->data);

		add_hold(f, g_hash_table_lookup(f->names, l->data), t - *since);
	}
	g_list_free(held);
	g_hash_table_remove_all(f->taken);
}

/* ---- removals ------------------------------------------------------------ */

static bool is_removal(const char *op)
{
	return op && (strcmp(op, "rmdir") == 0 || strcmp(op, "destroy") == 0);
}

/* It went well: from its beginning on something is to go. */
static void removal_ended(struct figures *f, const struct trace_record *r)
{
	const int64_t task = r->task;
	const uint64_t *begun = g_hash_table_lookup(f->begun, &task);

	if (!begun || r->arg[0] != 0)
		return;
	f->removed = true;
	f->removed_at = MAX(f->removed_at, *begun);
}

/* An objcg is small and has no resources of its own: one that a stock keeps does no harm. */
static void leave(struct figures *f, oid_t obj)
{
	if (oid_kind(obj) == OBJ_MEMCG || oid_kind(obj) == OBJ_CACHE)
		g_hash_table_add(f->leaving, g_memdup2(&obj, sizeof(obj)));
}

static void removal_record(struct figures *f, const struct trace_record *r)
{
	switch (r->kind) {
	case TR_OP_BEGIN:
		if (is_removal(r->str))
			remember(f->begun, r->task, r->t);
		break;
	case TR_CGROUP_RMDIR:
	case TR_CACHE_DESTROY:
		removal_ended(f, r);
		break;
	case TR_CSS_KILLED:
	case TR_CSS_OFFLINE:
	case TR_REF_KILL:
	case TR_CACHE_DEACTIVATE:
		leave(f, r->obj);
		break;
	case TR_CACHE_SHUTDOWN:
		if (r->arg[0] == 0)
			leave(f, r->obj);
		break;
	case TR_OBJ_FREE:
		if (g_hash_table_remove(f->leaving, &r->obj))
			f->clean_at = r->t;
		break;
	default:
		break;
	}
}

bool figures_clean_after(const struct figures *f, uint64_t *t)
{
	if (!f->removed || g_hash_table_size(f->leaving) > 0)
		return false;
	*t = f->clean_at > f->removed_at ? f->clean_at - f->removed_at : 0;
	return true;
}

/* ---- all of it ----------------------------------------------------------- */

void figures_record(struct figures *f, const struct trace_record *r)
{
	lock_record(f, r);
	removal_record(f, r);
	switch (r->kind) {
	case TR_TASK_START:
		/* The first one is the set-up. */
		f->nr_tasks += r->ctx == CTX_TASK;
		f->started |= f->nr_tasks > 1;
		break;
	case TR_RCU_GP_END:
		f->nr_gps += f->started;
		break;
	case TR_RCU_BARRIER_BEGIN:
		f->nr_barriers += f->started;
		break;
	default:
		break;
	}
}
