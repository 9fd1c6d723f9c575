/* SPDX-License-Identifier: MIT */
/* An entry of the history as a row. Each change inserts one. */
#include "records/history_row.h"

static struct db_value value_of_text(struct slice text)
{
	return text.ptr ? DB_TEXT_VALUE(text) : DB_NULL_VALUE;
}

enum err history_add(struct store_write *write, const char *kind, const struct record *record,
		     const char *action, struct slice value, struct calls *calls)
{
	static const char sql[] = "INSERT INTO history (account_id, change, at, staff_id, record,"
				  " record_id, action, value, request_id, hash, salt)"
				  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
	unsigned char *hash = arena_alloc(write->arena, DIGEST_BYTES + SALT_BYTES);
	struct history_entry entry = {
		.account_id = write->scope.account_id,
		.change = record->change,
		.at = write->account->last_at,
		.staff_id = write->scope.staff_id,
		.record = slice_of(kind),
		.record_id = record->id,
		.action = slice_of(action),
		.value = value,
		.request_id = write->request_id.len ? write->request_id : (struct slice){NULL, 0},
	};

	if (!hash)
		return ERR_NOMEM;
	if (value.ptr) {
		salt_make(hash + DIGEST_BYTES);
		entry.salt = (struct slice){(const char *)hash + DIGEST_BYTES, SALT_BYTES};
	}
	history_hash(&entry, write->account->head, hash);
	memcpy(write->account->head, hash, DIGEST_BYTES);
	return calls_ask(calls, sql, NULL, NULL, DB_INT_VALUE(entry.account_id),
			 DB_INT_VALUE(entry.change), DB_INT_VALUE(entry.at),
			 entry.staff_id == ID_NONE ? DB_NULL_VALUE : DB_INT_VALUE(entry.staff_id),
			 DB_TEXT_VALUE(entry.record), DB_INT_VALUE(entry.record_id),
			 DB_TEXT_VALUE(entry.action), value_of_text(entry.value),
			 value_of_text(entry.request_id),
			 DB_BYTES_VALUE(((struct slice){(const char *)hash, DIGEST_BYTES})),
			 entry.salt.ptr ? DB_BYTES_VALUE(entry.salt) : DB_NULL_VALUE);
}

static struct slice bytes_of_value(const struct db_value *value)
{
	return value->type == DB_NULL ? (struct slice){NULL, 0} : value->bytes;
}

void history_from_row(const struct db_value *values, struct history_entry *entry_out)
{
	*entry_out = (struct history_entry){
		.account_id = values[0].integer,
		.change = values[1].integer,
		.at = values[2].integer,
		.staff_id = values[3].type == DB_INT ? values[3].integer : ID_NONE,
		.record = bytes_of_value(&values[4]),
		.record_id = values[5].integer,
		.action = bytes_of_value(&values[6]),
		.value = bytes_of_value(&values[7]),
		.request_id = bytes_of_value(&values[8]),
		.salt = bytes_of_value(&values[9]),
		.digest = bytes_of_value(&values[10]),
	};
}
