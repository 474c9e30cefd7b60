// SPDX-License-Identifier: GPL-2.0-only
#include "reports/student.h"

#include <math.h>

#define CONFIDENCE 0.95

/*
 * Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4: for whole
 * degrees of freedom the distribution is a finite sum in theta = atan(t / sqrt(df)).
 */
static double two_sided(double t, unsigned int df)
{
	double theta = atan(t / sqrt(df)), c = cos(theta), s = sin(theta);
	double term, sum;
	unsigned int first = df % 2 == 1 ? 3 : 2;

	if (df == 1)
		return 2 * theta / M_PI;
	term = df % 2 == 1 ? c : 1;
	sum = term;
	for (unsigned int k = first; k + 2 <= df; k += 2) {
		term *= c * c * (k - 1) / k;
		sum += term;
	}
	return df % 2 == 1 ? 2 / M_PI * (theta + s * sum) : s * sum;
}

double student_cdf(double t, unsigned int df)
{
	double inside = two_sided(fabs(t), df);

	return t < 0 ? (1 - inside) / 2 : (1 + inside) / 2;
}

double student_quantile(double p, unsigned int df)
{
	double low = 0, high = 1;

	while (student_cdf(high, df) < p)
		high *= 2;
	/* Until the two are neighbours: 53 bits, and a few for where it began. */
	for (int i = 0; i < 64; i++) {
		double mid = low + (high - low) / 2;

		if (student_cdf(mid, df) < p)
			low = mid;
		else
			high = mid;
	}
	return high;
}

struct interval mean_interval(const double *values, size_t n)
{
	struct interval in = {NAN, NAN, NAN};
	double sum = 0, squares = 0, half;

	if (n == 0)
		return in;
	for (size_t i = 0; i < n; i++)
		sum += values[i];
	in.mean = sum / (double)n;
	if (n == 1)
		return in;
	for (size_t i = 0; i < n; i++)
		squares += (values[i] - in.mean) * (values[i] - in.mean);
	half = student_quantile((1 + CONFIDENCE) / 2, (unsigned int)(n - 1)) *
	       sqrt(squares / (double)(n - 1) / (double)n);
	in.low = in.mean - half;
	in.high = in.mean + half;
	return in;
}
