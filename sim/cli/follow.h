/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CLI_FOLLOW_H
#define SIM_CLI_FOLLOW_H

/*
 * Running a scenario as a schedule says, from its script on, with everything
 * recorded.
 */

#include "lua/scenario.h"
#include "reports/trace_file.h"
#include "sim/explore/schedule/schedule.h"

struct following {
	/* set by the caller */
	const struct run_options *opt; /* order is ORDER_RANDOM */
	const struct schedule *sched;
	struct run_sink *const *sinks; /* NULL-terminated; may be NULL */
	bool lenient;		       /* as in struct follow_options */
	uint64_t until;		       /* stop after this event; 0 for the whole run */
	/* Called before the first step: false, with @error set, refuses.  May be NULL. */
	bool (*check)(struct following *f, const struct run_header *header, GError **error);
	/* Called after each step with its number in schedule.runs; may be NULL. */
	void (*stepped)(struct following *f, uint32_t run, uint64_t nr_records);
	void *arg;
	uint64_t nr_before; /* records before the step that comes next */
	/* filled in */
	struct follow_result followed;
	struct run_result result;
	char *digest; /* of the trace; NULL when it was stopped by @until */
};

/**
 * follow() - load the scenario and run it as the schedule says
 *
 * Return: true when the run was made, wherever it led; false with @error set.
 */
bool follow(struct following *f, GError **error);
void following_clear(struct following *f);

/** refuse_schedule() - say why the schedule at @path is not followed; false, for the caller */
bool refuse_schedule(const char *path, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* What a schedule is checked against before it is followed. */
struct schedule_check {
	const char *path; /* of the schedule */
	const struct schedule *sched;
	const char *script, *name; /* path and name of the scenario that is to be run */
	bool may_force;		   /* there is a --force */
	bool force, quiet;
	/* filled in */
	bool edited; /* --force lets it be followed although its script or itself was edited */
};

/** check_made_for() - is it for this slabsim and this script?  If not, say so. */
bool check_made_for(struct schedule_check *c);

/**
 * script_of() - the script of @sched, which was read from @path
 *
 * Where it was, beside the schedule, or as seen from a directory above that.
 */
char *script_of(const struct schedule *sched, const char *path);

/** take_options() - seed, parameters and checkers of @run are as @sched was made with */
void take_options(struct run_options *run, const struct schedule *sched);

/** variants_of() - for run_options.variants: none but those of @sched; strings borrowed */
GPtrArray *variants_of(const struct schedule *sched);

/** same_names() - does @list, as struct schedule has them, hold what @names does? */
bool same_names(const GPtrArray *list, const char *const *names);

/** script_digest() - of the script's text, for struct schedule; NULL with @error set */
char *script_digest(const char *path, GError **error);

/**
 * annotate() - say in the comments of @sched what each stretch does
 *
 * Return: the trace of the run, accesses included, the caller's; NULL with @error set.
 */
struct trace_file *annotate(struct schedule *sched, const struct run_options *opt, GError **error);

#endif /* SIM_CLI_FOLLOW_H */
