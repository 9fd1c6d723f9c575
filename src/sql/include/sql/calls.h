/* SPDX-License-Identifier: MIT */
/* Statements to run in their order, gathered in an arena. */
#ifndef SQL_CALLS_H
#define SQL_CALLS_H

#include "base/arena.h"
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

/* The same with a copy of `args` in the arena. */
enum err calls_ask(struct calls *calls, const char *sql, const struct db_value *args,
		   size_t arg_count, db_row_fn *on_row, void *context);

/* For a statement of which only matters whether it finds a row: `context` is a bool, made true. */
enum err any_row(void *context, const struct db_value *values, size_t count);

#endif
