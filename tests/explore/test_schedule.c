// SPDX-License-Identifier: GPL-2.0-only
/*
 * Schedules: what is written is read back and leads to the same run; what was not
 * written so is refused with the line, whatever it is.
 */

#include <check.h>
#include <glib/gstdio.h>
#include <string.h>

#include "sim/explore/schedule/schedule.h"
#include "tests/explore/session.h"

Suite *suite_schedule(void);

#define MODEL "scenarios/models/cache_shutdown.lua"

/* ---- files -------------------------------------------------------------------------------- */

static void add_run(struct schedule *s, const char *process, uint32_t nr_steps)
{
	struct schedule_run run = {
		.process = schedule_string(s, process),
		.nr_steps = nr_steps,
		.place = 8, /* found by name alone: nine can never step at once */
		.of = 9,
		.picks_at = s->picks->len,
	};

	s->nr_steps += nr_steps;
	g_array_append_val(s->runs, run);
}

static void add_pick(struct schedule *s, enum choice_kind kind, uint32_t pick, uint32_t n)
{
	struct schedule_pick p = {.kind = (uint32_t)kind, .pick = pick, .n = n};

	g_array_append_val(s->picks, p);
	g_array_index(s->runs, struct schedule_run, s->runs->len - 1).nr_picks++;
}

/* With every string that could be mistaken for something else. */
static struct schedule *example(void)
{
	static const char *const variants[] = {"one", "two", NULL};
	static const char *const sets[] = {"text=a \"b\" # c", "n=2", NULL};
	struct schedule *s = schedule_new();

	s->version = "0.1.0";
	s->scenario = "a name";
	s->script = "dir/a name.lua";
	s->digest = "0123456789abcdef";
	s->lifecycle = "v5.3";
	schedule_list_set(s, s->variants, variants);
	schedule_list_set(s, s->sets, sets);
	s->seed = UINT64_MAX;
	s->checker = "use-after-free";
	s->object = "cache:2";
	s->text = "two\nlines\tand \\ \"more\"";
	s->trace = "00ff";
	s->preemptions = 1;
	add_run(s, "allocator", 12);
	add_pick(s, CHOOSE_FAULT, 1, 2);
	add_run(s, "CPU0 softirq", 1);
	add_run(s, "end", 1);
	add_run(s, "#2", 3);
	add_pick(s, CHOOSE_SCRIPT, 0, 2);
	add_pick(s, CHOOSE_SCRIPT, 4, 5);
	add_run(s, "+", 1);
	add_run(s, "", 1);
	add_run(s, "\xc3\xa9#2", 1);
	return s;
}

static char *written(const struct schedule *s)
{
	GString *text = g_string_new(NULL);

	schedule_write(s, text);
	return g_string_free(text, FALSE);
}

static struct schedule *parsed(const char *text, size_t size)
{
	g_autoptr(GError) error = NULL;
	struct schedule *s = schedule_parse(text, size, "x.sched", &error);

	ck_assert_msg(s != NULL, "%s", error ? error->message : "");
	ck_assert_ptr_null(error);
	return s;
}

START_TEST(what_is_written_is_read_back)
{
	struct schedule *s = example(), *t;
	g_autofree char *text = written(s);
	g_autofree char *again = NULL;

	t = parsed(text, strlen(text));
	again = written(t);
	ck_assert_str_eq(text, again);
	ck_assert(!t->altered);
	ck_assert_str_eq(t->text, s->text);
	ck_assert_uint_eq(t->seed, UINT64_MAX);
	ck_assert_uint_eq(t->runs->len, 7);
	ck_assert_uint_eq(t->variants->len, 3);
	ck_assert_str_eq(g_array_index(t->runs, struct schedule_run, 5).process, "");
	ck_assert_uint_eq(g_array_index(t->picks, struct schedule_pick, 2).pick, 4);
	schedule_free(s);
	schedule_free(t);
}
END_TEST

/* People annotate what they look at; editors change the ends of lines. */
START_TEST(comments_and_blanks_are_free)
{
	struct schedule *s = example(), *t;
	g_autofree char *text = written(s);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *commented = g_strjoinv("   # why?\r\n\n", lines);

	/* Behind the last line nothing is left but its comment. */
	commented[strlen(commented)] = 0;
	t = parsed(commented, strlen(commented));
	ck_assert(!t->altered);
	schedule_free(s);
	schedule_free(t);
}
END_TEST

/* A file that ends too early must never pass for a shorter schedule. */
START_TEST(every_beginning_is_refused)
{
	struct schedule *s = example();
	g_autofree char *text = written(s);

	for (size_t n = 0; n < strlen(text); n++) {
		g_autoptr(GError) error = NULL;

		ck_assert_ptr_null(schedule_parse(text, n, "x.sched", &error));
		ck_assert_msg(error && g_str_has_prefix(error->message, "x.sched:"),
			      "no place named at %zu", n);
	}
	schedule_free(s);
}
END_TEST

static void check_mutant(const char *original, const char *text, size_t size)
{
	g_autoptr(GError) error = NULL;
	struct schedule *s = schedule_parse(text, size, "x.sched", &error);

	if (!s) {
		ck_assert_ptr_nonnull(error);
		ck_assert_uint_lt(strlen(error->message), 300);
		return;
	}
	ck_assert_ptr_null(error);
	if (!s->altered) {
		g_autofree char *again = written(s);

		ck_assert_msg(strcmp(original, again) == 0, "a change went unnoticed:\n%s", text);
	}
	schedule_free(s);
}

/* Each byte changed: an error, known as altered, or it says the same. */
START_TEST(every_change_is_noticed)
{
	static const char bytes[] = "\0 \n\"\\#+x@/09z\x80\xff";
	struct schedule *s = example();
	g_autofree char *text = written(s);
	g_autofree char *mutant = g_strdup(text);
	size_t size = strlen(text);

	for (size_t i = 0; i < size; i++) {
		for (size_t b = 0; b < sizeof(bytes) - 1; b++) {
			mutant[i] = bytes[b];
			check_mutant(text, mutant, size);
		}
		mutant[i] = text[i];
	}
	schedule_free(s);
}
END_TEST

/* Parts doubled, dropped, exchanged, overwritten at random. */
START_TEST(garbage_is_refused_in_order)
{
	struct schedule *s = example();
	g_autofree char *text = written(s);
	size_t size = strlen(text);
	struct rng rng;

	rng_seed(&rng, 1, "fuzz");
	for (int round = 0; round < 20000; round++) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();

		g_byte_array_append(bytes, (const guint8 *)text, (guint)size);
		for (uint64_t n = 1 + rng_below(&rng, 4); n > 0 && bytes->len > 1; n--) {
			guint at = (guint)rng_below(&rng, bytes->len);
			guint len = (guint)rng_below(&rng, MIN(bytes->len - at, 64u) + 1);

			switch (rng_below(&rng, 3)) {
			case 0:
				g_byte_array_remove_range(bytes, at, len);
				break;
			case 1:
				g_byte_array_append(bytes, (const guint8 *)text + at % size,
						    (guint)MIN(len, size - at % size));
				break;
			default:
				bytes->data[at] = (guint8)rng_next(&rng);
			}
		}
		check_mutant(text, (const char *)bytes->data, bytes->len);
	}
	schedule_free(s);
}
END_TEST

#define HEAD                                                                                       \
	"slabsim schedule 1\nversion 1\nscenario a\nscript a.lua\ndigest 0\nlifecycle v5.3\n"      \
	"seed 1\nsteps 1\npreemptions 0\n"

static const struct {
	const char *text, *says;
} wrong[] = {
	{"", ":1: no schedule: it is empty"},
	{"return scenario {}\n", ":1: no schedule: it should begin with"},
	{"\x7f"
	 "ELF\n",
	 ":1: no schedule"},
	{"slabsim schedule 2\n", ":1: schedule format 2; this program reads format 1"},
	{"slabsim schedule one\n", ":1: expected a number"},
	{"slabsim schedule 1\nbanana 1\n", ":2: unknown word 'banana'"},
	{"slabsim schedule 1\nseed\n", ":2: expected a word and its value, got 1"},
	{"slabsim schedule 1\nseed 1 2\n", ":2: expected a word and its value, got 3"},
	{"slabsim schedule 1\nseed 18446744073709551616\n", ":2: expected a number"},
	{"slabsim schedule 1\nseed 1\nseed 2\n", ":3: 'seed' stands here a second time"},
	{"slabsim schedule 1\norder timed\n", ":2: order is random"},
	{"slabsim schedule 1\nsteps 99999999\n", ":2: expected a number from 0 to 10000000"},
	{"slabsim schedule 1\nseed \"1\n", ":2: a quoted word does not end"},
	{"slabsim schedule 1\nsteps:\n", ":2: 'version' is missing above"},
	{HEAD "checker leak\nsteps:\n", ":11: 'checker' needs 'object' and 'text'"},
	{HEAD "steps:\na y2\n", ":11: expected xN or @I/N after the process, got 'y2'"},
	{HEAD "steps:\na x0\n", ":11: 'a' takes no step"},
	{HEAD "steps:\na x10000001\n", ":11: expected a number"},
	{HEAD "steps:\na x9999999\na x9999999\n", ":12: more than 10000000 steps"},
	{HEAD "steps:\na x1 @3/3\n", ":11: expected I/N with I below N"},
	{HEAD "steps:\n+ fault 1/2\n", ":11: a choice inside a step, but no step before it"},
	{HEAD "steps:\na x1\n+ fault\n", ":12: expected '+ KIND I/N'"},
	{HEAD "steps:\na x1\n+ falt 1/2\n", ":12: unknown choice 'falt'"},
	{HEAD "steps:\na x1\nstop\nend\n", ":13: expected 'sum' after the last step"},
	{HEAD "steps:\na x1\nstop\nsum 0\nmore\n", ":14: something follows"},
	{HEAD "steps:\na \x1b[31m\n", ":11: expected xN or @I/N after the process, got '?[31m'"},
};

START_TEST(what_is_wrong_is_named_with_its_line)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(
		schedule_parse(wrong[_i].text, strlen(wrong[_i].text), "x.sched", &error));
	ck_assert_msg(strstr(error->message, wrong[_i].says) != NULL, "'%s' lacks '%s'",
		      error->message, wrong[_i].says);
}
END_TEST

START_TEST(a_line_has_a_limit)
{
	g_autofree char *many = g_strnfill(9000, 'a');
	g_autofree char *text = g_strconcat("slabsim schedule 1\nscenario ", many, "\n", NULL);
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(schedule_parse(text, strlen(text), "x", &error));
	ck_assert_ptr_nonnull(strstr(error->message, "x:2: the line is longer"));
}
END_TEST

/* Whatever is named on the command line, memory and time stay bounded. */
START_TEST(a_file_has_a_limit)
{
	static const char *const paths[] = {"/dev/zero", "/", "/nonexistent"};
	static const char *const says[] = {"larger than 16 MiB", "Is a directory", "No such file"};
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(schedule_read(paths[_i], &error));
	ck_assert_msg(strstr(error->message, says[_i]) != NULL, "%s", error->message);
	ck_assert_ptr_nonnull(strstr(error->message, paths[_i]));
}
END_TEST

/* ---- runs --------------------------------------------------------------------------------- */

/* Write it, read it, follow it: the same violation after the same steps. */
static void check_repeats(struct subject *s, const struct finding *f)
{
	const struct follow_options opt = {0};
	g_autoptr(GError) error = NULL;
	struct schedule *made = schedule_of(s, f, NULL, &error), *read;
	struct follow_result r;
	g_autofree char *text = NULL;

	ck_assert_msg(made != NULL, "%s", error ? error->message : "");
	ck_assert_uint_eq(made->nr_steps, f->nr_steps);
	made->version = made->scenario = made->script = made->digest = made->lifecycle = "x";
	text = written(made);
	read = parsed(text, strlen(text));
	schedule_follow(s, read, &opt, &r, &error);
	ck_assert_msg(error == NULL, "%s", error ? error->message : "");
	ck_assert_int_eq(r.end, FOLLOW_VIOLATED);
	ck_assert(schedule_leads_to(read, &r.violation));
	ck_assert_str_eq(r.violation.text, f->violation.text);
	ck_assert_uint_eq(r.violation.seq, f->violation.seq);
	ck_assert_uint_eq(r.nr_steps, f->nr_steps);
	ck_assert_uint_eq(r.preemptions, made->preemptions);
	ck_assert(r.at_end == f->at_end);
	schedule_free(made);
	schedule_free(read);
}

START_TEST(a_finding_repeats)
{
	static const char *const sets[] = {"bug=2", "n=3", "k=2", NULL};
	struct run *run = open_scenario(MODEL, NULL, sets);
	struct subject *s = session_subject(run);

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct explore_result result;

		check_repeats(s, find_failure(s, STRATEGY_RANDOM, seed, &result));
		explore_result_clear(&result);
	}
	session_close(run);
}
END_TEST

/* Choices inside steps have to come back too, and what shows only at the end. */
START_TEST(a_failing_allocation_repeats)
{
	static const char *const variants[] = {"none", "create-work-css-leak", NULL};
	struct run *run = open_scenario("scenarios/lifecycle/create_failure.lua", variants, NULL);
	struct subject *s = session_subject(run);
	struct explore_result result;
	const struct finding *f = find_failure(s, STRATEGY_PCT, 1, &result);
	bool any = false;

	ck_assert(f->at_end);
	for (guint i = 0; i < f->choices->len; i++) {
		const struct choice *c = &g_array_index(f->choices, struct choice, i);

		any |= c->kind == CHOOSE_FAULT && c->pick == 1;
	}
	ck_assert(any);
	check_repeats(s, f);
	explore_result_clear(&result);
	session_close(run);
}
END_TEST

static struct schedule *two_steps(const char *first, const char *second)
{
	struct schedule *s = schedule_new();

	add_run(s, first, 1);
	add_run(s, second, 1);
	return s;
}

static char *why_lost(const struct schedule *sched, bool lenient, struct follow_result *r)
{
	static const char *const sets[] = {"bug=0", NULL};
	const struct follow_options opt = {.lenient = lenient};
	struct run *run = open_scenario(MODEL, NULL, sets);
	g_autoptr(GError) error = NULL;
	char *why;

	schedule_follow(session_subject(run), sched, &opt, r, &error);
	why = g_strdup(error ? error->message : NULL);
	session_close(run);
	return why;
}

START_TEST(who_cannot_step_is_named)
{
	struct schedule *s = two_steps("offline", "nobody");
	struct follow_result r;
	g_autofree char *why = why_lost(s, false, &r);

	ck_assert_int_eq(r.end, FOLLOW_ERROR);
	ck_assert_msg(g_str_has_prefix(why, "the schedule cannot be followed at step 2: 'nobody' "
					    "cannot step; who can: alloc1, "),
		      "%s", why);
	schedule_free(s);
}
END_TEST

START_TEST(a_choice_that_does_not_come_up_is_noticed)
{
	struct schedule *s = two_steps("offline", "offline");
	struct follow_result r;
	g_autofree char *why = NULL;

	add_pick(s, CHOOSE_FAULT, 1, 2);
	why = why_lost(s, false, &r);
	ck_assert_int_eq(r.end, FOLLOW_ERROR);
	ck_assert_ptr_nonnull(strstr(why, "at step 2: it picks 1 times inside this step"));
	schedule_free(s);
}
END_TEST

START_TEST(a_schedule_may_end_before_the_run)
{
	struct schedule *s = two_steps("offline", "offline");
	struct follow_result r;
	g_autofree char *why = why_lost(s, false, &r);

	ck_assert_ptr_null(why);
	ck_assert_int_eq(r.end, FOLLOW_OVER);
	ck_assert_uint_eq(r.nr_steps, 2);
	schedule_free(s);
}
END_TEST

START_TEST(leniently_it_goes_on_to_the_end)
{
	struct schedule *s = two_steps("nobody", "offline");
	struct follow_result r;
	g_autofree char *why = NULL;

	why = why_lost(s, true, &r);
	ck_assert_ptr_null(why);
	ck_assert_int_eq(r.end, FOLLOW_QUIET);
	ck_assert_uint_eq(r.preemptions, 0);
	ck_assert_uint_gt(r.nr_steps, 10);
	schedule_free(s);
}
END_TEST

/* A finding whose choices are not those of the run must not become a schedule. */
START_TEST(what_does_not_repeat_is_no_schedule)
{
	static const char *const sets[] = {"bug=2", NULL};
	struct run *run = open_scenario(MODEL, NULL, sets);
	struct subject *s = session_subject(run);
	struct explore_result result;
	const struct finding *f = find_failure(s, STRATEGY_RANDOM, 1, &result);
	g_autoptr(GError) error = NULL;

	g_array_index(f->choices, struct choice, 0).who ^= 1;
	ck_assert_ptr_null(schedule_of(s, f, NULL, &error));
	ck_assert_ptr_nonnull(error);
	explore_result_clear(&result);
	session_close(run);
}
END_TEST

Suite *suite_schedule(void)
{
	Suite *s = suite_create("schedule");
	TCase *files = tcase_create("files"), *runs = tcase_create("runs");

	tcase_add_test(files, what_is_written_is_read_back);
	tcase_add_test(files, comments_and_blanks_are_free);
	tcase_add_test(files, every_beginning_is_refused);
	tcase_add_test(files, every_change_is_noticed);
	tcase_add_test(files, garbage_is_refused_in_order);
	tcase_add_loop_test(files, what_is_wrong_is_named_with_its_line, 0, G_N_ELEMENTS(wrong));
	tcase_add_test(files, a_line_has_a_limit);
	tcase_add_loop_test(files, a_file_has_a_limit, 0, 3);
	suite_add_tcase(s, files);
	tcase_add_test(runs, a_finding_repeats);
	tcase_add_test(runs, a_failing_allocation_repeats);
	tcase_add_test(runs, who_cannot_step_is_named);
	tcase_add_test(runs, a_choice_that_does_not_come_up_is_noticed);
	tcase_add_test(runs, a_schedule_may_end_before_the_run);
	tcase_add_test(runs, leniently_it_goes_on_to_the_end);
	tcase_add_test(runs, what_does_not_repeat_is_no_schedule);
	suite_add_tcase(s, runs);
	return s;
}
