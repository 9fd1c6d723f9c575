/* SPDX-License-Identifier: MIT */
/* Reads entries of the history. */
#include "records/history.h"

#include "base/clock.h"
#include "records/history_row.h"

/* How many entries the first statement reads, and how many each later statement reads at most. */
#define FIRST_STRETCH 16
#define STRETCH 256
/* About how many bytes of values a later statement reads. */
#define STRETCH_BYTES (1 << 20)
/* The part of the time limit after which no statement follows. */
#define TIME_SHARE 4

static enum err history_last_change_row(void *context, const struct db_value *values, size_t count)
{
	struct history_read *history = context;

	(void)count;
	history->last_change = values[0].integer;
	return OK;
}

/* Whether the entry belongs to the answer. One more entry is read than is wanted, to know whether
 * more follow. */
static bool history_take(struct history_read *history, const struct history_entry *entry)
{
	history->rows++;
	history->more = history->count == history->limit;
	if (history->more)
		return false;
	history->count++;
	history->bytes += entry->value.len;
	history->last = entry->change;
	return true;
}

static enum err history_entry_row(void *context, const struct db_value *values, size_t count)
{
	struct history_read *history = context;
	struct history_entry entry;

	if (count != HISTORY_COLUMNS_COUNT)
		return ERR_INTERNAL;
	history_from_row(values, &entry);
	if (entry.change > history->since && !history_take(history, &entry))
		return OK;
	return history->on_entry(history->entry_context, &entry);
}

/* How many entries the next statement reads: as many as fit into STRETCH_BYTES if they have the
 * average length of the entries so far. So no statement takes long. */
static int64_t history_stretch_length(const struct history_read *history)
{
	int64_t wanted = history->limit - history->count + 1, fit = FIRST_STRETCH;

	if (history->count)
		fit = history->count * STRETCH_BYTES / ((int64_t)history->bytes + 1);
	if (fit > STRETCH)
		fit = STRETCH;
	if (fit > wanted)
		fit = wanted;
	return fit > 1 ? fit : 1;
}

/* Reads the next entries. `again_out` false: that was the last stretch. */
static enum err history_read_stretch(struct history_read *history, struct db *db, bool *again_out)
{
	int64_t most = history_stretch_length(history);
	const struct db_value args[] = {
		DB_INT_VALUE(history->scope.account_id),
		DB_INT_VALUE(history->last),
		DB_INT_VALUE(most),
		DB_INT_VALUE(history->until),
		DB_TEXT_VALUE(slice_of(history->type ? history->type->name : "")),
		DB_INT_VALUE(history->record_id)};
	const struct db_call call = {
		.sql = history->type
			       ? "SELECT " HISTORY_COLUMNS " FROM history WHERE account_id = $1"
				 " AND record = $5 AND record_id = $6 AND change > $2"
				 " AND change <= $4 ORDER BY change LIMIT $3"
			       : "SELECT " HISTORY_COLUMNS " FROM history WHERE account_id = $1"
				 " AND change > $2 AND change <= $4 ORDER BY change LIMIT $3",
		.args = args,
		.arg_count = history->type ? 6 : 4,
		.on_row = history_entry_row,
		.context = history,
		.many = true,
	};
	enum err err;

	history->rows = 0;
	err = db->driver->run(db, &call, 1);
	*again_out = !err && history->rows == most && !history->more;
	return err;
}

/* Runs in one snapshot, so no entry is above the account's last change. */
static enum err history_execute(struct store_read *read, struct db *db)
{
	struct history_read *history = (struct history_read *)(void *)read;
	const struct db_value args[] = {
		DB_INT_VALUE(history->scope.account_id), DB_INT_VALUE(history->since),
		DB_TEXT_VALUE(slice_of(history->type ? history->type->name : "")),
		DB_INT_VALUE(history->record_id)};
	const struct db_call calls[] = {
		{"SELECT last_change FROM account_state WHERE account_id = $1", args, 1,
		 history_last_change_row, history},
		{"SELECT " HISTORY_COLUMNS " FROM history WHERE account_id = $1 AND record = $3"
		 " AND record_id = $4 AND change <= $2 ORDER BY change DESC LIMIT 1",
		 args, 4, history_entry_row, history},
	};
	int64_t budget = read->store->config.read_budget_ms;
	int64_t until = budget ? monotonic_ms() + budget / TIME_SHARE : INT64_MAX;
	bool again = true;
	enum err err;

	history->last = history->since;
	history->more = false;
	history->count = 0;
	history->bytes = 0;
	if (history->on_begin)
		history->on_begin(history->entry_context);
	err = db->driver->run(db, calls, history->type ? 2 : 1);
	while (!err && again) {
		err = history_read_stretch(history, db, &again);
		history->more |= again && monotonic_ms() >= until;
		again &= !history->more;
	}
	return err;
}

void history_read_init(struct history_read *history, struct arena *arena)
{
	*history = (struct history_read){.read = {.arena = arena,
						  .job = {.group = GROUP_HISTORY, .is_long = true},
						  .execute = history_execute},
					 .until = INT64_MAX};
}
