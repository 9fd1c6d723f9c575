/* SPDX-License-Identifier: MIT */
/* A list of statements to run in order. */
#include "sql/calls.h"

#include <string.h>

enum err calls_add(struct calls *calls, const char *sql, const struct db_value *args,
		   size_t arg_count, db_row_fn *on_row, void *context)
{
	if (calls->count == calls->room) {
		size_t room = calls->room ? calls->room * 2 : 16;
		struct db_call *list = arena_alloc(calls->arena, room * sizeof(*list));

		if (!list)
			return ERR_NOMEM;
		if (calls->count)
			memcpy(list, calls->list, calls->count * sizeof(*list));
		calls->list = list;
		calls->room = room;
	}
	calls->list[calls->count++] = (struct db_call){sql, args, arg_count, on_row, context};
	return OK;
}

enum err calls_add_copy(struct calls *calls, const char *sql, const struct db_value *args,
			size_t arg_count, db_row_fn *on_row, void *context)
{
	struct db_value *copy = arena_alloc(calls->arena, arg_count * sizeof(*args));

	if (!copy)
		return ERR_NOMEM;
	memcpy(copy, args, arg_count * sizeof(*args));
	return calls_add(calls, sql, copy, arg_count, on_row, context);
}

enum err any_row(void *context, const struct db_value *values, size_t count)
{
	(void)values;
	(void)count;
	*(bool *)context = true;
	return OK;
}
