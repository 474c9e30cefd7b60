/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CLI_SCRIPTS_H
#define SIM_CLI_SCRIPTS_H

/*
 * Where scenarios are found.
 */

#include <glib.h>

/** scripts_dir() - ./scenarios, else where slabsim is installed; NULL if there is none */
char *scripts_dir(void);

/**
 * scripts_find() - add the paths of the scripts below @dir to @found, sorted
 *
 * What folders called "lib" hold is loaded by scenarios and is none.
 */
void scripts_find(const char *dir, GPtrArray *found);

#endif /* SIM_CLI_SCRIPTS_H */
