/* SPDX-License-Identifier: MIT */
/* docket_fold(text): folds a text as base/text.h does. Migrations call it for the records that are
 * in the database already. */
#include "base/text.h"
#include "sqlite_fold.h"

static void fold_call(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct arena arena = {0};
	struct slice text = {(const char *)sqlite3_value_text(values[0]), 0}, folded;
	enum err err;

	(void)count;
	text.len = (size_t)sqlite3_value_bytes(values[0]);
	err = text_fold(&arena, text, &folded);
	if (err == ERR_NOMEM)
		sqlite3_result_error_nomem(context);
	else if (err)
		sqlite3_result_text(context, "", 0, SQLITE_STATIC);
	else
		sqlite3_result_text64(context, folded.len ? folded.ptr : "", folded.len,
				      SQLITE_TRANSIENT, SQLITE_UTF8);
	arena_release(&arena);
}

int sqlite_add_fold(sqlite3 *handle)
{
	return sqlite3_create_function_v2(handle, "docket_fold", 1,
					  SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
					  NULL, fold_call, NULL, NULL, NULL);
}
