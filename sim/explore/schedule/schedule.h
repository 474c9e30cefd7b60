/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLORE_SCHEDULE_SCHEDULE_H
#define SIM_EXPLORE_SCHEDULE_SCHEDULE_H

/*
 * Schedules: the choices of one run, as a file that people can read.
 *
 * A file names what it is for (scenario, lifecycle, variants, ...), what it leads
 * to, and who takes how many steps in which order.  docs/exploring.md describes
 * it.  Processes are found by their names, so a schedule does not depend on how
 * a list of alternatives happens to be sorted.
 */

#include "sim/explore/explore.h"

#define SCHEDULE_FORMAT 1
#define SCHEDULE_BYTES_MAX ((size_t)16 << 20)
#define SCHEDULE_STEPS_MAX 10000000

#define SCHEDULE_ERROR (schedule_error_quark())
GQuark schedule_error_quark(void);

enum schedule_error {
	SCHEDULE_ERROR_FILE,   /* cannot be read, or is no schedule: the message says where */
	SCHEDULE_ERROR_LOST,   /* cannot be followed here */
	SCHEDULE_ERROR_SCRIPT, /* the run stopped: the script failed, or a limit was hit */
};

/* A choice inside a step. */
struct schedule_pick {
	uint32_t kind; /* enum choice_kind, not CHOOSE_STEP */
	uint32_t pick, n;
};

/* Steps of one process, one right after the other. */
struct schedule_run {
	const char *process;
	uint32_t nr_steps;
	uint32_t place, of;	     /* of the first step: which of how many that could come next */
	uint32_t picks_at, nr_picks; /* made inside the last step, in schedule.picks */
	const char *comment;	     /* NULL for none */
	uint32_t line;		     /* in the file it was read from, 0 if it was not */
};

struct schedule {
	/* what it is for; strings are the schedule's, NULL where unknown */
	const char *version;  /* of slabsim */
	const char *scenario; /* file name without directory and ".lua" */
	const char *script;   /* path, as it was given */
	const char *digest;   /* of the script's text */
	const char *lifecycle;
	GPtrArray *variants, *sets, *checks_off; /* strings, NULL-terminated */
	GPtrArray *skips; /* parts of the scenario that are left out; the same */
	uint64_t seed;
	/* what it leads to */
	const char *checker; /* NULL: to no violation */
	const char *object, *text;
	bool at_end;	   /* the checker spoke only when nothing was left to happen */
	const char *trace; /* digest of the records */
	uint32_t nr_steps, preemptions;
	/* the choices */
	GArray *runs;  /* struct schedule_run */
	GArray *picks; /* struct schedule_pick */

	bool altered; /* the file is not as slabsim wrote it */
	GStringChunk *strings;
};

struct schedule *schedule_new(void);
void schedule_free(struct schedule *s);

/** schedule_string() - a copy of @text that lives as long as @s */
const char *schedule_string(struct schedule *s, const char *text);

/** schedule_list_set() - make @list one of @s hold copies of @strings (NULL is none) */
void schedule_list_set(struct schedule *s, GPtrArray *list, const char *const *strings);

/**
 * schedule_of() - the choices of @f, with names, and what they lead to
 * @interrupted: gives up once that is set; may be NULL
 *
 * Runs @s once.  What the schedule is for is left to the caller.
 * Return: the schedule; NULL with @error set if @f cannot be repeated, or was not to the end.
 */
struct schedule *schedule_of(struct subject *s, const struct finding *f,
			     const volatile sig_atomic_t *interrupted, GError **error);

/** schedule_write() - append @s to @out as a file holds it */
void schedule_write(const struct schedule *s, GString *out);

/** schedule_write_steps() - append only who steps, without what it is for */
void schedule_write_steps(const struct schedule *s, GString *out);

/**
 * schedule_parse() - read back what schedule_write() wrote
 * @name: of the file, for messages
 *
 * Return: the schedule; NULL with @error set, naming the line.
 */
struct schedule *schedule_parse(const char *text, size_t size, const char *name, GError **error);

/** schedule_read() - the same from a file */
struct schedule *schedule_read(const char *path, GError **error);

/* ---- following one ------------------------------------------------------------------- */

struct follow_options {
	/*
	 * Go as near as possible where the schedule cannot be followed: skip who cannot
	 * step, and go on without preemption when it is over.
	 */
	bool lenient;
	/*
	 * After each step, with the number of its run in schedule.runs, or runs->len
	 * beyond the end; false stops there.  May be NULL.
	 */
	bool (*stepped)(void *arg, uint32_t run);
	void *arg;
	GArray *choices; /* struct choice: those that were made are added; may be NULL */
};

enum follow_end {
	FOLLOW_VIOLATED, /* a checker found something */
	FOLLOW_QUIET,	 /* nothing is left to happen, and nothing was found */
	FOLLOW_OVER,	 /* the schedule is over, but the run is not */
	FOLLOW_ASKED,	 /* stepped() said stop */
	FOLLOW_ERROR,	 /* @error says why */
};

struct follow_result {
	enum follow_end end;
	uint32_t nr_steps, preemptions;
	uint32_t nr_skipped;	    /* steps of the schedule that were left out */
	struct violation violation; /* FOLLOW_VIOLATED: the first one */
	bool at_end;
};

/** schedule_follow() - run @s as @sched says */
void schedule_follow(struct subject *s, const struct schedule *sched,
		     const struct follow_options *opt, struct follow_result *result,
		     GError **error);

/** schedule_leads_to() - is @v what @sched says it leads to? */
bool schedule_leads_to(const struct schedule *sched, const struct violation *v);

#endif /* SIM_EXPLORE_SCHEDULE_SCHEDULE_H */
