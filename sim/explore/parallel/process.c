// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/parallel/process.h"

#define NAME_MAX_BYTES 256

struct seen_process {
	uint64_t key;
	uint32_t id;
};

struct process_names {
	GHashTable *ids;  /* name -> number + 1; for look-up only */
	GPtrArray *names; /* by number; the keys of ids */
	GArray *seen;	  /* struct seen_process: of this run, in the order of their first chance */
};

struct process_names *process_names_new(void)
{
	struct process_names *p = g_new0(struct process_names, 1);

	p->ids = g_hash_table_new(g_str_hash, g_str_equal);
	p->names = g_ptr_array_new_with_free_func(g_free);
	p->seen = g_array_new(FALSE, FALSE, sizeof(struct seen_process));
	return p;
}

void process_names_free(struct process_names *p)
{
	if (!p)
		return;
	g_hash_table_destroy(p->ids);
	g_ptr_array_unref(p->names);
	g_array_unref(p->seen);
	g_free(p);
}

void process_names_restart(struct process_names *p)
{
	g_array_set_size(p->seen, 0);
}

uint32_t process_names_seen(const struct process_names *p)
{
	return p->seen->len;
}

void process_names_forget(struct process_names *p, uint32_t nr)
{
	g_array_set_size(p->seen, nr);
}

uint32_t process_names_id(struct process_names *p, const char *name)
{
	gpointer found = g_hash_table_lookup(p->ids, name);
	char *copy;

	if (found)
		return GPOINTER_TO_UINT(found) - 1;
	copy = g_strdup(name);
	g_ptr_array_add(p->names, copy);
	g_hash_table_insert(p->ids, copy, GUINT_TO_POINTER(p->names->len));
	return p->names->len - 1;
}

const char *process_names_text(const struct process_names *p, uint32_t id)
{
	return g_ptr_array_index(p->names, id);
}

static bool is_taken(const struct process_names *p, uint32_t id)
{
	for (guint i = 0; i < p->seen->len; i++) {
		if (g_array_index(p->seen, struct seen_process, i).id == id)
			return true;
	}
	return false;
}

static uint32_t new_process(struct process_names *p, const struct enabled *e)
{
	char name[NAME_MAX_BYTES];
	struct seen_process fresh = {.key = e->key};

	process_name(e->tr, name, sizeof(name));
	fresh.id = process_names_id(p, name);
	for (uint32_t ordinal = 2; is_taken(p, fresh.id); ordinal++) {
		g_autofree char *other = g_strdup_printf("%s#%u", name, ordinal);

		fresh.id = process_names_id(p, other);
	}
	g_array_append_val(p->seen, fresh);
	return fresh.id;
}

static uint32_t id_of(struct process_names *p, const struct enabled *e)
{
	for (guint i = 0; i < p->seen->len; i++) {
		const struct seen_process *s = &g_array_index(p->seen, struct seen_process, i);

		if (s->key == e->key)
			return s->id;
	}
	return new_process(p, e);
}

void process_names_look(struct process_names *p, const struct exec *x, uint32_t ids[ENABLED_MAX])
{
	for (uint32_t i = 0; i < x->nr_enabled; i++)
		ids[i] = id_of(p, &x->enabled[i]);
}

void switches_count(struct switches *s, const struct exec *x, uint32_t i)
{
	int current = s->current ? exec_find(x, s->current) : -1;

	if (current >= 0 && (uint32_t)current != i)
		s->preemptions++;
	if (x->enabled[i].tr->kind == TRANSITION_STEP)
		s->current = x->enabled[i].key;
}
