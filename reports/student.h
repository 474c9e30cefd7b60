/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORTS_STUDENT_H
#define REPORTS_STUDENT_H

/*
 * Confidence intervals of a mean, by Student's t distribution.
 */

#include <stddef.h>

/** student_cdf() - how likely is a value up to @t with @df degrees of freedom, at least 1? */
double student_cdf(double t, unsigned int df);

/**
 * student_quantile() - the value that is not exceeded with probability @p
 * @p: 0.5 to less than 1
 */
double student_quantile(double p, unsigned int df);

struct interval {
	double mean;
	double low, high; /* 95 %; NAN with fewer than two values */
};

/** mean_interval() - of @n values, all of them numbers; all NAN if there are none */
struct interval mean_interval(const double *values, size_t n);

#endif /* REPORTS_STUDENT_H */
