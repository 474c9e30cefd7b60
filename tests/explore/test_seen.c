// SPDX-License-Identifier: GPL-2.0-only
#include <check.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/base/hash.h"
#include "sim/explore/search/seen.h"

Suite *suite_seen(void);

/* ---- of one process -------------------------------------------------------------------------- */

/* However they come, each is new once, and all are kept while the table grows. */
static guint64 evenly_spread(guint64 i)
{
	return hash_mix(UINT32_MAX, i);
}

static guint64 one_after_the_other(guint64 i)
{
	return i;
}

static guint64 backwards(guint64 i)
{
	return -i * (UINT64_MAX / 40000);
}

static guint64 next_to_the_largest(guint64 i)
{
	return i % 200 ? evenly_spread(i) : UINT64_MAX - i / 200;
}

static guint64 (*const orders[])(guint64 i) = {
	evenly_spread,
	one_after_the_other,
	backwards,
	next_to_the_largest,
};

#define NR_ADDED 30000

static int compare(gconstpointer a, gconstpointer b)
{
	const guint64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

START_TEST(each_state_is_new_once)
{
	guint64 (*nth)(guint64) = orders[_i];
	struct seen *seen = seen_new();
	GArray *list = g_array_new(FALSE, FALSE, sizeof(guint64)),
	       *added = g_array_new(FALSE, FALSE, sizeof(guint64));

	for (guint64 i = 1; i <= NR_ADDED; i++) {
		guint64 fingerprint = nth(i);

		seen_prefetch(seen, fingerprint);
		ck_assert(seen_add(seen, fingerprint));
		g_array_append_val(added, fingerprint);
		ck_assert(!seen_add(seen, nth(i - i / 3)));
	}
	for (guint64 i = 1; i <= NR_ADDED; i++)
		ck_assert(!seen_add(seen, nth(i)));
	ck_assert_uint_eq(seen_count(seen), NR_ADDED);
	seen_list(seen, list);
	g_array_sort(list, compare);
	g_array_sort(added, compare);
	ck_assert_uint_eq(list->len, added->len);
	for (guint i = 0; i < list->len; i++)
		ck_assert_uint_eq(g_array_index(list, guint64, i),
				  g_array_index(added, guint64, i));
	g_array_unref(list);
	g_array_unref(added);
	seen_free(seen);
}
END_TEST

START_TEST(there_is_a_state_without_a_fingerprint)
{
	struct seen *seen = seen_new();

	ck_assert(seen_add(seen, 0));
	ck_assert(!seen_add(seen, 0));
	ck_assert_uint_eq(seen_count(seen), 1);
	seen_free(seen);
}
END_TEST

/* It grows by small parts: never does it hold much more than it needs. */
START_TEST(a_state_takes_little_more_than_its_fingerprint)
{
	struct seen *seen = seen_new();

	for (guint64 i = 1; i <= 1000000; i++) {
		(void)seen_add(seen, evenly_spread(i));
		if (i > 10000)
			ck_assert_uint_le(seen_bytes(seen), 12 * i);
	}
	seen_free(seen);
}
END_TEST

START_TEST(a_table_says_when_it_is_full)
{
	struct seen *seen = seen_new();
	guint64 i;

	seen_limit(seen, 1 << 20);
	for (i = 1; !seen_is_full(seen); i++)
		(void)seen_add(seen, evenly_spread(i));
	ck_assert_uint_gt(i, 80000);
	ck_assert_uint_lt(i, (1 << 20) / sizeof(guint64));
	seen_free(seen);
}
END_TEST

/* ---- states that several have seen ----------------------------------------------------------- */

#define NR_STATES 20000
#define NR_ADDERS 4

/* How many were new to this process. */
static void add_states(struct seen *seen, int fd)
{
	uint64_t nr = 0;

	for (uint64_t i = 1; i <= NR_STATES; i++)
		nr += seen_add(seen, i * UINT64_C(0x9e3779b97f4a7c15)) ? 1 : 0;
	_exit(write(fd, &nr, sizeof(nr)) == sizeof(nr) ? 0 : 1);
}

/* Each is new to one of them, however they meet. */
START_TEST(a_shared_state_is_new_once)
{
	struct seen *seen = seen_new_shared((gsize)1 << 20);
	uint64_t sum = 0, nr;
	int fds[2], status;

	ck_assert_int_eq(pipe(fds), 0);
	for (int i = 0; i < NR_ADDERS; i++) {
		if (fork() == 0)
			add_states(seen, fds[1]);
	}
	for (int i = 0; i < NR_ADDERS; i++) {
		ck_assert_int_eq((int)read(fds[0], &nr, sizeof(nr)), (int)sizeof(nr));
		sum += nr;
		ck_assert_int_ne(wait(&status), -1);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(sum, NR_STATES);
	ck_assert_uint_eq(seen_count(seen), NR_STATES);
	ck_assert(!seen_is_full(seen));
	seen_free(seen);
}
END_TEST

START_TEST(a_shared_table_says_when_it_is_full)
{
	struct seen *seen = seen_new_shared((gsize)1 << 20);
	GArray *list = g_array_new(FALSE, FALSE, sizeof(guint64));
	guint64 i;

	for (i = 1; !seen_is_full(seen); i++) {
		ck_assert_uint_lt(i, 1 << 18);
		ck_assert(seen_add(seen, i * UINT64_C(0x9e3779b97f4a7c15)));
	}
	ck_assert_uint_le(seen_bytes(seen), 1 << 20);
	ck_assert_uint_gt(i, 1 << 15);
	ck_assert(!seen_add(seen, UINT64_C(0x9e3779b97f4a7c15)));
	seen_list(seen, list);
	ck_assert_uint_eq(list->len, seen_count(seen));
	g_array_unref(list);
	seen_free(seen);
}
END_TEST

Suite *suite_seen(void)
{
	Suite *s = suite_create("seen");
	TCase *tc = tcase_create("seen");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, each_state_is_new_once, 0, G_N_ELEMENTS(orders));
	tcase_add_test(tc, there_is_a_state_without_a_fingerprint);
	tcase_add_test(tc, a_state_takes_little_more_than_its_fingerprint);
	tcase_add_test(tc, a_table_says_when_it_is_full);
	tcase_add_test(tc, a_shared_state_is_new_once);
	tcase_add_test(tc, a_shared_table_says_when_it_is_full);
	suite_add_tcase(s, tc);
	return s;
}
