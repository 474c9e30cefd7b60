/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_BASE_LIST_H
#define SIM_BASE_LIST_H

/*
 * Doubly linked intrusive lists.  A list is a head whose next and prev form a
 * ring; walking it always gives the order in which entries were added.
 */

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define list_for_each(pos, head)                                                                   \
	for (struct list *pos = (head)->next; pos != (head); pos = pos->next)

/* Safe against removal of @pos, not of its successor. */
#define list_for_each_safe(pos, nxt, head)                                                         \
	for (struct list *pos = (head)->next, *nxt = pos->next; pos != (head);                     \
	     pos = nxt, nxt = pos->next)

static inline void list_init(struct list *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_add_between(struct list *entry, struct list *prev, struct list *next)
{
	next->prev = entry;
	entry->next = next;
	entry->prev = prev;
	prev->next = entry;
}

/** list_add() - insert @entry right after @head */
static inline void list_add(struct list *entry, struct list *head)
{
	list_add_between(entry, head, head->next);
}

static inline void list_add_tail(struct list *entry, struct list *head)
{
	list_add_between(entry, head->prev, head);
}

/** list_del() - unlink @entry and leave it an empty list, so that deleting twice is harmless */
static inline void list_del(struct list *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
	list_init(entry);
}

static inline void list_move_tail(struct list *entry, struct list *head)
{
	list_del(entry);
	list_add_tail(entry, head);
}

/** list_splice_tail() - move all of @from to the end of @to; @from becomes empty */
static inline void list_splice_tail(struct list *from, struct list *to)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

/** list_pop() - unlink and return the first entry; NULL when empty */
static inline struct list *list_pop(struct list *head)
{
	struct list *first = head->next;

	if (first == head)
		return NULL;
	list_del(first);
	return first;
}

#endif /* SIM_BASE_LIST_H */
