/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_BASE_ASSERT_H
#define SIM_BASE_ASSERT_H

/*
 * sim_assert(): our own code is wrong.  On in every build; one condition, no
 * side effect.  Prints the line that replays the run, then aborts.
 */

#define sim_assert(cond)                                                                           \
	do {                                                                                       \
		if (__builtin_expect(!(cond), 0))                                                  \
			sim_assert_fail(#cond, __FILE__, __LINE__);                                \
	} while (0)

/** sim_assert_fail() - print what failed and sim_assert_context(), then abort */
_Noreturn void sim_assert_fail(const char *cond, const char *file, int line);

/**
 * sim_assert_context() - set the text printed with a failed assertion
 * @text: how to repeat this run; borrowed, NULL to clear
 */
void sim_assert_context(const char *text);

#endif /* SIM_BASE_ASSERT_H */
