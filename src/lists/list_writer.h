/* SPDX-License-Identifier: MIT */
/* Shared by list_branches.c and list_conditions.c, which write a statement. In it `t` is the
 * record's table, `u` the table behind a list of ids, `f` a text index, and `p` its notes. */
#ifndef LISTS_LIST_WRITER_H
#define LISTS_LIST_WRITER_H

#include "lists_private.h"

enum source {
	SOURCE_RECORD,  /* only t */
	SOURCE_LINK,    /* u, joined with t if needed */
	SOURCE_TEXT,    /* f, joined with t if needed */
	SOURCE_PENDING, /* p, joined with t if needed */
};

/* One part of a UNION ALL: the lead's condition with one of its values, with all of them, or for
 * records without a value. */
struct branch {
	const struct condition *condition; /* NULL: the branch looks nothing up */
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
	bool joined; /* u, f or p must be joined with t */
	/* The numbers of each condition's arguments; 0: not added yet. set_args: its values.
	 * value_args: its bound or text, then its phrase. */
	int set_args[64];
	int value_args[64][2];
};

/* Adds an argument to the statement. Returns its number: 1 for $1. */
int list_add_arg(struct list_writer *w, struct db_value value);
/* Adds an argument that all branches share, once. *arg is its number; 0: not added yet. */
int list_keep_arg(int *arg, struct list_writer *w, struct db_value value);

/* The index of a condition in the plan's conditions. */
size_t list_condition_number(const struct list_writer *w, const struct condition *condition);
/* The link of a branch with SOURCE_LINK. */
const struct field_link *list_branch_link(const struct list_writer *w);

/* Adds the column of a field, from u, f or p if they have it, else from t. */
void list_add_column(struct list_writer *w, const struct field *field, struct buf *out);
/* Adds " IN …", with the values of the condition. */
void list_add_among(struct list_writer *w, const struct condition *condition, struct buf *out);

/* These three add to w->where. */
void list_add_and(struct list_writer *w);
void list_add_condition(struct list_writer *w, const struct condition *condition);
/* The record has no value. */
void list_add_none(struct list_writer *w, const struct condition *condition);

#endif
