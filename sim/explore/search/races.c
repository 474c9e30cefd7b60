// SPDX-License-Identifier: GPL-2.0-only
/*
 * dpor: two events that conflict and could have come the other way round race.  For each race
 * the search has to try, where it began, somebody with whom the other order begins.
 *
 * Who was kept off his CPU waited for it, as others wait for a lock: see turn_mode().
 */
#include "sim/explore/search/path.h"

/* Races of one step, times the steps of the path: more take milliseconds. */
#define LONG_RACES 1000000

void races_try(struct search *s, uint32_t depth, uint64_t bits, uint64_t instead)
{
	const struct wake wake = {.depth = depth, .bits = bits, .instead = instead};

	node_at(s, depth)->todo |= bits;
	if (!path_is_ours(s, depth))
		g_array_append_val(s->wakes, wake);
}

/*
 * @z is the same step as the last event, taken before what that saw was written.  Does whatever has
 * to come before it as it was there conflict with what happened here, so that there is a race?
 */
static bool did_as_much(const struct search *s, const struct sleeper *z, uint32_t race)
{
	if (is_broken(s, DEFECT_SEES_ALL))
		return true;
	return !z->wild && order_did_as_much(s->order, race, path_touches(s, z), z->nr_touches);
}

/* The last event could have come before the one at @race: see that somebody tries it. */
static void reverse_at(struct search *s, uint32_t race)
{
	struct node *n = node_at(s, race);
	uint32_t depths[PROCS_MAX];
	uint64_t bits = 0, instead = 0;
	uint32_t last = order_depth(s->order) - 1;
	uint64_t last_key = order_key(s->order, last);
	uint32_t nr = order_initials(s->order, race, depths);

	for (uint32_t i = 0; i < nr; i++) {
		uint64_t key = order_key(s->order, depths[i]);
		const struct sleeper *z = path_sleeper(s, n, key);
		int k = find_key(s, n, key);

		/*
		 * All that begins with it was tried from further up.  But if it does more there
		 * than here, what has to come before that does not show here.
		 */
		if (z) {
			if (depths[i] == last && !did_as_much(s, z, race))
				watch_or_try(s, race, z);
			return;
		}
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
static bool reverse_unpinned(struct search *s, uint32_t race)
{
	if (is_broken(s, DEFECT_UNPINNED) || !order_unpins(s->order, race))
		return false;
	races_try(s, race, all_enabled(node_at(s, race)), 0);
	return true;
}

/* The event at @race conflicts with the last one, which may have come before it. */
static void reverse(struct search *s, uint32_t race)
{
	if (!reverse_unpinned(s, race))
		reverse_at(s, race);
}

/*
 * The last event had to wait.  It can overtake one that conflicts with it only where it need not
 * wait without that: as far as is known, where it stood in line already and could step, or where
 * somebody else may have seen to that.
 */
static bool had_to_wait(const struct search *s, uint32_t race)
{
	uint32_t since = order_pending_since(s->order);
	uint64_t key = order_key(s->order, order_depth(s->order) - 1);

	return (since == NO_EVENT || since < race) && find_key(s, node_at(s, race), key) < 0 &&
	       !order_other_writer(s->order, race);
}

/* So many races took their time. */
static void look_soon_after(struct search *s, uint32_t nr_races)
{
	if ((uint64_t)nr_races * order_depth(s->order) > LONG_RACES)
		driver_look_soon(s->d);
}

/*
 * Somebody had the last event's CPU, or kept others off it: it can come before that.  From where it
 * could have stepped, there will be a run that says what it can come before further up.
 */
static bool reverse_turns(struct search *s)
{
	uint64_t key = order_key(s->order, order_depth(s->order) - 1);
	const uint32_t *turns;
	uint32_t n = order_turns(s->order, &turns);

	for (uint32_t i = 0; i < n; i++) {
		if (had_to_wait(s, turns[i]))
			continue;
		reverse(s, turns[i]);
		if (find_key(s, node_at(s, turns[i]), key) >= 0)
			break;
	}
	look_soon_after(s, n);
	return n > 0;
}

void races_reverse(struct search *s)
{
	uint32_t n;
	bool kept_out;

	if (is_broken(s, DEFECT_NO_RACES))
		return;
	if (s->max_races <= order_depth(s->order)) {
		s->max_races = 2 * order_depth(s->order);
		s->races = g_renew(uint32_t, s->races, s->max_races);
	}
	n = order_races(s->order, s->races);
	/* Whose steps are recalled has his CPU to himself. */
	kept_out = !s->recall && reverse_turns(s);
	for (uint32_t i = 0; i < n; i++) {
		if (!kept_out || !had_to_wait(s, s->races[i]))
			reverse(s, s->races[i]);
	}
}

void races_reverse_waits(struct search *s)
{
	const uint32_t *races;
	uint32_t n = order_wait_races(s->order, &races);

	for (uint32_t i = 0; i < n; i++) {
		if (!had_to_wait(s, races[i]))
			reverse(s, races[i]);
	}
	look_soon_after(s, n);
}

/*
 * The run ends, or is given up, and @who waits for something: had its step come before
 * what it waits for was taken away, there would be another run.  See that it is
 * tried, as if the step had been taken now and touched all that it waits for.
 */
void races_reverse_waiting(struct search *s, const struct waiting *who)
{
	struct node n = {.stepped = true, .touches_base = s->touches->len};
	struct event_info ev = {
		.key = who->key,
		.poster = who->poster,
		.context = who->task,
		.touches = s->tidy,
	};

	if (who->on)
		ev.nr_touches = order_places(
			s->order, who->on, oid_kind(who->on) == OBJ_CELL ? ACCESS_READ : ACCESS_RMW,
			s->tidy, TOUCHES_MAX);
	if (!is_broken(s, DEFECT_NO_SECTIONS))
		s->tidy[ev.nr_touches++] = (struct touch){s->x->s->w->cpus[who->cpu].id, FIELD_TURN,
							  who->task ? ACCESS_READ : ACCESS_RMW};
	if (!order_push(s->order, &ev))
		return;
	g_array_append_val(s->nodes, n);
	if (who->on)
		races_reverse_waits(s);
	else
		races_reverse(s);
	array_cut(s->nodes, s->nodes->len - 1);
	order_pop(s->order);
	watch_forget(s);
}

/* Is a context of @level, or its arrival, kept off the CPU where @cur is? */
static bool keeps_out(const struct task *cur, enum level level, bool arrives)
{
	enum level has = step_level(cur);

	return has > level || (arrives && has == level) || step_masks(cur) >> level & 1;
}

/* @t waits for more than its CPU. */
static void reverse_awaiting(struct search *s, const struct task *t)
{
	const struct waiting who = {
		.key = process_key(&t->timer),
		.task = t->id,
		.on = t->blocked_on,
		.poster = poster_of(s, t->timer.posted),
		.cpu = t->cpu->nr,
	};

	races_reverse_waiting(s, &who);
}

/* @tr could happen, if its CPU let it. */
static void reverse_kept_out(struct search *s, const struct transition *tr)
{
	const struct world *w = s->x->s->w;
	const struct task *t = transition_context(tr);
	const struct cpu *cpu = t ? t->cpu : step_irq_cpu(w, tr);
	struct waiting who = {.key = process_key(tr), .poster = poster_of(s, tr->posted)};

	if (!cpu || !cpu->cur || cpu->cur == t || (t && t->await.ready) ||
	    !keeps_out(cpu->cur, t ? step_level(t) : step_arrival(w, tr), !t))
		return;
	who.task = t ? t->id : 0;
	who.cpu = cpu->nr;
	races_reverse_waiting(s, &who);
}

void races_reverse_pending(struct search *s)
{
	const struct world *w = s->x->s->w;

	if (s->recall) {
		recall_reverse_pending(s);
		return;
	}
	list_for_each(node, &w->tasks) {
		const struct task *t = container_of(node, struct task, all_node);

		if (t->await.ready)
			reverse_awaiting(s, t);
	}
	for (uint32_t i = 0; i < w->nr_pending; i++)
		reverse_kept_out(s, w->pending[i]);
}
