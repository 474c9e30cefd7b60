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
	char *stem;		      /* of the files, without directory */
	char *replay;		      /* command line that repeats it */
	char *replay_in_dir;	      /* the same from the directory of the files */
	char *trace_path, *text_path; /* NULL without -o */
	struct trace_writer *writer;
	struct output *text;
	struct trace_file *tf;
	struct trace_collector collector;
	struct run_sink *sinks[3]; /* for the run */
	struct run_result result;
};

/**
 * job_open() - open the files, and fill job->sinks
 * @job: zeroed but for args, stem, replay and replay_in_dir, which become the job's
 */
bool job_open(struct job *job, GError **error);

/** job_close() - the run is over, job->result is filled: write the files and name them */
bool job_close(struct job *job, GError **error);

/** job_report() - say on standard output what became of it; returns an exit code */
int job_report(const struct job *job);

/** job_clear() - free what @job has; what is not closed is removed */
void job_clear(struct job *job);

/** put_json_violation() - @v as an object */
void put_json_violation(const struct trace_violation *v, struct output *o);

/** job_make_dir() - make the directory of -o if there is none */
bool job_make_dir(const char *dir, GError **error);

/** code_of_error() - say what is wrong; returns the exit code */
int code_of_error(const GError *error);

int code_of_verdict(enum verdict verdict);

#endif /* SIM_CLI_JOB_H */
