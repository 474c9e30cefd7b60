// SPDX-License-Identifier: GPL-2.0-only
/*
 * Audits generated programs, one after the other, until the time is up.
 *
 *   soak DIR SECONDS [FIRST-SEED [KIND]]     programs of that kind, else all kinds in turn
 *   soak DIR print KIND SEED
 *
 * What shows a difference is kept in DIR as KIND-SEED.lua, and the exit status is 1.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/scenario.h"
#include "sim/base/assert.h"
#include "sim/explore/audit/audit.h"
#include "tests/soak/generate.h"

/* Of each engine: what is bigger is left to those that get through. */
#define STEPS_MAX 100000
#define STEPS_OF_RUN_MAX 2000

/* What the next seeds make, again and again. */
static const enum program_kind kinds[] = {
	PROGRAM_LIFECYCLE, PROGRAM_MODEL, PROGRAM_REFCOUNT, PROGRAM_CPUS,
	PROGRAM_COPIES,	   PROGRAM_WAITS, PROGRAM_CPUS,	    PROGRAM_LOCKS,
};

struct totals {
	uint64_t nr, differing, incomplete, failing, redundant;
	uint64_t complete[NR_AUDIT_ENGINES];
	uint64_t pairs, again;
};

static void count(struct totals *t, const struct audit_result *r)
{
	t->nr++;
	t->differing += r->nr_problems > 0;
	t->incomplete += r->reference < 0;
	t->failing += r->reference >= 0 && r->rows[r->reference].nr_findings > 0;
	t->redundant += r->rows[AUDIT_DPOR].nr_redundant > 0;
	for (int i = 0; i < NR_AUDIT_ENGINES; i++)
		t->complete[i] += r->rows[i].complete || r->rows[i].repeated;
	t->pairs += r->nr_pairs;
	t->again += r->nr_again;
}

static void say_redundant(const char *path, const struct audit_result *r)
{
	if (r->rows[AUDIT_DPOR].nr_redundant > 0)
		fprintf(stderr, "note: %s: dpor ran %" PRIu64 " of %" PRIu64 " classes twice\n",
			path, r->rows[AUDIT_DPOR].nr_redundant, r->rows[AUDIT_DPOR].nr_traces);
}

/* Return: false when something is wrong with the engines, or the script. */
static bool audit_file(const char *path, struct totals *totals)
{
	const struct run_options opt = {.path = path, .seed = 1, .order = ORDER_RANDOM};
	const struct audit_options audit_opt = {.max_steps = STEPS_MAX,
						.max_steps_of_run = STEPS_OF_RUN_MAX};
	g_autoptr(GError) error = NULL;
	struct run *run = session_open(&opt, NULL, &error);
	struct audit_result r;
	bool ok;

	if (!run) {
		fprintf(stderr, "%s: %s\n", path, error->message);
		return false;
	}
	audit(session_subject(run), &audit_opt, &r);
	count(totals, &r);
	ok = !r.error && r.nr_problems == 0;
	if (r.error)
		fprintf(stderr, "%s: %s\n", path, r.error->message);
	for (guint i = 0; i < r.problems->len; i++)
		fprintf(stderr, "%s: %s\n", path, (const char *)g_ptr_array_index(r.problems, i));
	say_redundant(path, &r);
	audit_result_clear(&r);
	session_close(run);
	return ok;
}

static bool audit_program(const char *dir, enum program_kind kind, uint64_t seed,
			  struct totals *totals)
{
	g_autofree char *text = generate(kind, seed);
	g_autofree char *name =
		g_strdup_printf("%s-%" PRIu64 ".lua", program_kind_names[kind], seed);
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autoptr(GError) error = NULL;
	bool ok;

	if (!g_file_set_contents(path, text, -1, &error)) {
		fprintf(stderr, "soak: %s\n", error->message);
		return false;
	}
	sim_assert_context(path);
	ok = audit_file(path, totals);
	sim_assert_context(NULL);
	if (ok)
		(void)remove(path);
	return ok;
}

static void say_totals(const struct totals *t)
{
	printf("%" PRIu64 " programs: %" PRIu64 " differ, %" PRIu64 " fail in some order, %" PRIu64
	       " too big for every engine, %" PRIu64 " with runs of dpor that repeat others\n",
	       t->nr, t->differing, t->failing, t->incomplete, t->redundant);
	for (int i = 0; i < NR_AUDIT_ENGINES; i++)
		printf("  %-11s came to its end in %" PRIu64 "\n", audit_engine_names[i],
		       t->complete[i]);
	printf("  %" PRIu64 " states met again, %" PRIu64 " pairs in both orders\n", t->again,
	       t->pairs);
}

/* Return: NR_PROGRAM_KINDS, which was said, if there is none of that name. */
static enum program_kind kind_called(const char *name)
{
	for (int k = 0; k < NR_PROGRAM_KINDS; k++) {
		if (strcmp(name, program_kind_names[k]) == 0)
			return (enum program_kind)k;
	}
	fprintf(stderr, "soak: no kind of program is called '%s'; there are:", name);
	for (int k = 0; k < NR_PROGRAM_KINDS; k++)
		fprintf(stderr, " %s", program_kind_names[k]);
	fprintf(stderr, "\n");
	return NR_PROGRAM_KINDS;
}

/* @only: NR_PROGRAM_KINDS for all */
static int soak(const char *dir, double seconds, uint64_t seed, enum program_kind only)
{
	gint64 until = g_get_monotonic_time() + (gint64)(seconds * 1e6);
	struct totals totals = {0};
	bool ok = true;

	for (; g_get_monotonic_time() < until; seed++) {
		enum program_kind kind =
			only < NR_PROGRAM_KINDS ? only : kinds[seed % G_N_ELEMENTS(kinds)];

		ok &= audit_program(dir, kind, seed, &totals);
	}
	printf("next seed: %" PRIu64 "\n", seed);
	say_totals(&totals);
	return ok && totals.nr > 0 ? 0 : 1;
}

static int print_program(const char *kind, const char *seed)
{
	enum program_kind k = kind_called(kind);
	g_autofree char *text = NULL;

	if (k == NR_PROGRAM_KINDS)
		return 2;
	text = generate(k, strtoull(seed, NULL, 10));
	fputs(text, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	enum program_kind only = NR_PROGRAM_KINDS;

	if (argc == 5 && strcmp(argv[2], "print") == 0)
		return print_program(argv[3], argv[4]);
	if (argc < 3 || argc > 5) {
		fprintf(stderr, "usage: %s DIR SECONDS [FIRST-SEED [KIND]]\n", argv[0]);
		return 2;
	}
	if (argc == 5 && (only = kind_called(argv[4])) == NR_PROGRAM_KINDS)
		return 2;
	if (g_mkdir_with_parents(argv[1], 0777) != 0) {
		fprintf(stderr, "soak: cannot make the directory %s\n", argv[1]);
		return 2;
	}
	return soak(argv[1], strtod(argv[2], NULL), argc > 3 ? strtoull(argv[3], NULL, 10) : 1,
		    only);
}
