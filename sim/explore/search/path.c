// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/search/path.h"

/* So that those of a long path stay in the caches. */
#define SNAPSHOTS_MAX 48

/* ---- choices inside a step ----------------------------------------------------------------- */

uint32_t path_inner_choice(struct exec *x, enum choice_kind kind, uint32_t n)
{
	struct search *s = x->strategy;
	guint at = x->choices->len;

	(void)kind;
	if (at >= s->script->len)
		return 0;
	sim_assert(g_array_index(s->script, struct choice, at).n == n);
	return g_array_index(s->script, struct choice, at).pick;
}

void path_note_script(struct search *s, uint32_t nr)
{
	g_array_set_size(s->script, 0);
	g_array_append_vals(s->script, s->x->choices->data, nr);
}

bool path_next_variant(struct search *s, const struct node *n)
{
	const GArray *choices = s->x->choices;

	for (uint32_t nr = choices->len; nr > n->choices_at + 1; nr--) {
		const struct choice *c = &g_array_index(choices, struct choice, nr - 1);

		if (c->pick + 1 < c->n) {
			path_note_script(s, nr);
			g_array_index(s->script, struct choice, nr - 1).pick++;
			return true;
		}
	}
	return false;
}

/* ---- snapshots ----------------------------------------------------------------------------- */

/* Room for more: every second one goes, but for the first. */
static void thin_snapshots(struct search *s)
{
	struct snapshot *all = (struct snapshot *)(void *)s->snapshots->data;
	uint32_t kept = 1;

	for (uint32_t i = 2; i < s->nr_snapshots; i += 2) {
		struct snapshot spare = all[kept];

		all[kept++] = all[i];
		all[i] = spare;
	}
	s->nr_snapshots = kept;
}

void path_take_snapshot(struct search *s)
{
	struct subject *subject = s->x->s;
	size_t size = subject->save_size(subject);
	struct snapshot *snap;

	if (s->nr_snapshots == SNAPSHOTS_MAX)
		thin_snapshots(s);
	if (s->nr_snapshots == s->snapshots->len) {
		struct snapshot fresh = {0};

		g_array_append_val(s->snapshots, fresh);
	}
	snap = &g_array_index(s->snapshots, struct snapshot, s->nr_snapshots++);
	if (snap->size < size) {
		g_aligned_free(snap->buffer);
		snap->size = size + size / 8;
		snap->buffer = g_aligned_alloc(1, snap->size, 64);
	}
	snap->depth = s->x->nr_steps;
	snap->nr_choices = s->x->choices->len;
	subject->save(subject, snap->buffer);
}

void path_drop_snapshots(struct search *s, uint32_t depth)
{
	while (g_array_index(s->snapshots, struct snapshot, s->nr_snapshots - 1).depth > depth)
		s->nr_snapshots--;
}

uint32_t path_restore(struct search *s, uint32_t depth)
{
	struct exec *x = s->x;
	const struct snapshot *snap;

	path_drop_snapshots(s, depth);
	snap = &g_array_index(s->snapshots, struct snapshot, s->nr_snapshots - 1);
	x->s->restore(x->s, snap->buffer);
	exec_rewind_to(x, snap->nr_choices, snap->depth);
	return snap->depth;
}

bool path_go_back(struct search *s, uint32_t depth, bool may_stop)
{
	struct exec *x = s->x;
	uint32_t from;

	if (s->recall) {
		recall_go_back(s, depth);
		return true;
	}
	from = path_restore(s, depth);
	while (x->nr_steps < depth) {
		const struct choice *c = &g_array_index(s->script, struct choice, x->choices->len);
		bool ok;

		if (may_stop && !driver_may_step(s->d))
			return false;
		exec_look(x);
		ok = exec_step(x, c->pick);
		sim_assert(ok);
		s->d->result->stats.nr_steps++;
		s->d->result->stats.nr_again++;
	}
	/* It was a long way, and what is below goes back here as well. */
	if (depth - from > s->snapshot_every)
		path_take_snapshot(s);
	exec_look(x);
	return true;
}

bool path_look(struct search *s)
{
	return s->recall ? recall_look(s) : exec_look(s->x);
}

/* ---- nodes --------------------------------------------------------------------------------- */

const struct touch *path_touches(const struct search *s, const struct sleeper *z)
{
	return &g_array_index(s->touches, struct touch, z->touches_at);
}

const struct touch *path_step_touches(const struct search *s, uint32_t depth, uint32_t *nr)
{
	uint32_t end = s->touches->len;

	/* Other variants that were tried before it come first. */
	if (depth + 1 < s->nodes->len)
		end = node_at(s, depth + 1)->touches_base;
	*nr = order_nr_touches(s->order, depth);
	return &g_array_index(s->touches, struct touch, end - *nr);
}

/* Is @z concerned by the step that @n just took, which touched @step? */
static bool wakes(const struct search *s, const struct sleeper *z, const struct node *n,
		  const struct touch *step, uint32_t nr_step)
{
	return z->wild || n->wild || z->key == key_at(s, n, n->pick) ||
	       touches_conflict(path_touches(s, z), z->nr_touches, step, nr_step);
}

/* Who slept above and is not concerned by the step @n just took goes on sleeping. */
static void inherit_sleep(struct search *s, struct node *child, const struct node *n)
{
	uint32_t nr_step;
	const struct touch *step = path_step_touches(s, s->nodes->len - 1, &nr_step);

	for (uint32_t i = 0; i < n->nr_sleep; i++) {
		struct sleeper z = g_array_index(s->sleepers, struct sleeper, n->sleep_at + i);

		if (!is_broken(s, DEFECT_NEVER_WAKE) && wakes(s, &z, n, step, nr_step))
			continue;
		g_array_append_val(s->sleepers, z);
		child->nr_sleep++;
	}
}

const struct sleeper *path_sleeper(const struct search *s, const struct node *n, uint64_t key)
{
	for (uint32_t i = 0; i < n->nr_sleep; i++) {
		const struct sleeper *z =
			&g_array_index(s->sleepers, struct sleeper, n->sleep_at + i);

		if (z->key == key)
			return z;
	}
	return NULL;
}

int path_natural(const struct search *s, const struct node *n)
{
	return n->current ? find_key(s, n, n->current) : -1;
}

/* First in line: whoever stepped last, else the first that does not sleep. */
static uint64_t first_of(const struct search *s, const struct node *n)
{
	int i = path_natural(s, n);

	if (i >= 0 && !path_sleeps(s, n, key_at(s, n, (uint32_t)i)))
		return UINT64_C(1) << i;
	for (uint32_t k = 0; k < n->nr_enabled; k++) {
		if (!path_sleeps(s, n, key_at(s, n, k)))
			return UINT64_C(1) << k;
	}
	return 0;
}

uint64_t path_alternatives(const struct search *s, uint32_t nr_enabled, int natural,
			   uint32_t preemptions)
{
	if (s->strategy != STRATEGY_BOUNDED || natural < 0 || preemptions < s->bound)
		return path_all_of(nr_enabled);
	if (nr_enabled > 1)
		s->d->result->bound_cut = true;
	return UINT64_C(1) << natural;
}

static uint64_t to_try(const struct search *s, const struct node *n)
{
	if (s->strategy == STRATEGY_DPOR)
		return first_of(s, n);
	return path_alternatives(s, n->nr_enabled, path_natural(s, n), n->preemptions);
}

void path_push(struct search *s)
{
	struct exec *x = s->x;
	struct node n = {
		.keys_at = s->keys->len,
		.nr_enabled = x->nr_enabled,
		.sleep_at = s->sleepers->len,
		.choices_at = x->choices->len,
		.state = s->state,
	};

	s->on_path[s->state % PATH_SLOTS]++;
	g_array_set_size(s->keys, n.keys_at + x->nr_enabled);
	for (uint32_t i = 0; i < x->nr_enabled; i++)
		g_array_index(s->keys, uint64_t, n.keys_at + i) = x->enabled[i].key;
	if (s->nodes->len > 0) {
		const struct node *up = top(s);

		n.current = up->current_after;
		n.preemptions = up->preemptions_after;
		n.violated = up->violated || (s->recall ? recall_violated(s) : exec_violated(x));
		n.again = up->leads_back;
		inherit_sleep(s, &n, up);
	}
	n.touches_base = s->touches->len;
	n.todo = to_try(s, &n);
	g_array_append_val(s->nodes, n);
	if (s->d->audit)
		s->d->audit->visit(s->d->audit, order_fingerprint(s->order), n.again);
}

void path_pop(struct search *s)
{
	const struct node *n = top(s);

	if (s->d->audit)
		s->d->audit->leave(s->d->audit);
	s->on_path[n->state % PATH_SLOTS]--;
	array_cut(s->keys, n->keys_at);
	array_cut(s->sleepers, n->sleep_at);
	array_cut(s->touches, n->touches_base);
	array_cut(s->nodes, s->nodes->len - 1);
}

/* Several variants may have been tried. */
static void tidy_tail(struct search *s, uint32_t at)
{
	uint32_t nr = s->touches->len - at;

	g_array_set_size(s->touches, at + 2 * nr);
	nr = touches_tidy(&g_array_index(s->touches, struct touch, at), nr);
	array_cut(s->touches, at + nr);
}

/* Whoever takes this step in a state that differs in nothing it touches changes it alike. */
static bool does_the_same(const struct search *s, const struct node *n)
{
	return s->d->memo && n->changed && !n->wild && s->x->choices->len == n->choices_at + 1 &&
	       !(s->d->audit && (s->d->audit->full || s->d->audit->again));
}

void path_put_to_sleep(struct search *s, struct node *n)
{
	struct sleeper z = {
		.key = key_at(s, n, n->pick),
		.touches_at = n->touches_at,
		.wild = n->wild,
	};

	n->done |= UINT64_C(1) << n->pick;
	if (s->strategy != STRATEGY_DPOR && !does_the_same(s, n)) {
		array_cut(s->touches, n->touches_at);
		return;
	}
	if (n->nr_variants > 1)
		tidy_tail(s, n->touches_at);
	z.nr_touches = s->touches->len - n->touches_at;
	if (s->strategy == STRATEGY_DPOR) {
		/* By the time that it matters, others may have come or gone. */
		touches_forget_last(&g_array_index(s->touches, struct touch, z.touches_at),
				    z.nr_touches);
	} else {
		z.change = n->change;
		z.context = n->where.level != LEVEL_NONE;
	}
	g_array_append_val(s->sleepers, z);
	n->nr_sleep++;
}
