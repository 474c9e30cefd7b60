/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CLI_JOB_H
#define SIM_CLI_JOB_H

/*
 * One run with everything recorded, and where it goes: files, standard output.
 */

#include "reports/text.h"
#include "reports/trace_writer.h"
#include "sim/cli/run_options.h"

/* Events kept in memory for the reports: about 100 bytes each. */
#define EVENTS_KEPT 1000000
#define EVENTS_KEPT_FOR_FILE 4000000

struct job {
	const struct run_args *args;
	char *stem;	     /* of files in the directory; NULL: the scenario's name */
	char *tag;	     /* in names of files, to tell it from other runs; NULL for none */
	char *replay;	     /* command line that repeats it */
	char *replay_in_dir; /* the same from the directory of the files */
	const struct violation *violation; /* that was looked for; NULL: the first */
	/* Files in the directory of -o, and those that were named; NULL for none. */
	struct trace_writer *writer[2];
	char *path[2][NR_OUTPUT_KINDS];
	struct trace_file *tf;
	struct trace_collector collector;
	struct run_sink *sinks[4]; /* for the run */
	struct run_result result;
};

/**
 * job_open() - open the files, and fill job->sinks
 * @job: zeroed but for args, stem, tag, replay and replay_in_dir, which become the job's
 */
bool job_open(struct job *job, GError **error);

/** job_close() - the run is over, job->result is filled: write the files and name them */
bool job_close(struct job *job, GError **error);

/** job_report() - say on standard output what became of it; returns an exit code */
int job_report(const struct job *job);

/** job_race() - the race table of the run, which has violated; what explore found, or the first */
void job_race(const struct job *job, struct output *o);

/** job_file() - a file of this kind that was asked for; NULL if none was */
const char *job_file(const struct job *job, enum output_kind kind);

/** job_clear() - free what @job has; what is not closed is removed */
void job_clear(struct job *job);

/** put_json_violation() - @v as an object */
void put_json_violation(const struct trace_violation *v, struct output *o);

/** put_json_files() - where the files are, as members of an object */
void put_json_files(const struct job *job, struct output *o);

/** job_make_dir() - make the directory of -o if there is none */
bool job_make_dir(const char *dir, GError **error);

/** code_of_error() - say what is wrong; returns the exit code */
int code_of_error(const GError *error);

int code_of_verdict(enum verdict verdict);

#endif /* SIM_CLI_JOB_H */
