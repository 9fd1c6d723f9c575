/* SPDX-License-Identifier: MIT */
/* What the files of lists share: list.c asks, plan.c chooses the index of each statement,
 * list_branches.c and list_conditions.c write it. */
#ifndef LISTS_LISTS_PRIVATE_H
#define LISTS_LISTS_PRIVATE_H

#include "lists/lists.h"
#include "store/state.h"

#define LIST_ARGS_MAX 64 /* as many as a driver takes */

/* An index: the account, a field, perhaps a second one, the id, and what it covers besides. For one
 * value of the field it is in the order of the second, else of the id. The indexes of
 * schema/0002_lists.sql, named once more. */
struct list_index {
	const char *name; /* NULL: the table's key */
	const char *field;
	const char *second;    /* NULL: the id comes next */
	const char *covers[3]; /* or NULL */
	const char *empty;     /* of a list: the index of the records whose list is empty */
};

struct list_plan {
	const struct sql_dialect *dialect;
	const struct record_type *type;
	int64_t account_id;
	const struct condition *conditions;
	size_t condition_count;
	const struct field *sort;
	bool descending;
	/* Whose conditions are looked up in an index. NULL: of the sort, when `ordered`; else
	 * nothing is. */
	const struct field *lead;
	const struct list_index *index; /* that index; NULL: a text index, or none */
	const struct field *second;     /* of it; or NULL */
	bool ordered;   /* that index gives the order; else what is found is sorted */
	bool lead_only; /* the other conditions are left out */
	const struct list_position *after; /* behind this; or NULL */
	const struct list_position *until; /* not behind this; or NULL */
};

/* One list being answered, on one connection, in one snapshot. */
struct list {
	struct store *store;
	struct db *db;
	enum record_kind kind;
	struct arena *arena;
	struct list_plan plan; /* what all its statements share */
	int64_t *ids;          /* the page, and one more where there is one */
	size_t id_count;
	size_t wanted; /* how many ids at most */
};

/* plan.c: reads the ids of the page, of one question whose sort has a value everywhere. */
enum err list_read_keys(struct list *list, uint64_t offset);
/* Counts what the conditions hold for; sort and position are of no more use afterwards. */
enum err list_count(struct list *list, int64_t *count_out);

/* A statement being written. Zeroed, it is ready for use. */
struct list_text {
	struct buf sql;
	struct db_value args[LIST_ARGS_MAX];
	size_t arg_count;
	bool failed; /* out of memory */
};

void list_text_release(struct list_text *text);

/* The keys in order: rows of the sort's value and the id; of the id alone where that is the
 * sort. `arena` is for arguments. */
void list_write_keys(const struct list_plan *plan, uint64_t offset, uint64_t limit,
		     struct arena *arena, struct list_text *text);
/* How many there are, counted up to `cap` where it is not 0. Order and positions do not count. */
void list_write_count(const struct list_plan *plan, uint64_t cap, struct arena *arena,
		      struct list_text *text);

/* Whether an index is looked up by the condition: the lead's, its second column's, or a bound of
 * the sort whose own index gives the order. */
bool list_is_looked_up(const struct list_plan *plan, const struct condition *condition);

/* While the values of a condition are so few, each has a branch of its own in the statement: then
 * the order of each is merged. */
#define LIST_BRANCHES_MAX 8
bool list_keeps_order(const struct condition *condition);

#endif
