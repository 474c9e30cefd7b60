// SPDX-License-Identifier: GPL-2.0-only
/*
 * Searching in pieces: the part of the tree that is still to be searched, cut
 * into positions that can be searched apart from each other.
 *
 * A search that has taken its steps hands back where it stands.  While there is
 * little to do, what is pending next to the root is split off as pieces of their
 * own; the nodes above the cut then belong to nobody, and stand here as branches.
 * A search that finds that something has to be tried at one of them says so, and
 * gets it made a piece.
 *
 * All this depends on the results in their order only, so dpor does the same with
 * any number of jobs.  The other strategies leave out states that somebody else has
 * met, and who meets one first is a matter of luck: in the end the same states were
 * met, but a failure is found again by one job, so that it is the same one.
 */

#include "sim/explore/parallel/frontier.h"

#include "sim/explore/parallel/jobs.h"
#include "sim/explore/parallel/outcome.h"
#include "sim/explore/parallel/position.h"
#include "sim/explore/search/seen.h"

/* Steps of one piece: few at first, so that there is soon something to share. */
#define STEPS_FIRST 8192
#define STEPS_LATER 65536
#define NR_FIRST 16
/* As long as fewer pieces wait, more are split off. */
#define WAITING_MIN 32
#define SPLIT_MAX 4
#define SEEN_BYTES_DEFAULT (UINT64_C(1) << 30)

/* A node that no piece owns, below which several are at work. */
struct branch {
	guint refs;
	uint64_t tried; /* bit per process: tried, being tried, or waiting */
};

struct region {
	struct position *at;
	GPtrArray *branches; /* struct branch: for each place that is not the region's own */
};

struct frontier {
	struct driver *d;
	enum strategy strategy;
	uint32_t bound;
	unsigned int nr_jobs;
	struct seen *seen;
	GPtrArray *waiting;		/* struct region; the last is next */
	struct region *out[JOBS_AHEAD]; /* handed out, by number */
	uint64_t nr_out, nr_taken;
	uint64_t max_steps, nr_steps; /* of all pieces; 0: no limit */
	uint64_t nr_recalled_before;  /* steps, by earlier searches */
	bool gave_up; /* that limit was hit, or it takes too many steps in the world */
};

/* ---- regions --------------------------------------------------------------------------------- */

static void branch_unref(gpointer p)
{
	struct branch *b = p;

	if (--b->refs == 0)
		g_free(b);
}

static struct region *region_new(struct position *at)
{
	struct region *t = g_new0(struct region, 1);

	t->at = at;
	t->branches = g_ptr_array_new_with_free_func(branch_unref);
	return t;
}

static void region_free(gpointer p)
{
	struct region *t = p;

	if (!t)
		return;
	position_free(t->at);
	g_ptr_array_unref(t->branches);
	g_free(t);
}

static void add_branch(struct region *t, struct branch *b)
{
	b->refs++;
	g_ptr_array_add(t->branches, b);
}

static struct branch *branch_at(const struct region *t, uint32_t depth)
{
	return g_ptr_array_index(t->branches, depth);
}

/* A region for @at, which leads to a node on the path of @t, or to one of its alternatives. */
static void add_region(struct frontier *f, const struct region *t, struct position *at)
{
	struct region *fresh = region_new(at);

	for (uint32_t depth = 0; depth <= at->first; depth++)
		add_branch(fresh, branch_at(t, depth));
	g_ptr_array_add(f->waiting, fresh);
}

/* Try the alternatives @bits at @depth of @t; what was tried there before sleeps. */
static uint32_t add_bits(struct frontier *f, const struct region *t, uint32_t depth, uint64_t bits)
{
	struct branch *b = branch_at(t, depth);
	uint32_t nr = 0;

	for (uint32_t k = 0; k < place_at(t->at, depth)->nr_enabled; k++) {
		struct position *at;

		if (!(bits & ~b->tried & UINT64_C(1) << k))
			continue;
		at = position_cut(t->at, depth, k);
		place_at(at, depth)->done = b->tried;
		b->tried |= UINT64_C(1) << k;
		add_region(f, t, at);
		nr++;
	}
	return nr;
}

static void take_wake(struct frontier *f, const struct region *t, const struct wake *w)
{
	if (w->depth < t->branches->len && !(branch_at(t, w->depth)->tried & w->instead))
		(void)add_bits(f, t, w->depth, w->bits);
}

/* What @t has pending at @depth, but for what it is at. */
static uint64_t pending_bits(const struct region *t, uint32_t depth)
{
	const struct place *p = place_at(t->at, depth);

	if (depth < t->at->first || (depth == t->at->first && !t->at->all))
		return 0;
	return p->todo & ~p->done & ~(UINT64_C(1) << p->pick);
}

/* From now on @depth is nobody's. */
static void give_up_place(struct region *t, uint32_t depth)
{
	const struct place *p = place_at(t->at, depth);
	struct branch *b;

	if (depth < t->branches->len)
		return;
	b = g_new0(struct branch, 1);
	b->tried = p->done | UINT64_C(1) << p->pick;
	add_branch(t, b);
}

/* Split off what is pending next to the root, down to where there is enough. */
static void split(struct frontier *f, struct region *t)
{
	uint32_t last = t->at->places->len - 1, nr = 0;

	for (uint32_t depth = t->at->first; depth < last && nr < SPLIT_MAX; depth++) {
		uint64_t bits = pending_bits(t, depth);
		struct position *variant = position_variant(t->at, depth);

		give_up_place(t, depth);
		if (variant) {
			add_region(f, t, variant);
			nr++;
		}
		nr += add_bits(f, t, depth, bits);
		t->at->first = depth + 1;
		t->at->all = true;
	}
}

static void put_back(struct frontier *f, struct region *t, struct position *rest)
{
	position_free(t->at);
	t->at = rest;
	if (f->nr_jobs > 1 || f->strategy == STRATEGY_DPOR) {
		if (f->waiting->len < WAITING_MIN)
			split(f, t);
	}
	g_ptr_array_add(f->waiting, t);
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static uint64_t steps_of_piece(const struct frontier *f)
{
	if (f->nr_jobs == 1 && f->strategy != STRATEGY_DPOR) {
		if (f->max_steps == 0)
			return 0;
		return f->nr_out < NR_FIRST ? STEPS_LATER : 16 * STEPS_LATER;
	}
	return f->nr_out < NR_FIRST ? STEPS_FIRST : STEPS_LATER;
}

static bool next_piece(void *arg, GByteArray *piece)
{
	struct frontier *f = arg;
	struct region *t;

	if (f->waiting->len == 0)
		return false;
	t = g_ptr_array_steal_index(f->waiting, f->waiting->len - 1);
	for (guint i = 0; i < t->branches->len; i++)
		place_at(t->at, i)->todo = branch_at(t, i)->tried;
	put_u64(piece, steps_of_piece(f));
	position_write(t->at, piece);
	f->out[f->nr_out++ % JOBS_AHEAD] = t;
	return true;
}

static void work(void *arg, const volatile sig_atomic_t *stop, const GByteArray *piece,
		 GByteArray *result)
{
	struct frontier *f = arg;
	struct reader r = {.data = piece->data, .left = piece->len, .ok = true};
	struct search_part part = {
		.strategy = f->strategy,
		.bound = f->bound,
		.seen = f->seen,
		.wakes = g_array_new(FALSE, FALSE, sizeof(struct wake)),
	};
	struct piece_driver p;

	part.max_steps = take_u64(&r);
	part.at = position_read(&r);
	sim_assert(part.at);
	piece_begin(&p, f->d, stop);
	search_part(&p.d, &part);
	outcome_write(&p, result);
	put_array(result, part.wakes);
	put_u64(result, part.rest != NULL);
	if (part.rest)
		position_write(part.rest, result);
	piece_end(&p);
	g_array_unref(part.wakes);
	position_free(part.at);
	position_free(part.rest);
}

/* Pieces that ran ahead could not know how many runs those before them would make. */
static bool made_too_many_runs(const struct frontier *f, const struct outcome *o)
{
	const struct explore_stats *s = &o->result.stats;
	uint64_t nr = s->nr_runs + s->nr_cut, left = driver_runs_left(f->d);

	if (!f->d->max_runs || nr < left)
		return false;
	return nr > left || !o->stopped || o->result.end != END_RUNS;
}

static void take_outcome(struct frontier *f, struct region *t, struct outcome *o, struct reader *r)
{
	g_autoptr(GArray) wakes = g_array_new(FALSE, FALSE, sizeof(struct wake));
	struct position *rest;

	take_array(r, wakes);
	rest = take_u64(r) ? position_read(r) : NULL;
	sim_assert(r->ok);
	f->nr_steps += driver_steps_ahead(&o->result.stats);
	outcome_add(f->d, o);
	for (guint i = 0; i < wakes->len; i++)
		take_wake(f, t, &g_array_index(wakes, struct wake, i));
	if (rest)
		put_back(f, t, rest);
	else
		region_free(t);
}

/* The same piece once more, now that it is known how many runs are left. */
static void work_again(struct frontier *f, const struct region *t, struct outcome *o,
		       GByteArray *result, struct reader *r)
{
	g_autoptr(GByteArray) piece = g_byte_array_new();

	outcome_clear(o);
	put_u64(piece, STEPS_LATER);
	position_write(t->at, piece);
	work(f, NULL, piece, result);
	*r = (struct reader){.data = result->data, .left = result->len, .ok = true};
	outcome_read(o, r);
}

/* The first pieces learn what steps do. */
static bool takes_most(const struct frontier *f)
{
	const struct explore_stats *stats = &f->d->result->stats;

	return f->d->only_recalled && f->nr_steps > 4 * STEPS_FIRST &&
	       2 * (stats->nr_recalled - f->nr_recalled_before) < f->nr_steps;
}

static bool take_piece(void *arg, uint64_t nr, const GByteArray *result)
{
	struct frontier *f = arg;
	struct region *t = f->out[nr % JOBS_AHEAD];
	struct reader r = {.data = result->data, .left = result->len, .ok = true};
	g_autoptr(GByteArray) again = g_byte_array_new();
	struct outcome o;

	/* The last run was made before: with one job this piece would not have been begun. */
	if (f->d->stopped && f->d->result->end == END_RUNS && f->strategy == STRATEGY_DPOR)
		return true;
	outcome_read(&o, &r);
	if (made_too_many_runs(f, &o))
		work_again(f, t, &o, again, &r);
	f->out[nr % JOBS_AHEAD] = NULL;
	take_outcome(f, t, &o, &r);
	outcome_clear(&o);
	f->nr_taken++;
	if (f->strategy == STRATEGY_EXHAUSTIVE)
		f->d->result->stats.nr_states = seen_count(f->seen);
	f->gave_up = ((f->max_steps && f->nr_steps >= f->max_steps) || takes_most(f)) &&
		     !f->d->stopped;
	/* At a limit all that is being done counts, and go_on() says so. */
	return !f->gave_up && !driver_is_over(f->d);
}

static bool go_on(void *arg)
{
	struct frontier *f = arg;

	return driver_look(f->d);
}

/* ---- to and from a checkpoint ---------------------------------------------------------------- */

static void put_region(const struct region *t, GHashTable *numbers, GByteArray *b)
{
	position_write(t->at, b);
	put_u64(b, t->branches->len);
	for (guint i = 0; i < t->branches->len; i++)
		put_u64(b, GPOINTER_TO_UINT(g_hash_table_lookup(numbers, branch_at(t, i))) - 1);
}

/* Looked up by address, written in the order in which the regions name them. */
static void number_branches(const GPtrArray *regions, GHashTable *numbers, GArray *tried)
{
	for (guint k = 0; k < regions->len; k++) {
		const struct region *t = g_ptr_array_index(regions, k);

		for (guint i = 0; i < t->branches->len; i++) {
			struct branch *b = branch_at(t, i);

			if (g_hash_table_contains(numbers, b))
				continue;
			g_array_append_val(tried, b->tried);
			g_hash_table_insert(numbers, b, GUINT_TO_POINTER(tried->len));
		}
	}
}

/* What was handed out and not taken waits again, to be handed out in the same order. */
static void call_back(struct frontier *f)
{
	for (uint64_t nr = f->nr_out; nr > 0 && nr + JOBS_AHEAD > f->nr_out; nr--) {
		struct region **t = &f->out[(nr - 1) % JOBS_AHEAD];

		if (*t)
			g_ptr_array_add(f->waiting, g_steal_pointer(t));
	}
}

/* What frontier_write() writes, but for a few bytes; with more branches than there may be. */
static size_t frontier_size(const struct frontier *f)
{
	size_t size = seen_count(f->seen) * sizeof(guint64);

	for (guint i = 0; i < f->waiting->len; i++) {
		const struct region *t = g_ptr_array_index(f->waiting, i);

		size += position_size(t->at) + 2 * t->branches->len * sizeof(uint64_t);
	}
	return size;
}

static void frontier_write(const struct frontier *f, GByteArray *b)
{
	g_autoptr(GHashTable) numbers = g_hash_table_new(NULL, NULL);
	g_autoptr(GArray) tried = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(guint64));

	number_branches(f->waiting, numbers, tried);
	seen_list(f->seen, seen);
	put_u64(b, f->nr_steps);
	put_array(b, seen);
	put_array(b, tried);
	put_u64(b, f->waiting->len);
	for (guint i = 0; i < f->waiting->len; i++)
		put_region(g_ptr_array_index(f->waiting, i), numbers, b);
}

static bool is_branch_of(const struct place *p, const struct branch *b)
{
	return !(b->tried & ~(UINT64_MAX >> (ENABLED_MAX - p->nr_enabled)));
}

static void take_region(struct frontier *f, GPtrArray *branches, struct reader *r)
{
	struct position *at = position_read(r);
	uint64_t nr = take_u64(r);
	struct region *t;

	if (!at || nr != at->first + (at->all ? 0 : 1) || nr > at->places->len ||
	    !position_fits(at, f->d->x)) {
		r->ok = false;
		position_free(at);
		return;
	}
	t = region_new(at);
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t k = take_u64(r);

		r->ok = r->ok && k < branches->len &&
			is_branch_of(place_at(at, (uint32_t)i), g_ptr_array_index(branches, k));
		if (r->ok)
			add_branch(t, g_ptr_array_index(branches, k));
	}
	g_ptr_array_add(f->waiting, t);
}

/* What an exploration has left must be all that is left of @r.  May be told to stop. */
static void frontier_read(struct frontier *f, struct reader *r)
{
	g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(guint64));
	g_autoptr(GArray) tried = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	g_autoptr(GPtrArray) branches = g_ptr_array_new_with_free_func(branch_unref);
	uint64_t nr_regions;

	f->nr_steps = take_u64(r);
	take_array(r, seen);
	for (guint i = 0; i < seen->len; i++)
		(void)seen_add(f->seen, g_array_index(seen, guint64, i));
	take_array(r, tried);
	for (guint i = 0; i < tried->len; i++) {
		struct branch *b = g_new0(struct branch, 1);

		b->refs = 1;
		b->tried = g_array_index(tried, uint64_t, i);
		g_ptr_array_add(branches, b);
	}
	nr_regions = take_u64(r);
	for (uint64_t i = 0; i < nr_regions && r->ok; i++) {
		/* Their paths may be long, and these steps are not counted. */
		f->d->next_look = 0;
		if (!driver_may_step(f->d))
			return;
		take_region(f, branches, r);
	}
	r->ok = r->ok && r->left == 0;
}

static void frontier_clear(struct frontier *f)
{
	for (int i = 0; i < JOBS_AHEAD; i++)
		region_free(f->out[i]);
	g_ptr_array_unref(f->waiting);
	if (f->seen)
		seen_free(f->seen);
}

bool frontier_fits(struct driver *d, enum strategy strategy, const GByteArray *left)
{
	struct reader r = {.data = left->data, .left = left->len, .ok = true};
	struct frontier f = {.d = d, .strategy = strategy, .nr_jobs = 1};

	f.waiting = g_ptr_array_new_with_free_func(region_free);
	f.seen = seen_new();
	frontier_read(&f, &r);
	frontier_clear(&f);
	return r.ok || d->stopped;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Begin with what @d->resume holds.  Whoever is told to stop has not begun. */
static bool go_on_from(struct frontier *f, struct driver *d)
{
	const struct reader from = *d->resume;

	frontier_read(f, d->resume);
	if (d->stopped)
		put_bytes(d->rest, from.data, from.left);
	else if (!d->resume->ok)
		driver_misfit(d);
	d->resume = NULL;
	return !d->stopped;
}

static bool frontier_init(struct frontier *f, struct driver *d)
{
	size_t max = d->opt->max_memory ? d->opt->max_memory : SEEN_BYTES_DEFAULT;

	f->d = d;
	f->waiting = g_ptr_array_new_with_free_func(region_free);
	f->seen = f->nr_jobs > 1 && f->strategy != STRATEGY_DPOR ? seen_new_shared(max)
								 : seen_new();
	if (!f->seen) {
		g_set_error(&d->result->error, g_quark_from_static_string("slabsim-explore"), 0,
			    "no memory for the states that are seen");
		driver_stop(d, END_ERROR);
		return false;
	}
	seen_limit(f->seen, max);
	if (!d->resume) {
		g_ptr_array_add(f->waiting, region_new(position_new()));
		return true;
	}
	return go_on_from(f, d);
}

static void frontier_run(struct frontier *f)
{
	struct driver *d = f->d;
	const struct jobs jobs = {
		.nr_jobs = f->nr_jobs,
		.arg = f,
		.in_worker = d->opt->in_worker,
		.next = next_piece,
		.work = work,
		.take = take_piece,
		.go_on = go_on,
		.any_order = f->strategy != STRATEGY_DPOR,
	};
	g_autoptr(GError) error = NULL;

	if (!jobs_run(&jobs, &error)) {
		if (!d->result->error)
			d->result->error = g_steal_pointer(&error);
		d->stopped = false;
		driver_stop(d, END_ERROR);
	}
}

/* Which run comes first is known only if one job makes them all. */
static unsigned int jobs_for(const struct driver *d, enum strategy strategy)
{
	if (d->opt->nr_jobs <= 1)
		return 1;
	if (strategy != STRATEGY_DPOR && (d->max_runs || d->opt->keep_going))
		return 1;
	return d->opt->nr_jobs;
}

/* A failure that several jobs came upon, each in its corner: the one that one job finds. */
static void find_again(struct driver *d, enum strategy strategy, uint32_t bound,
		       const struct explore_stats *before)
{
	struct explore_stats found = d->result->stats;
	GPtrArray *findings = d->result->findings;
	struct piece_driver p;
	struct outcome o;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	struct reader r;

	d->result->stats = *before;
	d->result->findings = g_ptr_array_new_with_free_func(finding_free);
	d->stopped = false;
	piece_begin(&p, d, NULL);
	search(&p.d, strategy, bound);
	outcome_write(&p, bytes);
	piece_end(&p);
	r = (struct reader){.data = bytes->data, .left = bytes->len, .ok = true};
	outcome_read(&o, &r);
	outcome_add(d, &o);
	d->result->stats.nr_states = o.result.stats.nr_states;
	outcome_clear(&o);
	if (d->result->findings->len > 0) {
		g_ptr_array_unref(findings);
		return;
	}
	/* Out of time: better any than none. */
	g_ptr_array_unref(d->result->findings);
	d->result->findings = findings;
	d->result->stats = found;
}

bool frontier_search(struct driver *d, enum strategy strategy, uint32_t bound, uint64_t max_steps,
		     GByteArray *left)
{
	struct frontier f = {
		.strategy = strategy,
		.bound = bound,
		.nr_jobs = jobs_for(d, strategy),
		.max_steps = max_steps,
		.nr_recalled_before = d->result->stats.nr_recalled,
	};
	struct explore_stats before = d->result->stats;
	bool again, resumed = d->resume != NULL;

	d->result->stats.strategy = before.strategy = strategy;
	if (!frontier_init(&f, d)) {
		frontier_clear(&f);
		return true;
	}
	frontier_run(&f);
	again = d->stopped && d->result->end == END_FOUND && f.nr_jobs > 1 && f.nr_taken > 1 &&
		strategy != STRATEGY_DPOR && !resumed;
	if ((d->stopped && !driver_is_over(d)) || (f.gave_up && left)) {
		call_back(&f);
		/* What gave up is tried by other means if it cannot be kept. */
		if (frontier_size(&f) <= driver_max_rest(d))
			frontier_write(&f, f.gave_up ? left : d->rest);
		else
			d->result->rest_too_large |= !f.gave_up;
	}
	frontier_clear(&f);
	if (again)
		find_again(d, strategy, bound, &before);
	return !f.gave_up;
}
