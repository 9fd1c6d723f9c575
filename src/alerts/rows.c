/* SPDX-License-Identifier: MIT */
/* Rows of the ledger in SQL, and its clock. */
#include "alerts_private.h"
#include "base/timefmt.h"
#include "sql/values.h"

enum err alert_from_row(const struct db_value *values, struct arena *arena,
			struct alert_row *row_out)
{
	const struct slice answer = values[9].bytes;
	const char *copy = answer.len ? arena_copy(arena, answer) : "";

	if (!copy)
		return ERR_NOMEM;
	*row_out = (struct alert_row){
		.key = {values[0].integer, values[1].integer, values[2].integer, values[3].integer},
		.state = (enum alert_state)values[4].integer,
		.reason = (enum alert_reason)values[5].integer,
		.attempts = values[6].integer,
		.due_at = time_of_value(&values[7]),
		.ended_at = time_of_value(&values[8]),
		.answer = {copy, answer.len},
		.uncertain = values[10].integer,
	};
	return OK;
}

enum err alert_write_row(const struct alert_row *row, struct calls *calls)
{
	static const char sql[] =
		"UPDATE alert SET state = $5, reason = $6, attempts = $7, due_at = $8,"
		" ended_at = $9, answer = $10, uncertain = $11" ALERT_IS;

	return calls_ask(calls, sql, NULL, NULL, DB_INT_VALUE(row->key.account_id),
			 DB_INT_VALUE(row->key.task_id), DB_INT_VALUE(row->key.staff_id),
			 DB_INT_VALUE(row->key.alert_at), DB_INT_VALUE((int)row->state),
			 DB_INT_VALUE((int)row->reason), DB_INT_VALUE(row->attempts),
			 value_of_time(row->due_at), value_of_time(row->ended_at),
			 DB_TEXT_VALUE(row->answer), DB_INT_VALUE(row->uncertain));
}

enum err ledger_ask_now(const struct store *store, int64_t *now, struct calls *calls)
{
	const char *sql = sql_dialect(store->driver)->now;

	*now = clock_now(store->config.clock);
	return sql ? calls_add(calls, sql, NULL, 0, db_number, now) : OK;
}
