/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LUA_STUDY_PLAN_H
#define LUA_STUDY_PLAN_H

/*
 * Studies: the study table of a scenario, and what its claims make of the figures.
 */

#include "lua/scenario.h"

enum gauge {
#define GAUGE(id, name, unit, doc) GAUGE_##id,
#include "lua/gauges.def"
#undef GAUGE
	NR_GAUGES,
};

enum measure_source {
	MEASURE_COUNT,	  /* records of a kind */
	MEASURE_GAUGE,	  /* what there is of something */
	MEASURE_HOLD,	  /* ns that a lock was held, by one holder each; readers do not count */
	MEASURE_WAIT,	  /* ns that somebody waited for it */
	MEASURE_OP,	  /* ns that an operation of a task took */
	MEASURE_ELAPSED,  /* ns since the tasks started */
	MEASURE_MEASURED, /* what t:measure() was given */
	MEASURE_AT,	  /* ns since the tasks started, of the last record of a kind */
	NR_MEASURE_SOURCES,
};

enum measure_value {
	VALUE_LAST, /* gauges, t:measure(): now */
	VALUE_SUM,
	VALUE_MAX,
	VALUE_MEAN, /* of a gauge: over time */
	VALUE_COUNT,
	NR_MEASURE_VALUES,
};

struct measure {
	enum measure_source source;
	enum measure_value value;
	enum gauge gauge;
	int kind;     /* count, at: enum trace_kind */
	char *what;   /* lock, operation or name; NULL for the others */
	char *text;   /* count, at: only records with this text; NULL for all */
	char *during; /* only while a task is inside this operation; NULL for always */
};

struct study_metric {
	char *name, *unit;
	double scale; /* from what is measured to the unit */
	struct measure measure;
	struct measure *per; /* the first is divided by it; NULL for no division */
};

struct study_series {
	char *name;
	char *lifecycle;	 /* NULL: the scenario's own */
	char **variants, **sets; /* as in struct run_options */
};

enum study_axis {
	AXIS_NONE,	/* one value for each series */
	AXIS_PARAMETER, /* runs of their own for each value of a parameter */
	AXIS_TIME,	/* samples of one run, counted from the start of its tasks */
};

struct study_plan {
	char *title;
	GPtrArray *series;  /* struct study_series */
	GPtrArray *metrics; /* struct study_metric */
	char **claims;	    /* in words */
	enum study_axis axis;
	char *parameter; /* AXIS_PARAMETER */
	char *x_unit;
	GArray *x;	/* double: at least one */
	char **x_sets;	/* AXIS_PARAMETER: "NAME=VALUE" for each */
	uint64_t every; /* AXIS_TIME: ns from one sample to the next; the first is at 0 */
	unsigned int replications;
};

#define STUDY_REPLICATIONS_MAX 10000

static inline const struct study_series *study_series(const struct study_plan *s, guint i)
{
	return g_ptr_array_index(s->series, i);
}

static inline const struct study_metric *study_metric(const struct study_plan *s, guint i)
{
	return g_ptr_array_index(s->metrics, i);
}

/**
 * study_plan_read() - load the script at @path and read its study table
 *
 * Return: the study, the caller's; NULL with @error set.
 */
struct study_plan *study_plan_read(const char *path, GError **error);
void study_plan_free(struct study_plan *s);

/* A metric of a series at one x: NAN where no run had a value. */
struct study_cell {
	double mean, low, high; /* low and high: NAN with fewer than two runs */
	const double *values;	/* of each replication; some may be NAN */
	unsigned int nr_values; /* replications */
};

struct study_verdict {
	bool holds;
	char *figures; /* what the claim was held against; the caller's */
};

/**
 * study_judge() - ask the claims of the script
 * @opt: its path and limits
 * @cells: [(metric * series + series) * x + x]
 * @t: quantile of Student's t that intervals over all replications are made with
 * @verdicts: one for each claim
 */
bool study_judge(const struct run_options *opt, const struct study_plan *s,
		 const struct study_cell *cells, double t, struct study_verdict *verdicts,
		 GError **error);

#endif /* LUA_STUDY_PLAN_H */
