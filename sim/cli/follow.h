/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CLI_FOLLOW_H
#define SIM_CLI_FOLLOW_H

/*
 * Running a scenario as a schedule says, from its script on, with everything
 * recorded.
 */

#include "lua/scenario.h"
#include "reports/trace_file.h"
#include "sim/explore/schedule.h"

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

/** script_digest() - of the script's text, for struct schedule; NULL with @error set */
char *script_digest(const char *path, GError **error);

/**
 * annotate() - say in the comments of @sched what each stretch does
 *
 * Return: the trace of the run, accesses included, the caller's; NULL with @error set.
 */
struct trace_file *annotate(struct schedule *sched, const struct run_options *opt, GError **error);

#endif /* SIM_CLI_FOLLOW_H */
