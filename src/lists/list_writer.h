/* SPDX-License-Identifier: MIT */
/* What list_branches.c and list_conditions.c share to write a statement. In it `t` is the record,
 * `u` the table behind a list of ids and `f` a text index. */
#ifndef LISTS_LIST_WRITER_H
#define LISTS_LIST_WRITER_H

#include "lists_private.h"

enum source {
	SOURCE_RECORD, /* t alone */
	SOURCE_LINK,   /* u, and t where it is needed */
	SOURCE_TEXT,   /* f, and t where it is needed */
};

/* One part of a UNION ALL: the lead's condition with one value, with all, or with none. */
struct branch {
	const struct condition *condition; /* NULL: there is nothing to look up */
	const int64_t *value;
	enum source source;
	bool set, none;
};

struct list_writer {
	const struct list_plan *plan;
	struct arena *arena;
	struct list_text *text;
	struct branch branch;
	struct buf where;
	bool joined;           /* t is needed beside u or f */
	int set_args[64];      /* by condition: the number of its argument, or 0 */
	int value_args[64][2]; /* bound, or the one value; and the phrase */
};

/* Adds an argument to the statement; its number, for $1. */
int list_add_arg(struct list_writer *w, struct db_value value);
/* The same once for all branches: *arg is its number, or 0 before the first. */
int list_keep_arg(int *arg, struct list_writer *w, struct db_value value);

/* Which of the plan's conditions it is. */
size_t list_condition_number(const struct list_writer *w, const struct condition *condition);
bool list_is_id(const struct field *field);
/* Of a branch of SOURCE_LINK. */
const struct field_link *list_branch_link(const struct list_writer *w);

/* Adds the column of a field, from the source that has it. */
void list_add_column(struct list_writer *w, const struct field *field, struct buf *out);
/* " IN …", the values of the condition. */
void list_add_among(struct list_writer *w, const struct condition *condition, struct buf *out);

/* These three add to w->where. */
void list_add_and(struct list_writer *w);
void list_add_condition(struct list_writer *w, const struct condition *condition);
/* That the record has no value. */
void list_add_none(struct list_writer *w, const struct condition *condition);

#endif
