// SPDX-License-Identifier: GPL-2.0-only
#include "sim/explore/parallel/checkpoint.h"

#include "sim/explore/livelock.h"
#include "sim/explore/parallel/again.h"
#include "sim/explore/read_file.h"

#define BEGINS "slabsim checkpoint "
#define MAGIC BEGINS "2\n"
/* What a GByteArray takes, with room for what is read beyond it. */
#define CHECKPOINT_BYTES_MAX ((size_t)UINT32_MAX - (1 << 18))
/* A thousand years. */
#define SECONDS_MAX 3e10
#define STATE_LINE "state "
/* SHA-256 in hexadecimal, and the end of the line. */
#define SUM_SIZE 65

G_DEFINE_QUARK(slabsim - checkpoint - error - quark, checkpoint_error)

/* ---- the state of an exploration ------------------------------------------------------------- */

/* How a machine lays these out; another one cannot read them. */
static uint64_t layout(void)
{
	return sizeof(struct explore_stats) * 65536 + sizeof(struct choice) * 256 + 1;
}

static void put_finding(GByteArray *b, const struct finding *f)
{
	put_array(b, f->choices);
	put_u64(b, f->run);
	put_bytes(b, &f->seconds, sizeof(f->seconds));
	put_u64(b, f->nr_steps);
	put_u64(b, f->at_end);
}

/* What state_write() writes, but for a few bytes. */
static size_t state_size(const struct driver *d)
{
	const GPtrArray *findings = d->result->findings;
	size_t size = sizeof(d->result->stats) + d->rest->len;

	for (guint i = 0; i < findings->len; i++)
		size += ((struct finding *)g_ptr_array_index(findings, i))->choices->len *
			sizeof(struct choice);
	return size;
}

GByteArray *state_write(const struct driver *d)
{
	const struct explore_result *r = d->result;
	GByteArray *b;

	if (state_size(d) > driver_max_rest(d))
		return NULL;
	b = g_byte_array_new();
	put_u64(b, layout());
	put_bytes(b, &r->stats, sizeof(r->stats));
	put_u64(b, r->bound_done);
	put_u64(b, r->bound_cut);
	put_u64(b, r->findings->len);
	for (guint i = 0; i < r->findings->len; i++)
		put_finding(b, g_ptr_array_index(r->findings, i));
	put_bytes(b, d->rest->data, d->rest->len);
	return b;
}

/* Does @f come back?  Its violation is then known. */
static bool make_again(struct exec *x, struct finding *f)
{
	struct again a;

	again_begin(&a, x, f->choices);
	while (x->choices->len < f->choices->len) {
		if (!again_step(&a))
			return false;
	}
	if (x->choices->len > f->choices->len || x->nr_steps != f->nr_steps)
		return false;
	if (f->at_end)
		(void)run_end(x);
	if (!exec_violated(x))
		return false;
	f->violation = *exec_violation(x);
	return true;
}

static bool read_finding(struct driver *d, struct reader *r)
{
	struct finding *f = g_new0(struct finding, 1);

	f->choices = g_array_new(FALSE, FALSE, sizeof(struct choice));
	take_array(r, f->choices);
	f->run = take_u64(r);
	take_bytes(r, &f->seconds, sizeof(f->seconds));
	f->nr_steps = (uint32_t)take_u64(r);
	f->at_end = take_u64(r) != 0;
	g_ptr_array_add(d->result->findings, f);
	return r->ok && f->seconds >= 0 && make_again(d->x, f);
}

/* What is looked up in a table, or converted, has to be in its range. */
static bool stats_make_sense(const struct explore_stats *s)
{
	return s->strategy < NR_STRATEGIES && s->stage < NR_AUTO_STAGES && s->seconds >= 0 &&
	       s->seconds <= SECONDS_MAX && s->share <= 1;
}

bool state_read(struct driver *d, struct reader *r)
{
	struct explore_result *result = d->result;
	uint64_t nr;

	if (take_u64(r) != layout())
		return false;
	take_bytes(r, &result->stats, sizeof(result->stats));
	if (!stats_make_sense(&result->stats))
		return false;
	result->bound_done = (uint32_t)take_u64(r);
	result->bound_cut = take_u64(r) != 0;
	nr = take_u64(r);
	for (uint64_t i = 0; i < nr; i++) {
		if (!read_finding(d, r))
			return false;
	}
	d->start -= (gint64)(result->stats.seconds * 1e6);
	return r->ok;
}

/* ---- the file -------------------------------------------------------------------------------- */

GByteArray *checkpoint_format(const char *about, const GByteArray *state)
{
	GByteArray *file = g_byte_array_new();
	g_autofree char *line = g_strdup_printf(STATE_LINE "%u\n", state->len);
	g_autofree char *sum = NULL;

	put_bytes(file, MAGIC, strlen(MAGIC));
	put_bytes(file, about, strlen(about));
	put_bytes(file, line, strlen(line));
	put_bytes(file, state->data, state->len);
	sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, file->data, file->len);
	put_bytes(file, sum, strlen(sum));
	put_bytes(file, "\n", 1);
	return file;
}

char *checkpoint_read(const char *path, size_t *size, GError **error)
{
	static const struct file_kind kind = {
		.what = "checkpoint",
		.begins = BEGINS,
		.max = CHECKPOINT_BYTES_MAX,
	};

	return read_file(path, &kind, size, error);
}

static bool sum_is_right(const char *data, size_t size)
{
	g_autofree char *sum = NULL;

	if (size < SUM_SIZE)
		return false;
	sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)data, size - SUM_SIZE);
	return memcmp(data + size - SUM_SIZE, sum, SUM_SIZE - 1) == 0 && data[size - 1] == '\n';
}

static GByteArray *refuse(GError **error, const char *why)
{
	g_set_error_literal(error, CHECKPOINT_ERROR, 0, why);
	return NULL;
}

/* Name the first line in which the two differ. */
static bool is_about(char **lines, const char *about, GError **error)
{
	g_auto(GStrv) ours = g_strsplit(about, "\n", -1);
	guint i;

	for (i = 0; ours[i] && ours[i][0]; i++) {
		size_t word = strcspn(ours[i], " ");

		if (lines[i] && strcmp(lines[i], ours[i]) == 0)
			continue;
		if (lines[i] && strncmp(lines[i], ours[i], word) == 0 && lines[i][word] == ' ')
			g_set_error(error, CHECKPOINT_ERROR, 0,
				    "it differs in '%.*s': '%s', and here it is '%s'", (int)word,
				    ours[i], lines[i] + word + 1,
				    ours[i][word] ? ours[i] + word + 1 : "");
		else
			g_set_error(error, CHECKPOINT_ERROR, 0,
				    "it does not say what %.*s it was made with", (int)word,
				    ours[i]);
		return false;
	}
	return true;
}

GByteArray *checkpoint_parse(const char *data, size_t size, const char *about, GError **error)
{
	g_autofree char *head = NULL;
	g_auto(GStrv) lines = NULL;
	const char *state;
	GByteArray *bytes;

	if (size < strlen(MAGIC) || strncmp(data, BEGINS, strlen(BEGINS)) != 0)
		return refuse(error, "it is not a checkpoint");
	if (strncmp(data, MAGIC, strlen(MAGIC)) != 0)
		return refuse(error, "its format is not version 2, the only one that is known");
	if (!sum_is_right(data, size))
		return refuse(error, "it is incomplete or was edited: the sum is wrong");
	state = g_strstr_len(data, (gssize)size, "\n" STATE_LINE);
	if (!state)
		return refuse(error, "it has no state");
	head = g_strndup(data + strlen(MAGIC), (size_t)(state + 1 - data) - strlen(MAGIC));
	lines = g_strsplit(head, "\n", -1);
	if (!is_about(lines, about, error))
		return NULL;
	state = memchr(state + 1, '\n', size - (size_t)(state + 1 - data));
	bytes = g_byte_array_new();
	put_bytes(bytes, state + 1, size - SUM_SIZE - (size_t)(state + 1 - data));
	return bytes;
}
