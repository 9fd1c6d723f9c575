/* SPDX-License-Identifier: MIT */
/* A list of statements to run in order. It is kept in an arena.
 *
 *	err = calls_ask(calls, "SELECT name FROM staff WHERE account_id = $1 AND id = $2",
 *			name_row, &reader, DB_INT_VALUE(account_id), DB_INT_VALUE(id)); */
#ifndef SQL_CALLS_H
#define SQL_CALLS_H

#include "base/arena.h"
#include "base/array.h"
#include "db/db.h"

struct calls {
	struct arena *arena;
	struct db_call *list;
	size_t count;
	size_t room;
};

/* `args` must live until the calls were run. */
enum err calls_add(struct calls *calls, const char *sql, const struct db_value *args,
		   size_t arg_count, db_row_fn *on_row, void *context);

/* The same with a copy of `args` in the arena of `calls`. The texts and bytes in them are not
 * copied, and must live until the calls were run. */
enum err calls_add_copy(struct calls *calls, const char *sql, const struct db_value *args,
			size_t arg_count, db_row_fn *on_row, void *context);

/* The same with each argument written out as a struct db_value. There must be at least one. */
#define calls_ask(calls, sql, on_row, context, ...)                        \
	calls_add_copy(calls, sql, (const struct db_value[]){__VA_ARGS__}, \
		       COUNT_OF(((const struct db_value[]){__VA_ARGS__})), on_row, context)

/* An on_row for statements that only ask whether there is a row: sets the bool `context` to
 * true. */
enum err any_row(void *context, const struct db_value *values, size_t count);

#endif
