// SPDX-License-Identifier: GPL-2.0-only
#include "sim/cli/job.h"

#include <errno.h>

#include "reports/json.h"
#include "sim/base/assert.h"

/* A longer timeline would drown the verdict on a terminal. */
#define SHORT_TIMELINE 400

/* ---- files --------------------------------------------------------------- */

bool job_make_dir(const char *dir, GError **error)
{
	if (g_mkdir_with_parents(dir, 0777) == 0)
		return true;
	g_set_error(error, SLABSIM_ERROR, SLABSIM_ERROR_OUTPUT, "cannot make directory '%s': %s",
		    dir, g_strerror(errno));
	return false;
}

static bool open_files(struct job *job, GError **error)
{
	const struct run_args *args = job->args;

	if (!args->dir)
		return true;
	if (!job_make_dir(args->dir, error))
		return false;
	job->trace_path = g_strconcat(args->dir, "/", job->stem, ".trace.jsonl", NULL);
	job->text_path = g_strconcat(args->dir, "/", job->stem, ".txt", NULL);
	job->writer = trace_writer_new(job->trace_path, args->force, job->replay_in_dir, error);
	if (!job->writer)
		return false;
	job->text = output_open(job->text_path, args->force, error);
	return job->text != NULL;
}

bool job_open(struct job *job, GError **error)
{
	job->tf = trace_file_new(job->args->dir ? EVENTS_KEPT_FOR_FILE : EVENTS_KEPT);
	trace_collector_init(&job->collector, job->tf);
	job->sinks[0] = &job->collector.sink;
	if (!open_files(job, error))
		return false;
	if (job->writer)
		job->sinks[1] = trace_writer_sink(job->writer);
	return true;
}

static bool close_files(struct job *job, GError **error)
{
	const struct text_options opt = {.verbose = job->args->verbose, .replay = job->replay};
	struct trace_writer *writer = g_steal_pointer(&job->writer);
	struct output *text;

	if (!writer)
		return true;
	if (!trace_writer_end(writer, &job->result, error))
		return false;
	cli_note(job->args->quiet, "wrote %s", job->trace_path);
	text_report(job->tf, &opt, job->text);
	text = g_steal_pointer(&job->text);
	if (!output_close(text, error))
		return false;
	cli_note(job->args->quiet, "wrote %s", job->text_path);
	return true;
}

bool job_close(struct job *job, GError **error)
{
	trace_file_finish(job->tf, &job->result);
	return close_files(job, error);
}

void job_clear(struct job *job)
{
	sim_assert_context(NULL);
	trace_writer_discard(job->writer);
	output_discard(job->text);
	trace_file_free(job->tf);
	g_free(job->stem);
	g_free(job->trace_path);
	g_free(job->text_path);
	g_free(job->replay);
	g_free(job->replay_in_dir);
}

/* ---- reports on standard output ------------------------------------------ */

void put_json_violation(const struct trace_violation *v, struct output *o)
{
	output_str(o, "{\"rule\":");
	json_string(o, v->rule);
	json_key_u64(o, "seq", v->seq);
	json_key_u64(o, "t", v->t);
	json_key(o, "obj");
	json_oid(o, v->obj);
	json_key_string(o, "msg", v->msg);
	output_char(o, '}');
}

static void put_json_result(const struct job *job, struct output *o)
{
	const struct trace_file *tf = job->tf;

	output_str(o, "{\"type\":\"result\"");
	json_key_string(o, "scenario", tf->scenario);
	json_key_string(o, "design", tf->lifecycle);
	json_key(o, "variants");
	json_strings(o, (const char *const *)tf->variants->pdata);
	json_key_u64(o, "seed", tf->seed);
	json_key_string(o, "order", tf->order);
	json_key_string(o, "verdict", verdict_name(tf->verdict));
	json_key_u64(o, "t", tf->end);
	json_key_u64(o, "events", tf->nr_events);
	json_key_u64(o, "steps", tf->nr_steps);
	json_key_u64(o, "peak_bytes", job->result.peak_bytes);
	json_key(o, "violations");
	output_char(o, '[');
	for (guint i = 0; i < tf->violations->len; i++) {
		if (i > 0)
			output_char(o, ',');
		put_json_violation(&g_array_index(tf->violations, struct trace_violation, i), o);
	}
	output_char(o, ']');
	if (job->trace_path) {
		json_key_string(o, "trace", job->trace_path);
		json_key_string(o, "text", job->text_path);
	}
	json_key_string(o, "replay", job->replay);
	output_str(o, "}\n");
}

int job_report(const struct job *job)
{
	const struct run_args *args = job->args;
	struct text_options opt = {
		.verbose = args->verbose,
		.color = cli_use_color(args->color),
		.replay = job->replay,
	};
	struct output *o = output_open("-", false, NULL);
	size_t lines;
	int code;

	if (args->json) {
		put_json_result(job, o);
		return cli_close(o);
	}
	if (args->quiet) {
		text_verdict(job->tf, opt.color, o);
		if (job->tf->violations->len > 0)
			text_splat(job->tf,
				   &g_array_index(job->tf->violations, struct trace_violation, 0),
				   job->replay, o);
		return cli_close(o);
	}
	lines = text_timeline_lines(job->tf, args->verbose);
	opt.no_timeline = lines > SHORT_TIMELINE;
	text_report(job->tf, &opt, o);
	code = cli_close(o);
	if (code == EXIT_CLEAN && opt.no_timeline)
		cli_note(false, "the timeline has %zu lines and was left out; %s %s", lines,
			 args->dir ? "it is in" : "-o DIR writes it",
			 args->dir ? job->text_path : "to a file");
	return code;
}

/* ---- exit codes ---------------------------------------------------------- */

int code_of_error(const GError *error)
{
	if (output_error_is_pipe(error))
		return EXIT_PIPE;
	cli_error("%s", error->message);
	if (g_error_matches(error, SLABSIM_ERROR, SLABSIM_ERROR_INTERRUPTED))
		return EXIT_INTERRUPTED;
	return g_error_matches(error, SLABSIM_ERROR, SLABSIM_ERROR_LIMIT) ? EXIT_LIMIT : EXIT_USAGE;
}

int code_of_verdict(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return EXIT_CLEAN;
	case VERDICT_FAIL:
		return EXIT_VIOLATION;
	case VERDICT_INCOMPLETE:
		return EXIT_LIMIT;
	}
	return EXIT_INTERNAL;
}
