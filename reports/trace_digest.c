// SPDX-License-Identifier: GPL-2.0-only
#include "reports/trace_digest.h"

#include <string.h>

/* Hexadecimal digits that are kept: 128 bits. */
#define DIGITS 32

static void add_u64(struct trace_digest *d, uint64_t v)
{
	guchar bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (guchar)(v >> 8 * i);
	g_checksum_update(d->sum, bytes, sizeof(bytes));
}

static void add_string(struct trace_digest *d, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	add_u64(d, s ? n + 1 : 0);
	g_checksum_update(d->sum, (const guchar *)(s ? s : ""), (gssize)n);
}

static void add_record(struct run_sink *sink, const struct trace_record *r)
{
	struct trace_digest *d = (struct trace_digest *)sink;

	if (r->kind == TR_ACCESS)
		return;
	add_u64(d, r->seq);
	add_u64(d, (uint64_t)r->t);
	add_u64(d, r->cause);
	add_u64(d, r->obj);
	for (int i = 0; i < TRACE_NR_ARGS; i++)
		add_u64(d, (uint64_t)r->arg[i]);
	add_u64(d, r->task);
	add_u64(d, (uint64_t)r->cpu << 16 | (uint64_t)r->ctx << 8 | r->via);
	/* By name: the numbers of kinds change when one is added. */
	add_string(d, trace_kinds[r->kind].name);
	add_string(d, r->str);
	for (const struct frame *f = r->stack; f; f = f->caller)
		add_string(d, f->func);
}

static void add_violation(struct run_sink *sink, const struct violation *v, unsigned int nr)
{
	struct trace_digest *d = (struct trace_digest *)sink;

	(void)nr;
	add_string(d, v->ops->name);
	add_u64(d, v->seq);
	add_u64(d, v->obj);
	for (size_t i = 0; i < G_N_ELEMENTS(v->related); i++)
		add_u64(d, v->related[i]);
	add_string(d, v->text);
}

void trace_digest_init(struct trace_digest *d)
{
	d->sink.begin = NULL;
	d->sink.record = add_record;
	d->sink.violation = add_violation;
	d->sum = g_checksum_new(G_CHECKSUM_SHA256);
}

char *trace_digest_end(struct trace_digest *d)
{
	char *digest = g_strndup(g_checksum_get_string(d->sum), DIGITS);

	g_clear_pointer(&d->sum, g_checksum_free);
	return digest;
}
