/* SPDX-License-Identifier: MIT */
/* The era of a database: a row `era` of the table `property`. A database that was never restored
 * has none, which is era 0. */
#include "place/era.h"

#include <errno.h>
#include <stdlib.h>

#include "audit/audit.h"
#include "base/array.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "json/write.h"
#include "place/schema.h"
#include "sql/calls.h"

/* How far the ids jump: by 1,000,000, and for each second since the account's last change by
 * 50,000; after 23 days by 1,000, and after three years by none. So no id that was given out after
 * the backup is given out again, as long as fewer records were made; bulk makes up to 37,000 a
 * second. That includes those that another restore of the same backup has made. */
#define SECONDS(most)                                                                           \
	"CASE WHEN last_at <= 0 OR last_at > $1 THEN 0 WHEN $1 - last_at > " most " THEN " most \
	" ELSE $1 - last_at END"
#define JUMP "1000000 + 49000 * (" SECONDS("2000000") ") + 1000 * (" SECONDS("100000000") ")"
/* The text index has 40 bits for the id of a task (sql/dialect_sqlite.c). Five of the farthest
 * jumps fit. Each after them takes half of the room that is left. */
#define END "1099511627776"
/* Accounts are given out by hand, so a thousand are enough. */
#define ACCOUNTS "1000"

static enum err era_row(void *context, const struct db_value *values, size_t count)
{
	char text[24];
	long long era;

	(void)count;
	snprintf(text, sizeof(text), "%.*s", (int)values[0].bytes.len, values[0].bytes.ptr);
	errno = 0;
	era = strtoll(text, NULL, 10);
	if (errno || era < 0 || era > ERA_MOST || !*text ||
	    strspn(text, "0123456789") != strlen(text))
		return ERR_CORRUPT;
	*(int64_t *)context = era;
	return OK;
}

static struct db_call era_call(int64_t *era_out)
{
	return (struct db_call){.sql = "SELECT value FROM property WHERE name = 'era'",
				.on_row = era_row,
				.context = era_out};
}

enum err era_take(struct store *store, struct db *db, struct buf *why)
{
	int64_t era = 0, before;
	const struct db_call call = era_call(&era);
	enum err err = db->driver->run(db, &call, 1);

	if (err) {
		buf_printf(why, "cannot read the era of the database: %s", err_text(err));
		return err;
	}
	before = atomic_exchange(&store->era, era);
	if (before != ERA_NONE && before != era)
		log_line("the database was restored: a new era begins, and requests that began "
			 "before it are refused");
	return OK;
}

/* A number that no era before has. Nobody knows the eras that began with another copy of this
 * database, so it is random. */
static int64_t era_new(int64_t before)
{
	unsigned char bytes[SALT_BYTES];
	uint64_t number;
	int64_t era;

	do {
		salt_make(bytes);
		memcpy(&number, bytes, sizeof(number));
		era = 1 + (int64_t)(number % ERA_MOST);
	} while (era == before);
	return era;
}

static enum err ids_jump(struct db *db, int64_t now)
{
	const struct db_value args[] = {DB_INT_VALUE(now)};
	struct buf sql = {0};
	enum err err = ERR_NOMEM;

	buf_add_text(&sql, "UPDATE account_state SET ");
	for (size_t i = 0; i < RECORD_KINDS; i++)
		buf_printf(&sql,
			   "%s%s = %s + CASE WHEN %s + " JUMP " > " END " AND %s < " END
			   " THEN (" END " - %s) / 2 ELSE " JUMP " END",
			   i ? ", " : "", record_types[i]->sequence, record_types[i]->sequence,
			   record_types[i]->sequence, record_types[i]->sequence,
			   record_types[i]->sequence);
	buf_add_char(&sql, '\0');
	if (!sql.failed)
		err = db->driver->run(
			db, &(struct db_call){.sql = sql.ptr, .args = args, .arg_count = 1}, 1);
	buf_release(&sql);
	return err;
}

/* `values` are the first columns of account_state (schema/0010_account_state.sql). */
static enum err ids_raise_row(void *context, const struct db_value *values, size_t count)
{
	static const char sql[] =
		"UPDATE account_state SET last_staff_id = max(last_staff_id, coalesce($3, 0)),"
		" last_calendar_id = max(last_calendar_id, coalesce($4, 0)),"
		" last_case_service_id = max(last_case_service_id, coalesce($5, 0)),"
		" last_casefile_id = max(last_casefile_id, coalesce($6, 0)),"
		" last_subject_id = max(last_subject_id, coalesce($7, 0)),"
		" last_task_id = max(last_task_id, coalesce($8, 0)) WHERE account_id = $1";
	const struct db_call call = {.sql = sql, .args = values, .arg_count = 2 + RECORD_KINDS};
	struct db *db = context;

	return count < call.arg_count ? ERR_CORRUPT : db->driver->run(db, &call, 1);
}

enum err era_raise_ids(struct db *db, struct slice changes)
{
	return db->driver->read_changes(changes, "account_state", ids_raise_row, db);
}

enum err era_raise_ids_by_change(struct db *db, int64_t account_id, int64_t last_change)
{
	const struct db_value args[] = {DB_INT_VALUE(account_id), DB_INT_VALUE(last_change)};
	const struct db_call call = {
		.sql = "UPDATE account_state SET last_staff_id = last_staff_id + $2 - last_change,"
		       " last_calendar_id = last_calendar_id + $2 - last_change,"
		       " last_case_service_id = last_case_service_id + $2 - last_change,"
		       " last_casefile_id = last_casefile_id + $2 - last_change,"
		       " last_subject_id = last_subject_id + $2 - last_change,"
		       " last_task_id = last_task_id + $2 - last_change"
		       " WHERE account_id = $1 AND last_change < $2",
		.args = args,
		.arg_count = COUNT_OF(args)};

	return db->driver->run(db, &call, 1);
}

static enum err era_tell(struct db *db, const char *from, int64_t now)
{
	struct buf details = {0};
	enum err err;

	json_open_object(&details);
	if (from && text_is_utf8(slice_of(from))) {
		json_put_key(&details, "from");
		json_put_text(&details, slice_of(from));
	}
	json_close_object(&details);
	err = details.failed ? ERR_NOMEM : audit_append(db, "restore", buf_slice(&details), now);
	buf_release(&details);
	return err;
}

enum err era_begin(struct db *db, const char *from, int64_t now)
{
	const struct db_driver *driver = db->driver;
	int64_t before = 0;
	const struct db_call read = era_call(&before);
	char text[24];
	struct db_value value;
	/* No replica has this state, so the mark that names one must go (store/recorder.h). */
	const struct db_call write[] = {
		{.sql = "INSERT INTO property (name, value) VALUES ('era', $1)"
			" ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		 .args = &value,
		 .arg_count = 1},
		{.sql = "DELETE FROM property WHERE name = 'replica'"},
		{.sql = "UPDATE given SET last = last + " ACCOUNTS " WHERE name = 'account'"},
	};
	enum err err = driver->begin(db);

	if (!err)
		err = driver->run(db, &read, 1);
	snprintf(text, sizeof(text), "%lld", (long long)era_new(before));
	value = DB_TEXT_VALUE(slice_of(text));
	if (!err)
		err = ids_jump(db, now);
	if (!err)
		err = era_tell(db, from, now);
	if (!err)
		err = driver->commit(db, write, COUNT_OF(write));
	if (err)
		driver->rollback(db);
	return err;
}

enum err store_begin_era(const struct store_config *config, struct buf *why)
{
	struct store *store = store_at(config);
	int64_t have = 0;
	enum err err = store ? store_lock(store, why) : ERR_NOMEM;

	if (!err)
		err = store_read_schema(store, store->write_db, false, &have, why);
	if (!err) {
		err = era_begin(store->write_db, NULL, clock_now(config->clock));
		if (err)
			buf_printf(why, "cannot begin a new era: %s: %s", err_text(err),
				   store->driver->message(store->write_db));
	}
	store_close(store);
	return err;
}
