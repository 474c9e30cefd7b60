/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

/* What benchmarks measure with. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/** cpu_seconds() - CPU time of this process: what others do to the machine counts less */
static inline double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/** median() - of @v, which it sorts */
static inline double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare_doubles);
	return v[n / 2];
}

/** rss_bytes() - memory of this process that is in RAM */
static inline long rss_bytes(void)
{
	long all = 0, rss = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%ld %ld", &all, &rss) != 2)
		rss = 0;
	if (f)
		fclose(f);
	return rss * 4096;
}

/* Times of several rounds, each of which measured both. */
#define ROUNDS_MAX 31

struct rounds {
	double bound[ROUNDS_MAX], ours[ROUNDS_MAX], ratio[ROUNDS_MAX];
	size_t n;
};

static inline void add_round(struct rounds *r, double bound, double ours)
{
	r->bound[r->n] = bound;
	r->ours[r->n] = ours;
	r->ratio[r->n] = ours / bound;
	r->n++;
}

/** report_rounds() - print medians; false, with a line on stderr, if the ratio misses @goal */
static inline bool report_rounds(struct rounds *r, const char *bench, const char *what, double goal)
{
	double ratio = median(r->ratio, r->n);

	printf("%-26s bound %6.1f ns  ours %6.1f ns  ratio %5.2f  goal %4.2f  %s\n", what,
	       median(r->bound, r->n), median(r->ours, r->n), ratio, goal,
	       ratio <= goal ? "ok" : "MISSED");
	fflush(stdout);
	if (ratio > goal)
		fprintf(stderr, "%s: goal missed: %s: %.2f times the bound, goal %.2f\n", bench,
			what, ratio, goal);
	return ratio <= goal;
}

#endif /* TESTS_BENCH_MEASURE_H */
