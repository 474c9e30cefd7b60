/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LUA_SCENARIO_H
#define LUA_SCENARIO_H

/*
 * Scenarios: load a script, build its world, run it once.
 */

#include <glib.h>
#include <signal.h>

#include "sim/check/checker.h"
#include "sim/engine/trace.h"
#include "sim/explore/read_file.h"

#define SLABSIM_ERROR (slabsim_error_quark())
GQuark slabsim_error_quark(void);

enum slabsim_error {
	SLABSIM_ERROR_USAGE,	   /* the script or an option is wrong: exit 2 */
	SLABSIM_ERROR_LIMIT,	   /* a limit stopped the run; the message says how to raise it */
	SLABSIM_ERROR_OUTPUT,	   /* a file could not be written or read: exit 2 */
	SLABSIM_ERROR_INTERRUPTED, /* run_options.interrupted was set: exit 130 */
};

/** script_file - what may be read as a script: see read_file() */
extern const struct file_kind script_file;

/* How a run decides what comes next. */
enum run_order {
	ORDER_TIMED,  /* virtual time decides; ties keep posting order */
	ORDER_TIES,   /* virtual time decides; ties are shuffled by the seed */
	ORDER_RANDOM, /* untimed: whatever may come next is drawn by the seed */
};

struct run_options {
	const char *path;	       /* the script */
	const char *lifecycle;	       /* NULL: the scenario's own, else v5.3 */
	const char *const *variants;   /* "NAME" on or "-NAME" off; NULL-terminated or NULL */
	const char *const *sets;       /* "NAME=VALUE" parameters; NULL-terminated or NULL */
	const char *const *checks_off; /* checkers to leave out; NULL-terminated or NULL */
	const char *const *skips;      /* parts to leave out, lua/skip.h; NULL-terminated or NULL */
	uint64_t seed;
	enum run_order order;
	bool accesses;	    /* record every shared access as a record of its own */
	uint64_t steps_max; /* 0 for the default of 100 million */
	vtime_t time_max;   /* ns; 0 for the default of one virtual year */
	size_t memory_max;  /* bytes; 0 for the default of 8 GiB */
	uint64_t
		instructions_max; /* of Lua, all tasks together; 0 for the default of 500 million */
	const volatile sig_atomic_t *interrupted; /* stops the run once it is not 0; may be NULL */
};

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_INCOMPLETE };

/* What goes into the first line of a trace; valid while the run lasts. */
struct run_header {
	const char *scenario; /* file name without directory and ".lua" */
	const char *lifecycle;
	const char *const *variants; /* those switched on, sorted, NULL-terminated */
	uint64_t seed;
	const char *order; /* "timed", "ties" or "random" */
	unsigned int nr_cpus;
};

struct run_sink {
	void (*begin)(struct run_sink *sink, const struct run_header *header); /* may be NULL */
	void (*record)(struct run_sink *sink, const struct trace_record *r);
	/* called right after the record that violated */
	void (*violation)(struct run_sink *sink, const struct violation *v, unsigned int nr);
};

struct run_result {
	enum verdict verdict;
	uint32_t nr_violations;
	struct violation violations[VIOLATION_MAX];
	uint64_t nr_records, nr_steps;
	/* A model without a cache or a cgroup so far: whatever variants are on, nothing asks. */
	bool variants_idle;
	vtime_t end;
	/* Of the simulated world; inexact, since Lua seeds its string hashes by the clock. */
	size_t peak_bytes;
};

/**
 * scenario_run() - load @opt->path and run it once
 * @sinks: NULL-terminated; each sees every record in order; may be NULL
 *
 * Return: true when the run came to its end, whatever its verdict; false with
 * @error set when the script or an option is wrong or a limit was hit (@result
 * then says how far it came).
 */
bool scenario_run(const struct run_options *opt, struct run_sink *const *sinks,
		  struct run_result *result, GError **error);

struct run;

/**
 * scenario_open() - load @opt->path, to be run any number of times
 * @opt: borrowed until scenario_run_again() or session_close()
 *
 * Return: what is loaded; NULL with @error set as scenario_run() does.
 */
struct run *scenario_open(const struct run_options *opt, GError **error);

/**
 * scenario_run_again() - scenario_run() of what is loaded
 * @opt: as for scenario_open(), but for the seed, the order and what only matters in a run;
 *	borrowed until the next one or session_close()
 *
 * Most of what scenario_run() takes in a small scenario is to load it.  Each run is the one that
 * scenario_run() would make.
 */
bool scenario_run_again(struct run *run, const struct run_options *opt,
			struct run_sink *const *sinks, struct run_result *result, GError **error);

/**
 * script_open() - load @opt->path and check it, as the first half of scenario_run()
 * @opt: borrowed until script_run() or session_close()
 *
 * Return: what is loaded, without a world; NULL with @error set as scenario_run() does.
 */
struct run *script_open(const struct run_options *opt, GError **error);

/**
 * script_run() - scenario_run() of a script that is open, which this closes
 * @opt: as for script_open(), but for what only matters in a run
 */
bool script_run(struct run *run, const struct run_options *opt, struct run_sink *const *sinks,
		struct run_result *result, GError **error);

/*
 * A session: a scenario that is loaded and set up, its tasks about to start, to
 * be run from there any number of times.  A process has one at a time, since
 * all worlds lie at the same address.
 */

/**
 * session_open() - load @opt->path and run its set-up
 * @opt, @sinks: borrowed until session_close()
 *
 * Return: the session; NULL with @error set as scenario_run() does.
 */
struct run *session_open(const struct run_options *opt, struct run_sink *const *sinks,
			 GError **error);

/**
 * script_keep() - load @opt->path up to where its parameters get values, for session_again()
 * @opt: borrowed until session_again() or session_close()
 *
 * Most of what a session takes to open is read and called here, once for all.
 * Return: no session yet, but closed like one; NULL with @error set as scenario_run() does.
 */
struct run *script_keep(const struct run_options *opt, GError **error);

/**
 * session_again() - session_open() of a script that is kept, in place of the last one
 * @opt, @sinks: borrowed until the next one or session_close(); path, seed, limits and whether
 *	there are skips at all are those of script_keep()
 *
 * Return: false with @error set as scenario_run() does; the script is kept all the same.
 */
bool session_again(struct run *run, const struct run_options *opt, struct run_sink *const *sinks,
		   GError **error);

/** session_run() - let the tasks run to the end; as scenario_run() */
bool session_run(struct run *run, struct run_result *result, GError **error);

/** session_result() - what the run that the session is in adds up to so far */
void session_result(const struct run *run, struct run_result *result);

/**
 * session_rewind() - back to where session_open() ended
 * @seed: of the choices and costs from there on
 */
void session_rewind(struct run *run, uint64_t seed);

/**
 * session_subject() - the session as something to explore
 *
 * The session must have been opened with ORDER_RANDOM; it is borrowed, and not
 * to be run or rewound while it is explored.
 */
struct subject *session_subject(struct run *run);
void session_close(struct run *run);

#endif /* LUA_SCENARIO_H */
