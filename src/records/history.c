/* SPDX-License-Identifier: MIT */
/* The history: writes an entry with each change, and reads entries. */
#include "records/history_entry.h"

#define STRETCH 64 /* entries that are asked for at once */

/* A null is told from an empty text. */
static void add_text(struct digest *digest, struct slice text)
{
	digest_add_int(digest, text.ptr ? (int64_t)text.len : -1);
	if (text.ptr)
		digest_add(digest, text);
}

void history_hash(const struct history_entry *entry, const unsigned char before[DIGEST_BYTES],
		  unsigned char hash_out[DIGEST_BYTES])
{
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, (struct slice){(const char *)before, DIGEST_BYTES});
	digest_add_int(&digest, entry->account_id);
	digest_add_int(&digest, entry->change);
	digest_add_int(&digest, entry->at);
	digest_add_int(&digest, entry->staff_id);
	add_text(&digest, entry->record);
	digest_add_int(&digest, entry->record_id);
	add_text(&digest, entry->action);
	add_text(&digest, entry->value);
	add_text(&digest, entry->request_id);
	digest_final(&digest, hash_out);
}

static struct db_value text_or_null(struct slice text)
{
	return text.ptr ? DB_TEXT_VALUE(text) : DB_NULL_VALUE;
}

enum err history_add(struct store_write *write, const struct record_type *type,
		     const struct record *record, const char *action, struct slice value,
		     struct calls *calls)
{
	static const char sql[] = "INSERT INTO history (account_id, change, at, staff_id, record,"
				  " record_id, action, value, request_id, hash)"
				  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
	const struct history_entry entry = {
		.account_id = write->scope.account_id,
		.change = record->change,
		.at = write->account->last_at,
		.staff_id = write->scope.staff_id,
		.record = slice_of(type->name),
		.record_id = record->id,
		.action = slice_of(action),
		.value = value,
		.request_id = write->request_id.len ? write->request_id : (struct slice){NULL, 0},
	};
	struct db_value *args = arena_alloc(write->arena, 10 * sizeof(*args));
	unsigned char *hash = arena_alloc(write->arena, DIGEST_BYTES);

	if (!args || !hash)
		return ERR_NOMEM;
	history_hash(&entry, write->account->head, hash);
	memcpy(write->account->head, hash, DIGEST_BYTES);
	args[0] = DB_INT_VALUE(entry.account_id);
	args[1] = DB_INT_VALUE(entry.change);
	args[2] = DB_INT_VALUE(entry.at);
	args[3] = entry.staff_id == ID_NONE ? DB_NULL_VALUE : DB_INT_VALUE(entry.staff_id);
	args[4] = DB_TEXT_VALUE(entry.record);
	args[5] = DB_INT_VALUE(entry.record_id);
	args[6] = DB_TEXT_VALUE(entry.action);
	args[7] = text_or_null(entry.value);
	args[8] = text_or_null(entry.request_id);
	args[9] = DB_BYTES_VALUE(((struct slice){(const char *)hash, DIGEST_BYTES}));
	return calls_add(calls, sql, args, 10, NULL, NULL);
}

static struct slice text_of(const struct db_value *value)
{
	return value->type == DB_TEXT ? value->bytes : (struct slice){NULL, 0};
}

void history_from_row(const struct db_value *values, struct history_entry *entry_out)
{
	*entry_out = (struct history_entry){
		.account_id = values[0].integer,
		.change = values[1].integer,
		.at = values[2].integer,
		.staff_id = values[3].type == DB_INT ? values[3].integer : ID_NONE,
		.record = text_of(&values[4]),
		.record_id = values[5].integer,
		.action = text_of(&values[6]),
		.value = text_of(&values[7]),
		.request_id = text_of(&values[8]),
	};
}

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
static enum err history_run(struct store_read *read, struct db *db)
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
		.read = {.arena = arena, .about = ABOUT_HISTORY, .run = history_run}};
}
