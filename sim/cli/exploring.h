/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CLI_EXPLORING_H
#define SIM_CLI_EXPLORING_H

/*
 * One exploration, as the files of `slabsim explore` share it.
 */

#include "sim/cli/job.h"
#include "sim/cli/progress.h"
#include "sim/explore/schedule/minimise.h"
#include "sim/explore/schedule/schedule.h"

/* How far a search goes for a failure with fewer preemptions: some seconds. */
#define PROOF_STEPS 3000000

struct exploring {
	struct run_args args;
	struct explore_options opt;
	bool no_minimise, require_exhaustive;
	bool audit, shrink;
	char *options;	       /* as typed, for command lines */
	char *resume;	       /* checkpoint to go on from; NULL for none */
	GByteArray *state;     /* what is in it */
	char *checkpoint_path; /* that was written; NULL for none */
	int unwritten;	       /* exit code when a file could not be written, which was said; 0 */
	/* what there is to say about each schedule */
	struct schedule *head;
	struct explore_result result;
	uint32_t nr_setup; /* violations before the first step */
	struct violation setup;
	GPtrArray *found; /* struct found */
	struct progress progress;
};

/* What became of the scenario under --shrink. */
struct shrunk {
	bool done;    /* it was tried */
	bool gave_up; /* for want of time */
	uint32_t steps_before, preemptions_before;
	uint32_t nr_tries;
	double seconds;
};

/* A finding, and what became of it. */
struct found {
	const struct finding *first; /* as it was found */
	struct finding *finding;     /* minimised, or a copy */
	bool minimised;
	struct minimise_result minimise;
	struct schedule *sched;
	struct run_options run; /* that it is followed with: lists are those of the schedule */
	struct shrunk shrink;
	char *kept; /* where the schedule was written; NULL for nowhere yet */
	struct job job;
};

/** explore_text() - say on standard output what came of it; returns an exit code */
int explore_text(const struct exploring *e);

/**
 * found_take() - from now on @f is @finding, which becomes its own like @sched
 * @sets, @skips: what the scenario was made with
 */
void found_take(const struct exploring *e, struct found *f, struct finding *finding,
		struct schedule *sched, const char *const *sets, const char *const *skips);

/** shrink_scenario() - leave out of the scenario what @f does not need; no session may be open */
bool shrink_scenario(struct exploring *e, struct found *f, GError **error);

/** explore_audit() - compare the engines instead; returns an exit code */
int explore_audit(struct exploring *e);

/** explore_json() - the same as JSON: a line for each finding, then a summary */
int explore_json(const struct exploring *e);

/** load_checkpoint() - read what --resume names, and let the exploration go on from it */
bool load_checkpoint(struct exploring *e, GError **error);

/** checkpoint_fitted() - false with @error set when what was in it turned out to be unusable */
bool checkpoint_fitted(const struct exploring *e, GError **error);

/**
 * save_checkpoint() - with -o, write down how to go on with what a limit has stopped
 *
 * Where it cannot be written, that is said, and @e->unwritten is set.
 */
void save_checkpoint(struct exploring *e);

/** checkpoint_may_replace() - may the checkpoint be written to @path if there is a file? */
bool checkpoint_may_replace(const struct exploring *e, const char *path);

#endif /* SIM_CLI_EXPLORING_H */
