/* SPDX-License-Identifier: MIT */
/* Shared by the files of lists: list.c answers a list_read, plan.c chooses the index of each
 * statement, list_branches.c and list_conditions.c write the statement. tally.c and deep.c take
 * from the tallies what plan.c would have to walk for. */
#ifndef LISTS_LISTS_PRIVATE_H
#define LISTS_LISTS_PRIVATE_H

#include "lists/lists.h"
#include "store/state.h"

#define LIST_ARGS_MAX 64 /* the most that a driver takes */

/* An index of the schema: the account, a field, perhaps a second field, the id, and other columns
 * that it covers. For one value of the field, its rows are in the order of the second field or,
 * without one, of the id. */
struct list_index {
	const char *name; /* NULL: the table's key */
	const char *field;
	const char *second;    /* NULL: the id comes next */
	const char *covers[3]; /* or NULL */
	const char *empty;     /* for a list of ids: the index of the records whose list is empty */
};

struct list_plan {
	const struct sql_dialect *dialect;
	const struct record_type *type;
	int64_t account_id;
	const struct condition *conditions;
	size_t condition_count;
	const struct field *sort;
	bool descending;
	/* The index looks up the conditions of this field. NULL: with `ordered` it looks up the
	 * conditions of the sort field, without `ordered` none. */
	const struct field *lead;
	const struct list_index *index; /* NULL: a text index, or none */
	const struct field *second;     /* the second field of the index; or NULL */
	bool ordered;                   /* the index gives the order; else the database sorts */
	bool lead_only; /* the statement has only the conditions that the index looks up */
	bool pending;   /* some titles of the account wait for the text index */
	const struct list_position *after; /* only records after this; or NULL */
	const struct list_position *until; /* only records up to this; or NULL */
	struct slice among;                /* only records of this set (bits.h); ptr NULL: all */
	bool repeats;                      /* a record may be found several times */
};

/* A list_read that is running, on one connection, in one snapshot. */
struct list {
	struct store *store;
	struct db *db;
	enum record_kind kind;
	struct arena *arena;
	struct list_plan plan; /* the parts that all its statements share */
	int64_t *ids;          /* the ids of the page, and of one more record */
	size_t id_count;
	size_t wanted; /* how many ids at most */
	uint64_t seen; /* of the read */
	/* For each id of the page, what the cache of records has; NULL: the record is read. */
	struct cached_record **cached;
	size_t count;
};

/* indexes.c: the index of a field and a second field, which may be NULL. NULL: there is none. */
const struct list_index *list_find_index(enum record_kind kind, const struct field *field,
					 const struct field *second);
/* Whether the field has the name. Both may be NULL. */
bool list_field_is_called(const struct field *field, const char *name);

/* plan.c: reads the ids of the page. The sort field must not be NULL in any record that matches. */
enum err list_read_keys(struct list *list, uint64_t offset);
/* deep.c: the same, faster if many records come before the page. */
enum err list_read_deep(struct list *list, uint64_t offset);
/* Counts the records for which the conditions hold. It overwrites the sort and the position. */
enum err list_count(struct list *list, int64_t *count_out);

/* A statement that is being written. Zeroed, it is ready for use. */
struct list_text {
	struct buf sql;
	struct db_value args[LIST_ARGS_MAX];
	size_t arg_count;
	bool failed; /* out of memory */
};

void list_text_release(struct list_text *text);

/* Writes the statement that reads keys in order. Its rows have the value of the sort field and the
 * id, or only the id if that is the sort field. `arena` is for arguments. */
void list_write_keys(const struct list_plan *plan, uint64_t offset, uint64_t limit,
		     struct arena *arena, struct list_text *text);
/* Writes the statement that counts keys, up to `cap`; 0: all. It ignores order and positions. */
void list_write_count(const struct list_plan *plan, uint64_t cap, struct arena *arena,
		      struct list_text *text);

/* Writes the statement that makes a set of ids (bits.h). It ignores order and positions. */
void list_write_bits(const struct list_plan *plan, struct arena *arena, struct list_text *text);
/* Runs the statement and releases it. */
enum err list_run_text(struct list *list, struct list_text *text, db_row_fn *on_row, void *context);
/* Counts the keys of a plan, up to `cap`; 0: all. */
enum err list_count_by(struct list *list, const struct list_plan *plan, uint64_t cap,
		       int64_t *count_out);

/* Whether the index of the plan looks up the condition. It does so for conditions of the lead and
 * of the second field, and for bounds of the sort field if the index gives the order. */
bool list_is_looked_up(const struct list_plan *plan, const struct condition *condition);

/* A condition with at most so many values gets a branch for each value. The database then merges
 * the branches in order. */
#define LIST_BRANCHES_MAX 8
bool list_keeps_order(const struct condition *condition);
bool list_is_id(const struct field *field);

#endif
