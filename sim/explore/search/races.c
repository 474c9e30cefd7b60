// SPDX-License-Identifier: GPL-2.0-only
/*
 * dpor: two events that conflict and could have come the other way round race.  For each race
 * the search has to try, where it began, somebody with whom the other order begins.
 *
 * Whoever runs on a CPU keeps others out: a step may be impossible before another without being
 * ordered after it.  Then the reversal begins further up, before what blocks it.
 */
#include "sim/explore/search/path.h"

/* Races of one step, times the steps of the path: more take milliseconds. */
#define LONG_RACES 1000000

/*
 * What can precede @race must run from where that was taken.  It does not if it
 * needs a context that is interrupted there by one that it does not let finish, or
 * an interrupt that is masked there by one that it does not let unmask it: then it
 * has to come before the interrupt, or before the masking.
 *
 * Return: the depth from which it runs.
 */
static uint32_t blocked_at(const struct search *s, uint32_t race, uint32_t depth, bool needed)
{
	const struct where *x = &node_at(s, depth)->where;

	for (uint32_t k = race; k < depth; k++) {
		const struct where *w = &node_at(s, k)->where;

		if (w->cpu != x->cpu || w->level == LEVEL_NONE ||
		    (k != race && order_can_precede(s->order, race, k, needed)))
			continue;
		if (x->level != LEVEL_NONE && w->level > x->level && w->activation < race)
			return w->activation;
		if (x->level == LEVEL_TASK && w->level == LEVEL_TASK && w->masked[LEVEL_TASK] &&
		    w->region[LEVEL_TASK] < race &&
		    order_key(s->order, k) != order_key(s->order, depth))
			return w->region[LEVEL_TASK];
		if (x->arrival != LEVEL_NONE && w->level < x->arrival && w->masked[x->arrival] &&
		    w->region[x->arrival] < race)
			return w->region[x->arrival];
	}
	return race;
}

static uint32_t runs_from(const struct search *s, uint32_t race, bool needed)
{
	uint32_t last = order_depth(s->order) - 1, from = race;

	/* Whose steps are recalled has his CPU to himself: nothing there is in his way. */
	if (is_broken(s, DEFECT_NO_SECTIONS) || s->recall)
		return race;
	if (needed)
		order_need(s->order, race);
	for (uint32_t k = race + 1; k <= last && from == race; k++) {
		const struct where *x = &node_at(s, k)->where;

		if ((x->level != LEVEL_NONE || x->arrival != LEVEL_NONE) &&
		    order_can_precede(s->order, race, k, needed))
			from = blocked_at(s, race, k, needed);
	}
	return from;
}

/*
 * An interrupt or a section that keeps others out cannot come first if something
 * else on its CPU has to come before one of its steps: do not count on that it can.
 */
static bool can_open(const struct search *s, uint32_t race, bool needed, uint32_t depth)
{
	const struct node *x = node_at(s, depth);

	if (!x->opens || is_broken(s, DEFECT_NO_SECTIONS))
		return true;
	for (uint32_t k = race + 1; k < depth; k++) {
		const struct where *w = &node_at(s, k)->where;

		if (w->level != LEVEL_NONE && w->cpu == x->where.cpu &&
		    order_can_precede(s->order, race, k, needed))
			return false;
	}
	return true;
}

void races_try(struct search *s, uint32_t depth, uint64_t bits, uint64_t instead)
{
	const struct wake wake = {.depth = depth, .bits = bits, .instead = instead};

	node_at(s, depth)->todo |= bits;
	if (!path_is_ours(s, depth))
		g_array_append_val(s->wakes, wake);
}

/*
 * Where to begin if the last event is to come before the one at @race: with all that
 * can come along, if that runs; else with just what it takes, before whatever blocks
 * that.
 */
static uint32_t reversed_at(struct search *s, uint32_t race, bool *needed)
{
	uint32_t from;

	*needed = runs_from(s, race, false) != race;
	if (!*needed)
		return race;
	while ((from = runs_from(s, race, true)) != race) {
		struct node *n = node_at(s, from);

		n->split |= UINT64_C(1) << n->pick;
		race = from;
	}
	return race;
}

/*
 * @z is the same step as the last event, taken before what that saw was written.  Does whatever has
 * to come before it as it was there conflict with what happened here, so that there is a race?
 */
static bool did_as_much(const struct search *s, const struct sleeper *z, uint32_t raced,
			uint32_t race)
{
	/* What came after the one is not what came after the other. */
	uint32_t as_well = raced == race ? raced : NO_EVENT;

	if (is_broken(s, DEFECT_SEES_ALL))
		return true;
	return !z->wild && order_did_as_much(s->order, as_well, path_touches(s, z), z->nr_touches);
}

/*
 * The last event could have come before the one that it @raced with; with all that this takes,
 * before the one at @race: see that somebody tries it.
 */
static void reverse_at(struct search *s, uint32_t raced, uint32_t race, bool needed)
{
	struct node *n = node_at(s, race);
	uint32_t depths[PROCS_MAX];
	uint64_t bits = 0, instead = 0;
	uint32_t last = order_depth(s->order) - 1;
	uint64_t last_key = order_key(s->order, last);
	uint32_t nr = order_initials(s->order, race, needed, depths);

	for (uint32_t i = 0; i < nr; i++) {
		uint64_t key = order_key(s->order, depths[i]);
		const struct sleeper *z;
		int k = find_key(s, n, key);

		if (!can_open(s, race, needed, depths[i]))
			continue;
		z = path_sleeper(s, n, key);
		/*
		 * All that begins with it was tried from further up: or with its block.  But if
		 * it does more there than here, what has to come before that does not show here.
		 */
		if (z && !z->split) {
			if (depths[i] == last && !did_as_much(s, z, raced, race))
				watch_or_try(s, race, z);
			return;
		}
		if (z)
			continue;
		if (k < 0)
			continue;
		if ((n->todo | n->done) & UINT64_C(1) << k)
			return;
		instead |= UINT64_C(1) << k;
		if (!bits || key == last_key)
			bits = UINT64_C(1) << k;
	}
	/* None of them can step there: something in between made them able to. */
	races_try(s, race, bits ? bits : all_enabled(n), instead);
}

/*
 * The last event dropped the base of a counter, and the one at @race was a get before that.  With
 * the get there, the drop reached zero before no put; without it, it may, so that puts have to
 * come first that did not need to on this path.  Which ones is not known here: everybody is tried.
 */
static bool reverse_unpinned(struct search *s, uint32_t race, uint32_t at)
{
	if (is_broken(s, DEFECT_UNPINNED) || !order_unpins(s->order, race))
		return false;
	races_try(s, at, all_enabled(node_at(s, at)), 0);
	return true;
}

void races_reverse(struct search *s)
{
	uint32_t n;

	if (is_broken(s, DEFECT_NO_RACES))
		return;
	if (s->max_races <= order_depth(s->order)) {
		s->max_races = 2 * order_depth(s->order);
		s->races = g_renew(uint32_t, s->races, s->max_races);
	}
	n = order_races(s->order, s->races);
	for (uint32_t i = 0; i < n; i++) {
		bool needed;
		uint32_t at = reversed_at(s, s->races[i], &needed);

		if (reverse_unpinned(s, s->races[i], at))
			continue;
		reverse_at(s, s->races[i], at, needed);
	}
}

/* Does @w, the step at @k, belong to a section that had begun where the step at @at was taken? */
static bool masked_at(const struct where *w, uint32_t k, uint32_t at)
{
	/* The first step of a context that has a CPU already: since before the path. */
	return w->masked[LEVEL_TASK] && (w->region[LEVEL_TASK] < at || w->region[LEVEL_TASK] == k);
}

/* Was the CPU of the last event's context kept from it where the step at @at was taken? */
static bool was_kept_out(const struct search *s, uint32_t at)
{
	uint32_t last = order_depth(s->order) - 1;
	const struct where *x = &node_at(s, last)->where;

	for (uint32_t k = at; k < last; k++) {
		const struct where *w = &node_at(s, k)->where;

		if (w->level == LEVEL_NONE || w->cpu != x->cpu ||
		    order_key(s->order, k) == order_key(s->order, last))
			continue;
		if (w->level > x->level ? w->activation < at : masked_at(w, k, at))
			return true;
	}
	return false;
}

/*
 * The last event takes a lock in an interrupt.  Had that come while a context below it held the
 * lock, it would wait for ever, and keep out whoever is to release it: it could not have taken the
 * lock before the release, but it could have begun.
 */
static void reverse_releases(struct search *s)
{
	uint32_t last = order_depth(s->order) - 1;
	const struct where *x = &node_at(s, last)->where;
	const uint32_t *releases;
	uint32_t n = order_releases(s->order, &releases);

	for (uint32_t i = 0; i < n; i++) {
		const struct where *w = &node_at(s, releases[i])->where;
		bool needed;

		if (w->level == LEVEL_NONE || w->level >= x->level || w->cpu != x->cpu ||
		    x->activation <= releases[i])
			continue;
		/* Where it is masked, it cannot. */
		if (reversed_at(s, releases[i], &needed) == releases[i])
			reverse_at(s, releases[i], releases[i], needed);
	}
}

/*
 * What the last event would come after cannot come into the middle of a block, but it may write to
 * the same and commute with what the block does there: then the last event can come before both.
 */
static void try_within(struct search *s, uint32_t at, uint64_t key)
{
	const struct node *n = node_at(s, at);
	int k = find_key(s, n, key);

	if (k >= 0 && !path_sleeps(s, n, key))
		races_try(s, at, UINT64_C(1) << k, 0);
}

/*
 * The last event had to wait for a condition.  It can overtake one that conflicts with
 * it only where the condition holds without that: as far as is known, where it stood
 * in line already and could step, or would have been able to but for who had its CPU, or where
 * somebody else may have made it hold.
 */
void races_reverse_waits(struct search *s)
{
	uint32_t previous = order_previous(s->order);
	const uint32_t *races;
	uint32_t n = order_wait_races(s->order, &races);
	uint64_t key = order_key(s->order, order_depth(s->order) - 1);

	for (uint32_t i = 0; i < n; i++) {
		bool waited = previous == NO_EVENT || previous < races[i], needed;
		uint32_t at = reversed_at(s, races[i], &needed);

		if (at != races[i])
			try_within(s, races[i], key);
		if (waited && find_key(s, node_at(s, at), key) < 0 &&
		    !order_other_writer(s->order, at) && !was_kept_out(s, at))
			continue;
		reverse_at(s, races[i], at, needed);
	}
	if ((uint64_t)n * order_depth(s->order) > LONG_RACES)
		driver_look_soon(s->d);
	reverse_releases(s);
}

/*
 * The run ends, or is given up, and @who waits for something: had its step come before
 * what it waits for was taken away, there would be another run.  See that it is
 * tried, as if the step had been taken now and touched all that it waits for.
 */
void races_reverse_waiting(struct search *s, const struct waiting *who)
{
	struct node n = {.stepped = true, .touches_base = s->touches->len, .where = who->where};
	struct event_info ev = {
		.key = who->key,
		.poster = who->poster,
		.context = who->task,
		.touches = s->tidy,
	};

	ev.nr_touches = order_places(s->order, who->on,
				     oid_kind(who->on) == OBJ_CELL ? ACCESS_READ : ACCESS_RMW,
				     s->tidy, TOUCHES_MAX);
	if (ev.nr_touches == 0 || !order_push(s->order, &ev))
		return;
	g_array_append_val(s->nodes, n);
	races_reverse_waits(s);
	array_cut(s->nodes, s->nodes->len - 1);
	order_pop(s->order);
	watch_forget(s);
}

static void reverse_pending(struct search *s, const struct task *t)
{
	struct waiting who = {
		.key = process_key(&t->timer),
		.task = t->id,
		.on = t->blocked_on,
		.poster = poster_of(s, t->timer.posted),
	};

	step_where(s, &who.where, t, who.key, s->nodes->len);
	races_reverse_waiting(s, &who);
}

/*
 * Whoever has @cpu waits, in a section or an interrupt: @since is filled with the depths of the
 * steps since which he keeps contexts of each level out, NO_EVENT where he does not.
 *
 * Nothing of that shows in what was touched: those steps conflict with all others on the CPU.
 */
static void kept_out_since(struct search *s, const struct cpu *cpu, uint32_t since[NR_LEVELS])
{
	const struct task *cur = cpu->cur;
	struct where w = {0};

	step_where(s, &w, cur, process_key(&cur->timer), s->nodes->len);
	for (enum level l = LEVEL_TASK; l < NR_LEVELS; l++) {
		since[l] = w.level > l ? w.activation : w.masked[l] ? w.region[l] : NO_EVENT;
		if (since[l] < s->nodes->len)
			node_at(s, since[l])->split |= UINT64_C(1) << node_at(s, since[l])->pick;
	}
}

/* @tr stays pending, since its CPU is kept from it: it has to be tried before it was. */
static void reverse_kept_out(struct search *s, const struct cpu *cpu, const uint32_t *since,
			     const struct transition *tr)
{
	struct world *w = s->x->s->w;
	const struct task *t = transition_context(tr);
	uint32_t depth;
	const struct node *n;
	int k;

	if (cpu != (t ? t->cpu : step_irq_cpu(w, tr)) || cpu->cur == t)
		return;
	depth = since[t ? step_level(t) : step_arrival(w, tr)];
	if (depth >= s->nodes->len)
		return;
	n = node_at(s, depth);
	k = find_key(s, n, process_key(tr));
	/* Where it could not happen yet, whatever can may lead to it. */
	if (k < 0)
		races_try(s, depth, all_enabled(n), 0);
	else if (!path_sleeps(s, n, key_at(s, n, (uint32_t)k)))
		races_try(s, depth, UINT64_C(1) << k, 0);
}

/*
 * The other way round: what did happen on @cpu would have been kept out, had the section that never
 * ends begun before.  What that takes is not known here, so everybody is tried.
 */
static void reverse_let_in(struct search *s, const struct cpu *cpu, const uint32_t *since)
{
	for (uint32_t k = 0; k < s->nodes->len; k++) {
		const struct where *x = &node_at(s, k)->where;
		enum level level = x->level != LEVEL_NONE ? x->level : x->arrival;

		if (level == LEVEL_NONE || x->cpu != cpu->nr || since[level] >= s->nodes->len ||
		    k >= since[level] || order_before(s->order, k, since[level]))
			continue;
		races_try(s, k, all_enabled(node_at(s, k)), 0);
	}
}

/* Whoever can go on may yet let them in: only who waits keeps others out for ever. */
static void reverse_for_ever_kept_out(struct search *s)
{
	const struct world *w = s->x->s->w;

	for (unsigned int i = 0; i < w->config.nr_cpus; i++) {
		const struct cpu *cpu = &w->cpus[i];
		uint32_t since[NR_LEVELS];

		if (!cpu->cur || !cpu->cur->await.ready)
			continue;
		kept_out_since(s, cpu, since);
		for (uint32_t k = 0; k < w->nr_pending; k++)
			reverse_kept_out(s, cpu, since, w->pending[k]);
		reverse_let_in(s, cpu, since);
	}
}

void races_reverse_pending(struct search *s)
{
	if (s->recall) {
		recall_reverse_pending(s);
		return;
	}
	reverse_for_ever_kept_out(s);
	list_for_each(node, &s->x->s->w->tasks) {
		const struct task *t = container_of(node, struct task, all_node);

		if (t->await.ready)
			reverse_pending(s, t);
	}
}
