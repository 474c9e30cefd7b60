// SPDX-License-Identifier: GPL-2.0-only
#include "sim/cli/job.h"

#include <errno.h>

#include "reports/json.h"
#include "reports/ledger.h"
#include "reports/race.h"
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

const char *job_file(const struct job *job, enum output_kind kind)
{
	return job->path[0][kind] ? job->path[0][kind] : job->path[1][kind];
}

/* Whatever cannot be written is better said before the run. */
static bool open_files(struct job *job, GError **error)
{
	const struct run_args *args = job->args;
	const char *name = job->stem ? job->stem : args->name;
	const char *tag = job->tag ? job->tag : "";
	int nr_sinks = 1;

	if (!outputs_try(&args->out, name, tag, false, args->force, error))
		return false;
	for (int i = 0; i < 2; i++) {
		for (int kind = 0; kind < NR_OUTPUT_KINDS; kind++)
			job->path[i][kind] =
				outputs_path(&args->out, (enum output_kind)kind, i == 0, name, tag);
		if (!job->path[i][OUTPUT_TRACE])
			continue;
		job->writer[i] = trace_writer_new(job->path[i][OUTPUT_TRACE], args->force,
						  job->replay_in_dir, error);
		if (!job->writer[i])
			return false;
		job->sinks[nr_sinks++] = trace_writer_sink(job->writer[i]);
	}
	return true;
}

bool job_open(struct job *job, GError **error)
{
	job->tf = trace_file_new(outputs_any(&job->args->out) ? EVENTS_KEPT_FOR_FILE : EVENTS_KEPT);
	trace_collector_init(&job->collector, job->tf);
	job->sinks[0] = &job->collector.sink;
	return open_files(job, error);
}

/* In a file: from its own directory, as in that of the trace. */
static const char *replay_in_file(const struct job *job)
{
	return job->tf->replay ? job->tf->replay : job->replay;
}

static bool write_text(const struct job *job, const char *path, GError **error)
{
	const struct text_options opt = {
		.verbose = job->args->verbose,
		.replay = replay_in_file(job),
	};
	struct output *o = output_open(path, job->args->force, error);

	if (!o)
		return false;
	text_report(job->tf, &opt, o);
	return output_close(o, error);
}

static const struct trace_violation *find_violation(const struct trace_file *tf,
						    const struct violation *v)
{
	const GArray *all = tf->violations;

	for (guint i = 0; v && i < all->len; i++) {
		const struct trace_violation *t = &g_array_index(all, struct trace_violation, i);

		if (t->seq == v->seq && t->obj == v->obj && strcmp(t->rule, v->ops->name) == 0)
			return t;
	}
	return v ? NULL : trace_file_blamed(tf);
}

void job_race(const struct job *job, struct output *o)
{
	const struct trace_violation *v = find_violation(job->tf, job->violation);

	if (v)
		race_table_write(job->tf, v, RACE_BY_AUTO, o);
}

static bool write_violation(const struct job *job, enum output_kind kind, const char *path,
			    GError **error)
{
	struct output *o = output_open(path, job->args->force, error);

	if (!o)
		return false;
	if (kind == OUTPUT_RACE)
		job_race(job, o);
	else if (kind == OUTPUT_SPLAT)
		text_splat(job->tf, find_violation(job->tf, job->violation), replay_in_file(job),
			   o);
	else
		ledger_write(job->tf, ledger_blamed(job->tf), false, o);
	return output_close(o, error);
}

/* Is there something to write?  What fails need not be about anything that is counted. */
static bool has_output(const struct job *job, enum output_kind kind)
{
	switch (kind) {
	case OUTPUT_RACE:
	case OUTPUT_SPLAT:
		return find_violation(job->tf, job->violation) != NULL;
	case OUTPUT_LEDGER:
		return ledger_blamed(job->tf) != 0;
	default:
		return true;
	}
}

static bool write_file(struct job *job, int i, enum output_kind kind, GError **error)
{
	const char *path = job->path[i][kind];

	switch (kind) {
	case OUTPUT_TRACE:
		return trace_writer_end(g_steal_pointer(&job->writer[i]), &job->result, error);
	case OUTPUT_TEXT:
		return write_text(job, path, error);
	case OUTPUT_RACE:
	case OUTPUT_SPLAT:
	case OUTPUT_LEDGER:
		return write_violation(job, kind, path, error);
	default:
		return export_write(job->tf, (enum export_id)(kind - OUTPUT_EXPORTS), path,
				    job->args->force, error);
	}
}

/* What was looked for, for whoever reads the trace: without a word it is the first. */
static void note_found(struct job *job)
{
	const struct trace_violation *v = find_violation(job->tf, job->violation);

	if (!v || v == &g_array_index(job->tf->violations, struct trace_violation, 0))
		return;
	job->tf->found = v->seq;
	for (int i = 0; i < 2; i++) {
		if (job->writer[i])
			trace_writer_found(job->writer[i], v->seq);
	}
}

bool job_close(struct job *job, GError **error)
{
	trace_file_finish(job->tf, &job->result);
	note_found(job);
	/* As in the file of the trace: every report is that of the file. */
	job->tf->replay = trace_file_string(job->tf, job->replay_in_dir);
	for (int i = 0; i < 2 * NR_OUTPUT_KINDS; i++) {
		char **path = &job->path[i / NR_OUTPUT_KINDS][i % NR_OUTPUT_KINDS];

		if (*path && !has_output(job, (enum output_kind)(i % NR_OUTPUT_KINDS)))
			g_clear_pointer(path, g_free);
		if (!*path || i % NR_OUTPUT_KINDS == OUTPUT_SCHED)
			continue;
		if (!write_file(job, i / NR_OUTPUT_KINDS, (enum output_kind)(i % NR_OUTPUT_KINDS),
				error))
			return false;
		cli_note(job->args->quiet, "wrote %s", *path);
	}
	return true;
}

void job_clear(struct job *job)
{
	sim_assert_context(NULL);
	trace_file_free(job->tf);
	for (int i = 0; i < 2; i++) {
		trace_writer_discard(job->writer[i]);
		for (int kind = 0; kind < NR_OUTPUT_KINDS; kind++)
			g_free(job->path[i][kind]);
	}
	g_free(job->stem);
	g_free(job->tag);
	g_free(job->replay);
	g_free(job->replay_in_dir);
}

void put_json_files(const struct job *job, struct output *o)
{
	static const struct {
		enum output_kind kind;
		const char *name;
	} files[] = {{OUTPUT_TRACE, "trace"},	{OUTPUT_TEXT, "text"}, {OUTPUT_SPLAT, "splat"},
		     {OUTPUT_LEDGER, "ledger"}, {OUTPUT_RACE, "race"}, {OUTPUT_HTML, "html"}};

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		if (job_file(job, files[i].kind))
			json_key_string(o, files[i].name, job_file(job, files[i].kind));
	}
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
	put_json_files(job, o);
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
	const char *file = job_file(job, OUTPUT_TEXT);
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
			text_splat(job->tf, trace_file_blamed(job->tf), job->replay, o);
		return cli_close(o);
	}
	lines = text_timeline_lines(job->tf, args->verbose);
	opt.no_timeline = lines > SHORT_TIMELINE;
	text_report(job->tf, &opt, o);
	code = cli_close(o);
	if (code == EXIT_CLEAN && opt.no_timeline)
		cli_note(false, "the timeline has %zu lines and was left out; %s %s", lines,
			 file ? "it is in" : "-o DIR writes it", file ? file : "to a file");
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
