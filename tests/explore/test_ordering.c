// SPDX-License-Identifier: GPL-2.0-only
#include <check.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lua/ordering.h"
#include "reports/suggest.h"
#include "sim/explore/ordering/ordering.h"

Suite *suite_ordering(void);

/* ---- reading tables ------------------------------------------------------------------ */

static void reads(const char *text, uint32_t columns, uint32_t rows)
{
	g_autoptr(GError) error = NULL;
	struct ordering *o = ordering_parse(text, "t", &error);

	ck_assert_msg(o != NULL, "%s", error ? error->message : "");
	ck_assert_uint_eq(ordering_nr_columns(o), columns);
	ck_assert_uint_eq(ordering_nr_rows(o), rows);
	ordering_free(o);
}

static void refuses(const char *text, const char *why)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(ordering_parse(text, "t", &error));
	ck_assert(g_error_matches(error, ORDERING_ERROR, ORDERING_ERROR_TABLE));
	ck_assert_msg(strstr(error->message, why) != NULL, "%s", error->message);
}

START_TEST(headers_of_many_kinds)
{
	reads("CPU0  CPU1\na\n      b\n", 2, 2);
	reads("  CPU0: worker        CPU1: admin\n  a\n                      b();\n", 2, 2);
	reads("       CPU0 (rmmod)        CPU1 (kworker, rcu)\n       ----                ----\n"
	      "  a\n                           b(C)\n",
	      2, 2);
	reads("\n\n  Task A      Task B\n  a\n              b\n", 2, 2);
	/* Any header will do above a line of dashes. */
	reads("  destroyer        worker\n  ---------        ------\n  a\n                   b\n",
	      2, 2);
	reads("  CPU0        CPU1        CPU1\n  rmmod-12    softirq     kworker\n"
	      "  ----        ----        ----\n  a\n              b\n                          c\n",
	      3, 3);
}
END_TEST

/* Two labels are two columns even with one blank between them; names of a label are not. */
START_TEST(labels_stand_apart_by_one_blank)
{
	reads("CPU0 CPU1\na\n     b\n", 2, 2);
	reads("CPU 0 CPU 1\na\n      b\n", 2, 2);
	reads("Task A Task B Task C\na\n       b\n              c\n", 3, 3);
	reads("T1 T2\na\n   b\n", 2, 2);
	reads("CPU0 (rmmod) CPU1 (kworker)\na\n             b\n", 2, 2);
	reads("CPU0: rmmod CPU1: kworker\na\n            b\n", 2, 2);
	reads("CPU0 (after CPU1)  CPU1\na\n                   b\n", 2, 2);
	reads("CPU0: wakes CPU1  CPU1\na\n                  b\n", 2, 2);
	reads("Task A  CPU1\na\n        b\n", 2, 2);
	reads("CPU0 CPUs\n---- ----\na\n", 1, 1);
	/* The second row is in the second column, so two calls on one line are no mistake. */
	reads("CPU0 CPU1\na    b\n", 2, 2);
}
END_TEST

START_TEST(tabs_are_eight_columns)
{
	reads("\tCPU0\t\t\tCPU1\n\t----\t\t\t----\n\ta\n\t\t\t\tb\n", 2, 2);
}
END_TEST

/* What a browser or a mailer has made of it; columns count characters, not bytes. */
START_TEST(blanks_dashes_and_line_ends_are_pasted)
{
	reads("CPU0      CPU1\r\n----      ----\r\na\r\n          b\r\n", 2, 2);
	reads("\xef\xbb\xbf"
	      "CPU0      CPU1\na\n          b\n",
	      2, 2);
	reads("CPU0      CPU1\n\xe2\x80\x94\xe2\x80\x94        \xe2\x94\x80\xe2\x94\x80\n"
	      "a\n"
	      "\xc2\xa0\xc2\xa0        b\n",
	      2, 2);
	/* Two columns wide, they would put the second row into the third column. */
#define FIVE "\xc2\xa0\xc2\xa0\xc2\xa0\xc2\xa0\xc2\xa0"
	reads("A         B         C\n-         -         -\na\n" FIVE FIVE
	      "b\n                    c\n",
	      3, 3);
#undef FIVE
	refuses("CPU0  CPU1\na \xe2\x86\x92 b\n", "line 2: expected a function");
	refuses("CPU0  CPU1\na\xff\xfe\n", "line 2: expected a function");
}
END_TEST

START_TEST(what_is_only_for_the_reader_is_no_row)
{
	reads("  CPU0                CPU1\n"
	      "  ----                ----\n"
	      "  a(C)  // the first\n"
	      "  <softirq>\n"
	      "    b(C)\n"
	      "      // C is freed\n"
	      "  </softirq>\n"
	      "  ...\n"
	      "  /* nothing */\n"
	      "                      c();\n"
	      "\n"
	      "             *** DEADLOCK ***\n"
	      "\n"
	      "where C is what it is.\n",
	      2, 3);
}
END_TEST

/* Two events on one line: the left one is the first. */
START_TEST(two_rows_on_one_line)
{
	reads("  CPU0                CPU1\n  a                   b\n", 2, 2);
	refuses("  CPU0                CPU1\n  a    b\n", "two calls in one column");
}
END_TEST

/* As they stand in mails and logs: what leads up to them, and what every line begins with. */
START_TEST(tables_are_pasted)
{
	static const char *const marks[] = {"", "> ", "> > ", "[  922.741][  T300] ",
					    "> [  922.741] "};

	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
		g_autofree char *text =
			g_strdup_printf("%1$s Possible unsafe locking scenario:\n%1$s\n"
					"%1$s       CPU0                    CPU1\n"
					"%1$s       ----                    ----\n"
					"%1$s  lock(a);\n"
					"%1$s                               lock(&x->b);\n"
					"%1$s                               lock(a);\n"
					"%1$s  lock(&x->b);\n%1$s\n%1$s *** DEADLOCK ***\n",
					marks[i]);

		reads(text, 2, 4);
	}
	/* Names of functions as a header, and more of it below. */
	reads("  create()             update()\n  (no mutex held)      (called with\n"
	      "                        slab_mutex held)\n  --------             --------\n"
	      "  a\n                       b\n",
	      2, 2);
	refuses("some words\nCPU1 does what follows:\n  a\n", "line 1: expected a header");
}
END_TEST

/* Code and words around a call are left out. */
START_TEST(calls_are_found_in_rows)
{
	reads("CPU0  CPU1\n  --> a(&x);\n  call b(@c):\n  new = c(x, y)\n  if (!d(&s->r)) {\n"
	      "  return e();\n  f() -- (A)\n",
	      2, 6);
	refuses("CPU0  CPU1\n  a = b\n", "got 'a = b'");
	refuses("CPU0  CPU1\n  a == b(c)\n", "got 'a == b(c)'");
	refuses("CPU0  CPU1\n  if (a)\n  b()\n  c = 1\n  d = 2\n",
		"line 2: expected a function, a call or a site, got 'if (a)'; a remark begins "
		"with '//'; so should line 4, 5");
}
END_TEST

START_TEST(errors_name_the_line)
{
	refuses("", "empty");
	refuses("\n\n", "empty");
	refuses("what happens\n  a\n", "line 1: expected a header");
	refuses("CPU0  CPU1\n", "no rows");
	refuses("CPU0  CPU1\n  ----\n a\n the lock is taken\n", "line 4: expected a function");
	refuses("CPU0  CPU1\n  (C)\n", "line 2: expected a function");
}
END_TEST

START_TEST(sizes_are_limited)
{
	g_autofree char *big = g_strnfill(ORDERING_BYTES_MAX + 1, 'a');
	g_autofree char *name = g_strnfill(200, 'a');
	g_autofree char *long_name = g_strdup_printf("CPU0 CPU1\n%s\n", name);
	GString *rows = g_string_new("CPU0  CPU1\n"), *columns = g_string_new(NULL);

	for (int i = 0; i <= ORDERING_ROWS_MAX; i++)
		g_string_append(rows, "a\n");
	for (int i = 0; i <= ORDERING_COLUMNS_MAX; i++)
		g_string_append_printf(columns, "CPU%d  ", i);
	g_string_append(columns, "\na\n");
	refuses(big, "larger than");
	refuses(rows->str, "more than 256 rows");
	refuses(columns->str, "more than 8 columns");
	refuses(long_name, "expected a function");
	g_string_free(rows, TRUE);
	g_string_free(columns, TRUE);
}
END_TEST

/* Whatever the text, the reader says something and comes back. */
START_TEST(any_text_is_survived)
{
	static const char alphabet[] = "CPU01 -=\t\n(a);/*<>.&>";
	GRand *rand = g_rand_new_with_seed(7);

	for (int i = 0; i < 3000; i++) {
		GString *text = g_string_new(i % 2 ? "CPU0    CPU1\n" : NULL);
		int n = g_rand_int_range(rand, 0, 120);
		struct ordering *o;
		GError *error = NULL;

		while (n-- > 0)
			g_string_append_c(
				text,
				alphabet[g_rand_int_range(rand, 0, (int)sizeof(alphabet) - 1)]);
		o = ordering_parse(text->str, "t", &error);
		ck_assert((o == NULL) == (error != NULL));
		if (o)
			ck_assert_uint_gt(ordering_nr_rows(o), 0);
		ordering_free(o);
		g_clear_error(&error);
		g_string_free(text, TRUE);
	}
	g_rand_free(rand);
}
END_TEST

/* ---- following them ------------------------------------------------------------------- */

/* Writes down who did which operation, in order. */
struct log {
	struct run_sink sink;
	GString *text;
};

static void note(struct run_sink *sink, const struct trace_record *r)
{
	if (r->kind == TR_ACCESS && oid_kind(r->obj) == OBJ_CELL)
		g_string_append_printf(((struct log *)sink)->text, "%u%s ", r->cpu, r->str);
}

static bool remarked;
static char remark_text[512];

static void remark(const char *text)
{
	remarked = strstr(text, "arguments") != NULL;
	g_strlcpy(remark_text, text, sizeof(remark_text));
}

static const char script[] =
	"return model {\n"
	"  setup = function(sim)\n"
	"    sim.x, sim.y = sim:cell('x', 0), sim:cell('y', 0)\n"
	"    sim.a, sim.b = sim:mutex('a'), sim:mutex('b')\n"
	"  end,\n"
	"  tasks = {\n"
	"    task('left', function(t, sim)\n"
	"      t:lock(sim.a) t:write_once(sim.x, 1) t:unlock(sim.a) t:read_once(sim.y)\n"
	"    end),\n"
	"    task('right', function(t, sim)\n"
	"      t:lock(sim.a) t:write_once(sim.y, 1) t:unlock(sim.a) t:read_once(sim.x)\n"
	"    end),\n"
	"  },\n"
	"}\n";

static char *drive_script(const char *lua, const char *text, GError **error)
{
	g_autofree char *dir = g_dir_make_tmp("ordering-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "m.lua", NULL);
	const struct run_options opt = {.path = path, .seed = 1, .accesses = true};
	const struct ordering_table table = {text, "t", suggest, remark};
	struct log log = {{.record = note}, g_string_new(NULL)};
	struct run_sink *sinks[] = {&log.sink, NULL};
	struct run_result result;
	bool ok;

	ck_assert(g_file_set_contents(path, lua, -1, NULL));
	ok = ordering_run(&opt, &table, sinks, &result, error);
	g_remove(path);
	g_remove(dir);
	ck_assert(ok == !*error);
	return g_string_free(log.text, !ok);
}

static char *drive(const char *text, GError **error)
{
	return drive_script(script, text, error);
}

#define HEADER "  CPU0 (left)             CPU1 (right)\n"
#define RIGHT "                          "

static void goes(const char *table, const char *order)
{
	GError *error = NULL;
	g_autofree char *log = drive(table, &error);

	ck_assert_msg(log != NULL, "%s", error ? error->message : "");
	ck_assert_str_eq(log, order);
}

START_TEST(the_table_decides)
{
	goes(HEADER "  read_once(y)\n" RIGHT "write_once(y)\n",
	     "0write_once 0read_once 1write_once 1read_once ");
	goes(HEADER RIGHT "read_once(x)\n"
			  "  write_once(x)\n",
	     "1write_once 1read_once 0write_once 0read_once ");
	goes(HEADER "  write_once(x)\n" RIGHT "write_once(y)\n"
		    "  read_once(y)\n" RIGHT "read_once(x)\n",
	     "0write_once 1write_once 0read_once 1read_once ");
	goes(HEADER "  write_once(x)\n" RIGHT "write_once(y)\n" RIGHT "read_once(x)\n"
		    "  read_once(y)\n",
	     "0write_once 1write_once 1read_once 0read_once ");
}
END_TEST

/* left writes x and never y: that can only be followed by its name, and is said to be. */
START_TEST(arguments_are_only_left_aside_with_a_remark)
{
	remarked = false;
	goes(HEADER "  write_once(x)\n" RIGHT "write_once(y)\n",
	     "0write_once 1write_once 1read_once 0read_once ");
	ck_assert(!remarked);
	goes(HEADER "  write_once(y)\n" RIGHT "write_once(y)\n",
	     "0write_once 1write_once 1read_once 0read_once ");
	ck_assert(remarked);
}
END_TEST

/* Softirqs in brackets are not the context that they interrupt, though they share its column. */
START_TEST(brackets_are_read)
{
	reads("  CPU0                CPU1\n"
	      "  a\n"
	      "  <Interrupt>\n"
	      "    b\n"
	      "  c\n"
	      "                      <softirq>\n"
	      "                        d\n"
	      "                      </softirq>\n",
	      2, 4);
}
END_TEST

static void fails(const char *table, const char *why)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *log = drive(table, &error);

	ck_assert_ptr_null(log);
	ck_assert_msg(strstr(error->message, why) != NULL, "%s", error->message);
}

START_TEST(an_impossible_row_is_named_with_the_reason)
{
	/* right cannot write while left holds the lock, and left lets go of it later. */
	fails(HEADER "  mutex_lock(a)\n" RIGHT "write_once(y)\n"
		     "  mutex_unlock(a)\n",
	      "t, line 3: 'write_once(y)' (CPU1) can't happen there");
	fails(HEADER "  mutex_lock(a)\n" RIGHT "write_once(y)\n"
		     "  mutex_unlock(a)\n",
	      "held by left");
	fails(HEADER "  mutex_lock(a)\n" RIGHT "write_once(y)\n"
		     "  mutex_unlock(a)\n",
	      "left is held back, because its next step is 'mutex_unlock(a)' in line 4");
}
END_TEST

/* The last rows of a deadlock wait, as in a lockdep report; without a deadlock they cannot. */
START_TEST(a_row_that_waits_for_a_lock_has_happened)
{
	static const char table[] = "CPU0  CPU1\n----  ----\nlock(a);\n      lock(&x->b);\n"
				    "      lock(a);\nlock(&x->b);\n";
	static const char crossed[] =
		"return model {\n"
		"  setup = function(sim) sim.a, sim.b = sim:mutex('a'), sim:mutex('b') end,\n"
		"  tasks = {\n"
		"    task('ab', function(t, sim) t:lock(sim.a) t:lock(sim.b) end),\n"
		"    task('ba', function(t, sim) t:lock(sim.%s) t:lock(sim.%s) end),\n"
		"  },\n"
		"}\n";
	GError *error = NULL;
	g_autofree char *both = g_strdup_printf(crossed, "b", "a");
	g_autofree char *same = g_strdup_printf(crossed, "a", "b");
	g_autofree char *log = drive_script(both, table, &error);

	ck_assert_msg(log != NULL, "%s", error ? error->message : "");
	ck_assert_ptr_null(drive_script(same, table, &error));
	ck_assert_msg(strstr(error->message, "waits for a, held by") != NULL, "%s", error->message);
	g_clear_error(&error);
}
END_TEST

START_TEST(a_typo_gets_a_suggestion)
{
	fails(HEADER "  writ_once(x)\n", "line 2: 'writ_once' is never entered in this scenario; "
					 "did you mean 'write_once'?");
	fails(HEADER "  frobnicate(x)\n", "'frobnicate' is never entered in this scenario");
	/* All of them at once. */
	fails(HEADER "  frobnicate(x)\n  twiddle(x)\n",
	      "; 'twiddle' in line 3 was not seen either");
}
END_TEST

/* An argument that names nothing, but nearly something. */
START_TEST(a_typo_in_an_argument_gets_a_suggestion)
{
	static const char locks[] =
		"return model {\n"
		"  setup = function(sim) sim.m = sim:mutex('slab_mutex') end,\n"
		"  tasks = {\n"
		"    task('left', function(t, sim) t:lock(sim.m) t:unlock(sim.m) end),\n"
		"    task('right', function(t, sim) t:lock(sim.m) t:unlock(sim.m) end),\n"
		"  },\n"
		"}\n";
	g_autoptr(GError) error = NULL;
	g_autofree char *log = drive_script(
		locks, HEADER "  mutex_lock(slab_mutx)\n" RIGHT "mutex_lock(&s->slab_mutex)\n",
		&error);
	g_autofree char *bad = NULL;

	ck_assert_msg(log != NULL, "%s", error ? error->message : "");
	ck_assert_str_eq(remark_text,
			 "t: no run follows the table with its arguments, so only the names in it "
			 "were followed: with them, none came past line 2, "
			 "'mutex_lock(slab_mutx)'; nothing is called 'slab_mutx' (line 2); did you "
			 "mean 'slab_mutex'?");
	/* So does a name in the header; others there say nothing. */
	remark_text[0] = '\0';
	g_free(drive(" CPU0 (lefft, rmmod)  CPU1 (right)\n read_once(y)\n", &error));
	ck_assert_str_eq(remark_text,
			 "t: no context is called 'lefft' (CPU0); did you mean 'left'?");
	/* Where nothing follows the table at all it is said as well; what is right is not. */
	bad = drive_script(locks, HEADER "  frobnicate(q)\n  mutex_lock(slab_mutx)\n", &error);
	ck_assert_ptr_null(bad);
	ck_assert_msg(strstr(error->message, "nothing is called 'slab_mutx' (line 3); did you mean "
					     "'slab_mutex'?") != NULL,
		      "%s", error->message);
	g_clear_error(&error);
	bad = drive_script(locks, HEADER "  frobnicate(q)\n  mutex_lock(slab_mutex)\n", &error);
	ck_assert_ptr_null(bad);
	ck_assert_ptr_null(strstr(error->message, "nothing is called"));
}
END_TEST

Suite *suite_ordering(void)
{
	Suite *s = suite_create("ordering");
	TCase *t = tcase_create("reading");

	tcase_add_test(t, headers_of_many_kinds);
	tcase_add_test(t, labels_stand_apart_by_one_blank);
	tcase_add_test(t, tabs_are_eight_columns);
	tcase_add_test(t, blanks_dashes_and_line_ends_are_pasted);
	tcase_add_test(t, what_is_only_for_the_reader_is_no_row);
	tcase_add_test(t, two_rows_on_one_line);
	tcase_add_test(t, brackets_are_read);
	tcase_add_test(t, tables_are_pasted);
	tcase_add_test(t, calls_are_found_in_rows);
	tcase_add_test(t, errors_name_the_line);
	tcase_add_test(t, sizes_are_limited);
	tcase_add_test(t, any_text_is_survived);
	suite_add_tcase(s, t);
	t = tcase_create("following");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, the_table_decides);
	tcase_add_test(t, arguments_are_only_left_aside_with_a_remark);
	tcase_add_test(t, an_impossible_row_is_named_with_the_reason);
	tcase_add_test(t, a_row_that_waits_for_a_lock_has_happened);
	tcase_add_test(t, a_typo_gets_a_suggestion);
	tcase_add_test(t, a_typo_in_an_argument_gets_a_suggestion);
	suite_add_tcase(s, t);
	return s;
}
