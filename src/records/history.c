/* SPDX-License-Identifier: MIT */
/* Reads entries of the history. */
#include "records/history.h"

#include "records/history_row.h"

#define STRETCH 64 /* entries that are asked for at once */

static enum err last_change_row(void *context, const struct db_value *values, size_t count)
{
	struct history_read *history = context;

	(void)count;
	history->last_change = values[0].integer;
	return OK;
}

/* One entry behind the last that is wanted is read, which tells that there is more. */
static bool is_wanted(struct history_read *history, const struct history_entry *entry)
{
	history->rows++;
	history->more |= history->count == history->limit ||
			 (history->count && history->bytes + entry->value.len > HISTORY_BYTES);
	if (history->more)
		return false;
	history->count++;
	history->bytes += entry->value.len;
	history->last = entry->change;
	return true;
}

static enum err entry_row(void *context, const struct db_value *values, size_t count)
{
	struct history_read *history = context;
	struct history_entry entry;

	if (count != HISTORY_COLUMNS_COUNT)
		return ERR_INTERNAL;
	history_from_row(values, &entry);
	if (entry.change > history->since && !is_wanted(history, &entry))
		return OK;
	return history->on_entry(history->entry_context, &entry);
}

/* A stretch behind the last entry: what the database has to bring at once is bounded as well. False
 * where that was the last one. */
static enum err read_stretch(struct history_read *history, struct db *db, bool *again_out)
{
	int64_t wanted = history->limit - history->count + 1;
	int64_t most = wanted < STRETCH ? wanted : STRETCH;
	const struct db_value args[] = {
		DB_INT_VALUE(history->scope.account_id), DB_INT_VALUE(history->last),
		DB_INT_VALUE(most),
		DB_TEXT_VALUE(slice_of(history->type ? history->type->name : "")),
		DB_INT_VALUE(history->record_id)};
	const struct db_call of_record = {
		"SELECT " HISTORY_COLUMNS " FROM history WHERE account_id = $1 AND record = $4"
		" AND record_id = $5 AND change > $2 ORDER BY change LIMIT $3",
		args, 5, entry_row, history};
	const struct db_call of_all = {"SELECT " HISTORY_COLUMNS
				       " FROM history WHERE account_id = $1 AND change > $2"
				       " ORDER BY change LIMIT $3",
				       args, 3, entry_row, history};
	enum err err;

	history->rows = 0;
	err = db->driver->run(db, history->type ? &of_record : &of_all, 1);
	*again_out = !err && history->rows == most && !history->more;
	return err;
}

/* In one snapshot: no change is read that is above the account's last. */
static enum err history_execute(struct store_read *read, struct db *db)
{
	struct history_read *history = (struct history_read *)(void *)read;
	const struct db_value args[] = {
		DB_INT_VALUE(history->scope.account_id), DB_INT_VALUE(history->since),
		DB_TEXT_VALUE(slice_of(history->type ? history->type->name : "")),
		DB_INT_VALUE(history->record_id)};
	const struct db_call calls[] = {
		{"SELECT last_change FROM account WHERE id = $1", args, 1, last_change_row,
		 history},
		{"SELECT " HISTORY_COLUMNS " FROM history WHERE account_id = $1 AND record = $3"
		 " AND record_id = $4 AND change <= $2 ORDER BY change DESC LIMIT 1",
		 args, 4, entry_row, history},
	};
	bool again = true;
	enum err err;

	history->last = history->since;
	history->more = false;
	history->count = 0;
	history->bytes = 0;
	if (history->on_begin)
		history->on_begin(history->entry_context);
	err = db->driver->run(db, calls, history->type ? 2 : 1);
	while (!err && again)
		err = read_stretch(history, db, &again);
	return err;
}

void history_read_init(struct history_read *history, struct arena *arena)
{
	*history = (struct history_read){
		.read = {.arena = arena, .group = GROUP_HISTORY, .execute = history_execute}};
}
