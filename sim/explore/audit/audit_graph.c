// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/audit/audit_graph.h"

#include "sim/check/ledger.h"
#include "sim/explore/steps/order.h"

#define NONE UINT32_MAX
#define PROBLEMS_MAX 3

struct state {
	uint64_t fingerprint;
	uint32_t parent;     /* where it was met for the first time, NONE at the root */
	uint32_t choices_at; /* of the step from there */
	uint32_t nr_choices;
	uint32_t edges; /* the last one */
	bool complete;	/* all its steps have been taken */
};

/* A step from a state. */
struct edge {
	uint64_t process, picks, after;
	uint32_t before; /* edge of the same state */
	uint32_t touches_at, nr_touches, choices_at, nr_choices;
	bool wild;
};

/* A way into a state: from the one where that step was taken. */
struct way {
	uint32_t from; /* state, NONE for the root itself */
	uint32_t choices_at, nr_choices;
};

enum trouble {
	TROUBLE_HIDDEN,	  /* one fingerprint, two states */
	TROUBLE_DISABLED, /* a step keeps one from happening that it is independent of */
	TROUBLE_ORDER,	  /* both orders can be, and lead to different states */
};

struct problem {
	enum trouble kind;
	struct way common; /* of two orders: into the state before both steps */
	struct way a, b;   /* both ways into one state; or that one, and one of the steps */
};

struct graph {
	bool by_history;
	GHashTable *index; /* fingerprint -> number of the state + 1; for look-up only */
	GArray *states, *edges, *choices, *touches;
	GArray *stack; /* uint32_t: states that the search is in */
	/* the step that was taken last */
	uint32_t last_from, last_choices_at, last_nr_choices;
	/* taking the steps of a known state again */
	bool again;
	uint32_t again_state;
	struct way again_way;
	GArray *again_edges;
	GArray *problems; /* struct problem */
	uint32_t nr_problems;
	uint64_t nr_again, nr_pairs;
};

struct graph *graph_new(bool by_history)
{
	struct graph *g = g_new0(struct graph, 1);

	g->by_history = by_history;
	g->index = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	g->states = g_array_new(FALSE, FALSE, sizeof(struct state));
	g->edges = g_array_new(FALSE, FALSE, sizeof(struct edge));
	g->choices = g_array_new(FALSE, FALSE, sizeof(struct choice));
	g->touches = g_array_new(FALSE, FALSE, sizeof(struct touch));
	g->stack = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g->again_edges = g_array_new(FALSE, FALSE, sizeof(struct edge));
	g->problems = g_array_new(FALSE, FALSE, sizeof(struct problem));
	g->last_from = NONE;
	return g;
}

void graph_free(struct graph *g)
{
	if (!g)
		return;
	g_hash_table_destroy(g->index);
	g_array_unref(g->states);
	g_array_unref(g->edges);
	g_array_unref(g->choices);
	g_array_unref(g->touches);
	g_array_unref(g->stack);
	g_array_unref(g->again_edges);
	g_array_unref(g->problems);
	g_free(g);
}

static struct state *state_at(const struct graph *g, uint32_t i)
{
	return &g_array_index(g->states, struct state, i);
}

static const struct edge *edge_at(const struct graph *g, uint32_t i)
{
	return &g_array_index(g->edges, struct edge, i);
}

static uint32_t find_state(const struct graph *g, uint64_t fingerprint)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(g->index, &fingerprint)) - 1;
}

static struct way way_to(const struct graph *g, uint32_t state)
{
	const struct state *s = state_at(g, state);

	return (struct way){s->parent, s->choices_at, s->nr_choices};
}

static void add_problem(struct graph *g, enum trouble kind, struct way common, struct way a,
			struct way b)
{
	struct problem p = {kind, common, a, b};

	if (g->nr_problems++ < PROBLEMS_MAX)
		g_array_append_val(g->problems, p);
}

/* ---- as the search goes --------------------------------------------------------------- */

static uint32_t add_state(struct graph *g, uint64_t fingerprint)
{
	uint32_t at = g->states->len;
	struct state fresh = {
		.fingerprint = fingerprint,
		.parent = g->last_from,
		.choices_at = g->last_choices_at,
		.nr_choices = g->last_nr_choices,
		.edges = NONE,
	};

	g_array_append_val(g->states, fresh);
	g_hash_table_insert(g->index, g_memdup2(&fingerprint, sizeof(fingerprint)),
			    GUINT_TO_POINTER(at + 1));
	return at;
}

void graph_visit(struct graph *g, uint64_t fingerprint, bool again)
{
	uint32_t state = find_state(g, fingerprint);

	g->again = again;
	if (state == NONE)
		state = add_state(g, fingerprint);
	g_array_append_val(g->stack, state);
	if (!again)
		return;
	g->again_state = state;
	g->again_way = (struct way){g->last_from, g->last_choices_at, g->last_nr_choices};
	g_array_set_size(g->again_edges, 0);
}

static int by_process(const void *x, const void *y)
{
	const struct edge *a = x, *b = y;

	if (a->process != b->process)
		return a->process < b->process ? -1 : 1;
	if (a->picks != b->picks)
		return a->picks < b->picks ? -1 : 1;
	return a->after < b->after ? -1 : a->after > b->after;
}

static GArray *edges_of(const struct graph *g, uint32_t state)
{
	GArray *edges = g_array_new(FALSE, FALSE, sizeof(struct edge));

	for (uint32_t e = state_at(g, state)->edges; e != NONE; e = edge_at(g, e)->before)
		g_array_append_vals(edges, edge_at(g, e), 1);
	g_array_sort(edges, by_process);
	return edges;
}

/*
 * By value a fingerprint holds numbers and addresses of what was made on the way: it may
 * tell apart too much, and then the steps lead to different ones.
 */
static bool same_edge(const struct graph *g, const struct edge *a, const struct edge *b)
{
	return a->process == b->process && a->picks == b->picks &&
	       (g->by_history ? a->after == b->after : a->nr_touches == b->nr_touches);
}

/* What can be done in a state, and where that leads, must be the same each time. */
static void compare_again(struct graph *g)
{
	struct way first = way_to(g, g->again_state);
	GArray *before = edges_of(g, g->again_state), *now = g->again_edges;
	bool same = before->len == now->len;

	g->nr_again++;
	g_array_sort(now, by_process);
	for (guint i = 0; same && i < now->len; i++)
		same = same_edge(g, &g_array_index(before, struct edge, i),
				 &g_array_index(now, struct edge, i));
	if (!same)
		add_problem(g, TROUBLE_HIDDEN, first, first, g->again_way);
	g_array_unref(before);
}

void graph_leave(struct graph *g)
{
	uint32_t state = g_array_index(g->stack, uint32_t, g->stack->len - 1);

	g_array_set_size(g->stack, g->stack->len - 1);
	/* One that the search is still in, further up, has not got all its steps yet. */
	if (g->again && state_at(g, state)->complete)
		compare_again(g);
	else if (!g->again)
		state_at(g, state)->complete = true;
	g->again = false;
}

static uint64_t digest_picks(const struct search_step *step)
{
	uint64_t h = 0;

	for (uint32_t i = 1; i < step->nr_choices; i++)
		h = h * 31 + step->choices[i].pick + 1;
	return h;
}

void graph_step(struct graph *g, const struct search_step *step)
{
	uint32_t from = g_array_index(g->stack, uint32_t, g->stack->len - 1);
	struct edge e = {
		.process = step->process,
		.picks = digest_picks(step),
		.after = step->after,
		.before = state_at(g, from)->edges,
		.touches_at = g->touches->len,
		.nr_touches = step->nr_touches,
		.choices_at = g->choices->len,
		.nr_choices = step->nr_choices,
		.wild = step->wild,
	};

	if (step->again) {
		g_array_append_val(g->again_edges, e);
		return;
	}
	g->last_from = from;
	g->last_choices_at = g->choices->len;
	g->last_nr_choices = step->nr_choices;
	g_array_append_vals(g->choices, step->choices, step->nr_choices);
	g_array_append_vals(g->touches, step->touches, step->nr_touches);
	state_at(g, from)->edges = g->edges->len;
	g_array_append_val(g->edges, e);
}

/* ---- do independent steps commute? ---------------------------------------------------- */

static const struct edge *find_edge(const struct graph *g, const struct state *s,
				    const struct edge *like)
{
	for (uint32_t e = s->edges; e != NONE; e = edge_at(g, e)->before) {
		const struct edge *edge = edge_at(g, e);

		if (edge->process == like->process && edge->picks == like->picks)
			return edge;
	}
	return NULL;
}

/* As dpor sees it. */
static bool independent(const struct graph *g, const struct edge *a, const struct edge *b)
{
	const struct touch *touches = &g_array_index(g->touches, struct touch, 0);

	if (a->process == b->process || a->wild || b->wild)
		return false;
	return !touches_conflict(touches + a->touches_at, a->nr_touches, touches + b->touches_at,
				 b->nr_touches);
}

static struct way way_along(uint32_t state, const struct edge *e)
{
	return (struct way){state, e->choices_at, e->nr_choices};
}

static void check_pair(struct graph *g, uint32_t state, const struct edge *a, const struct edge *b)
{
	uint32_t after_a = find_state(g, a->after), after_b = find_state(g, b->after);
	const struct edge *ab, *ba;

	if (after_a == NONE || after_b == NONE || !state_at(g, after_a)->complete ||
	    !state_at(g, after_b)->complete)
		return;
	g->nr_pairs++;
	ab = find_edge(g, state_at(g, after_a), b);
	ba = find_edge(g, state_at(g, after_b), a);
	if (!ab || !ba)
		add_problem(g, TROUBLE_DISABLED, way_to(g, state), way_along(state, a),
			    way_along(state, b));
	else if (ab->after != ba->after)
		add_problem(g, TROUBLE_ORDER, way_to(g, state), way_along(state, a),
			    way_along(state, b));
}

void graph_commute(struct graph *g)
{
	for (uint32_t i = 0; i < g->states->len; i++) {
		if (!state_at(g, i)->complete)
			continue;
		for (uint32_t e = state_at(g, i)->edges; e != NONE; e = edge_at(g, e)->before) {
			const struct edge *a = edge_at(g, e);

			for (uint32_t f = a->before; f != NONE; f = edge_at(g, f)->before) {
				if (independent(g, a, edge_at(g, f)))
					check_pair(g, i, a, edge_at(g, f));
			}
		}
	}
}

uint64_t graph_nr_again(const struct graph *g)
{
	return g->nr_again;
}

uint64_t graph_nr_pairs(const struct graph *g)
{
	return g->nr_pairs;
}

/* ---- telling about it ----------------------------------------------------------------- */

static GArray *path_to(const struct graph *g, const struct way *way)
{
	GArray *path = g_array_new(FALSE, FALSE, sizeof(struct choice));
	struct way w = *way;

	while (w.from != NONE) {
		const struct state *s = state_at(g, w.from);

		g_array_prepend_vals(path, &g_array_index(g->choices, struct choice, w.choices_at),
				     w.nr_choices);
		w = (struct way){s->parent, s->choices_at, s->nr_choices};
	}
	return path;
}

static uint32_t follow_path(struct exec *x, enum choice_kind kind, uint32_t n)
{
	const GArray *path = x->strategy;
	guint at = x->choices->len;

	(void)kind;
	return path && at < path->len && g_array_index(path, struct choice, at).pick < n
		       ? g_array_index(path, struct choice, at).pick
		       : 0;
}

static void append_name(GString *out, const struct transition *tr)
{
	char name[128];

	process_name(tr, name, sizeof(name));
	g_string_append(out, name);
}

static void append_touches(GString *out, const struct exec *x)
{
	static const char *const modes[] = {[ACCESS_READ] = "r",
					    [ACCESS_WRITE] = "w",
					    [ACCESS_RMW] = "rw",
					    [ACCESS_ADD] = "+",
					    [ACCESS_ADD_LAST] = "+last"};

	for (uint32_t i = 0; i < x->log.nr; i++)
		g_string_append_printf(out, " %s.%x:%s", oid_str(x->touches[i].obj).s,
				       x->touches[i].field, modes[x->touches[i].mode]);
}

/* Run @path, name its steps, and leave the world where it ends. */
static bool take_path(struct exec *x, GArray *path, GString *out)
{
	x->inner = follow_path;
	x->strategy = path;
	exec_restart(x);
	while (x->choices->len < path->len) {
		uint32_t i = g_array_index(path, struct choice, x->choices->len).pick;

		if (!exec_look(x) || i >= x->nr_enabled)
			return false;
		if (x->choices->len > 0)
			g_string_append(out, ", ");
		append_name(out, x->enabled[i].tr);
		if (!exec_step(x, i))
			return false;
	}
	return exec_look(x);
}

static void describe_way(const struct graph *g, struct exec *x, const char *what,
			 const struct way *way, GString *out)
{
	GArray *path = path_to(g, way);
	g_autoptr(GString) unused = g_string_new(NULL);
	uint32_t nr;

	g_string_append_printf(out, "\n  %s: ", what);
	if (!take_path(x, path, out)) {
		g_string_append(out, "\n    nothing can come next");
		g_array_unref(path);
		return;
	}
	nr = x->nr_enabled;
	for (uint32_t i = 0; i < nr; i++) {
		g_string_append(out, "\n    next ");
		append_name(out, x->enabled[i].tr);
		(void)exec_step(x, i);
		g_string_append(out, ":");
		append_touches(out, x);
		(void)take_path(x, path, unused);
	}
	g_array_unref(path);
}

static const char *say(enum trouble kind)
{
	switch (kind) {
	case TROUBLE_HIDDEN:
		return "hidden state: two ways lead to one fingerprint, and differ in what comes "
		       "next";
	case TROUBLE_DISABLED:
		return "two steps are said to be independent, but one keeps the other from "
		       "happening";
	case TROUBLE_ORDER:
		return "two steps are said to be independent, but their order matters";
	}
	return "";
}

uint32_t graph_problems(struct graph *g, struct exec *x, GPtrArray *problems)
{
	for (guint i = 0; i < g->problems->len; i++) {
		const struct problem *p = &g_array_index(g->problems, struct problem, i);
		GString *out = g_string_new(say(p->kind));

		g_string_append(out, g->by_history ? " (states by history)" : " (states by value)");
		if (p->kind != TROUBLE_HIDDEN)
			describe_way(g, x, "before both", &p->common, out);
		describe_way(g, x, "A", &p->a, out);
		describe_way(g, x, "B", &p->b, out);
		g_ptr_array_add(problems, g_string_free(out, FALSE));
	}
	return g->nr_problems;
}
