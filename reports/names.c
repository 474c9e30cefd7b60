// SPDX-License-Identifier: GPL-2.0-only
#include "reports/names.h"

#include <glib.h>

struct named {
	oid_t id;	/* key of the table */
	char *name;	/* NULL for a memcg, which is called like its cgroup */
	bool ambiguous; /* an earlier object of its kind has the same name */
	oid_t subject;	/* of a work item: what it works on; of a memcg: its cgroup */
};

struct names {
	GHashTable *by_id; /* oid -> struct named */
	GHashTable *used;  /* "kind:name" that some object has */
};

static void named_free(gpointer data)
{
	struct named *e = data;

	g_free(e->name);
	g_free(e);
}

struct names *names_new(void)
{
	struct names *n = g_new0(struct names, 1);

	n->by_id = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, named_free);
	n->used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return n;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	g_hash_table_destroy(n->by_id);
	g_hash_table_destroy(n->used);
	g_free(n);
}

static const struct named *look_up(const struct names *n, oid_t id)
{
	return g_hash_table_lookup(n->by_id, &id);
}

/* Takes @name.  The first name of an object stays: lines already printed have it. */
static void learn(struct names *n, oid_t id, char *name)
{
	struct named *e;
	char *key;

	if (id == 0 || look_up(n, id)) {
		g_free(name);
		return;
	}
	/* Names come from scripts, and a report is ASCII whatever they hold. */
	for (char *p = name; *p; p++) {
		if (*p <= ' ' || *p >= 127)
			*p = '?';
	}
	key = g_strdup_printf("%u:%s", oid_kind(id), name);
	e = g_new0(struct named, 1);
	e->id = id;
	e->name = name;
	e->ambiguous = !g_hash_table_add(n->used, key);
	g_hash_table_insert(n->by_id, &e->id, e);
}

/* Nobody makes the root: it is the first parent that has no name. */
static void learn_cgroup(struct names *n, const struct trace_record *r)
{
	const char *name = r->str ? r->str : "", *above;

	learn(n, (oid_t)r->arg[0], g_strdup("/"));
	above = names_of(n, (oid_t)r->arg[0]);
	if (!above || strcmp(above, "/") == 0)
		above = "";
	learn(n, r->obj,
	      name[0] || r->arg[0] != 0 ? g_strconcat(above, "/", name, NULL) : g_strdup("/"));
}

/* A memcg goes online before its cgroup has a name. */
static void learn_memcg(struct names *n, const struct trace_record *r)
{
	struct named *e;

	if (look_up(n, r->obj))
		return;
	e = g_new0(struct named, 1);
	e->id = r->obj;
	e->subject = (oid_t)r->arg[0];
	g_hash_table_insert(n->by_id, &e->id, e);
}

/* A work item may be initialised again for something else; the latest counts. */
static void learn_subject(struct names *n, const struct trace_record *r)
{
	struct named *e = g_hash_table_lookup(n->by_id, &r->obj);

	if (e && r->arg[0] != 0)
		e->subject = (oid_t)r->arg[0];
}

/* Nobody announces a completion: it is called like what the first task waits for on it. */
static void learn_wait(struct names *n, const struct trace_record *r)
{
	oid_t on = (oid_t)r->arg[0];

	if (oid_kind(on) == OBJ_WAIT && r->str && r->str[0])
		learn(n, on, g_strdup(r->str));
}

void names_record(struct names *n, const struct trace_record *r)
{
	switch (r->kind) {
	case TR_TASK_BLOCK:
		learn_wait(n, r);
		break;
	case TR_CGROUP_MKDIR:
		learn_cgroup(n, r);
		break;
	case TR_CSS_ONLINE:
		learn_memcg(n, r);
		break;
	case TR_OBJ_NEW:
		/* These kinds get a better name from a record that follows. */
		if (oid_kind(r->obj) == OBJ_CGROUP || oid_kind(r->obj) == OBJ_MEMCG)
			break;
		/* fallthrough */
	case TR_TASK_START:
	case TR_LOCK_INIT:
	case TR_WQ_INIT:
	case TR_WORK_INIT:
	case TR_QUEUE_WORK:
	case TR_CACHE_CREATE:
	case TR_LRU_NEW:
		if (r->str && r->str[0])
			learn(n, r->obj, g_strdup(r->str));
		break;
	default:
		break;
	}
	if (r->kind == TR_WORK_INIT || r->kind == TR_WORK_START)
		learn_subject(n, r);
}

oid_t names_subject(const struct names *n, oid_t work)
{
	const struct named *e = look_up(n, work);

	return e ? e->subject : 0;
}

const char *names_of(const struct names *n, oid_t id)
{
	const struct named *e = look_up(n, id);

	if (e && !e->name)
		e = look_up(n, e->subject);
	return e ? e->name : NULL;
}

const char *names_comm(const struct names *n, uint32_t task)
{
	return names_of(n, oid_make(OBJ_TASK, task));
}

void names_put(const struct names *n, struct output *o, oid_t id)
{
	enum object_kind kind = oid_kind(id);
	const struct named *e = look_up(n, id), *cgroup;

	if (e && !e->name) {
		cgroup = look_up(n, e->subject);
		if (cgroup && cgroup->name) {
			output_str(o, "memcg ");
			names_put(n, o, e->subject);
			return;
		}
		e = NULL;
	}
	if (e) {
		output_str(o, e->name);
	} else {
		output_str(o, kind < NR_OBJECT_KINDS ? object_kind_name(kind) : "?");
	}
	if (id != 0 && (!e || e->ambiguous)) {
		output_char(o, e ? '#' : ':');
		output_u64(o, oid_nr(id));
	}
}
