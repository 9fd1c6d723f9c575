/* SPDX-License-Identifier: MIT */
/* Sets of ids (db/sqlite_bits.h), by which docket finds the records that several indexes find. */
#ifndef LISTS_BITS_H
#define LISTS_BITS_H

#include "lists_private.h"

/* Zeroed, it has all ids. A set may have some MiB, so it does not live as long as the request. */
struct bits {
	struct db_bits *parts; /* NULL: all ids */
	size_t count;
};

void bits_release(struct bits *bits);

/* Keeps the ids of the records for which the lead's conditions of `plan` hold. */
enum err bits_keep(struct list *list, const struct list_plan *plan, struct bits *bits);
int64_t bits_count(const struct bits *bits);
/* Appends the ids of a page to those of the list, whose sort must be the id: those after the
 * position of its plan, without the first `offset`. */
void bits_take(const struct bits *bits, uint64_t offset, struct list *list);
/* Copies all ids of a set that bits_keep() has made. NULL: out of memory. */
int64_t *bits_ids(const struct bits *bits, int64_t count, struct arena *arena);

#endif
