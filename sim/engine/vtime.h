/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_ENGINE_VTIME_H
#define SIM_ENGINE_VTIME_H

/* Virtual time: whole nanoseconds since the run began.  Wraps after 584 years, so never. */

#include <stdint.h>

typedef uint64_t vtime_t;

/* Later than any event: what "never" reads as. */
#define VTIME_MAX UINT64_MAX

#endif /* SIM_ENGINE_VTIME_H */
