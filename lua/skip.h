/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LUA_SKIP_H
#define LUA_SKIP_H

/*
 * Leaving out parts of a scenario without touching its text.
 *
 * A skip is "TASK", a task of the scenario that ends as soon as it starts, or "TASK:N" or
 * "TASK:N-M": from the N-th to the M-th operation, counted from 1, it does nothing and gets
 * nil.  Only operations that are work for the kernel are counted: what waits, signals,
 * starts others or chooses keeps the tasks in step, and stays; so does whatever small
 * models are made of.
 */

#include "lua/run.h"

/* What a search for a smaller scenario can turn. */
struct scenario_parameter {
	char *name;
	int64_t value, least;
};

struct scenario_task {
	char *name;
	uint32_t nr_operations; /* that could be skipped, of those it has come to in this run */
};

/** skips_read() - read run_options.skips; false, with the run failed, where one is wrong */
bool skips_read(struct run *run);
void skips_free(struct run *run);

/** skips_check() - the tasks exist: is each skip about one of them?  As skips_read(). */
bool skips_check(struct run *run);

/** skips_task() - is the whole task @name left out? */
bool skips_task(const struct run *run, const char *name);

void skip_open(lua_State *L, int core);

/** session_parameters() - those whose option says how small it may be; g_ptr_array_unref() */
GPtrArray *session_parameters(struct run *run);

/** session_tasks() - those that the scenario starts with; g_ptr_array_unref() */
GPtrArray *session_tasks(struct run *run);

#endif /* LUA_SKIP_H */
