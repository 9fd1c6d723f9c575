/* SPDX-License-Identifier: MIT */
/* Reads rows of the ledger for people. */
#include "alerts/alerts.h"
#include "alerts_private.h"

static struct alerts_read *alerts_read_of(struct store_read *read)
{
	return (struct alerts_read *)(void *)read;
}

static enum err read_row(void *context, const struct db_value *values, size_t count)
{
	const struct alerts_read *read = context;
	struct alert_row row;
	enum err err = alert_from_row(values, read->read.arena, &row);

	(void)count;
	return err ? err : read->on_row(read->row_context, &row);
}

/* A condition on a column, if it has a value. */
static void add_condition(struct buf *sql, struct db_value *args, size_t *count, const char *column,
			  const int64_t *value)
{
	if (!value)
		return;
	args[*count] = DB_INT_VALUE(*value);
	buf_printf(sql, " AND %s = $%zu", column, ++*count);
}

static enum err read_append(struct store_read *base, struct calls *calls)
{
	struct alerts_read *read = alerts_read_of(base);
	const int64_t state = read->state, *of_state = read->state == ALERT_STATES ? NULL : &state;
	const int64_t *of_task = read->task_id == ID_NONE ? NULL : &read->task_id;
	struct db_value args[4] = {DB_INT_VALUE(read->scope.account_id)};
	struct buf sql = {0};
	size_t count = 1;
	const char *text;
	enum err err = OK;

	read->task_found = false;
	if (read->on_begin)
		read->on_begin(read->row_context);
	if (of_task)
		err = calls_ask(calls,
				"SELECT 1 FROM history WHERE account_id = $1 AND record = 'task'"
				" AND record_id = $2 LIMIT 1",
				any_row, &read->task_found, args[0], DB_INT_VALUE(*of_task));
	buf_add_text(&sql, "SELECT " ALERT_COLUMNS " FROM alert WHERE account_id = $1");
	add_condition(&sql, args, &count, "task_id", of_task);
	add_condition(&sql, args, &count, "state", of_state);
	args[count] = DB_INT_VALUE((int64_t)read->limit);
	buf_printf(&sql, " ORDER BY alert_at DESC, task_id DESC, staff_id LIMIT $%zu", ++count);
	text = sql.failed ? NULL : arena_copy(calls->arena, buf_slice(&sql));
	buf_release(&sql);
	if (!text)
		return ERR_NOMEM;
	return err ? err : calls_add_copy(calls, text, args, count, read_row, read);
}

void alerts_read_init(struct alerts_read *read, struct arena *arena)
{
	*read = (struct alerts_read){
		.read = {.arena = arena,
			 .job = {.group = GROUP_RECORDS + RECORD_TASK},
			 .append = read_append},
		.task_id = ID_NONE,
		.state = ALERT_STATES,
		.limit = ALERTS_READ_MAX,
	};
}
