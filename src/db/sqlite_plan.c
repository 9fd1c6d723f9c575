/* SPDX-License-Identifier: MIT */
/* The plans of SQLite's statements. The texts of EXPLAIN QUERY PLAN name tables and indexes, and
 * have a ? for each value. */
#include "slow.h"
#include "sqlite_private.h"

#define DETAIL 3 /* the column of EXPLAIN QUERY PLAN with the text */

static enum err plan_take_row(void *context, const struct db_value *values, size_t count)
{
	if (count > DETAIL && values[DETAIL].type == DB_TEXT)
		plan_add(context, values[DETAIL].bytes);
	return OK;
}

enum err sqlite_explain(struct db *db, const struct db_call *call, struct buf *plan)
{
	struct db_call explain = *call;
	struct buf sql = {0};
	enum err err = ERR_NOMEM;

	buf_printf(&sql, "EXPLAIN QUERY PLAN %s", call->sql);
	buf_add_char(&sql, '\0');
	explain.sql = sql.ptr;
	explain.on_row = plan_take_row;
	explain.context = plan;
	if (!sql.failed)
		err = db->driver->run(db, &explain, 1);
	buf_release(&sql);
	return err;
}
