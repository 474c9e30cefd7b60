// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/parallel/outcome.h"

/* Why a piece failed, for people: nobody looks at which of the limits it was. */
#define TEXT_MAX 65536

void stats_add(struct explore_stats *sum, const struct explore_stats *more)
{
	sum->nr_runs += more->nr_runs;
	sum->nr_failing += more->nr_failing;
	sum->nr_blocked += more->nr_blocked;
	sum->nr_cut += more->nr_cut;
	sum->nr_loops += more->nr_loops;
	sum->nr_steps += more->nr_steps;
	sum->nr_again += more->nr_again;
	sum->nr_pruned += more->nr_pruned;
	sum->nr_recalled += more->nr_recalled;
	if (more->longest > sum->longest)
		sum->longest = more->longest;
}

uint64_t driver_runs_left(const struct driver *d)
{
	const struct explore_stats *s = &d->result->stats;

	return d->max_runs ? d->max_runs - MIN(d->max_runs, s->nr_runs + s->nr_cut) : 0;
}

static void show_both(void *arg, const struct explore_stats *stats)
{
	const struct piece_driver *p = arg;
	const struct explore_options *opt = p->whole->opt;
	struct explore_stats sum = p->whole->result->stats;

	stats_add(&sum, stats);
	sum.seconds = stats->seconds;
	opt->progress(opt->progress_arg, &sum);
}

void piece_begin(struct piece_driver *p, const struct driver *whole,
		 const volatile sig_atomic_t *stop)
{
	const struct explore_stats *stats = &whole->result->stats;

	memset(p, 0, sizeof(*p));
	p->whole = whole;
	p->d = *whole;
	p->opt = *whole->opt;
	p->d.opt = &p->opt;
	p->d.result = &p->result;
	p->d.next_look = 0;
	p->d.max_runs = driver_runs_left(whole);
	p->d.stopped = false;
	p->result.findings = g_ptr_array_new_with_free_func(finding_free);
	p->result.stats.strategy = stats->strategy;
	p->result.stats.bound = stats->bound;
	p->result.stats.share = stats->share;
	if (whole->opt->progress && !stop) {
		p->opt.progress = show_both;
		p->opt.progress_arg = p;
	} else {
		p->opt.progress = NULL;
	}
	if (!stop)
		return;
	p->opt.interrupted = stop;
	p->d.deadline = 0;
}

void piece_end(struct piece_driver *p)
{
	explore_result_clear(&p->result);
}

static void put_text(GByteArray *b, const char *text)
{
	size_t size = strlen(text);

	put_u64(b, size);
	put_bytes(b, text, size);
}

static char *take_text(struct reader *r)
{
	uint64_t size = take_u64(r);
	char *text;

	if (size > TEXT_MAX) {
		r->ok = false;
		size = 0;
	}
	text = g_malloc0(size + 1);
	take_bytes(r, text, size);
	return text;
}

/* Both processes are the same program: a checker is where it was. */
static void put_finding(GByteArray *b, const struct finding *f)
{
	put_array(b, f->choices);
	put_bytes(b, &f->violation, sizeof(f->violation));
	put_bytes(b, &f->seconds, sizeof(f->seconds));
	put_u64(b, f->run);
	put_u64(b, f->nr_steps);
	put_u64(b, f->at_end);
}

static struct finding *take_finding(struct reader *r)
{
	struct finding *f = g_new0(struct finding, 1);

	f->choices = g_array_new(FALSE, FALSE, sizeof(struct choice));
	take_array(r, f->choices);
	take_bytes(r, &f->violation, sizeof(f->violation));
	take_bytes(r, &f->seconds, sizeof(f->seconds));
	f->run = take_u64(r);
	f->nr_steps = (uint32_t)take_u64(r);
	f->at_end = take_u64(r) != 0;
	return f;
}

void outcome_write(const struct piece_driver *p, GByteArray *b)
{
	const struct explore_result *result = &p->result;
	const GError *error = result->error;

	put_bytes(b, &result->stats, sizeof(result->stats));
	put_u64(b, p->d.stopped);
	put_u64(b, result->end);
	put_u64(b, result->bound_cut);
	put_u64(b, result->findings->len);
	for (guint i = 0; i < result->findings->len; i++)
		put_finding(b, g_ptr_array_index(result->findings, i));
	put_u64(b, error != NULL);
	if (error) {
		put_text(b, g_quark_to_string(error->domain));
		put_u64(b, (uint64_t)error->code);
		put_text(b, error->message);
	}
}

static void read_error(struct outcome *o, struct reader *r)
{
	g_autofree char *domain = take_text(r);
	int code = (int)take_u64(r);
	g_autofree char *message = take_text(r);

	g_set_error_literal(&o->result.error, g_quark_from_string(domain), code, message);
}

void outcome_read(struct outcome *o, struct reader *r)
{
	struct explore_result *result = &o->result;
	uint64_t nr_findings;

	memset(o, 0, sizeof(*o));
	result->findings = g_ptr_array_new_with_free_func(finding_free);
	take_bytes(r, &result->stats, sizeof(result->stats));
	o->stopped = take_u64(r) != 0;
	result->end = (enum explore_end)take_u64(r);
	result->bound_cut = take_u64(r) != 0;
	nr_findings = take_u64(r);
	for (uint64_t i = 0; i < nr_findings && r->ok; i++)
		g_ptr_array_add(result->findings, take_finding(r));
	if (take_u64(r))
		read_error(o, r);
}

void outcome_clear(struct outcome *o)
{
	explore_result_clear(&o->result);
}

static bool is_known(const GPtrArray *findings, const struct finding *f)
{
	for (guint i = 0; i < findings->len; i++) {
		const struct finding *known = g_ptr_array_index(findings, i);

		if (same_finding(&known->violation, &f->violation))
			return true;
	}
	return false;
}

void outcome_add(struct driver *d, struct outcome *o)
{
	struct explore_result *sum = d->result, *more = &o->result;
	uint64_t base = sum->stats.nr_runs;

	stats_add(&sum->stats, &more->stats);
	sum->bound_cut |= more->bound_cut;
	while (more->findings->len > 0) {
		struct finding *f = g_ptr_array_steal_index(more->findings, 0);

		f->run += base;
		if (is_known(sum->findings, f))
			finding_free(f);
		else
			g_ptr_array_add(sum->findings, f);
	}
	if (o->stopped) {
		if (more->error && !sum->error)
			sum->error = g_steal_pointer(&more->error);
		driver_stop(d, more->end);
	}
}
