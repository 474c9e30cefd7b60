// SPDX-License-Identifier: GPL-2.0-only
/*
 * A trace.dat file, version 6 (trace-cmd.dat.v6(5)): what trace-cmd record would
 * have written if each kind of event were a tracepoint of the system "memcgslab".
 *
 * First the headers, with a format for each kind of event that occurs, then the
 * pages of each CPU's ring buffer.  A record is what the kernel would have put
 * there; all its texts stand behind the fields, which say where.
 *
 * Between them stand sched_switch events, which the trace has none of: KernelShark
 * takes a CPU to be busy with whoever it saw there last until one says otherwise.
 */
#include "reports/bytes.h"
#include "reports/export.h"

#define PAGE_SIZE 4096
#define PAGE_HEADER 16
#define FIRST_ID 500 /* of an event; the kernel's own have lower ones */
#define SWITCH_ID 499
#define COMM_MAX 15 /* as TASK_COMM_LEN leaves */
#define TEXT_MAX 200
#define STACK_MAX 800
#define NR_TEXTS_MAX (TRACE_NR_ARGS + 3)
#define NR_ON_CPU_MAX 3 /* a task, softirqs, a hard interrupt */

#define TYPE_TIME_EXTEND 30
#define DELTA_BITS 27
#define SMALL_RECORD_MAX 112
#define FLAG_HARDIRQ 0x08
#define FLAG_SOFTIRQ 0x10

static const char header_page[] = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
				  "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
				  "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
				  "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";

static const char header_event[] = "# compressed entry header\n"
				   "\ttype_len    :    5 bits\n"
				   "\ttime_delta  :   27 bits\n"
				   "\tarray       :   32 bits\n\n"
				   "\tpadding     : type == 29\n"
				   "\ttime_extend : type == 30\n"
				   "\ttime_stamp : type == 31\n"
				   "\tdata max type_len  == 28\n";

#define COMMON_FIELDS                                                                              \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"             \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

static const char common_fields[] = COMMON_FIELDS
	"\tfield:unsigned long long seq;\toffset:8;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned long long cause;\toffset:16;\tsize:8;\tsigned:0;\n";
#define FIELDS_OFFSET 24

/* ---- headers ------------------------------------------------------------- */

static bool is_number(char type)
{
	return type == 'n' || type == 'b';
}

static void put_text_field(struct output *o, const char *name, int *offset)
{
	output_printf(o, "\tfield:__data_loc char[] %s;\toffset:%d;\tsize:4;\tsigned:0;\n", name,
		      *offset);
	*offset += 4;
}

/* Fields stand as put_record() writes them: numbers first, then where the texts are. */
static void put_fields(struct output *o, const struct trace_kind_info *info)
{
	int offset = FIELDS_OFFSET;

	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		if (!is_number(info->arg[i][0]))
			continue;
		output_printf(o, "\tfield:long long %s;\toffset:%d;\tsize:8;\tsigned:1;\n",
			      info->arg[i] + 2, offset);
		offset += 8;
	}
	put_text_field(o, "obj", &offset);
	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		if (info->arg[i][0] && !is_number(info->arg[i][0]))
			put_text_field(o, info->arg[i] + 2, &offset);
	}
	put_text_field(o, "via", &offset);
	put_text_field(o, "stack", &offset);
}

static void put_print_format(struct output *o, const struct trace_kind_info *info)
{
	output_str(o, "\nprint fmt: \"seq=%llu obj=%s");
	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		if (info->arg[i][0])
			output_printf(o, " %s=%s", info->arg[i] + 2,
				      is_number(info->arg[i][0]) ? "%lld" : "%s");
	}
	output_str(o, " cause=%llu via=%s stack=%s\", REC->seq, __get_str(obj)");
	for (int i = 0; i < TRACE_NR_ARGS; i++) {
		if (info->arg[i][0])
			output_printf(o,
				      is_number(info->arg[i][0]) ? ", REC->%s" : ", __get_str(%s)",
				      info->arg[i] + 2);
	}
	output_str(o, ", REC->cause, __get_str(via), __get_str(stack)\n");
}

static void put_sized(struct output *o, const char *s, size_t n)
{
	put_le(o, n, 8);
	output_bytes(o, s, n);
}

static void put_event_format(struct output *o, int id, int kind)
{
	const struct trace_kind_info *info = &trace_kinds[kind];
	struct output *text = output_memory();

	output_printf(text, "name: %s\nID: %d\nformat:\n%s", info->name, FIRST_ID + id,
		      common_fields);
	put_fields(text, info);
	put_print_format(text, info);
	put_sized(o, text->buf, text->len);
	output_discard(text);
}

/* The fields that readers know it by; all contexts have the same priority. */
static void put_switch_format(struct output *o)
{
	static const char text[] = "name: sched_switch\nID: " G_STRINGIFY(
		SWITCH_ID) "\nformat:\n" COMMON_FIELDS
			   "\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
			   "\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
			   "\tfield:int prev_prio;\toffset:28;\tsize:4;\tsigned:1;\n"
			   "\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;\n"
			   "\tfield:char next_comm[16];\toffset:40;\tsize:16;\tsigned:0;\n"
			   "\tfield:pid_t next_pid;\toffset:56;\tsize:4;\tsigned:1;\n"
			   "\tfield:int next_prio;\toffset:60;\tsize:4;\tsigned:1;\n"
			   "\nprint fmt: \"%s:%d ==> %s:%d\", "
			   "REC->prev_comm, REC->prev_pid, REC->next_comm, REC->next_pid\n";

	put_zstring(o, "sched");
	put_le(o, 1, 4);
	put_sized(o, text, sizeof(text) - 1);
}

static void put_event_formats(struct output *o, const struct trace_file *tf)
{
	struct export_kinds kinds;

	export_kinds(tf, &kinds);
	put_le(o, 2, 4);
	put_switch_format(o);
	put_zstring(o, "memcgslab");
	put_le(o, (uint64_t)kinds.nr, 4);
	for (int id = 0; id < kinds.nr; id++)
		put_event_format(o, id, kinds.kind[id]);
}

/* "pid name" lines, where a name has no blank: the readers split there. */
static void put_comms(struct output *o, const struct trace_file *tf)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	struct output *text = output_memory();

	for (guint i = 0; i < tf->events->len; i++) {
		const struct trace_record *r = event_at(tf, i);

		if (!g_hash_table_add(seen, GUINT_TO_POINTER(r->task)))
			continue;
		output_printf(text, "%u ", r->task);
		clean_text(text, export_comm(tf, r), COMM_MAX);
		output_char(text, '\n');
	}
	put_sized(o, text->buf, text->len);
	output_discard(text);
}

static void put_headers(struct output *o, const struct trace_file *tf)
{
	static const char kallsyms[] = "ffffffff81000000 T _text\n";

	output_bytes(o, "\x17\x08\x44tracing", 10);
	put_zstring(o, "6");
	put_le(o, 0, 1); /* little-endian */
	put_le(o, 8, 1); /* size of a long */
	put_le(o, PAGE_SIZE, 4);
	put_zstring(o, "header_page");
	put_sized(o, header_page, strlen(header_page));
	put_zstring(o, "header_event");
	put_sized(o, header_event, strlen(header_event));
	put_le(o, 0, 4); /* no formats of ftrace's own */
	put_event_formats(o, tf);
	put_le(o, strlen(kallsyms), 4);
	output_str(o, kallsyms);
	put_le(o, 0, 4); /* no formats of trace_printk() */
	put_comms(o, tf);
}

/* ---- pages --------------------------------------------------------------- */

struct ring {
	struct output *pages; /* whole ones */
	struct output *page;  /* records of the one that is being filled */
	struct output *record, *texts;
	struct export_kinds kinds;
	uint64_t base, last; /* time of the page's first record, and of its last */
	/* The last event of whoever is on the CPU; outermost first, interrupts on top. */
	const struct trace_record *on[NR_ON_CPU_MAX];
	int nr_on;
};

static void end_page(struct ring *ring)
{
	if (ring->page->len == 0)
		return;
	put_le(ring->pages, ring->base, 8);
	put_le(ring->pages, ring->page->len, 8);
	output_bytes(ring->pages, ring->page->buf, ring->page->len);
	output_pad(ring->pages, 0, PAGE_SIZE - PAGE_HEADER - (int)ring->page->len);
	ring->page->len = 0;
}

/* Where a text is: its length and its offset in the record, which end at @fields_end. */
static void put_text(struct ring *ring, size_t fields_end, const char *text)
{
	size_t from = ring->texts->len;

	clean_text(ring->texts, text, TEXT_MAX);
	output_char(ring->texts, 0);
	put_le(ring->record, (ring->texts->len - from) << 16 | (fields_end + from), 4);
}

static void put_stack(struct ring *ring, size_t fields_end, const struct frame *stack)
{
	size_t from = ring->texts->len;

	if (stack)
		stack_text(ring->texts, stack, STACK_MAX);
	else
		output_char(ring->texts, '-');
	output_char(ring->texts, 0);
	put_le(ring->record, (ring->texts->len - from) << 16 | (fields_end + from), 4);
}

/* What every event begins with. */
static void put_common(struct output *o, const struct trace_record *r, int id)
{
	put_le(o, (uint64_t)id, 2);
	put_le(o,
	       r->ctx == CTX_SOFTIRQ   ? FLAG_SOFTIRQ
	       : r->ctx == CTX_HARDIRQ ? FLAG_HARDIRQ
				       : 0,
	       1);
	put_le(o, 0, 1);
	put_le(o, r->task, 4);
}

/* Fills ring->record. */
static void put_record(struct ring *ring, const struct trace_record *r)
{
	struct event_field fields[TRACE_NR_ARGS];
	int n = event_fields(r, fields), nr_numbers = 0;
	size_t fields_end;
	char buf[32];

	ring->record->len = ring->texts->len = 0;
	put_common(ring->record, r, FIRST_ID + ring->kinds.number[r->kind]);
	put_le(ring->record, r->seq, 8);
	put_le(ring->record, r->cause, 8);
	for (int i = 0; i < n; i++) {
		if (!is_number(fields[i].type))
			continue;
		put_le(ring->record, (uint64_t)fields[i].number, 8);
		nr_numbers++;
	}
	fields_end = FIELDS_OFFSET + (size_t)nr_numbers * 8 + (size_t)(n - nr_numbers + 3) * 4;
	put_text(ring, fields_end, oid_text(r->obj, buf));
	for (int i = 0; i < n; i++) {
		if (!is_number(fields[i].type))
			put_text(ring, fields_end, fields[i].text);
	}
	put_text(ring, fields_end, r->cause != 0 ? via_name((enum via)r->via) : "-");
	put_stack(ring, fields_end, r->stack);
	output_bytes(ring->record, ring->texts->buf, ring->texts->len);
	while (ring->record->len % 4 != 0)
		output_char(ring->record, 0);
}

/* Appends ring->record, in a new page if it does not fit. */
static void add_record(struct ring *ring, uint64_t t)
{
	size_t len = ring->record->len;
	bool small = len <= SMALL_RECORD_MAX;
	uint64_t delta;

	if (ring->page->len + 8 + 8 + len > PAGE_SIZE - PAGE_HEADER)
		end_page(ring);
	/* KernelShark merges the CPUs by time, where 0 is "none yet": it would mix up the order. */
	t = MAX(MAX(t, 1), ring->last);
	if (ring->page->len == 0)
		ring->base = ring->last = t;
	delta = t - ring->last;
	ring->last = t;
	if (delta >> DELTA_BITS != 0) {
		uint64_t low = delta & ((1u << DELTA_BITS) - 1);

		put_le(ring->page, TYPE_TIME_EXTEND | low << 5, 4);
		put_le(ring->page, delta >> DELTA_BITS, 4);
		delta = 0;
	}
	/* A long record has type 0, and its length, which counts itself, in a word of its own. */
	put_le(ring->page, (small ? len / 4 : 0) | delta << 5, 4);
	if (!small)
		put_le(ring->page, len + 4, 4);
	output_bytes(ring->page, ring->record->buf, len);
}

/* ---- who is on the CPU ---------------------------------------------------- */

static bool is_interrupt(const struct trace_record *r)
{
	return r->ctx == CTX_SOFTIRQ || r->ctx == CTX_HARDIRQ;
}

static const struct trace_record *running(const struct ring *ring)
{
	return ring->nr_on > 0 ? ring->on[ring->nr_on - 1] : NULL;
}

static void put_switch_side(struct ring *ring, const struct trace_file *tf,
			    const struct trace_record *r)
{
	struct output *comm = ring->texts;

	comm->len = 0;
	clean_text(comm, r ? export_comm(tf, r) : "swapper", COMM_MAX);
	output_pad(comm, 0, 16 - (int)comm->len);
	output_bytes(ring->record, comm->buf, comm->len);
	put_le(ring->record, r ? r->task : 0, 4);
	put_le(ring->record, 120, 4);
}

/* As sched_switch has it: 0 is runnable, 1 asleep, 16 dead. */
static uint64_t left_as(const struct trace_record *r)
{
	return !r ? 0 : r->kind == TR_TASK_BLOCK ? 1 : r->kind == TR_TASK_EXIT ? 16 : 0;
}

/* From one context to another, where NULL is the idle task. */
static void put_switch(struct ring *ring, const struct trace_file *tf,
		       const struct trace_record *prev, const struct trace_record *next, uint64_t t)
{
	static const struct trace_record idle;

	ring->record->len = 0;
	put_common(ring->record, prev ? prev : &idle, SWITCH_ID);
	put_switch_side(ring, tf, prev);
	put_le(ring->record, left_as(prev), 8);
	put_switch_side(ring, tf, next);
	add_record(ring, t);
}

/* An interrupt goes on top of what the CPU ran, a task takes its place. */
static void enter(struct ring *ring, const struct trace_file *tf, const struct trace_record *r,
		  uint64_t t)
{
	const struct trace_record *now = running(ring);

	if (r->task == 0)
		return;
	if (!now || now->task != r->task) {
		put_switch(ring, tf, now, r, t);
		if (!is_interrupt(r))
			ring->nr_on = 0;
		else if (ring->nr_on == NR_ON_CPU_MAX)
			ring->nr_on--;
		ring->nr_on++;
	}
	ring->on[ring->nr_on - 1] = r;
}

static bool leaves(const struct trace_record *r)
{
	return r->kind == TR_TASK_BLOCK || r->kind == TR_TASK_EXIT || r->kind == TR_SOFTIRQ_EXIT ||
	       r->kind == TR_IRQ_EXIT;
}

/* A task that is preempted is left by what comes next on this CPU. */
static void leave(struct ring *ring, const struct trace_file *tf, const struct trace_record *r,
		  uint64_t t)
{
	if (r->task == 0 || !leaves(r))
		return;
	ring->nr_on--;
	put_switch(ring, tf, r, running(ring), t);
}

/* The ring buffer of @cpu; the caller's. */
static struct output *ring_of(const struct trace_file *tf, unsigned int cpu)
{
	struct ring ring = {
		.pages = output_memory(),
		.page = output_memory(),
		.record = output_memory(),
		.texts = output_memory(),
	};

	export_kinds(tf, &ring.kinds);
	for (guint i = 0; i < tf->events->len; i++) {
		const struct trace_record *r = event_at(tf, i);
		uint64_t t;

		if (r->cpu != cpu)
			continue;
		t = (uint64_t)r->t * (tf->untimed ? 1000 : 1);
		enter(&ring, tf, r, t);
		put_record(&ring, r);
		add_record(&ring, t);
		leave(&ring, tf, r, t);
	}
	end_page(&ring);
	output_discard(ring.page);
	output_discard(ring.record);
	output_discard(ring.texts);
	return ring.pages;
}

void export_trace_dat(const struct trace_file *tf, struct output *o)
{
	unsigned int nr_cpus = export_nr_cpus(tf);
	struct output *head = output_memory(), *rings[EXPORT_CPUS_MAX];
	size_t offset;

	put_headers(head, tf);
	put_le(head, nr_cpus, 4);
	put_zstring(head, "options  ");
	put_le(head, 0, 2);
	put_zstring(head, "flyrecord");
	offset = head->len + (size_t)nr_cpus * 16;
	offset += (PAGE_SIZE - offset % PAGE_SIZE) % PAGE_SIZE;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		rings[cpu] = ring_of(tf, cpu);
		put_le(head, offset, 8);
		put_le(head, rings[cpu]->len, 8);
		offset += rings[cpu]->len;
	}
	output_pad(head, 0, (int)((PAGE_SIZE - head->len % PAGE_SIZE) % PAGE_SIZE));
	output_bytes(o, head->buf, head->len);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		output_bytes(o, rings[cpu]->buf, rings[cpu]->len);
		output_discard(rings[cpu]);
	}
	output_discard(head);
}
